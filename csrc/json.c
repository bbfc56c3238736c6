/* SPDX-License-Identifier: Apache-2.0
 *
 * json.c: the strict JSON reader; what it holds a text to stands in json.h. Section numbers are RFC 8259's. */
#include "json.h"

/* ---- bytes --------------------------------------------------------------------------------------------------------------- */

void att_json_over(att_json *j, const uint8_t *text, uint64_t len, uint16_t code, uint16_t field) {
	bool fits = len <= ATT_JSON_MAX_BYTES;
	memset(j, 0, sizeof *j);
	j->in = att_reader_over(text, 0, fits ? (uint32_t)len : 0);
	j->code = code;
	j->field = field;
	if (!fits) {
		att_json_refuse(j, ATT_CODE_COLLATERAL_LIMIT, 0);
	}
}

void att_json_refuse(att_json *j, uint16_t code, uint32_t offset) {
	if (att_json_ok(j)) {
		j->in.error = att_found(code, j->field, offset);
	}
}

static void refuse_here(att_json *j) { att_json_refuse(j, j->code, j->in.pos); }

/* The next byte; -1 at the end and after a failure. */
static int32_t peek(const att_json *j) {
	return att_json_ok(j) && att_reader_left(&j->in) != 0 ? j->in.base[j->in.pos] : -1;
}

static void advance(att_json *j, uint32_t n) { (void)att_take(&j->in, n, j->code, j->field); }

static bool accept(att_json *j, int32_t c) {
	if (peek(j) != c) {
		return false;
	}
	advance(j, 1);
	return true;
}

static void expect(att_json *j, int32_t c) {
	if (!accept(j, c)) {
		refuse_here(j);
	}
}

/* Section 2: space, tab, line feed, carriage return. */
static void skip_space(att_json *j) {
	int32_t c = peek(j);
	while (c == ' ' || c == '\t' || c == '\n' || c == '\r') {
		advance(j, 1);
		c = peek(j);
	}
}

static bool is_digit(int32_t c) { return c >= '0' && c <= '9'; }

/* -1 for what is no hexadecimal digit. */
static int32_t hex_value(int32_t c) {
	if (is_digit(c)) {
		return c - '0';
	}
	int32_t lower = c | 0x20;
	return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}

/* ---- strings (section 7) ------------------------------------------------------------------------------------------------- */

/* RFC 3629 section 4: length of the sequence at p, 0 when it is none: too long for its value, a surrogate, above U+10FFFF, cut off. */
static uint32_t utf8_len(const uint8_t *p, uint32_t left) {
	uint8_t first = p[0];
	uint32_t n = first < 0x80 ? 1 : first < 0xC2 ? 0 : first < 0xE0 ? 2 : first < 0xF0 ? 3 : first < 0xF5 ? 4 : 0;
	if (n > left) {
		return 0;
	}
	for (uint32_t i = 1; i < n; i++) {
		if ((p[i] & 0xC0) != 0x80) {
			return 0;
		}
	}
	bool out_of_range = (first == 0xE0 && p[1] < 0xA0) || (first == 0xED && p[1] > 0x9F) || (first == 0xF0 && p[1] < 0x90) ||
	                    (first == 0xF4 && p[1] > 0x8F);
	return out_of_range ? 0 : n;
}

/* Four hexadecimal digits behind \u; 0 and a failure without them. */
static uint32_t take_unit(att_json *j) {
	uint32_t unit = 0;
	for (int i = 0; i < 4; i++) {
		int32_t digit = hex_value(peek(j));
		if (digit < 0) {
			refuse_here(j);
			return 0;
		}
		unit = unit << 4 | (uint32_t)digit;
		advance(j, 1);
	}
	return unit;
}

static bool is_high_surrogate(uint32_t unit) { return unit >= 0xD800 && unit <= 0xDBFF; }
static bool is_low_surrogate(uint32_t unit) { return unit >= 0xDC00 && unit <= 0xDFFF; }

