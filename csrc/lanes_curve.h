/* SPDX-License-Identifier: Apache-2.0
 *
 * lanes_curve.h: ECDSA verification over one curve y^2 = x^3 - 3x + b of prime order, a signature a lane. Included by
 * lanes_p*_*.c after a lanes_field*.h; everything here is static and knows elements only, not their limbs. Public data only:
 * time and memory access depend on the data, and none of this may ever be used to sign.
 *
 * Lanes never meet: every operation on vectors is lane by lane, and the one inversion that jobs share runs down the groups
 * within each lane, where all values are in range and none is 0 (jobs that break a range are refused before they get a lane).
 *
 * The formulas do not know infinity or equal points. Additions of p and +-p give z = 0, and so does every formula once z = 0; so
 * a sum with z != 0 is right, and jobs that end with z = 0 are run again by engine portable, which decides them bit by bit. */
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

/* a^(m - 2) in every lane, for the prime m (big-endian, last byte at least 2): the inverse. Products and a in Montgomery form
 * for m; a not 0 in any lane. */
LANES_FUNCTION void invert(fe *out, const fe *a, const uint8_t *m, void (*mul)(fe *, const fe *, const fe *)) {
	fe power[16];  /* entry 0 is not used */
	fe acc;
	bool started = false;
	power[1] = *a;
	for (int i = 2; i < 16; i++) {
		mul(&power[i], &power[i - 1], a);
	}
	for (int i = 0; i < 2 * CURVE_BYTES; i++) {
		const int byte = i < 2 * CURVE_BYTES - 2 ? m[i / 2] : m[i / 2] - 2;
		const int nibble = i % 2 == 0 ? byte >> 4 : byte & 15;
		for (int j = 0; started && j < 4; j++) {
			mul(&acc, &acc, &acc);
		}
		if (nibble != 0 && started) {
			mul(&acc, &acc, &power[nibble]);
		} else if (nibble != 0) {
			acc = power[nibble];
			started = true;
		}
	}
	*out = acc;
}

/* Montgomery's trick, lane by lane: each of the num elements at a becomes its inverse; none may be 0 in any lane. prefix is
 * scratch for num. */
LANES_FUNCTION void invert_all(fe *a, uint32_t num, fe *prefix, const uint8_t *m, void (*mul)(fe *, const fe *, const fe *)) {
	fe inverse, next;
	prefix[0] = a[0];
	for (uint32_t i = 1; i < num; i++) {
		mul(&prefix[i], &prefix[i - 1], &a[i]);
	}
	invert(&inverse, &prefix[num - 1], m, mul);
	for (uint32_t i = num - 1; i > 0; i--) {
		mul(&next, &inverse, &a[i]);
		mul(&a[i], &inverse, &prefix[i - 1]);
		inverse = next;
	}
	a[0] = inverse;
}

/* ---- scalars by digits --------------------------------------------------------------------------------------------------- */

/* Fixed windows with signed digits: sum(digit[i] 2^(width i)), |digit| <= 2^(width - 1). The count leaves room for scalars up to
 * 1.3 * 2^CURVE_BITS: the last digit takes the last carry. */
#define G_WIDTH 9
#define Q_WIDTH 5
#define DIGITS(width) ((CURVE_BITS + (width)) / (width))
#define G_TABLE (1 << (G_WIDTH - 1))
#define Q_TABLE (1 << (Q_WIDTH - 1))

typedef struct {
	int16_t g[DIGITS(G_WIDTH)][LANES];
	int16_t q[DIGITS(Q_WIDTH)][LANES];
} digits;

/* The width bits of a row's number from position at on. */
static uint32_t bits_at(const uint64_t *row, uint32_t at, uint32_t width) {
	const uint32_t limb = at / LIMB_BITS, shift = at % LIMB_BITS;
	uint64_t v = row[limb] >> shift;
	if (shift + width > LIMB_BITS && limb + 1 < NL) {
		v |= row[limb + 1] << (LIMB_BITS - shift);
	}
	return (uint32_t)(v & (((uint64_t)1 << width) - 1));
}

