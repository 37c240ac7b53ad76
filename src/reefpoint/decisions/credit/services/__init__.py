"""What can be done about credit decisions."""

from reefpoint.decisions.credit.services.conditions import WaiverRefused, follow_waiver, request_waiver
from reefpoint.decisions.credit.services.decisions import (
    DecisionAlreadyMade,
    DecisionExpired,
    DecisionSuperseded,
    ReasonForDecisionNeeded,
    ScoreRefused,
    approve_decision,
    decide,
    decide_on,
    decline_decision,
    follow_approval,
    propose_decision,
    return_decision,
)

__all__ = [
    "DecisionAlreadyMade",
    "DecisionExpired",
    "DecisionSuperseded",
    "ReasonForDecisionNeeded",
    "ScoreRefused",
    "WaiverRefused",
    "approve_decision",
    "decide",
    "decide_on",
    "decline_decision",
    "follow_approval",
    "follow_waiver",
    "propose_decision",
    "request_waiver",
    "return_decision",
]
