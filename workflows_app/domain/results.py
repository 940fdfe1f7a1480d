"""What steps and runs answer, in Fossul's wire format (fossul-behaviour.md §1)."""

import re
import time
from enum import StrEnum

from workflows_app.domain.parameter_kinds import TEXT, ParameterForm
from workflows_app.domain.wire import WireModel

_COMMAND_FAILED = re.compile(r"(?:Plugin c|C)ommand \[.*\] failed", re.DOTALL)
_HOW = re.compile(r"(?:Plugin c|C)ommand failed( with \[.*\])", re.DOTALL)


class Level(StrEnum):
    """The level of a message; ``UNKOWN`` is Fossul's own spelling on the wire."""

    INFO = "INFO"
    WARN = "WARN"
    ERROR = "ERROR"
    DEBUG = "DEBUG"
    CMD = "CMD"
    COMMENT = "COMMENT"
    UNKNOWN = "UNKOWN"

    @classmethod
    def _missing_(cls, value: object) -> "Level":
        """Any other level is unknown, as in Fossul (§7.2)."""
        return cls.UNKNOWN


class StepStatus(StrEnum):
    """The status of a step on the wire."""

    RUNNING = "RUNNING"
    COMPLETE = "COMPLETE"
    ERROR = "ERROR"


class WorkflowStatus(StrEnum):
    """The status of a workflow on the wire: ``RUNNING`` until it closes."""

    RUNNING = "RUNNING"
    COMPLETED = "COMPLETED"
    ERROR = "ERROR"


class Message(WireModel):
    """One log line. ``time`` is in whole unix seconds."""

    omit_empty = frozenset({"time", "level", "message"})

    time: int = 0
    level: str = ""
    message: str = ""

    @classmethod
    def now(cls, level: Level, text: str) -> "Message":
        """Make a message that happens now."""
        return cls(time=int(time.time()), level=level, message=text)


class Content(WireModel):
    """One part of a backup: a volume, a filesystem path or a custom resource."""

    omit_empty = frozenset(
        {"type", "source", "metadata", "data", "size", "storageClass", "volumeSnapshotClass"}
    )

    type: str = ""
    source: str = ""
    metadata: str = ""
    data: str = ""
    size: str = ""
    storage_class: str = ""
    volume_snapshot_class: str = ""


class Backup(WireModel):
    """A backup as its storage plugin reports it; empty (``{}``) where there is none.

    ``name`` is the full ``<BackupName>-<policy>-<workflowId>-<epoch>``, ``timestamp`` the epoch as a
    decimal string, ``epoch`` unix seconds, ``workflow_id`` a decimal string.
    """

    omit_empty = frozenset({"name", "timestamp", "epoch", "policy", "workflowId", "contents"})

    name: str = ""
    timestamp: str = ""
    epoch: int = 0
    policy: str = ""
    workflow_id: str = ""
    contents: tuple[Content, ...] = ()

    @property
    def size(self) -> int | None:
        """How many bytes it takes, None where its contents do not tell it in bytes.

        Several contents may share one file: each file counts once.
        """
        sizes = {c.data or c.source: int(c.size) for c in self.contents if c.size.isdecimal()}
        return sum(sizes.values()) if sizes else None


class Archive(WireModel):
    """A copy of a backup on second storage. Fields as ``Backup``'s."""

    omit_empty = frozenset({"name", "timestamp", "epoch", "policy", "workflowId"})

    name: str = ""
    timestamp: str = ""
    epoch: int = 0
    policy: str = ""
    workflow_id: str = ""


class Backups(WireModel):
    """The backups that a storage plugin has (``backup`` is singular on Fossul's wire), or why not.

    ``abilities`` is our addition: what else the plugin can do with one (``plugins.base``).
    """

    omit_empty = frozenset({"backup", "abilities"})

    backup: tuple[Backup, ...] = ()
    abilities: tuple[str, ...] = ()
    result: "Result"


