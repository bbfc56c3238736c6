/* SPDX-License-Identifier: Apache-2.0
 *
 * rsa_portable.c: the RSA public operation (RFC 8017, 5.2.2) in portable C: Montgomery's product, column by column, for any odd
 * modulus of 256 to 512 bytes. Public data only, variable time.
 *
 * Numbers are limbs of B bits (60, or 27 where there are no 128-bit integers), least significant first, as many as hold 4 n. So with
 * R = 2^(B limbs) > 4 n, factors below 2 n give a product below (4 n^2 + R n) / R < 2 n, and nothing is subtracted before the end. A
 * column sums at most 2 * ATT_RSA_LIMBS products below 2^(2B) and a carry: 2^127.2 of 2^128, or 2^62.3 of 2^64. Limbs go in pairs: a
 * pair of one factor meets a pair of the other in three columns, which is as many as there are registers for. */
#include <string.h>

#include "rsa.h"

#define B ATT_RSA_LIMB_BITS
#define MASK (((att_word)1 << B) - 1)

_Static_assert(2 * ATT_RSA_LIMBS + 1 < 1 << (2 * ATT_WORD_BITS - 2 * B), "a column overflows");

/* Three neighbouring columns under way. */
typedef struct {
	att_dword c0, c1, c2;
} columns;

/* Adds the products of pairs of limbs a[i] and b[pair - i], first <= i < end: a pair and a pair meet in three columns, which stay in
 * registers meanwhile. */
ATT_INLINE void add_pairs(columns *c, const att_word *a, const att_word *b, uint32_t first, uint32_t end, uint32_t pair) {
	att_dword c0 = c->c0, c1 = c->c1, c2 = c->c2;
	size_t i = 2 * (size_t)first, j = 2 * ((size_t)pair - first);
	for (uint32_t left = first < end ? end - first : 0; left != 0; left--, i += 2, j -= 2) {
		c0 += (att_dword)a[i] * b[j];
		c1 += (att_dword)a[i] * b[j + 1];
		c2 += (att_dword)a[i + 1] * b[j + 1];
		c1 += (att_dword)a[i + 1] * b[j];
	}
	c->c0 = c0;
	c->c1 = c1;
	c->c2 = c2;
}

/* The same of a^2: products of different limbs once and doubled. */
ATT_INLINE void add_squares(columns *c, const att_word *a, uint32_t first, uint32_t pair) {
	columns once = {0, 0, 0};
	add_pairs(&once, a, a, first, (pair + 1) / 2, pair);
	if (pair % 2 == 0) {
		once.c1 += (att_dword)a[pair] * a[pair + 1];
		c->c0 += (att_dword)a[pair] * a[pair];
		c->c2 += (att_dword)a[pair + 1] * a[pair + 1];
	}
	c->c0 += 2 * once.c0;
	c->c1 += 2 * once.c1;
	c->c2 += 2 * once.c2;
}

/* out = a b / R modulo n, below 2 n as a and b are; b NULL: a^2 / R. Out may be a or b: a pair of limbs is written when all up to it
 * were read for the last time. */
ATT_INLINE void product(const att_rsa_key *key, att_word *out, const att_word *a, const att_word *b) {
	const uint32_t pairs = key->limbs / 2;
	const att_word *const n = key->n;
	att_word q[ATT_RSA_LIMBS];
	columns c = {0, 0, 0};
	for (uint32_t k = 0; k < 2 * pairs; k++) {
		const uint32_t first = k < pairs ? 0 : k - pairs + 1, end = k < pairs ? k : pairs;
		if (b == NULL) {
			add_squares(&c, a, first, k);
		} else {
			add_pairs(&c, a, b, first, k < pairs ? k + 1 : pairs, k);
		}
		add_pairs(&c, q, n, first, end, k);
		if (k < pairs) {
			const att_word q0 = (att_word)c.c0 * key->inverse & MASK;
			c.c1 += (att_dword)q0 * n[1] + ((c.c0 + (att_dword)q0 * n[0]) >> B);
			const att_word q1 = (att_word)c.c1 * key->inverse & MASK;
			c.c2 += (att_dword)q1 * n[1] + ((c.c1 + (att_dword)q1 * n[0]) >> B);
			q[2 * k] = q0;
			q[2 * k + 1] = q1;
		} else {
			c.c1 += c.c0 >> B;
			c.c2 += c.c1 >> B;
			out[2 * (k - pairs)] = (att_word)c.c0 & MASK;
			out[2 * (k - pairs) + 1] = (att_word)c.c1 & MASK;
		}
		c = (columns){c.c2, 0, 0};
	}
}

ATT_NOINLINE void multiply(const att_rsa_key *key, att_word *out, const att_word *a, const att_word *b) { product(key, out, a, b); }
ATT_NOINLINE void square(const att_rsa_key *key, att_word *out, const att_word *a) { product(key, out, a, NULL); }

static bool below(const att_word *a, const att_word *b, uint32_t limbs) {
	for (uint32_t i = limbs; i > 0; i--) {
		if (a[i - 1] != b[i - 1]) {
			return a[i - 1] < b[i - 1];
		}
	}
	return false;
}

