"""Interest: golden answers, and the same total however a period is cut."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.engine.cases import column

from reefpoint.engine.columns import BookError
from reefpoint.engine.interest import DAYS_MAX, MICRO, PRINCIPAL_MINOR_MAX, accrue, posted_minor


def accrued(principal: int, rate: int, days: int, year: int, carry: int = 0) -> tuple[int, int]:
    micro, left = accrue(column(principal), column(rate), column(days), column(year), column(carry))
    return int(micro[0]), int(left[0])


@pytest.mark.parametrize(("year", "cents"), [(360, 416_667), (365, 410_959)])
def test_cn14_thirty_days_on_a_million_at_5_percent(year: int, cents: int) -> None:
    micro, _ = accrued(1_000_000_00, 500, 30, year)
    assert posted_minor(column(0), column(micro)).tolist() == [cents]


def test_hk07_one_day_on_fifty_thousand_at_6_8_percent() -> None:
    micro, _ = accrued(50_000_00, 680, 1, 365)
    assert posted_minor(column(0), column(micro)).tolist() == [932]


loans = {
    "principal": st.integers(0, PRINCIPAL_MINOR_MAX),
    "rate": st.integers(0, 10_000),
    "year": st.sampled_from([360, 365]),
}


@given(**loans, cuts=st.lists(st.integers(0, 60), min_size=1, max_size=6))
def test_i44_any_cut_of_a_period_accrues_and_posts_the_same(
    principal: int, rate: int, year: int, cuts: list[int]
) -> None:
    whole, _ = accrued(principal, rate, sum(cuts), year)
    total, carry, posted = 0, 0, 0
    for days in cuts:
        micro, carry = accrued(principal, rate, days, year, carry)
        posted += int(posted_minor(column(total), column(total + micro))[0])
        total += micro
    assert total == whole == principal * rate * sum(cuts) * MICRO // (10_000 * year)
    assert posted == -(-whole // MICRO)


@given(**loans, days=st.integers(0, DAYS_MAX), data=st.data())
def test_interest_is_exact_up_to_the_limits(
    principal: int, rate: int, year: int, days: int, data: st.DataObject
) -> None:
    carry = data.draw(st.integers(0, year - 1))
    assert accrued(principal, rate, days, year, carry) == divmod(principal * rate * days * 100 + carry, year)


@given(parts=st.lists(st.integers(0, 10**9), min_size=2, max_size=4), days=st.integers(1, 90))
def test_i22_interest_posted_on_parts_is_never_less_than_on_the_whole(parts: list[int], days: int) -> None:
    def posted(principal: int) -> int:
        return int(posted_minor(column(0), column(accrued(principal, 777, days, 365)[0]))[0])

    assert posted(sum(parts)) <= sum(posted(part) for part in parts)


@pytest.mark.parametrize(
    ("row", "where"),
    [
        ((-1, 500, 30, 360, 0), "principal_minor[1] is -1"),
        ((PRINCIPAL_MINOR_MAX + 1, 500, 30, 360, 0), "principal_minor[1]"),
        ((1, 10_001, 30, 360, 0), "rate_bp[1] is 10001"),
        ((1, 500, 367, 360, 0), "days[1] is 367"),
        ((1, 500, 30, 0, 0), "year_days[1] is 0"),
        ((1, 500, 30, 360, 360), "carry below year_days[1]"),
    ],
)
def test_a_bad_loan_is_refused_and_named(row: tuple[int, ...], where: str) -> None:
    good = (1, 500, 30, 360, 0)
    with pytest.raises(BookError) as refusal:
        accrue(*(column(*pair) for pair in zip(good, row, strict=True)))
    assert where in str(refusal.value)


def test_floats_are_refused() -> None:
    with pytest.raises(BookError, match="rate_bp must be int64, not float64"):
        accrue(column(1), np.array([0.05]), column(1), column(360), column(0))  # type: ignore[arg-type]
