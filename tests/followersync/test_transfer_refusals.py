"""What a data-transfer tool is told when its item is not taken, in words it understands."""

from __future__ import annotations

from datetime import timedelta

import pytest
from allauth.idp.oidc.models import Token
from django.utils import timezone

from accounts import files
from accounts.scopes import Scope
from accounts.services import consent as consents
from accounts.services import linking, quotas
from accounts.services.programs import issue_token
from followersync.models import SyncRun, TransferredItem
from followersync.services.imports import transfers
from tests.support.exports import Export
from tests.support.factories import LinkedAccountFactory, consent
from tests.support.transfer import LISTS, described, parts, post, push, refusal, related

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("destination")]


def test_while_the_switch_is_off_there_is_nothing_here(client, personal, token, settings):
    settings.TRANSFER_DESTINATION = False

    assert push(client, token, LISTS, "followers_1.json", b"[]").status_code == 404


def test_without_a_token_that_holds_the_tool_is_told_to_refresh_it(client, personal, token):
    refusal(push(client, None, LISTS, "followers_1.json", b"[]"), 401, "invalid_token")
    refusal(push(client, "made-up", LISTS, "followers_1.json", b"[]"), 401, "invalid_token")
    Token.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
    late = push(client, token, LISTS, "followers_1.json", b"[]")
    refusal(late, 401, "invalid_token")
    assert 'error="invalid_token"' in late["WWW-Authenticate"]


def test_a_token_for_something_else_imports_nothing(client, personal, alice):
    other = issue_token(user=alice, scopes=["followers:read"])

    refusal(push(client, other, LISTS, "followers_1.json", b"[]"), 403, "insufficient_scope")


@pytest.mark.parametrize("how", ["unlinked", "withdrawn"])
def test_whoever_has_left_is_sent_nothing_more(client, personal, token, alice, how):
    if how == "unlinked":
        linking.unlink(account=personal, erase="after_grace", channel="web", actor=alice)
    else:
        consents.withdraw(account=personal, scope=Scope.FOLLOWERS, channel="web", actor=alice)

    response = push(client, token, LISTS, "followers_1.json", parts()["followers_1.json"])

    refusal(response, 401, "session_invalidated")
    assert not TransferredItem.objects.exists()


def test_a_paused_account_takes_nothing_but_is_not_given_up(client, personal, token, alice):
    linking.pause(account=personal, actor=alice)

    refusal(push(client, token, LISTS, "followers_1.json", b"[]"), 409, "paused")


def test_no_more_waits_here_than_there_is_room_for(client, personal, token, monkeypatch):
    monkeypatch.setattr(transfers, "MOST_WAITING", 100)

    response = push(client, token, LISTS, "followers_1.json", parts()["followers_1.json"])

    refusal(response, 413, "destination_full")
    assert not files.names(files.Area.TRANSFERS)


def test_who_sends_too_fast_is_told_when_to_go_on(client, personal, token, monkeypatch):
    monkeypatch.setitem(quotas.QUOTAS, "transfer", quotas.Quota(1, timedelta(minutes=1)))
    push(client, token, LISTS, "followers_1.json", b"[1]")

    response = push(client, token, LISTS, "followers_2.json", b"[2]")

    refusal(response, 429, "quota_used_up")
    assert 0 < int(response["Retry-After"]) <= 61


def test_another_accounts_export_is_refused_and_nothing_guessed(client, personal, token, alice):
    foreign = LISTS.replace("alice.own", "mallory")
    refusal(push(client, token, foreign, "followers_1.json", b"[]"), 422, "archive_foreign_owner")

    second = LinkedAccountFactory(owner=alice, kind="archive", username="alice.two")
    consent(second, Scope.FOLLOWERS)
    unnamed = "/connections/followers_and_following"
    refusal(push(client, token, unnamed, "followers_1.json", b"[]"), 422, "archive_foreign_owner")
    assert not TransferredItem.objects.exists()


@pytest.mark.parametrize(
    ("inside", "called"), [("alice.two", "alice.two"), ("alice.own", "alice.own"), (None, None)]
)
def test_the_queue_finds_out_to_which_of_several_accounts_a_renamed_zip_belongs(
    client, personal, token, alice, inside, called
):
    second = LinkedAccountFactory(owner=alice, kind="archive", username="alice.two")
    consent(second, Scope.FOLLOWERS)
    profile = b'{"profile_user":[{"string_map_data":{"Username":{"value":"%s"}}}]}'
    path = "personal_information/personal_information/personal_information.json"
    extra = {path: profile % inside.encode()} if inside else {}
    pushed = push(
        client, token, "/x", "backup.zip", Export({"anna": 1_700_000_000}, extra=extra).zip()
    )

    transfers.take(personal.pk)

    assert pushed.status_code == 201
    item = TransferredItem.objects.get()
    if called is None:
        assert (item.error_code, item.run_id) == ("archive_foreign_owner", None)
    else:
        run = SyncRun.objects.get()
        assert run.pk == item.run_id
        assert run.account.username == item.account.username == called


@pytest.mark.parametrize(
    ("body", "kind", "status", "error"),
    [
        (b"not json", "application/json", 400, "invalid_request"),
        (b'{"@type": "Other", "payload": {"@type": "Folder"}}', "application/json", 400, None),
        (b'{"@type": "GenericPayload", "payload": {"@type": "X"}}', "application/json", 400, None),
        (b"[]", "application/json", 400, "invalid_request"),
        (b"[" * 30_000 + b"]" * 30_000, "application/json", 400, "invalid_request"),
        (b'{"payload":' * 5_000 + b"{}" + b"}" * 5_000, "application/json", 400, None),
        (b'{"@type": "GenericPayload\xff"}', "application/json", 400, None),
        (b'{"@type": "\\ud800"}', "application/json", 400, None),
        (
            related({}, b"x").replace(b"{}", b"[" * 30_000 + b"]" * 30_000, 1),
            "multipart/related", 400, None,
        ),
        (b"no parts at all", "multipart/related", 400, "invalid_request"),
        (related(described("/x", ""), b"x"), "multipart/related", 400, "invalid_request"),
        (related(described("/x", "a.zip"), b"x" * 999)[:-300], "multipart/related", 400, None),
        (b"x", "text/plain", 415, "unsupported_media_type"),
    ],
)  # fmt: skip
def test_what_is_not_of_the_published_shape_is_said_to_be_so(
    client, personal, token, body, kind, status, error
):
    refusal(post(client, body, token, kind), status, error or "invalid_request")
    assert not TransferredItem.objects.exists()


def test_only_posting_is_possible(client, personal, token):
    refusal(client.get("/transfer/blobs"), 405, "method_not_allowed")
