"""Designing, comparing, playing and withdrawing schemes on pages, without JavaScript."""

import csv
from dataclasses import replace
from html import unescape

import pytest
from django.contrib.auth import get_user_model
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse
from tests.surfaces.conftest import DAYS, NOON, Desk, SignIn, person

from reefpoint.platform.access.selectors import get_approval
from reefpoint.platform.access.services import actor_for, approve
from reefpoint.platform.access.types import RoleName
from reefpoint.platform.basics.actors import Actor
from reefpoint.platform.events.services import dispatch_once
from reefpoint.records.products.models import SchemeVersion
from reefpoint.records.products.rules import terms_to_json
from reefpoint.records.products.selectors import get_version, list_schemes, load_demo_schemes
from reefpoint.records.products.types import VersionState, VersionView
from reefpoint.surfaces.web.scheme_form import read_form, typed_of

ON = DAYS[-1]


def version_of(code: str) -> VersionView:
    return next(one.versions[0] for one in list_schemes() if one.code == code)


def typed(code: str = "PRIME", **changes: str) -> dict[str, str]:
    terms = next(draft.terms for draft in load_demo_schemes() if draft.code == code)
    head = {"code": code, "name": "Prime", "name_zh": "优选", "tier": "1", "effective_from": "2030-01-02"}
    return {**typed_of(terms), **head, **changes}


def keep(client: Client, **changes: str) -> int:
    """Keep a draft through the designer; the id of its version."""
    answer = client.post(reverse("console:scheme_design"), {**typed(**changes), "then": "keep"})
    assert answer.status_code == 302
    return SchemeVersion.objects.latest("id").pk


def test_what_the_designer_shows_reads_back_as_the_same_terms(desk: Desk) -> None:
    for draft in load_demo_schemes():
        form = read_form(typed_of(draft.terms), ON, ["AAPL"])
        assert (form.terms, form.errors) == (
            replace(draft.terms, accepted_symbols=tuple(sorted(draft.terms.accepted_symbols))),
            {},
        )


def test_every_term_has_a_field_with_its_bound_and_source(desk: Desk, signed_in: SignIn) -> None:
    page = signed_in(RoleName.CREDIT_OFFICER).get(reverse("console:scheme_design"), {"from": version_of("STANDARD").id})
    text = page.content.decode()
    for name in terms_to_json(version_of("STANDARD").terms):
        if name not in {"fees", "payment_order", "accepted_symbols", "haircuts_bp", "maintenances_bp"}:
            assert f'name="{name}"' in text, name
    assert "at least 133.34%: FINRA Rule 4210(c)(1)" in text
    assert 'name="fee-0-code" value="drawdown"' in text
    assert 'name="accept-AMD" value="yes" checked' in text


def test_a_line_below_the_legal_floor_is_told_beside_its_field_and_can_be_kept_but_not_published(
    desk: Desk, signed_in: SignIn
) -> None:
    client = signed_in(RoleName.CREDIT_OFFICER)
    checked = client.post(
        reverse("console:scheme_design"), {**typed(close_out_bp="130.00"), "then": "check"}
    ).content.decode()
    assert '<span class="errors" id="error-close_out_bp">The law asks for at least 133.34%' in checked
    version_id = keep(client, close_out_bp="130.00")
    shown = client.get(reverse("console:scheme", args=[get_version(version_id).scheme_id]), {"version": 2})
    assert "What stops this draft from being published" in shown.content.decode()
    refused = client.post(reverse("console:scheme_publication", args=[version_id]), {"reason": "cheaper"})
    assert refused.status_code == 422
    assert get_version(version_id).state is VersionState.DRAFT


