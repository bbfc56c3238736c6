/* SPDX-License-Identifier: Apache-2.0
 *
 * attest.h: the whole public face of the C core.
 *
 *   codes, fields, checks   what a result may say (codes.def, fields.def, checks_*.def)
 *   att_rows                how evidence comes in: one column, n rows, no copy
 *   att_sig_*               signature jobs and the engines that run them
 *   att_blob_*              PEM, DER and GHCB certificate tables taken apart
 *   att_snp_cert, _crl      a certificate or CRL of AMD's profile, read
 *   att_snp_chain_*         certificate sets linked to the trust anchors
 *   att_snp_begin/_finish   n reports judged; columns out
 *   att_snp_parse           one report's fields
 * and attest_tdx.h, which it includes: quotes, Intel's certificates, collateral and TCB levels.
 *
 * Conventions, for every function:
 *   - No Python, no clock, no environment, no file, no global that changes after att_init().
 *   - No allocation: the caller owns all memory, and nothing in it points to memory that the core keeps.
 *   - A pointer may be NULL only where the text says so, or where its length is 0.
 *   - Input is hostile unless it is called a plan, a policy or scratch. Input is read once; what is decided on is a private copy.
 *   - Times are seconds since 1970-01-01T00:00:00Z, leap seconds not counted.
 *   - A result slot that nothing wrote reads ATT_NOT_RUN (0), never ATT_PASS.
 *   - Any function may run in any number of threads at once on different outputs.
 */
#ifndef ATT_ATTEST_H
#define ATT_ATTEST_H

#include <stddef.h>
#include <stdint.h>

/* cffi:begin */

/* ---- results ------------------------------------------------------------------------------------------------------------- */

#define ATT_NOT_RUN 0
#define ATT_PASS 1

/* What was found, where: the code (ATT_NOT_RUN, ATT_PASS or one of codes.def), the field (fields.def), the byte offset. */
typedef struct {
	uint16_t code;
	uint16_t field;
	uint32_t offset;
} att_finding;

/* A part of some input: position and length, no pointer. */
typedef struct {
	uint32_t offset;
	uint32_t len;
} att_span;

/* Names. NULL when the number is out of range. A code's category is an index for att_category_name. */
const char *att_code_name(uint32_t code);
const char *att_code_text(uint32_t code);
int32_t att_code_category(uint32_t code);
const char *att_category_name(uint32_t category);
const char *att_field_name(uint32_t field);
const char *att_snp_check_name(uint32_t check);
const char *att_snp_check_text(uint32_t check);
int32_t att_snp_check_category(uint32_t check);
uint32_t att_snp_num_checks(void);
const char *att_tdx_check_name(uint32_t check);
const char *att_tdx_check_text(uint32_t check);
int32_t att_tdx_check_category(uint32_t check);
uint32_t att_tdx_num_checks(void);
const char *att_version(void);
const char *att_build(void);

/* ---- start --------------------------------------------------------------------------------------------------------------- */

/* Looks at the CPU, builds the tables of the generators and tests each usable engine on known answers. Call it once, before all
 * else and from one thread; it is idempotent. Returns 0, or the number of the step that failed its self-test. */
int32_t att_init(void);

/* ---- the Arrow C data interface (its own document, version 1.0): as other libraries hand columns over ------------------------- */

struct ArrowSchema {
	const char *format;
	const char *name;
	const char *metadata;
	int64_t flags;
	int64_t n_children;
	struct ArrowSchema **children;
	struct ArrowSchema *dictionary;
	void (*release)(struct ArrowSchema *);
	void *private_data;
};

struct ArrowArray {
	int64_t length;
	int64_t null_count;
	int64_t offset;
	int64_t n_buffers;
	int64_t n_children;
	const void **buffers;
	struct ArrowArray **children;
	struct ArrowArray *dictionary;
	void (*release)(struct ArrowArray *);
	void *private_data;
};

struct ArrowArrayStream {
	int (*get_schema)(struct ArrowArrayStream *, struct ArrowSchema *out);
	int (*get_next)(struct ArrowArrayStream *, struct ArrowArray *out);
	const char *(*get_last_error)(struct ArrowArrayStream *);
	void (*release)(struct ArrowArrayStream *);
	void *private_data;
};

/* ---- evidence, by the column --------------------------------------------------------------------------------------------- */

/* n rows of bytes in one of five forms; exactly one of stride, offsets32, offsets64, ptrs and views is set:
 *   stride      data holds n rows of stride bytes each
 *   offsets32/64  n + 1 offsets into data (Arrow binary, large_binary)
 *   ptrs, lens  a pointer and a length a row; a NULL pointer is a null row
 *   views       n Arrow binary views of 16 bytes over num_buffers buffers
 * validity may be NULL; else bit (first + i) tells whether row i is there (Arrow: least significant bit first).
 * first is the row of the arrays that is row 0 of the call (Arrow's offset). Offsets are checked, row by row, against data_len. */
