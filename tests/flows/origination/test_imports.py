"""Files of leads and clients: good rows in, bad ones given back, nothing twice, whatever happens on the way."""

import csv
import io
from collections.abc import Iterator

import pytest
from tests.desk import MONDAY, SYSTEM, Desk, noon

from reefpoint.flows.origination.models import Application, Lead, LeadPairRow
from reefpoint.flows.origination.selectors.applications import load_sections
from reefpoint.flows.origination.services import leads as lead_services
from reefpoint.flows.origination.types.applications import ApplicationState
from reefpoint.flows.origination.types.questions import Section
from reefpoint.platform.access.services import PermissionRefused
from reefpoint.platform.basics.actors import Actor
from reefpoint.platform.imports import services as imports
from reefpoint.platform.imports.models import BadChunk, Chunk, ImportFile
from reefpoint.platform.imports.rules import CHUNK_ROWS, FileRefused
from reefpoint.platform.imports.selectors import ImportNotFound, get_import, verify_imports
from reefpoint.platform.imports.services import (
    BadFileGone,
    forget_bad_rows,
    receive_file,
    run_import,
    run_next_batch,
    stream_bad_rows,
)
from reefpoint.platform.imports.types import ImportState
from reefpoint.records.parties.models import Client
from reefpoint.records.parties.types import ClientStatus

AT = noon(MONDAY)
HEADER = "name,email,phone,country,loan_wanted,may_contact\n"


def receive(desk: Desk, content: str | bytes, kind: str = "leads", actor: Actor | None = None) -> int:
    raw = content.encode() if isinstance(content, str) else content
    pieces = (raw[start : start + 1000] for start in range(0, len(raw), 1000))
    return receive_file(
        actor=actor or desk.operations, kind=kind, file_name="leads.csv", pieces=pieces, on=MONDAY, at=AT
    )[0]


def bad_rows(desk: Desk, import_id: int) -> list[list[str]]:
    text = "".join(
        stream_bad_rows(desk.operations, import_id, at=AT, words=lambda problem: f"{problem.column} {problem.code}")
    )
    return list(csv.reader(io.StringIO(text.removeprefix("\ufeff"))))


def some(count: int) -> Iterator[str]:
    for number in range(count):
        yield f"Person{number:06} Q{number % 97}x{number * 7919 % 10007},p{number}@x.test,,HK,50000,yes\n"


def test_good_rows_become_leads_and_bad_ones_come_back_with_reasons(desk: Desk) -> None:
    import_id = receive(
        desk,
        HEADER
        + "Li Ming,li@x.test,+852 2123 4567,HK,50000.50,yes\n"
        + ",no@name.test,,,,\n"
        + "\n"
        + "No Way,,,,,\n"
        + "Bad Mail,nobody,,,,maybe\n"
        + 'Broken,"quotes@x.test,,,,\n'
        + "Too,few\n"
        + "=cmd|'/c calc'!A1,calc@x.test,,XX,-5,no\n",
    )
    run_import(import_id=import_id, at=AT)
    [lead] = Lead.objects.all()
    assert (lead.name, lead.email_masked, lead.loan_wanted_minor, lead.may_contact) == (
        "Li Ming",
        "l***@x.test",
        5_000_050,
        True,
    )
    assert b"li@x.test" not in bytes(lead.blob or b"")
    view = get_import(desk.operations, import_id)
    assert (view.state, view.rows, view.good, view.bad) == (ImportState.DONE, 7, 1, 6)
    header, *rows = bad_rows(desk, import_id)
    assert header == ["line", "reasons", "name", "email", "phone", "country", "loan_wanted", "may_contact"]
    assert [row[:2] for row in rows] == [
        ["3", "name missing"],
        ["5", "email missing"],
        ["6", "may_contact not_yes_or_no"],
        ["7", " broken_quotes"],
        ["8", " wrong_columns"],
        ["9", "loan_wanted not_an_amount"],
    ]
    assert rows[-1][2] == "'=cmd|'/c calc'!A1"


