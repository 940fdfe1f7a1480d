"""Plans: which steps a run takes, in which order, and how each is run. Pure data and pure functions."""

from collections.abc import Iterator, Sequence
from enum import StrEnum

from workflows_app.domain import naming
from workflows_app.domain.config import SAFETY_POLICY, CommandField, Config
from workflows_app.domain.errors import PlanProblem, PlanRefused
from workflows_app.domain.wire import WireModel

HOUR = 3600.0


class OnFailure(StrEnum):
    """What a run does when a step failed for good: all its attempts, where it has several.

    ``FAIL`` compensates and ends the run, ``CONTINUE`` goes on as if the step were complete, ``PAUSE``
    waits for a person to say retry, skip or abort.
    """

    FAIL = "fail"
    CONTINUE = "continue"
    PAUSE = "pause"


class StepOptions(WireModel):
    """How a step is run. Times are in seconds.

    ``attempts`` 0 means: again and again until it succeeds or ``timeout_seconds`` (of one attempt)
    and the run end it. ``may_skip`` lets a person skip the step while the run waits for one.
    """

    omit_empty = frozenset({"onFailure", "maySkip"})

    timeout_seconds: float = 24 * HOUR
    heartbeat_seconds: float = 10.0
    attempts: int = 1
    backoff_seconds: float = 1.0
    on_failure: OnFailure = OnFailure.FAIL
    may_skip: bool = False


class StepSpec(WireModel):
    """One step of a plan.

    ``key`` is unique in the plan. ``activity`` is the activity type, ``command`` the configuration's
    command field where the step runs one, ``line`` the command itself where the plan brings its own
    (in Fossul's form: parts separated by commas). ``freezes`` says that the application stands still from
    here on; ``undo`` is the key of the step in the same plan that must run, whatever happens, once
    this one has started. ``policy`` is the policy that the step works under, empty for the run's own.
    """

    omit_empty = frozenset({"command", "line", "freezes", "undo", "policy"})

    key: str
    name: str
    phase: str
    activity: str
    command: str = ""
    line: str = ""
    freezes: bool = False
    undo: str = ""
    policy: str = ""
    options: StepOptions = StepOptions()


class Stage(WireModel):
    """Steps that run at the same time; the next stage begins when all of them are complete."""

    steps: tuple[StepSpec, ...]


class Plan(WireModel):
    """The stages of a run, in order; ``on_error`` is what a run that did not complete does at its end.

    A run waits ``pause_seconds`` for a person before it fails; the application is thawed before it waits,
    unless ``stays_frozen``. Once it has stood still for ``freeze_budget_seconds`` the watchdog thaws it.
    ``unfrozen_backup`` says that a backup may be made while the application is not frozen.
    """

    omit_empty = frozenset({"onError", "staysFrozen", "unfrozenBackup"})

    stages: tuple[Stage, ...] = ()
    on_error: tuple[StepSpec, ...] = ()
    pause_seconds: float = HOUR
    stays_frozen: bool = False
    freeze_budget_seconds: float = 4 * HOUR
    unfrozen_backup: bool = False

    @property
    def steps(self) -> Iterator[StepSpec]:
        """All steps of the stages, in order."""
        return (step for stage in self.stages for step in stage.steps)

    @property
    def freezes(self) -> bool:
        """Whether a step of it freezes the application."""
        return any(step.freezes for step in self.steps)

    def step(self, key: str) -> StepSpec:
        """The step with that key. Raises KeyError when the plan has none."""
        for step in self.steps:
            if step.key == key:
                return step
        raise KeyError(key)


DISCOVERY_PHASE = "Performing Application Discovery"
QUIESCE_PHASE = "Performing Application Quiesce"
BACKUP_PHASE = "Performing Backup"
UNQUIESCE_PHASE = "Performing Application Unquiesce"
MOUNT_PHASE = "Performing Mount"
ARCHIVE_PHASE = "Performing Archive"
ARCHIVE_RETENTION_PHASE = "Performing Archive Retention"
UNMOUNT_PHASE = "Performing Unmount"
RETENTION_PHASE = "Performing Backup Retention"
JOB_PHASE = "Job Cleanup"
NOTICE_PHASE = "Sending Notifications"
CUSTOM_PHASE = "Performing Custom Commands"
ERROR_NOTICE_PHASE = "Sending Error Notifications"

