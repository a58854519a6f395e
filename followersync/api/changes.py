"""`/accounts/{id}/changes/`: the change feed, gapless and in order."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.api.base import ApiView
from accounts.api.pagination import link
from accounts.api.schema import operation, page_of
from accounts.api.serializers import StrictSerializer, UtcField, utc
from followersync import selectors
from followersync.models import ChangeKind
from followersync.selectors import ChangeRow
from followersync.selectors.mutual_followers import feed_start

DEFAULT_LIMIT = 100
_LARGEST = 2**63 - 1


class ChangeOutput(serializers.Serializer[Any]):
    """One entry. Of people who had themselves removed, the name is empty."""

    class PersonSerializer(serializers.Serializer[Any]):
        id = serializers.CharField()
        username = serializers.CharField(allow_blank=True)

    position = serializers.IntegerField()
    kind = serializers.ChoiceField(ChangeKind.values)
    at = UtcField()
    follower = PersonSerializer()
    previous_username = serializers.CharField(allow_null=True, help_text="With `renamed`.")
    previous_id = serializers.CharField(allow_null=True, help_text="With `identified`.")

    def to_representation(self, instance: ChangeRow) -> dict[str, Any]:
        return {
            "position": instance.position,
            "kind": instance.kind,
            "at": utc(instance.at),
            "follower": {"id": instance.public_id, "username": instance.username},
            "previous_username": instance.previous_username or None,
            "previous_id": instance.previous_public_id,
        }


class ChangesView(ApiView):
    """Oldest first. Go on with `next`, or, when it is null, later with `after=position`."""

    scopes = {"GET": "followers:read"}
    problems = (410,)

    class QuerySerializer(StrictSerializer):
        after = serializers.IntegerField(
            required=False, min_value=0, max_value=_LARGEST,
            help_text="Only entries behind this position. Absent: from the oldest kept.",
        )  # fmt: skip
        kind = serializers.ChoiceField(ChangeKind.values, required=False)
        epoch = serializers.CharField(
            required=False, max_length=64,
            help_text="The epoch that `after` belongs to; 410 when the feed began anew since.",
        )  # fmt: skip
        limit = serializers.IntegerField(required=False, min_value=1, max_value=1000)

    @operation(
        "changes_list",
        "The change feed; 410 when the position is of another epoch or no longer kept",
        {
            200: page_of(
                ChangeOutput,
                "Changes",
                position=serializers.IntegerField(),
                head=serializers.IntegerField(),
                epoch=serializers.UUIDField(),
            )
        },
        query=QuerySerializer,
    )
    def get(self, request: Request, account_id: int) -> Response:
        query = {"limit": DEFAULT_LIMIT, **self.query(self.QuerySerializer)}
        account = self.account(account_id)
        query.setdefault("after", feed_start(account))
        page = selectors.changes_page(account, **query)
        after = str(page.next_after) if page.next_after < page.head else None
        return Response({
            "next": link(request, after, "after"), "previous": None,
            "position": page.next_after, "head": page.head, "epoch": page.epoch,
            "results": ChangeOutput(page.rows, many=True).data,
        })  # fmt: skip
