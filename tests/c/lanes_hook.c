/* SPDX-License-Identifier: Apache-2.0
 *
 * lanes_hook.c: lets tests/core/test_lanes.py call the static functions of one curve in one engine with lanes: built with
 * -DHOOK_SOURCE="\"lanes_p384_ifma8.c\"" or another of these files, natively or with -DATT_LANES_EMULATED, into a library of its
 * own, never into the module. An element crosses as LANES rows of NL limbs. Engine portable is one that only leaves its mark, so
 * that a test sees which jobs were handed to it; its arithmetic on scalars (ec_p*.c) is the real one. */
#include HOOK_SOURCE

static bool any_cpu(void) { return true; }

static void leave_mark(att_sig_job *jobs, uint64_t num_jobs, att_key_tables *tables) {
	(void)tables;
	for (uint64_t i = 0; i < num_jobs; i++) {
		jobs[i].outcome = 77;
	}
}

const att_sig_engine att_engine_portable = {"mark", 1, any_cpu, leave_mark};

#define HOOK LANES_TARGET

HOOK static void in(fe *a, const uint64_t *limbs) {
	uint64_t rows[LANES][ROW];
	const uint64_t *at[LANES];
	memset(rows, 0, sizeof rows);
	for (int l = 0; l < LANES; l++) {
		memcpy(rows[l], limbs + l * NL, NL * sizeof *limbs);
		at[l] = rows[l];
	}
	fe_load(a, at);
}

HOOK static void out(uint64_t *limbs, const fe *a) {
	uint64_t rows[LANES][ROW];
	uint64_t *at[LANES];
	for (int l = 0; l < LANES; l++) {
		at[l] = rows[l];
	}
	fe_store(a, at);
	for (int l = 0; l < LANES; l++) {
		memcpy(limbs + l * NL, rows[l], NL * sizeof *limbs);
	}
}

int hook_lanes(void) { return LANES; }
int hook_limbs(void) { return NL; }
int hook_limb_bits(void) { return LIMB_BITS; }

HOOK void hook_constant(int which, uint64_t *result) {
	const uint64_t *const all[] = {prime, order, prime_r2, order_r2, mont_one, mont_b, generator_x, generator_y};
	fe a;
	fe_set(&a, all[which]);
	out(result, &a);
}

const uint8_t *hook_bytes(int which) {
	const uint8_t *const all[] = {prime_bytes, order_bytes, prime_less_order_bytes};
	return all[which];
}

/* Every product; the operands it does not have are not looked at. */
HOOK void hook_product(int which, const uint64_t *a_, const uint64_t *b_, const uint64_t *c_, const uint64_t *d_, uint32_t negate,
                       uint64_t *result) {
	fe a, b, c, d, r;
	in(&a, a_), in(&b, b_), in(&c, c_), in(&d, d_);
	fe_set(&r, mont_one);
	switch (which) {
	case 0:
		fe_mul(&r, &a, &b);
		break;
	case 1:
		fe_sqr(&r, &a);
		break;
	case 2:
		fe_sqr_add(&r, &a, &c);
		break;
	case 3:
		fe_mul_add(&r, &a, &b, v_mask(negate), &c);
		break;
	case 4:
		fe_mul_sub_mul(&r, &a, &b, &c, &d);
		break;
	case 5:
		fe_mul_sub_8sqr(&r, &a, &b, &c);
		break;
	case 6:
		sc_mul(&r, &a, &b);
		break;
	case 7:
		r = a;
		fe_settle(&r);
		break;
	default:
		break;
	}
	out(result, &r);
}

HOOK uint32_t hook_zero_lanes(const uint64_t *a_) {
	fe a;
	in(&a, a_);
	return fe_zero_lanes(&a);
}

HOOK uint32_t hook_on_curve_lanes(const uint64_t *x, const uint64_t *y) {
	point q;
	in(&q.x, x), in(&q.y, y);
	return on_curve_lanes(&q);
}

/* p is x, y, z, one after the other. */
HOOK static void in_jacobian(jacobian *p, const uint64_t *limbs) {
	in(&p->x, limbs), in(&p->y, limbs + LANES * NL), in(&p->z, limbs + 2 * LANES * NL);
}

HOOK static void out_jacobian(uint64_t *limbs, const jacobian *p) {
	out(limbs, &p->x), out(limbs + LANES * NL, &p->y), out(limbs + 2 * LANES * NL, &p->z);
}

