"""The table of rights, role by role, and that the program asks for no right outside it."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

import reefpoint
from reefpoint.platform.access import rules
from reefpoint.platform.access.types import RoleName

HELD = {
    RoleName.RISK_OFFICER: """
        account.freeze account.view approvals.decide:clients.accept_high_risk
        approvals.decide:collateral.publish approvals.decide:contracts.publish_template
        approvals.decide:credit.approve approvals.decide:credit.approve_large
        approvals.decide:credit.publish approvals.decide:credit.waive approvals.decide:credit.waive_large
        approvals.decide:execution.write_off approvals.decide:instruments.change
        approvals.decide:instruments.record_listing
        approvals.decide:kyc.publish
        approvals.decide:lending.default approvals.decide:liquidation.start approvals.decide:models.release
        approvals.decide:monitoring.change_rules approvals.decide:pricing.exception
        approvals.decide:pricing.publish approvals.decide:pricing.reprice
        approvals.decide:scheme.change_tier
        approvals.decide:scheme.publish approvals.decide:scheme.withdraw
        approvals.decide:suitability.publish approvals.decide:treasury.resolve_payment
        approvals.decide:treasury.write_off approvals.request
        approvals.view clients.view collateral.assess collateral.publish collateral.view
        contracts.view credit.publish credit.view execution.cancel_order execution.view
        instruments.suspend ledger.view lending.default lending.view licences.view liquidation.approve
        liquidation.cancel liquidation.start liquidation.view margin.close_call margin.expire_call
        margin.open_call margin.revalue margin.view models.develop models.view notifications.send
        notifications.view operations.view performance.view prices.confirm prices.view
        pricing.publish pricing.view relations.set_limit relations.view schemes.draft
        schemes.publish schemes.view scoring.score scoring.view treasury.view
    """,
    RoleName.CREDIT_OFFICER: """
        account.open account.view applications.view approvals.decide:collateral.publish
        approvals.decide:credit.approve approvals.decide:credit.publish approvals.decide:credit.waive
        approvals.decide:lending.fund approvals.decide:pricing.exception
        approvals.decide:pricing.publish
        approvals.decide:pricing.reprice approvals.decide:scheme.change_tier
        approvals.decide:scheme.publish approvals.decide:scheme.withdraw approvals.request
        approvals.view clients.view collateral.view contracts.countersign contracts.draft_template
        contracts.prepare contracts.view credit.decide credit.publish credit.view documents.view
        execution.view kyc.view leads.view lending.default lending.offer lending.request lending.view licences.view
        liquidation.view margin.view models.view notifications.view operations.view performance.view
        prices.view pricing.publish pricing.quote pricing.reprice pricing.view relations.view
        schemes.draft schemes.publish schemes.view scoring.score scoring.view suitability.view
    """,
    RoleName.RELATIONSHIP_MANAGER: """
        account.view applications.assist applications.view approvals.request approvals.view
        clients.change_profile clients.invite clients.register clients.view collateral.view consents.record
        contracts.view credit.view documents.add documents.view execution.view imports.view kyc.view
        leads.import leads.merge leads.record leads.view lending.offer lending.request lending.view
        licences.view liquidation.view margin.view models.view notifications.send notifications.view
        operations.view performance.view prices.view pricing.quote pricing.view schemes.view
        scoring.view servicing.deposit servicing.draw_down servicing.repay servicing.trade
        servicing.withdraw suitability.assess suitability.view
    """,
    RoleName.TREASURY: """
        account.view approvals.decide:lending.fund approvals.decide:pricing.publish
        approvals.decide:treasury.resolve_payment approvals.decide:treasury.write_off
        approvals.request approvals.view clients.view
        collateral.view execution.view ledger.post ledger.reverse ledger.view lending.fund
        lending.view licences.view liquidation.view margin.view notifications.view operations.view
        performance.view prices.view pricing.view schemes.view servicing.deposit servicing.repay
        treasury.allocate treasury.open_pool treasury.pay treasury.receive_statement
        treasury.reconcile treasury.view treasury.write_off
    """,
    RoleName.OPERATIONS: """
        account.open account.view applications.assist applications.view
        approvals.decide:execution.write_off approvals.decide:instruments.change
        approvals.decide:instruments.record_listing
        approvals.request approvals.view calendars.override
        clients.change_profile clients.import clients.invite clients.register clients.unmask clients.view
        collateral.view consents.record contracts.prepare contracts.view credit.view documents.add
        documents.view execution.cancel_order execution.place_order execution.reconcile
        execution.view imports.view instruments.add instruments.suspend kyc.view leads.import
        leads.merge leads.record leads.view ledger.close_day ledger.view lending.fund lending.view
        licences.view liquidation.view margin.revalue margin.view models.view notifications.send
        notifications.view operations.replay operations.retry_delivery operations.run_day
        operations.view performance.view prices.confirm prices.record prices.view pricing.view
        schemes.view scoring.import_bureau scoring.view servicing.accrue servicing.correct servicing.deposit
        servicing.draw_down servicing.receive_securities servicing.repay servicing.trade
        servicing.withdraw suitability.view treasury.pay treasury.receive_statement
        treasury.reconcile treasury.view
    """,
    RoleName.COMPLIANCE: """
        access.view account.freeze account.view applications.decide applications.view
        approvals.decide:cases.close approvals.decide:clients.accept_high_risk
        approvals.decide:clients.erase approvals.decide:clients.erase_run_out
        approvals.decide:contracts.publish_template
        approvals.decide:kyc.publish approvals.decide:models.release
        approvals.decide:monitoring.change_rules approvals.decide:screening.resolve_hit
        approvals.decide:suitability.publish approvals.request approvals.view audit.view cases.view
        cases.work clients.block clients.erase clients.export_data clients.hold clients.unmask clients.view
        collateral.view contracts.draft_template contracts.view credit.view documents.add
        documents.view execution.view imports.view kyc.publish kyc.review kyc.view leads.view
        ledger.view lending.view licences.record licences.view liquidation.view margin.view
        models.view monitoring.change_rules monitoring.view notifications.view operations.view
        performance.view prices.view pricing.view relations.exclude relations.view rules.load
        schemes.view scoring.view screening.load_list screening.resolve screening.screen
        screening.view suitability.assess suitability.publish suitability.view treasury.view
    """,
    RoleName.AUDITOR: """
        access.view account.view applications.view approvals.view audit.view cases.view clients.view
        collateral.view contracts.view credit.view documents.view execution.view imports.view
        kyc.view leads.view ledger.view lending.view licences.view liquidation.view margin.view
        models.view monitoring.view notifications.view operations.view performance.view prices.view
        pricing.view relations.view schemes.view scoring.view screening.view suitability.view
        treasury.view
    """,
    RoleName.ADMINISTRATOR: """
        access.manage access.view approvals.request approvals.view audit.view
        operations.retry_delivery operations.view vault.turn_keys
    """,
    RoleName.CLIENT: """
        portal.apply portal.borrow
    """,
}

MONEY_AND_SALES = ("servicing.", "liquidation.", "ledger.", "treasury.", "execution.")


@pytest.mark.parametrize("role", RoleName)
def test_each_role_holds_exactly_these_rights(role: RoleName) -> None:
    assert sorted(rules.permissions_of([role])) == HELD[role].split()


def test_every_right_is_held_by_some_role() -> None:
    assert [name for name, holders in rules.PERMISSIONS.items() if not holders] == []


def test_an_auditor_reads_everything_and_changes_nothing() -> None:
    views = {name for name in rules.PERMISSIONS if name.endswith(".view")}
    assert rules.permissions_of([RoleName.AUDITOR]) == views


def test_an_administrator_holds_no_right_over_money_or_sales() -> None:
    held = rules.permissions_of([RoleName.ADMINISTRATOR])
    assert [name for name in held if name.startswith(MONEY_AND_SALES)] == []


def test_whoever_may_decide_a_kind_is_not_alone_in_a_role_that_cannot_ask() -> None:
    deciders = {name: holders for name, holders in rules.PERMISSIONS.items() if name.startswith(rules.DECIDE_APPROVAL)}
    assert deciders
    for holders in deciders.values():
        assert holders <= rules.PERMISSIONS["approvals.view"]
        assert RoleName.AUDITOR not in holders


@pytest.mark.parametrize(
    ("roles", "expected"),
    [
        ((), False),
        ((RoleName.RELATIONSHIP_MANAGER,), False),
        ((RoleName.ADMINISTRATOR,), False),
        ((RoleName.RELATIONSHIP_MANAGER, RoleName.ADMINISTRATOR), False),
        ((RoleName.RELATIONSHIP_MANAGER, RoleName.RISK_OFFICER), True),
        ((RoleName.AUDITOR,), True),
    ],
)
def test_i66_who_sees_every_client(roles: tuple[RoleName, ...], expected: bool) -> None:
    assert rules.sees_all_clients(roles) is expected


def _rights_asked_for() -> Iterator[tuple[str, str]]:
    """Every literal right in a call of `require(actor, ...)`, `holds(..., ...)` or a page's guard."""
    root = Path(reefpoint.__file__).parent
    for path in root.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Name | ast.Attribute):
                continue
            name = node.func.id if isinstance(node.func, ast.Name) else node.func.attr
            position = {"require": 1, "holds": 1, "page": 0}.get(name)
            if position is None or len(node.args) <= position:
                continue
            right = node.args[position]
            if isinstance(right, ast.Constant) and isinstance(right.value, str):
                yield right.value, f"{path.relative_to(root)}:{node.lineno}"


def test_the_program_asks_only_for_rights_in_the_table() -> None:
    asked = list(_rights_asked_for())
    assert len(asked) > 10
    assert [use for use in asked if use[0] not in rules.PERMISSIONS] == []
