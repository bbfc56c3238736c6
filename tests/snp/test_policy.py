"""Policies: what each field may be, in Python and in a file; the schema; the digest; the values the C core gets."""

from __future__ import annotations

import copy
import dataclasses
import hashlib
import importlib.util
import json
import pickle
import re
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from hypothesis import given, settings
from hypothesis import strategies as st

from attestcore.policy import TABLES, FrozenMap, PolicyError, canonical_digest, load, loads
from snpverify.policy import (
    GUEST_POLICY_BIT_17,
    GUEST_POLICY_BITS,
    GUEST_POLICY_UNKNOWN,
    ID_BLOCK,
    PLATFORM_INFO_BITS,
    PLATFORM_INFO_UNKNOWN,
    PRODUCTS,
    SIGNERS,
    TCB_KINDS,
    TCB_PARTS,
    CompiledPolicy,
    GuestPolicyRules,
    PlatformInfoRules,
    Policy,
    ReportDataPrefix,
    id_key_digest,
    leaf_key_digest,
)

ROOT = Path(__file__).resolve().parents[2]
SCHEMA = ROOT / "attestcore" / "schemas" / "policy.schema.json"
DOCS = ROOT / "docs" / "policy.md"
EXAMPLE = ROOT / "examples" / "policy.toml"


def public_pem(key: Any) -> str:
    pem: bytes = key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    return pem.decode("ascii")


P384 = ec.derive_private_key(0x5EC7E7, ec.SECP384R1()).public_key()
P384_PEM = public_pem(P384)
P256_PEM = public_pem(ec.derive_private_key(7, ec.SECP256R1()).public_key())
ED25519_PEM = public_pem(ed25519.Ed25519PrivateKey.from_private_bytes(bytes(32)).public_key())

A16, A32, A48, A64 = (bytes(range(1, n + 1)) for n in (16, 32, 48, 64))
B16, B32, B48, B64 = (bytes(range(101, 101 + n)) for n in (16, 32, 48, 64))
TURIN_CHIP = bytes.fromhex("0123456789abcdef")

# One value for every field, other than its default, as a file writes it. Nested fields by their dotted name.
CHANGES: dict[str, Any] = {
    "report_data": A64.hex(),
    "measurements": [A48.hex()],
    "host_data": [A32.hex()],
    "family_ids": [A16.hex()],
    "image_ids": [A16.hex()],
    "report_ids": [A32.hex()],
    "report_ids_ma": [A32.hex()],
    "min_guest_svn": 3,
    "id_block": "required",
    "id_keys": [A48.hex()],
    "author_keys": [A48.hex()],
    "vmpls": [0],
    **{f"guest_policy.{name}": "required" for name in GUEST_POLICY_BITS},
    "guest_policy.unknown_bits": "any",
    "guest_policy.min_abi": "1.55",
    **{f"platform_info.{name}": "required" for name in PLATFORM_INFO_BITS},
    "platform_info.unknown_bits": "forbidden",
    "min_report_version": 3,
    "products": ["genoa"],
    "denied_products": ["milan"],
    "signers": ["vcek"],
    "chips": [A64.hex()],
    "denied_chips": [A64.hex()],
    "allow_masked_chip_id": False,
    "leaf_keys": [A32.hex()],
    "denied_leaf_keys": [A32.hex()],
    "csp_ids": ["CN=cc-us-east-2.amazonaws.com"],
    "min_reported_tcb": {"milan": {"snp": 24}},
    "min_committed_tcb": {"milan": {"snp": 24}},
    "min_current_tcb": {"milan": {"snp": 24}},
    "min_launch_tcb": {"milan": {"snp": 24}},
    "min_current_firmware": "1.55.29",
    "min_committed_firmware": "1.55.29",
    "allow_provisional": False,
    "launch_mitigations": [1, 2, 4],
    "current_mitigations": [1, 2, 4],
    "allow_v4_mitigations": True,
    "require_crl": True,
    "leaf_not_before": "ignore",
}


def table_of(name: str, value: Any) -> dict[str, Any]:
    outer, _, inner = name.partition(".")
    return {outer: {inner: value}} if inner else {outer: value}


def names_of(policy: type[Any], prefix: str = "") -> list[str]:
    names = []
    for field in dataclasses.fields(policy):
        nested = {"guest_policy": GuestPolicyRules, "platform_info": PlatformInfoRules}.get(field.name)
        names += names_of(nested, f"{field.name}.") if nested else [prefix + field.name]
    return names


def from_json(table: Any) -> Policy:
    """The way of a policy file, from its text on."""
    return Policy.from_file(loads(json.dumps({"snp": table}), "json"))


def test_the_table_of_changes_has_every_field() -> None:
    assert list(CHANGES) == names_of(Policy)


# ---- the default policy ----------------------------------------------------------------------------------------------


def test_default_policy_is_the_documented_one() -> None:
    """What is refused and accepted by default; each line is one of the table of defaults in docs/policy.md."""
    policy = Policy()
    asked = {
        field.name: getattr(policy, field.name)
        for field in dataclasses.fields(policy)
        if getattr(policy, field.name) is not None
    }
    assert asked == {
        "id_block": "any",
        "guest_policy": GuestPolicyRules(),
        "platform_info": PlatformInfoRules(),
        "allow_masked_chip_id": True,
        "allow_provisional": True,
        "allow_v4_mitigations": False,
        "require_crl": False,
        "leaf_not_before": "enforce",
    }
    guest = policy.guest_policy.to_dict()
    assert {name for name, state in guest.items() if state == "forbidden"} == {"debug", "migrate_ma", "unknown_bits"}
    assert set(guest.values()) == {"forbidden", "any"}
    assert set(policy.platform_info.to_dict().values()) == {"any"}


def test_default_policy_compiled() -> None:
    compiled = Policy().compile()
    assert compiled == CompiledPolicy(
        guest_required=1 << 17,
        guest_forbidden=1 << 18 | 1 << 19 | 0xFFFF_FFFF_FC00_0000,
        platform_required=0,
        platform_forbidden=0,
        launch_mitigations=0,
        current_mitigations=0,
        min_version=0,
        min_guest_svn=0,
        vmpls=0b1111,
        products=0b1110,
        signers=0b110,
        min_current_firmware=0,
        min_committed_firmware=0,
        min_abi=0,
        products_asked=False,
        signers_asked=False,
        allow_masked_chip_id=True,
        allow_provisional=True,
        allow_v4_mitigations=False,
        require_crl=False,
        ignore_leaf_not_before=False,
        id_block=0,
        report_data_len=0,
        report_data_zero_tail=False,
        report_data=b"",
        floors=(),
        measurements_48=b"",
        host_data_32=b"",
        family_ids_16=b"",
        image_ids_16=b"",
        report_ids_32=b"",
        report_ids_ma_32=b"",
        id_keys_48=b"",
        author_keys_48=b"",
        chips_allowed_64=b"",
        chips_denied_64=b"",
        leaf_keys_allowed_32=b"",
        leaf_keys_denied_32=b"",
        csp_ids_64=b"",
    )


def test_an_empty_file_is_the_default_policy() -> None:
    for text, syntax in (("", "toml"), ("{}", "json"), ("[snp]", "toml"), ("[tdx]", "toml")):
        assert Policy.from_file(loads(text, syntax)) == Policy()  # type: ignore[arg-type]


# ---- immutability ----------------------------------------------------------------------------------------------------


def test_frozen_all_the_way() -> None:
    floors = {"milan": {"snp": 24}}
    measurements = [bytearray(A48)]
    policy = Policy(min_reported_tcb=floors, measurements=measurements)
    before = policy.digest()
    floors["milan"]["snp"] = 0
    floors["any"] = {"snp": 0}
    measurements[0][0] ^= 1
    measurements.clear()
    assert policy.digest() == before
    assert policy.measurements == (A48,)
    for target in (policy, policy.guest_policy, policy.platform_info, policy.compile()):
        for field in dataclasses.fields(target):
            with pytest.raises(dataclasses.FrozenInstanceError):
                setattr(target, field.name, None)
        assert not hasattr(target, "__dict__")
    assert isinstance(policy.min_reported_tcb, FrozenMap)
    with pytest.raises(AttributeError, match="cannot be changed"):
        policy.min_reported_tcb._map = {}
    with pytest.raises(AttributeError, match="cannot be changed"):
        del policy.min_reported_tcb._map
    with pytest.raises(TypeError):
        policy.min_reported_tcb["milan"]["snp"] = 0  # type: ignore[index]


def test_equal_policies_are_equal_in_every_way() -> None:
    one = Policy(measurements=[B48, A48, A48], chips={TURIN_CHIP}, launch_mitigations=0b10110, vmpls=[1, 0])
    two = Policy(
        measurements=(A48, B48), chips=[TURIN_CHIP.ljust(64, b"\0")], launch_mitigations={4, 2, 1}, vmpls={0, 1}
    )
    assert one == two
    assert hash(one) == hash(two)
    assert one.digest() == two.digest()
    assert one.compile() == two.compile()
    for copied in (copy.deepcopy(one), pickle.loads(pickle.dumps(one)), one.replace()):
        assert copied == one
        assert copied.digest() == one.digest()
    floors = Policy(min_launch_tcb={"turin": {"fmc": 1}, "any": {"snp": 2}})
    assert copy.deepcopy(floors) == pickle.loads(pickle.dumps(floors)) == floors
    assert hash(copy.deepcopy(floors)) == hash(floors)


