"""Schemes have a tier, and stored terms name every element: what they meant before, written out."""

from django.db import migrations, models
from django.db.models import Q

TRIGGERS = ("fixed_columns", "published_once")


def whole_terms(terms: dict[str, object]) -> dict[str, object]:
    """Terms as stored before, in the fields of now. A rate was fixed, and the only fees were two shares of principal."""
    old = dict(terms)
    fees = [
        {
            "code": code,
            "name": name,
            "name_zh": name_zh,
            "moment": code,
            "basis": "share",
            "amount_minor": 0,
            "rate_bp": rate_bp,
            "least_minor": 0,
            "most_minor": 0,
        }
        for code, name, name_zh, rate_bp in (
            ("drawdown", "Drawdown fee", "提款费", old.pop("drawdown_fee_bp", 0)),
            ("early_repayment", "Early repayment fee", "提前还款费", old.pop("early_repayment_fee_bp", 0)),
        )
        if rate_bp
    ]
    if not old["is_early_repayment_allowed"]:
        fees = [fee for fee in fees if fee["code"] != "early_repayment"]
    return {
        **old,
        "rate_kind": "fixed",
        "rate_floor_bp": old["rate_bp"],
        "rate_cap_bp": old["rate_bp"],
        "rate_reset_days": 0,
        "rate_notice_days": 0,
        "grace_days": 0,
        "fees": fees,
        "roll_over_allowed": False,
        "group_cap_bp": 10_000,
        "haircut_notice_sessions": 0,
    }


def write_whole_terms(apps, schema_editor):
    """Rewrite the terms of every version. The guards stand aside for this one statement and are back at its end."""
    versions = apps.get_model("products", "SchemeVersion")
    old = [version for version in versions.objects.order_by("id") if "rate_kind" not in version.terms]
    if not old:
        return
    _switch_guards(schema_editor, "DISABLE")
    for version in old:
        versions.objects.filter(id=version.id).update(terms=whole_terms(version.terms))
    _switch_guards(schema_editor, "ENABLE")


def _switch_guards(schema_editor, verb):
    for trigger in TRIGGERS:
        schema_editor.execute(
            f"ALTER TABLE products_schemeversion {verb} TRIGGER products_schemeversion_{trigger}"
        )


class Migration(migrations.Migration):
    dependencies = [("products", "0002_guards")]

    operations = [
        migrations.AddField("scheme", "tier", models.PositiveSmallIntegerField(default=1)),
        migrations.AddConstraint(
            "scheme", models.CheckConstraint(condition=Q(tier__gte=1), name="products_scheme_tier_from_one")
        ),
        migrations.RunPython(write_whole_terms, migrations.RunPython.noop),
    ]
