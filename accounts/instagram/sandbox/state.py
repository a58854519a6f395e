"""Saves and loads the sandbox's state, so that a killed demo continues where it stopped.

Without it the tokens would be unknown afterwards, and every follower another person.
"""

from __future__ import annotations

import logging
import os
import pickle
from pathlib import Path
from typing import Final

from accounts.instagram.sandbox.world import Config, World

logger = logging.getLogger(__name__)

#: Increased when an earlier state can no longer be loaded.
VERSION: Final = 2


def save(world: World, path: Path) -> None:
    """Atomic: a kill in the middle leaves the previous state."""
    world.asked = False
    for account in world.accounts.values():
        account.followers.arranged = None
        for block in account.followers.blocks:
            block.view = None
    partial = path.with_suffix(".partial")
    partial.parent.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        pickle.dump((VERSION, world), file, protocol=5)
    partial.replace(path)


def load(path: Path, config: Config) -> World | None:
    """None if there is none, or if another version of the sandbox wrote it."""
    try:
        version, world = pickle.loads(path.read_bytes())  # noqa: S301  # our own, readable by us alone
    except FileNotFoundError:
        return None
    except Exception as error:
        # A pickle of another version may raise anything: a new world will do.
        logger.warning("the sandbox's state cannot be read (%s); it begins anew", error)
        return None
    if version != VERSION or not isinstance(world, World):
        logger.warning("another version of the sandbox wrote its state; it begins anew")
        return None
    world.config = config
    return world
