"""OAuth 2.0 endpoints: allauth's views with our rules for consent, reuse, quotas and errors."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from http import HTTPStatus
from typing import Any, Final
from urllib.parse import urlencode, urlsplit

from allauth.idp.oidc import views as allauth_views
from allauth.idp.oidc.adapter import get_adapter
from allauth.idp.oidc.forms import AuthorizationForm, RPInitiatedLogoutForm
from allauth.idp.oidc.internal.oauthlib import device_codes
from allauth.idp.oidc.internal.oauthlib.server import get_server
from allauth.idp.oidc.internal.oauthlib.utils import (
    convert_response,
    extract_params,
    get_validator_context,
    respond_html_error,
)
from allauth.idp.oidc.internal.resources import get_resources
from allauth.idp.oidc.models import Client
from django.core.cache import cache
from django.core.exceptions import ValidationError
from django.db import transaction
from django.http import HttpRequest, HttpResponse, HttpResponseBase, JsonResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext_lazy as _
from django.views.decorators.csrf import csrf_exempt
from django.views.generic.edit import FormView
from oauthlib.oauth2.rfc6749 import errors  # type: ignore[import-untyped]

from accounts.api_scopes import SENSITIVE_SCOPES
from accounts.instagram.reauthentication import recently_authenticated, redirect_to_reauthentication
from accounts.services import oauth, programs
from accounts.services.quotas import QuotaUsedUp, require_left_of_visitor, spend_of_visitor
from accounts.views.visitors import mark_of, set_retry_after

REFUSABLE: Final = ("client_id", "redirect_uri", "scope", "state")
#: The parameters with which the authorization page is repeated after reauthentication.
REPEATED: Final = (
    "client_id",
    "redirect_uri",
    "response_type",
    "state",
    "nonce",
    "code_challenge",
    "code_challenge_method",
)


class GrantForm(AuthorizationForm):  # type: ignore[misc]
    """Nothing is ticked in advance: the member chooses each scope."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["scopes"].initial = []
        self.fields["scopes"].error_messages["required"] = _("Choose at least one permission.")


class AuthorizationView(allauth_views.AuthorizationView):  # type: ignore[misc]
    """The page on which a member grants a program access, also without a page (`prompt=none`)."""

    form_class = GrantForm

    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        asked = {name: request.GET.get(name, "") for name in REFUSABLE}
        refused = programs.refused_address(**asked)
        if refused is not None:
            return _redirect(refused)
        if not _is_object(request.GET.get("claims", "")):
            return _reject_invalid_claims(request, asked)
        if "none" in request.GET.get("prompt", "").split():
            return self._authorize_silently(request)
        response: HttpResponseBase = super().get(request, *args, **kwargs)
        return response

    def _handle_login_prompt(self, request: HttpRequest, prompts: list[str]) -> HttpResponseBase:
        """`prompt=login`: allauth would ask for a password, which not every member has."""
        asked = request.GET.copy()
        asked["prompt"] = " ".join(each for each in prompts if each != "login")
        return redirect_to_reauthentication(request, back=f"{request.path}?{asked.urlencode()}")

    def render_to_response(self, context: dict[str, Any], **kwargs: Any) -> HttpResponseBase:
        if _requires_reauthentication(self.request, self._scopes):
            return redirect_to_reauthentication(self.request, back=self._address())
        response = super().render_to_response(context, **kwargs)
        # Chromium applies `form-action` to the redirect that follows a posted form as well.
        response._csp_update = {"form-action": [_source(self._request_info["redirect_uri"])]}
        return response  # type: ignore[no-any-return]

    def form_valid(self, form: AuthorizationForm) -> HttpResponseBase:
        if _requires_reauthentication(self.request, form.cleaned_data["scopes"]):
            return redirect_to_reauthentication(self.request, back=self._address())
        return super().form_valid(form)  # type: ignore[no-any-return]

    def _skip_consent(self) -> HttpResponseBase:
        """No program acts without the member's grant, whatever its registration says."""
        return FormView.get(self, self.request)

    def _authorize_silently(self, request: HttpRequest) -> HttpResponse:
        """Without a page: a code if this program has a grant, else an error."""
        given = extract_params(request)
        try:
            get_validator_context().requested_resources = get_resources(request)
            server = get_server()
            scopes, info = server.validate_authorization_request(*given)
            _check_silent(request, info["request"], server.request_validator)
            answer = server.create_authorization_response(
                *given, scopes=scopes, credentials={"user": request.user}
            )
        except (errors.FatalClientError, ValidationError) as error:
            return respond_html_error(request, error=error)  # type: ignore[no-any-return]
        except errors.OAuth2Error as error:
            return _redirect(error.in_uri(error.redirect_uri))
        return convert_response(*answer)  # type: ignore[no-any-return]

    def _address(self) -> str:
        """The address of this page with its parameters, also after a POST."""
        asked = {name: self._request_info.get(name) for name in REPEATED}
        query = {name: value for name, value in asked.items() if value}
        query["scope"] = " ".join(self._scopes)
        more = [("resource", each) for each in self._request_info.get("resources") or ()]
        return f"{reverse('idp:oidc:authorization')}?{urlencode([*query.items(), *more])}"


