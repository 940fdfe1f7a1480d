"""The retention of a policy: what it would delete, shown before it is saved."""

from asgiref.sync import async_to_sync
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods

from workflows_app.domain.config_files.configuration import Family
from workflows_app.domain.errors import ConfigInvalid, Outdated
from workflows_app.domain.retention.retention_preview import DAYS
from workflows_app.services.configurations import catalog
from workflows_app.services.editing import retention
from workflows_app.services.editing.retention import PolicyRetention, retention_words
from workflows_app.services.people.permissions import Right, actor_of
from workflows_app.web.pages.retention_forms import ARCHIVES, fields_of, read_retention, typed_values
from workflows_app.web.pages.retention_views import retention_parts
from workflows_app.web.views.errors import HtmxHttpRequest, answers_errors
from workflows_app.web.words.numbers import whole_number


@require_http_methods(["GET", "POST"])
@answers_errors
def policy_retention(request: HtmxHttpRequest, profile: str, config: str, policy: str) -> HttpResponse:
    """Show what a policy keeps, what another retention would do, and take it on POST."""
    actor = actor_of(request.user)
    row = retention.get_policy(actor, profile, config, policy)
    detail = catalog.get_config(actor, profile, config)
    present = PolicyRetention.of(row)
    given = (request.POST if request.method == "POST" else request.GET).dict()
    values = typed_values(present, given)
    # Who sends a change without having opened the page has seen no version.
    unopened = 0 if request.method == "POST" else detail.version
    opened = whole_number(given["opened"], 0) if "opened" in given else unopened
    archives = bool(detail.config.archive_plugin) or not present.archives.everything
    context: dict[str, object] = {
        "config": detail.summary,
        "policy": row,
        "words": retention_words(present.backups),
        "archive_words": retention_words(present.archives) if archives else "",
        "fields": fields_of(values),
        "archive_fields": fields_of(values, ARCHIVES) if archives else None,
        "may_save": actor.may(Right.CONFIGURE),
        "horizon": DAYS,
        "opened": opened,
    }
    code = 200
    try:
        wanted = read_retention(values)
        if request.method == "POST":
            try:
                retention.change_retention(actor, profile, config, policy, opened, wanted)
                return redirect("retention", profile, config, policy)
            except Outdated as error:
                told = retention.meanwhile(actor, profile, config, policy, opened, wanted)
                context |= {"outdated": str(error), "meanwhile": told, "opened": error.version}
        found = async_to_sync(retention.compare_retention)(actor, profile, config, policy, wanted)
        deaf = retention.deaf_plugins(actor, detail.config)
        families = (Family.STORAGE, Family.ARCHIVE) if archives else (Family.STORAGE,)
        context["parts"] = retention_parts(found, present, wanted, detail.config, deaf, families)
        code = 200 if request.htmx or not found.trouble else 503
        code = 409 if "outdated" in context else code
    except ConfigInvalid as error:
        context["wrong"], context["wrong_field"] = error.reason, error.field
        code = 200 if request.htmx else 422
    template = "workflows_app/retention.html" + ("#preview" if request.htmx else "")
    return render(request, template, context, status=code)
