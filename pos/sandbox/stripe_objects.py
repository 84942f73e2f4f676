"""The ledger's records as Stripe's objects: every key Stripe has, a null where the sandbox has nothing to say.

Only rendering: nothing is decided, and nothing written. References stay ids; `stripe_expand` follows them.
"""

from __future__ import annotations

import json
from typing import Any

from pos.sandbox.books import Books
from pos.sandbox.records import Dispute, Entry, Event, Intent, Link, Payment, Payout, Refund

Object = dict[str, Any]
PAGE_PREFIX = "/c/pay/"
DECLINED = "Your card was declined."
DUE_AFTER_S = 7 * 24 * 3600  # evidence in a dispute


def _nulls(names: str) -> Object:
    return dict.fromkeys(names.split())


_ADDRESS = "city country line1 line2 postal_code state"


# -- checkout session --------------------------------------------------------------------------------------------------


def session(books: Books, link: Link) -> Object:
    intents = books.intents_of(link)
    return {
        "id": link.id,
        "object": "checkout.session",
        **_session_money(books, link),
        "client_reference_id": link.reference,
        "created": link.created,
        "expires_at": link.expires_at,
        "livemode": False,
        "metadata": json.loads(link.metadata),
        "mode": "payment",
        "payment_intent": intents[0].id if intents else None,
        "status": link.state,
        "success_url": link.success_url or None,
        "cancel_url": link.cancel_url,
        "url": f"{books.settings.public_url}{PAGE_PREFIX}{link.id}" if link.state == "open" else None,
        **_session_form(link),
        **_nulls(
            "after_expiration allow_promotion_codes billing_address_collection client_secret consent "
            "consent_collection currency_conversion customer customer_account customer_email discounts invoice "
            "collected_information integration_identifier origin_context payment_link permissions recovered_from "
            "payment_method_configuration_details saved_payment_method_options setup_intent "
            "shipping_address_collection shipping_cost subscription wallet_options"
        ),
    }


def _session_money(books: Books, link: Link) -> Object:
    paid = any(payment.state == "captured" for payment in books.payments_of_link(link))
    return {
        "amount_subtotal": link.amount_minor,
        "amount_total": link.amount_minor,
        "currency": link.currency,
        "payment_status": "paid" if paid else "unpaid",
        "total_details": {"amount_discount": 0, "amount_shipping": 0, "amount_tax": 0},
    }


def _session_form(link: Link) -> Object:
    """How the page was asked to look; the sandbox's page looks one way."""
    more = link.more
    details = None
    if link.state == "complete":
        nobody = _nulls("business_name email individual_name name phone tax_ids")
        details = {"address": _nulls(_ADDRESS), "tax_exempt": "none", **nobody}
    return {
        "adaptive_pricing": {"enabled": bool(more.get("adaptive_pricing", False))},
        "automatic_tax": {"enabled": False, "liability": None, "provider": None, "status": None},
        "custom_fields": [],
        "custom_text": _nulls("after_submit shipping_address submit terms_of_service_acceptance"),
        "customer_creation": "if_required",
        "customer_details": details,
        "invoice_creation": {
            "enabled": False,
            "invoice_data": {
                **_nulls("account_tax_ids custom_fields description footer issuer rendering_options"),
                "metadata": {},
            },
        },
        "locale": more.get("locale"),
        "managed_payments": {"enabled": False},
        "payment_method_collection": "always",
        "payment_method_options": {},
        "payment_method_types": more.get("payment_method_types") or ["card"],
        "phone_number_collection": {"enabled": False},
        "shipping_options": [],
        "submit_type": more.get("submit_type"),
        "ui_mode": "hosted",
    }


def line_items(books: Books, link: Link) -> Object:
    """The session's lines, as a list object."""
    rows = [_line(link, number, line) for number, line in enumerate(link.more.get("lines", []), 1)]
    return {"object": "list", "data": rows, "has_more": False, "url": f"/v1/checkout/sessions/{link.id}/line_items"}


