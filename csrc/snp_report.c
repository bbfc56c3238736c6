/* SPDX-License-Identifier: Apache-2.0
 *
 * snp_report.c: one ATTESTATION_REPORT (AMD 56860): fields, reserved bytes, product, TCB layouts. Nothing here needs a certificate.
 */
#include "snp.h"
#include "snp_layout.h"

typedef struct {
	uint16_t field;
	uint16_t offset;
	uint16_t size;
} layout_entry;

static const layout_entry layout[] = {
#define SNP_ENTRY(name, offset, size) {ATT_FIELD_##name, (offset), (size)},
    SNP_ALL(SNP_ENTRY)
#undef SNP_ENTRY
};

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

int32_t att_snp_layout(uint32_t i, uint32_t *out_field, uint32_t *out_offset, uint32_t *out_size) {
	if (i >= COUNT(layout)) {
		return 0;
	}
	*out_field = layout[i].field;
	*out_offset = layout[i].offset;
	*out_size = layout[i].size;
	return 1;
}

/* Ranges are inclusive. Bergamo and Siena (A0h to AFh) have Genoa's keys and certificates. */
uint8_t att_snp_product_of_cpuid(uint8_t family, uint8_t model) {
	if (family == 0x19) {
		if (model <= 0x0F) {
			return ATT_PRODUCT_MILAN;
		}
		if ((model >= 0x10 && model <= 0x1F) || (model >= 0xA0 && model <= 0xAF)) {
			return ATT_PRODUCT_GENOA;
		}
	}
	if (family == 0x1A) {
		if (model <= 0x1F) {
			return ATT_PRODUCT_TURIN;
		}
		if ((model >= 0x50 && model <= 0x5F) || (model >= 0x90 && model <= 0xAF) || (model >= 0xC0 && model <= 0xC7)) {
			return ATT_PRODUCT_VENICE;
		}
	}
	return ATT_PRODUCT_NONE;
}

uint8_t att_snp_tcb_layout_of(uint8_t product) {
	switch (product) {
	case ATT_PRODUCT_MILAN:
	case ATT_PRODUCT_GENOA:
		return SNP_TCB_MILAN;
	case ATT_PRODUCT_TURIN:
		return SNP_TCB_TURIN;
	default:
		return SNP_TCB_UNKNOWN;
	}
}

static uint8_t tcb_part(const uint8_t raw[8], int8_t index, uint8_t *seen) {
	if (index < 0) {
		return 0;
	}
	*seen |= (uint8_t)(1u << index);
	return raw[index];
}

uint32_t att_snp_tcb_read(const uint8_t raw[8], uint8_t layout_number, att_snp_tcb *out) {
	const snp_tcb_layout *parts = &SNP_TCB_LAYOUTS[layout_number];
	uint8_t seen = 0;
	out->fmc = tcb_part(raw, parts->fmc, &seen);
	out->boot_loader = tcb_part(raw, parts->boot_loader, &seen);
	out->tee = tcb_part(raw, parts->tee, &seen);
	out->snp = tcb_part(raw, parts->snp, &seen);
	out->microcode = tcb_part(raw, parts->microcode, &seen);
	for (uint32_t i = 0; i < 8; i++) {
		if (!(seen & (1u << i)) && raw[i] != 0) {
			return i;
		}
	}
	return 8;
}

bool att_snp_tcb_ge(const att_snp_tcb *a, const att_snp_tcb *b) {
	return a->fmc >= b->fmc && a->boot_loader >= b->boot_loader && a->tee >= b->tee && a->snp >= b->snp &&
	       a->microcode >= b->microcode;
}

bool att_snp_tcb_eq(const att_snp_tcb *a, const att_snp_tcb *b) {
	return a->fmc == b->fmc && a->boot_loader == b->boot_loader && a->tee == b->tee && a->snp == b->snp &&
	       a->microcode == b->microcode;
}

