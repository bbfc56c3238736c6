/* SPDX-License-Identifier: Apache-2.0
 *
 * x509.c: see x509.h. The two readers follow the ASN.1 of RFC 5280 4.1 and 5.1 line by line. */
#include "x509.h"

/* ---- certificate --------------------------------------------------------------------------------------------------------- */

/* SEQUENCE OF Extension inside its explicit tag. It may not be empty (RFC 5280 4.1: SIZE (1..MAX)). */
static att_span read_extension_list(att_der *d, uint8_t number) {
	att_der tagged = att_der_enter(d, (uint8_t)(ATT_DER_CONTEXT_CONSTRUCTED + number));
	uint32_t start = tagged.in.pos;
	att_span list = att_der_take(&tagged, ATT_DER_SEQUENCE);
	if (list.len == 0) {
		att_der_refuse(&tagged, start);
	}
	att_der_leave(d, &tagged);
	return list;
}

static void read_tbs_certificate(att_der *d, att_x509 *out) {
	out->tbs = att_der_whole(d, ATT_DER_SEQUENCE);
	if (!att_der_ok(d)) {
		return;
	}
	att_der outer = att_der_over(d->in.base, out->tbs, d->code, ATT_FIELD_CERT_VERSION);
	att_der tbs = att_der_enter(&outer, ATT_DER_SEQUENCE);
	if (att_der_next_is(&tbs, ATT_DER_CONTEXT_CONSTRUCTED + 0)) {
		att_der version = att_der_enter(&tbs, ATT_DER_CONTEXT_CONSTRUCTED + 0);
		out->version = att_der_integer(&version);
		att_der_leave(&tbs, &version);
	}
	tbs.field = ATT_FIELD_CERT_SERIAL;
	out->serial = att_der_whole(&tbs, ATT_DER_INTEGER);
	tbs.field = ATT_FIELD_CERT_INNER_ALGORITHM;
	out->inner_algorithm = att_der_whole(&tbs, ATT_DER_SEQUENCE);
	tbs.field = ATT_FIELD_CERT_ISSUER_NAME;
	out->issuer = att_der_whole(&tbs, ATT_DER_SEQUENCE);
	tbs.field = ATT_FIELD_CERT_VALIDITY;
	out->validity = att_der_whole(&tbs, ATT_DER_SEQUENCE);
	tbs.field = ATT_FIELD_CERT_SUBJECT_NAME;
	out->subject = att_der_whole(&tbs, ATT_DER_SEQUENCE);
	tbs.field = ATT_FIELD_CERT_SPKI;
	out->spki = att_der_whole(&tbs, ATT_DER_SEQUENCE);
	tbs.field = ATT_FIELD_CERT_EXTENSIONS;
	if (att_der_more(&tbs)) {
		out->extensions = read_extension_list(&tbs, 3);
	}
	att_der_leave(d, &tbs);
}

att_finding att_x509_read(const uint8_t *der, uint32_t der_len, att_x509 *out) {
	memset(out, 0, sizeof *out);
	att_der whole = att_der_over(der, (att_span){0, der_len}, ATT_CODE_CERT_MALFORMED, ATT_FIELD_CERT);
	att_der cert = att_der_enter(&whole, ATT_DER_SEQUENCE);
	att_finding error = att_der_finish(&whole);
	if (error.code != ATT_PASS) {
		return error;
	}
	cert.field = ATT_FIELD_CERT_TBS;
	read_tbs_certificate(&cert, out);
	cert.field = ATT_FIELD_CERT_ALGORITHM;
	out->algorithm = att_der_whole(&cert, ATT_DER_SEQUENCE);
	cert.field = ATT_FIELD_CERT_SIGNATURE_VALUE;
	out->signature = att_der_whole(&cert, ATT_DER_BIT_STRING);
	return att_der_finish(&cert);
}

/* ---- CRL ----------------------------------------------------------------------------------------------------------------- */

static att_span whole_time(att_der *d) {
	return att_der_whole(d, att_der_next_is(d, ATT_DER_UTC_TIME) ? ATT_DER_UTC_TIME : ATT_DER_GENERALIZED_TIME);
}