typedef struct {
	uint64_t n;
	uint64_t first;
	const uint8_t *data;
	uint64_t data_len;
	uint64_t stride;
	const int32_t *offsets32;
	const int64_t *offsets64;
	const uint8_t *const *ptrs;
	const uint64_t *lens;
	const uint8_t *views;
	const uint8_t *const *buffers;
	const uint64_t *buffer_lens;
	uint64_t num_buffers;
	const uint8_t *validity;
	uint64_t validity_len;
} att_rows;

/* Row i (below rows->n): 1 and its bytes; 0 for a null row and for one whose offsets do not lie in the data. */
int32_t att_row_at(const att_rows *rows, uint64_t i, const uint8_t **out, uint64_t *out_len);

/* The same for rows [row[i]], i below n: pointers, NULL where att_row_at gives 0 and where there is no such row, and lengths. */
void att_rows_at(const att_rows *rows, const int64_t *row, uint64_t n, const uint8_t **out, uint64_t *out_lens);

/* Maps equal rows to one number: out_index[i] is the number of row i's value (-1 for a null or unreadable row) and out_first[k] the
 * first row that has value k. Values are compared whole; the key (16 random bytes) only spreads them over the slots.
 * slots: scratch of num_slots entries, a power of two of at least 2 n. Returns the count of distinct values. */
int64_t att_rows_distinct(const att_rows *rows, const uint8_t *key, int32_t *out_index, int64_t *out_first, int32_t *slots,
                          uint64_t num_slots);

/* Row numbers out of an Arrow dictionary column's indices (width 1, 2, 4 or 8 bytes, signed or not); null rows give -1.
 * Returns 0, or -1 when an index is not below num_values. */
int32_t att_indices(const void *in, uint32_t width, uint32_t is_signed, uint64_t first, uint64_t n, const uint8_t *validity,
                    uint64_t validity_len, uint64_t num_values, int32_t *out);

/* out[i] = table[index[i]]; an index outside the table gives -1. */
void att_remap(const int32_t *index, uint64_t n, const int32_t *table, uint64_t table_len, int32_t *out);

/* Times out of an Arrow column of 64-bit integers that count 1 / per_second seconds, rounded down; null rows give ATT_NO_TIME. */
void att_times(const int64_t *in, uint64_t first, uint64_t n, int64_t per_second, const uint8_t *validity, uint64_t validity_len,
               int64_t *out);

/* Row by row, the codes above ATT_PASS of an n * width table: out_offsets has n + 1 entries, out_values room for all of them (NULL:
 * count only, offsets are written). Returns their number, or -1 when it does not fit 31 bits. */
int64_t att_codes_flatten(const uint16_t *codes, uint64_t n, uint64_t width, int32_t *out_offsets, uint16_t *out_values);

/* size bytes at offset of each of n records that are stride bytes long, one after the other. */
void att_gather(const uint8_t *records, uint64_t stride, uint64_t offset, uint64_t size, uint64_t n, uint8_t *out);

/* Canonical base64 (RFC 4648, 4; padded, no white space): text_len / 4 * 3 bytes of room in out. Returns how many were written that
 * count, or -1 when text is anything else (out may hold something then). */
int64_t att_base64(const uint8_t *text, uint64_t text_len, uint8_t *out);

/* ---- signatures ---------------------------------------------------------------------------------------------------------- */

typedef enum {
	ATT_ECDSA_P256 = 1,
	ATT_ECDSA_P384 = 2,
	ATT_RSA_PSS_SHA256 = 3,   /* MGF1 with the same hash, salt as long as the digest, trailer 0xBC */
	ATT_RSA_PSS_SHA384 = 4,
	ATT_RSA_PKCS1_SHA256 = 5,
	ATT_RSA_PKCS1_SHA384 = 6
} att_sig_algorithm;

typedef enum { ATT_SIG_NOT_RUN = 0, ATT_SIG_VALID = 1, ATT_SIG_INVALID = 2 } att_sig_outcome;

/* One signature to verify. For ECDSA key is X || Y (2L bytes, big-endian), sig r || s (2L), digest L bytes.
 * For RSA key is the modulus (big-endian, first byte not 0, 256 to 512 bytes), sig exactly as long, exponent odd and at least 3.
 * Range, curve and length are the engine's to check: any job is a legal input. */
typedef struct {
	uint8_t algorithm;
	uint8_t outcome;
	uint16_t key_len;
	uint16_t sig_len;
	uint16_t digest_len;
	uint32_t exponent;
	uint32_t tag;            /* the owner's: which row or certificate this job belongs to */
	const uint8_t *key;
	const uint8_t *sig;
	uint8_t digest[48];
	uint32_t work[6];        /* the engine's; need not be set */
} att_sig_job;

/* Engines, best first. att_engine_name gives NULL past the end. usable: this CPU (and OS) can run it, and its self-test passed. */
const char *att_engine_name(uint32_t engine);
uint32_t att_engine_lanes(uint32_t engine);
int32_t att_engine_usable(uint32_t engine);

/* CPU features that engines ask for, as found: a space-separated list of names. */
const char *att_cpu_features(void);

