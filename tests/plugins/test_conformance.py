"""The suite finds what is wrong: plugins that each break one promise."""

import shutil
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from workflows_app.domain.errors import ConfigInvalid, PluginFailed
from workflows_app.domain.results import Capability, Level, ParameterSpec, PluginInfo, Result
from workflows_app.plugins.base import PluginContext
from workflows_app.plugins.conformance.cases import Verdict
from workflows_app.plugins.conformance.scratch import Scratch
from workflows_app.plugins.conformance.suite import check_plugin
from workflows_app.plugins.conformance.trial import Trial
from workflows_app.plugins.filesystem.plugin import FilesystemStorage
from workflows_app.plugins.sample_app.plugin import SampleApp

Failures = Callable[..., dict[str, str]]


@pytest.fixture
def failures(tmp_path: Path) -> Failures:
    """Check a plugin and answer what it got wrong, by case."""

    def check(plugin: Any, family: str, seconds: float = 20, **given: str) -> dict[str, str]:
        root = tmp_path / f"scratch{len(list(tmp_path.iterdir()))}"
        root.mkdir()
        trial = Trial(plugin, family, Scratch(root), given=given, seconds=seconds, freeze=True)
        outcomes = list(check_plugin(trial))
        assert len({outcome.case for outcome in outcomes}) == len(outcomes)
        return {o.case: o.why for o in outcomes if o.verdict is Verdict.FAIL}

    return check


