"""The bank's counter for machines: who calls, which operation, under which key, and what goes wrong on purpose.

The one place of the HTTP layer where faults are carried out. Knows no dialect; an `Api` brings the words.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from starlette.requests import Request
from starlette.responses import Response

from pos.sandbox import faults, lifecycle
from pos.sandbox.accounts import account_of_key
from pos.sandbox.bank import Bank
from pos.sandbox.books import Books, Cause, Refusal
from pos.sandbox.connections import Connections
from pos.sandbox.dialect import Dialect, random_text
from pos.sandbox.idempotency import Asked, InFlight, InProgress, Mismatch, recall, remember
from pos.sandbox.records import Account, Fault
from pos.sandbox.spoil import answer_through
from pos.sandbox.store import Tx

BODY_LIMIT_BYTES = 256 * 1024


class ApiError(Exception):
    """An answer that is an error. `kept`: it is remembered under the key, because the work had begun."""

    def __init__(
        self, status: int, body: dict[str, Any], *, kept: bool = False, headers: Mapping[str, str] | None = None
    ) -> None:
        super().__init__(status, body)
        self.status = status
        self.body = body
        self.kept = kept
        self.headers = dict(headers or {})


@dataclass(frozen=True, slots=True)
class Call:
    """One operation, asked for. `subject` is the id in the path, `params` the decoded parameters."""

    operation: str
    account: Account
    params: dict[str, Any]
    subject: str
    fault: Fault | None

    def twist(self, kind: str) -> dict[str, Any] | None:
        """The options of the fault of this kind, if this call has met one."""
        return self.fault.more if self.fault is not None and self.fault.kind == kind else None


@dataclass(frozen=True, slots=True)
class Route:
    operation: str
    subject: str
    handle: Callable[[Books, Call], dict[str, Any]]


class Api(Protocol):
    """A gateway's way to be asked and to answer."""

    @property
    def dialect(self) -> Dialect: ...

    def claims(self, credential: str) -> bool: ...
    def credential(self, headers: Mapping[str, str]) -> str | None: ...
    def key(self, headers: Mapping[str, str], path: str) -> str | None: ...
    def is_key(self, key: str) -> bool: ...
    def decode(self, query: str, body: bytes) -> dict[str, Any]: ...
    def find(self, method: str, path: str) -> Route | None: ...
    def problem(self, name: str, **facts: Any) -> ApiError: ...
    def refused(self, refusal: Refusal) -> ApiError: ...
    def headers(self, incoming: Mapping[str, str], request_id: str, key: str | None) -> dict[str, str]: ...
    def replayed(self, original: str) -> dict[str, str]: ...


@dataclass(frozen=True, slots=True)
class Told:
    """Status and JSON text of an answer, and the request that first got it, if this is a replay."""

    status: int
    text: str
    original: str | None = None
    headers: Mapping[str, str] | None = None
    work: str | None = None  # what was done, where the answer is an error that is not kept under the key


class Front:
    """Answers the dialects' APIs. They may have paths in common: the look of the key says which is meant."""

    def __init__(self, bank: Bank, apis: Sequence[Api], connections: Connections) -> None:
        self._bank = bank
        self._apis = apis
        self._connections = connections
        self._in_flight = InFlight()

    async def answer(self, request: Request) -> Response:
        api = self._api_of(request)
        return await _Desk(self._bank, api, self._connections, self._in_flight).answer(request)

    def _api_of(self, request: Request) -> Api:
        """By the look of the key; without one that tells, by the path."""
        for api in self._apis:
            if api.claims(api.credential(request.headers) or ""):
                return api
        known = (api for api in self._apis if api.find(request.method, request.url.path))
        return next(known, self._apis[0])


