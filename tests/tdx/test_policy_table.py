"""The table [tdx] of a policy: what each field may be, in Python and in a file; the schema; the values the C core gets.

Kinds of value, files and messages are shared with SEV-SNP and tested there (tests/snp/test_policy.py)."""

from __future__ import annotations

import dataclasses
import json
import pickle
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from attestcore import _lib
from attestcore.policy import PolicyError, loads
from tdxverify.policy import (
    STATUSES,
    TD_ATTRIBUTE_BITS,
    TD_ATTRIBUTES_UNKNOWN,
    XFAM_BITS,
    XFAM_UNKNOWN,
    AttributeRules,
    CompiledPolicy,
    EnclaveRules,
    Policy,
    ReportDataPrefix,
    XfamRules,
    pck_key_digest,
)

ROOT = Path(__file__).resolve().parents[2]
SCHEMA = json.loads((ROOT / "attestcore/schemas/policy.schema.json").read_text(encoding="ascii"))
A6, A16, A32, A48, A64 = (bytes(range(1, n + 1)) for n in (6, 16, 32, 48, 64))

# One value for every field, other than its default, as a file writes it; and the members of att_tdx_policy that it changes.
CHANGES: dict[str, tuple[Any, set[str]]] = {
    "report_data": (A64.hex(), {"report_data", "report_data_len"}),
    "mr_td": ([A48.hex()], {"mr_tds_48"}),
    "mr_seam": ([A48.hex()], {"mr_seams_48"}),
    **{f"rt_mr{i}": ([A48.hex()], {"rt_mrs_48"}) for i in range(4)},
    "mr_config_id": ([A48.hex()], {"mr_config_ids_48"}),
    "mr_owner": ([A48.hex()], {"mr_owners_48"}),
    "mr_owner_config": ([A48.hex()], {"mr_owner_configs_48"}),
    "mr_service_td": ([bytes(48).hex()], {"mr_service_tds_48"}),
    "td_id": ([A32.hex()], {"td_ids_32"}),
    "init_service_td": ([A48.hex()], {"init_service_tds_48"}),
    "current_service_td": ([A48.hex()], {"current_service_tds_48"}),
    "debug": ("any", {"debug"}),
    "allow_service_td": (True, {"service_td", "migratable"}),
    **{
        f"attributes.{name}": ("required", {"attributes_required"})
        for name in TD_ATTRIBUTE_BITS
        if name != "migratable"
    },
    **{
        f"attributes.{name}": ("required", {"attributes_required", "attributes_forbidden"})
        for name in ("hgs_plus_prof", "perf_prof", "pmt_prof", "kl")
    },
    "attributes.unknown_bits": ("any", {"attributes_reserved"}),
    **{f"xfam.{name}": ("required", {"xfam_required"}) for name in XFAM_BITS},
    "xfam.unknown_bits": ("any", {"xfam_reserved"}),
    "tee_types": (["sgx", "tdx"], {"allow_sgx"}),
    "sgx.mr_enclave": ([A32.hex()], {"mr_enclaves_32"}),
    "sgx.mr_signer": ([A32.hex()], {"mr_signers_32"}),
    "sgx.isv_prod_id": (7, {"has_isv_prod_id", "isv_prod_id"}),
    "sgx.min_isv_svn": (7, {"min_isv_svn"}),
    "statuses": (["UpToDate"], {"statuses"}),
    "grace_seconds": (86400, {"grace_seconds"}),
    "min_tcb_evaluation_data_number": (17, {"min_evaluation_number"}),
    "max_collateral_age": (86400, {"max_collateral_age"}),
    "refused_advisories": (["INTEL-SA-00837"], {"advisories_refused_32"}),
    "tolerated_advisories": (["INTEL-SA-00837"], {"advisories_tolerated_32", "advisories_asked"}),
    "min_tee_tcb_svn": (A16.hex(), {"svn_floor", "has_svn_floor"}),
    "min_tee_tcb_svn_2": (A16.hex(), {"svn_2_floor", "has_svn_2_floor"}),
    "fmspc": ([A6.hex()], {"fmspcs_allowed_6"}),
    "denied_fmspc": ([A6.hex()], {"fmspcs_denied_6"}),
    "ppid": ([A16.hex()], {"ppids_allowed_16"}),
    "denied_ppid": ([A16.hex()], {"ppids_denied_16"}),
    "platform_instance_id": ([A16.hex()], {"instances_allowed_16"}),
    "denied_platform_instance_id": ([A16.hex()], {"instances_denied_16"}),
    "pck_keys": ([A32.hex()], {"pck_keys_allowed_32"}),
    "denied_pck_keys": ([A32.hex()], {"pck_keys_denied_32"}),
    "sgx_types": (["scalable"], {"sgx_types"}),
    "dynamic_platform": ("forbidden", {"dynamic_platform"}),
    "cached_keys": ("forbidden", {"cached_keys"}),
    "smt_enabled": ("required", {"smt"}),
}
NESTED = {"attributes": AttributeRules, "xfam": XfamRules, "sgx": EnclaveRules}


