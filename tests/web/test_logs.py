"""The log's pages and fragments: windows, single lines, search, filter, downloads."""

import json
import re
from datetime import UTC, datetime, timedelta

import pytest
from asgiref.sync import sync_to_async
from django.contrib.auth.models import Group, User
from django.test import AsyncClient, Client

from tests.factories import make_run
from tests.web.test_pages import check_page
from workflows_app.domain.results import Level
from workflows_app.models import Run, RunMessage
from workflows_app.services.logs.messages import LINE_CHARS, LogLine
from workflows_app.web.logs.log_lines import level_class, render_lines
from workflows_app.web.logs.log_views import FIRST_LINES

START = datetime(2026, 11, 24, 3, tzinfo=UTC)
LINE = re.compile(r'<li id="step-(\d+)-attempt-(\d+)-L(\d+)"')
HOSTILE = (
    "<script>alert(1)</script>\u202e\x1b[31mred {{ 7|add:7 }}\x1b[0m "
    "\x1b]8;;javascript:x\x07click\x1b]8;;\x07"
)
HTMX = {"HX-Request": "true"}


@pytest.fixture(autouse=True)
def temporal_is_away(settings) -> None:
    settings.TEMPORAL_ADDRESS = "127.0.0.1:1"


@pytest.fixture
def viewer(client: Client, db) -> Client:
    user = User.objects.create_user("vera")
    user.groups.add(Group.objects.get_or_create(name="viewer")[0])
    client.force_login(user)
    return client


@pytest.fixture
def run(db) -> Run:
    """A closed run: 1,000 lines in step 0, every hundredth a warning; two attempts of step 4, an error."""
    run = make_run(status="ERROR", finished=START)
    add(run, 0, 1, [f"line {n}" for n in range(1, 1001)], dict.fromkeys(range(100, 1001, 100), "WARN"))
    add(run, 4, 1, ["try", "Needle"], {2: "ERROR"})
    add(run, 4, 2, ["try again", "needle", HOSTILE])
    return run


def add(run: Run, step: int, attempt: int, texts: list[str], levels: dict[int, str] | None = None) -> None:
    RunMessage.objects.bulk_create(
        RunMessage(
            run=run,
            step=step,
            attempt=attempt,
            seq=seq,
            time=START + timedelta(seconds=seq),
            level=(levels or {}).get(seq, "INFO"),
            text=text,
        )
        for seq, text in enumerate(texts, 1)
    )


def text(response) -> str:
    assert response.status_code == 200
    return response.content.decode()


def lines(html: str) -> list[tuple[int, int, int]]:
    return [(int(step), int(attempt), int(seq)) for step, attempt, seq in LINE.findall(html)]


def seqs(client: Client, path: str, **headers: str) -> list[int]:
    return [seq for _, _, seq in lines(text(client.get(path, headers=headers)))]


def test_a_page_opens_with_the_last_lines_of_every_attempt(viewer: Client, run: Run) -> None:
    html = text(viewer.get(f"/runs/{run.pk}/"))
    shown = lines(html)
    assert shown[-5:] == [(4, 1, 1), (4, 1, 2), (4, 2, 1), (4, 2, 2), (4, 2, 3)]
    assert shown[:-5] == [(0, 1, seq) for seq in range(1001 - FIRST_LINES, 1001)]
    assert f"Show <span>{1000 - FIRST_LINES}</span> earlier lines" in html
    check_page(html)


def test_a_log_of_long_lines_does_not_make_the_page_heavy(viewer: Client, run: Run) -> None:
    for step in range(5, 25):
        add(run, step, 1, ["x" * 1_000_000] * 3)
    html = text(viewer.get(f"/runs/{run.pk}/"))
    assert len(html) < 150_000
    assert [place for place in lines(html) if place[0] >= 5][-3:] == [(24, 1, 1), (24, 1, 2), (24, 1, 3)]
    assert {step for step, _, _ in lines(html)} == {0, 4, *range(5, 25)}, "each has one line at least"
    assert "show all 1,000,000 characters" in html


@pytest.mark.parametrize(
    ("query", "first", "last"),
    [
        ("", 1, 500),
        ("before=801", 301, 800),
        ("before=3", 1, 2),
        ("after=800", 801, 1000),
        ("after=10&before=20", 11, 19),
        ("around=500", 250, 750),
        ("around=5", 1, 255),
        ("around=790&before=801", 540, 800),
    ],
)
def test_a_window_is_what_was_asked_for(viewer: Client, run: Run, query: str, first: int, last: int) -> None:
    path = f"/runs/{run.pk}/log/0/1/?{query}"
    assert seqs(viewer, path) == list(range(first, last + 1))
    fragment = text(viewer.get(path, headers=HTMX))
    assert [seq for _, _, seq in lines(fragment)] == list(range(first, last + 1))
    assert fragment.strip().startswith("<li id=")
    assert fragment.strip().endswith("</li>")


