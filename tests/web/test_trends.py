"""Trends on pages: a cell for each day that says and links what it is, marks in words, right drawings."""

import re
from datetime import UTC, date, datetime, timedelta
from urllib.parse import parse_qs

import pytest
from django.contrib.auth.models import Group, User
from django.test import Client
from django.utils import timezone

from tests.factories import make_catalog, make_run
from tests.web.test_pages import check_page
from workflows_app.domain.runs.trends import Completed, ConfigTrend, Day, PolicyTrend, last_days
from workflows_app.domain.states import RunState
from workflows_app.models import BackupConfig, Run
from workflows_app.web.pages.trend_drawings import (
    CHART_HEIGHT,
    Bar,
    chart,
    day_path,
    spark_path,
    strip_strokes,
)
from workflows_app.web.pages.trend_views import trend_cell, trend_view, unusual
from workflows_app.web.words.statuses import RUN_STATUS

START = datetime(2026, 11, 24, 3, tzinfo=UTC)
TODAY = date(2026, 11, 24)
GIB = 2**30


def history(*values: tuple[float, int | None], policy: str = "daily") -> PolicyTrend:
    return PolicyTrend(
        policy, tuple(Completed(at, START, seconds, size) for at, (seconds, size) in enumerate(values, 1))
    )


def with_days(counts: dict[int, dict[RunState, int]], *policies: PolicyTrend) -> ConfigTrend:
    """A trend whose days have ``counts``, by how many days ago."""
    days = last_days(TODAY)
    return ConfigTrend(tuple(Day(day, counts.get((TODAY - day).days, {})) for day in days), tuple(policies))


USUAL = [(60.0, GIB)] * 12


def heights(strokes) -> list[float]:
    return [float(re.search(r"v-([\d.]+)$", stroke.path)[1]) for stroke in strokes]


# Values


def test_a_day_says_what_began_on_it_worst_first_and_links_to_just_that() -> None:
    trend = with_days({1: {RunState.COMPLETED: 2, RunState.ERROR: 1}})
    day = trend_view("shop", "a&b", trend).days[-2]
    assert (day.kind, day.words) == ("error", "2026-11-23: 1 error, 2 complete")
    assert parse_qs(day.query) == {
        "profile": ["shop"],
        "config": ["a&b"],
        "type": ["backup"],
        "from": ["2026-11-23"],
        "to": ["2026-11-23"],
    }


def test_a_day_without_a_backup_is_no_link_and_never_green() -> None:
    day = trend_view("shop", "orders", with_days({})).days[0]
    assert (day.kind, day.words, day.query) == ("none", "2026-10-26: no backup", "")


def test_the_strip_is_summed_up_in_words() -> None:
    trend = with_days({0: {RunState.COMPLETED: 3}, 4: {RunState.UNKNOWN: 1, RunState.COMPLETED: 1}})
    assert trend_view("shop", "orders", trend).summary == (
        "The last 30 days, each by its worst backup: 1 unknown, 1 complete, 28 without a backup"
    )


@pytest.mark.parametrize("state", RunState)
def test_every_state_has_a_bar(state: RunState) -> None:
    assert day_path(RUN_STATUS[state].kind).startswith("M3 20v-")


def test_good_bad_unknown_and_nothing_differ_without_colour() -> None:
    complete, error, cancelled, none = map(day_path, ("complete", "error", "cancelled", "none"))
    assert len({complete, error, cancelled, none}) == 4
    # An error and an unknown are as tall; the stylesheet strokes the unknown with gaps.
    assert day_path("unknown") != complete


def test_a_strip_is_one_stroke_a_kind_in_its_place() -> None:
    strokes = strip_strokes(["complete", "none", "complete"])
    assert [(s.kind, s.path) for s in strokes] == [
        ("complete", "M3 20v-12M15 20v-12"),
        ("none", "M9 20v-2"),
    ]


