/* SPDX-License-Identifier: Apache-2.0
 *
 * snp_cert.c: AMD's certificates: ARK, ASK and ASVK, VCEK (57230) and VLEK (58369), read and held against their profile.
 *
 * The profile is what AMD issues and nothing wider; where the documents leave a choice, the certificates decide. The first rule
 * that a certificate breaks stands in profile; what can be read is read all the same, so that a caller can be told what it was.
 * The order of the rules:
 *
 *   1 structure            5 issuer               9 extensions, in their order: known, not repeated, criticality, form of value
 *   2 version              6 validity            10 extensions that must be there or must not, and values the product rules
 *   3 serialNumber         7 subject             11 signatureValue
 *   4 both algorithms      8 key
 *
 * A certificate that is none of AMD's by its subject and has none of AMD's extensions is ATT_SNP_OTHER; only its form is judged.
 */
#include "snp_cert.h"

#include "sig.h"

/* ---- shared with CRLs ---------------------------------------------------------------------------------------------------- */

/* RFC 4055 3.1. The defaults are SHA-1, so the parameters are written out. Until 2024 AMD also wrote trailerField, which has its
 * default: DER forbids that, and every certificate of that time has it. */
#define PSS_SHA384 0xA0, 0x0F, 0x30, 0x0D, 0x06, 0x09, 0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x02, 0x05, 0x00
#define PSS_MGF1_SHA384                                                                                                          \
	0xA1, 0x1C, 0x30, 0x1A, 0x06, 0x09, 0x2A, 0x86, 0x48, 0x86, 0xF7, 0x0D, 0x01, 0x01, 0x08, 0x30, 0x0D, 0x06, 0x09, 0x60,      \
	    0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x02, 0x05, 0x00
#define PSS_SALT_48 0xA2, 0x03, 0x02, 0x01, 0x30
#define PSS_TRAILER_1 0xA3, 0x03, 0x02, 0x01, 0x01
#define ID_RSASSA_PSS 0x06, 0x09, 0x2A, 0x86, 0x48, 0x86, 0xF7, 0x0D, 0x01, 0x01, 0x0A

static const uint8_t pss_plain[] = {0x30, 0x41, ID_RSASSA_PSS, 0x30, 0x34, PSS_SHA384, PSS_MGF1_SHA384, PSS_SALT_48};
static const uint8_t pss_with_trailer[] = {0x30, 0x46,       ID_RSASSA_PSS,   0x30,        0x39,
                                           PSS_SHA384, PSS_MGF1_SHA384, PSS_SALT_48, PSS_TRAILER_1};

bool att_amd_algorithm_ok(const uint8_t *der, att_span algorithm) {
	return att_span_is(der, algorithm, pss_plain, sizeof pss_plain) ||
	       att_span_is(der, algorithm, pss_with_trailer, sizeof pss_with_trailer);
}

bool att_amd_signature(const uint8_t *der, att_span signature, uint8_t out[512]) {
	att_span bytes;
	if (!att_x509_signature(der, signature, &bytes) || bytes.len != 512) {
		return false;
	}
	memcpy(out, der + bytes.offset, 512);
	return true;
}

/* The five RDNs before commonName, as in every certificate of AMD's. */
static const uint8_t name_head[] = {
    0x31, 0x14, 0x30, 0x12, 0x06, 0x03, 0x55, 0x04, 0x0B, 0x0C, 0x0B, 'E', 'n', 'g', 'i', 'n', 'e', 'e', 'r', 'i', 'n', 'g',
    0x31, 0x0B, 0x30, 0x09, 0x06, 0x03, 0x55, 0x04, 0x06, 0x13, 0x02, 'U', 'S',
    0x31, 0x14, 0x30, 0x12, 0x06, 0x03, 0x55, 0x04, 0x07, 0x0C, 0x0B, 'S', 'a', 'n', 't', 'a', ' ', 'C', 'l', 'a', 'r', 'a',
    0x31, 0x0B, 0x30, 0x09, 0x06, 0x03, 0x55, 0x04, 0x08, 0x0C, 0x02, 'C', 'A',
    0x31, 0x1F, 0x30, 0x1D, 0x06, 0x03, 0x55, 0x04, 0x0A, 0x0C, 0x16,
    'A', 'd', 'v', 'a', 'n', 'c', 'e', 'd', ' ', 'M', 'i', 'c', 'r', 'o', ' ', 'D', 'e', 'v', 'i', 'c', 'e', 's'};

#define CN_HEADER_LEN 11u

