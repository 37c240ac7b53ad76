"""What a band means to the client whose account it is."""

from collections.abc import Mapping

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from reefpoint.engine.bands import Band

Words = str | Promise

LINE_OF: Mapping[Band, str] = {Band.WARNING: "warning", Band.CALL: "call", Band.CLOSE_OUT: "close_out"}

BAND_SENTENCES: Mapping[Band, tuple[Words, Words]] = {
    Band.SAFE: (_("Nothing is asked of you"), _("Your shares and cash cover what you borrowed, with room to spare.")),
    Band.WARNING: (
        _("Less room than usual"),
        _("Nothing is asked yet. If prices fall further, you will be asked for money or shares within a deadline."),
    ),
    Band.CALL: (
        _("You are asked to act"),
        _("Pay in, bring shares in, or repay within the deadline below. If not, shares are sold."),
    ),
    Band.CLOSE_OUT: (
        _("Shares are being sold"),
        _(
            "They are sold without asking again, to bring the account above its line or to pay a late loan. "
            "You can still pay."
        ),
    ),
    Band.UNKNOWN: (
        _("It cannot be said at the moment"),
        _("A price is missing that your account cannot be valued without. We look into it; nothing is sold for that."),
    ),
}
