// SPDX-License-Identifier: Apache-2.0

//! How many reports a second the crate sev verifies; see ../../../README.md for arguments and output.

use sev::certs::snp::{ca, Certificate, Chain, Verifiable};
use sev::firmware::guest::AttestationReport;
use sev::parser::ByteParser;
use std::io::Result;
use std::path::Path;

const TAMPERED_BYTE: usize = 0x90; // the first of MEASUREMENT

struct Evidence {
    report: Vec<u8>,
    vcek: Vec<u8>,
    ask: Vec<u8>,
    ark: Vec<u8>,
}

impl Evidence {
    fn load(folder: &Path) -> Result<Self> {
        let read = |name: &str| std::fs::read(folder.join(name));
        Ok(Self {
            report: read("report.bin")?,
            vcek: read("vcek.der")?,
            ask: read("ask.der")?,
            ark: read("ark.der")?,
        })
    }

    fn chain(&self) -> Result<Chain> {
        Ok(Chain {
            ca: ca::Chain {
                ark: Certificate::from_der(&self.ark)?,
                ask: Certificate::from_der(&self.ask)?,
            },
            vek: Certificate::from_der(&self.vcek)?,
        })
    }
}

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

/// Calls check on the report until the time is over, once it has proved that it tells right from wrong.
fn rate(check: impl Fn(&[u8]) -> Result<()>, report: &[u8], length: f64) -> Result<f64> {
    check(report)?;
    let mut tampered = report.to_vec();
    tampered[TAMPERED_BYTE] ^= 1;
    assert!(check(&tampered).is_err(), "a tampered report was accepted");
    let mut done = 0u32;
    let start = cpu_seconds();
    while cpu_seconds() - start < length {
        check(report)?;
        done += 1;
    }
    Ok(f64::from(done) / (cpu_seconds() - start))
}

fn main() -> Result<()> {
    let arguments: Vec<String> = std::env::args().collect();
    let [_, folder, _at, seconds] = arguments.as_slice() else {
        eprintln!("usage: peer FOLDER UNIXTIME SECONDS");
        std::process::exit(2);
    };
    let length: f64 = seconds.parse().expect("SECONDS is a number");
    let evidence = Evidence::load(Path::new(folder))?;
    let chain = evidence.chain()?;

    let signature = rate(
        |r| (&chain.vek, &AttestationReport::from_bytes(r)?).verify(),
        &evidence.report,
        length,
    )?;
    let known_chain = rate(
        |r| (&chain, &AttestationReport::from_bytes(r)?).verify(),
        &evidence.report,
        length,
    )?;
    let new_chain = rate(
        |r| (&evidence.chain()?, &AttestationReport::from_bytes(r)?).verify(),
        &evidence.report,
        length,
    )?;

    println!(
        r#"{{"signature": {signature}, "known chain": {known_chain}, "new chain": {new_chain}}}"#
    );
    Ok(())
}
