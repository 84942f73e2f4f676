"""The Village Bank, a gateway that does not exist: what a package with an adapter of its own looks like."""
