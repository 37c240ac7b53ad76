"""What a client is told about an application, in their language. Nothing here tells of screening or monitoring."""

from collections.abc import Iterable, Mapping

from reefpoint.flows.origination.types.decisions import RefusalReason
from reefpoint.platform.basics.letters import Texts

LETTERS: Mapping[str, Texts] = {
    "submitted": {
        "en": (
            "We have your application {number}",
            "Dear {name},\n\nWe have received your application {number} and look at it now. You can follow it on the "
            "portal. We write to you as soon as there is a decision, or if we need something else from you.\n",
        ),
        "zh-hans": (
            "我们已收到您的申请 {number}",
            "尊敬的{name}：\n\n我们已收到您的申请 {number}，正在审核。您可在客户门户查看进度。"
            "有结果或需要补充材料时，我们会通知您。\n",
        ),
    },
    "info_requested": {
        "en": (
            "Your application {number}: we need something else",
            "Dear {name},\n\nTo go on with your application {number} we need the following from you:\n\n{words}\n\n"
            "Please sign in to the portal, add it, and hand the application in again.\n",
        ),
        "zh-hans": (
            "您的申请 {number} 需要补充材料",
            "尊敬的{name}：\n\n为继续办理您的申请 {number}，请补充以下内容：\n\n{words}\n\n"
            "请登录客户门户补充后重新提交。\n",
        ),
    },
    "accepted": {
        "en": (
            "Your application {number} is accepted",
            "Dear {name},\n\nWelcome. Your application {number} is accepted. Nothing has been signed or lent yet: "
            "before that you will see all terms, costs and the prices at which you would be called and sold."
            "\n\n{words}\n",
        ),
        "zh-hans": (
            "您的申请 {number} 已通过",
            "尊敬的{name}：\n\n欢迎您。您的申请 {number} 已通过。目前尚未签署任何文件，也未发放任何贷款："
            "在此之前，您会看到全部条款、费用，以及触发追保和平仓的价格。\n\n{words}\n",
        ),
    },
    "refused": {
        "en": (
            "Your application {number}",
            "Dear {name},\n\nThank you for your application {number}. We cannot accept it.\n\n{words}\n\n"
            "If you believe that this rests on wrong information, answer this message and we look at it again.\n",
        ),
        "zh-hans": (
            "关于您的申请 {number}",
            "尊敬的{name}：\n\n感谢您提交申请 {number}。很遗憾，我们无法通过该申请。\n\n{words}\n\n"
            "如您认为所依据的信息有误，请回复本邮件，我们会重新审核。\n",
        ),
    },
    "withdrawn": {
        "en": (
            "Your application {number} is withdrawn",
            "Dear {name},\n\nYour application {number} is withdrawn. We keep what the law makes us keep and nothing "
            "else happens with it. You can apply again at any time.\n",
        ),
        "zh-hans": (
            "您的申请 {number} 已撤回",
            "尊敬的{name}：\n\n您的申请 {number} 已撤回。我们只保留法律要求保留的资料，不会再作他用。"
            "您可随时重新申请。\n",
        ),
    },
}

_REASONS: dict[RefusalReason, tuple[str, str]] = {
    RefusalReason.INCOMPLETE: ("What we asked for is not complete.", "所需资料不完整。"),
    RefusalReason.UNDER_AGE: ("Our clients must be of full age.", "客户须为成年人。"),
    RefusalReason.COUNTRY_NOT_SERVED: (
        "We do not serve clients from your country of residence or nationality.",
        "我们不向您的居住地或国籍所在国家（地区）提供服务。",
    ),
    RefusalReason.NO_LICENCE: (
        "We hold no licence to offer this where you live.",
        "我们在您的居住地没有提供该服务的牌照。",
    ),
    RefusalReason.IDENTITY_NOT_VERIFIED: (
        "We could not verify your identity from what you sent.",
        "根据您提供的资料，我们无法核实您的身份。",
    ),
    RefusalReason.FUNDS_NOT_EXPLAINED: (
        "Where your money comes from is not shown well enough.",
        "资金来源的说明或证明不充分。",
    ),
    RefusalReason.NOT_SUITABLE: (
        "By your answers, borrowing against securities is not suitable for you.",
        "根据您的问卷结果，融资交易不适合您。",
    ),
    RefusalReason.THIRD_PARTY_MONEY: (
        "We lend only to people who act for themselves with their own money.",
        "我们只向以自有资金、为自己交易的客户提供服务。",
    ),
    RefusalReason.PAST_DEFAULT: (
        "A debt that was not paid in the past stands against it.",
        "您过往有未清偿的债务。",
    ),
    RefusalReason.BUSINESS: (
        "We have decided not to enter into a business relationship.",
        "我们决定不与您建立业务关系。",
    ),
}


def reason_words(reasons: Iterable[RefusalReason], language: str) -> str:
    """Reasons that may be told, as sentences. Raises `KeyError` for one that must be kept."""
    return "\n".join(f"- {_REASONS[reason][1 if language == 'zh-hans' else 0]}" for reason in reasons)
