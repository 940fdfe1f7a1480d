"""Archives in a bucket of a real server: whole, verified, and never half."""

import gc
import hashlib
import os
import shutil
import tracemalloc
from pathlib import Path

import pytest

from tests.plugins.archiving.archived import Archiving, contents, name_of
from tests.plugins.filesystem.restoring import Restoring
from tests.plugins.filesystem.trees import MiB, names_in, picture
from tests.plugins.s3.server import SECRET_KEY, S3Server
from workflows_app.domain.errors import Cancelled, PluginFailed
from workflows_app.domain.results import Level, Result
from workflows_app.domain.retention.keep_rules import KeepRules
from workflows_app.plugins.s3.client import client_of
from workflows_app.plugins.s3.parameters import Parameters
from workflows_app.plugins.s3.plugin import fossul_plugin
from workflows_app.plugins.s3.upload import Digests, Slice, Upload


def stored(s3: S3Server, archiving: Archiving) -> dict[str, bytes]:
    return s3.objects(archiving.parameters["BucketName"])


def record_of(number: int, **name: str) -> str:
    return f"test/shop/{name_of(number, **name)}.archive.jsonl"


def test_an_archive_is_the_backup_byte_by_byte(archiving: Archiving, s3: S3Server) -> None:
    backup = archiving.backup()
    assert archiving.archive() == Result()
    found = stored(s3, archiving)
    assert found.pop(record_of(7)).startswith(b'{"format":"fossul-archive/1"')
    assert found == {f"test/shop/{name_of(7)}/{path}": data for path, data in contents(backup).items()}
    assert archiving.listed() == [name_of(7)]


def test_a_large_file_goes_in_parts_that_the_server_has_checksums_of(
    archiving: Archiving, s3: S3Server
) -> None:
    archiving.backup()
    archiving.archive()
    head = s3.client.head_object(
        Bucket=archiving.parameters["BucketName"],
        Key=f"test/shop/{name_of(7)}/{name_of(7)}.tar.zst",
        ChecksumMode="ENABLED",
    )
    assert head["ETag"].endswith('-3"')
    assert head["ChecksumSHA256"].endswith("-3")
    assert s3.uploads(archiving.parameters["BucketName"]) == []


def test_the_way_of_an_archive_is_told(archiving: Archiving) -> None:
    archiving.backup()
    archiving.archive()
    bucket = archiving.parameters["BucketName"]
    assert archiving.lines()[:2] == [
        "Performing archive",
        f"Archive name is {name_of(7)}, Archive path is s3://{bucket}/test/shop/",
    ]
    assert archiving.lines()[-1] == f"Archive {name_of(7)} completed: 2 files, 12.0 MiB, verified"
    assert archiving.lines(Level.WARN) == archiving.lines(Level.ERROR) == []
    last = archiving.reports[-1]
    assert (last.note, last.done_files, last.total_files) == ("archiving", 2, 2)
    assert last.done_bytes == last.total_bytes > 12 * MiB


def test_a_fetched_archive_is_the_backup_and_can_be_restored(archiving: Archiving, tmp_path: Path) -> None:
    backup = archiving.backup()
    archiving.archive()
    before, source = contents(backup), picture(archiving.storage.source)
    shutil.rmtree(backup)

    result = archiving.fetch(name_of(7))
    assert (result.code, result.backup.name, result.backup.policy) == (0, name_of(7), "daily")
    assert contents(backup) == before
    assert archiving.lines()[-1] == f"Archive {name_of(7)} fetched: 2 files, 12.0 MiB, verified"

    target = tmp_path / "restored"
    target.mkdir()
    assert Restoring(archiving.storage).restore(7, target=target).code == 0
    assert picture(target / str(archiving.storage.source).lstrip("/")) == source


