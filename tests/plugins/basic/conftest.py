"""What the tests of executable plugins share: folders to put executables in."""

import sys
from dataclasses import replace
from pathlib import Path

import pytest

from tests.plugins.conftest import Call
from workflows_app.domain.config import Config, Retention
from workflows_app.plugins.base import PluginContext, Report

INFO = (
    '{"name": "acme", "description": "d", "version": "1.0.0", "type": "%s", "capabilities": [%s],'
    ' "extensions": [%s]}'
)


class Folder:
    """A plugin folder of the test's own."""

    def __init__(self, root: Path) -> None:
        self.root = root
        root.mkdir()

    def add(self, family: str, name: str, text: str) -> Path:
        """Put an executable into it."""
        path = self.root / family / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)
        path.chmod(0o755)
        return path

    def shell(
        self, family: str, body: str, *, can: str = "", extensions: str = "", name: str = "acme"
    ) -> Path:
        """A plugin in shell. It tells of itself, and does ``body`` for any other flag."""
        told = INFO % (
            family,
            ", ".join(f'{{"name": "{capability}"}}' for capability in can.split()),
            ", ".join(f'"{extension}"' for extension in extensions.split()),
        )
        return self.add(
            family, name, f"#!/bin/sh\nif [ \"$1\" = --info ]; then echo '{told}'; exit 0; fi\n{body}\n"
        )

    def python(self, family: str, body: str, name: str = "acme") -> Path:
        """A plugin in Python that declares nothing."""
        return self.add(
            family,
            name,
            f"#!{sys.executable} -IS\nimport os, sys, time\n"
            f"if sys.argv[1] == '--info': print('''{INFO % (family, '', '')}'''); sys.exit()\n{body}\n",
        )


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    return Folder(tmp_path / "plugins")


CONFIG = Config(
    profile_name="shop",
    config_name="db",
    auto_discovery=True,
    container_platform="kubernetes",
    backup_retentions=(Retention(policy="daily", retention_number=5),),
    archive_retentions=(Retention(policy="daily", retention_number=2),),
).for_run(7, "daily", 1_700_000_000)


@pytest.fixture
def reports() -> list[Report]:
    return []


@pytest.fixture
def context(call: Call, reports: list[Report]) -> PluginContext:
    """The call of a run; what it says is in ``call.said``."""
    return replace(call.context, config=CONFIG, report=reports.append)
