/* SPDX-License-Identifier: Apache-2.0
 *
 * tdx_collateral.c: what Intel publishes of platforms and quoting enclaves, read and verified once: TCB info, enclave identity, their
 * signers, and the two CRLs. Each part has its own finding, and none that is broken or missing keeps another from being judged.
 *
 * Sources: Intel PCS API version 4, appendices A (TCB info V3) and B (enclave identity V2), and version 3 (TCB info V2); what a document
 * must hold beyond its schema is taken from Intel's quote verification library 1.27 (QVL: TcbInfo.cpp, TcbLevel.cpp, EnclaveIdentity.cpp)
 * where not said otherwise. Members that the schemas do not know are passed over, as Intel adds some from time to time; values that
 * they do not know are refused, as nobody can say what they mean.
 */
#include "json.h"
#include "tdx.h"

/* A document while it is read. */
typedef struct {
	att_json j;
	att_tdx_collateral *out;
	uint32_t document;     /* 0 TCB info, 1 enclave identity: whose advisories */
	uint32_t shapes;       /* bit: a platform level came in this shape */
	uint32_t id;
	uint32_t seen;         /* bit: this member of the outermost object was there */
	uint32_t at[16];       /* where its value begins */
} walk;

/* ---- levels -------------------------------------------------------------------------------------------------------------- */

/* How a platform level tells its components; a document has one shape for all. */
enum { SHAPE_V2, SHAPE_SGX, SHAPE_TDX };

#define COMPONENTS 16u

static void read_components(att_json *j, uint8_t out[COMPONENTS]) {
	static const att_json_key keys[] = {{"svn", ATT_FIELD_NONE, true}};
	uint32_t start = j->in.pos;
	uint32_t num = 0;
	att_json_array(j);
	while (att_json_element(j)) {
		if (num == COMPONENTS) {
			att_json_refuse(j, j->code, j->in.pos);
			return;
		}
		uint32_t key, svn = 0;
		att_json_object(j);
		while (att_json_member(j, keys, 1, &key)) {
			svn = att_json_uint(j, UINT8_MAX);
		}
		out[num++] = (uint8_t)svn;
	}
	if (num != COMPONENTS) {
		att_json_refuse(j, j->code, start);
	}
}

/* Appendix A, "tcb": version 2 has a member for each component, version 3 arrays of sixteen. */
static void read_platform_tcb(walk *w, att_tcb_level *level) {
	static const att_json_key keys[] = {
	    {"sgxtcbcomp01svn", ATT_FIELD_NONE, false}, {"sgxtcbcomp02svn", ATT_FIELD_NONE, false}, {"sgxtcbcomp03svn", ATT_FIELD_NONE, false}, {"sgxtcbcomp04svn", ATT_FIELD_NONE, false},
	    {"sgxtcbcomp05svn", ATT_FIELD_NONE, false}, {"sgxtcbcomp06svn", ATT_FIELD_NONE, false}, {"sgxtcbcomp07svn", ATT_FIELD_NONE, false}, {"sgxtcbcomp08svn", ATT_FIELD_NONE, false},
	    {"sgxtcbcomp09svn", ATT_FIELD_NONE, false}, {"sgxtcbcomp10svn", ATT_FIELD_NONE, false}, {"sgxtcbcomp11svn", ATT_FIELD_NONE, false}, {"sgxtcbcomp12svn", ATT_FIELD_NONE, false},
	    {"sgxtcbcomp13svn", ATT_FIELD_NONE, false}, {"sgxtcbcomp14svn", ATT_FIELD_NONE, false}, {"sgxtcbcomp15svn", ATT_FIELD_NONE, false}, {"sgxtcbcomp16svn", ATT_FIELD_NONE, false},
	    {"sgxtcbcomponents", ATT_FIELD_NONE, false}, {"tdxtcbcomponents", ATT_FIELD_NONE, false}, {"pcesvn", ATT_FIELD_NONE, true},
	};
	enum { SGX = COMPONENTS, TDX, PCE_SVN, NUM };
	static const uint32_t shapes[] = {
	    [SHAPE_V2] = 0xFFFFu | 1u << PCE_SVN, [SHAPE_SGX] = 1u << SGX | 1u << PCE_SVN, [SHAPE_TDX] = 1u << SGX | 1u << TDX | 1u << PCE_SVN};
	att_json *j = &w->j;
	uint32_t start = j->in.pos;
	uint32_t key, seen = 0;
	att_json_object(j);
	while (att_json_member(j, keys, NUM, &key)) {
		seen |= 1u << key;
		if (key == SGX || key == TDX) {
			read_components(j, key == SGX ? level->sgx : level->tdx);
		} else if (key == PCE_SVN) {
			level->pce_svn = (uint16_t)att_json_uint(j, UINT16_MAX);
		} else {
			level->sgx[key] = (uint8_t)att_json_uint(j, UINT8_MAX);
		}
	}
	for (uint32_t shape = 0; shape < 3; shape++) {
		if (seen == shapes[shape]) {
			w->shapes |= 1u << shape;
			return;
		}
	}
	att_json_refuse(j, j->code, start);
}

