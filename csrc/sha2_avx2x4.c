/* SPDX-License-Identifier: Apache-2.0
 *
 * sha2_avx2x4.c: SHA-512's rounds in four lanes, on CPUs with AVX2, or on any with -DATT_LANES_EMULATED, which is for tests. */
#include "sha2.h"

#define LANES 4

#if ATT_SHA_X86
#include <immintrin.h>

#include "cpu.h"

#define SHA_TARGET __attribute__((target("avx2")))
#define SHA_INLINE static inline __attribute__((always_inline)) SHA_TARGET

typedef __m256i vec;

SHA_INLINE vec v_set(uint64_t value) { return _mm256_set1_epi64x((long long)value); }
SHA_INLINE vec v_add(vec a, vec b) { return _mm256_add_epi64(a, b); }
SHA_INLINE vec v_xor(vec a, vec b) { return _mm256_xor_si256(a, b); }
SHA_INLINE vec v_and(vec a, vec b) { return _mm256_and_si256(a, b); }
SHA_INLINE vec v_xor3(vec a, vec b, vec c) { return v_xor(v_xor(a, b), c); }
SHA_INLINE vec v_choose(vec x, vec y, vec z) { return v_xor(z, v_and(x, v_xor(y, z))); }
SHA_INLINE vec v_majority(vec x, vec y, vec z) { return v_xor(y, v_and(v_xor(x, y), v_xor(y, z))); }
SHA_INLINE vec v_load(const uint64_t *words) { return _mm256_loadu_si256((const __m256i *)(const void *)words); }
SHA_INLINE void v_store(uint64_t *words, vec a) { _mm256_storeu_si256((__m256i *)(void *)words, a); }

#define V_SHR(a, bits) _mm256_srli_epi64(a, bits)
#define V_ROTR(a, bits) _mm256_or_si256(_mm256_srli_epi64(a, bits), _mm256_slli_epi64(a, 64 - (bits)))

/* Four words of each of four lanes: pairs of words, then the halves. */
SHA_INLINE void v_load_quarter(vec w[4], const uint8_t *const *data, uint64_t offset) {
	const vec swap = _mm256_setr_epi32(0x04050607, 0x00010203, 0x0c0d0e0f, 0x08090a0b, 0x04050607, 0x00010203, 0x0c0d0e0f, 0x08090a0b);
#define ROW(l) _mm256_shuffle_epi8(_mm256_loadu_si256((const __m256i *)(const void *)(data[l] + offset)), swap)
	const vec r0 = ROW(0), r1 = ROW(1), r2 = ROW(2), r3 = ROW(3);
#undef ROW
	const vec even01 = _mm256_unpacklo_epi64(r0, r1), odd01 = _mm256_unpackhi_epi64(r0, r1);
	const vec even23 = _mm256_unpacklo_epi64(r2, r3), odd23 = _mm256_unpackhi_epi64(r2, r3);
	w[0] = _mm256_permute2x128_si256(even01, even23, 0x20), w[2] = _mm256_permute2x128_si256(even01, even23, 0x31);
	w[1] = _mm256_permute2x128_si256(odd01, odd23, 0x20), w[3] = _mm256_permute2x128_si256(odd01, odd23, 0x31);
}

SHA_INLINE void v_load_block(vec w[16], const uint8_t *const *data, uint64_t offset) {
	v_load_quarter(w, data, offset);
	v_load_quarter(w + 4, data, offset + 32);
	v_load_quarter(w + 8, data, offset + 64);
	v_load_quarter(w + 12, data, offset + 96);
}

static bool usable(void) { return att_cpu_has("avx2"); }

#elif ATT_SHA_LANES
#include "sha2_ops_emulated.h"

static bool usable(void) { return true; }
#endif

#if ATT_SHA_LANES
#include "sha2_lanes.h"
#else
static bool usable(void) { return false; }
static void blocks(uint64_t *state, const uint8_t *const *data, uint64_t num) { (void)state, (void)data, (void)num; }
#endif

const att_sha512_lanes att_sha512_avx2x4 = {"avx2x4", LANES, 2, usable, blocks};
