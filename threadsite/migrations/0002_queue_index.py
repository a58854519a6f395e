"""The queue is claimed by key and free rows; django-q2 indexes neither."""

from __future__ import annotations

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [
        ("threadsite", "0001_shared_cache_table"),
        ("django_q", "0019_alter_task_options_alter_ormq_key_alter_ormq_lock_and_more"),
    ]
    operations = [
        migrations.RunSQL(
            "CREATE INDEX threadsite_queue_claim ON django_q_ormq (key, lock, id)",
            "DROP INDEX threadsite_queue_claim",
        )
    ]
