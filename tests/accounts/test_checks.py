"""Each wrong setting is found at the start, under an id that operators can look up."""

from __future__ import annotations

from typing import Any

import pytest
from django import conf
from django.core.checks import run_checks

LOCAL_CACHE = {"default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}}
BUNDLED = "allauth.socialaccount.providers.instagram"


def _ids(**kwargs: Any) -> set[str]:
    return {str(each.id) for each in run_checks(tags=["security"], **kwargs)}


def test_the_settings_as_they_are_raise_nothing_of_ours() -> None:
    assert {each for each in _ids() if each.startswith("accounts.")} == {"accounts.W002"}


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("SOCIALACCOUNT_STORE_TOKENS", True, "accounts.E001"),
        ("MFA_ADAPTER", "allauth.mfa.adapter.DefaultMFAAdapter", "accounts.E003"),
        ("TOKEN_KEYS", [], "accounts.E004"),
        ("CONSENT_LEDGER_KEY", "short", "accounts.E005"),
        ("IDP_OIDC_REFRESH_TOKEN_EXPIRES_IN", None, "accounts.E006"),
        ("CACHES", LOCAL_CACHE, "accounts.E007"),
        ("SESSION_COOKIE_SAMESITE", "Strict", "accounts.E008"),
        ("IDP_OIDC_PRIVATE_KEY", "-----BEGIN NOTHING-----", "accounts.E009"),
    ],
)
def test_a_dangerous_setting_is_an_error(
    settings: Any, name: str, value: object, expected: str
) -> None:
    setattr(settings, name, value)

    assert expected in _ids()


def test_the_retired_provider_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    # Past pytest-django, which would load the app.
    monkeypatch.setattr(conf.settings, "INSTALLED_APPS", [*conf.settings.INSTALLED_APPS, BUNDLED])

    assert "accounts.E002" in _ids()


def test_staff_without_a_second_factor_is_a_warning_in_production(settings: Any) -> None:
    settings.STAFF_MFA_REQUIRED = False
    assert "accounts.W001" in _ids(include_deployment_checks=True)

    settings.STAFF_MFA_REQUIRED = True
    assert "accounts.W001" not in _ids(include_deployment_checks=True)
