import pytest

from workflows_app.domain.sizes import size_words


@pytest.mark.parametrize(
    ("size", "words"),
    [
        (0, "0 B"),
        (1023, "1023 B"),
        (1023.7, "1024 B"),
        (1024, "1.0 KiB"),
        (15_099_494, "14.4 MiB"),
        (48 * 1024**2, "48.0 MiB"),
        (1024**2 - 1, "1.0 MiB"),
        (9_100_000_000, "8.5 GiB"),
        (3 * 1024**4 // 2, "1.5 TiB"),
        (5 * 1024**5, "5.0 PiB"),
    ],
)
def test_a_size_reads_in_the_unit_that_suits_it(size: float, words: str) -> None:
    assert size_words(size) == words
