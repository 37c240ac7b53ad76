"""Clients within an actor's scope, what is known of them, and the operator's licences."""

import uuid
from collections.abc import Collection, Iterable, Sequence
from datetime import date, datetime

from django.db import connection
from django.db.models import Exists, OuterRef, Q, QuerySet, Subquery
from django.db.models.functions import Lower

from reefpoint.platform.access.selectors import find_email
from reefpoint.platform.access.services import require
from reefpoint.platform.basics.actors import Actor
from reefpoint.platform.basics.errors import Refusal
from reefpoint.platform.basics.findings import Finding
from reefpoint.platform.basics.listing import Listing
from reefpoint.platform.basics.masking import mask_account, mask_identifier
from reefpoint.platform.basics.personal_data import DataCategory
from reefpoint.platform.database.guards import guards_of, verify_guards
from reefpoint.platform.database.parts import cut, each
from reefpoint.platform.vault.services import digest_many, open_many
from reefpoint.platform.vault.types import Sealed
from reefpoint.records.parties.models import (
    BankAccount,
    Client,
    Consent,
    Document,
    Erasure,
    LegalHold,
    Licence,
    PortalInvitation,
    Profile,
    TraitRow,
)
from reefpoint.records.parties.rules import (
    PROFILE_TRAITS,
    bank_account_from_json,
    is_company,
    licence_standing,
    local_day,
    mask_profile,
    parties_of,
    permits_for,
    profile_from_json,
    traits_of,
)
from reefpoint.records.parties.types import (
    Activity,
    BankAccountDraft,
    BankAccountView,
    ClientKind,
    ClientStatus,
    ClientView,
    ConsentChannel,
    ConsentPurpose,
    ConsentView,
    DocumentKind,
    DocumentView,
    ErasureView,
    HoldView,
    IdentifierFacts,
    InvitationView,
    LicenceStanding,
    LicenceView,
    MediaType,
    PersonFacts,
    ProfileDraft,
    ProfileFacts,
    ProfileView,
    RelatedPersonDraft,
    RelatedPersonView,
    RetentionFacts,
    Trait,
    TraitKind,
)


class ClientNotFound(Refusal):
    """No client of this id is in the actor's scope: whether it exists for others is not told (I66)."""

    code = "not_found"


class ClientNotOpen(Refusal):
    """Business with this client is not open: a prospect, blocked or closed."""

    code = "client_not_open"


class NoProfile(Refusal):
    """Nothing is on record of this client but the name."""

    code = "no_profile_not_found"


def visible_clients(actor: Actor) -> QuerySet[Client]:
    """The clients whose records this actor may see: all, or those assigned to the person. The one home of the scope."""
    if actor.is_system or actor.sees_all_clients:
        return Client.objects.all()
    if actor.user_id is None:
        return Client.objects.none()
    return Client.objects.filter(relationship_manager_id=actor.user_id)


def find_own_client(actor: Actor) -> ClientView | None:
    """The client as whom this person uses the portal; None for staff and for those who have not begun."""
    row = Client.objects.filter(portal_user_id=actor.user_id).first() if actor.user_id is not None else None
    return _view(row) if row else None


def find_invitation(actor: Actor, client_id: int, at: datetime) -> InvitationView | None:
    """The client's open invitation to the portal, if there is one that has not run out."""
    require_client(actor, client_id)
    return _invitation(PortalInvitation.objects.filter(client_id=client_id), at)


def find_own_invitation(actor: Actor, at: datetime) -> InvitationView | None:
    """The open invitation to the address of whoever is signed in, unless they are a client on the portal already."""
    address = find_email(actor.user_id) if actor.user_id is not None else None
    if not address or find_own_client(actor) is not None:
        return None
    return _invitation(PortalInvitation.objects.filter(client__email__iexact=address), at)


def _invitation(rows: QuerySet[PortalInvitation], at: datetime) -> InvitationView | None:
    row = rows.filter(accepted_at=None, ended_at=None, until__gt=at).order_by("-id").first()
    if row is None:
        return None
    return InvitationView(row.client_id, row.invited_at, row.invited_by, row.until)


