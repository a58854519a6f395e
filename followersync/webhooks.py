"""Endpoint for Instagram's inbound webhooks, which name accounts to sync, never followers.

https://developers.facebook.com/docs/graph-api/webhooks/getting-started
"""

from __future__ import annotations

import hmac
import logging

from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseBadRequest, HttpResponseForbidden
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods

from accounts.instagram import events, signatures
from followersync.services.webhooks import inbound

logger = logging.getLogger(__name__)


@never_cache
@csrf_exempt
@require_http_methods(["GET", "POST"])
def webhook(request: HttpRequest) -> HttpResponse:
    """GET: Meta verifies the address. POST: signed events."""
    return _verify(request) if request.method == "GET" else _receive(request)


def _verify(request: HttpRequest) -> HttpResponse:
    """The challenge as plain text, if the verify token is right; else 403."""
    expected = settings.INSTAGRAM_WEBHOOK_VERIFY_TOKEN
    given = request.GET.get("hub.verify_token", "")
    genuine = bool(expected) and hmac.compare_digest(given.encode(), expected.encode())
    challenge = request.GET.get("hub.challenge", "")
    # Meta sends a number; echoing anything else would let strangers inject content.
    if request.GET.get("hub.mode") != "subscribe" or not genuine or not challenge.isdecimal():
        return HttpResponseForbidden("refused", content_type="text/plain")
    return HttpResponse(challenge, content_type="text/plain")


def _receive(request: HttpRequest) -> HttpResponse:
    """200 at once; the queue handles the events. 403 if neither secret signed the body."""
    secrets = [settings.INSTAGRAM_CLIENT_SECRET, settings.INSTAGRAM_APP_SECRET]
    header = request.headers.get("X-Hub-Signature-256")
    if not signatures.webhook_is_genuine(request.body, header, secrets):
        return HttpResponseForbidden("not signed by us", content_type="text/plain")
    try:
        received = events.parse(request.body)
    except events.WrongEvents as error:
        logger.warning("a signed webhook in an unknown shape: %s", error)
        return HttpResponseBadRequest("unknown shape", content_type="text/plain")
    inbound.receive(received)
    return HttpResponse("ok", content_type="text/plain")
