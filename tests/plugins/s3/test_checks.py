"""The test of the archive plugins s3 and aws: what may be done in the bucket, and nothing stays in it."""

import re
from dataclasses import replace
from uuid import uuid4

import pytest

from tests.plugins.archiving.archived import Archiving
from tests.plugins.findings import all_good, bad, words
from tests.plugins.s3.server import READER_KEY, READER_SECRET, SECRET_KEY, S3Server
from workflows_app.domain.findings import Finding, FindingState
from workflows_app.plugins.s3.plugin import fossul_plugin, plugin

READER = {"AccessKeyId": READER_KEY, "SecretAccessKey": READER_SECRET}


def look(archiving: Archiving, which: object = plugin, **parameters: str) -> tuple[Finding, ...]:
    context = archiving.context(**parameters)
    config = context.config.model_copy(update={"storage_plugin": "filesystem"})
    return which.check(replace(context, config=config))


def versions(s3: S3Server, bucket: str) -> list[object]:
    """All versions and delete markers of a bucket."""
    told = s3.client.list_object_versions(Bucket=bucket)
    return [*told.get("Versions", []), *told.get("DeleteMarkers", [])]


def test_all_that_an_archive_needs_is_good_and_nothing_stays(small: Archiving, s3: S3Server):
    found = look(small)
    assert all_good(found), found
    told = words(found, FindingState.GOOD)
    assert "opens with these credentials" in told
    assert "has 0 archives of this configuration" in told
    assert "written and deleted again" in told
    assert SECRET_KEY not in told
    assert s3.objects(small.parameters["BucketName"]) == {}


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"SecretAccessKey": "another-secret"}, "Check SecretAccessKey"),
        ({"AccessKeyId": "AKIANOBODY"}, "does not know the access key. Check AccessKeyId"),
        ({"BucketName": "no-such-bucket"}, "there is no such bucket. Correct BucketName"),
        ({"EndpointUrl": "http://127.0.0.1:1"}, "the server cannot be reached. Check EndpointUrl"),
        (READER, "Cannot write an object in .*: the access key may not do this"),
    ],
)
def test_what_the_server_refuses_is_told(small: Archiving, s3: S3Server, change: dict[str, str], why: str):
    found = look(small, **change)
    told = bad(found, "BucketName")
    assert re.search(why, told), found
    for secret in (SECRET_KEY, READER_SECRET, "another-secret"):
        assert secret not in told
    assert s3.objects(small.parameters["BucketName"]) == {}


def test_a_bucket_that_the_plugin_creates_is_doubtful_and_not_created(small: Archiving, s3: S3Server):
    name = f"new-{uuid4().hex[:8]}"
    found = look(small, fossul_plugin, BucketName=name)
    assert bad(found) == ""
    assert "the first archive creates it" in words(found, FindingState.WARN, "BucketName")
    assert name not in [bucket["Name"] for bucket in s3.client.list_buckets()["Buckets"]]


def test_no_version_stays_in_a_bucket_with_versions(small: Archiving, s3: S3Server):
    bucket = small.parameters["BucketName"]
    s3.client.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})
    found = look(small)
    assert "in all its versions" in words(found, FindingState.GOOD)
    assert versions(s3, bucket) == []


def test_a_bucket_that_locks_everything_is_not_written_to(small: Archiving, s3: S3Server):
    bucket = s3.new_bucket(ObjectLockEnabledForBucket=True)
    s3.client.put_object_lock_configuration(
        Bucket=bucket,
        ObjectLockConfiguration={
            "ObjectLockEnabled": "Enabled",
            "Rule": {"DefaultRetention": {"Mode": "GOVERNANCE", "Days": 1}},
        },
    )
    found = look(small, BucketName=bucket, ObjectLockDays="3")
    assert bad(found) == ""
    assert "an archive is kept for 3 days" in words(found, FindingState.GOOD, "ObjectLockDays")
    assert "An upload was begun and given up again" in words(found, FindingState.GOOD)
    assert "Whether archives can be deleted was not tried" in words(found, FindingState.UNKNOWN)
    assert versions(s3, bucket) == []
    assert s3.uploads(bucket) == []


def test_a_lock_that_the_bucket_cannot_give_is_bad(small: Archiving):
    assert "without object lock" in bad(look(small, ObjectLockDays="3"), "ObjectLockDays")


def test_all_mistakes_of_the_parameters_are_told_at_once_and_nobody_is_asked(small: Archiving):
    found = look(small, Connections="0", PartSize="many", EndpointUrl="http://127.0.0.1:1/path")
    assert {each.parameter for each in found} == {"Connections", "PartSize", "EndpointUrl"}
