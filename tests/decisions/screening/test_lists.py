"""Lists in force: whole or not at all, version by version."""

import hashlib
import zlib
from io import BytesIO

import pytest
from django.db import DatabaseError, transaction
from tests.decisions.screening.conftest import AT, LISTS, Office, rows

from reefpoint.decisions.screening.models import Entry, ListFile, ListVersion, NameKey, StagedEntry
from reefpoint.decisions.screening.selectors import (
    find_matches,
    get_version,
    list_changes,
    list_in_force,
    list_unsettled,
    load_list_entries,
)
from reefpoint.decisions.screening.services import ListRefused, lists, load_list, load_received, receive_list
from reefpoint.decisions.screening.types import ListShape, ListVersionState
from reefpoint.platform.access.services import PermissionRefused
from reefpoint.platform.audit.models import Entry as AuditEntry

THREE = rows("a,Li Ming,李明,1971,cn", "b,Ivan Zimenko,,,ru", "c,Anna Karst,,,")


def test_a_list_is_found_in_both_scripts_once_it_is_in_force(office: Office) -> None:
    office.load((LISTS / "targets.simple.csv").read_bytes())
    assert [match.entry.reference for match in find_matches("李明")][:1] == ["mu-1"]
    assert [match.entry.reference for match in find_matches("Ming LI")][:1] == ["mu-1"]
    assert [match.entry.reference for match in find_matches("陳大文")][:1] == ["mu-2"]
    assert [match.entry.reference for match in find_matches("Chen Da-Wen")][:1] == ["mu-2"]
    assert [match.entry.reference for match in find_matches("Аркадий Зименко")][:1] == ["mu-3"]
    assert find_matches("Morning Heron") == []


def test_every_form_of_list_goes_in_force_beside_the_others(office: Office) -> None:
    forms = {
        ListShape.OPENSANCTIONS_CSV: "targets.simple.csv",
        ListShape.OFAC_XML: "sdn.xml",
        ListShape.UN_XML: "consolidated.xml",
    }
    for shape, name in forms.items():
        content = (LISTS / name).read_bytes()
        load_list(actor=office.maker, source=shape.value, content=content, shape=shape, file_name=name, at=AT)
    assert [version.entries for version in list_in_force(office.auditor)] == [3, 5, 2]
    assert find_matches("Shan Xiongxin")[0].entry.source == "un.xml"
    assert find_matches("Tarek Sweidi")[0].entry.reference == "900001"


def test_a_new_version_says_what_it_changed_and_the_old_one_can_still_be_read(office: Office) -> None:
    first = office.load(THREE)
    second = office.load(rows("a,Li Ming,李明,1971,cn", "b,Ivan Zimenko,Vanya Zimenko,,ru", "d,Omar Vale,,,"))
    version = get_version(office.auditor, second)
    assert (version.number, version.added, version.changed, version.removed) == (2, 1, 1, 1)
    changes = list_changes(office.auditor, second)
    assert {name: [entry.reference for entry in found] for name, found in changes.items()} == {
        "added": ["d"],
        "changed": ["b"],
        "removed": ["c"],
    }
    assert get_version(office.auditor, first).state is ListVersionState.SUPERSEDED
    assert [(entry.reference, len(entry.names)) for entry in load_list_entries(first)] == [("a", 2), ("b", 1), ("c", 1)]
    assert [entry.reference for entry in load_list_entries(second)] == ["a", "b", "d"]
    assert [match.entry.reference for match in find_matches("Anna Karst")] == []
    assert find_matches("Vanya Zimenko")[0].score.score_bp == 10_000


@pytest.mark.parametrize("end", [-1, -12, 60])
def test_a_file_cut_off_leaves_the_old_list_in_force_and_says_so(office: Office, end: int) -> None:
    first = office.load(THREE)
    before = list(NameKey.objects.order_by("id").values_list())
    with pytest.raises(ListRefused):
        office.load(rows("a,Li Ming,李明,1971,cn", "b,Ivan Zimenko,,,ru", "z,New One,,,")[:end])
    [failed] = list_unsettled(office.auditor)
    assert (failed.number, failed.state) == (2, ListVersionState.FAILED)
    assert failed.problem
    assert [version.id for version in list_in_force(office.auditor)] == [first]
    assert list(NameKey.objects.order_by("id").values_list()) == before
    assert Entry.objects.count() == 3
    assert AuditEntry.objects.filter(action="screening.refuse_list").count() == 1


def test_a_list_that_lost_much_is_taken_for_cut_off_unless_it_is_said(office: Office) -> None:
    office.load(rows(*(f"p{number},Nobody {number},,," for number in range(10))))
    fewer = rows(*(f"p{number},Nobody {number},,," for number in range(7)))
    with pytest.raises(ListRefused, match="7 entries where 10"):
        office.load(fewer)
    version_id = receive_list(
        actor=office.maker,
        source="made.up",
        shape=ListShape.OPENSANCTIONS_CSV,
        file_name="fewer.csv",
        content=fewer,
        may_shrink=True,
        at=AT,
    )
    load_received(actor=office.maker, version_id=version_id, at=AT)
    assert get_version(office.auditor, version_id).state is ListVersionState.IN_FORCE
    assert list_unsettled(office.auditor) == []


