from dataclasses import replace
from typing import Any

import pytest

from tests.plugins.csi.conftest import App, state_of
from tests.plugins.kubernetes.api_server import status
from workflows_app.domain.errors import Cancelled, ConfigInvalid, PluginFailed
from workflows_app.domain.results import Level
from workflows_app.domain.runs.restores import RestoreRequest
from workflows_app.plugins.csi.plugin import plugin
from workflows_app.plugins.csi.workload import Workload

NEW = ["data-restore-90", "logs-restore-90"]


@pytest.fixture
def changed(app: App) -> App:
    """An application with a backup, whose data is another one since."""
    app.backup()
    for name in ("data", "logs"):
        app.cluster.data[f"pv-{name}"] = f"{name} of now"
    return app


def never_deleted(app: App) -> bool:
    return not any(
        method == "DELETE" and plural == "persistentvolumeclaims" and name in ("data", "logs")
        for method, plural, name in app.cluster.asked
    )


def test_a_restore_makes_new_claims_and_touches_nothing_else(changed: App) -> None:
    before = state_of(changed.cluster)
    assert changed.restore().code == 0
    assert [changed.cluster.data_of(name) for name in NEW] == ["data of then", "logs of then"]
    after = state_of(changed.cluster)
    assert after == before | {"all": sorted(["data", "logs", *NEW])}
    spec = changed.cluster.objects["persistentvolumeclaims"][NEW[0]]["spec"]
    assert (
        spec["resources"]["requests"]["storage"] == "12Gi"
    )  # the snapshot needs more than the claim asked for
    assert (spec["accessModes"], spec["storageClassName"]) == (["ReadWriteOnce"], "fast")


def test_the_workload_can_be_given_the_restored_claims(changed: App) -> None:
    assert changed.restore(OverwritePvcOnRestore="true").code == 0
    assert changed.cluster.claims_of("deployments", "shop") == NEW
    assert changed.cluster.objects["deployments"]["shop"]["spec"]["replicas"] == 2
    assert [changed.cluster.data_of(name) for name in ("data", "logs")] == ["data of now", "logs of now"]
    assert never_deleted(changed)
    volumes = changed.cluster.objects["deployments"]["shop"]["spec"]["template"]["spec"]["volumes"]
    assert volumes[0] == {"name": "scratch", "emptyDir": {}}


def test_a_dry_run_says_what_would_be_done_and_does_nothing(changed: App) -> None:
    before = state_of(changed.cluster)
    assert changed.restore(dry_run=True, OverwritePvcOnRestore="true").code == 0
    assert state_of(changed.cluster) == before
    lines = changed.lines()
    assert any(line.startswith("Would create the claim data-restore-90 (12Gi, ") for line in lines)
    assert any(
        "would be scaled from 2 to 0, given data-restore-90 in place of data" in line for line in lines
    )


def test_a_class_that_waits_for_a_consumer_is_told(changed: App) -> None:
    changed.cluster.add_class("fast", waits=True)
    assert changed.restore().code == 0
    assert "wait for their first consumer" in changed.lines(Level.WARN)[-1]


def test_a_claim_that_waits_is_bound_when_the_workload_uses_it(changed: App) -> None:
    changed.cluster.add_class("fast", waits=True)
    assert changed.restore(OverwritePvcOnRestore="true").code == 0
    assert changed.lines(Level.WARN) == []
    assert [changed.cluster.data_of(name) for name in NEW] == ["data of then", "logs of then"]


def test_claims_that_are_not_bound_in_time_are_deleted_again(changed: App) -> None:
    before = state_of(changed.cluster)
    changed.cluster.binds = False
    with pytest.raises(PluginFailed, match="Not bound after 1 s: data-restore-90, logs-restore-90"):
        changed.restore(OverwritePvcOnRestore="true", BindTimeoutSeconds="1")
    assert state_of(changed.cluster) == before


def test_a_workload_that_does_not_start_gets_its_own_claims_back(changed: App) -> None:
    before = state_of(changed.cluster)
    changed.cluster.starts = False
    with pytest.raises(PluginFailed, match="was not ready within 1 s"):
        changed.restore(OverwritePvcOnRestore="true", BindTimeoutSeconds="1")
    after = state_of(changed.cluster)
    assert after == before | {"all": after["all"]}
    assert "Giving Deployment shop its own claims and 2 replicas back" in changed.lines(Level.WARN)


