"""What every step of an application shares: the lock, the move with its step, the letter."""

from datetime import datetime

from reefpoint.flows.origination.events import ApplicationMoved
from reefpoint.flows.origination.models import Application, Step
from reefpoint.flows.origination.rules.applications import APPLICATION_STATES
from reefpoint.flows.origination.selectors.applications import ApplicationNotFound, read_application
from reefpoint.flows.origination.services.letters import LETTERS
from reefpoint.flows.origination.types.applications import ApplicationState
from reefpoint.platform.audit.services import record
from reefpoint.platform.basics.actors import Actor, system_actor
from reefpoint.platform.events.services import publish
from reefpoint.platform.notifications.services import send_letter
from reefpoint.records.parties.selectors.clients import require_own_or

REVIEWER = system_actor("origination")


def move(*, actor: Actor, row: Application, new: ApplicationState, action: str, words: str, at: datetime) -> None:
    """Bring a locked application to a state by the table, with its step, audit entry and event."""
    old = ApplicationState(row.state)
    APPLICATION_STATES.check(old, new)
    row.state, row.waits_since = new, at
    row.save()
    note_step(actor, row, action, words, at)
    record(
        actor=actor,
        action=f"applications.{action}",
        subject=f"application:{row.pk}",
        reason=words[:500],
        inputs={"old": old, "new": new},
        at=at,
    )
    publish(ApplicationMoved(application_id=row.pk, client_id=row.client_id, old=old, new=new, at=at))


def note_step(actor: Actor, row: Application, action: str, words: str, at: datetime) -> None:
    Step.objects.create(
        application=row, at=at, actor=actor.ref, actor_name=actor.name, action=action, state=row.state, words=words
    )


def tell(*, actor: Actor, row: Application, letter: str, at: datetime, words: str = "") -> None:
    """Queue what the client is told about their application's new state, in their language."""
    send_letter(
        actor=actor,
        to=row.client,
        texts=LETTERS[letter],
        words={"number": row.number, "words": words},
        key=f"application:{row.pk}:{row.steps.count()}",
        about=f"application:{row.pk}",
        at=at,
    )


def lock_application(application_id: int) -> Application:
    """The row, locked, with its client. Raises `ApplicationNotFound`."""
    row = Application.objects.select_for_update(of=("self",)).select_related("client").filter(id=application_id).first()
    if row is None:
        raise ApplicationNotFound("There is no such application.")
    return row


def lock_own(actor: Actor, application_id: int) -> Application:
    """Lock an application for its client or for staff who help. Raises `ApplicationNotFound` for anybody else."""
    read_application(actor, application_id)
    row = lock_application(application_id)
    require_own_or(actor, "applications.assist", row.client_id)
    return row
