"""KYC: identifiers, owners, documents and the rating, each replayable from what was stored (C03, I60, I61, I62)."""

from collections.abc import Mapping
from copy import deepcopy
from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest
from django.db import IntegrityError, connection, transaction
from tests.desk import MONDAY, SYSTEM, Desk, noon

from reefpoint.decisions.kyc import rules
from reefpoint.decisions.kyc.adapters.shipped import read_shipped_rating
from reefpoint.decisions.kyc.models import KycAssessment
from reefpoint.decisions.kyc.selectors import (
    RATING,
    count_due_reviews,
    find_reviews,
    get_kyc_standing,
    list_assessments,
    load_kyc_standings,
    read_owner_chart,
    verify_kyc,
)
from reefpoint.decisions.kyc.services import (
    NoteNeeded,
    RatingNeeded,
    RatingTooLow,
    assess_client,
    review_client,
)
from reefpoint.decisions.kyc.types import (
    AssessmentCause,
    AssessmentView,
    DocumentInput,
    KycInputs,
    KycState,
    PersonInput,
    Rating,
)
from reefpoint.decisions.relations.selectors import get_group
from reefpoint.decisions.relations.services import regroup_client
from reefpoint.decisions.screening.events import HitResolved
from reefpoint.decisions.screening.models import Hit
from reefpoint.decisions.screening.services import load_list, screen_client
from reefpoint.decisions.screening.types import ListShape
from reefpoint.platform.access.models import User
from reefpoint.platform.access.selectors import list_pending
from reefpoint.platform.access.services import PermissionRefused, actor_for, approve, create_user
from reefpoint.platform.access.types import RoleName
from reefpoint.platform.basics.actors import Actor
from reefpoint.platform.basics.tables.table import MalformedTable
from reefpoint.platform.events.services import publish
from reefpoint.platform.publications.services import draft_publication, request_publication
from reefpoint.records.parties.selectors.clients import ClientNotFound
from reefpoint.records.parties.services import record_profile, register_clients
from reefpoint.records.parties.types import (
    ClientDraft,
    ClientKind,
    IdentifierDraft,
    IdentifierKind,
    PersonRole,
    ProfileDraft,
    RelatedPersonDraft,
)

AT = noon(MONDAY)
TABLE = rules.read_rating_table(read_shipped_rating())
ME = ProfileDraft(
    kind=ClientKind.INDIVIDUAL,
    name="Li Ming",
    birth_or_incorporated_on=date(1991, 1, 1),
    nationality="CN",
    residence="US",
    occupation="Engineer",
    employer_or_industry="Bridge building",
    annual_income_minor=10_000_000,
    liquid_assets_minor=50_000_000,
    net_worth_minor=100_000_000,
    sources_of_wealth=("employment",),
    is_pep_declared=False,
    expected_turnover_minor=100_000_000,
    identifiers=(IdentifierDraft(IdentifierKind.CN_RIC, "360426199101010071", "CN"),),
)
FACTORS: Mapping[str, Any] = {
    "residence": "US",
    "nationality": "CN",
    "is_pep": False,
    "industry": "not_listed",
    "wealth_source": "employment",
    "channel": "in_person",
    "structure": "natural_person",
    "product": "margin_loan",
    "turnover_pct": 100,
    "screening": "clear",
}
OWN_ID = rules.IdentifierInput("client", "cn.ric", ())
PASSPORT = DocumentInput(1, "identity", None)
PERSON = KycInputs(MONDAY, "individual", "US", FACTORS, (), (OWN_ID,), (PASSPORT,))


def owner(share_bp: int | None, *, is_identified: bool = True) -> PersonInput:
    return PersonInput("owner", share_bp, is_identified)


BOARD = (PersonInput("legal_representative", None, True), PersonInput("signatory", None, True))
FIRM = replace(
    PERSON,
    kind="institution",
    factors={**FACTORS, "structure": "simple"},
    persons=(owner(10_000), *BOARD),
    documents=(DocumentInput(1, "incorporation", None), DocumentInput(2, "ownership", None)),
)


