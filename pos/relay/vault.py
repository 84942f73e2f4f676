"""Webhook secrets at rest: AES-256-GCM under a key file of mode 600 in the relay's data folder.

Nothing here is logged, and no secret is ever returned to a till or printed.
"""

from __future__ import annotations

import os
import secrets
import stat
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from pos.domain.errors import Broken

KEY_FILE = "relay.key"
KEY_BYTES = 32
NONCE_BYTES = 12


class Vault:
    """Seals and opens short texts; `about` is authenticated with them, so that rows cannot be swapped."""

    def __init__(self, key: bytes) -> None:
        self._cipher = AESGCM(key)

    def seal(self, text: str, about: str) -> bytes:
        nonce = secrets.token_bytes(NONCE_BYTES)
        return nonce + self._cipher.encrypt(nonce, text.encode(), about.encode())

    def open(self, sealed: bytes, about: str) -> str:
        """Raises Broken: sealed with another key, or changed."""
        try:
            return self._cipher.decrypt(sealed[:NONCE_BYTES], sealed[NONCE_BYTES:], about.encode()).decode()
        except (InvalidTag, ValueError) as error:  # ValueError: too short to be one
            raise Broken("A webhook secret cannot be opened.", f"Is {KEY_FILE} the one of this folder?") from error


def open_vault(folder: Path) -> Vault:
    """The vault of a data folder; its key is made at the first use.

    Raises:
        Broken: the key can be read by others, or is damaged.
    """
    path = folder / KEY_FILE
    try:
        key = _make_key(path)
    except FileExistsError:
        key = path.read_bytes()
    if os.name == "posix" and stat.S_IMODE(path.stat().st_mode) & 0o077:
        raise Broken(f"{KEY_FILE} can be read by others.", f"Run: chmod 600 {path}")
    if len(key) != KEY_BYTES:
        raise Broken(
            f"{KEY_FILE} is damaged.", "Restore it from your backup; without it the secrets must be set again."
        )
    return Vault(key)


def _make_key(path: Path) -> bytes:
    """Written beside and linked into place, so that nobody ever reads half a key. Raises FileExistsError."""
    if path.exists():
        raise FileExistsError(path)
    key = secrets.token_bytes(KEY_BYTES)
    draft = path.with_suffix(f".{os.getpid()}")
    handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        os.write(handle, key)
        os.fsync(handle)
    finally:
        os.close(handle)
    try:
        os.link(draft, path)
    finally:
        draft.unlink()
    return key
