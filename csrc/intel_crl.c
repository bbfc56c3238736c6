/* SPDX-License-Identifier: Apache-2.0
 *
 * intel_crl.c: Intel's CRLs: the root's and the two PCK CAs' (Intel SGX PCK Certificate and Certificate Revocation List Profile
 * Specification, CRL profile; RFC 5280 5): DER, version 2, ecdsa-with-SHA256.
 *
 * The CRLs are complete lists of one issuer. What could make them anything else is refused, whether or not it is marked critical:
 * deltas, issuing distribution points, entries for other issuers, entries that take something off the list (RFC 5280 5.2, 5.3).
 */
#include "tdx.h"
#include "x509.h"

typedef struct {
	const uint8_t *der;
	att_x509_crl x;
	att_x509_extension extensions[ATT_X509_MAX_EXTENSIONS];
	att_intel_crl *out;
	att_serial *serials;      /* the whole table */
	uint64_t max_serials;
	uint64_t first;
	uint64_t num;             /* first + those of this CRL */
} crl_walk;

/* The first finding stands. */
static void take_finding(crl_walk *w, att_finding f) {
	if (w->out->profile.code == ATT_PASS) {
		w->out->profile = f;
	}
}

static void refuse(crl_walk *w, uint16_t field, uint32_t offset) {
	take_finding(w, att_found(ATT_CODE_CRL_MALFORMED, field, offset));
}

static void judge_head(crl_walk *w) {
	static const uint8_t v2[1] = {1};
	if (!att_span_is(w->der, w->x.version, v2, 1)) {
		refuse(w, ATT_FIELD_CERT_VERSION, w->x.version.len != 0 ? w->x.version.offset : w->x.tbs.offset);
	}
	if (!att_intel_algorithm_ok(w->der, w->x.inner_algorithm)) {
		refuse(w, ATT_FIELD_CERT_INNER_ALGORITHM, w->x.inner_algorithm.offset);
	}
	if (!att_spans_equal(w->der, w->x.algorithm, w->x.inner_algorithm)) {
		refuse(w, ATT_FIELD_CERT_ALGORITHM, w->x.algorithm.offset);
	}
}

static void judge_issuer(crl_walk *w) {
	uint8_t role = att_intel_role_of_name(w->der, w->x.issuer);
	if (role != ATT_INTEL_ROOT && role != ATT_INTEL_PLATFORM_CA && role != ATT_INTEL_PROCESSOR_CA) {
		refuse(w, ATT_FIELD_CERT_ISSUER_NAME, w->x.issuer.offset);
	}
	if (w->x.issuer.len <= sizeof w->out->issuer) {
		memcpy(w->out->issuer, w->der + w->x.issuer.offset, w->x.issuer.len);
		w->out->issuer_len = (uint16_t)w->x.issuer.len;
	}
}

/* nextUpdate may be absent in RFC 5280's grammar but not in its profile (5.1.2.5), and a list without an end is of no use. */
static void judge_times(crl_walk *w) {
	att_der begins = att_der_over(w->der, w->x.this_update, ATT_CODE_CRL_MALFORMED, ATT_FIELD_CRL_THIS_UPDATE);
	att_der ends = att_der_over(w->der, w->x.next_update, ATT_CODE_CRL_MALFORMED, ATT_FIELD_CRL_NEXT_UPDATE);
	w->out->this_update = att_der_time(&begins);
	w->out->next_update = att_der_time(&ends);
	take_finding(w, att_der_finish(&begins));
	take_finding(w, att_der_finish(&ends));
	if (w->out->next_update < w->out->this_update) {
		refuse(w, ATT_FIELD_CRL_NEXT_UPDATE, w->x.next_update.offset);
	}
}

/* ---- entries ------------------------------------------------------------------------------------------------------------- */

/* CRLReason (RFC 5280 5.3.1): 0 to 10 without 7; 8, removeFromCRL, belongs to deltas alone. */
static bool reason_ok(const uint8_t *der, att_span value) {
	att_der d = att_der_over(der, value, ATT_CODE_CRL_MALFORMED, ATT_FIELD_CRL_REVOKED);
	att_span reason = att_der_take(&d, ATT_DER_ENUMERATED);
	if (att_der_finish(&d).code != ATT_PASS || reason.len != 1) {
		return false;
	}
	uint8_t number = der[reason.offset];
	return number <= 10 && number != 7 && number != 8;
}

