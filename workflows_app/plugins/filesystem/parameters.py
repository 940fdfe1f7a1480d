"""The parameters of the plugin: what it declares, and how their text is read."""

import os
import re
from dataclasses import dataclass
from pathlib import Path

from workflows_app.domain.errors import ConfigInvalid
from workflows_app.domain.parameter_kinds import PATH, SIZE, number
from workflows_app.domain.results import ParameterSpec
from workflows_app.plugins.base import PluginContext
from workflows_app.plugins.storing.names import NAME_SPEC, Owner, own_name
from workflows_app.plugins.storing.sources import SOURCES_SPEC, absolute_path, source_paths
from workflows_app.plugins.values import whole_number

DEFAULT_LEVEL = 3
MAX_LEVEL = 19
# The most worker threads that zstd itself allows.
MAX_THREADS = 256

SPECS = (
    NAME_SPEC,
    SOURCES_SPEC,
    ParameterSpec(
        name="BackupDestPath",
        help="The absolute path of the folder that keeps the backups, where the worker runs. A backup is in "
        "<profile>/<configuration>/<backup name> below it.",
        required=True,
        form=PATH,
    ),
    ParameterSpec(
        name="CompressionLevel",
        help="How hard zstd tries, from 1 (quick) to 19 (small, slow, and with more memory).",
        default=str(DEFAULT_LEVEL),
        form=number(1, MAX_LEVEL),
    ),
    ParameterSpec(
        name="CompressionThreads",
        help="How many threads compress, each with its own memory. Empty: one for each CPU of the worker.",
        form=number(1, MAX_THREADS),
    ),
    ParameterSpec(
        name="BandwidthLimit",
        help="How many bytes per second are read from the source at most, such as 512K, 12M or 1G (binary "
        "units). Empty: no limit.",
        form=SIZE,
    ),
)

_UNITS = {"": 1, "K": 1024, "M": 1024**2, "G": 1024**3}
_RATE = re.compile(r"([0-9]{1,15})([KMG]?)", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Place:
    """Where a configuration keeps its backups, and ``base``, the first part of their names.

    That is all that a look at them needs: no source, and no run.
    """

    profile: str
    config: str
    base: str
    destination: Path

    @classmethod
    def of(cls, context: PluginContext) -> "Place":
        """Read the place of a call's backups. Raises ConfigInvalid, which names what is refused."""
        owner = Owner.of(context)
        destination = _destination(context.parameters.get("BackupDestPath", ""))
        return cls(owner.profile, owner.config, owner.base, destination)


@dataclass(frozen=True, slots=True)
class Parameters:
    """What a call asks for, checked as far as that needs no look at the disk.

    ``name`` is the backup's full name, ``bandwidth`` in bytes per second, None for no limit.
    """

    profile: str
    config: str
    policy: str
    workflow_id: str
    epoch: int
    name: str
    sources: tuple[Path, ...]
    destination: Path
    level: int
    threads: int
    bandwidth: int | None

    @classmethod
    def of(cls, context: PluginContext) -> "Parameters":
        """Read the parameters of a call. Raises ConfigInvalid, which names the one that is refused."""
        config, given = context.config, context.parameters
        place = Place.of(context)
        return cls(
            profile=place.profile,
            config=place.config,
            policy=config.selected_backup_policy,
            workflow_id=config.workflow_id,
            epoch=config.workflow_timestamp,
            name=own_name(context),
            sources=tuple(Path(path) for path in source_paths(context)),
            destination=place.destination,
            level=whole_number(
                "CompressionLevel", given.get("CompressionLevel", ""), DEFAULT_LEVEL, MAX_LEVEL
            ),
            threads=whole_number(
                "CompressionThreads", given.get("CompressionThreads", ""), _cpus(), MAX_THREADS
            ),
            bandwidth=_rate("BandwidthLimit", given.get("BandwidthLimit", "")),
        )


def _cpus() -> int:
    """How many CPUs this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return min(len(os.sched_getaffinity(0)), MAX_THREADS)
    return min(os.cpu_count() or 1, MAX_THREADS)  # macOS


def _destination(text: str) -> Path:
    if not text.strip():
        raise ConfigInvalid("BackupDestPath", "is empty: give the absolute path of the folder for backups")
    return Path(absolute_path("BackupDestPath", text.strip()))


def _rate(field: str, text: str) -> int | None:
    text = text.strip()
    if not text:
        return None
    match = _RATE.fullmatch(text)
    rate = int(match[1]) * _UNITS[match[2].upper()] if match else 0
    if rate < 1:
        raise ConfigInvalid(
            field,
            f"{text!r} is not a number of bytes per second above 0: use digits with K, M or G after them, "
            "such as 12M, or leave it empty for no limit",
        )
    return rate
