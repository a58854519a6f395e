"""API pagination: `{"next", "previous", "results"}`, with opaque cursors in full URLs."""

from __future__ import annotations

import binascii
from base64 import urlsafe_b64decode, urlsafe_b64encode
from typing import TYPE_CHECKING, Any, TypeVar

from django.db.models import Model, QuerySet
from django.utils.translation import gettext_lazy as _
from rest_framework.utils.urls import remove_query_param, replace_query_param

from accounts.errors import InvalidInput

if TYPE_CHECKING:
    from collections.abc import Callable

    from rest_framework.request import Request

DEFAULT_LIMIT = 50
_LARGEST_ID = 2**63 - 1

Row = TypeVar("Row", bound=Model)


def bad_cursor() -> InvalidInput:
    return InvalidInput(
        "bad_cursor",
        _("This cursor is not one of ours, or is damaged. Begin again without it."),
        field="cursor",
    )


def link(request: Request, cursor: str | None, name: str = "cursor") -> str | None:
    """The requested URL with another `cursor`; None if there is no such page."""
    if cursor is None:
        return None
    return replace_query_param(request.build_absolute_uri(), name, cursor)


def whole(results: Any) -> dict[str, Any]:
    """A list that always fits on one page, in the format of all lists."""
    return {"next": None, "previous": None, "results": results}


def page_by_id(
    request: Request,
    rows: QuerySet[Row],
    show: Callable[[list[Row]], Any],
    *,
    cursor: str | None = None,
    limit: int = DEFAULT_LIMIT,
) -> dict[str, Any]:
    """One page of `rows`, newest (greatest id) first; `show` renders them.

    Raises InvalidInput for a cursor that we did not make.
    """
    back, at = _read(cursor)
    if at is not None:
        rows = rows.filter(pk__gt=at) if back else rows.filter(pk__lt=at)
    found = list(rows.order_by("pk" if back else "-pk")[: limit + 1])
    more, found = len(found) > limit, found[:limit]
    if back:
        found.reverse()
    older = f"o{found[-1].pk}" if found and (more or back) else None
    newer = f"n{found[0].pk}" if found and (more if back else at is not None) else None
    base_free = remove_query_param(request.build_absolute_uri(), "cursor")
    return {
        "next": _address(base_free, older),
        "previous": _address(base_free, newer),
        "results": show(found),
    }


def _address(base: str, mark: str | None) -> str | None:
    if mark is None:
        return None
    return replace_query_param(base, "cursor", _write(mark))


def _write(mark: str) -> str:
    return urlsafe_b64encode(mark.encode()).decode().rstrip("=")


def _read(cursor: str | None) -> tuple[bool, int | None]:
    """Return (backwards?, the id at which the page begins)."""
    if cursor is None:
        return False, None
    try:
        padded = cursor.encode("ascii") + b"=" * (-len(cursor) % 4)
        mark = urlsafe_b64decode(padded).decode("ascii")
        way, at = mark[:1], int(mark[1:])
        # int() and the decoder are lenient; only a cursor in our own spelling is accepted.
        if _write(f"{way}{at}") != cursor:
            raise ValueError(cursor)
    except (ValueError, binascii.Error) as error:
        raise bad_cursor() from error
    if way not in ("o", "n") or not 0 <= at <= _LARGEST_ID:
        raise bad_cursor()
    return way == "n", at