static void read_tbs_cert_list(att_der *d, att_x509_crl *out) {
	out->tbs = att_der_whole(d, ATT_DER_SEQUENCE);
	if (!att_der_ok(d)) {
		return;
	}
	att_der outer = att_der_over(d->in.base, out->tbs, d->code, ATT_FIELD_CERT_VERSION);
	att_der tbs = att_der_enter(&outer, ATT_DER_SEQUENCE);
	if (att_der_next_is(&tbs, ATT_DER_INTEGER)) {
		out->version = att_der_integer(&tbs);
	}
	tbs.field = ATT_FIELD_CERT_INNER_ALGORITHM;
	out->inner_algorithm = att_der_whole(&tbs, ATT_DER_SEQUENCE);
	tbs.field = ATT_FIELD_CERT_ISSUER_NAME;
	out->issuer = att_der_whole(&tbs, ATT_DER_SEQUENCE);
	tbs.field = ATT_FIELD_CRL_THIS_UPDATE;
	out->this_update = whole_time(&tbs);
	tbs.field = ATT_FIELD_CRL_NEXT_UPDATE;
	if (att_der_next_is(&tbs, ATT_DER_UTC_TIME) || att_der_next_is(&tbs, ATT_DER_GENERALIZED_TIME)) {
		out->next_update = whole_time(&tbs);
	}
	tbs.field = ATT_FIELD_CRL_REVOKED;
	if (att_der_next_is(&tbs, ATT_DER_SEQUENCE)) {
		uint32_t start = tbs.in.pos;
		out->revoked = att_der_take(&tbs, ATT_DER_SEQUENCE);
		if (out->revoked.len == 0) {
			att_der_refuse(&tbs, start); /* RFC 5280 5.1.2.6: with nothing revoked the list is absent */
		}
	}
	tbs.field = ATT_FIELD_CRL_EXTENSIONS;
	if (att_der_more(&tbs)) {
		out->extensions = read_extension_list(&tbs, 0);
	}
	att_der_leave(d, &tbs);
}

att_finding att_x509_crl_read(const uint8_t *der, uint32_t der_len, att_x509_crl *out) {
	memset(out, 0, sizeof *out);
	att_der whole = att_der_over(der, (att_span){0, der_len}, ATT_CODE_CRL_MALFORMED, ATT_FIELD_CRL);
	att_der crl = att_der_enter(&whole, ATT_DER_SEQUENCE);
	att_finding error = att_der_finish(&whole);
	if (error.code != ATT_PASS) {
		return error;
	}
	read_tbs_cert_list(&crl, out);
	crl.field = ATT_FIELD_CERT_ALGORITHM;
	out->algorithm = att_der_whole(&crl, ATT_DER_SEQUENCE);
	crl.field = ATT_FIELD_CERT_SIGNATURE_VALUE;
	out->signature = att_der_whole(&crl, ATT_DER_BIT_STRING);
	return att_der_finish(&crl);
}

/* ---- extensions ---------------------------------------------------------------------------------------------------------- */

/* Extension ::= SEQUENCE { extnID, critical BOOLEAN DEFAULT FALSE, extnValue }; DER does not write the default (X.690 11.5). */
static void read_extension(att_der *list, att_x509_extension *out) {
	out->offset = list->in.pos;
	out->critical = false;
	att_der d = att_der_enter(list, ATT_DER_SEQUENCE);
	out->oid = att_der_oid(&d);
	if (att_der_next_is(&d, ATT_DER_BOOLEAN)) {
		uint32_t start = d.in.pos;
		out->critical = att_der_boolean(&d);
		if (!out->critical) {
			att_der_refuse(&d, start);
		}
	}
	out->value = att_der_take(&d, ATT_DER_OCTET_STRING);
	att_der_leave(list, &d);
}

att_finding att_x509_extensions(const uint8_t *der, att_span list, uint16_t code, uint16_t repeated, uint16_t field,
                                att_x509_extension *out, uint32_t *out_num) {
	att_der d = att_der_over(der, list, code, field);
	*out_num = 0;
	while (att_der_more(&d)) {
		att_x509_extension next;
		read_extension(&d, &next);
		if (!att_der_ok(&d)) {
			break;
		}
		bool refused = *out_num == ATT_X509_MAX_EXTENSIONS;
		for (uint32_t i = 0; i < *out_num; i++) {
			refused |= att_spans_equal(der, next.oid, out[i].oid);
		}
		if (refused) {
			return att_found(repeated, field, next.offset);
		}
		out[(*out_num)++] = next;
	}
	return att_der_finish(&d);
}

/* Values are walked in their own span; the codes of these walks are not seen. */
static att_der value_walk(const uint8_t *der, att_span value) {
	return att_der_over(der, value, ATT_CODE_CERT_MALFORMED, ATT_FIELD_CERT);
}

static bool walked(att_der *d) { return att_der_finish(d).code == ATT_PASS; }