def test_a_mended_file_of_bad_rows_can_be_handed_in_as_it_is(desk: Desk) -> None:
    import_id = receive(desk, HEADER + "+Plus,nobody,,,,\n")
    run_import(import_id=import_id, at=AT)
    lines = bad_rows(desk, import_id)
    lines[1][3] = "plus@x.test"
    text = io.StringIO()
    csv.writer(text).writerows(lines)
    again = receive(desk, text.getvalue())
    run_import(import_id=again, at=AT)
    assert [lead.name for lead in Lead.objects.all()] == ["+Plus"]


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (b"", "header"),
        (b"PK\x03\x04 a workbook", "other_format"),
        (b"%PDF-1.7", "other_format"),
        (HEADER.encode("utf-16"), "encoding"),
        (HEADER.encode() + "李明,a@x.test,,,,\n".encode("gbk"), "encoding"),
        (HEADER.encode() + b"A\x00B,a@x.test,,,,\n", "nul"),
        (HEADER.encode() + b"A" * 20_000 + b"\n", "long_line"),
        (b"surname,mail\nA,b\n", "header"),
        (b"name,name,email\nA,A,b\n", "header"),
        (b"name,email,password\nA,b,c\n", "header"),
        (b"name;email\nA;b\n", "header"),
        (b'name,"email\nA,b\n', "header"),
        (HEADER.encode(), "empty"),
        (HEADER.encode() + b"\n\n", "empty"),
    ],
)
def test_i69_what_is_no_file_of_rows_is_refused_whole_and_leaves_nothing(
    desk: Desk, content: bytes, problem: str
) -> None:
    with pytest.raises(FileRefused) as refusal:
        receive(desk, content)
    assert refusal.value.problem == problem
    assert (ImportFile.objects.count(), Chunk.objects.count()) == (0, 0)


