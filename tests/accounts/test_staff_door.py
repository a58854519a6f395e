"""The admin shows every member's data: it opens to staff with a second factor, by one door."""

from __future__ import annotations

from typing import Any

import pytest
from allauth.mfa.models import Authenticator
from django.test import Client

from accounts.adapters import MFAAdapter
from accounts.models import User


@pytest.fixture(autouse=True)
def _required(settings: Any) -> None:
    settings.STAFF_MFA_REQUIRED = True


def _as(client: Client, user: User) -> Client:
    client.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
    return client


def test_staff_without_a_second_factor_are_sent_to_set_one_up(client: Client, stella: User) -> None:
    answer = _as(client, stella).get("/admin/")

    assert (answer.status_code, answer["Location"]) == (302, "/auth/2fa/")


def test_staff_with_a_second_factor_come_in(client: Client, stella: User) -> None:
    Authenticator.objects.create(
        user=stella, type=Authenticator.Type.TOTP, data={"secret": MFAAdapter().encrypt("JBSW")}
    )

    assert _as(client, stella).get("/admin/").status_code == 200


def test_recovery_codes_alone_are_no_second_factor(client: Client, stella: User) -> None:
    Authenticator.objects.create(
        user=stella, type=Authenticator.Type.RECOVERY_CODES, data={"seed": "x", "used_mask": 0}
    )

    assert _as(client, stella).get("/admin/").status_code == 302


def test_the_admins_own_sign_in_page_is_no_way_around(client: Client, stella: User) -> None:
    answer = client.post(
        "/admin/login/", {"username": "stella", "password": "correct horse battery"}
    )

    assert answer.status_code == 302
    assert answer["Location"].startswith("/auth/login/?next=/admin/")
    assert "_auth_user_id" not in client.session


def test_a_member_who_is_no_staff_stays_outside(client: Client, alice: User) -> None:
    assert _as(client, alice).get("/admin/").status_code == 302


def test_the_operator_can_do_without_it(client: Client, stella: User, settings: Any) -> None:
    settings.STAFF_MFA_REQUIRED = False

    assert _as(client, stella).get("/admin/").status_code == 200