static void judge_entry_extensions(crl_walk *w, att_der *entry) {
	uint32_t start = entry->in.pos;
	uint32_t num = 0;
	att_span list = att_der_take(entry, ATT_DER_SEQUENCE);
	att_finding f = att_x509_extensions(w->der, list, ATT_CODE_CRL_MALFORMED, ATT_CODE_CRL_MALFORMED, ATT_FIELD_CRL_REVOKED,
	                                    w->extensions, &num);
	take_finding(w, f);
	bool ok = num != 0;
	for (uint32_t i = 0; i < num; i++) {
		const att_x509_extension *extension = &w->extensions[i];
		ok &= !extension->critical && !att_x509_is_ce(w->der, extension->oid, ATT_X509_CE_CERTIFICATE_ISSUER);
		ok &= !att_x509_is_ce(w->der, extension->oid, ATT_X509_CE_CRL_REASON) || reason_ok(w->der, extension->value);
	}
	if (!ok) {
		att_der_refuse(entry, start);
	}
}

static void add_serial(crl_walk *w, att_span magnitude, uint32_t offset) {
	if (w->num >= w->max_serials || w->num >= UINT32_MAX) {
		take_finding(w, att_found(ATT_CODE_CRL_LIMIT, ATT_FIELD_CRL_REVOKED, offset));
		return;
	}
	att_serial *serial = &w->serials[w->num++];
	memset(serial, 0, sizeof *serial);
	serial->len = (uint8_t)magnitude.len;
	memcpy(serial->bytes, w->der + magnitude.offset, magnitude.len);
}

/* SEQUENCE { userCertificate, revocationDate, crlEntryExtensions OPTIONAL }. A serial is one that a certificate may have. */
static void read_entry(crl_walk *w, att_der *list) {
	uint32_t start = list->in.pos;
	att_der entry = att_der_enter(list, ATT_DER_SEQUENCE);
	uint32_t serial_start = entry.in.pos;
	att_span serial = att_der_unsigned(&entry);
	if (serial.len == 0 || serial.len > sizeof w->serials->bytes) {
		att_der_refuse(&entry, serial_start);
	}
	att_der_time(&entry);
	if (att_der_more(&entry)) {
		judge_entry_extensions(w, &entry);
	}
	att_der_leave(list, &entry);
	if (att_der_ok(list)) {
		add_serial(w, serial, start);
	}
}

static void read_revoked(crl_walk *w) {
	att_der list = att_der_over(w->der, w->x.revoked, ATT_CODE_CRL_MALFORMED, ATT_FIELD_CRL_REVOKED);
	while (att_der_more(&list) && w->out->profile.code == ATT_PASS) {
		read_entry(w, &list);
	}
	take_finding(w, list.in.error);
}

/* ---- order --------------------------------------------------------------------------------------------------------------- */

static bool serial_below(const att_serial *a, const att_serial *b) {
	return a->len != b->len ? a->len < b->len : memcmp(a->bytes, b->bytes, a->len) < 0;
}

static void sift_down(att_serial *heap, uint64_t at, uint64_t num) {
	att_serial moved = heap[at];
	for (uint64_t child = 2 * at + 1; child < num; child = 2 * at + 1) {
		if (child + 1 < num && serial_below(&heap[child], &heap[child + 1])) {
			child++;
		}
		if (!serial_below(&moved, &heap[child])) {
			break;
		}
		heap[at] = heap[child];
		at = child;
	}
	heap[at] = moved;
}

/* Heap sort: in place, and n log n for every order that a CRL may come in. */
static void sort_serials(att_serial *serials, uint64_t num) {
	for (uint64_t i = num / 2; i-- > 0;) {
		sift_down(serials, i, num);
	}
	for (uint64_t end = num; end-- > 1;) {
		att_serial largest = serials[0];
		serials[0] = serials[end];
		serials[end] = largest;
		sift_down(serials, 0, end);
	}
}

/* ---- the whole ----------------------------------------------------------------------------------------------------------- */

