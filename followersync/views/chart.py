"""The follower count over time as the geometry of a drawing. Pure: points in, coordinates out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Protocol

WIDTH, HEIGHT = 720, 240
LEFT, RIGHT, TOP, BOTTOM = 64, 708, 14, 206


class Point(Protocol):
    """What is drawn: a count at a time. `reported` is Instagram's own count, where known."""

    @property
    def at(self) -> datetime: ...
    @property
    def followers(self) -> int: ...
    @property
    def reported(self) -> int | None: ...


@dataclass(frozen=True)
class Tick:
    place: float
    value: int


@dataclass(frozen=True)
class Gap:
    x: float
    width: float


@dataclass(frozen=True)
class Chart:
    """Coordinates in a box of WIDTH x HEIGHT; between two `lines` (polylines) is a gap."""

    lines: list[str]
    areas: list[str]
    reported: list[str]
    dots: list[tuple[float, float]]
    gaps: list[Gap]
    ticks: list[Tick]
    start: datetime
    end: datetime
    low: int
    high: int
    width: int = WIDTH
    height: int = HEIGHT
    left: int = LEFT
    right: int = RIGHT
    bottom: int = BOTTOM

    @property
    def format(self) -> str:
        """Django's name of the format in which the ends are written."""
        short = self.end - self.start < timedelta(days=2)
        return "SHORT_DATETIME_FORMAT" if short else "SHORT_DATE_FORMAT"


def draw(points: Sequence[Point], *, expected: timedelta) -> Chart | None:
    """None for fewer than two points. `expected`: how far apart two looks are when all is well."""
    if len(points) < 2:
        return None
    steps = sorted(after.at - before.at for before, after in pairwise(points))
    # Looks may have been rarer once; a quarter of them sets what was usual, gaps do not.
    longest = max(expected, steps[len(steps) // 4]) * 2.5
    stretches = _stretches(points, longest)
    ticks = _ticks(
        [value for p in points for value in (p.followers, p.reported) if value is not None]
    )
    scale = _Scale(points[0].at, points[-1].at, ticks[0], ticks[-1])
    lines = [[scale.place(p.at, p.followers) for p in stretch] for stretch in stretches]
    counted = [[(p.at, p.reported) for p in s if p.reported is not None] for s in stretches]
    return Chart(
        lines=[_path(line) for line in lines if len(line) > 1],
        # A filled area is read by its height: honest only on an axis that begins at 0.
        areas=[_area(line) for line in lines if len(line) > 1 and ticks[0] == 0],
        reported=[_path([scale.place(*one) for one in line]) for line in counted if len(line) > 1],
        dots=[line[0] for line in lines if len(line) == 1] + [lines[-1][-1]],
        gaps=[Gap(a[-1][0], round(b[0][0] - a[-1][0], 1)) for a, b in pairwise(lines)],
        ticks=[Tick(scale.y(value), value) for value in ticks],
        start=points[0].at,
        end=points[-1].at,
        low=min(p.followers for p in points),
        high=max(p.followers for p in points),
    )


@dataclass(frozen=True)
class _Scale:
    start: datetime
    end: datetime
    low: int
    high: int

    def y(self, value: int) -> float:
        return round(BOTTOM - (value - self.low) / (self.high - self.low) * (BOTTOM - TOP), 1)

    def place(self, at: datetime, value: int) -> tuple[float, float]:
        part = (at - self.start) / (self.end - self.start or timedelta(1))
        return round(LEFT + part * (RIGHT - LEFT), 1), self.y(value)


def _stretches(points: Sequence[Point], longest: timedelta) -> list[list[Point]]:
    """Points with at most `longest` between neighbours: what was not seen is not drawn."""
    stretches = [[points[0]]]
    for before, after in pairwise(points):
        if after.at - before.at > longest:
            stretches.append([])
        stretches[-1].append(after)
    return stretches


def _ticks(values: Sequence[int]) -> list[int]:
    """Round values around all of `values`, 3 to 6 of them, never below 0."""
    low, high = min(values), max(values)
    step = 1
    while (high - low) / step > 4:
        step = step * 5 // 2 if str(step)[0] == "2" else step * 2
    first = max(0, low // step - (low % step == 0)) * step
    ticks = [first]
    while ticks[-1] <= high:
        ticks.append(ticks[-1] + step)
    return ticks


def _path(line: Sequence[tuple[float, float]]) -> str:
    return " ".join(f"{x},{y}" for x, y in line)


def _area(line: Sequence[tuple[float, float]]) -> str:
    return f"{line[0][0]},{BOTTOM} {_path(line)} {line[-1][0]},{BOTTOM}"
