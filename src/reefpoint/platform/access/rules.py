"""Who may do what: one table from each permission to the roles that hold it.

A right that is not in this table does not exist: asking for it is a programming error, not a refusal.
A change here is a change of `tests/platform/access/test_permissions.py`, which holds each role to exactly its rights.
Administrators run the program and its people and touch no money; auditors read everything and change nothing.
"""

import hashlib
import json
from collections.abc import Collection, Mapping

from reefpoint.platform.access.types import ApprovalState, Payload, PayloadValue, RoleName
from reefpoint.platform.basics.actors import Actor
from reefpoint.platform.basics.states import StateTable

_RISK = RoleName.RISK_OFFICER
_CREDIT = RoleName.CREDIT_OFFICER
_MANAGER = RoleName.RELATIONSHIP_MANAGER
_TREASURY = RoleName.TREASURY
_OPERATIONS = RoleName.OPERATIONS
_COMPLIANCE = RoleName.COMPLIANCE
_AUDITOR = RoleName.AUDITOR
_ADMIN = RoleName.ADMINISTRATOR
_CLIENT = RoleName.CLIENT

_DESK = frozenset({_RISK, _CREDIT, _MANAGER, _TREASURY, _OPERATIONS, _COMPLIANCE, _AUDITOR})
_STAFF = frozenset(RoleName) - {_CLIENT}
_MAKERS = _STAFF - {_AUDITOR}
_FILES = frozenset({_CREDIT, _MANAGER, _OPERATIONS, _COMPLIANCE, _AUDITOR})
_CREDIT_FILES = _FILES | {_RISK}

CLIENT_SCOPED_ROLES = frozenset({_MANAGER})
"""Roles that see only the clients assigned to them; any other role beside it lifts the limit, but for `_ADMIN`."""

SYSTEM_RIGHT = "*"
"""Held by parts of the system alone: every right there is."""

DECIDE_APPROVAL = "approvals.decide:"
"""Prefix of the right to decide approvals of one kind, as in `approvals.decide:scheme.publish`."""

