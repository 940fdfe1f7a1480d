"""JSON answers of real executables: what is taken, and what is refused rather than guessed."""

import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.plugins.basic.conftest import Folder
from tests.plugins.conftest import Call
from tests.plugins.test_process import alive, until
from workflows_app.domain.errors import Cancelled, PluginFailed
from workflows_app.domain.results import Archive, Backup, Discover, Level
from workflows_app.plugins.base import PluginContext
from workflows_app.plugins.basic import program
from workflows_app.plugins.basic.plugins import BasicApp, BasicArchive, BasicStorage


def printing(text: str, code: int = 0) -> str:
    """The body of a script that prints ``text``."""
    return f"cat <<'END'\n{text}\nEND\nexit {code}"


def test_an_array_of_backups_is_taken_over_several_lines(folder: Folder, context: PluginContext) -> None:
    path = folder.shell(
        "storage",
        printing(
            '[{"name": "n", "policy": "daily",\n "workflowId": "7", "epoch": 5,'
            '"extra": 1,\n "contents": null}]'
        ),
    )
    made = Backup(name="n", policy="daily", workflow_id="7", epoch=5)
    assert BasicStorage(path).backup_list(context) == (made,)


def test_keys_are_taken_in_any_case_as_go_does_and_the_exact_one_wins(
    folder: Folder, context: PluginContext
) -> None:
    path = folder.shell("archive", printing('[{"name": "n", "NAME": "other", "WorkflowID": "7"}]'))
    assert BasicArchive(path).archive_list(context) == (Archive(name="n", workflow_id="7"),)


@pytest.mark.parametrize("text", ["[]", "null"])
def test_an_empty_list_is_empty(folder: Folder, context: PluginContext, text: str) -> None:
    assert BasicStorage(folder.shell("storage", printing(text))).backup_list(context) == ()


def test_log_lines_around_the_document_are_messages(
    folder: Folder, call: Call, context: PluginContext
) -> None:
    path = folder.shell("storage", printing('DEBUG Config Parameters: {"a": 1}\n[{"name": "n"}]\nINFO done'))
    assert BasicStorage(path).backup_list(context) == (Backup(name="n"),)
    assert call.said == [(Level.DEBUG, 'Config Parameters: {"a": 1}'), (Level.INFO, "done")]


@pytest.mark.parametrize(
    ("text", "code", "words"),
    [
        ("*** Backup list ***", 0, r"what it printed is no JSON \(.*\): \*\*\* Backup list"),
        ("", 0, "it printed no JSON"),
        ("INFO nothing else", 0, "it printed no JSON"),
        ('[{"name": "n"}', 0, "is no JSON"),
        ('[{"name": "n"}] []', 0, "is no JSON"),
        ('{"backup": []}', 0, "its JSON is not the answer that is asked for: "),
        ('[{"epoch": "soon"}]', 0, r"not the answer that is asked for: 0\.epoch: "),
        ("[NaN]", 0, "is no JSON"),
        ("[" * 100_000, 0, "is no JSON"),
        ("[]", 3, "exit status 3; it printed last: "),
        ("ERROR the disk is away", 1, "exit status 1; it printed last: ERROR the disk is away"),
    ],
)
def test_a_list_that_cannot_be_read_is_never_empty(
    folder: Folder, context: PluginContext, text: str, code: int, words: str
) -> None:
    path = folder.shell("storage", printing(text, code))
    with pytest.raises(PluginFailed, match=words) as failure:
        BasicStorage(path).backup_list(context)
    assert str(failure.value).startswith(f"BackupList failed [{path} --backupList]: ")
    assert len(str(failure.value)) < 1000


def test_an_answer_that_never_ends_is_refused(
    folder: Folder, context: PluginContext, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("workflows_app.plugins.basic.answers.ANSWER_LIMIT", 1024 * 1024)
    path = folder.shell("archive", "yes '[ [ [ [ [ [ [ [ [ [ [ [ [ [ ['")
    with pytest.raises(PluginFailed, match="it printed more than 1 MiB of answer"):
        BasicArchive(path).archive_list(context)


def test_a_discovery_answers_what_was_found_and_its_own_code(folder: Folder, context: PluginContext) -> None:
    found = (
        '"discoverList": [{"instance": "i", "data": ["/d"], "logs": ["/l"]}, {"instance": "j", "data": null}]'
    )
    path = folder.shell(
        "app",
        printing(
            f'{{{found}, "result": {{"code": 2, "messages": [{{"level": "WARN", "message": "m"}}]}}}}', 1
        ),
    )
    result = BasicApp(path).discover(context)
    assert result.discover_list == (
        Discover(instance="i", data=("/d",), logs=("/l",)),
        Discover(instance="j"),
    )
    assert result.code == 2, "as in Fossul, the code within counts, not the exit status"
    assert [(m.level, m.message) for m in result.messages] == [("WARN", "m")]


def test_a_broken_discovery_is_refused_with_the_exit_status(folder: Folder, context: PluginContext) -> None:
    path = folder.shell("app", printing("Traceback: no", 4))
    with pytest.raises(
        PluginFailed, match=r"Discover failed .*exit status 4, and what it printed is no JSON"
    ):
        BasicApp(path).discover(context)


def test_a_question_can_be_cancelled(folder: Folder, call: Call, context: PluginContext) -> None:
    path = folder.shell("storage", "echo $$ > $0.pid.new; mv $0.pid.new $0.pid; exec sleep 60")
    told = path.with_name("acme.pid")
    with ThreadPoolExecutor(1) as pool:
        asking = pool.submit(BasicStorage(path).backup_list, context)
        assert until(told.exists)
        call.cancel()
        with pytest.raises(Cancelled):
            asking.result(10)
    assert not alive(int(told.read_text()))


def test_info_is_asked_again_only_when_the_file_has_changed(folder: Folder) -> None:
    path = folder.add(
        "app",
        "acme",
        '#!/bin/sh\necho x >> "$0.count"\necho \'{"name": "acme", "version": "1", "type": "app"}\'\n',
    )
    plugin = BasicApp(path)
    assert (plugin.info().name, plugin.info().version) == ("acme", "1")
    assert path.with_name("acme.count").read_text() == "x\n"
    path.write_text(path.read_text().replace('"1"', '"22"'))
    assert plugin.info().version == "22"


def test_an_info_that_does_not_end_is_cut_off(folder: Folder, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(program, "INFO_SECONDS", 0.2)
    path = folder.add("app", "acme", "#!/bin/sh\nexec sleep 60\n")
    begin = time.monotonic()
    with pytest.raises(PluginFailed, match=r"Plugin Info failed! .*it had not ended after 0\.2 s"):
        BasicApp(path).info()
    assert time.monotonic() - begin < 10


def test_the_child_of_an_info_has_no_credentials_of_the_worker(
    folder: Folder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FOSSUL_SECRET_KEY", "s3cret-of-the-worker")
    path = folder.add("app", "acme", '#!/bin/sh\necho "{\\"description\\": \\"$(env | grep -c s3cret)\\"}"\n')
    assert BasicApp(path).info().description == "0"
