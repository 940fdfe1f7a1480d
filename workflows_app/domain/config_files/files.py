"""The files of one configuration together: the main file and one for each plugin that it names."""

from codecs import BOM_UTF8
from collections.abc import Mapping
from dataclasses import dataclass

from workflows_app.domain.config import check_name
from workflows_app.domain.config_files.configuration import Configuration, Family
from workflows_app.domain.config_files.main_file import read_main, write_main
from workflows_app.domain.config_files.notes import Note, Outcome
from workflows_app.domain.config_files.shared_file import read_shared, write_shared
from workflows_app.domain.errors import ConfigInvalid, PlanRefused
from workflows_app.domain.plans.plan_layouts import layout_text
from workflows_app.domain.plans.planned_backups import planned_backup

SUFFIX = ".conf"

Files = dict[str, str]
"""Texts by file name."""


@dataclass(frozen=True, slots=True)
class FileReport:
    """What was read of one file: how many settings were taken, what was changed or dropped.

    ``refused`` says why the file, and with it the whole folder, is not taken; ``""`` when it is.
    """

    name: str
    taken: int = 0
    notes: tuple[Note, ...] = ()
    refused: str = ""


def read_files(name: str, files: Mapping[str, bytes]) -> tuple[Configuration | None, tuple[FileReport, ...]]:
    """Read the files of the configuration ``name``: contents by file name. Never raises.

    Answers None for the configuration when one of the files is refused.
    """
    main = f"{name}{SUFFIX}"
    if main not in files:
        return None, (FileReport(main, refused="the main file is missing"),)
    reports: list[FileReport] = []
    content, marked = without_mark(files[main])
    try:
        read = read_main(content)
        configuration = read.configuration
        plugins = _plugin_files(name, configuration)
        notes = (*marked, *read.notes, *_plan_notes(configuration))
    except (ConfigInvalid, PlanRefused) as error:
        return None, (FileReport(main, refused=str(error)),)
    reports.append(FileReport(main, read.taken + len(configuration.policies), notes))
    parameters: dict[str, dict[str, str]] = {}
    for file, families in plugins.items():
        if file not in files:
            # Fossul cannot start a run then (§2 "Consolidation for a run").
            why = f"{file} is missing; make it, be it empty, for a plugin that is named"
            reports.append(FileReport(file, refused=why))
            continue
        try:
            content, marked = without_mark(files[file])
            read_of = read_shared(content, families)
        except ConfigInvalid as error:
            reports.append(FileReport(file, refused=str(error)))
            continue
        keys = {key for plugin in read_of.values() for key in plugin.values}
        told = dict.fromkeys(note for plugin in read_of.values() for note in plugin.notes)
        reports.append(FileReport(file, len(keys), (*marked, *told)))
        parameters |= {family.parameters_attribute: dict(read_of[family].values) for family in families}
    for file in sorted(files.keys() - plugins.keys() - {main}):
        note = Note(Outcome.DROPPED, "the file", "the main file names no plugin of this name")
        reports.append(FileReport(file, notes=(note,)))
    if any(report.refused for report in reports):
        return None, tuple(reports)
    return configuration.with_settings(**parameters), tuple(reports)


def write_files(name: str, configuration: Configuration, plan: str | None = None) -> Files:
    """Write the files of the configuration ``name``, which ``read_files`` and Fossul read back the same.

    ``plan`` is put in place of the configuration's own plan. Raises ConfigInvalid for what files cannot
    hold: two plugins of one name with different values for a parameter, or a plugin named as the
    configuration.
    """
    texts: dict[str, str] = {}
    for file, families in _plugin_files(name, configuration).items():
        texts[file] = write_shared({family: family.parameters(configuration.config) for family in families})
    text = write_main(configuration)
    if plan is None:
        plan = layout_text(configuration.layout)
    return {f"{name}{SUFFIX}": f"{text}\n{plan}" if plan else text, **texts}


def without_mark(content: bytes) -> tuple[bytes, tuple[Note, ...]]:
    """A file without the byte order mark that editors on Windows begin a text with, and what to say of it."""
    if not content.startswith(BOM_UTF8):
        return content, ()
    return content.removeprefix(BOM_UTF8), (
        Note(Outcome.DROPPED, "the byte order mark", "Fossul would stumble over it", 1),
    )


def _plan_notes(configuration: Configuration) -> tuple[Note, ...]:
    """What keeps a configuration from being run; raises PlanRefused where its own plan does."""
    try:
        planned_backup(configuration.config, configuration.layout)
    except PlanRefused as error:
        if configuration.plan is not None:
            raise
        return (Note(Outcome.CHANGED, "the plan", f"no run starts as it stands: {error}"),)
    return ()


def _plugin_files(name: str, configuration: Configuration) -> dict[str, list[Family]]:
    """The plugin files that a configuration needs, with the families that each is for."""
    files: dict[str, list[Family]] = {}
    for family in Family:
        plugin = family.plugin(configuration.config)
        if not plugin:
            continue
        check_name(f"{family}Plugin", plugin)
        if plugin == name:
            raise ConfigInvalid(
                f"{family}Plugin",
                f"its file would be {name}{SUFFIX}, which is the main file; rename one of them",
            )
        files.setdefault(f"{plugin}{SUFFIX}", []).append(family)
    return files
