/* SPDX-License-Identifier: Apache-2.0
 *
 * ec_curve.h: ECDSA verification over one curve y^2 = x^3 - 3x + b of prime order, for the portable engine. Included by ec_p256.c
 * and ec_p384.c, which define the curve; everything here is static. Public data only: time and memory access depend on the data, and
 * none of this may ever be used to sign.
 *
 * The includer defines, before
 *   CURVE_BITS       bits of p and of n
 *   CURVE_DIGITS     28-bit digits that hold a field element with room to spare
 *   PRIME_TERMS(T)   p but for its last term, -1: T(+, e) or T(-, e) for each further power of two, the largest first
 *   PRIME_LOW32      1 when p = 2^32 - 1 modulo 2^64, 0 when p = -1 modulo 2^64
 *   PRIME_INVERSE    -1/p modulo 2^56
 *   ORDER_INVERSE    -1/n modulo 2^56
 * and the constants, of type fe: prime (p), order (n), plain_one (1); mont_one, mont_b, generator_x and generator_y, which are 1, b and
 * G times R modulo p; prime_r2 and order_r2, R^2 modulo p and n; p and n in bytes as well (prime_bytes, order_bytes).
 *
 * A field element is NL signed limbs of B bits (56, or 28 where there are no 128-bit integers), value sum(v[i] * 2^(B i)), in
 * Montgomery form with R = 2^(28 * CURVE_DIGITS): 2^392 for P-384, 2^280 for P-256. Limbs may grow and go negative, so additions and
 * subtractions are limb by limb, without carries; products bring everything back. Both sizes of limb have the same R.
 *
 * Why nothing overflows. An element has width w when every limb but the last lies in [-w 2^B, w 2^B]; the last limb of any value
 * below 2^4 p stays below 2^(B - 4). Products have width 1, and 1/2 for B = 28, where digits are balanced (and are over that by less
 * than 2^-19, see round_limb).
 *   Columns of a product of widths u and w are at most NL u w 2^(2B), and the reduction adds less than 2^(2B + 2). The sum must stay
 *   below 2^127 for B = 56: u w < 2^11; below 2^63 for B = 28: u w <= 8. The largest here is 3.25 (y of a doubling, B = 28).
 *   Values: a product a b has a value in (-|a b| / R, |a b| / R + 2 p). For P-384, R > 2^8 p, points keep |x| < 20 p and
 *   |y|, |z| < 12 p; each formula below says how. P-256 has R > 2^24 p and needs no care.
 */
#include <string.h>

#include "ec.h"

#define EACH_LIMB(i)                                                                                                                 \
	ATT_UNROLL                                                                                                                       \
	for (int i = 0; i < NL; i++)

/* ---- products ------------------------------------------------------------------------------------------------------------ */

/* x * 2^s for 0 <= x < 2^57, 0 <= s < B, written so that no compiler makes a double-width shift of it (slow on many CPUs). */
ATT_INLINE att_wide wide_shift(att_ulimb x, unsigned s) {
	if (s == 0) {
		return (att_wide)x;
	}
#if ATT_WORD_BITS == 64
	return (att_wide)((att_uwide)(x >> (64 - s)) << 64 | x << s);
#else
	return (att_wide)((att_uwide)x << s);
#endif
}

/* acc / 2^B, rounded down. The quotient of a column fits 64 bits: 2^(127 - 56), less the room above. */
ATT_INLINE int64_t wide_carry(att_wide acc) {
#if ATT_WORD_BITS == 64
	return (int64_t)(((uint64_t)acc >> B) + ((uint64_t)((att_uwide)acc >> 64) << (64 - B)));
#else
	return acc >> B;
#endif
}

/* Limb i of a result, given its column's low digit (with what else belongs there) and that of the column before. One pass of carries
 * is enough, as columns leave carries below 2^(63 - B): digits go over their width by less than 2^8, and nothing ripples. Digits are
 * balanced where limbs have little room. */
ATT_INLINE att_limb round_limb(int i, int64_t low, int64_t before) {
	const int64_t half = B == 28 ? (int64_t)1 << (B - 1) : 0;
	const int64_t digit = i < NL - 1 ? ((low + half) & (int64_t)MASK) - half : low;
	return (att_limb)(digit + (i > 0 ? (before + half) >> B : 0));
}

ATT_INLINE att_wide column_mul(const att_limb *a, const att_limb *b, int k) {
	att_wide sum = 0;
	ATT_UNROLL
	for (int i = k < NL ? 0 : k - NL + 1; i <= (k < NL ? k : NL - 1); i++) {
		sum += (att_wide)a[i] * b[k - i];
	}
	return sum;
}