class DeviceView(allauth_views.DeviceAuthorizationView):  # type: ignore[misc]
    """The page on which a member authorizes a device: it lists what the device may do."""

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        """With the CSRF check, unlike allauth's: a grant must come from this page."""
        return super().dispatch(request, *args, **kwargs)  # type: ignore[no-any-return]

    def _dispatch_authorization(
        self, request: HttpRequest, user_code: str, device_code: str, client: Client
    ) -> HttpResponseBase:
        scopes = _device_scopes(device_code, client)
        refuses = request.method == "POST" and request.POST.get("action") != "confirm"
        if not refuses and _requires_reauthentication(request, scopes):
            return redirect_to_reauthentication(request, back=request.get_full_path())
        if request.method == "POST":
            answer: HttpResponseBase = super()._dispatch_authorization(
                request, user_code, device_code, client
            )
            oauth.record_device_grant(device_code)
            return answer
        names = get_adapter().scope_display
        context = {
            "user_code": user_code,
            "client": client,
            "scopes": [names.get(scope, scope) for scope in scopes],
        }
        return render(request, "idp/oidc/device_authorization_confirm_form.html", context)


class LogoutForm(RPInitiatedLogoutForm):  # type: ignore[misc]
    """Redirects only to an address that the program registered."""

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean()
        address, client = cleaned.get("post_logout_redirect_uri"), cleaned.get("client")
        if address and not (client and programs.may_return_after_logout(client, address)):
            self.add_error("post_logout_redirect_uri", _("This address is not registered."))
        return cleaned


class LogoutView(allauth_views.LogoutView):  # type: ignore[misc]
    form_class = LogoutForm


authorization = AuthorizationView.as_view()
device_authorization = DeviceView.as_view()
logout = LogoutView.as_view()


@csrf_exempt
def token(request: HttpRequest) -> HttpResponseBase:
    """Requests with credentials of one family run one after another, so that each works once."""
    return _limit_wrong_secrets(request, _token)


@csrf_exempt
def revoke(request: HttpRequest) -> HttpResponseBase:
    return _limit_wrong_secrets(request, allauth_views.revoke)


@csrf_exempt
def device_code(request: HttpRequest) -> HttpResponseBase:
    """Limited per visitor: codes fill the cache, which holds everybody's codes and limits."""
    try:
        spend_of_visitor(mark=mark_of(request), name="device_code")
    except QuotaUsedUp as error:
        return _quota_exceeded(error)
    return allauth_views.device_code(request)  # type: ignore[no-any-return]


def _token(request: HttpRequest) -> HttpResponseBase:
    with transaction.atomic():
        for family in oauth.credential_families(request.POST):
            oauth.lock(family)
        if request.POST.get("grant_type") != Client.GrantType.DEVICE_CODE:
            return allauth_views.token(request)  # type: ignore[no-any-return]
        return _device_token(request)