/* Digits of one lane; those of a lane lie LANES apart. */
static void recode(int16_t *out, const uint64_t *row, uint32_t width, uint32_t count) {
	const int32_t half = (int32_t)1 << (width - 1);
	int32_t carry = 0;
	for (uint32_t i = 0; i < count; i++) {
		const int32_t digit = (int32_t)bits_at(row, width * i, width) + carry;
		carry = digit > half ? 1 : 0;
		out[i * LANES] = (int16_t)(digit - carry * 2 * half);
	}
}

/* What one digit in every lane asks for: which entry of a table, and which lanes have none, or its negative. */
typedef struct {
	uint32_t entry[LANES];
	uint32_t some, negative;
} choice;

static choice choose(const int16_t *digit) {
	choice out;
	out.some = 0;
	out.negative = 0;
	for (uint32_t l = 0; l < LANES; l++) {
		const int32_t d = digit[l], size = d < 0 ? -d : d;
		out.entry[l] = size == 0 ? 0 : (uint32_t)size - 1;
		out.some |= (uint32_t)(d != 0) << l;
		out.negative |= (uint32_t)(d < 0) << l;
	}
	return out;
}

/* ---- u1 G + u2 Q --------------------------------------------------------------------------------------------------------- */

/* k G is entry k - 1, x and y a row each. Written by build_generator_table alone. */
static _Alignas(64) uint64_t g_table[G_TABLE][2][ROW];

/* k Q of each lane's own Q. */
typedef struct {
	_Alignas(64) uint64_t row[Q_TABLE][LANES][5][ROW];
} q_table;

/* A sum on its way; started tells which lanes have a point already. */
typedef struct {
	jacobian p;
	uint32_t started;
} running;

/* out = the point of from in the lanes of m. */
LANES_INLINE void pick_point(jacobian *out, vmask m, const jacobian *from) {
	fe_pick(&out->x, m, &from->x, &out->x);
	fe_pick(&out->y, m, &from->y, &out->y);
	fe_pick(&out->z, m, &from->z, &out->z);
}

/* The sum goes on with next in lanes that had a point, begins with first (or its negative) in lanes that had none, and stays
 * where the digit is 0. */
LANES_INLINE void take_sum(running *sum, const choice *c, const jacobian *next, const jacobian *first) {
	const uint32_t begin = c->some & ~sum->started;
	const vmask go_on = v_mask(c->some & sum->started);
	pick_point(&sum->p, go_on, next);
	if (begin != 0) {
		jacobian signed_first = *first;
		fe_negate(&signed_first.y, &first->y);
		fe_settle(&signed_first.y);
		fe_pick(&signed_first.y, v_mask(c->negative), &signed_first.y, &first->y);
		pick_point(&sum->p, v_mask(begin), &signed_first);
		sum->started |= begin;
	}
}

LANES_FUNCTION void add_g(running *sum, const int16_t *digit) {
	const choice c = choose(digit);
	const uint64_t *rows[LANES];
	jacobian next, first;
	point q;
	for (int l = 0; l < LANES; l++) {
		rows[l] = g_table[c.entry[l]][0];
	}
	fe_load(&q.x, rows);
	for (int l = 0; l < LANES; l++) {
		rows[l] = g_table[c.entry[l]][1];
	}
	fe_load(&q.y, rows);
	add_point(&next, &sum->p, &q, v_mask(c.negative));
	first.x = q.x;
	first.y = q.y;
	fe_set(&first.z, mont_one);
	take_sum(sum, &c, &next, &first);
}

LANES_FUNCTION void add_q(running *sum, const q_table *table, const int16_t *digit) {
	const choice c = choose(digit);
	const uint64_t *rows[LANES];
	jacobian next, first;
	fe part[5];
	for (int i = 0; i < 5; i++) {
		for (int l = 0; l < LANES; l++) {
			rows[l] = table->row[c.entry[l]][l][i];
		}
		fe_load(&part[i], rows);
	}
	const cached q = {part[0], part[1], part[2], part[3], part[4]};
	add_cached(&next, &sum->p, &q, v_mask(c.negative));
	first.x = q.x;
	first.y = q.y;
	first.z = q.z;
	take_sum(sum, &c, &next, &first);
}

