"""`/webhooks/`: addresses notified of new feed entries (Standard Webhooks)."""

from __future__ import annotations

from typing import Any

from django.urls import reverse
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.api.base import ApiView
from accounts.api.idempotency import idempotent
from accounts.api.pagination import page_by_id
from accounts.api.schema import operation, page_of
from accounts.api.serializers import PageQuery, StrictSerializer, UtcField
from accounts.services.quotas import spend
from followersync.models import WebhookSubscription
from followersync.services.webhooks import outbound


class WebhookOutput(serializers.Serializer[Any]):
    """One subscription. Its secret is shown once, when it is made."""

    id = serializers.IntegerField()
    url = serializers.URLField()
    enabled = serializers.SerializerMethodField()
    disabled_reason = serializers.CharField(
        help_text="by_member, gone, failing, shut_out (the program that made it), or empty."
    )
    failures = serializers.IntegerField(help_text="In a row.")
    last_error = serializers.CharField()
    last_delivered_at = UtcField(allow_null=True)
    created_at = UtcField()

    def get_enabled(self, subscription: WebhookSubscription) -> bool:
        return subscription.disabled_at is None


class WebhookCreated(WebhookOutput):
    secret = serializers.CharField(
        allow_null=True, help_text="`whsec_…`: signs every message. Shown this once."
    )


class WebhooksView(ApiView):
    scopes = {"GET": "accounts:write", "POST": "accounts:write"}
    needs_reauthentication_for = ("POST",)
    secret_fields = ("secret",)

    class InputSerializer(StrictSerializer):
        url = serializers.URLField(max_length=500)

    @operation(
        "webhooks_list", "My webhooks", {200: page_of(WebhookOutput, "Webhooks")}, query=PageQuery
    )
    def get(self, request: Request) -> Response:
        query = self.query(PageQuery)
        rows = outbound.subscriptions_of(self.member(), program=self.program())

        def show(found: list[WebhookSubscription]) -> Any:
            return WebhookOutput(found, many=True).data

        return Response(page_by_id(request, rows, show, **query))

    @operation(
        "webhooks_create",
        "Be told when an account's feed goes on",
        {201: WebhookCreated},
        takes=InputSerializer,
    )
    @idempotent
    def post(self, request: Request) -> Response:
        url = self.read(self.InputSerializer)["url"]
        spend(user_id=self.member().pk, name="webhook")
        made, secret = outbound.subscribe(owner=self.member(), url=url, program=self.program())
        shown = {**WebhookOutput(made).data, "secret": secret}
        address = reverse("api:webhook", args=[made.pk])
        return Response(shown, status=201, headers={"Location": address})


class WebhookView(ApiView):
    scopes = {"GET": "accounts:write", "PATCH": "accounts:write", "DELETE": "accounts:write"}

    class InputSerializer(StrictSerializer):
        enabled = serializers.BooleanField()

    @operation("webhooks_retrieve", "One webhook", {200: WebhookOutput})
    def get(self, request: Request, webhook_id: int) -> Response:
        return Response(WebhookOutput(self._mine(webhook_id)).data)

    @operation(
        "webhooks_update", "Switch it off, or on again", {200: WebhookOutput}, takes=InputSerializer
    )
    @idempotent
    def patch(self, request: Request, webhook_id: int) -> Response:
        subscription = self._mine(webhook_id)
        wish = self.read(self.InputSerializer)
        changed = outbound.enable(subscription=subscription, enabled=wish["enabled"])
        return Response(WebhookOutput(changed).data)

    @operation("webhooks_delete", "Remove it", {204: None})
    @idempotent
    def delete(self, request: Request, webhook_id: int) -> Response:
        self._mine(webhook_id).delete()
        return Response(status=204)

    def _mine(self, webhook_id: int) -> WebhookSubscription:
        return outbound.subscription_of(self.member(), webhook_id, program=self.program())
