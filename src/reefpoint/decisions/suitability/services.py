"""Recording answers, segments and proofs, and the one gate before an offer."""

from collections.abc import Collection, Sequence
from datetime import date, datetime

from django.db import transaction

from reefpoint.decisions.suitability import rules
from reefpoint.decisions.suitability.models import Acknowledgement, Assessment, EntryRecord, SegmentRecord
from reefpoint.decisions.suitability.selectors import (
    OFFERS,
    QUESTIONNAIRE,
    judge_offer,
    judge_terms,
    read_offers,
    read_questionnaire,
    warning_hash,
)
from reefpoint.decisions.suitability.types import (
    AnswerProblem,
    Answers,
    EntryFacts,
    Segment,
    SegmentFacts,
    Verdict,
)
from reefpoint.platform.access.services import require
from reefpoint.platform.audit.services import record
from reefpoint.platform.basics.actors import Actor
from reefpoint.platform.basics.errors import Refusal
from reefpoint.platform.basics.months import months_after
from reefpoint.platform.basics.personal_data import ERASED, is_kept
from reefpoint.platform.basics.sentences import Sentence
from reefpoint.platform.publications.services import use_publication
from reefpoint.records.parties.selectors.clients import get_client, require_client, require_own_or
from reefpoint.records.parties.selectors.profiles import load_profiles
from reefpoint.records.parties.types import ClientKind
from reefpoint.records.products.types import SchemeTerms

EVIDENCE_CHARS_MAX = 500


class NotDeclared(Refusal):
    """A market asks for what the client has not declared."""

    code = "not_declared"


class AnswersRefused(Refusal):
    """Answers with a question left out or an option that does not exist. `problems` are by question."""

    code = "answers_refused"

    def __init__(self, problems: Sequence[AnswerProblem]) -> None:
        super().__init__(
            "{count} of the answers are missing or cannot be used. Nothing was recorded.",
            count=len(problems),
            problems=[vars(problem) for problem in problems],
        )
        self.problems = tuple(problems)


class QuestionnaireChanged(Refusal):
    """The answers are to a version that is no longer in force."""

    code = "questionnaire_changed"


class SegmentRefused(Refusal):
    """The facts do not qualify the client for the segment."""

    code = "segment_refused"


class EvidenceNeeded(Refusal):
    """What was seen must be named."""

    code = "evidence_needed"


class NotOfThisMarket(Refusal):
    """The jurisdiction asks for no such proof."""

    code = "not_of_this_market"


class NothingToAcknowledge(Refusal):
    """The scheme needs no warning, or none would make it suitable."""

    code = "nothing_to_acknowledge"


class Unsuitable(Refusal):
    """A scheme that may not be offered to this client. Each reason has a code of its own (C08)."""

    def __init__(self, verdict: Verdict) -> None:
        super().__init__(
            verdict.message or Sentence("This scheme cannot be offered."),
            scheme=verdict.scheme_code,
            risk_class=verdict.risk_class.value,
        )
        self.code = verdict.code  # one class, a code for each reason
        self.verdict = verdict


@transaction.atomic
def record_answers(*, actor: Actor, client_id: int, answers: Answers, at: datetime, version: int | None = None) -> int:
    """Record a client's answers to the questionnaire in force, and what they come to. Returns the assessment's id.

    Clients answer for themselves; staff who may assess answer for clients in their scope. `version` is what was shown.
    Raises `AnswersRefused`, `QuestionnaireChanged`, `ClientNotFound`, `PermissionRefused`.
    """
    require_own_or(actor, "suitability.assess", client_id)
    return _record(actor=actor, rows=[(client_id, answers)], at=at, version=version)[0]


@transaction.atomic
def record_answers_of_all(*, actor: Actor, rows: Sequence[tuple[int, Answers]], at: datetime) -> list[int]:
    """Record the answers of many clients, all or none, in one statement. Returns the assessments' ids in order."""
    require(actor, "suitability.assess")
    for client_id, _ in rows:
        require_client(actor, client_id)
    return _record(actor=actor, rows=rows, at=at, version=None)


