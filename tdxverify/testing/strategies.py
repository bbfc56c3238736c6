# SPDX-License-Identifier: Apache-2.0
"""Hypothesis strategies: quotes, lengths that lie, certificates, SGX extensions, signed JSON, collateral, mutations.

    @given(quotes(accepted=True))
    def test_genuine(quote): ...                 # authority().collateral(quote) is what it needs

    @given(lying_quotes())
    def test_lying_lengths(data): ...            # bytes, signed, with one length or more that lies

    @given(mutations(quotes().map(lambda quote: quote.bytes)))
    def test_any_damage(data): ...

Fields are random, and all signatures come from a small fixed pool of keys, so a thousand examples take seconds.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import timedelta
from functools import lru_cache
from typing import Any, Final, TypeVar

from hypothesis import assume
from hypothesis import strategies as st

from attestcore.testing import mutations as shared

from . import der
from .ca import AT, IntelCa
from .collateral import Collateral
from .documents import STATUSES, EnclaveIdentity, SignedDocument, TcbInfo, nested
from .keys import ec_key, ec_spki
from .pck import PART_OIDS, CaName, PckCertificate, SgxExtension
from .quotes import BODY_SIZES, ENCLAVE_LAYOUT, HEADER_LAYOUT, LENGTH_FIELDS, TD_LAYOUT, Quote
from .x509 import Certificate, Extension, RawTime, SignatureAlgorithm, basic_constraints, key_usage

#: Every version with every body that it can have.
SHAPES: Final = ((3, 1), (4, 1), (4, 2), (5, 1), (5, 2), (5, 3), (5, 4))
TD_SHAPES: Final = ((4, 2), (5, 2), (5, 3), (5, 4))
_D = TypeVar("_D", TcbInfo, EnclaveIdentity)
_CAS: Final[tuple[CaName, ...]] = ("platform", "processor")
_ATTRIBUTES: Final = (1 << 28, 0, 1 << 28 | 1 << 30, 1 << 28 | 1 << 63)
_XFAMS: Final = (0x602E7, 0x600E7, 0x618E7, 0xE7, 0x207, 3)


@lru_cache(maxsize=4)
def authority(impostor: bool = False) -> IntelCa:
    """The authority of everything drawn, made once."""
    return IntelCa(impostor=impostor)


@lru_cache(maxsize=16)
def platform(ca: CaName = "platform", number: int = 0) -> PckCertificate:
    """One of the fixed pool of platforms."""
    values: dict[str, Any] = {"ppid": bytes([0x10 + number]) * 16} if number else {}
    return authority().pck(ca, **values)


# ---- quotes ----------------------------------------------------------------------------------------------------------

_DIGESTS: Final = ("mr_td", "mr_config_id", "mr_owner", "mr_owner_config", "rt_mr0", "rt_mr1", "rt_mr2", "rt_mr3")


@st.composite
def quotes(
    draw: st.DrawFn, shapes: Sequence[tuple[int, int]] = SHAPES, *, accepted: bool = False, trailing: bool = True
) -> Quote:
    """Well-formed quotes, signed by a platform of the pool. accepted: only such as a default policy accepts with
    authority().collateral(quote) (no debugging, no reserved bits, no service TD; an SGX quote is for the policy to
    allow). Else attributes, SVNs, identifiers, and the type of the certification data are arbitrary."""
    version, body_type = draw(st.sampled_from(shapes))
    pck = platform(draw(st.sampled_from(_CAS)), draw(st.integers(0, 2)))
    fields: dict[str, Any] = {
        "report_data": draw(st.binary(min_size=64, max_size=64)),
        "user_data": draw(st.binary(min_size=16, max_size=16)) + bytes(4),
        "auth_data": draw(st.one_of(st.just(bytes(range(32))), st.binary(max_size=64))),
        "trailing": bytes(draw(st.sampled_from((0, 1, 70, 3065)))) if trailing else b"",
    }
    if body_type == 1:
        fields |= {"mr_enclave": draw(_octets(32)), "mr_signer": draw(_octets(32)), "isv_svn": draw(_uint(2))}
        if not accepted:
            fields |= {"attributes": draw(_octets(16)), "misc_select": draw(_uint(4)), "cpu_svn": draw(_octets(16))}
    else:
        fields |= {name: draw(_octets(48)) for name in _DIGESTS}
        fields |= {"td_attributes": draw(st.sampled_from(_ATTRIBUTES)), "xfam": draw(st.sampled_from(_XFAMS))}
        if not accepted:
            fields |= draw(_free_td_fields(body_type))
    if not accepted:
        fields["cert_type"] = draw(st.sampled_from((5, 5, 5, 1, 2, 3, 4, 7)))
        fields["qe_isv_svn"] = draw(_uint(2))
    return authority().quote(version, body_type, pck=pck, **fields)


@st.composite
def _free_td_fields(draw: st.DrawFn, body_type: int) -> dict[str, Any]:
    """Any values of what a policy or the collateral decides."""
    names = [name for name, (at, size) in TD_LAYOUT.items() if at + size <= BODY_SIZES[body_type]]
    chosen = draw(st.lists(st.sampled_from(names), max_size=5, unique=True))
    return {name: draw(_octets(TD_LAYOUT[name][1])) for name in chosen}


def _octets(size: int) -> st.SearchStrategy[bytes]:
    return st.binary(min_size=size, max_size=size)


def _uint(width: int) -> st.SearchStrategy[int]:
    return st.integers(0, 256**width - 1)


@st.composite
def lying_quotes(draw: st.DrawFn, shapes: Sequence[tuple[int, int]] = SHAPES, *, max_lies: int = 2) -> bytes:
    """Quotes of which one length or more is not what follows it, whole or cut short; everything else holds, signatures
    too."""
    quote = draw(quotes(shapes, trailing=False))
    names = [name for name in LENGTH_FIELDS if name in quote.places]
    lies = draw(st.lists(st.sampled_from(names), min_size=1, max_size=max_lies, unique=True))
    told: dict[str, int] = {}
    for name in lies:
        at, width = quote.places[name]
        true = int.from_bytes(quote.bytes[at : at + width], "little")
        told[name] = draw(_lies(true, width))
    data = quote.replace(**told).bytes
    return data[: draw(st.integers(0, len(data)))] if draw(st.booleans()) else data


def _lies(true: int, width: int) -> st.SearchStrategy[int]:
    top = 256**width - 1
    edges = {0, 1, true - 1, true + 1, true + 2, 2 * true, top, top - 1, top // 2, top // 2 + 1}
    near = sorted(lie for lie in edges if 0 <= lie <= top and lie != true)
    return st.one_of(st.sampled_from(near), st.integers(0, top).filter(lambda lie: lie != true))


def mutations(of: bytes | st.SearchStrategy[bytes], *, max_changes: int = 3) -> st.SearchStrategy[bytes]:
    """Damaged copies, never equal to the original: flipped bits, set bytes, truncations, extensions, slices cut out,
    doubled or moved, words at the edges of their range, DER lengths that lie, and, in a quote, two fields that change
    places."""
    return shared.mutations(of, max_changes=max_changes, fields=_fields_of)


def _fields_of(data: bytes) -> Sequence[tuple[int, int]]:
    """The fields of a quote's header and body."""
    if len(data) < 1020 or data[0] not in (3, 4, 5) or data[1]:
        return ()
    body = 54 if data[0] == 5 else 48
    layout = TD_LAYOUT if data[4] == 0x81 else ENCLAVE_LAYOUT
    shifted = [(body + at, size) for at, size in layout.values() if body + at + size <= len(data)]
    return (*HEADER_LAYOUT.values(), *shifted)


