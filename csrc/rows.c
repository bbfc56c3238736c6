/* SPDX-License-Identifier: Apache-2.0
 *
 * rows.c: evidence by the column. Every offset and view is held against the length of the buffer that it points into before it is
 * followed; how long that is, the caller says. */
#include "rows.h"

#include <string.h>

#include "reader.h"

static bool span_of(const uint8_t *data, uint64_t data_len, int64_t begin, int64_t end, const uint8_t **out, uint64_t *out_len) {
	if (begin < 0 || end < begin || (uint64_t)end > data_len) {
		return false;
	}
	static const uint8_t empty[1];
	*out = data != NULL ? data + begin : empty;
	*out_len = (uint64_t)(end - begin);
	return true;
}

/* Arrow binary view: length, then 12 bytes inline, or a 4-byte prefix, buffer number and offset (Arrow columnar format 1.4). */
static bool view_at(const att_rows *rows, uint64_t row, const uint8_t **out, uint64_t *out_len) {
	const uint8_t *view = rows->views + row * 16;
	int32_t fields[4];
	memcpy(fields, view, sizeof fields);
	if (fields[0] < 0) {
		return false;
	}
	if (fields[0] <= 12) {
		*out = view + 4;
		*out_len = (uint64_t)fields[0];
		return true;
	}
	if (fields[2] < 0 || (uint64_t)fields[2] >= rows->num_buffers) {
		return false;
	}
	int64_t begin = fields[3];
	return span_of(rows->buffers[fields[2]], rows->buffer_lens[fields[2]], begin, begin + fields[0], out, out_len);
}

static bool is_null(const att_rows *rows, uint64_t row) {
	if (rows->validity == NULL) {
		return false;
	}
	return row / 8 >= rows->validity_len || !(rows->validity[row / 8] >> (row % 8) & 1);
}

bool att_row(const att_rows *rows, uint64_t i, const uint8_t **out, uint64_t *out_len) {
	uint64_t row = rows->first + i;
	*out = NULL;
	*out_len = 0;
	if (is_null(rows, row)) {
		return false;
	}
	if (rows->ptrs != NULL) {
		*out = rows->ptrs[row];
		*out_len = rows->lens[row];
		return *out != NULL;
	}
	if (rows->views != NULL) {
		return view_at(rows, row, out, out_len);
	}
	if (rows->offsets32 != NULL) {
		return span_of(rows->data, rows->data_len, rows->offsets32[row], rows->offsets32[row + 1], out, out_len);
	}
	if (rows->offsets64 != NULL) {
		return span_of(rows->data, rows->data_len, rows->offsets64[row], rows->offsets64[row + 1], out, out_len);
	}
	if (rows->stride == 0 || row >= rows->data_len / rows->stride) {
		return false;
	}
	*out = rows->data + row * rows->stride;
	*out_len = rows->stride;
	return true;
}

int32_t att_row_at(const att_rows *rows, uint64_t i, const uint8_t **out, uint64_t *out_len) {
	return i < rows->n && att_row(rows, i, out, out_len);
}

void att_rows_at(const att_rows *rows, const int64_t *row, uint64_t n, const uint8_t **out, uint64_t *out_lens) {
	static const uint8_t empty[1];
	for (uint64_t i = 0; i < n; i++) {
		const uint8_t *data = NULL;
		uint64_t len = 0;
		const bool there = row[i] >= 0 && att_row_at(rows, (uint64_t)row[i], &data, &len) != 0;
		out[i] = !there ? NULL : data != NULL ? data : empty;
		out_lens[i] = there ? len : 0;
	}
}

/* ---- distinct values ----------------------------------------------------------------------------------------------------- */

static uint64_t rotl(uint64_t x, int n) { return x << n | x >> (64 - n); }

static void sip_round(uint64_t v[4]) {
	v[0] += v[1], v[1] = rotl(v[1], 13) ^ v[0], v[0] = rotl(v[0], 32);
	v[2] += v[3], v[3] = rotl(v[3], 16) ^ v[2];
	v[0] += v[3], v[3] = rotl(v[3], 21) ^ v[0];
	v[2] += v[1], v[1] = rotl(v[1], 17) ^ v[2], v[2] = rotl(v[2], 32);
}

/* SipHash-1-3 (Aumasson, Bernstein 2012): rows are hostile, and must not be able to choose their slots. */
uint64_t att_sip13(const uint8_t key[16], const uint8_t *data, uint64_t len) {
	uint64_t k0 = att_load_le64(key);
	uint64_t k1 = att_load_le64(key + 8);
	uint64_t v[4] = {k0 ^ UINT64_C(0x736f6d6570736575), k1 ^ UINT64_C(0x646f72616e646f6d), k0 ^ UINT64_C(0x6c7967656e657261),
	                 k1 ^ UINT64_C(0x7465646279746573)};
	uint64_t whole = len / 8 * 8;
	for (uint64_t i = 0; i < whole; i += 8) {
		uint64_t word = att_load_le64(data + i);
		v[3] ^= word;
		sip_round(v);
		v[0] ^= word;
	}
	uint64_t last = len << 56;
	for (uint64_t i = whole; i < len; i++) {
		last |= (uint64_t)data[i] << (8 * (i - whole));
	}
	v[3] ^= last;
	sip_round(v);
	v[0] ^= last;
	v[2] ^= 0xff;
	sip_round(v), sip_round(v), sip_round(v);
	return v[0] ^ v[1] ^ v[2] ^ v[3];
}

int64_t att_rows_distinct(const att_rows *rows, const uint8_t *key, int32_t *out_index, int64_t *out_first, int32_t *slots,
                          uint64_t num_slots) {
	int32_t num = 0;
	for (uint64_t s = 0; s < num_slots; s++) {
		slots[s] = -1;
	}
	for (uint64_t i = 0; i < rows->n; i++) {
		const uint8_t *data;
		uint64_t len;
		out_index[i] = -1;
		if (!att_row(rows, i, &data, &len)) {
			continue;
		}
		uint64_t slot = att_sip13(key, data, len) & (num_slots - 1);
		for (; slots[slot] >= 0; slot = (slot + 1) & (num_slots - 1)) {
			const uint8_t *other;
			uint64_t other_len;
			if (att_row(rows, (uint64_t)out_first[slots[slot]], &other, &other_len) && other_len == len &&
			    memcmp(other, data, len) == 0) {
				out_index[i] = slots[slot];
				break;
			}
		}
		if (out_index[i] < 0) {
			slots[slot] = num;
			out_first[num] = (int64_t)i;
			out_index[i] = num++;
		}
	}
	return num;
}
