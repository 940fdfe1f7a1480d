"""The first start and those after it, by the command that `make run` uses."""

import os
import re
import socket
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from django.contrib.auth.models import User

from workflows_app.services.people import accounts
from workflows_app.services.people.permissions import Right, actor_of
from workflows_app.services.setup import static_files
from workflows_app.services.setup.setup import ensure_secret_key, url

ROOT = Path(__file__).resolve().parents[2]


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port: int = probe.getsockname()[1]
        return port


def manage(var: Path, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    ports = {"PORT": str(free_port()), "TEMPORAL_ADDRESS": f"127.0.0.1:{free_port()}"}
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("DJANGO_")}
    return subprocess.run(
        [sys.executable, "manage.py", *arguments],
        cwd=ROOT,
        env=inherited | ports | {"FOSSUL_VAR_DIR": str(var)} | environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


def ask(var: Path, expression: str) -> str:
    """What the dashboard's own database answers."""
    imports = "from django.contrib.auth import authenticate; from workflows_app.models import *"
    done = manage(var, "shell", "-v0", "-c", f"{imports}; print({expression})")
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def test_the_first_start_makes_everything_and_later_ones_leave_it_alone(tmp_path: Path) -> None:
    var = tmp_path / "var"
    first = manage(var, "prepare", PORT="18765")
    assert (first.returncode, first.stderr) == (0, "")
    assert "http://127.0.0.1:18765/" in first.stdout
    password = re.search(r"Password +(\S+)\n", first.stdout)
    assert password
    assert var.stat().st_mode & 0o777 == 0o700
    assert (var / "secret_key").stat().st_mode & 0o777 == 0o600
    assert (var / "static" / "staticfiles.json").is_file()
    key = (var / "secret_key").read_text()
    login = f"authenticate(username='admin', password={password[1]!r})"
    assert ask(var, login) == "admin"
    assert ask(var, "str(BackupConfig.objects.get())") == "demo/files"
    ask(var, "BackupConfig.objects.all().delete(), Profile.objects.all().delete()")

    second = manage(var, "prepare")
    assert (second.returncode, second.stderr) == (0, "")
    assert password[1] not in second.stdout
    assert "changepassword admin" in second.stdout
    assert (var / "secret_key").read_text() == key
    assert ask(var, "Profile.objects.count()") == "0", "a demo that was deleted came back"


def test_a_given_password_is_set_and_not_printed_and_the_demo_can_be_left_out(tmp_path: Path) -> None:
    done = manage(tmp_path, "prepare", FOSSUL_ADMIN_PASSWORD="of the day", FOSSUL_DEMO="false")
    assert (done.returncode, done.stderr) == (0, "")
    assert "of the day" not in done.stdout
    assert ask(tmp_path, "Profile.objects.count()") == "0"
    assert not (tmp_path / "demo").exists()


@pytest.mark.parametrize("name", ["PORT", "TEMPORAL_ADDRESS"])
def test_a_taken_port_is_one_line_and_nothing_is_made(tmp_path: Path, name: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        value = port if name == "PORT" else f"127.0.0.1:{port}"
        done = manage(tmp_path, "prepare", **{name: value})
    assert (done.returncode, done.stdout) == (1, "")
    assert re.fullmatch(rf"Something already listens on 127\.0\.0\.1:{port}, .*{name}=\S+\.\n", done.stderr)
    assert list(tmp_path.iterdir()) == []


def test_a_temporal_elsewhere_needs_no_port_here(tmp_path: Path) -> None:
    done = manage(tmp_path, "prepare", TEMPORAL_ADDRESS="temporal.example.org:7233", FOSSUL_DEMO="false")
    assert (done.returncode, done.stderr) == (0, "")


def test_a_folder_that_cannot_be_written_to_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    done = manage(tmp_path / "file" / "var", "prepare")
    assert (done.returncode, done.stdout) == (1, "")
    assert re.fullmatch(r"The folder .*/file/var cannot be written to .*\n", done.stderr)


def test_a_database_that_cannot_be_used_is_one_line_without_its_password(tmp_path: Path) -> None:
    address = f"postgres://fossul:hunter2@127.0.0.1:{free_port()}/fossul"
    done = manage(tmp_path, "prepare", DATABASE_URL=address)
    assert (done.returncode, done.stdout) == (1, "")
    assert re.fullmatch(r"The database cannot be used: .*\n", done.stderr)
    assert "hunter2" not in done.stderr


def test_processes_that_begin_together_get_one_key(tmp_path: Path) -> None:
    keys: list[str] = []
    barrier = threading.Barrier(8)

    def begin() -> None:
        barrier.wait()
        keys.append(ensure_secret_key(tmp_path / "secret_key"))

    threads = [threading.Thread(target=begin) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(keys) == 8
    assert len(set(keys)) == 1
    assert len(keys[0]) >= 50
    assert [path.name for path in tmp_path.iterdir()] == ["secret_key"]


@pytest.mark.parametrize(
    ("host", "address"),
    [
        ("127.0.0.1", "http://127.0.0.1:8000/"),
        ("0.0.0.0", "http://127.0.0.1:8000/"),  # noqa: S104
        ("::1", "http://[::1]:8000/"),
    ],
)
def test_the_address_is_one_that_a_browser_can_open(settings, host: str, address: str) -> None:
    settings.HOST, settings.PORT = host, 8000
    assert url() == address


@pytest.mark.django_db
def test_the_administrator_has_all_rights_by_the_group_alone() -> None:
    accounts.ensure_groups()
    account = accounts.ensure_admin("")
    admin = User.objects.get(username="admin")
    assert account
    assert admin.check_password(account.generated)
    assert not admin.is_superuser
    assert actor_of(admin).rights == frozenset(Right)


@pytest.mark.django_db
def test_a_given_password_replaces_the_stored_one_and_an_absent_one_does_not() -> None:
    accounts.ensure_groups()
    accounts.ensure_admin("first")
    accounts.ensure_admin("second")
    stored = User.objects.get(username="admin").password
    assert User.objects.get(username="admin").check_password("second")
    assert accounts.ensure_admin("second") == accounts.AdminAccount("admin")
    assert accounts.ensure_admin("") == accounts.AdminAccount("admin")
    assert User.objects.get(username="admin").password == stored


@pytest.mark.django_db
def test_an_administrator_who_was_removed_does_not_come_back() -> None:
    accounts.ensure_groups()
    User.objects.create_user("ada")
    assert accounts.ensure_admin("") is None
    assert accounts.ensure_admin("asked for") == accounts.AdminAccount("admin")


def test_static_files_are_gathered_when_they_differ_and_not_otherwise(settings, tmp_path: Path) -> None:
    source = tmp_path / "source"
    source.mkdir()
    (source / "app.css").write_text("a{}")
    (source / "old.css").write_text("b{}")
    settings.STATICFILES_DIRS = [source]
    settings.FOSSUL_VAR_DIR, settings.STATIC_ROOT = tmp_path, tmp_path / "static"
    assert static_files.collect()
    assert not static_files.collect()
    (source / "app.css").write_text("c{}")
    (source / "old.css").unlink()
    assert static_files.collect()
    assert (tmp_path / "static" / "app.css").read_text() == "c{}"
    assert not (tmp_path / "static" / "old.css").exists()
