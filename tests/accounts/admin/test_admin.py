"""Staff see records and figures, never a token or a follower; and who looked at what is kept."""

from __future__ import annotations

import html
import re

import pytest
from allauth.account.models import EmailAddress
from allauth.idp.oidc.models import Client, Token
from allauth.mfa.models import Authenticator
from allauth.socialaccount.models import SocialAccount
from allauth.usersessions.models import UserSession
from django.contrib import admin
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import Group, Permission
from django.urls import reverse
from django.utils import timezone

from accounts.models import AccessToken, ConsentEvent, StaffView, User
from accounts.scopes import Scope
from accounts.selectors import consents_in_force
from accounts.services import suppression
from accounts.services.export.datasets import datasets
from accounts.services.programs import issue_token
from followersync.models import SyncRun
from followersync.services.sync.runs import request_sync
from followersync.services.webhooks.outbound import subscribe
from tests.support.api import counting_queries
from tests.support.factories import MemberFactory, consent
from tests.support.sync import linked, without_runs, write

pytestmark = pytest.mark.django_db

ACCOUNTS = "admin:accounts_linkedaccount"


@pytest.fixture
def as_stella(client, stella):
    client.force_login(stella, backend="django.contrib.auth.backends.ModelBackend")
    return client


def act(client, action: str, *accounts):
    return client.post(
        reverse(f"{ACCOUNTS}_changelist"),
        {"action": action, "_selected_action": [account.pk for account in accounts]},
        follow=True,
    )


def every_page(client) -> list[str]:
    """Every list and, where there is a row, every record that the admin has."""
    pages = []
    for model in admin.site._registry:
        name = f"admin:{model._meta.app_label}_{model._meta.model_name}"
        pages.append(reverse(f"{name}_changelist"))
        row = model._default_manager.first()
        if row is not None:
            pages.append(reverse(f"{name}_change", args=[row.pk]))
    return pages


def test_every_page_opens_and_shows_neither_token_nor_follower(as_stella, alice, followed):
    write(followed, people=[(17841499999999999, "whodoesnotwanttobeseen")])
    request_sync(account=followed, trigger="schedule")
    value = issue_token(user=alice, scopes=["accounts:read"])
    subscription, signing = subscribe(owner=alice, url="https://example.com/hook")
    hidden = [
        AccessToken.objects.get().ciphertext, "whodoesnotwanttobeseen", "17841499999999999",
        value, Token.objects.get().hash, alice.password, signing, subscription.secret,
    ]  # fmt: skip

    for page in every_page(as_stella):
        response = as_stella.get(page)
        assert response.status_code == 200, page
        for secret in hidden:
            assert secret not in response.content.decode(), page


@pytest.fixture
def ways_in(alice):
    """One row of each way in that Alice has; none of them shows what only she may know."""
    day = timezone.now()
    return [
        SocialAccount.objects.create(user=alice, provider="instagram", uid="17841400000000077"),
        EmailAddress.objects.get(user=alice),
        Authenticator.objects.create(
            user=alice, type=Authenticator.Type.TOTP, data={"secret": "second-factor-secret"}
        ),
        UserSession.objects.create(
            user=alice, ip="127.0.0.1", session_key="session-key-of-alice", last_seen_at=day
        ),
    ]


def test_no_way_in_can_be_given_to_another_member(as_stella, ways_in, bob):
    for row in ways_in:
        name = f"admin:{row._meta.app_label}_{row._meta.model_name}"
        change = {"user": bob.pk, "uid": "1", "email": bob.email, "type": "totp", "ip": "1.1.1.1"}

        as_stella.post(reverse(f"{name}_change", args=[row.pk]), change)
        added = as_stella.get(reverse(f"{name}_add"))

        assert type(row)._default_manager.get(pk=row.pk).user_id == row.user_id, name
        assert added.status_code == 403, name


@pytest.fixture
def as_steven(client, db):
    """Staff of lower rank, with every right that can be given except a superuser's."""
    steven = MemberFactory(username="steven", is_staff=True)
    steven.user_permissions.set(Permission.objects.all())
    client.force_login(steven, backend="django.contrib.auth.backends.ModelBackend")
    return client


def test_staff_of_lower_rank_give_nobody_rights(as_steven, alice, stella):
    steven, group = User.objects.get(username="steven"), Group.objects.create(name="helpers")
    form = {"language": "en", "time_zone": "UTC", "is_active": "on"}
    rights = {"is_staff": "on", "is_superuser": "on", "groups": group.pk}

    for member in (steven, alice, stella):
        change = reverse("admin:accounts_user_change", args=[member.pk])
        as_steven.post(change, {**form, **rights, "username": member.username, "email": "x@y.org"})
    as_steven.post(change, {**form, "username": "stella"})
    as_steven.post(reverse("admin:auth_group_change", args=[group.pk]), {"name": "ours"})
    added = as_steven.post(reverse("admin:auth_group_add"), {"name": "ours"})

    assert list(User.objects.filter(is_superuser=True)) == [stella]
    assert set(User.objects.filter(is_staff=True)) == {steven, stella}
    assert not User.objects.filter(groups=group).exists()
    assert added.status_code == 403
    assert list(Group.objects.values_list("name", flat=True)) == ["helpers"]


