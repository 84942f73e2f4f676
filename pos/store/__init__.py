"""The till's database. SQLAlchemy lives here and nowhere else."""
