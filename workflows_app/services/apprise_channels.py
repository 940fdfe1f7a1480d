"""Notices to the hundred other services that Apprise knows (https://github.com/caronc/apprise)."""

import logging

import apprise
from apprise import AppriseAsset, NotifyType
from apprise.plugins.base import NotifyBase

from workflows_app.domain.errors import ConfigInvalid
from workflows_app.domain.notices import Notice, NoticeEvent
from workflows_app.domain.redelivery import NotSent
from workflows_app.services.outbound import reach

_TYPES = {
    NoticeEvent.ALERT: NotifyType.FAILURE,
    NoticeEvent.REMINDER: NotifyType.WARNING,
    NoticeEvent.RECOVERY: NotifyType.SUCCESS,
    NoticeEvent.RUN_SUCCEEDED: NotifyType.SUCCESS,
    NoticeEvent.RUN_FAILED: NotifyType.FAILURE,
}
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


def send_by_apprise(url: str, notice: Notice) -> None:
    """Send a notice. Raises NotSent; the caller takes what is secret out of its words."""
    try:
        service = service_of(url)
    except ConfigInvalid as error:
        raise NotSent(error.reason, again=False) from None
    # Where others have a host some services have a token, which is nothing to be looked up.
    templates: tuple[str, ...] = service.templates
    if any("{host}" in template for template in templates):
        port = service.port if isinstance(service.port, int) else 443
        reach(str(service.host).strip("[]"), port)
    with apprise.LogCapture(level=logging.WARNING, fmt="%(message)s") as captured:  # type: ignore[no-untyped-call]
        sent = service.notify(
            title=notice.title,
            body=notice.text or notice.title,
            notify_type=_TYPES.get(notice.event, NotifyType.INFO),
        )
        said = " ".join(captured.getvalue().split())
    if not sent:
        raise NotSent(f"{service.service_name} did not take it. {said}".strip(), again=True)
