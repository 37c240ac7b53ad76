"""The words of an application: sections, questions, answers to choose from, and what is wrong with an answer."""

from collections.abc import Mapping

from django.utils.functional import Promise
from django.utils.translation import get_language, pgettext_lazy
from django.utils.translation import gettext_lazy as _

from reefpoint.flows.origination.types.questions import ProblemCode, Section
from reefpoint.platform.basics.countries import COUNTRIES
from reefpoint.platform.basics.errors import Refusal
from reefpoint.records.parties.types import ClientKind
from reefpoint.surfaces.web.sentences import said

Words = str | Promise

SECTION_WORDS: Mapping[Section, tuple[Words, Words]] = {
    Section.IDENTITY: (_("Who you are"), _("Name, address and an identity document.")),
    Section.TAX: (_("Where you pay tax"), _("Every country where you are resident for tax.")),
    Section.WEALTH: (_("Income and wealth"), _("What you earn and own, and where it comes from.")),
    Section.EXPERIENCE: (_("Experience and wishes"), _("What you have traded, and the loan you think of.")),
    Section.BANK: (_("Bank account"), _("An account in your own name: money goes to it and comes from it.")),
    Section.PEOPLE: (_("People"), _("Owners, directors, signatories and whoever acts for you.")),
    Section.DOCUMENTS: (_("Documents"), _("Copies of what you told us.")),
    Section.QUESTIONNAIRE: (_("Risk questionnaire"), _("How much loss you can and want to bear.")),
    Section.DECLARATIONS: (_("Declarations"), _("What you confirm before you hand in.")),
}

LABELS: Mapping[str, tuple[Words, Words]] = {
    "name": (_("Full name in Latin letters"), _("As on your identity document.")),
    "name_zh": (_("Name in Chinese"), _("If you have one.")),
    "former_names": (_("Former names"), _("One on each line.")),
    "birth_or_incorporated_on": (_("Date of birth"), ""),
    "nationality": (_("Nationality"), ""),
    "residence": (_("Country of residence"), ""),
    "address": (_("Residential address"), _("No postbox.")),
    "phone": (_("Telephone"), _("With the country code, as in +852 5555 0100.")),
    "identifiers": (_("Identity documents and numbers"), ""),
    "identifiers.kind": (_("Kind of document"), ""),
    "identifiers.number": (pgettext_lazy("identity", "Number"), ""),
    "identifiers.country": (_("Issued by"), ""),
    "identifiers.issued_on": (_("Issued on"), ""),
    "identifiers.expires_on": (_("Valid until"), _("Leave empty if it has no end.")),
    "tax_residences": (_("Tax residences"), ""),
    "tax_residences.country": (_("Country"), ""),
    "tax_residences.tax_number": (_("Tax number"), _("For mainland China this is your resident identity number.")),
    "currency": (_("Currency of the amounts"), ""),
    "annual_income_minor": (_("Income in a year"), _("Before tax. 500,000 or 500k or 50万.")),
    "liquid_assets_minor": (_("Cash and securities"), _("What you could sell within a month.")),
    "net_worth_minor": (_("Net worth"), _("All you own less all you owe.")),
    "occupation": (_("Occupation"), ""),
    "employer_or_industry": (_("Employer or line of business"), ""),
    "sources_of_funds": (_("Where the money for this account comes from"), ""),
    "sources_of_wealth": (_("Where your wealth comes from"), ""),
    "source_note": (_("Tell us more about it"), _("A few sentences: from whom, when, roughly how much.")),
    "trading_years": (_("Years of trading securities"), ""),
    "trades_per_year": (_("Trades in a usual year"), ""),
    "products_traded": (_("What you have traded"), ""),
    "scheme_code": (_("Scheme"), ""),
    "loan_wanted_minor": (_("Loan you think of"), _("You may change it later.")),
    "expected_turnover_minor": (_("What you expect to trade in a year"), ""),
    "purpose": (_("What the loan is for"), ""),
    "bank_accounts": (_("Bank accounts"), ""),
    "bank_accounts.country": (_("Country of the bank"), ""),
    "bank_accounts.bank_name": (_("Bank"), ""),
    "bank_accounts.bank_code": (_("Bank code"), _("SWIFT, CNAPS or routing number, if you know it.")),
    "bank_accounts.holder_name": (
        _("Holder as the bank writes it"),
        _("It must be you: we take and pay no other's money."),
    ),
    "bank_accounts.number": (_("Account number"), ""),
    "bank_accounts.currency": (_("Currency"), ""),
    "related_persons": (_("People behind or beside you"), ""),
    "related_persons.role": (
        _("What they are"),
        _("If a company owns a part, list it as a company in between, and then whoever owns it."),
    ),
    "related_persons.name": (_("Name in Latin letters"), ""),
    "related_persons.name_zh": (_("Name in Chinese"), ""),
    "related_persons.birth_on": (_("Date of birth"), _("Of a company: when it was incorporated.")),
    "related_persons.nationality": (_("Nationality"), _("Of a company: where it was incorporated.")),
    "related_persons.share_bp": (_("Share in percent"), _("For owners and companies in between.")),
    "related_persons.holds_in": (
        _("Share in which company"),
        _("Leave this empty for a share in yourself; else the name of a company in between that you list here too."),
    ),
    "related_persons.identifier_kind": (_("Kind of document"), ""),
    "related_persons.identifier_number": (pgettext_lazy("identity", "Number"), ""),
    "related_persons.identifier_country": (_("Issued by"), ""),
    "is_pep_declared": (
        _("Do you, or somebody of your family or close to you, hold a high public office, or did so?"),
        "",
    ),
    "pep_note": (_("Which office, who and when"), ""),
    "has_defaulted": (_("Did you fail to repay a loan, or were you sold out, in the last five years?"), ""),
    "is_major_shareholder": (
        _("Do you hold a twentieth or more of a listed company, or are you its director or officer?"),
        "",
    ),
    "acts_for_self": (_("I act for myself, with my own money, and lend this account to nobody."), ""),
    "is_truthful": (_("What I told is true and complete, and I will tell you when it changes."), ""),
    "read_margin_risks": (
        _("I have understood that I can lose more than I put in, and that shares can be sold without asking me."),
        "",
    ),
    "agrees_to_processing": (_("You may process my data to examine this application and to run my account."), ""),
    "agrees_to_marketing": (_("You may write to me about other offers. I can take this back at any time."), ""),
}
"""Label and help by the question's path without row numbers."""

