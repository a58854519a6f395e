from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("followersync", "0006_transfers_and_folders_of_the_operator")]

    operations = [
        migrations.AddField("watchedfolder", "leased_until", models.DateTimeField(null=True)),
        migrations.AddField(
            "webhooksubscription", "leased_until", models.DateTimeField(blank=True, null=True)
        ),
    ]
