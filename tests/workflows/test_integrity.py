"""What must fit together: contracts and activities, workflows and their register, names and constants."""

import importlib
import inspect
import pkgutil
from collections import Counter
from pathlib import Path

import pytest
from temporalio import activity, workflow

from tests.factories import EVERY_STEP, make_config
from tests.workflows.steps import Steps
from workflows_app import workflows
from workflows_app.activities.build import build_activities
from workflows_app.activities.execution import StepExecution
from workflows_app.activities.message_log import MessageLog
from workflows_app.activities.pulse import Pulse
from workflows_app.contracts import activities
from workflows_app.domain import naming
from workflows_app.domain.plans.plans import backup_plan, fetch_plan, restore_plan
from workflows_app.plugins.registry import PluginRegistry
from workflows_app.workflows.registered import WORKFLOWS

ROOT = Path(workflows.__file__).parents[1]

# The sandbox executes a workflow's parent packages anew for each run; plugins must not cost an import.
EMPTY = ["", "domain", "contracts", "workflows", "plugins", "activities", "services", "web", "management"]

CONTRACTS = [
    method
    for _, contract in inspect.getmembers(activities, inspect.isclass)
    if contract.__module__ == activities.__name__
    for _, method in inspect.getmembers(contract, inspect.isfunction)
    if activity._Definition.from_callable(method)
]


def name_of(method: object) -> str:
    return activity._Definition.must_from_callable(method).name


def registered() -> list:
    return build_activities(PluginRegistry(), StepExecution(MessageLog(), Pulse()))


def constants() -> set[str]:
    return {value for name, value in vars(naming).items() if name.isupper()}


def test_there_are_contracts():
    assert len(CONTRACTS) >= 4


@pytest.mark.parametrize("contract", CONTRACTS, ids=lambda it: it.__qualname__)
def test_a_contract_has_one_implementation_of_the_same_name_and_shape(contract):
    implementations = [method for method in registered() if name_of(method) == name_of(contract)]
    assert len(implementations) == 1
    (method,) = implementations
    owner = type(method.__self__)
    assert contract.__qualname__.split(".")[0] in [base.__name__ for base in owner.__mro__]
    assert method.__name__ == contract.__name__
    assert inspect.signature(method.__func__) == inspect.signature(contract)
    assert method.__func__ is not contract, "the contract itself only raises NotImplementedError"


def test_nothing_is_registered_without_a_contract():
    assert Counter(map(name_of, registered())) == Counter(map(name_of, CONTRACTS))


def test_the_fake_steps_of_the_tests_keep_the_contracts_too():
    fakes = [method for _, method in inspect.getmembers(Steps(), inspect.ismethod)]
    names = [name_of(method) for method in fakes if activity._Definition.from_callable(method)]
    assert sorted(names) == sorted(map(name_of, CONTRACTS))


@pytest.mark.parametrize("method", registered(), ids=name_of)
def test_a_running_step_is_told_of_its_cancel_and_never_torn_out_of_its_work(method):
    assert activity._Definition.must_from_callable(method).no_thread_cancel_exception


def test_a_plan_asks_only_for_activities_that_there_are():
    config = make_config(**EVERY_STEP)
    plans = (backup_plan(config), restore_plan(config, dry_run=False), fetch_plan(config))
    asked = {step.activity for plan in plans for step in (*plan.steps, *plan.on_error)}
    # Lists, and work on one restore point, are asked for outside of runs, by workflows of their own.
    outside = {
        naming.STORAGE_LIST,
        naming.STORAGE_BROWSE,
        naming.STORAGE_VERIFY,
        naming.STORAGE_DELETE,
        naming.ARCHIVE_LIST,
        naming.RECORD_VERIFICATION,
        naming.RECORD_REMOVAL,
        naming.RECORD_PREPARE,
        naming.RECORD_BEGIN,
        naming.RECORD_SKIP,
        naming.APP_CHECK,
        naming.STORAGE_CHECK,
        naming.ARCHIVE_CHECK,
        naming.COMMAND_CHECK,
    }
    assert asked | outside == set(map(name_of, CONTRACTS))


def test_every_workflow_is_registered():
    found = set()
    for module in pkgutil.walk_packages(workflows.__path__, f"{workflows.__name__}."):
        for _, thing in inspect.getmembers(importlib.import_module(module.name), inspect.isclass):
            if workflow._Definition.from_class(thing) and thing.__module__ == module.name:
                found.add(thing)
    assert found == set(WORKFLOWS)
    assert len(WORKFLOWS) == len(set(WORKFLOWS))


def test_names_on_the_wire_are_constants_and_all_different():
    kinds = [workflow._Definition.must_from_class(kind) for kind in WORKFLOWS]
    names = [kind.name for kind in kinds] + [name_of(contract) for contract in CONTRACTS]
    assert set(names) <= constants()
    assert len(set(names)) == len(names)
    for kind in kinds:
        assert {*kind.queries, *kind.signals, *kind.updates} <= constants()


@pytest.mark.parametrize("package", EMPTY)
def test_packages_that_must_stay_empty_are(package):
    assert (ROOT / package / "__init__.py").read_bytes() == b""