@pytest.mark.parametrize(
    ("field", "value", "place", "words"),
    [
        ("rate_bp", "five", "rate_bp", "A percentage is needed"),
        ("limit_minor", "-5", "limit_minor", "An amount is needed"),
        ("tenor_days", "1.5", "tenor_days", "A whole number is needed"),
        ("liquidation_order", "luck", "liquidation_order", "Choose one"),
        ("fee-0-rate", "much", "fees-0", "A percentage is needed"),
        ("fee-0-code", "Late fee!", "fees-0", "A code of small letters"),
        ("haircut-AMD", "half", "name-AMD", "A percentage is needed"),
        ("haircut-AMD", "101", "name-AMD", "it must be from 0% to 100%"),
        ("due-1", "interest", "payment_order", "each kind of due must stand in it once"),
        ("fee-0-rate", "0", "fees-0", "a share has a rate"),
    ],
)
def test_what_is_wrong_stands_beside_its_field(
    desk: Desk, signed_in: SignIn, field: str, value: str, place: str, words: str
) -> None:
    before = SchemeVersion.objects.count()
    client = signed_in(RoleName.CREDIT_OFFICER)
    given = {**typed(**{field: value}), "then": "check"}
    text = client.post(reverse("console:scheme_design"), given).content.decode()
    beside = text.partition(f'id="error-{place}"')[2].partition("</span>")[0]
    assert words in beside
    typing = client.post(reverse("console:scheme_design"), given, headers={"hx-request": "true"}).content.decode()
    assert words in typing.partition(f'id="error-{place}" hx-swap-oob="true"')[2].partition("</span>")[0]
    assert SchemeVersion.objects.count() == before


def test_a_draft_goes_to_a_second_person_is_published_and_withdrawn(desk: Desk, signed_in: SignIn) -> None:
    credit = signed_in(RoleName.CREDIT_OFFICER)
    version_id = keep(credit, rate_bp="6.00")
    assert get_version(version_id).terms.rate_bp == 600
    scheme_id = get_version(version_id).scheme_id
    asked = credit.post(reverse("console:scheme_publication", args=[version_id]), {"reason": "rates rose"})
    approval_id = int(asked["Location"].rstrip("/").rpartition("/")[2])
    assert (
        "It waits for a second person"
        in credit.get(reverse("console:scheme", args=[scheme_id]), {"version": 2}).content.decode()
    )
    risk = actor_for_role(RoleName.RISK_OFFICER)
    approve(actor=risk, approval_id=approval_id, payload_hash=get_approval(approval_id).payload_hash, at=NOON)
    dispatch_once("worker")
    assert get_version(version_id).state is VersionState.PUBLISHED
    silent = credit.post(reverse("console:scheme_withdrawal", args=[version_id]), {"reason": " "})
    assert silent.status_code == 422
    assert get_version(version_id).state is VersionState.PUBLISHED
    shown = credit.get(reverse("console:scheme", args=[scheme_id]), {"version": 2}).content.decode()
    assert "Loans, which keep its terms" in shown
    asked = credit.post(reverse("console:scheme_withdrawal", args=[version_id]), {"reason": "too cheap"})
    assert get_version(version_id).state is VersionState.PUBLISHED
    decide(risk, asked["Location"])
    assert get_version(version_id).state is VersionState.WITHDRAWN


def decide(actor: Actor, address: str) -> None:
    """The second person says yes to the approval at an address, and what follows is done."""
    approval_id = int(address.rstrip("/").rpartition("/")[2])
    approve(actor=actor, approval_id=approval_id, payload_hash=get_approval(approval_id).payload_hash, at=NOON)
    dispatch_once("worker")


def test_another_tier_is_asked_for_with_a_reason_and_shows_who_changed_it(desk: Desk, signed_in: SignIn) -> None:
    credit = signed_in(RoleName.CREDIT_OFFICER)
    scheme_id = version_of("PRIME").scheme_id
    address = reverse("console:scheme_tier", args=[scheme_id])
    for given, words in (({"tier": "1", "reason": "x"}, "Another tier is needed"), ({"tier": "2"}, "Say what changes")):
        refused = credit.post(address, given)
        assert (refused.status_code, words in refused.content.decode()) == (422, True)
    asked = credit.post(address, {"tier": "2", "reason": "for more clients"})
    assert version_of("PRIME").tier == 1
    decide(actor_for_role(RoleName.RISK_OFFICER), asked["Location"])
    assert version_of("PRIME").tier == 2
    page = credit.get(reverse("console:scheme", args=[scheme_id])).content.decode()
    assert "1 → 2" in page
    assert "for more clients" in page


