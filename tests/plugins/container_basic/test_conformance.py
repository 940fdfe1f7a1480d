"""The plugin keeps the promises of its family."""

from tests.plugins.container_basic.conftest import PodStorage
from workflows_app.plugins.conformance.cases import Verdict
from workflows_app.plugins.conformance.scratch import Scratch
from workflows_app.plugins.conformance.suite import check_plugin
from workflows_app.plugins.conformance.trial import Trial


def test_no_promise_is_broken(pod: PodStorage) -> None:
    root = pod.destination / "scratch"
    root.mkdir()
    given = {"Namespace": "shop", "PodSelector": "db", "KubeConfig": str(pod.server.kubeconfig())}
    trial = Trial(pod.storage, "storage", Scratch(root), given=given, seconds=30, freeze=True)
    outcomes = list(check_plugin(trial))
    assert {outcome.case: outcome.why for outcome in outcomes if outcome.verdict is Verdict.FAIL} == {}
