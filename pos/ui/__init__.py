"""The window. Sees services, words and the bus; never the store, a gateway or HTTP."""
