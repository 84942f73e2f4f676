"""Shops, their hooks and their tills: who may send to whom. Kept in `tenants.db`, apart from the log.

Tokens are kept as digests, webhook secrets sealed. The running relay sees what `pos relay add-shop` and its
siblings write: it reads again when SQLite says that another connection has written. No event lives here.
"""

from __future__ import annotations

import hashlib
import secrets
import sqlite3
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pos.domain.errors import BadInput, Broken, NotFound
from pos.relay import database
from pos.relay.vault import Vault, open_vault

FILE = "tenants.db"
VERSION = 1
NAME_CHARACTERS = 60
SECRET_CHARACTERS = 512
PAIRING_S = 600
CODE_ALPHABET = "23456789ABCDEFGHJKMNPQRSTVWXYZ"
CODE_CHARACTERS = 12  # 58 bits for ten minutes and a few tries per second

SCHEMA = """
CREATE TABLE shops (id TEXT PRIMARY KEY, name TEXT NOT NULL UNIQUE, created_at REAL NOT NULL);
CREATE TABLE hooks (
    shop TEXT NOT NULL REFERENCES shops, gateway TEXT NOT NULL, token BLOB NOT NULL, sealed_token BLOB NOT NULL,
    PRIMARY KEY (shop, gateway)
);
CREATE TABLE secrets (
    id INTEGER PRIMARY KEY, shop TEXT NOT NULL, gateway TEXT NOT NULL, sealed BLOB NOT NULL, until REAL,
    FOREIGN KEY (shop, gateway) REFERENCES hooks
);
CREATE TABLE tills (
    id TEXT PRIMARY KEY, shop TEXT NOT NULL REFERENCES shops, token BLOB NOT NULL UNIQUE, created_at REAL NOT NULL,
    revoked_at REAL
);
CREATE TABLE pairings (code BLOB PRIMARY KEY, shop TEXT NOT NULL REFERENCES shops, until REAL NOT NULL)
"""


@dataclass(frozen=True, slots=True)
class Hook:
    """A webhook's door. `secrets` are (secret, valid until or None), the newest first."""

    shop: str
    gateway: str
    path: str
    secrets: tuple[tuple[str, float | None], ...]

    def valid_secrets(self, now: float) -> list[str]:
        return [secret for secret, until in self.secrets if until is None or now < until]


@dataclass(frozen=True, slots=True)
class Till:
    id: str
    shop: str


@dataclass(frozen=True, slots=True)
class _Known:
    """Everything at one moment, ready for look-up by digest."""

    shops: dict[str, str]
    hooks: dict[tuple[str, str, bytes], Hook]
    tills: dict[bytes, Till]


