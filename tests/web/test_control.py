"""The controls of the run page: who sees and may use them, and what refusals say. Temporal is away here."""

import pytest
from django.contrib.auth.models import Group, User
from django.test import Client
from django.urls import reverse

from tests.factories import make_catalog, make_run
from workflows_app.domain.plans.plans import OnFailure, Plan, backup_plan
from workflows_app.domain.runs.progress import Progress, StepProgress
from workflows_app.domain.states import RunState, StepState
from workflows_app.models import AuditEntry, BackupConfig, Run
from workflows_app.services.configurations import catalog
from workflows_app.services.people.permissions import command_line

pytestmark = pytest.mark.django_db(transaction=True)

ACTIONS = ("cancel-run", "terminate-run", "retry-step", "skip-step", "abort-run", "thaw-run", "resume-backup")


def login(client: Client, group: str) -> User:
    user = User.objects.create_user(f"{group}-user")
    user.groups.add(Group.objects.get_or_create(name=group)[0])
    client.force_login(user)
    return user


@pytest.mark.parametrize("action", ACTIONS)
def test_a_viewer_may_use_no_control(client, action):
    login(client, "viewer")
    run = make_run()
    answer = client.post(reverse(action, args=[run.pk]), {"step": "0", "reason": "x"})
    assert answer.status_code == 403
    assert "not allowed to" in answer.content.decode()
    assert AuditEntry.objects.count() == 0


@pytest.mark.parametrize("action", ACTIONS)
def test_a_control_is_a_post(client, action):
    login(client, "admin")
    assert client.get(reverse(action, args=[make_run().pk])).status_code == 405


@pytest.mark.parametrize("action", ACTIONS)
def test_a_run_that_does_not_exist_is_not_found(client, action):
    login(client, "admin")
    answer = client.post(reverse(action, args=[424242]), {"step": "0", "reason": "x"})
    assert answer.status_code == 404


def paused_run(config: BackupConfig, may_skip: bool = False) -> Run:
    detail = catalog.get_config(command_line("tests"), config.profile.name, config.name)
    plan = backup_plan(detail.config)
    steps = [StepProgress(key=s.key, name=s.name, phase=s.phase) for s in plan.steps]
    steps[0] = steps[0].model_copy(
        update={"step": 0, "state": StepState.PAUSED, "reason": "no space", "attempt": 1}
    )
    first = plan.stages[0].steps[0]
    options = first.options.model_copy(update={"on_failure": OnFailure.PAUSE, "may_skip": may_skip})
    stage = plan.stages[0].model_copy(update={"steps": (first.model_copy(update={"options": options}),)})
    plan = Plan.model_validate(plan.model_copy(update={"stages": (stage, *plan.stages[1:])}).model_dump())
    run = make_run(profile=config.profile.name, config=config.name)
    progress = Progress(started=run.started, plan=plan, steps=tuple(steps), pause_until=run.started)
    run.progress = progress.model_dump(mode="json")
    run.save()
    return run


@pytest.mark.parametrize(("group", "may_skip", "shown"), [
    ("viewer", True, set()),
    ("operator", False, {"retry-step", "abort-run"}),
    ("operator", True, {"retry-step", "skip-step", "abort-run"}),
])  # fmt: skip
def test_a_run_that_waits_offers_what_is_possible(client, settings, group, may_skip, shown):
    settings.TEMPORAL_ADDRESS = "127.0.0.1:1"
    login(client, group)
    run = paused_run(make_catalog(), may_skip)
    page = client.get(reverse("run", args=[run.pk])).content.decode()
    assert "Waiting for a person." in page
    assert "no space" in page
    for action in ("retry-step", "skip-step", "abort-run"):
        assert (reverse(action, args=[run.pk]) in page) == (action in shown), action


def test_the_overview_tells_of_a_run_that_waits(client):
    login(client, "viewer")
    run = paused_run(make_catalog())
    page = client.get(reverse("overview")).content.decode()
    assert "Waiting for a person" in page
    assert reverse("run", args=[run.pk]) in page


@pytest.mark.parametrize(("group", "offered"), [("operator", False), ("admin", True)])
def test_terminating_is_for_admins(client, settings, group, offered):
    settings.TEMPORAL_ADDRESS = "127.0.0.1:1"
    login(client, group)
    run = make_run()
    page = client.get(reverse("run", args=[run.pk])).content.decode()
    assert (reverse("terminate-run", args=[run.pk]) in page) == offered


def test_with_temporal_away_a_control_says_so_and_notes_nothing(client, settings):
    settings.TEMPORAL_ADDRESS = "127.0.0.1:1"
    login(client, "admin")
    run = make_run()
    answer = client.post(reverse("abort-run", args=[run.pk]), {"step": "0"})
    assert answer.status_code == 503
    assert AuditEntry.objects.count() == 0


def test_a_terminated_run_that_left_something_frozen_offers_the_thaw(client):
    login(client, "operator")
    run = make_run(status="TERMINATED")
    progress = Progress(
        state=RunState.TERMINATED,
        started=run.started,
        finished=run.started,
        frozen_since=run.started,
        still_frozen=("unquiesce-plugin",),
        still_owed=("unquiesce-plugin",),
    )
    Run.objects.filter(pk=run.pk).update(
        finished=run.started, progress=progress.model_dump(mode="json"), status="TERMINATED"
    )
    page = client.get(reverse("run", args=[run.pk])).content.decode()
    assert "Thaw now" in page
    assert "The run has ended without unquiescing it" in page


def test_what_was_done_to_a_run_is_on_its_page_and_in_the_audit(client):
    user = login(client, "viewer")
    run = make_run(finished=None)
    AuditEntry.objects.create(
        actor="<b>olga", action="terminated", profile="test", config=run.config, run=run.pk, details="why not"
    )
    for address in (reverse("run", args=[run.pk]), reverse("audit")):
        page = client.get(address).content.decode()
        assert "&lt;b&gt;olga" in page, address
        assert "why not" in page
    user.groups.clear()
    assert client.get(reverse("audit")).status_code == 403
