"""The editor of a configuration: made from what plugins declare, checked while it is typed, saved."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import partial
from http import HTTPStatus

from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods
from django_htmx.http import HttpResponseClientRedirect

from workflows_app.domain.config import check_name
from workflows_app.domain.config_files.configuration import Configuration, Family
from workflows_app.domain.config_files.files import write_files
from workflows_app.domain.editing.lost_rules import lost_rules
from workflows_app.domain.editing.policy_changes import gone_policies
from workflows_app.domain.editing.starters import STARTERS, starter
from workflows_app.domain.errors import (
    ConfigInvalid,
    NotFound,
    Outdated,
    SettingProblem,
    SettingsRefused,
)
from workflows_app.services.configurations import catalog, plugins
from workflows_app.services.configurations.plugins import Published
from workflows_app.services.editing import config_edits
from workflows_app.services.editing.config_edits import Edit, Meanwhile
from workflows_app.services.people.permissions import Actor, Right, actor_of
from workflows_app.web.editors.check_views import CheckView
from workflows_app.web.editors.drafts import Draft, draft_of, read_draft
from workflows_app.web.editors.form_fields import EditForm, FamilyForm
from workflows_app.web.editors.forms import BLANK_ROWS, edit_form
from workflows_app.web.editors.gone_views import (
    SHOWN,
    GoneView,
    gone_view,
    mark_of,
    said_successors,
    saved_or_asked,
)
from workflows_app.web.editors.sides import Lead, Sides, read_sides, sides_of
from workflows_app.web.editors.text_parts import text_parts
from workflows_app.web.views.checks import answer_of_draft, made_of_draft
from workflows_app.web.views.errors import HtmxHttpRequest, answers_errors, status_of

PAGE = "workflows_app/config_edit.html"


@dataclass(frozen=True, slots=True)
class _Place:
    """What is edited: a configuration, or, without a name, one that is to be made in the profile."""

    profile: str
    config: str
    edit: Edit

    @property
    def address(self) -> str:
        """The address of the editor."""
        if self.config:
            return reverse("edit-config", args=[self.profile, self.config])
        return reverse("new-config", args=[self.profile])


@require_http_methods(["GET", "POST"])
@answers_errors
def edit_config(request: HtmxHttpRequest, profile: str, config: str) -> HttpResponse:
    """Show the editor of a configuration; take what was typed, or only check it."""
    actor = actor_of(request.user)
    return _editor(request, actor, _Place(profile, config, config_edits.open_edit(actor, profile, config)))


@require_http_methods(["GET", "POST"])
@answers_errors
def new_config(request: HtmxHttpRequest, profile: str) -> HttpResponse:
    """Show the editor of a configuration that is to be made, begun from a template; make it."""
    actor = actor_of(request.user)
    actor.require(Right.CONFIGURE)
    catalog.get_profile(actor, profile)
    begun = starter(request.POST.get("template", request.GET.get("template", "")))
    return _editor(request, actor, _Place(profile, "", Edit("", begun.configuration, 0)), begun.key)


def _editor(request: HtmxHttpRequest, actor: Actor, place: _Place, template: str = "") -> HttpResponse:
    known = plugins.published(actor)
    stored = place.edit.configuration
    if request.method != "POST":
        begun = draft_of(place.edit.version, place.config, place.edit.description, stored)
        sides = sides_of(begun, stored, known)
        problems = _problems(place, sides, known) if place.config else ()
        return _page(request, place, sides, known, problems, template=template)
    draft = read_draft(request.POST.dict(), stored, known)
    if not place.config:
        # Of a configuration that does not exist nobody has opened a version.
        draft = replace(draft, opened=0)
    if "family" in request.POST:
        return _family(request, place, draft, known)
    if "more" in request.POST:
        return _row(request, place, draft, known)
    sides = read_sides(request.POST.dict(), draft, stored, known)
    problems = _problems(place, sides, known)
    if "test" in request.POST:
        made = made_of_draft(actor, place.profile, place.config or draft.name, sides, request.POST["test"])
        if request.htmx:
            return answer_of_draft(request, made)
        return _page(request, place, sides, known, problems, checking=True, template=template, made=made)
    if "save" not in request.POST:
        return _page(request, place, sides, known, problems, checking=True, template=template)
    if problems or sides.stuck:
        return _page(request, place, sides, known, problems, refused=True, template=template)
    try:
        saved = saved_or_asked(
            partial(_save, actor, place, sides, template),
            said_successors(request.POST, stored, sides.made),
            partial(_ask_of_gone, actor, place, sides),
        )
    except SettingsRefused as error:
        return _page(request, place, sides, known, error.problems, refused=True, template=template)
    except ConfigInvalid as error:
        problem = SettingProblem(error.field, error.reason)
        return _page(request, place, sides, known, (problem,), refused=True, template=template)
    except Outdated as error:
        mixed = config_edits.meanwhile(
            actor, place.profile, place.config, draft.opened, draft.description, sides.made
        )
        again = replace(sides, draft=replace(sides.draft, opened=error.version))
        return _page(request, place, again, known, (), outdated=error, meanwhile=mixed)
    if isinstance(saved, GoneView):
        return _page(request, place, sides, known, (), gone=saved)
    address = reverse("config", args=[place.profile, place.config or draft.name])
    address = address if saved else f"{address}?unchanged"
    return HttpResponseClientRedirect(address) if request.htmx else redirect(address)


def _save(actor: Actor, place: _Place, sides: Sides, template: str, successors: Mapping[str, str]) -> bool:
    draft = sides.draft
    if place.config:
        return config_edits.save_config(
            actor, place.profile, place.config, draft.opened, draft.description, sides.made, successors
        )
    reason = f"made from the template {template!r}"
    config_edits.create_config(actor, place.profile, draft.name, draft.description, sides.made, reason)
    return True


def _ask_of_gone(actor: Actor, place: _Place, sides: Sides) -> GoneView:
    renamed = {row.opened: row.name for row in sides.draft.named_policies}
    return gone_view(actor, place.profile, place.config, place.edit.configuration, sides.made, renamed)


def _problems(place: _Place, sides: Sides, known: Published) -> tuple[SettingProblem, ...]:
    draft = sides.draft
    found = (*draft.mistakes, *config_edits.problems(draft.description, sides.made, known))
    if place.config:
        return found
    try:
        check_name("name", draft.name)
    except ConfigInvalid as error:
        words = error.reason if draft.name else "give the configuration a name"
        return (SettingProblem("name", words), *found)
    return found


def _page(
    request: HtmxHttpRequest,
    place: _Place,
    sides: Sides,
    known: Published,
    problems: tuple[SettingProblem, ...],
    *,
    checking: bool = False,
    refused: bool = False,
    outdated: Outdated | None = None,
    meanwhile: Meanwhile | None = None,
    gone: GoneView | None = None,
    template: str = "",
    made: CheckView | None = None,
) -> HttpResponse:
    """The page, or for htmx what changes on it: nothing that somebody is typing into."""
    only_changes = bool(request.htmx)
    follows = sides.lead is Lead.TEXT
    form = edit_form(
        sides.draft,
        place.edit.configuration,
        known,
        problems,
        blanks=0 if only_changes and not follows else BLANK_ROWS,
        tidy=follows or not only_changes,
        new=not place.config,
        moved=sides.moved,
        typed=sides.typed,
    )
    context = {
        "profile": place.profile,
        "config": place.config,
        "address": place.address,
        "form": form,
        "sides": sides,
        "lost_rules": () if sides.stuck else lost_rules(place.edit.configuration, sides.made),
        "parts": text_parts(sides, request.POST.keys(), known.declared_secrets, whole=not only_changes),
        "follows": only_changes and follows,
        "arrived": () if follows or not only_changes else _arrived(request, form),
        "checked": request.method == "POST" or bool(place.config),
        "refused": refused,
        "outdated": str(outdated or ""),
        "meanwhile": meanwhile,
        "gone": gone,
        "gone_stays": request.POST.get(SHOWN) == mark_of(gone_policies(place.edit.configuration, sides.made)),
        "unfit": _unfit(place.config or sides.draft.name or "configuration", sides.made),
        "template": template,
        "starters": STARTERS,
        "oob": only_changes,
        "made": made,
    }
    status = 200
    if not only_changes and not checking and (refused or outdated or gone):
        status = status_of(outdated)[0] if outdated else 409 if gone else 422
    return render(request, PAGE + ("#check" if only_changes else ""), context, status=status)


def _arrived(request: HtmxHttpRequest, form: EditForm) -> tuple[FamilyForm, ...]:
    """The families of which the page as it was sent knows nothing, and of which workers have told since."""
    return tuple(
        family
        for family in form.families
        if f"{family.plugin.name}.Waits" in request.POST and not family.waits
    )


def _family(request: HtmxHttpRequest, place: _Place, draft: Draft, known: Published) -> HttpResponse:
    """A plugin's part of the form, after another was chosen, or as soon as something is known of it."""
    form = edit_form(draft, place.edit.configuration, known, draft.mistakes)
    family = _chosen(form, request.POST["family"])
    if family.waits and "waits" in request.POST:
        return HttpResponse(status=HTTPStatus.NO_CONTENT)
    context = {"family": family, "address": place.address}
    return render(request, PAGE + "#family", context)


def _row(request: HtmxHttpRequest, place: _Place, draft: Draft, known: Published) -> HttpResponse:
    """One more row for a policy, or for a parameter of a family's plugin."""
    form = edit_form(draft, place.edit.configuration, known, (), blanks=1, tidy=False)
    if request.POST["more"] == "policies":
        return render(request, PAGE + "#policy", {"policy": form.policies[-1]})
    rows = _chosen(form, request.POST["more"]).rows
    return render(request, PAGE + "#parameter-row", {"row": rows[-1] if rows else None})


def _chosen(form: EditForm, family: str) -> FamilyForm:
    found = next((known for known in form.families if known.family == family), None)
    if found is None:
        raise NotFound(f"There is no plugin family {family!r}: it is one of {', '.join(Family)}.")
    return found


def _unfit(name: str, configuration: Configuration) -> str:
    """Why Fossul's files cannot hold a configuration; ``""`` when they can."""
    try:
        write_files(name, configuration)
    except ConfigInvalid as error:
        return str(error)
    return ""
