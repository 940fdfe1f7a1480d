"""What the storage of each configuration was last seen to have: pages tell of it without asking a worker."""

from django.db import models


class Catalogue(models.Model):
    """The last list of a configuration's backups that a worker read, and when; there is none before that.

    ``points`` are the newest backups of each policy, the newest first, as ``[name, policy, epoch]``.
    ``read`` is when that list was read, None where it never could be; ``trouble`` says why it could not be
    read at the last try, which was at ``tried``. ``storage`` tells where that was
    (``domain.runs.protection.storage_mark``): of another place it says nothing. The configuration is named as
    in ``Hold``.
    """

    profile = models.CharField(max_length=63)
    config = models.CharField(max_length=63)
    storage = models.CharField(max_length=32)
    points = models.JSONField(default=list)
    read = models.DateTimeField(null=True, blank=True)
    tried = models.DateTimeField()
    trouble = models.TextField(blank=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["profile", "config"], name="catalogue_of_config")]

    def __str__(self) -> str:
        return f"the backups of {self.profile}/{self.config}"
