"""A whole desk of any size, with something in every room: what pages and lists are measured on.

What is shaped by rules (assessments, decisions, quotes, contracts, hits, scores, groups, margin states and what follows
from them) is made by the services that a real desk uses, at least once; `data/full_desk.sql` then repeats it for every
client in statements over all of them. Every constraint, key and trigger is on. The desk may grow again.
"""

import csv
import hashlib
import io
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

import numpy as np
from django.db import connection, transaction

from reefpoint.benchmarks.big_desk import ACTOR, ON, OPENS_AT, BigDesk, list_names, make_person, make_reference_rows
from reefpoint.decisions.collateral.services.assessments import assess_names
from reefpoint.decisions.credit.services import decide
from reefpoint.decisions.credit.types import CreditAsk
from reefpoint.decisions.kyc.services import review_client
from reefpoint.decisions.kyc.types import Rating
from reefpoint.decisions.margin.services.monitor import Monitor
from reefpoint.decisions.monitoring.models import Alert
from reefpoint.decisions.monitoring.services.activities import note_activities
from reefpoint.decisions.monitoring.services.rules import install_typologies
from reefpoint.decisions.monitoring.services.sweeping import judge_clients
from reefpoint.decisions.monitoring.types import ActivityDraft, ActivityKind
from reefpoint.decisions.pricing.services import quote
from reefpoint.decisions.relations.services import regroup_all
from reefpoint.decisions.scoring.models import FeatureSet
from reefpoint.decisions.scoring.services import build_features_of
from reefpoint.decisions.scoring.services.scoring import score_sets
from reefpoint.decisions.scoring.types import Cause, ScoreView
from reefpoint.decisions.screening.models import Hit
from reefpoint.decisions.screening.services import load_list, screen_client
from reefpoint.decisions.screening.types import ListShape
from reefpoint.decisions.suitability.services import record_answers_of_all
from reefpoint.flows.operations.services.clock import set_desk_clock
from reefpoint.flows.operations.services.demo_desk import ANSWERS
from reefpoint.flows.origination.services.leads import add_leads
from reefpoint.flows.origination.types.leads import LeadChannel, LeadDraft
from reefpoint.platform.access.types import RoleName
from reefpoint.platform.database.bulk import insert_columns
from reefpoint.platform.events.services import dispatch_once
from reefpoint.platform.vault.services import digest_many, seal_many
from reefpoint.records.contracts.rules.sample import SAMPLE_TERMS
from reefpoint.records.contracts.services import offer_contract, prepare_contract
from reefpoint.records.contracts.types import Language
from reefpoint.records.ledger.services import post_journals
from reefpoint.records.ledger.types import BANK_SETTLEMENT, JournalDraft, Line, client_cash, loan_principal
from reefpoint.records.market.selectors import list_instruments
from reefpoint.records.parties.rules import profile_to_json, traits_of
from reefpoint.records.parties.selectors.documents import document_context
from reefpoint.records.parties.selectors.profiles import profile_context
from reefpoint.records.parties.services import record_licence, record_profile, register_clients
from reefpoint.records.parties.types import Activity, ClientDraft, ClientKind, ProfileDraft
from reefpoint.records.products.selectors import published_version
from reefpoint.records.treasury.services.pools import fund_pool, open_pool

SCRIPT = Path(__file__).with_name("data") / "full_desk.sql"
POOL = "MAIN"
POOL_MINOR = 10_000_000_000_00
NAMES = 100
DELIVERIES = 20
LISTED = 200
ALERTING = "structuring"
AT_ONCE = 1_000
_LETTERS = str.maketrans("0123456789", "ghijklmnop")
DOCUMENT = b"%PDF-1.4\n% nothing is in it\n%%EOF\n"


@dataclass(frozen=True)
class Originals:
    """What the services made for the first client, by id; `data/full_desk.sql` repeats it for the others."""

    manager_id: int
    checker_id: int
    scheme_version_id: int
    pool_id: int
    client_id: int
    kyc_id: int
    score_id: int
    decision_id: int
    quote_id: int
    contract_id: int
    hit_id: int
    alert_id: int


