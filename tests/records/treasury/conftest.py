import pytest
from tests.records.rails import RailsDesk, make_rails_desk


@pytest.fixture
def desk(db: None) -> RailsDesk:
    """Two accounts with their ledger accounts."""
    return make_rails_desk()
