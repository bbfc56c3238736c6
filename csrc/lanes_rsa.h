/* SPDX-License-Identifier: Apache-2.0
 *
 * lanes_rsa.h: the RSA public operation (RFC 8017, 5.2.2), one signature a lane: any odd moduli of 256 to 512 bytes, any odd
 * exponents of at least 3. Included by lanes_rsa_*.c after a lanes_ops_*.h, LIMB_BITS, LANES_RSA_WORTH and the two products
 * tile_add and squares_add; everything here is static, every statement holds in each lane, and no operation crosses lanes. Public
 * data only, variable time; never to be used to sign.
 *
 * A number is tiles of four limbs of LIMB_BITS bits, least significant first, as many as hold 4 n; the jobs of a group have the
 * same number of tiles. R = 2^(LIMB_BITS limbs) > 4 n. Montgomery's product of a and b is (a b + q n) / R with q < R, so it is
 * below a b / R + n:
 *   a, b < 2 n        below 4 n^2 / R + n < 2 n: nothing has to be subtracted between products
 *   a < n, b < R      below 2 n: the way in, with R^2 modulo n not reduced to the end
 *   a = b < R / 2     below R / 4 + R / 4: the squares on the way to R^2
 *   a < 2 n, b < n    below n + 2 n^2 / R < 2 n: the way out, after which one subtraction is enough
 *
 * Columns are summed tile by tile: a tile of a and one of b meet in eight neighbouring columns, which stay in registers while all
 * pairs of tiles of one weight go by. Why no column overflows stands with the products. */
#include <stdbool.h>
#include <string.h>

#include "lanes.h"
#include "rsa.h"

#define TILE 4
#define LIMB_MASK (((uint64_t)1 << LIMB_BITS) - 1)
#define TILE_BITS (TILE * LIMB_BITS)
#define TILES_FOR(bytes) ((8u * (bytes) + 2 + TILE_BITS - 1) / TILE_BITS)
#define MAX_TILES TILES_FOR(ATT_RSA_MAX_BYTES)
#define MAX_LIMBS (TILE * MAX_TILES)

/* A number in each lane. */
typedef struct {
	vec v[MAX_LIMBS];
} number;

/* Moduli made ready: R^2 below R. Every lane has one, if need be that of another lane. */
typedef struct {
	uint32_t tiles;
	vec inverse;  /* -1/n modulo 2^LIMB_BITS */
	number n, r2;
} moduli;

/* ---- products ------------------------------------------------------------------------------------------------------------ */

/* Column by column makes the quotient digit that lets the column vanish, and carries. */
LANES_INLINE void reduce_tile(vec *c, vec *carry, vec *q, const moduli *m) {
	LANES_UNROLL
	for (int j = 0; j < TILE; j++) {
		c[j] = v_add(c[j], *carry);
		q[j] = quotient(c[j], m->inverse);
		row_add(c + j, q[j], m->n.v);
		*carry = v_shr(c[j], LIMB_BITS);
	}
}

LANES_INLINE void carry_tile(vec *out, const vec *c, vec *carry) {
	LANES_UNROLL
	for (int j = 0; j < TILE; j++) {
		const vec sum = v_add(c[j], *carry);
		out[j] = v_and(sum, v_set(LIMB_MASK));
		*carry = v_shr(sum, LIMB_BITS);
	}
}

/* Columns of tile k of a b, on top of what c holds. */
LANES_INLINE void product_tile(vec *c, const vec *a, const vec *b, uint32_t first, uint32_t end, uint32_t k) {
	for (uint32_t i = first; i < end; i++) {
		tile_add(c, a + TILE * i, b + TILE * (k - i));
	}
}

/* The same of a^2: products of different tiles, and of different limbs of one, once and doubled. */
LANES_INLINE void square_tile(vec *c, const vec *a, uint32_t first, uint32_t k) {
	product_tile(c, a, a, first, (k + 1) / 2, k);
	if (k % 2 == 0) {
		pairs_add(c, a + TILE * (k / 2));
	}
	LANES_UNROLL
	for (int i = 0; i < 2 * TILE; i++) {
		c[i] = v_add(c[i], c[i]);
	}
	if (k % 2 == 0) {
		squares_add(c, a + TILE * (k / 2));
	}
}

