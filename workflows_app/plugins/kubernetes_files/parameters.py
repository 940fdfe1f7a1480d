"""The parameters of the plugins that keep a pod's files: what they declare, and how their text is read."""

import posixpath
from itertools import combinations

from workflows_app.domain.errors import ConfigInvalid
from workflows_app.domain.parameter_kinds import FLAG, PATH
from workflows_app.domain.results import ParameterSpec
from workflows_app.plugins.base import PluginContext
from workflows_app.plugins.filesystem.parameters import SPECS as FILESYSTEM
from workflows_app.plugins.filesystem.parameters import Parameters
from workflows_app.plugins.kubernetes.client import PARAMETERS as CLUSTER
from workflows_app.plugins.kubernetes.pods import PARAMETERS as PODS

# What of the plugin ``filesystem`` holds here as well.
_SHARED = (
    "BackupName",
    "BackupSrcPaths",
    "BackupDestPath",
    "CompressionLevel",
    "CompressionThreads",
    "BandwidthLimit",
)
_OURS = {
    "BackupSrcPaths": "The folders and files to back up: absolute paths in the container, separated by "
    "commas. With automatic discovery, what the application reports takes their place.",
    "BandwidthLimit": "How many bytes per second come out of the pod at most, such as 512K, 12M or 1G "
    "(binary units). Empty: no limit.",
}

SPECS = (
    *CLUSTER,
    *PODS,
    ParameterSpec(
        name="AccessWithinCluster",
        help="true: the cluster that the worker runs in. Empty: as the configuration says",
        form=FLAG,
    ),
    *(
        spec.model_copy(update={"help": _OURS[spec.name]}) if spec.name in _OURS else spec
        for spec in FILESYSTEM
        if spec.name in _SHARED
    ),
    ParameterSpec(
        name="RestorePath",
        help="The folder in the container below which a restore writes, unless it is asked for another one. "
        "Empty: the paths that the files came from",
        default="/",
        form=PATH,
    ),
)
"""What both plugins declare."""


def pod_sources(parameters: Parameters) -> tuple[str, ...]:
    """The absolute paths in the container to back up, tidied up.

    Raises ConfigInvalid for the root, and for two that contain each other.
    """
    sources = tuple(posixpath.normpath(f"/{str(path).lstrip('/')}") for path in parameters.sources)
    if "/" in sources:
        raise ConfigInvalid(
            "BackupSrcPaths", "'/' has /proc and /sys in it, too: give the folders that hold the data"
        )
    for one, other in combinations(sources, 2):
        outer, inner = sorted((one, other), key=len)
        if inner == outer or inner.startswith(f"{outer}/"):
            raise ConfigInvalid(
                "BackupSrcPaths",
                f"{inner!r} lies in {outer!r} and would be backed up twice: remove one of them",
            )
    return sources


def restore_root(context: PluginContext) -> str:
    """The folder in the container below which a restore writes; ``/`` for the paths of the backup.

    Raises ConfigInvalid.
    """
    field = "target" if context.restore.target else "RestorePath"
    text = context.restore.target or context.parameters.get("RestorePath", "").strip() or "/"
    if not text.startswith("/") or not text.isprintable() or ".." in text.split("/"):
        raise ConfigInvalid(field, f"{text!r} is not an absolute path without '..': let it begin with '/'")
    return posixpath.normpath(f"/{text.lstrip('/')}")
