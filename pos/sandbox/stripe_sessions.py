"""Creating and ending a Checkout Session: what Stripe demands of the parameters, and its errors for the rest."""

from __future__ import annotations

from typing import Any

from pos.sandbox import lifecycle
from pos.sandbox.books import Books
from pos.sandbox.currencies import SUPPORTED, THREE_DECIMAL, maximum_minor, minimum_minor, written
from pos.sandbox.lifecycle import LinkOrder
from pos.sandbox.records import Link
from pos.sandbox.stripe_errors import error, invalid
from pos.sandbox.stripe_params import Params

SHORTEST_LIFE_S = 30 * 60
LONGEST_LIFE_S = 24 * 3600
CLOCK_MARGIN_S = 5  # between the caller's reading of our clock and now
MOST_LINES = 100
LONGEST_REFERENCE = 200  # characters
_METHODS = frozenset(
    "card upi netbanking link paypal ideal bancontact eps p24 sepa_debit us_bank_account klarna affirm alipay "
    "afterpay_clearpay wechat_pay amazon_pay revolut_pay cashapp blik twint grabpay konbini pix promptpay mobilepay "
    "swish".split()
)
# Taken and said back where Stripe does, but without effect on the sandbox's page.
_LOOKS = "billing_address_collection payment_method_collection customer_creation customer_email".split()


def create(books: Books, params: Params) -> Link:
    """Check everything, then open the link.

    Raises:
        ApiError: a parameter is missing, wrong or unknown; nothing was begun.
    """
    if params.choice("mode", "payment", "setup", "subscription") != "payment":
        raise invalid("The sandbox knows mode=payment only.", param="mode")
    params.choice("ui_mode", "hosted", "hosted_page")
    currency, lines = _lines(params)
    amount_minor = sum(line["unit_amount"] * line["quantity"] for line in lines)
    _check_total(currency, amount_minor)
    payment = params.sub("payment_intent_data")
    order = LinkOrder(
        amount_minor=amount_minor,
        currency=currency,
        title=lines[0]["name"] if len(lines) == 1 else f"{len(lines)} items",
        expires_at=_expiry(books, params),
        success_url=_address(params, "success_url", required=True) or "",
        cancel_url=_address(params, "cancel_url"),
        reference=params.text("client_reference_id", most=LONGEST_REFERENCE),
        manual_capture=payment.choice("capture_method", "automatic", "automatic_async", "manual") == "manual",
        metadata=params.metadata(),
        payment_metadata=payment.metadata(),
        details={"lines": lines, "description": payment.text("description"), **_looks(params)},
    )
    payment.text("statement_descriptor_suffix", most=22)
    payment.done()
    params.done()
    return lifecycle.open_link(books, order)


def _lines(params: Params) -> tuple[str, list[dict[str, Any]]]:
    rows = params.rows("line_items")
    if not rows:
        raise params.missing("line_items")
    if len(rows) > MOST_LINES:
        raise invalid(f"A Checkout Session can have up to {MOST_LINES} line items.", param="line_items")
    read = [_line(row) for row in rows]
    currencies = {currency for currency, _ in read}
    if len(currencies) > 1:
        raise invalid("All prices of a Checkout Session must have the same currency.", param="line_items")
    return currencies.pop(), [line for _, line in read]


def _line(row: Params) -> tuple[str, dict[str, Any]]:
    if row.text("price"):
        raise invalid("The sandbox keeps no prices: use price_data.", param=row.name("price"))
    quantity = row.integer("quantity")
    if quantity is None:
        raise row.missing("quantity")
    if quantity < 1:
        raise invalid("This value must be greater than or equal to 1.", param=row.name("quantity"))
    price = row.sub("price_data")
    currency = price.needed("currency", most=10)
    if currency not in SUPPORTED:
        known = ", ".join(sorted(SUPPORTED))
        message = f"Invalid currency: {currency}. Stripe currently supports these currencies: {known}"
        raise invalid(message, param=price.name("currency"))
    unit_amount = price.integer("unit_amount")
    if unit_amount is None:
        raise price.missing("unit_amount")
    if unit_amount < 0:
        raise invalid("This value must be greater than or equal to 0.", param=price.name("unit_amount"))
    name = _product(price)
    price.choice("tax_behavior", "exclusive", "inclusive", "unspecified")
    price.done()
    row.done()
    return currency, {"name": name, "unit_amount": unit_amount, "quantity": quantity}


def _product(price: Params) -> str:
    product = price.sub("product_data")
    name = product.needed("name", most=5000)
    product.text("description", most=5000)
    product.metadata()
    product.words("images")
    product.text("tax_code")
    product.done()
    return name


def _check_total(currency: str, amount_minor: int) -> None:
    least, most = minimum_minor(currency), maximum_minor(currency)
    if amount_minor < least:
        message = (
            f"The Checkout Session's total amount due must add up to at least {written(least, currency)} {currency}"
        )
        raise error(400, "invalid_request_error", message, code="amount_too_small")
    if amount_minor > most:
        message = f"The Checkout Session's total amount due must be no more than {written(most, currency)} {currency}"
        raise error(400, "invalid_request_error", message, code="amount_too_large")
    if currency in THREE_DECIMAL and amount_minor % 10:
        raise invalid(
            f"Amounts in {currency} must be rounded to the nearest ten (a last digit of 0).", param="line_items"
        )


def _expiry(books: Books, params: Params) -> int:
    asked = params.integer("expires_at")
    if asked is None:
        return books.now + LONGEST_LIFE_S
    if asked < books.now + SHORTEST_LIFE_S - CLOCK_MARGIN_S:
        message = "The `expires_at` timestamp must be at least 30 minutes from Checkout Session creation."
        raise invalid(message, param="expires_at")
    if asked > books.now + LONGEST_LIFE_S + CLOCK_MARGIN_S:
        message = "The `expires_at` timestamp must be less than 24 hours from Checkout Session creation."
        raise invalid(message, param="expires_at")
    return asked


def _address(params: Params, name: str, *, required: bool = False) -> str | None:
    value = params.text(name, most=5000, required=required)
    if value is not None and not value.startswith(("https://", "http://")):
        raise invalid("Not a valid URL", param=name, code="url_invalid")
    return value


def _looks(params: Params) -> dict[str, Any]:
    for name in _LOOKS:
        params.text(name)
    for name in ("automatic_tax", "phone_number_collection", "invoice_creation"):
        if params.sub(name).flag("enabled"):
            raise invalid(f"The sandbox does not know {name}.", param=name)
    methods = params.words("payment_method_types")
    for number, method in enumerate(methods):
        if method not in _METHODS:
            raise invalid(f"Invalid payment method type: {method}", param=f"payment_method_types[{number}]")
    return {
        "payment_method_types": methods,
        "locale": params.text("locale"),
        "submit_type": params.choice("submit_type", "auto", "book", "donate", "pay", "subscribe"),
        "adaptive_pricing": params.sub("adaptive_pricing").flag("enabled") or False,
    }