static void read_svn_tcb(att_json *j, att_tcb_level *level) {
	static const att_json_key keys[] = {{"isvsvn", ATT_FIELD_NONE, true}};
	uint32_t key;
	att_json_object(j);
	while (att_json_member(j, keys, 1, &key)) {
		level->isv_svn = (uint16_t)att_json_uint(j, UINT16_MAX);
	}
}

/* A QE's or a module's level is up to date, out of date or revoked (appendices A and B); another word there would fall through the rules
 * that put the levels together. */
static uint8_t read_status(att_json *j, bool platform) {
	static const char *const words[] = {"UpToDate",
	                                    "OutOfDate",
	                                    "Revoked",
	                                    "SWHardeningNeeded",
	                                    "ConfigurationNeeded",
	                                    "ConfigurationAndSWHardeningNeeded",
	                                    "OutOfDateConfigurationNeeded"};
	static const uint8_t statuses[] = {ATT_TCB_UP_TO_DATE,
	                                   ATT_TCB_OUT_OF_DATE,
	                                   ATT_TCB_REVOKED,
	                                   ATT_TCB_SW_HARDENING_NEEDED,
	                                   ATT_TCB_CONFIGURATION_NEEDED,
	                                   ATT_TCB_CONFIGURATION_AND_SW_HARDENING_NEEDED,
	                                   ATT_TCB_OUT_OF_DATE_CONFIGURATION_NEEDED};
	uint32_t word = att_json_word(j, words, platform ? 7 : 3);
	return att_json_ok(j) ? statuses[word] : (uint8_t)ATT_TCB_NONE;
}

#define MAX_ADVISORY_LEN 32u

static void read_advisories(walk *w, att_tcb_level *level) {
	att_json *j = &w->j;
	uint32_t *num = &w->out->num_advisories[w->document];
	level->first_advisory = *num;
	att_json_array(j);
	while (att_json_element(j)) {
		if (*num == ATT_TCB_MAX_ADVISORIES) {
			att_json_refuse(j, ATT_CODE_COLLATERAL_LIMIT, j->in.pos);
			return;
		}
		att_span id = att_json_plain(j);
		if (id.len == 0 || id.len > MAX_ADVISORY_LEN) {
			att_json_refuse(j, j->code, id.offset);
			return;
		}
		w->out->advisories[w->document][(*num)++] = id;
	}
	level->num_advisories = *num - level->first_advisory;
}

static void read_level(walk *w, att_tcb_level *level, bool platform) {
	static const att_json_key keys[] = {{"tcb", ATT_FIELD_NONE, true},
	                                    {"tcbDate", ATT_FIELD_JSON_TCB_DATE, true},
	                                    {"tcbStatus", ATT_FIELD_JSON_TCB_STATUS, true},
	                                    {"advisoryIDs", ATT_FIELD_JSON_ADVISORIES, false}};
	att_json *j = &w->j;
	uint32_t key;
	att_json_object(j);
	while (att_json_member(j, keys, 4, &key)) {
		switch (key) {
		case 0:
			if (platform) {
				read_platform_tcb(w, level);
			} else {
				read_svn_tcb(j, level);
			}
			break;
		case 1:
			level->date = att_json_time(j);
			break;
		case 2:
			level->status = read_status(j, platform);
			break;
		default:
			read_advisories(w, level);
		}
	}
}

/* QVL TcbLevel::operator>: by the SGX components in turn, then PCESVN, then the TDX components. What a kind of level does not have is
 * zero in all of its kind. */
static int compare_levels(const att_tcb_level *a, const att_tcb_level *b) {
	int order = memcmp(a->sgx, b->sgx, sizeof a->sgx);
	if (order == 0) {
		order = (int)a->pce_svn - (int)b->pce_svn;
	}
	if (order == 0) {
		order = memcmp(a->tdx, b->tdx, sizeof a->tdx);
	}
	return order != 0 ? order : (int)a->isv_svn - (int)b->isv_svn;
}

/* Puts a level where it belongs, highest first: the order of the document says nothing. False when one like it is there, which would
 * leave open what it says. */
static bool insert_level(att_tcb_level *levels, uint32_t *num, const att_tcb_level *level) {
	uint32_t i = *num;
	while (i > 0 && compare_levels(level, &levels[i - 1]) > 0) {
		i--;
	}
	if (i > 0 && compare_levels(level, &levels[i - 1]) == 0) {
		return false;
	}
	memmove(&levels[i + 1], &levels[i], (*num - i) * sizeof *levels);
	levels[i] = *level;
	(*num)++;
	return true;
}

static void read_levels(walk *w, att_tcb_level *levels, uint32_t max, uint32_t *num, bool platform) {
	att_json *j = &w->j;
	uint32_t start = j->in.pos;
	att_json_array(j);
	while (att_json_element(j)) {
		uint32_t at = j->in.pos;
		att_tcb_level level = {0};
		if (*num == max) {
			att_json_refuse(j, ATT_CODE_COLLATERAL_LIMIT, at);
			return;
		}
		read_level(w, &level, platform);
		if (att_json_ok(j) && !insert_level(levels, num, &level)) {
			att_json_refuse(j, j->code, at);
		}
	}
	if (*num == 0) {
		att_json_refuse(j, j->code, start);
	}
}

