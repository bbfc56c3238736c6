# SPDX-License-Identifier: Apache-2.0
"""Reading a quote: versions, bodies, every length at every level, reserved and trailing bytes, where each field is; and QE sections told
apart. What is expected stands here again, apart from the core: offsets by struct from the published layouts."""

from __future__ import annotations

import hashlib
import random
import struct
from typing import Any

import pytest
from tdx_core import (
    NOT_RUN,
    PARSE_CHECKS,
    PASS,
    RealQuote,
    each_real_quote,
    ffi,
    layout,
    lib,
    needs_evidence,
    parse,
    real_quotes,
    section_at,
    sections_distinct,
    span,
)

from tdxverify.testing import ENCLAVE_LAYOUT, HEADER_LAYOUT, TD_LAYOUT, IntelCa, Quote

CA = IntelCa()
SHAPES = [(3, 1), (4, 1), (4, 2), (5, 1), (5, 2), (5, 3), (5, 4)]
each_shape = pytest.mark.parametrize(("version", "body_type"), SHAPES, ids=lambda shape: str(shape))

HEADER = 48
BODY_SIZES = {1: 384, 2: 584, 3: 648, 4: 885}
TDX = 0x81


def made(version: int, body_type: int, **changes: Any) -> Quote:
    return CA.quote(version, body_type).replace(**changes)


def assert_clean(data: bytes) -> None:
    got = parse(data)
    assert got.whole
    assert got.failures == {}
    assert {got.findings[name] for name in (*PARSE_CHECKS, "qe-vendor")} == {PASS}


def assert_only(data: bytes | None, check: str, code: str, field: str, offset: int, *, whole: bool) -> None:
    """That check failed so, and no other did."""
    got = parse(data)
    assert got.failures == {check: (code, field, offset)}
    assert got.whole is whole


def u16(data: bytes, at: int) -> int:
    return int(struct.unpack_from("<H", data, at)[0])


def u32(data: bytes, at: int) -> int:
    return int(struct.unpack_from("<I", data, at)[0])


def put(data: bytes, at: int, value: int, width: int) -> bytes:
    return data[:at] + value.to_bytes(width, "little") + data[at + width :]


def places(data: bytes) -> dict[str, tuple[int, int]]:
    """Offset and size of every part, unpacked here."""
    version, _, tee = struct.unpack_from("<HHI", data)
    at = HEADER + (6 if version == 5 else 0)
    body_type = u16(data, 48) if version == 5 else 2 if tee == TDX else 1
    out = {"body": (at, BODY_SIZES[body_type])}
    at += BODY_SIZES[body_type]
    out["signed_part"] = (0, at)
    out["signature_length"] = (at, 4)
    end = at + 4 + u32(data, at)
    out |= {"signature": (at + 4, 64), "key": (at + 68, 64)}
    start = at = at + 68
    at += 64
    if version != 3:
        out |= {"outer_type": (at, 2), "outer_size": (at + 2, 4)}
        at += 6
    out |= {"qe_report": (at, 384), "qe_signature": (at + 384, 64), "auth_length": (at + 448, 2)}
    auth = u16(data, at + 448)
    at += 450
    out |= {"auth": (at, auth), "cert_type": (at + auth, 2), "cert_size": (at + auth + 2, 4)}
    at += auth + 6
    out["certification"] = (at, end - at)
    assert u32(data, at - 4) == end - at
    out |= {"section": (start, end - start), "trailing": (end, len(data) - end)}
    return out


PARTS = ("signed_part", "body", "signature", "key", "qe_report", "qe_signature", "auth", "certification", "section")


# ---- genuine quotes ----------------------------------------------------------------------------------------------------------


@needs_evidence
def test_there_are_real_quotes_of_every_kind() -> None:
    kinds = {(parse(real.data).quote.version, parse(real.data).quote.body_type) for real in real_quotes()}
    assert kinds == {(3, 1), (4, 2), (5, 3)}
    assert len(real_quotes()) == 29


@needs_evidence
@each_real_quote
def test_real_quotes_are_clean_and_their_parts_in_place(real: RealQuote) -> None:
    assert_clean(real.data)
    got = parse(real.data).quote
    wanted = places(real.data)
    for name in (*PARTS, "trailing"):
        assert span(getattr(got, name)) == wanted[name], name
    assert got.certification_type == 5
    if real.entry:
        assert (got.version, got.body_type or 0) == (real.entry["version"], real.entry["body_type"] or got.body_type)
        assert got.tee == {"TDX": TDX, "SGX": 0}[real.entry["tee"]]


