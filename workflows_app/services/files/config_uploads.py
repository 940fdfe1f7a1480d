"""Configurations that somebody uploads: what they would change is shown first, and taken only then.

Between the two nothing is kept here: the page carries what was uploaded, sealed with the key of all secrets,
for the person who uploaded it, for an hour.
"""

import base64
import json
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from workflows_app.domain.config import check_name
from workflows_app.domain.errors import ConfigInvalid, NotNow
from workflows_app.domain.secrets.sealing import SealBroken
from workflows_app.services.configurations.secrets import opened_text, sealed_text
from workflows_app.services.files.config_archives import LARGEST_UPLOAD, SUFFIXES, gather, pack, unpack
from workflows_app.services.files.config_changes import Effect
from workflows_app.services.files.config_files import FolderReport, import_files
from workflows_app.services.people.permissions import Actor, Right

LIFE_SECONDS = 3600
# Sealed it grows by four fifths, and a form may have 2.5 MiB.
_LARGEST_KEPT = 2**20
_PACKED = "upload.zip"
_NO_CONFIGURATION = (
    "there is no configuration in it: its files are to be profile/configuration/*.conf, with "
    "configuration.conf among them"
)


@dataclass(frozen=True, slots=True)
class SentFile:
    """A file as it was sent: its name or its path in a folder, and its content."""

    path: str
    content: bytes


@dataclass(frozen=True, slots=True)
class ImportPlan:
    """What an upload would change. ``token`` takes it; it is empty where there is nothing to take."""

    report: FolderReport
    token: str = ""


def check_size(size: int) -> None:
    """Refuse an upload of more bytes than are read. Raises ConfigInvalid."""
    if size > LARGEST_UPLOAD:
        raise ConfigInvalid(
            "upload",
            f"it is more than {LARGEST_UPLOAD // 2**20} MiB: upload fewer configurations at once, or use the "
            "command import_configs",
        )


def plan_import(actor: Actor, sent: Iterable[SentFile], profile: str = "", config: str = "") -> ImportPlan:
    """Answer what the files that were sent would change; nothing is changed.

    They are one archive, the files of a folder, or, with ``profile`` and ``config``, the files of that
    configuration. Raises NotAllowed; ConfigInvalid for what is no such thing, or too large.
    """
    actor.require(Right.CONFIGURE)
    files = _files(tuple(sent), profile, config)
    report = import_files(actor, files, dry_run=True)
    if not (report.refused or any(change.effect is not Effect.KEPT for change in report.changes)):
        raise ConfigInvalid("upload", _NO_CONFIGURATION)
    if report.refused or not report.differs:
        return ImportPlan(report)
    packed = b"".join(pack(files))
    if len(packed) > _LARGEST_KEPT:
        raise ConfigInvalid(
            "upload", "it is too much for a page: upload fewer configurations, or use import_configs"
        )
    return ImportPlan(report, _token(actor, packed, report.seen))


def apply_import(actor: Actor, token: str) -> ImportPlan:
    """Take what a plan's ``token`` stands for, all of it or nothing, and answer what was changed.

    Raises NotAllowed; NotNow for a token that is too old, somebody else's or none, and when configurations
    were changed since the plan was made.
    """
    actor.require(Right.CONFIGURE)
    packed, seen = _opened(actor, token)
    return ImportPlan(import_files(actor, unpack(_PACKED, packed), seen=seen))


def plan_again(actor: Actor, token: str) -> ImportPlan:
    """Answer what the same upload would change now. Raises as ``apply_import`` does for its token."""
    actor.require(Right.CONFIGURE)
    packed, _ = _opened(actor, token)
    return plan_import(actor, (SentFile(_PACKED, packed),))


def _files(sent: tuple[SentFile, ...], profile: str, config: str) -> Mapping[str, bytes]:
    if not sent:
        raise ConfigInvalid("upload", "choose a file first")
    check_size(sum(len(file.content) for file in sent))
    if profile or config:
        check_name("profile", profile)
        check_name("configuration", config)
        place = f"{profile}/{config}"
        return gather(place, ((f"{place}/{file.path.rpartition('/')[2]}", file.content) for file in sent))
    if len(sent) == 1 and sent[0].path.lower().endswith(SUFFIXES):
        return unpack(sent[0].path, sent[0].content)
    if not any("/" in file.path for file in sent):
        kinds = ", ".join(SUFFIXES)
        raise ConfigInvalid(
            "upload", f"{sent[0].path} is none of {kinds}: for single files say whose configuration they are"
        )
    return gather("the folder", ((file.path, file.content) for file in sent))


def _token(actor: Actor, packed: bytes, seen: str) -> str:
    kept = {
        "by": actor.name,
        "until": int(time.time()) + LIFE_SECONDS,
        "seen": seen,
        "files": base64.b64encode(packed).decode(),
    }
    return sealed_text(json.dumps(kept))


def _opened(actor: Actor, token: str) -> tuple[bytes, str]:
    """The packed files of a token, and the digest of what it was planned on. Raises NotNow."""
    try:
        kept = json.loads(opened_text(token))
        by, until, seen, packed = kept["by"], kept["until"], kept["seen"], base64.b64decode(kept["files"])
    except (SealBroken, ValueError, KeyError, TypeError):
        raise NotNow("This is no plan that was shown here. Upload the files again.") from None
    if by != actor.name or until < time.time():
        raise NotNow("The plan is somebody else's, or more than an hour old. Upload the files again.")
    return packed, seen
