"""Mail as files: the default where no mail server is set, so that every notice can be read as it was sent."""

import os
from collections.abc import Sequence
from pathlib import Path

from django.conf import settings
from django.core.mail import EmailMessage
from django.core.mail.backends.base import BaseEmailBackend


class MailFileBackend(BaseEmailBackend):
    """Writes each message to `EMAIL_FILE_PATH` under its Message-ID: sent again, it replaces itself."""

    def send_messages(self, email_messages: Sequence[EmailMessage]) -> int:
        """Write the messages and return how many. Raises `OSError` if the folder cannot be written."""
        folder = Path(settings.EMAIL_FILE_PATH)
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        for message in email_messages:
            content = message.message()
            name = "".join(char for char in str(content["Message-ID"]).split("@")[0] if char.isalnum())
            unfinished = folder / f".{name}.part"
            unfinished.write_bytes(content.as_bytes())
            os.replace(unfinished, folder / f"{name}.eml")
        return len(email_messages)