@needs_evidence
@each_real_quote
def test_real_quotes_padded_as_collectors_do(real: RealQuote) -> None:
    bare = real.data[: places(real.data)["trailing"][0]]
    for zeros in (0, 1, 70, 3065, 16384):
        assert_clean(bare + bytes(zeros))
        assert span(parse(bare + bytes(zeros)).quote.trailing) == (len(bare), zeros)


@needs_evidence
@each_real_quote
def test_fields_against_another_parser(real: RealQuote) -> None:
    """Layout tables against dcap_qvl, which is written by others in another language."""
    dcap_qvl = pytest.importorskip("dcap_qvl")
    theirs = dcap_qvl.Quote.parse(real.data)
    at, _ = span(parse(real.data).quote.body)
    body_type = parse(real.data).quote.body_type
    ours = {name: real.data[at + offset : at + offset + size] for name, offset, size in layout(body_type)}
    names = {"mr_td": "MRTD", "rt_mr0": "RTMR0", "rt_mr3": "RTMR3", "report_data": "REPORTDATA", "mr_seam": "MRSEAM",
             "td_attributes": "TDATTRIBUTES", "xfam": "XFAM", "mr_config_id": "MRCONFIGID", "tee_tcb_svn": "TEE_TCB_SVN",
             "mr_signer_seam": "MRSIGNERSEAM", "seam_attributes": "SEAMATTRIBUTES", "mr_owner": "MROWNER",
             "mr_owner_config": "MROWNERCONFIG", "rt_mr1": "RTMR1", "rt_mr2": "RTMR2", "tee_tcb_svn2": "TEE_TCB_SVN_2",
             "mr_service_td": "MRSERVICETD"}  # fmt: skip
    if body_type == 1:
        names = {"cpu_svn": "CPUSVN", "attributes": "ATTRIBUTES", "mr_enclave": "MRENCLAVE", "mr_signer": "MRSIGNER",
                 "report_data": "REPORTDATA (enclave)"}  # fmt: skip
    compared = 0
    for name, field in names.items():
        value = getattr(theirs.report, name, None)
        if value is not None:
            assert bytes(value) == ours[field], name
            compared += 1
    assert compared >= (5 if body_type == 1 else 15)
    assert bytes(theirs.cert_chain_pem_bytes()).rstrip(b"\0") == parse(real.data).part(
        "certification", real.data
    ).rstrip(b"\0")


# ---- quotes of the test authority: every shape -------------------------------------------------------------------------------


@each_shape
def test_every_shape_is_clean(version: int, body_type: int) -> None:
    quote = made(version, body_type)
    assert_clean(quote.bytes)
    got = parse(quote.bytes).quote
    wanted = places(quote.bytes)
    for name in PARTS:
        assert span(getattr(got, name)) == wanted[name], name
    assert (got.version, got.body_type, got.key_type, got.tee) == (version, body_type, 2, 0 if body_type == 1 else TDX)
    assert span(got.signed_part) == (0, len(quote.signed_part()))


def test_absolute_offsets() -> None:
    """The published ones, for 32 bytes of authentication data."""
    published = {
        (3, 1): (432, 436, 500, 564, 948, 1014, 1052),
        (4, 2): (632, 636, 700, 770, 1154, 1220, 1258),
        (5, 3): (702, 706, 770, 840, 1224, 1290, 1328),
        (5, 4): (939, 943, 1007, 1077, 1461, 1527, 1565),
    }
    for shape, (length, signature, key, report, report_signature, auth, pem) in published.items():
        got = parse(made(*shape).bytes).quote
        parts = (
            got.signed_part.len,
            got.signature.offset,
            got.key.offset,
            got.qe_report.offset,
            got.qe_signature.offset,
        )
        assert parts == (length, signature, key, report, report_signature), shape
        assert (got.auth.offset, got.certification.offset) == (auth, pem)
        assert made(*shape).bytes[pem : pem + 10] == b"-----BEGIN"


