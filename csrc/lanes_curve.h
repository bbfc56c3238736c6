/* SPDX-License-Identifier: Apache-2.0
 *
 * lanes_curve.h: ECDSA verification over one curve y^2 = x^3 - 3x + b of prime order, a signature a lane, or one signature in all
 * lanes. Included by lanes_p*_*.c after a lanes_field*.h; everything here is static and knows elements only, not their limbs.
 * Public data only: time and memory access depend on the data, and none of this may ever be used to sign.
 *
 * Lanes never meet: every operation on vectors is lane by lane, but for the inversion that jobs share, where all values are in
 * range and none is 0 (jobs that break a range are refused before they get a lane), and for the end of a sum that was spread over
 * all lanes, which belong to one job then.
 *
 * Jobs that end with z = 0 (lanes_point.h) are run again by engine portable, which decides them bit by bit. */
#include "lanes_point.h"

#include "lanes_comb.h"

/* ---- u1 G + u2 Q, of any Q ----------------------------------------------------------------------------------------------- */

/* u1 by the comb of G; u2 by fixed windows with signed digits: sum(digit[i] 2^(width i)), |digit| <= 2^(width - 1). Their count
 * leaves room for scalars up to 1.3 * 2^CURVE_BITS: the last digit takes the last carry. */
#define Q_WIDTH 5
#define DIGITS(width) ((CURVE_BITS + (width)) / (width))
#define Q_TABLE (1 << (Q_WIDTH - 1))

typedef struct {
	int16_t q[DIGITS(Q_WIDTH)][LANES];
	uint16_t g[G_TABLES][COMB_CHAIN][LANES];
} digits;

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