# ---- SGX extensions --------------------------------------------------------------------------------------------------


@st.composite
def sgx_extensions(draw: st.DrawFn, *, edits: int = 0) -> SgxExtension:
    """SGX extensions with any values; edits: so many things wrong with each."""
    svn = st.one_of(st.integers(0, 255), st.sampled_from((0, 127, 128, 255)))
    values: dict[str, Any] = {
        "ppid": draw(_octets(16)),
        "components": tuple(draw(st.lists(svn, min_size=16, max_size=16))),
        "pce_svn": draw(_uint(2)),
        "pce_id": draw(_octets(2)),
        "fmspc": draw(_octets(6)),
    }
    if draw(st.booleans()):
        flags = {name: draw(st.booleans()) for name in ("dynamic_platform", "cached_keys", "smt_enabled")}
        values |= {"sgx_type": draw(st.integers(0, 2)), "platform_instance_id": draw(_octets(16)), **flags}
        out = SgxExtension(**values)
    else:
        out = SgxExtension.processor(**values)
    for _ in range(edits):
        out = draw(_edited(out))
    try:
        out.encode()
    except KeyError:  # an edit before has taken away what this one edits
        assume(False)
    return out


@st.composite
def _edited(draw: st.DrawFn, sgx: SgxExtension) -> SgxExtension:
    absent = () if sgx.platform_instance_id else ("platformInstanceId", "configuration", "dynamicPlatform",
                                                  "cachedKeys", "smtEnabled")  # fmt: skip
    part = draw(st.sampled_from([name for name in PART_OIDS if name not in absent]))
    how = draw(st.sampled_from(("without", "value", "oid", "entry", "twice", "extra", "trailing")))
    if how == "without":
        return sgx.without(part)
    if how == "value":
        return sgx.with_value(part, draw(der_values()))
    if how == "oid":
        return sgx.with_oid(part, draw(st.sampled_from(sorted(PART_OIDS.values()))) + ".1")
    if how == "entry":
        return sgx.with_entry(part, draw(st.binary(max_size=24)))
    if how == "twice":
        return sgx.with_duplicate(part, draw(st.one_of(st.none(), der_values())), first=draw(st.booleans()))
    if how == "extra":
        return sgx.with_extra(f"{PART_OIDS['ppid']}.{draw(st.integers(1, 99))}", draw(der_values()))
    return sgx.replace(outer_trailing=draw(st.binary(min_size=1, max_size=8)))


