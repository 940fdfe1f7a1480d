"""Makes one backup in a process of its own, and prints the most memory that it had, in KiB.

Arguments: the kubeconfig, the source in the pod, the destination, the number of the run.
"""

import resource
import sys

from workflows_app.domain.config import Config
from workflows_app.plugins.base import PluginContext
from workflows_app.plugins.container_basic.plugin import plugin


def main() -> None:
    kubeconfig, source, destination, number = sys.argv[1:]
    context = PluginContext(
        config=Config(profile_name="test", config_name="shop").for_run(int(number), "daily", 1_700_000_000),
        parameters={
            "Namespace": "shop",
            "PodSelector": "db",
            "KubeConfig": kubeconfig,
            "BackupSrcPaths": source,
            "BackupDestPath": destination,
            "CompressionThreads": "1",
        },
        say=lambda level, text: None,
    )
    plugin.backup(context)
    print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)


if __name__ == "__main__":
    main()
