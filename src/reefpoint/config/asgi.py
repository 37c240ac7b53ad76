"""The ASGI entry point that `reefpoint serve` runs."""

import os

from django.core.asgi import get_asgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "reefpoint.config.settings")
application = get_asgi_application()
