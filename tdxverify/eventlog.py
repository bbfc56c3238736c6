"""Event logs of a TD, replayed into its four RTMRs.

Two forms are read: TCG's crypto-agile format, as firmware and boot loaders leave it in the area of the ACPI table CCEL (format `ccel`),
and dstack's JSON list (format `dstack`).

A log is not signed. What it says is worth something in two steps only: the replayed registers equal those of a quote that has been
verified (`Replay.compare`), and then, of each event, the bytes whose SHA-384 is the digest that was extended (`Event.measured`).
Everything else of an event, its type among it, is the word of whoever handed over the log.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, NoReturn

from attestcore import _lib
from attestcore._lib import Buffer
from attestcore.errors import ParseError

FORMATS = ("ccel", "dstack")
MAX_BYTES = _lib.LOG_MAX_BYTES
MAX_JSON_BYTES = 4 * 1024 * 1024
MAX_JSON_DEPTH = 8
MAX_EVENTS = _lib.LOG_MAX_EVENTS
DSTACK_RUNTIME_EVENT = 0x08000001
EV_NO_ACTION = 3

ALGORITHMS = {0x04: "sha1", 0x0B: "sha256", 0x0C: "sha384", 0x0D: "sha512", 0x12: "sm3_256"}
_SHA384 = 0x0C

TYPE_NAMES = {
    0x00: "EV_PREBOOT_CERT",
    0x01: "EV_POST_CODE",
    0x02: "EV_UNUSED",
    0x03: "EV_NO_ACTION",
    0x04: "EV_SEPARATOR",
    0x05: "EV_ACTION",
    0x06: "EV_EVENT_TAG",
    0x07: "EV_S_CRTM_CONTENTS",
    0x08: "EV_S_CRTM_VERSION",
    0x09: "EV_CPU_MICROCODE",
    0x0A: "EV_PLATFORM_CONFIG_FLAGS",
    0x0B: "EV_TABLE_OF_DEVICES",
    0x0C: "EV_COMPACT_HASH",
    0x0D: "EV_IPL",
    0x0E: "EV_IPL_PARTITION_DATA",
    0x0F: "EV_NONHOST_CODE",
    0x10: "EV_NONHOST_CONFIG",
    0x11: "EV_NONHOST_INFO",
    0x12: "EV_OMIT_BOOT_DEVICE_EVENTS",
    0x13: "EV_POST_CODE2",
    DSTACK_RUNTIME_EVENT: "DSTACK_RUNTIME_EVENT",
    0x80000001: "EV_EFI_VARIABLE_DRIVER_CONFIG",
    0x80000002: "EV_EFI_VARIABLE_BOOT",
    0x80000003: "EV_EFI_BOOT_SERVICES_APPLICATION",
    0x80000004: "EV_EFI_BOOT_SERVICES_DRIVER",
    0x80000005: "EV_EFI_RUNTIME_SERVICES_DRIVER",
    0x80000006: "EV_EFI_GPT_EVENT",
    0x80000007: "EV_EFI_ACTION",
    0x80000008: "EV_EFI_PLATFORM_FIRMWARE_BLOB",
    0x80000009: "EV_EFI_HANDOFF_TABLES",
    0x8000000A: "EV_EFI_PLATFORM_FIRMWARE_BLOB2",
    0x8000000B: "EV_EFI_HANDOFF_TABLES2",
    0x8000000C: "EV_EFI_VARIABLE_BOOT2",
    0x8000000D: "EV_EFI_GPT_EVENT2",
    0x80000010: "EV_EFI_HCRTM_EVENT",
    0x800000E0: "EV_EFI_VARIABLE_AUTHORITY",
    0x800000E1: "EV_EFI_SPDM_FIRMWARE_BLOB",
    0x800000E2: "EV_EFI_SPDM_FIRMWARE_CONFIG",
    0x800000E3: "EV_EFI_SPDM_DEVICE_POLICY",
    0x800000E4: "EV_EFI_SPDM_DEVICE_AUTHORITY",
}
_VARIABLE_TYPES = frozenset((0x80000001, 0x80000002, 0x8000000C, 0x800000E0, 0x800000E3, 0x800000E4))

_ZEROS = bytes(48)


class EventLogError(ParseError):
    """Bytes that are not an event log. `offset` counts bytes of the log."""


def _refuse(code: str, field: str, offset: int, detail: str) -> NoReturn:
    raise EventLogError(code, field, offset, detail)


def _refuse_finding(finding: _lib.Finding) -> NoReturn:
    _refuse(finding.code_name, finding.field_name, finding.offset, _lib.CODE_TEXTS[finding.code])


def _no_truth_value(self: object) -> bool:
    raise TypeError(f"a {type(self).__name__} has no truth value: look at the outcome of each register")


@dataclass(frozen=True, slots=True)
class Event:
    """One event, in the order of the log.

    rtmr      register that it extends, 0 to 3; None for the register that stands for MRTD
    name      dstack's name of the event; None in other logs
    digests   by TPM_ALG_ID; digest is the one of SHA-384
    payload   what the log says of the event, and where it lies in the log (None for dstack, which has it in hexadecimal)
    checked   `payload`: digest is the hash of `measured`, bytes that the event shows; `digest-only`: of bytes that it does not show;
              `not-measured`: EV_NO_ACTION, or MRTD's register: not extended, so that nothing vouches for it
    rule      which bytes were found to be the measured ones: `whole` payload; `string`: without the NUL at its end;
              `prefixed-string`: also without a boot loader's prefix; `variable-data`: contents of a UEFI variable without its name;
              `tagged-data`: contents of a tagged event without its id; `dstack-v1`, `dstack-v2`: type, name and payload
    """

    index: int
    offset: int | None
    rtmr: int | None
    type: int
    name: str | None
    digest: bytes | None
    digests: tuple[tuple[int, bytes], ...]
    payload: bytes
    payload_span: tuple[int, int] | None
    checked: str
    rule: str | None
    measured: bytes | None

    @property
    def type_name(self) -> str:
        return TYPE_NAMES.get(self.type, f"{self.type:#010x}")

    @property
    def extended(self) -> bool:
        return self.checked != "not-measured"

    @property
    def text(self) -> str | None:
        """Measured text, or the measured name of a UEFI variable; None when it is no text, or not measured. Line feeds and tabs may
        occur, other control characters do not."""
        if self.checked != "payload" or self.measured is None:
            return None
        if self.rule in ("dstack-v1", "dstack-v2"):
            return _printable(self.payload)
        if self.type in _VARIABLE_TYPES and self.rule == "whole":
            return _variable_name(self.payload)
        return _printable(self.measured)

    @property
    def claimed(self) -> str | None:
        """Text (or the name of a UEFI variable) that the log puts there and no digest covers; None when there is none."""
        if self.checked == "payload" and self.rule not in ("prefixed-string", "variable-data"):
            return None
        return _variable_name(self.payload) if self.type in _VARIABLE_TYPES else _printable(self.payload)

    def to_dict(self) -> dict[str, Any]:
        return {
            "index": self.index,
            "rtmr": self.rtmr,
            "type": self.type,
            "type_name": self.type_name,
            "name": self.name,
            "digest": _hex(self.digest),
            "digests": {ALGORITHMS.get(id_, f"{id_:#06x}"): digest.hex() for id_, digest in self.digests},
            "checked": self.checked,
            "rule": self.rule,
            "text": self.text,
            "claimed": self.claimed,
            "measured": _hex(self.measured),
            "payload": self.payload.hex(),
        }


@dataclass(frozen=True, slots=True)
class RegisterOutcome:
    """One register: `match`, `mismatch`, or `not-covered`: the log is of a kind that does not record who extends this register."""

    rtmr: int
    outcome: str
    extends: int
    replayed: bytes
    quoted: bytes

    __bool__ = _no_truth_value

    @property
    def empty(self) -> bool:
        """No event, and zero in the quote: a match that says nothing was measured."""
        return self.extends == 0 and self.quoted == _ZEROS

    def to_dict(self) -> dict[str, Any]:
        return {
            "rtmr": self.rtmr,
            "outcome": self.outcome,
            "empty": self.empty,
            "extends": self.extends,
            "replayed": self.replayed.hex(),
            "quoted": self.quoted.hex(),
        }


@dataclass(frozen=True, slots=True)
class Comparison:
    """The four registers of a replay against those of a quote."""

    registers: tuple[RegisterOutcome, RegisterOutcome, RegisterOutcome, RegisterOutcome]

    __bool__ = _no_truth_value

    @property
    def outcomes(self) -> tuple[str, ...]:
        return tuple(register.outcome for register in self.registers)

    def __getitem__(self, rtmr: int) -> RegisterOutcome:
        return self.registers[rtmr]

    def __len__(self) -> int:
        return len(self.registers)

    def __iter__(self) -> Iterator[RegisterOutcome]:
        return iter(self.registers)

    def to_dict(self) -> list[dict[str, Any]]:
        return [register.to_dict() for register in self.registers]


@dataclass(frozen=True, slots=True)
class Replay:
    """What the events of a log come to: each register, and how many events extended it."""

    format: str
    rtmr: tuple[bytes, bytes, bytes, bytes]
    extends: tuple[int, int, int, int]

    __bool__ = _no_truth_value

    def compare(self, rt_mrs: Sequence[Buffer]) -> Comparison:
        """Against RTMR0 to RTMR3 of a quote, 48 bytes each. The quote has to be verified on its own."""
        if len(rt_mrs) != 4:
            raise ValueError(f"a quote has 4 RTMRs, not {len(rt_mrs)}")
        quoted = [_lib.snapshot(value) for value in rt_mrs]
        if any(len(value) != 48 for value in quoted):
            raise ValueError("an RTMR has 48 bytes")
        r0, r1, r2, r3 = (self._outcome(i, value) for i, value in enumerate(quoted))
        return Comparison((r0, r1, r2, r3))

    def _outcome(self, i: int, quoted: bytes) -> RegisterOutcome:
        if self.rtmr[i] == quoted:
            outcome = "match"
        elif self.format == "ccel" and i == 3 and self.extends[i] == 0:
            outcome = "not-covered"  # RTMR3 is the running system's, and Linux extends it without a record in the CCEL
        else:
            outcome = "mismatch"
        return RegisterOutcome(i, outcome, self.extends[i], self.rtmr[i], quoted)


@dataclass(frozen=True, slots=True)
class LogHeader:
    """The specification id event that begins a TCG log."""

    platform_class: int
    errata: int
    uintn_size: int
    vendor_info: bytes


@dataclass(frozen=True, slots=True)
class EventLog:
    """A log that was read to its end. algorithms are TPM_ALG_IDs; padding is `none`, `zeros` or `ones`, padding_size its bytes."""

    format: str
    header: LogHeader | None
    algorithms: tuple[int, ...]
    events: tuple[Event, ...]
    padding: str
    padding_size: int
    _replay: Replay

    def replay(self) -> Replay:
        return self._replay

    def to_dict(self, comparison: Comparison | None = None) -> dict[str, Any]:
        return {
            "format": self.format,
            "algorithms": [ALGORITHMS.get(id_, f"{id_:#06x}") for id_ in self.algorithms],
            "rtmr": [value.hex() for value in self._replay.rtmr],
            "extends": list(self._replay.extends),
            "comparison": None if comparison is None else comparison.to_dict(),
            "padding": self.padding,
            "padding_size": self.padding_size,
            "events": [event.to_dict() for event in self.events],
        }


@dataclass(frozen=True, slots=True)
class CcelTable:
    """ACPI's CCEL table of a TD: where its log lies. Nothing measures the table."""

    subtype: int
    area_size: int
    area_address: int


