"""What is known of a client on pages: masked, unmasked for a reason, out of reach without the right (I65, I66, I69)."""

import csv
import io
import zipfile
from collections.abc import Callable
from dataclasses import replace
from datetime import date

import pytest
from asgiref.sync import async_to_sync
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import AsyncClient, Client
from django.urls import URLPattern, reverse
from structlog.testing import capture_logs
from tests.records.parties.test_documents import pdf
from tests.surfaces.conftest import DAYS, NOON, SYSTEM, Book, Desk, SignIn

from reefpoint.platform.access.types import RoleName
from reefpoint.platform.audit.models import Entry
from reefpoint.platform.database import parts
from reefpoint.records.parties.models import Consent, Document, Licence
from reefpoint.records.parties.selectors.clients import find_clients
from reefpoint.records.parties.services import add_document, record_profile, register_clients
from reefpoint.records.parties.types import (
    BankAccountDraft,
    ClientDraft,
    ClientKind,
    DocumentKind,
    IdentifierDraft,
    IdentifierKind,
    PersonRole,
    ProfileDraft,
    RelatedPersonDraft,
)
from reefpoint.surfaces.console import urls
from reefpoint.surfaces.web import streams

WANG = ProfileDraft(
    kind=ClientKind.INDIVIDUAL,
    name="Wang Fang",
    name_zh="王芳",
    birth_or_incorporated_on=date(1991, 4, 9),
    residence="CN",
    address="100 Century Avenue Unit 1207",
    phone="+86 138 1234 5678",
    tax_residences=(("CN", "TAX-77001-55"),),
    identifiers=(IdentifierDraft(IdentifierKind.CN_RIC, "110101199003070011", "CN"),),
    bank_accounts=(BankAccountDraft("CN", "ICBC", "102", "Wang Fang", "6222021001123456789", "CNY"),),
    related_persons=(
        RelatedPersonDraft(
            PersonRole.ATTORNEY, "Li Ming", identifier=IdentifierDraft(IdentifierKind.PASSPORT, "E12345678")
        ),
    ),
)
SECRETS = (
    "110101199003070011",
    "6222021001123456789",
    "138 1234 5678",
    "Century Avenue",
    "TAX-77001-55",
    "E12345678",
    "1991-04-09",
    "fang@clients.test",
)


@pytest.fixture
def known(desk: Desk) -> Desk:
    """The manager's own client, with a profile and a document."""
    record_profile(actor=SYSTEM, client_id=desk.own_client_id, draft=WANG, reason="application", at=NOON)
    add_document(
        actor=SYSTEM,
        client_id=desk.own_client_id,
        kind=DocumentKind.IDENTITY,
        file_name="护照.pdf",
        content=pdf(),
        at=NOON,
    )
    return desk


def at(name: str, *ids: int) -> str:
    return reverse(f"console:{name}", args=ids)


def unmask(reader: Client, client_id: int, field: str, reason: str) -> str:
    return reader.post(at("client_unmask", client_id), {"field": field, "reason": reason}).content.decode()


@pytest.mark.parametrize("role", list(RoleName))
def test_i65_no_page_export_or_log_shows_an_unmasked_identifier(
    signed_in: SignIn, known: Desk, book: Book, role: RoleName
) -> None:
    ids: dict[str, Callable[[], list[int]]] = {
        "client_id": lambda: [known.own_client_id],
        "account_id": lambda: [book.own_account_id],
    }
    reader = signed_in(role)
    with capture_logs() as logs:
        for pattern in urls.urlpatterns:
            assert isinstance(pattern, URLPattern)
            wanted = list(pattern.pattern.converters)
            if wanted and (len(wanted) > 1 or wanted[0] not in ids):
                continue
            address = at(pattern.name or "", *(ids[wanted[0]]() if wanted else []))
            for query in ("", "?format=csv", "?q=Wang"):
                text = reader.get(address + query).content.decode(errors="replace")
                assert not [secret for secret in SECRETS if secret in text], address + query
    assert not [secret for secret in SECRETS if secret in repr(logs)]
    for entry in Entry.objects.all():
        assert not [secret for secret in SECRETS if secret in f"{entry.inputs}{entry.reason}"], entry.action


@pytest.mark.parametrize("field", ["email", "phone", "address", "birth", "identifier:0", "tax:0", "person:0"])
def test_i65_a_field_is_shown_in_full_for_a_reason_that_is_logged(signed_in: SignIn, known: Desk, field: str) -> None:
    reader = signed_in(RoleName.COMPLIANCE)
    assert not [secret for secret in SECRETS if secret in unmask(reader, known.own_client_id, field, " ")]
    assert not Entry.objects.filter(action="clients.unmask").exists()
    text = unmask(reader, known.own_client_id, field, "call back on the old number")
    assert len([secret for secret in SECRETS if secret in text]) == 1
    assert Entry.objects.get(action="clients.unmask").inputs == {"field": field}


