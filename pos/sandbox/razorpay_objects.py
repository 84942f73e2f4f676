"""The ledger's records as Razorpay's entities: every key it documents, a null where the sandbox has nothing to say.

Only rendering: nothing is decided, and nothing written. No entity names its mode, as at Razorpay.
"""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import quote, urlencode

from pos.sandbox.books import Books
from pos.sandbox.currencies import exponent
from pos.sandbox.records import Dispute, Entry, Intent, Link, Payment, Payout, Refund

Object = dict[str, Any]
PAGE_PREFIX = "/i/"
IMAGE_PREFIX = "/q/"
RESPOND_WITHIN_S = 7 * 24 * 3600
NOBODY = {"email": "void@razorpay.com", "contact": "+919000090000"}  # what checkout says where it was told nothing


def _nulls(names: str) -> Object:
    return dict.fromkeys(names.split())


def notes(text: str) -> Object | list[Any]:
    """An object, or an empty *list*, as PHP has it."""
    return json.loads(text) or []


# -- what can be paid --------------------------------------------------------------------------------------------------


def captured_of(books: Books, link: Link) -> list[Payment]:
    """Oldest first."""
    return [payment for payment in reversed(books.payments_of_link(link)) if payment.state == "captured"]


def link_status(link: Link) -> str:
    if link.state == "complete":
        return "paid"
    return {"open": "created"}.get(link.state, "expired" if link.close_reason == "time" else "cancelled")


def payment_link(books: Books, link: Link) -> Object:
    more, status, paid = link.more, link_status(link), captured_of(books, link)
    order = next(iter(books.intents_of(link)), None)
    made: Object = {
        "accept_partial": False,
        "amount": link.amount_minor,
        "amount_paid": sum(payment.captured_minor for payment in paid),
        "callback_method": more["callback_method"] or "",
        "callback_url": link.success_url,
        "cancelled_at": link.closed_at or 0 if status == "cancelled" else 0,
        "created_at": link.created,
        "currency": link.currency.upper(),
        "customer": more["customer"],
        "description": more["description"],
        "expire_by": more["expire_by"],
        "expired_at": link.closed_at or 0 if status == "expired" else 0,
        "first_min_partial_amount": 0,
        "id": link.id,
        "notes": json.loads(link.metadata) or None,
        "notify": more["notify"],
        "payments": [_paid_through(link, payment) for payment in paid] or None,
        "reference_id": link.reference or "",
        "reminder_enable": more["reminder_enable"],
        "reminders": [],
        "short_url": f"{books.settings.public_url}{PAGE_PREFIX}{link.page}",
        "status": status,
        "updated_at": _updated(books, link),
        "upi_link": more["upi_link"],
        "user_id": "",
        "whatsapp_link": False,
    }
    if order is not None:
        made["order_id"] = order.id
    return made


def _paid_through(link: Link, payment: Payment) -> Object:
    return {
        "amount": payment.captured_minor,
        "created_at": payment.created,
        "method": payment.method,
        "payment_id": payment.id,
        "plink_id": link.id,
        "status": "captured",
        "updated_at": payment.captured_at,
    }


def _updated(books: Books, link: Link) -> int:
    stamps = [link.created, link.closed_at, link.more.get("patched_at")]
    stamps += [payment.captured_at or payment.created for payment in books.payments_of_link(link)]
    return max(stamp for stamp in stamps if stamp)


def qr_code(books: Books, link: Link) -> Object:
    more, paid = link.more, captured_of(books, link)
    return {
        "id": link.id,
        "entity": "qr_code",
        "created_at": link.created,
        "name": more["name"],
        "usage": "single_use",
        "type": "upi_qr",
        "image_url": f"{books.settings.public_url}{IMAGE_PREFIX}{link.page}.svg",
        "image_content": upi_text(books, link),
        "payment_amount": link.amount_minor,
        "status": "active" if link.state == "open" else "closed",
        "description": more["description"],
        "fixed_amount": True,
        "payments_amount_received": sum(payment.captured_minor for payment in paid),
        "payments_count_received": len(paid),
        "notes": notes(link.metadata),
        "customer_id": None,
        "close_by": more["close_by"],
        "closed_at": link.closed_at,
        # "on_demand" and "paid" are documented; for a code whose time is over nothing is
        "close_reason": {"asked": "on_demand", "paid": "paid"}.get(link.close_reason or ""),
        "tax_invoice": [],
    }


