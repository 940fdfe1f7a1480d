"""The plan of a configuration: shown as it would run, edited as TOML, checked while it is typed."""

from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods

from workflows_app.domain.errors import ConfigInvalid, PlanRefused
from workflows_app.domain.plan_layouts import parse_layout
from workflows_app.services import catalog, plans
from workflows_app.services.permissions import Right, actor_of
from workflows_app.web.config_views import plan_phases
from workflows_app.web.views.errors import HtmxHttpRequest, answers_errors


@require_http_methods(["GET", "POST"])
@answers_errors
def plan_editor(request: HtmxHttpRequest, profile: str, config: str) -> HttpResponse:
    """Show the plan and take a new one; with ``check`` only say what would become of it."""
    actor = actor_of(request.user)
    detail = catalog.get_config(actor, profile, config)
    text = request.POST.get("plan") if request.method == "POST" else None
    context: dict[str, object] = {"config": detail.summary, "may_save": actor.may(Right.CONFIGURE)}
    if text is None:
        text = plans.plan_text(actor, profile, config)
    elif "check" not in request.POST:
        try:
            plans.save_plan(actor, profile, config, text)
            return redirect("config", profile, config)
        except (ConfigInvalid, PlanRefused):
            context["refused"] = True
    try:
        preview = plans.preview_of(detail.config, parse_layout(text))
        context |= {"problems": preview.problems, "phases": plan_phases(preview.plan), "plan": preview.plan}
    except ConfigInvalid as error:
        context["wrong"] = str(error)
    context["text"] = text
    template = "workflows_app/plan_editor.html" + ("#plan-check" if request.htmx else "")
    return render(request, template, context, status=422 if context.get("refused") else 200)
