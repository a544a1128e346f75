/* json.h: a cursor over JSON text that may be hostile: bounded, exact for 64-bit integers, never reads beyond its end. */
#ifndef OOMSCOPE_JSON_H
#define OOMSCOPE_JSON_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct json {
  const char *at, *end;
};

struct json_number {
  bool negative, integer;    /* integer: no fraction, no exponent, fits 64 bits */
  uint64_t magnitude;
};

/* Each skips white space first and returns false, with the cursor anywhere, when the text is something else. */
bool json_take(struct json *j, char symbol);
/* True when the next symbol is this one; takes nothing. */
bool json_sees(struct json *j, char symbol);
/* True when nothing but white space is left. */
bool json_is_over(struct json *j);
bool json_word(struct json *j, const char *word);
bool json_number(struct json *j, struct json_number *number);
/* Digits and a to f, at most 16; nothing that JSON knows. */
bool json_hex(struct json *j, uint64_t *value);
/* Decodes a string into exact bytes; false also when it is longer than capacity. */
bool json_string(struct json *j, char *bytes, size_t capacity, size_t *length);
/* Moves past one value of any kind. */
bool json_skip(struct json *j);
/* After a value inside [] or {}: true and *more when a comma follows, true and !*more when `close` follows. */
bool json_more(struct json *j, char close, bool *more);

#endif