def upi_reference(link: Link) -> str:
    """What a QR code's text carries to be known by again."""
    return f"RZP{link.id.partition('_')[2]}qrv2"


def upi_text(books: Books, link: Link) -> str:
    """`upi://pay?...`, what a QR code carries."""
    return "upi://pay?" + urlencode(upi_fields(books, link), safe="@", quote_via=quote)


def upi_fields(books: Books, link: Link) -> dict[str, str]:
    """After NPCI's linking specification: the amount in major units with a point."""
    decimals = exponent(link.currency)
    whole, rest = divmod(link.amount_minor, 10**decimals)
    fields = {
        "ver": "01",
        "mode": "15",
        "pa": books.options["vpa"],
        "pn": books.account.name,
        "tr": upi_reference(link),
        "tn": link.title[:50],
        "am": f"{whole}.{rest:0{decimals}d}" if decimals else str(whole),
        "cu": link.currency.upper(),
        "mc": "5411",
        "qrMedium": "04",
    }
    return {name: value for name, value in fields.items() if value}


def order(books: Books, record: Intent) -> Object:
    link = books.get(Link, record.link)
    payments = books.payments_of_intent(record)
    paid = sum(payment.captured_minor for payment in payments)
    status = "paid" if paid else "attempted" if payments else "created"
    return {
        "id": record.id,
        "entity": "order",
        "amount": link.amount_minor,
        "amount_paid": paid,
        "amount_due": max(0, link.amount_minor - paid),
        "attempts": len(payments),
        "created_at": record.created,
        "currency": link.currency.upper(),
        "notes": notes(link.metadata),
        "offer_id": None,
        "receipt": link.reference,
        "status": status,
    }


# -- payments ----------------------------------------------------------------------------------------------------------

_METHODS = {"card": "card", "upi": "upi", "netbanking": "netbanking", "ideal": "card", "paypal": "wallet"}
_FAILED = {
    "timed_out": ("Payment was not completed on time.", "customer", "payment_authentication", "payment_timed_out"),
    "card_declined": (
        "Your payment has been declined by the bank. No money was taken.",
        "bank",
        "payment_authorization",
        "payment_declined",
    ),
}
_FAILED_OTHERWISE = ("Payment failed at the bank.", "gateway", "payment_response", "payment_failed")


def payment_status(payment: Payment, refunded_minor: int) -> str:
    if payment.state == "voided" or (payment.state == "captured" and refunded_minor >= payment.captured_minor):
        return "refunded"
    return {"pending": "created"}.get(payment.state, payment.state)


def payment(books: Books, record: Payment) -> Object:
    link = books.get(Link, record.link)
    entry = books.find(Entry, record.entry) if record.entry else None
    refunded = record.amount_minor if record.state == "voided" else books.refunded_minor(record)
    method = _METHODS.get(record.method, record.method)
    return {
        "id": record.id,
        "entity": "payment",
        "amount": record.amount_minor,
        "currency": record.currency.upper(),
        "status": payment_status(record, refunded),
        "order_id": None if link.kind == "code" else record.intent,
        "invoice_id": None,
        "international": False,
        "method": method,
        "amount_refunded": refunded,
        "refund_status": None if not refunded else "full" if refunded >= record.amount_minor else "partial",
        "captured": record.state == "captured",
        "description": "QRv2 Payment" if link.kind == "code" else f"#{record.id[4:]}",
        "card_id": f"card_{record.id[4:]}" if method == "card" else None,
        "bank": "HDFC" if method == "netbanking" else None,
        "wallet": "payzapp" if method == "wallet" else None,
        "vpa": "success@razorpay" if method == "upi" else None,
        **NOBODY,
        "notes": [],  # neither the link's nor the order's: a payment says no more than its order's id
        "fee": entry.fee_minor if entry else None,
        "tax": entry.tax_minor if entry else None,
        **_error(record),
        "acquirer_data": _acquirer(record, method),
        "created_at": record.created,
    }


def _error(record: Payment) -> Object:
    if record.state != "failed":
        return _nulls("error_code error_description error_source error_step error_reason")
    description, source, step, reason = _FAILED.get(record.failure_code or "", _FAILED_OTHERWISE)
    return {
        "error_code": "BAD_REQUEST_ERROR",
        "error_description": description,
        "error_source": source,
        "error_step": step,
        "error_reason": reason,
    }


