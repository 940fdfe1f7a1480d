"""What is alike of all plugins of databases whose server is in a pod: they refuse, check, and leave nothing.

Each test says of its own plugin what differs: parameters, programs, and what the server's own words are.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Protocol

import pytest

from tests.plugins.databases.calls import Calls
from tests.plugins.databases.pods import commands, leave_programs_alone
from tests.plugins.findings import bad
from tests.plugins.kubernetes.api_server import ApiServer, ready_pod
from tests.plugins.postgres.waiting import Attempt, until
from workflows_app.domain.errors import Cancelled, ConfigInvalid, PluginFailed
from workflows_app.domain.findings import Finding
from workflows_app.domain.results import Result
from workflows_app.plugins.base import PluginContext

WRONG = "wrong-password"

# What a check tells of a pod in which programs run.
POD_LACKS = [
    ({"PodSelector": "web"}, "PodSelector", "There is no pod with 'web' in the name"),
    ({"ContainerName": "other"}, "PodSelector", "has no container 'other'"),
]


class DatabasePlugin(Protocol):
    """As much of an app plugin as is called here."""

    def quiesce(self, context: PluginContext) -> Result: ...

    def check(self, context: PluginContext) -> tuple[Finding, ...]: ...


def refused(plugin: DatabasePlugin, calls: Calls, change: dict[str, str], field: str) -> str:
    """Quiesce is refused by ``field`` for a change of the parameters; answers with what words."""
    with pytest.raises(ConfigInvalid) as refusal:
        plugin.quiesce(calls.context(**change))
    assert refusal.value.field == field
    return str(refusal.value)


def failed(plugin: DatabasePlugin, calls: Calls, **change: str) -> str:
    """Quiesce fails; answers with what words, in which no wrong password is."""
    with pytest.raises(PluginFailed) as failure:
        plugin.quiesce(calls.context(**change))
    assert WRONG not in str(failure.value)
    return str(failure.value)


def checked(plugin: DatabasePlugin, calls: Calls, change: dict[str, str], parameter: str, opens: str) -> str:
    """What the check finds bad of ``parameter``; of a pod that is not fit once, not also at ``opens``."""
    found = plugin.check(calls.context(**change))
    assert WRONG not in bad(found)
    assert parameter != "PodSelector" or bad(found, opens) == "", "said once"
    return bad(found, parameter)


def keeps_secret(calls: Calls, pod: ApiServer, password: str, program: str) -> None:
    """``program`` ran in the pod, and the password was in no argument and no line."""
    assert any(program in argument for command in commands(pod) for argument in command)
    assert password not in str(pod.execs)
    assert password not in str(calls.said)


def keeps_nothing_of_a_broken_dump(
    plugin: DatabasePlugin, calls: Calls, pod: ApiServer, after: int, folder: Path
) -> None:
    """The connection to the pod breaks ``after`` so many bytes; ``folder`` is that of the configuration."""
    pod.break_after = after
    why = failed(plugin, calls)
    assert "broke before the command had ended" in why
    assert "nothing is kept of it" in why
    assert list(folder.iterdir()) == []


def ends_in_the_pod_with_a_cancel(
    plugin: DatabasePlugin, calls: Calls, pod: ApiServer, waiting: Callable[[], object]
) -> None:
    """A dump that is ``waiting`` for a lock has nothing to write, by which it would notice."""
    leave_programs_alone(pod)
    attempt = Attempt(lambda: plugin.quiesce(calls.context()))
    until(lambda: bool(waiting()))
    calls.cancel()
    assert isinstance(attempt.join(), Cancelled)
    until(lambda: not waiting())
    calls.go_on()


def needs_no_container(plugin: DatabasePlugin, calls: Calls, pod: ApiServer) -> None:
    """A port is the pod's, whichever of its containers listens."""
    pod.pods["shop"] = [ready_pod("db-0", containers=("server", "metrics"))]
    assert plugin.quiesce(calls.context()).code == 0


def is_told_what_the_cluster_forbids(plugin: DatabasePlugin, calls: Calls, pod: ApiServer) -> None:
    """The worker may not forward a port."""
    pod.denied.add(("create", "pods/portforward"))
    assert "'create' on 'pods/portforward'" in failed(plugin, calls)