def der_values() -> st.SearchStrategy[bytes]:
    """Elements that none of the parts has: of another type, size or encoding."""
    return st.one_of(
        st.integers(-(2**70), 2**70).filter(lambda n: not 0 <= n < 65536).map(der.integer),
        st.sampled_from(
            (
                der.null(),
                der.boolean(b"\x01"),
                der.boolean(b""),
                der.integer(b""),
                der.integer(b"\0\x01"),
                der.sequence(),
            )
        ),
        st.integers(0, 40).filter(lambda n: n not in (2, 6, 16)).map(lambda n: der.octet_string(bytes(n))),
        st.sampled_from((b"", b"\x02", b"\x04\x84\xff\xff\xff\xff", b"\x30\x80\0\0", b"\x1f\xff\xff\xff\x7f\0")),
    )


# ---- certificates ----------------------------------------------------------------------------------------------------

_Edit = Callable[[Certificate], Certificate]


def _edits() -> dict[str, _Edit]:
    """One edit a rule of the profile, each of which makes any certificate of Intel's wrong in that one way."""

    def field(**changes: Any) -> _Edit:
        return lambda certificate: certificate.replace(**changes)

    ecdsa = SignatureAlgorithm("ecdsa", "sha256")
    names = ("authorityKeyIdentifier", "cRLDistributionPoints", "subjectKeyIdentifier", "keyUsage", "basicConstraints")
    out: dict[str, _Edit] = {
        "version-1": field(version=None),
        "version-2": field(version=1),
        "serial-negative": field(serial=-1),
        "serial-zero": field(serial=0),
        "serial-long": field(serial=1 << 168),
        "serial-padded": field(serial=b"\0\0\x01"),
        "algorithm-sha384": field(algorithm=SignatureAlgorithm("ecdsa", "sha384")),
        "algorithm-null": field(algorithm=SignatureAlgorithm("ecdsa", "sha256", parameters=der.null())),
        "algorithm-differs": field(inner_algorithm=SignatureAlgorithm("ecdsa", "sha384")),
        "algorithm-unnamed": field(outer_algorithm=SignatureAlgorithm(raw=b"\x30\0"), signing_algorithm=ecdsa),
        "issuer-name": lambda c: c.replace(issuer=c.spec.issuer.set("O", "Intel Corporatio")),
        "issuer-string-type": lambda c: c.replace(issuer=c.spec.issuer.set("CN", tag=der.PRINTABLE_STRING)),
        "subject-name": lambda c: c.replace(subject=c.spec.subject.set("CN", f"{c.spec.subject.cn!s} ")),
        "not-before-late": field(not_before=AT + timedelta(seconds=1)),
        "not-after-early": field(not_after=AT - timedelta(seconds=1)),
        "not-after-generalized": field(not_after=RawTime(der.GENERALIZED_TIME, "20490101000000Z")),
        "not-after-month": field(not_after=RawTime(der.UTC_TIME, "301301000000Z")),
        "key-compressed": field(spki=ec_spki(ec_key().point("compressed"))),
        "key-off-curve": field(spki=ec_spki(bytes([4]) + bytes(63) + b"\x01")),
        "key-infinity": field(spki=ec_spki(b"\0")),
        "key-p384": field(spki=ec_key("leaf", "P-384").spki),
        "no-extensions": field(extensions=None),
        "empty-extensions": field(extensions=()),
        "extension-unknown-critical": field(nameConstraints=Extension("nameConstraints", b"0\0", True)),
        "constraints": lambda c: c.replace(basicConstraints=basic_constraints(None if _is_ca(c) else True)),
        "key-usage": lambda c: c.replace(keyUsage=key_usage(0) if _is_ca(c) else key_usage(5)),
        "unique-id": field(subject_unique_id=b"\0\x01"),
        "signer": field(signer=ec_key("someone else")),
        "signature-unused-bits": field(signature_unused_bits=1),
        "signature-zero": field(signature=der.sequence(der.integer(0), der.integer(0))),
        "signature-raw": field(signature=bytes(64)),
        "trailing": field(trailing=b"\0"),
        "trailing-inside": field(inner_trailing=der.null()),
        "length-indefinite": field(length_form="indefinite"),
    }
    for name in names:
        out[f"{name}-missing"] = field(**{name: None})
        out[f"{name}-malformed"] = field(**{name: b"\x02\0"})
        out[f"{name}-twice"] = lambda c, name=name: c.respec(c.spec.with_duplicate(name))  # type: ignore[misc]
    for name in ("keyUsage", "basicConstraints"):
        out[f"{name}-not-critical"] = lambda c, name=name: c.respec(c.spec.with_critical(name, None))  # type: ignore[misc]
    return out


