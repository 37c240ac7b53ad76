"""Names are assessed, a second person puts that in force, and the book follows step by step."""

from datetime import date, timedelta
from typing import Any

import pytest
from tests.desk import MONDAY, SYSTEM, TUESDAY, WEDNESDAY, Desk, noon

from reefpoint.decisions.collateral.adapters.shipped import read_shipped_house
from reefpoint.decisions.collateral.models import Assessment, HaircutRelease, HaircutStep, NameAssessment
from reefpoint.decisions.collateral.rules import CapReached, NotEligible
from reefpoint.decisions.collateral.selectors.assessments import explain_haircut, get_assessment
from reefpoint.decisions.collateral.selectors.haircuts import haircuts_in_force
from reefpoint.decisions.collateral.selectors.house import HOUSE, LISTS, is_eligible, valuation_cuts
from reefpoint.decisions.collateral.selectors.proof import verify_collateral
from reefpoint.decisions.collateral.services.assessments import NothingToAssess, assess_names
from reefpoint.decisions.collateral.services.releases import NotReleasable, announce_day
from reefpoint.decisions.collateral.types import NameView
from reefpoint.decisions.margin.models import MarginState
from reefpoint.decisions.margin.selectors.collateral_effects import find_assessment_effect
from reefpoint.decisions.margin.selectors.standing import load_sheet
from reefpoint.decisions.margin.services.collateral import (
    StepTooFar,
    draft_and_request,
    request_haircut_release,
)
from reefpoint.decisions.margin.types import Band
from reefpoint.flows.servicing.rules import CreditRefused
from reefpoint.flows.servicing.services.credit import draw_down
from reefpoint.flows.servicing.services.trading import place_client_order
from reefpoint.platform.access.models import Approval
from reefpoint.platform.access.selectors import get_approval
from reefpoint.platform.access.services import PermissionRefused, SecondPersonNeeded, approve
from reefpoint.platform.publications.models import Publication
from reefpoint.records.execution.models import Order
from reefpoint.records.execution.types import Side
from reefpoint.records.market.services.listings import ListingRefused, record_listing
from reefpoint.records.market.types import ListingDraft

AT = noon(MONDAY)
PATHS = 1_000
NO_CAPS = {"issuer_bp": None, "boards_bp": {}, "house_share_bp": None, "house_volume_days": None}


def assess(desk: Desk, *symbols: str, on: date = MONDAY) -> int:
    chosen = [desk.instruments[symbol] for symbol in symbols] or None
    return assess_names(actor=desk.risk, on=on, at=noon(on), instrument_ids=chosen, paths=PATHS)


def name(assessment_id: int, symbol: str) -> NameView:
    return next(one for one in get_assessment(assessment_id).names if one.symbol == symbol)


def release(desk: Desk, assessment_id: int, on: date = MONDAY) -> int:
    approval_id = request_haircut_release(
        actor=desk.risk, assessment_id=assessment_id, reason="the quarter's review", on=on, at=noon(on)
    )
    decide(desk, approval_id, on)
    return approval_id


def decide(desk: Desk, approval_id: int, on: date = MONDAY) -> None:
    approve(
        actor=desk.approver, approval_id=approval_id, payload_hash=get_approval(approval_id).payload_hash, at=noon(on)
    )
    desk.drain()


def publish_house(desk: Desk, on: date = MONDAY, **changes: object) -> None:
    content = {**read_shipped_house(), **changes}
    decide(
        desk,
        draft_and_request(
            actor=desk.risk, kind=HOUSE, content=content, effective_from=on, reason="a year's review", at=noon(on)
        ),
        on,
    )


def publish_list(desk: Desk, *symbols: str) -> None:
    names = [{"symbol": symbol, "since": "2019-01-01", "until": None, "note": ""} for symbol in symbols]
    content = {"lists": [{"tier": "", "names": names}]}
    decide(
        desk,
        draft_and_request(
            actor=desk.risk, kind=LISTS, content=content, effective_from=MONDAY, reason="the list", at=AT
        ),
    )


def warn(desk: Desk, symbol: str, **facts: Any) -> None:
    record_listing(
        actor=SYSTEM,
        instrument_id=desk.instruments[symbol],
        facts=ListingDraft(MONDAY, "the exchange's notice", **facts),
        at=AT,
    )