class Tenants:
    """All shops of one relay. Methods that write are for the command line and for pairing; look-ups are in memory."""

    def __init__(self, folder: Path) -> None:
        database.prepare_folder(folder)
        self._vault = open_vault(folder)
        self._db = database.open_database(folder / FILE, SCHEMA, VERSION)
        self._seen = -1
        self._known = _Known({}, {}, {})
        try:
            self.refresh()
        except Broken:
            self._db.close()
            raise

    def close(self) -> None:
        self._db.close()

    # look-ups

    def refresh(self) -> bool:
        """Read again if another connection has written; whether it had. Raises Broken."""
        try:
            version = self._db.execute("PRAGMA data_version").fetchone()[0]
        except sqlite3.Error as error:
            raise Broken("The relay's tenants cannot be read.", str(error)) from error
        if version == self._seen:
            return False
        self._seen = version
        self._known = _load(self._db, self._vault)
        return True

    def hook(self, shop: str, gateway: str, token: str) -> Hook | None:
        return self._known.hooks.get((shop, gateway, digest(token)))

    def till(self, token: str) -> Till | None:
        return self._known.tills.get(digest(token))

    def tills(self) -> set[str]:
        """Ids of the tills that are not revoked."""
        return {till.id for till in self._known.tills.values()}

    def shop_name(self, shop: str) -> str | None:
        return self._known.shops.get(shop)

    def shops(self) -> dict[str, str]:
        return dict(self._known.shops)

    def hook_paths(self, shop: str) -> dict[str, str]:
        """Gateway to the path that was given to it."""
        return {hook.gateway: hook.path for hook in self._known.hooks.values() if hook.shop == shop}

    def find_shop(self, id_or_name: str) -> str:
        """Raises NotFound."""
        for shop, name in self._known.shops.items():
            if id_or_name in (shop, name):
                return shop
        raise NotFound(f"There is no shop {id_or_name!r} on this relay.", "`pos relay stats` lists them.")

    # writing

    def add_shop(self, name: str, gateways: dict[str, str | None], now: float) -> str:
        """Add a shop, or gateways to the shop of that name; gateway to webhook secret (None: it does not sign).

        Raises:
            BadInput: a name that cannot be shown, or a gateway that the shop has already.
        """
        if not (0 < len(name) <= NAME_CHARACTERS and name.isprintable() and name.strip() == name):
            raise BadInput("That name cannot be used.", f"1 to {NAME_CHARACTERS} characters on one line.")
        with database.transaction(self._db):
            row = self._db.execute("SELECT id FROM shops WHERE name = ?", (name,)).fetchone()
            shop: str = row[0] if row else "s" + secrets.token_hex(8)
            if row is None:
                self._db.execute("INSERT INTO shops VALUES (?, ?, ?)", (shop, name, now))
            for gateway, secret in gateways.items():
                self._add_hook(shop, gateway, secret)
        self._reload()
        return shop

    def _add_hook(self, shop: str, gateway: str, secret: str | None) -> None:
        if self._db.execute("SELECT 1 FROM hooks WHERE (shop, gateway) = (?, ?)", (shop, gateway)).fetchone():
            raise BadInput(f"This shop has {gateway} already.", "`pos relay rotate-secret` gives it a new secret.")
        token = secrets.token_urlsafe(16)
        sealed = self._vault.seal(token, f"token|{shop}|{gateway}")
        self._db.execute("INSERT INTO hooks VALUES (?, ?, ?, ?)", (shop, gateway, digest(token), sealed))
        if secret is not None:
            self._add_secret(shop, gateway, secret)

    def _add_secret(self, shop: str, gateway: str, secret: str) -> None:
        if not 8 <= len(secret) <= SECRET_CHARACTERS or not secret.isprintable() or secret.strip() != secret:
            raise BadInput("That is no webhook secret.", f"8 to {SECRET_CHARACTERS} characters on one line.")
        sealed = self._vault.seal(secret, f"secret|{shop}|{gateway}")
        self._db.execute("INSERT INTO secrets (shop, gateway, sealed) VALUES (?, ?, ?)", (shop, gateway, sealed))

    def rotate_secret(self, shop: str, gateway: str, secret: str, old_until: float) -> None:
        """From now on `secret` is valid, and the one before it until `old_until`. Raises NotFound, BadInput."""
        with database.transaction(self._db):
            if not self._db.execute("SELECT 1 FROM hooks WHERE (shop, gateway) = (?, ?)", (shop, gateway)).fetchone():
                raise NotFound(f"This shop has no {gateway}.", "`pos relay add-shop NAME --gateway` adds it.")
            self._db.execute(
                "UPDATE secrets SET until = ? WHERE (shop, gateway) = (?, ?) AND until IS NULL",
                (old_until, shop, gateway),
            )
            self._add_secret(shop, gateway, secret)
        self._reload()

    def add_till(self, shop: str, now: float) -> tuple[str, str]:
        """A new till: its id, and its token, which is shown this once."""
        with database.transaction(self._db):
            added = self._insert_till(shop, now)
        self._reload()
        return added

    def _insert_till(self, shop: str, now: float) -> tuple[str, str]:
        till, token = "t" + secrets.token_hex(6), "tt_till_" + secrets.token_urlsafe(32)
        self._db.execute("INSERT INTO tills VALUES (?, ?, ?, ?, NULL)", (till, shop, digest(token), now))
        return till, token

    def revoke_till(self, till: str, now: float) -> None:
        """Raises NotFound."""
        with database.transaction(self._db):
            sql = "UPDATE tills SET revoked_at = ? WHERE id = ? AND revoked_at IS NULL"
            if self._db.execute(sql, (now, till)).rowcount == 0:
                raise NotFound(f"There is no till {till!r}, or it is revoked already.", "`pos relay stats` lists them.")
        self._reload()

    def pairing_code(self, shop: str, now: float) -> str:
        """A code for one new till, valid for ten minutes and once."""
        code = "".join(secrets.choice(CODE_ALPHABET) for _ in range(CODE_CHARACTERS))
        with database.transaction(self._db):
            self._db.execute("INSERT INTO pairings VALUES (?, ?, ?)", (digest(code), shop, now + PAIRING_S))
        return code

    def pair(self, code: str, now: float) -> tuple[Till, str] | None:
        """Exchange a code for a till and its token; None for a code that is wrong, used or too old."""
        plain = code.upper().replace("-", "").replace(" ", "")
        with database.transaction(self._db):
            row = self._db.execute("SELECT shop FROM pairings WHERE code = ? AND until > ?", (digest(plain), now))
            found = row.fetchone()
            self._db.execute("DELETE FROM pairings WHERE code = ? OR until <= ?", (digest(plain), now))
            if found is None:
                return None
            till, token = self._insert_till(found[0], now)
        self._reload()
        return Till(till, found[0]), token

    def _reload(self) -> None:
        self._known = _load(self._db, self._vault)

    def stats(self) -> list[dict[str, Any]]:
        """Per shop: id, name, gateways, tills with the times (unix seconds) of their adding and revoking."""
        sql = "SELECT id, created_at, revoked_at FROM tills WHERE shop = ? ORDER BY created_at"
        return [
            {
                "shop": shop,
                "name": name,
                "gateways": sorted(self.hook_paths(shop)),
                "tills": [
                    {"till": till, "created_at": created, "revoked_at": revoked}
                    for till, created, revoked in self._db.execute(sql, (shop,))
                ],
            }
            for shop, name in sorted(self._known.shops.items(), key=lambda pair: pair[1])
        ]


