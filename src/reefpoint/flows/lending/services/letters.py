"""What a client is told about a request for credit, in their language."""

from collections.abc import Mapping, Sequence
from datetime import date

from reefpoint.decisions.credit.types import Words
from reefpoint.platform.basics.letters import Texts
from reefpoint.platform.basics.money import minor_digits

LETTERS: Mapping[str, Texts] = {
    "requested": {
        "en": (
            "We have your request for credit {number}",
            "Dear {name},\n\nWe have received your request {number} for {amount} and look at it now. You can follow it "
            "on the portal.\n",
        ),
        "zh-hans": (
            "我们已收到您的融资申请 {number}",
            "尊敬的{name}：\n\n我们已收到您金额为 {amount} 的融资申请 {number}，正在审核。您可在客户门户查看进度。\n",
        ),
    },
    "declined": {
        "en": (
            "Your request for credit {number}",
            "Dear {name},\n\nThank you for your request {number}. We cannot lend you {amount} on these terms.\n\n"
            "{words}\n\nIf you believe that this rests on wrong information, answer this message and we look at it "
            "again.\n",
        ),
        "zh-hans": (
            "关于您的融资申请 {number}",
            "尊敬的{name}：\n\n感谢您提交融资申请 {number}。很遗憾，我们无法按此条件向您提供 {amount} 的融资。\n\n"
            "{words}\n\n如您认为所依据的信息有误，请回复本邮件，我们会重新审核。\n",
        ),
    },
    "approved": {
        "en": (
            "Your request for credit {number} is approved",
            "Dear {name},\n\nYour request {number} is approved for {amount}. We work out your price and tell you when "
            "there is an offer.\n{words}",
        ),
        "zh-hans": (
            "您的融资申请 {number} 已获批准",
            "尊敬的{name}：\n\n您的融资申请 {number} 已获批准，金额为 {amount}。正在计算您的价格，有报价时会通知您。\n"
            "{words}",
        ),
    },
    "signed": {
        "en": (
            "Your contract {number} is in force",
            "Dear {name},\n\nBoth of us have signed the contract on your request {number} for {amount}. We prepare the "
            "payment now.\n{words}",
        ),
        "zh-hans": (
            "您的合同 {number} 已生效",
            "尊敬的{name}：\n\n双方已签署申请 {number} 的合同，金额为 {amount}。我们正在准备付款。\n{words}",
        ),
    },
    "offered": {
        "en": (
            "An offer on your request for credit {number}",
            "Dear {name},\n\nThere is an offer on your request {number} for {amount}. Sign in to the portal to see the "
            "price with its build-up. {words}\n",
        ),
        "zh-hans": (
            "您的融资申请 {number} 已有报价",
            "尊敬的{name}：\n\n您金额为 {amount} 的融资申请 {number} 已有报价。请登录客户门户查看价格及其构成。"
            "{words}\n",
        ),
    },
    "offer_over": {
        "en": (
            "The offer on your request {number} has changed",
            "Dear {name},\n\nThe offer on your request {number} cannot be used any more: {words}\n\nNothing was signed "
            "and nothing is owed. You will see a new offer on the portal.\n",
        ),
        "zh-hans": (
            "您的融资申请 {number} 的报价有变",
            "尊敬的{name}：\n\n您的融资申请 {number} 的报价已不能使用：{words}\n\n您未签署任何文件，也不欠任何款项。"
            "新的报价会显示在客户门户。\n",
        ),
    },
    "funded": {
        "en": (
            "Your credit {number} is paid",
            "Dear {name},\n\n{amount} is in your margin account {words}. From now on the account is watched: you will "
            "be told when its ratio comes near a line.\n",
        ),
        "zh-hans": (
            "您的融资 {number} 已到账",
            "尊敬的{name}：\n\n{amount} 已存入您的融资账户 {words}。该账户已开始盯市：当维持担保比例接近任何一条线时，"
            "我们会通知您。\n",
        ),
    },
    "failed": {
        "en": (
            "Your credit {number} was not paid",
            "Dear {name},\n\nThe bank did not carry out the payment of {amount} for your request {number}. Nothing is "
            "owed, and no interest runs. We are looking into it and will tell you when it is paid.\n",
        ),
        "zh-hans": (
            "您的融资 {number} 未能支付",
            "尊敬的{name}：\n\n银行未能完成申请 {number} 的 {amount} 付款。您不欠任何款项，也不计利息。"
            "我们正在处理，支付完成后会通知您。\n",
        ),
    },
    "withdrawn": {
        "en": (
            "Your request for credit {number} is withdrawn",
            "Dear {name},\n\nYour request {number} is withdrawn. Nothing is owed. You can ask again at any time.\n",
        ),
        "zh-hans": (
            "您的融资申请 {number} 已撤回",
            "尊敬的{name}：\n\n您的融资申请 {number} 已撤回，您不欠任何款项。您可随时重新申请。\n",
        ),
    },
    "scheme_withdrawn": {
        "en": (
            "The scheme of your request {number} is offered no longer",
            "Dear {name},\n\nThe scheme of your request {number} for {amount} is offered no longer. {words} Nothing is "
            "owed.\n",
        ),
        "zh-hans": (
            "您的融资申请 {number} 所用方案已停止提供",
            "尊敬的{name}：\n\n您金额为 {amount} 的融资申请 {number} 所用的方案已停止提供。{words}您不欠任何款项。\n",
        ),
    },
    "scheme_ended": {
        "en": (
            "The scheme of your request {number} is offered no longer: the request has ended",
            "Dear {name},\n\nThe scheme of your request {number} for {amount} is offered no longer, and nothing takes "
            "its place. Your request has ended; what was offered or signed under it is not paid out. Nothing is owed. "
            "You can ask under another scheme at any time.\n",
        ),
        "zh-hans": (
            "您的融资申请 {number} 所用方案已停止提供，申请已终止",
            "尊敬的{name}：\n\n您金额为 {amount} 的融资申请 {number} 所用的方案已停止提供，且无替代版本。"
            "您的申请已终止，已报价或已签署的内容均不再放款。您不欠任何款项，可随时改选其他方案重新申请。\n",
        ),
    },
    "lapsed": {
        "en": (
            "Your request for credit {number} has ended",
            "Dear {name},\n\nYour request {number} was not gone on with in time and has ended. Nothing is owed. You "
            "can ask again at any time.\n",
        ),
        "zh-hans": (
            "您的融资申请 {number} 已终止",
            "尊敬的{name}：\n\n您的融资申请 {number} 因未及时办理已终止，您不欠任何款项。您可随时重新申请。\n",
        ),
    },
    "matures": {
        "en": (
            "Your loan {number} is due on {words}",
            "Dear {name},\n\n{amount} of your loan {number} is to be repaid on {words}. Pay the money in in time, or "
            "see on the portal whether you can renew. What is not repaid when the days of grace are over is late: it "
            "bears the penalty rate of your contract, and collateral may be sold.\n",
        ),
        "zh-hans": (
            "您的融资 {number} 将于 {words} 到期",
            "尊敬的{name}：\n\n您的融资 {number} 中有 {amount} 须于 {words} 归还。请及时存入资金，"
            "或在客户门户查看能否展期。宽限期过后仍未归还的部分即为逾期：按合同约定计收罚息，担保品可能被平仓。\n",
        ),
    },
    "due": {
        "en": (
            "Your loan {number} was due and is not repaid",
            "Dear {name},\n\n{amount} of your loan {number} was due and is still owed. Pay it into your margin account "
            "by {words}. After that day it is late: it bears the penalty rate and the late fees of your contract, and "
            "you are in default.\n",
        ),
        "zh-hans": (
            "您的融资 {number} 已到期，尚未归还",
            "尊敬的{name}：\n\n您的融资 {number} 已到期，仍欠 {amount}。请于 {words} 之前存入您的保证金账户。"
            "此后即为逾期：按合同约定计收罚息和逾期费，并构成违约。\n",
        ),
    },
    "late": {
        "en": (
            "Your loan {number} is late",
            "Dear {name},\n\nThe days of grace are over and {amount} of your loan {number} is still owed. From now on "
            "it bears {words} a year, and the late fees of your contract are charged. You are in default: everything "
            "that you owe is due at once, and we may sell collateral as your contract says. Pay now, or call us.\n",
        ),
        "zh-hans": (
            "您的融资 {number} 已逾期",
            "尊敬的{name}：\n\n宽限期已过，您的融资 {number} 仍欠 {amount}。自即日起按年利率 {words} 计息，"
            "并按合同收取逾期费。您已构成违约：所欠全部款项立即到期，我方可以按合同约定卖出担保品。请立即付款，或与我们联系。\n",
        ),
    },
    "default": {
        "en": (
            "Your shares may be sold from {day} on: loan {number}",
            "Dear {name},\n\nYour loan {number} is late and you are in default under your contract. {amount} is owed "
            "today: principal, and interest and fees due; interest runs on until it is paid.\n\nPay it into your "
            "margin account by {words} UTC. If it is not paid by then, we may sell collateral from {day} on, in the "
            "order of your contract, until this is paid and no further. What the sale does not cover you still owe.\n\n"
            "The portal shows where it stands. If you cannot pay, call us now.\n",
        ),
        "zh-hans": (
            "自 {day} 起可能卖出您的股票：融资 {number}",
            "尊敬的{name}：\n\n您的融资 {number} 已逾期，依合同构成违约。截至今日共欠 {amount}，包括"
            "本金及到期的利息和费用；付清之前继续计息。\n\n请于 {words}（协调世界时）之前存入您的保证金账户。"
            "届时仍未付清的，我方自 {day} 起可以按合同约定的顺序卖出担保品，直至上述款项付清为止，不会多卖；"
            "卖出所得不足清偿的部分，您仍须偿还。\n\n"
            "进展见客户门户。如无法付款，请立即与我们联系。\n",
        ),
    },
    "default_paid": {
        "en": (
            "Your loan {number} is paid",
            "Dear {name},\n\nYour loan {number} is repaid and nothing more is sold for it. The portal shows your "
            "account as it stands, with every sale, if there was one.\n",
        ),
        "zh-hans": (
            "您的融资 {number} 已付清",
            "尊敬的{name}：\n\n您的融资 {number} 已经还清，不再为此卖出任何证券。"
            "账户现状及各笔卖出（如有）见客户门户。\n",
        ),
    },
    "default_withdrawn": {
        "en": (
            "Nothing is sold for your loan {number} for now",
            "Dear {name},\n\nWe have taken back the notice that collateral may be sold for your loan {number}. The "
            "loan is still owed and bears the penalty rate of your contract. Before anything is sold for it we write "
            "to you again, with a new date.\n",
        ),
        "zh-hans": (
            "暂不为您的融资 {number} 卖出证券",
            "尊敬的{name}：\n\n我方已撤回为融资 {number} 卖出担保品的通知。该笔融资仍须偿还，并按合同约定计收罚息。"
            "今后如需卖出，我方会再次来函，并告知新的日期。\n",
        ),
    },
    "default_exhausted": {
        "en": (
            "What is still owed on your loan {number}",
            "Dear {name},\n\nAll that could be sold for your loan {number} was sold, and it is not paid. What is left "
            "you still owe, with interest; the portal shows how much. Please call us about how it is paid.\n",
        ),
        "zh-hans": (
            "您的融资 {number} 仍欠款项",
            "尊敬的{name}：\n\n可为融资 {number} 卖出的担保品已全部卖出，仍未付清。剩余部分您仍须偿还并继续计息，"
            "金额见客户门户。请与我们联系，商定还款安排。\n",
        ),
    },
    "renewal_asked": {
        "en": (
            "We have your request to renew loan {number}",
            "Dear {name},\n\nYou asked us to renew your loan {number} of {amount}. We look at it and answer on the "
            "portal with a price before {words}. Nothing changes until both of us have signed: without a renewal the "
            "loan is due on that day.\n",
        ),
        "zh-hans": (
            "我们已收到您对融资 {number} 的展期申请",
            "尊敬的{name}：\n\n您申请将金额为 {amount} 的融资 {number} 展期。我们会审核，"
            "并于 {words} 之前在客户门户答复价格。双方签署之前一切不变：如未展期，该笔融资仍于当日到期。\n",
        ),
    },
    "renewal_offered": {
        "en": (
            "You can renew your loan {number}",
            "Dear {name},\n\nYou can renew your loan {number} of {amount}. Sign in to the portal to see the new term, "
            "the price with its build-up, and to sign. {words}\n",
        ),
        "zh-hans": (
            "您的融资 {number} 可以展期",
            "尊敬的{name}：\n\n您金额为 {amount} 的融资 {number} 可以展期。请登录客户门户查看新的期限、价格"
            "及其构成并签署。{words}\n",
        ),
    },
    "renewed": {
        "en": (
            "Your loan {number} is renewed",
            "Dear {name},\n\nYour loan {number} of {amount} now ends on {words}. The agreement with both signatures is "
            "on the portal.\n",
        ),
        "zh-hans": (
            "您的融资 {number} 已展期",
            "尊敬的{name}：\n\n您金额为 {amount} 的融资 {number} 的新到期日为 {words}。双方签署的协议见客户门户。\n",
        ),
    },
    "renewal_over": {
        "en": (
            "The renewal of your loan {number} was not completed",
            "Dear {name},\n\nThe renewal of your loan {number} of {amount} has ended without both signatures. Nothing "
            "has changed: the loan is due as before. See on the portal when, how to pay, and whether a new offer can "
            "be made.\n",
        ),
        "zh-hans": (
            "您的融资 {number} 未能完成展期",
            "尊敬的{name}：\n\n您金额为 {amount} 的融资 {number} 的展期未经双方签署即告终止。一切不变：该笔融资仍按"
            "原到期日到期。请在客户门户查看到期日、还款方式以及能否重新报价。\n",
        ),
    },
}