def parse_event_log(data: Buffer, format: str | None = None) -> EventLog:  # noqa: A002
    """Reads a log and replays it. format: `ccel` or `dstack`; None: told by the first byte. Raises EventLogError."""
    if not isinstance(data, bytes | bytearray | memoryview):
        raise TypeError(f"an event log is bytes, not {type(data).__name__}")
    if format is not None and format not in FORMATS:
        raise ValueError(f"format {format!r} is neither {' nor '.join(map(repr, FORMATS))}")
    log = _lib.snapshot(data)
    if format is None:
        format = "dstack" if log.lstrip(b" \t\r\n")[:1] == b"[" else "ccel"  # noqa: A001
    return _parse_dstack(log) if format == "dstack" else _parse_ccel(log)


def parse_ccel_table(data: Buffer) -> CcelTable:
    """Reads the 56 bytes of an ACPI CCEL table that names a TD's log. Raises EventLogError."""
    found, finding = _lib.ccel_read(_lib.snapshot(data))
    if found is None:
        _refuse_finding(finding)
    return CcelTable(*found)


# ---- TCG's format --------------------------------------------------------------------------------------------------------


def _parse_ccel(log: bytes) -> EventLog:
    fields, finding = _lib.log_read(log)
    if fields is None:
        _refuse_finding(finding)
    sizes = dict(fields.algorithms)
    start, size = fields.vendor_info
    return EventLog(
        format="ccel",
        header=LogHeader(fields.platform_class, fields.spec_errata, fields.uintn_size, log[start : start + size]),
        algorithms=tuple(sizes),
        events=tuple(_ccel_event(log, i, record, sizes) for i, record in enumerate(fields.records)),
        padding=fields.padding,
        padding_size=len(log) - fields.end,
        _replay=Replay("ccel", fields.rtmr, fields.extends),
    )


