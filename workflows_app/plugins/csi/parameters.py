"""The parameters of the plugin: what it declares, and how their text is read."""

import re
from dataclasses import dataclass

from workflows_app.domain.errors import ConfigInvalid
from workflows_app.domain.parameter_kinds import FLAG, choice, number
from workflows_app.domain.results import ParameterSpec
from workflows_app.plugins.base import PluginContext
from workflows_app.plugins.kubernetes.client import PARAMETERS as CLUSTER_PARAMETERS
from workflows_app.plugins.storing.names import NAME_SPEC, Owner
from workflows_app.plugins.values import flag, one_of, whole_number

WORKLOADS = ("Deployment", "StatefulSet", "DeploymentConfig")
DEFAULT_TIMEOUT = 300
_MOST_SECONDS = 86_400
_NAME = re.compile(r"[a-z0-9](?:[a-z0-9.-]{0,251}[a-z0-9])?")

# Namespace, DeploymentType, DeploymentName and the next four names are Fossul's (fossul-behaviour.md §7.6).
SPECS = (
    *CLUSTER_PARAMETERS,
    ParameterSpec(
        name="DeploymentName",
        help="The workload whose claims are backed up. Empty: PvcNames or PvcSelector say which.",
    ),
    ParameterSpec(
        name="DeploymentType",
        help="What DeploymentName is.",
        default="Deployment",
        form=choice(*WORKLOADS),
    ),
    ParameterSpec(
        name="SnapshotTimeoutSeconds",
        help="How long the snapshots may take until they are ready to use.",
        default=str(DEFAULT_TIMEOUT),
        form=number(1, _MOST_SECONDS),
    ),
    ParameterSpec(
        name="OverwritePvcOnRestore",
        help="true: a restore points the workload to the restored claims. Its own claims stay as they are. "
        "false: it makes new claims beside, and touches nothing else.",
        default="false",
        form=FLAG,
    ),
    ParameterSpec(
        name="RestoreToNewPvc",
        help="Fossul's; new claims are made always. true with OverwritePvcOnRestore is refused.",
        default="false",
        form=FLAG,
    ),
    ParameterSpec(
        name="PvcDeletionTimeout",
        help="Fossul's, for its deletion of the live claim; not used: no claim is ever deleted.",
    ),
    ParameterSpec(name="PvcNames", help="The claims to back up, by name, separated by commas."),
    ParameterSpec(
        name="PvcSelector", help="The claims to back up, by their labels, such as app=shop,tier=db."
    ),
    ParameterSpec(
        name="SnapshotClass",
        help="The VolumeSnapshotClass. Empty: the default one of the claim's driver, else its only one.",
    ),
    ParameterSpec(
        name="BindTimeoutSeconds",
        help="How long a restored claim may take until it is bound, and a workload until it is ready.",
        default=str(DEFAULT_TIMEOUT),
        form=number(1, _MOST_SECONDS),
    ),
    NAME_SPEC,
)


@dataclass(frozen=True, slots=True)
class Parameters:
    """What a call asks for. Times are in seconds; ``workload`` is empty where claims are named otherwise."""

    profile: str
    config: str
    base: str
    workload_type: str
    workload: str
    claims: tuple[str, ...]
    selector: str
    snapshot_class: str
    snapshot_timeout: int
    bind_timeout: int
    overwrites: bool

    @classmethod
    def of(cls, context: PluginContext) -> "Parameters":
        """Read the parameters of a call. Raises ConfigInvalid, which names the one that is refused."""
        owner, given = Owner.of(context), context.parameters
        overwrites = flag("OverwritePvcOnRestore", given.get("OverwritePvcOnRestore", ""), default=False)
        if overwrites and flag("RestoreToNewPvc", given.get("RestoreToNewPvc", ""), default=False):
            raise ConfigInvalid("RestoreToNewPvc", "and OverwritePvcOnRestore are both true: choose one")
        read = cls(
            profile=owner.profile,
            config=owner.config,
            base=owner.base,
            workload_type=one_of("DeploymentType", given.get("DeploymentType", ""), WORKLOADS, WORKLOADS[0]),
            workload=_name("DeploymentName", given.get("DeploymentName", "").strip()),
            claims=tuple(
                _name("PvcNames", part.strip())
                for part in given.get("PvcNames", "").split(",")
                if part.strip()
            ),
            selector=given.get("PvcSelector", "").strip(),
            snapshot_class=_name("SnapshotClass", given.get("SnapshotClass", "").strip()),
            snapshot_timeout=_seconds(context, "SnapshotTimeoutSeconds"),
            bind_timeout=_seconds(context, "BindTimeoutSeconds"),
            overwrites=overwrites,
        )
        read._check()
        return read

    def _check(self) -> None:
        named = [
            name
            for name, value in (
                ("DeploymentName", self.workload),
                ("PvcNames", self.claims),
                ("PvcSelector", self.selector),
            )
            if value
        ]
        if not named:
            raise ConfigInvalid(
                "DeploymentName", "is empty, and PvcNames and PvcSelector are, too: say what to back up"
            )
        if len(named) > 1:
            raise ConfigInvalid(named[1], f"and {named[0]} are both given: say in one way what to back up")
        if self.overwrites and not self.workload:
            raise ConfigInvalid(
                "OverwritePvcOnRestore", "needs DeploymentName: which workload is to use the restored claims?"
            )
        if self.overwrites and self.workload_type == "StatefulSet":
            raise ConfigInvalid(
                "OverwritePvcOnRestore",
                "cannot be done for a StatefulSet, which knows its claims by name: restore to new claims",
            )


def _seconds(context: PluginContext, field: str) -> int:
    return whole_number(field, context.parameters.get(field, ""), DEFAULT_TIMEOUT, _MOST_SECONDS)


def _name(field: str, text: str) -> str:
    if text and not _NAME.fullmatch(text):
        raise ConfigInvalid(field, f"{text!r} is not the name of an object of Kubernetes")
    return text