/* Behind a backslash. A surrogate that stands alone is no character (section 8.2), so nothing can be said of what it means. */
static void take_escape(att_json *j) {
	int32_t c = peek(j);
	if (c < 0 || strchr("\"\\/bfnrtu", c) == NULL || c == 0) {
		refuse_here(j);
		return;
	}
	advance(j, 1);
	if (c != 'u') {
		return;
	}
	uint32_t at = j->in.pos;
	uint32_t unit = take_unit(j);
	if (is_high_surrogate(unit)) {
		expect(j, '\\');
		expect(j, 'u');
		if (!is_low_surrogate(take_unit(j))) {
			att_json_refuse(j, j->code, at);
		}
	} else if (is_low_surrogate(unit)) {
		att_json_refuse(j, j->code, at);
	}
}

/* How many bytes from here are ASCII that stands for itself. */
static uint32_t plain_run(const att_json *j) {
	const uint8_t *at = j->in.base + j->in.pos;
	uint32_t left = att_reader_left(&j->in);
	uint32_t n = 0;
	while (n < left && at[n] >= 0x20 && at[n] < 0x80 && at[n] != '"' && at[n] != '\\') {
		n++;
	}
	return n;
}

static att_json_name take_string(att_json *j) {
	att_json_name out = {{j->in.pos, 0}, false};
	expect(j, '"');
	uint32_t start = j->in.pos;
	while (att_json_ok(j)) {
		advance(j, plain_run(j));
		int32_t c = peek(j);
		if (c == '"') {
			out.text = (att_span){start, j->in.pos - start};
			advance(j, 1);
			return out;
		}
		if (c == '\\') {
			out.escaped = true;
			advance(j, 1);
			take_escape(j);
			continue;
		}
		uint32_t n = c < 0x80 ? 0 : utf8_len(j->in.base + j->in.pos, att_reader_left(&j->in));
		if (n == 0) {
			refuse_here(j); /* a control character, broken UTF-8, or the end of the text */
		}
		advance(j, n);
	}
	return out;
}

/* ---- names --------------------------------------------------------------------------------------------------------------- */

/* A string's contents by the character, escapes resolved. They were checked; should they have changed since, what comes out is of no
 * use, but nothing is read that is not theirs. */
typedef struct {
	const uint8_t *at;
	uint32_t left;
} characters;

static characters characters_of(const att_json *j, const att_json_name *name) {
	return (characters){j->in.base + name->text.offset, name->text.len};
}

static uint32_t next_byte(characters *c) {
	if (c->left == 0) {
		return 0;
	}
	c->left--;
	return *c->at++;
}

static uint32_t next_unit(characters *c) {
	uint32_t unit = 0;
	for (int i = 0; i < 4; i++) {
		unit = unit << 4 | (uint32_t)(hex_value((int32_t)next_byte(c)) & 0xF);
	}
	return unit;
}

static uint32_t next_escaped(characters *c) {
	static const char letters[] = "bfnrt";
	static const char meanings[] = "\b\f\n\r\t";
	uint32_t letter = next_byte(c);
	const char *at = letter != 0 ? strchr(letters, (int)letter) : NULL;
	if (letter != 'u') {
		return at != NULL ? (uint32_t)meanings[at - letters] : letter;
	}
	uint32_t unit = next_unit(c);
	if (!is_high_surrogate(unit)) {
		return unit;
	}
	(void)next_byte(c);
	(void)next_byte(c);
	return 0x10000 + ((unit - 0xD800) << 10) + ((next_unit(c) - 0xDC00) & 0x3FF);
}

static uint32_t next_character(characters *c) {
	uint32_t first = next_byte(c);
	if (first == '\\') {
		return next_escaped(c);
	}
	if (first < 0x80) {
		return first;
	}
	uint32_t more = first < 0xE0 ? 1 : first < 0xF0 ? 2 : 3;
	uint32_t value = first & (0x3Fu >> more);
	for (; more > 0; more--) {
		value = value << 6 | (next_byte(c) & 0x3F);
	}
	return value;
}

