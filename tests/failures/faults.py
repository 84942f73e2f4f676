"""Mistakes that could be made in `pos/`, each with the tests of the catalogue that must catch it.

A fault is a few replacements in the source. They are never applied here: `tests.failures.prove` applies one at a time
to a copy and expects every test named beside it to fail there. Where a text to replace is not found exactly once, the
code has moved on and the fault with it: `tests/house/test_failures.py` says so.
"""

from __future__ import annotations

from dataclasses import dataclass

JOINS = "pos/domain/joins.py"
VERDICT = "pos/domain/verdict.py"
GIVING = "pos/domain/giving.py"
ISSUE = "pos/services/issue.py"
SETTLE = "pos/services/settle.py"
RECONCILE = "pos/services/reconcile.py"
INTAKE = "pos/relay/intake.py"

_ISSUE = "tests/failures/test_issue.py::"
_KILLED = "tests/failures/test_issue_crashes.py::"
_LINKS = "tests/failures/test_links.py::"
_NEWS = "tests/failures/test_news.py::"
_BACK = "tests/failures/test_money_back.py::"
_MACHINE = "tests/failures/test_machine.py::"
_BAD = "tests/failures/test_bad_input.py::"
_CHECKOUT = "tests/services/test_checkout.py::"
_MONEY = "tests/services/test_money.py::"
_ANSWERS = "tests/services/test_bad_answers.py::"
_GATEWAYS = "tests/services/test_two_gateways.py::"
_CAPTURES = "tests/services/test_captures.py::"
_HOOKS = "tests/relay/test_bad_webhooks.py::"
_EVERY_WAY = _MONEY + "test_every_way_the_news_comes_ends_in_the_same_money"
_ALL_AT_ONCE = _NEWS + "test_40_and_42_the_same_thing_told_in_every_way_at_once_is_one_payment_and_one_receipt"
_OLD_MESSAGE = _NEWS + "test_47_and_64_an_old_message_played_again_is_a_question_and_changes_nothing"
_FOUND = _KILLED + "test_4_and_5_killed_without_an_answer_in_the_books_finds_the_same_link"
_ANY_ORDER = _BACK + "test_71_whatever_is_learnt_first_the_payment_or_its_refund_the_end_is_the_same"
_FOREIGN = _GATEWAYS + "test_a_foreign_payment_in_another_currency_is_not_added_to_the_days_rupees"


@dataclass(frozen=True, slots=True)
class Edit:
    """One replacement; `old` stands exactly once in the file."""

    path: str
    old: str
    new: str


@dataclass(frozen=True, slots=True)
class Fault:
    """`mistake` in one sentence, what it changes, and the tests that must fail with it."""

    mistake: str
    edits: tuple[Edit, ...]
    caught_by: tuple[str, ...]


def fault(mistake: str, path: str, old: str, new: str, *caught_by: str) -> Fault:
    return Fault(mistake, (Edit(path, old, new),), caught_by)


