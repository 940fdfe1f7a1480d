"""The storage plugin ``container-basic``: copies files out of a pod of Kubernetes or OpenShift, and back.

Fossul runs ``oc rsync`` or ``kubectl cp`` for it (fossul-behaviour.md §7.6); here the worker asks the cluster
itself, and what it copies is verified and kept as the plugin ``filesystem`` keeps files.
"""

from workflows_app.domain.results import ParameterSpec, PluginInfo
from workflows_app.plugins.kubernetes_files.parameters import SPECS
from workflows_app.plugins.kubernetes_files.storage import CAPABILITIES, PodFilesStorage


class ContainerBasicStorage(PodFilesStorage):
    """A storage plugin that backs up the files of a pod."""

    def __init__(self) -> None:
        super().__init__("container", ("CopyCmdPath",))

    def info(self) -> PluginInfo:
        """What the plugin is, can do and wants to know."""
        return PluginInfo(
            name="container-basic",
            description="Copies files out of a pod into a verified, compressed archive, and back into it",
            version="1.0.0",
            type="storage",
            capabilities=CAPABILITIES,
            parameters=(
                *SPECS,
                ParameterSpec(
                    name="CopyCmdPath",
                    help="Fossul's, for its oc or kubectl; not used: the worker speaks to the cluster itself",
                ),
            ),
        )


plugin = ContainerBasicStorage()