/* out = a b / R modulo n, within the bounds above; b NULL: a^2 / R. Out may be a or b: tile i is written when all tiles up to i
 * were read for the last time. */
LANES_INLINE void product(vec *out, const vec *a, const vec *b, const moduli *m) {
	const uint32_t tiles = m->tiles;
	vec q[MAX_LIMBS], next[TILE], carry = v_set(0);
	LANES_UNROLL
	for (int i = 0; i < TILE; i++) {
		next[i] = v_set(0);
	}
	for (uint32_t k = 0; k < 2 * tiles - 1; k++) {
		const uint32_t first = k < tiles ? 0 : k - tiles + 1, end = k < tiles ? k : tiles;
		vec c[2 * TILE];
		LANES_UNROLL
		for (int i = 0; i < 2 * TILE; i++) {
			c[i] = v_set(0);
		}
		if (b == NULL) {
			square_tile(c, a, first, k);
		} else {
			product_tile(c, a, b, first, k < tiles ? k + 1 : tiles, k);
		}
		LANES_UNROLL
		for (int i = 0; i < TILE; i++) {
			c[i] = v_add(c[i], next[i]);
		}
		product_tile(c, q, m->n.v, first, end, k);
		if (k < tiles) {
			reduce_tile(c, &carry, q + TILE * k, m);
		} else {
			carry_tile(out + TILE * (k - tiles), c, &carry);
		}
		LANES_UNROLL
		for (int i = 0; i < TILE; i++) {
			next[i] = c[TILE + i];
		}
	}
	carry_tile(out + TILE * (tiles - 1), next, &carry);
}

LANES_FUNCTION void multiply(number *out, const number *a, const number *b, const moduli *m) { product(out->v, a->v, b->v, m); }
LANES_FUNCTION void square(number *a, const moduli *m) { product(a->v, a->v, NULL, m); }

/* ---- numbers ------------------------------------------------------------------------------------------------------------- */

/* a - b where that is not negative; else a. */
LANES_FUNCTION void subtract_once(number *a, const number *b, uint32_t tiles) {
	number less;
	vec borrow = v_set(0);
	for (uint32_t i = 0; i < TILE * tiles; i++) {
		const vec t = v_sub(v_sub(a->v[i], b->v[i]), borrow);
		less.v[i] = v_and(t, v_set(LIMB_MASK));
		borrow = v_shr(t, 63);
	}
	const vmask fits = v_equal(borrow, v_set(0));
	for (uint32_t i = 0; i < TILE * tiles; i++) {
		a->v[i] = v_pick(fits, less.v[i], a->v[i]);
	}
}

LANES_FUNCTION void twice(number *a, uint32_t tiles) {
	vec carry = v_set(0);
	for (uint32_t i = 0; i < TILE * tiles; i++) {
		const vec t = v_add(v_add(a->v[i], a->v[i]), carry);
		a->v[i] = v_and(t, v_set(LIMB_MASK));
		carry = v_shr(t, LIMB_BITS);
	}
}

LANES_FUNCTION void set_power_of_two(number *out, uint32_t bit, uint32_t tiles) {
	for (uint32_t i = 0; i < TILE * tiles; i++) {
		out->v[i] = v_set(i == bit / LIMB_BITS ? (uint64_t)1 << bit % LIMB_BITS : 0);
	}
}

ATT_INLINE void set_limb(vec *v, uint32_t lane, uint64_t limb) {
	memcpy((uint8_t *)v + lane * sizeof limb, &limb, sizeof limb);
}

ATT_INLINE uint64_t get_limb(const vec *v, uint32_t lane) {
	uint64_t limb;
	memcpy(&limb, (const uint8_t *)v + lane * sizeof limb, sizeof limb);
	return limb;
}

/* Big-endian bytes with zeros on both sides, so that 64 bits can be read at any place that is asked for. */
#define PAD_LOW 32
#define PAD_HIGH 64

