"""The admin's overview page: state of the site and open work for staff."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any, cast

from django.contrib import admin
from django.contrib.auth.decorators import permission_required
from django.shortcuts import render
from django_q.models import Failure, OrmQ

from accounts import clock
from accounts.models import StaffView
from accounts.selectors.duties import accounts_by_state, duties, nights
from followersync.selectors import attention, operations
from threadsite import health, heartbeat, serving

if TYPE_CHECKING:
    from django.http import HttpRequest, HttpResponse

    from accounts.models import User


@permission_required("accounts.view_linkedaccount", raise_exception=True)
def overview_view(request: HttpRequest) -> HttpResponse:
    """For staff (checked by `admin.site.admin_view`) who may view linked accounts."""
    StaffView.objects.create(staff=cast("User", request.user), at=clock.now(), what="overview")
    context: dict[str, Any] = {
        **admin.site.each_context(request),
        "title": "Overview",
        "accounts": accounts_by_state(),
        "counts": operations.operational_counts(),
        "site": operations.site_reappearance(),
        "overdue": attention.overdue(),
        "failing": attention.failing(),
        "runs": attention.runs_of_the_day(),
        "duties": duties(),
        "nights": nights(),
        "hosts": serving.not_shared(),
        "queue": _queue(),
    }
    return render(request, "admin/overview.html", context)


def _queue() -> dict[str, Any]:
    age, ready = heartbeat.age(), health.readiness()
    return {
        "alive": ready["queue"] == "ok",
        "age": None if age is None else round(age),
        "waiting": OrmQ.objects.count(),
        "failed": Failure.objects.filter(stopped__gte=clock.now() - timedelta(days=1)).count(),
        "ready": ready,
    }
