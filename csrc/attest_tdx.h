/* SPDX-License-Identifier: Apache-2.0
 *
 * attest_tdx.h: Intel's part of the C core's public face; included by attest.h, whose conventions hold here too.
 *
 *   att_tdx_parse               a quote's parts (SGX version 3, SGX and TDX version 4, version 5 of body types 1 to 4)
 *   att_intel_cert, _crl        a certificate or CRL of Intel's profile, read
 *   att_intel_trust_*           the trust anchors and known CAs
 *   att_tdx_platform_*          QE sections: what in a quote is the same for every quote of one QE, judged once
 *   att_tdx_collateral_*        TCB info, QE identity, CRLs: read and verified once, TCB levels as plain tables
 *   att_tdx_begin/_finish       n quotes judged; columns out
 */
#ifndef ATT_ATTEST_TDX_H
#define ATT_ATTEST_TDX_H

#include "attest.h"

/* cffi:begin */

/* ---- quotes -------------------------------------------------------------------------------------------------------------- */

#define ATT_QUOTE_MAX_BYTES 262144
#define ATT_QUOTE_MAX_PADDING 16384  /* zeros behind the quote, as collectors leave them */
#define ATT_QUOTE_MAX_SIGNED 939     /* header, descriptor and body of type 4 */

/* Body types as version 5 numbers them; bodies of versions 3 and 4 get the number that fits them. */
typedef enum { ATT_BODY_NONE = 0, ATT_BODY_SGX = 1, ATT_BODY_TD10 = 2, ATT_BODY_TD15 = 3, ATT_BODY_TD15_EX = 4 } att_quote_body;

typedef enum { ATT_TEE_SGX = 0, ATT_TEE_TDX = 0x81 } att_tee;

/* A quote taken apart; spans count from its first byte. Filled as far as reading came. */
typedef struct {
	uint16_t version;
	uint16_t key_type;
	uint32_t tee;                 /* att_tee, or what stands there */
	uint16_t body_type;           /* att_quote_body */
	uint16_t certification_type;  /* of the QE: 1 to 5; 7 and others are told but not judged */
	att_span signed_part;         /* header, descriptor (version 5) and body: what the attestation key signs */
	att_span body;
	att_span signature;           /* r || s */
	att_span key;                 /* attestation key, X || Y */
	att_span qe_report;
	att_span qe_signature;
	att_span auth;                /* QE authentication data */
	att_span certification;       /* contents of the (inner) certification data */
	att_span section;             /* the QE section: all from the attestation key to the end of the certification data */
	att_span trailing;            /* zeros behind */
} att_tdx_quote;

/* Reads a quote and judges all that can be told from it alone: findings has att_tdx_num_checks() entries, of which the parse checks
 * (LENGTH to TRAILING) and QE_VENDOR are set. Returns 1 when every part has its place (claims may be shown), else 0.
 * Sources: Intel SGX/TDX DCAP quote structures, versions 3, 4 and 5. */
int32_t att_tdx_parse(const uint8_t *data, uint64_t data_len, att_tdx_quote *out, att_finding *findings);

/* The layout tables. of the header: body_type ATT_BODY_NONE, offsets from the quote's start; else of that body, offsets from its
 * start. Field number i in order; 0 past the end. */
int32_t att_tdx_layout(uint32_t body_type, uint32_t i, uint32_t *out_field, uint32_t *out_offset, uint32_t *out_size);

/* Row i's QE section and certification type: 1, or 0 when the row has none that can be found. */
int32_t att_tdx_section_at(const att_rows *quotes, uint64_t i, const uint8_t **out, uint64_t *out_len, uint16_t *out_type);

/* Maps rows with equal QE sections to one number, as att_rows_distinct does for whole rows. chain_of may be NULL; else rows whose
 * certification type is not 5 are told apart by it as well (it says where their PCK chain comes from). */
int64_t att_tdx_sections_distinct(const att_rows *quotes, const int32_t *chain_of, const uint8_t *key, int32_t *out_index,
                                  int64_t *out_first, int32_t *slots, uint64_t num_slots);

/* ---- Intel's certificates ------------------------------------------------------------------------------------------------ */