/* The same of a square: off is a scaled by twice what diag is a scaled by. */
ATT_INLINE att_wide column_sqr(const att_limb *a, const att_limb *off, const att_limb *diag, int k) {
	att_wide sum = 0;
	ATT_UNROLL
	for (int i = k < NL ? 0 : k - NL + 1; 2 * i < k; i++) {
		sum += (att_wide)off[i] * a[k - i];
	}
	if (k % 2 == 0) {
		sum += (att_wide)diag[k / 2] * a[k / 2];
	}
	return sum;
}

/* What quotient digit q[j] = q adds to column k: q * p without the -1. */
#define PRIME_TERM(sign, e)                                                                                                          \
	if (k >= (e) / B && k - (e) / B < NL) {                                                                                          \
		acc = acc sign wide_shift(q[k - (e) / B], (e) % B);                                                                          \
	}

/* Montgomery's reduction, column by column (k), of the product whose columns are COLUMN. The quotient's digits are the low digits
 * themselves, and q p needs shifts alone:
 *   p = -1 mod 2^64:        q = l; l - q = 0, the column's carry stands.
 *   p = 2^32 - 1 mod 2^64:  for B = 28 as above, 2^32 is a term of the next column. For B = 56, q = l + (l mod 2^24) 2^32 is
 *                           l (2^32 + 1) modulo 2^56, and l + q (2^32 - 1) is exactly 2^56 (q >> 24), the carry. q < 2^57.
 * What comes last to the sum is what is known last. The upper half carries nothing from column to column: its columns are split into
 * low digits and carries, which are put together at the end, with ADDEND (limb i of something to add to the result). Out may be an
 * operand: limb i is written when limbs up to i of the addend and all of the product were read. */
#define FE_PRODUCT(out, COLUMN, ADDEND)                                                                                              \
	do {                                                                                                                             \
		att_ulimb q[NL];                                                                                                             \
		int64_t low[NL], high[NL], carry = 0;                                                                                        \
		ATT_UNROLL                                                                                                                   \
		for (int k = 0; k < NL; k++) {                                                                                               \
			att_wide acc = (COLUMN);                                                                                                 \
			PRIME_TERMS(PRIME_TERM)                                                                                                  \
			acc += carry;                                                                                                            \
			carry = wide_carry(acc);                                                                                                 \
			q[k] = (att_ulimb)acc & MASK;                                                                                            \
			if (PRIME_LOW32 && B == 56) {                                                                                            \
				q[k] += (att_ulimb)acc << 40 % B >> 8;                                                                               \
				carry += (int64_t)(q[k] >> 24);                                                                                      \
			}                                                                                                                        \
		}                                                                                                                            \
		ATT_UNROLL                                                                                                                   \
		for (int k = NL; k < 2 * NL; k++) {                                                                                          \
			att_wide acc = k < 2 * NL - 1 ? (COLUMN) : 0;                                                                            \
			PRIME_TERMS(PRIME_TERM)                                                                                                  \
			acc += k == NL ? carry : 0;                                                                                              \
			low[k - NL] = k < 2 * NL - 1 ? (int64_t)((att_ulimb)acc & MASK) : (int64_t)acc;                                          \
			high[k - NL] = wide_carry(acc);                                                                                          \
		}                                                                                                                            \
		EACH_LIMB(i) {                                                                                                               \
			low[i] += (i > 0 ? high[i - 1] : 0) + (ADDEND);                                                                          \
		}                                                                                                                            \
		EACH_LIMB(i) {                                                                                                               \
			(out)->v[i] = round_limb(i, low[i], i > 0 ? low[i - 1] : 0);                                                             \
		}                                                                                                                            \
	} while (0)

ATT_NOINLINE void fe_mul(fe *out, const fe *a, const fe *b) { FE_PRODUCT(out, column_mul(a->v, b->v, k), 0); }

/* a b + c */
ATT_NOINLINE void fe_mul_add(fe *out, const fe *a, const fe *b, const fe *c) {
	FE_PRODUCT(out, column_mul(a->v, b->v, k), c->v[i]);
}

/* a b - c d */
ATT_NOINLINE void fe_mul_sub_mul(fe *out, const fe *a, const fe *b, const fe *c, const fe *d) {
	FE_PRODUCT(out, column_mul(a->v, b->v, k) - column_mul(c->v, d->v, k), 0);
}

ATT_NOINLINE void fe_sqr(fe *out, const fe *a) {
	fe twice;
	EACH_LIMB(i) {
		twice.v[i] = 2 * a->v[i];
	}
	FE_PRODUCT(out, column_sqr(a->v, twice.v, a->v, k), 0);
}

