/* SPDX-License-Identifier: Apache-2.0
 *
 * rsa_portable.c: the RSA public operation (RFC 8017, 5.2.2) in portable C: Montgomery's product, column by column, for any odd
 * modulus of 256 to 512 bytes. Public data only, variable time.
 *
 * Numbers are limbs of B bits (60, or 27 where there are no 128-bit integers), least significant first, as many as hold 4 n. So with
 * R = 2^(B limbs) > 4 n, factors below 2 n give a product below (4 n^2 + R n) / R < 2 n, and nothing is subtracted before the end. A
 * column sums at most 2 * ATT_RSA_LIMBS products below 2^(2B): 2^127.2 of 2^128, or 2^62.3 of 2^64. */
#include <string.h>

#include "rsa.h"

#define B ATT_RSA_LIMB_BITS
#define MASK (((att_word)1 << B) - 1)

_Static_assert(2 * ATT_RSA_LIMBS + 1 < 1 << (2 * ATT_WORD_BITS - 2 * B), "a column overflows");

/* sum(a[i] * b[-i], i < n): a stretch of one column. */
static inline att_dword column(const att_word *a, const att_word *b, uint32_t n) {
	att_dword sum = 0;
	ATT_UNROLL_4
	for (uint32_t i = 0; i < n; i++) {
		sum += (att_dword)a[i] * *(b - i);
	}
	return sum;
}

/* The same of two pairs at once. */
static inline att_dword columns(const att_word *a, const att_word *b, const att_word *c, const att_word *d, uint32_t n) {
	att_dword sum = 0, other = 0;
	ATT_UNROLL_4
	for (uint32_t i = 0; i < n; i++) {
		sum += (att_dword)a[i] * *(b - i);
		other += (att_dword)c[i] * *(d - i);
	}
	return sum + other;
}

/* out = a b / R modulo n, below 2 n as a and b are. Out may be a or b: limb i is written when limbs up to i were read. */
static void multiply(const att_rsa_key *key, att_word *out, const att_word *a, const att_word *b) {
	const uint32_t limbs = key->limbs;
	att_word q[ATT_RSA_LIMBS];
	att_dword acc = 0;
	for (uint32_t k = 0; k < limbs; k++) {
		acc += columns(a, b + k, q, key->n + k, k) + (att_dword)a[k] * b[0];
		q[k] = (att_word)acc * key->inverse & MASK;
		acc = (acc + (att_dword)q[k] * key->n[0]) >> B;
	}
	for (uint32_t k = limbs; k < 2 * limbs - 1; k++) {
		const uint32_t first = k - limbs + 1;
		acc += columns(a + first, b + limbs - 1, q + first, key->n + limbs - 1, limbs - first);
		out[k - limbs] = (att_word)acc & MASK;
		acc >>= B;
	}
	out[limbs - 1] = (att_word)acc;
}

/* The same for b = a: products a[i] a[j], i < j, once and doubled. */
static void square(const att_rsa_key *key, att_word *out, const att_word *a) {
	const uint32_t limbs = key->limbs;
	att_word q[ATT_RSA_LIMBS];
	att_dword acc = 0;
	for (uint32_t k = 0; k < limbs; k++) {
		acc += 2 * column(a, a + k, (k + 1) / 2) + (k % 2 == 0 ? (att_dword)a[k / 2] * a[k / 2] : 0);
		acc += column(q, key->n + k, k);
		q[k] = (att_word)acc * key->inverse & MASK;
		acc = (acc + (att_dword)q[k] * key->n[0]) >> B;
	}
	for (uint32_t k = limbs; k < 2 * limbs - 1; k++) {
		const uint32_t first = k - limbs + 1;
		acc += 2 * column(a + first, a + limbs - 1, (k + 1) / 2 - first) + (k % 2 == 0 ? (att_dword)a[k / 2] * a[k / 2] : 0);
		acc += column(q + first, key->n + limbs - 1, limbs - first);
		out[k - limbs] = (att_word)acc & MASK;
		acc >>= B;
	}
	out[limbs - 1] = (att_word)acc;
}

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
	key->limbs = (8 * len + 2 + B - 1) / B;
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

bool att_rsa_public(const att_rsa_key *key, uint32_t exponent, const uint8_t *sig, uint8_t *out) {
	att_word base[ATT_RSA_LIMBS], acc[ATT_RSA_LIMBS], one[ATT_RSA_LIMBS] = {1};
	uint32_t bit = 31;
	if (key->limbs == 0 || exponent == 0) {
		return false;
	}
	load(base, key->limbs, sig, key->len);
	if (!below(base, key->n, key->limbs)) {
		return false;
	}
	multiply(key, base, base, key->r2);
	memcpy(acc, base, key->limbs * sizeof *acc);
	while ((exponent >> bit & 1) == 0) {
		bit--;
	}
	while (bit-- > 0) {
		square(key, acc, acc);
		if ((exponent >> bit & 1) != 0) {
			multiply(key, acc, acc, base);
		}
	}
	multiply(key, acc, acc, one);  /* at most n */
	subtract_modulus(key, acc);
	store(out, key->len, acc);
	return true;
}
