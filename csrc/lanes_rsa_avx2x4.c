/* SPDX-License-Identifier: Apache-2.0
 *
 * lanes_rsa_avx2x4.c: RSA in four lanes with 27-bit limbs: 152 of them for 4096 bits. */
#include "lanes.h"

#if ATT_LANES_AVX2X4

#ifdef ATT_LANES_EMULATED
#define LANES 4
#include "lanes_ops_emulated.h"
#else
#include "lanes_ops_avx2x4.h"
#endif

#define LIMB_BITS 27
#define LANES_RSA_WORTH 2

/* A product is below 2^54, and a column gets at most one for each of 152 limbs from the product and one from the reduction: with a
 * carry below 2^63. The quotient takes the low 32 bits of a column, of which it uses 27; nothing is negative. */

/* acc + a b. Left alone, gcc sums products in an order that wants more registers than there are. */
LANES_INLINE vec add_product(vec acc, vec a, vec b) {
	acc = v_add(acc, v_mul32(a, b));
#ifndef ATT_LANES_EMULATED
	__asm__("" : "+x"(acc));
#endif
	return acc;
}

/* c += a b, a tile each. */
LANES_INLINE void tile_add(vec *c, const vec *a, const vec *b) {
	LANES_UNROLL
	for (int i = 0; i < 4; i++) {
		LANES_UNROLL
		for (int j = 0; j < 4; j++) {
			c[i + j] = add_product(c[i + j], a[i], b[j]);
		}
	}
}

/* a[i] a[j], i < j, and a[i]^2 */
LANES_INLINE void pairs_add(vec *c, const vec *a) {
	LANES_UNROLL
	for (int i = 0; i < 3; i++) {
		LANES_UNROLL
		for (int j = i + 1; j < 4; j++) {
			c[i + j] = v_add(c[i + j], v_mul32(a[i], a[j]));
		}
	}
}

LANES_INLINE void squares_add(vec *c, const vec *a) {
	LANES_UNROLL
	for (int i = 0; i < 4; i++) {
		c[2 * i] = v_add(c[2 * i], v_mul32(a[i], a[i]));
	}
}

/* c += q b, b a tile. */
LANES_INLINE void row_add(vec *c, vec q, const vec *b) {
	LANES_UNROLL
	for (int i = 0; i < 4; i++) {
		c[i] = v_add(c[i], v_mul32(q, b[i]));
	}
}

/* The sign that the product may have by bit 31 of the column is above the bits that stay. */
LANES_INLINE vec quotient(vec column, vec inverse) {
	return v_and(v_mul32(column, inverse), v_set(((uint64_t)1 << LIMB_BITS) - 1));
}

#include "lanes_rsa.h"

void att_lanes_rsa_avx2x4(att_sig_job *jobs, uint64_t num_jobs) { verify_rsa(jobs, num_jobs); }

#endif