/* Multiples 1 to Q_TABLE of q. None of the sums is exceptional: the order is a large prime. */
LANES_FUNCTION void multiples(q_table *out, const point *q) {
	jacobian p;
	cached entry;
	for (int k = 0; k < Q_TABLE; k++) {
		if (k == 0) {
			p.x = q->x;
			p.y = q->y;
			fe_set(&p.z, mont_one);
		} else if (k == 1) {
			double_point(&p);
		} else {
			add_point(&p, &p, q, v_mask(0));
		}
		to_cached(&entry, &p);
		const fe *const parts[5] = {&entry.x, &entry.y, &entry.z, &entry.zz, &entry.zzz};
		for (int i = 0; i < 5; i++) {
			uint64_t *rows[LANES];
			for (int l = 0; l < LANES; l++) {
				rows[l] = out->row[k][l][i];
			}
			fe_store(parts[i], rows);
		}
	}
}

/* One chain of doublings for both scalars. */
LANES_FUNCTION void sum_of(running *sum, const digits *d, const q_table *table) {
	memset(sum, 0, sizeof *sum);
	for (int i = CURVE_BITS; i >= 0; i--) {
		double_point(&sum->p);
		if (i % Q_WIDTH == 0 && i / Q_WIDTH < DIGITS(Q_WIDTH)) {
			add_q(sum, table, d->q[i / Q_WIDTH]);
		}
		if (i % G_WIDTH == 0 && i / G_WIDTH < DIGITS(G_WIDTH)) {
			add_g(sum, d->g[i / G_WIDTH]);
		}
	}
}

LANES_FUNCTION void load_generator(point *g) {
	fe_set(&g->x, generator_x);
	fe_set(&g->y, generator_y);
}

/* (l + 1) G in lane l; the last lane's point, in every lane, is the step to the next LANES multiples. */
LANES_FUNCTION void first_multiples(jacobian *out, cached *step) {
	jacobian walk;
	point g;
	load_generator(&g);
	walk.x = g.x;
	walk.y = g.y;
	fe_set(&walk.z, mont_one);
	*out = walk;
	for (int l = 1; l < LANES; l++) {
		if (l == 1) {
			double_point(&walk);
		} else {
			add_point(&walk, &walk, &g, v_mask(0));
		}
		pick_point(out, v_mask(~((1u << l) - 1)), &walk);
	}
	to_cached(step, &walk);
}

/* The step after the first finds the step's own point in the last lane, which is doubled there. */
LANES_FUNCTION void next_multiples(jacobian *out, const jacobian *p, const cached *step, bool first) {
	jacobian twice = *p;
	add_cached(out, p, step, v_mask(0));
	if (first) {
		double_point(&twice);
		pick_point(out, v_mask(1u << (LANES - 1)), &twice);
	}
}

#define SLICE 16  /* vectors that share an inversion */

LANES_FUNCTION void store_multiples(uint64_t (*out)[2][ROW], const jacobian *p) {
	fe z[SLICE], scratch[SLICE], zz, part[2];
	for (int i = 0; i < SLICE; i++) {
		z[i] = p[i].z;
	}
	invert_all(z, SLICE, scratch, prime_bytes, fe_mul);
	for (int i = 0; i < SLICE; i++) {
		fe_sqr(&zz, &z[i]);
		fe_mul(&part[0], &p[i].x, &zz);
		fe_mul(&zz, &zz, &z[i]);
		fe_mul(&part[1], &p[i].y, &zz);
		for (int xy = 0; xy < 2; xy++) {
			uint64_t *rows[LANES];
			for (int l = 0; l < LANES; l++) {
				rows[l] = out[LANES * i + l][xy];
			}
			fe_store(&part[xy], rows);
		}
	}
}

LANES_FUNCTION void build_generator_table(void) {
	jacobian p[SLICE];
	cached step;
	_Static_assert(G_TABLE % (SLICE * LANES) == 0, "slices are whole");
	first_multiples(&p[0], &step);
	for (int k = 0; k < G_TABLE; k += SLICE * LANES) {
		if (k != 0) {
			next_multiples(&p[0], &p[SLICE - 1], &step, false);
		}
		for (int i = 1; i < SLICE; i++) {
			next_multiples(&p[i], &p[i - 1], &step, k == 0 && i == 1);
		}
		store_multiples(g_table + k, p);
	}
}

