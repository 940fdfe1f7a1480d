"""The sockets."""

from django.urls import path

from workflows_app.web.consumers import RunConsumer

# Django's stubs know views only; channels takes an ASGI application in the place of one.
websocket_urlpatterns = [path("ws/runs/<int:number>/", RunConsumer.as_asgi())]  # type: ignore[arg-type]
