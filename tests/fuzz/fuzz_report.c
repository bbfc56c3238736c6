/* SPDX-License-Identifier: Apache-2.0
 *
 * fuzz_report.c: target att_snp_parse. Invariant: whatever the bytes, parse checks are set, no other check is, and fields are given
 * exactly for whole reports of a known version. */
#include <stdlib.h>

#include "attest.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
	att_snp_report report;
	att_finding findings[ATT_SNP_NUM_CHECKS];
	int32_t filled = att_snp_parse(size ? data : (const uint8_t *)"", size, size % 5, &report, findings);
	if (findings[ATT_SNP_CHECK_LENGTH].code == ATT_NOT_RUN || (filled && size != ATT_SNP_REPORT_LEN)) {
		abort();
	}
	for (int i = ATT_SNP_CHECK_TIME; i < ATT_SNP_NUM_CHECKS; i++) {
		if (findings[i].code != ATT_NOT_RUN) {
			abort();
		}
	}
	if (filled && (report.version < 2 || report.version > 6)) {
		abort();
	}
	return 0;
}
