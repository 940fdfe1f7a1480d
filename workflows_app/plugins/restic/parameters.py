"""The parameters of the plugin: how their text is read."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from workflows_app.domain.errors import ConfigInvalid
from workflows_app.plugins.base import PluginContext
from workflows_app.plugins.restic.sftp import is_sftp_place, plain_file, sftp_command
from workflows_app.plugins.restic.specs import MOST_RATE, MOST_WAIT, Proof
from workflows_app.plugins.storing.names import Owner
from workflows_app.plugins.storing.sources import source_paths
from workflows_app.plugins.values import flag, one_of, program_name, whole_number

_TAG = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.:/=-]{0,99}")


@dataclass(frozen=True, slots=True)
class Parameters:
    """What a call asks for, checked as far as that needs no look at anything.

    ``environment`` has what restic must be told in secret; ``options`` are its arguments for every command.
    ``base`` is the first part of backup names, ``local`` the repository's folder where it is one,
    ``lock_wait`` in seconds.
    """

    profile: str
    config: str
    base: str
    repository: str
    local: Path | None
    program: str
    environment: Mapping[str, str]
    options: tuple[str, ...]
    create: bool
    exclude: tuple[str, ...]
    one_file_system: bool
    tags: tuple[str, ...]
    proof: Proof
    prune: bool
    lock_wait: int

    @classmethod
    def of(cls, context: PluginContext) -> "Parameters":
        """Read the parameters of a call. Raises ConfigInvalid, which names the one that is refused."""
        owner, given = Owner.of(context), context.parameters
        repository = _repository(given.get("Repository", ""))
        return cls(
            profile=owner.profile,
            config=owner.config,
            base=owner.base,
            repository=repository,
            local=Path(repository) if repository.startswith("/") else None,
            program=program_name("ResticCommand", given.get("ResticCommand", ""), "restic"),
            environment=_environment(given, repository),
            options=_options(given, repository),
            create=flag("CreateRepository", given.get("CreateRepository", ""), default=True),
            exclude=_split("Exclude", given.get("Exclude", "")),
            one_file_system=flag("OneFileSystem", given.get("OneFileSystem", ""), default=False),
            tags=_tags(given.get("Tags", "")),
            proof=Proof(one_of("Proof", given.get("Proof", ""), tuple(Proof), Proof.NEW)),
            prune=flag("Prune", given.get("Prune", ""), default=True),
            lock_wait=whole_number("LockWait", given.get("LockWait", ""), 600, MOST_WAIT),
        )


def tidy_sources(context: PluginContext) -> tuple[str, ...]:
    """The paths to back up, each once and without a slash at its end. Raises ConfigInvalid."""
    return tuple(dict.fromkeys(path.rstrip("/") or "/" for path in source_paths(context)))


def _repository(text: str) -> str:
    text = text.strip()
    if not text:
        raise ConfigInvalid("Repository", "is empty: say where the repository is")
    if not text.isprintable():
        raise ConfigInvalid("Repository", f"{text!r} is no place for a repository")
    kind, _, rest = text.partition(":")
    if kind == "sftp":
        if not is_sftp_place(rest):
            raise ConfigInvalid("Repository", f"{text!r} is not sftp:user@host:/path")
        return text
    if kind in ("s3", "rest"):
        if urlsplit(rest).password is not None:
            raise ConfigInvalid("Repository", "has a password in it: give that as a parameter of its own")
        return text
    if not text.startswith("/"):
        raise ConfigInvalid(
            "Repository",
            f"{text!r} is neither an absolute path nor a repository of sftp:, s3: or rest:",
        )
    return text


def _environment(given: Mapping[str, str], repository: str) -> dict[str, str]:
    """What restic is told by its environment, which no list of processes shows."""
    password = given.get("Password", "")
    if not password:
        raise ConfigInvalid("Password", "is empty: a repository of restic always has a password")
    told = {"RESTIC_REPOSITORY": repository, "RESTIC_PASSWORD": password, "RESTIC_PROGRESS_FPS": "2"}
    for parameter, name in (
        ("AccessKeyId", "AWS_ACCESS_KEY_ID"),
        ("SecretAccessKey", "AWS_SECRET_ACCESS_KEY"),
        ("AwsRegion", "AWS_DEFAULT_REGION"),
    ):
        if value := given.get(parameter, "").strip():
            told[name] = value
    return told


def _options(given: Mapping[str, str], repository: str) -> tuple[str, ...]:
    options = []
    for parameter, option in (("LimitUpload", "--limit-upload"), ("LimitDownload", "--limit-download")):
        if rate := whole_number(parameter, given.get(parameter, ""), 0, MOST_RATE):
            options.append(f"{option}={rate}")
    if certificates := given.get("CaFile", "").strip():
        options.append(f"--cacert={plain_file('CaFile', certificates)}")
    if repository.startswith("sftp:"):
        options.append(f"--option=sftp.command={sftp_command(given, repository)}")
    return tuple(options)


def _split(field: str, text: str) -> tuple[str, ...]:
    parts = tuple(part.strip() for part in text.split(",") if part.strip())
    if any("\0" in part for part in parts):
        raise ConfigInvalid(field, "has a NUL in it")
    return parts


def _tags(text: str) -> tuple[str, ...]:
    tags = _split("Tags", text)
    for tag in tags:
        if not _TAG.fullmatch(tag) or tag.startswith("fossul"):
            raise ConfigInvalid(
                "Tags", f"{tag!r} is no tag: use letters, digits and '_ . : / = -', and not 'fossul' first"
            )
    return tags
