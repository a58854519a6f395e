"""People of whom only the name is known get keys of their own, drawn once and never again."""

from __future__ import annotations

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("followersync", "0001_follower_lists_history_and_runs")]

    operations = [
        migrations.RunSQL(
            # Negative and rising: new keys go to the right end of the key's index, as ids do.
            "CREATE SEQUENCE followersync_surrogate AS bigint MINVALUE -1000000000000000"
            " MAXVALUE -1 START -1000000000000000 CACHE 100",
            "DROP SEQUENCE followersync_surrogate",
        ),
        migrations.RunSQL(
            # That right end need leave no room: nothing comes between two keys drawn in turn.
            # Ids of Instagram's come anywhere, and split pages in half whatever is said here.
            "ALTER INDEX followersync_follower_pkey SET (fillfactor = 100)",
            "ALTER INDEX followersync_follower_pkey RESET (fillfactor)",
        ),
    ]
