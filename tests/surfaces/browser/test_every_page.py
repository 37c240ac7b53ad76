"""Every page of a desk with something in every room, as a Chinese reader in the dark has it on a telephone."""

import os
from pathlib import Path
from typing import Any

import pytest
from django.core.cache import cache
from django.test import Client
from playwright.sync_api import Browser, Page
from pytest_django.fixtures import Settings
from tests.surfaces.browser.conftest import enter

from reefpoint.benchmarks.full_desk import found_full_desk, grow_full_desk
from reefpoint.benchmarks.page_costs import addresses, filled, readers, samples

CLIENTS = 12
CONTRAST_MIN = 4.5
"""WCAG 2.2, 1.4.3, for text of ordinary size."""
TYPED = ["Case of client", "A desk to be measured", "to be measured", "gaming, crypto,", "property, business,"]
"""English that people of that desk typed, and codes in cells of a table."""
LOOK = """() => {
  const channels = colour => colour.match(/[\\d.]+/g).map(Number);
  const luminance = colour => {
    const [r, g, b] = channels(colour).map(v => v / 255)
      .map(v => v <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4);
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const behind = element => {
    for (let at = element; at; at = at.parentElement) {
      const colour = getComputedStyle(at).backgroundColor;
      if ((channels(colour)[3] ?? 1) > 0.95) return luminance(colour);
    }
    return luminance("rgb(255, 255, 255)");
  };
  const sentence = /(\\b[A-Za-z][a-z']*[,;:]?\\s+){2,}[a-z]{2,}/;
  const unread = "[lang=en], script, style, code, pre, textarea";
  const faint = [], english = [], walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const text = walker.currentNode.textContent.trim(), element = walker.currentNode.parentElement;
    const style = getComputedStyle(element);
    if (sentence.test(text) && !element.closest(unread) && !TYPED.some(one => text.includes(one))) english.push(text);
    if (!text || !element.getClientRects().length || style.visibility === "hidden") continue;
    if ((channels(style.color)[3] ?? 1) === 0 || element.closest("[disabled], script, style")) continue;
    const [light, dark] = [luminance(style.color), behind(element)].sort((a, b) => b - a);
    const ratio = (light + 0.05) / (dark + 0.05);
    if (ratio < CONTRAST_MIN) faint.push(`${text.slice(0, 30)}: ${ratio.toFixed(2)}`);
  }
  english.push(...[...document.querySelectorAll(".state")].map(one => one.textContent.trim())
    .filter(text => /^[a-z][a-z_ ]{3,}$/i.test(text)));
  return {over: document.documentElement.scrollWidth - innerWidth, faint, english};
}""".replace("CONTRAST_MIN", str(CONTRAST_MIN)).replace("TYPED", str(TYPED))


@pytest.mark.django_db(transaction=True)
def test_every_page_fits_a_phone_can_be_read_in_the_dark_and_says_all_in_chinese(
    browser: Browser, streaming_server: str, settings: Settings
) -> None:
    cache.clear()
    originals = found_full_desk()
    grow_full_desk(originals, CLIENTS)
    people, known = readers(originals.client_id), samples(originals)
    wrong: dict[str, Any] = {}
    seen = 0
    for reader, is_client in ((people.staff, False), (people.client, True)):
        context = browser.new_context(
            base_url=streaming_server, viewport={"width": 390, "height": 800}, locale="zh-CN", color_scheme="dark"
        )
        page = context.new_page()
        complaints = listen_to(page)
        enter(page, streaming_server, reader)
        for name, route in addresses():
            address = filled(route, known)
            if address is None or is_client != address.startswith("/portal") or not is_page(reader, address):
                continue
            complaints.clear()
            page.goto(address, wait_until="domcontentloaded")
            found = page.evaluate(LOOK)
            seen += 1
            if found["over"] > 0 or found["faint"] or found["english"] or complaints:
                wrong[name] = {**found, "complaints": list(complaints)}
            if folder := os.environ.get("REEFPOINT_SHOTS"):
                page.screenshot(path=Path(folder, f"{name.replace(':', '-')}.png"), full_page=True)
        context.close()
    assert seen > 90
    assert wrong == {}


def listen_to(page: Page) -> list[str]:
    """A list that fills with whatever the browser complains about."""
    complaints: list[str] = []
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("console", lambda line: complaints.append(line.text) if line.type == "error" else None)
    return complaints


def is_page(reader: Client, address: str) -> bool:
    """Whether a browser would show a whole page there, and not a part, a file or a form's answer."""
    if address.startswith(("/api/", "/desk/")):
        return False
    answer = reader.get(address)
    return answer.status_code == 200 and answer.headers["Content-Type"].startswith("text/html")
