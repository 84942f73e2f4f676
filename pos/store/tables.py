"""The schema. The uniqueness that makes idempotency true stands here, not in code.

Append-only tables are guarded by triggers (`GUARDED`); see `pos.store.migrations`.
"""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    UniqueConstraint,
    text,
)

metadata = MetaData()

LIVE_PHASES = "('drafted', 'requesting', 'open', 'closing')"
GUARDED = ("fact", "sighting", "tender", "refund", "journal", "call_log", "z_report", "plan", "credit_note")


def _ms(name: str, *, nullable: bool = False) -> Column[int]:
    return Column(name, BigInteger, nullable=nullable)


def _text(name: str, default: str | None = "") -> Column[str]:
    return Column(name, Text, nullable=False, server_default=default)


meta = Table("meta", metadata, Column("key", String(100), primary_key=True), Column("value", Text, nullable=False))

product = Table(
    "product",
    metadata,
    Column("sku", String(100), primary_key=True),
    _text("name"),
    Column("price_minor", BigInteger, nullable=False),
    Column("tax_ppm", Integer, nullable=False, server_default="0"),
    _text("tax_name"),
    _text("barcode"),
    _text("category"),
    Column("favourite", Boolean, nullable=False),
    Column("position", Integer, nullable=False, server_default="0"),
    Index("ix_product_barcode", "barcode"),
)

orders = Table(
    "orders",
    metadata,
    Column("id", String(36), primary_key=True),
    Column("number", String(40), nullable=False, unique=True),
    Column("till", String(40), nullable=False),
    Column("currency", String(3), nullable=False),
    Column("life", String(10), nullable=False),
    Column("revision", Integer, nullable=False),
    Column("total_minor", BigInteger, nullable=False),
    _ms("created_at_ms"),
    Column("day", String(10), nullable=False),
    Column("key", String(200), unique=True),
    _text("cashier"),
    Column("completed", Boolean, nullable=False),
    _text("void_reason"),
    Column("version", Integer, nullable=False),
    Column("touch", BigInteger, nullable=False, server_default="0"),
    Column("money", String(10), nullable=False, server_default="unpaid"),
    Column("kept_minor", BigInteger, nullable=False, server_default="0"),
    Column("captured_minor", BigInteger, nullable=False, server_default="0"),
    Column("refunded_minor", BigInteger, nullable=False, server_default="0"),
    Column("returned_minor", BigInteger, nullable=False, server_default="0"),
    Column("owed_minor", BigInteger, nullable=False, server_default="0"),
    _text("flags"),
    CheckConstraint("total_minor >= 0", name="ck_orders_total"),
    Index("ix_orders_day", "day"),
    Index("ix_orders_created", "created_at_ms"),
    Index("ix_orders_touch", "touch"),
    Index("ix_orders_life", "life"),
)

revision = Table(
    "revision",
    metadata,
    Column("order_id", String(36), ForeignKey("orders.id"), primary_key=True),
    Column("revision", Integer, primary_key=True),
    Column("total_minor", BigInteger, nullable=False),
    Column("tax_included", Boolean, nullable=False),
    _text("lines", None),
    _ms("frozen_at_ms", nullable=True),
)