def _ccel_event(log: bytes, index: int, record: _lib.LogRecord, sizes: dict[int, int]) -> Event:
    start, size = record.data
    measured = record.measured
    return Event(
        index=index,
        offset=record.offset,
        rtmr=record.mr_index - 1 if record.mr_index > 0 else None,
        type=record.type,
        name=None,
        digest=None if record.sha384 is None else log[record.sha384 : record.sha384 + 48],
        digests=tuple(_digests(log, record.digests, sizes)),
        payload=log[start : start + size],
        payload_span=record.data,
        checked=record.rule if measured is None else "payload",
        rule=None if measured is None else record.rule,
        measured=None if measured is None else log[measured[0] : measured[0] + measured[1]],
    )


def _digests(log: bytes, span: tuple[int, int], sizes: dict[int, int]) -> Iterator[tuple[int, bytes]]:
    at, end = span[0], span[0] + span[1]
    while at < end:
        algorithm = int.from_bytes(log[at : at + 2], "little")
        size = sizes[algorithm]
        yield algorithm, log[at + 2 : at + 2 + size]
        at += 2 + size


# ---- dstack's format -----------------------------------------------------------------------------------------------------

_JSON_STRING = re.compile(rb'"[^"\\]*(?:\\.[^"\\]*)*"', re.DOTALL)
_NOT_BRACKETS = bytes(set(range(256)) - set(b"[]{}"))
_HEX = re.compile(r"(?:[0-9a-fA-F]{2})*", re.ASCII)