def test_positional_arguments_are_refused() -> None:
    with pytest.raises(TypeError):
        Policy(A64)  # type: ignore[misc]
    with pytest.raises(TypeError):
        ReportDataPrefix(A32, "zero")  # type: ignore[misc]


# ---- values given to Python ------------------------------------------------------------------------------------------


def ids(tables: list[Any]) -> list[str]:
    return [f"{i}-{ascii(table)[:40]}" for i, table in enumerate(tables)]


def numbered(cases: list[Any]) -> list[str]:
    """Names that are the same in every process: some of the values have addresses in their representation."""
    return [str(i) for i in range(len(cases))]


PYTHON_GOOD: list[tuple[dict[str, Any], dict[str, Any]]] = [
    ({"report_data": A64}, {"report_data": A64}),
    ({"report_data": memoryview(A64)}, {"report_data": A64}),
    ({"report_data": bytes(64)}, {"report_data": bytes(64)}),
    ({"measurements": {A48, B48}}, {"measurements": (A48, B48)}),
    ({"measurements": frozenset([A48])}, {"measurements": (A48,)}),
    ({"measurements": [bytes(48)]}, {"measurements": (bytes(48),)}),
    ({"vmpls": [3, 0, 3]}, {"vmpls": (0, 3)}),
    ({"signers": ["vlek", "vcek"]}, {"signers": ("vcek", "vlek")}),
    ({"chips": [TURIN_CHIP, B64]}, {"chips": (TURIN_CHIP + bytes(56), B64)}),
    ({"min_guest_svn": 2**32 - 1}, {"min_guest_svn": 2**32 - 1}),
    ({"min_report_version": 5}, {"min_report_version": 5}),
    ({"min_current_firmware": (1, 55, 29)}, {"min_current_firmware": (1, 55, 29)}),
    ({"min_current_firmware": [0, 0, 1]}, {"min_current_firmware": (0, 0, 1)}),
    ({"min_current_firmware": "1.55.29"}, {"min_current_firmware": (1, 55, 29)}),
    ({"min_current_firmware": "255.255.255"}, {"min_current_firmware": (255, 255, 255)}),
    ({"launch_mitigations": 2**64 - 1}, {"launch_mitigations": 2**64 - 1}),
    ({"launch_mitigations": [63]}, {"launch_mitigations": 2**63}),
    ({"launch_mitigations": [0]}, {"launch_mitigations": 1}),
    ({"csp_ids": [" ", "~" * 64]}, {"csp_ids": (" ", "~" * 64)}),
    (
        {"min_reported_tcb": {"1A-02-*": {"fmc": 1}}},
        {"min_reported_tcb": {"1a-02-*": {"fmc": 1, "boot_loader": 0, "tee": 0, "snp": 0, "microcode": 0}}},
    ),
    (
        {"min_reported_tcb": {"any": {"microcode": 255}}},
        {"min_reported_tcb": {"any": {"boot_loader": 0, "tee": 0, "snp": 0, "microcode": 255}}},
    ),
    ({"products": ["milan"], "denied_products": ["turin"]}, {"products": ("milan",), "denied_products": ("turin",)}),
]


@pytest.mark.parametrize(("given", "kept"), PYTHON_GOOD, ids=numbered(PYTHON_GOOD))
def test_values_taken_in_python(given: dict[str, Any], kept: dict[str, Any]) -> None:
    policy = Policy(**given)
    assert {name: getattr(policy, name) for name in kept} == kept


