# SPDX-License-Identifier: Apache-2.0
"""Every engine against Wycheproof, against cases built with integers of Python, and against the other engines."""

from __future__ import annotations

import array
import os
import random
import subprocess
import sys
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path

import pytest
import sigvectors as vectors
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from sigvectors import P256, P384, Case, Curve

from attestcore import _lib, engines, signatures
from attestcore._native import ffi, lib
from attestcore.signatures import KeyTables

ENGINES = signatures.engines()
CURVES = pytest.mark.parametrize("curve", vectors.CURVES, ids=lambda curve: curve.name)
EACH_ENGINE = pytest.mark.parametrize("engine", ENGINES)
SCHEMES = {3: "pss-sha256", 4: "pss-sha384", 5: "pkcs1-sha256", 6: "pkcs1-sha384"}

needs_wycheproof = pytest.mark.skipif(not vectors.WYCHEPROOF.is_dir(), reason="shared/vectors/wycheproof is not here")


def run_jobs(engine: str, cases: Sequence[Case]) -> list[bool]:
    """The cases as one array of jobs, the way batches run: without tables of keys, with new ones, with those of the run before, and with
    so little room that keys push each other out. All must agree."""
    kept = KeyTables(4 << 20)
    ways = (None, kept, kept, KeyTables(64 << 10)) if engine != "cryptography" else (None,)
    everything = [run_jobs_once(engine, cases, tables) for tables in ways]
    assert all(outcomes == everything[0] for outcomes in everything)
    return everything[0]


def run_jobs_once(engine: str, cases: Sequence[Case], tables: KeyTables | None) -> list[bool]:
    jobs = ffi.new("att_sig_job[]", len(cases))
    keep = []
    for job, case in zip(jobs, cases, strict=True):
        key, sig = ffi.new("uint8_t[]", case.key), ffi.new("uint8_t[]", case.sig)
        keep.append((key, sig))
        job.algorithm, job.exponent = case.algorithm, case.exponent
        job.key, job.key_len, job.sig, job.sig_len = key, len(case.key), sig, len(case.sig)
        job.digest_len = len(case.digest)
        ffi.memmove(job.digest, case.digest, len(case.digest))
    _lib._run_jobs(engines.runner(engine), jobs, len(cases), tables)
    outcomes = [job.outcome for job in jobs]
    assert set(outcomes) <= {lib.ATT_SIG_VALID, lib.ATT_SIG_INVALID}
    return [outcome == lib.ATT_SIG_VALID for outcome in outcomes]


def run_columns(engine: str, cases: Sequence[Case]) -> list[bool]:
    """The cases through attestcore.signatures: ECDSA by the curve, RSA by the scheme and key; tables as run_jobs has them."""
    kept = KeyTables(4 << 20)
    ways = (None, KeyTables(0), kept, kept, KeyTables(64 << 10)) if engine != "cryptography" else (None,)
    everything = [run_columns_once(engine, cases, tables) for tables in ways]
    assert all(outcomes == everything[0] for outcomes in everything)
    return everything[0]


def run_columns_once(engine: str, cases: Sequence[Case], tables: KeyTables | None) -> list[bool]:
    groups = defaultdict[tuple[int, bytes, int], list[int]](list)
    for i, case in enumerate(cases):
        modulus, exponent = (case.key, case.exponent) if case.algorithm >= 3 else (b"", 0)
        groups[case.algorithm, modulus, exponent].append(i)
    out = [False] * len(cases)
    for (algorithm, modulus, exponent), members in groups.items():
        digests = b"".join(cases[i].digest for i in members)
        sigs = b"".join(cases[i].sig for i in members)
        if algorithm >= 3:
            got = signatures.verify_rsa(SCHEMES[algorithm], spki(modulus, exponent), digests, sigs, engine)
        else:
            keys = b"".join(cases[i].key for i in members)
            curve = "P-256" if algorithm == 1 else "P-384"
            got = signatures.verify_ecdsa(curve, keys, digests, sigs, engine, tables=tables)
        assert set(got) <= {0, 1}
        for i, valid in zip(members, got, strict=True):
            out[i] = valid == 1
    return out


def spki(modulus: bytes, exponent: int) -> bytes:
    key = rsa.RSAPublicNumbers(exponent, int.from_bytes(modulus, "big")).public_key()
    return key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)