HOOK void hook_double(uint64_t *p_) {
	jacobian p;
	in_jacobian(&p, p_);
	double_point(&p);
	out_jacobian(p_, &p);
}

/* q is made a table's entry, or its x and y taken as affine. */
HOOK void hook_add(uint64_t *p_, const uint64_t *q_, int affine, uint32_t negate) {
	jacobian p, q;
	in_jacobian(&p, p_), in_jacobian(&q, q_);
	if (affine != 0) {
		const point entry = {q.x, q.y};
		add_point(&p, &p, &entry, v_mask(negate));
	} else {
		cached entry;
		to_cached(&entry, &q);
		add_cached(&p, &p, &entry, v_mask(negate));
	}
	out_jacobian(p_, &p);
}

int hook_digit_count(int width) { return DIGITS(width); }

void hook_recode(const uint64_t *limbs, int width, int16_t *digit) {
	uint64_t row[ROW] = {0};
	int16_t lanes[DIGITS(2) * LANES];
	memcpy(row, limbs, NL * sizeof *limbs);
	recode(lanes, row, (uint32_t)width, DIGITS(width));
	for (int i = 0; i < DIGITS(width); i++) {
		digit[i] = lanes[i * LANES];
	}
}

/* The shape of a comb, the generator's or that of a key. */
int hook_comb_shape(int of_generator, int what) {
	const int all[2][3] = {{Q_TEETH, Q_TABLES, COMB_CHAIN}, {G_TEETH, G_TABLES, COMB_CHAIN}};
	return all[of_generator][what];
}

/* Entries of a table as limbs, x and y of each. */
HOOK static void out_entries(uint64_t *result, const uint64_t *table, int num) {
	for (int e = 0; e < 2 * num; e++) {
		const uint64_t *rows[LANES];
		uint64_t limbs[LANES * NL];
		fe a;
		for (int l = 0; l < LANES; l++) {
			rows[l] = table + e * ENTRY_ROW;
		}
		entry_load(&a, rows);
		out(limbs, &a);
		memcpy(result + e * NL, limbs, NL * sizeof *limbs);
	}
}

HOOK void hook_generator_comb(uint64_t *result) {
	init_combs();
	out_entries(result, g_comb, COMB_ENTRIES(G_TEETH, G_TABLES));
}

/* Combs of num keys, side by side; which of them were made. Those that are not leave nothing of use. */
HOOK uint32_t hook_key_combs(const uint8_t *keys, uint32_t num, uint64_t *result) {
	static _Alignas(64) uint64_t memory[LANES][COMB_WORDS(Q_TEETH, Q_TABLES)];
	const uint8_t *key[LANES] = {NULL};
	void *table[LANES] = {NULL};
	for (uint32_t l = 0; l < num; l++) {
		key[l] = keys + l * 2 * CURVE_BYTES;
		table[l] = memory[l];
	}
	const uint32_t made = build_tables(key, table, num);
	for (uint32_t l = 0; l < num; l++) {
		out_entries(result + l * 2 * NL * COMB_ENTRIES(Q_TEETH, Q_TABLES), memory[l], COMB_ENTRIES(Q_TEETH, Q_TABLES));
	}
	return made;
}

/* The entries, COMB_NEGATIVE with them, of all columns of all sub-tables. */
void hook_columns(int of_generator, const uint64_t *limbs, uint16_t *result) {
	const uint32_t tables = of_generator != 0 ? G_TABLES : Q_TABLES;
	uint64_t row[ROW] = {0};
	memcpy(row, limbs, NL * sizeof *limbs);
	make_odd(row);
	for (uint32_t m = 0; m < tables; m++) {
		take_columns(result + m * COMB_CHAIN, 1, row, of_generator != 0 ? G_TEETH : Q_TEETH, tables, m);
	}
}

HOOK static void scalar_rows(uint64_t (*row)[ROW], const uint64_t *limbs) {
	memset(row, 0, LANES * sizeof *row);
	for (int l = 0; l < LANES; l++) {
		memcpy(row[l], limbs + l * NL, NL * sizeof *limbs);
	}
}