def can_see_client(actor: Actor, client_id: int) -> bool:
    """Whether this client is in the actor's scope."""
    return visible_clients(actor).filter(id=client_id).exists()


def require_client(actor: Actor, client_id: int) -> None:
    """Raise `ClientNotFound` unless the actor may act for this client: outside the scope it does not exist (I66)."""
    if not actor.sees_all_clients and not can_see_client(actor, client_id):
        raise ClientNotFound("There is no such client.")


def get_client(actor: Actor, client_id: int) -> ClientView:
    """One client. Raises `ClientNotFound` alike for a client outside the scope and for one that never was."""
    require(actor, "clients.view")
    row = visible_clients(actor).filter(id=client_id).first()
    if row is None:
        raise ClientNotFound("There is no client {client_id}, or it is not yours to see.", client_id=client_id)
    return _view(row)


def list_clients(actor: Actor, after_id: int = 0, limit: int = 50) -> list[ClientView]:
    """Clients in scope, by id, a page at a time."""
    require(actor, "clients.view")
    return [_view(row) for row in visible_clients(actor).filter(id__gt=after_id).order_by("id")[:limit]]


CLIENT_ORDERS = frozenset({"number", "name", "kind", "status", "opened_on", "id"})


def find_clients(
    actor: Actor, *, text: str = "", kind: str = "", status: str = "", order: str = "number", offset: int, limit: int
) -> Listing[ClientView]:
    """One page of the clients in scope that match, in a given order (`-name` is descending). Two queries.

    Raises `ValueError` for an order that clients do not have.
    """
    require(actor, "clients.view")
    if order.lstrip("-") not in CLIENT_ORDERS:
        raise ValueError(f"clients have no order {order!r}")
    rows = visible_clients(actor)
    if text.strip():
        rows = rows.filter(_holds_text(text))
    exact = {"kind": kind, "status": status}
    rows = rows.filter(**{key: value for key, value in exact.items() if value})
    key = order.replace("number", "id")
    page = rows.order_by(key, "id")
    return cut(page, offset=offset, limit=limit, view=each(_view))


def _searchable(text: str) -> str:
    """What is searched for: the database takes no NUL."""
    return text.replace("\x00", "").strip()


def _holds_text(text: str) -> Q:
    wanted = _searchable(text)
    return (
        Q(number__icontains=wanted)
        | Q(name__icontains=wanted)
        | Q(name_zh__icontains=wanted)
        | Q(email__icontains=wanted)
    )


def find_taken_emails(emails: Iterable[str]) -> set[str]:
    """Those of these addresses (in lower case) that belong to a client."""
    rows = Client.objects.annotate(address=Lower("email")).filter(address__in=set(emails))
    return set(rows.values_list("address", flat=True))


def search_clients(actor: Actor, text: str, limit: int = 20) -> list[ClientView]:
    """Clients in scope whose number, name in either language, or e-mail holds `text`."""
    require(actor, "clients.view")
    if not _searchable(text):
        return []
    return [_view(row) for row in visible_clients(actor).filter(_holds_text(text)).order_by("id")[:limit]]


def require_open_for_business(client_id: int) -> None:
    """The one gate: raise `ClientNotOpen` unless the client was accepted and is neither blocked nor closed."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT status FROM parties_client WHERE id = %s", [client_id])
        row = cursor.fetchone()
    if row is None or row[0] != ClientStatus.ACTIVE:
        raise ClientNotOpen(
            "Business with this client is not open at present. Nothing was done; compliance can say more.",
            client_id=client_id,
        )


def require_own_or(actor: Actor, permission: str, client_id: int) -> None:
    """Pass the client themselves, who may use the portal, or somebody of the staff with the right and the scope."""
    own = find_own_client(actor)
    if own is not None and own.id == client_id:
        require(actor, "portal.apply")
        return
    require(actor, permission)
    if not can_see_client(actor, client_id):
        raise ClientNotFound("There is no such client.")


# What is known of a client


def profile_context(client_id: int, version: int) -> str:
    """The place of a profile, under which it is sealed."""
    return f"client:{client_id}:profile:{version}"


def bank_account_context(client_id: int, place: uuid.UUID) -> str:
    """The place of a bank account, under which it is sealed."""
    return f"client:{client_id}:bank_account:{place}"


def document_context(client_id: int, place: uuid.UUID) -> str:
    """The place of a document, under which it is sealed."""
    return f"client:{client_id}:document:{place}"


def evidence_context(licence_id: int) -> str:
    """The place of a licence's document, under which it is sealed."""
    return f"licence:{licence_id}:evidence"