def test_a_chart_starts_at_nothing_and_ends_at_the_right_edge() -> None:
    drawn = chart([Bar(50, False, "a"), Bar(100, True, "b"), Bar(None, False, "c")], (25, 75))
    assert [stroke.kind for stroke in drawn.bars] == ["bar", "marked", "untold"]
    assert [stroke.path.split(" ")[0] for stroke in drawn.bars] == ["M275", "M285", "M295"]
    assert heights(drawn.bars)[:2] == [24, 48]
    assert drawn.marks.startswith("M281 ")
    assert (drawn.band_top, drawn.band_height) == (CHART_HEIGHT - 36, 24)


def test_a_chart_of_nothing_but_zeros_or_of_nothing_told_can_be_drawn() -> None:
    assert heights(chart([Bar(0, False, "")] * 2, (0, 0)).bars) == [1, 1]
    assert chart([Bar(None, False, "")], None).band_height == 0
    assert spark_path([None, None]) == ""
    assert spark_path([0, None, 5]).count("M") == 2


def test_a_mark_says_the_value_and_what_was_usual() -> None:
    trend = with_days({}, history(*USUAL, (200.0, GIB // 4)))
    policy = trend_view("shop", "orders", trend).policies[0]
    assert policy.marks == (
        "smaller than usual: 256.0 MiB. Of the 12 backups before it, nine in ten had 1.0 GiB",
        "slower than usual: 3 m 20 s. Of the 12 backups before it, nine in ten took 1 m",
    )
    assert [bool(row.marks) for row in policy.backups] == [True] + [False] * 12
    found = unusual(trend)
    assert (found.number, found.finished) == (13, START + timedelta(seconds=200))
    assert found.reasons == policy.marks
    assert trend_cell(trend).mark == "smaller and slower"


def test_what_is_usual_is_told_as_a_range_beside_the_last() -> None:
    values = [(60.0 + at, GIB + at * GIB // 10) for at in range(21)]
    charts = trend_view("shop", "orders", with_days({}, history(*values))).policies[0].charts
    assert [view.words for view in charts] == [
        "last 1 m 20 s, usual 1 m 1 s to 1 m 18 s",
        "last 3.0 GiB, usual 1.1 GiB to 2.8 GiB",
    ]


def test_nothing_is_claimed_from_too_few() -> None:
    trend = with_days({}, history(*USUAL[:5], (900.0, 1)))
    policy = trend_view("shop", "orders", trend).policies[0]
    assert policy.marks == ()
    assert policy.charts[0].words == "last 15 m, too few before it to tell what is usual"
    assert policy.charts[0].chart.band_height == 0
    assert unusual(trend) is None


def test_sizes_that_nobody_told_are_said_to_be_so() -> None:
    trend = with_days({}, history(*[(60.0, None)] * 12))
    _, size = trend_view("shop", "orders", trend).policies[0].charts
    assert size.words == "that of the last was not told, too few before it to tell what is usual"
    assert {stroke.kind for stroke in size.chart.bars} == {"untold"}
    assert size.chart.bars[0].words == "Run 1: not told"
    assert trend_cell(trend).sparks[0].path == ""


def test_a_policy_without_a_completed_backup_shows_nothing() -> None:
    assert trend_view("shop", "orders", with_days({}, history())).policies == ()
    assert trend_cell(with_days({}, history())).sparks == ()


# Pages


@pytest.fixture
def viewer(client: Client, db, settings) -> Client:
    settings.TEMPORAL_ADDRESS = "127.0.0.1:1"
    user = User.objects.create_user("vera")
    user.groups.add(Group.objects.get_or_create(name="viewer")[0])
    client.force_login(user)
    return client


def backups(config: BackupConfig, count: int, last_size: int = GIB) -> list[Run]:
    """Completed daily backups, the last an hour ago and of ``last_size`` bytes."""
    now = timezone.now()
    return [
        make_run(
            profile=config.profile.name,
            config=config.name,
            status="COMPLETED",
            started=now - timedelta(days=ago, hours=1),
            finished=now - timedelta(days=ago, hours=1) + timedelta(seconds=90),
            backup_bytes=GIB if ago else last_size,
        )
        for ago in reversed(range(count))
    ]


def html_of(client: Client, path: str) -> str:
    response = client.get(path)
    assert response.status_code == 200
    html = response.content.decode()
    check_page(html)
    return html


def section(html: str) -> str:
    return re.search(r'<section aria-labelledby="trends">.*?</section>', html, re.DOTALL)[0]


def test_the_page_of_a_configuration_has_a_cell_for_each_day_and_charts_with_a_table(viewer: Client) -> None:
    runs = backups(make_catalog("shop", "orders"), 12, last_size=GIB // 2)
    trends = section(html_of(viewer, "/profiles/shop/orders/"))
    assert trends.count("<li>") == 30
    day = (timezone.now() - timedelta(hours=1)).date()
    link = f"/runs/?profile=shop&amp;config=orders&amp;type=backup&amp;from={day}&amp;to={day}"
    assert f'href="{link}" title="{day}: 1 complete"' in trends
    assert "Days are in UTC" in trends
    assert 'role="img" viewBox="0 0 300 60" aria-label="Duration of the last backups under daily: ' in trends
    assert f"<title>Run {runs[0].pk}: 1 m 30 s</title>" in trends
    assert re.search(rf"Run {runs[-1].pk}</a>\s*is smaller than usual: 512.0 MiB.", trends)
    table = re.search(r"<details.*?</details>", trends, re.DOTALL)[0]
    assert [int(number) for number in re.findall(r"/runs/(\d+)/", table)] == [run.pk for run in runs[::-1]]


def test_the_link_of_a_day_opens_the_runs(viewer: Client) -> None:
    run = backups(make_catalog("shop", "orders"), 1)[0]
    trends = section(html_of(viewer, "/profiles/shop/orders/"))
    link = re.search(r'<a href="(/runs/\?[^"]+)"', trends)[1].replace("&amp;", "&")
    assert f"Backup {run.pk}" in html_of(viewer, link)


def test_a_configuration_that_never_ran_says_so(viewer: Client) -> None:
    make_catalog("shop", "fresh")
    trends = section(html_of(viewer, "/profiles/shop/fresh/"))
    assert "30 without a backup" in trends
    assert "No backup has completed yet" in trends
    assert "/runs/?" not in trends


def test_names_cannot_break_out_of_the_drawings(viewer: Client) -> None:
    config = make_catalog("shop", "orders")
    config.policies.filter(name="daily").update(name='"><script>alert(1)</script>')
    for run in backups(config, 1):
        Run.objects.filter(pk=run.pk).update(policy='"><script>alert(1)</script>')
    for path in ("/", "/profiles/shop/orders/"):
        assert "<script>alert" not in html_of(viewer, path)


def test_the_overview_shows_the_strip_and_asks_a_person_about_a_backup_that_is_smaller(
    viewer: Client,
) -> None:
    runs = backups(make_catalog("shop", "orders"), 12, last_size=GIB // 2)
    make_catalog("shop", "fresh")
    html = html_of(viewer, "/")
    assert html.count('<svg class="strip" role="img"') == 2
    assert "12 complete, 18 without a backup</title>" in html
    needs = re.search(r'aria-labelledby="needs".*?</section>', html, re.DOTALL)[0]
    assert "Not as usual" in needs
    assert f"shop/orders, run {runs[-1].pk}</a>" in needs
    assert "is smaller than usual: 512.0 MiB. Of the 11 backups before it, nine in ten had 1.0 GiB." in needs
    assert "smaller than usual</span>" in html


def test_the_overview_does_not_bother_a_person_with_what_is_usual(viewer: Client) -> None:
    backups(make_catalog("shop", "orders"), 12)
    assert "Not as usual" not in html_of(viewer, "/")


def test_a_later_good_backup_ends_the_warning_and_a_failed_one_does_not(viewer: Client) -> None:
    config = make_catalog("shop", "orders")
    backups(config, 12, last_size=1)
    now = timezone.now()
    later = {"profile": "shop", "config": "orders", "started": now, "finished": now + timedelta(seconds=90)}
    make_run(status="ERROR", **later)
    assert "Not as usual" in html_of(viewer, "/")
    make_run(status="COMPLETED", backup_bytes=GIB, **later)
    assert "Not as usual" not in html_of(viewer, "/")