typedef enum {
	ATT_INTEL_OTHER = 0,
	ATT_INTEL_ROOT = 1,
	ATT_INTEL_PLATFORM_CA = 2,
	ATT_INTEL_PROCESSOR_CA = 3,
	ATT_INTEL_PCK = 4,
	ATT_INTEL_TCB_SIGNER = 5
} att_intel_role;

/* What a PCK certificate says of its platform (SGX PCK certificate profile; arc 1.2.840.113741.1.13.1). */
typedef struct {
	uint8_t ppid[16];
	uint8_t components[16];         /* SGX TCB component SVNs, which are what is compared */
	uint8_t cpu_svn[16];
	uint16_t pce_svn;
	uint8_t pce_id[2];
	uint8_t fmspc[6];
	uint8_t sgx_type;               /* 0 standard, 1 scalable, 2 scalable with integrity */
	uint8_t has_configuration;      /* Platform CA: the five members that follow are there */
	uint8_t dynamic_platform;
	uint8_t cached_keys;
	uint8_t smt_enabled;
	uint8_t platform_instance_id[16];
} att_pck_info;

typedef struct {
	att_finding profile;      /* ATT_PASS, or the first rule of the profile it breaks; offset counts from the certificate's start */
	int32_t root;             /* CAs: the anchor that signed it, -1 for none; set by att_intel_trust_finish */
	uint8_t role;             /* att_intel_role, by subject */
	uint8_t self_issued;
	uint8_t serial_len;
	uint8_t serial[20];
	uint8_t ski_len;
	uint8_t aki_len;
	uint8_t ski[32];
	uint8_t aki[32];
	int64_t not_before;
	int64_t not_after;
	uint16_t subject_len;     /* whole DER Name */
	uint16_t issuer_len;
	uint8_t subject[192];
	uint8_t issuer[192];
	uint8_t key[64];          /* X || Y, P-256 */
	uint8_t signature[64];    /* r || s */
	uint8_t tbs_sha256[32];
	uint8_t sha256[32];       /* of the whole DER */
	uint8_t spki_sha256[32];
	att_pck_info pck;         /* role ATT_INTEL_PCK */
} att_intel_cert;

/* Reads one DER certificate; what is wrong stands in out->profile. Sources: Intel SGX PCK certificate and CRL profile
 * specification; RFC 5280 4.1. */
void att_intel_cert_read(const uint8_t *der, uint64_t der_len, att_intel_cert *out);

typedef struct {
	att_finding profile;      /* ATT_PASS, or what is wrong with it */
	int64_t this_update;
	int64_t next_update;
	uint32_t first_revoked;   /* into the table of serials */
	uint32_t num_revoked;
	uint16_t issuer_len;
	uint8_t aki_len;
	uint8_t issuer[192];
	uint8_t aki[32];
	uint8_t signature[64];
	uint8_t tbs_sha256[32];
	uint8_t sha256[32];
} att_intel_crl;

/* Reads one DER CRL. Serials are appended to serials[*num_serials], sorted; the caller makes room for crl_len / 6 + 1. */
void att_intel_crl_read(const uint8_t *der, uint64_t der_len, att_intel_crl *out, att_serial *serials, uint64_t max_serials,
                        uint64_t *num_serials);

/* What a verifier trusts: roots, and the PCK CAs known beforehand (shipped ones), so that theirs is a signature less to verify.
 * Read-only once finished; may be shared by all threads. */
typedef struct {
	att_intel_cert *anchors;
	uint32_t num_anchors;
	att_intel_cert *issuers;
	uint32_t num_issuers;
} att_intel_trust;

/* Every anchor under itself, every known CA under every anchor. Returns the number of jobs (jobs NULL: count only). Run them, then
 * finish sets the root of each (of an anchor: itself, or -1). */
uint64_t att_intel_trust_jobs(const att_intel_trust *trust, att_sig_job *jobs);
void att_intel_trust_finish(att_intel_trust *trust, const att_sig_job *jobs);

/* ---- platforms: QE sections judged once ------------------------------------------------------------------------------------- */

/* A QE section with all that it says which depends neither on the rest of the quote nor on the time. Places: 0 PCK certificate,
 * 1 its CA, 2 the root. */
