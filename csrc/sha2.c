/* SPDX-License-Identifier: Apache-2.0
 *
 * sha2.c: SHA-256, SHA-384 and SHA-512 (FIPS 180-4), one message at a time and on any CPU; the padding; and the choice of the code
 * that hashes here: see sha2.h. */
#include "sha2.h"

#include <string.h>

#include "reader.h"
#include "sig_kat.h"

const uint32_t att_sha256_k[64] = {
	0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5,
	0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174,
	0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
	0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967,
	0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
	0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
	0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
	0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2,
};

const uint64_t att_sha512_k[80] = {
	0x428a2f98d728ae22, 0x7137449123ef65cd, 0xb5c0fbcfec4d3b2f, 0xe9b5dba58189dbbc,
	0x3956c25bf348b538, 0x59f111f1b605d019, 0x923f82a4af194f9b, 0xab1c5ed5da6d8118,
	0xd807aa98a3030242, 0x12835b0145706fbe, 0x243185be4ee4b28c, 0x550c7dc3d5ffb4e2,
	0x72be5d74f27b896f, 0x80deb1fe3b1696b1, 0x9bdc06a725c71235, 0xc19bf174cf692694,
	0xe49b69c19ef14ad2, 0xefbe4786384f25e3, 0x0fc19dc68b8cd5b5, 0x240ca1cc77ac9c65,
	0x2de92c6f592b0275, 0x4a7484aa6ea6e483, 0x5cb0a9dcbd41fbd4, 0x76f988da831153b5,
	0x983e5152ee66dfab, 0xa831c66d2db43210, 0xb00327c898fb213f, 0xbf597fc7beef0ee4,
	0xc6e00bf33da88fc2, 0xd5a79147930aa725, 0x06ca6351e003826f, 0x142929670a0e6e70,
	0x27b70a8546d22ffc, 0x2e1b21385c26c926, 0x4d2c6dfc5ac42aed, 0x53380d139d95b3df,
	0x650a73548baf63de, 0x766a0abb3c77b2a8, 0x81c2c92e47edaee6, 0x92722c851482353b,
	0xa2bfe8a14cf10364, 0xa81a664bbc423001, 0xc24b8b70d0f89791, 0xc76c51a30654be30,
	0xd192e819d6ef5218, 0xd69906245565a910, 0xf40e35855771202a, 0x106aa07032bbd1b8,
	0x19a4c116b8d2d0c8, 0x1e376c085141ab53, 0x2748774cdf8eeb99, 0x34b0bcb5e19b48a8,
	0x391c0cb3c5c95a63, 0x4ed8aa4ae3418acb, 0x5b9cca4f7763e373, 0x682e6ff3d6b2b8a3,
	0x748f82ee5defb2fc, 0x78a5636f43172f60, 0x84c87814a1f0ab72, 0x8cc702081a6439ec,
	0x90befffa23631e28, 0xa4506cebde82bde9, 0xbef9a3f7b2c67915, 0xc67178f2e372532b,
	0xca273eceea26619c, 0xd186b8c721c0c207, 0xeada7dd6cde0eb1e, 0xf57d4f7fee6ed178,
	0x06f067aa72176fba, 0x0a637dc5a2c898a6, 0x113f9804bef90dae, 0x1b710b35131c471b,
	0x28db77f523047d84, 0x32caab7b40c72493, 0x3c9ebe0a15c9bebc, 0x431d67c49c100d4c,
	0x4cc5d4becb3e42b6, 0x597f299cfc657e2a, 0x5fcb6fab3ad6faec, 0x6c44198c4a475817,
};

static inline uint32_t rotr32(uint32_t x, unsigned n) { return x >> n | x << (32 - n); }
static inline uint64_t rotr64(uint64_t x, unsigned n) { return x >> n | x << (64 - n); }

/* One step, FIPS 180-4, 6.2.2 and 6.4.2. The eight variables are not moved: their names turn, one place a step. */
#define CHOOSE(x, y, z) ((z) ^ ((x) & ((y) ^ (z))))
#define MAJORITY(x, y, z) (((x) & (y)) | ((z) & ((x) | (y))))
#define STEP(a, b, c, d, e, f, g, h, big1, big0, wk)                                                                                \
	do {                                                                                                                             \
		(h) += big1(e) + CHOOSE(e, f, g) + (wk);                                                                                     \
		(d) += (h);                                                                                                                  \
		(h) += big0(a) + MAJORITY(a, b, c);                                                                                          \
	} while (0)
