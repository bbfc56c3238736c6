/* SPDX-License-Identifier: Apache-2.0
 *
 * lanes_field28.h: arithmetic modulo p and n of one curve in lanes, with limbs of 28 bits. Included by lanes_p*_avx2x4.c after
 * the curve's constants (CURVE_BITS, NL, ROW, ORDER_INVERSE, PRIME_TERMS, prime ...). Everything is static; every statement
 * holds in each lane.
 *
 * An element is NL signed limbs, value sum(v[i] 2^(28 i)), in Montgomery form with R = 2^(28 NL): 2^392 for P-384, 2^280 for
 * P-256. Products take limbs of 32 bits, sign and all, and leave balanced digits, in [-2^27, 2^27), so sums of a few elements
 * are operands as they are: fe_settle has nothing to do. This is what engine portable does with 28-bit limbs, whose bounds,
 * proven at the top of ec_curve.h, hold here unchanged (its formulas are those of lanes_curve.h): with w a bound of the limbs in
 * units of 2^28, a column of a product is below NL u w 2^56, u w at most 3.25, so all that ever comes together in a column is
 * below 2^62.
 *
 * There is no arithmetic shift of 64 bits. Carries are taken from column + 2^63, which is not negative, by a logical one: what
 * comes out is 2^35 too much, and the constant that the next column adds takes that off. */
#include <stdbool.h>
#include <string.h>

#define LIMB_BITS 28
#define LIMB_MASK (((uint64_t)1 << LIMB_BITS) - 1)
#define CURVE_BYTES (CURVE_BITS / 8)
#define CARRY_BIAS ((uint64_t)1 << 35)
#define COLUMN_BIAS (((uint64_t)1 << 63) - CARRY_BIAS)
#define HALF_DIGIT ((uint64_t)1 << (LIMB_BITS - 1))

typedef struct {
	vec v[NL];
} fe;

/* Vector by vector: compilers make a slow string instruction of a memcpy of this size. */
LANES_INLINE void copy_limbs(fe *out, const vec *v) {
	LANES_UNROLL
	for (int i = 0; i < NL; i++) {
		out->v[i] = v[i];
	}
}

/* ---- products ------------------------------------------------------------------------------------------------------------ */

/* Columns k and k + 1 of a b, side by side: each limb of a is fetched once for both. */
LANES_INLINE void columns_mul(vec out[2], const vec *a, const vec *b, int k) {
	out[0] = out[1] = v_set(0);
	LANES_UNROLL
	for (int i = 0; i < NL; i++) {
		if (k - i >= 0 && k - i < NL) {
			out[0] = v_add(out[0], v_mul32(a[i], b[k - i]));
		}
		if (k + 1 - i >= 0 && k + 1 - i < NL) {
			out[1] = v_add(out[1], v_mul32(a[i], b[k + 1 - i]));
		}
	}
}

/* The same of a square; twice is 2 a, k is even. */
LANES_INLINE void columns_sqr(vec out[2], const vec *a, const vec *twice, int k) {
	out[0] = out[1] = v_set(0);
	LANES_UNROLL
	for (int i = 0; i < NL; i++) {
		if (i < k - i && k - i < NL) {
			out[0] = v_add(out[0], v_mul32(twice[i], a[k - i]));
		}
		if (i < k + 1 - i && k + 1 - i < NL) {
			out[1] = v_add(out[1], v_mul32(twice[i], a[k + 1 - i]));
		}
	}
	out[0] = v_add(out[0], v_mul32(a[k / 2], a[k / 2]));
}

typedef enum { MUL, SQR, MUL_SUB_MUL, MUL_SUB_8SQR } product_kind;

/* Squares need twice what is squared, as d. */
LANES_INLINE void columns_of(vec out[2], product_kind kind, const fe *a, const fe *b, const fe *c, const fe *d, int k) {
	vec off[2];
	if (kind == SQR) {
		columns_sqr(out, a->v, d->v, k);
		return;
	}
	columns_mul(out, a->v, b->v, k);
	if (kind == MUL) {
		return;
	}
	if (kind == MUL_SUB_MUL) {
		columns_mul(off, c->v, d->v, k);
	} else {
		columns_sqr(off, c->v, d->v, k);
		off[0] = v_shl(off[0], 3);
		off[1] = v_shl(off[1], 3);
	}
	out[0] = v_sub(out[0], off[0]);
	out[1] = v_sub(out[1], off[1]);
}

/* What quotient digit q[j] adds to column k: q p without the -1, which makes column j vanish. p = -1 modulo 2^28, so the digit is
 * what stands in column j itself. */
