import pytest
from tests.records.rails import RailsDesk, make_rails_desk


@pytest.fixture
def desk(db: None) -> RailsDesk:
    """Two accounts, three names, and a broker that holds 10,000 shares of each."""
    return make_rails_desk()
