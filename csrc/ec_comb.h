/* SPDX-License-Identifier: Apache-2.0
 *
 * ec_comb.h: multiples of points by signed combs, for engine portable: the tables of the generator and of keys that come back
 * (docs/design/0002-key-tables.md, comb.h). Included by ec_curve.h; what lanes_comb.h does in lanes, one at a time. Public data only:
 * memory access depends on the data. */
#include "comb.h"
#include "key_runs.h"

_Static_assert(COMB_ENTRIES(Q_TEETH, Q_TABLES) * sizeof(point) <= ATT_KEY_TABLE_BYTES, "a key's comb fits its slot");

static point g_comb[COMB_ENTRIES(G_TEETH, G_TABLES)];  /* written by init_table alone */

/* ---- building ------------------------------------------------------------------------------------------------------------ */

typedef struct {
	point *table;
	uint32_t teeth, tables;
} builder;

static point *entry_of(const builder *b, uint32_t m, uint32_t e) { return &b->table[(m << (b->teeth - 1)) + e]; }

/* Montgomery's trick: each of the num elements at a, none 0 modulo p, becomes its inverse. */
static void invert_all(fe *a, uint32_t num) {
	fe prefix[COMB_SLICE], inverse, next;
	prefix[0] = a[0];
	for (uint32_t i = 1; i < num; i++) {
		fe_mul(&prefix[i], &prefix[i - 1], &a[i]);
	}
	fe_plain(&inverse, &prefix[num - 1]);
	invert(&inverse, &inverse, &prime, (att_ulimb)PRIME_INVERSE & MASK);
	fe_mul(&inverse, &inverse, &prime_r2);
	for (uint32_t i = num - 1; i > 0; i--) {
		fe_mul(&next, &inverse, &a[i]);
		fe_mul(&a[i], &inverse, &prefix[i - 1]);
		inverse = next;
	}
	a[0] = inverse;
}

/* The points 2^(c j) q, first as they come, then affine. */
static void build_bases(const builder *b, const point *q) {
	fe z[COMB_SLICE], zz;
	jacobian p;
	const uint32_t num = b->teeth * b->tables;
	from_point(&p, q);
	for (uint32_t j = 0; j < num; j++) {
		for (int i = 0; j != 0 && i < COMB_CHAIN; i++) {
			double_point(&p);
		}
		point *to = entry_of(b, j % b->tables, comb_place(b->teeth, j / b->tables));
		to->x = p.x;
		to->y = p.y;
		z[j] = p.z;
	}
	invert_all(z, num);
	for (uint32_t j = 0; j < num; j++) {
		point *to = entry_of(b, j % b->tables, comb_place(b->teeth, j / b->tables));
		fe_sqr(&zz, &z[j]);
		fe_mul(&to->x, &to->x, &zz);
		fe_mul(&zz, &zz, &z[j]);
		fe_mul(&to->y, &to->y, &zz);
	}
}

/* p + q or p - q, with inverse = 1 / (x(p) - x(q)); all affine. */
static void add_affine(point *out, const point *p, const point *q, bool negate, const fe *inverse) {
	fe slope, sum, t;
	point r;
	fe_add(&sum, &p->x, &q->x);
	fe_scale(&sum, &sum, -1);
	fe_scale(&t, &q->y, negate ? 1 : -1);
	fe_add(&t, &t, &p->y);
	fe_mul(&slope, &t, inverse);
	fe_sqr_add(&r.x, &slope, &sum);
	fe_sub(&t, &p->x, &r.x);
	fe_scale(&sum, &p->y, -1);
	fe_mul_add(&r.y, &slope, &t, &sum);
	*out = r;
}

/* Tooth k of num entries from number first on, counted through all sub-tables, of which each has 2^k so far: each P becomes
 * P - B, and P + B goes 2^k behind it. */
static void put_tooth(const builder *b, uint32_t k, const point *base, uint32_t first, uint32_t num) {
	fe inverse[COMB_SLICE];
	const uint32_t mask = (1u << k) - 1;
	for (uint32_t i = 0; i < num; i++) {
		const uint32_t m = (first + i) >> k;
		fe_sub(&inverse[i], &entry_of(b, m, (first + i) & mask)->x, &base[m].x);
	}
	invert_all(inverse, num);
	for (uint32_t i = 0; i < num; i++) {
		const uint32_t m = (first + i) >> k;
		point *p = entry_of(b, m, (first + i) & mask);
		add_affine(p + mask + 1, p, &base[m], false, &inverse[i]);
		add_affine(p, p, &base[m], true, &inverse[i]);
	}
}