bool att_amd_name_ok(const uint8_t *der, att_span name, att_span common_name) {
	att_der d = att_der_over(der, name, ATT_CODE_CERT_NAME, ATT_FIELD_CERT);
	att_span rdns = att_der_take(&d, ATT_DER_SEQUENCE);
	if (!att_der_ok(&d) || common_name.len > 64 || rdns.len != sizeof name_head + CN_HEADER_LEN + common_name.len) {
		return false;
	}
	uint8_t n = (uint8_t)common_name.len;
	const uint8_t cn_header[CN_HEADER_LEN] = {0x31, (uint8_t)(n + 9), 0x30, (uint8_t)(n + 7), 0x06, 0x03,
	                                          0x55, 0x04,             0x03, 0x0C,             n};
	const uint8_t *p = der + rdns.offset;
	return memcmp(p, name_head, sizeof name_head) == 0 && memcmp(p + sizeof name_head, cn_header, sizeof cn_header) == 0 &&
	       common_name.offset == rdns.offset + sizeof name_head + CN_HEADER_LEN;
}

uint8_t att_amd_product_named(const uint8_t *word, uint32_t len) {
	static const struct {
		const char *word;
		uint8_t product;
	} products[] = {{"Milan", ATT_PRODUCT_MILAN},
	                {"Genoa", ATT_PRODUCT_GENOA},
	                {"Turin", ATT_PRODUCT_TURIN},
	                {"Venice", ATT_PRODUCT_VENICE}};
	for (size_t i = 0; i < sizeof products / sizeof products[0]; i++) {
		if (len == strlen(products[i].word) && memcmp(word, products[i].word, len) == 0) {
			return products[i].product;
		}
	}
	return ATT_PRODUCT_NONE;
}

uint8_t att_amd_ca_of_name(const uint8_t *der, att_span common_name, uint8_t *out_product) {
	static const struct {
		const char *prefix;
		uint8_t role;
	} kinds[] = {{"ARK-", ATT_SNP_ARK}, {"SEV-VLEK-", ATT_SNP_ASVK}, {"SEV-", ATT_SNP_ASK}};
	const uint8_t *cn = der + common_name.offset;
	for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
		uint32_t n = (uint32_t)strlen(kinds[i].prefix);
		if (common_name.len > n && memcmp(cn, kinds[i].prefix, n) == 0) {
			*out_product = att_amd_product_named(cn + n, common_name.len - n);
			return *out_product != ATT_PRODUCT_NONE ? kinds[i].role : ATT_SNP_OTHER;
		}
	}
	*out_product = ATT_PRODUCT_NONE;
	return ATT_SNP_OTHER;
}

/* ---- one certificate ----------------------------------------------------------------------------------------------------- */

/* AMD's extensions: the arcs behind 1.3.6.1.4.1.3704.1 (57230, "VCEK certificate extensions"; 58369). */
typedef enum {
	EXT_STRUCT_VERSION,
	EXT_PRODUCT_NAME,
	EXT_BL,
	EXT_TEE,
	EXT_SNP,
	EXT_SPL4,
	EXT_SPL5,
	EXT_SPL6,
	EXT_SPL7,
	EXT_UCODE,
	EXT_FMC,
	EXT_HWID,
	EXT_CSP_ID,
	NUM_AMD_EXTENSIONS
} amd_extension;

static const uint8_t amd_arc[] = {0x2B, 0x06, 0x01, 0x04, 0x01, 0x9C, 0x78, 0x01};

static const struct {
	uint8_t tail[2];
	uint8_t tail_len;
	uint16_t field;
} amd_extensions[NUM_AMD_EXTENSIONS] = {
    [EXT_STRUCT_VERSION] = {{1, 0}, 1, ATT_FIELD_EXT_STRUCT_VERSION},
    [EXT_PRODUCT_NAME] = {{2, 0}, 1, ATT_FIELD_EXT_PRODUCT_NAME},
    [EXT_BL] = {{3, 1}, 2, ATT_FIELD_EXT_BL_SPL},
    [EXT_TEE] = {{3, 2}, 2, ATT_FIELD_EXT_TEE_SPL},
    [EXT_SNP] = {{3, 3}, 2, ATT_FIELD_EXT_SNP_SPL},
    [EXT_SPL4] = {{3, 4}, 2, ATT_FIELD_EXT_SPL4},
    [EXT_SPL5] = {{3, 5}, 2, ATT_FIELD_EXT_SPL5},
    [EXT_SPL6] = {{3, 6}, 2, ATT_FIELD_EXT_SPL6},
    [EXT_SPL7] = {{3, 7}, 2, ATT_FIELD_EXT_SPL7},
    [EXT_UCODE] = {{3, 8}, 2, ATT_FIELD_EXT_UCODE_SPL},
    [EXT_FMC] = {{3, 9}, 2, ATT_FIELD_EXT_FMC_SPL},
    [EXT_HWID] = {{4, 0}, 1, ATT_FIELD_EXT_HWID},
    [EXT_CSP_ID] = {{5, 0}, 1, ATT_FIELD_EXT_CSP_ID},
};

