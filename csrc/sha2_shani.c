/* SPDX-License-Identifier: Apache-2.0
 *
 * sha2_shani.c: SHA-256's rounds by the SHA instructions of x86 (Intel SDM 2B, SHA256RNDS2, SHA256MSG1, SHA256MSG2). */
#include "sha2.h"

#if ATT_SHA_X86
#include <immintrin.h>

#include "cpu.h"
#include "limbs.h"

bool att_sha256_shani_usable(void) { return att_cpu_has("sha_ni") && att_cpu_has("sse4_1"); }

#define WORDS(p) _mm_loadu_si128((const __m128i *)(const void *)(p))

/* The instructions keep the state as A B E F and C D G H, highest word first. */
__attribute__((target("sha,ssse3,sse4.1"))) void att_sha256_shani(uint32_t *state, const uint8_t *data, uint64_t num) {
	const __m128i swap = _mm_set_epi32(0x0c0d0e0f, 0x08090a0b, 0x04050607, 0x00010203);
	const __m128i cdab = _mm_shuffle_epi32(WORDS(state), 0xb1), efgh = _mm_shuffle_epi32(WORDS(state + 4), 0x1b);
	__m128i abef = _mm_alignr_epi8(cdab, efgh, 8), cdgh = _mm_blend_epi16(efgh, cdab, 0xf0);
	for (; num != 0; num--, data += 64) {
		const __m128i abef_before = abef, cdgh_before = cdgh;
		__m128i w[4];
		ATT_UNROLL
		for (int i = 0; i < 4; i++) {
			w[i] = _mm_shuffle_epi8(WORDS(data + 16 * i), swap);
		}
		ATT_UNROLL
		for (int i = 0; i < 16; i++) { /* four steps, and the words of the four that come 16 later */
			const __m128i wk = _mm_add_epi32(w[i & 3], WORDS(att_sha256_k + 4 * i));
			cdgh = _mm_sha256rnds2_epu32(cdgh, abef, wk);
			abef = _mm_sha256rnds2_epu32(abef, cdgh, _mm_shuffle_epi32(wk, 0x0e));
			if (i < 12) {
				const __m128i last = w[(i + 3) & 3];
				const __m128i sum = _mm_add_epi32(_mm_sha256msg1_epu32(w[i & 3], w[(i + 1) & 3]),
				                                  _mm_alignr_epi8(last, w[(i + 2) & 3], 4));
				w[i & 3] = _mm_sha256msg2_epu32(sum, last);
			}
		}
		abef = _mm_add_epi32(abef, abef_before);
		cdgh = _mm_add_epi32(cdgh, cdgh_before);
	}
	const __m128i feba = _mm_shuffle_epi32(abef, 0x1b), dchg = _mm_shuffle_epi32(cdgh, 0xb1);
	_mm_storeu_si128((__m128i *)(void *)state, _mm_blend_epi16(feba, dchg, 0xf0));
	_mm_storeu_si128((__m128i *)(void *)(state + 4), _mm_alignr_epi8(dchg, feba, 8));
}

#else

bool att_sha256_shani_usable(void) { return false; }
void att_sha256_shani(uint32_t *state, const uint8_t *data, uint64_t num) { (void)state, (void)data, (void)num; }

#endif