/* a^2 + c */
ATT_NOINLINE void fe_sqr_add(fe *out, const fe *a, const fe *c) {
	fe twice;
	EACH_LIMB(i) {
		twice.v[i] = 2 * a->v[i];
	}
	FE_PRODUCT(out, column_sqr(a->v, twice.v, a->v, k), c->v[i]);
}

/* a b - 8 c^2, as 2 (2c)^2 */
ATT_NOINLINE void fe_mul_sub_8sqr(fe *out, const fe *a, const fe *b, const fe *c) {
	fe c2, c4, c8;
	EACH_LIMB(i) {
		c2.v[i] = 2 * c->v[i];
		c4.v[i] = 4 * c->v[i];
		c8.v[i] = 8 * c->v[i];
	}
	FE_PRODUCT(out, column_mul(a->v, b->v, k) - column_sqr(c2.v, c8.v, c4.v, k), 0);
}

/* a b / R modulo n, for a, b >= 0, which gives a result in [0, n + a b / R]. */
ATT_NOINLINE void sc_mul(fe *out, const fe *a, const fe *b) {
	att_limb q[NL];
	int64_t low[NL], high[NL], carry = 0;
	ATT_UNROLL
	for (int k = 0; k < NL; k++) {
		att_wide acc = column_mul(a->v, b->v, k);
		ATT_UNROLL
		for (int i = 0; i < k; i++) {
			acc += (att_wide)q[i] * order.v[k - i];
		}
		acc += carry;
		q[k] = (att_limb)((att_ulimb)acc * (att_ulimb)ORDER_INVERSE & MASK);
		carry = wide_carry(acc + (att_wide)q[k] * order.v[0]);
	}
	ATT_UNROLL
	for (int k = NL; k < 2 * NL; k++) {
		att_wide acc = k < 2 * NL - 1 ? column_mul(a->v, b->v, k) + column_mul(q, order.v, k) : 0;
		acc += k == NL ? carry : 0;
		low[k - NL] = (int64_t)((att_ulimb)acc & MASK);
		high[k - NL] = wide_carry(acc);
	}
	ATT_UNROLL
	for (int i = 1; i < NL; i++) {
		low[i] += high[i - 1];
	}
	EACH_LIMB(i) {
		out->v[i] = round_limb(i, low[i], i > 0 ? low[i - 1] : 0);
	}
}

/* ---- elements: everything but products ----------------------------------------------------------------------------------- */

ATT_INLINE void fe_add(fe *out, const fe *a, const fe *b) {
	EACH_LIMB(i) {
		out->v[i] = a->v[i] + b->v[i];
	}
}

ATT_INLINE void fe_sub(fe *out, const fe *a, const fe *b) {
	EACH_LIMB(i) {
		out->v[i] = a->v[i] - b->v[i];
	}
}

ATT_INLINE void fe_scale(fe *out, const fe *a, att_limb factor) {
	EACH_LIMB(i) {
		out->v[i] = a->v[i] * factor;
	}
}

/* Carries, so that all limbs but the last are in [0, 2^B). For a value in [0, 2^(B NL)) that is its one spelling. */
static void fe_settle(fe *a) {
	att_limb carry = 0;
	for (int i = 0; i < NL - 1; i++) {
		const att_limb v = a->v[i] + carry;
		a->v[i] = (att_limb)((att_ulimb)v & MASK);
		carry = v >> B;
	}
	a->v[NL - 1] += carry;
}

/* Both settled. */
static int fe_compare(const fe *a, const fe *b) {
	for (int i = NL - 1; i >= 0; i--) {
		if (a->v[i] != b->v[i]) {
			return a->v[i] < b->v[i] ? -1 : 1;
		}
	}
	return 0;
}

/* From a small multiple of m at most to [0, m), settled. */
static void fe_below(fe *a, const fe *m) {
	fe_settle(a);
	while (fe_compare(a, m) >= 0) {
		fe_sub(a, a, m);
		fe_settle(a);
	}
}

/* a / R modulo p, the one value in [0, p): for |a| < R the product with 1 lies in [0, 2 p]. */
static void fe_plain(fe *out, const fe *a) {
	fe_mul(out, a, &plain_one);
	fe_below(out, &prime);
}

static bool fe_is_zero(const fe *a) {
	static const fe zero;
	fe plain;
	fe_plain(&plain, a);
	return fe_compare(&plain, &zero) == 0;
}

static void fe_load(fe *out, const uint8_t *big_endian) {
	memset(out, 0, sizeof *out);
	for (int i = 0; i < CURVE_BYTES; i++) {
		const att_ulimb byte = big_endian[CURVE_BYTES - 1 - i];
		const int at = 8 * i / B, shift = 8 * i % B;
		out->v[at] |= (att_limb)(byte << shift & MASK);
		if (shift > B - 8) {
			out->v[at + 1] |= (att_limb)(byte >> (B - shift));
		}
	}
}

