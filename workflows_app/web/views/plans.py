"""The editor of a plan: a board and its TOML, checked with every change, saved when that is asked for."""

from dataclasses import dataclass, replace

from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.gzip import gzip_page
from django.views.decorators.http import require_http_methods
from django_htmx.http import HttpResponseClientRedirect

from workflows_app.domain.errors import ConfigInvalid, Outdated, PlanRefused
from workflows_app.domain.plans.plan_actions import Act, read_action
from workflows_app.services.configurations import catalog
from workflows_app.services.configurations.catalog import ConfigDetail
from workflows_app.services.editing import plans
from workflows_app.services.editing.config_edits import Meanwhile
from workflows_app.services.editing.plans import PlanPreview
from workflows_app.services.people.permissions import Actor, Right, actor_of
from workflows_app.web.editors.plan_boards import WAYS, board_of
from workflows_app.web.editors.plan_drafts import (
    NEW_COMMAND,
    NEW_NAME,
    PlanDraft,
    after_action,
    after_adding,
    draft_of,
    read_draft,
)
from workflows_app.web.editors.plan_drawings import drawn_stages
from workflows_app.web.editors.sides import Lead
from workflows_app.web.views.errors import HtmxHttpRequest, answers_errors, status_of

PAGE = "workflows_app/plan_editor.html"
ADD = "add"


@dataclass(frozen=True, slots=True)
class _Done:
    """What came of a request beside the draft itself.

    ``action`` is what moved steps, ``refused`` says that nothing was saved, ``trouble`` why nothing moved.
    """

    action: str = ""
    trouble: str = ""
    refused: bool = False
    outdated: Outdated | None = None
    meanwhile: Meanwhile | None = None


@gzip_page  # a board of many steps has a lot of the same words
@require_http_methods(["GET", "POST"])
@answers_errors
def plan_editor(request: HtmxHttpRequest, profile: str, config: str) -> HttpResponse:
    """Show the editor of a plan; take a move, check what was typed, or save."""
    actor = actor_of(request.user)
    detail = catalog.get_config(actor, profile, config)
    if request.method != "POST":
        return _page(request, actor, detail, draft_of(detail.version, plans.shown_plan(detail)), _Done())
    usual = plans.usual_stages(detail.config)
    draft = read_draft(request.POST.dict(), usual)
    if "save" in request.POST:
        return _save(request, actor, detail, draft)
    action = request.POST.get("do", "")
    if action in ("", Lead.FORM, Lead.TEXT):
        return _page(request, actor, detail, draft, _Done())
    if draft.stuck and action != Act.RESET:
        trouble = "Nothing was moved: the board and the TOML differ. Say first which of them counts."
        return _page(request, actor, detail, draft, _Done(trouble=trouble))
    if action == ADD:
        added = after_adding(draft, usual)
        failed = any(name in added.wrong for name in (NEW_NAME, NEW_COMMAND))
        done = _Done(trouble="Nothing was added.") if failed else _Done(action=f"{ADD} {draft.new[0]}")
        return _page(request, actor, detail, added, done)
    try:
        draft = after_action(draft, read_action(action), usual)
    except ConfigInvalid as error:
        trouble = f"Nothing was moved: {error.reason}."
        return _page(request, actor, detail, draft, _Done(trouble=trouble))
    return _page(request, actor, detail, draft, _Done(action=action))


def _save(request: HtmxHttpRequest, actor: Actor, detail: ConfigDetail, draft: PlanDraft) -> HttpResponse:
    actor.require(Right.CONFIGURE)
    profile, config = detail.summary.profile, detail.summary.name
    if draft.stuck or draft.wrong:
        return _page(request, actor, detail, draft, _Done(refused=True))
    try:
        saved = plans.save_plan(actor, profile, config, draft.opened, draft.text)
    except (ConfigInvalid, PlanRefused):
        return _page(request, actor, detail, draft, _Done(refused=True))
    except Outdated as error:
        try:
            mixed = plans.meanwhile(actor, profile, config, draft.opened, draft.text)
        except ConfigInvalid:
            # A masked command of which there is nothing stored any more: told as what is wrong with it.
            mixed = None
        now = catalog.get_config(actor, profile, config)
        again = replace(draft, opened=error.version)
        return _page(request, actor, now, again, _Done(outdated=error, meanwhile=mixed))
    address = reverse("config", args=[profile, config]) + ("" if saved else "?unchanged")
    return HttpResponseClientRedirect(address) if request.htmx else redirect(address)


def _page(
    request: HtmxHttpRequest, actor: Actor, detail: ConfigDetail, draft: PlanDraft, done: _Done
) -> HttpResponse:
    """The page, or for htmx what changes on it: nothing that somebody is typing into."""
    preview: PlanPreview | None = None
    unreadable = draft.unreadable
    try:
        preview = plans.preview_of(detail, draft.layout)
    except ConfigInvalid as error:
        unreadable = unreadable or str(error)
    board = board_of(draft, detail.config, preview)
    partial = bool(request.htmx)
    moved = bool(done.action)
    context = {
        "config": detail.summary,
        "may_save": actor.may(Right.CONFIGURE),
        "draft": draft,
        "board": board,
        "ways": WAYS,
        "plan": preview.plan if preview else None,
        "problems": preview.problems if preview else (),
        "placed": {card.key for card in board.cards},
        "drawn": drawn_stages(preview.plan) if preview else (),
        "unreadable": unreadable,
        "wrong": [field for field in board.inputs if field.error],
        "refused": done.refused,
        "outdated": str(done.outdated or ""),
        "meanwhile": done.meanwhile,
        "trouble": done.trouble,
        "said": board.where(done.action.split(" ")[1]) if " " in done.action else "",
        "focus": _focus(done.action, htmx=partial),
        "oob": partial,
        "rebuilt": moved or draft.lead is Lead.TEXT or bool(done.outdated),
        "rewritten": moved or draft.lead is Lead.FORM,
    }
    status = 200
    if not partial and (done.refused or done.outdated):
        status = status_of(done.outdated)[0] if done.outdated else 422
    return render(request, PAGE + ("#answer" if partial else ""), context, status=status)


def _focus(action: str, *, htmx: bool) -> str:
    """What is to be focused: the button that was pressed, or the card that it made.

    With htmx the focus stays by itself on what is still there.
    """
    act, _, rest = action.partition(" ")
    key = rest.split(" ")[0]
    if act in (Act.PUT_BACK, ADD):
        return f"card {key}"
    if act in (Act.REMOVE, Act.TAKE_OUT):
        return "board"
    return "" if htmx else action
