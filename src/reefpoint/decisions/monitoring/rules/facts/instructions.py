"""Facts of who acts, by which device, and where the money goes."""

from collections.abc import Callable, Sequence

import numpy as np

from reefpoint.decisions.monitoring.rules.expressions import Column, Kind
from reefpoint.decisions.monitoring.rules.facts.sheet import (
    Fact,
    FactSheet,
    Settings,
    count_of,
    distinct,
    flag,
    of_some,
    plain,
)
from reefpoint.decisions.monitoring.types import ActivityKind
from reefpoint.engine.columns import Int64s
from reefpoint.engine.windows import NEVER, last_before

HOURS_NEVER = 999_999
"""Hours since something that never happened."""


def _hours_since(*kinds: ActivityKind) -> Callable[[FactSheet], Int64s]:
    def take(sheet: FactSheet) -> Int64s:
        last = last_before(sheet.part("client"), sheet.rows.at, sheet.is_kind(*kinds))
        return np.where(last == NEVER, HOURS_NEVER, np.minimum((sheet.rows.at - last) // 3600, HOURS_NEVER))

    return take


def _payee_is_new(sheet: FactSheet, _: Settings) -> Column:
    paid = sheet.is_kind(ActivityKind.WITHDRAWAL)
    last = last_before(sheet.part("client", "counterparty"), sheet.rows.at, paid)
    return Column(flag(last == NEVER), sheet.rows.counterparty != 0)


INSTRUCTIONS: Sequence[Fact] = (
    Fact(
        "hours_since_change",
        Kind.NUMBER,
        "hours",
        "hours since bank, phone, e-mail or device changed; 999,999 if never",
        "银行账户、电话、邮箱或设备变更后的小时数",
        plain(_hours_since(ActivityKind.BANK_CHANGE, ActivityKind.CONTACT_CHANGE)),
    ),
    Fact("payee_is_new", Kind.FLAG, "", "nothing was paid to this account before", "此前未向该账户付款", _payee_is_new),
    Fact(
        "bank_changes_30d",
        Kind.NUMBER,
        "count",
        "changes of bank accounts over 30 days",
        "30日内银行账户变更次数",
        plain(count_of(ActivityKind.BANK_CHANGE, 30)),
    ),
    Fact(
        "same_bank_changes_30d",
        Kind.NUMBER,
        "count",
        "of it, to this same account",
        "其中变更为同一账户",
        plain(count_of(ActivityKind.BANK_CHANGE, 30, "client", "counterparty")),
    ),
    Fact(
        "device_clients_30d",
        Kind.NUMBER,
        "count",
        "clients for whom this device ordered or signed in over 30 days",
        "30日内使用该设备下单或登录的客户数",
        of_some(
            "device",
            lambda s: distinct(s, s.rows.client, s.is_kind(ActivityKind.ORDER, ActivityKind.SIGN_IN), 30, "device"),
        ),
    ),
    Fact(
        "device_applicants_30d",
        Kind.NUMBER,
        "count",
        "applicants on this device over 30 days",
        "30日内使用该设备的申请人数",
        of_some("device", lambda s: distinct(s, s.rows.client, s.is_kind(ActivityKind.APPLICATION), 30, "device")),
    ),
)
