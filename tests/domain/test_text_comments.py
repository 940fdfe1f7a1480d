"""Comments in the text of a file, and in none of its strings."""

import time

import pytest

from workflows_app.domain.config_files.text_comments import comments_in


@pytest.mark.parametrize(("text", "found"), [
    ("", {}),
    ("# first\nA = 1 # and here \r\n\n  #last", {1: "# first", 2: "# and here", 4: "#last"}),
    ('A = "no # comment"\nB = \'nor # here\'', {}),
    ('A = "a \\" # b" # yes', {1: "# yes"}),
    ('A = """\n# no\n"""\nB = \'\'\'\n# no\n\'\'\' # yes', {6: "# yes"}),
    ('A = "not closed\n# yes', {2: "# yes"}),
])  # fmt: skip
def test_a_comment_is_found_by_its_line(text, found):
    assert comments_in(text) == found


@pytest.mark.parametrize("piece", ['\\"', '"""\\', "'''\"", '"', "'"])
def test_strings_that_nobody_closes_cost_no_more_than_their_length(piece):
    begun = time.process_time()
    comments_in(f'"""{piece * 50_000}')
    comments_in(f'"{piece * 50_000}')
    assert time.process_time() - begun < 1
