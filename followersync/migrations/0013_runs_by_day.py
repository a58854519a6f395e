from django.contrib.postgres.indexes import BrinIndex
from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations


class Migration(migrations.Migration):
    atomic = False
    dependencies = [("followersync", "0012_program_of_a_webhook")]

    operations = [
        AddIndexConcurrently(
            model_name="syncrun",
            index=BrinIndex(autosummarize=True, fields=["created_at"], name="syncrun_made"),
        ),
    ]
