/* SPDX-License-Identifier: Apache-2.0
 *
 * tdx_tcb.c: the TCB level of a quote: what Intel's documents say of the platform, the TDX module and the QE that made it.
 *
 * The algorithm is that of Intel's quote verification library 1.27 (QVL: EvaluateTcb.cpp, TDRelaunchCheck.cpp, QuoteVerifier.cpp;
 * the PCS API's documentation, version 4, "Get TDX TCB Info", says the same in words). docs/design/0003-tdx.md has it as a list.
 */
#include "tdx.h"
#include "tdx_layout.h"

/* Within TEE_TCB_SVN and TEE_TCB_SVN_2. */
enum {
	SVN_MODULE_LEVEL = 0,   /* the TDX module's SVN */
	SVN_MODULE_VERSION = 1  /* 0: the module that TCB info names itself */
};

const char *att_tcb_status_name(uint32_t status) {
	static const char *const names[] = {
	    [ATT_TCB_NONE] = NULL,
	    [ATT_TCB_UP_TO_DATE] = "UpToDate",
	    [ATT_TCB_SW_HARDENING_NEEDED] = "SWHardeningNeeded",
	    [ATT_TCB_CONFIGURATION_NEEDED] = "ConfigurationNeeded",
	    [ATT_TCB_CONFIGURATION_AND_SW_HARDENING_NEEDED] = "ConfigurationAndSWHardeningNeeded",
	    [ATT_TCB_OUT_OF_DATE] = "OutOfDate",
	    [ATT_TCB_OUT_OF_DATE_CONFIGURATION_NEEDED] = "OutOfDateConfigurationNeeded",
	    [ATT_TCB_TD_RELAUNCH_ADVISED] = "TDRelaunchAdvised",
	    [ATT_TCB_TD_RELAUNCH_ADVISED_CONFIGURATION_NEEDED] = "TDRelaunchAdvisedConfigurationNeeded",
	    [ATT_TCB_REVOKED] = "Revoked",
	};
	return status < sizeof names / sizeof names[0] ? names[status] : NULL;
}

/* ---- statuses ------------------------------------------------------------------------------------------------------------ */

static bool asks_configuration(uint8_t status) {
	return status == ATT_TCB_CONFIGURATION_NEEDED || status == ATT_TCB_CONFIGURATION_AND_SW_HARDENING_NEEDED ||
	       status == ATT_TCB_OUT_OF_DATE_CONFIGURATION_NEEDED;
}

static bool is_out_of_date(uint8_t status) {
	return status == ATT_TCB_OUT_OF_DATE || status == ATT_TCB_OUT_OF_DATE_CONFIGURATION_NEEDED;
}

/* Platform and components together (QVL convergeTcbStatuses). module is ATT_TCB_NONE where no module has a level of its own. */
static uint8_t converge(uint8_t platform, uint8_t module, uint8_t qe) {
	if (module == ATT_TCB_REVOKED || qe == ATT_TCB_REVOKED) {
		return ATT_TCB_REVOKED;
	}
	bool stale = module == ATT_TCB_OUT_OF_DATE || qe == ATT_TCB_OUT_OF_DATE;
	if (!stale || platform == ATT_TCB_REVOKED) {
		return platform;
	}
	return asks_configuration(platform) ? ATT_TCB_OUT_OF_DATE_CONFIGURATION_NEEDED : ATT_TCB_OUT_OF_DATE;
}

/* What the TCB at launch and the one in force now say together (QVL checkForRelaunch): a TD that was launched on an old TCB whose
 * platform has been brought up since need only be launched again. QVL has no answer to a current TCB that is revoked and gives the
 * launch status; we give Revoked. */
static uint8_t relaunch(uint8_t launch, uint8_t current) {
	if (current == ATT_TCB_REVOKED) {
		return ATT_TCB_REVOKED;
	}
	if (!is_out_of_date(launch) || is_out_of_date(current)) {
		return launch;
	}
	return asks_configuration(launch) || asks_configuration(current) ? ATT_TCB_TD_RELAUNCH_ADVISED_CONFIGURATION_NEEDED
	                                                                  : ATT_TCB_TD_RELAUNCH_ADVISED;
}

/* ---- levels -------------------------------------------------------------------------------------------------------------- */

#define TOP_BITS UINT64_C(0x8080808080808080)

/* Every one of 16 bytes of a is at least that of b; eight at a time. With the top bit lent to each byte of a and taken from b's, a
 * byte's difference borrows from none beside it, and its top bit says how the lower seven compare; the top bits decide first. */
static bool all_at_least(const uint8_t a[16], const uint8_t b[16]) {
	uint64_t below = 0;
	for (int i = 0; i < 16; i += 8) {
		uint64_t x, y;
		memcpy(&x, a + i, 8);
		memcpy(&y, b + i, 8);
		uint64_t lower = (x | TOP_BITS) - (y & ~TOP_BITS);
		below |= ~((x & ~y) | (~(x ^ y) & lower));
	}
	return (below & TOP_BITS) == 0;
}

