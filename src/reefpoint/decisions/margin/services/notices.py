"""What a client is told about a call, in their language: why, how much, until when, and what happens then."""

from collections.abc import Mapping
from datetime import datetime

from reefpoint.decisions.margin.models import MarginCall
from reefpoint.decisions.margin.types import CallCause
from reefpoint.platform.basics.actors import Actor
from reefpoint.platform.basics.letters import Texts
from reefpoint.platform.basics.money import Money
from reefpoint.platform.notifications.services import send_letter
from reefpoint.records.accounts.selectors.accounts import get_account
from reefpoint.records.parties.selectors.clients import get_client

_CALL = {
    "en": (
        "Margin call {number}: {amount} by {deadline}",
        "Dear {name},\n\n"
        "The ratio of assets to debt of your account {account} is {ratio}, under its call line of {call}.\n"
        "Assets {assets}, debt {debt}.\n\n"
        "Please repay {amount}, add collateral, or sell, so that the ratio reaches {cure}, by {deadline}.\n"
        "After that, or at once if the ratio falls under the close-out line, we sell as much of your holdings as it "
        "takes. You may lose more than you put in.\n",
    ),
    "zh-hans": (
        "追保通知 {number}：请于 {deadline} 前补足 {amount}",
        "尊敬的{name}：\n\n"
        "您的账户 {account} 的维持担保比例为 {ratio}，低于追保线 {call}。\n"
        "资产 {assets}，负债 {debt}。\n\n"
        "请于 {deadline} 前偿还 {amount}，或追加担保物，或卖出证券，使该比例达到 {cure}。\n"
        "逾期未补足，或该比例跌破平仓线时，我们将卖出您持有的证券，直至补足。您的损失可能超过投入的本金。\n",
    ),
}

_MAINTENANCE = {
    "en": (
        "Margin call {number}: {amount} by {deadline}",
        "Dear {name},\n\n"
        "Your own money in account {account} is {equity}: assets {assets} less debt {debt}. The names you hold ask for "
        "{requirement} (maintenance).\n\n"
        "Please pay in or repay {amount}, add collateral, or sell, so that your own money meets what your names ask "
        "for, by {deadline}.\n"
        "After that, or at once if the ratio falls under the close-out line, we sell as much of your holdings as it "
        "takes. You may lose more than you put in.\n",
    ),
    "zh-hans": (
        "追保通知 {number}：请于 {deadline} 前补足 {amount}",
        "尊敬的{name}：\n\n"
        "您的账户 {account} 的净资产为 {equity}（资产 {assets} 减负债 {debt}），"
        "低于所持证券的维持保证金 {requirement}。\n\n"
        "请于 {deadline} 前存入或偿还 {amount}，或追加担保物，或卖出证券，使净资产不低于所持证券的维持保证金。\n"
        "逾期未补足，或维持担保比例跌破平仓线时，我们将卖出您持有的证券，直至补足。您的损失可能超过投入的本金。\n",
    ),
}
LETTERS: Mapping[CallCause, Texts] = {CallCause.LINE: _CALL, CallCause.MAINTENANCE: _MAINTENANCE}


def send_call_notice(*, actor: Actor, call_id: int, at: datetime) -> int:
    """Queue the notice of a call, once. Returns the notice's id."""
    call = MarginCall.objects.get(id=call_id)
    account = get_account(call.account_id)
    client = get_client(actor, account.client_id)
    words = {
        "number": call.number,
        "account": account.number,
        "amount": str(Money(call.amount_minor, account.currency)),
        "assets": str(Money(call.assets_minor, account.currency)),
        "debt": str(Money(call.debt_minor, account.currency)),
        "equity": str(Money(call.assets_minor - call.debt_minor, account.currency)),
        "requirement": str(Money(call.requirement_minor or 0, account.currency)),
        "ratio": f"{call.ratio_bp / 100:.2f}%",
        "call": f"{call.call_bp / 100:.2f}%",
        "cure": f"{call.cure_bp / 100:.2f}%",
        "deadline": f"{call.deadline_at:%Y-%m-%d %H:%M} UTC",
    }
    texts = LETTERS[CallCause(call.cause)]
    return send_letter(
        actor=actor, to=client, texts=texts, words=words, key=f"call:{call_id}", about=f"call:{call_id}", at=at
    )
