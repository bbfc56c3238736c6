/* SPDX-License-Identifier: Apache-2.0
 *
 * tcg_log.c: event logs in TCG's crypto-agile format (PC Client Platform Firmware Profile, "PFP", 10), as firmware leaves them in
 * the area that ACPI's CCEL table names (UEFI 38.4.3), replayed into the four RTMRs of a TD.
 *
 * Nothing signs a log. Its digests are worth as much as the registers they replay to, the rest of a record as much as the digest
 * that covers it: so each event says which bytes of its data are the ones that were hashed, if any are. Type, register and whatever
 * of the data is not hashed are only what the log claims.
 */
#include "reader.h"

enum {
	ALG_SHA1 = 0x04,
	ALG_SHA256 = 0x0B,
	ALG_SHA384 = 0x0C,
	ALG_SHA512 = 0x0D,
	ALG_SM3 = 0x12,
	MAX_DIGEST_LEN = 64,
	SHA384_LEN = 48,
	SHA1_LEN = 20,
	MR_MRTD = 0,
	MR_RTMR3 = 4,
	GUID_LEN = 16
};

/* Event types (PFP 10.4.1, table 14), and dstack's own. */
enum {
	EV_NO_ACTION = 0x3,
	EV_SEPARATOR = 0x4,
	EV_ACTION = 0x5,
	EV_EVENT_TAG = 0x6,
	EV_S_CRTM_VERSION = 0x8,
	EV_PLATFORM_CONFIG_FLAGS = 0xA,
	EV_TABLE_OF_DEVICES = 0xB,
	EV_IPL = 0xD,
	EV_OMIT_BOOT_DEVICE_EVENTS = 0x12,
	DSTACK_RUNTIME = 0x08000001
};
#define EV_EFI_VARIABLE_DRIVER_CONFIG 0x80000001u
#define EV_EFI_VARIABLE_BOOT 0x80000002u
#define EV_EFI_GPT_EVENT 0x80000006u
#define EV_EFI_ACTION 0x80000007u
#define EV_EFI_VARIABLE_BOOT2 0x8000000Cu
#define EV_EFI_VARIABLE_AUTHORITY 0x800000E0u
#define EV_EFI_SPDM_DEVICE_POLICY 0x800000E3u
#define EV_EFI_SPDM_DEVICE_AUTHORITY 0x800000E4u

#define END_OF_LOG 0xFFFFFFFFu

typedef struct {
	att_reader in;
	att_log *log;
} log_walk;

static uint16_t load_le16(const uint8_t *p) { return (uint16_t)(p[0] | p[1] << 8); }

static bool refuse(log_walk *w, uint16_t code, uint16_t field, uint32_t offset) {
	if (att_reader_ok(&w->in)) {
		w->in.error = att_found(code, field, offset);
	}
	return false;
}

static bool malformed(log_walk *w, uint16_t field, uint32_t offset) {
	return refuse(w, ATT_CODE_EVENT_LOG_MALFORMED, field, offset);
}

static const uint8_t *take(log_walk *w, uint32_t n, uint16_t field) {
	return att_take(&w->in, n, ATT_CODE_EVENT_LOG_MALFORMED, field);
}

/* ---- header -------------------------------------------------------------------------------------------------------------- */

/* 0 for an algorithm that this file has no name for: the header's word is all there is. */
static uint32_t known_digest_len(uint32_t id) {
	switch (id) {
	case ALG_SHA1:
		return SHA1_LEN;
	case ALG_SHA256:
	case ALG_SM3:
		return 32;
	case ALG_SHA384:
		return SHA384_LEN;
	case ALG_SHA512:
		return 64;
	default:
		return 0;
	}
}

/* Position of the algorithm in the header's list, or the list's length. */
static uint32_t find_algorithm(const att_log *log, uint32_t id) {
	uint32_t i = 0;
	while (i < log->num_algorithms && log->algorithms[i].id != id) {
		i++;
	}
	return i;
}

