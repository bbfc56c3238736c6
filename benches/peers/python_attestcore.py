"""How many reports and bare signatures a second attestcore verifies; see ../README.md for arguments and output. One argument more: the
engine."""

from __future__ import annotations

import hashlib
import json
import sys
from pathlib import Path

from clock import Bare, Evidence, rate, repeat

import snpverify
from attestcore import signatures

_SIGNED = 0x2A0  # R stands here and S 72 bytes on, each 48 bytes, little-endian
_BATCH = 256


def main(folder: str, at: str, seconds: str, engine: str) -> None:
    evidence, length, when = Evidence.load(folder), float(seconds), int(at)
    key = (Path(folder) / "point.bin").read_bytes()[1:]
    warm = snpverify.Verifier(engine=engine)
    cold = snpverify.Verifier(engine=engine, cache_bytes=0)
    certs = [evidence.vcek]

    def signature(report: bytes) -> bool:
        digest = hashlib.sha384(report[:_SIGNED]).digest()
        r, s = (report[offset : offset + 48][::-1] for offset in (_SIGNED, _SIGNED + 72))
        return signatures.verify_ecdsa("P-384", key, digest, r + s, engine) == b"\1"

    def batch(report: bytes) -> bool:
        return all(warm.verify_batch([report] * _BATCH, certs=certs, at=when).accepted)

    def bare(rows: Bare) -> float:
        def run(sigs: bytes) -> bool:
            return signatures.verify_ecdsa(rows.curve, rows.keys, rows.digests, sigs, engine) == b"\1" * rows.n

        return repeat(run, rows.sigs, rows.n, length)

    rsa = Bare.rsa(folder)

    def rsa_pss(sigs: bytes) -> bool:
        return signatures.verify_rsa("pss-sha384", rsa.keys, rsa.digests, sigs, engine) == b"\1" * rsa.n

    rates = {
        **{name: bare(rows) for name, rows in Bare.load(folder)},
        "RSA-4096": repeat(rsa_pss, rsa.sigs, rsa.n, length),
        "signature": rate(signature, evidence.report, length),
        "known chain": rate(lambda report: warm.verify(report, certs=certs, at=when).accepted, evidence.report, length),
        "new chain": rate(lambda report: cold.verify(report, certs=certs, at=when).accepted, evidence.report, length),
        "batch": _BATCH * rate(batch, evidence.report, length),
    }
    print(json.dumps(rates))


if __name__ == "__main__":
    main(*sys.argv[1:])
