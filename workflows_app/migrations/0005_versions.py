"""Versions of configurations, what is switched off, and what workers say of their plugins."""

import django.db.models.deletion
from django.db import migrations, models


def keep_first_versions(apps, editor):
    """Keep what each configuration is now as its version 1."""
    configs = apps.get_model("workflows_app", "BackupConfig")
    versions = apps.get_model("workflows_app", "ConfigVersion")
    for config in configs.objects.prefetch_related("policies"):
        policies = sorted(config.policies.all(), key=lambda policy: (policy.position, policy.name))
        versions.objects.create(
            config=config,
            number=1,
            author="",
            reason="as it was when versions began to be kept",
            content={
                "description": config.description,
                "settings": config.settings,
                "plan": config.plan,
                "policies": [
                    {
                        "name": policy.name,
                        "keep_backups": policy.keep_backups,
                        "keep_archives": policy.keep_archives,
                        "when_busy": policy.when_busy,
                    }
                    for policy in policies
                ],
            },
        )
    configs.objects.update(version=1)


class Migration(migrations.Migration):

    dependencies = [("workflows_app", "0004_lists")]

    operations = [
        migrations.AddField("profile", "disabled", models.BooleanField(default=False)),
        migrations.AddField("backupconfig", "disabled", models.BooleanField(default=False)),
        migrations.AddField("backupconfig", "version", models.PositiveIntegerField(default=0)),
        migrations.AddField("run", "version", models.PositiveIntegerField(blank=True, null=True)),
        migrations.CreateModel(
            name="PluginRecord",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("worker", models.CharField(max_length=255)),
                ("family", models.CharField(max_length=16)),
                ("name", models.CharField(max_length=255)),
                ("info", models.JSONField()),
                ("seen", models.DateTimeField(db_index=True)),
            ],
            options={
                "ordering": ["family", "name", "-seen"],
                "constraints": [
                    models.UniqueConstraint(fields=("worker", "family", "name"), name="plugin_of_worker")
                ],
            },
        ),
        migrations.CreateModel(
            name="ConfigVersion",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("number", models.PositiveIntegerField()),
                ("author", models.CharField(max_length=150)),
                ("time", models.DateTimeField(auto_now_add=True)),
                ("reason", models.CharField(max_length=200)),
                ("content", models.JSONField()),
                (
                    "config",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="versions",
                        to="workflows_app.backupconfig",
                    ),
                ),
            ],
            options={
                "ordering": ["-number"],
                "constraints": [
                    models.UniqueConstraint(fields=("config", "number"), name="version_of_config")
                ],
            },
        ),
        migrations.RunPython(keep_first_versions, migrations.RunPython.noop),
    ]
