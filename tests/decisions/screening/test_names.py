"""Names that must meet, and names that must not."""

from datetime import date

import pytest

from reefpoint.decisions.screening.rules.hits import HIT_BP, compare_births, compare_countries, is_hit
from reefpoint.decisions.screening.rules.names import name_forms, readings_of
from reefpoint.decisions.screening.rules.scores import quick_score
from reefpoint.decisions.screening.selectors import best_score
from reefpoint.decisions.screening.types import Basis, Evidence, PartKind


def score_bp(ours: str, theirs: str) -> int:
    found = best_score(ours, theirs)
    return found.score_bp if found else 0


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        ("李明", "Li Ming"),
        ("陳大文", "陈大文"),
        ("陳大文", "Chen Dawen"),
        ("李明", "Ming Li"),
        ("Lǐ Míng", "李明"),
        ("li3 ming2", "李明"),
        ("LI, Ming", "李明"),
        ("Xi'an Zhang", "Zhang Xian"),
        ("单雄信", "Shan Xiongxin"),
        ("单雄信", "Dan Xiong-Xin"),
        ("仇英", "Qiu Ying"),
        ("曾國藩", "Zeng Guofan"),
        ("欧阳修", "Ouyang Xiu"),
        ("乐嘉", "Yue Jia"),
        ("尉遲恭", "Yuchi Gong"),
        ("吕小波", "LYU Xiaobo"),
        ("吕小波", "Lv Xiaobo"),
        ("珊瑚海峽貿易有限公司", "珊瑚海峡贸易"),
        ("Vladimir Ivanov", "Владимир Иванов"),
        ("Coral Straits Co. Ltd", "CORAL STRAITS COMPANY LIMITED"),
        ("Søren Ødegård", "Soren Odegard"),
        ("Dr. Ana María O'Neill", "Ana Maria ONeill"),
    ],
)
def test_the_same_name_written_otherwise_is_the_same_name(ours: str, theirs: str) -> None:
    assert score_bp(ours, theirs) == score_bp(theirs, ours) == 10_000


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        ("Mohammed al-Rashid", "Muhammad Rashid"),
        ("Abd ul Rahman Hasan", "Abdulrahman Hassan"),
        ("John Robert Smith", "John Smith"),
        ("J. Smith", "John Smith"),
        ("Smiht John", "John Smith"),
        ("Arkady Zimenko", "Arkadij Petrovich Zimenko"),
        ("Zang Xiaoming", "张晓明"),
        ("李明", "黎明"),
        ("文大陈", "陈大文"),
    ],
)
def test_a_name_with_slips_is_worth_a_look(ours: str, theirs: str) -> None:
    assert HIT_BP <= score_bp(ours, theirs) < 10_000


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        ("李明", "李娜"),
        ("Li Ming", "Li Ning"),
        ("Zhang Wei", "Zhang Xiaowei"),
        ("Zhang Wei", "Wang Wei"),
        ("Adam Ashford", "Alan Ashford"),
        ("John Smith", "John Brown"),
        ("Li", "Li Ming"),
        ("Wang Xiaoming", "Ming Xiaowang"),
        ("Mohammed Hassan", "Mohammed Rashid"),
    ],
)
def test_another_name_is_no_hit(ours: str, theirs: str) -> None:
    assert score_bp(ours, theirs) < HIT_BP


def test_a_match_says_which_parts_met_and_how() -> None:
    score = best_score("Mohamed bin Rashid K.", "Mohammed Rashid Khalidi")
    assert score is not None
    assert score.basis is Basis.SPELLING
    assert {(part.ours, part.theirs, part.kind) for part in score.parts} == {
        ("mohamed", "mohammed", PartKind.SIMILAR),
        ("rashid", "rashid", PartKind.EXACT),
        ("k", "khalidi", PartKind.INITIAL),
        ("bin", "", PartKind.MISSING),
    }


def test_characters_that_sound_alike_are_told_from_the_same_characters() -> None:
    homophone, same = best_score("李明", "黎明"), best_score("李明", "李明")
    assert homophone is not None
    assert same is not None
    assert (homophone.basis, same.basis) == (Basis.SOUND, Basis.WRITTEN)


def test_the_quick_score_of_a_search_is_the_score_with_parts() -> None:
    pairs = [("李明", "黎明"), ("Li Ming", "李明"), ("Abd ul Rahman", "Abdulrahman"), ("John R Smith", "Jon Smith")]
    for ours, theirs in pairs:
        quick = max(
            quick_score(one, tuple(key.latin.split()), key.hanzi)
            for one in name_forms(ours)
            for other in name_forms(theirs)
            for key in other.keys
        )
        assert quick == score_bp(ours, theirs)


def test_a_surname_is_read_as_a_surname_first() -> None:
    assert readings_of("单雄信")[0] == ("shan", "xiong", "xin")
    assert ("dan", "xiong", "xin") in readings_of("单雄信")


def test_names_in_scripts_that_are_not_read_have_no_form() -> None:
    assert name_forms("محمد") == []
    assert name_forms("  ...  ") == []


@pytest.mark.parametrize("text", ["\x00" * 50, "a" * 100_000, "李" * 5_000, "\u202egnimiL", "🦈" * 300, "(((" * 500])
def test_i69_no_text_makes_folding_slow_or_fail(text: str) -> None:
    for form in name_forms(text):
        assert len(form.tokens) <= 12


@pytest.mark.parametrize(
    ("theirs", "said"),
    [
        (("1971-03-12",), Evidence.SAME),
        (("1971",), Evidence.SAME),
        (("1971-12-03",), Evidence.NEAR),
        (("1972-05-01",), Evidence.NEAR),
        (("1980", "1971-03"), Evidence.SAME),
        (("1980",), Evidence.DIFFERENT),
        ((), Evidence.UNKNOWN),
    ],
)
def test_a_date_of_birth_is_evidence_of_its_own(theirs: tuple[str, ...], said: Evidence) -> None:
    assert compare_births(date(1971, 3, 12), theirs) is said
    assert compare_births(None, theirs) is Evidence.UNKNOWN


def test_birth_moves_the_bar_and_never_decides_alone() -> None:
    assert is_hit(7_500, Evidence.SAME)
    assert not is_hit(7_500, Evidence.UNKNOWN)
    assert not is_hit(9_000, Evidence.DIFFERENT)
    assert is_hit(10_000, Evidence.DIFFERENT)
    assert not is_hit(6_000, Evidence.SAME)
    assert compare_countries(["cn", "hk"], ["HK"]) is Evidence.SAME
    assert compare_countries([], ["hk"]) is Evidence.UNKNOWN
