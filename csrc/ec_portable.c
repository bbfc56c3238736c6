/* SPDX-License-Identifier: Apache-2.0
 *
 * ec_portable.c: engine `portable`: any CPU, one signature at a time. Public data only, variable time. */
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
	att_ec_p256.engine.init();
	att_ec_p384.engine.init();
}

static bool any_cpu(void) { return true; }

static void run(att_sig_job *jobs, uint64_t num_jobs, att_key_tables *tables) {
	att_rsa_key last = {0};
	for (uint64_t i = 0; i < num_jobs; i++) {
		if (curve_of(jobs[i].algorithm) == NULL) {
			jobs[i].outcome = att_rsa_verify(&jobs[i], &last) ? ATT_SIG_VALID : ATT_SIG_INVALID;
		}
	}
	att_curve_run(&att_ec_p256.engine, jobs, num_jobs, tables);
	att_curve_run(&att_ec_p384.engine, jobs, num_jobs, tables);
}

const att_sig_engine att_engine_portable = {"portable", 1, any_cpu, run};
