"""What the tests of Kubernetes share: a server, and calls of plugins that ask it."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from tests.plugins.cancelling import CancelSwitch
from tests.plugins.kubernetes.api_server import ApiServer, ready_pod
from workflows_app.domain.config import Config
from workflows_app.domain.results import Level
from workflows_app.plugins.base import PluginContext, Report
from workflows_app.plugins.kubernetes.client import Cluster, connect


@dataclass
class ClusterCall:
    """One call: its context, what was said and reported, and a way to cancel it."""

    parameters: dict[str, str]
    config: Config = field(default_factory=Config)
    said: list[tuple[Level, str]] = field(default_factory=list)
    reports: list[Report] = field(default_factory=list)
    on_line: Callable[[str], None] = lambda text: None

    def __post_init__(self) -> None:
        self._switch = CancelSwitch()
        self.context = PluginContext(
            config=self.config,
            parameters=self.parameters,
            say=self._say,
            report=self.reports.append,
            cancelled=self._switch.cancelled,
            on_cancel=self._switch.on_cancel,
        )

    def cancel(self) -> None:
        self._switch.cancel()

    def lines(self, level: Level = Level.INFO) -> list[str]:
        return [text for said, text in self.said if said == level]

    def _say(self, level: Level, text: str) -> None:
        self.said.append((level, text))
        self.on_line(text)


@pytest.fixture
def server(tmp_path: Path) -> Iterator[ApiServer]:
    """A server with the pod ``db-0`` in the namespace ``shop``."""
    folder = tmp_path / "cluster"
    folder.mkdir()
    made = ApiServer(folder)
    made.add("shop", ready_pod("db-0", labels={"app": "db"}))
    with made.running():
        yield made


@pytest.fixture
def cluster_call(server: ApiServer) -> Callable[..., ClusterCall]:
    """Make a call with parameters that lead to the server."""

    def make(**parameters: str) -> ClusterCall:
        given = {"Namespace": "shop", "PodSelector": "db", "KubeConfig": str(server.kubeconfig())}
        return ClusterCall(given | parameters)

    return make


@pytest.fixture
def cluster(cluster_call: Callable[..., ClusterCall]) -> Iterator[Cluster]:
    """The cluster of the server."""
    found = connect(cluster_call().context)
    yield found
    found.close()
