from __future__ import annotations

from django.db import migrations, models
from django.db.models.functions import Cast


class Migration(migrations.Migration):
    dependencies = [("accounts", "0004_idempotency_quotas_and_staff_views")]

    operations = [
        migrations.AddField(
            model_name="linkedaccount",
            name="instagram_number",
            field=models.GeneratedField(
                db_persist=True,
                expression=models.Case(
                    models.When(
                        instagram_id__regex="^[0-9]{1,18}$",
                        then=Cast("instagram_id", models.BigIntegerField()),
                    )
                ),
                output_field=models.BigIntegerField(null=True),
            ),
        ),
        migrations.AddIndex(
            model_name="linkedaccount",
            index=models.Index(
                condition=models.Q(("unlinked_at__isnull", True)),
                fields=["instagram_number"],
                name="linked_by_number",
            ),
        ),
    ]
