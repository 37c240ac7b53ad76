"""Schemes under a rule pack: what may be published, by whom, and that nothing changes afterwards."""

from dataclasses import fields, replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from importlib import import_module

import pytest
from django.db import IntegrityError, connection, transaction
from hypothesis import given
from hypothesis import strategies as st

from reefpoint.platform.access.rules import permissions_of
from reefpoint.platform.access.selectors import get_approval, list_pending
from reefpoint.platform.access.services import PermissionRefused, approve
from reefpoint.platform.access.types import RoleName
from reefpoint.platform.basics.actors import Actor, system_actor
from reefpoint.platform.basics.errors import InvalidTransition
from reefpoint.platform.events.services import dispatch_once
from reefpoint.records.ledger.services import open_ledger_accounts
from reefpoint.records.ledger.types import desk_accounts
from reefpoint.records.products.adapters.packs import read_pack_file
from reefpoint.records.products.models import RulePack, Scheme, SchemeVersion
from reefpoint.records.products.rules import (
    HOUSE,
    LEGAL_BOUNDS,
    MalformedTerms,
    check_terms,
    pack_from_json,
    pack_to_json,
    ratio_at_margin_bp,
    terms_from_json,
    terms_to_json,
)
from reefpoint.records.products.selectors import (
    RulePackNotFound,
    SchemeVersionNotFound,
    find_problems,
    get_rule_pack,
    get_terms,
    get_version,
    list_schemes,
    list_tier_changes,
    load_demo_schemes,
    published_version,
    verify_schemes,
)
from reefpoint.records.products.services import (
    ChangeRefused,
    PublicationRefused,
    TermsRefused,
    change_scheme_tier,
    draft_scheme_version,
    load_rule_pack,
    publish_scheme_version,
    request_publication,
    request_tier,
    request_withdrawal,
    withdraw_scheme_version,
)
from reefpoint.records.products.types import FeeBasis, FeeMoment, RateKind, SchemeDraft, SchemeTerms, VersionState

AT = datetime(2020, 1, 2, 14, tzinfo=UTC)
ON = date(2020, 1, 2)
US = read_pack_file("US")
DRAFTS = {draft.code: draft for draft in load_demo_schemes()}
PRIME = DRAFTS["PRIME"].terms
(DRAWDOWN_FEE,) = PRIME.fees


def person(user_id: int, role: RoleName) -> Actor:
    return Actor(ref=f"user:{user_id}", name=f"P{user_id}", permissions=permissions_of([role]), user_id=user_id)


CLARA, RAVI = person(1, RoleName.CREDIT_OFFICER), person(2, RoleName.RISK_OFFICER)
OTTO = person(3, RoleName.RELATIONSHIP_MANAGER)


@pytest.fixture
def pack(db: None) -> int:
    return load_rule_pack(actor=system_actor("demo"), jurisdiction="US", at=AT)


def drafted(terms: SchemeTerms = PRIME, effective_from: date = ON, actor: Actor = CLARA) -> int:
    draft = SchemeDraft("PRIME", "Prime", "优选", terms)
    return draft_scheme_version(actor=actor, draft=draft, effective_from=effective_from, at=AT)


def approved(version_id: int) -> int:
    approval_id = request_publication(actor=CLARA, version_id=version_id, reason="new tier", at=AT)
    approve(actor=RAVI, approval_id=approval_id, payload_hash=get_approval(approval_id).payload_hash, at=AT)
    return approval_id


def published(terms: SchemeTerms = PRIME, effective_from: date = ON) -> int:
    version_id = drafted(terms, effective_from)
    approved(version_id)
    assert dispatch_once("worker") >= 1
    assert get_version(version_id).state is VersionState.PUBLISHED
    return version_id


# Terms against the rules


@pytest.mark.parametrize("code", sorted(DRAFTS))
def test_the_demonstration_schemes_stand_under_the_us_rules(code: str) -> None:
    assert check_terms(DRAFTS[code].terms, US, ON) == []