ISSUING = {
    "draft_forgotten": fault(
        "What was being rung up is not looked for at the next start.",
        "pos/services/selling.py",
        "return view_of(tx, drafts[0].order.id, now) if drafts else None",
        "return None",
        _KILLED + "test_1_killed_while_an_order_is_saved_leaves_the_last_saved_basket",
    ),
    "payment_of_an_attempt_only": fault(
        "An order that was saved before this process began cannot be paid.",
        ISSUE,
        "        if order.life is not Life.PLACED:\n            bundle",
        '        if order.life is Life.DRAFT:\n            raise Refused("Not this one.", "x")\n'
        "        if order.life is not Life.PLACED:\n            bundle",
        _KILLED + "test_2_killed_before_the_attempt_is_written_leaves_the_order_and_one_key_goes_on",
    ),
    "new_link_per_press": fault(
        "An attempt whose call is not answered is given up for another one when Pay is pressed again.",
        ISSUE,
        "if same and row is not None and now_ms < live.send_by_ms:",
        "if same and row is None:",
        _KILLED + "test_3_killed_before_the_call_goes_on_with_the_same_key",
        _FOUND,
        _ISSUE + "test_11_a_key_that_is_being_worked_on_is_waited_for",
        _CHECKOUT + "test_pay_pressed_twice_at_once_makes_one_link",
        _ISSUE + "test_15_two_tills_press_pay_on_one_order_and_show_one_code",
    ),
    "open_link_not_shown_again": fault(
        "A link that is open is not shown again.",
        ISSUE,
        "if live.phase is Phase.OPEN and same:",
        "if live.phase is Phase.DRAFTED and same:",
        _KILLED + "test_6_killed_before_the_code_is_painted_paints_the_same_code",
        _ISSUE + "test_15_two_tills_press_pay_on_one_order_and_show_one_code",
    ),
    "open_links_not_asked_about": fault(
        "Only what went wrong is looked at again; an open link waits for its webhook.",
        "pos/sync/prober.py",
        "return now_ms - last >= pause_ms",
        "return False",
        _KILLED + "test_7_paid_while_the_till_was_dead_is_found_at_the_next_start",
        _MACHINE + "test_97_after_a_sleep_the_open_link_is_looked_at_first",
    ),
    "asked_once": fault(
        "A call without an answer is not repeated.",
        ISSUE,
        "REPEATS = 2",
        "REPEATS = 0",
        _CHECKOUT + "test_an_answer_lost_after_the_work_is_asked_for_again_with_the_same_key",
    ),
    "orphans_left_open": fault(
        "A link that was never shown is not closed.",
        "pos/services/looks.py",
        "return attempt.phase in (Phase.CLOSING, Phase.ABANDONED) and not attempt.fenced",
        "return attempt.phase is Phase.CLOSING and not attempt.fenced",
        _CHECKOUT + "test_no_answer_at_all_is_unknown_and_the_link_is_found_closed_and_never_shown",
        _ANSWERS + "test_22_a_failure_that_is_replayed_ends_the_attempt_and_the_next_one_is_another",
    ),
    "sent_later": fault(
        "A call for a link that was not answered is sent again in the background, however old it is.",
        "pos/sync/prober.py",
        "            if not row.refund_id:\n",
        "            if not row.refund_id:\n"
        "                desk = self._refunds._desk\n"
        "                await desk.ask(await desk.get(row.call.gateway), row.call)\n",
        _ISSUE + "test_13_off_for_two_days_the_old_call_is_looked_up_and_never_sent_again",
        "tests/sync/test_prober.py::test_a_create_call_past_its_time_is_never_sent_again",
    ),
    "nothing_is_provably_unsent": fault(
        "A connection that was refused is taken for a call without an answer.",
        ISSUE,
        "if repeat == 0 and outgoing.tries == 1:",
        "if repeat == 0 and outgoing.tries == 0:",
        _ISSUE + "test_9_a_call_that_never_left_may_go_to_the_other_gateway_at_once",
    ),
    "busy_is_no": fault(
        "Too many requests ends a call instead of waiting.",
        ISSUE,
        "if outcome is Outcome.BUSY and not last:",
        "if outcome is Outcome.BUSY and last:",
        _CHECKOUT + "test_rate_limited_waits_as_told_and_goes_on",
    ),
    "key_per_try": fault(
        "The key is made anew for each call.",
        "pos/domain/payment.py",
        'digest = hashlib.sha256("|".join(fields).encode()).digest()',
        'import time\n\n    digest = hashlib.sha256(("|".join(fields) + str(time.time_ns())).encode()).digest()',
        _ISSUE + "test_12_an_edited_order_asks_under_another_key_and_a_reused_one_alarms",
    ),
    "thawed": Fault(
        "Lines of a placed order can be written over.",
        (
            Edit(
                "pos/store/migrations/versions/v0001_first.py",
                'BEFORE UPDATE ON revision WHEN OLD.frozen_at_ms IS NOT NULL "',
                'BEFORE UPDATE ON revision WHEN OLD.frozen_at_ms IS NOT NULL AND 0 "',
            ),
        ),
        (_ISSUE + "test_31_no_door_takes_an_amount_and_lines_of_a_placed_order_stay",),
    ),
}

