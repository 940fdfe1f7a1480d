"""``python -m tests.bench [PART …]``: measures ratios and prints them (docs/bench.md).

Each part is a process of its own, for a worker and a browser do not share one. The exit status is 0 unless a
part broke, 2 for a part that there is not: a ratio beyond its aim is a line in a table, not a failure.
"""

import os
import subprocess
import sys
import time

PARTS = ("overhead", "data", "log", "lists", "load")
"""The parts, in the order in which they run; each is a module beside this one."""


def main(asked: list[str]) -> int:
    """Run the parts that are asked for, or all; answer the exit status."""
    unknown = [name for name in asked if name not in PARTS]
    if unknown:
        print(f"There is no part {', '.join(unknown)}. Parts: {', '.join(PARTS)}", file=sys.stderr)
        return 2
    # Temporal's sandbox imports a workflow's modules anew for every run, ours and bare ones: where this
    # variable keeps their bytecode from being on disk, it compiles them anew as well.
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    begun = time.monotonic()
    broken = [
        name
        for name in asked or PARTS
        if subprocess.run(
            [sys.executable, "-m", f"tests.bench.{name}"], env=environment, check=False
        ).returncode
    ]
    print(f"\n{time.monotonic() - begun:.0f} s")
    for name in broken:
        print(f"The part {name} broke; the reason is above", file=sys.stderr)
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
