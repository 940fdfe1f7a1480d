"""The run page's socket, through the real application, with the product's worker on a real Temporal."""

import asyncio
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path

import pytest
from asgiref.sync import sync_to_async
from django.contrib.auth.models import User
from django.contrib.sessions.models import Session

from tests.conftest import eventually
from tests.factories import OPERATOR, make_catalog, make_run
from tests.web.sockets import Socket, log_in, opened
from workflows_app.models import Run, RunMessage
from workflows_app.services.runs import runs, starts
from workflows_app.web.live import run_consumer, run_live

pytestmark = pytest.mark.django_db(transaction=True)

catalog = sync_to_async(make_catalog)


@pytest.fixture
def gate(tmp_path: Path) -> Path:
    """A folder with a command ``talk``: it prints ``line 1`` to ``line 4``, each once its file exists."""
    script = tmp_path / "talk"
    script.write_text(
        "#!/bin/sh\n"
        "for n in 1 2 3 4; do\n"
        f'  until [ -e "{tmp_path}/$n" ]; do sleep 0.02; done\n'
        '  echo "line $n"\n'
        "done\n"
    )
    script.chmod(0o755)
    return tmp_path


async def start(**settings: object) -> int:
    config = await catalog(**settings)
    return await starts.start_backup(OPERATOR, config.profile.name, config.name, "daily")


@sync_to_async
def stored(number: int) -> list[tuple[int, int, int]]:
    rows = RunMessage.objects.filter(run=number).order_by("step", "attempt", "seq")
    return list(rows.values_list("step", "attempt", "seq"))


async def test_two_pages_see_every_line_and_step_once_while_the_run_goes_on(worker, gate):
    number = await start(preAppQuiesceCmd=str(gate / "talk"), postAppUnquiesceCmd="echo,bye")
    cookies = [await log_in("vera", "viewer"), await log_in("olga", "operator")]
    async with opened(number, cookies[0]) as first, opened(number, cookies[1]) as second:
        for page in (first, second):
            await page.hello()
        (gate / "1").touch()
        for page in (first, second):
            await page.until("line 1")
            assert (await Run.objects.aget(pk=number)).finished is None
            await page.until("is-running")
        for n in "234":
            (gate / n).touch()
        for page in (first, second):
            await page.to_the_end()
            assert page.closed == 1000
            assert sorted(page.lines) == await stored(number)
            assert len(page.lines) == len(set(page.lines))
            assert any('data-status="complete"' in frame for frame in page.frames)
    assert any("Cancel run" in frame for frame in second.frames), "an operator may cancel"
    assert not any("Cancel run" in frame for frame in first.frames), "a viewer may not"
    assert not run_live._live_runs(), "the last one who leaves ends the watch"


async def test_a_page_that_comes_back_gets_exactly_what_it_missed(worker, gate):
    number = await start(preAppQuiesceCmd=str(gate / "talk"))
    cookie = await log_in("vera", "viewer")
    (gate / "1").touch()
    async with opened(number, cookie) as before:
        await before.hello()
        await before.until("line 1")
    for n in "23":
        (gate / n).touch()
    while not await RunMessage.objects.filter(run=number, text="line 3").aexists():
        await asyncio.sleep(0.02)
    async with opened(number, cookie) as after:
        await after.hello(before.read())
        await after.until("line 3")
        (gate / "4").touch()
        await after.to_the_end()
    assert sorted(before.lines + after.lines) == await stored(number)
    assert not any("hx-swap-oob" not in frame for frame in after.frames)


async def test_a_page_that_is_ahead_of_the_watch_sees_nothing_twice(worker, gate):
    """A page rendered from the database may have lines that the watch has yet to tell of."""
    number = await start(preAppQuiesceCmd=str(gate / "talk"))
    cookie = await log_in("vera", "viewer")
    async with opened(number, cookie) as first:
        await first.hello()
        await first.until("Performing pre quiesce command")
        async with opened(number, cookie) as second:
            (gate / "1").touch()
            while not await RunMessage.objects.filter(run=number, text="line 1").aexists():
                await asyncio.sleep(0.005)
            await second.hello({f"{s}-{a}": n for s, a, n in await stored(number)})
            for n in "234":
                (gate / n).touch()
            await second.to_the_end()
        await first.to_the_end()
    assert not any("line 1<" in frame for frame in second.frames)
    assert sorted(first.lines) == await stored(number)


async def test_opening_after_the_end_shows_the_whole_log(worker):
    number = await start(preAppQuiesceCmd="echo,one", postAppUnquiesceCmd="echo,two")
    await asyncio.wait_for(runs.wait_for_run(OPERATOR, number), 20)
    async with opened(number, await log_in("vera", "viewer")) as page:
        await page.hello()
        await page.to_the_end()
    assert page.closed == 1000
    assert sorted(page.lines) == await stored(number)


