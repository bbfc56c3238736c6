/* SPDX-License-Identifier: Apache-2.0
 *
 * lanes_avx2x4.c: engine `avx2x4`: ECDSA and RSA jobs four at a time, on CPUs with AVX2, or on any with -DATT_LANES_EMULATED, which
 * is for tests. Portable's is every job whose sum meets a case that the formulas do not know (lanes_curve.h).
 * Public data only, variable time. */
#include "cpu.h"
#include "lanes.h"

#if ATT_LANES_AVX2X4

/* Once, by att_init: the tables are made when the engine is going to be used. */
static bool prepare(void) {
#ifndef ATT_LANES_EMULATED
	if (!att_cpu_has("avx2")) {
		return false;
	}
#endif
	att_lanes_p256_avx2x4.init();
	att_lanes_p384_avx2x4.init();
	return true;
}

static void run(att_sig_job *jobs, uint64_t num_jobs, att_key_tables *tables) {
	att_lanes_run(&att_lanes_p256_avx2x4, &att_lanes_p384_avx2x4, att_lanes_rsa_avx2x4, jobs, num_jobs, tables);
}

#else

static bool prepare(void) { return false; }
static void run(att_sig_job *jobs, uint64_t num_jobs, att_key_tables *tables) {
	att_engine_portable.run(jobs, num_jobs, tables);
}

#endif

const att_sig_engine att_engine_avx2x4 = {"avx2x4", 4, prepare, run};
