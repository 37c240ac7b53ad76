"""The way in: an example by the real engine, in both languages, without a sign-in."""

import pytest
from django.test import Client
from tests.desk import Desk

pytestmark = pytest.mark.django_db
EXAMPLE = {"scheme": "STANDARD", "symbol": ["AAPL"], "amount": "1,000,000", "loan": "40万"}


def test_an_example_says_what_it_costs_and_where_it_would_be_called_and_sold(offered: Desk, client: Client) -> None:
    text = client.get("/start/", EXAMPLE).content.decode()
    assert "What this loan would mean" in text
    assert "600,000.00" in text
    assert "400,000.00" in text
    assert "Until your shares are sold" in text


def test_the_same_in_chinese(offered: Desk, client: Client) -> None:
    client.cookies["django_language"] = "zh-hans"
    text = client.get("/start/", EXAMPLE).content.decode()
    assert '<html lang="zh-hans"' in text
    assert "400,000.00" in text
    assert "Until your shares are sold" not in text


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"amount": "much"}, "This is not an amount"),
        ({"loan": "-1"}, "This is not an amount"),
        ({"symbol": []}, "Choose at least one name"),
        ({"symbol": ["<script>"]}, "Choose at least one name"),
        ({"loan": "99999999999999"}, ""),
        ({"amount": "0.01"}, ""),
    ],
)
def test_i69_what_cannot_be_worked_out_is_said(
    offered: Desk, client: Client, change: dict[str, object], words: str
) -> None:
    answer = client.get("/start/", {**EXAMPLE, **change})
    assert answer.status_code == 200
    text = answer.content.decode()
    assert words in text
    assert "<script>alert" not in text


def test_without_a_scheme_nothing_is_on_offer(db: None, client: Client) -> None:
    assert "Nothing is on offer" in client.get("/start/").content.decode()
