"""A stand-in for a Kubernetes API server, for what no package carries.

It speaks as much of the API as the plugins use: TLS, bearer tokens and client certificates, pods with labels,
phases and owners, access reviews, refusals with a Status, and over WebSocket ``exec`` (v5 and
v4.channel.k8s.io), which runs the command as a process of this machine in the pod's folder, and
``portforward`` (v4), whose ports are this machine's. It does not check what a real one would: there is no
validation, no admission, no SPDY, no kubelet.
"""

import asyncio
import contextlib
import json
import os
import signal
import ssl
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from aiohttp import WSMsgType, web

from tests.plugins.kubernetes.port_end import serve_port

PROTOCOLS = ("v5.channel.k8s.io", "v4.channel.k8s.io")
TOKEN = "the-token-of-the-tests"
_CHUNK = 32 * 1024


def status(code: int, reason: str, message: str) -> web.Response:
    """A refusal, as the API says it."""
    told = {"kind": "Status", "apiVersion": "v1", "status": "Failure", "reason": reason}
    return web.json_response({**told, "message": message, "code": code}, status=code)


def ready_pod(name: str, *, created: str = "2026-01-01T00:00:00Z", **changes: Any) -> dict[str, Any]:
    """A pod that runs and is ready; ``changes`` are ``containers``, ``labels``, ``owner``, ``phase`` …"""
    metadata: dict[str, Any] = {
        "name": name,
        "creationTimestamp": created,
        "labels": changes.get("labels", {}),
    }
    if owner := changes.get("owner"):
        kind, _, owned_by = owner.partition("/")
        metadata["ownerReferences"] = [
            {"apiVersion": "v1", "kind": kind, "name": owned_by, "uid": owner, "controller": True}
        ]
    if changes.get("deleted"):
        metadata["deletionTimestamp"] = "2026-01-02T00:00:00Z"
    ready = "True" if changes.get("ready", True) else "False"
    return {
        "metadata": metadata,
        "spec": {"containers": [{"name": c, "image": c} for c in changes.get("containers", ("main",))]},
        "status": {
            "phase": changes.get("phase", "Running"),
            "conditions": [{"type": "Ready", "status": ready}],
        },
    }