def test_the_legal_floors_are_the_ratios_of_the_margins() -> None:
    """Equity of 25% of assets is debt of 75%: 4/3, rounded up; 50% is 2."""
    assert ratio_at_margin_bp(Decimal("0.25")) == 13_334
    assert ratio_at_margin_bp(Decimal("0.5")) == 20_000


@pytest.mark.parametrize(
    ("change", "field", "rule", "article"),
    [
        ({"close_out_bp": 13_333}, "close_out_bp", "us.finra.maint_long", "4210(c)(1)"),
        ({"initial_bp": 19_999}, "initial_bp", "us.regt.initial_long", "220.12(a)"),
        ({"withdrawal_bp": 19_999}, "withdrawal_bp", "us.regt.initial_long", "220.12(a)"),
        ({"default_maintenance_bp": 2_499}, "default_maintenance_bp", "us.finra.maint_long", "4210(c)(1)"),
        ({"maintenances_bp": (("AMD", 2_400),)}, "maintenances_bp.AMD", "us.finra.maint_long", "4210(c)(1)"),
        ({"min_equity_minor": 199_999}, "min_equity_minor", "us.finra.min_equity", "4210(b)"),
        ({"call_deadline_sessions": 16}, "call_deadline_sessions", "us.finra.call_deadline", "4210(f)(6)"),
    ],
)
def test_a_term_past_a_legal_bound_names_the_rule_and_its_article(
    change: dict[str, object], field: str, rule: str, article: str
) -> None:
    (problem,) = check_terms(replace(PRIME, **change), US, ON)
    assert (problem.field, problem.rule) == (field, rule)
    assert article in str(problem.message)
    assert rule in str(problem.message)


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"close_out_bp": 15_000}, "close_out_bp"),
        ({"call_bp": 16_500, "cure_bp": 16_600, "target_bp": 16_600}, "call_bp"),
        ({"cure_bp": 15_099}, "cure_bp"),
        ({"target_bp": 15_999}, "target_bp"),
        ({"warning_bp": 20_001}, "warning_bp"),
        ({"renewal_min_ratio_bp": 14_999}, "renewal_min_ratio_bp"),
        ({"accepted_symbols": ()}, "accepted_symbols"),
        ({"haircuts_bp": (("ZZZ", 1),)}, "accepted_symbols"),
        ({"default_haircut_bp": 10_001}, "default_haircut_bp"),
        ({"haircuts_bp": (("AMD", -1),)}, "haircuts_bp.AMD"),
        ({"rate_bp": -1}, "rate_bp"),
        ({"limit_minor": 0}, "limit_minor"),
        ({"payment_order": PRIME.payment_order[:3]}, "payment_order"),
        ({"currency": "XXX"}, "currency"),
        ({"rule_pack": "HK"}, "rule_pack"),
        ({"rate_floor_bp": 551}, "rate_bp"),
        ({"rate_cap_bp": 549}, "rate_bp"),
        ({"rate_cap_bp": 10_001}, "rate_cap_bp"),
        ({"penalty_rate_bp": 10_001}, "penalty_rate_bp"),
        ({"rate_reset_days": 90}, "rate_reset_days"),
        ({"rate_kind": RateKind.FLOATING}, "rate_reset_days"),
        ({"rate_kind": RateKind.RESET, "rate_reset_days": 366}, "rate_reset_days"),
        ({"rate_kind": RateKind.RESET, "rate_reset_days": 30, "rate_notice_days": 31}, "rate_notice_days"),
        ({"grace_days": -1}, "grace_days"),
        ({"tenor_days": 36_601}, "tenor_days"),
        ({"group_cap_bp": 4_999}, "group_cap_bp"),
        ({"haircut_notice_sessions": -1}, "haircut_notice_sessions"),
        ({"renewals_max": 0}, "roll_over_allowed"),
        ({"fees": (DRAWDOWN_FEE, DRAWDOWN_FEE)}, "fees"),
        ({"fees": (replace(DRAWDOWN_FEE, rate_bp=0),)}, "fees.drawdown"),
        ({"fees": (replace(DRAWDOWN_FEE, amount_minor=1),)}, "fees.drawdown"),
        ({"fees": (replace(DRAWDOWN_FEE, basis=FeeBasis.FLAT),)}, "fees.drawdown"),
        ({"fees": (replace(DRAWDOWN_FEE, least_minor=2, most_minor=1),)}, "fees.drawdown"),
        (
            {"is_early_repayment_allowed": False, "fees": (replace(DRAWDOWN_FEE, moment=FeeMoment.EARLY_REPAYMENT),)},
            "fees",
        ),
    ],
)
def test_terms_that_contradict_themselves_are_named(change: dict[str, object], field: str) -> None:
    problems = check_terms(replace(PRIME, **change), US, ON)
    assert field in {problem.field for problem in problems if problem.rule == HOUSE}