@pytest.mark.parametrize("position", range(8))
def test_wherever_it_breaks_the_live_claims_stay_and_are_used(changed: App, position: int) -> None:
    before = state_of(changed.cluster)
    broken: list[Any] = []
    seen = 0

    def refuse(method: str, plural: str, name: str) -> Any:
        nonlocal seen
        if method == "GET" or broken:
            return None
        seen += 1
        if seen <= position:
            return None
        broken.append((method, plural, name))
        return status(500, "InternalError", "broken here")

    changed.cluster.refuse = refuse
    try:
        changed.restore(OverwritePvcOnRestore="true")
    except PluginFailed as error:
        assert "broken here" in str(error)
        after = state_of(changed.cluster)
        assert after == before | {"all": after["all"]}
    else:
        assert not broken
    assert never_deleted(changed)
    assert {"data", "logs"} <= set(changed.cluster.names("persistentvolumeclaims"))


def test_a_cluster_that_is_away_for_a_moment_does_not_leave_the_workload_stopped(changed: App) -> None:
    before = state_of(changed.cluster)
    away: list[str] = []

    def refuse(method: str, plural: str, name: str) -> Any:
        stopped = changed.cluster.objects["deployments"]["shop"]["spec"]["replicas"] == 0
        if not stopped or len(away) == 4:
            return None
        away.append(method)
        return status(503, "ServiceUnavailable", "upgrading")

    changed.cluster.refuse = refuse
    with pytest.raises(PluginFailed, match="upgrading"):
        changed.restore(OverwritePvcOnRestore="true")
    assert len(away) == 4
    assert state_of(changed.cluster) == before | {"all": state_of(changed.cluster)["all"]}


def test_after_a_worker_died_the_workload_itself_knows_how_many_replicas_it_had(
    changed: App, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Died(BaseException):
        """The worker is gone, and undoes nothing."""

    def die(self: Workload) -> None:
        raise Died

    with monkeypatch.context() as patch, pytest.raises(Died):
        patch.setattr(Workload, "_gone", die)
        patch.setattr(Workload, "_undo", lambda self: None)
        changed.restore(OverwritePvcOnRestore="true")
    workload = changed.cluster.objects["deployments"]["shop"]
    assert workload["spec"]["replicas"] == 0
    for name in NEW:
        del changed.cluster.objects["persistentvolumeclaims"][name]
    assert changed.restore(OverwritePvcOnRestore="true").code == 0
    assert workload["spec"]["replicas"] == 2
    assert not workload["metadata"]["annotations"], "what it had is noted only while it is stopped"


def test_a_cancelled_restore_gives_the_workload_back_what_it_had(changed: App) -> None:
    before = state_of(changed.cluster)
    changed.cluster.starts = False
    (chosen,) = changed.backups()
    context = changed.of(chosen, OverwritePvcOnRestore="true", BindTimeoutSeconds="60")
    changed.call.on_line = lambda text: (
        changed.call.cancel() if text == "Scaling Deployment shop to 2" else None
    )
    with pytest.raises(Cancelled):
        plugin.restore(context)
    after = state_of(changed.cluster)
    assert after == before | {"all": after["all"]}


def test_a_backup_that_is_not_usable_any_more_is_refused_before_anything_is_created(changed: App) -> None:
    (chosen,) = changed.backups()
    changed.cluster.snapshot_error = "lost by the driver"
    with pytest.raises(PluginFailed, match="has an error: lost by the driver"):
        plugin.restore(changed.of(chosen))
    assert changed.cluster.names("persistentvolumeclaims") == ["data", "logs"]


def test_claims_of_an_earlier_restore_are_not_overwritten(changed: App) -> None:
    assert changed.restore().code == 0
    with pytest.raises(PluginFailed, match="data-restore-90, logs-restore-90 are there already"):
        changed.restore()


def test_a_workload_that_uses_other_claims_is_refused(changed: App) -> None:
    changed.cluster.add_claim("other", "other")
    changed.cluster.add_workload("deployments", "shop", "other", "logs")
    with pytest.raises(PluginFailed, match="does not use data any more"):
        changed.restore(OverwritePvcOnRestore="true")
    assert changed.cluster.names("persistentvolumeclaims") == ["data", "logs", "other"]


@pytest.mark.parametrize(
    ("request_", "field"),
    [(RestoreRequest(target="/tmp/x"), "target"), (RestoreRequest(files=("/a",)), "files")],  # noqa: S108
)
def test_what_a_snapshot_cannot_do_is_refused(changed: App, request_: RestoreRequest, field: str) -> None:
    (chosen,) = changed.backups()
    with pytest.raises(ConfigInvalid) as refused:
        plugin.restore(replace(changed.of(chosen), restore=request_))
    assert refused.value.field == field
