// SPDX-License-Identifier: Apache-2.0

//! How many signatures a second aws-lc-rs verifies, keys parsed: of a report, and bare ones; see ../../../README.md for arguments and output.

use aws_lc_rs::digest::{Algorithm, Digest, SHA256, SHA384};
use aws_lc_rs::signature::{
    EcdsaVerificationAlgorithm, ParsedPublicKey, ECDSA_P256_SHA256_FIXED, ECDSA_P384_SHA384_FIXED,
};
use std::path::Path;

const SIGNED: usize = 0x2A0; // R stands here and S 72 bytes on, each 48 bytes, little-endian
const TAMPERED_BYTE: usize = 0x90; // the first of MEASUREMENT

/// CPU time of this process, which does not run while another process has the CPU.
fn cpu_seconds() -> f64 {
    let mut now = libc::timespec {
        tv_sec: 0,
        tv_nsec: 0,
    };
    // SAFETY: the pointer is to a timespec of ours, which the call fills.
    let status = unsafe { libc::clock_gettime(libc::CLOCK_PROCESS_CPUTIME_ID, &mut now) };
    assert_eq!(status, 0, "no clock of CPU time");
    now.tv_sec as f64 + now.tv_nsec as f64 / 1e9
}

fn holds(key: &ParsedPublicKey, report: &[u8]) -> bool {
    let mut signature = [0; 96];
    for (half, at) in [(0, SIGNED), (48, SIGNED + 72)] {
        signature[half..half + 48].copy_from_slice(&report[at..at + 48]);
        signature[half..half + 48].reverse();
    }
    key.verify_sig(&report[..SIGNED], &signature).is_ok()
}

/// Calls of `run` a second, each worth `items`.
fn rate(length: f64, items: usize, mut run: impl FnMut()) -> f64 {
    let mut done = 0usize;
    let start = cpu_seconds();
    while cpu_seconds() - start < length {
        run();
        done += items;
    }
    done as f64 / (cpu_seconds() - start)
}

struct Bare {
    key: ParsedPublicKey,
    digest: Digest,
    signature: Vec<u8>,
}

/// Rows of X, Y, digest, r, s.
fn bare(
    rows: &[u8],
    size: usize,
    scheme: &'static EcdsaVerificationAlgorithm,
    hash: &'static Algorithm,
    length: f64,
) -> f64 {
    let mut rows: Vec<Bare> = rows
        .chunks_exact(5 * size)
        .map(|row| {
            let point = [&[4u8], &row[..2 * size]].concat();
            Bare {
                key: ParsedPublicKey::new(scheme, point).expect("a point of the curve"),
                digest: Digest::import_less_safe(&row[2 * size..3 * size], hash).expect("a digest"),
                signature: row[3 * size..].to_vec(),
            }
        })
        .collect();
    let holds = |row: &Bare| row.key.verify_digest_sig(&row.digest, &row.signature).is_ok();
    assert!(rows.iter().all(holds), "a signature was refused");
    let n = rows.len();
    let found = rate(length, n, || assert!(rows.iter().all(holds)));
    rows[0].signature[2 * size - 1] ^= 1;
    assert!(!holds(&rows[0]), "a tampered signature was accepted");
    found
}

fn main() {
    let arguments: Vec<String> = std::env::args().collect();
    let [_, folder, _at, seconds] = arguments.as_slice() else {
        eprintln!("usage: peer FOLDER UNIXTIME SECONDS");
        std::process::exit(2);
    };
    let length: f64 = seconds.parse().expect("SECONDS is a number");
    let read = |name: &str| std::fs::read(Path::new(folder).join(name)).expect(name);
    let (report, point) = (read("report.bin"), read("point.bin"));
    let key = ParsedPublicKey::new(&ECDSA_P384_SHA384_FIXED, &point).expect("a point of P-384");

    assert!(holds(&key, &report), "the report was refused");
    let mut tampered = report.clone();
    tampered[TAMPERED_BYTE] ^= 1;
    assert!(!holds(&key, &tampered), "a tampered report was accepted");

    let signature = rate(length, 1, || {
        std::hint::black_box(holds(&key, &report));
    });
    let p384 = bare(&read("p384.bin"), 48, &ECDSA_P384_SHA384_FIXED, &SHA384, length);
    let p256 = bare(&read("p256.bin"), 32, &ECDSA_P256_SHA256_FIXED, &SHA256, length);
    println!(r#"{{"signature": {signature}, "P-384": {p384}, "P-256": {p256}}}"#);
}