INSTITUTION_LABELS: Mapping[str, tuple[Words, Words]] = {
    "name": (_("Registered name in Latin letters"), _("As in the register.")),
    "name_zh": (_("Registered name in Chinese"), _("If there is one.")),
    "birth_or_incorporated_on": (_("Incorporated on"), ""),
    "nationality": (_("Country of incorporation"), ""),
    "residence": (_("Country of business"), ""),
    "address": (_("Address of business"), _("No postbox.")),
    "tax_residences.tax_number": (_("Tax number"), _("For mainland China this is the unified social credit code.")),
    "annual_income_minor": (_("Revenue in a year"), _("500,000 or 500k or 50万.")),
    "employer_or_industry": (_("Line of business"), ""),
    "acts_for_self": (_("The institution acts for itself, with its own money, and lends this account to nobody."), ""),
}

OPTION_WORDS: Mapping[str, Words] = {
    "cn.ric": _("Chinese resident identity card"),
    "cn.uscc": _("Unified social credit code"),
    "hk.hkid": _("Hong Kong identity card"),
    "passport": _("Passport"),
    "lei": _("Legal entity identifier (LEI)"),
    "us.ein": _("US employer identification number"),
    "salary": _("Salary"),
    "business": _("Own business"),
    "savings": _("Savings"),
    "investments": _("Investments"),
    "inheritance": _("Inheritance"),
    "property": _("Sale or rent of property"),
    "gift": _("Gift"),
    "pension": _("Pension"),
    "employment": _("Employment"),
    "family": _("Family"),
    "stocks": _("Shares"),
    "funds": _("Funds"),
    "bonds": _("Bonds"),
    "options": _("Options"),
    "futures": _("Futures"),
    "margin": _("Shares on margin"),
    "short_selling": _("Short selling"),
    "structured": _("Structured products"),
    "crypto": _("Crypto-assets"),
    "leverage": _("To buy more securities"),
    "liquidity": _("To have cash without selling"),
    "hedging": _("To hedge"),
    "diversification": _("To spread risk"),
    "owner": _("Owner"),
    "holding": _("Company in between"),
    "director": _("Director"),
    "signatory": _("Signatory"),
    "attorney": _("Attorney"),
    "legal_representative": _("Legal representative"),
    "other": _("Other"),
}

