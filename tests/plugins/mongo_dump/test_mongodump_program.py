"""With mongodump: its arguments, and what is made of its files.

There is none here, so a script stands for it: it says what mongodump 100.9 says, keeps what it was called
with, and copies files that the plugin's own dump has made.
"""

import json
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.plugins.databases.calls import Calls
from tests.plugins.mongo.server import MongoTestServer, running_server
from tests.plugins.mongo_dump.conftest import as_restored, fill, left, server_parameters, staged
from tests.plugins.postgres.waiting import Attempt, processes, until
from workflows_app.domain.errors import Cancelled, ConfigInvalid, PluginFailed
from workflows_app.domain.results import Level
from workflows_app.plugins.mongo_dump.parameters import Parameters
from workflows_app.plugins.mongo_dump.plugin import plugin
from workflows_app.plugins.mongo_dump.program_dump import MongodumpProgram, _password_file
from workflows_app.plugins.mongo_dump.progress import CollectionProgress
from workflows_app.plugins.mongo_server.server import Server

ROOT = Path(__file__).resolve().parents[3]
LOST_WORKER = """
import json, sys
from tests.plugins.databases.calls import Calls
from workflows_app.plugins.mongo_dump.plugin import plugin
parameters, environment = json.loads(sys.argv[1])
plugin.quiesce(Calls(parameters, environment=environment).context())
"""
PASSWORD = 'it\'s "secret": #1\\ ü'

PROGRAM = """#!{python} -I
import json, os, shutil, sys, time
from pathlib import Path
if sys.argv[1:] == ["--version"]:
    print("mongodump version: 100.9.4\\ngit version: abc\\nGo version: go1.21")
    sys.exit(0)
options = dict(word.lstrip("-").partition("=")[::2] for word in sys.argv[1:])
kept = {{"argv": sys.argv[1:]}}
if "config" in options:
    path = Path(options["config"])
    kept |= {{"config": path.read_text(), "mode": path.stat().st_mode & 0o777}}
Path({kept!r}).write_text(json.dumps(kept))
{body}
stamp = "2026-11-24T11:00:00.000+0000\\t"
source = Path({source!r}) / options["db"]
for path in sorted(source.glob("*.bson*")):
    name = f"{{options['db']}}.{{path.name.split('.')[0]}}"
    print(f"{{stamp}}writing {{name}} to {{options['out']}}/x.bson", flush=True)
    print(f"{{stamp}}[####....................]  {{name}}  101/5000  (2.0%)", flush=True)
    print(f"{{stamp}}done dumping {{name}} (20 documents)", flush=True)
shutil.copytree(source, Path(options["out"]) / options["db"])
"""


@pytest.fixture(scope="module")
def alone() -> Iterator[MongoTestServer]:
    """A server on its own, with the database shop."""
    with running_server("--standalone") as running:
        fill(running, "shop")
        yield running


@pytest.fixture
def calls(alone: MongoTestServer, tmp_path: Path) -> Calls:
    """Calls for the database, with the script in the search path."""
    calls = Calls({**server_parameters(alone), "MongoDb": "shop", "MongoDumpPath": str(tmp_path / "dumps")})
    plugin.quiesce(calls.context(3, MongoDumpMethod="driver"))
    shutil.copytree(staged(calls, 3) / "dump", tmp_path / "source")
    plugin.unquiesce(calls.context(3))
    calls.environment["PATH"] = f"{tmp_path / 'bin'}:{calls.environment['PATH']}"
    write_program(tmp_path)
    return calls


def write_program(folder: Path, body: str = "") -> None:
    """Write the script; ``body`` is done before it dumps."""
    (folder / "bin").mkdir(exist_ok=True)
    path = folder / "bin" / "mongodump"
    path.write_text(
        PROGRAM.format(
            python=sys.executable, kept=str(folder / "kept"), source=str(folder / "source"), body=body
        )
    )
    path.chmod(0o755)


def kept(folder: Path) -> dict[str, object]:
    """What the script was called with."""
    found: dict[str, object] = json.loads((folder / "kept").read_text())
    return found


def test_a_dump_of_mongodump_is_verified_and_loaded(
    alone: MongoTestServer, calls: Calls, tmp_path: Path
) -> None:
    """It is taken by itself, since the server has no snapshot and the program is there."""
    before = alone.contents("shop")
    plugin.quiesce(calls.context())
    root = staged(calls).with_name(".7.partial") / "dump"
    assert kept(tmp_path)["argv"] == [
        f"--host=127.0.0.1:{alone.port}", "--db=shop", "--gzip", f"--out={root}",
    ]  # fmt: skip
    manifest = json.loads((staged(calls) / "manifest.json").read_text())
    assert manifest["tool"] == "mongodump 100.9.4"
    assert manifest["consistency"] == "collection"
    assert "The dump is of no one moment: " in calls.lines(Level.WARN)[0]
    assert "dumping collection 2 of 8: shop.capped" in [report.note for report in calls.reports]
    assert not [text for text in calls.lines() if "####" in text]
    plugin.post_restore(calls.restore(MongoRestoreDb="again"))
    assert alone.contents("again") == as_restored(before)
    alone.client.drop_database("again")


