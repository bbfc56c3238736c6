"""Chunks in, result columns out: the only place of the batch layer that calls the verifiers.

Each row goes to the verifier of its kind; what has none, and what could not be read, is refused here. Results leave
as columns in the order of the rows. A Judge may be used by any number of threads at once.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

import snpverify
from attestcore._lib import BLOB_MAX_BYTES
from attestcore.batch.kinds import HEAD_BYTES, SNP_REPORT_BYTES, detect
from attestcore.batch.refusals import EVIDENCE_MISSING, KIND_UNSUPPORTED
from attestcore.batch.rows import Chunk
from attestcore.batch.schema import EVALUATED_AT, RESULTS

SNP = "sev-snp"
# Scalars with their type: pyarrow takes long to find out the type of a Python value.
_SNP, _NO_KIND = pa.scalar(SNP, pa.string()), pa.scalar(None, pa.string())
_SNP_BYTES = pa.scalar(SNP_REPORT_BYTES, pa.int64())
_FALSE, _MICROSECONDS = pa.scalar(False, pa.bool_()), pa.scalar(10**6, pa.int64())


@dataclass(frozen=True, slots=True)
class Terms:
    """What evidence is judged by, the same for every row."""

    kind: str | None = None  # of every row; None: the row's own word, or detected
    policy: snpverify.Policy | None = None
    certs: Sequence[bytes] = ()
    crls: Sequence[bytes] = ()
    roots: Sequence[bytes] | None = None
    product: str | None = None
    claims: bool = False


class Judge:
    """Raises ValueError when the terms or the engine cannot be used."""

    def __init__(self, terms: Terms, engine: str | None = None) -> None:
        self._terms = terms
        self._snp = snpverify.Verifier(
            policy=terms.policy, roots=terms.roots, crls=terms.crls, product=terms.product, engine=engine
        )
        self.engine = self._snp.engine
        nothing = self._snp.verify_batch([], at=0, claims=terms.claims).to_arrow(claims=terms.claims)
        known = set(RESULTS.names)
        self._claims = pa.schema([item for item in nothing.schema if item.name not in known])
        self.schema = pa.schema([*RESULTS, *self._claims])

    def __call__(self, chunk: Chunk) -> pa.RecordBatch:
        """One result row for each row of the chunk."""
        kinds = self._kinds(chunk)
        judged = pc.fill_null(pc.equal(kinds, _SNP), _FALSE)
        if not chunk.faults and judged.true_count == len(judged):
            return self._judge_snp(chunk)
        mine = [row for row, is_snp in enumerate(judged.to_pylist()) if is_snp and row not in chunk.faults]
        there = set(mine)
        others = [row for row in range(chunk.rows) if row not in there]
        results = pa.Table.from_batches(
            [
                self._judge_snp(chunk.take(mine)),
                self._refuse(chunk.take(others), kinds.take(pa.array(others, pa.int64()))),
            ]
        )
        place = {row: index for index, row in enumerate(mine + others)}
        order = pa.array([place[row] for row in range(chunk.rows)], pa.int64())
        return _one_batch(results.take(order))

    def _kinds(self, chunk: Chunk) -> pa.Array:
        """The kind of every row; null where nobody says it and it cannot be told."""
        fixed = self._terms.kind
        if fixed is not None:
            return (
                _repeat(fixed, chunk.rows)
                if chunk.kinds is None
                else pc.fill_null(chunk.kinds, pa.scalar(fixed, pa.string()))
            )
        lengths = chunk.lengths()
        of_length = pc.if_else(pc.equal(lengths, _SNP_BYTES), _SNP, _NO_KIND)
        kinds = of_length if chunk.kinds is None else pc.coalesce(chunk.kinds, of_length)
        if kinds.null_count == 0:
            return kinds
        told = [
            detect(length, chunk.head(row, HEAD_BYTES)) if kind is None and length else kind
            for row, (kind, length) in enumerate(zip(kinds.to_pylist(), lengths.to_pylist(), strict=True))
        ]
        return pa.array(told, pa.string())

    def _judge_snp(self, chunk: Chunk) -> pa.RecordBatch:
        certs, index = self._sets(chunk.certs)
        claims = self._terms.claims
        results = self._snp.verify_batch(chunk.evidence, certs=certs, certs_index=index, at=chunk.at, claims=claims)
        table = results.to_arrow(claims=claims)
        if table.num_rows != chunk.rows:
            raise RuntimeError(f"{chunk.rows} rows were judged, but {table.num_rows} results came back")
        columns = [_of_type(table.column(item.name), item.type) for item in self.schema]
        return _one_batch(pa.Table.from_arrays(columns, schema=self.schema))

    def _sets(self, certs: pa.Array | None) -> tuple[Any, Any]:
        """The row's own set, and whatever was given for all rows besides it."""
        shared = list(self._terms.certs)
        if certs is None or certs.null_count == len(certs):
            return shared, None
        if not shared:
            return certs, None
        coded = certs if pa.types.is_dictionary(certs.type) else certs.dictionary_encode()
        sets = [cell if len(cell) > BLOB_MAX_BYTES else [cell, *shared] for cell in coded.dictionary.to_pylist()]
        index = pc.fill_null(coded.indices.cast(pa.int64()), len(sets))
        return [*sets, shared], index.to_pylist()

    def _refuse(self, chunk: Chunk, kinds: pa.Array) -> pa.RecordBatch:
        missing = pc.is_null(chunk.lengths()).to_pylist()
        codes = [
            chunk.faults.get(row, EVIDENCE_MISSING if missing[row] else KIND_UNSUPPORTED) for row in range(chunk.rows)
        ]
        columns = {
            "kind": kinds,
            "accepted": _repeat(False, chunk.rows),
            "code": pa.array(codes, pa.string()),
            "codes": pa.array([[code] for code in codes], pa.list_(pa.string())),
            "tcb_status": pa.nulls(chunk.rows, pa.string()),
            "evaluated_at": pc.multiply(chunk.at, _MICROSECONDS).cast(EVALUATED_AT),
        }
        claims = [pa.nulls(chunk.rows, item.type) for item in self._claims]
        return pa.RecordBatch.from_arrays([*columns.values(), *claims], schema=self.schema)


def _of_type(column: pa.ChunkedArray, kind: pa.DataType) -> pa.ChunkedArray:
    return column if column.type.equals(kind) else column.cast(kind)


def _repeat(value: object, rows: int) -> pa.Array:
    return pa.repeat(pa.scalar(value), rows)


def _one_batch(table: pa.Table) -> pa.RecordBatch:
    batches = table.to_batches()
    if len(batches) > 1:
        batches = table.combine_chunks().to_batches()  # results alone, a few thousand rows
    return batches[0] if batches else pa.RecordBatch.from_pylist([], schema=table.schema)
