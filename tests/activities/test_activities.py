"""The worker's activities, each called as Temporal would call it, with real commands and plugins."""

import os
import sys
from pathlib import Path

import pytest
from temporalio.exceptions import ApplicationError, CancelledError

from tests.activities.conftest import Bench, until
from workflows_app.domain import naming
from workflows_app.domain.config import CommandField
from workflows_app.domain.plans.plans import StepSpec

COMMANDS = {
    "pre-quiesce-command": ("preAppQuiesceCmd", "pre quiesce"),
    "quiesce-command": ("appQuiesceCmd", "quiesce"),
    "post-quiesce-command": ("postAppQuiesceCmd", "post quiesce"),
    "backup-create-command": ("backupCreateCmd", "backup create"),
    "pre-unquiesce-command": ("preAppUnquiesceCmd", "pre unquiesce"),
    "unquiesce-command": ("appUnquiesceCmd", "unquiesce"),
    "post-unquiesce-command": ("postAppUnquiesceCmd", "post unquiesce"),
    "backup-delete-command": ("backupDeleteCmd", "backup delete"),
    "archive-create-command": ("archiveCreateCmd", "archive create"),
    "archive-delete-command": ("archiveDeleteCmd", "archive delete"),
    "pre-restore-app-command": ("preAppRestoreCmd", "pre restore app"),
    "restore-command": ("restoreCmd", "restore"),
    "post-restore-app-command": ("postAppRestoreCmd", "post restore app"),
    "send-trap-success-command": ("sendTrapSuccessCmd", "send trap success"),
    "send-trap-error-command": ("sendTrapErrorCmd", "send trap error"),
}

# A command whose child stays when it is asked to go, and that tells both numbers in a file.
FAMILY = """
import os, signal, sys, time
told, tell = os.pipe()
child = os.fork()
if child == 0:
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    os.write(tell, b"!")
    time.sleep(60)
    os._exit(0)
os.read(told, 1)
with open(sys.argv[1] + ".part", "w") as file:
    file.write(f"{os.getpid()} {child}")
os.rename(sys.argv[1] + ".part", sys.argv[1])
time.sleep(60)
"""


def alive(pid: int) -> bool:
    """Whether a process lives: a zombie that nobody has reaped yet does not."""
    try:
        os.kill(pid, 0)
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] not in "ZX"
    except (FileNotFoundError, ProcessLookupError):
        return False


def texts(bench: Bench) -> list[str]:
    return [line.text for line in bench.stored()]


def test_no_command_is_forgotten_here() -> None:
    assert len(COMMANDS) == len(CommandField)


@pytest.mark.parametrize("key", COMMANDS)
def test_each_command_of_a_configuration_is_run(bench: Bench, tmp_path: Path, key: str) -> None:
    field, words = COMMANDS[key]
    mark = tmp_path / "mark"
    result = bench.do(key, **{field: f"touch,{mark}"})
    assert mark.exists()
    assert result.code == 0
    assert texts(bench) == [m.message for m in result.messages] == [
        f"Performing {words} command [touch,{mark}]",
        f"Executing command [touch {mark}]",
        f"Command [touch {mark}] completed successfully",
    ]  # fmt: skip


def test_a_command_that_fails_is_a_result_with_its_reason(bench: Bench) -> None:
    result = bench.do("quiesce-command", appQuiesceCmd="ls,/no/such/place")
    assert result.code == 1
    assert result.reason == "Command [ls /no/such/place] failed with [exit status 2]"
    assert texts(bench)[-1] == "Command failed with [exit status 2]"


def test_a_step_without_a_command_is_a_crash_with_words(bench: Bench) -> None:
    step = bench.step("quiesce-command")
    nonsense = StepSpec(key="k", name="n", phase="p", activity=naming.COMMAND_RUN, command="Nonsense")
    with pytest.raises(ApplicationError, match="ValueError: 'Nonsense' is not a valid CommandField"):
        bench.environment.run(bench.activity("quiesce-command"), step.model_copy(update={"spec": nonsense}))
    assert "Nonsense" in texts(bench)[0]