att_finding att_snp_read_tcbs(const uint8_t *report, uint8_t layout_number, att_snp_report *out) {
	static const struct {
		uint8_t kind;
		uint16_t field;
		uint16_t offset;
	} tcbs[] = {
	    {ATT_TCB_CURRENT, ATT_FIELD_CURRENT_TCB, SNP_AT_CURRENT_TCB},
	    {ATT_TCB_REPORTED, ATT_FIELD_REPORTED_TCB, SNP_AT_REPORTED_TCB},
	    {ATT_TCB_COMMITTED, ATT_FIELD_COMMITTED_TCB, SNP_AT_COMMITTED_TCB},
	    {ATT_TCB_LAUNCH, ATT_FIELD_LAUNCH_TCB, SNP_AT_LAUNCH_TCB},
	};
	att_finding found = att_pass();
	out->tcb_layout = layout_number;
	for (size_t i = 0; i < COUNT(tcbs); i++) {
		uint32_t bad = att_snp_tcb_read(report + tcbs[i].offset, layout_number, &out->tcb[tcbs[i].kind]);
		if (bad < 8 && found.code == ATT_PASS) {
			found = att_found(ATT_CODE_TCB_RESERVED, tcbs[i].field, tcbs[i].offset + bad);
		}
	}
	return found;
}

bool att_snp_chip_is_long(const uint8_t *report) {
	uint32_t tail = SNP_SIZE_CHIP_ID - SNP_SHORT_CHIP_ID;
	return att_first_nonzero(report + SNP_AT_CHIP_ID + SNP_SHORT_CHIP_ID, tail) < tail;
}

static att_finding judge_version(uint32_t version) {
	/* 4 is on machines but unpublished: judged as 3, its two new words aside. 6 (Venice) is known and not judged. */
	return version >= 2 && version <= 5 ? att_pass() : att_found(ATT_CODE_REPORT_VERSION, ATT_FIELD_VERSION, SNP_AT_VERSION);
}

static att_finding judge_signing_key(const att_snp_report *r) {
	if (r->signing_key == SNP_SIGNING_KEY_NONE) {
		return att_found(ATT_CODE_REPORT_UNSIGNED, ATT_FIELD_KEY_INFO, SNP_AT_KEY_INFO);
	}
	if (r->signing_key > SNP_SIGNING_KEY_VLEK) {
		return att_found(ATT_CODE_SIGNING_KEY, ATT_FIELD_KEY_INFO, SNP_AT_KEY_INFO);
	}
	if (r->mask_chip_key) {
		return att_found(ATT_CODE_CHIP_KEY_MASKED, ATT_FIELD_KEY_INFO, SNP_AT_KEY_INFO);
	}
	return att_pass();
}

static att_finding judge_reserved(const uint8_t *report, const att_snp_report *r) {
	if (r->key_info >> SNP_KEY_INFO_RESERVED_SHIFT) {
		return att_found(ATT_CODE_RESERVED, ATT_FIELD_KEY_INFO, SNP_AT_KEY_INFO);
	}
	for (size_t i = 0; i < COUNT(SNP_RESERVED); i++) {
		const snp_reserved_range *range = &SNP_RESERVED[i];
		if (r->version < range->first_version || r->version > range->last_version) {
			continue;
		}
		uint32_t bad = att_first_nonzero(report + range->offset, range->size);
		if (bad < range->size) {
			return att_found(ATT_CODE_RESERVED, range->field, range->offset + bad);
		}
	}
	return att_pass();
}

static void read_key_info(att_snp_report *r, uint32_t key_info) {
	r->key_info = key_info;
	r->author_key_en = (key_info & SNP_KEY_INFO_AUTHOR_KEY_EN) != 0;
	r->mask_chip_key = (key_info & SNP_KEY_INFO_MASK_CHIP_KEY) != 0;
	r->signing_key = (key_info >> SNP_KEY_INFO_SIGNING_KEY_SHIFT) & 7;
}

static void read_firmware(uint8_t out[3], const uint8_t *build_minor_major) {
	out[0] = build_minor_major[2];
	out[1] = build_minor_major[1];
	out[2] = build_minor_major[0];
}

