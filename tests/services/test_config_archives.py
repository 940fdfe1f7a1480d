"""Archives of configuration files: packed the same each time, unpacked safely or refused."""

import contextlib
import gzip
import io
import stat
import tarfile
import zipfile

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from workflows_app.domain.errors import ConfigInvalid
from workflows_app.services.configurations.config_folder import LARGEST_FILE
from workflows_app.services.files.config_archives import (
    LARGEST_CONTENT,
    MOST_FILES,
    gather,
    pack,
    unpack,
)

FILES = {"p/app/app.conf": b'AppPlugin = "x"\n', "p/app/x.conf": b"\xff\x00"}


def zipped(files: dict[str, bytes], **attributes: int) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for path, content in files.items():
            entry = zipfile.ZipInfo(path)
            entry.compress_type = zipfile.ZIP_DEFLATED
            for name, value in attributes.items():
                setattr(entry, name, value)
            archive.writestr(entry, content)
    return out.getvalue()


def tarred(files: dict[str, bytes], **attributes: object) -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as archive:
        for path, content in files.items():
            entry = tarfile.TarInfo(path)
            entry.size = len(content)
            for name, value in attributes.items():
                setattr(entry, name, value)
            archive.addfile(entry, io.BytesIO(content))
    return out.getvalue()


def test_what_is_packed_is_unpacked_the_same_and_packed_the_same_again():
    packed = b"".join(pack(FILES))
    assert unpack("x.zip", packed) == FILES
    assert b"".join(pack(dict(reversed(FILES.items())))) == packed


def test_packing_gives_away_each_file_as_it_is_packed():
    parts = pack({f"p/a/{n}.conf": bytes(str(n), "ascii") * 5000 for n in range(3)})
    first = next(parts)
    assert b"p/a/0.conf" in first
    assert b"p/a/1.conf" not in first


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("x.zip", zipped(FILES)),
        ("X.ZIP", zipped(FILES)),
        ("x.tar", tarred(FILES)),
        ("x.tar.gz", gzip.compress(tarred(FILES))),
        ("x.tgz", gzip.compress(tarred({f"./{path}": content for path, content in FILES.items()}))),
        ("x.zip", zipped({f"configs/{path}": content for path, content in FILES.items()})),
        ("x.zip", zipped(FILES | {"__MACOSX/p/app/._app.conf": b"x", ".git/../x": b"", "p/app/": b""})),
    ],
)
def test_each_kind_of_archive_is_unpacked(name, content):
    assert unpack(name, content) == FILES


@pytest.mark.parametrize(
    "path",
    [
        "../x.conf",
        "/etc/x.conf",
        "p/../../x.conf",
        "p//x.conf",
        "p/./x.conf",
        "C:/x.conf",
        "p\\x.conf",
        "p/\x07",
    ],
)
def test_a_path_that_leads_elsewhere_is_refused(path):
    for name, content in (("x.zip", zipped({path: b""})), ("x.tar", tarred({path: b""}))):
        with pytest.raises(ConfigInvalid, match="no path below") as caught:
            unpack(name, content)
        assert caught.value.field == name
    with pytest.raises(ConfigInvalid, match="no path below"):
        gather("folder", [(path, b"")])


@pytest.mark.parametrize("kind", [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.FIFOTYPE, tarfile.CHRTYPE])
def test_links_and_devices_are_refused(kind):
    with pytest.raises(ConfigInvalid, match="is a link, or no file"):
        unpack("x.tar", tarred({"p/app/app.conf": b""}, type=kind, linkname="/etc/passwd"))
    with pytest.raises(ConfigInvalid, match="is a link, or no file"):
        unpack(
            "x.zip", zipped({"p/app/app.conf": b"/etc/passwd"}, external_attr=(stat.S_IFLNK | 0o777) << 16)
        )


def test_of_a_large_file_no_more_is_read_than_shows_that_it_is_large():
    content = bytes(LARGEST_FILE * 4)
    assert len(unpack("x.zip", zipped({"p/a/a.conf": content}))["p/a/a.conf"]) == LARGEST_FILE + 1
    assert len(unpack("x.tar", tarred({"p/a/a.conf": content}))["p/a/a.conf"]) == LARGEST_FILE + 1


