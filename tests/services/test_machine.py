"""What the machine is asked for before a start."""

import socket
from pathlib import Path

import pytest

from workflows_app.services.setup.machine import MachineNotReady, check_folder, check_port


def test_a_missing_folder_is_made_for_its_owner_alone(tmp_path: Path) -> None:
    check_folder(tmp_path / "new" / "var", "FOSSUL_VAR_DIR")
    assert (tmp_path / "new" / "var").stat().st_mode & 0o777 == 0o700
    assert list((tmp_path / "new" / "var").iterdir()) == []


def test_a_folder_that_cannot_be_written_to_is_named_with_the_setting(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(MachineNotReady, match=r"/file/var cannot be written to \(Not a dir.*FOSSUL_VAR_DIR"):
        check_folder(tmp_path / "file" / "var", "FOSSUL_VAR_DIR")


@pytest.mark.parametrize("listens_on", ["127.0.0.1", "0.0.0.0"])  # noqa: S104
def test_a_port_that_is_taken_is_named_with_what_to_set(listens_on: str) -> None:
    with socket.create_server((listens_on, 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(MachineNotReady, match=rf"already listens on 127\.0\.0\.1:{port}, .*PORT=8001"):
            check_port("127.0.0.1", port, "the web server", "PORT=8001")
    check_port("127.0.0.1", port, "the web server", "PORT=8001")


def test_a_port_whose_connections_ended_a_moment_ago_is_free() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        with socket.create_connection(("127.0.0.1", port)) as client:
            accepted, _ = server.accept()
            # The server's end closes first, and so is what stays in TIME_WAIT.
            accepted.close()
            assert client.recv(1) == b""
    check_port("127.0.0.1", port, "the web server", "PORT=8001")


def test_an_address_of_another_machine_is_refused() -> None:
    # 192.0.2.0/24 is kept for documentation (RFC 5737): no machine has it.
    with pytest.raises(MachineNotReady, match=r"^The web server cannot listen on 192\.0\.2\.1:8000 \("):
        check_port("192.0.2.1", 8000, "the web server", "PORT=8001")


def test_a_number_that_is_no_port_is_refused() -> None:
    with pytest.raises(MachineNotReady, match="ports go from 1 to 65535"):
        check_port("127.0.0.1", 80_000, "the web server", "PORT=8001")
