"""``manage.py check_plugin`` in a process of its own, with the examples of the developer's guide."""

import asyncio
import os
import shutil
import signal
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.worker.processes import ROOT
from workflows_app.plugins.registry import PluginRegistry

EXAMPLES = ROOT / "docs" / "plugins" / "examples"


@dataclass(frozen=True)
class Printed:
    """What the command left behind."""

    code: int
    stdout: str
    stderr: str

    def verdicts(self, verdict: str) -> list[str]:
        return [line for line in self.stdout.splitlines() if line.startswith(verdict)]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A plugin folder with the examples, wherever the project itself lies."""
    copy = tmp_path / "plugins"
    shutil.copytree(EXAMPLES, copy)
    for path in (copy, *copy.rglob("*")):
        path.chmod(0o755)
    return copy


def environment(folder: Path) -> dict[str, str]:
    return {
        "PATH": os.environ["PATH"],
        "FOSSUL_VAR_DIR": str(folder.parent),
        "FOSSUL_SECRET_KEY": "for tests alone",
        "FOSSUL_PLUGIN_DIRS": str(folder),
    }


async def check(folder: Path, *arguments: str) -> Printed:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "manage.py", "check_plugin", *arguments,
        cwd=ROOT,
        env=environment(folder),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip
    stdout, stderr = await asyncio.wait_for(process.communicate(), 60)
    assert process.returncode is not None
    return Printed(process.returncode, stdout.decode(), stderr.decode())


def test_the_examples_can_be_executed_as_they_are_delivered() -> None:
    examples = [path for path in EXAMPLES.rglob("*") if path.is_file()]
    assert len(examples) == 2
    assert all(os.access(path, os.X_OK) for path in examples)


async def test_the_list_names_every_plugin_and_where_it_comes_from(folder: Path) -> None:
    printed = await check(folder, "--list")
    assert printed.code == 0
    listed = [tuple(line.split()[:2]) for line in printed.stdout.splitlines()]
    assert listed == [(p.family, p.name) for p in PluginRegistry(folders=[folder]).registered()]
    assert ("app", "maintenance-file") in listed
    assert ("storage", "filesystem") in listed
    assert f"executable {folder}/storage/tree-copy" in printed.stdout


async def test_the_example_in_python_keeps_every_promise(folder: Path) -> None:
    printed = await check(folder, "tree-copy")
    assert printed.code == 0, printed.stdout + printed.stderr
    assert printed.verdicts("FAIL") == []
    assert [line.split(":")[0].split(maxsplit=1)[1] for line in printed.verdicts("skipped")] == [
        "no message has a secret"
    ]
    assert "The storage plugin tree-copy conforms: " in printed.stdout


async def test_the_example_in_shell_is_frozen_only_when_that_is_allowed(folder: Path, tmp_path: Path) -> None:
    data = tmp_path / "data"
    data.mkdir()
    told = ("maintenance-file", "--parameter", f"DataFolder={data}")
    printed = await check(folder, *told)
    assert printed.code == 0, printed.stdout + printed.stderr
    assert "give --freeze to allow that" in printed.stdout
    printed = await check(folder, *told, "--freeze")
    assert printed.code == 0, printed.stdout + printed.stderr
    assert any("quiesce freezes, unquiesce thaws" in line for line in printed.verdicts("ok"))
    assert list(data.iterdir()) == []


async def test_a_required_parameter_that_is_missing_is_named(folder: Path) -> None:
    printed = await check(folder, "maintenance-file")
    assert printed.code == 0
    assert "a required parameter is missing; give --parameter DataFolder=…" in printed.stdout


async def test_a_plugin_that_breaks_a_promise_ends_with_1(folder: Path) -> None:
    path = folder / "storage" / "tree-copy"
    path.write_text(path.read_text().replace("ours[keep:]", "ours[keep + 1 :]"))
    printed = await check(folder, "tree-copy")
    assert printed.code == 1
    (failure,) = printed.verdicts("FAIL")
    assert "retention deletes what the policy does not keep: of the runs 1, 12" in failure
    assert "does not conform: " in printed.stderr


async def test_an_executable_that_may_not_be_run_ends_with_1_and_says_why(folder: Path) -> None:
    (folder / "app" / "maintenance-file").chmod(0o777)
    printed = await check(folder, "maintenance-file", "--family", "app")
    assert printed.code == 1
    assert "FAIL     the plugin can be loaded: " in printed.stdout
    assert "chmod o-w" in printed.stdout
    assert "Traceback" not in printed.stderr


async def test_what_a_plugin_prints_steers_no_terminal(folder: Path) -> None:
    (folder / "app" / "maintenance-file").write_text("#!/bin/sh\nprintf '\\033]0;owned\\007'\n")
    printed = await check(folder, "maintenance-file")
    assert printed.code == 1
    assert r"\x1b]0;owned\x07" in printed.stdout


@pytest.mark.parametrize("stop", [signal.SIGINT, signal.SIGTERM])
async def test_a_check_that_is_stopped_leaves_neither_the_plugin_nor_its_folder(
    folder: Path, tmp_path: Path, stop: signal.Signals
) -> None:
    told, scratch = tmp_path / "told", tmp_path / "scratch"
    scratch.mkdir()
    path = folder / "app" / "maintenance-file"
    path.write_text(f"#!/bin/sh\ntrap '' TERM\necho $$ > {told}.new; mv {told}.new {told}\nsleep 60\n")
    process = await asyncio.create_subprocess_exec(
        sys.executable, "manage.py", "check_plugin", "maintenance-file",
        cwd=ROOT, env=environment(folder) | {"TMPDIR": str(scratch)},
        stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.DEVNULL,
    )  # fmt: skip
    async with asyncio.timeout(30):
        while not told.exists():
            await asyncio.sleep(0.01)
        process.send_signal(stop)
        assert await process.wait() != 0
        while Path(f"/proc/{told.read_text().strip()}/exe").exists():
            await asyncio.sleep(0.01)
    assert list(scratch.iterdir()) == []


async def test_a_parameter_from_a_file_is_nowhere_in_the_output(folder: Path, tmp_path: Path) -> None:
    data = tmp_path / "data folder"
    data.mkdir()
    (tmp_path / "value").write_text(f"{data}\n")
    printed = await check(folder, "maintenance-file", "--parameter-file", f"DataFolder={tmp_path}/value")
    assert printed.code == 0
    assert any("discover answers absolute paths: 1 instances" in line for line in printed.verdicts("ok"))


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ((), "Give the name of a plugin, or --list."),
        (("nope",), "There is no plugin 'nope' here."),
        (("sample-app", "--family", "storage"), "There is no storage plugin 'sample-app'"),
        (("filesystem",), "is a plugin of several families: give --family"),
        (("sample-app", "--family", "tape"), "invalid choice"),
        (("sample-app", "--parameter", "x"), "--parameter: 'x' is not NAME=VALUE"),
        (("sample-app", "--parameter-file", "Key=/no/such/file"), "Key: /no/such/file: No such file"),
        (
            ("tree-copy", "--parameter", "BackupDestPath=/"),
            "BackupDestPath: the check writes and deletes there",
        ),
    ],
)
async def test_what_cannot_be_checked_ends_with_2(
    folder: Path, arguments: tuple[str, ...], words: str
) -> None:
    printed = await check(folder, *arguments)
    assert printed.code == 2, printed
    assert words in printed.stderr
    assert printed.stdout == ""
    assert "Traceback" not in printed.stderr
