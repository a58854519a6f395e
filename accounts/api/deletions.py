"""API `/deletions/`: erase an account or a member, and the public status of an erasure."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.urls import reverse
from django.utils.translation import gettext_lazy as _
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.api.base import ApiView
from accounts.api.idempotency import idempotent
from accounts.api.schema import operation
from accounts.api.serializers import NoInput, StrictSerializer, UtcField
from accounts.models import DeletionRequest
from accounts.selectors.privacy import deletion_status
from accounts.services import erasure
from accounts.services.quotas import spend


class DeletionOutput(serializers.Serializer[Any]):
    """The answer to a request for erasure; the salt is shown only here."""

    confirmation_code = serializers.CharField(source="code")
    url = serializers.SerializerMethodField()
    state = serializers.ChoiceField(DeletionRequest.State.values)
    salt = serializers.CharField(
        allow_null=True,
        help_text="With it you can show that the receipt is yours. Shown this once, kept nowhere.",
    )

    def get_url(self, deletion: DeletionRequest) -> str:
        return settings.PUBLIC_URL.rstrip("/") + reverse("deletion", args=[deletion.code])

    def to_representation(self, instance: DeletionRequest) -> dict[str, Any]:
        shown: dict[str, Any] = super().to_representation(instance)
        return shown | {"salt": instance.salt or None}


class DeletionsView(ApiView):
    scopes = {"POST": "privacy:write"}
    needs_reauthentication_for = ("POST",)
    secret_fields = ("salt",)

    class InputSerializer(StrictSerializer):
        account = serializers.IntegerField(required=False, min_value=1)
        everything = serializers.BooleanField(required=False)

        def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
            if ("account" in attrs) == bool(attrs.get("everything")):
                raise serializers.ValidationError(
                    _("Say either which account, or everything: true; not both."), "one_of_two"
                )
            return attrs

    @operation(
        "deletions_create",
        "Erase an account's data, or everything",
        {202: DeletionOutput},
        takes=InputSerializer,
    )
    @idempotent
    def post(self, request: Request) -> Response:
        wish = self.read(self.InputSerializer)
        spend(user_id=self.member().pk, name="erasure")
        if wish.get("everything"):
            deletion = erasure.request_full_erasure(owner=self.member(), channel=self.channel())
        else:
            account = self.account(wish["account"])
            deletion = erasure.request_account_erasure(account=account, channel=self.channel())
        return Response(DeletionOutput(deletion).data, status=202, headers=_location(deletion))


def _location(deletion: DeletionRequest) -> dict[str, str]:
    return {"Location": reverse("api:deletion", args=[deletion.code])}


class DeletionView(ApiView):
    """Public: shows the status to anybody who has the code, without personal data."""

    authentication_classes: Any = []
    permission_classes: Any = []

    class StatusSerializer(serializers.Serializer[Any]):
        confirmation_code = serializers.CharField()
        state = serializers.ChoiceField(DeletionRequest.State.values)
        requested_at = UtcField()
        completed_at = UtcField(allow_null=True)
        erased = serializers.DictField(
            child=serializers.IntegerField(), help_text="Rows erased so far, per kind."
        )
        receipt = serializers.DictField(
            allow_null=True, help_text="Signed (Ed25519); null until completed."
        )

    @operation("deletions_retrieve", "How far an erasure is (public)", {200: StatusSerializer})
    def get(self, request: Request, code: str) -> Response:
        self.query(NoInput)
        return Response(self.StatusSerializer(deletion_status(code)).data)
