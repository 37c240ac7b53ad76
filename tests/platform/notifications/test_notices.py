"""Notices: said once, delivered with evidence, tried again, and never given up in silence."""

import email
import json
import os
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from django.core import mail
from django.core.mail.backends.base import BaseEmailBackend
from django.db import IntegrityError, transaction
from pytest_django.fixtures import Settings

from reefpoint.platform.basics.actors import system_actor
from reefpoint.platform.events.models import Event
from reefpoint.platform.events.services import dispatch_once
from reefpoint.platform.notifications.models import Notice
from reefpoint.platform.notifications.selectors import has_delivered_notice, list_notices, verify_notifications
from reefpoint.platform.notifications.services import (
    ConflictingNotice,
    NoticeRefused,
    deliver_notice,
    queue_notice,
    retry_notices,
)
from reefpoint.platform.notifications.types import Channel, NoticeState

pytestmark = pytest.mark.django_db

AT = datetime(2020, 3, 12, 15, 0, tzinfo=UTC)
DESK = system_actor("watch")
SMTP = "django.core.mail.backends.smtp.EmailBackend"
FILES = "reefpoint.platform.notifications.adapters.mail_files.MailFileBackend"


class BrokenServer(BaseEmailBackend):
    """A mail server that is down."""

    def send_messages(self, email_messages: object) -> int:
        raise ConnectionRefusedError("no mail server there")


def queue(key: str = "call:3:opened", **changes: object) -> int:
    words = {
        "client_id": 7,
        "to": "li.ming@example.com",
        "subject": "Margin call K-000003 追保通知",
        "body": "Please deposit 10,000.00 USD by 2020-03-16 16:00.\n请在截止时间前追加担保。",
        "about": "call:3",
    }
    return queue_notice(actor=DESK, key=key, at=AT, **{**words, **changes})  # type: ignore[arg-type] # test cast


def event_names() -> list[str]:
    return list(Event.objects.order_by("id").values_list("name", flat=True))


def test_a_notice_is_delivered_with_evidence_and_tells_so() -> None:
    notice_id = queue()
    assert not has_delivered_notice("call:3")
    assert deliver_notice(notice_id=notice_id, at=AT)
    assert has_delivered_notice("call:3")
    (notice,) = list_notices(about="call:3")
    assert notice.state is NoticeState.DELIVERED
    assert notice.delivered_at == AT
    assert notice.evidence["message_id"] == mail.outbox[0].extra_headers["Message-ID"]
    assert len(notice.evidence["sha256"]) == 64
    assert mail.outbox[0].to == ["li.ming@example.com"]
    assert event_names() == ["notifications.notice_queued", "notifications.notice_delivered"]


def test_the_default_writes_one_file_a_message_that_reads_back(settings: Settings, tmp_path: Path) -> None:
    settings.EMAIL_BACKEND, settings.EMAIL_FILE_PATH = FILES, tmp_path / "mail"
    for key in ("first", "second"):
        deliver_notice(notice_id=queue(key), at=AT)
    files = sorted((tmp_path / "mail").iterdir())
    assert len(files) == 2
    message = email.message_from_bytes(files[0].read_bytes(), policy=email.policy.default)
    assert message["Subject"] == "Margin call K-000003 追保通知"
    assert "请在截止时间前追加担保" in message.get_content()
    assert message["Date"].datetime == AT


def test_i25_a_mail_sent_again_after_a_crash_is_the_same_mail(settings: Settings, tmp_path: Path) -> None:
    settings.EMAIL_BACKEND, settings.EMAIL_FILE_PATH = FILES, tmp_path / "mail"
    notice_id = queue()
    for _ in range(2):
        deliver_notice(notice_id=notice_id, at=AT)
        Notice.objects.update(state=NoticeState.QUEUED, delivered_at=None, attempts=0)  # the commit was lost
    assert len(list((tmp_path / "mail").iterdir())) == 1


def test_i41_same_key_twice_is_one_notice_and_one_delivery() -> None:
    assert queue() == queue()
    notice_id = queue()
    assert deliver_notice(notice_id=notice_id, at=AT)
    assert deliver_notice(notice_id=notice_id, at=AT)
    assert len(mail.outbox) == 1
    assert event_names().count("notifications.notice_queued") == 1