def codes(inputs: KycInputs) -> list[tuple[str, str]]:
    return [(problem.code, problem.subject) for problem in rules.assess(TABLE, inputs).problems]


def rated(**factors: Any) -> tuple[Rating | None, int]:
    outcome = rules.assess(TABLE, replace(PERSON, factors={**FACTORS, **factors}))
    return outcome.rating, outcome.points


@pytest.mark.parametrize(
    ("factors", "expected"),
    [
        ({}, (Rating.LOW, 10)),
        ({"channel": "remote"}, (Rating.LOW, 20)),
        ({"channel": "remote", "turnover_pct": 101}, (Rating.STANDARD, 25)),
        ({"channel": "remote", "turnover_pct": 300}, (Rating.STANDARD, 25)),
        ({"residence": "VN"}, (Rating.STANDARD, 30)),
        ({"industry": "gaming"}, (Rating.STANDARD, 35)),
        ({"industry": "gaming", "wealth_source": "other"}, (Rating.HIGH, 50)),
        ({"turnover_pct": 1001}, (Rating.STANDARD, 35)),
        ({"is_pep": True}, (Rating.HIGH, 50)),
        ({"screening": "never"}, (Rating.LOW, 10)),
        ({"screening": "open_hits"}, (Rating.STANDARD, 35)),
        ({"screening": "exposed"}, (Rating.HIGH, 50)),
        ({"screening": "confirmed"}, (Rating.PROHIBITED, 110)),
        ({"nationality": "IR"}, (Rating.HIGH, 50)),
        ({"residence": "MM"}, (Rating.HIGH, 50)),
        ({"structure": "opaque"}, (Rating.HIGH, 40)),
        ({"residence": "KP"}, (Rating.PROHIBITED, 110)),
    ],
)
def test_points_add_up_and_some_facts_set_a_floor(factors: dict[str, Any], expected: tuple[Rating, int]) -> None:
    assert rated(**factors) == expected


@pytest.mark.parametrize("factor", sorted(FACTORS))
def test_i61_a_missing_or_unknown_factor_refers_the_client_and_never_counts_as_zero(factor: str) -> None:
    for value in (None, "no such thing"):
        outcome = rules.assess(TABLE, replace(PERSON, factors={**FACTORS, factor: value}))
        assert (outcome.rating, outcome.missing) == (None, (factor,))
    without = {name: value for name, value in FACTORS.items() if name != factor}
    assert rules.assess(TABLE, replace(PERSON, factors=without)).rating is None


def test_what_is_known_of_a_referred_client_is_the_least_it_can_be() -> None:
    outcome = rules.assess(TABLE, replace(PERSON, factors={**FACTORS, "industry": None, "is_pep": True}))
    assert (outcome.rating, outcome.floor, outcome.points) == (None, Rating.HIGH, 50)


def test_each_reason_says_why_in_both_languages() -> None:
    reasons = {reason.factor: reason for reason in rules.assess(TABLE, PERSON).reasons}
    assert list(reasons) == [
        "residence", "nationality", "pep", "industry", "wealth", "channel", "structure", "product", "turnover",
        "screening",
    ]  # fmt: skip
    assert (reasons["product"].points, reasons["product"].en, reasons["product"].zh) == (
        10,
        "wants a margin loan",
        "申请融资贷款",
    )


@pytest.mark.parametrize(
    ("text", "industry"),
    [
        ("Croupier at a Casino", "gaming"),
        ("Farms and gardens", "not_listed"),
        ("Arms trader", "arms"),
        ("经营博彩网站", "gaming"),
        ("软件工程师", "not_listed"),
        ("Goldsmith, gold and diamonds", "precious"),
        ("  ", None),
    ],
)
def test_a_trade_is_known_by_its_words(text: str, industry: str | None) -> None:
    assert rules.industry_of(TABLE, text) == industry


