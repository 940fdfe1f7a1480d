"""The parameters of the plugin: what it declares, and how their text is read."""

from dataclasses import dataclass, replace
from pathlib import Path

from workflows_app.domain.parameter_kinds import PATH, number
from workflows_app.domain.results import ParameterSpec
from workflows_app.plugins.base import PluginContext
from workflows_app.plugins.databases.pod_parameters import FORWARDED_SPECS
from workflows_app.plugins.mongo_server.server import SPECS as SERVER_SPECS
from workflows_app.plugins.mongo_server.server import Server
from workflows_app.plugins.values import absolute_path, whole_number

DEFAULT_LOCK_WAIT = 60

SPECS = (
    *SERVER_SPECS,
    ParameterSpec(
        name="MongoDataPath",
        help="The absolute path of the server's data folder, as the storage plugin sees it. Empty: the "
        "dbPath that the server says.",
        form=PATH,
    ),
    ParameterSpec(
        name="MongoLockWaitSeconds",
        help="How long the lock waits for writes that are under way before it is given up.",
        default=str(DEFAULT_LOCK_WAIT),
        form=number(1, 3600),
    ),
    *FORWARDED_SPECS,
)


@dataclass(frozen=True, slots=True)
class Parameters:
    """What a call asks for, checked as far as that needs no look at the disk or the server.

    ``data_path`` is None where the server is to be asked; ``lock_wait`` is in seconds.
    """

    server: Server
    data_path: Path | None
    lock_wait: int

    @classmethod
    def of(cls, context: PluginContext) -> "Parameters":
        """Read the parameters of a call. Raises ConfigInvalid, which names the one that is refused."""

        def given(name: str) -> str:
            return context.parameters.get(name, "")

        path = given("MongoDataPath")
        return cls(
            server=Server.of(replace(context, parameters={**context.parameters, "MongoReplicaSet": ""})),
            data_path=absolute_path("MongoDataPath", path) if path.strip() else None,
            lock_wait=whole_number(
                "MongoLockWaitSeconds", given("MongoLockWaitSeconds"), DEFAULT_LOCK_WAIT, 3600
            ),
        )