/* Tables of EC keys that come back, in memory of the caller: what engines keep from call to call, and all that they keep. No outcome
 * depends on it; any number of threads may use one at once, also for different engines. memory (of len bytes, for as long as it is
 * used) is laid out anew; seed: 16 random bytes. NULL when len is below att_key_tables_least(), which has room for one key. */
typedef struct att_key_tables att_key_tables;

typedef struct {
	uint64_t table_bytes;  /* of one key */
	uint32_t slots;        /* room for so many keys */
	uint32_t used;
	uint32_t hits;         /* times a key's table was found, tables built, and others given up for one; all modulo 2^32 */
	uint32_t builds;
	uint32_t evictions;
} att_key_stats;

uint64_t att_key_tables_least(void);
att_key_tables *att_key_tables_init(void *memory, uint64_t len, const uint8_t *seed);
void att_key_tables_stats(const att_key_tables *tables, att_key_stats *out);

/* Sets the outcome of every job; tables may be NULL: none are used. Returns 0, or -1 when the engine is not usable (outcomes
 * untouched). */
int32_t att_sig_run(uint32_t engine, att_sig_job *jobs, uint64_t num_jobs, att_key_tables *tables);

/* Columns straight in: n keys of 2L bytes, n digests of L, n signatures of 2L; out n bytes, 1 valid, 0 not. jobs: scratch, num_jobs of
 * them, as many as are worth grouping by key; at least 1. Returns 0, or -1 with out untouched: the engine is not usable, the
 * algorithm is of the other family, there are no jobs, or the modulus has not 256 to 512 bytes. */
int32_t att_verify_ecdsa(uint32_t engine, uint32_t algorithm, const uint8_t *keys, const uint8_t *digests, const uint8_t *sigs,
                         uint64_t n, att_key_tables *tables, att_sig_job *jobs, uint64_t num_jobs, uint8_t *out);
int32_t att_verify_rsa(uint32_t engine, uint32_t algorithm, const uint8_t *modulus, uint64_t modulus_len, uint32_t exponent,
                       const uint8_t *digests, const uint8_t *sigs, uint64_t n, uint8_t *out);

/* Reads a SubjectPublicKeyInfo with an rsaEncryption key (RFC 8017 A.1, RFC 3279 2.3.1), whole input, DER.
 * Returns 0 and the modulus as a span of the input; -1 when it is not one of 2048 to 4096 bits with an odd exponent in 3..2^32-1. */
int32_t att_rsa_spki(const uint8_t *spki, uint64_t spki_len, uint64_t *out_modulus_offset, uint64_t *out_modulus_len,
                     uint32_t *out_exponent);

/* ---- hashes -------------------------------------------------------------------------------------------------------------- */

void att_sha256(const uint8_t *data, uint64_t data_len, uint8_t *out32);
void att_sha384(const uint8_t *data, uint64_t data_len, uint8_t *out48);
void att_sha512(const uint8_t *data, uint64_t data_len, uint8_t *out64);

/* SHA-384 of n messages, all of data_len bytes, side by side where the CPU has lanes for it; digest i goes to out48n + 48 i. */
void att_sha384_many(const uint8_t *const *data, uint64_t data_len, uint64_t n, uint8_t *out48n);

/* Which code hashes here: what att_init found that the CPU can run, each way tested: "sha256 sha_ni, sha384 avx512x8". The second
 * is that of many messages at once. */
const char *att_hash_code(void);

/* ---- blobs of certificates ----------------------------------------------------------------------------------------------- */

#define ATT_BLOB_MAX_BYTES 1048576  /* one cell of a column, or one element of certs */
#define ATT_BLOB_MAX_CERTS 16       /* in one cell; it bounds the RSA work that a hostile row can ask for */
#define ATT_CERT_MAX_BYTES 16384
#define ATT_CRL_MAX_BYTES 4194304

/* The format is told by the first bytes: '-' or white space PEM, 0x30 DER, else a GHCB certificate table (56421, 4.1.8.1).
 * Writes the DER of each certificate (PEM: decoded into out_der; others copied there) and its span in out_der.
 * out_der needs blob_len bytes. Certificate-table entries of the CRL GUID and of unknown GUIDs are left out; so are PEM blocks that
 * are not labelled CERTIFICATE. A DER blob is one certificate, whole. Returns how many, or -1 with the finding set. */
int64_t att_blob_open(const uint8_t *blob, uint64_t blob_len, uint8_t *out_der, uint32_t *out_offsets, uint32_t *out_lens,
                      uint64_t max_certs, att_finding *out_error);

/* ---- AMD certificates ---------------------------------------------------------------------------------------------------- */

typedef enum {
	ATT_SNP_OTHER = 0,  /* not one of AMD's SEV-SNP certificates; never used */
	ATT_SNP_VCEK = 1,
	ATT_SNP_VLEK = 2,
	ATT_SNP_ASK = 3,
	ATT_SNP_ASVK = 4,
	ATT_SNP_ARK = 5
} att_snp_role;

