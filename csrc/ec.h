/* SPDX-License-Identifier: Apache-2.0
 *
 * ec.h: what the curves of the portable engine offer to it. Public data only, variable time (sig.h). */
#ifndef ATT_EC_H
#define ATT_EC_H

#include "key_runs.h"

typedef struct {
	const uint8_t *order;                                               /* n, big-endian */
	bool (*on_curve)(const uint8_t *xy);
	void (*invert)(bool modulo_order, uint8_t *out, const uint8_t *a);  /* 1/a modulo n or p, of an a in (0, n) or (0, p) */
	void (*scalars)(uint8_t *u1, uint8_t *u2, const uint8_t *sig, const uint8_t *digest);  /* of r, s in range: both below n */
	att_curve engine;                                                   /* its init builds the generator's tables */
} att_ec_curve;

/* Builds what the curves need; called by att_init. */
void att_ec_init(void);

extern const att_ec_curve att_ec_p256;
extern const att_ec_curve att_ec_p384;

#endif
