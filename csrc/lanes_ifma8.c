/* SPDX-License-Identifier: Apache-2.0
 *
 * lanes_ifma8.c: engine `ifma8`: ECDSA jobs eight at a time, on CPUs with AVX-512 IFMA, or on any with -DATT_LANES_EMULATED,
 * which is for tests. RSA jobs are portable's, and so is every job whose sum meets a case that the formulas do not know
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

/* Collects the jobs of one curve, in order, into chunks. */
static void run_curve(uint32_t algorithm, const att_lanes_curve *curve, att_sig_job *jobs, uint64_t num_jobs) {
	att_sig_job *chunk[ATT_LANES_CHUNK];
	uint32_t filled = 0;
	for (uint64_t i = 0; i < num_jobs; i++) {
		if (jobs[i].algorithm == algorithm) {
			chunk[filled++] = &jobs[i];
		}
		if (filled == ATT_LANES_CHUNK) {
			curve->verify(chunk, filled);
			filled = 0;
		}
	}
	curve->verify(chunk, filled);
}

static bool in_lanes(const att_sig_job *job) { return job->algorithm == ATT_ECDSA_P256 || job->algorithm == ATT_ECDSA_P384; }

/* The other jobs go to portable in runs, as it prepares a modulus once for all jobs in a row that have it. */
static void run(att_sig_job *jobs, uint64_t num_jobs) {
	for (uint64_t i = 0; i < num_jobs;) {
		uint64_t end = i;
		while (end < num_jobs && !in_lanes(&jobs[end])) {
			end++;
		}
		if (end != i) {
			att_engine_portable.run(jobs + i, end - i);
		}
		i = end + 1;
	}
	run_curve(ATT_ECDSA_P256, &att_lanes_p256_ifma8, jobs, num_jobs);
	run_curve(ATT_ECDSA_P384, &att_lanes_p384_ifma8, jobs, num_jobs);
}

#else

static bool prepare(void) { return false; }
static void run(att_sig_job *jobs, uint64_t num_jobs) { att_engine_portable.run(jobs, num_jobs); }

#endif

const att_sig_engine att_engine_ifma8 = {"ifma8", 8, prepare, run};
