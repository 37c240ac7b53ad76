from dataclasses import dataclass

import pytest
from tests.desk import MONDAY, SYSTEM, Desk, noon

from reefpoint.decisions.credit.services import decide_on
from reefpoint.decisions.credit.types import CreditAsk, DecisionView, ScoreInput, ScoreReason
from reefpoint.decisions.kyc.services import review_client
from reefpoint.decisions.kyc.types import Rating
from reefpoint.decisions.screening.services import screen_client
from reefpoint.platform.access.models import User
from reefpoint.platform.access.services import actor_for, create_user
from reefpoint.platform.access.types import RoleName
from reefpoint.platform.basics.actors import Actor
from reefpoint.records.parties.services import record_profile
from reefpoint.records.parties.types import ClientKind, ProfileDraft

AT = noon(MONDAY)
REASONS = (
    ScoreReason("leverage", "Owes much already", "负债较高", 30),
    ScoreReason("history", "Short history", "历史较短", 10),
)


def score(grade: str | None, points: int | None = 500) -> ScoreInput:
    return ScoreInput(
        id=1, model="margin", model_version=1, points=points, grade=grade, is_expert=True, reasons=REASONS
    )


def person(name: str, role: RoleName) -> Actor:
    user_id = create_user(actor=SYSTEM, email=f"{name}@desk.test", name=name, password=None, roles=[role], at=AT)
    return actor_for(User.objects.get(id=user_id))


@dataclass
class CreditDesk:
    """A desk whose healthy client has a complete file, with two credit officers and a senior."""

    desk: Desk
    officer: Actor
    second: Actor
    senior: Actor
    client: int

    def ask(self, limit_minor: int = 200_000_00, scheme: str = "STANDARD", **shares: int) -> CreditAsk:
        held = shares or {"AAPL": 5_000, "JPM": 5_000}
        return CreditAsk(
            scheme, limit_minor, "USD", tuple((self.desk.instruments[name], many) for name, many in held.items())
        )

    def decide(
        self, grade: str | None = "A", *, ask: CreditAsk | None = None, client: int | None = None
    ) -> DecisionView:
        return decide_on(
            actor=self.officer,
            client_id=client or self.client,
            ask=ask or self.ask(),
            features=None,
            score=score(grade) if grade else None,
            on=MONDAY,
            at=AT,
        )


def make_credit_desk(desk: Desk) -> CreditDesk:
    profile = ProfileDraft(
        kind=ClientKind.INDIVIDUAL, name="Hale", trading_years=8, liquid_assets_minor=500_000_00, currency="USD"
    )
    record_profile(actor=SYSTEM, client_id=desk.healthy_client, draft=profile, reason="a file", at=AT)
    screen_client(actor=SYSTEM, client_id=desk.healthy_client, at=AT)
    review_client(
        actor=SYSTEM, client_id=desk.healthy_client, rating=Rating.STANDARD, note="looked at", on=MONDAY, at=AT
    )
    desk.drain()
    return CreditDesk(
        desk,
        person("officer", RoleName.CREDIT_OFFICER),
        person("second", RoleName.CREDIT_OFFICER),
        desk.approver,
        desk.healthy_client,
    )


@pytest.fixture
def credit(desk: Desk) -> CreditDesk:
    return make_credit_desk(desk)


@pytest.fixture
def live_credit(live_desk: Desk) -> CreditDesk:
    return make_credit_desk(live_desk)
