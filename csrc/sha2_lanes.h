/* SPDX-License-Identifier: Apache-2.0
 *
 * sha2_lanes.h: the rounds of SHA-512 (FIPS 180-4, 6.4.2) for one message in each lane. The includer gives vec and its operations:
 * v_add, v_xor3, v_choose, v_majority, V_ROTR and V_SHR (by constants), v_set, v_load, v_store, v_load_block; and SHA_TARGET, the
 * attribute that selects the instructions. No operation crosses lanes but v_load_block, which puts each lane's words into its own. */
#include "sha2.h"

#define BIG0(x) v_xor3(V_ROTR(x, 28), V_ROTR(x, 34), V_ROTR(x, 39))
#define BIG1(x) v_xor3(V_ROTR(x, 14), V_ROTR(x, 18), V_ROTR(x, 41))
#define SMALL0(x) v_xor3(V_ROTR(x, 1), V_ROTR(x, 8), V_SHR(x, 7))
#define SMALL1(x) v_xor3(V_ROTR(x, 19), V_ROTR(x, 61), V_SHR(x, 6))

/* The eight variables are not moved: their names turn, one place a step. */
#define STEP(a, b, c, d, e, f, g, h, wk)                                                                                            \
	do {                                                                                                                             \
		(h) = v_add(v_add((h), (wk)), v_add(v_choose(e, f, g), BIG1(e)));                                                            \
		(d) = v_add((d), (h));                                                                                                       \
		(h) = v_add((h), v_add(v_majority(a, b, c), BIG0(a)));                                                                       \
	} while (0)
#define EIGHT_STEPS(WK, t)                                                                                                          \
	do {                                                                                                                             \
		STEP(a, b, c, d, e, f, g, h, WK((t) + 0));                                                                                   \
		STEP(h, a, b, c, d, e, f, g, WK((t) + 1));                                                                                   \
		STEP(g, h, a, b, c, d, e, f, WK((t) + 2));                                                                                   \
		STEP(f, g, h, a, b, c, d, e, WK((t) + 3));                                                                                   \
		STEP(e, f, g, h, a, b, c, d, WK((t) + 4));                                                                                   \
		STEP(d, e, f, g, h, a, b, c, WK((t) + 5));                                                                                   \
		STEP(c, d, e, f, g, h, a, b, WK((t) + 6));                                                                                   \
		STEP(b, c, d, e, f, g, h, a, WK((t) + 7));                                                                                   \
	} while (0)

/* The schedule is a ring of 16: the first 16 words are the block, each later one takes the place of the word 16 before it. */
#define WORD_FIRST(t) v_add(w[(t)], v_set(att_sha512_k[(t)]))
#define WORD_NEXT(t)                                                                                                                \
	v_add((w[(t) & 15] = v_add(v_add(w[(t) & 15], SMALL1(w[((t) + 14) & 15])),                                                       \
	                           v_add(w[((t) + 9) & 15], SMALL0(w[((t) + 1) & 15])))),                                                \
	      v_set(att_sha512_k[base + (t)]))

SHA_TARGET static void blocks(uint64_t *state, const uint8_t *const *data, uint64_t num) {
	for (uint64_t offset = 0; offset != 128 * num; offset += 128) {
		vec w[16];
		vec a = v_load(state + 0 * LANES), b = v_load(state + 1 * LANES), c = v_load(state + 2 * LANES);
		vec d = v_load(state + 3 * LANES), e = v_load(state + 4 * LANES), f = v_load(state + 5 * LANES);
		vec g = v_load(state + 6 * LANES), h = v_load(state + 7 * LANES);
		v_load_block(w, data, offset);
		EIGHT_STEPS(WORD_FIRST, 0);
		EIGHT_STEPS(WORD_FIRST, 8);
		for (int base = 16; base < 80; base += 16) {
			EIGHT_STEPS(WORD_NEXT, 0);
			EIGHT_STEPS(WORD_NEXT, 8);
		}
		v_store(state + 0 * LANES, v_add(v_load(state + 0 * LANES), a));
		v_store(state + 1 * LANES, v_add(v_load(state + 1 * LANES), b));
		v_store(state + 2 * LANES, v_add(v_load(state + 2 * LANES), c));
		v_store(state + 3 * LANES, v_add(v_load(state + 3 * LANES), d));
		v_store(state + 4 * LANES, v_add(v_load(state + 4 * LANES), e));
		v_store(state + 5 * LANES, v_add(v_load(state + 5 * LANES), f));
		v_store(state + 6 * LANES, v_add(v_load(state + 6 * LANES), g));
		v_store(state + 7 * LANES, v_add(v_load(state + 7 * LANES), h));
	}
}
