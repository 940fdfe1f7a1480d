"""What the machine must offer before anything is started: a folder to write to, and free ports."""

import errno
import os
import socket
import tempfile
from pathlib import Path

from workflows_app.domain.errors import FossulError


class MachineNotReady(FossulError):
    """The machine does not offer what the dashboard needs; the text says what, and what to do."""


def check_folder(folder: Path, setting: str) -> None:
    """Make ``folder`` (readable for its owner alone) unless it exists, and try to write to it.

    Raises MachineNotReady, naming the environment variable ``setting`` that chooses another folder.
    """
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder) as probe:
            probe.write(b"probe")
    except OSError as error:
        raise MachineNotReady(
            f"The folder {folder} cannot be written to ({os.strerror(error.errno or 0)}): "
            f"give this user the right to, or choose another folder with {setting}."
        ) from error


def check_port(host: str, port: int, purpose: str, remedy: str) -> None:
    """Try whether ``purpose`` (words, e.g. ``the web server``) could listen on ``host:port``.

    Raises MachineNotReady with the reason; ``remedy`` (``PORT=8001``) is what to set for another port.
    """
    place = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
    if not 0 < port < 65_536:
        raise MachineNotReady(f"{place} is no place for {purpose}: ports go from 1 to 65535, as in {remedy}.")
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        with socket.socket(family, kind, protocol) as probe:
            # As servers do: connections that ended a moment ago do not hold the port.
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(address)
            probe.listen()
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            raise MachineNotReady(
                f"Something already listens on {place}, where {purpose} would: "
                f"stop it, or choose another port, as in {remedy}."
            ) from error
        raise MachineNotReady(
            f"{purpose[0].upper()}{purpose[1:]} cannot listen on {place} ({error.strerror or error}): "
            f"choose another address or port, as in {remedy}."
        ) from error
