"""Builds the peers, runs them and us in turns on one CPU, and prints a table: python benches/peers/run.py [--quick] [--json FILE]

A peer whose toolchain is absent, or that does not build, is left out with the reason. See ../README.md.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import warnings
import zipfile
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))

import corpus  # noqa: E402
import rounds  # noqa: E402
from cryptography import x509  # noqa: E402
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat  # noqa: E402

from attestcore import signatures  # noqa: E402

MEASURES = ("P-384", "P-256", "RSA-4096", "signature", "known chain", "new chain", "batch")
REPEATS = (8, 64, 4096)  # signatures a key, beside one
_CRYPTO_MB = "2026.2.0"
_REASON_LINES = 3
_TRIAL = "0.001"  # seconds: enough to see that a program runs, accepts the report and refuses a tampered one


class AbsentError(Exception):
    """Why a peer cannot be run here."""


def _output(*argv: str | Path, cwd: Path = HERE) -> str:
    """What a command prints; AbsentError, with the end of what it said, when it is not there or fails."""
    try:
        run = subprocess.run([str(part) for part in argv], cwd=cwd, capture_output=True, text=True, check=False)
    except FileNotFoundError as error:
        raise AbsentError(f"{argv[0]} is not installed") from error
    if run.returncode != 0:
        said = [line.strip() for line in (run.stderr or run.stdout).splitlines() if line.strip()]
        raise AbsentError(f"{argv[0]} {argv[1]}: {' / '.join(said[-_REASON_LINES:])}")
    return run.stdout


def _version(file: str, pattern: str) -> str:
    found = re.search(pattern, (HERE / file).read_text(encoding="utf-8"))
    if found is None:
        raise AbsentError(f"{file} names no version")
    return found.group(1)


def _locked(crate: str, package: str) -> str:
    return _version(f"{crate}/Cargo.lock", rf'name = "{package}"\nversion = "([^"]+)"')


# ---- peers: build() gives the command to run, before its arguments -----------------------------------------------------


@dataclass(frozen=True, slots=True)
class Peer:
    name: str
    build: Callable[[Path], list[str]]
    extra: tuple[str, ...] = ()  # arguments after the usual ones


def _go(folder: Path) -> list[str]:
    program = folder / "go_sev_guest"
    source = folder / "go_sev_guest.src"  # go.mod names the peer alone; what it needs is resolved in the copy
    shutil.copytree(HERE / "go_sev_guest", source, dirs_exist_ok=True)
    _output("go", "mod", "tidy", cwd=source)
    _output("go", "build", "-o", program, ".", cwd=source)
    return [str(program)]


def _cargo(crate: str, *options: str) -> Callable[[Path], list[str]]:
    def build(folder: Path) -> list[str]:
        target = folder / "-".join((crate, *options)).replace("--features-", "")
        _output(
            "cargo", "build", "--quiet", "--release", "--locked", "--target-dir", target, *options, cwd=HERE / crate
        )
        return [str(target / "release" / "peer")]

    return build


def _crypto_mb(folder: Path) -> list[str]:
    """Library and headers out of the two wheels that hold them; the wheels are unpacked, never installed."""
    wheels, unpacked, program = folder / "crypto_mb.wheels", folder / "crypto_mb", folder / "crypto_mb_peer"
    if not unpacked.exists():
        names = [f"ipp-crypto-{part}=={_CRYPTO_MB}" for part in ("static", "include")]
        _output(
            sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--only-binary=:all:", "-d", wheels, *names
        )
        for wheel in wheels.glob("*.whl"):
            with zipfile.ZipFile(wheel) as archive:
                archive.extractall(unpacked)
    headers = [path.parent.parent for path in unpacked.rglob("crypto_mb/cpu_features.h")]
    libraries = list(unpacked.rglob("libcrypto_mb.a"))
    if not headers or not libraries:
        raise AbsentError("the wheels hold no crypto_mb")
    source = HERE / "crypto_mb" / "peer.c"
    options = ("-std=gnu11", "-O2", "-DBN_OPENSSL_DISABLE", f"-I{headers[0]}")
    _output("cc", *options, source, libraries[0], "-o", program)
    return [str(program)]


def _openssl(folder: Path) -> list[str]:
    _output("pkg-config", "--exists", "--print-errors", "openssl")
    return _cargo("sev", "--features", "openssl")(folder)


def _python(program: str) -> Callable[[Path], list[str]]:
    return lambda _: [sys.executable, str(HERE / program)]


def _toolchain(*argv: str) -> str:
    try:
        return _output(*argv).strip()
    except AbsentError as error:
        return str(error)


def _peers(engine: str) -> list[Peer]:
    sev = _locked("sev", "sev")
    return [
        Peer(f"attestcore, {engine}", _python("python_attestcore.py"), (engine,)),
        Peer("cryptography (Python)", _python("python_cryptography.py")),
        Peer(f"go-sev-guest {_version('go_sev_guest/go.mod', r'go-sev-guest (v[0-9.]+)')} (Go)", _go),
        Peer(f"sev {sev}, OpenSSL (Rust)", _openssl),
        Peer(f"sev {sev}, crypto_nossl (Rust)", _cargo("sev", "--features", "nossl")),
        Peer(f"aws-lc-rs {_locked('aws_lc', 'aws-lc-rs')} (Rust)", _cargo("aws_lc")),
        Peer(f"crypto_mb {_CRYPTO_MB} (C)", _crypto_mb),
    ]


# ---- a run -------------------------------------------------------------------------------------------------------------


def _write_evidence(folder: Path) -> None:
    """The real report and the certificates of its chain, in the form that needs no reading."""
    warnings.simplefilter("ignore")  # AMD's certificates have the serial number 0, and every load says so
    report, vcek = corpus.milan()
    leaf = x509.load_der_x509_certificate(vcek)
    point = leaf.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
    files = {"report.bin": report, "vcek.der": vcek, "point.bin": point}
    for name in ("ask", "ark"):
        pem = (corpus.SHIPPED_ROOTS / f"{name}-milan.pem").read_bytes()
        files[f"{name}.der"] = x509.load_pem_x509_certificate(pem).public_bytes(Encoding.DER)
    for curve in ("P-384", "P-256"):
        stem = curve.replace("-", "").lower()
        for repeats in (1, *REPEATS):
            rows = corpus.signatures(curve, 4096 if repeats == max(REPEATS) else 256, repeats).rows()
            files[f"{stem}{'' if repeats == 1 else f'-{repeats}'}.bin"] = b"".join(b"".join(row) for row in rows)
    rsa = corpus.rsa_signatures(64)
    files |= {"rsa.spki": rsa.spki, "rsa.digests": rsa.digests, "rsa.sigs": rsa.sigs}
    for name, data in files.items():
        (folder / name).write_bytes(data)


def _measure(commands: dict[str, list[str]], times: int) -> dict[str, dict[str, float]]:
    """Rates a program and measure: the medians of so many runs, the programs taking turns."""
    found: dict[str, dict[str, list[float]]] = {name: {} for name in commands}
    for _ in range(times):
        for name, command in commands.items():
            for measure, rate in json.loads(_output(*command)).items():
                found[name].setdefault(measure, []).append(rate)
    return {
        name: {measure: statistics.median(rates) for measure, rates in by_measure.items()}
        for name, by_measure in found.items()
    }


def _cell(rate: float | None, base: float | None) -> str:
    if rate is None:
        return "-"
    return f"{rate:.0f}" + (f" ({rate / base:.2f})" if base else "")


def _table(rates: dict[str, dict[str, float]], ours: str) -> Iterable[str]:
    line = "{:<34}" + " {:>15}" * len(MEASURES)
    yield line.format("verifications a CPU second", *MEASURES)
    for name, by_measure in rates.items():
        base = None if name == ours else rates.get(ours, {})
        yield line.format(name, *(_cell(by_measure.get(m), base.get(m) if base else None) for m in MEASURES))


def _keys_that_come_again(rates: dict[str, dict[str, float]], ours: str) -> Iterable[str]:
    """What keys that come again give us, as times the rate of each peer that verifies bare signatures."""
    for curve in ("P-384", "P-256"):
        peers = {name: by_measure[curve] for name, by_measure in rates.items() if name != ours and curve in by_measure}
        for repeats in (1, *REPEATS):
            rate = rates[ours].get(curve if repeats == 1 else f"{curve}, {repeats} a key")
            if rate is not None:
                said = "; ".join(f"{rate / peer:.2f} x {name}" for name, peer in peers.items())
                yield f"{curve}, {repeats:>4} a key: {rate:>8.0f}  {said}"
    if "RSA-4096" in rates[ours]:
        peers = {
            name: by_measure["RSA-4096"]
            for name, by_measure in rates.items()
            if name != ours and "RSA-4096" in by_measure
        }
        said = "; ".join(f"{rates[ours]['RSA-4096'] / peer:.2f} x {name}" for name, peer in peers.items())
        yield f"RSA-4096 PSS:      {rates[ours]['RSA-4096']:>8.0f}  {said}"


def main(argv: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description="Measures attestcore beside other verifiers.")
    parser.add_argument("--quick", action="store_true", help="fewer and shorter rounds")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the numbers there as well")
    parser.add_argument("--engine", default=signatures.engines()[0], choices=signatures.engines(), help="ours")
    parser.add_argument("--build-dir", type=Path, default=corpus.ROOT / "build" / "peers", help="default: build/peers")
    options = parser.parse_args(argv)
    options.build_dir.mkdir(parents=True, exist_ok=True)
    tools = {
        "go": _toolchain("go", "version"),
        "rust": _toolchain("rustc", "--version"),
        "openssl": _toolchain("pkg-config", "--modversion", "openssl"),
    }
    about = {**rounds.machine(), **tools}
    for name, value in about.items():
        print(f"{name + ':':<14} {value}")
    times, seconds = (2, "0.2") if options.quick else (5, "0.5")
    with tempfile.TemporaryDirectory(prefix="attestcore-peers-") as folder:
        _write_evidence(Path(folder))
        evidence = [folder, str(corpus.AT_SECONDS)]
        commands, absent = {}, {}
        peers = _peers(options.engine)
        for peer in peers:
            try:
                program = peer.build(options.build_dir)
                _output(*program, *evidence, _TRIAL, *peer.extra)
                commands[peer.name] = [*program, *evidence, seconds, *peer.extra]
            except AbsentError as error:
                absent[peer.name] = str(error)
        if hasattr(os, "sched_setaffinity"):
            os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})  # inherited by every program
        rates = _measure(commands, times)
    print()
    for text in _table(rates, peers[0].name):
        print(text)
    if peers[0].name in rates:
        print("\nOurs, by how many signatures each key made")
        for text in _keys_that_come_again(rates, peers[0].name):
            print(text)
    print("\nIn brackets: times our rate. Medians of", times, "rounds on one CPU.")
    for name, reason in absent.items():
        print(f"{name}: left out: {reason}")
    if options.json:
        text = json.dumps({**about, "rates": rates, "absent": absent}, indent=1, ensure_ascii=False)
        options.json.write_text(text + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