def test_a_command_does_not_inherit_the_workers_credentials(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FOSSUL_TEST_MARK", "workers-own")
    monkeypatch.setenv("INNOCENT_TEST_MARK", "innocent")
    bench.execution = type(bench.execution)(bench.log, bench.pulse)
    bench.do("backup-create-command", backupCreateCmd="env")
    said = texts(bench)
    assert "INNOCENT_TEST_MARK=innocent" in said
    assert not any("workers-own" in text for text in said)


def test_a_cancelled_command_leaves_no_process(bench: Bench, tmp_path: Path) -> None:
    numbers, script = tmp_path / "numbers", tmp_path / "family.py"
    script.write_text(FAMILY)
    step = bench.begin("backup-create-command", backupCreateCmd=f"{sys.executable},{script},{numbers}")
    until(numbers.exists)
    family = [int(number) for number in numbers.read_text().split()]
    assert all(map(alive, family))
    bench.environment.cancel()
    with pytest.raises(CancelledError):
        step.result(15)
    until(lambda: not any(map(alive, family)))
    assert texts(bench)[-1] == "The step was cancelled"


def test_a_worker_that_stops_leaves_no_process(bench: Bench, tmp_path: Path) -> None:
    numbers, script = tmp_path / "numbers", tmp_path / "family.py"
    script.write_text(FAMILY)
    step = bench.begin("backup-create-command", backupCreateCmd=f"{sys.executable},{script},{numbers}")
    until(numbers.exists)
    family = [int(number) for number in numbers.read_text().split()]
    bench.pulse.halt()
    with pytest.raises(ApplicationError, match="The worker was stopped"):
        step.result(15)
    until(lambda: not any(map(alive, family)))


@pytest.mark.parametrize(("key", "word"), [("quiesce-plugin", "Quiesce"), ("unquiesce-plugin", "Unquiesce")])
@pytest.mark.parametrize("name", ["sample-app", "sample-app.so"])
def test_the_sample_app_plugin(bench: Bench, key: str, word: str, name: str) -> None:
    assert bench.do(key, appPlugin=name).code == 0
    assert texts(bench) == [f"*** Application {word} ***"]


def test_the_sample_storage_plugin(bench: Bench) -> None:
    assert bench.do(storagePlugin="sample-storage").code == 0
    assert texts(bench) == ["*** Backup ***"]


@pytest.mark.parametrize(
    ("key", "family"), [("quiesce-plugin", "app"), ("unquiesce-plugin", "app"), ("backup-plugin", "storage")]
)
def test_a_plugin_that_is_not_there_is_a_result_that_says_what_to_do(
    bench: Bench, key: str, family: str
) -> None:
    result = bench.do(key, appPlugin="nothing", storagePlugin="nothing")
    assert result.code == 1
    assert result.reason.startswith(f"There is no {family} plugin 'nothing' where this worker runs.")
    assert texts(bench) == [result.reason]


def test_the_filesystem_plugin_makes_a_backup_and_tells_of_it(bench: Bench, tmp_path: Path) -> None:
    source, destination = tmp_path / "source", tmp_path / "backups"
    source.mkdir()
    (source / "orders.db").write_bytes(os.urandom(20_000))
    result = bench.do(
        configName="orders",
        storagePlugin="filesystem",
        autoDiscovery=False,
        storagePluginParameters={"BackupSrcPaths": str(source), "BackupDestPath": str(destination)},
    )
    assert result.code == 0, result.reason
    assert result.backup.name == "orders-daily-7-1700000000"
    assert (destination / "test" / "orders" / result.backup.name).is_dir()
    assert (result.backup.policy, result.backup.workflow_id) == ("daily", "7")
    said = texts(bench)
    assert result.lines == len(said)
    assert said[0] == "Performing filesystem backup"
    assert said[-1].startswith(f"Backup {result.backup.name} completed: 1 file")


def test_the_filesystem_plugin_refuses_what_it_cannot_do(bench: Bench, tmp_path: Path) -> None:
    parameters = {"BackupSrcPaths": str(tmp_path / "gone"), "BackupDestPath": str(tmp_path / "backups")}
    result = bench.do(storagePlugin="filesystem", autoDiscovery=False, storagePluginParameters=parameters)
    assert result.code == 1
    assert str(tmp_path / "gone") in result.reason
    assert not list(tmp_path.rglob("*.tar*"))


def test_a_cancelled_filesystem_backup_leaves_nothing(bench: Bench, tmp_path: Path) -> None:
    source, destination = tmp_path / "source", tmp_path / "backups"
    source.mkdir()
    (source / "large").write_bytes(bytes(4 * 1024 * 1024))
    step = bench.begin(
        storagePlugin="filesystem",
        autoDiscovery=False,
        storagePluginParameters={
            "BackupSrcPaths": str(source),
            "BackupDestPath": str(destination),
            "BandwidthLimit": "512K",
        },
    )
    until(lambda: bench.heartbeats and bench.heartbeats[-1]["done_bytes"] > 0)
    bench.environment.cancel()
    with pytest.raises(CancelledError):
        step.result(10)
    assert [path for path in destination.rglob("*") if path.is_file()] == []
