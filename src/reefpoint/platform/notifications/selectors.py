"""What was said to whom, and whether it arrived."""

from django.db.models import Q
from django.db.models.query import QuerySet

from reefpoint.platform.basics.findings import Finding
from reefpoint.platform.notifications.models import Notice
from reefpoint.platform.notifications.types import Channel, NoticeRow, NoticeState


def list_notices(
    *,
    about: str | None = None,
    client_id: int | None = None,
    state: NoticeState | None = None,
    before_id: int | None = None,
    limit: int = 50,
) -> list[NoticeRow]:
    """Notices, newest first; pages by `before_id`."""
    wanted = {"about": about, "client_id": client_id, "state": state, "id__lt": before_id}
    notices = Notice.objects.filter(**{name: value for name, value in wanted.items() if value is not None})
    return _rows(notices.order_by("-id")[:limit])


def has_delivered_notice(about: str) -> bool:
    """Whether a notice about this thing reached its client (I26)."""
    return Notice.objects.filter(about=about, state=NoticeState.DELIVERED).exists()


def verify_notifications() -> list[Finding]:
    """Every notice that was given up, and every one that was never tried."""
    stuck = Notice.objects.filter(Q(state=NoticeState.FAILED) | Q(state=NoticeState.QUEUED, attempts=0))
    return [
        Finding(
            "notifications.undelivered", f"notice:{notice.id}", f"{notice.about}: {notice.last_error or 'not tried'}"
        )
        for notice in stuck.order_by("id")[:100]
    ]


def _rows(notices: "QuerySet[Notice]") -> list[NoticeRow]:
    return [
        NoticeRow(
            notice_id=notice.id,
            client_id=notice.client_id,
            channel=Channel(notice.channel),
            to=notice.to,
            subject=notice.subject,
            body=notice.body,
            about=notice.about,
            state=NoticeState(notice.state),
            attempts=notice.attempts,
            evidence=notice.evidence,
            last_error=notice.last_error,
            queued_at=notice.queued_at,
            delivered_at=notice.delivered_at,
        )
        for notice in notices
    ]
