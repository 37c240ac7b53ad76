"""One file per broker. The paper broker is the one there is."""

from reefpoint.records.execution.adapters.paper_broker import PaperBroker
from reefpoint.records.execution.types import Broker


def desk_broker() -> Broker:
    """The broker through whom the desk trades."""
    return PaperBroker()
