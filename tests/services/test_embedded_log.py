"""What is passed on of the embedded server's log."""

import io
from collections.abc import Iterator

from workflows_app.services.setup.embedded_log import KEPT_LINES, EmbeddedLog


def test_complaints_of_a_start_that_ends_well_are_not_passed_on() -> None:
    out = io.BytesIO()
    log = EmbeddedLog(out)

    def lines() -> Iterator[bytes]:
        yield b"Frontend is not healthy yet\n"
        log.forget_the_start()
        yield b"shard lost\n"
        assert out.getvalue() == b"shard lost\n"

    log.relay(lines())
    assert out.getvalue() == b"shard lost\n"


def test_a_server_that_never_serves_has_said_why() -> None:
    out = io.BytesIO()
    EmbeddedLog(out).relay([b"no space left on device\n"])
    assert out.getvalue() == b"no space left on device\n"


def test_a_server_that_takes_too_long_is_heard_from_then_on() -> None:
    out = io.BytesIO()
    log = EmbeddedLog(out)

    def lines() -> Iterator[bytes]:
        yield b"waiting\n"
        log.speak()
        assert out.getvalue() == b"waiting\n"
        yield b"still waiting\n"
        assert out.getvalue() == b"waiting\nstill waiting\n"

    log.relay(lines())
    assert out.getvalue() == b"waiting\nstill waiting\n"


def test_what_waits_is_bounded() -> None:
    out = io.BytesIO()
    EmbeddedLog(out).relay(b"%d\n" % number for number in range(KEPT_LINES + 5))
    assert out.getvalue().splitlines()[0] == b"5"


def test_a_server_told_to_end_says_nothing_more() -> None:
    for serves in (True, False):
        out = io.BytesIO()
        log = EmbeddedLog(out)

        def lines(log: EmbeddedLog = log, serves: bool = serves) -> Iterator[bytes]:
            yield b"starting\n"
            if serves:
                log.forget_the_start()
            log.be_silent()
            yield b"Failed to poll for task\n"

        log.relay(lines())
        assert out.getvalue() == b""