typedef struct {
	uint8_t byte[PAD_HIGH + ATT_RSA_MAX_BYTES + PAD_LOW];
} padded;

static void pad(padded *out, const uint8_t *big_endian, uint32_t len) {
	memset(out, 0, sizeof *out);
	memcpy(out->byte + PAD_HIGH + ATT_RSA_MAX_BYTES - len, big_endian, len);
}

ATT_INLINE uint64_t load_be64(const uint8_t *p) {
	uint64_t v = 0;
	for (int i = 0; i < 8; i++) {
		v = v << 8 | p[i];
	}
	return v;
}

ATT_INLINE void store_be64(uint8_t *p, uint64_t v) {
	for (int i = 0; i < 8; i++) {
		p[i] = (uint8_t)(v >> (56 - 8 * i));
	}
}

/* One lane of a number from bytes, shifted left by shift bits, at most 8 * PAD_LOW - 7. */
static void set_lane(number *out, uint32_t lane, uint32_t tiles, const padded *from, uint32_t shift) {
	const uint8_t *end = from->byte + sizeof from->byte - 8;
	for (uint32_t i = 0; i < TILE * tiles; i++) {
		const uint32_t bit = 8 * PAD_LOW + LIMB_BITS * i - shift;
		set_limb(&out->v[i], lane, load_be64(end - bit / 8) >> bit % 8 & LIMB_MASK);
	}
}

/* The way back, of a number below 2^(8 len). */
static void get_lane(uint8_t *big_endian, uint32_t len, const number *from, uint32_t lane, uint32_t tiles) {
	padded out;
	uint8_t *at = out.byte + sizeof out.byte - 8;
	uint64_t bits = 0;
	uint32_t have = 0;
	for (uint32_t i = 0; i < TILE * tiles; i++) {
		bits |= get_limb(&from->v[i], lane) << have;
		have += LIMB_BITS;
		store_be64(at, bits);
		at -= have / 8;
		bits >>= have / 8 * 8;
		have %= 8;
	}
	memcpy(big_endian, out.byte + sizeof out.byte - len, len);
}

/* ---- moduli -------------------------------------------------------------------------------------------------------------- */

#define R2_SQUARES 7

/* R^2 modulo n, below R. Doubling brings R / 4 = 2^(bits - 2) to 2^(bits + t) modulo shifted = n 2^s, which has one bit less than R
 * and thus is above R / 4: R 2^t, below R / 2. Seven squares make that R 2^(128 t), still below R / 2; t is such that this is R^2
 * 2^over with 0 <= over < 128, and a product with 2^(bits - over) takes that away and adds n at most: below R. */
LANES_FUNCTION void find_r2(moduli *m, const number *shifted) {
	const uint32_t bits = TILE_BITS * m->tiles;
	const uint32_t t = (bits + (1 << R2_SQUARES) - 1) >> R2_SQUARES, over = (t << R2_SQUARES) - bits;
	number power;
	set_power_of_two(&m->r2, bits - 2, m->tiles);
	for (uint32_t i = 0; i < t + 2; i++) {
		twice(&m->r2, m->tiles);
		subtract_once(&m->r2, shifted, m->tiles);
	}
	for (int i = 0; i < R2_SQUARES; i++) {
		square(&m->r2, m);
	}
	if (over != 0) {
		set_power_of_two(&power, bits - over, m->tiles);
		multiply(&m->r2, &m->r2, &power, m);
	}
}

/* Newton: an odd n is its own inverse modulo 8; each step doubles the bits that are right. */
static uint64_t minus_inverse(uint64_t n) {
	uint64_t inverse = n;
	for (int bits = 3; bits < LIMB_BITS; bits *= 2) {
		inverse *= 2 - n * inverse;
	}
	return (0 - inverse) & LIMB_MASK;
}

/* A modulus as its job has it. */
typedef struct {
	uint32_t len;
	uint8_t byte[ATT_RSA_MAX_BYTES];
} modulus;

static bool same_modulus(const modulus *a, const modulus *b) { return a->len == b->len && memcmp(a->byte, b->byte, a->len) == 0; }

