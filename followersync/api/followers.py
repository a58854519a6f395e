"""`/accounts/{id}/followers/`: the list, now or at a past time."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.utils.translation import gettext_lazy as _
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from accounts import clock
from accounts.api.base import ApiView
from accounts.api.pagination import DEFAULT_LIMIT, link
from accounts.api.schema import operation, page_of
from accounts.api.serializers import NoInput, PageQuery, UtcField, utc
from followersync import selectors
from followersync.selectors import FollowerRow
from followersync.selectors.mutual_followers import members_page


class FollowerOutput(serializers.Serializer[Any]):
    """One follower, as `shown` renders it by hand: a page of 1000 goes through there."""

    id = serializers.CharField(help_text="Instagram's digits, or `u_…` while they are unknown.")
    instagram_id = serializers.CharField(allow_null=True)
    username = serializers.CharField(help_text="With `at`: the name of then.")
    since = UtcField(allow_null=True, help_text="Following since; null where unknown.")
    source = serializers.ChoiceField(["edge", "archive"])  # type: ignore[assignment]
    unconfirmed_since = UtcField(
        allow_null=True, help_text="Not in Instagram's list since then, and not proven lost."
    )
    beyond = serializers.BooleanField(
        help_text="Unconfirmed, and may stand below the last person whom Instagram shows."
    )


def shown(row: FollowerRow) -> dict[str, Any]:
    return {
        "id": row.public_id,
        "instagram_id": row.instagram_id,
        "username": row.username,
        "since": utc(row.since),
        "source": row.source,
        "unconfirmed_since": utc(row.unconfirmed_since),
        "beyond": row.beyond,
    }


class FollowersView(ApiView):
    """Newest first. `position` is where the change feed stood when the first page was made."""

    scopes = {"GET": "followers:read"}

    class QuerySerializer(PageQuery):
        q = serializers.CharField(
            required=False, max_length=64, help_text="Beginning of a username."
        )
        at = UtcField(required=False, help_text="The list as it was at this moment.")
        members = serializers.BooleanField(
            required=False,
            help_text="Only followers who are members too, where both agreed to be discoverable.",
        )

        def validate_at(self, value: datetime) -> datetime:
            if value > clock.now():
                raise serializers.ValidationError(_("This moment is yet to come."), "in_the_future")
            return value

    @operation(
        "followers_list",
        "Followers, now or at a moment of the past",
        {
            200: page_of(
                FollowerOutput,
                "Followers",
                position=serializers.IntegerField(),
                epoch=serializers.UUIDField(),
                complete=serializers.BooleanField(
                    help_text="False for a moment before the first look too: of today's followers "
                    "those are listed who followed then already; who left is unknown."
                ),
            )
        },
        query=QuerySerializer,
    )
    def get(self, request: Request, account_id: int) -> Response:
        query = {"limit": DEFAULT_LIMIT, **self.query(self.QuerySerializer)}
        account = self.account(account_id)
        list_page = members_page if query.pop("members", False) else selectors.followers_page
        page = list_page(account, **query)
        return Response({
            "next": link(request, page.next), "previous": link(request, page.previous),
            "position": page.position, "epoch": page.epoch, "complete": page.complete,
            "results": [shown(row) for row in page.rows],
        })  # fmt: skip


class FollowerView(ApiView):
    """All that is known of one person in one account."""

    scopes = {"GET": "followers:read"}

    class HistorySerializer(serializers.Serializer[Any]):
        class IntervalSerializer(serializers.Serializer[Any]):
            valid_from = UtcField(allow_null=True, help_text="Null: since before the first list.")
            valid_to = UtcField(allow_null=True, help_text="Null: still.")
            since = UtcField(allow_null=True)
            username = serializers.CharField()

        id = serializers.CharField()
        username = serializers.CharField()
        current = FollowerOutput(allow_null=True)
        intervals = IntervalSerializer(many=True)

    @operation("followers_retrieve", "One person's history", {200: HistorySerializer})
    def get(self, request: Request, account_id: int, follower_id: str) -> Response:
        self.query(NoInput)
        history = selectors.follower_history(self.account(account_id), follower_id)
        return Response({
            "id": history.public_id,
            "username": history.username,
            "current": shown(history.current) if history.current else None,
            "intervals": [
                {
                    "valid_from": utc(each.valid_from), "valid_to": utc(each.valid_to),
                    "since": utc(each.since), "username": each.username,
                }
                for each in history.intervals
            ],
        })  # fmt: skip
