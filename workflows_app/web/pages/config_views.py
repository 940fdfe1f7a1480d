"""What pages show of a configuration: its plan and its settings, credentials masked."""

from collections.abc import Collection
from dataclasses import dataclass
from itertools import groupby

from workflows_app.domain.config import CommandField, Config
from workflows_app.domain.config_files.secrets import masked
from workflows_app.domain.plans.plans import Plan, StepSpec


@dataclass(frozen=True, slots=True)
class PlanPhase:
    """Consecutive stages of a plan in one phase; the steps of a stage run at the same time."""

    name: str
    stages: tuple[tuple[StepSpec, ...], ...]


def plan_phases(plan: Plan) -> tuple[PlanPhase, ...]:
    """Answer the stages of ``plan`` by the phase of their first step, without credentials in its commands."""
    stages = [tuple(map(_readable, stage.steps)) for stage in plan.stages if stage.steps]
    return tuple(
        PlanPhase(name, tuple(together))
        for name, together in groupby(stages, key=lambda stage: stage[0].phase)
    )


def _readable(step: StepSpec) -> StepSpec:
    return step.model_copy(update={"line": masked(step.key, step.line)}) if step.line else step


@dataclass(frozen=True, slots=True)
class Setting:
    """One setting and its value, fit to be read by anyone who may look."""

    name: str
    value: str


@dataclass(frozen=True, slots=True)
class SettingGroup:
    """Settings that belong together."""

    name: str
    settings: tuple[Setting, ...]


def setting_groups(config: Config, declared: Collection[str] = ()) -> tuple[SettingGroup, ...]:
    """Answer what is configured, credentials masked; groups without a setting are left out.

    ``declared`` are the names of the parameters that plugins declare secret.
    """
    commands = {field.value: config.command(field) for field in CommandField}
    groups = (
        ("Application plugin", config.app_plugin, config.app_plugin_parameters),
        ("Storage plugin", config.storage_plugin, config.storage_plugin_parameters),
        ("Archive plugin", config.archive_plugin, config.archive_plugin_parameters),
        ("Commands", "", commands),
    )
    shown = []
    for title, plugin, values in groups:
        settings = [Setting("Plugin", plugin)] if plugin else []
        settings += [Setting(name, masked(name, value, declared)) for name, value in values.items() if value]
        if settings:
            shown.append(SettingGroup(title, tuple(settings)))
    return tuple(shown)
