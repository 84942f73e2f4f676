"""One order, one story at the bank, and every way of hearing of it in every order: one end."""
