from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("accounts", "0007_no_account_type")]

    operations = [
        migrations.CreateModel(
            name="VisitorQuotaUse",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("mark", models.CharField(max_length=64)),
                ("name", models.CharField(max_length=40)),
                ("spent_until", models.DateTimeField(db_index=True)),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(
                        fields=("mark", "name"), name="visitor_quota_use_once"
                    )
                ],
            },
        ),
    ]
