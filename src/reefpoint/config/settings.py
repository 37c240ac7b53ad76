"""Django settings, all from the environment, safe by default."""

import os
from pathlib import Path

from reefpoint.platform.database.address import django_database

BASE_DIR = Path(__file__).resolve().parent.parent

DEBUG = os.environ.get("REEFPOINT_DEBUG") == "1"
SECRET_KEY = os.environ.get("REEFPOINT_SECRET_KEY", "")
ALLOWED_HOSTS = os.environ.get("REEFPOINT_HOSTS", "localhost,127.0.0.1,[::1]").split(",")

INSTALLED_APPS = [
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django_htmx",
    "django_cotton",
    "csp",
    "procrastinate.contrib.django",
    "reefpoint.platform.events",
    "reefpoint.platform.audit",
    "reefpoint.platform.access",
    "reefpoint.platform.notifications",
    "reefpoint.records.ledger",
    "reefpoint.records.parties",
    "reefpoint.records.market",
    "reefpoint.records.products",
    "reefpoint.records.accounts",
    "reefpoint.records.treasury",
    "reefpoint.records.execution",
    "reefpoint.decisions.margin",
    "reefpoint.flows.servicing",
    "reefpoint.flows.liquidation",
    "reefpoint.flows.operations",
    "reefpoint.insight.performance",
    "reefpoint.surfaces.web",
    "reefpoint.surfaces.console",
    "reefpoint.config",
]

DATABASES = {
    "default": {
        **django_database(os.environ.get("DATABASE_URL", "postgresql://reefpoint@127.0.0.1:5432/reefpoint")),
        "CONN_HEALTH_CHECKS": True,
        "CONN_MAX_AGE": 60,
        "TEST": {"NAME": os.environ.get("REEFPOINT_TEST_DATABASE", "test_reefpoint")},
    }
}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

AUTH_USER_MODEL = "access.User"
PASSWORD_HASHERS = ["django.contrib.auth.hashers.Argon2PasswordHasher"]

MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "csp.middleware.CSPMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
]

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.template.context_processors.i18n",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "reefpoint.surfaces.web.frame.frame",
            ],
            "builtins": ["reefpoint.surfaces.web.templatetags.figures", "django.templatetags.i18n"],
        },
    }
]

# Nothing inline and nothing from elsewhere: markup that somebody smuggles in can neither run nor restyle a figure.
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": ["'none'"],
        "script-src": ["'self'"],
        "style-src": ["'self'"],
        "img-src": ["'self'", "data:"],
        "font-src": ["'self'"],
        "connect-src": ["'self'"],
        "manifest-src": ["'self'"],
        "form-action": ["'self'"],
        "frame-ancestors": ["'none'"],
        "base-uri": ["'none'"],
    }
}
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"

ROOT_URLCONF = "reefpoint.config.urls"
ASGI_APPLICATION = "reefpoint.config.asgi.application"

LANGUAGE_CODE = "en"
LANGUAGES = [("en", "English"), ("zh-hans", "简体中文")]
LOCALE_PATHS = [BASE_DIR / "surfaces" / "web" / "locale"]
USE_I18N = True
USE_TZ = True
TIME_ZONE = "UTC"

STATIC_URL = "/static/"
WHITENOISE_USE_FINDERS = True
