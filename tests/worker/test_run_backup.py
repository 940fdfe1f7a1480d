"""``manage.py run_backup`` in a process of its own: what it prints where, and its exit code."""

import asyncio
import json
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest
from asgiref.sync import sync_to_async
from django.conf import settings

from tests.factories import make_catalog
from tests.worker.processes import ROOT, told_environment
from workflows_app.models import BackupConfig, Run

pytestmark = pytest.mark.django_db(transaction=True)

catalog = sync_to_async(make_catalog)


@dataclass(frozen=True)
class Printed:
    """What the command left behind."""

    code: int
    stdout: str
    stderr: str


async def run_backup(folder: Path, config: BackupConfig, *arguments: str, **environment: str) -> Printed:
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "manage.py",
        "run_backup",
        config.profile.name,
        config.name,
        *arguments,
        cwd=ROOT,
        env=told_environment(settings.TEMPORAL_ADDRESS, settings.TEMPORAL_TASK_QUEUE, folder) | environment,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    stdout, stderr = await asyncio.wait_for(process.communicate(), 40)
    assert process.returncode is not None
    return Printed(process.returncode, stdout.decode(), stderr.decode())


async def test_a_backup_that_completes_prints_fossuls_result_and_ends_with_0(worker, tmp_path):
    printed = await run_backup(tmp_path, await catalog(), "--policy", "daily")
    assert printed.code == 0, printed.stderr
    (only,) = json.loads(printed.stdout)
    assert set(only) == {"workflow", "result"}
    assert only["workflow"]["status"] == "COMPLETED"
    assert {step["status"] for step in only["workflow"]["steps"]} == {"COMPLETE"}
    assert only["workflow"]["steps"][0]["label"] == "Step 0"
    assert {"time", "level", "message"} == set(only["result"]["messages"][0])
    assert "[INFO]" not in printed.stderr, "it was not asked to follow"


async def test_following_prints_the_messages_to_stderr_alone(worker, tmp_path):
    config = await catalog(preAppQuiesceCmd="echo,a line to follow")
    printed = await run_backup(tmp_path, config, "--policy", "daily", "--follow")
    assert printed.code == 0, printed.stderr
    assert "[INFO] a line to follow" in printed.stderr
    assert json.loads(printed.stdout)[0]["workflow"]["status"] == "COMPLETED"


async def test_what_a_step_prints_steers_no_terminal(worker, tmp_path):
    config = await catalog(preAppQuiesceCmd=r"printf,\033]0;a title\007\033[31mred\033[0m\010.")
    printed = await run_backup(tmp_path, config, "--policy", "daily", "--follow")
    assert r"[INFO] red\x08." in printed.stderr
    assert "\x1b" not in printed.stderr


async def test_a_backup_that_fails_prints_its_result_and_ends_with_1(worker, tmp_path):
    printed = await run_backup(tmp_path, await catalog(backupCreateCmd="false"), "--policy", "daily")
    assert printed.code == 1
    (only,) = json.loads(printed.stdout)
    assert only["workflow"]["status"] == "ERROR"
    assert only["result"]["code"] == 1


@pytest.mark.parametrize(
    ("policy", "address", "words"),
    [("hourly", "", "has no policy 'hourly'"), ("daily", "127.0.0.1:1", "The backup was not started")],
)
async def test_a_backup_that_cannot_start_says_why_and_ends_with_2(
    temporal_settings, tmp_path, policy, address, words
):
    elsewhere = {"TEMPORAL_ADDRESS": address} if address else {}
    printed = await run_backup(tmp_path, await catalog(), "--policy", policy, **elsewhere)
    assert printed.code == 2
    assert words in printed.stderr
    assert printed.stdout == ""
    assert "Traceback" not in printed.stderr
    assert await Run.objects.acount() == 0
