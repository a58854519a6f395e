"""Forms: a watched folder and the address of a webhook."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

from django import forms
from django.utils.translation import gettext_lazy as _

_PLAIN = {"autocapitalize": "none", "autocomplete": "off", "spellcheck": "false"}


class FolderForm(forms.Form):
    """A folder in the member's own storage. The secret is never shown again."""

    url = forms.CharField(
        label=_("Address of the folder"),
        max_length=500,
        help_text=_("As in webdavs://cloud.example.org/remote.php/webdav/Instagram or s3://…"),
        widget=forms.TextInput(attrs={**_PLAIN, "inputmode": "url"}),
    )
    name = forms.CharField(
        label=_("User name, or access key"),
        required=False,
        max_length=200,
        widget=forms.TextInput(attrs=_PLAIN),
    )
    secret = forms.CharField(
        label=_("Password, or secret key"),
        required=False,
        max_length=500,
        strip=False,
        help_text=_("Best one that opens this folder alone. It is kept encrypted."),
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
    )
    endpoint = forms.URLField(
        label=_("Address of the S3 server, unless it is Amazon's"),
        required=False,
        max_length=300,
        assume_scheme="https",
        widget=forms.URLInput(attrs=_PLAIN),
    )

    def options(self) -> dict[str, Any]:
        """Options for the folder's library; nothing else of it can be set from outside."""
        given = self.cleaned_data
        if urlsplit(given["url"]).scheme != "s3":
            named = {"username": given["name"], "password": given["secret"]}
            return named if given["name"] else {}
        options = {"key": given["name"], "secret": given["secret"]} if given["name"] else {}
        return options | ({"endpoint_url": given["endpoint"]} if given["endpoint"] else {})


class WebhookForm(forms.Form):
    """The address of a member's program to which webhooks are sent."""

    url = forms.CharField(
        label=_("Address"),
        max_length=500,
        help_text=_("It begins with https:// and can be reached from everywhere."),
        widget=forms.URLInput(attrs={**_PLAIN, "inputmode": "url"}),
    )
