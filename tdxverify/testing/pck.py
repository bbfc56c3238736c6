# SPDX-License-Identifier: Apache-2.0
"""The SGX extension of a PCK certificate, in all its parts, and the certificate that carries it.

    sgx = SgxExtension(fmspc=bytes.fromhex("90C06F000000"))
    sgx.replace(pce_svn=10)                                  # another value
    sgx.without("fmspc")                                     # a part left out
    sgx.with_value("pceId", der.integer(0))                  # of another type
    sgx.with_value("comp03", der.integer(256))               # out of its range
    sgx.with_duplicate("cpuSvn")                             # twice
    sgx.with_extra("1.2.840.113741.1.13.1.8", der.null())    # one too many
    sgx.with_order("tcb", "ppid")                            # in another order

Parts are named as Intel's profile names them: ppid, tcb (comp01 .. comp16, pceSvn, cpuSvn), pceId, fmspc, sgxType,
platformInstanceId, configuration (dynamicPlatform, cachedKeys, smtEnabled).
"""

from __future__ import annotations

import dataclasses
import hashlib
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, Final, Literal, TypeAlias, cast

from . import der
from .keys import EcKey
from .x509 import Certificate

SGX_OID: Final = "1.2.840.113741.1.13.1"
CaName: TypeAlias = Literal["platform", "processor"]

#: The OIDs of the parts ("Intel SGX PCK Certificate and Certificate Revocation List Profile Specification", 1.3.5).
PART_OIDS: Final[dict[str, str]] = {
    "ppid": f"{SGX_OID}.1",
    "tcb": f"{SGX_OID}.2",
    **{f"comp{i:02}": f"{SGX_OID}.2.{i}" for i in range(1, 17)},
    "pceSvn": f"{SGX_OID}.2.17",
    "cpuSvn": f"{SGX_OID}.2.18",
    "pceId": f"{SGX_OID}.3",
    "fmspc": f"{SGX_OID}.4",
    "sgxType": f"{SGX_OID}.5",
    "platformInstanceId": f"{SGX_OID}.6",
    "configuration": f"{SGX_OID}.7",
    "dynamicPlatform": f"{SGX_OID}.7.1",
    "cachedKeys": f"{SGX_OID}.7.2",
    "smtEnabled": f"{SGX_OID}.7.3",
}


@dataclass(frozen=True, slots=True)
class Part:
    """An entry, SEQUENCE {OID, value}: its value is whole DER, or entries in a SEQUENCE. raw replaces the encoding."""

    name: str
    oid: str | bytes
    value: bytes | tuple[Part, ...]
    raw: bytes | None = None

    def encode(self) -> bytes:
        if self.raw is not None:
            return self.raw
        value = self.value if isinstance(self.value, bytes) else der.sequence(*(p.encode() for p in self.value))
        return der.sequence(der.oid(self.oid), value)


@dataclass(frozen=True, slots=True)
class _Edit:
    """A change to the entries of that name, or (under "extra") an entry more in the SEQUENCE of that name."""

    how: Literal["drop", "value", "raw", "oid", "twice", "order", "extra"]
    name: str
    value: bytes | str | None = None
    names: tuple[str, ...] = ()
    first: bool = False


def filler(what: str, size: int) -> bytes:
    """Bytes that are not zero and not those of the neighbouring field, so that a wrong offset shows."""
    return hashlib.shake_256(f"tdx test {what}".encode()).digest(size)


