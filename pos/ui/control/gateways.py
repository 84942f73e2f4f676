"""Manage > Gateways at work: reads the cards, tests, changes; one thing at a time. What may be done a service says."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QObject, Signal
from PySide6.QtGui import QGuiApplication

from pos.domain.errors import OtherAccount, PosError
from pos.services.setup_views import HookView, SafeView
from pos.words.gateways import Connection, Gateways, Keys, KeysForm

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Callable, Coroutine, Sequence

    from pos.services.api import TillApi
    from pos.services.setup_views import GatewayCard, NewKeys, Tested
    from pos.ui.flow import Flow
    from pos.ui.views.keysform import KeysPanel, RemovePanel, VaultPanel
    from pos.ui.views.manage import ManagePanel

ACTION = "gateways"


class GatewayControl(QObject):
    """`changed` when what may be done is another; `enrolled` when other gateways take payments."""

    changed = Signal()
    enrolled = Signal()

    def __init__(
        self, flow: Flow, manage: ManagePanel, keys: KeysPanel, remove: RemovePanel, vault: VaultPanel
    ) -> None:
        super().__init__()
        self._flow = flow
        self._manage = manage
        self._panel = panel = manage.gateways
        self._keys = keys
        self._remove = remove
        self._vault = vault
        self._tests: dict[str, Tested] = {}
        self._hooks: dict[str, HookView] = {}
        self.cards: Sequence[GatewayCard] = ()
        self.safe = SafeView("keyring")
        self.chosen = ""
        self.busy = False
        self._adding = False
        self._trying: asyncio.Task[Any] | None = None
        self._after_vault: Callable[[], None] | None = None
        """What the vault is being opened for."""
        self._entering = False
        manage.wanted.connect(self.open_section)
        panel.chosen.connect(self.choose)
        panel.switched.connect(self._switch)
        panel.carried.connect(lambda way: self._change(self._till.setup.carry(self.chosen, way, actor=self._actor)))
        panel.paused.connect(lambda n: self._change(self._till.setup.report_every(n, actor=self._actor)))
        keys.answered.connect(self._try_keys)
        remove.answered.connect(self._take_away)
        vault.answered.connect(self._open_vault)
        vault.failed.connect(flow.failed)
        flow.arranged.connect(self._forget_typed)

    @property
    def _till(self) -> TillApi:
        return self._flow.counter.till

    @property
    def _actor(self) -> str:
        return self._flow.counter.actor

    @property
    def allowed(self) -> bool:
        """Whether who works here may look at gateways at all."""
        if not self._flow.counter.ready:
            return False
        try:
            self._till.people.allow(ACTION, self._actor)
        except PosError:
            return False
        return True

    @property
    def card(self) -> GatewayCard | None:
        return self._panel.card

    # Looking --------------------------------------------------------------------------------------------------------

    def open_section(self, section: str) -> None:
        """Open an entry of Manage."""
        entered = self._flow.left != "manage"
        self._flow.section = section
        self._flow.go("manage")
        if section == "gateways" and not entered:  # else the window reads it as it comes up
            self.enter()

    def show_section(self) -> None:
        """Only what whoever works here may see; the first of it where nothing was chosen."""
        may = frozenset({"gateways", "till"} if self.allowed else {"till"})
        if self._flow.section not in may:
            self._flow.section = "gateways" if "gateways" in may else "till"
        self._manage.show_section(self._flow.section, may)

    def entered(self) -> None:
        if self._flow.section == "gateways":
            self.enter()

    def enter(self) -> None:
        """The page comes up: the chosen card takes the focus as soon as it is there."""
        self._entering = True
        self.load()

    def follow(self) -> None:
        """Somebody changed gateways, here or elsewhere: what is on screen is read again."""
        if self._flow.left == "manage" and self._flow.section == "gateways":
            self.load()

    def load(self) -> None:
        self._flow.start(self._till.vaults.look(), self._show_safe)
        self._flow.start(self._till.setup.cards(), self.show)

    def show(self, cards: Sequence[GatewayCard]) -> None:
        self.cards = cards
        if self.chosen not in {card.name for card in cards}:
            self.chosen = cards[0].name if cards else ""
        self._panel.show_cards(cards, self.chosen, self._till.setup.report_minutes())
        self._show_test()
        self._show_hook()
        if self.chosen:
            self._look_up_hook(self.chosen)
        self.changed.emit()
        entering, self._entering = self._entering, False
        if entering and self._flow.left == "manage":  # else a form came up before the cards were read
            self._panel.focus_first()

    def choose(self, name: str) -> None:
        self.chosen = name
        self.show(self.cards)

    def _show_safe(self, safe: SafeView) -> None:
        self.safe = safe
        self._panel.show_safe(safe)
        self.changed.emit()

    def _show_test(self) -> None:
        found = self._tests.get(self.chosen)
        if found is not None:
            self._panel.connection.show_result(found)
        else:
            self._panel.connection.show_none()

    # Webhooks --------------------------------------------------------------------------------------------------------

    @property
    def hook_address(self) -> str:
        return self._hooks.get(self.chosen, HookView("")).address

    def copy_hook(self) -> None:
        QGuiApplication.clipboard().setText(self.hook_address)
        self._flow.noted.emit(Keys.COPIED)

    def _look_up_hook(self, name: str) -> None:
        """The relay says it, or does not: meanwhile what it said before stands."""

        def told(hook: HookView) -> None:
            self._hooks[name] = hook
            self._show_hook()
            self.changed.emit()

        self._flow.start(self._till.webhooks.of(name), told)

    def _show_hook(self) -> None:
        if self.card is not None:
            self._panel.keys.show_hook(self.card, self._hooks.get(self.chosen, HookView("")))

    # Testing --------------------------------------------------------------------------------------------------------

    def test(self) -> None:
        name = self.chosen
        self._panel.connection.show_none(Connection.TESTING)

        def done(tested: Tested) -> None:
            self._tests[name] = tested
            self.load()

        self._start(self._till.gatecheck.test(name), done, lambda _: self._show_test())

    # Changing -------------------------------------------------------------------------------------------------------

    def open_keys(self, *, adding: bool) -> None:
        """The form for keys; where nothing can keep them, first the vault."""
        offered = [card for card in self.cards if (not card.listed if adding else card.name == self.chosen)]
        given = any(card.keys_given for card in offered)
        if self.safe.kind == "vault" and not self.safe.open and not given:
            self.open_vault()
            self._after_vault = lambda: self.open_keys(adding=adding)
            return
        self._adding = adding
        self._flow.open("keys")

    def prepare(self, form: str) -> None:
        """A form of ours comes up."""
        if form == "keys":
            self._keys.open(self.cards, self.chosen, adding=self._adding)
        elif form == "vault":
            self._vault.open(self.safe)
        elif form == "remove" and self.card is not None:
            self._remove.open(self.card)

    def open_vault(self) -> None:
        self._flow.open("vault")

    def use_first(self) -> None:
        """The chosen gateway is the one that F12 takes."""
        self._change(self._till.setup.order([self.chosen], actor=self._actor))

    def _try_keys(self, keys: NewKeys) -> None:
        """Until the gateway has answered, Back stops it; nothing is kept then."""
        self._keys.show_busy(True)

        def kept(card: GatewayCard) -> None:
            self._keys.show_busy(False)
            self.chosen = card.name
            self._tests.pop(card.name, None)
            self._close_form("keys")
            self._flow.noted.emit(KeysForm.KEPT.format(gateway=card.title, account=card.account))
            self._changed()

        def refused(error: PosError) -> None:
            self._keys.show_busy(False)
            self._keys.other_account = isinstance(error, OtherAccount)
            self._keys.focus_first()

        self._trying = self._start(self._till.setup.add(keys, actor=self._actor), kept, refused)

    def _close_form(self, form: str) -> None:
        """Only the form that is done with: whoever works here may have gone on to something else."""
        if self._flow.overlay == form:
            self._flow.close()

    def _take_away(self) -> None:
        self._flow.close()
        self._tests.pop(self.chosen, None)
        self._change(self._till.setup.remove(self.chosen, actor=self._actor))

    def _switch(self, on: bool) -> None:
        """Said aloud: a tap on the switch may have been meant for something else."""

        def switched(card: GatewayCard) -> None:
            self._flow.noted.emit(
                (Gateways.SWITCHED_ON if on else Gateways.SWITCHED_OFF_NOTE).format(gateway=card.title)
            )
            self._changed()

        self._start(self._till.setup.enable(self.chosen, on, actor=self._actor), switched, lambda _: self.load())

    def _open_vault(self, passphrase: str) -> None:
        vaults = self._till.vaults
        make = vaults.create if self.safe.vault == "missing" else vaults.unlock

        def opened(safe: SafeView) -> None:
            then = self._after_vault
            self._close_form("vault")
            self._show_safe(safe)
            self._changed()
            if then is not None:
                then()

        self._start(make(passphrase, actor=self._actor), opened, lambda _: self._vault.focus_first())

    def _change(self, work: Coroutine[Any, Any, Any]) -> None:
        self._start(work, lambda _: self._changed(), lambda _: self.load())

    def _changed(self) -> None:
        self.enrolled.emit()
        self.load()

    def _start(
        self, work: Coroutine[Any, Any, Any], done: Callable[[Any], object], failed: Callable[[PosError], object]
    ) -> asyncio.Task[Any]:
        self.busy = True
        self.changed.emit()

        async def worked() -> Any:
            try:
                return await work
            finally:
                self.busy = False

        def wrong(error: PosError) -> None:
            self._flow.failed.emit(error)
            failed(error)
            self.changed.emit()

        return self._flow.ask(worked(), done, wrong)

    def _forget_typed(self) -> None:
        """A form that is not on screen holds nothing that was typed, and what it asked for is stopped."""
        if self._flow.overlay != "keys":
            self._keys.forget()
            self._stop_trying()
        if self._flow.overlay != "vault":
            self._vault.forget()
            self._after_vault = None

    def _stop_trying(self) -> None:
        trying, self._trying = self._trying, None
        if trying is not None and not trying.done():
            trying.cancel()
            trying.add_done_callback(lambda _: self._stopped())

    def _stopped(self) -> None:
        self._keys.show_busy(False)
        if self._flow.counter.ready:
            self.load()
