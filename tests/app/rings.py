"""Keyrings for tests: one that works as far as we use one, and ones that fail as real ones do."""

from __future__ import annotations

import threading

import keyring.errors


class FakeKeyring:
    """A keyring that works, as far as we use one."""

    def __init__(self) -> None:
        self.entries: dict[tuple[str, str], str] = {}
        self.touched = 0

    def get_password(self, service: str, username: str) -> str | None:
        self.touched += 1
        return self.entries.get((service, username))

    def set_password(self, service: str, username: str, password: str) -> None:
        self.entries[(service, username)] = password

    def delete_password(self, service: str, username: str) -> None:
        if self.entries.pop((service, username), None) is None:
            raise keyring.errors.PasswordDeleteError("No such password!")


class Failing(FakeKeyring):
    """One that throws what real ones throw."""

    def __init__(self, error: Exception) -> None:
        super().__init__()
        self.error = error

    def get_password(self, service: str, username: str) -> str | None:
        raise self.error

    def set_password(self, service: str, username: str, password: str) -> None:
        raise self.error


class Forgetful(FakeKeyring):
    """Takes everything and keeps nothing, like keyring's null backend."""

    def set_password(self, service: str, username: str, password: str) -> None:
        pass


class Silent(FakeKeyring):
    """Shows a prompt that nobody answers, until `answered` is set."""

    def __init__(self) -> None:
        super().__init__()
        self.answered = threading.Event()

    def get_password(self, service: str, username: str) -> str | None:
        self.answered.wait()
        return super().get_password(service, username)

    def set_password(self, service: str, username: str, password: str) -> None:
        self.answered.wait()
        super().set_password(service, username, password)
