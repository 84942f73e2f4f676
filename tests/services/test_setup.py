"""Enrolling gateways: keys are tried before they are kept, and what was sold keeps its books."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from pos.app.clock import SystemIds
from pos.app.secrets import ChainedSecrets, EnvironmentSecrets, KeyringSecrets, Vault
from pos.app.wiring import Outside, Till, open_till
from pos.domain.basket import Line
from pos.domain.errors import (
    BadInput,
    NotAllowed,
    NotFound,
    OtherAccount,
    OutcomeUnknown,
    PosError,
    Refused,
    Unreachable,
)
from pos.domain.ports import Answer, PreparedCall
from pos.domain.rows import Person
from pos.domain.shown import Shown
from pos.domain.store_port import Hint
from pos.gateways.http import HttpGateway
from pos.services.bus import Event, GatewaysChanged
from pos.services.people import People
from pos.services.setup_views import Check, HookView, NewKeys, SafeView
from pos.services.webhooks import Webhooks
from pos.sync.settings import SettingsWatcher
from tests.services.test_money import link_of
from tests.shop import TEA, Bank, GivenSecrets, MovedClock, Shop, open_shop

EMPTY = '# my shop\n[shop]\nname = "Corner"   # ours\ncurrency = "INR"\n'


def stripe_key(bank: Bank) -> str:
    return bank.new_keys()["gateways.stripe.secret_key"]


class NewShop:
    """A home without any gateway, and the place where its keys are kept."""

    def __init__(self, home: Path, bank: Bank, text: str = EMPTY) -> None:
        home.mkdir(exist_ok=True)
        self.home, self.bank, self.secrets, self.clock = home, bank, GivenSecrets({}), MovedClock()
        (home / "settings.toml").write_text(text, encoding="utf-8")
        self.till = self.open()

    def open(self) -> Till:
        till = open_till(self.home, Outside(self.clock, SystemIds(), self.secrets))
        till.database.write_now(lambda tx: tx.shop.put_products([TEA]))
        return till

    @property
    def text(self) -> str:
        return (self.home / "settings.toml").read_text(encoding="utf-8")

    def keys(self, key: str = "", mode: str = "test", base: str | None = None) -> NewKeys:
        return NewKeys(
            "stripe", mode, {"secret_key": key or stripe_key(self.bank)}, self.bank.url if base is None else base
        )

    async def add(self, key: str = "") -> None:
        await self.till.setup.add(self.keys(key), actor="Owner")

    def journal(self) -> list[dict[str, str]]:
        entries = self.till.database.write_now(lambda tx: tx.journal.of_subject("stripe"))
        return [json.loads(entry.body) for entry in entries if entry.act == "gateway.changed"]


@pytest_asyncio.fixture
async def new(bank: Bank, tmp_path: Path) -> AsyncIterator[NewShop]:
    made = NewShop(tmp_path / "home", bank)
    yield made
    await made.till.close()


async def test_the_first_gateway_is_added_and_takes_a_payment_without_a_restart(new: NewShop) -> None:
    said: list[Event] = []
    new.till.bus.subscribe(said.append)
    before = await new.till.setup.cards()
    assert [(card.name, card.listed, card.keys_known) for card in before if card.name == "stripe"] == [
        ("stripe", False, False)
    ]
    assert new.till.queries.gateways() == []
    key = stripe_key(new.bank)
    card = await new.till.setup.add(new.keys(key), actor="Owner")
    assert (card.title, card.mode, card.place, card.takes_payments) == ("Stripe", "test", 1, True)
    assert card.account.startswith("acct_")
    assert [choice.name for choice in new.till.queries.gateways()] == ["stripe"]
    assert GatewaysChanged(("stripe",)) in said
    view = await new.till.checkout.sell([_tea()], "stripe")
    assert view.shown is Shown.WAITING
    assert new.text.startswith(EMPTY)
    assert new.secrets.values == {"gateways.stripe.secret_key": key}
    entry = new.journal()[-1]
    assert entry["what"] == "keys"
    assert key not in json.dumps(entry)
    assert key[-4:] not in entry["print"]


def _tea() -> Line:
    return Line(TEA.sku, TEA.name, 1000, TEA.price_minor, TEA.tax_ppm, TEA.tax_name)


@pytest.mark.parametrize(
    ("keys", "error"),
    [
        (NewKeys("stripe", "test", {"secret_key": "sk_live_real"}), BadInput),
        (NewKeys("stripe", "live", {"secret_key": "sk_test_play"}), BadInput),
        (NewKeys("stripe", "live", {"secret_key": "sk_live_real"}, "https://evil.example"), BadInput),
        (NewKeys("stripe", "test", {"secret_key": "sk_test_x"}, "http://shop.example"), BadInput),
        (NewKeys("stripe", "test", {"secret_key": ""}), BadInput),
        (NewKeys("stripe", "test", {"secret_key": "sk_test_x"}, "http://127.0.0.1:1"), Unreachable),
        (NewKeys("acme", "test", {"secret_key": "sk_test_x"}), NotFound),
    ],
)
async def test_what_is_not_accepted_is_kept_nowhere(new: NewShop, keys: NewKeys, error: type[PosError]) -> None:
    with pytest.raises(error):
        await new.till.setup.add(keys, actor="Owner")
    assert new.secrets.values == {}
    assert new.text == EMPTY
    assert new.till.queries.gateways() == []
    assert new.journal() == []


@pytest.mark.parametrize(("fault", "error"), [("unauthorized", Refused), ("error_500", OutcomeUnknown)])
async def test_a_gateway_that_says_no_or_nothing_keeps_nothing(
    new: NewShop, bank: Bank, fault: str, error: type[PosError]
) -> None:
    bank.fault("account.fetch", fault, 1)
    with pytest.raises(error):
        await new.add()
    assert (new.secrets.values, new.text) == ({}, EMPTY)


async def test_settings_that_cannot_be_written_put_the_keys_back(new: NewShop) -> None:
    await new.add(first := stripe_key(new.bank))
    (new.home / "settings.toml").write_text(new.text + "[oops]\n", encoding="utf-8")
    with pytest.raises(BadInput):
        await new.add(stripe_key(new.bank))
    assert new.secrets.values == {"gateways.stripe.secret_key": first}


async def test_keys_that_are_refused_say_nothing_of_the_gateway_in_use(new: NewShop, bank: Bank) -> None:
    await new.add()
    await new.till.gatecheck.test("stripe")
    bank.fault("account.fetch", "unauthorized", 1)
    with pytest.raises(Refused):
        await new.add()
    health = new.till.desk.health["stripe"]
    assert (health.word, health.unauthorized, health.asked) == ("ok", False, 2)
    assert (await new.till.queries.status()).gateway == "ok"


async def test_a_cashier_may_not(new: NewShop) -> None:
    new.till.database.write_now(lambda tx: tx.shop.put_person(Person("Asha", "cashier")))
    people = People([Person("Asha", "cashier"), Person("Meera", "manager")], "Asha")
    new.till.setup._people = people
    with pytest.raises(NotAllowed):
        await new.till.setup.add(new.keys(), actor="Asha")
    assert new.secrets.values == {}
    people.allow("gateways", "Meera")


async def test_keys_of_another_account_wait_until_everything_there_is_settled(new: NewShop) -> None:
    await new.add()
    view = await new.till.checkout.sell([_tea()], "stripe")
    with pytest.raises(Refused) as caught:
        await new.add(stripe_key(new.bank))
    assert "1 link" in caught.value.title
    await new.till.checkout.cancel(view.order_id, reason="test", actor="Owner")
    first, other = new.secrets.values["gateways.stripe.secret_key"], stripe_key(new.bank)
    with pytest.raises(OtherAccount) as asked:
        await new.add(other)
    assert "acct_" in asked.value.title
    assert new.secrets.values["gateways.stripe.secret_key"] == first, "nothing is kept before somebody means it"
    await new.till.setup.add(replace(new.keys(other), other_account=True), actor="Owner")
    assert new.secrets.values["gateways.stripe.secret_key"] == other
    again = await new.till.checkout.sell([_tea()], "stripe")
    assert again.shown is Shown.WAITING


async def test_whoever_goes_back_while_the_gateway_is_asked_has_kept_nothing(new: NewShop) -> None:
    new.bank.fault("account.fetch", "delay", 1, delay_s=5.0)
    trying = asyncio.ensure_future(new.till.setup.add(new.keys(), actor="Owner"))
    while not new.till.setup._one.locked():
        await asyncio.sleep(0)
    trying.cancel()
    with pytest.raises(asyncio.CancelledError):
        await trying
    assert new.secrets.values == {}
    assert "stripe" not in new.text
    await new.add()
    assert (await new.till.setup.card("stripe")).takes_payments


async def test_what_is_being_kept_is_kept_whole_whoever_goes_back(new: NewShop) -> None:
    """Keys without settings, or settings without keys, would be a gateway that can do neither."""
    setup, record = new.till.setup, new.till.setup._record

    async def and_back(*given: Any) -> None:
        trying.cancel()
        await record(*given)

    setup._record = and_back  # type: ignore[method-assign]
    trying = asyncio.ensure_future(setup.add(new.keys(), actor="Owner"))
    with pytest.raises(asyncio.CancelledError):
        await trying
    card = await setup.card("stripe")
    assert card.takes_payments
    assert card.account


async def test_the_trial_counts_as_an_answer_of_the_new_gateway(new: NewShop) -> None:
    await new.add()
    card = await new.till.setup.card("stripe")
    assert (card.health, card.asked, card.timed_out) == ("ok", 1, 0)
    assert card.median_ms is not None


async def test_a_gateway_is_not_switched_off_or_removed_under_a_live_link(new: NewShop) -> None:
    await new.add()
    view = await new.till.checkout.sell([_tea()], "stripe")
    for act in (new.till.setup.enable("stripe", False, actor=""), new.till.setup.remove("stripe", actor="")):
        with pytest.raises(Refused) as caught:
            await act
        assert caught.value.hint
    await new.till.checkout.cancel(view.order_id, reason="test", actor="Owner")
    card = await new.till.setup.enable("stripe", False, actor="")
    assert (card.enabled, card.place) == (False, 0)
    assert new.till.queries.gateways() == []
    await new.till.setup.enable("stripe", True, actor="")
    assert [choice.name for choice in new.till.queries.gateways()] == ["stripe"]
    await new.till.setup.remove("stripe", actor="")
    assert new.secrets.values == {}
    assert new.text.strip() == EMPTY.strip()
    assert [entry["what"] for entry in new.journal()] == ["keys", "off", "on", "removed"]


async def test_what_a_gateway_took_today_stays_in_the_day_when_it_is_switched_off(shop: Shop) -> None:
    view = await shop.sell()
    await shop.pays(view)
    assert (await shop.check(view)).shown is Shown.PAID
    await shop.till.reconcile.sweep_all()
    await shop.till.setup.enable(shop.gateway, False, actor="")
    day = await shop.till.day.preview(refresh=False)
    row = next(total for total in day.totals if total.key == shop.gateway)
    assert row.here_minor == 6_000
    assert day.test


async def test_settings_written_by_somebody_else_reach_the_running_till(new: NewShop) -> None:
    await new.add()
    watcher = SettingsWatcher(new.till.setup.reload)
    await watcher.tick()
    assert [choice.name for choice in new.till.queries.gateways()] == ["stripe"]
    (new.home / "settings.toml").write_text(new.text + "enabled = false\n", encoding="utf-8")
    await watcher.tick()
    assert new.till.queries.gateways() == []
    (new.home / "settings.toml").write_text(new.text.replace("enabled = false", "oops = 1"), encoding="utf-8")
    await watcher.tick()  # said in the log; the till goes on
    (new.home / "settings.toml").write_text(new.text.replace("oops = 1", "enabled = true"), encoding="utf-8")
    await watcher.tick()
    assert [choice.name for choice in new.till.queries.gateways()] == ["stripe"]


async def test_the_order_of_use_is_written_and_followed(shop: Shop) -> None:
    cards = await shop.till.setup.order(["razorpay"], actor="")
    assert [(card.name, card.place, card.before) for card in cards if card.place] == [
        ("razorpay", 1, ""), ("stripe", 2, "Razorpay"),
    ]  # fmt: skip
    assert shop.till.gateway() == "razorpay"
    await shop.till.setup.order(["stripe"], actor="")
    assert [choice.name for choice in shop.till.queries.gateways()] == ["stripe", "razorpay"]
    with pytest.raises(NotFound):
        await shop.till.setup.order(["acme"], actor="")


async def test_a_gateway_of_two_names_is_set_up_and_its_key_renewed_while_a_link_is_open(new: NewShop) -> None:
    """Razorpay says nowhere which account a key belongs to: the last link made there is the witness."""
    given = new.bank.new_keys()
    first = {name: given[f"gateways.razorpay.{name}"] for name in ("key_id", "secret_key")}
    card = await new.till.setup.add(NewKeys("razorpay", "test", first, new.bank.url), actor="")
    assert (card.takes_payments, [secret.known for secret in card.secrets]) == (True, [True, True])
    view = await new.till.checkout.sell([_tea()], "razorpay")
    assert view.shown is Shown.WAITING
    renewed = {"key_id": new.bank.second_key(first["key_id"]), "secret_key": "renewed_secret"}
    again = await new.till.setup.add(NewKeys("razorpay", "test", renewed, new.bank.url), actor="")
    assert again.account == card.account
    other = new.bank.new_keys()
    stranger = {name: other[f"gateways.razorpay.{name}"] for name in ("key_id", "secret_key")}
    with pytest.raises(Refused) as caught:
        await new.till.setup.add(NewKeys("razorpay", "test", stranger, new.bank.url), actor="")
    assert "may still be paid" in caught.value.title
    assert new.secrets.values["gateways.razorpay.secret_key"] == "renewed_secret"


async def test_what_the_code_carries_and_how_often_the_report_is_read_are_settings(new: NewShop) -> None:
    await new.add()
    assert (await new.till.setup.carry("stripe", "gateway", actor="")).qr == "gateway"
    assert new.till.desk.enrolled["stripe"].qr == "gateway"
    with pytest.raises(BadInput):
        await new.till.setup.carry("stripe", "upi", actor="")
    assert new.till.desk.enrolled["stripe"].qr == "gateway"
    await new.till.setup.report_every(15.0, actor="")
    assert new.till.shop.sync_every_minutes == 15
    assert "every_minutes = 15" in new.text
    with pytest.raises(BadInput):
        await new.till.setup.report_every(9_000.0, actor="")


# Books of one mode ----------------------------------------------------------------------------------------------------


async def test_books_with_sales_in_test_mode_take_no_real_money(shop: Shop) -> None:
    await shop.sell()
    with pytest.raises(BadInput) as caught:
        await shop.till.setup.add(NewKeys("stripe", "live", {"secret_key": "sk_live_real"}), actor="")
    assert "test mode" in caught.value.title
    assert "pos catalogue export" in caught.value.hint
    await shop.till.close()
    path = shop.home / "settings.toml"
    path.write_text(path.read_text("utf-8").replace('mode = "test"', 'mode = "live"').replace("api_base", "#"), "utf-8")
    with pytest.raises(BadInput) as opened:
        open_till(shop.home, Outside(shop.clock, SystemIds(), GivenSecrets({})))
    assert "another home" in opened.value.hint


async def test_before_the_first_order_the_books_may_still_become_the_others(new: NewShop) -> None:
    await new.add()
    await new.till.close()
    (new.home / "settings.toml").write_text(EMPTY + '[gateways.stripe]\nmode = "live"\n', encoding="utf-8")
    new.till = new.open()
    assert not new.till.test_mode


async def test_books_of_real_money_stay_so_while_no_gateway_is_on(new: NewShop) -> None:
    new.till.database.write_now(lambda tx: tx.shop.set_meta("mode", "live"))
    await new.till.close()
    new.till = new.open()
    assert not new.till.test_mode
    assert not (await new.till.queries.status()).test_mode


# Testing a connection -------------------------------------------------------------------------------------------------


async def test_five_things_are_looked_at_and_measured(shop: Shop) -> None:
    tested = await shop.till.gatecheck.test(shop.gateway)
    states = {check.key: check.state for check in tested.checks}
    assert states == {"address": "ok", "keys": "ok", "account": "ok", "clock": "ok", "webhook": "none"}
    assert (tested.good, tested.bad) == (4, False)
    figure = {check.key: check.figure for check in tested.checks}
    assert figure["address"].endswith(" ms")
    assert figure["account"] == "INR"
    health = shop.till.desk.health[shop.gateway]
    assert (health.asked, health.timed_out) == (1, 0)
    assert health.median_ms is not None


@pytest.mark.parametrize("refused", [False, True])
async def test_an_account_that_may_not_even_list_upi_codes_has_none(
    bank: Bank, tmp_path: Path, refused: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    shop = open_shop(bank, tmp_path / "shop", "razorpay", qr={"razorpay": "upi"})
    true = HttpGateway._exchange

    async def exchange(gate: HttpGateway, call: PreparedCall, timeout_s: float) -> Answer:
        if refused and "qr_codes" in call.path:
            body = {"error": {"code": "BAD_REQUEST_ERROR", "description": "The requested URL was not found."}}
            return Answer(400, (), json.dumps(body).encode())
        return await true(gate, call, timeout_s)

    monkeypatch.setattr(HttpGateway, "_exchange", exchange)
    codes = next(c for c in (await shop.till.gatecheck.test("razorpay")).checks if c.key == "codes")
    assert (codes.state, bool(codes.hint)) == (("bad", True) if refused else ("none", False))
    await shop.till.close()


async def test_no_answer_is_counted_whether_or_not_the_question_left(bank: Bank, tmp_path: Path) -> None:
    shop = open_shop(bank, tmp_path / "shop")
    (shop.home / "settings.toml").write_text('[gateways.stripe]\napi_base = "http://127.0.0.1:1"\n', encoding="utf-8")
    await shop.till.setup.reload()
    await shop.till.gatecheck.test("stripe")
    card = await shop.till.setup.card("stripe")
    assert (card.asked, card.timed_out) == (1, 1)
    await shop.till.close()


async def test_a_key_that_is_refused_is_no_tick(shop: Shop, bank: Bank) -> None:
    bank.fault(shop.introduction, "unauthorized", 1)
    tested = await shop.till.gatecheck.test(shop.gateway)
    assert {check.key: check.state for check in tested.checks}["keys"] == "bad"
    assert tested.bad
    assert not tested.unreachable


async def test_nobody_there_is_said_and_nothing_else_is_claimed(bank: Bank, tmp_path: Path) -> None:
    shop = open_shop(bank, tmp_path / "shop")
    (shop.home / "settings.toml").write_text('[gateways.stripe]\napi_base = "http://127.0.0.1:1"\n', encoding="utf-8")
    await shop.till.setup.reload()
    tested = await shop.till.gatecheck.test("stripe")
    assert tested.unreachable
    assert tested.good == 0
    with pytest.raises(NotFound):
        await shop.till.gatecheck.test("acme")
    await shop.till.close()


async def test_clocks_that_are_apart_are_bad(shop: Shop) -> None:
    shop.clock.advance(3_600)
    tested = await shop.till.gatecheck.test(shop.gateway)
    clock = next(check for check in tested.checks if check.key == "clock")
    assert clock.state == "bad"
    assert 3_598 < float(clock.figure.removesuffix(" s").replace(",", "")) < 3_610  # the Date header has whole seconds


async def test_what_was_measured_is_written_as_people_there_write_it(bank: Bank, tmp_path: Path) -> None:
    shop = NewShop(tmp_path / "home", bank, EMPTY + 'locale = "de_DE"\ntime_zone = "Europe/Berlin"\n')
    await shop.add()
    shop.clock.advance(3_600)
    tested = await shop.till.gatecheck.test("stripe")
    clock = next(check for check in tested.checks if check.key == "clock")
    assert re.fullmatch(r"3\.(59|60)\d(,\d)? s", clock.figure)
    await shop.till.close()


async def test_a_card_shows_no_part_of_a_secret(shop: Shop) -> None:
    text = repr(await shop.till.setup.cards())
    secrets = [value for name, value in shop.keys.items() if name.endswith("secret_key")]
    assert len(secrets) == 2
    for secret in secrets:
        assert secret not in text
        assert secret[-4:] not in text
        assert secret not in repr(NewKeys("stripe", "test", {"secret_key": secret}))
    key_id = shop.keys["gateways.razorpay.key_id"]
    assert f"{key_id[:12]}…" in text
    assert key_id not in text


async def test_a_webhook_through_the_relay_is_a_tick_only_when_one_has_come(bank: Bank, tmp_path: Path) -> None:
    shop = open_shop(bank, tmp_path / "shop", relay='url = "https://relay.example"')

    async def webhook() -> Check:
        return next(c for c in (await shop.till.gatecheck.test("stripe")).checks if c.key == "webhook")

    assert (await webhook()).state == "bad", "the relay was never heard"
    shop.till.relay_health.heard_at_ms, shop.till.relay_health.connected = shop.clock.now_ms(), True
    assert (await webhook()).state == "none", "heard, but no webhook has come"
    view = await shop.sell()
    await shop.pays(view)
    await shop.till.hints.take(Hint("ep:1:t", "stripe", "webhook", link_of(view), "", "", "", 1), "ep:1:t")
    found = await webhook()
    assert (found.state, found.figure) == ("ok", "0 s ago")
    await shop.till.close()


@dataclass
class Doors:
    """What a relay says of a shop's doors; None: nothing."""

    said: dict[str, str] | None

    async def addresses(self) -> dict[str, str] | None:
        return self.said