def found_full_desk() -> Originals:
    """Everything that a desk has once, and a first client for whom the services made one of each."""
    make_reference_rows()
    set_desk_clock(OPENS_AT)
    manager = make_person("manager", RoleName.RELATIONSHIP_MANAGER)
    checker = make_person("compliance", RoleName.COMPLIANCE)
    for activity in Activity:
        record_licence(
            actor=ACTOR, jurisdiction="US", activity=activity, permit="us.broker_dealer", number="BENCH-1",
            holder="A desk to be measured", valid_from=date(1990, 1, 1), valid_to=None, evidence="none", at=OPENS_AT,
        )  # fmt: skip
    pool_id = open_pool(
        actor=ACTOR, code=POOL, name="Main", currency="USD", committed_minor=POOL_MINOR, cost_bp=200, at=OPENS_AT
    )
    fund_pool(actor=ACTOR, pool_code=POOL, amount_minor=POOL_MINOR, reference="POOL", on=ON, at=OPENS_AT)
    list_names(NAMES)
    for number in range(DELIVERIES):
        _deliver_prices(number)
    install_typologies(actor=ACTOR, at=OPENS_AT)
    assess_names(actor=ACTOR, on=ON, at=OPENS_AT, paths=1_000)
    _load_list()
    originals = _make_originals(manager.user_id or 0, checker.user_id or 0, pool_id)
    settle()
    return originals


def _deliver_prices(number: int) -> None:
    """The delivery of that number: prices of all names, a little off those before."""
    symbols = [one.symbol for one in list_instruments()]
    price = np.random.default_rng(7).integers(200_000, 5_000_000, NAMES) // 100 * 100
    market = BigDesk(0, 0, tuple(symbols), price, ())
    market.quote(np.arange(NAMES), np.full(NAMES, number % 3), number)


def settle() -> None:
    """Carry the outbox, and measure every account, until nothing waits."""
    monitor = Monitor()
    while dispatch_once("worker") + monitor.run_once():
        pass


def _load_list() -> None:
    """A list on which the first client stands."""
    text = io.StringIO()
    rows = csv.writer(text)
    rows.writerow(("id", "schema", "name", "aliases", "birth_date", "countries"))
    rows.writerow(("B-0", "Person", "Original Borrower", "", "1970", "us"))
    rows.writerows((f"B-{n}", "Person", f"Listed Nobody {chr(97 + n % 26)}{n}", "", "", "") for n in range(1, LISTED))
    load_list(
        actor=ACTOR, source="bench", content=text.getvalue().encode(), shape=ListShape.OPENSANCTIONS_CSV,
        file_name="bench.csv", at=OPENS_AT,
    )  # fmt: skip


def _profile(name: str, n: int) -> ProfileDraft:
    """What a client says; three of ten have a phone of which others have the same."""
    return ProfileDraft(
        kind=ClientKind.INDIVIDUAL,
        name=name,
        phone=f"+1415{5_000_000 + n // 10 if n % 10 < 3 else 6_000_000 + n}",
        trading_years=n % 20,
        liquid_assets_minor=500_000_00 + n,
        annual_income_minor=90_000_00 + n,
        currency="USD",
    )


