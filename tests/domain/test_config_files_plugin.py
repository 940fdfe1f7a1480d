"""Plugin files: Fossul's own format, with its quirks (fossul-behaviour.md §2)."""

import re
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from workflows_app.domain.config_files.plugin_file import fossul_match, read_plugin, write_plugin
from workflows_app.domain.errors import ConfigInvalid

# Fossul's expression as Go understands it: its \s has no vertical tab.
GO = re.compile(r'([^\t\n\f\r ]+)[\t\n\f\r ]*=[\t\n\f\r ]*"([^\t\n\f\r ]+)"')
HOSTILE = st.text(st.sampled_from('"=# \t\r\n\f\v\\[]aé\x85\u00a0\ufeff'), max_size=40)
LINES = st.lists(st.one_of(HOSTILE, st.text(max_size=30), st.just('Key = "value"'))).map("\n".join)
NAMES = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0\t\n\f\r "), min_size=1)
# Without a deadline for each: the machine may have other work.
THOUSAND = settings(max_examples=1000, deadline=None)
TEXTS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=40)


def whys(text: str) -> list[tuple[str, str, int]]:
    return [(note.outcome.value, note.what, note.line) for note in read_plugin(text.encode()).notes]


@pytest.mark.parametrize(
    ("line", "values"),
    [
        ('Key = "value"', {"Key": "value"}),
        ('Key="value"', {"Key": "value"}),
        ('Key\t=\t"value"\r', {"Key": "value"}),
        ('# Key = "v"', {"Key": "v"}),
        ('#Key = "v"', {"#Key": "v"}),
        ('E="a=b"', {"E": "a=b"}),
        ('F = "v" # "w"', {"F": "v"}),
        ('I = "a" J = "b"', {"I": "a"}),
        ('M="a"="b"', {'M="a"': "b"}),
        ('Q = "a\\"b\\\\c"', {"Q": 'a\\"b\\\\c'}),
        ('[section]\nA = "x"', {"A": "x"}),
        ('A = "x"\nA = "y"', {"A": "y"}),
        ('"Bar.b" = "q"', {'"Bar.b"': "q"}),
        ("", {}),
    ],
)
def test_lines_are_read_as_fossul_reads_them(line, values):
    assert read_plugin(line.encode()).values == values


@pytest.mark.parametrize(
    ("line", "value", "why"),
    [
        ('K = "two words"', "two words", "spaces"),
        ('K = ""', "", "empty"),
        ("K = 5", "5", "double quotes"),
        ("K = true  # yes", "true", "double quotes"),
        ("K = 'x'", "x", "double quotes"),
        ("K = two words", "two words", "double quotes"),
    ],
)
def test_what_fossul_would_lose_is_taken_and_told(line, value, why):
    read = read_plugin(line.encode())
    assert read.values == {"K": value}
    (note,) = read.notes
    assert (note.outcome, note.what, note.line) == ("changed", "K", 1)
    assert why in note.why


def test_what_fossul_sees_goes_before_what_it_would_lose():
    text = 'K = "seen"\nK = "two words"\n'
    assert read_plugin(text.encode()).values == {"K": "seen"}
    assert whys(text) == [("dropped", "K", 2)]


def test_a_key_that_begins_with_a_byte_order_mark_is_not_written_as_one():
    values = {"\ufeffHost": "db"}
    written = write_plugin(values)
    assert not written.startswith("\ufeff")
    assert read_plugin(written.encode()).values == values


def test_a_line_that_is_nothing_is_dropped_and_told_without_its_text():
    read = read_plugin(b'password hunter2\nA = "b"\nP = \n')
    assert read.values == {"A": "b"}
    assert [(note.outcome, note.line) for note in read.notes] == [("dropped", 1), ("dropped", 3)]
    assert "hunter2" not in str(read.notes)


def test_the_comments_of_fossuls_own_files_are_overridden_by_the_line_below():
    text = '#  CopyCmdPath = "/usr/bin/oc"  #\nCopyCmdPath = "/usr/bin/kubectl"\n'
    assert read_plugin(text.encode()).values == {"CopyCmdPath": "/usr/bin/kubectl"}
    assert whys(text) == [("dropped", "CopyCmdPath", 1)]


@pytest.mark.parametrize(("length", "seen"), [(65_535, True), (65_536, False)])
def test_a_line_at_which_fossul_stops_reading_is_told(length, seen):
    line = 'A = "{}"'.format("x" * (length - 6))
    read = read_plugin(f'{line}\nB = "b"\n'.encode())
    assert read.values["B"] == "b"
    assert bool(read.notes) != seen


def test_text_that_is_not_utf_8_is_read_as_go_sends_it():
    read = read_plugin(b'A = "b"\nK = "\xff"')
    assert read.values == {"A": "b", "K": "�"}
    assert [(note.what, note.line) for note in read.notes] == [("the text", 2)]


def test_a_nul_is_refused_by_line():
    with pytest.raises(ConfigInvalid, match="line 2"):
        read_plugin(b'A = "b"\nK = "\0"')


@THOUSAND
@given(HOSTILE)
def test_a_match_is_the_one_that_fossuls_expression_finds(line):
    found = GO.search(line)
    assert fossul_match(line) == (found.groups() if found else None)


@THOUSAND
@given(LINES)
def test_any_text_is_read_and_what_fossul_sees_is_what_is_taken(text):
    fossul = {}
    for line in text.split("\n"):
        if found := GO.search(line.removesuffix("\r")):
            fossul[found[1]] = found[2]
    try:
        values = read_plugin(text.encode(errors="replace")).values
    except ConfigInvalid:
        assert "\0" in text
        return
    assert {key: values[key] for key in fossul} == fossul


@THOUSAND
@given(st.binary(max_size=200))
def test_any_bytes_are_read_or_refused_with_words(content):
    try:
        read_plugin(content)
    except ConfigInvalid as refused:
        assert b"\0" in content
        assert refused.field.startswith("line ")


@THOUSAND
@given(st.dictionaries(NAMES, TEXTS, max_size=5))
def test_parameters_survive_the_file_and_fossul_reads_all_that_it_can_hold(values):
    text = write_plugin(values)
    assert read_plugin(text.encode()).values == values
    fossul = dict(found.groups() for line in text.split("\n") if (found := GO.search(line)))
    can_hold = {k: v for k, v in values.items() if v and not re.search(r"[\t\n\f\r ]", v)}
    assert fossul == can_hold


@pytest.mark.parametrize(
    "values", [{"a key": "v"}, {"": "v"}, {"k": "\0"}, {"k": "\ud800"}, {"k": "x" * 65_536}]
)
def test_a_parameter_that_no_line_can_hold_is_refused(values):
    with pytest.raises(ConfigInvalid):
        write_plugin(values)


@pytest.mark.parametrize("piece", ["a", '="', '= "', "=", '"', "a = b   ", "] #", '\\"'])
def test_reading_takes_time_in_proportion_to_the_length(piece):
    content = (piece * (2**20 // len(piece))).encode()
    begin = time.process_time()
    read_plugin(content)
    assert time.process_time() - begin < 5
