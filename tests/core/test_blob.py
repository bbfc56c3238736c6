# SPDX-License-Identifier: Apache-2.0
"""Blobs of certificates: PEM, DER and the certificate table of the GHCB.

Numbers such as (21) are rows of the catalogue of failures that the project keeps.
"""

from __future__ import annotations

import base64
from itertools import pairwise
from pathlib import Path
from typing import Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from attestcore import _lib
from snpverify.testing import AmdCa, CertificateTable, TableEntry, pem

EVIDENCE = Path(__file__).parents[2].parent / "shared" / "evidence"

MALFORMED = "certificate-set-malformed"
LIMIT = "certificate-set-too-large"
SET = "certificate set"
TABLE = "certificate table"

CA: Final = AmdCa("Milan")
VCEK: Final = CA.vcek(signature=bytes(512)).der
VLEK: Final = CA.vlek(signature=bytes(512)).der
ASK: Final = CA.ask_der
ARK: Final = CA.ark_der


def opened(blob: bytes, max_certs: int = _lib.BLOB_MAX_CERTS) -> list[bytes]:
    certs, error = _lib.blob_open(blob, max_certs)
    assert error == _lib.Finding(_lib.PASS, 0, 0)
    return certs


def refusal(blob: bytes, max_certs: int = _lib.BLOB_MAX_CERTS) -> tuple[str, str]:
    certs, error = _lib.blob_open(blob, max_certs)
    assert error.failed, f"accepted with {len(certs)} certificates"
    assert certs == []
    assert 0 <= error.offset <= len(blob)
    return error.code_name, error.field_name


def offset(blob: bytes) -> int:
    assert _lib.blob_open(blob)[1].failed
    return _lib.blob_open(blob)[1].offset


# ---- size, and which format ------------------------------------------------------------------------------------------


def test_nothing_is_malformed() -> None:
    assert refusal(b"") == (MALFORMED, SET)


def test_size_limit() -> None:
    table = CertificateTable.of(vcek=VCEK, page=_lib.BLOB_MAX_BYTES).build()
    assert len(table) == _lib.BLOB_MAX_BYTES
    assert opened(table) == [VCEK]
    text = pem(VCEK).ljust(_lib.BLOB_MAX_BYTES, b"\n")
    assert opened(text) == [VCEK]
    for blob in (table, text):
        assert refusal(blob + b"\n") == (LIMIT, SET)


@pytest.mark.parametrize("first", range(256))
def test_the_first_byte_tells_the_format(first: int) -> None:
    blob = bytes([first]) + b"x"
    assert refusal(blob) == (MALFORMED, SET if first in b"-0 \t\r\n" else TABLE)


@given(st.binary(min_size=1, max_size=200))
def test_arbitrary_bytes(blob: bytes) -> None:
    certs, error = _lib.blob_open(blob)
    if error.failed:
        assert error.code_name == MALFORMED
    else:
        assert all(cert in blob for cert in certs)


def test_every_beginning_of_a_certificate() -> None:
    """(26) In each of the three formats, from the first byte on."""
    table = CertificateTable.of(vcek=VCEK, ask=ASK, page=0).build()
    text = pem(VCEK)
    for size in range(1, len(VCEK)):
        assert refusal(VCEK[:size]) == (MALFORMED, SET)
    for size in range(1, len(text) - 1):
        assert refusal(text[:size]) == (MALFORMED, SET)
    for size in range(1, len(table)):
        assert refusal(table[:size]) == (MALFORMED, TABLE)


def test_the_callers_limit() -> None:
    for make in (pem(VCEK) * 3, CertificateTable.of(vcek=VCEK, ask=ASK, ark=ARK).build()):
        assert len(opened(make, 3)) == 3
        for limit in (0, 1, 2):
            assert refusal(make, limit)[0] == LIMIT
    assert opened(VCEK, 1) == [VCEK]
    assert refusal(VCEK, 0) == (LIMIT, SET)
    assert len(opened(pem(VCEK) * 16)) == 16
    assert refusal(pem(VCEK) * 17) == (LIMIT, SET)
    assert offset(pem(VCEK) * 17) == 16 * len(pem(VCEK))


# ---- DER -------------------------------------------------------------------------------------------------------------


def test_der() -> None:
    assert opened(VCEK) == [VCEK]
    assert opened(b"\x30\x00") == [b"\x30\x00"]  # framing alone is judged