@given(st.integers(10_000, 30_000), st.integers(10_000, 30_000))
def test_no_line_below_the_legal_floor_ever_passes(close_out_bp: int, call_bp: int) -> None:
    problems = check_terms(replace(PRIME, close_out_bp=close_out_bp, call_bp=call_bp), US, ON)
    if min(close_out_bp, call_bp) < 13_334 or close_out_bp >= call_bp:
        assert problems


def test_a_replay_of_old_prices_stands_under_the_pack_not_under_older_law() -> None:
    assert check_terms(replace(PRIME, close_out_bp=13_000), US, date(2008, 9, 2))


def test_every_legal_bound_names_a_field_and_a_rule_of_the_pack() -> None:
    rules = {rule.id for rule in (*US.rules, *read_pack_file("CN").rules)}
    assert {bound.rule_id for bound in LEGAL_BOUNDS} <= rules
    assert {bound.field for bound in LEGAL_BOUNDS} <= {field.name for field in fields(SchemeTerms)}


CHINESE = replace(PRIME, rule_pack="CN", currency="CNY", withdrawal_bp=30_000, tenor_days=180)


@pytest.mark.parametrize(
    ("terms", "rule"),
    [
        (replace(CHINESE, initial_bp=19_999), "cn.margin.financing_min.2026"),
        (replace(CHINESE, withdrawal_bp=29_999), "cn.maintenance.withdraw_line"),
        (replace(CHINESE, default_haircut_bp=2_999), "cn.haircut.index_stock"),
        (replace(CHINESE, tenor_days=184), "cn.term.contract_max"),
    ],
)
def test_in_mainland_china_no_terms_go_below_the_exchanges_floors(terms: SchemeTerms, rule: str) -> None:
    assert rule in {problem.rule for problem in check_terms(terms, read_pack_file("CN"), date(2026, 11, 22))}


def test_no_scheme_stands_on_a_pack_without_rules_on_margin() -> None:
    problems = check_terms(replace(PRIME, rule_pack="HK"), read_pack_file("HK"), date(2026, 11, 22))
    assert [(problem.field, "no rules on margin" in str(problem.message)) for problem in problems] == [
        ("rule_pack", True)
    ]


def test_every_rule_says_what_it_rests_on() -> None:
    rules = [rule for place in ("US", "CN", "HK") for rule in read_pack_file(place).rules]
    assert len({rule.id for rule in rules}) == len(rules)
    for rule in rules:
        assert rule.source
        assert rule.name_zh
        assert rule.evidence in {"text_seen", "secondary", "recall", "derived"}
        assert rule.confidence in {"high", "medium", "low"}


def test_a_haircut_is_the_names_own_or_the_default_and_everything_if_not_accepted() -> None:
    assert (PRIME.haircut_bp("AMD"), PRIME.haircut_bp("AAPL"), PRIME.haircut_bp("ZZZ")) == (6000, 4000, 10_000)
    assert (PRIME.maintenance_bp("AMD"), PRIME.maintenance_bp("AAPL")) == (4000, 2500)


# Storage


