"""`/accounts/{id}/sync/` and `/accounts/{id}/runs/`: request a sync, and follow its progress."""

from __future__ import annotations

from typing import Any

from django.db import transaction
from django.urls import reverse
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.api.base import ApiView
from accounts.api.idempotency import idempotent
from accounts.api.pagination import page_by_id
from accounts.api.schema import operation, page_of
from accounts.api.serializers import NoInput, PageQuery, UtcField, utc
from accounts.services.quotas import spend
from followersync import selectors
from followersync.models import FollowerSnapshot, SyncRun
from followersync.models.run import Mode, Trigger
from followersync.services.sync.runs import request_sync
from followersync.texts.errors import in_words


class RunOutput(serializers.Serializer[Any]):
    """A sync run. `evidence` is there once it has finished and judged."""

    class ErrorSerializer(serializers.Serializer[Any]):
        code = serializers.CharField()
        detail = serializers.CharField()

    id = serializers.IntegerField()
    state = serializers.ChoiceField(SyncRun.State.values)
    trigger = serializers.ChoiceField(Trigger.values)
    mode = serializers.ChoiceField(Mode.values)
    progress = serializers.DictField(
        help_text="`seen` people, `page`, and of an open run the `expected` people: Instagram's"
        " figure, null unless the member allows `profile`."
    )
    pages = serializers.IntegerField()
    calls = serializers.IntegerField(help_text="Requests made to Instagram.")
    gained = serializers.IntegerField()
    lost = serializers.IntegerField()
    returned = serializers.IntegerField()
    renamed = serializers.IntegerField()
    evidence = serializers.DictField(
        allow_null=True, help_text="Whom the run saw and did not see, and what proves it."
    )
    error = ErrorSerializer(allow_null=True)
    created_at = UtcField()
    finished_at = UtcField(allow_null=True)

    def to_representation(self, instance: SyncRun) -> dict[str, Any]:
        plain = ("state", "trigger", "mode", "pages", "calls")
        counts = ("gained", "lost", "returned", "renamed")
        error = {
            "code": instance.error_code,
            "detail": in_words(instance.error_code, instance.error_detail),
        }
        return {
            "id": instance.pk,
            **{name: getattr(instance, name) for name in (*plain, *counts)},
            "progress": _progress(instance),
            "evidence": self.context.get("evidence", {}).get(instance.pk),
            "error": error if instance.error_code else None,
            "created_at": utc(instance.created_at),
            "finished_at": utc(instance.finished_at),
        }


def _progress(run: SyncRun) -> dict[str, Any]:
    """An import knows how many people it brings; a sync has only Instagram's count."""
    if not run.progress:
        return {}
    listing = run.is_open and run.mode != Mode.IMPORT
    expected = selectors.expected(run.account_id) if listing else None
    return {"expected": expected, **run.progress}


def shown(runs: list[SyncRun]) -> Any:
    """Runs with their evidence, read in one query for all of them."""
    found = FollowerSnapshot.objects.filter(
        account_id__in={run.account_id for run in runs}, run_id__in=[run.pk for run in runs]
    )
    evidence = dict(found.values_list("run_id", "evidence"))
    return RunOutput(runs, many=True, context={"evidence": evidence}).data


class SyncView(ApiView):
    scopes = {"POST": "accounts:write"}

    @operation(
        "accounts_sync",
        "Sync now; 409 carries the run that is under way",
        {202: RunOutput},
        takes=NoInput,
    )
    @idempotent
    def post(self, request: Request, account_id: int) -> Response:
        account = self.account(account_id)
        self.read(NoInput)
        trigger = Trigger.PROGRAM if self.by_program() else Trigger.MEMBER
        with transaction.atomic():  # a refused request costs no quota
            spend(user_id=self.member().pk, name="sync")
            run = request_sync(account=account, trigger=trigger)
        address = reverse("api:run", args=[account.pk, run.pk])
        return Response(RunOutput(run).data, status=202, headers={"Location": address})


class RunsView(ApiView):
    scopes = {"GET": "accounts:read"}

    @operation(
        "runs_list", "Sync runs, newest first", {200: page_of(RunOutput, "Runs")}, query=PageQuery
    )
    def get(self, request: Request, account_id: int) -> Response:
        query = self.query(PageQuery)
        runs = selectors.runs(self.account(account_id))
        return Response(page_by_id(request, runs, shown, **query))


class RunView(ApiView):
    scopes = {"GET": "accounts:read"}

    @operation("runs_retrieve", "One sync run", {200: RunOutput})
    def get(self, request: Request, account_id: int, run_id: int) -> Response:
        run = selectors.run_of(self.account(account_id), run_id)
        return Response(shown([run])[0])
