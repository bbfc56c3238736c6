/* SPDX-License-Identifier: Apache-2.0
 *
 * lanes_hook.c: lets tests/core/test_lanes.py call the static functions of one curve in one engine with lanes: built with
 * -DHOOK_SOURCE="\"lanes_p384_ifma8.c\"" or another of these files, natively or with -DATT_LANES_EMULATED, into a library of its
 * own, never into the module. An element crosses as LANES rows of NL limbs. Engine portable is one that only leaves its mark, so
 * that a test sees which jobs were handed to it. */
#include HOOK_SOURCE

static bool any_cpu(void) { return true; }

static void leave_mark(att_sig_job *jobs, uint64_t num_jobs) {
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

HOOK void hook_generator_table(uint64_t *result) {
	build_generator_table();
	for (int k = 0; k < G_TABLE; k++) {
		memcpy(result + 2 * NL * k, g_table[k][0], NL * sizeof *result);
		memcpy(result + 2 * NL * k + NL, g_table[k][1], NL * sizeof *result);
	}
}

int hook_generator_entries(void) { return G_TABLE; }

/* u1 G + u2 Q of plain scalars and a key in Montgomery form; the lanes whose sum stands for a point. */
HOOK uint32_t hook_sum(const uint64_t *u1, const uint64_t *u2, const uint64_t *x, const uint64_t *y, uint64_t *p_) {
	digits d;
	q_table table;
	running sum;
	point q;
	in(&q.x, x), in(&q.y, y);
	for (int l = 0; l < LANES; l++) {
		uint64_t row[2][ROW] = {{0}};
		memcpy(row[0], u1 + l * NL, NL * sizeof *u1);
		memcpy(row[1], u2 + l * NL, NL * sizeof *u2);
		recode(&d.g[0][l], row[0], G_WIDTH, DIGITS(G_WIDTH));
		recode(&d.q[0][l], row[1], Q_WIDTH, DIGITS(Q_WIDTH));
	}
	multiples(&table, &q);
	sum_of(&sum, &d, &table);
	out_jacobian(p_, &sum.p);
	return ~fe_zero_lanes(&sum.p.z) & ((1u << LANES) - 1);
}

/* Outcomes of num jobs, key || digest || signature each; 77 for those that were handed to portable. */
void hook_verify(const uint8_t *columns, uint32_t num, uint8_t *outcomes) {
	att_sig_job jobs[ATT_LANES_CHUNK];
	att_sig_job *at[ATT_LANES_CHUNK] = {NULL};
	memset(jobs, 0, sizeof jobs);
	for (uint32_t i = 0; i < num; i++) {
		const uint8_t *row = columns + i * 5 * CURVE_BYTES;
		jobs[i].algorithm = CURVE_BYTES == 32 ? ATT_ECDSA_P256 : ATT_ECDSA_P384;
		jobs[i].key = row;
		jobs[i].key_len = jobs[i].sig_len = 2 * CURVE_BYTES;
		jobs[i].digest_len = CURVE_BYTES;
		memcpy(jobs[i].digest, row + 2 * CURVE_BYTES, CURVE_BYTES);
		jobs[i].sig = row + 3 * CURVE_BYTES;
		at[i] = &jobs[i];
	}
	curve_verify(at, num);
	for (uint32_t i = 0; i < num; i++) {
		outcomes[i] = jobs[i].outcome;
	}
}
