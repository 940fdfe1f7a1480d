"""Every page, for every group: what it says, what it refuses, and that nothing in it can run."""

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from html.parser import HTMLParser

import pytest
from django.contrib.auth.models import Group, User
from django.test import Client
from django.urls import reverse

from tests.factories import make_catalog, make_config, make_run
from workflows_app.domain.plans.plans import backup_plan
from workflows_app.domain.runs.events import RunClosed, RunStarted, StepEnded, StepScheduled, StepStarted
from workflows_app.domain.runs.progress import Progress, fold
from workflows_app.domain.states import RunState, StepState
from workflows_app.models import Run, RunMessage

pytestmark = pytest.mark.django_db

CONFIG = "/profiles/shop/orders/"
PAGES = [
    "/",
    "/profiles/",
    "/profiles/shop/",
    CONFIG,
    "/runs/",
    "/runs/1/",
    "/runs/2/",
    "/runs/2/?level=ERROR",
    "/runs/2/log/",
    "/runs/2/log/?q=script",
    "/runs/2/log/0/1/?before=3",
    "/runs/2/log/0/1/2/",
]
GROUPS = ["viewer", "operator", "admin"]
HOSTILE = "<script>alert(1)</script><img src=x onerror=alert(1)>\u202e\x1b[31m {{ 7|add:7 }}"


@pytest.fixture(autouse=True)
def temporal_is_away(settings) -> None:
    settings.TEMPORAL_ADDRESS = "127.0.0.1:1"


def closed_progress(start: datetime) -> Progress:
    plan = backup_plan(make_config())
    first = next(plan.steps)
    return fold(
        [
            RunStarted(start, plan),
            StepScheduled(start, 0, first, False),
            StepStarted(start, 0, 1),
            StepEnded(start + timedelta(seconds=2), 0, StepState.ERROR, HOSTILE),
            RunClosed(start + timedelta(seconds=3), RunState.ERROR, HOSTILE),
        ]
    )


@pytest.fixture
def site(db) -> None:
    """A catalogue, run 1 that is open, run 2 that failed with hostile text everywhere."""
    make_catalog("shop", "orders")
    start = datetime(2026, 11, 24, 3, tzinfo=UTC)
    common = {"profile": "shop", "config": "orders", "policy": "daily", "workflow_id": "fossul/shop/orders"}
    Run.objects.create(pk=1, run_id="one", requested_by="olga", started=start, **common)
    progress = closed_progress(start)
    run = Run.objects.create(
        pk=2,
        run_id="two",
        requested_by=HOSTILE,
        started=start,
        finished=progress.finished,
        status=progress.state.value,
        failure=HOSTILE,
        progress=progress.model_dump(mode="json"),
        result={"workflow": {"id": 2, "status": "ERROR"}},
        **common,
    )
    for seq in range(1, 4):
        RunMessage.objects.create(
            run=run, step=0, attempt=1, seq=seq, time=start, level="<b>", text=f"{seq} {HOSTILE}"
        )


def sign_in(client: Client, group: str | None) -> Client:
    user = User.objects.create_user("someone", password="not a secret")
    if group:
        user.groups.add(Group.objects.get_or_create(name=group)[0])
    client.force_login(user)
    return client


@pytest.fixture
def operator(client: Client, site: None) -> Client:
    return sign_in(client, "operator")


def text(response) -> str:
    return response.content.decode()


