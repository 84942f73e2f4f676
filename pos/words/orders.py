"""Words of the history, of one order's timeline, and of the end of the day."""

from __future__ import annotations

from pos.words.language import Plural, Text, translate


class Orders:
    SEARCH = Text("Order, amount, payment id…")
    TODAY = Text("Today")
    ALL_DAYS = Text("All days")
    ANY_STATUS = Text("Any status")
    LIST = Text("Orders")
    NUMBER = Text("Order")
    TIME = Text("Time")
    TOTAL = Text("Total")
    PAYMENT = Text("Payment")
    STATUS = Text("Status")
    NONE = Text("No order fits. Choose another day or status, or search for less.")
    CHOOSE = Text("Choose an order to see what happened to it.")
    HAPPENED = Text("What happened")
    ORDER_AMOUNT = Text("order")
    RECEIVED = Text("received")
    UNKNOWN = Text("Do not charge again.")
    UNKNOWN_WHEN = Text(
        "The gateway has not said whether this was paid. We ask again in {n} s, and the next report settles it."
    )
    UNKNOWN_TEXT = Text(
        "The gateway has not said whether this was paid. We keep asking, and the next report settles it."
    )
    ASK_NOW = Text("Ask now")
    NEXT_CUSTOMER = Text("Next customer")
    MANAGER = Text("Manager decides…")
    RECEIPT = Text("Receipt")
    OPEN = Text("At the counter")
    REFUND = Text("Give back…")
    GIVE_UP = Text("Give back and void…")
    IN_CASH = Text("Give cash back…")
    VIA_LINK = Text("{gateway} · link {no}")
    ROW = Text("Order {number}, {time}, {amount}, {payment}, {state}")


class Day:
    TITLE = Text("End of day · {day}")
    WINDOW = Text("{since} – {until} · {gateways} · {report}")
    REPORT = Plural("report of {time}, {n} transaction read", "report of {time}, {n} transactions read")
    NO_REPORT = Text("no report read yet")
    PARTIAL = Text("The report could not be read whole. What is shown may change.")
    AND = Text("{first} and {last}")
    NO_GATEWAY = Text("no gateway")
    EXPORT = Text("Export…")
    RUN_AGAIN = Text("Run again")
    READING = Text("Reading the reports…")
    MATCHED = Text("matched, nothing to do")
    CORRECTED = Text("corrected by the report")
    NEED_YOU = Text("need you")
    CASH_DIFFERENCE = Text("unexplained difference in cash")
    NOT_COUNTED = Text("cash is not counted yet")
    TAB_EXCEPTIONS = Text("Needs you · {n}")
    TAB_CORRECTED = Text("Corrected · {n}")
    TAB_MATCHED = Text("Matched · {n}")
    TAB_NOTED = Text("Other days · {n}")
    ORDER = Text("Order")
    TIME = Text("Time")
    GATEWAY = Text("Gateway")
    HERE = Text("Here")
    THERE = Text("Gateway")
    HAPPENED = Text("What happened")
    SUGGESTED = Text("Suggested")
    TOTALS = Text("Totals")
    COUNTED = Text("Counted / gateway")
    OPEN_ITEMS = Plural(
        "Settle the open item, or close with it carried to tomorrow under your name.",
        "Settle the {n} open items, or close with them carried to tomorrow under your name.",
    )
    NO_ITEMS = Text("Nothing is open. The day can be closed.")
    CLOSE = Text("Close the day")
    PRINT_Z = Text("Print Z report")
    CLOSED = Text("Closed by {who} at {time} · Z {number}")
    PARKED = Plural(
        "{n} payment of others on the same account, {amount}", "{n} payments of others on the same account, {amount}"
    )
    NOTHING_HERE = Text("Nothing here.")
    COUNT_TITLE = Text("Count the drawer")
    COUNT_HINT = Text("Type what lies in the drawer, then close. Leave it empty to close without a count.")
    COUNTED_CASH = Text("Cash counted")
    COUNT_REASON = Text("Why, if it is over or short")
    ATTACH_TITLE = Text("Attach to an order")
    ATTACH_HINT = Text("{amount} arrived at {gateway} with our reference, but no order here knows it.")
    ATTACH_NUMBER = Text("Number of the order")
    ATTACH = Text("Attach")
    Z_TITLE = Text("Z report {number}")


class Suggest:
    """One proposed action for an exception."""

    REFUND = Text("Refund {amount}")
    COLLECT = Text("Collect {amount}")
    ACCEPT = Text("Accept the sale")
    ATTACH = Text("Attach to an order")
    ASK = Text("Ask gateway again")
    INVESTIGATE = Text("Investigate")
    RETRY = Text("Refund again")
    REASON = Text("Look at it")
    NOTHING = Text("Look at it")