def test_a_tree_with_odd_names_comes_back(small: Archiving) -> None:
    tree = small.storage.folder / name_of(7)
    (tree / "data" / "empty").mkdir(parents=True)
    for name in ("none", "a b+c%20", "ä\u2028&<>\"'", "data/?#", "data/.hidden"):
        (tree / name).write_bytes(name.encode())
    (tree / "none").write_bytes(b"")
    small.archive()
    before = contents(tree)
    shutil.rmtree(tree)
    small.fetch(name_of(7))
    assert contents(tree) == before


def test_a_name_that_no_object_can_have_is_refused(small: Archiving, s3: S3Server) -> None:
    backup = small.backup()
    (backup / os.fsdecode(b"odd-\xff")).touch()
    with pytest.raises(PluginFailed, match=r"odd-\\xff has a name that no object can have"):
        small.archive()
    assert stored(s3, small) == {}


def test_a_prefix_comes_before_everything(small: Archiving, s3: S3Server) -> None:
    small.parameters["Prefix"] = "/backups/site-1/"
    small.make(7)
    assert {key.split("/test/")[0] for key in stored(s3, small)} == {"backups/site-1"}
    assert small.listed() == [name_of(7)]
    small.parameters["Prefix"] = "backups"
    assert small.listed() == []


def test_a_damaged_backup_is_not_archived(archiving: Archiving, s3: S3Server) -> None:
    archiving.backup()
    with archiving.storage.archive().open("r+b") as file:
        file.seek(1000)
        file.write(b"damage")
    with pytest.raises(PluginFailed, match="the backup is damaged and is not archived"):
        archiving.archive()
    assert stored(s3, archiving) == {}


def test_an_archive_is_never_replaced(small: Archiving, s3: S3Server) -> None:
    small.make(7)
    before = stored(s3, small)
    with pytest.raises(PluginFailed, match=r"There is an archive s3://.* already"):
        small.archive()
    assert stored(s3, small) == before


def test_objects_of_the_same_name_are_never_replaced(small: Archiving, s3: S3Server) -> None:
    small.backup()
    key = f"test/shop/{name_of(7)}/{name_of(7)}.tar.zst"
    s3.client.put_object(Bucket=small.parameters["BucketName"], Key=key, Body=b"Fossul's own")
    with pytest.raises(PluginFailed, match=r"There is an archive s3://.* already"):
        small.archive()
    assert stored(s3, small) == {key: b"Fossul's own"}


@pytest.mark.parametrize("size", [0, 5 * MiB])
def test_a_cancelled_archive_leaves_nothing(archiving: Archiving, s3: S3Server, size: int) -> None:
    archiving.backup()
    archiving.cancel_when_reported("archiving", size)
    with pytest.raises(Cancelled):
        archiving.archive()
    archiving.cancelled = lambda: False
    assert stored(s3, archiving) == {}
    assert s3.uploads(archiving.parameters["BucketName"]) == []
    assert archiving.archive() == Result()


def test_what_a_killed_worker_left_is_removed_and_nothing_else(small: Archiving, s3: S3Server) -> None:
    bucket, half = small.parameters["BucketName"], f"test/shop/{name_of(5)}"
    fossuls = f"test/shop/{name_of(4)}/file"
    for key in (f"{half}.archive.begun", f"{half}/a", f"{half}/b/c", fossuls):
        s3.client.put_object(Bucket=bucket, Key=key, Body=b"x")
    s3.client.create_multipart_upload(Bucket=bucket, Key=f"{half}/big")
    assert small.listed() == []
    small.make(7)
    assert small.lines(Level.WARN) == [
        f"Removing what an interrupted archive or deletion left of archive {name_of(5)}"
    ]
    left = {key for key in stored(s3, small) if name_of(7) not in key}
    assert left == {fossuls}
    assert s3.uploads(bucket) == []


