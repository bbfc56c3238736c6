/* SPDX-License-Identifier: Apache-2.0
 *
 * lanes_ifma8.c: engine `ifma8`: ECDSA and RSA jobs eight at a time, on CPUs with AVX-512 IFMA, or on any with
 * -DATT_LANES_EMULATED, which is for tests. Portable's is every job whose sum meets a case that the formulas do not know
 * (lanes_curve.h). Public data only, variable time. */
#include "cpu.h"
#include "lanes.h"

#if ATT_LANES_IFMA8

/* Once, by att_init: the tables are made when the engine is going to be used. */
static bool prepare(void) {
#ifndef ATT_LANES_EMULATED
	if (!att_cpu_has("avx512f") || !att_cpu_has("avx512ifma")) {
		return false;
	}
#endif
	att_lanes_p256_ifma8.init();
	att_lanes_p384_ifma8.init();
	return true;
}

static void run(att_sig_job *jobs, uint64_t num_jobs, att_key_tables *tables) {
	att_lanes_run(&att_lanes_p256_ifma8, &att_lanes_p384_ifma8, att_lanes_rsa_ifma8, jobs, num_jobs, tables);
}

#else

static bool prepare(void) { return false; }
static void run(att_sig_job *jobs, uint64_t num_jobs, att_key_tables *tables) {
	att_engine_portable.run(jobs, num_jobs, tables);
}

#endif

const att_sig_engine att_engine_ifma8 = {"ifma8", 8, prepare, run};
