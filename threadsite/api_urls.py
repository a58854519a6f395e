"""URL patterns under /api/."""

from __future__ import annotations

from django.urls import include, path, re_path
from drf_spectacular.views import SpectacularAPIView, SpectacularSwaggerSplitView

from accounts.api.unknown import UnknownView

app_name = "api"

urlpatterns = [
    path("v1/", include("accounts.api.urls")),
    path("v1/", include("followersync.api.urls")),
    path(
        "schema/",
        SpectacularAPIView.as_view(authentication_classes=[], permission_classes=[]),
        name="schema",
    ),
    path(
        "docs/",
        SpectacularSwaggerSplitView.as_view(
            authentication_classes=[], permission_classes=[], url_name="api:schema"
        ),
        name="docs",
    ),
    re_path(r"", UnknownView.as_view()),
]
