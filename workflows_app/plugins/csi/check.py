"""Tries beforehand what a backup by snapshots needs: rights, claims, a class for each."""

from collections.abc import Iterator

from workflows_app.domain.errors import PluginFailed
from workflows_app.domain.findings import Finding, bad, good, refusal, unknown
from workflows_app.plugins.base import PluginContext
from workflows_app.plugins.checking import looked
from workflows_app.plugins.csi.claims import find_claims
from workflows_app.plugins.csi.classes import snapshot_class_for
from workflows_app.plugins.csi.objects import CLAIMS, SNAPSHOTS, Objects
from workflows_app.plugins.csi.parameters import Parameters
from workflows_app.plugins.csi.snapshots import backups_of, own_snapshots
from workflows_app.plugins.kubernetes.client import Cluster, connected
from workflows_app.plugins.kubernetes.errors import ClusterRefused
from workflows_app.plugins.kubernetes.rights import may

_NEEDED = (
    *((verb, SNAPSHOTS) for verb in ("create", "get", "list", "patch", "delete")),
    *((verb, CLAIMS) for verb in ("create", "get", "delete")),
)


def check_snapshots(context: PluginContext) -> tuple[Finding, ...]:
    """Look at all that a run needs; nothing is changed.

    Raises PluginFailed and ConfigInvalid when there is no way to ask the cluster.
    """
    return looked(context, Parameters.of, _look)


def _look(context: PluginContext, parameters: Parameters) -> Iterator[Finding]:
    with connected(context) as cluster:
        yield from _cluster(cluster, Objects(cluster), parameters)


def _cluster(cluster: Cluster, objects: Objects, parameters: Parameters) -> Iterator[Finding]:
    yield from _rights(cluster)
    try:
        count = len(backups_of(own_snapshots(objects, parameters)))
    except ClusterRefused as error:
        missing = "The cluster knows no VolumeSnapshots: its CRDs are not installed"
        yield bad(missing) if error.status == 404 else refusal(error)
    except PluginFailed as error:
        yield refusal(error)
        return
    else:
        yield good(f"The cluster has VolumeSnapshots, and {count} backups of this configuration")
    try:
        claims = find_claims(objects, parameters)
    except PluginFailed as error:
        yield refusal(error, "DeploymentName" if parameters.workload else "PvcNames")
        return
    for claim in claims:
        try:
            chosen = snapshot_class_for(objects, parameters, claim)
        except PluginFailed as error:
            yield refusal(error, "SnapshotClass")
        else:
            yield good(f"The claim {claim.name} ({claim.size}) is bound; its snapshot class is {chosen}")


def _rights(cluster: Cluster) -> Iterator[Finding]:
    try:
        missing = [
            f"{verb} {kind.plural}"
            for verb, kind in _NEEDED
            if not may(cluster, verb, kind.plural, group=kind.group)
        ]
    except ClusterRefused as error:
        yield unknown(f"The rights are not known: {error}")
        return
    where = f"in namespace {cluster.namespace!r}"
    if missing:
        yield bad(f"The worker may not {', '.join(missing)} {where}: give it a Role with these")
    else:
        yield good(f"The worker may do with snapshots and claims what it needs to {where}")
