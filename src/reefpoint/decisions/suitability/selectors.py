"""The questionnaire, clients' assessments and segments, and what may be offered to whom."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date
from functools import lru_cache
from typing import Any

from django.db import connection

from reefpoint.decisions.suitability import rules
from reefpoint.decisions.suitability.adapters.shipped import read_shipped_offers, read_shipped_questionnaire
from reefpoint.decisions.suitability.models import Acknowledgement, Assessment, EntryRecord, SegmentRecord
from reefpoint.decisions.suitability.types import (
    AssessmentView,
    EntryFacts,
    EntryView,
    OfferTables,
    Questionnaire,
    QuestionnaireView,
    RiskClass,
    Score,
    Segment,
    SegmentFacts,
    SegmentView,
    Tolerance,
    Verdict,
)
from reefpoint.platform.access.services import require
from reefpoint.platform.basics.actors import Actor, system_actor
from reefpoint.platform.basics.findings import Finding
from reefpoint.platform.database.guards import guards_of, verify_guards
from reefpoint.platform.publications.rules import fingerprint
from reefpoint.platform.publications.selectors import get_published, in_force, shipped
from reefpoint.platform.publications.types import PublicationKind, PublicationView
from reefpoint.records.parties.selectors.clients import get_client, require_client
from reefpoint.records.parties.selectors.profiles import load_profiles
from reefpoint.records.parties.types import ClientKind
from reefpoint.records.products.selectors import list_schemes, published_version
from reefpoint.records.products.types import SchemeTerms, VersionState

PUBLISH = "suitability.publish"
_READER = system_actor("suitability")

QUESTIONNAIRE = PublicationKind(
    name="suitability.questionnaire",
    right=PUBLISH,
    approval=PUBLISH,
    check=lambda content: _checked(rules.read_questionnaire(content)),
    shipped=read_shipped_questionnaire,
)
OFFERS = PublicationKind(
    name="suitability.offers",
    right=PUBLISH,
    approval=PUBLISH,
    check=lambda content: _checked(rules.read_offers(content)),
    shipped=read_shipped_offers,
)


def _checked(_: object) -> None:
    """What could be read may be published."""


@lru_cache(maxsize=64)
def read_questionnaire(publication_id: int | None) -> Questionnaire:
    """The questionnaire of a publication, read once a process; None is what was shipped."""
    return rules.read_questionnaire(_content(QUESTIONNAIRE, publication_id))


@lru_cache(maxsize=64)
def read_offers(publication_id: int | None) -> OfferTables:
    """The tables of a publication, read once a process; None is what was shipped."""
    return rules.read_offers(_content(OFFERS, publication_id))


def _content(kind: PublicationKind, publication_id: int | None) -> Mapping[str, Any]:
    return (shipped(kind) if publication_id is None else get_published(publication_id)).content


def find_questionnaire(on: date) -> QuestionnaireView:
    """The questionnaire that is put to clients on a day."""
    return questionnaire_view(in_force(QUESTIONNAIRE, on))


def questionnaire_view(publication: PublicationView) -> QuestionnaireView:
    """A published questionnaire, read."""
    return QuestionnaireView(publication.version, publication.effective_from, read_questionnaire(publication.id))


_ASSESSMENT = (
    "id",
    "client_id",
    "questionnaire_id",
    "questionnaire__version",
    "answers",
    "points",
    "knowledge_points",
    "is_knowledge_shown",
    "tolerance",
    "assessed_on",
    "expires_on",
    "assessed_at",
    "assessed_by",
)


def find_assessment(client_id: int) -> AssessmentView | None:
    """The latest assessment of a client, whether it still holds or not."""
    row = Assessment.objects.filter(client_id=client_id).order_by("-id").values(*_ASSESSMENT).first()
    return _assessment_view(row) if row else None


def list_assessments(actor: Actor, client_id: int) -> list[AssessmentView]:
    """All assessments of a client, newest first. Raises `ClientNotFound` outside the actor's scope."""
    require(actor, "suitability.view")
    require_client(actor, client_id)
    rows = Assessment.objects.filter(client_id=client_id).order_by("-id").values(*_ASSESSMENT)
    return [_assessment_view(row) for row in rows]


