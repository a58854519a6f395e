"""Views of the OAuth login at Instagram: redirect there, and callback with a token."""

from __future__ import annotations

from typing import Any

from allauth.socialaccount.adapter import get_adapter
from allauth.socialaccount.models import SocialLogin, SocialToken
from allauth.socialaccount.providers.base import AuthProcess, ProviderException
from allauth.socialaccount.providers.oauth2.views import (
    OAuth2Adapter,
    OAuth2CallbackView,
    OAuth2LoginView,
)
from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.urls import reverse

from accounts import crypto
from accounts.errors import ThreadsiteError
from accounts.instagram import gateway
from accounts.services.linking import permissions_asked


class InstagramAdapter(OAuth2Adapter):  # type: ignore[misc]
    provider_id = "instagram"
    scope_delimiter = ","

    @property
    def authorize_url(self) -> str:
        return f"{settings.INSTAGRAM_OAUTH_URL}/oauth/authorize"

    @property
    def access_token_url(self) -> str:
        return f"{settings.INSTAGRAM_API_URL}/oauth/access_token"

    def get_callback_url(self, request: HttpRequest, app: Any) -> str:
        """Instagram requires exactly the registered URL, in both steps."""
        return settings.PUBLIC_URL + reverse("instagram_callback")

    def get_client(self, request: HttpRequest, app: Any) -> Any:
        """With the current app id: allauth reads its list of apps only once."""
        client = super().get_client(request, app)
        client.consumer_key = settings.INSTAGRAM_CLIENT_ID
        return client

    def get_access_token_data(
        self, request: HttpRequest, app: Any, client: Any, pkce_code_verifier: str | None = None
    ) -> dict[str, Any]:
        """Fetch code, long-lived token and profile, or show a page that says what failed."""
        instagram = gateway.from_settings()
        try:
            short = instagram.exchange_code(request.GET["code"], client.callback_url)
            token = instagram.long_lived(short.access_token)
            profile = instagram.me(token.access_token)
        except ThreadsiteError as error:
            raise ProviderException(error.detail) from None
        permissions = short.permissions
        return {
            "access_token": token.access_token,
            "expires_in": token.expires_in,
            "id": profile.id,
            "user_id": profile.user_id,
            "username": profile.username,
            "permissions": None if permissions is None else sorted(permissions),
        }

    def parse_token(self, data: dict[str, Any]) -> SocialToken:
        """Encrypted from here on: allauth may store it in the session."""
        return super().parse_token({**data, "access_token": crypto.encrypt(data["access_token"])})

    def complete_login(
        self, request: HttpRequest, app: Any, token: SocialToken, **kwargs: Any
    ) -> SocialLogin:
        return self.get_provider().sociallogin_from_response(request, kwargs["response"])


def start(
    request: HttpRequest,
    *,
    pending: dict[str, Any] | None,
    next_url: str | None = None,
    another: bool = False,
) -> HttpResponse:
    """Redirect to Instagram, requesting only what the ticked scopes need.

    `pending` comes from `linking.begin`; it is stored in the session, bound to this login.
    `another`: make the person sign in at Instagram again, so that they can pick another account.
    """
    return send_to_instagram(
        request,
        AuthProcess.CONNECT if request.user.is_authenticated else AuthProcess.LOGIN,
        next_url=next_url,
        data=pending,
        scope=sorted(permissions_asked(pending)),
        another=another,
    )


def send_to_instagram(
    request: HttpRequest,
    process: str,
    *,
    next_url: str | None,
    data: dict[str, Any] | None,
    scope: list[str],
    another: bool,
) -> HttpResponse:
    """`process`: allauth's word for the purpose of the login; `data` is stored in the session."""
    provider = get_adapter(request).get_provider(request, InstagramAdapter.provider_id)
    answer: HttpResponse = provider.redirect(
        request,
        process,
        next_url=next_url,
        data=data,
        scope=scope,
        auth_params={"force_reauth": "true"} if another else {},
    )
    return answer


oauth2_login = OAuth2LoginView.adapter_view(InstagramAdapter)
oauth2_callback = OAuth2CallbackView.adapter_view(InstagramAdapter)