/* RFC 5280 5.2.3. Intel's all have the number 1, so it says nothing of which is newer. */
static bool number_ok(const uint8_t *der, att_span value) {
	att_der d = att_der_over(der, value, ATT_CODE_CRL_MALFORMED, ATT_FIELD_EXT_CRL_NUMBER);
	att_span number = att_der_unsigned(&d);
	return att_der_finish(&d).code == ATT_PASS && number.len <= 20;
}

static void judge_aki(crl_walk *w, const att_x509_extension *extension) {
	att_span id;
	if (extension->critical || !att_x509_aki(w->der, extension->value, &id) || id.len > sizeof w->out->aki) {
		refuse(w, ATT_FIELD_EXT_AKI, extension->offset);
		return;
	}
	memcpy(w->out->aki, w->der + id.offset, id.len);
	w->out->aki_len = (uint8_t)id.len;
}

/* Authority key id and number are there (RFC 5280 5.2.1, 5.2.3); neither is critical. */
static void judge_extensions(crl_walk *w) {
	uint32_t num = 0;
	bool has_aki = false;
	bool has_number = false;
	take_finding(w, att_x509_extensions(w->der, w->x.extensions, ATT_CODE_CRL_MALFORMED, ATT_CODE_CRL_MALFORMED,
	                                    ATT_FIELD_CRL_EXTENSIONS, w->extensions, &num));
	for (uint32_t i = 0; i < num; i++) {
		const att_x509_extension *extension = &w->extensions[i];
		att_span oid = extension->oid;
		if (att_x509_is_ce(w->der, oid, ATT_X509_CE_AKI)) {
			has_aki = true;
			judge_aki(w, extension);
		} else if (att_x509_is_ce(w->der, oid, ATT_X509_CE_CRL_NUMBER)) {
			has_number = true;
			if (extension->critical || !number_ok(w->der, extension->value)) {
				refuse(w, ATT_FIELD_EXT_CRL_NUMBER, extension->offset);
			}
		} else if (extension->critical || att_x509_is_ce(w->der, oid, ATT_X509_CE_DELTA_CRL) ||
		           att_x509_is_ce(w->der, oid, ATT_X509_CE_ISSUING_POINT)) {
			refuse(w, ATT_FIELD_CRL_EXTENSIONS, extension->offset);
		}
	}
	if (!has_aki) {
		refuse(w, ATT_FIELD_EXT_AKI, w->x.extensions.offset);
	}
	if (!has_number) {
		refuse(w, ATT_FIELD_EXT_CRL_NUMBER, w->x.extensions.offset);
	}
}

static void read_crl(crl_walk *w) {
	judge_head(w);
	judge_issuer(w);
	judge_times(w);
	read_revoked(w);
	judge_extensions(w);
	if (!att_x509_ecdsa_signature(w->der, w->x.signature, 32, w->out->signature)) {
		refuse(w, ATT_FIELD_CERT_SIGNATURE_VALUE, w->x.signature.offset);
	}
	if (w->x.tbs.len != 0) {
		att_sha256(w->der + w->x.tbs.offset, w->x.tbs.len, w->out->tbs_sha256);
	}
}

/* A CRL that fails leaves no serials behind: nothing may be looked up in half a list. */
void att_intel_crl_read(const uint8_t *der, uint64_t der_len, att_intel_crl *out, att_serial *serials, uint64_t max_serials,
                        uint64_t *num_serials) {
	memset(out, 0, sizeof *out);
	out->profile = att_pass();
	if (der_len == 0 || der_len > ATT_CRL_MAX_BYTES) {
		out->profile = att_found(der_len == 0 ? ATT_CODE_CRL_MALFORMED : ATT_CODE_CRL_LIMIT, ATT_FIELD_CRL, 0);
		return;
	}
	crl_walk w;
	memset(&w, 0, sizeof w);
	w.der = der;
	w.out = out;
	w.serials = serials;
	w.max_serials = max_serials;
	w.first = w.num = *num_serials;
	att_sha256(der, der_len, out->sha256);
	out->profile = att_x509_crl_read(der, (uint32_t)der_len, &w.x);
	read_crl(&w);
	if (out->profile.code == ATT_PASS && w.num > w.first) {
		sort_serials(serials + w.first, w.num - w.first);
		out->first_revoked = (uint32_t)w.first;
		out->num_revoked = (uint32_t)(w.num - w.first);
		*num_serials = w.num;
	}
}