static bool read_algorithms(log_walk *w, uint32_t num) {
	for (uint32_t i = 0; i < num; i++) {
		uint32_t at = w->in.pos;
		const uint8_t *p = take(w, 4, ATT_FIELD_LOG_ALGORITHMS);
		if (p == NULL) {
			return false;
		}
		uint16_t id = load_le16(p);
		uint16_t len = load_le16(p + 2);
		uint32_t known = known_digest_len(id);
		if (len == 0 || len > MAX_DIGEST_LEN || (known != 0 && len != known) || find_algorithm(w->log, id) < i) {
			return malformed(w, ATT_FIELD_LOG_ALGORITHMS, at);
		}
		w->log->algorithms[i] = (att_log_algorithm){id, len};
		w->log->num_algorithms = i + 1;
	}
	if (find_algorithm(w->log, ALG_SHA384) == num) {
		return refuse(w, ATT_CODE_EVENT_LOG_UNSUPPORTED, ATT_FIELD_LOG_ALGORITHMS, w->in.pos - 4 * num);
	}
	return true;
}

/* TCG_EfiSpecIdEvent (PFP 10.4.5.1): signature[16], u32 platformClass, u8 minor, major, errata, uintnSize, u32 count,
 * {u16 id, u16 size} each, u8 vendorInfoSize, vendorInfo. It fills its event. */
static bool read_spec_id(log_walk *w, uint32_t end) {
	uint32_t at = w->in.pos;
	const uint8_t *p = take(w, 28, ATT_FIELD_LOG_SPEC_ID);
	if (p == NULL) {
		return false;
	}
	if (memcmp(p, "Spec ID Event", 13) != 0) {
		return malformed(w, ATT_FIELD_LOG_SPEC_ID, at);
	}
	/* "00" and "02" head the formats of TPM 1.2, whose records have one SHA-1 digest. */
	if (memcmp(p + 13, "03", 3) != 0 || p[21] != 2 || p[20] != 0) {
		return refuse(w, ATT_CODE_EVENT_LOG_UNSUPPORTED, ATT_FIELD_LOG_SPEC_ID, at);
	}
	uint32_t num = att_load_le32(p + 24);
	if ((p[23] != 1 && p[23] != 2) || num == 0 || num > ATT_LOG_MAX_ALGORITHMS) {
		return malformed(w, ATT_FIELD_LOG_SPEC_ID, at);
	}
	w->log->platform_class = att_load_le32(p + 16);
	w->log->spec_errata = p[22];
	w->log->uintn_size = p[23];
	const uint8_t *vendor_len = read_algorithms(w, num) ? take(w, 1, ATT_FIELD_LOG_SPEC_ID) : NULL;
	if (vendor_len == NULL) {
		return false;
	}
	w->log->vendor_len = *vendor_len;
	w->log->vendor_offset = w->in.pos;
	return take(w, *vendor_len, ATT_FIELD_LOG_SPEC_ID) != NULL &&
	       (w->in.pos == end || malformed(w, ATT_FIELD_LOG_SPEC_ID, w->in.pos));
}

/* TCG_PCClientPCREvent: u32 register, u32 type, SHA-1 digest, u32 size, data. It is the first record and the only one of its form. */
static bool read_header(log_walk *w) {
	const uint8_t *p = take(w, 12 + SHA1_LEN, ATT_FIELD_LOG_HEADER);
	if (p == NULL) {
		return false;
	}
	if (att_load_le32(p) > MR_RTMR3 || att_load_le32(p + 4) != EV_NO_ACTION ||
	    att_first_nonzero(p + 8, SHA1_LEN) != SHA1_LEN) {
		return malformed(w, ATT_FIELD_LOG_HEADER, 0);
	}
	uint32_t len = att_load_le32(p + 8 + SHA1_LEN);
	if (len > att_reader_left(&w->in)) {
		return malformed(w, ATT_FIELD_LOG_HEADER, 8 + SHA1_LEN);
	}
	uint32_t after = w->in.end;
	w->in.end = w->in.pos + len; /* nothing of the header reads past its event */
	bool ok = read_spec_id(w, w->in.end);
	w->in.end = after;
	return ok;
}

/* ---- records ------------------------------------------------------------------------------------------------------------- */