def find_segment(client_id: int, jurisdiction: str, on: date) -> SegmentView | None:
    """The segment a client was put into in a jurisdiction, if that still holds."""
    row = SegmentRecord.objects.filter(client_id=client_id, jurisdiction=jurisdiction).order_by("-id").first()
    return _segment_view(row) if row and row.expires_on >= on else None


def list_segments(actor: Actor, client_id: int) -> list[SegmentView]:
    """All segments a client was put into, newest first."""
    require(actor, "suitability.view")
    require_client(actor, client_id)
    return [_segment_view(row) for row in SegmentRecord.objects.filter(client_id=client_id).order_by("-id")]


def list_entries(actor: Actor, client_id: int) -> list[EntryView]:
    """All proofs of entry conditions of a client, newest first."""
    require(actor, "suitability.view")
    require_client(actor, client_id)
    return [_entry_view(row) for row in EntryRecord.objects.filter(client_id=client_id).order_by("-id")]


def judge_offer(client_id: int, scheme_code: str, on: date) -> Verdict:
    """Whether a scheme, as it can be signed on a day, may be offered to a client. Raises `SchemeVersionNotFound`."""
    return judge_terms(client_id, scheme_code, published_version(scheme_code, on).terms, on)


_STANDING = """
SELECT a.id, a.client_id, a.questionnaire_id, q.version AS questionnaire__version, a.answers, a.points,
       a.knowledge_points, a.is_knowledge_shown, a.tolerance, a.assessed_on, a.expires_on, a.assessed_at, a.assessed_by,
       c.kind, s.segment, s.expires_on AS segment_until
  FROM suitability_assessment a
  JOIN parties_client c ON c.id = a.client_id
  JOIN publications_publication q ON q.id = a.questionnaire_id
  LEFT JOIN LATERAL (
       SELECT segment, expires_on FROM suitability_segmentrecord
        WHERE client_id = a.client_id AND jurisdiction = %(place)s
        ORDER BY id DESC LIMIT 1) s ON true
 WHERE a.client_id = %(client)s
 ORDER BY a.id DESC LIMIT 1
"""


def judge_terms(client_id: int, scheme_code: str, terms: SchemeTerms, on: date) -> Verdict:
    """The same for terms that the caller has at hand. One query, and one more where a market asks for proof."""
    tables, place = read_offers(in_force(OFFERS, on).id), terms.rule_pack
    risk_class = risk_class_of(tables, terms)
    with connection.cursor() as cursor:
        cursor.execute(_STANDING, {"client": client_id, "place": place})
        found = cursor.fetchone()
        row = dict(zip((column.name for column in cursor.description), found, strict=True)) if found else None
    kind = ClientKind(row["kind"]) if row else get_client(_READER, client_id).kind
    is_shown = row is not None and row["segment"] is not None and row["segment_until"] >= on
    segment = Segment(row["segment"]) if row is not None and is_shown else default_segment(kind)
    assessment = _assessment_view({**row, "answers": json.loads(row["answers"])}) if row else None
    return rules.judge(
        tables,
        scheme_code=scheme_code,
        risk_class=risk_class,
        jurisdiction=place,
        segment=segment,
        is_institution=kind is ClientKind.INSTITUTION,
        assessment=assessment,
        entry=_find_entry(client_id, place) if place in tables.entry_tables else None,
        is_acknowledged=segment is Segment.PROFESSIONAL
        and assessment is not None
        and _is_acknowledged(assessment.id, risk_class, tables),
        on=on,
    )


def risk_class_of(tables: OfferTables, terms: SchemeTerms) -> RiskClass:
    """The risk class of a scheme from its terms."""
    return rules.risk_class_of(tables, initial_bp=terms.initial_bp, concentration_cap_bp=terms.concentration_cap_bp)


def list_verdicts(actor: Actor, client_id: int, on: date) -> list[Verdict]:
    """What may be offered to a client on a day: each scheme that can be signed, by code."""
    require(actor, "suitability.view")
    require_client(actor, client_id)
    return [judge_terms(client_id, code, terms, on) for code, terms in _signable(on)]