attempt = Table(
    "attempt",
    metadata,
    Column("id", String(36), primary_key=True),
    Column("order_id", String(36), ForeignKey("orders.id"), nullable=False),
    Column("no", Integer, nullable=False),
    Column("revision", Integer, nullable=False),
    Column("gateway", String(40), nullable=False),
    _text("account"),
    Column("mode", String(4), nullable=False),
    Column("amount_minor", BigInteger, nullable=False),
    Column("currency", String(3), nullable=False),
    Column("key", String(64), nullable=False, unique=True),
    Column("reference", String(60), nullable=False, unique=True),
    Column("phase", String(12), nullable=False),
    _ms("drafted_at_ms"),
    _ms("send_by_ms"),
    _text("link_id"),
    _text("url"),
    _text("token"),
    _text("qr_url"),
    _ms("expires_at_ms", nullable=True),
    _ms("shown_at_ms", nullable=True),
    _ms("closing_at_ms", nullable=True),
    _ms("fenced_at_ms", nullable=True),
    _text("fence_kind"),
    _ms("ended_at_ms", nullable=True),
    _text("reason"),
    _ms("look_due_at_ms", nullable=True),
    Column("looks_failed", Integer, nullable=False, server_default="0"),
    _ms("looked_at_ms", nullable=True),
    Column("share_minor", BigInteger),
    Column("due_minor", BigInteger),
    Column("kept_minor", BigInteger),
    Column("plan_no", Integer, nullable=False, server_default="0"),
    UniqueConstraint("order_id", "no", name="ux_attempt_no"),
    CheckConstraint("amount_minor > 0", name="ck_attempt_amount"),
    Index(
        "ux_live_attempt",
        "order_id",
        unique=True,
        sqlite_where=text(f"phase IN {LIVE_PHASES}"),
        postgresql_where=text(f"phase IN {LIVE_PHASES}"),
    ),
    Index(
        "ux_attempt_link",
        "gateway",
        "link_id",
        unique=True,
        sqlite_where=text("link_id <> ''"),
        postgresql_where=text("link_id <> ''"),
    ),
    Index("ix_attempt_look", "look_due_at_ms"),
)

plan = Table(
    "plan",
    metadata,
    Column("id", String(36), primary_key=True),
    Column("order_id", String(36), ForeignKey("orders.id"), nullable=False),
    Column("no", Integer, nullable=False),
    Column("revision", Integer, nullable=False),
    Column("kept_minor", BigInteger, nullable=False),
    _text("shares", None),
    _ms("made_at_ms"),
    _text("actor"),
    UniqueConstraint("order_id", "no", name="ux_plan_no"),
)

outbox = Table(
    "outbox",
    metadata,
    Column("id", String(36), primary_key=True),
    Column("order_id", String(36), nullable=False),
    _text("attempt_id"),
    _text("refund_id"),
    Column("gateway", String(40), nullable=False),
    _text("account"),
    Column("operation", String(20), nullable=False),
    Column("method", String(8), nullable=False),
    _text("path", None),
    _text("headers", None),
    Column("body", LargeBinary, nullable=False),
    _text("key"),
    _ms("made_at_ms"),
    _ms("send_by_ms", nullable=True),
    _ms("next_at_ms"),
    Column("state", String(8), nullable=False),
    _text("owner"),
    _ms("lease_until_ms"),
    Column("tries", Integer, nullable=False),
    Index("ix_outbox_due", "state", "next_at_ms"),
    Index("ix_outbox_attempt", "attempt_id"),
    Index("ix_outbox_refund", "refund_id"),
)

call_log = Table(
    "call_log",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("order_id", String(36), nullable=False),
    _text("attempt_id"),
    _ms("at_ms"),
    Column("operation", String(20), nullable=False),
    Column("source", String(20), nullable=False),
    Column("outcome", String(20), nullable=False),
    _text("message"),
    Column("status", Integer, nullable=False),
    Index("ix_call_order", "order_id"),
)

fact = Table(
    "fact",
    metadata,
    Column("seq", Integer, primary_key=True, autoincrement=True),
    Column("id", String(64), nullable=False, unique=True),
    Column("gateway", String(40), nullable=False),
    _text("account"),
    Column("mode", String(4), nullable=False),
    Column("kind", String(24), nullable=False),
    Column("object", String(200), nullable=False),
    _text("target"),
    Column("amount_minor", BigInteger),
    _text("currency"),
    _ms("at_ms", nullable=True),
    Column("fee_minor", BigInteger),
    _ms("seen_at_ms"),
    Index("ix_fact_object", "object"),
    Index("ix_fact_target", "target"),
    Index("ix_fact_kind_at", "kind", "at_ms"),
)

sighting = Table(
    "sighting",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("fact_id", String(64), ForeignKey("fact.id"), nullable=False),
    Column("source", String(10), nullable=False),
    _text("hint"),
    _ms("seen_at_ms"),
    _text("raw_sha256"),
    UniqueConstraint("fact_id", "source", "hint", name="ux_sighting"),
)