/* TPML_DIGEST_VALUES: u32 count, then u16 id and a digest of the size that the header gives, each algorithm at most once. */
static bool read_digests(log_walk *w, uint32_t num, att_log_event *e) {
	uint32_t seen = 0;
	e->digests_offset = w->in.pos;
	e->num_digests = num;
	if (num == 0 || num > w->log->num_algorithms) {
		return malformed(w, ATT_FIELD_LOG_DIGESTS, w->in.pos - 4);
	}
	for (uint32_t i = 0; i < num; i++) {
		uint32_t at = w->in.pos;
		const uint8_t *id = take(w, 2, ATT_FIELD_LOG_DIGESTS);
		uint32_t k = id != NULL ? find_algorithm(w->log, load_le16(id)) : w->log->num_algorithms;
		if (k == w->log->num_algorithms || (seen >> k & 1) != 0) {
			return malformed(w, ATT_FIELD_LOG_DIGESTS, at);
		}
		seen |= 1u << k;
		if (w->log->algorithms[k].id == ALG_SHA384) {
			e->sha384_offset = w->in.pos;
		}
		if (take(w, w->log->algorithms[k].len, ATT_FIELD_LOG_DIGESTS) == NULL) {
			return false;
		}
	}
	e->digests_len = w->in.pos - e->digests_offset;
	return true;
}

/* TCG_PCR_EVENT2 (PFP 10.2.2): u32 register, u32 type, digests, u32 size, data. */
static bool read_record(log_walk *w, att_log_event *e) {
	memset(e, 0, sizeof *e);
	e->offset = w->in.pos;
	const uint8_t *p = take(w, 12, ATT_FIELD_LOG_RECORD);
	if (p == NULL) {
		return false;
	}
	e->mr_index = att_load_le32(p);
	e->type = att_load_le32(p + 4);
	if (e->mr_index > MR_RTMR3) {
		return malformed(w, ATT_FIELD_LOG_REGISTER, e->offset);
	}
	if (!read_digests(w, att_load_le32(p + 8), e)) {
		return false;
	}
	const uint8_t *size = take(w, 4, ATT_FIELD_LOG_EVENT_SIZE);
	if (size == NULL) {
		return false;
	}
	e->data_len = att_load_le32(size);
	e->data_offset = w->in.pos;
	return take(w, e->data_len, ATT_FIELD_LOG_EVENT_SIZE) != NULL;
}

/* Where a record might begin, all that is left is one byte, 00 or FF, over and over: how firmware leaves the rest of the area. */
static bool at_end(log_walk *w) {
	const uint8_t *rest = w->in.base + w->in.pos;
	uint32_t left = att_reader_left(&w->in);
	if (left == 0) {
		w->log->padding = ATT_LOG_PADDING_NONE;
		return true;
	}
	uint32_t i = 0;
	while (i < left && rest[i] == rest[0]) {
		i++;
	}
	if (i == left && (rest[0] == 0 || rest[0] == 0xFF)) {
		w->log->padding = rest[0] == 0 ? ATT_LOG_PADDING_ZEROS : ATT_LOG_PADDING_ONES;
		return true;
	}
	/* An end mark is not a place to hide further records behind. */
	return left >= 4 && att_load_le32(rest) == END_OF_LOG ? malformed(w, ATT_FIELD_LOG_PADDING, w->in.pos + i) : false;
}

/* ---- what a digest covers ------------------------------------------------------------------------------------------------ */

static bool covers(const uint8_t *log, att_log_event *e, uint8_t rule, uint32_t skip, uint32_t len) {
	uint8_t digest[SHA384_LEN];
	att_sha384(log + e->data_offset + skip, len, digest);
	if (memcmp(digest, log + e->sha384_offset, SHA384_LEN) != 0) {
		return false;
	}
	e->rule = rule;
	e->measured_offset = e->data_offset + skip;
	e->measured_len = len;
	return true;
}

static bool covers_all(const uint8_t *log, att_log_event *e) { return covers(log, e, ATT_EVENT_WHOLE, 0, e->data_len); }

/* UEFI_VARIABLE_DATA (PFP 10.2.6): GUID, u64 characters of the name, u64 bytes of data, name, data. Firmware hashes the data alone
 * for EV_EFI_VARIABLE_BOOT; BOOT2 came to hash the whole. */