LINKS = {
    "fee_for_amount": fault(
        "An amount is read in the wrong unit.",
        "pos/gateways/stripe/amounts.py",
        "    return ours, currency",
        "    return ours * 10, currency",
        _CHECKOUT + "test_two_phones_pay_one_link_once",
        _LINKS + "test_37_currencies_without_and_with_three_decimals_are_asked_and_taken_as_they_are",
    ),
    "one_payment_per_order": fault(
        "Only the first payment of an order is looked at.",
        JOINS,
        "        if owner == bundle.order.id:\n",
        "        if owner == bundle.order.id and not states:\n",
        _MONEY + "test_paid_twice_is_seen_and_put_right_with_one_refund",
        _MONEY + "test_a_released_link_that_pays_later_is_seen",
        _BACK + "test_74_of_two_payments_one_given_back_leaves_the_sale_paid",
        _LINKS + "test_26_a_part_payment_leaves_the_rest_for_another_link",
    ),
    "late_is_usual": fault(
        "A payment after the link's end is not flagged.",
        JOINS,
        "late=late and bool(captures),",
        "late=False,",
        _LINKS + "test_19_paid_after_the_link_had_expired_is_paid_and_late",
        _CAPTURES + "test_late_authorized_after_the_link_was_given_up_is_captured_for_the_order_that_still_owes",
    ),
    "cancelled_is_over": fault(
        "Money of an order that is not placed is nobody's business.",
        "pos/domain/matching.py",
        "if bundle.order.life is not Life.PLACED and verdict.kept_firm_minor > 0:",
        "if bundle.order.life is Life.HELD and verdict.kept_firm_minor > 0:",
        _MONEY + "test_a_payment_after_the_order_was_cancelled_stands_before_the_manager",
    ),
    "cash_hides_the_card": fault(
        "Cash and a capture are not seen as one sale paid twice.",
        VERDICT,
        "Flag.DOUBLE_TENDER: bool(paid) and tendered > 0 and total + tendered > due,",
        "Flag.DOUBLE_TENDER: False,",
        _MONEY + "test_cash_and_a_late_capture_is_a_double_tender",
        _LINKS + "test_22_cash_while_the_gateway_is_away_needs_a_manager_and_late_money_is_seen",
    ),
    "cash_without_fence": Fault(
        "Cash is taken while a link may still be paid.",
        (
            Edit("pos/services/cash.py", "        await self._checkout.end_links(order_id, actor=actor)\n", ""),
            Edit("pos/services/tendering.py", "        check_fence(bundle.attempts, order.number)\n", ""),
            Edit(
                "pos/services/tendering.py",
                "        if any(a.live for a in bundle.attempts) or verdict.in_flight:\n",
                "        if False:\n",
            ),
        ),
        (
            _CHECKOUT + "test_cash_is_refused_when_the_customer_paid_meanwhile",
            _CHECKOUT + "test_a_close_that_times_out_keeps_the_counter_fenced",
            _LINKS + "test_22_cash_while_the_gateway_is_away_needs_a_manager_and_late_money_is_seen",
            _LINKS + "test_35_a_payment_on_its_way_is_waiting_and_nothing_else_is_taken",
        ),
    ),
    "clock_is_expiry": fault(
        "A link is over when the till's own clock says so.",
        ISSUE,
        "if live.phase is Phase.OPEN and same:",
        "if live.phase is Phase.OPEN and same and (live.expires_at_ms or now_ms) >= now_ms:",
        _LINKS + "test_25_only_the_gateway_says_when_a_link_is_over",
    ),
    "whole_again": fault(
        "After a part payment the next link asks for everything.",
        ISSUE,
        "len(bundle.attempts) + 1, ask, gate, now)",
        "len(bundle.attempts) + 1, replace(ask, share_minor=ask.due_minor, kept_minor=0), gate, now)",
        _LINKS + "test_26_a_part_payment_leaves_the_rest_for_another_link",
    ),
    "more_is_enough": fault(
        "More than was due is simply paid.",
        VERDICT,
        "return Money.PAID if kept == due else Money.OVERPAID",
        "return Money.PAID",
        _LINKS + "test_27_too_much_is_kept_visible_and_given_back_with_one_key",
    ),
    "amount_ignored": fault(
        "What was captured is not compared with what was asked for.",
        JOINS,
        "amount_differs=bool(in_currency) and (len(amounts) > 1 or (expected is not None and amounts != {expected})),",
        "amount_differs=False,",
        _MONEY + "test_another_amount_is_counted_as_it_is_and_needs_a_person",
        _LINKS + "test_27_too_much_is_kept_visible_and_given_back_with_one_key",
    ),
    "currency_ignored": fault(
        "An amount counts whatever its currency is.",
        JOINS,
        "in_currency = [f for f in captures if f.currency == bundle.order.currency]",
        "in_currency = captures",
        _ANSWERS + "test_31_another_amount_is_counted_and_another_currency_is_not",
    ),
    "edit_while_open": Fault(
        "A basket can be changed while its link is open.",
        (
            Edit(
                "pos/services/selling.py",
                "busy = verdict.kept_minor or verdict.in_flight or any(a.live for a in bundle.attempts)",
                "busy = verdict.kept_minor",
            ),
            Edit(
                "pos/services/selling.py",
                "        if any(a.was_shown and not a.fenced for a in bundle.attempts):\n",
                "        if False:\n",
            ),
        ),
        (
            _CHECKOUT + "test_the_basket_is_locked_while_a_link_is_open",
            _LINKS + "test_25_only_the_gateway_says_when_a_link_is_over",
        ),
    ),
    "switched_without_fence": fault(
        "Another gateway's link is made while the first may still be paid.",
        ISSUE,
        "            raise OtherLinkOpen(",
        "            over = replace(live, phase=Phase.CLOSED, fenced_at_ms=now_ms)\n"
        "            tx.attempts.update(replace(over, look_due_at_ms=now_ms))\n"
        "            return None\n"
        "            raise OtherLinkOpen(",
        _GATEWAYS + "test_another_gateway_in_the_middle_of_an_order_closes_the_first_link_first",
        _GATEWAYS + "test_a_link_that_is_not_confirmed_closed_keeps_the_other_gateway_out",
    ),
    "failed_is_final": fault(
        "What has failed is never looked at again.",
        JOINS,
        "    Kind.PAYMENT_FAILED: 2,",
        "    Kind.PAYMENT_FAILED: 9,",
        _CAPTURES + "test_failed_and_then_authorized_late_is_captured_and_the_order_is_paid",
        _CAPTURES + "test_late_authorized_after_the_link_was_given_up_is_captured_for_the_order_that_still_owes",
    ),
    "promised_is_paid": fault(
        "A payment that is on its way or only authorized counts.",
        JOINS,
        "captures = [f for f in own if f.kind is Kind.PAYMENT_CAPTURED]",
        'captures = [f for f in own if f.kind.value in ("payment.captured", "payment.pending", "payment.authorized")]',
        _CAPTURES + "test_a_capture_without_an_answer_is_waiting_and_sent_again_while_it_is_due",
        _LINKS + "test_35_a_payment_on_its_way_is_waiting_and_nothing_else_is_taken",
    ),
    "lapse_forgotten": fault(
        "An authorization that lapsed is still waited for.",
        JOINS,
        "    Kind.PAYMENT_VOIDED: 4,",
        "    Kind.PAYMENT_VOIDED: 2,",
        _CAPTURES + "test_a_refused_capture_ends_in_what_the_gateway_says",
    ),
    "dashboard_unseen": fault(
        "What was given back past the till stands before nobody.",
        "pos/domain/matching.py",
        'if refund.purpose == "elsewhere" and refund.counts:',
        'if refund.purpose == "nowhere" and refund.counts:',
        _LINKS + "test_38_money_that_the_gateway_gave_straight_back_is_no_sale_that_was_forgotten",
        _BACK + "test_73_a_refund_made_at_the_gateway_is_adopted_and_its_reason_asked",
    ),
}

