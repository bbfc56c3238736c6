/* SPDX-License-Identifier: Apache-2.0
 *
 * judge_quote.c: parses quotes and judges their QE sections without Python and prints every finding, so that a build for one CPU
 * can be compared with a build for another.
 *
 *   judge_quote ROOT CA QUOTE...     files of DER: trusted root, known CA; raw quotes
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "attest.h"

static uint8_t file_bytes[ATT_QUOTE_MAX_BYTES];

static size_t read_file(const char *name) {
	FILE *file = fopen(name, "rb");
	if (file == NULL) {
		perror(name);
		exit(2);
	}
	size_t size = fread(file_bytes, 1, sizeof file_bytes, file);
	fclose(file);
	return size;
}

/* Engines are listed whether this CPU can run them or not. */
static uint32_t first_usable(void) {
	uint32_t engine = 0;
	while (att_engine_name(engine) != NULL && att_engine_usable(engine) == 0) {
		engine++;
	}
	return engine;
}

static void print_finding(const char *name, const att_finding *f) {
	printf("  %s %u %s %u\n", name, f->code, att_field_name(f->field), f->offset);
}

static void print_span(const char *name, att_span s) { printf("  %s %u %u\n", name, s.offset, s.len); }

static void print_hex(const char *name, const uint8_t *bytes, size_t n) {
	printf("  %s ", name);
	for (size_t i = 0; i < n; i++) {
		printf("%02x", bytes[i]);
	}
	printf("\n");
}

static void print_parsed(size_t size) {
	att_tdx_quote q;
	att_finding findings[ATT_TDX_NUM_CHECKS];
	int32_t whole = att_tdx_parse(file_bytes, size, &q, findings);
	printf("quote whole %d version %u key %u tee %u body %u certification %u\n", whole, q.version, q.key_type, q.tee, q.body_type,
	       q.certification_type);
	for (uint32_t c = 0; c < ATT_TDX_NUM_CHECKS; c++) {
		if (findings[c].code != ATT_NOT_RUN) {
			print_finding(att_tdx_check_name(c), &findings[c]);
		}
	}
	print_span("signed", q.signed_part);
	print_span("section", q.section);
	print_span("auth", q.auth);
	print_span("trailing", q.trailing);
}

static void print_platform(const att_tdx_platform *p) {
	const struct {
		const char *name;
		const att_finding *f;
	} all[] = {{"chain", &p->chain},
	           {"pck profile", &p->pck_profile},
	           {"ca profile", &p->ca_profile},
	           {"root", &p->root},
	           {"names", &p->names},
	           {"pck signature", &p->pck_signature},
	           {"ca signature", &p->ca_signature},
	           {"certification", &p->certification},
	           {"qe signature", &p->qe_signature},
	           {"key binding", &p->key_binding}};
	for (size_t i = 0; i < sizeof all / sizeof all[0]; i++) {
		print_finding(all[i].name, all[i].f);
	}
	printf("  ca %u root %d validity %lld %lld pce %u type %u qe %u %u %u\n", p->ca, p->root_index, (long long)p->not_before[0],
	       (long long)p->not_after[0], p->pck.pce_svn, p->pck.sgx_type, p->qe_misc_select, p->qe_isv_prod_id, p->qe_isv_svn);
	print_hex("ppid", p->pck.ppid, sizeof p->pck.ppid);
	print_hex("components", p->pck.components, sizeof p->pck.components);
	print_hex("pck", p->sha256[0], 32);
}

static void judge(const att_intel_trust *trust, size_t size) {
	static att_tdx_platform platform;
	att_sig_job jobs[ATT_TDX_PLATFORM_JOBS];
	const uint8_t *quote[1] = {file_bytes};
	const uint8_t *section[1];
	uint64_t lens[1] = {size};
	uint64_t section_len[1];
	uint16_t type;
	att_rows rows;
	memset(&rows, 0, sizeof rows);
	rows.n = 1;
	rows.ptrs = quote;
	rows.lens = lens;
	print_parsed(size);
	if (!att_tdx_section_at(&rows, 0, &section[0], &section_len[0], &type)) {
		printf("  no section\n");
		return;
	}
	rows.ptrs = section;
	rows.lens = section_len;
	uint64_t num = att_tdx_platform_begin(trust, &rows, &type, NULL, &platform, jobs);
	if (att_sig_run(first_usable(), jobs, num, NULL) != 0) {
		exit(3);
	}
	att_tdx_platform_finish(trust, &platform, 1, jobs);
	print_platform(&platform);
}

int main(int argc, char **argv) {
	static att_intel_cert certs[2];
	att_sig_job jobs[2];
	att_intel_trust trust = {&certs[0], 1, &certs[1], 1};
	if (argc < 4 || att_init() != 0) {
		fprintf(stderr, "usage: judge_quote ROOT CA QUOTE...\n");
		return 2;
	}
	for (int i = 0; i < 2; i++) {
		att_intel_cert_read(file_bytes, read_file(argv[1 + i]), &certs[i]);
		printf("certificate role %u: %u %u %u\n", certs[i].role, certs[i].profile.code, certs[i].profile.field,
		       certs[i].profile.offset);
	}
	if (att_intel_trust_jobs(&trust, NULL) != 2 || att_sig_run(first_usable(), jobs, att_intel_trust_jobs(&trust, jobs), NULL) != 0) {
		return 3;
	}
	att_intel_trust_finish(&trust, jobs);
	printf("roots %d %d\n", certs[0].root, certs[1].root);
	for (int i = 3; i < argc; i++) {
		judge(&trust, read_file(argv[i]));
	}
	return 0;
}
