"""Forms of members' pages. A service's refusal is shown at the field that it names."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from zoneinfo import available_timezones

from allauth.account.forms import ResetPasswordForm as AllauthResetPasswordForm
from allauth.account.forms import SignupForm as AllauthSignupForm
from allauth.account.models import EmailAddress
from allauth.core import context
from django import forms
from django.conf import settings
from django.db import transaction
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from accounts.models import User
from accounts.services.quotas import QuotaUsedUp, spend_of_visitor
from accounts.views.visitors import mark_of

if TYPE_CHECKING:
    _MemberForm = forms.ModelForm[User]
else:  # Django's form takes no type parameter at run time
    _MemberForm = forms.ModelForm

#: Browsers neither correct nor capitalise a username.
_NAME = {"autocapitalize": "none", "autocomplete": "off", "spellcheck": "false"}


class SignupForm(AllauthSignupForm):  # type: ignore[misc]
    """Limits sign-ups per network and address; the answer never says what is registered."""

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean()
        if self.errors:
            return cleaned
        try:
            with transaction.atomic():
                spend_of_visitor(mark=mark_of(context.request), name="signup")
                spend_of_visitor(mark=cleaned["email"].lower(), name="signup_for_address")
        except QuotaUsedUp as error:
            raise forms.ValidationError(str(error.detail)) from None
        return cleaned


class ResetPasswordForm(AllauthResetPasswordForm):  # type: ignore[misc]
    """Sends the reset link only to verified addresses; others must first be confirmed."""

    users: list[User]
    unverified: list[EmailAddress]

    def clean_email(self) -> str:
        email: str = super().clean_email()
        addresses = EmailAddress.objects.filter(email=email.lower()).select_related("user")
        owners = {each.user_id: each for each in addresses if each.user in self.users}
        self.users = [each.user for each in owners.values() if each.verified]
        self.unverified = [each for each in owners.values() if not each.verified]
        return email

    def save(self, request: HttpRequest, **kwargs: Any) -> str:
        if self.users or not self.unverified:
            return super().save(request, **kwargs)  # type: ignore[no-any-return]
        for address in self.unverified:
            address.send_confirmation(request)
        return str(self.cleaned_data["email"])


class ArchiveLinkForm(forms.Form):
    """Username of a personal account, which has no login for apps; not proven."""

    username = forms.CharField(
        label=_("Instagram username"),
        max_length=31,
        help_text=_("As in your profile's address, with or without the @."),
        widget=forms.TextInput(attrs=_NAME),
    )


class LocaleForm(_MemberForm):
    """Language and time zone."""

    language = forms.ChoiceField(label=_("Language"), choices=lambda: settings.LANGUAGES)
    time_zone = forms.ChoiceField(
        label=_("Time zone"), choices=lambda: [(name, name.replace("_", " ")) for name in _zones()]
    )

    class Meta:
        model = User
        fields = ("language", "time_zone")


class PrivacyRequestForm(forms.Form):
    """A non-member asks what is stored about their name, or that it be suppressed."""

    kind = forms.ChoiceField(
        label=_("What we should do"),
        choices=[
            ("erasure", _("Drop my name everywhere and keep it out")),
            ("objection", _("Keep my name out from now on")),
            ("access", _("Tell me what is held about me")),
        ],
        widget=forms.RadioSelect,
    )
    username = forms.CharField(
        label=_("Your Instagram username"), max_length=31, widget=forms.TextInput(attrs=_NAME)
    )
    contact = forms.EmailField(
        label=_("E-mail address for the answer"),
        help_text=_("Used for this answer only, and erased with the request."),
    )
    message = forms.CharField(
        label=_("Anything we should know"),
        required=False,
        max_length=4000,
        widget=forms.Textarea(attrs={"rows": 4}),
    )

    def clean_username(self) -> str:
        name: str = self.cleaned_data["username"]
        return name.strip().removeprefix("@").lower()


class ConfirmationForm(forms.Form):
    """The member types `word`, shown on the page, to confirm an action."""

    confirm = forms.CharField(max_length=150)

    def __init__(self, *args: Any, word: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.word = word
        self.fields["confirm"].label = _("Type %(word)s to confirm") % {"word": word}
        self.fields["confirm"].widget.attrs |= {"autocomplete": "off", "autocapitalize": "none"}

    def clean_confirm(self) -> str:
        typed: str = self.cleaned_data["confirm"]
        if typed.strip().removeprefix("@") != self.word:
            raise forms.ValidationError(
                _("That is not it, so nothing was deleted. Type %(word)s exactly.")
                % {"word": self.word}
            )
        return typed


def _zones() -> list[str]:
    """Time zones of places and UTC, without compatibility names."""
    odd = ("Etc/", "SystemV/", "US/")
    places = (name for name in available_timezones() if "/" in name and not name.startswith(odd))
    return ["UTC", *sorted(places)]
