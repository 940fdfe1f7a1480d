"""The editor of a configuration: made from what plugins declare, checked while it is typed, saved."""

from dataclasses import dataclass, replace

from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods
from django_htmx.http import HttpResponseClientRedirect

from workflows_app.domain.config import check_name
from workflows_app.domain.config_files.configuration import Configuration, Family
from workflows_app.domain.config_files.display import displayed
from workflows_app.domain.config_files.files import write_files
from workflows_app.domain.errors import (
    ConfigInvalid,
    NotFound,
    Outdated,
    SettingProblem,
    SettingsRefused,
)
from workflows_app.domain.starters import STARTERS, starter
from workflows_app.services import catalog, config_edits, plugins
from workflows_app.services.config_edits import Edit, Meanwhile
from workflows_app.services.permissions import Actor, Right, actor_of
from workflows_app.services.plugins import Published
from workflows_app.web.drafts import Draft, draft_of, read_draft
from workflows_app.web.forms import BLANK_ROWS, EditForm, FamilyForm, edit_form
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
        draft = draft_of(place.edit.version, place.config, place.edit.description, stored)
        problems = _problems(place, draft, known) if place.config else ()
        return _page(request, place, draft, known, problems, template=template)
    draft = read_draft(request.POST.dict(), stored, known)
    if not place.config:
        # Of a configuration that does not exist nobody has opened a version.
        draft = replace(draft, opened=0)
    if "family" in request.POST:
        return _family(request, place, draft, known)
    if "more" in request.POST:
        return _row(request, place, draft, known)
    problems = _problems(place, draft, known)
    if "save" not in request.POST:
        return _page(request, place, draft, known, problems, checking=True)
    if problems:
        return _page(request, place, draft, known, problems, refused=True, template=template)
    made = draft.configuration(stored)
    try:
        saved = _save(actor, place, draft, made, template)
    except SettingsRefused as error:
        return _page(request, place, draft, known, error.problems, refused=True, template=template)
    except ConfigInvalid as error:
        problem = SettingProblem(error.field, error.reason)
        return _page(request, place, draft, known, (problem,), refused=True, template=template)
    except Outdated as error:
        mixed = config_edits.meanwhile(
            actor, place.profile, place.config, draft.opened, draft.description, made
        )
        again = replace(draft, opened=error.version)
        return _page(request, place, again, known, (), outdated=error, meanwhile=mixed)
    address = reverse("config", args=[place.profile, place.config or draft.name])
    address = address if saved else f"{address}?unchanged"
    return HttpResponseClientRedirect(address) if request.htmx else redirect(address)


def _save(actor: Actor, place: _Place, draft: Draft, made: Configuration, template: str) -> bool:
    if place.config:
        return config_edits.save_config(
            actor, place.profile, place.config, draft.opened, draft.description, made
        )
    reason = f"made from the template {template!r}"
    config_edits.create_config(actor, place.profile, draft.name, draft.description, made, reason)
    return True


def _problems(place: _Place, draft: Draft, known: Published) -> tuple[SettingProblem, ...]:
    made = draft.configuration(place.edit.configuration)
    found = (*draft.mistakes, *config_edits.problems(draft.description, made, known))
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
    draft: Draft,
    known: Published,
    problems: tuple[SettingProblem, ...],
    *,
    checking: bool = False,
    refused: bool = False,
    outdated: Outdated | None = None,
    meanwhile: Meanwhile | None = None,
    template: str = "",
) -> HttpResponse:
    """The page, or for htmx what changes on it: nothing that somebody is typing into."""
    partial = bool(request.htmx)
    made = draft.configuration(place.edit.configuration)
    blanks = 0 if partial else BLANK_ROWS
    new = not place.config
    form = edit_form(
        draft, place.edit.configuration, known, problems, blanks=blanks, tidy=not partial, new=new
    )
    name = place.config or draft.name or "configuration"
    context = {
        "profile": place.profile,
        "config": place.config,
        "address": place.address,
        "form": form,
        "checked": request.method == "POST" or bool(place.config),
        "refused": refused,
        "outdated": str(outdated or ""),
        "meanwhile": meanwhile,
        "texts": displayed(made, declared=known.declared_secrets),
        "unfit": _unfit(name, made),
        "template": template,
        "starters": STARTERS,
        "oob": partial,
    }
    status = 200
    if not partial and not checking and (refused or outdated):
        status = status_of(outdated)[0] if outdated else 422
    return render(request, PAGE + ("#check" if partial else ""), context, status=status)


def _family(request: HtmxHttpRequest, place: _Place, draft: Draft, known: Published) -> HttpResponse:
    """A plugin's part of the form, after another plugin was chosen."""
    form = edit_form(draft, place.edit.configuration, known, draft.mistakes)
    context = {"family": _chosen(form, request.POST["family"]), "address": place.address}
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
