"""What strangers type, and what the world does: one clear line, the right exit status, nothing half-written."""

from __future__ import annotations

import http.server
import json
import threading
import uuid
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

import httpx
import pytest

from tests.journeys.conftest import GATEWAYS, Street, Town, open_street


@pytest.mark.parametrize(
    ("words", "status", "says"),
    [
        (["sell", "--cash", "10"], 2, "basket is empty"),
        (["sell", "--line", "TEA=0", "--cash", "100"], 2, "quantity is zero"),
        (["sell", "--line", "TEA=-1", "--cash", "100"], 2, "not a quantity"),
        (["sell", "--line", "TEA=1.2345", "--cash", "100"], 2, "too many decimals"),
        (["sell", "--line", "NOPE", "--cash", "100"], 2, "No product"),
        (["sell", "--line", "TEA", "--cash", "12.345"], 2, "too many decimals"),
        (["sell", "--line", "TEA", "--cash", "1e5"], 2, "not an amount"),
        (["sell", "--line", "TEA", "--cash", "1"], 2, "less than"),
        (["sell", "--line", "TEA"], 2, "how it is paid"),
        (["sell", "--line", "TEA", "--qr", "nobody"], 2, "no gateway"),
        (["pay", "9-99999", "--qr", "stripe"], 2, "no order"),
        (["order", "x"], 2, "no order"),
        (["orders", "--status", "weird"], 2, "weird"),
        (["refund", "1-00001", "--reason", "x"], 2, "no order"),
        (["sync"], 2, "how long"),
        (["reconcile", "--gateway", "stripe", "--from", "yesterday", "--to", "today"], 2, "not a time"),
        (["day", "show", "2001-01-01"], 2, "not closed"),
        (["nonsense"], 2, "No such command"),
        (["secrets", "set", "x y"], 2, ""),
    ],
)
def test_bad_input_is_one_clear_line_and_status_2(quiet: Street, words: list[str], status: int, says: str) -> None:
    done = quiet.pos(*words)
    assert (done.status, says in done.err) == (status, True), done.err
    assert "Traceback" not in done.err
    assert quiet.order_count() == 0


