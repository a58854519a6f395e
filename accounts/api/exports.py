"""API `/exports/`: exports of all the member's data, and their download."""

from __future__ import annotations

from typing import Any

from django.http import FileResponse
from django.urls import reverse
from drf_spectacular.types import OpenApiTypes
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.api.base import ApiView
from accounts.api.idempotency import idempotent
from accounts.api.pagination import page_by_id
from accounts.api.schema import operation, page_of
from accounts.api.serializers import NoInput, PageQuery, UtcField
from accounts.models import DataExport
from accounts.selectors.privacy import export_of, exports_of
from accounts.services import export as exporting
from accounts.services.quotas import spend


class ExportOutput(serializers.Serializer[Any]):
    """One export. `download` is present while the file exists."""

    id = serializers.IntegerField()
    state = serializers.ChoiceField(DataExport.State.values)
    progress = serializers.DictField()
    size = serializers.IntegerField(help_text="Bytes.")
    created_at = UtcField()
    finished_at = UtcField(allow_null=True)
    expires_at = UtcField(allow_null=True)
    download = serializers.SerializerMethodField()

    def get_download(self, export: DataExport) -> str | None:
        if export.state != DataExport.State.READY:
            return None
        address = reverse("api:export-download", args=[export.pk])
        request = self.context.get("request")
        return request.build_absolute_uri(address) if request else address


class ExportsView(ApiView):
    scopes = {"GET": "privacy:write", "POST": "privacy:write"}
    needs_reauthentication_for = ("POST",)

    @operation(
        "exports_list", "My exports", {200: page_of(ExportOutput, "Exports")}, query=PageQuery
    )
    def get(self, request: Request) -> Response:
        query = self.query(PageQuery)

        def show(rows: list[DataExport]) -> Any:
            return ExportOutput(rows, many=True, context={"request": request}).data

        return Response(page_by_id(request, exports_of(self.member()), show, **query))

    @operation("exports_create", "Have everything exported", {202: ExportOutput}, takes=NoInput)
    @idempotent
    def post(self, request: Request) -> Response:
        self.read(NoInput)
        spend(user_id=self.member().pk, name="export")
        export = exporting.request_export(owner=self.member())
        shown = ExportOutput(export, context={"request": request}).data
        address = reverse("api:export", args=[export.pk])
        return Response(shown, status=202, headers={"Location": address})


class ExportView(ApiView):
    scopes = {"GET": "privacy:write"}

    @operation("exports_retrieve", "How far an export is", {200: ExportOutput})
    def get(self, request: Request, export_id: int) -> Response:
        export = export_of(self.member(), export_id)
        return Response(ExportOutput(export, context={"request": request}).data)


class ExportDownloadView(ApiView):
    scopes = {"GET": "privacy:write"}
    needs_reauthentication_for = ("GET", "HEAD")
    problems = (409, 410)

    @operation(
        "exports_download",
        "The ZIP itself, while it is kept",
        {(200, "application/zip"): OpenApiTypes.BINARY},
    )
    def get(self, request: Request, export_id: int) -> FileResponse:
        file, name = exporting.open_file(export=export_of(self.member(), export_id))
        return FileResponse(file, as_attachment=True, filename=name, content_type="application/zip")
