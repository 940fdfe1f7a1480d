"""The parameters of the plugin: what it declares, and how their text is read."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from urllib.parse import urlsplit

from workflows_app.domain import naming
from workflows_app.domain.config import check_name, check_policy
from workflows_app.domain.errors import ConfigInvalid
from workflows_app.domain.parameter_kinds import FLAG, PATH, PATHS, choice, number
from workflows_app.domain.results import ParameterSpec
from workflows_app.plugins.base import PluginContext
from workflows_app.plugins.values import flag, one_of, program_name, whole_number

_MOST_RATE = 10_000_000
_TAG = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.:/=-]{0,99}")
# Nothing that ssh or restic's own splitting of a command would take for more than one word.
_PATH = re.compile(r"/[A-Za-z0-9_./+@-]*")
_SFTP = re.compile(r"(?:([A-Za-z0-9_.-]+)@)?([A-Za-z0-9][A-Za-z0-9.-]*):(?:.+)")


class Proof(StrEnum):
    """How far a new snapshot is proven before it counts as a backup (``verification``)."""

    NEW = "new"
    STRUCTURE = "structure"


SPECS = (
    ParameterSpec(
        name="Repository",
        help="The repository, as restic writes it: an absolute path where the worker runs, "
        "sftp:user@host:/path, s3:https://server/bucket/prefix, or rest:https://server/name.",
        required=True,
    ),
    ParameterSpec(
        name="Password",
        help="The password of the repository. Without it nobody can read the backups: keep a copy elsewhere.",
        required=True,
        secret=True,
    ),
    ParameterSpec(
        name="BackupSrcPaths",
        help="The folders and files to back up: absolute paths where the worker runs, separated by commas. "
        "With automatic discovery, what the application reports takes their place.",
        required=True,
        form=PATHS,
    ),
    ParameterSpec(
        name="BackupName",
        help="The first part of a backup's name. Empty: the configuration's name.",
    ),
    ParameterSpec(
        name="CreateRepository",
        help="true: create the repository when it does not exist yet.",
        default="true",
        form=FLAG,
    ),
    ParameterSpec(
        name="Exclude",
        help="What to leave out: restic's patterns, separated by commas, such as *.tmp,/srv/www/cache.",
    ),
    ParameterSpec(
        name="OneFileSystem",
        help="true: do not enter other disks that are mounted below a source.",
        default="false",
        form=FLAG,
    ),
    ParameterSpec(
        name="Tags", help="Further tags for the snapshots, separated by commas: letters, digits, _ . : / = -"
    ),
    ParameterSpec(
        name="Proof",
        help="new: after each backup check the repository's structure and read back every new pack. "
        "structure: check the structure only, for repositories that are slow to read.",
        default=Proof.NEW,
        form=choice(*Proof),
    ),
    ParameterSpec(
        name="Prune",
        help="true: after retention remove the data that no snapshot needs any more; false: leave that to "
        "you.",
        default="true",
        form=FLAG,
    ),
    ParameterSpec(
        name="LockWait",
        help="How many seconds to wait, at most, while another restic has locked the repository.",
        default="600",
        form=number(1, 86_400),
    ),
    ParameterSpec(
        name="LimitUpload",
        help="KiB per second to the repository at most. Empty: no limit.",
        form=number(1, _MOST_RATE),
    ),
    ParameterSpec(
        name="LimitDownload",
        help="KiB per second from the repository at most. Empty: no limit.",
        form=number(1, _MOST_RATE),
    ),
    ParameterSpec(name="AccessKeyId", help="The access key of an s3: repository."),
    ParameterSpec(name="SecretAccessKey", help="The secret of the access key.", secret=True),
    ParameterSpec(name="AwsRegion", help="The region of an s3: repository, where the server wants one."),
    ParameterSpec(
        name="SftpPort",
        help="The port of an sftp: repository's server.",
        default="22",
        form=number(1, 65535),
    ),
    ParameterSpec(
        name="SftpKeyFile",
        help="The private key for an sftp: repository, a file of the worker's user. Empty: as ssh finds it.",
        form=PATH,
    ),
    ParameterSpec(
        name="SftpKnownHosts",
        help="The file that knows the sftp server's key. Empty: as ssh finds it. An unknown key is refused.",
        form=PATH,
    ),
    ParameterSpec(
        name="CaFile",
        help="A file with the certificates to trust, for s3: and rest: over https.",
        form=PATH,
    ),
    ParameterSpec(name="ResticCommand", help="The program: its name in PATH, or its path.", default="restic"),
)


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
        config, given = context.config, context.parameters
        check_name("profileName", config.profile_name)
        check_name("configName", config.config_name)
        base = given.get("BackupName") or config.config_name
        check_name("BackupName", base)
        repository = _repository(given.get("Repository", ""))
        return cls(
            profile=config.profile_name,
            config=config.config_name,
            base=base,
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
            lock_wait=whole_number("LockWait", given.get("LockWait", ""), 600, 86_400),
        )


def own_name(context: PluginContext) -> str:
    """The full name of the run's own backup. Raises ConfigInvalid when the call tells of no run."""
    config = context.config
    check_policy("backupPolicy", config.selected_backup_policy)
    if not config.workflow_id.isdecimal():
        raise ConfigInvalid("workflowId", f"{config.workflow_id!r} is not the number of a run")
    # The parameters of the call are those of the configuration with references resolved.
    parameters = {"storage_plugin_parameters": dict(context.parameters)}
    return naming.backup_name(config.model_copy(update=parameters))


