"""National and company identifiers: whether a number can be one, and what it says about its holder.

Check digits, regions and prefixes come from python-stdnum; lengths are checked here as well, since not every module of
it does. That a number is well formed proves nothing about who shows it: the document does.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date

from stdnum import lei
from stdnum.cn import ric, uscc
from stdnum.exceptions import InvalidChecksum, InvalidComponent, InvalidFormat, InvalidLength, ValidationError
from stdnum.us import ein, itin, ssn

NUMBER_CHARS_MAX = 60

SENTENCES: Mapping[str, str] = {
    "wrong_length": "This number has too few or too many characters.",
    "wrong_characters": "This number has characters that such a number cannot have.",
    "wrong_check_digit": "The check digit does not fit: one character is mistyped, or two are swapped.",
    "unknown_region": "No region or office has the code in this number, or had it at the time.",
    "impossible_date": "The date of birth in this number is no date.",
    "birth_date_differs": "The date of birth in this number is not the one that was given.",
    "not_yet_issued": "The date of birth in this number lies in the future.",
    "expired": "This document has expired.",
    "kind_unknown": "This kind of identifier cannot be checked.",
}
"""What each problem says to a reader; surfaces translate it by its code."""


@dataclass(frozen=True)
class IdentifierProblem:
    """What is wrong with an identifier. It never repeats the number."""

    code: str

    @property
    def message(self) -> str:
        return SENTENCES[self.code]


@dataclass(frozen=True)
class IdentifierReading:
    """An identifier as it was read: compact number, problems, and what the number itself says.

    The number is not in its printed form. `region` is the place of first registration in Chinese (a resident id) or
    the issuing office (an EIN).
    """

    number: str = field(repr=False)
    problems: tuple[IdentifierProblem, ...]
    birth_on: date | None = None
    region: str = ""

    @property
    def is_valid(self) -> bool:
        return not self.problems


class _Wrong(Exception):
    def __init__(self, code: str) -> None:
        self.code = code


def read_identifier(
    kind: str, number: str, *, on: date, birth_on: date | None = None, expires_on: date | None = None
) -> IdentifierReading:
    """Check one identifier on the day `on`, with every problem that it has.

    `birth_on` is the declared date of birth or None where there is none to compare; a Chinese resident id must agree
    with it. `passport` and `other` are checked for their characters alone: no public check digit covers the number
    as it is typed.
    """
    codes: list[str] = []
    compact, born, region = number.strip(), None, ""
    if len(number) > NUMBER_CHARS_MAX or not number.strip().isascii():
        codes.append("wrong_characters" if not number.strip().isascii() else "wrong_length")
    elif (reader := _READERS.get(kind)) is None:
        codes.append("kind_unknown")
    else:
        try:
            compact, born, region = reader(number.strip())
        except _Wrong as wrong:
            codes.append(wrong.code)
        except ValidationError as error:
            codes.append(_code_of(error))
    if born is not None and born > on:
        codes.append("not_yet_issued")
    elif born is not None and birth_on is not None and born != birth_on:
        codes.append("birth_date_differs")
    if expires_on is not None and expires_on < on:
        codes.append("expired")
    return IdentifierReading(compact, tuple(IdentifierProblem(code) for code in codes), born, region)


def _code_of(error: ValidationError) -> str:
    match error:
        case InvalidLength():
            return "wrong_length"
        case InvalidChecksum():
            return "wrong_check_digit"
        case InvalidComponent():
            return "unknown_region"
        case InvalidFormat():
            return "wrong_characters"
    return "wrong_characters"


Reading = tuple[str, date | None, str]


def _resident_id(number: str) -> Reading:
    compact = ric.compact(number.replace(" ", ""))
    if not re.fullmatch(r"\d{17}[\dX]", compact, re.ASCII):
        raise _Wrong("wrong_length" if len(compact) != 18 else "wrong_characters")
    if compact[-1] != ric.calc_check_digit(compact):
        raise _Wrong("wrong_check_digit")
    try:
        born = ric.get_birth_date(compact)
    except InvalidComponent:
        raise _Wrong("impossible_date") from None
    place = ric.get_birth_place(compact)
    return compact, born, "".join(dict.fromkeys((place.get("province", ""), place.get("county", ""))))


def _credit_code(number: str) -> Reading:
    return uscc.validate(number), None, ""


def _lei(number: str) -> Reading:
    compact = lei.compact(number)
    if len(compact) != 20:
        raise _Wrong("wrong_length")
    if not re.fullmatch(r"[0-9A-Z]{18}\d{2}", compact, re.ASCII):
        raise _Wrong("wrong_characters")
    return lei.validate(compact), None, ""


_HKID = re.compile(r"([A-Z]{1,2})(\d{6})\(?([0-9A])\)?", re.ASCII)


def _hong_kong_id(number: str) -> Reading:
    """A1234563 or A123456(3): eight places weighted 9 to 2, a blank first place counting 36, letters from 10 up."""
    found = _HKID.fullmatch(number.replace(" ", "").upper())
    if found is None:
        raise _Wrong("wrong_characters" if 8 <= len(number.strip()) <= 12 else "wrong_length")
    letters, digits, check = found.groups()
    places = [36] * (2 - len(letters)) + [ord(letter) - 55 for letter in letters] + [int(digit) for digit in digits]
    weighted = sum(place * weight for place, weight in zip(places, range(9, 1, -1), strict=True))
    if (weighted + int(check, 11)) % 11:
        raise _Wrong("wrong_check_digit")
    return letters + digits + check, None, ""


def _employer_number(number: str) -> Reading:
    return ein.validate(number), None, ein.get_campus(number)


def _social_security_number(number: str) -> Reading:
    try:
        return ssn.validate(number), None, ""
    except ValidationError:
        return itin.validate(number), None, ""


def _free(number: str) -> Reading:
    if not re.fullmatch(r"[0-9A-Za-z][0-9A-Za-z ./<-]{2,}", number, re.ASCII):
        raise _Wrong("wrong_characters" if len(number) >= 3 else "wrong_length")
    return number.upper(), None, ""


_READERS: Mapping[str, Callable[[str], Reading]] = {
    "cn.ric": _resident_id,
    "cn.uscc": _credit_code,
    "lei": _lei,
    "hk.hkid": _hong_kong_id,
    "us.ein": _employer_number,
    "us.ssn": _social_security_number,
    "passport": _free,
    "other": _free,
}