PERMISSIONS: Mapping[str, frozenset[RoleName]] = {
    # market data
    "prices.view": _DESK,
    "prices.record": frozenset({_OPERATIONS}),
    "prices.confirm": frozenset({_RISK, _OPERATIONS}),
    "instruments.add": frozenset({_OPERATIONS}),
    "instruments.suspend": frozenset({_RISK, _OPERATIONS}),
    "calendars.override": frozenset({_OPERATIONS}),
    # products
    "rules.load": frozenset({_COMPLIANCE}),
    "schemes.view": _DESK,
    "schemes.draft": frozenset({_CREDIT, _RISK}),
    "schemes.publish": frozenset({_CREDIT, _RISK}),
    # collateral, credit and price
    "collateral.view": _DESK,
    "collateral.assess": frozenset({_RISK}),
    "collateral.publish": frozenset({_RISK}),
    "scoring.view": _CREDIT_FILES,
    "scoring.score": frozenset({_CREDIT, _RISK}),
    "scoring.import_bureau": frozenset({_OPERATIONS}),
    "models.view": _CREDIT_FILES,
    "models.develop": frozenset({_RISK}),
    "credit.view": _CREDIT_FILES,
    "credit.decide": frozenset({_CREDIT}),
    "credit.publish": frozenset({_CREDIT, _RISK}),
    "pricing.view": _DESK,
    "pricing.quote": frozenset({_CREDIT, _MANAGER}),
    "pricing.publish": frozenset({_CREDIT, _RISK}),
    "pricing.reprice": frozenset({_CREDIT}),
    # contracts and funding
    "contracts.view": _CREDIT_FILES,
    "contracts.draft_template": frozenset({_CREDIT, _COMPLIANCE}),
    "contracts.prepare": frozenset({_CREDIT, _OPERATIONS}),
    "contracts.countersign": frozenset({_CREDIT}),
    "lending.view": _CREDIT_FILES | {_TREASURY},
    "lending.request": frozenset({_MANAGER, _CREDIT}),
    "lending.offer": frozenset({_CREDIT, _MANAGER}),
    "lending.fund": frozenset({_OPERATIONS, _TREASURY}),
    "lending.default": frozenset({_CREDIT, _RISK}),
    "portal.borrow": frozenset({_CLIENT}),
    # people
    "clients.view": _DESK,
    "clients.register": frozenset({_MANAGER, _OPERATIONS}),
    "clients.invite": frozenset({_MANAGER, _OPERATIONS}),
    "clients.block": frozenset({_COMPLIANCE}),
    "clients.import": frozenset({_OPERATIONS}),
    "clients.change_profile": frozenset({_MANAGER, _OPERATIONS}),
    "clients.unmask": frozenset({_OPERATIONS, _COMPLIANCE}),
    "clients.export_data": frozenset({_COMPLIANCE}),
    "clients.erase": frozenset({_COMPLIANCE}),
    "clients.hold": frozenset({_COMPLIANCE}),
    "documents.view": _FILES,
    "documents.add": frozenset({_MANAGER, _OPERATIONS, _COMPLIANCE}),
    "consents.record": frozenset({_MANAGER, _OPERATIONS}),
    "licences.view": _DESK,
    "licences.record": frozenset({_COMPLIANCE}),
    # from a lead to an accepted client
    "leads.view": _FILES,
    "leads.record": frozenset({_MANAGER, _OPERATIONS}),
    "leads.import": frozenset({_MANAGER, _OPERATIONS}),
    "leads.merge": frozenset({_MANAGER, _OPERATIONS}),
    "applications.view": _FILES,
    "applications.assist": frozenset({_MANAGER, _OPERATIONS}),
    "applications.decide": frozenset({_COMPLIANCE}),
    "portal.apply": frozenset({_CLIENT}),
    "imports.view": frozenset({_MANAGER, _OPERATIONS, _COMPLIANCE, _AUDITOR}),
    # knowing the client
    "kyc.view": _FILES,
    "kyc.review": frozenset({_COMPLIANCE}),
    "kyc.publish": frozenset({_COMPLIANCE}),
    "screening.view": frozenset({_COMPLIANCE, _AUDITOR}),
    "screening.screen": frozenset({_COMPLIANCE}),
    "screening.load_list": frozenset({_COMPLIANCE}),
    "screening.resolve": frozenset({_COMPLIANCE}),
    "relations.view": frozenset({_RISK, _CREDIT, _COMPLIANCE, _AUDITOR}),
    "relations.set_limit": frozenset({_RISK}),
    "relations.exclude": frozenset({_COMPLIANCE}),
    "suitability.view": _FILES,
    "suitability.assess": frozenset({_MANAGER, _COMPLIANCE}),
    "suitability.publish": frozenset({_COMPLIANCE}),
    "monitoring.view": frozenset({_COMPLIANCE, _AUDITOR}),
    "monitoring.change_rules": frozenset({_COMPLIANCE}),
    "cases.view": frozenset({_COMPLIANCE, _AUDITOR}),
    "cases.work": frozenset({_COMPLIANCE}),
    # accounts
    "account.view": _DESK,
    "account.freeze": frozenset({_RISK, _COMPLIANCE}),
    "account.open": frozenset({_CREDIT, _OPERATIONS}),
    "servicing.accrue": frozenset({_OPERATIONS}),
    "servicing.receive_securities": frozenset({_OPERATIONS}),
    "servicing.deposit": frozenset({_MANAGER, _OPERATIONS, _TREASURY}),
    "servicing.withdraw": frozenset({_MANAGER, _OPERATIONS}),
    "servicing.draw_down": frozenset({_MANAGER, _OPERATIONS}),
    "servicing.repay": frozenset({_MANAGER, _OPERATIONS, _TREASURY}),
    "servicing.trade": frozenset({_MANAGER, _OPERATIONS}),
    "servicing.correct": frozenset({_OPERATIONS}),
    # margin
    "margin.view": _DESK,
    "margin.open_call": frozenset({_RISK}),
    "margin.close_call": frozenset({_RISK}),
    "margin.expire_call": frozenset({_RISK}),
    "margin.revalue": frozenset({_RISK, _OPERATIONS}),
    # liquidation and the securities rail
    "liquidation.view": _DESK,
    "liquidation.start": frozenset({_RISK}),
    "liquidation.approve": frozenset({_RISK}),
    "liquidation.cancel": frozenset({_RISK}),
    "execution.view": _DESK,
    "execution.place_order": frozenset({_OPERATIONS}),
    "execution.cancel_order": frozenset({_RISK, _OPERATIONS}),
    "execution.reconcile": frozenset({_OPERATIONS}),
    # money
    "ledger.view": frozenset({_RISK, _TREASURY, _OPERATIONS, _COMPLIANCE, _AUDITOR}),
    "ledger.post": frozenset({_TREASURY}),
    "ledger.reverse": frozenset({_TREASURY}),
    "ledger.close_day": frozenset({_OPERATIONS}),
    "treasury.view": frozenset({_RISK, _TREASURY, _OPERATIONS, _COMPLIANCE, _AUDITOR}),
    "treasury.open_pool": frozenset({_TREASURY}),
    "treasury.allocate": frozenset({_TREASURY}),
    "treasury.receive_statement": frozenset({_TREASURY, _OPERATIONS}),
    "treasury.reconcile": frozenset({_TREASURY, _OPERATIONS}),
    "treasury.pay": frozenset({_TREASURY, _OPERATIONS}),
    "treasury.write_off": frozenset({_TREASURY}),
    # running the desk
    "operations.view": _STAFF,
    "operations.run_day": frozenset({_OPERATIONS}),
    "operations.replay": frozenset({_OPERATIONS}),
    "operations.retry_delivery": frozenset({_OPERATIONS, _ADMIN}),
    "notifications.view": _DESK,
    "notifications.send": frozenset({_MANAGER, _RISK, _OPERATIONS}),
    "performance.view": _DESK,
    # oversight
    "audit.view": frozenset({_COMPLIANCE, _AUDITOR, _ADMIN}),
    "access.view": frozenset({_COMPLIANCE, _AUDITOR, _ADMIN}),
    "access.manage": frozenset({_ADMIN}),
    "vault.turn_keys": frozenset({_ADMIN}),
    # the second person
    "approvals.view": _STAFF,
    "approvals.request": _MAKERS,
    f"{DECIDE_APPROVAL}scheme.publish": frozenset({_CREDIT, _RISK}),
    f"{DECIDE_APPROVAL}scheme.withdraw": frozenset({_CREDIT, _RISK}),
    f"{DECIDE_APPROVAL}scheme.change_tier": frozenset({_CREDIT, _RISK}),
    f"{DECIDE_APPROVAL}liquidation.start": frozenset({_RISK}),
    f"{DECIDE_APPROVAL}clients.erase": frozenset({_COMPLIANCE}),
    f"{DECIDE_APPROVAL}clients.erase_run_out": frozenset({_COMPLIANCE}),
    f"{DECIDE_APPROVAL}clients.accept_high_risk": frozenset({_COMPLIANCE, _RISK}),
    f"{DECIDE_APPROVAL}screening.resolve_hit": frozenset({_COMPLIANCE}),
    f"{DECIDE_APPROVAL}kyc.publish": frozenset({_COMPLIANCE, _RISK}),
    f"{DECIDE_APPROVAL}suitability.publish": frozenset({_COMPLIANCE, _RISK}),
    f"{DECIDE_APPROVAL}monitoring.change_rules": frozenset({_COMPLIANCE, _RISK}),
    f"{DECIDE_APPROVAL}instruments.change": frozenset({_RISK, _OPERATIONS}),
    f"{DECIDE_APPROVAL}instruments.record_listing": frozenset({_RISK, _OPERATIONS}),
    f"{DECIDE_APPROVAL}collateral.publish": frozenset({_RISK, _CREDIT}),
    f"{DECIDE_APPROVAL}models.release": frozenset({_RISK, _COMPLIANCE}),
    f"{DECIDE_APPROVAL}credit.publish": frozenset({_CREDIT, _RISK}),
    f"{DECIDE_APPROVAL}credit.approve": frozenset({_CREDIT, _RISK}),
    f"{DECIDE_APPROVAL}credit.approve_large": frozenset({_RISK}),
    f"{DECIDE_APPROVAL}credit.waive": frozenset({_CREDIT, _RISK}),
    f"{DECIDE_APPROVAL}credit.waive_large": frozenset({_RISK}),
    f"{DECIDE_APPROVAL}pricing.publish": frozenset({_CREDIT, _RISK, _TREASURY}),
    f"{DECIDE_APPROVAL}pricing.exception": frozenset({_CREDIT, _RISK}),
    f"{DECIDE_APPROVAL}pricing.reprice": frozenset({_CREDIT, _RISK}),
    f"{DECIDE_APPROVAL}contracts.publish_template": frozenset({_COMPLIANCE, _RISK}),
    f"{DECIDE_APPROVAL}lending.fund": frozenset({_TREASURY, _CREDIT}),
    f"{DECIDE_APPROVAL}lending.default": frozenset({_RISK}),
    f"{DECIDE_APPROVAL}cases.close": frozenset({_COMPLIANCE}),
    f"{DECIDE_APPROVAL}treasury.write_off": frozenset({_TREASURY, _RISK}),
    f"{DECIDE_APPROVAL}treasury.resolve_payment": frozenset({_TREASURY, _RISK}),
    f"{DECIDE_APPROVAL}execution.write_off": frozenset({_OPERATIONS, _RISK}),
}


