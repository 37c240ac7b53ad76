"""What only the pages of screening print: parts, evidence and forms of lists in words."""

from django import template
from django.utils.translation import gettext_lazy, pgettext_lazy

from reefpoint.decisions.screening.types import Basis, EntryKind, Evidence, ListShape, PartKind
from reefpoint.surfaces.web.templatetags.figures import percent

register = template.Library()

SHAPE_WORDS = {
    ListShape.OPENSANCTIONS_CSV.value: "OpenSanctions targets.simple.csv",
    ListShape.OFAC_XML.value: "OFAC sdn.xml",
    ListShape.OFAC_CSV.value: "OFAC sdn.csv + alt.csv",
    ListShape.UN_XML.value: "UN consolidated.xml",
}
EVIDENCE_WORDS = {
    Evidence.SAME: pgettext_lazy("evidence", "agrees"),
    Evidence.NEAR: pgettext_lazy("evidence", "close"),
    Evidence.DIFFERENT: pgettext_lazy("evidence", "differs"),
    Evidence.UNKNOWN: pgettext_lazy("evidence", "not known"),
}
EVIDENCE_TONES = {
    Evidence.SAME: "call",
    Evidence.NEAR: "warning",
    Evidence.DIFFERENT: "safe",
    Evidence.UNKNOWN: "unknown",
}
PART_WORDS = {
    PartKind.EXACT: gettext_lazy("the same"),
    PartKind.SIMILAR: gettext_lazy("similar"),
    PartKind.INITIAL: gettext_lazy("initial"),
    PartKind.SOUND: gettext_lazy("sounds alike"),
    PartKind.MISSING: gettext_lazy("on one side only"),
}
BASIS_WORDS = {
    Basis.WRITTEN: gettext_lazy("by its characters"),
    Basis.SOUND: gettext_lazy("by its sound"),
    Basis.SPELLING: gettext_lazy("by its spelling"),
}
KIND_WORDS = {
    EntryKind.PERSON: gettext_lazy("Person"),
    EntryKind.ORGANISATION: gettext_lazy("Organisation"),
    EntryKind.VESSEL: gettext_lazy("Ship or aircraft"),
    EntryKind.OTHER: gettext_lazy("Other"),
}
ROLE_WORDS = {
    "client": gettext_lazy("Client"),
    "owner": gettext_lazy("Owner"),
    "holding": gettext_lazy("Company in between"),
    "director": gettext_lazy("Director"),
    "signatory": gettext_lazy("Signatory"),
    "attorney": gettext_lazy("Attorney"),
    "legal_representative": gettext_lazy("Legal representative"),
}


@register.filter
def evidence_word(evidence: Evidence) -> str:
    """What a date or country says, in words."""
    return str(EVIDENCE_WORDS[evidence])


@register.filter
def evidence_tone(evidence: Evidence) -> str:
    """The band whose colour an evidence bears: what agrees is what is bad for the client."""
    return EVIDENCE_TONES[evidence]


@register.filter
def part_word(kind: PartKind) -> str:
    """How a part of a name met its counterpart."""
    return str(PART_WORDS[kind])


@register.filter
def basis_word(basis: Basis) -> str:
    """On what a name matched."""
    return str(BASIS_WORDS[basis])


@register.filter
def entry_kind(kind: EntryKind) -> str:
    """What an entry is."""
    return str(KIND_WORDS[kind])


@register.filter
def role_word(role: str) -> str:
    """Who of a client is meant."""
    return str(ROLE_WORDS.get(role, role))


@register.filter
def shape_word(shape: str) -> str:
    """The form of a list."""
    return SHAPE_WORDS.get(shape, shape)


@register.filter
def of_total(done: int, total: int) -> str:
    """How far, in percent."""
    return percent(min(done * 10_000 // total, 10_000)) if total else percent(0)
