"""What the tests of the plugin ``s3`` share: a real server, and backups to archive to a bucket of it."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.plugins.archiving.archived import Archiving
from tests.plugins.filesystem.conftest import Storage
from tests.plugins.filesystem.trees import MiB
from tests.plugins.s3.server import ACCESS_KEY, SECRET_KEY, S3Server, running_server
from workflows_app.plugins.s3.plugin import plugin


@pytest.fixture(scope="session")
def s3(tmp_path_factory: pytest.TempPathFactory) -> Iterator[S3Server]:
    """An S3 server for the whole session."""
    with running_server(tmp_path_factory.mktemp("s3")) as server:
        yield server


@pytest.fixture(autouse=True)
def no_aws(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Nothing of the caller's AWS configuration."""
    for name in list(os.environ):
        if name.startswith("AWS_"):
            monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "credentials"))
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "config"))


@pytest.fixture
def archiving(s3: S3Server, tmp_path: Path) -> Archiving:
    """A source of 12 MiB that no compression makes smaller, and a bucket for its archives."""
    storage = Storage(tmp_path)
    (storage.source / "file").write_bytes(os.urandom(12 * MiB))
    return Archiving(
        storage,
        plugin,
        {
            "BucketName": s3.new_bucket(),
            "EndpointUrl": s3.endpoint,
            "AccessKeyId": ACCESS_KEY,
            "SecretAccessKey": SECRET_KEY,
            "Attempts": "2",
            "PartSize": "5M",
        },
    )


@pytest.fixture
def small(archiving: Archiving) -> Archiving:
    """The same with a source of a few bytes."""
    (archiving.storage.source / "file").write_bytes(b"content")
    return archiving