def test_staff_of_lower_rank_still_change_members(as_steven, alice):
    form = {"username": "alice", "email": "", "language": "de", "time_zone": "UTC"}

    as_steven.post(reverse("admin:accounts_user_change", args=[alice.pk]), form)

    alice.refresh_from_db()
    assert (alice.language, alice.is_active) == ("de", False)


def test_staff_of_lower_rank_open_no_way_into_the_account_of_other_staff(as_steven, stella, alice):
    theirs, hers = (
        Authenticator.objects.create(user=user, type="totp", data={}) for user in (stella, alice)
    )
    for row in (theirs, hers):
        delete = reverse("admin:mfa_authenticator_delete", args=[row.pk])
        as_steven.post(delete, {"post": "yes"})
    as_steven.post(
        reverse("admin:mfa_authenticator_changelist"),
        {"action": "delete_selected", "_selected_action": [theirs.pk], "post": "yes"},
    )

    assert list(Authenticator.objects.all()) == [theirs]


def test_staff_of_lower_rank_send_no_programs_codes_elsewhere(as_steven):
    """A program's grants would lead to whoever is written into its registration."""
    program = Client.objects.create(id="program", name="A program", redirect_uris="https://a.org/")
    change = reverse("admin:allauth_idp_oidc_client_change", args=["program"])

    answer = as_steven.post(change, {"name": "A program", "redirect_uris": "https://steven.org/"})

    program.refresh_from_db()
    assert (answer.status_code, program.redirect_uris) == (403, "https://a.org/")


def test_neither_session_keys_nor_second_factors_nor_hashes_of_secrets_show(as_stella, ways_in):
    program = Client.objects.create(id="program", name="A program")
    program.set_secret("the-program-s-secret")
    program.save()
    assert program.secret
    hidden = [program.secret, "second-factor-secret", "session-key-of-alice"]

    for page in every_page(as_stella):
        shown = as_stella.get(page).content.decode()
        for secret in hidden:
            assert secret not in shown, page


def test_of_a_webhook_s_address_the_host_alone_shows(as_stella, alice):
    """Whoever knows the whole of one may often write to it."""
    subscribe(owner=alice, url="https://hooks.example/services/T0/a-secret-of-the-path?key=1")

    pages = [as_stella.get(page).content.decode() for page in every_page(as_stella)]

    assert any("hooks.example" in page for page in pages)
    assert not any("a-secret-of-the-path" in page for page in pages)


def test_a_new_program_s_secret_is_told_once_and_a_change_keeps_it(as_stella, stella):
    add = reverse("admin:allauth_idp_oidc_client_add")
    form = {
        "id": "program", "name": "A program", "type": "confidential", "scopes": "accounts:read",
        "default_scopes": "", "grant_types": "authorization_code", "redirect_uris": "",
        "cors_origins": "", "response_types": "code",
    }  # fmt: skip
    told = as_stella.post(add, form, follow=True).content.decode()
    (secret,) = re.findall(r'type="text" value="([^"]+)"', told)
    assert Client.objects.get().check_secret(html.unescape(secret))

    changed = reverse("admin:allauth_idp_oidc_client_change", args=["program"])
    as_stella.post(changed, {**form, "name": "Another name"}, follow=True)

    assert Client.objects.get().name == "Another name"
    assert Client.objects.get().check_secret(html.unescape(secret))


def test_lists_cost_the_same_queries_however_long(as_stella, alice, followed):
    request_sync(account=followed, trigger="schedule")
    names = (ACCOUNTS, "admin:followersync_syncrun", "admin:accounts_user")
    with counting_queries() as few:
        for name in names:
            as_stella.get(reverse(f"{name}_changelist"))
    for number in range(6):
        other = without_runs(linked(alice, username=f"other{number}"))
        request_sync(account=other, trigger="schedule")

    with counting_queries() as many:
        for name in names:
            as_stella.get(reverse(f"{name}_changelist"))

    assert len(many) <= len(few)


@pytest.mark.parametrize(
    "name",
    ["accounts_consentevent", "accounts_deletionrequest", "followersync_syncrun",
     "followersync_followersnapshot", "accounts_staffview", "accounts_linkedaccount"],
)  # fmt: skip
def test_records_cannot_be_added_changed_or_deleted(as_stella, followed, name):
    request_sync(account=followed, trigger="schedule")
    assert as_stella.get(reverse(f"admin:{name}_add")).status_code == 403
    model = next(
        m for m in admin.site._registry if f"{m._meta.app_label}_{m._meta.model_name}" == name
    )
    row = model._default_manager.first()
    if row is not None:
        assert as_stella.post(reverse(f"admin:{name}_change", args=[row.pk]), {}).status_code == 403
        assert as_stella.get(reverse(f"admin:{name}_delete", args=[row.pk])).status_code == 403