bool att_x509_read_basic_constraints(const uint8_t *der, att_span value, att_x509_basic_constraints *out) {
	att_der d = value_walk(der, value);
	memset(out, 0, sizeof *out);
	att_der in = att_der_enter(&d, ATT_DER_SEQUENCE);
	if (att_der_next_is(&in, ATT_DER_BOOLEAN)) {
		out->ca = att_der_boolean(&in);
		if (!out->ca) {
			att_der_refuse(&in, in.in.pos); /* the default, written out */
		}
	}
	if (att_der_more(&in)) {
		out->has_path_len = true;
		out->path_len = att_der_uint(&in, UINT32_MAX);
	}
	att_der_leave(&d, &in);
	return walked(&d);
}

/* A named bit list. DER cuts the zero bits at its end (X.690 11.2.2), but every ASK and ASVK of AMD's keeps one, so they are
 * allowed; the bits that are not used are zero, and a keyUsage says something (RFC 5280 4.2.1.3). */
bool att_x509_read_key_usage(const uint8_t *der, att_span value, uint8_t *out_first_byte) {
	att_der d = value_walk(der, value);
	att_span bits = att_der_take(&d, ATT_DER_BIT_STRING);
	*out_first_byte = 0;
	if (!walked(&d) || bits.len < 2 || bits.len > 3) {
		return false;
	}
	const uint8_t *p = der + bits.offset;
	if (p[0] > 7 || (p[bits.len - 1] & ((1u << p[0]) - 1)) != 0 || p[bits.len - 1] == 0) {
		return false;
	}
	*out_first_byte = p[1];
	return true;
}

bool att_x509_ski(const uint8_t *der, att_span value, att_span *out_id) {
	att_der d = value_walk(der, value);
	*out_id = att_der_take(&d, ATT_DER_OCTET_STRING);
	return walked(&d) && out_id->len != 0;
}

bool att_x509_aki(const uint8_t *der, att_span value, att_span *out_id) {
	att_der d = value_walk(der, value);
	att_der in = att_der_enter(&d, ATT_DER_SEQUENCE);
	*out_id = att_der_take(&in, ATT_DER_CONTEXT + 0);
	att_der_leave(&d, &in);
	return walked(&d) && out_id->len != 0;
}

bool att_x509_ski_ok(const uint8_t *der, att_span value) {
	att_span id;
	return att_x509_ski(der, value, &id);
}

bool att_x509_aki_ok(const uint8_t *der, att_span value) {
	att_span id;
	return att_x509_aki(der, value, &id);
}

/* SEQUENCE OF DistributionPoint { [0] DistributionPointName { [0] GeneralNames { [6] IA5String } } } */
bool att_x509_crldp_ok(const uint8_t *der, att_span value) {
	att_der d = value_walk(der, value);
	att_der points = att_der_enter(&d, ATT_DER_SEQUENCE);
	att_der point = att_der_enter(&points, ATT_DER_SEQUENCE);
	att_der name = att_der_enter(&point, ATT_DER_CONTEXT_CONSTRUCTED + 0);
	att_der full = att_der_enter(&name, ATT_DER_CONTEXT_CONSTRUCTED + 0);
	att_span uri = att_der_take(&full, ATT_DER_CONTEXT + 6);
	att_der_leave(&name, &full);
	att_der_leave(&point, &name);
	att_der_leave(&points, &point);
	att_der_leave(&d, &points);
	return walked(&d) && uri.len != 0;
}

/* ---- the other parts ----------------------------------------------------------------------------------------------------- */

/* Name ::= SEQUENCE OF SET OF SEQUENCE { type, value }. The values of other types are only required to be there. */
bool att_x509_name(const uint8_t *der, att_span name, att_span *out_common_name) {
	static const uint8_t id_common_name[3] = {0x55, 0x04, 0x03};
	uint32_t found = 0;
	att_span common_name = {0, 0};
	att_der d = value_walk(der, name);
	att_der rdns = att_der_enter(&d, ATT_DER_SEQUENCE);
	while (att_der_more(&rdns)) {
		att_der rdn = att_der_enter(&rdns, ATT_DER_SET);
		do {
			att_der attribute = att_der_enter(&rdn, ATT_DER_SEQUENCE);
			att_span type = att_der_oid(&attribute);
			bool is_name = att_span_is(der, type, id_common_name, sizeof id_common_name);
			uint8_t tag = att_der_more(&attribute) ? der[attribute.in.pos] : 0;
			att_span value = att_der_take(&attribute, tag);
			att_der_leave(&rdn, &attribute);
			if (is_name) {
				found += tag == ATT_DER_UTF8_STRING || tag == ATT_DER_PRINTABLE_STRING ? 1 : 2;
				common_name = value;
			}
		} while (att_der_more(&rdn));
		att_der_leave(&rdns, &rdn);
	}
	att_der_leave(&d, &rdns);
	bool ok = walked(&d);
	*out_common_name = ok && found == 1 ? common_name : (att_span){0, 0};
	return ok;
}