def _newest_profiles(client_ids: Collection[int]) -> list[tuple[Profile, ProfileDraft]]:
    rows = list(
        Profile.objects.filter(client_id__in=client_ids, erased_at=None)
        .order_by("client_id", "-version")
        .distinct("client_id")
    )
    plains = open_many(
        [(Sealed(row.key_id, bytes(row.blob or b"")), profile_context(row.client_id, row.version)) for row in rows]
    )
    return [(row, profile_from_json(plain)) for row, plain in zip(rows, plains, strict=True)]


def find_profile(client_id: int) -> ProfileDraft | None:
    """The newest profile in full, for the program itself: it must not reach a page, a log or an answer."""
    found = _newest_profiles([client_id])
    return found[0][1] if found else None


def get_profile(actor: Actor, client_id: int) -> ProfileView | None:
    """The newest profile as it may be shown, masked, to staff in scope or to the client; None before the first.

    Raises `ClientNotFound` outside the scope.
    """
    require_own_or(actor, "clients.view", client_id)
    found = _newest_profiles([client_id])
    return _profile_view(*found[0]) if found else None


def _profile_view(row: Profile, profile: ProfileDraft) -> ProfileView:
    born = profile.birth_or_incorporated_on
    return ProfileView(
        **mask_profile(profile),  # type: ignore[arg-type]  # the fields of ProfileDraft, by name
        client_id=row.client_id,
        version=row.version,
        recorded_at=row.recorded_at,
        recorded_by=row.recorded_by,
        reason=row.reason,
        birth_year=born.year if born and profile.kind is ClientKind.INDIVIDUAL else None,
    )


def load_profiles(client_ids: Collection[int]) -> dict[int, ProfileFacts]:
    """What decisions are made from, by client; clients without a profile are left out. Two queries."""
    return {row.client_id: _facts(row, profile) for row, profile in _newest_profiles(client_ids)}


def _facts(row: Profile, profile: ProfileDraft) -> ProfileFacts:
    return ProfileFacts(
        client_id=row.client_id,
        version=row.version,
        recorded_at=row.recorded_at,
        kind=profile.kind,
        name=profile.name,
        name_zh=profile.name_zh,
        former_names=profile.former_names,
        birth_or_incorporated_on=profile.birth_or_incorporated_on,
        nationality=profile.nationality,
        residence=profile.residence,
        tax_countries=tuple(country for country, _number in profile.tax_residences),
        occupation=profile.occupation,
        employer_or_industry=profile.employer_or_industry,
        annual_income_minor=profile.annual_income_minor,
        liquid_assets_minor=profile.liquid_assets_minor,
        net_worth_minor=profile.net_worth_minor,
        currency=profile.currency,
        sources_of_funds=profile.sources_of_funds,
        sources_of_wealth=profile.sources_of_wealth,
        source_note=profile.source_note,
        is_pep_declared=profile.is_pep_declared,
        has_defaulted=profile.has_defaulted,
        is_major_shareholder=profile.is_major_shareholder,
        trading_years=profile.trading_years,
        trades_per_year=profile.trades_per_year,
        products_traded=profile.products_traded,
        expected_turnover_minor=profile.expected_turnover_minor,
        purpose=profile.purpose,
        bank_countries=tuple(sorted({account.country for account in profile.bank_accounts})),
        related_persons=tuple(
            PersonFacts(
                person.role,
                person.name,
                person.name_zh,
                person.birth_on,
                person.nationality,
                person.share_bp,
                party,
                held_in,
                is_company(person),
            )
            for person, (party, held_in) in zip(
                profile.related_persons, parties_of(profile.related_persons), strict=True
            )
        ),
    )


