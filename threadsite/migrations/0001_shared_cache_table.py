"""The table of the shared cache, so that `migrate` alone readies a database."""

from __future__ import annotations

from django.db import migrations

CREATE = """
CREATE TABLE IF NOT EXISTS threadsite_cache (
    cache_key varchar(255) NOT NULL PRIMARY KEY,
    value text NOT NULL,
    expires timestamp with time zone NOT NULL
);
CREATE INDEX IF NOT EXISTS threadsite_cache_expires ON threadsite_cache (expires);
"""


class Migration(migrations.Migration):
    initial = True
    dependencies = []
    operations = [migrations.RunSQL(CREATE, "DROP TABLE IF EXISTS threadsite_cache")]