async def test_a_long_absence_is_bridged_by_the_last_window_of_lines(worker):
    number = await start(preAppQuiesceCmd="seq,1,3000")
    await asyncio.wait_for(runs.wait_for_run(OPERATOR, number), 20)
    await eventually(RunMessage.objects.filter(run=number, step=0, seq=3003).aexists)
    async with opened(number, await log_in("vera", "viewer")) as page:
        await page.hello({"0-1": 2})
        await page.to_the_end()
    shown = [seq for step, _, seq in page.lines if step == 0]
    assert shown == list(range(3003 - 500 + 1, 3004))
    assert any("earlier lines" in frame for frame in page.frames)


async def test_lines_that_come_just_after_the_run_was_recorded_as_closed_are_seen():
    now = datetime.now(UTC)
    step = {"key": "k", "name": "n", "phase": "p", "step": 0, "attempt": 1, "state": "COMPLETE", "lines": 3}
    progress = {"state": "COMPLETED", "steps": [step]}
    row = await sync_to_async(make_run)(finished=now, status="COMPLETED", progress=progress)

    async def say(seq: int) -> None:
        await RunMessage.objects.acreate(
            run=row, step=0, attempt=1, seq=seq, time=now, level="INFO", text=f"line {seq}"
        )

    await say(1)
    async with opened(row.pk, await log_in("vera", "viewer")) as page:
        await page.hello()
        await page.until("line 1")
        await say(2)
        await page.until("line 2")
        await say(3)
        await page.to_the_end()
    assert page.lines == [(0, 1, 1), (0, 1, 2), (0, 1, 3)]
    assert page.closed == 1000


@pytest.mark.parametrize("text", ["", "no json", "[]", '{"read": 3}', '{"read": {"x": "y"}}', "null"])
async def test_a_hello_that_makes_no_sense_is_one_from_an_empty_page(worker, text):
    number = await start(preAppQuiesceCmd="echo,one")
    await asyncio.wait_for(runs.wait_for_run(OPERATOR, number), 20)
    assert run_consumer._read(text) == {}


async def test_a_user_without_rights_cannot_watch():
    number = (await sync_to_async(make_run)()).pk
    for cookie in ("", "forged", await log_in("nobody")):
        assert await Socket(number, cookie).connect() == run_consumer.NOT_ALLOWED


async def test_an_unknown_run_cannot_be_watched():
    assert await Socket(424242, await log_in("vera", "viewer")).connect() == run_consumer.NOT_ALLOWED


async def test_a_foreign_origin_cannot_watch():
    number = (await sync_to_async(make_run)()).pk
    cookie = await log_in("vera", "viewer")
    for origin in ("http://evil.example", "null", ""):
        assert await Socket(number, cookie, origin=origin).connect() != 0, origin


@pytest.mark.parametrize("how", ["logged out", "barred"])
async def test_a_page_whose_user_loses_the_right_sees_no_more(worker, gate, monkeypatch, how):
    monkeypatch.setattr(run_consumer, "CHECK_SECONDS", 0.0)
    number = await start(preAppQuiesceCmd=str(gate / "talk"))
    cookie = await log_in("vera", "viewer")
    async with opened(number, cookie) as page:
        await page.hello()
        await page.until("Performing pre quiesce command")
        if how == "logged out":
            await Session.objects.all().adelete()
        else:
            await User.objects.filter(username="vera").aupdate(is_active=False)
        for n in "1234":
            (gate / n).touch()
        await page.to_the_end()
    assert page.closed == run_consumer.NOT_ALLOWED
    assert not any("line 4" in frame for frame in page.frames)


async def test_what_breaks_the_watch_makes_the_page_come_back(worker, monkeypatch):
    number = await start(preAppQuiesceCmd="echo,one")

    @asynccontextmanager
    async def broken(tail):
        raise OSError("broken")
        yield

    monkeypatch.setattr(run_live, "watch", broken)
    async with opened(number, await log_in("vera", "viewer")) as page:
        await page.hello()
        await page.to_the_end()
    assert page.closed == run_consumer.TROUBLE


async def test_a_section_bears_its_steps_name_though_its_lines_were_there_before_the_watch(worker, gate):
    number = await start(preAppQuiesceCmd=str(gate / "talk"))
    (gate / "1").touch()
    while not await RunMessage.objects.filter(run=number, text="line 1").aexists():
        await asyncio.sleep(0.02)
    await Run.objects.filter(pk=number).aupdate(progress={})
    async with opened(number, await log_in("vera", "viewer")) as page:
        await page.hello()
        frame = await page.until('id="log-0-1"')
        assert "Pre quiesce command" in frame
        for n in "234":
            (gate / n).touch()
        await page.to_the_end()
    assert sorted(page.lines) == await stored(number)


async def test_with_temporal_away_the_live_page_shows_what_was_recorded_and_says_so(settings):
    step = {"key": "k", "name": "Copy the ledgers", "phase": "p", "step": 0, "state": "RUNNING"}
    row = await sync_to_async(make_run)(progress={"steps": [step]})
    settings.TEMPORAL_ADDRESS = "127.0.0.1:1"
    async with opened(row.pk, await log_in("vera", "viewer")) as page:
        await page.hello()
        frame = await page.until("does not answer")
    assert "Copy the ledgers" in frame
