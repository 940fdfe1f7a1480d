"""What every page knows: who looks, what they may do, and whether Temporal answers."""

from django.http import HttpRequest

from workflows_app.services.people.permissions import Right, actor_of
from workflows_app.services.temporal.health import temporal_trouble

_SECTIONS = {
    "overview": "overview",
    "profiles": "profiles",
    "profile": "profiles",
    "config": "profiles",
    "start-backup": "profiles",
    "restore-points": "profiles",
    "restore-point": "profiles",
    "point-files": "profiles",
    "retention": "profiles",
    "restore": "profiles",
    "plan": "profiles",
    "edit-config": "profiles",
    "manage-config": "profiles",
    "config-history": "profiles",
    "go-back": "profiles",
    "new-profile": "profiles",
    "edit-profile": "profiles",
    "new-config": "profiles",
    "config-files": "profiles",
    "plan-import": "profiles",
    "apply-import": "profiles",
    "new-schedule": "schedules",
    "schedules": "schedules",
    "schedule": "schedules",
    "edit-schedule": "schedules",
    "notifications": "settings",
    "new-channel": "settings",
    "channel": "settings",
    "workers": "workers",
    "audit": "audit",
    "runs": "runs",
    "run": "runs",
    "log-search": "runs",
    "log-window": "runs",
    "log-line": "runs",
}


def page(request: HttpRequest) -> dict[str, object]:
    """Answer the page's common context. Cheap: Temporal is asked at most every two seconds, for all pages."""
    user = getattr(request, "user", None)
    if user is None or not user.is_authenticated:
        return {}
    actor = actor_of(user)
    match = request.resolver_match
    return {
        "actor": actor,
        "may_operate": actor.may(Right.OPERATE),
        "may_configure": actor.may(Right.CONFIGURE),
        "section": _SECTIONS.get(match.url_name or "", "") if match else "",
        "temporal_trouble": temporal_trouble() if actor.may(Right.VIEW) else "",
    }