static bool names_equal(const att_json *j, const att_json_name *a, const att_json_name *b) {
	if (!a->escaped && !b->escaped) {
		return a->text.len == b->text.len &&
		       memcmp(j->in.base + a->text.offset, j->in.base + b->text.offset, a->text.len) == 0;
	}
	characters x = characters_of(j, a);
	characters y = characters_of(j, b);
	while (x.left != 0 && y.left != 0) {
		if (next_character(&x) != next_character(&y)) {
			return false;
		}
	}
	return x.left == 0 && y.left == 0;
}

/* Lower case as Unicode folds it, for what folds to ASCII: the Kelvin sign is a k, the long s an s. */
static uint32_t fold(uint32_t character) {
	if (character >= 'A' && character <= 'Z') {
		return character + ('a' - 'A');
	}
	return character == 0x212A ? 'k' : character == 0x17F ? 's' : character;
}

typedef enum { NAME_OTHER, NAME_SAME, NAME_SAME_BUT_CASE } name_match;

static name_match match_name(const att_json *j, const att_json_name *name, const char *known) {
	characters c = characters_of(j, name);
	name_match match = NAME_SAME;
	for (; *known != 0; known++) {
		uint32_t want = (uint8_t)*known;
		uint32_t have = c.left != 0 ? next_character(&c) : 0;
		if (have != want) {
			if (fold(have) != fold(want)) {
				return NAME_OTHER;
			}
			match = NAME_SAME_BUT_CASE;
		}
	}
	return c.left == 0 ? match : NAME_OTHER;
}

/* ---- structure ----------------------------------------------------------------------------------------------------------- */

static void open_frame(att_json *j, int32_t open, uint8_t close) {
	uint32_t start = j->in.pos;
	expect(j, open);
	if (att_json_ok(j) && j->depth == ATT_JSON_MAX_DEPTH) {
		att_json_refuse(j, ATT_CODE_COLLATERAL_LIMIT, start);
	}
	if (att_json_ok(j)) {
		j->frames[j->depth++] = (att_json_frame){start, j->num_names, 0, j->field, close, true};
	}
}

void att_json_object(att_json *j) {
	skip_space(j);
	open_frame(j, '{', '}');
}

void att_json_array(att_json *j) {
	skip_space(j);
	open_frame(j, '[', ']');
}

/* Up to the next member or element of the innermost frame. At its end the frame is left: false. */
static bool next_item(att_json *j) {
	if (!att_json_ok(j) || j->depth == 0) {
		return false;
	}
	att_json_frame *frame = &j->frames[j->depth - 1];
	j->field = frame->field;
	skip_space(j);
	if (accept(j, frame->close)) {
		j->num_names = frame->first_name;
		j->depth--;
		return false;
	}
	if (!frame->empty) {
		expect(j, ',');
		skip_space(j);
	}
	frame->empty = false;
	return att_json_ok(j);
}

bool att_json_element(att_json *j) { return next_item(j); }

/* Section 4: names ought to be unique. Here they must be. */
static bool is_new_name(const att_json *j, const att_json_name *name) {
	for (uint32_t i = j->frames[j->depth - 1].first_name; i < j->num_names; i++) {
		if (names_equal(j, name, &j->names[i])) {
			return false;
		}
	}
	return true;
}

static bool next_name(att_json *j, att_json_name *out) {
	if (!next_item(j)) {
		return false;
	}
	*out = take_string(j);
	if (!att_json_ok(j)) {
		return false;
	}
	if (j->num_names == ATT_JSON_MAX_NAMES) {
		att_json_refuse(j, ATT_CODE_COLLATERAL_LIMIT, out->text.offset);
		return false;
	}
	if (!is_new_name(j, out)) {
		att_json_refuse(j, j->code, out->text.offset);
		return false;
	}
	j->names[j->num_names++] = *out;
	skip_space(j);
	expect(j, ':');
	skip_space(j);
	return att_json_ok(j);
}

/* ---- any value ----------------------------------------------------------------------------------------------------------- */

static void take_digits(att_json *j) {
	if (!is_digit(peek(j))) {
		refuse_here(j);
	}
	while (is_digit(peek(j))) {
		advance(j, 1);
	}
}