def test_each_name_is_the_worst_of_its_parts_and_the_models_add_up(desk: Desk) -> None:
    warn(desk, "JPM", has_risk_warning=True)
    assessment_id = assess(desk)
    for one in get_assessment(assessment_id).names:
        assert one.haircut_bp == max(one.regulation_bp, one.house_bp, one.model_bp, one.list_bp)
        model = one.explanation["model"]
        parts = ("volatility", "liquidity", "concentration", "gap", "rounding")
        assert sum(model[f"{part}_ppm"] for part in parts) == one.model_bp * 100  # type: ignore[misc]
    apple, bank = name(assessment_id, "AAPL"), name(assessment_id, "JPM")
    assert (apple.house_bp, apple.explanation["house"]["row"]) == (3_000, "main-large")
    assert apple.explanation["house"]["inputs"]["daily_turnover"] == 100_000_000  # type: ignore[index]
    assert (bank.haircut_bp, bank.binding) == (10_000, "house")
    assert bank.explanation["listing"] == {"effective_on": "2019-11-25", "source": "the exchange's notice"}
    assert get_assessment(assessment_id).packs.keys() == {"US"}


def test_i61_a_name_without_history_or_price_is_never_taken_for_harmless(desk: Desk) -> None:
    desk.instruments["NEWCO"] = desk.list_name("NEWCO")
    found = name(assess(desk), "NEWCO")
    assert (found.model_bp, found.explanation["model"]["why_not"]) == (7_000, "0 daily returns, 250 needed")
    assert (found.house_bp, found.explanation["house"]["missing"]) == (10_000, ["daily_turnover"])


def test_i09_adding_a_name_that_nobody_holds_changes_no_other(desk: Desk) -> None:
    before = assess(desk)
    desk.instruments["NEWCO"] = desk.list_name("NEWCO")
    after = assess(desk)
    for symbol in ("AAPL", "JPM", "KO"):
        assert name(before, symbol) == name(after, symbol)


def test_an_assessment_alone_puts_nothing_in_force(desk: Desk) -> None:
    states = desk.outcome()["states"]
    assess(desk)
    desk.drain()
    assert haircuts_in_force(MONDAY) == {}
    assert desk.outcome()["states"] == states
    assert not HaircutStep.objects.exists()


def test_i30_what_lends_less_comes_after_its_notice_and_day_by_day(desk: Desk) -> None:
    warn(desk, "AAPL", has_risk_warning=True)
    assessment_id = assess(desk, "AAPL")
    release(desk, assessment_id)
    apple = desk.instruments["AAPL"]
    steps = list(HaircutStep.objects.order_by("effective_on").values_list("effective_on", "haircut_bp"))
    assert steps[0][0] > WEDNESDAY
    assert [bp for _, bp in steps] == list(range(4_500, 10_001, 500)), "from the scheme's own 40% by 5% a session"
    assert haircuts_in_force(MONDAY) == {}
    found = explain_haircut(apple, steps[2][0])
    assert (found.haircut_bp, found.target_bp, len(found.pending)) == (5_500, 10_000, 9)
    assert found.name is not None
    assert found.name.binding == "house"
    assert announce_day(on=steps[0][0], at=noon(steps[0][0]))
    assert not announce_day(on=MONDAY, at=AT)
    assert verify_collateral() == []


def test_what_lends_more_counts_at_once_and_is_on_record_without_a_tick(desk: Desk) -> None:
    warn(desk, "AAPL", has_risk_warning=True)
    release(desk, assess(desk, "AAPL"))
    last = HaircutStep.objects.order_by("-effective_on")[0].effective_on
    assert haircuts_in_force(last)[desk.instruments["AAPL"]] == 10_000
    warn(desk, "AAPL", has_risk_warning=False)
    milder = assess(desk, "AAPL")
    release(desk, milder)
    in_force = haircuts_in_force(last)[desk.instruments["AAPL"]]
    assert in_force == name(milder, "AAPL").haircut_bp < 10_000


def test_the_effect_is_shown_before_and_i09_touches_nobody_else(desk: Desk) -> None:
    warn(desk, "AAPL", has_risk_warning=True)
    assessment_id = assess(desk, "AAPL")
    other = desk.open_account({"JPM": 1_000}, 10_000_00)
    desk.drain()
    effect = find_assessment_effect(assessment_id, at=AT)
    (standard,) = effect.schemes
    assert standard.scheme_code == "STANDARD"
    # 11,000 Apple at 100.00 lent 60% each; now nothing
    assert standard.lendable_before_minor - standard.lendable_after_minor == 660_000_00
    assert (standard.over_before, standard.over_after) == (0, 1)
    assert standard.over_after_minor == 50_000_00 - MarginState.objects.get(account_id=desk.near).lendable_minor % 1
    assert (effect.total.moved, effect.total.closed_out) == (0, 0), "haircuts are no part of the ratio"
    assert other not in [row.account_id for row in effect.worst]