def test_layout_tables() -> None:
    """Against the test authority's, which were written from the documents by another hand."""

    def places_of(table: dict[str, tuple[int, int]]) -> list[tuple[int, int]]:
        return list(table.values())

    assert [(at, size) for _, at, size in layout(0)] == places_of(HEADER_LAYOUT)
    assert [(at, size) for _, at, size in layout(1)] == places_of(ENCLAVE_LAYOUT)
    for body_type in (2, 3, 4):
        ends_in = [place for place in places_of(TD_LAYOUT) if sum(place) <= BODY_SIZES[body_type]]
        assert [(at, size) for _, at, size in layout(body_type)] == ends_in
    assert layout(5) == []
    for body_type in range(5):
        at = 0
        for name, offset, size in layout(body_type):  # no gap, no overlap, each name once
            assert (offset, bool(name)) == (at, True)
            at += size
        assert at == {0: 48, **BODY_SIZES}[body_type]
        assert len({name for name, _, _ in layout(body_type)}) == len(layout(body_type))


# ---- lengths -----------------------------------------------------------------------------------------------------------------


@each_shape
def test_every_truncation(version: int, body_type: int) -> None:
    data = made(version, body_type).bytes
    length_at, _ = places(data)["signature_length"]
    for n in range(len(data)):
        got = parse(data[:n])
        assert not got.whole
        assert set(got.failures) == {"quote-length"}
        code, field, offset = got.findings["quote-length"]
        assert code == "quote-truncated"
        assert offset <= n
        if n >= length_at:
            assert (field, offset) == ("signature section length", length_at)
        elif n >= 2:
            fields = {at: name for name, at, _ in layout(0)}
            fields |= {48: "body type", 50: "body size"} if version == 5 else {}
            body_at, _ = places(data)["body"]
            fields |= {body_at + at: name for name, at, _ in layout(body_type)}
            assert field == fields[offset]
            later = [at for at in sorted(fields) if at > offset] + [length_at]
            assert offset <= n < later[0]  # that field is the first that is not whole
        assert got.findings["quote-version"] == (PASS if n >= 2 else NOT_RUN)
        assert got.findings["qe-vendor"] == (PASS if n >= HEADER else NOT_RUN)


def test_nothing_at_all() -> None:
    assert_only(None, "quote-length", "evidence-missing", "quote", 0, whole=False)
    assert_only(b"", "quote-length", "quote-truncated", "quote version", 0, whole=False)
    assert_only(b"\4", "quote-length", "quote-truncated", "quote version", 0, whole=False)


def test_a_quote_may_have_so_many_bytes_and_no_more() -> None:
    quote = made(4, 2)
    most = 262144
    data = quote.replace(cert_data=bytes(most - len(quote.bytes) + len(quote.certification_data()))).bytes
    assert len(data) == most
    assert parse(data).whole
    assert_only(data + b"\0", "quote-length", "quote-too-large", "quote", most, whole=False)


def lies(true: int, width: int) -> list[int]:
    values = {
        0,
        1,
        2,
        true - 1,
        true + 1,
        true - 6,
        true + 6,
        2**16 - 1,
        2**16,
        2**31 - 1,
        2**31,
        2**32 - 1,
        2**32 - 134,
    }
    return sorted(v for v in values if 0 <= v < 2 ** (8 * width) and v != true)


LENGTHS = {"signature_length": 4, "outer_size": 4, "auth_length": 2, "cert_size": 4}
CALLED = {
    "signature_length": "signature section length",
    "outer_size": "certification data size",
    "auth_length": "QE authentication data length",
    "cert_size": "QE certification data size",
}