typedef enum {
	ATT_PRODUCT_NONE = 0,
	ATT_PRODUCT_MILAN = 1,
	ATT_PRODUCT_GENOA = 2,  /* with Bergamo and Siena, as KDS has it */
	ATT_PRODUCT_TURIN = 3,
	ATT_PRODUCT_VENICE = 4  /* recognised, not judged */
} att_snp_product;

/* A TCB by its parts (56860, TCB_VERSION): what a product has not is 0. */
typedef struct {
	uint8_t fmc;
	uint8_t boot_loader;
	uint8_t tee;
	uint8_t snp;
	uint8_t microcode;
} att_snp_tcb;

/* One certificate, read and held against its profile. All of it is a copy: the DER may go. */
typedef struct {
	att_finding profile;      /* ATT_PASS, or the first rule of the profile it breaks; offset counts from the certificate's start */
	int32_t root;             /* CAs: the anchor that signed it, -1 for none; set by the _finish functions, not by _read */
	uint8_t role;             /* att_snp_role, by subject and extensions */
	uint8_t product;          /* att_snp_product, by subject (CAs) or issuer (leaves) CN */
	uint8_t self_issued;      /* subject and issuer are the same bytes */
	uint8_t struct_version;   /* leaves only, from here to csp_id */
	att_snp_tcb tcb;
	uint8_t name_product;     /* att_snp_product that productName names */
	uint8_t hwid_len;         /* 0 without the extension, else 8 or 64 */
	uint8_t csp_id_len;
	uint8_t hwid[64];
	uint8_t csp_id[64];
	int64_t not_before;
	int64_t not_after;
	uint8_t serial_len;       /* the serial's magnitude, no leading zeros; 0 for serial 0 */
	uint8_t serial[20];
	uint16_t subject_len;     /* whole DER Name */
	uint16_t issuer_len;
	uint8_t subject[160];
	uint8_t issuer[160];
	uint16_t key_len;         /* leaf: 96, X || Y; CA: the modulus, 512 */
	uint16_t signature_len;
	uint32_t exponent;        /* CA only */
	uint8_t key[512];
	uint8_t signature[512];
	uint8_t tbs_sha384[48];
	uint8_t sha256[32];       /* of the whole DER */
	uint8_t spki_sha256[32];  /* of the whole SubjectPublicKeyInfo */
} att_snp_cert;

/* Reads one DER certificate. Never fails: what is wrong stands in out->profile, and a certificate that cannot be told has role
 * ATT_SNP_OTHER. Sources: AMD 57230 rev 1.05, 58369; RFC 5280 4.1. */
void att_snp_cert_read(const uint8_t *der, uint64_t der_len, att_snp_cert *out);

typedef struct {
	uint8_t len;
	uint8_t bytes[20];  /* magnitude, no leading zeros */
} att_serial;

typedef struct {
	att_finding profile;   /* ATT_PASS, or what is wrong with it */
	int64_t this_update;
	int64_t next_update;
	int32_t root;          /* index of the anchor that signed it (or whose name it bears), -1 when none; set by att_snp_trust_finish */
	uint32_t first_revoked;
	uint32_t num_revoked;  /* into the table of serials */
	uint16_t issuer_len;
	uint16_t signature_len;
	uint8_t issuer[160];
	uint8_t signature[512];
	uint8_t tbs_sha384[48];
	uint8_t sha256[32];
} att_snp_crl;

/* Reads one DER CRL (RFC 5280 5; AMD's profile: v2, no critical extension, PSS as above). Serials are appended to
 * serials[*num_serials], sorted; the caller makes room for crl_len / 6 entries. What is wrong stands in out->profile. */
void att_snp_crl_read(const uint8_t *der, uint64_t der_len, att_snp_crl *out, att_serial *serials, uint64_t max_serials,
                      uint64_t *num_serials);

/* ---- chains -------------------------------------------------------------------------------------------------------------- */

/* A leaf with all that its chain says which does not depend on the report or the time. Sorted within its set by role and hwID. */
typedef struct {
	uint8_t role;
	uint8_t product;            /* of the chain: the ARK's */
	uint8_t hwid_len;
	uint8_t csp_id_len;
	uint8_t hwid[64];
	uint8_t csp_id[64];
	att_snp_tcb tcb;
	uint8_t leaf_product;       /* by issuer CN; equals product unless chain_names failed */
	uint8_t name_product;       /* by productName */
	uint8_t struct_version;
	att_finding leaf_profile;
	att_finding issuer_profile;
	att_finding root;
	att_finding chain_names;
	att_finding leaf_signature;
	att_finding issuer_signature;
	int64_t not_before[3];      /* leaf, ASK or ASVK, ARK */
	int64_t not_after[3];
	att_serial serial[3];
	int32_t root_index;         /* anchor, or -1 */
	uint8_t key[96];
	uint8_t spki_sha256[32];
	uint8_t sha256[3][32];      /* of the certificates; zero where there is none */
} att_snp_leaf;