NEWS = {
    "hint_is_fact": fault(
        "A webhook is believed.",
        "pos/services/hints.py",
        '        if hint.kind != "webhook":\n',
        "        from pos.domain.facts import Fact, Kind\n\n"
        "        said = (attempt.gateway, attempt.account, attempt.mode)\n"
        '        paid = Fact(*said, Kind.PAYMENT_CAPTURED, hint.payment or "x", "", attempt.amount_minor, "INR", 1)\n'
        '        tie = Fact(*said, Kind.PAYMENT_OF_LINK, hint.payment or "x", attempt.link_id)\n'
        "        await self._settle.take_in(Evidence(attempt.gateway, (paid, tie), Source.FETCH, label))\n"
        '        if hint.kind != "webhook":\n',
        "tests/sync/test_listener.py::test_an_event_alone_makes_no_order_paid",
        _MONEY + "test_hints_make_no_facts_and_foreign_ones_do_no_harm",
    ),
    "early_news_dropped": fault(
        "News about a link that is not known yet is acknowledged and forgotten.",
        "pos/services/hints.py",
        "                return False  # a link we do not know (yet)",
        "                pass  # a link we do not know (yet)",
        _NEWS + "test_39_news_that_comes_before_the_answer_waits_for_its_link",
        _MONEY + "test_hints_make_no_facts_and_foreign_ones_do_no_harm",
    ),
    "a_fact_per_message": fault(
        "Two messages that say the same are two facts.",
        "pos/domain/facts.py",
        "        values = (self.amount_minor, self.currency, at, self.fee_minor)\n",
        "        import time\n\n        values = (self.amount_minor, self.currency, at, time.time_ns())\n",
        _ALL_AT_ONCE,
        _OLD_MESSAGE,
        _NEWS + "test_61_books_put_back_from_an_older_copy_take_the_same_news_again",
        _BAD + "test_73_rows_that_come_twice_are_one_payment",
        "tests/old_databases/test_upgrade.py::test_it_opens_verifies_and_goes_on",
    ),
    "receipt_per_telling": fault(
        "Each time a payment is told of there is a receipt.",
        SETTLE,
        "    entered = tx.money.entered(asked_of(moved))\n",
        '    for entry in (e for e in moved if e.kind == "capture"):\n        import uuid\n\n'
        "        changes.effects.append(replace(receipt_of(entry, now_ms), subject=str(uuid.uuid4())))\n"
        "    entered = tx.money.entered(asked_of(moved))\n",
        _ALL_AT_ONCE,
        _OLD_MESSAGE,
        _NEWS + "test_63_two_tills_hear_of_one_payment_and_there_is_one_receipt",
    ),
    "every_copy_kept": fault(
        "The relay keeps every copy of an event.",
        "pos/relay/log_sqlite.py",
        "CREATE UNIQUE INDEX events_once",
        "CREATE INDEX events_once",
        "tests/relay/test_intake.py::test_a_duplicate_is_acknowledged_and_kept_once",
        _HOOKS + "test_bad_webhook[42-stripe]",
    ),
    "refund_before_payment_dropped": fault(
        "A refund of a payment that is not known yet is not kept.",
        SETTLE,
        "    news = [(item, tx.facts.add(item.facts, item.sighting(now_ms))) for item in evidence]\n",
        "    news = []\n    for item in evidence:\n"
        "        known = tx.facts.of_payments({(f.gateway, f.target) for f in item.facts})\n"
        "        kept = [f for f in item.facts if f.kind.value[:7] != 'refund.'"
        " or (f.target and known[f.gateway, f.target])]\n"
        "        news.append((item, tx.facts.add(kept, item.sighting(now_ms))))\n",
        _ANY_ORDER,
    ),
    "report_decides_nothing": fault(
        "What the report says is shown and not taken in.",
        RECONCILE,
        "            await self._captures.follow(gate, [evidence], await self._settle.take_in(evidence))\n",
        "            await self._captures.follow(gate, [evidence], [])\n",
        _EVERY_WAY,
        _BAD + "test_73_a_page_that_is_missing_makes_the_run_partial_and_the_next_one_whole",
    ),
    "arrival_is_capture": fault(
        "A payment's time is when the till heard of it.",
        SETTLE,
        "    news = [(item, tx.facts.add(item.facts, item.sighting(now_ms))) for item in evidence]\n",
        "    news = []\n    for item in evidence:\n"
        "        heard = [replace(f, at_ms=now_ms) if f.at_ms else f for f in item.facts]\n"
        "        news.append((item, tx.facts.add(heard, item.sighting(now_ms))))\n",
        _NEWS + "test_44_news_of_three_days_ago_is_taken_with_the_gateways_own_time",
        _NEWS + "test_66_a_clock_that_is_a_day_off_loses_no_payment",
    ),
    "unsigned_is_fine": fault(
        "A signature that does not hold is no reason to refuse.",
        INTAKE,
        "            if not check:\n",
        "            if check.reason is None:\n",
        _HOOKS + "test_bad_webhook[36-stripe]",
        _HOOKS + "test_bad_webhook[36-razorpay]",
        _HOOKS + "test_bad_webhook[37-stripe]",
        _HOOKS + "test_bad_webhook[37-razorpay]",
        _HOOKS + "test_bad_webhook[38-stripe]",
        _HOOKS + "test_bad_webhook[39-stripe]",
        _HOOKS + "test_bad_webhook[39-razorpay]",
        _HOOKS + "test_bad_webhook[40-stripe]",
        _HOOKS + "test_bad_webhook[40-razorpay]",
        _HOOKS + "test_bad_webhook[43-stripe]",
        _HOOKS + "test_bad_webhook[43-razorpay]",
    ),
    "account_ignored": fault(
        "Money counts whichever account or mode it is at.",
        JOINS,
        "if _is_elsewhere(bundle, key, own, attempt):",
        "if not gateway:",
        _NEWS + "test_49_money_at_another_account_is_never_this_orders",
        _NEWS + "test_50_money_of_the_other_mode_is_never_this_orders",
    ),
    "foreign_is_ours": fault(
        "What others took in another currency is added to the day.",
        "pos/services/dayend.py",
        "parked_minor=sum(p.amount_minor for p in parked if p.kind != ORPHAN and p.currency == shop.currency),",
        "parked_minor=sum(p.amount_minor for p in parked if p.kind != ORPHAN),",
        _FOREIGN,
    ),
    "any_size": Fault(
        "A body may be as large, and take as long, as it likes.",
        (
            Edit("pos/relay/http.py", "    if len(body) > limit:\n", "    if len(body) > 2**40:\n"),
            Edit("pos/relay/http.py", "(len(length) > 12 or int(length) > limit)", "len(length) > 12"),
            Edit("pos/relay/http.py", "async with asyncio.timeout(within_s):", "async with asyncio.timeout(60):"),
        ),
        (_HOOKS + "test_bad_webhook[46-stripe]", _HOOKS + "test_bad_webhook[47-stripe]"),
    ),
    "garbage_acknowledged": fault(
        "What cannot be read is acknowledged.",
        INTAKE,
        "            raise http.Refusal(400, error.title) from error\n",
        '            return error.title and "unread"\n',
        _HOOKS + "test_bad_webhook[41-stripe]",
        _HOOKS + "test_bad_webhook[41-razorpay]",
    ),
    "silence_is_waiting": fault(
        "Looks that fail are no reason for doubt.",
        VERDICT,
        "LOOKS_FAILED = 3",
        "LOOKS_FAILED = 300",
        _ANSWERS + "test_25_missing_fields_and_unlisted_words_are_unknown",
        _CHECKOUT + "test_answers_that_cannot_be_read_are_unknown_never_failed",
    ),
    "old_secret_forgotten": fault(
        "From the change on only the new secret holds.",
        "pos/relay/tenants.py",
        "return [secret for secret, until in self.secrets if until is None or now < until]",
        "return [secret for secret, until in self.secrets if until is None]",
        "tests/relay/test_bad_webhooks.py::test_old_events_hold_under_the_old_secret_while_it_is_kept",
    ),
    "address_believed": fault(
        "The return page says what its address says.",
        "pos/relay/pages.py",
        "        return page(looks.RETURN_STATES[link.state], name, link, refresh=asks_again)\n",
        '        state = "paid" if request.url.query else link.state\n'
        "        return page(looks.RETURN_STATES[state], name, link, refresh=asks_again)\n",
        "tests/relay/test_pages.py::test_no_parameter_is_believed",
    ),
    "silent_relay_is_live": fault(
        "A relay that is set up is taken for one that speaks.",
        "pos/sync/prober.py",
        """return self._relay.word(bool(self._context.shop.relay_url), self._context.now_ms()) == "ok\"""",
        "return bool(self._context.shop.relay_url)",
        _NEWS + "test_58_while_the_relay_is_down_the_till_asks_by_itself_and_says_that_it_had_to",
    ),
    "acknowledged_unstored": fault(
        "What could not be stored is acknowledged.",
        INTAKE,
        '            await self._refuse(send, http.Refusal(503, str(error), BUSY_S), "not_stored")\n',
        '            await http.answer(send, 200, b"{}" if error else b"")\n',
        "tests/relay/test_intake.py::test_a_full_disk_is_never_acknowledged",
    ),
    "gap_unseen": fault(
        "A place before the oldest event that is kept is taken for a good one.",
        "pos/relay/log_sqlite.py",
        'return "" if nothing_missed else "pruned"',
        'return ""',
        "tests/relay/test_stream.py::test_what_is_older_than_the_retention_goes_and_the_till_is_told",
    ),
    "future_believed": fault(
        "A place that this relay has not reached is taken for a good one.",
        "pos/relay/log_sqlite.py",
        '        return "ahead"\n',
        '        return ""\n',
        "tests/relay/test_stream.py::test_a_relay_restored_from_an_older_copy_is_noticed",
        "tests/relay/test_stream.py::test_every_cursor_has_an_answer",
    ),
    "notice_ignored": fault(
        "A place that was lost is taken up again without reading the report.",
        "pos/sync/listener.py",
        "                await self._sweep()\n",
        "                pass\n",
        "tests/sync/test_listener.py::test_a_place_that_is_lost_is_swept_before_the_cursor_moves",
    ),
    "patient_for_ever": fault(
        "A line that says nothing is waited for.",
        "pos/sync/relay_client.py",
        "timeout = httpx.Timeout(CALL_TIMEOUT_S, read=READ_TIMEOUT_S)",
        "timeout = httpx.Timeout(CALL_TIMEOUT_S, read=None)",
        _NEWS + "test_65_a_line_that_is_dead_without_a_word_is_given_up",
    ),
    "own_clock_for_links": fault(
        "A link is looked for in a window of the till's clock.",
        "pos/services/looks.py",
        "    skew = desk.health[gateway.adapter.name].skew_ms  # the window is by the gateway's clock\n",
        "    skew = 0\n",
        "tests/services/test_holes.py::test_a_link_is_found_by_the_gateways_clock_not_by_ours",
    ),
}