def test_a_copy_that_the_server_holds_otherwise_is_no_archive(
    archiving: Archiving, s3: S3Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    archiving.backup()
    monkeypatch.setattr(Digests, "checksum", lambda self, whole: "another")
    with pytest.raises(PluginFailed, match="is not what was sent"):
        archiving.archive()
    assert stored(s3, archiving) == {}


@pytest.mark.parametrize("etag", [None, '"of-an-encrypted-object"'])
@pytest.mark.parametrize("size", [0, 1000, 11 * MiB])
def test_a_server_that_knows_no_checksums_is_asked_otherwise(
    archiving: Archiving, tmp_path: Path, size: int, etag: str | None
) -> None:
    file = tmp_path / "file"
    file.write_bytes(os.urandom(size))
    context = archiving.context()
    parameters = Parameters.of(context, create_bucket=False)
    asked = []

    def forget(parsed: dict[str, object], **_: object) -> None:
        asked.append(parsed.pop("ChecksumSHA256", None))
        parsed["ETag"] = etag or parsed["ETag"]

    with client_of(parameters, context.check_cancelled) as client:
        client.meta.events.register("after-call.s3.HeadObject", forget)
        upload = Upload(client, parameters, {}, context.check_cancelled)
        sums = upload.send(file, "key", lambda size: None)
        client.put_object(Bucket=parameters.bucket, Key="key", Body=b"other")
        with pytest.raises(PluginFailed, match="is not what was sent"):
            upload._verify("key", _digests_of(file, size), whole=size <= 5 * MiB)
    assert (sums.size, sums.sha256) == (size, hashlib.sha256(file.read_bytes()).hexdigest())
    assert asked


def _digests_of(file: Path, size: int) -> Digests:
    digests = Digests()
    with file.open("rb") as opened:
        for begin in range(0, max(size, 1), 5 * MiB):
            digests.add(Slice(opened.fileno(), begin, min(5 * MiB, size - begin), lambda: None))
    return digests


def peak_memory(archiving: Archiving, number: int, size: int) -> int:
    """The most memory that archiving and fetching a file of that size took, in bytes."""
    tree = archiving.storage.folder / name_of(number)
    tree.mkdir(parents=True)
    with (tree / "file").open("wb") as file:
        file.truncate(size)
    gc.collect()
    tracemalloc.start()
    archiving.archive(number, Connections="2", PartSize="12M")
    gc.collect()
    shutil.rmtree(tree)
    archiving.fetch(name_of(number))
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    return peak


def test_memory_does_not_grow_with_the_size(archiving: Archiving) -> None:
    archiving.listed()  # some models of the client are loaded once
    little = peak_memory(archiving, 1, 13 * MiB)
    assert peak_memory(archiving, 2, 96 * MiB) < little + 4 * MiB
    assert little < 32 * MiB


def test_the_surplus_goes_in_fossuls_words_and_nothing_else(small: Archiving, s3: S3Server) -> None:
    small.make(1, 2, 3)
    small.make(4, policy="weekly")
    small.make(5, base="web")
    s3.client.put_object(
        Bucket=small.parameters["BucketName"], Key=f"test/shop/{name_of(0)}/file", Body=b"Fossul's own"
    )
    assert small.retain(2, 3) == Result()
    assert small.said == [
        (Level.INFO, "Number of archives [3] greater than archive retention [2]"),
        (Level.INFO, f"Deleting archive {name_of(1)}"),
        (Level.INFO, f"Archive {name_of(1)} deleted successfully"),
    ]
    assert small.listed() == [name_of(2), name_of(3), name_of(4, "weekly"), name_of(5, base="web")]
    assert [key for key in stored(s3, small) if name_of(1) in key] == []
    assert f"test/shop/{name_of(0)}/file" in stored(s3, small)


def test_a_list_that_cannot_be_read_deletes_nothing(small: Archiving, s3: S3Server) -> None:
    small.make(1, 2)
    before = stored(s3, small)
    secret = small.parameters["SecretAccessKey"]
    small.parameters["SecretAccessKey"] = "another-secret"
    with pytest.raises(PluginFailed, match="Cannot list the archives"):
        small.retain(1, 2)
    small.parameters["SecretAccessKey"] = secret
    assert stored(s3, small) == before


def test_a_damaged_archive_is_not_fetched(small: Archiving, s3: S3Server) -> None:
    small.make(7)
    shutil.rmtree(small.storage.folder / name_of(7))
    key = f"test/shop/{name_of(7)}/{name_of(7)}.tar.zst"
    s3.client.put_object(Bucket=small.parameters["BucketName"], Key=key, Body=b"damage")
    with pytest.raises(PluginFailed, match="the archive is damaged"):
        small.fetch(name_of(7))
    s3.client.delete_object(Bucket=small.parameters["BucketName"], Key=key)
    with pytest.raises(PluginFailed, match=rf"Cannot read {key} in .*: it is not there"):
        small.fetch(name_of(7))
    assert names_in(small.storage.folder) == []


def test_a_locked_archive_stays_until_its_lock_ends(small: Archiving, s3: S3Server) -> None:
    bucket = s3.new_bucket(ObjectLockEnabledForBucket=True)
    small.parameters |= {"BucketName": bucket, "ObjectLockDays": "1", "ObjectLockMode": "governance"}
    small.make(1, 2)
    key = f"test/shop/{name_of(1)}/{name_of(1)}.tar.zst"
    head = s3.client.head_object(Bucket=bucket, Key=key)
    assert head["ObjectLockMode"] == "GOVERNANCE"
    with pytest.raises(s3.client.exceptions.ClientError, match="AccessDenied"):
        s3.client.delete_object(Bucket=bucket, Key=key, VersionId=head["VersionId"])
    assert small.retain(1, 2) == Result()
    assert small.lines()[-1].startswith(f"Archive {name_of(1)} is locked until ")
    assert small.listed() == [name_of(1), name_of(2)]


def test_a_bucket_that_cannot_lock_is_told_before_anything_is_sent(small: Archiving, s3: S3Server) -> None:
    small.backup()
    with pytest.raises(PluginFailed, match="the bucket was made without object lock"):
        small.archive(ObjectLockDays="1")
    assert stored(s3, small) == {}


def test_fossuls_parameters_and_the_workers_own_credentials_are_enough(
    small: Archiving, s3: S3Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    bucket = f"{small.parameters['BucketName']}-new"
    small.plugin, small.parameters = fossul_plugin, {"BucketName": bucket, "AwsRegion": "eu-west-1"}
    monkeypatch.setenv("AWS_ENDPOINT_URL", s3.endpoint)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIAFOSSULTEST")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", SECRET_KEY)
    small.make(7)
    assert small.lines(Level.WARN) == [f"There is no bucket {bucket}; it is created"]
    assert small.listed() == [name_of(7)]
    small.make(8)
    assert small.lines(Level.WARN) == []


def test_a_profile_of_the_workers_credentials_file_is_taken(
    small: Archiving, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "credentials").write_text(
        f"[archives]\naws_access_key_id = AKIAFOSSULTEST\naws_secret_access_key = {SECRET_KEY}\n"
    )
    del small.parameters["AccessKeyId"], small.parameters["SecretAccessKey"]
    small.parameters["AwsProfile"] = "archives"
    small.make(7)
    assert small.listed() == [name_of(7)]
    small.parameters["AwsProfile"] = "none"
    with pytest.raises(PluginFailed, match=r"has no such profile. Check AwsProfile"):
        small.listed()


def test_the_newest_of_each_day_that_counts_stays(small: Archiving) -> None:
    day = 86_400
    small.make(1, day, 2 * day, 2 * day + 1)
    assert small.retain(0, 2 * day + 1, rules=KeepRules(daily=2)) == Result()
    assert small.listed() == [name_of(day), name_of(2 * day + 1)]
