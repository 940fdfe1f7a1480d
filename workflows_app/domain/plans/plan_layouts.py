"""A plan's layout: what a person changes about Fossul's order of a backup, and its TOML.

The TOML is the table ``[Plan]`` of a configuration, which Fossul ignores. Option names are matched whatever
their case, as Fossul matches its own; step keys are as pages show them.
"""

import re
import tomllib
from collections.abc import Callable, Iterable, Mapping
from functools import partial
from types import MappingProxyType
from typing import Annotated, Any

from pydantic import Field, field_validator

from workflows_app.domain.config import CommandField, Config
from workflows_app.domain.durations import DAY, HOUR, in_words
from workflows_app.domain.errors import ConfigInvalid
from workflows_app.domain.plans.plan_values import (
    kind_of,
    read_count,
    read_duration,
    read_flag,
    read_on_failure,
    read_table,
    shown,
    toml_value,
)
from workflows_app.domain.plans.plans import OnFailure, Plan, StepOptions, StepSpec, backup_plan
from workflows_app.domain.toml_text import toml_string
from workflows_app.domain.wire import WireModel

MAX_TEXT = 64 * 1024
"""How many characters of TOML are read at all."""

TIMEOUT_BOUNDS = (1.0, 30 * DAY)
HEARTBEAT_BOUNDS = (1.0, HOUR)
BACKOFF_BOUNDS = (1.0, HOUR)
PAUSE_BOUNDS = (1.0, 7 * DAY)
FREEZE_BUDGET_BOUNDS = (1.0, 7 * DAY)
ATTEMPTS_BOUNDS = (0, 100)

_KEY = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?")
# A word after a ':' in the program is how Fossul asks for a command in a pod (fossul-behaviour.md §6).
_IN_A_POD = re.compile(r":\S+", re.ASCII)
# What a step is called while it compensates begins with this.
_RESERVED_PREFIX = "undo-"
_BUILT_IN = Plan()
_TABLE = "Plan"


def _every_step() -> dict[str, StepSpec]:
    """The steps of a configuration that has all of them, by key."""
    everything = {
        "app_plugin": "app",
        "storage_plugin": "storage",
        "archive_plugin": "archive",
        "auto_discovery": True,
        "job_retention": 1,
        **{field[0].lower() + field[1:]: field.value for field in CommandField},
    }
    return {step.key: step for step in backup_plan(Config.model_validate(everything)).steps}


BACKUP_STEPS = MappingProxyType(_every_step())
"""Every step that Fossul's backup can have, by key, in its order. The values are samples."""


def _within(bounds: tuple[float, float]) -> object:
    return Field(ge=bounds[0], le=bounds[1], allow_inf_nan=False)


class OptionChanges(WireModel):
    """What a layout says of a step's options, as in StepOptions; None leaves the step's own default."""

    timeout_seconds: Annotated[float, _within(TIMEOUT_BOUNDS)] | None = None
    heartbeat_seconds: Annotated[float, _within(HEARTBEAT_BOUNDS)] | None = None
    attempts: Annotated[int, _within(ATTEMPTS_BOUNDS)] | None = None
    backoff_seconds: Annotated[float, _within(BACKOFF_BOUNDS)] | None = None
    on_failure: OnFailure | None = None
    may_skip: bool | None = None

    def applied_to(self, options: StepOptions) -> StepOptions:
        """Answer ``options`` with these changes.

        A heartbeat that nobody chose gives way to a shorter timeout.
        """
        changes = {name: value for name, value in self if value is not None}
        if self.heartbeat_seconds is None and self.timeout_seconds is not None:
            changes["heartbeat_seconds"] = min(options.heartbeat_seconds, self.timeout_seconds)
        return options.model_copy(update=changes)


class PlanLayout(WireModel):
    """What a person changes about a backup's plan; without changes it is Fossul's order.

    ``stages`` are step keys, in order; none at all means Fossul's order, to which the options apply.
    ``options`` are by step key. ``commands`` are the lines of custom steps by their key, in Fossul's form:
    parts separated by commas. The others mean the same as in Plan.
    """

    stages: tuple[tuple[str, ...], ...] = ()
    options: dict[str, OptionChanges] = {}
    commands: dict[str, str] = {}
    pause_seconds: Annotated[float, _within(PAUSE_BOUNDS)] = _BUILT_IN.pause_seconds
    stays_frozen: bool = _BUILT_IN.stays_frozen
    freeze_budget_seconds: Annotated[float, _within(FREEZE_BUDGET_BOUNDS)] = _BUILT_IN.freeze_budget_seconds
    unfrozen_backup: bool = _BUILT_IN.unfrozen_backup

    @field_validator("options")
    @classmethod
    def _without_empty_ones(cls, given: dict[str, OptionChanges]) -> dict[str, OptionChanges]:
        """A step of which nothing is said is not named, so that equal layouts compare as equal."""
        return {key: changes for key, changes in given.items() if changes != OptionChanges()}


