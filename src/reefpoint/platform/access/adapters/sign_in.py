"""What we ask of allauth and axes: who signs up as what, encrypted secrets, our passkey domain, the name tried."""

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
from django.forms import BaseForm
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.encoding import force_bytes
from django.utils.translation import get_language

from reefpoint.platform.access.models import User
from reefpoint.platform.access.selectors import REAL_FACTORS, is_client
from reefpoint.platform.access.services.people import sign_up_client
from reefpoint.platform.basics.actors import system_actor


class AccountAdapter(DefaultAccountAdapter):  # type: ignore[misc]
    """Clients sign up by themselves, with an address that they prove; an administrator lets people of the desk in."""

    def save_user(self, request: HttpRequest, user: User, form: BaseForm, commit: bool = True) -> User:
        """Whoever signs up becomes a user of the portal."""
        given = form.cleaned_data
        user_id = sign_up_client(
            actor=system_actor("sign-up"),
            email=given["email"],
            name=given["name"],
            password=given["password1"],
            language=get_language() or "",
            at=timezone.now(),
        )
        return User.objects.get(pk=user_id)

    def get_login_redirect_url(self, request: HttpRequest) -> str:
        """Clients go to the portal, everybody else to the desk."""
        if request.user.is_authenticated and is_client(request.user):
            return reverse(settings.CLIENT_REDIRECT_URL)
        address: str = super().get_login_redirect_url(request)
        return address

    def get_signup_redirect_url(self, request: HttpRequest) -> str:
        """The portal."""
        return reverse(settings.CLIENT_REDIRECT_URL)

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