def test_i41_same_key_with_other_words_is_refused() -> None:
    queue()
    with pytest.raises(ConflictingNotice):
        queue(body="Deposit 20,000.00 instead.")
    assert Notice.objects.count() == 1


def test_i26_a_failed_delivery_is_an_event_and_is_tried_again(settings: Settings) -> None:
    settings.EMAIL_BACKEND = f"{__name__}.BrokenServer"
    notice_id = queue()
    assert not deliver_notice(notice_id=notice_id, at=AT)
    assert not has_delivered_notice("call:3")
    (notice,) = list_notices(about="call:3")
    assert (notice.state, notice.attempts) == (NoticeState.QUEUED, 1)
    assert "no mail server there" in notice.last_error
    assert event_names()[-1] == "notifications.notice_failed"
    settings.EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
    assert retry_notices(at=AT + timedelta(seconds=59)) == 0
    assert retry_notices(at=AT + timedelta(seconds=60)) == 1
    assert has_delivered_notice("call:3")


def test_after_the_last_attempt_a_notice_is_failed_and_verify_names_it(settings: Settings) -> None:
    settings.EMAIL_BACKEND = f"{__name__}.BrokenServer"
    notice_id = queue()
    deliver_notice(notice_id=notice_id, at=AT)
    for day in range(1, 8):
        retry_notices(at=AT + timedelta(days=day))
    (notice,) = list_notices(state=NoticeState.FAILED)
    assert notice.attempts == 5
    last = Event.objects.latest("id").payload
    assert (last["is_final"], last["attempts"]) == (True, 5)
    assert [finding.subject for finding in verify_notifications()] == [f"notice:{notice_id}"]


def test_an_in_app_notice_needs_no_address_and_no_server(settings: Settings) -> None:
    settings.EMAIL_BACKEND = f"{__name__}.BrokenServer"
    assert deliver_notice(notice_id=queue(channel=Channel.IN_APP, to=""), at=AT)
    assert has_delivered_notice("call:3")


@pytest.mark.parametrize(
    "changes",
    [
        {"to": "nobody"},
        {"to": "a@example.com\nBcc: b@example.com"},
        {"subject": "Call\nBcc: b@example.com"},
        {"subject": ""},
        {"subject": "x" * 201},
        {"body": "x" * 20_001},
    ],
)
def test_i69_what_no_channel_can_carry_is_refused_and_leaves_nothing(changes: dict[str, object]) -> None:
    with pytest.raises(NoticeRefused):
        queue(**changes)
    assert not Notice.objects.exists()
    assert event_names() == []


def test_the_database_refuses_a_delivery_without_evidence() -> None:
    notice_id = queue()
    with pytest.raises(IntegrityError), transaction.atomic():
        Notice.objects.filter(id=notice_id).update(state=NoticeState.DELIVERED, delivered_at=AT)


def test_the_wiring_delivers_what_is_queued() -> None:
    queue()
    dispatch_once("worker")
    assert has_delivered_notice("call:3")


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("", [FILES, "", 25, "", "", False, False]),
        ("smtp://mail.example:2525", [SMTP, "mail.example", 2525, "", "", False, False]),
        ("smtp+tls://desk:p%40ss@mail.example:587", [SMTP, "mail.example", 587, "desk", "p@ss", True, False]),
        ("smtps://mail.example:465", [SMTP, "mail.example", 465, "", "", False, True]),
    ],
)
def test_a_mail_server_is_set_by_one_address(url: str, expected: list[object]) -> None:
    program = """
import json
from reefpoint.config import settings
names = ("BACKEND", "HOST", "PORT", "HOST_USER", "HOST_PASSWORD", "USE_TLS", "USE_SSL")
print(json.dumps([getattr(settings, f"EMAIL_{name}") for name in names]))
"""
    environment = {**os.environ, "REEFPOINT_SMTP_URL": url, "PYTHONPATH": os.pathsep.join(sys.path)}
    printed = subprocess.check_output([sys.executable, "-c", program], env=environment)
    assert json.loads(printed) == expected
