/* SPDX-License-Identifier: Apache-2.0
 *
 * cpu.c: CPU features on x86, by CPUID and XCR0 (Intel SDM 2A CPUID and 1 13.3; AMD APM 3 appendix E). Features that use AVX or
 * AVX-512 registers count only when the operating system keeps those registers. On other CPUs the list is empty. */
#include <stdint.h>
#include <string.h>

#include "attest.h"
#include "cpu.h"

static char features[256];

const char *att_cpu_features(void) { return features; }

bool att_cpu_has(const char *name) {
	const size_t len = strlen(name);
	for (const char *at = features; *at != '\0';) {
		size_t word = 0;
		while (at[word] != '\0' && at[word] != ' ') {
			word++;
		}
		if (word == len && memcmp(at, name, len) == 0) {
			return true;
		}
		at += word + (at[word] == ' ' ? 1 : 0);
	}
	return false;
}

#if defined(__x86_64__) || defined(__i386__)
#include <cpuid.h>

enum { EBX, ECX };
enum { ANY, YMM, ZMM };  /* registers that must be kept */

typedef struct {
	const char *name;
	uint8_t leaf;  /* 1, or 7 subleaf 0 */
	uint8_t reg;
	uint8_t bit;
	uint8_t needs;
} feature;

static const feature known[] = {
	{"sse4_1", 1, ECX, 19, ANY},          {"avx", 1, ECX, 28, YMM},
	{"avx2", 7, EBX, 5, YMM},             {"bmi2", 7, EBX, 8, ANY},
	{"adx", 7, EBX, 19, ANY},             {"sha_ni", 7, EBX, 29, ANY},
	{"avx512f", 7, EBX, 16, ZMM},         {"avx512dq", 7, EBX, 17, ZMM},
	{"avx512ifma", 7, EBX, 21, ZMM},      {"avx512bw", 7, EBX, 30, ZMM},
	{"avx512vl", 7, EBX, 31, ZMM},        {"avx512vbmi", 7, ECX, 1, ZMM},
	{"avx512vbmi2", 7, ECX, 6, ZMM},      {"vaes", 7, ECX, 9, YMM},
};

/* XCR0: bits 1 and 2 for YMM, and 5 to 7 for ZMM. Only to be read when CPUID.1:ECX.OSXSAVE (bit 27) is set. */
static int registers_kept(uint32_t leaf1_ecx) {
	uint32_t low, high;
	if ((leaf1_ecx >> 27 & 1) == 0) {
		return ANY;
	}
	__asm__ volatile("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
	if ((low & 0x06) != 0x06) {
		return ANY;
	}
	return (low & 0xe6) == 0xe6 ? ZMM : YMM;
}

void att_cpu_init(void) {
	uint32_t leaf1[2] = {0, 0}, leaf7[2] = {0, 0}, eax, ebx, ecx, edx;
	char list[sizeof features] = "";
	size_t used = 0;
	if (__get_cpuid(1, &eax, &ebx, &ecx, &edx) != 0) {
		leaf1[ECX] = ecx;
	}
	if (__get_cpuid_count(7, 0, &eax, &ebx, &ecx, &edx) != 0) {
		leaf7[EBX] = ebx;
		leaf7[ECX] = ecx;
	}
	const int kept = registers_kept(leaf1[ECX]);
	for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
		const uint32_t word = (known[i].leaf == 1 ? leaf1 : leaf7)[known[i].reg];
		const size_t len = strlen(known[i].name);
		if ((word >> known[i].bit & 1) == 0 || known[i].needs > kept || used + len + 2 > sizeof list) {
			continue;
		}
		if (used != 0) {
			list[used++] = ' ';
		}
		memcpy(list + used, known[i].name, len);
		used += len;
	}
	list[used] = '\0';
	memcpy(features, list, sizeof features);
}

#else

void att_cpu_init(void) { features[0] = '\0'; }

#endif
