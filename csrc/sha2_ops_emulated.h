/* SPDX-License-Identifier: Apache-2.0
 *
 * sha2_ops_emulated.h: the vector operations that sha2_lanes.h asks for, in plain C and for any number of LANES. For tests alone. */
#ifndef ATT_SHA2_OPS_EMULATED_H
#define ATT_SHA2_OPS_EMULATED_H

#include <stdint.h>

#include "reader.h"

#define SHA_TARGET

typedef struct {
	uint64_t lane[LANES];
} vec;

#define EACH_LANE(expression)                                                                                   \
	do {                                                                                                        \
		vec out_;                                                                                               \
		for (int l = 0; l < LANES; l++) {                                                                       \
			out_.lane[l] = (expression);                                                                        \
		}                                                                                                       \
		return out_;                                                                                            \
	} while (0)

static inline vec v_set(uint64_t value) { EACH_LANE(value); }
static inline vec v_add(vec a, vec b) { EACH_LANE(a.lane[l] + b.lane[l]); }
static inline vec v_xor3(vec a, vec b, vec c) { EACH_LANE(a.lane[l] ^ b.lane[l] ^ c.lane[l]); }
static inline vec v_choose(vec x, vec y, vec z) { EACH_LANE((x.lane[l] & y.lane[l]) | (~x.lane[l] & z.lane[l])); }
static inline vec v_majority(vec x, vec y, vec z) {
	EACH_LANE((x.lane[l] & y.lane[l]) | (x.lane[l] & z.lane[l]) | (y.lane[l] & z.lane[l]));
}
static inline vec v_shr(vec a, unsigned bits) { EACH_LANE(a.lane[l] >> bits); }
static inline vec v_rotr(vec a, unsigned bits) { EACH_LANE(a.lane[l] >> bits | a.lane[l] << (64 - bits)); }
static inline vec v_load(const uint64_t *words) { EACH_LANE(words[l]); }
static inline void v_store(uint64_t *words, vec a) { memcpy(words, a.lane, sizeof a.lane); }

#define V_SHR(a, bits) v_shr(a, bits)
#define V_ROTR(a, bits) v_rotr(a, bits)

/* Big-endian word i of every lane's block, for the 16 words of it. */
static inline void v_load_block(vec w[16], const uint8_t *const *data, uint64_t offset) {
	for (int i = 0; i < 16; i++) {
		for (int l = 0; l < LANES; l++) {
			w[i].lane[l] = att_load_be64(data[l] + offset + 8 * i);
		}
	}
}

#endif
