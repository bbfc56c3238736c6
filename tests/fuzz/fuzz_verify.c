/* SPDX-License-Identifier: Apache-2.0
 *
 * fuzz_verify.c: the whole judgement: a report (the first 1184 bytes, or fewer), then a blob of certificates; no trust anchors, so
 * nothing may ever be accepted. Invariant: every row is closed, refused, and says why. */
#include <stdlib.h>
#include <string.h>

#include "attest.h"

enum { MAX_CERTS = ATT_BLOB_MAX_CERTS };

/* Engines are listed whether this CPU can run them or not. */
static uint32_t first_usable(void) {
	uint32_t engine = 0;
	while (att_engine_name(engine) != NULL && att_engine_usable(engine) == 0) {
		engine++;
	}
	return engine;
}

static att_snp_set link_certs(const uint8_t *blob, size_t size, const att_snp_trust *trust, att_snp_leaf *leaves) {
	static att_snp_cert certs[MAX_CERTS];
	static uint32_t set_of[MAX_CERTS];
	uint32_t offsets[MAX_CERTS];
	uint32_t lens[MAX_CERTS];
	uint32_t first[2];
	att_snp_set set = {leaves, 0, {ATT_PASS, 0, 0}};
	uint8_t *der = malloc(size ? size : 1);
	int64_t num = der != NULL ? att_blob_open(blob, size, der, offsets, lens, MAX_CERTS, &set.error) : 0;
	for (int64_t i = 0; i < num; i++) {
		att_snp_cert_read(der + offsets[i], lens[i], &certs[i]);
	}
	uint64_t n = num > 0 ? (uint64_t)num : 0;
	uint64_t num_jobs = att_snp_chain_jobs(trust, certs, set_of, n, NULL);
	att_sig_job *jobs = calloc(num_jobs + 1, sizeof *jobs);
	if (jobs != NULL) {
		att_snp_chain_jobs(trust, certs, set_of, n, jobs);
		att_sig_run(first_usable(), jobs, num_jobs, NULL);
		set.num_leaves = (uint32_t)att_snp_chain_finish(trust, certs, set_of, n, 1, jobs, leaves, first, &set.error);
	}
	free(jobs);
	free(der);
	return set;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
	static int started;
	static att_snp_leaf leaves[MAX_CERTS];
	if (!started && att_init() != 0) {
		abort();
	}
	started = 1;
	size_t report_len = size < ATT_SNP_REPORT_LEN ? size : ATT_SNP_REPORT_LEN;
	att_snp_trust trust;
	att_snp_policy policy;
	memset(&trust, 0, sizeof trust);
	memset(&policy, 0, sizeof policy);
	policy.vmpls = 0xF;
	policy.allow_masked_chip_id = policy.allow_provisional = 1;
	att_snp_set set = link_certs(data + report_len, size - report_len, &trust, leaves);
	const uint8_t *rows[1] = {data};
	uint64_t lens[1] = {report_len};
	int64_t at[1] = {1700000000};
	att_snp_plan plan;
	memset(&plan, 0, sizeof plan);
	plan.reports.n = 1;
	plan.reports.ptrs = rows;
	plan.reports.lens = lens;
	plan.sets = &set;
	plan.num_sets = 1;
	plan.at = at;
	plan.trust = &trust;
	plan.policy = &policy;
	uint16_t codes[ATT_SNP_NUM_CHECKS];
	uint16_t code;
	uint8_t accepted, verified, parsed;
	uint32_t omissions;
	int32_t leaf, crl;
	int64_t valid_until;
	att_snp_columns out = {codes, &code, &accepted, &verified, &parsed, &omissions, &leaf, &crl, &valid_until, NULL, NULL, NULL, NULL};
	att_snp_work work[1];
	att_sig_job jobs[1];
	const int32_t ran = att_snp_verify(first_usable(), &plan, NULL, work, jobs, &out);
	if (ran != 0 || accepted || verified || code <= ATT_PASS || code == ATT_CODE_INTERNAL) {
		abort();
	}
	return 0;
}
