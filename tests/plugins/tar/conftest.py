"""What the tests of ``tar`` share: the pod of the tests of ``container-basic``."""

from pathlib import Path

import pytest

from tests.plugins.container_basic.conftest import PodStorage, pod_server
from tests.plugins.kubernetes.api_server import ApiServer
from workflows_app.plugins.tar.plugin import TarStorage

__all__ = ["pod_server"]


@pytest.fixture
def tar_pod(tmp_path: Path, pod_server: ApiServer, monkeypatch: pytest.MonkeyPatch) -> PodStorage:
    """A pod whose backups lie where Fossul's ``tar`` has them: below the folder that the worker runs in."""
    work = tmp_path / "work"
    work.mkdir()
    monkeypatch.chdir(work)
    pod = PodStorage(tmp_path, pod_server, TarStorage())
    pod.folder = work / "data" / "backups" / "test" / "shop"
    return pod
