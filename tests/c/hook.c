/* SPDX-License-Identifier: Apache-2.0
 *
 * hook.c: lets tests/core/test_curve_arithmetic.py call the static functions of one curve: built with -DHOOK_CURVE=256 or 384 into a
 * library of its own, never into the module. Elements cross as limbs, widened to 64 bits; scalars as big-endian bytes. */
#if HOOK_CURVE == 256
#include "ec_p256.c"
#else
#include "ec_p384.c"
#endif

static fe in(const int64_t *limbs) {
	fe out;
	for (int i = 0; i < NL; i++) {
		out.v[i] = (att_limb)limbs[i];
	}
	return out;
}

static void out(int64_t *limbs, const fe *a) {
	for (int i = 0; i < NL; i++) {
		limbs[i] = a->v[i];
	}
}

int hook_limb_bits(void) { return B; }
int hook_limbs(void) { return NL; }
int hook_bytes(void) { return CURVE_BYTES; }

void hook_constant(int which, int64_t *result) {
	const fe *const all[] = {&plain_one,   &prime,       &order,  &prime_r2, &order_r2, &mont_one,
	                         &mont_b, &generator_x, &generator_y};
	out(result, all[which]);
}

const uint8_t *hook_prime_bytes(void) { return prime_bytes; }
const uint8_t *hook_order_bytes(void) { return order_bytes; }

/* All six products; the operands they do not have are not looked at. */
void hook_product(int which, const int64_t *a_, const int64_t *b_, const int64_t *c_, const int64_t *d_, int64_t *result) {
	const fe a = in(a_), b = in(b_), c = in(c_), d = in(d_);
	fe r = {{0}};
	switch (which) {
	case 0:
		fe_mul(&r, &a, &b);
		break;
	case 1:
		fe_mul_add(&r, &a, &b, &c);
		break;
	case 2:
		fe_mul_sub_mul(&r, &a, &b, &c, &d);
		break;
	case 3:
		fe_sqr(&r, &a);
		break;
	case 4:
		fe_sqr_add(&r, &a, &c);
		break;
	case 5:
		fe_mul_sub_8sqr(&r, &a, &b, &c);
		break;
	case 6:
		sc_mul(&r, &a, &b);
		break;
	case 7:
		fe_plain(&r, &a);
		break;
	default:
		break;
	}
	out(result, &r);
}

int hook_is_zero(const int64_t *a_) {
	const fe a = in(a_);
	return fe_is_zero(&a);
}

/* 1/a modulo p, or n, for a settled below it. */
void hook_invert(int modulo_order, const int64_t *a_, int64_t *result) {
	const fe a = in(a_);
	fe r;
	invert(&r, &a, modulo_order != 0 ? &order : &prime, (att_ulimb)(modulo_order != 0 ? ORDER_INVERSE : PRIME_INVERSE) & MASK);
	out(result, &r);
}

/* Three elements each; q is made a table's entry, or taken as affine when its z is 0. */
void hook_double(int64_t *p_) {
	jacobian p = {in(p_), in(p_ + NL), in(p_ + 2 * NL)};
	double_point(&p);
	out(p_, &p.x), out(p_ + NL, &p.y), out(p_ + 2 * NL, &p.z);
}

void hook_add(int64_t *p_, const int64_t *q_, int affine, int negate) {
	jacobian p = {in(p_), in(p_ + NL), in(p_ + 2 * NL)};
	const jacobian q = {in(q_), in(q_ + NL), in(q_ + 2 * NL)};
	if (affine != 0) {
		const point entry = {q.x, q.y};
		add_point(&p, &entry, negate != 0);
	} else {
		cached entry;
		to_cached(&entry, &q);
		add_cached(&p, &entry, negate != 0);
	}
	out(p_, &p.x), out(p_ + NL, &p.y), out(p_ + 2 * NL, &p.z);
}

static bits scalar(const uint8_t *big_endian) {
	fe u;
	fe_load(&u, big_endian);
	return scalar_bits(&u);
}

void hook_naf(const uint8_t *big_endian, int width, int8_t *digits) {
	const bits b = scalar(big_endian);
	naf(digits, &b, width);
}

/* u1 G + u2 Q by one of the two ways; what the way says of its own result. */
int hook_sum(int checked, const uint8_t *u1_, const uint8_t *u2_, const uint8_t *key, int64_t *p_) {
	static bool ready;
	const bits u1 = scalar(u1_), u2 = scalar(u2_);
	cached table[Q_TABLE];
	jacobian sum;
	point q;
	bool right;
	if (!ready) {
		init_table();
		ready = true;
	}
	if (!load_key(&q, key)) {
		return -1;
	}
	memset(&sum, 0, sizeof sum);
	if (checked != 0) {
		right = sum_checked(&sum, &u1, &u2, &q);
	} else {
		odd_multiples(table, &q);
		right = sum_fast(&sum, &u1, &u2, table);
	}
	out(p_, &sum.x), out(p_ + NL, &sum.y), out(p_ + 2 * NL, &sum.z);
	return right ? 1 : 0;
}

/* Says to the compiler that the curve as a whole is used. */
const att_ec_curve *hook_curve(void) {
#if HOOK_CURVE == 256
	return &att_ec_p256;
#else
	return &att_ec_p384;
#endif
}
