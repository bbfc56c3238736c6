/* SPDX-License-Identifier: Apache-2.0
 *
 * lanes_rsa_hook.c: lets tests/core/test_lanes_rsa.py call the static functions of RSA in one engine with lanes: built with
 * -DHOOK_SOURCE="\"lanes_rsa_ifma8.c\"" or the other file, natively or with -DATT_LANES_EMULATED, into a library of its own, never
 * into the module. A number crosses as LANES rows of limbs. Engine portable is one that only leaves its mark, so that a test sees
 * which jobs were handed to it. */
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

static moduli current;

HOOK static void in(number *a, const uint64_t *limbs) {
	for (uint32_t l = 0; l < LANES; l++) {
		for (uint32_t i = 0; i < TILE * current.tiles; i++) {
			set_limb(&a->v[i], l, limbs[l * TILE * current.tiles + i]);
		}
	}
}

HOOK static void out(uint64_t *limbs, const number *a) {
	for (uint32_t l = 0; l < LANES; l++) {
		for (uint32_t i = 0; i < TILE * current.tiles; i++) {
			limbs[l * TILE * current.tiles + i] = get_limb(&a->v[i], l);
		}
	}
}

uint32_t hook_lanes(void) { return LANES; }
uint32_t hook_limb_bits(void) { return LIMB_BITS; }
uint32_t hook_worth(void) { return LANES_RSA_WORTH; }
uint32_t hook_tiles_for(uint32_t bytes) { return TILES_FOR(bytes); }
uint32_t hook_group_bytes(void) { return (uint32_t)(sizeof(group) + sizeof(kept) + 6 * sizeof(number)); }

/* Moduli by their limbs, so that those are tried as well that no number of bytes gives. */
HOOK void hook_moduli_of_limbs(uint32_t tiles, const uint64_t *n) {
	current.tiles = tiles;
	in(&current.n, n);
	for (uint32_t l = 0; l < LANES; l++) {
		set_limb(&current.inverse, l, minus_inverse(get_limb(&current.n.v[0], l)));
	}
}

/* The way jobs go: LANES moduli of lens[l] bytes, each in a cell of 512. */
HOOK void hook_moduli_of_bytes(uint32_t tiles, const uint8_t *cells, const uint32_t *lens, uint64_t *n, uint64_t *r2) {
	static modulus all[LANES];
	for (uint32_t l = 0; l < LANES; l++) {
		all[l].len = lens[l];
		memcpy(all[l].byte, cells + l * ATT_RSA_MAX_BYTES, lens[l]);
	}
	memset(&current, 0xa5, sizeof current);
	current.tiles = tiles;
	find_moduli(&current, all);
	out(n, &current.n);
	out(r2, &current.r2);
}

HOOK void hook_arrange(const uint32_t *from, uint64_t *n, uint64_t *r2, uint64_t *inverse) {
	static moduli arranged;
	arrange(&arranged, &current, from);
	out(n, &arranged.n);
	out(r2, &arranged.r2);
	for (uint32_t l = 0; l < LANES; l++) {
		inverse[l] = get_limb(&arranged.inverse, l);
	}
}

/* In place of a, of b, or of neither: the result is the same. */
HOOK void hook_multiply(int place, const uint64_t *a_, const uint64_t *b_, uint64_t *result) {
	number a, b, r;
	in(&a, a_), in(&b, b_);
	number *const places[] = {&r, &a, &b};
	multiply(places[place], &a, &b, &current);
	out(result, places[place]);
}

HOOK void hook_square(const uint64_t *a_, uint64_t *result) {
	number a;
	in(&a, a_);
	square(&a, &current);
	out(result, &a);
}

HOOK void hook_subtract_once(const uint64_t *a_, const uint64_t *b_, uint64_t *result) {
	number a, b;
	in(&a, a_), in(&b, b_);
	subtract_once(&a, &b, current.tiles);
	out(result, &a);
}

HOOK void hook_twice(const uint64_t *a_, uint64_t *result) {
	number a;
	in(&a, a_);
	twice(&a, current.tiles);
	out(result, &a);
}

HOOK void hook_raise(const uint64_t *a_, const uint32_t *exponents, uint64_t *result) {
	number a;
	in(&a, a_);
	raise(&a, exponents, &current);
	out(result, &a);
}

/* Bytes to one lane, shifted, and a lane to bytes; the other lanes are left alone. */
HOOK void hook_lane_of_bytes(uint32_t lane, const uint8_t *bytes, uint32_t len, uint32_t shift, uint64_t *limbs) {
	number a;
	padded from;
	in(&a, limbs);
	pad(&from, bytes, len);
	set_lane(&a, lane, current.tiles, &from, shift);
	out(limbs, &a);
}

HOOK void hook_bytes_of_lane(uint32_t lane, const uint64_t *limbs, uint8_t *bytes, uint32_t len) {
	number a;
	in(&a, limbs);
	get_lane(bytes, len, &a, lane, current.tiles);
}

/* Jobs as the engine gets them; the outcome is 77 for those that were handed to portable. */
void hook_verify(att_sig_job *jobs, uint64_t num_jobs) { verify_rsa(jobs, num_jobs); }
