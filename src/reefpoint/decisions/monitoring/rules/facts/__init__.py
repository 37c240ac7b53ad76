"""The facts that a rule may ask for: a fixed, typed table. Each is a column over activities, as of each row's time.

`FACTS` names every fact with its unit and what it is; an expression that names anything else is refused. Windows are
part of a fact (`in_7d_minor`: 7 days, `out_3s_minor`: this session and the 3 before it); figures that a person may
want to change are parameters of the rule, and a fact that needs some says which (`parameters`).
"""

from collections.abc import Mapping

from reefpoint.decisions.monitoring.rules.facts.activity import ACTIVITY
from reefpoint.decisions.monitoring.rules.facts.cash import CASH
from reefpoint.decisions.monitoring.rules.facts.instructions import INSTRUCTIONS
from reefpoint.decisions.monitoring.rules.facts.lending import LENDING
from reefpoint.decisions.monitoring.rules.facts.shares import SHARES
from reefpoint.decisions.monitoring.rules.facts.sheet import Fact
from reefpoint.decisions.monitoring.rules.facts.trading import TRADING

FACTS: Mapping[str, Fact] = {fact.name: fact for fact in (*ACTIVITY, *CASH, *LENDING, *SHARES, *TRADING, *INSTRUCTIONS)}
