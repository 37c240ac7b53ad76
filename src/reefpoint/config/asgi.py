"""The ASGI entry point that `reefpoint serve` runs."""

import os

from django.core.asgi import get_asgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "reefpoint.config.settings")
_desk = get_asgi_application()

from reefpoint.surfaces.web.bodies import BodyLimit  # noqa: E402 - after Django is set up

application = BodyLimit(_desk)
