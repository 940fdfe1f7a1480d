"""Only so many tests of configurations run at once: the same one is joined, what is too much is refused."""

import asyncio
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from uuid import uuid4

import pytest
from temporalio.client import Client

from tests.conftest import eventually, running_worker
from tests.factories import ADMIN
from tests.services.slow_plugins import slow_plugin
from workflows_app.contracts.checks import CheckInput
from workflows_app.domain.config import Config
from workflows_app.domain.config_files.configuration import Configuration
from workflows_app.domain.errors import NotNow, TemporalUnavailable
from workflows_app.domain.findings import CheckPart, FindingState
from workflows_app.services.configurations import checks
from workflows_app.services.configurations.check_seats import Asking, Seated, take_seat
from workflows_app.services.temporal import looks

pytestmark = pytest.mark.django_db(transaction=True)

OTHER = replace(ADMIN, name="grace")
MINUTE = timedelta(minutes=1)
SLOW = """#!/bin/sh
case "$1" in
--info) echo '{"name": "slow", "version": "1", "type": "app", "capabilities": [{"name": "check"}]}';;
--check) echo begun >>"%(folder)s/begun"; until [ -e "%(folder)s/go" ]; do sleep 0.02; done
    echo '[{"state": "GOOD", "words": "it was slow"}]';;
esac
"""


@pytest.fixture
def slow(settings, tmp_path: Path) -> Iterator[Path]:
    """The folder of an app plugin ``slow``: its test writes to ``begun`` there, and waits for ``go``."""
    with slow_plugin(settings, tmp_path, "app", SLOW):
        yield tmp_path


@pytest.fixture
def seated(monkeypatch) -> list[Seated]:
    """The tests that were begun or joined."""
    found: list[Seated] = []

    async def note(*given: object, **more: object) -> Seated:
        found.append(await take_seat(*given, **more))
        return found[-1]

    monkeypatch.setattr(checks, "take_seat", note)
    return found


def draft(**parameters: str) -> Configuration:
    return Configuration(Config(app_plugin="slow", app_plugin_parameters=parameters), ())


def run_id(seat: Seated) -> str | None:
    return seat.run_id or seat.first_execution_run_id


async def test_who_asks_the_same_again_is_answered_by_the_test_that_runs(
    temporal_settings: str, slow: Path, seated: list[Seated]
):
    async with running_worker(temporal_settings):
        first = asyncio.create_task(checks.check_draft(ADMIN, "p", "c", draft()))
        await eventually((slow / "begun").exists)
        second = asyncio.create_task(checks.check_draft(ADMIN, "p", "c", draft()))
        await eventually(lambda: len(seated) == 2)
        assert run_id(seated[0]) == run_id(seated[1])
        (slow / "go").touch()
        found, same = await asyncio.gather(first, second)
    assert found == same
    assert FindingState.GOOD in {each.state for each in found.parts[CheckPart.APP].findings}
    assert (slow / "begun").read_text() == "begun\n", "it was tested once"


async def test_who_asks_for_something_else_of_the_same_configuration_is_refused_until_that_ends(
    temporal_settings: str, slow: Path, seated: list[Seated]
):
    async with running_worker(temporal_settings):
        first = asyncio.create_task(checks.check_draft(ADMIN, "p", "c", draft()))
        await eventually((slow / "begun").exists)
        with pytest.raises(NotNow, match=r"^Your test of p/c that began \d+ s ago still runs.*wait"):
            await checks.check_draft(ADMIN, "p", "c", draft(Other="x"))
        # Another person's test of it, and one of another configuration, are tests of their own.
        others = [checks.check_draft(OTHER, "p", "c", draft()), checks.check_draft(ADMIN, "p", "d", draft())]
        rest = asyncio.gather(*others)
        await eventually(lambda: len({run_id(one) for one in seated}) == 3)
        (slow / "go").touch()
        await first
        await rest
        assert (await checks.check_draft(ADMIN, "p", "c", draft(Other="x"))).parts


def asking(by: str = "ada", config: str = "c", mark: str = "m") -> Asking:
    return Asking(by, "p", config, mark)


ASKED = CheckInput(config=Config(), parts=(CheckPart.APP,))


async def test_of_many_who_ask_at_once_as_many_are_seated_as_there_are_seats(
    temporal_settings: str, temporal_server: Client, settings
):
    settings.FOSSUL_TESTS_AT_ONCE = 3
    many = [take_seat(temporal_server, ASKED, asking(by=uuid4().hex), MINUTE) for _ in range(12)]
    answers = await asyncio.gather(*many, return_exceptions=True)
    begun = [one for one in answers if not isinstance(one, BaseException)]
    assert len({one.id for one in begun}) == len(begun) == 3
    refused = [one for one in answers if isinstance(one, NotNow)]
    assert len(refused) == 9
    assert str(refused[0]).startswith("As many tests of configurations run now as may at once (3)")
    await begun[1].terminate()
    freed = await take_seat(temporal_server, ASKED, asking(), MINUTE)
    assert freed.id == begun[1].id
    # Who has a seat is not refused his own test because all are taken.
    assert run_id(await take_seat(temporal_server, ASKED, asking(), MINUTE)) == run_id(freed)


async def test_a_person_s_test_is_found_behind_a_seat_that_has_become_free(
    temporal_settings: str, temporal_server: Client
):
    first = await take_seat(temporal_server, ASKED, asking("grace"), MINUTE)
    own = await take_seat(temporal_server, ASKED, asking(), MINUTE)
    await first.terminate()
    assert (await take_seat(temporal_server, ASKED, asking(), MINUTE)).id == own.id
    with pytest.raises(NotNow):
        await take_seat(temporal_server, ASKED, asking(mark="n"), MINUTE)


async def test_the_same_person_s_clicks_at_the_same_moment_are_one_test(
    temporal_settings: str, temporal_server: Client
):
    clicks = [take_seat(temporal_server, ASKED, asking(), MINUTE) for _ in range(6)]
    assert len({run_id(one) for one in await asyncio.gather(*clicks)}) == 1


async def test_who_joins_a_test_that_nobody_takes_is_told_that_there_is_no_worker(
    temporal_settings: str, monkeypatch
):
    monkeypatch.setattr(looks, "UNSEEN_SECONDS", 0.2)
    monkeypatch.setattr(looks, "LATE", timedelta(seconds=1))
    for patience in (0.2, 30.0):
        monkeypatch.setattr(looks, "UNSEEN_SECONDS", patience)
        with pytest.raises(TemporalUnavailable, match=r"No worker answered within .* whether p/c has what"):
            await checks.check_draft(ADMIN, "p", "c", draft())


def test_the_mark_of_a_question_is_that_of_all_that_is_asked():
    plain, other = draft(Token="geheimnis"), draft(Token="another")
    marks = [checks._mark(one.config, one.layout, tuple(CheckPart)) for one in (plain, plain, other)]
    assert marks[0] == marks[1] != marks[2]
    assert marks[0] != checks._mark(plain.config, plain.layout, (CheckPart.APP,))
