from __future__ import annotations

import django.contrib.postgres.fields
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("accounts", "0008_quotas_of_visitors")]

    operations = [
        migrations.CreateModel(
            name="ScheduledJob",
            fields=[
                (
                    "task",
                    models.CharField(
                        max_length=120, primary_key=True, serialize=False, verbose_name="task"
                    ),
                ),
                ("due_at", models.DateTimeField(db_index=True, verbose_name="due")),
                ("enqueued_at", models.DateTimeField(null=True, verbose_name="last enqueued")),
            ],
            options={"verbose_name": "scheduled job", "verbose_name_plural": "scheduled jobs"},
        ),
        migrations.CreateModel(
            name="SiteProcess",
            fields=[
                ("id", models.CharField(max_length=8, primary_key=True, serialize=False)),
                (
                    "kind",
                    models.CharField(
                        choices=[("web", "web"), ("queue", "queue")],
                        max_length=5,
                        verbose_name="kind",
                    ),
                ),
                ("host", models.CharField(max_length=253, verbose_name="host")),
                ("pid", models.PositiveIntegerField(verbose_name="process number")),
                ("started_at", models.DateTimeField(verbose_name="started")),
                ("seen_at", models.DateTimeField(verbose_name="last heard of")),
                ("worked_at", models.DateTimeField(null=True, verbose_name="last task finished")),
                ("left_at", models.DateTimeField(null=True, verbose_name="ended")),
                (
                    "token_keys",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.CharField(max_length=16), size=None
                    ),
                ),
            ],
            options={"verbose_name": "process", "verbose_name_plural": "processes"},
        ),
    ]