def _record(*, actor: Actor, rows: Sequence[tuple[int, Answers]], at: datetime, version: int | None) -> list[int]:
    published = use_publication(kind=QUESTIONNAIRE, on=at.date(), at=at)
    assert published.id is not None, "what is used is on record"
    if version is not None and version != published.version:
        raise QuestionnaireChanged("The questionnaire has changed since you opened it. Answer the new one.")
    questionnaire = read_questionnaire(published.id)
    if problems := [problem for _, answers in rows for problem in rules.check_answers(questionnaire, answers)]:
        raise AnswersRefused(problems)
    expires_on = months_after(at.date(), questionnaire.months)
    made = []
    for client_id, answers in rows:
        score = rules.score_answers(questionnaire, answers)
        made.append(
            Assessment(
                client_id=client_id,
                questionnaire_id=published.id,
                answers=dict(answers),
                points=score.points,
                knowledge_points=score.knowledge_points,
                is_knowledge_shown=score.is_knowledge_shown,
                tolerance=score.tolerance,
                assessed_on=at.date(),
                expires_on=expires_on,
                assessed_at=at,
                assessed_by=actor.ref,
            )
        )
    ids = [row.pk for row in Assessment.objects.bulk_create(made)]
    if ids:
        one = made[0]
        record(
            actor=actor,
            action="suitability.assess",
            subject=f"client:{one.client_id}" if len(made) == 1 else f"assessments:{ids[0]}-{ids[-1]}",
            inputs={
                "assessment_id": ids[0],
                "questionnaire_version": published.version,
                **({"tolerance": one.tolerance, "points": one.points} if len(made) == 1 else {"count": len(made)}),
            },
            at=at,
        )
    return ids


@transaction.atomic
def assign_segment(
    *,
    actor: Actor,
    client_id: int,
    jurisdiction: str,
    segment: Segment,
    facts: SegmentFacts,
    evidence: str,
    on: date,
    at: datetime,
) -> int:
    """Put a client into a segment of a jurisdiction, on facts that evidence shows. Returns the record's id.

    A client may always be put where protection is greater. Raises `SegmentRefused` when the published criteria give
    less, `EvidenceNeeded`, `NotOfThisMarket`, `ClientNotFound`.
    """
    require(actor, "suitability.assess")
    client = get_client(actor, client_id)
    seen = _evidence(evidence)
    published = use_publication(kind=OFFERS, on=on, at=at)
    assert published.id is not None, "what is used is on record"
    tables = read_offers(published.id)
    is_institution = client.kind is ClientKind.INSTITUTION
    best = rules.segment_of(tables, jurisdiction, facts, is_institution=is_institution)
    if best is None:
        raise NotOfThisMarket("No criteria of segments are on record for {jurisdiction}.", jurisdiction=jurisdiction)
    ordinary = Segment.INSTITUTION if is_institution else Segment.RETAIL
    if segment not in {best, ordinary}:
        raise SegmentRefused(
            "By these facts the client is {best}, not {segment}. Nothing was recorded.",
            qualified=best.value,
            best=best,
            segment=segment,
        )
    row = SegmentRecord.objects.create(
        client_id=client_id,
        offers_id=published.id,
        jurisdiction=jurisdiction,
        segment=segment,
        facts=vars(facts),
        evidence=seen,
        assigned_on=on,
        expires_on=months_after(on, tables.segment_months),
        assigned_at=at,
        assigned_by=actor.ref,
    )
    record(
        actor=actor,
        action="suitability.segment",
        subject=f"client:{client_id}",
        inputs={"jurisdiction": jurisdiction, "segment": segment.value, "evidence": seen},
        at=at,
    )
    return row.pk


