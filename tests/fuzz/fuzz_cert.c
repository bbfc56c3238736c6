/* SPDX-License-Identifier: Apache-2.0
 *
 * fuzz_cert.c: targets att_snp_cert_read and att_snp_crl_read. Invariant: a finding is always set and points into the input, and what
 * passed has the sizes that the chain relies on. */
#include <stdlib.h>

#include "attest.h"

static void check_finding(const att_finding *finding, size_t size) {
	if (finding->code == ATT_NOT_RUN || (finding->code != ATT_PASS && finding->offset > size)) {
		abort();
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
	static att_serial serials[65536];
	att_snp_cert cert;
	att_snp_crl crl;
	uint64_t num = 0;
	att_snp_cert_read(data, size, &cert);
	check_finding(&cert.profile, size);
	if (cert.profile.code == ATT_PASS && cert.role != ATT_SNP_OTHER) {
		int leaf = cert.role == ATT_SNP_VCEK || cert.role == ATT_SNP_VLEK;
		if (cert.key_len != (leaf ? 96 : 512) || cert.signature_len != 512 || cert.not_after < cert.not_before) {
			abort();
		}
	}
	att_snp_crl_read(data, size, &crl, serials, sizeof serials / sizeof serials[0], &num);
	check_finding(&crl.profile, size);
	if ((uint64_t)crl.first_revoked + crl.num_revoked > num) {
		abort();
	}
	return 0;
}