def load_identifiers(client_ids: Collection[int]) -> list[IdentifierFacts]:
    """The numbers of clients and of those behind them in full, for checks by the program alone."""
    found: list[IdentifierFacts] = []
    for row, profile in _newest_profiles(client_ids):
        born = profile.birth_or_incorporated_on
        found += [
            IdentifierFacts(row.client_id, None, profile.name, born, identifier) for identifier in profile.identifiers
        ]
        found += [
            IdentifierFacts(row.client_id, person.role, person.name, person.birth_on, person.identifier)
            for person in profile.related_persons
            if person.identifier is not None
        ]
    return found


def list_traits(client_ids: Collection[int] | None = None) -> list[Trait]:
    """What clients have that others may have too, oldest first; of all clients, or of some."""
    rows = TraitRow.objects.order_by("id")
    if client_ids is not None:
        rows = rows.filter(client_id__in=client_ids)
    columns = rows.values_list("client_id", "kind", "digest", "masked", "since", "until")
    return [
        Trait(client_id, TraitKind(kind), bytes(index), masked, since, until)
        for client_id, kind, index, masked, since, until in columns.iterator()
    ]


def list_clients_sharing(kinds_and_digests: Collection[tuple[TraitKind, bytes]]) -> list[Trait]:
    """Every trait on record with one of these kinds and digests."""
    wanted = {(kind.value, index) for kind, index in kinds_and_digests}
    rows = TraitRow.objects.filter(digest__in=[index for _kind, index in wanted]).order_by("id")
    return [
        Trait(row.client_id, TraitKind(row.kind), bytes(row.digest), row.masked, row.since, row.until)
        for row in rows
        if (row.kind, bytes(row.digest)) in wanted
    ]


def list_clients_with_documents_of(client_id: int) -> set[int]:
    """Other clients who handed in the same file as this one, by the blind index of its content."""
    own = Document.objects.filter(client_id=client_id, erased_at=None).values("digest")
    rows = Document.objects.filter(digest__in=own, erased_at=None).exclude(client_id=client_id)
    return set(rows.values_list("client_id", flat=True))


def list_bank_accounts(actor: Actor, client_id: int, *, with_removed: bool = False) -> list[BankAccountView]:
    """The bank accounts of a client as they may be shown, oldest first. Raises `ClientNotFound` outside the scope."""
    require_own_or(actor, "clients.view", client_id)
    rows = BankAccount.objects.filter(client_id=client_id, erased_at=None).order_by("id")
    return _bank_views(rows if with_removed else rows.filter(removed_at=None))


def load_bank_accounts(client_ids: Collection[int]) -> list[BankAccountView]:
    """The bank accounts of these clients, those taken out again among them, for the program: numbers masked too."""
    return _bank_views(BankAccount.objects.filter(client_id__in=client_ids, erased_at=None).order_by("id"))


def open_bank_accounts(client_id: int) -> dict[int, BankAccountDraft]:
    """The bank accounts of a client in full, by id, for the program itself: they must not reach a page or a log."""
    rows = list(BankAccount.objects.filter(client_id=client_id, erased_at=None, removed_at=None).order_by("id"))
    return {row.pk: bank_account_from_json(plain) for row, plain in zip(rows, _open_accounts(rows), strict=True)}


def _open_accounts(rows: Sequence[BankAccount]) -> list[bytes]:
    return open_many(
        [(Sealed(row.key_id, bytes(row.blob or b"")), bank_account_context(row.client_id, row.place)) for row in rows]
    )


def _bank_views(rows: Iterable[BankAccount]) -> list[BankAccountView]:
    held = list(rows)
    return [_bank_view(row, plain) for row, plain in zip(held, _open_accounts(held), strict=True)]


