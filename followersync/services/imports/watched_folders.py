"""Watched folders: look into a member's folder for recurring exports, and import each once.

Only the queue looks into a folder, so that a slow server delays no request.
"""

from __future__ import annotations

import json
import logging
import tempfile
from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from django.conf import settings
from django.db import transaction
from django.utils.translation import gettext_lazy as _

from accounts import clock, crypto, files, registry
from accounts.errors import InvalidInput, ThreadsiteError
from accounts.outbound.addresses import is_allowed_url
from accounts.outbound.budget import within
from accounts.outbound.client import client_for_member_url
from accounts.queue import enqueue
from accounts.scopes import Scope
from accounts.selectors import in_force
from accounts.services import gate
from followersync.errors import SyncRunning
from followersync.models import WatchedExport, WatchedFolder
from followersync.services import outbound_slots
from followersync.services.imports import requests
from followersync.sources import drive
from followersync.sources.folder import (
    LARGEST,
    MOST_LISTED,
    Export,
    Folder,
    FolderError,
    check_url,
    waiting,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    from django.db.models import QuerySet

    from accounts.models import LinkedAccount

logger = logging.getLogger(__name__)

TASK = "followersync.tasks.look_into_folder"
# Instagram delivers once a day at most.
INTERVAL = timedelta(hours=6)
# While further exports wait, or a run of the account is open.
SOON = timedelta(minutes=1)
LEASE = timedelta(minutes=30)
LONGEST_WAIT = timedelta(days=2)
#: For a whole look with the download of one export; the queue ends a task after 120 s.
LOOK_SECONDS = 90.0
MOST_BYTES = LARGEST + MOST_LISTED
BATCH = 100

DETAILS = {
    "scheme": _(
        "This address cannot be watched. Give the address of a folder on S3 (s3://…) or WebDAV "
        "(webdavs://…), without user name and password in it."
    ),
    "not_public": _(
        "This address cannot be watched: it is not reachable from everywhere, or not by https. "
        "Give the address of a folder in a storage on the internet."
    ),
    "forbidden": _(
        "The folder does not let us in, so nothing was imported from it. "
        "Check the user name and password that you gave."
    ),
    "revoked": _(
        "Google does not let us in (any more), so nothing was imported. "
        "Connect your Google Drive again to go on."
    ),
    "unreachable": _(
        "The folder cannot be reached, so nothing was imported from it. We try again by "
        "ourselves; check its address if this goes on."
    ),
    "too_slow": _(
        "The folder answers too slowly, so nothing was imported from it. We try again by ourselves."
    ),
    "too_many": _(
        "The folder holds more files than we look through, so nothing was imported from it. "
        "Choose a folder that holds the exports alone."
    ),
    "too_large": _("An export in the folder is larger than we read, so it was left out."),
}


def watch(
    *, account: LinkedAccount, url: str, options: Mapping[str, Any], local_allowed: bool = False
) -> WatchedFolder:
    """Watch a folder from now on, instead of any other; its present exports are imported too.

    `options` are passed to the folder's library and stored encrypted. `local_allowed`: set for
    operators, who may name a path on this machine or in its network; members may not. Raises
    InvalidInput (`folder_…`) if it may not be watched; whether it can be read is found out by the
    first look, in the queue.
    """
    gate.check(account.pk, Scope.FOLLOWERS)
    try:
        address = check_url(url, local_allowed=local_allowed)
        if not local_allowed:
            _check_servers(address, options)
    except FolderError as error:
        raise InvalidInput(f"folder_{error.code}", DETAILS[error.code], "url") from None
    return _keep(account, address, options, local_allowed)


def _check_servers(url: str, options: Mapping[str, Any]) -> None:
    """Raises FolderError("not_public") for addresses in our own network."""
    parts = urlsplit(url)
    servers = [str(options["endpoint_url"])] if "endpoint_url" in options else []
    if parts.scheme in ("webdav", "webdavs"):
        servers.append(f"http{'s' if parts.scheme == 'webdavs' else ''}://{parts.netloc}")
    private = settings.WEBHOOKS_TO_PRIVATE_NETWORKS
    if not all(is_allowed_url(server, private=private) for server in servers):
        raise FolderError("not_public")


def watch_drive(*, account: LinkedAccount, refresh_token: str) -> WatchedFolder:
    """Watch the exports in the member's Google Drive, by the token of their consent there.

    Raises InvalidInput (`folder_revoked`) for an empty token, which is no consent.
    """
    gate.check(account.pk, Scope.FOLLOWERS)
    if not refresh_token:
        raise InvalidInput("folder_revoked", DETAILS["revoked"], "url")
    return _keep(account, drive.URL, {"refresh_token": refresh_token}, False)


def _keep(
    account: LinkedAccount, address: str, options: Mapping[str, Any], local_allowed: bool
) -> WatchedFolder:
    if address != drive.URL:
        # Revoking the old consent would revoke a new one to the same Drive.
        _give_back(WatchedFolder.objects.filter(account=account))
    now = clock.now()
    folder, _made = WatchedFolder.objects.update_or_create(
        account=account,
        defaults={
            "url": address,
            "secrets": crypto.encrypt(json.dumps(dict(options))),
            "local_allowed": local_allowed,
            "created_at": now,
            # If the task is lost, the tick enqueues another.
            "next_look_at": now + SOON,
            "looked_at": None,
            "failures": 0,
            "error_code": "",
        },
    )
    enqueue(TASK, folder.pk)
    return folder


def unwatch(*, account: LinkedAccount) -> None:
    """Stop watching and delete the credentials; a consent at Google is revoked."""
    _give_back(WatchedFolder.objects.filter(account=account))
    WatchedFolder.objects.filter(account=account).delete()


def _give_back(ending: QuerySet[WatchedFolder]) -> None:
    """Revoke the consent at Google after the commit, unless another account uses it."""
    for folder in ending.filter(url=drive.URL).select_related("account"):
        others = WatchedFolder.objects.filter(url=drive.URL, account__owner=folder.account.owner_id)
        if not others.exclude(pk=folder.pk).exists():
            token = json.loads(crypto.decrypt(folder.secrets))["refresh_token"]
            transaction.on_commit(partial(drive.revoke, token))


ALLOWED = in_force(Scope.FOLLOWERS, '"followersync_watchedfolder"."account_id"')


@transaction.atomic
def tick() -> int:
    """Enqueue a batch of folders that are due; returns how many. The lease ends by itself."""
    now = clock.now()
    due = list(
        WatchedFolder.objects.select_for_update(skip_locked=True)
        .filter(ALLOWED, next_look_at__lte=now)
        .order_by("next_look_at")
        .values_list("pk", flat=True)[:BATCH]
    )
    WatchedFolder.objects.filter(pk__in=due).update(next_look_at=now + clock.for_real(LEASE))
    for folder_id in due:
        enqueue(TASK, folder_id)
    return len(due)


def look(folder_id: int) -> int:
    """Look once, and request the import of the oldest waiting export.

    One at a time, oldest first, since each is judged by what the earlier ones showed. Returns how
    many still waited. An export that cannot be imported is recorded, and never blocks the others.
    """
    folder = WatchedFolder.objects.select_related("account").filter(pk=folder_id).first()
    if folder is None:
        return 0
    owner_id, mine = folder.account.owner_id, WatchedFolder.objects.filter(pk=folder_id)
    of_owner = WatchedFolder.objects.filter(account__owner_id=owner_id)
    if not outbound_slots.take(mine, owner_id=owner_id, jobs_of_owner=of_owner):
        mine.update(next_look_at=clock.now() + SOON)
        return 0
    try:
        return _look(folder)
    finally:
        outbound_slots.give_back(mine)


def _look(folder: WatchedFolder) -> int:
    try:
        gate.check(folder.account_id, Scope.FOLLOWERS)
    except ThreadsiteError:
        # Paused, unlinked or without consent: tried again at the usual time.
        _next(folder, INTERVAL)
        return 0
    try:
        with within(seconds=LOOK_SECONDS, most_bytes=MOST_BYTES):
            waits = _take_oldest(folder)
    except FolderError as error:
        _failed(folder, error.code)
        return 0
    except SyncRunning:
        waits = 1
    _next(folder, SOON if waits else INTERVAL)
    return waits


def _take_oldest(folder: WatchedFolder) -> int:
    """The number of waiting exports, the taken one included."""
    options = json.loads(crypto.decrypt(folder.secrets))
    source = _source(folder.url, options, folder.local_allowed)
    line = waiting(source.items(), _taken(folder.account_id))
    for place, export in enumerate(line):
        if _take(folder, source, export):
            return len(line) - place
    return 0


def _source(url: str, options: Mapping[str, Any], local_allowed: bool) -> Folder:
    """The folder. A member's never leads into our own network, or uses our own keys."""
    if local_allowed or url == drive.URL:
        return Folder(url, options)
    given = dict(options)
    if url.startswith("s3:") and not given.get("key"):
        # Otherwise botocore would use this machine's keys.
        given["anon"] = True
    return Folder(url, given, client=client_for_member_url())


def _take(folder: WatchedFolder, source: Folder, export: Export) -> bool:
    """Download one export and request its import. False: it was refused, which is recorded."""
    with tempfile.TemporaryFile(dir=files.scratch()) as file:
        source.fetch(export, file)
        run_id, code = None, ""
        with transaction.atomic():
            # The queue may end the run at once, and then records the result here.
            try:
                run = requests.request_import(
                    account=folder.account,
                    uploaded_file=file,
                    channel="folder",
                    file_name=export.name,
                )
                run_id = run.pk
            except InvalidInput as error:
                code = error.code
                logger.warning("export in folder %s refused: %s", folder.pk, code)
            WatchedExport.objects.create(
                account_id=folder.account_id,
                path=export.path[-500:],
                mark=export.mark,
                taken_at=clock.now(),
                run_id=run_id,
                error_code=code,
            )
    return run_id is not None


def _taken(account_id: int) -> list[tuple[str, str]]:
    return list(WatchedExport.objects.filter(account_id=account_id).values_list("path", "mark"))


def _next(folder: WatchedFolder, pause: timedelta) -> None:
    now = clock.now()
    WatchedFolder.objects.filter(pk=folder.pk).update(
        next_look_at=now + pause, looked_at=now, failures=0, error_code=""
    )


def _failed(folder: WatchedFolder, code: str) -> None:
    """Try again with increasing waits; the error is shown to the member."""
    pause, now = min(LONGEST_WAIT, INTERVAL * 2**folder.failures), clock.now()
    WatchedFolder.objects.filter(pk=folder.pk).update(
        next_look_at=now + pause,
        looked_at=now,
        failures=min(folder.failures + 1, 10),
        error_code=f"folder_{code}",
    )
    logger.warning("folder %s cannot be read: %s", folder.pk, code)


def register() -> None:
    """The folder's address and secrets are erased with the account, and with the consent."""
    for kind, model in (("watched_folders", WatchedFolder), ("watched_exports", WatchedExport)):
        eraser = _eraser(model)
        registry.register_eraser(kind, eraser)
        registry.register_scope_eraser(Scope.FOLLOWERS, kind, eraser)


def _eraser(model: type[WatchedFolder] | type[WatchedExport]) -> registry.Eraser:
    def erase(account_id: int, limit: int) -> int:
        """Delete at most `limit` rows of the account."""
        ids = list(
            model._default_manager.filter(account_id=account_id).values_list("pk", flat=True)[
                :limit
            ]
        )
        if model is WatchedFolder:
            _give_back(WatchedFolder.objects.filter(pk__in=ids))
        model._default_manager.filter(pk__in=ids).delete()
        return len(ids)

    return erase
