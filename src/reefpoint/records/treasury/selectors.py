"""What the cash rail tells."""

from django.db.models import Case, F, Sum, When

from reefpoint.platform.basics.findings import Finding
from reefpoint.platform.database.guards import verify_guards
from reefpoint.records.treasury.models import FundingPool
from reefpoint.records.treasury.types import PoolMovementKind, PoolView

APPEND_ONLY_TABLES = ("treasury_poolmovement", "treasury_statement", "treasury_statementline", "treasury_match")


class PoolNotFound(LookupError):
    """No pool has this code."""


def list_pools() -> list[PoolView]:
    """All funding pools, by code."""
    return [
        PoolView(pool.code, pool.name, pool.currency, pool.committed_minor, pool.lent_minor, pool.cost_bp)
        for pool in FundingPool.objects.order_by("code")
    ]


def get_pool(code: str) -> PoolView:
    """One pool. Raises `PoolNotFound`."""
    found = next((pool for pool in list_pools() if pool.code == code), None)
    if found is None:
        raise PoolNotFound(code)
    return found


def verify_treasury() -> list[Finding]:
    """Every pool has lent what its movements add up to, and the guards stand."""
    return [*_verify_pools(), *verify_guards(APPEND_ONLY_TABLES)]


def _verify_pools() -> list[Finding]:
    signed = Case(
        When(movements__kind=PoolMovementKind.ALLOCATE, then=F("movements__amount_minor")),
        default=-F("movements__amount_minor"),
    )
    pools = FundingPool.objects.annotate(moved=Sum(signed, default=0)).exclude(moved=F("lent_minor"))
    return [
        Finding(
            "treasury.pool", f"pool:{pool.code}", f"{pool.lent_minor} is lent, its movements add up to {pool.moved}"
        )
        for pool in pools.order_by("code")
    ]