MONEY_BACK = {
    "own_refund_not_known": fault(
        "A refund that the gateway tells of is not known for ours.",
        JOINS,
        "if target in rows and (not ours or target < ours):",
        "if not rows and (not ours or target < ours):",
        _BACK + "test_67_a_refund_of_ours_that_the_gateway_tells_of_is_the_same_refund",
        _BACK + "test_68_two_refunds_of_one_payment_stay_two_whatever_is_told_last",
        _BACK + "test_77_a_late_paid_after_everything_was_given_back_changes_nothing",
    ),
    "refunds_without_cap": fault(
        "What has gone back is not counted before more goes back.",
        VERDICT,
        "return max(0, payment.captured_minor - payment.reversed_minor - given - held)",
        "return max(0, payment.captured_minor - payment.reversed_minor - held)",
        _BACK + "test_69_refund_pressed_twice_at_once_is_one_refund",
        _MONEY + "test_refunds_partial_several_and_never_more_than_was_captured",
        _BACK + "test_73_a_refund_made_at_the_gateway_is_adopted_and_its_reason_asked",
    ),
    "refund_key_per_try": fault(
        "A refund that was not answered is asked for under another key.",
        "pos/services/refunds.py",
        "            asked = await self._desk.ask(gate, row.call)\n",
        '            own = tuple((n, v + str(row.tries) * ("dempotency" in n)) for n, v in row.call.headers)\n'
        "            asked = await self._desk.ask(gate, row.call._replace(headers=own))\n",
        _MONEY + "test_a_refund_without_an_answer_is_asked_again_with_the_same_key_and_made_once",
    ),
    "bounced_is_given": fault(
        "A refund that bounced is still counted as given.",
        JOINS,
        'return self.state in {"requested", "pending", "succeeded"}',
        'return self.state in {"requested", "pending", "succeeded", "failed", "reversed"}',
        _MONEY + "test_a_refund_that_bounces_counts_again_and_stands_before_the_manager",
    ),
    "dispute_without_end": fault(
        "A dispute that was decided stays open.",
        JOINS,
        "Kind.DISPUTE_LOST: 2, Kind.DISPUTE_WON: 3}",
        "Kind.DISPUTE_LOST: 0, Kind.DISPUTE_WON: 0}",
        _BACK + "test_75_a_dispute_is_an_axis_of_its_own",
    ),
    "cash_back_outside_the_cap": fault(
        "What was given back in cash is not counted before more goes back.",
        GIVING,
        "refundable_minor(payment, (*verdict.refunds, *verdict.backs), disputes)",
        "refundable_minor(payment, verdict.refunds, disputes)",
        _BACK + "test_78_what_the_gateway_cannot_give_back_goes_back_in_cash_inside_the_cap",
    ),
    "cash_back_at_will": fault(
        "Cash is given back for a link that its gateway would refund.",
        GIVING,
        "if room and any(r.payment == payment.id and r.state in FAILED for r in verdict.refunds):",
        "if room:",
        _BACK + "test_78_what_the_gateway_cannot_give_back_goes_back_in_cash_inside_the_cap",
        _BACK + "test_78_a_second_payment_that_cannot_go_back_is_undone_in_cash_and_nobody_is_asked_again",
    ),
    "cash_back_makes_nothing_good": fault(
        "A refund that failed is waited for although its money was given back in cash.",
        VERDICT,
        " + [tender.replaces for tender in bundle.tenders]",
        "",
        _BACK + "test_78_a_second_payment_that_cannot_go_back_is_undone_in_cash_and_nobody_is_asked_again",
    ),
    "cash_back_by_anybody": Fault(
        "Whoever stands at the till gives cash back for a link.",
        (
            Edit(
                "pos/services/givebacks.py",
                "        self._approvals.allow(Act.REFUND, actor)\n"
                "        self._approvals.allow(Act.CASH_BACK, actor)\n",
                "",
            ),
            Edit(
                "pos/services/givebacks.py",
                "self._approvals.approve("
                "Ask(Act.CASH_BACK, order_id, amount + given_back_minor(bundle), actor, second))",
                "actor",
            ),
        ),
        (_BACK + "test_78_only_a_manager_gives_back_in_cash_and_says_why",),
    ),
    "cash_back_not_verified": fault(
        "The books are not asked whether more went back in cash than a payment took.",
        "pos/services/books.py",
        "back = (*case.verdict.refunds, *case.verdict.backs)",
        "back = case.verdict.refunds",
        _BACK + "test_78_more_given_back_than_was_taken_is_found_in_the_books",
    ),
    "last_word_wins": fault(
        "A failed that comes after the capture takes it back.",
        JOINS,
        "captured_minor=0 if wrong else captured,",
        "captured_minor=0 if wrong or any(f.kind is Kind.PAYMENT_FAILED for f in own) else captured,",
        _BACK + "test_76_a_late_failed_or_expired_does_not_undo_paid",
    ),
}