#define EIGHT_STEPS(BIG1, BIG0, WK, t)                                                                                              \
	do {                                                                                                                             \
		STEP(a, b, c, d, e, f, g, h, BIG1, BIG0, WK((t) + 0));                                                                       \
		STEP(h, a, b, c, d, e, f, g, BIG1, BIG0, WK((t) + 1));                                                                       \
		STEP(g, h, a, b, c, d, e, f, BIG1, BIG0, WK((t) + 2));                                                                       \
		STEP(f, g, h, a, b, c, d, e, BIG1, BIG0, WK((t) + 3));                                                                       \
		STEP(e, f, g, h, a, b, c, d, BIG1, BIG0, WK((t) + 4));                                                                       \
		STEP(d, e, f, g, h, a, b, c, BIG1, BIG0, WK((t) + 5));                                                                       \
		STEP(c, d, e, f, g, h, a, b, BIG1, BIG0, WK((t) + 6));                                                                       \
		STEP(b, c, d, e, f, g, h, a, BIG1, BIG0, WK((t) + 7));                                                                       \
	} while (0)

#define BIG0_256(x) (rotr32(x, 2) ^ rotr32(x, 13) ^ rotr32(x, 22))
#define BIG1_256(x) (rotr32(x, 6) ^ rotr32(x, 11) ^ rotr32(x, 25))
#define SMALL0_256(x) (rotr32(x, 7) ^ rotr32(x, 18) ^ ((x) >> 3))
#define SMALL1_256(x) (rotr32(x, 17) ^ rotr32(x, 19) ^ ((x) >> 10))
#define BIG0_512(x) (rotr64(x, 28) ^ rotr64(x, 34) ^ rotr64(x, 39))
#define BIG1_512(x) (rotr64(x, 14) ^ rotr64(x, 18) ^ rotr64(x, 41))
#define SMALL0_512(x) (rotr64(x, 1) ^ rotr64(x, 8) ^ ((x) >> 7))
#define SMALL1_512(x) (rotr64(x, 19) ^ rotr64(x, 61) ^ ((x) >> 6))

/* The schedule is a ring of 16: the first 16 words are the block, each later one takes the place of the word 16 before it. */
#define WORD_FIRST(t) (w[(t)] + k[(t)])
#define WORD_NEXT(t)                                                                                                                \
	((w[(t) & 15] += SMALL1(w[((t) + 14) & 15]) + w[((t) + 9) & 15] + SMALL0(w[((t) + 1) & 15])) + k[base + (t)])

static void blocks256(uint32_t *state, const uint8_t *p, uint64_t n) {
	const uint32_t *const k = att_sha256_k;
	for (; n != 0; n--, p += 64) {
		uint32_t w[16];
		uint32_t a = state[0], b = state[1], c = state[2], d = state[3];
		uint32_t e = state[4], f = state[5], g = state[6], h = state[7];
		for (int i = 0; i < 16; i++) {
			w[i] = att_load_be32(p + 4 * i);
		}
		EIGHT_STEPS(BIG1_256, BIG0_256, WORD_FIRST, 0);
		EIGHT_STEPS(BIG1_256, BIG0_256, WORD_FIRST, 8);
		for (int base = 16; base < 64; base += 16) {
#define SMALL0 SMALL0_256
#define SMALL1 SMALL1_256
			EIGHT_STEPS(BIG1_256, BIG0_256, WORD_NEXT, 0);
			EIGHT_STEPS(BIG1_256, BIG0_256, WORD_NEXT, 8);
#undef SMALL0
#undef SMALL1
		}
		state[0] += a, state[1] += b, state[2] += c, state[3] += d;
		state[4] += e, state[5] += f, state[6] += g, state[7] += h;
	}
}

static void blocks512(uint64_t *state, const uint8_t *p, uint64_t n) {
	const uint64_t *const k = att_sha512_k;
	for (; n != 0; n--, p += 128) {
		uint64_t w[16];
		uint64_t a = state[0], b = state[1], c = state[2], d = state[3];
		uint64_t e = state[4], f = state[5], g = state[6], h = state[7];
		for (int i = 0; i < 16; i++) {
			w[i] = att_load_be64(p + 8 * i);
		}
		EIGHT_STEPS(BIG1_512, BIG0_512, WORD_FIRST, 0);
		EIGHT_STEPS(BIG1_512, BIG0_512, WORD_FIRST, 8);
		for (int base = 16; base < 80; base += 16) {
#define SMALL0 SMALL0_512
#define SMALL1 SMALL1_512
			EIGHT_STEPS(BIG1_512, BIG0_512, WORD_NEXT, 0);
			EIGHT_STEPS(BIG1_512, BIG0_512, WORD_NEXT, 8);
#undef SMALL0
#undef SMALL1
		}
		state[0] += a, state[1] += b, state[2] += c, state[3] += d;
		state[4] += e, state[5] += f, state[6] += g, state[7] += h;
	}
}