def _bank_view(row: BankAccount, plain: bytes) -> BankAccountView:
    account = bank_account_from_json(plain)
    return BankAccountView(
        id=row.pk,
        client_id=row.client_id,
        country=account.country,
        bank_name=account.bank_name,
        bank_code=account.bank_code,
        holder_name=account.holder_name,
        masked=mask_account(account.number),
        currency=account.currency,
        digest=bytes(row.digest).hex(),
        added_at=row.added_at,
        removed_at=row.removed_at,
        verified_at=row.verified_at,
    )


def list_related_persons(actor: Actor, client_id: int) -> list[RelatedPersonView]:
    """Who stands behind a client or acts for them, as it may be shown. Raises `ClientNotFound` outside the scope."""
    require_own_or(actor, "clients.view", client_id)
    profile = find_profile(client_id)
    return [_person_view(person) for person in profile.related_persons] if profile else []


def _person_view(person: RelatedPersonDraft) -> RelatedPersonView:
    identifier = person.identifier
    return RelatedPersonView(
        role=person.role,
        name=person.name,
        name_zh=person.name_zh,
        birth_year=person.birth_on.year if person.birth_on else None,
        nationality=person.nationality,
        share_bp=person.share_bp,
        identifier_kind=identifier.kind if identifier else None,
        identifier_masked=mask_identifier(identifier.number) if identifier else "",
        holds_in=person.holds_in,
    )


def list_documents(actor: Actor, client_id: int) -> list[DocumentView]:
    """The documents of a client, oldest first, without their contents. Raises `ClientNotFound` outside the scope."""
    require_own_or(actor, "documents.view", client_id)
    return load_documents([client_id])


def load_documents(client_ids: Collection[int]) -> list[DocumentView]:
    """The documents of these clients, for the program."""
    rows = Document.objects.filter(client_id__in=client_ids).defer("blob").order_by("id")
    return [
        DocumentView(
            id=row.pk,
            client_id=row.client_id,
            kind=DocumentKind(row.kind),
            file_name=row.file_name,
            media_type=MediaType(row.media_type),
            size_bytes=row.size_bytes,
            digest=bytes(row.digest).hex(),
            expires_on=row.expires_on,
            added_at=row.added_at,
            added_by=row.added_by,
            erased_at=row.erased_at,
        )
        for row in rows
    ]


def list_consents(actor: Actor, client_id: int) -> list[ConsentView]:
    """The consents of a client, oldest first, withdrawn ones among them. Raises `ClientNotFound` outside the scope."""
    require_own_or(actor, "clients.view", client_id)
    return [_consent_view(row) for row in Consent.objects.filter(client_id=client_id).order_by("id")]


def has_consent(client_id: int, purpose: ConsentPurpose) -> bool:
    """Whether a consent to this use is in force."""
    return Consent.objects.filter(client_id=client_id, purpose=purpose, withdrawn_at=None).exists()


def _consent_view(row: Consent) -> ConsentView:
    return ConsentView(
        id=row.pk,
        client_id=row.client_id,
        purpose=ConsentPurpose(row.purpose),
        text_version=row.text_version,
        channel=ConsentChannel(row.channel),
        given_at=row.given_at,
        recorded_by=row.recorded_by,
        withdrawn_at=row.withdrawn_at,
        withdrawal_reason=row.withdrawal_reason,
    )


def list_erasures(client_id: int) -> list[ErasureView]:
    """The erasures of a client's data, oldest first."""
    return [
        ErasureView(
            client_id=client_id,
            at=row.at,
            asked_by=row.asked_by,
            approval_id=row.approval_id,
            erased=row.erased,
            kept={name: date.fromisoformat(day) for name, day in row.kept.items()},
        )
        for row in Erasure.objects.filter(client_id=client_id).order_by("id")
    ]


def clients_erased_by(approval_id: int) -> set[int]:
    """The clients whose data was erased on one approval."""
    return set(Erasure.objects.filter(approval_id=approval_id).values_list("client_id", flat=True))