/* ---- inverses ------------------------------------------------------------------------------------------------------------ */

/* The matrix of B division steps (Bernstein and Yang, "Fast constant-time gcd computation and modular inversion", 2019, section 8):
 * it takes (f, g) to 2^B times what they become. Each row sums to at most 2^B. */
typedef struct {
	att_limb ff, fg, gf, gg;
} steps;

/* The low limbs of f (odd) and g decide B steps. Returns the new delta. */
static int divide_steps(steps *out, int delta, att_ulimb f, att_ulimb g) {
	att_ulimb ff = 1, fg = 0, gf = 0, gg = 1, t;
	for (int left = B;;) {
		const int zeros = __builtin_ctzll(g | (uint64_t)1 << left);
		g >>= zeros;
		ff <<= zeros;
		fg <<= zeros;
		delta += zeros;
		left -= zeros;
		if (left == 0) {
			break;
		}
		if (delta > 0) {
			delta = -delta;
			t = f, f = g, g = 0 - t;
			t = ff, ff = gf, gf = 0 - t;
			t = fg, fg = gg, gg = 0 - t;
		}
		g += f;
		gf += ff;
		gg += fg;
	}
	*out = (steps){(att_limb)ff, (att_limb)fg, (att_limb)gf, (att_limb)gg};
	return delta;
}

/* (a u + b v + k m) / 2^B, with the k in [0, 2^B) that makes it whole; minus_inverse is -1/m modulo 2^B. All settled, of any sign. */
static void combine(fe *out, const fe *a, att_limb u, const fe *b, att_limb v, const fe *m, att_ulimb minus_inverse) {
	att_wide acc = (att_wide)a->v[0] * u + (att_wide)b->v[0] * v;
	const att_limb k = (att_limb)((att_ulimb)acc * minus_inverse & MASK);
	int64_t carry = wide_carry(acc + (att_wide)m->v[0] * k);
	for (int i = 1; i < NL; i++) {
		acc = (att_wide)a->v[i] * u + (att_wide)b->v[i] * v + (att_wide)m->v[i] * k + carry;
		out->v[i - 1] = (att_limb)((att_ulimb)acc & MASK);
		carry = wide_carry(acc);
	}
	out->v[NL - 1] = (att_limb)carry;
}

/* A number in (0, 128 m), settled, that is 1/a modulo the prime m, for a in [1, m), settled: f = d a and g = e a modulo m hold
 * throughout, and at the end f is 1 or -1. Each round adds at most m to the larger of |d| and |e|; the steps are at most
 * (49 * 384 + 57) / 17 (theorem 11.2 there), so rounds are at most 40. For a = 0 there is no inverse, and out is 64 m. */
static void invert(fe *out, const fe *a, const fe *m, att_ulimb minus_inverse) {
	static const fe zero;
	fe f = *m, g = *a, d = zero, e = plain_one, t;
	int delta = 1;
	while (fe_compare(&g, &zero) != 0) {
		steps by;
		delta = divide_steps(&by, delta, (att_ulimb)f.v[0], (att_ulimb)g.v[0]);
		combine(&t, &f, by.ff, &g, by.fg, m, minus_inverse);  /* here k = 0: whole as it is */
		combine(&g, &f, by.gf, &g, by.gg, m, minus_inverse);
		f = t;
		combine(&t, &d, by.ff, &e, by.fg, m, minus_inverse);
		combine(&e, &d, by.gf, &e, by.gg, m, minus_inverse);
		d = t;
	}
	const int64_t sign = f.v[NL - 1] < 0 ? -1 : 1;
	int64_t carry = 0;
	for (int i = 0; i < NL; i++) {
		carry += sign * d.v[i] + (int64_t)64 * m->v[i];
		out->v[i] = i < NL - 1 ? (att_limb)(carry & (int64_t)MASK) : (att_limb)carry;
		carry >>= B;
	}
}

/* ---- points -------------------------------------------------------------------------------------------------------------- */

/* Affine, and Jacobian (x / z^2, y / z^3). Formulas do not know infinity: z = 0 stands for "infinity, or not known", and every
 * formula below gives z = 0 from z = 0, and from operands it was not made for. So a result with z != 0 is right. */
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

static void to_cached(cached *out, const jacobian *p) {
	out->x = p->x;
	out->y = p->y;
	out->z = p->z;
	fe_sqr(&out->zz, &p->z);
	fe_mul(&out->zzz, &out->zz, &p->z);
}

