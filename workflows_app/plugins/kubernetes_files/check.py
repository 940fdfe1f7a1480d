"""Tries beforehand what a backup of a pod's files needs: cluster, rights, pod, its tar, paths."""

from collections.abc import Iterator
from dataclasses import replace

from workflows_app.domain.errors import ConfigInvalid, PluginFailed
from workflows_app.domain.findings import Finding, bad, doubtful, good, refusal, unknown
from workflows_app.plugins.base import PluginContext
from workflows_app.plugins.filesystem.folder_check import check_folder
from workflows_app.plugins.filesystem.parameters import Parameters, Place
from workflows_app.plugins.kubernetes.client import Cluster, connected
from workflows_app.plugins.kubernetes.errors import ClusterRefused
from workflows_app.plugins.kubernetes.exec import run_in_pod
from workflows_app.plugins.kubernetes.pods import Pod, find_pod
from workflows_app.plugins.kubernetes.rights import may
from workflows_app.plugins.kubernetes_files.parameters import pod_sources
from workflows_app.plugins.kubernetes_files.tar_program import find_tar
from workflows_app.plugins.wording import shown

SOURCES = "BackupSrcPaths"
POD = "PodSelector"


def check_pod_files(context: PluginContext) -> tuple[Finding, ...]:
    """Look at all that a run needs; nothing is changed.

    Raises PluginFailed and ConfigInvalid when the cluster cannot be asked at all.
    """
    with connected(context) as cluster:
        return (*_look(context, cluster), *_destination(context))


def _look(context: PluginContext, cluster: Cluster) -> Iterator[Finding]:
    yield from _rights(cluster)
    try:
        pod = find_pod(cluster, context.parameters, lambda text: None)
    except PluginFailed as error:
        yield bad(str(error), POD)
        return
    yield good(f"Pod {pod.name}, container {pod.container}", POD)
    try:
        tar = find_tar(context, cluster, pod)
    except PluginFailed as error:
        yield bad(str(error))
        return
    times = "" if tar.extended else "; it keeps times in whole seconds"
    yield good(f"The container has {tar.version}{times}")
    if context.config.auto_discovery:
        yield unknown("What is backed up is found when a run discovers the application", SOURCES)
        return
    yield from _sources(context, cluster, pod)


def _rights(cluster: Cluster) -> Iterator[Finding]:
    try:
        lists = may(cluster, "list", "pods")
        # Before Kubernetes 1.35 a WebSocket needs get, and create from then on.
        execs = {verb: may(cluster, verb, "pods", subresource="exec") for verb in ("create", "get")}
    except ClusterRefused as error:
        yield unknown(f"The rights are not known: {error}")
        return
    yield good(f"The cluster {cluster.host} answers")
    where = f"in namespace {cluster.namespace!r}"
    if lists and all(execs.values()):
        yield good(f"The worker may list pods and run commands in them {where}")
    if not lists:
        yield bad(f"The worker may not list pods {where}: give it a Role with the verb 'list' on 'pods'")
    if not all(execs.values()):
        missing = " and ".join(verb for verb, allowed in execs.items() if not allowed)
        found = doubtful if any(execs.values()) else bad
        yield found(
            f"The worker may not {missing} pods/exec {where}: give it a Role with the verbs 'create' and "
            "'get' on 'pods/exec'"
        )


def _sources(context: PluginContext, cluster: Cluster, pod: Pod) -> Iterator[Finding]:
    try:
        # A test tells of no run, which the parameters want to know of.
        of_a_run = replace(context, config=context.config.for_run(1, "check", 0))
        sources = pod_sources(Parameters.of(of_a_run))
    except ConfigInvalid as error:
        yield refusal(error)
        return
    for source in sources:
        ended = run_in_pod(context, cluster, pod, ["test", "-r", source], lambda channel, line: None)
        if ended.ok:
            yield good(f"{shown(source)} can be read in the container", SOURCES)
        elif ended.code == 1:
            yield bad(
                f"{shown(source)} is not in the container, or its user may not read it. Correct the path",
                SOURCES,
            )
        else:
            yield unknown(f"{shown(source)} cannot be looked at: {ended.reason}", SOURCES)


def _destination(context: PluginContext) -> Iterator[Finding]:
    try:
        folder = Place.of(context).destination
    except ConfigInvalid as error:
        yield refusal(error)
    else:
        yield from check_folder("BackupDestPath", folder)
