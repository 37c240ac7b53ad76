"""The frame: who sees what, in which language and theme, under which policy."""

import re
from pathlib import Path

import pytest
from django.test import Client
from tests.surfaces.conftest import SignIn

from reefpoint.platform.access.types import RoleName

SURFACES = Path(__file__).parents[2] / "src" / "reefpoint" / "surfaces"
TEMPLATES = sorted((SURFACES / "web" / "templates").rglob("*.html")) + sorted(
    (SURFACES / "console" / "templates").rglob("*.html")
)


@pytest.mark.django_db
def test_a_stranger_is_sent_to_sign_in() -> None:
    answer = Client().get("/")
    assert answer.status_code == 302
    assert answer.headers["Location"].endswith("?next=/")


def test_a_client_is_led_from_the_desk_to_the_portal(signed_in: SignIn) -> None:
    answer = signed_in(RoleName.CLIENT).get("/")
    assert (answer.status_code, answer["Location"]) == (302, "/portal/")


@pytest.mark.parametrize("role", [role for role in RoleName if role is not RoleName.CLIENT])
def test_every_role_of_the_desk_has_its_today(signed_in: SignIn, role: RoleName) -> None:
    answer = signed_in(role).get("/")
    assert answer.status_code == 200
    assert answer.headers["Cache-Control"] == "private, no-store"


def test_the_policy_allows_nothing_inline_and_nothing_from_elsewhere(signed_in: SignIn) -> None:
    policy = signed_in(RoleName.RISK_OFFICER).get("/").headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "script-src 'self'" in policy
    assert "unsafe" not in policy


@pytest.mark.parametrize("template", TEMPLATES, ids=lambda path: path.name)
def test_no_template_has_inline_styles_or_scripts(template: Path) -> None:
    text = template.read_text()
    assert not re.search(r"<style|\sstyle=|\son[a-z]+=|javascript:|hx-on|hx-vals='js", text)
    assert not re.search(r"<script(?![^>]*\ssrc=)", text)


def test_a_reader_chooses_language_and_theme(signed_in: SignIn) -> None:
    reader = signed_in(RoleName.RISK_OFFICER)
    reader.post("/language/", {"language": "zh-hans", "next": "/"})
    reader.post("/theme/", {"theme": "dark", "next": "/"})
    page = reader.get("/").content.decode()
    assert '<html lang="zh-hans" data-theme="dark">' in page


def test_choosing_a_theme_never_leads_off_the_site(signed_in: SignIn) -> None:
    answer = signed_in(RoleName.RISK_OFFICER).post("/theme/", {"theme": "dark", "next": "https://elsewhere.test/"})
    assert answer.headers["Location"] == "/"


def test_only_the_live_module_and_files_of_a_table_stream() -> None:
    root = SURFACES.parent
    users = [path for path in root.rglob("*.py") if "StreamingHttpResponse" in path.read_text()]
    assert sorted(path.name for path in users) == ["live.py", "streams.py"]


ASKS_BY_SCRIPT = re.compile(r"<(\w+)\b([^>]*?\bhx-(?:get|post)=(?:[^>]|\{%[^%]*%\})*)>")


def test_whatever_asks_by_script_works_without_one() -> None:
    """A link has its address, a form sends itself; other elements only keep fresh what the page has said already."""
    templates = [one for one in SURFACES.rglob("*.html") if "static" not in one.parts]
    controls = [(one.name, *found) for one in templates for found in ASKS_BY_SCRIPT.findall(one.read_text())]
    assert len(controls) > 20
    needed = {"a": "href=", "form": "method=", "div": "hx-select=", "section": "hx-select="}
    lone = [(name, tag) for name, tag, attributes in controls if needed.get(tag, "\0") not in attributes]
    assert sorted(lone) == [("desk_bar.html", "div"), ("run_part.html", "div")]
    assert not [one.name for one in templates if 'type="button"' in one.read_text()]