@dataclass
class ApiServer:
    """The server: what it holds, what it refuses, and how it misbehaves.

    ``denied`` are ``(verb, resource)``; ``break_after`` and ``break_input`` drop an exec after so many
    bytes of output or input, ``break_after`` a forward, too; ``path`` is the PATH of the processes in pods.
    ``early_status`` tells the end before the output. ``execs`` remembers the queries, ``forwards`` counts.
    """

    folder: Path
    protocols: tuple[str, ...] = PROTOCOLS
    pods: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    denied: set[tuple[str, str]] = field(default_factory=set)
    break_after: int | None = None
    break_input: int | None = None
    silent_end: bool = False
    early_status: bool = False
    path: str = os.environ["PATH"]
    execs: list[dict[str, list[str]]] = field(default_factory=list)
    cuts: list[Callable[[], None]] = field(default_factory=list)
    burials: set["asyncio.Task[None]"] = field(default_factory=set)
    slow: Callable[[], float] = lambda: 0.0
    forwards: int = 0
    port: int = 0
    scheme: str = "http"

    @property
    def url(self) -> str:
        return f"{self.scheme}://127.0.0.1:{self.port}"

    def add(self, namespace: str, *pods: dict[str, Any]) -> None:
        self.pods.setdefault(namespace, []).extend(pods)

    @contextlib.contextmanager
    def running(self, tls: ssl.SSLContext | None = None) -> Iterator["ApiServer"]:
        """Serve from a thread of its own."""
        loop = asyncio.new_event_loop()
        started = threading.Event()

        async def serve() -> web.AppRunner:
            runner = web.AppRunner(self._app(), shutdown_timeout=1)
            await runner.setup()
            site = web.TCPSite(runner, "127.0.0.1", 0, ssl_context=tls)
            await site.start()
            self.port = runner.addresses[0][1]
            self.scheme = "https" if tls else "http"
            return runner

        def run() -> None:
            asyncio.set_event_loop(loop)
            runner = loop.run_until_complete(serve())
            started.set()
            loop.run_forever()
            loop.run_until_complete(runner.cleanup())
            loop.run_until_complete(asyncio.wait(self.burials)) if self.burials else None
            loop.run_until_complete(_end_all())
            loop.run_until_complete(loop.shutdown_asyncgens())
            loop.close()

        thread = threading.Thread(target=run, name="api-server", daemon=True)
        thread.start()
        started.wait(10)
        try:
            yield self
        finally:
            loop.call_soon_threadsafe(loop.stop)
            thread.join(10)

    def sever(self) -> None:
        """Drop the forwards that there are."""
        for cut in self.cuts:
            cut()

    def kubeconfig(self, **given: str) -> Path:
        """A kubeconfig file for this server; ``given`` are ``ca``, ``token``, ``certificate``, ``key``."""
        cluster = {"server": given.get("server", self.url)}
        if "ca" in given:
            cluster["certificate-authority"] = given["ca"]
        user = {"token": given.get("token", TOKEN)} if "certificate" not in given else {}
        if "certificate" in given:
            user |= {"client-certificate": given["certificate"], "client-key": given["key"]}
        path = self.folder / f"kubeconfig-{len(list(self.folder.glob('kubeconfig-*')))}"
        config = {
            "apiVersion": "v1",
            "kind": "Config",
            "clusters": [{"name": "c", "cluster": cluster}],
            "users": [{"name": "u", "user": user}],
            "contexts": [{"name": "x", "context": {"cluster": "c", "user": "u"}}],
            "current-context": "x",
        }
        path.write_text(json.dumps(config))
        return path

    def _app(self) -> web.Application:
        app = web.Application(middlewares=[self._guard])
        app.router.add_get("/api/v1/namespaces/{ns}/pods", self._list)
        app.router.add_get("/api/v1/namespaces/{ns}/pods/{pod}/exec", self._exec)
        app.router.add_get("/api/v1/namespaces/{ns}/pods/{pod}/portforward", self._forward)
        app.router.add_post("/apis/authorization.k8s.io/v1/selfsubjectaccessreviews", self._review)
        return app

    @web.middleware
    async def _guard(self, request: web.Request, handler: Any) -> web.StreamResponse:
        certificate = request.transport.get_extra_info("peercert") if request.transport else None
        scheme, _, token = request.headers.get("Authorization", "").partition(" ")
        if not certificate and (scheme.lower(), token) != ("bearer", TOKEN):
            return status(401, "Unauthorized", "Unauthorized")
        await asyncio.sleep(self.slow())
        answer: web.StreamResponse = await handler(request)
        return answer

    async def _list(self, request: web.Request) -> web.Response:
        namespace = request.match_info["ns"]
        if ("list", "pods") in self.denied:
            return status(403, "Forbidden", f'pods is forbidden: User "u" cannot list in "{namespace}"')
        wanted = dict(
            part.split("=", 1) for part in request.query.get("labelSelector", "").split(",") if part
        )
        items = [
            pod
            for pod in self.pods.get(namespace, [])
            if wanted.items() <= (pod["metadata"].get("labels") or {}).items()
        ]
        return web.json_response({"kind": "PodList", "apiVersion": "v1", "metadata": {}, "items": items})

    async def _review(self, request: web.Request) -> web.Response:
        asked = (await request.json())["spec"]["resourceAttributes"]
        resource = "/".join(part for part in (asked["resource"], asked.get("subresource")) if part)
        allowed = (asked["verb"], resource) not in self.denied
        return web.json_response(
            {
                "kind": "SelfSubjectAccessReview",
                "apiVersion": "authorization.k8s.io/v1",
                "spec": {"resourceAttributes": asked},
                "status": {"allowed": allowed},
            }
        )

    def _pod(self, request: web.Request) -> dict[str, Any] | None:
        names = {pod["metadata"]["name"]: pod for pod in self.pods.get(request.match_info["ns"], [])}
        return names.get(request.match_info["pod"])

    async def _forward(self, request: web.Request) -> web.StreamResponse:
        if self._pod(request) is None:
            return status(404, "NotFound", f'pods "{request.match_info["pod"]}" not found')
        if ("create", "pods/portforward") in self.denied:
            return status(403, "Forbidden", 'pods "x" is forbidden: User "u" cannot create pods/portforward')
        socket = web.WebSocketResponse(protocols=PROTOCOLS[1:], max_msg_size=0)
        await socket.prepare(request)
        self.forwards += 1
        transport, loop = request.transport, asyncio.get_running_loop()
        assert transport
        self.cuts.append(lambda: loop.call_soon_threadsafe(transport.abort) and None)
        await serve_port(
            socket,
            int(request.query["ports"]),
            request.match_info["pod"],
            break_after=self.break_after,
            drop=transport.abort,
        )
        return socket

    async def _exec(self, request: web.Request) -> web.StreamResponse:
        pod = self._pod(request)
        if pod is None:
            return status(404, "NotFound", f'pods "{request.match_info["pod"]}" not found')
        if ("create", "pods/exec") in self.denied:
            return status(403, "Forbidden", 'pods "x" is forbidden: User "u" cannot create pods/exec')
        if request.query["container"] not in [c["name"] for c in pod["spec"]["containers"]]:
            return status(400, "BadRequest", f"container {request.query['container']} is not valid for pod")
        self.execs.append({key: request.query.getall(key) for key in request.query})
        socket = web.WebSocketResponse(protocols=self.protocols, max_msg_size=0)
        await socket.prepare(request)
        await _Exec(self, socket, pod["metadata"]["name"]).run(
            request.query.getall("command"), request.query.get("stdin") == "true"
        )
        return socket


