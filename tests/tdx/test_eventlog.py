# SPDX-License-Identifier: Apache-2.0
"""Event logs: TCG's crypto-agile format and dstack's list, read and replayed.

Numbers such as (278) are rows of the catalogue of failures that the project keeps.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
import struct
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from attestcore import _lib
from attestcore.errors import ParseError
from tdxverify import eventlog
from tdxverify.eventlog import EventLog, EventLogError, parse_ccel_table, parse_event_log
from tdxverify.testing.eventlog import (
    DSTACK_RUNTIME_EVENT,
    EV_EFI_VARIABLE_BOOT,
    EV_EVENT_TAG,
    EV_IPL,
    EV_NO_ACTION,
    EV_SEPARATOR,
    SHA1,
    SHA256,
    SHA384,
    SHA512,
    SIZES,
    SM3,
    Header,
    Log,
    Record,
    ccel_table,
    dstack_event,
    sha384,
)

EVIDENCE = Path(__file__).parents[2].parent / "shared" / "evidence" / "ccel"
GUID = bytes(range(16))
ZEROS = bytes(48)

MALFORMED = "event-log-malformed"
UNSUPPORTED = "event-log-unsupported"
LIMIT = "event-log-too-large"
NO_DIGEST = "event-digest-missing"

# Every register, every rule, digests and registers that are not replayed.
RECORDS = [
    Record(0, EV_NO_ACTION, b"SP800-155 Event3"),
    Record(1, EV_SEPARATOR, bytes(4)),
    Record.variable(1, 0x80000001, GUID, "SecureBoot", b"\1"),
    Record.variable(1, EV_EFI_VARIABLE_BOOT, GUID, "Boot0001", b"option", whole=False),
    Record(2, 0x80000003, b"device path", measured=b"the image"),
    Record(2, EV_NO_ACTION, b"nothing"),
    Record.ipl(3, "grub_cmd: ", "linux /vmlinuz"),
    Record(3, EV_IPL, b"sbat\0", measured=b"sbat"),
    Record(3, EV_IPL, "initrd\0".encode("utf-16-le")),
    Record.tagged(4, 0x4141454C, b"domain operation content"),
    Record(0, EV_SEPARATOR, bytes(4)),
]
LOG = Log(RECORDS)


def refusal(data: bytes, kind: str | None = None) -> tuple[str, str]:
    with pytest.raises(EventLogError) as caught:
        parse_event_log(data, kind)
    error = caught.value
    assert isinstance(error, ParseError)
    assert isinstance(error, ValueError)
    assert 0 <= error.offset <= len(data)
    assert error.code in str(error)
    return error.code, error.field


def said(data: bytes, kind: str) -> EventLogError | None:
    try:
        parse_event_log(data, kind)
    except EventLogError as error:
        return error
    return None


def refused_at(data: bytes) -> int:
    with pytest.raises(EventLogError) as caught:
        parse_event_log(data)
    return caught.value.offset


def read(log: Log) -> EventLog:
    """As the reader has it, which is what the builder put in."""
    found = parse_event_log(log.bytes)
    assert len(found.events) == len(log.records)
    for event, record, at in zip(found.events, log.records, log.boundaries, strict=False):
        assert (event.offset, event.type, event.payload) == (at, record.type, record.data)
        assert event.rtmr == (record.mr_index - 1 if record.mr_index else None)
        assert event.digests == tuple(record.all_digests)
        start, size = event.payload_span or (0, 0)
        assert log.bytes[start : start + size] == record.data
    assert list(found.replay().rtmr) == log.rtmrs()
    return found


def judged(record: Record) -> tuple[str, str | None, bytes | None]:
    (event,) = read(Log([record])).events
    return event.checked, event.rule, event.measured


# ---- a second reader, of this test's own ---------------------------------------------------------------------------------


def replayed_by_hand(log: bytes) -> list[bytes]:
    """A log with SHA-384 alone, taken for well-formed."""
    values = [ZEROS] * 5
    at = 32 + struct.unpack_from("<I", log, 28)[0]
    while at + 66 <= len(log) and (index := struct.unpack_from("<I", log, at)[0]) != 0xFFFFFFFF:
        type_, count, algorithm = struct.unpack_from("<IIH", log, at + 4)
        assert (count, algorithm) == (1, 0xC)
        if type_ != 3:
            values[index] = hashlib.sha384(values[index] + log[at + 14 : at + 62]).digest()
        at += 66 + struct.unpack_from("<I", log, at + 62)[0]
    return values[1:]


# ---- genuine -------------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def genuine() -> bytes:
    path = EVIDENCE / "ccel_data.dat"
    if not path.exists():
        pytest.skip("no evidence/ccel beside the repository")
    return path.read_bytes()


def quoted(quote: bytes) -> list[bytes]:
    """RTMR0 to RTMR3 of a version 4 quote."""
    return [quote[48 + 328 + 48 * i : 48 + 376 + 48 * i] for i in range(4)]


def test_genuine_log_replays_to_its_quote(genuine: bytes) -> None:
    log = parse_event_log(genuine)
    assert (log.format, log.algorithms, log.padding, len(log.events)) == ("ccel", (SHA384,), "ones", 43)
    assert list(log.replay().rtmr) == replayed_by_hand(genuine)
    rt_mrs = quoted((EVIDENCE / "cos-113-tdx-quote.dat").read_bytes())
    comparison = log.replay().compare(rt_mrs)
    assert comparison.outcomes == ("match", "match", "match", "match")
    assert [register.empty for register in comparison] == [False, False, False, True]
    assert log.replay().extends == (16, 7, 20, 0)


def test_genuine_log_event_by_event(genuine: bytes) -> None:
    """Which bytes are vouched for, of every kind of event that is there."""
    events = parse_event_log(genuine).events
    assert [event.index for event in events if event.checked == "payload"] == [
        *range(2, 8), *range(11, 17), 20, 21, *range(25, 39), 40, 41, 42,
    ]  # fmt: skip
    assert all(event.checked == "digest-only" and event.rule is None for event in events if event.measured is None)
    assert all(sha384(event.measured) == event.digest for event in events if event.measured is not None)
    found = {(event.type_name, event.rule) for event in events}
    assert found == {
        ("EV_EFI_HANDOFF_TABLES2", None), ("EV_EFI_PLATFORM_FIRMWARE_BLOB2", None), ("EV_PLATFORM_CONFIG_FLAGS", None),
        ("EV_EFI_VARIABLE_DRIVER_CONFIG", "whole"), ("EV_EFI_VARIABLE_AUTHORITY", "whole"), ("EV_SEPARATOR", "whole"),
        ("EV_EFI_VARIABLE_BOOT", "variable-data"), ("EV_EFI_ACTION", "whole"), ("EV_EFI_GPT_EVENT", "whole"),
        ("EV_EFI_BOOT_SERVICES_APPLICATION", None), ("EV_IPL", None), ("EV_IPL", "prefixed-string"),
    }  # fmt: skip
    assert [event.text for event in events[2:7]] == ["SecureBoot", "PK", "KEK", "db", "dbx"]
    assert (events[13].text, events[13].claimed) == (None, "Boot0000")  # its name is not hashed
    assert (events[25].text, events[25].claimed) == ("defaultA=2", "grub_cmd: defaultA=2")
    assert (events[18].text, events[18].claimed) == (None, "MokList")
    assert events[41].text == "Exit Boot Services Invocation"


def test_genuine_log_cut_at_every_byte(genuine: bytes) -> None:
    """A cut log is refused, or it is one that ends between two records: then fewer events, and no exception of another kind."""
    end = parse_event_log(genuine).events[-1]
    assert end.payload_span is not None
    size = sum(end.payload_span)
    starts = {event.offset for event in parse_event_log(genuine).events} | {size}
    accepted = set()
    for cut in range(size + 1):
        finding = _lib.log_read(genuine[:cut])[1]
        assert finding.failed == (cut not in starts)
        if finding.failed:
            assert finding.code_name == MALFORMED
            assert finding.offset <= cut
        else:
            accepted.add(cut)
    assert accepted == starts
    for cut in (size + 1, size + 3, size + 8, len(genuine)):
        assert parse_event_log(genuine[:cut]).replay() == parse_event_log(genuine).replay()
    cut_log = parse_event_log(genuine[: max(starts - {size})])
    rt_mrs = quoted((EVIDENCE / "cos-113-tdx-quote.dat").read_bytes())
    assert cut_log.replay().compare(rt_mrs).outcomes == ("match", "mismatch", "match", "match")


def test_genuine_log_changed(genuine: bytes) -> None:
    """(278) A changed text stays what it is: not vouched for; a changed digest or a changed order shows in its register alone."""
    log = parse_event_log(genuine)
    rt_mrs = log.replay().rtmr
    event = log.events[26]
    assert event.payload_span is not None
    renamed = bytearray(genuine)
    renamed[event.payload_span[0] + event.payload_span[1] - 2] ^= 1
    other = parse_event_log(bytes(renamed))
    assert other.events[26].checked == "digest-only"
    assert other.events[26].text is None
    assert other.replay().compare(rt_mrs).outcomes == ("match",) * 4
    assert event.offset is not None
    digest = bytearray(genuine)
    digest[event.offset + 20] ^= 1
    assert parse_event_log(bytes(digest)).replay().compare(rt_mrs).outcomes == ("match", "match", "mismatch", "match")
    starts = [e.offset or 0 for e in log.events]
    a, b, c = starts[25], starts[26], starts[27]
    swapped = genuine[:a] + genuine[b:c] + genuine[a:b] + genuine[c:]
    assert parse_event_log(swapped).replay().compare(rt_mrs).outcomes == ("match", "match", "mismatch", "match")
    moved = genuine[:a] + struct.pack("<I", 2) + genuine[a + 4 :]
    assert parse_event_log(moved).replay().compare(rt_mrs).outcomes == ("match", "mismatch", "mismatch", "match")


def test_genuine_table(genuine: bytes) -> None:
    table = parse_ccel_table((EVIDENCE / "ccel_table.dat").read_bytes())
    assert (table.subtype, table.area_size) == (0, len(genuine))


# ---- header --------------------------------------------------------------------------------------------------------------


def test_every_algorithm_by_its_size() -> None:
    known = [(algorithm, size) for algorithm, size in SIZES.items()]
    header = Header(algorithms=[*known, (0x27, 32), (0x7777, 1)], vendor_info=b"vendor", errata=105, platform_class=1)
    digests = [(algorithm, bytes([i]) * size) for i, (algorithm, size) in enumerate(header.algorithms)]
    records = [Record(1, 1, b"data", digests=digests), Record(2, 1, digests=[(SHA384, sha384(b""))])]
    log = read(Log(records, header))
    assert log.algorithms == (SHA1, SHA256, SHA384, SHA512, SM3, 0x27, 0x7777)
    assert log.header == eventlog.LogHeader(1, 105, 2, b"vendor")
    assert list(log.to_dict()["events"][0]["digests"]) == [
        "sha1",
        "sha256",
        "sha384",
        "sha512",
        "sm3_256",
        "0x0027",
        "0x7777",
    ]


@pytest.mark.parametrize(
    ("changes", "code", "field"),
    [
        ({"mr_index": 5}, MALFORMED, "TCG_PCClientPCREvent"),
        ({"type": EV_SEPARATOR}, MALFORMED, "TCG_PCClientPCREvent"),
        ({"digest": b"\1" + bytes(19)}, MALFORMED, "TCG_PCClientPCREvent"),
        ({"data_size": 2**32 - 1}, MALFORMED, "TCG_PCClientPCREvent"),
        ({"data_size": 27}, MALFORMED, "TCG_EfiSpecIDEvent"),
        ({"data_size": 32}, MALFORMED, "TCG_EfiSpecIDEvent"),
        ({"data_size": 34}, MALFORMED, "TCG_EfiSpecIDEvent"),
        ({"data_size": 30}, MALFORMED, "digestSizes"),
        ({"extra": b"\0"}, MALFORMED, "TCG_EfiSpecIDEvent"),
        ({"signature": b"Spec ID Event03."}, UNSUPPORTED, "TCG_EfiSpecIDEvent"),
        ({"signature": b"Spec ID Event02\0"}, UNSUPPORTED, "TCG_EfiSpecIDEvent"),
        ({"signature": b"Spec ID Event00\0"}, UNSUPPORTED, "TCG_EfiSpecIDEvent"),
        ({"signature": b"StartupLocality\0"}, MALFORMED, "TCG_EfiSpecIDEvent"),
        ({"major": 1}, UNSUPPORTED, "TCG_EfiSpecIDEvent"),
        ({"minor": 1}, UNSUPPORTED, "TCG_EfiSpecIDEvent"),
        ({"uintn_size": 0}, MALFORMED, "TCG_EfiSpecIDEvent"),
        ({"uintn_size": 3}, MALFORMED, "TCG_EfiSpecIDEvent"),
        ({"algorithms": ()}, MALFORMED, "TCG_EfiSpecIDEvent"),
        ({"algorithm_count": 0}, MALFORMED, "TCG_EfiSpecIDEvent"),
        ({"algorithm_count": 2}, MALFORMED, "digestSizes"),
        ({"algorithm_count": 17}, MALFORMED, "TCG_EfiSpecIDEvent"),
        ({"algorithm_count": 2**32 - 1}, MALFORMED, "TCG_EfiSpecIDEvent"),
        ({"algorithms": [(SHA384, 48)] * 2}, MALFORMED, "digestSizes"),
        ({"algorithms": [(SHA384, 48), (0x99, 8), (0x99, 9)]}, MALFORMED, "digestSizes"),
        ({"algorithms": [(SHA384, 32)]}, MALFORMED, "digestSizes"),
        ({"algorithms": [(SHA1, 48), (SHA384, 48)]}, MALFORMED, "digestSizes"),
        ({"algorithms": [(SM3, 20), (SHA384, 48)]}, MALFORMED, "digestSizes"),
        ({"algorithms": [(0x99, 0), (SHA384, 48)]}, MALFORMED, "digestSizes"),
        ({"algorithms": [(0x99, 65), (SHA384, 48)]}, MALFORMED, "digestSizes"),
        ({"algorithms": [(SHA1, 20), (SHA256, 32)]}, UNSUPPORTED, "digestSizes"),
        ({"vendor_size": 1}, MALFORMED, "TCG_EfiSpecIDEvent"),
        ({"vendor_size": 255}, MALFORMED, "TCG_EfiSpecIDEvent"),
        ({"vendor_info": b"ab", "vendor_size": 1}, MALFORMED, "TCG_EfiSpecIDEvent"),
    ],
)
def test_header_refused(changes: dict[str, Any], code: str, field: str) -> None:
    log = Log([Record(1, EV_SEPARATOR, bytes(4))], Header(**changes))
    assert refusal(log.bytes) == (code, field)


def test_header_accepted() -> None:
    for changes in ({"mr_index": 0}, {"uintn_size": 1}, {"vendor_info": bytes(255)}, {"errata": 255}):
        read(Log([Record(1, EV_SEPARATOR, bytes(4))], Header(**changes)))  # type: ignore[arg-type]
    many = [(SHA384, 48), *((0x100 + i, 64) for i in range(15))]
    read(Log([], Header(algorithms=many)))
    assert refusal(Log([], Header(algorithms=[*many, (0x200, 64)])).bytes) == (MALFORMED, "TCG_EfiSpecIDEvent")


# ---- records -------------------------------------------------------------------------------------------------------------


def test_every_register_and_rule() -> None:
    log = read(LOG)
    assert list(log.replay().rtmr) == replayed_by_hand(LOG.bytes)
    assert [(event.checked, event.rule) for event in log.events] == [
        ("not-measured", None), ("payload", "whole"), ("payload", "whole"), ("payload", "variable-data"),
        ("digest-only", None), ("not-measured", None), ("payload", "prefixed-string"), ("payload", "string"),
        ("payload", "whole"), ("payload", "tagged-data"), ("not-measured", None),
    ]  # fmt: skip
    assert [event.text for event in log.events] == [
        None, None, "SecureBoot", "option", None, None, "linux /vmlinuz", "sbat", "initrd", "domain operation content", None,
    ]  # fmt: skip
    assert [event.claimed for event in log.events] == [
        "SP800-155 Event3", None, None, "Boot0001", "device path", "nothing", "grub_cmd: linux /vmlinuz", None, None, None,
        None,
    ]  # fmt: skip
    assert [event.extended for event in log.events].count(False) == 3


def test_only_a_header() -> None:
    log = read(Log([]))
    assert log.replay().compare([ZEROS] * 4).outcomes == ("match",) * 4
    assert all(register.empty for register in log.replay().compare([ZEROS] * 4))


@pytest.mark.parametrize(
    ("changes", "code", "field"),
    [
        ({"mr_index": 5}, MALFORMED, "pcrIndex"),
        ({"mr_index": 2**32 - 2}, MALFORMED, "pcrIndex"),
        ({"mr_index": 2**32 - 1}, MALFORMED, "padding of the event log"),
        ({"digest_count": 0}, MALFORMED, "digests"),
        ({"digest_count": 2}, MALFORMED, "digests"),
        ({"digest_count": 2**32 - 1}, MALFORMED, "digests"),
        ({"digests": [(0x99, ZEROS)]}, MALFORMED, "digests"),
        ({"digests": [(SHA256, bytes(32))]}, MALFORMED, "digests"),
        ({"digests": [(SHA1, bytes(20))]}, NO_DIGEST, "digests"),
        ({"digests": [(SHA1, bytes(20)), (SHA1, bytes(20))]}, MALFORMED, "digests"),
        ({"digests": [(SHA384, ZEROS), (SHA384, ZEROS)]}, MALFORMED, "digests"),
        ({"digests": [(SHA384, ZEROS[1:])]}, MALFORMED, "eventSize"),
        ({"data_size": 5}, MALFORMED, "eventSize"),
        ({"data_size": 2**31}, MALFORMED, "eventSize"),
        ({"data_size": 2**32 - 1}, MALFORMED, "eventSize"),
        ({"data_size": 3}, MALFORMED, "TCG_PCR_EVENT2"),
    ],
)
def test_record_refused(changes: dict[str, Any], code: str, field: str) -> None:
    header = Header(algorithms=[(SHA1, 20), (SHA384, 48)])
    before = Record(1, EV_SEPARATOR, bytes(4))
    bad = dataclasses.replace(Record(2, 1, b"data"), **changes)
    assert refusal(Log([before, bad], header).bytes) == (code, field)
    assert refused_at(Log([before, bad], header).bytes) >= len(Log([before], header).bytes)


def test_where_a_record_is_refused() -> None:
    """At its register, its count of digests, the digest, the data that are not all there."""
    start = len(Header().bytes)
    for changes, offset in (
        ({"mr_index": 5}, 0), ({"digest_count": 2**32 - 1}, 8), ({"digest_count": 2}, 8), ({"digests": [(SHA1, ZEROS)]}, 12),
        ({"data_size": 5}, 66),
    ):  # fmt: skip
        assert refused_at(Log([dataclasses.replace(Record(1, 1, b"data"), **changes)]).bytes) == start + offset  # type: ignore[arg-type]


def test_a_size_that_takes_in_the_next_record() -> None:
    """A length that takes in the next record gives other records, or none; never the ones that were extended."""
    records = [Record(1, EV_SEPARATOR, bytes(4)), Record(1, 1, b"first"), Record(1, 1, b"second")]
    swallowed = [records[0], dataclasses.replace(records[1], data_size=len(b"first" + records[2].bytes)), records[2]]
    found = parse_event_log(Log(swallowed).bytes)
    assert len(found.events) == 2
    assert found.replay().compare(Log(records).rtmrs()).outcomes == ("mismatch", "match", "match", "match")


def test_digest_missing_where_nothing_is_extended() -> None:
    header = Header(algorithms=[(SHA1, 20), (SHA384, 48)])
    only_sha1 = [(SHA1, bytes(20))]
    log = read(Log([Record(1, EV_NO_ACTION, digests=only_sha1), Record(0, 1, digests=only_sha1)], header))
    assert [event.digest for event in log.events] == [None, None]
    assert [event.checked for event in log.events] == ["not-measured", "not-measured"]


def test_no_action_is_not_extended() -> None:
    """Whatever its register and digest."""
    noise = [Record(i, EV_NO_ACTION, b"x", digests=[(SHA384, sha384(b"x"))]) for i in range(5)]
    log = read(Log([*noise, Record(1, EV_SEPARATOR, bytes(4)), *noise]))
    assert log.replay().rtmr == (sha384(ZEROS + sha384(bytes(4))), ZEROS, ZEROS, ZEROS)
    assert log.replay().extends == (1, 0, 0, 0)
    assert {event.checked for event in log.events if event.type == EV_NO_ACTION} == {"not-measured"}


def test_mrtd_is_not_replayed() -> None:
    log = read(Log([Record(0, EV_SEPARATOR, bytes(4)), Record(0, 0x80000008, b"firmware")]))
    assert log.replay().extends == (0, 0, 0, 0)
    assert [(event.rtmr, event.checked, event.measured) for event in log.events] == [(None, "not-measured", None)] * 2


def test_order_and_repetition_count() -> None:
    """(278) Separators occur twice in real logs; each extends."""
    a, b = Record(1, EV_SEPARATOR, bytes(4)), Record(1, 1, b"b")
    rtmr = {name: read(Log(records)).replay().rtmr[0] for name, records in
            {"ab": [a, b], "ba": [b, a], "aab": [a, a, b], "b": [b]}.items()}  # fmt: skip
    assert len(set(rtmr.values())) == 4
    assert rtmr["aab"] == sha384(sha384(sha384(ZEROS + a.digest) + a.digest) + b.digest)


# ---- what a digest covers ------------------------------------------------------------------------------------------------


def test_types_whose_data_describe_are_never_checked() -> None:
    """The data of these are not what was hashed; that they could be made to fit the digest would say nothing."""
    for type_ in (0x1, 0x7, 0x9, 0xC, 0xF, 0x10, 0x80000003, 0x80000004, 0x80000008, 0x80000009, 0x8000000A, 0x8000000B,
                  0x8000000D, 0x12345678):  # fmt: skip
        assert judged(Record(1, type_, b"data")) == ("digest-only", None, None)


def test_types_whose_data_are_hashed() -> None:
    for type_ in (0x4, 0x5, 0x6, 0x8, 0xA, 0xB, 0xD, 0x12, 0x80000001, 0x80000002, 0x80000006, 0x80000007, 0x8000000C,
                  0x800000E0, 0x800000E3, 0x800000E4, DSTACK_RUNTIME_EVENT):  # fmt: skip
        assert judged(Record(1, type_, b"data")) == ("payload", "whole", b"data")
        assert judged(Record(1, type_, b"data", measured=b"atad")) == ("digest-only", None, None)
        assert judged(Record(1, type_, b"")) == ("payload", "whole", b"")


def test_strings() -> None:
    assert judged(Record(3, EV_IPL, b"text\0", measured=b"text")) == ("payload", "string", b"text")
    assert judged(Record(3, EV_IPL, b"text\0\0", measured=b"text")) == ("digest-only", None, None)
    assert judged(Record(3, EV_IPL, b"\0", measured=b"")) == ("payload", "string", b"")
    assert judged(Record(3, EV_IPL, b"text", measured=b"tex")) == ("digest-only", None, None)
    for prefix in ("grub_cmd: ", "kernel_cmdline: ", "module_cmdline: "):
        assert judged(Record.ipl(3, prefix, "a b")) == ("payload", "prefixed-string", b"a b")
        assert judged(Record.ipl(3, prefix, "")) == ("payload", "prefixed-string", b"")
        assert judged(Record(3, EV_IPL, prefix.encode() + b"\0", measured=prefix.encode()))[1] == "string"
        assert judged(Record(3, EV_IPL, prefix.encode() + b"a", measured=b"a")) == ("digest-only", None, None)
    assert judged(Record.ipl(3, "other: ", "a b")) == ("digest-only", None, None)
    assert judged(Record(3, EV_SEPARATOR, b"text\0", measured=b"text")) == ("digest-only", None, None)


def test_the_prefix_is_not_vouched_for() -> None:
    """One digest, two prefixes: the measured bytes are the same, and the prefix is only claimed."""
    one, two = (read(Log([Record.ipl(3, prefix, "x")])).events[0] for prefix in ("grub_cmd: ", "kernel_cmdline: "))
    assert (one.digest, one.measured, one.text) == (two.digest, two.measured, two.text) == (sha384(b"x"), b"x", "x")
    assert (one.claimed, two.claimed) == ("grub_cmd: x", "kernel_cmdline: x")


def test_variables() -> None:
    boot = Record.variable(1, EV_EFI_VARIABLE_BOOT, GUID, "Boot0001", b"option", whole=False)
    assert judged(boot) == ("payload", "variable-data", b"option")
    empty = Record.variable(1, EV_EFI_VARIABLE_BOOT, GUID, "", b"", whole=False)
    assert judged(empty) == ("payload", "variable-data", b"")
    assert judged(dataclasses.replace(boot, type=0x80000001)) == ("digest-only", None, None)
    for at, lie in ((16, 2**63), (16, 2**63 + 8), (16, 9), (16, 2**64 - 1), (24, 7), (24, 5), (24, 2**64 - 1)):
        data = boot.data[:at] + struct.pack("<Q", lie) + boot.data[at + 8 :]
        assert judged(dataclasses.replace(boot, data=data, measured=b"option")) == ("digest-only", None, None)
    for name, size, measured in ((8, 5, b"optio"), (4, 14, b"0001"), (23, 2**64 - 24, b""), (2**32 + 8, 6, b"option")):
        data = GUID + struct.pack("<QQ", name, size) + boot.data[32:]
        assert judged(dataclasses.replace(boot, data=data, measured=measured)) == ("digest-only", None, None)
    for cut in range(32):
        assert judged(Record(1, EV_EFI_VARIABLE_BOOT, boot.data[:cut], measured=b"")) == (
            ("payload", "whole", b"") if cut == 0 else ("digest-only", None, None)
        )


def test_tagged() -> None:
    assert judged(Record.tagged(4, 1, b"data")) == ("payload", "tagged-data", b"data")
    assert judged(Record.tagged(4, 1, b"data", whole=True))[1] == "whole"
    for size in (0, 3, 5, 2**32 - 1):
        lying = struct.pack("<II", 1, size) + b"data"
        assert judged(Record(4, EV_EVENT_TAG, lying, measured=b"data")) == ("digest-only", None, None)


# ---- end of the log ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("size", [1, 3, 4, 8, 12, 65, 66, 4096])
@pytest.mark.parametrize(("byte", "name"), [(b"\0", "zeros"), (b"\xff", "ones")])
def test_padding(size: int, byte: bytes, name: str) -> None:
    log = read(dataclasses.replace(LOG, padding=byte * size))
    assert (log.padding, log.padding_size) == (name, size)
    assert log.replay() == read(LOG).replay()


@pytest.mark.parametrize(
    ("padding", "field"),
    [
        (b"\xff" * 4 + Record(1, EV_SEPARATOR, bytes(4)).bytes, "padding of the event log"),
        (b"\xff" * 8 + b"\0", "padding of the event log"),
        (b"\xff" * 3 + b"\0", "TCG_PCR_EVENT2"),
        (bytes(12) + b"\1", "digests"),
        (bytes(8) + b"\xff" * 60, "digests"),
        (b"\1", "TCG_PCR_EVENT2"),
        (b"\xfe" * 66, "pcrIndex"),
    ],
)
def test_nothing_behind_the_end(padding: bytes, field: str) -> None:
    assert refusal(dataclasses.replace(LOG, padding=padding).bytes) == (MALFORMED, field)


def test_cut_at_every_byte() -> None:
    """A record of register 0 begins with zeros; so many of them are padding, and nothing that is extended is lost."""
    data, boundaries = LOG.bytes, LOG.boundaries
    for cut in range(len(data)):
        complete = [at for at in boundaries if at <= cut]
        if complete and not any(data[complete[-1] : cut]):
            found = parse_event_log(data[:cut])
            assert (len(found.events), found.padding_size) == (len(complete) - 1, cut - complete[-1])
        else:
            assert refusal(data[:cut])[0] == MALFORMED


def test_every_byte_changed() -> None:
    """Refused, or read as another log; what is vouched for then still hashes to its digest."""
    data = LOG.bytes
    for at in range(len(data)):
        for flip in (0x01, 0x80, 0xFF):
            changed = data[:at] + bytes([data[at] ^ flip]) + data[at + 1 :]
            fields, finding = _lib.log_read(changed)
            assert (fields is None) == finding.failed
            for record in fields.records if fields is not None else ():
                if record.measured is not None and record.sha384 is not None:
                    start, size = record.measured
                    assert sha384(changed[start : start + size]) == changed[record.sha384 : record.sha384 + 48]


def test_bounds() -> None:
    assert refusal(b"") == (MALFORMED, "event log")
    assert refusal(Log([], padding=bytes(_lib.LOG_MAX_BYTES)).bytes) == (LIMIT, "event log")
    header = Header().bytes
    assert parse_event_log(header + bytes(_lib.LOG_MAX_BYTES - len(header))).events == ()
    record = Record(1, EV_NO_ACTION).bytes
    assert len(parse_event_log(header + record * _lib.LOG_MAX_EVENTS).events) == _lib.LOG_MAX_EVENTS
    assert refusal(header + record * (_lib.LOG_MAX_EVENTS + 1)) == (LIMIT, "event log")


def test_buffers_and_mistakes() -> None:
    data = LOG.bytes
    assert parse_event_log(bytearray(data)) == parse_event_log(memoryview(data)) == parse_event_log(data, "ccel")
    assert refusal(data, "dstack")[0] == MALFORMED
    with pytest.raises(ValueError, match="neither 'ccel' nor 'dstack'"):
        parse_event_log(data, "tcg")
    with pytest.raises(TypeError, match="bytes, not str"):
        parse_event_log("[]")  # type: ignore[arg-type]


# ---- logs of any kind ----------------------------------------------------------------------------------------------------

_data = st.binary(max_size=40)
_types = st.sampled_from([*eventlog.TYPE_NAMES, 0x77, 0xFFFFFFFF])
_records = st.one_of(
    st.builds(Record, st.integers(0, 4), _types, _data),
    st.builds(Record, st.integers(0, 4), _types, _data, measured=_data),
    st.builds(
        Record.ipl,
        st.integers(1, 4),
        st.sampled_from(["", "grub_cmd: ", "kernel_cmdline: "]),
        st.text("ab", max_size=9),
    ),
    st.builds(
        Record.variable, st.integers(1, 4), _types, st.just(GUID), st.text("aB", max_size=9), _data, whole=st.booleans()
    ),
    st.builds(Record.tagged, st.integers(1, 4), st.integers(0, 2**32 - 1), _data, whole=st.booleans()),
)
_extra = st.lists(st.sampled_from([SHA1, SHA256, SHA512, SM3, 0x27]), unique=True)
_padding = st.builds(bytes.__mul__, st.sampled_from([b"\0", b"\xff"]), st.integers(0, 80))


@st.composite
def _logs(draw: st.DrawFn) -> Log:
    algorithms = draw(st.permutations([SHA384, *draw(_extra)]))
    sizes = [(algorithm, SIZES.get(algorithm, 32)) for algorithm in algorithms]
    records = [
        dataclasses.replace(
            record,
            digests=[(a, record.digest if a == SHA384 else b"\7" * size) for a, size in draw(st.permutations(sizes))],
        )
        for record in draw(st.lists(_records, max_size=8))
    ]
    return Log(records, Header(algorithms=sizes, vendor_info=draw(_data)), draw(_padding))


@given(_logs())
@settings(max_examples=300)
def test_any_log(log: Log) -> None:
    found = read(log)
    assert found.padding_size == len(log.padding)
    for event, record in zip(found.events, log.records, strict=True):
        assert (event.checked == "not-measured") == (record.type == EV_NO_ACTION or record.mr_index == 0)
        assert (event.measured is not None) == (event.checked == "payload") == (event.rule is not None)
        if event.measured is not None:
            assert sha384(event.measured) == event.digest
            assert event.measured in event.payload
        json.dumps(event.to_dict())
    outcomes = found.replay().compare(log.rtmrs()).outcomes
    assert outcomes == ("match",) * 4


@given(st.data(), _logs())
@settings(max_examples=300)
def test_any_damage(data: st.DataObject, log: Log) -> None:
    """Only EventLogError, with a code of the list, a field, an offset inside."""
    raw = bytearray(log.bytes)
    for _ in range(data.draw(st.integers(1, 3))):
        at = data.draw(st.integers(0, len(raw) - 1))
        raw[at : at + 4] = data.draw(st.binary(min_size=0, max_size=6))
        if not raw:
            break
    error = said(bytes(raw), "ccel")
    if error is not None:
        assert error.code in (MALFORMED, UNSUPPORTED, NO_DIGEST)
        assert error.field in _lib.FIELDS
        assert 0 <= error.offset <= len(raw)


@given(st.binary(max_size=300))
def test_any_bytes(data: bytes) -> None:
    with pytest.raises(EventLogError) as caught:
        parse_event_log(data)
    assert caught.value.offset <= len(data)


# ---- comparison ----------------------------------------------------------------------------------------------------------


def test_compare_register_by_register() -> None:
    replay = read(LOG).replay()
    good = list(replay.rtmr)
    for i in range(4):
        wrong = [*good[:i], sha384(good[i]), *good[i + 1 :]]
        outcomes = replay.compare(wrong).outcomes
        assert outcomes == tuple("mismatch" if k == i else "match" for k in range(4))
    register = replay.compare(good)[2]
    assert (register.rtmr, register.extends, register.replayed, register.quoted) == (2, 3, good[2], good[2])


def test_registers_without_events() -> None:
    """(279) RTMR3 that no record of a CCEL explains is neither a match nor a contradiction; any other register is one."""
    replay = read(Log([])).replay()
    value = sha384(b"")
    assert replay.compare([ZEROS] * 4).outcomes == ("match",) * 4
    assert replay.compare([value] * 4).outcomes == ("mismatch", "mismatch", "mismatch", "not-covered")
    assert not any(register.empty for register in replay.compare([value] * 4))
    extended = read(Log([Record(4, 1, b"x")])).replay()
    assert extended.compare([ZEROS] * 4).outcomes == ("match", "match", "match", "mismatch")
    dstack = parse_event_log(b"[]").replay()
    assert dstack.compare([value] * 4).outcomes == ("mismatch",) * 4


def test_events_that_come_to_zero_in_the_quote() -> None:
    """Events, but a register still at zero: the quote is not of this log."""
    assert read(LOG).replay().compare([ZEROS] * 4).outcomes == ("mismatch",) * 4


def test_no_truth_value() -> None:
    replay = read(LOG).replay()
    comparison = replay.compare(replay.rtmr)
    for thing in (replay, comparison, comparison[0]):
        with pytest.raises(TypeError, match="no truth value"):
            bool(thing)
    assert len(comparison) == 4


def test_compare_refuses_other_lengths() -> None:
    replay = read(LOG).replay()
    for rt_mrs in ([ZEROS] * 3, [ZEROS] * 5, []):
        with pytest.raises(ValueError, match="4 RTMRs"):
            replay.compare(rt_mrs)
    for value in (b"", ZEROS[1:], ZEROS + b"\0"):
        with pytest.raises(ValueError, match="48 bytes"):
            replay.compare([ZEROS, ZEROS, ZEROS, value])
    assert replay.compare([bytearray(value) for value in replay.rtmr]).outcomes == ("match",) * 4


def test_frozen_and_as_a_dictionary() -> None:
    log = read(LOG)
    for thing, name in ((log, "format"), (log.events[0], "checked"), (log.replay(), "rtmr")):
        with pytest.raises(dataclasses.FrozenInstanceError):
            setattr(thing, name, None)
    said = json.loads(json.dumps(log.to_dict(log.replay().compare(log.replay().rtmr))))
    assert said["format"] == "ccel"
    assert said["algorithms"] == ["sha384"]
    assert said["rtmr"] == [value.hex() for value in log.replay().rtmr]
    assert [register["outcome"] for register in said["comparison"]] == ["match"] * 4
    assert said["events"][6] | {"digests": None} == {
        "index": 6, "rtmr": 2, "type": EV_IPL, "type_name": "EV_IPL", "name": None, "digest": sha384(b"linux /vmlinuz").hex(),
        "digests": None, "checked": "payload", "rule": "prefixed-string", "text": "linux /vmlinuz",
        "claimed": "grub_cmd: linux /vmlinuz", "measured": b"linux /vmlinuz".hex(),
        "payload": b"grub_cmd: linux /vmlinuz\0".hex(),
    }  # fmt: skip
    assert log.to_dict()["comparison"] is None
    assert read(Log([Record(1, 0x77)])).events[0].type_name == "0x00000077"


def test_text_has_no_control_characters() -> None:
    for data in (b"\x1b[2J", b"a\rb", b"\x7f", "é".encode(), "é".encode("utf-16-le"), b"\0\0", b"", b"a\0b"):
        (event,) = read(Log([Record(3, EV_IPL, data)])).events
        assert (event.checked, event.text, event.claimed) == ("payload", None, None)
    (event,) = read(Log([Record(3, EV_IPL, b"a\n\tb")])).events
    assert event.text == "a\n\tb"


# ---- dstack --------------------------------------------------------------------------------------------------------------


def dstack(*events: object) -> bytes:
    return json.dumps(list(events)).encode()


def v2_digest(name: str, payload: bytes) -> bytes:
    """The canonical object, written out."""
    return sha384(f'{{"name":"{name}","payload":"{payload.hex()}","type":134217729}}'.encode())


def test_dstack_replay() -> None:
    """Registers are counted from 0, unlike in a CCEL; boot events are digests."""
    boot = dstack_event(0, "", b"", type=0x80000001, digest=sha384(b"boot"))
    runtime = [dstack_event(3, "app-id", b"\1\2"), dstack_event(3, "system-ready", b"")]
    log = parse_event_log(b" \n" + dstack(boot, *runtime))
    rtmr3 = ZEROS
    for name, payload in (("app-id", b"\1\2"), ("system-ready", b"")):
        rtmr3 = sha384(rtmr3 + sha384(b"\1\0\0\x08:" + name.encode() + b":" + payload))
    assert log.format == "dstack"
    assert log.replay().rtmr == (sha384(ZEROS + sha384(b"boot")), ZEROS, ZEROS, rtmr3)
    assert log.replay().extends == (1, 0, 0, 2)
    assert [(event.rtmr, event.checked, event.rule) for event in log.events] == [
        (0, "digest-only", None), (3, "payload", "dstack-v1"), (3, "payload", "dstack-v1"),
    ]  # fmt: skip
    assert log.events[1].measured == b"\1\0\0\x08:app-id:\1\2"
    assert (log.events[1].name, log.events[1].payload) == ("app-id", b"\1\2")
    assert log.replay().compare([*log.replay().rtmr[:3], ZEROS]).outcomes == ("match", "match", "match", "mismatch")


@pytest.mark.parametrize("name", ["compose-hash", "ünï", "a:b", 'q\\"', "tab\\t", "\\u0001", "\x7f", "🦀"])
def test_dstack_version_2(name: str) -> None:
    """name stands as it is spelt in the canonical object."""
    event = dstack_event(3, json.loads(f'"{name}"'), b"\xab", digest=v2_digest(name, b"\xab"), version=2)
    (found,) = parse_event_log(dstack(event)).events
    assert (found.checked, found.rule) == ("payload", "dstack-v2")
    assert found.measured is not None
    assert sha384(found.measured) == found.digest
    bare = {key: value for key, value in event.items() if key != "digest"}
    assert parse_event_log(dstack(bare)).events == (found,)


def test_dstack_name_with_a_colon() -> None:
    """One digest of version 1, two readings: neither is vouched for."""
    one, two = dstack_event(3, "a:b", b"c"), dstack_event(3, "a", b"b:c")
    assert one["digest"] == two["digest"]
    first, second = (parse_event_log(dstack(event)).events[0] for event in (one, two))
    assert (first.checked, first.rule, first.measured) == ("digest-only", None, None)
    assert (second.checked, second.rule) == ("payload", "dstack-v1")  # of names without a colon there is one


def test_dstack_contents_that_are_not_the_digest() -> None:
    event = dstack_event(3, "app-id", b"\1", digest=sha384(b"other"))
    log = parse_event_log(dstack(event))
    assert log.events[0].checked == "digest-only"
    assert log.replay().rtmr[3] == sha384(ZEROS + sha384(b"other"))


def test_dstack_without_digests() -> None:
    """dstack leaves out digests of runtime events: the replay is then of what the contents come to."""
    whole = [dstack_event(3, "app-id", b"\1"), dstack_event(3, "instance-id", b"\2")]
    for missing in ({"digest": ""}, {}):
        bare = [{**{k: v for k, v in event.items() if k != "digest"}, **missing} for event in whole]
        assert parse_event_log(dstack(*bare)) == parse_event_log(dstack(*whole))
    other = [{**whole[0], "digest": "", "event_payload": "02"}, whole[1]]
    assert parse_event_log(dstack(*other)).replay().rtmr != parse_event_log(dstack(*whole)).replay().rtmr
    colon = {**dstack_event(3, "a:b", b""), "digest": ""}
    assert parse_event_log(dstack(colon)).events[0].checked == "digest-only"


def test_dstack_no_action() -> None:
    log = parse_event_log(dstack(dstack_event(0, "", b"", type=EV_NO_ACTION, digest=sha384(b""))))
    assert (log.events[0].checked, log.replay().extends) == ("not-measured", (0, 0, 0, 0))


GOOD = dstack_event(3, "app-id", b"\1")


@pytest.mark.parametrize(
    ("changes", "code", "field"),
    [
        ({"imr": 4}, MALFORMED, "imr"),
        ({"imr": -1}, MALFORMED, "imr"),
        ({"imr": True}, MALFORMED, "imr"),
        ({"imr": 1.0}, MALFORMED, "imr"),
        ({"imr": "3"}, MALFORMED, "imr"),
        ({"imr": None}, MALFORMED, "imr"),
        ({"event_type": 2**32}, MALFORMED, "event_type"),
        ({"event_type": "0x1"}, MALFORMED, "event_type"),
        ({"digest": "00"}, MALFORMED, "digest"),
        ({"digest": "0" * 97}, MALFORMED, "digest"),
        ({"digest": " " + "0" * 95}, MALFORMED, "digest"),
        ({"digest": "0" * 94 + "٣٣"}, MALFORMED, "digest"),
        ({"digest": None}, MALFORMED, "digest"),
        ({"digest": "", "event_type": 4}, NO_DIGEST, "digest"),
        ({"digest": "", "version": 3}, UNSUPPORTED, "version"),
        ({"digest": "", "version": 0}, UNSUPPORTED, "version"),
        ({"version": "2"}, MALFORMED, "version"),
        ({"event": None}, MALFORMED, "event"),
        ({"event": "\ud800"}, MALFORMED, "event"),
        ({"event_payload": "abc"}, MALFORMED, "event_payload"),
        ({"event_payload": "0x00"}, MALFORMED, "event_payload"),
        ({"event_payload": [0]}, MALFORMED, "event_payload"),
    ],
)
def test_dstack_members_refused(changes: dict[str, Any], code: str, field: str) -> None:
    assert refusal(dstack(GOOD, {**GOOD, **changes})) == (code, field)


@pytest.mark.parametrize("missing", ["imr", "event_type", "event", "event_payload"])
def test_dstack_members_missing(missing: str) -> None:
    assert refusal(dstack({key: value for key, value in GOOD.items() if key != missing})) == (MALFORMED, missing)


def test_dstack_digest_missing_at_boot() -> None:
    bare = {key: value for key, value in GOOD.items() if key != "digest"}
    assert refusal(dstack({**bare, "event_type": 4})) == (MALFORMED, "digest")


@pytest.mark.parametrize(
    "text",
    [
        b"", b"{}", b"null", b"[", b"[]]", b"[1]", b"[[]]", b"[{}]x", b"[NaN]", b"[-Infinity]", b"[1,]", b'["\n"]', b"\xef\xbb\xbf[]",
        b'[{"imr":0,"imr":0}]', b'[{"other":{"a":1,"a":2}}]', b"[" + b"1" * 5000 + b"]", b"[\xff]", b'["\xed\xa0\x80"]', b"[]\0",
    ],
)  # fmt: skip
def test_dstack_json_refused(text: bytes) -> None:
    assert refusal(text, "dstack") == (MALFORMED, "event log")


def test_dstack_key_twice_in_an_event() -> None:
    """(278) Readers differ in which of two members counts."""
    text = dstack(GOOD).replace(b'"event": "app-id"', b'"event": "app-id", "event": "other"')
    assert refusal(text) == (MALFORMED, "event log")


def test_dstack_bounds() -> None:
    assert refusal(b"[" * 9 + b"]" * 9) == (LIMIT, "event log")
    assert refusal(b"[" * 3_000_000) == (LIMIT, "event log")
    assert refusal(b"[" + b" " * eventlog.MAX_JSON_BYTES + b"]") == (LIMIT, "event log")
    assert refusal(b"[" + b"0," * eventlog.MAX_EVENTS + b"0]") == (LIMIT, "event log")
    nested = {**GOOD, "event": "[[[[[[[[[[", "unknown": [{"deep": ['\\"[[[[[']}]}
    assert parse_event_log(dstack(nested)).events[0].name == "[[[[[[[[[["


def test_dstack_offset_of_a_syntax_error() -> None:
    assert refused_at('[ "ü", x]'.encode()) == len('[ "ü", '.encode())


@given(st.recursive(st.none() | st.booleans() | st.integers() | st.text(max_size=5), lambda s: st.lists(s) | st.dictionaries(
    st.sampled_from([*GOOD, "version", "x"]), s)))  # fmt: skip
def test_dstack_any_json(value: object) -> None:
    """Only EventLogError; whatever is read has one digest an event."""
    text = json.dumps([value]).encode()
    error = said(text, "dstack")
    if error is not None:
        assert error.code in (MALFORMED, UNSUPPORTED, NO_DIGEST, LIMIT)
    else:
        assert [len(event.digest or b"") for event in parse_event_log(text).events] == [48]


# ---- table and columns ---------------------------------------------------------------------------------------------------


def table_refusal(table: bytes) -> tuple[str, str, int]:
    with pytest.raises(EventLogError) as caught:
        parse_ccel_table(table)
    return caught.value.code, caught.value.field, caught.value.offset


def test_table() -> None:
    table = parse_ccel_table(ccel_table(length=262144, address=0xBEDBF000))
    assert (table.subtype, table.area_size, table.area_address) == (0, 262144, 0xBEDBF000)
    good = ccel_table()
    for bad in (b"", good[:55], good + b"\0", ccel_table(signature=b"TPM2"), ccel_table(size=57), good[:-1] + b"\1"):
        assert table_refusal(bad) == (MALFORMED, "CCEL", 0)
    assert table_refusal(ccel_table(reserved=0x100)) == (MALFORMED, "CCEL", 38)
    for other in (0, 1, 3):
        assert table_refusal(ccel_table(cc_type=other)) == (UNSUPPORTED, "CCEL", 36)


@given(st.lists(st.tuples(st.integers(0, 3), st.binary(min_size=48, max_size=48)), max_size=12))
def test_replay_of_columns(rows: list[tuple[int, bytes]]) -> None:
    expected = [ZEROS] * 4
    for rtmr, digest in rows:
        expected[rtmr] = hashlib.sha384(expected[rtmr] + digest).digest()
    found = _lib.rtmr_replay(bytes(rtmr for rtmr, _ in rows), b"".join(digest for _, digest in rows))
    assert list(found) == expected


def test_replay_of_columns_that_do_not_fit() -> None:
    with pytest.raises(ValueError, match="four RTMRs"):
        _lib.rtmr_replay(b"\0\4", bytes(96))
    with pytest.raises(ValueError, match="do not fit"):
        _lib.rtmr_replay(b"\0", bytes(96))


def test_codes_are_of_the_list() -> None:
    for code, category in ((MALFORMED, "parse"), (UNSUPPORTED, "unsupported"), (LIMIT, "limit"), (NO_DIGEST, "parse")):
        assert _lib.CODE_CATEGORIES[_lib.CODE_NUMBERS[code]] == category
