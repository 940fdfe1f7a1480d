"""Notices to the hundred other services that Apprise knows, each sent by a process that cannot hang."""

import json
import signal
import subprocess
import sys
from collections.abc import Mapping

from apprise import NotifyType
from django.conf import settings

from workflows_app.domain.errors import ConfigInvalid
from workflows_app.domain.notices.notices import Notice, NoticeEvent
from workflows_app.domain.notices.redelivery import NotSent
from workflows_app.services.notices.apprise_services import service_of
from workflows_app.services.notices.outbound import reach
from workflows_app.services.notices.time_limits import TimeLimit

WHOLE_SECONDS = 60
"""How long all of it may take; what has not ended by then is killed."""
_PATIENCE_SECONDS = 5

_TYPES = {
    NoticeEvent.ALERT: NotifyType.FAILURE,
    NoticeEvent.REMINDER: NotifyType.WARNING,
    NoticeEvent.RECOVERY: NotifyType.SUCCESS,
    NoticeEvent.RUN_SUCCEEDED: NotifyType.SUCCESS,
    NoticeEvent.RUN_FAILED: NotifyType.FAILURE,
}


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
        with TimeLimit(WHOLE_SECONDS) as limit:
            reach(str(service.host).strip("[]"), port, limit)
    given = {
        "url": url,
        "title": notice.title,
        "body": notice.text or notice.title,
        "type": _TYPES.get(notice.event, NotifyType.INFO).value,
        "seconds": WHOLE_SECONDS,
    }
    _send_in_process(str(service.service_name), given)


def _send_in_process(name: str, given: Mapping[str, object]) -> None:
    """Have another process send; what it is given has secrets, so it reads that instead of being told."""
    argv = [sys.executable, "-m", "workflows_app.services.notices.apprise_process"]
    late = f"{name} took longer than {WHOLE_SECONDS} s."
    try:
        ended = subprocess.run(  # noqa: S603 - a list of arguments and no shell
            argv,
            input=json.dumps(dict(given)).encode(),
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            cwd=settings.BASE_DIR,
            timeout=WHOLE_SECONDS + _PATIENCE_SECONDS,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise NotSent(late, again=True) from None
    if ended.returncode == -signal.SIGALRM:
        raise NotSent(late, again=True)
    if ended.returncode:
        raise NotSent(f"Sending to {name} broke, with exit code {ended.returncode}.", again=True)
    told = json.loads(ended.stdout.splitlines()[-1])
    if not told["sent"]:
        raise NotSent(f"{name} did not take it. {told['said']}".strip(), again=True)
