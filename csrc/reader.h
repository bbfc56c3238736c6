/* SPDX-License-Identifier: Apache-2.0
 *
 * reader.h: the bounded reader. att_take is the only place in the core that moves a pointer through input; it compares what is asked
 * for with what is left and never adds. The first failure sticks: later reads give zeros, so a run of fixed fields reads as a
 * table and is checked once at its end. Never let a value from a failed reader decide a size or a branch: ask att_reader_ok first.
 */
#ifndef ATT_READER_H
#define ATT_READER_H

#include <stdbool.h>
#include <string.h>

#include "attest.h"

typedef struct {
	const uint8_t *base;   /* offset 0 of whatever offsets count from */
	uint32_t pos;
	uint32_t end;          /* pos <= end, always */
	att_finding error;     /* ATT_PASS until something failed */
} att_reader;

static inline att_reader att_reader_over(const uint8_t *base, uint32_t pos, uint32_t end) {
	att_reader r = {base, pos, end < pos ? pos : end, {ATT_PASS, ATT_FIELD_NONE, 0}};
	return r;
}

static inline bool att_reader_ok(const att_reader *r) { return r->error.code == ATT_PASS; }
static inline uint32_t att_reader_left(const att_reader *r) { return r->end - r->pos; }

static inline void att_reader_fail(att_reader *r, uint16_t code, uint16_t field) {
	if (att_reader_ok(r)) {
		r->error = (att_finding){code, field, r->pos};
	}
}

/* NULL when there are not n bytes left or the reader has failed; else the bytes, and the reader stands behind them. */
static inline const uint8_t *att_take(att_reader *r, uint32_t n, uint16_t code, uint16_t field) {
	if (!att_reader_ok(r) || att_reader_left(r) < n) {
		att_reader_fail(r, code, field);
		return NULL;
	}
	const uint8_t *at = r->base + r->pos;
	r->pos += n;
	return at;
}

/* Fixed-width integers, least significant byte first, and spans. Byte order is spelt out: the core runs on big-endian CPUs too. */
static inline uint32_t att_load_le32(const uint8_t *p) {
	return (uint32_t)p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
}
static inline uint64_t att_load_le64(const uint8_t *p) {
	return (uint64_t)att_load_le32(p) | (uint64_t)att_load_le32(p + 4) << 32;
}
static inline uint32_t att_load_be32(const uint8_t *p) {
	return (uint32_t)p[3] | (uint32_t)p[2] << 8 | (uint32_t)p[1] << 16 | (uint32_t)p[0] << 24;
}
static inline uint64_t att_load_be64(const uint8_t *p) {
	return (uint64_t)att_load_be32(p + 4) | (uint64_t)att_load_be32(p) << 32;
}
static inline void att_store_be32(uint8_t *p, uint32_t v) {
	p[0] = (uint8_t)(v >> 24), p[1] = (uint8_t)(v >> 16), p[2] = (uint8_t)(v >> 8), p[3] = (uint8_t)v;
}
static inline void att_store_be64(uint8_t *p, uint64_t v) {
	att_store_be32(p, (uint32_t)(v >> 32));
	att_store_be32(p + 4, (uint32_t)v);
}

static inline att_finding att_found(uint16_t code, uint16_t field, uint32_t offset) {
	return (att_finding){code, field, offset};
}

static inline att_finding att_pass(void) { return (att_finding){ATT_PASS, ATT_FIELD_NONE, 0}; }

/* Index of the first non-zero byte, or n. */
static inline uint32_t att_first_nonzero(const uint8_t *p, uint32_t n) {
	uint32_t i = 0;
	uint64_t word = 0;
	while (n - i >= sizeof word) { /* eight at a time while they are zero */
		memcpy(&word, p + i, sizeof word);
		if (word != 0) {
			break;
		}
		i += (uint32_t)sizeof word;
	}
	while (i < n && p[i] == 0) {
		i++;
	}
	return i;
}

#endif
