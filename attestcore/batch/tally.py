"""Counts of a run."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

import pyarrow as pa
import pyarrow.compute as pc

from attestcore.batch.refusals import ABSENT


@dataclass(slots=True)
class Tally:
    rows: int = 0
    accepted: int = 0
    failed: int = 0  # a check failed
    lacking: int = 0  # not accepted, only because certificates or collateral were absent
    codes: Counter[str] = field(default_factory=Counter)

    def add(self, results: pa.RecordBatch) -> None:
        accepted = pc.sum(results.column("accepted"), min_count=0).as_py()
        self.rows += results.num_rows
        self.accepted += accepted
        if accepted == results.num_rows:
            return
        codes = results.column("codes")
        refused = codes.filter(pc.invert(results.column("accepted")))
        flat = refused.flatten()
        present = pc.invert(pc.is_in(flat, value_set=pa.array(sorted(ABSENT))))
        failed = pc.count_distinct(pc.list_parent_indices(refused).filter(present)).as_py()
        # A refused row without a code would be a contradiction; it must not pass for one that merely lacks something.
        failed += pc.sum(pc.equal(pc.list_value_length(refused), 0), min_count=0).as_py()
        self.failed += failed
        self.lacking += len(refused) - failed
        for item in pc.value_counts(flat).to_pylist():
            self.codes[item["values"]] += item["counts"]
