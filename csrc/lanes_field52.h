/* SPDX-License-Identifier: Apache-2.0
 *
 * lanes_field52.h: arithmetic modulo p and n of one curve in eight lanes, with limbs of 52 bits. Included by lanes_p*_ifma8.c
 * after the curve's constants (CURVE_BITS, NL, ORDER_INVERSE, prime ...). Everything is static; every statement holds in each
 * lane.
 *
 * An element is NL limbs, value sum(v[i] 2^(52 i)), in Montgomery form with R = 2^(52 NL): 2^416 for P-384, 2^260 for P-256.
 *   settled   every limb in [0, 2^52), value below 2.02 * 2^CURVE_BITS. What products need: they look at 52 bits of a limb.
 *   raw       signed limbs of 64 bits, any sum or difference of a few settled elements, |value| < 2^(CURVE_BITS + 6).
 *
 * Why nothing overflows. A column of a product has at most 2 NL <= 16 halves below 2^52: 2^56, and eight times that where 8 c^2
 * is taken off: below 2^60 with all that reduction adds (fewer than 8 further terms below 2^52). Raw limbs stay below 2^57.
 *   Product a b of settled a, b, reduced: (a b + q p) / R with q < R, so in [0, a b / R + p). a b / R is below 2^354 for P-384
 *   and 4.1 / 16 * 2^256 for P-256, so the value is below 1.3 * 2^CURVE_BITS and settled after a carry.
 *   Settling of V takes t p off, with t = floor(v[NL-1] / 2^TOP_BITS) - 1 from the last limb as it is, the others not carried.
 *   They amount to |L| < 2^(52 (NL - 1) + 9), less than 2^(CURVE_BITS - 10), and V = (t + 1) 2^CURVE_BITS + (a rest below
 *   2^CURVE_BITS) + L, so V - t p = 2^CURVE_BITS + rest + L + t (2^CURVE_BITS - p), the last below 2^(CURVE_BITS - 25): between
 *   0.99 and 2.01 times 2^CURVE_BITS, whatever the sign of V. No multiple of p has to be added before a subtraction. */
#include <stdbool.h>
#include <string.h>

#define LIMB_BITS 52
#define LIMB_MASK (((uint64_t)1 << LIMB_BITS) - 1)
#define TOP_BITS (CURVE_BITS - LIMB_BITS * (NL - 1))
#define CURVE_BYTES (CURVE_BITS / 8)
#define ROW 8                                /* words of a row: one lane's limbs, with zeros behind */
#define POWER(e) v_set((uint64_t)1 << (e))

typedef struct {
	vec v[NL];
} fe;

/* ---- columns ------------------------------------------------------------------------------------------------------------- */

/* Column k of a b: low halves of the products of weight k, high halves of those of weight k - 1. Sums begin at 0 rather than at
 * what reduction has brought to the column, so that they do not have to wait for it. */
LANES_INLINE vec column_mul(const vec *a, const vec *b, int k) {
	vec low = v_set(0), high = v_set(0);
	LANES_UNROLL
	for (int i = 0; i < NL; i++) {
		if (k - i >= 0 && k - i < NL) {
			low = v_lo52(low, a[i], b[k - i]);
		}
		if (k - 1 - i >= 0 && k - 1 - i < NL) {
			high = v_hi52(high, a[i], b[k - 1 - i]);
		}
	}
	return v_add(low, high);
}

/* The same of a square: products of different limbs once, doubled. */
LANES_INLINE vec column_sqr(const vec *a, int k) {
	vec low = v_set(0), high = v_set(0);
	LANES_UNROLL
	for (int i = 0; i < NL; i++) {
		if (i < k - i && k - i < NL) {
			low = v_lo52(low, a[i], a[k - i]);
		}
		if (i < k - 1 - i && k - 1 - i < NL) {
			high = v_hi52(high, a[i], a[k - 1 - i]);
		}
	}
	const vec once = v_add(low, high), twice = v_add(once, once);
	return k % 2 == 0 ? v_lo52(twice, a[k / 2], a[k / 2]) : v_hi52(twice, a[k / 2], a[k / 2]);
}

typedef enum { MUL, SQR, MUL_SUB_MUL, MUL_SUB_8SQR } product_kind;

