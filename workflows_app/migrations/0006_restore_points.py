"""Holds, what is known of restore points beside the storage's own list, and rules of what a policy keeps."""

from django.db import migrations, models

BEFORE = "before removals were written down"


def forgive_what_is_gone(apps, editor):
    """What was deleted until now was not written down: none of it is called missing for that.

    A backup that is there all the same loses its entry as soon as the storage tells of it.
    """
    runs = apps.get_model("workflows_app", "Run").objects.exclude(progress={})
    removals = apps.get_model("workflows_app", "Removal").objects
    rows = runs.order_by("pk").values_list("profile", "config", "progress__backup_name", "started")
    removals.bulk_create(
        (
            removals.model(profile=profile, config=config, backup=name, how=BEFORE, time=started)
            for profile, config, name, started in rows.iterator()
            if name
        ),
        batch_size=1000,
        ignore_conflicts=True,
    )


class Migration(migrations.Migration):

    dependencies = [("workflows_app", "0005_versions")]

    operations = [
        migrations.CreateModel(
            name="Hold",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("profile", models.CharField(max_length=63)),
                ("config", models.CharField(max_length=63)),
                ("backup", models.CharField(max_length=255)),
                ("reason", models.CharField(max_length=500)),
                ("by", models.CharField(max_length=150)),
                ("since", models.DateTimeField()),
            ],
            options={
                "ordering": ["-pk"],
                "constraints": [
                    models.UniqueConstraint(fields=("profile", "config", "backup"), name="hold_of_backup")
                ],
            },
        ),
        migrations.CreateModel(
            name="Removal",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("profile", models.CharField(max_length=63)),
                ("config", models.CharField(max_length=63)),
                ("backup", models.CharField(max_length=255)),
                ("how", models.CharField(max_length=200)),
                ("time", models.DateTimeField()),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(fields=("profile", "config", "backup"), name="removal_of_backup")
                ],
            },
        ),
        migrations.CreateModel(
            name="Verification",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("profile", models.CharField(max_length=63)),
                ("config", models.CharField(max_length=63)),
                ("backup", models.CharField(max_length=255)),
                ("workflow_id", models.CharField(max_length=500)),
                ("run_id", models.CharField(blank=True, max_length=64)),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("RUNNING", "RUNNING"),
                            ("GOOD", "GOOD"),
                            ("FAILED", "FAILED"),
                            ("CANCELLED", "CANCELLED"),
                            ("LOST", "LOST"),
                        ],
                        default="RUNNING",
                        max_length=10,
                    ),
                ),
                ("words", models.TextField(blank=True)),
                ("by", models.CharField(max_length=150)),
                ("started", models.DateTimeField()),
                ("finished", models.DateTimeField(blank=True, null=True)),
            ],
            options={
                "ordering": ["-pk"],
                "indexes": [
                    models.Index(
                        fields=["profile", "config", "backup", "-id"], name="verification_of_backup"
                    )
                ],
            },
        ),
        migrations.AddField("policy", "keep_rules", models.JSONField(blank=True, default=dict)),
        migrations.RunPython(forgive_what_is_gone, migrations.RunPython.noop),
    ]