def _is_ca(certificate: Certificate) -> bool:
    extensions = [e for e in certificate.spec.extensions or () if e.kind == "basicConstraints"]
    return bool(extensions and extensions[0].value != basic_constraints(None))


CERTIFICATE_EDITS: Final = _edits()


@st.composite
def certificates(draw: st.DrawFn, *, edits: int = 0) -> Certificate:
    """Certificates of every role, as Intel makes them, or with so many edits of CERTIFICATE_EDITS."""
    ca = authority()
    leaf = platform(draw(st.sampled_from(_CAS)), draw(st.integers(0, 2)))
    certificate: Certificate = draw(st.sampled_from((ca.root, ca.platform, ca.processor, ca.tcb_signing, leaf)))
    for name in draw(st.lists(st.sampled_from(sorted(CERTIFICATE_EDITS)), min_size=edits, max_size=edits, unique=True)):
        try:
            certificate = CERTIFICATE_EDITS[name](certificate)
        except KeyError:  # an edit before has taken away what this one edits
            assume(False)
    return certificate


# ---- documents -------------------------------------------------------------------------------------------------------

_JSON: Final = st.recursive(
    st.one_of(
        st.none(), st.booleans(), st.integers(-(2**70), 2**70), st.floats(), st.text(max_size=12), st.just("UpToDate")
    ),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3), st.dictionaries(st.text(max_size=6), inner, max_size=3)
    ),
    max_leaves=6,
)  # fmt: skip


@st.composite
def tcb_infos(draw: st.DrawFn, of: Quote | st.SearchStrategy[Quote] | None = None, *, damage: int = 0) -> TcbInfo:
    """TCB infos for a quote (by default for any), with any status; damage: so many things wrong with the JSON."""
    quote = _one(draw, of)
    status = draw(st.sampled_from(STATUSES))
    module = draw(st.sampled_from(("UpToDate", "OutOfDate", "Revoked")))
    number = draw(st.integers(1, 30))
    info = authority().tcb_info(quote, status=status, module_status=module, tcb_evaluation_data_number=number)
    for _ in range(damage):
        info = draw(_damaged(info, _TCB_PATHS))
    return _whole(info)


@st.composite
def enclave_identities(
    draw: st.DrawFn, of: Quote | st.SearchStrategy[Quote] | None = None, *, damage: int = 0
) -> EnclaveIdentity:
    """Identities of a quote's quoting enclave, with any status; damage: so many things wrong with the JSON."""
    quote = _one(draw, of)
    identity = authority().qe_identity(quote, status=draw(st.sampled_from(("UpToDate", "OutOfDate", "Revoked"))))
    for _ in range(damage):
        identity = draw(_damaged(identity, _IDENTITY_PATHS))
    return _whole(identity)


_COMMON_PATHS: Final = (
    "id", "version", "issueDate", "nextUpdate", "tcbEvaluationDataNumber", "tcbLevels", "tcbLevels/0",
    "tcbLevels/0/tcb", "tcbLevels/0/tcbDate", "tcbLevels/0/tcbStatus",
)  # fmt: skip
_TCB_PATHS: Final = (
    *_COMMON_PATHS, "fmspc", "pceId", "tcbType", "tcbLevels/0/tcb/pcesvn", "tcbLevels/0/tcb/sgxtcbcomponents",
    "tcbLevels/0/tcb/sgxtcbcomponents/3", "tcbLevels/0/tcb/sgxtcbcomponents/3/svn",
)  # fmt: skip
_IDENTITY_PATHS: Final = (
    *_COMMON_PATHS, "miscselect", "miscselectMask", "attributes", "attributesMask", "mrsigner", "isvprodid",
    "tcbLevels/0/tcb/isvsvn",
)  # fmt: skip


