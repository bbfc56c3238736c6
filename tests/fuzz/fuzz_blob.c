/* SPDX-License-Identifier: Apache-2.0
 *
 * fuzz_blob.c: target att_blob_open. Invariant: what comes out lies in the output, and is no longer than what went in. */
#include <stdlib.h>

#include "attest.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
	uint32_t offsets[ATT_BLOB_MAX_CERTS];
	uint32_t lens[ATT_BLOB_MAX_CERTS];
	att_finding error;
	uint8_t *out = malloc(size ? size : 1);
	if (out == NULL) {
		return 0;
	}
	int64_t num = att_blob_open(data, size, out, offsets, lens, ATT_BLOB_MAX_CERTS, &error);
	if (num < 0 ? error.code <= ATT_PASS : error.code != ATT_PASS) {
		abort();
	}
	for (int64_t i = 0; i < num; i++) {
		if (offsets[i] > size || lens[i] > size - offsets[i]) {
			abort();
		}
	}
	free(out);
	return 0;
}
