"""Writes workflows that are not fit for the sandbox, each in a module of its own."""

from pathlib import Path
from uuid import uuid4

SOURCE = """
from temporalio import workflow

{statement}

@workflow.defn(name="unfit")
class Unfit:
    @workflow.run
    async def run(self) -> None:
        pass
"""

PASSED_THROUGH = "with workflow.unsafe.imports_passed_through():\n    {statement}"


def write_unfit(folder: Path, statement: str) -> str:
    """Write a workflow ``Unfit`` whose module does ``statement``; answer the module's name."""
    name = f"unfit_{uuid4().hex}"
    (folder / f"{name}.py").write_text(SOURCE.format(statement=statement))
    return name