CONFIDENTIAL: Mapping[str, str] = {
    "cases.": "cases.view",
    "monitoring.": "monitoring.view",
    "screening.": "screening.view",
}
"""What only holders of a right may know to exist, by how its audited actions and its approvals begin: that somebody is
suspected must never reach them (tipping off), also not through an administrator who may read the log."""


class UnknownPermission(LookupError):
    """A right that the table does not name: a programming error, raised in tests long before a user meets it."""


def check_permission_exists(permission: str) -> None:
    """Raise `UnknownPermission` unless the table names this right."""
    if permission not in PERMISSIONS:
        raise UnknownPermission(f"No permission {permission!r}: add it to the table in access/rules.py.")


def permissions_of(roles: Collection[RoleName]) -> frozenset[str]:
    """All rights that these roles hold together."""
    return frozenset(name for name, holders in PERMISSIONS.items() if not holders.isdisjoint(roles))


def sees_all_clients(roles: Collection[RoleName]) -> bool:
    """False for people whose only roles on the desk are limited to their own clients (or who have none)."""
    return not (_DESK - CLIENT_SCOPED_ROLES).isdisjoint(roles)


def holds(permissions: Collection[str], permission: str) -> bool:
    """Whether these rights include `permission`. Raises `UnknownPermission` for a name outside the table."""
    check_permission_exists(permission)
    return permission in permissions or SYSTEM_RIGHT in permissions


