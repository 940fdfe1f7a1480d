"""The parameters of the plugin: what it declares, and how their text is read."""

import os
from dataclasses import dataclass
from pathlib import Path

from workflows_app.domain.config import check_name
from workflows_app.domain.errors import ConfigInvalid, PluginFailed
from workflows_app.domain.parameter_kinds import FLAG, PATH
from workflows_app.domain.results import ParameterSpec
from workflows_app.plugins.base import PluginContext
from workflows_app.plugins.values import flag
from workflows_app.plugins.wording import shown

SPECS = (
    ParameterSpec(
        name="ArchivePath",
        help="The absolute path of an existing folder, on another disk or mount than the backups, where the "
        "worker runs. An archive is in <profile>/<configuration>/<backup name> below it.",
        required=True,
        form=PATH,
    ),
    ParameterSpec(
        name="RequireMount",
        help="true: refuse to archive while nothing is mounted at ArchivePath, so that a disk that is "
        "missing is never mistaken for an empty one.",
        default="false",
        form=FLAG,
    ),
)


@dataclass(frozen=True, slots=True)
class Parameters:
    """What a call asks for; ``root`` is the existing folder of all archives."""

    profile: str
    config: str
    root: Path

    @classmethod
    def of(cls, context: PluginContext) -> "Parameters":
        """Read the parameters of a call.

        Raises ConfigInvalid, which names the one that is refused, and PluginFailed when there is no such
        folder or nothing is mounted there.
        """
        config, given = context.config, context.parameters
        check_name("profileName", config.profile_name)
        check_name("configName", config.config_name)
        text = given.get("ArchivePath", "").strip()
        if not text.startswith("/") or "\0" in text:
            raise ConfigInvalid("ArchivePath", f"{text!r} is not an absolute path: let it begin with '/'")
        root = Path(text)
        must_be_mount = flag("RequireMount", given.get("RequireMount", ""), default=False)
        backups = config.storage_plugin_parameters.get("BackupDestPath", "").strip()
        if backups.startswith("/") and _overlap(root, Path(backups)):
            raise ConfigInvalid(
                "ArchivePath",
                f"{shown(text)} and BackupDestPath {shown(backups)} lie in each other: archives need a place "
                "of their own, best on another disk",
            )
        if not root.is_dir():
            raise PluginFailed(
                f"The archive folder {shown(text)} does not exist: check ArchivePath and that its disk is "
                "mounted on this worker"
            )
        if must_be_mount and not root.is_mount():
            raise PluginFailed(
                f"Nothing is mounted at {shown(text)}: mount the disk for archives on this worker, or set "
                "RequireMount to false"
            )
        return cls(config.profile_name, config.config_name, root)


def shares_disk(context: PluginContext, root: Path) -> bool:
    """Whether archives and backups lie on the same disk, which is lost with both."""
    backups = context.config.storage_plugin_parameters.get("BackupDestPath", "").strip()
    try:
        return bool(backups) and Path(backups).stat().st_dev == root.stat().st_dev
    except OSError:
        return False


def _overlap(one: Path, other: Path) -> bool:
    first, second = (Path(os.path.realpath(path)) for path in (one, other))
    return first.is_relative_to(second) or second.is_relative_to(first)
