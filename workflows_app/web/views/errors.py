"""Errors that a service raises, as pages with words."""

from collections.abc import Callable
from functools import wraps
from typing import Concatenate, ParamSpec

from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django_htmx.middleware import HtmxDetails

from workflows_app.domain.errors import (
    ConfigInvalid,
    FossulError,
    NotAllowed,
    NotFound,
    NotNow,
    Outdated,
    PlanRefused,
    PoliciesGone,
    RunAlreadyActive,
    SettingsRefused,
    TemporalUnavailable,
)

P = ParamSpec("P")


class HtmxHttpRequest(HttpRequest):
    """A request, with what htmx said of it."""

    htmx: HtmxDetails


View = Callable[Concatenate[HtmxHttpRequest, P], HttpResponseBase]

_TITLES: tuple[tuple[type[FossulError], int, str], ...] = (
    (NotAllowed, 403, "Not allowed"),
    (NotFound, 404, "Not found"),
    (RunAlreadyActive, 409, "Already running"),
    (NotNow, 409, "Not possible now"),
    (ConfigInvalid, 422, "Refused"),
    (SettingsRefused, 422, "Refused"),
    (PoliciesGone, 409, "A policy would be gone"),
    (Outdated, 409, "Somebody else was here"),
    (PlanRefused, 422, "The plan breaks a rule"),
    (TemporalUnavailable, 503, "Temporal does not answer"),
)


def status_of(error: FossulError) -> tuple[int, str]:
    """Answer the HTTP status of a domain error and a title for it."""
    return next(((code, title) for kind, code, title in _TITLES if isinstance(error, kind)), (400, "Refused"))


def answers_errors(view: View[P]) -> View[P]:
    """Let a view answer the domain errors that it does not catch itself with a page that has their words."""

    @wraps(view)
    def answer(request: HtmxHttpRequest, /, *args: P.args, **kwargs: P.kwargs) -> HttpResponseBase:
        try:
            return view(request, *args, **kwargs)
        except FossulError as error:
            code, title = status_of(error)
            context = {"title": title, "words": str(error), "code": code}
            return render(request, "workflows_app/error.html", context, status=code)

    return answer
