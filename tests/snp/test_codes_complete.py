# SPDX-License-Identifier: Apache-2.0
"""The closed list of codes: every one is produced by some evidence, by every engine and entry point alike, documented, and the
same word in C, Python, docs and commands. Likewise fields, checks and categories."""

from __future__ import annotations

import ast
import json
import re
import subprocess
import sys
from functools import lru_cache
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from snp_asserts import (
    ALWAYS,
    CATEGORIES,
    CATEGORY_OF,
    MISSING,
    assert_accepted,
    assert_failed,
    coherent,
    same,
    words,
)
from snp_vectors import ELSEWHERE, VECTORS, Vector, good_cases

import attestcore
from attestcore import _lib
from attestcore.cli import snp as cli
from attestcore.codes import Category, Code
from snpverify import ParseError, parse_report, verify_id_block
from snpverify.testing import IdAuth, IdBlock, ReportFields, ec_key, id_key_digest, pem

ROOT = Path(__file__).resolve().parents[2]
EACH = pytest.mark.parametrize("vector", list(VECTORS.values()), ids=list(VECTORS))
SCALAR = {code: vector for code, vector in VECTORS.items() if vector.scalar}  # the others are only rows of batches
EACH_SCALAR = pytest.mark.parametrize("vector", list(SCALAR.values()), ids=list(SCALAR))


def definitions(name: str, macro: str) -> list[list[str]]:
    """The entries of a .def file, taken apart by rules of this test's own."""
    text = (ROOT / "csrc" / name).read_text(encoding="utf-8")
    entries = re.findall(rf"^{macro}\((.*)\)$", text, re.MULTILINE)
    return [re.findall(r'"(?:[^"\\]|\\.)*"|[^,\s]+', entry) for entry in entries]


CODES = {
    int(entry[1]): (entry[0], entry[2].strip('"'), entry[3], entry[4].strip('"'))
    for entry in definitions("codes.def", "ATT_CODE")
}
FIELDS = [(entry[0], entry[1].strip('"')) for entry in definitions("fields.def", "ATT_FIELD")]
CHECKS = [
    (entry[0], entry[1].strip('"'), entry[2], entry[3].strip('"'))
    for entry in definitions("checks_snp.def", "ATT_SNP_CHECK")
]


OF_QUOTES = range(140, 220)  # tests/tdx/test_codes_of_quotes.py


# ---- every code is produced ------------------------------------------------------------------------------------------


def test_every_code_has_evidence_or_a_reason() -> None:
    words = {word for number, (_, word, _, _) in CODES.items() if number not in OF_QUOTES}
    assert set(VECTORS) | set(ELSEWHERE) == words
    assert not set(VECTORS) & set(ELSEWHERE)
    assert all(ELSEWHERE.values())


@EACH
def test_each_code(vector: Vector, engine: str) -> None:
    """That check fails with that code, at that place, and nothing fails along but what the table says."""
    verdict = vector.verdict(engine)
    order = [word for _, word, _, _ in CHECKS]
    failed = dict(sorted([(vector.check, vector.code), *vector.along], key=lambda pair: order.index(pair[0])))
    checks = assert_failed(verdict, failed, unrun=None)
    found = checks[vector.check]
    assert found.category == vector.category == CATEGORY_OF[vector.code]
    assert found.field == vector.field
    if vector.offset is not None:
        assert found.offset == vector.offset
    assert found.detail
    assert verdict.engine == engine


@pytest.mark.parametrize("name", [name for name, _ in good_cases()])
def test_the_same_without_the_fault(name: str, engine: str) -> None:
    """The table would be worth nothing if the evidence were refused anyway."""
    assert_accepted(dict(good_cases())[name].verify(engine))


def test_each_check_fails_in_some_vector() -> None:
    """No check that cannot fail."""
    failing = {vector.check for vector in VECTORS.values()} | {
        check for vector in VECTORS.values() for check, _ in vector.along
    }
    names = {word for _, word, _, _ in CHECKS}
    never = names - failing
    # The same functions as leaf-validity's, judged at other places: test_chain.py::test_validity_of_each_place.
    assert never == {"issuer-validity", "root-validity"}
    assert names >= ALWAYS


