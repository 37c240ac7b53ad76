"""Credit: a decision and a quote from facts at hand to the text that is kept, and a whole book priced at once.

No database takes part: what is measured is the policy and the grid. Gathering the facts and writing the row cost more.
"""

from collections.abc import Callable
from datetime import date
from time import perf_counter, process_time

import numpy as np

from reefpoint.benchmarks.results import Line, Machine, Table, Timing
from reefpoint.decisions.credit import rules as credit
from reefpoint.decisions.credit.adapters.shipped import read_shipped_policy
from reefpoint.decisions.credit.types import GRADES, CreditAsk, CreditInputs, ScoreInput, ScoreReason
from reefpoint.decisions.pricing import rules as pricing
from reefpoint.decisions.pricing.adapters.shipped import read_shipped_grid
from reefpoint.decisions.pricing.types import PriceInputs

OURS = "Reefpoint"
CASES = 200
SEED = 11


def measure_credit(accounts: int, rounds: int, machine: Machine) -> list[Table]:
    """Decisions and quotes one by one, and `accounts` loans priced in columns; medians over the rounds."""
    del machine
    policy, grid = credit.read_policy(read_shipped_policy()), pricing.read_grid(read_shipped_grid())
    cases = [_case(number) for number in range(CASES)]
    quotes = [_quote(number) for number in range(CASES)]
    stored = [credit.inputs_to_json(case) for case in cases]

    def decide() -> list[str]:
        return [credit.answer_text(credit.assess(policy, case)) for case in cases]

    def replay() -> list[str]:
        return [credit.answer_text(credit.assess(policy, credit.inputs_from_json(one))) for one in stored]

    def tell() -> list[str]:
        return [pricing.answer_text(pricing.price(grid, one)) for one in quotes]

    if decide() != replay():
        raise AssertionError("a decision that is timed does not replay")
    columns, base = _book(accounts)
    timings = {
        "Decision, from facts to the text that is kept": _time(decide, rounds, CASES),
        "Decision replayed from what was stored": _time(replay, rounds, CASES),
        "Quote, from facts to the text that is kept": _time(tell, rounds, CASES),
    }
    book = _time(lambda: pricing.price_columns(grid, columns, base), rounds, 1)
    a_second = {name: 1 / timing.cpu_s for name, timing in timings.items()}
    decided, _replayed, told = a_second.values()
    table = Table(
        "credit",
        "Credit decisions and quotes",
        accounts,
        0,
        "one decision, replay or quote",
        tuple(Line(name, OURS, timing) for name, timing in timings.items()),
        facts={
            "On one thread": ", ".join(f"{name.lower()}: {rate:,.0f} a second" for name, rate in a_second.items()),
            f"{accounts:,} loans priced at once": f"{book.cpu_s * 1_000:.1f} ms of CPU",
            "Without": "the database: gathering the facts of a client and writing the row come on top",
        },
    )
    return [table.with_figures({"credit.decisions_a_second": decided, "credit.quotes_a_second": told})]


def _case(number: int) -> CreditInputs:
    rng = np.random.default_rng([SEED, number])
    grade = GRADES[int(rng.integers(len(GRADES)))]
    return CreditInputs(
        on=date(2019, 11, 25),
        ask=CreditAsk("STANDARD", int(rng.integers(1, 900_000)) * 100, "USD", ((1, 500), (2, 500))),
        scheme_version_id=1,
        scheme_limit_minor=100_000_000,
        pledged=(),
        lendable_minor=int(rng.integers(10**6, 10**8)),
        liquid_assets_minor=int(rng.integers(10**6, 10**8)),
        group_room_minor=None,
        facts={
            "client_status": "active",
            "is_licensed": True,
            "file": "complete",
            "kyc_rating": "standard",
            "suitability": "suitable",
            "grade": grade if number % 50 else None,
            "trading_years": int(rng.integers(0, 20)),
            "concentration_bp": int(rng.integers(500, 10_001)),
            "segment": "retail",
            "tier": int(rng.integers(1, 4)),
        },
        score=ScoreInput(number, "margin", 1, 500, grade, True, (ScoreReason("debts", "Debts", "负债", 30),)),
        standings={},
    )


def _quote(number: int) -> PriceInputs:
    rng = np.random.default_rng([SEED, number])
    facts = {
        "grade": GRADES[int(rng.integers(len(GRADES)))],
        "volatility_bp": int(rng.integers(1_000, 8_000)) if number % 50 else None,
        "tenor_days": int(rng.integers(1, 366)),
        "concentration_bp": int(rng.integers(500, 10_001)),
        "segment": "retail",
    }
    return PriceInputs(200, "pools:MAIN", 300, 1_200, "US", facts)


def _book(loans: int) -> tuple[dict[str, pricing.Int64s], pricing.Int64s]:
    rng = np.random.default_rng(SEED)
    columns = {
        "grade": rng.integers(-1, 5, loans),
        "volatility_bp": rng.integers(1_000, 8_000, loans),
        "tenor_days": rng.integers(1, 366, loans),
        "concentration_bp": rng.integers(500, 10_001, loans),
        "segment": rng.integers(0, 3, loans),
    }
    return columns, np.full(loans, 200, dtype=np.int64)


def _time(run: Callable[[], object], rounds: int, cases: int) -> Timing:
    """Medians of one case."""
    run()
    cpu, wall = [], []
    for _ in range(rounds):
        began_cpu, began = process_time(), perf_counter()
        run()
        cpu.append((process_time() - began_cpu) / cases)
        wall.append((perf_counter() - began) / cases)
    return Timing(float(np.median(cpu)), float(np.median(wall)), rounds)