#define BIT(extension) (1u << (extension))
#define EXTS_ALL_LEAVES                                                                                                          \
	(BIT(EXT_STRUCT_VERSION) | BIT(EXT_PRODUCT_NAME) | BIT(EXT_BL) | BIT(EXT_TEE) | BIT(EXT_SNP) | BIT(EXT_SPL5) |               \
	 BIT(EXT_SPL6) | BIT(EXT_SPL7) | BIT(EXT_UCODE))

typedef struct {
	const uint8_t *der;
	att_x509 x;
	att_span subject_cn;
	att_span issuer_cn;
	bool subject_well_formed;
	att_x509_extension extensions[ATT_X509_MAX_EXTENSIONS];
	uint32_t num_extensions;
	att_finding extensions_error;
	const att_x509_extension *amd[NUM_AMD_EXTENSIONS];  /* NULL: not there */
	att_snp_cert *out;
} cert_walk;

/* The first finding stands. */
static void note(cert_walk *w, uint16_t code, uint16_t field, uint32_t offset) {
	if (w->out->profile.code == ATT_PASS) {
		w->out->profile = att_found(code, field, offset);
	}
}

static bool is_leaf(const att_snp_cert *cert) { return cert->role == ATT_SNP_VCEK || cert->role == ATT_SNP_VLEK; }

static bool is_amd_extension(const uint8_t *der, const att_x509_extension *extension) {
	return extension->oid.len >= sizeof amd_arc && memcmp(der + extension->oid.offset, amd_arc, sizeof amd_arc) == 0;
}

/* The number of an extension of AMD's arc, or NUM_AMD_EXTENSIONS. */
static uint32_t amd_extension_of(const uint8_t *der, const att_x509_extension *extension) {
	const uint8_t *tail = der + extension->oid.offset + sizeof amd_arc;
	uint32_t tail_len = extension->oid.len - (uint32_t)sizeof amd_arc;
	uint32_t i = 0;
	while (i < NUM_AMD_EXTENSIONS &&
	       !(tail_len == amd_extensions[i].tail_len && memcmp(tail, amd_extensions[i].tail, tail_len) == 0)) {
		i++;
	}
	return i;
}

/* ---- role ---------------------------------------------------------------------------------------------------------------- */

static uint8_t leaf_role_of_name(const cert_walk *w) {
	if (att_span_is(w->der, w->subject_cn, "SEV-VCEK", 8)) {
		return ATT_SNP_VCEK;
	}
	return att_span_is(w->der, w->subject_cn, "SEV-VLEK", 8) ? ATT_SNP_VLEK : ATT_SNP_OTHER;
}

/* By subject; else whatever has an extension of AMD's wants to be a leaf, and is judged (and refused) as one. */
static void find_role(cert_walk *w) {
	att_snp_cert *out = w->out;
	uint8_t issuer_product;
	att_amd_ca_of_name(w->der, w->issuer_cn, &issuer_product);
	out->role = leaf_role_of_name(w);
	if (out->role == ATT_SNP_OTHER) {
		out->role = att_amd_ca_of_name(w->der, w->subject_cn, &out->product);
	}
	if (out->role == ATT_SNP_OTHER) {
		bool amd = false;
		for (uint32_t i = 0; i < w->num_extensions; i++) {
			amd |= is_amd_extension(w->der, &w->extensions[i]);
		}
		out->role = !amd ? ATT_SNP_OTHER : w->amd[EXT_CSP_ID] != NULL && w->amd[EXT_HWID] == NULL ? ATT_SNP_VLEK : ATT_SNP_VCEK;
	}
	if (is_leaf(out)) {
		out->product = issuer_product;
	}
}