@pytest.mark.parametrize("code", sorted(DRAFTS))
def test_terms_read_back_as_they_were_stored(code: str) -> None:
    terms = DRAFTS[code].terms
    assert terms_from_json(terms_to_json(terms)) == terms
    plain = replace(terms, haircuts_bp=(), maintenances_bp=())
    assert terms_from_json(terms_to_json(plain)) == plain


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("rate_bp", "550"),
        ("rate_bp", 5.5),
        ("rate_bp", True),
        ("limit_minor", 10**16),
        ("is_early_repayment_allowed", 1),
        ("day_count", "ACT/999"),
        ("payment_order", ["fees", "tips"]),
        ("haircuts_bp", {"AMD": "60%"}),
        ("accepted_symbols", "AAPL"),
        ("currency", None),
        ("fees", [{"code": "x", "name": "x", "name_zh": "", "moment": "never", "basis": "flat"}]),
        ("fees", [{"code": "x", "name": "x", "name_zh": "", "moment": "late", "basis": "flat", "tip": 1}]),
        ("fees", [{"code": "x"}]),
        ("fees", {}),
    ],
)
def test_terms_of_a_wrong_kind_are_refused_by_field(field: str, value: object) -> None:
    with pytest.raises(MalformedTerms, match=field):
        terms_from_json({**terms_to_json(PRIME), field: value})


def test_missing_and_unknown_terms_are_refused_by_name() -> None:
    data = terms_to_json(PRIME)
    del data["call_bp"]
    with pytest.raises(MalformedTerms, match="bonus, call_bp"):
        terms_from_json({**data, "bonus": 1})


def test_a_pack_reads_back_as_it_was_stored_and_is_loaded_once(pack: int) -> None:
    assert pack_from_json(pack_to_json(US)) == US
    assert get_rule_pack("US") == US
    assert load_rule_pack(actor=system_actor("demo"), jurisdiction="US", at=AT) == pack
    assert RulePack.objects.count() == 1
    for unknown in ("XX", "../us", ""):
        with pytest.raises(RulePackNotFound):
            load_rule_pack(actor=system_actor("demo"), jurisdiction=unknown, at=AT)


def test_terms_stored_before_are_rewritten_to_what_they_meant() -> None:
    migration = import_module("reefpoint.records.products.migrations.0003_whole_terms")
    new = {"rate_kind", "rate_floor_bp", "rate_cap_bp", "rate_reset_days", "rate_notice_days", "grace_days", "fees"}
    new |= {"roll_over_allowed", "group_cap_bp", "haircut_notice_sessions"}
    old = {name: value for name, value in terms_to_json(PRIME).items() if name not in new}
    terms = terms_from_json(migration.whole_terms({**old, "drawdown_fee_bp": 10, "early_repayment_fee_bp": 0}))
    assert terms.fees == (DRAWDOWN_FEE,)
    assert (terms.rate_floor_bp, terms.rate_bp, terms.rate_cap_bp) == (550, 550, 550)
    assert check_terms(terms, US, ON) == []
    both = terms_from_json(migration.whole_terms({**old, "drawdown_fee_bp": 10, "early_repayment_fee_bp": 30}))
    assert both.charges_minor(FeeMoment.EARLY_REPAYMENT, 10_000_00) == 30_00


# Publication


def test_a_version_is_published_by_a_second_person_and_then_in_force(pack: int) -> None:
    version_id = published(effective_from=date(2020, 2, 3))
    view = get_version(version_id)
    assert (view.version, view.maker, view.checker, view.published_at) == (1, CLARA.ref, RAVI.ref, AT)
    assert get_terms(version_id) == PRIME
    assert get_terms(version_id) is get_terms(version_id)
    assert published_version("PRIME", date(2020, 2, 3)).id == version_id
    with pytest.raises(SchemeVersionNotFound):
        published_version("PRIME", date(2020, 2, 2))


def test_a_later_version_takes_over_on_its_day_and_the_earlier_keeps_its_terms(pack: int) -> None:
    first = published()
    second = published(replace(PRIME, rate_bp=600), effective_from=date(2020, 6, 1))
    assert published_version("PRIME", date(2020, 5, 31)).id == first
    assert published_version("PRIME", date(2020, 6, 1)).id == second
    assert (get_terms(first).rate_bp, get_terms(second).rate_bp) == (550, 600)
    assert [version.version for version in list_schemes()[0].versions] == [2, 1]


