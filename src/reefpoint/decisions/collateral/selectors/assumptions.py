"""What the model of haircuts and gap loss assumes where it has no data, said with every figure."""

from reefpoint.platform.basics.errors import Refusal
from reefpoint.platform.basics.sentences import Sentence

WINDOW_SESSIONS = 500
"""Sessions of closes that volatilities are taken from: two years."""
PATHS = 10_000
DAYS, GRACE_DAYS = 8, 2
SPREAD = 0.0010
"""Bid to ask, as a fraction of the price: twice the paper broker's slippage of 5 bp."""
JUMP_CHANCE, JUMP_SIZE = 1 / 250, -0.10
"""A sudden fall of a tenth of one name alone, once a year."""
SUSPENDED_DAYS, RESUME_CHANCE = 3, 0.2
"""A name that is suspended today stays so for three days at least, five more on average."""

_ASSUMED = (
    Sentence(
        "A name trades as many shares a day as its listing says; where none are on record, as many as are assumed."
    ),
    Sentence(
        "Buying and selling prices lie {spread} apart for every name. Where it is not known how many shares are "
        "issued, nothing is added for holding a large part of them.",
        {"spread": f"{SPREAD:.2%}"},
    ),
    Sentence("The model asks no haircut because of a law: what law asks stands beside it, as a part of its own."),
    Sentence("Daily price limits are those on record for the listing; without one, a price may move freely."),
    Sentence(
        "On one day in {days}, each name falls by a further {fall}, alone and without warning.",
        {"days": f"{1 / JUMP_CHANCE:.0f}", "fall": f"{-JUMP_SIZE:.0%}"},
    ),
    Sentence(
        "A suspended name stays suspended for {days} days; after that it resumes on any day with a chance of {chance}.",
        {"days": SUSPENDED_DAYS, "chance": f"{RESUME_CHANCE:.0%}"},
    ),
    Sentence(
        "Days of the market are drawn one by one from those of the last {sessions} sessions, made as volatile as the "
        "market is today.",
        {"sessions": WINDOW_SESSIONS},
    ),
)
ASSUMPTIONS = tuple(str(one) for one in _ASSUMED)
"""In English, as records keep them; a surface says them in its reader's language."""


class NotEnoughHistory(Refusal):
    """No name has closes enough to measure anything by."""

    code = "not_enough_history"


class RunRefused(Refusal):
    """A run that cannot be. The sentence says what is wrong with it."""

    code = "run_refused"