static void open_extensions(cert_walk *w) {
	w->extensions_error = att_pass();
	if (w->x.extensions.len == 0) {
		return;
	}
	w->extensions_error = att_x509_extensions(w->der, w->x.extensions, ATT_CODE_CERT_MALFORMED, ATT_CODE_CERT_EXTENSION,
	                                          ATT_FIELD_CERT_EXTENSIONS, w->extensions, &w->num_extensions);
	for (uint32_t i = 0; i < w->num_extensions; i++) {
		const att_x509_extension *extension = &w->extensions[i];
		uint32_t number = is_amd_extension(w->der, extension) ? amd_extension_of(w->der, extension) : NUM_AMD_EXTENSIONS;
		if (number < NUM_AMD_EXTENSIONS) {
			w->amd[number] = extension;
		}
	}
}

/* ---- fields -------------------------------------------------------------------------------------------------------------- */

static void judge_version(cert_walk *w) {
	static const uint8_t v3[1] = {2};
	if (!att_span_is(w->der, w->x.version, v3, 1)) {
		note(w, ATT_CODE_CERT_VERSION, ATT_FIELD_CERT_VERSION, w->x.version.len != 0 ? w->x.version.offset : w->x.tbs.offset);
	}
}

/* KDS gives every leaf the serial 0; RFC 5280 4.1.2.2 wants it positive, and CAs keep to that. */
static void judge_serial(cert_walk *w) {
	att_der d = att_der_over(w->der, w->x.serial, ATT_CODE_CERT_SERIAL, ATT_FIELD_CERT_SERIAL);
	att_span magnitude = att_der_unsigned(&d);
	bool fits = att_der_finish(&d).code == ATT_PASS && magnitude.len <= sizeof w->out->serial && w->x.serial.len <= 2 + 20;
	if (!fits || (magnitude.len == 0 && !is_leaf(w->out))) {
		note(w, ATT_CODE_CERT_SERIAL, ATT_FIELD_CERT_SERIAL, w->x.serial.offset);
	}
	if (fits) {
		w->out->serial_len = (uint8_t)magnitude.len;
		memcpy(w->out->serial, w->der + magnitude.offset, magnitude.len);
	}
}

/* RFC 5280 4.1.1.2: the two copies are the same. */
static void judge_algorithms(cert_walk *w) {
	if (!att_amd_algorithm_ok(w->der, w->x.inner_algorithm)) {
		note(w, ATT_CODE_CERT_ALGORITHM, ATT_FIELD_CERT_INNER_ALGORITHM, w->x.inner_algorithm.offset);
	}
	if (!att_spans_equal(w->der, w->x.algorithm, w->x.inner_algorithm)) {
		note(w, ATT_CODE_CERT_ALGORITHM, ATT_FIELD_CERT_ALGORITHM, w->x.algorithm.offset);
	}
}

/* Any CA of AMD's may stand here; whether it is the right one is for the chain to say. An ARK names itself. */
static void judge_issuer(cert_walk *w) {
	uint8_t product;
	bool ok = w->out->issuer_len != 0 && att_amd_name_ok(w->der, w->x.issuer, w->issuer_cn) &&
	          att_amd_ca_of_name(w->der, w->issuer_cn, &product) != ATT_SNP_OTHER;
	if (!ok || (w->out->role == ATT_SNP_ARK && !w->out->self_issued)) {
		note(w, ATT_CODE_CERT_NAME, ATT_FIELD_CERT_ISSUER_NAME, w->x.issuer.offset);
	}
}

static void judge_validity(cert_walk *w) {
	att_finding f = att_x509_validity(w->der, w->x.validity, &w->out->not_before, &w->out->not_after);
	if (f.code != ATT_PASS) {
		note(w, f.code, f.field, f.offset);
	}
}

static void judge_subject(cert_walk *w) {
	bool ok = w->out->subject_len != 0 && att_amd_name_ok(w->der, w->x.subject, w->subject_cn);
	if (!ok || (is_leaf(w->out) && leaf_role_of_name(w) == ATT_SNP_OTHER)) {
		note(w, ATT_CODE_CERT_NAME, ATT_FIELD_CERT_SUBJECT_NAME, w->x.subject.offset);
	}
}

static bool read_leaf_key(cert_walk *w) {
	static const uint8_t secp384r1[5] = {0x2B, 0x81, 0x04, 0x00, 0x22};
	att_span xy;
	if (!att_x509_ec_key(w->der, w->x.spki, secp384r1, sizeof secp384r1, 48, &xy) ||
	    !att_ec_on_curve(ATT_ECDSA_P384, w->der + xy.offset)) {
		return false;
	}
	memcpy(w->out->key, w->der + xy.offset, 96);
	w->out->key_len = 96;
	return true;
}

