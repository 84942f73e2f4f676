"""Asking a person at a terminal for what must not be seen. Nothing asked here is ever an argument or an echo."""

from __future__ import annotations

import os
import sys

import click

from pos.domain.errors import BadInput

LINES_MAX_CHARS = 8192
"""Of standard input, where it is no terminal: more is no passphrase and no key."""


def at_terminal() -> bool:
    """Whether somebody can be asked: standard input is a terminal, or (`< key.txt`) there is one behind it."""
    if sys.stdin.isatty():
        return True
    if os.name != "posix" or not sys.stderr.isatty():
        return False
    try:
        os.close(os.open("/dev/tty", os.O_RDWR | os.O_NOCTTY))
    except OSError:
        return False
    return True


def ask_vault() -> str:
    """The vault's passphrase, typed unseen; "" where nobody is there or nothing is typed."""
    if not at_terminal():
        return ""
    typed: str = click.prompt(
        "Passphrase of the vault (Enter: go on without)", hide_input=True, default="", show_default=False, err=True
    )
    return typed


def passphrases(*prompts: str) -> list[str]:
    """One passphrase per prompt; the last is a new one and typed twice. Without a terminal: lines of standard input.

    Raises:
        BadInput: too few lines, or a repeated last line that differs.
    """
    if sys.stdin.isatty():
        last = len(prompts) - 1
        return [
            click.prompt(text, hide_input=True, confirmation_prompt=index == last, err=True)
            for index, text in enumerate(prompts)
        ]
    lines = sys.stdin.read(LINES_MAX_CHARS + 1).splitlines()
    if not len(prompts) <= len(lines) <= len(prompts) + 1:
        wanted = "one line" if len(prompts) == 1 else f"{len(prompts)} lines: {', then '.join(prompts).lower()}"
        raise BadInput("That is no passphrase on standard input.", f"Give {wanted}; or run it at a terminal.")
    if len(lines) > len(prompts) and lines[-1] != lines[-2]:
        raise BadInput("The new passphrase and its repetition differ.", "Give the same line twice, or once.")
    return lines[: len(prompts)]
