"""All that a decision on an application rests on, gathered in one place and fingerprinted."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields, replace
from datetime import date, datetime

from reefpoint.decisions.kyc.selectors import get_kyc_standing
from reefpoint.decisions.monitoring.selectors.alerts import list_open_alerts
from reefpoint.decisions.monitoring.types import Consequence
from reefpoint.decisions.relations.selectors.groups import get_group, load_members
from reefpoint.decisions.screening.selectors.hits import get_screening_standing
from reefpoint.decisions.suitability.selectors import find_assessment
from reefpoint.flows.origination.models import Application, Decision
from reefpoint.flows.origination.rules.applications import missing_documents
from reefpoint.flows.origination.rules.decisions import KEPT_BLOCKERS, blockers, needs_second_person, told_reasons
from reefpoint.flows.origination.rules.overview import OFFERING
from reefpoint.flows.origination.selectors.applications import load_sections, read_application
from reefpoint.flows.origination.types.applications import ApplicationState
from reefpoint.flows.origination.types.decisions import Blocker, DecisionView, RefusalReason, ReviewFacts
from reefpoint.flows.origination.types.questions import Section
from reefpoint.platform.access.rules import fingerprint
from reefpoint.platform.access.services import require
from reefpoint.platform.basics.actors import Actor, system_actor
from reefpoint.platform.basics.findings import Finding
from reefpoint.records.parties.selectors.documents import load_documents
from reefpoint.records.parties.selectors.licences import find_licence
from reefpoint.records.parties.selectors.profiles import load_profiles
from reefpoint.records.parties.types import ClientKind
from reefpoint.records.products.selectors import SchemeVersionNotFound, published_version

REVIEWER = system_actor("origination")
STOPPING = frozenset({Consequence.HOLD, Consequence.BLOCK})


@dataclass(frozen=True)
class Review:
    """What the review page shows before a decision. `fingerprint` covers every fact: a decision names it."""

    facts: ReviewFacts
    fingerprint: str
    blockers: tuple[Blocker, ...]
    needs_second_person: bool


def load_review(actor: Actor, application_id: int, *, on: date, at: datetime) -> Review:
    """The facts of an application as they are now; without what tips off for whoever may not know of it."""
    require(actor, "applications.view")
    row = read_application(actor, application_id)
    facts = gather_facts(row, on=on, at=at)
    may_know = actor.is_system or "screening.view" in actor.permissions
    stands = [one for one in blockers(facts) if may_know or one not in KEPT_BLOCKERS]
    return Review(
        facts=facts if may_know else replace(facts, screening="", screened_at="", list_versions=(), blocking_alerts=0),
        fingerprint=fingerprint_of(facts),
        blockers=tuple(stands),
        needs_second_person=needs_second_person(facts),
    )


def gather_facts(row: Application, *, on: date, at: datetime) -> ReviewFacts:
    """Every fact that a decision on this application may rest on, as it is now."""
    documents = [
        one
        for one in load_documents([row.client_id])
        if one.erased_at is None and (one.expires_on is None or one.expires_on >= on)
    ]
    kind = ClientKind(row.kind)
    experience = load_sections(row.pk).get(Section.EXPERIENCE, {})
    scheme_code, wanted = str(experience.get("scheme_code", "")), experience.get("loan_wanted_minor")
    profile = load_profiles([row.client_id]).get(row.client_id)
    pre_screen = row.pre_screens.order_by("-number").first()
    suitability = find_assessment(row.client_id)
    is_current = suitability is not None and suitability.expires_on >= on
    kyc, screening = get_kyc_standing(row.client_id), get_screening_standing(row.client_id)
    group = get_group(row.client_id)
    alerts = list_open_alerts(REVIEWER, at=at, client_id=row.client_id)
    return ReviewFacts(
        application_id=row.pk,
        state=row.state,
        client_status=row.client.status,
        profile_version=profile.version if profile else 0,
        pre_screen_number=pre_screen.number if pre_screen else 0,
        pre_screen_outcome=pre_screen.outcome if pre_screen else "",
        documents=tuple(f"{one.id}:{one.kind.value}:{one.digest[:16]}" for one in documents),
        documents_missing=tuple(
            one.value for one in missing_documents(kind, {document.kind for document in documents})
        ),
        rating=kyc.rating.value if kyc.rating else "",
        assessment_id=kyc.assessment_id or 0,
        is_kyc_clean=kyc.assessment_id is not None and kyc.blocking == 0,
        screening=screening.state.value,
        screened_at=screening.screened_at.isoformat() if screening.screened_at else "",
        list_versions=tuple(f"{source} {version}" for source, version in sorted(screening.list_versions.items())),
        suitability=suitability.score.tolerance.value if suitability is not None and is_current else "",
        suitability_id=suitability.id if suitability is not None and is_current else 0,
        blocking_alerts=sum(one.consequence in STOPPING for one in alerts),
        group_size=len(load_members([group]).get(group, ())) if group is not None else 1,
        licence_number=_licence(scheme_code, on, at),
        scheme_code=scheme_code,
        loan_wanted_minor=wanted if isinstance(wanted, int) else 0,
    )


def _licence(scheme_code: str, on: date, at: datetime) -> str:
    """The number of the licence under which the scheme that is asked for may be offered now; empty without one."""
    try:
        place = published_version(scheme_code, on).terms.rule_pack
    except SchemeVersionNotFound:
        return ""
    licence = find_licence(jurisdiction=place, activity=OFFERING, on=on, at=at)
    return licence.number if licence else ""


def fingerprint_of(facts: ReviewFacts) -> str:
    """The fingerprint of exactly these facts."""
    return fingerprint("application", f"application:{facts.application_id}", facts_to_json(facts))


def facts_to_json(facts: ReviewFacts) -> dict[str, str | int | bool | list[str]]:
    """The facts as JSON values, as they are stored and fingerprinted."""
    return {name: list(value) if isinstance(value, tuple) else value for name, value in asdict(facts).items()}


def facts_from_json(data: Mapping[str, object]) -> ReviewFacts:
    """The facts as they were stored."""
    return ReviewFacts(
        **{
            field.name: tuple(value) if isinstance(value := data[field.name], list) else value
            for field in fields(ReviewFacts)
        }  # type: ignore[arg-type]  # stored by `facts_to_json`
    )


def find_decision(actor: Actor, application_id: int) -> DecisionView | None:
    """The decision on an application, with its reasons only for who may read them (tipping off)."""
    row = Decision.objects.filter(application=read_application(actor, application_id)).first()
    if row is None:
        return None
    may_know = actor.is_system or "screening.view" in actor.permissions
    reasons = tuple(RefusalReason(reason) for reason in row.reasons)
    told = told_reasons(reasons) if reasons else ()
    return DecisionView(
        outcome=ApplicationState(row.outcome),
        at=row.at,
        decided_by=row.decided_by_name,
        approved_by=row.approved_by_name,
        reasons=reasons if may_know else told,
        note=row.note if may_know else "",
        told=row.told,
        fingerprint=row.fingerprint,
        rules_version=row.rules_version,
    )


def verify_applications() -> list[Finding]:
    """Decisions that do not follow from what is stored with them (I60), and states that no move led to."""
    findings = []
    for row in Decision.objects.select_related("application").order_by("id").iterator():
        subject = f"application:{row.application_id}"
        facts = facts_from_json(row.facts)
        if fingerprint_of(facts) != row.fingerprint:
            findings.append(Finding("origination.facts", subject, "the facts are not those that were decided on"))
        if row.outcome == ApplicationState.ACCEPTED and blockers(facts, row.rules_version):
            findings.append(Finding("origination.decision", subject, "accepted although something stood against it"))
        if row.outcome == ApplicationState.ACCEPTED and needs_second_person(facts) and not row.approval_id:
            findings.append(Finding("origination.two_people", subject, "a high risk was accepted by one person"))
        if row.outcome != row.application.state:
            findings.append(
                Finding("origination.state", subject, f"decided {row.outcome}, it is {row.application.state}")
            )
    return findings
