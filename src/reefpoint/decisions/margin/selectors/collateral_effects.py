"""What a change of haircuts or of the valuation of suspended names would do to the book: the engine values it twice."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import date, datetime

import numpy as np

from reefpoint.decisions.collateral.rules import apply_cuts
from reefpoint.decisions.collateral.selectors.assessments import get_assessment
from reefpoint.decisions.collateral.selectors.haircuts import haircuts_in_force
from reefpoint.decisions.collateral.selectors.house import cuts_under
from reefpoint.decisions.collateral.types import HouseRules
from reefpoint.decisions.margin.selectors.book import FIGURES, LoadedBook, load_book
from reefpoint.decisions.margin.selectors.standing import raise_haircuts, scheme_tables
from reefpoint.decisions.margin.types import Band, CollateralEffect, EffectRow, SchemeEffect
from reefpoint.engine.book import Marks
from reefpoint.engine.columns import Bools
from reefpoint.engine.valuation import value_book
from reefpoint.records.accounts.selectors.accounts import account_numbers
from reefpoint.records.products.selectors import get_version

WORST_ROWS = 20
_LENDABLE = FIGURES.index("lendable_minor")


def find_assessment_effect(assessment_id: int, *, at: datetime) -> CollateralEffect:
    """What the book would be once an assessment is wholly in force, on the prices known at `at`."""
    targets = {one.instrument_id: one.haircut_bp for one in get_assessment(assessment_id).names}
    return find_haircut_effect(targets, at=at)


def find_haircut_effect(targets: Mapping[int, int], *, at: datetime) -> CollateralEffect:
    """The same of these haircuts (bp by instrument id), beside what is in force for every other name."""
    loaded = load_book(at=at)
    sheet = loaded.sheet
    own_bp, _ = scheme_tables(tuple(sheet.terms), tuple(one.symbol for one in sheet.instruments))
    desk_bp = {**haircuts_in_force(at.date()), **targets}
    after = replace(sheet.marks, haircut_bp=raise_haircuts(own_bp, sheet.instruments, desk_bp))
    return _compare(loaded, after)


def find_house_effect(house: HouseRules, effective_from: date, *, at: datetime) -> CollateralEffect:
    """What valuing suspended names by these rules from a day on would do, on the prices known at `at`."""
    loaded = load_book(at=at)
    sheet = loaded.sheet
    raw = np.array(
        [price.price_units if (price := sheet.prices.get(one.id)) else 0 for one in sheet.instruments], dtype=np.int64
    )
    cuts = cuts_under(house, max(effective_from, at.date()))
    return _compare(
        loaded, replace(sheet.marks, price_units=apply_cuts(raw, [one.id for one in sheet.instruments], cuts))
    )


def _compare(loaded: LoadedBook, marks: Marks) -> CollateralEffect:
    record, book, lines = loaded.record, loaded.book, loaded.sheet.lines
    rows = np.arange(len(record))
    before, after = value_book(book, loaded.sheet.marks, lines), value_book(book, marks, lines)
    lendable = [record.figures_of(rows, valued)[_LENDABLE] for valued in (before, after)]
    over = [np.maximum(record.debt_minor - one, 0) for one in lendable]
    is_moved = before.band != after.band
    is_closed_out = np.asarray((before.band == Band.SAFE) & (after.band == Band.CLOSE_OUT))
    schemes = {version: get_version(version).scheme_code for version in np.unique(record.scheme_version_id).tolist()}
    codes = np.array([schemes[version] for version in record.scheme_version_id.tolist()], dtype=object)

    def one(code: str, chosen: Bools) -> SchemeEffect:
        return SchemeEffect(
            scheme_code=code,
            accounts=int(chosen.sum()),
            debt_minor=int(record.debt_minor[chosen].sum()),
            lendable_before_minor=int(lendable[0][chosen].sum()),
            lendable_after_minor=int(lendable[1][chosen].sum()),
            over_before=int((over[0][chosen] > 0).sum()),
            over_after=int((over[1][chosen] > 0).sum()),
            over_before_minor=int(over[0][chosen].sum()),
            over_after_minor=int(over[1][chosen].sum()),
            moved=int(is_moved[chosen].sum()),
            closed_out=int(is_closed_out[chosen].sum()),
        )

    moves: dict[tuple[int, int], int] = {}
    for pair in zip(before.band[is_moved].tolist(), after.band[is_moved].tolist(), strict=True):
        moves[pair] = moves.get(pair, 0) + 1
    worse = over[1] - over[0]
    order = np.lexsort((record.account_id, -worse, ~is_moved))
    worst = [row for row in order[:WORST_ROWS].tolist() if is_moved[row] or worse[row] > 0]
    numbers = account_numbers(record.account_id[worst].tolist())
    return CollateralEffect(
        schemes=tuple(one(code, np.asarray(codes == code)) for code in sorted(set(codes.tolist()))),
        total=one("", np.ones(len(record), dtype=np.bool_)),
        moves=tuple((Band(old), Band(new), count) for (old, new), count in sorted(moves.items())),
        worst=tuple(
            EffectRow(
                account_id=int(record.account_id[row]),
                number=numbers[int(record.account_id[row])],
                scheme_code=str(codes[row]),
                debt_minor=int(record.debt_minor[row]),
                lendable_before_minor=int(lendable[0][row]),
                lendable_after_minor=int(lendable[1][row]),
                band_before=Band(int(before.band[row])),
                band_after=Band(int(after.band[row])),
            )
            for row in worst
        ),
    )
