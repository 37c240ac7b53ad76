"""What ISO 19005-2 (PDF/A-2b) asks of a file's structure, as far as its objects tell it; no validator of PDF/A."""

import io
import re
from collections.abc import Iterator
from typing import Any

from pypdf import PdfReader

PRINTED, HIDDEN = 4, 2 | 1 | 32
FORBIDDEN_ACTIONS = {"/JavaScript", "/Launch", "/Sound", "/Movie", "/ResetForm", "/ImportData"}


def archival_problems(content: bytes) -> list[str]:
    """Each point of the standard that this file misses, by its clause; empty for none of those looked at."""
    reader = PdfReader(io.BytesIO(content), strict=True)
    return [*_file(reader), *_fonts(reader), *_annotations(reader)]


def _file(reader: PdfReader) -> Iterator[str]:
    root = reader.trailer["/Root"]
    if reader.is_encrypted or "/ID" not in reader.trailer:
        yield "6.1.3: encrypted, or without an id"
    intents = [one.get_object() for one in root.get("/OutputIntents", [])]
    profiles = [one["/DestOutputProfile"].get_object().get_data() for one in intents if one["/S"] == "/GTS_PDFA1"]
    if len(profiles) != 1 or profiles[0][36:40] != b"acsp":
        yield "6.2.3: not one output intent with an ICC profile"
    metadata = root["/Metadata"].get_object()
    said = dict(re.findall(rb"pdfaid:(\w+)(?:>|=\")(\w+)", metadata.get_data()))  # as elements, or as attributes
    if "/Filter" in metadata or said != {b"part": b"2", b"conformance": b"B"}:
        yield "6.6.4: the metadata do not say PDF/A-2b in plain"
    if "/AA" in root or FORBIDDEN_ACTIONS & {str(one.get("/S")) for one in _dictionaries(reader)}:
        yield "6.5: actions"
    if any("/EF" in one or one.get("/Type") == "/Filespec" for one in _dictionaries(reader)):
        yield "6.8: embedded files"
    form = root.get("/AcroForm", {})
    if form and (form.get_object().get("/NeedAppearances") or "/XFA" in form.get_object()):
        yield "6.4: a form that is drawn by the reader"


def _fonts(reader: PdfReader) -> Iterator[str]:
    for one in _dictionaries(reader):
        if one.get("/Type") != "/Font" or one.get("/Subtype") in {"/Type0", "/Type3"}:
            continue
        descriptor = one.get("/FontDescriptor")
        held = descriptor.get_object() if descriptor is not None else {}
        if not {"/FontFile", "/FontFile2", "/FontFile3"} & set(held):
            yield f"6.2.11.4: {one.get('/BaseFont')} is not embedded"


def _annotations(reader: PdfReader) -> Iterator[str]:
    for page in reader.pages:
        for one in (each.get_object() for each in page.get("/Annots", [])):
            flags = int(one.get("/F", 0))
            if one["/Subtype"] != "/Popup" and (not flags & PRINTED or flags & HIDDEN):
                yield f"6.3.2: {one['/Subtype']} is not printed"
            left, low, right, high = one["/Rect"]
            if left != right and low != high and one["/Subtype"] != "/Link" and "/AP" not in one:
                yield f"6.3.3: {one['/Subtype']} has no appearance"


def _dictionaries(reader: PdfReader) -> Iterator[Any]:
    """Every dictionary that is an object of its own, as the newest revision has it."""
    for number in sorted({*reader.xref_objStm, *(number for one in reader.xref.values() for number in one)}):
        found = reader.get_object(number)
        if isinstance(found, dict):
            yield found
