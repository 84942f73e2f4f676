"""Errors that people read: a title, and a sentence that says what to do.

    PosError
    ├── BadInput            somebody typed or sent what cannot be; exit status 2
    │   ├── NotFound        no such order, product, gateway
    │   └── NotAllowed      this person may not, or not in this state
    │       └── SecondNeeded    not alone: another manager has to agree
    ├── Refused             the books or the outcome say no (declined, not fenced, does not verify); exit status 1
    │   └── OtherAccount    keys of another account than before
    ├── OutcomeUnknown      asked, no answer yet; nothing is lost; exit status 3
    ├── Unreachable         provably not sent, or nobody there; exit status 4
    └── Broken              our fault, or the machine's: disk full, newer database, failed integrity; exit status 1
        └── ReadOnly        these books may be read here and not written: a newer version keeps them, or another copy
                            of this till is at work

"Unknown" as the state of an order is a status, never an exception; `OutcomeUnknown` only tells a caller
who waits for one answer that it has not come.
"""

from __future__ import annotations


class PosError(Exception):
    """Root. `title` is one short line, `hint` one sentence that says what to do."""

    exit_status = 1

    def __init__(self, title: str, hint: str = "") -> None:
        super().__init__(title)
        self.title = title
        self.hint = hint

    def __str__(self) -> str:
        return f"{self.title} {self.hint}".strip()


class BadInput(PosError):
    exit_status = 2


class NotFound(BadInput):
    pass


class NotAllowed(BadInput):
    pass


class SecondNeeded(NotAllowed):
    pass


class Refused(PosError):
    exit_status = 1


class OtherAccount(Refused):
    """Keys of another account than the books know: whoever means it says so and does it again."""


class OutcomeUnknown(PosError):
    exit_status = 3


class Unreachable(PosError):
    exit_status = 4


class Broken(PosError):
    exit_status = 1


class ReadOnly(Broken):
    pass
