"""Tries beforehand what a dump will need."""

from collections.abc import Iterator

from workflows_app.domain.errors import ConfigInvalid, PluginFailed
from workflows_app.domain.findings import Finding, bad, good, refusal
from workflows_app.domain.sizes import size_words
from workflows_app.plugins.base import PluginContext
from workflows_app.plugins.checking import looked, tried
from workflows_app.plugins.databases.pod_check import check_pod, is_missing
from workflows_app.plugins.postgres_dump.dumping import check_programs
from workflows_app.plugins.postgres_dump.parameters import Parameters
from workflows_app.plugins.postgres_server.programs import Programs
from workflows_app.plugins.postgres_server.psql import opened
from workflows_app.plugins.postgres_server.session import DatabaseFacts, Session
from workflows_app.plugins.staging.check import check_staging

DATABASE = "PqDb"
FOLDER = "PqDumpPath"
ROLE = "PqUser"

# What pg_dump reads: it locks each table, which needs SELECT, and ends at a table whose rows are hidden from
# the role. What belongs to an extension is made anew by the extension.
_UNREADABLE = """
SELECT count(*) FILTER (WHERE NOT readable), min(name) FILTER (WHERE NOT readable),
    count(*) FILTER (WHERE hidden), min(name) FILTER (WHERE hidden)
FROM (
    SELECT format('%I.%I', n.nspname, c.relname) AS name,
        has_schema_privilege(n.oid, 'USAGE') AND has_table_privilege(c.oid, 'SELECT') AS readable,
        c.relkind IN ('r', 'p') AND row_security_active(c.oid) AS hidden
    FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE c.relkind IN ('r', 'p', 'S') AND n.nspname <> 'information_schema' AND n.nspname !~ '^pg_'
    AND NOT EXISTS (
        SELECT FROM pg_depend d WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.deptype = 'e'
    )
) looked
"""


def check(context: PluginContext) -> tuple[Finding, ...]:
    """Answer whether the database opens and can be read, and how programs and folder for the dump are."""
    return looked(context, Parameters.of, _look)


def _look(context: PluginContext, parameters: Parameters) -> Iterator[Finding]:
    pod = check_pod(context)
    yield from pod
    if is_missing(pod):
        yield from check_staging(context, FOLDER, parameters.dump_path)
        return
    needs = 0
    try:
        with opened(
            context, parameters.server, parameters.database, "PqDumpCmd", parameters.dump_command
        ) as server:
            facts = server.facts()
            needs = facts.size
            yield good(
                f"Database {parameters.database!r} of PostgreSQL {facts.version} on "
                f"{parameters.server.where} opens: {facts.tables} tables, {size_words(facts.size)}",
                DATABASE,
            )
            yield from _rights(server, parameters)
    except (ConfigInvalid, PluginFailed) as error:
        yield refusal(error, DATABASE)
    else:
        yield from tried(context, "PqDumpCmd", lambda call: _programs(call, parameters, facts))
    yield from check_staging(context, FOLDER, parameters.dump_path, needs, "the database")


def _rights(server: Session, parameters: Parameters) -> Iterator[Finding]:
    unreadable, first, hidden, first_hidden = server.row(_UNREADABLE)
    role = parameters.server.user
    if unreadable:
        yield bad(
            f"The role {role!r} may not read {unreadable} tables and sequences, such as {first}, and a dump "
            "fails at them. Grant it pg_read_all_data, or USAGE and SELECT",
            ROLE,
        )
    if hidden:
        yield bad(
            f"Row security hides rows of {hidden} tables from the role {role!r}, such as {first_hidden}, "
            "and a dump fails at them. Give the role BYPASSRLS",
            ROLE,
        )
    if not unreadable and not hidden:
        yield good(f"The role {role!r} may read all tables and sequences", ROLE)


def _programs(context: PluginContext, parameters: Parameters, facts: DatabaseFacts) -> str:
    """Raises ConfigInvalid for programs that do not fit the server."""
    check_programs(Programs(context, parameters.server), parameters, facts)
    return f"pg_dump and pg_restore are there, and new enough for PostgreSQL {facts.major}"