static bool covers_variable(const uint8_t *log, att_log_event *e) {
	const uint32_t head = GUID_LEN + 16;
	if (e->data_len < head) {
		return false;
	}
	uint32_t left = e->data_len - head;
	uint64_t name = att_load_le64(log + e->data_offset + GUID_LEN);
	uint64_t len = att_load_le64(log + e->data_offset + GUID_LEN + 8);
	return name <= left / 2 && len == left - 2 * name &&
	       covers(log, e, ATT_EVENT_VARIABLE_DATA, head + 2 * (uint32_t)name, (uint32_t)len);
}

/* TCG_PCClientTaggedEvent (PFP 10.4.2.1): u32 id, u32 size, data that fills the event; some hash the data alone. */
static bool covers_tagged(const uint8_t *log, att_log_event *e) {
	return e->data_len >= 8 && att_load_le32(log + e->data_offset + 4) == e->data_len - 8 &&
	       covers(log, e, ATT_EVENT_TAGGED_DATA, 8, e->data_len - 8);
}

/* Strings of boot loaders: GRUB logs a prefix, the string and a NUL, and hashes the string alone. */
static bool covers_string(const uint8_t *log, att_log_event *e) {
	static const char *const prefixes[] = {"grub_cmd: ", "kernel_cmdline: ", "module_cmdline: "};
	const uint8_t *data = log + e->data_offset;
	if (e->data_len == 0 || data[e->data_len - 1] != 0) {
		return false;
	}
	uint32_t len = e->data_len - 1;
	for (size_t i = 0; i < sizeof prefixes / sizeof prefixes[0]; i++) {
		uint32_t n = (uint32_t)strlen(prefixes[i]);
		if (len >= n && memcmp(data, prefixes[i], n) == 0 && covers(log, e, ATT_EVENT_PREFIXED_STRING, n, len - n)) {
			return true;
		}
	}
	return covers(log, e, ATT_EVENT_STRING, 0, len);
}

/* Only for types whose data are what was hashed (PFP 10.4.1). The data of the others describe it: no match would mean anything. */
static void judge_data(const uint8_t *log, att_log_event *e) {
	e->rule = ATT_EVENT_DIGEST_ONLY;
	switch (e->type) {
	case EV_SEPARATOR:
	case EV_S_CRTM_VERSION:
	case EV_PLATFORM_CONFIG_FLAGS:
	case EV_TABLE_OF_DEVICES:
	case EV_OMIT_BOOT_DEVICE_EVENTS:
	case EV_EFI_VARIABLE_DRIVER_CONFIG:
	case EV_EFI_GPT_EVENT:
	case EV_EFI_VARIABLE_BOOT2:
	case EV_EFI_VARIABLE_AUTHORITY:
	case EV_EFI_SPDM_DEVICE_POLICY:
	case EV_EFI_SPDM_DEVICE_AUTHORITY:
	case DSTACK_RUNTIME:
		(void)covers_all(log, e);
		break;
	case EV_ACTION:
	case EV_EFI_ACTION:
	case EV_IPL:
		(void)(covers_all(log, e) || covers_string(log, e));
		break;
	case EV_EVENT_TAG:
		(void)(covers_all(log, e) || covers_tagged(log, e));
		break;
	case EV_EFI_VARIABLE_BOOT:
		(void)(covers_all(log, e) || covers_variable(log, e));
		break;
	default:
		break;
	}
}

/* ---- replay -------------------------------------------------------------------------------------------------------------- */

/* TDG.MR.RTMR.EXTEND (Intel TDX Module ABI): RTMR = SHA-384(RTMR || digest). */
static void extend(uint8_t *rtmr, const uint8_t *digest) {
	uint8_t both[2 * SHA384_LEN];
	memcpy(both, rtmr, SHA384_LEN);
	memcpy(both + SHA384_LEN, digest, SHA384_LEN);
	att_sha384(both, sizeof both, rtmr);
}

int32_t att_rtmr_replay(const uint8_t *rtmrs, const uint8_t *digests, uint64_t n, uint8_t *out_rtmrs) {
	memset(out_rtmrs, 0, 4 * SHA384_LEN);
	for (uint64_t i = 0; i < n; i++) {
		if (rtmrs[i] > 3) {
			return -1;
		}
		extend(out_rtmrs + SHA384_LEN * rtmrs[i], digests + SHA384_LEN * i);
	}
	return 0;
}