def _(source: str) -> str:
    """Marks a source text for the catalogue without translating it yet."""
    return source


_HAPPENED: dict[str, tuple[str, str]] = {
    "M01": ("paid", _("Matched")),
    "M02": ("paid", _("Healed to paid")),
    "M03": ("gone", _("Healed to closed or failed")),
    "M04": ("failed", _("Amount differs")),
    "M05": ("failed", _("Currency differs")),
    "M06": ("double", _("Paid twice")),
    "M07": ("double", _("Overpaid")),
    "M08": ("waiting", _("Part paid")),
    "M09": ("waiting", _("Paid after the order was given up")),
    "M10": ("gone", _("Belongs to somebody else")),
    "M11": ("gone", _("At the gateway, no order here")),
    "M12": ("failed", _("Paid here, not at the gateway")),
    "M13": ("gone", _("Given back elsewhere")),
    "M14": ("failed", _("Refund missing or failed")),
    "M15": ("failed", _("Disputed by the customer")),
    "M16": ("waiting", _("Fee differs")),
    "M17": ("waiting", _("Payout differs")),
    "M18": ("waiting", _("Cash over or short")),
    "M19": ("failed", _("Wrong account or mode")),
    "M20": ("gone", _("Twice in the report")),
    "M21": ("gone", _("Belongs to another day")),
    "M22": ("failed", _("Integrity is not proven")),
    "M23": ("unknown", _("Outcome unknown")),
}
_ADVICE: dict[str, str] = {
    "M04": _("Collect what is missing or give back what is too much, then say how it was settled."),
    "M05": _("It does not count for the order. Give it back on the gateway's own page, then say so here."),
    "M06": _("Nothing more can go back by link. Give the customer the money in another way, then say so here."),
    "M07": _("Nothing more can go back by link. Give the customer the money in another way, then say so here."),
    "M09": _("Nothing more can go back by link. Give the customer the money in another way, then say so here."),
    "M12": _("Ask the gateway for this payment. The order stays paid until you know."),
    "M13": _("Money went back outside this till. Find out who gave it, and say why."),
    "M15": _("Answer the dispute on the gateway's own page before its last day, then say so here."),
    "M16": _("Compare with the gateway's contract; ask the gateway, then say what came of it."),
    "M17": _("Compare with the bank's statement; ask the gateway, then say what came of it."),
    "M18": _("Count again, then say what is known of it."),
    "M19": _("Find out who has the keys of that account. The money does not count for the order."),
    "M22": _("Find out what happened before you trust these books. Then say what came of it."),
}
UNKNOWN_FOR_HOURS = Plural("Unknown for {n} h {minutes} min", "Unknown for {n} h {minutes} min")
UNKNOWN_FOR_MINUTES = Plural("Unknown for {n} min", "Unknown for {n} min")


def happened(code: str) -> tuple[str, str]:
    """(tone, sentence) for a category M01-M23; an unknown code as it stands."""
    tone, source = _HAPPENED.get(code, ("gone", code))
    return tone, translate(source)


def advice(code: str) -> str:
    """What to do about a category whose step is taken outside the till; "" where there is nothing to add."""
    source = _ADVICE.get(code)
    return translate(source) if source else ""


class Settle:
    """Saying how an exception was settled that is none of the till's own steps."""

    OF_ORDER = Text("{what}: order {number}")
    HERE = Text("Due here")
    THERE = Text("At the gateway")
    SUBJECT = Text("About")
    REASON = Text("How was it settled?")
    CONFIRM = Text("Settled")
    LOOK = Text("Look at the order")


class Evidence:
    """The page with all that is known of one order."""

    TITLE = Text("Order {number}: all that is known")
    MADE = Text("{shop}, till {till}, made {when}")
    TEST = Text("TEST: no money moved")
    STATE = Text("State")
    HAPPENED = Text("What happened")
    LINKS = Text("Links")
    LINKS_HEAD = Text("No|Gateway|Phase|Amount|Link|Known closed")
    FACTS = Text("Facts, and how they were seen")
    FACTS_HEAD = Text("Fact|Of|Amount|Seen|Source|Digest of the answer")
    CALLS = Text("Calls")
    CALLS_HEAD = Text("At|Call|Why|Outcome|HTTP")
    MONEY = Text("Cash and refunds")
    MONEY_HEAD = Text("At|What|Amount|Who|Why")
    EXCEPTIONS = Text("Exceptions")
    EXCEPTIONS_HEAD = Text("At|Category|Action|Amount|Closed")
    JOURNAL = Text("Journal")
    JOURNAL_HEAD = Text("No|At|Who|Act|Body|Hash")
    DIGEST = Text("SHA-256 of this page's content")