PROBLEM_WORDS: Mapping[ProblemCode, Words] = {
    ProblemCode.MISSING: _("This is still missing."),
    ProblemCode.WRONG_TYPE: _("This is not an answer to the question."),
    ProblemCode.TOO_SHORT: _("This is too short to be understood."),
    ProblemCode.TOO_LONG: _("This is too long."),
    ProblemCode.UNPRINTABLE: _("This holds a character that cannot be seen. Type it again by hand."),
    ProblemCode.NOT_A_DAY: _("This is not a date: year, month, day."),
    ProblemCode.DAY_OUT_OF_RANGE: _("This date cannot be right."),
    ProblemCode.DAYS_OUT_OF_ORDER: _("It ends before it begins."),
    ProblemCode.NOT_A_COUNTRY: _("Choose a country from the list."),
    ProblemCode.NOT_A_CURRENCY: _("Choose a currency from the list."),
    ProblemCode.NOT_AN_OPTION: _("Choose from the list."),
    ProblemCode.OUT_OF_RANGE: _("This number is outside of what can be right."),
    ProblemCode.NOT_A_PHONE: _("This is not a telephone number: digits with the country code."),
    ProblemCode.NOT_AN_EMAIL: _("This is not an e-mail address."),
    ProblemCode.MUST_BE_AGREED: _("Without this we cannot go on."),
    ProblemCode.TOO_FEW_ROWS: _("At least one is needed."),
    ProblemCode.TOO_MANY_ROWS: _("These are more than we can take."),
    ProblemCode.SHARES_EXCEED_WHOLE: _("The owners' shares add up to more than 100%."),
    ProblemCode.HELD_IN_UNKNOWN: _("No company in between is listed by this name, or two are."),
    ProblemCode.OWNERSHIP_LOOP: _("These companies own each other in a circle. Say who stands behind them."),
    ProblemCode.NOT_OWN_NAME: _("This account must be in the client's own name."),
    ProblemCode.UNKNOWN_FIELD: _("This was not asked."),
}


def label_of(path: str, kind: ClientKind) -> tuple[Words, Words]:
    """Label and help of a question; `path` may hold row numbers."""
    key = ".".join(part for part in path.split(".") if not part.isdigit())
    if kind is ClientKind.INSTITUTION and key in INSTITUTION_LABELS:
        return INSTITUTION_LABELS[key]
    return LABELS[key]


def problem_word(code: ProblemCode) -> Words:
    """What is wrong, as a sentence."""
    return PROBLEM_WORDS[code]


DOCUMENT_WORDS: Mapping[str, Words] = {
    "identity": _("Identity card or passport"),
    "address_proof": _("Proof of address, not older than three months"),
    "income_proof": _("Proof of income"),
    "funds_proof": _("Proof of where the money comes from"),
    "bank_statement": _("Bank statement"),
    "incorporation": _("Certificate of incorporation or register entry"),
    "ownership": _("Who owns and controls the institution"),
    "board_resolution": _("Resolution to borrow, and who may sign"),
    "tax_form": _("Tax form"),
    "other": _("Other document"),
}

STATE_SENTENCES: Mapping[str, tuple[Words, Words]] = {
    "draft": (_("You are writing it"), _("Nobody sees it before you hand it in. Everything you save stays.")),
    "submitted": (_("Handed in"), _("We have it. An officer will look at it; you need to do nothing now.")),
    "in_review": (_("Being looked at"), _("An officer is examining it. We write to you if something is missing.")),
    "info_requested": (_("We need something from you"), _("Look at what is asked below, add it and hand in again.")),
    "accepted": (_("Accepted"), _("Welcome. Nothing is signed or lent yet: you will see all terms and lines before.")),
    "refused": (_("Not accepted"), _("We cannot accept this application. What we can tell you stands below.")),
    "withdrawn": (_("Withdrawn"), _("You took it back. We keep only what the law makes us keep.")),
}
"""What a state means for the client: in a few words, and in a sentence."""

PRE_SCREEN_WORDS: Mapping[str, Words] = {
    "section_incomplete": _("A section is not complete yet: {detail}."),
    "document_missing": _("A document is missing: {detail}."),
    "document_expired": _("A document has expired: {detail}. Upload one that is valid."),
    "questionnaire_missing": _("The risk questionnaire is not answered yet."),
    "under_age": _("Applicants must be at least {detail} years old."),
    "country_not_served": _("We do not lend to residents or nationals of this country: {detail}."),
    "no_licence": _("We hold no licence for this place at the moment: {detail}."),
    "scheme_not_offered": _("The scheme you chose is not on offer. Choose another one."),
    "loan_above_limit": _("The loan is more than the scheme lends to one client."),
    "identifier_invalid": _("This number is not valid as it stands: {detail}. Compare it with the document."),
    "bank_account_not_own": _("The holder of a bank account is not you. We take and pay no other's money."),
    "looked_at_closely": _("An officer will look at your declarations more closely."),
}