@pytest.mark.parametrize("tail", [b"\0", b"\n", VCEK, b"x"])
def test_der_is_one_certificate(tail: bytes) -> None:
    assert refusal(VCEK + tail) == (MALFORMED, SET)
    assert offset(VCEK + tail) == len(VCEK)


@pytest.mark.parametrize(
    "header", ["3080", "3081", "308105", "30820005", "3083000080", "3084ffffffff", "308500000000ff"]
)
def test_der_header(header: str) -> None:
    assert refusal(bytes.fromhex(header) + bytes(5)) == (MALFORMED, SET)
    assert offset(bytes.fromhex(header) + bytes(5)) == 0


# ---- PEM (58, 59, 60) ------------------------------------------------------------------------------------------------


def block(body: str, label: str = "CERTIFICATE") -> bytes:
    return f"-----BEGIN {label}-----\n{body}\n-----END {label}-----\n".encode()


def lines(data: bytes, width: int = 64) -> str:
    text = base64.b64encode(data).decode()
    return "\n".join(text[i : i + width] for i in range(0, len(text), width))


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (b"", b""), (b"\n", b""), (b"\r\n \t\n", b""), (b"", b"\n\n"), (b"", b"\0"), (b"", b"\n\0"),
        (b"", b"trailing text"),
        (b"\nsubject=CN = SEV-VCEK\nissuer=/O=x\n", b"notBefore=...\n"), (b"\n#~!\ttext\r\n", b"\n"),
        (b"", b"-- \n----\n"),
    ],
)  # fmt: skip
def test_text_around_blocks(before: bytes, after: bytes) -> None:
    assert opened(before + pem(VCEK) + after) == [VCEK]
    assert opened(before + pem(VCEK) + after.rstrip(b"\0") + b"\n" + pem(ASK) + after) == [VCEK, ASK]


@pytest.mark.parametrize(
    "text",
    [b"\0", b"a\0b", b"\x01", b"\x7f", b"caf\xe9", "é".encode(), b"\x1b[0m", b"a\rb", b"-----", b"-----BEGIN",
     b"-----BEGIN -----x",
     b"-----BEGIN CERTIFICATE----", b"-----BEGIN CERTIFICATE----- ", b"-----END CERTIFICATE-----",
     b"-----begin CERTIFICATE-----",
     b"-----BEGIN\tCERTIFICATE-----", b"-----BEGIN CERT\0IFICATE-----"],
)  # fmt: skip
def test_what_may_not_stand_between_blocks(text: bytes) -> None:
    for blob in (b"\n" + text + b"\n" + pem(VCEK), pem(VCEK) + text + b"\n" + pem(ASK), pem(VCEK) + text + b"\n"):
        assert refusal(blob) == (MALFORMED, SET)


def test_nul_at_the_end_only() -> None:
    assert opened(pem(VCEK)[:-1] + b"\0") == [VCEK]
    for blob in (
        pem(VCEK) + b"\0\0",
        pem(VCEK) + b"\0\n",
        pem(VCEK) + b"\0" + pem(ASK),
        pem(VCEK)[:200] + b"\0" + pem(VCEK)[200:],
    ):
        assert refusal(blob) == (MALFORMED, SET)


def test_line_ends() -> None:
    """LF or CR LF, one way within a block."""
    unix, dos = pem(VCEK), pem(VCEK).replace(b"\n", b"\r\n")
    assert opened(dos) == [VCEK]
    assert opened(dos + unix) == [VCEK, VCEK]
    assert opened(dos[:-2]) == opened(unix[:-1]) == [VCEK]
    first, rest = unix.split(b"\n", 1)
    assert refusal(first + b"\r\n" + rest) == (MALFORMED, SET)
    assert refusal(first + b"\r" + rest) == (MALFORMED, SET)
    assert refusal(unix.replace(b"\n", b"\r")) == (MALFORMED, SET)
    assert refusal(unix.replace(b"\n", b"\n\r")) == (MALFORMED, SET)


@pytest.mark.parametrize("width", [1, 4, 63, 64, 65, 76, 100000])
def test_width_of_lines(width: int) -> None:
    assert opened(block(lines(VCEK, width))) == [VCEK]


@given(st.binary(min_size=1, max_size=400), st.integers(1, 80))
def test_base64(data: bytes, width: int) -> None:
    """Every length, and so every padding; the oracle is the standard library's encoder."""
    body = lines(data, width)
    assert opened(block(body)) == [data]