async def test_where_webhooks_go_is_what_the_relay_says_now(bank: Bank, tmp_path: Path) -> None:
    shop = open_shop(bank, tmp_path / "shop", relay='url = "https://relay.example"')
    doors = Doors({"stripe": "https://relay.example/hooks/s1/stripe/8x"})
    webhooks = Webhooks(shop.till.context, doors)
    assert await webhooks.of("stripe") == HookView("known", "https://relay.example/hooks/s1/stripe/8x")
    assert await webhooks.of("razorpay") == HookView("missing")
    doors.said = None
    assert await webhooks.of("stripe") == HookView("unheard")
    assert await shop.till.webhooks.of("stripe") == HookView("unheard"), "a relay without its token was not heard"
    await shop.till.close()


async def test_a_till_without_a_relay_has_no_address_for_webhooks(shop: Shop) -> None:
    assert await shop.till.webhooks.of("stripe") == HookView("none")


async def test_a_refund_that_the_gateway_has_not_finished_keeps_it_on(shop: Shop, bank: Bank) -> None:
    view = await shop.sell()
    await shop.pays(view)
    await shop.check(view)
    bank.fault("refund.create", "refund_pending", 1)
    await shop.till.refunds.refund(view.order_id, amount_minor=None, reason="test", actor="Owner")
    with pytest.raises(Refused) as caught:
        await shop.till.setup.enable(shop.gateway, False, actor="")
    assert "1 refund is on the way" in caught.value.title


