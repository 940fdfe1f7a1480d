from typing import Any

import pytest

from tests.plugins.csi.conftest import EPOCH, App
from tests.plugins.csi.storage_cluster import DRIVER, StorageCluster
from tests.plugins.kubernetes.api_server import status
from workflows_app.domain.errors import Cancelled, ConfigInvalid, PluginFailed
from workflows_app.domain.results import Content, Level
from workflows_app.plugins.csi.plugin import plugin

NAME = f"shop-daily-7-{EPOCH + 7}"


def test_a_backup_is_a_ready_snapshot_of_every_claim(app: App) -> None:
    app.cluster.reads_until_ready = 3
    result = app.backup()
    assert (result.code, result.backup.name) == (0, NAME)
    assert result.backup.contents == tuple(
        Content(
            type="volume",
            source=claim,
            data=f"{NAME}-{claim}",
            size=str(12 * 1024**3),
            storage_class="fast",
            volume_snapshot_class="snapshots",
        )
        for claim in ("data", "logs")
    )
    said = app.lines()
    assert f"Creating CSI snapshot [{NAME}-data] of pvc [data] snapshot class [snapshots] timeout [2]" in said
    assert app.backups() == (result.backup,)


def test_the_claims_may_be_named_or_have_a_label(app: App) -> None:
    app.cluster.add_claim("other", "other")
    named = app.backup(1, DeploymentName="", PvcNames="other")
    labelled = app.backup(2, DeploymentName="", PvcSelector="app=shop")
    assert [c.source for c in named.backup.contents] == ["other"]
    assert [c.source for c in labelled.backup.contents] == ["data", "logs"]


def test_a_stateful_set_has_the_claims_of_its_templates(app: App) -> None:
    for number in range(2):
        app.cluster.add_claim(f"disk-db-{number}", f"db {number}")
    app.cluster.add_workload(
        "statefulsets", "db", replicas=2, volumeClaimTemplates=[{"metadata": {"name": "disk"}}]
    )
    result = app.backup(DeploymentName="db", DeploymentType="StatefulSet")
    assert [c.source for c in result.backup.contents] == ["disk-db-0", "disk-db-1"]


def test_a_name_that_no_object_may_have_is_made_one(app: App) -> None:
    result = app.backup(BackupName="Shop_North")
    assert result.backup.name.startswith("Shop_North-daily-7-")
    assert app.names() == [result.backup.name]
    assert all(name == name.lower() and "_" not in name for name in app.cluster.names("volumesnapshots"))


@pytest.mark.parametrize("claim", ["data", "logs"])
def test_when_one_cannot_be_created_none_stays(app: App, claim: str) -> None:
    app.cluster.refuse = lambda method, plural, name: (
        status(500, "InternalError", "the driver is away")
        if method == "POST" and plural == "volumesnapshots" and name.endswith(claim)
        else None
    )
    with pytest.raises(PluginFailed, match=r"Cannot create volumesnapshots.*the driver is away"):
        app.backup()
    assert app.cluster.names("volumesnapshots") == []


def test_the_drivers_own_error_is_told(app: App) -> None:
    app.cluster.snapshot_error = "quota of snapshots exceeded"
    with pytest.raises(PluginFailed, match="failed: quota of snapshots exceeded"):
        app.backup()
    assert app.cluster.names("volumesnapshots") == []


def test_snapshots_that_never_get_ready_are_no_backup(app: App) -> None:
    app.cluster.reads_until_ready = 10**9
    with pytest.raises(PluginFailed, match=r"Not ready to use after 1 s: .*SnapshotTimeoutSeconds"):
        app.backup(SnapshotTimeoutSeconds="1")
    assert app.cluster.names("volumesnapshots") == []


def test_a_cancelled_backup_leaves_no_snapshot(app: App) -> None:
    app.cluster.reads_until_ready = 10**9
    context = app.context(SnapshotTimeoutSeconds="60")
    app.call.on_line = lambda text: app.call.cancel() if "[logs]" in text else None
    with pytest.raises(Cancelled):
        plugin.backup(context)
    assert app.cluster.names("volumesnapshots") == []


def test_what_a_lost_run_left_is_no_backup_and_is_deleted_by_the_next(app: App) -> None:
    app.backup(1)
    left = app.cluster.objects["volumesnapshots"][f"shop-daily-1-{EPOCH + 1}-data"]
    left["metadata"]["labels"]["fossul.io/complete"] = "false"
    assert app.names() == []
    app.backup(2)
    assert app.lines(Level.WARN) == ["Deleting 1 snapshots that never became a backup"]
    assert app.names() == [f"shop-daily-2-{EPOCH + 2}"]
    assert f"shop-daily-1-{EPOCH + 1}-data" not in app.cluster.names("volumesnapshots")


def test_a_backup_of_which_a_snapshot_is_gone_is_not_listed(app: App) -> None:
    app.backup()
    del app.cluster.objects["volumesnapshots"][f"{NAME}-logs"]
    assert app.names() == []


def test_a_list_that_may_not_be_read_is_no_empty_list(app: App) -> None:
    app.cluster.denied.add(("list", "volumesnapshots"))
    with pytest.raises(PluginFailed, match="verb 'list' on 'volumesnapshots"):
        app.names()


