/* SPDX-License-Identifier: Apache-2.0
 *
 * sha2.h: SHA-2 inside the core. Which code runs is chosen once, by att_sha_start, and tested before it is used:
 *   sha2.c                       one message at a time, any CPU; padding; the choice
 *   sha2_shani.c                 the rounds of SHA-256 by the instructions for them
 *   sha2_lanes.h                 the rounds of SHA-512 for one message a lane; compiled by
 *   sha2_avx512x8.c, sha2_avx2x4.c   for eight and for four lanes, or with sha2_ops_emulated.h for tests */
#ifndef ATT_SHA2_H
#define ATT_SHA2_H

#include <stdbool.h>

#include "attest.h"

/* FIPS 180-4, 4.2.2 and 4.2.3. */
extern const uint32_t att_sha256_k[64];
extern const uint64_t att_sha512_k[80];

/* Chooses by what the CPU has (after att_cpu_init), and holds every way of hashing that will be used against known answers. False
 * when one of them is wrong: nothing may be judged by it. Called by att_init. */
bool att_sha_start(void);

/* SHA-512's rounds (SHA-384's are the same) over num blocks of 128 bytes from each of data[0..lanes-1]. Word w of lane l's state is
 * state[w * lanes + l]. */
#define ATT_SHA_MAX_LANES 8
typedef struct {
	const char *name;
	uint32_t lanes;
	uint32_t worth; /* messages in a group from which on lanes beat one at a time, measured */
	bool (*usable)(void);
	void (*blocks)(uint64_t *state, const uint8_t *const *data, uint64_t num);
} att_sha512_lanes;

extern const att_sha512_lanes att_sha512_avx512x8;
extern const att_sha512_lanes att_sha512_avx2x4;

/* SHA-256's rounds over num blocks of 64 bytes. */
bool att_sha256_shani_usable(void);
void att_sha256_shani(uint32_t *state, const uint8_t *data, uint64_t num);

/* Whether this build has vector code: for the CPU, or emulated for tests. */
#if defined(__x86_64__) && defined(__GNUC__) && !defined(ATT_LANES_EMULATED)
#define ATT_SHA_X86 1
#else
#define ATT_SHA_X86 0
#endif
#if ATT_SHA_X86 || defined(ATT_LANES_EMULATED)
#define ATT_SHA_LANES 1
#else
#define ATT_SHA_LANES 0
#endif

#endif