/* ---- ECDSA, FIPS 186-5 6.4.2 --------------------------------------------------------------------------------------------- */

#define GROUPS (ATT_LANES_CHUNK / LANES)

/* One job in each lane: scalars plain, the key in Montgomery form. Lanes that no job got hold one that does no harm. */
typedef struct {
	att_sig_job *job[LANES];
	fe r, e;
	point key;
	uint32_t wraps;  /* lanes in which r + n < p */
	uint32_t good;   /* lanes that have a job, whose key is on the curve */
} group;

/* What of the jobs comes as numbers, in the order of its parsing. */
enum { R, S, E, X, Y, NUMBERS };

typedef struct {
	uint64_t row[NUMBERS][LANES][ROW];
} numbers;

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

static bool in_order(const uint8_t *scalar) {
	static const uint8_t zero[CURVE_BYTES];
	return memcmp(scalar, order_bytes, CURVE_BYTES) < 0 && memcmp(scalar, zero, CURVE_BYTES) != 0;
}

/* Everything that can be refused without arithmetic: lengths, 0 < r, s < n, coordinates below p. The digest is as long as n, so
 * its bits are taken whole (6.4.1). Input is read once. */
static bool take_job(numbers *out, uint32_t lane, uint32_t *wraps, const att_sig_job *job) {
	uint8_t sig[2 * CURVE_BYTES], key[2 * CURVE_BYTES];
	if (job->key_len != 2 * CURVE_BYTES || job->sig_len != 2 * CURVE_BYTES || job->digest_len != CURVE_BYTES || job->key == NULL ||
	    job->sig == NULL) {
		return false;
	}
	memcpy(sig, job->sig, sizeof sig);
	memcpy(key, job->key, sizeof key);
	if (!in_order(sig) || !in_order(sig + CURVE_BYTES) || memcmp(key, prime_bytes, CURVE_BYTES) >= 0 ||
	    memcmp(key + CURVE_BYTES, prime_bytes, CURVE_BYTES) >= 0) {
		return false;
	}
	parse(out->row[R][lane], sig);
	parse(out->row[S][lane], sig + CURVE_BYTES);
	parse(out->row[E][lane], job->digest);
	parse(out->row[X][lane], key);
	parse(out->row[Y][lane], key + CURVE_BYTES);
	*wraps |= (uint32_t)(memcmp(sig, prime_less_order_bytes, CURVE_BYTES) < 0) << lane;
	return true;
}

/* y^2 = x^3 - 3 x + b: SEC 1 3.2.2.1; the order is prime, so a point of the curve is a point of the group. */
LANES_FUNCTION uint32_t on_curve_lanes(const point *q) {
	fe t, u, b;
	fe_set(&t, mont_one);
	fe_shift(&u, &t, 1);
	fe_add(&u, &u, &t);
	fe_negate(&u, &u);
	fe_sqr_add(&t, &q->x, &u);
	fe_set(&b, mont_b);
	fe_mul_add(&t, &t, &q->x, v_mask(0), &b);
	fe_negate(&t, &t);
	fe_sqr_add(&t, &q->y, &t);
	return fe_zero_lanes(&t);
}

LANES_INLINE void load_number(fe *out, const numbers *n, int which) {
	const uint64_t *rows[LANES];
	for (int l = 0; l < LANES; l++) {
		rows[l] = n->row[which][l];
	}
	fe_load(out, rows);
}

/* Steps 1 and 2 for up to LANES jobs from *next on; those that fail are left as they are, INVALID. s comes out in Montgomery
 * form modulo n, and 1 where no job is; lanes without a good key get G. */
