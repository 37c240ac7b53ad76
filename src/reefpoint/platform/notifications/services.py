"""Queuing notices and delivering them, with evidence."""

import hashlib
from collections.abc import Collection, Mapping
from datetime import datetime
from email.utils import format_datetime

from django.core.exceptions import ValidationError
from django.core.mail import EmailMessage, get_connection
from django.core.validators import validate_email
from django.db import transaction

from reefpoint.platform.access.services import require
from reefpoint.platform.audit.services import record
from reefpoint.platform.basics.actors import Actor
from reefpoint.platform.basics.errors import Refusal
from reefpoint.platform.basics.letters import Addressee, Texts, write_letter
from reefpoint.platform.basics.personal_data import is_kept
from reefpoint.platform.events.services import publish
from reefpoint.platform.notifications import rules
from reefpoint.platform.notifications.events import NoticeDelivered, NoticeFailed, NoticeQueued
from reefpoint.platform.notifications.models import Notice
from reefpoint.platform.notifications.types import Channel, NoticeState


class NoticeRefused(Refusal):
    """A notice that cannot be sent as written: no valid address, or a subject that is empty, long or of many lines."""

    code = "notice_refused"


class ConflictingNotice(Refusal):
    """A key that already named another notice."""

    code = "conflicting_notice"


@transaction.atomic
def queue_notice(
    *,
    actor: Actor,
    key: str,
    client_id: int | None,
    to: str,
    subject: str,
    body: str,
    about: str,
    at: datetime,
    channel: Channel = Channel.MAIL,
) -> int:
    """Put a notice in the queue, with the words the caller chose. Returns its id; the same key again, the same id.

    Raises `NoticeRefused` for what no channel can carry, `ConflictingNotice` for a key used for another notice.
    """
    _check(channel, to, subject, body)
    content = {"client_id": client_id, "channel": channel.value, "to": to, "subject": subject, "body": body}
    notice, is_new = Notice.objects.get_or_create(
        key=key,
        defaults={**content, "about": about, "queued_by": actor.ref, "queued_at": at, "next_attempt_at": at},
    )
    if is_new:
        publish(NoticeQueued(at=at, notice_id=notice.id, client_id=client_id, about=about))
    elif any(getattr(notice, name) != value for name, value in {**content, "about": about}.items()):
        raise ConflictingNotice("Key {key} already named another notice.", key=key)
    return notice.id


def send_letter(
    *, actor: Actor, to: Addressee, texts: Texts, words: Mapping[str, str], key: str, about: str, at: datetime
) -> int:
    """Queue a letter to a client in their language, once for a key. Returns the notice's id, as `queue_notice` does."""
    subject, body = write_letter(texts, to, words)
    return queue_notice(
        actor=actor, key=key, client_id=to.id, to=to.email, subject=subject, body=body, about=about, at=at
    )


@transaction.atomic
def erase_notices(*, actor: Actor, client_id: int, kept: Collection[str], at: datetime) -> None:
    """Blank what a client was told and where it was sent, unless a law keeps some of the client's data (`kept`).

    That something was sent, why and when stays. One that still waits goes unsent. Again, it blanks nothing more.
    """
    require(actor, "clients.erase")
    erased = {} if is_kept("notifications.Notice", kept) else _erase(client_id, at)
    record(
        actor=actor,
        action="notifications.erase",
        subject=f"client:{client_id}",
        inputs={"erased": erased, "kept": sorted(kept)},
        at=at,
    )


def _erase(client_id: int, at: datetime) -> dict[str, int]:
    notices = Notice.objects.filter(client_id=client_id).exclude(to="", subject="", body="")
    unsent, _ = notices.filter(state=NoticeState.QUEUED).delete()
    notices.filter(state=NoticeState.DELIVERED).update(evidence={"erased_at": at.isoformat()})
    return {"unsent": unsent, "notices": notices.update(to="", subject="", body="", last_error="")}