def test_the_same_file_again_is_the_version_that_is_in_force(office: Office) -> None:
    first = office.load(THREE)
    assert office.load(THREE) == first
    assert ListVersion.objects.count() == 1
    load_received(actor=office.maker, version_id=first, at=AT)
    assert Entry.objects.count() == 3


def test_a_reading_that_was_killed_is_read_again(office: Office) -> None:
    version_id = receive_list(
        actor=office.maker, source="x", shape=ListShape.OPENSANCTIONS_CSV, file_name="x", content=THREE, at=AT
    )
    ListVersion.objects.filter(id=version_id).update(state=ListVersionState.READING, done=2)
    said = {"kind": "person", "names": [], "births": [], "countries": [], "content_hash": "0"}
    StagedEntry.objects.create(version_id=version_id, reference="a", **said)
    load_received(actor=office.maker, version_id=version_id, at=AT)
    assert get_version(office.auditor, version_id).entries == 3
    assert not StagedEntry.objects.exists()


class Watched(BytesIO):
    """A file that remembers the most that was asked of it at once."""

    most = 0

    def read(self, size: int | None = -1, /) -> bytes:
        self.most = max(self.most, -1 if size is None else size) if size != -1 else 10**9
        return super().read(size)


def test_a_file_of_many_blocks_is_kept_and_read_block_by_block_with_its_progress(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in (("BLOCK_BYTES", 1_000), ("STAGED_AT_ONCE", 40), ("KEYED_AT_ONCE", 30)):
        monkeypatch.setattr(lists, name, value)
    whole = rows(*(f"p{number},Nobody {number},无人,,cn" for number in range(200)))
    file, told = Watched(whole), []
    monkeypatch.setattr(lists, "_progress_of", lambda _: lambda done, total: told.append((done, total)))
    version_id = office.load(file)
    assert file.most == 1_000
    kept = ListFile.objects.filter(version_id=version_id).order_by("number")
    assert b"".join(zlib.decompress(bytes(one.content)) for one in kept) == whole
    assert (kept.count(), len(told), told[-1]) == (len(whole) // 1_000 + 1, len(whole) // 1_000 + 2, (len(whole),) * 2)
    version = get_version(office.auditor, version_id)
    assert (version.entries, version.content_hash) == (200, hashlib.sha256(whole).hexdigest())
    assert find_matches("Nobody 199")[0].entry.reference == "p199"
    assert office.load(whole) == version_id

    with pytest.raises(ListRefused):
        office.load(whole[:-7])
    assert (Entry.objects.filter(until_version=None).count(), StagedEntry.objects.count()) == (200, 0)


def test_an_entry_that_stands_in_a_file_twice_refuses_it(office: Office) -> None:
    with pytest.raises(ListRefused, match="a stands in the file twice"):
        office.load(rows("a,Li Ming,,,", "b,Omar Vale,,,", "a,Li Na,,,"))
    assert (Entry.objects.count(), StagedEntry.objects.count()) == (0, 0)


def test_a_file_beyond_the_limit_is_refused_before_anything_is_kept(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lists.rules, "FILE_BYTES_MAX", len(THREE) - 1)
    with pytest.raises(ListRefused, match="more than"):
        office.load(THREE)
    assert not ListVersion.objects.exists()


def test_names_that_cannot_be_read_are_counted(office: Office) -> None:
    version_id = office.load(rows("a,Li Ming,محمد,,", "b,김철수,,,"))
    assert get_version(office.auditor, version_id).missed_names == 2


def test_only_compliance_takes_lists_in(office: Office) -> None:
    with pytest.raises(PermissionRefused):
        load_list(
            actor=office.auditor, source="x", content=THREE, shape=ListShape.OPENSANCTIONS_CSV, file_name="x", at=AT
        )
    assert not ListVersion.objects.exists()


def test_entries_and_files_are_never_changed_behind_the_desk(office: Office) -> None:
    office.load(THREE)
    for change in (
        lambda: Entry.objects.filter(reference="a").update(names=[["Somebody else", False]]),
        lambda: ListFile.objects.all().delete(),
        lambda: ListVersion.objects.all().update(content_hash="0"),
    ):
        with pytest.raises(DatabaseError), transaction.atomic():
            change()


def test_what_is_searched_is_the_same_after_every_version_as_if_it_were_the_first(office: Office) -> None:
    office.load(THREE)
    office.load(rows("a,Li Ming,黎明,1971,cn", "b,Ivan Zimenko,,,ru", "d,Omar Vale,,,"))
    searched = set(NameKey.objects.values_list("entry__reference", "key", "hanzi", "sound"))
    NameKey.objects.all().delete()
    office.load(rows("a,Li Ming,黎明,1971,cn", "b,Ivan Zimenko,,,ru", "d,Omar Vale,,,"), source="other")
    assert set(NameKey.objects.values_list("entry__reference", "key", "hanzi", "sound")) == searched
