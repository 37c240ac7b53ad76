"""Facts of loans drawn and repaid."""

from collections.abc import Sequence

import numpy as np

from reefpoint.decisions.monitoring.rules.expressions import Kind
from reefpoint.decisions.monitoring.rules.facts.sheet import Fact, plain, total_of
from reefpoint.decisions.monitoring.types import ActivityKind

LENDING: Sequence[Fact] = (
    Fact(
        "drawn_5s_minor",
        Kind.NUMBER,
        "money",
        "drawn down, this session and 5 before",
        "本交易日及前5日提款",
        plain(total_of(ActivityKind.DRAWDOWN, sessions=5)),
    ),
    Fact(
        "bought_5s_minor",
        Kind.NUMBER,
        "money",
        "bought, this session and 5 before",
        "本交易日及前5日买入",
        plain(total_of(ActivityKind.BUY, sessions=5)),
    ),
    Fact(
        "drawn_30d_minor",
        Kind.NUMBER,
        "money",
        "drawn down over 30 days",
        "30日内提款",
        plain(total_of(ActivityKind.DRAWDOWN, days=30)),
    ),
    Fact(
        "repaid_30d_minor",
        Kind.NUMBER,
        "money",
        "repaid over 30 days",
        "30日内还款",
        plain(total_of(ActivityKind.REPAYMENT, days=30)),
    ),
    Fact(
        "unverified_in_30d_minor",
        Kind.NUMBER,
        "money",
        "cash in over 30 days from accounts that are not verified as the client's",
        "30日内来自未核实账户的入金",
        plain(
            lambda s: s.days(np.where(s.is_kind(ActivityKind.DEPOSIT) & (s.rows.verified != 1), s.rows.amount, 0), 30)
        ),
    ),
)
