"""The web server's application: pages over HTTP, live runs over sockets."""

import os

from django.core.asgi import get_asgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "fossul_dashboard.settings")
# Django first: the consumers' models need its app registry (channels docs, deploying).
django_application = get_asgi_application()

from channels.routing import ProtocolTypeRouter, URLRouter  # noqa: E402
from channels.security.websocket import AllowedHostsOriginValidator  # noqa: E402
from channels.sessions import SessionMiddlewareStack  # noqa: E402

from workflows_app.web.middleware.body_limits import BodyLimit  # noqa: E402
from workflows_app.web.routing import websocket_urlpatterns  # noqa: E402

_sockets = URLRouter(websocket_urlpatterns)  # type: ignore[arg-type]  # the stubs lag behind
application = ProtocolTypeRouter(
    {
        "http": BodyLimit(django_application),
        "websocket": AllowedHostsOriginValidator(SessionMiddlewareStack(_sockets)),
    }
)