/* The leaves of one set, and what was wrong with the set as a whole (ATT_PASS when nothing was). */
typedef struct {
	const att_snp_leaf *leaves;
	uint32_t num_leaves;
	att_finding error;
} att_snp_set;

/* Sets out of parts that lie one after the other: the leaves of all, and per set their number and its error. */
void att_snp_sets_fill(const att_snp_leaf *leaves, const uint32_t *num_leaves, const att_finding *errors, uint64_t num_sets,
                       att_snp_set *out);

#define ATT_SET_MAX_BLOBS 4

/* Opens and reads the certificates of many sets, each of num_blobs blobs, at most ATT_SET_MAX_BLOBS; the blobs of all lie one after
 * the other. Each certificate of a set is taken once. Of a blob in PEM a block that is broken does not hide the others; a blob with
 * more than ATT_BLOB_MAX_CERTS certificates is refused whole. scratch: room for the blobs of any one set.
 * Returns how many sets were read: fewer when certs has not enough room for the next; room for ATT_SET_MAX_BLOBS *
 * ATT_BLOB_MAX_CERTS is enough for one. errors: per set that was read, the first that opening its blobs said, or ATT_PASS. */
uint64_t att_snp_sets_read(const uint8_t *blobs, const uint64_t *lens, const uint32_t *num_blobs, uint64_t num_sets, uint8_t *scratch,
                           uint64_t max_certs, att_snp_cert *certs, uint32_t *set_of, uint64_t *num_certs, att_finding *errors);

/* What a verifier trusts: the anchors (ARKs), known intermediates (ASKs and ASVKs, shipped ones) and the CRLs. Read-only once
 * finished; may be shared by all threads. */
typedef struct {
	att_snp_cert *anchors;
	uint32_t num_anchors;
	att_snp_cert *intermediates;
	uint32_t num_intermediates;
	att_snp_crl *crls;
	uint32_t num_crls;
	const att_serial *serials;
	uint64_t num_serials;
} att_snp_trust;

/* The signature jobs of a trust: every anchor under itself, every intermediate and every CRL under every anchor of its issuer's name.
 * Returns their count, at most (1 + num_intermediates + num_crls) * num_anchors; jobs NULL: count only. Run them, then
 * att_snp_trust_finish sets the root of each (of an anchor: itself, or -1) and the profile of a CRL that no anchor signed. */
uint64_t att_snp_trust_jobs(const att_snp_trust *trust, att_sig_job *jobs);
void att_snp_trust_finish(att_snp_trust *trust, const att_sig_job *jobs);

/* Chains of n certificates that belong to sets: set_of[i] (ascending) is the set of certificate i. The jobs are every leaf under
 * every candidate issuer, and every candidate issuer under every anchor of its issuer's name; candidates are the intermediates
 * of the trust and of the leaf's own set. Returns the number of jobs (call with jobs NULL to count). */
uint64_t att_snp_chain_jobs(const att_snp_trust *trust, const att_snp_cert *certs, const uint32_t *set_of, uint64_t n,
                            att_sig_job *jobs);
/* Links them. out_leaves has room for n; out_set_first has num_sets + 1 entries. errors: per set, what opening its blobs said; a set
 * without error gets that of its first malformed certificate. Returns the number of leaves. */
uint64_t att_snp_chain_finish(const att_snp_trust *trust, att_snp_cert *certs, const uint32_t *set_of, uint64_t n, uint64_t num_sets,
                              const att_sig_job *jobs, att_snp_leaf *out_leaves, uint32_t *out_set_first, att_finding *errors);

/* ---- policy -------------------------------------------------------------------------------------------------------------- */

/* num items of a size that the member's name gives, sorted ascending. num 0 means "not asked"; an allow-list that is meant to
 * allow nothing cannot be said (Python refuses it). */
typedef struct {
	const uint8_t *items;
	uint64_t num;
} att_list;

typedef enum { ATT_TCB_REPORTED = 0, ATT_TCB_COMMITTED = 1, ATT_TCB_CURRENT = 2, ATT_TCB_LAUNCH = 3 } att_snp_tcb_kind;

/* A floor under one TCB for the platforms it matches: product, or family/model/stepping as CPUID in the report tells them
 * (stepping 0xFF: any). All floors that match apply; when floors are given for a kind and none matches, that is a failure. */
typedef struct {
	uint8_t kind;      /* att_snp_tcb_kind */
	uint8_t by_cpuid;  /* 0: product; 1: family, model, stepping */
	uint8_t product;   /* 0: every product */
	uint8_t family;
	uint8_t model;
	uint8_t stepping;
	att_snp_tcb minimum;
} att_snp_floor;