def test_i65_whoever_lacks_the_right_sees_nothing_in_full_even_by_address(signed_in: SignIn, known: Desk) -> None:
    for role in (RoleName.RISK_OFFICER, RoleName.RELATIONSHIP_MANAGER, RoleName.AUDITOR, RoleName.ADMINISTRATOR):
        answer = signed_in(role).post(
            at("client_unmask", known.own_client_id), {"field": "phone", "reason": "I want to know"}
        )
        assert answer.status_code == 403
        assert "138 1234" not in answer.content.decode()
    assert not Entry.objects.filter(action="clients.unmask").exists()


def test_a_document_is_added_and_downloaded_as_an_attachment(signed_in: SignIn, known: Desk) -> None:
    reader = signed_in(RoleName.OPERATIONS)
    address = at("client_documents", known.own_client_id)
    upload = SimpleUploadedFile("../流水.exe", pdf(pages=2), content_type="text/html")
    assert reader.post(address, {"kind": "bank_statement", "file": upload}).status_code == 302
    document = Document.objects.get(kind="bank_statement")
    answer = reader.get(at("document", document.pk))
    assert answer.content == pdf(pages=2)
    assert answer.headers["Content-Type"] == "application/pdf"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["Content-Disposition"] == "attachment; filename*=UTF-8''%E6%B5%81%E6%B0%B4.pdf"
    assert Entry.objects.filter(action="documents.open").count() == 1


@pytest.mark.parametrize("content", [b"", b"<html><script>alert(1)</script>", b"MZ\x90", b"%PDF-1.4 nothing"])
def test_i69_a_hostile_upload_is_answered_beside_the_field_and_leaves_nothing(
    signed_in: SignIn, known: Desk, content: bytes
) -> None:
    upload = SimpleUploadedFile("passport.pdf", content, content_type="application/pdf")
    answer = signed_in(RoleName.OPERATIONS).post(
        at("client_documents", known.own_client_id), {"kind": "identity", "file": upload}
    )
    assert answer.status_code == 422
    assert 'class="errors"' in answer.content.decode()
    assert Document.objects.count() == 1


def test_i66_no_data_of_a_client_outside_the_scope_is_shown_or_changed(signed_in: SignIn, known: Desk) -> None:
    record_profile(actor=SYSTEM, client_id=known.other_client_id, draft=replace(WANG, name="Other"), reason="", at=NOON)
    theirs = add_document(
        actor=SYSTEM,
        client_id=known.other_client_id,
        kind=DocumentKind.IDENTITY,
        file_name="x.pdf",
        content=pdf(pages=3),
        at=NOON,
    )
    manager = signed_in(RoleName.RELATIONSHIP_MANAGER)
    for name in ("client", "client_profile", "client_documents", "client_data"):
        assert manager.get(at(name, known.other_client_id)).status_code == 404, name
    assert manager.get(at("document", theirs)).status_code == 404
    consent = {"purpose": "marketing", "text_version": "1", "channel": "paper"}
    assert manager.post(at("client_consent", known.other_client_id), consent).status_code == 404
    upload = SimpleUploadedFile("a.pdf", pdf())
    answer = manager.post(at("client_documents", known.other_client_id), {"kind": "identity", "file": upload})
    assert answer.status_code == 404
    assert (Consent.objects.count(), Document.objects.count()) == (0, 2)


def test_a_consent_is_recorded_and_withdrawn(signed_in: SignIn, known: Desk) -> None:
    reader = signed_in(RoleName.OPERATIONS)
    address = at("client_consent", known.own_client_id)
    reader.post(address, {"purpose": "marketing", "text_version": "2020-01", "channel": "paper"})
    consent = Consent.objects.get()
    assert consent.withdrawn_at is None
    reader.post(address, {"withdraw": str(consent.pk), "reason": "asked by telephone"})
    consent.refresh_from_db()
    assert consent.withdrawn_at is not None
    assert "2020-01" in reader.get(at("client_data", known.own_client_id)).content.decode()


