"""Inputs that refuse what they do not know, so that a misspelt field never passes unnoticed."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from django.utils.translation import gettext_lazy as _
from rest_framework import serializers
from rest_framework.exceptions import ErrorDetail, ValidationError


class StrictSerializer(serializers.Serializer[Any]):
    """A serializer for input: unknown fields are errors."""

    def to_internal_value(self, data: Any) -> Any:
        if isinstance(data, Mapping):
            unknown = sorted(str(name) for name in data if name not in self.fields)
            if unknown:
                known = ", ".join(sorted(self.fields)) or "-"
                text = _("There is no such field here. Known fields: %(known)s.") % {"known": known}
                raise ValidationError(
                    {name: [ErrorDetail(text, code="unknown_field")] for name in unknown}
                )
        return super().to_internal_value(data)


class NoInput(StrictSerializer):
    """For routes that take none."""


class PageQuery(StrictSerializer):
    """The query of a paged list."""

    cursor = serializers.CharField(
        required=False, help_text="Opaque; from `next` or `previous` of another page."
    )
    limit = serializers.IntegerField(
        required=False, min_value=1, max_value=1000, help_text="Rows per page, 1 to 1000."
    )


class UtcField(serializers.DateTimeField):
    """A moment in UTC, whatever zone the member's pages are shown in."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(default_timezone=UTC, **kwargs)


def utc(moment: datetime | None) -> str | None:
    """As UtcField writes it; for the few lists that are rendered by hand, for speed."""
    if moment is None:
        return None
    return moment.astimezone(UTC).isoformat().replace("+00:00", "Z")
