/* SPDX-License-Identifier: Apache-2.0
 *
 * tdx_policy.c: what the relying party asked for, held against a quote, its platform and its collateral. Each function judges one thing;
 * att_tdx_apply_policy is the list. What was not asked for stays ATT_NOT_RUN. What was asked of a field that this quote has not (a TD's
 * of an enclave, an enclave's of a TD, a newer body's of an older one) fails with the code of its check: there is nothing that could
 * match. What a policy forbids is judged only where the field exists. */
#include "tdx.h"
#include "tdx_layout.h"
#include "tdx_rows.h"

enum { ANY = 0, REQUIRED = 1, FORBIDDEN = 2 };

/* Asked for, whether or not it can be judged: a required check that did not run is no acceptance. */
static void require(att_tdx_row *row, uint32_t check) { row->required[check / 64] |= UINT64_C(1) << (check % 64); }

static void ask(att_tdx_row *row, uint32_t check, bool passes, uint16_t code, uint16_t field, uint32_t offset) {
	require(row, check);
	if (row->findings[check].code <= ATT_PASS) { /* of several questions under one check the first that fails is told */
		row->findings[check] = passes ? att_pass() : att_found(code, field, offset);
	}
}

#define ASK(row, check, passes, code, field, offset) \
	ask((row), ATT_TDX_CHECK_##check, (passes), ATT_CODE_##code, ATT_FIELD_##field, (offset))

static bool is_tdx(const att_tdx_row *row) { return row->quote.body_type != ATT_BODY_SGX; }
static bool is_td15(const att_tdx_row *row) { return row->quote.body_type >= ATT_BODY_TD15; }
static bool is_td15_ex(const att_tdx_row *row) { return row->quote.body_type == ATT_BODY_TD15_EX; }

static const uint8_t *body_at(const att_tdx_row *row, uint32_t offset) { return row->bytes + row->quote.body.offset + offset; }
static uint32_t offset_of(const att_tdx_row *row, uint32_t offset) { return row->quote.body.offset + offset; }

static uint32_t load_le16(const uint8_t *p) { return (uint32_t)p[0] | (uint32_t)p[1] << 8; }

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

/* ---- TCB ----------------------------------------------------------------------------------------------------------------- */

/* OutOfDate may be tolerated for a while after the tcbDate of the oldest level that matched; the configuration that
 * OutOfDateConfigurationNeeded asks for besides must be one that the policy can do without. */
static bool within_grace(att_tdx_row *row) {
	const att_tdx_policy *p = row->plan->policy;
	const att_tcb_result *tcb = &row->tcb;
	bool configured = tcb->status == ATT_TCB_OUT_OF_DATE_CONFIGURATION_NEEDED;
	if (p->grace_seconds <= 0 || tcb->date == ATT_NO_TIME || !row->timely) {
		return false;
	}
	if (tcb->status != ATT_TCB_OUT_OF_DATE && !(configured && (p->statuses >> ATT_TCB_CONFIGURATION_NEEDED & 1))) {
		return false;
	}
	if (row->at - tcb->date > p->grace_seconds) {
		return false;
	}
	att_tdx_row_ends(row, row->at + (p->grace_seconds - (row->at - tcb->date)));
	return true;
}

/* Revoked is never allowed, whatever the set says. */
static void judge_status(att_tdx_row *row) {
	uint32_t status = row->tcb.status;
	if (row->findings[ATT_TDX_CHECK_TCB_LEVEL].code != ATT_PASS || status == ATT_TCB_NONE || status > ATT_TCB_REVOKED) {
		return;
	}
	if (status == ATT_TCB_REVOKED) {
		ASK(row, TCB_STATUS, false, TCB_REVOKED, JSON_TCB_STATUS, 0);
		return;
	}
	bool allowed = (row->plan->policy->statuses >> status & 1) || within_grace(row);
	ASK(row, TCB_STATUS, allowed, TCB_STATUS, JSON_TCB_STATUS, 0);
}

/* An id as the lists have it; one that is longer than they can hold is on none. */
static bool listed_advisory(const att_list *list, const uint8_t *text, const att_span *id) {
	uint8_t padded[32] = {0};
	if (id->len > sizeof padded) {
		return false;
	}
	memcpy(padded, text + id->offset, id->len);
	return contains(list, padded, sizeof padded);
}

/* The advisories of one level: none that is refused, and when the tolerated ones are named none besides them. */
static void judge_level_advisories(att_tdx_row *row, const att_tcb_level *level, int document) {
	const att_tdx_policy *p = row->plan->policy;
	const att_tdx_collateral *c = row->collateral;
	for (uint32_t i = 0; i < level->num_advisories; i++) {
		const att_span *id = &c->advisories[document][level->first_advisory + i];
		bool refused = listed_advisory(&p->advisories_refused_32, c->text[document], id);
		bool tolerated = !p->advisories_asked || listed_advisory(&p->advisories_tolerated_32, c->text[document], id);
		ASK(row, ADVISORIES, !refused && tolerated, ADVISORY, JSON_ADVISORIES, id->offset);
	}
}

/* Every level that matched counts, those of TEE_TCB_SVN_2 too. */
static void judge_advisories(att_tdx_row *row) {
	const att_tdx_policy *p = row->plan->policy;
	const att_tdx_collateral *c = row->collateral;
	const att_tcb_result *tcb = &row->tcb;
	if (p->advisories_refused_32.num == 0 && !p->advisories_asked) {
		return;
	}
	require(row, ATT_TDX_CHECK_ADVISORIES);
	if (row->findings[ATT_TDX_CHECK_TCB_LEVEL].code != ATT_PASS) {
		return;
	}
	row->findings[ATT_TDX_CHECK_ADVISORIES] = att_pass();
	for (int i = 0; i < 2; i++) {
		if (tcb->level[i] >= 0) {
			judge_level_advisories(row, &c->levels[tcb->level[i]], 0);
		}
		if (tcb->module[i] >= 0 && tcb->module_level[i] >= 0) {
			judge_level_advisories(row, &c->modules[tcb->module[i]].levels[tcb->module_level[i]], 0);
		}
	}
	if (tcb->qe_level >= 0) {
		judge_level_advisories(row, &c->qe_levels[tcb->qe_level], 1);
	}
}

static void judge_floor(att_tdx_row *row, const uint8_t floor[16], bool there, uint32_t at, uint16_t field) {
	uint32_t i = 0;
	while (there && i < 16 && body_at(row, at)[i] >= floor[i]) {
		i++;
	}
	ask(row, ATT_TDX_CHECK_SVN_FLOOR, there && i == 16, ATT_CODE_SVN_FLOOR, field, there ? offset_of(row, at) + i : 0);
}

static void judge_floors(att_tdx_row *row) {
	const att_tdx_policy *p = row->plan->policy;
	if (p->has_svn_floor) {
		judge_floor(row, p->svn_floor, is_tdx(row), TDX_AT_TEE_TCB_SVN, ATT_FIELD_TEE_TCB_SVN);
	}
	if (p->has_svn_2_floor) {
		judge_floor(row, p->svn_2_floor, is_td15(row), TDX_AT_TEE_TCB_SVN_2, ATT_FIELD_TEE_TCB_SVN_2);
	}
}

/* ---- collateral ---------------------------------------------------------------------------------------------------------- */

static void judge_evaluation_number(att_tdx_row *row) {
	uint32_t least = row->plan->policy->min_evaluation_number;
	if (least == 0) {
		return;
	}
	require(row, ATT_TDX_CHECK_EVALUATION_NUMBER);
	if (att_tdx_row_passed(row, ATT_TDX_CHECK_TCB_INFO) && att_tdx_row_passed(row, ATT_TDX_CHECK_QE_IDENTITY)) {
		ASK(row, EVALUATION_NUMBER, row->collateral->tcb_evaluation_number >= least, EVALUATION_NUMBER, TCB_INFO, 0);
		ASK(row, EVALUATION_NUMBER, row->collateral->identity_evaluation_number >= least, EVALUATION_NUMBER, QE_IDENTITY, 0);
	}
}

static void judge_age(att_tdx_row *row, int64_t issued, uint16_t field) {
	int64_t most = row->plan->policy->max_collateral_age;
	ask(row, ATT_TDX_CHECK_COLLATERAL_AGE, row->at - issued <= most, ATT_CODE_COLLATERAL_AGE, field, 0);
	if (row->at - issued <= most) {
		att_tdx_row_ends(row, row->at + (most - (row->at - issued)));
	}
}

/* Of what Intel issues anew each month. The root's CRL holds for a year: its age says nothing about care. */
static void judge_ages(att_tdx_row *row) {
	if (row->plan->policy->max_collateral_age <= 0) {
		return;
	}
	require(row, ATT_TDX_CHECK_COLLATERAL_AGE);
	if (row->timely && att_tdx_row_passed(row, ATT_TDX_CHECK_TCB_INFO) && att_tdx_row_passed(row, ATT_TDX_CHECK_QE_IDENTITY) &&
	    att_tdx_row_passed(row, ATT_TDX_CHECK_PCK_CRL)) {
		judge_age(row, row->collateral->tcb_issue_date, ATT_FIELD_TCB_INFO);
		judge_age(row, row->collateral->identity_issue_date, ATT_FIELD_QE_IDENTITY);
		judge_age(row, row->collateral->pck_crl.this_update, ATT_FIELD_PCK_CRL);
	}
}

/* ---- attributes ---------------------------------------------------------------------------------------------------------- */

static void judge_tee(att_tdx_row *row) {
	const att_tdx_policy *p = row->plan->policy;
	ASK(row, TEE_ALLOWED, is_tdx(row) ? p->allow_tdx : p->allow_sgx, TEE_NOT_ALLOWED, QUOTE_TEE_TYPE, TDX_AT_QUOTE_TEE_TYPE);
}

/* Offset of the byte of the lowest bit that is wrong. */
static uint32_t byte_of(uint64_t wrong) {
	uint32_t byte = 0;
	while (wrong != 0 && (wrong >> (8 * byte) & 0xFF) == 0) {
		byte++;
	}
	return byte;
}

static void judge_debug(att_tdx_row *row) {
	uint8_t wish = row->plan->policy->debug;
	bool tdx = is_tdx(row);
	uint32_t at = tdx ? TDX_AT_TD_ATTRIBUTES : TDX_AT_SGX_ATTRIBUTES;
	bool set = *body_at(row, at) & (tdx ? TD_ATTRIBUTES_DEBUG : SGX_ATTRIBUTES_DEBUG);
	if (wish == ANY) {
		return;
	}
	/* debug = "required" is a policy one may have, and a clear bit is then not "td-debug". */
	uint16_t code = wish == REQUIRED ? ATT_CODE_TD_ATTRIBUTES : tdx ? ATT_CODE_TD_DEBUG : ATT_CODE_SGX_DEBUG;
	ask(row, ATT_TDX_CHECK_DEBUG, set == (wish == REQUIRED), code, tdx ? ATT_FIELD_TD_ATTRIBUTES : ATT_FIELD_SGX_ATTRIBUTES,
	    offset_of(row, at));
}

static void judge_attributes(att_tdx_row *row) {
	const att_tdx_policy *p = row->plan->policy;
	uint64_t bits = att_load_le64(body_at(row, TDX_AT_TD_ATTRIBUTES));
	uint32_t at = offset_of(row, TDX_AT_TD_ATTRIBUTES);
	if (p->attributes_reserved != 0) {
		uint64_t wrong = bits & p->attributes_reserved;
		ASK(row, ATTRIBUTES_RESERVED, wrong == 0, TD_ATTRIBUTES_RESERVED, TD_ATTRIBUTES, at + byte_of(wrong));
	}
	if (p->migratable != ANY) {
		bool required = p->migratable == REQUIRED;
		bool set = bits & TD_ATTRIBUTES_MIGRATABLE;
		ask(row, ATT_TDX_CHECK_MIGRATABLE, set == required, required ? ATT_CODE_TD_ATTRIBUTES : ATT_CODE_TD_MIGRATABLE,
		    ATT_FIELD_TD_ATTRIBUTES, at + byte_of(TD_ATTRIBUTES_MIGRATABLE));
	}
	if ((p->attributes_required | p->attributes_forbidden) != 0) {
		uint64_t wrong = (~bits & p->attributes_required) | (bits & p->attributes_forbidden);
		ASK(row, ATTRIBUTES, wrong == 0, TD_ATTRIBUTES, TD_ATTRIBUTES, at + byte_of(wrong));
	}
}

static void judge_xfam(att_tdx_row *row) {
	const att_tdx_policy *p = row->plan->policy;
	uint64_t bits = att_load_le64(body_at(row, TDX_AT_XFAM));
	uint32_t at = offset_of(row, TDX_AT_XFAM);
	if ((p->xfam_fixed | p->xfam_reserved) != 0) {
		uint64_t wrong = (~bits & p->xfam_fixed) | (bits & p->xfam_reserved);
		ASK(row, XFAM, wrong == 0, XFAM_RESERVED, XFAM, at + byte_of(wrong));
	}
	if ((p->xfam_required | p->xfam_forbidden) != 0) {
		uint64_t wrong = (~bits & p->xfam_required) | (bits & p->xfam_forbidden);
		ASK(row, XFAM, wrong == 0, XFAM, XFAM, at + byte_of(wrong));
	}
}

/* Body type 4 tells of service TDs in its own fields as well. */
static uint32_t service_td_at(const att_tdx_row *row) {
	if (is_td15(row) && att_first_nonzero(body_at(row, TDX_AT_MR_SERVICE_TD), 48) < 48) {
		return TDX_AT_MR_SERVICE_TD;
	}
	if (is_td15_ex(row) && att_first_nonzero(body_at(row, TDX_AT_CUR_SERVTD_HASH), 48) < 48) {
		return TDX_AT_CUR_SERVTD_HASH;
	}
	return 0;
}

static void judge_service_td(att_tdx_row *row) {
	uint8_t wish = row->plan->policy->service_td;
	uint32_t at = service_td_at(row);
	if (wish == REQUIRED) {
		ASK(row, SERVICE_TD, at != 0, MR_SERVICE_TD, MR_SERVICE_TD, is_td15(row) ? offset_of(row, TDX_AT_MR_SERVICE_TD) : 0);
	} else if (wish == FORBIDDEN) {
		uint16_t field = at == TDX_AT_CUR_SERVTD_HASH ? ATT_FIELD_CUR_SERVTD_HASH : ATT_FIELD_MR_SERVICE_TD;
		ask(row, ATT_TDX_CHECK_SERVICE_TD, at == 0, ATT_CODE_SERVICE_TD, field, at != 0 ? offset_of(row, at) : 0);
	}
}

/* What is required of a TD, and this is none. */
static void refuse_enclave(att_tdx_row *row) {
	const att_tdx_policy *p = row->plan->policy;
	if (p->attributes_required != 0) {
		ASK(row, ATTRIBUTES, false, TD_ATTRIBUTES, TD_ATTRIBUTES, 0);
	}
	if (p->migratable == REQUIRED) {
		ASK(row, MIGRATABLE, false, TD_ATTRIBUTES, TD_ATTRIBUTES, 0);
	}
	if (p->xfam_required != 0) {
		ASK(row, XFAM, false, XFAM, XFAM, 0);
	}
	if (p->service_td == REQUIRED) {
		ASK(row, SERVICE_TD, false, MR_SERVICE_TD, MR_SERVICE_TD, 0);
	}
}

/* ---- contents ------------------------------------------------------------------------------------------------------------ */

/* One list against one field of the body; there: this body has the field. */
static void judge_list(att_tdx_row *row, const att_list *list, bool there, uint32_t check, uint16_t code, uint16_t field, uint32_t at,
                       uint32_t size) {
	if (list->num != 0) {
		ask(row, check, there && contains(list, body_at(row, at), size), code, field, there ? offset_of(row, at) : 0);
	}
}

#define LIST(row, there, check, list, field) \
	judge_list((row), &(row)->plan->policy->list, (there), ATT_TDX_CHECK_##check, ATT_CODE_##check, ATT_FIELD_##field, TDX_AT_##field, \
	           TDX_SIZE_##field)

static void judge_measurements(att_tdx_row *row) {
	static const uint16_t fields[4] = {ATT_FIELD_RT_MR0, ATT_FIELD_RT_MR1, ATT_FIELD_RT_MR2, ATT_FIELD_RT_MR3};
	static const uint32_t places[4] = {TDX_AT_RT_MR0, TDX_AT_RT_MR1, TDX_AT_RT_MR2, TDX_AT_RT_MR3};
	bool td = is_tdx(row);
	LIST(row, td, MR_TD, mr_tds_48, MR_TD);
	LIST(row, td, MR_SEAM, mr_seams_48, MR_SEAM);
	for (int i = 0; i < 4; i++) {
		judge_list(row, &row->plan->policy->rt_mrs_48[i], td, ATT_TDX_CHECK_RT_MR, ATT_CODE_RT_MR, fields[i], places[i], 48);
	}
	LIST(row, td, MR_CONFIG_ID, mr_config_ids_48, MR_CONFIG_ID);
	LIST(row, td, MR_OWNER, mr_owners_48, MR_OWNER);
	LIST(row, td, MR_OWNER_CONFIG, mr_owner_configs_48, MR_OWNER_CONFIG);
	LIST(row, is_td15(row), MR_SERVICE_TD, mr_service_tds_48, MR_SERVICE_TD);
	LIST(row, is_td15_ex(row), MR_SERVICE_TD, td_ids_32, TD_ID);
	LIST(row, is_td15_ex(row), MR_SERVICE_TD, init_service_tds_48, INIT_SERVTD_HASH);
	LIST(row, is_td15_ex(row), MR_SERVICE_TD, current_service_tds_48, CUR_SERVTD_HASH);
}

static void judge_report_data(att_tdx_row *row) {
	const att_tdx_policy *p = row->plan->policy;
	uint32_t at = is_tdx(row) ? TDX_AT_TD_REPORT_DATA : TDX_AT_SGX_REPORT_DATA;
	const uint8_t *data = body_at(row, at);
	uint32_t len = p->report_data_len < sizeof p->report_data ? p->report_data_len : (uint32_t)sizeof p->report_data;
	uint32_t same = 0;
	if (len == 0) {
		return;
	}
	while (same < len && data[same] == p->report_data[same]) {
		same++;
	}
	if (same == len && p->report_data_zero_tail) {
		same += att_first_nonzero(data + len, (uint32_t)sizeof p->report_data - len);
		len = sizeof p->report_data;
	}
	ask(row, ATT_TDX_CHECK_REPORT_DATA, same == len, ATT_CODE_REPORT_DATA,
	    is_tdx(row) ? ATT_FIELD_TD_REPORT_DATA : ATT_FIELD_SGX_REPORT_DATA, offset_of(row, at) + same);
}

static void judge_enclave(att_tdx_row *row) {
	const att_tdx_policy *p = row->plan->policy;
	bool sgx = !is_tdx(row);
	judge_list(row, &p->mr_enclaves_32, sgx, ATT_TDX_CHECK_ENCLAVE, ATT_CODE_MR_ENCLAVE, ATT_FIELD_SGX_MR_ENCLAVE, TDX_AT_SGX_MR_ENCLAVE, 32);
	judge_list(row, &p->mr_signers_32, sgx, ATT_TDX_CHECK_ENCLAVE, ATT_CODE_MR_SIGNER, ATT_FIELD_SGX_MR_SIGNER, TDX_AT_SGX_MR_SIGNER, 32);
	if (p->has_isv_prod_id) {
		bool same = sgx && load_le16(body_at(row, TDX_AT_SGX_ISV_PROD_ID)) == p->isv_prod_id;
		ASK(row, ENCLAVE, same, ISV_PROD_ID, SGX_ISV_PROD_ID, sgx ? offset_of(row, TDX_AT_SGX_ISV_PROD_ID) : 0);
	}
	if (p->min_isv_svn != 0) {
		bool reached = sgx && load_le16(body_at(row, TDX_AT_SGX_ISV_SVN)) >= p->min_isv_svn;
		ASK(row, ENCLAVE, reached, ISV_SVN, SGX_ISV_SVN, sgx ? offset_of(row, TDX_AT_SGX_ISV_SVN) : 0);
	}
}

/* ---- platform ------------------------------------------------------------------------------------------------------------ */

/* A list of things to be allowed or denied: which of them the PCK certificate has, and whether it says so at all. */
typedef struct {
	const att_list *list;
	const uint8_t *item;
	uint32_t size;
	uint16_t field;
	bool there;
} platform_list;

static void judge_platform_lists(att_tdx_row *row, const platform_list *lists, uint32_t check, uint16_t code, bool wanted) {
	bool known = row->platform != NULL && att_tdx_row_passed(row, ATT_TDX_CHECK_PCK_PROFILE);
	for (uint32_t i = 0; i < 4; i++) {
		const platform_list *l = &lists[i];
		if (l->list->num == 0) {
			continue;
		}
		require(row, check);
		if (known) { /* else there is nothing to judge by, and the chain's findings say why */
			bool member = l->there && contains(l->list, l->item, l->size);
			ask(row, check, member == wanted, code, l->field, 0);
		}
	}
}

static void judge_platform(att_tdx_row *row) {
	static const att_tdx_platform none;
	const att_tdx_policy *p = row->plan->policy;
	const att_tdx_platform *at = row->platform != NULL ? row->platform : &none;
	const att_pck_info *pck = &at->pck;
	bool instance = pck->has_configuration;
	const platform_list allowed[4] = {
	    {&p->fmspcs_allowed_6, pck->fmspc, 6, ATT_FIELD_EXT_FMSPC, true},
	    {&p->ppids_allowed_16, pck->ppid, 16, ATT_FIELD_EXT_PPID, true},
	    {&p->instances_allowed_16, pck->platform_instance_id, 16, ATT_FIELD_EXT_PLATFORM_INSTANCE, instance},
	    {&p->pck_keys_allowed_32, at->spki_sha256[0], 32, ATT_FIELD_PCK, true},
	};
	const platform_list denied[4] = {
	    {&p->fmspcs_denied_6, pck->fmspc, 6, ATT_FIELD_EXT_FMSPC, true},
	    {&p->ppids_denied_16, pck->ppid, 16, ATT_FIELD_EXT_PPID, true},
	    {&p->instances_denied_16, pck->platform_instance_id, 16, ATT_FIELD_EXT_PLATFORM_INSTANCE, instance},
	    {&p->pck_keys_denied_32, at->spki_sha256[0], 32, ATT_FIELD_PCK, true},
	};
	judge_platform_lists(row, allowed, ATT_TDX_CHECK_PLATFORM_ALLOWED, ATT_CODE_PLATFORM_REFUSED, true);
	judge_platform_lists(row, denied, ATT_TDX_CHECK_PLATFORM_DENIED, ATT_CODE_PLATFORM_DENIED, false);
}

/* A certificate of the Processor CA says nothing of these three, and then neither answer will do. */
static void judge_wish(att_tdx_row *row, uint8_t wish, const att_pck_info *pck, uint8_t value) {
	if (wish != ANY) {
		ASK(row, PLATFORM_CONFIGURATION, pck->has_configuration && (value != 0) == (wish == REQUIRED), PLATFORM_CONFIGURATION,
		    EXT_CONFIGURATION, 0);
	}
}

static void judge_configuration(att_tdx_row *row) {
	const att_tdx_policy *p = row->plan->policy;
	if (p->sgx_types == 0 && p->dynamic_platform == ANY && p->cached_keys == ANY && p->smt == ANY) {
		return;
	}
	require(row, ATT_TDX_CHECK_PLATFORM_CONFIGURATION);
	if (row->platform == NULL || !att_tdx_row_passed(row, ATT_TDX_CHECK_PCK_PROFILE)) {
		return;
	}
	const att_pck_info *pck = &row->platform->pck;
	if (p->sgx_types != 0) {
		ASK(row, PLATFORM_CONFIGURATION, pck->sgx_type < 32 && (p->sgx_types >> pck->sgx_type & 1), PLATFORM_CONFIGURATION, EXT_SGX_TYPE,
		    0);
	}
	judge_wish(row, p->dynamic_platform, pck, pck->dynamic_platform);
	judge_wish(row, p->cached_keys, pck, pck->cached_keys);
	judge_wish(row, p->smt, pck, pck->smt_enabled);
}

void att_tdx_apply_policy(att_tdx_row *row) {
	judge_status(row);
	judge_tee(row);
	judge_evaluation_number(row);
	judge_ages(row);
	judge_advisories(row);
	judge_floors(row);
	judge_debug(row);
	if (is_tdx(row)) {
		judge_attributes(row);
		judge_xfam(row);
		judge_service_td(row);
	} else {
		refuse_enclave(row);
	}
	judge_measurements(row);
	judge_report_data(row);
	judge_enclave(row);
	judge_platform(row);
	judge_configuration(row);
}
