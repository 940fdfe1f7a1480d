"""Requests that are too large are refused before they are written to a disk."""

from itertools import repeat

import pytest
from asgiref.testing import ApplicationCommunicator
from django.core.handlers.asgi import ASGIHandler

from fossul_dashboard.asgi import application
from workflows_app.web.middleware.body_limits import LARGEST_BODY

PIECE = b"x" * 2**20


async def answer(*, announced: int | None, pieces: int) -> tuple[int, bytes, int]:
    """The status and body that a sign-in of so many pieces gets, and how many of them were read."""
    headers = [(b"host", b"localhost"), (b"content-type", b"application/octet-stream")]
    if announced is not None:
        headers.append((b"content-length", str(announced).encode()))
    scope = {"type": "http", "method": "POST", "path": "/login/", "query_string": b"", "headers": headers}
    server = ApplicationCommunicator(application, scope)
    for number, piece in enumerate(repeat(PIECE, pieces), 1):
        more = number < pieces
        await server.send_input({"type": "http.request", "body": piece, "more_body": more})
    start = await server.receive_output(timeout=20)
    body = await server.receive_output()
    await server.wait()
    return start["status"], body["body"], pieces - server.input_queue.qsize()


@pytest.mark.django_db(transaction=True)
async def test_what_is_not_too_large_is_passed_on():
    status, _, read = await answer(announced=3 * len(PIECE), pieces=3)
    assert (status, read) == (403, 3), "it was read, and is no form of ours"


async def test_what_says_that_it_is_too_large_is_not_read(monkeypatch):
    monkeypatch.setattr(ASGIHandler, "__call__", None)
    status, body, read = await answer(announced=LARGEST_BODY + 1, pieces=1)
    assert (status, read) == (413, 0)
    assert b"import_configs" in body


async def test_what_does_not_say_how_large_it_is_is_read_no_further_than_that():
    most = LARGEST_BODY // len(PIECE)
    status, _, read = await answer(announced=None, pieces=most * 3)
    assert (status, read) == (413, most + 1)