#define PRIME_TERM(add_or_sub, e)                                                                                       \
	if (k >= (e) / LIMB_BITS && k - (e) / LIMB_BITS < NL) {                                                             \
		acc = add_or_sub(acc, v_shl(q[k - (e) / LIMB_BITS], (e) % LIMB_BITS));                                          \
	}

/* The product of the kind, reduced, plus raw unless that is NULL. */
LANES_INLINE void product(fe *out, product_kind kind, const fe *a, const fe *b, const fe *c, const fe *d, const fe *raw) {
	vec q[NL], digit[NL], columns[2];
	vec carry = v_set(CARRY_BIAS);
	LANES_UNROLL
	for (int k = 0; k < NL; k++) {
		if (k % 2 == 0) {
			columns_of(columns, kind, a, b, c, d, k);
		}
		vec acc = v_add(columns[k % 2], v_set(COLUMN_BIAS));
		PRIME_TERMS(PRIME_TERM)
		acc = v_add(acc, carry);
		q[k] = v_and(acc, v_set(LIMB_MASK));
		carry = v_shr(acc, LIMB_BITS);
	}
	LANES_UNROLL
	for (int k = NL; k < 2 * NL; k++) {
		if (k % 2 == 0) {
			columns_of(columns, kind, a, b, c, d, k);
		}
		vec acc = columns[k % 2];
		PRIME_TERMS(PRIME_TERM)
		if (raw != NULL) {
			acc = v_add(acc, raw->v[k - NL]);
		}
		if (k == 2 * NL - 1) {
			digit[NL - 1] = v_sub(v_add(acc, carry), v_set(CARRY_BIAS));
			break;
		}
		acc = v_add(v_add(acc, v_set(COLUMN_BIAS + HALF_DIGIT)), carry);
		digit[k - NL] = v_sub(v_and(acc, v_set(LIMB_MASK)), v_set(HALF_DIGIT));
		carry = v_shr(acc, LIMB_BITS);
	}
	copy_limbs(out, digit);
}

LANES_INLINE void fe_add(fe *raw, const fe *a, const fe *b) {
	LANES_UNROLL
	for (int i = 0; i < NL; i++) {
		raw->v[i] = v_add(a->v[i], b->v[i]);
	}
}

LANES_FUNCTION void fe_mul(fe *out, const fe *a, const fe *b) { product(out, MUL, a, b, NULL, NULL, NULL); }

LANES_FUNCTION void fe_sqr(fe *out, const fe *a) {
	fe twice;
	fe_add(&twice, a, a);
	product(out, SQR, a, NULL, NULL, &twice, NULL);
}

/* a^2 + raw */
LANES_FUNCTION void fe_sqr_add(fe *out, const fe *a, const fe *raw) {
	fe twice;
	fe_add(&twice, a, a);
	product(out, SQR, a, NULL, NULL, &twice, raw);
}

/* a b + raw, or raw - a b in the lanes of negate */
LANES_FUNCTION void fe_mul_add(fe *out, const fe *a, const fe *b, vmask negate, const fe *raw) {
	fe signed_a;
	LANES_UNROLL
	for (int i = 0; i < NL; i++) {
		signed_a.v[i] = v_negate_if(negate, a->v[i]);
	}
	product(out, MUL, &signed_a, b, NULL, NULL, raw);
}

/* a b - c d */
LANES_FUNCTION void fe_mul_sub_mul(fe *out, const fe *a, const fe *b, const fe *c, const fe *d) {
	product(out, MUL_SUB_MUL, a, b, c, d, NULL);
}

/* a b - 8 c^2 */
LANES_FUNCTION void fe_mul_sub_8sqr(fe *out, const fe *a, const fe *b, const fe *c) {
	fe twice;
	fe_add(&twice, c, c);
	product(out, MUL_SUB_8SQR, a, b, c, &twice, NULL);
}

/* a b / R modulo n, for a, b in [0, 2^CURVE_BITS (1 + 2^-7)) with digits in [0, 2^28): the same of the result, which is below
 * n + a b / R. Nothing about n is sparse. */