def _line(link: Link, number: int, line: Object) -> Object:
    total = line["unit_amount"] * line["quantity"]
    price: Object = {
        "id": f"price_{link.id[8:24]}{number}",
        "object": "price",
        "active": False,
        "billing_scheme": "per_unit",
        "created": link.created,
        "currency": link.currency,
        "livemode": False,
        "metadata": {},
        "product": f"prod_{link.id[8:20]}{number}",
        "type": "one_time",
        "unit_amount": line["unit_amount"],
        "unit_amount_decimal": str(line["unit_amount"]),
        **_nulls("custom_unit_amount lookup_key nickname recurring tax_behavior tiers_mode transform_quantity"),
    }
    return {
        "id": f"li_{link.id[8:24]}{number}",
        "object": "item",
        "amount_discount": 0,
        "amount_subtotal": total,
        "amount_tax": 0,
        "amount_total": total,
        "currency": link.currency,
        "description": line["name"],
        "price": price,
        "quantity": line["quantity"],
    }


# -- payment intent ----------------------------------------------------------------------------------------------------


def intent_status(intent: Intent, payments: list[Payment]) -> str:
    """Stripe's word; `payments` newest first."""
    states = [payment.state for payment in payments]
    if "captured" in states:
        return "succeeded"
    if intent.canceled_at is not None:
        return "canceled"
    newest = states[0] if states else "none"
    return {"pending": "processing", "authorized": "requires_capture"}.get(newest, "requires_payment_method")


def intent(books: Books, record: Intent) -> Object:
    payments = books.payments_of_intent(record)
    newest = payments[0] if payments else None
    link = books.get(Link, record.link)
    status = intent_status(record, payments)
    authorized = record.amount_minor if status == "requires_capture" else 0
    return {
        "id": record.id,
        "object": "payment_intent",
        "amount": record.amount_minor,
        "amount_capturable": authorized,
        "amount_details": {"tip": {}},
        "amount_received": sum(payment.captured_minor for payment in payments),
        "automatic_payment_methods": None,
        "canceled_at": record.canceled_at,
        "cancellation_reason": "automatic" if record.canceled_at else None,
        "capture_method": "manual" if link.manual_capture else "automatic",
        "client_secret": f"{record.id}_secret_sandbox",
        "confirmation_method": "automatic",
        "created": record.created,
        "currency": record.currency,
        "description": link.more.get("description"),
        "last_payment_error": _last_error(newest) if newest and newest.state == "failed" else None,
        "latest_charge": newest.id if newest else None,
        "livemode": False,
        "managed_payments": {"enabled": False},
        "metadata": json.loads(record.metadata),
        "payment_method": method_id(newest) if newest and newest.state != "failed" else None,
        "payment_method_options": {},
        "payment_method_types": link.more.get("payment_method_types") or ["card"],
        "status": status,
        **_nulls(
            "application application_fee_amount customer customer_account excluded_payment_method_types next_action "
            "on_behalf_of payment_method_configuration_details processing receipt_email review setup_future_usage "
            "shipping source statement_descriptor statement_descriptor_suffix transfer_data transfer_group"
        ),
    }


def _last_error(payment: Payment) -> Object:
    return {
        "charge": payment.id,
        "code": payment.failure_code,
        "decline_code": "generic_decline",
        "doc_url": "https://stripe.com/docs/error-codes/card-declined",
        "message": DECLINED,
        "type": "card_error",
    }


def method_id(payment: Payment) -> str:
    return "pm_" + payment.id.partition("_")[2]


# -- charge ------------------------------------------------------------------------------------------------------------