att_finding att_x509_validity(const uint8_t *der, att_span validity, int64_t *out_not_before, int64_t *out_not_after) {
	att_der d = att_der_over(der, validity, ATT_CODE_CERT_TIME_FORMAT, ATT_FIELD_CERT_VALIDITY);
	att_der in = att_der_enter(&d, ATT_DER_SEQUENCE);
	in.field = ATT_FIELD_CERT_NOT_BEFORE;
	*out_not_before = att_der_time(&in);
	in.field = ATT_FIELD_CERT_NOT_AFTER;
	*out_not_after = att_der_time(&in);
	if (*out_not_after < *out_not_before) {
		att_der_refuse(&in, validity.offset);
	}
	in.field = ATT_FIELD_CERT_VALIDITY;
	att_der_leave(&d, &in);
	return att_der_finish(&d);
}

bool att_x509_signature(const uint8_t *der, att_span signature, att_span *out) {
	att_der d = value_walk(der, signature);
	*out = att_der_bytes(&d);
	return walked(&d);
}

bool att_x509_rsa_key(const uint8_t *der, att_span spki, att_span *out_modulus, uint32_t *out_exponent) {
	static const uint8_t rsa_encryption[9] = {0x2A, 0x86, 0x48, 0x86, 0xF7, 0x0D, 0x01, 0x01, 0x01};
	att_der d = value_walk(der, spki);
	att_der info = att_der_enter(&d, ATT_DER_SEQUENCE);
	att_der algorithm = att_der_enter(&info, ATT_DER_SEQUENCE);
	att_span oid = att_der_oid(&algorithm);
	att_der_null(&algorithm);
	att_der_leave(&info, &algorithm);
	att_span key = att_der_bytes(&info);
	att_der_leave(&d, &info);
	if (!walked(&d) || !att_span_is(der, oid, rsa_encryption, sizeof rsa_encryption)) {
		return false;
	}
	att_der bits = value_walk(der, key);
	att_der rsa = att_der_enter(&bits, ATT_DER_SEQUENCE);
	*out_modulus = att_der_unsigned(&rsa);
	*out_exponent = att_der_uint(&rsa, UINT32_MAX);
	att_der_leave(&bits, &rsa);
	return walked(&bits);
}

bool att_x509_ec_key(const uint8_t *der, att_span spki, const uint8_t *curve, uint32_t curve_len, uint32_t coordinate_len,
                     att_span *out_xy) {
	static const uint8_t id_ec_public_key[7] = {0x2A, 0x86, 0x48, 0xCE, 0x3D, 0x02, 0x01};
	att_der d = value_walk(der, spki);
	att_der info = att_der_enter(&d, ATT_DER_SEQUENCE);
	att_der algorithm = att_der_enter(&info, ATT_DER_SEQUENCE);
	att_span oid = att_der_oid(&algorithm);
	att_span named = att_der_oid(&algorithm);
	att_der_leave(&info, &algorithm);
	att_span point = att_der_bytes(&info);
	att_der_leave(&d, &info);
	if (!walked(&d) || !att_span_is(der, oid, id_ec_public_key, sizeof id_ec_public_key) ||
	    !att_span_is(der, named, curve, curve_len)) {
		return false;
	}
	if (point.len != 1 + 2 * coordinate_len || der[point.offset] != 0x04) {
		return false;
	}
	*out_xy = (att_span){point.offset + 1, 2 * coordinate_len};
	return true;
}

bool att_x509_ecdsa_sha256(const uint8_t *der, att_span algorithm) {
	static const uint8_t whole[] = {0x30, 0x0A, 0x06, 0x08, 0x2A, 0x86, 0x48, 0xCE, 0x3D, 0x04, 0x03, 0x02};
	return att_span_is(der, algorithm, whole, sizeof whole);
}

bool att_x509_ecdsa_signature(const uint8_t *der, att_span signature, uint32_t size, uint8_t *out) {
	att_span bits;
	if (!att_x509_signature(der, signature, &bits)) {
		return false;
	}
	att_der d = value_walk(der, bits);
	att_der in = att_der_enter(&d, ATT_DER_SEQUENCE);
	att_span r = att_der_unsigned(&in);
	att_span s = att_der_unsigned(&in);
	att_der_leave(&d, &in);
	if (!walked(&d) || r.len > size || s.len > size) {
		return false;
	}
	memset(out, 0, 2 * (size_t)size);
	memcpy(out + size - r.len, der + r.offset, r.len);
	memcpy(out + 2 * (size_t)size - s.len, der + s.offset, s.len);
	return true;
}
