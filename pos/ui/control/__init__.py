"""What each page does: one object a page, between its panels and the services. No painting, no rule about money."""