LANES_FUNCTION void sc_mul(fe *out, const fe *a, const fe *b) {
	vec q[NL], digit[NL];
	vec carry = v_set(CARRY_BIAS);
	for (int k = 0; k < 2 * NL; k++) {
		vec acc = v_add(v_set(COLUMN_BIAS), carry);
		for (int i = k < NL ? 0 : k - NL + 1; i <= (k < NL ? k : NL - 1); i++) {
			acc = v_add(acc, v_mul32(a->v[i], b->v[k - i]));
		}
		for (int i = k < NL ? 0 : k - NL + 1; i < (k < NL ? k : NL); i++) {
			acc = v_add(acc, v_mul32(q[i], v_set(order[k - i])));
		}
		if (k < NL) {
			q[k] = v_and(v_mul32(v_and(acc, v_set(LIMB_MASK)), v_set(ORDER_INVERSE)), v_set(LIMB_MASK));
			acc = v_add(acc, v_mul32(q[k], v_set(order[0])));
		} else {
			digit[k - NL] = v_and(acc, v_set(LIMB_MASK));
		}
		carry = v_shr(acc, LIMB_BITS);
	}
	copy_limbs(out, digit);
}

/* ---- elements: everything but products ----------------------------------------------------------------------------------- */

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

/* Sums of a few elements are operands here. */
LANES_INLINE void fe_settle(fe *a) { (void)a; }

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

/* The lanes, as bits, in which an element is 0 modulo p: for |a| < R the product with 1 lies in [0, p], so it is 0 or p. */
LANES_FUNCTION uint32_t fe_zero_lanes(const fe *a) {
	static const uint64_t zero[NL];
	fe one, plain;
	vec carry = v_set(CARRY_BIAS);
	fe_set(&one, plain_one);
	fe_mul(&plain, a, &one);
	for (int i = 0; i < NL; i++) {
		const vec sum = v_add(v_add(plain.v[i], v_set(COLUMN_BIAS)), carry);
		plain.v[i] = v_and(sum, v_set(LIMB_MASK));
		carry = v_shr(sum, LIMB_BITS);
	}
	return lanes_equal(&plain, zero) | lanes_equal(&plain, prime);
}

/* Lane l from row l, and back; a row is ROW words, a multiple of LANES. */
LANES_INLINE void fe_load(fe *out, const uint64_t *const rows[LANES]) {
	vec m[ROW];
	LANES_UNROLL
	for (int at = 0; at < ROW; at += LANES) {
		const uint64_t *part[LANES];
		for (int l = 0; l < LANES; l++) {
			part[l] = rows[l] + at;
		}
		v_load_rows(m + at, part);
	}
	copy_limbs(out, m);
}

LANES_INLINE void fe_store(const fe *a, uint64_t *const rows[LANES]) {
	vec m[ROW];
	for (int i = NL; i < ROW; i++) {
		m[i] = v_set(0);
	}
	memcpy(m, a->v, sizeof a->v);
	LANES_UNROLL
	for (int at = 0; at < ROW; at += LANES) {
		uint64_t *part[LANES];
		for (int l = 0; l < LANES; l++) {
			part[l] = rows[l] + at;
		}
		v_store_rows(m + at, part);
	}
}

LANES_INLINE void fe_rotate(fe *out, const fe *a, int by) {
	LANES_UNROLL
	for (int i = 0; i < NL; i++) {
		out->v[i] = v_rotate(a->v[i], by);
	}
}

/* Values grow where products are added to; a product with 1 is small. */
#define FE_GROWS 1
LANES_INLINE void fe_tighten(fe *a) {
	fe one;
	fe_set(&one, mont_one);
	fe_mul(a, a, &one);
}

/* A coordinate of a table's entry: its limbs, which fit 32 bits with their sign, two a word. */
#define ENTRY_ROW 8

LANES_INLINE void entry_load(fe *out, const uint64_t *const rows[LANES]) {
	vec m[ENTRY_ROW];
	LANES_UNROLL
	for (int at = 0; at < ENTRY_ROW; at += LANES) {
		const uint64_t *part[LANES];
		for (int l = 0; l < LANES; l++) {
			part[l] = rows[l] + at;
		}
		v_load_rows(m + at, part);
	}
	LANES_UNROLL
	for (int i = 0; i < NL; i += 2) {
		out->v[i] = v_mul32(m[i / 2], v_set(1));  /* brings the sign up */
		out->v[i + 1] = v_mul32(v_shr(m[i / 2], 32), v_set(1));
	}
}

LANES_INLINE void entry_store(const fe *a, uint64_t *const rows[LANES]) {
	vec m[ENTRY_ROW];
	for (int i = 0; i < ENTRY_ROW; i++) {
		m[i] = v_set(0);
	}
	for (int i = 0; i < NL; i += 2) {
		m[i / 2] = v_add(v_and(a->v[i], v_set(UINT32_MAX)), v_shl(a->v[i + 1], 32));
	}
	for (int at = 0; at < ENTRY_ROW; at += LANES) {
		uint64_t *part[LANES];
		for (int l = 0; l < LANES; l++) {
			part[l] = rows[l] + at;
		}
		v_store_rows(m + at, part);
	}
}