typedef struct {
	const uint8_t *section;      /* the bytes this was made of: the caller keeps them; a row's section is compared with them whole */
	uint32_t section_len;
	uint16_t certification_type;
	uint8_t ca;                  /* att_intel_role of place 1 */
	att_finding chain;           /* three certificates are there and could be read; else certificate-missing or what was wrong */
	att_finding pck_profile;
	att_finding ca_profile;
	att_finding root;
	att_finding names;
	att_finding pck_signature;
	att_finding ca_signature;
	att_finding certification;   /* types 1 to 4 against the certificate; ATT_NOT_RUN for type 5 */
	att_finding qe_signature;
	att_finding key_binding;
	int64_t not_before[3];
	int64_t not_after[3];
	att_serial serial[3];
	uint8_t sha256[3][32];       /* zero where there is none */
	uint8_t spki_sha256[3][32];
	int32_t root_index;          /* anchor, or -1 */
	uint16_t ca_subject_len;
	uint8_t ca_subject[192];
	uint8_t ca_key[64];
	att_pck_info pck;
	uint8_t key[64];             /* attestation key */
	uint32_t qe_misc_select;     /* of the QE report, from here on */
	uint16_t qe_isv_prod_id;
	uint16_t qe_isv_svn;
	uint8_t qe_attributes[16];
	uint8_t qe_mr_signer[32];
	uint8_t work_sig[3][64];     /* scratch between _jobs and _finish: what the jobs point into, and how many there are */
	uint8_t work_key[64];
	int32_t work_job[3];
} att_tdx_platform;

#define ATT_TDX_PLATFORM_JOBS 3  /* PCK, its CA when it is not a known one, QE report */

/* Reads n sections (a row each; type[i] is its certification type) with, for types 1 to 4, the PCK chain in PEM that came apart (chains
 * may be NULL, and rows of it null), and writes their signature jobs, at most ATT_TDX_PLATFORM_JOBS each. Returns their number.
 * Run them, then finish closes the findings. The rows' memory must stay as long as the platforms do. */
uint64_t att_tdx_platform_begin(const att_intel_trust *trust, const att_rows *sections, const uint16_t *type, const att_rows *chains,
                                att_tdx_platform *out, att_sig_job *jobs);
void att_tdx_platform_finish(const att_intel_trust *trust, att_tdx_platform *platforms, uint64_t n, const att_sig_job *jobs);

/* ---- collateral ---------------------------------------------------------------------------------------------------------- */

#define ATT_COLLATERAL_MAX_BYTES 16777216
#define ATT_JSON_MAX_BYTES 1048576  /* TCB info or QE identity */
#define ATT_JSON_MAX_DEPTH 16
#define ATT_TCB_MAX_LEVELS 128      /* of platforms, or of a QE */
#define ATT_TCB_MAX_MODULES 17      /* tdxModule among them */
#define ATT_TCB_MAX_MODULE_LEVELS 32
#define ATT_TCB_MAX_ADVISORIES 1024 /* in one document, repetitions counted */

typedef enum {
	ATT_TCB_NONE = 0,
	ATT_TCB_UP_TO_DATE = 1,
	ATT_TCB_SW_HARDENING_NEEDED = 2,
	ATT_TCB_CONFIGURATION_NEEDED = 3,
	ATT_TCB_CONFIGURATION_AND_SW_HARDENING_NEEDED = 4,
	ATT_TCB_OUT_OF_DATE = 5,
	ATT_TCB_OUT_OF_DATE_CONFIGURATION_NEEDED = 6,
	ATT_TCB_TD_RELAUNCH_ADVISED = 7,
	ATT_TCB_TD_RELAUNCH_ADVISED_CONFIGURATION_NEEDED = 8,
	ATT_TCB_REVOKED = 9
} att_tcb_status;

/* The contract's word for it; NULL for ATT_TCB_NONE and what is no status. */
const char *att_tcb_status_name(uint32_t status);

/* A level: what the platform must have at least (a QE's or module's level uses isv_svn alone), and what holds then. */
typedef struct {
	uint8_t sgx[16];
	uint8_t tdx[16];
	uint16_t pce_svn;
	uint16_t isv_svn;
	uint8_t status;            /* att_tcb_status */
	int64_t date;
	uint32_t first_advisory;   /* into the document's advisories */
	uint32_t num_advisories;
} att_tcb_level;

