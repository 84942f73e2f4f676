"""Words of the counter: scanning, tiles, cart, cash, held orders, discount, quantity."""

from __future__ import annotations

from pos.words.language import Plural, Text


class Sell:
    SCAN = Text("Scan or search products")
    SCAN_SHORT = Text("Scan or search")
    HELD = Text("Held · {n}")
    FAVOURITES = Text("Favourites")
    OTHER = Text("Other")
    PRODUCTS = Text("Products")
    CATEGORIES = Text("Categories")
    NOTHING_FOUND = Text("Nothing found for “{text}”. Check the spelling, or scan the code.")
    LEFT_UNPAID = Text("Order {number} is unpaid. It stands in Orders.")
    NO_GATEWAY = Text("No payment gateway is set up.")
    NO_GATEWAY_HINT = Text("Take cash, or name a gateway in the settings.")
    STEPS_IN = Text("{first} does not answer: this link is made by {other}.")
    NO_PRODUCTS = Text("No products yet. Import a catalogue: pos catalogue import FILE.")


class Cart:
    ORDER = Text("Order {number}")
    NEW_ORDER = Text("New order")
    WALK_IN = Text("Walk-in")
    LOCKED = Text("Locked while its link is open")
    PAID_AT = Text("Paid in full · {time}")
    HOLD = Text("Hold")
    LINES = Text("Lines of the order")
    EMPTY = Text("Scan or choose the first product")
    QUANTITY = Text("{quantity} × {price}")
    SUBTOTAL = Text("Subtotal")
    DISCOUNT = Text("Discount")
    TAX = Text("Tax")
    TAX_INCLUDED = Text("{tax} included ({rate})")
    TAX_ADDED = Text("{tax} ({rate})")
    TOTAL = Text("Total")
    TO_PAY = Text("To pay")
    PAID = Text("Paid")
    LEFT = Text("Left to pay")
    STILL_TO_PAY = Text("Still to pay")
    OWED = Text("To give back")
    CHANGE = Text("Change")
    DISCOUNT_KEY = Text("Discount")
    CASH = Text("Cash")
    CASH_INSTEAD = Text("Cash instead")
    EXACT_CASH = Text("Exact cash")
    SPLIT = Text("Split…")
    PAY_QR = Text("Pay by QR")
    NEXT_CUSTOMER = Text("Next customer")
    CASH_RECEIVED = Text("Cash received")
    RETURN = Text("Return…")
    RECEIPT = Text("Receipt")
    GIVE_UP = Text("Cancel")
    REFUND_SECOND = Text("Refund second payment")
    REFUND_OWED = Text("Give back {amount}")
    FENCED = Text("Cash opens again once this link is settled or closed, so nobody pays twice.")


class Cash:
    TITLE = Text("Cash")
    TO_PAY = Text("To pay")
    GIVEN = Text("Given by the customer")
    CHANGE = Text("Change")
    SHORT = Text("Still missing")
    EXACT = Text("exact")
    CLEAR = Text("Clear")
    BACK = Text("Back")
    PIECES = Text("{n} ×")
    ERASE = Text("Erase the last digit")
    DRAWER_CLOSED = Text("Drawer closed")
    SAVED_FIRST = Text("The sale is saved before the drawer opens.")
    STAYS = Text("The change stays on screen until the next scan.")
    CLOSING_LINK = Text("Closing the payment link first…")


class Basket:
    """What the counter says itself, before anything is saved."""

    FULL = Text("More than {n} lines.")
    FULL_HINT = Text("Start a second order.")
    QUANTITY = Text("That quantity cannot be sold.")
    QUANTITY_HINT = Text("Between 0.001 and {n} is possible.")
    STARTING = Text("The till is still starting.")
    STARTING_HINT = Text("Wait a moment, then try again.")


class Quantity:
    TITLE = Text("Quantity")
    OF = Text("Quantity of {name}")
    APPLY = Text("Set quantity")
    NO_LINE = Text("Choose a line first.")
    NO_LINE_HINT = Text("Scan a product, or pick its line with the arrow keys.")


class Discount:
    TITLE = Text("Discount")
    OF = Text("Discount on {name}")
    PERCENT = Text("Percent off the line")
    REASON = Text("Reason")
    APPLY = Text("Give discount")
    END_OF_TRAY = Text("end of tray")
    REGULAR = Text("regular customer")
    STAFF = Text("staff")
    DAMAGED = Text("damaged")
    TOO_MUCH = Text("A discount is between 0 and 100 percent.")
    TOO_MUCH_HINT = Text("Type a number such as 10.")


class Held:
    TITLE = Text("Held orders")
    NONE = Text("No order is held.")
    NONE_HINT = Text("Hold one with {key} while it is rung up.")
    RECALL = Text("Recall")


class GiveUp:
    TITLE = Text("Give this sale up?")
    HINT = Text("Press the digit of the reason. The order stays in the books as voided.")
    LEFT = Text("Customer left")
    MISTAKE = Text("Rung up by mistake")
    MISSING = Text("Not in stock")
    TRAINING = Text("Training")
    BACK_TITLE = Text("Give back what was paid, and void this sale?")
    BACK_HINT = Text("Press the digit of the reason. Each part goes back the way it was paid.")
    EMPTIED = Text("Emptied")


class Tray:
    TITLE = Text("Tray")
    WAITING = Plural("{n} waiting", "{n} waiting")
    JUST_PAID = Plural("{n} just paid", "{n} just paid")
    SUMMARY = Text("{waiting} · {amount}")
    SUMMARY_PAID = Text("{waiting} · {amount}  ·  {paid}")
    CLOSE = Text("Close")
    SHOW_QR = Text("Show QR")
    RECEIPT = Text("Receipt")
    LOOK = Text("Look")
    EMPTY = Text("No order is waiting.")
    CARD = Text("Order {number}, {amount}, {state}")
    PAID_BY = Text("Paid by {method}")
