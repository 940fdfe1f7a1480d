"""Has mongodump read the collections: each of the time in which it is read."""

import json
import os
import re
import tempfile
from dataclasses import asdict
from pathlib import Path

from workflows_app.domain.errors import ConfigInvalid, PluginFailed
from workflows_app.domain.results import Level
from workflows_app.domain.secrets.redaction import Redactor
from workflows_app.plugins.base import PluginContext
from workflows_app.plugins.mongo_dump.bson_file import Damaged, Tally, tally_of
from workflows_app.plugins.mongo_dump.file_names import METADATA, collection_of, data_file
from workflows_app.plugins.mongo_dump.manifest import CollectionKind, DumpedCollection
from workflows_app.plugins.mongo_dump.metadata import hash_of, read_metadata
from workflows_app.plugins.mongo_dump.parameters import DumpFormat, Parameters
from workflows_app.plugins.mongo_dump.progress import CollectionProgress
from workflows_app.plugins.mongo_server.server import Server
from workflows_app.plugins.process import run_process
from workflows_app.plugins.wording import shown

# What it says, behind the time and a tab: https://www.mongodb.com/docs/database-tools/mongodump/
_WRITING = re.compile(r"(?:\S+\t)?writing (\S.*) to \S.*")
_DONE = re.compile(r"(?:\S+\t)?done dumping (\S.*) \(([0-9]+) documents?\)")
_FAULT = re.compile(r"(?:\S+\t)?(?:Failed: |error |.*\berror:)", re.IGNORECASE)
_BAR = re.compile(r"(?:\S+\t)?\[[#.]+\]")
_VERSION = re.compile(r"mongodump version: (\S+)")
_TOLD = 4


class MongodumpProgram:
    """The program of one call. The password reaches it in a file that only the worker's user may read."""

    def __init__(self, context: PluginContext, parameters: Parameters) -> None:
        self._context = context
        self._parameters = parameters
        self._redactor = Redactor([parameters.server.password])

    def version(self) -> str:
        """The version that it says. Raises ConfigInvalid when it cannot be run or is another; Cancelled."""
        lines: list[str] = []
        command = self._parameters.dump_command
        ended = run_process([command, "--version"], context=self._context, on_line=lines.append)
        said = lines[0] if lines else ""
        if not ended.ok:
            raise ConfigInvalid(
                "MongoDumpCmd",
                f"{command!r} cannot be run: {ended.reason}{f' ({said})' if said else ''}. Install the "
                "MongoDB Database Tools where the worker runs, give the path of mongodump, or set "
                "MongoDumpMethod to 'driver'",
            )
        found = _VERSION.fullmatch(said)
        if found is None:
            raise ConfigInvalid("MongoDumpCmd", f"{command!r} is not mongodump: it says {said[:100]!r}")
        return found[1]

    def dump(self, database: str, root: Path, progress: CollectionProgress) -> None:
        """Dump a database into the folder of its name below ``root``.

        Raises PluginFailed, with how it ended and its first errors, when it did not succeed; Cancelled.
        """
        errors: list[str] = []

        def hear(line: str) -> None:
            line = self._redactor.redact(line)
            if begun := _WRITING.fullmatch(line):
                progress.begin(begun[1])
            elif not (_BAR.match(line) or _DONE.fullmatch(line)):
                fault = bool(_FAULT.match(line))
                if fault:
                    errors.append(line.partition("\t")[2] or line)
                self._context.say(Level.ERROR if fault else Level.INFO, line)

        with tempfile.TemporaryDirectory(prefix="fossul-") as folder:
            argv = self._arguments(database, root, _password_file(Path(folder), self._parameters.server))
            self._context.say(Level.CMD, f"Executing command [{' '.join(argv)}]")
            ended = run_process(argv, context=self._context, on_line=hear)
        if not ended.ok:
            told = f": {'; '.join(errors[:_TOLD])}" if errors else ""
            raise PluginFailed(f"mongodump ended with [{ended.reason}]{told}")

    def _arguments(self, database: str, root: Path, password_file: str) -> list[str]:
        server = self._parameters.server
        host = f"{server.replica_set}/{server.address}" if server.replica_set else server.address
        user = [f"--username={server.user}", f"--authenticationDatabase={server.auth_database}"]
        tls = [
            "--ssl",
            *([f"--sslCAFile={server.ssl_ca}"] if server.ssl_ca else []),
            *([f"--sslPEMKeyFile={server.ssl_cert}"] if server.ssl_cert else []),
        ]
        return [
            self._parameters.dump_command,
            *([f"--config={password_file}", *user] if server.user else []),
            f"--host={host}",
            *(tls if server.ssl_mode == "verify" else []),
            f"--db={database}",
            *(["--gzip"] if self._parameters.format == DumpFormat.GZIP else []),
            out_argument(root),
        ]


def out_argument(root: Path) -> str:
    """The argument by which a run's mongodump is known among the processes of the machine."""
    return f"--out={root}"


def dumped_collections(
    context: PluginContext, root: Path, database: str, parameters: Parameters
) -> tuple[DumpedCollection, ...]:
    """Read all that mongodump has written of a database, and answer what it is.

    Stored functions (``system.js``) are taken out again. Raises PluginFailed for what cannot be read;
    OSError; Cancelled.
    """
    folder = root / database
    if not folder.is_dir():
        return ()
    zipped = parameters.format == DumpFormat.GZIP
    found = []
    for path in sorted(folder.glob(f"*{METADATA}*")):
        metadata = read_metadata(path)
        name = metadata.name or collection_of(path)
        if name.startswith("system."):
            path.unlink()
            data_file(root, database, name, gzip=zipped).unlink(missing_ok=True)
            continue
        one = DumpedCollection(
            database=database,
            name=name,
            kind=CollectionKind(metadata.kind),
            metadata_sha256=hash_of(path),
        )
        if one.kind != CollectionKind.VIEW:
            tally = _read(context, data_file(root, database, one.data_name, gzip=zipped))
            one = one.model_copy(update=asdict(tally))
        found.append(one)
    return tuple(found)


def _read(context: PluginContext, path: Path) -> Tally:
    try:
        return tally_of(path, lambda size: context.check_cancelled())
    except Damaged as error:
        raise PluginFailed(f"mongodump has written {shown(str(path))}, which is damaged: {error}") from None


def _password_file(folder: Path, server: Server) -> str:
    path = folder / "mongodump.yaml"
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        # What is JSON is YAML, too.
        file.write(f"password: {json.dumps(server.password)}\n")
    return str(path)
