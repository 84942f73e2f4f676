"""Words of Manage > Gateways: cards, keys, checks, what a gateway can do, and the vault where there is no keyring."""

from __future__ import annotations

from pos.words.language import Plural, Text


class Gateways:
    TITLE = Text("Gateways")
    ORDER = Text("The first is used for QR")
    LIST = Text("Gateways of this shop and others that can be set up")
    FIRST = Text("Used first for QR")
    AFTER = Text("Used when {gateway} is down")
    OFF = Text("Takes no payments")
    NOT_SET_UP = Text("Not set up")
    HEALTHY = Text("Healthy")
    SLOW = Text("Slow to answer")
    DOWN = Text("No answer")
    NOT_ASKED = Text("Not asked yet")
    NO_KEYS = Text("No keys yet")
    BROKEN = Text("Cannot be loaded")
    LOCKED = Text("Keys locked")
    OPEN_FIRST = Text("Open the vault or keyring to use its keys.")
    SWITCHED_OFF = Text("Off")
    TEST = Text("Test")
    LIVE = Text("Live")
    FIGURES = Text("Median {ms} ms · {late} of {n} unanswered")
    NO_FIGURES = Text("Nothing was asked in this session.")
    ADD_KEYS = Text("Add keys to test a connection.")
    ADD = Text("Add a gateway")
    TAKES_PAYMENTS = Text("Takes payments")
    ACCOUNT = Text("{host} · account {account}")
    NO_ACCOUNT = Text("{host} · not asked yet who we are")
    EARLIER = Text("Use first")
    DETAIL = Text("Keys, connection and choices")
    SWITCHED_ON = Text("{gateway} takes payments.")
    SWITCHED_OFF_NOTE = Text("{gateway} takes no payments any more.")
    UNANSWERED = Text("{late} of {n} unanswered")


class Keys:
    TITLE = Text("API keys")
    REPLACE = Text("Replace…")
    SET = Text("Add keys…")
    REMOVE = Text("Remove keys")
    SECRET_KEY = Text("Secret key")
    KEY_ID = Text("Key id")
    KEY_SECRET = Text("Key secret")
    NOT_SET = Text("not set")
    LOCKED = Text("Not open now")
    NOT_TOLD = Text("not known while locked")
    HIDDEN = Text("kept, never shown")
    KEYRING = Text("In the system’s keyring")
    VAULT = Text("In the vault")
    ENVIRONMENT = Text("In the environment")
    FILE = Text("In a private file")
    OTHER = Text("Kept")
    NONE = Text("No keys yet")
    WEBHOOK = Text("Webhook secret")
    NO_RELAY = Text("no relay, none needed")
    ADDRESS = Text("Webhook address")
    COPY = Text("Copy")
    COPIED = Text("The webhook address is on the clipboard.")
    NO_ADDRESS = Text("not known now")
    NO_DOOR = Text("not made yet")
    PASTE_HINT = Text("Paste it into the webhook settings of {gateway}. The webhook secret lies at the relay only.")
    NO_DOOR_HINT = Text("Make it at the relay: pos relay add-shop NAME --gateway {name}")
    UNHEARD_HINT = Text("The relay, which knows the address, does not answer now.")
    POLL_HINT = Text("Without a relay this till asks {gateway} itself, every few seconds while a code is shown.")


def hook_hint(state: str) -> str:
    """What to do about a `HookView` of this state, with `{gateway}`, its title, and `{name}`; "" while it is unknown.

    Read when it is said: a table made at import would speak the language of that moment for good.
    """
    return {
        "none": Keys.POLL_HINT,
        "unheard": Keys.UNHEARD_HINT,
        "missing": Keys.NO_DOOR_HINT,
        "known": Keys.PASTE_HINT,
    }.get(state, "")


class KeysForm:
    ADD_TITLE = Text("Add a gateway")
    REPLACE_TITLE = Text("Keys of {gateway}")
    HINT = Text("The keys are tried before they are kept. They go to {host} only and are not shown again.")
    WHICH = Text("Gateway")
    MODE = Text("Mode")
    TEST = Text("Test: no money moves")
    LIVE = Text("Live: real money")
    ADDRESS = Text("Another server that speaks the same interface (test mode only)")
    CHECKING = Text("Asking {gateway}…")
    CONFIRM = Text("Try and keep")
    BACK = Text("Back")
    KEPT = Text("{gateway} accepted the keys, account {account}. They are kept.")
    NOTHING_LEFT = Text("Every gateway that is known here is set up.")
    REMOVE_TITLE = Text("Remove the keys of {gateway}?")
    REMOVE_HINT = Text("It takes no payments afterwards. Its orders and payments stay in the books.")