/* The end of the message: what is left over, 0x80, zeros, the length in bits (FIPS 180-4, 5.1). At most two blocks. */
static uint64_t padded_tail(uint8_t *tail, const uint8_t *data, uint64_t len, uint64_t block, uint64_t len_field) {
	const uint64_t left = len % block;
	const uint64_t total = left + 1 + len_field <= block ? block : 2 * block;
	memset(tail, 0, (size_t)total);
	if (left != 0) {
		memcpy(tail, data + (len - left), (size_t)left);
	}
	tail[left] = 0x80;
	att_store_be64(tail + total - 8, len << 3);
	if (len_field == 16) {
		tail[total - 9] = (uint8_t)(len >> 61);
	}
	return total / block;
}

/* ---- what runs here: written by att_sha_start alone ------------------------------------------------------------------------ */

static void (*run256)(uint32_t *state, const uint8_t *p, uint64_t n) = blocks256;
static const att_sha512_lanes *many; /* NULL: one message at a time */
static char code[64] = "sha256 portable, sha384 portable";

const char *att_hash_code(void) { return code; }

/* ---- one message ----------------------------------------------------------------------------------------------------------- */

void att_sha256(const uint8_t *data, uint64_t data_len, uint8_t *out32) {
	uint32_t state[8] = {0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a, 0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19};
	uint8_t tail[128];
	run256(state, data, data_len / 64);
	run256(state, tail, padded_tail(tail, data, data_len, 64, 8));
	for (int i = 0; i < 8; i++) {
		att_store_be32(out32 + 4 * i, state[i]);
	}
}

static void sha512_from(const uint64_t *start, const uint8_t *data, uint64_t data_len, uint8_t *out, int words) {
	uint64_t state[8];
	uint8_t tail[256];
	memcpy(state, start, sizeof state);
	blocks512(state, data, data_len / 128);
	blocks512(state, tail, padded_tail(tail, data, data_len, 128, 16));
	for (int i = 0; i < words; i++) {
		att_store_be64(out + 8 * i, state[i]);
	}
}

static const uint64_t start384[8] = {0xcbbb9d5dc1059ed8, 0x629a292a367cd507, 0x9159015a3070dd17, 0x152fecd8f70e5939,
                                     0x67332667ffc00b31, 0x8eb44a8768581511, 0xdb0c2e0d64f98fa7, 0x47b5481dbefa4fa4};

void att_sha384(const uint8_t *data, uint64_t data_len, uint8_t *out48) {
	sha512_from(start384, data, data_len, out48, 6);
}

void att_sha512(const uint8_t *data, uint64_t data_len, uint8_t *out64) {
	static const uint64_t start[8] = {0x6a09e667f3bcc908, 0xbb67ae8584caa73b, 0x3c6ef372fe94f82b, 0xa54ff53a5f1d36f1,
	                                  0x510e527fade682d1, 0x9b05688c2b3e6c1f, 0x1f83d9abfb41bd6b, 0x5be0cd19137e2179};
	sha512_from(start, data, data_len, out64, 8);
}

/* ---- many messages --------------------------------------------------------------------------------------------------------- */

/* num messages (1 to lanes), one a lane. Lanes that are left over hash the first message once more, and nobody looks. */
static void sha384_group(const att_sha512_lanes *by, const uint8_t *const *data, uint64_t data_len, uint32_t num, uint8_t *out) {
	const uint32_t lanes = by->lanes;
	uint64_t state[8 * ATT_SHA_MAX_LANES];
	uint8_t tails[ATT_SHA_MAX_LANES][256];
	const uint8_t *at[ATT_SHA_MAX_LANES], *tail[ATT_SHA_MAX_LANES];
	uint64_t tail_blocks = 0;
	for (uint32_t l = 0; l < lanes; l++) {
		at[l] = data[l < num ? l : 0];
		tail[l] = tails[l < num ? l : 0];
		if (l < num) {
			tail_blocks = padded_tail(tails[l], data[l], data_len, 128, 16);
		}
		for (uint32_t w = 0; w < 8; w++) {
			state[w * lanes + l] = start384[w];
		}
	}
	by->blocks(state, at, data_len / 128);
	by->blocks(state, tail, tail_blocks);
	for (uint32_t l = 0; l < num; l++) {
		for (uint32_t w = 0; w < 6; w++) {
			att_store_be64(out + 48 * l + 8 * w, state[w * lanes + l]);
		}
	}
}

