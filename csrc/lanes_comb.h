/* SPDX-License-Identifier: Apache-2.0
 *
 * lanes_comb.h: multiples of points by signed combs, in lanes: the tables of the generator and of keys that come back
 * (docs/design/0002-key-tables.md, comb.h). Included by lanes_curve.h. Public data only: memory access depends on the data. */
#include "comb.h"

#define COMB_WORDS(teeth, tables) (COMB_ENTRIES(teeth, tables) * 2 * ENTRY_ROW)
_Static_assert(SUB_TABLES % LANES == 0, "one signature's sub-tables fill the lanes");
_Static_assert(COMB_WORDS(Q_TEETH, Q_TABLES) * 8 <= ATT_KEY_TABLE_BYTES, "a key's comb fits its slot");

/* ---- columns ------------------------------------------------------------------------------------------------------------- */

/* The width (below LIMB_BITS) bits of a row's number from position at on. */
static uint32_t bits_at(const uint64_t *row, uint32_t at, uint32_t width) {
	const uint32_t limb = at / LIMB_BITS, shift = at % LIMB_BITS;
	uint64_t v = row[limb] >> shift;
	if (shift + width > LIMB_BITS && limb + 1 < ROW) {
		v |= row[limb + 1] << (LIMB_BITS - shift);
	}
	return (uint32_t)(v & (((uint64_t)1 << width) - 1));
}

/* An odd number with the same multiples: row is plain, settled, and below 1.3 * 2^CURVE_BITS. */
static void make_odd(uint64_t *row) {
	uint64_t carry = 0;
	if ((row[0] & 1) != 0) {
		return;
	}
	for (int i = 0; i < NL; i++) {
		carry += row[i] + order[i];
		row[i] = i < NL - 1 ? carry & LIMB_MASK : carry;
		carry >>= LIMB_BITS;
	}
}

/* What an odd number takes from one sub-table of a comb. Its signs are its bits from bit 1 on, with the last of all set. */
static void take_columns(uint16_t *out, uint32_t step, const uint64_t *row, uint32_t teeth, uint32_t tables, uint32_t m) {
	uint32_t tooth[16] = {0};
	for (uint32_t k = 0; k < teeth; k++) {
		tooth[k] = bits_at(row, (k * tables + m) * COMB_CHAIN + 1, COMB_CHAIN);
	}
	tooth[teeth - 1] |= m == tables - 1 ? 1u << (COMB_CHAIN - 1) : 0;
	comb_columns(out, step, tooth, teeth);
}

/* The columns of one lane's u1 and u2, each row plain; sub-tables of Q come first. */
typedef struct {
	uint16_t entry[SUB_TABLES][COMB_CHAIN][LANES];
} columns;

static void take_scalars(columns *out, uint32_t lane, uint64_t *u1, uint64_t *u2) {
	make_odd(u1);
	make_odd(u2);
	for (uint32_t m = 0; m < Q_TABLES; m++) {
		take_columns(&out->entry[m][0][lane], LANES, u2, Q_TEETH, Q_TABLES, m);
	}
	for (uint32_t m = 0; m < G_TABLES; m++) {
		take_columns(&out->entry[Q_TABLES + m][0][lane], LANES, u1, G_TEETH, G_TABLES, m);
	}
}

/* ---- sums ---------------------------------------------------------------------------------------------------------------- */

/* Written by init_combs alone. */
static _Alignas(64) uint64_t g_comb[COMB_WORDS(G_TEETH, G_TABLES)];

/* Sub-table s of a signature's eight, table being the comb of its key. */
static const uint64_t *sub_table(const uint64_t *table, uint32_t s) {
	return s < Q_TABLES ? table + s * COMB_WORDS(Q_TEETH, 1) : g_comb + (s - Q_TABLES) * COMB_WORDS(G_TEETH, 1);
}

/* The entry that each lane takes from its own sub-table; the lanes in which it is to be taken off. */
LANES_INLINE uint32_t load_entries(point *out, const uint64_t *const table[LANES], const uint16_t *entry) {
	const uint64_t *rows[LANES];
	uint32_t negative = 0;
	for (uint32_t l = 0; l < LANES; l++) {
		rows[l] = table[l] + (uint32_t)(entry[l] & ~COMB_NEGATIVE) * (2 * ENTRY_ROW);
		negative |= (uint32_t)(entry[l] >> 15) << l;
	}
	entry_load(&out->x, rows);
	for (uint32_t l = 0; l < LANES; l++) {
		rows[l] += ENTRY_ROW;
	}
	entry_load(&out->y, rows);
	return negative;
}

