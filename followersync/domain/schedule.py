"""Schedule: when an account is synced next, back-off, and limits on calls."""

from __future__ import annotations

MINUTE = 60
HOUR = 60 * MINUTE
DAY = 24 * HOUR
SHORTEST = 15 * MINUTE
BACKOFF_FIRST = MINUTE
BACKOFF_LONGEST = 6 * HOUR
RETRIES = (2, 4, 8, 15, 30, 60, HOUR // 2)
JITTER = 0.1
COMFORT = 75.0
"""Percent of a rate limit up to which calls are not reduced."""


def next_due(
    *,
    now: int,
    interval_minutes: int,
    changes_per_day: float,
    failures: int,
    not_before: int | None,
    second_look_in: int | None,
    full_scan_open: bool,
    jitter: float,
) -> int:
    """When the account is due again.

    The member's interval is the longest wait; an account that changes often is synced sooner, down
    to a quarter of it. After failures the waits double; `not_before` (a rate limit) always applies.
    """
    if failures:
        due = now + backoff(failures, jitter)
    else:
        wait = _wait(interval_minutes * MINUTE, changes_per_day)
        due = now + round(wait * (1 - JITTER * jitter))
        if second_look_in is not None:
            look = now + second_look_in
            # A sync shortly before the next look counts is postponed until then.
            if due > look - second_look_in // 4:
                due = look + round(second_look_in * JITTER * jitter)
        if full_scan_open:
            due = min(due, now + HOUR)
    return max(due, not_before or 0)


def _wait(interval: int, changes_per_day: float) -> float:
    """Long enough for about one change, within a quarter and the whole of the interval."""
    shortest = min(interval, max(SHORTEST, interval // 4))
    if changes_per_day <= 0:
        return interval
    return min(interval, max(shortest, DAY / changes_per_day))


def backoff(failures: int, jitter: float) -> int:
    """Seconds to wait after so many consecutive failures: doubling, half of it at random."""
    longest = min(BACKOFF_LONGEST, BACKOFF_FIRST << min(max(0, failures - 1), 20))
    return round(longest * (0.5 + jitter / 2))


def retry_pause(attempts: int, jitter: float) -> int:
    """Seconds until a run that met a transient error retries: at once at first, then later.

    Most faults pass with the next request, and a member may be watching; one that outlasts two
    minutes is given half an hour. Half of each wait is random.
    """
    longest = RETRIES[min(attempts, len(RETRIES)) - 1]
    return round(longest * (0.5 + jitter / 2))


def wait_for_usage(percent: float, regain_minutes: int | None) -> int:
    """Seconds to wait, given the fullest rate limit seen; 0: continue."""
    if regain_minutes:
        return regain_minutes * MINUTE
    if percent >= 100:
        return HOUR
    return 0


def calls_allowed(percent: float, hourly: int) -> int:
    """Calls that may still be made in this hour without coming near the limit."""
    if percent >= 95:
        return 0
    room = 1.0 if percent <= COMFORT else (95 - percent) / (95 - COMFORT)
    return int(hourly * max(0.0, 1 - percent / 100) * room)