tender = Table(
    "tender",
    metadata,
    Column("id", String(36), primary_key=True),
    Column("order_id", String(36), ForeignKey("orders.id"), nullable=False),
    Column("method", String(12), nullable=False),
    Column("amount_minor", BigInteger, nullable=False),
    Column("currency", String(3), nullable=False),
    _ms("at_ms"),
    Column("given_minor", BigInteger, nullable=False),
    Column("rounding_minor", BigInteger, nullable=False),
    _text("attempt_id"),
    _text("payment"),
    _text("actor"),
    _text("reason"),
    _text("till"),
    _text("return_id"),
    _text("purpose"),
    _text("replaces"),
    Index("ix_tender_order", "order_id"),
)

credit_note = Table(
    "credit_note",
    metadata,
    Column("id", String(36), primary_key=True),
    Column("number", String(40), nullable=False, unique=True),
    Column("order_id", String(36), ForeignKey("orders.id"), nullable=False),
    Column("revision", Integer, nullable=False),
    Column("till", String(40), nullable=False),
    Column("currency", String(3), nullable=False),
    Column("total_minor", BigInteger, nullable=False),
    Column("tax_included", Boolean, nullable=False),
    _text("reason"),
    _text("asked_by"),
    _text("approved_by"),
    _ms("at_ms"),
    Column("day", String(10), nullable=False),
    Column("key", String(200), unique=True),
    _text("lines", None),
    CheckConstraint("total_minor >= 0", name="ck_credit_note_total"),
    Index("ix_credit_note_order", "order_id"),
)

refund = Table(
    "refund",
    metadata,
    Column("id", String(36), primary_key=True),
    Column("order_id", String(36), ForeignKey("orders.id"), nullable=False),
    Column("gateway", String(40), nullable=False),
    _text("account"),
    Column("payment", String(200), nullable=False),
    Column("amount_minor", BigInteger, nullable=False),
    Column("currency", String(3), nullable=False),
    Column("purpose", String(8), nullable=False),
    _text("reason"),
    _text("asked_by"),
    _text("approved_by"),
    Column("key", String(64), nullable=False, unique=True),
    _ms("asked_at_ms"),
    _text("return_id"),
    _text("replaces"),
    CheckConstraint("amount_minor > 0", name="ck_refund_amount"),
    Index("ix_refund_order", "order_id"),
)

problem = Table(
    "problem",
    metadata,
    Column("id", String(36), primary_key=True),
    Column("order_id", String(36), nullable=False),
    Column("code", String(3), nullable=False),
    _text("subject"),
    Column("action", String(20), nullable=False),
    Column("amount_minor", BigInteger, nullable=False),
    _ms("opened_at_ms"),
    _ms("closed_at_ms", nullable=True),
    _text("closed_by"),
    _text("resolution"),
    _text("gateway"),
    _text("payment"),
    UniqueConstraint("order_id", "code", "subject", name="ux_problem"),
    Index("ix_problem_open", "closed_at_ms"),
)

healed = Table(
    "healed",
    metadata,
    Column("order_id", String(36), primary_key=True),
    Column("code", String(3), primary_key=True),
    _text("gateway"),
    _ms("at_ms"),
    _text("source"),
    Index("ix_healed_at", "at_ms"),
)

parked = Table(
    "parked",
    metadata,
    Column("gateway", String(40), primary_key=True),
    Column("payment", String(200), primary_key=True),
    _text("account"),
    Column("mode", String(4), nullable=False),
    _text("owner"),
    Column("kind", String(10), nullable=False),
    Column("amount_minor", BigInteger, nullable=False),
    Column("currency", String(3), nullable=False),
    _ms("at_ms", nullable=True),
)

effect = Table(
    "effect",
    metadata,
    Column("order_id", String(36), primary_key=True),
    Column("effect", String(20), primary_key=True),
    Column("subject", String(200), primary_key=True),
    _ms("made_at_ms"),
    _ms("valid_until_ms"),
    Column("state", String(10), nullable=False, server_default="ready"),
)