def test_sync_now_goes_through_the_same_service(as_stella, followed):
    act(as_stella, "sync_now", followed)

    assert SyncRun.objects.get().trigger == "staff"


def test_what_one_account_refuses_is_said_and_stops_no_other(as_stella, alice, followed):
    request_sync(account=followed, trigger="schedule")
    other = without_runs(linked(alice, username="other.ig"))

    page = act(as_stella, "sync_now", followed, other).content.decode()

    assert "@alice.ig: A sync of this account is under way already" in page
    assert SyncRun.objects.filter(account=other).count() == 1


def test_pausing_and_resuming(as_stella, account):
    act(as_stella, "pause", account)
    account.refresh_from_db()
    assert account.state == "paused"

    act(as_stella, "resume", account)
    account.refresh_from_db()
    assert account.state == "active"
    assert LogEntry.objects.filter(object_id=str(account.pk)).count() == 2


def test_staff_withdraw_consent_and_the_ledger_says_so(as_stella, account):
    consent(account, Scope.FOLLOWERS)

    act(as_stella, "withdraw_followers", account)

    assert consents_in_force(account) == frozenset()
    assert ConsentEvent.objects.order_by("-sequence")[0].channel == "admin"


def test_nothing_in_the_admin_grants_consent():
    for model_admin in admin.site._registry.values():
        for action in model_admin.actions or ():
            name = action if isinstance(action, str) else action.__name__
            assert "grant" not in name


def test_looking_at_a_record_is_noted_with_whose_it_is(as_stella, stella, alice, account):
    as_stella.get(reverse(f"{ACCOUNTS}_change", args=[account.pk]))

    look = StaffView.objects.get()
    assert (look.staff, look.what, look.object_id) == (
        stella, "accounts.linkedaccount", str(account.pk),
    )  # fmt: skip
    assert (look.account_id, look.owner_id) == (account.pk, alice.pk)


def test_the_member_finds_the_look_in_their_copy(as_stella, alice, account):
    as_stella.get(reverse(f"{ACCOUNTS}_change", args=[account.pk]))

    looks = next(d for d in datasets(alice) if d.name == "member/looks_by_staff")

    assert [row["what"] for row in looks.rows()] == ["accounts.linkedaccount"]


def test_a_search_is_noted_and_a_mere_list_is_not(as_stella, account):
    as_stella.get(reverse(f"{ACCOUNTS}_changelist"))
    assert not StaffView.objects.exists()

    as_stella.get(reverse(f"{ACCOUNTS}_changelist"), {"q": "alice"})

    assert StaffView.objects.get().object_id == "search"


@pytest.mark.usefixtures("bobs_account")
def test_accounts_are_found_by_state(as_stella, account):
    act(as_stella, "pause", account)

    page = as_stella.get(reverse(f"{ACCOUNTS}_changelist"), {"state": "paused"}).content.decode()

    assert "alice.ig" in page
    assert "bob.ig" not in page


def test_members_are_not_deleted_past_the_erasure(as_stella, alice):
    where = reverse("admin:accounts_user_delete", args=[alice.pk])

    assert as_stella.post(where, {"post": "yes"}).status_code == 403
    assert User.objects.filter(pk=alice.pk).exists()


def test_members_do_not_get_in(as_alice):
    response = as_alice.get(reverse(f"{ACCOUNTS}_changelist"))

    assert response.status_code == 302


def test_staff_without_rights_see_and_do_nothing(client, bob, account):
    bob.is_staff = True
    bob.save()
    client.force_login(bob, backend="django.contrib.auth.backends.ModelBackend")

    assert client.get(reverse(f"{ACCOUNTS}_changelist")).status_code == 403
    assert act(client, "pause", account).status_code == 403
    account.refresh_from_db()
    assert account.state == "active"


def test_what_is_held_is_shown_for_a_granted_request_for_access_alone(as_stella, stella, alice):
    account = linked(alice, username="alice.ig")
    write(account, people=[(4711, "wants.to.know")])
    request = suppression.request_privacy(
        kind="access", username="wants.to.know", contact="w@example.org"
    )
    page = reverse("admin:accounts_privacyrequest_change", args=[request.pk])
    assert "first_seen_at" not in _held(as_stella.get(page))

    suppression.decide(request=request, staff=stella, grant=True, reason="")
    shown = _held(as_stella.get(page))

    assert "first_seen_at" in shown
    assert account.username not in shown


def _held(answer) -> str:
    text = answer.content.decode()
    return text.partition("field-held")[2].partition("</fieldset>")[0]
