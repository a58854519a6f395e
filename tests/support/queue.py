"""The queue's work, done here and now: what was rung when the test's transactions committed."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any

import pytest
from django.utils.module_loading import import_string
from django_q.models import OrmQ


@pytest.fixture
def work_off(
    django_capture_on_commit_callbacks: Callable[..., AbstractContextManager[list[Any]]],
) -> Callable[[Callable[[], object], str], int]:
    """`work_off(act, "accounts.tasks.notify_member")`: act, then run what it rang of that name.

    The tasks come out of the real queue table, unpacked as a worker unpacks them. Returns how many
    were run.
    """

    def act_and_work(act: Callable[[], object], func: str) -> int:
        with django_capture_on_commit_callbacks(execute=True):
            act()
        done = 0
        for row in OrmQ.objects.order_by("pk"):
            task = row.task
            if task["func"] == func:
                import_string(func)(*task["args"])
                done += 1
        return done

    return act_and_work