@pytest.mark.parametrize(
    ("turnover", "worth", "percent"),
    [(100, 100, 100), (1_001, 1_000, 101), (0, 5, 0), (5, 0, None), (5, -3, None), (None, 5, None), (5, None, None)],
)
def test_turnover_is_measured_by_net_worth_or_not_known(
    turnover: int | None, worth: int | None, percent: int | None
) -> None:
    assert rules.turnover_pct(turnover, worth) == percent


@pytest.mark.parametrize(
    ("persons", "problems"),
    [
        ((owner(10_000), *BOARD), []),
        ((owner(7_500), owner(2_400, is_identified=False), *BOARD), [("rest_below_threshold", "owners")]),
        ((owner(7_500), owner(2_500, is_identified=False), *BOARD), [("person_not_identified", "owner:2")]),
        ((owner(7_500), *BOARD), [("owner_may_be_missing", "owners")]),
        ((owner(7_501), *BOARD), [("rest_below_threshold", "owners")]),
        ((owner(10_000), owner(1), *BOARD), [("shares_over_whole", "owners")]),
        ((owner(10_000), owner(None), *BOARD), [("share_missing", "owner:2")]),
        ((owner(10_000), BOARD[1]), [("person_missing", "legal_representative")]),
        ((owner(10_000), BOARD[0]), [("person_missing", "signatory")]),
        (
            (owner(10_000), BOARD[0], replace(BOARD[1], is_identified=False)),
            [("person_not_identified", "signatory:1")],
        ),
        (
            (*[owner(2_000)] * 5, BOARD[1]),
            [("person_missing", "legal_representative"), ("nobody_in_control", "owners")],
        ),
        ((*[owner(2_000)] * 5, *BOARD), []),
    ],
)
def test_owners_are_identified_down_to_the_threshold_and_the_sum_is_explained(
    persons: tuple[PersonInput, ...], problems: list[tuple[str, str]]
) -> None:
    assert codes(replace(FIRM, persons=persons)) == problems


def test_the_threshold_is_the_country_s() -> None:
    persons = (owner(9_000), owner(1_000, is_identified=False), *BOARD)
    assert codes(replace(FIRM, persons=persons)) == []
    assert codes(replace(FIRM, persons=persons, country="IN")) == [("person_not_identified", "owner:2")]
    assert [rules.structure_of(TABLE, country, (owner(8_500),)) for country in ("US", "IN")] == ["simple", "opaque"]
    assert rules.structure_of(TABLE, "US", BOARD) is None
    assert rules.structure_of(TABLE, "US", [owner(1_600)] * 6) == "layered"


def held(party: int, held_in: int | None, share_bp: int, role: str = "owner", nationality: str = "US") -> PersonInput:
    return PersonInput(role, share_bp, True, party, held_in, nationality)


LAYERS = (held(1, 0, 5_000, "holding"), held(2, 1, 6_000), held(3, 0, 5_000))


@pytest.mark.parametrize(
    ("persons", "counting", "undetermined", "problems"),
    [
        (LAYERS, 2, 2_000, [("rest_below_threshold", "owners")]),
        ((LAYERS[0], held(2, 1, 5_000), held(3, 1, 5_000), held(4, 0, 5_000)), 3, 0, []),
        ((LAYERS[0], held(2, 1, 4_999), held(3, 1, 5_001), held(4, 0, 5_000)), 2, 0, []),
        ((LAYERS[0], held(2, 1, 4_000), held(2, 0, 500), held(4, 0, 4_500)), 2, 3_000, [
            ("owner_may_be_missing", "owners"),
        ]),
        ((held(1, None, 5_000), held(2, 0, 10_000)), 1, 0, [("held_in_unknown", "owner:1")]),
        ((held(1, 0, 10_000, "holding"), held(1, 1, 3_000, "holding"), held(2, 1, 7_000)), 1, 3_000, [
            ("ownership_loop", "holding:1"), ("owner_may_be_missing", "owners"),
        ]),
        ((held(1, 0, 10_000, "holding"), held(2, 1, 7_000), held(3, 1, 3_001)), 2, 0, [
            ("shares_over_whole", "holding:1"),
        ]),
    ],
)  # fmt: skip
def test_owners_are_looked_through_companies_in_between(
    persons: tuple[PersonInput, ...], counting: int, undetermined: int, problems: list[tuple[str, str]]
) -> None:
    outcome = rules.assess(TABLE, replace(FIRM, persons=(*persons, *BOARD)))
    assert outcome.ownership is not None
    assert (outcome.ownership.at_threshold, outcome.ownership.unnamed_bp) == (counting, undetermined)
    assert [(problem.code, problem.subject) for problem in outcome.problems] == problems


