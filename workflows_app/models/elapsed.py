"""The time between two moments, reckoned by the database itself."""

from typing import Any

from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models import FloatField, Func
from django.db.models.sql.compiler import SQLCompiler


class Elapsed(Func):
    """Seconds from the first moment to the second; NULL where one is missing.

    It is pure in the eyes of each database, so that a column may be generated from it and indexed.
    """

    arity = 2
    output_field = FloatField()

    def as_sqlite(
        self, compiler: SQLCompiler, connection: BaseDatabaseWrapper, **extra_context: Any
    ) -> tuple[str, Any]:
        """SQLite keeps moments as text, and has julian days."""
        template = "(-86400.0 * (julianday(%(expressions)s)))"
        return self.as_sql(
            compiler, connection, template=template, arg_joiner=") - julianday(", **extra_context
        )

    def as_postgresql(
        self, compiler: SQLCompiler, connection: BaseDatabaseWrapper, **extra_context: Any
    ) -> tuple[str, Any]:
        """PostgreSQL has intervals."""
        template = "(EXTRACT(EPOCH FROM -(%(expressions)s))::double precision)"
        return self.as_sql(compiler, connection, template=template, arg_joiner=" - ", **extra_context)