PYTHON_BAD: list[tuple[dict[str, Any], type[Exception], str]] = [
    # expected byte strings: an empty, short or long one, or text, is never taken for the value
    ({"report_data": b""}, ValueError, r"report_data: expected 64 bytes, .* got 0 bytes"),
    ({"report_data": A32}, ValueError, r"report_data: .* got 32 bytes"),
    ({"report_data": A64 + b"\0"}, ValueError, r"report_data: .* got 65 bytes"),
    ({"report_data": A64.hex()}, TypeError, r"report_data: "),
    ({"report_data": [A64]}, TypeError, r"report_data: .* got a list"),
    ({"measurements": []}, ValueError, r"measurements: an empty list"),
    ({"measurements": ()}, ValueError, r"measurements: an empty list"),
    ({"measurements": set()}, ValueError, r"measurements: an empty list"),
    ({"measurements": A48}, TypeError, r"measurements: expected a list, got 48 bytes"),
    ({"measurements": A48.hex()}, TypeError, r"measurements: expected a list"),
    ({"measurements": [A48, b""]}, ValueError, r"measurements\[1\]: expected 48 bytes, got 0 bytes"),
    ({"measurements": [A48[:-1]]}, ValueError, r"measurements\[0\]: expected 48 bytes, got 47 bytes"),
    ({"measurements": [A48 + b"\0"]}, ValueError, r"measurements\[0\]: expected 48 bytes, got 49 bytes"),
    ({"measurements": [A48.hex()]}, TypeError, r"measurements\[0\]: "),
    ({"measurements": [None]}, TypeError, r"measurements\[0\]: .* got null"),
    ({"measurements": (item for item in [A48])}, TypeError, r"measurements: expected a list"),
    ({"measurements": {A48: 1}}, TypeError, r"measurements: expected a list, got a table"),
    ({"host_data": [A48]}, ValueError, r"host_data\[0\]: expected 32 bytes"),
    ({"family_ids": [A32]}, ValueError, r"family_ids\[0\]: expected 16 bytes"),
    ({"image_ids": [b""]}, ValueError, r"image_ids\[0\]: expected 16 bytes"),
    ({"report_ids": [A16]}, ValueError, r"report_ids\[0\]: expected 32 bytes"),
    ({"report_ids_ma": [A16]}, ValueError, r"report_ids_ma\[0\]: expected 32 bytes"),
    ({"id_keys": [bytes(48)]}, ValueError, r"id_keys\[0\]: every byte is zero"),
    ({"author_keys": [A48, bytes(48)]}, ValueError, r"author_keys\[1\]: every byte is zero"),
    ({"id_keys": [P384_PEM.encode()]}, ValueError, r"id_keys\[0\]: expected 48 bytes"),
    ({"chips": [bytes(64)]}, ValueError, r"chips\[0\]: every byte is zero"),
    ({"chips": [bytes(8)]}, ValueError, r"chips\[0\]: every byte is zero"),
    ({"chips": [A64[:63]]}, ValueError, r"chips\[0\]: expected 64 or 8 bytes, got 63 bytes"),
    ({"chips": [A64[:9]]}, ValueError, r"chips\[0\]: expected 64 or 8 bytes, got 9 bytes"),
    ({"chips": [A64[:7]]}, ValueError, r"chips\[0\]: expected 64 or 8 bytes, got 7 bytes"),
    ({"denied_chips": []}, ValueError, r"denied_chips: an empty list"),
    ({"leaf_keys": [A48]}, ValueError, r"leaf_keys\[0\]: expected 32 bytes"),
    ({"denied_leaf_keys": []}, ValueError, r"denied_leaf_keys: an empty list"),
    # words
    ({"id_block": "optional"}, ValueError, r"id_block: expected one of .*'optional'"),
    ({"id_block": None}, TypeError, r"id_block: .* got null"),
    ({"id_block": "Required"}, ValueError, r"id_block: "),
    ({"leaf_not_before": True}, TypeError, r"leaf_not_before: .* got true"),
    ({"guest_policy": {"debug": "any"}}, TypeError, r"guest_policy: expected GuestPolicyRules, got a table"),
    ({"guest_policy": None}, TypeError, r"guest_policy: "),
    ({"guest_policy": PlatformInfoRules()}, TypeError, r"guest_policy: expected GuestPolicyRules"),
    ({"platform_info": GuestPolicyRules()}, TypeError, r"platform_info: expected PlatformInfoRules"),
    ({"products": ["Milan"]}, ValueError, r"products\[0\]: "),
    ({"products": ["venice"]}, ValueError, r"products\[0\]: "),
    ({"products": "milan"}, TypeError, r"products: expected a list"),
    ({"products": []}, ValueError, r"products: an empty list"),
    ({"products": [1]}, TypeError, r"products\[0\]: "),
    ({"denied_products": []}, ValueError, r"denied_products: an empty list"),
    ({"signers": ["none"]}, ValueError, r"signers\[0\]: "),
    ({"signers": []}, ValueError, r"signers: an empty list"),
    ({"csp_ids": [""]}, ValueError, r"csp_ids\[0\]: expected 1 to 64 characters of printable ASCII"),
    ({"csp_ids": ["x" * 65]}, ValueError, r"csp_ids\[0\]: .* got a string of 65 characters"),
    ({"csp_ids": ["CN=\u0430ws"]}, ValueError, r"csp_ids\[0\]: "),
    ({"csp_ids": ["aws\0"]}, ValueError, r"csp_ids\[0\]: "),
    ({"csp_ids": ["aws\n"]}, ValueError, r"csp_ids\[0\]: "),
    ({"csp_ids": [b"aws"]}, TypeError, r"csp_ids\[0\]: "),
    # flags and numbers: a flag is not a number, a number not a flag, a floor of 0 asks for nothing
    ({"require_crl": 1}, TypeError, r"require_crl: expected true or false, got 1"),
    ({"require_crl": None}, TypeError, r"require_crl: "),
    ({"allow_provisional": "false"}, TypeError, r"allow_provisional: "),
    ({"allow_masked_chip_id": 0}, TypeError, r"allow_masked_chip_id: "),
    ({"allow_v4_mitigations": "true"}, TypeError, r"allow_v4_mitigations: "),
    ({"min_guest_svn": True}, TypeError, r"min_guest_svn: .* got true"),
    ({"min_guest_svn": 0}, ValueError, r"min_guest_svn: expected an integer from 1 to 4294967295, got 0"),
    ({"min_guest_svn": -1}, ValueError, r"min_guest_svn: "),
    ({"min_guest_svn": 2**32}, ValueError, r"min_guest_svn: "),
    ({"min_guest_svn": 2**64 + 1}, ValueError, r"min_guest_svn: .* got an integer of 65 bits"),
    ({"min_guest_svn": 1.0}, TypeError, r"min_guest_svn: "),
    ({"min_guest_svn": "1"}, TypeError, r"min_guest_svn: "),
    ({"min_report_version": 1}, ValueError, r"min_report_version: "),
    ({"min_report_version": 6}, ValueError, r"min_report_version: "),
    ({"vmpls": []}, ValueError, r"vmpls: an empty list"),
    ({"vmpls": [4]}, ValueError, r"vmpls\[0\]: "),
    ({"vmpls": [-1]}, ValueError, r"vmpls\[0\]: "),
    ({"vmpls": [0xFFFFFFFF]}, ValueError, r"vmpls\[0\]: "),
    ({"vmpls": [True]}, TypeError, r"vmpls\[0\]: "),
    ({"vmpls": 0}, TypeError, r"vmpls: expected a list, got 0"),
    ({"launch_mitigations": 0}, ValueError, r"launch_mitigations: "),
    ({"launch_mitigations": []}, ValueError, r"launch_mitigations: an empty list"),
    ({"launch_mitigations": -1}, ValueError, r"launch_mitigations: "),
    ({"launch_mitigations": 2**64}, ValueError, r"launch_mitigations: "),
    ({"launch_mitigations": [64]}, ValueError, r"launch_mitigations\[0\]: "),
    ({"launch_mitigations": True}, TypeError, r"launch_mitigations: "),
    ({"current_mitigations": "0x16"}, TypeError, r"current_mitigations: "),
    ({"current_mitigations": [True]}, TypeError, r"current_mitigations\[0\]: "),
    # versions
    ({"min_current_firmware": "1.55"}, ValueError, r"min_current_firmware: "),
    ({"min_current_firmware": "1.55.29.0"}, ValueError, r"min_current_firmware: "),
    ({"min_current_firmware": "1.55.256"}, ValueError, r"min_current_firmware: "),
    ({"min_current_firmware": "1.55.029"}, ValueError, r"min_current_firmware: "),
    ({"min_current_firmware": "1.55.29\n"}, ValueError, r"min_current_firmware: "),
    ({"min_current_firmware": "1.55.\u0662\u0669"}, ValueError, r"min_current_firmware: "),
    ({"min_current_firmware": "0.0.0"}, ValueError, r"min_current_firmware: "),
    ({"min_current_firmware": (0, 0, 0)}, ValueError, r"min_current_firmware: "),
    ({"min_current_firmware": (1, 55)}, ValueError, r"min_current_firmware: "),
    ({"min_current_firmware": (1, 55, 256)}, ValueError, r"min_current_firmware\[2\]: "),
    ({"min_current_firmware": (1, 55, True)}, TypeError, r"min_current_firmware\[2\]: "),
    ({"min_committed_firmware": 1.55}, TypeError, r"min_committed_firmware: "),
    # floors
    ({"min_reported_tcb": {}}, ValueError, r"min_reported_tcb: empty"),
    ({"min_reported_tcb": {"milan": {}}}, ValueError, r"min_reported_tcb.milan: an empty floor"),
    ({"min_reported_tcb": {"milan": {"fmc": 1}}}, ValueError, r"min_reported_tcb.milan.fmc: .* no such part"),
    ({"min_reported_tcb": {"any": {"fmc": 1}}}, ValueError, r"min_reported_tcb.any.fmc: .* no such part"),
    ({"min_reported_tcb": {"19-a0-02": {"fmc": 1}}}, ValueError, r"min_reported_tcb.19-a0-02.fmc: .* no such part"),
    (
        {"min_reported_tcb": {"milan": {"microcod": 1}}},
        ValueError,
        r"min_reported_tcb.milan.microcod: unknown name; did you mean microcode\?",
    ),
    ({"min_reported_tcb": {"milan": {"snp": 256}}}, ValueError, r"min_reported_tcb.milan.snp: "),
    ({"min_reported_tcb": {"milan": {"snp": -1}}}, ValueError, r"min_reported_tcb.milan.snp: "),
    ({"min_reported_tcb": {"milan": {"snp": True}}}, TypeError, r"min_reported_tcb.milan.snp: "),
    ({"min_reported_tcb": {"milan": 0x18DB}}, TypeError, r"min_reported_tcb.milan: "),
    ({"min_reported_tcb": {"venice": {"snp": 1}}}, ValueError, r"min_reported_tcb: expected platforms .* 'venice'"),
    ({"min_reported_tcb": {"Milan": {"snp": 1}}}, ValueError, r"min_reported_tcb: expected platforms"),
    ({"min_reported_tcb": {"19-01-ff": {"snp": 1}}}, ValueError, r"min_reported_tcb: expected platforms"),
    ({"min_reported_tcb": {"19-01": {"snp": 1}}}, ValueError, r"min_reported_tcb: expected platforms"),
    ({"min_reported_tcb": {"19-*-01": {"snp": 1}}}, ValueError, r"min_reported_tcb: expected platforms"),
    ({"min_reported_tcb": {"19-20-01": {"snp": 1}}}, ValueError, r"min_reported_tcb: expected platforms"),
    ({"min_reported_tcb": {"1a-50-00": {"snp": 1}}}, ValueError, r"min_reported_tcb: expected platforms"),
    ({"min_reported_tcb": {"17-01-01": {"snp": 1}}}, ValueError, r"min_reported_tcb: expected platforms"),
    ({"min_reported_tcb": {"19-01-01\n": {"snp": 1}}}, ValueError, r"min_reported_tcb: expected platforms"),
    ({"min_reported_tcb": {1: {"snp": 1}}}, TypeError, r"min_reported_tcb: "),
    ({"min_reported_tcb": {"1a-02-01": {"snp": 1}, "1A-02-01": {"snp": 2}}}, ValueError, r"1a-02-01: given twice"),
    ({"min_reported_tcb": 24}, TypeError, r"min_reported_tcb: expected a table"),
    ({"min_committed_tcb": {}}, ValueError, r"min_committed_tcb: empty"),
    ({"min_current_tcb": {}}, ValueError, r"min_current_tcb: empty"),
    ({"min_launch_tcb": {}}, ValueError, r"min_launch_tcb: empty"),
    # policies that no report can meet
    ({"products": ["milan", "genoa"], "denied_products": ["milan"]}, ValueError, r"denied_products: shares"),
    ({"denied_products": ["milan", "genoa", "turin"]}, ValueError, r"denied_products: denies every product"),
    ({"chips": [TURIN_CHIP], "denied_chips": [TURIN_CHIP + bytes(56)]}, ValueError, r"denied_chips: shares"),
    ({"leaf_keys": [A32], "denied_leaf_keys": [A32]}, ValueError, r"denied_leaf_keys: shares"),
    ({"csp_ids": ["aws"], "signers": ["vcek"]}, ValueError, r"csp_ids: "),
    ({"id_block": "forbidden", "id_keys": [A48]}, ValueError, r"id_keys: "),
    ({"id_block": "forbidden", "author_keys": [A48]}, ValueError, r"author_keys: "),
    ({"id_block": "forbidden", "min_guest_svn": 1}, ValueError, r"min_guest_svn: "),
]


@pytest.mark.parametrize(("given", "error", "text"), PYTHON_BAD, ids=numbered(PYTHON_BAD))
def test_values_refused_in_python(given: dict[str, Any], error: type[Exception], text: str) -> None:
    with pytest.raises(error, match=text) as caught:
        Policy(**given)
    assert str(caught.value).startswith(tuple(given))
    assert not isinstance(caught.value, PolicyError) or "unknown name" in text