def test_the_nationality_of_an_owner_who_counts_counts_for_the_rating() -> None:
    def rated_with(share_bp: int) -> tuple[int, str, str]:
        persons = (held(1, 0, 5_000, "holding"), held(2, 1, share_bp, nationality="MM"), held(3, 0, 5_000), *BOARD)
        reasons = rules.assess(TABLE, replace(FIRM, persons=persons)).reasons
        return next((one.points, one.row, one.subject) for one in reasons if one.factor == "nationality")

    assert rated_with(5_000) == (10, "nationality_listed", "owner:1")
    assert rated_with(4_999) == (0, "nationality_usual", "")
    assert rules.structure_of(TABLE, "US", (held(1, 0, 10_000, "holding"), held(2, 1, 10_000))) == "layered"


@pytest.mark.parametrize(
    ("expires_on", "problems"),
    [
        (None, []),
        (MONDAY - timedelta(days=1), [("document_expired", "document:identity")]),
        (MONDAY, [("document_expires_soon", "document:identity")]),
        (MONDAY + timedelta(days=30), [("document_expires_soon", "document:identity")]),
        (MONDAY + timedelta(days=31), []),
    ],
)
def test_documents_expire(expires_on: date | None, problems: list[tuple[str, str]]) -> None:
    old = DocumentInput(1, "identity", MONDAY - timedelta(days=900))
    assert codes(replace(PERSON, documents=(old, DocumentInput(2, "identity", expires_on)))) == problems


def test_what_is_not_on_file_is_a_problem() -> None:
    assert codes(replace(PERSON, documents=(), identifiers=())) == [
        ("no_identifier", "client"),
        ("document_missing", "document:identity"),
    ]


@pytest.fixture
def compliance(desk: Desk) -> Actor:
    user_id = create_user(
        actor=SYSTEM, email="c@desk.test", name="c", password=None, roles=[RoleName.COMPLIANCE], at=AT
    )
    return actor_for(User.objects.get(id=user_id))


def profile(client_id: int, draft: ProfileDraft = ME, on: date = MONDAY) -> None:
    record_profile(actor=SYSTEM, client_id=client_id, draft=draft, reason="told us", at=noon(on))


def look(client_id: int, on: date = MONDAY, actor: Actor = SYSTEM) -> AssessmentView:
    return assess_client(actor=actor, client_id=client_id, on=on, at=noon(on))


def test_a_client_is_assessed_from_what_is_on_record(desk: Desk, compliance: Actor) -> None:
    profile(desk.near_client)
    found = look(desk.near_client, actor=compliance)
    assert (found.rating, found.outcome.points, found.profile_version, found.table_version) == (Rating.LOW, 10, 1, 1)
    assert found.next_review_on == date(2022, 11, 25)
    assert [problem.code for problem in found.outcome.problems] == ["document_missing"]
    standing = get_kyc_standing(desk.near_client)
    assert (standing.state, standing.rating, standing.blocking) == (KycState.RATED, Rating.LOW, 1)
    assert not standing.is_review_due(date(2022, 11, 24))
    assert standing.is_review_due(date(2022, 11, 25))


