"""The sockets."""

from django.urls import path

from workflows_app.web.live.list_consumer import ListConsumer
from workflows_app.web.live.run_consumer import RunConsumer

# Django's stubs know views only; channels takes an ASGI application in the place of one.
websocket_urlpatterns = [
    path("ws/runs/<int:number>/", RunConsumer.as_asgi()),  # type: ignore[arg-type]
    path("ws/lists/", ListConsumer.as_asgi()),  # type: ignore[arg-type]
]
