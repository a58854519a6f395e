"""`/accounts/{id}/imports/`: a follower list from Instagram's “Export your information”."""

from __future__ import annotations

from django.urls import reverse
from rest_framework import serializers
from rest_framework.parsers import MultiPartParser
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.api.base import ApiView
from accounts.api.idempotency import idempotent
from accounts.api.schema import operation
from accounts.api.serializers import StrictSerializer
from accounts.services.quotas import spend
from followersync.api.runs import RunOutput
from followersync.services.imports import request_import


class ImportsView(ApiView):
    """A bad archive is answered at once; a good one is imported in the queue, as a run."""

    scopes = {"POST": "followers:write"}
    parser_classes = [MultiPartParser]

    class InputSerializer(StrictSerializer):
        archive = serializers.FileField(help_text="The ZIP, or the file of followers in it.")
        owner_confirmed = serializers.BooleanField(
            default=False,
            help_text="The member says that the archive, which names no owner, is this account's.",
        )

    @operation(
        "imports_create",
        "Import an archive; 409 carries the run that is under way",
        {202: RunOutput},
        takes={"multipart/form-data": InputSerializer},
    )
    @idempotent
    def post(self, request: Request, account_id: int) -> Response:
        account = self.account(account_id)
        given = self.read(self.InputSerializer)
        spend(user_id=self.member().pk, name="import")
        run = request_import(
            account=account, uploaded_file=given["archive"], channel=self.channel(),
            owner_confirmed=given["owner_confirmed"],
        )  # fmt: skip
        address = reverse("api:run", args=[account.pk, run.pk])
        return Response(RunOutput(run).data, status=202, headers={"Location": address})
