/* SPDX-License-Identifier: Apache-2.0
 *
 * status.c: names and meanings of codes, categories, fields and checks, all from the .def files. */
#include "attest.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

typedef struct {
	uint16_t number;
	uint16_t category;
	const char *word;
	const char *text;
} code_entry;

static const code_entry codes[] = {
#define ATT_CODE(name, number, word, category, text) {(number), ATT_CATEGORY_##category, word, text},
#include "codes.def"
#undef ATT_CODE
};

static const char *const categories[] = {
#define ATT_CATEGORY_WORD(name, word) word,
    ATT_CATEGORIES(ATT_CATEGORY_WORD)
#undef ATT_CATEGORY_WORD
};

static const char *const fields[] = {
#define ATT_FIELD(name, word) word,
#include "fields.def"
#undef ATT_FIELD
};

typedef struct {
	const char *word;
	const char *text;
	int32_t category;
} check_entry;

static const check_entry snp_checks[] = {
#define ATT_SNP_CHECK(name, word, category, text) {word, text, ATT_CATEGORY_##category},
#include "checks_snp.def"
#undef ATT_SNP_CHECK
};

static const check_entry tdx_checks[] = {
#define ATT_TDX_CHECK(name, word, category, text) {word, text, ATT_CATEGORY_##category},
#include "checks_tdx.def"
#undef ATT_TDX_CHECK
};

static const code_entry *find_code(uint32_t code) {
	for (size_t i = 0; i < COUNT(codes); i++) {
		if (codes[i].number == code) {
			return &codes[i];
		}
	}
	return NULL;
}

const char *att_code_name(uint32_t code) {
	const code_entry *entry = find_code(code);
	return entry ? entry->word : NULL;
}

const char *att_code_text(uint32_t code) {
	const code_entry *entry = find_code(code);
	return entry ? entry->text : NULL;
}

int32_t att_code_category(uint32_t code) {
	const code_entry *entry = find_code(code);
	return entry ? entry->category : -1;
}

const char *att_category_name(uint32_t category) { return category < COUNT(categories) ? categories[category] : NULL; }

const char *att_field_name(uint32_t field) { return field < COUNT(fields) ? fields[field] : NULL; }

uint32_t att_snp_num_checks(void) { return ATT_SNP_NUM_CHECKS; }

const char *att_snp_check_name(uint32_t check) { return check < COUNT(snp_checks) ? snp_checks[check].word : NULL; }

const char *att_snp_check_text(uint32_t check) { return check < COUNT(snp_checks) ? snp_checks[check].text : NULL; }

int32_t att_snp_check_category(uint32_t check) { return check < COUNT(snp_checks) ? snp_checks[check].category : -1; }

uint32_t att_tdx_num_checks(void) { return ATT_TDX_NUM_CHECKS; }

const char *att_tdx_check_name(uint32_t check) { return check < COUNT(tdx_checks) ? tdx_checks[check].word : NULL; }

const char *att_tdx_check_text(uint32_t check) { return check < COUNT(tdx_checks) ? tdx_checks[check].text : NULL; }

int32_t att_tdx_check_category(uint32_t check) { return check < COUNT(tdx_checks) ? tdx_checks[check].category : -1; }

#ifndef ATT_VERSION
#error "define ATT_VERSION as a string: the version of the distribution"
#endif

const char *att_version(void) { return ATT_VERSION; }

const char *att_build(void) {
#if defined(__clang__)
	return "clang " __clang_version__;
#elif defined(__GNUC__)
	return "gcc " __VERSION__;
#else
	return "unknown compiler";
#endif
}
