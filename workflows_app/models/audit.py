"""Who did what: kept for as long as the database is."""

from django.db import models


class AuditEntry(models.Model):
    """One thing that a person asked for and that was done.

    ``action`` is a word of ``services.people.audit.Action``. ``run`` is the number of the run it was done to,
    not a key: an entry outlives what it speaks of. ``details`` are words, never a secret.
    """

    time = models.DateTimeField(auto_now_add=True)
    actor = models.CharField(max_length=150)
    action = models.CharField(max_length=32)
    profile = models.CharField(max_length=63, blank=True)
    config = models.CharField(max_length=63, blank=True)
    run = models.BigIntegerField(null=True, blank=True)
    details = models.TextField(blank=True)

    class Meta:
        ordering = ["-pk"]
        verbose_name_plural = "audit entries"
        indexes = [models.Index(fields=["run"], name="audit_by_run")]

    def __str__(self) -> str:
        return f"{self.time:%Y-%m-%d %H:%M:%S} {self.actor} {self.action}"