@pytest.mark.parametrize(
    ("changes", "error", "text"),
    [
        ({"debug": "allowed"}, ValueError, r"^debug: expected one of required, forbidden, any, got 'allowed'$"),
        ({"debug": True}, TypeError, r"^debug: "),
        ({"smt": None}, TypeError, r"^smt: "),
        ({"unknown_bits": "required"}, ValueError, r"^unknown_bits: "),
        ({"min_abi": "1"}, ValueError, r"^min_abi: "),
        ({"min_abi": "0.0"}, ValueError, r"^min_abi: "),
        ({"min_abi": 1.55}, TypeError, r"^min_abi: "),
    ],
)
def test_guest_policy_rules_refused(changes: dict[str, Any], error: type[Exception], text: str) -> None:
    with pytest.raises(error, match=text):
        GuestPolicyRules(**changes)


@pytest.mark.parametrize(
    ("changes", "error", "text"),
    [
        ({"prefix": b"", "tail": "zero"}, ValueError, r"^prefix: expected 1 to 63 bytes, got 0 bytes"),
        ({"prefix": A64, "tail": "zero"}, ValueError, r"^prefix: expected 1 to 63 bytes, got 64 bytes"),
        ({"prefix": A32.hex(), "tail": "zero"}, TypeError, r"^prefix: "),
        ({"prefix": A32, "tail": "ignored"}, ValueError, r"^tail: "),
        ({"prefix": A32, "tail": None}, TypeError, r"^tail: "),
        ({"prefix": A32}, TypeError, r"tail"),  # the rest must be spoken of
        ({"tail": "any"}, TypeError, r"prefix"),
    ],
)
def test_report_data_prefix_refused(changes: dict[str, Any], error: type[Exception], text: str) -> None:
    with pytest.raises(error, match=text):
        ReportDataPrefix(**changes)


def test_replace_checks_and_overrides() -> None:
    policy = Policy(report_data=ReportDataPrefix(prefix=A32, tail="any"), measurements=[A48])
    changed = policy.replace(report_data=B64, guest_policy=policy.guest_policy.replace(debug="any"))
    assert changed.report_data == B64
    assert changed.measurements == (A48,)
    assert changed.guest_policy == GuestPolicyRules(debug="any")
    assert policy.guest_policy.debug == "forbidden"
    with pytest.raises(ValueError, match=r"^report_data: "):
        policy.replace(report_data=b"")
    with pytest.raises(ValueError, match=r"^measurements: an empty list"):
        policy.replace(measurements=[])
    with pytest.raises(ValueError, match=r"^debug: "):
        policy.guest_policy.replace(debug="yes")
    with pytest.raises(TypeError, match="measurement"):
        policy.replace(measurement=[A48])


# ---- files -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", CHANGES)
def test_every_field_reads_round_trips_and_counts(name: str) -> None:
    """A field that changes nothing but itself is read, is in the digest, and reaches the core."""
    policy = from_json(table_of(name, CHANGES[name]))
    assert policy != Policy()
    assert from_json(policy.to_dict()) == policy
    changed = {key for key, value in flat(policy.to_dict()).items() if value != flat(Policy().to_dict())[key]}
    assert changed == {name}
    assert policy.digest() != Policy().digest()
    assert policy.compile() != Policy().compile()


def flat(table: dict[str, Any]) -> dict[str, Any]:
    result = {}
    for name, value in table.items():
        if name in ("guest_policy", "platform_info"):
            result |= {f"{name}.{inner}": state for inner, state in value.items()}
        else:
            result[name] = value
    return result


def test_digests_tell_all_policies_apart() -> None:
    policies = [from_json(table_of(name, value)) for name, value in CHANGES.items()]
    digests = {policy.digest() for policy in [Policy(), *policies]}
    assert len(digests) == len(CHANGES) + 1


def test_digest_is_stable() -> None:
    """Verdicts carry it and are compared years later: a change here is a change of what old digests mean."""
    assert Policy().digest() == "5addedfb552f29a592d8c9e10f7067d6de7e8f52b58273298059e07663750337"
    assert (
        Policy().digest()
        == hashlib.sha256(json.dumps(Policy().to_dict(), sort_keys=True, separators=(",", ":")).encode()).hexdigest()
    )
    assert canonical_digest({"b": 1, "a": "\u00e9"}) == hashlib.sha256(b'{"a":"\\u00e9","b":1}').hexdigest()


GOOD_TABLES: list[Any] = [
    {},
    *(table_of(name, value) for name, value in CHANGES.items()),
    *({name: "any"} for name in CHANGES if "." not in name and Policy().to_dict()[name] == "any"),
    {"guest_policy": {}, "platform_info": {}},
    {"report_data": A64.hex().upper()},
    {"report_data": {"prefix": "00", "tail": "zero"}},
    {"report_data": {"prefix": A64.hex()[:126], "tail": "any"}},
    {"measurements": [A48.hex(), B48.hex().upper(), A48.hex()]},
    {"chips": [TURIN_CHIP.hex(), A64.hex()]},
    {"id_keys": [P384_PEM, A48.hex()], "author_keys": [P384_PEM.strip()]},
    {"leaf_keys": [P384_PEM.replace("\n", "\r\n")], "denied_leaf_keys": [A32.hex()]},
    {"launch_mitigations": 1, "current_mitigations": 2**64 - 1},
    {"launch_mitigations": [63, 63]},
    {
        "min_reported_tcb": {
            p: {"snp": 1} for p in ("any", "milan", "genoa", "turin", "19-01-01", "19-AF-*", "1a-1F-00")
        }
    },
    {"min_launch_tcb": {"turin": dict.fromkeys(TCB_PARTS, 255), "1a-02-*": {"fmc": 0}}},
    {"min_current_firmware": "255.255.255", "guest_policy": {"min_abi": "0.1"}},
    {"vmpls": [0, 1, 2, 3]},
]

