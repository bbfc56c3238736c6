/* SPDX-License-Identifier: Apache-2.0
 *
 * rsa_portable.c: the RSA public operation (RFC 8017, 5.2.2) in portable C: Montgomery's product on full words, any odd modulus of
 * 256 to 512 bytes. Public data only, variable time. */
#include <string.h>

#include "rsa.h"

#define WORD_BYTES (ATT_WORD_BITS / 8)

/* r[0..n) += a[0..n) * m; returns what is carried out of it. The sum of a product and two words fits a double word. */
static att_word add_product(att_word *r, const att_word *a, uint32_t n, att_word m) {
	att_word carry = 0;
	for (uint32_t i = 0; i < n; i++) {
		const att_dword t = (att_dword)a[i] * m + r[i] + carry;
		r[i] = (att_word)t;
		carry = (att_word)(t >> ATT_WORD_BITS);
	}
	return carry;
}

/* a -= b; returns the borrow. */
static att_word subtract(att_word *a, const att_word *b, uint32_t n) {
	att_word borrow = 0;
	for (uint32_t i = 0; i < n; i++) {
		const att_dword t = (att_dword)a[i] - b[i] - borrow;
		a[i] = (att_word)t;
		borrow = (att_word)(t >> ATT_WORD_BITS) & 1;
	}
	return borrow;
}

static bool below(const att_word *a, const att_word *b, uint32_t n) {
	for (uint32_t i = n; i > 0; i--) {
		if (a[i - 1] != b[i - 1]) {
			return a[i - 1] < b[i - 1];
		}
	}
	return false;
}

/* out = t / R mod n for t < n R of 2 words words; t is used up. Out is below n. */
static void reduce(const att_rsa_key *key, att_word *out, att_word *t) {
	const uint32_t words = key->words;
	att_word top = 0;  /* of the sum, which is below 2 n R */
	for (uint32_t i = 0; i < words; i++) {
		const att_word carry = add_product(t + i, key->n, words, t[i] * key->inverse);
		const att_dword sum = (att_dword)t[words + i] + carry + top;
		t[words + i] = (att_word)sum;
		top = (att_word)(sum >> ATT_WORD_BITS);
	}
	memcpy(out, t + words, words * sizeof *out);
	if (top != 0 || !below(out, key->n, words)) {
		subtract(out, key->n, words);
	}
}

/* out = a b / R mod n, a and b below n. */
static void multiply(const att_rsa_key *key, att_word *out, const att_word *a, const att_word *b) {
	att_word t[2 * ATT_RSA_WORDS] = {0};
	for (uint32_t i = 0; i < key->words; i++) {
		t[key->words + i] = add_product(t + i, b, key->words, a[i]);
	}
	reduce(key, out, t);
}

/* The same for b = a: each product a[i] a[j], i < j, once, all doubled, the squares added. */
static void square(const att_rsa_key *key, att_word *out, const att_word *a) {
	const uint32_t words = key->words;
	att_word t[2 * ATT_RSA_WORDS] = {0};
	att_word shifted = 0, carry = 0;
	for (uint32_t i = 0; i + 1 < words; i++) {
		t[words + i] = add_product(t + 2 * i + 1, a + i + 1, words - i - 1, a[i]);
	}
	for (uint32_t i = 0; i < words; i++) {
		const att_dword diagonal = (att_dword)a[i] * a[i];
		const att_word low = t[2 * i], high = t[2 * i + 1];
		att_dword sum = (att_dword)(att_word)(low << 1 | shifted) + (att_word)diagonal + carry;
		t[2 * i] = (att_word)sum;
		sum = (sum >> ATT_WORD_BITS) + (att_word)(high << 1 | low >> (ATT_WORD_BITS - 1)) + (att_word)(diagonal >> ATT_WORD_BITS);
		t[2 * i + 1] = (att_word)sum;
		carry = (att_word)(sum >> ATT_WORD_BITS);
		shifted = high >> (ATT_WORD_BITS - 1);
	}
	reduce(key, out, t);
}

/* Big-endian bytes, as many as there are, to words; bytes past a whole word make the top one. */
static void load(att_word *out, uint32_t words, const uint8_t *bytes, uint32_t len) {
	memset(out, 0, words * sizeof *out);
	for (uint32_t i = 0; i < len; i++) {
		out[i / WORD_BYTES] |= (att_word)bytes[len - 1 - i] << 8 * (i % WORD_BYTES);
	}
}

static void store(uint8_t *out, uint32_t len, const att_word *words) {
	for (uint32_t i = 0; i < len; i++) {
		out[len - 1 - i] = (uint8_t)(words[i / WORD_BYTES] >> 8 * (i % WORD_BYTES));
	}
}

/* a = 2 a mod n, a below n. */
static void twice(const att_rsa_key *key, att_word *a) {
	att_word carry = 0;
	for (uint32_t i = 0; i < key->words; i++) {
		const att_word next = a[i] >> (ATT_WORD_BITS - 1);
		a[i] = (att_word)(a[i] << 1 | carry);
		carry = next;
	}
	if (carry != 0 || !below(a, key->n, key->words)) {
		subtract(a, key->n, key->words);
	}
}

/* R^2 mod n. 2 R is reached by doubling from the top bit of n's first byte; then 2^k R for k = the bits of R, by squaring and
 * doubling along the bits of k. */
static void find_r2(att_rsa_key *key) {
	const uint32_t r_bits = key->words * ATT_WORD_BITS;
	const uint32_t start = 8 * (key->len - 1);  /* 2^start <= n, and n is odd: below n */
	uint32_t bit = 31;
	memset(key->r2, 0, sizeof key->r2);
	key->r2[start / ATT_WORD_BITS] = (att_word)1 << start % ATT_WORD_BITS;
	for (uint32_t i = start; i < r_bits + 1; i++) {
		twice(key, key->r2);
	}
	while ((r_bits >> bit & 1) == 0) {
		bit--;
	}
	while (bit-- > 0) {
		square(key, key->r2, key->r2);
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
	if (key->words != 0 && key->len == len && memcmp(key->bytes, bytes, len) == 0) {
		return true;
	}
	key->words = (len + WORD_BYTES - 1) / WORD_BYTES;
	key->len = len;
	memcpy(key->bytes, bytes, len);
	load(key->n, key->words, bytes, len);
	/* Newton: an odd n is its own inverse modulo 8; each step doubles the bits that are right. */
	att_word inverse = key->n[0];
	for (int bits = 3; bits < ATT_WORD_BITS; bits *= 2) {
		inverse *= 2 - key->n[0] * inverse;
	}
	key->inverse = 0 - inverse;
	find_r2(key);
	return true;
}

bool att_rsa_public(const att_rsa_key *key, uint32_t exponent, const uint8_t *sig, uint8_t *out) {
	att_word base[ATT_RSA_WORDS], acc[ATT_RSA_WORDS], t[2 * ATT_RSA_WORDS] = {0};
	uint32_t bit = 31;
	if (key->words == 0 || exponent == 0) {
		return false;
	}
	load(base, key->words, sig, key->len);
	if (!below(base, key->n, key->words)) {
		return false;
	}
	multiply(key, base, base, key->r2);
	memcpy(acc, base, key->words * sizeof *acc);
	while ((exponent >> bit & 1) == 0) {
		bit--;
	}
	while (bit-- > 0) {
		square(key, acc, acc);
		if ((exponent >> bit & 1) != 0) {
			multiply(key, acc, acc, base);
		}
	}
	memcpy(t, acc, key->words * sizeof *t);
	reduce(key, acc, t);
	store(out, key->len, acc);
	return true;
}