def test_a_claim_that_is_not_bound_is_told(app: App) -> None:
    app.cluster.binds = False
    app.cluster.objects["persistentvolumeclaims"]["logs"]["status"] = {"phase": "Pending"}
    with pytest.raises(PluginFailed, match="The claim logs is Pending, not Bound"):
        app.backup()


def test_the_snapshot_class_must_fit_the_driver(app: App) -> None:
    app.cluster.put("volumesnapshotclasses", "second", driver=DRIVER)
    app.cluster.put("volumesnapshotclasses", "foreign", driver="other.example.org")
    with pytest.raises(PluginFailed, match="Several VolumeSnapshotClasses fit the claim data"):
        app.backup()
    with pytest.raises(PluginFailed, match=r"is of the driver other.example.org"):
        app.backup(SnapshotClass="foreign")
    default = app.cluster.put("volumesnapshotclasses", "third", driver=DRIVER)
    default["metadata"]["annotations"] = {"snapshot.storage.kubernetes.io/is-default-class": "true"}
    assert app.backup().backup.contents[0].volume_snapshot_class == "third"
    app.cluster.objects["volumesnapshotclasses"].clear()
    with pytest.raises(PluginFailed, match=r"There is no VolumeSnapshotClass for driver.example.org"):
        app.backup(8)


@pytest.mark.parametrize(
    ("given", "field"),
    [
        ({"DeploymentName": ""}, "DeploymentName"),
        ({"PvcNames": "data"}, "PvcNames"),
        ({"DeploymentType": "Pod"}, "DeploymentType"),
        ({"DeploymentName": "Not_A_Name"}, "DeploymentName"),
        ({"SnapshotTimeoutSeconds": "soon"}, "SnapshotTimeoutSeconds"),
        ({"OverwritePvcOnRestore": "true", "RestoreToNewPvc": "true"}, "RestoreToNewPvc"),
        ({"OverwritePvcOnRestore": "true", "DeploymentType": "StatefulSet"}, "OverwritePvcOnRestore"),
        ({"OverwritePvcOnRestore": "true", "DeploymentName": "", "PvcNames": "a"}, "OverwritePvcOnRestore"),
    ],
)
def test_a_parameter_that_makes_no_sense_is_refused_by_its_name(
    app: App, given: dict[str, str], field: str
) -> None:
    with pytest.raises(ConfigInvalid) as refused:
        app.backup(**given)
    assert refused.value.field == field
    assert app.cluster.names("volumesnapshots") == []


def test_retention_keeps_the_newest_and_what_is_held(app: App) -> None:
    for number in (1, 2, 3):
        app.backup(number)
    names = [f"shop-daily-{number}-{EPOCH + number}" for number in (1, 2, 3)]
    app.held = frozenset(names[:1])
    assert app.retain(1, 3).code == 0
    assert app.names() == [names[0], names[2]]
    app.held = frozenset()
    app.cluster.denied.add(("delete", "volumesnapshots"))
    assert app.retain(1, 3).code == 1
    assert app.lines(Level.ERROR)[0].startswith(f"Backup {names[0]} delete failed!")
    assert app.names() == [names[2]]  # it is no backup any more, and the next run deletes it
    with pytest.raises(ConfigInvalid):
        app.retain(0, 3)


def test_one_is_deleted_by_its_name(app: App) -> None:
    for number in (1, 2):
        app.backup(number)
    first, second = app.backups()
    assert plugin.backup_delete(app.of(first)).code == 0
    assert app.backups() == (second,)
    app.held = frozenset({second.name})
    with pytest.raises(PluginFailed, match="is held"):
        plugin.backup_delete(app.of(second))


def test_verify_finds_what_is_gone_or_another_one(app: App) -> None:
    app.backup()
    (backup,) = app.backups()
    assert plugin.backup_verify(app.of(backup)).code == 0
    content: Any = app.cluster.objects["volumesnapshotcontents"][f"content-{NAME}-data"]
    content["status"]["snapshotHandle"] = "another"
    with pytest.raises(PluginFailed, match="is another one than was made"):
        plugin.backup_verify(app.of(backup))
    content["status"] = {"readyToUse": False}
    with pytest.raises(PluginFailed, match="is not ready to use"):
        plugin.backup_verify(app.of(backup))
    del app.cluster.objects["volumesnapshots"][f"{NAME}-logs"]
    with pytest.raises(PluginFailed, match="The snapshots of the claims logs are gone"):
        plugin.backup_verify(app.of(backup))


def test_a_check_tells_what_a_backup_would_meet(app: App) -> None:
    assert [f.state for f in plugin.check(app.context())] == ["GOOD"] * 4
    app.cluster.denied.add(("create", "volumesnapshots"))
    app.cluster.objects["volumesnapshotclasses"].clear()
    states = [f.state for f in plugin.check(app.context())]
    assert states == ["BAD", "GOOD", "BAD", "BAD"]
    assert not any(method in ("POST", "PATCH", "DELETE") for method, _, _ in app.cluster.asked)


def test_a_cluster_without_snapshots_is_told(app: App, cluster: StorageCluster) -> None:
    cluster.refuse = lambda method, plural, name: (
        status(404, "NotFound", "the server could not find the requested resource")
        if plural == "volumesnapshots"
        else None
    )
    assert "its CRDs are not installed" in plugin.check(app.context())[1].words