@pytest.mark.parametrize(
    "body",
    [
        "", "\n", "A", "AA", "AAA", "AAAAA", "AA=", "AA==AA==", "AAA=AAAA", "A===", "====", "=AAA", "AA=A", "AAAA=",
        "AAAA==",
        "AAAA====", "AB==", "AAB=", "AAAA\n\nAAAA", "AAAA \nAAAA", " AAAA", "AA AA", "AAAA\t", "AAA-", "AA_A",
        "AAA\u00e9", "AAA*",
        "AA==\nAAAA", "AAAA\n=", "AA=\n=\n=", "AA=\n=A", "AA\n==\nAAAA", "Proc-Type: 4,ENCRYPTED\n\nAAAA",
        "AAAA\n-----", "AAAA\n-",
    ],
)  # fmt: skip
def test_base64_that_is_not_canonical(body: str) -> None:
    assert refusal(block(body)) == (MALFORMED, SET)
    assert refusal(pem(VCEK) + block(body) + pem(ASK)) == (MALFORMED, SET)


@pytest.mark.parametrize(
    "blob",
    [
        pem(VCEK)[:-27],
        pem(VCEK).replace(b"-----END CERTIFICATE-----", b"-----END X509 CRL-----"),
        pem(VCEK).replace(b"-----END CERTIFICATE-----", b"-----END CERTIFICATE-----x"),
        pem(VCEK).replace(b"-----END CERTIFICATE-----", b"-----END CERTIFICATE----"),
        pem(VCEK).replace(b"-----END CERTIFICATE-----\n", pem(ASK)),
        pem(VCEK).replace(b"-----END CERTIFICATE-----", b"x-----END CERTIFICATE-----"),
        b"-----BEGIN CERTIFICATE-----\n" * 1000,
        b"-----BEGIN CERTIFICATE-----" + pem(VCEK)[28:],
        b"-----BEGIN CERTIFICATE----------END CERTIFICATE-----",
        b"-----",
        b"-",
        b"   \n\n",
        b"\n",
        b" some text\n",
    ],
)
def test_frames_of_blocks(blob: bytes) -> None:
    assert refusal(blob) == (MALFORMED, SET)


def test_other_blocks_are_passed_over() -> None:
    for label in (
        "X509 CRL",
        "TRUSTED CERTIFICATE",
        "X509 CERTIFICATE",
        "certificate",
        "EC PRIVATE KEY",
        "",
        "CERTIFICATE ",
    ):
        other = block("Proc-Type: 4\n\n" + lines(b"whatever"), label)
        assert opened(other) == []
        assert opened(other + pem(VCEK) + other) == [VCEK]
        assert opened(other * 100) == []
        assert refusal(other[:-1].rsplit(b"\n", 1)[0]) == (MALFORMED, SET)
        assert refusal(block("-----BEGIN X-----", label) + pem(VCEK)) == (MALFORMED, SET)
        assert refusal(block("a\0b", label)) == (MALFORMED, SET)


def test_one_line_of_a_mebibyte() -> None:
    """(58)"""
    body = base64.b64encode(bytes(786000)).decode()
    assert opened(block(body)) == [bytes(786000)]
    assert refusal(b"-----BEGIN CERTIFICATE-----\n" + b"A" * 1000000) == (MALFORMED, SET)


def test_where_pem_is_wrong() -> None:
    text = pem(VCEK)
    assert offset(text + b"x\x01\n") == len(text)
    at = text.index(b"\n") + 1 + 70
    assert offset(text[:at] + b"*" + text[at + 1 :]) == at


def test_der_inside_a_block_is_not_judged_here() -> None:
    """(62) Bytes behind the certificate stay with it, and reading it refuses them."""
    assert opened(pem(VCEK + b"\0")) == [VCEK + b"\0"]
    assert _lib.snp_cert_read(VCEK + b"\0").profile.code_name == "certificate-malformed"


@pytest.mark.skipif(not EVIDENCE.is_dir(), reason="no real evidence at ../shared/evidence")
def test_genuine_pem_chains() -> None:
    """(60) As clouds hand them out, and as TDX quotes carry them: with a NUL at the end, or without."""
    ends = set()
    for path in sorted((EVIDENCE / "tdx").glob("*.quote")):
        quote = path.read_bytes()
        first = quote.find(b"-----BEGIN CERTIFICATE-----")
        if first < 0:
            continue
        end = quote.rindex(b"-----END CERTIFICATE-----") + len(b"-----END CERTIFICATE-----\n")
        size = int.from_bytes(quote[first - 4 : first], "little")
        ends.add(quote[first + size - 1])
        assert end <= first + size
        certs = opened(quote[first : first + size])
        assert len(certs) == 3
        for cert in certs:
            info = _lib.snp_cert_read(cert)
            assert (info.role, info.profile.code) == ("other", _lib.PASS)
    assert ends == {0, 10}
    roles = [
        _lib.snp_cert_read(cert).role
        for cert in opened((EVIDENCE / "azure" / "azure-cvm-tooling" / "certs.pem").read_bytes())
    ]
    assert sorted(roles) == ["ark", "ask", "vcek"]


