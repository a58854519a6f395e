"""A snapshot may hold Instagram's count alone, where the member allows that and no list.

What was kept of the count without the consent to keep it goes: from snapshots, from their
evidence, and from the progress of runs.
"""

from __future__ import annotations

from django.db import migrations, models

# Consent in force, as accounts.selectors.consent_in_force has it.
_KEEPS = """
coalesce((SELECT entry.action = 'granted' FROM accounts_consentsubject ledger
    JOIN accounts_consentevent entry ON entry.subject = ledger.subject
    WHERE ledger.account_id = t.account_id AND entry.scope = 'profile'
    ORDER BY entry.sequence DESC LIMIT 1), false)
"""
FORGET = [
    "UPDATE followersync_followersnapshot SET evidence = evidence - 'reported'"
    " WHERE evidence ? 'reported'",
    "UPDATE followersync_followersnapshot t SET reported = NULL"  # noqa: S608
    f" WHERE reported IS NOT NULL AND NOT {_KEEPS}",
    "UPDATE followersync_syncrun SET progress = progress - 'expected'"
    " WHERE progress ? 'expected' AND mode <> 'import'",
]
# A list that nobody has read yet holds nobody.
FILL = "UPDATE followersync_followersnapshot SET followers = 0 WHERE followers IS NULL"


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0007_no_account_type"),
        ("followersync", "0006_transfers_and_folders_of_the_operator"),
    ]

    operations = [
        migrations.RunSQL(migrations.RunSQL.noop, FILL),
        migrations.AlterField(
            model_name="followersnapshot",
            name="followers",
            field=models.BigIntegerField(null=True),
        ),
        migrations.RunSQL(FORGET, migrations.RunSQL.noop),
    ]