def test_what_unpacks_to_too_much_is_refused():
    large = {f"p/a/{n}.conf": bytes(LARGEST_FILE) for n in range(LARGEST_CONTENT // LARGEST_FILE + 1)}
    many = {f"p/a/{n}.conf": b"" for n in range(MOST_FILES + 1)}
    for files in (large, many):
        assert len(zipped(files)) < 2**20
        for name, content in (("x.zip", zipped(files)), ("x.tgz", gzip.compress(tarred(files)))):
            with pytest.raises(ConfigInvalid, match="import_configs"):
                unpack(name, content)


def test_a_stream_that_never_ends_is_not_read_to_its_end():
    with pytest.raises(ConfigInvalid, match="import_configs"):
        unpack("x.tgz", gzip.compress(bytes(200 * 2**20), compresslevel=1))


def test_a_path_that_is_there_twice_is_refused():
    with pytest.warns(UserWarning, match="Duplicate name"):
        out = io.BytesIO()
        with zipfile.ZipFile(out, "w") as archive:
            archive.writestr("p/a/a.conf", "1")
            archive.writestr("p/a/a.conf", "2")
    with pytest.raises(ConfigInvalid, match="twice"):
        unpack("x.zip", out.getvalue())


@pytest.mark.parametrize("name", ["x.zip", "x.tar", "x.tar.gz"])
@pytest.mark.parametrize("content", [b"", b"PK\x03\x04", b"nonsense" * 200, gzip.compress(b"x" * 600)[:-9]])
def test_what_is_damaged_is_refused_in_words(name, content):
    with pytest.raises(ConfigInvalid, match="damaged"):
        unpack(name, content)


def test_an_archive_whose_entry_has_no_name_is_refused():
    content = zipped({"p/a/a.conf": b"x"}).replace(b"p/a/a.conf", b"\0/a/a.conf")
    with pytest.raises(ConfigInvalid, match="is no path"):
        unpack("x.zip", content)


def test_a_damaged_file_in_an_archive_is_refused():
    content = bytearray(zipped({"p/a/a.conf": b"0123456789" * 100}))
    content[45] ^= 0xFF
    with pytest.raises(ConfigInvalid, match="damaged"):
        unpack("x.zip", bytes(content))


ARCHIVES = (("x.zip", zipped(FILES)), ("x.tar", tarred(FILES)), ("x.tgz", gzip.compress(tarred(FILES))))
SPOTS = st.lists(st.tuples(st.integers(0, 10_000), st.integers(0, 255)), max_size=6)


@settings(max_examples=1000, deadline=None)
@given(st.sampled_from(ARCHIVES), SPOTS, st.integers(0, 10_000))
def test_whatever_is_wrong_with_an_archive_is_told_and_nothing_else_raised(archive, spots, length):
    name, content = archive[0], bytearray(archive[1])
    for spot, value in spots:
        content[spot % len(content)] = value
    with contextlib.suppress(ConfigInvalid):
        unpack(name, bytes(content[: len(content) - length % len(content)]))


def test_another_kind_of_file_is_refused():
    with pytest.raises(ConfigInvalid, match="none of"):
        unpack("x.rar", b"")


def test_encrypted_and_unusually_packed_files_are_refused():
    content = bytearray(zipped({"p/a/a.conf": b"x"}))
    directory = content.index(b"PK\x01\x02")
    content[directory + 8] |= 1
    with pytest.raises(ConfigInvalid, match="encrypted"):
        unpack("x.zip", bytes(content))


@pytest.mark.parametrize(
    ("paths", "kept"),
    [
        (["c/p/a/a.conf", "c/README.md"], ["p/a/a.conf", "README.md"]),
        (["p/a/a.conf"], ["p/a/a.conf"]),
        (["p/a/a.conf", "p/a/old/a.conf"], ["p/a/a.conf", "p/a/old/a.conf"]),
        (["p/a/a.conf", "q/a/a.conf"], ["p/a/a.conf", "q/a/a.conf"]),
        (["c/p/p.conf", "c/p/a/a.conf"], ["p/p.conf", "p/a/a.conf"]),
        (["p/p.conf", "p/a/a.conf"], ["p/p.conf", "p/a/a.conf"]),
    ],
)
def test_a_folder_around_everything_is_left_out(paths, kept):
    assert list(gather("folder", [(path, b"") for path in paths])) == kept


def _with_size(content: bytes, size: bytes) -> bytes:
    """A tar of one member whose header says another size."""
    header = bytearray(content[:512])
    header[124:136] = size
    header[148:156] = b" " * 8
    header[148:156] = b"%06o\0 " % sum(header)
    return bytes(header) + content[512:]


@pytest.mark.parametrize(
    "content",
    [
        tarred({"p/.a": b""})[:512] + _with_size(tarred({"p/.b": b""}), b"\xff" * 10 + b"\xfe\x00"),
        tarred({"p/.a": b""})[:512] + tarred({"p/.b": b""}, pax_headers={"size": "-1536"}),
    ],
)
def test_a_size_below_zero_is_refused_and_not_read_for_ever(content, monkeypatch):
    # CVE-2025-8194: the same header again and again, which here ends as a failure instead.
    looks = iter(range(100))
    frombuf = tarfile.TarInfo.frombuf.__func__

    def counted(cls, *given):
        if next(looks, None) is None:
            pytest.fail("the same header is read for ever")
        return frombuf(cls, *given)

    monkeypatch.setattr(tarfile.TarInfo, "frombuf", classmethod(counted))
    with pytest.raises(ConfigInvalid, match="damaged, or no such archive"):
        unpack("x.tar", content)