@st.composite
def _damaged(draw: st.DrawFn, document: _D, paths: Sequence[str]) -> _D:
    path = draw(st.sampled_from(paths))
    how = draw(st.sampled_from(("put", "drop", "duplicate", "nest", "add")))
    if how == "drop":
        return document.drop(path)
    if how == "duplicate":
        return document.duplicate(path, draw(_JSON), first=draw(st.booleans()))
    if how == "nest":
        return document.put(path, nested(draw(st.sampled_from((31, 32, 33, 64, 1000))), kind="array"))
    if how == "add":
        return document.put(draw(st.text(alphabet="abcXYZ_", min_size=1, max_size=8)), draw(_JSON))
    return document.put(path, draw(_JSON))


def _whole(document: _D) -> _D:
    """The same, if all damage could be done."""
    try:
        document.text()
    except (KeyError, IndexError, StopIteration, TypeError, ValueError):  # what comes before has taken the place away
        assume(False)
    return document


def _one(draw: st.DrawFn, of: Quote | st.SearchStrategy[Quote] | None) -> Quote:
    if isinstance(of, Quote):
        return of
    return draw(quotes(accepted=True) if of is None else of)


# ---- collateral ------------------------------------------------------------------------------------------------------


@st.composite
def collaterals(
    draw: st.DrawFn, of: Quote | st.SearchStrategy[Quote] | None = None, *, damage: int = 0, genuine: bool = False
) -> Collateral:
    """Collateral that a quote needs, valid at AT, with any statuses and any of the revoked. genuine: everything up to
    date, nothing revoked. damage: so many things wrong with its signed JSON, or its signature, or its certificates."""
    quote = _one(draw, of)
    ca = authority()
    if genuine:
        return ca.collateral(quote)
    serials = st.lists(st.integers(1, 2**159 - 1), max_size=4, unique=True)
    collateral = ca.collateral(
        quote,
        tcb_info=draw(tcb_infos(quote)),
        qe_identity=draw(enclave_identities(quote)),
        revoked=(*draw(serials), *((quote.pck,) if draw(st.booleans()) else ())),
        root_revoked=draw(serials),
    )
    for _ in range(damage):
        collateral = draw(_worse(collateral, quote))
    return collateral


@st.composite
def _worse(draw: st.DrawFn, collateral: Collateral, quote: Quote) -> Collateral:
    ca = authority()
    how = draw(st.sampled_from(("tcb", "identity", "text", "signature", "signer", "crl", "chain")))
    if how == "tcb":
        return collateral.replace(tcb_info=ca.sign(draw(tcb_infos(quote, damage=1))))
    if how == "identity":
        return collateral.replace(qe_identity=ca.sign(draw(enclave_identities(quote, damage=1))))
    name = draw(st.sampled_from(("tcb_info", "qe_identity")))
    document: SignedDocument = getattr(collateral, name)
    if how == "text":
        text = document.text.replace("UpToDate", "UpToDate ", 1) if draw(st.booleans()) else document.text + " "
        return collateral.replace(**{name: document.replace(text=text)})
    if how == "signature":
        return collateral.replace(**{name: document.replace(signature=draw(_octets(64)))})
    if how == "signer":
        return collateral.replace(**{name: ca.sign(document.text, signer=ec_key("x"), member=document.member)})
    if how == "crl":
        which = draw(st.sampled_from(("root_ca_crl", "pck_crl")))
        return collateral.replace(**{which: draw(mutations(getattr(collateral, which)))})
    leaf = CERTIFICATE_EDITS[draw(st.sampled_from(sorted(CERTIFICATE_EDITS)))](ca.tcb_signing)
    return collateral.replace(**{name: document.replace(chain=(leaf, ca.root))})


__all__ = [
    "CERTIFICATE_EDITS",
    "SHAPES",
    "TD_SHAPES",
    "authority",
    "certificates",
    "collaterals",
    "der_values",
    "enclave_identities",
    "lying_quotes",
    "mutations",
    "platform",
    "quotes",
    "sgx_extensions",
    "tcb_infos",
]
