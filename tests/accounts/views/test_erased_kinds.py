"""Who watches an erasure reads what goes in words, in their language."""

from __future__ import annotations

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import translation

from accounts import clock, registry
from accounts.models import DeletionRequest
from accounts.scopes import Scope
from accounts.views.erased import KINDS, in_words


def test_every_kind_that_an_app_has_declared_has_words() -> None:
    declared = {*registry.erasers(), *(k for s in Scope for k in registry.scope_erasers(s))}

    assert sorted(declared - set(KINDS)) == []


def test_an_unknown_table_is_shown_by_its_name_not_left_out() -> None:
    assert in_words({"followers": 2, "strange_things": 5}) == [
        ("strange things", 5),
        ("followers", 2),
    ]


@pytest.mark.parametrize(
    ("language", "words"), [("en", "pages read of the list"), ("de", "gelesene Seiten der Liste")]
)
def test_the_status_page_speaks_the_readers_language(
    language: str, words: str, client: Client, db: None
) -> None:
    now = clock.now()
    deletion = DeletionRequest.objects.create(
        channel="web", state="running", requested_at=now, erased={"scan_pages": 1200}
    )

    with translation.override(language):
        answer = client.get(
            reverse("deletion", args=[deletion.code]), headers={"Accept-Language": language}
        )

    assert words in answer.content.decode()
