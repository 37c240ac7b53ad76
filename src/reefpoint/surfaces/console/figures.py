"""Values that stand beside the tables of a published content: how each is shown, read and bounded."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.utils.functional import Promise
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _

from reefpoint.platform.basics.money import percent
from reefpoint.records.market.types import Board
from reefpoint.surfaces.console.templatetags.collateral import BOARD_WORDS

_PERCENT = re.compile(r"([0-9]{1,3}(?:\.[0-9]{1,2})?) ?%?")


@dataclass(frozen=True)
class Figure:
    """One value beside the tables, by its place in the content: `percent` is kept in basis points, `whole`, or `text`.

    An optional one that is empty is None, and leaves a map of many.
    """

    path: tuple[str, ...]
    title: str | Promise
    kind: str
    low: int = 0
    high: int = 0
    is_optional: bool = False
    help: str | Promise = ""

    @property
    def name(self) -> str:
        return "-".join(("f", *self.path))

    @property
    def bounds(self) -> str:
        """What may be typed, in words."""
        if self.kind == "text":
            return _now("at most %(count)s characters") % {"count": self.high}
        ends = (percent(self.low), percent(self.high)) if self.kind == "percent" else (self.low, self.high)
        said = _now("from %(low)s to %(high)s") % {"low": ends[0], "high": ends[1]}
        return _now("%(bounds)s, or empty: none") % {"bounds": said} if self.is_optional else said

    def show(self, content: Mapping[str, Any]) -> str:
        """The value as somebody would type it."""
        value: Any = content
        for key in self.path:
            value = value.get(key)
        if value is None:
            return ""
        return f"{Decimal(value) / 100:.2f}".rstrip("0").rstrip(".") if self.kind == "percent" else str(value)

    def read(self, text: str) -> int | str | None:
        """The value that was typed. Raises `ValueError` for one outside its bounds."""
        if self.kind == "text":
            if len(text) > self.high:
                raise ValueError(text)
            return text
        if not text and self.is_optional:
            return None
        if self.kind == "percent":
            typed = _PERCENT.fullmatch(text)
            value = int(Decimal(typed[1]) * 100) if typed else -1
        else:
            value = int(text) if text.isascii() and text.isdecimal() and len(text) < 10 else -1
        if not self.low <= value <= self.high:
            raise ValueError(text)
        return value

    def put(self, content: dict[str, Any], value: int | str | None) -> None:
        """Put a value in its place."""
        for key in self.path[:-1]:
            content = content[key]
        if value is None and self.path[-2:-1] == ("boards_bp",):
            content.pop(self.path[-1], None)
        else:
            content[self.path[-1]] = value


HOUSE_FIGURES = (
    Figure(("ramp", "notice_sessions"), _("Notice before a cut, sessions"), "whole", 0, 60),
    Figure(("ramp", "step_bp"), _("A haircut rises in a session by at most"), "percent", 1, 10_000),
    Figure(("unmodelled_bp",), _("Haircut of a name without a year of prices"), "percent", 0, 10_000),
    Figure(("caps", "issuer_bp"), _("One issuer, of an account"), "percent", 1, 10_000, is_optional=True),
    *(
        Figure(
            ("caps", "boards_bp", board.value),
            BOARD_WORDS[board.value],
            "percent",
            1,
            10_000,
            is_optional=True,
            help=_("of an account"),
        )
        for board in Board
    ),
    Figure(
        ("caps", "house_share_bp"), _("One name, of what the desk lends on"), "percent", 1, 10_000, is_optional=True
    ),
    Figure(("caps", "house_volume_days"), _("One name, in days of its volume"), "whole", 1, 1_000, is_optional=True),
    Figure(
        ("override_reason",),
        _("Why safe accounts must be closed out in one step"),
        "text",
        0,
        200,
        help=_("Mostly empty; the second person reads it."),
    ),
)
