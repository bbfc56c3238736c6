/* SPDX-License-Identifier: Apache-2.0
 *
 * ec.h: what the curves of the portable engine offer to it. Public data only, variable time (sig.h). */
#ifndef ATT_EC_H
#define ATT_EC_H

#include "sig.h"

typedef struct {
	const uint8_t *order;                                                     /* n, big-endian */
	bool (*on_curve)(const uint8_t *xy);
	void (*init)(void);                                                       /* builds the generator's table; before run */
	void (*run)(uint32_t algorithm, att_sig_job *jobs, uint64_t num_jobs);    /* sets the outcomes of the jobs of this algorithm */
} att_ec_curve;

/* Builds what the curves need; called by att_init. */
void att_ec_init(void);

extern const att_ec_curve att_ec_p256;
extern const att_ec_curve att_ec_p384;

#endif