class Stranger:
    """A server that gives one answer to everything but what `bank` is let answer, and what it was asked."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.paths: list[str] = []


@contextmanager
def answering(status: int, body: bytes, kind: str, bank: str = "", **headers: str) -> Iterator[Stranger]:
    """With `bank`, an introduction is answered as the bank there does; after it comes nonsense."""

    class Always(http.server.BaseHTTPRequestHandler):
        def answer(self) -> None:
            self.rfile.read(int(self.headers.get("content-length") or 0))
            if bank and self.command == "GET" and self.path in INTRODUCTIONS:
                login = {"Authorization": self.headers["Authorization"]}
                said = httpx.get(bank + self.path, headers=login, timeout=10, trust_env=False)
                self.say(said.status_code, said.content, JSON, {})
                return
            stranger.paths.append(self.path)
            self.say(status, body, kind, headers)

        def say(self, status: int, body: bytes, kind: str, headers: dict[str, str]) -> None:
            self.send_response(status)
            self.send_header("content-type", kind)
            self.send_header("content-length", str(len(body)))
            for name, value in headers.items():
                self.send_header(name.replace("_", "-"), value)
            self.end_headers()
            self.wfile.write(body)

        do_GET = do_POST = answer

        def log_message(self, *_: object) -> None:
            return

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Always)
    stranger = Stranger(f"http://127.0.0.1:{server.server_port}")
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield stranger
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


INTRODUCTIONS = ("/v1/account", "/v1/payments?count=1")


@contextmanager
def pointed_at(street: Street, url: str) -> Iterator[None]:
    """Every gateway of the shop is at this address for a while."""
    path = street.home / "settings.toml"
    before = path.read_text(encoding="utf-8")
    path.write_text(before.replace(street.bank.url, url), encoding="utf-8")
    try:
        yield
    finally:
        path.write_text(before, encoding="utf-8")


def a_session(**changed: str) -> bytes:
    """What Stripe says a link is, but for a word."""
    return json.dumps({"id": "cs_test_1", "object": "checkout.session", "status": "open"} | changed).encode()


def a_link(**changed: str) -> bytes:
    """What Razorpay says a link is, but for a word."""
    said = {"id": "plink_1", "entity": "payment_link", "status": "created", "amount": 6000, "currency": "INR"}
    return json.dumps(said | {"short_url": "https://rzp.io/i/x"} | changed).encode()


def error(**said: str) -> bytes:
    return json.dumps({"error": said}).encode()


JSON, HTML = "application/json", "text/html"
Answer = tuple[int, bytes, str, dict[str, str], int]
NONSENSE: list[Answer] = [
    (503, b"<html>Bad gateway</html>", HTML, {}, 3),
    (200, b"<html>Welcome to the hotel wifi</html>", HTML, {}, 3),
    (200, b"", JSON, {}, 3),
    (200, b"null", JSON, {}, 3),
    (302, b"", HTML, {"Location": "http://127.0.0.1:9/login"}, 3),
    (403, b"<html>Blocked by your organisation</html>", HTML, {}, 3),
]
OF_STRIPE: list[Answer] = [
    (500, error(type="api_error"), JSON, {}, 3),
    (429, error(type="rate_limit"), JSON, {"Retry_After": "0"}, 3),
    (200, b'{"id": "cs_test_1", "obj', JSON, {}, 3),
    (200, a_session(status="teleported"), JSON, {}, 3),
    (401, error(type="invalid_request_error", message="No such key"), JSON, {}, 1),
]
OF_RAZORPAY: list[Answer] = [
    (500, error(code="SERVER_ERROR", description="We are facing some trouble"), JSON, {}, 3),
    (502, error(code="GATEWAY_ERROR", description="Payment processing failed"), JSON, {}, 3),
    (429, error(code="BAD_REQUEST_ERROR", description="Request failed. Please try after sometime"), JSON, {}, 3),
    (400, error(code="GATEWAY_ERROR", description="Nobody knows"), JSON, {}, 3),
    (200, b'{"id": "plink_1", "ent', JSON, {}, 3),
    (200, a_link(status="teleported"), JSON, {}, 3),
    (200, a_link(reference_id="somebody-elses"), JSON, {}, 3),
    (200, a_link(short_url="https://rzp.io.evil.example/x"), JSON, {}, 3),
    (400, error(code="BAD_REQUEST_ERROR", description="amount exceeds maximum amount allowed"), JSON, {}, 1),
    (401, error(code="BAD_REQUEST_ERROR", description="Authentication failed"), JSON, {}, 1),
]


@pytest.fixture(scope="module")
def patient(town: Town, tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Street]]:
    """A shop per gateway, in which many orders meet many bad answers."""
    with ExitStack() as stack:
        shops = {name: stack.enter_context(open_street(town, name, tmp_path_factory.mktemp(name))) for name in GATEWAYS}
        yield shops
        for shop in shops.values():
            shop.assert_books()


def nonsense_is_unknown(street: Street, answer: Answer) -> None:
    """The order is kept, unpaid, without a code, whatever was said: one line tells how it stands."""
    status, body, kind, headers, ends = answer
    key = str(uuid.uuid4())
    with answering(status, body, kind, street.bank.url, **headers) as stranger, pointed_at(street, stranger.url):
        done = street.pos("sell", "--line", "TEA", "--qr", street.gateway, "--key", key)
    assert stranger.paths  # more than the introduction came to pass
    assert (done.status, len(done.err.splitlines())) == (ends, 1), (done.out, done.err)
    order = street.order(key)
    assert (order["money"], order["captured_minor"]) == ("unpaid", 0)
    assert not (order["attempt"] or {}).get("qr_text")


@pytest.mark.parametrize("answer", NONSENSE)
def test_whatever_stands_between_us_and_the_gateway_is_unknown(
    patient: dict[str, Street], gateway: str, answer: Answer
) -> None:
    nonsense_is_unknown(patient[gateway], answer)


@pytest.mark.parametrize("answer", OF_STRIPE)
def test_stripe_talking_nonsense_is_unknown_and_the_order_is_kept(patient: dict[str, Street], answer: Answer) -> None:
    nonsense_is_unknown(patient["stripe"], answer)


@pytest.mark.parametrize("answer", OF_RAZORPAY)
def test_razorpay_talking_nonsense_is_unknown_and_the_order_is_kept(patient: dict[str, Street], answer: Answer) -> None:
    nonsense_is_unknown(patient["razorpay"], answer)


def test_a_gateway_that_was_never_met_and_talks_nonsense(street: Street) -> None:
    """Before the first sale it is not even known whose account it is."""
    portal = b"<html>Welcome to the hotel wifi</html>"
    with answering(200, portal, HTML) as stranger, pointed_at(street, stranger.url):
        done = street.pos("sell", "--line", "TEA", "--qr", street.gateway, "--key", "k")
    assert (done.status, "did not say which account this is" in done.err) == (3, True), done.err
    assert street.order("k")["money"] == "unpaid"


def test_nobody_there_is_status_4_and_cash_still_works(fragile: Street) -> None:
    street = fragile
    street.bank.served.stop()
    done = street.pos("sell", "--line", "TEA", "--qr", street.gateway, "--key", "k")
    assert (done.status, "cannot be reached" in done.err) == (4, True)
    assert street.order("k")["money"] == "unpaid"
    assert street.sell("--line", "TEA", "--cash", "60")["money"] == "paid"
    street.assert_books()


def test_settings_with_an_unknown_key_name_the_line(street: Street) -> None:
    path = street.home / "settings.toml"
    path.write_text(path.read_text() + '[till]\nid = "1"\ncolour = "red"\n', encoding="utf-8")
    done = street.pos("orders")
    line = len(path.read_text().splitlines())
    assert (done.status, f"line {line}" in done.err) == (2, True), done.err


LIVE = {
    "stripe": [{"SECRET_KEY": "sk_live_aaaaaaaaaaaaaaaaaaaaaaaa"}, {"SECRET_KEY": "rk_live_aaaaaaaaaaaaaaaaaaaaaaaa"}],
    "razorpay": [{"KEY_ID": "rzp_live_aaaaaaaaaaaaaa", "SECRET_KEY": "a" * 24}, {"KEY_ID": "rzp_live_bbbbbbbbbbbbbb"}],
}


def live_keys(gateway: str, case: int) -> dict[str, str]:
    return {f"POS_SECRET_GATEWAYS_{gateway.upper()}_{name}": key for name, key in LIVE[gateway][case].items()}


@pytest.mark.parametrize("case", [0, 1])
def test_a_live_key_is_never_sent_to_a_foreign_address(street: Street, case: int) -> None:
    """Nothing leaves at all: not for a sale, not in the background, not to see whether the key is good."""
    street.asks("CAKE", "--key", "k")
    keys = live_keys(street.gateway, case)
    keys[f"POS_SECRET_GATEWAYS_{street.other.upper()}_SECRET_KEY"] = ""
    with answering(200, b"{}", JSON) as stranger, pointed_at(street, stranger.url):
        sold = street.pos("sell", "--line", "TEA", "--qr", street.gateway, **keys)
        others = [street.pos(*words, **keys) for words in (["pay", "k", "--qr", street.gateway], ["doctor"])]
        others.append(street.pos("sync", "--once", **keys))
    assert stranger.paths == []
    assert (sold.status, "is for real money, but the mode is test" in sold.err) == (2, True), (sold.out, sold.err)
    for said in (sold, *others):
        assert not [key for key in keys.values() if key and key in said.err + said.out]
    assert street.sell("--line", "TEA", "--cash", "60")["money"] == "paid"


def test_in_live_mode_a_live_key_leaves_for_the_gateways_own_host_only(street: Street) -> None:
    keys = live_keys(street.gateway, 0)
    with answering(200, b"{}", JSON) as stranger, pointed_at(street, stranger.url):
        path = street.home / "settings.toml"
        path.write_text(path.read_text().replace('mode = "test"', 'mode = "live"'), encoding="utf-8")
        done = street.pos("sell", "--line", "TEA", "--qr", street.gateway, **keys)
    assert stranger.paths == []
    assert (done.status, "only" in done.err) == (2, True), done.err
    assert not [key for key in keys.values() if key in done.err + done.out]


@pytest.mark.parametrize("missing", ["gateways.razorpay.key_id", "gateways.razorpay.secret_key"])
def test_half_a_login_says_which_half_is_missing_and_is_not_sent(indian: Street, missing: str) -> None:
    name = "POS_SECRET_" + missing.upper().replace(".", "_")
    indian.environment["DBUS_SESSION_BUS_ADDRESS"] = "unix:path=/nonexistent"
    del indian.environment[name]
    before = len(indian.town.log)
    done = indian.pos("sell", "--line", "TEA", "--qr", "razorpay", "--key", "k")
    words = missing.rpartition(".")[2].replace("_", " ")
    assert (done.status, len(done.err.splitlines())) == (2, 1), done.err
    assert f"The {words} of Razorpay is not set" in done.err
    assert f"pos secrets set {missing}" in done.err
    assert len(indian.town.log) == before
    assert indian.pos("doctor").status == 1
    assert indian.does("pay", "k", "--qr", "stripe")["shown"] == "waiting"


@pytest.mark.parametrize(
    "wrong",
    [
        {"KEY_ID": "rzp_test_of_nobody"},
        {"SECRET_KEY": "the_secret_of_another_key"},
        {"KEY_ID": "rzp_test_ with a space"},
        {"SECRET_KEY": "pasted\ttwice"},
    ],
)
def test_a_wrong_login_is_one_clear_line(indian: Street, wrong: dict[str, str]) -> None:
    keys = {f"POS_SECRET_GATEWAYS_RAZORPAY_{name}": key for name, key in wrong.items()}
    done = indian.pos("sell", "--line", "TEA", "--qr", "razorpay", "--key", "k", **keys)
    assert (done.status in (1, 2), len(done.err.splitlines())) == (True, 1), (done.status, done.err)
    assert "Razorpay" in done.err
    assert not [key for key in wrong.values() if key in done.err + done.out]
    assert indian.does("pay", "k", "--qr", "razorpay")["shown"] == "waiting"
    indian.assert_books()


def test_no_keyring_says_how_to_go_on(street: Street) -> None:
    bare = {k: v for k, v in street.environment.items() if not k.startswith("POS_SECRET")}
    street.environment = bare | {"DBUS_SESSION_BUS_ADDRESS": "unix:path=/nonexistent"}
    done = street.pos("secrets", "set", f"gateways.{street.gateway}.secret_key", stdin="sk_test_x\n")
    assert done.status != 0
    assert "Traceback" not in done.err
    assert "sk_test_x" not in done.err + done.out
    refused = street.pos("sell", "--line", "TEA", "--qr", street.gateway)
    assert (refused.status, "key" in refused.err) == (2, True), refused.err
    assert street.sell("--line", "TEA", "--cash", "60")["money"] == "paid"