def wrong(cases: Sequence[Case], got: Iterable[bool]) -> list[str]:
    return [f"{case.name}: {not case.valid}" for case, valid in zip(cases, got, strict=True) if valid != case.valid]


# ---- Wycheproof ----------------------------------------------------------------------------------------------------------

# How many tests of each file reach the engine: (valid, invalid, refused before).
ECDSA_COUNTS = {
    "ecdsa_secp256r1_sha256_test.json": (174, 75, 235),
    "ecdsa_secp256r1_sha256_p1363_test.json": (173, 89, 0),
    "ecdsa_secp384r1_sha384_test.json": (194, 75, 235),
    "ecdsa_secp384r1_sha384_p1363_test.json": (193, 87, 0),
}
RSA_COUNTS = {
    "rsa_pss_2048_sha384_mgf1_48_test.json": (95, 46, 0),
    "rsa_pss_4096_sha384_mgf1_48_test.json": (95, 46, 0),
    "rsa_pss_misc_params_test.json": (2, 0, 148),
    "rsa_signature_2048_sha256_test.json": (9, 250, 0),
}


def counts(found: vectors.Vectors) -> tuple[int, int, int]:
    valid = sum(case.valid for case in found.cases)
    return valid, len(found.cases) - valid, found.refused


@needs_wycheproof
@EACH_ENGINE
@pytest.mark.parametrize(("curve", "name"), vectors.ECDSA_FILES)
def test_wycheproof_ecdsa(engine: str, curve: Curve, name: str) -> None:
    found = vectors.wycheproof_ecdsa(curve, name)
    assert counts(found) == ECDSA_COUNTS[name]
    assert wrong(found.cases, run_jobs(engine, found.cases)) == []
    whole = [case for case in found.cases if len(case.sig) == 2 * curve.length]
    assert wrong(whole, run_columns(engine, whole)) == []


@needs_wycheproof
@EACH_ENGINE
@pytest.mark.parametrize("name", vectors.RSA_FILES)
def test_wycheproof_rsa(engine: str, name: str) -> None:
    found = vectors.wycheproof_rsa(name)
    assert counts(found) == RSA_COUNTS[name]
    assert wrong(found.cases, run_jobs(engine, found.cases)) == []
    whole = [case for case in found.cases if len(case.sig) == len(case.key)]
    assert wrong(whole, run_columns(engine, whole)) == []


# ---- ECDSA ---------------------------------------------------------------------------------------------------------------


@EACH_ENGINE
@CURVES
@pytest.mark.parametrize("family", ["scalar_cases", "meeting_cases", "range_cases", "wrap_cases", "key_cases"])
def test_ecdsa_edges(engine: str, curve: Curve, family: str) -> None:
    cases = list(getattr(vectors, family)(curve))
    assert len(cases) > 10
    assert any(case.valid for case in cases)
    assert wrong(cases, run_columns(engine, cases)) == []


@CURVES
def test_built_cases_agree_with_the_slow_implementation(curve: Curve) -> None:
    families = (vectors.meeting_cases, vectors.range_cases, vectors.wrap_cases, vectors.key_cases, vectors.scalar_cases)
    cases = [case for family in families for case in list(family(curve))[::5]]
    assert wrong(cases, (curve.verify(case.key, case.digest, case.sig) for case in cases)) == []


@CURVES
def test_engines_agree_on_random_signatures(curve: Curve) -> None:
    cases = list(vectors.random_cases(curve, 1500))
    random.Random(7).shuffle(cases)
    for engine in ENGINES:
        assert wrong(cases, run_columns(engine, cases)) == [], engine


@EACH_ENGINE
@CURVES
def test_one_key_for_many_rows(engine: str, curve: Curve) -> None:
    """Tables are kept from row to row: a kept one must be of the same key."""
    d = 2**200 + 7
    same = [curve.from_scalars(f"row {i}", 1000 + i, 77 + i, d) for i in range(40)]
    other = list(vectors.random_cases(curve, 10))
    cases = [*same, *other, *same]
    for i in range(0, 40, 3):
        cases.insert(2 * i, replace(same[i], name="changed", digest=same[i + 1 if i < 39 else 0].digest, valid=False))
    # the same key with one bit changed, between two rows of the right one
    changed = bytearray(same[0].key)
    changed[-1] ^= 1
    cases[5:5] = [replace(same[0], name="key changed", key=bytes(changed), valid=False)]
    assert wrong(cases, run_columns(engine, cases)) == []


