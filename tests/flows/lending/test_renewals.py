"""Maturities and renewals: reminded once each, priced by the grid, signed by both as a paper, moved by a record."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from itertools import pairwise

import pytest
from django.db import IntegrityError, transaction
from tests.desk import MONDAY, SYSTEM, TUESDAY, Desk, noon, verify_desk, withdraw_scheme
from tests.flows.lending.conftest import AT, person
from tests.flows.servicing.test_fees import LOAN, borrowed, income

from reefpoint.decisions.credit.models import CreditCondition, CreditDecision
from reefpoint.decisions.credit.types import ConditionKind, ConditionMoment
from reefpoint.decisions.pricing.models import Quote
from reefpoint.decisions.pricing.selectors.quotes import QuoteExpired, get_quote
from reefpoint.decisions.pricing.services import request_exception
from reefpoint.flows.lending import rules
from reefpoint.flows.lending.models import MaturityReminder, Renewal
from reefpoint.flows.lending.selectors.renewals import (
    RenewalNotFound,
    check_renewal,
    find_maturing,
    get_renewal,
    list_own_loans,
    verify_renewals,
)
from reefpoint.flows.lending.services.maturities import remind_of_maturities, tell_of_unpaid
from reefpoint.flows.lending.services.renewals import (
    CannotRenew,
    RenewalOver,
    RenewalTermRefused,
    accept_renewal,
    ask_renewal,
    decline_renewal,
    lapse_renewals,
    offer_renewal,
    withdraw_renewal,
)
from reefpoint.flows.lending.services.signing import countersign_contract, sign_contract
from reefpoint.flows.lending.types import MaturityStage, RenewalBar, RenewalState
from reefpoint.flows.servicing.services.interest import collect_matured
from reefpoint.platform.access.models import Approval
from reefpoint.platform.access.services import actor_for, approve
from reefpoint.platform.access.types import RoleName
from reefpoint.platform.basics.actors import Actor
from reefpoint.platform.basics.errors import InvalidTransition, Refusal
from reefpoint.platform.notifications.models import Notice
from reefpoint.platform.publications.models import Publication
from reefpoint.records.accounts.models import Loan, LoanExtension, MarginAccount
from reefpoint.records.accounts.selectors.accounts import get_account
from reefpoint.records.accounts.selectors.loans import list_loans, list_rates
from reefpoint.records.accounts.selectors.proof import verify_accounts
from reefpoint.records.accounts.services import begin_further_terms, set_status
from reefpoint.records.accounts.types import AccountStatus, LoanFacts
from reefpoint.records.contracts.models import Contract
from reefpoint.records.contracts.selectors import find_disclosures, get_contract, newest_file, paper_of
from reefpoint.records.contracts.services import NotACountersigner, acknowledge, lapse_contracts, withdraw_contract
from reefpoint.records.contracts.types import Authentication, ContractState
from reefpoint.records.ledger.selectors import find_journal, verify_ledger
from reefpoint.records.parties.models import Client
from reefpoint.records.parties.selectors.licences import list_licences
from reefpoint.records.parties.services import end_licence

S = RenewalState


@dataclass
class Renewing:
    """A loan of 30,000.00 for thirty days, its client on the portal, who offers and who signs for the desk."""

    desk: Desk
    client: Actor
    officer: Actor
    loan: LoanFacts
    renewal_id: int = 0

    @property
    def row(self) -> Renewal:
        return Renewal.objects.get(id=self.renewal_id)

    @property
    def now(self) -> LoanFacts:
        return list_loans(self.loan.account_id)[0]

    def offer(self, tenor_days: int = 30) -> int:
        self.renewal_id = offer_renewal(
            actor=self.desk.manager, loan_id=self.loan.id, tenor_days=tenor_days, on=MONDAY, at=AT
        )
        return self.renewal_id

    def accept(self, **changes: int) -> int:
        row = self.row
        shown = {"quote_id": row.quote_id or 0, "rate_bp": row.rate_bp, **changes}
        return accept_renewal(actor=self.client, renewal_id=row.pk, on=MONDAY, at=AT, **shown)

    def acknowledge(self) -> int:
        contract_id = self.row.contract_id or 0
        for one in find_disclosures("US", MONDAY):
            acknowledge(actor=self.client, contract_id=contract_id, disclosure=one.id, text_hash=one.text_hash, at=AT)
        return contract_id

    def sign(self, at: datetime = AT) -> None:
        proof = Authentication(("password", "totp"), at, "127.0.0.1", "a" * 32)
        sign_contract(actor=self.client, contract_id=self.acknowledge(), authentication=proof, on=at.date(), at=at)

    def countersign(self, actor: Actor | None = None, at: datetime = AT) -> None:
        countersign_contract(
            actor=actor or self.officer,
            contract_id=self.row.contract_id or 0,
            authentication=Authentication(("password", "totp"), at, "127.0.0.1", "b" * 32),
            on=at.date(),
            at=at,
        )

    def to(self, state: RenewalState) -> "Renewing":
        """The renewal, brought to a live state."""
        self.offer()
        if state in {S.ACCEPTED, S.SIGNED}:
            self.accept()
        if state is S.SIGNED:
            self.sign()
        return self


@pytest.fixture
def renewing(desk: Desk) -> Renewing:
    """A loan that can be renewed from today on."""
    account_id = borrowed(desk)
    return make_renewing(desk, account_id)


def make_renewing(desk: Desk, account_id: int) -> Renewing:
    client = person("borrower", RoleName.CLIENT)
    Client.objects.filter(id=desk.near_client).update(
        portal_user_id=client.user_id, relationship_manager_id=desk.manager.user_id
    )
    return Renewing(desk, client, person("officer", RoleName.CREDIT_OFFICER), list_loans(account_id)[0])


def reminders(loan_id: int) -> list[int]:
    return list(MaturityReminder.objects.filter(loan_id=loan_id).order_by("id").values_list("days_before", flat=True))


def test_a_client_is_reminded_once_at_each_of_the_days_before(desk: Desk) -> None:
    loan = list_loans(desk.healthy)[0]
    Loan.objects.exclude(id=loan.id).update(matures_on=loan.matures_on + timedelta(days=900))
    for left, expected in (
        (31, []),
        (30, [30]),
        (30, [30]),
        (20, [30]),
        (14, [30, 14]),
        (2, [30, 14, 7]),
        (1, [30, 14, 7, 1]),
    ):
        on = loan.matures_on - timedelta(days=left)
        remind_of_maturities(on=on, at=noon(on))
        assert reminders(loan.id) == expected
    letters = Notice.objects.filter(about=f"loan:{loan.id}")
    assert letters.count() == 4
    assert loan.matures_on.isoformat() in letters[0].body


def test_after_days_away_only_the_nearest_reminder_is_sent(desk: Desk) -> None:
    loan = list_loans(desk.healthy)[0]
    Loan.objects.exclude(id=loan.id).update(matures_on=loan.matures_on + timedelta(days=900))
    on = loan.matures_on - timedelta(days=3)
    assert remind_of_maturities(on=on, at=noon(on)) == 1
    assert sorted(reminders(loan.id)) == [7, 14, 30]
    assert Notice.objects.filter(about=f"loan:{loan.id}").count() == 1


def test_what_is_not_repaid_is_written_about_once_when_due_and_once_when_late(renewing: Renewing) -> None:
    ends, about = renewing.loan.matures_on, f"loan:{renewing.loan.id}"
    for days, expected in ((0, 0), (1, 1), (2, 0), (5, 0), (6, 1), (7, 0)):
        on = ends + timedelta(days=days)
        assert tell_of_unpaid(on=on, at=noon(on)) == expected
    late, due = Notice.objects.filter(about=about).order_by("-id")
    assert (ends + timedelta(days=5)).isoformat() in due.body
    assert "9.50%" in late.body


def test_a_loan_is_taken_from_cash_on_the_day_of_its_maturity_and_not_before(renewing: Renewing) -> None:
    ends, account_id = renewing.loan.matures_on, renewing.loan.account_id
    cash = get_account(account_id).cash_minor
    for on, paid in ((ends - timedelta(days=1), 0), (ends, 1), (ends, 0)):
        renewing.desk.begin(on)
        assert collect_matured(actor=SYSTEM, on=on, at=noon(on)) == paid
    account = get_account(account_id)
    assert (account.cash_minor, account.principal_minor) == (0, LOAN - cash)
    assert [*verify_ledger(), *verify_accounts()] == []


def test_a_renewal_is_priced_signed_by_both_and_moves_the_maturity_with_its_fee_once(renewing: Renewing) -> None:
    before, account_id = income(), renewing.loan.account_id
    renewing.desk.accrue(MONDAY, TUESDAY)
    unpaid = get_account(account_id).interest_minor
    renewing.offer()
    quote = get_quote(renewing.row.quote_id or 0)
    assert (quote.amount_minor, quote.tenor_days) == (LOAN, 30)
    assert sum(part.bp for part in quote.parts) == quote.rate_bp == renewing.row.rate_bp
    contract_id = renewing.accept()
    assert renewing.accept() == contract_id
    terms = get_contract(renewing.client, contract_id, at=AT).terms
    assert terms.renewal is not None
    assert (terms.starts_on, terms.ends_on) == (renewing.loan.matures_on, renewing.loan.matures_on + timedelta(days=30))
    assert (terms.renewal.fee_minor, terms.renewal.carried_minor) == (20_00, unpaid)
    assert terms.key_facts.cost_whole_term_minor == terms.key_facts.interest_first_year_minor + 20_00 + 8_00
    assert [one.quantity for one in terms.collateral] == [1_000]
    renewing.sign()
    assert renewing.row.state == S.SIGNED
    assert renewing.now.matures_on == renewing.loan.matures_on
    for _ in range(2):
        renewing.countersign()
    renewing.desk.drain()
    row, extension = renewing.row, LoanExtension.objects.get()
    assert row.state == S.DONE
    assert renewing.now.matures_on == terms.ends_on
    assert (extension.number, extension.carried_minor, row.carried_minor) == (1, unpaid, unpaid)
    account = get_account(account_id)
    assert (account.fees_minor, account.interest_minor, row.fee_minor) == (20_00, unpaid, 20_00)
    assert income() - before == 20_00
    assert find_journal(f"fee:renewal:{row.pk}") is not None
    paper = Contract.objects.get(id=contract_id)
    assert paper.state == ContractState.IN_FORCE
    assert paper_of(paper).terms == terms
    assert newest_file(paper)[1].startswith(b"%PDF")
    assert [*verify_renewals(), *verify_desk(AT)] == []
    with pytest.raises(IntegrityError, match="append-only"), transaction.atomic():
        LoanExtension.objects.update(new_matures_on=terms.ends_on + timedelta(days=900))


def test_the_new_rate_holds_from_the_old_maturity_on_and_not_before(renewing: Renewing) -> None:
    renewing.to(S.SIGNED).countersign()
    old, new, begins = renewing.loan.rate_bp, renewing.row.rate_bp, renewing.loan.matures_on
    assert new != old
    assert begin_further_terms(actor=SYSTEM, on=begins - timedelta(days=1), at=AT) == 0
    assert renewing.now.rate_bp == old
    for expected in (1, 0):
        assert begin_further_terms(actor=SYSTEM, on=begins + timedelta(days=2), at=AT) == expected
    assert [(since, rate) for since, rate, _ in list_rates(renewing.loan.id)] == [(MONDAY, old), (begins, new)]
    assert renewing.now.rate_bp == new


def test_a_granted_exception_is_the_price_that_is_accepted(renewing: Renewing) -> None:
    renewing.offer()
    listed = renewing.row.rate_bp
    approval_id = request_exception(
        actor=renewing.desk.manager, quote_id=renewing.row.quote_id or 0, rate_bp=listed - 10, reason="a friend", at=AT
    )
    shown = Approval.objects.get(id=approval_id).payload_hash
    approve(actor=renewing.officer, approval_id=approval_id, payload_hash=shown, at=AT)
    renewing.desk.drain()
    assert get_renewal(renewing.client, renewing.renewal_id).rate_bp == listed - 10
    with pytest.raises(RenewalOver, match="price has changed"):
        renewing.accept()
    renewing.accept(rate_bp=listed - 10)
    assert renewing.row.rate_bp == listed - 10


def test_without_roll_over_interest_is_paid_from_cash_when_the_renewal_comes_into_force(desk: Desk) -> None:
    account_id = borrowed(desk, roll_over_allowed=False)
    renewing = make_renewing(desk, account_id)
    desk.accrue(MONDAY, TUESDAY)
    cash = get_account(account_id).cash_minor
    unpaid = get_account(account_id).interest_minor
    renewing.to(S.SIGNED).countersign()
    account = get_account(account_id)
    assert (account.cash_minor, account.interest_minor, account.fees_minor) == (cash - unpaid, 0, 20_00)
    assert LoanExtension.objects.get().carried_minor == 0


BARS: dict[RenewalBar, Callable[[Renewing], object]] = {
    RenewalBar.MATURED: lambda one: Loan.objects.filter(id=one.loan.id).update(matures_on=date(2019, 11, 24)),
    RenewalBar.TOO_EARLY: lambda one: Loan.objects.filter(id=one.loan.id).update(
        matures_on=MONDAY + timedelta(days=31)
    ),
    RenewalBar.ACCOUNT_NOT_ACTIVE: lambda one: set_status(
        actor=SYSTEM, account_id=one.loan.account_id, status=AccountStatus.FROZEN, reason="asked for", at=AT
    ),
    RenewalBar.CLIENT_NOT_OPEN: lambda one: Client.objects.filter(id=one.desk.near_client).update(
        status="closed", closed_on=MONDAY
    ),
    RenewalBar.NO_LICENCE: lambda one: end_licences(),
    RenewalBar.SCHEME_WITHDRAWN: lambda one: withdraw_scheme(
        maker=one.officer, checker=one.desk.risk, version_id=get_account(one.loan.account_id).scheme_version_id, at=AT
    ),
    RenewalBar.SUSPENDED_NAMES: lambda one: one.desk.suspend("AAPL", is_suspended=True, at=AT),
}


def end_licences() -> None:
    for licence in list_licences():
        end_licence(actor=SYSTEM, licence_id=licence.id, valid_to=date(2019, 11, 1), reason="revoked", at=AT)


def test_what_stands_against_a_renewal_is_named_and_stops_the_offer(renewing: Renewing) -> None:
    assert check_renewal(renewing.client, renewing.loan.id, on=MONDAY, at=AT).bars == ()
    for bar, brings_about in BARS.items():
        with transaction.atomic():
            brings_about(renewing)
            assert bar in check_renewal(renewing.desk.manager, renewing.loan.id, on=MONDAY, at=AT).bars
            with pytest.raises(CannotRenew) as refused:
                renewing.offer()
            assert bar in refused.value.bars
            assert not Renewal.objects.exists()
            assert not Quote.objects.exists()
            transaction.set_rollback(True)


def test_what_changes_in_between_stops_the_next_step_and_nothing_is_half(renewing: Renewing) -> None:
    before = income()
    for state, step, change in (
        (S.OFFERED, renewing.accept, RenewalBar.SCHEME_WITHDRAWN),
        (S.ACCEPTED, renewing.sign, RenewalBar.CLIENT_NOT_OPEN),
        (S.SIGNED, renewing.countersign, RenewalBar.NO_LICENCE),
        (S.SIGNED, renewing.countersign, RenewalBar.SUSPENDED_NAMES),
    ):
        with transaction.atomic():
            renewing.to(state)
            BARS[change](renewing)
            with pytest.raises(Refusal), transaction.atomic():
                step()
            assert renewing.row.state == state
            assert not Contract.objects.filter(state=ContractState.IN_FORCE).exists()
            assert not LoanExtension.objects.exists()
            assert income() == before
            transaction.set_rollback(True)


def test_a_quote_that_ran_out_between_view_and_signature_is_said_and_lapses_by_the_job(renewing: Renewing) -> None:
    renewing.to(S.ACCEPTED)
    late = renewing.row.valid_until + timedelta(seconds=1)
    with pytest.raises(QuoteExpired):
        renewing.sign(late)
    assert renewing.row.state == S.ACCEPTED
    for expected in (1, 0):
        assert lapse_renewals(on=late.date(), at=late) == expected
    assert renewing.row.state == S.EXPIRED
    assert Contract.objects.get().state == ContractState.WITHDRAWN
    renewing.desk.drain()
    assert Notice.objects.filter(about=f"loan:{renewing.loan.id}", subject__contains="未能完成展期").count() == 1
    assert renewing.now.matures_on == renewing.loan.matures_on


def test_what_the_client_signed_waits_for_the_desk_until_the_maturity_and_then_lapses(renewing: Renewing) -> None:
    renewing.to(S.SIGNED)
    later = renewing.row.valid_until + timedelta(hours=1)
    assert lapse_renewals(on=later.date(), at=later) == 0
    after = renewing.loan.matures_on + timedelta(days=1)
    assert lapse_renewals(on=after, at=noon(after)) == 1
    assert (renewing.row.state, Contract.objects.get().state) == (S.EXPIRED, ContractState.WITHDRAWN)


def test_two_people_together_make_one_renewal_and_a_second_person_signs_for_the_desk(renewing: Renewing) -> None:
    first = renewing.offer()
    again = offer_renewal(actor=renewing.officer, loan_id=renewing.loan.id, tenor_days=20, on=MONDAY, at=AT)
    assert first == again
    renewing.accept()
    renewing.sign()
    Renewal.objects.update(offered_by=renewing.officer.ref)
    with pytest.raises(NotACountersigner):
        renewing.countersign()
    assert renewing.row.state == S.SIGNED


def test_one_withdraws_while_the_client_accepts_and_the_other_is_told(renewing: Renewing) -> None:
    renewing.offer()
    withdraw_renewal(actor=renewing.desk.manager, renewal_id=renewing.renewal_id, reason="prices move", at=AT)
    with pytest.raises(RenewalOver):
        renewing.accept()
    assert not Contract.objects.exists()
    with pytest.raises(InvalidTransition):
        decline_renewal(actor=renewing.client, renewal_id=renewing.renewal_id, at=AT)
    assert renewing.offer() != 0


def test_an_agreement_that_ends_on_its_own_page_ends_its_renewal(renewing: Renewing) -> None:
    renewing.to(S.ACCEPTED)
    withdraw_contract(actor=renewing.client, contract_id=renewing.row.contract_id or 0, reason="", at=AT)
    renewing.desk.drain()
    assert renewing.row.state == S.DECLINED
    renewing.to(S.ACCEPTED)
    lapse_contracts(actor=SYSTEM, at=AT + timedelta(days=60))
    renewing.desk.drain()
    assert renewing.row.state == S.EXPIRED


def test_the_database_moves_no_maturity_without_an_agreement_in_force(renewing: Renewing) -> None:
    renewing.to(S.SIGNED)
    with pytest.raises(IntegrityError, match="has no agreement in force"), transaction.atomic():
        Renewal.objects.update(state=S.DONE)
    with pytest.raises(IntegrityError, match="only under an agreement in force"), transaction.atomic():
        LoanExtension.objects.create(
            loan_id=renewing.loan.id,
            number=1,
            old_matures_on=MONDAY,
            new_matures_on=TUESDAY,
            old_rate_bp=1,
            new_rate_bp=1,
            key=f"renewal:{renewing.renewal_id}",
            extended_by="tests",
            at=AT,
        )


def test_a_further_term_is_within_the_scheme_and_renewals_run_out(renewing: Renewing) -> None:
    with pytest.raises(RenewalTermRefused):
        renewing.offer(tenor_days=31)
    assert not Quote.objects.exists()
    for _ in range(2):
        renewing.to(S.SIGNED).countersign()
        Loan.objects.filter(id=renewing.loan.id).update(matures_on=renewing.loan.matures_on)
    assert check_renewal(renewing.client, renewing.loan.id, on=MONDAY, at=AT).bars == (RenewalBar.NO_RENEWALS_LEFT,)


def test_i66_another_client_sees_no_loan_and_no_renewal(renewing: Renewing) -> None:
    renewing.offer()
    other = person("other", RoleName.CLIENT)
    Client.objects.filter(id=renewing.desk.healthy_client).update(portal_user_id=other.user_id)
    for ask in (
        lambda: get_renewal(other, renewing.renewal_id),
        lambda: check_renewal(other, renewing.loan.id, on=MONDAY, at=AT),
        lambda: decline_renewal(actor=other, renewal_id=renewing.renewal_id, at=AT),
    ):
        with pytest.raises(RenewalNotFound):
            ask()
    assert list_own_loans(renewing.client, on=MONDAY)[0].loan_id == renewing.loan.id


def test_the_list_holds_what_matures_within_a_month_and_what_is_past(renewing: Renewing) -> None:
    def listed(on: date, **wanted: str) -> list[tuple[str, MaturityStage]]:
        found = find_maturing(renewing.officer, on=on, **wanted)
        assert found.count == len(found.rows)
        return [(one.number, one.stage) for one in found.rows]

    number, ends = renewing.loan.number, renewing.loan.matures_on
    assert listed(MONDAY) == [(number, MaturityStage.NEAR)]
    assert listed(MONDAY, when="soon") == listed(MONDAY, when="past") == []
    assert listed(ends + timedelta(days=5), when="past") == [(number, MaturityStage.DUE)]
    assert listed(ends + timedelta(days=6), when="past") == [(number, MaturityStage.LATE)]
    renewing.offer()
    assert listed(MONDAY, renewal="none") == []
    assert listed(MONDAY, renewal="offered", text=number.lower()) == [(number, MaturityStage.NEAR)]


ENDS = {S.DECLINED, S.WITHDRAWN, S.EXPIRED}


def test_a_renewal_is_done_only_after_both_have_signed_and_can_end_at_any_time_before() -> None:
    table = rules.RENEWAL_STATES
    allowed = {(old, new) for old, news in table.moves.items() for new in news}
    road = [S.ASKED, S.OFFERED, S.ACCEPTED, S.SIGNED, S.DONE]
    assert allowed == {*pairwise(road), *((live, end) for live in road[:4] for end in ENDS)}
    assert table.is_walk(road)
    assert all(table.is_final(state) for state in (*ENDS, S.DONE))
    assert rules.LIVE_RENEWALS == ["accepted", "asked", "offered", "signed"]


def test_a_client_asks_and_the_desk_prices_what_was_asked_for(renewing: Renewing) -> None:
    for _ in range(2):
        renewing.renewal_id = ask_renewal(
            actor=renewing.client, loan_id=renewing.loan.id, tenor_days=20, on=MONDAY, at=AT
        )
    row = renewing.row
    assert (row.state, row.asked_by, row.rate_bp, row.quote_id) == (S.ASKED, renewing.client.ref, None, None)
    assert (row.new_matures_on - row.old_matures_on).days == 20
    assert Notice.objects.filter(subject__contains="展期申请").count() == 1
    assert find_maturing(renewing.desk.manager, on=MONDAY, renewal="asked").count == 1
    with pytest.raises(RenewalOver):
        accept_renewal(actor=renewing.client, renewal_id=row.pk, quote_id=1, rate_bp=1, on=MONDAY, at=AT)
    assert renewing.offer(25) == row.pk
    offered = renewing.row
    assert (offered.state, offered.asked_at, offered.offered_at) == (S.OFFERED, AT, AT)
    assert (offered.new_matures_on - offered.old_matures_on).days == 25
    renewing.accept()
    renewing.sign()
    renewing.countersign()
    assert (renewing.row.state, renewing.now.matures_on) == (S.DONE, offered.new_matures_on)
    renewing.desk.drain()
    assert [*verify_renewals(), *verify_desk(AT)] == []


def test_an_ask_that_cannot_be_is_refused_with_its_reasons_and_leaves_nothing(renewing: Renewing) -> None:
    def ask(actor: Actor, tenor_days: int = 20, on: date = MONDAY) -> int:
        return ask_renewal(actor=actor, loan_id=renewing.loan.id, tenor_days=tenor_days, on=on, at=AT)

    with pytest.raises(RenewalTermRefused):
        ask(renewing.client, 31)
    with pytest.raises(CannotRenew) as refused:
        ask(renewing.client, on=renewing.loan.matures_on + timedelta(days=1))
    assert refused.value.bars == (RenewalBar.MATURED,)
    user_id = person("other", RoleName.CLIENT).user_id
    Client.objects.filter(id=renewing.desk.healthy_client).update(portal_user_id=user_id)
    other = Client.objects.get(id=renewing.desk.healthy_client).portal_user
    assert other is not None
    with pytest.raises(RenewalNotFound):
        ask(actor_for(other))
    assert not Renewal.objects.exists()


@pytest.mark.parametrize("end", ["client", "desk", "time"])
def test_an_ask_ends_by_its_client_by_the_desk_or_at_the_maturity(renewing: Renewing, end: str) -> None:
    renewal_id = ask_renewal(actor=renewing.client, loan_id=renewing.loan.id, tenor_days=20, on=MONDAY, at=AT)
    renewing.renewal_id = renewal_id
    after = renewing.loan.matures_on + timedelta(days=1)
    assert lapse_renewals(on=renewing.loan.matures_on, at=noon(renewing.loan.matures_on)) == 0
    if end == "client":
        decline_renewal(actor=renewing.client, renewal_id=renewal_id, at=AT)
    elif end == "desk":
        withdraw_renewal(actor=renewing.desk.manager, renewal_id=renewal_id, reason="not now", at=AT)
    else:
        assert lapse_renewals(on=after, at=noon(after)) == 1
    assert renewing.row.state == {"client": S.DECLINED, "desk": S.WITHDRAWN, "time": S.EXPIRED}[end]
    with pytest.raises(IntegrityError, match="lending_renewal_offered_with_its_price"), transaction.atomic():
        Renewal.objects.update(state="offered", ended_at=None)


def bound_decision(client_id: int, kind: ConditionKind, figure: int, moment: ConditionMoment) -> int:
    """A decision with one condition, as it stands on record."""
    decision = CreditDecision.objects.create(
        client_id=client_id,
        scheme_version_id=MarginAccount.objects.filter(client_id=client_id).latest("id").scheme_version_id,
        scheme_code="FEES",
        policy=Publication.objects.order_by("id")[0],
        inputs={},
        answer="{}",
        currency="USD",
        asked_minor=LOAN,
        outcome="refer",
        decided_on=MONDAY,
        decided_at=AT,
        decided_by="user:1",
        expires_on=MONDAY,
        state="open",
    )
    CreditCondition.objects.create(decision=decision, code="one", kind=kind, figure=figure, moment=moment)
    return decision.pk


def test_a_condition_of_the_decision_binds_a_renewal_is_in_its_agreement_and_held(renewing: Renewing) -> None:
    """The decision asks for shares of two names at each drawdown: the account holds Apple alone."""
    account = MarginAccount.objects.get(id=renewing.loan.account_id)
    decision = bound_decision(account.client_id, ConditionKind.NAMES_LEAST, 2, ConditionMoment.DRAWDOWN)
    MarginAccount.objects.filter(id=account.pk).update(decision_id=decision)
    found = check_renewal(renewing.client, renewing.loan.id, on=MONDAY, at=AT)
    assert found.bars == (RenewalBar.CONDITION_NOT_MET,)
    (condition,) = found.conditions
    assert (condition.stands, "at least 2 names" in condition.words) == ("not_met", True)
    with pytest.raises(CannotRenew):
        renewing.offer()
    assert not Renewal.objects.exists()
    renewing.desk.receive(account.pk, renewing.desk.instruments["JPM"], 10, MONDAY)
    renewing.offer()
    terms = get_contract(renewing.client, renewing.accept(), at=AT).terms
    assert [one.words for one in terms.conditions] == [
        "At each drawdown and renewal, there must be shares of at least 2 names."
    ]
    first = bound_decision(account.client_id, ConditionKind.NAMES_LEAST, 9, ConditionMoment.FIRST_DRAWDOWN)
    MarginAccount.objects.filter(id=account.pk).update(decision_id=first)
    assert check_renewal(renewing.client, renewing.loan.id, on=MONDAY, at=AT).is_eligible
