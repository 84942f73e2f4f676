"""`docs/relay-protocol.md` says what the code does: routes, words, bounds, and a tag made from its prose alone."""

from __future__ import annotations

import hashlib
import re
from pathlib import Path

from pos import wire
from pos.relay.app import ROUTES
from pos.relay.log import LINK_STATES
from pos.relay.settings import Limits, Settings

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "relay-protocol.md").read_text()


def test_every_route_is_described() -> None:
    missing = [
        rule
        for rule in ROUTES
        if rule.path.replace("token", "path token" if "hooks" in rule.path else "token") not in PAGE
    ]
    assert [rule for rule in missing if rule.path != "/r/{token}"] == []
    assert "`/r/{token}`" in PAGE


def test_every_word_is_described() -> None:
    reasons = set(re.findall(r"\| `([a-z]+)` \|$", PAGE, re.MULTILINE)) - {"reason"}
    assert reasons == {"first", "garbled", "epoch", "ahead", "tag", "pruned"}
    assert {f"| `{state}` |" in PAGE for state in LINK_STATES} == {True}
    assert {f"`{kind}`" in PAGE for kind in wire.KINDS} == {True}


def test_the_bounds_are_the_codes() -> None:
    limits, settings = Limits(), Settings(Path("x"))
    for said in (
        f"body {limits.hook_body_bytes // 1024} KiB (API {limits.api_body_bytes // 1024} KiB)",
        f"headers {limits.headers_bytes // 1024} KiB, {limits.headers_within_s:g} s for headers",
        f"{limits.body_within_s:g} s for a body",
        f"{limits.hooks_in_flight:,} webhooks at once",
        f"{limits.writes_queued:,} writes waiting, {limits.streams:,} streams, {limits.streams_per_till} per till",
        f"{limits.ip_per_s:g} webhooks per second and address",
        f"(burst {limits.ip_burst:,.0f}), {limits.shop_per_s:g} per second and shop (burst {limits.shop_burst:,.0f})",
        f"{limits.pages_per_s:g} pages per second and address (burst {limits.pages_burst:g})",
        f"at least every {settings.heartbeat_s:g} s",
        f"kept for {settings.retention_s / 86_400:g} days",
        f"{limits.connections:,}",
    ):
        assert said in " ".join(PAGE.split()), said


def test_a_tag_made_from_the_prose() -> None:
    lines = ["7", "webhook", "stripe", "evt_1", "checkout.session.completed", "cs_1", "", "", "o_1", "1790000000123"]
    by_hand = hashlib.sha256("\n".join(lines).encode()).hexdigest()[:16]
    refs = wire.Refs(link="cs_1", reference="o_1")
    assert wire.tag_of(7, "webhook", "stripe", "evt_1", "checkout.session.completed", refs, 1790000000123) == by_hand