@pytest.mark.parametrize("name", LENGTHS)
@pytest.mark.parametrize("padding", [0, 4096])
@each_shape
def test_every_length_that_lies(version: int, body_type: int, name: str, padding: int) -> None:
    data = made(version, body_type).bytes + bytes(padding)
    where = places(data)
    if name not in where:
        pytest.skip("version 3 has no outer certification data")
    at, width = where[name]
    true = int.from_bytes(data[at : at + width], "little")
    for lie in lies(true, width):
        got = parse(put(data, at, lie, width))
        assert not got.whole, lie
        assert set(got.failures) == {"quote-length"}, lie
        code, field, offset = got.findings["quote-length"]
        rest = len(data) - at - 4
        if name == "signature_length" and lie > rest:
            assert (code, field, offset) == ("quote-truncated", CALLED[name], at)
        elif name in ("outer_size", "cert_size") or (name == "signature_length" and lie < 70):
            assert (code, field, offset) == ("quote-length-invalid", CALLED[name], at), lie
        elif name == "signature_length" and abs(lie - true) <= 6:  # the next length inside does not fit any more
            inside = "cert_size" if version == 3 else "outer_size"
            assert (code, field, offset) == ("quote-length-invalid", CALLED[inside], where[inside][0])
        elif name == "auth_length":  # what the next length is now read from is none
            told = {CALLED["auth_length"]: at, CALLED["cert_size"]: at + 2 + lie + 2}
            assert (code, offset) == ("quote-length-invalid", told[field])
        else:
            assert (name, padding) == ("signature_length", 4096)
            assert (code, field in CALLED.values()) == ("quote-length-invalid", True)


@each_shape
def test_authentication_data_length_beyond_its_container(version: int, body_type: int) -> None:
    data = made(version, body_type).bytes
    at, _ = places(data)["auth_length"]
    left = len(data) - at - 2
    for lie in (left + 1, left, left - 5, 65535):
        assert_only(
            put(data, at, lie, 2), "quote-length", "quote-length-invalid", CALLED["auth_length"], at, whole=False
        )


@each_shape
@pytest.mark.parametrize("size", [0, 1, 31, 32, 33, 64, 65535])
def test_authentication_data_of_any_length(version: int, body_type: int, size: int) -> None:
    quote = made(version, body_type, auth_data=bytes(i % 251 for i in range(size)))
    assert_clean(quote.bytes)
    assert parse(quote.bytes).part("auth", quote.bytes) == quote.auth_data


@each_shape
def test_a_signature_section_too_short_for_its_fixed_parts(version: int, body_type: int) -> None:
    """Every length of it, with the file ending there: nothing is read behind its end."""
    data = made(version, body_type).bytes
    where = places(data)
    at, _ = where["signature_length"]
    for n in range(at + 4, len(data)):
        got = parse(put(data[:n], at, n - at - 4, 4))
        assert not got.whole
        assert set(got.failures) == {"quote-length"}
        assert got.findings["quote-length"][0] == "quote-length-invalid"
        assert got.findings["quote-length"][2] <= n


@each_shape
def test_body_size(version: int, body_type: int) -> None:
    if version != 5:
        pytest.skip("version 5 alone tells it")
    for size in {0, 1, *BODY_SIZES.values(), BODY_SIZES[body_type] - 1, BODY_SIZES[body_type] + 1, 2**31, 2**32 - 1}:
        data = made(5, body_type, body_size=size).bytes
        if size == BODY_SIZES[body_type]:
            assert_clean(data)
        else:
            assert_only(data, "quote-tee-type", "quote-body-invalid", "body size", 50, whole=False)


# ---- header ------------------------------------------------------------------------------------------------------------------


@each_shape
def test_version(version: int, body_type: int) -> None:
    for told in (0, 1, 2, 6, 7, 0x0300, 0x0400, 0x0500, 65535):
        data = put(made(version, body_type).bytes, 0, told, 2)
        assert_only(data, "quote-version", "quote-version-unsupported", "quote version", 0, whole=False)
        assert_only(data[:2], "quote-version", "quote-version-unsupported", "quote version", 0, whole=False)
        assert parse(data).quote.version == told
        assert parse(data).findings["quote-length"] == NOT_RUN


@each_shape
def test_tee_type(version: int, body_type: int) -> None:
    for tee in (1, 0x80, 0x82, 0x81000000, 0x10081, 2**32 - 1):
        data = made(version, body_type, tee_type=tee).bytes
        assert_only(data, "quote-tee-type", "tee-type-unsupported", "TEE type", 4, whole=False)


def test_version_3_has_no_tds() -> None:
    data = made(3, 1, tee_type=TDX).bytes
    assert_only(data, "quote-tee-type", "tee-type-unsupported", "TEE type", 4, whole=False)


@pytest.mark.parametrize("body_type", [1, 2, 3, 4])
def test_body_type_against_tee(body_type: int) -> None:
    other = 0 if body_type != 1 else TDX
    data = made(5, body_type, tee_type=other).bytes
    assert_only(data, "quote-tee-type", "quote-body-invalid", "body type", 48, whole=False)
    for told in (0, 5, 6, 255, 256 + body_type, 65535):
        data = made(5, body_type).replace(body_type=told).bytes
        assert_only(data, "quote-tee-type", "quote-body-invalid", "body type", 48, whole=False)


