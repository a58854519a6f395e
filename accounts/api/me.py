"""API `/me/`: the member that the credential belongs to, and their linked accounts."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.api.base import ApiView
from accounts.api.schema import operation
from accounts.selectors import accounts_of


class MeView(ApiView):
    """The member in whose name the request is made."""

    scopes = {"GET": "accounts:read"}

    class OutputSerializer(serializers.Serializer[Any]):
        class AccountSerializer(serializers.Serializer[Any]):
            id = serializers.IntegerField()
            instagram_id = serializers.CharField(allow_null=True)
            username = serializers.CharField()
            state = serializers.ChoiceField(["active", "paused", "needs_reconnect", "unlinked"])

        id = serializers.IntegerField()
        username = serializers.CharField()
        language = serializers.CharField()
        time_zone = serializers.CharField()
        accounts = AccountSerializer(many=True)

    @operation("me", "The member, and their linked accounts", {200: OutputSerializer})
    def get(self, request: Request) -> Response:
        member = self.member()
        shown = {
            "id": member.pk,
            "username": member.username,
            "language": member.language,
            "time_zone": member.time_zone,
            "accounts": accounts_of(member),
        }
        return Response(self.OutputSerializer(shown).data)