/* Section 6. What follows a number is for the structure around it to judge. */
static void take_number(att_json *j) {
	(void)accept(j, '-');
	if (!accept(j, '0')) {
		take_digits(j);
	}
	if (accept(j, '.')) {
		take_digits(j);
	}
	if (accept(j, 'e') || accept(j, 'E')) {
		if (!accept(j, '+')) {
			(void)accept(j, '-');
		}
		take_digits(j);
	}
}

static void take_literal(att_json *j, const char *literal) {
	for (; *literal != 0; literal++) {
		expect(j, *literal);
	}
}

/* A value that has no parts, or the bracket that opens one that has. */
static void take_token(att_json *j) {
	skip_space(j);
	switch (peek(j)) {
	case '{':
		open_frame(j, '{', '}');
		break;
	case '[':
		open_frame(j, '[', ']');
		break;
	case '"':
		(void)take_string(j);
		break;
	case 't':
		take_literal(j, "true");
		break;
	case 'f':
		take_literal(j, "false");
		break;
	case 'n':
		take_literal(j, "null");
		break;
	default:
		take_number(j);
	}
}

static bool next_part(att_json *j) {
	att_json_name name;
	return j->frames[j->depth - 1].close == '}' ? next_name(j, &name) : next_item(j);
}

/* Down into whatever opens and up out of whatever ends, until the value that began it is over. */
static void skip_value(att_json *j) {
	uint32_t outside = j->depth;
	do {
		take_token(j);
		while (att_json_ok(j) && j->depth > outside && !next_part(j)) {
		}
	} while (att_json_ok(j) && j->depth > outside);
}

att_span att_json_value(att_json *j) {
	skip_space(j);
	uint32_t start = j->in.pos;
	skip_value(j);
	return att_json_ok(j) ? (att_span){start, j->in.pos - start} : (att_span){start, 0};
}

/* ---- known members ------------------------------------------------------------------------------------------------------- */

static void check_required(att_json *j, const att_json_frame *frame, const att_json_key *keys, uint32_t num) {
	for (uint32_t i = 0; i < num; i++) {
		if (keys[i].required && !(frame->seen >> i & 1) && att_json_ok(j)) {
			j->field = keys[i].field != ATT_FIELD_NONE ? keys[i].field : frame->field;
			att_json_refuse(j, j->code, frame->start);
		}
	}
}

/* The number of the key that this is, or num when it is none. */
static uint32_t find_key(att_json *j, const att_json_name *name, const att_json_key *keys, uint32_t num) {
	uint32_t found = num;
	for (uint32_t i = 0; i < num; i++) {
		name_match match = match_name(j, name, keys[i].name);
		if (match == NAME_SAME) {
			found = i;
		} else if (match == NAME_SAME_BUT_CASE) {
			att_json_refuse(j, j->code, name->text.offset);
		}
	}
	return found;
}

bool att_json_member(att_json *j, const att_json_key *keys, uint32_t num, uint32_t *out) {
	if (!att_json_ok(j) || j->depth == 0) {
		return false;
	}
	att_json_frame *frame = &j->frames[j->depth - 1];
	att_json_name name;
	while (next_name(j, &name)) {
		uint32_t found = find_key(j, &name, keys, num);
		if (found < num) {
			frame->seen |= 1u << found;
			j->field = keys[found].field != ATT_FIELD_NONE ? keys[found].field : frame->field;
			*out = found;
			return att_json_ok(j);
		}
		if (j->closed) {
			att_json_refuse(j, j->code, name.text.offset);
		}
		skip_value(j);
	}
	check_required(j, frame, keys, num);
	return false;
}

/* ---- wanted values ------------------------------------------------------------------------------------------------------- */

att_span att_json_plain(att_json *j) {
	skip_space(j);
	att_json_name string = take_string(j);
	for (uint32_t i = 0; i < string.text.len; i++) {
		uint8_t c = j->in.base[string.text.offset + i];
		if (c == '\\' || c > 0x7E) {
			att_json_refuse(j, j->code, string.text.offset + i);
			string.text.len = 0;
		}
	}
	return string.text;
}