def _make_originals(manager_id: int, checker_id: int, pool_id: int) -> Originals:
    draft = ClientDraft("Original Borrower", "original@bench.test", relationship_manager_id=manager_id)
    [client_id] = register_clients(actor=ACTOR, drafts=[draft], on=ON, at=OPENS_AT)
    record_answers_of_all(actor=ACTOR, rows=[(client_id, ANSWERS["PRIME"])], at=OPENS_AT)
    record_profile(
        actor=ACTOR, client_id=client_id, draft=_profile("Original Borrower", 1), reason="a file", at=OPENS_AT
    )
    screen_client(actor=ACTOR, client_id=client_id, at=OPENS_AT)
    kyc = review_client(actor=ACTOR, client_id=client_id, rating=Rating.STANDARD, note="looked at", on=ON, at=OPENS_AT)
    with connection.cursor() as cursor:
        cursor.execute("SELECT id FROM market_instrument ORDER BY id LIMIT 2")
        portfolio = tuple((row[0], 1_000) for row in cursor.fetchall())
    [score] = _score([client_id])
    version = published_version("STANDARD", ON)
    decision = decide(
        actor=ACTOR, client_id=client_id, ask=CreditAsk("STANDARD", 20_000_00, "USD", portfolio),
        feature_set_id=score.feature_set_id, score_id=score.id, on=ON, at=OPENS_AT,
    )  # fmt: skip
    told = quote(
        actor=ACTOR, client_id=client_id, scheme_version_id=version.id, amount_minor=20_000_00, tenor_days=90,
        grade=score.grade or None, segment=None, portfolio=portfolio, on=ON, at=OPENS_AT,
    )  # fmt: skip
    contract_id = prepare_contract(
        actor=ACTOR, client_id=client_id, terms=SAMPLE_TERMS, language=Language.EN, on=ON, at=OPENS_AT
    )
    offer_contract(actor=ACTOR, contract_id=contract_id, at=OPENS_AT)
    return Originals(
        manager_id=manager_id,
        checker_id=checker_id,
        scheme_version_id=version.id,
        pool_id=pool_id,
        client_id=client_id,
        kyc_id=kyc.id,
        score_id=score.id,
        decision_id=decision.id,
        quote_id=told.id,
        contract_id=contract_id,
        hit_id=Hit.objects.get(client_id=client_id).pk,
        alert_id=_raise_alert(client_id),
    )


def _raise_alert(client_id: int) -> int:
    """Deposits that just stay below what must be reported, and what the sweep makes of them."""
    with transaction.atomic():
        note_activities(
            [
                ActivityDraft(
                    kind=ActivityKind.DEPOSIT,
                    key=f"original:{number}",
                    client_id=client_id,
                    at=OPENS_AT - timedelta(hours=5 * number + 5),
                    amount_minor=9_500_00,
                )
                for number in range(6)
            ]
        )
    judge_clients(since={client_id: OPENS_AT - timedelta(days=2)}, at=OPENS_AT)
    return Alert.objects.filter(client_id=client_id, rule__code=ALERTING).order_by("id")[0].pk


