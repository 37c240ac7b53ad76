"""Words that promise a return or deny a risk: no text of the desk may say them under the rules of mainland China.

The words are those of the Advertising Law of the PRC, Article 25 (no guarantee of future results, no words on capital
or return being kept), of PBOC notice 2019 No. 316, and, for margin loans, defaults of the house marked `house`. The
rule that refuses them is `cn.refuse.r10`. No lawyer has read the list.
"""

import re
import unicodedata

_LAW = (
    "保本 保息 保收益 承诺收益 保证收益 兜底 刚性兑付 包赔 无风险 "
    "零风险 0风险 没有风险 稳赚不赔 只赚不赔 包赚 必赚 必涨 躺赚"
)
_HOUSE = "不会爆仓 不会平仓 不用补保证金 零成本 借多少都行 加满杠杆 十倍杠杆 10倍杠杆 秒批 百分百通过 不查征信"
_TRADITIONAL = str.maketrans(
    "證諾證無風險沒穩賺賠漲滿槓桿會爆倉補徵過剛兌", "证诺证无风险没稳赚赔涨满杠杆会爆仓补征过刚兑"
)
CHINESE = (*_LAW.split(), *_HOUSE.split())
ENGLISH = (
    r"guaranteed? (?:a |any |your |the )?(?:returns?|profits?|principal|capital|approval)",
    r"(?:assured|promised|locked[ -]in) (?:returns?|profits?)",
    r"principal[ -]protected",
    r"risk[ -]free",
    r"no risk",
    r"(?:can(?:no|')t|cannot) lose",
    r"never (?:lose|liquidated)",
    r"100% safe",
    r"(?:ten|10)x leverage",
    r"no margin calls?",
)
_DENIED = ("不", "非", "未", "无法", "不能", "不得", "禁止", "并非", "不会")
_DENIALS = re.compile(r"(?:\bnot|\bnever|\bno|\bnobody|\bnone|\bneither|n't|\bwithout)\W+(?:\w+\W+){0,3}$")
_WARNS = ("提示", "揭示")
"""`没有风险提示` says that a warning is lacking, not that a risk is."""


def find_promises(text: str) -> list[str]:
    """The words in a text that promise a return or deny a risk, in order of the lists; none where they are denied.

    Full-width and traditional characters, spaces and marks between characters do not hide them.
    """
    plain = unicodedata.normalize("NFKC", text).casefold().replace("\u2019", "'")
    chinese = re.sub(r"[\W_]+", "", plain).translate(_TRADITIONAL)
    found = [word for word in CHINESE if _is_said(word, chinese)]
    words = re.sub(r"\s+", " ", plain)
    for pattern in ENGLISH:
        found += [
            hit.group() for hit in re.finditer(rf"\b{pattern}", words) if not _DENIALS.search(words[: hit.start()])
        ]
    return found


def _is_said(word: str, text: str) -> bool:
    return any(
        not text[: hit.start()].endswith(_DENIED) and not text[hit.end() :].startswith(_WARNS)
        for hit in re.finditer(re.escape(word), text)
    )