@EACH_ENGINE
@pytest.mark.parametrize("n", [0, 1, 2, 15, 16, 17, 31, 33, 127, 128, 129, 300])
def test_any_number_of_rows(engine: str, n: int) -> None:
    """Chunks inside the core begin and end where no row count says so; each row keeps its own outcome."""
    pool = list(vectors.random_cases(P256, 30))
    rng = random.Random(n)
    cases = [rng.choice(pool) for _ in range(n)]
    assert wrong(cases, run_columns(engine, cases)) == []


@EACH_ENGINE
def test_curves_and_schemes_mixed_in_one_run(engine: str) -> None:
    pool = [
        *vectors.random_cases(P256, 60),
        *vectors.random_cases(P384, 60),
        *(vectors.rsa_good(bits, algorithm) for bits in (2048, 2049, 4096) for algorithm in SCHEMES),
        *vectors.length_cases(),
    ]
    random.Random(3).shuffle(pool)
    assert wrong(pool, run_jobs(engine, pool)) == []


# ---- RSA -----------------------------------------------------------------------------------------------------------------


@EACH_ENGINE
@pytest.mark.parametrize("family", ["rsa_size_cases", "pss_cases", "pkcs1_cases", "rsa_value_cases"])
def test_rsa_edges(engine: str, family: str) -> None:
    cases = list(getattr(vectors, family)())
    assert len(cases) > 10
    assert any(case.valid for case in cases)
    assert wrong(cases, run_jobs(engine, cases)) == []


@EACH_ENGINE
def test_rsa_columns(engine: str) -> None:
    cases = [vectors.rsa_good(bits, algorithm) for bits in (2048, 2049, 3072, 4096) for algorithm in SCHEMES]
    cases += [replace(case, digest=bytes(len(case.digest)), valid=False) for case in cases]
    assert wrong(cases, run_columns(engine, cases)) == []


# ---- any job is legal ----------------------------------------------------------------------------------------------------


@EACH_ENGINE
def test_lengths_and_algorithms_that_do_not_fit(engine: str) -> None:
    cases = list(vectors.length_cases())
    assert {case.algorithm for case in cases} == {0, 1, 2, 3, 4, 5, 6, 7, 255}
    assert wrong(cases, run_jobs(engine, cases)) == []


def test_jobs_of_nothing_and_of_noise() -> None:
    rng = random.Random(11)
    noise = ffi.new("uint8_t[]", rng.randbytes(65535))
    jobs = ffi.new("att_sig_job[]", 4000)
    for job in jobs:
        job.algorithm = rng.choice((0, 1, 2, 3, 4, 5, 6, 7, 200))
        job.key_len = rng.choice((0, 1, 64, 96, 255, 256, 257, 384, 511, 512, 513, 65535))
        job.sig_len = rng.choice((job.key_len, 0, 64, 96, 256, 65535))
        job.digest_len = rng.choice((0, 1, 32, 48, 49, 65535))
        job.exponent = rng.choice((0, 1, 3, 4, 65537, 2**32 - 1))
        job.key = rng.choice((noise, ffi.NULL))
        job.sig = rng.choice((noise, ffi.NULL))
        ffi.memmove(job.digest, rng.randbytes(48), 48)
    tables = KeyTables(1 << 20)
    for number, engine in enumerate(_lib.native_engines()):
        if engine.usable:
            assert lib.att_sig_run(number, jobs, len(jobs), tables.c) == 0
            assert {job.outcome for job in jobs} == {lib.ATT_SIG_INVALID}
            assert lib.att_sig_run(number, ffi.NULL, 0, tables.c) == 0


def test_an_engine_that_is_not_there() -> None:
    jobs = ffi.new("att_sig_job[1]")
    out = ffi.new("uint8_t[1]", b"\x07")
    zeros = bytes(512)
    for number in (len(_lib.ENGINE_NAMES), 1000, 2**32 - 1):
        assert lib.att_engine_name(number) == ffi.NULL
        assert (lib.att_engine_usable(number), lib.att_engine_lanes(number)) == (0, 0)
        assert lib.att_sig_run(number, jobs, 1, ffi.NULL) == -1
        assert lib.att_verify_ecdsa(number, 2, zeros, zeros, zeros, 1, ffi.NULL, jobs, 1, out) == -1
        assert lib.att_verify_rsa(number, 4, zeros, 512, 3, zeros, zeros, 1, out) == -1
    assert jobs[0].outcome == lib.ATT_SIG_NOT_RUN
    assert out[0] == 7