# Undoing is repeated until it is done: a lost worker must never leave the application frozen.
_UNDO = StepOptions(timeout_seconds=HOUR, attempts=0)


def backup_plan(config: Config) -> Plan:
    """The steps of a backup in Fossul's order (fossul-behaviour.md §3), every step in a stage of its own.

    Each step is there only when it is configured. One thing differs on purpose: backup retention comes
    after the archive, so that no backup goes before its copy exists (ADR 0003).
    """
    app, storage, archive = config.app_plugin, config.storage_plugin, config.archive_plugin
    mounts = bool(storage and archive)
    steps = [
        _plugin(
            app if config.auto_discovery else "",
            "discover-plugin",
            "Discover",
            DISCOVERY_PHASE,
            naming.APP_DISCOVER,
        ),
        _command(config, CommandField.PRE_QUIESCE, QUIESCE_PHASE),
        _command(config, CommandField.QUIESCE, QUIESCE_PHASE, freezes=True, undo=CommandField.UNQUIESCE),
        _plugin(
            app,
            "quiesce-plugin",
            "Quiesce",
            QUIESCE_PHASE,
            naming.APP_QUIESCE,
            freezes=True,
            undo="unquiesce-plugin",
        ),
        _command(config, CommandField.POST_QUIESCE, QUIESCE_PHASE),
        _command(config, CommandField.BACKUP_CREATE, BACKUP_PHASE),
        _plugin(storage, "backup-plugin", "Backup", BACKUP_PHASE, naming.STORAGE_BACKUP),
        _command(config, CommandField.PRE_UNQUIESCE, UNQUIESCE_PHASE),
        _command(config, CommandField.UNQUIESCE, UNQUIESCE_PHASE, options=_UNDO),
        _plugin(app, "unquiesce-plugin", "Unquiesce", UNQUIESCE_PHASE, naming.APP_UNQUIESCE, options=_UNDO),
        _command(config, CommandField.POST_UNQUIESCE, UNQUIESCE_PHASE),
        _plugin(
            storage if mounts else "",
            "mount-plugin",
            "Mount",
            MOUNT_PHASE,
            naming.STORAGE_MOUNT,
            undo="unmount-plugin",
        ),
        _command(config, CommandField.ARCHIVE_CREATE, ARCHIVE_PHASE),
        _plugin(archive, "archive-plugin", "Archive", ARCHIVE_PHASE, naming.ARCHIVE_ARCHIVE),
        _command(config, CommandField.ARCHIVE_DELETE, ARCHIVE_RETENTION_PHASE),
        _plugin(
            archive,
            "archive-retention",
            "Archive retention",
            ARCHIVE_RETENTION_PHASE,
            naming.ARCHIVE_RETENTION,
        ),
        _plugin(
            storage if mounts else "",
            "unmount-plugin",
            "Unmount",
            UNMOUNT_PHASE,
            naming.STORAGE_UNMOUNT,
            options=_UNDO,
        ),
        _command(config, CommandField.BACKUP_DELETE, RETENTION_PHASE),
        _plugin(storage, "backup-retention", "Backup retention", RETENTION_PHASE, naming.STORAGE_RETENTION),
    ]
    return _plan(config, steps)


PRE_RESTORE_PHASE = "Performing Application Pre Restore"
RESTORE_PHASE = "Performing Restore"
POST_RESTORE_PHASE = "Performing Application Post Restore"

_SAFETY_PHASES = (DISCOVERY_PHASE, QUIESCE_PHASE, BACKUP_PHASE, UNQUIESCE_PHASE)