def test_a_resident_id_of_another_birthday_is_found_on_record(desk: Desk) -> None:
    profile(desk.near_client, replace(ME, birth_or_incorporated_on=date(1991, 1, 2)))
    found = look(desk.near_client)
    assert ("birth_date_differs", "client", "cn.ric") in [
        (problem.code, problem.subject, problem.detail) for problem in found.outcome.problems
    ]


def test_nothing_stored_names_anybody_or_shows_a_number(desk: Desk) -> None:
    firm = register_clients(
        actor=SYSTEM, drafts=[ClientDraft("Firm", "f@clients.test", kind=ClientKind.INSTITUTION)], on=MONDAY, at=AT
    )[0]
    people = tuple(
        RelatedPersonDraft(
            role, name, "", date(1991, 1, 1), "CN", share, IdentifierDraft(IdentifierKind.CN_RIC, "360426199101010071")
        )
        for role, name, share in (
            (PersonRole.OWNER, "Secret Owner", 10_000),
            (PersonRole.LEGAL_REPRESENTATIVE, "Secret Head", None),
            (PersonRole.SIGNATORY, "Secret Hand", None),
        )
    )
    own = IdentifierDraft(IdentifierKind.CN_USCC, "91110000600037341L", "CN")
    profile(firm, replace(ME, kind=ClientKind.INSTITUTION, name="Firm", related_persons=people, identifiers=(own,)))
    found = look(firm)
    assert [problem.code for problem in found.outcome.problems] == ["document_missing", "document_missing"]
    assert found.outcome.ownership is not None
    assert (found.outcome.ownership.named_bp, found.outcome.ownership.at_threshold) == (10_000, 1)
    stored = str(KycAssessment.objects.filter(client_id=firm).values().get())
    for secret in ("Secret", "360426", "91110000", "Firm"):
        assert secret not in stored


def firm_of(people: tuple[RelatedPersonDraft, ...], email: str = "f@clients.test") -> int:
    firm = register_clients(
        actor=SYSTEM, drafts=[ClientDraft("Firm", email, kind=ClientKind.INSTITUTION)], on=MONDAY, at=AT
    )[0]
    profile(firm, replace(ME, kind=ClientKind.INSTITUTION, name="Firm", related_persons=people, identifiers=()))
    return firm


def person(role: PersonRole, name: str, share_bp: int, holds_in: str = "", number: str = "") -> RelatedPersonDraft:
    kind = IdentifierKind.LEI if name.endswith("Ltd") else IdentifierKind.PASSPORT
    return RelatedPersonDraft(
        role, name, "", date(1980, 1, 1), "US", share_bp, IdentifierDraft(kind, number or name), holds_in
    )


STAKES = (
    person(PersonRole.HOLDING, "Blue Ltd", 5_000),
    person(PersonRole.OWNER, "Ada Hidden", 6_000, "blue ltd."),
    person(PersonRole.OWNER, "Ada Hidden", 1_000),
    person(PersonRole.OWNER, "Red Ltd", 4_000),
)


def test_the_chart_of_owners_opens_the_arithmetic_of_each_share(desk: Desk, compliance: Actor) -> None:
    chart = read_owner_chart(compliance, firm_of(STAKES), on=MONDAY)
    assert chart is not None
    ada, blue, red = chart.rows
    assert (ada.name, ada.share_bp, ada.is_counted, ada.depth) == ("Ada Hidden", 4_000, True, 1)
    assert [([step.share_bp for step in path.steps], path.product_bp) for path in ada.paths] == [
        ([1_000], 1_000),
        ([6_000, 5_000], 3_000),
    ]
    assert (blue.is_company, blue.gap_bp, red.is_company, red.gap_bp) == (True, 2_000, True, 4_000)
    assert (chart.people_bp, chart.undetermined_bp, chart.unnamed_bp) == (4_000, 6_000, 0)
    assert [(one.code, one.subject) for one in chart.problems][:1] == [("owner_may_be_missing", "owners")]
    assert read_owner_chart(compliance, desk.near_client, on=MONDAY) is None
    with pytest.raises(PermissionRefused):
        read_owner_chart(Actor("user:0", "nobody", frozenset()), desk.near_client, on=MONDAY)