def list_holds(actor: Actor, client_id: int | None = None, *, only_standing: bool = False) -> list[HoldView]:
    """Legal holds on one client, or on all, newest first. Raises `ClientNotFound` outside the scope."""
    require(actor, "clients.hold")
    rows = LegalHold.objects.select_related("client").order_by("-id")
    if client_id is not None:
        require_client(actor, client_id)
        rows = rows.filter(client_id=client_id)
    if only_standing:
        rows = rows.filter(lifted_at=None)
    same = ("id", "client_id", "matter", "reason", "placed_at", "placed_by", "lifted_at", "lifted_by", "lift_reason")
    return [HoldView(client_number=row.client.number, **{name: getattr(row, name) for name in same}) for row in rows]


def load_retention_facts(
    client_ids: Collection[int] | None = None, *, closed_by: date | None = None
) -> list[RetentionFacts]:
    """What decides how long records stay: of these clients, or of all who left by a day and are not erased whole.

    In the order in which they left. Two queries.
    """
    latest = Erasure.objects.filter(client=OuterRef("pk")).order_by("-id").values("kept")[:1]
    held = Exists(LegalHold.objects.filter(client=OuterRef("pk"), lifted_at=None))
    rows = Client.objects.annotate(last_kept=Subquery(latest), is_held=held).order_by("closed_on", "id")
    if client_ids is not None:
        rows = rows.filter(id__in=client_ids)
    if closed_by is not None:
        rows = rows.filter(status=ClientStatus.CLOSED, closed_on__lte=closed_by)
        rows = rows.filter(Q(last_kept__isnull=True) | ~Q(last_kept={}))
    return [
        RetentionFacts(
            client_id=row.pk,
            number=row.number,
            name=row.name,
            accepted_on=row.accepted_on,
            closed_on=row.closed_on,
            left=None if row.last_kept is None else frozenset(DataCategory(name) for name in row.last_kept),
            is_held=row.is_held,
        )
        for row in rows
    ]


# Licences


def list_licences() -> list[LicenceView]:
    """Every licence on record, by jurisdiction."""
    return [_licence_view(row) for row in _licences().order_by("jurisdiction", "activity", "id")]


def list_licence_standings(*, at: datetime) -> list[tuple[LicenceView, LicenceStanding]]:
    """Every licence with how it stands at an instant, on the date of its jurisdiction."""
    return [(licence, licence_standing(licence, at)) for licence in list_licences()]


def find_licence(*, jurisdiction: str, activity: str, on: date, at: datetime) -> LicenceView | None:
    """A licence that is valid on the business date and at the instant, if there is one. Never cached (I68)."""
    permits = permits_for(jurisdiction, activity)
    if not permits:
        return None
    last = max(on, local_day(jurisdiction, at))
    with connection.cursor() as cursor:  # before every opening and drawdown: a fifth of the time of model instances
        cursor.execute(
            """
            SELECT l.id, l.jurisdiction, l.activity, l.permit, l.number, l.holder, l.valid_from, l.valid_to,
                   l.revoked_at, l.evidence, coalesce(evidence.file_name, '')
              FROM parties_licence l LEFT JOIN parties_licence_evidence evidence ON evidence.licence_id = l.id
             WHERE l.jurisdiction = %s AND l.activity = ANY(%s) AND l.permit = ANY(%s)
               AND l.valid_from <= %s AND coalesce(l.valid_to, 'infinity') >= %s
               AND coalesce(l.revoked_at, 'infinity') > %s
             ORDER BY l.id LIMIT 1
            """,
            [jurisdiction, [activity, Activity.MARGIN_LENDING.value], permits, on, last, at],
        )
        row = cursor.fetchone()
    return LicenceView(*row) if row else None


def _licences() -> QuerySet[Licence]:
    return Licence.objects.select_related("evidence_document").defer("evidence_document__blob")


# The proof


VERIFY_BATCH = 500