/* Register 0 stands for MRTD, which the module alone writes, and EV_NO_ACTION is not extended whatever it says (PFP 10.4.5). */
static bool replay_record(log_walk *w, att_log_event *e) {
	const uint8_t *log = w->in.base;
	e->rule = ATT_EVENT_NOT_MEASURED;
	if (e->type == EV_NO_ACTION || e->mr_index == MR_MRTD) {
		return true;
	}
	if (e->sha384_offset == 0) {
		return refuse(w, ATT_CODE_EVENT_DIGEST_MISSING, ATT_FIELD_LOG_DIGESTS, e->digests_offset);
	}
	uint32_t k = e->mr_index - 1;
	extend(w->log->rtmr[k], log + e->sha384_offset);
	w->log->num_extends[k]++;
	judge_data(log, e);
	return true;
}

static bool read_log(log_walk *w, att_log_event *events, uint64_t max_events) {
	if (!read_header(w)) {
		return false;
	}
	while (!at_end(w) && att_reader_ok(&w->in)) {
		if (w->log->num_events == max_events) {
			return refuse(w, ATT_CODE_EVENT_LOG_LIMIT, ATT_FIELD_LOG, w->in.pos);
		}
		att_log_event *e = &events[w->log->num_events];
		if (!read_record(w, e) || !replay_record(w, e)) {
			return false;
		}
		w->log->num_events++;
	}
	w->log->end = w->in.pos;
	return att_reader_ok(&w->in);
}

int64_t att_log_read(const uint8_t *data, uint64_t data_len, att_log *out, att_log_event *events, uint64_t max_events,
                     att_finding *out_error) {
	memset(out, 0, sizeof *out);
	*out_error = att_pass();
	if (data_len == 0 || data_len > ATT_LOG_MAX_BYTES) {
		*out_error = att_found(data_len == 0 ? ATT_CODE_EVENT_LOG_MALFORMED : ATT_CODE_EVENT_LOG_LIMIT, ATT_FIELD_LOG, 0);
		return -1;
	}
	log_walk w = {att_reader_over(data, 0, (uint32_t)data_len), out};
	if (!read_log(&w, events, max_events)) {
		memset(out, 0, sizeof *out);
		*out_error = w.in.error;
		return -1;
	}
	return out->num_events;
}

/* ---- the ACPI table that names the log ----------------------------------------------------------------------------------- */

/* UEFI 38.4.3: the header of every ACPI table (36 bytes: signature, u32 length, u8 revision, u8 checksum, ...), then u8 type and
 * u8 subtype of the technology, u16 reserved, u64 least length and u64 address of the log area. */
int32_t att_ccel_read(const uint8_t *table, uint64_t table_len, att_ccel *out, att_finding *out_error) {
	enum { AT_TYPE = 36, AT_SUBTYPE = 37, AT_RESERVED = 38, AT_LEN = 40, AT_ADDRESS = 48, CC_TYPE_TDX = 2 };
	memset(out, 0, sizeof *out);
	uint8_t sum = 0;
	for (uint32_t i = 0; table_len == ATT_CCEL_LEN && i < ATT_CCEL_LEN; i++) {
		sum = (uint8_t)(sum + table[i]);
	}
	if (table_len != ATT_CCEL_LEN || memcmp(table, "CCEL", 4) != 0 || att_load_le32(table + 4) != ATT_CCEL_LEN || sum != 0) {
		*out_error = att_found(ATT_CODE_EVENT_LOG_MALFORMED, ATT_FIELD_CCEL, 0);
		return -1;
	}
	if (att_first_nonzero(table + AT_RESERVED, 2) != 2) {
		*out_error = att_found(ATT_CODE_EVENT_LOG_MALFORMED, ATT_FIELD_CCEL, AT_RESERVED);
		return -1;
	}
	if (table[AT_TYPE] != CC_TYPE_TDX) {
		*out_error = att_found(ATT_CODE_EVENT_LOG_UNSUPPORTED, ATT_FIELD_CCEL, AT_TYPE);
		return -1;
	}
	out->subtype = table[AT_SUBTYPE];
	out->area_len = att_load_le64(table + AT_LEN);
	out->area_address = att_load_le64(table + AT_ADDRESS);
	*out_error = att_pass();
	return 0;
}
