"""What the plugin declares of its parameters."""

from enum import StrEnum

from workflows_app.domain.parameter_kinds import FLAG, PATH, choice, number
from workflows_app.domain.results import ParameterSpec
from workflows_app.plugins.storing.names import NAME_SPEC
from workflows_app.plugins.storing.sources import SOURCES_SPEC

MOST_RATE = 10_000_000
MOST_WAIT = 86_400


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
    SOURCES_SPEC,
    NAME_SPEC,
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
        form=number(1, MOST_WAIT),
    ),
    ParameterSpec(
        name="LimitUpload",
        help="KiB per second to the repository at most. Empty: no limit.",
        form=number(1, MOST_RATE),
    ),
    ParameterSpec(
        name="LimitDownload",
        help="KiB per second from the repository at most. Empty: no limit.",
        form=number(1, MOST_RATE),
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