typedef struct {
	uint8_t version;           /* TEE_TCB_SVN[1] that it is for; 0: tdxModule itself */
	uint8_t mr_signer[48];
	uint8_t attributes[8];
	uint8_t attributes_mask[8];
	uint32_t num_levels;
	att_tcb_level levels[ATT_TCB_MAX_MODULE_LEVELS];  /* highest first */
} att_tdx_module;

/* A signing chain of collateral: TCB signing certificate and root. */
typedef struct {
	att_finding chain;         /* profile, names, anchor and signature together: the first that fails */
	int64_t not_before[2];
	int64_t not_after[2];
	att_serial serial;         /* the signer's */
	int32_t root_index;
	uint8_t key[64];
	uint8_t sha256[2][32];
} att_tcb_signer;

/* Collateral taken apart. Judged once: everything that depends neither on a quote nor on the time. Fixed in size; made by the caller. */
typedef struct {
	att_finding error;             /* collateral as a whole: ATT_PASS, or why it could not be taken apart */
	/* TCB info */
	att_finding tcb_info;          /* strict JSON of its schema, of a known id and version */
	att_finding tcb_info_signature;
	att_tcb_signer tcb_signer;
	uint32_t tcb_tee;              /* att_tee that id names */
	uint32_t tcb_version;
	uint32_t tcb_evaluation_number;
	int64_t tcb_issue_date;
	int64_t tcb_next_update;
	uint8_t fmspc[6];
	uint8_t pce_id[2];
	uint32_t num_levels;
	uint32_t num_modules;          /* modules[0] is tdxModule when has_module, the identities follow */
	uint8_t has_module;
	att_tcb_level levels[ATT_TCB_MAX_LEVELS];   /* highest first */
	att_tdx_module modules[ATT_TCB_MAX_MODULES];
	/* QE identity */
	att_finding identity;
	att_finding identity_signature;
	att_tcb_signer identity_signer;
	uint8_t identity_id;           /* 1 QE, 2 TD_QE, 3 QVE, 4 QAE */
	uint32_t identity_version;
	uint32_t identity_evaluation_number;
	int64_t identity_issue_date;
	int64_t identity_next_update;
	uint32_t misc_select;
	uint32_t misc_select_mask;
	uint8_t attributes[16];
	uint8_t attributes_mask[16];
	uint8_t mr_signer[32];
	uint16_t isv_prod_id;
	uint32_t num_qe_levels;
	att_tcb_level qe_levels[ATT_TCB_MAX_LEVELS];
	/* advisory ids as spans of the document (0 TCB info, 1 QE identity) */
	uint32_t num_advisories[2];
	att_span advisories[2][ATT_TCB_MAX_ADVISORIES];
	const uint8_t *text[2];        /* the two documents: the caller keeps them */
	/* CRLs: genuine means signed by an anchor (root CRL), by a CA that an anchor signed (PCK CRL) */
	att_finding root_crl_genuine;
	att_finding pck_crl_genuine;
	att_intel_crl root_crl;
	att_intel_crl pck_crl;
	int32_t root_crl_index;        /* the anchor whose CRL it is, -1 */
	uint16_t pck_crl_issuer_len;   /* the CA that signed the PCK CRL: its name and key */
	uint8_t pck_crl_issuer[192];
	uint8_t pck_crl_key[64];
	int64_t pck_crl_issuer_not_before;
	int64_t pck_crl_issuer_not_after;
	const att_serial *serials;     /* both CRLs': the caller keeps them */
	uint64_t num_serials;
	uint8_t work_sig[8][64];       /* scratch between _begin and _finish */
	int32_t work_job[8];
} att_tdx_collateral;

/* The parts as bytes, however they were serialised: PEM chains, DER CRLs, the two inner JSON objects verbatim, and their signatures
 * (64 bytes r || s). A part of length 0 is missing, which its checks say. */
typedef struct {
	const uint8_t *tcb_info_chain;
	uint64_t tcb_info_chain_len;
	const uint8_t *tcb_info;
	uint64_t tcb_info_len;
	const uint8_t *tcb_info_signature;
	uint64_t tcb_info_signature_len;
	const uint8_t *identity_chain;
	uint64_t identity_chain_len;
	const uint8_t *identity;
	uint64_t identity_len;
	const uint8_t *identity_signature;
	uint64_t identity_signature_len;
	const uint8_t *root_crl;
	uint64_t root_crl_len;
	const uint8_t *pck_crl_chain;
	uint64_t pck_crl_chain_len;
	const uint8_t *pck_crl;
	uint64_t pck_crl_len;
} att_collateral_parts;

