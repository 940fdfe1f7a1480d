import socket

from websockets.client import ClientProtocol
from websockets.server import ServerProtocol
from websockets.uri import parse_uri

from workflows_app.plugins.alarm import Alarm
from workflows_app.plugins.kubernetes.wire import Wire


def test_an_answer_that_comes_together_with_the_end_is_an_answer() -> None:
    ours, theirs = socket.socketpair()
    protocol = ClientProtocol(parse_uri("ws://pod/exec"))
    protocol.send_request(protocol.connect())
    with ours, theirs, Alarm() as alarm:
        wire = Wire(ours, protocol, alarm)
        server = ServerProtocol()
        server.receive_data(b"".join(protocol.data_to_send()))
        (request,) = server.events_received()
        server.send_response(server.accept(request))
        server.send_binary(b"all of it")
        server.send_close(1000)
        theirs.sendall(b"".join(server.data_to_send()))
        theirs.shutdown(socket.SHUT_WR)
        wire.greet(5)
        assert wire.receive() == b"all of it"
        assert wire.receive() is None
        wire.close()
