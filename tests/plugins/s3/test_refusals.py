"""What goes wrong with a server is told in clear words, without a credential, and leaves no half archive."""

import asyncio
import shutil
import threading
from collections.abc import Callable

import pytest

from tests.faults import FaultProxy
from tests.plugins.archiving.archived import Archiving, contents, name_of
from tests.plugins.filesystem.trees import MiB, names_in
from tests.plugins.s3.server import READER_KEY, READER_SECRET, SECRET_KEY, S3Server
from workflows_app.domain.errors import ConfigInvalid, PluginFailed
from workflows_app.domain.results import Level, Result
from workflows_app.plugins.s3.parameters import Parameters
from workflows_app.plugins.s3.plugin import fossul_plugin, plugin


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"SecretAccessKey": "another-secret"}, "Check SecretAccessKey"),
        ({"AccessKeyId": "AKIANOBODY"}, "the server does not know the access key. Check AccessKeyId"),
        ({"AccessKeyId": READER_KEY, "SecretAccessKey": READER_SECRET}, "the access key may not do this"),
        ({"AccessKeyId": "", "SecretAccessKey": ""}, "the worker has no AWS credentials of its own"),
        ({"BucketName": "no-such-bucket"}, "there is no such bucket. Correct BucketName"),
        ({"EndpointUrl": "http://127.0.0.1:1"}, "the server cannot be reached. Check EndpointUrl"),
        ({"EndpointUrl": "https://127.0.0.1:{port}"}, "certificate is not trusted|connection broke"),
    ],
)
def test_what_a_server_refuses_is_told(
    small: Archiving, s3: S3Server, changes: dict[str, str], why: str
) -> None:
    small.backup()
    changes = {name: value.format(port=s3.port) for name, value in changes.items()}
    with pytest.raises(PluginFailed, match=why) as refused:
        small.archive(Attempts="1", **changes)
    told = f"{refused.value} {small.said}"
    for secret in (SECRET_KEY, READER_SECRET, "another-secret"):
        assert secret not in told
    assert s3.objects(small.parameters["BucketName"]) == {}


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("BucketName", ""),
        ("BucketName", "Not A Bucket"),
        ("BucketName", "../bucket"),
        ("EndpointUrl", "s3.example.org"),
        ("EndpointUrl", "ftp://s3.example.org"),
        ("EndpointUrl", "https://user:password@s3.example.org"),
        ("EndpointUrl", "https://s3.example.org:port"),
        ("EndpointUrl", "https://s3.example.org/path"),
        ("AwsRegion", "eu central"),
        ("Prefix", "a/../b"),
        ("Prefix", "a b"),
        ("SecretAccessKey", ""),
        ("AccessKeyId", ""),
        ("AwsProfile", "archives"),
        ("CreateBucket", "maybe"),
        ("PartSize", "4M"),
        ("PartSize", "6G"),
        ("PartSize", "many"),
        ("Connections", "0"),
        ("Attempts", "1000"),
        ("ObjectLockDays", "0"),
        ("ObjectLockMode", "forever"),
    ],
)
def test_a_wrong_parameter_is_named_and_nothing_is_asked(small: Archiving, name: str, value: str) -> None:
    small.parameters["EndpointUrl"] = "http://127.0.0.1:1"
    with pytest.raises(ConfigInvalid) as refused:
        small.archive(**{name: value})
    assert refused.value.field == name
    assert "password" not in str(refused.value)
    assert SECRET_KEY not in str(refused.value)


def test_credentials_are_declared_secret_and_never_shown(small: Archiving) -> None:
    for family in (plugin, fossul_plugin):
        secret = {spec.name for spec in family.info().parameters if spec.secret}
        assert secret == {"SecretAccessKey", "SessionToken"}
    assert SECRET_KEY not in repr(Parameters.of(small.context(), create_bucket=False))


def when(archiving: Archiving, condition: Callable[[], bool], act: Callable[[], None]) -> None:
    """Do something once, in the loop, as soon as the plugin looks whether to go on and a condition holds."""
    loop, looking, done = asyncio.get_running_loop(), threading.Lock(), threading.Event()

    async def call() -> None:
        act()

    def cancelled() -> bool:
        with looking:
            if not done.is_set() and condition():
                done.set()
                asyncio.run_coroutine_threadsafe(call(), loop).result(10)
        return False

    archiving.cancelled = cancelled


def fetched(archiving: Archiving) -> bool:
    """Whether a part of an archive has been fetched."""
    return any(path.stat().st_size >= MiB for path in archiving.storage.folder.glob(".*.fetched/*"))


async def test_a_cut_connection_leaves_no_half_archive_and_the_next_run_clears_up(
    archiving: Archiving, s3: S3Server
) -> None:
    archiving.backup()
    bucket, direct = archiving.parameters["BucketName"], archiving.parameters["EndpointUrl"]
    async with FaultProxy(s3.port).running() as proxy:
        archiving.parameters["EndpointUrl"] = f"http://127.0.0.1:{proxy.port}"
        archiving.parameters["Attempts"] = "1"
        when(archiving, lambda: bool(s3.uploads(bucket)), proxy.go_away)
        with pytest.raises(PluginFailed, match=r"Check (the server|EndpointUrl).* and the network"):
            await asyncio.to_thread(archiving.archive)
    (warning,) = archiving.lines(Level.WARN)
    assert warning.startswith(f"The rest of archive {name_of(7)} is removed by the next run: Cannot remove ")
    archiving.parameters["EndpointUrl"] = direct
    assert archiving.listed() == []
    assert s3.uploads(bucket) != []

    assert archiving.archive() == Result()
    assert archiving.lines(Level.WARN) == [
        f"Removing what an interrupted archive or deletion left of archive {name_of(7)}"
    ]
    assert archiving.listed() == [name_of(7)]
    assert s3.uploads(bucket) == []


async def test_a_short_absence_is_outlasted(archiving: Archiving, s3: S3Server) -> None:
    backup = archiving.backup()
    loop = asyncio.get_running_loop()
    async with FaultProxy(s3.port).running() as proxy:
        archiving.parameters["EndpointUrl"] = f"http://127.0.0.1:{proxy.port}"
        archiving.parameters["Attempts"] = "8"

        def falter() -> None:
            proxy.go_away()
            loop.call_later(0.5, proxy.come_back)

        when(archiving, lambda: bool(s3.uploads(archiving.parameters["BucketName"])), falter)
        assert await asyncio.to_thread(archiving.archive) == Result()
        before = contents(backup)
        shutil.rmtree(backup)
        when(archiving, lambda: fetched(archiving), falter)
        assert (await asyncio.to_thread(archiving.fetch, name_of(7))).code == 0
    assert contents(backup) == before


async def test_a_fetch_that_breaks_off_leaves_nothing(archiving: Archiving, s3: S3Server) -> None:
    archiving.make(7)
    shutil.rmtree(archiving.storage.folder / name_of(7))
    async with FaultProxy(s3.port).running() as proxy:
        archiving.parameters["EndpointUrl"] = f"http://127.0.0.1:{proxy.port}"
        archiving.parameters["Attempts"] = "1"
        when(archiving, lambda: fetched(archiving), proxy.go_away)
        with pytest.raises(PluginFailed, match=r"Cannot read .*Check (the server|EndpointUrl)"):
            await asyncio.to_thread(archiving.fetch, name_of(7))
    assert names_in(archiving.storage.folder) == []