static bool read_ca_key(cert_walk *w) {
	att_span modulus;
	uint32_t exponent;
	if (!att_x509_rsa_key(w->der, w->x.spki, &modulus, &exponent) || modulus.len != 512 || exponent != 65537) {
		return false;
	}
	const uint8_t *n = w->der + modulus.offset;
	if (n[0] < 0x80 || (n[511] & 1) == 0) {
		return false;
	}
	memcpy(w->out->key, n, 512);
	w->out->key_len = 512;
	w->out->exponent = exponent;
	return true;
}

static void judge_key(cert_walk *w) {
	if (!(is_leaf(w->out) ? read_leaf_key(w) : read_ca_key(w))) {
		note(w, ATT_CODE_CERT_KEY, ATT_FIELD_CERT_SPKI, w->x.spki.offset);
	}
}

static void judge_signature_value(cert_walk *w) {
	if (att_amd_signature(w->der, w->x.signature, w->out->signature)) {
		w->out->signature_len = 512;
	} else {
		note(w, ATT_CODE_CERT_MALFORMED, ATT_FIELD_CERT_SIGNATURE_VALUE, w->x.signature.offset);
	}
}

/* ---- extensions of RFC 5280 ---------------------------------------------------------------------------------------------- */

/* CAs: AMD writes both as critical. ASK and ASVK sign leaves only; the ARK signs the CRL too. */
static void judge_ca_constraints(cert_walk *w, const att_x509_extension *extension) {
	bool is_root = w->out->role == ATT_SNP_ARK;
	att_x509_basic_constraints bc;
	if (!att_x509_read_basic_constraints(w->der, extension->value, &bc)) {
		note(w, ATT_CODE_CERT_EXTENSION, ATT_FIELD_EXT_BASIC_CONSTRAINTS, extension->offset);
	} else if (!extension->critical || !bc.ca || (!is_root && !(bc.has_path_len && bc.path_len == 0))) {
		note(w, ATT_CODE_CERT_CONSTRAINTS, ATT_FIELD_EXT_BASIC_CONSTRAINTS, extension->offset);
	}
}

static void judge_ca_usage(cert_walk *w, const att_x509_extension *extension) {
	uint32_t wanted = ATT_X509_KU_KEY_CERT_SIGN | (w->out->role == ATT_SNP_ARK ? ATT_X509_KU_CRL_SIGN : 0u);
	uint8_t usage;
	if (!att_x509_read_key_usage(w->der, extension->value, &usage)) {
		note(w, ATT_CODE_CERT_EXTENSION, ATT_FIELD_EXT_KEY_USAGE, extension->offset);
	} else if (!extension->critical || (usage & wanted) != wanted) {
		note(w, ATT_CODE_CERT_CONSTRAINTS, ATT_FIELD_EXT_KEY_USAGE, extension->offset);
	}
}

/* Leaves have neither today. Were they to appear, they may not make a CA of the leaf nor forbid it to sign reports. */
static void judge_leaf_constraints(cert_walk *w, const att_x509_extension *extension) {
	att_x509_basic_constraints bc;
	if (!att_x509_read_basic_constraints(w->der, extension->value, &bc)) {
		note(w, ATT_CODE_CERT_EXTENSION, ATT_FIELD_EXT_BASIC_CONSTRAINTS, extension->offset);
	} else if (bc.ca || bc.has_path_len) {
		note(w, ATT_CODE_CERT_CONSTRAINTS, ATT_FIELD_EXT_BASIC_CONSTRAINTS, extension->offset);
	}
}

static void judge_leaf_usage(cert_walk *w, const att_x509_extension *extension) {
	uint8_t usage;
	if (!att_x509_read_key_usage(w->der, extension->value, &usage)) {
		note(w, ATT_CODE_CERT_EXTENSION, ATT_FIELD_EXT_KEY_USAGE, extension->offset);
	} else if ((usage & (ATT_X509_KU_KEY_CERT_SIGN | ATT_X509_KU_CRL_SIGN)) != 0 ||
	           (usage & ATT_X509_KU_DIGITAL_SIGNATURE) == 0) {
		note(w, ATT_CODE_CERT_CONSTRAINTS, ATT_FIELD_EXT_KEY_USAGE, extension->offset);
	}
}

/* RFC 5280 4.2.1.1, 4.2.1.2, 4.2.1.13: never critical here. */
static void judge_helper(cert_walk *w, const att_x509_extension *extension, bool value_ok, uint16_t field) {
	if (extension->critical || !value_ok) {
		note(w, ATT_CODE_CERT_EXTENSION, field, extension->offset);
	}
}

