"""What is known of restore points that no storage tells: that they were deleted on purpose, and verified."""

from django.db import models

from workflows_app.domain.states import CheckState


class Removal(models.Model):
    """A backup that was deleted on purpose; one that is gone without is missing.

    ``how`` says by whom or what. The backup is named as in ``Hold``.
    """

    profile = models.CharField(max_length=63)
    config = models.CharField(max_length=63)
    backup = models.CharField(max_length=255)
    how = models.CharField(max_length=200)
    time = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["profile", "config", "backup"], name="removal_of_backup")
        ]

    def __str__(self) -> str:
        return f"{self.backup}, removed by {self.how}"


class Verification(models.Model):
    """One verification of a backup that a person asked for; ``words`` say what is wrong with it.

    ``workflow_id`` and ``run_id`` are Temporal's, ``run_id`` empty until the start was answered. The backup
    is named as in ``Hold``.
    """

    profile = models.CharField(max_length=63)
    config = models.CharField(max_length=63)
    backup = models.CharField(max_length=255)
    workflow_id = models.CharField(max_length=500)
    run_id = models.CharField(max_length=64, blank=True)
    state = models.CharField(
        max_length=10,
        choices=[(state.value, state.value) for state in CheckState],
        default=CheckState.RUNNING.value,
    )
    words = models.TextField(blank=True)
    by = models.CharField(max_length=150)
    started = models.DateTimeField()
    finished = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["-pk"]
        indexes = [models.Index(fields=["profile", "config", "backup", "-id"], name="verification_of_backup")]

    def __str__(self) -> str:
        return f"verification {self.pk} of {self.backup}"
