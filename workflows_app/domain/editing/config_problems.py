"""What keeps a configuration from being saved: every problem, each with the setting that it is about."""

from collections.abc import Iterator, Mapping, Sequence

from workflows_app.domain.config import CommandField, check_name, check_policy
from workflows_app.domain.config_files.configuration import Configuration, Family, FilePolicy
from workflows_app.domain.config_files.plugin_file import write_plugin
from workflows_app.domain.errors import ConfigInvalid, PlanRefused, SettingProblem
from workflows_app.domain.plans.planned_backups import planned_backup
from workflows_app.domain.results import ParameterSpec
from workflows_app.domain.secrets.references import SEALED, is_sealed

LARGEST = 2**31 - 1
"""What the narrowest of the databases' number columns holds."""

# What discovery finds takes its place (fossul-behaviour.md §1, AutoDiscovery).
_FOUND_BY_DISCOVERY = "BackupSrcPaths"

Declared = Mapping[Family, Sequence[ParameterSpec]]
"""The parameters that the configuration's plugins declare; a family whose plugin is not known is left out."""


def plugin_setting(family: Family) -> str:
    """The setting that names the plugin of a family."""
    return f"{family}Plugin"


def parameter_setting(family: Family, name: str) -> str:
    """The setting of a plugin's parameter."""
    return f"{family}PluginParameters.{name}"


def policy_setting(number: int, part: str) -> str:
    """A part (``Policy``, ``BackupRetention``, ``ArchiveRetention``) of the policy at ``number``, from 0."""
    return f"Policies.{number}.{part}"


def is_needed(spec: ParameterSpec, values: Mapping[str, str], *, auto_discovery: bool) -> bool:
    """Whether a plugin cannot do without a value for the parameter; ``values`` are those of all."""
    found = auto_discovery and spec.name == _FOUND_BY_DISCOVERY
    other, _, value = spec.unless.partition("=")
    excused = bool(other) and values.get(other, "").strip() == value
    return spec.required and not spec.default and not found and not excused


def setting_problems(configuration: Configuration, declared: Declared) -> tuple[SettingProblem, ...]:
    """Answer everything that is wrong with a configuration, as far as no plugin need be asked.

    Problems of its plan have the setting ``Plan``.
    """
    return (
        *_plugin_problems(configuration, declared),
        *_command_problems(configuration),
        *_policy_problems(configuration.policies),
        *_number("JobRetention", configuration.config.job_retention, 0),
        *_plan_problems(configuration),
    )


def _plugin_problems(configuration: Configuration, declared: Declared) -> Iterator[SettingProblem]:
    config = configuration.config
    for family in Family:
        plugin, values = family.plugin(config), family.parameters(config)
        if not plugin:
            continue
        try:
            check_name(plugin_setting(family), plugin)
        except ConfigInvalid as error:
            yield SettingProblem(error.field, error.reason)
        for name, value in values.items():
            yield from _parameter_problems(parameter_setting(family, name), name, value)
    yield from wrong_values(configuration, declared)
    yield from missing_values(configuration, declared)


def wrong_values(configuration: Configuration, declared: Declared) -> Iterator[SettingProblem]:
    """Answer each parameter whose value its plugin cannot take, as far as that plugin has said so."""
    for family, spec, values in _declared_values(configuration, declared):
        if words := spec.form.refusal(values.get(spec.name, "")):
            told = "it is not what the plugin takes" if spec.secret else words
            yield SettingProblem(parameter_setting(family, spec.name), told)


def missing_values(configuration: Configuration, declared: Declared) -> Iterator[SettingProblem]:
    """Answer each parameter that has no value and that its plugin cannot do without."""
    config = configuration.config
    for family, spec, values in _declared_values(configuration, declared):
        if is_needed(spec, values, auto_discovery=config.auto_discovery) and not values.get(spec.name):
            yield SettingProblem(
                parameter_setting(family, spec.name),
                f"the plugin {family.plugin(config)} needs it: fill it in",
            )


def _declared_values(
    configuration: Configuration, declared: Declared
) -> Iterator[tuple[Family, ParameterSpec, Mapping[str, str]]]:
    for family in Family:
        if family.plugin(configuration.config):
            values = family.parameters(configuration.config)
            yield from ((family, spec, values) for spec in declared.get(family, ()))


def _parameter_problems(setting: str, name: str, value: str) -> Iterator[SettingProblem]:
    if is_sealed(value):
        yield SettingProblem(
            setting, f"{SEALED!r} at its beginning marks what is stored sealed: leave it out"
        )
        return
    try:
        write_plugin({name: value})
    except ConfigInvalid as error:
        yield SettingProblem(setting, error.reason)


def _command_problems(configuration: Configuration) -> Iterator[SettingProblem]:
    for field in CommandField:
        line = configuration.config.command(field)
        if any(char == "\0" or "\ud800" <= char <= "\udfff" for char in line):
            yield SettingProblem(field, "it holds a NUL, or half a character")
        elif line and not line.split(",")[0].strip():
            yield SettingProblem(field, "it names no program: write it as program,argument,argument")


def _policy_problems(policies: Sequence[FilePolicy]) -> Iterator[SettingProblem]:
    seen: set[str] = set()
    for number, policy in enumerate(policies):
        name = policy_setting(number, "Policy")
        try:
            check_policy(name, policy.name)
        except ConfigInvalid as error:
            yield SettingProblem(error.field, error.reason)
        if policy.name in seen:
            yield SettingProblem(name, f"there is another policy {policy.name!r}: give one a new name")
        seen.add(policy.name)
        yield from _number(policy_setting(number, "BackupRetention"), policy.keep_backups, 1)
        yield from _number(policy_setting(number, "ArchiveRetention"), policy.keep_archives, 0)


def _number(setting: str, value: int, least: int) -> Iterator[SettingProblem]:
    if not least <= value <= LARGEST:
        yield SettingProblem(setting, f"{value} is not a whole number from {least} to {LARGEST}")


def _plan_problems(configuration: Configuration) -> Iterator[SettingProblem]:
    try:
        planned_backup(configuration.config, configuration.layout)
    except PlanRefused as refused:
        for problem in refused.problems:
            yield SettingProblem("Plan", problem.words)
    except ConfigInvalid as error:
        yield SettingProblem("Plan", str(error))