@dataclass(frozen=True, slots=True, kw_only=True)
class SgxExtension:
    """What a PCK certificate says of its platform. The defaults are those of a server platform under the Platform CA;
    SgxExtension.processor() has none of what the Processor CA leaves out.

    cpu_svn None: the bytes of the components. platform_instance_id None: left out; all three of the configuration
    None: left out, a single one None: that one left out. There are sixteen components; fewer leave the last ones out.
    """

    ppid: bytes = filler("ppid", 16)
    components: tuple[int, ...] = (7, 7, 2, 2, 3, 1, 0, 3, 0, 0, 0, 0, 0, 0, 0, 0)
    pce_svn: int = 11
    cpu_svn: bytes | None = None
    pce_id: bytes = b"\0\0"
    fmspc: bytes = bytes.fromhex("00806F050000")
    sgx_type: int = 1  # 0 Standard, 1 Scalable, 2 Scalable with Integrity
    platform_instance_id: bytes | None = filler("platform instance", 16)
    dynamic_platform: bool | None = True
    cached_keys: bool | None = False
    smt_enabled: bool | None = True
    edits: tuple[_Edit, ...] = ()
    inner_trailing: bytes = b""  # behind the last part, inside the SEQUENCE
    outer_trailing: bytes = b""  # behind the SEQUENCE
    raw: bytes | None = None  # the whole value instead

    @classmethod
    def processor(cls, **fields: Any) -> SgxExtension:
        """As the Processor CA writes it: five parts."""
        absent = dict.fromkeys(("platform_instance_id", "dynamic_platform", "cached_keys", "smt_enabled"))
        own = {"sgx_type": 0, "fmspc": bytes.fromhex("00906EA50000"), "ppid": filler("processor ppid", 16)}
        return cls(**{**absent, **own, **fields})

    @classmethod
    def parse(cls, value: bytes) -> SgxExtension:
        """The values in a genuine extension, so that encode() gives it back."""
        found: dict[str, der.Node] = {}
        names = {der.oid_content(oid): name for name, oid in PART_OIDS.items()}
        for node in der.read(value).walk():
            children = node.children()
            if len(children) == 2 and children[0].content in names:
                found[names[children[0].content]] = children[1]

        def number(name: str) -> int:
            return int.from_bytes(found[name].content, "big")

        def flag(name: str) -> bool | None:
            return found[name].content != b"\0" if name in found else None

        return cls(
            ppid=found["ppid"].content,
            components=tuple(number(f"comp{i:02}") for i in range(1, 17)),
            pce_svn=number("pceSvn"),
            cpu_svn=found["cpuSvn"].content,
            pce_id=found["pceId"].content,
            fmspc=found["fmspc"].content,
            sgx_type=number("sgxType"),
            platform_instance_id=found["platformInstanceId"].content if "platformInstanceId" in found else None,
            dynamic_platform=flag("dynamicPlatform"),
            cached_keys=flag("cachedKeys"),
            smt_enabled=flag("smtEnabled"),
        )

    def replace(self, **changes: Any) -> SgxExtension:
        """Other values; edits made before stay."""
        return replace(self, **changes)

    # one thing wrong

    def without(self, part: str) -> SgxExtension:
        """A part left out."""
        return self._edited(_Edit("drop", _known(part)))

    def with_value(self, part: str, value: bytes) -> SgxExtension:
        """A part with any DER as its value."""
        return self._edited(_Edit("value", _known(part), value))

    def with_oid(self, part: str, oid: str | bytes) -> SgxExtension:
        """A part under another OID."""
        return self._edited(_Edit("oid", _known(part), oid))

    def with_entry(self, part: str, raw: bytes) -> SgxExtension:
        """Any bytes in the place of a part's whole entry."""
        return self._edited(_Edit("raw", _known(part), raw))

    def with_duplicate(self, part: str, value: bytes | None = None, *, first: bool = False) -> SgxExtension:
        """A part twice, right behind itself (or before), with the same value or another."""
        return self._edited(_Edit("twice", _known(part), value, first=first))

    def with_order(self, *parts: str) -> SgxExtension:
        """The parts of one SEQUENCE in another order: those named first, the rest behind."""
        return self._edited(_Edit("order", "", None, tuple(_known(part) for part in parts)))

    def with_extra(
        self, oid: str | bytes, value: bytes, *, inside: str | None = None, first: bool = False
    ) -> SgxExtension:
        """A part more, at the end or at the start, in the outer SEQUENCE or inside tcb or configuration."""
        entry = Part("", oid, value).encode()
        return self._edited(_Edit("extra", _known(inside) if inside else "", entry, first=first))

    def _edited(self, edit: _Edit) -> SgxExtension:
        return replace(self, edits=(*self.edits, edit))

    # what is written

    def parts(self) -> tuple[Part, ...]:
        """The entries, edits made."""
        out = self._plain_parts()
        for edit in self.edits:
            out = _apply(out, edit)
        return out

    def _plain_parts(self) -> tuple[Part, ...]:
        def part(name: str, value: bytes | tuple[Part, ...]) -> Part:
            return Part(name, PART_OIDS[name], value)

        cpu_svn = self.cpu_svn
        if cpu_svn is None:
            cpu_svn = bytes(svn & 0xFF for svn in self.components[:16]).ljust(16, b"\0")
        if len(self.components) > 16:
            raise ValueError("there are sixteen components; with_extra() adds a part that has no name")
        tcb = tuple(part(f"comp{i:02}", der.integer(svn)) for i, svn in enumerate(self.components, 1))
        tcb += (part("pceSvn", der.integer(self.pce_svn)), part("cpuSvn", der.octet_string(cpu_svn)))
        flags = (
            ("dynamicPlatform", self.dynamic_platform),
            ("cachedKeys", self.cached_keys),
            ("smtEnabled", self.smt_enabled),
        )
        configuration = tuple(part(name, der.boolean(value)) for name, value in flags if value is not None)
        instance = self.platform_instance_id
        return (
            part("ppid", der.octet_string(self.ppid)),
            part("tcb", tcb),
            part("pceId", der.octet_string(self.pce_id)),
            part("fmspc", der.octet_string(self.fmspc)),
            part("sgxType", der.enumerated(self.sgx_type)),
            *(() if instance is None else (part("platformInstanceId", der.octet_string(instance)),)),
            *((part("configuration", configuration),) if configuration else ()),
        )

    def encode(self) -> bytes:
        """The value of the certificate's extension."""
        if self.raw is not None:
            return self.raw
        return der.sequence(*(part.encode() for part in self.parts()), self.inner_trailing) + self.outer_trailing


