"""What credit tells."""

from reefpoint.decisions.credit.selectors.conditions import ConditionNotFound, list_decision_standings
from reefpoint.decisions.credit.selectors.decisions import (
    DecisionErased,
    DecisionNotFound,
    count_erased_decisions,
    find_decisions,
    get_decision,
    list_decisions,
    load_credit_facts,
    preview_policy,
    read_decision,
    replay_decision,
    standing_decision,
    verify_credit,
)
from reefpoint.decisions.credit.selectors.policy import POLICY, read_policy

__all__ = [
    "POLICY",
    "ConditionNotFound",
    "DecisionErased",
    "DecisionNotFound",
    "count_erased_decisions",
    "find_decisions",
    "get_decision",
    "list_decision_standings",
    "list_decisions",
    "load_credit_facts",
    "preview_policy",
    "read_decision",
    "read_policy",
    "replay_decision",
    "standing_decision",
    "verify_credit",
]
