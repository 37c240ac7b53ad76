"""Identifiers: what is wrong with a number by code, and what a good one says about its holder."""

from datetime import date

import pytest

from reefpoint.platform.basics.identifiers import SENTENCES, read_identifier

TODAY = date(2026, 1, 5)


def codes(kind: str, number: str, birth_on: date | None = None, expires_on: date | None = None) -> list[str]:
    reading = read_identifier(kind, number, on=TODAY, birth_on=birth_on, expires_on=expires_on)
    assert all(problem.message == SENTENCES[problem.code] for problem in reading.problems)
    assert not number or number not in repr(reading)
    return [problem.code for problem in reading.problems]


def test_a_resident_id_tells_the_day_of_birth_and_the_place() -> None:
    reading = read_identifier("cn.ric", "360426 19910101 0071", on=TODAY, birth_on=date(1991, 1, 1))
    assert reading.is_valid
    assert (reading.number, reading.birth_on, reading.region) == (
        "360426199101010071",
        date(1991, 1, 1),
        "江西省德安县",
    )


@pytest.mark.parametrize(
    ("number", "problems"),
    [
        ("11010519491231002X", []),
        ("11010519491231002x", []),
        ("110105194912310021", ["wrong_check_digit"]),
        ("110105194913210027", ["wrong_check_digit"]),
        ("440301199902300017", ["impossible_date"]),
        ("990301199902280017", ["unknown_region"]),
        ("44030120270228001X", ["not_yet_issued"]),
        ("11010519491231002", ["wrong_length"]),
        ("1101051949123100AX", ["wrong_characters"]),
        ("１１０１０５１９４９１２３１００２X", ["wrong_characters"]),
        ("", ["wrong_length"]),
        ("1" * 10_000, ["wrong_length"]),
        ("'; DROP TABLE", ["wrong_length"]),
    ],
)
def test_a_resident_id_is_refused_with_what_is_wrong(number: str, problems: list[str]) -> None:
    assert codes("cn.ric", number) == problems


def test_a_resident_id_of_another_birthday_is_somebody_elses() -> None:
    assert codes("cn.ric", "11010519491231002X", birth_on=date(1949, 12, 31)) == []
    assert codes("cn.ric", "11010519491231002X", birth_on=date(1949, 12, 30)) == ["birth_date_differs"]


def test_an_expired_document_is_told_beside_what_else_is_wrong() -> None:
    assert codes("cn.ric", "11010519491231002X", expires_on=TODAY) == []
    assert codes("cn.ric", "110105194912310021", expires_on=date(2026, 1, 4)) == ["wrong_check_digit", "expired"]


@pytest.mark.parametrize(
    ("kind", "number", "problems"),
    [
        ("cn.uscc", "91110000600037341L", []),
        ("cn.uscc", "9 1 110000 600037341L", []),
        ("cn.uscc", "91110000600037341K", ["wrong_check_digit"]),
        ("cn.uscc", "91110000600037341", ["wrong_length"]),
        ("cn.uscc", "A1110000600037341L", ["wrong_characters"]),
        ("lei", "213800KUD8LAJWSQ9D15", []),
        ("lei", "213800KUD8LAJWSQ9D51", ["wrong_check_digit"]),
        ("lei", "213800KUD8LAJWSQ9D1", ["wrong_length"]),
        ("hk.hkid", "A123456(3)", []),
        ("hk.hkid", "ab 987654 3", []),
        ("hk.hkid", "A123456(4)", ["wrong_check_digit"]),
        ("hk.hkid", "A12345(3)", ["wrong_characters"]),
        ("us.ein", "91-1144442", []),
        ("us.ein", "07-1144442", ["unknown_region"]),
        ("us.ein", "911-14-4442", ["wrong_characters"]),
        ("us.ssn", "536-90-4399", []),
        ("us.ssn", "912-90-3456", []),
        ("us.ssn", "000-12-3456", ["unknown_region"]),
        ("passport", "E12345678", []),
        ("passport", "E1", ["wrong_length"]),
        ("passport", "=cmd|calc", ["wrong_characters"]),
        ("other", "Reg. 12/34-B", []),
        ("dog.licence", "12345678", ["kind_unknown"]),
    ],
)
def test_other_identifiers_are_checked_by_their_own_rules(kind: str, number: str, problems: list[str]) -> None:
    assert codes(kind, number) == problems
