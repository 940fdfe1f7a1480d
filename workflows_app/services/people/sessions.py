"""Who a session belongs to now: for sockets, which outlive the request that opened them."""

from importlib import import_module

from django.conf import settings
from django.contrib.auth import get_user
from django.http import HttpRequest

from workflows_app.models.connections import drop_broken_connections
from workflows_app.services.people.permissions import NOBODY, Actor, actor_of


def actor_of_session(session_key: str | None) -> Actor:
    """Answer the actor whose session it is at this moment: nobody once it ended or the user was barred."""
    if not session_key:
        return NOBODY
    drop_broken_connections()
    request = HttpRequest()
    request.session = import_module(settings.SESSION_ENGINE).SessionStore(session_key)
    return actor_of(get_user(request))
