"""What can be backed up: profiles, their configurations, the policies of each."""

from django.db import models

from workflows_app.domain.config import WhenBusy


class Profile(models.Model):
    """A group of configurations. While it is ``disabled`` no backup of any of them starts."""

    name = models.CharField(max_length=63, unique=True)
    description = models.CharField(max_length=200, blank=True)
    disabled = models.BooleanField(default=False)

    class Meta:
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name


class BackupConfig(models.Model):
    """One application's backup set-up. ``settings`` is Fossul's Config as JSON, less what a run adds.

    ``plan`` is how its backups are run, where that differs from Fossul's order
    (``domain.plans.plan_layouts``). ``version`` is the number of its newest version, 0 while it has none;
    ``disabled`` says that no backup of it starts. Policies live in their own table; everything else that
    Fossul's main and plugin files hold is in ``settings``, under Fossul's JSON keys (fossul-behaviour.md §1).
    """

    profile = models.ForeignKey(Profile, on_delete=models.PROTECT, related_name="configs")
    name = models.CharField(max_length=63)
    description = models.CharField(max_length=200, blank=True)
    disabled = models.BooleanField(default=False)
    version = models.PositiveIntegerField(default=0)
    settings = models.JSONField(default=dict)
    plan = models.JSONField(default=dict, blank=True)

    class Meta:
        ordering = ["name"]
        constraints = [models.UniqueConstraint(fields=["profile", "name"], name="config_unique_in_profile")]

    def __str__(self) -> str:
        return f"{self.profile.name}/{self.name}"


class Policy(models.Model):
    """A named retention of a configuration: how many backups and archives of it are kept.

    ``keep_rules`` are a ``domain.retention.keep_rules.KeepRules`` as JSON: what is kept beside the newest
    backups; ``archive_keep_rules`` the same of archives. With neither number nor rules all archives are kept.
    ``when_busy`` is what a start does while another run holds the configuration's lock.
    """

    config = models.ForeignKey(BackupConfig, on_delete=models.CASCADE, related_name="policies")
    name = models.CharField(max_length=63)
    keep_backups = models.PositiveIntegerField()
    keep_archives = models.PositiveIntegerField(default=0)
    keep_rules = models.JSONField(default=dict, blank=True)
    archive_keep_rules = models.JSONField(default=dict, blank=True)
    position = models.PositiveIntegerField(default=0)
    when_busy = models.CharField(
        max_length=8, choices=[(choice.value, choice.value) for choice in WhenBusy], default=WhenBusy.REFUSE
    )

    class Meta:
        ordering = ["position", "name"]
        verbose_name_plural = "policies"
        constraints = [models.UniqueConstraint(fields=["config", "name"], name="policy_unique_in_config")]

    def __str__(self) -> str:
        return self.name