LANES_INLINE vec column_of(product_kind kind, const fe *a, const fe *b, const fe *c, const fe *d, int k) {
	switch (kind) {
	case MUL:
		return column_mul(a->v, b->v, k);
	case SQR:
		return column_sqr(a->v, k);
	case MUL_SUB_MUL:
		return v_sub(column_mul(a->v, b->v, k), column_mul(c->v, d->v, k));
	default:
		return v_sub(column_mul(a->v, b->v, k), v_shl(column_sqr(c->v, k), 3));
	}
}

/* ---- reduction ----------------------------------------------------------------------------------------------------------- */

/* c holds the columns. reduce_digit adds q_k p 2^(52 k), with q_k such that column k vanishes, and carries what is above it into
 * column k + 1. p is so sparse that this is a handful of products with powers of two: shifts that split and add at once. */
#if CURVE_BITS == 384

/* p = 2^32 - 1 modulo 2^64, so q = l + (l mod 2^20) 2^32 for the low digit l: s is the column plus that, its low 52 bits are q,
 * and column + q (2^32 - 1) = 2^52 (floor(s / 2^52) + floor(q / 2^20)). -q (2^128 + 2^96) is added as (not q - (2^52 - 1))
 * (2^128 + 2^96), not q being 52 bits as well. The constants of all digits sum up to -(2^416 - 1) (2^128 + 2^96): four terms
 * that reduce_begin puts in place. */
LANES_INLINE void reduce_begin(vec *c) {
	c[1] = POWER(96 - 52);
	c[2] = POWER(128 - 104);
	c[9] = v_sub(v_set(0), POWER(96 - 52));
	c[10] = v_sub(v_set(0), POWER(128 - 104));
}

LANES_INLINE void reduce_digit(vec *c, int k) {
	const vec s = v_lo52(c[k], c[k], POWER(32));
	const vec n = v_not(s);
	const vec carry = v_hi52(v_sra(s, LIMB_BITS), s, POWER(32));
	c[k + 1] = v_add(v_lo52(c[k + 1], n, POWER(96 - 52)), carry);
	c[k + 2] = v_hi52(c[k + 2], n, POWER(96 - 52));
	c[k + 2] = v_lo52(c[k + 2], n, POWER(128 - 104));
	c[k + 3] = v_hi52(c[k + 3], n, POWER(128 - 104));
	c[k + 7] = v_lo52(c[k + 7], s, POWER(384 - 364));
	c[k + 8] = v_hi52(c[k + 8], s, POWER(384 - 364));
}

/* v - t p */
LANES_INLINE void take_primes(vec *v, vec t) {
	v[0] = v_add(v[0], v_sub(t, v_shl(t, 32)));
	v[1] = v_add(v[1], v_shl(t, 96 - 52));
	v[2] = v_add(v[2], v_shl(t, 128 - 104));
	v[7] = v_sub(v[7], v_shl(t, 384 - 364));
}

#elif CURVE_BITS == 256

/* p = -1 modulo 2^96, so q is the low digit itself; 2^256 - 2^224 = (2^32 - 1) 2^224. */
LANES_INLINE void reduce_begin(vec *c) { (void)c; }

LANES_INLINE void reduce_digit(vec *c, int k) {
	const vec q = c[k];
	const vec top = v_sub(POWER(256 - 208), POWER(224 - 208));
	c[k + 1] = v_add(v_lo52(c[k + 1], q, POWER(96 - 52)), v_sra(q, LIMB_BITS));
	c[k + 2] = v_hi52(c[k + 2], q, POWER(96 - 52));
	c[k + 3] = v_lo52(c[k + 3], q, POWER(192 - 156));
	c[k + 4] = v_hi52(c[k + 4], q, POWER(192 - 156));
	c[k + 4] = v_lo52(c[k + 4], q, top);
	c[k + 5] = v_hi52(c[k + 5], q, top);
}

LANES_INLINE void take_primes(vec *v, vec t) {
	v[0] = v_add(v[0], t);
	v[1] = v_sub(v[1], v_shl(t, 96 - 52));
	v[3] = v_sub(v[3], v_shl(t, 192 - 156));
	v[4] = v_add(v[4], v_sub(v_shl(t, 224 - 208), v_shl(t, 256 - 208)));
}

