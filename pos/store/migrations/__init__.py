"""Named, append-only steps of the schema, run by alembic; a database from a newer version is refused unchanged."""
