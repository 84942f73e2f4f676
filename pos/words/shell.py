"""Words of the window's frame: top bar, rail, commands, help, banner. Nothing of one screen alone."""

from __future__ import annotations

from pos.words.language import Plural, Text


class Bar:
    TILL = Text("Till {till}")
    SHIFT = Text("Shift #{no} · open since {time}")
    SHIFT_SHORT = Text("#{no}")
    TEST = Text("TEST")
    TEST_HINT = Text("Test mode: no real money moves.")
    GATEWAY = Text("Gateway")
    GATEWAY_SLOW = Text("Gateway · slow")
    GATEWAY_DOWN = Text("Gateway · no answer")
    GATEWAY_OFF = Text("No gateway")
    GATEWAY_LOCKED = Text("Keys locked")
    RELAY_LOCKED = Text("Relay · keys locked")
    RELAY = Text("Relay")
    RELAY_LIVE = Text("Relay · live")
    RELAY_SLOW = Text("Relay · silent")
    RELAY_DOWN = Text("Relay · no answer")
    RELAY_OFF = Text("No relay")
    RECONCILED_NEVER = Text("Not reconciled yet")
    RECONCILED_NOW = Text("Reconciled just now")
    RECONCILED = Plural("Reconciled {n} min ago", "Reconciled {n} min ago")
    RECONCILED_HOURS = Plural("Reconciled {n} h ago", "Reconciled {n} h ago")
    MINUTES = Plural("{n} min", "{n} min")
    HOURS = Plural("{n} h", "{n} h")
    NEVER = Text("Never")
    NOW = Text("Now")
    WAITING = Plural("{n} waiting", "{n} waiting")
    UNKNOWN = Plural("{n} unknown", "{n} unknown")
    BOOKS_DOWN = Text("Database · no answer")
    BOOKS_READ_ONLY = Text("Read only")
    USER = Text("{user} · {role}")
    STARTING = Text("Starting…")


class Roles:
    CASHIER = Text("cashier")
    MANAGER = Text("manager")
    OWNER = Text("owner")


class Rail:
    NAME = Text("Screens")
    SELL = Text("Sell")
    ORDERS = Text("Orders")
    RECONCILE = Text("Reconcile")
    MANAGE = Text("Manage")


class Commands:
    """Names of commands as `Ctrl+K` lists them."""

    HELP = Text("Help and keys")
    SEARCH = Text("Search products")
    QUANTITY = Text("Change quantity")
    CHECK = Text("Check payment now")
    HOLD = Text("Hold or recall an order")
    HELD_LIST = Text("Show held orders")
    RETURN = Text("Take goods back")
    SHOW_NOTE = Text("Show the credit note")
    GIVE_MONEY_BACK = Text("Give money back")
    GIVE_BACK_AND_VOID = Text("Give back what was paid, and void")
    REFUND_OWED = Text("Refund the second payment")
    DISCOUNT = Text("Discount on the line")
    CASH = Text("Cash")
    EXACT_CASH = Text("Exact cash")
    CASH_RECEIVED = Text("Cash received")
    END_OF_DAY = Text("End of day")
    PAY_QR = Text("Pay by QR")
    PAY_QR_WITH = Text("Pay by QR with {gateway}")
    DELETE_LINE = Text("Take the line out")
    BACK = Text("Back")
    GIVE_UP = Text("Give up what is going on")
    NEXT_CUSTOMER = Text("Next customer")
    PRINT = Text("Print what is shown")
    FIND = Text("Find any command")
    TRAY = Text("Tray of waiting orders")
    TRAY_CARD = Text("Open order {n} of the tray")
    SELL = Text("Go to Sell")
    ORDERS = Text("Go to Orders")
    RECONCILE = Text("Go to Reconcile")
    MANAGE = Text("Go to Manage")
    GATEWAYS = Text("Gateways of this shop")
    ADD_GATEWAY = Text("Add a gateway")
    GATEWAY_KEYS = Text("Replace a gateway’s keys")
    TEST_GATEWAY = Text("Test the connection")
    GATEWAY_FIRST = Text("Use this gateway first")
    REMOVE_KEYS = Text("Remove a gateway’s keys")
    VAULT = Text("Make or open the vault")
    OPEN_ORDER = Text("Open this order at the counter")
    CLEAR_CASH = Text("Clear the amount")
    CONFIRM = Text("Confirm")
    FIND_ORDER = Text("Search orders")
    RUN_AGAIN = Text("Read the reports again")
    EXPORT = Text("Export the day")
    CLOSE_DAY = Text("Close the day")
    RELEASE = Text("Manager decides about this link")
    TERMINAL = Text("Card terminal")
    SPLIT = Text("Split the payment")
    SPLIT_LESS = Text("Take the last part out")
    CASH_BACK = Text("Give cash back for a link")
    BY_HAND = Text("Manager believes the bank’s message")
    COPY_LINK = Text("Copy the payment link")
    COPY_HOOK = Text("Copy the address for the gateway’s webhooks")
    SHOW_RECEIPT = Text("Show the receipt")
    SAVE_RECEIPT = Text("Save the receipt as PDF")
    SAVE_EVIDENCE = Text("Save all that is known of this order as PDF")
    CUSTOMER_DISPLAY = Text("Open or close the customer display")
    THEME_LIGHT = Text("Light colours")
    THEME_DARK = Text("Dark colours")
    THEME_CONTRAST = Text("High contrast")
    FULL_SCREEN = Text("Full screen")
    QUIT = Text("Close the till")


class Palette:
    TITLE = Text("Find a command")
    HINT = Text("Type what you want to do")
    NOTHING = Text("No command is called that. Try another word.")


class Help:
    TITLE = Text("Keys")
    INTRO = Text("Every action has a key. Scan at any time: the scanner works whatever has the focus.")
    QUANTITY = Text("{example} before a scan sells three")
    CLOSE = Text("Back")


class Banner:
    DISMISS = Text("Dismiss")
    OUR_FAULT = Text("Something went wrong on our side.")
    OUR_FAULT_HINT = Text("Nothing was charged by this. Try again; if it comes back, call whoever runs the till.")
    SAVED = Text("Saved as {path}.")
    COPIED = Text("The link is on the clipboard.")
    BOOKS_BACK = Text("The database answers again. Everything that was saved is there.")
    NOT_READY = Text("The till is still starting. The scan is kept.")


class Manage:
    TITLE = Text("Manage")
    THIS_TILL = Text("This till")
    DAY = Text("The day")
    DAY_HINT = Text("Read the reports, settle what needs a person, close.")
    LOOK = Text("Colours")
    LOOK_HINT = Text("Light, dark, or high contrast.")
    DISPLAY = Text("Customer display")
    DISPLAY_HINT = Text("A second window that the customer sees.")
    KEYS = Text("Keys and commands")
    KEYS_HINT = Text("What every key does.")