def test_an_owner_behind_a_company_is_screened_once_and_links_two_clients(desk: Desk) -> None:
    one, other = firm_of(STAKES), firm_of(STAKES[:2], "g@clients.test")
    on_a_list("Ada Hidden", "")
    assert screen_client(actor=SYSTEM, client_id=one, at=AT) == 1
    assert [hit.role for hit in Hit.objects.filter(client_id=one)] == ["owner"]
    for client_id in (one, other):
        regroup_client(actor=SYSTEM, client_id=client_id, at=AT)
    assert get_group(one) == get_group(other) is not None


def test_a_client_of_whom_nothing_is_known_is_referred_today(desk: Desk) -> None:
    found = look(desk.near_client)
    assert (found.rating, found.next_review_on, len(found.outcome.missing)) == (None, MONDAY, 9)
    assert get_kyc_standing(desk.near_client).state is KycState.REFERRED
    assert get_kyc_standing(desk.healthy_client).state is KycState.NEVER


def review(client_id: int, rating: Rating | None, note: str = "Seen it all.", **changes: Any) -> AssessmentView:
    arguments = {"actor": SYSTEM, "on": MONDAY, "at": AT} | changes
    return review_client(client_id=client_id, rating=rating, note=note, **arguments)


def test_a_person_may_rate_higher_and_never_lower_and_says_why(desk: Desk) -> None:
    profile(desk.near_client, replace(ME, residence="VN"))
    look(desk.near_client)
    for rating, note, refusal in ((Rating.LOW, "fine", RatingTooLow), (Rating.HIGH, "  ", NoteNeeded)):
        with pytest.raises(refusal):
            review(desk.near_client, rating, note)
    assert KycAssessment.objects.count() == 1
    found = review(desk.near_client, Rating.HIGH, "Press reports.")
    assert (found.rating, found.outcome.rating, found.cause) == (Rating.HIGH, Rating.STANDARD, AssessmentCause.REVIEW)
    assert found.next_review_on == date(2020, 5, 25)


def test_a_referred_client_is_rated_by_a_person_with_a_rating(desk: Desk) -> None:
    profile(desk.near_client, replace(ME, is_pep_declared=None, nationality="IR"))
    with pytest.raises(RatingNeeded):
        review(desk.near_client, None)
    with pytest.raises(RatingTooLow):
        review(desk.near_client, Rating.STANDARD)
    assert review(desk.near_client, Rating.HIGH).rating is Rating.HIGH


def test_a_change_of_circumstance_is_rated_again_and_brings_the_review_forward(desk: Desk) -> None:
    complete = replace(ME, residence="GB")
    profile(desk.near_client, complete)
    desk.drain()
    assert not KycAssessment.objects.exists()
    look(desk.near_client)
    profile(desk.near_client, replace(complete, is_pep_declared=True), on=date(2020, 2, 3))
    desk.drain()
    standing = get_kyc_standing(desk.near_client)
    assert (standing.rating, standing.next_review_on) == (Rating.HIGH, date(2020, 3, 4))
    newest = KycAssessment.objects.first()
    assert newest is not None
    assert (newest.cause, newest.profile_version) == (AssessmentCause.CHANGE, 2)


def on_a_list(name: str, sanctions: str) -> None:
    content = f"id,schema,name,aliases,birth_date,countries,sanctions\nQ1,Person,{name},,1991-01-01,cn,{sanctions}\n"
    load_list(
        actor=SYSTEM,
        source="made.up",
        content=content.encode(),
        shape=ListShape.OPENSANCTIONS_CSV,
        file_name="l.csv",
        at=AT,
    )


