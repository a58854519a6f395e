"""allauth provider for sign-in by "Instagram API with Instagram Login".

allauth's bundled provider speaks Basic Display, which Instagram shut down on 2024-12-04.
https://developers.facebook.com/docs/instagram-platform/instagram-api-with-instagram-login
"""

from __future__ import annotations

from typing import Any

from allauth.socialaccount.providers.base import AuthProcess, ProviderAccount
from allauth.socialaccount.providers.oauth2.provider import OAuth2Provider
from django.http import HttpRequest

from accounts.instagram.views import InstagramAdapter
from accounts.scopes import BASIC_PERMISSION


class InstagramAccount(ProviderAccount):  # type: ignore[misc]
    def get_profile_url(self) -> str:
        return f"https://www.instagram.com/{self.account.extra_data.get('username', '')}/"

    def to_str(self) -> str:
        return f"@{self.account.extra_data.get('username', self.account.uid)}"


class InstagramProvider(OAuth2Provider):  # type: ignore[misc]
    id = "instagram"
    name = "Instagram"
    account_class = InstagramAccount
    oauth2_adapter_class = InstagramAdapter

    def get_default_scope(self) -> list[str]:
        return [BASIC_PERMISSION]

    def get_scope_from_request(self, request: HttpRequest) -> list[str]:
        """Never from the URL: `?scope=` would request more than the member was shown."""
        return self.get_default_scope()

    def get_auth_params_from_request(self, request: HttpRequest, action: str) -> dict[str, str]:
        """Never from the URL: `?auth_params=` could replace even the redirect URI."""
        return {}

    def get_redirect_from_request_kwargs(self, request: HttpRequest) -> dict[str, Any]:
        kwargs: dict[str, Any] = super().get_redirect_from_request_kwargs(request)
        if request.user.is_authenticated and kwargs["process"] == AuthProcess.LOGIN:
            # A signed-in member links; otherwise a second member would be created unnoticed.
            kwargs["process"] = AuthProcess.CONNECT
        return kwargs

    def extract_uid(self, data: dict[str, Any]) -> str:
        """The professional account's id: it is the same across apps, and webhooks name it."""
        return str(data["user_id"])

    def extract_extra_data(self, data: dict[str, Any]) -> dict[str, Any]:
        """Only what linking needs; never the token."""
        return {name: data[name] for name in ("id", "user_id", "username", "permissions")}

    def extract_common_fields(self, data: dict[str, Any]) -> dict[str, Any]:
        return {"username": data["username"]}


provider_classes = [InstagramProvider]
