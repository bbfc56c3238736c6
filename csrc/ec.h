/* SPDX-License-Identifier: Apache-2.0
 *
 * ec.h: what the curves of the portable engine offer to it. Public data only, variable time (sig.h). */
#ifndef ATT_EC_H
#define ATT_EC_H

#include "sig.h"

/* Jobs verified together share one inversion of s. */
#define ATT_EC_CHUNK 16

typedef struct {
	uint32_t bytes;                                          /* L: of a coordinate, r, s and the digest */
	const uint8_t *order;                                    /* n, big-endian */
	bool (*on_curve)(const uint8_t *xy);
	void (*init)(void);                                      /* builds the table of the generator; before verify */
	void (*verify)(att_sig_job *const *jobs, uint32_t num);  /* num <= ATT_EC_CHUNK, all of this curve; sets the outcomes */
} att_ec_curve;

/* Builds what the curves need; called by att_init. */
void att_ec_init(void);

extern const att_ec_curve att_ec_p256;
extern const att_ec_curve att_ec_p384;

#endif
