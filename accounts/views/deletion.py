"""Public status page and receipt of an erasure, by its code."""

from __future__ import annotations

from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from accounts.errors import NotFound
from accounts.selectors.privacy import DeletionStatus, deletion_status
from accounts.views.erased import in_words


@never_cache
@require_safe
def deletion(request: HttpRequest, code: str) -> HttpResponse:
    status = _status(code)
    ended = status.state in ("completed", "cancelled", "failed")
    template = "deletion_status" if request.headers.get("HX-Request") else "deletion"
    context = {"status": status, "ended": ended, "erased": in_words(status.erased)}
    return render(request, f"accounts/{template}.html", context)


@never_cache
@require_safe
def receipt(request: HttpRequest, code: str) -> HttpResponse:
    status = _status(code)
    if status.receipt is None:
        raise Http404
    headers = {"Content-Disposition": f'attachment; filename="receipt-{code}.json"'}
    return JsonResponse(status.receipt, headers=headers)


def _status(code: str) -> DeletionStatus:
    try:
        return deletion_status(code)
    except NotFound as error:
        raise Http404 from error
