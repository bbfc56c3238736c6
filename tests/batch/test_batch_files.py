"""Every source into every sink: one row out for every row in, in order, with what it was carried along."""

from __future__ import annotations

import base64
import csv
import io
import json
import os
import tarfile
from datetime import datetime, timedelta, timezone
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from attestcore.batch import rows as rows_module
from attestcore.batch.schema import UsageError
from snpverify import Verifier
from snpverify.testing import CertificateTable, pem

from .conftest import AT_SECONDS, AT_TEXT, Store

OUTS = ("out.parquet", "out.jsonl", "out.csv")


def results(store: Store, out: str) -> list[tuple[bool, str | None, list[str]]]:
    """accepted, code and codes of each row, whatever the format."""
    path = store.path(out)
    if path.suffix != ".csv":
        return [(row["accepted"], row["code"], row["codes"]) for row in store.rows(out)]
    with path.open(newline="") as file:
        return [
            (row["accepted"] == "true", row["code"] or None, row["codes"].split(";") if row["codes"] else [])
            for row in csv.DictReader(file)
        ]


def expected(store: Store) -> list[tuple[bool, str | None, list[str]]]:
    codes = [store.code(n) for n in range(len(store.reports))]
    return [(code is None, code, [code] if code else []) for code in codes]


# ---- sources ---------------------------------------------------------------------------------------------------------


def as_parquet(store: Store) -> Path:
    table = pa.table({"evidence": pa.array(store.reports, pa.binary()), "n": range(len(store.reports))})
    pq.write_table(table, store.path("in.parquet"), row_group_size=7)
    return store.path("in.parquet")


def as_jsonl(store: Store) -> Path:
    lines = []
    for n, report in enumerate(store.reports):
        text = (report.hex(), base64.b64encode(report).decode(), base64.urlsafe_b64encode(report).decode())[n % 3]
        lines.append(json.dumps({"evidence": text, "n": n}) + "\n\n")
    return store.write("in.jsonl", "".join(lines).encode())


def as_csv(store: Store) -> Path:
    with store.path("in.csv").open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["n", "evidence"])
        writer.writerows([n, base64.b64encode(report).decode()] for n, report in enumerate(store.reports))
    return store.path("in.csv")


def as_directory(store: Store) -> Path:
    root = store.path("dir")
    for n, report in enumerate(store.reports):
        path = root / f"{n // 10}" / f"{n:03}.bin"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(report)
    (root / "README.md").write_text("not evidence")
    return root


def as_tar(store: Store) -> Path:
    with tarfile.open(store.path("in.tar"), "w") as file:
        for n, report in enumerate(store.reports):
            info = tarfile.TarInfo(f"{n:03}.bin")
            info.size = len(report)
            file.addfile(info, io.BytesIO(report))
    return store.path("in.tar")


SOURCES = {"parquet": as_parquet, "jsonl": as_jsonl, "csv": as_csv, "directory": as_directory, "tar": as_tar}


@pytest.mark.parametrize("out", OUTS)
@pytest.mark.parametrize("source", SOURCES)
def test_every_source_into_every_sink(store: Store, source: str, out: str) -> None:
    path = SOURCES[source](store)
    outcome = store.run([path], out)
    assert results(store, out) == expected(store)
    assert (outcome.tally.rows, outcome.tally.accepted, outcome.tally.failed, outcome.broken) == (30, 18, 12, [])
    assert outcome.ignored == (1 if source == "directory" else 0)
    names = [f"{n // 10}/{n:03}.bin" if source == "directory" else f"{n:03}.bin" for n in range(30)]
    if out == "out.csv":
        with store.path(out).open(newline="") as file:
            carried = [row.get("source") or row["n"] for row in csv.DictReader(file)]
        assert carried == (names if source in ("directory", "tar") else [str(n) for n in range(30)])
    else:
        carried = [row.get("source", row.get("n")) for row in store.rows(out)]
        numbers: list[Any] = [str(n) if source == "csv" else n for n in range(30)]
        assert carried == (names if source in ("directory", "tar") else numbers)


