"""Pages that list runs, with many in the database against the same with few."""

from functools import partial

from tests.bench.product import Visitor, product
from tests.bench.table import SECONDS, Row, show, show_head
from tests.bench.timing import medians, scale

ROUNDS = scale("PAGE_ROUNDS", 30)
FEW = 100
MANY = scale("RUNS", 100_000)
AIM = 1.5
PAGES = ("/runs/", "/", "/profiles/shop-1/app-1/")


def main() -> None:
    """Measure with few runs, add the many, measure again."""
    show_head(f"lists: pages at {MANY:,} runs / at {FEW}; medians of {ROUNDS}")
    with product() as board:
        board.manage("run_backup", "demo", "files", "--policy", "daily")
        board.seed(f"runs({FEW})")
        visitor = Visitor(board)

        def asked(paths: tuple[str, ...]) -> dict[str, float]:
            return medians(ROUNDS, {path: partial(visitor.get, path) for path in paths})

        few = asked(PAGES)
        board.seed(f"runs({MANY})")
        last = f"/runs/?page={MANY // 50}"
        many = asked((*PAGES, last))
    for path in PAGES:
        show(Row(path, many[path], few[path], SECONDS, most_ratio=AIM))
    show(Row(f"{last} (the last page) / the first of few", many[last], few["/runs/"], SECONDS))


if __name__ == "__main__":
    main()
