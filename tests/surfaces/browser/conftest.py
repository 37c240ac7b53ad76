"""A Chromium page on a running desk, and what it complained about."""

import socket
import threading
import time
from collections.abc import Iterator

import pytest
import uvicorn
from django.conf import settings as django_settings
from django.contrib.sessions.backends.db import SessionStore
from django.core.cache import cache
from django.db import connections
from django.test import Client
from playwright.sync_api import Browser, Page
from pytest_django.fixtures import Settings
from pytest_django.live_server_helper import LiveServer

from reefpoint.config.asgi import application

COMPLAINTS = ("Content Security Policy",)


@pytest.fixture
def page(browser: Browser, live_server: LiveServer) -> Iterator[Page]:
    """A fresh page at the desk's address. At its end nothing may have been blocked by the policy or have thrown."""
    cache.clear()
    yield from watched_page(browser, live_server.url)


@pytest.fixture
def streaming_server(transactional_db: None, settings: Settings) -> Iterator[str]:
    """The desk behind uvicorn, as `reefpoint serve` runs it, with streams. Gives its address."""
    settings.REQUIRE_SECOND_FACTOR = False
    settings.ALLOWED_HOSTS = ["localhost"]
    listener = socket.create_server(("127.0.0.1", 0))
    server = uvicorn.Server(uvicorn.Config(application, log_level="error", timeout_graceful_shutdown=1, lifespan="off"))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
    thread.start()
    while not server.started:
        time.sleep(0.02)
    yield f"http://localhost:{listener.getsockname()[1]}"
    server.should_exit = True
    thread.join(timeout=20)
    assert not thread.is_alive()
    connections.close_all()


@pytest.fixture
def desk_page(browser: Browser, streaming_server: str) -> Iterator[Page]:
    """A fresh page at the desk that streams; sign in with `enter`."""
    cache.clear()
    yield from watched_page(browser, streaming_server)


def watched_page(browser: Browser, address: str) -> Iterator[Page]:
    """A browser of one's own at an address; complaints fail the test at its end."""
    context = browser.new_context(base_url=address, viewport={"width": 1280, "height": 800}, locale="en")
    context.set_default_timeout(5000)
    page = context.new_page()
    complaints: list[str] = []
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on(
        "console", lambda line: complaints.append(line.text) if any(one in line.text for one in COMPLAINTS) else None
    )
    yield page
    context.close()
    assert complaints == []


def enter(page: Page, address: str, reader: Client) -> None:
    """Give the browser the session of a reader who has signed in."""
    session = reader.cookies[django_settings.SESSION_COOKIE_NAME].value
    assert SessionStore(session).exists(session)
    page.context.add_cookies([{"name": django_settings.SESSION_COOKIE_NAME, "value": session, "url": address}])


def plug_in_authenticator(page: Page) -> None:
    """Give the browser a device with passkeys, whose owner always says yes."""
    devtools = page.context.new_cdp_session(page)
    devtools.send("WebAuthn.enable")
    devtools.send(
        "WebAuthn.addVirtualAuthenticator",
        {
            "options": {
                "protocol": "ctap2",
                "transport": "internal",
                "hasResidentKey": True,
                "hasUserVerification": True,
                "isUserVerified": True,
                "automaticPresenceSimulation": True,
            }
        },
    )
