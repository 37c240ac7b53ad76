"""What we ask of allauth and axes: closed doors, encrypted secrets, our passkey domain, e-mail as the name tried."""

import base64
from collections.abc import Mapping

from allauth.account.adapter import DefaultAccountAdapter
from allauth.account.adapter import get_adapter as get_account_adapter
from allauth.mfa.adapter import DefaultMFAAdapter
from allauth.mfa.models import Authenticator
from cryptography.fernet import Fernet, MultiFernet
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.utils.encoding import force_bytes

from reefpoint.platform.access.models import User
from reefpoint.platform.access.selectors import REAL_FACTORS


class AccountAdapter(DefaultAccountAdapter):  # type: ignore[misc]
    """Nobody signs up: an administrator lets people in."""

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        """Never."""
        return False

    def post_login(self, request: HttpRequest, user: User, **details: object) -> HttpResponse:
        """Let somebody in, and show them their own language unless they chose one at the door."""
        response: HttpResponse = super().post_login(request, user, **details)
        if user.language and settings.LANGUAGE_COOKIE_NAME not in request.COOKIES:
            response.set_cookie(
                settings.LANGUAGE_COOKIE_NAME,
                user.language,
                secure=settings.LANGUAGE_COOKIE_SECURE,
                samesite="Lax",
            )
        return response


class SecondFactorAdapter(DefaultMFAAdapter):  # type: ignore[misc]
    """Second factors whose secrets are useless to who only reads the database."""

    def encrypt(self, text: str) -> str:
        """The stored form of a shared secret or of the seed of recovery codes."""
        return _cipher().encrypt(text.encode()).decode()

    def decrypt(self, encrypted_text: str) -> str:
        """The secret again. Raises `InvalidToken` if SECRET_KEY was replaced without a fallback."""
        return _cipher().decrypt(encrypted_text.encode()).decode()

    def can_delete_authenticator(self, authenticator: Authenticator) -> bool:
        """False for the last real factor while the desk requires one: take the new one first."""
        if not settings.REQUIRE_SECOND_FACTOR or authenticator.type not in REAL_FACTORS:
            return True
        others = Authenticator.objects.filter(user_id=authenticator.user_id, type__in=REAL_FACTORS)
        return bool(others.exclude(pk=authenticator.pk).exists())

    def get_public_key_credential_rp_entity(self) -> dict[str, str]:
        """The domain that passkeys are bound to: a setting, never what a request claims its host to be."""
        return {"id": settings.PASSKEY_DOMAIN, "name": "Reefpoint"}


def attempted_email(request: HttpRequest, credentials: Mapping[str, str] | None) -> str:
    """The address somebody tries to enter with, in one spelling; for the lockout."""
    tried = (credentials or {}).get("email") or (credentials or {}).get("username") or request.POST.get("login", "")
    return tried.strip().lower()


def client_address(request: HttpRequest) -> str | None:
    """The network address of the client, past as many proxies as the settings trust; None without a connection."""
    if "REMOTE_ADDR" not in request.META:
        return None
    address: str = get_account_adapter(request).get_client_ip(request)
    return address


def _cipher() -> MultiFernet:
    secrets = (settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS)
    return MultiFernet([Fernet(_key(force_bytes(secret))) for secret in secrets])


def _key(secret: bytes) -> bytes:
    derived = HKDF(SHA256(), length=32, salt=None, info=b"reefpoint.access.second-factor").derive(secret)
    return base64.urlsafe_b64encode(derived)