def test_columns_of_the_core_refuse_what_is_no_algorithm_or_size() -> None:
    out = ffi.new("uint8_t[1]", b"\x07")
    jobs = ffi.new("att_sig_job[1]")
    zeros = bytes(1024)
    portable = _lib.ENGINE_NAMES.index("portable")
    for algorithm in (0, 3, 4, 7, 257, 258, 2**32 - 1):
        assert lib.att_verify_ecdsa(portable, algorithm, zeros, zeros, zeros, 1, ffi.NULL, jobs, 1, out) == -1
    assert lib.att_verify_ecdsa(portable, 2, zeros, zeros, zeros, 1, ffi.NULL, jobs, 0, out) == -1
    for algorithm in (0, 1, 2, 7, 259, 2**32 - 1):
        assert lib.att_verify_rsa(portable, algorithm, zeros, 256, 3, zeros, zeros, 1, out) == -1
    for length in (0, 255, 513, 65536 + 256, 2**32 + 256):
        assert lib.att_verify_rsa(portable, 4, zeros, length, 3, zeros, zeros, 1, out) == -1
    assert out[0] == 7


def test_every_native_engine_is_named_and_tells_its_lanes() -> None:
    natives = _lib.native_engines()
    assert natives[-1].name == "portable"
    assert natives[-1].lanes == 1
    assert natives[-1].usable
    assert lib.att_init() == 0


# ---- points and the order ------------------------------------------------------------------------------------------------


@CURVES
def test_on_curve_agrees_with_the_equation(curve: Curve) -> None:
    """Through verification: a key with a right signature is refused exactly when it is no point of the curve."""
    cases = list(vectors.key_cases(curve))
    for case in cases:
        x, y = int.from_bytes(case.key[: curve.length], "big"), int.from_bytes(case.key[curve.length :], "big")
        holds = x < curve.p and y < curve.p and (y * y - x**3 + 3 * x - curve.b) % curve.p == 0
        assert holds or not case.valid, case.name
    assert sum(case.valid for case in cases) >= 2


# ---- the Python side -----------------------------------------------------------------------------------------------------


def test_engines_are_listed_best_first() -> None:
    assert ENGINES[-1] == "cryptography"
    assert engines.available() == ENGINES
    assert set(ENGINES) <= {"ifma8", "avx2x4", "portable", "cryptography"}
    assert "portable" in ENGINES


def good_columns(curve: Curve, n: int = 3) -> tuple[bytes, bytes, bytes]:
    cases = [curve.from_scalars(f"{i}", 5 + i, 6 + i, 7 + i) for i in range(n)]
    return (b"".join(c.key for c in cases), b"".join(c.digest for c in cases), b"".join(c.sig for c in cases))


def test_what_may_change_is_copied_before_an_engine_sees_it() -> None:
    """Engines check ranges and compute in two reads, without the GIL: a writable buffer must not differ between them."""
    writable = bytearray(96)
    copy = signatures._bytes_of(writable)
    writable[:] = b"\xff" * 96
    assert bytes(copy) == bytes(96)
    assert bytes(signatures._bytes_of(memoryview(bytes(range(96)))[::2])) == bytes(range(0, 96, 2))
    fixed = bytes(96)
    assert signatures._bytes_of(fixed).obj is fixed


@EACH_ENGINE
@CURVES
def test_any_buffer(engine: str, curve: Curve) -> None:
    keys, digests, sigs = good_columns(curve)
    name = "P-256" if curve is P256 else "P-384"
    doubled = bytearray(2 * len(keys))
    doubled[::2] = keys
    words = array.array("I")
    words.frombytes(digests)
    for args in (
        (bytearray(keys), memoryview(digests), sigs),
        (memoryview(doubled)[::2], words, bytearray(sigs)),
        (memoryview(keys).cast("B", (3, 2 * curve.length)), digests, memoryview(sigs)),
    ):
        assert signatures.verify_ecdsa(name, *args, engine=engine) == b"\1\1\1"
    assert signatures.verify_ecdsa(name, b"", b"", b"", engine=engine) == b""


