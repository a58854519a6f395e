from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("followersync", "0007_counts_without_a_list")]

    operations = [
        migrations.AddField("watchedfolder", "leased_until", models.DateTimeField(null=True)),
        migrations.AddField(
            "webhooksubscription", "leased_until", models.DateTimeField(blank=True, null=True)
        ),
    ]