/* Extensions that narrow what a path may be. Nothing here applies them, so what has one is refused, critical or not. */
static bool narrows_paths(const uint8_t *der, att_span oid) {
	return att_x509_is_ce(der, oid, ATT_X509_CE_NAME_CONSTRAINTS) || att_x509_is_ce(der, oid, ATT_X509_CE_POLICY_MAPPINGS) ||
	       att_x509_is_ce(der, oid, ATT_X509_CE_POLICY_CONSTRAINTS) || att_x509_is_ce(der, oid, ATT_X509_CE_INHIBIT_ANY_POLICY);
}

static void judge_standard_extension(cert_walk *w, const att_x509_extension *extension) {
	const uint8_t *der = w->der;
	bool leaf = is_leaf(w->out);
	if (att_x509_is_ce(der, extension->oid, ATT_X509_CE_BASIC_CONSTRAINTS)) {
		(leaf ? judge_leaf_constraints : judge_ca_constraints)(w, extension);
	} else if (att_x509_is_ce(der, extension->oid, ATT_X509_CE_KEY_USAGE)) {
		(leaf ? judge_leaf_usage : judge_ca_usage)(w, extension);
	} else if (att_x509_is_ce(der, extension->oid, ATT_X509_CE_SKI)) {
		judge_helper(w, extension, att_x509_ski_ok(der, extension->value), ATT_FIELD_EXT_SKI);
	} else if (att_x509_is_ce(der, extension->oid, ATT_X509_CE_AKI)) {
		judge_helper(w, extension, att_x509_aki_ok(der, extension->value), ATT_FIELD_EXT_AKI);
	} else if (att_x509_is_ce(der, extension->oid, ATT_X509_CE_CRLDP)) {
		judge_helper(w, extension, att_x509_crldp_ok(der, extension->value), ATT_FIELD_EXT_CRLDP);
	} else if (extension->critical || narrows_paths(der, extension->oid)) {
		note(w, ATT_CODE_CERT_EXTENSION, ATT_FIELD_CERT_EXTENSIONS, extension->offset);
	}
}

/* Leaves have AMD's extensions, none critical and none that is not known; CAs have none at all. */
static void judge_extensions(cert_walk *w) {
	for (uint32_t i = 0; i < w->num_extensions; i++) {
		const att_x509_extension *extension = &w->extensions[i];
		if (!is_amd_extension(w->der, extension)) {
			judge_standard_extension(w, extension);
			continue;
		}
		uint32_t number = amd_extension_of(w->der, extension);
		if (!is_leaf(w->out) || extension->critical || number == NUM_AMD_EXTENSIONS) {
			uint16_t field = number < NUM_AMD_EXTENSIONS ? amd_extensions[number].field : ATT_FIELD_CERT_EXTENSIONS;
			note(w, ATT_CODE_CERT_EXTENSION, field, extension->offset);
		}
	}
	if (w->extensions_error.code != ATT_PASS) {
		note(w, w->extensions_error.code, w->extensions_error.field, w->extensions_error.offset);
	}
}

static void require_ca_extensions(cert_walk *w) {
	bool constraints = false;
	bool usage = false;
	for (uint32_t i = 0; i < w->num_extensions; i++) {
		constraints |= att_x509_is_ce(w->der, w->extensions[i].oid, ATT_X509_CE_BASIC_CONSTRAINTS);
		usage |= att_x509_is_ce(w->der, w->extensions[i].oid, ATT_X509_CE_KEY_USAGE);
	}
	if (!constraints) {
		note(w, ATT_CODE_CERT_EXTENSION_MISSING, ATT_FIELD_EXT_BASIC_CONSTRAINTS, w->x.extensions.offset);
	}
	if (!usage) {
		note(w, ATT_CODE_CERT_EXTENSION_MISSING, ATT_FIELD_EXT_KEY_USAGE, w->x.extensions.offset);
	}
}

/* ---- extensions of AMD --------------------------------------------------------------------------------------------------- */

static void refuse_amd(cert_walk *w, amd_extension which) {
	note(w, ATT_CODE_CERT_EXTENSION, amd_extensions[which].field, w->amd[which]->offset);
}

/* Which must be there: Milan and Genoa have spl4 and no fmcSPL, Turin the reverse; a VCEK has a hwID, a VLEK a csp_id. The set is
 * exact. Venice is held against Turin's until its own is published. */
