"""The other side of a payment."""

THIRD_PARTY_BELOW_BP = 8_500
"""A payer whose name fits every holder less than this, from an account that is not verified, is a third party.

A default of ours; SFC circular 19EC39 asks for third parties to be found and gives no figure."""


def signed_code(digest: bytes) -> int:
    """The first eight bytes of a keyed digest as a signed integer: enough to tell accounts apart, and no secret."""
    return int.from_bytes(digest[:8], "big", signed=True)