def charge(books: Books, record: Payment) -> Object:
    refunded = record.amount_minor if record.state == "voided" else books.refunded_minor(record)
    status = {"failed": "failed", "pending": "pending"}.get(record.state, "succeeded")
    declined = record.state == "failed"
    return {
        "id": record.id,
        "object": "charge",
        "amount": record.amount_minor,
        "amount_captured": record.captured_minor,
        "amount_refunded": refunded,
        "balance_transaction": record.entry,
        "billing_details": {"address": _nulls(_ADDRESS), **_nulls("email name phone tax_id")},
        "calculated_statement_descriptor": "SANDBOX",
        "captured": record.state == "captured",
        "created": record.created,
        "currency": record.currency,
        "description": books.get(Link, record.link).more.get("description"),
        "disputed": bool(books.disputes_of(record)),
        "failure_code": record.failure_code,
        "failure_message": DECLINED if declined else None,
        "fraud_details": {},
        "livemode": False,
        "metadata": json.loads(record.metadata),
        "outcome": None if status == "pending" else _outcome(declined),
        "paid": status == "succeeded",
        "payment_intent": record.intent,
        "payment_method": method_id(record),
        "payment_method_details": _method_details(record),
        "receipt_url": f"{books.settings.public_url}{PAGE_PREFIX}{record.link}",
        "refunded": refunded == record.amount_minor,
        "status": status,
        **_nulls(
            "application application_fee application_fee_amount customer failure_balance_transaction on_behalf_of "
            "receipt_email receipt_number review shipping source source_transfer statement_descriptor "
            "statement_descriptor_suffix transfer_data transfer_group"
        ),
    }


def _outcome(declined: bool) -> Object:
    return {
        "advice_code": "try_again_later" if declined else None,
        "network_advice_code": None,
        "network_decline_code": None,
        "network_status": "declined_by_network" if declined else "approved_by_network",
        "reason": "generic_decline" if declined else None,
        "risk_level": "normal",
        "seller_message": "The bank did not return any further details with this decline."
        if declined
        else "Payment complete.",
        "type": "issuer_declined" if declined else "authorized",
    }


def _method_details(payment: Payment) -> Object:
    if payment.method != "card":
        return {"type": payment.method, payment.method: {}}
    unavailable = {"status": "unavailable"}
    card: Object = {
        "amount_authorized": payment.amount_minor,
        "brand": "visa",
        "checks": {"address_line1_check": None, "address_postal_code_check": None, "cvc_check": "pass"},
        "country": "US",
        "exp_month": 12,
        "exp_year": 2040,
        "extended_authorization": {"status": "disabled"},
        "fingerprint": "sandboxsandbox00",
        "funding": "credit",
        "incremental_authorization": unavailable,
        "last4": "4242",
        "multicapture": unavailable,
        "network": "visa",
        "network_token": {"used": False},
        "overcapture": {"maximum_amount_capturable": payment.amount_minor, **unavailable},
        "regulated_status": "unregulated",
        **_nulls(
            "authorization_code installments mandate network_transaction_id three_d_secure transaction_link_id wallet"
        ),
    }
    return {"type": "card", "card": card}


# -- what comes after --------------------------------------------------------------------------------------------------


def refund(books: Books, record: Refund) -> Object:
    payment = books.get(Payment, record.payment)
    made: Object = {
        "id": record.id,
        "object": "refund",
        "amount": record.amount_minor,
        "balance_transaction": record.entry,
        "charge": record.payment,
        "created": record.created,
        "currency": record.currency,
        "destination_details": _refund_destination(payment),
        "metadata": json.loads(record.metadata),
        "payment_intent": payment.intent,
        "payment_method": method_id(payment),
        "reason": record.reason,
        "status": record.state,
        **_nulls("customer customer_account receipt_number source_transfer_reversal transfer_reversal"),
    }
    if record.state == "failed":
        made["failure_reason"] = record.failure_reason
        made["failure_balance_transaction"] = record.failure_entry
    return made


def _refund_destination(payment: Payment) -> Object:
    if payment.method != "card":
        return {"type": payment.method, payment.method: {}}
    reference = {"reference_status": "pending", "reference_type": "acquirer_reference_number"}
    return {"type": "card", "card": {**reference, "type": "refund"}}


_ENTRY_TYPES = {  # kind -> (type for cards, type for the rest, reporting category)
    "payment": ("charge", "payment", "charge"),
    "refund": ("refund", "payment_refund", "refund"),
    "refund_failure": ("refund_failure", "payment_failure_refund", "refund_failure"),
    "dispute": ("adjustment", "adjustment", "dispute"),
    "dispute_reversal": ("adjustment", "adjustment", "dispute_reversal"),
    "payout": ("payout", "payout", "payout"),
}


def entry_type(entry: Entry) -> str:
    cards, others, _ = _ENTRY_TYPES[entry.kind]
    return cards if entry.method in ("card", "") else others