def test_a_version_below_the_legal_floor_cannot_be_published_and_the_rule_is_named(pack: int) -> None:
    version_id = drafted(replace(PRIME, close_out_bp=13_000))
    with pytest.raises(TermsRefused, match=r"13000, below .* FINRA Rule 4210 4210\(c\)\(1\) .*13334"):
        request_publication(actor=CLARA, version_id=version_id, reason="", at=AT)
    assert get_version(version_id).state is VersionState.DRAFT


def test_terms_in_a_currency_that_the_books_are_not_kept_in_cannot_be_published(pack: int) -> None:
    abroad = replace(PRIME, currency="HKD")
    assert "currency" not in {problem.field for problem in find_problems(abroad, ON)}
    open_ledger_accounts(desk_accounts("USD"))
    (problem,) = find_problems(abroad, ON)
    assert (problem.field, str(problem.reason)) == ("currency", "the books of the desk are kept in USD")
    version_id = drafted(abroad)
    with pytest.raises(TermsRefused, match="currency is HKD: the books of the desk are kept in USD"):
        request_publication(actor=CLARA, version_id=version_id, reason="", at=AT)
    assert get_version(version_id).state is VersionState.DRAFT


def test_i63_the_maker_cannot_ask_through_another_and_the_database_holds_it(pack: int) -> None:
    version_id = drafted()
    with pytest.raises(PublicationRefused, match="drafted"):
        request_publication(actor=RAVI, version_id=version_id, reason="", at=AT)
    with pytest.raises(IntegrityError, match="second_person"), transaction.atomic():
        SchemeVersion.objects.filter(id=version_id).update(
            state=VersionState.PUBLISHED, checker=CLARA.ref, published_at=AT
        )


def test_i63_what_is_published_is_what_was_shown(pack: int) -> None:
    approval_id = request_publication(actor=CLARA, version_id=drafted(), reason="new tier", at=AT)
    payload = get_approval(approval_id).payload
    assert payload["terms"] == terms_to_json(PRIME)
    assert payload["effective_from"] == "2020-01-02"


def test_an_approval_that_was_not_given_publishes_nothing(pack: int) -> None:
    version_id = drafted()
    approval_id = request_publication(actor=CLARA, version_id=version_id, reason="", at=AT)
    with pytest.raises(PublicationRefused, match="not approved"):
        publish_scheme_version(actor=system_actor("worker"), approval_id=approval_id, at=AT)
    assert get_version(version_id).state is VersionState.DRAFT


def test_i41_publishing_twice_is_one_effect(pack: int) -> None:
    version_id = drafted()
    approval_id = approved(version_id)
    for minutes in (1, 2):
        publish_scheme_version(
            actor=system_actor("worker"), approval_id=approval_id, at=AT + timedelta(minutes=minutes)
        )
    assert get_version(version_id).published_at == AT + timedelta(minutes=1)


def test_a_version_cannot_take_effect_in_the_past(pack: int) -> None:
    version_id = drafted(effective_from=ON - timedelta(days=1))
    with pytest.raises(PublicationRefused, match="past"):
        request_publication(actor=CLARA, version_id=version_id, reason="", at=AT)


def test_a_withdrawn_version_is_offered_no_longer_and_keeps_its_terms(pack: int) -> None:
    version_id = published()
    asked = request_withdrawal(actor=CLARA, version_id=version_id, effect={}, reason="too generous", at=AT)
    with pytest.raises(ChangeRefused, match="not approved"):
        withdraw_scheme_version(actor=RAVI, approval_id=asked, at=AT)
    assert published_version("PRIME", ON).id == version_id
    decide(asked)
    with pytest.raises(SchemeVersionNotFound):
        published_version("PRIME", ON)
    assert get_version(version_id).terms == PRIME
    withdraw_scheme_version(actor=RAVI, approval_id=asked, at=AT)
    with pytest.raises(InvalidTransition):
        request_withdrawal(actor=CLARA, version_id=version_id, effect={}, reason="again", at=AT)


def decide(approval_id: int) -> None:
    approve(actor=RAVI, approval_id=approval_id, payload_hash=get_approval(approval_id).payload_hash, at=AT)
    assert dispatch_once("worker") >= 1