_UNTIL = {"en": "The offer holds until {until} UTC.", "zh-hans": "报价有效期至 {until}（协调世界时）。"}
_CONDITIONS = {"en": "The credit is bound to this:", "zh-hans": "本次授信附有以下条件："}
_LAPSES = {
    "en": "If it is not gone on with by {day}, the request ends by itself. Nothing is owed then.",
    "zh-hans": "如在 {day} 前未继续办理，申请将自动终止，届时您不欠任何款项。",
}
_WITHDRAWN = {
    "en": {
        "offer": "The offer cannot be accepted any more.",
        "contract": "The contract that you signed will not be paid out.",
        True: "You can ask on the portal for an offer under its present terms.",
        False: "You can withdraw the request on the portal and ask under another scheme.",
    },
    "zh-hans": {
        "offer": "原报价不能再接受。",
        "contract": "您已签署的合同将不会放款。",
        True: "您可在客户门户按该方案的现行条款重新获取报价。",
        False: "您可在客户门户撤回申请，并改选其他方案。",
    },
}


def withdrawn_words(language: str, *, is_signed: bool, has_next: bool) -> str:
    """What a withdrawn scheme means for a request, and what its client can do."""
    words = _WITHDRAWN["zh-hans" if language == "zh-hans" else "en"]
    joint = "" if language == "zh-hans" else " "
    return joint.join((words["contract" if is_signed else "offer"], words[has_next]))


