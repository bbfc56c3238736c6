/* SPDX-License-Identifier: Apache-2.0
 *
 * driver.c: runs a fuzz target without libFuzzer: each file named on the command line as it is, every prefix of it, then `rounds`
 * random mutations of it (seed and rounds come first). Inputs live in memory of exactly their size, so that a sanitizer sees one byte
 * too far. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static uint64_t state;

static uint64_t next(void) {
	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return state;
}

static void run(const uint8_t *data, size_t size) {
	uint8_t *exact = malloc(size ? size : 1);
	if (exact == NULL) {
		exit(3);
	}
	memcpy(exact, data, size);
	LLVMFuzzerTestOneInput(exact, size);
	free(exact);
}

/* One to four edits: a flipped bit, a byte from a list of awkward ones, a run copied elsewhere, a cut. */
static size_t mutate(uint8_t *data, size_t size) {
	static const uint8_t awkward[] = {0x00, 0x01, 0x7F, 0x80, 0x81, 0x82, 0x84, 0xFF, 0x30, 0x02, 0x03, 0x04, 0x2D, 0x0A};
	for (uint64_t edits = 1 + next() % 4; edits > 0 && size > 0; edits--) {
		size_t at = next() % size;
		switch (next() % 4) {
		case 0:
			data[at] ^= (uint8_t)(1u << next() % 8);
			break;
		case 1:
			data[at] = awkward[next() % sizeof awkward];
			break;
		case 2: {
			size_t from = next() % size;
			size_t len = next() % 64;
			size_t most = size - (at > from ? at : from);
			memmove(data + at, data + from, len < most ? len : most);
			break;
		}
		default:
			size -= next() % 16 == 0 ? next() % size : 0;
		}
	}
	return size;
}

int main(int argc, char **argv) {
	if (argc < 4) {
		fprintf(stderr, "usage: %s seed rounds file...\n", argv[0]);
		return 2;
	}
	state = strtoull(argv[1], NULL, 0) | 1;
	unsigned long rounds = strtoul(argv[2], NULL, 0);
	static uint8_t original[1 << 20];
	static uint8_t work[1 << 20];
	for (int i = 3; i < argc; i++) {
		FILE *file = fopen(argv[i], "rb");
		if (file == NULL) {
			perror(argv[i]);
			return 2;
		}
		size_t size = fread(original, 1, sizeof original, file);
		fclose(file);
		for (size_t len = 0; len <= size && len <= 4096; len++) {
			run(original, len);
		}
		run(original, size);
		for (unsigned long k = 0; k < rounds; k++) {
			memcpy(work, original, size);
			run(work, mutate(work, size));
		}
	}
	printf("%d inputs, %lu mutations each: no fault\n", argc - 3, rounds);
	return 0;
}