def _acquirer(record: Payment, method: str) -> Object:
    """The bank's own number, where the payment got as far as that."""
    known = f"{record.seq:012d}" if record.state in ("authorized", "captured", "voided") else None
    if method == "upi":
        return {"rrn": known, "upi_transaction_id": f"SANDBOX{known}" if known else None}
    return {"auth_code": known} if method == "card" else {"bank_transaction_id": known}


# -- what comes after --------------------------------------------------------------------------------------------------


def refund(books: Books, record: Refund) -> Object:
    speed = record.more.get("speed", "normal")
    return {
        "id": record.id,
        "entity": "refund",
        "amount": record.amount_minor,
        "currency": record.currency.upper(),
        "payment_id": record.payment,
        "notes": notes(record.metadata),
        "receipt": record.more.get("receipt"),
        "acquirer_data": {"arn": f"{record.seq:012d}" if record.state == "succeeded" else None},
        "created_at": record.created,
        "batch_id": None,
        "status": {"succeeded": "processed"}.get(record.state, record.state),
        "speed_processed": "normal" if record.state == "succeeded" else None,
        "speed_requested": speed,
    }


def dispute(books: Books, record: Dispute) -> Object:
    return {
        "id": record.id,
        "entity": "dispute",
        "payment_id": record.payment,
        "amount": record.amount_minor,
        "currency": record.currency.upper(),
        "amount_deducted": 0 if record.state == "won" else record.amount_minor,
        "reason_code": record.reason,
        "respond_by": record.created + RESPOND_WITHIN_S,
        "status": record.state,
        "phase": "chargeback",
        "created_at": record.created,
        "evidence": None,
    }


def utr(record: Payout) -> str:
    """The bank's number of the transfer."""
    return f"{record.created}{record.id[-6:].lower()}"


def settlement(books: Books, record: Payout) -> Object:
    """Payments less fees less refunds; `fees` includes `tax`."""
    inside = books.tx.many(Entry, "WHERE payout = ? AND kind != 'payout'", record.id)
    return {
        "id": record.id,
        "entity": "settlement",
        "amount": record.amount_minor,
        "status": "processed",
        "fees": sum(entry.fee_minor for entry in inside),
        "tax": sum(entry.tax_minor for entry in inside),
        "utr": utr(record),
        "created_at": record.created,
    }


_RECON_TYPES = {"payment": "payment", "refund": "refund"}


def recon_row(books: Books, entry: Entry, payout: Payout) -> Object:
    """One line of the settlement report, for a movement that was paid out."""
    net = entry.net_minor
    subject = _recon_subject(books, entry)
    link = books.get(Link, subject.link)
    dispute_id = entry.source if entry.kind.startswith("dispute") else None
    return {
        "entity_id": entry.source if entry.kind in _RECON_TYPES else entry.id,
        "type": _RECON_TYPES.get(entry.kind, "adjustment"),
        "debit": max(0, -net),
        "credit": max(0, net),
        "amount": abs(entry.amount_minor),
        "currency": entry.currency.upper(),
        "fee": entry.fee_minor,
        "tax": entry.tax_minor,
        "on_hold": False,
        "settled": True,
        "created_at": entry.created,
        "settled_at": payout.created,
        "settlement_id": payout.id,
        "posted_at": None,
        "credit_type": "default",
        "description": None if entry.kind in _RECON_TYPES else entry.kind.replace("_", " "),
        "notes": "{}",
        "payment_id": None if entry.kind == "payment" else subject.id,
        "settlement_utr": utr(payout),
        "order_id": None if link.kind == "code" else subject.intent,
        "order_receipt": None if link.kind == "code" else link.reference,
        "method": _METHODS.get(subject.method, subject.method),
        "card_network": "Visa" if subject.method == "card" else None,
        "card_issuer": None,
        "card_type": "credit" if subject.method == "card" else None,
        "dispute_id": dispute_id,
    }


def _recon_subject(books: Books, entry: Entry) -> Payment:
    """The payment that a movement is about."""
    if entry.kind == "payment":
        return books.get(Payment, entry.source)
    if entry.kind.startswith("dispute"):
        return books.get(Payment, books.get(Dispute, entry.source).payment)
    return books.get(Payment, books.get(Refund, entry.source).payment)
