# SPDX-License-Identifier: Apache-2.0
"""Intel's signed JSON: TCB info, enclave identities, evaluation data numbers; valid, or damaged in one place.

    info = ca.tcb_info(quote)                                  # a TcbInfo that the quote's platform is up to date with
    info.replace(fmspc=bytes(6))                               # another value
    info.put("tcbLevels/0/tcbStatus", "Perfect")               # any JSON at a path
    info.drop("tdxModule")                                     # a member left out
    info.duplicate("fmspc", "000000000000")                    # a member twice
    info.put("x", nested(100)), info.put("x", Raw("01"))       # depth, and what is no JSON at all
    signed = ca.sign(info)                                     # over the very bytes of the inner object
    signed.reserialised()                                      # other bytes, same signature
    ca.sign(info, signed=b"something else"), ca.sign(info, signer=ec_key("x"))

Paths are member names and array indices with slashes between them; damage is done to the text before it is signed.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta, timezone
from functools import lru_cache
from typing import Any, Final, Literal, TypeAlias, TypeVar

from .keys import EcKey, raw_signature
from .pck import PckCertificate
from .quotes import MR_SIGNER_QE, MR_SIGNER_TD_QE, EnclaveReport, Quote, TdReport
from .x509 import Certificate

Moment: TypeAlias = datetime | str
_D = TypeVar("_D", bound="_Document")

#: What TCB levels of platforms can be.
STATUSES: Final = (
    "UpToDate",
    "SWHardeningNeeded",
    "ConfigurationNeeded",
    "ConfigurationAndSWHardeningNeeded",
    "OutOfDate",
    "OutOfDateConfigurationNeeded",
    "Revoked",
)
#: The names that Intel has for components, at their index: category and type.
SGX_LABELS: Final[dict[int, dict[str, str]]] = {
    0: {"category": "BIOS", "type": "Early Microcode Update"},
    1: {"category": "OS/VMM", "type": "SGX Late Microcode Update"},
    2: {"category": "OS/VMM", "type": "TXT SINIT"},
    3: {"category": "BIOS"},
    4: {"category": "BIOS"},
    5: {"category": "BIOS"},
    7: {"category": "OS/VMM", "type": "SEAMLDR ACM"},
}
TDX_LABELS: Final[dict[int, dict[str, str]]] = {
    0: {"category": "OS/VMM", "type": "TDX Module"},
    1: {"category": "OS/VMM", "type": "TDX Module"},
    2: {"category": "OS/VMM", "type": "TDX Late Microcode Update"},
}


# ---- JSON ------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Raw:
    """Text that stands in JSON as it is, be it JSON or not."""

    text: str


class Members(list[list[Any]]):
    """A JSON object as its [name, value] pairs: a name may come twice. A name that is a Raw is written as it is."""


def nested(depth: int, *, kind: Literal["array", "object"] = "array") -> Raw:
    """Arrays in arrays, or objects in objects."""
    if kind == "array":
        return Raw("[" * depth + "]" * depth)
    return Raw('{"a":' * depth + "0" + "}" * depth)


def to_json(value: Any, *, spaced: bool = False) -> str:
    """Compact JSON as Intel sends it; spaced has a space behind each colon and comma."""
    comma, colon = (", ", ": ") if spaced else (",", ":")

    def write(value: Any) -> str:
        if isinstance(value, Raw):
            return value.text
        if isinstance(value, Members):
            return "{" + comma.join(f"{write(name)}{colon}{write(inner)}" for name, inner in value) + "}"
        if isinstance(value, Mapping):
            return "{" + comma.join(f"{write(name)}{colon}{write(inner)}" for name, inner in value.items()) + "}"
        if isinstance(value, list | tuple):
            return "[" + comma.join(map(write, value)) + "]"
        return json.dumps(value, ensure_ascii=False)

    return write(value)


def _open(value: Any) -> Any:
    """The same tree with every object as Members, to be changed in place."""
    if isinstance(value, Members):
        return Members([name, _open(inner)] for name, inner in value)
    if isinstance(value, Mapping):
        return Members([name, _open(inner)] for name, inner in value.items())
    return [_open(inner) for inner in value] if isinstance(value, list | tuple) else value


@dataclass(frozen=True, slots=True)
class _Damage:
    how: Literal["put", "drop", "duplicate", "rename", "first"]
    path: str
    value: Any = None
    first: bool = False


_SAME: Final = Raw("the value that is there")


def _damage(tree: Any, damage: _Damage) -> None:
    *above, last = damage.path.split("/")
    node = tree
    for step in above:
        node = node[int(step)] if not isinstance(node, Members) else next(v for n, v in node if n == step)
    if not isinstance(node, Members):
        _damage_list(node, int(last), damage)
        return
    at = next((i for i, pair in enumerate(node) if pair[0] == last), None)
    if damage.how == "put" and at is None:
        node.append([last, _open(damage.value)])
        return
    if at is None:
        raise KeyError(damage.path)
    if damage.how == "put":
        node[at][1] = _open(damage.value)
    elif damage.how == "drop":
        del node[at]
    elif damage.how == "rename":
        node[at][0] = damage.value
    elif damage.how == "first":
        node.insert(0, node.pop(at))
    else:
        value = node[at][1] if damage.value is _SAME else _open(damage.value)
        node.insert(at if damage.first else at + 1, [last, value])


def _damage_list(node: list[Any], at: int, damage: _Damage) -> None:
    if damage.how == "drop":
        del node[at]
    elif damage.how == "put" and at == len(node):
        node.append(_open(damage.value))
    elif damage.how == "put":
        node[at] = _open(damage.value)
    elif damage.how == "duplicate":
        node.insert(at if damage.first else at + 1, node[at] if damage.value is _SAME else _open(damage.value))
    elif damage.how == "first":
        node.insert(0, node.pop(at))
    else:
        raise TypeError("an array's elements have no names")


class _Document:
    """What the documents share: JSON, damage to it, and text."""

    __slots__ = ()
    MEMBER: str
    edits: tuple[_Damage, ...]

    def to_dict(self) -> dict[str, Any]:
        raise NotImplementedError

    def replace(self: _D, **changes: Any) -> _D:
        """Other values; damage done before stays."""
        return replace(self, **changes)  # type: ignore[type-var]

    def put(self: _D, path: str, value: Any) -> _D:
        """Any JSON at a path; a member that is not there is added at the end of its object."""
        return self._edited(_Damage("put", path, value))

    def drop(self: _D, path: str) -> _D:
        """A member or element left out."""
        return self._edited(_Damage("drop", path))

    def duplicate(self: _D, path: str, value: Any = _SAME, *, first: bool = False) -> _D:
        """A member or element twice, with the same value or another, behind itself or before."""
        return self._edited(_Damage("duplicate", path, value, first))

    def rename(self: _D, path: str, name: str | Raw) -> _D:
        """A member under another name."""
        return self._edited(_Damage("rename", path, name))

    def first(self: _D, path: str) -> _D:
        """A member or element before all the others."""
        return self._edited(_Damage("first", path))

    def _edited(self: _D, damage: _Damage) -> _D:
        return replace(self, edits=(*self.edits, damage))  # type: ignore[type-var]

    def text(self, *, spaced: bool = False) -> str:
        """The inner object, damage done."""
        tree = _open(self.to_dict())
        for damage in self.edits:
            _damage(tree, damage)
        return to_json(tree, spaced=spaced)


def _moment(at: Moment) -> str:
    return at if isinstance(at, str) else at.astimezone(timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")


def _hex(value: bytes | str) -> str:
    return value if isinstance(value, str) else value.hex().upper()


def _status(status: str, date: Moment, advisories: Sequence[str]) -> dict[str, Any]:
    out: dict[str, Any] = {"tcbDate": _moment(date), "tcbStatus": status}
    return {**out, "advisoryIDs": list(advisories)} if advisories else out


# ---- TCB info --------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class TcbLevel:
    """A level of the platform. tdx None: an SGX level."""

    sgx: tuple[int, ...]
    pce_svn: int
    tdx: tuple[int, ...] | None = None
    status: str = "UpToDate"
    date: Moment = "2025-05-14T00:00:00Z"
    advisories: tuple[str, ...] = ()

    @classmethod
    def fitting(cls, pck: PckCertificate, tee_tcb_svn: bytes | None = None, **fields: Any) -> TcbLevel:
        """The highest level that a platform reaches, and for TDX a module with that TEE_TCB_SVN. Where the module has
        an identity of its own (TEE_TCB_SVN[1] above 0), the level's second component is 0, as Intel has it, and the
        first two do not count."""
        tdx = None
        if tee_tcb_svn is not None:
            tdx = (tee_tcb_svn[0], 0, *tee_tcb_svn[2:])
        own = {"sgx": pck.sgx.components, "pce_svn": pck.sgx.pce_svn, "tdx": tdx}
        return cls(**{**own, **fields})

    def lower(self, **fields: Any) -> TcbLevel:
        """The level one below in every component, out of date."""

        def down(svns: tuple[int, ...]) -> tuple[int, ...]:
            return tuple(max(0, svn - 1) for svn in svns)

        tdx = None if self.tdx is None else down(self.tdx)
        own = {
            "sgx": down(self.sgx),
            "pce_svn": max(0, self.pce_svn - 1),
            "tdx": tdx,
            "status": "OutOfDate",
            "date": "2024-03-13T00:00:00Z",
            "advisories": ("INTEL-SA-00960", "INTEL-SA-01036"),
        }
        return replace(self, **{**own, **fields})

    def to_dict(self, version: int = 3) -> dict[str, Any]:
        tcb: dict[str, Any]
        if version < 3:
            tcb = {f"sgxtcbcomp{i:02}svn": svn for i, svn in enumerate(self.sgx, 1)} | {"pcesvn": self.pce_svn}
        else:
            tcb = {"sgxtcbcomponents": _components(self.sgx, SGX_LABELS), "pcesvn": self.pce_svn}
            if self.tdx is not None:
                tcb["tdxtcbcomponents"] = _components(self.tdx, TDX_LABELS)
        return {"tcb": tcb, **_status(self.status, self.date, self.advisories)}


def _components(svns: Iterable[int], labels: Mapping[int, Mapping[str, str]]) -> list[dict[str, Any]]:
    return [{"svn": svn, **labels.get(i, {})} for i, svn in enumerate(svns)]


@dataclass(frozen=True, slots=True, kw_only=True)
class IsvLevel:
    """A level of an enclave or of a TDX module."""

    isv_svn: int
    status: str = "UpToDate"
    date: Moment = "2025-05-14T00:00:00Z"
    advisories: tuple[str, ...] = ()

    def to_dict(self) -> dict[str, Any]:
        return {"tcb": {"isvsvn": self.isv_svn}, **_status(self.status, self.date, self.advisories)}


@dataclass(frozen=True, slots=True, kw_only=True)
class TdxModule:
    """A TDX module: the one of tdxModule has neither id nor levels, those of tdxModuleIdentities have both."""

    id: str | None = None
    mr_signer: bytes | str = bytes(48)
    attributes: bytes | str = bytes(8)
    attributes_mask: bytes | str = b"\xff" * 8
    levels: tuple[IsvLevel, ...] | None = None

    def to_dict(self) -> dict[str, Any]:
        named = {} if self.id is None else {"id": self.id}
        levels = {} if self.levels is None else {"tcbLevels": [level.to_dict() for level in self.levels]}
        return {
            **named,
            "mrsigner": _hex(self.mr_signer),
            "attributes": _hex(self.attributes),
            "attributesMask": _hex(self.attributes_mask),
            **levels,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class TcbInfo(_Document):
    """The TCB info of a family of platforms: version 3, for TDX or SGX, or version 2, for SGX."""

    MEMBER = "tcbInfo"

    levels: tuple[TcbLevel, ...]
    id: str | None = "TDX"  # None leaves it out, as version 2 does in any case
    version: int = 3
    issue_date: Moment
    next_update: Moment
    fmspc: bytes | str
    pce_id: bytes | str = b"\0\0"
    tcb_type: int = 0
    tcb_evaluation_data_number: int = 17
    tdx_module: TdxModule | None = field(default_factory=TdxModule)
    modules: tuple[TdxModule, ...] | None = ()  # None leaves tdxModuleIdentities out
    edits: tuple[_Damage, ...] = ()

    def to_dict(self) -> dict[str, Any]:
        out: dict[str, Any] = {} if self.id is None or self.version < 3 else {"id": self.id}
        out |= {
            "version": self.version,
            "issueDate": _moment(self.issue_date),
            "nextUpdate": _moment(self.next_update),
            "fmspc": _hex(self.fmspc),
            "pceId": _hex(self.pce_id),
            "tcbType": self.tcb_type,
            "tcbEvaluationDataNumber": self.tcb_evaluation_data_number,
        }
        if self.tdx_module is not None:
            out["tdxModule"] = self.tdx_module.to_dict()
        if self.modules is not None:
            out["tdxModuleIdentities"] = [module.to_dict() for module in self.modules]
        out["tcbLevels"] = [level.to_dict(self.version) for level in self.levels]
        return out


def fitting_tcb_info(
    quote: Quote,
    *,
    at: datetime,
    status: str = "UpToDate",
    advisories: Sequence[str] = (),
    module_status: str = "UpToDate",
    module_advisories: Sequence[str] = (),
    **changes: Any,
) -> TcbInfo:
    """The TCB info that gives a quote's platform and module these statuses. Below each level that is met stands one
    that is out of date; above it, where the status is one of being out of date, one that is up to date and out of
    reach."""
    sgx = quote.pck.sgx
    svn = quote.body.svn() if isinstance(quote.body, TdReport) else None
    met = TcbLevel.fitting(quote.pck, svn, status=status, advisories=tuple(advisories))
    own: dict[str, Any] = {
        "levels": _ladder(met),
        "issue_date": at - timedelta(days=10),
        "next_update": at + timedelta(days=20),
        "fmspc": sgx.fmspc,
        "pce_id": sgx.pce_id,
    }
    if svn is None:
        own |= {"id": "SGX", "tdx_module": None, "modules": None}
    elif svn[1]:
        levels = _isv_ladder(svn[0], module_status, tuple(module_advisories))
        own["modules"] = (TdxModule(id=f"TDX_{svn[1]:02X}", levels=levels),)
    return TcbInfo(**{**own, **changes})


def _ladder(met: TcbLevel) -> tuple[TcbLevel, ...]:
    """The level that is met, one below, and where something newer has to exist, one above."""
    out: tuple[TcbLevel, ...] = (met, met.lower())
    if met.status not in ("OutOfDate", "OutOfDateConfigurationNeeded", "Revoked") or met.sgx[0] > 254:
        return out
    raised = (met.sgx[0] + 1, *met.sgx[1:])
    return (replace(met, sgx=raised, status="UpToDate", date="2025-05-14T00:00:00Z", advisories=()), *out)


def _isv_ladder(svn: int, status: str, advisories: tuple[str, ...]) -> tuple[IsvLevel, ...]:
    out = [IsvLevel(isv_svn=svn, status=status, advisories=advisories)]
    if status != "UpToDate":
        out.insert(0, IsvLevel(isv_svn=svn + 1))
    if svn:
        out.append(IsvLevel(isv_svn=svn - 1, status="OutOfDate", advisories=("INTEL-SA-01099",)))
    return tuple(out)


# ---- enclave identities ----------------------------------------------------------------------------------------------

_IDENTITIES: Final[dict[str, dict[str, Any]]] = {
    "QE": {"mr_signer": MR_SIGNER_QE, "isv_prod_id": 1, "isv_svn": 8},
    "TD_QE": {"mr_signer": MR_SIGNER_TD_QE, "isv_prod_id": 2, "isv_svn": 4},
    "QVE": {"mr_signer": MR_SIGNER_QE, "isv_prod_id": 2, "isv_svn": 3},
    "QAE": {"mr_signer": MR_SIGNER_QE, "isv_prod_id": 3, "isv_svn": 3},
}


@dataclass(frozen=True, slots=True, kw_only=True)
class EnclaveIdentity(_Document):
    """The identity of one of Intel's enclaves, version 2: QE, TD_QE, QVE, QAE."""

    MEMBER = "enclaveIdentity"

    id: str = "TD_QE"
    version: int = 2
    issue_date: Moment
    next_update: Moment
    tcb_evaluation_data_number: int = 17
    misc_select: bytes | str = bytes(4)
    misc_select_mask: bytes | str = b"\xff" * 4
    attributes: bytes | str = bytes.fromhex("11000000000000000000000000000000")
    attributes_mask: bytes | str = bytes.fromhex("FBFFFFFFFFFFFFFF0000000000000000")
    mr_signer: bytes | str = MR_SIGNER_TD_QE
    isv_prod_id: int = 2
    levels: tuple[IsvLevel, ...]
    edits: tuple[_Damage, ...] = ()

    @classmethod
    def of(
        cls, name: str, *, at: datetime, status: str = "UpToDate", advisories: Sequence[str] = (), **changes: Any
    ) -> EnclaveIdentity:
        """The identity of one of the four, and the status that it gives to the newest of them."""
        known = _IDENTITIES[name]
        own = {
            "id": name,
            "issue_date": at - timedelta(days=10),
            "next_update": at + timedelta(days=20),
            "mr_signer": known["mr_signer"],
            "isv_prod_id": known["isv_prod_id"],
            "levels": _isv_ladder(changes.pop("isv_svn", known["isv_svn"]), status, tuple(advisories)),
        }
        return cls(**{**own, **changes})

    def to_dict(self) -> dict[str, Any]:
        return {
            "id": self.id,
            "version": self.version,
            "issueDate": _moment(self.issue_date),
            "nextUpdate": _moment(self.next_update),
            "tcbEvaluationDataNumber": self.tcb_evaluation_data_number,
            "miscselect": _hex(self.misc_select),
            "miscselectMask": _hex(self.misc_select_mask),
            "attributes": _hex(self.attributes),
            "attributesMask": _hex(self.attributes_mask),
            "mrsigner": _hex(self.mr_signer),
            "isvprodid": self.isv_prod_id,
            "tcbLevels": [level.to_dict() for level in self.levels],
        }