class Page(HTMLParser):
    """What the tests need to know of a page."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.inline: list[str] = []
        self.ids: list[str] = []
        self.headings: list[int] = []
        self.landmarks: list[str] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        self.inline += [f"{tag} {name}" for name in given if name == "style" or name.startswith("on")]
        if (
            tag == "style"
            or (tag == "script" and not given.get("src"))
            or str(given.get("href")).startswith("javascript")
        ):
            self.inline.append(tag)
        if "id" in given:
            self.ids.append(str(given["id"]))
        if re.fullmatch("h[1-6]", tag):
            self.headings.append(int(tag[1]))
        if tag in ("main", "nav", "header"):
            self.landmarks.append(tag)


def check_page(html: str) -> None:
    """Nothing that runs or styles is inline, ids are unique, headings are in order, landmarks are there."""
    page = Page(html)
    assert page.inline == []
    assert len(set(page.ids)) == len(page.ids)
    assert page.headings[0] == 1
    assert page.headings.count(1) == 1
    assert all(b - a <= 1 for a, b in zip(page.headings, page.headings[1:], strict=False))
    assert page.landmarks.count("main") == 1


@pytest.mark.parametrize("group", GROUPS)
@pytest.mark.parametrize("path", PAGES)
def test_every_group_sees_every_page(client: Client, site: None, group: str, path: str) -> None:
    response = sign_in(client, group).get(path)
    assert response.status_code == 200
    check_page(text(response))
    assert "someone" in text(response)


@pytest.mark.parametrize("path", PAGES)
def test_anonymous_is_asked_to_log_in(client: Client, site: None, path: str) -> None:
    response = client.get(path)
    assert response.status_code == 302
    assert response["Location"].startswith("/login/?next=")


@pytest.mark.parametrize("path", PAGES)
def test_a_user_in_no_group_is_told_so_kindly(client: Client, site: None, path: str) -> None:
    response = sign_in(client, None).get(path)
    assert response.status_code == 403
    assert "An administrator can add you to a group" in text(response)
    check_page(text(response))


@pytest.mark.parametrize(
    ("path", "words"),
    [
        ("/nowhere", "There is no page at this address"),
        ("/profiles/nope/", "There is no profile &#x27;nope&#x27;"),
        ("/profiles/shop/nope/", "There is no configuration &#x27;nope&#x27;"),
        ("/runs/99/", "There is no run 99"),
        ("/runs/99999999999999999999999/", "There is no run"),
        ("/runs/99/log/0/1/", "There is no run 99"),
        ("/runs/1/result.json", "it has not ended yet"),
    ],
)
def test_what_is_not_there_is_a_404_with_words(operator: Client, path: str, words: str) -> None:
    response = operator.get(path)
    assert response.status_code == 404
    assert words in text(response)
    check_page(text(response))


@pytest.mark.parametrize("query", ["page=x", "page=-1", "page=²", "page=999", "state=NOPE", "before=x"])
def test_nonsense_in_a_query_is_no_error(operator: Client, query: str) -> None:
    assert operator.get(f"/runs/?{query}").status_code == 200
    assert operator.get(f"/runs/2/log/0/1/?{query}").status_code == 200


@pytest.mark.parametrize("path", [*PAGES, "/nowhere"])
def test_the_content_policy_is_strict(operator: Client, path: str) -> None:
    policy = operator.get(path)["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy


@pytest.mark.parametrize("path", ["/", CONFIG, "/runs/", "/runs/2/"])
def test_hostile_text_is_shown_and_does_nothing(operator: Client, path: str) -> None:
    html = text(operator.get(path))
    assert "<script>alert" not in html
    assert "<img" not in html
    assert "\u202e" not in html
    assert "\x1b" not in html
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in html
    assert "⟨U+202E⟩⟨U+001B⟩[31m {{ 7|add:7 }}" in html


@pytest.mark.parametrize("path", [f"{CONFIG}daily/run/", "/runs/1/cancel/", "/logout/"])
def test_what_changes_something_is_a_post_with_csrf(site: None, path: str) -> None:
    client = sign_in(Client(enforce_csrf_checks=True), "operator")
    assert client.get(path).status_code == 405
    refused = client.post(path)
    assert refused.status_code == 403
    assert "Nothing was done" in text(refused)
    assert Run.objects.count() == 2


@pytest.mark.parametrize("path", [f"{CONFIG}daily/run/", "/runs/1/cancel/"])
def test_a_viewer_may_not_operate(client: Client, site: None, path: str) -> None:
    viewer = sign_in(client, "viewer")
    assert viewer.post(path).status_code == 403
    assert "Run backup" not in text(viewer.get(CONFIG))
    assert "Cancel run" not in text(viewer.get("/runs/1/"))
    assert "Run again" not in text(viewer.get("/runs/2/"))


def test_a_start_without_temporal_is_refused_with_words_and_leaves_no_run(operator: Client) -> None:
    response = operator.post(f"{CONFIG}daily/run/")
    assert response.status_code == 503
    assert "The backup was not started." in text(response)
    assert "Run backup" in text(response)
    assert Run.objects.count() == 2


def test_a_start_of_what_is_not_there_is_a_404(operator: Client) -> None:
    response = operator.post(f"{CONFIG}yearly/run/")
    assert response.status_code == 404
    assert "Its policies: daily, weekly." in text(response)


def test_a_policy_that_keeps_nothing_is_refused(operator: Client) -> None:
    make_catalog("shop", "careless").policies.update(keep_backups=0)
    response = operator.post("/profiles/shop/careless/daily/run/")
    assert response.status_code == 422
    assert "keeps 0 backups" in text(response)


def test_a_cancel_without_temporal_is_refused_with_words(operator: Client) -> None:
    response = operator.post("/runs/1/cancel/")
    assert response.status_code == 503
    assert "does not answer" in text(response)


def test_pages_say_that_temporal_is_away_and_show_what_was_recorded(operator: Client) -> None:
    assert "Temporal is away." in text(operator.get("/runs/"))
    run = text(operator.get("/runs/1/"))
    assert "This is the last known state." in run
    assert 'ws-connect="/ws/runs/1/"' in run


def test_a_closed_run_needs_no_socket(operator: Client) -> None:
    assert "ws-connect" not in text(operator.get("/runs/2/"))


def test_the_result_is_a_download(operator: Client) -> None:
    response = operator.get("/runs/2/result.json")
    assert response.json() == {"workflow": {"id": 2, "status": "ERROR"}}
    assert response["Content-Disposition"] == 'attachment; filename="run-2.json"'


def test_runs_are_filtered_by_the_url(operator: Client) -> None:
    failed = text(operator.get("/runs/?profile=shop&config=orders&state=ERROR"))
    assert "Backup 2" in failed
    assert "Backup 1<" not in failed
    assert "No run fits this filter." in text(operator.get("/runs/?config=other"))


def test_pages_of_runs_keep_the_filter(operator: Client) -> None:
    start = datetime(2026, 1, 1, tzinfo=UTC)
    Run.objects.bulk_create(
        Run(workflow_id="w", run_id=f"r{n}", profile="shop", config="a&b", policy="daily", started=start)
        for n in range(60)
    )
    html = text(operator.get("/runs/?config=a%26b"))
    assert "Page 1 of 2" in html
    assert "?config=a%26b&amp;page=2" in html
    assert "Page 2 of 2" in text(operator.get("/runs/?config=a%26b&page=2"))


def test_the_overview_tells_of_what_needs_a_person(operator: Client) -> None:
    html = text(operator.get("/"))
    assert "Nothing is running." not in html
    Run.objects.filter(pk=1).delete()
    assert re.search(r"<strong>Error</strong>.*run 2</a>", text(operator.get("/")), re.DOTALL)


def test_the_overview_shows_a_configuration_that_has_never_run(operator: Client) -> None:
    make_catalog("shop", "fresh")
    assert "never run" in text(operator.get("/"))


def test_the_overview_asks_the_database_the_same_for_many_configurations(
    operator: Client, django_assert_max_num_queries
) -> None:
    for number in range(20):
        config = make_catalog("shop", f"more-{number}")
        make_run(profile="shop", config=config.name, status="ERROR", finished=datetime.now(UTC))
    with django_assert_max_num_queries(20):
        assert operator.get("/").status_code == 200


def test_a_run_that_ended_frozen_is_loud_on_the_overview_and_marked_in_lists(operator: Client) -> None:
    frozen = {"frozen_since": "2026-11-24T03:00:01Z", "still_frozen": ["unquiesce-plugin"]}
    make_run(profile="shop", config="wiki", status="TERMINATED", finished=datetime.now(UTC), progress=frozen)
    assert "has ended without unquiescing it" in text(operator.get("/"))
    assert "is-frozen" in text(operator.get("/runs/"))


def test_empty_pages_say_how_to_fill_them(client: Client, db) -> None:
    viewer = sign_in(client, "viewer")
    assert "Ask somebody of the group" in text(viewer.get("/"))
    assert "Ask somebody of the group" in text(viewer.get("/profiles/"))
    assert "Nothing has run yet." in text(viewer.get("/runs/"))
    viewer.logout()
    admin = User.objects.create_superuser("root")
    client.force_login(admin)
    assert "Create a profile" in text(client.get("/"))
    assert "Create a profile" in text(client.get("/profiles/"))


def test_log_in_and_out(client: Client, site: None) -> None:
    sign_in(client, "viewer").logout()
    check_page(text(client.get("/login/")))
    wrong = client.post("/login/", {"username": "someone", "password": "x"})
    assert "do not match" in text(wrong)
    right = client.post("/login/", {"username": "someone", "password": "not a secret", "next": "/runs/"})
    assert right["Location"] == "/runs/"
    assert client.post("/logout/")["Location"] == "/login/"
    assert client.get("/").status_code == 302


@pytest.mark.django_db(transaction=True)
def test_health_needs_no_login_and_says_what_is_missing(client: Client) -> None:
    response = client.get("/health")
    assert response.status_code == 503
    assert response.json() == {
        "status": "unavailable", "database": "ok", "temporal": "unavailable", "workers": None,
    }  # fmt: skip


@pytest.fixture
def broken(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr("workflows_app.services.configurations.catalog.list_profiles", lambda actor: 1 / 0)
    return


def test_a_bug_answers_with_a_page_of_the_same_look(client: Client, site: None, broken: None) -> None:
    client.raise_request_exception = False
    response = sign_in(client, "viewer").get(reverse("profiles"))
    assert response.status_code == 500
    assert "Running backups are not affected" in text(response)
    check_page(text(response))


def test_restore_points_that_cannot_be_read_are_unknown_and_not_none(operator: Client) -> None:
    response = operator.get("/profiles/shop/orders/restore-points/")
    assert response.status_code == 503
    html = text(response)
    check_page(html)
    assert "Unknown." in html
    assert "There is no backup yet" not in html


def test_restoring_needs_the_right_and_a_typed_name(client: Client, operator: Client, site: None) -> None:
    path = "/profiles/shop/orders/restore/orders-daily-1-2/"
    assert operator.post(path, {"confirmation": "order"}).status_code in (422, 503)
    assert Run.objects.filter(type="restore").count() == 0
    viewer = User.objects.create_user("vera")
    viewer.groups.add(Group.objects.get_or_create(name="viewer")[0])
    client.force_login(viewer)
    assert client.get(path).status_code == 403
    assert client.post(path, {"confirmation": "orders"}).status_code == 403
