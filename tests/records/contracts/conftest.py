"""The cast of the contracts' tests."""

import pytest
from tests.records.contracts.cases import Cast, make_cast


@pytest.fixture
def people(db: None) -> Cast:
    """Who makes, signs and publishes, under a licence."""
    return make_cast()
