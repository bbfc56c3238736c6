/* SPDX-License-Identifier: Apache-2.0
 *
 * lanes.c: how the engines with lanes share out jobs: ECDSA jobs by curve (key_runs.c), RSA jobs by size (lanes_rsa.h). Public
 * data only, variable time. */
#include "lanes.h"

void att_lanes_run(const att_curve *p256, const att_curve *p384, att_lanes_rsa rsa, att_sig_job *jobs, uint64_t num_jobs,
                   att_key_tables *tables) {
	rsa(jobs, num_jobs);
	att_curve_run(p256, jobs, num_jobs, tables);
	att_curve_run(p384, jobs, num_jobs, tables);
}
