/* SPDX-License-Identifier: Apache-2.0
 *
 * intel_cert.c: Intel's certificates: root, PCK Platform and Processor CA, PCK certificate, TCB signing certificate, read and
 * held against their profile (Intel SGX PCK Certificate and Certificate Revocation List Profile Specification; RFC 5280).
 *
 * The profile is what Intel issues and nothing wider. The first rule that a certificate breaks stands in profile; what can be
 * read is read all the same. The order of the rules:
 *
 *   1 structure            5 issuer               9 extensions, in their order: known, not repeated, criticality, form of value
 *   2 version              6 validity            10 extensions that must be there
 *   3 serialNumber         7 subject             11 signatureValue
 *   4 both algorithms      8 key
 *
 * Which certificate may stand where is for the chain to say (tdx_platform.c); here any CA of Intel's may be an issuer.
 */
#include "sig.h"
#include "tdx.h"
#include "x509.h"

bool att_intel_algorithm_ok(const uint8_t *der, att_span algorithm) { return att_x509_ecdsa_sha256(der, algorithm); }

/* ---- names --------------------------------------------------------------------------------------------------------------- */

/* One attribute in a set of its own, its value a UTF8String or PrintableString: both are in use, C being printable. */
static att_span take_attribute(att_der *rdns, uint8_t type) {
	const uint8_t oid[3] = {0x55, 0x04, type};
	att_der set = att_der_enter(rdns, ATT_DER_SET);
	att_der attribute = att_der_enter(&set, ATT_DER_SEQUENCE);
	uint32_t start = attribute.in.pos;
	if (!att_span_is(rdns->in.base, att_der_oid(&attribute), oid, sizeof oid)) {
		att_der_refuse(&attribute, start);
	}
	bool printable = att_der_next_is(&attribute, ATT_DER_PRINTABLE_STRING);
	att_span value = att_der_take(&attribute, printable ? ATT_DER_PRINTABLE_STRING : ATT_DER_UTF8_STRING);
	att_der_leave(&set, &attribute);
	att_der_leave(rdns, &set);
	return value;
}

uint8_t att_intel_role_of_name(const uint8_t *der, att_span name) {
	static const struct {
		const char *common_name;
		uint8_t role;
	} names[] = {{"Intel SGX Root CA", ATT_INTEL_ROOT},
	             {"Intel SGX PCK Platform CA", ATT_INTEL_PLATFORM_CA},
	             {"Intel SGX PCK Processor CA", ATT_INTEL_PROCESSOR_CA},
	             {"Intel SGX PCK Certificate", ATT_INTEL_PCK},
	             {"Intel SGX TCB Signing", ATT_INTEL_TCB_SIGNER}};
	static const struct {
		uint8_t type;
		const char *value;
	} others[] = {{0x0A, "Intel Corporation"}, {0x07, "Santa Clara"}, {0x08, "CA"}, {0x06, "US"}}; /* O, L, ST, C */
	att_der d = att_der_over(der, name, ATT_CODE_CERT_NAME, ATT_FIELD_CERT);
	att_der rdns = att_der_enter(&d, ATT_DER_SEQUENCE);
	att_span common_name = take_attribute(&rdns, 0x03);
	bool same = true;
	for (size_t i = 0; i < sizeof others / sizeof others[0]; i++) {
		att_span value = take_attribute(&rdns, others[i].type);
		same &= att_span_is(der, value, others[i].value, (uint32_t)strlen(others[i].value));
	}
	att_der_leave(&d, &rdns);
	if (att_der_finish(&d).code != ATT_PASS || !same) {
		return ATT_INTEL_OTHER;
	}
	for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
		if (att_span_is(der, common_name, names[i].common_name, (uint32_t)strlen(names[i].common_name))) {
			return names[i].role;
		}
	}
	return ATT_INTEL_OTHER;
}

static bool is_ca(uint8_t role) {
	return role == ATT_INTEL_ROOT || role == ATT_INTEL_PLATFORM_CA || role == ATT_INTEL_PROCESSOR_CA;
}

/* ---- the walk ------------------------------------------------------------------------------------------------------------ */

typedef struct {
	const uint8_t *der;
	att_x509 x;
	uint8_t issuer_role;
	att_x509_extension extensions[ATT_X509_MAX_EXTENSIONS];
	uint32_t num_extensions;
	att_finding extensions_error;
	att_intel_cert *out;
} cert_walk;

