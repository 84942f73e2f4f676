"""What a gateway can do, as rows for people: as it is, or how the till makes up for what is missing."""

from __future__ import annotations

from pos.domain.ports import DAY_S, Capabilities
from pos.services.setup_views import Ability
from pos.words.gateways import Able

SOON_S = 15 * 60
"""A link that may not end sooner than this is closed by the till, which needs no help from the gateway for it."""
HOUR_S, MINUTE_S, MONTH_S = 3_600, 60, 30 * DAY_S


def abilities(able: Capabilities) -> tuple[Ability, ...]:
    """Seven rows, the same for every gateway."""
    soon = able.expiry_max_s is not None and (able.expiry_min_s or 0) <= SOON_S
    close = Able.WHILE_OPEN if able.can_close else Able.ENDS_ITSELF
    part = Able.YES if able.part_refunds else Able.WHOLE_ONLY
    return (
        Ability(
            "one_payment", Able.ONE_PAYMENT, able.single_use, able.link_title if able.single_use else Able.CLOSED_AFTER
        ),
        Ability("close", Able.CLOSE, able.can_close, close),
        Ability("lives", Able.LIVES, soon, _lives(able)),
        Ability("repeat", Able.REPEAT, able.key_life_s > 0, _repeat(able)),
        Ability("webhook", Able.WEBHOOK, able.signed_webhooks and able.timed_webhooks, _webhook(able)),
        Ability("report", Able.REPORT, able.report_names_reference, _report(able)),
        Ability("part", Able.PART, able.part_refunds, part),
    )


def _lives(able: Capabilities) -> str:
    if able.expiry_max_s is None:
        return Able.UNTIL_CLOSED
    most = _span(able.expiry_max_s)
    if able.expiry_min_s is None or able.expiry_min_s <= SOON_S:
        return Able.UP_TO.format(most=most)
    return Able.FROM_TO.format(least=_span(able.expiry_min_s), most=most)


def _span(seconds: int) -> str:
    if seconds >= 2 * MONTH_S:
        return Able.MONTHS(seconds // MONTH_S)
    if seconds > DAY_S:
        return Able.DAYS(seconds // DAY_S)
    return Able.HOURS(seconds // HOUR_S) if seconds >= HOUR_S else Able.MINUTES(seconds // MINUTE_S)


def _repeat(able: Capabilities) -> str:
    return Able.HOURS_OR_MORE.format(n=able.key_life_s // HOUR_S) if able.key_life_s else Able.LOOK_FIRST


def _webhook(able: Capabilities) -> str:
    if not able.signed_webhooks:
        return Able.UNSIGNED
    return Able.TIMED if able.timed_webhooks else Able.NO_TIME


def _report(able: Capabilities) -> str:
    if not able.report_names_reference:
        return Able.NO_REFERENCE
    return Able.CURSOR if able.paging == "cursor" else Able.PAGES
