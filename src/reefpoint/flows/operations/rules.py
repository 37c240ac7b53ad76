"""Rules of the desk's day, and how the cast of a replay behaves."""

import random
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from reefpoint.flows.operations.types import StepName

DAY_STEPS: tuple[StepName, ...] = tuple(StepName)
INTEREST_STEPS = (StepName.ACCRUE_INTEREST, StepName.ACCRUE_FUNDING, StepName.COLLECT_INTEREST)
STEP_GROUPS: tuple[tuple[StepName, ...], ...] = (
    (StepName.END_ORDERS,),
    (StepName.SETTLE_TRADES,),
    INTEREST_STEPS,
    (StepName.SNAPSHOT_MARGIN,),
    (StepName.RECONCILE_BANK,),
    (StepName.RECONCILE_BROKER,),
    (StepName.SEAL,),
    (StepName.CLOSE_DAY,),
)
"""Steps that are committed together. Nobody is called for interest that is taken from its cash a moment later."""


class Temper(StrEnum):
    """How a client of the cast answers a margin call."""

    PROMPT = "prompt"
    LATE = "late"
    HALF = "half"
    SELLS = "sells"
    SILENT = "silent"


TEMPER_WEIGHTS = {Temper.PROMPT: 30, Temper.LATE: 15, Temper.HALF: 15, Temper.SELLS: 15, Temper.SILENT: 25}


@dataclass(frozen=True)
class Answer:
    """What a client does today about a call: pay part of the amount (percent), or sell to raise all of it."""

    pays_pct: int = 0
    sells: bool = False


def temper_of(seed: int, client_number: str) -> Temper:
    """The same client has the same temper in every replay with the same seed."""
    draw = random.Random(f"{seed}:{client_number}")  # noqa: S311 - a cast, not a secret
    return draw.choices(list(TEMPER_WEIGHTS), list(TEMPER_WEIGHTS.values()))[0]


def answer_call(temper: Temper, *, opened_on: date, deadline_on: date, on: date) -> Answer:
    """What a client of this temper does on `on` about a call opened on `opened_on`."""
    is_next_day = opened_on < on and (on - opened_on).days <= 4
    match temper:
        case Temper.PROMPT if is_next_day:
            return Answer(pays_pct=100)
        case Temper.LATE if on == deadline_on:
            return Answer(pays_pct=100)
        case Temper.HALF if is_next_day:
            return Answer(pays_pct=50)
        case Temper.SELLS if is_next_day:
            return Answer(sells=True)
    return Answer()