def digest(token: str) -> bytes:
    """Tokens are random and long: a plain digest is enough, and a look-up by digest tells nothing by its time."""
    return hashlib.sha256(token.encode("utf-8", "replace")).digest()


def _load(db: sqlite3.Connection, vault: Vault) -> _Known:
    try:
        db.execute("BEGIN")  # one moment for all four tables
        shops = dict(db.execute("SELECT id, name FROM shops").fetchall())
        kept: dict[tuple[str, str], list[tuple[str, float | None]]] = {}
        for shop, gateway, sealed, until in db.execute(
            "SELECT shop, gateway, sealed, until FROM secrets ORDER BY id DESC"
        ):
            kept.setdefault((shop, gateway), []).append((vault.open(sealed, f"secret|{shop}|{gateway}"), until))
        hooks = {}
        for shop, gateway, token, sealed in db.execute("SELECT shop, gateway, token, sealed_token FROM hooks"):
            path = f"/hooks/{shop}/{gateway}/{vault.open(sealed, f'token|{shop}|{gateway}')}"
            hooks[shop, gateway, token] = Hook(shop, gateway, path, tuple(kept.get((shop, gateway), ())))
        rows = db.execute("SELECT token, id, shop FROM tills WHERE revoked_at IS NULL")
        return _Known(shops, hooks, {token: Till(till, shop) for token, till, shop in rows})
    except sqlite3.Error as error:
        raise Broken("The relay's tenants cannot be read.", str(error)) from error
    finally:
        if db.in_transaction:
            db.execute("COMMIT")