def check_command(field: str, key: str, line: str) -> None:
    """Refuse a custom command step. Raises ConfigInvalid naming ``field`` for a bad key or a bad line.

    A key is up to 63 lower-case letters, digits and ``-``, and none of Fossul's. A line names a program,
    has no control characters but tabs, and asks for no command in a pod.
    """
    if not _KEY.fullmatch(key):
        raise ConfigInvalid(
            field,
            "a step's key has up to 63 lower-case letters, digits or '-', starting and ending with a letter "
            "or digit",
        )
    if key in BACKUP_STEPS or key.startswith(_RESERVED_PREFIX):
        raise ConfigInvalid(field, f"{key!r} is a name of Fossul's own steps: choose another")
    program = line.split(",")[0]
    if not program.strip():
        raise ConfigInvalid(field, "the command names no program: write it as program,argument,argument")
    if any(
        (char < " " and char != "\t") or "\x7f" <= char <= "\x9f" or "\ud800" <= char <= "\udfff"
        for char in line
    ):
        raise ConfigInvalid(
            field, "the command has a line break, NUL or other control character: write it in one line"
        )
    if _IN_A_POD.search(program):
        raise ConfigInvalid(
            field,
            "the ':' asks for a command in a pod, which this version does not have: without it the command "
            "runs on the worker's machine",
        )


def check_heartbeat(field: str, changes: OptionChanges) -> None:
    """Refuse a step's heartbeat that is longer than its timeout, where both are given.

    Raises ConfigInvalid naming ``field``.
    """
    timeout, heartbeat = changes.timeout_seconds, changes.heartbeat_seconds
    if timeout is not None and heartbeat is not None and heartbeat > timeout:
        raise ConfigInvalid(field, f"it is longer than the step's Timeout of {in_words(timeout)}")


Reader = Callable[[str, object], Any]

PLAN_FIELDS: Mapping[str, tuple[str, Reader]] = {
    "FreezeBudget": ("freeze_budget_seconds", partial(read_duration, FREEZE_BUDGET_BOUNDS)),
    "PauseFor": ("pause_seconds", partial(read_duration, PAUSE_BOUNDS)),
    "StaysFrozen": ("stays_frozen", read_flag),
    "UnfrozenBackup": ("unfrozen_backup", read_flag),
}
"""What is said of a whole plan: by its name in TOML the attribute of PlanLayout, and what reads its value."""

STEP_FIELDS: Mapping[str, tuple[str, Reader]] = {
    "Attempts": ("attempts", partial(read_count, ATTEMPTS_BOUNDS)),
    "Backoff": ("backoff_seconds", partial(read_duration, BACKOFF_BOUNDS)),
    "Timeout": ("timeout_seconds", partial(read_duration, TIMEOUT_BOUNDS)),
    "Heartbeat": ("heartbeat_seconds", partial(read_duration, HEARTBEAT_BOUNDS)),
    "OnFailure": ("on_failure", read_on_failure),
    "MaySkip": ("may_skip", read_flag),
}
"""What is said of a step: by its name in TOML the attribute of OptionChanges, and what reads its value."""


def parse_layout(text: str) -> PlanLayout:
    """Read a layout from TOML, with the table ``[Plan]`` around it or without.

    Raises ConfigInvalid: for text that is not TOML with the line and column, for everything else as
    ``layout_from_table``.
    """
    if len(text) > MAX_TEXT:
        raise ConfigInvalid(_TABLE, f"the text is longer than {MAX_TEXT} characters")
    try:
        table = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ConfigInvalid(_TABLE, f"this is not TOML: {_located(str(error), text)}") from None
    except (ValueError, RecursionError):
        # Numbers of thousands of digits, tables in tables without end.
        raise ConfigInvalid(
            _TABLE, "this is not TOML that can be read: a value is too long or too deep"
        ) from None
    outer = [key for key in table if key.lower() == _TABLE.lower()]
    if not outer:
        return layout_from_table(table)
    read_table("", table, (_TABLE,))
    return layout_from_table(table[outer[0]], outer[0])


