from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("followersync", "0011_reappearances_across_accounts")]

    operations = [
        migrations.AddField(
            model_name="webhooksubscription",
            name="program",
            field=models.CharField(
                blank=True, default="", max_length=100, verbose_name="program"
            ),
        ),
    ]
