"""The control desk: what only the person at this machine may do to the bank. Loopback and JSON only; see
docs/sandbox.md. Rules are the ledger's; here they are only asked for.
"""

from __future__ import annotations

import ipaddress
import json
from collections.abc import Callable
from dataclasses import asdict
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from pos.domain.errors import BadInput, NotAllowed, NotFound, PosError
from pos.sandbox import faults
from pos.sandbox.accounts import account, add_endpoint, disable_endpoint, open_account, rotate_secret, set_options
from pos.sandbox.bank import Bank
from pos.sandbox.books import Refusal
from pos.sandbox.drills import DRILLS
from pos.sandbox.records import Account, Delivery, Endpoint
from pos.sandbox.store import Tx

PREFIX = "/_sandbox"
BODY_LIMIT_BYTES = 64 * 1024
ROWS = 200  # of one list
Json = dict[str, Any]
Handler = Callable[[Tx, Json, dict[str, str]], Any]


class Control:
    """The handlers; each runs in one transaction."""

    def __init__(self, bank: Bank) -> None:
        self._bank = bank

    def overview(self, tx: Tx, body: Json, path: dict[str, str]) -> Json:
        tables = ("link", "payment", "refund", "dispute", "payout", "event")
        counts = {table: tx.value(f"SELECT count(*) FROM {table}") for table in tables}  # noqa: S608
        waiting = tx.value("SELECT count(*) FROM delivery WHERE state = 'pending'")
        return {"settings": asdict(self._bank.settings), "counts": counts, "deliveries_waiting": waiting}

    def set(self, tx: Tx, body: Json, path: dict[str, str]) -> Json:
        return asdict(self._bank.set(tx, **body))

    def accounts(self, tx: Tx, body: Json, path: dict[str, str]) -> list[Json]:
        return [self._shown(known) for known in tx.many(Account, "ORDER BY created LIMIT ?", ROWS)]

    def add_account(self, tx: Tx, body: Json, path: dict[str, str]) -> Json:
        key = _text(body, "key")
        dialect = self._bank.dialect_of(key)
        if body.get("dialect", dialect.name) != dialect.name:
            raise BadInput(f"This key is one of {dialect.name}.", "Leave out the dialect: the key says it.")
        name = _text(body, "name") if "name" in body else "Sandbox shop"
        of = self._account(tx, _text(body, "account"), dialect.name).id if "account" in body else ""
        return self._shown(open_account(tx, key, dialect, source="control", name=name, of=of))

    def set_account(self, tx: Tx, body: Json, path: dict[str, str]) -> Json:
        """Its name, and what its dialect lets one set for one account alone."""
        owner = self._account(tx, path["id"])
        changes = {name: value for name, value in body.items() if name != "name"}
        if "name" in body or not changes:
            owner = tx.update(owner, name=_text(body, "name"))
        return self._shown(set_options(tx, owner, self._bank.dialects[owner.dialect].account_options, changes))

    def _shown(self, owner: Account) -> Json:
        options = {**self._bank.dialects[owner.dialect].account_options, **owner.more}
        return {**asdict(owner), "options": options}

    def webhooks(self, tx: Tx, body: Json, path: dict[str, str]) -> list[Json]:
        found = tx.many(Endpoint, "WHERE enabled = 1 ORDER BY seq LIMIT ?", ROWS)
        return [_without_secret(endpoint) for endpoint in found]

    def add_webhook(self, tx: Tx, body: Json, path: dict[str, str]) -> Json:
        owner = self._account(tx, body.get("account"), body.get("dialect"))
        if body.get("dialect", owner.dialect) != owner.dialect:
            raise BadInput(f"{owner.id} speaks {owner.dialect}.", "Name an account of that dialect.")
        return _without_secret(add_endpoint(tx, owner, _text(body, "url"), _text(body, "secret"), "control"))

    def rotate_webhook(self, tx: Tx, body: Json, path: dict[str, str]) -> Json:
        return _without_secret(rotate_secret(tx, _endpoint(tx, path["id"]), _text(body, "secret")))

    def remove_webhook(self, tx: Tx, body: Json, path: dict[str, str]) -> Json:
        endpoint = _endpoint(tx, path["id"])
        disable_endpoint(tx, endpoint)
        return {"id": endpoint.id, "removed": True}

    def faults(self, tx: Tx, body: Json, path: dict[str, str]) -> list[Json]:
        return [{**asdict(fault), "options": fault.more} for fault in faults.waiting(tx)]

    def add_fault(self, tx: Tx, body: Json, path: dict[str, str]) -> Json:
        options = {name: value for name, value in body.items() if name not in ("operation", "kind", "count")}
        count = body.get("count", 1)
        if not isinstance(count, int) or isinstance(count, bool):
            raise BadInput("count must be a whole number.", "Give 1 or more.")
        fault = faults.add(tx, _text(body, "operation"), _text(body, "kind"), count, options)
        return {**asdict(fault), "options": fault.more}

    def clear_faults(self, tx: Tx, body: Json, path: dict[str, str]) -> Json:
        return {"cleared": faults.clear(tx)}

    def deliveries(self, tx: Tx, body: Json, path: dict[str, str]) -> list[Json]:
        return [_without_secret(delivery) for delivery in tx.many(Delivery, "ORDER BY seq DESC LIMIT ?", ROWS)]

    def drill(self, tx: Tx, body: Json, path: dict[str, str]) -> Any:
        """Something happens to a link, payment, refund, dispute, event, or to the whole account."""
        name = f"{path['what']}.{path['act']}"
        act = DRILLS.get(name)
        if act is None:
            raise NotFound(f"There is nothing called {name}.", f"Known: {', '.join(DRILLS)}.")
        return act(self._bank, tx, path["id"], body)

    def pay_out(self, tx: Tx, body: Json, path: dict[str, str]) -> Any:
        owner = self._account(tx, body.get("account"), body.get("dialect"))
        return DRILLS["accounts.payout"](self._bank, tx, owner.id, body)

    def _account(self, tx: Tx, account_id: object, dialect: object = None) -> Account:
        """The account named, or the first of the dialect, or the first."""
        if account_id is not None:
            return account(tx, str(account_id))
        first = tx.one(Account, "WHERE dialect = coalesce(?, dialect) ORDER BY rowid", dialect)
        if first is None:
            raise NotFound("The bank has no account.", "POST /_sandbox/accounts makes one.")
        return first


