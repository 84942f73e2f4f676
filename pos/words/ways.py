"""How gateways and ways to pay are called. Never a decision."""

from __future__ import annotations

from pos.words.happened import Methods

TITLES = {"stripe": "Stripe", "razorpay": "Razorpay", "mollie": "Mollie"}


def gateway_title(name: str) -> str:
    return TITLES.get(name, name.replace("_", " ").title())


def way_text(way: str, gateway: str) -> str:
    """How a share of a plan is to be paid: `way` is qr, terminal or cash."""
    if way == "qr":
        return Methods.QR.format(gateway=gateway_title(gateway)) if gateway else str(Methods.ANY_QR)
    return str(Methods.CASH if way == "cash" else Methods.TERMINAL)