def _check(channel: Channel, to: str, subject: str, body: str) -> None:
    if not subject.isprintable() or not 0 < len(subject) <= rules.SUBJECT_CHARS_MAX:
        raise NoticeRefused(
            "A subject is one line of 1 to {subject_chars_max} characters.", subject_chars_max=rules.SUBJECT_CHARS_MAX
        )
    if len(body) > rules.BODY_CHARS_MAX:
        raise NoticeRefused(
            "A notice has at most {body_chars_max} characters, not {count}.",
            body_chars_max=rules.BODY_CHARS_MAX,
            count=len(body),
        )
    if channel is Channel.MAIL:
        try:
            validate_email(to)
        except ValidationError:
            raise NoticeRefused("The client has no valid mail address; correct it and send again.") from None


@transaction.atomic
def deliver_notice(*, notice_id: int, at: datetime) -> bool:
    """Try to hand a queued notice over; true if it is delivered now or was before, false also for one that was erased.

    A failed attempt is recorded and told (`NoticeFailed`), and `retry_notices` tries again until none is left. Sent
    twice after a crash, a mail carries the same Message-ID.
    """
    notice = Notice.objects.select_for_update().filter(id=notice_id).first()
    if notice is None or notice.state != NoticeState.QUEUED:
        return notice is not None and notice.state == NoticeState.DELIVERED
    notice.attempts += 1
    try:
        evidence = _send(notice, at)
    except Exception as error:
        _record_failure(notice, error, at)
        return False
    rules.NOTICE_STATES.check(NoticeState.QUEUED, NoticeState.DELIVERED)
    notice.state, notice.delivered_at, notice.evidence, notice.last_error = NoticeState.DELIVERED, at, evidence, ""
    notice.save(update_fields=["state", "attempts", "delivered_at", "evidence", "last_error"])
    publish(NoticeDelivered(at=at, notice_id=notice.id, client_id=notice.client_id, about=notice.about))
    return True


def retry_notices(*, at: datetime, limit: int = 100) -> int:
    """Try notices again whose wait is over at `at`. Returns how many were delivered."""
    due = Notice.objects.filter(state=NoticeState.QUEUED, attempts__gt=0, next_attempt_at__lte=at)
    ids = list(due.order_by("id").values_list("id", flat=True)[:limit])
    return sum(deliver_notice(notice_id=notice_id, at=at) for notice_id in ids)


def _record_failure(notice: Notice, error: Exception, at: datetime) -> None:
    delay = rules.retry_delay(notice.attempts)
    if delay is None:
        rules.NOTICE_STATES.check(NoticeState.QUEUED, NoticeState.FAILED)
        notice.state = NoticeState.FAILED
    else:
        notice.next_attempt_at = at + delay
    notice.last_error = f"{type(error).__name__}: {error}"[:300]
    notice.save(update_fields=["state", "attempts", "next_attempt_at", "last_error"])
    publish(
        NoticeFailed(
            at=at,
            notice_id=notice.id,
            client_id=notice.client_id,
            about=notice.about,
            attempts=notice.attempts,
            is_final=delay is None,
        )
    )


def _send(notice: Notice, at: datetime) -> dict[str, str]:
    """Hand a notice to its channel; returns the evidence."""
    if notice.channel == Channel.IN_APP:
        return {"channel": Channel.IN_APP.value, "shown_from": at.isoformat()}
    message_id = rules.message_id(notice.key)
    message = EmailMessage(
        subject=notice.subject,
        body=notice.body,
        to=[notice.to],
        headers={"Message-ID": message_id, "Date": format_datetime(at)},
    )
    content_hash = hashlib.sha256(message.message().as_bytes()).hexdigest()
    connection = get_connection()
    if connection.send_messages([message]) != 1:
        raise OSError("the mail server took no message")
    return {"channel": Channel.MAIL.value, "to": notice.to, "message_id": message_id, "sha256": content_hash}