journal = Table(
    "journal",
    metadata,
    Column("till", String(40), primary_key=True),
    Column("seq", Integer, primary_key=True, autoincrement=False),
    _ms("at_ms"),
    _text("actor"),
    Column("act", String(40), nullable=False),
    _text("subject"),
    _text("body"),
    Column("previous", String(64), nullable=False),
    Column("hash", String(64), nullable=False),
    Index("ix_journal_subject", "subject"),
)

hint = Table(
    "hint",
    metadata,
    Column("id", String(100), primary_key=True),
    Column("gateway", String(40), nullable=False),
    Column("kind", String(12), nullable=False),
    _text("link"),
    _text("payment"),
    _text("refund"),
    _text("reference"),
    _ms("received_at_ms"),
    Column("tries", Integer, nullable=False),
    _ms("next_at_ms"),
)

watermark = Table(
    "watermark", metadata, Column("gateway", String(40), primary_key=True), Column("at_ms", BigInteger, nullable=False)
)

sweep_run = Table(
    "sweep_run",
    metadata,
    Column("id", String(36), primary_key=True),
    Column("gateway", String(40), nullable=False),
    _ms("from_ms"),
    _ms("to_ms"),
    _ms("started_at_ms"),
    _ms("ended_at_ms", nullable=True),
    Column("complete", Boolean, nullable=False),
    Column("rows", Integer, nullable=False),
    Column("corrected", Integer, nullable=False),
    Column("duplicates", Integer, nullable=False),
    _text("note"),
    Index("ix_sweep_ended", "ended_at_ms"),
)

lease = Table(
    "lease",
    metadata,
    Column("name", String(60), primary_key=True),
    Column("owner", String(60), nullable=False),
    _ms("until_ms"),
)

shift = Table(
    "shift",
    metadata,
    Column("id", String(36), primary_key=True),
    Column("till", String(40), nullable=False),
    Column("no", Integer, nullable=False),
    _ms("opened_at_ms"),
    _text("opened_by"),
    Column("float_minor", BigInteger, nullable=False),
    _ms("closed_at_ms", nullable=True),
    _text("closed_by"),
    Column("counted_minor", BigInteger),
    UniqueConstraint("till", "no", name="ux_shift_no"),
    Index(
        "ux_open_shift",
        "till",
        unique=True,
        sqlite_where=text("closed_at_ms IS NULL"),
        postgresql_where=text("closed_at_ms IS NULL"),
    ),
)

z_entry = Table(
    "z_entry",
    metadata,
    Column("kind", String(20), primary_key=True),
    Column("subject", String(200), primary_key=True),
    Column("order_id", String(36), nullable=False),
    Column("till", String(40), nullable=False),
    Column("method", String(40), nullable=False),
    Column("amount_minor", BigInteger, nullable=False),
    Column("currency", String(3), nullable=False),
    _ms("at_ms"),
    _ms("captured_at_ms", nullable=True),
    _text("z_id"),
    Index("ix_z_entry_z", "z_id"),
)

z_report = Table(
    "z_report",
    metadata,
    Column("id", String(36), primary_key=True),
    Column("scope", String(60), nullable=False),
    Column("no", Integer, nullable=False),
    Column("day", String(10), nullable=False),
    _ms("at_ms"),
    _text("by"),
    _text("body", None),
    Column("previous", String(64), nullable=False),
    Column("hash", String(64), nullable=False),
    UniqueConstraint("scope", "no", name="ux_z_no"),
)

person = Table(
    "person",
    metadata,
    Column("name", String(100), primary_key=True),
    Column("role", String(20), nullable=False),
    _text("pin_hash"),
    Column("active", Boolean, nullable=False),
)

account = Table(
    "account",
    metadata,
    Column("gateway", String(40), primary_key=True),
    _text("account"),
    Column("mode", String(4), nullable=False),
    _text("name"),
    _text("key_print"),
)