#endif

/* Limbs into [0, 2^52) for a value in [0, R). */
LANES_INLINE void carry_limbs(fe *out, const vec *v) {
	vec carry = v_set(0);
	LANES_UNROLL
	for (int i = 0; i < NL - 1; i++) {
		const vec sum = v_add(v[i], carry);
		out->v[i] = v_and(sum, v_set(LIMB_MASK));
		carry = v_sra(sum, LIMB_BITS);
	}
	out->v[NL - 1] = v_add(v[NL - 1], carry);
}

LANES_INLINE void settle_limbs(fe *out, vec *v) {
	take_primes(v, v_sub(v_sra(v[NL - 1], TOP_BITS), v_set(1)));
	carry_limbs(out, v);
}

/* The product of the kind, reduced; in lanes of negate its negative; plus raw, unless that is NULL. */
LANES_INLINE void product(fe *out, product_kind kind, const fe *a, const fe *b, const fe *c, const fe *d, vmask negate,
                          const fe *raw) {
	vec col[2 * NL];
	LANES_UNROLL
	for (int k = 0; k < 2 * NL; k++) {
		col[k] = v_set(0);
	}
	reduce_begin(col);
	LANES_UNROLL
	for (int k = 0; k < NL; k++) {
		/* Two columns a digit: digits are one long chain, and columns all the work there is to fill it with. */
		col[2 * k] = v_add(col[2 * k], column_of(kind, a, b, c, d, 2 * k));
		col[2 * k + 1] = v_add(col[2 * k + 1], column_of(kind, a, b, c, d, 2 * k + 1));
		reduce_digit(col, k);
	}
	if (raw == NULL && (kind == MUL || kind == SQR)) {
		carry_limbs(out, col + NL);
		return;
	}
	if (raw != NULL) {
		LANES_UNROLL
		for (int i = 0; i < NL; i++) {
			col[NL + i] = v_add(v_negate_if(negate, col[NL + i]), raw->v[i]);
		}
	}
	settle_limbs(out, col + NL);
}

/* ---- products: settled operands, settled results ------------------------------------------------------------------------- */

LANES_FUNCTION void fe_mul(fe *out, const fe *a, const fe *b) { product(out, MUL, a, b, NULL, NULL, v_mask(0), NULL); }
LANES_FUNCTION void fe_sqr(fe *out, const fe *a) { product(out, SQR, a, NULL, NULL, NULL, v_mask(0), NULL); }

/* a^2 + raw */
LANES_FUNCTION void fe_sqr_add(fe *out, const fe *a, const fe *raw) {
	product(out, SQR, a, NULL, NULL, NULL, v_mask(0), raw);
}

/* a b + raw, or raw - a b in the lanes of negate */
LANES_FUNCTION void fe_mul_add(fe *out, const fe *a, const fe *b, vmask negate, const fe *raw) {
	product(out, MUL, a, b, NULL, NULL, negate, raw);
}

/* a b - c d */
LANES_FUNCTION void fe_mul_sub_mul(fe *out, const fe *a, const fe *b, const fe *c, const fe *d) {
	product(out, MUL_SUB_MUL, a, b, c, d, v_mask(0), NULL);
}

/* a b - 8 c^2 */
LANES_FUNCTION void fe_mul_sub_8sqr(fe *out, const fe *a, const fe *b, const fe *c) {
	product(out, MUL_SUB_8SQR, a, b, c, NULL, v_mask(0), NULL);
}

/* a b / R modulo n: limbs below 2^52, value below n + a b / R, so below 2^CURVE_BITS (1 + 2^-20) for P-384, 1.3 * 2^CURVE_BITS
 * for P-256, when a and b are below 2.02 * 2^CURVE_BITS. Nothing about n is sparse. */