static void judge_amd_presence(cert_walk *w) {
	bool fmc = w->out->product == ATT_PRODUCT_TURIN || w->out->product == ATT_PRODUCT_VENICE;
	uint32_t wanted = EXTS_ALL_LEAVES | (fmc ? BIT(EXT_FMC) : BIT(EXT_SPL4)) |
	                  (w->out->role == ATT_SNP_VCEK ? BIT(EXT_HWID) : BIT(EXT_CSP_ID));
	for (uint32_t i = 0; i < NUM_AMD_EXTENSIONS; i++) {
		if ((wanted & BIT(i)) != 0 && w->amd[i] == NULL) {
			note(w, ATT_CODE_CERT_EXTENSION_MISSING, amd_extensions[i].field, w->x.extensions.offset);
		}
		if ((wanted & BIT(i)) == 0 && w->amd[i] != NULL) {
			refuse_amd(w, (amd_extension)i);
		}
	}
}

/* An INTEGER from 0 to max that is the whole value. False: not there, or noted. */
static bool read_amd_integer(cert_walk *w, amd_extension which, uint32_t max, uint8_t *out) {
	if (w->amd[which] == NULL) {
		return false;
	}
	att_der d = att_der_over(w->der, w->amd[which]->value, ATT_CODE_CERT_EXTENSION, amd_extensions[which].field);
	uint32_t value = att_der_uint(&d, max);
	if (att_der_finish(&d).code != ATT_PASS) {
		refuse_amd(w, which);
		return false;
	}
	*out = (uint8_t)value;
	return true;
}

static void read_struct_version(cert_walk *w) {
	uint8_t product = w->out->product;
	uint8_t wanted = product == ATT_PRODUCT_TURIN || product == ATT_PRODUCT_VENICE ? 1 : 0;
	if (read_amd_integer(w, EXT_STRUCT_VERSION, 255, &w->out->struct_version) && product != ATT_PRODUCT_NONE &&
	    w->out->struct_version != wanted) {
		refuse_amd(w, EXT_STRUCT_VERSION);
	}
}

static void read_spls(cert_walk *w) {
	att_snp_tcb *tcb = &w->out->tcb;
	uint8_t reserved;
	read_amd_integer(w, EXT_BL, 255, &tcb->boot_loader);
	read_amd_integer(w, EXT_TEE, 255, &tcb->tee);
	read_amd_integer(w, EXT_SNP, 255, &tcb->snp);
	read_amd_integer(w, EXT_SPL4, 0, &reserved);
	read_amd_integer(w, EXT_SPL5, 0, &reserved);
	read_amd_integer(w, EXT_SPL6, 0, &reserved);
	read_amd_integer(w, EXT_SPL7, 0, &reserved);
	read_amd_integer(w, EXT_UCODE, 255, &tcb->microcode);
	read_amd_integer(w, EXT_FMC, 255, &tcb->fmc);
}

/* An IA5String that is the whole value. False: not there, or noted. */
static bool read_amd_string(cert_walk *w, amd_extension which, att_span *out) {
	if (w->amd[which] == NULL) {
		return false;
	}
	att_der d = att_der_over(w->der, w->amd[which]->value, ATT_CODE_CERT_EXTENSION, amd_extensions[which].field);
	*out = att_der_take(&d, ATT_DER_IA5_STRING);
	if (att_der_finish(&d).code != ATT_PASS) {
		refuse_amd(w, which);
		return false;
	}
	return true;
}

/* A product's word, or the word with a stepping: "Milan-B0". KDS writes B0 on later steppings as well, so it says nothing. */
static void read_product_name(cert_walk *w) {
	att_span s;
	if (!read_amd_string(w, EXT_PRODUCT_NAME, &s)) {
		return;
	}
	const uint8_t *p = w->der + s.offset;
	uint32_t n = s.len;
	if (n > 3 && p[n - 3] == '-' && p[n - 2] >= 'A' && p[n - 2] <= 'Z' && p[n - 1] >= '0' && p[n - 1] <= '9') {
		n -= 3;
	}
	w->out->name_product = att_amd_product_named(p, n);
	if (w->out->name_product == ATT_PRODUCT_NONE) {
		refuse_amd(w, EXT_PRODUCT_NAME);
	}
}

