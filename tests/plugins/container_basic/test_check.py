"""What a test of a configuration finds, without a run."""

from tests.plugins.container_basic.conftest import PodStorage
from tests.plugins.kubernetes.api_server import ready_pod
from workflows_app.domain.config import Config
from workflows_app.domain.findings import Finding, FindingState
from workflows_app.plugins.base import CheckingPlugin


def findings_of(pod: PodStorage, **parameters: str) -> tuple[Finding, ...]:
    call = pod.call(**parameters)
    object.__setattr__(call.context, "config", Config(profile_name="test", config_name="shop"))
    assert isinstance(pod.storage, CheckingPlugin)
    return pod.storage.check(call.context)


def words_of(findings: tuple[Finding, ...], state: FindingState) -> str:
    return "\n".join(finding.words for finding in findings if finding.state == state)


def test_all_that_is_good_is_told(pod: PodStorage) -> None:
    findings = findings_of(pod)
    assert {finding.state for finding in findings} <= {FindingState.GOOD, FindingState.WARN}  # a full disk
    words = words_of(findings, FindingState.GOOD)
    assert f"The cluster {pod.server.url} answers" in words
    assert "may list pods and run commands" in words
    assert "Pod db-0, container main" in words
    assert "The container has tar (GNU tar)" in words
    assert f"{pod.source} can be read in the container" in words
    assert f"{pod.destination} can be written" in words
    assert pod.kept() == []


def test_missing_rights_are_named(pod: PodStorage) -> None:
    pod.server.denied = {("create", "pods/exec"), ("get", "pods/exec"), ("list", "pods")}
    words = words_of(findings_of(pod), FindingState.BAD)
    assert "may not list pods" in words
    assert "may not create and get pods/exec" in words


def test_a_right_that_only_some_versions_need_is_a_warning(pod: PodStorage) -> None:
    pod.server.denied = {("get", "pods/exec")}
    assert "may not get pods/exec" in words_of(findings_of(pod), FindingState.WARN)


def test_a_pod_without_tar_is_bad(pod: PodStorage) -> None:
    pod.server.path = "/nowhere"
    assert "There is no program tar" in words_of(findings_of(pod), FindingState.BAD)


def test_a_pod_that_is_not_there_is_bad(pod: PodStorage) -> None:
    pod.server.pods["shop"] = [ready_pod("db-0", phase="Pending")]
    assert "db-0 is Pending" in words_of(findings_of(pod), FindingState.BAD)


def test_a_path_that_is_not_there_is_bad(pod: PodStorage) -> None:
    findings = findings_of(pod, BackupSrcPaths=f"{pod.source},{pod.source}-other")
    (bad,) = [finding for finding in findings if finding.state == FindingState.BAD]
    assert bad.parameter == "BackupSrcPaths"
    assert f"{pod.source}-other is not in the container" in bad.words


def test_a_destination_that_is_not_there_is_a_warning(pod: PodStorage) -> None:
    findings = findings_of(pod, BackupDestPath=f"{pod.destination}/new")
    assert "does not exist; a run makes it" in words_of(findings, FindingState.WARN)