def test_users_and_certificates_reach_it_and_the_password_only_by_a_file(
    calls: Calls, tmp_path: Path
) -> None:
    """SecantusDB would refuse the user before the program is asked; so its arguments are asked for."""
    parameters = calls.parameters | {
        "MongoUser": "keeper", "MongoPassword": PASSWORD, "MongoAuthDb": "staff", "MongoReplicaSet": "rs0",
        "MongoSslMode": "verify", "MongoSslCa": "/ca.pem", "MongoSslCert": "/own.pem",
        "MongoDumpFormat": "plain", "MongoDumpMethod": "mongodump",
    }  # fmt: skip
    context = calls.context(**parameters)
    progress = CollectionProgress(context, "dumping", "Dumped", 8, 0)
    MongodumpProgram(context, Parameters.of(context)).dump("shop", tmp_path / "out", progress)
    found = kept(tmp_path)
    argv = found["argv"]
    assert isinstance(argv, list)
    config, *rest = argv
    assert config.startswith("--config=/")
    assert rest == [
        "--username=keeper", "--authenticationDatabase=staff",
        f"--host=rs0/127.0.0.1:{calls.parameters['MongoPort']}", "--ssl", "--sslCAFile=/ca.pem",
        "--sslPEMKeyFile=/own.pem", "--db=shop", f"--out={tmp_path / 'out'}",
    ]  # fmt: skip
    assert found["mode"] == 0o600
    text = str(found["config"])
    assert text.startswith("password: ")
    assert json.loads(text.removeprefix("password: ")) == PASSWORD
    assert not Path(config.removeprefix("--config=")).exists(), "the file goes with the program"
    assert not [text for _, text in calls.said if "secret" in text]


def test_the_password_file_is_yaml(tmp_path: Path) -> None:
    yaml = pytest.importorskip("yaml")
    server = Server.of(Calls({"MongoUser": "u", "MongoPassword": PASSWORD}).context())
    path = _password_file(tmp_path, server)
    assert yaml.safe_load(Path(path).read_text()) == {"password": PASSWORD}


FAILS = "print('2026-11-24T11:00:00.000+0000\\tFailed: error counting shop.ledger: no'); sys.exit(1)"
COPIES = "root = Path(options['out']) / 'shop'; shutil.copytree(Path(SOURCE) / 'shop', root);"
FORGETS = f"{COPIES} [path.unlink() for path in root.glob('ledger.*')]; sys.exit(0)"
DAMAGES = f"{COPIES} path = root / 'ledger.bson.gz'; path.write_bytes(path.read_bytes()[:-20]); sys.exit(0)"


@pytest.mark.parametrize(
    ("body", "why"),
    [
        (FAILS, r"mongodump ended with \[exit status 1\]: Failed: error counting shop\.ledger: no"),
        (FORGETS, r"mongodump ended well, and 1 collections are not in its dump, such as shop\.ledger"),
        (DAMAGES, r"mongodump has written .*ledger\.bson\.gz, which is damaged"),
    ],
    ids=["fails", "forgets", "damages"],
)
def test_a_mongodump_that_fails_leaves_no_dump(calls: Calls, tmp_path: Path, body: str, why: str) -> None:
    write_program(tmp_path, body.replace("SOURCE", repr(str(tmp_path / "source"))))
    with pytest.raises(PluginFailed, match=why):
        plugin.quiesce(calls.context())
    assert left(calls) == []


def test_one_that_is_cancelled_is_ended(calls: Calls, tmp_path: Path) -> None:
    write_program(tmp_path, "time.sleep(600)")
    out = f"--out={calls.parameters['MongoDumpPath']}"
    attempt = Attempt(lambda: plugin.quiesce(calls.context()))
    until(lambda: processes(out))
    calls.cancel()
    assert isinstance(attempt.join(), Cancelled)
    assert not processes(out)
    assert left(calls) == []


def test_one_that_a_lost_worker_left_is_ended(calls: Calls, tmp_path: Path) -> None:
    write_program(tmp_path, "time.sleep(600)")
    out = f"--out={calls.parameters['MongoDumpPath']}"
    given = json.dumps([calls.parameters, calls.environment])
    worker = subprocess.Popen([sys.executable, "-c", LOST_WORKER, given], cwd=ROOT)
    until(lambda: processes(out), 30)
    worker.kill()
    worker.wait()
    assert processes(out), "its mongodump goes on"
    assert plugin.unquiesce(calls.context()).code == 0
    assert calls.lines(Level.WARN) == ["Ended 1 programs that a lost worker had left of this run"]
    until(lambda: not processes(out))
    assert left(calls) == []


def test_one_that_is_missing_is_refused_where_it_was_asked_for(calls: Calls) -> None:
    with pytest.raises(ConfigInvalid, match="cannot be run") as refused:
        plugin.quiesce(calls.context(MongoDumpMethod="mongodump", MongoDumpCmd="/nowhere/mongodump"))
    assert refused.value.field == "MongoDumpCmd"
    with pytest.raises(ConfigInvalid, match="reads no snapshot"):
        plugin.quiesce(calls.context(MongoDumpMethod="mongodump", MongoConsistency="snapshot"))
