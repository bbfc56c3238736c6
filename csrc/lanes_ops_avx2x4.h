/* SPDX-License-Identifier: Apache-2.0
 *
 * lanes_ops_avx2x4.h: the vector operations of the lane kernel for CPUs with AVX2: four lanes of 64 bits. lanes_ops_emulated.h
 * has the same operations in plain C and says what each does. Attributes select the instructions function by function, so the
 * rest of the module runs on any x86-64. */
#ifndef ATT_LANES_OPS_AVX2X4_H
#define ATT_LANES_OPS_AVX2X4_H

#include <immintrin.h>
#include <stdint.h>

#include "limbs.h"

#define LANES 4
#define LANES_TARGET __attribute__((target("avx2")))
#define LANES_INLINE static inline __attribute__((always_inline)) LANES_TARGET
#define LANES_FUNCTION static __attribute__((noinline)) LANES_TARGET
#define LANES_UNROLL ATT_UNROLL  /* arrays of vec must become registers */

typedef __m256i vec;
typedef __m256i vmask;  /* all bits of a lane, or none */

LANES_INLINE vec v_set(uint64_t value) { return _mm256_set1_epi64x((long long)value); }
LANES_INLINE vec v_add(vec a, vec b) { return _mm256_add_epi64(a, b); }
LANES_INLINE vec v_sub(vec a, vec b) { return _mm256_sub_epi64(a, b); }
LANES_INLINE vec v_and(vec a, vec b) { return _mm256_and_si256(a, b); }
LANES_INLINE vec v_shl(vec a, unsigned bits) { return _mm256_slli_epi64(a, (int)bits); }
LANES_INLINE vec v_shr(vec a, unsigned bits) { return _mm256_srli_epi64(a, (int)bits); }
LANES_INLINE vec v_mul32(vec a, vec b) { return _mm256_mul_epi32(a, b); }

LANES_INLINE vmask v_mask(uint32_t bits) {
	const vec lane = _mm256_setr_epi64x(1, 2, 4, 8);
	return _mm256_cmpeq_epi64(v_and(v_set(bits), lane), lane);
}

LANES_INLINE uint32_t v_bits(vmask m) { return (uint32_t)_mm256_movemask_pd(_mm256_castsi256_pd(m)); }
LANES_INLINE vmask v_equal(vec a, vec b) { return _mm256_cmpeq_epi64(a, b); }
LANES_INLINE vec v_pick(vmask m, vec yes, vec no) { return _mm256_blendv_epi8(no, yes, m); }
LANES_INLINE vec v_negate_if(vmask m, vec a) { return v_sub(_mm256_xor_si256(a, m), m); }

/* Lane l of the result is lane (l + by) mod LANES. */
LANES_INLINE vec v_rotate(vec a, int by) {
	const vec halves = _mm256_add_epi32(_mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7), _mm256_set1_epi32(2 * by));
	return _mm256_permutevar8x32_epi32(a, halves);
}

/* A 4 x 4 transposition: pairs of words, then the halves. */
LANES_INLINE void v_transpose(vec m[4]) {
	const vec low01 = _mm256_unpacklo_epi64(m[0], m[1]), high01 = _mm256_unpackhi_epi64(m[0], m[1]);
	const vec low23 = _mm256_unpacklo_epi64(m[2], m[3]), high23 = _mm256_unpackhi_epi64(m[2], m[3]);
	m[0] = _mm256_permute2x128_si256(low01, low23, 0x20);
	m[1] = _mm256_permute2x128_si256(high01, high23, 0x20);
	m[2] = _mm256_permute2x128_si256(low01, low23, 0x31);
	m[3] = _mm256_permute2x128_si256(high01, high23, 0x31);
}

LANES_INLINE void v_load_rows(vec m[4], const uint64_t *const rows[LANES]) {
	LANES_UNROLL
	for (int i = 0; i < 4; i++) {
		m[i] = _mm256_loadu_si256((const __m256i *)(const void *)rows[i]);
	}
	v_transpose(m);
}

LANES_INLINE void v_store_rows(vec m[4], uint64_t *const rows[LANES]) {
	v_transpose(m);
	LANES_UNROLL
	for (int i = 0; i < 4; i++) {
		_mm256_storeu_si256((__m256i *)(void *)rows[i], m[i]);
	}
}

#endif
