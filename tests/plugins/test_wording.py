import os

import pytest

from workflows_app.plugins.wording import shown, size_words


@pytest.mark.parametrize(
    ("size", "words"),
    [
        (0, "0 B"),
        (1023, "1023 B"),
        (1024, "1.0 KiB"),
        (48 * 1024**2, "48.0 MiB"),
        (1024**2 - 1, "1.0 MiB"),
        (3 * 1024**4 // 2, "1.5 TiB"),
        (5 * 1024**5, "5.0 PiB"),
    ],
)
def test_a_size_reads_in_the_unit_that_suits_it(size: int, words: str) -> None:
    assert size_words(size) == words


def test_a_path_is_shown_on_one_line_and_in_valid_unicode() -> None:
    assert shown("/srv/é 漢字") == "/srv/é 漢字"
    assert shown(os.fsdecode(b"/srv/\xff\n\x1b[31m")) == r"/srv/\xff\n\x1b[31m"