def actor_for_role(role: RoleName) -> Actor:
    return actor_for(get_user_model().objects.get(pk=person(role)))


def test_two_versions_are_compared_in_words(desk: Desk, signed_in: SignIn) -> None:
    client = signed_in(RoleName.CREDIT_OFFICER)
    new = keep(
        client, **{"rate_bp": "6.00", "haircut-AMD": "70", "fee-0-rate": "0.20", "accept-KO": "", "haircut-KO": ""}
    )
    old = SchemeVersion.objects.filter(scheme__code="PRIME", version=1).get().pk
    page = client.get(reverse("console:scheme_compare"), {"before": old, "after": new}).content.decode()
    for words in ("List rate", "5.50%", "6.00%", "Haircut AMD", "70.00%", "0.20% of the amount drawn"):
        assert words in page, words
    assert "Call line" not in page.partition("<tbody>")[2]
    same = client.get(reverse("console:scheme_compare"), {"before": old, "after": old}).content.decode()
    assert "Nothing differs" in same


def test_a_version_and_an_unkept_draft_are_played_side_by_side(desk: Desk, signed_in: SignIn) -> None:
    client = signed_in(RoleName.CREDIT_OFFICER)
    versions = [version_of("PRIME").id, version_of("CAUTIOUS").id]
    page = client.get(reverse("console:scheme_simulation"), {"version": versions[0], "other": versions[1]})
    text = page.content.decode()
    assert text.count('data-chart="margin"') == 2
    assert "Cost in money" in text
    played = client.post(
        reverse("console:scheme_design"),
        {
            **typed(
                call_bp="160.00",
                cure_bp="165.00",
                target_bp="165.00",
                warning_bp="170.00",
                renewal_min_ratio_bp="165.00",
            ),
            "then": "play",
        },
    ).content.decode()
    assert "not kept yet" in played
    assert SchemeVersion.objects.count() == 3
    again = client.post(
        reverse("console:scheme_simulation"),
        {
            "draft": played_draft(played),
            "name": "Prime",
            "other": versions[1],
            "portfolio": "JPM 10",
            "loan": "500",
            "since": "2020-02-03",
            "until": "2020-03-31",
        },
    )
    assert again.status_code == 200
    assert again.content.decode().count('data-chart="margin"') == 2


def played_draft(text: str) -> str:
    return unescape(text.partition('name="draft" value="')[2].partition('"')[0])


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"portfolio": "JPM lots"}, "One name a line"),
        ({"portfolio": "ZZZ 100"}, "There are no prices of ZZZ"),
        ({"loan": "0"}, "An amount is needed"),
        ({"since": "yesterday"}, "This is not a date"),
        ({"until": "2020-01-02"}, "The first day must be before the last."),
        ({"since": "1990-01-02", "until": "2022-12-30"}, "longer than twenty years"),
        ({"source": "recorded", "portfolio": "AAPL 100"}, "fewer than two sessions"),
        ({"source": "file"}, "A file of prices is needed."),
        ({"source": "file", "prices": "date,JPM\n2020-01-04,1"}, "Line 2: the venue does not trade on this day."),
        ({"happens": "2020-01-09 fire"}, "One event a line"),
        ({"happens": "2020-01-09 rate 1e9"}, "This is not: 2020-01-09 rate 1e9"),
        ({"happens": "2020-01-09 haircut KO 40"}, "KO is not in the portfolio."),
        ({"happens": "2019-01-09 rate 5"}, "on a day outside the period"),
    ],
)
def test_a_play_that_cannot_be_is_refused_in_words(
    desk: Desk, signed_in: SignIn, change: dict[str, str], words: str
) -> None:
    given = {"portfolio": "JPM 100", "loan": "5000", "since": "2020-01-02", "until": "2020-02-28"}
    page = signed_in(RoleName.RISK_OFFICER).get(
        reverse("console:scheme_simulation"), {"version": version_of("PRIME").id, **given, **change}
    )
    assert page.status_code == 422
    assert words in page.content.decode()


