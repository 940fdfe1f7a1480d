"""What a pattern means; git is asked whether it agrees."""

import subprocess
from pathlib import Path

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from workflows_app.plugins.filesystem.exclude import Excludes, Pattern, PatternInvalid

_NAMES = st.text("ab.-[", min_size=1, max_size=4).filter(lambda name: name not in (".", ".."))
_PATHS = st.lists(_NAMES, min_size=1, max_size=4).map("/".join)
_PIECES = st.sampled_from(
    ["a", "b", ".", "-", "*", "?", "/", "**", "**/", "/**", "[ab]", "[!a]", "[^-b]", "[a-]", "\\*", "\\["]
)
_PATTERNS = st.lists(_PIECES, min_size=1, max_size=7).map("".join)


@pytest.fixture(scope="module")
def repository(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An empty repository, whose exclude file the examples write."""
    root = tmp_path_factory.mktemp("repository")
    subprocess.run(["git", "init", "-q", root], check=True, capture_output=True)
    return root


def git_excludes(repository: Path, pattern: str, path: str) -> bool:
    """Whether git ignores the file ``path``, which need not be there."""
    (repository / ".git" / "info" / "exclude").write_text(f"{pattern}\n")
    asked = subprocess.run(
        ["git", "-C", repository, "check-ignore", "--no-index", "--quiet", "--", path],
        capture_output=True,
        env={"PATH": "/usr/bin:/bin", "HOME": str(repository), "GIT_CONFIG_NOSYSTEM": "1"},
    )
    assert asked.returncode in (0, 1), asked.stderr
    return asked.returncode == 0


def excludes(patterns: Excludes, path: str) -> bool:
    """Whether a walk leaves out the file ``path``: it, or any folder that it is in."""
    parts = path.split("/")
    return any(
        patterns.fits("/".join(parts[:depth]), parts[depth - 1], is_folder=depth < len(parts))
        for depth in range(1, len(parts) + 1)
    )


@settings(deadline=None, max_examples=400, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(pattern=_PATTERNS, path=_PATHS)
def test_git_agrees(repository: Path, pattern: str, path: str) -> None:
    try:
        read = Excludes((Pattern.of(pattern),))
    except PatternInvalid:
        assume(False)
    assert excludes(read, path) == git_excludes(repository, pattern, path)


@pytest.mark.parametrize(
    ("pattern", "left_out", "kept"),
    [
        ("cache", ["cache", "a/cache", "a/cache/b"], ["caches", "a/my-cache"]),
        ("/cache", ["cache", "cache/a"], ["a/cache"]),
        ("cache/", ["cache/a", "a/cache/b"], ["cache", "a/cache"]),
        ("a/b", ["a/b", "a/b/c"], ["x/a/b"]),
        ("*.tmp", ["x.tmp", "a/.tmp", "a.tmp/b"], ["x.tmp~", "tmp"]),
        ("**/logs/*.log", ["logs/a.log", "a/b/logs/c.log"], ["a.log", "logs/x/a.log"]),
        ("logs/**", ["logs/a", "logs/a/b"], ["logs", "a/logs/b"]),
        ("a/**/z", ["a/z", "a/b/z", "a/b/c/z"], ["a/b", "z"]),
        ("?", ["a", "é"], ["ab"]),
        ("[!0-9]*", ["a1"], ["1a"]),
        ("line\nbreak*", ["line\nbreak and more"], ["linebreak"]),
        ("\\*", ["*"], ["a"]),
        ("#a", ["#a"], ["a"]),
    ],
)
def test_a_pattern_means(pattern: str, left_out: list[str], kept: list[str]) -> None:
    patterns = Excludes.of(pattern)
    assert [path for path in left_out if not excludes(patterns, path)] == []
    assert [path for path in kept if excludes(patterns, path)] == []


def test_commas_separate_and_can_be_escaped() -> None:
    patterns = Excludes.of(" *.tmp , a\\,b,, /c/ ")
    assert patterns.texts == ("*.tmp", "a\\,b", "/c/")
    assert excludes(patterns, "a,b")
    assert not excludes(patterns, "a")


@pytest.mark.parametrize(
    ("pattern", "why"),
    [
        ("!keep", "exceptions with '!' are not known"),
        ("a[b", "is not closed"),
        ("a\\", "nothing to escape"),
        ("/", "nothing before, between or after"),
        ("a//b", "nothing before, between or after"),
        ("**//", "nothing before, between or after"),
        ("[[:alpha:]]", r"classes such as \[:alpha:\] are not known"),
    ],
)
def test_what_cannot_be_understood_is_refused_by_name(pattern: str, why: str) -> None:
    with pytest.raises(PatternInvalid, match=why) as refused:
        Excludes.of(f"*.tmp, {pattern}")
    assert str(refused.value).startswith(f"the pattern {pattern!r} cannot be used: ")


def test_many_stars_are_quick_on_a_long_name() -> None:
    # Tried in every way, this would take longer than the world has.
    assert not excludes(Excludes.of("*a" * 30 + "b"), "a" * 255)
