"""The kind of account is asked of Instagram no more: nothing here had any use for it."""

from __future__ import annotations

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("accounts", "0006_webhooks_since")]

    operations = [migrations.RemoveField(model_name="linkedaccount", name="account_type")]