def test_version_4_bodies_do_not_pass_for_each_other() -> None:
    """The TEE type says which body it is; with the other one, every length behind it is another."""
    for body_type, tee in ((1, TDX), (2, 0)):
        got = parse(made(4, body_type, tee_type=tee).bytes)
        assert not got.whole
        assert set(got.failures) == {"quote-length"}


@each_shape
def test_key_type(version: int, body_type: int) -> None:
    for told in (0, 1, 3, 4, 0x0200, 65535):
        data = made(version, body_type, att_key_type=told).bytes
        assert_only(data, "quote-key-type", "attestation-key-type-unsupported", "attestation key type", 2, whole=False)
        assert parse(data).quote.body.len == BODY_SIZES[body_type]


@each_shape
def test_vendor(version: int, body_type: int) -> None:
    good = made(version, body_type)
    for byte in range(16):
        data = good.flipped("header.qe_vendor_id", byte)
        assert_only(data, "qe-vendor", "qe-vendor-unknown", "QE vendor id", 12, whole=True)


@each_shape
def test_svns_of_the_header(version: int, body_type: int) -> None:
    """Version 3 tells two SVNs there, which nothing is decided on; versions 4 and 5 reserve the bytes."""
    for at in range(8, 12):
        data = put(made(version, body_type).bytes, at, 1, 1)
        if version == 3:
            assert_clean(data)
        else:
            assert_only(data, "quote-reserved", "reserved-not-zero", "header reserved", at, whole=True)


@each_shape
def test_user_data_is_opaque(version: int, body_type: int) -> None:
    assert_clean(made(version, body_type, user_data=bytes(range(1, 21))).bytes)


@each_shape
def test_single_bits_of_the_header(version: int, body_type: int) -> None:
    """Each flip of header and descriptor is told by the check whose field it is, or by none where any value will do."""
    good = made(version, body_type).bytes
    for at in range(HEADER + (6 if version == 5 else 0)):
        for bit in range(8):
            data = put(good, at, good[at] ^ 1 << bit, 1)
            failed = parse(data).failures
            if at < 2:
                told = u16(data, 0)
                expected = {"quote-version"} if told not in (3, 4, 5) else None
            elif at < 4:
                expected = {"quote-key-type"}
            elif at < 8:
                expected = {"quote-tee-type"}
            elif at < 12:
                expected = set() if version == 3 else {"quote-reserved"}
            elif at < 28:
                expected = {"qe-vendor"}
            else:
                expected = set() if at < HEADER else {"quote-tee-type"}
            if expected is None:  # another version that is known: nothing fits any more
                assert failed
                assert not parse(data).whole
            elif version == 4 and 4 <= at < 8 and u32(data, 4) in (0, TDX):
                assert set(failed) == {"quote-length"}
            else:
                assert set(failed) == expected, (at, bit)


# ---- reserved bytes ------------------------------------------------------------------------------------------------------------

ENCLAVE_RESERVED = {
    **dict.fromkeys(range(20, 32), "RESERVED_14"),
    **dict.fromkeys(range(96, 128), "RESERVED_60"),
    **dict.fromkeys(range(160, 192), "RESERVED_A0"),
    **dict.fromkeys(range(262, 304), "RESERVED_106"),
}


@each_shape
def test_reserved_bytes_of_the_qe_report(version: int, body_type: int) -> None:
    good = made(version, body_type)
    at, _ = good.places["qe_report"]
    for byte in range(384):
        data = put(good.bytes, at + byte, good.bytes[at + byte] ^ 0x80, 1)
        if byte in ENCLAVE_RESERVED:
            assert_only(data, "quote-reserved", "reserved-not-zero", "QE report", at + byte, whole=True)
        else:
            assert_clean(data)


@each_shape
def test_reserved_bytes_of_the_body(version: int, body_type: int) -> None:
    good = made(version, body_type)
    at, size = good.places["body"]
    for byte in range(size):
        data = put(good.bytes, at + byte, good.bytes[at + byte] ^ 1, 1)
        if body_type == 1 and byte in ENCLAVE_RESERVED:
            assert_only(data, "quote-reserved", "reserved-not-zero", ENCLAVE_RESERVED[byte], at + byte, whole=True)
        else:
            assert_clean(data)


