"""Documents: taken for what their content is, sealed, and handed out with an audit row."""

import io
from datetime import UTC, date, datetime
from zlib import compress, crc32

import pytest
from PIL import Image
from pypdf import PdfWriter
from pypdf.generic import DictionaryObject, NameObject, TextStringObject

from reefpoint.platform.access.services import PermissionRefused
from reefpoint.platform.audit.models import Entry
from reefpoint.platform.basics.actors import Actor, system_actor
from reefpoint.platform.vault.selectors import verify_vault
from reefpoint.records.parties.adapters.file_checks import DocumentRefused, check_file
from reefpoint.records.parties.models import Document
from reefpoint.records.parties.rules import FILE_BYTES_MAX, clean_file_name
from reefpoint.records.parties.selectors.clients import ClientNotFound
from reefpoint.records.parties.selectors.documents import list_documents
from reefpoint.records.parties.services import (
    DocumentExpired,
    DocumentNotFound,
    add_document,
    open_document,
    register_client,
)
from reefpoint.records.parties.types import ClientDraft, DocumentKind, MediaType

AT = datetime(2020, 1, 2, 14, tzinfo=UTC)
DESK = system_actor("desk")


def pdf(script: str = "", password: str = "", pages: int = 1) -> bytes:
    writer = PdfWriter()
    for _ in range(pages):
        writer.add_blank_page(200, 200)
    if script:
        action = {NameObject("/S"): NameObject("/JavaScript"), NameObject("/JS"): TextStringObject(script)}
        writer.root_object[NameObject("/OpenAction")] = DictionaryObject(action)
    if password:
        writer.encrypt(password, algorithm="AES-256")
    out = io.BytesIO()
    writer.write(out)
    return out.getvalue()


def picture(kind: str, size: tuple[int, int] = (20, 10)) -> bytes:
    out = io.BytesIO()
    Image.new("L", size).save(out, kind)
    return out.getvalue()


def png_of(width: int, height: int) -> bytes:
    """A small file that says it is a huge picture."""
    whole = bytearray(picture("PNG"))
    whole[16:24] = width.to_bytes(4, "big") + height.to_bytes(4, "big")
    whole[29:33] = crc32(whole[12:29]).to_bytes(4, "big")
    return bytes(whole)


def client_of(name: str = "chen") -> int:
    draft = ClientDraft(name=name, email=f"{name}@mail.test")
    return register_client(actor=DESK, draft=draft, on=date(2020, 1, 2), at=AT)


def add(client_id: int, content: bytes, name: str = "passport.pdf", expires_on: date | None = None) -> int:
    return add_document(
        actor=DESK,
        client_id=client_id,
        kind=DocumentKind.IDENTITY,
        file_name=name,
        content=content,
        expires_on=expires_on,
        at=AT,
    )


@pytest.mark.parametrize(
    ("content", "media_type"),
    [(pdf(), MediaType.PDF), (picture("JPEG"), MediaType.JPEG), (picture("PNG"), MediaType.PNG)],
)
def test_a_file_is_what_its_content_is(content: bytes, media_type: MediaType) -> None:
    assert check_file(content) is media_type


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b"", "empty"),
        (b"x" * (FILE_BYTES_MAX + 1), "size"),
        (b"<script>alert(1)</script>", "kind"),
        (b"PK\x03\x04 a zip", "kind"),
        (picture("GIF"), "kind"),
        (picture("PNG")[:40], "damaged"),
        (picture("JPEG")[:60], "damaged"),
        (b"%PDF-1.7\n" + b"(" * 100_000, "damaged"),
        (pdf()[:150], "damaged"),
        (pdf(password="secret"), "locked"),
        (pdf(script="app.alert(1)"), "active"),
        (pdf(pages=301), "pages"),
        (png_of(100_000, 100_000), "pixels"),
    ],
    ids=[
        "empty",
        "big",
        "html",
        "zip",
        "gif",
        "png-cut",
        "jpeg-cut",
        "parens",
        "pdf-cut",
        "locked",
        "script",
        "pages",
        "pixels",
    ],
)
def test_i69_a_hostile_file_is_refused_with_what_to_do(content: bytes, why: str) -> None:
    with pytest.raises(DocumentRefused) as refused:
        check_file(content)
    assert refused.value.facts["why"] == why