# ---- certificate table (21 to 26) ------------------------------------------------------------------------------------


def entries(count: int, data: bytes = b"\x30\x00") -> tuple[TableEntry, ...]:
    return tuple(TableEntry(bytes([i + 1] * 16), data) for i in range(count))


def test_table() -> None:
    table = CertificateTable.of(vcek=VCEK, ask=ASK, ark=ARK, crl=b"a list", unknown=b"something")
    assert opened(table.build()) == [VCEK, ASK, ARK]
    assert opened(CertificateTable.of(vlek=VLEK).build()) == [VLEK]
    assert opened(CertificateTable.of(crl=b"a list", unknown=VCEK).build()) == []


def test_table_padding_and_gaps() -> None:
    table = CertificateTable.of(vcek=VCEK, ask=ASK)
    for page in (0, 4096, 65536):
        for gap in (b"", b"\xff" * 100):
            assert opened(table.replace(page=page, gap=gap, trailing=b"\xff" * 50).build()) == [VCEK, ASK]


def test_empty_table() -> None:
    for size in (24, 4096):
        assert opened(bytes(size)) == []
    for size in (1, 23):
        assert refusal(bytes(size)) == (MALFORMED, TABLE)


@pytest.mark.parametrize("kind", ["vcek", "ask", "crl", "unknown"])
@pytest.mark.parametrize(
    ("at", "length"),
    [
        (0xFFFFFFFE, 3),
        (0xFFFFFFFF, 1),
        (0xFFFFFFFF, 0xFFFFFFFF),
        (0x80000000, 0x80000000),
        (100, 0xFFFFFF9C),
        (4096, 1),
        (4095, 2),
    ],
)
def test_21_offset_and_length_that_wrap(kind: str, at: int, length: int) -> None:
    """(21) Their sum wraps around 32 bits, or lies one byte outside."""
    table = (
        CertificateTable((TableEntry(kind, b"x" * 100), TableEntry("ark", ARK)))
        .with_entry(0, offset=at, length=length)
        .build()
    )
    assert len(table) == 4096
    assert refusal(table) == (MALFORMED, TABLE)
    assert offset(table) == 0


@pytest.mark.parametrize("kind", ["vcek", "crl", "unknown"])
@pytest.mark.parametrize(
    ("at", "length"), [(0, 24), (23, 8), (71, 8), (48, 8), (4096, 0), (72, 0), (72, 4025), (72, 0xFFFFFFFF)]
)
def test_22_places_outside_the_data(kind: str, at: int, length: int) -> None:
    """(22) In the header, at the end, without length, or longer than the rest."""
    table = (
        CertificateTable((TableEntry("ark", ARK), TableEntry(kind, b"x" * 100)))
        .with_entry(1, offset=at, length=length)
        .build()
    )
    assert refusal(table) == (MALFORMED, TABLE)
    assert offset(table) == 24


def test_22_places_at_the_edges() -> None:
    """The first byte behind the header, and the last one of the blob."""
    table = CertificateTable.of(vcek=VCEK, unknown=b"").with_entry(1, offset=4095, length=1).build()
    assert opened(table) == [VCEK]
    assert CertificateTable.of(vcek=VCEK, page=0).build()[48:] == VCEK


def test_23_no_terminator() -> None:
    """(23) None, one that is cut, one that is not all zeros; and more entries than anyone has."""
    assert refusal(CertificateTable.of(vcek=VCEK, terminator=False, page=0).build()) == (MALFORMED, TABLE)
    assert refusal(CertificateTable(entries(3), terminator=False, page=0).build()) == (MALFORMED, TABLE)
    head = CertificateTable(entries(1), page=0).build()
    assert refusal(head[:47]) == (MALFORMED, TABLE)
    for i in range(16, 24):
        assert refusal(head[: 24 + i] + b"\1" + head[25 + i :]) == (MALFORMED, TABLE), i
    many = b"".join(i.to_bytes(16, "big") + bytes(8) for i in range(1, 40000))
    assert refusal(many) == (MALFORMED, TABLE)
    assert offset(many) == 24 * 32


