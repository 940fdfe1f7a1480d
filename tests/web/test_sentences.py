"""Words that another sentence follows."""

import pytest

from workflows_app.web.templatetags.fossul import sentence


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ("x.zip: it is damaged", "x.zip: it is damaged."),
        ("Upload it again.", "Upload it again."),
        (ValueError("no name "), "no name."),
    ],
)
def test_words_end_with_one_full_stop(words: object, told: str):
    assert sentence(words) == told