def test_i63_only_a_second_person_puts_haircuts_in_force_and_only_what_was_shown(desk: Desk) -> None:
    assessment_id = assess(desk)
    approval_id = request_haircut_release(
        actor=desk.risk, assessment_id=assessment_id, reason="review", on=MONDAY, at=AT
    )
    shown = get_approval(approval_id)
    with pytest.raises(SecondPersonNeeded):
        approve(actor=desk.risk, approval_id=approval_id, payload_hash=shown.payload_hash, at=AT)
    desk.drain()
    assert not HaircutRelease.objects.exists()
    assert shown.payload["assessment_id"] == assessment_id
    decide(desk, approval_id)
    assert HaircutRelease.objects.get().checker == desk.approver.ref


def test_an_assessment_that_was_overtaken_is_refused_and_writes_nothing(desk: Desk) -> None:
    older, newer = assess(desk), assess(desk)
    release(desk, newer)
    approvals = Approval.objects.count()
    with pytest.raises(NotReleasable, match="newer assessment"):
        request_haircut_release(actor=desk.risk, assessment_id=older, reason="late", on=MONDAY, at=AT)
    assert Approval.objects.count() == approvals


def test_who_may_not_assess_and_what_cannot_be_assessed(desk: Desk) -> None:
    with pytest.raises(PermissionRefused):
        assess_names(actor=desk.manager, on=MONDAY, at=AT)
    with pytest.raises(NothingToAssess):
        assess_names(actor=desk.risk, on=MONDAY, at=AT, instrument_ids=[])
    with pytest.raises(NothingToAssess):
        assess_names(actor=desk.risk, on=MONDAY, at=AT, instrument_ids=[999_999])
    with pytest.raises(ListingRefused):
        record_listing(actor=SYSTEM, instrument_id=desk.instruments["AAPL"], facts=ListingDraft(MONDAY, " "), at=AT)
    assert (Assessment.objects.count(), NameAssessment.objects.count()) == (0, 0)


# suspended names


def test_i18_a_suspended_name_is_worth_what_the_policy_leaves_of_it(desk: Desk) -> None:
    publish_house(desk)
    desk.suspend("AAPL", is_suspended=True, at=AT)
    desk.drain()
    market = MarginState.objects.get(account_id=desk.near).assets_minor
    later = MONDAY + timedelta(days=14)
    assert valuation_cuts(MONDAY) == {}
    assert valuation_cuts(later) == {desk.instruments["AAPL"]: 1_000}
    desk.prices(later, JPM="100", KO="50")
    assert MarginState.objects.get(account_id=desk.near).assets_minor == market - 10_000_00
    desk.suspend("AAPL", is_suspended=False, at=noon(later))
    desk.prices(later, at=noon(later) + timedelta(hours=1), AAPL="99")
    assert MarginState.objects.get(account_id=desk.near).assets_minor == market - 1_000_00


def test_i18_other_names_are_sold_while_one_is_suspended(desk: Desk) -> None:
    publish_house(desk, caps=NO_CAPS)
    mixed = desk.open_account({"AAPL": 700, "JPM": 300}, 50_000_00)
    desk.drain()
    desk.suspend("JPM", is_suspended=True, at=AT)
    desk.prices(TUESDAY, AAPL="55")
    desk.prices(WEDNESDAY, AAPL="55")
    desk.sell_out(WEDNESDAY)
    sold = set(Order.objects.filter(account_id=mixed).values_list("instrument__symbol", flat=True))
    assert sold == {"AAPL"}


def test_i30_a_valuation_that_would_close_out_safe_accounts_needs_somebody_to_answer_for_it(desk: Desk) -> None:
    desk.suspend("AAPL", is_suspended=True, at=AT)
    desk.drain()
    assert desk.band(desk.near) is Band.SAFE
    harsh = {
        **read_shipped_house()["suspension"],
        "rows": [{"id": "all", "when": {"sessions": "-"}, "then": {"cut_bp": 5_000}}],
    }
    before = Publication.objects.count(), Approval.objects.count()
    with pytest.raises(StepTooFar, match="1 accounts from safe to close-out"):
        publish_house(desk, suspension=harsh)
    assert (Publication.objects.count(), Approval.objects.count()) == before
    assert desk.band(desk.near) is Band.SAFE
    publish_house(desk, suspension=harsh, override_reason="the exchange delists it tomorrow")
    assert desk.band(desk.near) is Band.CLOSE_OUT


