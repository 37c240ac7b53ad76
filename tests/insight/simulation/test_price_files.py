"""A file of prices of one's own: what is read, and where one that cannot be read is wrong."""

from dataclasses import replace
from datetime import date

import pytest

from reefpoint.insight.simulation.rules.files import PriceFile, PriceFileRefused, read_prices
from reefpoint.insight.simulation.rules.playing import play
from reefpoint.insight.simulation.types import Suspension
from reefpoint.records.market.adapters.exchange_calendar import load_exchange_calendar
from reefpoint.records.products.selectors import load_demo_schemes

SHANGHAI = load_exchange_calendar("XSHG")
DAYS = SHANGHAI.between(date(2024, 1, 2), date(2024, 1, 12))
STANDARD = next(draft.terms for draft in load_demo_schemes() if draft.code == "STANDARD")


def read(*rows: str, heading: str = "date,600519,688981", venue: str = "XSHG") -> PriceFile:
    return read_prices("\n".join([heading, *rows]), venue, SHANGHAI)


def test_a_file_has_closes_volumes_lots_and_days_without_trading() -> None:
    file = read(
        "volume,3000000,90000000", "lot,100,200", f"{DAYS[0]},1685.01,53.2", f"{DAYS[1]},S,", f"{DAYS[2]},1690,54"
    )
    assert (file.volumes, file.lots) == ((3_000_000, 90_000_000), (100, 200))
    assert file.closes == ((16_850_100, 532_000), (0, 0), (16_900_000, 540_000))
    history = file.between(["688981", "600519"], DAYS[0], DAYS[2], "CNY")
    assert [one.symbol for one in history.instruments] == ["600519", "688981"]
    assert history.limits_bp == (1_000, 2_000)
    assert history.suspensions == (Suspension("600519", DAYS[1], DAYS[2]),)


def test_a_mainland_name_falls_to_its_limit_each_day_and_is_sold_on_the_first_day_above_it() -> None:
    """Down a tenth a day from 100.00: below 72.50 a sale is decided, and at the limit nobody buys."""
    closes = (100, 90, 81, 72.9, 65.61, 59.05, 57)
    file = read(*(f"{day},{close}" for day, close in zip(DAYS, closes, strict=False)), heading="date,600519")
    terms = replace(STANDARD, accepted_symbols=("600519",), currency="CNY", call_deadline_sessions=5)
    history = file.between(["600519"], DAYS[0], DAYS[-1], "CNY")
    run = play(terms, history, SHANGHAI, holdings={"600519": 1_000}, loan_minor=50_000_00)
    assert [day.on for day in run.days if day.held_back] == list(DAYS[1:6])
    assert {sale.on for sale in run.sales} == {DAYS[6]}


@pytest.mark.parametrize(
    ("rows", "heading", "why", "line"),
    [
        ((), "", "empty", 0),
        ((), "day,600519", "heading", 1),
        ((), "date", "heading", 1),
        ((), "date,600519,600519", "symbol", 1),
        ((), "date,=cmd()", "symbol", 1),
        ((), "date," + ",".join(f"A{n}" for n in range(31)), "too_many", 1),
        (("2024-01-02,1",), "date,A,B", "cells", 2),
        (("2024-01-32,1",), "date,A", "day", 2),
        (("2024-01-01,1",), "date,A", "no_session", 2),
        (("1980-01-02,1",), "date,A", "no_session", 2),
        (("2024-01-03,1", "2024-01-02,1"), "date,A", "order", 3),
        (("2024-01-03,1", "2024-01-03,1"), "date,A", "order", 3),
        (("2024-01-02,0",), "date,A", "price", 2),
        (("2024-01-02,-1",), "date,A", "price", 2),
        (("2024-01-02,NaN",), "date,A", "price", 2),
        (("2024-01-02,1e999999999",), "date,A", "price", 2),
        (("2024-01-02,1.00001",), "date,A", "price", 2),
        (("2024-01-02,ten",), "date,A", "price", 2),
        (("volume,many", "2024-01-02,1"), "date,A", "shares", 2),
        (("lot,0", "2024-01-02,1"), "date,A", "shares", 2),
        (('2024-01-02,"1',), "date,A", "not_csv", 0),
        (("2024-01-02," + "1" * 1_000_001,), "date,A", "too_large", 0),
    ],
)
def test_a_file_that_cannot_be_read_says_where(rows: tuple[str, ...], heading: str, why: str, line: int) -> None:
    with pytest.raises(PriceFileRefused) as refused:
        read(*rows, heading=heading)
    assert (refused.value.facts["why"], refused.value.facts["line"]) == (why, line)