/* Levels stand highest first, so the first that fits is the one. All three conditions in one pass, no component left out. */
static int32_t find_platform_level(const att_tdx_collateral *c, const att_pck_info *pck, const uint8_t tdx[16]) {
	for (uint32_t i = 0; i < c->num_levels; i++) {
		const att_tcb_level *level = &c->levels[i];
		if (all_at_least(pck->components, level->sgx) && pck->pce_svn >= level->pce_svn && all_at_least(tdx, level->tdx)) {
			return (int32_t)i;
		}
	}
	return -1;
}

static int32_t find_svn_level(const att_tcb_level *levels, uint32_t num, uint16_t isv_svn) {
	for (uint32_t i = 0; i < num; i++) {
		if (isv_svn >= levels[i].isv_svn) {
			return (int32_t)i;
		}
	}
	return -1;
}

/* tdxModule stands first and has version 0: an identity "TDX_00" behind it is never the one. */
static int32_t find_module(const att_tdx_collateral *c, uint8_t version) {
	for (uint32_t i = 0; i < c->num_modules; i++) {
		if (c->modules[i].version == version) {
			return (int32_t)i;
		}
	}
	return -1;
}

/* ---- one evaluation: at launch, or now ----------------------------------------------------------------------------------- */

typedef struct {
	int32_t level;
	int32_t module;
	int32_t module_level;
	uint8_t status;    /* ATT_TCB_NONE: something has no level */
	int64_t date;
	att_finding found;
} evaluation;

static int64_t earlier(int64_t a, int64_t b) { return a < b ? a : b; }

/* tdx_svn: TEE_TCB_SVN or TEE_TCB_SVN_2; for SGX sixteen zeros, as its levels ask for no TDX component. offset: where in the quote
 * that stands. */
static evaluation evaluate(const att_tdx_collateral *c, const att_pck_info *pck, const att_tcb_level *qe, const uint8_t tdx_svn[16],
                           uint32_t offset) {
	evaluation e = {-1, -1, -1, ATT_TCB_NONE, ATT_NO_TIME, att_pass()};
	uint8_t version = tdx_svn[SVN_MODULE_VERSION];
	uint8_t svn[16];
	memcpy(svn, tdx_svn, sizeof svn);
	if (version > 0) {
		/* These two are the module's own, which its identity judges: here they fit every level. */
		svn[SVN_MODULE_LEVEL] = svn[SVN_MODULE_VERSION] = 0xFF;
	}
	e.level = find_platform_level(c, pck, svn);
	e.module = find_module(c, version);
	const att_tcb_level *module_level = NULL;
	if (version > 0 && e.module >= 0) {
		const att_tdx_module *module = &c->modules[e.module];
		e.module_level = find_svn_level(module->levels, module->num_levels, tdx_svn[SVN_MODULE_LEVEL]);
		module_level = e.module_level >= 0 ? &module->levels[e.module_level] : NULL;
	}
	if (e.level < 0) {
		e.found = att_found(ATT_CODE_TCB_LEVEL, ATT_FIELD_TCB_LEVEL_PLATFORM, offset);
	} else if (version > 0 && module_level == NULL) {
		e.found = att_found(ATT_CODE_TCB_LEVEL, ATT_FIELD_TCB_LEVEL_MODULE, offset);
	} else if (qe == NULL) {
		e.found = att_found(ATT_CODE_TCB_LEVEL, ATT_FIELD_TCB_LEVEL_QE, 0); /* the QE's report has its place elsewhere */
	} else {
		const att_tcb_level *platform = &c->levels[e.level];
		e.status = converge(platform->status, module_level != NULL ? module_level->status : ATT_TCB_NONE, qe->status);
		e.date = earlier(platform->date, qe->date);
		e.date = module_level != NULL ? earlier(e.date, module_level->date) : e.date;
	}
	return e;
}

/* ---- TDX module ---------------------------------------------------------------------------------------------------------- */

static uint32_t first_difference(const uint8_t *a, const uint8_t *b, uint32_t n) {
	uint32_t i = 0;
	while (i < n && a[i] == b[i]) {
		i++;
	}
	return i;
}

