"""The docs check finds what is planted, and only that."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from tools import check_docs


@pytest.fixture
def write(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str, str], Path]:
    """Write a file of a repository that holds nothing else."""
    monkeypatch.setattr(check_docs, "ROOT", tmp_path)
    monkeypatch.setattr(check_docs, "SOURCE", tmp_path / "src" / "reefpoint")

    def write_file(name: str, text: str) -> Path:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        return path

    return write_file


Write = Callable[[str, str], Path]


def only(findings: Iterator[str]) -> str:
    (finding,) = findings
    return finding


def test_a_link_that_leads_nowhere_is_found(write: Write) -> None:
    page = write(
        "docs/page.md", "[there](page.md#part) [out](https://example.org/x) [gone](gone.md)\n```\n[no](no)\n```\n"
    )

    assert only(check_docs.find_broken_links(page)) == "docs/page.md: the link to gone.md leads nowhere"


def test_a_path_of_the_map_that_does_not_exist_is_found(write: Write) -> None:
    write("src/reefpoint/engine/book.py", "")
    write("docs/where.md", "`engine/book.py`, `src/reefpoint/engine/` and `engine/gone.py`, not `a + b`")

    assert only(check_docs.find_stale_paths()) == "docs/where.md: engine/gone.py does not exist"


def test_a_package_that_does_not_say_what_it_owns_is_found(write: Write) -> None:
    write("src/reefpoint/loud/__init__.py", '"""Owns noise."""')
    write("src/reefpoint/silent/__init__.py", "")
    write("src/reefpoint/loud/migrations/0001_initial.py", "")

    assert only(check_docs.find_silent_packages()).startswith("src/reefpoint/silent/__init__.py")


def test_a_term_without_its_chinese_is_found(write: Write) -> None:
    write("docs/glossary.md", "| English | 中文 |\n| --- | --- |\n| margin call | 追保 |\n| haircut | |\n")

    assert "`haircut`" in only(check_docs.find_untranslated_terms())


@pytest.mark.parametrize(
    "line", ["see /" + "root/notes", "/" + "Users/me/desk", "https://files.python" + "hosted.org/x"]
)
def test_what_is_private_is_found_with_its_line(line: str, write: Write) -> None:
    page = write("page.md", f"fine, as is docs/x.md and /home\n{line}\n")

    assert only(check_docs.find_private_facts(page)).startswith("page.md:2: names ")


def test_an_invariant_whose_tests_are_not_counted_is_found(write: Write) -> None:
    write("tests/ledger/test_balance.py", "def test_i40_sums(): ...\ndef test_i40_i42_holds(): ...\n")
    write("docs/invariants.md", "| I40 | * | Sums | `ledger/test_balance.py` (2) |\n")
    assert only(check_docs.find_uncounted_invariants()) == (
        "docs/invariants.md: the tests of I42 are `ledger/test_balance.py`"
    )
