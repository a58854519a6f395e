"""URL patterns of the site, except `/healthz` and `/readyz`."""

from __future__ import annotations

from django.contrib import admin
from django.urls import include, path

from threadsite import body_limits, metrics
from threadsite.overview import overview_view

urlpatterns = [
    path("metrics", metrics.metrics_view),
    path("may-upload", body_limits.may_upload),
    path("admin/overview/", admin.site.admin_view(overview_view), name="admin-overview"),
    path("admin/", admin.site.urls),
    path("auth/", include("allauth.urls")),
    # Ours come before allauth's, at the same addresses and so under the same names.
    path("identity/o/", include("accounts.oauth_urls")),
    path("", include("allauth.idp.urls")),
    path("api/", include("threadsite.api_urls")),
    path("", include("accounts.callbacks")),
    path("", include("followersync.transfer")),
    path("", include("accounts.urls")),
    path("", include("followersync.urls")),
]

handler400 = "threadsite.error_pages.bad_request"
handler403 = "threadsite.error_pages.permission_denied"
handler404 = "threadsite.error_pages.page_not_found"
handler500 = "threadsite.error_pages.server_error"
