"""What all plugins share that put a database's data into a folder for the storage plugin to back up."""

from abc import ABC, abstractmethod
from pathlib import Path
from typing import Generic, TypeVar

from workflows_app.domain.errors import PluginFailed
from workflows_app.domain.findings import Finding
from workflows_app.domain.results import ParameterSpec, PluginInfo, Result, capabilities
from workflows_app.plugins.base import PluginContext
from workflows_app.plugins.staging.discovery import discovered, warn_undiscovered
from workflows_app.plugins.staging.folder import Staging
from workflows_app.plugins.wording import shown

P = TypeVar("P")


class StagedDatabase(ABC, Generic[P]):
    """An app plugin whose quiesce makes the data and whose unquiesce removes it; ``P`` are its parameters.

    Nothing stays frozen between the two. ``made`` is the word for the data, such as ``dump``; ``names`` are
    the entries of the staged folder.
    """

    name: str
    description: str
    parameters: tuple[ParameterSpec, ...]
    made: str
    names: tuple[str, ...]

    @abstractmethod
    def read(self, context: PluginContext) -> P:
        """The parameters of a call. Raises ConfigInvalid, which names the one that is refused."""

    @abstractmethod
    def root(self, parameters: P) -> Path:
        """The folder below which each run has its own."""

    @abstractmethod
    def instance(self, parameters: P) -> str:
        """What is backed up, for the result of discover."""

    @abstractmethod
    def make(self, context: PluginContext, parameters: P, staging: Staging) -> None:
        """Make the data, whole or not at all. Raises ConfigInvalid, PluginFailed, or Cancelled."""

    @abstractmethod
    def end_leftovers(self, context: PluginContext, parameters: P, staging: Staging) -> None:
        """End what a lost worker's quiesce may have left running; that it cannot be done is a warning."""

    @abstractmethod
    def check(self, context: PluginContext) -> tuple[Finding, ...]:
        """Try what a backup will need, and change nothing."""

    def info(self) -> PluginInfo:
        """What the plugin is, can do and wants to know."""
        return PluginInfo(
            name=self.name,
            description=self.description,
            version="1.0.0",
            type="app",
            capabilities=capabilities(
                "discover", "quiesce", "unquiesce", "preRestore", "postRestore", "info"
            ),
            parameters=self.parameters,
        )

    def discover(self, context: PluginContext) -> Result:
        """Answer the folder in which this run's data will be. Raises ConfigInvalid."""
        parameters = self.read(context)
        return discovered(context, self.instance(parameters), self.staging(context, parameters).path)

    def quiesce(self, context: PluginContext) -> Result:
        """Make the data (see ``make``, also for what is raised)."""
        parameters = self.read(context)
        staging = self.staging(context, parameters)
        warn_undiscovered(context, staging.path)
        self.make(context, parameters, staging)
        return Result()

    def unquiesce(self, context: PluginContext) -> Result:
        """Remove this run's data, and end what a lost worker may have left.

        What cannot be done is a warning: nothing of it freezes the database. Raises ConfigInvalid.
        """
        parameters = self.read(context)
        staging = self.staging(context, parameters)
        self.end_leftovers(context, parameters, staging)
        try:
            if staging.discard():
                context.info(f"Removed the {self.made} {shown(str(staging.path))}")
            else:
                context.info(f"There is no {self.made} {shown(str(staging.path))} to remove")
        except PluginFailed as error:
            context.warn(f"The {self.made} stays: {error}")
        return Result()

    def staging(self, context: PluginContext, parameters: P, run: str = "") -> Staging:
        """Where the data of the call's own run is, or that of ``run``. Raises ConfigInvalid."""
        config = context.config.model_copy(update={"workflow_id": run}) if run else context.config
        return Staging(self.root(parameters), config, self.names)
