"""What `make` does on a machine that is not ready yet: requirements/install.sh, and the locks."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
TOO_OLD = "#!/bin/sh\ncase $1 in --version) echo Python 3.9.18;; *) exit 1;; esac\n"


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A checkout with nothing but the requirements, and a folder ``bin`` for the programs of its machine."""
    folder = tmp_path / "check out"
    shutil.copytree(ROOT / "requirements", folder / "requirements")
    (folder / "bin").mkdir()
    for name in ("cat", "cmp", "cp", "dirname", "grep", "head", "id", "rm", "sed"):
        program = shutil.which(name)
        assert program
        (folder / "bin" / name).symlink_to(program)
    return folder


def install(checkout: Path, what: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["/bin/sh", str(checkout / "requirements" / "install.sh"), what],
        env={"PATH": str(checkout / "bin")} | environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


def program(checkout: Path, name: str, text: str) -> Path:
    path = checkout / "bin" / name
    path.write_text(text)
    path.chmod(0o755)
    return path


def installed_venv(checkout: Path, *locks: str) -> Path:
    """A virtual environment, as far as install.sh looks, with these locks installed. Its pip only records."""
    venv = checkout / ".venv"
    (venv / "bin").mkdir(parents=True)
    (venv / "bin" / "pip").write_text(f"#!{venv}/bin/python\n")
    python = venv / "bin" / "python"
    python.write_text(f'#!/bin/sh\n[ "$1" != -m ] || echo "$@" >> "{checkout}/asked"\nexit 0\n')
    python.chmod(0o755)
    for lock in locks:
        shutil.copy(checkout / "requirements" / lock, venv / lock)
    return venv


def test_a_machine_without_a_fitting_python_gets_one_line(checkout: Path) -> None:
    program(checkout, "python3", TOO_OLD)
    done = install(checkout, "run")
    assert (done.returncode, done.stdout) == (1, "")
    assert re.fullmatch(r"No Python 3\.11 or newer was found: .*\n", done.stderr)


def test_a_named_python_that_does_not_fit_is_not_replaced_by_another(checkout: Path) -> None:
    (checkout / "bin" / "python3").symlink_to(sys.executable)
    old = program(checkout, "old", TOO_OLD)
    done = install(checkout, "run", PYTHON=str(old))
    assert done.returncode == 1
    assert done.stderr == f"PYTHON={old} is not a Python 3.11 or newer: it is Python 3.9.18\n"


def test_a_python_without_venv_names_the_package_that_brings_it(checkout: Path) -> None:
    # Says yes to its version and no to ``import venv, ensurepip``, as Debian's does without python3.x-venv.
    text = "#!/bin/sh\ncase $2 in *ensurepip*) exit 1;; *print*) echo python3.12-venv;; esac\n"
    program(checkout, "python3", text)
    done = install(checkout, "run")
    assert done.returncode == 1
    assert re.fullmatch(r"python3 .* install the package python3\.12-venv, .*\n", done.stderr)


def test_what_is_installed_is_not_installed_again(checkout: Path) -> None:
    installed_venv(checkout, "run.txt")
    done = install(checkout, "run")
    assert (done.returncode, done.stderr) == (0, "")
    assert not (checkout / "asked").exists()


def test_a_changed_lock_is_installed_with_hashes(checkout: Path) -> None:
    venv = installed_venv(checkout, "run.txt", "dev.txt")
    with (checkout / "requirements" / "run.txt").open("a") as lock:
        lock.write("# changed\n")
    assert install(checkout, "run").returncode == 0
    assert "--require-hashes -r requirements/run.txt" in (checkout / "asked").read_text()
    assert (venv / "run.txt").read_text().endswith("# changed\n")
    assert not (venv / "dev.txt").exists(), "packages of the development may have been changed"


def test_the_packages_of_the_development_serve_for_running_too(checkout: Path) -> None:
    venv = installed_venv(checkout)
    assert install(checkout, "dev").returncode == 0
    (checkout / "asked").unlink()
    assert install(checkout, "run").returncode == 0
    assert not (checkout / "asked").exists()
    assert (venv / "dev.txt").exists()


def test_an_installation_that_failed_is_tried_again(checkout: Path) -> None:
    venv = installed_venv(checkout)
    (venv / "bin" / "python").write_text('#!/bin/sh\n[ "$1" != -m ]\n')
    done = install(checkout, "run")
    assert done.returncode == 1
    assert "requirements/run.txt could not be installed" in done.stderr
    assert not (venv / "run.txt").exists()


def test_an_environment_that_was_made_for_another_folder_is_made_anew(checkout: Path) -> None:
    venv = installed_venv(checkout, "run.txt")
    (venv / "bin" / "pip").write_text("#!/elsewhere/.venv/bin/python\n")
    program(checkout, "python3", '#!/bin/sh\n[ "$1" != -m ] || { echo "asked for $3"; exit 1; }\n')
    done = install(checkout, "run")
    assert (done.returncode, done.stderr) == (1, f"python3 could not make {venv}: asked for {venv}\n")
    assert not venv.exists()


@pytest.mark.parametrize("user", ["0", "1000"])
def test_a_missing_browser_is_installed_by_root_and_named_to_others(checkout: Path, user: str) -> None:
    (checkout / "bin" / "id").unlink()
    program(checkout, "id", f"#!/bin/sh\necho {user}\n")
    program(checkout, "apt-get", f'#!/bin/sh\necho "$@" >> "{checkout}/asked"\n')
    done = install(checkout, "chromium")
    if user == "0":
        assert (done.returncode, done.stderr) == (0, "Installing Debian's chromium …\n")
        asked = (checkout / "asked").read_text().splitlines()
        assert asked == ["-qq update", "-qq install -y --no-install-recommends chromium"]
    else:
        assert done.returncode == 1
        assert "install the package chromium" in done.stderr
        assert not (checkout / "asked").exists()


@pytest.mark.parametrize("user", ["0", "1000"])
def test_a_missing_postgresql_is_installed_by_root_without_a_server_and_named_to_others(
    checkout: Path, user: str
) -> None:
    (checkout / "bin" / "id").unlink()
    (checkout / "bin" / "mkdir").symlink_to("/bin/mkdir")
    program(checkout, "id", f"#!/bin/sh\necho {user}\n")
    program(checkout, "apt-get", f'#!/bin/sh\necho "$@" >> "{checkout}/asked"\n')
    settings = checkout / "settings"
    machine = {"POSTGRESQL": str(checkout / "none"), "POSTGRESQL_SETTINGS": str(settings)}
    done = install(checkout, "postgresql", **machine)
    if user == "0":
        assert (done.returncode, done.stderr) == (0, "Installing Debian's postgresql …\n")
        asked = (checkout / "asked").read_text().splitlines()
        assert asked == ["-qq update", "-qq install -y --no-install-recommends postgresql"]
        assert (settings / "createcluster.conf").read_text() == "create_main_cluster = false\n"
    else:
        assert done.returncode == 1
        assert done.stderr == (
            "The database tests need PostgreSQL: install the package postgresql, then start again\n"
        )
        assert not (checkout / "asked").exists()
        assert not settings.exists()


def test_a_postgresql_that_is_there_is_left_alone(checkout: Path) -> None:
    (checkout / "15" / "bin").mkdir(parents=True)
    initdb = checkout / "15" / "bin" / "initdb"
    initdb.write_text("#!/bin/sh\n")
    initdb.chmod(0o755)
    done = install(checkout, "postgresql", POSTGRESQL=str(checkout))
    assert (done.returncode, done.stderr) == (0, "")


def test_the_lock_of_the_development_holds_all_of_the_lock_for_running() -> None:
    def pins(name: str) -> set[str]:
        return set(re.findall(r"^[a-z].*==\S+", (ROOT / "requirements" / name).read_text(), re.MULTILINE))

    assert pins("run.txt") < pins("dev.txt")