def fitting_identity(quote: Quote, *, at: datetime, status: str = "UpToDate", **changes: Any) -> EnclaveIdentity:
    """The identity of the quoting enclave that made a quote: TD_QE for TDs, QE for SGX."""
    report: EnclaveReport = quote.qe_report
    svn = report.isv_svn if isinstance(report.isv_svn, int) else int.from_bytes(report.isv_svn, "little")
    own = "TD_QE" if isinstance(quote.body, TdReport) else "QE"
    return EnclaveIdentity.of(changes.pop("id", own), at=at, status=status, **{"isv_svn": svn, **changes})


# ---- evaluation data numbers -----------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class TcbEvaluationDataNumbers(_Document):
    """The evaluations that there are: number, and the dates of event and TCB."""

    MEMBER = "tcbEvaluationDataNumbers"

    id: str = "TDX"
    version: int = 1
    issue_date: Moment
    next_update: Moment
    numbers: tuple[tuple[int, Moment, Moment], ...] = (
        (19, "2025-05-13T00:00:00Z", "2025-05-14T00:00:00Z"),
        (18, "2024-11-12T00:00:00Z", "2024-11-13T00:00:00Z"),
        (17, "2024-03-12T00:00:00Z", "2024-03-13T00:00:00Z"),
    )
    edits: tuple[_Damage, ...] = ()

    def to_dict(self) -> dict[str, Any]:
        return {
            "id": self.id,
            "version": self.version,
            "issueDate": _moment(self.issue_date),
            "nextUpdate": _moment(self.next_update),
            "tcbEvalNumbers": [
                {"tcbEvaluationDataNumber": number, "tcbRecoveryEventDate": _moment(event), "tcbDate": _moment(date)}
                for number, event, date in self.numbers
            ],
        }