/* ---- TDX modules --------------------------------------------------------------------------------------------------------- */

/* "TDX_" and the module's version in two hexadecimal digits, letters of either case (QVL findTdxModuleIdentity). */
static uint8_t read_module_id(att_json *j) {
	static const char digits[] = "0123456789abcdef";
	static const char prefix[] = "tdx_";
	att_span text = att_json_plain(j);
	const uint8_t *p = j->in.base + text.offset;
	uint32_t version = 0;
	for (uint32_t i = 0; i < 6; i++) {
		uint8_t lower = text.len == 6 ? p[i] : 0;
		lower |= lower >= 'A' && lower <= 'Z' ? 0x20 : 0;
		const char *digit = i >= 4 && lower != 0 ? strchr(digits, lower) : NULL;
		if (i < 4 ? lower != (uint8_t)prefix[i] : digit == NULL) {
			att_json_refuse(j, j->code, text.offset);
			return 0;
		}
		version = digit != NULL ? version << 4 | (uint32_t)(digit - digits) : 0;
	}
	return (uint8_t)version;
}

/* tdxModule itself has neither id nor levels. */
static void read_module(walk *w, att_tdx_module *module, bool identity) {
	const att_json_key keys[] = {{"mrsigner", ATT_FIELD_JSON_MR_SIGNER, true},
	                             {"attributes", ATT_FIELD_JSON_ATTRIBUTES, true},
	                             {"attributesMask", ATT_FIELD_JSON_ATTRIBUTES, true},
	                             {"id", ATT_FIELD_JSON_ID, identity},
	                             {"tcbLevels", ATT_FIELD_JSON_TCB_LEVELS, identity}};
	att_json *j = &w->j;
	uint32_t key;
	memset(module, 0, sizeof *module);
	att_json_object(j);
	while (att_json_member(j, keys, identity ? 5 : 3, &key)) {
		switch (key) {
		case 0:
			att_json_hex(j, module->mr_signer, sizeof module->mr_signer);
			break;
		case 1:
			att_json_hex(j, module->attributes, sizeof module->attributes);
			break;
		case 2:
			att_json_hex(j, module->attributes_mask, sizeof module->attributes_mask);
			break;
		case 3:
			module->version = read_module_id(j);
			break;
		default:
			read_levels(w, module->levels, ATT_TCB_MAX_MODULE_LEVELS, &module->num_levels, false);
		}
	}
}

/* None at all is well-formed: a quote whose module needs an identity then finds none. */
static void read_modules(walk *w) {
	att_tdx_collateral *out = w->out;
	att_json *j = &w->j;
	att_json_array(j);
	while (att_json_element(j)) {
		uint32_t at = j->in.pos;
		if (out->num_modules == ATT_TCB_MAX_MODULES - 1) {
			att_json_refuse(j, ATT_CODE_COLLATERAL_LIMIT, at);
			return;
		}
		att_tdx_module *module = &out->modules[1 + out->num_modules];
		read_module(w, module, true);
		for (uint32_t i = 0; i < out->num_modules; i++) {
			if (out->modules[1 + i].version == module->version) {
				att_json_refuse(j, j->code, at);
			}
		}
		out->num_modules++;
	}
}

/* ---- TCB info ------------------------------------------------------------------------------------------------------------ */

enum { ID, VERSION, ISSUE_DATE, NEXT_UPDATE, EVALUATION_NUMBER, TCB_LEVELS, FMSPC, PCE_ID, TCB_TYPE, TDX_MODULE, TDX_MODULES };

static void refuse_member(walk *w, uint16_t code, uint16_t field, uint32_t offset) {
	w->j.field = field;
	att_json_refuse(&w->j, code, offset);
}

/* One of these, or something that is not judged here: another version may have another shape, so reading ends. */
static uint32_t read_id(walk *w, const char *const *ids, uint32_t num, uint16_t unsupported) {
	att_json *j = &w->j;
	att_span text = att_json_plain(j);
	for (uint32_t i = 0; i < num; i++) {
		if (text.len == strlen(ids[i]) && memcmp(j->in.base + text.offset, ids[i], text.len) == 0) {
			return i;
		}
	}
	att_json_refuse(j, unsupported, text.offset);
	return 0;
}

static uint32_t read_number(walk *w, uint32_t low, uint32_t high, uint16_t unsupported) {
	uint32_t at = w->j.in.pos;
	uint32_t value = att_json_uint(&w->j, UINT32_MAX);
	if (value < low || value > high) {
		att_json_refuse(&w->j, unsupported, at);
	}
	return value;
}