def test_an_uploaded_file_is_played_with_what_else_happens_and_its_days_are_a_csv(
    desk: Desk, signed_in: SignIn
) -> None:
    """A file of the client's own, a suspension, a rate and a haircut: told on the page, and day by day in the CSV."""
    client = signed_in(RoleName.CREDIT_OFFICER)
    rows = "date,JPM,MINE\n2020-01-02,100,50\n2020-01-03,100,49\n2020-01-06,100,S\n2020-01-07,100,48.5\n"
    given = {
        "version": str(version_of("PRIME").id),
        "other": str(version_of("CAUTIOUS").id),
        "portfolio": "JPM 100\nMINE 100",
        "loan": "5000",
        "since": "2020-01-02",
        "until": "2020-01-31",
        "source": "packaged",
        "happens": "2020-01-03 利率 5.75\n2020-01-03 haircut MINE 99",
    }
    upload = {"file": SimpleUploadedFile("mine.csv", rows.encode())}
    text = client.post(reverse("console:scheme_simulation"), {**given, **upload}).content.decode()
    assert "A file with 4 days is loaded." in text
    assert "MINE: haircut 99.00%, in steps from" in text
    assert "these terms do not let the rate move" in text
    again = {**given, "source": "file", "prices": rows, "then": "csv"}
    days = client.post(reverse("console:scheme_simulation"), again)
    assert days["Content-Disposition"] == 'attachment; filename="simulation.csv"'
    lines = list(csv.reader(days.content.decode("utf-8-sig").splitlines()))
    assert lines[0][:4] == ["Scheme", "Version", "Day", "Currency"]
    assert [(line[0], line[2], line[4], line[-1]) for line in lines[1:5]] == [
        ("PRIME", "2020-01-02", "15000.00", ""),
        ("PRIME", "2020-01-03", "14900.00", ""),
        ("PRIME", "2020-01-06", "14900.00", "MINE"),
        ("PRIME", "2020-01-07", "14850.00", ""),
    ]
    assert [line[0] for line in lines[5:]] == ["CAUTIOUS"] * 4


def test_recorded_closes_are_played_too(desk: Desk, signed_in: SignIn) -> None:
    """Apple fell from 69.49 to 60.55 on the desk's own closes."""
    given = {
        "portfolio": "AAPL 100",
        "loan": "4000",
        "since": "2020-03-12",
        "until": "2020-03-16",
        "source": "recorded",
    }
    page = signed_in(RoleName.RISK_OFFICER).get(
        reverse("console:scheme_simulation"), {"version": version_of("STANDARD").id, **given}
    )
    assert page.status_code == 200
    assert "6,206.00" in page.content.decode()


def test_who_may_not_draft_neither_designs_nor_plays_terms_of_their_own(desk: Desk, signed_in: SignIn) -> None:
    client = signed_in(RoleName.AUDITOR)
    assert client.get(reverse("console:scheme_design")).status_code == 403
    assert client.post(reverse("console:scheme_simulation"), {"draft": "{}"}).status_code == 403
    assert client.get(reverse("console:scheme_simulation")).status_code == 200


@pytest.mark.parametrize("draft", ["[]", "{", '{"rate_bp": 1}', "[" * 90_000])
def test_terms_that_are_none_are_refused_and_nothing_is_played(desk: Desk, signed_in: SignIn, draft: str) -> None:
    page = signed_in(RoleName.CREDIT_OFFICER).post(reverse("console:scheme_simulation"), {"draft": draft})
    assert page.status_code in {409, 422}
    assert b"data-chart" not in page.content
