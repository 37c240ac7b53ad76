"""The ASGI entry point that `reefpoint serve` runs."""

import os

from django.core.asgi import get_asgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "reefpoint.config.settings")
_desk = get_asgi_application()

from django.urls import get_resolver  # noqa: E402 - after Django is set up

from reefpoint.platform.basics.garbage import keep_what_was_loaded  # noqa: E402
from reefpoint.surfaces.web.bodies import BodyLimit  # noqa: E402

_ = get_resolver().url_patterns  # loads every page now, and not while the first reader waits
keep_what_was_loaded()
application = BodyLimit(_desk)