LANES_FUNCTION void find_moduli(moduli *m, const modulus *all) {
	number shifted;
	for (uint32_t l = 0; l < LANES; l++) {
		padded bytes;
		pad(&bytes, all[l].byte, all[l].len);
		set_lane(&m->n, l, m->tiles, &bytes, 0);
		set_lane(&shifted, l, m->tiles, &bytes, TILE_BITS * m->tiles - 1 - att_rsa_bits(all[l].byte, all[l].len));
		set_limb(&m->inverse, l, minus_inverse(get_limb(&m->n.v[0], l)));
	}
	find_r2(m, &shifted);
}

/* Lane l of out becomes lane from[l] of m. */
LANES_FUNCTION void arrange(moduli *out, const moduli *m, const uint32_t *from) {
	out->tiles = m->tiles;
	for (uint32_t l = 0; l < LANES; l++) {
		set_limb(&out->inverse, l, get_limb(&m->inverse, from[l]));
		for (uint32_t i = 0; i < TILE * m->tiles; i++) {
			set_limb(&out->n.v[i], l, get_limb(&m->n.v[i], from[l]));
			set_limb(&out->r2.v[i], l, get_limb(&m->r2.v[i], from[l]));
		}
	}
}

/* ---- the public operation ------------------------------------------------------------------------------------------------ */

static uint32_t highest_bit(const uint32_t *exponents) {
	uint32_t all = 0, bit = 0;
	for (uint32_t l = 0; l < LANES; l++) {
		all |= exponents[l];
	}
	while (all >> bit > 1) {
		bit++;
	}
	return bit;
}

/* a = a^exponent modulo n, below n, as a is; lane by lane. All exponents are odd, so the last step of each is a square and a product with
 * a: with a as it is, not in Montgomery form, that is the way out as well. A lane whose exponent is shorter than others' starts
 * at its own highest bit, whatever it held before. */
LANES_FUNCTION void raise(number *a, const uint32_t *exponents, const moduli *m) {
	number base, power, next;
	uint32_t started = 0, bit = highest_bit(exponents);
	multiply(&base, a, &m->r2, m);
	power = base;
	for (; bit > 0; bit--) {
		uint32_t set = 0;
		if (started != 0) {
			square(&power, m);
		}
		for (uint32_t l = 0; l < LANES; l++) {
			set |= (exponents[l] >> bit & 1) << l;
		}
		if ((set & started) != 0) {
			multiply(&next, &power, &base, m);
		}
		if (set != 0) {
			const vmask first = v_mask(set & ~started), go_on = v_mask(set & started);
			for (uint32_t i = 0; i < TILE * m->tiles; i++) {
				power.v[i] = v_pick(first, base.v[i], power.v[i]);
				power.v[i] = (set & started) != 0 ? v_pick(go_on, next.v[i], power.v[i]) : power.v[i];
			}
		}
		started |= set;
	}
	square(&power, m);
	multiply(a, &power, a, m);
	subtract_once(a, &m->n, m->tiles);
}

/* ---- jobs ---------------------------------------------------------------------------------------------------------------- */

/* A group on its way: the first filled lanes have a job each. */
typedef struct {
	uint32_t filled;
	att_sig_job *job[LANES];
	uint32_t exponent[LANES];
	modulus key[LANES];
	number sig;
} group;

/* The moduli that were made ready last, and whose they are; none while tiles is 0. */
typedef struct {
	moduli found, arranged;
	modulus key[LANES];
} kept;

static uint32_t find_key(const kept *k, uint32_t lane, const modulus *key) {
	for (uint32_t i = 0; i < LANES; i++) {
		if (same_modulus(&k->key[(lane + i) % LANES], key)) {
			return (lane + i) % LANES;
		}
	}
	return LANES;
}

