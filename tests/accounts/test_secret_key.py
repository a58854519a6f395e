"""SECRET_KEY changes, and nobody is signed out, no receipt and no ledger becomes invalid."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from django_q.conf import Conf
from django_q.signing import BadSignature, SignedPackage

from accounts import sessions
from accounts.services import oauth

ROOT = Path(__file__).resolve().parents[2]
DERIVED = ("CONSENT_LEDGER_KEY", "SUPPRESSION_KEY", "RECEIPT_KEYS")
SHOW = (
    "import json; from django.conf import settings as s;"
    f"print(json.dumps([getattr(s, name) for name in {DERIVED}]))"
)


@pytest.fixture
def change(settings: Any, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Change the key, with the former one as a fallback or without."""

    def changing(*, remembered: bool) -> None:
        settings.SECRET_KEY_FALLBACKS = [settings.SECRET_KEY] if remembered else []
        settings.SECRET_KEY = "quite-another-secret-key-that-is-long-enough-to-sign-with"
        monkeypatch.setattr(Conf, "SECRET_KEY", settings.SECRET_KEY)

    return changing


def test_members_stay_signed_in(change: Any) -> None:
    cookie = sessions.signed("thesession")

    change(remembered=True)

    assert sessions.unsigned(cookie) == "thesession"
    change(remembered=False)
    assert sessions.unsigned(cookie) is None


def test_a_refresh_token_that_was_used_twice_still_ends_its_family(change: Any) -> None:
    token = oauth._refresh_token("thefamily")

    change(remembered=True)

    assert oauth._family_of_refresh_token(token) == "thefamily"


def test_what_waited_in_the_queue_is_still_done(change: Any) -> None:
    """Also while some hosts sign with the new key, and others have it as a fallback."""
    packed = SignedPackage.dumps({"func": "accounts.tasks.wake"})

    change(remembered=True)

    for stored in (packed, packed.encode()):  # as PostgreSQL gives it, and as Redis does
        assert SignedPackage.loads(stored)["func"] == "accounts.tasks.wake"
    change(remembered=False)
    with pytest.raises(BadSignature):
        SignedPackage.loads(packed)


def run(command: list[str], **variables: str) -> str:
    environment = {name: value for name, value in os.environ.items() if name not in DERIVED}
    ended = subprocess.run(
        [sys.executable, *command],
        env={**environment, **variables},
        cwd=ROOT,
        check=True,
        capture_output=True,
        text=True,
    )
    return ended.stdout


@pytest.mark.slow
def test_the_keys_that_were_drawn_from_it_can_be_pinned_before_it_changes() -> None:
    """Else the ledger's chains would no longer verify, and suppressed people be stored again."""
    before = run(["manage.py", "shell", "--no-imports", "-c", SHOW])
    printed = run(["manage.py", "derived_keys"])
    pinned = dict(line.split("=", 1) for line in printed.splitlines() if line[0] != "#")

    after = run(
        ["manage.py", "shell", "--no-imports", "-c", SHOW],
        SECRET_KEY="quite-another-secret-key-that-is-long-enough",
        **pinned,
    )

    assert set(pinned) == set(DERIVED)
    assert after == before


@pytest.mark.slow
def test_what_is_pinned_already_is_not_printed_again() -> None:
    printed = run(["manage.py", "derived_keys"], SUPPRESSION_KEY="s" * 40)

    assert "s" * 40 not in printed
    assert "# SUPPRESSION_KEY is set already." in printed