MACHINE = {
    "disk_not_named": fault(
        "A full disk is some error or other.",
        "pos/store/failures.py",
        'return Broken("The disk is full."',
        'return Broken("Something went wrong."',
        _MACHINE + "test_90_a_full_disk_asks_for_no_link_and_shows_none_and_the_payment_before_it_is_found",
    ),
    "fast_and_lost": Fault(
        "A commit need not be on the disk.",
        (
            Edit("pos/store/engine.py", "PRAGMA synchronous=FULL", "PRAGMA synchronous=NORMAL"),
            Edit("pos/store/engine.py", '"synchronous": 2', '"synchronous": 1'),
        ),
        (_MACHINE + "test_91_what_was_committed_is_in_the_files_before_anybody_is_told",),
    ),
    "no_patience": fault(
        "Books that somebody holds for a moment are an error.",
        "pos/store/engine.py",
        "BUSY_TIMEOUT_MS = 5_000",
        "BUSY_TIMEOUT_MS = 0",
        _MACHINE + "test_92_another_program_that_holds_the_books_is_waited_for",
    ),
    "holder_not_named": fault(
        "Books that somebody holds are some error or other.",
        "pos/store/failures.py",
        '    if "locked" in text or "busy" in text:\n',
        '    if "in use" in text:\n',
        _MACHINE + "test_92_and_one_that_does_not_let_go_is_named_and_nothing_was_asked_for",
    ),
    "orphans_dropped": fault(
        "A payment whose order is not here is dropped.",
        SETTLE,
        "    tx.facts.park(rows)\n",
        "    assert rows is not None\n",
        _MACHINE + "test_93_damaged_books_are_said_and_yesterdays_copy_learns_what_happened_since",
        _MACHINE + "test_100_two_shops_with_the_same_printed_numbers_on_one_account_do_not_meet",
        _MONEY + "test_a_payment_of_a_lost_book_is_an_orphan_and_can_be_attached",
        _FOREIGN,
    ),
    "two_windows": fault(
        "A second start does not know of the first.",
        "pos/app/desktop.py",
        "        return 0 if raise_first(home) else 1\n",
        "        return 3\n",
        "tests/ui/test_desktop.py::test_one_window_a_home_and_a_clean_end",
    ),
    "newer_is_fine": fault(
        "Books of a newer version are opened.",
        "pos/store/upgrade.py",
        "    if newer and _min_reader(connection) > gate.LEVEL:\n",
        "    if newer and _min_reader(connection) < 0:\n",
        "tests/store/test_gate.py::test_newer_books_that_cannot_be_read_are_refused_unchanged",
    ),
}