def source_paths(context: PluginContext) -> tuple[str, ...]:
    """The absolute paths to back up; those of the application when it was discovered (§7.6).

    Raises ConfigInvalid when there are none, or one is not absolute.
    """
    discovered = context.config.auto_discovery
    names = ("DataFilePaths", "LogFilePaths") if discovered else ("BackupSrcPaths",)
    paths = []
    for name in names:
        for path in _split(name, context.parameters.get(name, "")):
            if not path.startswith("/"):
                raise ConfigInvalid(name, f"{path!r} is not an absolute path: let it begin with '/'")
            paths.append(path.rstrip("/") or "/")
    if not paths:
        raise ConfigInvalid(
            names[0],
            "the application reported no paths to back up: check its app plugin, or turn autoDiscovery off"
            if discovered
            else "is empty: give the absolute paths to back up, separated by commas",
        )
    return tuple(dict.fromkeys(paths))


def _repository(text: str) -> str:
    text = text.strip()
    if not text:
        raise ConfigInvalid("Repository", "is empty: say where the repository is")
    if not text.isprintable():
        raise ConfigInvalid("Repository", f"{text!r} is no place for a repository")
    kind, _, rest = text.partition(":")
    if kind == "sftp":
        if not rest.startswith("//") and not _SFTP.fullmatch(rest):
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
        if rate := whole_number(parameter, given.get(parameter, ""), 0, _MOST_RATE):
            options.append(f"{option}={rate}")
    if certificates := given.get("CaFile", "").strip():
        options.append(f"--cacert={_file('CaFile', certificates)}")
    if repository.startswith("sftp:"):
        options.append(f"--option=sftp.command={_sftp_command(given, repository)}")
    return tuple(options)


def _sftp_command(given: Mapping[str, str], repository: str) -> str:
    """The ssh that restic starts; it splits the text itself, so no word in it may have a blank."""
    port = whole_number("SftpPort", given.get("SftpPort", ""), 22, 65535)
    user, host = _sftp_login(repository)
    words = ["ssh", "-o", "BatchMode=yes", "-o", "StrictHostKeyChecking=yes", "-p", str(port)]
    if key := given.get("SftpKeyFile", "").strip():
        words += ["-i", _file("SftpKeyFile", key), "-o", "IdentitiesOnly=yes"]
    if known := given.get("SftpKnownHosts", "").strip():
        words += ["-o", f"UserKnownHostsFile={_file('SftpKnownHosts', known)}"]
    if user:
        words += ["-l", user]
    return " ".join([*words, host, "-s", "sftp"])


def _sftp_login(repository: str) -> tuple[str, str]:
    """The user (empty for none) and the host of an sftp repository."""
    rest = repository.removeprefix("sftp:")
    if rest.startswith("//"):
        parts = urlsplit(f"sftp:{rest}")
        user, host = parts.username or "", parts.hostname or ""
    else:
        match = _SFTP.fullmatch(rest)
        assert match is not None  # noqa: S101 - it was read as a repository
        user, host = match[1] or "", match[2]
    if not re.fullmatch(r"[A-Za-z0-9_.-]*", user) or not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9.-]*", host):
        raise ConfigInvalid("Repository", f"{repository!r} names no host that ssh could be asked for")
    return user, host


def _file(field: str, text: str) -> str:
    if not _PATH.fullmatch(text):
        raise ConfigInvalid(
            field, f"{text!r} is not an absolute path of letters, digits and '_ . / + @ -' alone"
        )
    return text


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
