/* SPDX-License-Identifier: Apache-2.0
 *
 * columns.c: results as columns, so that nobody has to touch them row by row. */
#include "reader.h"

static bool is_null(const uint8_t *validity, uint64_t validity_len, uint64_t row) {
	return validity != NULL && (row / 8 >= validity_len || !(validity[row / 8] >> (row % 8) & 1));
}

/* Host byte order, as Arrow has it in memory. */
static int64_t load_index(const uint8_t *at, uint32_t width, bool is_signed) {
	uint8_t u8;
	uint16_t u16;
	uint32_t u32;
	int64_t i64;
	switch (width) {
	case 1:
		memcpy(&u8, at, 1);
		return is_signed ? (int8_t)u8 : u8;
	case 2:
		memcpy(&u16, at, 2);
		return is_signed ? (int16_t)u16 : u16;
	case 4:
		memcpy(&u32, at, 4);
		return is_signed ? (int64_t)(int32_t)u32 : (int64_t)u32;
	default:
		memcpy(&i64, at, 8); /* an unsigned one beyond the range is negative, and refused */
		return i64;
	}
}

int32_t att_indices(const void *in, uint32_t width, uint32_t is_signed, uint64_t first, uint64_t n, const uint8_t *validity,
                    uint64_t validity_len, uint64_t num_values, int32_t *out) {
	for (uint64_t i = 0; i < n; i++) {
		out[i] = -1;
		if (is_null(validity, validity_len, first + i)) {
			continue;
		}
		int64_t index = load_index((const uint8_t *)in + (first + i) * width, width, is_signed);
		if (index < 0 || (uint64_t)index >= num_values || index > INT32_MAX) {
			return -1;
		}
		out[i] = (int32_t)index;
	}
	return 0;
}

void att_remap(const int32_t *index, uint64_t n, const int32_t *table, uint64_t table_len, int32_t *out) {
	for (uint64_t i = 0; i < n; i++) {
		out[i] = index[i] >= 0 && (uint64_t)index[i] < table_len ? table[index[i]] : -1;
	}
}

void att_times(const int64_t *in, uint64_t first, uint64_t n, int64_t per_second, const uint8_t *validity, uint64_t validity_len,
               int64_t *out) {
	for (uint64_t i = 0; i < n; i++) {
		uint64_t row = first + i;
		bool null = is_null(validity, validity_len, row);
		int64_t seconds = null ? ATT_NO_TIME : in[row] / per_second;
		if (!null && in[row] % per_second < 0) {
			seconds--;
		}
		out[i] = seconds;
	}
}

/* Four codes at a time, while none of them is above ATT_PASS; the first at or after c that may be, or width. */
static uint64_t next_code(const uint16_t *codes, uint64_t c, uint64_t width) {
	_Static_assert(ATT_NOT_RUN == 0 && ATT_PASS == 1, "codes above ATT_PASS are those with a bit set above the lowest");
	uint64_t four;
	while (width - c >= 4) {
		memcpy(&four, codes + c, sizeof four);
		if ((four & UINT64_C(0xfffefffefffefffe)) != 0) {
			break;
		}
		c += 4;
	}
	while (c < width && codes[c] <= ATT_PASS) {
		c++;
	}
	return c;
}

int64_t att_codes_flatten(const uint16_t *codes, uint64_t n, uint64_t width, int32_t *out_offsets, uint16_t *out_values) {
	int64_t num = 0;
	for (uint64_t i = 0; i < n; i++) {
		const uint16_t *row = codes + i * width;
		out_offsets[i] = (int32_t)num;
		for (uint64_t c = next_code(row, 0, width); c < width; c = next_code(row, c + 1, width)) {
			if (out_values != NULL) {
				out_values[num] = row[c];
			}
			if (++num > INT32_MAX) {
				return -1;
			}
		}
	}
	out_offsets[n] = (int32_t)num;
	return num;
}

void att_gather(const uint8_t *records, uint64_t stride, uint64_t offset, uint64_t size, uint64_t n, uint8_t *out) {
	for (uint64_t i = 0; i < n; i++) {
		memcpy(out + i * size, records + i * stride + offset, size);
	}
}

/* The next column of n * size bytes, on a boundary of eight. used counts the columns that came before. */
static void *place(uint64_t *memory, uint64_t *used, uint64_t n, uint64_t size) {
	void *at = memory != NULL ? memory + *used / 8 : NULL;
	*used += (n * size + 7) / 8 * 8;
	return at;
}

uint64_t att_snp_columns_place(uint64_t n, uint32_t parts, uint64_t *memory, att_snp_columns *out) {
	const bool findings = parts & ATT_SNP_WITH_FINDINGS, claims = parts & ATT_SNP_WITH_CLAIMS, reports = parts & ATT_SNP_WITH_REPORTS;
	uint64_t used = 0;
	att_snp_columns placed;
	placed.valid_until = place(memory, &used, n, sizeof *placed.valid_until);
	placed.mark = place(memory, &used, n, sizeof *placed.mark);
	placed.omissions = place(memory, &used, n, sizeof *placed.omissions);
	placed.leaf = place(memory, &used, n, sizeof *placed.leaf);
	placed.crl = place(memory, &used, n, sizeof *placed.crl);
	placed.codes = place(memory, &used, n, ATT_SNP_NUM_CHECKS * sizeof *placed.codes);
	placed.code = place(memory, &used, n, sizeof *placed.code);
	placed.accepted = place(memory, &used, n, sizeof *placed.accepted);
	placed.verified = place(memory, &used, n, sizeof *placed.verified);
	placed.parsed = place(memory, &used, n, sizeof *placed.parsed);
	placed.findings = findings ? place(memory, &used, n, ATT_SNP_NUM_CHECKS * sizeof *placed.findings) : NULL;
	placed.claims = claims ? place(memory, &used, n, sizeof *placed.claims) : NULL;
	placed.reports = reports ? place(memory, &used, n, ATT_SNP_REPORT_LEN) : NULL;
	if (memory != NULL) {
		*out = placed;
	}
	return used;
}