LANES_FUNCTION void begin_sum(jacobian *sum, const uint64_t *const table[LANES], const uint16_t *entry) {
	point q;
	fe minus_y;
	const uint32_t negative = load_entries(&q, table, entry);
	fe_negate(&minus_y, &q.y);
	fe_settle(&minus_y);
	sum->x = q.x;
	fe_pick(&sum->y, v_mask(negative), &minus_y, &q.y);
	fe_set(&sum->z, mont_one);
}

LANES_FUNCTION void add_entries(jacobian *sum, const uint64_t *const table[LANES], const uint16_t *entry) {
	point q;
	const uint32_t negative = load_entries(&q, table, entry);
	add_point(sum, sum, &q, v_mask(negative));
}

/* u1 G + u2 Q in each lane, table[l] being the comb of lane l's Q. */
LANES_FUNCTION void comb_sum(jacobian *sum, const columns *c, const uint64_t *const table[LANES]) {
	const uint64_t *sub[SUB_TABLES][LANES];
	for (uint32_t s = 0; s < SUB_TABLES; s++) {
		for (uint32_t l = 0; l < LANES; l++) {
			sub[s][l] = sub_table(table[l], s);
		}
	}
	begin_sum(sum, sub[0], c->entry[0][COMB_CHAIN - 1]);
	for (int i = COMB_CHAIN - 1; i >= 0; i--) {
		if (i != COMB_CHAIN - 1) {
			double_point(sum);
		}
		for (uint32_t s = i == COMB_CHAIN - 1 ? 1 : 0; s < SUB_TABLES; s++) {
			add_entries(sum, sub[s], c->entry[s][i]);
		}
	}
}

/* The same for one signature, lane 0 of c, in all lanes at once: each lane adds up sub-tables of its own, then the lanes are
 * added up. Every lane has the result. */
LANES_FUNCTION void spread_sum(jacobian *sum, const columns *c, const uint64_t *table) {
	const uint64_t *sub[SUB_TABLES];
	uint16_t entry[COMB_CHAIN][SUB_TABLES];
	jacobian turned;
	cached next;
	for (uint32_t s = 0; s < SUB_TABLES; s++) {
		sub[s] = sub_table(table, s);
		for (int i = 0; i < COMB_CHAIN; i++) {
			entry[i][s] = c->entry[s][i][0];
		}
	}
	begin_sum(sum, sub, entry[COMB_CHAIN - 1]);
	for (int i = COMB_CHAIN - 1; i >= 0; i--) {
		if (i != COMB_CHAIN - 1) {
			double_point(sum);
		}
		for (uint32_t s = i == COMB_CHAIN - 1 ? LANES : 0; s < SUB_TABLES; s += LANES) {
			add_entries(sum, sub + s, entry[i] + s);
		}
	}
	for (int by = LANES / 2; by > 0; by /= 2) {
		rotate_point(&turned, sum, by);
		to_cached(&next, &turned);
		add_cached(sum, sum, &next, v_mask(0));
	}
}

/* ---- building ------------------------------------------------------------------------------------------------------------ */

/* A comb under construction in each lane: where it goes, and its shape. */
typedef struct {
	uint64_t *table[LANES];
	uint32_t teeth, tables;
} builder;

LANES_INLINE void entry_rows(uint64_t *rows[LANES], const builder *b, uint32_t m, uint32_t e, int xy) {
	for (uint32_t l = 0; l < LANES; l++) {
		rows[l] = b->table[l] + ((m << (b->teeth - 1)) + e) * (2 * ENTRY_ROW) + (xy != 0 ? ENTRY_ROW : 0);
	}
}

LANES_FUNCTION void load_coordinate(fe *out, const builder *b, uint32_t m, uint32_t e, int xy) {
	uint64_t *rows[LANES];
	const uint64_t *from[LANES];
	entry_rows(rows, b, m, e, xy);
	memcpy(from, rows, sizeof from);
	entry_load(out, from);
}

LANES_FUNCTION void store_coordinate(const fe *a, const builder *b, uint32_t m, uint32_t e, int xy) {
	uint64_t *rows[LANES];
	entry_rows(rows, b, m, e, xy);
	entry_store(a, rows);
}