def _without_secret(record: Endpoint | Delivery) -> Json:
    return {name: value for name, value in asdict(record).items() if name != "secret"}


def _endpoint(tx: Tx, endpoint_id: str) -> Endpoint:
    endpoint = tx.one(Endpoint, "WHERE id = ?", endpoint_id)
    if endpoint is None:
        raise NotFound(f"There is no webhook endpoint {endpoint_id}.", "GET /_sandbox/webhooks lists them.")
    return endpoint


def _text(body: Json, name: str) -> str:
    value = body.get(name)
    if not isinstance(value, str) or not value:
        raise BadInput(f"{name} is missing.", "It must be a text.")
    return value


def control_routes(bank: Bank) -> list[Route]:
    control = Control(bank)
    table: list[tuple[str, str, Handler]] = [
        ("GET", "", control.overview),
        ("POST", "/settings", control.set),
        ("GET", "/accounts", control.accounts),
        ("POST", "/accounts", control.add_account),
        ("POST", "/accounts/{id}", control.set_account),
        ("GET", "/webhooks", control.webhooks),
        ("POST", "/webhooks", control.add_webhook),
        ("POST", "/webhooks/{id}", control.rotate_webhook),
        ("DELETE", "/webhooks/{id}", control.remove_webhook),
        ("GET", "/faults", control.faults),
        ("POST", "/faults", control.add_fault),
        ("DELETE", "/faults", control.clear_faults),
        ("GET", "/deliveries", control.deliveries),
        ("POST", "/payouts", control.pay_out),
        ("POST", "/{what}/{id}/{act}", control.drill),
    ]
    return [Route(PREFIX + path, _guarded(bank, handler), methods=[method]) for method, path, handler in table]


def _guarded(bank: Bank, handler: Handler) -> Callable[[Request], Any]:
    async def endpoint(request: Request) -> Response:
        try:
            _check_caller(request)
            body = await _body(request)
            made = await bank.run(lambda tx: handler(tx, body, request.path_params))
        except PosError as error:
            status = 404 if isinstance(error, NotFound) else 403 if isinstance(error, NotAllowed) else 400
            return JSONResponse({"error": str(error)}, status)
        except Refusal as no:
            return JSONResponse({"error": no.reason, **no.facts}, 409)
        return JSONResponse(made, headers={"Cache-Control": "no-store"})

    return endpoint


def _check_caller(request: Request) -> None:
    """Only this machine, and no web page that it happens to show: those cannot send this type without being asked."""
    host = request.client.host if request.client else ""
    named = request.url.hostname or ""
    if not _is_loopback(host) or not (_is_loopback(named) or named == "localhost"):
        raise NotAllowed("The control desk answers this machine only.", "Ask from it, by its loopback address.")
    if request.method == "POST" and request.headers.get("content-type", "").partition(";")[0] != "application/json":
        raise BadInput("The control desk reads application/json only.", "Set Content-Type.")


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


async def _body(request: Request) -> Json:
    if request.method != "POST":
        return {}
    raw = b""
    async for part in request.stream():
        raw += part
        if len(raw) > BODY_LIMIT_BYTES:
            raise BadInput("The body is too large.", f"At most {BODY_LIMIT_BYTES} bytes.")
    try:
        body = json.loads(raw or b"{}")
    except ValueError:
        raise BadInput("The body is not JSON.", "Send one JSON object.") from None
    if not isinstance(body, dict):
        raise BadInput("The body must be a JSON object.", "Not a list, not a text.")
    return body
