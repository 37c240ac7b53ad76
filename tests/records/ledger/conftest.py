"""A small chart of accounts."""

import pytest
from tests.records.ledger.books import open_chart


@pytest.fixture
def chart(db: None) -> None:
    open_chart()
