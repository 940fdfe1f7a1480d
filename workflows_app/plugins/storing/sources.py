"""The paths to back up: how a storage plugin declares and reads them, and tries whether they can be read."""

import os
from pathlib import Path

from workflows_app.domain.errors import ConfigInvalid
from workflows_app.domain.findings import Finding, bad, good, unknown
from workflows_app.domain.parameter_kinds import PATHS
from workflows_app.domain.results import ParameterSpec
from workflows_app.plugins.base import PluginContext
from workflows_app.plugins.wording import reason_of, shown

SOURCES = "BackupSrcPaths"

SOURCES_SPEC = ParameterSpec(
    name=SOURCES,
    help="The folders and files to back up: absolute paths where the worker runs, separated by commas. "
    "With automatic discovery, what the application reports takes their place.",
    required=True,
    form=PATHS,
)

DISCOVERED = unknown("What is backed up is discovered by the application's plugin in each run", SOURCES)
"""What a test finds where no path is given."""


def source_paths(context: PluginContext) -> tuple[str, ...]:
    """The paths of the parameter; those of the application when it was discovered (fossul-behaviour.md §7.6).

    Raises ConfigInvalid when there are none, or one is not absolute.
    """
    discovered = context.config.auto_discovery
    names = ("DataFilePaths", "LogFilePaths") if discovered else (SOURCES,)
    paths = tuple(
        absolute_path(name, text.strip())
        for name in names
        for text in context.parameters.get(name, "").split(",")
        if text.strip()
    )
    if not paths:
        why = (
            "the application reported no paths to back up: check its app plugin, or turn autoDiscovery off"
            if discovered
            else "is empty: give the absolute paths to back up, separated by commas"
        )
        raise ConfigInvalid(names[0], why)
    return paths


def absolute_path(field: str, text: str) -> str:
    """``text``, when it is an absolute path. Raises ConfigInvalid."""
    if not text.startswith("/") or "\0" in text:
        raise ConfigInvalid(field, f"{text!r} is not an absolute path: let it begin with '/'")
    return text


def check_readable(path: str) -> Finding:
    """Whether the worker can read a source: a file, or of a folder the first level."""
    try:
        return good(f"{shown(path)} can be read: {_contents(path)}", SOURCES)
    except OSError as error:
        return bad(
            f"{shown(path)} cannot be read: {reason_of(error)}. The worker's user (uid {os.geteuid()}) must "
            "be able to",
            SOURCES,
        )


def _contents(path: str) -> str:
    """What a source is, of which the first level can be read. Raises OSError."""
    if not Path(path).is_dir():
        with Path(path).open("rb"):
            return "a file"
    with os.scandir(path) as entries:
        count = sum(1 for _ in entries)
    return f"a folder with {count} {'entry' if count == 1 else 'entries'}"
