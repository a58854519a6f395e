from __future__ import annotations

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("accounts", "0005_instagram_ids_as_numbers")]

    operations = [
        migrations.AddField(
            model_name="linkedaccount",
            name="webhooks_since",
            field=models.DateTimeField(blank=True, null=True, verbose_name="webhooks since"),
        ),
    ]
