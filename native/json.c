/* json.c: a cursor over JSON text that may be hostile. */
#include "json.h"

#include <string.h>

#define DEPTH_MAX 32

static void skip_space(struct json *j) {
  while (j->at < j->end && (*j->at == ' ' || *j->at == '\t' || *j->at == '\r' || *j->at == '\n')) j->at++;
}

bool json_sees(struct json *j, char symbol) {
  skip_space(j);
  return j->at < j->end && *j->at == symbol;
}

bool json_take(struct json *j, char symbol) {
  if (!json_sees(j, symbol)) return false;
  j->at++;
  return true;
}

bool json_is_over(struct json *j) {
  skip_space(j);
  return j->at == j->end;
}

bool json_word(struct json *j, const char *word) {
  size_t length = strlen(word);
  skip_space(j);
  if ((size_t)(j->end - j->at) < length || memcmp(j->at, word, length) != 0) return false;
  j->at += length;
  return true;
}

static bool is_digit(const struct json *j) { return j->at < j->end && *j->at >= '0' && *j->at <= '9'; }

bool json_number(struct json *j, struct json_number *number) {
  skip_space(j);
  *number = (struct json_number){.integer = true};
  if (j->at < j->end && *j->at == '-') {
    number->negative = true;
    j->at++;
  }
  if (!is_digit(j)) return false;
  for (; is_digit(j); j->at++)
    if (__builtin_mul_overflow(number->magnitude, 10, &number->magnitude) ||
        __builtin_add_overflow(number->magnitude, (uint64_t)(*j->at - '0'), &number->magnitude))
      number->integer = false;
  if (number->negative && number->magnitude > (uint64_t)INT64_MAX + 1) number->integer = false;
  if (j->at < j->end && *j->at == '.') {
    number->integer = false;
    for (j->at++; is_digit(j);) j->at++;
  }
  if (j->at < j->end && (*j->at == 'e' || *j->at == 'E')) {
    number->integer = false;
    j->at++;
    if (j->at < j->end && (*j->at == '+' || *j->at == '-')) j->at++;
    while (is_digit(j)) j->at++;
  }
  return true;
}

static int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

/* `count` hex digits at *at; -1 when they are not all there. */
static int64_t hex(const struct json *j, const char *at, int count) {
  int64_t value = 0;
  if (j->end - at < count) return -1;
  for (int i = 0; i < count; i++) {
    int digit = hex_digit(at[i]);
    if (digit < 0) return -1;
    value = value * 16 + digit;
  }
  return value;
}

static int utf8(uint32_t code, char *bytes) {
  if (code < 0x80) {
    bytes[0] = (char)code;
    return 1;
  }
  int extra = code < 0x800 ? 1 : code < 0x10000 ? 2 : 3;
  static const uint8_t lead[] = {0, 0xc0, 0xe0, 0xf0};
  bytes[0] = (char)(lead[extra] | (code >> (6 * extra)));
  for (int i = 1; i <= extra; i++) bytes[i] = (char)(0x80 | ((code >> (6 * (extra - i))) & 0x3f));
  return extra + 1;
}

/* The part of an escape behind "\u". bpftrace prints a byte >= 0x80 as its sign-extended int: \uffffffXX. A backslash of the
 * text itself is always escaped, so no name can spell this form. Returns bytes written, -1 when malformed. */
static int unicode(struct json *j, char *bytes) {
  int64_t wide = hex(j, j->at, 8);
  if (wide >= 0xffffff80ll && wide <= 0xffffffffll) {
    j->at += 8;
    bytes[0] = (char)(wide & 0xff);
    return 1;
  }
  int64_t code = hex(j, j->at, 4);
  if (code < 0) return -1;
  j->at += 4;
  if (code >= 0xd800 && code < 0xdc00 && j->end - j->at >= 6 && j->at[0] == '\\' && j->at[1] == 'u') {
    int64_t low = hex(j, j->at + 2, 4);
    if (low >= 0xdc00 && low < 0xe000) {
      j->at += 6;
      return utf8((uint32_t)(0x10000 + ((code - 0xd800) << 10) + (low - 0xdc00)), bytes);
    }
  }
  return utf8(code >= 0xd800 && code < 0xe000 ? 0xfffd : (uint32_t)code, bytes);
}

/* One escape behind the backslash. Returns bytes written, -1 when malformed. */
static int escape(struct json *j, char *bytes) {
  static const char from[] = "\"\\/bfnrt", to[] = "\"\\/\b\f\n\r\t";
  if (j->at == j->end) return -1;
  char c = *j->at++;
  if (c == 'u') return unicode(j, bytes);
  const char *known = c == '\0' ? NULL : strchr(from, c);
  if (known == NULL) return -1;
  bytes[0] = to[known - from];
  return 1;
}

bool json_hex(struct json *j, uint64_t *value) {
  int digits = 0;
  skip_space(j);
  for (*value = 0; j->at < j->end && digits < 16; j->at++, digits++) {
    char c = *j->at;
    if (c >= '0' && c <= '9') *value = *value * 16 + (uint64_t)(c - '0');
    else if (c >= 'a' && c <= 'f') *value = *value * 16 + (uint64_t)(c - 'a' + 10);
    else break;
  }
  return digits > 0;
}

bool json_string(struct json *j, char *bytes, size_t capacity, size_t *length) {
  size_t used = 0;
  if (!json_take(j, '"')) return false;
  while (j->at < j->end) {
    char c = *j->at++;
    char piece[4] = {c};
    int count = 1;
    if (c == '"') {
      *length = used;
      return true;
    }
    if (c == '\\' && (count = escape(j, piece)) < 0) return false;
    if (capacity - used < (size_t)count) return false;
    memcpy(bytes + used, piece, (size_t)count);
    used += (size_t)count;
  }
  return false;
}

static bool skip_string(struct json *j) {
  if (!json_take(j, '"')) return false;
  while (j->at < j->end) {
    char c = *j->at++;
    if (c == '"') return true;
    if (c == '\\' && j->at < j->end) j->at++;
  }
  return false;
}

static bool skip(struct json *j, int depth) {
  struct json_number number;
  bool is_object = json_sees(j, '{'), more = true;
  if (json_sees(j, '"')) return skip_string(j);
  if (!is_object && !json_sees(j, '[')) return json_word(j, "true") || json_word(j, "false") || json_word(j, "null") || json_number(j, &number);
  char close = is_object ? '}' : ']';
  j->at++;
  if (depth == DEPTH_MAX) return false;
  if (json_take(j, close)) return true;
  while (more) {
    if (is_object && !(skip_string(j) && json_take(j, ':'))) return false;
    if (!skip(j, depth + 1) || !json_more(j, close, &more)) return false;
  }
  return true;
}

bool json_skip(struct json *j) { return skip(j, 0); }

bool json_more(struct json *j, char close, bool *more) {
  *more = json_take(j, ',');
  return *more || json_take(j, close);
}
