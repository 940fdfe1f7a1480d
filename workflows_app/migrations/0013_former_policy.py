"""Runs follow a renamed policy, and keep what it was called as they ran."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("workflows_app", "0012_policy_moves")]

    operations = [
        migrations.AddField("run", "former_policy", models.CharField(blank=True, max_length=63)),
    ]
