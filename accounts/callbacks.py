"""Views without a session: Instagram's deauthorize and data-deletion callbacks, receipt keys.

https://developers.facebook.com/docs/development/create-an-app/app-dashboard/data-deletion-callback
"""

from __future__ import annotations

from django.conf import settings
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.urls import path, reverse
from django.views.decorators.cache import cache_control
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST, require_safe

from accounts.errors import InvalidInput
from accounts.models import DeletionRequest
from accounts.services import instagram_callbacks, receipts


@csrf_exempt
@require_POST
def deauthorize_view(request: HttpRequest) -> HttpResponse:
    """The member removed our app at Instagram: same as unlinking here. Its body is ignored."""
    try:
        instagram_callbacks.deauthorize(signed_request=request.POST.get("signed_request", ""))
    except InvalidInput as error:
        return _refused(error)
    return JsonResponse({"success": True})


@csrf_exempt
@require_POST
def data_deletion_view(request: HttpRequest) -> HttpResponse:
    """The member asks Instagram for erasure; the answer links to the status page."""
    try:
        deletion = instagram_callbacks.delete_data(
            signed_request=request.POST.get("signed_request", "")
        )
    except InvalidInput as error:
        return _refused(error)
    return JsonResponse({"url": status_url(deletion), "confirmation_code": deletion.code})


@require_safe
@cache_control(public=True, max_age=3600)
def receipt_keys_view(request: HttpRequest) -> HttpResponse:
    """The public keys that verify receipts, as a JWK set."""
    return JsonResponse(receipts.public_keys())


def status_url(deletion: DeletionRequest) -> str:
    """The public status page of an erasure."""
    return settings.PUBLIC_URL + reverse("deletion", args=[deletion.code])


def _refused(error: InvalidInput) -> JsonResponse:
    body = {"error": {"code": error.code, "message": str(error.detail)}}
    return JsonResponse(body, status=400)


urlpatterns = [
    path("instagram/deauthorize/", deauthorize_view, name="instagram-deauthorize"),
    path("instagram/data-deletion/", data_deletion_view, name="instagram-data-deletion"),
    path(
        ".well-known/threadsite-receipt-keys.json",
        receipt_keys_view,
        name="threadsite-receipt-keys",
    ),
]