static void sha384_many_by(const att_sha512_lanes *by, const uint8_t *const *data, uint64_t data_len, uint64_t n, uint8_t *out) {
	uint64_t done = 0;
	while (by != NULL && n - done >= by->worth) {
		const uint32_t num = n - done < by->lanes ? (uint32_t)(n - done) : by->lanes;
		sha384_group(by, data + done, data_len, num, out + 48 * done);
		done += num;
	}
	for (; done < n; done++) {
		att_sha384(data[done], data_len, out + 48 * done);
	}
}

void att_sha384_many(const uint8_t *const *data, uint64_t data_len, uint64_t n, uint8_t *out48n) {
	sha384_many_by(many, data, data_len, n, out48n);
}

/* ---- start ----------------------------------------------------------------------------------------------------------------- */

/* FIPS 180-4's message "abc". */
static bool one_ok(void) {
	static const uint8_t abc[3] = {'a', 'b', 'c'};
	uint8_t out[64];
	att_sha256(abc, sizeof abc, out);
	if (memcmp(out, kat_abc_sha256, 32) != 0) {
		return false;
	}
	att_sha384(abc, sizeof abc, out);
	if (memcmp(out, kat_abc_sha384, 48) != 0) {
		return false;
	}
	att_sha512(abc, sizeof abc, out);
	return memcmp(out, kat_abc_sha512, 64) == 0;
}

/* The rounds of SHA-256 over several blocks against the portable ones, from a state of their own. */
static bool rounds256_ok(void) {
	uint8_t data[5 * 64];
	uint32_t ours[8], theirs[8];
	for (uint32_t i = 0; i < sizeof data; i++) {
		data[i] = (uint8_t)(i * 37 + (i >> 8) + 11);
	}
	for (uint32_t i = 0; i < 8; i++) {
		ours[i] = theirs[i] = att_sha256_k[i] * 3;
	}
	run256(ours, data, 5);
	blocks256(theirs, data, 5);
	return memcmp(ours, theirs, sizeof ours) == 0;
}

/* "abc" in every lane but one, which has another message; and then longer ones, all different, by every number of them. */
static bool lanes_ok(const att_sha512_lanes *by) {
	uint8_t messages[ATT_SHA_MAX_LANES][300], out[ATT_SHA_MAX_LANES * 48], one[48];
	const uint8_t *at[ATT_SHA_MAX_LANES];
	for (uint32_t l = 0; l < ATT_SHA_MAX_LANES; l++) {
		memcpy(messages[l], l == 1 ? "abd" : "abc", 3);
		at[l] = messages[l];
	}
	sha384_group(by, at, 3, by->lanes, out);
	for (uint32_t l = 0; l < by->lanes; l++) {
		if ((memcmp(out + 48 * l, kat_abc_sha384, 48) == 0) != (l != 1)) {
			return false;
		}
	}
	for (uint32_t i = 0; i < sizeof messages; i++) {
		messages[i / 300][i % 300] = (uint8_t)(i * 29 + (i >> 8) + 5);
	}
	for (uint32_t num = 1; num <= by->lanes; num++) {
		sha384_group(by, at, 300, num, out);
		for (uint32_t l = 0; l < num; l++) {
			att_sha384(messages[l], 300, one);
			if (memcmp(out + 48 * l, one, 48) != 0) {
				return false;
			}
		}
	}
	return true;
}

static void name_code(const char *name256, const char *name384) {
	static const char first[] = "sha256 ", second[] = ", sha384 ";
	const char *const parts[] = {first, name256, second, name384};
	size_t used = 0;
	for (size_t i = 0; i < sizeof parts / sizeof *parts && used + strlen(parts[i]) < sizeof code; i++) {
		memcpy(code + used, parts[i], strlen(parts[i]));
		used += strlen(parts[i]);
	}
	code[used] = '\0';
}

/* Every way that this CPU has is tested, the best is taken. */
bool att_sha_start(void) {
	static const att_sha512_lanes *const ways[] = {&att_sha512_avx512x8, &att_sha512_avx2x4};
	if (!one_ok()) {
		return false;
	}
	run256 = att_sha256_shani_usable() ? att_sha256_shani : blocks256;
	if (!one_ok() || !rounds256_ok()) {
		return false;
	}
	many = NULL;
	for (size_t i = 0; i < sizeof ways / sizeof *ways; i++) {
		if (!ways[i]->usable()) {
			continue;
		}
		if (!lanes_ok(ways[i])) {
			return false;
		}
		many = many != NULL ? many : ways[i];
	}
	name_code(run256 == blocks256 ? "portable" : "sha_ni", many != NULL ? many->name : "portable");
	return true;
}