#define ATT_TDX_COLLATERAL_JOBS 8

/* Reads one set of collateral and writes its signature jobs (at most ATT_TDX_COLLATERAL_JOBS); returns their number. serials has room for
 * (root_crl_len + pck_crl_len) / 6 + 2 entries. Run them, then finish closes the findings. */
uint64_t att_tdx_collateral_begin(const att_intel_trust *trust, const att_collateral_parts *parts, att_tdx_collateral *out,
                                  att_serial *serials, uint64_t max_serials, att_sig_job *jobs);
void att_tdx_collateral_finish(const att_intel_trust *trust, att_tdx_collateral *collateral, const att_sig_job *jobs);

/* The verbatim object under name ("tcbInfo", "enclaveIdentity", "tcbEvaluationDataNumbers") in a PCS response
 * {name: {...}, "signature": "hex"}, and the signature: strict JSON, these two members and no other. Returns 1, or 0 with the
 * finding. */
int32_t att_pcs_open(const uint8_t *body, uint64_t body_len, const char *name, att_span *out_object, uint8_t out_signature[64],
                     att_finding *out_error);

/* ---- TCB ----------------------------------------------------------------------------------------------------------------- */

/* What evaluation gave, for one quote. Indices are -1 where nothing fitted or nothing was looked for. */
typedef struct {
	uint8_t status;            /* the result: att_tcb_status; ATT_TCB_NONE when a level was not found */
	uint8_t launch_status;     /* by TEE_TCB_SVN */
	uint8_t current_status;    /* by TEE_TCB_SVN_2: body types 3 and 4 */
	uint8_t qe_status;
	int64_t date;              /* of the result: the earliest tcbDate of the levels of the launch evaluation; ATT_NO_TIME */
	int64_t current_date;
	int32_t level[2];          /* platform level by TEE_TCB_SVN and TEE_TCB_SVN_2 */
	int32_t module[2];         /* index into modules */
	int32_t module_level[2];
	int32_t qe_level;
	att_finding module_match;  /* MODULE: identity found, signer and attributes fit; ATT_NOT_RUN for SGX */
	att_finding found;         /* TCB_LEVEL */
} att_tcb_result;

/* Intel's algorithm (QVL 1.27: EvaluateTcb, TcbLevelCheck), on a quote's body and a platform; see docs/design/0003-tdx.md. */
void att_tdx_evaluate(const att_tdx_collateral *collateral, const att_pck_info *pck, uint16_t qe_isv_svn, uint16_t body_type,
                      const uint8_t *body, uint32_t body_offset, att_tcb_result *out);

/* ---- policy -------------------------------------------------------------------------------------------------------------- */