def count_erased_clients() -> int:
    """Clients whose profiles were erased: the proof says so, for nothing is left to compare digests with."""
    return Client.objects.filter(profiles__erased_at__isnull=False).distinct().count()


def verify_parties() -> list[Finding]:
    """Every profile has the content that was recorded, and the traits that follow from the newest one.

    That sealed rows open at all is proved by `verify_vault`; here their content is compared with its index.
    """
    findings: list[Finding] = []
    after = 0
    while ids := list(
        Profile.objects.filter(client_id__gt=after, erased_at=None)
        .order_by("client_id")
        .values_list("client_id", flat=True)
        .distinct()[:VERIFY_BATCH]
    ):
        after = ids[-1]
        try:
            findings += _verify_profiles(ids)
        except Refusal as problem:
            findings.append(Finding("parties.profile", f"clients:{ids[0]}-{ids[-1]}", problem.message))
    erasures = Erasure._meta.db_table
    guards = guards_of(one._meta.db_table for one in (Profile, BankAccount, Document, Consent, LegalHold))
    return findings + verify_guards([erasures], [*guards, (erasures, f"{erasures}_not_held")])


def _verify_profiles(client_ids: Collection[int]) -> list[Finding]:
    findings = []
    emails = dict(Client.objects.filter(id__in=client_ids).values_list("id", "email"))
    held: dict[int, set[tuple[str, bytes]]] = {client_id: set() for client_id in client_ids}
    rows = TraitRow.objects.filter(client_id__in=client_ids, until=None, kind__in=PROFILE_TRAITS)
    for client_id, kind, index in rows.values_list("client_id", "kind", "digest"):
        held[client_id].add((kind, bytes(index)))
    for row, profile in _newest_profiles(client_ids):
        wanted = list(traits_of(profile, emails[row.client_id]))
        indexes = digest_many([(kind.value, text) for kind, text in wanted])
        if held[row.client_id] != {(kind.value, index) for (kind, _), index in zip(wanted, indexes, strict=True)}:
            findings.append(
                Finding("parties.traits", f"client:{row.client_id}", "the traits are not those of the newest profile")
            )
    return findings


def _view(row: Client) -> ClientView:
    return ClientView(
        id=row.pk,
        number=row.number,
        name=row.name,
        name_zh=row.name_zh,
        email=row.email,
        kind=ClientKind(row.kind),
        language=row.language,
        relationship_manager_id=row.relationship_manager_id,
        status=ClientStatus(row.status),
        opened_on=row.opened_on,
        accepted_on=row.accepted_on,
        closed_on=row.closed_on,
        is_on_portal=row.portal_user_id is not None,
    )


def _licence_view(row: Licence) -> LicenceView:
    return LicenceView(
        id=row.pk,
        jurisdiction=row.jurisdiction,
        activity=row.activity,
        permit=row.permit,
        number=row.number,
        holder=row.holder,
        valid_from=row.valid_from,
        valid_to=row.valid_to,
        revoked_at=row.revoked_at,
        evidence=row.evidence,
        evidence_file=row.evidence_document.file_name if hasattr(row, "evidence_document") else "",
    )


def find_client_ids(actor: Actor, numbers: Collection[str]) -> dict[str, int]:
    """The ids of those of these client numbers that are in the actor's scope, in one query."""
    return dict(visible_clients(actor).filter(number__in=set(numbers)).values_list("number", "id"))


def load_consenting(client_ids: Collection[int], purpose: ConsentPurpose) -> set[int]:
    """Those of these clients whose consent to a use of their data is in force."""
    rows = Consent.objects.filter(client_id__in=client_ids, purpose=purpose, withdrawn_at=None)
    return set(rows.values_list("client_id", flat=True))


def load_profile_times(client_ids: Collection[int]) -> dict[int, datetime]:
    """When the newest profile of each of these clients was recorded, without opening any; one query."""
    rows = Profile.objects.filter(client_id__in=client_ids, erased_at=None).order_by("client_id", "-version")
    return dict(rows.distinct("client_id").values_list("client_id", "recorded_at"))
