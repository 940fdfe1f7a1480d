"""What nobody may delete, and why."""

from django.db import models


class Hold(models.Model):
    """A restore point that nothing deletes until the hold is released: neither a backup nor its archive.

    ``backup`` is the backup's full name. It is held by that name, whatever becomes of the configuration: the
    names are no keys.
    """

    profile = models.CharField(max_length=63)
    config = models.CharField(max_length=63)
    backup = models.CharField(max_length=255)
    reason = models.CharField(max_length=500)
    by = models.CharField(max_length=150)
    since = models.DateTimeField()

    class Meta:
        ordering = ["-pk"]
        constraints = [models.UniqueConstraint(fields=["profile", "config", "backup"], name="hold_of_backup")]

    def __str__(self) -> str:
        return f"{self.backup}, held by {self.by}"
