// SPDX-License-Identifier: Apache-2.0

//! How many signatures of a report a second aws-lc-rs verifies, its key parsed; see ../../../README.md for arguments and output.

use aws_lc_rs::signature::{ParsedPublicKey, ECDSA_P384_SHA384_FIXED};
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

    let mut done = 0u32;
    let start = cpu_seconds();
    while cpu_seconds() - start < length {
        std::hint::black_box(holds(&key, &report));
        done += 1;
    }
    let rate = f64::from(done) / (cpu_seconds() - start);
    println!(r#"{{"signature": {rate}}}"#);
}
