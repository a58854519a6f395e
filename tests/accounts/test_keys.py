"""Keys change while the site runs, and no secret is ever readable without them."""

from __future__ import annotations

from io import StringIO
from typing import Any

import pytest
from allauth.mfa.models import Authenticator
from cryptography.fernet import Fernet
from django.core.management import CommandError, call_command

from accounts import crypto
from accounts.adapters import MFAAdapter
from accounts.errors import Bug
from accounts.models import AccessToken, LinkedAccount, SiteProcess, User
from accounts.services import keys, processes, tokens
from tests.support.clock import Clock
from tests.support.factories import AccessTokenFactory, LinkedAccountFactory


@pytest.fixture
def new_key(settings: Any) -> str:
    key = Fernet.generate_key().decode()
    settings.TOKEN_KEYS = [key, *settings.TOKEN_KEYS]
    return key


def test_a_secret_under_an_older_key_stays_readable(settings: Any) -> None:
    old = crypto.encrypt("secret")
    settings.TOKEN_KEYS = [Fernet.generate_key().decode(), *settings.TOKEN_KEYS]

    assert crypto.decrypt(old) == "secret"
    assert crypto.rotated(crypto.encrypt("new")) is None


def test_a_wrong_key_never_yields_a_wrong_text(settings: Any) -> None:
    old = crypto.encrypt("secret")
    settings.TOKEN_KEYS = [Fernet.generate_key().decode()]

    for read in (crypto.decrypt, crypto.rotated):
        with pytest.raises(Bug, match="TOKEN_KEYS"):
            read(old)


def test_rotation_lets_the_old_key_go(alice: User, settings: Any) -> None:
    accounts = [LinkedAccountFactory(owner=alice) for _ in range(3)]
    for number, account in enumerate(accounts):
        AccessTokenFactory(account=account, ciphertext=crypto.encrypt(f"IGAA{number}"))
    second_factor = Authenticator.objects.create(
        user=alice,
        type=Authenticator.Type.TOTP,
        data={"secret": MFAAdapter().encrypt("JBSWY3DPEHPK3PXP")},
    )
    new = Fernet.generate_key().decode()
    settings.TOKEN_KEYS = [new, *settings.TOKEN_KEYS]

    out = StringIO()
    call_command("rotate_keys", stdout=out, stderr=StringIO())

    assert "4 of 4" in out.getvalue()
    settings.TOKEN_KEYS = [new]
    assert [tokens.usable_token(each.pk) for each in accounts] == ["IGAA0", "IGAA1", "IGAA2"]
    second_factor.refresh_from_db()
    assert MFAAdapter().decrypt(second_factor.data["secret"]) == "JBSWY3DPEHPK3PXP"


@pytest.mark.django_db
def test_a_rotation_stopped_half_way_goes_on_where_it_was(new_key: str, settings: Any) -> None:
    old_key = settings.TOKEN_KEYS[1]
    first, second = AccessTokenFactory(), AccessTokenFactory()
    settings.TOKEN_KEYS = [old_key]
    AccessToken.objects.filter(pk=second.pk).update(ciphertext=crypto.encrypt("IGAAold"))
    settings.TOKEN_KEYS = [new_key, old_key]

    assert keys.rotate() == keys.Rotation(seen=2, moved=1)
    assert keys.rotate() == keys.Rotation(seen=2, moved=0)
    first.refresh_from_db()
    assert first.version == 1


@pytest.mark.django_db
def test_without_the_old_key_rotation_says_so_and_changes_nothing(settings: Any) -> None:
    before = AccessTokenFactory().ciphertext
    settings.TOKEN_KEYS = [Fernet.generate_key().decode()]

    with pytest.raises(CommandError, match="TOKEN_KEYS"):
        call_command("rotate_keys", stderr=StringIO())

    assert AccessToken.objects.get().ciphertext == before


def test_no_second_factor_is_stored_in_clear() -> None:
    assert "JBSW" not in MFAAdapter().encrypt("JBSWY3DPEHPK3PXP")


def test_ledger_macs_of_different_kinds_never_agree(settings: Any, account: LinkedAccount) -> None:
    assert crypto.ledger_mac("head", 1) != crypto.ledger_mac("register", 1)
    assert crypto.ledger_mac("entry", "a", "b") != crypto.ledger_mac("entry", "ab")


def live(token_keys: list[str], process: str = "0badf00d") -> None:
    """Another process says that it runs, with these keys."""
    processes.report(process, SiteProcess.Kind.WEB)
    SiteProcess.objects.filter(pk=process).update(
        host="web2", token_keys=[*map(crypto.fingerprint, token_keys)]
    )


@pytest.mark.django_db
@pytest.mark.parametrize("order", ["unknown", "second"])
def test_rotation_waits_until_every_host_writes_under_the_new_key(
    new_key: str, settings: Any, order: str
) -> None:
    """A host without it can read no token any more; one that has it second still writes old rows,
    which nobody could read once the old key is gone."""
    old_key = settings.TOKEN_KEYS[1]
    settings.TOKEN_KEYS = [old_key]
    before = AccessTokenFactory().ciphertext
    settings.TOKEN_KEYS = [new_key, old_key]
    live([old_key] if order == "unknown" else [old_key, new_key])

    with pytest.raises(CommandError, match="web2"):
        call_command("rotate_keys", stderr=StringIO())

    assert AccessToken.objects.get().ciphertext == before


@pytest.mark.django_db
def test_rotation_does_not_wait_for_whoever_was_killed(
    new_key: str, settings: Any, clock: Clock
) -> None:
    live(settings.TOKEN_KEYS[1:])

    clock.advance(minutes=2)

    assert keys.rotate().seen == 0


@pytest.mark.django_db
def test_whoever_knows_the_new_key_first_is_no_reason_to_wait(new_key: str, settings: Any) -> None:
    live(settings.TOKEN_KEYS)

    assert keys.rotate().seen == 0


@pytest.mark.django_db
def test_an_operator_can_ask_whether_every_host_knows_the_key_before_it_is_put_first(
    new_key: str, settings: Any
) -> None:
    old_key = settings.TOKEN_KEYS[1]
    settings.TOKEN_KEYS = [old_key, new_key]
    live([old_key])
    with pytest.raises(CommandError, match="web2"):
        call_command("rotate_keys", "--check", stdout=StringIO())

    live([old_key, new_key])

    out = StringIO()
    call_command("rotate_keys", "--check", stdout=out)
    assert "knows every key" in out.getvalue()


def test_a_fingerprint_tells_keys_apart_and_holds_none(new_key: str, settings: Any) -> None:
    marks = [crypto.fingerprint(key) for key in settings.TOKEN_KEYS]

    assert len({*marks}) == 2
    assert all(len(mark) == 16 and mark not in settings.TOKEN_KEYS for mark in marks)
