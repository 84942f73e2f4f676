"""Every sentence for people, and how money, numbers and dates are written. Never Qt, never I/O but its catalogues."""