def _device_token(request: HttpRequest) -> HttpResponseBase:
    """allauth looks device codes up outside the validator, which checks the other two."""
    code = request.POST.get("device_code", "")
    if oauth.device_grant_was_revoked(code):
        return JsonResponse({"error": "invalid_grant"}, status=400)
    response: HttpResponseBase = allauth_views.token(request)
    client_id = request.POST.get("client_id", "")
    unknown = isinstance(response, HttpResponse) and b'"invalid_grant"' in response.content
    client = Client.objects.filter(pk=client_id, type=Client.Type.PUBLIC).first()
    if code and unknown and client is not None:
        oauth.end_reused(client=client, family=oauth.family_of_code(code))
    return response


def _limit_wrong_secrets(
    request: HttpRequest, view: Callable[[HttpRequest], HttpResponseBase]
) -> HttpResponseBase:
    """Limits a visitor's wrong secrets: each comparison is as slow as a password's."""
    if not request.POST.get("client_secret") and "Authorization" not in request.headers:
        return view(request)
    mark = mark_of(request)
    try:
        require_left_of_visitor(mark=mark, name="program_secret")
    except QuotaUsedUp as error:
        return _quota_exceeded(error)
    response = view(request)
    if response.status_code == HTTPStatus.UNAUTHORIZED:
        with suppress(QuotaUsedUp):
            spend_of_visitor(mark=mark, name="program_secret")
    return response


def _quota_exceeded(error: QuotaUsedUp) -> HttpResponse:
    error_body = {"error": "temporarily_unavailable", "error_description": "Too many requests."}
    return set_retry_after(JsonResponse(error_body, status=HTTPStatus.TOO_MANY_REQUESTS), error)


def _check_silent(request: HttpRequest, asked: Any, validator: oauth.RequestValidator) -> None:
    """Check `prompt=none`, which oauthlib does only if `openid` is among the scopes.

    Raises InvalidRequestError, LoginRequired or ConsentRequired, which name the redirect address.
    """
    if request.GET.get("prompt", "").split() != ["none"]:
        raise errors.InvalidRequestError(request=asked, description="prompt none stands alone.")
    if not validator.validate_silent_login(asked):
        raise errors.LoginRequired(request=asked)
    if not validator.validate_silent_authorization(asked):
        raise errors.ConsentRequired(request=asked)


def _reject_invalid_claims(request: HttpRequest, asked: Mapping[str, str]) -> HttpResponse:
    """Reject invalid claims: oauthlib would answer 500."""
    what = "claims is no JSON object."
    address = programs.error_address(
        asked["client_id"], asked["redirect_uri"], asked["state"], "invalid_request", what
    )
    if address is not None:
        return _redirect(address)
    error = errors.InvalidRequestError(description=what)
    return respond_html_error(request, error=error)  # type: ignore[no-any-return]


def _is_object(claims: str) -> bool:
    """Whether the claims are a JSON object, or absent."""
    try:
        return not claims or isinstance(json.loads(claims), dict)
    except (ValueError, RecursionError):
        return False


def _requires_reauthentication(request: HttpRequest, scopes: Iterable[str]) -> bool:
    return bool(SENSITIVE_SCOPES.intersection(scopes)) and not recently_authenticated(request)


def _device_scopes(device_code: str, client: Client) -> list[str]:
    """The scopes that the device requested; none: the program's defaults."""
    data = cache.get(device_codes.cache_device_code_key(device_code)) or {}
    return list(data.get("scope") or client.get_default_scopes())


def _redirect(address: str) -> HttpResponse:
    """Not HttpResponseRedirect: a program on a device may have a URL scheme of its own."""
    return HttpResponse(status=302, headers={"Location": address})


def _source(address: str) -> str:
    """For a CSP: an origin, or for a program on the device only its scheme."""
    parts = urlsplit(address)
    if parts.scheme in ("http", "https"):
        return f"{parts.scheme}://{parts.netloc}"
    return f"{parts.scheme}:"