/* The moduli of a group: those that are kept when they are all there, in the order that is asked for, else new ones. */
LANES_FUNCTION const moduli *moduli_of(kept *k, const group *g, uint32_t tiles) {
	uint32_t from[LANES];
	bool known = k->found.tiles != 0, in_place = true;
	for (uint32_t l = 0; known && l < LANES; l++) {
		from[l] = find_key(k, l, &g->key[l]);
		known = from[l] != LANES;
		in_place = in_place && from[l] == l;
	}
	if (known && !in_place) {
		arrange(&k->arranged, &k->found, from);
		return &k->arranged;
	}
	if (!known) {
		memcpy(k->key, g->key, sizeof k->key);
		k->found.tiles = tiles;
		find_moduli(&k->found, k->key);
	}
	return &k->found;
}

LANES_FUNCTION void verify_group(group *g, kept *k, uint32_t tiles) {
	uint8_t encoded[ATT_RSA_MAX_BYTES];
	for (uint32_t l = g->filled; l < LANES; l++) {
		memcpy(&g->key[l], &g->key[0], sizeof g->key[l]);
		g->exponent[l] = g->exponent[0];
		for (uint32_t i = 0; i < TILE * tiles; i++) {
			set_limb(&g->sig.v[i], l, 0);
		}
	}
	raise(&g->sig, g->exponent, moduli_of(k, g, tiles));
	for (uint32_t l = 0; l < g->filled; l++) {
		const modulus *key = &g->key[l];
		get_lane(encoded, key->len, &g->sig, l, tiles);
		if (att_rsa_job_encodes(g->job[l], encoded, key->byte, key->len)) {
			g->job[l]->outcome = ATT_SIG_VALID;
		}
	}
	g->filled = 0;
}

/* All that can be refused without arithmetic; else the job gets the next lane. Input is read once. */
static void take_job(group *g, att_sig_job *job, uint32_t tiles) {
	modulus *key = &g->key[g->filled];
	uint8_t sig[ATT_RSA_MAX_BYTES];
	padded bytes;
	key->len = job->key_len;
	memcpy(key->byte, job->key, key->len);
	memcpy(sig, job->sig, key->len);
	job->outcome = ATT_SIG_INVALID;
	if (key->byte[0] == 0 || key->byte[key->len - 1] % 2 == 0 || memcmp(sig, key->byte, key->len) >= 0) {
		return;
	}
	pad(&bytes, sig, key->len);
	set_lane(&g->sig, g->filled, tiles, &bytes, 0);
	g->exponent[g->filled] = job->exponent;
	g->job[g->filled++] = job;
}

/* The jobs whose modulus has so many tiles, in order. The last ones are portable's when they are too few. */
LANES_FUNCTION void verify_size(att_sig_job *jobs, uint64_t num_jobs, uint32_t tiles) {
	group g;
	kept k;
	g.filled = 0;
	k.found.tiles = 0;
	for (uint64_t i = 0; i < num_jobs; i++) {
		if (!att_rsa_job_fits(&jobs[i]) || TILES_FOR(jobs[i].key_len) != tiles) {
			continue;
		}
		take_job(&g, &jobs[i], tiles);
		if (g.filled == LANES) {
			verify_group(&g, &k, tiles);
		}
	}
	if (g.filled >= LANES_RSA_WORTH) {
		verify_group(&g, &k, tiles);
	}
	for (uint32_t i = 0; i < g.filled; i++) {
		att_engine_portable.run(g.job[i], 1, NULL);
	}
}

/* Every job that is not of a curve: those that no engine could verify get their outcome here. */
static void verify_rsa(att_sig_job *jobs, uint64_t num_jobs) {
	uint64_t sizes = 0;
	for (uint64_t i = 0; i < num_jobs; i++) {
		if (att_rsa_job_fits(&jobs[i])) {
			sizes |= (uint64_t)1 << TILES_FOR(jobs[i].key_len);
		} else if (jobs[i].algorithm != ATT_ECDSA_P256 && jobs[i].algorithm != ATT_ECDSA_P384) {
			jobs[i].outcome = ATT_SIG_INVALID;
		}
	}
	for (uint32_t tiles = TILES_FOR(ATT_RSA_MIN_BYTES); tiles <= MAX_TILES; tiles++) {
		if ((sizes >> tiles & 1) != 0) {
			verify_size(jobs, num_jobs, tiles);
		}
	}
}
