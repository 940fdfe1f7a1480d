"""Every plugin is documented; ``WRITE_DOCS=1`` writes the list of them anew."""

import os

from tests.plugins.plugin_list import DOCUMENT, built_in, document, page_of


def test_the_list_of_plugins_is_what_the_plugins_say_of_themselves() -> None:
    if os.environ.get("WRITE_DOCS"):
        DOCUMENT.write_text(document())
    assert DOCUMENT.read_text() == document(), "WRITE_DOCS=1 writes it anew"


def test_every_plugin_but_the_samples_has_a_page_of_its_own() -> None:
    assert [i.name for i in built_in() if not page_of(i) and not i.name.startswith("sample-")] == []


def test_every_parameter_is_explained() -> None:
    assert [(i.name, spec.name) for i in built_in() for spec in i.parameters if not spec.help] == []