static void read_fields(const uint8_t *report, att_snp_report *r) {
	r->guest_svn = att_load_le32(report + SNP_AT_GUEST_SVN);
	r->policy = att_load_le64(report + SNP_AT_POLICY);
	r->vmpl = att_load_le32(report + SNP_AT_VMPL);
	r->signature_algo = att_load_le32(report + SNP_AT_SIGNATURE_ALGO);
	r->platform_info = att_load_le64(report + SNP_AT_PLATFORM_INFO);
	read_key_info(r, att_load_le32(report + SNP_AT_KEY_INFO));
	r->chip_id_masked = att_first_nonzero(report + SNP_AT_CHIP_ID, SNP_SIZE_CHIP_ID) == SNP_SIZE_CHIP_ID;
	read_firmware(r->current_version, report + SNP_AT_CURRENT_VERSION);
	read_firmware(r->committed_version, report + SNP_AT_COMMITTED_VERSION);
	if (r->version >= 3) {
		r->has_cpuid = 1;
		r->cpuid_fam_id = report[SNP_AT_CPUID_FAM_ID];
		r->cpuid_mod_id = report[SNP_AT_CPUID_MOD_ID];
		r->cpuid_step = report[SNP_AT_CPUID_STEP];
		r->product = att_snp_product_of_cpuid(r->cpuid_fam_id, r->cpuid_mod_id);
	}
	if (r->version >= 4) {
		r->launch_mit_vector = att_load_le64(report + SNP_AT_LAUNCH_MIT_VECTOR);
		r->current_mit_vector = att_load_le64(report + SNP_AT_CURRENT_MIT_VECTOR);
	}
}

/* Version 2 has no CPUID. A CHIP_ID with a non-zero byte behind the first 8 is no Turin's, so the older layout is certain; else the
 * caller's product, if any, decides. Later the chain does. */
static uint8_t layout_without_chain(const uint8_t *report, const att_snp_report *r, uint8_t product_hint) {
	if (r->has_cpuid) {
		return att_snp_tcb_layout_of(r->product);
	}
	return att_snp_chip_is_long(report) ? SNP_TCB_MILAN : att_snp_tcb_layout_of(product_hint);
}

bool att_snp_parse_fixed(const uint8_t *report, uint8_t product_hint, att_snp_report *out, att_finding *findings) {
	memset(out, 0, sizeof *out);
	SNP_SET(findings, LENGTH, att_pass());
	out->version = att_load_le32(report + SNP_AT_VERSION);
	SNP_SET(findings, VERSION, judge_version(out->version));
	if (out->version < 2 || out->version > 6) {
		return false; /* no field behind VERSION has a meaning we know */
	}
	read_fields(report, out);
	SNP_SET(findings, ALGORITHM,
	        out->signature_algo == SNP_ALGO_ECDSA_P384_SHA384
	            ? att_pass()
	            : att_found(ATT_CODE_SIGNATURE_ALGO, ATT_FIELD_SIGNATURE_ALGO, SNP_AT_SIGNATURE_ALGO));
	SNP_SET(findings, SIGNING_KEY, judge_signing_key(out));
	SNP_SET(findings, RESERVED, judge_reserved(report, out));
	if (out->has_cpuid) {
		bool judged = att_snp_tcb_layout_of(out->product) != SNP_TCB_UNKNOWN;
		SNP_SET(findings, PRODUCT,
		        judged ? att_pass() : att_found(ATT_CODE_PRODUCT_UNSUPPORTED, ATT_FIELD_CPUID_FAM_ID, SNP_AT_CPUID_FAM_ID));
	}
	uint8_t number = layout_without_chain(report, out, product_hint);
	if (number != SNP_TCB_UNKNOWN) {
		SNP_SET(findings, TCB_LAYOUT, att_snp_read_tcbs(report, number, out));
	}
	return true;
}

int32_t att_snp_parse(const uint8_t *data, uint64_t data_len, uint32_t product, att_snp_report *out, att_finding *findings) {
	memset(findings, 0, ATT_SNP_NUM_CHECKS * sizeof *findings);
	memset(out, 0, sizeof *out);
	if (data == NULL) {
		SNP_SET(findings, LENGTH, att_found(ATT_CODE_EVIDENCE_MISSING, ATT_FIELD_REPORT, 0));
		return 0;
	}
	if (data_len != ATT_SNP_REPORT_LEN) {
		uint32_t at = data_len < ATT_SNP_REPORT_LEN ? (uint32_t)data_len : ATT_SNP_REPORT_LEN;
		SNP_SET(findings, LENGTH, att_found(ATT_CODE_REPORT_LENGTH, ATT_FIELD_REPORT, at));
		return 0;
	}
	uint8_t copy[ATT_SNP_REPORT_LEN]; /* the caller's buffer may change under us */
	memcpy(copy, data, sizeof copy);
	return att_snp_parse_fixed(copy, (uint8_t)product, out, findings);
}
