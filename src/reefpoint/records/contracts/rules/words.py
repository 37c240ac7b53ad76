"""The fixed words of a contract, in both languages. What a lawyer may want otherwise stands in the template instead."""

from collections.abc import Mapping

from reefpoint.records.contracts.types import Language


def phrase(language: Language, name: str) -> str:
    """A phrase by its name. Raises `KeyError` for a word of the terms that nobody knows."""
    return WORDS[language][name]


_BOTH: Mapping[str, tuple[str, str]] = {
    "page": ("Page", "页"),
    "footer": ("{0} · template {1} version {2}", "{0} · {1} 模板第{2}版"),
    "lender": ("Lender", "出借人"),
    "licence": ("licence", "牌照"),
    "client": ("Client", "客户"),
    "limit": ("Credit limit", "授信额度"),
    "term": ("Term", "期限"),
    "sign_by": ("To be signed by", "签署截止日"),
    "amends": ("Amends", "修订"),
    "renewed": ("Renewed", "展期金额"),
    "matures_now": ("Maturity until now", "原到期日"),
    "matures_new": ("New maturity", "新到期日"),
    "clauses": ("Clauses", "合同条款"),
    "signatures": ("Signatures", "签署"),
    "signatures.text": (
        "Both parties sign this document electronically. The signatures are part of the file: any PDF reader shows "
        "them, and shows when a byte was changed afterwards.",
        "双方以电子方式签署本文件。签名是文件的组成部分：任何PDF阅读器都能显示签名，并能发现签署后的任何改动。",
    ),
    # key facts
    "facts": ("Key facts", "关键事实"),
    "facts.lead.loan": (
        "For your portfolio at the prices of {0}, with {1} drawn in full.",
        "按{0}的价格和您的投资组合计算，假设已全额提款{1}。",
    ),
    "facts.lead.renewal": (
        "For your portfolio at the prices of {0}, with the {1} that you owe in it.",
        "按{0}的价格和您现有的投资组合与欠款本金{1}计算。",
    ),
    "cost": ("What it costs in money", "费用金额"),
    "cost.further": ("Further term", "展期期间"),
    "cost.fee": ("Renewal fee", "展期费"),
    "cost.fee.note": ("once, when this agreement is in force", "本协议生效时一次性收取"),
    "cost.carried": ("Interest carried over", "滚存利息"),
    "cost.carried.note": ("unpaid on the date of this agreement; it bears no interest", "本协议日期未付；不计复利"),
    "cost.day.renewed": (
        "at {0} a year from the old maturity on; until then {1}",
        "自原到期日起年利率 {0}；此前为 {1}",
    ),
    "cost.first_year": ("First year", "首年"),
    "cost.first_year.note": ("interest {0}, fees {1}", "利息 {0}，费用 {1}"),
    "cost.whole_term": ("Whole term", "整个期限"),
    "cost.whole_term.note": ("from {0} to {1}, at today's rate", "{0}至{1}，按今日利率"),
    "cost.day": ("Each day", "每日"),
    "cost.day.note": ("at {0} a year", "年利率 {0}"),
    "yours": ("Yours and borrowed", "自有与借入"),
    "yours.value": ("Assets", "资产"),
    "yours.loan": ("Borrowed", "借入"),
    "yours.own": ("Yours", "自有"),
    "yours.ratio": ("Ratio", "比率"),
    "called": ("When you are called, and when we sell", "何时追保，何时卖出"),
    "called.text": (
        "If all prices fall by {0} together, the ratio is at the call line of {1}: you are asked for about {2} before "
        "the close of {3}.",
        "若全部价格同时下跌{0}，比率触及追保线{1}：您须在{3}收盘前补足约{2}。",
    ),
    "sold.text": (
        "If they fall by {0}, the ratio is at the close-out line of {1}: about {2} of securities may be sold at once.",
        "若下跌{0}，比率触及平仓线{1}：可能立即卖出价值约{2}的证券。",
    ),
    "maintenance.text": (
        "Your securities also ask for own money of {0} together (maintenance: {1}). If all prices fall by {2}, yours "
        "is just that. Whenever it is less at the end of a day, you are asked for the difference before the close "
        "of {3}.",
        "您的证券还合计要求自有资金不低于{0}（维持保证金：{1}）。若全部价格同时下跌{2}，您的自有资金恰为该数额。"
        "任一日终低于该数额时，您须在{3}收盘前补足差额。",
    ),
    "maintenance.text.never": (
        "Your securities also ask for own money of {0} together (maintenance: {1}). Whenever yours is less at the end "
        "of a day, you are asked for the difference before the close of {2}.",
        "您的证券还合计要求自有资金不低于{0}（维持保证金：{1}）。任一日终低于该数额时，您须在{2}收盘前补足差额。",
    ),
    "prices": ("The prices at which you would be called and sold", "您的追保价与平仓价"),
    "prices.note": (
        '"Together": all prices fall by the same part. "Alone": only this one falls.',
        "“同跌”：全部价格按相同比例下跌。“独跌”：仅该证券下跌。",
    ),
    "name": ("Security", "证券"),
    "quantity": ("Quantity", "数量"),
    "price_now": ("Price now", "现价"),
    "price_call": ("Called, together", "追保价（同跌）"),
    "price_sold": ("Sold, together", "平仓价（同跌）"),
    "alone_call": ("Called, alone", "追保价（独跌）"),
    "alone_sold": ("Sold, alone", "平仓价（独跌）"),
    "never": ("not even at zero", "跌至零亦不触及"),
    "then": ("What happens then", "届时会怎样"),
    "then.call": (
        "A call gives you until the close of {0} to bring the ratio to {1}; the close-out line ends that time.",
        "追加担保通知给您的时间截至{0}收盘，须使比率达到{1}；跌破平仓线时，该期限即告终止。",
    ),
    "then.rest": (
        "We sell until the ratio is at {0}. What the sale does not cover you still owe, with interest.",
        "卖出至比率达到{0}为止。卖出所得不足清偿的部分，您仍须偿还并继续计息。",
    ),
    "outcomes": ("What a year could bring", "一年后的可能结果"),
    "outcomes.note": (
        "Your own money after a year's cost, if prices have moved by so much and nothing was sold on the way.",
        "价格变动该幅度且其间未被平仓时，扣除一年费用后的自有资金。",
    ),
    "change": ("Prices", "价格变动"),
    "own_after": ("Yours then", "届时自有"),
    "result": ("Gain or loss", "盈亏"),
    "worst": ("Worst case", "最坏情形"),
    "worst.text": (
        "If prices fall by {0} before anything can be sold, you lose {1}. That is more than the {2} that is yours: all "
        "of it is gone, and you still owe {3}.",
        "若价格在来得及卖出之前下跌{0}，您将损失{1}，超过您自有的{2}：自有部分全部损失，且仍欠{3}。",
    ),
    "worst.text.covered": (
        "If prices fall by {0} before anything can be sold, you lose {1} of the {2} that is yours. A deeper fall can "
        "leave you owing more than you deposited.",
        "若价格在来得及卖出之前下跌{0}，您将损失自有{2}中的{1}。跌幅更深时，您的欠款可能超过存入的资产。",
    ),
    "disclosures": ("What you must know", "您必须知道"),
    # schedules
    "schedule.rate": ("Schedule 1: how the rate is made", "附表一：利率构成"),
    "part": ("Part", "组成"),
    "rate_year": ("A year", "年利率"),
    "rate_whole": ("Rate", "合计"),
    "schedule.fees": ("Schedule 2: fees", "附表二：费用"),
    "fee": ("Fee", "费用"),
    "when": ("When", "收取时点"),
    "amount": ("Amount", "金额"),
    "first_year": ("In the first year", "首年金额"),
    "no_fees": ("There are no fees.", "不收取任何费用。"),
    "fee.share": ("{0} of it", "该金额的{0}"),
    "fee.least": (", at least {0}", "，最低{0}"),
    "fee.most": (", at most {0}", "，最高{0}"),
    "moment.drawdown": ("each drawdown", "每次提款"),
    "moment.month_end": ("each month's end", "每月末"),
    "moment.unused_month_end": ("each month's end, on what is not drawn", "每月末，按未提款额"),
    "moment.early_repayment": ("early repayment", "提前还款"),
    "moment.renewal": ("renewal", "展期"),
    "moment.late": ("late payment", "逾期付款"),
    "schedule.collateral": ("Schedule 3: collateral on the date of the contract", "附表三：合同日期的担保物"),
    "schedule.conditions": ("Schedule 4: conditions of the credit", "附表四：授信条件"),
    "condition": ("Condition", "条件"),
    "value": ("Value", "市值"),
    "haircut": ("Haircut", "折扣率"),
    "lendable": ("Lendable", "可融资额"),
    # phrases within clauses
    "days": ("{0} days", "{0}日"),
    "rate.fixed": ("The rate is fixed for the term.", "利率在期限内固定。"),
    "rate.reset": (
        "The rate is set anew every {reset} days; we tell you {notice} before.",
        "利率每{reset}日重新确定一次，我方提前{notice}通知您。",
    ),
    "rate.floating": (
        "The rate floats with our base rate; we tell you of a change {notice} before.",
        "利率随我方基准利率浮动；变动前{notice}通知您。",
    ),
    "rate.floor": ("It is never under {0}.", "利率不低于{0}。"),
    "rate.cap": ("It is never over {0}.", "利率不高于{0}。"),
    "deadline.same": ("the session in which we call you", "发出通知的当个交易日"),
    "deadline": ("the {0} session after the day of the call", "发出通知之日后第{0}个交易日"),
    "group_cap": ("Securities of one group may make up at most {0}.", "同一集团的证券合计不得超过{0}。"),
    "haircut_notice.none": ("that takes force at once.", "变更即时生效。"),
    "haircut_notice": (
        "a higher one is reached step by step over {0} sessions after we told you.",
        "提高折扣率的，自通知之日起在{0}个交易日内分步到位。",
    ),
    "sale.rule.auto": (
        "Our systems sell by themselves, without a further decision by a person.",
        "由系统自动卖出，无须另行由人员作出决定。",
    ),
    "sale.rule.approval": ("A second person of ours approves each sale first.", "每次卖出须先经我方另一名人员批准。"),
    "sale.order.most_liquid": (
        "What can be sold most easily is sold first.",
        "流动性最好的证券先卖出。",
    ),
    "sale.order.largest_position": ("The largest position is sold first.", "持仓市值最大的证券先卖出。"),
    "sale.order.highest_haircut": ("What has the highest haircut is sold first.", "折扣率最高的证券先卖出。"),
    "due.fees": ("fees", "费用"),
    "due.penalty": ("penalty interest", "罚息"),
    "due.interest": ("interest", "利息"),
    "due.principal": ("principal", "本金"),
    "renewal.none": ("The loan cannot be renewed.", "融资不得展期。"),
    "renewal": (
        "The loan may be renewed up to {0} times if we agree and the ratio is then at or over {1}.",
        "经我方同意且届时比率不低于{1}的，融资可以展期，最多{0}次。",
    ),
    "renewal.contract": ("contract {0}", "合同{0}"),
    "renewal.contract.amended": ("contract {0} as amended by {1}", "经{1}修订的合同{0}"),
    "renewal.contract.unknown": ("the contract under which the loan was drawn", "该笔融资所依据的合同"),
    "renewal.fee": (
        "The renewal costs a fee of {0}, charged once, when this agreement comes into force.",
        "展期费为{0}，于本协议生效时一次性收取。",
    ),
    "renewal.no_fee": ("The renewal costs no fee.", "展期不收取费用。"),
    "renewal.carried": (
        "Interest that is unpaid when this agreement comes into force, {0} on its date, goes over into the further "
        "term; no interest runs on it.",
        "本协议生效时未付的利息（本协议日期为{0}）滚存至展期期间；对其不计利息。",
    ),
    "renewal.paid": (
        "Interest that is unpaid when this agreement comes into force is paid first, from the cash in your account.",
        "本协议生效时未付的利息，先从您账户内的现金支付。",
    ),
    "renewal.left": (
        "This is renewal {0} of at most {1}. There is no right to another one.",
        "本次为第{0}次展期，最多{1}次。您无权要求再次展期。",
    ),
    "renewal.last": (
        "This is renewal {0} of at most {1}: the loan cannot be renewed again.",
        "本次为第{0}次展期，最多{1}次：此后不得再次展期。",
    ),
    "early.none": ("The loan cannot be repaid before its end.", "融资不得提前偿还。"),
    "early.free": (
        "You may repay all or part at any time, without a fee.",
        "您可以随时提前偿还全部或者部分款项，不收取费用。",
    ),
    "early.fee": (
        "You may repay all or part at any time; on what is repaid early we charge {0}.",
        "您可以随时提前偿还全部或者部分款项；我方按提前偿还金额的{0}收取费用。",
    ),
}

WORDS: Mapping[Language, Mapping[str, str]] = {
    Language.EN: {name: en for name, (en, _) in _BOTH.items()},
    Language.ZH: {name: zh for name, (_, zh) in _BOTH.items()},
}
