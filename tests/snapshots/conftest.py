"""The same stand as the window's tests."""

from tests.ui.conftest import dressed, loop, stand
from tests.ui.test_history import office

__all__ = ["dressed", "loop", "office", "stand"]