def hidden_prefixes(permissions: Collection[str]) -> tuple[str, ...]:
    """How the actions and approvals begin that must be kept from whoever holds these rights."""
    return tuple(prefix for prefix, right in CONFIDENTIAL.items() if not holds(permissions, right))


APPROVAL_STATES = StateTable(
    subject="approval",
    initial=ApprovalState.PENDING,
    moves={
        ApprovalState.PENDING: frozenset({ApprovalState.APPROVED, ApprovalState.REJECTED, ApprovalState.WITHDRAWN}),
    },
)


def fingerprint(kind: str, subject: str, payload: Payload) -> str:
    """SHA-256 (hex) of exactly what an approval covers, whatever the order of keys.

    Raises `TypeError` for a value that has no single text: a float, a date, a Decimal (pass them as text).
    """
    _check_plain(payload, "payload")
    text = json.dumps([kind, subject, payload], sort_keys=True, separators=(",", ":"), ensure_ascii=True)
    return hashlib.sha256(text.encode()).hexdigest()


def _check_plain(value: PayloadValue, path: str) -> None:
    if value is None or isinstance(value, str | bool | int):
        return
    if isinstance(value, Mapping):
        for key, item in value.items():
            if not isinstance(key, str):
                raise TypeError(f"{path}: the key {key!r} is not a string")
            _check_plain(item, f"{path}.{key}")
    elif isinstance(value, list | tuple):
        for index, item in enumerate(value):
            _check_plain(item, f"{path}[{index}]")
    else:
        raise TypeError(f"{path}: a {type(value).__name__} cannot be approved as such; pass it as text or integer")


def decidable_kinds(permissions: Collection[str]) -> list[str]:
    """The kinds of approval that these rights allow to decide."""
    rights = (name for name in PERMISSIONS if name.startswith(DECIDE_APPROVAL) and holds(permissions, name))
    return [name.removeprefix(DECIDE_APPROVAL) for name in rights]


def may_decide(actor: Actor, *, kind: str, requested_by: str) -> bool:
    """Whether this actor is a fit second person: a person, with the right for this kind, and not the maker (I63)."""
    return actor.user_id is not None and actor.ref != requested_by and holds(actor.permissions, DECIDE_APPROVAL + kind)


TOKEN_DAYS_MAX = 366
TOKENS_MAX = 20
"""How many keys one person may have in force."""

PERSON_ONLY = frozenset({"access.manage", "clients.unmask", "vault.turn_keys"})
"""Rights that no key carries, beside every second word: a person uses them, signed in."""


def token_rights(permissions: Collection[str], narrowed_to: Collection[str] | None) -> frozenset[str]:
    """What a key of somebody with these rights may do now; `narrowed_to` None is all that a key can carry."""
    carried = frozenset(
        name for name in permissions if name not in PERSON_ONLY and not name.startswith(DECIDE_APPROVAL)
    )
    return carried if narrowed_to is None else carried & frozenset(narrowed_to)
