"""One class per family of rows, each over one connection in one transaction."""