# ---- the same by every way -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("flag", ["-O", "-OO"])
def test_under_optimisation(flag: str) -> None:
    """Nothing rests on an assert."""
    here = Path(__file__).parent
    path = [str(Path(attestcore.__file__).parents[1]), str(here)]
    code = f"import sys; sys.path[:0] = {path!r}; import snp_vectors; snp_vectors.main()"
    done = subprocess.run([sys.executable, flag, "-c", code], capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stderr
    said: dict[str, Any] = json.loads(done.stdout)
    assert said["optimize"] == len(flag) - 1
    for engine in said["engines"]:
        for code_, vector in VECTORS.items():
            assert frozenset(said[engine][code_]) == vector.codes, (engine, code_)
        for name, _ in good_cases():
            assert said[engine][name] == [], (engine, name)


def test_all_in_one_batch() -> None:
    """Every vector that has the default policy and the same trust, in one column: neighbours change nothing."""
    from snp_world import authority

    rows = [
        v
        for v in VECTORS.values()
        if v.make().policy is None and not v.make().crls and v.make().roots == authority().roots
    ]
    cases = [v.make() for v in rows]
    results = (
        cases[0]
        .verifier()
        .verify_batch(
            [None if v.missing else case.report for v, case in zip(rows, cases, strict=True)],
            certs=[
                (b"".join(map(pem, case.certs)),) if v.as_cell else case.certs
                for v, case in zip(rows, cases, strict=True)
            ],
            certs_index=range(len(rows)),
            at=[None if v.at is None else case.at for v, case in zip(rows, cases, strict=True)],
        )
    )
    assert len(rows) > 30
    for i, vector in enumerate(rows):
        assert frozenset(results[i].codes) == vector.codes
        assert results.code[i] == results[i].codes[0]
        same(results[i], vector.verdict())


@EACH_SCALAR
def test_each_code_by_the_other_calls(vector: Vector) -> None:
    """verify(), Verifier.verify(), a batch over a buffer: one answer."""
    case = vector.make()
    expected = vector.verdict()
    same(case.verify(), expected)
    same(case.verify_once(), expected)
    if len(case.report) == 1184:
        same(case.verifier().verify_batch(case.report, certs=case.certs, at=case.at)[0], expected)


@EACH_SCALAR
def test_each_code_by_the_command(vector: Vector, tmp_path: Path) -> None:
    """`snpverify verify --json` says the same object; its exit status follows from the codes."""
    case = vector.make()
    args = ["verify", "-", "--json", "--at", str(case.at)]
    for option, blobs in (("--certs", case.certs), ("--root", case.roots), ("--crl", case.crls)):
        for i, blob in enumerate(blobs):
            path = tmp_path / f"{option.strip('-')}-{i}"
            path.write_bytes(blob)
            args += [option, str(path)]
    if case.policy is not None:
        path = tmp_path / "policy.json"
        path.write_text(json.dumps({"snp": case.policy.to_dict()}), encoding="utf-8")
        args += ["--policy", str(path)]
    result = CliRunner().invoke(cli.main, args, input=case.report)
    if result.exception and not isinstance(result.exception, SystemExit):
        raise result.exception
    assert result.exit_code == (3 if vector.codes <= MISSING else 1), result.output
    said = json.loads(result.stdout)
    assert said == json.loads(json.dumps(case.verify().to_dict()))


def test_columns_say_what_verdicts_say() -> None:
    """The code of a column is the first of the verdict's; the list of the table is all of them."""
    for vector in SCALAR.values():
        case = vector.make()
        results = case.verifier().verify_batch([case.report, case.report], certs=case.certs, at=case.at)
        verdict = results[1]
        coherent(verdict)
        assert list(results.code) == [verdict.codes[0]] * 2
        assert results.to_arrow()["codes"].to_pylist() == [list(verdict.codes)] * 2


# ---- codes outside of verdicts ---------------------------------------------------------------------------------------


def test_codes_of_id_blocks() -> None:
    owner, author = ec_key("owner"), ec_key("author")
    block = IdBlock(measurement=b"\x11" * 48)
    auth = IdAuth(block=block, id_key=owner, author_key=author)
    built, signed = block.build(), auth.build()
    good_report = ReportFields(
        measurement=b"\x11" * 48, policy=0x30000, id_key_digest=id_key_digest(owner), author_key_digest=id_key_digest(author),
        author_key_en=1,
    )  # fmt: skip
    assert verify_id_block(built, signed, report=parse_report(good_report.build())).codes == ()
    other = parse_report(good_report.replace(guest_svn=1).build())
    assert verify_id_block(built, signed, report=other).codes == ("id-block-report-mismatch",)
    torn = bytes([built[0] ^ 1]) + built[1:]
    assert verify_id_block(torn, signed).codes == ("id-block-signature-invalid",)
    stranger = IdAuth(block=block, id_key=owner, author_key=ec_key("stranger"))
    mixed = bytearray(signed)
    at = next(i for i in range(len(signed)) if signed[i] != stranger.build()[i] and i > 0x680)
    mixed[at] ^= 1
    assert verify_id_block(built, bytes(mixed)).codes == ("id-key-signature-invalid",)
    with pytest.raises(ParseError) as caught:
        verify_id_block(built[:-1], signed)
    assert caught.value.code == "id-block-malformed"


def parser_says(data: bytes) -> ParseError | None:
    try:
        parse_report(data)
    except ParseError as error:
        return error
    return None


def test_codes_of_the_parser() -> None:
    """parse_report raises codes of the list, with fields of the list, exactly where a parse check of the verdict fails."""
    for vector in VECTORS.values():
        error = None if vector.missing else parser_says(vector.make().report)
        if error is not None:
            assert (error.code, error.field) == (vector.code, vector.field)
            assert error.code in CATEGORY_OF
        elif not vector.missing:
            assert not (CATEGORY_OF[vector.code] == "parse" and vector.check.startswith("report-"))


# ---- one word everywhere ---------------------------------------------------------------------------------------------


def test_codes_in_c_and_python_and_docs() -> None:
    assert [code.value for code in Code] == [word for _, word, _, _ in CODES.values()]
    assert {number: word for number, (_, word, _, _) in CODES.items()} == _lib.CODE_NAMES
    assert {number: text for number, (_, _, _, text) in CODES.items()} == _lib.CODE_TEXTS
    docs = (ROOT / "docs" / "codes.md").read_text(encoding="utf-8")
    for number, (name, word, category, text) in CODES.items():
        category = category.lower().replace("_", "-")
        assert re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", word)
        assert f"| `{word}` | {category} | {text} |" in docs
        assert Code(word).category.value == category == _lib.CODE_CATEGORIES[number]
        assert number in OF_QUOTES or category == CATEGORY_OF[word]
        assert name.isupper()
        assert 2 <= number < 512
        assert _lib.CODE_NUMBERS[word] == number
    assert len({word for _, word, _, _ in CODES.values()}) == len(CODES)


def test_categories_are_the_contracts() -> None:
    contract = words(
        """parse unsupported signature chain cert-profile time crl revoked binding identity collateral tcb policy
        freshness token limit"""
    )
    assert [category.value for category in Category] == contract == list(_lib.CATEGORIES)
    assert set(CATEGORIES) <= set(contract)


def test_checks_in_c_and_python_and_docs() -> None:
    assert tuple(word for _, word, _, _ in CHECKS) == _lib.SNP_CHECKS
    assert tuple(text for _, _, _, text in CHECKS) == _lib.SNP_CHECK_TEXTS
    docs = (ROOT / "docs" / "codes.md").read_text(encoding="utf-8")
    for _, word, category, text in CHECKS:
        assert f"| `{word}` | {category.lower().replace('_', '-')} | {text} |" in docs
    verdict = next(case for _, case in good_cases()).verify()
    assert tuple(check.check for check in verdict.checks) == _lib.SNP_CHECKS
    assert len(CHECKS) <= 64, "they are bits of one word"


def test_fields_in_c_and_python() -> None:
    assert tuple(word for _, word in FIELDS) == _lib.FIELDS
    words = [word for _, word in FIELDS]
    assert len(set(words)) == len(words)
    assert set(_lib.SNP_LAYOUT) <= set(words)
    for vector in VECTORS.values():
        assert vector.field in words
        for check in vector.verdict().checks:
            assert check.field is None or check.field in words


def test_every_field_of_the_report_may_be_pointed_at() -> None:
    """By some vector or by the reserved ranges, every field of the layout that any check looks at."""
    pointed = {check.field for vector in VECTORS.values() for check in vector.verdict().checks if check.field}
    silent = set(_lib.SNP_LAYOUT) - pointed
    # Reserved ranges: test_report_parsing.py::test_every_reserved_byte. The rest: named only when what they hold is judged,
    # in test_policy_checks.py, or never (CPUID as a whole is named by its first byte).
    assert silent <= {
        "RESERVED_04C", "RESERVED_1EB", "RESERVED_1EF", "RESERVED_208", "RESERVED_280", "SIGNATURE.R", "SIGNATURE.RESERVED",
        "AUTHOR_KEY_DIGEST", "CPUID_MOD_ID", "CPUID_STEP", "COMMITTED_VERSION", "CURRENT_ETCB", "LAUNCH_ETCB", "COMMITTED_ETCB",
    }  # fmt: skip


def test_generated_files_are_up_to_date() -> None:
    done = subprocess.run(
        [sys.executable, str(ROOT / "tools" / "gen_codes.py"), "--check"], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr


def test_numbers_of_codes_are_only_ever_appended() -> None:
    """Columns on disk may hold them: the numbers given so far stay as they are."""
    given = {
        16: "evidence-missing", 17: "report-length-invalid", 23: "reserved-not-zero", 32: "certificate-missing",
        33: "collateral-missing", 47: "root-untrusted", 50: "leaf-signature-invalid", 52: "certificate-expired",
        58: "certificate-revoked", 64: "signer-kind-mismatch", 67: "reported-tcb-mismatch", 73: "report-signature-invalid",
        82: "debug-allowed", 108: "report-data-mismatch", 127: "internal-error",
    }  # fmt: skip
    assert {number: CODES[number][1] for number in given} == given


# ---- the table of failure cases --------------------------------------------------------------------------------------

TABLE = ROOT / "docs" / "design" / "failure-cases.md"
REFERENCE = re.compile(r"`([\w/]+\.(?:py|c))(?:::(\w+))?`")


@lru_cache(maxsize=64)
def functions_of(path: Path) -> frozenset[str]:
    return frozenset(
        node.name for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))) if isinstance(node, ast.FunctionDef)
    )


