"""Plans: which steps a run takes, in which order, and how each is run. Pure data and pure functions."""

from collections.abc import Iterator

from workflows_app.domain import naming
from workflows_app.domain.config import CommandField, Config
from workflows_app.domain.wire import WireModel

HOUR = 3600.0


class StepOptions(WireModel):
    """How Temporal runs a step. Times are in seconds.

    ``attempts`` 0 means: again and again until it succeeds or ``timeout_seconds`` (of one attempt)
    and the run end it.
    """

    timeout_seconds: float = 24 * HOUR
    heartbeat_seconds: float = 10.0
    attempts: int = 1
    backoff_seconds: float = 1.0


class StepSpec(WireModel):
    """One step of a plan.

    ``key`` is unique in the plan. ``activity`` is the activity type, ``command`` the configuration's
    command field where the step runs one. ``freezes`` says that the application stands still from
    here on; ``undo`` is the key of the step in the same plan that must run, whatever happens, once
    this one has started.
    """

    omit_empty = frozenset({"command", "freezes", "undo"})

    key: str
    name: str
    phase: str
    activity: str
    command: str = ""
    freezes: bool = False
    undo: str = ""
    options: StepOptions = StepOptions()


class Stage(WireModel):
    """Steps that run at the same time; the next stage begins when all of them are complete."""

    steps: tuple[StepSpec, ...]


class Plan(WireModel):
    """The stages of a run, in order."""

    stages: tuple[Stage, ...] = ()

    @property
    def steps(self) -> Iterator[StepSpec]:
        """All steps, in order."""
        return (step for stage in self.stages for step in stage.steps)

    def step(self, key: str) -> StepSpec:
        """The step with that key. Raises KeyError when the plan has none."""
        for step in self.steps:
            if step.key == key:
                return step
        raise KeyError(key)


QUIESCE_PHASE = "Performing Application Quiesce"
BACKUP_PHASE = "Performing Backup"
UNQUIESCE_PHASE = "Performing Application Unquiesce"

# Thawing is repeated until it is done: a lost worker must never leave the application frozen.
_THAW = StepOptions(timeout_seconds=HOUR, attempts=0)


def backup_plan(config: Config) -> Plan:
    """The steps of a backup in Fossul's order (fossul-behaviour.md §3, rows 2-11).

    Each step is there only when it is configured, every step in a stage of its own.
    """
    app = bool(config.app_plugin)
    steps = [
        _command(config, CommandField.PRE_QUIESCE, QUIESCE_PHASE),
        _command(config, CommandField.QUIESCE, QUIESCE_PHASE, freezes=True, undo=CommandField.UNQUIESCE),
        StepSpec(
            key="quiesce-plugin",
            name=f"Quiesce with {config.app_plugin}",
            phase=QUIESCE_PHASE,
            activity=naming.APP_QUIESCE,
            freezes=True,
            undo="unquiesce-plugin",
        )
        if app
        else None,
        _command(config, CommandField.POST_QUIESCE, QUIESCE_PHASE),
        _command(config, CommandField.BACKUP_CREATE, BACKUP_PHASE),
        StepSpec(
            key="backup-plugin",
            name=f"Backup with {config.storage_plugin}",
            phase=BACKUP_PHASE,
            activity=naming.STORAGE_BACKUP,
        )
        if config.storage_plugin
        else None,
        _command(config, CommandField.PRE_UNQUIESCE, UNQUIESCE_PHASE),
        _command(config, CommandField.UNQUIESCE, UNQUIESCE_PHASE, options=_THAW),
        StepSpec(
            key="unquiesce-plugin",
            name=f"Unquiesce with {config.app_plugin}",
            phase=UNQUIESCE_PHASE,
            activity=naming.APP_UNQUIESCE,
            options=_THAW,
        )
        if app
        else None,
        _command(config, CommandField.POST_UNQUIESCE, UNQUIESCE_PHASE),
    ]
    return Plan(stages=tuple(Stage(steps=(step,)) for step in steps if step is not None))


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