/* A compiled policy: plain values, read-only during a call. A zeroed struct is NOT the default policy. */
typedef struct {
	uint64_t guest_required;     /* POLICY bits that must be 1 */
	uint64_t guest_forbidden;    /* and 0, the unknown ones among them */
	uint64_t platform_required;  /* PLATFORM_INFO likewise */
	uint64_t platform_forbidden;
	uint64_t launch_mitigations; /* bits that must be set; 0: not asked */
	uint64_t current_mitigations;
	uint32_t min_version;        /* 0: not asked */
	uint32_t min_guest_svn;      /* 0: not asked */
	uint32_t vmpls;              /* bit i: VMPL i is allowed; 0xF: any of the guest's */
	uint32_t products;           /* bit att_snp_product: allowed */
	uint32_t signers;            /* bit ATT_SNP_VCEK, ATT_SNP_VLEK: allowed */
	uint32_t min_current_firmware;    /* major << 16 | minor << 8 | build; 0: not asked */
	uint32_t min_committed_firmware;
	uint16_t min_abi;            /* major << 8 | minor; 0: not asked */
	uint8_t products_asked;      /* the caller named products: the check counts as run */
	uint8_t signers_asked;
	uint8_t allow_masked_chip_id;
	uint8_t allow_provisional;
	uint8_t allow_v4_mitigations; /* let the two unjudged words of version 4 satisfy a mitigation mask */
	uint8_t require_crl;
	uint8_t ignore_leaf_not_before;
	uint8_t id_block;            /* 0 any, 1 required, 2 forbidden */
	uint8_t report_data_len;     /* 0: not asked; 64: exact; less: the first bytes, */
	uint8_t report_data_zero_tail; /* and the rest zero */
	uint8_t report_data[64];
	const att_snp_floor *floors;
	uint64_t num_floors;
	att_list measurements_48;
	att_list host_data_32;
	att_list family_ids_16;
	att_list image_ids_16;
	att_list report_ids_32;
	att_list report_ids_ma_32;
	att_list id_keys_48;
	att_list author_keys_48;
	att_list chips_allowed_64;
	att_list chips_denied_64;
	att_list leaf_keys_allowed_32;  /* SHA-256 of the SubjectPublicKeyInfo */
	att_list leaf_keys_denied_32;
	att_list csp_ids_64;            /* padded with zeros */
} att_snp_policy;

/* ---- reports ------------------------------------------------------------------------------------------------------------- */

#define ATT_SNP_REPORT_LEN 1184
#define ATT_SNP_SIGNED_LEN 672
#define ATT_NO_TIME (-9223372036854775807 - 1)

/* What a relying party should have asked for and did not. */
#define ATT_OMIT_MEASUREMENT 1
#define ATT_OMIT_REPORT_DATA 2
#define ATT_OMIT_TCB_FLOOR 4
#define ATT_OMIT_CRL 8
#define ATT_OMIT_CHIP_ID 16

/* A report's fields in the order of the layout (56860, ATTESTATION_REPORT). Byte strings stay in the report: their offsets are
 * those of att_snp_layout. Filled when att_snp_parse returned 1: for versions 2 to 6. */
typedef struct {
	uint32_t version;
	uint32_t guest_svn;
	uint64_t policy;
	uint32_t vmpl;
	uint32_t signature_algo;
	uint64_t platform_info;
	uint32_t key_info;
	uint8_t author_key_en;
	uint8_t mask_chip_key;
	uint8_t signing_key;
	uint8_t has_cpuid;
	uint8_t cpuid_fam_id;
	uint8_t cpuid_mod_id;
	uint8_t cpuid_step;
	uint8_t product;         /* by CPUID; of version 2 by its chain, once verified; ATT_PRODUCT_NONE for what is not known */
	uint8_t tcb_layout;      /* 0 unknown, 1 Milan to Siena, 2 Turin; by CPUID, or by a CHIP_ID that no Turin has */
	uint8_t chip_id_masked;
	uint8_t current_version[3];    /* major, minor, build */
	uint8_t committed_version[3];
	uint64_t launch_mit_vector;
	uint64_t current_mit_vector;
	att_snp_tcb tcb[4];      /* by att_snp_tcb_kind; zero while tcb_layout is 0 */
} att_snp_report;

/* The layout table: (offset, size) of field number i of the report, in order; 0 past the end. */
int32_t att_snp_layout(uint32_t i, uint32_t *out_field, uint32_t *out_offset, uint32_t *out_size);

/* Reads the fields and judges all that can be told without certificates: findings has att_snp_num_checks() entries, of which the
 * parse checks are set. product: the layout to use when the report cannot tell (ATT_PRODUCT_NONE: leave it unknown).
 * Returns 1 when out was filled (claims may be shown), else 0. */
int32_t att_snp_parse(const uint8_t *data, uint64_t data_len, uint32_t product, att_snp_report *out, att_finding *findings);

/* n reports to judge, n below 2^32. set_index: per row the set, -1 for none; NULL: set 0 for every row (none when num_sets is 0).
 * at: per row, or one for all when at_stride is 0; ATT_NO_TIME fails the row. product: the caller's word, or ATT_PRODUCT_NONE. */
