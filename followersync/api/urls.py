"""URLs of the API of followersync."""

from __future__ import annotations

from django.urls import path

from followersync.api.accounts import AccountsView, AccountView
from followersync.api.changes import ChangesView
from followersync.api.figures import DigestView, GrowthView, SnapshotsView
from followersync.api.followers import FollowersView, FollowerView
from followersync.api.imports import ImportAnswerView, ImportsView
from followersync.api.runs import RunsView, RunView, SyncView
from followersync.api.webhooks import WebhooksView, WebhookView

_ACCOUNT = "accounts/<int:account_id>/"

urlpatterns = [
    path("accounts/", AccountsView.as_view(), name="accounts"),
    path(_ACCOUNT, AccountView.as_view(), name="account"),
    path(f"{_ACCOUNT}sync/", SyncView.as_view(), name="sync"),
    path(f"{_ACCOUNT}runs/", RunsView.as_view(), name="runs"),
    path(f"{_ACCOUNT}runs/<int:run_id>/", RunView.as_view(), name="run"),
    path(f"{_ACCOUNT}followers/", FollowersView.as_view(), name="followers"),
    path(f"{_ACCOUNT}followers/<str:follower_id>/", FollowerView.as_view(), name="follower"),
    path(f"{_ACCOUNT}changes/", ChangesView.as_view(), name="changes"),
    path(f"{_ACCOUNT}imports/", ImportsView.as_view(), name="imports"),
    path(
        f"{_ACCOUNT}imports/<int:run_id>/answer/",
        ImportAnswerView.as_view(),
        name="import-answer",
    ),
    path(f"{_ACCOUNT}snapshots/", SnapshotsView.as_view(), name="snapshots"),
    path(f"{_ACCOUNT}growth/", GrowthView.as_view(), name="growth"),
    path("webhooks/", WebhooksView.as_view(), name="webhooks"),
    path("webhooks/<int:webhook_id>/", WebhookView.as_view(), name="webhook"),
    path(f"{_ACCOUNT}digest/", DigestView.as_view(), name="digest"),
]
