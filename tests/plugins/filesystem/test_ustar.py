import io
import tarfile

from hypothesis import given
from hypothesis import strategies as st

from workflows_app.plugins.filesystem.ustar import ordinary_header

TYPES = st.sampled_from(
    [tarfile.REGTYPE, tarfile.DIRTYPE, tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.FIFOTYPE]
)
NAMES = st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=40)
SECOND = 1_000_000_000


def by_tarfile(info: tarfile.TarInfo) -> bytes:
    return info.tobuf(tarfile.PAX_FORMAT, "utf-8", "surrogateescape")


@given(
    path=st.from_regex(r"[ -.0-~]{1,30}(/[ -.0-~]{1,30}){0,4}", fullmatch=True) | NAMES.filter(bool),
    kind=TYPES,
    size=st.integers(0, 2**36),
    mode=st.integers(0, 0o7777),
    uid=st.integers(0, 2**23),
    gid=st.integers(0, 2**23),
    uname=NAMES,
    gname=NAMES,
    mtime_ns=st.integers(-SECOND, 2**34 * SECOND) | st.integers(0, 2**34).map(SECOND.__mul__),
    link=NAMES,
)
def test_a_header_is_what_tarfile_makes_of_the_same_member(
    path: str, kind: bytes, size: int, mode: int, uid: int, gid: int, uname: str, gname: str, mtime_ns: int,
    link: str,
) -> None:  # fmt: skip
    made = ordinary_header(
        path, kind, size=size, mode=mode, uid=uid, gid=gid, uname=uname, gname=gname, mtime_ns=mtime_ns,
        link=link,
    )  # fmt: skip
    if made is None:
        return
    info = tarfile.TarInfo(path)
    info.type, info.size, info.mode, info.uid, info.gid = kind, size, mode, uid, gid
    info.uname, info.gname, info.linkname = uname, gname, link
    info.mtime, fraction = divmod(mtime_ns, SECOND)
    if fraction:
        info.pax_headers = {"mtime": f"{info.mtime}.{fraction:09d}"}
    assert made == by_tarfile(info)


def test_what_has_no_room_in_the_classic_header_is_left_to_tarfile() -> None:
    fits = {"size": 1, "mode": 0o644, "uid": 0, "gid": 0, "uname": "", "gname": "", "mtime_ns": 0, "link": ""}
    assert ordinary_header("n" * 100, tarfile.REGTYPE, **fits) is not None
    for path, changed in (
        ("n" * 101, {}),
        ("ö", {}),
        ("\udcff", {}),
        ("a", {"size": 8**11}),
        ("a", {"uid": 8**7}),
        ("a", {"mtime_ns": -1}),
        ("a", {"link": "n" * 101}),
        ("a", {"uname": "n" * 33}),
    ):
        assert ordinary_header(path, tarfile.REGTYPE, **fits | changed) is None
    assert ordinary_header("n" * 100, tarfile.DIRTYPE, **fits) is None


def test_a_tar_of_such_headers_is_read_by_tarfile() -> None:
    header = ordinary_header(
        "some/file", tarfile.REGTYPE, size=3, mode=0o640, uid=7, gid=8, uname="a", gname="b",
        mtime_ns=1_700_000_000_123_456_789, link="",
    )  # fmt: skip
    assert header is not None
    with tarfile.open(fileobj=io.BytesIO(header + b"abc" + bytes(509) + bytes(1024))) as tar:
        (info,) = tar.getmembers()
        content = tar.extractfile(info)
        assert content is not None
        assert content.read() == b"abc"
    assert (info.name, info.mode, info.uid, info.gid, info.uname, info.gname) == (
        "some/file", 0o640, 7, 8, "a", "b",
    )  # fmt: skip
    assert info.pax_headers["mtime"] == "1700000000.123456789"