def lapsing(texts: Texts, lapses_on: date | None) -> Texts:
    """A letter that says on which day what it is about lapses, so that nobody is surprised; as it is without a day."""
    if lapses_on is None:
        return texts
    day = lapses_on.isoformat()
    return {
        language: (subject, f"{body}\n{_LAPSES[language].format(day=day)}\n")
        for language, (subject, body) in texts.items()
    }


def amount(minor: int, currency: str) -> str:
    """An amount as it is written: USD 1,234.50."""
    digits = minor_digits(currency)
    whole, rest = divmod(minor, 10**digits)
    return f"{currency} {whole:,}.{rest:0{digits}d}" if digits else f"{currency} {whole:,}"


def until_words(language: str, until: str) -> str:
    """Until when an offer holds, as a sentence."""
    return _UNTIL["zh-hans" if language == "zh-hans" else "en"].format(until=until)


def conditions_words(language: str, said: Sequence[Words]) -> str:
    """What the credit is bound to, as lines of a letter; empty without conditions."""
    if not said:
        return ""
    tongue = "zh-hans" if language == "zh-hans" else "en"
    lines = [f"- {one.zh if tongue == 'zh-hans' else one.en}" for one in said]
    return "\n".join(["", _CONDITIONS[tongue], *lines, ""])
