from pathlib import Path

import pytest

from tests.plugins.conftest import Call
from workflows_app.domain.config import CommandField, Config
from workflows_app.domain.errors import Cancelled, ConfigInvalid
from workflows_app.domain.results import Level, Result
from workflows_app.plugins.command import run_command

Said = list[tuple[Level, str]]


def command_call(field: CommandField, value: str) -> Call:
    name = field[0].lower() + field[1:]
    return Call(Config.model_validate({name: value}))


def said_by(field: CommandField, value: str) -> tuple[Result, Said]:
    call = command_call(field, value)
    return run_command(field, call.context), call.said


def test_a_success_has_the_messages_of_fossul() -> None:
    result, said = said_by(CommandField.PRE_QUIESCE, "echo,one two,three")
    assert said == [
        (Level.INFO, "Performing pre quiesce command [echo,one two,three]"),
        (Level.CMD, "Executing command [echo one two three]"),
        (Level.INFO, "one two three"),
        (Level.INFO, "Command [echo one two three] completed successfully"),
    ]
    assert result == Result(code=0)


def test_a_command_without_arguments_keeps_fossuls_space() -> None:
    _, said = said_by(CommandField.QUIESCE, "true")
    assert said == [
        (Level.INFO, "Performing quiesce command [true]"),
        (Level.CMD, "Executing command [true ]"),
        (Level.INFO, "Command [true ] completed successfully"),
    ]


def test_a_failure_has_the_messages_of_fossul(tmp_path: Path) -> None:
    script = tmp_path / "fail.sh"
    script.write_text("echo out; echo err >&2; exit 3")
    result, said = said_by(CommandField.BACKUP_CREATE, f"sh,{script}")
    assert said == [
        (Level.INFO, f"Performing backup create command [sh,{script}]"),
        (Level.CMD, f"Executing command [sh {script}]"),
        (Level.INFO, "out"),
        (Level.INFO, "err"),
        (Level.ERROR, f"Command [sh {script}] failed"),
        (Level.ERROR, "Command failed with [exit status 3]"),
    ]
    assert result == Result(code=1)


def test_a_command_that_cannot_be_started_has_the_messages_of_fossul() -> None:
    result, said = said_by(CommandField.POST_UNQUIESCE, "nosuchcmd,x")
    assert said == [
        (Level.INFO, "Performing post unquiesce command [nosuchcmd,x]"),
        (Level.CMD, "Executing command [nosuchcmd x]"),
        (Level.ERROR, "Command [nosuchcmd x] failed"),
        (Level.ERROR, 'Command failed with [exec: "nosuchcmd": executable file not found in $PATH]'),
    ]
    assert result == Result(code=1)


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (",x", "[ x]: exec: no command"),
        (" true", '[ true ]: exec: " true": executable file not found in $PATH'),
        ("true ", '[true  ]: exec: "true ": executable file not found in $PATH'),
    ],
)
def test_nothing_is_trimmed(value: str, words: str) -> None:
    _, said = said_by(CommandField.QUIESCE, value)
    command, _, reason = words.partition(": ")
    assert said[1:] == [
        (Level.CMD, f"Executing command {command}"),
        (Level.ERROR, f"Command {command} failed"),
        (Level.ERROR, f"Command failed with [{reason}]"),
    ]


def test_commas_split_and_nothing_else_does() -> None:
    _, said = said_by(CommandField.QUIESCE, 'printf,%s\\n, a b,,$HOME,"q,r"')
    assert [text for level, text in said[2:-1]] == [" a b", "", "$HOME", '"q', 'r"']


def test_output_is_not_read_for_levels() -> None:
    _, said = said_by(CommandField.QUIESCE, "echo,ERROR it is only text")
    assert said[2] == (Level.INFO, "ERROR it is only text")


APP_FIELDS = [field for field in CommandField if field.words.endswith(("quiesce", "restore app"))]


@pytest.mark.parametrize("field", APP_FIELDS)
@pytest.mark.parametrize("program", [":touch", "host:touch"])
def test_a_command_in_a_pod_never_runs_on_this_machine(
    field: CommandField, program: str, tmp_path: Path
) -> None:
    mark = tmp_path / "mark"
    with pytest.raises(ConfigInvalid, match="Namespace"):
        said_by(field, f"{program},{mark}")
    assert not mark.exists()


@pytest.mark.parametrize("value", ["echo,:x", "echo,a:b"])
def test_a_colon_in_an_argument_is_no_pod(value: str) -> None:
    result, said = said_by(CommandField.QUIESCE, value)
    assert result.code == 0
    assert said[2] == (Level.INFO, value.removeprefix("echo,"))


def test_the_storage_service_takes_a_colon_literally() -> None:
    _, said = said_by(CommandField.BACKUP_CREATE, ":ls")
    assert said[-1] == (Level.ERROR, 'Command failed with [exec: ":ls": executable file not found in $PATH]')


def test_cancelling_is_passed_on() -> None:
    call = command_call(CommandField.QUIESCE, "sleep,60")
    call.cancel()
    with pytest.raises(Cancelled):
        run_command(CommandField.QUIESCE, call.context)
