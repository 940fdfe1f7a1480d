"""What an executable finds with ``--check``, if it declares that it can."""

from dataclasses import replace

import pytest

from tests.plugins.basic.conftest import Folder
from workflows_app.domain.config import Config
from workflows_app.domain.errors import PluginFailed
from workflows_app.domain.findings import FindingState, bad, good
from workflows_app.plugins.base import PluginContext
from workflows_app.plugins.basic.plugins import BasicApp, BasicArchive, BasicStorage


@pytest.mark.parametrize("kind", [BasicApp, BasicStorage, BasicArchive])
def test_an_executable_that_declares_it_answers_findings(kind: type, folder: Folder, context: PluginContext):
    answer = (
        '[{"State": "GOOD", "words": "it is there"}, {"state": "BAD", "words": "no", "parameter": "Host"}]'
    )
    path = folder.shell("app", f"test \"$1\" = --check && echo '{answer}'", can="check")
    assert kind(path).check(context) == (good("it is there"), bad("no", "Host"))


def test_it_is_told_the_parameters_and_of_no_run(folder: Folder, context: PluginContext):
    body = 'echo "[{\\"state\\": \\"GOOD\\", \\"words\\": \\"$Host/$ProfileName/$WorkflowId\\"}]"'
    path = folder.shell("app", body, can="check")
    asked = replace(context, config=Config(profile_name="shop"), parameters={"Host": "db.example.org"})
    assert BasicApp(path).check(asked) == (good("db.example.org/shop/"),)


@pytest.mark.parametrize("can", ["", "quiesce unquiesce"])
def test_one_that_does_not_declare_it_is_not_called(folder: Folder, context: PluginContext, can: str):
    path = folder.shell("app", f"touch {folder.root}/called", can=can)
    (found,) = BasicApp(path).check(context)
    assert found.state is FindingState.UNKNOWN
    assert not (folder.root / "called").exists()


@pytest.mark.parametrize(
    ("body", "why"),
    [
        ("echo nonsense", "what it printed is no JSON"),
        ('echo \'[{"state": "FINE", "words": "x"}]\'', "is not the answer that is asked for: 0.state"),
        ("echo '[]'; exit 3", "exit status 3"),
    ],
)
def test_anything_else_is_a_failure(folder: Folder, context: PluginContext, body: str, why: str):
    with pytest.raises(PluginFailed, match=why):
        BasicApp(folder.shell("app", body, can="check")).check(context)
