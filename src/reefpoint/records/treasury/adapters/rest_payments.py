"""Payments by calls: `POST <address>/payments`, then `GET <address>/payments/<reference>` until there is an answer.

Each call is signed with the secret that desk and bank share: `X-Signature` is the hex HMAC-SHA256 of method, path,
idempotency key and body, parted by line ends. `Idempotency-Key` is the payment's reference. The bank signs the body of
each answer the same way under the reference; an answer that is not signed by it is not believed.
"""

import hashlib
import hmac
import json
from collections.abc import Collection, Sequence
from datetime import datetime
from http.client import HTTPConnection, HTTPException, HTTPResponse, HTTPSConnection
from urllib.parse import urlsplit

from reefpoint.platform.basics.sentences import Sentence
from reefpoint.records.treasury.types import (
    AnswerBatch,
    BankAnswer,
    BankUnreachable,
    PaymentInstruction,
    PaymentOutcome,
)

SECONDS_MAX = 10
ANSWER_BYTES_MAX = 65_536


def sign(secret: bytes, *parts: bytes) -> str:
    """The signature of a call or an answer, in hex."""
    return hmac.new(secret, b"\n".join(parts), hashlib.sha256).hexdigest()


class RestPayments:
    """A bank that is called. `address` is https, or http on this machine."""

    name = "rest"

    def __init__(self, address: str, secret: bytes) -> None:
        self.address = urlsplit(address)
        assert secret, "a bank that is called needs a secret"
        is_local = self.address.hostname in {"127.0.0.1", "localhost", "::1"}
        assert self.address.scheme == "https" or (self.address.scheme == "http" and is_local), "payments need https"
        self._secret = secret

    def send(self, instruction: PaymentInstruction) -> None:
        """Tell the bank. A refusal of the instruction is not an end: the answer tells. Raises `BankUnreachable`."""
        body = json.dumps(
            {
                "reference": instruction.reference,
                "amount_minor": instruction.amount_minor,
                "currency": instruction.currency,
                "from_account": instruction.from_account,
                "to_account": instruction.to_account,
                "on": instruction.on.isoformat(),
                "text": instruction.text,
            },
            sort_keys=True,
        ).encode()
        status, _body = self._call("POST", "/payments", instruction.reference, body)
        if not 200 <= status < 300:
            raise BankUnreachable(f"The bank answered {status} to payment {instruction.reference}.")

    def collect(self, references: Collection[str], *, at: datetime) -> Sequence[AnswerBatch]:
        """The bank's answers to these references; one that it has not decided, or does not know, has none."""
        batches = []
        for reference in sorted(references):
            status, body = self._call("GET", f"/payments/{reference}", reference, b"")
            if status == 200:
                batch = _read(reference, body)
                if batch is not None:
                    batches.append(batch)
            elif status != 404:
                raise BankUnreachable(f"The bank answered {status} when asked for payment {reference}.")
        return batches

    def put_away(self, batch: AnswerBatch, *, refusal: str = "") -> None:
        """Nothing: the bank answers as often as it is asked."""

    def _call(self, method: str, path: str, reference: str, body: bytes) -> tuple[int, bytes]:
        path = self.address.path.rstrip("/") + path
        kind = HTTPSConnection if self.address.scheme == "https" else HTTPConnection
        connection = kind(self.address.hostname or "", self.address.port, timeout=SECONDS_MAX)
        try:
            connection.request(
                method,
                path,
                body=body or None,
                headers={
                    "Content-Type": "application/json",
                    "Idempotency-Key": reference,
                    "X-Signature": sign(self._secret, method.encode(), path.encode(), reference.encode(), body),
                },
            )
            response = connection.getresponse()
            content = response.read(ANSWER_BYTES_MAX + 1)
        except (OSError, HTTPException) as error:
            raise BankUnreachable(f"The bank cannot be reached: {type(error).__name__}.") from error
        finally:
            connection.close()
        if response.status == 200:
            self._check(reference, response, content)
        return response.status, content

    def _check(self, reference: str, response: HTTPResponse, content: bytes) -> None:
        expected = sign(self._secret, reference.encode(), content)
        if len(content) > ANSWER_BYTES_MAX or not hmac.compare_digest(
            response.headers.get("X-Signature", ""), expected
        ):
            raise BankUnreachable(f"The answer about payment {reference} is not signed by the bank.")


def _read(reference: str, body: bytes) -> AnswerBatch | None:
    """The answer to one reference, None while the bank has not decided."""
    try:
        said = json.loads(body)
        if said["state"] == "pending":
            return None
        answer = BankAnswer(
            reference=str(said["reference"]),
            outcome=PaymentOutcome(said["state"]),
            amount_minor=int(said["amount_minor"]),
            bank_reference=str(said.get("bank_reference", ""))[:80],
            reason=str(said.get("reason", ""))[:300],
        )
    except (ValueError, KeyError, TypeError):
        return AnswerBatch(reference, refusal=str(Sentence("The answer cannot be read.")))
    if answer.reference != reference:
        return AnswerBatch(reference, refusal=str(Sentence("The answer is about another payment.")))
    return AnswerBatch(reference, (answer,))