def list_risk_classes(on: date) -> list[tuple[str, RiskClass, int, int]]:
    """Each scheme that can be signed on a day: code, risk class, and what it rests on (leverage %, cap in bp)."""
    tables = read_offers(in_force(OFFERS, on).id)
    return [
        (code, risk_class_of(tables, terms), rules.leverage_pct(terms.initial_bp), terms.concentration_cap_bp)
        for code, terms in _signable(on)
    ]


def _signable(on: date) -> Sequence[tuple[str, SchemeTerms]]:
    found = []
    for scheme in list_schemes():
        versions = [v for v in scheme.versions if v.state is VersionState.PUBLISHED and v.effective_from <= on]
        if versions:
            found.append((scheme.code, max(versions, key=lambda v: (v.effective_from, v.version)).terms))
    return found


def default_segment(kind: ClientKind) -> Segment:
    """Whoever is not shown to be a professional is not one."""
    return Segment.INSTITUTION if kind is ClientKind.INSTITUTION else Segment.RETAIL


def warning_hash(tables: OfferTables) -> str:
    """What an acknowledgement covers: exactly this warning, in both languages."""
    return fingerprint({"en": tables.warning[0], "zh": tables.warning[1]})


def _is_acknowledged(assessment_id: int, risk_class: RiskClass, tables: OfferTables) -> bool:
    return Acknowledgement.objects.filter(
        assessment_id=assessment_id, risk_class=risk_class, text_hash=warning_hash(tables)
    ).exists()


def _find_entry(client_id: int, jurisdiction: str) -> EntryView | None:
    """The latest proof, made worse by what the client declared since; a declaration never makes it better."""
    row = EntryRecord.objects.filter(client_id=client_id, jurisdiction=jurisdiction).order_by("-id").first()
    if row is None:
        return None
    entry, profile = _entry_view(row), load_profiles([client_id]).get(client_id)
    if profile is None:
        return entry
    facts = replace(
        entry.facts,
        has_defaulted=entry.facts.has_defaulted or bool(profile.has_defaulted),
        is_affiliated=entry.facts.is_affiliated or bool(profile.is_major_shareholder),
    )
    return replace(entry, facts=facts)


_GUARDED = (Assessment, Acknowledgement)
_ERASABLE = (SegmentRecord, EntryRecord)


def verify_suitability() -> list[Finding]:
    """Every assessment that its own answers and version do not give again (I60), and every guard that is gone."""
    findings = []
    for row in Assessment.objects.order_by("id").values(*_ASSESSMENT).iterator():
        view, questionnaire = _assessment_view(row), read_questionnaire(row["questionnaire_id"])
        again = None
        if not rules.check_answers(questionnaire, view.answers):
            again = rules.score_answers(questionnaire, view.answers)
        if again != view.score:
            findings.append(
                Finding("suitability.replay", f"assessment:{view.id}", f"its answers come to {again}, not {view.score}")
            )
    return findings + verify_guards(
        [model._meta.db_table for model in _GUARDED], guards_of(model._meta.db_table for model in _ERASABLE)
    )


def _assessment_view(row: Mapping[str, Any]) -> AssessmentView:
    return AssessmentView(
        id=row["id"],
        client_id=row["client_id"],
        questionnaire_version=row["questionnaire__version"],
        answers=row["answers"],
        score=Score(
            points=row["points"],
            knowledge_points=row["knowledge_points"],
            is_knowledge_shown=row["is_knowledge_shown"],
            tolerance=Tolerance(row["tolerance"]),
        ),
        assessed_on=row["assessed_on"],
        expires_on=row["expires_on"],
        assessed_at=row["assessed_at"],
        assessed_by=row["assessed_by"],
    )


def _segment_view(row: SegmentRecord) -> SegmentView:
    return SegmentView(
        segment=Segment(row.segment),
        jurisdiction=row.jurisdiction,
        facts=SegmentFacts(**row.facts),
        evidence=row.evidence,
        assigned_on=row.assigned_on,
        expires_on=row.expires_on,
        assigned_by=row.assigned_by,
    )


def _entry_view(row: EntryRecord) -> EntryView:
    return EntryView(
        jurisdiction=row.jurisdiction,
        facts=EntryFacts(**row.facts),
        evidence=row.evidence,
        recorded_on=row.recorded_on,
        recorded_by=row.recorded_by,
    )