/* 2 p, y never 0 as the order is odd. 3M + 5S: alpha = 3 (x - z^2) (x + z^2), beta = x y^2, x' = alpha^2 - 8 beta,
 * z' = (y + z)^2 - y^2 - z^2, y' = alpha (4 beta - x') - 8 y^4.
 * Values: z^2, y^2 < 2.6 p; |beta| < 2.2 p; |alpha| < 8 p; x' in (-17.6 p, 3.9 p); |z'| < 5.2 p; |y'| < 3.1 p. */
static void double_point(jacobian *p) {
	fe zz, yy, beta, alpha, t, u;
	fe_sqr(&zz, &p->z);
	fe_sqr(&yy, &p->y);
	fe_sub(&t, &p->x, &zz);
	fe_scale(&t, &t, 3);
	fe_add(&u, &p->x, &zz);
	fe_mul(&alpha, &t, &u);
	fe_mul(&beta, &p->x, &yy);
	fe_add(&t, &p->y, &p->z);
	fe_add(&u, &yy, &zz);
	fe_scale(&u, &u, -1);
	fe_sqr_add(&p->z, &t, &u);
	fe_scale(&t, &beta, -8);
	fe_sqr_add(&p->x, &alpha, &t);
	fe_scale(&t, &beta, 4);
	fe_sub(&t, &t, &p->x);
	fe_mul_sub_8sqr(&p->y, &alpha, &t, &yy);
}

/* The common end of both additions, from h = u2 - u1, r = s2 - s1, u1, s1 and z = z1 z2: x' = r^2 - h^3 - 2 u1 h^2,
 * y' = r (u1 h^2 - x') - s1 h^3, z' = z h. Out may hold u1, s1 and z.
 * Values with |h| < 22.1 p, |r| < 14.2 p, |u1| < 20 p, |s1|, |z| < 12 p: h^2 < 4 p; |h^3|, |u1 h^2| < 2.4 p; |x'| < 7.1 p;
 * |y'| < 2.7 p; |z'| < 3.1 p. */
static void finish_addition(jacobian *out, const fe *h, const fe *r, const fe *u1, const fe *s1, const fe *z) {
	fe hh, hhh, v, t, y;
	fe_sqr(&hh, h);
	fe_mul(&hhh, &hh, h);
	fe_mul(&v, u1, &hh);
	EACH_LIMB(i) {
		t.v[i] = -hhh.v[i] - 2 * v.v[i];
	}
	y = *s1;
	fe_mul(&out->z, z, h);
	fe_sqr_add(&out->x, r, &t);
	fe_sub(&t, &v, &out->x);
	fe_mul_sub_mul(&out->y, r, &t, &y, &hhh);
}

/* p + q, or p - q: right unless p = +-q or one is infinity; then z = 0. 11M + 3S. */
static void add_cached(jacobian *p, const cached *q, bool negate) {
	fe zz, zzz, u1, s1, h, r, t;
	fe_sqr(&zz, &p->z);
	fe_mul(&zzz, &zz, &p->z);
	fe_mul(&u1, &p->x, &q->zz);
	fe_mul(&s1, &p->y, &q->zzz);
	fe_scale(&t, &u1, -1);
	fe_mul_add(&h, &q->x, &zz, &t);
	fe_scale(&t, &s1, -1);
	fe_scale(&r, &q->y, negate ? -1 : 1);
	fe_mul_add(&r, &r, &zzz, &t);
	fe_mul(&p->z, &p->z, &q->z);
	finish_addition(p, &h, &r, &u1, &s1, &p->z);
}

/* The same with an affine q. 8M + 3S. */
static void add_point(jacobian *p, const point *q, bool negate) {
	fe zz, zzz, h, r, t;
	fe_sqr(&zz, &p->z);
	fe_mul(&zzz, &zz, &p->z);
	fe_scale(&t, &p->x, -1);
	fe_mul_add(&h, &q->x, &zz, &t);
	fe_scale(&t, &p->y, -1);
	fe_scale(&r, &q->y, negate ? -1 : 1);
	fe_mul_add(&r, &r, &zzz, &t);
	finish_addition(p, &h, &r, &p->x, &p->y, &p->z);
}

static void from_point(jacobian *out, const point *p) {
	out->x = p->x;
	out->y = p->y;
	out->z = mont_one;
}

/* y^2 = x^3 - 3 x + b, coordinates below p. The public key validation of SEC 1 3.2.2.1; the order is prime, so a point of the curve
 * is a point of the group. */
