"""Who is told of what, what is wrong now, and what was sent: channel, incident, delivery (ADR 0011)."""

from datetime import datetime, time

from django.db import models
from django.db.models import Q

from workflows_app.domain.notices.channels import ChannelKind, Rhythm
from workflows_app.models.catalog import BackupConfig, Profile


class Channel(models.Model):
    """Where notices go. ``options`` are what of its target may be seen; ``secret`` is the rest, sealed.

    ``shown`` is what of the target a page may show. ``events`` are the kinds of incident
    (``domain.notices.incidents``) and other events (``domain.notices.channels``) that it is told of. With
    ``everything`` it is told of all configurations, else of those of ``profiles``, and of ``configs``.
    ``digest`` is how often it gets a digest: at ``digest_time`` by the clocks of ``zone``, a weekly one on
    ``digest_day`` (0 is Monday); the next one is for ``digest_due``.
    """

    name = models.CharField(max_length=63, unique=True)
    kind = models.CharField(max_length=10, choices=[(kind.value, kind.value) for kind in ChannelKind])
    options = models.JSONField(default=dict)
    secret = models.TextField(blank=True)
    shown = models.CharField(max_length=300, blank=True)
    events = models.JSONField(default=list)
    everything = models.BooleanField(default=True)
    profiles = models.ManyToManyField(Profile, blank=True, related_name="channels")
    configs = models.ManyToManyField(BackupConfig, blank=True, related_name="channels")
    enabled = models.BooleanField(default=True)
    digest = models.CharField(
        max_length=6,
        choices=[(each.value, each.value) for each in Rhythm],
        default=Rhythm.NEVER.value,
        blank=True,
    )
    digest_time = models.TimeField(default=time(8, 0))
    digest_day = models.PositiveSmallIntegerField(default=0)
    zone = models.CharField(max_length=64, default="UTC")
    digest_due = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name


class Incident(models.Model):
    """Something that is, or was, wrong with a configuration; at most one of a key is open.

    ``detail`` is as in ``domain.notices.incidents.Incident``. ``told`` is when it was last alerted of;
    ``ended`` says that nobody has to be told any more that it is over. ``over`` is why it is, once it is. The
    configuration is named as in ``Hold``.
    """

    key = models.CharField(max_length=500)
    kind = models.CharField(max_length=12)
    profile = models.CharField(max_length=63)
    config = models.CharField(max_length=63)
    detail = models.CharField(max_length=255, blank=True)
    run = models.BigIntegerField(null=True, blank=True)
    reason = models.TextField()
    since = models.DateTimeField()
    opened = models.DateTimeField()
    told = models.DateTimeField(null=True, blank=True)
    ended = models.BooleanField(default=True)
    recovered = models.DateTimeField(null=True, blank=True)
    over = models.CharField(max_length=300, blank=True)

    class Meta:
        ordering = ["-pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["key"], name="incident_open_once", condition=Q(recovered__isnull=True)
            )
        ]
        indexes = [
            models.Index(fields=["key", "-recovered"], name="incident_by_key"),
            models.Index(fields=["id"], name="incident_untold", condition=Q(ended=False)),
        ]

    def __str__(self) -> str:
        return self.key


class DeliveryQuerySet(models.QuerySet["Delivery"]):
    """The questions that are asked of deliveries."""

    def waiting(self) -> "DeliveryQuerySet":
        """Those that were neither sent nor given up."""
        return self.filter(done__isnull=True)


class Delivery(models.Model):
    """One notice to one channel; ``key`` is what it is about, so that nothing is sent twice.

    ``notice`` is a ``domain.notices.notices.Notice`` as JSON. Those of one ``stream`` are sent in their
    order. It is to be sent at ``due``; whoever sends it has taken it under ``claim`` until ``taken_until``.
    ``done`` is when it was sent, or given up, which ``sent`` tells. ``error`` says why the last of
    ``attempts`` failed, never with a secret.

    One that may be told together with others has ``planned``, which is when it is first to be sent. Those of
    one ``bundle`` are one message: it is formed when they are first taken, and from then on they are taken,
    sent, tried again and given up together.
    """

    channel = models.ForeignKey(Channel, on_delete=models.CASCADE, related_name="deliveries")
    incident = models.ForeignKey(Incident, on_delete=models.CASCADE, null=True, related_name="deliveries")
    event = models.CharField(max_length=20)
    key = models.CharField(max_length=300)
    stream = models.CharField(max_length=100, blank=True)
    notice = models.JSONField()
    created = models.DateTimeField()
    due = models.DateTimeField()
    planned = models.DateTimeField(null=True, blank=True)
    bundle = models.CharField(max_length=36, blank=True)
    claim = models.CharField(max_length=36, blank=True)
    taken_until = models.DateTimeField(null=True, blank=True)
    attempts = models.PositiveIntegerField(default=0)
    done = models.DateTimeField(null=True, blank=True)
    sent = models.BooleanField(default=False)
    error = models.CharField(max_length=500, blank=True)

    objects = DeliveryQuerySet.as_manager()

    class Meta:
        ordering = ["-pk"]
        verbose_name_plural = "deliveries"
        constraints = [models.UniqueConstraint(fields=["channel", "key"], name="delivery_once")]
        indexes = [
            models.Index(fields=["due", "id"], name="delivery_waiting", condition=Q(done__isnull=True)),
            models.Index(fields=["event", "done"], name="delivery_by_age"),
            models.Index(fields=["channel", "event", "planned"], name="delivery_by_plan"),
            models.Index(fields=["bundle"], name="delivery_together", condition=~Q(bundle="")),
        ]

    def __str__(self) -> str:
        return f"{self.key} to channel {self.channel_id}"


class NotifierTurn(models.Model):
    """Whose turn it is to look for what is to be told, and up to where runs were looked at: one row.

    ``by`` may look until ``until``; ``looked`` is when somebody last did. ``last_run`` is the number of the
    newest run that was seen; ``open_runs`` has, by number, the state of those that had not closed then.
    """

    by = models.CharField(max_length=36, blank=True)
    until = models.DateTimeField()
    looked = models.DateTimeField(null=True, blank=True)
    last_run = models.BigIntegerField(null=True, blank=True)
    open_runs = models.JSONField(default=dict)

    def __str__(self) -> str:
        return f"the turn of {self.by}"

    def is_of(self, who: str, now: datetime) -> bool:
        """Whether it is the turn of ``who`` at ``now``."""
        return self.by == who and self.until > now
