/* SPDX-License-Identifier: Apache-2.0
 *
 * lanes.c: how the engines with lanes share out jobs: ECDSA jobs by curve, in order, into chunks, RSA jobs by size
 * (lanes_rsa.h); the last few jobs are portable's where they would leave most lanes empty. Public data only, variable time. */
#include "lanes.h"

/* A last group of very few jobs would cost as much as a whole one: those are portable's. */
static void verify_chunk(const att_lanes_curve *curve, att_sig_job *const *chunk, uint32_t filled) {
	const uint32_t rest = filled % curve->lanes;
	const uint32_t in_lanes = rest < curve->worth ? filled - rest : filled;
	curve->verify(chunk, in_lanes);
	for (uint32_t i = in_lanes; i < filled; i++) {
		att_engine_portable.run(chunk[i], 1);
	}
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
			verify_chunk(curve, chunk, filled);
			filled = 0;
		}
	}
	verify_chunk(curve, chunk, filled);
}

void att_lanes_run(const att_lanes_curve *p256, const att_lanes_curve *p384, att_lanes_rsa rsa, att_sig_job *jobs,
                   uint64_t num_jobs) {
	rsa(jobs, num_jobs);
	run_curve(ATT_ECDSA_P256, p256, jobs, num_jobs);
	run_curve(ATT_ECDSA_P384, p384, jobs, num_jobs);
}