/* A compiled policy; lists as in att_snp_policy. A zeroed struct is NOT the default policy. */
typedef struct {
	uint64_t attributes_required;   /* bits of TDATTRIBUTES that must be 1 */
	uint64_t attributes_forbidden;  /* and 0: those that DEBUG, MIGRATABLE and reserved below do not name */
	uint64_t attributes_reserved;   /* bits that this library does not know; refused unless 0 */
	uint64_t xfam_required;
	uint64_t xfam_forbidden;
	uint64_t xfam_fixed;            /* bits that are always one */
	uint64_t xfam_reserved;
	int64_t grace_seconds;          /* OutOfDate is tolerated for so long after tcbDate; 0: not at all */
	int64_t max_collateral_age;     /* seconds; 0: not asked */
	uint32_t statuses;              /* bit att_tcb_status: allowed */
	uint32_t min_evaluation_number; /* 0: not asked */
	uint32_t sgx_types;             /* bit sgx_type: allowed; 0: not asked */
	uint8_t allow_tdx;
	uint8_t allow_sgx;
	uint8_t debug;                  /* 0 any, 1 required, 2 forbidden; so the next */
	uint8_t migratable;
	uint8_t service_td;             /* MRSERVICETD not zero: 0 any, 1 required, 2 forbidden */
	uint8_t dynamic_platform;
	uint8_t cached_keys;
	uint8_t smt;
	uint8_t has_svn_floor;
	uint8_t has_svn_2_floor;
	uint8_t svn_floor[16];
	uint8_t svn_2_floor[16];
	uint8_t has_isv_prod_id;
	uint16_t isv_prod_id;
	uint32_t min_isv_svn;           /* 0: not asked */
	uint8_t report_data_len;        /* as in att_snp_policy */
	uint8_t report_data_zero_tail;
	uint8_t report_data[64];
	att_list mr_tds_48;
	att_list mr_seams_48;
	att_list rt_mrs_48[4];
	att_list mr_config_ids_48;
	att_list mr_owners_48;
	att_list mr_owner_configs_48;
	att_list mr_service_tds_48;
	att_list td_ids_32;             /* body type 4, as the next two */
	att_list init_service_tds_48;
	att_list current_service_tds_48;
	att_list mr_enclaves_32;
	att_list mr_signers_32;
	att_list fmspcs_allowed_6;
	att_list fmspcs_denied_6;
	att_list ppids_allowed_16;
	att_list ppids_denied_16;
	att_list instances_allowed_16;
	att_list instances_denied_16;
	att_list pck_keys_allowed_32;   /* SHA-256 of the SubjectPublicKeyInfo */
	att_list pck_keys_denied_32;
	att_list advisories_refused_32; /* ids padded with zeros to 32 bytes; no id is longer */
	att_list advisories_tolerated_32;
	uint8_t advisories_asked;       /* tolerated is meant even when it is empty */
} att_tdx_policy;

/* ---- rows ---------------------------------------------------------------------------------------------------------------- */

#define ATT_OMIT_MR_TD 32  /* with those of SEV-SNP */

/* n quotes to judge. platform_index: per row the platform of its QE section, -1 for none (a row that cannot be parsed). Collateral and
 * times as sets and times in att_snp_plan. */
typedef struct {
	att_rows quotes;
	const att_tdx_platform *const *platforms;
	uint64_t num_platforms;
	const int32_t *platform_index;
	const att_tdx_collateral *const *collaterals;
	uint64_t num_collaterals;
	const int32_t *collateral_index;
	const int64_t *at;
	uint64_t at_stride;
	const att_intel_trust *trust;
	const att_tdx_policy *policy;
	uint8_t *copy;          /* scratch of ATT_QUOTE_MAX_BYTES: a quote is copied there before it is read; not shared by calls */
	uint8_t mark_key[16];
} att_tdx_plan;

/* What is kept of each row between begin and finish; the row's job points into it. */
typedef struct {
	uint8_t sig[64];
	uint8_t key[64];
	uint64_t required[2];   /* bit a check: it must pass */
	uint32_t signature_offset;
} att_tdx_work;

/* Columns, n rows each, as att_snp_columns; codes has att_tdx_num_checks() entries a row. */
typedef struct {
	uint16_t *codes;
	uint16_t *code;
	uint8_t *accepted;
	uint8_t *verified;
	uint8_t *parsed;
	uint8_t *tee;             /* 1 TDX, 2 SGX, 0 not told */
	uint32_t *omissions;
	int64_t *valid_until;
	att_tcb_result *tcb;
	att_finding *findings;    /* may be NULL */
	att_tdx_quote *quotes;    /* may be NULL */
	uint64_t *mark;           /* may be NULL */
	uint8_t *bodies;          /* may be NULL; n * ATT_QUOTE_MAX_SIGNED: header, descriptor (zeros before version 5) and body as judged */
} att_tdx_columns;

void att_tdx_begin(const att_tdx_plan *plan, att_tdx_work *work, att_sig_job *jobs, uint64_t *num_jobs, att_tdx_columns *out);
void att_tdx_finish(const att_tdx_plan *plan, const att_tdx_work *work, const att_sig_job *jobs, uint64_t num_jobs,
                    att_tdx_columns *out);
int32_t att_tdx_verify(uint32_t engine, const att_tdx_plan *plan, att_key_tables *tables, att_tdx_work *work, att_sig_job *jobs,
                       att_tdx_columns *out);

/* cffi:end */

#endif