/* a - n unless a is below n. */
static void subtract_modulus(const att_rsa_key *key, att_word *a) {
	att_word borrow = 0;
	if (below(a, key->n, key->limbs)) {
		return;
	}
	for (uint32_t i = 0; i < key->limbs; i++) {
		const att_word t = a[i] - key->n[i] - borrow;
		a[i] = t & MASK;
		borrow = t >> (ATT_WORD_BITS - 1);
	}
}

/* a = 2 a mod n, a below n. */
static void twice(const att_rsa_key *key, att_word *a) {
	att_word carry = 0;
	for (uint32_t i = 0; i < key->limbs; i++) {
		const att_word t = a[i] << 1 | carry;
		a[i] = t & MASK;
		carry = t >> B;
	}
	subtract_modulus(key, a);
}

static void load(att_word *out, uint32_t limbs, const uint8_t *big_endian, uint32_t len) {
	att_dword bits = 0;
	uint32_t have = 0, limb = 0;
	memset(out, 0, limbs * sizeof *out);
	for (uint32_t i = len; i > 0; i--) {
		bits |= (att_dword)big_endian[i - 1] << have;
		have += 8;
		if (have >= B) {
			out[limb++] = (att_word)bits & MASK;
			bits >>= B;
			have -= B;
		}
	}
	if (limb < limbs) {
		out[limb] = (att_word)bits;
	}
}

static void store(uint8_t *big_endian, uint32_t len, const att_word *limbs) {
	att_dword bits = 0;
	uint32_t have = 0, limb = 0;
	for (uint32_t i = len; i > 0; i--) {
		if (have < 8) {
			bits |= (att_dword)limbs[limb++] << have;
			have += B;
		}
		big_endian[i - 1] = (uint8_t)bits;
		bits >>= 8;
		have -= 8;
	}
}

/* R^2 mod n. 2 R mod n by doubling, from the top bit that n surely has; that is 2^1 in Montgomery form, and squaring and doubling along
 * the bits of the exponent makes it 2^(B limbs), which is R. */
static void find_r2(att_rsa_key *key) {
	const uint32_t r_bits = key->limbs * B;
	const uint32_t start = 8 * (key->len - 1);  /* 2^start <= n, and n is odd: below n */
	uint32_t bit = 31;
	memset(key->r2, 0, sizeof key->r2);
	key->r2[start / B] = (att_word)1 << start % B;
	for (uint32_t i = start; i < r_bits + 1; i++) {
		twice(key, key->r2);
	}
	while ((r_bits >> bit & 1) == 0) {
		bit--;
	}
	while (bit-- > 0) {
		square(key, key->r2, key->r2);
		subtract_modulus(key, key->r2);
		if ((r_bits >> bit & 1) != 0) {
			twice(key, key->r2);
		}
	}
}

bool att_rsa_key_load(att_rsa_key *key, const uint8_t *modulus, uint32_t len) {
	uint8_t bytes[ATT_RSA_MAX_BYTES];
	if (len < ATT_RSA_MIN_BYTES || len > ATT_RSA_MAX_BYTES) {
		return false;
	}
	memcpy(bytes, modulus, len);
	if (bytes[0] == 0 || bytes[len - 1] % 2 == 0) {
		return false;
	}
	if (key->limbs != 0 && key->len == len && memcmp(key->bytes, bytes, len) == 0) {
		return true;
	}
	key->limbs = ATT_RSA_LIMBS_FOR(len);
	key->len = len;
	memcpy(key->bytes, bytes, len);
	load(key->n, key->limbs, bytes, len);
	/* Newton: an odd n is its own inverse modulo 8; each step doubles the bits that are right. */
	att_word inverse = key->n[0];
	for (int bits = 3; bits < B; bits *= 2) {
		inverse *= 2 - key->n[0] * inverse;
	}
	key->inverse = (0 - inverse) & MASK;
	find_r2(key);
	return true;
}

/* The exponent is odd: its last step is a square and a product with the base. With the base as it is, not in Montgomery form, that is
 * the way out as well; the result is below n + (2 n) n / R < 2 n. */
bool att_rsa_public(const att_rsa_key *key, uint32_t exponent, const uint8_t *sig, uint8_t *out) {
	att_word plain[ATT_RSA_LIMBS], base[ATT_RSA_LIMBS], acc[ATT_RSA_LIMBS];
	uint32_t bit = 31;
	if (key->limbs == 0 || exponent < 3 || exponent % 2 == 0) {
		return false;
	}
	load(plain, key->limbs, sig, key->len);
	if (!below(plain, key->n, key->limbs)) {
		return false;
	}
	multiply(key, base, plain, key->r2);
	memcpy(acc, base, key->limbs * sizeof *acc);
	while ((exponent >> bit & 1) == 0) {
		bit--;
	}
	while (--bit > 0) {
		square(key, acc, acc);
		if ((exponent >> bit & 1) != 0) {
			multiply(key, acc, acc, base);
		}
	}
	square(key, acc, acc);
	multiply(key, acc, acc, plain);
	subtract_modulus(key, acc);
	store(out, key->len, acc);
	return true;
}
