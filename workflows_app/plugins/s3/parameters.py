"""The parameters of the plugin: what it declares, and how their text is read."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from string import ascii_letters, ascii_lowercase, digits

from workflows_app.domain.config import check_name
from workflows_app.domain.errors import ConfigInvalid
from workflows_app.domain.parameter_kinds import (
    ADDRESS,
    FLAG,
    SIZE,
    address_refusal,
    choice,
    number,
    spelled,
)
from workflows_app.domain.results import ParameterSpec
from workflows_app.plugins.base import PluginContext
from workflows_app.plugins.values import flag, whole_number

MiB = 1024 * 1024
DEFAULT_PART_SIZE = 16 * MiB
# What S3 itself allows.
_LEAST_PART, _MOST_PART = 5 * MiB, 5 * 1024 * MiB
_UNITS = {"": 1, "K": 1024, "M": MiB, "G": 1024 * MiB}
_SIZE = re.compile(r"([0-9]{1,12})([KMG]?)", re.IGNORECASE)
# What botocore takes: a part of a host name.
_REGION = re.compile(r"(?!-)[A-Za-z0-9-]{1,63}(?<!-)")
_BUCKET = re.compile(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]")
_PREFIX = re.compile(r"[A-Za-z0-9!_.*'()-]+(?:/[A-Za-z0-9!_.*'()-]+)*")


def specs(create_bucket: bool) -> tuple[ParameterSpec, ...]:
    """What the plugin declares; ``create_bucket`` is the default of ``CreateBucket``."""
    return (
        ParameterSpec(
            name="BucketName",
            help="The bucket that keeps the archives.",
            required=True,
            form=spelled(f"{ascii_lowercase}{digits}.-", 3, 63),
        ),
        ParameterSpec(
            name="AwsRegion",
            help="The bucket's region. Empty: as the worker's AWS configuration says.",
            form=spelled(f"{ascii_letters}{digits}-", 1, 63),
        ),
        ParameterSpec(
            name="EndpointUrl",
            help="The address of a server that speaks S3, such as https://s3.example.org:9000. Empty: AWS.",
            form=ADDRESS,
        ),
        ParameterSpec(
            name="Prefix",
            help="What keys begin with. An archive is in <Prefix>/<profile>/<configuration>/<backup name>/.",
            form=spelled(f"{ascii_letters}{digits}!_.*'()-/"),
        ),
        ParameterSpec(
            name="AccessKeyId",
            help="The access key. Empty: the worker's own AWS credentials (environment, file, or role).",
        ),
        ParameterSpec(name="SecretAccessKey", help="The secret of the access key.", secret=True),
        ParameterSpec(
            name="SessionToken", help="The token that temporary credentials come with.", secret=True
        ),
        ParameterSpec(
            name="AwsProfile", help="A profile in the AWS credentials file of the worker, in place of a key."
        ),
        ParameterSpec(
            name="CreateBucket",
            help="true: create the bucket when it does not exist.",
            default="true" if create_bucket else "false",
            form=FLAG,
        ),
        ParameterSpec(
            name="PartSize",
            help="The size of the parts of large files, from 5M to 5G (binary units). Files up to this size "
            "are sent whole.",
            default="16M",
            form=SIZE,
        ),
        ParameterSpec(
            name="Connections",
            help="How many parts are sent at the same time, 1 to 32.",
            default="4",
            form=number(1, 32),
        ),
        ParameterSpec(
            name="Attempts",
            help="How often a request is tried in all, 1 to 20, with growing pauses.",
            default="5",
            form=number(1, 20),
        ),
        ParameterSpec(
            name="ObjectLockDays",
            help="For how many days the storage refuses to delete an archive. Empty: no lock. The bucket "
            "must have been created with object lock.",
            form=number(1),
        ),
        ParameterSpec(
            name="ObjectLockMode",
            help="GOVERNANCE (some users may lift the lock) or COMPLIANCE (nobody may).",
            default="GOVERNANCE",
            form=choice("GOVERNANCE", "COMPLIANCE"),
        ),
    )


@dataclass(frozen=True, slots=True)
class Credentials:
    """What signs the requests; all empty for the worker's own. Never shown."""

    access_key: str = field(default="", repr=False)
    secret_key: str = field(default="", repr=False)
    token: str = field(default="", repr=False)
    profile: str = ""


