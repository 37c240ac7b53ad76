"""Payments by calls, against a real HTTP server that stands for the bank."""

import hashlib
import hmac
import json
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from django.conf import settings
from tests.records.rails import AT, DAY, DESK, RailsDesk

from reefpoint.records.ledger.services import open_book_day
from reefpoint.records.treasury.adapters.rest_payments import RestPayments
from reefpoint.records.treasury.selectors import get_payment, verify_treasury
from reefpoint.records.treasury.services import open_pool, request_payment, send_payment, work_payments
from reefpoint.records.treasury.types import BankUnreachable, PaymentState

SECRET = b"what desk and bank share"


def signature(*parts: bytes) -> str:
    return hmac.new(SECRET, b"\n".join(parts), hashlib.sha256).hexdigest()


@dataclass
class Bank:
    """A bank's end of the calls: it pays an idempotency key once, and says what it is told to say."""

    paid: dict[str, dict[str, object]] = field(default_factory=dict)
    posts: int = 0
    status: int = 201
    is_signing: bool = True
    said: dict[str, object] = field(default_factory=lambda: {"state": "pending"})
    address: str = ""


@pytest.fixture
def bank(monkeypatch: pytest.MonkeyPatch) -> Iterator[Bank]:
    bank = Bank()

    class Answers(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            key = self.headers["Idempotency-Key"]
            expected = signature(b"POST", self.path.encode(), key.encode(), body)
            bank.posts += 1
            if self.headers["X-Signature"] != expected or self.path != "/desk/payments":
                self.answer(401, key, b"{}")
                return
            if bank.status < 300:
                bank.paid.setdefault(key, json.loads(body))
            self.answer(bank.status, key, b"{}")

        def do_GET(self) -> None:
            reference = self.path.rpartition("/")[2]
            if reference not in bank.paid:
                self.answer(404, reference, b"{}")
                return
            self.answer(200, reference, json.dumps({"reference": reference, **bank.said}).encode())

        def answer(self, status: int, reference: str, body: bytes) -> None:
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            if bank.is_signing:
                self.send_header("X-Signature", signature(reference.encode(), body))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Answers)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    bank.address = f"http://127.0.0.1:{server.server_port}/desk"
    monkeypatch.setattr(settings, "PAYMENT_BANK", bank.address)
    monkeypatch.setattr(settings, "PAYMENT_SECRET", SECRET.decode())
    yield bank
    server.shutdown()
    server.server_close()


@pytest.fixture
def payment_id(desk: RailsDesk) -> int:
    open_book_day(actor=DESK, on=DAY, at=AT)
    open_pool(actor=DESK, code="MAIN", name="Main", currency="USD", committed_minor=1_000_00, cost_bp=200, at=AT)
    return request_payment(
        actor=DESK,
        key="loan-1",
        subject="credit_request:1",
        pool_code="MAIN",
        account_id=desk.calm,
        amount_minor=500_00,
        text="Loan",
        on=DAY,
        at=AT,
    )


def test_a_payment_is_posted_signed_under_its_reference_and_asked_for_until_it_is_answered(
    payment_id: int, bank: Bank
) -> None:
    send_payment(payment_id=payment_id, at=AT)
    reference = get_payment(payment_id).reference
    assert bank.paid == {
        reference: {
            "reference": reference,
            "amount_minor": 500_00,
            "currency": "USD",
            "from_account": "POOL-MAIN",
            "to_account": "CLIENT-MONEY",
            "on": "2020-03-12",
            "text": "Loan",
        }
    }
    assert work_payments(on=DAY, at=AT) == 0
    bank.said = {"state": "confirmed", "amount_minor": 500_00, "bank_reference": "B-1"}
    assert work_payments(on=DAY, at=AT) == 1
    assert work_payments(on=DAY, at=AT) == 0
    assert (get_payment(payment_id).state, get_payment(payment_id).bank_reference) == (PaymentState.CONFIRMED, "B-1")
    assert verify_treasury() == []


def test_a_bank_that_is_away_is_told_later_and_pays_once(payment_id: int, bank: Bank) -> None:
    bank.status = 503
    with pytest.raises(BankUnreachable):
        send_payment(payment_id=payment_id, at=AT)
    assert get_payment(payment_id).state is PaymentState.REQUESTED
    bank.status = 201
    work_payments(on=DAY, at=AT)
    assert get_payment(payment_id).state is PaymentState.SENT
    RestPayments(bank.address, SECRET).collect([], at=AT)
    assert (bank.posts, len(bank.paid)) == (2, 1)


@pytest.mark.parametrize(
    "said",
    [
        {"state": "confirmed", "amount_minor": 500_00, "reference": "P-000777"},
        {"state": "paid", "amount_minor": 500_00},
        {"state": "confirmed"},
        {"state": "confirmed", "amount_minor": "much"},
    ],
)
def test_an_answer_that_makes_no_sense_changes_nothing(payment_id: int, bank: Bank, said: dict[str, object]) -> None:
    send_payment(payment_id=payment_id, at=AT)
    bank.said = said
    assert work_payments(on=DAY, at=AT) == 0
    assert get_payment(payment_id).state is PaymentState.SENT


def test_an_answer_that_the_bank_did_not_sign_is_not_believed(payment_id: int, bank: Bank) -> None:
    send_payment(payment_id=payment_id, at=AT)
    bank.said = {"state": "confirmed", "amount_minor": 500_00}
    bank.is_signing = False
    assert work_payments(on=DAY, at=AT) == 0
    assert get_payment(payment_id).state is PaymentState.SENT


def test_a_bank_elsewhere_is_called_by_https_alone() -> None:
    with pytest.raises(AssertionError):
        RestPayments("http://bank.example/desk", SECRET)
