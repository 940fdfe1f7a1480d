"""What a workflow may import: a worker that has one which imports Django refuses to start."""

import ast
import importlib
import re
from pathlib import Path

import pytest
from temporalio import workflow
from temporalio.worker.workflow_sandbox import SandboxedWorkflowRunner

from tests.workflows.unfit import PASSED_THROUGH, write_unfit
from workflows_app import worker, workflows
from workflows_app.worker import WorkerOptions, WorkerRunner, workflow_runner
from workflows_app.workflows.registered import WORKFLOWS


@pytest.fixture
def unfit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Make a workflow whose module does a statement."""
    monkeypatch.syspath_prepend(tmp_path)
    return lambda statement: importlib.import_module(write_unfit(tmp_path, statement)).Unfit


def prepare(runner: SandboxedWorkflowRunner, workflow_class: type) -> None:
    """What a worker does with each of its workflows when it starts."""
    runner.prepare_workflow(workflow._Definition.must_from_class(workflow_class))


@pytest.mark.parametrize("how", ["{statement}", PASSED_THROUGH], ids=["plain", "passed through"])
@pytest.mark.parametrize(
    ("statement", "banned"),
    [
        ("import django", "django"),
        ("import django.utils.timezone", "django"),
        ("from django.db import models", "django"),
        ("import channels", "channels"),
        ("from asgiref.sync import sync_to_async", "asgiref"),
        ("from workflows_app.models import Run", "workflows_app.models"),
        ("import workflows_app.models.runs", "workflows_app.models"),
        ("from workflows_app.services import runs", "workflows_app.services"),
        ("from workflows_app.web.runs import run_views", "workflows_app.web"),
    ],
)
async def test_a_workflow_must_not_import(temporal_settings, unfit, monkeypatch, how, statement, banned):
    monkeypatch.setattr(worker, "WORKFLOWS", [*WORKFLOWS, unfit(how.format(statement=statement))])
    with pytest.raises(RuntimeError) as refusal:
        await WorkerRunner(WorkerOptions(temporal_settings, record=False)).run()
    words = re.fullmatch(
        r"Failed validating workflow unfit: it uses ([\w.]+), which no workflow may\.", str(refusal.value)
    )
    assert words
    assert words[1].startswith(banned)


@pytest.mark.parametrize(
    "statement",
    [
        "import datetime",
        "from workflows_app.domain import naming",
        PASSED_THROUGH.format(statement="from workflows_app.contracts.steps import StepInput"),
    ],
)
async def test_a_workflow_may_import(unfit, statement):
    prepare(workflow_runner(), unfit(statement))


@pytest.mark.parametrize("workflow_class", WORKFLOWS, ids=lambda it: it.__name__)
async def test_the_workflows_of_the_product_are_fit(workflow_class):
    prepare(workflow_runner(), workflow_class)


async def test_temporals_own_sandbox_would_let_django_in(unfit):
    """If this ever fails, the ban of our own has become superfluous."""
    prepare(SandboxedWorkflowRunner(), unfit(PASSED_THROUGH.format(statement="import django")))


DETERMINISTIC = {
    "asyncio",
    "collections.abc",
    "contextlib",
    "dataclasses",
    "temporalio",
    "temporalio.common",
    "temporalio.exceptions",
    "temporalio.workflow",
    "typing",
}
FORBIDDEN = {
    "now",
    "utcnow",
    "today",
    "monotonic",
    "perf_counter",
    "uuid4",
    "urandom",
    "random",
    "getenv",
}


@pytest.mark.parametrize("path", sorted(Path(workflows.__path__[0]).glob("*.py")), ids=lambda path: path.stem)
def test_what_a_workflow_is_made_of_is_deterministic(path):
    """Also where the sandbox does not load it anew: nothing that knows the time, chance or the machine."""
    tree = ast.parse(path.read_text())
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            assert {name.name for name in node.names} <= DETERMINISTIC, ast.unparse(node)
        elif isinstance(node, ast.ImportFrom):
            names = {name.name for name in node.names}
            ours = str(node.module).startswith(
                ("workflows_app.contracts", "workflows_app.domain", "workflows_app.workflows")
            )
            spans = node.module == "datetime" and names <= {"timedelta", "datetime"}
            assert ours or spans or node.module in DETERMINISTIC, ast.unparse(node)
        elif isinstance(node, ast.Attribute) and node.attr in FORBIDDEN:
            assert ast.unparse(node.value) == "workflow", ast.unparse(node)
