/* SPDX-License-Identifier: Apache-2.0
 *
 * lanes_ops_emulated.h: the vector operations of lanes_ops_ifma8.h and lanes_ops_avx2x4.h in plain C, result for result, so that
 * the lane kernels run and are tested on any CPU. For tests alone: -DATT_LANES_EMULATED builds the engines on it. The includer
 * says how many LANES there are. */
#ifndef ATT_LANES_OPS_EMULATED_H
#define ATT_LANES_OPS_EMULATED_H

#include <stdint.h>

#include "limbs.h"

#define LANES_TARGET
#define LANES_INLINE static inline
#define LANES_FUNCTION ATT_NOINLINE
#define LANES_UNROLL  /* loops as they are: straight code of all this would take a compiler minutes */

typedef struct {
	uint64_t lane[LANES];
} vec;
typedef uint8_t vmask;  /* bit l is lane l's */

#define EACH_LANE(expression)                                                                                   \
	do {                                                                                                        \
		vec out_;                                                                                               \
		for (int l = 0; l < LANES; l++) {                                                                       \
			out_.lane[l] = (expression);                                                                        \
		}                                                                                                       \
		return out_;                                                                                            \
	} while (0)

LANES_INLINE vec v_set(uint64_t value) { EACH_LANE(value); }
LANES_INLINE vec v_add(vec a, vec b) { EACH_LANE(a.lane[l] + b.lane[l]); }
LANES_INLINE vec v_sub(vec a, vec b) { EACH_LANE(a.lane[l] - b.lane[l]); }
LANES_INLINE vec v_and(vec a, vec b) { EACH_LANE(a.lane[l] & b.lane[l]); }
LANES_INLINE vec v_not(vec a) { EACH_LANE(~a.lane[l]); }
LANES_INLINE vec v_shl(vec a, unsigned bits) { EACH_LANE(a.lane[l] << bits); }
LANES_INLINE vec v_shr(vec a, unsigned bits) { EACH_LANE(a.lane[l] >> bits); }
LANES_INLINE vec v_sra(vec a, unsigned bits) { EACH_LANE((uint64_t)((int64_t)a.lane[l] >> bits)); }

/* The product of the low 52 bits of a and b has 104: high and low half. By halves of 26 bits, as not every CPU has wider
 * products. */
ATT_INLINE void product104(uint64_t a, uint64_t b, uint64_t *high, uint64_t *low) {
	const uint64_t mask26 = ((uint64_t)1 << 26) - 1;
	const uint64_t a0 = a & mask26, a1 = a >> 26 & mask26, b0 = b & mask26, b1 = b >> 26 & mask26;
	const uint64_t middle = a0 * b1 + a1 * b0;                   /* < 2^53 */
	const uint64_t bottom = a0 * b0 + ((middle & mask26) << 26);  /* < 2^53 */
	*low = bottom & (((uint64_t)1 << 52) - 1);
	*high = a1 * b1 + (middle >> 26) + (bottom >> 52);
}

ATT_INLINE uint64_t low52(uint64_t a, uint64_t b) {
	uint64_t high, low;
	product104(a, b, &high, &low);
	return low;
}

ATT_INLINE uint64_t high52(uint64_t a, uint64_t b) {
	uint64_t high, low;
	product104(a, b, &high, &low);
	return high;
}

/* acc plus the low or the high 52 bits of the product of the low 52 bits of a and b. */
LANES_INLINE vec v_lo52(vec acc, vec a, vec b) { EACH_LANE(acc.lane[l] + low52(a.lane[l], b.lane[l])); }
LANES_INLINE vec v_hi52(vec acc, vec a, vec b) { EACH_LANE(acc.lane[l] + high52(a.lane[l], b.lane[l])); }

/* The product of the low 32 bits of a and b, as signed numbers. */
LANES_INLINE vec v_mul32(vec a, vec b) { EACH_LANE((uint64_t)((int64_t)(int32_t)a.lane[l] * (int32_t)b.lane[l])); }

LANES_INLINE vmask v_mask(uint32_t bits) { return (vmask)bits; }
LANES_INLINE uint32_t v_bits(vmask m) { return m; }

LANES_INLINE vmask v_equal(vec a, vec b) {
	vmask out = 0;
	for (int l = 0; l < LANES; l++) {
		out = (vmask)(out | (a.lane[l] == b.lane[l]) << l);
	}
	return out;
}

LANES_INLINE vec v_pick(vmask m, vec yes, vec no) { EACH_LANE((m >> l & 1) != 0 ? yes.lane[l] : no.lane[l]); }
LANES_INLINE vec v_negate_if(vmask m, vec a) { EACH_LANE((m >> l & 1) != 0 ? 0 - a.lane[l] : a.lane[l]); }

/* Lane l of the result is lane (l + by) mod LANES. */
LANES_INLINE vec v_rotate(vec a, int by) { EACH_LANE(a.lane[(l + by) % LANES]); }

/* Lane l of m[i] is word i of row l. */
LANES_INLINE void v_load_rows(vec m[LANES], const uint64_t *const rows[LANES]) {
	for (int i = 0; i < LANES; i++) {
		for (int l = 0; l < LANES; l++) {
			m[i].lane[l] = rows[l][i];
		}
	}
}

/* The way back. Leaves m as it happens to be. */
LANES_INLINE void v_store_rows(vec m[LANES], uint64_t *const rows[LANES]) {
	for (int i = 0; i < LANES; i++) {
		for (int l = 0; l < LANES; l++) {
			rows[l][i] = m[i].lane[l];
		}
	}
}

#endif