typedef struct {
	att_rows reports;
	const att_snp_set *sets;
	uint64_t num_sets;
	const int32_t *set_index;
	const int64_t *at;
	uint64_t at_stride;
	const att_snp_trust *trust;
	const att_snp_policy *policy;
	uint32_t product;
	uint8_t mark_key[16];   /* random; see att_snp_columns.mark */
} att_snp_plan;

/* What is kept of each row between begin and finish. */
typedef struct {
	uint8_t sig[96];        /* R || S, big-endian; the row's job points here */
	uint64_t required;      /* bit a check: it must pass */
	att_finding signature;  /* already decided when the job was not run */
} att_snp_work;

/* Columns, n rows each. codes: n * att_snp_num_checks(), row after row. leaf: index of the leaf in the row's set, -1 for none.
 * crl: index of the CRL that answered, -1. code: the first that stands against the row, 0 when accepted. findings may be NULL, or
 * as codes, with field and offset. claims may be NULL. */
typedef struct {
	uint16_t *codes;
	uint16_t *code;
	uint8_t *accepted;
	uint8_t *verified;      /* signature, chain and binding hold */
	uint8_t *parsed;        /* claims may be shown */
	uint32_t *omissions;
	int32_t *leaf;
	int32_t *crl;
	int64_t *valid_until;   /* the earliest end of what was used; ATT_NO_TIME when nothing was */
	att_finding *findings;
	att_snp_report *claims;
	uint64_t *mark;         /* may be NULL; a keyed hash of the bytes that were judged, to notice when evidence changes later */
	uint8_t *reports;       /* may be NULL; n * ATT_SNP_REPORT_LEN: the bytes that were judged (zeros for a row of another length) */
} att_snp_columns;

#define ATT_SNP_WITH_FINDINGS 1
#define ATT_SNP_WITH_CLAIMS 2
#define ATT_SNP_WITH_REPORTS 4

/* Columns of n rows in one block of memory, zeroed and aligned as for uint64_t: sets out's pointers, to NULL for the optional parts that
 * are not among parts. Returns the size of the block; with memory NULL nothing is set. */
uint64_t att_snp_columns_place(uint64_t n, uint32_t parts, uint64_t *memory, att_snp_columns *out);

/* All but the signatures. Every row of jobs and work is written; jobs are compact: the first *num_jobs entries of jobs are to be run,
 * tag is their row. */
void att_snp_begin(const att_snp_plan *plan, att_snp_work *work, att_sig_job *jobs, uint64_t *num_jobs, att_snp_columns *out);
/* Folds the outcomes in and closes every row. */
void att_snp_finish(const att_snp_plan *plan, const att_snp_work *work, const att_sig_job *jobs, uint64_t num_jobs,
                    att_snp_columns *out);
/* begin, att_sig_run with the tables (or NULL), finish. Returns 0, or -1 when the engine is not usable. */
int32_t att_snp_verify(uint32_t engine, const att_snp_plan *plan, att_key_tables *tables, att_snp_work *work, att_sig_job *jobs,
                       att_snp_columns *out);

/* ---- ID block ------------------------------------------------------------------------------------------------------------ */

#define ATT_ID_BLOCK_LEN 96
#define ATT_ID_AUTH_LEN 4096
#define ATT_ID_KEY_LEN 1028

/* Reads ID_BLOCK and ID_AUTH_INFO and prepares at most two jobs: the ID block under the ID key, and, when the author key is
 * there, the ID key under it. Digests are SHA-384 of the two key structures (the author's is zero when there is none).
 * scratch: 384 bytes that the jobs point into. Returns the number of jobs, or -1 with the finding set. */
int32_t att_snp_id_auth(const uint8_t *block, uint64_t block_len, const uint8_t *auth, uint64_t auth_len, uint8_t *scratch,
                        att_sig_job *jobs, uint8_t *out_id_key_digest, uint8_t *out_author_key_digest, att_finding *out_error);

/* ---- event logs ---------------------------------------------------------------------------------------------------------- */

#define ATT_LOG_MAX_BYTES 16777216
#define ATT_LOG_MAX_EVENTS 32768    /* what a caller should have room for at most */
#define ATT_LOG_MAX_ALGORITHMS 16
#define ATT_LOG_MIN_RECORD 19       /* the shortest record there can be */
#define ATT_CCEL_LEN 56

/* What stands behind the last record, up to the end of the log. */
typedef enum { ATT_LOG_PADDING_NONE = 0, ATT_LOG_PADDING_ZEROS = 1, ATT_LOG_PADDING_ONES = 2 } att_log_padding;

/* Which bytes of an event's data its SHA-384 digest is the hash of. Whatever is not among them is only what the log claims; and a
 * digest is worth no more than the register that it replays to. */
typedef enum {
	ATT_EVENT_NOT_RUN = 0,
	ATT_EVENT_NOT_MEASURED = 1,     /* EV_NO_ACTION, or register 0: not extended, so nothing vouches for it */
	ATT_EVENT_DIGEST_ONLY = 2,      /* none of them, as far as can be told */
	ATT_EVENT_WHOLE = 3,            /* all of them */
	ATT_EVENT_STRING = 4,           /* without the NUL at their end */
	ATT_EVENT_PREFIXED_STRING = 5,  /* without the boot loader's prefix and the NUL */
	ATT_EVENT_VARIABLE_DATA = 6,    /* the contents of a UEFI variable, without its name */
	ATT_EVENT_TAGGED_DATA = 7       /* the contents of a tagged event, without its id */
} att_event_rule;