/* u1 G + u2 Q of plain scalars and a key in Montgomery form; the lanes whose sum stands for a point. */
HOOK uint32_t hook_sum(const uint64_t *u1_, const uint64_t *u2_, const uint64_t *x, const uint64_t *y, uint64_t *p_) {
	uint64_t u1[LANES][ROW], u2[LANES][ROW];
	digits d;
	q_table table;
	running sum;
	point q;
	in(&q.x, x), in(&q.y, y);
	scalar_rows(u1, u1_), scalar_rows(u2, u2_);
	for (int l = 0; l < LANES; l++) {
		take_digits(&d, l, u1[l], u2[l]);
	}
	multiples(&table, &q);
	sum_of(&sum, &d, &table);
	out_jacobian(p_, &sum.p);
	return ~fe_zero_lanes(&sum.p.z) & ((1u << LANES) - 1);
}

/* The same by combs: of all lanes, or of lane 0 spread over all. */
HOOK uint32_t hook_comb_sum(const uint64_t *u1_, const uint64_t *u2_, const uint64_t *x, const uint64_t *y, int spread, uint64_t *p_) {
	static _Alignas(64) uint64_t memory[LANES][COMB_WORDS(Q_TEETH, Q_TABLES)];
	const uint64_t *table[LANES];
	uint64_t u1[LANES][ROW], u2[LANES][ROW];
	builder b = {{NULL}, Q_TEETH, Q_TABLES};
	columns c;
	jacobian sum;
	point q;
	in(&q.x, x), in(&q.y, y);
	scalar_rows(u1, u1_), scalar_rows(u2, u2_);
	for (int l = 0; l < LANES; l++) {
		table[l] = b.table[l] = memory[l];
		take_scalars(&c, (uint32_t)l, u1[l], u2[l]);
	}
	build_comb(&b, &q);
	if (spread != 0) {
		spread_sum(&sum, &c, memory[0]);
	} else {
		comb_sum(&sum, &c, table);
	}
	out_jacobian(p_, &sum);
	return ~fe_zero_lanes(&sum.z) & ((1u << LANES) - 1);
}

/* 1/a in every lane, of plain numbers below the modulus: they cross the form of Montgomery and back. */
HOOK void hook_invert(int modulo_n, const uint64_t *a_, uint64_t *result) {
	const modulus *m = modulo_n != 0 ? &modulo_order : &modulo_prime;
	static const uint64_t one[ROW] = {1};
	fe a, r2, plain;
	in(&a, a_);
	fe_set(&r2, m->r2);
	broadcast(&plain, one);
	m->mul(&a, &a, &r2);
	invert(&a, &a, m);
	m->mul(&a, &a, &plain);
	out(result, &a);
}

/* Outcomes of num jobs, key || digest || signature each; 77 for those that were handed to portable. how: 0 any keys; 1 by a table of
 * each job's own key, or said to be of another key (all zeros) where its own is not on the curve; 2 the same, one by one. */
HOOK void hook_verify(const uint8_t *columns_, uint32_t num, int how, uint8_t *outcomes) {
	static _Alignas(64) uint64_t memory[ATT_LANES_CHUNK][COMB_WORDS(Q_TEETH, Q_TABLES)];
	static const uint8_t no_key[2 * CURVE_BYTES];
	att_sig_job jobs[ATT_LANES_CHUNK];
	att_sig_job *at[ATT_LANES_CHUNK] = {NULL};
	att_known_key known[ATT_LANES_CHUNK] = {{NULL, NULL}};
	memset(jobs, 0, sizeof jobs);
	for (uint32_t i = 0; i < num; i++) {
		const uint8_t *row = columns_ + i * 5 * CURVE_BYTES;
		void *table = memory[i];
		jobs[i].algorithm = CURVE_BYTES == 32 ? ATT_ECDSA_P256 : ATT_ECDSA_P384;
		jobs[i].key = row;
		jobs[i].key_len = jobs[i].sig_len = 2 * CURVE_BYTES;
		jobs[i].digest_len = CURVE_BYTES;
		memcpy(jobs[i].digest, row + 2 * CURVE_BYTES, CURVE_BYTES);
		jobs[i].sig = row + 3 * CURVE_BYTES;
		at[i] = &jobs[i];
		known[i].key = row;
		known[i].table = table;
		if (how != 0 && build_tables(&row, &table, 1) == 0) {
			known[i].key = no_key;
		}
	}
	if (how == 0) {
		verify_any(at, num);
	} else if (how == 1) {
		verify_known(at, known, num);
	}
	for (uint32_t i = 0; i < num; i++) {
		if (how == 2) {
			verify_alone(at[i], &known[i]);
		}
		outcomes[i] = jobs[i].outcome;
	}
}