/* The points 2^(c j) q, first as they come, then affine. */
LANES_FUNCTION void build_bases(const builder *b, const point *q) {
	fe z[COMB_SLICE], prefix[COMB_SLICE], zz, t;
	jacobian p;
	const uint32_t num = b->teeth * b->tables;
	p.x = q->x;
	p.y = q->y;
	fe_set(&p.z, mont_one);
	for (uint32_t j = 0; j < num; j++) {
		for (int i = 0; j != 0 && i < COMB_CHAIN; i++) {
			double_point(&p);
		}
		store_coordinate(&p.x, b, j % b->tables, comb_place(b->teeth, j / b->tables), 0);
		store_coordinate(&p.y, b, j % b->tables, comb_place(b->teeth, j / b->tables), 1);
		z[j] = p.z;
	}
	invert_all(z, num, prefix, &modulo_prime);
	for (uint32_t j = 0; j < num; j++) {
		const uint32_t m = j % b->tables, e = comb_place(b->teeth, j / b->tables);
		fe_sqr(&zz, &z[j]);
		load_coordinate(&t, b, m, e, 0);
		fe_mul(&t, &t, &zz);
		store_coordinate(&t, b, m, e, 0);
		fe_mul(&zz, &zz, &z[j]);
		load_coordinate(&t, b, m, e, 1);
		fe_mul(&t, &t, &zz);
		store_coordinate(&t, b, m, e, 1);
	}
}

/* Entry e of sub-table m, P, becomes P - B, and entry e + 2^k P + B, with inverse = 1 / (x(P) - x(B)); all affine. */
LANES_FUNCTION void split_entry(const builder *b, uint32_t m, uint32_t e, uint32_t k, const point *base, const fe *inverse) {
	point p;
	fe slope, sum_x, t, x;
	load_coordinate(&p.x, b, m, e, 0);
	load_coordinate(&p.y, b, m, e, 1);
	fe_add(&sum_x, &p.x, &base->x);
	fe_negate(&sum_x, &sum_x);
	for (uint32_t plus = 0; plus < 2; plus++) {
		const uint32_t to = e + (plus << k);
		if (plus != 0) {
			fe_sub(&t, &p.y, &base->y);
		} else {
			fe_add(&t, &p.y, &base->y);
		}
		fe_settle(&t);
		fe_mul(&slope, &t, inverse);
		fe_sqr_add(&x, &slope, &sum_x);
		store_coordinate(&x, b, m, to, 0);
		fe_sub(&t, &p.x, &x);
		fe_settle(&t);
		fe_negate(&x, &p.y);
		fe_mul_add(&x, &slope, &t, v_mask(0), &x);
		store_coordinate(&x, b, m, to, 1);
	}
}

/* Tooth k of num entries from number first on, counted through all sub-tables, of which each has 2^k so far. */
LANES_FUNCTION void put_tooth(const builder *b, uint32_t k, const point *base, uint32_t first, uint32_t num) {
	fe difference[COMB_SLICE], prefix[COMB_SLICE], x;
	const uint32_t mask = (1u << k) - 1;
	for (uint32_t i = 0; i < num; i++) {
		load_coordinate(&x, b, (first + i) >> k, (first + i) & mask, 0);
		fe_sub(&difference[i], &x, &base[(first + i) >> k].x);
		fe_settle(&difference[i]);
	}
	invert_all(difference, num, prefix, &modulo_prime);
	for (uint32_t i = 0; i < num; i++) {
		const uint32_t m = (first + i) >> k;
		split_entry(b, m, (first + i) & mask, k, &base[m], &difference[i]);
	}
}

/* Coordinates as small as products are: each tooth has made them up to 5 p larger, or smaller. */
LANES_FUNCTION void tighten_entries(const builder *b) {
	fe t;
	for (uint32_t i = 0; i < b->tables << (b->teeth - 1); i++) {
		for (int xy = 0; xy < 2; xy++) {
			load_coordinate(&t, b, 0, i, xy);
			fe_tighten(&t);
			store_coordinate(&t, b, 0, i, xy);
		}
	}
}

/* The comb of q. No two points that are added here are equal or opposite, whatever q is, as their multiples are not. */
LANES_FUNCTION void build_comb(const builder *b, const point *q) {
	point base[COMB_MAX_TABLES];
	build_bases(b, q);
	for (uint32_t k = 0; k < b->teeth - 1; k++) {
		for (uint32_t m = 0; m < b->tables; m++) {
			load_coordinate(&base[m].x, b, m, comb_place(b->teeth, k), 0);
			load_coordinate(&base[m].y, b, m, comb_place(b->teeth, k), 1);
		}
		const uint32_t all = b->tables << k;
		for (uint32_t first = 0; first < all; first += COMB_SLICE) {
			put_tooth(b, k, base, first, all - first < COMB_SLICE ? all - first : COMB_SLICE);
		}
	}
	if (FE_GROWS) {
		tighten_entries(b);
	}
}

LANES_FUNCTION void load_generator(point *g) {
	fe_set(&g->x, generator_x);
	fe_set(&g->y, generator_y);
}

/* The comb of the generator: every lane makes the same, in the same place. */
LANES_FUNCTION void init_combs(void) {
	builder b = {{NULL}, G_TEETH, G_TABLES};
	point g;
	for (int l = 0; l < LANES; l++) {
		b.table[l] = g_comb;
	}
	load_generator(&g);
	build_comb(&b, &g);
}
