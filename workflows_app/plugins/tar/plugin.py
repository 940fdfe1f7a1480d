"""The storage plugin ``tar``: an archive of files in a pod (fossul-behaviour.md §7.6).

As ``container-basic``, but with the parameters of Fossul's ``tar``: no folder for the backups need be given.
The archive never lies in the pod, as Fossul's does in ``/tmp``; it is written where backups are kept.
"""

from pathlib import Path

from workflows_app.domain.results import ParameterSpec, PluginInfo
from workflows_app.plugins.kubernetes_files.parameters import SPECS
from workflows_app.plugins.kubernetes_files.storage import CAPABILITIES, PodFilesStorage

# Fossul's fixed folder, below the folder that the worker was started in.
_DESTINATION = "data/backups"


class TarStorage(PodFilesStorage):
    """A storage plugin that packs files of a pod."""

    def __init__(self) -> None:
        super().__init__("tar", ("KubeCmd",), str(Path(_DESTINATION).absolute()))

    def info(self) -> PluginInfo:
        """What the plugin is, can do and wants to know."""
        return PluginInfo(
            name="tar",
            description="Packs files of a pod into a verified, compressed archive, and unpacks it there",
            version="1.0.0",
            type="storage",
            capabilities=CAPABILITIES,
            parameters=(
                *(_optional(spec) if spec.name == "BackupDestPath" else spec for spec in SPECS),
                ParameterSpec(
                    name="KubeCmd",
                    help="Fossul's, for its kubectl; not used: the worker speaks to the cluster itself",
                ),
            ),
        )


def _optional(spec: ParameterSpec) -> ParameterSpec:
    help_text = f"{spec.help} Empty: {_DESTINATION} below the folder that the worker was started in."
    return spec.model_copy(update={"required": False, "help": help_text})


plugin = TarStorage()
