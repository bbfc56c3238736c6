/* SPDX-License-Identifier: Apache-2.0
 *
 * lanes_rsa_ifma8.c: RSA in eight lanes with 52-bit limbs: 80 of them for 4096 bits. */
#include "lanes.h"

#if ATT_LANES_IFMA8

#ifdef ATT_LANES_EMULATED
#define LANES 8
#include "lanes_ops_emulated.h"
#else
#include "lanes_ops_ifma8.h"
#endif

#define LIMB_BITS 52
#define LANES_RSA_WORTH 2

/* Products look at 52 bits of a limb, and a product has two halves below 2^52. A column gets at most one low and one high half for
 * each of 80 limbs, from the product and from the reduction: 320 of them and a carry, below 2^61. Doubled or not, a square's column
 * has as many. */

/* c += a b, a tile each. */
LANES_INLINE void tile_add(vec *c, const vec *a, const vec *b) {
	LANES_UNROLL
	for (int i = 0; i < 4; i++) {
		LANES_UNROLL
		for (int j = 0; j < 4; j++) {
			c[i + j] = v_lo52(c[i + j], a[i], b[j]);
			c[i + j + 1] = v_hi52(c[i + j + 1], a[i], b[j]);
		}
	}
}

/* a[i] a[j], i < j, and a[i]^2 */
LANES_INLINE void pairs_add(vec *c, const vec *a) {
	LANES_UNROLL
	for (int i = 0; i < 3; i++) {
		LANES_UNROLL
		for (int j = i + 1; j < 4; j++) {
			c[i + j] = v_lo52(c[i + j], a[i], a[j]);
			c[i + j + 1] = v_hi52(c[i + j + 1], a[i], a[j]);
		}
	}
}

LANES_INLINE void squares_add(vec *c, const vec *a) {
	LANES_UNROLL
	for (int i = 0; i < 4; i++) {
		c[2 * i] = v_lo52(c[2 * i], a[i], a[i]);
		c[2 * i + 1] = v_hi52(c[2 * i + 1], a[i], a[i]);
	}
}

/* c += q b, b a tile. */
LANES_INLINE void row_add(vec *c, vec q, const vec *b) {
	LANES_UNROLL
	for (int i = 0; i < 4; i++) {
		c[i] = v_lo52(c[i], q, b[i]);
		c[i + 1] = v_hi52(c[i + 1], q, b[i]);
	}
}

LANES_INLINE vec quotient(vec column, vec inverse) { return v_lo52(v_set(0), column, inverse); }

#include "lanes_rsa.h"

void att_lanes_rsa_ifma8(att_sig_job *jobs, uint64_t num_jobs) { verify_rsa(jobs, num_jobs); }

#endif