BAD_TABLES: list[tuple[Any, str]] = [
    (None, r"^snp: expected a table, got null$"),
    ([], r"^snp: expected a table, got a list$"),
    ("any", r"^snp: expected a table"),
    # names
    ({"min_tbc": {}}, r"^snp\.min_tbc: unknown name"),
    ({"vmpl": [0]}, r"^snp\.vmpl: unknown name; did you mean vmpls\?$"),
    ({"measurement": [A48.hex()]}, r"^snp\.measurement: unknown name; did you mean measurements\?$"),
    ({"debug": "any"}, r"^snp\.debug: unknown name"),
    ({"Measurements": [A48.hex()]}, r"^snp\.Measurements: unknown name"),
    ({"a\nb\u0301": 1}, r"^snp\.'a\\nb\\u0301': unknown name"),
    ({"guest_policy": {"debugging": "any"}}, r"^snp\.guest_policy\.debugging: unknown name; did you mean debug\?$"),
    ({"guest_policy": {"alias_check_complete": "any"}}, r"^snp\.guest_policy\.alias_check_complete: unknown name"),
    ({"platform_info": {"smt": "any"}}, r"^snp\.platform_info\.smt: unknown name; did you mean smt_en\?$"),
    ({"report_data": {"prefix": "00", "tail": "any", "length": 1}}, r"^snp\.report_data\.length: unknown name"),
    ({"min_reported_tcb": {"milan": {"ucode": 1}}}, r"^snp\.min_reported_tcb\.milan\.ucode: unknown name"),
    ({"min_reported_tcb": {"naples": {"snp": 1}}}, r"^snp\.min_reported_tcb: expected platforms"),
    # null is not "not asked"
    *(({name: None}, rf"^snp\.{name}: ") for name in CHANGES if "." not in name),
    ({"guest_policy": None}, r"^snp\.guest_policy: "),
    ({"guest_policy": {"debug": None}}, r"^snp\.guest_policy\.debug: "),
    ({"guest_policy": {"min_abi": None}}, r"^snp\.guest_policy\.min_abi: "),
    # another type than the field's
    *(({name: {"x": {}}}, rf"^snp\.{name}") for name in CHANGES if "." not in name),
    *(({name: []}, rf"^snp\.{name}: ") for name in CHANGES if "." not in name),
    *(({name: ""}, rf"^snp\.{name}: ") for name in CHANGES if "." not in name),
    *(({name: 0}, rf"^snp\.{name}: ") for name in CHANGES if "." not in name),
    *(({name: 1.5}, rf"^snp\.{name}: ") for name in CHANGES if "." not in name),
    *(
        ({name: True}, rf"^snp\.{name}: ")
        for name in CHANGES
        if "." not in name and not isinstance(CHANGES[name], bool)
    ),
    *((table_of(name, True), rf"^snp\.{name}: ") for name in CHANGES if "." in name),
    *((table_of(name, ""), rf"^snp\.{name}: ") for name in CHANGES if "." in name),
    ({"guest_policy": "any"}, r"^snp\.guest_policy: expected a table"),
    ({"guest_policy": []}, r"^snp\.guest_policy: expected a table"),
    # byte strings
    ({"report_data": A64.hex()[:-1]}, r"^snp\.report_data: expected 128 hex digits, got a string of 127 characters$"),
    ({"report_data": A64.hex() + "\n"}, r"^snp\.report_data: "),
    ({"report_data": " " + A64.hex()[1:]}, r"^snp\.report_data: "),
    ({"report_data": "0x" + A64.hex()[2:]}, r"^snp\.report_data: "),
    ({"report_data": "0x" + A64.hex()}, r"^snp\.report_data: "),
    ({"report_data": A32.hex()}, r"^snp\.report_data: "),
    ({"report_data": "\uff10" * 128}, r"^snp\.report_data: "),  # full-width zeros
    ({"report_data": "\u0661" * 128}, r"^snp\.report_data: "),  # int() would take these
    ({"report_data": {}}, r"^snp\.report_data\.prefix: missing$"),
    ({"report_data": {"prefix": A32.hex()}}, r"^snp\.report_data\.tail: missing$"),
    ({"report_data": {"tail": "any"}}, r"^snp\.report_data\.prefix: missing$"),
    ({"report_data": {"prefix": "", "tail": "any"}}, r"^snp\.report_data\.prefix: expected 2 to 126 hex digits"),
    ({"report_data": {"prefix": A64.hex(), "tail": "any"}}, r"^snp\.report_data\.prefix: "),
    ({"report_data": {"prefix": "000", "tail": "any"}}, r"^snp\.report_data\.prefix: "),
    ({"report_data": {"prefix": "00", "tail": "Zero"}}, r"^snp\.report_data\.tail: "),
    ({"report_data": {"prefix": "00", "tail": None}}, r"^snp\.report_data\.tail: "),
    ({"measurements": A48.hex()}, r"^snp\.measurements: expected a list"),
    ({"measurements": [A48.hex(), A32.hex()]}, r"^snp\.measurements\[1\]: expected 96 hex digits"),
    ({"measurements": [""]}, r"^snp\.measurements\[0\]: "),
    ({"measurements": ["any"]}, r"^snp\.measurements\[0\]: "),
    ({"measurements": [None]}, r"^snp\.measurements\[0\]: "),
    ({"measurements": [[A48.hex()]]}, r"^snp\.measurements\[0\]: "),
    ({"measurements": [P384_PEM]}, r"^snp\.measurements\[0\]: "),
    ({"id_keys": ["00" * 48]}, r"^snp\.id_keys\[0\]: every byte is zero"),
    ({"author_keys": ["00" * 48]}, r"^snp\.author_keys\[0\]: every byte is zero"),
    ({"chips": ["00" * 64]}, r"^snp\.chips\[0\]: every byte is zero"),
    ({"denied_chips": ["00" * 8]}, r"^snp\.denied_chips\[0\]: every byte is zero"),
    ({"chips": [A32.hex()]}, r"^snp\.chips\[0\]: expected 128 or 16 hex digits"),
    ({"id_keys": [P384_PEM + "\n"]}, r"^snp\.id_keys\[0\]: "),
    ({"id_keys": ["x" + P384_PEM]}, r"^snp\.id_keys\[0\]: "),
    ({"id_keys": [P384_PEM + P384_PEM]}, r"^snp\.id_keys\[0\]: "),
    ({"leaf_keys": [P384_PEM.replace("PUBLIC", "PRIVATE")]}, r"^snp\.leaf_keys\[0\]: "),
    # words, numbers
    ({"id_block": "none"}, r"^snp\.id_block: "),
    ({"vmpls": [4]}, r"^snp\.vmpls\[0\]: "),
    ({"vmpls": ["0"]}, r"^snp\.vmpls\[0\]: "),
    ({"vmpls": [True]}, r"^snp\.vmpls\[0\]: "),
    ({"min_guest_svn": 2**32}, r"^snp\.min_guest_svn: "),
    ({"min_guest_svn": "3"}, r"^snp\.min_guest_svn: "),
    ({"min_report_version": 6}, r"^snp\.min_report_version: "),
    ({"launch_mitigations": 2**64}, r"^snp\.launch_mitigations: "),
    ({"launch_mitigations": "0x16"}, r"^snp\.launch_mitigations: "),
    ({"launch_mitigations": [64]}, r"^snp\.launch_mitigations\[0\]: "),
    ({"require_crl": "true"}, r"^snp\.require_crl: "),
    ({"csp_ids": ["\u00e9"]}, r"^snp\.csp_ids\[0\]: "),
    ({"csp_ids": ["x" * 65]}, r"^snp\.csp_ids\[0\]: "),
    ({"csp_ids": ["x\n"]}, r"^snp\.csp_ids\[0\]: "),
    ({"guest_policy": {"min_abi": "01.55"}}, r"^snp\.guest_policy\.min_abi: "),
    ({"guest_policy": {"min_abi": "1.55\n"}}, r"^snp\.guest_policy\.min_abi: "),
    ({"guest_policy": {"min_abi": "0.0"}}, r"^snp\.guest_policy\.min_abi: "),
    ({"guest_policy": {"min_abi": [1, 55]}}, r"^snp\.guest_policy\.min_abi: "),
    ({"min_current_firmware": "1.55.256"}, r"^snp\.min_current_firmware: "),
    ({"min_current_firmware": "1.55.1e1"}, r"^snp\.min_current_firmware: "),
    ({"guest_policy": {"unknown_bits": "required"}}, r"^snp\.guest_policy\.unknown_bits: "),
    ({"platform_info": {"unknown_bits": "required"}}, r"^snp\.platform_info\.unknown_bits: "),
    # floors
    ({"min_reported_tcb": {}}, r"^snp\.min_reported_tcb: empty"),
    ({"min_reported_tcb": {"milan": {}}}, r"^snp\.min_reported_tcb\.milan: an empty floor"),
    ({"min_reported_tcb": {"milan": "any"}}, r"^snp\.min_reported_tcb\.milan: "),
    ({"min_reported_tcb": {"genoa": {"fmc": 0}}}, r"^snp\.min_reported_tcb\.genoa\.fmc: "),
    ({"min_reported_tcb": {"any": {"fmc": 0}}}, r"^snp\.min_reported_tcb\.any\.fmc: "),
    ({"min_reported_tcb": {"19-01-01": {"fmc": 0}}}, r"^snp\.min_reported_tcb\.19-01-01\.fmc: "),
    ({"min_reported_tcb": {"turin": {"snp": 256}}}, r"^snp\.min_reported_tcb\.turin\.snp: "),
    ({"min_reported_tcb": {"turin": {"snp": None}}}, r"^snp\.min_reported_tcb\.turin\.snp: "),
    ({"min_reported_tcb": {"19-01-FF": {"snp": 1}}}, r"^snp\.min_reported_tcb: expected platforms"),
    ({"min_reported_tcb": {"19-01-01\n": {"snp": 1}}}, r"^snp\.min_reported_tcb: expected platforms"),
    ({"min_reported_tcb": {"1a-20-00": {"snp": 1}}}, r"^snp\.min_reported_tcb: expected platforms"),
]

# The schema cannot say these; the loader refuses them all the same.
BEYOND_SCHEMA: list[tuple[Any, str]] = [
    ({"min_guest_svn": 3.0}, r"^snp\.min_guest_svn: .* got a floating-point number$"),
    ({"vmpls": [0.0]}, r"^snp\.vmpls\[0\]: "),
    ({"launch_mitigations": 2.0}, r"^snp\.launch_mitigations: "),
    ({"min_reported_tcb": {"milan": {"snp": 1.0}}}, r"^snp\.min_reported_tcb\.milan\.snp: "),
    ({"min_reported_tcb": {"1a-02-01": {"snp": 1}, "1A-02-01": {"snp": 2}}}, r"1a-02-01: given twice$"),
    ({"id_keys": [P256_PEM]}, r"^snp\.id_keys\[0\]: not a key on the curve P-384$"),
    ({"leaf_keys": [ED25519_PEM]}, r"^snp\.leaf_keys\[0\]: not a key on the curve P-384$"),
    ({"id_keys": [re.sub("^M", "A", P384_PEM, flags=re.MULTILINE)]}, r"^snp\.id_keys\[0\]: not a public key in PEM"),
    ({"products": ["milan"], "denied_products": ["milan"]}, r"^snp\.denied_products: shares"),
    ({"denied_products": ["milan", "genoa", "turin"]}, r"^snp\.denied_products: denies every product$"),
    ({"chips": [A64.hex()], "denied_chips": [A64.hex()]}, r"^snp\.denied_chips: shares"),
    ({"leaf_keys": [A32.hex()], "denied_leaf_keys": [A32.hex()]}, r"^snp\.denied_leaf_keys: shares"),
    ({"csp_ids": ["aws"], "signers": ["vcek"]}, r"^snp\.csp_ids: "),
    ({"id_block": "forbidden", "id_keys": [A48.hex()]}, r"^snp\.id_keys: "),
]


