"""API view for unknown addresses: 404 as a problem document."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext_lazy as _
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.api.base import ApiView
from accounts.errors import NotFound


@extend_schema(exclude=True)
class UnknownView(ApiView):
    authentication_classes: Any = []
    permission_classes: Any = []

    def initial(self, request: Request, *args: object, **kwargs: object) -> None:
        raise NotFound(
            "unknown_address",
            _("There is no such address. Addresses end in a slash; see /api/docs/ for all."),
        )

    def get(self, request: Request) -> Response:
        """Never reached: `initial` refuses every method alike."""
        raise NotFound
