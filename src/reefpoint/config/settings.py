"""Django settings, all from the environment, safe by default."""

import os
from datetime import timedelta
from pathlib import Path
from urllib.parse import unquote, urlsplit

from reefpoint.platform.database.address import django_database
from reefpoint.platform.database.home import data_home

BASE_DIR = Path(__file__).resolve().parent.parent

DEBUG = os.environ.get("REEFPOINT_DEBUG") == "1"
SECRET_KEY = os.environ.get("REEFPOINT_SECRET_KEY", "")
SECRET_KEY_FALLBACKS = [key for key in os.environ.get("REEFPOINT_OLD_SECRET_KEYS", "").split(",") if key]
ALLOWED_HOSTS = os.environ.get("REEFPOINT_HOSTS", "localhost,127.0.0.1,[::1]").split(",")

INSTALLED_APPS = [
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django.contrib.humanize",
    "django_htmx",
    "django_cotton",
    "csp",
    "procrastinate.contrib.django",
    "reefpoint.platform.events",
    "reefpoint.platform.audit",
    "reefpoint.platform.access",
    "reefpoint.platform.vault",
    "reefpoint.platform.publications",
    "reefpoint.platform.imports",
    "reefpoint.platform.runs",
    "reefpoint.platform.notifications",
    "reefpoint.platform.governance",
    "reefpoint.records.ledger",
    "reefpoint.records.parties",
    "reefpoint.records.market",
    "reefpoint.records.products",
    "reefpoint.records.accounts",
    "reefpoint.records.treasury",
    "reefpoint.records.execution",
    "reefpoint.records.contracts",
    "reefpoint.decisions.screening",
    "reefpoint.decisions.relations",
    "reefpoint.decisions.suitability",
    "reefpoint.decisions.kyc",
    "reefpoint.decisions.monitoring",
    "reefpoint.decisions.cases",
    "reefpoint.decisions.collateral",
    "reefpoint.decisions.margin",
    "reefpoint.decisions.scoring",
    "reefpoint.decisions.credit",
    "reefpoint.decisions.pricing",
    "reefpoint.flows.servicing",
    "reefpoint.flows.liquidation",
    "reefpoint.flows.origination",
    "reefpoint.flows.lending",
    "reefpoint.flows.operations",
    "reefpoint.insight.performance",
    "reefpoint.surfaces.web",
    "reefpoint.surfaces.console",
    "reefpoint.surfaces.portal",
    "reefpoint.surfaces.api",
    "reefpoint.config",
    # below ours, so that our templates go before theirs
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "axes",
]

DATABASES = {
    "default": {
        **django_database(os.environ.get("DATABASE_URL", "postgresql://reefpoint@127.0.0.1:5432/reefpoint")),
        "CONN_HEALTH_CHECKS": True,
        "CONN_MAX_AGE": 60,
        "TEST": {"NAME": os.environ.get("REEFPOINT_TEST_DATABASE", "test_reefpoint")},
    }
}
# The heads of the sealed chains, outside the database: keep copies of it elsewhere.
ANCHOR_FILE = Path(os.environ.get("REEFPOINT_ANCHORS") or data_home() / "anchors.jsonl")
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

# The order is the defence: the policy header on every answer, then the session, then who it is and how they signed in.
MIDDLEWARE = [
    "reefpoint.surfaces.web.streams.StreamsInTurnsMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "csp.middleware.CSPMiddleware",
    "reefpoint.surfaces.web.guards.AnswerHeadersMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "reefpoint.surfaces.web.guards.SecondFactorMiddleware",
    "axes.middleware.AxesMiddleware",
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

# Sign-in (docs/security.md says why each is as it is). REEFPOINT_HTTPS is off only where every host is this machine.
AUTH_USER_MODEL = "access.User"
LOCAL_HOSTS = {"localhost", "127.0.0.1", "[::1]", "testserver"}
HTTPS = os.environ.get("REEFPOINT_HTTPS", "0" if LOCAL_HOSTS.issuperset(ALLOWED_HOSTS) else "1") == "1"
TRUSTED_PROXIES = int(os.environ.get("REEFPOINT_TRUSTED_PROXIES", "0"))
REQUIRE_SECOND_FACTOR = os.environ.get("REEFPOINT_REQUIRE_SECOND_FACTOR", "1") == "1"
PASSKEY_DOMAIN = os.environ.get("REEFPOINT_PASSKEY_DOMAIN", ALLOWED_HOSTS[0])

PASSWORD_HASHERS = ["django.contrib.auth.hashers.Argon2PasswordHasher"]
_VALIDATION = "django.contrib.auth.password_validation"
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"{_VALIDATION}.MinimumLengthValidator", "OPTIONS": {"min_length": 12}},
    {"NAME": f"{_VALIDATION}.UserAttributeSimilarityValidator", "OPTIONS": {"user_attributes": ("email", "name")}},
    {"NAME": f"{_VALIDATION}.CommonPasswordValidator"},
    {"NAME": f"{_VALIDATION}.NumericPasswordValidator"},
]
AUTHENTICATION_BACKENDS = [
    "axes.backends.AxesStandaloneBackend",
    "allauth.account.auth_backends.AuthenticationBackend",
]
LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "/"
CLIENT_REDIRECT_URL = "portal:home"