async def _end_all() -> None:
    """Cancel what is still going on in this loop, and wait for it."""
    left = asyncio.all_tasks() - {asyncio.current_task()}
    for task in left:
        task.cancel()
    await asyncio.gather(*left, return_exceptions=True)
    await asyncio.sleep(0.01)  # what they used is closed in the next turns of the loop


async def _bury(process: asyncio.subprocess.Process, feeding: "asyncio.Task[None]") -> None:
    """Kill a process, if it is still there, and close what it leaves."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    await asyncio.gather(feeding, process.wait(), return_exceptions=True)
    process._transport.close()  # type: ignore[attr-defined] # what is left in its pipes is nobody's
    await asyncio.sleep(0.01)  # its pipes close in the next turns of the loop


class _Exec:
    """One exec: a process whose streams are the socket's channels."""

    def __init__(self, server: ApiServer, socket: web.WebSocketResponse, pod: str) -> None:
        self._server = server
        self._socket = socket
        self._cwd = server.folder / pod
        self._cwd.mkdir(exist_ok=True)
        self._sent = 0

    async def run(self, argv: list[str], stdin: bool) -> None:
        pipe = asyncio.subprocess.PIPE
        try:
            process = await asyncio.create_subprocess_exec(
                *argv,
                cwd=self._cwd,
                env={"PATH": self._server.path, "LC_ALL": "C.UTF-8"},
                stdin=pipe if stdin else asyncio.subprocess.DEVNULL,
                stdout=pipe,
                stderr=pipe,
                start_new_session=True,
            )
        except OSError as error:
            await self._end(
                "InternalError", f"failed to exec in container: exec: {argv[0]!r}: {error.strerror}"
            )
            return
        assert process.stdout and process.stderr
        feeding = asyncio.create_task(self._feed(process))
        try:
            if self._server.early_status:
                output = await process.stdout.read()
                await self._say(3, json.dumps({"kind": "Status", "status": "Success"}).encode())
                for start in range(0, len(output), _CHUNK):
                    await self._say(1, output[start : start + _CHUNK])
                await self._socket.close()
                return
            await asyncio.gather(self._pump(process.stdout, 1), self._pump(process.stderr, 2))
            code = await process.wait()
            if self._server.silent_end:
                await self._socket.close()
            elif code:
                await self._end(
                    "NonZeroExitCode", f"command terminated with non-zero exit code: exit status {code}", code
                )
            else:
                await self._say(3, json.dumps({"kind": "Status", "status": "Success"}).encode())
                await self._socket.close()
        except (ConnectionError, RuntimeError):
            pass
        finally:
            feeding.cancel()
            burial = asyncio.create_task(_bury(process, feeding))
            self._server.burials.add(burial)
            await asyncio.shield(burial)

    async def _pump(self, stream: asyncio.StreamReader, channel: int) -> None:
        while data := await stream.read(_CHUNK):
            self._sent += len(data) if channel == 1 else 0
            if self._server.break_after is not None and self._sent > self._server.break_after:
                self._drop()
                return
            await self._say(channel, data)

    async def _feed(self, process: asyncio.subprocess.Process) -> None:
        taken = 0
        async for message in self._socket:
            if message.type != WSMsgType.BINARY or not message.data or not process.stdin:
                continue
            with contextlib.suppress(BrokenPipeError, ConnectionResetError):
                if message.data[0] == 0:
                    taken += len(message.data) - 1
                    process.stdin.write(message.data[1:])
                    await process.stdin.drain()
                elif message.data[0] == 255 and self._socket.ws_protocol == PROTOCOLS[0]:
                    process.stdin.close()
            if self._server.break_input is not None and taken > self._server.break_input:
                self._drop()
        with contextlib.suppress(ProcessLookupError):  # who asked is gone
            os.killpg(process.pid, signal.SIGKILL)
        if process.stdin:
            process.stdin.close()  # for what has left that group

    def _drop(self) -> None:
        transport = self._socket._req.transport if self._socket._req else None
        if transport:
            transport.abort()

    async def _say(self, channel: int, data: bytes) -> None:
        await self._socket.send_bytes(bytes((channel,)) + data)

    async def _end(self, reason: str, message: str, code: int | None = None) -> None:
        told: dict[str, Any] = {"kind": "Status", "apiVersion": "v1", "status": "Failure", "reason": reason}
        told["message"] = message
        if code is not None:
            told["details"] = {"causes": [{"reason": "ExitCode", "message": str(code)}]}
        await self._say(3, json.dumps(told).encode())
        await self._socket.close()