def test_23_number_of_entries() -> None:
    assert opened(CertificateTable(entries(32)).build()) == []
    table = CertificateTable(entries(33)).build()
    assert refusal(table) == (MALFORMED, TABLE)
    assert offset(table) == 24 * 32


@pytest.mark.parametrize("kind", ["vcek", "vlek", "ask", "ark", "crl", "unknown"])
def test_24_a_guid_twice(kind: str) -> None:
    """(24) Neither the first nor the last wins."""
    for first, second in ((VCEK, b"\x30\x00"), (b"\x30\x00", VCEK), (VCEK, VCEK)):
        table = CertificateTable(
            (TableEntry(kind, first), TableEntry(bytes(15) + b"x", b"y"), TableEntry(kind, second))
        ).build()
        assert refusal(table) == (MALFORMED, TABLE)
        assert offset(table) == 48


def test_25_vcek_and_vlek() -> None:
    """(25) Both are handed out; which one counts is for the report's SIGNING_KEY to say."""
    both = opened(CertificateTable.of(vlek=VLEK, vcek=VCEK).build())
    assert [_lib.snp_cert_read(cert).role for cert in both] == ["vlek", "vcek"]


@pytest.mark.parametrize("size", range(1, 28))
def test_26_short_certificates(size: int) -> None:
    """(26) An entry of a few bytes is handed out as it is, and reading refuses it."""
    for data in (VCEK[:size], pem(VCEK)[:size], bytes(size)):
        (cert,) = opened(CertificateTable.of(vcek=data).build())
        assert cert == data
        assert _lib.snp_cert_read(cert).profile.code_name == "certificate-malformed"


def test_pem_inside_a_table_is_no_certificate() -> None:
    (cert,) = opened(CertificateTable.of(vcek=pem(VCEK)).build())
    assert _lib.snp_cert_read(cert).profile.code_name == "certificate-malformed"


@pytest.mark.parametrize(("first", "second"), [((72, 100), (171, 10)), ((171, 10), (72, 100)), ((72, 100), (72, 100)),
                                               ((72, 100), (80, 10)), ((80, 10), (72, 100))])  # fmt: skip
def test_entries_may_not_overlap(first: tuple[int, int], second: tuple[int, int]) -> None:
    """Else a small table would stand for much data."""
    table = CertificateTable.of(vcek=b"x" * 200, unknown=b"")
    apart = table.with_entry(0, offset=72, length=99).with_entry(1, offset=171, length=10)
    assert len(opened(apart.build())) == 1
    bad = (
        table.with_entry(0, offset=first[0], length=first[1]).with_entry(1, offset=second[0], length=second[1]).build()
    )
    assert refusal(bad) == (MALFORMED, TABLE)
    assert offset(bad) == 24


def test_a_guid_of_zeros_is_only_the_end() -> None:
    table = CertificateTable((TableEntry(bytes(16), VCEK),)).build()
    assert refusal(table) == (MALFORMED, TABLE)


def test_guids_are_read_in_the_order_of_their_text() -> None:
    swapped = bytes.fromhex("8d75da6364e66445adc5f4b93be8accd")  # as little-endian GUIDs are stored elsewhere
    assert opened(CertificateTable((TableEntry(swapped, VCEK),)).build()) == []


@given(st.lists(st.tuples(st.integers(0, 300), st.integers(0, 300)), max_size=5))
def test_whatever_a_table_says_nothing_outside_is_read(places: list[tuple[int, int]]) -> None:
    """Any offsets and lengths: refused, or exactly the bytes they point at."""
    kinds = ("vcek", "vlek", "ask", "ark", "unknown")
    table = CertificateTable(
        tuple(TableEntry(kind, None, at, size) for kind, (at, size) in zip(kinds, places, strict=False)),
        page=0,
        trailing=bytes(range(200)),
    ).build()
    certs, error = _lib.blob_open(table)
    header = 24 * (len(places) + 1)
    inside = all(size and header <= at and at + size <= len(table) for at, size in places)
    ordered = sorted(places)
    apart = all(a + n <= b for (a, n), (b, _) in pairwise(ordered))
    assert error.failed != (inside and apart)
    if not error.failed:
        assert certs == [
            table[at : at + size] for kind, (at, size) in zip(kinds, places, strict=False) if kind != "unknown"
        ]
