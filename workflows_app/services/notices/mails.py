"""Notices by e-mail: as text, and as simple HTML."""

import hashlib
import smtplib
from collections.abc import Mapping
from contextlib import suppress
from typing import Any

from django.core.mail import DNS_NAME, EmailMultiAlternatives
from django.template.loader import render_to_string

from workflows_app.domain.notices.channels import MailServer, Security
from workflows_app.domain.notices.notices import Notice
from workflows_app.domain.notices.redelivery import NotSent
from workflows_app.domain.notices.webhooks import KEY, header_key
from workflows_app.services.notices.outbound import reach
from workflows_app.services.notices.time_limits import TimeLimit
from workflows_app.services.notices.watched_mail import WatchedBackend

TIMEOUT_SECONDS = 20
"""How long a mail server may be silent. Some make a stranger wait before they greet him."""
WHOLE_SECONDS = 120.0
"""How long all of a mail may take, from the look-up of the server's name to its last word."""


def mail_server(options: Mapping[str, Any]) -> MailServer:
    """Answer the mail server that a channel's options tell of."""
    return MailServer(
        host=options["host"],
        port=options["port"],
        security=Security(options["security"]),
        user=options["user"],
        sender=options["sender"],
        to=tuple(options["to"]),
    )


def send_mail(server: MailServer, password: str, notice: Notice, mark: str) -> None:
    """Send a notice; ``mark`` makes its Message-ID, which is the same when it is sent again.

    It takes ``WHOLE_SECONDS`` at most. Raises NotSent.
    """
    with TimeLimit(WHOLE_SECONDS) as limit:
        address = reach(server.host, server.port, limit)
        try:
            # Django tells the server this machine's name, and looks it up for that, once.
            limit.wait_for(DNS_NAME.get_fqdn)
        except TimeoutError:
            raise NotSent(
                "The name of this machine itself cannot be looked up in time.", again=True
            ) from None
        connection = WatchedBackend(
            address,
            limit,
            host=server.host,
            port=server.port,
            username=server.user,
            password=password,
            use_tls=server.security is Security.STARTTLS,
            use_ssl=server.security is Security.TLS,
            timeout=TIMEOUT_SECONDS,
        )
        try:
            _send(server, connection, notice, mark)
        except NotSent:
            if not limit.passed:
                raise
            words = f"{server.host}:{server.port} took longer than {limit.seconds:.0f} s."
            raise NotSent(words, again=True) from None


def _send(server: MailServer, connection: WatchedBackend, notice: Notice, mark: str) -> None:
    keys = [part.key for part in notice.parts] or [notice.key]
    mail = EmailMultiAlternatives(
        subject=" ".join(notice.title.split()),
        body=notice.text,
        from_email=server.sender,
        to=list(server.to),
        connection=connection,
        headers={
            "Message-ID": f"<{_digest(mark)}@fossul.invalid>",
            # Mail programs put what is about one incident together.
            "References": " ".join(f"<{_digest(key)}@fossul.invalid>" for key in keys),
            KEY: header_key(notice.key),
            "Auto-Submitted": "auto-generated",
        },
    )
    mail.attach_alternative(render_to_string("notifications/notice.html", {"notice": notice}), "text/html")
    try:
        mail.send()
    except smtplib.SMTPAuthenticationError:
        words = f"{server.host} refused the user {server.user!r} or the password."
        raise NotSent(words, again=False) from None
    except smtplib.SMTPRecipientsRefused as error:
        told = "; ".join(f"{who}: {code} {_text(said)}" for who, (code, said) in error.recipients.items())
        raise NotSent(f"{server.host} refused every recipient: {told}", again=False) from None
    except smtplib.SMTPResponseException as error:
        words = f"{server.host} answered {error.smtp_code} {_text(error.smtp_error)}"
        raise NotSent(words, again=error.smtp_code < 500) from None
    except (smtplib.SMTPException, OSError) as error:
        raise NotSent(f"{server.host}:{server.port} could not be used: {_why(error)}", again=True) from None
    finally:
        # It stays open when the login is refused.
        with suppress(smtplib.SMTPException, OSError):
            connection.close()


def _digest(text: str) -> str:
    return hashlib.blake2s(text.encode(), digest_size=16).hexdigest()


def _why(error: Exception) -> str:
    return error.strerror if isinstance(error, OSError) and error.strerror else str(error)


def _text(said: bytes | str) -> str:
    return said.decode(errors="replace") if isinstance(said, bytes) else said
