"""Times that can be compared: taken in turns, and summed up by the median."""

import os
import time
from collections.abc import Awaitable, Callable, Mapping
from statistics import median, quantiles
from typing import TypeVar

Name = TypeVar("Name")


def scale(name: str, default: int) -> int:
    """How much of something is measured: BENCH_<name> of the environment. Raises ValueError."""
    return int(os.environ.get(f"BENCH_{name}", default))


def medians(rounds: int, work: Mapping[Name, Callable[[], object]]) -> dict[Name, float]:
    """Do each work once to warm up, then all of them in turns; answer the median seconds of each."""
    for do in work.values():
        do()
    taken: dict[Name, list[float]] = {name: [] for name in work}
    for _ in range(rounds):
        for name, do in work.items():
            begun = time.perf_counter()
            do()
            taken[name].append(time.perf_counter() - begun)
    return {name: median(times) for name, times in taken.items()}


async def async_medians(
    rounds: int,
    work: Mapping[Name, Callable[[], Awaitable[object]]],
    rest: Callable[[], Awaitable[None]] | None = None,
    *,
    warm_up: bool = True,
) -> dict[Name, float]:
    """As ``medians``, of work that is waited for. ``rest`` is waited for after each, and not counted."""
    taken: dict[Name, list[float]] = {name: [] for name in work}
    for turn in range(-1 if warm_up else 0, rounds):
        for name, do in work.items():
            begun = time.perf_counter()
            await do()
            if turn >= 0:
                taken[name].append(time.perf_counter() - begun)
            if rest is not None:
                await rest()
    return {name: median(times) for name, times in taken.items()}


def percentile(values: list[float], percent: int) -> float:
    """The value below which so many per cent of ``values`` lie. Needs two values."""
    return quantiles(values, n=100, method="inclusive")[percent - 1]