static bool load_key(point *out, const uint8_t *key) {
	uint8_t xy[2 * CURVE_BYTES];
	fe t, rhs;
	memcpy(xy, key, sizeof xy);
	if (memcmp(xy, prime_bytes, CURVE_BYTES) >= 0 || memcmp(xy + CURVE_BYTES, prime_bytes, CURVE_BYTES) >= 0) {
		return false;
	}
	fe_load(&t, xy);
	fe_mul(&out->x, &t, &prime_r2);
	fe_load(&t, xy + CURVE_BYTES);
	fe_mul(&out->y, &t, &prime_r2);
	fe_sqr(&t, &out->x);
	EACH_LIMB(i) {
		t.v[i] -= 3 * mont_one.v[i];
	}
	fe_mul_add(&rhs, &t, &out->x, &mont_b);
	fe_sqr(&t, &out->y);
	fe_sub(&t, &t, &rhs);
	return fe_is_zero(&t);
}

/* ---- u1 G + u2 Q --------------------------------------------------------------------------------------------------------- */

#define G_WIDTH 8                         /* windows: the table holds the odd multiples below 2^(width - 1) */
#define Q_WIDTH 5
#define G_TABLE (1 << (G_WIDTH - 2))
#define Q_TABLE (1 << (Q_WIDTH - 2))

static point g_table[G_TABLE];            /* G, 3 G, 5 G ...: written by init_table alone */

static void odd_multiples(cached *table, const point *q) {
	jacobian p, twice;
	cached step;
	from_point(&p, q);
	to_cached(&table[0], &p);
	twice = p;
	double_point(&twice);
	to_cached(&step, &twice);
	for (int i = 1; i < Q_TABLE; i++) {
		add_cached(&p, &step, false);
		to_cached(&table[i], &p);
	}
}

/* A scalar in [0, 2 n) as bits, least significant byte first, with zeros behind for reading past the end. */
typedef struct {
	uint8_t byte[CURVE_BYTES + 3];
} bits;

static bits scalar_bits(const fe *settled) {
	bits out;
	memset(&out, 0, sizeof out);
	for (int i = 0; i <= CURVE_BYTES; i++) {
		const int at = 8 * i / B, shift = 8 * i % B;
		att_ulimb v = (att_ulimb)settled->v[at] >> shift;
		if (shift > B - 8) {
			v |= (att_ulimb)settled->v[at + 1] << (B - shift);
		}
		out.byte[i] = (uint8_t)v;
	}
	return out;
}

/* The width (at most 9) bits from position at on; at <= CURVE_BITS. */
static int bits_at(const bits *b, int at, int width) {
	const unsigned two = (unsigned)b->byte[at / 8] | (unsigned)b->byte[at / 8 + 1] << 8;
	return (int)(two >> at % 8 & ((1u << width) - 1));
}

/* Width-w non-adjacent form: sum(out[i] * 2^i) with digits 0 or odd, |digit| < 2^(w - 1), and w - 1 zeros after each. */
static void naf(int8_t *out, const bits *scalar, int width) {
	int carry = 0;
	memset(out, 0, CURVE_BITS + 1);
	for (int i = 0; i <= CURVE_BITS;) {
		if (bits_at(scalar, i, 1) == carry) {
			i++;
			continue;
		}
		const int digit = bits_at(scalar, i, width) + carry;
		carry = digit >> (width - 1);
		out[i] = (int8_t)(digit - (carry << width));
		i += width;
	}
}

/* False: the sum is infinity, or an addition met a case it was not made for. True: out is right, z != 0. */
static bool sum_fast(jacobian *out, const bits *u1, const bits *u2, const cached *q_table) {
	int8_t g_digits[CURVE_BITS + 1], q_digits[CURVE_BITS + 1];
	bool started = false;
	naf(g_digits, u1, G_WIDTH);
	naf(q_digits, u2, Q_WIDTH);
	for (int i = CURVE_BITS; i >= 0; i--) {
		const int g = g_digits[i], q = q_digits[i];
		if (started) {
			double_point(out);
		}
		if (q != 0) {
			const cached *entry = &q_table[(q < 0 ? -q : q) / 2];
			if (started) {
				add_cached(out, entry, q < 0);
			} else {
				out->x = entry->x;
				out->z = entry->z;
				fe_scale(&out->y, &entry->y, q < 0 ? -1 : 1);
			}
			started = true;
		}
		if (g != 0) {
			const point *entry = &g_table[(g < 0 ? -g : g) / 2];
			if (started) {
				add_point(out, entry, g < 0);
			} else {
				from_point(out, entry);
				fe_scale(&out->y, &out->y, g < 0 ? -1 : 1);
			}
			started = true;
		}
	}
	return started && !fe_is_zero(&out->z);
}