/* The id is the value itself, with no DER inside; an id may begin like DER, so its length alone decides. */
static void read_hwid(cert_walk *w) {
	const att_x509_extension *extension = w->amd[EXT_HWID];
	if (extension == NULL) {
		return;
	}
	uint32_t n = extension->value.len;
	bool is_short = w->out->product == ATT_PRODUCT_TURIN || w->out->product == ATT_PRODUCT_VENICE;
	if (n != 8 && n != 64) {
		refuse_amd(w, EXT_HWID);
		return;
	}
	if (w->out->product != ATT_PRODUCT_NONE && n != (is_short ? 8u : 64u)) {
		refuse_amd(w, EXT_HWID);
	}
	memcpy(w->out->hwid, w->der + extension->value.offset, n);
	w->out->hwid_len = (uint8_t)n;
}

static void read_csp_id(cert_walk *w) {
	att_span s;
	if (!read_amd_string(w, EXT_CSP_ID, &s)) {
		return;
	}
	bool printable = s.len >= 1 && s.len <= sizeof w->out->csp_id;
	for (uint32_t i = 0; printable && i < s.len; i++) {
		printable = w->der[s.offset + i] >= 0x20 && w->der[s.offset + i] <= 0x7E;
	}
	if (!printable) {
		refuse_amd(w, EXT_CSP_ID);
		return;
	}
	memcpy(w->out->csp_id, w->der + s.offset, s.len);
	w->out->csp_id_len = (uint8_t)s.len;
}

static void judge_amd_values(cert_walk *w) {
	if (w->out->product != ATT_PRODUCT_NONE) {
		judge_amd_presence(w);
	}
	read_struct_version(w);
	read_product_name(w);
	read_spls(w);
	read_hwid(w);
	read_csp_id(w);
}

/* ---- the whole ----------------------------------------------------------------------------------------------------------- */

static uint16_t copy_name(const uint8_t *der, att_span name, uint8_t out[160]) {
	if (name.len > 160) {
		return 0;
	}
	memcpy(out, der + name.offset, name.len);
	return (uint16_t)name.len;
}

/* What every certificate has, AMD's or not. */
static void read_common(cert_walk *w) {
	att_snp_cert *out = w->out;
	out->subject_len = copy_name(w->der, w->x.subject, out->subject);
	out->issuer_len = copy_name(w->der, w->x.issuer, out->issuer);
	out->self_issued = w->x.subject.len != 0 && att_spans_equal(w->der, w->x.subject, w->x.issuer);
	w->subject_well_formed = att_x509_name(w->der, w->x.subject, &w->subject_cn);
	att_x509_name(w->der, w->x.issuer, &w->issuer_cn);
	if (w->x.tbs.len != 0) {
		att_sha384(w->der + w->x.tbs.offset, w->x.tbs.len, out->tbs_sha384);
	}
	if (w->x.spki.len != 0) {
		att_sha256(w->der + w->x.spki.offset, w->x.spki.len, out->spki_sha256);
	}
}

/* A certificate of others: what says that it is none of AMD's must be well-formed, or it cannot be told. */
static void judge_other(cert_walk *w) {
	if (!w->subject_well_formed) {
		note(w, ATT_CODE_CERT_MALFORMED, ATT_FIELD_CERT_SUBJECT_NAME, w->x.subject.offset);
	}
	if (w->extensions_error.code != ATT_PASS) {
		note(w, w->extensions_error.code, w->extensions_error.field, w->extensions_error.offset);
	}
}

void att_snp_cert_read(const uint8_t *der, uint64_t der_len, att_snp_cert *out) {
	memset(out, 0, sizeof *out);
	out->root = -1;
	out->profile = att_pass();
	if (der_len == 0 || der_len > ATT_CERT_MAX_BYTES) {
		out->profile = att_found(ATT_CODE_CERT_MALFORMED, ATT_FIELD_CERT, 0);
		return;
	}
	cert_walk w;
	memset(&w, 0, sizeof w);
	w.der = der;
	w.out = out;
	att_sha256(der, der_len, out->sha256);
	out->profile = att_x509_read(der, (uint32_t)der_len, &w.x);
	read_common(&w);
	open_extensions(&w);
	find_role(&w);
	if (out->role == ATT_SNP_OTHER) {
		judge_other(&w);
		return;
	}
	judge_version(&w);
	judge_serial(&w);
	judge_algorithms(&w);
	judge_issuer(&w);
	judge_validity(&w);
	judge_subject(&w);
	judge_key(&w);
	judge_extensions(&w);
	if (is_leaf(out)) {
		judge_amd_values(&w);
	} else {
		require_ca_extensions(&w);
	}
	judge_signature_value(&w);
}