static void read_tcb_info_member(walk *w, uint32_t key) {
	static const char *const ids[] = {"SGX", "TDX"};
	att_tdx_collateral *out = w->out;
	att_json *j = &w->j;
	switch (key) {
	case ID:
		w->id = read_id(w, ids, 2, ATT_CODE_TCB_INFO_UNSUPPORTED);
		break;
	case VERSION:
		out->tcb_version = read_number(w, 2, 3, ATT_CODE_TCB_INFO_UNSUPPORTED);
		break;
	case ISSUE_DATE:
		out->tcb_issue_date = att_json_time(j);
		break;
	case NEXT_UPDATE:
		out->tcb_next_update = att_json_time(j);
		break;
	case EVALUATION_NUMBER:
		out->tcb_evaluation_number = att_json_uint(j, UINT32_MAX);
		break;
	case TCB_LEVELS:
		read_levels(w, out->levels, ATT_TCB_MAX_LEVELS, &out->num_levels, true);
		break;
	case FMSPC:
		att_json_hex(j, out->fmspc, sizeof out->fmspc);
		break;
	case PCE_ID:
		att_json_hex(j, out->pce_id, sizeof out->pce_id);
		break;
	case TCB_TYPE:
		(void)read_number(w, 0, 0, ATT_CODE_TCB_INFO_UNSUPPORTED);
		break;
	case TDX_MODULE:
		read_module(w, &out->modules[0], false);
		break;
	default:
		read_modules(w);
	}
}

static bool was_seen(const walk *w, uint32_t key) { return (w->seen >> key & 1) != 0; }

/* What members say together. Version 2 is of SGX alone and has no id. */
static void check_tcb_info(walk *w) {
	att_tdx_collateral *out = w->out;
	uint16_t malformed = ATT_CODE_TCB_INFO_MALFORMED;
	bool old = out->tcb_version == 2;
	bool tdx = !old && w->id == 1;
	if (old && was_seen(w, ID)) {
		refuse_member(w, ATT_CODE_TCB_INFO_UNSUPPORTED, ATT_FIELD_JSON_VERSION, w->at[VERSION]);
	}
	if (!old && !was_seen(w, ID)) {
		refuse_member(w, malformed, ATT_FIELD_JSON_ID, 0);
	}
	if (tdx != was_seen(w, TDX_MODULE)) {
		refuse_member(w, malformed, ATT_FIELD_JSON_TDX_MODULE, w->at[TDX_MODULE]);
	}
	if (!tdx && was_seen(w, TDX_MODULES)) {
		refuse_member(w, malformed, ATT_FIELD_JSON_TDX_MODULES, w->at[TDX_MODULES]);
	}
	if (w->shapes != 1u << (old ? SHAPE_V2 : tdx ? SHAPE_TDX : SHAPE_SGX)) {
		refuse_member(w, malformed, ATT_FIELD_JSON_TCB_LEVELS, w->at[TCB_LEVELS]);
	}
	if (out->tcb_next_update < out->tcb_issue_date) {
		refuse_member(w, malformed, ATT_FIELD_JSON_NEXT_UPDATE, w->at[NEXT_UPDATE]);
	}
	out->tcb_tee = tdx ? ATT_TEE_TDX : ATT_TEE_SGX;
	out->has_module = tdx;
	out->num_modules += tdx ? 1 : 0;
}

static void begin_walk(walk *w, att_tdx_collateral *out, uint32_t document, const uint8_t *text, uint64_t len, uint16_t code,
                       uint16_t field) {
	memset(w, 0, sizeof *w);
	att_json_over(&w->j, text, len, code, field);
	w->out = out;
	w->document = document;
}

static void read_members(walk *w, const att_json_key *keys, uint32_t num, void (*read)(walk *w, uint32_t key)) {
	att_json *j = &w->j;
	uint32_t key;
	att_json_object(j);
	while (att_json_member(j, keys, num, &key)) {
		w->seen |= 1u << key;
		w->at[key] = j->in.pos;
		read(w, key);
	}
}

static void read_tcb_info(const uint8_t *text, uint64_t len, att_tdx_collateral *out) {
	static const att_json_key keys[] = {
	    [ID] = {"id", ATT_FIELD_JSON_ID, false},
	    [VERSION] = {"version", ATT_FIELD_JSON_VERSION, true},
	    [ISSUE_DATE] = {"issueDate", ATT_FIELD_JSON_ISSUE_DATE, true},
	    [NEXT_UPDATE] = {"nextUpdate", ATT_FIELD_JSON_NEXT_UPDATE, true},
	    [EVALUATION_NUMBER] = {"tcbEvaluationDataNumber", ATT_FIELD_JSON_EVALUATION_NUMBER, true},
	    [TCB_LEVELS] = {"tcbLevels", ATT_FIELD_JSON_TCB_LEVELS, true},
	    [FMSPC] = {"fmspc", ATT_FIELD_JSON_FMSPC, true},
	    [PCE_ID] = {"pceId", ATT_FIELD_JSON_PCE_ID, true},
	    [TCB_TYPE] = {"tcbType", ATT_FIELD_JSON_TCB_TYPE, true},
	    [TDX_MODULE] = {"tdxModule", ATT_FIELD_JSON_TDX_MODULE, false},
	    [TDX_MODULES] = {"tdxModuleIdentities", ATT_FIELD_JSON_TDX_MODULES, false},
	};
	walk w;
	begin_walk(&w, out, 0, text, len, ATT_CODE_TCB_INFO_MALFORMED, ATT_FIELD_TCB_INFO);
	read_members(&w, keys, sizeof keys / sizeof keys[0], read_tcb_info_member);
	check_tcb_info(&w);
	w.j.field = ATT_FIELD_TCB_INFO;
	out->tcb_info = att_json_finish(&w.j);
	if (out->tcb_info.code != ATT_PASS) {
		out->num_levels = out->num_modules = out->num_advisories[0] = 0;
		out->has_module = 0;
	}
}