@EACH_ENGINE
def test_wrong_lengths_are_the_callers_mistake(engine: str) -> None:
    keys, digests, sigs = good_columns(P384)
    with pytest.raises(ValueError, match=r"keys has 287 bytes, not 96 bytes a row"):
        signatures.verify_ecdsa("P-384", keys[:-1], digests, sigs, engine)
    with pytest.raises(ValueError, match=r"digests has 96 bytes, not 3 rows of 48 bytes"):
        signatures.verify_ecdsa("P-384", keys, digests[:96], sigs, engine)
    with pytest.raises(ValueError, match=r"sigs has 289 bytes, not 3 rows of 96 bytes"):
        signatures.verify_ecdsa("P-384", keys, digests, sigs + b"\0", engine)
    case = vectors.rsa_good(2048, 4)
    key = spki(case.key, case.exponent)
    with pytest.raises(ValueError, match=r"digests has 47 bytes, not 48 bytes a row"):
        signatures.verify_rsa("pss-sha384", key, case.digest[:-1], case.sig, engine)
    with pytest.raises(ValueError, match=r"sigs has 255 bytes, not 1 rows of 256 bytes"):
        signatures.verify_rsa("pss-sha384", key, case.digest, case.sig[:-1], engine)


def test_names_that_are_not_known() -> None:
    with pytest.raises(ValueError, match=r"curve 'P-521' is not known; known: P-256, P-384"):
        signatures.verify_ecdsa("P-521", b"", b"", b"")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match=r"scheme 'pss' is not known; known: pss-sha256, "):
        signatures.verify_rsa("pss", b"", b"", b"")  # type: ignore[arg-type]
    for name in ("Portable", "", "avx2", "openssl"):
        with pytest.raises(
            ValueError, match=r"engine '.*' cannot run on this machine; usable: .*portable, cryptography"
        ):
            signatures.verify_ecdsa("P-384", b"", b"", b"", engine=name)
        with pytest.raises(ValueError, match=r"cannot run on this machine"):
            signatures.verify_rsa("pss-sha384", spki(vectors.rsa_key(2048).modulus, 3), b"", b"", engine=name)