#: Fields that IntelCa.pck() takes by themselves.
SGX_FIELDS: Final = frozenset(
    field.name
    for field in dataclasses.fields(SgxExtension)
    if field.name not in ("edits", "inner_trailing", "outer_trailing", "raw")
)


def _known(part: str) -> str:
    if part not in PART_OIDS:
        raise ValueError(f"no part {part!r}; there are {', '.join(PART_OIDS)}")
    return part


def _apply(parts: tuple[Part, ...], edit: _Edit) -> tuple[Part, ...]:
    if edit.how == "extra":
        extra = Part("", "", b"", cast(bytes, edit.value))
        if not edit.name:
            return (extra, *parts) if edit.first else (*parts, extra)
        return _each(parts, edit.name, lambda p: (_with_child(p, extra, edit.first),))
    if edit.how == "order":
        return _reordered(parts, edit.names)
    return _each(parts, edit.name, lambda p: _changed(p, edit))


def _changed(part: Part, edit: _Edit) -> tuple[Part, ...]:
    value = cast(bytes, edit.value)
    if edit.how == "drop":
        return ()
    if edit.how == "value":
        return (replace(part, value=value),)
    if edit.how == "raw":
        return (replace(part, raw=value),)
    if edit.how == "oid":
        return (replace(part, oid=value),)
    twin = part if edit.value is None else replace(part, value=value)
    return (twin, part) if edit.first else (part, twin)


def _each(parts: tuple[Part, ...], name: str, change: Callable[[Part], tuple[Part, ...]]) -> tuple[Part, ...]:
    """The parts with those of a name changed, at any depth; none of that name is a KeyError."""
    out, found = _each_below(parts, name, change)
    if not found:
        raise KeyError(f"{name} is not there any more")
    return out


def _each_below(
    parts: tuple[Part, ...], name: str, change: Callable[[Part], tuple[Part, ...]]
) -> tuple[tuple[Part, ...], bool]:
    out: list[Part] = []
    found = False
    for part in parts:
        if part.name == name:
            out += change(part)
            found = True
        elif isinstance(part.value, tuple):
            inner, inside = _each_below(part.value, name, change)
            out.append(replace(part, value=inner))
            found |= inside
        else:
            out.append(part)
    return tuple(out), found


def _with_child(part: Part, child: Part, first: bool) -> Part:
    if not isinstance(part.value, tuple):
        raise TypeError(f"{part.name} has no parts")
    return replace(part, value=(child, *part.value) if first else (*part.value, child))


def _reordered(parts: tuple[Part, ...], names: tuple[str, ...]) -> tuple[Part, ...]:
    if {part.name for part in parts} >= set(names):
        named = [next(part for part in parts if part.name == name) for name in names]
        return (*named, *(part for part in parts if not any(part is n for n in named)))
    for at, part in enumerate(parts):
        if isinstance(part.value, tuple) and {inner.name for inner in part.value} >= set(names):
            return (*parts[:at], replace(part, value=_reordered(part.value, names)), *parts[at + 1 :])
    raise KeyError(f"{', '.join(names)} are not in one SEQUENCE")


@dataclass(frozen=True, slots=True)
class PckCertificate(Certificate):
    """A PCK certificate, with what it says of its platform."""

    sgx: SgxExtension
    ca: CaName

    @property
    def signing_key(self) -> EcKey:
        if not isinstance(self.key, EcKey):
            raise TypeError("this PCK is not an EC key")
        return self.key


def default_key_word(ca: str, sgx: SgxExtension) -> str:
    """The word of a PCK: one key for each platform and TCB, as in hardware."""
    return f"pck {ca} {sgx.ppid.hex()} {sgx.components} {sgx.pce_svn}"
