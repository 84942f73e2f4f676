"""A real sandbox process per test worker, and a shop with a key of its own for each test."""

from __future__ import annotations

import contextlib
import http.server
import json
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import pytest
import stripe

from pos.sandbox import customer
from tests.processes import ROOT, Served, serve
from tests.sandbox.razorpay_shop import RazorpayShop, open_razorpay_shop

JUDGES = ROOT / "out" / "judges"
SOON_S = 10.0
DEFAULTS = {
    "pending_s": 40.0,
    "clock_offset_s": 0.0,
    "available_after_s": 0,
    "fee_per_mille": 29,
    "fee_fixed_minor": 30,
}
Json = dict[str, Any]


def eventually(what: Callable[[], Any], within_s: float = SOON_S) -> Any:
    """The first true answer of `what`. Fails the test when there is none in time."""
    ends = time.monotonic() + within_s
    while True:
        found = what()
        if found:
            return found
        if time.monotonic() > ends:
            raise AssertionError(f"not within {within_s} s")
        threading.Event().wait(0.02)  # between two looks at another process: it cannot wake us


def at_once(act: Callable[[], None], times: int = 10) -> None:
    """Run `act` in threads of its own, and wait for all of them."""
    threads = [threading.Thread(target=act) for _ in range(times)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)


@dataclass
class Shop:
    """One account of a running sandbox: Stripe's own client, plain HTTP with the same key, and the control desk."""

    url: str
    key: str
    account: str
    stripe: stripe.StripeClient
    http: httpx.Client

    def session(self, amount_minor: int = 98400, currency: str = "inr", **more: Any) -> Any:
        """A new Checkout Session, made by the official client."""
        return self.stripe.v1.checkout.sessions.create(session_params(amount_minor, currency, **more))

    def paid(self, amount_minor: int = 98400, **more: Any) -> Any:
        """A session that a customer has paid, as it is now, with its charge."""
        session = self.session(amount_minor, **more)
        assert customer.pay(session.url).outcome == "paid"
        return self.look(session.id)

    def look(self, session_id: str) -> Any:
        return self.stripe.v1.checkout.sessions.retrieve(session_id, {"expand": ["payment_intent.latest_charge"]})

    def post(self, path: str, data: Json | None = None, key: str | None = None) -> httpx.Response:
        headers = {} if key is None else {"Idempotency-Key": key}
        return self.http.post(path, data=data or {}, headers=headers)

    def control(self, path: str, body: Json | None = None, method: str = "POST") -> Any:
        kwargs: Json = {"json": body or {}} if method == "POST" else {}
        answer = httpx.request(method, f"{self.url}/_sandbox{path}", trust_env=False, **kwargs)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def fault(self, operation: str, kind: str, count: int = 1, **options: Any) -> None:
        self.control("/faults", {"operation": operation, "kind": kind, "count": count, **options})


def session_params(amount_minor: int = 98400, currency: str = "inr", **more: Any) -> Json:
    price = {"currency": currency, "unit_amount": amount_minor, "product_data": {"name": "Order 2-01873"}}
    return {
        "mode": "payment",
        "line_items": [{"price_data": price, "quantity": 1}],
        "success_url": "http://127.0.0.1:9/done?session={CHECKOUT_SESSION_ID}",
        "cancel_url": "http://127.0.0.1:9/left",
        **more,
    }


def form(amount_minor: int = 98400, **more: Any) -> Json:
    """The same, as Stripe's form fields, for requests that the official client would not make."""
    price = "line_items[0][price_data]"
    fields = {
        "mode": "payment",
        f"{price}[currency]": "inr",
        f"{price}[unit_amount]": amount_minor,
        f"{price}[product_data][name]": "Order 2-01873",
        "line_items[0][quantity]": 1,
        "success_url": "http://127.0.0.1:9/done",
        **more,
    }
    return {name: value for name, value in fields.items() if value is not None}