/* The first finding stands. */
static void note_finding(cert_walk *w, att_finding found) {
	if (w->out->profile.code == ATT_PASS) {
		w->out->profile = found;
	}
}

static void note(cert_walk *w, uint16_t code, uint16_t field, uint32_t offset) {
	note_finding(w, att_found(code, field, offset));
}

static void judge_version(cert_walk *w) {
	static const uint8_t v3[1] = {2};
	if (!att_span_is(w->der, w->x.version, v3, 1)) {
		note(w, ATT_CODE_CERT_VERSION, ATT_FIELD_CERT_VERSION, w->x.version.len != 0 ? w->x.version.offset : w->x.tbs.offset);
	}
}

/* RFC 5280 4.1.2.2: positive, at most 20 octets. Intel's use all 160 bits, so that some take a 21st for the sign. */
static void judge_serial(cert_walk *w) {
	att_der d = att_der_over(w->der, w->x.serial, ATT_CODE_CERT_SERIAL, ATT_FIELD_CERT_SERIAL);
	att_span magnitude = att_der_unsigned(&d);
	if (att_der_finish(&d).code != ATT_PASS || magnitude.len == 0 || magnitude.len > sizeof w->out->serial) {
		note(w, ATT_CODE_CERT_SERIAL, ATT_FIELD_CERT_SERIAL, w->x.serial.offset);
		return;
	}
	w->out->serial_len = (uint8_t)magnitude.len;
	memcpy(w->out->serial, w->der + magnitude.offset, magnitude.len);
}

/* RFC 5280 4.1.1.2: the two copies are the same. */
static void judge_algorithms(cert_walk *w) {
	if (!att_intel_algorithm_ok(w->der, w->x.inner_algorithm)) {
		note(w, ATT_CODE_CERT_ALGORITHM, ATT_FIELD_CERT_INNER_ALGORITHM, w->x.inner_algorithm.offset);
	}
	if (!att_spans_equal(w->der, w->x.algorithm, w->x.inner_algorithm)) {
		note(w, ATT_CODE_CERT_ALGORITHM, ATT_FIELD_CERT_ALGORITHM, w->x.algorithm.offset);
	}
}

static void judge_names(cert_walk *w) {
	if (!is_ca(w->issuer_role) || (w->out->role == ATT_INTEL_ROOT && !w->out->self_issued)) {
		note(w, ATT_CODE_CERT_NAME, ATT_FIELD_CERT_ISSUER_NAME, w->x.issuer.offset);
	}
	note_finding(w, att_x509_validity(w->der, w->x.validity, &w->out->not_before, &w->out->not_after));
	if (w->out->role == ATT_INTEL_OTHER) {
		note(w, ATT_CODE_CERT_NAME, ATT_FIELD_CERT_SUBJECT_NAME, w->x.subject.offset);
	}
}

static void judge_key(cert_walk *w) {
	static const uint8_t prime256v1[8] = {0x2A, 0x86, 0x48, 0xCE, 0x3D, 0x03, 0x01, 0x07};
	att_span xy;
	if (!att_x509_ec_key(w->der, w->x.spki, prime256v1, sizeof prime256v1, 32, &xy) ||
	    !att_ec_on_curve(ATT_ECDSA_P256, w->der + xy.offset)) {
		note(w, ATT_CODE_CERT_KEY, ATT_FIELD_CERT_SPKI, w->x.spki.offset);
		return;
	}
	memcpy(w->out->key, w->der + xy.offset, sizeof w->out->key);
}

static void judge_signature_value(cert_walk *w) {
	if (!att_x509_ecdsa_signature(w->der, w->x.signature, 32, w->out->signature)) {
		note(w, ATT_CODE_CERT_MALFORMED, ATT_FIELD_CERT_SIGNATURE_VALUE, w->x.signature.offset);
	}
}

/* ---- SGX extension ------------------------------------------------------------------------------------------------------- */

/* A SEQUENCE OF SEQUENCE { OID, value }: the OIDs are arc.1 to arc.num, each at most once, in any order, as Intel's own library
 * (QVL, PckCertificate) reads them. */
typedef struct {
	uint8_t arc[11];
	uint8_t arc_len;
	uint8_t num;
	uint16_t (*field_of)(uint32_t number);
	void (*read)(att_der *d, uint32_t number, att_pck_info *out);
} sgx_parts;

