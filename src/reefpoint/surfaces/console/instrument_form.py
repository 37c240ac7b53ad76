"""What somebody types of an instrument: its identity and what may change of it."""

import re
from dataclasses import dataclass, field
from decimal import Decimal

from django.http import QueryDict
from django.utils.translation import gettext as _now

from reefpoint.platform.basics.texts import find_unsafe
from reefpoint.records.market.services.instruments import LOT_MAX
from reefpoint.records.market.types import InstrumentTerms

IDENTITY = ("symbol", "currency", "venue")
TERMS = ("name", "name_zh", "sector", "lot_size", "price_band_bp", "assumed_daily_volume")
_PERCENT = re.compile(r"[0-9]{1,3}(\.[0-9]{1,2})?")
_LONGEST = {"name": 120, "name_zh": 120, "sector": 60}


@dataclass
class TermsForm:
    """Cells as typed, what is wrong by field, and the terms once nothing is."""

    given: dict[str, str]
    errors: dict[str, str] = field(default_factory=dict)
    terms: InstrumentTerms | None = None


def typed_terms(terms: InstrumentTerms) -> dict[str, str]:
    """Terms as somebody would type them."""
    band = f"{Decimal(terms.price_band_bp) / 100:.2f}".rstrip("0").rstrip(".")
    return {**{name: str(getattr(terms, name)) for name in TERMS}, "price_band_bp": band}


def read_terms(given: QueryDict) -> TermsForm:
    """Terms as they were sent; what is wrong stands beside its field."""
    cells = {name: given.get(name, "").strip()[:200] for name in (*IDENTITY, *TERMS)}
    cells |= {name: cells[name].upper() for name in IDENTITY}
    form = TermsForm(cells)
    for name, longest in _LONGEST.items():
        if len(cells[name]) > longest or find_unsafe(cells[name]):
            form.errors[name] = _now("At most %(count)s plain characters.") % {"count": longest}
    if not cells["name"]:
        form.errors["name"] = _now("An instrument has a name.")
    lot = _count(cells["lot_size"])
    if lot is None or not 0 < lot <= LOT_MAX:
        form.errors["lot_size"] = _now("A whole number of shares from 1 to 1,000,000.")
    band = cells["price_band_bp"].removesuffix("%").strip()
    band_bp = int(Decimal(band) * 100) if _PERCENT.fullmatch(band) else 0
    if not 0 < band_bp <= 10_000:
        form.errors["price_band_bp"] = _now("Above 0 and at most 100%.")
    volume = _count(cells["assumed_daily_volume"])
    if volume is None:
        form.errors["assumed_daily_volume"] = _now("A whole number of shares; 0 where nothing may be assumed.")
    if not form.errors:
        form.terms = InstrumentTerms(cells["name"], cells["name_zh"], cells["sector"], lot or 0, band_bp, volume or 0)
    return form


def _count(text: str) -> int | None:
    plain = text.replace(",", "")
    return int(plain) if plain.isascii() and plain.isdecimal() and len(plain) < 16 else None
