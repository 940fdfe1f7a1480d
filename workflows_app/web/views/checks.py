"""*Test* buttons: a worker tries what a run of a configuration will need."""

from collections.abc import Coroutine
from typing import Any

from asgiref.sync import async_to_sync
from django.http import HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_http_methods

from workflows_app.domain.errors import ConfigInvalid, FossulError, NotAllowed, NotFound
from workflows_app.domain.findings import CheckedParts, CheckPart
from workflows_app.services.configurations import catalog, checks
from workflows_app.services.people.permissions import Actor, Right, actor_of
from workflows_app.web.editors.check_views import PART_TITLES, CheckView, check_view
from workflows_app.web.editors.sides import Sides
from workflows_app.web.views.errors import HtmxHttpRequest, answers_errors

PAGE = "workflows_app/config_test.html"
RESULTS = "workflows_app/_tests.html#results"
ALL = "all"


@require_http_methods(["GET", "POST"])
@answers_errors
def test_config(request: HtmxHttpRequest, profile: str, config: str) -> HttpResponse:
    """Show what a test of a stored configuration is; make one."""
    actor = actor_of(request.user)
    actor.require(Right.OPERATE)
    summary = catalog.get_config(actor, profile, config).summary
    made = None
    if request.method == "POST":
        made = _made(checks.check_config(actor, profile, config))
    context = {"config": summary, "made": made}
    return render(request, RESULTS if request.htmx else PAGE, context)


def made_of_draft(actor: Actor, profile: str, name: str, sides: Sides, asked: str) -> CheckView:
    """Test what stands in the editor, and answer what was found or why nothing was.

    ``asked`` is one part of the configuration, or ``all``. Raises NotAllowed; ConfigInvalid for another.
    """
    if asked != ALL and asked not in list(CheckPart):
        raise ConfigInvalid("test", f"{asked!r} is no part of a configuration: {', '.join(PART_TITLES)}")
    if sides.stuck:
        words = "The form and the TOML do not agree: say first which of them counts."
        return CheckView(timezone.now(), trouble=words)
    parts = checks.EVERYTHING if asked == ALL else (CheckPart(asked),)
    return _made(checks.check_draft(actor, profile, name, sides.made, parts))


def _made(check: Coroutine[Any, Any, CheckedParts]) -> CheckView:
    """What a test found, or why it could not be made. Raises NotAllowed, NotFound."""

    async def wait() -> CheckedParts:
        return await check

    try:
        found = async_to_sync(wait)()
    except (NotAllowed, NotFound):
        raise
    except FossulError as error:
        return CheckView(timezone.now(), trouble=str(error))
    return check_view(found, timezone.now())


def answer_of_draft(request: HtmxHttpRequest, made: CheckView) -> HttpResponse:
    """The findings alone, for htmx."""
    return render(request, RESULTS, {"made": made, "fields": True})