def der(tag: int, *contents: bytes) -> bytes:
    body = b"".join(contents)
    size = len(body).to_bytes((len(body).bit_length() + 7) // 8, "big") if len(body) >= 128 else b""
    return bytes([tag, 0x80 | len(size) if size else len(body)]) + size + body


def integer(value: int) -> bytes:
    return der(2, value.to_bytes(value.bit_length() // 8 + 1, "big"))


RSA_ALGORITHM = bytes.fromhex("300d06092a864886f70d0101010500")


def built_spki(n: bytes, e: bytes, algorithm: bytes = RSA_ALGORITHM, unused: bytes = b"\0") -> bytes:
    return der(0x30, algorithm, der(3, unused, der(0x30, n, e)))


def test_rsa_keys_that_are_taken() -> None:
    for bits in (2048, 2049, 3072, 4095, 4096):
        for e in (3, 65537, 2**32 - 1):
            key = vectors.rsa_key(bits)
            der_key = built_spki(integer(key.n), integer(e))
            assert der_key == spki(key.modulus, e)
            assert _lib.rsa_spki(der_key) == (key.modulus, e)


def test_rsa_keys_that_are_refused() -> None:
    n = vectors.rsa_key(2048).n
    good = built_spki(integer(n), integer(65537))
    assert _lib.rsa_spki(good) is not None
    elliptic = ec.derive_private_key(5, ec.SECP384R1()).public_key()
    refused = {
        "empty": b"",
        "cut": good[:-1],
        "longer": good + b"\0",
        "2047 bits": built_spki(integer(vectors.rsa_key(2047).n), integer(65537)),
        "2041 bits": built_spki(integer(vectors.rsa_key(2041).n), integer(65537)),
        "4097 bits": built_spki(integer(vectors.rsa_key(4097).n), integer(65537)),
        "even modulus": built_spki(integer(n + 1), integer(65537)),
        "negative modulus": built_spki(der(2, n.to_bytes(256, "big")), integer(65537)),
        "modulus with zeros": built_spki(der(2, b"\0\0", n.to_bytes(256, "big")), integer(65537)),
        "exponent 1": built_spki(integer(n), integer(1)),
        "exponent even": built_spki(integer(n), integer(65536)),
        "exponent 0": built_spki(integer(n), integer(0)),
        "exponent 2^32 + 1": built_spki(integer(n), integer(2**32 + 1)),
        "exponent with zeros": built_spki(integer(n), der(2, b"\0\3")),
        "negative exponent": built_spki(integer(n), der(2, b"\x83")),
        "without NULL": built_spki(integer(n), integer(3), bytes.fromhex("300b06092a864886f70d010101")),
        "PSS key": built_spki(integer(n), integer(3), bytes.fromhex("300b06092a864886f70d01010a")),
        "unused bits": built_spki(integer(n), integer(3), unused=b"\1"),
        "third number": der(0x30, RSA_ALGORITHM, der(3, b"\0", der(0x30, integer(n), integer(3), integer(5)))),
        "long form of length": b"\x30\x83\x00" + good[2:4] + good[4:],
        "PKCS#1 key": der(0x30, integer(n), integer(3)),
        "elliptic": elliptic.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo),
        "noise": random.Random(1).randbytes(294),
    }
    for name, key in refused.items():
        assert _lib.rsa_spki(key) is None, name
        with pytest.raises(
            ValueError, match="key_der is not a SubjectPublicKeyInfo with an rsaEncryption key of 2048 to 4096"
        ):
            signatures.verify_rsa("pss-sha384", key, b"", b"")


def test_rsa_keys_have_one_encoding() -> None:
    """No prefix is taken, and with a byte changed only what is the one encoding of another key."""
    key = vectors.rsa_key(2048)
    good = built_spki(integer(key.n), integer(65537))
    assert all(_lib.rsa_spki(good[:i]) is None for i in range(len(good)))
    taken = 0
    for i in range(len(good)):
        for flip in (1, 2, 0x80, 0xFF):
            changed = bytearray(good)
            changed[i] ^= flip
            found = _lib.rsa_spki(bytes(changed))
            if found is not None:
                taken += 1
                assert built_spki(integer(int.from_bytes(found[0], "big")), integer(found[1])) == bytes(changed), i
    assert taken > 500  # bytes of the modulus and of the exponent


def in_new_process(engine: str | None, code: str) -> subprocess.CompletedProcess[str]:
    env = {name: value for name, value in os.environ.items() if name != "ATTESTCORE_ENGINE"}
    if engine is not None:
        env["ATTESTCORE_ENGINE"] = engine
    return subprocess.run([sys.executable, "-c", code], check=False, capture_output=True, text=True, env=env)


def test_the_environment_is_read_once_at_import() -> None:
    code = (
        "import os; from attestcore import engines, signatures\n"
        "os.environ['ATTESTCORE_ENGINE'] = 'nonsense'\n"
        "print(engines.resolve(None), engines.resolve('portable'))"
    )
    assert in_new_process("cryptography", code).stdout.split() == ["cryptography", "portable"]
    assert in_new_process(None, code).stdout.split() == [ENGINES[0], "portable"]


def test_an_environment_that_names_no_engine_is_an_error() -> None:
    code = (
        "from attestcore import signatures\n"
        "assert signatures.verify_ecdsa('P-256', b'', b'', b'', engine='portable') == b''\n"
        "signatures.verify_ecdsa('P-256', b'', b'', b'')"
    )
    done = in_new_process("warp9", code)
    assert done.returncode != 0
    assert done.stderr.splitlines()[-1].startswith(
        "ValueError: ATTESTCORE_ENGINE 'warp9' cannot run on this machine; usable: "
    )


def test_cpu_features_are_words() -> None:
    words = engines.cpu_features().split()
    assert len(words) == len(set(words))
    if sys.platform == "linux" and os.uname().machine == "x86_64":
        lines = Path("/proc/cpuinfo").read_text(encoding="ascii").splitlines()
        kernel = set(next(line for line in lines if line.startswith("flags")).split(":")[1].split())
        ours = set(words)
        for name in (
            "avx",
            "avx2",
            "bmi2",
            "adx",
            "sha_ni",
            "avx512f",
            "avx512dq",
            "avx512bw",
            "avx512vl",
            "avx512ifma",
            "avx512vbmi",
        ):
            assert (name in ours) == (name in kernel), name