DAY = {
    "part_is_whole": fault(
        "A report that was not read to its end is called complete.",
        RECONCILE,
        'complete=not notes, note="; ".join(notes))',
        'complete=True, note="; ".join(notes))',
        _MONEY + "test_a_close_with_a_report_that_did_not_come_says_so_and_keeps_its_reason",
        _BAD + "test_73_a_page_that_is_missing_makes_the_run_partial_and_the_next_one_whole",
    ),
    "absent_is_void": fault(
        "An order that the report does not know may be voided.",
        "pos/services/selling.py",
        "        if any(a.live or (a.was_shown and not a.fenced and a.phase is not Phase.RELEASED) "
        "for a in bundle.attempts):\n",
        "        if False:\n",
        _BAD + "test_72_an_empty_report_is_no_news_and_never_a_failure",
    ),
    "closed_again": fault(
        "A day can be closed twice.",
        "pos/services/dayend.py",
        '            if any(z.day == day for z in tx.days.zs("day")):\n',
        "            if False:\n",
        _MONEY + "test_the_day_closes_once_carries_over_what_is_open_and_is_shown_as_it_was",
        _BAD + "test_76_two_managers_close_the_day_at_once_and_it_is_closed_once",
    ),
    "drawer_always_right": fault(
        "What was counted is what should be there.",
        "pos/services/dayend.py",
        "cash_difference_minor=counted_minor - expected_minor)",
        "cash_difference_minor=0)",
        _MONEY + "test_a_wrong_count_is_named",
    ),
    "printer_unheard": fault(
        "A printer that does not answer is not noticed.",
        "pos/devices/printer.py",
        "            raise Unreachable(Devices.PRINTER_GONE, Devices.PRINTER_GONE_HINT) from error\n",
        "            assert error\n",
        "tests/devices/test_devices.py::test_a_printer_that_does_not_answer_is_said_plainly",
    ),
}

FAULTS: dict[str, Fault] = {**ISSUING, **LINKS, **NEWS, **MONEY_BACK, **MACHINE, **DAY}
