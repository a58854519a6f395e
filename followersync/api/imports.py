"""`/accounts/{id}/imports/`: import a follower list from Instagram's “Export your information”."""

from __future__ import annotations

from typing import Any

from django.urls import reverse
from rest_framework import serializers
from rest_framework.parsers import MultiPartParser
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.api.base import ApiView
from accounts.api.idempotency import idempotent
from accounts.api.pagination import page_by_id
from accounts.api.schema import operation, page_of
from accounts.api.serializers import PageQuery, StrictSerializer, UtcField, utc
from accounts.services.quotas import spend
from followersync.api.runs import RunOutput
from followersync.models import ArchiveImport, SyncRun
from followersync.services.imports import questions, requests
from followersync.services.imports.ownership import QUESTIONS
from followersync.texts.errors import in_words


class QuestionOutput(serializers.Serializer[Any]):
    """An archive that waits for the member's answer."""

    run = serializers.IntegerField(help_text="The run that asked; the answer goes to it.")
    question = serializers.ChoiceField(
        list(QUESTIONS),
        help_text="`archive_owner_unknown`: is it this account's? `archive_owner_renamed`: is this "
        "account called `stated_owner` now?",
    )
    detail = serializers.CharField()
    stated_owner = serializers.CharField(
        allow_null=True, help_text="The name that stands in the archive."
    )
    file_name = serializers.CharField()
    created_at = UtcField()
    kept_until = UtcField(help_text="The archive is deleted then.")

    def to_representation(self, instance: ArchiveImport) -> dict[str, Any]:
        return {
            "run": instance.run_id,
            "question": instance.question,
            "detail": in_words(instance.question),
            "stated_owner": instance.stated_owner or None,
            "file_name": instance.file_name,
            "created_at": utc(instance.created_at),
            "kept_until": utc(instance.kept_until),
        }


class ImportsView(ApiView):
    """What cannot be an archive is answered at once; the queue reads the rest, as a run.

    A run that ends as `cancelled` with `archive_owner_unknown` or `archive_owner_renamed` asks the
    member, and keeps the archive for the answer.
    """

    scopes = {"GET": "followers:write", "POST": "followers:write"}
    parser_classes = [MultiPartParser]

    class InputSerializer(StrictSerializer):
        archive = serializers.FileField(help_text="The ZIP, or the file of followers in it.")
        owner_confirmed = serializers.BooleanField(
            default=False,
            help_text="The member says that the archive, which names no owner, is this account's.",
        )

    @operation(
        "imports_questions",
        "Archives that wait for the member's answer",
        {200: page_of(QuestionOutput, "ImportQuestions")},
        query=PageQuery,
    )
    def get(self, request: Request, account_id: int) -> Response:
        query = self.query(PageQuery)
        rows = questions.open_questions(self.account(account_id))

        def show(found: list[ArchiveImport]) -> Any:
            return QuestionOutput(found, many=True).data

        return Response(page_by_id(request, rows, show, **query))

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
        run = requests.request_import(
            account=account, uploaded_file=given["archive"], channel=self.channel(),
            owner_confirmed=given["owner_confirmed"],
        )  # fmt: skip
        return _begun(run)


class ImportAnswerView(ApiView):
    """The member's answer about an archive that is kept for it."""

    scopes = {"POST": "followers:write"}

    class InputSerializer(StrictSerializer):
        owner_confirmed = serializers.BooleanField(
            help_text="True imports it as this account's, as a new run; false deletes it."
        )

    @operation(
        "imports_answer",
        "Say whether the archive that a run asked about is this account's",
        {202: RunOutput, 204: None},
        takes=InputSerializer,
    )
    @idempotent
    def post(self, request: Request, account_id: int, run_id: int) -> Response:
        account = self.account(account_id)
        if not self.read(self.InputSerializer)["owner_confirmed"]:
            questions.decline(account, run_id)
            return Response(status=204)
        spend(user_id=self.member().pk, name="import")
        return _begun(requests.answer(account=account, run_id=run_id))


def _begun(run: SyncRun) -> Response:
    address = reverse("api:run", args=[run.account_id, run.pk])
    return Response(RunOutput(run).data, status=202, headers={"Location": address})
