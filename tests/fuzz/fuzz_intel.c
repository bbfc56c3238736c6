/* SPDX-License-Identifier: Apache-2.0
 *
 * fuzz_intel.c: targets att_intel_cert_read, att_intel_crl_read and att_intel_chain_read. Invariants: a finding is always set and
 * points into the input; what passed has all that a chain relies on; a CRL that failed leaves no serials. */
#include <stdlib.h>

#include "tdx.h"

static void check_finding(const att_finding *finding, size_t size) {
	if (finding->code == ATT_NOT_RUN || (finding->code != ATT_PASS && finding->offset > size)) {
		abort();
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
	static att_serial serials[65536];
	att_intel_cert cert;
	att_intel_cert chain[3];
	att_intel_crl crl;
	uint64_t num = 0;
	att_intel_cert_read(data, size, &cert);
	check_finding(&cert.profile, size);
	if (cert.profile.code == ATT_PASS &&
	    (cert.role == ATT_INTEL_OTHER || cert.serial_len == 0 || cert.ski_len == 0 || cert.aki_len == 0 ||
	     cert.subject_len == 0 || cert.issuer_len == 0 || !att_intel_has_key(cert.key) ||
	     cert.not_after < cert.not_before || cert.root != -1)) {
		abort();
	}
	att_intel_crl_read(data, size, &crl, serials, sizeof serials / sizeof serials[0], &num);
	check_finding(&crl.profile, size);
	bool passed = crl.profile.code == ATT_PASS;
	if (crl.num_revoked != num || (!passed && num != 0) || (passed && crl.aki_len == 0)) {
		abort();
	}
	att_finding read = att_intel_chain_read(data, size, 3, ATT_CODE_COLLATERAL_MALFORMED, ATT_FIELD_CERT_SET, chain);
	check_finding(&read, size);
	for (int i = 0; read.code == ATT_PASS && i < 3; i++) {
		check_finding(&chain[i].profile, ATT_CERT_MAX_BYTES);
	}
	return 0;
}
