/* SPDX-License-Identifier: Apache-2.0
 *
 * sha2_avx512x8.c: SHA-512's rounds in eight lanes, on CPUs with AVX-512 F and BW, or on any with -DATT_LANES_EMULATED, which is
 * for tests. */
#include "sha2.h"

#define LANES 8

#if ATT_SHA_X86
#include <immintrin.h>

#include "cpu.h"

#define SHA_TARGET __attribute__((target("avx512f,avx512bw")))
#define SHA_INLINE static inline __attribute__((always_inline)) SHA_TARGET

typedef __m512i vec;

SHA_INLINE vec v_set(uint64_t value) { return _mm512_set1_epi64((long long)value); }
SHA_INLINE vec v_add(vec a, vec b) { return _mm512_add_epi64(a, b); }
/* Tables of three bits to one: the bit of a counts 4, of b 2, of c 1. */
SHA_INLINE vec v_xor3(vec a, vec b, vec c) { return _mm512_ternarylogic_epi64(a, b, c, 0x96); }
SHA_INLINE vec v_choose(vec x, vec y, vec z) { return _mm512_ternarylogic_epi64(x, y, z, 0xca); }
SHA_INLINE vec v_majority(vec x, vec y, vec z) { return _mm512_ternarylogic_epi64(x, y, z, 0xe8); }
SHA_INLINE vec v_load(const uint64_t *words) { return _mm512_loadu_si512(words); }
SHA_INLINE void v_store(uint64_t *words, vec a) { _mm512_storeu_si512(words, a); }

#define V_SHR(a, bits) _mm512_srli_epi64(a, bits)
#define V_ROTR(a, bits) _mm512_ror_epi64(a, bits)
#define QUARTERS(a, b, pick) _mm512_shuffle_i64x2(a, b, pick)

/* Eight words of each of eight lanes: pairs of words, then the quarters of a register in two steps. */
SHA_INLINE void v_load_half(vec w[8], const uint8_t *const *data, uint64_t offset) {
	const vec swap = _mm512_set4_epi32(0x08090a0b, 0x0c0d0e0f, 0x00010203, 0x04050607);
#define ROW(l) _mm512_shuffle_epi8(_mm512_loadu_si512(data[l] + offset), swap)
	const vec r0 = ROW(0), r1 = ROW(1), r2 = ROW(2), r3 = ROW(3), r4 = ROW(4), r5 = ROW(5), r6 = ROW(6), r7 = ROW(7);
#undef ROW
	const vec even01 = _mm512_unpacklo_epi64(r0, r1), odd01 = _mm512_unpackhi_epi64(r0, r1);
	const vec even23 = _mm512_unpacklo_epi64(r2, r3), odd23 = _mm512_unpackhi_epi64(r2, r3);
	const vec even45 = _mm512_unpacklo_epi64(r4, r5), odd45 = _mm512_unpackhi_epi64(r4, r5);
	const vec even67 = _mm512_unpacklo_epi64(r6, r7), odd67 = _mm512_unpackhi_epi64(r6, r7);
	/* words 0 and 4, then 2 and 6, of lanes 0 to 3 and of lanes 4 to 7; the odd ones likewise */
	const vec even04a = QUARTERS(even01, even23, 0x88), even26a = QUARTERS(even01, even23, 0xdd);
	const vec even04b = QUARTERS(even45, even67, 0x88), even26b = QUARTERS(even45, even67, 0xdd);
	const vec odd15a = QUARTERS(odd01, odd23, 0x88), odd37a = QUARTERS(odd01, odd23, 0xdd);
	const vec odd15b = QUARTERS(odd45, odd67, 0x88), odd37b = QUARTERS(odd45, odd67, 0xdd);
	w[0] = QUARTERS(even04a, even04b, 0x88), w[4] = QUARTERS(even04a, even04b, 0xdd);
	w[2] = QUARTERS(even26a, even26b, 0x88), w[6] = QUARTERS(even26a, even26b, 0xdd);
	w[1] = QUARTERS(odd15a, odd15b, 0x88), w[5] = QUARTERS(odd15a, odd15b, 0xdd);
	w[3] = QUARTERS(odd37a, odd37b, 0x88), w[7] = QUARTERS(odd37a, odd37b, 0xdd);
}

SHA_INLINE void v_load_block(vec w[16], const uint8_t *const *data, uint64_t offset) {
	v_load_half(w, data, offset);
	v_load_half(w + 8, data, offset + 64);
}

static bool usable(void) { return att_cpu_has("avx512f") && att_cpu_has("avx512bw"); }

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

const att_sha512_lanes att_sha512_avx512x8 = {"avx512x8", LANES, 2, usable, blocks};
