"""Restore points of a configuration: the list, and one of them with all that can be done with it."""

from asgiref.sync import async_to_sync
from django.core.paginator import Paginator
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_POST, require_safe

from workflows_app.domain.errors import FossulError
from workflows_app.domain.restore_points import Ability, Presence
from workflows_app.services.configurations import catalog
from workflows_app.services.people.permissions import actor_of
from workflows_app.services.points import deletions, holds, restore_points, verifications
from workflows_app.web.pages.point_views import check_status, point_row
from workflows_app.web.views.errors import HtmxHttpRequest, answers_errors, status_of

PER_PAGE = 100


@require_safe
@answers_errors
def point_list(request: HtmxHttpRequest, profile: str, config: str) -> HttpResponse:
    """Show the restore points; what cannot be found out is said, and is unknown."""
    actor = actor_of(request.user)
    summary = catalog.get_config(actor, profile, config).summary
    found = async_to_sync(restore_points.list_points)(actor, profile, config)
    policies = sorted({point.backup.policy for point in found.points if point.backup.policy})
    policy = request.GET.get("policy", "")
    fitting = [p for p in found.points if policy in ("", p.backup.policy)]
    page = Paginator(fitting, PER_PAGE).get_page(request.GET.get("page"))
    context = {
        "config": summary,
        "found": found,
        "rows": [point_row(point) for point in page],
        "page": page,
        "policies": policies,
        "kept": [kept.name for kept in summary.policies],
        "policy": policy,
        "total": len(fitting),
        "missing": sum(point.presence is Presence.MISSING for point in found.points),
        "fetches": found.can(Ability.FETCH),
    }
    code = 503 if found.trouble else 200
    return render(request, "workflows_app/restore_points.html", context, status=code)


@require_safe
@answers_errors
def point_detail(request: HtmxHttpRequest, profile: str, config: str, backup: str) -> HttpResponse:
    """Show one restore point."""
    return _point_page(request, profile, config, backup)


@require_safe
@answers_errors
def point_check(request: HtmxHttpRequest, profile: str, config: str, backup: str) -> HttpResponse:
    """Show how the verification of a restore point goes: the part of its page that asks again by itself."""
    actor = actor_of(request.user)
    check = async_to_sync(verifications.get_check)(actor, profile, config, backup)
    context = {
        "config": catalog.get_config(actor, profile, config).summary,
        "name": backup,
        "check": check,
        "check_status": check_status(check) if check else None,
    }
    return render(request, "workflows_app/restore_point.html#check", context)


@require_POST
@answers_errors
def hold(request: HtmxHttpRequest, profile: str, config: str, backup: str) -> HttpResponse:
    """Hold the restore point for the reason given."""
    reason = request.POST.get("reason", "")
    try:
        async_to_sync(restore_points.hold_point)(actor_of(request.user), profile, config, backup, reason)
    except FossulError as error:
        return _refused(request, profile, config, backup, error)
    return redirect("restore-point", profile, config, backup)


@require_POST
@answers_errors
def release(request: HtmxHttpRequest, profile: str, config: str, backup: str) -> HttpResponse:
    """Release the hold."""
    holds.release(actor_of(request.user), profile, config, backup)
    return redirect("restore-point", profile, config, backup)


@require_POST
@answers_errors
def verify(request: HtmxHttpRequest, profile: str, config: str, backup: str) -> HttpResponse:
    """Let a worker verify the restore point now."""
    try:
        async_to_sync(restore_points.verify_point)(actor_of(request.user), profile, config, backup)
    except FossulError as error:
        return _refused(request, profile, config, backup, error)
    return redirect("restore-point", profile, config, backup)


@require_POST
@answers_errors
def cancel_verification(request: HtmxHttpRequest, profile: str, config: str, backup: str) -> HttpResponse:
    """Ask the verification to end."""
    async_to_sync(verifications.cancel)(actor_of(request.user), profile, config, backup)
    return redirect("restore-point", profile, config, backup)


@require_POST
@answers_errors
def delete(request: HtmxHttpRequest, profile: str, config: str, backup: str) -> HttpResponse:
    """Delete the restore point for good, when its name was typed."""
    confirmation = request.POST.get("confirmation", "").strip()
    actor = actor_of(request.user)
    try:
        async_to_sync(deletions.delete_point)(actor, profile, config, backup, confirmation)
    except FossulError as error:
        return _refused(request, profile, config, backup, error)
    return redirect("restore-points", profile, config)


def _refused(
    request: HtmxHttpRequest, profile: str, config: str, backup: str, refusal: FossulError
) -> HttpResponse:
    """The restore point's page with why not; for one without a page the error goes on."""
    code, _ = status_of(refusal)
    if code in (403, 404, 503):
        raise refusal
    return _point_page(request, profile, config, backup, refusal)


def _point_page(
    request: HtmxHttpRequest, profile: str, config: str, backup: str, refusal: FossulError | None = None
) -> HttpResponse:
    actor = actor_of(request.user)
    found, point = async_to_sync(restore_points.get_point)(actor, profile, config, backup)
    newest = next((p for p in found.points if p.present and p.backup.policy == point.backup.policy), None)
    # One that no run reported may be in the archives alone.
    nowhere = point.presence is Presence.UNKNOWN and point.run is None
    unasked = found.trouble or (found.archive_trouble if nowhere else "")
    code, title = status_of(refusal) if refusal else (503 if unasked else 200, "")
    summary = catalog.get_config(actor, profile, config).summary
    context = {
        "config": summary,
        "unkept": bool(point.backup.policy) and point.backup.policy not in [p.name for p in summary.policies],
        "found": found,
        "row": point_row(point),
        "point": point,
        "name": backup,
        "check": point.check,
        "check_status": check_status(point.check) if point.check else None,
        "newest": newest is point,
        "unasked": unasked,
        "missing": point.presence is Presence.MISSING,
        "can_verify": found.can(Ability.VERIFY) and point.present,
        "can_browse": found.can(Ability.BROWSE) and point.present,
        "can_delete": found.can(Ability.DELETE) and point.present,
        "can_fetch": found.can(Ability.FETCH) and point.archived and not point.present,
        "reason": request.POST.get("reason", ""),
        "refusal": str(refusal or ""),
        "refusal_title": title,
    }
    return render(request, "workflows_app/restore_point.html", context, status=code)
