"""The editor of a plan as a browser without scripts uses it: steps are moved, checked, saved, and refused."""

import re
from html.parser import HTMLParser

import pytest
from django.test import Client
from django.urls import reverse

from tests.factories import ADMIN, make_catalog
from tests.web.test_control import login
from workflows_app.domain.plans.plan_layouts import PlanLayout, parse_layout
from workflows_app.models import AuditEntry, BackupConfig
from workflows_app.services.editing import plans

pytestmark = pytest.mark.django_db(transaction=True)

HTMX = {"HX-Request": "true"}
GOOD = """
[Plan]
FreezeBudget = "10m"
Stages = [["quiesce-plugin"], ["backup-plugin", "inventory"], ["unquiesce-plugin"], ["backup-retention"]]
[Plan.Commands]
inventory = "ls,-l,/data"
[Plan.Steps.backup-plugin]
Attempts = 3
"""
USUAL = [["quiesce-plugin"], ["backup-plugin"], ["unquiesce-plugin"], ["backup-retention"]]


class Form(HTMLParser):
    """What a browser would send of the page's editor without a button: the values by their names."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.values: dict[str, str] = {}
        self.buttons: list[str] = []
        self._inside = self._text = ""
        self._select = ""
        self.feed(page)

    def handle_starttag(self, tag, attrs):
        given = {name: value or "" for name, value in attrs}
        if tag == "form":
            self._inside = given.get("id", "")
        if self._inside != "plan-form":
            return
        if tag == "button":
            self.buttons.append(given.get("value", ""))
        elif tag == "input" and (given.get("type") != "checkbox" or "checked" in given):
            self.values[given["name"]] = given.get("value", "")
        elif tag == "textarea":
            self._text = given["name"]
            self.values[self._text] = ""
        elif tag == "select":
            self._select = given["name"]
        elif tag == "option" and ("selected" in given or self._select not in self.values):
            self.values[self._select] = given["value"]

    def handle_data(self, data):
        if self._text:
            # A browser leaves out the line break that follows the tag, and sends its own.
            self.values[self._text] += data.removeprefix("\n").replace("\n", "\r\n")

    def handle_endtag(self, tag):
        if tag == "textarea":
            self._text = ""


@pytest.fixture
def config() -> BackupConfig:
    return make_catalog(appPlugin="sample-app", storagePlugin="sample-storage")


@pytest.fixture
def admin(client: Client) -> Client:
    login(client, "admin")
    return client


def address(config: BackupConfig) -> str:
    return reverse("plan", args=[config.profile.name, config.name])


def page_of(client: Client, config: BackupConfig) -> str:
    return client.get(address(config)).content.decode()


def send(client: Client, config: BackupConfig, page: str, **changes: str) -> tuple[int, str]:
    """Send the form of a page with changes, ``__`` for a dot in names; ``do`` and ``save`` press a button."""
    named = {name.replace("__", ".").replace("_", "-"): value for name, value in changes.items()}
    answer = client.post(address(config), Form(page).values | named)
    return answer.status_code, answer.content.decode()


def post(client: Client, config: BackupConfig, text: str, **more: str) -> tuple[int, str]:
    config.refresh_from_db()
    answer = client.post(
        address(config), {"plan": text, "opened": str(config.version), "save": "yes", **more}
    )
    return answer.status_code, answer.content.decode()


def stages(page: str) -> list[list[str]]:
    return [list(stage) for stage in parse_layout(Form(page).values["plan"]).stages]


def on_the_board(page: str) -> list[list[str]]:
    return [re.findall(r'data-key="([^"]+)"', part) for part in page.split('class="stage"')[1:]]


def focused(page: str) -> str:
    found = re.search(r'id="([^"]+)"[^>]*\sautofocus', page)
    return found[1] if found else ""


def test_without_a_plan_fossuls_order_is_on_the_board_and_in_the_toml(client, config):
    login(client, "viewer")
    page = page_of(client, config)
    assert on_the_board(page) == stages(page) == USUAL
    assert "keeps every rule" in page
    assert "Save the plan" not in page
    assert "move later" not in page.lower()


@pytest.mark.parametrize("page", ["plan", "config"])
@pytest.mark.parametrize("app", ["", "sample-app"])
def test_a_plan_that_freezes_nothing_does_not_speak_of_standing_still(admin, page, app):
    config = make_catalog(appPlugin=app, storagePlugin="sample-storage")
    shown = admin.get(reverse(page, args=[config.profile.name, config.name])).content.decode()
    assert ("Nothing in it freezes the application." in shown) == (not app)
    assert ("; then a watchdog thaws it" in shown) == bool(app)


def test_a_good_plan_is_saved_and_shown(admin, config):
    status, _ = post(admin, config, GOOD)
    assert status == 302
    config.refresh_from_db()
    assert config.plan["commands"] == {"inventory": "ls,-l,/data"}
    page = admin.get(reverse("config", args=[config.profile.name, config.name])).content.decode()
    assert "at the same time" in page
    assert "Inventory command" in page
    assert AuditEntry.objects.get().action == "changed the plan of"


def test_saved_text_comes_back_as_it_was_meant_and_saving_it_again_is_no_change(admin, config):
    post(admin, config, GOOD)
    first = Form(page_of(admin, config)).values["plan"]
    answer = admin.post(address(config), {"plan": first, "opened": "1", "save": "yes"})
    assert answer["Location"].endswith("?unchanged")
    config.refresh_from_db()
    assert config.version == 1
    assert Form(page_of(admin, config)).values["plan"] == first


def test_empty_text_is_fossuls_order_again(admin, config):
    post(admin, config, GOOD)
    assert post(admin, config, "")[0] == 302
    config.refresh_from_db()
    assert config.plan == {}


@pytest.mark.parametrize(("text", "words"), [
    ('Stages = [["backup-plugin"], ["quiesce-plugin"], ["unquiesce-plugin"]]', "backup while frozen"),
    ('Stages = [["quiesce-plugin"]]', "nothing left out"),
    ("Stages = [", "cannot be read"),
    ('[Plan.Steps.backup-plugin]\nTimeout = "soon"', "Plan.Steps.backup-plugin.Timeout"),
])  # fmt: skip
def test_a_bad_plan_is_refused_with_words_and_changes_nothing(admin, config, text, words):
    status, page = post(admin, config, text)
    assert status == 422
    assert words in page
    assert "Nothing was saved." in page
    config.refresh_from_db()
    assert (config.plan, config.version) == ({}, 0)
    assert AuditEntry.objects.count() == 0


@pytest.mark.parametrize(("way", "after"), [
    ("later backup-retention", USUAL),
    ("earlier backup-plugin", [["backup-plugin"], ["quiesce-plugin"], *USUAL[2:]]),
    ("later backup-plugin", [USUAL[0], USUAL[2], USUAL[1], USUAL[3]]),
    ("with-above backup-retention", [*USUAL[:2], ["unquiesce-plugin", "backup-retention"]]),
    ("onto backup-retention 0", [["quiesce-plugin", "backup-retention"], *USUAL[1:3]]),
    ("between backup-retention 0", [["backup-retention"], *USUAL[:3]]),
])  # fmt: skip
def test_a_button_moves_a_step_and_saves_nothing(admin, config, way, after):
    status, page = send(admin, config, page_of(admin, config), do=way)
    assert status == 200
    assert on_the_board(page) == stages(page) == after
    config.refresh_from_db()
    assert (config.plan, config.version) == ({}, 0)


def test_the_focus_stays_on_the_button_that_moved_a_step(admin, config):
    _, page = send(admin, config, page_of(admin, config), do="earlier backup-retention")
    assert focused(page) == "card-backup-retention-earlier"


def test_what_was_moved_is_saved_by_the_button(admin, config):
    page = page_of(admin, config)
    _, page = send(admin, config, page, New__Name="inventory", New__Command="ls,-l", do="add")
    assert on_the_board(page) == [*USUAL, ["inventory"]]
    assert focused(page) == "card-inventory"
    _, page = send(admin, config, page, do="onto inventory 1")
    changes = {
        "Steps.inventory.Attempts": "3",
        "Steps.inventory.OnFailure": "continue",
        "Plan.PauseFor": "90",
    }
    sent = Form(page).values | changes | {"save": "yes"}
    answer = admin.post(address(config), sent)
    assert answer.status_code == 302
    config.refresh_from_db()
    layout = PlanLayout.model_validate(config.plan)
    assert layout.stages[1] == ("backup-plugin", "inventory")
    assert (layout.options["inventory"].attempts, layout.options["inventory"].on_failure) == (3, "continue")
    assert layout.pause_seconds == 90
    page = page_of(admin, config)
    assert "3 attempts" in page
    assert "on failure: go on" in page
    assert 'value="1m30s"' in page


def test_a_broken_rule_is_told_at_the_card_and_at_the_top_and_saves_nothing(admin, config):
    _, page = send(admin, config, page_of(admin, config), do="earlier backup-plugin")
    card = page.split('id="card-backup-plugin"')[1].split("</li>")[0]
    assert "comes before &#x27;quiesce-plugin&#x27; freezes the application" in card
    assert page.count("comes before &#x27;quiesce-plugin&#x27;") == 2
    status, page = send(admin, config, page, save="yes")
    assert status == 422
    assert "Nothing was saved." in page
    assert on_the_board(page)[0] == ["backup-plugin"], "what was arranged is still there"
    config.refresh_from_db()
    assert (config.plan, AuditEntry.objects.count()) == ({}, 0)


@pytest.mark.parametrize(("name", "typed", "words"), [
    ("Steps.backup-plugin.Timeout", "soon", "this is no time"),
    ("Steps.backup-plugin.Attempts", "many", "a whole number from 0 to 100"),
    ("Steps.backup-plugin.Attempts", "1.5", "a whole number from 0 to 100"),
    ("Steps.backup-plugin.OnFailure", "explode", "is wanted"),
    ("Plan.FreezeBudget", "100d", "too short or too long"),
])  # fmt: skip
def test_a_value_that_cannot_be_is_told_at_its_field_and_kept_as_typed(admin, config, name, typed, words):
    sent = Form(page_of(admin, config)).values | {name: typed, "save": "yes"}
    answer = admin.post(address(config), sent)
    page = answer.content.decode()
    ident = "plan-" + name.replace(".", "-")
    assert answer.status_code == 422
    assert words in page.split(f'id="{ident}-error"')[1].split("</p>")[0]
    if "OnFailure" not in name:
        assert Form(page).values[name] == typed
    config.refresh_from_db()
    assert config.plan == {}
    # It keeps no step from being moved, and is still told of then.
    del sent["save"]
    page = admin.post(address(config), sent | {"do": "with-above backup-retention"}).content.decode()
    assert on_the_board(page)[-1] == ["unquiesce-plugin", "backup-retention"]
    assert words in page.split(f'id="{ident}-error"')[1].split("</p>")[0]


def test_a_heartbeat_longer_than_the_timeout_leaves_toml_that_can_be_read(admin, config):
    wrong = {"Steps.backup-plugin.Timeout": "1m", "Steps.backup-plugin.Heartbeat": "2m"}
    answer = admin.post(address(config), Form(page_of(admin, config)).values | wrong)
    page = answer.content.decode()
    assert "longer than the step&#x27;s Timeout of 1 m" in page
    assert parse_layout(Form(page).values["plan"]).options["backup-plugin"].timeout_seconds == 60
    assert Form(page).values["Steps.backup-plugin.Heartbeat"] == "2m"


def test_typing_the_toml_rearranges_the_board(admin, config):
    _, page = send(admin, config, page_of(admin, config), plan=GOOD)
    assert on_the_board(page)[1] == ["backup-plugin", "inventory"]
    assert Form(page).values["Steps.backup-plugin.Attempts"] == "3"
    assert Form(page).values["Plan.FreezeBudget"] == "10m"
    assert Form(page).values["plan"].strip() == GOOD.strip().replace("\n", "\r\n"), "it stays as it was typed"


def test_a_comment_in_the_toml_is_told_of_before_it_is_lost(admin, config):
    page = page_of(admin, config)
    assert "a comment:" not in page
    _, page = send(admin, config, page, plan=f"{GOOD}# why it waits\n")
    assert f"Line {GOOD.count(chr(10)) + 1}: a comment: it is not kept" in page
    _, page = send(admin, config, page, do="later inventory")
    assert "why it waits" not in page
    assert "a comment:" not in page


def test_toml_that_cannot_be_read_leaves_the_board_which_may_count(admin, config):
    page = page_of(admin, config)
    _, page = send(admin, config, page, plan="Stages = [")
    assert on_the_board(page) == USUAL
    _, page = send(admin, config, page, do="later backup-plugin")
    assert "Nothing was moved" in page
    assert on_the_board(page) == USUAL
    assert send(admin, config, page, save="yes")[0] == 422
    _, page = send(admin, config, page, do="form")
    assert stages(page) == USUAL


def test_both_sides_changed_wait_for_a_person(admin, config):
    opened = page_of(admin, config)
    _, page = send(admin, config, opened, plan=GOOD, Plan__PauseFor="2h")
    assert "both changed, and they differ" in page
    assert send(admin, config, page, save="yes")[0] == 422
    _, text = send(admin, config, page, do="text")
    assert on_the_board(text)[1] == ["backup-plugin", "inventory"]
    assert Form(text).values["Plan.PauseFor"] == ""
    _, board = send(admin, config, page, do="form")
    assert on_the_board(board) == USUAL
    assert parse_layout(Form(board).values["plan"]).pause_seconds == 7200


def test_a_left_out_step_can_be_put_back(admin, config):
    left = 'Stages = [["quiesce-plugin"], ["unquiesce-plugin"], ["backup-retention"]]'
    _, page = send(admin, config, page_of(admin, config), plan=left)
    assert "put-back backup-plugin" in Form(page).buttons
    _, page = send(admin, config, page, do="put-back backup-plugin")
    assert on_the_board(page) == USUAL
    assert focused(page) == "card-backup-plugin"


def test_a_step_that_is_no_longer_configured_or_named_twice_can_be_taken_out(admin, config):
    twice = 'Stages = [["quiesce-plugin"], ["backup-plugin"], ["backup-plugin"], ["mount-plugin"]]'
    _, page = send(admin, config, page_of(admin, config), plan=twice)
    _, page = send(admin, config, page, do="take-out mount-plugin")
    _, page = send(admin, config, page, do="take-out backup-plugin")
    assert on_the_board(page) == USUAL[:2]


def test_an_own_command_is_removed_and_fossuls_order_comes_again(admin, config):
    post(admin, config, GOOD)
    _, page = send(admin, config, page_of(admin, config), do="remove inventory")
    assert on_the_board(page) == USUAL
    assert "3 attempts" in page
    _, page = send(admin, config, page, do="reset")
    assert Form(page).values["Steps.backup-plugin.Attempts"] == ""
    assert send(admin, config, page, save="yes")[0] == 302
    config.refresh_from_db()
    assert config.plan == {}


@pytest.mark.parametrize("action", ["later nothing", "onto backup-plugin 99", "dance", "onto backup-plugin"])
def test_an_action_that_is_none_changes_nothing(admin, config, action):
    status, page = send(admin, config, page_of(admin, config), do=action)
    assert status == 200
    assert "Nothing was moved" in page
    assert on_the_board(page) == stages(page) == USUAL


def test_the_second_of_two_is_told_shown_the_difference_and_may_save_over_it(admin, config):
    name = (config.profile.name, config.name)
    plans.save_plan(ADMIN, *name, 0, '[Plan]\nPauseFor = "2h"')
    page = page_of(admin, config)
    plans.save_plan(ADMIN, *name, 1, '[Plan]\nPauseFor = "3h"')
    _, page = send(admin, config, page, Plan__FreezeBudget="10m")
    status, page = send(admin, config, page, save="yes")
    assert status == 409
    assert "ada saved version 2 after you opened version 1." in page
    theirs, yours = re.findall(r'class="difference".*?</pre>', page, re.S)
    assert "+PauseFor = &quot;3h&quot;" in theirs
    assert "+FreezeBudget = &quot;10m&quot;" in yours
    assert "-PauseFor = &quot;3h&quot;" in yours
    config.refresh_from_db()
    assert config.version == 2
    assert PlanLayout.model_validate(config.plan).pause_seconds == 3 * 3600
    assert send(admin, config, page, save="yes")[0] == 302
    config.refresh_from_db()
    assert PlanLayout.model_validate(config.plan).freeze_budget_seconds == 600


def test_htmx_gets_the_parts_that_changed_and_not_what_is_being_typed_into(admin, config):
    sent = Form(page_of(admin, config)).values
    typed = admin.post(address(config), sent | {"Plan.PauseFor": "2h"}, headers=HTMX).content.decode()
    assert 'id="plan-text"' in typed
    assert "PauseFor = &quot;2h&quot;" in typed
    assert 'id="board"' not in typed
    typed = admin.post(address(config), sent | {"plan": GOOD}, headers=HTMX).content.decode()
    assert 'id="board"' in typed
    assert 'id="plan-text"' not in typed
    moved = admin.post(address(config), sent | {"do": "later backup-plugin"}, headers=HTMX).content.decode()
    assert 'id="board"' in moved
    assert 'id="plan-text"' in moved
    assert "Backup with sample-storage: stage 3 of 4." in moved
    assert "<html" not in typed + moved


def test_a_credential_in_a_command_is_never_shown_and_stays(admin, config):
    text = GOOD.replace("ls,-l,/data", "notify,--password=correct-horse-battery")
    post(admin, config, text)
    page = page_of(admin, config)
    assert "correct-horse" not in page
    _, page = send(admin, config, page, do="alone inventory")
    assert "correct-horse" not in page
    assert send(admin, config, page, save="yes")[0] == 302
    config.refresh_from_db()
    assert config.version == 2
    assert config.plan["commands"]["inventory"] == "notify,--password=correct-horse-battery"
    about = admin.get(reverse("config", args=[config.profile.name, config.name])).content.decode()
    assert "correct-horse" not in about
    status, page = send(
        admin, config, page_of(admin, config), Commands__inventory="other,--password=***", save="y"
    )
    assert status == 422
    assert "masked" in page


def test_an_operator_may_look_and_not_save(client, config):
    login(client, "operator")
    status, page = post(client, config, GOOD)
    assert status == 403
    assert "change configurations" in page
    config.refresh_from_db()
    assert config.plan == {}


def test_a_stored_plan_that_no_longer_fits_is_told_on_the_configurations_page(client, config):
    login(client, "operator")
    config.plan = {"stages": [["backup-plugin"]]}
    config.save()
    page = client.get(reverse("config", args=[config.profile.name, config.name])).content.decode()
    assert "No backup can start." in page
    assert "nothing left out" in page or "is in no stage" in page