uint32_t att_json_word(att_json *j, const char *const *words, uint32_t num) {
	att_span text = att_json_plain(j);
	for (uint32_t i = 0; i < num; i++) {
		if (text.len == strlen(words[i]) && memcmp(j->in.base + text.offset, words[i], text.len) == 0) {
			return i;
		}
	}
	att_json_refuse(j, j->code, text.offset);
	return 0;
}

uint32_t att_json_uint(att_json *j, uint32_t max) {
	skip_space(j);
	uint32_t start = j->in.pos;
	bool zero = peek(j) == '0';
	uint64_t value = 0;
	uint32_t digits = 0;
	for (; is_digit(peek(j)); digits++) {
		value = value <= max ? value * 10 + (uint64_t)(peek(j) - '0') : value; /* once above max, above it for good */
		advance(j, 1);
	}
	int32_t next = peek(j);
	bool ends = next < 0 || strchr(" \t\r\n,]}", next) != NULL; /* no fraction, no exponent, nothing that is no number */
	if (digits == 0 || (zero && digits != 1) || !ends || next == 0 || value > max) {
		att_json_refuse(j, j->code, start);
		return 0;
	}
	return (uint32_t)value;
}

void att_json_hex(att_json *j, uint8_t *out, uint32_t n) {
	att_span text = att_json_plain(j);
	memset(out, 0, n);
	if (text.len != 2 * n) {
		att_json_refuse(j, j->code, text.offset);
		return;
	}
	for (uint32_t i = 0; i < n; i++) {
		int32_t high = hex_value(j->in.base[text.offset + 2 * i]);
		int32_t low = hex_value(j->in.base[text.offset + 2 * i + 1]);
		if (high < 0 || low < 0) {
			att_json_refuse(j, j->code, text.offset + 2 * i);
			memset(out, 0, n);
			return;
		}
		out[i] = (uint8_t)(high << 4 | low);
	}
}

/* n digits, or -1. */
static int32_t read_digits(const uint8_t *p, uint32_t n) {
	int32_t value = 0;
	for (uint32_t i = 0; i < n; i++) {
		if (!is_digit(p[i])) {
			return -1;
		}
		value = value * 10 + (p[i] - '0');
	}
	return value;
}

static int32_t days_of_month(int32_t year, int32_t month) {
	static const uint8_t days[12] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
	bool leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
	return days[month - 1] + (month == 2 && leap ? 1 : 0);
}

/* ISO 8601 as Intel writes it (PCS API version 4: "YYYY-MM-DDThh:mm:ssZ"), no other spelling. -1 for what is none. */
static int64_t read_time(const uint8_t *p) {
	int32_t year = read_digits(p, 4), month = read_digits(p + 5, 2), day = read_digits(p + 8, 2);
	int32_t hour = read_digits(p + 11, 2), minute = read_digits(p + 14, 2), second = read_digits(p + 17, 2);
	bool marks = p[4] == '-' && p[7] == '-' && p[10] == 'T' && p[13] == ':' && p[16] == ':' && p[19] == 'Z';
	if (!marks || year < 1970 || month < 1 || month > 12 || day < 1 || day > days_of_month(year, month)) {
		return -1;
	}
	if (hour < 0 || hour > 23 || minute < 0 || minute > 59 || second < 0 || second > 59) {
		return -1;
	}
	int64_t past = year - 1;
	int64_t days = past * 365 + past / 4 - past / 100 + past / 400 - 719162 + day - 1;
	for (int32_t m = 1; m < month; m++) {
		days += days_of_month(year, m);
	}
	return ((days * 24 + hour) * 60 + minute) * 60 + second;
}

int64_t att_json_time(att_json *j) {
	att_span text = att_json_plain(j);
	int64_t time = text.len == 20 ? read_time(j->in.base + text.offset) : -1;
	if (time < 0) {
		att_json_refuse(j, j->code, text.offset);
		return 0;
	}
	return time;
}

/* ---- the end ------------------------------------------------------------------------------------------------------------- */

att_finding att_json_finish(att_json *j) {
	skip_space(j);
	if (j->depth != 0 || att_reader_left(&j->in) != 0) {
		refuse_here(j);
	}
	return j->in.error;
}