def test_too_many_bytes_or_rows_are_refused_while_they_arrive(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("reefpoint.platform.imports.rules.FILE_BYTES_MAX", 5_000)
    taken = 0

    def endless() -> Iterator[bytes]:
        nonlocal taken
        yield HEADER.encode()
        while True:
            taken += 1
            yield b"A,a@x.test,,,,\n" * 10

    with pytest.raises(FileRefused) as refusal:
        receive_file(actor=desk.operations, kind="leads", file_name="x", pieces=endless(), on=MONDAY, at=AT)
    assert (refusal.value.problem, taken) == ("too_large", 34)
    monkeypatch.setattr("reefpoint.platform.imports.rules.ROWS_MAX", 3)
    with pytest.raises(FileRefused) as refusal:
        receive(desk, HEADER + "".join(some(4)))
    assert refusal.value.problem == "too_many_rows"
    assert ImportFile.objects.count() == 0


def test_the_same_file_twice_is_one_import(desk: Desk) -> None:
    content = HEADER + "".join(some(3))
    first = receive(desk, content)
    run_import(import_id=first, at=AT)
    assert receive(desk, content) == first
    run_import(import_id=first, at=AT)
    assert Lead.objects.count() == 3
    assert ImportFile.objects.count() == 1


def test_killed_between_and_inside_batches_it_goes_on_without_doubles(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    import_id = receive(desk, HEADER + "".join(some(2 * CHUNK_ROWS + 5)) + "bad,row\n")
    assert run_next_batch(import_id=import_id, at=AT)
    view = get_import(desk.operations, import_id)
    assert (view.state, view.good, view.done_bp) == (ImportState.RUNNING, CHUNK_ROWS, 4_992)

    class Killed(BaseException):
        pass

    def die(ids: object, at: object) -> None:
        raise Killed

    with monkeypatch.context() as patch:
        patch.setattr(lead_services, "_find_pairs", die)
        with pytest.raises(Killed):
            run_next_batch(import_id=import_id, at=AT)
    assert Lead.objects.count() == CHUNK_ROWS
    assert verify_imports() == []
    run_import(import_id=import_id, at=AT)
    view = get_import(desk.operations, import_id)
    assert (view.state, view.good, view.bad) == (ImportState.DONE, 2 * CHUNK_ROWS + 5, 1)
    assert Lead.objects.count() == 2 * CHUNK_ROWS + 5
    assert Lead.objects.values("email_digest").distinct().count() == 2 * CHUNK_ROWS + 5
    assert Chunk.objects.count() == 0


def test_bad_rows_are_sealed_and_deleted_when_their_time_is_over(desk: Desk) -> None:
    import_id = receive(desk, HEADER + "secret name,nobody,,,,\n")
    assert b"secret" not in bytes(Chunk.objects.get().blob or b"")
    run_import(import_id=import_id, at=AT)
    assert b"secret" not in bytes(BadChunk.objects.get().blob or b"")
    until = get_import(desk.operations, import_id).bad_until
    assert forget_bad_rows(on=until) == 0
    assert forget_bad_rows(on=until.replace(day=until.day + 1)) == 1
    with pytest.raises(BadFileGone):
        bad_rows(desk, import_id)


def test_a_manager_sees_only_their_own_imports_and_leads_of_it_are_theirs(desk: Desk) -> None:
    theirs = receive(desk, HEADER + "Anna,anna@x.test,,,,\n")
    own = receive(desk, HEADER + "Otto,otto@x.test,,,,\n", actor=desk.manager)
    run_import(import_id=own, at=AT)
    assert Lead.objects.get().owner_id == desk.manager.user_id
    assert get_import(desk.manager, own).good == 1
    with pytest.raises(ImportNotFound):
        get_import(desk.manager, theirs)
    with pytest.raises(PermissionRefused):
        receive(desk, "name,kind,email\nA,individual,a@x.test\n", kind="clients", actor=desk.manager)


def test_imported_clients_are_prospects_whose_application_is_begun(desk: Desk) -> None:
    import_id = receive(
        desk,
        "name,name_zh,kind,email,language,nationality,residence,phone,identifier_kind,identifier_number,identifier_country,"
        "currency,net_worth\n"
        "Li Ming,李明,individual,Li@X.test,zh-hans,CN,SG,+65 6123 4567,passport,E12345678,CN,USD,1000000\n"
        "Twin,,individual,li@x.test,,,,,,,,,\n"
        "Near again,,individual,near@clients.test,,,,,,,,,\n"
        "Odd,,person,odd@x.test,,,,,,,,,\n"
        "Lost,,individual,lost@x.test,,ZZ,,,passport,,,,\n",
        kind="clients",
    )
    run_import(import_id=import_id, at=AT)
    assert [row[:2] for row in bad_rows(desk, import_id)[1:]] == [
        ["3", "email email_twice"],
        ["4", "email email_taken"],
        ["5", "kind not_an_option"],
        ["6", "nationality not_a_country"],
    ]
    client = Client.objects.get(email="li@x.test")
    assert (client.status, client.accepted_on, client.language) == (ClientStatus.PROSPECT, None, "zh-hans")
    application = Application.objects.get(client=client)
    assert (application.state, application.channel) == (ApplicationState.DRAFT, "import")
    sections = load_sections(application.pk)
    assert sections[Section.IDENTITY]["identifiers"] == [{"kind": "passport", "number": "E12345678", "country": "CN"}]
    assert sections[Section.WEALTH] == {"currency": "USD", "net_worth_minor": 100_000_000}


def test_rows_that_look_alike_are_all_taken_and_listed_for_a_person(desk: Desk) -> None:
    import_id = receive(
        desk,
        HEADER + "Li Ming,li@x.test,,,,\nMing Li,li@x.test,,,,\nZhou,,00852 1234 5678,,,\nAnna,,+852-12345678,,,\n",
    )
    run_import(import_id=import_id, at=AT)
    found = LeadPairRow.objects.order_by("id").values_list("first__name", "second__name", "same_email", "same_phone")
    assert list(found) == [("Li Ming", "Ming Li", True, False), ("Zhou", "Anna", False, True)]


def test_a_name_a_letter_or_a_word_apart_is_listed(desk: Desk) -> None:
    rows = (
        "Jon Smithers",
        "Smithers John",
        "Jon Peter Smithers",
        "Anna Keller",
        "Jön Smithers",
        "Annabel Kellerman",
        "Annabel Kelelrman-Ng",
        "Annabel Kellerman Ng",
    )
    import_id = receive(desk, HEADER + "".join(f"{name},p{place}@x.test,,,,\n" for place, name in enumerate(rows)))
    run_import(import_id=import_id, at=AT)
    found = dict.fromkeys(LeadPairRow.objects.values_list("first__name", "second__name"))
    assert found.keys() >= {
        ("Jon Smithers", "Smithers John"),
        ("Jon Smithers", "Jön Smithers"),
        ("Annabel Kelelrman-Ng", "Annabel Kellerman Ng"),
        ("Annabel Kellerman", "Annabel Kellerman Ng"),
    }
    assert not [pair for pair in found if "Anna Keller" in pair]
    assert LeadPairRow.objects.get(second__name="Jön Smithers", first__name="Jon Smithers").name_bp == 10_000


def test_five_namesakes_are_enough(desk: Desk) -> None:
    import_id = receive(desk, HEADER + "".join(f"Wong Ka Ming,p{place}@x.test,,,,\n" for place in range(9)))
    run_import(import_id=import_id, at=AT)
    ids = list(Lead.objects.order_by("id").values_list("id", flat=True))
    last = LeadPairRow.objects.filter(second_id=ids[-1]).order_by("first_id")
    assert list(last.values_list("first_id", flat=True)) == ids[:5]


def test_two_runners_of_one_import_share_its_batches(desk: Desk) -> None:
    import_id = receive(desk, HEADER + "".join(some(3)))
    assert not run_next_batch(import_id=import_id, at=AT)
    assert not run_next_batch(import_id=import_id, at=AT)
    assert Lead.objects.count() == 3


def test_an_unknown_kind_is_refused(desk: Desk) -> None:
    with pytest.raises(imports.UnknownKind):
        receive(desk, HEADER, kind="payments", actor=SYSTEM)
