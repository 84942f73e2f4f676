"""What strangers type, and what the world does: one clear line, the right exit status, nothing half-written."""

from __future__ import annotations

import http.server
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from tests.journeys.conftest import Street


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


@contextmanager
def answering(status: int, body: bytes, kind: str = "application/json", **headers: str) -> Iterator[str]:
    """A gateway that always gives the same answer."""

    class Always(http.server.BaseHTTPRequestHandler):
        def answer(self) -> None:
            self.rfile.read(int(self.headers.get("content-length") or 0))
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
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def point_at(street: Street, url: str) -> None:
    path = street.home / "settings.toml"
    path.write_text(path.read_text().replace(street.bank.url, url), encoding="utf-8")


@pytest.mark.parametrize(
    ("status", "body", "kind", "headers", "exit_status"),
    [
        (500, b'{"error":{"type":"api_error"}}', "application/json", {}, 3),
        (429, b'{"error":{"type":"rate_limit"}}', "application/json", {"Retry_After": "0"}, 3),
        (200, b"<html>Welcome to the hotel wifi</html>", "text/html", {}, 3),
        (200, b'{"id": "cs_test_1", "obj', "application/json", {}, 3),
        (200, b'{"id":"cs_test_1","object":"checkout.session","status":"teleported"}', "application/json", {}, 3),
        (200, b"", "application/json", {}, 3),
        (401, b'{"error":{"type":"invalid_request_error","message":"No such key"}}', "application/json", {}, 1),
    ],
)
def test_a_gateway_that_talks_nonsense_is_unknown_and_the_order_is_kept(
    street: Street, status: int, body: bytes, kind: str, headers: dict[str, str], exit_status: int
) -> None:
    assert street.pos("doctor").status == 0  # the account is known from here on
    with answering(status, body, kind, **headers) as url:
        point_at(street, url)
        done = street.pos("sell", "--line", "TEA", "--qr", "stripe", "--key", "k")
    assert done.status == exit_status, (done.out, done.err)
    assert "Traceback" not in done.err
    point_at(street, url)
    order = street.order("k")
    assert (order["money"], order["captured_minor"]) == ("unpaid", 0)
    street.assert_books()


def test_nobody_there_is_status_4_and_cash_still_works(street: Street) -> None:
    street.bank.served.stop()
    done = street.pos("sell", "--line", "TEA", "--qr", "stripe", "--key", "k")
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


@pytest.mark.parametrize("key", ["sk_live_aaaaaaaaaaaaaaaaaaaaaaaa", "rk_live_aaaaaaaaaaaaaaaaaaaaaaaa"])
def test_a_live_key_is_never_sent_to_a_foreign_address(street: Street, key: str) -> None:
    done = street.pos("sell", "--line", "TEA", "--qr", "stripe", POS_SECRET_GATEWAYS_STRIPE_SECRET_KEY=key)
    assert done.status == 2, (done.out, done.err)
    assert key not in done.err + done.out
    assert street.sell("--line", "TEA", "--cash", "60")["money"] == "paid"


def test_no_keyring_says_how_to_go_on(street: Street) -> None:
    bare = {k: v for k, v in street.environment.items() if not k.startswith("POS_SECRET")}
    street.environment = bare | {"DBUS_SESSION_BUS_ADDRESS": "unix:path=/nonexistent"}
    done = street.pos("secrets", "set", "gateways.stripe.secret_key", stdin="sk_test_x\n")
    assert done.status != 0
    assert "Traceback" not in done.err
    assert "sk_test_x" not in done.err + done.out
    refused = street.pos("sell", "--line", "TEA", "--qr", "stripe")
    assert (refused.status, "key" in refused.err) == (2, True), refused.err
    assert street.sell("--line", "TEA", "--cash", "60")["money"] == "paid"
