/* SPDX-License-Identifier: Apache-2.0
 *
 * lanes_point.h: points and inverses in lanes, over one curve y^2 = x^3 - 3x + b of prime order. Included by lanes_curve.h after a
 * lanes_field*.h; everything here is static and knows elements only, not their limbs. Public data only, variable time.
 *
 * The formulas do not know infinity or equal points. Additions of p and +-p give z = 0, and so does every formula once z = 0; so
 * a sum with z != 0 is right. */
#include "ec.h"
#include "lanes.h"

/* ---- points -------------------------------------------------------------------------------------------------------------- */

/* Affine, and Jacobian (x / z^2, y / z^3). */
typedef struct {
	fe x, y;
} point;

typedef struct {
	fe x, y, z;
} jacobian;

/* A Jacobian point of a table, with the powers of z that an addition asks for. */
typedef struct {
	fe x, y, z, zz, zzz;
} cached;

LANES_FUNCTION void to_cached(cached *out, const jacobian *p) {
	out->x = p->x;
	out->y = p->y;
	out->z = p->z;
	fe_sqr(&out->zz, &p->z);
	fe_mul(&out->zzz, &out->zz, &p->z);
}

/* 2 p; y is never 0 as the order is odd. 3M + 5S: alpha = 3 (x - z^2) (x + z^2), beta = x y^2, z' = (y + z)^2 - y^2 - z^2,
 * x' = alpha^2 - 8 beta, y' = alpha (4 beta - x') - 8 y^4. */
LANES_FUNCTION void double_point(jacobian *p) {
	fe zz, yy, alpha, beta, t, u;
	fe_sqr(&zz, &p->z);
	fe_sqr(&yy, &p->y);
	fe_sub(&t, &p->x, &zz);
	fe_shift(&u, &t, 1);
	fe_add(&t, &t, &u);
	fe_settle(&t);
	fe_add(&u, &p->x, &zz);
	fe_settle(&u);
	fe_mul(&alpha, &t, &u);
	fe_mul(&beta, &p->x, &yy);
	fe_shift(&u, &beta, 3);
	fe_negate(&u, &u);
	fe_sqr_add(&p->x, &alpha, &u);
	fe_add(&t, &p->y, &p->z);
	fe_settle(&t);
	fe_add(&u, &yy, &zz);
	fe_negate(&u, &u);
	fe_sqr_add(&p->z, &t, &u);
	fe_shift(&t, &beta, 2);
	fe_sub(&t, &t, &p->x);
	fe_settle(&t);
	fe_mul_sub_8sqr(&p->y, &alpha, &t, &yy);
}

/* The common end of both additions, from h = u2 - u1, r = s2 - s1, u1, s1 and z = z1 z2: x' = r^2 - h^3 - 2 u1 h^2,
 * y' = r (u1 h^2 - x') - s1 h^3, z' = z h. */
LANES_FUNCTION void finish_addition(jacobian *out, const fe *h, const fe *r, const fe *u1, const fe *s1, const fe *z) {
	fe hh, hhh, v, t;
	fe_sqr(&hh, h);
	fe_mul(&hhh, &hh, h);
	fe_mul(&v, u1, &hh);
	fe_mul(&out->z, z, h);
	fe_shift(&t, &v, 1);
	fe_add(&t, &t, &hhh);
	fe_negate(&t, &t);
	fe_sqr_add(&out->x, r, &t);
	fe_sub(&t, &v, &out->x);
	fe_settle(&t);
	fe_mul_sub_mul(&out->y, r, &t, s1, &hhh);
}

/* out = p + q, p - q in the lanes of negate. 11M + 3S. */
LANES_FUNCTION void add_cached(jacobian *out, const jacobian *p, const cached *q, vmask negate) {
	fe zz, zzz, u1, s1, h, r, z, t;
	fe_sqr(&zz, &p->z);
	fe_mul(&u1, &p->x, &q->zz);
	fe_mul(&zzz, &zz, &p->z);
	fe_mul(&s1, &p->y, &q->zzz);
	fe_negate(&t, &u1);
	fe_mul_add(&h, &q->x, &zz, v_mask(0), &t);
	fe_negate(&t, &s1);
	fe_mul_add(&r, &q->y, &zzz, negate, &t);
	fe_mul(&z, &p->z, &q->z);
	finish_addition(out, &h, &r, &u1, &s1, &z);
}

/* The same with an affine q. 8M + 3S. */
LANES_FUNCTION void add_point(jacobian *out, const jacobian *p, const point *q, vmask negate) {
	fe zz, zzz, h, r, t;
	fe_sqr(&zz, &p->z);
	fe_mul(&zzz, &zz, &p->z);
	fe_negate(&t, &p->x);
	fe_mul_add(&h, &q->x, &zz, v_mask(0), &t);
	fe_negate(&t, &p->y);
	fe_mul_add(&r, &q->y, &zzz, negate, &t);
	finish_addition(out, &h, &r, &p->x, &p->y, &p->z);
}

