/* SPDX-License-Identifier: Apache-2.0
 *
 * ec_portable.c: engine `portable`: any CPU, one signature at a time, ECDSA jobs in chunks that share an inversion. Public data only,
 * variable time. */
#include <string.h>

#include "ec.h"
#include "rsa.h"

static const att_ec_curve *curve_of(uint32_t algorithm) {
	switch (algorithm) {
	case ATT_ECDSA_P256:
		return &att_ec_p256;
	case ATT_ECDSA_P384:
		return &att_ec_p384;
	default:
		return NULL;
	}
}

bool att_ec_on_curve(uint32_t algorithm, const uint8_t *xy) {
	const att_ec_curve *curve = curve_of(algorithm);
	return curve != NULL && curve->on_curve(xy);
}

const uint8_t *att_ec_order(uint32_t algorithm) {
	const att_ec_curve *curve = curve_of(algorithm);
	return curve != NULL ? curve->order : NULL;
}

void att_ec_init(void) {
	att_ec_p256.init();
	att_ec_p384.init();
}

static bool any_cpu(void) { return true; }

/* Collects the jobs of one curve, in order, into chunks. */
static void run_curve(uint32_t algorithm, const att_ec_curve *curve, att_sig_job *jobs, uint64_t num_jobs) {
	att_sig_job *chunk[ATT_EC_CHUNK];
	uint32_t filled = 0;
	for (uint64_t i = 0; i < num_jobs; i++) {
		if (jobs[i].algorithm == algorithm) {
			chunk[filled++] = &jobs[i];
		}
		if (filled == ATT_EC_CHUNK) {
			curve->verify(chunk, filled);
			filled = 0;
		}
	}
	curve->verify(chunk, filled);
}

static void run(att_sig_job *jobs, uint64_t num_jobs) {
	att_rsa_key last = {0};
	for (uint64_t i = 0; i < num_jobs; i++) {
		const bool valid = curve_of(jobs[i].algorithm) == NULL && att_rsa_verify(&jobs[i], &last);
		jobs[i].outcome = valid ? ATT_SIG_VALID : ATT_SIG_INVALID;
	}
	run_curve(ATT_ECDSA_P256, &att_ec_p256, jobs, num_jobs);
	run_curve(ATT_ECDSA_P384, &att_ec_p384, jobs, num_jobs);
}

const att_sig_engine att_engine_portable = {"portable", 1, any_cpu, run};
