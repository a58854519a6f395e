"""`/snapshots/`, `/growth/`, `/digest/`: figures over time, and the digest of the list."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any, ClassVar

from django.utils.translation import gettext_lazy as _
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from accounts import clock
from accounts.api.base import ApiView
from accounts.api.pagination import page_by_id, whole
from accounts.api.schema import operation, page_of
from accounts.api.serializers import NoInput, PageQuery, StrictSerializer, UtcField, utc
from followersync import selectors
from followersync.models import FollowerSnapshot
from followersync.models.run import Mode
from followersync.selectors import GrowthPoint

DEFAULT_DAYS = 365
MOST_DAYS = 3660
COUNT_HELP = "Instagram's figure; null unless the member allows `profile`."


class SnapshotsView(ApiView):
    scopes = {"GET": "followers:read"}

    class OutputSerializer(serializers.Serializer[Any]):
        id = serializers.IntegerField()
        at = UtcField()
        run = serializers.IntegerField(source="run_id", allow_null=True)
        mode = serializers.ChoiceField(Mode.values)
        position = serializers.IntegerField()
        followers = serializers.IntegerField(
            allow_null=True, help_text="In the list; null where none may be read."
        )
        reported_followers = serializers.IntegerField(
            source="shown_count", allow_null=True, help_text=COUNT_HELP
        )
        unconfirmed = serializers.IntegerField()
        gained = serializers.IntegerField()
        found = serializers.IntegerField()
        lost = serializers.IntegerField()
        returned = serializers.IntegerField()
        renamed = serializers.IntegerField()
        complete = serializers.BooleanField()
        digest = serializers.CharField()
        evidence = serializers.DictField()

    @operation(
        "snapshots_list",
        "What each finished run found, newest first",
        {200: page_of(OutputSerializer, "Snapshots")},
        query=PageQuery,
    )
    def get(self, request: Request, account_id: int) -> Response:
        query = self.query(PageQuery)
        rows = selectors.snapshots(self.account(account_id))

        def show(found: list[FollowerSnapshot]) -> Any:
            return self.OutputSerializer(found, many=True).data

        return Response(page_by_id(request, rows, show, **query))


class GrowthQuery(StrictSerializer):
    """`from` and `to`: days in UTC, both included; by default the last year."""

    to = serializers.DateField(required=False)

    def get_fields(self) -> dict[str, Any]:
        # `from` is a Python keyword, so the field cannot be an attribute.
        return {"from": serializers.DateField(required=False), **super().get_fields()}

    def validate(self, attrs: dict[str, Any]) -> dict[str, date]:
        until = attrs.get("to") or clock.now().date()
        since = attrs.get("from") or max(until, date.min + timedelta(DEFAULT_DAYS)) - timedelta(
            DEFAULT_DAYS
        )
        if since > until:
            raise serializers.ValidationError({"from": [_("This is after the end.")]}, "too_late")
        if until - since > timedelta(MOST_DAYS) or until == date.max:
            text = _("At most %(days)s days at a time.") % {"days": MOST_DAYS}
            raise serializers.ValidationError({"from": [text]}, "too_long")
        return {"date_from": since, "date_to": until}


class GrowthView(ApiView):
    scopes = {"GET": "followers:read"}

    class OutputSerializer(serializers.Serializer[Any]):
        at = UtcField()
        followers = serializers.IntegerField(
            allow_null=True, help_text="In the list; null where none may be read."
        )
        reported_followers = serializers.IntegerField(
            source="reported", allow_null=True, help_text=COUNT_HELP
        )
        gained = serializers.IntegerField()
        lost = serializers.IntegerField()
        returned = serializers.IntegerField()
        renamed = serializers.IntegerField()

    @operation(
        "growth_list",
        "One point for each day with a sync, oldest first",
        {200: page_of(OutputSerializer, "Growth")},
        query=GrowthQuery,
    )
    def get(self, request: Request, account_id: int) -> Response:
        days = self.query(GrowthQuery)
        points = selectors.growth(self.account(account_id), **days)
        return Response(whole([_shown(point) for point in points]))


def _shown(point: GrowthPoint) -> dict[str, Any]:
    """As in OutputSerializer, written by hand for speed: a year has 365 of them."""
    return {
        "at": utc(point.at),
        "followers": point.followers,
        "reported_followers": point.reported,
        "gained": point.gained,
        "lost": point.lost,
        "returned": point.returned,
        "renamed": point.renamed,
    }


class DigestView(ApiView):
    """An order-independent keyed hash of the list: equal digests, equal lists."""

    scopes: ClassVar = {"GET": "followers:read"}

    class OutputSerializer(serializers.Serializer[Any]):
        algorithm = serializers.CharField()
        key = serializers.CharField(help_text="This account's key, hex.")
        count = serializers.IntegerField()
        value = serializers.CharField(help_text="Hex.")
        position = serializers.IntegerField(help_text="Of the feed: which list this is of.")
        epoch = serializers.UUIDField()

    @operation("digest_retrieve", "The digest of the present list", {200: OutputSerializer})
    def get(self, request: Request, account_id: int) -> Response:
        self.query(NoInput)
        return Response(self.OutputSerializer(selectors.digest(self.account(account_id))).data)