@pytest.mark.parametrize(("sanctions", "rating"), [("", Rating.HIGH), ("Made-up regime", Rating.PROHIBITED)])
def test_a_hit_and_what_it_turns_out_to_be_rate_the_client_again_and_move_the_review(
    desk: Desk, sanctions: str, rating: Rating
) -> None:
    profile(desk.near_client, ME)
    desk.drain()
    look(desk.near_client)
    assert get_kyc_standing(desk.near_client).rating is Rating.LOW
    on_a_list("Li Ming", sanctions)
    screen_client(actor=SYSTEM, client_id=desk.near_client, at=AT)
    desk.drain()
    standing = get_kyc_standing(desk.near_client)
    assert (standing.rating, standing.next_review_on) == (Rating.STANDARD, MONDAY + timedelta(days=30))
    Hit.objects.update(
        state="confirmed",
        outcome="confirmed",
        proposed_by="user:1",
        proposed_at=AT,
        decided_by="user:2",
        decided_at=AT,
        approval_id=1,
    )
    hit = Hit.objects.get()
    publish(HitResolved(hit_id=hit.pk, client_id=desk.near_client, outcome="confirmed", at=AT))
    desk.drain()
    assert get_kyc_standing(desk.near_client).rating is rating
    assert verify_kyc() == []


def test_a_table_from_before_screening_counted_still_reads_and_gives_its_ratings_again() -> None:
    content = read_shipped_rating()
    card = content["scorecard"]
    card["inputs"] = [one for one in card["inputs"] if one["name"] != "screening"]
    card["rows"] = [one for one in card["rows"] if one["group"] != "screening"]
    before = {name: value for name, value in FACTORS.items() if name != "screening"}
    assert rules.assess(rules.read_rating_table(content), replace(PERSON, factors=before)).rating is Rating.LOW


@pytest.mark.parametrize(
    ("rating", "previous", "has_problem", "expected"),
    [
        (Rating.LOW, Rating.LOW, False, date(2021, 1, 1)),
        (Rating.LOW, Rating.LOW, True, MONDAY + timedelta(days=30)),
        (Rating.HIGH, Rating.LOW, False, MONDAY + timedelta(days=30)),
        (None, Rating.LOW, False, MONDAY),
    ],
)
def test_a_change_that_moves_nothing_leaves_the_review_where_it_was(
    rating: Rating | None, previous: Rating, has_problem: bool, expected: date
) -> None:
    outcome = rules.assess(TABLE, replace(PERSON, documents=() if has_problem else PERSON.documents))
    found = rules.next_review_on(
        TABLE,
        outcome,
        rating=rating,
        previous=previous,
        previous_review_on=date(2021, 1, 1),
        is_change=True,
        on=MONDAY,
        later=date(2022, 11, 25),
    )
    assert found == expected


def test_the_queue_lists_each_client_once_by_due_date_within_the_scope(desk: Desk, compliance: Actor) -> None:
    look(desk.healthy_client)
    profile(desk.healthy_client)
    profile(desk.near_client, replace(ME, is_pep_declared=True))
    look(desk.healthy_client)
    look(desk.near_client)
    queue = find_reviews(compliance, on=MONDAY, offset=0, limit=10)
    assert [(row.client_id, row.rating, row.next_review_on) for row in queue.rows] == [
        (desk.near_client, "high", date(2020, 5, 25)),
        (desk.healthy_client, "low", date(2022, 11, 25)),
    ]
    assert find_reviews(compliance, on=MONDAY, rating="high", offset=0, limit=10).count == 1
    assert find_reviews(compliance, on=MONDAY, text="Li Ming", offset=0, limit=10).count == 2
    assert find_reviews(desk.manager, on=MONDAY, offset=0, limit=10).count == 1
    assert count_due_reviews(compliance, date(2020, 5, 25)) == 1
    assert load_kyc_standings([desk.near_client, desk.healthy_client])[desk.healthy_client].rating is Rating.LOW


