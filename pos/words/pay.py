"""Words of a payment: the QR, the wait, the unknown, the paid, and what the customer's display says."""

from __future__ import annotations

from pos.words.language import Plural, Text


class Pay:
    SCAN_TO_PAY = Text("Scan to pay {shop}")
    SHOP_ORDER = Text("{shop} · order {number}")
    ORDER = Text("Order {number}")
    ATTEMPT = Text("Attempt {no} · {gateway}")
    EXPIRES_IN = Text("Expires in")
    EXPIRED = Text("Expired, waiting for the gateway’s word")
    OPEN_UNTIL_CLOSED = Text("Open until it is closed here")
    SAFE = Text("Safe to scan again: this code takes one payment.")
    SAFE_DISPLAY = Text("Also on the customer display. Safe to scan again: this code takes one payment.")
    QR_NAME = Text("QR code to pay {amount}")
    ASKING = Text("Asking {gateway} for a link…")
    CLOSING = Text("This link is being closed")
    CLOSING_HINT = Text("{gateway} has not confirmed yet that this link is closed. Do not take the money another way.")
    CHECK = Text("Check now")
    PRINT_QR = Text("Print QR")
    COPY_LINK = Text("Copy link")
    CANCEL = Text("Cancel")
    HAPPENED = Text("What happened")


class Local:
    """What the till itself says in the list of what happened, before the books have told it."""

    WAITING_BANK = Text("Waiting for the bank…")


class Unknown:
    HEADLINE_1 = Text("Not confirmed yet.")
    HEADLINE_2 = Text("Do not charge again.")
    WHY = Text("{gateway} has not said whether this was paid. It may well be.")
    WITHOUT_ANSWER = Text("without an answer")
    DISPLAY_SAYS = Text("The customer display says: “Checking with your bank. Please do not pay again.”")
    NEXT = Text("What happens next")
    ASK_AGAIN = Text("We ask {gateway} again")
    ASK_AGAIN_HINT = Text("as long as this is on screen")
    REPORT = Text("Their report is read")
    REPORT_HINT = Text("it settles what the bank did not answer")
    REPORT_WHEN = Text("then")
    MANAGER = Text("Still open? It goes to the manager")
    MANAGER_HINT = Text("with one proposed step")
    SECONDS = Text("{n} s")
    NOW = Text("now")
    MANAGER_DECIDES = Text("Manager decides…")


class Release:
    TITLE = Text("Give this link up?")
    HINT = Text(
        "{gateway} has not said whether {amount} was paid. If you go on and it was, the customer has paid twice "
        "and gets one payment back. Your name stands beside this."
    )
    CONFIRM = Text("Give the link up")
    ON_PHONE = Text("Customer’s bank shows no payment")
    NO_PHONE = Text("Customer’s phone failed")
    GATEWAY_DOWN = Text("Gateway is down")


class Terminal:
    TITLE = Text("{amount} on the card terminal")
    HINT = Text("Key the amount in on the terminal. Go on here only when its slip says approved.")
    NOTE = Text("Approval code, if you like")
    CONFIRM = Text("Approved: {amount} paid")


class Split:
    TITLE = Text("Split {amount}")
    HINT = Text("Links first, then the card terminal, cash last. Type a part, choose how it is paid, press Enter.")
    WAY = Text("How this part is paid")
    AMOUNT = Text("Amount of this part")
    PARTS = Text("Parts")
    NONE = Text("No part yet. The last one takes what is left.")
    LEFT = Text("Left to share")
    PAID = Text("Paid")
    NEXT = Text("Next")
    ADD = Text("Add part")
    ADD_PART = Text("Add {amount}")
    SAVE = Text("Save the split")
    TAKE = Text("Take {amount}")
    LESS = Text("Take out")
    DROP = Text("Drop the split")
    PART = Text("{paid} of {total} paid")
    FOLLOWS = Text("Next: {way} {amount}")