def test_the_page_of_a_window_leads_on_in_both_directions(viewer: Client, run: Run) -> None:
    html = text(viewer.get(f"/runs/{run.pk}/log/0/1/?around=500"))
    assert '<a href="?before=250">Show 249 earlier lines</a>' in html
    assert '<a href="?after=750">Show 250 later lines</a>' in html
    assert "earlier line" not in text(viewer.get(f"/runs/{run.pk}/log/0/1/"))


def test_a_filter_shows_only_its_levels_and_counts_all_of_them(viewer: Client, run: Run) -> None:
    html = text(viewer.get(f"/runs/{run.pk}/?level=WARN&level=ERROR&level=nonsense"))
    assert lines(html) == [*((0, 1, n) for n in range(100, 1001, 100)), (4, 1, 2)]
    assert 'data-only="warn error"' in html
    for kind, count in {"info": 994, "warn": 10, "error": 1, "debug": 0}.items():
        assert f'<span id="count-{kind}" data-count="{count}" >{count}</span>' in html
    link = f'href="/runs/{run.pk}/?level=ERROR" aria-current="true">WARN'
    assert link in html, "its link takes a level out"
    window = f"/runs/{run.pk}/log/0/1/?level=WARN"
    assert seqs(viewer, f"{window}&before=500") == [100, 200, 300, 400]
    assert seqs(viewer, f"{window}&around=450") == [*range(100, 401, 100), 450, *range(500, 1001, 100)]
    check_page(html)


def test_a_search_without_scripts_is_a_page_of_hits(viewer: Client, run: Run) -> None:
    html = text(viewer.get(f"/runs/{run.pk}/log/?q=NEEDLE"))
    assert lines(html) == [(4, 1, 2), (4, 2, 2)]
    assert "2 lines" in html
    assert f'href="/runs/{run.pk}/log/4/2/?around=2#step-4-attempt-2-L2"' in html
    check_page(html)
    assert "No line of the run fits" in text(viewer.get(f"/runs/{run.pk}/log/?q=nothing+like+it"))
    paged = text(viewer.get(f"/runs/{run.pk}/log/?q=line&level=INFO&page=2"))
    assert "990 lines, page 2 of 5" in paged
    assert "?q=line&amp;level=INFO&amp;page=3" in paged


def test_a_search_from_a_line_answers_the_next_hit_and_how_many_there_are(viewer: Client, run: Run) -> None:
    def found(query: str) -> str:
        return text(viewer.get(f"/runs/{run.pk}/log/?{query}", headers=HTMX)).strip()

    assert found("q=needle") == '<a href="#step-4-attempt-1-L2">1 of 2</a>'
    assert found("q=needle&from=step-4-attempt-1-L2&go=next") == '<a href="#step-4-attempt-2-L2">2 of 2</a>'
    assert (
        found("q=needle&from=step-4-attempt-1-L2&go=previous") == '<a href="#step-4-attempt-2-L2">2 of 2</a>'
    )
    assert found("level=ERROR") == '<a href="#step-4-attempt-1-L2">error 1 of 1</a>'
    assert found("q=nothing+like+it&from=nonsense") == "none"


def test_a_cut_line_is_all_there_on_request(viewer: Client, run: Run) -> None:
    long = "x" * LINE_CHARS + "\x1b[31mits last words"
    add(run, 7, 1, [long, "10 %\r99 %\r100 %", "y" * 3000 + "\r1 %\r2 %"])
    html = text(viewer.get(f"/runs/{run.pk}/"))
    assert "its last words" not in html
    assert "<bdi>100 %</bdi>" in html
    assert "<bdi>2 %</bdi>" in html, "the last state, however much was printed before"
    for number, words in [(1, "show all 2,019 characters"), (2, "redrawn: show all states")]:
        assert f'<a class="rest" href="/runs/{run.pk}/log/7/1/{number}/">{words}</a>' in html
    whole = text(viewer.get(f"/runs/{run.pk}/log/7/1/1/", headers=HTMX))
    assert whole.strip().startswith('<li id="step-7-attempt-1-L1"')
    assert '<span class="fg-1">its last words</span></bdi></li>' in whole
    states = text(viewer.get(f"/runs/{run.pk}/log/7/1/2/"))
    assert "<bdi>10 %⟨U+000D⟩99 %⟨U+000D⟩100 %</bdi>" in states
    check_page(states)


@pytest.mark.parametrize("path", ["", "log/4/2/", "log/4/2/3/", "log/?q=script"])
def test_hostile_lines_are_shown_and_do_nothing(viewer: Client, run: Run, path: str) -> None:
    html = text(viewer.get(f"/runs/{run.pk}/{path}"))
    assert "<script>alert" not in html
    assert "\u202e" not in html
    assert "\x1b" not in html
    assert "&lt;script&gt;alert(1)&lt;/script&gt;⟨U+202E⟩" in html
    assert '<span class="fg-1">red {{ 7|add:7 }}</span> click<span class="link">⟨javascript:x⟩</span>' in html
    check_page(html)