/* ---- enclave identity ---------------------------------------------------------------------------------------------------- */

enum { MISC_SELECT = FMSPC, MISC_SELECT_MASK, ATTRIBUTES, ATTRIBUTES_MASK, MR_SIGNER, ISV_PROD_ID };

/* Hexadecimal digits tell bytes as they lie in memory; MISCSELECT is an integer, least significant byte first. */
static uint32_t read_hex_u32(att_json *j) {
	uint8_t bytes[4];
	att_json_hex(j, bytes, sizeof bytes);
	return att_load_le32(bytes);
}

static void read_identity_member(walk *w, uint32_t key) {
	static const char *const ids[] = {"QE", "TD_QE", "QVE", "QAE"};
	att_tdx_collateral *out = w->out;
	att_json *j = &w->j;
	switch (key) {
	case ID:
		out->identity_id = (uint8_t)(1 + read_id(w, ids, 4, ATT_CODE_QE_IDENTITY_UNSUPPORTED));
		break;
	case VERSION:
		out->identity_version = read_number(w, 2, 2, ATT_CODE_QE_IDENTITY_UNSUPPORTED);
		break;
	case ISSUE_DATE:
		out->identity_issue_date = att_json_time(j);
		break;
	case NEXT_UPDATE:
		out->identity_next_update = att_json_time(j);
		break;
	case EVALUATION_NUMBER:
		out->identity_evaluation_number = att_json_uint(j, UINT32_MAX);
		break;
	case TCB_LEVELS:
		read_levels(w, out->qe_levels, ATT_TCB_MAX_LEVELS, &out->num_qe_levels, false);
		break;
	case MISC_SELECT:
		out->misc_select = read_hex_u32(j);
		break;
	case MISC_SELECT_MASK:
		out->misc_select_mask = read_hex_u32(j);
		break;
	case ATTRIBUTES:
		att_json_hex(j, out->attributes, sizeof out->attributes);
		break;
	case ATTRIBUTES_MASK:
		att_json_hex(j, out->attributes_mask, sizeof out->attributes_mask);
		break;
	case MR_SIGNER:
		att_json_hex(j, out->mr_signer, sizeof out->mr_signer);
		break;
	default:
		out->isv_prod_id = (uint16_t)att_json_uint(j, UINT16_MAX);
	}
}

static void read_identity(const uint8_t *text, uint64_t len, att_tdx_collateral *out) {
	static const att_json_key keys[] = {
	    [ID] = {"id", ATT_FIELD_JSON_ID, true},
	    [VERSION] = {"version", ATT_FIELD_JSON_VERSION, true},
	    [ISSUE_DATE] = {"issueDate", ATT_FIELD_JSON_ISSUE_DATE, true},
	    [NEXT_UPDATE] = {"nextUpdate", ATT_FIELD_JSON_NEXT_UPDATE, true},
	    [EVALUATION_NUMBER] = {"tcbEvaluationDataNumber", ATT_FIELD_JSON_EVALUATION_NUMBER, true},
	    [TCB_LEVELS] = {"tcbLevels", ATT_FIELD_JSON_TCB_LEVELS, true},
	    [MISC_SELECT] = {"miscselect", ATT_FIELD_JSON_MISC_SELECT, true},
	    [MISC_SELECT_MASK] = {"miscselectMask", ATT_FIELD_JSON_MISC_SELECT, true},
	    [ATTRIBUTES] = {"attributes", ATT_FIELD_JSON_ATTRIBUTES, true},
	    [ATTRIBUTES_MASK] = {"attributesMask", ATT_FIELD_JSON_ATTRIBUTES, true},
	    [MR_SIGNER] = {"mrsigner", ATT_FIELD_JSON_MR_SIGNER, true},
	    [ISV_PROD_ID] = {"isvprodid", ATT_FIELD_JSON_ISV_PROD_ID, true},
	};
	walk w;
	begin_walk(&w, out, 1, text, len, ATT_CODE_QE_IDENTITY_MALFORMED, ATT_FIELD_QE_IDENTITY);
	read_members(&w, keys, sizeof keys / sizeof keys[0], read_identity_member);
	if (out->identity_next_update < out->identity_issue_date) {
		refuse_member(&w, ATT_CODE_QE_IDENTITY_MALFORMED, ATT_FIELD_JSON_NEXT_UPDATE, w.at[NEXT_UPDATE]);
	}
	w.j.field = ATT_FIELD_QE_IDENTITY;
	out->identity = att_json_finish(&w.j);
	if (out->identity.code != ATT_PASS) {
		out->num_qe_levels = out->num_advisories[1] = 0;
	}
}

