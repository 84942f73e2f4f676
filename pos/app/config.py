"""`settings.toml`: read strictly, refused with the line that is wrong."""
