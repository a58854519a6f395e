"""A member hears of what was done to their account, at a verified address, in their language."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from allauth.account.models import EmailAddress
from django.core import mail
from django.core.mail import EmailMessage
from django.utils import translation
from pytest_django import Settings

from accounts import tasks
from accounts.models import LinkedAccount, User
from accounts.services import erasure, linking, notices, programs
from tests.accounts.test_linking import link

TELL = "accounts.tasks.notify_member"
WorkOff = Callable[[Callable[[], object], str], int]


def _only() -> EmailMessage:
    (message,) = mail.outbox
    return message


@pytest.mark.parametrize("notice", notices.NOTICES)
def test_every_notice_has_a_text_without_gaps(alice: User, notice: str) -> None:
    assert tasks.notify_member(alice.pk, notice)

    assert "\n" not in _only().subject
    assert len(_only().body) > 80


def test_an_unlinking_is_told(alice: User, account: LinkedAccount, work_off: WorkOff) -> None:
    def unlink() -> None:
        linking.unlink(account=account, erase="now", channel="api", actor=alice)

    assert work_off(unlink, TELL) == 1

    assert "unlinked" in _only().subject
    assert account.username not in _only().body


def test_a_new_token_is_told_and_not_shown(alice: User, work_off: WorkOff) -> None:
    values: list[str] = []

    work_off(
        lambda: values.append(programs.issue_token(user=alice, scopes=["accounts:read"])), TELL
    )

    assert "program" in _only().subject
    assert values[0] not in _only().body


def test_whoever_claimed_a_name_by_archive_hears_that_another_has_proven_it(
    alice: User, bob: User, work_off: WorkOff
) -> None:
    linking.link_by_archive(owner=bob, username="ada")

    work_off(lambda: link(alice), TELL)

    assert _only().to == ["bob@example.org"]
    assert bob.linked_accounts.get().state == "active"


def test_no_unverified_address_is_written_to(alice: User) -> None:
    EmailAddress.objects.update(verified=False)

    assert not tasks.notify_member(alice.pk, "unlinked")
    assert mail.outbox == []


def test_nothing_is_said_to_a_member_who_is_gone(db: None) -> None:
    assert not tasks.notify_member(2**62, "unlinked")


def test_it_is_written_in_the_members_language_and_leaves_ours_alone(alice: User) -> None:
    alice.language = "de"
    alice.save()

    tasks.notify_member(alice.pk, "unlinked")

    assert translation.get_language() == "en"


def test_deleting_everything_is_told_before_the_address_is_erased(
    alice: User, account: LinkedAccount, django_capture_on_commit_callbacks: Any
) -> None:
    with django_capture_on_commit_callbacks(execute=True):
        erasure.request_full_erasure(owner=alice, channel="web")

    assert _only().to == [alice.email]
    assert "deleted" in _only().subject
    assert account.username not in _only().body


def test_a_mail_that_fails_stops_no_erasure(
    alice: User, settings: Settings, django_capture_on_commit_callbacks: Any
) -> None:
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", 9

    with django_capture_on_commit_callbacks(execute=True):
        deletion = erasure.request_full_erasure(owner=alice, channel="web")

    assert deletion.state == "requested"
