"""Addresses of signing up, in and out. Only what the desk uses of allauth has one: nobody edits addresses."""

from allauth.account import views as account
from django.contrib.auth import logout
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import include, path, re_path
from django.utils import timezone
from django.views.decorators.http import require_POST

from reefpoint.platform.access.services import actor_for, end_sessions


@require_POST
@login_required
def end_own_sessions(request: HttpRequest) -> HttpResponse:
    """Sign out here and on every other device."""
    assert request.user.is_authenticated
    end_sessions(actor=actor_for(request.user), user_id=request.user.pk, at=timezone.now())
    logout(request)
    return redirect("account_login")


urlpatterns = [
    path("login/", account.login, name="account_login"),
    path("logout/", account.logout, name="account_logout"),
    path("logout/everywhere/", end_own_sessions, name="account_end_sessions"),
    path("signup/", account.signup, name="account_signup"),
    path("confirm-email/", account.email_verification_sent, name="account_email_verification_sent"),
    path("inactive/", account.account_inactive, name="account_inactive"),
    path("reauthenticate/", account.reauthenticate, name="account_reauthenticate"),
    path("password/change/", account.password_change, name="account_change_password"),
    path("password/set/", account.password_set, name="account_set_password"),
    path("password/reset/", account.password_reset, name="account_reset_password"),
    path("password/reset/done/", account.password_reset_done, name="account_reset_password_done"),
    re_path(
        r"^password/reset/key/(?P<uidb36>[0-9A-Za-z]+)-(?P<key>.+)/$",
        account.password_reset_from_key,
        name="account_reset_password_from_key",
    ),
    path(
        "password/reset/key/done/",
        account.password_reset_from_key_done,
        name="account_reset_password_from_key_done",
    ),
    path("2fa/", include("allauth.mfa.urls")),
]
