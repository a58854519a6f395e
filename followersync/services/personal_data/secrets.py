"""Secrets of followersync: re-encrypts the stored ciphertexts when the keys are rotated."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from accounts import crypto, registry
from followersync.models import WatchedFolder, WebhookSubscription

if TYPE_CHECKING:
    from collections.abc import Iterator

    from django.db.models import Model

KEPT: tuple[tuple[type[Model], str], ...] = (
    (WebhookSubscription, "secret"),
    (WatchedFolder, "secrets"),
)


def register() -> None:
    registry.register_rotation("followersync", rotate)


def rotate() -> Iterator[bool]:
    """Each row once: whether it was re-encrypted. A row that changed meanwhile is left alone."""
    for model, column in KEPT:
        manager: Any = model._default_manager
        for pk, ciphertext in manager.exclude(**{column: ""}).values_list("pk", column):
            fresh = crypto.rotated(ciphertext)
            same = {"pk": pk, column: ciphertext}
            yield bool(fresh and manager.filter(**same).update(**{column: fresh}))