def table_of(name: str, value: Any) -> dict[str, Any]:
    outer, _, inner = name.partition(".")
    return {outer: {inner: value}} if inner else {outer: value}


def names_of(policy: type[Any], prefix: str = "") -> list[str]:
    names: list[str] = []
    for field in dataclasses.fields(policy):
        nested = NESTED.get(field.name)
        names += names_of(nested, f"{field.name}.") if nested and not prefix else [prefix + field.name]
    return names


def changed_members(policy: Policy) -> set[str]:
    before, after = Policy().compile(), policy.compile()
    return {f.name for f in dataclasses.fields(CompiledPolicy) if getattr(before, f.name) != getattr(after, f.name)}


def test_every_field_has_a_case() -> None:
    assert set(names_of(Policy)) - {"attributes.migratable"} == set(CHANGES)


@pytest.mark.parametrize("name", sorted(CHANGES))
def test_a_field_reaches_the_members_that_it_should_and_no_other(name: str) -> None:
    value, members = CHANGES[name]
    policy = Policy.from_dict(table_of(name, value))
    assert policy != Policy()
    assert policy.digest() != Policy().digest()
    assert changed_members(policy) == members


@pytest.mark.parametrize("name", sorted(CHANGES))
def test_a_field_survives_json_and_the_schema(name: str) -> None:
    table = table_of(name, CHANGES[name][0])
    jsonschema.validate({"tdx": table}, SCHEMA)
    policy = Policy.from_dict(table)
    written = json.dumps({"tdx": policy.to_dict()})
    jsonschema.validate(json.loads(written), SCHEMA)
    assert Policy.from_file(loads(written, "json")) == policy
    assert pickle.loads(pickle.dumps(policy)) == policy


def test_the_members_are_those_of_the_core() -> None:
    members = {name for name, _ in _lib.ffi.typeof("att_tdx_policy").fields}
    assert members == {field.name for field in dataclasses.fields(CompiledPolicy)}


def test_the_statuses_are_numbered_as_in_the_core() -> None:
    assert dict(STATUSES) == {
        _lib.ffi.string(_lib.lib.att_tcb_status_name(number)).decode(): number for number in STATUSES.values()
    }
    assert _lib.lib.att_tcb_status_name(0) == _lib.ffi.NULL
    assert _lib.lib.att_tcb_status_name(10) == _lib.ffi.NULL


def test_the_default_policy_is_that_of_the_contract() -> None:
    policy, compiled = Policy(), Policy().compile()
    assert policy.statuses == ("SWHardeningNeeded", "UpToDate")
    assert compiled.statuses == 1 << 1 | 1 << 2
    assert (compiled.allow_tdx, compiled.allow_sgx) == (True, False)
    assert (compiled.debug, compiled.migratable, compiled.service_td) == (2, 2, 2)
    assert compiled.attributes_reserved == TD_ATTRIBUTES_UNKNOWN
    assert compiled.xfam_reserved == XFAM_UNKNOWN
    accepted_and_shown = 1 << 28 | 1 << 30 | 1 << 63  # SEPT_VE_DISABLE either way, PKS, PERFMON
    assert (
        compiled.attributes_required | compiled.attributes_forbidden | compiled.attributes_reserved
    ) & accepted_and_shown == 0
    assert compiled.attributes_required == 0
    assert (compiled.grace_seconds, compiled.min_evaluation_number, compiled.max_collateral_age) == (0, 0, 0)


def test_the_xfam_mask_is_the_module_s() -> None:
    """XFAM_FIXED0 of every module seen: bits outside of it must be zero."""
    assert ~XFAM_UNKNOWN & (1 << 64) - 1 == 0x0006DBE7