class Connection:
    TITLE = Text("Connection")
    TEST = Text("Test connection")
    TESTING = Text("Testing…")
    NOT_TESTED = Text("Not tested yet")
    RESULT = Text("{good} of {all} · {time}")
    ADDRESS = Text("Address and certificate")
    ADDRESS_HERE = Text("Address, on this machine")
    KEYS_TEST = Text("Keys accepted, test mode")
    KEYS_LIVE = Text("Keys accepted, live mode")
    KEYS = Text("Keys accepted")
    KEYS_REFUSED = Text("Keys are not accepted")
    KEYS_NOT_SENT = Text("Keys were not sent")
    RIGHT_ACCOUNT = Text("Right account {account}")
    OTHER_ACCOUNT = Text("Another account than before")
    WHICH_ACCOUNT = Text("Right account")
    CLOCKS = Text("Clocks agree within")
    CLOCKS_APART = Text("Clocks are apart by")
    CLOCKS_UNKNOWN = Text("Clocks, not told")
    UPI_CODES = Text("UPI codes")
    FIRST_TELLS = Text("the first one tells")
    NO_UPI_CODES = Text("No UPI codes on this account")
    NO_UPI_HINT = Text("The gateway’s support switches them on. Until then let the code carry its link.")
    WEBHOOK = Text("Webhook through the relay")
    NO_RELAY = Text("No relay, the till asks by itself")
    NO_WEBHOOK = Text("No webhook has come yet")
    RELAY_DOWN = Text("The relay is not heard")
    NOT_LOOKED_AT = Text("not looked at")
    MS = Text("{n} ms")
    SECONDS = Text("{n} s")
    AGO = Text("{time} ago")


class Able:
    """The table of capabilities."""

    TITLE = Text("What each gateway can do")
    AS_IT_IS = Text("as it is")
    MADE_UP_FOR = Text("the till makes up for it")
    ONE_PAYMENT = Text("Link for one payment")
    CLOSE = Text("Close it ourselves")
    LIVES = Text("Link lives")
    REPEAT = Text("Repeat-safe key")
    WEBHOOK = Text("Signed webhook")
    REPORT = Text("Report")
    PART = Text("Part refunds")
    CLOSED_AFTER = Text("closed after one")
    WHILE_OPEN = Text("while open")
    ENDS_ITSELF = Text("ends by itself")
    UNTIL_CLOSED = Text("until we close it")
    UP_TO = Text("up to {most}")
    FROM_TO = Text("{least} to {most}")
    HOURS_OR_MORE = Text("{n} h or more")
    LOOK_FIRST = Text("look up first")
    TIMED = Text("with time stamp")
    NO_TIME = Text("no time stamp")
    UNSIGNED = Text("unsigned, we ask")
    CURSOR = Text("cursor")
    PAGES = Text("from–to, pages")
    NO_REFERENCE = Text("without our number")
    YES = Text("yes")
    WHOLE_ONLY = Text("whole ones only")
    MINUTES = Plural("{n} min", "{n} min")
    HOURS = Plural("{n} h", "{n} h")
    DAYS = Plural("{n} day", "{n} days")
    MONTHS = Plural("{n} month", "{n} months")


class ForShop:
    TITLE = Text("For this shop")
    QR = Text("The code carries")
    QR_AUTO = Text("Short link where it helps")
    QR_GATEWAY = Text("The gateway’s own link")
    QR_RELAY = Text("Always the short link")
    QR_UPI = Text("A UPI code")
    MINIMUM = Text("Smallest payment")
    NO_MINIMUM = Text("not named")
    REPORT = Text("Report read every")


class VaultWords:
    TITLE = Text("No keyring on this machine")
    LOCKED_TITLE = Text("The vault is locked")
    MISSING = Text(
        "Keys can lie in a vault, a sealed file. Its passphrase, eight characters or more, is asked for once after "
        "every start. It is kept nowhere: without it the keys cannot be read again, and new ones are needed."
    )
    LOCKED = Text("The vault is locked. Open it to see and change keys.")
    NOWHERE = Text("Install and unlock a keyring (on Debian: gnome-keyring), or give keys in the environment.")
    PASSPHRASE = Text("Passphrase")
    AGAIN = Text("Passphrase again")
    CREATE = Text("Make the vault")
    UNLOCK = Text("Open the vault")
    DIFFER = Text("The two passphrases differ.")
    DIFFER_HINT = Text("Type the same one twice.")