def test_an_export_is_a_file_for_compliance_alone(signed_in: SignIn, known: Desk) -> None:
    address = at("client_export", known.own_client_id)
    assert signed_in(RoleName.OPERATIONS).post(address, {"reason": "letter"}).status_code == 403
    answer = signed_in(RoleName.COMPLIANCE).post(address, {"reason": "letter of the client"})
    assert answer.headers["Content-Type"] == "application/zip"
    with zipfile.ZipFile(io.BytesIO(answer.content)) as archive:
        assert archive.testzip() is None
        assert b"110101199003070011" in archive.read("profiles.json")


def test_blocking_a_client_takes_a_reason_and_compliance(signed_in: SignIn, known: Desk) -> None:
    address = at("client_standing", known.own_client_id)
    assert signed_in(RoleName.OPERATIONS).post(address, {"change": "block", "reason": "x"}).status_code == 403
    reader = signed_in(RoleName.COMPLIANCE)
    assert reader.post(address, {"change": "block", "reason": ""}).status_code == 409
    reader.post(address, {"change": "block", "reason": "court order"})
    assert "state-blocked" in reader.get(at("client", known.own_client_id)).content.decode()


def test_a_licence_is_recorded_with_its_document_and_ended_on_the_page(signed_in: SignIn, known: Desk) -> None:
    reader = signed_in(RoleName.COMPLIANCE)
    form = {
        "permit": "HK:hk.type_8_margin_financing",
        "activity": "margin_lending",
        "number": "ABC123",
        "holder": "Reef",
        "valid_from": "2020-01-01",
        "evidence": "public register",
    }
    answer = reader.post(at("licences"), {**form, "permit": "CN:cn.microloan"})
    assert answer.status_code == 422
    assert "Art. 120" in answer.content.decode()
    assert Licence.objects.count() == 0
    reader.post(at("licences"), {**form, "file": SimpleUploadedFile("permit.pdf", pdf())})
    licence = Licence.objects.get()
    assert reader.get(at("licence_evidence", licence.pk)).content == pdf()
    reader.post(at("end_licence", licence.pk), {"reason": "taken away", "valid_to": ""})
    assert "state-revoked" in reader.get(at("licences")).content.decode()
    assert signed_in(RoleName.RISK_OFFICER).post(at("licences"), form).status_code == 403


def test_i69_the_list_of_clients_as_csv_masks_and_disarms(signed_in: SignIn, known: Desk) -> None:
    text = signed_in(RoleName.RISK_OFFICER).get(at("clients") + "?format=csv").content.decode("utf-8-sig")
    rows = list(csv.reader(io.StringIO(text)))
    assert len(rows) == 3
    assert "fang@" not in text
    assert "f***@clients.test" in text


def test_turning_a_key_is_for_administrators_and_is_logged(signed_in: SignIn, known: Desk) -> None:
    assert signed_in(RoleName.COMPLIANCE).post(at("data_keys"), {"reason": "x"}).status_code == 403
    reader = signed_in(RoleName.ADMINISTRATOR)
    assert reader.post(at("data_keys"), {"reason": "yearly"}).status_code == 302
    assert Entry.objects.get(action="vault.turn_data_key").reason == "yearly"
    assert "0 of 3" in reader.get(at("data_keys")).content.decode()


def test_a_long_export_comes_piece_by_piece_from_a_cursor_and_within_the_scope(
    signed_in: SignIn, desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    register_clients(
        actor=SYSTEM,
        drafts=[ClientDraft(f"Nobody {number}", f"{number}@clients.test", "无人") for number in range(9)],
        on=DAYS[0],
        at=NOON,
    )
    address = at("clients") + "?format=csv&sort=-number"
    risk = signed_in(RoleName.RISK_OFFICER)
    whole = risk.get(address).content
    monkeypatch.setattr(parts, "AT_ONCE", 4)
    monkeypatch.setattr(streams, "PIECE_CHARACTERS", 100)

    def pieces(reader: Client) -> list[bytes]:
        served = AsyncClient()
        served.cookies = reader.cookies

        async def fetch() -> list[bytes]:
            answer = await served.get(address)
            return [piece async for piece in answer.streaming_content]

        return async_to_sync(fetch)()

    found = pieces(risk)
    assert (len(found) > 3, b"".join(found)) == (True, whole)
    assert b"".join(risk.get(address).streaming_content) == whole
    assert signed_in(RoleName.RELATIONSHIP_MANAGER).get(address).content.decode().count("Nobody") == 0
    listing = find_clients(SYSTEM, order="number", offset=2, limit=100)
    assert (type(listing.rows), len(listing.rows), listing.count) == (parts.Walked, 9, 11)
    assert [row.id for row in listing.rows] == [row.id for row in find_clients(SYSTEM, offset=2, limit=3).rows] + [
        row.id for row in find_clients(SYSTEM, offset=5, limit=100).rows
    ]