/* Both scalars of one lane; the rows are plain. */
static void take_digits(digits *out, int lane, uint64_t *u1, const uint64_t *u2) {
	make_odd(u1);
	for (uint32_t m = 0; m < G_TABLES; m++) {
		take_columns(&out->g[m][0][lane], LANES, u1, G_TEETH, G_TABLES, m);
	}
	recode(&out->q[0][lane], u2, Q_WIDTH, DIGITS(Q_WIDTH));
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

/* The sum goes on with next in lanes that had a point, begins with x, +-y, z in lanes that had none, and stays where the digit
 * is 0. */
LANES_INLINE void take_sum(running *sum, uint32_t some, uint32_t negative, const jacobian *next, const fe *x, const fe *y,
                           const fe *z) {
	const uint32_t begin = some & ~sum->started;
	const vmask go_on = v_mask(some & sum->started);
	fe signed_y;
	pick_point(&sum->p, go_on, next);
	if (begin != 0) {
		fe_negate(&signed_y, y);
		fe_settle(&signed_y);
		fe_pick(&signed_y, v_mask(negative), &signed_y, y);
		fe_pick(&sum->p.x, v_mask(begin), x, &sum->p.x);
		fe_pick(&sum->p.y, v_mask(begin), &signed_y, &sum->p.y);
		fe_pick(&sum->p.z, v_mask(begin), z, &sum->p.z);
		sum->started |= begin;
	}
}

LANES_FUNCTION void add_g(running *sum, const uint64_t *const table[LANES], const uint16_t *entry) {
	jacobian next;
	point q;
	fe one;
	const uint32_t negative = load_entries(&q, table, entry);
	add_point(&next, &sum->p, &q, v_mask(negative));
	fe_set(&one, mont_one);
	take_sum(sum, (1u << LANES) - 1, negative, &next, &q.x, &q.y, &one);
}

LANES_FUNCTION void add_q(running *sum, const q_table *table, const int16_t *digit) {
	const choice c = choose(digit);
	const uint64_t *rows[LANES];
	jacobian next;
	cached q;
	fe *const parts[5] = {&q.x, &q.y, &q.z, &q.zz, &q.zzz};
	for (int i = 0; i < 5; i++) {
		for (int l = 0; l < LANES; l++) {
			rows[l] = table->row[c.entry[l]][l][i];
		}
		fe_load(parts[i], rows);
	}
	add_cached(&next, &sum->p, &q, v_mask(c.negative));
	take_sum(sum, c.some, c.negative, &next, &q.x, &q.y, &q.z);
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

/* One chain of doublings for both scalars; the comb of G joins in for its last steps. */
LANES_FUNCTION void sum_of(running *sum, const digits *d, const q_table *table) {
	const uint64_t *sub[G_TABLES][LANES];
	memset(sum, 0, sizeof *sum);
	for (uint32_t m = 0; m < G_TABLES; m++) {
		for (uint32_t l = 0; l < LANES; l++) {
			sub[m][l] = g_comb + m * COMB_WORDS(G_TEETH, 1);
		}
	}
	for (int i = CURVE_BITS; i >= 0; i--) {
		double_point(&sum->p);
		if (i % Q_WIDTH == 0 && i / Q_WIDTH < DIGITS(Q_WIDTH)) {
			add_q(sum, table, d->q[i / Q_WIDTH]);
		}
		for (uint32_t m = 0; m < G_TABLES && i < COMB_CHAIN; m++) {
			add_g(sum, sub[m], d->g[m][i]);
		}
	}
}

/* ---- ECDSA, FIPS 186-5 6.4.2 --------------------------------------------------------------------------------------------- */

#define GROUPS (ATT_LANES_CHUNK / LANES)

/* One job in each lane: scalars plain, keys as bytes. Lanes that no job got hold one that does no harm. */
typedef struct {
	att_sig_job *job[LANES];
	const uint64_t *table[LANES];  /* where keys are known: their combs */
	uint8_t key[LANES][2 * CURVE_BYTES];
	fe r, e;
	point q;                       /* where they are not: the keys in Montgomery form */
	uint32_t wraps;                /* lanes in which r + n < p */
	uint32_t good;                 /* lanes that have a job, whose key is on the curve */
} group;

/* What of the jobs comes as numbers. */
enum { R, S, E, NUMBERS };

typedef struct {
	uint64_t row[NUMBERS][LANES][ROW];
} numbers;

static bool in_order(const uint8_t *scalar) {
	static const uint8_t zero[CURVE_BYTES];
	return memcmp(scalar, order_bytes, CURVE_BYTES) < 0 && memcmp(scalar, zero, CURVE_BYTES) != 0;
}

/* Everything about a job but its key that can be refused without arithmetic: lengths, 0 < r, s < n. The digest is as long as n,
 * so its bits are taken whole (6.4.1). Input is read once: sig and key become private copies. */
static bool read_job(uint8_t *sig, uint8_t *key, const att_sig_job *job) {
	if (job->key_len != 2 * CURVE_BYTES || job->sig_len != 2 * CURVE_BYTES || job->digest_len != CURVE_BYTES || job->key == NULL ||
	    job->sig == NULL) {
		return false;
	}
	memcpy(sig, job->sig, 2 * CURVE_BYTES);
	memcpy(key, job->key, 2 * CURVE_BYTES);
	return in_order(sig) && in_order(sig + CURVE_BYTES);
}

static bool take_job(numbers *out, group *g, uint32_t lane, att_sig_job *job) {
	uint8_t sig[2 * CURVE_BYTES];
	if (!read_job(sig, g->key[lane], job)) {
		return false;
	}
	g->job[lane] = job;
	parse(out->row[R][lane], sig);
	parse(out->row[S][lane], sig + CURVE_BYTES);
	parse(out->row[E][lane], job->digest);
	g->wraps |= (uint32_t)(memcmp(sig, prime_less_order_bytes, CURVE_BYTES) < 0) << lane;
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

LANES_INLINE void load_rows(fe *out, uint64_t row[LANES][ROW]) {
	const uint64_t *rows[LANES];
	for (int l = 0; l < LANES; l++) {
		rows[l] = row[l];
	}
	fe_load(out, rows);
}

/* The keys of the lanes named, in Montgomery form; G in the others, and where a coordinate is not below p or the point not on the
 * curve. Returns the lanes that have their key. */
LANES_FUNCTION uint32_t load_keys(point *q, uint8_t (*key)[2 * CURVE_BYTES], uint32_t lanes) {
	uint64_t row[2][LANES][ROW];
	point generator;
	fe factor;
	memset(row, 0, sizeof row);
	for (uint32_t l = 0; l < LANES; l++) {
		if ((lanes >> l & 1) == 0 || memcmp(key[l], prime_bytes, CURVE_BYTES) >= 0 ||
		    memcmp(key[l] + CURVE_BYTES, prime_bytes, CURVE_BYTES) >= 0) {
			lanes &= ~(1u << l);
			continue;
		}
		parse(row[0][l], key[l]);
		parse(row[1][l], key[l] + CURVE_BYTES);
	}
	fe_set(&factor, prime_r2);
	load_rows(&q->x, row[0]);
	fe_mul(&q->x, &q->x, &factor);
	load_rows(&q->y, row[1]);
	fe_mul(&q->y, &q->y, &factor);
	lanes &= on_curve_lanes(q);
	load_generator(&generator);
	fe_pick(&q->x, v_mask(lanes), &q->x, &generator.x);
	fe_pick(&q->y, v_mask(lanes), &q->y, &generator.y);
	return lanes;
}

/* Loads what take_job has parsed for the first lanes; s comes out in Montgomery form modulo n, and 1 where no job is. */
LANES_FUNCTION void load_numbers(group *g, fe *s, numbers *n, uint32_t filled) {
	fe factor;
	for (uint32_t l = filled; l < LANES; l++) {
		n->row[S][l][0] = 1;
	}
	load_rows(&g->r, n->row[R]);
	load_rows(&g->e, n->row[E]);
	load_rows(s, n->row[S]);
	fe_set(&factor, order_r2);
	sc_mul(s, s, &factor);
}

/* u1 = e w and u2 = r w in each lane, plain. They may exceed n, which changes nothing. */
LANES_FUNCTION void scalars(uint64_t (*u1)[ROW], uint64_t (*u2)[ROW], const group *g, const fe *w) {
	uint64_t *rows[LANES];
	fe u;
	for (int i = 0; i < 2; i++) {
		for (int l = 0; l < LANES; l++) {
			rows[l] = i == 0 ? u1[l] : u2[l];
		}
		sc_mul(&u, i == 0 ? &g->e : &g->r, w);
		fe_store(&u, rows);
	}
}

/* Lanes in which x / z^2 = r modulo n: x = r z^2, or x = (r + n) z^2 where r + n < p. No inversion. */
LANES_FUNCTION uint32_t matching_lanes(const jacobian *p, const fe *r, uint32_t wraps) {
	fe zz, minus_x, factor, candidate, t;
	uint32_t out = 0;
	fe_sqr(&zz, &p->z);
	fe_negate(&minus_x, &p->x);
	fe_set(&factor, prime_r2);
	fe_mul(&zz, &zz, &factor);  /* for candidates that are plain */
	fe_mul_add(&t, r, &zz, v_mask(0), &minus_x);
	out |= fe_zero_lanes(&t);
	if (wraps != 0) {
		fe_set(&t, order);
		fe_add(&candidate, r, &t);
		fe_settle(&candidate);
		fe_mul_add(&t, &candidate, &zz, v_mask(0), &minus_x);
		out |= fe_zero_lanes(&t) & wraps;
	}
	return out;
}

/* Steps 5 to 7: the sum held against r. */
LANES_FUNCTION void judge_group(const group *g, const jacobian *sum) {
	const uint32_t known = ~fe_zero_lanes(&sum->z);
	const uint32_t valid = matching_lanes(sum, &g->r, g->wraps) & known;
	for (uint32_t l = 0; l < LANES; l++) {
		if ((g->good >> l & 1) != 0 && (known >> l & 1) == 0) {
			att_engine_portable.run(g->job[l], 1, NULL);
		} else if ((g->good & valid) >> l & 1) {
			g->job[l]->outcome = ATT_SIG_VALID;
		}
	}
}

/* ---- any keys ------------------------------------------------------------------------------------------------------------ */

/* Steps 1 and 2 for up to LANES jobs from *next on; those that fail are left as they are, INVALID. Lanes without a good key
 * get G. */
LANES_FUNCTION void fill(group *g, fe *s, att_sig_job *const *jobs, uint32_t *next, uint32_t num) {
	numbers n;
	uint32_t filled = 0;
	memset(&n, 0, sizeof n);
	g->wraps = 0;
	while (filled < LANES && *next < num) {
		filled += take_job(&n, g, filled, jobs[(*next)++]) ? 1 : 0;
	}
	load_numbers(g, s, &n, filled);
	g->good = load_keys(&g->q, g->key, (1u << filled) - 1);
}

/* Steps 3 to 7, with w = 1/s in Montgomery form. */
LANES_FUNCTION void verify_group(const group *g, const fe *w) {
	uint64_t u1[LANES][ROW], u2[LANES][ROW];
	digits d;
	q_table table;
	running sum;
	if (g->good == 0) {
		return;
	}
	scalars(u1, u2, g, w);
	for (int l = 0; l < LANES; l++) {
		take_digits(&d, l, u1[l], u2[l]);
	}
	multiples(&table, &g->q);
	sum_of(&sum, &d, &table);
	judge_group(g, &sum.p);
}

static void expect_invalid(att_sig_job *const *jobs, uint32_t num) {
	for (uint32_t i = 0; i < num; i++) {
		jobs[i]->outcome = ATT_SIG_INVALID;
	}
}

LANES_FUNCTION void verify_any(att_sig_job *const *jobs, uint32_t num) {
	group groups[GROUPS];
	fe s[GROUPS], scratch[GROUPS];
	uint32_t used = 0, next = 0;
	expect_invalid(jobs, num);
	while (next < num) {
		fill(&groups[used], &s[used], jobs, &next, num);
		used++;
	}
	if (used == 0) {
		return;
	}
	invert_all(s, used, scratch, &modulo_order);
	for (uint32_t i = 0; i < used; i++) {
		verify_group(&groups[i], &s[i]);
	}
}

/* ---- known keys ---------------------------------------------------------------------------------------------------------- */

/* Combs of up to LANES keys, in memory of COMB_WORDS each; the keys' bytes do not change under us. Returns the lanes whose key is
 * a point of the curve: only their tables are such. */
LANES_FUNCTION uint32_t build_tables(const uint8_t *const *keys, void *const *tables, uint32_t num) {
	builder b = {{NULL}, Q_TEETH, Q_TABLES};
	uint8_t bytes[LANES][2 * CURVE_BYTES];
	point q;
	for (uint32_t l = 0; l < LANES; l++) {
		memcpy(bytes[l], keys[l < num ? l : 0], sizeof bytes[l]);
		b.table[l] = tables[l < num ? l : 0];  /* lanes without a key make the first one's table as well */
	}
	const uint32_t good = load_keys(&q, bytes, (1u << LANES) - 1);
	build_comb(&b, &q);
	return good & ((1u << num) - 1);
}

/* As fill. A job whose key is not the table's, which happens when its bytes were changed meanwhile, is portable's. */
LANES_FUNCTION void fill_known(group *g, fe *s, att_sig_job *const *jobs, const att_known_key *known, uint32_t *next,
                               uint32_t num) {
	numbers n;
	uint32_t filled = 0;
	memset(&n, 0, sizeof n);
	g->wraps = 0;
	for (; filled < LANES && *next < num; ++*next) {
		if (!take_job(&n, g, filled, jobs[*next])) {
			continue;
		}
		if (memcmp(g->key[filled], known[*next].key, 2 * CURVE_BYTES) != 0) {
			g->wraps &= ~(1u << filled);
			att_engine_portable.run(jobs[*next], 1, NULL);
			continue;
		}
		g->table[filled++] = known[*next].table;
	}
	g->good = (1u << filled) - 1;
	for (uint32_t l = filled; l < LANES; l++) {
		memset(n.row[R][l], 0, sizeof n.row[R][l]);
		memset(n.row[S][l], 0, sizeof n.row[S][l]);
		memset(n.row[E][l], 0, sizeof n.row[E][l]);
		g->table[l] = filled != 0 ? g->table[0] : NULL;
	}
	load_numbers(g, s, &n, filled);
}

LANES_FUNCTION void verify_known_group(const group *g, const fe *w) {
	uint64_t u1[LANES][ROW], u2[LANES][ROW];
	columns c;
	jacobian sum;
	if (g->good == 0) {
		return;
	}
	scalars(u1, u2, g, w);
	for (uint32_t l = 0; l < LANES; l++) {
		take_scalars(&c, l, u1[l], u2[l]);
	}
	comb_sum(&sum, &c, g->table);
	judge_group(g, &sum);
}

/* One job by all lanes: what is not done by lanes, scalars, is portable's work. */
LANES_FUNCTION void verify_alone(att_sig_job *job, const att_known_key *known) {
	uint8_t sig[2 * CURVE_BYTES], key[2 * CURVE_BYTES], scalar[2][CURVE_BYTES];
	uint64_t row[2][ROW];
	columns c;
	jacobian sum;
	fe r;
	job->outcome = ATT_SIG_INVALID;
	if (!read_job(sig, key, job)) {
		return;
	}
	scalar_code->scalars(scalar[0], scalar[1], sig, job->digest);
	parse(row[0], scalar[0]);
	parse(row[1], scalar[1]);
	take_scalars(&c, 0, row[0], row[1]);
	spread_sum(&sum, &c, known->table);
	if (fe_zero_lanes(&sum.z) != 0 || memcmp(key, known->key, sizeof key) != 0) {
		att_engine_portable.run(job, 1, NULL);
		return;
	}
	parse(row[0], sig);
	broadcast(&r, row[0]);
	const uint32_t wraps = memcmp(sig, prime_less_order_bytes, CURVE_BYTES) < 0 ? (1u << LANES) - 1 : 0;
	job->outcome = (matching_lanes(&sum, &r, wraps) & 1) != 0 ? ATT_SIG_VALID : ATT_SIG_INVALID;
}

/* Whole groups, and what is left over one by one where that is faster than a group with empty lanes. */
LANES_FUNCTION void verify_known(att_sig_job *const *jobs, const att_known_key *known, uint32_t num) {
	group groups[GROUPS];
	fe s[GROUPS], scratch[GROUPS];
	const uint32_t rest = num % LANES, in_groups = rest <= ALONE_UP_TO ? num - rest : num;
	uint32_t used = 0, next = 0;
	expect_invalid(jobs, num);
	while (next < in_groups) {
		fill_known(&groups[used], &s[used], jobs, known, &next, in_groups);
		used++;
	}
	if (used != 0) {
		invert_all(s, used, scratch, &modulo_order);
	}
	for (uint32_t i = 0; i < used; i++) {
		verify_known_group(&groups[i], &s[i]);
	}
	for (uint32_t i = in_groups; i < num; i++) {
		verify_alone(jobs[i], &known[i]);
	}
}