LANES_FUNCTION void sc_mul(fe *out, const fe *a, const fe *b) {
	vec col[2 * NL];
	LANES_UNROLL
	for (int k = 0; k < 2 * NL; k++) {
		col[k] = column_mul(a->v, b->v, k);
	}
	LANES_UNROLL
	for (int k = 0; k < NL; k++) {
		const vec q = v_lo52(v_set(0), col[k], v_set(ORDER_INVERSE));
		LANES_UNROLL
		for (int i = 0; i < NL; i++) {
			col[k + i] = v_lo52(col[k + i], q, v_set(order[i]));
			col[k + i + 1] = v_hi52(col[k + i + 1], q, v_set(order[i]));
		}
		col[k + 1] = v_add(col[k + 1], v_sra(col[k], LIMB_BITS));
	}
	carry_limbs(out, col + NL);
}

/* ---- elements: everything but products ----------------------------------------------------------------------------------- */

LANES_INLINE void fe_add(fe *raw, const fe *a, const fe *b) {
	LANES_UNROLL
	for (int i = 0; i < NL; i++) {
		raw->v[i] = v_add(a->v[i], b->v[i]);
	}
}

LANES_INLINE void fe_sub(fe *raw, const fe *a, const fe *b) {
	LANES_UNROLL
	for (int i = 0; i < NL; i++) {
		raw->v[i] = v_sub(a->v[i], b->v[i]);
	}
}

/* a 2^bits */
LANES_INLINE void fe_shift(fe *raw, const fe *a, unsigned bits) {
	LANES_UNROLL
	for (int i = 0; i < NL; i++) {
		raw->v[i] = v_shl(a->v[i], bits);
	}
}

LANES_INLINE void fe_negate(fe *raw, const fe *a) {
	LANES_UNROLL
	for (int i = 0; i < NL; i++) {
		raw->v[i] = v_sub(v_set(0), a->v[i]);
	}
}

LANES_INLINE void fe_settle(fe *a) {
	vec v[NL];
	memcpy(v, a->v, sizeof v);
	settle_limbs(a, v);
}

/* The same constant in all lanes. */
LANES_INLINE void fe_set(fe *out, const uint64_t *limbs) {
	LANES_UNROLL
	for (int i = 0; i < NL; i++) {
		out->v[i] = v_set(limbs[i]);
	}
}

LANES_INLINE void fe_pick(fe *out, vmask m, const fe *yes, const fe *no) {
	LANES_UNROLL
	for (int i = 0; i < NL; i++) {
		out->v[i] = v_pick(m, yes->v[i], no->v[i]);
	}
}

LANES_INLINE uint32_t lanes_equal(const fe *a, const uint64_t *limbs) {
	uint32_t bits = v_bits(v_equal(a->v[0], v_set(limbs[0])));
	for (int i = 1; i < NL; i++) {
		bits &= v_bits(v_equal(a->v[i], v_set(limbs[i])));
	}
	return bits;
}

/* The lanes, as bits, in which a settled element is 0 modulo p: it is 0, p or 2 p, as it is below 2.02 * 2^CURVE_BITS < 3 p. */
LANES_FUNCTION uint32_t fe_zero_lanes(const fe *a) {
	static const uint64_t zero[NL];
	return lanes_equal(a, zero) | lanes_equal(a, prime) | lanes_equal(a, prime_twice);
}

/* Lane l from row l, and back. */
LANES_INLINE void fe_load(fe *out, const uint64_t *const rows[LANES]) {
	vec m[8];
	v_load_rows(m, rows);
	memcpy(out->v, m, sizeof out->v);
}

LANES_INLINE void fe_store(const fe *a, uint64_t *const rows[LANES]) {
	vec m[8];
	LANES_UNROLL
	for (int i = NL; i < 8; i++) {
		m[i] = v_set(0);
	}
	memcpy(m, a->v, sizeof a->v);
	v_store_rows(m, rows);
}

LANES_INLINE void fe_rotate(fe *out, const fe *a, int by) {
	LANES_UNROLL
	for (int i = 0; i < NL; i++) {
		out->v[i] = v_rotate(a->v[i], by);
	}
}

/* Sums that settle do not grow. */
#define FE_GROWS 0
LANES_INLINE void fe_tighten(fe *a) { (void)a; }

/* A coordinate of a table's entry: a row as it is. */
#define ENTRY_ROW 8

LANES_INLINE void entry_load(fe *out, const uint64_t *const rows[LANES]) { fe_load(out, rows); }
LANES_INLINE void entry_store(const fe *a, uint64_t *const rows[LANES]) { fe_store(a, rows); }
