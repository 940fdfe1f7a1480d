"""Schedules follow what becomes of their policy, too."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("workflows_app", "0011_bundles")]

    operations = [
        migrations.AddField("schedulemove", "policy", models.CharField(blank=True, max_length=63)),
        migrations.AddField("schedulemove", "to_policy", models.CharField(blank=True, max_length=63)),
    ]
