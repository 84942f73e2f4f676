"""Every sentence for people, and how money, numbers and dates are written. No Qt."""