/* Returns the bits of the numbers read; 0 once d has failed. */
static uint32_t read_parts(att_der *d, const sgx_parts *parts, att_pck_info *out) {
	uint32_t seen = 0;
	att_der list = att_der_enter(d, ATT_DER_SEQUENCE);
	while (att_der_more(&list)) {
		uint32_t start = list.in.pos;
		att_der entry = att_der_enter(&list, ATT_DER_SEQUENCE);
		att_span oid = att_der_oid(&entry);
		uint32_t number = 0;
		if (oid.len == parts->arc_len + 1u && memcmp(list.in.base + oid.offset, parts->arc, parts->arc_len) == 0) {
			number = list.in.base[oid.offset + parts->arc_len];
		}
		if (number == 0 || number > parts->num || (seen >> number & 1) != 0) {
			att_der_refuse(&entry, start);
		} else {
			seen |= 1u << number;
			entry.field = parts->field_of(number);
			parts->read(&entry, number, out);
		}
		att_der_leave(&list, &entry);
	}
	att_der_leave(d, &list);
	return att_der_ok(d) ? seen : 0;
}

/* Each part that is wanted is there. at: where the whole stands. */
static void require_parts(att_der *d, const sgx_parts *parts, uint32_t seen, uint32_t wanted, uint32_t at) {
	for (uint32_t number = 1; number <= parts->num; number++) {
		if ((wanted >> number & 1) != 0 && (seen >> number & 1) == 0) {
			d->code = ATT_CODE_CERT_EXTENSION_MISSING;
			d->field = parts->field_of(number);
			att_der_refuse(d, at);
		}
	}
}

/* The bits 1 to num. */
static uint32_t numbers_to(uint32_t num) { return (UINT32_C(2) << num) - 2; }

static void read_octets(att_der *d, uint8_t *out, uint32_t size) {
	uint32_t start = d->in.pos;
	att_span s = att_der_take(d, ATT_DER_OCTET_STRING);
	if (s.len != size) {
		att_der_refuse(d, start);
	}
	if (att_der_ok(d)) {
		memcpy(out, d->in.base + s.offset, size);
	}
}

/* The arcs, behind 1.2.840.113741. */
#define INTEL_ARC 0x2A, 0x86, 0x48, 0x86, 0xF8, 0x4D
#define SGX_ARC INTEL_ARC, 0x01, 0x0D, 0x01

enum {
	SGX_PPID = 1,
	SGX_TCB,
	SGX_PCE_ID,
	SGX_FMSPC,
	SGX_TYPE,
	SGX_PLATFORM_INSTANCE,
	SGX_CONFIGURATION,
	SGX_LAST = SGX_CONFIGURATION
};
enum { TCB_COMPONENTS = 16, TCB_PCE_SVN, TCB_CPU_SVN, TCB_LAST = TCB_CPU_SVN };
enum { CONFIGURATION_DYNAMIC = 1, CONFIGURATION_CACHED_KEYS, CONFIGURATION_SMT, CONFIGURATION_LAST = CONFIGURATION_SMT };

static uint16_t tcb_field_of(uint32_t number) {
	if (number <= TCB_COMPONENTS) {
		return ATT_FIELD_EXT_TCB_COMPONENT;
	}
	return number == TCB_PCE_SVN ? ATT_FIELD_EXT_PCE_SVN : ATT_FIELD_EXT_CPU_SVN;
}

static void read_tcb_part(att_der *d, uint32_t number, att_pck_info *out) {
	if (number <= TCB_COMPONENTS) {
		out->components[number - 1] = (uint8_t)att_der_uint(d, 255);
	} else if (number == TCB_PCE_SVN) {
		out->pce_svn = (uint16_t)att_der_uint(d, 65535);
	} else {
		read_octets(d, out->cpu_svn, sizeof out->cpu_svn);
	}
}

static uint16_t configuration_field_of(uint32_t number) {
	(void)number;
	return ATT_FIELD_EXT_CONFIGURATION;
}

static void read_configuration_part(att_der *d, uint32_t number, att_pck_info *out) {
	uint8_t value = att_der_boolean(d);
	if (number == CONFIGURATION_DYNAMIC) {
		out->dynamic_platform = value;
	} else if (number == CONFIGURATION_CACHED_KEYS) {
		out->cached_keys = value;
	} else {
		out->smt_enabled = value;
	}
}

