"""Forms of signing in that differ from the library's."""

from allauth.account.forms import SignupForm
from allauth.mfa.webauthn.forms import AddWebAuthnForm
from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _

from reefpoint.platform.basics.texts import find_unsafe


class PasskeyForm(AddWebAuthnForm):  # type: ignore[misc]
    """Adding a passkey, which signs in without the password unless the person says otherwise."""

    def __init__(self, *args: object, **kwargs: object) -> None:
        super().__init__(*args, **kwargs)
        self.fields["passwordless"].initial = True


class ClientSignUpForm(SignupForm):  # type: ignore[misc]
    """Signing up for the portal: a name to be called by, an address, a password."""

    name = forms.CharField(label=_("Your name"), max_length=120, widget=forms.TextInput(attrs={"autocomplete": "name"}))
    field_order = ("name", "email", "password1")

    def __init__(self, *args: object, **kwargs: object) -> None:
        super().__init__(*args, **kwargs)
        for field in self.fields.values():
            field.widget.attrs.pop("placeholder", None)

    def clean_name(self) -> str:
        """The name, unless it hides something."""
        name: str = self.cleaned_data["name"]
        if find_unsafe(name) is not None or any(sign in name for sign in "\r\n\t"):
            raise ValidationError(_now("The name holds a character that cannot be seen or that turns text round."))
        return name