@pytest.fixture(scope="module")
def schema() -> jsonschema.Draft202012Validator:
    document = json.loads(SCHEMA.read_text(encoding="ascii"))
    jsonschema.Draft202012Validator.check_schema(document)
    return jsonschema.Draft202012Validator(document)


@pytest.mark.parametrize("table", GOOD_TABLES, ids=ids(GOOD_TABLES))
def test_loader_and_schema_accept(table: Any, schema: jsonschema.Draft202012Validator) -> None:
    policy = from_json(table)
    assert from_json(policy.to_dict()) == policy
    schema.validate({"snp": table})
    schema.validate({"snp": policy.to_dict()})


@pytest.mark.parametrize(("table", "text"), BAD_TABLES, ids=ids([table for table, _ in BAD_TABLES]))
def test_loader_and_schema_refuse(table: Any, text: str, schema: jsonschema.Draft202012Validator) -> None:
    with pytest.raises(PolicyError, match=text):
        from_json(table)
    assert not schema.is_valid({"snp": table})


@pytest.mark.parametrize(("table", "text"), BEYOND_SCHEMA, ids=ids([table for table, _ in BEYOND_SCHEMA]))
def test_only_the_loader_refuses(table: Any, text: str, schema: jsonschema.Draft202012Validator) -> None:
    with pytest.raises(PolicyError, match=text):
        from_json(table)
    assert schema.is_valid({"snp": table})


@pytest.mark.parametrize("document", [[], 1, "x", None, {"snpp": {}}, {"snp": []}, {"tdx": 1}, {"azure": {}}, {"": {}}])
def test_whole_files_that_loader_and_schema_refuse(document: Any, schema: jsonschema.Draft202012Validator) -> None:
    with pytest.raises(PolicyError):
        loads(json.dumps(document), "json")
    assert not schema.is_valid(document)


def test_published_schema_is_the_generated_one() -> None:
    spec = importlib.util.spec_from_file_location("gen_schema", ROOT / "tools" / "gen_schema.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    assert SCHEMA.read_text(encoding="ascii") == module.text()
    assert set(module.document()["properties"]) == set(TABLES)


# ---- syntax ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "syntax", "message"),
    [
        ('{"snp": {"vmpls": [0], "vmpls": [1]}}', "json", r"the name 'vmpls' is given twice"),
        ('{"snp": {}, "snp": {"vmpls": [0]}}', "json", r"the name 'snp' is given twice"),
        ('{"snp": {"min_guest_svn": NaN}}', "json", r"NaN is not JSON"),
        ('{"snp": {"min_guest_svn": -Infinity}}', "json", r"-Infinity is not JSON"),
        ('{"snp": {"min_guest_svn": ' + "9" * 5000 + "}}", "json", r"not a JSON file"),
        ('{"snp": {"x": ' + "[" * 100_000 + "]" * 100_000 + "}}", "json", r"not a JSON file: nested too deeply"),
        ('{"snp": {}} x', "json", r"not a JSON file"),
        ('{"snp": {},}', "json", r"not a JSON file"),
        ("\ufeff{}", "json", r"not a JSON file"),
        ("", "json", r"not a JSON file"),
        (b'{"snp": "\xff"}', "json", r"not a JSON file"),
        (b"\xff\xfe{\0}\0", "json", r"not a JSON file"),
        ("[snp]\nvmpls = [0]\nvmpls = [1]\n", "toml", r"not a TOML file"),
        ("[snp]\n[snp]\n", "toml", r"not a TOML file"),
        ("snp.vmpls = [0]\n[snp]\n", "toml", r"not a TOML file"),
        ("[snp]\nx = " + "[" * 100_000 + "]" * 100_000, "toml", r"not a TOML file"),
        ("[[snp]]\nvmpls = [0]\n", "toml", r"^snp: expected a table, got a list$"),
        ("vmpls = [0]\n", "toml", r"^vmpls: unknown name"),
        ("[snpp]\n", "toml", r"^snpp: unknown name; did you mean snp\?$"),
        ("[SNP]\n", "toml", r"^SNP: unknown name"),
        (b"[snp]\n# \xff\n", "toml", r"not a TOML file"),
    ],
    ids=lambda value: ascii(value)[:40],
)
def test_files_that_are_not_what_they_should_be(text: str | bytes, syntax: Any, message: str) -> None:
    with pytest.raises(PolicyError, match=message) as caught:
        loads(text, syntax)
    assert len(str(caught.value)) < 300
    assert str(caught.value).isascii()


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("min_guest_svn = 3.0", r"^snp\.min_guest_svn: .* got a floating-point number"),
        ("min_guest_svn = nan", r"^snp\.min_guest_svn: .* got a floating-point number"),
        ("min_guest_svn = 0x" + "f" * 20_000, r"^snp\.min_guest_svn: .* got an integer of 80000 bits"),
        ("min_guest_svn = 1979-05-27", r"^snp\.min_guest_svn: .* got an object of type date"),
        ("measurements = 07:32:00", r"^snp\.measurements: expected a list, got an object of type time"),
        ("vmpls = [0, '1']", r"^snp\.vmpls\[1\]: .* got '1'"),
        ("guest_policy.debug = 'on'", r"^snp\.guest_policy\.debug: .* got 'on'"),
        ("min_reported_tcb.milan.fmc = 1", r"^snp\.min_reported_tcb\.milan\.fmc: "),
    ],
    ids=lambda value: value[:40],
)
def test_toml_values_refused(line: str, message: str) -> None:
    with pytest.raises(PolicyError, match=message):
        Policy.from_file(loads(f"[snp]\n{line}\n", "toml"))


def test_unknown_syntax_is_refused() -> None:
    with pytest.raises(ValueError, match="syntax"):
        loads("", "yaml")  # type: ignore[arg-type]


def test_from_dict_takes_no_other_keys_than_strings() -> None:
    with pytest.raises(PolicyError, match=r"^snp\.1: unknown name"):
        Policy.from_dict({1: 2})


def test_load(tmp_path: Path) -> None:
    toml, table = "[snp]\nvmpls = [0]\n", '\n {"snp": {"vmpls": [0]}}'
    for name, text in (("a.toml", toml), ("a.json", table), ("toml", toml), ("json", table), ("a.conf", table)):
        (tmp_path / name).write_text(text, encoding="ascii")
        assert load(tmp_path / name).snp == {"vmpls": [0]}
        assert Policy.load(str(tmp_path / name)) == Policy(vmpls=[0])
    (tmp_path / "b.json").write_text(toml, encoding="ascii")
    with pytest.raises(PolicyError, match="not a JSON file"):
        load(tmp_path / "b.json")
    with pytest.raises(FileNotFoundError):
        load(tmp_path / "absent.toml")
    with pytest.raises(OSError, match="directory"):
        load(tmp_path)


def test_a_file_that_never_ends_is_refused() -> None:
    with pytest.raises(PolicyError, match="at most"):
        load("/dev/zero")


# ---- keys ------------------------------------------------------------------------------------------------------------


def test_id_key_digest_is_of_amds_structure() -> None:
    point = P384.public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
    structure = bytearray(1028)
    structure[0] = 2
    structure[0x04 : 0x04 + 48] = point[1:49][::-1]
    structure[0x4C : 0x4C + 48] = point[49:97][::-1]
    expected = hashlib.sha384(structure).digest()
    assert id_key_digest(P384_PEM) == id_key_digest(P384_PEM.encode()) == expected
    policy = from_json({"id_keys": [P384_PEM], "author_keys": [P384_PEM]})
    assert policy == Policy(id_keys=[expected], author_keys=[expected])


def test_leaf_key_digest_is_of_the_spki() -> None:
    spki = P384.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    expected = hashlib.sha256(spki).digest()
    assert leaf_key_digest(P384_PEM) == expected
    assert from_json({"leaf_keys": [P384_PEM]}) == Policy(leaf_keys=[expected])


def test_leaf_key_digest_of_a_real_vcek() -> None:
    x509 = pytest.importorskip("asn1crypto.x509")
    pem = pytest.importorskip("asn1crypto.pem")
    certificates = sorted((ROOT.parent / "shared" / "evidence" / "snp" / "certs").glob("SEV-V*EK_SEV-*.der"))
    if not certificates:
        pytest.skip("real certificates are not at hand (shared/evidence/snp)")
    for path in certificates:
        spki = x509.Certificate.load(path.read_bytes()).public_key.dump()
        assert leaf_key_digest(pem.armor("PUBLIC KEY", spki)) == hashlib.sha256(spki).digest()


@pytest.mark.parametrize("pem", ["", "x", P256_PEM, ED25519_PEM, P384_PEM[:100], "\u00e9"])
def test_keys_refused(pem: str) -> None:
    for digest in (id_key_digest, leaf_key_digest):
        with pytest.raises(ValueError, match=r"not a |ascii"):
            digest(pem)


# ---- the compiled form -----------------------------------------------------------------------------------------------