/* ---- the set ------------------------------------------------------------------------------------------------------------- */

/* Jobs by place in work_sig and work_job. */
enum { TCB_INFO_SIGNATURE, TCB_SIGNER, IDENTITY_SIGNATURE, IDENTITY_SIGNER, ROOT_CRL, PCK_CRL, PCK_CRL_CA, NUM_JOBS };
_Static_assert(NUM_JOBS <= ATT_TDX_COLLATERAL_JOBS, "room for every job");

typedef struct {
	const att_intel_trust *trust;
	const att_collateral_parts *parts;
	att_tdx_collateral *out;
	att_serial *serials;
	uint64_t max_serials;
	att_sig_job *jobs;
	uint32_t num_jobs;
} set_walk;

static att_finding missing(uint16_t field) { return att_found(ATT_CODE_COLLATERAL_MISSING, field, 0); }
static att_finding not_run(void) { return (att_finding){ATT_NOT_RUN, ATT_FIELD_NONE, 0}; }

static void take_job(set_walk *s, uint32_t place) { s->out->work_job[place] = (int32_t)s->num_jobs++; }

static void add_job(set_walk *s, uint32_t place, const uint8_t digest[32], const uint8_t sig[64], const uint8_t *key) {
	memcpy(s->out->work_sig[place], sig, 64);
	att_intel_job(&s->jobs[s->num_jobs], digest, s->out->work_sig[place], key, place);
	take_job(s, place);
}

/* The signature over a document's bytes as they came. Without its key there is none to verify, and the chain's finding says why. */
static att_finding begin_signature(set_walk *s, uint32_t place, const uint8_t *text, uint64_t text_len, const uint8_t *sig,
                                   uint64_t sig_len, const uint8_t key[64], bool tcb_info) {
	uint16_t field = tcb_info ? ATT_FIELD_TCB_INFO_SIGNATURE : ATT_FIELD_QE_IDENTITY_SIGNATURE;
	uint8_t digest[32];
	if (text_len == 0 || sig_len == 0) {
		return missing(field);
	}
	if (sig_len != 64) {
		return att_found(tcb_info ? ATT_CODE_TCB_INFO_SIGNATURE : ATT_CODE_QE_IDENTITY_SIGNATURE, field, 0);
	}
	if (text_len > ATT_JSON_MAX_BYTES || !att_intel_has_key(key)) {
		return not_run();
	}
	att_sha256(text, text_len, digest);
	add_job(s, place, digest, sig, key);
	return not_run();
}

static void begin_tcb_info(set_walk *s) {
	const att_collateral_parts *p = s->parts;
	att_tdx_collateral *out = s->out;
	if (p->tcb_info_len == 0) {
		out->tcb_info = missing(ATT_FIELD_TCB_INFO);
	} else {
		read_tcb_info(p->tcb_info, p->tcb_info_len, out);
	}
	if (att_tcb_signer_begin(s->trust, p->tcb_info_chain, p->tcb_info_chain_len, ATT_FIELD_TCB_SIGNER, &out->tcb_signer,
	                         out->work_sig[TCB_SIGNER], &s->jobs[s->num_jobs])) {
		take_job(s, TCB_SIGNER);
	}
	out->tcb_info_signature = begin_signature(s, TCB_INFO_SIGNATURE, p->tcb_info, p->tcb_info_len, p->tcb_info_signature,
	                                          p->tcb_info_signature_len, out->tcb_signer.key, true);
}

static void begin_identity(set_walk *s) {
	const att_collateral_parts *p = s->parts;
	att_tdx_collateral *out = s->out;
	if (p->identity_len == 0) {
		out->identity = missing(ATT_FIELD_QE_IDENTITY);
	} else {
		read_identity(p->identity, p->identity_len, out);
	}
	if (att_tcb_signer_begin(s->trust, p->identity_chain, p->identity_chain_len, ATT_FIELD_QE_SIGNER, &out->identity_signer,
	                         out->work_sig[IDENTITY_SIGNER], &s->jobs[s->num_jobs])) {
		take_job(s, IDENTITY_SIGNER);
	}
	out->identity_signature = begin_signature(s, IDENTITY_SIGNATURE, p->identity, p->identity_len, p->identity_signature,
	                                          p->identity_signature_len, out->identity_signer.key, false);
}

/* ---- CRLs ---------------------------------------------------------------------------------------------------------------- */

static att_finding read_crl(set_walk *s, const uint8_t *der, uint64_t len, uint16_t field, att_intel_crl *crl) {
	if (len == 0) {
		return missing(field);
	}
	att_intel_crl_read(der, len, crl, s->serials, s->max_serials, &s->out->num_serials);
	return crl->profile;
}

