"""The versions of a configuration: what it was after each change, by whom and when."""

from django.db import models

from workflows_app.models.catalog import BackupConfig


class ConfigVersion(models.Model):
    """A configuration as one change left it. ``number`` counts from 1 within the configuration.

    ``reason`` says in words what was done, never with a secret. ``content`` is all that the change can have
    touched (``services.configurations.versions``); secrets are in it as they are in the configuration itself:
    sealed.
    """

    config = models.ForeignKey(BackupConfig, on_delete=models.CASCADE, related_name="versions")
    number = models.PositiveIntegerField()
    author = models.CharField(max_length=150)
    time = models.DateTimeField(auto_now_add=True)
    reason = models.CharField(max_length=200)
    content = models.JSONField()

    class Meta:
        ordering = ["-number"]
        constraints = [models.UniqueConstraint(fields=["config", "number"], name="version_of_config")]

    def __str__(self) -> str:
        return f"version {self.number} of {self.config}"