# Where there is no keyring --------------------------------------------------------------------------------------------


async def test_keys_lie_in_the_vault_and_a_locked_one_is_told_from_none(bank: Bank, tmp_path: Path) -> None:
    home = tmp_path / "home"
    home.mkdir()
    (home / "settings.toml").write_text(EMPTY, encoding="utf-8")
    secrets = ChainedSecrets([EnvironmentSecrets({})], KeyringSecrets(load=lambda: None), Vault(home))
    till = open_till(home, Outside(MovedClock(), SystemIds(), secrets))
    keys = NewKeys("stripe", "test", {"secret_key": stripe_key(bank)}, bank.url)
    assert await till.vaults.look() == SafeView("vault", "missing")
    with pytest.raises(Unreachable):
        await till.setup.add(keys, actor="")
    assert (home / "settings.toml").read_text("utf-8") == EMPTY
    assert await till.vaults.create("four words nobody guesses", actor="") == SafeView("vault", "open")
    card = await till.setup.add(keys, actor="")
    assert [secret.place for secret in card.secrets] == ["vault"]
    assert keys.secrets["secret_key"] not in (home / "secrets.vault").read_text("utf-8", "replace")
    assert await till.vaults.lock(actor="") == SafeView("vault", "locked")
    await till.setup.refresh()
    card = await till.setup.card("stripe")
    assert (card.locked, card.keys_known, card.takes_payments) == (True, False, False)
    assert (await till.queries.status()).gateway == "locked"
    with pytest.raises(Unreachable, match="locked"):
        await till.setup.remove("stripe", actor="")
    assert (await till.setup.card("stripe")).listed, "nothing of it was taken away"
    tested = await till.gatecheck.test("stripe")
    assert {c.key: c.state for c in tested.checks}["keys"] == "bad"
    assert any("vault is locked" in check.hint for check in tested.checks)
    with pytest.raises(NotAllowed):
        await till.vaults.unlock("not these words at all", actor="")
    assert (await till.vaults.unlock("four words nobody guesses", actor="")).open
    assert not (await till.gatecheck.test("stripe")).bad
    assert (await till.queries.status()).gateway == "ok"
    await till.close()