def test_real_attributes_pass_the_masks() -> None:
    compiled = Policy().compile()
    for words in ("0000001000000000", "0000000000000000", "0000004000000000", "0000001000000080"):
        bits = int.from_bytes(bytes.fromhex(words), "little")
        assert bits & (compiled.attributes_forbidden | compiled.attributes_reserved) == 0
    for words in ("e702060000000000", "e700060000000000", "e718060000000000", "e71a060000000000", "0702000000000000"):
        bits = int.from_bytes(bytes.fromhex(words), "little")
        assert bits & compiled.xfam_fixed == compiled.xfam_fixed
        assert bits & compiled.xfam_reserved == 0


@pytest.mark.parametrize(
    ("table", "message"),
    [
        ({"statuses": []}, "tdx.statuses: an empty list"),
        ({"statuses": ["uptodate"]}, r"tdx.statuses\[0\]: expected one of UpToDate"),
        ({"tee_types": "any"}, "tdx.tee_types: expected a list"),
        ({"mr_td": [A32.hex()]}, r"tdx.mr_td\[0\]: expected 96 hex digits"),
        ({"mr_td": None}, "tdx.mr_td: null is not a value"),
        ({"min_tee_tcb_svn": A16.hex()[:-2]}, "tdx.min_tee_tcb_svn: expected 32 hex digits"),
        ({"mrtd": [A48.hex()]}, "tdx.mrtd: unknown name; did you mean mr_td"),
        ({"grace_seconds": 0}, "tdx.grace_seconds: expected an integer from 1"),
        ({"attributes": {"debug": "any"}}, "tdx.attributes.debug: unknown name"),
        (
            {"attributes": {"migratable": "required"}},
            "tdx.attributes.migratable: requires what allow_service_td refuses",
        ),
        ({"mr_service_td": [A48.hex()]}, "tdx.mr_service_td: no value that allow_service_td leaves possible"),
        ({"fmspc": [A6.hex()], "denied_fmspc": [A6.hex()]}, "tdx.denied_fmspc: shares a value with fmspc"),
        ({"tee_types": ["sgx"], "mr_td": [A48.hex()]}, "tdx.mr_td: only a TD has it"),
        (
            {"refused_advisories": ["INTEL-SA-1"], "tolerated_advisories": ["INTEL-SA-1"]},
            "tdx.refused_advisories: shares a value",
        ),
        ({"refused_advisories": ["x" * 33]}, r"tdx.refused_advisories\[0\]: expected 1 to 32 characters"),
    ],
)
def test_what_cannot_be_meant_is_refused(table: dict[str, Any], message: str) -> None:
    with pytest.raises(PolicyError, match=message):
        Policy.from_dict(table)


def test_migratable_follows_allow_service_td() -> None:
    assert Policy(allow_service_td=True).compile().migratable == 0
    required = Policy(allow_service_td=True, attributes=AttributeRules(migratable="required"))
    assert required.compile().migratable == 1
    forbidden = Policy(allow_service_td=True, attributes=AttributeRules(migratable="forbidden"))
    assert forbidden.compile().migratable == 2


def test_lists_are_packed_sorted_and_each_once() -> None:
    policy = Policy(mr_td=[bytes(48), A48, A48], tolerated_advisories=["B", "A", "B"])
    compiled = policy.compile()
    assert compiled.mr_tds_48 == bytes(48) + A48
    assert compiled.advisories_tolerated_32 == b"A".ljust(32, b"\0") + b"B".ljust(32, b"\0")


def test_a_report_data_prefix_says_what_follows() -> None:
    compiled = Policy(report_data=ReportDataPrefix(prefix=A32, tail="zero")).compile()
    assert (compiled.report_data, compiled.report_data_len, compiled.report_data_zero_tail) == (A32, 32, True)
    with pytest.raises(ValueError, match="64 bytes, or a prefix"):
        Policy(report_data=A32)


def test_a_pck_key_may_be_given_in_pem() -> None:
    key = ec.derive_private_key(7, ec.SECP256R1()).public_key()
    pem = key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()
    assert Policy.from_dict({"pck_keys": [pem]}).pck_keys == (pck_key_digest(pem),)
    other = ec.derive_private_key(7, ec.SECP384R1()).public_key()
    with pytest.raises(PolicyError, match="not a key on the curve P-256"):
        Policy.from_dict({"pck_keys": [other.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()]})
