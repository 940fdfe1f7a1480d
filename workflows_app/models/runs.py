"""Runs and their messages: a projection of Temporal, and the one full log (ADR 0002)."""

from django.db import models
from django.db.models import Case, F, Q, When

from workflows_app.domain.states import RunState
from workflows_app.models.elapsed import Elapsed

_FILTERS = ("status", "profile", "config", "policy", "type")


class RunQuerySet(models.QuerySet["Run"]):
    """The questions that are asked of runs."""

    def open(self) -> "RunQuerySet":
        """The runs that were not yet seen to have closed."""
        return self.filter(finished__isnull=True)

    def guarded(self) -> "RunQuerySet":
        """The closed runs whose watchdog may still thaw what they left frozen."""
        return self.filter(guarded=True)

    def unsettled(self) -> "RunQuerySet":
        """The runs of which something may still change: the open ones, and what a watchdog guards."""
        return self.filter(Q(finished__isnull=True) | Q(guarded=True))

    def of(self, profile: str, config: str) -> "RunQuerySet":
        """The runs of one configuration."""
        return self.filter(profile=profile, config=config)

    def rename_policy(self, old: str, new: str) -> None:
        """File runs of the policy ``old`` under the name ``new``; each keeps what it was called as it ran."""
        called = Case(When(former_policy="", then=F("policy")), default=F("former_policy"))
        self.filter(policy=old).update(policy=new, former_policy=called)
        # Renamed back, it is called as it was.
        self.filter(policy=new, former_policy=new).update(former_policy="")


class Run(models.Model):
    """One backup (or restore). Its ``pk`` is the run's number: Fossul's workflow id, never used twice.

    ``version`` is that of the configuration that it was given, None where that has none. ``policy`` is what
    its policy is called today, ``former_policy`` what it was called as it ran, where that is something else.
    ``workflow_id`` and ``run_id`` are Temporal's; ``run_id`` is empty until the start was answered; that of a
    run which a schedule expects is, until it begins, the run id of what the schedule started.
    ``progress`` is the last fold of the run's history (``domain.runs.progress.Progress`` as JSON), ``result``
    Fossul's result JSON once the run is closed. ``guarded`` says that a watchdog may still thaw what the
    closed run left frozen, ``seconds`` how long it took, NULL while it is open. All of it can be rebuilt
    from Temporal.
    """

    workflow_id = models.CharField(max_length=200)
    run_id = models.CharField(max_length=64, blank=True)
    type = models.CharField(max_length=20, default="backup")
    profile = models.CharField(max_length=63)
    config = models.CharField(max_length=63)
    policy = models.CharField(max_length=63)
    former_policy = models.CharField(max_length=63, blank=True)
    version = models.PositiveIntegerField(null=True, blank=True)
    status = models.CharField(
        max_length=12,
        choices=[(state.value, state.value) for state in RunState],
        default=RunState.RUNNING.value,
    )
    requested_by = models.CharField(max_length=150)
    started = models.DateTimeField()
    finished = models.DateTimeField(null=True, blank=True)
    seconds = models.GeneratedField(
        expression=Elapsed(F("started"), F("finished")),
        output_field=models.FloatField(null=True),
        db_persist=True,
    )
    backup_bytes = models.BigIntegerField(null=True, blank=True)
    failure = models.TextField(blank=True)
    progress = models.JSONField(default=dict)
    result = models.JSONField(default=dict)
    guarded = models.BooleanField(default=False)

    objects = RunQuerySet.as_manager()

    class Meta:
        ordering = ["-pk"]
        indexes = [
            models.Index(fields=["profile", "config", "-id"], name="run_by_config"),
            models.Index(
                fields=["profile", "config", "policy", "-id"],
                name="run_completed",
                condition=Q(type="backup", status=RunState.COMPLETED.value),
            ),
            models.Index(fields=["profile", "config", "type", "status", "-id"], name="run_by_outcome"),
            models.Index(fields=["type", "started", "profile", "config", "status"], name="run_by_day"),
            # With all that lists are filtered by: a filter costs no look at the rows, which are large.
            models.Index(fields=["-started", "-id", *_FILTERS], name="run_by_start"),
            models.Index(fields=["-seconds", "-id", *_FILTERS, "started"], name="run_by_duration"),
            models.Index(fields=["-backup_bytes", "-id", *_FILTERS, "started"], name="run_by_size"),
            models.Index(fields=["id"], name="run_open", condition=Q(finished__isnull=True)),
            models.Index(fields=["id"], name="run_guarded", condition=Q(guarded=True)),
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["workflow_id", "run_id"], name="run_unique", condition=~Q(run_id="")
            )
        ]

    def __str__(self) -> str:
        return f"run {self.pk} of {self.profile}/{self.config}"

    @property
    def policy_as_run(self) -> str:
        """What its policy was called as it ran."""
        return self.former_policy or self.policy


class RunMessage(models.Model):
    """One line that a step printed, addressed by (run, step, attempt, seq); ``seq`` counts from 1.

    Sequence numbers have no holes: lines that could not be kept are one message that says how many.
    """

    run = models.ForeignKey(Run, on_delete=models.CASCADE, related_name="messages")
    step = models.PositiveIntegerField()
    attempt = models.PositiveIntegerField()
    seq = models.PositiveIntegerField()
    time = models.DateTimeField()
    level = models.CharField(max_length=8)
    text = models.TextField(blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["run", "step", "attempt", "seq"], name="message_address")
        ]

    def __str__(self) -> str:
        return f"{self.run_id}:{self.step}:{self.attempt}:{self.seq} {self.level} {self.text[:80]}"
