from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("followersync", "0010_records_of_absent_people_and_evidence")]

    operations = [
        migrations.AddField(
            model_name="webhooksubscription",
            name="program",
            field=models.CharField(
                blank=True, default="", max_length=100, verbose_name="program"
            ),
        ),
    ]
