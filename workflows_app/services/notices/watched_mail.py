"""A mail server's connection that leads to the address that was judged, ends in time, and is told little."""

import smtplib
import socket
from collections.abc import Callable
from functools import partial
from typing import Any, BinaryIO

from django.core.mail.backends.smtp import EmailBackend

from workflows_app.services.notices.time_limits import TimeLimit

MOST_SAID = 64 * 1024
"""So many bytes may a mail server say before TLS, and after its beginning."""


class _Replies:
    """What a mail server says, as ``smtplib`` reads it. A reply may have any number of lines there."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._said = 0

    def readline(self, size: int) -> bytes:
        line = self._file.readline(size)
        self._said += len(line)
        if self._said > MOST_SAID:
            raise OSError(f"it said more than {MOST_SAID // 1024} KiB")
        return line

    def close(self) -> None:
        self._file.close()


class _Watched(smtplib.SMTP):
    """Connects to ``address``, whatever name it is told; the name is for the certificate."""

    def __init__(self, *arguments: Any, address: str, limit: TimeLimit, **options: Any) -> None:
        self._address = address
        self._limit = limit
        super().__init__(*arguments, **options)

    def _get_socket(self, host: str, port: int, timeout: float) -> socket.socket:
        connection = socket.create_connection((self._address, port), min(timeout, self._limit.left))
        connection.settimeout(timeout)
        self._limit.watch(connection)
        return connection

    def getreply(self) -> tuple[int, bytes]:
        """As smtplib's, of a server that says no more than it may."""
        if self.file is None and self.sock is not None:
            self.file = _Replies(self.sock.makefile("rb"))
        return super().getreply()

    def quit(self) -> tuple[int, bytes]:
        """Say good-bye. What was taken is taken, whatever is answered to that."""
        try:
            return super().quit()
        except (smtplib.SMTPException, OSError):
            self.close()
            return 221, b""


class _WatchedTls(_Watched, smtplib.SMTP_SSL):
    def _get_socket(self, host: str, port: int, timeout: float) -> socket.socket:
        return self.context.wrap_socket(super()._get_socket(host, port, timeout), server_hostname=host)


class WatchedBackend(EmailBackend):
    """Django's mail by SMTP to ``address``, until ``limit`` passes; ``host`` is what it must be called."""

    def __init__(self, address: str, limit: TimeLimit, **options: Any) -> None:
        super().__init__(**options)
        self._address = address
        self._limit = limit

    @property
    def connection_class(self) -> Callable[..., smtplib.SMTP]:  # type: ignore[override] # it is only called
        """What Django makes a connection with."""
        return partial(_WatchedTls if self.use_ssl else _Watched, address=self._address, limit=self._limit)
