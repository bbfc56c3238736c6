// SPDX-License-Identifier: Apache-2.0

// How many reports a second go-sev-guest verifies; see ../../README.md for arguments and output.
package main

import (
	"crypto/x509"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"syscall"
	"time"

	"github.com/google/go-sev-guest/abi"
	spb "github.com/google/go-sev-guest/proto/sevsnp"
	"github.com/google/go-sev-guest/verify"
	"github.com/google/go-sev-guest/verify/trust"
)

const tamperedByte = 0x90 // the first of MEASUREMENT

type verifier struct {
	report []byte
	vcek   []byte
	leaf   *x509.Certificate
	roots  *trust.AMDRootCerts
	now    time.Time
}

// signature checks the report's own signature under a certificate that was parsed before.
func (v *verifier) signature(report []byte) error {
	return verify.SnpReportSignature(report, v.leaf)
}

// whole parses report and VCEK, verifies the chain to the given roots and then the report. Nothing is fetched.
func (v *verifier) whole(report []byte) error {
	parsed, err := abi.ReportToProto(report)
	if err != nil {
		return err
	}
	return verify.SnpAttestation(
		&spb.Attestation{
			Report:           parsed,
			CertificateChain: &spb.CertificateChain{VcekCert: v.vcek},
			Product:          &spb.SevProduct{Name: spb.SevProduct_SEV_PRODUCT_MILAN},
		},
		&verify.Options{
			DisableCertFetching: true,
			Now:                 v.now,
			Product:             &spb.SevProduct{Name: spb.SevProduct_SEV_PRODUCT_MILAN},
			TrustedRoots:        map[string][]*trust.AMDRootCerts{"Milan": {v.roots}},
		},
	)
}

// cpuTime is the CPU time of this process, its collector of garbage among it; it does not run while another process has the CPU.
func cpuTime() time.Duration {
	var usage syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &usage); err != nil {
		panic(err)
	}
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
}

// rate calls check on the report until the time is over, once it has proved that it tells right from wrong.
func rate(check func([]byte) error, report []byte, length time.Duration) (float64, error) {
	if err := check(report); err != nil {
		return 0, err
	}
	tampered := append([]byte(nil), report...)
	tampered[tamperedByte] ^= 1
	if err := check(tampered); err == nil {
		return 0, fmt.Errorf("a tampered report was accepted")
	}
	done := 0
	start := cpuTime()
	for cpuTime()-start < length {
		if err := check(report); err != nil {
			return 0, err
		}
		done++
	}
	return float64(done) / (cpuTime() - start).Seconds(), nil
}

func load(folder string, at int64) (*verifier, error) {
	files := map[string][]byte{"report.bin": nil, "vcek.der": nil, "ask.der": nil, "ark.der": nil}
	for name := range files {
		data, err := os.ReadFile(filepath.Join(folder, name))
		if err != nil {
			return nil, err
		}
		files[name] = data
	}
	leaf, err := trust.ParseCert(files["vcek.der"])
	if err != nil {
		return nil, err
	}
	roots := trust.AMDRootCertsProduct("Milan")
	if err := roots.Decode(files["ask.der"], files["ark.der"]); err != nil {
		return nil, err
	}
	return &verifier{files["report.bin"], files["vcek.der"], leaf, roots, time.Unix(at, 0)}, nil
}

func run(folder, at, seconds string) error {
	when, err := strconv.ParseInt(at, 10, 64)
	if err != nil {
		return err
	}
	length, err := time.ParseDuration(seconds + "s")
	if err != nil {
		return err
	}
	v, err := load(folder, when)
	if err != nil {
		return err
	}
	signature, err := rate(v.signature, v.report, length)
	if err != nil {
		return err
	}
	whole, err := rate(v.whole, v.report, length)
	if err != nil {
		return err
	}
	return json.NewEncoder(os.Stdout).Encode(map[string]float64{"signature": signature, "new chain": whole})
}

func main() {
	if len(os.Args) != 4 {
		fmt.Fprintln(os.Stderr, "usage: peer FOLDER UNIXTIME SECONDS")
		os.Exit(2)
	}
	if err := run(os.Args[1], os.Args[2], os.Args[3]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