class CashBack:
    TITLE = Text("Give cash back for order {number}")
    HINT = Text("{gateway} could not give {amount} back. Take it from the drawer; your name stands beside this.")
    AMOUNT = Text("Amount")
    REASON = Text("Why it cannot go back by link")
    CONFIRM = Text("Give {amount}")


class ByHand:
    TITLE = Text("Count this link as paid?")
    HINT = Text(
        "Only with the bank’s message before your eyes: {amount}, this shop, just now. What {gateway} says later "
        "counts more. Your name stands beside this."
    )
    REASON = Text("What the message says: its number, its time")
    CONFIRM = Text("Count it as paid")


class Paid:
    TITLE = Text("Paid")
    THROUGH = Text("through {gateway}")
    PAYMENT = Text("Payment {id} · {time}")
    AT = Text("at {time}")
    DISPLAY_SHOWS = Text("The customer display shows the amount, a tick and the QR of this receipt.")
    RECEIPT = Text("Receipt {number}")
    RECEIPT_HINT = Text("The customer scans it here.")
    RECEIPT_HINT_DISPLAY = Text("The customer scans it here or on the display.")
    RECEIPT_QR = Text("QR code of receipt {number}")
    PRINT = Text("Print receipt")
    SHOW = Text("Show receipt")
    SAVE = Text("Save as PDF")
    SLIP_TITLE = Text("Receipt")
    NOTE_TITLE = Text("Credit note")


class Refund:
    TITLE = Text("Give money back")
    HINT = Text("Goes back the way it was paid. The sale stays in the books.")
    AMOUNT = Text("Amount")
    REASON = Text("Reason")
    CONFIRM = Text("Give back {amount}")
    RETURNED = Text("Goods returned")
    WRONG = Text("Wrong item")
    GOOD_WILL = Text("Good will")
    ONCE_MORE = Text("The first refund failed")
    SECOND_PAYMENT = Text("Second payment of one order")
    BELONGS = Text("{amount} belongs to the customer.")
    BELONGS_HINT = Text("Keep the first payment, give the second one back.")
    BELONGS_MORE = Text("More was paid than the order costs. Give the rest back.")
    TIME = Text("Goes back to the account it came from. Usual time: 1–3 days.")
    PAYS = Text("Pays the order")
    TO_BE_REFUNDED = Text("To be refunded")


class Return:
    """Goods come back."""

    TITLE = Text("Goods back from order {number}")
    HINT = Text("A credit note is written. The money goes back the way it came.")
    OF = Text("{left} of {sold} can come back")
    ALL_BACK = Text("All of it has come back")
    LINES = Text("Lines of the sale")
    HOW_MANY = Text("How many of {name} come back")
    EVERYTHING = Text("Everything")
    WORTH = Text("Goes back: {amount}")
    TAX = Text("{amount} tax in it")
    DAMAGED = Text("Damaged")
    CONFIRM = Text("Take back, {amount}")


class Second:
    """Above the shop's limit for one person."""

    TITLE = Text("A second manager must agree")
    HINT = Text("This is above the shop’s limit for one person. Both names are written into the journal.")
    NAME = Text("Name of the other manager")
    CONFIRM = Text("Agree")


class Customer:
    """The customer’s display."""

    TITLE = Text("Customer display")
    WELCOME = Text("Welcome")
    YOUR_ORDER = Text("Your order")
    TO_PAY = Text("To pay")
    SCAN = Text("Scan with any phone")
    SAFE = Text("Safe to scan again: this code takes one payment")
    EXPIRES = Text("Expires in {timer}")
    ON_PHONE = Text("Finish on your phone")
    PAID = Text("Paid")
    THANKS = Text("Thank you. Scan for your receipt.")
    CHECKING = Text("Checking with your bank.")
    NOT_AGAIN = Text("Please do not pay again.")
    PART_OF = Text("{amount} of {total}")
    PART_LEFT = Text("{paid} paid, {left} left")
    GIVEN = Text("Given {amount}")
    CHANGE = Text("Change {amount}")
    MORE_LINES = Plural("{n} more line", "{n} more lines")
