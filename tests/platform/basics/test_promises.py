"""No text under the rules of mainland China promises a return or denies a risk (`cn.refuse.r10`)."""

import pytest

from reefpoint.platform.basics.promises import find_promises


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("保本理财", ["保本"]),
        ("穩賺不賠", ["稳赚不赔"]),
        ("保 * 本 保 息", ["保本", "保息"]),
        ("零 風 險", ["零风险"]),
        ("ｒｉｓｋ－ｆｒｅｅ", ["risk-free"]),
        ("You can\u2019t lose", ["can't lose"]),
        ("Guaranteed return of 8%", ["guaranteed return"]),
        ("不会平仓", ["不会平仓"]),
        ("10x leverage for everybody", ["10x leverage"]),
        ("本公司不保本", []),
        ("没有风险提示的材料不得发布", []),
        ("There is no guarantee of future results", []),
        ("Nobody can promise or guarantee returns; it is not risk-free", []),
        ("Standard margin loan", []),
        ("稳健融资", []),
    ],
)
def test_promises_are_found_however_they_are_written_and_denials_are_none(text: str, found: list[str]) -> None:
    assert find_promises(text) == found
