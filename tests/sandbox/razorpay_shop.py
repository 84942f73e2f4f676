"""One Razorpay account of a running sandbox: its official client, plain HTTP with the same pair, the control desk."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl, urlsplit
from uuid import uuid4

import httpx
import razorpay
import requests

from pos.sandbox import customer

Json = dict[str, Any]


@dataclass
class RazorpayShop:
    url: str
    key_id: str
    secret: str
    account: str
    client: Any
    http: httpx.Client
    session: requests.Session

    def link(self, amount_minor: int = 98_400, **more: Any) -> Json:
        """A new payment link, made by the official client."""
        made: Json = self.client.payment_link.create(link_fields(amount_minor, **more))
        return made

    def paid(self, amount_minor: int = 98_400, **more: Any) -> tuple[Json, Json]:
        """A link that a customer has paid, as it is now, and its payment."""
        link = self.link(amount_minor, **more)
        assert customer.pay(link["short_url"]).outcome == "paid"
        return self.look(link["id"])

    def look(self, link_id: str) -> tuple[Json, Json]:
        """A link and the newest payment of its order."""
        link = self.client.payment_link.fetch(link_id)
        return link, self.client.order.payments(link["order_id"])["items"][0]

    def code(self, amount_minor: int = 98_400, **more: Any) -> Json:
        made: Json = self.client.qrcode.create(code_fields(amount_minor, **more))
        return made

    def scan(self, code: Json, outcome: str = "paid") -> str:
        """A customer's own app reads a QR code; what came of it."""
        return customer.pay(code["image_content"], outcome, sandbox=self.url).outcome

    def post(self, path: str, body: Json | None = None, key: str | None = None) -> httpx.Response:
        headers = {} if key is None else {"X-Refund-Idempotency": key}
        return self.http.post(path, json=body or {}, headers=headers)

    def get(self, path: str, **params: Any) -> Any:
        return self.http.get(path, params=params).json()

    def payments(self) -> list[Json]:
        """All of the account, newest first."""
        items: list[Json] = self.client.payment.all({"count": 100})["items"]
        return items

    def control(self, path: str, body: Json | None = None, method: str = "POST") -> Any:
        kwargs: Json = {"json": body or {}} if method == "POST" else {}
        answer = httpx.request(method, f"{self.url}/_sandbox{path}", trust_env=False, **kwargs)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def set(self, **options: Any) -> None:
        self.control(f"/accounts/{self.account}", options)

    def fault(self, operation: str, kind: str, count: int = 1, **options: Any) -> None:
        self.control("/faults", {"operation": operation, "kind": kind, "count": count, **options})

    def close(self) -> None:
        self.session.close()
        self.http.close()


def link_fields(amount_minor: int = 98_400, **more: Any) -> Json:
    """What a till asks for; a field that is None is left out."""
    fields = {
        "amount": amount_minor,
        "currency": "INR",
        "reference_id": uuid4().hex,
        "description": "Order 2-01873",
        "callback_url": "http://127.0.0.1:9/done",
        "callback_method": "get",
        "notify": {"sms": False, "email": False},
        **more,
    }
    return {name: value for name, value in fields.items() if value is not None}


def code_fields(amount_minor: int = 98_400, **more: Any) -> Json:
    fields = {
        "type": "upi_qr",
        "usage": "single_use",
        "fixed_amount": True,
        "payment_amount": amount_minor,
        "name": "Order 2-01873",
        **more,
    }
    return {name: value for name, value in fields.items() if value is not None}


def official_razorpay(url: str, key_id: str, secret: str, session: requests.Session) -> Any:
    """Razorpay's own client, unmodified but for its address."""
    session.trust_env = False
    return razorpay.Client(session=session, auth=(key_id, secret), base_url=url)


def open_razorpay_shop(url: str, key_id: str, secret: str) -> RazorpayShop:
    body = {"key": f"{key_id}:{secret}", "name": "Corner Café"}
    made = httpx.post(f"{url}/_sandbox/accounts", json=body, trust_env=False).json()
    return known_razorpay_shop(url, key_id, secret, made["id"])


def known_razorpay_shop(url: str, key_id: str, secret: str, account: str = "") -> RazorpayShop:
    """A shop whose pair the bank knows from its command line."""
    session = requests.Session()
    http = httpx.Client(base_url=url, auth=(key_id, secret), trust_env=False)
    return RazorpayShop(url, key_id, secret, account, official_razorpay(url, key_id, secret, session), http, session)


def callback_of(location: str | None) -> dict[str, str]:
    """The query that the customer's browser brings to the shop."""
    return dict(parse_qsl(urlsplit(location or "").query))


def for_the_clients_check(query: dict[str, str]) -> dict[str, str]:
    """The official client reads the callback's fields under names without their prefix, all but two."""
    return {
        "razorpay_payment_id": query["razorpay_payment_id"],
        "payment_link_id": query["razorpay_payment_link_id"],
        "payment_link_reference_id": query["razorpay_payment_link_reference_id"],
        "payment_link_status": query["razorpay_payment_link_status"],
        "razorpay_signature": query["razorpay_signature"],
    }
