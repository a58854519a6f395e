from __future__ import annotations

import django.contrib.postgres.fields
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("accounts", "0008_quotas_of_visitors")]

    operations = [
        migrations.CreateModel(
            name="ScheduledJob",
            fields=[
                ("task", models.CharField(max_length=120, primary_key=True, serialize=False)),
                ("due_at", models.DateTimeField(db_index=True)),
                ("enqueued_at", models.DateTimeField(null=True)),
            ],
        ),
        migrations.CreateModel(
            name="SiteProcess",
            fields=[
                ("id", models.CharField(max_length=8, primary_key=True, serialize=False)),
                (
                    "kind",
                    models.CharField(choices=[("web", "Web"), ("queue", "Queue")], max_length=5),
                ),
                ("host", models.CharField(max_length=253)),
                ("pid", models.PositiveIntegerField()),
                ("started_at", models.DateTimeField()),
                ("seen_at", models.DateTimeField()),
                ("worked_at", models.DateTimeField(null=True)),
                (
                    "token_keys",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.CharField(max_length=16), size=None
                    ),
                ),
            ],
        ),
    ]