DOCUMENT_WHY_WORDS: Mapping[str, Words] = {
    "empty": _("The file is empty."),
    "size": _("The file is larger than 10 MB. Send a smaller one, or only the pages that matter."),
    "kind": _("Only PDF, JPEG and PNG are taken, and this is none of them, whatever its name says."),
    "damaged": _("The file is damaged or cannot be read. Save or photograph it again."),
    "locked": _("The PDF has a password. Save it without one."),
    "active": _("The PDF holds a program or other files. Print it to a plain PDF."),
    "pages": _("The PDF has too many pages. Send the pages that matter."),
    "pixels": _("The picture is too large. Send a smaller one."),
}

REFUSAL_WORDS: Mapping[str, Words] = {
    "client_exists": _(
        "We have records under your address already. Ask your contact at the desk to invite you to the portal."
    ),
    "document_expired": _("This document has expired. Send one that is valid."),
    "too_many_documents": _("There are as many documents on file as we keep. Nothing was added."),
    "document_erased": _("The content of this document was erased."),
    "application_not_editable": _("Your application is with us. Wait until we ask for something."),
    "invalid_transition": _("This is not possible in the state your application is in."),
    "questionnaire_changed": _("The questionnaire has changed since you opened it. Please answer the new one."),
    "answers_refused": _("Some questions are not answered yet."),
    "licence_refused": _("This is not on offer at the moment: we hold no licence for it."),
    "example_refused": _("This example cannot be worked out. Choose other names or amounts."),
    "strong_authentication_needed": _("To sign, show your password and a second factor again. Nothing was signed."),
    "disclosures_missing": _("Not every risk is acknowledged in its present words. Read and tick each first."),
    "disclosure_changed": _("These words were changed meanwhile. Read them again; nothing was recorded."),
    "offer_lapsed": _("The time to sign has passed. Nothing was signed; ask us for a new offer."),
    "renewal_over": _("This renewal has ended or has changed since you looked. Nothing was done; look again."),
    "quote_expired": _("The price has run out. Nothing was done; ask us for a new one."),
    "scheme_withdrawn": _("This scheme is not offered any more. Nothing was done; please ask us."),
    "collateral_fixed": _("The shares of this request cannot be changed at this stage. Nothing was changed."),
    "no_usable_price": _("There is no current price for one of these names. Try again later."),
}
"""Refusals by their code, in words for clients in either language; others speak for themselves."""

CONSENT_WORDS: Mapping[str, tuple[Words, Words]] = {
    "service": (_("To run your account"), _("Needed while you apply or are a client.")),
    "sensitive_data": (_("Identity numbers, documents and finances"), _("Needed while you apply or are a client.")),
    "credit_check": (_("To ask credit agencies"), ""),
    "cross_border": (_("To send data across borders"), ""),
    "marketing": (_("To write to you about offers"), _("You may take this back at any time.")),
    "automated_decision": (_("To decide by program"), ""),
}


def refusal_words(refusal: Refusal) -> Words:
    """What was refused, in the reader's language where its code is known."""
    why = str(refusal.facts.get("why", ""))
    if refusal.code == "document_refused" and why in DOCUMENT_WHY_WORDS:
        return DOCUMENT_WHY_WORDS[why]
    if refusal.code == "condition_not_met" and (get_language() or "").startswith("zh"):
        return str(refusal.facts["zh"])
    return REFUSAL_WORDS.get(refusal.code, said(refusal))


def pre_screen_words(code: str, detail: str) -> str:
    """One finding of the pre-screen as a sentence; `detail` is a section, a document, a country, a kind or a number."""
    if code == "section_incomplete":
        detail = str(SECTION_WORDS[Section(detail)][0])
    elif code in {"document_missing", "document_expired"}:
        detail = str(DOCUMENT_WORDS[detail])
    elif detail in COUNTRIES:
        detail = COUNTRIES[detail][1 if (get_language() or "").startswith("zh") else 0]
    elif detail.partition(":")[0] in OPTION_WORDS:
        detail = str(OPTION_WORDS[detail.partition(":")[0]])
    return str(PRE_SCREEN_WORDS[code]).replace("{detail}", detail)
