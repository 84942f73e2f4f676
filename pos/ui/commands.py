"""The register of commands: name, keys, what it does, when it may. Buttons, shortcuts, palette and help read it.

What a command does is handed in by the window; no screen stands here.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Qt, Signal
from PySide6.QtGui import QAction, QKeySequence

if TYPE_CHECKING:
    from PySide6.QtWidgets import QWidget

Run = Callable[[], object]
Enabled = Callable[[], bool]


class Commands(QObject):
    """One QAction per command. `keys` overrides the usual keys by command id ("pay.qr": "F11"): keys can be changed.

    `used(name)` before a command runs.
    """

    used = Signal(str)

    def __init__(self, window: QWidget, keys: Mapping[str, str] | None = None) -> None:
        super().__init__(window)
        self._window = window
        self._keys = dict(keys or {})
        self._actions: dict[str, QAction] = {}
        self._enabled: dict[str, Enabled] = {}
        self.listed: list[QAction] = []

    def add(
        self, name: str, text: str, keys: str, run: Run, *, enabled: Enabled | None = None, listed: bool = True
    ) -> QAction:
        """Register `name`; `keys` as Qt writes them, several apart by a blank ("Return Enter").

        A command of the same name is replaced. `listed`: the palette and the help panel show it.
        """
        action = QAction(text, self._window)
        action.setObjectName(name)
        action.setShortcuts([QKeySequence(key) for key in self._keys.get(name, keys).split()])
        action.setShortcutContext(Qt.ShortcutContext.WindowShortcut)
        action.setAutoRepeat(False)
        action.triggered.connect(lambda: self._use(name, run))
        self._window.addAction(action)
        self._actions[name] = action
        if enabled is not None:
            self._enabled[name] = enabled
        if listed:
            self.listed.append(action)
        return action

    def _use(self, name: str, run: Run) -> None:
        self.used.emit(name)
        run()

    def remove(self, name: str) -> None:
        """Forget a command and free its key."""
        action = self._actions.pop(name)
        self._enabled.pop(name, None)
        self._window.removeAction(action)
        if action in self.listed:
            self.listed.remove(action)
        action.deleteLater()

    def starting_with(self, prefix: str) -> list[str]:
        return [name for name in self._actions if name.startswith(prefix)]

    def __getitem__(self, name: str) -> QAction:
        return self._actions[name]

    def refresh(self) -> None:
        """Ask every command again whether it may; cheap, called after every change of what is shown."""
        for name, enabled in self._enabled.items():
            action = self._actions[name]
            may = enabled()
            if action.isEnabled() != may:
                action.setEnabled(may)

    def doubled_keys(self) -> list[str]:
        """Keys that two enabled commands share now: Qt would run neither. Empty in a sound window."""
        seen: dict[str, str] = {}
        doubled = []
        for name, action in self._actions.items():
            for key in (k.toString() for k in action.shortcuts() if action.isEnabled()):
                if key in seen:
                    doubled.append(f"{key}: {seen[key]} and {name}")
                seen[key] = name
        return doubled