def restore_plan(config: Config, *, dry_run: bool, safety: bool = False, chosen: bool = False) -> Plan:
    """The steps of a restore in Fossul's order (fossul-behaviour.md §4), each when it is configured.

    With ``safety`` the present state is backed up first, under ``SAFETY_POLICY``: the backup's steps from
    discovery to unquiesce come before the restore's own. A dry run is the storage plugin's step alone: it
    may not touch the application, and has nothing to tell anybody of; ``safety`` means nothing there.
    So is the restore of ``chosen`` files, after the safety backup: commands and the application's plugin
    are made for all that was backed up, and cannot be told that it is less.

    Raises PlanRefused for a safety backup of a configuration that makes no backup.
    """
    app, storage = config.app_plugin, config.storage_plugin
    restore = _plugin(storage, "restore-plugin", "Restore", RESTORE_PHASE, naming.STORAGE_RESTORE)
    if dry_run:
        return Plan(stages=(Stage(steps=(restore,)),) if restore else ())
    if chosen:
        return _plan(config, [*(_safety_steps(config) if safety else ()), restore])
    return _plan(
        config,
        [
            *(_safety_steps(config) if safety else ()),
            _command(config, CommandField.PRE_RESTORE, PRE_RESTORE_PHASE),
            _plugin(app, "pre-restore-plugin", "Pre restore", PRE_RESTORE_PHASE, naming.APP_PRE_RESTORE),
            _command(config, CommandField.RESTORE, RESTORE_PHASE),
            restore,
            _command(config, CommandField.POST_RESTORE, POST_RESTORE_PHASE),
            _plugin(app, "post-restore-plugin", "Post restore", POST_RESTORE_PHASE, naming.APP_POST_RESTORE),
        ],
    )


FETCH_PHASE = "Performing Fetch"


def fetch_plan(config: Config) -> Plan:
    """The one step that brings an archived backup back to the storage; none without an archive plugin."""
    fetch = _plugin(config.archive_plugin, "fetch-plugin", "Fetch", FETCH_PHASE, naming.ARCHIVE_FETCH)
    return Plan(stages=(Stage(steps=(fetch,)),) if fetch else ())


def _safety_steps(config: Config) -> list[StepSpec]:
    """The steps that back up what a restore is about to overwrite."""
    steps = [step for step in backup_plan(config).steps if step.phase in _SAFETY_PHASES]
    if not any(step.phase == BACKUP_PHASE for step in steps):
        raise PlanRefused(
            [
                PlanProblem(
                    "backup-plugin",
                    "safety backup",
                    "A backup before the restore is asked for, but the configuration makes none: set "
                    "StoragePlugin or BackupCreateCmd, or restore without it.",
                )
            ]
        )
    return [step.model_copy(update={"policy": SAFETY_POLICY}) for step in steps]


def _plan(config: Config, steps: Sequence[StepSpec | None]) -> Plan:
    """The steps that are there, each in a stage of its own, and what every run ends with."""
    job_retention = StepSpec(
        key="job-retention",
        name="Job retention",
        phase=JOB_PHASE,
        activity=naming.RECORD_JOB_RETENTION,
    )
    ending = [
        job_retention if config.job_retention else None,
        _command(config, CommandField.SUCCESS_NOTICE, NOTICE_PHASE),
    ]
    notice = _command(config, CommandField.ERROR_NOTICE, ERROR_NOTICE_PHASE)
    return Plan(
        stages=tuple(Stage(steps=(step,)) for step in (*steps, *ending) if step is not None),
        on_error=(notice,) if notice else (),
    )


def _plugin(
    plugin: str,
    key: str,
    verb: str,
    phase: str,
    activity: str,
    *,
    freezes: bool = False,
    undo: str = "",
    options: StepOptions | None = None,
) -> StepSpec | None:
    """The step that a plugin does, None when none is configured."""
    if not plugin:
        return None
    return StepSpec(
        key=key,
        name=f"{verb} with {plugin}",
        phase=phase,
        activity=activity,
        freezes=freezes,
        undo=undo,
        options=options or StepOptions(),
    )


def _command(
    config: Config,
    field: CommandField,
    phase: str,
    *,
    freezes: bool = False,
    undo: CommandField | None = None,
    options: StepOptions | None = None,
) -> StepSpec | None:
    """The step that runs a command field, None when the field is empty."""
    if not config.command(field):
        return None
    return StepSpec(
        key=_command_key(field),
        name=f"{field.words.capitalize()} command",
        phase=phase,
        activity=naming.COMMAND_RUN,
        command=field,
        freezes=freezes,
        undo=_command_key(undo) if undo and config.command(undo) else "",
        options=options or StepOptions(),
    )


def _command_key(field: CommandField) -> str:
    return f"{field.words.replace(' ', '-')}-command"