@dataclass(frozen=True, slots=True)
class Parameters:
    """What a call asks for. ``prefix`` is empty or ends in ``/``; ``part_size`` in bytes.

    ``lock_days`` is None for no lock; ``endpoint`` is empty for AWS.
    """

    bucket: str
    region: str
    endpoint: str
    prefix: str
    credentials: Credentials
    create_bucket: bool
    part_size: int
    connections: int
    attempts: int
    lock_days: int | None
    lock_mode: str

    @classmethod
    def of(cls, context: PluginContext, create_bucket: bool) -> "Parameters":
        """Read the parameters of a call. Raises ConfigInvalid, which names the one that is refused."""
        config = context.config
        check_name("profileName", config.profile_name)
        check_name("configName", config.config_name)
        given = {name: text.strip() for name, text in context.parameters.items()}
        days = given.get("ObjectLockDays", "")
        return cls(
            bucket=_bucket(given.get("BucketName", "")),
            region=_region(given.get("AwsRegion", "")),
            endpoint=_endpoint(given.get("EndpointUrl", "")),
            prefix=_prefix(given.get("Prefix", "")),
            credentials=_credentials(given),
            create_bucket=flag("CreateBucket", given.get("CreateBucket", ""), default=create_bucket),
            part_size=_size("PartSize", given.get("PartSize", "")),
            connections=whole_number("Connections", given.get("Connections", ""), 4, 32),
            attempts=whole_number("Attempts", given.get("Attempts", ""), 5, 20),
            lock_days=whole_number("ObjectLockDays", days, 1, 36500) if days else None,
            lock_mode=_mode(given.get("ObjectLockMode", "")),
        )

    @property
    def where(self) -> str:
        """The bucket, for people."""
        return f"bucket {self.bucket}" + (f" at {self.endpoint}" if self.endpoint else "")


def _bucket(text: str) -> str:
    if not _BUCKET.fullmatch(text):
        raise ConfigInvalid(
            "BucketName",
            f"{text!r} is not the name of a bucket: use 3 to 63 small letters, digits, '-' or '.', starting "
            "and ending with a letter or digit",
        )
    return text


def _region(text: str) -> str:
    if text and not _REGION.fullmatch(text):
        raise ConfigInvalid("AwsRegion", f"{text!r} is not the name of a region, such as eu-central-1")
    return text


def _endpoint(text: str) -> str:
    if not text:
        return ""
    if refusal := address_refusal(text):
        raise ConfigInvalid("EndpointUrl", refusal)
    return text.rstrip("/")


def _prefix(text: str) -> str:
    inner = text.strip("/")
    if not inner:
        return ""
    if not _PREFIX.fullmatch(inner) or any(part in (".", "..") for part in inner.split("/")):
        raise ConfigInvalid("Prefix", f"{text!r} has other characters than letters, digits and !_.*'()-/")
    return f"{inner}/"


def _credentials(given: Mapping[str, str]) -> Credentials:
    key, secret = given.get("AccessKeyId", ""), given.get("SecretAccessKey", "")
    token, profile = given.get("SessionToken", ""), given.get("AwsProfile", "")
    if key and not secret:
        raise ConfigInvalid("SecretAccessKey", "is empty: give the secret of AccessKeyId")
    if (secret or token) and not key:
        raise ConfigInvalid("AccessKeyId", "is empty: give the access key that the secret belongs to")
    if key and profile:
        raise ConfigInvalid("AwsProfile", "give either a profile or AccessKeyId, not both")
    return Credentials(key, secret, token, profile)


def _mode(text: str) -> str:
    mode = text.upper() or "GOVERNANCE"
    if mode not in ("GOVERNANCE", "COMPLIANCE"):
        raise ConfigInvalid("ObjectLockMode", f"{text!r} is neither GOVERNANCE nor COMPLIANCE")
    return mode


def _size(field: str, text: str) -> int:
    if not text:
        return DEFAULT_PART_SIZE
    match = _SIZE.fullmatch(text)
    size = int(match[1]) * _UNITS[match[2].upper()] if match else 0
    if not _LEAST_PART <= size <= _MOST_PART:
        raise ConfigInvalid(field, f"{text!r} is not a size from 5M to 5G: use digits with K, M or G")
    return size
