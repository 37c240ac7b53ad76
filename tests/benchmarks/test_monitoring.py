"""The work of the monitoring benchmark: alerts that a peer agrees with."""

import pytest

from reefpoint.benchmarks.monitoring import IN_SQL, _in_sql, draw_work
from reefpoint.benchmarks.peers import is_installed


def test_the_drawn_year_is_the_same_each_time_and_most_kinds_of_rules_find_something_in_it() -> None:
    first, again = draw_work(20_000).fired(), draw_work(20_000).fired()
    assert [rows.tolist() for _, rows in first] == [rows.tolist() for _, rows in again]
    assert sum(len(rows) > 0 for _, rows in first) >= 12


@pytest.mark.skipif(not is_installed("DuckDB"), reason="DuckDB is not installed")
def test_sql_windows_raise_the_same_alerts() -> None:
    work = draw_work(20_000)
    assert sum(len(rows) > 0 for _, rows in work.fired(IN_SQL)) >= 2
    assert _in_sql(work, 20_000, 7).facts["Alerts"] == "equal, row by row"
