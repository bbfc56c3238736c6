/* SPDX-License-Identifier: Apache-2.0
 *
 * snp_sets.c: the certificate sets of many rows, opened and read in one call. A set that comes with a row is a few blobs, each of
 * which is bounded; opening one is blob.c's, reading a certificate snp_cert.c's. What is decided here is only which certificates
 * make up a set: those of its blobs in their order, each once. */
#include "snp.h"

typedef struct {
	uint8_t *der;      /* room for the blobs of the set */
	uint32_t used;
	uint32_t num;
	uint32_t offsets[ATT_SET_MAX_BLOBS * ATT_BLOB_MAX_CERTS];
	uint32_t lens[ATT_SET_MAX_BLOBS * ATT_BLOB_MAX_CERTS];
	att_finding error;
} open_set;

static void note(open_set *set, att_finding error) {
	if (set->error.code <= ATT_PASS) {
		set->error = error;
	}
}

/* Where the next PEM block begins; len when there is none. */
static uint64_t next_block(const uint8_t *blob, uint64_t len, uint64_t from) {
	static const char begin[] = "-----BEGIN ";
	const uint64_t n = sizeof begin - 1;
	while (from < len) {
		const uint8_t *at = memchr(blob + from, '-', (size_t)(len - from));
		if (at == NULL) {
			return len;
		}
		from = (uint64_t)(at - blob);
		if (len - from >= n && memcmp(at, begin, (size_t)n) == 0) {
			return from;
		}
		from++;
	}
	return len;
}

/* One stretch of a blob, opened behind what the set has. num is what the blob has given so far. False when that is too much. */
static bool open_part(open_set *set, const uint8_t *part, uint64_t len, uint32_t *num) {
	uint32_t offsets[ATT_BLOB_MAX_CERTS], lens[ATT_BLOB_MAX_CERTS];
	att_finding error;
	const int64_t found = att_blob_open(part, len, set->der + set->used, offsets, lens, ATT_BLOB_MAX_CERTS, &error);
	if (found < 0) {
		note(set, error);
		return true;
	}
	if (*num + (uint32_t)found > ATT_BLOB_MAX_CERTS) {
		return false;
	}
	for (uint32_t i = 0; i < (uint32_t)found; i++) {
		set->offsets[set->num + *num] = set->used + offsets[i];
		set->lens[set->num + *num] = lens[i];
		(*num)++;
	}
	if (found > 0) {
		set->used += offsets[found - 1] + lens[found - 1];
	}
	return true;
}

/* PEM is taken block by block, so that a broken one does not hide its neighbours. Tools write text before the first block, but no
 * zero byte: a table has those before any text in it. A blob with too many certificates counts for none of them. */
static void open_blob(open_set *set, const uint8_t *blob, uint64_t len) {
	const uint64_t first = len <= ATT_BLOB_MAX_BYTES ? next_block(blob, len, 0) : len;
	const att_finding error_before = set->error;
	const uint32_t used_before = set->used;
	uint32_t num = 0;
	bool fits = true;
	if (first == len || memchr(blob, 0, (size_t)first) != NULL) {
		fits = open_part(set, blob, len, &num);
	} else {
		for (uint64_t at = first; fits && at < len;) {
			const uint64_t end = next_block(blob, len, at + 1);
			fits = open_part(set, blob + at, end - at, &num);
			at = end;
		}
	}
	if (!fits) {
		set->error = error_before;
		set->used = used_before;
		note(set, att_found(ATT_CODE_CERT_SET_LIMIT, ATT_FIELD_CERT_SET, 0));
		return;
	}
	set->num += num;
}

/* Each certificate once. */
static void drop_repeated(open_set *set) {
	uint32_t kept = 0;
	for (uint32_t i = 0; i < set->num; i++) {
		bool repeated = false;
		for (uint32_t j = 0; j < kept && !repeated; j++) {
			repeated = set->lens[j] == set->lens[i] && memcmp(set->der + set->offsets[j], set->der + set->offsets[i], set->lens[i]) == 0;
		}
		if (!repeated) {
			set->offsets[kept] = set->offsets[i];
			set->lens[kept++] = set->lens[i];
		}
	}
	set->num = kept;
}

uint64_t att_snp_sets_read(const uint8_t *blobs, const uint64_t *lens, const uint32_t *num_blobs, uint64_t num_sets, uint8_t *scratch,
                           uint64_t max_certs, att_snp_cert *certs, uint32_t *set_of, uint64_t *num_certs, att_finding *errors) {
	open_set set;
	uint64_t blob = 0;
	*num_certs = 0;
	for (uint64_t s = 0; s < num_sets; s++) {
		set.der = scratch;
		set.used = 0;
		set.num = 0;
		set.error = att_pass();
		for (uint32_t i = 0; i < num_blobs[s] && i < ATT_SET_MAX_BLOBS; i++) {
			open_blob(&set, blobs, lens[blob]);
			blobs += lens[blob++];
		}
		drop_repeated(&set);
		if (set.num > max_certs - *num_certs) {
			return s;
		}
		for (uint32_t i = 0; i < set.num; i++) {
			att_snp_cert_read(set.der + set.offsets[i], set.lens[i], &certs[*num_certs]);
			set_of[(*num_certs)++] = (uint32_t)s;
		}
		errors[s] = set.error;
	}
	return num_sets;
}

void att_snp_sets_fill(const att_snp_leaf *leaves, const uint32_t *num_leaves, const att_finding *errors, uint64_t num_sets,
                       att_snp_set *out) {
	for (uint64_t s = 0; s < num_sets; s++) {
		out[s].leaves = leaves;
		out[s].num_leaves = num_leaves[s];
		out[s].error = errors[s];
		leaves += num_leaves[s];
	}
}
