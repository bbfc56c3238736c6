"""The walk through tar archives against the writer of the standard library, and against damage."""

from __future__ import annotations

import io
import tarfile

import pytest

from attestcore.batch import tar

FORMATS = {"ustar": tarfile.USTAR_FORMAT, "gnu": tarfile.GNU_FORMAT, "pax": tarfile.PAX_FORMAT}
DEEP = "/".join(["directory"] * 14) + "/report.bin"  # beyond the 100 bytes of the old header
MEMBERS = {"a.bin": b"\x01" * 1184, "empty.bin": b"", "note.txt": b"x" * 700, DEEP: b"\x02" * 512, "z.bin": b"z"}


def archive(form: int, **names: bytes) -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=form) as file:
        for name, data in (MEMBERS | names).items():
            info = tarfile.TarInfo(name)
            info.size = len(data)
            file.addfile(info, io.BytesIO(data))
    return out.getvalue()


def walk(data: bytes, max_bytes: int = 1 << 20) -> list[tar.Member]:
    return list(tar.walk(io.BytesIO(data), suffix=b".bin", max_bytes=max_bytes))


@pytest.mark.parametrize("form", FORMATS.values(), ids=FORMATS)
def test_members(form: int) -> None:
    members = walk(archive(form))
    assert [(member.name.decode(), member.data) for member in members] == [
        (name, data if name.endswith(".bin") else None) for name, data in MEMBERS.items()
    ]
    assert [member.size for member in members] == [len(data) for data in MEMBERS.values()]


def test_names_of_any_bytes_and_length() -> None:
    for form in (tarfile.GNU_FORMAT, tarfile.PAX_FORMAT):
        name = "ü" * 150 + ".bin"
        assert walk(archive(form, **{name: b"1"}))[-1].name == name.encode()


def test_what_is_not_regular_has_no_data() -> None:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as file:
        for kind in (tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.FIFOTYPE, tarfile.DIRTYPE, tarfile.CHRTYPE):
            info = tarfile.TarInfo("x.bin")
            info.type, info.linkname = kind, "/etc/passwd"
            file.addfile(info)
    members = walk(out.getvalue())
    assert len(members) == 5
    assert all((member.regular, member.data) == (False, None) for member in members)


def test_larger_than_allowed_is_passed_by() -> None:
    members = walk(archive(tarfile.GNU_FORMAT), max_bytes=600)
    assert [(member.name, member.data is None) for member in members[:2]] == [(b"a.bin", True), (b"empty.bin", False)]
    assert members[0].regular
    assert members[-1].data == b"z"


@pytest.mark.parametrize("form", FORMATS.values(), ids=FORMATS)
def test_cut_anywhere_is_an_error_and_never_a_shorter_archive(form: int) -> None:
    data = archive(form)
    end = len(data.rstrip(b"\0")) // 512 * 512 + 512
    for size in range(0, end + 1, 256):
        with pytest.raises(tar.TarError):
            walk(data[:size])
    assert len(walk(data[: end + 512])) == len(MEMBERS)


def test_another_archive_behind_it_is_an_error() -> None:
    data = archive(tarfile.GNU_FORMAT)
    with pytest.raises(tar.TarError, match="behind the end marker"):
        walk(data + data)


def test_damaged_headers() -> None:
    data = archive(tarfile.USTAR_FORMAT)
    for at in (0, 110, 124, 148, 156, 300):
        broken = bytearray(data)
        broken[at] ^= 0x01
        with pytest.raises(tar.TarError, match="header at byte 0"):
            walk(bytes(broken))


def header(name: bytes, size: int, kind: bytes) -> bytes:
    block = bytearray(512)
    block[0 : len(name)] = name
    block[124:136] = b"%011o\0" % size if size < 1 << 33 else b"\x80" + size.to_bytes(11, "big")
    block[156:157] = kind
    block[148:156] = b" " * 8
    block[148:156] = b"%06o\0 " % sum(block)
    return bytes(block)


def test_headers_that_ask_for_memory() -> None:
    with pytest.raises(tar.TarError, match="extended header"):
        walk(header(b"x", 1 << 30, b"x") + bytes(1 << 16))
    with pytest.raises(tar.TarError, match="inside a member"):
        walk(header(b"x.bin", 1 << 62, b"0") + bytes(2048))
    with pytest.raises(tar.TarError, match="inside a member"):
        walk(header(b"x.bin", 1000, b"0") + bytes(512))


@pytest.mark.parametrize(
    "record", [b"5", b"5 a", b"99 path=x\n", b"0 a=b\n", b"8 path=\n\n", b"11 size=-1\n", b"6 abc\n"]
)
def test_malformed_pax_records(record: bytes) -> None:
    data = header(b"x", len(record), b"x") + record.ljust(512, b"\0") + header(b"y.bin", 0, b"0") + bytes(1024)
    with pytest.raises(tar.TarError, match="pax header"):
        walk(data)