def test_i30_the_book_is_looked_at_again_when_the_second_person_has_decided(desk: Desk) -> None:
    rows = [{"id": "all", "when": {"sessions": "-"}, "then": {"cut_bp": 5_000}}]
    content = {**read_shipped_house(), "suspension": {**read_shipped_house()["suspension"], "rows": rows}}
    approval_id = draft_and_request(
        actor=desk.risk, kind=HOUSE, content=content, effective_from=MONDAY, reason="review", at=AT
    )
    desk.suspend("AAPL", is_suspended=True, at=AT)
    decide(desk, approval_id)
    assert desk.band(desk.near) is Band.SAFE
    assert Publication.objects.filter(kind=HOUSE.name, state="draft").count() == 1


# lists and caps


def test_a_name_off_the_list_is_not_bought_and_nothing_more_is_lent_on_it(desk: Desk) -> None:
    publish_list(desk, "JPM", "KO")
    assert not is_eligible(desk.instruments["AAPL"], MONDAY)
    desk.deposit(desk.near, 20_000_00, MONDAY)
    before = desk.books()
    with pytest.raises(NotEligible, match="AAPL is not on the list of accepted collateral"):
        desk.trade(desk.near, "AAPL", Side.BUY, 10, MONDAY)
    with pytest.raises(CreditRefused, match="AAPL is not on the list of accepted collateral"):
        draw_down(actor=desk.operations, account_id=desk.near, amount_minor=1_000_00, key="d", on=MONDAY, at=AT)
    assert desk.books() == before
    assert name(assess(desk), "AAPL").list_bp == 10_000


def test_nothing_more_is_lent_on_a_name_of_which_the_house_has_too_much(desk: Desk) -> None:
    publish_house(desk)
    desk.deposit(desk.near, 20_000_00, MONDAY)
    before = desk.books()
    with pytest.raises(CreditRefused, match=r"AAPL: \d\d\.\d\d% of what the desk lends on lies in it, and at most 25"):
        draw_down(actor=desk.operations, account_id=desk.near, amount_minor=1_000_00, key="d", on=MONDAY, at=AT)
    assert desk.books() == before


def test_caps_of_issuer_and_house_refuse_with_what_they_are(desk: Desk) -> None:
    warn(desk, "KO", issuer="COLA")
    caps = {"issuer_bp": 500, "boards_bp": {}, "house_share_bp": None, "house_volume_days": 20}
    publish_house(desk, caps=caps)
    desk.deposit(desk.healthy, 500_000_00, MONDAY)
    before = desk.books()
    with pytest.raises(CapReached, match=r"the issuer COLA would be 5\.\d\d% of the account; at most 5\.00%"):
        desk.trade(desk.healthy, "KO", Side.BUY, 1_800, MONDAY)
    assert desk.books() == before
    desk.trade(desk.healthy, "KO", Side.BUY, 100, MONDAY)
    publish_house(desk, caps={**caps, "issuer_bp": None, "house_volume_days": 1})
    desk.receive(desk.healthy, desk.instruments["KO"], 9_990, MONDAY)
    with pytest.raises(CapReached, match=r"KO cannot be bought now: the desk holds 1\.1 days of its volume"):
        desk.trade(desk.healthy, "KO", Side.BUY, 1_000, MONDAY)


def test_what_was_ordered_and_is_not_filled_counts_in_the_caps_of_account_and_house(desk: Desk) -> None:
    warn(desk, "KO", issuer="COLA")
    caps = {"issuer_bp": 500, "boards_bp": {}, "house_share_bp": None, "house_volume_days": 20}
    publish_house(desk, caps=caps)
    desk.deposit(desk.healthy, 500_000_00, MONDAY)

    def order(account: int, quantity: int, key: str) -> None:
        place_client_order(
            actor=desk.operations,
            account_id=account,
            instrument_id=desk.instruments["KO"],
            side=Side.BUY,
            quantity=quantity,
            key=key,
            session_on=MONDAY,
            at=AT,
        )

    order(desk.healthy, 900, "first")
    with pytest.raises(CapReached, match="the issuer COLA"):
        order(desk.healthy, 900, "second")
    publish_house(desk, caps={**caps, "issuer_bp": None, "house_volume_days": 1})
    desk.receive(desk.healthy, desk.instruments["KO"], 9_090, MONDAY)
    with pytest.raises(CapReached, match="days of its volume"):
        order(desk.healthy, 20, "third")
    order(desk.healthy, 10, "fourth")


def test_house_rules_of_the_scheme_stay_when_the_desks_are_milder(desk: Desk) -> None:
    assessment_id = assess(desk, "KO")
    release(desk, assessment_id)
    version = desk.account(desk.near).scheme_version_id
    sheet = load_sheet([version], at=AT)
    own = sheet.terms[version].haircut_bp("KO")
    assert int(sheet.marks.haircut_bp[0, sheet.column[desk.instruments["KO"]]]) >= own