/* QVL QuoteVerifier.cpp 4.1.2.5.12. SEAMATTRIBUTES must be zero, and masked be those of the identity: with zeros no mask matters. */
static att_finding match_module(const att_tdx_collateral *c, int32_t module, const uint8_t *body, uint32_t offset) {
	if (module < 0) {
		return att_found(ATT_CODE_MODULE_UNKNOWN, ATT_FIELD_TEE_TCB_SVN, offset + TDX_AT_TEE_TCB_SVN + SVN_MODULE_VERSION);
	}
	const att_tdx_module *m = &c->modules[module];
	uint32_t at = first_difference(body + TDX_AT_MR_SIGNER_SEAM, m->mr_signer, sizeof m->mr_signer);
	if (at < sizeof m->mr_signer) {
		return att_found(ATT_CODE_MODULE_SIGNER, ATT_FIELD_MR_SIGNER_SEAM, offset + TDX_AT_MR_SIGNER_SEAM + at);
	}
	for (uint32_t i = 0; i < sizeof m->attributes; i++) {
		uint8_t have = body[TDX_AT_SEAM_ATTRIBUTES + i];
		if (have != 0 || (have & m->attributes_mask[i]) != m->attributes[i]) {
			return att_found(ATT_CODE_SEAM_ATTRIBUTES, ATT_FIELD_SEAM_ATTRIBUTES, offset + TDX_AT_SEAM_ATTRIBUTES + i);
		}
	}
	return att_pass();
}

/* ---- the whole ----------------------------------------------------------------------------------------------------------- */

/* Documents of another platform, TEE or enclave, or that could not be read, say nothing about this quote: no level is looked for. The
 * checks that compare them say what is wrong. */
static bool tcb_info_bears(const att_tdx_collateral *c, const att_pck_info *pck, bool tdx) {
	return c->tcb_info.code == ATT_PASS && c->tcb_tee == (tdx ? ATT_TEE_TDX : ATT_TEE_SGX) &&
	       memcmp(c->fmspc, pck->fmspc, sizeof pck->fmspc) == 0 && memcmp(c->pce_id, pck->pce_id, sizeof pck->pce_id) == 0;
}

static bool identity_bears(const att_tdx_collateral *c, bool tdx) {
	return c->identity.code == ATT_PASS && c->identity_id == (tdx ? 2 : 1);
}

static void put_launch(const evaluation *e, att_tcb_result *out) {
	out->launch_status = e->status;
	out->status = e->status;
	out->date = e->date;
	out->level[0] = e->level;
	out->module[0] = e->module;
	out->module_level[0] = e->module_level;
	out->found = e->found;
}

static void put_current(const evaluation *e, att_tcb_result *out) {
	out->current_status = e->status;
	out->current_date = e->date;
	out->level[1] = e->level;
	out->module[1] = e->module;
	out->module_level[1] = e->module_level;
	if (out->found.code == ATT_PASS) {
		out->found = e->found;
	}
	bool both = out->launch_status != ATT_TCB_NONE && e->status != ATT_TCB_NONE;
	out->status = both ? relaunch(out->launch_status, e->status) : ATT_TCB_NONE;
}

/* SGX and TDX alike: the platform's SVNs are those of the PCK certificate, which Intel issued for them, never what the body claims
 * (CPUSVN). The initial TCB that type 4 tells (INIT_TEE_TCB_SVN) is of the platform that first made the TD, which may be another one:
 * QVL does not evaluate it, nor do we. */
void att_tdx_evaluate(const att_tdx_collateral *c, const att_pck_info *pck, uint16_t qe_isv_svn, uint16_t body_type,
                      const uint8_t *body, uint32_t body_offset, att_tcb_result *out) {
	static const uint8_t no_tdx[16];
	bool tdx = body_type != ATT_BODY_SGX;
	*out = (att_tcb_result){.date = ATT_NO_TIME, .current_date = ATT_NO_TIME, .level = {-1, -1}, .module = {-1, -1},
	                        .module_level = {-1, -1}, .qe_level = -1};
	if (body_type == ATT_BODY_NONE || body_type > ATT_BODY_TD15_EX || !tcb_info_bears(c, pck, tdx)) {
		return;
	}
	const att_tcb_level *qe = NULL;
	if (identity_bears(c, tdx)) {
		out->qe_level = find_svn_level(c->qe_levels, c->num_qe_levels, qe_isv_svn);
		qe = out->qe_level >= 0 ? &c->qe_levels[out->qe_level] : NULL;
		out->qe_status = qe != NULL ? qe->status : (uint8_t)ATT_TCB_NONE;
	}
	evaluation launch = evaluate(c, pck, qe, tdx ? body + TDX_AT_TEE_TCB_SVN : no_tdx, body_offset);
	put_launch(&launch, out);
	if (tdx) {
		out->module_match = match_module(c, launch.module, body, body_offset);
	}
	if (body_type >= ATT_BODY_TD15) {
		evaluation current = evaluate(c, pck, qe, body + TDX_AT_TEE_TCB_SVN_2, body_offset + TDX_AT_TEE_TCB_SVN_2);
		put_current(&current, out);
	}
	if (!identity_bears(c, tdx) && out->found.field == ATT_FIELD_TCB_LEVEL_QE) {
		out->found = att_found(ATT_NOT_RUN, ATT_FIELD_NONE, 0); /* no identity to have a level in */
	}
}
