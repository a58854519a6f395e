"""Admin pages of the queue: waiting and failed tasks without payloads, schedules and processes."""

from __future__ import annotations

from typing import Any, ClassVar

from django.contrib import admin
from django_q import admin as theirs
from django_q.models import Failure, OrmQ, Schedule, Success

from accounts.admin.base import RecordAdmin
from accounts.models import ScheduledJob, SiteProcess

# django-q2's admin is imported first, so that it has registered what is replaced here.
for _model in (theirs.Success, theirs.Failure, theirs.Schedule, OrmQ):
    if admin.site.is_registered(_model):
        admin.site.unregister(_model)


@admin.register(Success, Failure)
class TaskAdmin(RecordAdmin):
    """Shows name, function and times; arguments are only ids, and staff do not need results."""

    list_display = ("name", "func", "cluster", "started", "stopped", "success", "attempt_count")
    list_filter = ("cluster", "func")
    fields: ClassVar[Any] = (
        "name",
        "func",
        "cluster",
        "started",
        "stopped",
        "success",
        "attempt_count",
    )


@admin.register(Schedule)
class ScheduleAdmin(RecordAdmin):
    list_display = ("name", "func", "schedule_type", "minutes", "next_run", "repeats")
    fields: ClassVar[Any] = (
        "name",
        "func",
        "schedule_type",
        "minutes",
        "cron",
        "next_run",
        "repeats",
    )


@admin.register(ScheduledJob)
class ScheduledJobAdmin(RecordAdmin):
    list_display = ("task", "due_at", "enqueued_at")


@admin.register(SiteProcess)
class SiteProcessAdmin(RecordAdmin):
    """The running processes, without key fingerprints, which only `rotate_keys` needs."""

    list_display = ("kind", "host", "pid", "started_at", "seen_at", "worked_at", "left_at")
    list_filter = ("kind",)
    fields: ClassVar[Any] = list_display