static const sgx_parts tcb_parts = {{SGX_ARC, SGX_TCB}, 10, TCB_LAST, tcb_field_of, read_tcb_part};
static const sgx_parts configuration_parts = {
    {SGX_ARC, SGX_CONFIGURATION}, 10, CONFIGURATION_LAST, configuration_field_of, read_configuration_part};

static void read_sgx_type(att_der *d, att_pck_info *out) {
	uint32_t start = d->in.pos;
	att_span s = att_der_take(d, ATT_DER_ENUMERATED);
	if (s.len != 1 || d->in.base[s.offset] > 2) {
		att_der_refuse(d, start);
	}
	if (att_der_ok(d)) {
		out->sgx_type = d->in.base[s.offset];
	}
}

static uint16_t sgx_field_of(uint32_t number) {
	static const uint16_t fields[SGX_LAST + 1] = {
	    ATT_FIELD_EXT_SGX,    ATT_FIELD_EXT_PPID,     ATT_FIELD_EXT_TCB,
	    ATT_FIELD_EXT_PCE_ID, ATT_FIELD_EXT_FMSPC,    ATT_FIELD_EXT_SGX_TYPE,
	    ATT_FIELD_EXT_PLATFORM_INSTANCE, ATT_FIELD_EXT_CONFIGURATION,
	};
	return fields[number];
}

static void read_sgx_part(att_der *d, uint32_t number, att_pck_info *out) {
	uint32_t at = d->in.pos;
	switch (number) {
	case SGX_PPID:
		read_octets(d, out->ppid, sizeof out->ppid);
		break;
	case SGX_TCB:
		require_parts(d, &tcb_parts, read_parts(d, &tcb_parts, out), numbers_to(TCB_LAST), at);
		break;
	case SGX_PCE_ID:
		read_octets(d, out->pce_id, sizeof out->pce_id);
		break;
	case SGX_FMSPC:
		read_octets(d, out->fmspc, sizeof out->fmspc);
		break;
	case SGX_TYPE:
		read_sgx_type(d, out);
		break;
	case SGX_PLATFORM_INSTANCE:
		read_octets(d, out->platform_instance_id, sizeof out->platform_instance_id);
		break;
	default:
		require_parts(d, &configuration_parts, read_parts(d, &configuration_parts, out), numbers_to(CONFIGURATION_LAST), at);
		break;
	}
}

static const sgx_parts all_parts = {{SGX_ARC}, 9, SGX_LAST, sgx_field_of, read_sgx_part};

/* The Processor CA's certificates have the first five parts, the Platform CA's all seven; no others. Without an issuer to tell,
 * what is there decides. */
static void judge_sgx(cert_walk *w, const att_x509_extension *extension) {
	att_pck_info *out = &w->out->pck;
	att_der d = att_der_over(w->der, extension->value, ATT_CODE_CERT_EXTENSION, ATT_FIELD_EXT_SGX);
	uint32_t seen = read_parts(&d, &all_parts, out);
	uint32_t of_platform = UINT32_C(1) << SGX_PLATFORM_INSTANCE | UINT32_C(1) << SGX_CONFIGURATION;
	bool platform = w->issuer_role == ATT_INTEL_PLATFORM_CA ||
	                (w->issuer_role != ATT_INTEL_PROCESSOR_CA && (seen & of_platform) != 0);
	require_parts(&d, &all_parts, seen, numbers_to(platform ? SGX_CONFIGURATION : SGX_TYPE), extension->offset);
	if (!platform && (seen & of_platform) != 0) {
		d.field = (seen >> SGX_PLATFORM_INSTANCE & 1) != 0 ? ATT_FIELD_EXT_PLATFORM_INSTANCE : ATT_FIELD_EXT_CONFIGURATION;
		att_der_refuse(&d, extension->offset);
	}
	if (memcmp(out->cpu_svn, out->components, sizeof out->cpu_svn) != 0) {
		d.field = ATT_FIELD_EXT_CPU_SVN; /* two tellings of one thing, in every certificate that Intel has issued */
		att_der_refuse(&d, extension->offset);
	}
	if (extension->critical) {
		d.field = ATT_FIELD_EXT_SGX;
		att_der_refuse(&d, extension->offset);
	}
	note_finding(w, att_der_finish(&d));
	out->has_configuration = platform && att_der_ok(&d);
}

/* ---- extensions of RFC 5280 ---------------------------------------------------------------------------------------------- */

