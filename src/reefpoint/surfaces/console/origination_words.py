"""The desk's words for leads, imports and decisions on applications."""

from collections.abc import Mapping

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from reefpoint.platform.imports.types import RowProblem
from reefpoint.surfaces.web.application_words import PROBLEM_WORDS

Words = str | Promise

CHANNEL_WORDS: Mapping[str, Words] = {
    "web": _("Website"),
    "phone": _("Telephone"),
    "branch": _("Branch"),
    "referral": _("Referral"),
    "event": _("Event"),
    "partner": _("Partner"),
    "import": pgettext_lazy("channel", "Import"),
}

KIND_NAMES: Mapping[str, Words] = {
    "leads": _("Leads"),
    "clients": _("Clients"),
    "bureau_reports": _("Bureau reports"),
    "instruments": _("Instruments"),
    "listings": _("Listing facts"),
}

ROW_PROBLEM_WORDS: Mapping[str, Words] = {
    "broken_quotes": _("A quotation mark is not closed, or a line break stands inside a cell"),
    "wrong_columns": _("The line has the wrong number of columns"),
    "not_an_amount": _("Not an amount such as 50000 or 50000.00"),
    "not_yes_or_no": _("Write yes or no"),
    "not_a_percentage": _("Not a percentage such as 10 or 4.5, above 0 and at most 100"),
    "not_a_count": _("Not a whole number of shares"),
    "unknown_symbol": _("No such name is listed"),
    "not_a_symbol": _("Not a symbol of capital letters, digits, dots and hyphens"),
    "unknown_currency": _("The desk keeps no such currency"),
    "not_a_lot": _("Not a whole number of shares from 1 to 1,000,000"),
    "never_changes": _("This never changes of a name; put another one on record"),
    "belongs_in_listings": _("This name is on record: its facts change by a file of listing facts"),
    "not_possible": _("This cannot be on record"),
    "waits_already": _("A change of this name waits for a second person already"),
    "symbol_twice": _("The same name stands in the file before, for the same day"),
    "email_taken": _("A client has this address already"),
    "email_twice": _("The same address stands in the file before"),
    "not_a_number": _("Not a number such as 3 or 34.5"),
    "not_a_date": _("Not a date such as 2026-03-07"),
    "unknown_client": _("No client of yours has this number"),
    "no_consent": _("The client has given no consent to a credit check"),
    "in_future": _("The day has not come yet"),
    "taken_before": _("This report was taken before"),
}

COLUMN_HELP: Mapping[str, Words] = {
    "client_number": _("such as C-000123"),
    "report_on": _("a date such as 2026-03-07"),
    "utilisation_pct": _("a percentage such as 34.5"),
    "total_debt": _("an amount such as 50000"),
    "email": _("an address, or for leads a phone number instead"),
    "kind": _("individual or institution"),
    "language": _("en or zh-hans"),
    "country": _("two letters, such as HK"),
    "nationality": _("two letters, such as HK"),
    "residence": _("two letters, such as HK"),
    "loan_wanted": _("an amount such as 50000"),
    "may_contact": _("yes if they agreed to be contacted"),
    "birth_or_incorporated_on": _("a date such as 1990-03-07"),
    "identifier_kind": _("passport, cn.ric, cn.uscc, hk.hkid, lei, us.ein or other"),
}

LEAD_ACTIONS: Mapping[str, Words] = {
    "recorded": pgettext_lazy("lead", "Recorded"),
    "contacted": pgettext_lazy("lead", "Contacted"),
    "taken": pgettext_lazy("lead", "Taken over"),
    "lost": pgettext_lazy("lead", "Lost"),
    "converted": pgettext_lazy("lead", "Application begun"),
    "merged": pgettext_lazy("lead", "Merged with it"),
    "merged_into": pgettext_lazy("lead", "Merged into another"),
}

STEP_WORDS: Mapping[str, Words] = {
    "begin": pgettext_lazy("application", "Begun"),
    "submit": pgettext_lazy("application", "Handed in"),
    "take_up": pgettext_lazy("application", "Taken into review"),
    "request_info": pgettext_lazy("application", "Information requested"),
    "accept": pgettext_lazy("application", "Accepted"),
    "refuse": pgettext_lazy("application", "Refused"),
    "withdraw": pgettext_lazy("application", "Withdrawn"),
}

REASON_WORDS: Mapping[str, Words] = {
    "incomplete": _("Incomplete"),
    "under_age": _("Not of full age"),
    "country_not_served": _("Country not served"),
    "no_licence": _("No licence there"),
    "identity_not_verified": _("Identity not verified"),
    "funds_not_explained": _("Source of funds not shown"),
    "not_suitable": _("Not suitable"),
    "third_party_money": _("Money of somebody else"),
    "past_default": _("Default in the past"),
    "business": _("Business decision"),
    "screening": _("Screening"),
    "monitoring": _("Monitoring"),
    "prohibited_risk": _("Risk that is not taken"),
}

BLOCKER_WORDS: Mapping[str, Words] = {
    "not_in_review": _("Nobody has taken it into review"),
    "client_not_prospect": _("The client is not a prospect: blocked, or decided before"),
    "pre_screen_stopped": _("The pre-screen stopped it"),
    "documents_missing": _("Documents are missing or have expired"),
    "questionnaire_missing": _("No risk questionnaire that still counts"),
    "never_screened": _("The name was not screened yet"),
    "no_list": _("No list of names is in force, or the names were not held against it yet"),
    "open_hits": _("A name hit waits to be resolved"),
    "confirmed_hit": _("A name hit is confirmed"),
    "not_assessed": _("There is no risk rating, or it waits for a person"),
    "prohibited": _("The risk is rated as prohibited"),
    "identity_checks_failed": _("Something in the identity checks must be put right"),
    "open_alert": _("An alert that holds or blocks is open"),
    "no_licence": _("No licence to offer the scheme is valid now"),
}

FINDING_WORDS: Mapping[str, Words] = {
    "section_incomplete": _("A section is incomplete"),
    "document_missing": _("A document is missing"),
    "document_expired": _("A document has expired"),
    "questionnaire_missing": _("The questionnaire is not answered"),
    "under_age": _("Not of full age"),
    "country_not_served": _("Country not served"),
    "no_licence": _("No licence there"),
    "scheme_not_offered": _("The scheme is not offered"),
    "loan_above_limit": _("The loan is above the scheme's limit"),
    "identifier_invalid": _("An identifier fails its check"),
    "bank_account_not_own": _("A bank account is in another name"),
    "looked_at_closely": _("A declaration to look at closely"),
    "name_hit": _("The name is like one on a list"),
    "possible_duplicate": _("Another client has the same identifier or bank account"),
}


DOCUMENT_NAMES: Mapping[str, Words] = {
    "identity": _("Identity document"),
    "address_proof": _("Proof of address"),
    "income_proof": _("Proof of income"),
    "funds_proof": _("Proof of funds"),
    "bank_statement": _("Bank statement"),
    "incorporation": _("Certificate of incorporation"),
    "ownership": _("Ownership chart"),
    "board_resolution": _("Board resolution"),
    "tax_form": _("Tax form"),
    "other": pgettext_lazy("document", "Other"),
}


def row_problem_words(problem: RowProblem) -> str:
    """Why a row was not taken, in the reader's language, with the column."""
    known = {code.value: words for code, words in PROBLEM_WORDS.items()} | dict(ROW_PROBLEM_WORDS)
    words = str(known.get(problem.code, problem.code))
    return f"{problem.column}: {words}" if problem.column else words