/* By name and key id some anchor's, or of no use. */
static att_finding begin_root_crl(set_walk *s) {
	att_tdx_collateral *out = s->out;
	att_intel_crl *crl = &out->root_crl;
	att_finding found = read_crl(s, s->parts->root_crl, s->parts->root_crl_len, ATT_FIELD_ROOT_CRL, crl);
	if (found.code != ATT_PASS) {
		return found;
	}
	if (att_intel_role_of_name(crl->issuer, (att_span){0, crl->issuer_len}) != ATT_INTEL_ROOT) {
		return att_found(ATT_CODE_CRL_ISSUER, ATT_FIELD_ROOT_CRL, 0);
	}
	out->root_crl_index = att_intel_anchor_named(s->trust, crl->issuer, crl->issuer_len, crl->aki, crl->aki_len);
	if (out->root_crl_index < 0) {
		return att_found(ATT_CODE_ROOT_UNTRUSTED, ATT_FIELD_ROOT_CRL, 0);
	}
	add_job(s, ROOT_CRL, crl->tbs_sha256, crl->signature, s->trust->anchors[out->root_crl_index].key);
	return not_run();
}

static bool same_bytes(const uint8_t *a, uint32_t a_len, const uint8_t *b, uint32_t b_len) {
	return a_len == b_len && memcmp(a, b, a_len) == 0;
}

/* The CA is the one that the CRL came with: it need not be the one of the quote's chain, which is for each row to compare. */
static att_finding begin_pck_crl(set_walk *s) {
	static const uint32_t roles = 1u << ATT_INTEL_PLATFORM_CA | 1u << ATT_INTEL_PROCESSOR_CA;
	att_tdx_collateral *out = s->out;
	att_intel_crl *crl = &out->pck_crl;
	att_finding found = read_crl(s, s->parts->pck_crl, s->parts->pck_crl_len, ATT_FIELD_PCK_CRL, crl);
	att_intel_pair chain;
	att_intel_pair_read(s->trust, s->parts->pck_crl_chain, s->parts->pck_crl_chain_len, roles, ATT_FIELD_PCK_CA, &chain);
	if (found.code != ATT_PASS || chain.chain.code != ATT_PASS) {
		return found.code != ATT_PASS ? found : chain.chain;
	}
	const att_intel_cert *ca = &chain.cert[0];
	if (!same_bytes(crl->issuer, crl->issuer_len, ca->subject, ca->subject_len) ||
	    !same_bytes(crl->aki, crl->aki_len, ca->ski, ca->ski_len)) {
		return att_found(ATT_CODE_CRL_ISSUER, ATT_FIELD_PCK_CRL, 0);
	}
	memcpy(out->pck_crl_issuer, ca->subject, ca->subject_len);
	memcpy(out->pck_crl_key, ca->key, sizeof out->pck_crl_key);
	out->pck_crl_issuer_len = ca->subject_len;
	out->pck_crl_issuer_not_before = ca->not_before;
	out->pck_crl_issuer_not_after = ca->not_after;
	add_job(s, PCK_CRL, crl->tbs_sha256, crl->signature, out->pck_crl_key);
	if (!chain.known) {
		add_job(s, PCK_CRL_CA, ca->tbs_sha256, ca->signature, s->trust->anchors[chain.root_index].key);
	}
	return not_run();
}

/* ---- begin and finish ---------------------------------------------------------------------------------------------------- */

/* Every length counts against what is left, so that no sum can wrap. */
static att_finding judge_size(const att_collateral_parts *p) {
	const uint64_t lens[] = {p->tcb_info_chain_len, p->tcb_info_len,           p->tcb_info_signature_len,
	                         p->identity_chain_len, p->identity_len,           p->identity_signature_len,
	                         p->root_crl_len,       p->pck_crl_chain_len,      p->pck_crl_len};
	uint64_t left = ATT_COLLATERAL_MAX_BYTES;
	for (size_t i = 0; i < sizeof lens / sizeof lens[0]; i++) {
		if (lens[i] > left) {
			return att_found(ATT_CODE_COLLATERAL_LIMIT, ATT_FIELD_COLLATERAL, 0);
		}
		left -= lens[i];
	}
	return left == ATT_COLLATERAL_MAX_BYTES ? missing(ATT_FIELD_COLLATERAL) : att_pass();
}

uint64_t att_tdx_collateral_begin(const att_intel_trust *trust, const att_collateral_parts *parts, att_tdx_collateral *out,
                                  att_serial *serials, uint64_t max_serials, att_sig_job *jobs) {
	set_walk s = {trust, parts, out, serials, max_serials, jobs, 0};
	memset(out, 0, sizeof *out);
	memset(out->work_job, 0xFF, sizeof out->work_job); /* -1: no job */
	out->root_crl_index = out->tcb_signer.root_index = out->identity_signer.root_index = -1;
	out->serials = serials;
	out->error = judge_size(parts);
	if (out->error.code == ATT_CODE_COLLATERAL_LIMIT) {
		return 0;
	}
	out->text[0] = parts->tcb_info;
	out->text[1] = parts->identity;
	begin_tcb_info(&s);
	begin_identity(&s);
	out->root_crl_genuine = begin_root_crl(&s);
	out->pck_crl_genuine = begin_pck_crl(&s);
	return s.num_jobs;
}

