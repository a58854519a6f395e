"""Personal accounts are linked by a name alone, and every link can rest."""

from __future__ import annotations

import pytest

from accounts.errors import Conflict, InvalidInput, NotAllowed
from accounts.models import LinkedAccount, User
from accounts.services import linking
from tests.accounts.test_linking import BIG_ID, complete, link, pending


class TestByArchive:
    def test_a_personal_account_is_linked_unproven(self, alice: User) -> None:
        account = linking.link_by_archive(owner=alice, username=" @Ada.Private ")

        assert (account.username, account.kind) == ("ada.private", "archive")
        assert not account.is_proven
        assert account.instagram_id is None

    def test_two_members_may_claim_one_name_but_one_member_not_twice(
        self, alice: User, bob: User
    ) -> None:
        linking.link_by_archive(owner=alice, username="ada")
        linking.link_by_archive(owner=bob, username="ada")

        with pytest.raises(Conflict, match="already_linked"):
            linking.link_by_archive(owner=alice, username="ADA")

    @pytest.mark.parametrize("name", ["", "a b", "x" * 31, "../etc", "naïve", "a\nb"])
    def test_what_cannot_be_a_username_is_refused(self, alice: User, name: str) -> None:
        with pytest.raises(InvalidInput) as caught:
            linking.link_by_archive(owner=alice, username=name)

        assert caught.value.field == "username"
        assert not LinkedAccount.objects.exists()

    def test_proving_it_keeps_the_account_and_its_history(self, alice: User) -> None:
        account = linking.link_by_archive(owner=alice, username="ada")

        linked = complete(alice, pending())

        assert (linked.how, linked.account.pk) == ("proven", account.pk)
        assert linked.account.instagram_id == BIG_ID


class TestPausing:
    def test_pausing_what_is_paused_is_a_conflict(
        self, alice: User, account: LinkedAccount
    ) -> None:
        assert linking.pause(account=account, actor=alice).state == "paused"
        with pytest.raises(Conflict, match="already_paused"):
            linking.pause(account=account, actor=alice)

        assert linking.resume(account=account, actor=alice).state == "active"
        with pytest.raises(Conflict, match="not_paused"):
            linking.resume(account=account, actor=alice)

    def test_staff_can_pause_and_a_stranger_cannot(
        self, stella: User, charlie: User, account: LinkedAccount
    ) -> None:
        with pytest.raises(NotAllowed):
            linking.pause(account=account, actor=charlie)

        assert linking.pause(account=account, actor=stella).paused_at is not None

    def test_an_unlinked_account_cannot_be_paused(self, alice: User) -> None:
        account = link(alice)
        linking.unlink(account=account, erase="after_grace", channel="web", actor=alice)

        with pytest.raises(Conflict, match="unlinked"):
            linking.pause(account=account, actor=alice)