def entry_kinds(wanted_type: str) -> list[tuple[str, bool]]:
    """The (kind, by card) pairs that are shown as a type of Stripe's."""
    cards = [(kind, True) for kind, words in _ENTRY_TYPES.items() if words[0] == wanted_type]
    return cards + [(kind, False) for kind, words in _ENTRY_TYPES.items() if words[1] == wanted_type]


def balance_transaction(books: Books, record: Entry) -> Object:
    fees = [
        {
            "amount": record.fee_minor,
            "application": None,
            "currency": record.currency,
            "description": "Sandbox processing fees" if record.kind == "payment" else "Dispute fee",
            "type": "stripe_fee",
        }
    ]
    return {
        "id": record.id,
        "object": "balance_transaction",
        "amount": record.amount_minor,
        "available_on": record.available_at,
        "balance_type": "payments",
        "created": record.created,
        "currency": record.currency,
        "description": None,
        "exchange_rate": None,
        "fee": record.fee_minor,
        "fee_details": fees if record.fee_minor else [],
        "net": record.net_minor,
        "reporting_category": _ENTRY_TYPES[record.kind][2],
        "source": record.source,
        "status": "available" if record.available_at <= books.now else "pending",
        "type": entry_type(record),
    }


def payout(books: Books, record: Payout) -> Object:
    return {
        "id": record.id,
        "object": "payout",
        "amount": record.amount_minor,
        "arrival_date": record.created,
        "automatic": True,
        "balance_transaction": record.entry,
        "created": record.created,
        "currency": record.currency,
        "description": "STRIPE PAYOUT",
        "destination": f"ba_{books.account.id.partition('_')[2]}",
        "livemode": False,
        "metadata": {},
        "method": "standard",
        "reconciliation_status": "completed",
        "source_type": "card",
        "status": "paid",
        "trace_id": {"status": "pending", "value": None},
        "type": "bank_account",
        **_nulls(
            "application_fee application_fee_amount failure_balance_transaction failure_code failure_message "
            "original_payout payout_method reversed_by statement_descriptor"
        ),
    }


def dispute(books: Books, record: Dispute) -> Object:
    entries = [record.entry, *([record.reversal_entry] if record.reversal_entry else [])]
    return {
        "id": record.id,
        "object": "dispute",
        "amount": record.amount_minor,
        "balance_transactions": [balance_transaction(books, books.get(Entry, entry)) for entry in entries if entry],
        "charge": record.payment,
        "created": record.created,
        "currency": record.currency,
        "enhanced_eligibility_types": [],
        "evidence": _EVIDENCE | {"enhanced_evidence": {}},
        "evidence_details": {
            "due_by": record.created + DUE_AFTER_S,
            "enhanced_eligibility": {},
            "has_evidence": False,
            "past_due": False,
            "submission_count": 0,
        },
        "is_charge_refundable": False,
        "livemode": False,
        "metadata": {},
        "payment_intent": books.get(Payment, record.payment).intent,
        "payment_method_details": {
            "card": {"brand": "visa", "case_type": "chargeback", "network": "visa", "network_reason_code": "10.4"},
            "type": "card",
        },
        "reason": record.reason,
        "status": {"open": "needs_response"}.get(record.state, record.state),
    }


_EVIDENCE = _nulls(
    "access_activity_log billing_address cancellation_policy cancellation_policy_disclosure cancellation_rebuttal "
    "customer_communication customer_email_address customer_name customer_purchase_ip customer_signature "
    "duplicate_charge_documentation duplicate_charge_explanation duplicate_charge_id product_description receipt "
    "refund_policy refund_policy_disclosure refund_refusal_explanation service_date service_documentation "
    "shipping_address shipping_carrier shipping_date shipping_documentation shipping_tracking_number "
    "uncategorized_file uncategorized_text"
)


def event(record: Event, pending_webhooks: int, api_version: str) -> Object:
    return {
        "id": record.id,
        "object": "event",
        "api_version": api_version,
        "created": record.created,
        "data": {"object": json.loads(record.object)},
        "livemode": False,
        "pending_webhooks": pending_webhooks,
        "request": {"id": record.request, "idempotency_key": record.request_key},
        "type": record.type,
    }
