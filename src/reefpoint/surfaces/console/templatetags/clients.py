"""The words for what is known of clients, and of licences."""

from django import template
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

register = template.Library()

WORDS: dict[str, dict[str, str | Promise]] = {
    "document": {
        "identity": _("Identity document"),
        "address_proof": _("Proof of address"),
        "income_proof": _("Proof of income"),
        "funds_proof": _("Proof of funds"),
        "bank_statement": _("Bank statement"),
        "incorporation": _("Certificate of incorporation"),
        "ownership": _("Ownership structure"),
        "board_resolution": _("Board resolution"),
        "tax_form": _("Tax form"),
        "other": _("Other document"),
    },
    "identifier": {
        "cn.ric": _("Chinese resident identity card"),
        "cn.uscc": _("Unified social credit code"),
        "hk.hkid": _("Hong Kong identity card"),
        "passport": _("Passport"),
        "lei": _("LEI"),
        "us.ein": _("US EIN"),
        "other": _("Other number"),
    },
    "role": {
        "owner": _("Owner"),
        "holding": _("Company in between"),
        "director": _("Director"),
        "signatory": _("Signatory"),
        "attorney": _("Attorney"),
        "legal_representative": _("Legal representative"),
    },
    "purpose": {
        "service": _("Providing the service"),
        "sensitive_data": _("Using sensitive data"),
        "credit_check": _("Checking credit"),
        "cross_border": _("Sending data abroad"),
        "marketing": _("Marketing"),
        "automated_decision": _("Automated decisions"),
    },
    "channel": {
        "portal": _("Portal"),
        "paper": _("Paper"),
        "telephone": _("Telephone"),
        "meeting": _("Meeting"),
    },
    "category": {
        "identity": _("Identity"),
        "diligence": _("Due diligence and monitoring"),
        "account": _("Accounts and transactions"),
        "application": _("Applications and credit decisions"),
        "technical": _("Devices and network addresses"),
    },
    "permit": {
        "us.broker_dealer": _("Registered broker-dealer"),
        "us.bank": _("Bank"),
        "us.nonbank_lender": _("Lender under Regulation U"),
        "hk.type_8_margin_financing": _("Type 8, securities margin financing"),
        "hk.type_1_dealing": _("Type 1, dealing in securities"),
        "hk.authorized_institution": _("Authorized institution"),
        "cn.securities_company_margin_financing": _("Securities company approved for margin financing"),
        "unspecified": _("Not said: opens nothing"),
    },
    "activity": {
        "margin_lending": _("Margin lending"),
        "marketing": _("Marketing"),
        "offering": _("Offering"),
        "signing": _("Signing"),
        "disbursing": _("Paying out"),
    },
    "place": {"US": _("United States"), "HK": _("Hong Kong"), "CN": _("Mainland China")},
    "field": {
        "email": _("E-mail"),
        "phone": _("Telephone"),
        "address": _("Address"),
        "birth": _("Day of birth"),
        "identifier": _("Identifier"),
        "tax": _("Tax number"),
        "bank": _("Bank account"),
        "person": _("Identifier of a related person"),
    },
}


@register.filter
def word(key: object, kind: str) -> str:
    """A key of the records in words; a key that has none as it is."""
    return str(WORDS[kind].get(str(key), key))


@register.filter
def field_word(field: str) -> str:
    """What `identifier:0` is, in words."""
    return word(field.partition(":")[0], "field")


@register.filter
def listed(values: list[str]) -> str:
    """Words of the client, one after another."""
    return ", ".join(value.replace("_", " ") for value in values)


@register.filter
def size_text(size_bytes: int) -> str:
    """A file's size as people say it."""
    return f"{size_bytes / 1e6:.1f} MB" if size_bytes >= 100_000 else f"{size_bytes / 1e3:.1f} KB"
