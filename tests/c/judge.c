/* SPDX-License-Identifier: Apache-2.0
 *
 * judge.c: judges reports without Python and prints every finding, so that a build for one CPU can be compared with a build for another.
 *
 *   judge AT ROOTS CERTS REPORT...     Unix seconds; files of PEM or DER: trusted ARKs and known ASKs, the set, raw reports
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "attest.h"

enum { MAX_FILE = ATT_BLOB_MAX_BYTES, MAX_CERTS = 64 };

typedef struct {
	att_snp_cert certs[MAX_CERTS];
	uint64_t num;
} bag;

static uint8_t file_bytes[MAX_FILE];

/* Engines are listed whether this CPU can run them or not. */
static uint32_t first_usable(void) {
	uint32_t engine = 0;
	while (att_engine_name(engine) != NULL && att_engine_usable(engine) == 0) {
		engine++;
	}
	return engine;
}

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

static void read_bag(const char *name, bag *out) {
	static uint8_t der[MAX_FILE];
	uint32_t offsets[MAX_CERTS], lens[MAX_CERTS];
	att_finding error;
	int64_t num = att_blob_open(file_bytes, read_file(name), der, offsets, lens, MAX_CERTS, &error);
	if (num < 0) {
		fprintf(stderr, "%s: %s\n", name, att_code_name(error.code));
		exit(2);
	}
	for (int64_t i = 0; i < num; i++) {
		att_snp_cert_read(der + offsets[i], lens[i], &out->certs[i]);
		printf("certificate role %u product %u: %u %u %u\n", out->certs[i].role, out->certs[i].product, out->certs[i].profile.code,
		       out->certs[i].profile.field, out->certs[i].profile.offset);
	}
	out->num = (uint64_t)num;
}

/* ARKs first: they are the anchors. */
static void make_trust(bag *roots, att_snp_trust *trust) {
	static att_snp_cert anchors[MAX_CERTS], others[MAX_CERTS];
	static att_sig_job jobs[MAX_CERTS * MAX_CERTS];
	memset(trust, 0, sizeof *trust);
	for (uint64_t i = 0; i < roots->num; i++) {
		if (roots->certs[i].role == ATT_SNP_ARK) {
			anchors[trust->num_anchors++] = roots->certs[i];
		} else {
			others[trust->num_intermediates++] = roots->certs[i];
		}
	}
	trust->anchors = anchors;
	trust->intermediates = others;
	att_sig_run(first_usable(), jobs, att_snp_trust_jobs(trust, jobs), NULL);
	att_snp_trust_finish(trust, jobs);
}

static void print_row(const att_snp_columns *out) {
	printf("accepted %u verified %u parsed %u code %u omissions %u leaf %d until %lld\n", *out->accepted, *out->verified, *out->parsed,
	       *out->code, *out->omissions, *out->leaf, (long long)*out->valid_until);
	for (uint32_t c = 0; c < ATT_SNP_NUM_CHECKS; c++) {
		const att_finding *f = &out->findings[c];
		printf("  %s %u %s %u\n", att_snp_check_name(c), f->code, att_field_name(f->field), f->offset);
	}
	const att_snp_report *r = out->claims;
	printf("  policy %llx platform %llx mit %llx %llx snp %u %u %u %u\n", (unsigned long long)r->policy,
	       (unsigned long long)r->platform_info, (unsigned long long)r->launch_mit_vector, (unsigned long long)r->current_mit_vector,
	       r->tcb[0].snp, r->tcb[1].snp, r->tcb[2].snp, r->tcb[3].snp);
}

static void judge(const att_snp_trust *trust, const att_snp_set *set, int64_t at, const uint8_t *report, size_t size) {
	uint64_t lens[1] = {size};
	att_snp_policy policy;
	att_snp_plan plan;
	memset(&policy, 0, sizeof policy);
	memset(&plan, 0, sizeof plan);
	policy.guest_required = UINT64_C(1) << 17;
	policy.guest_forbidden = UINT64_C(3) << 18 | ~((UINT64_C(1) << 26) - 1);
	policy.vmpls = 0xF;
	policy.allow_masked_chip_id = policy.allow_provisional = 1;
	plan.reports.n = 1;
	plan.reports.ptrs = &report;
	plan.reports.lens = lens;
	plan.sets = set;
	plan.num_sets = 1;
	plan.at = &at;
	plan.trust = trust;
	plan.policy = &policy;
	uint16_t codes[ATT_SNP_NUM_CHECKS], code;
	uint8_t accepted, verified, parsed;
	uint32_t omissions;
	int32_t leaf, crl;
	int64_t until;
	att_finding findings[ATT_SNP_NUM_CHECKS];
	att_snp_report claims;
	att_snp_columns out = {codes, &code, &accepted, &verified, &parsed, &omissions, &leaf, &crl, &until, findings, &claims, NULL, NULL};
	att_snp_work work[1];
	att_sig_job jobs[1];
	if (att_snp_verify(first_usable(), &plan, NULL, work, jobs, &out) != 0) {
		exit(3);
	}
	print_row(&out);
}

int main(int argc, char **argv) {
	static bag roots, certs;
	static att_snp_leaf leaves[MAX_CERTS];
	static att_sig_job jobs[MAX_CERTS * MAX_CERTS];
	static uint32_t set_of[MAX_CERTS];
	uint32_t first[2];
	att_snp_trust trust;
	if (argc < 5 || att_init() != 0) {
		fprintf(stderr, "usage: judge AT ROOTS CERTS REPORT...\n");
		return 2;
	}
	read_bag(argv[2], &roots);
	read_bag(argv[3], &certs);
	make_trust(&roots, &trust);
	att_snp_set set = {leaves, 0, {ATT_PASS, 0, 0}};
	att_sig_run(first_usable(), jobs, att_snp_chain_jobs(&trust, certs.certs, set_of, certs.num, jobs), NULL);
	set.num_leaves = (uint32_t)att_snp_chain_finish(&trust, certs.certs, set_of, certs.num, 1, jobs, leaves, first, &set.error);
	for (int i = 4; i < argc; i++) {
		judge(&trust, &set, strtoll(argv[1], NULL, 10), file_bytes, read_file(argv[i]));
	}
	return 0;
}
