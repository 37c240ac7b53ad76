"""Where the data of features comes from: whose it is, on what ground it is held, and what a look at it checks."""

from datetime import datetime, timedelta

from django.db import connection

from reefpoint.decisions.scoring.adapters import german
from reefpoint.platform.basics.sentences import Sentence
from reefpoint.platform.governance.types import DataSource, SourceReading


def _read(query: str, checks: tuple[str, ...] = (), **params: datetime) -> SourceReading:
    """A look by one query whose columns are the rows, the newest instant, and a count for each check."""
    with connection.cursor() as cursor:
        cursor.execute(query, params)
        rows, newest_at, *failed = cursor.fetchone()
    return SourceReading(rows, newest_at, dict(zip(checks, failed, strict=True)))


def _profiles(at: datetime) -> SourceReading:
    return _read(
        "SELECT count(*), max(recorded_at), count(*) FILTER (WHERE recorded_at > %(at)s) FROM parties_profile"
        " WHERE erased_at IS NULL",
        ("recorded in the future",),
        at=at + timedelta(days=1),
    )


def _bureau(at: datetime) -> SourceReading:
    return _read(
        "SELECT count(*), max(received_at), count(*) FILTER (WHERE report_on > received_at::date)"
        " FROM scoring_bureau_report WHERE erased_at IS NULL",
        ("report of a later day than its receipt",),
    )


def _accounts(at: datetime) -> SourceReading:
    return _read(
        "SELECT count(*), max(opened_on)::timestamptz, count(*) FILTER (WHERE opened_on > %(at)s::date + 1)"
        " FROM accounts_marginaccount",
        ("opened in the future",),
        at=at,
    )


def _flows(at: datetime) -> SourceReading:
    return _read(
        "SELECT count(*), max(at), count(*) FILTER (WHERE amount_minor = 0) FROM monitoring_activity"
        " WHERE kind IN ('deposit', 'withdrawal')",
        ("of no amount",),
    )


def _prices(at: datetime) -> SourceReading:
    return _read(
        "SELECT count(*), max(at), count(*) FILTER (WHERE price_units <= 0) FROM market_price", ("not above zero",)
    )


def _links(at: datetime) -> SourceReading:
    return _read("SELECT count(*), max(since) FROM relations_membership WHERE until IS NULL")


def _german(at: datetime) -> SourceReading:
    cases = german.read_german()
    return SourceReading(len(cases), None, {"not 1,000 cases": int(len(cases) != 1_000)})


_LEGAL_DUTY = ("contract, and the duty to know the client", "合同及客户尽职调查义务")
_AS_ACCOUNT = ("as the law keeps accounts", "按法律对账户的保存期限")

SOURCES: tuple[DataSource, ...] = (
    DataSource("profile", "Profiles of clients", "客户资料", "Onboarding", *_LEGAL_DUTY, *_AS_ACCOUNT, None, _profiles),
    DataSource(
        "bureau",
        "Bureau reports",
        "征信报告",
        str(Sentence("Head of credit")),
        "the client's consent to a credit check",
        "客户对征信查询的同意",
        "while a decision that used it is kept",
        "与使用该报告的决定同期保存",
        90,
        _bureau,
    ),
    DataSource(
        "accounts",
        "Accounts, calls and loans",
        "账户、追保与贷款",
        "Operations",
        *_LEGAL_DUTY,
        *_AS_ACCOUNT,
        None,
        _accounts,
    ),
    DataSource("flows", "Deposits and withdrawals", "存取款", "Operations", *_LEGAL_DUTY, *_AS_ACCOUNT, 30, _flows),
    DataSource(
        "prices",
        "Recorded prices",
        "已记录价格",
        "Market data",
        "no personal data",
        "不含个人数据",
        "for good",
        "长期保存",
        5,
        _prices,
    ),
    DataSource(
        "links", "Groups of related clients", "关联客户组", "Compliance", *_LEGAL_DUTY, *_AS_ACCOUNT, None, _links
    ),
    DataSource(
        "german",
        "German credit data",
        "德国信贷数据",
        "Model development",
        "published for research (CC BY 4.0); no person can be told from it",
        "公开研究数据（CC BY 4.0），无法识别个人",
        "comes with the program",
        "随程序提供",
        None,
        _german,
    ),
)