static void judge_constraints(cert_walk *w, const att_x509_extension *extension) {
	uint8_t role = w->out->role;
	att_x509_basic_constraints bc;
	if (!att_x509_read_basic_constraints(w->der, extension->value, &bc)) {
		note(w, ATT_CODE_CERT_EXTENSION, ATT_FIELD_EXT_BASIC_CONSTRAINTS, extension->offset);
		return;
	}
	uint32_t path_len = role == ATT_INTEL_ROOT ? 1 : 0;
	bool fits = is_ca(role) ? bc.ca && bc.has_path_len && bc.path_len == path_len : !bc.ca && !bc.has_path_len;
	if (!extension->critical || !fits) {
		note(w, ATT_CODE_CERT_CONSTRAINTS, ATT_FIELD_EXT_BASIC_CONSTRAINTS, extension->offset);
	}
}

/* CAs sign certificates and CRLs; the others sign, and neither of these. */
static void judge_usage(cert_walk *w, const att_x509_extension *extension) {
	const uint8_t of_ca = ATT_X509_KU_KEY_CERT_SIGN | ATT_X509_KU_CRL_SIGN;
	uint8_t usage;
	if (!att_x509_read_key_usage(w->der, extension->value, &usage)) {
		note(w, ATT_CODE_CERT_EXTENSION, ATT_FIELD_EXT_KEY_USAGE, extension->offset);
		return;
	}
	bool fits = is_ca(w->out->role) ? (usage & of_ca) == of_ca
	                                : (usage & of_ca) == 0 && (usage & ATT_X509_KU_DIGITAL_SIGNATURE) != 0;
	if (!extension->critical || !fits) {
		note(w, ATT_CODE_CERT_CONSTRAINTS, ATT_FIELD_EXT_KEY_USAGE, extension->offset);
	}
}

/* RFC 5280 4.2.1.1 and 4.2.1.2: never critical. */
static void judge_key_id(cert_walk *w, const att_x509_extension *extension, bool form_ok, att_span id, uint16_t field,
                         uint8_t out[32], uint8_t *out_len) {
	if (extension->critical || !form_ok || id.len > 32) {
		note(w, ATT_CODE_CERT_EXTENSION, field, extension->offset);
		return;
	}
	memcpy(out, w->der + id.offset, id.len);
	*out_len = (uint8_t)id.len;
}

/* Extensions that narrow what a path may be. Nothing here applies them, so what has one is refused, critical or not. */
static bool narrows_paths(const uint8_t *der, att_span oid) {
	return att_x509_is_ce(der, oid, ATT_X509_CE_NAME_CONSTRAINTS) || att_x509_is_ce(der, oid, ATT_X509_CE_POLICY_MAPPINGS) ||
	       att_x509_is_ce(der, oid, ATT_X509_CE_POLICY_CONSTRAINTS) || att_x509_is_ce(der, oid, ATT_X509_CE_INHIBIT_ANY_POLICY);
}

typedef enum { HAS_AKI, HAS_CRLDP, HAS_SKI, HAS_KEY_USAGE, HAS_CONSTRAINTS, HAS_SGX, HAS_OTHER } known_extension;

static known_extension kind_of(const uint8_t *der, att_span oid) {
	static const uint8_t sgx[] = {SGX_ARC};
	static const uint8_t numbers[] = {[HAS_AKI] = ATT_X509_CE_AKI,
	                                  [HAS_CRLDP] = ATT_X509_CE_CRLDP,
	                                  [HAS_SKI] = ATT_X509_CE_SKI,
	                                  [HAS_KEY_USAGE] = ATT_X509_CE_KEY_USAGE,
	                                  [HAS_CONSTRAINTS] = ATT_X509_CE_BASIC_CONSTRAINTS};
	for (uint32_t i = 0; i < sizeof numbers; i++) {
		if (att_x509_is_ce(der, oid, numbers[i])) {
			return (known_extension)i;
		}
	}
	return att_span_is(der, oid, sgx, sizeof sgx) ? HAS_SGX : HAS_OTHER;
}

