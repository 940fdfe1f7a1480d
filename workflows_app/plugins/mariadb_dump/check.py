"""Tries beforehand what a dump will need."""

from collections.abc import Iterator

from workflows_app.domain.errors import FossulError
from workflows_app.domain.findings import Finding, good, refusal
from workflows_app.domain.sizes import size_words
from workflows_app.plugins.base import PluginContext
from workflows_app.plugins.checking import looked, tried
from workflows_app.plugins.databases.pod_check import check_pod, is_missing
from workflows_app.plugins.mariadb_dump.dumping import check_dump
from workflows_app.plugins.mariadb_dump.parameters import Parameters
from workflows_app.plugins.mariadb_server.facts import DatabaseFacts, look
from workflows_app.plugins.mariadb_server.programs import Programs
from workflows_app.plugins.staging.check import check_staging

CLIENT = "MysqlRestoreCmd"
DATABASE = "MysqlDb"
FOLDER = "MysqlDumpPath"


def check(context: PluginContext) -> tuple[Finding, ...]:
    """Answer whether the server opens and shows all of its data, and how programs and folder are."""
    return looked(context, Parameters.of, _look)


def _look(context: PluginContext, parameters: Parameters) -> Iterator[Finding]:
    pod = check_pod(context)
    yield from pod
    if is_missing(pod):
        yield from check_staging(context, FOLDER, parameters.dump_path)
        return
    needs = 0
    programs = Programs(context, parameters.server)
    try:
        programs.release(CLIENT, parameters.client, "mariadb")
        facts = look(programs, parameters.client, [parameters.database] if parameters.database else None)
    except FossulError as error:
        yield refusal(error, DATABASE)
    else:
        needs = facts.size
        yield good(f"MariaDB {facts.version} on {parameters.server.where} opens", DATABASE)
        yield from tried(context, DATABASE, lambda call: _dump(call, parameters, facts))
    yield from check_staging(context, FOLDER, parameters.dump_path, needs, parameters.what)


def _dump(context: PluginContext, parameters: Parameters, facts: DatabaseFacts) -> str:
    """Raises what a dump would be refused with."""
    check_dump(context, Programs(context, parameters.server), parameters, facts)
    count = f"{facts.tables} tables, {size_words(facts.size)}"
    return f"mariadb-dump fits the server, and may dump {parameters.what}: {count}"