def test_compiled_members_are_those_of_the_header() -> None:
    header = (ROOT / "csrc" / "attest.h").read_text(encoding="utf-8")
    bodies = re.findall(r"typedef struct \{([^}]*)\} (\w+);", header)
    body = next(body for body, name in bodies if name == "att_snp_policy")
    members = re.findall(r"(\w+)(?:\[\d+\])?;", re.sub(r"/\*.*?\*/", "", body, flags=re.DOTALL))
    assert [name for name in members if name != "num_floors"] == [f.name for f in dataclasses.fields(CompiledPolicy)]
    floor = next(body for body, name in bodies if name == "att_snp_floor")
    assert re.findall(r"(\w+);", re.sub(r"/\*.*?\*/", "", floor, flags=re.DOTALL)) == [
        *("kind", "by_cpuid", "product", "family", "model", "stepping", "minimum")
    ]
    tcb = next(body for body, name in bodies if name == "att_snp_tcb")
    assert tuple(re.findall(r"(\w+);", tcb)) == TCB_PARTS


def test_numbers_are_those_of_the_header() -> None:
    header = (ROOT / "csrc" / "attest.h").read_text(encoding="utf-8")
    numbers = {name: int(value) for name, value in re.findall(r"\bATT_(\w+) = (\d+)", header)}
    assert dict(PRODUCTS) == {name: numbers[f"PRODUCT_{name.upper()}"] for name in ("milan", "genoa", "turin")}
    assert dict(SIGNERS) == {name: numbers[f"SNP_{name.upper()}"] for name in ("vcek", "vlek")}
    assert dict(TCB_KINDS) == {
        name: numbers[f"TCB_{name.upper()}"] for name in ("reported", "committed", "current", "launch")
    }
    assert re.search(r"id_block;\s*/\* 0 any, 1 required, 2 forbidden \*/", header)
    assert dict(ID_BLOCK) == {"any": 0, "required": 1, "forbidden": 2}


def test_bits_known_and_unknown_fill_the_words() -> None:
    assert set(GUEST_POLICY_BITS) | {"unknown_bits", "min_abi"} == {
        f.name for f in dataclasses.fields(GuestPolicyRules)
    }
    assert set(PLATFORM_INFO_BITS) | {"unknown_bits"} == {f.name for f in dataclasses.fields(PlatformInfoRules)}
    known = GUEST_POLICY_BIT_17 | sum(1 << bit for bit in GUEST_POLICY_BITS.values())
    assert known == 0x3FF_0000
    assert known ^ GUEST_POLICY_UNKNOWN == 2**64 - 2**16
    assert sum(1 << bit for bit in PLATFORM_INFO_BITS.values()) == 0xFF
    assert PLATFORM_INFO_UNKNOWN == 2**64 - 2**8


@pytest.mark.parametrize("name", GUEST_POLICY_BITS)
def test_guest_policy_bits_compile_both_ways(name: str) -> None:
    bit = 1 << GUEST_POLICY_BITS[name]
    for state, required, forbidden in (("required", bit, 0), ("forbidden", 0, bit), ("any", 0, 0)):
        policy = from_json({"guest_policy": {"migrate_ma": "any", "debug": "any", "unknown_bits": "any", name: state}})
        compiled = policy.compile()
        assert (compiled.guest_required, compiled.guest_forbidden) == (GUEST_POLICY_BIT_17 | required, forbidden)


@pytest.mark.parametrize("name", PLATFORM_INFO_BITS)
def test_platform_info_bits_compile_both_ways(name: str) -> None:
    bit = 1 << PLATFORM_INFO_BITS[name]
    for state, required, forbidden in (("required", bit, 0), ("forbidden", 0, bit), ("any", 0, 0)):
        compiled = from_json({"platform_info": {name: state, "unknown_bits": "forbidden"}}).compile()
        assert compiled.platform_required == required
        assert compiled.platform_forbidden == forbidden | PLATFORM_INFO_UNKNOWN


def test_bit_17_is_required_whatever_a_policy_says() -> None:
    rules = GuestPolicyRules(**dict.fromkeys(GUEST_POLICY_BITS, "any"), unknown_bits="any")
    assert Policy(guest_policy=rules).compile().guest_required == 1 << 17


def test_lists_compile_sorted_each_once_and_whole() -> None:
    compiled = Policy(
        measurements=[B48, A48, B48],
        host_data=[B32, A32],
        family_ids=[A16],
        image_ids=[B16],
        report_ids=[A32],
        report_ids_ma=[b"\xff" * 32],
        id_keys=[A48],
        author_keys=[B48, A48],
        chips=[B64, TURIN_CHIP],
        denied_chips=[A64],
        leaf_keys=[B32],
        denied_leaf_keys=[A32],
        csp_ids=["b", "aa", "a"],
    ).compile()
    assert compiled.measurements_48 == A48 + B48
    assert compiled.host_data_32 == A32 + B32
    assert compiled.family_ids_16 == A16
    assert compiled.image_ids_16 == B16
    assert compiled.report_ids_32 == A32
    assert compiled.report_ids_ma_32 == b"\xff" * 32
    assert compiled.id_keys_48 == A48
    assert compiled.author_keys_48 == A48 + B48
    assert compiled.chips_allowed_64 == TURIN_CHIP + bytes(56) + B64
    assert compiled.chips_denied_64 == A64
    assert compiled.leaf_keys_allowed_32 == B32
    assert compiled.leaf_keys_denied_32 == A32
    assert compiled.csp_ids_64 == b"a".ljust(64, b"\0") + b"aa".ljust(64, b"\0") + b"b".ljust(64, b"\0")


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (A64, (64, False, A64)),
        (ReportDataPrefix(prefix=A32, tail="zero"), (32, True, A32)),
        (ReportDataPrefix(prefix=A32, tail="any"), (32, False, A32)),
        (ReportDataPrefix(prefix=b"\0", tail="any"), (1, False, b"\0")),
        (None, (0, False, b"")),
    ],
    ids=["exact", "zero tail", "any tail", "one byte", "not asked"],
)
def test_report_data_compiles(value: Any, expected: tuple[int, bool, bytes]) -> None:
    compiled = Policy(report_data=value).compile()
    assert (compiled.report_data_len, compiled.report_data_zero_tail, compiled.report_data) == expected


def test_numbers_compile() -> None:
    compiled = Policy(
        vmpls=[0, 2],
        products=["genoa", "turin"],
        signers=["vlek"],
        min_report_version=5,
        min_guest_svn=7,
        guest_policy=GuestPolicyRules(min_abi="1.55"),
        min_current_firmware=(1, 55, 29),
        min_committed_firmware="1.54.3",
        launch_mitigations=[1, 2, 4],
        current_mitigations=0x16,
        id_block="required",
    ).compile()
    assert compiled.vmpls == 0b0101
    assert (compiled.products, compiled.products_asked) == (0b1100, True)
    assert (compiled.signers, compiled.signers_asked) == (0b100, True)
    assert (compiled.min_version, compiled.min_guest_svn, compiled.min_abi) == (5, 7, 0x0137)
    assert (compiled.min_current_firmware, compiled.min_committed_firmware) == (0x01371D, 0x013603)
    assert compiled.launch_mitigations == compiled.current_mitigations == 0x16
    assert (compiled.id_block, Policy(id_block="forbidden").compile().id_block) == (1, 2)
    denied = Policy(denied_products=["milan"]).compile()
    assert (denied.products, denied.products_asked) == (0b1100, True)
    both = Policy(products=["milan", "genoa"], denied_products=["turin"]).compile()
    assert (both.products, both.products_asked) == (0b0110, True)


def test_floors_compile() -> None:
    compiled = Policy(
        min_launch_tcb={"any": {"snp": 2}},
        min_reported_tcb={
            "turin": {"fmc": 1, "boot_loader": 2, "tee": 3, "snp": 4, "microcode": 5},
            "milan": {"boot_loader": 4, "snp": 0x18, "microcode": 0xDB},
            "19-A0-02": {"microcode": 0x19},
            "1a-11-*": {"fmc": 9},
        },
        min_committed_tcb={"genoa": {"tee": 0}},
        min_current_tcb={"19-01-00": {"tee": 255}},
    ).compile()
    assert compiled.floors == (
        (0, 0, 1, 0, 0, 0, (0, 4, 0, 0x18, 0xDB)),
        (0, 0, 3, 0, 0, 0, (1, 2, 3, 4, 5)),
        (0, 1, 0, 0x19, 0xA0, 0x02, (0, 0, 0, 0, 0x19)),
        (0, 1, 0, 0x1A, 0x11, 0xFF, (9, 0, 0, 0, 0)),
        (1, 0, 2, 0, 0, 0, (0, 0, 0, 0, 0)),
        (2, 1, 0, 0x19, 0x01, 0x00, (0, 0, 255, 0, 0)),
        (3, 0, 0, 0, 0, 0, (0, 0, 0, 2, 0)),
    )


# ---- properties ------------------------------------------------------------------------------------------------------