static known_extension judge_extension(cert_walk *w, const att_x509_extension *extension) {
	att_intel_cert *out = w->out;
	att_span id = {0, 0};
	bool ok;
	known_extension kind = kind_of(w->der, extension->oid);
	switch (kind) {
	case HAS_AKI:
		ok = att_x509_aki(w->der, extension->value, &id);
		judge_key_id(w, extension, ok, id, ATT_FIELD_EXT_AKI, out->aki, &out->aki_len);
		break;
	case HAS_SKI:
		ok = att_x509_ski(w->der, extension->value, &id);
		judge_key_id(w, extension, ok, id, ATT_FIELD_EXT_SKI, out->ski, &out->ski_len);
		break;
	case HAS_CRLDP:
		if (extension->critical || !att_x509_crldp_ok(w->der, extension->value)) {
			note(w, ATT_CODE_CERT_EXTENSION, ATT_FIELD_EXT_CRLDP, extension->offset);
		}
		break;
	case HAS_KEY_USAGE:
		judge_usage(w, extension);
		break;
	case HAS_CONSTRAINTS:
		judge_constraints(w, extension);
		break;
	case HAS_SGX:
		if (out->role == ATT_INTEL_PCK) {
			judge_sgx(w, extension);
		} else {
			note(w, ATT_CODE_CERT_EXTENSION, ATT_FIELD_EXT_SGX, extension->offset);
		}
		break;
	default:
		if (extension->critical || narrows_paths(w->der, extension->oid)) {
			note(w, ATT_CODE_CERT_EXTENSION, ATT_FIELD_CERT_EXTENSIONS, extension->offset);
		}
		break;
	}
	return kind;
}

/* The profile has all of them in every certificate. */
static void judge_extensions(cert_walk *w) {
	static const uint16_t fields[] = {[HAS_AKI] = ATT_FIELD_EXT_AKI,
	                                  [HAS_CRLDP] = ATT_FIELD_EXT_CRLDP,
	                                  [HAS_SKI] = ATT_FIELD_EXT_SKI,
	                                  [HAS_KEY_USAGE] = ATT_FIELD_EXT_KEY_USAGE,
	                                  [HAS_CONSTRAINTS] = ATT_FIELD_EXT_BASIC_CONSTRAINTS,
	                                  [HAS_SGX] = ATT_FIELD_EXT_SGX};
	uint32_t seen = 0;
	for (uint32_t i = 0; i < w->num_extensions; i++) {
		seen |= UINT32_C(1) << judge_extension(w, &w->extensions[i]);
	}
	note_finding(w, w->extensions_error);
	for (uint32_t kind = HAS_AKI; kind <= HAS_SGX; kind++) {
		bool wanted = kind != HAS_SGX || w->out->role == ATT_INTEL_PCK;
		if (wanted && (seen >> kind & 1) == 0) {
			note(w, ATT_CODE_CERT_EXTENSION_MISSING, fields[kind], w->x.extensions.offset);
		}
	}
}

/* ---- the whole ----------------------------------------------------------------------------------------------------------- */

static uint16_t copy_name(const uint8_t *der, att_span name, uint8_t out[192]) {
	if (name.len > 192) {
		return 0;
	}
	memcpy(out, der + name.offset, name.len);
	return (uint16_t)name.len;
}

static void read_common(cert_walk *w) {
	att_intel_cert *out = w->out;
	out->subject_len = copy_name(w->der, w->x.subject, out->subject);
	out->issuer_len = copy_name(w->der, w->x.issuer, out->issuer);
	out->self_issued = w->x.subject.len != 0 && att_spans_equal(w->der, w->x.subject, w->x.issuer);
	out->role = att_intel_role_of_name(w->der, w->x.subject);
	w->issuer_role = att_intel_role_of_name(w->der, w->x.issuer);
	if (w->x.tbs.len != 0) {
		att_sha256(w->der + w->x.tbs.offset, w->x.tbs.len, out->tbs_sha256);
	}
	if (w->x.spki.len != 0) {
		att_sha256(w->der + w->x.spki.offset, w->x.spki.len, out->spki_sha256);
	}
	w->extensions_error = att_pass();
	if (w->x.extensions.len != 0) {
		w->extensions_error = att_x509_extensions(w->der, w->x.extensions, ATT_CODE_CERT_MALFORMED, ATT_CODE_CERT_EXTENSION,
		                                          ATT_FIELD_CERT_EXTENSIONS, w->extensions, &w->num_extensions);
	}
}

void att_intel_cert_read(const uint8_t *der, uint64_t der_len, att_intel_cert *out) {
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
	judge_version(&w);
	judge_serial(&w);
	judge_algorithms(&w);
	judge_names(&w);
	judge_key(&w);
	judge_extensions(&w);
	judge_signature_value(&w);
}
