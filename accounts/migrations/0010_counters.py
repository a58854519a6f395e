"""Sums over all processes, which /metrics shows."""

from __future__ import annotations

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("accounts", "0009_processes_and_scheduled_jobs")]

    operations = [
        migrations.CreateModel(
            name="Counter",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("name", models.CharField(max_length=40)),
                ("labels", models.CharField(blank=True, max_length=200)),
                ("part", models.CharField(max_length=8)),
                ("value", models.FloatField()),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(
                        fields=("name", "labels", "part"), name="counter_once"
                    )
                ],
            },
        ),
    ]
