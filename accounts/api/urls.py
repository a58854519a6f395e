"""URL patterns of the API of accounts."""

from __future__ import annotations

from django.urls import path

from accounts.api.consents import ConsentHistoryView, ConsentsView, ConsentView
from accounts.api.deletions import DeletionsView, DeletionView
from accounts.api.exports import ExportDownloadView, ExportsView, ExportView
from accounts.api.me import MeView

urlpatterns = [
    path("me/", MeView.as_view(), name="me"),
    path("accounts/<int:account_id>/consents/", ConsentsView.as_view(), name="consents"),
    path(
        "accounts/<int:account_id>/consents/history/",
        ConsentHistoryView.as_view(),
        name="consent-history",
    ),
    path("accounts/<int:account_id>/consents/<slug:scope>/", ConsentView.as_view(), name="consent"),
    path("exports/", ExportsView.as_view(), name="exports"),
    path("exports/<int:export_id>/", ExportView.as_view(), name="export"),
    path("exports/<int:export_id>/download/", ExportDownloadView.as_view(), name="export-download"),
    path("deletions/", DeletionsView.as_view(), name="deletions"),
    path("deletions/<slug:code>/", DeletionView.as_view(), name="deletion"),
]
