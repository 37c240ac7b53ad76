"""What a second person is asked, in words: terms named, rates as percentages, sums with currency, rows as a table.

Nothing is rounded or left out; the page shows the payload as it is fingerprinted below.
"""

import json
from collections.abc import Mapping, Sequence

from django.utils.functional import Promise
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from reefpoint.platform.basics.money import MINOR_DIGITS
from reefpoint.surfaces.console.templatetags.collateral import BOARD_WORDS, KIND_WORDS
from reefpoint.surfaces.console.templatetags.credit import FACT_WORDS
from reefpoint.surfaces.web.figures import money_text, percent_text, quantity_text

TERM_WORDS: Mapping[str, str | Promise] = {
    "account": _("Account"),
    "after": pgettext_lazy("change", "After"),
    "amount_minor": _("Amount"),
    "assumed_daily_volume": _("Assumed daily volume"),
    "base_bp": _("Cost of funding"),
    "base_source": _("Its source"),
    "before": pgettext_lazy("change", "Before"),
    "changes": _("Changes"),
    "client": _("Client"),
    "content": _("Content"),
    "currency": _("Currency"),
    "daily_volume": _("Daily volume"),
    "delisted_on": _("Last day"),
    "effect": _("Effect"),
    "effective_from": _("In force from"),
    "effective_on": _("From"),
    "facts": _("Facts"),
    "fall": _("Rates that fall"),
    "floor_bp": _("Floor"),
    "grid": _("Price grid"),
    "grid_version": _("Version of the grid"),
    "inputs": _("Inputs"),
    "instruments": _("Instruments"),
    "is_index_member": _("Of an index that the exchange's rules name"),
    "is_pe_excluded": _("Its static P/E is negative, or 300 and more"),
    "issuer": _("Issuer group"),
    "jurisdiction": _("Jurisdiction"),
    "limit_bp": _("Daily price limit"),
    "listed_bp": _("Rate by the grid"),
    "loan": _("Loan"),
    "loan_id": _("Number of the loan's record"),
    "loans": _("Loans"),
    "lot_size": _("Lot"),
    "most_down_bp": _("Largest fall"),
    "most_up_bp": _("Largest rise"),
    "name": _("Company"),
    "name_zh": _("Chinese name"),
    "new_bp": _("New rate"),
    "not_before": _("Not before"),
    "old_bp": _("Rate now"),
    "price_band_bp": _("Believed move"),
    "principal_minor": _("Principal"),
    "quote": _("Quote"),
    "rate_bp": _("Rate"),
    "reason": _("Reason"),
    "rise": _("Rates that rise"),
    "scheme": _("Scheme"),
    "scheme_cap_bp": _("Cap of the scheme"),
    "sector": _("Sector"),
    "shares_issued": _("Shares issued"),
    "source": _("Source"),
    "symbol": _("Symbol"),
    "venue": _("Venue"),
    "version": _("Version"),
    "what": _("What"),
    "year_after_minor": _("A year's interest, new"),
    "year_before_minor": _("A year's interest, now"),
}
VALUE_WORDS: Mapping[str, Mapping[str, str | Promise]] = {
    "what": {
        "add": _("Put on record"),
        "change": _("Change"),
        "delist": _("Delist"),
        "list_again": _("List again"),
    },
    "kind": KIND_WORDS,
    "board": BOARD_WORDS,
}
_FIRST = (
    "what", "symbol", "loan", "name", "name_zh", "account", "currency", "loans", "rise", "fall", "most_up_bp",
    "most_down_bp", "principal_minor", "year_before_minor", "year_after_minor", "old_bp", "new_bp", "not_before",
    "before", "grid", "grid_version",
)  # fmt: skip
"""Terms that come first, in this order; the database keeps those of a payload by their length."""
_COUNTS = frozenset({"assumed_daily_volume", "daily_volume", "shares_issued", "loans", "rise", "fall"})


def term_word(key: str) -> str:
    """What a term of a payload is called; its own name where there is no word for it."""
    return str(TERM_WORDS.get(key) or FACT_WORDS.get(key) or key)


def _ordered(row: Mapping[str, object]) -> list[tuple[str, object]]:
    places = {name: place for place, name in enumerate(_FIRST)}
    return sorted(row.items(), key=lambda one: places.get(one[0], len(places)))


def payload_said(value: object, key: str = "", currency: str = "") -> SafeString:
    """A payload, or a part of it under a key, as people read it. `currency` is that of the sums around it."""
    if isinstance(value, str) and key == "inputs":
        return format_html(
            "<details><summary>{}</summary>{}</details>", _now("Show"), payload_said(json.loads(value), "", currency)
        )
    if isinstance(value, Mapping):
        found = value.get("currency")
        own = found if isinstance(found, str) and found in MINOR_DIGITS else currency
        rows = ((term_word(name), payload_said(held, name, own)) for name, held in _ordered(value))
        return format_html('<dl class="payload-map">{}</dl>', format_html_join("", "<dt>{}</dt><dd>{}</dd>", rows))
    if isinstance(value, Sequence) and not isinstance(value, str):
        return _rows(value, currency) if _is_table(value) else _items(value, key, currency)
    return format_html("{}", _said(value, key, currency))


def _is_table(value: Sequence[object]) -> bool:
    """Whether these are rows of the same columns, with nothing nested in them."""
    return bool(value) and all(
        isinstance(row, Mapping)
        and isinstance(value[0], Mapping)
        and list(row) == list(value[0])
        and not any(isinstance(cell, Mapping | list | tuple) for cell in row.values())
        for row in value
    )


def _rows(rows: Sequence[Mapping[str, object]], currency: str) -> SafeString:
    heads = format_html_join(
        "", '<th scope="col"{}>{}</th>', ((_numeric(cell), term_word(name)) for name, cell in _ordered(rows[0]))
    )
    lines = format_html_join("", "<tr>{}</tr>", ((_line(row, currency),) for row in rows))
    return format_html(
        '<div class="table-wrap"><table><thead><tr>{}</tr></thead><tbody>{}</tbody></table></div>', heads, lines
    )


def _line(row: Mapping[str, object], currency: str) -> SafeString:
    own = row.get("currency")
    own = own if isinstance(own, str) and own in MINOR_DIGITS else currency
    cells = ((_numeric(cell), payload_said(cell, name, own)) for name, cell in _ordered(row))
    return format_html_join("", "<td{}>{}</td>", cells)


def _numeric(cell: object) -> SafeString:
    return SafeString(' class="num"') if isinstance(cell, int) and not isinstance(cell, bool) else SafeString("")


def _items(items: Sequence[object], key: str, currency: str) -> SafeString:
    lines = format_html_join("", "<li>{}</li>", ((payload_said(one, key, currency),) for one in items))
    return format_html('<ol class="payload-list">{}</ol>', lines)


def _said(value: object, key: str, currency: str) -> str:
    if value is None or value == "":
        return "–"
    if isinstance(value, bool):
        return _now("yes") if value else _now("no")
    if isinstance(value, int):
        if key.endswith("_bp"):
            return percent_text(value)
        if key.endswith("_minor") and currency:
            return f"{money_text(value, currency)} {currency}"
        return quantity_text(value) if key in _COUNTS else str(value)
    return str(VALUE_WORDS.get(key, {}).get(str(value), value))
