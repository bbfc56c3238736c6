/* SPDX-License-Identifier: Apache-2.0
 *
 * fuzz_quote.c: targets att_tdx_parse, att_tdx_sections_distinct and att_tdx_platform_begin. Invariants: whatever the bytes,
 * parse checks are set and no others but the vendor's; every span lies in the quote; the section found is the one parsed, two
 * equal quotes have one, and read alone it has the same parts; a platform without jobs that hold passes no signature. */
#include <stdlib.h>
#include <string.h>

#include "tdx.h"

static void require(int holds) {
	if (!holds) {
		abort();
	}
}

static void check_span(att_span s, size_t size) { require(s.offset <= size && s.len <= size - s.offset); }

static void check_parse(const uint8_t *data, size_t size, att_tdx_quote *quote, int32_t *whole) {
	att_finding findings[ATT_TDX_NUM_CHECKS];
	*whole = att_tdx_parse(data, size, quote, findings);
	int failed = 0;
	for (int i = 0; i < ATT_TDX_NUM_CHECKS; i++) {
		require(findings[i].code == ATT_NOT_RUN || i < ATT_TDX_CHECK_TIME || i == ATT_TDX_CHECK_QE_VENDOR);
		require(findings[i].code <= ATT_PASS || findings[i].offset <= size);
		failed += findings[i].code > ATT_PASS;
	}
	require(*whole || failed > 0);
	require(!*whole || findings[ATT_TDX_CHECK_LENGTH].code == ATT_PASS);
	const att_span spans[] = {quote->signed_part, quote->body,          quote->signature, quote->key,     quote->qe_report,
	                          quote->qe_signature, quote->auth, quote->certification, quote->section, quote->trailing};
	for (size_t i = 0; i < sizeof spans / sizeof spans[0]; i++) {
		check_span(spans[i], size);
	}
	require(!*whole || quote->section.offset + quote->section.len + quote->trailing.len == size);
}

static void check_platform(const att_rows *sections, uint16_t type) {
	static const uint8_t pem[] = "-----BEGIN CERTIFICATE-----\nMAA=\n-----END CERTIFICATE-----\n";
	const uint8_t *chain[2] = {pem, pem};
	uint64_t lens[2] = {sizeof pem - 1, sizeof pem - 1};
	uint16_t types[2] = {type, type};
	att_rows chains;
	att_intel_trust trust;
	att_tdx_platform platform[2];
	att_sig_job jobs[2 * ATT_TDX_PLATFORM_JOBS];
	memset(&chains, 0, sizeof chains);
	memset(&trust, 0, sizeof trust);
	chains.n = 2;
	chains.ptrs = chain;
	chains.lens = lens;
	uint64_t num = att_tdx_platform_begin(&trust, sections, types, &chains, platform, jobs);
	require(num <= 2 * ATT_TDX_PLATFORM_JOBS);
	for (uint64_t i = 0; i < num; i++) {
		require(jobs[i].algorithm == ATT_ECDSA_P256 && jobs[i].key_len == 64 && jobs[i].sig_len == 64);
		jobs[i].outcome = ATT_SIG_INVALID;
	}
	att_tdx_platform_finish(&trust, platform, 2, jobs);
	for (int i = 0; i < 2; i++) {
		require(platform[i].root.code != ATT_PASS && platform[i].pck_signature.code != ATT_PASS);
		require(platform[i].ca_signature.code != ATT_PASS && platform[i].qe_signature.code != ATT_PASS);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
	static const uint8_t key[16] = {7};
	const uint8_t *bytes = size ? data : (const uint8_t *)"";
	const uint8_t *ptrs[2] = {bytes, bytes};
	uint64_t lens[2] = {size, size};
	att_rows rows;
	att_tdx_quote quote;
	int32_t whole;
	check_parse(bytes, size, &quote, &whole);
	memset(&rows, 0, sizeof rows);
	rows.n = 2;
	rows.ptrs = ptrs;
	rows.lens = lens;
	const uint8_t *section;
	uint64_t section_len;
	uint16_t type;
	int32_t index[2], slots[4];
	int64_t first[2];
	require(att_tdx_section_at(&rows, 1, &section, &section_len, &type) == whole);
	require(att_tdx_sections_distinct(&rows, NULL, key, index, first, slots, 4) == whole);
	require(index[0] == index[1] && index[0] == (whole ? 0 : -1));
	if (whole) {
		att_tdx_section parts;
		require(section == bytes + quote.section.offset && section_len == quote.section.len && type == quote.certification_type);
		if (att_tdx_section_read(section, (uint32_t)section_len, &parts)) {
			require(parts.certification_type == type && parts.qe_report.offset + quote.section.offset == quote.qe_report.offset);
		}
		ptrs[0] = ptrs[1] = section;
		lens[0] = lens[1] = section_len;
		check_platform(&rows, type);
	}
	return 0;
}
