"""URLs of the pages about linked accounts."""

from __future__ import annotations

from django.urls import path

from followersync import webhooks
from followersync.drive.views import connect as connect_drive
from followersync.views import (
    folder,
    imports,
    known_members,
    leaving,
    overview,
    people,
    settings,
    subscriptions,
    syncing,
)

urlpatterns = [
    path("instagram/webhook/", webhooks.webhook, name="instagram-webhook"),
    path("accounts/", overview.accounts, name="accounts"),
    path("accounts/<int:account_id>/", overview.account, name="account"),
    path("accounts/<int:account_id>/progress/", overview.progress, name="account-progress"),
    path("accounts/<int:account_id>/growth/", overview.figures, {"table": "growth"}, "growth"),
    path(
        "accounts/<int:account_id>/insights/", overview.figures, {"table": "insights"}, "insights"
    ),
    path("accounts/<int:account_id>/followers/", people.followers, name="account-followers"),
    path("accounts/<int:account_id>/members/", known_members.members, name="account-members"),
    path("accounts/<int:account_id>/changes/", people.changes, name="account-changes"),
    path("accounts/<int:account_id>/settings/", settings.account_settings, name="account-settings"),
    path("accounts/<int:account_id>/sync/", syncing.sync_now, name="account-sync"),
    path("accounts/<int:account_id>/interval/", syncing.set_interval, name="account-interval"),
    path("accounts/<int:account_id>/import/", imports.import_archive, name="account-import"),
    path(
        "accounts/<int:account_id>/import/<int:run_id>/answer/",
        imports.answer,
        name="account-import-answer",
    ),
    path("accounts/<int:account_id>/folder/", folder.watch, name="account-folder"),
    path("accounts/<int:account_id>/folder/drive/", connect_drive, name="account-folder-drive"),
    path("accounts/<int:account_id>/folder/stop/", folder.unwatch, name="account-folder-stop"),
    path("accounts/<int:account_id>/unlink/", leaving.unlink, name="account-unlink"),
    path("accounts/<int:account_id>/erase/", leaving.erase_now, name="account-erase"),
    path("accounts/<int:account_id>/delete/", leaving.delete, name="account-delete"),
    path("settings/webhooks/", subscriptions.webhooks, name="webhooks"),
    path("settings/webhooks/new/", subscriptions.subscribe, name="webhook-subscribe"),
    path(
        "settings/webhooks/<int:webhook_id>/remove/",
        subscriptions.unsubscribe,
        name="webhook-remove",
    ),
    path("settings/webhooks/<int:webhook_id>/enable/", subscriptions.enable, name="webhook-enable"),
    path("settings/delete/", leaving.delete_everything, name="delete-everything"),
]
