"""The commands for configuration files, in processes of their own: what they print, and their exit codes."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.factories import make_catalog
from tests.worker.processes import ROOT, told_environment
from workflows_app.models import BackupConfig
from workflows_app.services.configurations.secrets import opened_settings

pytestmark = pytest.mark.django_db(transaction=True)


def manage(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    environment = told_environment("127.0.0.1:1", "none", folder)
    return subprocess.run(
        [sys.executable, "manage.py", *arguments],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        timeout=60,
    )


def test_from_the_database_to_files_and_back(tmp_path):
    config = make_catalog(appPlugin="sample-app", appPluginParameters={"Password": "hunter2", "A": "b c"})
    out = tmp_path / "out"
    exported = manage(tmp_path, "export_configs", str(out))
    assert exported.returncode == 0, exported.stderr
    assert "AppPluginParameters.Password" in exported.stdout

    assert manage(tmp_path, "apply", str(out), "--plan").returncode == 0
    main = out / str(config) / f"{config.name}.conf"
    main.write_text(main.read_text().replace("JobRetention = 0", "JobRetention = 9"))
    plan = manage(tmp_path, "apply", str(out), "--plan")
    assert plan.returncode == 2, plan.stderr
    assert "-JobRetention = 0\n    +JobRetention = 9" in plan.stdout
    assert BackupConfig.objects.get().settings == config.settings

    imported = manage(tmp_path, "import_configs", str(out))
    assert imported.returncode == 0, imported.stderr
    assert f"{config}  changed" in imported.stdout
    row = BackupConfig.objects.get()
    assert row.settings["jobRetention"] == 9
    parameters = opened_settings(row.settings)["appPluginParameters"]
    assert parameters == {"Password": "hunter2", "A": "b c"}
    assert manage(tmp_path, "apply", str(out), "--plan").returncode == 0
    for printed in (exported, plan, imported):
        assert "hunter2" not in printed.stdout + printed.stderr


@pytest.mark.parametrize(
    ("command", "code"),
    [("import_configs", 1), ("apply", 1), ("apply --plan", 1), ("import_configs --nonsense", 2)],
)
def test_what_is_refused_is_told_with_its_file_and_an_exit_code(tmp_path, command, code):
    file = tmp_path / "in" / "p" / "c" / "c.conf"
    file.parent.mkdir(parents=True)
    file.write_text("JobRetention = 5.5")
    name, *options = command.split()
    printed = manage(tmp_path, name, str(tmp_path / "in"), *options)
    assert printed.returncode == code
    assert "Traceback" not in printed.stderr
    if code == 1:
        assert "p/c/c.conf  refused: JobRetention: it must be a whole number" in printed.stdout
    assert not BackupConfig.objects.exists()


def test_what_would_steer_a_terminal_is_not_printed_as_it_is(tmp_path):
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "x\x1b[2J").touch()
    printed = manage(tmp_path, "import_configs", str(tmp_path / "in"))
    assert printed.returncode == 0
    assert r"x\x1b[2J" in printed.stdout
