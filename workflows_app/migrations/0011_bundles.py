"""Notices that were told together."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("workflows_app", "0010_archive_keep_rules")]

    operations = [
        migrations.AddField("delivery", "planned", models.DateTimeField(blank=True, null=True)),
        migrations.AddField("delivery", "bundle", models.CharField(blank=True, default="", max_length=36), False),
        migrations.AddIndex(
            "delivery", models.Index(fields=["channel", "event", "planned"], name="delivery_by_plan")
        ),
        migrations.AddIndex(
            "delivery",
            models.Index(condition=~models.Q(bundle=""), fields=["bundle"], name="delivery_together"),
        ),
    ]
