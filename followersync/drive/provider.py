"""allauth provider for a member's consent to read their Google Drive; it signs nobody in.

https://developers.google.com/identity/protocols/oauth2/web-server
"""

from __future__ import annotations

from typing import Any

from allauth.socialaccount.providers.base import ProviderAccount
from allauth.socialaccount.providers.oauth2.provider import OAuth2Provider
from django.http import HttpRequest

from followersync.drive.views import READ_ONLY, DriveAdapter


class DriveProvider(OAuth2Provider):  # type: ignore[misc]
    id = "googledrive"
    name = "Google Drive"
    account_class = ProviderAccount
    oauth2_adapter_class = DriveAdapter
    pkce_enabled_default = True

    def get_default_scope(self) -> list[str]:
        return [READ_ONLY]

    def get_auth_params(self) -> dict[str, str]:
        """Offline access; without `consent` Google issues no second refresh token."""
        return {"access_type": "offline", "prompt": "consent"}

    def get_scope_from_request(self, request: HttpRequest) -> list[str]:
        """Never taken from the address."""
        return self.get_default_scope()

    def get_auth_params_from_request(self, request: HttpRequest, action: str) -> dict[str, str]:
        """Never taken from the address."""
        return self.get_auth_params()

    def extract_uid(self, data: dict[str, Any]) -> str:
        raise NotImplementedError("nobody signs in with their Drive")


provider_classes = [DriveProvider]