ACCOUNT_ADAPTER = "reefpoint.platform.access.adapters.sign_in.AccountAdapter"
ACCOUNT_USER_MODEL_USERNAME_FIELD = None
ACCOUNT_LOGIN_METHODS = {"email"}
ACCOUNT_SIGNUP_FIELDS = ["email*", "password1*"]
ACCOUNT_FORMS = {"signup": "reefpoint.surfaces.web.sign_in_forms.ClientSignUpForm"}
# Clients prove their address with a code before they are let in; an administrator vouches for those of the desk.
ACCOUNT_EMAIL_VERIFICATION = "mandatory"
ACCOUNT_EMAIL_VERIFICATION_BY_CODE_ENABLED = True
ACCOUNT_EMAIL_VERIFICATION_BY_CODE_TIMEOUT = 900
ACCOUNT_EMAIL_VERIFICATION_SUPPORTS_RESEND = True
ACCOUNT_PREVENT_ENUMERATION = True
ACCOUNT_EMAIL_UNKNOWN_ACCOUNTS = False
ACCOUNT_EMAIL_NOTIFICATIONS = True
ACCOUNT_SESSION_REMEMBER = False
ACCOUNT_REAUTHENTICATION_TIMEOUT = 300
ACCOUNT_LOGOUT_REDIRECT_URL = LOGIN_URL
ACCOUNT_LOGOUT_ON_PASSWORD_CHANGE = True
ACCOUNT_RATE_LIMITS = {
    "login": "30/m/ip",
    "login_failed": "20/m/ip,10/300s/key",
    "reset_password": "20/h/ip,3/h/key",
    "signup": "10/h/ip",
    "confirm_email": "1/60s/key",
}
ALLAUTH_TRUSTED_PROXY_COUNT = TRUSTED_PROXIES

MFA_ADAPTER = "reefpoint.platform.access.adapters.sign_in.SecondFactorAdapter"
MFA_FORMS = {"add_webauthn": "reefpoint.surfaces.web.sign_in_forms.PasskeyForm"}
MFA_SUPPORTED_TYPES = ["totp", "webauthn", "recovery_codes"]
MFA_PASSKEY_LOGIN_ENABLED = True
MFA_RECOVERY_CODES_SHOW_ONCE = True
MFA_TOTP_ISSUER = "Reefpoint"
MFA_TOTP_TOLERANCE = 1
MFA_WEBAUTHN_USER_VERIFICATION = "preferred"

AXES_FAILURE_LIMIT = 5
AXES_COOLOFF_TIME = timedelta(minutes=15)
AXES_LOCKOUT_PARAMETERS = [["username", "ip_address"]]
AXES_RESET_ON_SUCCESS = True
AXES_RESET_COOL_OFF_ON_FAILURE_DURING_LOCKOUT = False
AXES_USERNAME_CALLABLE = "reefpoint.platform.access.adapters.sign_in.attempted_email"
AXES_CLIENT_IP_CALLABLE = "reefpoint.platform.access.adapters.sign_in.client_address"
AXES_LOCKOUT_TEMPLATE = "account/locked_out.html"
AXES_DISABLE_ACCESS_LOG = True
AXES_ENABLE_ADMIN = False
AXES_VERBOSE = False

PASSWORD_RESET_TIMEOUT = 3600

# In the database, so that every process counts the same attempts; roomy, so that noise cannot push counts out.
CACHES = {
    "default": {
        "BACKEND": "django.core.cache.backends.db.DatabaseCache",
        "LOCATION": "access_cache",
        "OPTIONS": {"MAX_ENTRIES": 100_000},
    }
}

SESSION_COOKIE_AGE = 12 * 3600
SESSION_COOKIE_NAME = "__Host-session" if HTTPS else "session"
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = LANGUAGE_COOKIE_SECURE = HTTPS
SESSION_COOKIE_SAMESITE = CSRF_COOKIE_SAMESITE = LANGUAGE_COOKIE_SAMESITE = "Lax"
CSRF_COOKIE_NAME = "__Host-csrf" if HTTPS else "csrf"
CSRF_COOKIE_HTTPONLY = True
SECURE_SSL_REDIRECT = HTTPS
SECURE_HSTS_SECONDS = 365 * 24 * 3600 if HTTPS else 0
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if TRUSTED_PROXIES else None
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"

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

# Mail goes to files in the data folder until REEFPOINT_SMTP_URL names a server: smtp://user:password@host:port,
# smtp+tls:// for STARTTLS, smtps:// for TLS from the first byte.
_smtp = urlsplit(os.environ.get("REEFPOINT_SMTP_URL", ""))
EMAIL_BACKEND = (
    "django.core.mail.backends.smtp.EmailBackend"
    if _smtp.hostname
    else "reefpoint.platform.notifications.adapters.mail_files.MailFileBackend"
)
EMAIL_FILE_PATH = data_home() / "mail"
EMAIL_HOST = _smtp.hostname or ""
EMAIL_PORT = _smtp.port or 25
EMAIL_HOST_USER = unquote(_smtp.username or "")
EMAIL_HOST_PASSWORD = unquote(_smtp.password or "")
EMAIL_USE_TLS = _smtp.scheme == "smtp+tls"
EMAIL_USE_SSL = _smtp.scheme == "smtps"
EMAIL_TIMEOUT = 20
DEFAULT_FROM_EMAIL = os.environ.get("REEFPOINT_MAIL_FROM", "Reefpoint <desk@localhost>")

PAYMENT_BANK = os.environ.get("REEFPOINT_PAYMENT_BANK", "paper")
PAYMENT_SECRET = os.environ.get("REEFPOINT_PAYMENT_SECRET", "")

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

PROCRASTINATE_AUTODISCOVER_MODULE_NAME = "jobs"