def test_columns_of_the_output(store: Store) -> None:
    store.run([as_parquet(store)], "out.parquet")
    schema = pq.read_schema(store.path("out.parquet"))
    assert [(item.name, str(item.type)) for item in schema] == [
        ("n", "int64"),
        ("kind", "string"),
        ("accepted", "bool"),
        ("code", "string"),
        ("codes", "list<element: string>"),
        ("tcb_status", "string"),
        ("evaluated_at", "timestamp[us, tz=UTC]"),
    ]
    first = store.rows("out.parquet")[0]
    assert (first["kind"], first["tcb_status"]) == ("sev-snp", None)
    assert first["evaluated_at"] == datetime.fromtimestamp(AT_SECONDS, timezone.utc)
    store.run([as_parquet(store)], "out.jsonl")
    assert store.rows("out.jsonl")[0] == {
        "n": 0,
        "kind": "sev-snp",
        "accepted": True,
        "code": None,
        "codes": [],
        "tcb_status": None,
        "evaluated_at": AT_TEXT,
    }


def test_several_codes_are_joined_in_csv(store: Store) -> None:
    store.run([as_parquet(store)], "out.csv", certs=[])
    assert results(store, "out.csv")[4] == (False, "certificate-missing", ["certificate-missing", "debug-allowed"])


def test_sources_one_after_the_other(store: Store) -> None:
    paths = [make(store) for make in SOURCES.values()]
    outcome = store.run(paths, "out.jsonl")
    assert outcome.tally.rows == 150
    assert results(store, "out.jsonl") == expected(store) * 5
    store.run([paths[0], paths[3]], "out.parquet")
    rows = store.rows("out.parquet")
    assert [row["n"] for row in rows] == [*range(30), *[None] * 30]
    assert [row["source"] is None for row in rows] == [True] * 30 + [False] * 30


def test_columns_that_cannot_be_one(store: Store) -> None:
    with pytest.raises(UsageError, match=r"in\.csv: column 'n' is string, but int64 in .*in\.parquet"):
        store.run([as_parquet(store), as_csv(store)], "out.parquet")
    assert not store.path("out.parquet").exists()
    assert store.run([as_parquet(store), as_csv(store)], "out.csv").tally.rows == 60


