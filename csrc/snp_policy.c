/* SPDX-License-Identifier: Apache-2.0
 *
 * snp_policy.c: what the relying party asked for, held against the fields of a report. Each function judges one thing and returns its
 * finding; att_snp_apply_policy is the list. What was not asked for stays ATT_NOT_RUN. */
#include "snp.h"
#include "snp_layout.h"

/* One judgement: the policy, the report, and what was found about it so far. */
typedef struct {
	const att_snp_policy *policy;
	const uint8_t *report;
	const att_snp_report *fields;
	const att_snp_leaf *leaf; /* may be NULL */
	att_finding *findings;
	uint64_t *required;
} judgement;

/* Asked for, whether or not it can be judged: a required check that did not run is no acceptance. */
static void require(const judgement *j, uint32_t check) { *j->required |= UINT64_C(1) << check; }

static void ask(const judgement *j, uint32_t check, bool passes, uint16_t code, uint16_t field, uint32_t offset) {
	require(j, check);
	j->findings[check] = passes ? att_pass() : att_found(code, field, offset);
}

#define ASK(j, check, passes, field) \
	ask((j), ATT_SNP_CHECK_##check, (passes), ATT_CODE_##check, ATT_FIELD_##field, SNP_AT_##field)

/* By halves: lists are sorted. */
static bool contains(const att_list *list, const uint8_t *item, size_t size) {
	uint64_t low = 0;
	uint64_t high = list->num;
	while (low < high) {
		uint64_t middle = low + (high - low) / 2;
		int order = memcmp(list->items + middle * size, item, size);
		if (order == 0) {
			return true;
		}
		if (order < 0) {
			low = middle + 1;
		} else {
			high = middle;
		}
	}
	return false;
}

/* ---- guest and platform -------------------------------------------------------------------------------------------------- */

static void judge_vmpl(const judgement *j) {
	uint32_t vmpl = j->fields->vmpl;
	if (vmpl == SNP_VMPL_HOST) {
		ask(j, ATT_SNP_CHECK_VMPL, false, ATT_CODE_HOST_REQUESTED, ATT_FIELD_VMPL, SNP_AT_VMPL);
		return;
	}
	ASK(j, VMPL, vmpl <= SNP_VMPL_MAX && (j->policy->vmpls >> vmpl & 1), VMPL);
}

/* The bits of POLICY fall to four checks: the two that open the guest to others, the reserved ones, the rest. Offsets name the
 * byte of the lowest bit that is not as it should be. */
static void judge_bits(const judgement *j, uint32_t check, uint16_t code, uint64_t value, uint64_t mask, uint64_t required,
                       uint64_t forbidden, uint16_t field, uint32_t offset) {
	uint64_t wrong = ((~value & required) | (value & forbidden)) & mask;
	if (((required | forbidden) & mask) == 0) {
		return;
	}
	uint32_t byte = 0;
	while (wrong != 0 && (wrong >> (8 * byte) & 0xFF) == 0) {
		byte++;
	}
	ask(j, check, wrong == 0, code, field, offset + byte);
}

static void judge_guest_policy(const judgement *j) {
	static const struct {
		uint32_t check;
		uint16_t code;
		uint64_t mask;
	} groups[] = {
	    {ATT_SNP_CHECK_DEBUG, ATT_CODE_DEBUG, SNP_POLICY_DEBUG},
	    {ATT_SNP_CHECK_MIGRATION, ATT_CODE_MIGRATION, SNP_POLICY_MIGRATE_MA},
	    {ATT_SNP_CHECK_POLICY_RESERVED, ATT_CODE_POLICY_RESERVED, SNP_POLICY_BIT_17 | SNP_POLICY_UNKNOWN},
	    {ATT_SNP_CHECK_POLICY_BITS, ATT_CODE_POLICY_BITS,
	     ~(SNP_POLICY_DEBUG | SNP_POLICY_MIGRATE_MA | SNP_POLICY_BIT_17 | SNP_POLICY_UNKNOWN)},
	};
	for (size_t i = 0; i < sizeof groups / sizeof groups[0]; i++) {
		/* debug = "required" is a policy one may have, and a clear bit is then not "debug-allowed". */
		bool inverted = groups[i].mask & (SNP_POLICY_DEBUG | SNP_POLICY_MIGRATE_MA) & j->policy->guest_required;
		judge_bits(j, groups[i].check, inverted ? ATT_CODE_POLICY_BITS : groups[i].code, j->fields->policy, groups[i].mask,
		           j->policy->guest_required, j->policy->guest_forbidden, ATT_FIELD_POLICY, SNP_AT_POLICY);
	}
	if (j->policy->min_abi != 0) {
		/* POLICY bits 15:8 are ABI_MAJOR and 7:0 ABI_MINOR: as one number they are the pair, major first. */
		ASK(j, ABI, (j->fields->policy & 0xFFFF) >= j->policy->min_abi, POLICY);
	}
}

static void judge_platform(const judgement *j) {
	const att_snp_policy *p = j->policy;
	judge_bits(j, ATT_SNP_CHECK_PLATFORM_INFO, ATT_CODE_PLATFORM_INFO, j->fields->platform_info, ~UINT64_C(0), p->platform_required,
	           p->platform_forbidden, ATT_FIELD_PLATFORM_INFO, SNP_AT_PLATFORM_INFO);
	if (p->min_version != 0) {
		ask(j, ATT_SNP_CHECK_VERSION_FLOOR, j->fields->version >= p->min_version, ATT_CODE_REPORT_VERSION_FLOOR, ATT_FIELD_VERSION,
		    SNP_AT_VERSION);
	}
	if (p->min_guest_svn != 0) {
		ASK(j, GUEST_SVN, j->fields->guest_svn >= p->min_guest_svn, GUEST_SVN);
	}
	if (p->signers_asked) {
		uint32_t role = j->fields->signing_key == SNP_SIGNING_KEY_VCEK ? ATT_SNP_VCEK : ATT_SNP_VLEK;
		bool known = j->fields->signing_key <= SNP_SIGNING_KEY_VLEK;
		ask(j, ATT_SNP_CHECK_SIGNER_ALLOWED, known && (p->signers >> role & 1), ATT_CODE_SIGNER_REFUSED, ATT_FIELD_KEY_INFO,
		    SNP_AT_KEY_INFO);
	}
}

/* ---- identity of chip and key -------------------------------------------------------------------------------------------- */

static uint32_t product_of(const judgement *j) {
	return j->fields->has_cpuid ? j->fields->product : (j->leaf != NULL ? j->leaf->product : ATT_PRODUCT_NONE);
}

static void judge_chip(const judgement *j) {
	const att_snp_policy *p = j->policy;
	const uint8_t *chip = j->report + SNP_AT_CHIP_ID;
	bool masked = j->fields->chip_id_masked;
	if (!p->allow_masked_chip_id || p->chips_allowed_64.num != 0) {
		bool unknown = masked; /* an allow-list cannot be met by a chip that does not show itself */
		ask(j, ATT_SNP_CHECK_CHIP_ALLOWED, !unknown && (p->chips_allowed_64.num == 0 || contains(&p->chips_allowed_64, chip, 64)),
		    unknown ? ATT_CODE_CHIP_MASKED : ATT_CODE_CHIP_REFUSED, ATT_FIELD_CHIP_ID, SNP_AT_CHIP_ID);
	}
	if (p->chips_denied_64.num != 0) {
		ask(j, ATT_SNP_CHECK_CHIP_DENIED, !masked && !contains(&p->chips_denied_64, chip, 64),
		    masked ? ATT_CODE_CHIP_MASKED : ATT_CODE_CHIP_DENIED, ATT_FIELD_CHIP_ID, SNP_AT_CHIP_ID);
	}
}

/* These three need the certificate; without one they stay required and not run. */
static void ask_of_leaf(const judgement *j, uint32_t check, const att_list *list, const uint8_t *item, size_t size, bool wanted,
                        uint16_t code, uint16_t field) {
	if (list->num == 0) {
		return;
	}
	require(j, check);
	if (j->leaf != NULL) {
		ask(j, check, contains(list, item, size) == wanted, code, field, 0);
	}
}

static void judge_leaf_key(const judgement *j) {
	static const att_snp_leaf none;
	const att_snp_policy *p = j->policy;
	const att_snp_leaf *leaf = j->leaf != NULL ? j->leaf : &none;
	ask_of_leaf(j, ATT_SNP_CHECK_LEAF_KEY_ALLOWED, &p->leaf_keys_allowed_32, leaf->spki_sha256, 32, true, ATT_CODE_LEAF_KEY_REFUSED,
	            ATT_FIELD_LEAF);
	ask_of_leaf(j, ATT_SNP_CHECK_LEAF_KEY_DENIED, &p->leaf_keys_denied_32, leaf->spki_sha256, 32, false, ATT_CODE_LEAF_KEY_DENIED,
	            ATT_FIELD_LEAF);
	/* A VCEK has no CSP_ID: 64 zeros, which no list may hold. */
	ask_of_leaf(j, ATT_SNP_CHECK_CSP_ALLOWED, &p->csp_ids_64, leaf->csp_id, 64, true, ATT_CODE_CSP_REFUSED, ATT_FIELD_EXT_CSP_ID);
}

static void judge_product(const judgement *j) {
	if (!j->policy->products_asked) {
		return;
	}
	require(j, ATT_SNP_CHECK_PRODUCT_ALLOWED);
	if (j->fields->has_cpuid || j->leaf != NULL) {
		ask(j, ATT_SNP_CHECK_PRODUCT_ALLOWED, j->policy->products >> product_of(j) & 1, ATT_CODE_PRODUCT_REFUSED,
		    ATT_FIELD_CPUID_FAM_ID, SNP_AT_CPUID_FAM_ID);
	}
}

/* ---- firmware ------------------------------------------------------------------------------------------------------------ */

static uint32_t firmware_number(const uint8_t version[3]) {
	return (uint32_t)version[0] << 16 | (uint32_t)version[1] << 8 | version[2];
}

static void judge_firmware(const judgement *j) {
	const att_snp_policy *p = j->policy;
	uint32_t current = firmware_number(j->fields->current_version);
	uint32_t committed = firmware_number(j->fields->committed_version);
	if (!p->allow_provisional) {
		bool same_tcb = memcmp(j->report + SNP_AT_COMMITTED_TCB, j->report + SNP_AT_CURRENT_TCB, 8) == 0;
		ask(j, ATT_SNP_CHECK_PROVISIONAL, same_tcb && committed == current, ATT_CODE_PROVISIONAL,
		    same_tcb ? ATT_FIELD_COMMITTED_VERSION : ATT_FIELD_COMMITTED_TCB,
		    same_tcb ? SNP_AT_COMMITTED_VERSION : SNP_AT_COMMITTED_TCB);
	}
	if (p->min_current_firmware != 0 || p->min_committed_firmware != 0) {
		bool current_ok = current >= p->min_current_firmware;
		ask(j, ATT_SNP_CHECK_FIRMWARE, current_ok && committed >= p->min_committed_firmware, ATT_CODE_FIRMWARE,
		    current_ok ? ATT_FIELD_COMMITTED_VERSION : ATT_FIELD_CURRENT_VERSION,
		    current_ok ? SNP_AT_COMMITTED_VERSION : SNP_AT_CURRENT_VERSION);
	}
}

static bool floor_matches(const judgement *j, const att_snp_floor *floor) {
	const att_snp_report *f = j->fields;
	if (!floor->by_cpuid) {
		return floor->product == ATT_PRODUCT_NONE || floor->product == product_of(j);
	}
	return f->has_cpuid && floor->family == f->cpuid_fam_id && floor->model == f->cpuid_mod_id &&
	       (floor->stepping == 0xFF || floor->stepping == f->cpuid_step);
}

static void judge_floor(const judgement *j, uint8_t kind, uint32_t check, uint16_t code, uint16_t field, uint32_t offset) {
	bool asked = false;
	bool matched = false;
	bool reached = true;
	for (uint64_t i = 0; i < j->policy->num_floors; i++) {
		const att_snp_floor *floor = &j->policy->floors[i];
		if (floor->kind != kind) {
			continue;
		}
		asked = true;
		if (floor_matches(j, floor)) {
			matched = true;
			reached = reached && att_snp_tcb_ge(&j->fields->tcb[kind], &floor->minimum);
		}
	}
	if (asked) {
		require(j, check);
	}
	if (asked && j->fields->tcb_layout != SNP_TCB_UNKNOWN) {
		ask(j, check, matched && reached, matched ? code : ATT_CODE_TCB_FLOOR_UNDEFINED, field, offset);
	}
}

static void judge_floors(const judgement *j) {
	judge_floor(j, ATT_TCB_REPORTED, ATT_SNP_CHECK_REPORTED_FLOOR, ATT_CODE_REPORTED_FLOOR, ATT_FIELD_REPORTED_TCB,
	            SNP_AT_REPORTED_TCB);
	judge_floor(j, ATT_TCB_COMMITTED, ATT_SNP_CHECK_COMMITTED_FLOOR, ATT_CODE_COMMITTED_FLOOR, ATT_FIELD_COMMITTED_TCB,
	            SNP_AT_COMMITTED_TCB);
	judge_floor(j, ATT_TCB_CURRENT, ATT_SNP_CHECK_CURRENT_FLOOR, ATT_CODE_CURRENT_FLOOR, ATT_FIELD_CURRENT_TCB, SNP_AT_CURRENT_TCB);
	judge_floor(j, ATT_TCB_LAUNCH, ATT_SNP_CHECK_LAUNCH_FLOOR, ATT_CODE_LAUNCH_FLOOR, ATT_FIELD_LAUNCH_TCB, SNP_AT_LAUNCH_TCB);
}

/* The vectors are bit sets. Versions before 5 do not vouch for them; what 4 has there is unpublished. */
static bool mitigated(const judgement *j, uint64_t vector, uint64_t wanted) {
	bool vouched = j->fields->version >= 5 || (j->fields->version == 4 && j->policy->allow_v4_mitigations);
	return vouched && (vector & wanted) == wanted;
}

static void judge_mitigations(const judgement *j) {
	const att_snp_policy *p = j->policy;
	if (p->launch_mitigations != 0) {
		ASK(j, LAUNCH_MITIGATION, mitigated(j, j->fields->launch_mit_vector, p->launch_mitigations), LAUNCH_MIT_VECTOR);
	}
	if (p->current_mitigations != 0) {
		ASK(j, CURRENT_MITIGATION, mitigated(j, j->fields->current_mit_vector, p->current_mitigations), CURRENT_MIT_VECTOR);
	}
}

/* ---- contents ------------------------------------------------------------------------------------------------------------ */

static void judge_report_data(const judgement *j) {
	const att_snp_policy *p = j->policy;
	if (p->report_data_len == 0) {
		return;
	}
	const uint8_t *data = j->report + SNP_AT_REPORT_DATA;
	uint32_t len = p->report_data_len < SNP_SIZE_REPORT_DATA ? p->report_data_len : SNP_SIZE_REPORT_DATA;
	uint32_t same = 0;
	while (same < len && data[same] == p->report_data[same]) {
		same++;
	}
	if (same == len && p->report_data_zero_tail) {
		same += att_first_nonzero(data + len, SNP_SIZE_REPORT_DATA - len);
		len = SNP_SIZE_REPORT_DATA;
	}
	ask(j, ATT_SNP_CHECK_REPORT_DATA, same == len, ATT_CODE_REPORT_DATA, ATT_FIELD_REPORT_DATA, SNP_AT_REPORT_DATA + same);
}

#define ASK_LIST(j, check, list, field) \
	do { \
		if ((j)->policy->list.num != 0) { \
			ASK(j, check, contains(&(j)->policy->list, (j)->report + SNP_AT_##field, SNP_SIZE_##field), field); \
		} \
	} while (0)

static void judge_contents(const judgement *j) {
	ASK_LIST(j, MEASUREMENT, measurements_48, MEASUREMENT);
	judge_report_data(j);
	ASK_LIST(j, HOST_DATA, host_data_32, HOST_DATA);
	ASK_LIST(j, FAMILY_ID, family_ids_16, FAMILY_ID);
	ASK_LIST(j, IMAGE_ID, image_ids_16, IMAGE_ID);
	ASK_LIST(j, REPORT_ID, report_ids_32, REPORT_ID);
	ASK_LIST(j, REPORT_ID_MA, report_ids_ma_32, REPORT_ID_MA);
}

/* An ID block is there when ID_KEY_DIGEST is not zero; AUTHOR_KEY_DIGEST has a meaning only under AUTHOR_KEY_EN. */
static void judge_id_block(const judgement *j) {
	const att_snp_policy *p = j->policy;
	const uint8_t *digest = j->report + SNP_AT_ID_KEY_DIGEST;
	bool present = att_first_nonzero(digest, SNP_SIZE_ID_KEY_DIGEST) < SNP_SIZE_ID_KEY_DIGEST;
	if (p->id_block != 0) {
		ask(j, ATT_SNP_CHECK_ID_BLOCK, present == (p->id_block == 1),
		    p->id_block == 1 ? ATT_CODE_ID_BLOCK_MISSING : ATT_CODE_ID_BLOCK_REFUSED, ATT_FIELD_ID_KEY_DIGEST, SNP_AT_ID_KEY_DIGEST);
	}
	if (p->id_keys_48.num != 0) {
		ASK(j, ID_KEY, present && contains(&p->id_keys_48, digest, SNP_SIZE_ID_KEY_DIGEST), ID_KEY_DIGEST);
	}
	if (p->author_keys_48.num != 0) {
		bool enabled = j->fields->author_key_en;
		ask(j, ATT_SNP_CHECK_AUTHOR_KEY,
		    enabled && contains(&p->author_keys_48, j->report + SNP_AT_AUTHOR_KEY_DIGEST, SNP_SIZE_AUTHOR_KEY_DIGEST),
		    ATT_CODE_AUTHOR_KEY, enabled ? ATT_FIELD_AUTHOR_KEY_DIGEST : ATT_FIELD_KEY_INFO,
		    enabled ? SNP_AT_AUTHOR_KEY_DIGEST : SNP_AT_KEY_INFO);
	}
}

static uint32_t omissions_of(const judgement *j) {
	const att_snp_policy *p = j->policy;
	uint32_t omitted = 0;
	omitted |= p->measurements_48.num == 0 ? ATT_OMIT_MEASUREMENT : 0u;
	omitted |= p->report_data_len == 0 ? ATT_OMIT_REPORT_DATA : 0u;
	omitted |= p->num_floors == 0 ? ATT_OMIT_TCB_FLOOR : 0u;
	omitted |= j->fields->chip_id_masked ? ATT_OMIT_CHIP_ID : 0u;
	return omitted;
}

void att_snp_apply_policy(const att_snp_policy *policy, const uint8_t *report, const att_snp_report *fields, const att_snp_leaf *leaf,
                          att_finding *findings, uint64_t *required, uint32_t *omissions) {
	judgement j = {policy, report, fields, leaf, findings, required};
	judge_vmpl(&j);
	judge_guest_policy(&j);
	judge_platform(&j);
	judge_product(&j);
	judge_chip(&j);
	judge_leaf_key(&j);
	judge_firmware(&j);
	judge_floors(&j);
	judge_mitigations(&j);
	judge_contents(&j);
	judge_id_block(&j);
	*omissions |= omissions_of(&j);
}