def test_i69_a_compressed_bomb_in_a_pdf_ends_its_checker_and_nothing_else() -> None:
    bomb = compress(b"\0" * 600_000_000, 9)
    head = f"%PDF-1.5\n1 0 obj<</Type/ObjStm/N 1/First 4/Filter/FlateDecode/Length {len(bomb)}>>stream\n"
    body = head.encode() + bomb + b"\nendstream endobj\n2 0 obj<</Type/Catalog/Pages 3 0 R>>endobj\n"
    with pytest.raises(DocumentRefused):
        check_file(body + b"trailer<</Root 2 0 R>>\nstartxref\n0\n%%EOF")


@pytest.mark.parametrize(
    ("name", "clean"),
    [
        ("passport.exe", "passport.pdf"),
        ("../../etc/passwd", "passwd.pdf"),
        ("C:\\temp\\护照.pdf", "护照.pdf"),
        ("\u202egpj.exe", "gpj.pdf"),
        ("a\r\nSet-Cookie: x", "aSet-Cookie x.pdf"),
        ("", "document.pdf"),
        ("x" * 500, "x" * 116 + ".pdf"),
    ],
)
def test_i69_a_file_name_keeps_no_path_and_no_trick(name: str, clean: str) -> None:
    assert clean_file_name(name, ".pdf") == clean


@pytest.mark.django_db
def test_a_document_is_sealed_and_comes_back_whole_with_an_audit_row() -> None:
    client_id, content = client_of(), pdf()
    document_id = add(client_id, content, "护照.pdf")
    row = Document.objects.get()
    assert content[:50] not in bytes(row.blob or b"")
    opened = open_document(actor=DESK, document_id=document_id, at=AT)
    assert (opened.content, opened.file_name, opened.media_type) == (content, "护照.pdf", MediaType.PDF)
    entry = Entry.objects.get(action="documents.open")
    assert (entry.subject, entry.inputs["document_id"]) == (f"client:{client_id}", document_id)
    assert verify_vault() == []


@pytest.mark.django_db
def test_the_same_document_again_is_one_document() -> None:
    client_id = client_of()
    assert add(client_id, pdf()) == add(client_id, pdf(), "another name.pdf")
    assert len(list_documents(DESK, client_id)) == 1


@pytest.mark.django_db
def test_an_expired_document_is_refused_and_leaves_nothing() -> None:
    with pytest.raises(DocumentExpired):
        add(client_of(), pdf(), expires_on=date(2020, 1, 1))
    assert Document.objects.count() == 0


@pytest.mark.django_db
def test_i69_a_refused_file_leaves_nothing() -> None:
    with pytest.raises(DocumentRefused):
        add(client_of(), b"MZ an executable", "passport.pdf")
    assert (Document.objects.count(), Entry.objects.filter(action="documents.add").count()) == (0, 0)


@pytest.mark.django_db
def test_i66_a_document_outside_the_scope_does_not_exist_and_needs_the_right() -> None:
    client_id = client_of()
    document_id = add(client_id, pdf())
    narrow = Actor(ref="user:7", name="N", permissions=frozenset({"documents.view"}), user_id=7, sees_all_clients=False)
    for one in (document_id, 999_999):
        with pytest.raises(DocumentNotFound):
            open_document(actor=narrow, document_id=one, at=AT)
    with pytest.raises(ClientNotFound):
        list_documents(narrow, client_id)
    with pytest.raises(PermissionRefused):
        open_document(actor=Actor(ref="user:8", name="X", user_id=8), document_id=document_id, at=AT)
    assert not Entry.objects.filter(action="documents.open").exists()