/* p + q, whatever they are; *infinite tells whether p is (and becomes) infinity. */
static void add_checked(jacobian *p, bool *infinite, const point *q) {
	fe zz, zzz, h, r;
	if (*infinite) {
		from_point(p, q);
		*infinite = false;
		return;
	}
	fe_sqr(&zz, &p->z);
	fe_mul(&zzz, &zz, &p->z);
	fe_mul(&h, &q->x, &zz);
	fe_sub(&h, &h, &p->x);
	fe_mul(&r, &q->y, &zzz);
	fe_sub(&r, &r, &p->y);
	if (!fe_is_zero(&h)) {
		add_point(p, q, false);
	} else if (fe_is_zero(&r)) {
		double_point(p);
	} else {
		*infinite = true;
	}
}

/* The same sum bit by bit, every addition checked: for the rare and the chosen cases. False: the sum is infinity. */
static bool sum_checked(jacobian *out, const bits *u1, const bits *u2, const point *q) {
	bool infinite = true;
	for (int i = CURVE_BITS - 1; i >= 0; i--) {
		if (!infinite) {
			double_point(out);
		}
		if (bits_at(u1, i, 1) != 0) {
			add_checked(out, &infinite, &g_table[0]);
		}
		if (bits_at(u2, i, 1) != 0) {
			add_checked(out, &infinite, q);
		}
	}
	return !infinite;
}

/* x / z^2 = r modulo n, for x / z^2 in [0, p) and r in [1, n): x = r z^2, or x = (r + n) z^2 when r + n < p. No inversion. */
static bool x_matches(const jacobian *p, const fe *r) {
	fe candidate = *r, zz, minus_x, t;
	fe_sqr(&zz, &p->z);
	fe_scale(&minus_x, &p->x, -1);
	for (int i = 0; i < 2; i++) {
		fe_mul(&t, &candidate, &prime_r2);
		fe_mul_add(&t, &t, &zz, &minus_x);
		if (fe_is_zero(&t)) {
			return true;
		}
		fe_add(&candidate, r, &order);
		fe_settle(&candidate);
		if (fe_compare(&candidate, &prime) >= 0) {
			return false;
		}
	}
	return false;
}

#include "ec_comb.h"

static void init_table(void) {
	jacobian p = {generator_x, generator_y, mont_one}, twice = p;
	cached step;
	fe w, ww;
	double_point(&twice);
	to_cached(&step, &twice);
	for (int i = 0; i < G_TABLE; i++) {
		fe_plain(&w, &p.z);
		invert(&w, &w, &prime, (att_ulimb)PRIME_INVERSE & MASK);
		fe_mul(&w, &w, &prime_r2);
		fe_sqr(&ww, &w);
		fe_mul(&g_table[i].x, &p.x, &ww);
		fe_mul(&ww, &ww, &w);
		fe_mul(&g_table[i].y, &p.y, &ww);
		add_cached(&p, &step, false);
	}
	const builder comb = {g_comb, G_TEETH, G_TABLES};
	build_comb(&comb, &g_table[0]);
}

/* ---- ECDSA, FIPS 186-5 6.4.2 --------------------------------------------------------------------------------------------- */

/* The table of the last key, kept from job to job. */
typedef struct {
	bool filled;
	point key;
	cached odd[Q_TABLE];
} key_table;

static const cached *table_of(key_table *last, const point *key) {
	if (!last->filled || memcmp(&last->key, key, sizeof *key) != 0) {
		odd_multiples(last->odd, key);
		last->key = *key;
		last->filled = true;
	}
	return last->odd;
}

static bool in_order(const uint8_t *scalar) {
	static const uint8_t zero[CURVE_BYTES];
	return memcmp(scalar, order_bytes, CURVE_BYTES) < 0 && memcmp(scalar, zero, CURVE_BYTES) != 0;
}

/* u = a w modulo n, settled; w in Montgomery form, a plain and of any size that fits. */
static fe scaled(const fe *a, const fe *w) {
	fe u;
	sc_mul(&u, a, w);
	fe_below(&u, &order);
	return u;
}

/* Steps 2 to 4: u1 = e / s and u2 = r / s. */
static void take_scalars(fe *u1, fe *u2, const uint8_t *sig, const uint8_t *digest) {
	fe r, e, w;
	fe_load(&r, sig);
	fe_load(&e, digest);
	fe_load(&w, sig + CURVE_BYTES);
	invert(&w, &w, &order, (att_ulimb)ORDER_INVERSE & MASK);
	sc_mul(&w, &w, &order_r2);
	*u1 = scaled(&e, &w);
	*u2 = scaled(&r, &w);
}

