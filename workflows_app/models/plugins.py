"""What workers say of their plugins, for processes that never load one (ADR 0001)."""

from django.db import models


class PluginRecord(models.Model):
    """One plugin of one worker, as the worker tells of it.

    ``worker`` is the worker's identity in Temporal, ``info`` the plugin's ``PluginInfo``, ``seen`` when the
    worker last said that it has it.
    """

    worker = models.CharField(max_length=255)
    family = models.CharField(max_length=16)
    name = models.CharField(max_length=255)
    info = models.JSONField()
    seen = models.DateTimeField(db_index=True)

    class Meta:
        ordering = ["family", "name", "-seen"]
        constraints = [models.UniqueConstraint(fields=["worker", "family", "name"], name="plugin_of_worker")]

    def __str__(self) -> str:
        return f"{self.family} plugin {self.name} of {self.worker}"
