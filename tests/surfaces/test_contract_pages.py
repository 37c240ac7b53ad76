"""Templates and disclosures edited in the console: proved as one types, tried as PDF, published by a second person."""

import html
import re

import pytest
from django.http import HttpResponse
from django.test import Client
from django.urls import reverse
from tests.surfaces.conftest import SignIn

from reefpoint.platform.access.models import Approval
from reefpoint.platform.access.types import RoleName
from reefpoint.platform.publications.models import Publication
from reefpoint.records.contracts.adapters.shipped import shipped_disclosures, shipped_template

TEMPLATE = reverse("console:edit_template", args=["US"])
DISCLOSURES = reverse("console:edit_disclosures", args=["HK"])


@pytest.fixture
def officer(signed_in: SignIn) -> Client:
    """A credit officer, who drafts contracts."""
    return signed_in(RoleName.CREDIT_OFFICER)


def form_of(answer: HttpResponse) -> dict[str, str]:
    """What the editor's form would send back."""
    text = answer.content.decode()
    fields = {}
    for tag in re.findall(r"<input[^>]*>", text):
        name, value = (re.search(rf' {key}="([^"]*)"', tag) for key in ("name", "value"))
        if name:
            fields[name[1]] = html.unescape(value[1]) if value else ""
    for name, value in re.findall(r'<textarea[^>]* name="([^"]+)"[^>]*>(.*?)</textarea>', text, re.DOTALL):
        fields[name] = html.unescape(value)
    return fields


def place_of(fields: dict[str, str], clause: str) -> str:
    """The number of a clause in the form."""
    return next(
        name.removeprefix("id-") for name, value in fields.items() if name.startswith("id-") and value == clause
    )


def test_a_template_is_proved_while_it_is_edited_and_drafted_as_it_was_typed(officer: Client) -> None:
    fields = form_of(officer.get(TEMPLATE))
    liability = place_of(fields, "liability")
    broken = {**fields, f"text-zh-{liability}": "我方责任见{client.shoe}。", "step": "check"}
    said = html.unescape(officer.post(TEMPLATE, broken).content.decode())
    assert "Liability uses {client.shoe}, which does not exist." in said
    assert "Liability states {client.shoe} in Chinese alone." in said
    officer.cookies["django_language"] = "zh-hans"
    assert "“责任”使用了不存在的 {client.shoe}。" in html.unescape(officer.post(TEMPLATE, broken).content.decode())
    officer.cookies["django_language"] = "en"
    dropped = officer.post(TEMPLATE, {**fields, "step": f"drop-{liability}"})
    assert "Liability is missing." in dropped.content.decode()
    assert officer.post(TEMPLATE, {**form_of(dropped), "step": "publish"}).status_code == 422
    assert not Publication.objects.filter(state="draft").exists()

    fields[f"text-en-{liability}"] += "\n\nA new\nparagraph."
    fields[f"text-zh-{liability}"] += "\n\n新的一段。"
    pdf = officer.post(TEMPLATE, {**fields, "step": "preview-zh"})
    assert pdf.content.startswith(b"%PDF-")
    assert "<ins>" in officer.post(TEMPLATE, {**fields, "step": "diff"}).content.decode()
    asked = {**fields, "step": "publish", "effective_from": "2099-01-01", "reason": "counsel"}
    assert officer.post(TEMPLATE, asked).status_code == 302
    expected = shipped_template("US")
    text = expected["clauses"][int(liability)]["text"]
    text["en"].append("A new paragraph.")
    text["zh"].append("新的一段。")
    assert Publication.objects.get(state="draft").content == expected
    assert Approval.objects.get().kind == "contracts.publish_template"


def test_disclosures_are_edited_one_by_one_and_a_needed_one_cannot_go(officer: Client) -> None:
    fields = form_of(officer.get(DISCLOSURES))
    last = int(fields["passages"]) - 1
    gone = officer.post(DISCLOSURES, {**fields, "step": f"drop-{last}"}).content.decode()
    assert "interest_goes_on is missing." in gone
    fields["heading-en-0"] = "Your loss can be larger than your deposit"
    asked = {**fields, "step": "publish", "effective_from": "2099-01-01", "reason": "plainer"}
    assert officer.post(DISCLOSURES, asked).status_code == 302
    expected = shipped_disclosures()
    expected["disclosures"][0]["title"]["en"] = "Your loss can be larger than your deposit"
    drafted = Publication.objects.get(state="draft")
    assert (drafted.kind, drafted.content) == ("contracts.disclosures.HK", expected)
    shown = officer.get(reverse("console:disclosures", args=["HK"]), {"version": 2, "against": 1, "language": "en"})
    assert "Your loss can be larger than your deposit" in html.unescape(
        re.sub(r"</?(ins|del)>", "", shown.content.decode())
    )