/* Everything about a job but its key that can be refused without arithmetic: lengths, 0 < r, s < n. The digest is as long as n, so
 * its bits are taken whole (6.4.1); they need not be below n. Input is read once: sig and key become private copies. */
static bool read_job(uint8_t *sig, uint8_t *key, const att_sig_job *job) {
	if (job->key_len != 2 * CURVE_BYTES || job->sig_len != 2 * CURVE_BYTES || job->digest_len != CURVE_BYTES || job->key == NULL ||
	    job->sig == NULL) {
		return false;
	}
	memcpy(sig, job->sig, 2 * CURVE_BYTES);
	memcpy(key, job->key, 2 * CURVE_BYTES);
	return in_order(sig) && in_order(sig + CURVE_BYTES);
}

/* Steps 1 to 7. */
static bool verify_job(const att_sig_job *job, key_table *last) {
	uint8_t sig[2 * CURVE_BYTES], key[2 * CURVE_BYTES];
	point q;
	jacobian sum;
	fe r, u1, u2;
	if (!read_job(sig, key, job) || !load_key(&q, key)) {
		return false;
	}
	take_scalars(&u1, &u2, sig, job->digest);
	fe_load(&r, sig);
	const bits b1 = scalar_bits(&u1), b2 = scalar_bits(&u2);
	return (sum_fast(&sum, &b1, &b2, table_of(last, &q)) || sum_checked(&sum, &b1, &b2, &q)) && x_matches(&sum, &r);
}

static void verify_any(att_sig_job *const *jobs, uint32_t num) {
	key_table last;
	last.filled = false;
	for (uint32_t i = 0; i < num; i++) {
		jobs[i]->outcome = verify_job(jobs[i], &last) ? ATT_SIG_VALID : ATT_SIG_INVALID;
	}
}

/* The same by a known key's comb, which is only there for keys on the curve. A job whose key is not the table's, which happens when
 * its bytes were changed meanwhile, and a sum that met an exception, go the other way. */
static bool verify_by_comb(const att_sig_job *job, const att_known_key *known) {
	uint8_t sig[2 * CURVE_BYTES], key[2 * CURVE_BYTES];
	jacobian sum;
	key_table none;
	fe r, u1, u2;
	if (!read_job(sig, key, job)) {
		return false;
	}
	take_scalars(&u1, &u2, sig, job->digest);
	if (memcmp(key, known->key, sizeof key) != 0 || !sum_comb(&sum, &u1, &u2, known->table)) {
		none.filled = false;
		return verify_job(job, &none);
	}
	fe_load(&r, sig);
	return x_matches(&sum, &r);
}

static void verify_known(att_sig_job *const *jobs, const att_known_key *known, uint32_t num) {
	for (uint32_t i = 0; i < num; i++) {
		jobs[i]->outcome = verify_by_comb(jobs[i], &known[i]) ? ATT_SIG_VALID : ATT_SIG_INVALID;
	}
}

static uint32_t build_tables(const uint8_t *const *keys, void *const *tables, uint32_t num) {
	uint32_t made = 0;
	for (uint32_t i = 0; i < num; i++) {
		const builder b = {tables[i], Q_TEETH, Q_TABLES};
		point q;
		if (load_key(&q, keys[i])) {
			build_comb(&b, &q);
			made |= 1u << i;
		}
	}
	return made;
}

static bool curve_has(const uint8_t *xy) {
	point p;
	return load_key(&p, xy);
}

/* ---- for the engines with lanes ------------------------------------------------------------------------------------------ */

static void store_bytes(uint8_t *big_endian, const fe *settled) {
	const bits b = scalar_bits(settled);
	for (int i = 0; i < CURVE_BYTES; i++) {
		big_endian[i] = b.byte[CURVE_BYTES - 1 - i];
	}
}

static void invert_bytes(bool modulo_order, uint8_t *out, const uint8_t *a) {
	fe w;
	fe_load(&w, a);
	if (modulo_order) {
		invert(&w, &w, &order, (att_ulimb)ORDER_INVERSE & MASK);
		sc_mul(&w, &w, &order_r2);
		sc_mul(&w, &w, &plain_one);
		fe_below(&w, &order);
	} else {
		invert(&w, &w, &prime, (att_ulimb)PRIME_INVERSE & MASK);
		fe_mul(&w, &w, &prime_r2);
		fe_plain(&w, &w);
	}
	store_bytes(out, &w);
}

static void scalar_bytes(uint8_t *u1, uint8_t *u2, const uint8_t *sig, const uint8_t *digest) {
	fe a, b;
	take_scalars(&a, &b, sig, digest);
	store_bytes(u1, &a);
	store_bytes(u2, &b);
}
