import pytest
from tests.desk import Desk, make_desk


@pytest.fixture
def desk(db: None) -> Desk:
    """A small desk inside the test's own transaction."""
    return make_desk()