def _parse_dstack(log: bytes) -> EventLog:
    items = _load_json(log)
    if not isinstance(items, list):
        _refuse("event-log-malformed", "event log", 0, "a dstack log is a JSON list")
    if len(items) > MAX_EVENTS:
        _refuse("event-log-too-large", "event log", 0, f"{len(items)} events; at most {MAX_EVENTS} are read")
    events = tuple(_dstack_event(i, item) for i, item in enumerate(items))
    numbers = bytes(event.rtmr for event in events if event.extended and event.rtmr is not None)
    digests = b"".join(event.digest for event in events if event.extended and event.digest is not None)
    counts = (numbers.count(0), numbers.count(1), numbers.count(2), numbers.count(3))
    return EventLog(
        format="dstack",
        header=None,
        algorithms=(_SHA384,),
        events=events,
        padding="none",
        padding_size=0,
        _replay=Replay("dstack", _lib.rtmr_replay(numbers, digests), counts),
    )


def _load_json(log: bytes) -> object:
    """JSON that means one thing: UTF-8, no key twice in one object, bounded in size, depth and digits."""
    if len(log) > MAX_JSON_BYTES:
        _refuse("event-log-too-large", "event log", 0, f"{len(log)} bytes; at most {MAX_JSON_BYTES} are read")
    depth = 0
    for byte in _JSON_STRING.sub(b"", log).translate(None, _NOT_BRACKETS):
        depth += 1 if byte in b"[{" else -1
        if depth > MAX_JSON_DEPTH:
            _refuse("event-log-too-large", "event log", 0, f"JSON nested deeper than {MAX_JSON_DEPTH}")
    try:
        return json.loads(log.decode("utf-8"), object_pairs_hook=_object, parse_int=_integer, parse_constant=_constant)
    except json.JSONDecodeError as error:
        offset = len(error.doc[: error.pos].encode("utf-8", "surrogatepass"))
        raise EventLogError("event-log-malformed", "event log", offset, f"not JSON: {error.msg}") from None
    except UnicodeDecodeError as error:
        raise EventLogError("event-log-malformed", "event log", error.start, "not UTF-8") from None


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        _refuse("event-log-malformed", "event log", 0, "a JSON object has one key twice")
    return found


def _integer(digits: str) -> int:
    if len(digits) > 20:
        _refuse("event-log-malformed", "event log", 0, "a JSON number has more than 20 digits")
    return int(digits)


def _constant(word: str) -> NoReturn:
    _refuse("event-log-malformed", "event log", 0, f"{word} is not JSON")


