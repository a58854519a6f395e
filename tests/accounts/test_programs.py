"""Programs that act for a member: only as far, and as long, as the member said."""

from __future__ import annotations

from io import StringIO

import pytest
from allauth.idp.oidc.models import Client, Token
from django.core.management import CommandError, call_command

from accounts import selectors
from accounts.errors import InvalidInput, NotFound
from accounts.models import User
from accounts.services import programs


def _token(*arguments: str) -> str:
    out = StringIO()
    call_command("api_token", *arguments, stdout=out)
    return out.getvalue().strip()


def test_a_token_is_printed_once_and_only_its_hash_is_stored(alice: User) -> None:
    value = _token("alice", "--scope", "accounts:read", "--scope", "followers:read")

    stored = Token.objects.lookup(Token.Type.ACCESS_TOKEN, value)
    assert stored.user_id == alice.pk
    assert stored.get_scopes() == ["accounts:read", "followers:read"]
    assert stored.expires_at is not None
    assert value not in "".join(str(each) for each in Token.objects.values_list())


def test_a_member_can_be_named_by_number_too(alice: User) -> None:
    assert _token(str(alice.pk), "--scope", "accounts:read")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["nobody", "--scope", "accounts:read"], "no member"),
        (["99999999999999999999999", "--scope", "accounts:read"], "no member"),
        (["alice", "--scope", "everything"], "accounts:read, accounts:write"),
        (["alice", "--scope", "accounts:read", "--days", "0"], "1 to 366"),
        (["alice", "--scope", "accounts:read", "--days", "99999999999"], "1 to 366"),
    ],
)
def test_bad_input_gets_a_clear_error_and_no_token(
    alice: User, arguments: list[str], message: str
) -> None:
    with pytest.raises(CommandError, match=message):
        _token(*arguments)

    assert not Token.objects.exists()


def test_a_member_who_may_not_sign_in_gets_no_token(alice: User) -> None:
    alice.is_active = False

    with pytest.raises(InvalidInput):
        programs.issue_token(user=alice, scopes=["accounts:read"])


def test_a_member_sees_their_programs_and_can_shut_one_out(alice: User, bob: User) -> None:
    value = programs.issue_token(user=alice, scopes=["accounts:read"])
    programs.issue_token(user=bob, scopes=["followers:read"])

    (program,) = selectors.programs_of(alice)
    assert program.scopes == ("accounts:read",)
    assert value not in repr(program)
    programs.revoke_program(user=alice, client_id=program.client_id)

    assert selectors.programs_of(alice) == []
    assert Token.objects.lookup(Token.Type.ACCESS_TOKEN, value) is None
    assert len(selectors.programs_of(bob)) == 1
    with pytest.raises(NotFound):
        programs.revoke_program(user=alice, client_id=program.client_id)


def test_nobody_can_obtain_a_token_in_the_name_of_the_command_line(alice: User) -> None:
    programs.issue_token(user=alice, scopes=["accounts:read"])

    own = Client.objects.get(pk=programs.OWN_CLIENT)
    assert own.get_grant_types() == []
    assert own.get_redirect_uris() == []