static const att_sig_job *job_at(const att_tdx_collateral *c, const att_sig_job *jobs, uint32_t place) {
	return c->work_job[place] >= 0 ? &jobs[c->work_job[place]] : NULL;
}

/* A job's outcome as a finding; ATT_NOT_RUN without one, and when the engine did not answer. */
static att_finding outcome_of(const att_sig_job *job, uint16_t code, uint16_t field) {
	if (job == NULL || (job->outcome != ATT_SIG_VALID && job->outcome != ATT_SIG_INVALID)) {
		return not_run();
	}
	return job->outcome == ATT_SIG_VALID ? att_pass() : att_found(code, field, 0);
}

static void settle(att_finding *finding, att_finding outcome) {
	if (finding->code == ATT_NOT_RUN) {
		*finding = outcome;
	}
}

/* A signature by a CA is worth what the CA is: its own comes first. */
static att_finding pck_crl_outcome(const att_tdx_collateral *c, const att_sig_job *jobs) {
	const att_sig_job *ca = job_at(c, jobs, PCK_CRL_CA);
	att_finding of_ca = ca != NULL ? outcome_of(ca, ATT_CODE_ISSUER_SIGNATURE, ATT_FIELD_PCK_CA) : att_pass();
	att_finding of_crl = outcome_of(job_at(c, jobs, PCK_CRL), ATT_CODE_CRL_SIGNATURE, ATT_FIELD_PCK_CRL);
	return of_ca.code != ATT_PASS ? of_ca : of_crl;
}

void att_tdx_collateral_finish(const att_intel_trust *trust, att_tdx_collateral *c, const att_sig_job *jobs) {
	(void)trust;
	settle(&c->tcb_info_signature,
	       outcome_of(job_at(c, jobs, TCB_INFO_SIGNATURE), ATT_CODE_TCB_INFO_SIGNATURE, ATT_FIELD_TCB_INFO_SIGNATURE));
	settle(&c->identity_signature,
	       outcome_of(job_at(c, jobs, IDENTITY_SIGNATURE), ATT_CODE_QE_IDENTITY_SIGNATURE, ATT_FIELD_QE_IDENTITY_SIGNATURE));
	if (job_at(c, jobs, TCB_SIGNER) != NULL) {
		att_tcb_signer_finish(&c->tcb_signer, ATT_FIELD_TCB_SIGNER, job_at(c, jobs, TCB_SIGNER));
	}
	if (job_at(c, jobs, IDENTITY_SIGNER) != NULL) {
		att_tcb_signer_finish(&c->identity_signer, ATT_FIELD_QE_SIGNER, job_at(c, jobs, IDENTITY_SIGNER));
	}
	settle(&c->root_crl_genuine, outcome_of(job_at(c, jobs, ROOT_CRL), ATT_CODE_CRL_SIGNATURE, ATT_FIELD_ROOT_CRL));
	if (job_at(c, jobs, PCK_CRL) != NULL) {
		settle(&c->pck_crl_genuine, pck_crl_outcome(c, jobs));
	}
}

/* ---- responses of the PCS ------------------------------------------------------------------------------------------------ */

int32_t att_pcs_open(const uint8_t *body, uint64_t body_len, const char *name, att_span *out_object, uint8_t out_signature[64],
                     att_finding *out_error) {
	const bool tcb_info = strcmp(name, "tcbInfo") == 0;
	const bool identity = strcmp(name, "enclaveIdentity") == 0;
	const att_json_key keys[] = {
	    {name, tcb_info ? ATT_FIELD_TCB_INFO : identity ? ATT_FIELD_QE_IDENTITY : ATT_FIELD_COLLATERAL, true},
	    {"signature", tcb_info ? ATT_FIELD_TCB_INFO_SIGNATURE : identity ? ATT_FIELD_QE_IDENTITY_SIGNATURE : ATT_FIELD_COLLATERAL, true},
	};
	att_json j;
	uint32_t key;
	*out_object = (att_span){0, 0};
	memset(out_signature, 0, 64);
	att_json_over(&j, body, body_len, ATT_CODE_COLLATERAL_MALFORMED, ATT_FIELD_COLLATERAL);
	j.closed = true;
	att_json_object(&j);
	while (att_json_member(&j, keys, 2, &key)) {
		if (key == 1) {
			att_json_hex(&j, out_signature, 64);
			continue;
		}
		*out_object = att_json_value(&j);
		if (out_object->len == 0 || body[out_object->offset] != '{') {
			att_json_refuse(&j, j.code, out_object->offset);
		}
	}
	*out_error = att_json_finish(&j);
	return out_error->code == ATT_PASS;
}