/* The comb of q. No two points that are added here are equal or opposite, whatever q is, as their multiples are not. Each tooth
 * makes values up to 5 p larger, or smaller, which G's nine make 45 p: still well below R / p = 2^8 p, and at the end products with
 * 1 make all small. */
static void build_comb(const builder *b, const point *q) {
	point base[COMB_MAX_TABLES];
	build_bases(b, q);
	for (uint32_t k = 0; k < b->teeth - 1; k++) {
		for (uint32_t m = 0; m < b->tables; m++) {
			base[m] = *entry_of(b, m, comb_place(b->teeth, k));
		}
		const uint32_t all = b->tables << k;
		for (uint32_t first = 0; first < all; first += COMB_SLICE) {
			put_tooth(b, k, base, first, all - first < COMB_SLICE ? all - first : COMB_SLICE);
		}
	}
	for (uint32_t i = 0; i < b->tables << (b->teeth - 1); i++) {
		fe_mul(&b->table[i].x, &b->table[i].x, &mont_one);
		fe_mul(&b->table[i].y, &b->table[i].y, &mont_one);
	}
}

/* ---- u1 G + u2 Q --------------------------------------------------------------------------------------------------------- */

/* The scalar, or the scalar plus n: the one that is odd. */
static bits odd_bits(const fe *scalar) {
	fe u = *scalar;
	if ((u.v[0] & 1) == 0) {
		fe_add(&u, &u, &order);
		fe_settle(&u);
	}
	return scalar_bits(&u);
}

/* What an odd number takes from one sub-table of a comb. Its signs are its bits from bit 1 on, with the last of all set. */
static void take_columns(uint16_t *out, const bits *b, uint32_t teeth, uint32_t tables, uint32_t m) {
	uint32_t tooth[16] = {0};
	for (uint32_t k = 0; k < teeth; k++) {
		const uint32_t at = (k * tables + m) * COMB_CHAIN + 1;
		const uint32_t three = b->byte[at / 8] | (uint32_t)b->byte[at / 8 + 1] << 8 | (uint32_t)b->byte[at / 8 + 2] << 16;
		tooth[k] = three >> at % 8 & ((1u << COMB_CHAIN) - 1);
	}
	tooth[teeth - 1] |= m == tables - 1 ? 1u << (COMB_CHAIN - 1) : 0;
	comb_columns(out, 1, tooth, teeth);
}

static void add_entry(jacobian *sum, bool *started, const point *table, uint16_t entry) {
	const point *q = &table[entry & ~COMB_NEGATIVE];
	const bool negate = (entry & COMB_NEGATIVE) != 0;
	if (*started) {
		add_point(sum, q, negate);
		return;
	}
	from_point(sum, q);
	fe_scale(&sum->y, &sum->y, negate ? -1 : 1);
	*started = true;
}

/* False: the sum is infinity, or an addition met a case it was not made for. True: out is right, z != 0. */
static bool sum_comb(jacobian *out, const fe *u1, const fe *u2, const point *table) {
	uint16_t entry[SUB_TABLES][COMB_CHAIN];
	const bits b1 = odd_bits(u1), b2 = odd_bits(u2);
	bool started = false;
	for (uint32_t m = 0; m < Q_TABLES; m++) {
		take_columns(entry[m], &b2, Q_TEETH, Q_TABLES, m);
	}
	for (uint32_t m = 0; m < G_TABLES; m++) {
		take_columns(entry[Q_TABLES + m], &b1, G_TEETH, G_TABLES, m);
	}
	for (int i = COMB_CHAIN - 1; i >= 0; i--) {
		if (started) {
			double_point(out);
		}
		for (uint32_t m = 0; m < Q_TABLES; m++) {
			add_entry(out, &started, table + COMB_ENTRIES(Q_TEETH, m), entry[m][i]);
		}
		for (uint32_t m = 0; m < G_TABLES; m++) {
			add_entry(out, &started, g_comb + COMB_ENTRIES(G_TEETH, m), entry[Q_TABLES + m][i]);
		}
	}
	return !fe_is_zero(&out->z);
}