def test_a_tier_is_changed_by_two_people_once_with_its_history(pack: int) -> None:
    version_id = published()
    scheme_id = get_version(version_id).scheme_id
    assert published_version("PRIME", ON).tier == 1
    asked = request_tier(actor=CLARA, scheme_id=scheme_id, tier=3, reason="for every client", at=AT)
    assert get_approval(asked).payload["tier_after"] == 3
    with pytest.raises(ChangeRefused, match="not approved"):
        change_scheme_tier(actor=RAVI, approval_id=asked, at=AT)
    assert list_tier_changes(scheme_id) == []
    decide(asked)
    change_scheme_tier(actor=RAVI, approval_id=asked, at=AT)
    (change,) = list_tier_changes(scheme_id)
    assert (change.before, change.after, change.maker, change.checker) == (1, 3, CLARA.ref, RAVI.ref)
    assert published_version("PRIME", ON).tier == 3, "also where the version was read before"
    assert verify_schemes() == []


@pytest.mark.parametrize(("tier", "reason"), [(1, "the same"), (0, "none"), (100, "too far"), (2, " ")])
def test_a_tier_that_is_none_or_has_no_reason_is_not_asked_for(pack: int, tier: int, reason: str) -> None:
    scheme_id = get_version(published()).scheme_id
    with pytest.raises(ChangeRefused):
        request_tier(actor=CLARA, scheme_id=scheme_id, tier=tier, reason=reason, at=AT)
    assert list_pending(RAVI) == []


def test_the_database_changes_no_tier_without_its_history(pack: int) -> None:
    scheme_id = get_version(published()).scheme_id
    with pytest.raises(IntegrityError, match="by an approval alone"), transaction.atomic():
        Scheme.objects.filter(id=scheme_id).update(tier=2)
    assert published_version("PRIME", ON).tier == 1


@pytest.mark.parametrize(
    "change",
    [
        "terms = '{}'",
        "terms = jsonb_set(terms, '{rate_bp}', '1')",
        "effective_from = '2020-01-01'",
        "maker = 'user:7'",
        "checker = 'user:7'",
        "published_at = now()",
        "version = 9",
        "state = 'draft', checker = '', published_at = NULL",
    ],
)
def test_the_database_refuses_to_change_a_published_version(pack: int, change: str) -> None:
    published()
    with pytest.raises(IntegrityError, match="append-only"), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(f"UPDATE products_schemeversion SET {change}")


def test_the_database_keeps_drafts_and_packs_as_they_are(pack: int) -> None:
    drafted()
    for statement in (
        "UPDATE products_schemeversion SET terms = '{}'",
        "DELETE FROM products_schemeversion",
        "UPDATE products_rulepack SET rules = '{}'",
        "DELETE FROM products_rulepack",
    ):
        with pytest.raises(IntegrityError, match="append-only"), transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(statement)


def test_drafting_and_publishing_need_the_right_and_a_pack(db: None) -> None:
    with pytest.raises(RulePackNotFound):
        drafted()
    load_rule_pack(actor=system_actor("demo"), jurisdiction="US", at=AT)
    with pytest.raises(PermissionRefused):
        drafted(actor=OTTO)
    with pytest.raises(PermissionRefused):
        request_publication(actor=OTTO, version_id=1, reason="", at=AT)
    assert (Scheme.objects.count(), SchemeVersion.objects.count()) == (0, 0)


# Proof


def test_sound_schemes_have_no_findings(pack: int) -> None:
    published()
    assert verify_schemes() == []


@pytest.mark.parametrize(
    ("statement", "check"),
    [
        ("UPDATE products_rulepack SET rules = jsonb_set(rules, '{rules,2,value}', '0.1')", "products.rule_pack"),
        ("UPDATE products_schemeversion SET terms = jsonb_set(terms, '{close_out_bp}', '12000')", "products.terms"),
        ("DROP TRIGGER products_schemeversion_fixed_columns ON products_schemeversion", "database.guard"),
    ],
)
def test_i64_tampered_schemes_are_named(pack: int, statement: str, check: str) -> None:
    published()
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute("SET session_replication_role = replica")
        cursor.execute(statement)
        cursor.execute("RESET session_replication_role")
    assert check in {finding.check for finding in verify_schemes()}
