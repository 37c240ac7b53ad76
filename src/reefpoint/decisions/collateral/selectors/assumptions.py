"""What the model of haircuts and gap loss assumes where it has no data, said with every figure."""

from reefpoint.platform.basics.errors import Refusal

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

ASSUMPTIONS = (
    "Daily volumes are the instruments' assumed ones where the listing has none on record.",
    f"The spread is {SPREAD:.2%} for every name; where the shares issued are not known, no part for a share of them.",
    "No least haircut by law in the model: law is a part of its own, beside it.",
    "Daily price limits are those of the listing on record; a listing without one has none.",
    f"Each name falls by {-JUMP_SIZE:.0%} more on a day in {1 / JUMP_CHANCE:.0f}, alone and without warning.",
    f"A suspended name stays so for {SUSPENDED_DAYS} days, then resumes with a chance of {RESUME_CHANCE:.0%} a day.",
    "The market's days are those of the window, scaled up to today's volatility and drawn one by one.",
)


class NotEnoughHistory(Refusal):
    """No name has closes enough to measure anything by."""

    code = "not_enough_history"


class RunRefused(Refusal):
    """A run that cannot be. The sentence says what is wrong with it."""

    code = "run_refused"
