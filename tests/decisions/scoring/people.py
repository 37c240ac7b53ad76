"""What the tests of scoring say of the near client."""

from tests.desk import MONDAY, SYSTEM, Desk, noon

from reefpoint.decisions.scoring.services import build_features
from reefpoint.records.parties.services.profiles import record_profile
from reefpoint.records.parties.types import ClientKind, ProfileDraft

AT = noon(MONDAY)


def tell(desk: Desk, **said: object) -> None:
    """The near client says something of themselves."""
    draft = ProfileDraft(kind=ClientKind.INDIVIDUAL, name="Near", **said)  # type: ignore[arg-type]
    record_profile(actor=SYSTEM, client_id=desk.near_client, draft=draft, reason="said so", at=AT)


WEALTHY = {
    "annual_income_minor": 250_000_00,
    "liquid_assets_minor": 1_000_000_00,
    "net_worth_minor": 3_000_000_00,
    "trading_years": 10,
    "trades_per_year": 40,
}


def build(desk: Desk, **more: object) -> int:
    return build_features(actor=SYSTEM, client_id=desk.near_client, on=MONDAY, at=AT, **more)  # type: ignore[arg-type]