def grow_full_desk(originals: Originals, count: int) -> None:
    """So many more clients, and what belongs to them in every room."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM parties_client WHERE email LIKE 'client%@bench.test'")
        first = cursor.fetchone()[0] + 1
        values = {**vars(originals), "first": first, "last": first + count - 1}
        del values["client_id"]
        cursor.execute(
            "CREATE TEMP TABLE growth AS SELECT %s::date AS on_day, %s::timestamptz AS at, "
            + ", ".join(f"%s::bigint AS {name}" for name in values),
            [ON, OPENS_AT, *values.values()],
        )
        clients, rest = SCRIPT.read_text().split("-- SEALED\n")
        cursor.execute(clients)
        cursor.execute("SELECT client_id, n FROM fresh ORDER BY n")
        fresh = cursor.fetchall()
        for begin in range(0, count, AT_ONCE):
            _seal_files(fresh[begin : begin + AT_ONCE])
            _score([client_id for client_id, n in fresh[begin : begin + AT_ONCE] if n % 2 == 0])
            _add_leads([n for _, n in fresh[begin : begin + AT_ONCE]])
        record_answers_of_all(
            actor=ACTOR, rows=[(client_id, ANSWERS["STANDARD"]) for client_id, _ in fresh], at=OPENS_AT
        )
        cursor.execute(rest)
        cursor.execute("SELECT number, worth_minor, debt_minor FROM borrowed ORDER BY n")
        _post_balances(cursor.fetchall())
        cursor.execute("DROP TABLE growth, fresh, listed, opened, borrowed")
    regroup_all(actor=ACTOR, at=OPENS_AT)
    _deliver_prices(DELIVERIES + first)
    settle()


def _score(client_ids: Sequence[int]) -> list[ScoreView]:
    built = build_features_of(actor=ACTOR, client_ids=client_ids, on=ON, at=OPENS_AT)
    sets = list(FeatureSet.objects.filter(id__in=built.values()).order_by("id"))
    return score_sets(actor=ACTOR, sets=sets, at=OPENS_AT, cause=Cause.SCHEDULE)


def _seal_files(fresh: Sequence[tuple[int, int]]) -> None:
    """A profile and a document for each of these clients."""
    drafts = [_profile(f"Client {n}", n) for _, n in fresh]
    profiles = [profile_to_json(draft) for draft in drafts]
    sealed = seal_many(
        [(plain, profile_context(client_id, 1)) for plain, (client_id, _) in zip(profiles, fresh, strict=True)]
    )
    digests = digest_many([("profile", plain.decode()) for plain in profiles])
    insert_columns(
        "parties_profile",
        {
            "client_id": "bigint", "version": "int", "key_id": "bigint", "blob": "bytea", "digest": "bytea",
            "reason": "text", "recorded_at": "timestamptz", "recorded_by": "text",
        },
        [
            (client_id, 1, one.key_id, _hex(one.blob), _hex(digest), "", OPENS_AT, ACTOR.ref)
            for (client_id, _), one, digest in zip(fresh, sealed, digests, strict=True)
        ],
    )  # fmt: skip
    traits = [
        (client_id, *key, masked)
        for (client_id, n), draft in zip(fresh, drafts, strict=True)
        for key, masked in traits_of(draft, f"client{n}@bench.test").items()
    ]
    indexes = digest_many([(kind.value, text) for _, kind, text, _ in traits])
    insert_columns(
        "parties_trait",
        {"client_id": "bigint", "kind": "text", "digest": "bytea", "masked": "text", "since": "timestamptz"},
        [
            (client_id, kind.value, _hex(index), masked, OPENS_AT)
            for (client_id, kind, _, masked), index in zip(traits, indexes, strict=True)
        ],
    )
    places = [uuid.uuid4() for _ in fresh]
    papers = seal_many(
        [(DOCUMENT, document_context(client_id, place)) for (client_id, _), place in zip(fresh, places, strict=True)]
    )
    [digest] = digest_many([("document", DOCUMENT.hex())])
    insert_columns(
        "parties_document",
        {
            "client_id": "bigint", "place": "uuid", "kind": "text", "file_name": "text", "media_type": "text",
            "size_bytes": "int", "key_id": "bigint", "blob": "bytea", "digest": "bytea", "added_at": "timestamptz",
            "added_by": "text",
        },
        [
            (
                client_id, place, "identity", "passport.pdf", "application/pdf", len(DOCUMENT), one.key_id,
                _hex(one.blob), _hex(digest), OPENS_AT, ACTOR.ref,
            )
            for (client_id, _), place, one in zip(fresh, places, papers, strict=True)
        ],
    )  # fmt: skip


def _hex(value: bytes) -> str:
    return f"\\x{value.hex()}"


def _add_leads(numbers: Sequence[int]) -> None:
    channels = tuple(LeadChannel)
    drafts = [
        LeadDraft(_word(n), channels[n % len(channels)], email=f"lead{n}@bench.test", may_contact=n % 3 > 0)
        for n in numbers
    ]
    add_leads(actor=ACTOR, drafts=drafts, at=OPENS_AT - timedelta(days=numbers[0] % 90))


def _word(n: int) -> str:
    """A name of its own for each number: two names of two numbers are not alike."""
    letters = hashlib.sha256(str(n).encode()).hexdigest().translate(_LETTERS)
    return f"{letters[:7].title()} {letters[7:16].title()}"


def _post_balances(rows: Sequence[tuple[str, int, int]]) -> None:
    """A deposit and a drawdown of each account, a journal each."""
    for begin in range(0, len(rows), AT_ONCE):
        drafts = [
            JournalDraft(kind=kind, key=f"bench:{kind}:{number}", lines=(line,))
            for number, worth, debt in rows[begin : begin + AT_ONCE]
            for kind, line in (
                ("deposit", Line(BANK_SETTLEMENT, client_cash(f"M-{number}"), worth // 50)),
                ("drawdown", Line(loan_principal(f"M-{number}"), BANK_SETTLEMENT, debt)),
            )
        ]
        post_journals(actor=ACTOR, drafts=drafts, effective_on=ON, at=OPENS_AT)