@pytest.fixture
def patient(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A plugin that does not hear a cancel is given up soon."""
    monkeypatch.setattr("workflows_app.plugins.conformance.trial.GRACE_SECONDS", 0.1)
    yield


def info(**changes: Any) -> PluginInfo:
    return SampleApp().info().model_copy(update=changes)


def test_good_plugins_have_no_failures(failures: Failures) -> None:
    assert failures(SampleApp(), "app") == {}
    assert failures(FilesystemStorage(), "storage") == {}


@pytest.mark.parametrize(
    ("answer", "case", "words"),
    [
        (info(version=""), "info tells name, version, description and type", "its version is empty"),
        (info(type="storage"), "info tells name, version, description and type", "its type is 'storage'"),
        (
            info(capabilities=(Capability(name="quiesce"),)),
            "info declares capabilities of its family",
            "it does not declare unquiesce",
        ),
        (
            info(capabilities=tuple(Capability(name=n) for n in ("quiesce", "unquiesce", "fly"))),
            "info declares capabilities of its family",
            "no app plugin has the capability 'fly'",
        ),
        (info(parameters=(ParameterSpec(name="A"),)), "info describes each parameter", "A has no help"),
        (
            info(parameters=(ParameterSpec(name="A", help="h", secret=True, default="d"),)),
            "info describes each parameter",
            "A is secret and has a default, which everybody can read",
        ),
        (
            info(parameters=2 * (ParameterSpec(name="A", help="h"),)),
            "info describes each parameter",
            "A is declared twice",
        ),
    ],
)
def test_a_wrong_info_is_found(failures: Failures, answer: PluginInfo, case: str, words: str) -> None:
    class Told(SampleApp):
        def info(self) -> PluginInfo:
            return answer

    assert failures(Told(), "app")[case].startswith(words)


def test_a_plugin_that_tells_nothing_of_itself_is_asked_once(failures: Failures) -> None:
    class Silent(SampleApp):
        asked = 0

        def info(self) -> PluginInfo:
            self.asked += 1
            raise PluginFailed("no answer")

        def quiesce(self, context: PluginContext) -> Result:
            raise AssertionError("called")

    plugin = Silent()
    assert failures(plugin, "app") == {
        "info tells name, version, description and type": "it refused: no answer"
    }
    assert plugin.asked == 1


class Mute(SampleApp):
    def quiesce(self, context: PluginContext) -> Result:
        return Result(code=1)


class Stuck(SampleApp):
    def quiesce(self, context: PluginContext) -> Result:
        while True:
            context.check_cancelled()
            time.sleep(0.01)


class Deaf(SampleApp):
    def quiesce(self, context: PluginContext) -> Result:
        time.sleep(3)
        return Result()


class Crash(SampleApp):
    def quiesce(self, context: PluginContext) -> Result:
        raise SystemExit(4)


class Wrong(SampleApp):
    def quiesce(self, context: PluginContext) -> Result:
        return None  # type: ignore[return-value]


@pytest.mark.parametrize(
    ("plugin", "words"),
    [
        (Mute(), "quiesce answered code 1, and said nothing at level ERROR"),
        (Stuck(), "quiesce had not ended after 0.2 s, and was cancelled"),
        (Deaf(), "quiesce did not end, although it was cancelled after 0.2 s"),
        (Crash(), "quiesce crashed: SystemExit: 4"),
        (Wrong(), "quiesce answered NoneType, not Result"),
    ],
)
def test_a_wrong_quiesce_is_found(failures: Failures, patient: None, plugin: SampleApp, words: str) -> None:
    assert failures(plugin, "app", seconds=0.2) == {"quiesce freezes, unquiesce thaws": words}


def test_what_may_be_frozen_is_thawed_whatever_went_wrong(failures: Failures) -> None:
    class Half(SampleApp):
        frozen = False

        def quiesce(self, context: PluginContext) -> Result:
            self.frozen = True
            raise ValueError("half-way")

        def unquiesce(self, context: PluginContext) -> Result:
            self.frozen = False
            return Result()

    plugin = Half()
    assert "crashed" in failures(plugin, "app")["quiesce freezes, unquiesce thaws"]
    assert not plugin.frozen


def test_a_message_with_a_secret_is_found(failures: Failures) -> None:
    class Chatty(SampleApp):
        def info(self) -> PluginInfo:
            return info(parameters=(ParameterSpec(name="Key", help="h", secret=True),))

        def quiesce(self, context: PluginContext) -> Result:
            context.say(Level.UNKNOWN, f"connecting with {context.parameters['Key']}")
            return Result()

    found = failures(Chatty(), "app", Key="hunter22")
    assert found["no message has a secret"] == "a message has the value of Key"
    assert found["every message has a level"].startswith("1 of ")
    assert "hunter22" not in found["no message has a secret"]


class Writes(FilesystemStorage):
    """Restores for real when a dry run is asked for."""

    def restore(self, context: PluginContext) -> Result:
        return super().restore(_without_dry_run(context))


class Substring(FilesystemStorage):
    """Fossul's own mistake: run 1 finds the backup of run 12 (fossul-behaviour.md §7.3)."""

    def restore(self, context: PluginContext) -> Result:
        wanted = f"-{context.config.backup.workflow_id}"
        last = [backup for backup in self.backup_list(context) if wanted in backup.name][-1]
        return super().restore(_with_backup(context, last))


class Greedy(FilesystemStorage):
    """Deletes all that the policy has, and of other policies, too."""

    def backup_delete_workflow(self, context: PluginContext) -> Result:
        shutil.rmtree(Path(context.parameters["BackupDestPath"]) / "check-plugin", ignore_errors=True)
        return Result()


class Forgetful(FilesystemStorage):
    """Lists nothing."""

    def backup_list(self, context: PluginContext) -> tuple[Any, ...]:
        return ()


@pytest.mark.parametrize(
    ("plugin", "case", "words"),
    [
        (Writes(), "a dry run of a restore changes nothing", "a dry run changed files"),
        (
            Substring(),
            "restore brings back exactly the backup that is asked for",
            "after the restore of run 1, ",
        ),
        (Greedy(), "retention refuses to keep none", "a retention of 0 deleted backups"),
        (Greedy(), "retention deletes what the policy does not keep", "of the runs 1, 12 and, of another"),
        (Forgetful(), "backup makes a backup that is listed", "it lists 0 backups of run 1, which made one"),
    ],
)
def test_a_wrong_storage_is_found(
    failures: Failures, plugin: FilesystemStorage, case: str, words: str
) -> None:
    assert failures(plugin, "storage")[case].startswith(words)


def test_nothing_is_called_without_a_place_in_the_scratch_folder(failures: Failures) -> None:
    class Elsewhere(FilesystemStorage):
        def info(self) -> PluginInfo:
            return super().info().model_copy(update={"parameters": ()})

        def backup(self, context: PluginContext) -> Result:
            raise AssertionError("called")

    assert failures(Elsewhere(), "storage") == {}


@pytest.mark.parametrize(
    "given",
    [
        {"BackupDestPath": "/"},
        {"BackupSrcPaths": "{scratch}/source,/etc"},
        {"BackupDestPath": "{scratch}/../x"},
        {"Other": "{scratch}/../x"},
        {"ArchivePath": "/mnt"},
    ],
)
def test_a_path_out_of_the_scratch_folder_is_refused_by_name(
    failures: Failures, given: dict[str, str]
) -> None:
    (name,) = given
    with pytest.raises(ConfigInvalid, match=f"^{name}: "):
        failures(FilesystemStorage(), "storage", **given)


def _without_dry_run(context: PluginContext) -> PluginContext:
    return replace(context, restore=context.restore.model_copy(update={"dry_run": False}))


def _with_backup(context: PluginContext, backup: Any) -> PluginContext:
    return replace(context, config=context.config.model_copy(update={"backup": backup}))
