"""One account's books inside one open transaction: find, write, announce. What may happen to money is in lifecycle.

Every announcement becomes an event, and one delivery per endpoint, in the same transaction as its cause.
"""

from __future__ import annotations

import json
import time
from dataclasses import dataclass
from typing import Any

from pos.sandbox.currencies import fee_minor
from pos.sandbox.dialect import Change, Dialect, random_text
from pos.sandbox.records import Account, Dispute, Endpoint, Entry, Intent, Link, Payment, Refund
from pos.sandbox.store import R, Tx


class Refusal(Exception):
    """The bank says no. `reason` is one of the bank's own words; a dialect puts it into its own."""

    def __init__(self, reason: str, **facts: Any) -> None:
        super().__init__(reason)
        self.reason = reason
        self.facts = facts


@dataclass(frozen=True, slots=True)
class Settings:
    """What can be set while the bank runs. Amounts in minor units, times in seconds."""

    pending_s: float = 40.0
    fee_per_mille: int = 29
    fee_fixed_minor: int = 30
    dispute_fee_minor: int = 1500
    available_after_s: int = 0
    clock_offset_s: float = 0.0
    public_url: str = ""  # where pay pages are reached; known when the bank serves, never stored


@dataclass(frozen=True, slots=True)
class Cause:
    """The API request that is being carried out, if one is."""

    request: str | None = None
    key: str | None = None


class Books:
    """Finds and writes records of one account. Not kept beyond its transaction."""

    def __init__(self, tx: Tx, account: Account, dialect: Dialect, settings: Settings, cause: Cause) -> None:
        self.tx = tx
        self.account = account
        self.dialect = dialect
        self.settings = settings
        self.cause = cause
        self.clock = time.time() + settings.clock_offset_s  # the bank's own clock, for all its stamps
        self.lists_until: float | None = None
        """Of a report that is late: what was made after this is not listed yet."""

    @property
    def now(self) -> int:
        return int(self.clock)

    def find(self, record: type[R], record_id: str) -> R | None:
        return self.tx.one(record, "WHERE id = ? AND account = ?", record_id, self.account.id)

    def get(self, record: type[R], record_id: str) -> R:
        """A record that is known to exist.

        Raises:
            Refusal: `missing`, with the table and id.
        """
        found = self.find(record, record_id)
        if found is None:
            raise Refusal("missing", what=record.TABLE, id=record_id)
        return found

    def add(self, record: type[R], **values: object) -> R:
        """Insert a new record with an id of the dialect, owned by this account, created now."""
        new_id = self.dialect.new_id(record.TABLE, str(values.get("method") or values.get("kind") or ""))
        row = {"id": new_id, "account": self.account.id, "created": self.now, **values}
        self.tx.insert(record.TABLE, row)
        return self.get(record, new_id)

    def intents_of(self, link: Link) -> list[Intent]:
        """Oldest first; the first is the link's own, later ones were forced."""
        return self.tx.many(Intent, "WHERE link = ? ORDER BY forced, seq", link.id)

    def payments_of_intent(self, intent: Intent) -> list[Payment]:
        """Newest first."""
        return self.tx.many(Payment, "WHERE intent = ? ORDER BY seq DESC", intent.id)

    def payments_of_link(self, link: Link) -> list[Payment]:
        return self.tx.many(Payment, "WHERE link = ? ORDER BY seq DESC", link.id)

    def refunds_of(self, payment: Payment) -> list[Refund]:
        """Newest first."""
        return self.tx.many(Refund, "WHERE payment = ? ORDER BY seq DESC", payment.id)

    def disputes_of(self, payment: Payment) -> list[Dispute]:
        return self.tx.many(Dispute, "WHERE payment = ? ORDER BY seq DESC", payment.id)

    def refunded_minor(self, payment: Payment) -> int:
        return sum(refund.amount_minor for refund in self.refunds_of(payment) if refund.state != "failed")

    def post(
        self, kind: str, source: str, amount_minor: int, fee: int, *, like: Payment | None, currency: str, tax: int = 0
    ) -> Entry:
        """Move the account's balance by `amount_minor - fee`, in both signs; `tax` is inside the fee."""
        method = like.method if like else ""
        available = self.now + (self.settings.available_after_s if kind != "payout" else 0)
        values: dict[str, object] = {"kind": kind, "amount_minor": amount_minor, "fee_minor": fee, "tax_minor": tax}
        return self.add(Entry, **values, currency=currency, source=source, method=method, available_at=available)

    @property
    def options(self) -> dict[str, Any]:
        """What holds for this account: what was set for it, else what its dialect says."""
        return {**self.dialect.account_options, **self.account.more}

    def fee_of(self, amount_minor: int) -> tuple[int, int]:
        """(fee, the tax inside it), by the account's own rates if it has any, else by the bank's."""
        rates = {"fee_per_mille": self.settings.fee_per_mille, "fee_fixed_minor": self.settings.fee_fixed_minor}
        rates = {name: self.options.get(name, rate) for name, rate in rates.items()}
        fee = fee_minor(amount_minor, rates["fee_per_mille"], rates["fee_fixed_minor"])
        tax = (fee * int(self.options.get("fee_tax_percent", 0)) * 2 + 100) // 200
        return min(amount_minor, fee + tax), min(tax, amount_minor - fee)

    def announce(self, kind: str, subject: str) -> None:
        """Write the events of a change, and a delivery of each to every endpoint of the account."""
        endpoints = self.tx.many(Endpoint, "WHERE account = ? AND enabled = 1 ORDER BY seq", self.account.id)
        for spoken in self.dialect.spell(self, Change(kind, subject)):
            event = self.dialect.new_id("event")
            row = {"id": event, "account": self.account.id, "created": self.now, "type": spoken.type}
            cause = {"request": self.cause.request, "request_key": self.cause.key}
            self.tx.insert("event", {**row, "object": json.dumps(spoken.object), **cause})
            for endpoint in endpoints:
                self._send_later(event, endpoint)

    def _send_later(self, event: str, endpoint: Endpoint) -> None:
        row = {"id": "dlv_" + random_text(16), "event": event, "endpoint": endpoint.id, "state": "pending"}
        self.tx.insert(
            "delivery", {**row, "tries": 0, "next_at": time.time(), "met_faults": 0, "secret": endpoint.secret}
        )