/* One record (TCG_PCR_EVENT2). Offsets count from the log's first byte. */
typedef struct {
	uint32_t offset;
	uint32_t mr_index;        /* 0 MRTD, 1 to 4 RTMR0 to RTMR3 */
	uint32_t type;
	uint32_t num_digests;
	uint32_t digests_offset;  /* {u16 algorithm, digest} each, sizes as the header gives them */
	uint32_t digests_len;
	uint32_t sha384_offset;   /* 48 bytes; 0: the record has none */
	uint32_t data_offset;
	uint32_t data_len;
	uint32_t measured_offset; /* the bytes that rule speaks of; 0 and 0 where it speaks of none */
	uint32_t measured_len;
	uint8_t rule;             /* att_event_rule */
} att_log_event;

typedef struct {
	uint16_t id;              /* TPM_ALG_ID */
	uint16_t len;
} att_log_algorithm;

/* A log's header, and what its records come to. */
typedef struct {
	uint32_t platform_class;
	uint8_t spec_errata;      /* of version 2.0, the only one read */
	uint8_t uintn_size;
	uint8_t padding;          /* att_log_padding */
	uint8_t vendor_len;
	uint32_t vendor_offset;
	uint32_t num_algorithms;
	att_log_algorithm algorithms[16];
	uint32_t num_events;
	uint32_t end;             /* of the last record */
	uint32_t num_extends[4];  /* by RTMR */
	uint8_t rtmr[4][48];
} att_log;

/* Reads a log in TCG's crypto-agile format and replays it: RTMR = SHA-384(RTMR || digest), from zeros. events has room for max_events.
 * The log must not change meanwhile. Returns the number of events, or -1 with the finding set and out zeroed; the events are then
 * of no meaning. A log that ends early at the end of a record is a log: that it is short shows in the registers alone. */
int64_t att_log_read(const uint8_t *data, uint64_t data_len, att_log *out, att_log_event *events, uint64_t max_events,
                     att_finding *out_error);

/* The same replay over columns: rtmrs n numbers from 0 to 3, digests n * 48 bytes, out_rtmrs 4 * 48. Returns 0, or -1 when a number is
 * above 3. */
int32_t att_rtmr_replay(const uint8_t *rtmrs, const uint8_t *digests, uint64_t n, uint8_t *out_rtmrs);

/* ACPI's CCEL table: which confidential-computing technology, and where its log lies. */
typedef struct {
	uint64_t area_len;
	uint64_t area_address;
	uint8_t subtype;
} att_ccel;

/* Reads the 56 bytes of a CCEL table of a TD. Returns 0, or -1 with the finding set. */
int32_t att_ccel_read(const uint8_t *table, uint64_t table_len, att_ccel *out, att_finding *out_error);

/* cffi:end */

#include "attest_tdx.h"

/* Numbers of codes, fields, checks and categories, from the .def files. */
enum {
#define ATT_CODE(name, number, word, category, text) ATT_CODE_##name = (number),
#include "codes.def"
#undef ATT_CODE
	ATT_CODE_END = 512
};

typedef enum {
#define ATT_FIELD(name, word) ATT_FIELD_##name,
#include "fields.def"
#undef ATT_FIELD
	ATT_NUM_FIELDS
} att_field;

enum {
#define ATT_SNP_CHECK(name, word, category, text) ATT_SNP_CHECK_##name,
#include "checks_snp.def"
#undef ATT_SNP_CHECK
	ATT_SNP_NUM_CHECKS
};

enum {
#define ATT_TDX_CHECK(name, word, category, text) ATT_TDX_CHECK_##name,
#include "checks_tdx.def"
#undef ATT_TDX_CHECK
	ATT_TDX_NUM_CHECKS
};

/* The contract's categories, in its order. */
#define ATT_CATEGORIES(X)                                                                                                            \
	X(PARSE, "parse") X(UNSUPPORTED, "unsupported") X(SIGNATURE, "signature") X(CHAIN, "chain") X(CERT_PROFILE, "cert-profile")      \
	X(TIME, "time") X(CRL, "crl") X(REVOKED, "revoked") X(BINDING, "binding") X(IDENTITY, "identity") X(COLLATERAL, "collateral")    \
	X(TCB, "tcb") X(POLICY, "policy") X(FRESHNESS, "freshness") X(TOKEN, "token") X(LIMIT, "limit")

enum {
#define ATT_CATEGORY_ENUM(name, word) ATT_CATEGORY_##name,
	ATT_CATEGORIES(ATT_CATEGORY_ENUM)
#undef ATT_CATEGORY_ENUM
	ATT_NUM_CATEGORIES
};

#endif