@pytest.mark.parametrize("threads", [1, 2, 5])
def test_order_whatever_the_threads(store: Store, threads: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("attestcore.batch.sources.CHUNK_BYTES", 1)  # chunks of 64 rows, the least
    numbers = [(n * 7919) % 30 for n in range(1500)]
    table = pa.table({"evidence": pa.array([store.reports[n] for n in numbers], pa.binary()), "n": numbers})
    pq.write_table(table, store.path("in.parquet"))
    outcome = store.run([store.path("in.parquet")], "out.parquet", threads=threads)
    rows = store.rows("out.parquet")
    assert [row["n"] for row in rows] == numbers
    assert [row["code"] for row in rows] == [store.code(n) for n in numbers]
    assert outcome.tally.rows == 1500


def test_the_same_verdict_as_one_by_one(store: Store) -> None:
    damaged = [bytearray(store.reports[n % 30]) for n in range(400)]
    for n, report in enumerate(damaged):
        report[(n * 131) % 1184] ^= 1 << n % 8
    table = pa.table({"evidence": pa.array([bytes(report) for report in damaged], pa.binary())})
    pq.write_table(table, store.path("in.parquet"))
    store.run([store.path("in.parquet")], "out.parquet", kind="sev-snp")
    verifier = Verifier(roots=store.roots)
    for report, row in zip(damaged, store.rows("out.parquet"), strict=True):
        verdict = verifier.verify(bytes(report), certs=store.all_vceks, at=AT_SECONDS)
        assert (row["accepted"], row["codes"]) == (verdict.accepted, list(verdict.codes))


# ---- columns ---------------------------------------------------------------------------------------------------------


EVIDENCE_TYPES = (
    pa.binary(),
    pa.large_binary(),
    pa.binary(1184),
    *([pa.binary_view()] if hasattr(pa, "binary_view") else []),
    pa.dictionary(pa.int32(), pa.binary()),
    pa.string(),
    pa.large_string(),
)


@pytest.mark.parametrize("kind", EVIDENCE_TYPES, ids=str)
def test_types_of_the_evidence_column(store: Store, kind: pa.DataType) -> None:
    text = kind in (pa.string(), pa.large_string())
    values: list[Any] = [report.hex() if text else report for report in store.reports]
    values.insert(0, None)
    column = (
        pa.array(values, pa.binary()).dictionary_encode() if pa.types.is_dictionary(kind) else pa.array(values, kind)
    )
    pq.write_table(pa.table({"evidence": column}), store.path("in.parquet"))
    for fixed in (None, "sev-snp"):
        store.run([store.path("in.parquet")], "out.parquet", kind=fixed)
        assert results(store, "out.parquet") == [
            (False, "evidence-missing", ["evidence-missing"]),
            *expected(store),
        ]


@pytest.mark.parametrize(
    "form", ["der", "pem", "table", "text pem", "text hex", "text base64", "dictionary", "dictionary text"]
)
@pytest.mark.parametrize("shared", [False, True])
def test_certs_column(store: Store, form: str, shared: bool) -> None:
    """One set a row; where the cell is null, what --certs gave is all there is."""
    made: dict[str, Any] = {
        "der": lambda der: der,
        "pem": pem,
        "table": lambda der: CertificateTable.of(vcek=der).build(),
        "text pem": lambda der: pem(der).decode(),
        "text hex": lambda der: der.hex(),
        "text base64": lambda der: base64.b64encode(der).decode(),
        "dictionary": lambda der: der,
        "dictionary text": lambda der: pem(der).decode(),
    }
    cells = [made[form](store.vcek(n)) if n % 2 == 0 else None for n in range(30)]
    column = pa.array(cells)
    if form.startswith("dictionary"):
        column = column.dictionary_encode()
    pq.write_table(
        pa.table({"evidence": pa.array(store.reports, pa.binary()), "certs": column}), store.path("in.parquet")
    )
    store.run([store.path("in.parquet")], "out.parquet", certs=store.all_vceks[1:] if shared else [])
    for n, row in enumerate(store.rows("out.parquet")):
        found = n % 2 == 0 or (shared and n % 3 != 0)
        if found:
            assert row["code"] == store.code(n)
        else:  # those of other chips, if there are any, are judged as the nearest
            assert ("chip-id-mismatch" if shared else "certificate-missing") in row["codes"]
    assert "certs" not in store.rows("out.parquet")[0]


def test_certs_that_are_rubbish_are_the_row_s_own_failure(store: Store) -> None:
    cells = ["rubbish!", "", pem(store.vcek(2)).decode(), "00" * (1 << 20) + "00"]
    lines = [json.dumps({"evidence": store.reports[n].hex(), "certs": cells[n]}) for n in range(4) if n != 3]
    lines.append(json.dumps({"evidence": store.reports[0].hex(), "certs": cells[3]}))
    store.write("in.jsonl", "\n".join(lines).encode())
    for shared in ([], [store.vcek(1)]):
        store.run([store.path("in.jsonl")], "out.jsonl", certs=shared)
        first, second, third, fourth = store.rows("out.jsonl")
        assert ("chip-id-mismatch" if shared else "certificate-set-malformed") in first["codes"]
        assert second["codes"] == ([] if shared else ["certificate-missing"])
        assert third["codes"] == []
        assert "certificate-set-too-large" in fourth["codes"]


LATE = int(datetime(2040, 1, 1, tzinfo=timezone.utc).timestamp())
AT_COLUMNS = {
    "seconds": pa.array([AT_SECONDS, None, LATE, -1, 1 << 60], pa.int64()),
    "unsigned": pa.array([AT_SECONDS, None, LATE, (1 << 64) - 1, 1 << 60], pa.uint64()),
    "float": pa.array([AT_SECONDS + 0.5, None, LATE, float("nan"), float("inf")], pa.float64()),
    "naive timestamp": pa.array([AT_SECONDS, None, LATE, -1, 1 << 40], pa.timestamp("s")),
    "nanoseconds": pa.array(
        [AT_SECONDS * 10**9 + 1, None, LATE * 10**9, -1, -(10**18)], pa.timestamp("ns", "Europe/Berlin")
    ),
    "text": pa.array([AT_TEXT, None, "2040-01-01T01:00:00+01:00", "2025-06-20T00:00:00", "soon"]),
    "text of seconds": pa.array([str(AT_SECONDS), "", str(LATE), "-1", "1e9"]).dictionary_encode(),
}


@pytest.mark.parametrize("form", AT_COLUMNS)
def test_at_column(store: Store, form: str) -> None:
    table = pa.table({"evidence": pa.array([store.reports[0]] * 5, pa.binary()), "at": AT_COLUMNS[form]})
    pq.write_table(table, store.path("in.parquet"))
    store.run([store.path("in.parquet")], "out.parquet")
    rows = store.rows("out.parquet")
    assert [row["codes"] for row in rows] == [[], [], ["certificate-expired"]] + [["evaluation-time-missing"]] * 2
    times = [row["evaluated_at"] and row["evaluated_at"].timestamp() for row in rows]
    assert times == [AT_SECONDS, AT_SECONDS, LATE, None, None]


def test_at_in_json_and_csv(store: Store) -> None:
    values = [AT_SECONDS, None, LATE, "2040-01-01T00:00:00Z", float(AT_SECONDS), "soon", True, [1], {"a": 1}]
    lines = [json.dumps({"evidence": store.reports[0].hex(), "at": value}) for value in values]
    store.run([store.write("in.jsonl", "\n".join(lines).encode())], "out.jsonl")
    assert [row["code"] for row in store.rows("out.jsonl")] == [
        None,
        None,
        "certificate-expired",
        "certificate-expired",
        None,
        *["evaluation-time-missing"] * 4,
    ]
    text = "evidence,at\n" + "".join(f"{store.reports[0].hex()},{at}\n" for at in (AT_SECONDS, "", AT_TEXT, "soon"))
    store.run([store.write("in.csv", text.encode())], "out.jsonl")
    assert [row["code"] for row in store.rows("out.jsonl")] == [None, None, None, "evaluation-time-missing"]


QUOTE = (
    (4).to_bytes(2, "little") + b"\x02\0" + b"\x81\0\0\0" + bytes(4) + bytes.fromhex("939a7233f79c4ca9940a0db3957f0607")
)


def test_kinds_mixed(store: Store) -> None:
    good = store.reports[0]
    rows: list[tuple[bytes | None, str | None, str | None, str | None]] = [
        # evidence, kind in the column, kind in the output, code
        (good, None, "sev-snp", None),
        (good, "sev-snp", "sev-snp", None),
        (good, "", "sev-snp", None),
        (good, "tdx", "tdx", "kind-unsupported"),
        (good, "SEV-SNP", "SEV-SNP", "kind-unsupported"),
        (QUOTE + bytes(5000), None, "tdx", "kind-unsupported"),
        (good[:-1], None, None, "kind-unsupported"),
        (good[:-1], "sev-snp", "sev-snp", "report-length-invalid"),
        (b"", None, None, "kind-unsupported"),
        (None, None, None, "evidence-missing"),
        (None, "tdx", "tdx", "evidence-missing"),
        (store.reports[3], None, "sev-snp", "report-signature-invalid"),
    ]
    kinds = pa.array([row[1] for row in rows], pa.string())
    for column in (kinds, kinds.dictionary_encode()):
        table = pa.table({"kind": column, "evidence": pa.array([row[0] for row in rows], pa.binary())})
        pq.write_table(table, store.path("in.parquet"))
        store.run([store.path("in.parquet")], "out.parquet")
        assert [(row["kind"], row["code"]) for row in store.rows("out.parquet")] == [row[2:] for row in rows]


def test_kind_fixed(store: Store) -> None:
    table = pa.table({"evidence": pa.array([store.reports[0][:-1], QUOTE, store.reports[0]], pa.binary())})
    pq.write_table(table, store.path("in.parquet"))
    store.run([store.path("in.parquet")], "out.parquet", kind="sev-snp")
    codes = [(row["kind"], row["code"]) for row in store.rows("out.parquet")]
    assert codes == [("sev-snp", "report-length-invalid"), ("sev-snp", "report-length-invalid"), ("sev-snp", None)]
    table = table.append_column("kind", pa.array([None, "tdx", "sev-snp"]))
    pq.write_table(table, store.path("in.parquet"))
    store.run([store.path("in.parquet")], "out.parquet", kind="sev-snp")
    codes = [(row["kind"], row["code"]) for row in store.rows("out.parquet")]
    assert codes == [("sev-snp", "report-length-invalid"), ("tdx", "kind-unsupported"), ("sev-snp", None)]


# ---- rows of nonsense ------------------------------------------------------------------------------------------------


def test_nonsense_in_jsonl(store: Store) -> None:
    good = store.reports[0].hex()
    lines = [
        json.dumps({"evidence": good}),
        "{",
        json.dumps({"evidence": "neither hex nor base64!"}),
        json.dumps({"evidence": 7}),
        json.dumps({"evidence": [good]}),
        json.dumps({"evidence": good, "kind": 7}),
        f'{{"evidence": "{good}", "evidence": "{good}"}}',
        json.dumps({"other": 1}),
        json.dumps({"evidence": None}),
        json.dumps({"evidence": ""}),
        json.dumps([good]),
        json.dumps({"evidence": good + "00"}),
        json.dumps({"evidence": good}),
    ]
    store.write("in.jsonl", "\n".join(lines).encode() + b"\n\xff\xfe\n")
    codes = [
        None,
        *["evidence-malformed"] * 6,
        *["evidence-missing"] * 3,
        "evidence-malformed",
        "report-length-invalid",
    ]
    for out in ("out.jsonl", "out.parquet"):
        store.run([store.path("in.jsonl")], out, kind="sev-snp")
        assert [row["code"] for row in store.rows(out)] == [*codes, None, "evidence-malformed"]


def test_nonsense_in_csv(store: Store) -> None:
    good = store.reports[0].hex().encode()
    text = b"\xef\xbb\xbfevidence,note\r\n" + b"\r\n".join(
        [good + b",a", b",b", b"%,c", good, good + b",d,e", good + b',"f\r\n\r\ng"', good + b",\xff", b"", good + b",h"]
    )
    store.run([store.write("in.csv", text)], "out.jsonl")
    assert [(row["note"], row["code"]) for row in store.rows("out.jsonl")] == [
        ("a", None),
        ("b", "evidence-missing"),
        ("c", "evidence-malformed"),
        (None, "evidence-malformed"),
        ("d", "evidence-malformed"),
        ("f\r\n\r\ng", None),
        ("�", "evidence-malformed"),
        ("h", None),
    ]


def test_lines_longer_than_evidence_can_be(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("attestcore.batch.sources.MAX_EVIDENCE_BYTES", 10_000)
    good = store.reports[0].hex()
    lines = [json.dumps({"evidence": good}), json.dumps({"evidence": good * 40}), json.dumps({"evidence": good})]
    store.run([store.write("in.jsonl", "\n".join(lines).encode())], "out.jsonl")
    assert [row["code"] for row in store.rows("out.jsonl")] == [None, "evidence-malformed", None]
    text = "evidence\n" + "\n".join([good, good * 40, good])
    store.run([store.write("in.csv", text.encode())], "out.jsonl")
    assert [row["code"] for row in store.rows("out.jsonl")] == [None, "evidence-malformed", None]


def test_a_directory_full_of_traps(store: Store) -> None:
    root = store.path("dir")
    (root / "nested.bin").mkdir(parents=True)
    (root / "nested.bin" / "a.bin").write_bytes(store.reports[0])
    (root / "empty.bin").write_bytes(b"")
    (root / "link.bin").symlink_to("nested.bin/a.bin")
    (root / "zero.bin").symlink_to("/dev/zero")
    (root / "loop").symlink_to(".")
    (root / "UPPER.BIN").write_bytes(store.reports[0])
    os.mkfifo(root / "fifo.bin")
    Path(os.fsdecode(os.fsencode(root) + b"/\xff.bin")).write_bytes(store.reports[3])
    with (root / "huge.bin").open("wb") as file:
        file.truncate(1 << 34)
    outcome = store.run([root], "out.jsonl", kind="sev-snp")
    assert [(row["source"], row["code"]) for row in store.rows("out.jsonl")] == [
        ("empty.bin", "report-length-invalid"),
        ("fifo.bin", "evidence-missing"),
        ("huge.bin", "report-length-invalid"),
        ("link.bin", None),
        ("nested.bin/a.bin", None),
        ("zero.bin", "evidence-missing"),
        ("\\xff.bin", "report-signature-invalid"),
    ]
    assert (outcome.broken, outcome.ignored) == ([], 2)  # loop and UPPER.BIN


def test_a_member_of_a_tar_that_is_no_file(store: Store) -> None:
    with tarfile.open(store.path("in.tar"), "w") as file:
        for name, kind, data in (("l.bin", tarfile.SYMTYPE, b""), ("g.bin", tarfile.REGTYPE, store.reports[0])):
            info = tarfile.TarInfo(name)
            info.type, info.size, info.linkname = kind, len(data), "/etc/passwd"
            file.addfile(info, io.BytesIO(data))
    store.run([store.path("in.tar")], "out.jsonl")
    assert [row["code"] for row in store.rows("out.jsonl")] == ["evidence-missing", None]


# ---- what is carried -------------------------------------------------------------------------------------------------


MOMENT = datetime(2025, 6, 20, 12, 30, 0, 250000, tzinfo=timezone.utc)
CARRIED = pa.table(
    {
        "i": pa.array([1, None], pa.int8()),
        "u": pa.array([(1 << 64) - 1, None], pa.uint64()),
        "f": pa.array([0.5, float("nan")]),
        "b": pa.array([True, None]),
        "s": pa.array(['é,"\n', None]),
        "raw": pa.array([b"\x00\xff", None], pa.binary()),
        "t": pa.array([MOMENT, None], pa.timestamp("us", "UTC")),
        "ns": pa.array([int(MOMENT.timestamp()) * 10**9 + 250000001, None], pa.timestamp("ns")),
        "d": pa.array([Decimal("1.50"), None]),
        "day": pa.array([MOMENT.date(), None]),
        "list": pa.array([[1, 2], None]),
        "struct": pa.array(
            [{"a": [b"\x01"], "b": None}, None], pa.struct([("a", pa.list_(pa.binary())), ("b", pa.string())])
        ),
        "dict": pa.array(["x", None]).dictionary_encode(),
        "span": pa.array([timedelta(seconds=1), None]),
    }
)


def test_carried_values_keep_their_types(store: Store) -> None:
    table = CARRIED.append_column("evidence", pa.array(store.reports[:2], pa.binary()))
    pq.write_table(table, store.path("in.parquet"))
    store.run([store.path("in.parquet")], "out.parquet")
    written = pq.read_table(store.path("out.parquet"))
    read = pq.read_table(store.path("in.parquet"))
    for name in CARRIED.column_names:
        assert written.schema.field(name).type == read.schema.field(name).type
        if name != "f":
            assert written.column(name).equals(read.column(name)), name
    store.run([store.path("in.parquet")], "out.jsonl")
    first, second = store.rows("out.jsonl")
    assert first["u"] == (1 << 64) - 1
    assert (first["i"], first["f"], first["b"], first["s"]) == (1, 0.5, True, 'é,"\n')
    assert (first["raw"], first["t"]) == ("00ff", "2025-06-20T12:30:00.250000Z")
    assert first["ns"] == "2025-06-20T12:30:00.250000001"
    assert (first["d"], first["day"], first["list"]) == ("1.50", "2025-06-20", [1, 2])
    assert (first["struct"], first["dict"]) == ({"a": ["01"], "b": None}, "x")
    assert second["f"] == "NaN"
    assert all(second[name] is None for name in CARRIED.column_names if name != "f")
    store.run([store.path("in.parquet")], "out.csv")
    with store.path("out.csv").open(newline="") as file:
        one, two = csv.DictReader(file)
    assert (one["b"], one["s"], one["raw"], one["list"]) == ("true", 'é,"\n', "00ff", "[1,2]")
    assert json.loads(one["struct"]) == {"a": ["01"], "b": None}
    assert two["s"] == two["i"] == ""


def test_json_values_pass_through_as_they_are(store: Store) -> None:
    values: list[Any] = [1, "1", 1.5, None, True, [1, "a"], {"b": {"c": []}}, 1 << 80, "\u2028é"]
    lines = [json.dumps({"evidence": store.reports[0].hex(), "x": value}) for value in values]
    lines.append(json.dumps({"evidence": store.reports[0].hex()}))
    store.run([store.write("in.jsonl", "\n".join(lines).encode())], "out.jsonl")
    rows = store.rows("out.jsonl")
    assert [row.get("x", "absent") for row in rows] == [*values, "absent"]
    assert [type(row.get("x")) for row in rows[:9]] == [type(value) for value in values]
    store.run([store.path("in.jsonl")], "out.parquet")
    assert [json.loads(row["x"]) if row["x"] else None for row in store.rows("out.parquet")] == [*values, None]


def test_text_that_is_no_utf_8_does_not_stop_a_run(store: Store) -> None:
    bad = pa.Array.from_buffers(pa.string(), 1, [None, pa.py_buffer(b"\0\0\0\0\2\0\0\0"), pa.py_buffer(b"\xff\xfe")])
    for name in ("note", "kind", "at", "certs"):
        columns = {"evidence": pa.array(store.reports[:1], pa.binary()), name: bad}
        pq.write_table(pa.table(columns), store.path("in.parquet"))
        assert store.run([store.path("in.parquet")], "out.jsonl").tally.rows == 1


@pytest.mark.parametrize("out", OUTS)
def test_claims(store: Store, out: str) -> None:
    table = pa.table({"evidence": pa.array([store.reports[0], b"short", None], pa.binary())})
    pq.write_table(table, store.path("in.parquet"))
    store.run([store.path("in.parquet")], out, claims=True)
    verdict = Verifier(roots=store.roots).verify(store.reports[0], certs=store.all_vceks, at=AT_SECONDS)
    assert verdict.claims is not None
    if out == "out.csv":
        with store.path(out).open(newline="") as file:
            first, second, _ = csv.DictReader(file)
        assert first["measurement"] == verdict.claims["measurement"]
        assert json.loads(first["policy"]) == verdict.claims["policy"]
        assert second["measurement"] == ""
        return
    first, second, _ = store.rows(out)
    for name, value in verdict.claims.items():
        got = first[name]
        if isinstance(got, dict):
            got = {key: part.hex() if isinstance(part, bytes) else part for key, part in got.items()}
        assert (got.hex() if isinstance(got, bytes) else got) == value, name
        nothing = second[name].values() if isinstance(second[name], dict) else [second[name]]
        assert not any(part for part in nothing), name


# ---- names -----------------------------------------------------------------------------------------------------------


def test_map_reads_inputs_and_renames_what_is_carried(store: Store) -> None:
    table = pa.table(
        {
            "report": pa.array(store.reports[:1], pa.binary()),
            "when": pa.array([LATE]),
            "evidence": ["carried now"],
            "accepted": [7],
            "at": ["carried too"],
        }
    )
    pq.write_table(table, store.path("in.parquet"))
    pairs = ["evidence=report", "at=when", "was_accepted=accepted"]
    for out in ("out.parquet", "out.jsonl"):
        store.run([store.path("in.parquet")], out, map=pairs)
        (row,) = store.rows(out)
        assert (row["evidence"], row["at"], row["was_accepted"]) == ("carried now", "carried too", 7)
        assert row["codes"] == ["certificate-expired"]
        assert "report" not in row
        assert "when" not in row
    line = {"report": store.reports[0].hex(), "accepted": 7, "when": LATE, "evidence": "carried now"}
    store.run([store.write("in.jsonl", json.dumps(line).encode())], "out.jsonl", map=pairs)
    (row,) = store.rows("out.jsonl")
    assert (row["evidence"], row["was_accepted"], row["code"]) == ("carried now", 7, "certificate-expired")


@pytest.mark.parametrize("name", ["accepted", "code", "codes", "tcb_status", "evaluated_at", "measurement"])
def test_a_carried_column_with_the_name_of_a_result(store: Store, name: str) -> None:
    pq.write_table(
        pa.table({"evidence": pa.array(store.reports[:1], pa.binary()), name: [1]}), store.path("in.parquet")
    )
    store.write("in.jsonl", json.dumps({"evidence": store.reports[0].hex(), name: 1}).encode())
    store.write("in.csv", f"evidence,{name}\n{store.reports[0].hex()},1\n".encode())
    claims = name == "measurement"
    for source in ("in.parquet", "in.jsonl", "in.csv"):
        for out in OUTS:
            with pytest.raises(UsageError, match=f"'{name}'.*--map"):
                store.run([store.path(source)], out, claims=claims)
            assert sorted(path.name for path in store.directory.glob("*out*")) == []
    if claims:
        assert store.run([store.path("in.parquet")], "out.parquet").tally.rows == 1


@pytest.mark.parametrize(
    ("pairs", "message"),
    [
        (["evidence=nowhere"], "nowhere"),
        (["at=nowhere"], "no source has a column 'nowhere'"),
        (["other=nowhere"], "no source has a column 'nowhere'"),
        (["evidence"], "expected NAME=COLUMN"),
        (["=x"], "expected NAME=COLUMN"),
        (["at=n", "at=m"], "mapped twice"),
        (["at=n", "kind=n"], "mapped twice"),
        (["kind=n"], "'n' is int64, which cannot be read as kind"),
    ],
)
def test_maps_that_make_no_sense(store: Store, pairs: list[str], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        store.run([as_parquet(store)], "out.parquet", map=pairs)


def test_two_columns_of_one_name(store: Store) -> None:
    evidence = pa.array(store.reports[:1], pa.binary())
    pq.write_table(
        pa.Table.from_arrays([evidence, pa.array([1]), pa.array([2])], ["evidence", "x", "x"]), store.path("in.parquet")
    )
    with pytest.raises(UsageError, match="two columns are called 'x'"):
        store.run([store.path("in.parquet")], "out.parquet")
    store.write("in.csv", b"evidence,x,x\n00,1,2\n")
    with pytest.raises(UsageError, match="two columns are called 'x'"):
        store.run([store.path("in.csv")], "out.parquet")


def test_chunks_have_bounds() -> None:
    sizes = [1] * 10_000 + [rows_module.CHUNK_BYTES] * 3 + [1]
    chunks = list(rows_module.batched_by_size((size, size) for size in sizes))
    assert [size for chunk in chunks for size in chunk] == sizes
    assert max(map(len, chunks)) == rows_module.CHUNK_ROWS
    assert max(map(sum, chunks)) < 2 * rows_module.CHUNK_BYTES


def test_a_new_column_on_every_line(store: Store) -> None:
    lines = (json.dumps({"evidence": "", f"x{n}": 1}) for n in range(5000))
    store.write("in.jsonl", "\n".join(lines).encode())
    with pytest.raises(UsageError, match="more than 4096 columns"):
        store.run([store.path("in.jsonl")], "out.parquet")
    assert store.run([store.path("in.jsonl")], "out.jsonl").tally.rows == 5000
