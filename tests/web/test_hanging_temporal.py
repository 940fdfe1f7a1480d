"""With a Temporal that takes questions and never answers every page comes soon, and says what is unknown."""

import asyncio
import time

import pytest
from asgiref.sync import sync_to_async
from django.test import Client
from django.urls import reverse

from tests.factories import ADMIN, make_catalog, make_run
from tests.faults import FaultProxy
from tests.services.schedules import key_of, timing
from tests.web.test_control import login
from workflows_app.domain.errors import TemporalUnavailable
from workflows_app.services.recording import recorder
from workflows_app.services.schedules import schedule_lists, schedules
from workflows_app.services.temporal import budgets, client, health
from workflows_app.services.temporal.budgets import BudgetSpent, budget, within_budget

pytestmark = pytest.mark.django_db(transaction=True)

OWN_WORK = 1.0
"""What a page may take for itself, in seconds, on a machine that may be busy."""

WITHOUT_PLACE = ("overview", "schedules", "runs", "workers", "health")
OF_CONFIG = ("config", "restore-points", "manage-config", "plan", "edit-config")


@pytest.fixture
def throttles(monkeypatch):
    """What was asked for the last page may be asked again for the next one."""

    def forget() -> None:
        for throttled in (health._probe, recorder._catch_up, schedule_lists._known, schedule_lists._look):
            monkeypatch.setattr(throttled, "_asked", float("-inf"))

    return forget


@sync_to_async
def get(browser: Client, address: str) -> tuple[float, int, str]:
    begun = time.monotonic()
    answer = browser.get(address)
    return time.monotonic() - begun, answer.status_code, answer.content.decode()


@pytest.mark.parametrize("connected", [True, False])
async def test_every_page_comes_soon_and_says_what_is_not_known(
    temporal_settings, settings, throttles, connected
):
    settings.FOSSUL_PAGE_SECONDS = 0.3
    browser = Client()
    await sync_to_async(login)(browser, "admin")
    config = await sync_to_async(make_catalog)(
        storagePlugin="filesystem",
        storagePluginParameters={"BackupDestPath": "/b", "BackupSrcPaths": "/s"},
        archivePlugin="sample-archive",
    )
    place = [config.profile.name, config.name]
    await schedules.create_schedule(ADMIN, key_of(config), timing())
    run = await sync_to_async(make_run)(profile=place[0], config=place[1])
    addresses = [reverse(name) for name in WITHOUT_PLACE]
    addresses += [reverse(name, args=place) for name in OF_CONFIG]
    addresses += [
        reverse("retention", args=[*place, "daily"]),
        reverse("schedule", args=[*place, "daily", "nightly"]),
        reverse("run", args=[run.pk]),
    ]
    port = int(settings.TEMPORAL_ADDRESS.rpartition(":")[2])
    async with FaultProxy(port).running() as proxy:
        settings.TEMPORAL_ADDRESS = f"127.0.0.1:{proxy.port}"
        if connected:
            await schedule_lists.list_schedules(ADMIN)
        proxy.hang()
        for address in addresses:
            throttles()
            took, _, page = await get(browser, address)
            assert took < 0.3 + OWN_WORK, f"{address} took {took:.1f} s"
            assert "does not answer" in page or '"temporal": "unavailable"' in page, address
        throttles()
        _, status, page = await get(browser, reverse("restore-points", args=place))
        assert status == 503
        assert "<strong>Unknown.</strong>" in page and "<strong>Archives unknown.</strong>" in page
        throttles()
        _, _, page = await get(browser, reverse("overview"))
        assert ">unknown<" in page, "the next run"

        proxy.come_back()
        throttles()
        _, status, page = await get(browser, reverse("schedules"))
        assert (status, "does not answer" in page) == (200, False)


async def test_a_connection_that_nobody_answers_is_given_up(temporal_settings, settings, monkeypatch):
    monkeypatch.setattr(client, "CONNECT_SECONDS", 0.2)
    async with FaultProxy(int(settings.TEMPORAL_ADDRESS.rpartition(":")[2])).running() as proxy:
        proxy.hang()
        settings.TEMPORAL_ADDRESS = f"127.0.0.1:{proxy.port}"
        with pytest.raises(TemporalUnavailable, match="takes too long"):
            await schedule_lists.list_schedules(ADMIN)
        proxy.come_back()
        monkeypatch.setattr(client, "CONNECT_SECONDS", 5.0)
        await schedule_lists.list_schedules(ADMIN)


async def wait_within(seconds: float) -> None:
    async with within_budget():
        await asyncio.sleep(seconds)


async def test_what_one_question_takes_is_not_left_for_the_next():
    with budget(0.2):
        with pytest.raises(BudgetSpent):
            await wait_within(60)
        begun = time.monotonic()
        with pytest.raises(BudgetSpent):
            await wait_within(60)
        assert time.monotonic() - begun < 0.1
        with budget(None):
            await wait_within(0)


async def test_of_questions_at_the_same_time_the_longest_counts():
    with budget(60):
        await asyncio.gather(*(wait_within(0.1) for _ in range(10)))
        found = budgets._budget.get()
        assert found is not None and 59 < found.left <= 59.9


async def test_what_has_a_time_of_its_own_keeps_it():
    with budget(60), pytest.raises(TimeoutError):
        async with within_budget(), asyncio.timeout(0):
            await asyncio.sleep(60)


async def test_without_a_budget_there_is_no_haste():
    await wait_within(0)
    with budget(0), pytest.raises(BudgetSpent):
        await wait_within(0)
