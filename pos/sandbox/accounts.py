"""Who may come in: accounts, the keys that open them, and the endpoints that are told of events."""

from __future__ import annotations

import hashlib
import time

from pos.domain.errors import BadInput, NotFound
from pos.sandbox.dialect import random_text
from pos.sandbox.records import Account, Endpoint
from pos.sandbox.store import Tx

DEFAULT_KEY = "sk_test_sandbox"  # well known on purpose: it opens nothing but a sandbox
FIRST_ACCOUNT = "acct_sandbox"


def _digest(key: str) -> str:
    return hashlib.sha256(key.encode()).hexdigest()


def open_account(tx: Tx, key: str, dialect: str, *, source: str, name: str = "Sandbox shop") -> Account:
    """The account behind `key`, made if it is new. The well-known key has a well-known account."""
    account_id = FIRST_ACCOUNT if key == DEFAULT_KEY else "acct_" + _digest(key)[:16]
    known = tx.one(Account, "WHERE id = ?", account_id)
    if known is None:
        tx.insert("account", {"id": account_id, "dialect": dialect, "name": name, "created": int(time.time())})
    tx.execute("DELETE FROM api_key WHERE digest = ?", _digest(key))
    tx.insert("api_key", {"digest": _digest(key), "account": account_id, "source": source})
    return account(tx, account_id)


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


def disable_endpoint(tx: Tx, endpoint: Endpoint) -> None:
    """It is told of nothing more, also not of what was on its way."""
    tx.update(endpoint, enabled=0)
    tx.execute("UPDATE delivery SET state = 'given_up' WHERE state = 'pending' AND endpoint = ?", endpoint.id)


def replace_endpoint(tx: Tx, owner: Account, url: str, secret: str) -> None:
    """The endpoint of the command line; one that an earlier command line named gets nothing more."""
    for old in tx.many(Endpoint, "WHERE source = 'cli' AND enabled = 1"):
        if (old.account, old.url, old.secret) == (owner.id, url, secret):
            return
        disable_endpoint(tx, old)
    add_endpoint(tx, owner, url, secret, "cli")
