"""The difference of two lists held as columns sorted by key (archive imports, checks)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Diff:
    """Indexes into the columns: `added` into the new, `removed` into the old,
    `renamed` as (old, new)."""

    added: list[int]
    removed: list[int]
    renamed: list[tuple[int, int]]


def bulk_diff(
    old_keys: Sequence[int],
    old_names: Sequence[str],
    new_keys: Sequence[int],
    new_names: Sequence[str],
) -> Diff:
    """What changed between two lists; keys rise strictly on both sides.

    Raises ValueError when they do not: an unsorted side would give false losses and gains.
    """
    if _same(old_keys, new_keys) and _same(old_names, new_names):
        return Diff([], [], [])
    _require_sorted(old_keys)
    _require_sorted(new_keys)
    diff = Diff([], [], [])
    old = new = 0
    while old < len(old_keys) and new < len(new_keys):
        if old_keys[old] < new_keys[new]:
            diff.removed.append(old)
            old += 1
        elif new_keys[new] < old_keys[old]:
            diff.added.append(new)
            new += 1
        else:
            if old_names[old] != new_names[new]:
                diff.renamed.append((old, new))
            old += 1
            new += 1
    diff.removed.extend(range(old, len(old_keys)))
    diff.added.extend(range(new, len(new_keys)))
    return diff


def _same(old: Sequence[object], new: Sequence[object]) -> bool:
    return len(old) == len(new) and old == new


def _require_sorted(keys: Sequence[int]) -> None:
    if any(keys[at] >= keys[at + 1] for at in range(len(keys) - 1)):
        raise ValueError("keys must rise strictly")