@pytest.fixture(scope="session")
def sandbox_log(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("bank") / "requests.jsonl"


@pytest.fixture(scope="session")
def sandbox(tmp_path_factory: pytest.TempPathFactory, sandbox_log: Path) -> Iterator[Served]:
    folder = tmp_path_factory.mktemp("bank-data")
    with serve(["sandbox", "serve", "--data", str(folder), "--log", str(sandbox_log)]) as served:
        yield served


_OPEN: list[stripe.RequestsClient] = []


def official(url: str, key: str, retries: int = 0) -> stripe.StripeClient:
    """Stripe's own client, unmodified but for its address. Its connections are closed at the end of the test."""
    transport = stripe.RequestsClient()
    _OPEN.append(transport)
    return stripe.StripeClient(key, base_addresses={"api": url}, max_network_retries=retries, http_client=transport)


def open_shop(url: str, key: str) -> Shop:
    made = httpx.post(f"{url}/_sandbox/accounts", json={"key": key, "name": "Corner Café"}, trust_env=False).json()
    return known_shop(url, key, made["id"])


def known_shop(url: str, key: str, account: str = "") -> Shop:
    """A shop whose key the bank knows from its command line."""
    return Shop(url, key, account, official(url, key), httpx.Client(base_url=url, auth=(key, ""), trust_env=False))


@pytest.fixture
def shop(sandbox: Served) -> Iterator[Shop]:
    opened = open_shop(sandbox.url, f"sk_test_{uuid4().hex}")
    yield opened
    clear_desk(opened.control)
    opened.http.close()
    while _OPEN:
        _OPEN.pop().close()


@pytest.fixture
def judge(shop: Shop, sandbox_log: Path, request: pytest.FixtureRequest) -> Iterator[Shop]:
    """The shop, judged by Stripe's own client: its requests are written to out/judges, and there must be some."""
    before = sandbox_log.stat().st_size
    yield shop
    keep_requests(sandbox_log, before, "Stripe/", f"stripe-{request.node.name}")


def keep_requests(log_path: Path, since: int, agent: str, name: str) -> None:
    """What the official client asked for, one line each, beside the other judges' papers."""
    with log_path.open() as log:
        log.seek(since)
        lines = [line for line in log if json.loads(line)["agent"].startswith(agent)]
    assert lines, "the official client sent no request"
    JUDGES.mkdir(parents=True, exist_ok=True)
    (JUDGES / f"{name[:87].replace('/', '_')}.jsonl").write_text("".join(lines))


def clear_desk(control: Callable[..., Any]) -> None:
    """What one test asked of the bank is no business of the next."""
    control("/faults", method="DELETE")
    control("/settings", DEFAULTS)
    for endpoint in control("/webhooks", method="GET"):
        control(f"/webhooks/{endpoint['id']}", method="DELETE")


@pytest.fixture
def rzp(sandbox: Served) -> Iterator[RazorpayShop]:
    """A shop with a key pair of its own."""
    opened = open_razorpay_shop(sandbox.url, f"rzp_test_{uuid4().hex[:14]}", "s3cret_of_the_key")
    yield opened
    clear_desk(opened.control)
    opened.close()


@pytest.fixture
def rzp_judge(rzp: RazorpayShop, sandbox_log: Path, request: pytest.FixtureRequest) -> Iterator[RazorpayShop]:
    """The shop, judged by Razorpay's own client: its requests are written to out/judges, and there must be some."""
    before = sandbox_log.stat().st_size
    yield rzp
    keep_requests(sandbox_log, before, "Razorpay-Python/", f"razorpay-{request.node.name}")


@pytest.fixture
def rzp_inbox(rzp: RazorpayShop) -> Iterator[Inbox]:
    with opened_inbox(rzp.control, rzp.account, "event") as box:
        yield box


@dataclass
class Inbox:
    """A webhook endpoint of a shop: what arrived, and what it answers (200 when nothing else was laid out)."""

    url: str
    secret: str = "whsec_sandbox_test"
    word: str = "type"  # what an event's type is called
    arrived: list[tuple[dict[str, str], bytes]] = field(default_factory=list)
    answers: list[int] = field(default_factory=list)

    news: threading.Condition = field(default_factory=threading.Condition)

    def wait(self, enough: Callable[[], bool], within_s: float = SOON_S) -> None:
        """Until `enough` of what arrived."""
        with self.news:
            assert self.news.wait_for(enough, within_s), f"arrived: {self.types()}"

    def events(self) -> list[Json]:
        return [json.loads(body) for _, body in self.arrived]

    def types(self) -> list[str]:
        return [event[self.word] for event in self.events()]


@pytest.fixture
def inbox(shop: Shop) -> Iterator[Inbox]:
    with opened_inbox(shop.control, shop.account, "type") as box:
        yield box


@contextlib.contextmanager
def opened_inbox(control: Callable[..., Any], account: str, word: str) -> Iterator[Inbox]:
    """An endpoint that is registered for the shop."""
    box = Inbox("", word=word)

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            status = box.answers.pop(0) if box.answers else 200
            self.send_response(status)
            self.end_headers()
            with box.news:
                box.arrived.append((dict(self.headers.items()), body))
                box.news.notify_all()

        def log_message(self, *args: Any) -> None:
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    box.url = f"http://127.0.0.1:{server.server_address[1]}/hooks"
    control("/webhooks", {"url": box.url, "secret": box.secret, "account": account})
    yield box
    server.shutdown()
    server.server_close()
