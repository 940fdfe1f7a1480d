"""What the dashboard remembers of schedules; they themselves are Temporal's."""

from django.db import models


class ScheduleWatch(models.Model):
    """What was last seen of one schedule, by its id in Temporal.

    ``missed`` is how many of the runs that Temporal counts as dropped, because it was away itself, have a
    row; up to ``checked`` none is owed one. ``triggered`` is when it was last asked to run now.
    """

    schedule = models.CharField(max_length=300, unique=True)
    missed = models.PositiveIntegerField(default=0)
    checked = models.DateTimeField(null=True, blank=True)
    triggered = models.DateTimeField(null=True, blank=True)

    def __str__(self) -> str:
        return self.schedule


class ScheduleMove(models.Model):
    """Schedules that are to follow what became of their configuration or policy, written down with that.

    The schedules of ``profile``/``config`` that were there at ``time`` are to be those of
    ``to_profile``/``to_config``; where that is empty they are to go. With a ``policy`` these are its alone,
    and become those of ``to_policy``. ``copies`` says that they stay where they are, too. ``taken`` is when
    somebody last began to do it. The row goes when it is done.
    """

    profile = models.CharField(max_length=63)
    config = models.CharField(max_length=63)
    to_profile = models.CharField(max_length=63, blank=True)
    to_config = models.CharField(max_length=63, blank=True)
    policy = models.CharField(max_length=63, blank=True)
    to_policy = models.CharField(max_length=63, blank=True)
    copies = models.BooleanField(default=False)
    by = models.CharField(max_length=150)
    time = models.DateTimeField()
    taken = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["pk"]

    def __str__(self) -> str:
        to = "/".join(filter(None, (self.to_profile, self.to_config, self.to_policy))) or "nowhere"
        place = "/".join(filter(None, (self.profile, self.config, self.policy)))
        return f"schedules of {place} to {to}"
