"""Whether a worker would find the programs of a configuration's commands."""

from dataclasses import replace
from pathlib import Path

import pytest

from tests.plugins.conftest import Call
from workflows_app.domain.config import Config
from workflows_app.domain.findings import Finding, FindingState
from workflows_app.plugins.command_check import check_commands


@pytest.fixture
def folder(call: Call, tmp_path: Path) -> Path:
    """The one folder in which programs are looked for."""
    path = tmp_path / "bin"
    path.mkdir()
    call.context = replace(call.context, environment={"PATH": str(path)})
    return path


def program(folder: Path, name: str, mode: int = 0o755) -> Path:
    path = folder / name
    path.write_text(f"#!/bin/sh\ntouch {folder}/ran\n")
    path.chmod(mode)
    return path


def look(call: Call, programs: dict[str, str] | None = None, **commands: str) -> tuple[Finding, ...]:
    return check_commands(replace(call.context, config=Config(**commands)), programs or {})


def test_a_program_is_found_where_a_run_finds_it_and_is_not_run(call: Call, folder: Path):
    path = program(folder, "freeze")
    (by_name,) = look(call, app_quiesce_cmd="freeze,--now")
    (by_path,) = look(call, app_quiesce_cmd=f"{path},--now")
    assert by_name.words == by_path.words == f"Found {path}"
    assert by_name.state is FindingState.GOOD
    assert by_name.parameter == "AppQuiesceCmd"
    assert not (folder / "ran").exists()


@pytest.mark.parametrize(
    ("command", "why"),
    [
        ("missing", "'missing' is not in the $PATH of this worker"),
        ("/no/such/program", "There is no program /no/such/program"),
        ("bin/freeze", "bin/freeze is relative"),
        ("{folder}", "There is no program"),
        ("{folder}/plain", "may not be executed"),
    ],
)
def test_what_could_not_be_started_is_bad(call: Call, folder: Path, command: str, why: str):
    program(folder, "plain", 0o644)
    (found,) = look(call, backup_create_cmd=command.format(folder=folder))
    assert (found.state, found.parameter) == (FindingState.BAD, "BackupCreateCmd")
    assert why in found.words


def test_a_command_for_a_pod_is_not_known_here_unless_the_worker_runs_it(call: Call, folder: Path):
    (in_a_pod,) = look(call, app_quiesce_cmd=":freeze,x")
    assert in_a_pod.state is FindingState.UNKNOWN
    (not_for_a_pod,) = look(call, backup_create_cmd=":freeze,x")
    assert not_for_a_pod.state is FindingState.BAD


def test_the_plans_own_commands_are_looked_for_by_their_step(call: Call, folder: Path):
    program(folder, "tidy")
    found = look(call, {"tidy-up": "tidy", "sweep": "broom"}, send_trap_error_cmd="tidy")
    assert [(each.parameter, each.state.value) for each in found] == [
        ("SendTrapErrorCmd", "GOOD"),
        ("tidy-up", "GOOD"),
        ("sweep", "BAD"),
    ]


def test_without_commands_there_is_nothing_to_test(call: Call):
    (found,) = look(call)
    assert found.state is FindingState.UNKNOWN
