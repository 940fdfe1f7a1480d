"""A policy keeps archives by age, too."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("workflows_app", "0009_notifications")]

    operations = [
        migrations.AddField("policy", "archive_keep_rules", models.JSONField(blank=True, default=dict)),
    ]
