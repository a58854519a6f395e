"""Deletes and counts rows by key, in batches, in any table."""

from __future__ import annotations

from collections.abc import Iterable

from django.apps import apps
from django.contrib.admin.models import LogEntry
from django.contrib.contenttypes.models import ContentType

from accounts.services.erasure.data_map import Holding
from accounts.services.erasure.sql import execute, select


def delete_batch(holding: Holding, identity: int, limit: int) -> int:
    """Delete (or detach) at most `limit` rows; returns how many, 0 when none is left.

    By physical address, so that a batch costs one index scan and no second look-up.
    """
    if holding.action == "detach":
        statement = f'UPDATE "{holding.table}" SET "{holding.column}" = NULL WHERE {holding.where}'  # noqa: S608
        return execute(statement, [holding.parameter(identity)])
    address = "(tableoid, ctid)" if holding.partitioned else "ctid"
    picked = f"SELECT {address.strip('()')} FROM {_name(holding)} WHERE {holding.where} LIMIT %s"  # noqa: S608
    chosen = f"IN ({picked})" if holding.partitioned else f"= ANY (ARRAY({picked}))"
    statement = f"DELETE FROM {_name(holding)} WHERE {address} {chosen}"  # noqa: S608
    return execute(statement, [holding.parameter(identity), limit])


def count(holding: Holding, identity: int) -> int:
    """The number of rows with this key."""
    statement = f"SELECT count(*) FROM {_name(holding)} WHERE {holding.where}"  # noqa: S608
    return int(select(statement, [holding.parameter(identity)])[0][0])


def erase_admin_log(holdings: Iterable[Holding], root: str, identity: int) -> int:
    """Delete admin log entries about the rows to be deleted; other entries stay."""
    erased = 0
    types = {t.model_class(): t.pk for t in ContentType.objects.all()}
    for model in apps.get_models():
        table = model._meta.db_table
        pk = getattr(model._meta.pk, "column", None)
        if model not in types or not pk:
            continue
        if table == root:
            erased += _delete_log(types[model], "SELECT %s::text", identity)
        for holding in holdings:
            if holding.table == table and holding.action == "delete":
                inner = f'SELECT "{pk}"::text FROM "{table}" WHERE {holding.where}'  # noqa: S608
                erased += _delete_log(types[model], inner, holding.parameter(identity))
    return erased


def _delete_log(content_type: int, inner: str, parameter: int | str) -> int:
    return execute(
        f'DELETE FROM "{LogEntry._meta.db_table}" WHERE content_type_id = %s'  # noqa: S608
        f" AND object_id IN ({inner})",
        [content_type, parameter],
    )


def _name(holding: Holding) -> str:
    return f'"{holding.table}"'
