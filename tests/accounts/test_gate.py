"""Nothing is asked of Instagram that the member does not allow at that very moment."""

from __future__ import annotations

import pytest

from accounts.errors import (
    Conflict,
    ConsentMissing,
    NeedsReconnect,
    NotFound,
    PermissionMissing,
    ThreadsiteError,
)
from accounts.models import LinkedAccount, User
from accounts.scopes import BASIC_PERMISSION, Scope
from accounts.services import consent, gate, linking
from tests.support.factories import LinkedAccountFactory
from tests.support.factories import consent as allow


@pytest.fixture
def allowed(account: LinkedAccount) -> LinkedAccount:
    allow(account, Scope.FOLLOWERS)
    return account


def _refusal(account: LinkedAccount, scope: Scope = Scope.FOLLOWERS) -> ThreadsiteError:
    with pytest.raises(ThreadsiteError) as caught:
        gate.check(account.pk, scope)
    return caught.value


def test_what_is_allowed_passes_with_a_single_query(
    allowed: LinkedAccount, django_assert_num_queries
) -> None:
    with django_assert_num_queries(1):
        assert gate.check(allowed.pk, Scope.FOLLOWERS) == allowed


def test_what_was_never_asked_does_not_pass(allowed: LinkedAccount) -> None:
    assert isinstance(_refusal(allowed, Scope.INSIGHTS), ConsentMissing)


def test_a_withdrawal_holds_from_the_next_request_on(alice: User, allowed: LinkedAccount) -> None:
    consent.withdraw(account=allowed, scope=Scope.FOLLOWERS, channel="web", actor=alice)

    assert isinstance(_refusal(allowed), ConsentMissing)


def test_a_pause_and_an_unlinking_stop_everything(alice: User, allowed: LinkedAccount) -> None:
    linking.pause(account=allowed, actor=alice)
    assert (type(_refusal(allowed)), _refusal(allowed).code) == (Conflict, "paused")

    linking.unlink(account=allowed, erase="after_grace", channel="web", actor=alice)
    assert (type(_refusal(allowed)), _refusal(allowed).code) == (Conflict, "unlinked")


def test_a_dead_link_waits_for_its_member(allowed: LinkedAccount) -> None:
    linking.mark_needs_reconnect(account=allowed, reason="password_changed")

    refusal = _refusal(allowed)
    assert isinstance(refusal, NeedsReconnect)
    assert refusal.reason == "password_changed"


def test_a_permission_taken_back_at_instagram_is_not_used(alice: User) -> None:
    account = LinkedAccountFactory(owner=alice)
    allow(account, Scope.INSIGHTS)
    LinkedAccount.objects.filter(pk=account.pk).update(granted_permissions=[BASIC_PERMISSION])

    assert isinstance(_refusal(account, Scope.INSIGHTS), PermissionMissing)


def test_an_erased_account_is_not_there(allowed: LinkedAccount) -> None:
    gone = LinkedAccount(pk=allowed.pk + 1000)

    assert isinstance(_refusal(gone), NotFound)