def lists(item: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.lists(item, min_size=1, max_size=4)


def some(item: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.none() | item


def exact(length: int) -> st.SearchStrategy[bytes]:
    return st.binary(min_size=length, max_size=length)


def floors(draw: st.DrawFn) -> dict[str, dict[str, int]]:
    hexadecimal = st.integers(0, 15).map("{:x}".format)
    stepping = st.just("*") | st.integers(0, 254).map("{:02x}".format)
    old = st.builds("19-{}{}-{}".format, st.sampled_from("01a"), hexadecimal, stepping)
    new = st.builds("1a-{}{}-{}".format, st.sampled_from("01"), hexadecimal, stepping)
    platforms = draw(st.sets(st.sampled_from(["any", "milan", "genoa", "turin"]) | old | new, min_size=1, max_size=4))
    result = {}
    for platform in platforms:
        parts = TCB_PARTS if platform.startswith(("turin", "1a")) else TCB_PARTS[1:]
        result[platform] = draw(st.dictionaries(st.sampled_from(parts), st.integers(0, 255), min_size=1))
    return result


TRI = st.sampled_from(["required", "forbidden", "any"])
FLOORS = some(st.composite(floors)())
CSP = st.text(st.characters(min_codepoint=0x20, max_codepoint=0x7E), min_size=1, max_size=64)
CHIP = (exact(64) | exact(8)).filter(any)
FIRMWARE = some(st.tuples(*[st.integers(0, 255)] * 3).filter(any))
MASK = some(st.integers(1, 2**64 - 1) | st.sets(st.integers(0, 63), min_size=1))
PREFIX = st.builds(ReportDataPrefix, prefix=st.binary(min_size=1, max_size=63), tail=st.sampled_from(["zero", "any"]))
UNKNOWN = st.sampled_from(["forbidden", "any"])
ABI = some(st.tuples(st.integers(0, 255), st.integers(0, 255)).filter(any))
GUEST = st.builds(GuestPolicyRules, **dict.fromkeys(GUEST_POLICY_BITS, TRI), unknown_bits=UNKNOWN, min_abi=ABI)
PLATFORM = st.builds(PlatformInfoRules, **dict.fromkeys(PLATFORM_INFO_BITS, TRI), unknown_bits=UNKNOWN)

FIELDS: dict[str, st.SearchStrategy[Any]] = {
    "report_data": some(exact(64) | PREFIX),
    "measurements": some(lists(exact(48))),
    "host_data": some(lists(exact(32))),
    "family_ids": some(lists(exact(16))),
    "image_ids": some(lists(exact(16))),
    "report_ids": some(lists(exact(32))),
    "report_ids_ma": some(lists(exact(32))),
    "min_guest_svn": some(st.integers(1, 2**32 - 1)),
    "id_block": st.sampled_from(["any", "required"]),
    "id_keys": some(lists(exact(48).filter(any))),
    "author_keys": some(lists(exact(48).filter(any))),
    "vmpls": some(lists(st.integers(0, 3))),
    "guest_policy": GUEST,
    "platform_info": PLATFORM,
    "min_report_version": some(st.integers(2, 5)),
    "products": some(lists(st.sampled_from(["milan", "genoa"]))),
    "denied_products": some(st.just(["turin"])),
    "signers": some(st.sampled_from([["vlek"], ["vcek", "vlek"]])),
    "chips": some(lists(CHIP.map(lambda chip: b"\1" + chip[1:]))),
    "denied_chips": some(lists(CHIP.map(lambda chip: b"\2" + chip[1:]))),
    "allow_masked_chip_id": st.booleans(),
    "leaf_keys": some(lists(exact(31).map(lambda key: b"\1" + key))),
    "denied_leaf_keys": some(lists(exact(31).map(lambda key: b"\2" + key))),
    "csp_ids": some(lists(CSP)),
    "min_reported_tcb": FLOORS,
    "min_committed_tcb": FLOORS,
    "min_current_tcb": FLOORS,
    "min_launch_tcb": FLOORS,
    "min_current_firmware": FIRMWARE,
    "min_committed_firmware": FIRMWARE,
    "allow_provisional": st.booleans(),
    "launch_mitigations": MASK,
    "current_mitigations": MASK,
    "allow_v4_mitigations": st.booleans(),
    "require_crl": st.booleans(),
    "leaf_not_before": st.sampled_from(["enforce", "ignore"]),
}
POLICIES = st.fixed_dictionaries({}, optional=FIELDS).map(lambda fields: Policy(**fields))


def test_the_strategies_cover_every_field() -> None:
    assert list(FIELDS) == [field.name for field in dataclasses.fields(Policy)]


@settings(deadline=None, max_examples=100)
@given(policy=POLICIES)
def test_any_policy_round_trips(policy: Policy) -> None:
    table = json.loads(json.dumps(policy.to_dict()))
    again = from_json(table)
    assert again == policy
    assert hash(again) == hash(policy)
    assert again.digest() == policy.digest()
    assert again.compile() == policy.compile()
    assert again.to_dict() == table
    assert set(table) == {field.name for field in dataclasses.fields(Policy)}


@settings(deadline=None, max_examples=25)
@given(policy=POLICIES)
def test_any_policy_fits_the_schema(policy: Policy) -> None:
    validator = jsonschema.Draft202012Validator(json.loads(SCHEMA.read_text(encoding="ascii")))
    validator.validate({"snp": policy.to_dict()})


@settings(deadline=None, max_examples=100)
@given(one=POLICIES, two=POLICIES)
def test_digests_are_equal_when_policies_are(one: Policy, two: Policy) -> None:
    assert (one.digest() == two.digest()) == (one == two)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(list(FIELDS)) | st.text(), inner),
    max_leaves=10,
)


@settings(deadline=None, max_examples=200)
@given(name=st.sampled_from(list(FIELDS)), value=JSON)
def test_any_json_is_a_policy_or_a_policy_error(name: str, value: Any) -> None:
    try:
        policy = from_json({name: value})
    except PolicyError as error:
        assert str(error).startswith(f"snp.{name}")  # noqa: PT017
    else:
        assert from_json(policy.to_dict()) == policy


@settings(deadline=None, max_examples=200)
@given(data=st.binary(max_size=80), syntax=st.sampled_from(["toml", "json"]))
def test_any_bytes_are_a_policy_file_or_a_policy_error(data: bytes, syntax: Any) -> None:
    try:
        file = loads(data, syntax)
    except PolicyError as error:
        assert str(error).isascii()  # noqa: PT017
    else:
        assert file.snp is None or isinstance(file.snp, dict)


# ---- documents -------------------------------------------------------------------------------------------------------


def definitions(name: str, macro: str, word: int) -> set[str]:
    text = (ROOT / "csrc" / name).read_text(encoding="utf-8")
    return {re.findall(r'"([^"]*)"', line)[word] for line in text.splitlines() if line.startswith(macro + "(")}


def rows_of_docs() -> dict[str, list[str]]:
    """The rows of the tables of fields: name -> meaning, default, form, check, code."""
    rows = {}
    for line in DOCS.read_text(encoding="utf-8").splitlines():
        cells = [cell.strip() for cell in re.split(r"\|", line)[1:-1]]
        if len(cells) == 6 and cells[0].startswith("`"):
            rows[cells[0].strip("`")] = cells[1:]
    return rows


def test_docs_list_every_field_with_its_default_and_form() -> None:
    rows = rows_of_docs()
    assert sorted(rows) == sorted(names_of(Policy))
    default = flat(Policy().to_dict())
    for name, (_, shown, form, _, _) in rows.items():
        assert json.loads(shown.strip("`")) == default[name], name
        text = re.sub(r"<(\d+) hex>", lambda match: "5" * int(match[1]), form.strip("`"))
        assert re.match(re.escape(name) + r"( = |\.)", text), name
        policy = Policy.from_file(loads(f"[snp]\n{text}\n", "toml"))
        assert policy != Policy(), name


def test_docs_name_checks_and_codes_that_exist() -> None:
    checks, codes = definitions("checks_snp.def", "ATT_SNP_CHECK", 0), definitions("codes.def", "ATT_CODE", 0)
    named: set[str] = set()
    for name, (*_, check, code) in rows_of_docs().items():
        found, failed = re.findall(r"`([^`]+)`", check), re.findall(r"`([^`]+)`", code)
        assert found, name
        assert failed, name
        assert set(found) <= checks, name
        assert set(failed) <= codes, name
        named |= set(found)
    text = (ROOT / "csrc" / "checks_snp.def").read_text(encoding="utf-8")
    of_policy = text.split("/* policy */")[1]
    assert set(re.findall(r'ATT_SNP_CHECK\(\w+, "([^"]+)"', of_policy)) <= named


def test_example_is_a_policy_and_fits_the_schema(schema: jsonschema.Draft202012Validator) -> None:
    file = load(EXAMPLE)
    policy = Policy.from_file(file)
    schema.validate({"snp": file.snp})
    assert policy.measurements is not None
    assert policy.min_reported_tcb is not None
    assert policy.require_crl
    assert from_json(policy.to_dict()) == policy
    text = EXAMPLE.read_text(encoding="utf-8")
    assert "as of" in text  # floors are data with a date
