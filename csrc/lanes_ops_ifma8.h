/* SPDX-License-Identifier: Apache-2.0
 *
 * lanes_ops_ifma8.h: the vector operations of the lane kernel, for CPUs with AVX-512 F and IFMA: eight lanes of 64 bits.
 * lanes_ops_emulated.h has the same operations in plain C and says what each does. Attributes select the instructions function
 * by function, so the rest of the module runs on any x86-64. */
#ifndef ATT_LANES_OPS_IFMA8_H
#define ATT_LANES_OPS_IFMA8_H

#include <immintrin.h>
#include <stdint.h>

#include "limbs.h"

#define LANES 8
#define LANES_TARGET __attribute__((target("avx512f,avx512ifma")))
#define LANES_INLINE static inline __attribute__((always_inline)) LANES_TARGET
#define LANES_FUNCTION static __attribute__((noinline)) LANES_TARGET
#define LANES_UNROLL ATT_UNROLL  /* arrays of vec must become registers */

typedef __m512i vec;
typedef __mmask8 vmask;

LANES_INLINE vec v_set(uint64_t value) { return _mm512_set1_epi64((long long)value); }
LANES_INLINE vec v_add(vec a, vec b) { return _mm512_add_epi64(a, b); }
LANES_INLINE vec v_sub(vec a, vec b) { return _mm512_sub_epi64(a, b); }
LANES_INLINE vec v_and(vec a, vec b) { return _mm512_and_si512(a, b); }
LANES_INLINE vec v_not(vec a) { return _mm512_xor_si512(a, _mm512_set1_epi64(-1)); }
LANES_INLINE vec v_shl(vec a, unsigned bits) { return _mm512_slli_epi64(a, bits); }
LANES_INLINE vec v_shr(vec a, unsigned bits) { return _mm512_srli_epi64(a, bits); }
LANES_INLINE vec v_sra(vec a, unsigned bits) { return _mm512_srai_epi64(a, bits); }
LANES_INLINE vec v_lo52(vec acc, vec a, vec b) { return _mm512_madd52lo_epu64(acc, a, b); }
LANES_INLINE vec v_hi52(vec acc, vec a, vec b) { return _mm512_madd52hi_epu64(acc, a, b); }

LANES_INLINE vmask v_mask(uint32_t bits) { return (vmask)bits; }
LANES_INLINE uint32_t v_bits(vmask m) { return m; }
LANES_INLINE vmask v_equal(vec a, vec b) { return _mm512_cmpeq_epi64_mask(a, b); }
LANES_INLINE vec v_pick(vmask m, vec yes, vec no) { return _mm512_mask_mov_epi64(no, m, yes); }
LANES_INLINE vec v_negate_if(vmask m, vec a) { return _mm512_mask_sub_epi64(a, m, _mm512_setzero_si512(), a); }

/* Lane l of the result is lane (l + by) mod LANES. */
LANES_INLINE vec v_rotate(vec a, int by) {
	const vec first = _mm512_setr_epi64(0, 1, 2, 3, 4, 5, 6, 7);
	return _mm512_permutexvar_epi64(v_and(v_add(first, v_set((uint64_t)by)), v_set(7)), a);
}

/* Words 2 k and 2 k + 1 of the two halves of 256 bits that pick names, of a and of b. */
#define QUARTERS(a, b, pick) _mm512_shuffle_i64x2(a, b, pick)

/* An 8 x 8 transposition: pairs of words, then the four quarters of a register, in two steps. */
LANES_INLINE void v_transpose(vec m[8]) {
	vec pair[8], half[8];
	LANES_UNROLL
	for (int i = 0; i < 4; i++) {
		pair[2 * i] = _mm512_unpacklo_epi64(m[2 * i], m[2 * i + 1]);
		pair[2 * i + 1] = _mm512_unpackhi_epi64(m[2 * i], m[2 * i + 1]);
	}
	LANES_UNROLL
	for (int i = 0; i < 2; i++) {
		LANES_UNROLL
		for (int odd = 0; odd < 2; odd++) {
			half[4 * i + odd] = QUARTERS(pair[4 * i + odd], pair[4 * i + 2 + odd], 0x88);
			half[4 * i + 2 + odd] = QUARTERS(pair[4 * i + odd], pair[4 * i + 2 + odd], 0xdd);
		}
	}
	LANES_UNROLL
	for (int odd = 0; odd < 2; odd++) {
		m[odd] = QUARTERS(half[odd], half[4 + odd], 0x88);
		m[2 + odd] = QUARTERS(half[2 + odd], half[6 + odd], 0x88);
		m[4 + odd] = QUARTERS(half[odd], half[4 + odd], 0xdd);
		m[6 + odd] = QUARTERS(half[2 + odd], half[6 + odd], 0xdd);
	}
}

LANES_INLINE void v_load_rows(vec m[8], const uint64_t *const rows[LANES]) {
	LANES_UNROLL
	for (int i = 0; i < 8; i++) {
		m[i] = _mm512_loadu_si512(rows[i]);
	}
	v_transpose(m);
}

LANES_INLINE void v_store_rows(vec m[8], uint64_t *const rows[LANES]) {
	v_transpose(m);
	LANES_UNROLL
	for (int i = 0; i < 8; i++) {
		_mm512_storeu_si512(rows[i], m[i]);
	}
}

#endif
