"""The socket of the lists, through the real application: each change once, to those who may see it."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime

import pytest
from asgiref.sync import sync_to_async
from django.contrib.auth.models import User
from django.contrib.sessions.models import Session

from tests.factories import make_catalog, make_run
from tests.web.sockets import Socket, log_in
from workflows_app.models import Run, RunMessage
from workflows_app.web.live import list_consumer, list_fragments, list_live, run_consumer

pytestmark = pytest.mark.django_db(transaction=True)

run_of = sync_to_async(make_run)
NOW = datetime.now(UTC)


@pytest.fixture(autouse=True)
def quick(monkeypatch, settings) -> None:
    """Looks come ten times as often, and Temporal is away: the database is enough."""
    monkeypatch.setattr(list_live, "LOOK_SECONDS", 0.1)
    settings.TEMPORAL_ADDRESS = "127.0.0.1:1"


class ListPage:
    """A page at the other end: the frames that it got."""

    def __init__(self, socket: Socket) -> None:
        self._socket = socket
        self.frames: list[str] = []
        self.closed: int | None = None

    async def hello(self, **said: object) -> None:
        text = json.dumps(said)
        await self._socket.send_input({"type": "websocket.receive", "text": text})

    async def next(self) -> str:
        event = await self._socket.receive_output(15)
        if event["type"] == "websocket.close":
            self.closed = event["code"]
            return ""
        self.frames.append(event["text"])
        return event["text"]

    async def until(self, *texts: str) -> str:
        async with asyncio.timeout(20):
            while True:
                frame = await self.next()
                if all(text in frame for text in texts):
                    return frame
                assert self.closed is None, f"closed with {self.closed} before {texts} came"


@asynccontextmanager
async def opened(group: str = "viewer", cookie: str = "") -> AsyncIterator[ListPage]:
    socket = Socket(0, cookie or await log_in(f"{group}-{id(object())}", group), path="/ws/lists/")
    refused = await socket.connect()
    assert not refused, f"refused with {refused}"
    try:
        yield ListPage(socket)
    finally:
        await socket.disconnect()


async def say(run: Run, seq: int, text: str) -> None:
    await RunMessage.objects.acreate(run=run, step=0, attempt=1, seq=seq, time=NOW, level="INFO", text=text)


async def close(run: Run, status: str = "COMPLETED") -> None:
    await Run.objects.filter(pk=run.pk).aupdate(finished=datetime.now(UTC), status=status)


async def test_a_row_follows_its_run_and_rows_of_other_pages_are_not_sent():
    mine, other = await run_of(), await run_of()
    async with opened() as page:
        await page.hello(page="runs", query="", rows=[mine.pk], open=[mine.pk], newest=other.pk)
        await page.until(f'id="run-{mine.pk}"', "running")
        await say(mine, 1, "copying <b>one</b> \x1b[31mred\x1b[0m")
        await say(other, 1, "nobody asked")
        frame = await page.until("copying")
        assert "copying &lt;b&gt;one&lt;/b&gt; red" in frame
        await close(mine, "ERROR")
        await page.until(f'id="run-{mine.pk}"', "is-error")
    assert not any(f'id="run-{other.pk}"' in frame for frame in page.frames)
    assert not list_live._watches, "the last one who leaves ends the watch"


async def test_what_changed_between_the_page_and_its_hello_is_made_up_for():
    run = await run_of()
    await close(run)
    async with opened() as page:
        await page.hello(page="runs", query="", rows=[run.pk], open=[run.pk], newest=run.pk)
        await page.until(f'id="run-{run.pk}"', "complete")


async def test_new_runs_are_counted_as_far_as_they_fit_the_filter():
    old = await run_of()
    async with opened() as page:
        await page.hello(page="runs", query="?profile=shop&state=RUNNING", rows=[], open=[], newest=old.pk)
        await page.until("list-status")
        await run_of(profile="mail")
        await run_of(profile="shop")
        frame = await page.until("1 new run:")
        assert 'href="/runs/?profile=shop&amp;state=RUNNING"' in frame
        await run_of(profile="shop")
        await page.until("2 new runs:")


async def test_each_change_is_rendered_once_however_many_look(monkeypatch):
    rendered: list[int] = []
    real = list_fragments.run_row

    def noted(news, now):
        html = real(news, now)
        if "once" in html:
            rendered.append(news.run.number)
        return html

    monkeypatch.setattr(list_fragments, "run_row", noted)
    run = await run_of()
    async with opened() as first, opened("operator") as second, opened("admin") as third:
        for page in (first, second, third):
            await page.hello(page="runs", query="", rows=[run.pk], open=[run.pk], newest=run.pk)
        for page in (first, second, third):
            await page.until(f'id="run-{run.pk}"')
        await say(run, 1, "once")
        frames = [await page.until("once") for page in (first, second, third)]
    assert rendered == [run.pk]
    assert len(set(frames)) == 1


async def test_the_overview_follows_a_run_and_shows_actions_to_those_who_may_act():
    config = await sync_to_async(make_catalog)("shop", "orders")
    common = {"profile": "shop", "config": "orders"}
    await config.policies.filter(name="weekly").adelete()
    async with opened() as viewer, opened("operator") as operator:
        for page in (viewer, operator):
            await page.hello(page="overview")
            await page.until('id="part-last"')
        run = await run_of(**common)
        for page in (viewer, operator):
            await page.until('id="part-now"', f'id="now-{run.pk}"')
            await page.until(f'id="last-{run.pk}"')
        await say(run, 1, "half way")
        for page in (viewer, operator):
            frame = await page.until(f'<tr id="now-{run.pk}"', "half way")
            assert "part-now" not in frame, "the row alone"
        await close(run, "ERROR")
        for page in (viewer, operator):
            await page.until('data-icon="error"', "✗ 1 failed")
            await page.until('id="part-needs"', f"run {run.pk}")
            await page.until('id="part-now"', "Nothing is running")
        await operator.until('id="config-shop.orders"', "Run backup")
        await viewer.until(f'id="last-{run.pk}"')
    assert not any("/shop/orders/daily/run/" in frame for frame in viewer.frames)
    assert not any("csrfmiddlewaretoken" in frame for frame in operator.frames)


async def test_a_list_where_nothing_happens_says_nothing(monkeypatch):
    monkeypatch.setattr(list_live, "REFRESH_SECONDS", 0.0)
    async with opened() as page:
        await page.hello(page="overview")
        await page.until('id="part-last"')
        watch = list_live.list_watch()
        turn = watch.turn
        async with asyncio.timeout(10):
            await watch.wait(turn + 5)
        assert await page._socket.receive_nothing(0.2)


@pytest.mark.parametrize(
    "said",
    ["", "no json", "[]", "null", '{"page": "runs"}', '{"page": "runs", "query": 1, "rows": ["x"]}',
     '{"page": "runs", "query": "", "rows": 3, "open": [], "newest": 1}'],
)  # fmt: skip
def test_a_hello_that_makes_no_sense_is_one_of_the_overview(said: str):
    assert isinstance(list_consumer._page(said), list_live.OverviewPage)


def test_a_page_may_not_ask_for_more_rows_than_it_can_show():
    hello = {
        "page": "runs",
        "query": "?q=" + "x" * 99_999,
        "rows": list(range(9999)),
        "open": [],
        "newest": 0,
    }
    page = list_consumer._page(json.dumps(hello))
    assert isinstance(page, list_live.RunListPage)
    assert len(page._rows) == list_consumer.MOST_ROWS


async def test_who_may_not_view_cannot_look_on():
    for cookie in ("", "forged", await log_in("nobody")):
        assert await Socket(0, cookie, path="/ws/lists/").connect() == run_consumer.NOT_ALLOWED
    cookie = await log_in("vera", "viewer")
    for origin in ("http://evil.example", "null", ""):
        assert await Socket(0, cookie, origin=origin, path="/ws/lists/").connect() != 0, origin


@pytest.mark.parametrize("how", ["logged out", "barred"])
async def test_a_page_whose_user_loses_the_right_is_closed_though_nothing_happens(monkeypatch, how):
    monkeypatch.setattr(list_consumer, "CHECK_SECONDS", 0.3)
    async with opened(cookie=await log_in("vera", "viewer")) as page:
        await page.hello(page="runs", query="", rows=[], open=[], newest=0)
        await page.until("list-status")
        if how == "logged out":
            await Session.objects.all().adelete()
        else:
            await User.objects.filter(username="vera").aupdate(is_active=False)
        async with asyncio.timeout(10):
            while page.closed is None:
                await page.next()
    assert page.closed == run_consumer.NOT_ALLOWED


async def test_what_breaks_makes_the_page_come_back(monkeypatch):
    def broken(*_: object) -> None:
        raise OSError("broken")

    monkeypatch.setattr(list_fragments, "overview", broken)
    async with opened() as page:
        await page.hello(page="overview")
        async with asyncio.timeout(10):
            while page.closed is None:
                await page.next()
    assert page.closed == run_consumer.TROUBLE