class _Members:
    """The members of one event, each with its type checked. Members that are not asked for are not looked at."""

    __slots__ = ("_index", "_item")

    def __init__(self, index: int, item: object) -> None:
        if not isinstance(item, dict):
            _refuse("event-log-malformed", "event log", 0, f"event {index} is not a JSON object")
        self._index = index
        self._item: dict[str, Any] = item

    def refuse(self, name: str, detail: str, code: str = "event-log-malformed") -> NoReturn:
        _refuse(code, name, 0, f"event {self._index}: {detail}")

    def integer(self, name: str, maximum: int, default: int | None = None) -> int:
        value = self._item.get(name, default)
        if type(value) is not int or not 0 <= value <= maximum:
            self.refuse(name, f"no integer from 0 to {maximum}")
        return value

    def string(self, name: str, default: str | None = None) -> str:
        value = self._item.get(name, default)
        if not isinstance(value, str):
            self.refuse(name, "no string")
        return value

    def hex(self, name: str, default: str | None = None) -> bytes:
        value = self.string(name, default)
        if _HEX.fullmatch(value) is None:
            self.refuse(name, "not hexadecimal")
        return bytes.fromhex(value)


def _dstack_event(index: int, item: object) -> Event:
    members = _Members(index, item)
    rtmr = members.integer("imr", 3)
    type_ = members.integer("event_type", 0xFFFFFFFF)
    version = members.integer("version", 0xFFFF, default=1)
    name = members.string("event")
    payload = members.hex("event_payload")
    runtime = type_ == DSTACK_RUNTIME_EVENT
    digest = members.hex("digest", default="" if runtime else None)
    try:
        forms = _runtime_forms(name, payload) if runtime else {}
    except UnicodeEncodeError:
        members.refuse("event", "a lone surrogate")
    if len(digest) not in ((0, 48) if runtime else (48,)):
        members.refuse("digest", f"{len(digest)} bytes instead of 48", "event-digest-missing" if not digest else
                       "event-log-malformed")  # fmt: skip
    if not digest:  # dstack leaves out the digests that the rest of the event tells
        if version not in (1, 2):
            members.refuse("version", f"version {version} is not known", "event-log-unsupported")
        digest = _lib.sha384(forms[f"dstack-v{version}"])
    checked, rule, measured = "digest-only", None, None
    if type_ == EV_NO_ACTION:
        checked = "not-measured"
    for form, preimage in forms.items():
        # Of V1 only the first colon parts name and payload: with one in the name, the digest does not tell where the name ends.
        if _lib.sha384(preimage) == digest and not (form == "dstack-v1" and ":" in name):
            checked, rule, measured = "payload", form, preimage
    return Event(index, None, rtmr, type_, name, digest, ((_SHA384, digest),), payload, None, checked, rule, measured)


def _runtime_forms(name: str, payload: bytes) -> dict[str, bytes]:
    """What dstack hashes for an event of the running system. V2 is JCS (RFC 8785): for these members, keys sorted, no white space,
    and the shortest escapes, as json.dumps has them."""
    v1 = DSTACK_RUNTIME_EVENT.to_bytes(4, "little") + b":" + name.encode() + b":" + payload
    members = {"name": name, "payload": payload.hex(), "type": DSTACK_RUNTIME_EVENT}
    return {"dstack-v1": v1, "dstack-v2": json.dumps(members, ensure_ascii=False, separators=(",", ":")).encode()}


# ---- text ----------------------------------------------------------------------------------------------------------------


def _hex(data: bytes | None) -> str | None:
    return None if data is None else data.hex()


def _printable(data: bytes) -> str | None:
    """ASCII, or ASCII in UTF-16, without the NULs at the end; None for anything else."""
    stripped = data.rstrip(b"\0")
    if not _is_text(stripped):
        if len(data) % 2 != 0 or any(data[1::2]):
            return None
        stripped = data[::2].rstrip(b"\0")
    return stripped.decode("ascii") if stripped and _is_text(stripped) else None


def _is_text(data: bytes) -> bool:
    return all(0x20 <= byte <= 0x7E or byte in b"\t\n" for byte in data)


def _variable_name(data: bytes) -> str | None:
    """The name in a UEFI_VARIABLE_DATA: GUID, length of the name in characters, length of the data, name, data."""
    if len(data) < 32:
        return None
    size = 2 * int.from_bytes(data[16:24], "little")
    return _printable(data[32 : 32 + size]) if size <= len(data) - 32 else None
