"""Who may come in: accounts, the keys that open them, and the endpoints that are told of events."""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from pos.domain.errors import BadInput, NotFound
from pos.sandbox.dialect import Dialect, random_text
from pos.sandbox.records import Account, Endpoint
from pos.sandbox.store import Tx

DEFAULT_KEY = "sk_test_sandbox"  # well known on purpose: these open nothing but a sandbox
DEFAULT_PAIR = "rzp_test_sandbox:sandbox_secret"
DEFAULT_KEYS = (DEFAULT_KEY, DEFAULT_PAIR)
FIRST_ACCOUNTS = {"sk_test_sandbox": "acct_sandbox", "rzp_test_sandbox": "acc_sandbox"}


def _digest(key: str) -> str:
    return hashlib.sha256(key.encode()).hexdigest()


def open_account(
    tx: Tx, key: str, dialect: Dialect, *, source: str, name: str = "Sandbox shop", of: str = ""
) -> Account:
    """The account behind `key`, made if it is new. A well-known key has a well-known account.

    Of a key pair, the public part says whose it is: another secret for it replaces the old one. `of`: one more key of
    this account, as a shop makes one to replace the first.
    """
    public = dialect.key_name(key) or key
    account_id = of or FIRST_ACCOUNTS.get(public) or f"{dialect.account_prefix}_{_digest(public)[:16]}"
    known = tx.one(Account, "WHERE id = ?", account_id)
    if known is None:
        tx.insert("account", {"id": account_id, "dialect": dialect.name, "name": name, "created": int(time.time())})
    pair = {} if public == key else {"name": public, "secret": key[len(public) + 1 :]}
    tx.execute("DELETE FROM api_key WHERE digest = ? OR name = ?", _digest(key), public)
    tx.insert("api_key", {"digest": _digest(key), "account": account_id, "source": source, **pair})
    return account(tx, account_id)


def signing_secret(tx: Tx, account_id: str) -> str:
    """The secret of the account's newest key pair; empty where it has none any more."""
    newest = "SELECT secret FROM api_key WHERE account = ? AND secret IS NOT NULL ORDER BY rowid DESC"
    return str(tx.value(newest, account_id) or "")


def check_value(like: Mapping[str, Any], name: str, value: Any) -> None:
    """Of the same type as what holds otherwise, and not below zero.

    Raises:
        BadInput: an unknown name, or a value that cannot be.
    """
    if name not in like:
        raise BadInput(f"There is no setting {name!r}.", f"Known: {', '.join(like) or 'none'}.")
    usual = like[name]
    wanted = (int, float) if isinstance(usual, float) else type(usual)
    if isinstance(value, bool) != isinstance(usual, bool) or not isinstance(value, wanted):
        raise BadInput(f"{name} cannot be {value!r}.", f"It is like {json.dumps(usual)}.")
    if isinstance(value, int | float) and value < 0 and name != "clock_offset_s":
        raise BadInput(f"{name} cannot be below zero.", "Give zero or more.")


def set_options(tx: Tx, owner: Account, known: Mapping[str, Any], changes: Mapping[str, Any]) -> Account:
    """Change what holds for one account, for good.

    Raises:
        BadInput: see `check_value`.
    """
    for name, value in changes.items():
        check_value(known, name, value)
    return tx.update(owner, options=json.dumps({**owner.more, **changes}))


def account(tx: Tx, account_id: str) -> Account:
    """Raises NotFound."""
    found = tx.one(Account, "WHERE id = ?", account_id)
    if found is None:
        raise NotFound(f"There is no account {account_id}.", "GET /_sandbox/accounts lists them.")
    return found


def account_of_key(tx: Tx, key: str) -> Account | None:
    return tx.one(Account, "WHERE id = (SELECT account FROM api_key WHERE digest = ?)", _digest(key))


def forget_keys(tx: Tx, source: str) -> None:
    tx.execute("DELETE FROM api_key WHERE source = ?", source)


def add_endpoint(tx: Tx, owner: Account, url: str, secret: str, source: str) -> Endpoint:
    """Tell `url` of the account's events, signed with `secret`.

    Raises:
        BadInput: not an address, or no secret.
    """
    if not url.startswith(("http://", "https://")) or not secret:
        raise BadInput("A webhook endpoint needs an http(s) address and a secret.", "Give both.")
    new_id = "we_" + random_text(16)
    values = {"id": new_id, "account": owner.id, "created": int(time.time()), "url": url}
    tx.insert("endpoint", {**values, "secret": secret, "source": source, "enabled": 1})
    made = tx.one(Endpoint, "WHERE id = ?", new_id)
    assert made is not None
    return made


def rotate_secret(tx: Tx, endpoint: Endpoint, secret: str) -> Endpoint:
    """What happens from now on is signed with `secret`; whether older events are too is the dialect's affair.

    Raises:
        BadInput: no secret.
    """
    if not secret:
        raise BadInput("A webhook endpoint needs a secret.", "Give the new one.")
    return tx.update(endpoint, secret=secret)


def disable_endpoint(tx: Tx, endpoint: Endpoint) -> None:
    """It is told of nothing more, also not of what was on its way."""
    tx.update(endpoint, enabled=0)
    tx.execute("UPDATE delivery SET state = 'given_up' WHERE state = 'pending' AND endpoint = ?", endpoint.id)


@dataclass(frozen=True, slots=True)
class Hook:
    """An endpoint as the command line names it. No dialect: it is for the first account."""

    url: str
    secret: str
    dialect: str | None = None


def replace_endpoints(tx: Tx, wanted: Iterable[tuple[Account, Hook]]) -> None:
    """The endpoints of the command line; those that an earlier command line named get nothing more."""
    new = {(owner.id, hook.url, hook.secret): (owner, hook) for owner, hook in wanted}
    for old in tx.many(Endpoint, "WHERE source = 'cli' AND enabled = 1"):
        if new.pop((old.account, old.url, old.secret), None) is None:
            disable_endpoint(tx, old)
    for owner, hook in new.values():
        add_endpoint(tx, owner, hook.url, hook.secret, "cli")
