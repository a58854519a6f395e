"""URL patterns of member pages and public pages."""

from __future__ import annotations

from django.urls import path

from accounts.views import consent, deletion, export, home, language, link, privacy, settings, state

urlpatterns = [
    path("", home.home, name="home"),
    path("favicon.ico", home.icon),
    path("link/", link.link, name="link"),
    path("link/archive/", link.link_archive, name="link-archive"),
    path("accounts/<int:account_id>/pause/", state.pause, name="account-pause"),
    path("accounts/<int:account_id>/resume/", state.resume, name="account-resume"),
    path("accounts/<int:account_id>/consents/<slug:scope>/", consent.grant, name="consent-grant"),
    path(
        "accounts/<int:account_id>/consents/<slug:scope>/withdraw/",
        consent.withdraw,
        name="consent-withdraw",
    ),
    path("settings/", settings.settings, name="settings"),
    path("settings/place/", settings.save_locale, name="settings-place"),
    path("settings/zone/", settings.use_browser_zone, name="adopt-zone"),
    path("settings/reminder/", settings.hide_reminder, name="hide-reminder"),
    path(
        "settings/programs/<str:client_id>/revoke/", settings.revoke_program, name="program-revoke"
    ),
    path("settings/exports/", export.request_export, name="export-request"),
    path("settings/exports/<int:export_id>/", export.download_export, name="export-download"),
    path("deletion/<slug:code>/", deletion.deletion, name="deletion"),
    path("deletion/<slug:code>/receipt.json", deletion.receipt, name="deletion-receipt"),
    path("privacy/", privacy.privacy, name="privacy"),
    path("privacy/keep-out/<int:account_id>/", privacy.keep_out, name="privacy-keep-out"),
    path("privacy/held/<int:account_id>/", privacy.held, name="privacy-held"),
    path("imprint/", home.imprint, name="imprint"),
    path("language/", language.set_language, name="set-language"),
]