class _Desk:
    """One dialect, for one request."""

    def __init__(self, bank: Bank, api: Api, connections: Connections, in_flight: InFlight) -> None:
        self._bank = bank
        self._api = api
        self._connections = connections
        self._in_flight = in_flight

    async def answer(self, request: Request) -> Response:
        request_id = "req_" + random_text(14)
        key = self._api.key(request.headers, request.url.path) if request.method == "POST" else None
        headers = self._api.headers(request.headers, request_id, key)
        try:
            response = await self._admitted(request, request_id, key)
        except ApiError as error:
            response = _error_response(error)
        for name, value in headers.items():
            response.headers.setdefault(name, value)
        return response

    async def _admitted(self, request: Request, request_id: str, key: str | None) -> Response:
        """Check the credential, then the path, then the parameters; only then may a fault be met."""
        credential = self._api.credential(request.headers)
        if not credential:
            raise self._api.problem("no_credential")
        account = await self._bank.read(lambda tx: account_of_key(tx, credential))
        if account is None or account.dialect != self._api.dialect.name:
            raise self._api.problem("wrong_credential", credential=credential)
        route = self._api.find(request.method, request.url.path)
        if route is None:
            raise self._api.problem("no_such_path", method=request.method, path=request.url.path)
        body = await _body(request)
        if body is None:
            raise self._api.problem("too_large")
        params = self._api.decode(request.url.query, body)
        fault = await self._bank.run(lambda tx: faults.take(tx, route.operation))
        call = Call(route.operation, account, params, route.subject, fault)
        asked = self._asked(request, call, key, request_id)

        async def work() -> Response:
            told = await self._bank.run(lambda tx: self._carry_out(tx, route, call, asked or Cause(request_id)))
            return _response(told, self._api)

        try:
            with self._in_flight.claim(asked):
                return await answer_through(fault, work, self._refuse, self._connections)
        except InProgress:
            raise self._api.problem("key_in_use", key=key) from None
        except Mismatch as mismatch:
            facts = {"key": key, "target": request.url.path, "other": mismatch.other_target}
            raise self._api.problem("key_reused", **facts) from None

    def _refuse(self, name: str, more: dict[str, Any]) -> Response:
        return _error_response(self._api.problem(name, **more))

    def _asked(self, request: Request, call: Call, key: str | None, request_id: str) -> Asked | None:
        if key is None:
            return None
        if not self._api.is_key(key):
            raise self._api.problem("bad_key", key=key)
        target = f"{request.method} {request.url.path}"
        parameters = json.dumps(call.params, sort_keys=True).encode()
        now = self._bank.clock()
        return Asked(call.account.id, key, target, parameters, request_id, now)

    def _carry_out(self, tx: Tx, route: Route, call: Call, asked: Asked | Cause) -> Told:
        """One transaction: recall, or work and remember. An error that is kept undoes its work, not its answer."""
        known = recall(tx, asked) if isinstance(asked, Asked) else None
        if known is not None:
            return Told(known.status, known.body, original=known.request)
        cause = Cause(asked.request, asked.key)
        tx.execute("SAVEPOINT work")
        try:
            told = self._work(tx, route, call, cause)
        except (ApiError, Refusal) as no:
            error = self._api.refused(no) if isinstance(no, Refusal) else no
            if not error.kept:
                raise error from None
            tx.execute("ROLLBACK TO work")
            told = Told(error.status, json.dumps(error.body), headers=error.headers)
        if isinstance(asked, Asked):
            remember(tx, asked, told.status if told.work is None else 200, told.work or told.text)
        return told

    def _work(self, tx: Tx, route: Route, call: Call, cause: Cause) -> Told:
        broken = call.twist("error_500")
        if broken is not None and not broken["after_work"]:
            raise self._api.problem("broken")
        books = self._bank.books(tx, call.account, cause)
        late = call.twist("rows_late")
        if late is not None:
            books.lists_until = books.clock - late["lag_s"]
        done = json.dumps(route.handle(books, call))
        arrives = call.twist("rows_arrive")
        if arrives is not None:
            lifecycle.stranger_pays(books, arrives["amount_minor"])
        if broken is not None:
            error = self._api.problem("broken")
            return Told(error.status, json.dumps(error.body), work=None if error.kept else done)
        return Told(200, done)


def _error_response(error: ApiError) -> Response:
    return Response(json.dumps(error.body), error.status, error.headers, "application/json")


def _response(told: Told, api: Api) -> Response:
    headers = dict(told.headers or {}) if told.original is None else api.replayed(told.original)
    return Response(told.text, told.status, headers, "application/json")


async def _body(request: Request) -> bytes | None:
    """The whole body, or None where it is too large."""
    parts, size = [], 0
    async for part in request.stream():
        size += len(part)
        if size > BODY_LIMIT_BYTES:
            return None
        parts.append(part)
    return b"".join(parts)
