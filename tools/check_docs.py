"""The docs check: what the documents say exists, exists; what must not be published is not there.

Prints one line for each finding and ends with exit code 1 if there is any.
"""

import ast
import re
import subprocess
import sys
from collections import Counter, defaultdict
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
SOURCE = ROOT / "src" / "reefpoint"
REQUIRED = ("README.md", "CHANGELOG.md", "LICENSE", "docs/architecture.md", "docs/glossary.md", "docs/where.md")

LINK = re.compile(r"(?<!`)\[[^\]]*\]\(([^)\s]+)\)")
PATH_IN_TICKS = re.compile(r"`([\w./-]+/[\w./-]*|[\w-]+\.(?:py|md|yaml|toml))`")
CHINESE = re.compile(r"[\u4e00-\u9fff]")
LATIN = re.compile(r"[A-Za-z]")
INVARIANT_ROW = re.compile(r"^\| (I\d\d) \|.*\| (.*) \|$", re.MULTILINE)
INVARIANT_TEST = re.compile(r"^\s*(?:async )?def test_((?:i\d\d_)+)", re.MULTILINE)
FENCE = re.compile(r"^```.*?^```", re.MULTILINE | re.DOTALL)
PRIVATE = {
    "a path of one machine": re.compile(r"(?<![\w./])/(?:root|work|home/\w+|Users/\w+)/\w"),
    "a package host": re.compile(r"\b(?:pypi|pythonhosted|npmjs|debian)\.(?:org|com|net)\b"),
}


def tracked_files() -> list[Path]:
    """The files that are published: what git knows, or will know with the next commit, and has not lost."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],  # noqa: S607 - git from the path
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    return [path for name in listed.stdout.split("\0") if name and (path := ROOT / name).is_file()]


def find_missing_documents() -> Iterator[str]:
    """The documents that a newcomer is promised."""
    for name in REQUIRED:
        if not (ROOT / name).exists():
            yield f"{name}: is missing"


def find_broken_links(document: Path) -> Iterator[str]:
    """Relative links must lead to a file."""
    for target in LINK.findall(FENCE.sub("", document.read_text())):
        path = target.split("#")[0]
        if path and "://" not in path and not path.startswith("mailto:") and not (document.parent / path).exists():
            yield f"{document.relative_to(ROOT)}: the link to {target} leads nowhere"


def find_stale_paths() -> Iterator[str]:
    """Every path in ticks in docs/where.md must exist, from the root of the repository or of the package."""
    where = ROOT / "docs" / "where.md"
    for path in PATH_IN_TICKS.findall(where.read_text()) if where.exists() else ():
        if not (ROOT / path).exists() and not (SOURCE / path).exists():
            yield f"docs/where.md: {path} does not exist"


def find_silent_packages() -> Iterator[str]:
    """Every package says in its docstring what it owns."""
    for folder in {path.parent for path in SOURCE.rglob("*.py")}:
        init = folder / "__init__.py"
        if folder.name != "migrations" and not (init.exists() and ast.get_docstring(ast.parse(init.read_text()))):
            yield f"{init.relative_to(ROOT)}: does not say what the package owns"


def find_untranslated_terms() -> Iterator[str]:
    """Every row of the glossary's tables has its term in English and in Chinese."""
    glossary = ROOT / "docs" / "glossary.md"
    rows = [line for line in glossary.read_text().splitlines() if line.startswith("|")] if glossary.exists() else []
    for row in rows:
        english, chinese = [cell.strip() for cell in row.strip("|").split("|")][:2]
        is_ruler = set(english) <= set("-: ")
        is_heading = english in {"English", "Term"}
        if not is_ruler and not is_heading and not (LATIN.search(english) and CHINESE.search(chinese)):
            yield f"docs/glossary.md: `{english}` lacks its English or its Chinese"


def find_uncounted_invariants() -> Iterator[str]:
    """docs/invariants.md has one row for each invariant that tests name, and counts those tests by file."""
    table = ROOT / "docs" / "invariants.md"
    counts: dict[str, Counter[str]] = defaultdict(Counter)
    for path in sorted((ROOT / "tests").rglob("test_*.py")):
        for names in INVARIANT_TEST.findall(path.read_text()):
            for name in filter(None, names.upper().split("_")):
                counts[name][path.relative_to(ROOT / "tests").as_posix()] += 1
    rows = INVARIANT_ROW.findall(table.read_text()) if table.exists() else []
    for name, number in Counter(name for name, _ in rows).items():
        if number > 1:
            yield f"docs/invariants.md: {name} has {number} rows"
    for name in sorted({*counts, *dict(rows)} - {""}):
        files = ", ".join(f"`{file}`" + (f" ({n})" if n > 1 else "") for file, n in sorted(counts[name].items()))
        if dict(rows).get(name) != files:
            yield f"docs/invariants.md: the tests of {name} are {files or 'none'}"


def find_private_facts(path: Path) -> Iterator[str]:
    """Nothing that is published names a machine's folders or a package host."""
    try:
        text = path.read_text()
    except UnicodeDecodeError:
        return
    for number, line in enumerate(text.splitlines(), 1):
        for what, pattern in PRIVATE.items():
            if found := pattern.search(line):
                yield f"{path.relative_to(ROOT)}:{number}: names {what} ({found[0]})"


def main() -> int:
    """Run every check."""
    files = tracked_files()
    findings = [
        *find_missing_documents(),
        *(finding for path in files if path.suffix == ".md" for finding in find_broken_links(path)),
        *find_stale_paths(),
        *find_silent_packages(),
        *find_untranslated_terms(),
        *find_uncounted_invariants(),
        *(finding for path in files for finding in find_private_facts(path)),
    ]
    print("\n".join(sorted(findings)) or f"The documents are in order ({len(files)} files read).")  # noqa: T201
    return 1 if findings else 0


if __name__ == "__main__":
    sys.exit(main())