# ---- trailing bytes ------------------------------------------------------------------------------------------------------------


@each_shape
def test_trailing_bytes(version: int, body_type: int) -> None:
    data = made(version, body_type).bytes
    end = len(data)
    for tail, bad in (
        (b"\1", 0),
        (bytes(69) + b"\1", 69),
        (b"\0\x80" + bytes(5), 1),
        (data, 0),
        (bytes(16383) + b"\1", 16383),
    ):
        assert_only(data + tail, "quote-trailing", "quote-trailing-bytes", "trailing bytes", end + bad, whole=True)
    for tail in (bytes(16385), bytes(16384) + b"\1", bytes(100000)):
        assert_only(data + tail, "quote-trailing", "quote-trailing-bytes", "trailing bytes", end + 16384, whole=True)
    for zeros in (0, 1, 2, 70, 3065, 16384):
        assert_clean(data + bytes(zeros))


# ---- certification data --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("version", [4, 5])
def test_outer_type(version: int) -> None:
    for kind in (0, 1, 2, 3, 4, 5, 7, 0x0600, 65535):
        quote = made(version, 2, outer_type=kind)
        at, _ = quote.places["outer_type"]
        data = quote.bytes
        assert_only(
            data, "certification-data", "certification-type-unsupported", "certification data type", at, whole=False
        )
        lying = quote.replace(outer_size=3).bytes
        assert set(parse(lying).failures) == {"quote-length", "certification-data"} or parse(lying).failures == {
            "certification-data": ("certification-type-unsupported", "certification data type", at)
        }


@each_shape
def test_inner_types(version: int, body_type: int) -> None:
    for kind in range(1, 6):
        quote = made(version, body_type, cert_type=kind)
        assert_clean(quote.bytes)
        assert parse(quote.bytes).quote.certification_type == kind
    for kind in (0, 6, 7, 8, 255, 0x0500, 65535):
        quote = made(version, body_type, cert_type=kind)
        at, _ = quote.places["cert_type"]
        assert_only(
            quote.bytes,
            "certification-data",
            "certification-type-unsupported",
            "QE certification data type",
            at,
            whole=True,
        )
        assert parse(quote.bytes).quote.certification_type == kind


@each_shape
def test_type_6_does_not_nest(version: int, body_type: int) -> None:
    quote = made(version, body_type)
    for _ in range(10):
        quote = quote.nested()
        at, _ = quote.places["cert_type"]
        assert_only(
            quote.bytes,
            "certification-data",
            "certification-type-unsupported",
            "QE certification data type",
            at,
            whole=True,
        )


@each_shape
def test_forms_of_certification_data(version: int, body_type: int) -> None:
    """Types 1 to 3 have one size each; 4 and 5 are not empty."""
    sizes = {1: 36, 2: 276, 3: 404}
    for kind in range(1, 6):
        for size in (0, 1, 16, 35, 36, 37, 275, 276, 277, 403, 404, 405):
            quote = made(version, body_type, cert_type=kind, cert_data=bytes(size))
            at, _ = quote.places["cert_size"]
            if size == sizes.get(kind, size or 1):
                assert_clean(quote.bytes)
            else:
                assert_only(
                    quote.bytes, "certification-data", "certification-data-invalid", CALLED["cert_size"], at, whole=True
                )


# ---- sections ------------------------------------------------------------------------------------------------------------------


@each_shape
def test_section_at(version: int, body_type: int) -> None:
    data = made(version, body_type).bytes
    at, size = places(data)["section"]
    assert section_at(data) == (data[at : at + size], 5)
    assert section_at(data + bytes(70)) == (data[at : at + size], 5)
    assert section_at(data + b"\1") == (data[at : at + size], 5)  # the quote is refused for that, its section is one
    for n in (0, 1, 47, 48, at, len(data) - 1):
        assert section_at(data[:n]) is None
    for kind in (1, 2, 3, 4, 7):
        told = section_at(made(version, body_type, cert_type=kind).bytes)
        assert told is not None
        assert told[1] == kind
    assert section_at(None) is None