def rows_of_the_table() -> list[list[str]]:
    lines = TABLE.read_text(encoding="utf-8").splitlines()
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines if re.match(r"\| [SM]?\d+ ", line)]


def test_every_test_named_in_the_table_exists() -> None:
    """docs/design/failure-cases.md names tests as `folder/file.py::test`, below tests/."""
    named = REFERENCE.findall(TABLE.read_text(encoding="utf-8"))
    assert len(named) > 150
    for file, test in named:
        path = ROOT / "tests" / file
        assert path.is_file(), file
        if test:
            assert test in functions_of(path), f"{file}::{test}"


def test_every_case_is_in_the_table() -> None:
    """Cases by their numbers, each once, each with a test or a reason."""
    rows = rows_of_the_table()
    cases = [row[0] for row in rows]
    assert len(cases) == len(set(cases))
    groups = [
        range(1, 35),
        range(64, 97),
        range(97, 132),
        range(132, 157),
        range(157, 176),
        range(176, 207),
        range(336, 373),
    ]
    assert {c for c in cases if c.isdigit()} == {str(n) for group in groups for n in group}
    assert {c for c in cases if c.startswith("S")} == {f"S{n}" for n in range(1, 54)}
    for row in rows:
        assert len(row) == 3, row
        assert row[1], row
        assert REFERENCE.search(row[2]) or row[2].startswith("none:"), row
