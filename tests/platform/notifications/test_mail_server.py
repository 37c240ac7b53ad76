"""A real conversation with a mail server, small as it is."""

import email
import socketserver
import threading
from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
from pytest_django.fixtures import Settings

from reefpoint.platform.basics.actors import system_actor
from reefpoint.platform.notifications.selectors import list_notices
from reefpoint.platform.notifications.services import deliver_notice, queue_notice, retry_notices
from reefpoint.platform.notifications.types import NoticeState

AT = datetime(2020, 3, 12, 15, 0, tzinfo=UTC)


class MailServer(socketserver.ThreadingTCPServer):
    """Speaks enough SMTP to take mail; refuses every recipient at `nowhere.example`."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Conversation)
        self.taken: list[bytes] = []


class _Conversation(socketserver.StreamRequestHandler):
    server: MailServer

    def handle(self) -> None:
        self.wfile.write(b"220 ready\r\n")
        for line in self.rfile:
            verb = line[:4].upper()
            if verb == b"DATA":
                self.wfile.write(b"354 go on\r\n")
                self.server.taken.append(b"".join(iter(self.rfile.readline, b".\r\n")))
            answer = b"550 no such person\r\n" if b"nowhere.example" in line else b"250 fine\r\n"
            self.wfile.write(b"221 bye\r\n" if verb == b"QUIT" else answer)


@pytest.fixture
def mail_server(settings: Settings) -> Iterator[MailServer]:
    with MailServer() as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
        settings.EMAIL_HOST, settings.EMAIL_PORT = server.server_address
        yield server
        server.shutdown()


def queue(to: str) -> int:
    return queue_notice(
        actor=system_actor("watch"),
        key=f"call:3:{to}",
        client_id=7,
        to=to,
        subject="追保通知 K-000003",
        body="请在截止时间前追加担保。\nPlease deposit before the deadline.",
        about="call:3",
        at=AT,
    )


@pytest.mark.django_db
def test_a_notice_reaches_a_mail_server_as_it_was_written(mail_server: MailServer) -> None:
    assert deliver_notice(notice_id=queue("li.ming@example.com"), at=AT)
    (taken,) = mail_server.taken
    message = email.message_from_bytes(taken, policy=email.policy.default)
    assert (message["To"], message["Subject"]) == ("li.ming@example.com", "追保通知 K-000003")
    assert "请在截止时间前追加担保" in message.get_content()
    (notice,) = list_notices(about="call:3")
    assert notice.evidence["message_id"] == message["Message-ID"]


@pytest.mark.django_db
def test_i26_a_refused_recipient_is_a_failed_delivery_with_the_servers_words(mail_server: MailServer) -> None:
    assert not deliver_notice(notice_id=queue("nobody@nowhere.example"), at=AT)
    (notice,) = list_notices(about="call:3")
    assert (notice.state, notice.attempts) == (NoticeState.QUEUED, 1)
    assert "no such person" in notice.last_error
    assert mail_server.taken == []
    assert retry_notices(at=AT) == 0
