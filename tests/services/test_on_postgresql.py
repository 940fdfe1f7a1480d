"""What is asked of the database in its own words, on PostgreSQL: the same tests as on SQLite."""

import os
import subprocess
import sys
from pathlib import Path
from urllib.parse import quote

from tests.plugins.postgres.cluster import PASSWORD, SUPERUSER, running_cluster

FOLDER = Path(__file__).parent
SAME = [
    "test_run_search.py",
    "test_run_changes.py",
    "test_incidents.py",
    "test_bundles.py",
    "test_run_notices.py",
    "test_digests.py",
]


def test_lists_the_search_in_all_messages_and_notices_work_on_postgresql() -> None:
    with running_cluster() as cluster:
        done = subprocess.run(
            [sys.executable, "-m", "pytest", "-q", "--ds=tests.settings_postgresql", *SAME],
            cwd=FOLDER,
            env={
                **os.environ,
                "POSTGRESQL_URL": f"postgresql://{SUPERUSER}:{quote(PASSWORD)}@127.0.0.1:{cluster.port}/postgres",
            },
            capture_output=True,
            text=True,
            timeout=240,
        )
    assert done.returncode == 0, done.stdout + done.stderr
    assert " passed" in done.stdout
