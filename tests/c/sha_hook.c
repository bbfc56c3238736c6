/* SPDX-License-Identifier: Apache-2.0
 *
 * sha_hook.c: lets tests/core/test_hashes.py call each way of hashing by itself, whichever the module would choose: built with the
 * core's sources, natively or with -DATT_LANES_EMULATED, into a library of its own, never into the module. */
#include "../../csrc/sha2.c"

#include "cpu.h"

static const att_sha512_lanes *const ways[] = {&att_sha512_avx512x8, &att_sha512_avx2x4};

void hook_start(void) { att_cpu_init(); }
int hook_lanes(int way) { return way < 0 ? 1 : (int)ways[way]->lanes; }
int hook_usable(int way) { return way < 0 || ways[way]->usable(); }
int hook_ok(int way) { return lanes_ok(ways[way]); }
int hook_shani_usable(void) { return att_sha256_shani_usable(); }

/* way -1: one message at a time. Message i is data + i * stride. */
void hook_sha384_many(int way, const uint8_t *data, uint64_t stride, uint64_t data_len, uint64_t n, uint8_t *out) {
	const uint8_t *at[64];
	for (uint64_t i = 0; i < n && i < 64; i++) {
		at[i] = data + i * stride;
	}
	sha384_many_by(way < 0 ? NULL : ways[way], at, data_len, n, out);
}

/* One group, however few messages it has. */
void hook_sha384_group(int way, const uint8_t *data, uint64_t stride, uint64_t data_len, uint32_t num, uint8_t *out) {
	const uint8_t *at[ATT_SHA_MAX_LANES];
	for (uint32_t i = 0; i < num; i++) {
		at[i] = data + i * stride;
	}
	sha384_group(ways[way], at, data_len, num, out);
}

/* num blocks from the state given, by the SHA instructions or in plain C. */
void hook_blocks256(int shani, uint32_t *state, const uint8_t *data, uint64_t num) {
	(shani ? att_sha256_shani : blocks256)(state, data, num);
}
