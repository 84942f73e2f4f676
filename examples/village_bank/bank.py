"""The Village Bank itself, small and in memory: what the contract is run against. Standard library only.

With a real gateway this file would be its test account. `Bank.misbehave` makes the next answer go wrong.
By itself (`python bank.py`) it prints its address and serves until it is stopped; a link's page has two buttons.
"""

from __future__ import annotations

import json
import secrets
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, ClassVar
from urllib.parse import parse_qsl, urlsplit

KEY = "village_test_key"
PAGE_ROWS = 20
Json = dict[str, Any]


class No(Exception):
    """The bank refuses."""

    def __init__(self, status: int, error: str, why: str) -> None:
        super().__init__(why)
        self.status = status
        self.body = {"error": error, "why": why}


class Bank:
    """All that the bank knows; one lock for everything."""

    def __init__(self) -> None:
        self.lock = threading.RLock()
        self.requests: dict[str, Json] = {}
        self.payments: dict[str, Json] = {}
        self.refunds: dict[str, Json] = {}
        self.answered: dict[str, tuple[bytes, Json]] = {}
        self.next_fault = ""
        self.url = ""

    def misbehave(self, what: str) -> None:
        with self.lock:
            self.next_fault = what

    def pay(self, page: str, does: str) -> None:
        """A customer on the hosted page."""
        with self.lock:
            request = self.requests[page.rpartition("/")[2]]
            if request["state"] != "open":
                return
            state = "taken" if does == "paid" else "failed"
            payment = _new("pay", request=request["id"], state=state, refunds=[])
            payment |= {name: request[name] for name in ("reference", "cents", "currency")}
            self.payments[payment["id"]] = payment
            request["payments"].append(payment)
            if state == "taken":
                request["state"] = "paid"

    def handle(self, method: str, path: str, query: Json, body: bytes, key: str) -> Json:
        if key and key in self.answered:
            before, answer = self.answered[key]
            if before != body:
                raise No(400, "key_reused", "This key was used for something else.")
            return answer
        parts = path.strip("/").split("/")
        answer = self._answer(method, parts, query, json.loads(body) if body else {})
        if key:
            self.answered[key] = (body, json.loads(json.dumps(answer)))
        return answer

    def _answer(self, method: str, parts: list[str], query: Json, body: Json) -> Json:
        match method, parts:
            case "GET", ["me"]:
                return {"account": "acc-1", "name": "Village shop"}
            case "POST", ["requests"]:
                return self._ask(body)
            case "GET", ["requests"]:
                found = [each for each in self.requests.values() if each["reference"] == query["reference"]]
                return {"requests": found}
            case "GET", [("requests" | "payments" | "refunds") as what, thing]:
                return _known(getattr(self, what), thing)
            case "POST", ["requests", thing, "close"]:
                return self._close(_known(self.requests, thing))
            case "POST", ["payments", thing, "refunds"]:
                return self._give_back(_known(self.payments, thing), body)
            case "GET", [("payments" | "refunds") as what]:
                return self._list(what, query)
        raise No(404, "not_found", "There is nothing here.")

    def _ask(self, body: Json) -> Json:
        made = _new("req", state="open", payments=[], **body)
        made["page"] = f"{self.url}/page/{made['id']}"
        self.requests[made["id"]] = made
        return made

    def _close(self, request: Json) -> Json:
        if request["state"] != "open":
            raise No(409, "not_open", f"It is {request['state']}.")
        request["state"] = "gone"
        return request

    def _give_back(self, payment: Json, body: Json) -> Json:
        given = sum(refund["cents"] for refund in payment["refunds"])
        if payment["state"] != "taken" or given + body["cents"] > payment["cents"]:
            raise No(400, "refused", "That is more than is left of it.")
        made = _new("ref", payment=payment["id"], currency=payment["currency"], state="sent", **body)
        self.refunds[made["id"]] = made
        payment["refunds"].append(made)
        return made

    def _list(self, what: str, query: Json) -> Json:
        rows = [row for row in getattr(self, what).values() if int(query["from"]) <= row["at"] <= int(query["to"])]
        ids = [row["id"] for row in rows]
        start = ids.index(query["after"]) + 1 if "after" in query else 0
        page = rows[start : start + PAGE_ROWS]
        more = start + PAGE_ROWS < len(rows)
        return {what: page, "next": page[-1]["id"] if more else None}


def _new(kind: str, **values: Any) -> Json:
    return {"id": f"{kind}_{secrets.token_hex(8)}", "at": int(time.time()), **values}


def _known(things: dict[str, Json], name: str) -> Json:
    if name not in things:
        raise No(404, "not_found", "There is no such thing.")
    return things[name]


class Handler(BaseHTTPRequestHandler):
    bank: ClassVar[Bank]
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        self._serve("GET")

    def do_POST(self) -> None:
        self._serve("POST")

    def log_message(self, format: str, *args: Any) -> None:
        """Quiet."""

    def _serve(self, method: str) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        parts = urlsplit(self.path)
        if parts.path.startswith("/page/"):
            self._show(method, parts.path, dict(parse_qsl(body.decode("ascii", "replace"))))
            return
        with self.bank.lock:
            fault, self.bank.next_fault = self.bank.next_fault, ""
            status, answer = 200, Json()
            if fault not in ("busy", "error"):
                status, answer = self._told(method, parts.path, dict(parse_qsl(parts.query)), body)
        self._send(fault, status, json.dumps(answer).encode())

    def _show(self, method: str, page: str, form: Json) -> None:
        """The hosted page, and what a customer does there."""
        with self.bank.lock:
            request = self.bank.requests.get(page.rpartition("/")[2])
            if request is not None and method == "POST":
                self.bank.pay(page, form.get("does", "declined"))
            shown = PAGE.format(**request) if request else "There is no such request for money."
        self._send("", 200 if request else 404, shown.encode(), "text/html; charset=utf-8")

    def _told(self, method: str, path: str, query: Json, body: bytes) -> tuple[int, Json]:
        try:
            if self.headers.get("Authorization") != f"Bearer {KEY}":
                raise No(401, "no_key", "This key is not known.")
            return 200, self.bank.handle(method, path, query, body, self.headers.get("Idempotency-Key", ""))
        except No as no:
            return no.status, no.body

    def _send(self, fault: str, status: int, body: bytes, kind: str = "application/json") -> None:
        if fault == "dropped":
            self.close_connection = True
            return
        status = {"busy": 429, "error": 500}.get(fault, status)
        body = b"<html>Bad gateway</html>" if fault == "html" else body[:20] if fault == "truncated" else body
        self.send_response(status)
        if fault == "busy":
            self.send_header("Retry-After", "1")
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


PAGE = """<!doctype html><title>Village Bank</title><p>{cents} cents in {currency}, {state}.</p>
<form method="post"><button name="does" value="paid">Pay</button>
<button name="does" value="declined">Be declined</button></form>
"""


@contextmanager
def running() -> Iterator[Bank]:
    """The bank on a free port of this machine."""
    bank = Bank()
    server = ThreadingHTTPServer(("127.0.0.1", 0), type("Counter", (Handler,), {"bank": bank}))
    server.daemon_threads = True
    bank.url = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield bank
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def main() -> None:
    """Serve, and say where: `ready` and the address, as `pos sandbox serve` does."""
    with running() as bank:
        print(f"ready {bank.url}", flush=True)
        try:
            threading.Event().wait()
        except KeyboardInterrupt:
            print("stopped")


if __name__ == "__main__":
    main()
