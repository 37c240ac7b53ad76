"""The German credit data: 1,000 real cases, their outcome, and what the columns are called.

Left out of every model: sex and marital state, whether somebody is a foreign worker, and age; no lender may decide by
the first two, and the third only within bounds that a sample of this size cannot prove (12 CFR 1002.6).
"""

import csv
import gzip
import hashlib
import io
from collections.abc import Mapping
from functools import cache
from importlib import resources

PROHIBITED = ("personal_status_and_sex", "foreign_worker", "age_in_years")
TARGET, BAD = "creditability", "bad"
FILE = "german_credit.csv.gz"

WORDS: Mapping[str, tuple[str, str]] = {
    "status_of_existing_checking_account": ("Balance of the checking account", "支票账户余额"),
    "duration_in_month": ("Months of the credit", "贷款月数"),
    "credit_history": ("Credit history", "信用历史"),
    "purpose": ("Purpose", "用途"),
    "credit_amount": ("Amount of the credit", "贷款金额"),
    "savings_account_and_bonds": ("Savings", "储蓄与债券"),
    "present_employment_since": ("Years in the present employment", "现职年限"),
    "installment_rate_in_percentage_of_disposable_income": ("Instalment to disposable income", "分期占可支配收入"),
    "other_debtors_or_guarantors": ("Other debtors or guarantors", "共同债务人或担保人"),
    "present_residence_since": ("Years at the present address", "现址居住年限"),
    "property": ("Property", "财产"),
    "other_installment_plans": ("Other instalment plans", "其他分期"),
    "housing": ("Housing", "住房"),
    "number_of_existing_credits_at_this_bank": ("Credits at this bank", "本行贷款笔数"),
    "job": ("Job", "职业"),
    "number_of_people_being_liable_to_provide_maintenance_for": ("People to maintain", "赡养人数"),
    "telephone": ("Telephone", "电话"),
}
"""The inputs that a model may use, in English and Chinese."""

NUMBERS = frozenset(
    {
        "duration_in_month",
        "credit_amount",
        "installment_rate_in_percentage_of_disposable_income",
        "present_residence_since",
        "number_of_existing_credits_at_this_bank",
        "number_of_people_being_liable_to_provide_maintenance_for",
    }
)

Case = Mapping[str, int | str]


def read_bytes() -> bytes:
    """The file as it came, decompressed."""
    return gzip.decompress((resources.files("reefpoint.decisions.scoring") / "data" / FILE).read_bytes())


def snapshot_sha256() -> str:
    """The SHA-256 (hex) of the file, by which a model says what it was trained on."""
    return hashlib.sha256(read_bytes()).hexdigest()


@cache
def read_german() -> tuple[tuple[Case, bool], ...]:
    """The cases in the order of the file, each with whether it went bad; without what no model may see."""
    rows = csv.DictReader(io.StringIO(read_bytes().decode()))
    return tuple(
        ({name: int(row[name]) if name in NUMBERS else row[name] for name in WORDS}, row[TARGET] == BAD) for row in rows
    )


CHINESE: Mapping[str, str] = {
    "... < 0 DM": "透支",
    "... >= 200 DM / salary assignments for at least 1 year": "200 马克以上或一年以上代发工资",
    "0 <= ... < 200 DM": "0 至 200 马克",
    "no checking account": "没有支票账户",
    "all credits at this bank paid back duly": "本行贷款均按时还清",
    "critical account/ other credits existing (not at this bank)": "关注账户或他行另有贷款",
    "delay in paying off in the past": "曾有迟还",
    "existing credits paid back duly till now": "现有贷款至今按时还款",
    "no credits taken/ all credits paid back duly": "无贷款或均按时还清",
    "business": "经营",
    "car (new)": "新车",
    "car (used)": "二手车",
    "domestic appliances": "家电",
    "education": "教育",
    "furniture/equipment": "家具设备",
    "others": "其他",
    "radio/television": "收音机与电视",
    "repairs": "维修",
    "retraining": "再培训",
    "... < 100 DM": "100 马克以下",
    "... >= 1000 DM": "1000 马克以上",
    "100 <= ... < 500 DM": "100 至 500 马克",
    "500 <= ... < 1000 DM": "500 至 1000 马克",
    "unknown/ no savings account": "未知或没有储蓄账户",
    "... < 1 year": "不足 1 年",
    "... >= 7 years": "7 年以上",
    "1 <= ... < 4 years": "1 至 4 年",
    "4 <= ... < 7 years": "4 至 7 年",
    "unemployed": "失业",
    "co-applicant": "共同申请人",
    "guarantor": "担保人",
    "none": "无",
    "building society savings agreement/ life insurance": "住房储蓄合同或人寿保险",
    "car or other, not in attribute Savings account/bonds": "汽车或其他",
    "real estate": "不动产",
    "unknown / no property": "未知或没有财产",
    "bank": "银行",
    "stores": "商店",
    "for free": "免费",
    "own": "自有",
    "rent": "租住",
    "management/ self-employed/ highly qualified employee/ officer": "管理、自雇或高级职员",
    "skilled employee / official": "熟练雇员或公务员",
    "unemployed/ unskilled - non-resident": "失业或非熟练、非居民",
    "unskilled - resident": "非熟练、居民",
    "yes, registered under the customers name": "有，登记在客户名下",
}
"""The words of the file in Chinese."""
