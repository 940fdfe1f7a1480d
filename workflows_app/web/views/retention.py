"""The retention of a policy: what it would delete, shown before it is saved."""

import re

from asgiref.sync import async_to_sync
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods

from workflows_app.domain.errors import ConfigInvalid, FossulError, NotAllowed, NotFound
from workflows_app.domain.keep_rules import Period, parse_rules
from workflows_app.domain.retention_preview import DAYS, Retaining
from workflows_app.services import catalog, retention
from workflows_app.services.permissions import Right, actor_of
from workflows_app.web.retention_views import retention_view
from workflows_app.web.views.errors import HtmxHttpRequest, answers_errors

MOST = 100_000


@require_http_methods(["GET", "POST"])
@answers_errors
def policy_retention(request: HtmxHttpRequest, profile: str, config: str, policy: str) -> HttpResponse:
    """Show what a policy keeps, what another retention would do, and take it on POST."""
    actor = actor_of(request.user)
    present = retention.get_policy(actor, profile, config, policy)
    given = request.POST if request.method == "POST" else request.GET
    values = {
        "keep": str(present.keep_backups),
        **{period.value: str(present.keep_rules.number(period)) for period in Period},
        "zone": present.keep_rules.zone,
    } | {name: given[name] for name in ("keep", *Period, "zone") if name in given}
    context: dict[str, object] = {
        "config": catalog.get_config(actor, profile, config).summary,
        "policy": present,
        "words": retention.retention_words(Retaining(present.keep_backups, present.keep_rules)),
        "values": values,
        "periods": [(period.value, values[period.value]) for period in Period],
        "may_save": actor.may(Right.CONFIGURE),
        "horizon": DAYS,
    }
    code = 200
    try:
        wanted = _retaining(values)
        if request.method == "POST":
            retention.change_retention(actor, profile, config, policy, wanted)
            return redirect("retention", profile, config, policy)
        context["wanted"] = retention.retention_words(wanted)
        context["view"] = retention_view(
            async_to_sync(retention.compare_retention)(actor, profile, config, policy, wanted)
        )
    except ConfigInvalid as error:
        context["wrong"], context["wrong_field"] = error.reason, error.field
        code = 200 if request.htmx else 422
    except (NotAllowed, NotFound):
        raise
    except FossulError as error:
        context["trouble"] = str(error)
        code = 200 if request.htmx else 503
    template = "workflows_app/retention.html" + ("#preview" if request.htmx else "")
    return render(request, template, context, status=code)


def _retaining(values: dict[str, str]) -> Retaining:
    """Read a retention from a form. Raises ConfigInvalid naming the field."""
    keep = values["keep"].strip()
    if not re.fullmatch(r"[0-9]{1,6}", keep) or int(keep) > MOST:
        raise ConfigInvalid("keep", f"{keep!r} is not a whole number from 1 to {MOST}")
    retaining = Retaining(int(keep), parse_rules(values))
    retaining.check()
    return retaining