LANES_FUNCTION void fill(group *g, fe *s, att_sig_job *const *jobs, uint32_t *next, uint32_t num) {
	numbers n;
	fe t, factor;
	point generator;
	uint32_t filled = 0;
	memset(&n, 0, sizeof n);
	g->wraps = 0;
	while (filled < LANES && *next < num) {
		g->job[filled] = jobs[(*next)++];
		filled += take_job(&n, filled, &g->wraps, g->job[filled]) ? 1 : 0;
	}
	for (uint32_t l = filled; l < LANES; l++) {
		memset(n.row[S][l], 0, sizeof n.row[S][l]);
		n.row[S][l][0] = 1;
	}
	load_number(&g->r, &n, R);
	load_number(&g->e, &n, E);
	load_number(&t, &n, S);
	fe_set(&factor, order_r2);
	sc_mul(s, &t, &factor);
	fe_set(&factor, prime_r2);
	load_number(&t, &n, X);
	fe_mul(&g->key.x, &t, &factor);
	load_number(&t, &n, Y);
	fe_mul(&g->key.y, &t, &factor);
	g->good = on_curve_lanes(&g->key) & ((1u << filled) - 1);
	load_generator(&generator);
	fe_pick(&g->key.x, v_mask(g->good), &g->key.x, &generator.x);
	fe_pick(&g->key.y, v_mask(g->good), &g->key.y, &generator.y);
}

/* u1 = e w and u2 = r w, by digits. They may exceed n, which changes nothing. */
LANES_FUNCTION void scalars(digits *out, const group *g, const fe *w) {
	uint64_t row[2][LANES][ROW];
	fe u;
	for (int i = 0; i < 2; i++) {
		uint64_t *rows[LANES];
		for (int l = 0; l < LANES; l++) {
			rows[l] = row[i][l];
		}
		sc_mul(&u, i == 0 ? &g->e : &g->r, w);
		fe_store(&u, rows);
	}
	for (int l = 0; l < LANES; l++) {
		recode(&out->g[0][l], row[0][l], G_WIDTH, DIGITS(G_WIDTH));
		recode(&out->q[0][l], row[1][l], Q_WIDTH, DIGITS(Q_WIDTH));
	}
}

/* Lanes in which x / z^2 = r modulo n: x = r z^2, or x = (r + n) z^2 where r + n < p. No inversion. */
LANES_FUNCTION uint32_t matching_lanes(const jacobian *p, const group *g) {
	fe zz, minus_x, factor, candidate, t;
	uint32_t out = 0;
	fe_sqr(&zz, &p->z);
	fe_negate(&minus_x, &p->x);
	fe_set(&factor, prime_r2);
	fe_mul(&zz, &zz, &factor);  /* for candidates that are plain */
	fe_mul_add(&t, &g->r, &zz, v_mask(0), &minus_x);
	out |= fe_zero_lanes(&t);
	if (g->wraps != 0) {
		fe_set(&t, order);
		fe_add(&candidate, &g->r, &t);
		fe_settle(&candidate);
		fe_mul_add(&t, &candidate, &zz, v_mask(0), &minus_x);
		out |= fe_zero_lanes(&t) & g->wraps;
	}
	return out;
}

/* Steps 3 to 7, with w = 1/s in Montgomery form. */
LANES_FUNCTION void verify_group(const group *g, const fe *w) {
	digits d;
	q_table table;
	running sum;
	if (g->good == 0) {
		return;
	}
	scalars(&d, g, w);
	multiples(&table, &g->key);
	sum_of(&sum, &d, &table);
	const uint32_t known = ~fe_zero_lanes(&sum.p.z);
	const uint32_t valid = matching_lanes(&sum.p, g) & known;
	for (uint32_t l = 0; l < LANES; l++) {
		if ((g->good >> l & 1) != 0 && (known >> l & 1) == 0) {
			att_engine_portable.run(g->job[l], 1);
		} else if ((g->good & valid) >> l & 1) {
			g->job[l]->outcome = ATT_SIG_VALID;
		}
	}
}

LANES_FUNCTION void curve_verify(att_sig_job *const *jobs, uint32_t num) {
	group groups[GROUPS];
	fe s[GROUPS], scratch[GROUPS];
	uint32_t used = 0, next = 0;
	for (uint32_t i = 0; i < num; i++) {
		jobs[i]->outcome = ATT_SIG_INVALID;
	}
	while (next < num) {
		fill(&groups[used], &s[used], jobs, &next, num);
		used++;
	}
	if (used == 0) {
		return;
	}
	invert_all(s, used, scratch, order_bytes, sc_mul);
	for (uint32_t i = 0; i < used; i++) {
		verify_group(&groups[i], &s[i]);
	}
}
