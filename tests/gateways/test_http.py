"""The HTTP edge on real sockets: what was surely not sent, what may have been, where keys may go."""

from __future__ import annotations

import asyncio
import contextlib
import gzip
import hashlib
import logging
import socket
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from pos.domain.errors import BadInput
from pos.domain.facts import Mode
from pos.domain.ports import LinkRequest, NoAnswer, NotSent, Outcome
from pos.gateways import http
from pos.gateways.http import HttpGateway, check_base_url, page_allowed
from pos.gateways.stripe.adapter import StripeAdapter

TEST = StripeAdapter(account="acct_1", mode=Mode.TEST)
LIVE = StripeAdapter(account="acct_1", mode=Mode.LIVE)
KEY = "sk_test_canary"
ACCOUNT = b'{"id":"acct_1","object":"account"}'
REQUEST = LinkRequest("tt1-key", "ref_1", 1250, "EUR", "Order 17", "shop-1", "1", "https://relay.example/r")
Handler = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


@contextlib.asynccontextmanager
async def server(handler: Handler, tls: ssl.SSLContext | None = None, host: str = "127.0.0.1") -> AsyncIterator[str]:
    """A raw TCP or TLS server on this machine; its address."""
    done: list[asyncio.Task[None]] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        done.append(task)
        try:
            await handler(reader, writer)
        except (ConnectionError, asyncio.CancelledError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()
            with contextlib.suppress(ConnectionError):
                await writer.wait_closed()

    listening = await asyncio.start_server(serve, host, 0, ssl=tls)
    try:
        yield f"{'https' if tls else 'http'}://{host}:{listening.sockets[0].getsockname()[1]}"
    finally:
        listening.close()
        for task in done:
            task.cancel()
        await asyncio.gather(*done, return_exceptions=True)


def self_signed(folder: Path) -> ssl.SSLContext:
    """A server's side of TLS with a certificate for localhost that it signed itself."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .sign(key, hashes.SHA256())
    )
    pem = made.public_bytes(serialization.Encoding.PEM) + key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    (folder / "server.pem").write_bytes(pem)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "server.pem")
    return context


async def request_of(reader: asyncio.StreamReader) -> bytes:
    head = await reader.readuntil(b"\r\n\r\n")
    for line in head.lower().split(b"\r\n"):
        if line.startswith(b"content-length:"):
            return head + await reader.readexactly(int(line.partition(b":")[2]))
    return head


def says(body: bytes, *, status: str = "200 OK", extra: bytes = b"") -> Handler:
    async def handler(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await request_of(reader)
        head = f"HTTP/1.1 {status}\r\nContent-Length: {len(body)}\r\nConnection: close\r\n".encode()
        writer.write(head + extra + b"\r\n" + body)
        await writer.drain()

    return handler


async def asked(url: str, *, create: bool = False, timeout_s: float = 3.0) -> http.Asked:
    gateway = HttpGateway(TEST, url, KEY)
    try:
        return await gateway.ask(TEST.create(REQUEST) if create else TEST.whoami(), timeout_s=timeout_s)
    finally:
        await gateway.close()


async def test_an_answer_comes_with_digest_and_the_gateways_clock() -> None:
    async with server(says(ACCOUNT, extra=b"Date: Sun, 22 Nov 2026 08:00:00 GMT\r\n")) as url:
        got = await asked(url)
    assert (got.reading.outcome, got.reading.account, got.status) == (Outcome.OK, "acct_1", 200)
    assert got.raw_sha256 == hashlib.sha256(ACCOUNT).hexdigest()
    assert got.gateway_now_ms == 1_795_334_400_000


@pytest.mark.parametrize("date", [b"", b"Date: yesterday\r\n", b"Date: Sun, 99 Nov 99999 08:00:00 GMT\r\n"])
async def test_a_clock_that_cannot_be_read_is_none(date: bytes) -> None:
    async with server(says(ACCOUNT, extra=date)) as url:
        assert (await asked(url)).gateway_now_ms is None


async def test_the_key_is_added_when_sending_and_bytes_are_as_prepared() -> None:
    seen: list[bytes] = []

    async def handler(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        seen.append(await request_of(reader))
        writer.write(b"HTTP/1.1 500 X\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")

    async with server(handler) as url:
        await asked(url, create=True)
    (raw,) = seen
    assert b"Authorization: Bearer sk_test_canary\r\n" in raw
    assert b"Idempotency-Key: tt1-key\r\n" in raw
    assert raw.endswith(b"\r\n\r\n" + TEST.create(REQUEST).body)


async def test_nobody_listening_is_not_sent() -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        with pytest.raises(NotSent):
            await asked(f"http://127.0.0.1:{unused.getsockname()[1]}", create=True)


async def test_no_such_name_is_not_sent() -> None:
    with pytest.raises(NotSent):
        await asked("https://no-such-host.invalid", create=True)


async def test_a_failed_tls_handshake_is_not_sent() -> None:
    async def plain(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"this is not TLS\r\n")
        await writer.drain()

    async with server(plain) as url:
        with pytest.raises(NotSent):
            await asked(url.replace("http:", "https:"), create=True)


async def test_what_was_not_sent_is_not_tried_again() -> None:
    connections: list[int] = []

    async def plain(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        connections.append(1)
        writer.write(b"this is not TLS\r\n")

    async with server(plain) as url:
        with pytest.raises(NotSent):
            await asked(url.replace("http:", "https:"))
    assert len(connections) == 1


async def test_a_certificate_nobody_vouches_for_gets_no_key(tmp_path: Path) -> None:
    seen: list[bytes] = []

    async def listen(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        seen.append(await reader.read(1000))

    async with server(listen, tls=self_signed(tmp_path)) as url:
        with pytest.raises(NotSent):
            await asked(url.replace("127.0.0.1", "localhost"), create=True)
    assert not any(seen)


async def test_no_proxy_stands_between_this_machine_and_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    monkeypatch.delenv("NO_PROXY", raising=False)
    monkeypatch.delenv("no_proxy", raising=False)
    async with server(says(ACCOUNT)) as url:
        assert (await asked(url)).reading.outcome is Outcome.OK


@pytest.fixture
def no_proxies(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """An environment that names no proxy yet."""
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)
    return monkeypatch


async def test_a_key_goes_through_no_proxy_over_plain_http(no_proxies: pytest.MonkeyPatch) -> None:
    """All of 127/8 is this machine. A proxy reads what is sent over plain http, and the key is in it."""
    seen: list[bytes] = []

    async def proxy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        seen.append(await reader.read(10_000))

    async with server(proxy) as between, server(says(ACCOUNT), host="127.0.0.2") as url:
        assert "127.0.0.2" in url
        for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
            no_proxies.setenv(name, between)
        assert (await asked(url)).reading.outcome is Outcome.OK
    assert seen == []


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("all_proxy", "socks://127.0.0.1:1080/"),
        ("ALL_PROXY", "socks5://u:canary@127.0.0.1:1080"),
        ("https_proxy", "ftp://canary"),
        ("HTTPS_PROXY", "http://proxy.example:canary"),
    ],
)
def test_a_proxy_that_cannot_be_used_is_said_by_its_variable(
    no_proxies: pytest.MonkeyPatch, name: str, value: str
) -> None:
    no_proxies.setenv("http_proxy", "http://proxy.example:3128")
    no_proxies.setenv(name, value)
    with pytest.raises(BadInput) as caught:
        HttpGateway(TEST, "https://api.stripe.com", KEY)
    assert f" {name} in the environment" in caught.value.title
    assert "canary" not in str(caught.value)


def test_a_list_of_exceptions_that_cannot_be_used_is_said_too(no_proxies: pytest.MonkeyPatch) -> None:
    no_proxies.setenv("http_proxy", "proxy.example:3128")
    no_proxies.setenv("NO_PROXY", "[::1")
    with pytest.raises(BadInput, match="NO_PROXY in the environment"):
        HttpGateway(TEST, "https://api.stripe.com", KEY)


async def test_a_handshake_that_never_ends_is_not_sent() -> None:
    async def silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await asyncio.Event().wait()

    async with server(silent) as url:
        with pytest.raises(NotSent):
            await asked(url.replace("http:", "https:"), create=True, timeout_s=0.3)


async def test_silence_after_sending_is_no_answer() -> None:
    async def silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await asyncio.Event().wait()

    async with server(silent) as url:
        with pytest.raises(NoAnswer):
            await asked(url, create=True, timeout_s=0.3)


async def test_a_cut_after_sending_is_no_answer_and_is_not_repeated() -> None:
    connections: list[int] = []

    async def cut(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        connections.append(1)
        await request_of(reader)

    async with server(cut) as url:
        with pytest.raises(NoAnswer):
            await asked(url, create=True)
    assert len(connections) == 1


async def test_a_look_whose_connection_is_cut_is_sent_once_more() -> None:
    connections: list[int] = []

    async def cut_once(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        connections.append(1)
        if len(connections) == 1:
            await request_of(reader)
            return
        await says(ACCOUNT)(reader, writer)

    async with server(cut_once) as url:
        assert (await asked(url)).reading.outcome is Outcome.OK
    assert len(connections) == 2


async def test_a_look_is_not_repeated_without_end() -> None:
    connections: list[int] = []

    async def cut(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        connections.append(1)
        await request_of(reader)

    async with server(cut) as url:
        with pytest.raises(NoAnswer):
            await asked(url)
    assert len(connections) == http.GET_TRIES


async def test_half_a_body_is_no_answer() -> None:
    async def half(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await request_of(reader)
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n{")
        await writer.drain()

    async with server(half) as url:
        with pytest.raises(NoAnswer):
            await asked(url, create=True)


async def test_a_dripping_body_ends_at_the_deadline() -> None:
    async def drip(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await request_of(reader)
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n")
        while True:
            writer.write(b" ")
            await writer.drain()
            await asyncio.sleep(0.02)

    async with server(drip) as url:
        with pytest.raises(NoAnswer):
            await asyncio.wait_for(asked(url, create=True, timeout_s=0.4), 3)


async def test_a_flood_is_cut_off(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http, "MAX_BODY_BYTES", 1000)
    async with server(says(b" " * 1001)) as url:
        with pytest.raises(NoAnswer):
            await asked(url)


async def test_packed_answers_are_not_unpacked() -> None:
    async with server(says(gzip.compress(ACCOUNT), extra=b"Content-Encoding: gzip\r\n")) as url:
        assert (await asked(url)).reading.outcome is Outcome.UNKNOWN


async def test_a_redirect_is_not_followed() -> None:
    followed: list[int] = []

    async def elsewhere(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        followed.append(1)

    async with server(elsewhere) as other:
        place = f"Location: {other}/v1/account\r\n".encode()
        async with server(says(b"", status="302 Found", extra=place)) as url:
            got = await asked(url)
    assert (got.reading.outcome, got.status, followed) == (Outcome.UNKNOWN, 302, [])


async def test_nonsense_instead_of_http_is_no_answer() -> None:
    async def nonsense(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await request_of(reader)
        writer.write(b"\x00\x01\x02 hello\r\n\r\n")
        await writer.drain()

    async with server(nonsense) as url:
        with pytest.raises(NoAnswer):
            await asked(url, create=True)


async def test_logs_name_no_key_body_or_query(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    async with server(says(ACCOUNT)) as url:
        gateway = HttpGateway(TEST, url, KEY)
        await gateway.ask(TEST.find("secret-reference", 0, 1), timeout_s=3)
        await gateway.close()
        text = caplog.text + repr(gateway)
    assert "GET /v1/checkout/sessions -> 200" in text
    assert KEY not in text
    assert "acct_1" not in text
    assert "secret-reference" not in text


@pytest.mark.parametrize(
    ("adapter", "url", "key"),
    [
        (LIVE, "https://api.stripe.com", "sk_live_x"),
        (LIVE, "https://api.stripe.com:443/", "rk_live_x"),
        (TEST, "https://api.stripe.com", "sk_test_x"),
        (TEST, "https://bank.example", "sk_test_x"),
        (TEST, "http://127.0.0.1:8420", "sk_test_sandbox"),
        (TEST, "http://localhost:8420/", "anything"),
        (TEST, "http://[::1]:8420", "anything"),
    ],
)
def test_addresses_a_key_may_be_sent_to(adapter: StripeAdapter, url: str, key: str) -> None:
    assert check_base_url(adapter, url, key) == url.rstrip("/")


@pytest.mark.parametrize(
    ("adapter", "url", "key"),
    [
        (LIVE, "http://api.stripe.com", "sk_live_x"),
        (LIVE, "https://api.stripe.com.evil.example", "sk_live_x"),
        (LIVE, "https://api.stripe.com:8443", "sk_live_x"),
        (LIVE, "https://api.stripe.com@evil.example", "sk_live_x"),
        (LIVE, "https://evil.example", "rk_live_x"),
        (LIVE, "http://127.0.0.1:8420", "sk_live_x"),
        (LIVE, "http://127.0.0.1:8420", "looks like nothing".replace(" ", "_")),
        (LIVE, "https://api.stripe.com", "sk_test_x"),
        (TEST, "http://127.0.0.1:8420", "sk_live_x"),
        (TEST, "http://127.0.0.1:8420", "rk_live_x"),
        (TEST, "https://api.stripe.com", "sk_live_x"),
        (TEST, "http://bank.example", "sk_test_x"),
        (TEST, "http://127.0.0.1.evil.example", "sk_test_x"),
        (TEST, "ftp://127.0.0.1", "sk_test_x"),
        (TEST, "127.0.0.1:8420", "sk_test_x"),
        (TEST, "", "sk_test_x"),
        (TEST, "https://bank.example/v1?x=1", "sk_test_x"),
        (TEST, "https://bank.example:99999", "sk_test_x"),
        (TEST, "https://bank.example\\@evil.example", "sk_test_x"),
        (TEST, "https://bank.example\r\nX: y", "sk_test_x"),
    ],
)
def test_addresses_a_key_may_not_be_sent_to(adapter: StripeAdapter, url: str, key: str) -> None:
    with pytest.raises(BadInput) as refused:
        HttpGateway(adapter, url, key)
    assert refused.value.hint
    assert key not in str(refused.value)


@pytest.mark.parametrize("key", ["", "sk_test_x\n", "sk test", "sk_tést"])
def test_a_key_that_no_header_can_carry_is_refused(key: str) -> None:
    with pytest.raises(BadInput):
        HttpGateway(TEST, "http://127.0.0.1:1", key)


@pytest.mark.parametrize(
    ("adapter", "base", "page", "allowed"),
    [
        (LIVE, "https://api.stripe.com", "https://checkout.stripe.com/c/pay/cs_1#fid", True),
        (LIVE, "https://api.stripe.com", "http://checkout.stripe.com/c/pay/cs_1", False),
        (LIVE, "https://api.stripe.com", "https://checkout.stripe.com.evil.example/", False),
        (LIVE, "https://api.stripe.com", "https://user@checkout.stripe.com/", False),
        (LIVE, "https://api.stripe.com", "https://evil.example/checkout.stripe.com", False),
        (LIVE, "https://api.stripe.com", "javascript:alert(1)", False),
        (LIVE, "https://api.stripe.com", "", False),
        (TEST, "https://api.stripe.com", "https://checkout.stripe.com/c/pay/cs_1", True),
        (TEST, "https://api.stripe.com", "http://127.0.0.1/pay", False),
        (TEST, "https://bank.example", "https://bank.example/pay", True),
        (TEST, "https://bank.example", "http://bank.example/pay", False),
        (TEST, "http://127.0.0.1:1", "http://127.0.0.1:1/pay/cs_1", True),
        (TEST, "http://127.0.0.1:1", "http://192.168.1.7:1/pay/cs_1", True),
        (TEST, "http://127.0.0.1:1", "http://8.8.8.8/pay/cs_1", False),
        (TEST, "http://127.0.0.1:1", "http://evil.example/pay", False),
    ],
)
def test_pages_a_customer_may_be_sent_to(adapter: StripeAdapter, base: str, page: str, allowed: bool) -> None:
    assert page_allowed(page, adapter, base) is allowed


def test_an_adapter_may_log_in_its_own_way() -> None:
    class Basic(StripeAdapter):
        __slots__ = ()

        def authorization(self, secrets: Mapping[str, str]) -> tuple[tuple[str, str], ...]:
            return (("Authorization", f"Basic {secrets['secret_key']}"),)

    gateway = HttpGateway(Basic(), "http://127.0.0.1:1", "abc")
    assert gateway._login == (("Authorization", "Basic abc"),)
    assert replace(gateway.adapter, account="x").account == "x"  # type: ignore[type-var]