def test_i66_only_compliance_assesses_and_a_manager_reads_own_clients(desk: Desk) -> None:
    with pytest.raises(PermissionRefused):
        look(desk.near_client, actor=desk.manager)
    with pytest.raises(ClientNotFound):
        list_assessments(desk.manager, desk.near_client)
    assert list_assessments(desk.manager, desk.healthy_client) == []


def test_i60_every_stored_assessment_comes_to_the_same_again_under_its_own_table(desk: Desk, compliance: Actor) -> None:
    profile(desk.near_client)
    look(desk.near_client)
    look(desk.healthy_client)
    content = read_shipped_rating()
    next(row for row in content["scorecard"]["rows"] if row["id"] == "product_margin")["then"]["points"] = 30
    draft_id = draft_publication(actor=compliance, kind=RATING, content=content, effective_from=MONDAY, at=AT)
    request_publication(actor=compliance, kind=RATING, publication_id=draft_id, reason="margin", at=AT)
    (approval,) = [one for one in list_pending(desk.risk) if one.kind == "kyc.publish"]
    approve(actor=desk.risk, approval_id=approval.id, payload_hash=approval.payload_hash, at=AT)
    desk.drain()
    assert look(desk.near_client).outcome.points == 30
    assert [
        (row.table_version, row.rating, row.outcome.points) for row in list_assessments(compliance, desk.near_client)
    ] == [
        (2, Rating.STANDARD, 30),
        (1, Rating.LOW, 10),
    ]
    assert verify_kyc() == []
    with connection.cursor() as cursor:
        cursor.execute("SET session_replication_role = replica")
        cursor.execute("UPDATE kyc_kycassessment SET computed_rating = 'low' WHERE points = 30")
        cursor.execute("SET session_replication_role = DEFAULT")
    (finding,) = verify_kyc()
    assert (finding.check, "standard" in finding.message) == ("kyc.replay", True)


def test_an_assessment_is_never_changed(desk: Desk) -> None:
    look(desk.near_client)
    with pytest.raises(IntegrityError), transaction.atomic():
        KycAssessment.objects.update(note="x")


@pytest.mark.parametrize(
    ("path", "value", "cell"),
    [
        (("scorecard", "rows", 0), None, "residence"),
        (("scorecard", "rows", 1, "when", "residence"), "MM, KP", "row residence_high"),
        (("scorecard", "rows", 1, "when", "residence"), "XX", "row residence_high, residence"),
        (("scorecard", "rows", 1, "then", "points"), -1, "row residence_high, points"),
        (("scorecard", "rows", 1, "then", "zh"), "", "row residence_high"),
        (("scorecard", "inputs", 8, "name"), "mood", "row turnover_calm, turnover_pct"),
        (("bands", "rows", 0), None, "table"),
        (("review_months", "high"), None, "review_months"),
        (("review_months", "high"), 0, "review_months"),
        (("owner_share_bp", "other"), None, "owner_share_bp"),
        (("owner_share_bp", "IN"), 10_001, "owner_share_bp"),
        (("documents", "institution"), None, "documents"),
        (("documents", "individual"), ["moon_rock"], "documents"),
        (("industries", "arms"), None, "industries, arms"),
        (("wealth_order",), ["other"], "wealth_order, business"),
        (("change_days",), None, "change_days"),
    ],
)
def test_i62_a_malformed_rating_table_is_not_even_drafted(
    compliance: Actor, path: tuple[Any, ...], value: Any, cell: str
) -> None:
    content = deepcopy(read_shipped_rating())
    place: Any = content
    for step in path[:-1]:
        place = place[step]
    if value is None:
        del place[path[-1]]
    else:
        place[path[-1]] = value
    with pytest.raises(MalformedTable) as refused:
        draft_publication(actor=compliance, kind=RATING, content=content, effective_from=MONDAY, at=AT)
    assert refused.value.cell == cell