def naive(quotes: list[bytes | None], chain_of: list[int] | None = None) -> tuple[list[int], list[int]]:
    seen: dict[Any, int] = {}
    index, first = [], []
    for i, quote in enumerate(quotes):
        section = section_at(quote)
        if section is None:
            index.append(-1)
            continue
        key = (section, chain_of[i] if chain_of is not None and section[1] != 5 else None)
        if key not in seen:
            seen[key] = len(seen)
            first.append(i)
        index.append(seen[key])
    return index, first


def test_sections_distinct() -> None:
    rng = random.Random(20261123)
    base = [made(v, b).bytes for v, b in SHAPES]
    base += [made(4, 2, auth_data=bytes([i])).bytes for i in range(20)]
    base += [made(4, 2, cert_type=t).bytes for t in (1, 2, 3, 4, 7)]
    base += [made(5, 3, report_data=bytes([i]) * 64).bytes for i in range(5)]  # one section
    quotes: list[bytes | None] = [*rng.choices(base, k=600), None, b"", b"\4\0", None]
    rng.shuffle(quotes)
    chain_of = [rng.randrange(-1, 3) for _ in quotes]
    for chains in (None, chain_of):
        assert sections_distinct(quotes, chains) == naive(quotes, chains)
        assert sections_distinct(quotes, chains, key=bytes(16)) == naive(quotes, chains)
    assert sections_distinct([]) == ([], [])
    assert sections_distinct([None]) == ([-1], [])


def test_sections_without_a_chain_are_told_apart_by_where_it_comes_from() -> None:
    for kind in (1, 2, 3, 4, 7):
        quotes: list[bytes | None] = [made(4, 2, cert_type=kind).bytes] * 6
        assert sections_distinct(quotes, [0, 1, 1, 0, -1, 1]) == ([0, 1, 1, 0, 2, 1], [0, 1, 4])
        assert sections_distinct(quotes) == ([0] * 6, [0])
    assert sections_distinct([made(4, 2).bytes] * 6, [0, 1, 1, 0, -1, 1]) == ([0] * 6, [0])


def test_sections_that_differ_in_one_byte_anywhere() -> None:
    """What is told apart is the whole section, and nothing outside of it."""
    data = made(4, 2).bytes
    at, size = places(data)["section"]
    where = places(data)
    fixed = {
        at_ + i
        for name in ("outer_type", "outer_size", "auth_length", "cert_size")
        for at_, n in [where[name]]
        for i in range(n)
    }
    quotes = [data]
    for i in range(at, at + size):
        if i not in fixed:
            quotes.append(put(data, i, data[i] ^ 1, 1))
    index, _ = sections_distinct(quotes)
    assert index == list(range(len(quotes)))
    outside = [data, *(put(data, i, data[i] ^ 1, 1) for i in range(48, at) if i not in range(632, 636))]
    assert set(sections_distinct(outside)[0]) == {0}
    assert sections_distinct([data, data + bytes(70)])[0] == [0, 0]


def test_hashes_of_sections_spread() -> None:
    """The order of the rows alone decides the numbers: whatever the key, and however alike the sections."""
    rng = random.Random(7)
    data = bytearray(made(4, 2).bytes)
    at, size = places(bytes(data))["certification"]
    quotes: list[bytes | None] = []
    for _ in range(3000):
        data[at + rng.randrange(size)] = rng.randrange(256)
        quotes.append(bytes(data))
    expected = naive(quotes)
    for seed in range(3):
        assert sections_distinct(quotes, key=hashlib.md5(bytes([seed])).digest()) == expected


def test_nothing_is_left_from_a_call_before() -> None:
    """Every slot is written: what a refused quote leaves reads not run."""
    quote, findings = ffi.new("att_tdx_quote *"), ffi.new("att_finding[]", lib.att_tdx_num_checks())
    ffi.memmove(quote, b"\xff" * ffi.sizeof("att_tdx_quote"), ffi.sizeof("att_tdx_quote"))
    ffi.memmove(findings, b"\xff" * ffi.sizeof(findings), ffi.sizeof(findings))
    assert lib.att_tdx_parse(b"\4\0", 2, quote, findings) == 0
    assert bytes(ffi.buffer(quote))[2:] == bytes(ffi.sizeof("att_tdx_quote") - 2)
    assert sum(findings[i].code != 0 for i in range(lib.att_tdx_num_checks())) == 2
