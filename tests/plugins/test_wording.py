import os

from workflows_app.plugins.wording import shown


def test_a_path_is_shown_on_one_line_and_in_valid_unicode() -> None:
    assert shown("/srv/é 漢字") == "/srv/é 漢字"
    assert shown(os.fsdecode(b"/srv/\xff\n\x1b[31m")) == r"/srv/\xff\n\x1b[31m"
