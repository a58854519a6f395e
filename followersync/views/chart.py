"""Line chart of the follower count: pure geometry, points in, coordinates out."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Protocol

WIDTH, HEIGHT = 720, 240
LEFT, RIGHT, TOP, BOTTOM = 64, 708, 14, 206
DAY = 86_400.0


class Point(Protocol):
    """Counts at a time, of the list here and Instagram's own, where known."""

    @property
    def at(self) -> datetime: ...
    @property
    def followers(self) -> int | None: ...
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
        """Name of Django's date format for both ends of the axis."""
        short = self.end - self.start < timedelta(days=2)
        return "SHORT_DATETIME_FORMAT" if short else "SHORT_DATE_FORMAT"


def draw(points: Sequence[Point], *, expected: timedelta) -> Chart | None:
    """None for fewer than two points. `expected`: the usual distance of two looks."""
    if len(points) < 2:
        return None
    steps = sorted(after.at - before.at for before, after in pairwise(points))
    # Looks may have been rarer before: the upper quartile is usual, so that gaps do not count.
    longest = max(expected, steps[len(steps) // 4]) * 2.5
    stretches = _stretches(points, longest)
    values = [each for p in points for each in (p.followers, p.reported) if each is not None]
    if not values:
        return None
    ticks = _ticks(values)
    scale = _Scale(points[0].at, points[-1].at, ticks[0], ticks[-1])
    listed = [scale.line((p.at, p.followers) for p in each) for each in stretches]
    counted = [scale.line((p.at, p.reported) for p in each) for each in stretches]
    lines = [line for line in listed if line]
    told = [p.followers for p in points if p.followers is not None] or values
    ends = [(each[0].at, each[-1].at) for each in stretches]
    return Chart(
        lines=[_path(line) for line in lines if len(line) > 1],
        # A filled area is read by its height, so its axis must begin at 0.
        areas=[_area(line) for line in lines if len(line) > 1 and ticks[0] == 0],
        reported=[_path(line) for line in counted if len(line) > 1],
        dots=[line[0] for line in lines if len(line) == 1] + [line[-1] for line in lines[-1:]],
        gaps=[scale.gap(before[1], after[0]) for before, after in pairwise(ends)],
        ticks=[Tick(scale.y(value), value) for value in ticks],
        start=points[0].at,
        end=points[-1].at,
        low=min(told),
        high=max(told),
    )


@dataclass(frozen=True)
class _Scale:
    start: datetime
    end: datetime
    low: int
    high: int

    def y(self, value: int) -> float:
        return round(BOTTOM - (value - self.low) / (self.high - self.low) * (BOTTOM - TOP), 1)

    def x(self, at: datetime) -> float:
        part = (at - self.start) / (self.end - self.start or timedelta(1))
        return round(LEFT + part * (RIGHT - LEFT), 1)

    def line(self, points: Iterable[tuple[datetime, int | None]]) -> list[tuple[float, float]]:
        """The known points. Numbers formatted by hand for speed: a year has hundreds."""
        begun, span = self.start.timestamp(), (self.end - self.start).total_seconds() or DAY
        wide, high = (RIGHT - LEFT) / span, (BOTTOM - TOP) / (self.high - self.low)
        low = self.low
        return [
            (
                round(LEFT + (at.timestamp() - begun) * wide, 1),
                round(BOTTOM - (value - low) * high, 1),
            )
            for at, value in points
            if value is not None
        ]

    def gap(self, begin: datetime, end: datetime) -> Gap:
        return Gap(self.x(begin), round(self.x(end) - self.x(begin), 1))


def _stretches(points: Sequence[Point], longest: timedelta) -> list[list[Point]]:
    """Groups of points with at most `longest` between neighbours; gaps are not drawn."""
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
