"""Strict input serializers, which refuse unknown fields and wrong types; and UTC fields."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Final

from django.utils.translation import gettext_lazy as _
from rest_framework import serializers
from rest_framework.exceptions import ErrorDetail, ValidationError

#: What a field holds in JSON. REST framework also takes "yes" for true, and 5 for "5".
JSON_TYPES: Final[tuple[tuple[type[serializers.Field[Any, Any, Any, Any]], type], ...]] = (
    (serializers.BooleanField, bool),
    (serializers.IntegerField, int),
    (serializers.CharField, str),
)


class StrictSerializer(serializers.Serializer[Any]):
    """A serializer for input: unknown fields are errors.

    With `typed` in the context, so are values of a type other than the schema's: "yes" in a body is
    no consent to an erasure. Queries and forms hold only text.
    """

    def to_internal_value(self, data: Any) -> Any:
        if isinstance(data, Mapping):
            unknown = sorted(str(name) for name in data if name not in self.fields)
            if unknown:
                known = ", ".join(sorted(self.fields)) or "-"
                text = _("There is no such field here. Known fields: %(known)s.") % {"known": known}
                raise ValidationError(
                    {name: [ErrorDetail(text, code="unknown_field")] for name in unknown}
                )
            if self.context.get("typed"):
                self._refuse_other_types(data)
        return super().to_internal_value(data)

    def _refuse_other_types(self, data: Mapping[str, Any]) -> None:
        wrong = {}
        for name, value in data.items():
            kind = next(
                (type_ for field, type_ in JSON_TYPES if isinstance(self.fields[name], field)), None
            )
            if kind is not None and value is not None and type(value) is not kind:
                wrong[name] = [
                    ErrorDetail(str(self.fields[name].error_messages["invalid"]), code="invalid")
                ]
        if wrong:
            raise ValidationError(wrong)


class NoInput(StrictSerializer):
    """For routes without input."""


class PageQuery(StrictSerializer):
    """The query of a paged list."""

    cursor = serializers.CharField(
        required=False, help_text="Opaque; from `next` or `previous` of another page."
    )
    limit = serializers.IntegerField(
        required=False, min_value=1, max_value=1000, help_text="Rows per page, 1 to 1000."
    )


class UtcField(serializers.DateTimeField):
    """A moment in UTC, whatever the member's time zone."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(default_timezone=UTC, **kwargs)


def utc(moment: datetime | None) -> str | None:
    """Format as UtcField does; for lists rendered without a serializer, for speed."""
    if moment is None:
        return None
    return moment.astimezone(UTC).isoformat().replace("+00:00", "Z")
