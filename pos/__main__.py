"""`python -m pos`."""

from pos.cli.main import run

if __name__ == "__main__":
    run()