Document: TypeAlias = _Document


# ---- signed ----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class SignedDocument:
    """The text of an inner object, the signature over it, and the chain of the signer, leaf first."""

    member: str
    text: str
    signature: bytes
    chain: tuple[Certificate, ...]

    def replace(self, **changes: Any) -> SignedDocument:
        """Another text under the same signature, or another signature, name or chain."""
        return replace(self, **changes)

    def reserialised(self, *, spaced: bool = True, sort: bool = False) -> SignedDocument:
        """The same JSON in other bytes under the old signature."""
        separators = (", ", ": ") if spaced else (",", ":")
        return replace(self, text=json.dumps(json.loads(self.text), separators=separators, sort_keys=sort))

    @property
    def body(self) -> bytes:
        """The bytes that are sent, of which the signature should be."""
        return self.text.encode("utf-8", "surrogatepass")

    @property
    def signature_hex(self) -> str:
        return self.signature.hex()

    @property
    def chain_pem(self) -> str:
        return b"".join(certificate.pem for certificate in self.chain).decode()

    @property
    def response(self) -> bytes:
        """What the service sends: object and signature."""
        return b'{"%s":%s,"signature":"%s"}' % (self.member.encode(), self.body, self.signature_hex.encode())


@lru_cache(maxsize=4096)
def _sign(key: EcKey, message: bytes) -> bytes:
    return raw_signature(key, message)


def sign_document(
    document: Document | str,
    signer: EcKey,
    chain: tuple[Certificate, ...],
    *,
    member: str | None = None,
    spaced: bool = False,
    signed: bytes | None = None,
    signature: bytes | None = None,
) -> SignedDocument:
    """A document, or any text, signed. spaced: written, and signed, with spaces. signed: signed in its place."""
    text = document if isinstance(document, str) else document.text(spaced=spaced)
    name = member or ("tcbInfo" if isinstance(document, str) else document.MEMBER)
    message = text.encode("utf-8", "surrogatepass") if signed is None else signed
    return SignedDocument(name, text, _sign(signer, message) if signature is None else signature, chain)


__all__ = [
    "STATUSES",
    "Document",
    "EnclaveIdentity",
    "IsvLevel",
    "Members",
    "Raw",
    "SignedDocument",
    "TcbEvaluationDataNumbers",
    "TcbInfo",
    "TcbLevel",
    "TdxModule",
    "nested",
    "sign_document",
    "to_json",
]
