/* SPDX-License-Identifier: Apache-2.0
 *
 * lanes_mgf1.h: MGF1 with SHA-384 (RFC 8017 B.2.1), a seed a lane: what PSS asks for most. A seed and its counter fit one block of
 * SHA-384 (FIPS 180-4, 6.4), so lanes do the same all along. Included by lanes_rsa.h after a lanes_ops_*.h. */
#include "reader.h"
#include "sha2.h"

#define SEED_LEN 48
#define MASK_LEN (48 * ((ATT_RSA_MAX_BYTES - SEED_LEN - 1 + 47) / 48))

#define SHA_STEP(a, b, c, d, e, f, g, h, t)                                                                                         \
	do {                                                                                                                             \
		const vec wk_ = v_add(w[(t) & 15], v_set(att_sha512_k[base + (t)]));                                                         \
		(h) = v_add(v_add(h, v_xor3(v_ror(e, 14), v_ror(e, 18), v_ror(e, 41))), v_add(v_choose(e, f, g), wk_));                      \
		(d) = v_add(d, h);                                                                                                           \
		(h) = v_add(h, v_add(v_xor3(v_ror(a, 28), v_ror(a, 34), v_ror(a, 39)), v_majority(a, b, c)));                                \
	} while (0)

#define SHA_NEXT_WORD(t)                                                                                                            \
	do {                                                                                                                             \
		const vec w1_ = w[((t) + 1) & 15], w14_ = w[((t) + 14) & 15];                                                                \
		const vec s0_ = v_xor3(v_ror(w1_, 1), v_ror(w1_, 8), v_shr(w1_, 7));                                                         \
		const vec s1_ = v_xor3(v_ror(w14_, 19), v_ror(w14_, 61), v_shr(w14_, 6));                                                    \
		w[t] = v_add(v_add(w[t], s1_), v_add(w[((t) + 9) & 15], s0_));                                                               \
	} while (0)

/* One block from the start of SHA-384: w is used up, and out gets the first six words of the digest. */
LANES_FUNCTION void sha384_block(vec out[6], vec w[16]) {
	static const uint64_t start[8] = {0xcbbb9d5dc1059ed8, 0x629a292a367cd507, 0x9159015a3070dd17, 0x152fecd8f70e5939,
	                                  0x67332667ffc00b31, 0x8eb44a8768581511, 0xdb0c2e0d64f98fa7, 0x47b5481dbefa4fa4};
	vec a = v_set(start[0]), b = v_set(start[1]), c = v_set(start[2]), d = v_set(start[3]);
	vec e = v_set(start[4]), f = v_set(start[5]), g = v_set(start[6]), h = v_set(start[7]);
	for (int base = 0; base < 80; base += 16) {
		for (int t = 0; t < 16 && base != 0; t++) {
			SHA_NEXT_WORD(t);
		}
		for (int t = 0; t < 16; t += 8) {
			SHA_STEP(a, b, c, d, e, f, g, h, t);
			SHA_STEP(h, a, b, c, d, e, f, g, t + 1);
			SHA_STEP(g, h, a, b, c, d, e, f, t + 2);
			SHA_STEP(f, g, h, a, b, c, d, e, t + 3);
			SHA_STEP(e, f, g, h, a, b, c, d, t + 4);
			SHA_STEP(d, e, f, g, h, a, b, c, t + 5);
			SHA_STEP(c, d, e, f, g, h, a, b, t + 6);
			SHA_STEP(b, c, d, e, f, g, h, a, t + 7);
		}
	}
	const vec end[6] = {a, b, c, d, e, f};
	for (int i = 0; i < 6; i++) {
		out[i] = v_add(end[i], v_set(start[i]));
	}
}

/* mask[l] = MGF1(seed[l]), len bytes or up to 47 more; len is at most MASK_LEN. */
LANES_FUNCTION void mgf1_sha384(uint8_t mask[LANES][MASK_LEN], const uint8_t *const seed[LANES], uint32_t len) {
	vec words[6], w[16], out[6];
	for (uint32_t i = 0; i < 6; i++) {
		for (uint32_t l = 0; l < LANES; l++) {
			set_limb(&words[i], l, att_load_be64(seed[l] + 8 * i));
		}
	}
	for (uint32_t counter = 0; 48 * counter < len; counter++) {
		memcpy(w, words, sizeof words);
		w[6] = v_set((uint64_t)counter << 32 | 0x80000000u);
		for (int i = 7; i < 15; i++) {
			w[i] = v_set(0);
		}
		w[15] = v_set(8 * (SEED_LEN + 4));
		sha384_block(out, w);
		for (uint32_t i = 0; i < 6; i++) {
			for (uint32_t l = 0; l < LANES; l++) {
				att_store_be64(mask[l] + 48 * counter + 8 * i, get_limb(&out[i], l));
			}
		}
	}
}