def layout_from_table(table: object, name: str = _TABLE) -> PlanLayout:
    """Read a layout from the table ``[Plan]`` of a configuration file, which is called ``name`` there.

    Raises ConfigInvalid naming the field as it was written, e.g. ``Plan.Steps.backup-plugin.Timeout``, for
    unknown names, wrong types and values out of bounds.
    """
    given = read_table(name, table, (*PLAN_FIELDS, "Stages", "Commands", "Steps"))
    values: dict[str, Any] = {
        attribute: read(*given[key]) for key, (attribute, read) in PLAN_FIELDS.items() if key in given
    }
    if "Commands" in given:
        values["commands"] = _commands(*given["Commands"])
    known = (*BACKUP_STEPS, *values.get("commands", ()))
    if "Stages" in given:
        values["stages"] = _stages(*given["Stages"], known)
    if "Steps" in given:
        steps = read_table(*given["Steps"], known, exact=True)
        values["options"] = {key: _options(*entry) for key, entry in steps.items()}
    return PlanLayout(**values)


def layout_text(layout: PlanLayout) -> str:
    """Answer a layout as TOML, which ``parse_layout`` reads back as equal: what differs from the defaults."""
    defaults = PlanLayout()
    lines = [
        f"{key} = {toml_value(getattr(layout, attribute))}"
        for key, (attribute, _) in PLAN_FIELDS.items()
        if getattr(layout, attribute) != getattr(defaults, attribute)
    ]
    if layout.stages:
        stages = (f"    [{', '.join(map(toml_string, stage))}],\n" for stage in layout.stages)
        lines.append(f"Stages = [\n{''.join(stages)}]")
    if layout.commands:
        lines += ["", f"[{_TABLE}.Commands]"]
        lines += [f"{key} = {toml_string(line)}" for key, line in layout.commands.items()]
    for key, changes in layout.options.items():
        lines += ["", f"[{_TABLE}.Steps.{key}]"]
        given = ((name, getattr(changes, attribute)) for name, (attribute, _) in STEP_FIELDS.items())
        lines += [f"{name} = {toml_value(value)}" for name, value in given if value is not None]
    return "\n".join([f"[{_TABLE}]", *lines, ""]) if lines else ""


def _located(reason: str, text: str) -> str:
    """The parser's words, with a line and column where it says no more than that the text ended."""
    end = "at end of document"
    lines = text.split("\n")
    return reason.replace(end, f"{end}, line {len(lines)}, column {len(lines[-1]) + 1}")


def _commands(path: str, value: object) -> dict[str, str]:
    if not isinstance(value, Mapping):
        raise ConfigInvalid(path, f"a table is wanted, not {kind_of(value)}")
    for key, line in value.items():
        field = f"{path}.{shown(key)}"
        if not isinstance(line, str):
            raise ConfigInvalid(field, f"a command in quotes is wanted, not {kind_of(line)}")
        check_command(field, key, line)
    return dict(value)


def _stages(path: str, value: object, known: Iterable[str]) -> tuple[tuple[str, ...], ...]:
    if not isinstance(value, list | tuple):
        raise ConfigInvalid(
            path, f"a list of stages is wanted, each a list of step keys, not {kind_of(value)}"
        )
    for number, stage in enumerate(value, 1):
        if not isinstance(stage, list | tuple) or not stage:
            raise ConfigInvalid(path, f'stage {number} is not a list of step keys, like ["backup-plugin"]')
        for key in stage:
            if not isinstance(key, str):
                raise ConfigInvalid(
                    path, f"stage {number} has {kind_of(key)} where a step key in quotes is wanted"
                )
            if key not in known:
                raise ConfigInvalid(
                    path,
                    f"stage {number} names {shown(key)}, which is no step; known are {', '.join(known)}",
                )
    return tuple(tuple(stage) for stage in value)


def _options(path: str, value: object) -> OptionChanges:
    given = read_table(path, value, tuple(STEP_FIELDS))
    values: dict[str, Any] = {
        STEP_FIELDS[name][0]: STEP_FIELDS[name][1](*entry) for name, entry in given.items()
    }
    changes = OptionChanges(**values)
    if "Heartbeat" in given:
        check_heartbeat(given["Heartbeat"][0], changes)
    return changes