@pytest.mark.parametrize(
    "path", ["log/4/2/99/", "log/99999999999999999999/1/1/", "log/4/99999999999999999999/1/", "log/4/2/0/"]
)
def test_a_line_that_is_not_there_is_a_404_with_words(viewer: Client, run: Run, path: str) -> None:
    response = viewer.get(f"/runs/{run.pk}/{path}")
    assert response.status_code == 404
    assert "has no line" in response.content.decode()


@pytest.mark.parametrize(
    "query",
    ["before=x", "before=-1", "after=²", "around=99999999999", "around=0", "from=step-1", "page=0",
     "level=%00", "q=%00", "q=%ff", "q=" + "x" * 5000, "from=step-1-attempt-1-L99999999999&q=x"],
)  # fmt: skip
def test_nonsense_in_an_address_is_no_error(viewer: Client, run: Run, query: str) -> None:
    for path in ("", "log/", "log/0/1/", "log/99999999999999999999/1/"):
        for headers in ({}, HTMX):
            assert viewer.get(f"/runs/{run.pk}/{path}?{query}", headers=headers).status_code == 200


PATHS = ["log/", "log/0/1/", "log/0/1/1/", "log.txt", "log.ndjson"]


@pytest.mark.parametrize("path", PATHS)
def test_only_those_who_may_view_see_any_of_it(client: Client, run: Run, path: str) -> None:
    assert client.get(f"/runs/{run.pk}/{path}").status_code == 302
    client.force_login(User.objects.create_user("nobody"))
    assert client.get(f"/runs/{run.pk}/{path}").status_code == 403
    assert client.get(f"/runs/{run.pk}/{path}", headers=HTMX).status_code == 403


@pytest.mark.parametrize("path", PATHS)
def test_a_run_that_is_not_there_has_no_log(viewer: Client, path: str) -> None:
    assert viewer.get(f"/runs/987654/{path}").status_code == 404


@sync_to_async
def stored() -> tuple[Run, User]:
    run = make_run()
    add(run, 0, 1, [f"line {n}" for n in range(1, 251)])
    add(run, 3, 2, ["try again", HOSTILE], {2: "ERROR"})
    user = User.objects.create_user("vera")
    user.groups.add(Group.objects.get_or_create(name="viewer")[0])
    return run, user


async def download(suffix: str) -> tuple[Run, str, str]:
    run, user = await stored()
    client = AsyncClient()
    await client.aforce_login(user)
    response = await client.get(f"/runs/{run.pk}/log.{suffix}")
    assert response.status_code == 200
    assert response.streaming
    body = b"".join([part async for part in response])
    return run, response["Content-Disposition"], body.decode()


@pytest.mark.django_db(transaction=True)
async def test_the_text_has_every_line_as_it_was_printed() -> None:
    run, name, body = await download("txt")
    assert name == f'attachment; filename="run-{run.pk}.txt"'
    printed = body.splitlines()
    assert len(printed) == 2 + 250 + 2
    assert printed[0] == "# Step 0 (step 0, attempt 1)"
    assert printed[250] == "2026-11-24T03:04:10.000Z INFO    line 250"
    assert printed[251] == "# Step 3 (step 3, attempt 2)"
    assert body.endswith(f"2026-11-24T03:00:02.000Z ERROR   {HOSTILE}\n")


@pytest.mark.django_db(transaction=True)
async def test_the_ndjson_has_every_line_and_its_address() -> None:
    run, name, body = await download("ndjson")
    assert name == f'attachment; filename="run-{run.pk}.ndjson"'
    objects = [json.loads(line) for line in body.split("\n")[:-1]]
    assert [entry["line"] for entry in objects] == [*range(1, 251), 1, 2]
    assert objects[-1] == {
        "time": int(START.timestamp()) + 2,
        "level": "ERROR",
        "message": HOSTILE,
        "at": "2026-11-24T03:00:02.000Z",
        "step": 3,
        "name": "Step 3",
        "attempt": 2,
        "line": 2,
    }


def test_a_line_has_an_address_and_cannot_break_out() -> None:
    hostile = LogLine(3, 1, 7, START, '"><i>', "<script>x</script> & \x1b")
    assert render_lines(12, [hostile]) == (
        '<li id="step-3-attempt-1-L7" data-seq="7" class="unknown"><a href="#step-3-attempt-1-L7">7</a>'
        '<time datetime="2026-11-24T03:00:00Z">03:00:00</time>'
        "<b>&quot;&gt;&lt;i&gt;</b>"
        "<bdi>&lt;script&gt;x&lt;/script&gt; &amp; ⟨U+001B⟩</bdi></li>\n"
    )


def test_levels_have_a_style_each_and_a_strange_one_is_unknown() -> None:
    assert {level_class(level) for level in Level} == {level.name.lower() for level in Level}
    assert level_class('x" onload="') == "unknown"