/* Lane l becomes lane l + by of p, round the end. */
LANES_INLINE void rotate_point(jacobian *out, const jacobian *p, int by) {
	fe_rotate(&out->x, &p->x, by);
	fe_rotate(&out->y, &p->y, by);
	fe_rotate(&out->z, &p->z, by);
}

/* ---- numbers in and out -------------------------------------------------------------------------------------------------- */

static const att_ec_curve *const scalar_code = CURVE_BITS == 384 ? &att_ec_p384 : &att_ec_p256;

static void parse(uint64_t *row, const uint8_t *big_endian) {
	memset(row, 0, ROW * sizeof *row);
	for (uint32_t i = 0; i < CURVE_BYTES; i++) {
		const uint64_t byte = big_endian[CURVE_BYTES - 1 - i];
		const uint32_t limb = 8 * i / LIMB_BITS, shift = 8 * i % LIMB_BITS;
		row[limb] |= byte << shift & LIMB_MASK;
		if (shift > LIMB_BITS - 8) {
			row[limb + 1] |= byte >> (LIMB_BITS - shift);
		}
	}
}

/* The way back, of limbs that may be signed. */
static void to_bytes(uint8_t *big_endian, const uint64_t *row) {
	uint64_t digit[ROW + 1] = {0};
	int64_t carry = 0;
	for (uint32_t i = 0; i < NL; i++) {
		const int64_t sum = (int64_t)row[i] + carry;
		digit[i] = (uint64_t)sum & LIMB_MASK;
		carry = sum >> LIMB_BITS;
	}
	for (uint32_t i = 0; i < CURVE_BYTES; i++) {
		const uint32_t limb = 8 * i / LIMB_BITS, shift = 8 * i % LIMB_BITS;
		const uint64_t v = digit[limb] >> shift | (shift > LIMB_BITS - 8 ? digit[limb + 1] << (LIMB_BITS - shift) : 0);
		big_endian[CURVE_BYTES - 1 - i] = (uint8_t)v;
	}
}

/* The same row in every lane. */
LANES_FUNCTION void broadcast(fe *out, const uint64_t *row) {
	const uint64_t *rows[LANES];
	for (int l = 0; l < LANES; l++) {
		rows[l] = row;
	}
	fe_load(out, rows);
}

/* ---- inverses ------------------------------------------------------------------------------------------------------------ */

/* What elements are products modulo: p or n. */
typedef struct {
	void (*mul)(fe *, const fe *, const fe *);
	const uint64_t *r2;  /* R^2 */
	bool order;
} modulus;

static const modulus modulo_prime = {fe_mul, prime_r2, false};
static const modulus modulo_order = {sc_mul, order_r2, true};

/* 1/a, for an a that is the same in every lane and not 0: by division steps, outside the lanes. a times 1 takes R off, and is
 * below the modulus then: at most it, and not 0. */
LANES_FUNCTION void invert_same(fe *out, const fe *a, const modulus *m) {
	uint64_t row[LANES][ROW];
	uint64_t *rows[LANES];
	uint8_t bytes[CURVE_BYTES];
	fe t, r2;
	for (int l = 0; l < LANES; l++) {
		rows[l] = row[l];
	}
	memset(row, 0, sizeof row);
	row[0][0] = 1;
	broadcast(&t, row[0]);
	m->mul(&t, a, &t);
	fe_store(&t, rows);
	to_bytes(bytes, row[0]);
	scalar_code->invert(m->order, bytes, bytes);
	parse(row[0], bytes);
	broadcast(&t, row[0]);
	fe_set(&r2, m->r2);
	m->mul(out, &t, &r2);
}

/* 1/a in every lane, none 0: one inverse for the product of all lanes, times the product of the others. */
LANES_FUNCTION void invert(fe *out, const fe *a, const modulus *m) {
	fe all = *a, others, next;
	for (int by = 1; by < LANES; by *= 2) {
		fe_rotate(&next, &all, by);
		if (by == 1) {
			others = next;
		} else {
			m->mul(&others, &others, &next);
		}
		m->mul(&all, &all, &next);
	}
	invert_same(&all, &all, m);
	m->mul(out, &all, &others);
}

/* Montgomery's trick, lane by lane: each of the num elements at a becomes its inverse; none may be 0 in any lane. prefix is
 * scratch for num. */
LANES_FUNCTION void invert_all(fe *a, uint32_t num, fe *prefix, const modulus *m) {
	fe inverse, next;
	prefix[0] = a[0];
	for (uint32_t i = 1; i < num; i++) {
		m->mul(&prefix[i], &prefix[i - 1], &a[i]);
	}
	invert(&inverse, &prefix[num - 1], m);
	for (uint32_t i = num - 1; i > 0; i--) {
		m->mul(&next, &inverse, &a[i]);
		m->mul(&a[i], &inverse, &prefix[i - 1]);
		inverse = next;
	}
	a[0] = inverse;
}
