"""The services that addresses of Apprise name (https://github.com/caronc/apprise), those that are refused."""

import logging

import apprise
from apprise import AppriseAsset
from apprise.plugins.base import NotifyBase

from workflows_app.domain.errors import ConfigInvalid

_LOCAL = frozenset(
    {
        "NotifyBlink1",
        "NotifyDBus",
        "NotifyGLib",
        "NotifyGnome",
        "NotifyMacOSX",
        "NotifySyslog",
        "NotifyWindows",
    }
)
"""What shows or writes something on the worker's own machine, under whatever address."""

# What it says of a target is told with the delivery, and not in the log of the worker.
logging.getLogger("apprise").propagate = False


def service_of(url: str) -> NotifyBase:
    """Answer the service that an address of Apprise names.

    Raises ConfigInvalid for ``url``: one that Apprise does not know, or that stays on the worker's own
    machine (the desktop, the system's log), where nobody would read it. The words do not repeat the address.
    """
    asset = AppriseAsset(http_redirects=False, secure_logging=True, async_mode=False)
    with apprise.LogCapture(level=logging.CRITICAL):  # type: ignore[no-untyped-call]
        service = apprise.Apprise.instantiate(url.strip(), asset=asset, suppress_exceptions=True)
    if not isinstance(service, NotifyBase):
        raise ConfigInvalid(
            "url",
            "Apprise cannot read this address: see https://appriseit.com/services/ for the form of each",
        )
    if type(service).__name__ in _LOCAL:
        raise ConfigInvalid(
            "url", f"{service.service_name} stays on the worker's machine: name a service elsewhere"
        )
    return service


def service_name(url: str) -> str:
    """Answer what the service is called. Raises ConfigInvalid as ``service_of``."""
    return str(service_of(url).service_name)
