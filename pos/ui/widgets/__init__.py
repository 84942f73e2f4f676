"""Small widgets, each one idea. They know tokens and words handed to them, never services."""
