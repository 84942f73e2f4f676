"""Words of what happened to an order: its timeline, its receipt, and how it was paid. Never a decision."""

from __future__ import annotations

from pos.words.language import Text


class Happened:
    SAVED = Text("Order saved on this till, {amount}")
    VOIDED = Text("Order voided: {reason}")
    LINK_ASKED = Text("Link {no} requested from {gateway}")
    LINK_READY = Text("Link {no} ready, QR shown")
    CLOSING = Text("Closing link {no}")
    OPENED = Text("Customer opened the payment page")
    CAME_BACK = Text("Customer came back from the payment page")
    WEBHOOK = Text("{gateway} says that something changed")
    NO_ANSWER = Text("Asked {gateway}, no answer: outcome unknown")
    NOT_SENT = Text("{gateway} could not be reached, nothing was sent")
    REFUSED = Text("{gateway} refused: {message}")
    NOT_FOUND = Text("{gateway} does not know this link")
    BUSY = Text("{gateway} asks us to wait")
    LINK_OPENED = Text("Link is open at {gateway}")
    LINK_CLOSED = Text("Link closed, it cannot be paid again")
    LINK_EXPIRED = Text("Link expired, it cannot be paid any more")
    PENDING = Text("Payment on its way, waiting for the bank…")
    FAILED = Text("A payment was declined; the link can be tried again")
    AUTHORIZED = Text("{amount} reserved, not yet taken")
    VOID = Text("The reservation was given back")
    CAPTURED = Text("{amount} captured at {gateway}")
    REVERSED = Text("{amount} taken back by {gateway}")
    REFUND_PENDING = Text("Refund of {amount} on its way")
    REFUND_SUCCEEDED = Text("{amount} refunded")
    REFUND_FAILED = Text("Refund of {amount} failed; the money is with us again")
    DISPUTE_OPEN = Text("The customer disputes {amount}")
    DISPUTE_LOST = Text("Dispute over {amount} lost")
    DISPUTE_WON = Text("Dispute over {amount} won")
    SPLIT = Text("Split planned: {parts}")
    SPLIT_DROPPED = Text("The split was taken back")
    TENDER = Text("{amount} taken in {method}")
    GIVEN_BACK = Text("{amount} given back in {method}")
    RETURN = Text("Credit note {number} over {amount}: {reason}")
    GIVEN_BACK_FOR = Text("{amount} given back in {method} instead: {reason}")
    REFUND_ASKED = Text("Refund of {amount} asked for: {reason}")
    RELEASED = Text("Link {no} given up by {actor}: {reason}")
    ABANDONED = Text("Link {no} was never shown: {reason}")
    IN_REPORT = Text("Payment is in the report of {gateway}")


class Methods:
    CASH = Text("Cash")
    TERMINAL = Text("Card terminal")
    BY_HAND = Text("By hand")
    QR = Text("QR · {gateway}")
    ANY_QR = Text("QR")
    BACK = Text("Given back in {method}")


class Receipt:
    ORDER = Text("Order {number}")
    TEST = Text("TEST - no money moved")
    COPY = Text("COPY")
    SUBTOTAL = Text("Subtotal")
    DISCOUNT = Text("Discount")
    TAX = Text("{name} included")
    TAX_ADDED = Text("{name}")
    TOTAL = Text("Total")
    GIVEN = Text("Given")
    CHANGE = Text("Change")
    LEFT = Text("Still to pay")
    THANKS = Text("Thank you")
    CREDIT_NOTE = Text("Credit note {number}")
    OF_SALE = Text("for order {number}")
    CREDITED = Text("Credited")
    REASON = Text("Reason: {reason}")
