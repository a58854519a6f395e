"""Bar chart of daily totals: pure geometry, days in, coordinates out; an unknown day is a gap."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Protocol

WIDTH, HEIGHT = 720, 200
LEFT, RIGHT, TOP, BOTTOM = 64, 708, 10, 168


class Day(Protocol):
    """`gained` and `lost` are None where unknown."""

    @property
    def day(self) -> date: ...
    @property
    def gained(self) -> int | None: ...
    @property
    def lost(self) -> int | None: ...


@dataclass(frozen=True)
class Bar:
    x: float
    y: float
    width: float
    height: float


@dataclass(frozen=True)
class Bars:
    """Coordinates in a box of WIDTH x HEIGHT; `zero` is the base line of the bars."""

    gained: list[Bar]
    lost: list[Bar]
    gaps: list[Bar]
    zero: float
    start: date
    end: date
    most_gained: int
    most_lost: int
    width: int = WIDTH
    height: int = HEIGHT
    left: int = LEFT
    right: int = RIGHT
    top: int = TOP
    bottom: int = BOTTOM

    @property
    def gained_path(self) -> str:
        """All bars of a kind as one SVG path: a page has a hundred of them."""
        return _path(self.gained)

    @property
    def lost_path(self) -> str:
        return _path(self.lost)

    @property
    def gap_path(self) -> str:
        return _path(self.gaps)


def draw(days: Sequence[Day]) -> Bars | None:
    """None where no day is known. `days` are consecutive, one entry a day."""
    known = [day for day in days if day.gained is not None or day.lost is not None]
    if not known:
        return None
    up = max(day.gained or 0 for day in known)
    down = max(day.lost or 0 for day in known)
    unit = (BOTTOM - TOP) / max(up + down, 1)
    zero = TOP + up * unit
    slot = (RIGHT - LEFT) / len(days)
    gained, lost, gaps = [], [], []
    for place, day in enumerate(days):
        x, width = round(LEFT + place * slot, 1), round(slot * 0.8, 1)
        if day.gained is None and day.lost is None:
            gaps.append(Bar(x, TOP, round(slot, 1), BOTTOM - TOP))
        if day.gained:
            gained.append(_bar(x, width, zero - day.gained * unit, zero))
        if day.lost:
            lost.append(_bar(x, width, zero, zero + day.lost * unit))
    return Bars(gained, lost, gaps, round(zero, 1), days[0].day, days[-1].day, up, down)


def _path(bars: Iterable[Bar]) -> str:
    return "".join(f"M{b.x} {b.y}h{b.width}v{b.height}h-{b.width}z" for b in bars)


def _bar(x: float, width: float, top: float, bottom: float) -> Bar:
    return Bar(x, round(top, 1), width, round(bottom - top, 1))