class Archives(WireModel):
    """The archives that an archive plugin has (``archive`` is singular on Fossul's wire), or why not."""

    omit_empty = frozenset({"archive", "abilities"})

    archive: tuple[Archive, ...] = ()
    abilities: tuple[str, ...] = ()
    result: "Result"


class Discover(WireModel):
    """What was discovered of one instance of an application: the paths of its data and of its logs."""

    omit_empty = frozenset({"instance", "data", "logs"})

    instance: str = ""
    data: tuple[str, ...] = ()
    logs: tuple[str, ...] = ()


class Result(WireModel):
    """What one step answers: ``code`` 0 is success, anything else a failure the step reports itself.

    ``discover_list`` is what a discovery found (Fossul sends it in a DiscoverResult around the Result).
    ``lines`` and ``why`` are our additions: how many lines the step said in all, so that a reader of the log
    knows when it has them all; and the words in which a plugin refused, which sum up what it said before.
    """

    omit_empty = frozenset({"code", "messages", "data", "discoverList", "lines", "why"})

    code: int = 0
    messages: tuple[Message, ...] = ()
    data: tuple[str, ...] = ()
    backup: Backup = Backup()
    discover_list: tuple[Discover, ...] = ()
    lines: int = 0
    why: str = ""

    @property
    def reason(self) -> str:
        """Why the step failed, in its own words: ``why``, or its first message at level ERROR.

        Fossul says in one that a command failed, and in the next one how (§6); these two are one reason.
        """
        if self.why:
            return self.why
        errors = (message.message for message in self.messages if message.level == Level.ERROR)
        first = next(errors, "")
        how = _HOW.fullmatch(next(errors, "")) if _COMMAND_FAILED.fullmatch(first) else None
        return f"{first}{how[1]}" if how else first or f"it answered code {self.code}"


class Step(WireModel):
    """A step of a workflow on the wire. ``key``, ``name`` and ``phase`` are our additions.

    ``id`` is the index in ``Workflow.steps``, ``label`` Fossul's ``Step <id>``.
    """

    omit_empty = frozenset({"label", "key", "name", "phase"})

    id: int
    status: StepStatus
    label: str = ""
    key: str = ""
    name: str = ""
    phase: str = ""


class Workflow(WireModel):
    """A run on the wire. ``id`` is the run's number, ``timestamp`` RFC 3339."""

    omit_empty = frozenset({"timestamp", "steps", "lastMessage"})

    id: int = 0
    status: WorkflowStatus = WorkflowStatus.RUNNING
    type: str = ""
    policy: str = ""
    timestamp: str = ""
    steps: tuple[Step, ...] = ()
    last_message: str = ""


class WorkflowStatusResult(WireModel):
    """The result of a run, and the answer to its query ``status``."""

    workflow: Workflow = Workflow()
    result: Result = Result()


class Capability(WireModel):
    """One thing a plugin can do, by Fossul's name for it (``backup``, ``quiesce``, …)."""

    name: str = ""


def capabilities(*names: str) -> tuple[Capability, ...]:
    """What a plugin can do, by the names of it."""
    return tuple(Capability(name=name) for name in names)


class ParameterSpec(WireModel):
    """A parameter that a plugin declares: what a form asks for and a check holds against.

    One that is ``required`` may be so ``unless`` another has a value: ``MysqlMethod=hold``.
    """

    omit_empty = frozenset({"unless"})

    name: str
    help: str = ""
    required: bool = False
    unless: str = ""
    secret: bool = False
    default: str = ""
    form: ParameterForm = TEXT


class PluginInfo(WireModel):
    """What a plugin says of itself (``Plugin`` in Fossul); ``parameters`` is our addition."""

    omit_empty = frozenset({"name", "description", "version", "type", "parameters"})

    name: str = ""
    description: str = ""
    version: str = ""
    type: str = ""
    capabilities: tuple[Capability, ...] = ()
    parameters: tuple[ParameterSpec, ...] = ()
