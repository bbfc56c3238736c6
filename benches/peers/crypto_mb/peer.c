/* SPDX-License-Identifier: Apache-2.0
 *
 * How many bare signatures a second crypto_mb verifies, eight a call; see ../../README.md for arguments and output. */
#include <crypto_mb/cpu_features.h>
#include <crypto_mb/ec_nistp256.h>
#include <crypto_mb/ec_nistp384.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define GROUP 8
#define MAX_ROWS 4096
#define MAX_BYTES 48

/* The archive's other functions ask for OpenSSL; nobody calls them. */
#define ABSENT(name) \
	void name(void); \
	void name(void) { abort(); }
ABSENT(BN_bin2bn)
ABSENT(BN_bn2lebinpad)
ABSENT(BN_is_word)
ABSENT(BN_num_bits)
ABSENT(ECDSA_SIG_get0)

typedef mbx_status (*verify_function)(const int8u *const r[GROUP], const int8u *const s[GROUP], const int8u *const digest[GROUP],
                                      const int64u *const x[GROUP], const int64u *const y[GROUP], const int64u *const z[GROUP],
                                      int8u *buffer);

typedef struct {
	int64u x[MAX_BYTES / 8], y[MAX_BYTES / 8];
	uint8_t digest[MAX_BYTES], r[MAX_BYTES], s[MAX_BYTES];
} row;

static row rows[MAX_ROWS];

static void fail(const char *why) {
	fprintf(stderr, "%s\n", why);
	exit(1);
}

/* CPU time of this process, which does not run while another process has the CPU. */
static double cpu_seconds(void) {
	struct timespec now;
	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static void words(int64u *out, const uint8_t *big_endian, size_t size) {
	for (size_t i = 0; i < size; i++) {
		out[(size - 1 - i) / 8] |= (int64u)big_endian[i] << 8 * ((size - 1 - i) % 8);
	}
}

/* Rows of X, Y, digest, r, s. */
static size_t load(const char *folder, const char *name, size_t size) {
	char path[4096];
	uint8_t data[5 * MAX_BYTES];
	size_t n = 0;
	snprintf(path, sizeof path, "%s/%s", folder, name);
	FILE *file = fopen(path, "rb");
	if (file == NULL) {
		fail(path);
	}
	memset(rows, 0, sizeof rows);
	for (; n < MAX_ROWS && fread(data, size, 5, file) == 5; n++) {
		words(rows[n].x, data, size);
		words(rows[n].y, data + size, size);
		memcpy(rows[n].digest, data + 2 * size, size);
		memcpy(rows[n].r, data + 3 * size, size);
		memcpy(rows[n].s, data + 4 * size, size);
	}
	fclose(file);
	if (n < GROUP || n % GROUP != 0) {
		fail("not a whole number of groups of signatures");
	}
	return n;
}

static mbx_status verify(verify_function function, size_t first) {
	const int8u *r[GROUP], *s[GROUP], *digest[GROUP];
	const int64u *x[GROUP], *y[GROUP];
	for (size_t i = 0; i < GROUP; i++) {
		const row *at = &rows[first + i];
		r[i] = at->r, s[i] = at->s, digest[i] = at->digest, x[i] = at->x, y[i] = at->y;
	}
	return function(r, s, digest, x, y, NULL, NULL);
}

static double measure(const char *folder, const char *name, size_t size, verify_function function, double length) {
	const size_t n = load(folder, name, size);
	for (size_t first = 0; first < n; first += GROUP) {
		if (verify(function, first) != 0) {
			fail("a signature was refused");
		}
	}
	rows[3].digest[size - 1] ^= 1;
	if (MBX_GET_STS(verify(function, 0), 3) == MBX_STATUS_OK) {
		fail("a tampered signature was accepted");
	}
	rows[3].digest[size - 1] ^= 1;
	size_t done = 0;
	const double start = cpu_seconds();
	while (cpu_seconds() - start < length) {
		for (size_t first = 0; first < n; first += GROUP) {
			if (verify(function, first) != 0) {
				fail("a signature was refused");
			}
		}
		done += n;
	}
	return (double)done / (cpu_seconds() - start);
}

int main(int argc, char **argv) {
	if (argc != 4) {
		fail("usage: peer FOLDER UNIXTIME SECONDS");
	}
	if (!mbx_is_crypto_mb_applicable(0)) {
		fail("this CPU has not the instructions that crypto_mb needs");
	}
	const double length = atof(argv[3]);
	const double p384 = measure(argv[1], "p384.bin", 48, mbx_nistp384_ecdsa_verify_mb8, length);
	const double p256 = measure(argv[1], "p256.bin", 32, mbx_nistp256_ecdsa_verify_mb8, length);
	printf("{\"P-384\": %f, \"P-256\": %f}\n", p384, p256);
	return 0;
}
