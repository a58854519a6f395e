"""Change feed: pages of an account's changes, gapless and in order."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.utils.translation import gettext_lazy as _

from accounts.errors import InvalidInput
from followersync import store
from followersync.errors import FeedGone
from followersync.models import ChangeKind, FollowerChange, SyncSettings, public_id
from followersync.selectors.answers import ChangePage, ChangeRow

if TYPE_CHECKING:
    from django.db.models import QuerySet

    from accounts.models import LinkedAccount


def change_row(change: FollowerChange) -> ChangeRow:
    previous = change.previous_key
    return ChangeRow(
        position=change.position,
        kind=change.kind,
        at=change.at,
        public_id=public_id(change.key),
        username=change.username,
        previous_username=change.previous_username,
        previous_public_id=None if previous is None else public_id(previous),
    )


def changes_page(
    account: LinkedAccount,
    *,
    after: int | None = None,
    before: int | None = None,
    kind: str | None = None,
    limit: int = 100,
    epoch: str | None = None,
) -> ChangePage:
    """Ascending from `after` (exclusive); newest first when `after` is not given.

    Raises FeedGone (410) where `after` is of another epoch, of the future or past retention,
    InvalidInput for an unknown kind.
    """
    if kind is not None and kind not in ChangeKind.values:
        raise InvalidInput("invalid_kind", _("There is no such kind of change."), "kind")
    settings = store.sync_settings(account.pk) or SyncSettings(account=account)
    if after is not None:
        _refuse_gone(settings, after, epoch)
    # Rows beyond the head read above may exist by now; they belong to the next page.
    rows = FollowerChange.objects.filter(account_id=account.pk, position__lte=settings.head)
    if kind is not None:
        rows = rows.filter(kind=kind)
    if after is not None:
        return _ascending(rows, settings, after, limit)
    return _newest_first(rows, settings, before, limit)


def latest_changes(account: LinkedAccount, *, count: int) -> list[ChangeRow]:
    """The newest entries, newest first."""
    rows = FollowerChange.objects.filter(account_id=account.pk).order_by("-position")
    return [change_row(row) for row in rows[:count]]


def _refuse_gone(settings: SyncSettings, after: int, epoch: str | None) -> None:
    of_another = epoch is not None and epoch != str(settings.epoch)
    if of_another or after > settings.head or after < settings.first_position - 1:
        raise FeedGone


def _ascending(
    rows: QuerySet[FollowerChange], settings: SyncSettings, after: int, limit: int
) -> ChangePage:
    found = [change_row(r) for r in rows.filter(position__gt=after).order_by("position")[:limit]]
    # A filtered page that is not full has covered everything up to the head.
    reached = found[-1].position if len(found) == limit else settings.head
    return ChangePage(found, reached, settings.head, str(settings.epoch))


def _newest_first(
    rows: QuerySet[FollowerChange], settings: SyncSettings, before: int | None, limit: int
) -> ChangePage:
    if before is not None:
        rows = rows.filter(position__lt=before)
    found = [change_row(r) for r in rows.order_by("-position")[: limit + 1]]
    more = len(found) > limit
    found = found[:limit]
    older = found[-1].position if more and found else None
    return ChangePage(found, settings.head, settings.head, str(settings.epoch), older)
