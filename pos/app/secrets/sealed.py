"""The bytes of a vault: what is in its head, how its entries are sealed, and what is refused. No files, no state.

    offset  bytes  what
    0       8      TRUETILL
    8       1      version, 1
    9       4      argon2id: memory in KiB, big-endian
    13      1      argon2id: passes
    14      1      argon2id: lanes
    15      16     argon2id: salt
    31      12     AES-256-GCM: nonce, new at every write
    43      n+16   entries as JSON in UTF-8, sealed, with their tag; the whole head is authenticated with them
    43+n+16 32     SHA-256 of everything before: tells damage from a wrong passphrase. It protects nothing

Argon2id is RFC 9106, AES-GCM is NIST SP 800-38D. The costs in the head are bounded before they are used, so that a
forged head cannot eat a machine's memory.
"""

from __future__ import annotations

import hashlib
import json
import os
import struct
import unicodedata
from dataclasses import dataclass, replace

from pos.app.secrets.names import NAMES_KEPT
from pos.domain.errors import BadInput, Broken, NotAllowed, Unreachable

MAGIC = b"TRUETILL"
VERSION = 1
HEAD = struct.Struct(">8sBIBB16s12s")
TAG_BYTES, SUM_BYTES, SALT_BYTES, NONCE_BYTES, KEY_BYTES = 16, 32, 16, 12, 32
VAULT_MAX_BYTES = 2 * 1024 * 1024  # NAMES_KEPT entries of the longest values, and then some
MEMORY_KIB, PASSES, LANES = 64 * 1024, 3, 1
MEMORY_KIB_MIN, MEMORY_KIB_MAX = 8 * 1024, 256 * 1024
PASSES_MAX, LANES_MAX = 10, 4
PASSPHRASE_MIN_CHARS, PASSPHRASE_MAX_CHARS = 8, 1024
RESTORE = "Put secrets.vault back from a backup; without one, move it away, create a new vault and set the keys again."


@dataclass(frozen=True, slots=True)
class Head:
    """What is in a vault's first bytes; `same_key` when one derived key opens both."""

    memory_kib: int
    passes: int
    lanes: int
    salt: bytes
    nonce: bytes

    def packed(self) -> bytes:
        return HEAD.pack(MAGIC, VERSION, self.memory_kib, self.passes, self.lanes, self.salt, self.nonce)

    def same_key(self, other: Head) -> bool:
        return replace(self, nonce=other.nonce) == other


def new_head() -> Head:
    return Head(MEMORY_KIB, PASSES, LANES, os.urandom(SALT_BYTES), os.urandom(NONCE_BYTES))


def read_head(raw: bytes) -> Head:
    """The head of a vault's bytes, its costs within bounds and its digest right.

    Raises:
        Broken: not a vault, of a newer version, cut off or damaged.
    """
    if len(raw) < HEAD.size + TAG_BYTES + SUM_BYTES or not raw.startswith(MAGIC):
        raise Broken("The vault is damaged: it is cut off, or no vault.", RESTORE)
    if raw[len(MAGIC)] > VERSION:
        raise Broken("The vault was written by a newer version of Truetill.", "Install that version. Nothing is lost.")
    if hashlib.sha256(raw[:-SUM_BYTES]).digest() != raw[-SUM_BYTES:]:
        raise Broken("The vault is damaged: some of its bytes have changed.", RESTORE)
    _, version, memory_kib, passes, lanes, salt, nonce = HEAD.unpack_from(raw)
    fits = MEMORY_KIB_MIN <= memory_kib <= MEMORY_KIB_MAX and 1 <= passes <= PASSES_MAX and 1 <= lanes <= LANES_MAX
    if version != VERSION or not fits:
        raise Broken("The vault asks for more work than any vault of ours: somebody has changed it.", RESTORE)
    return Head(memory_kib, passes, lanes, salt, nonce)


def derive(passphrase: str, head: Head) -> bytes:
    """The key of a passphrase, by the head's salt and costs; takes some tenths of a second and its memory on purpose.

    Raises:
        Unreachable: the machine has no memory for it now.
    """
    from argon2.exceptions import HashingError
    from argon2.low_level import Type, hash_secret_raw

    # the same passphrase typed on two keyboards is the same: composed and decomposed letters are made one
    secret = unicodedata.normalize("NFKC", passphrase).encode()
    costs = {"time_cost": head.passes, "memory_cost": head.memory_kib, "parallelism": head.lanes}
    try:
        return hash_secret_raw(secret, head.salt, hash_len=KEY_BYTES, type=Type.ID, **costs)
    except (HashingError, MemoryError) as error:
        need = f"It needs {head.memory_kib // 1024} MiB of memory for a moment: close something, then try again."
        raise Unreachable("The vault could not be opened now.", need) from error


def seal(entries: dict[str, str], key: bytes, head: Head) -> bytes:
    """A vault's bytes, under a nonce of their own.

    Raises:
        BadInput: more entries than a vault takes.
    """
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

    if len(entries) > NAMES_KEPT:
        raise BadInput(f"The vault is full: it takes {NAMES_KEPT} secrets.", "Remove one with `pos secrets remove`.")
    packed = replace(head, nonce=os.urandom(NONCE_BYTES)).packed()
    plain = json.dumps(entries, sort_keys=True).encode()
    body = packed + AESGCM(key).encrypt(packed[-NONCE_BYTES:], plain, packed)
    return body + hashlib.sha256(body).digest()


def unseal(raw: bytes, key: bytes) -> dict[str, str]:
    """The entries of a vault's bytes.

    Raises:
        NotAllowed: this key does not open it: the passphrase is wrong, or the file was forged.
        Broken: as `read_head`; or opened, and not what we write.
    """
    from cryptography.exceptions import InvalidTag
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

    head = read_head(raw)
    try:
        plain = AESGCM(key).decrypt(head.nonce, raw[HEAD.size : -SUM_BYTES], raw[: HEAD.size])
    except InvalidTag:
        hint = "Type it again; mind the keyboard's language and Caps Lock."
        raise NotAllowed("That is not the passphrase of the vault.", hint) from None
    try:
        entries = json.loads(plain)
    except ValueError:
        entries = None
    if not isinstance(entries, dict) or not all(isinstance(value, str) for value in entries.values()):
        raise Broken("The vault opens, but what is in it is not ours.", RESTORE)
    return entries


def check_passphrase(passphrase: str) -> str:
    """The passphrase itself, if it can be one.

    Raises:
        BadInput: too short, too long, or with spaces at its ends or signs that cannot be typed everywhere.
    """
    if len(passphrase) < PASSPHRASE_MIN_CHARS:
        raise BadInput(
            f"A passphrase needs at least {PASSPHRASE_MIN_CHARS} characters.", "Four words that nobody guesses do well."
        )
    if len(passphrase) > PASSPHRASE_MAX_CHARS or not passphrase.isprintable() or passphrase != passphrase.strip():
        raise BadInput(
            "This passphrase could not be typed again: it is very long, or has a space at an end, or signs that are "
            "no letters.",
            "Choose another.",
        )
    return passphrase