@transaction.atomic
def record_entry_facts(
    *,
    actor: Actor,
    client_id: int,
    jurisdiction: str,
    trading_months: int,
    average_assets_minor: int,
    evidence: str,
    on: date,
    at: datetime,
) -> int:
    """Record what a market wants proved before a margin account is opened. Returns the record's id.

    Whether the client has defaulted or is a major shareholder of the lender is what they declared, never what is typed
    here. Raises `EvidenceNeeded`, `NotOfThisMarket`, `NotDeclared` before they said so, `ClientNotFound`.
    """
    require(actor, "suitability.assess")
    require_client(actor, client_id)
    seen = _evidence(evidence)
    profile = load_profiles([client_id]).get(client_id)
    if profile is None or profile.has_defaulted is None or profile.is_major_shareholder is None:
        raise NotDeclared(
            "The client has not declared yet whether they defaulted or are a major shareholder of the lender: see the "
            "declarations of their application or profile."
        )
    facts = EntryFacts(trading_months, average_assets_minor, profile.has_defaulted, profile.is_major_shareholder)
    if jurisdiction not in read_offers(use_publication(kind=OFFERS, on=on, at=at).id).entry_tables:
        raise NotOfThisMarket("{jurisdiction} asks for no proof before a margin account.", jurisdiction=jurisdiction)
    row = EntryRecord.objects.create(
        client_id=client_id,
        jurisdiction=jurisdiction,
        facts=vars(facts),
        evidence=seen,
        recorded_on=on,
        recorded_at=at,
        recorded_by=actor.ref,
    )
    record(
        actor=actor,
        action="suitability.entry",
        subject=f"client:{client_id}",
        inputs={"jurisdiction": jurisdiction, "evidence": seen},
        at=at,
    )
    return row.pk


@transaction.atomic
def acknowledge_warning(*, actor: Actor, client_id: int, scheme_code: str, on: date, at: datetime) -> None:
    """The client has read the warning of a scheme one class above and wants it all the same. Idempotent.

    It covers the latest assessment, that class and that wording alone. Raises `NothingToAcknowledge` for a scheme that
    needs none, and for one that no warning would make suitable.
    """
    require_own_or(actor, "suitability.assess", client_id)
    verdict = judge_offer(client_id, scheme_code, on)
    if verdict.warning is None:
        raise NothingToAcknowledge("This scheme has no warning that could be acknowledged.", scheme=scheme_code)
    newest = Assessment.objects.select_for_update().filter(client_id=client_id).order_by("-id").first()
    assert newest is not None, "there is a verdict with a tolerance"
    text_hash = warning_hash(read_offers(use_publication(kind=OFFERS, on=on, at=at).id))
    _, is_new = Acknowledgement.objects.get_or_create(
        assessment=newest,
        risk_class=verdict.risk_class,
        text_hash=text_hash,
        defaults={"acknowledged_at": at, "acknowledged_by": actor.ref},
    )
    if is_new:
        record(
            actor=actor,
            action="suitability.acknowledge",
            subject=f"client:{client_id}",
            inputs={"scheme": scheme_code, "risk_class": verdict.risk_class.value, "text_hash": text_hash},
            at=at,
        )


def require_suitable(*, client_id: int, scheme_code: str, on: date, terms: SchemeTerms | None = None) -> Verdict:
    """The verdict under which a scheme is offered or opened; the one gate for pages, API and imports alike.

    `terms` are those in force, for a caller who has read them already. Raises `Unsuitable` with the reason's code.
    """
    if terms is None:
        verdict = judge_offer(client_id, scheme_code, on)
    else:
        verdict = judge_terms(client_id, scheme_code, terms, on)
    if not verdict.is_suitable:
        raise Unsuitable(verdict)
    return verdict


def _evidence(text: str) -> str:
    seen = text.strip()
    if not seen or len(seen) > EVIDENCE_CHARS_MAX:
        raise EvidenceNeeded(
            "Name what was seen, in at most {evidence_chars_max} characters.", evidence_chars_max=EVIDENCE_CHARS_MAX
        )
    return seen


@transaction.atomic
def erase_notes(*, actor: Actor, client_id: int, kept: Collection[str], at: datetime) -> None:
    """Blank the words of evidence on a client, unless a law keeps some of the client's data (`kept`).

    Answers, facts and what followed from them stay: they hold no names or numbers.
    """
    require(actor, "clients.erase")
    erased = (
        {}
        if is_kept("suitability.SegmentRecord", kept)
        else {
            "evidence": sum(
                model.objects.filter(client_id=client_id).exclude(evidence=ERASED).update(evidence=ERASED)
                for model in (SegmentRecord, EntryRecord)
            )
        }
    )
    record(
        actor=actor,
        action="suitability.erase",
        subject=f"client:{client_id}",
        inputs={"erased": erased, "kept": sorted(kept)},
        at=at,
    )
