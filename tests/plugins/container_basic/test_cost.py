"""What a large backup costs, and what becomes of it when the network goes away."""

import asyncio
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.faults import FaultProxy
from tests.plugins.container_basic.conftest import PodStorage
from workflows_app.domain.errors import PluginFailed

MIB = 1024 * 1024


def peak_of(pod: PodStorage, number: int) -> int:
    """The most memory that the backup of a run has, in MiB."""
    program = [sys.executable, "-m", "tests.plugins.container_basic.one_backup"]
    arguments = [str(pod.server.kubeconfig()), str(pod.source), str(pod.destination), str(number)]
    told = subprocess.run(
        [*program, *arguments],
        capture_output=True,
        text=True,
        check=True,
        cwd=Path(__file__).parents[3],
        timeout=120,
    )
    return int(told.stdout) // 1024


def test_memory_does_not_grow_with_the_size(pod: PodStorage) -> None:
    (pod.source / "file").write_bytes(b"small")
    small = peak_of(pod, 1)
    with (pod.source / "file").open("wb") as file:
        for _ in range(200):
            file.write(os.urandom(MIB))
    large = peak_of(pod, 2)
    (archive,) = pod.folder.glob("shop-daily-2-*/*.tar.zst")
    assert archive.stat().st_size > 200 * MIB
    assert large - small < 60


@pytest.mark.asyncio
async def test_a_network_that_goes_away_in_the_middle_leaves_no_backup(pod: PodStorage) -> None:
    (pod.source / "file").write_bytes(os.urandom(40 * MIB))
    async with FaultProxy(pod.server.port).running() as proxy:
        config = pod.server.kubeconfig(server=f"http://127.0.0.1:{proxy.port}")
        call = pod.call(KubeConfig=str(config), BandwidthLimit="16M")
        running = asyncio.create_task(asyncio.to_thread(pod.storage.backup, call.context))
        async with asyncio.timeout(30):
            while not any(report.done_bytes > MIB for report in call.reports):
                await asyncio.sleep(0.01)
        proxy.go_away()
        with pytest.raises(PluginFailed, match="broke before the command had ended"):
            await running
    assert pod.kept() == []
