/* msgpack.c: every value in its shortest form (msgpack specification, "Formats"); big endian. */
#include "msgpack.h"

#include <string.h>

static void put(struct pack *p, const void *bytes, size_t length) {
  if (p->full || (size_t)(p->end - p->at) < length) {
    p->full = true;
    return;
  }
  memcpy(p->at, bytes, length);
  p->at += length;
}

/* A type byte and the low `width` bytes of a value. */
static void put_typed(struct pack *p, uint8_t type, uint64_t value, int width) {
  uint8_t bytes[9] = {type};
  for (int i = 0; i < width; i++) bytes[1 + i] = (uint8_t)(value >> (8 * (width - 1 - i)));
  put(p, bytes, 1 + (size_t)width);
}

void pack_array(struct pack *p, uint32_t count) {
  if (count < 16) put_typed(p, (uint8_t)(0x90 | count), 0, 0);
  else if (count <= 0xffff) put_typed(p, 0xdc, count, 2);
  else put_typed(p, 0xdd, count, 4);
}

void pack_u64(struct pack *p, uint64_t value) {
  if (value < 0x80) put_typed(p, (uint8_t)value, 0, 0);
  else if (value <= 0xff) put_typed(p, 0xcc, value, 1);
  else if (value <= 0xffff) put_typed(p, 0xcd, value, 2);
  else if (value <= 0xffffffff) put_typed(p, 0xce, value, 4);
  else put_typed(p, 0xcf, value, 8);
}

void pack_i64(struct pack *p, int64_t value) {
  if (value >= 0) pack_u64(p, (uint64_t)value);
  else if (value >= -32) put_typed(p, (uint8_t)value, 0, 0);
  else if (value >= INT8_MIN) put_typed(p, 0xd0, (uint64_t)value, 1);
  else if (value >= INT16_MIN) put_typed(p, 0xd1, (uint64_t)value, 2);
  else if (value >= INT32_MIN) put_typed(p, 0xd2, (uint64_t)value, 4);
  else put_typed(p, 0xd3, (uint64_t)value, 8);
}

void pack_bool(struct pack *p, bool value) { put_typed(p, value ? 0xc3 : 0xc2, 0, 0); }

void pack_nil(struct pack *p) { put_typed(p, 0xc0, 0, 0); }

void pack_str(struct pack *p, const char *bytes, size_t length) {
  if (length < 32) put_typed(p, (uint8_t)(0xa0 | length), 0, 0);
  else if (length <= 0xff) put_typed(p, 0xd9, length, 1);
  else if (length <= 0xffff) put_typed(p, 0xda, length, 2);
  else put_typed(p, 0xdb, length, 4);
  if (length > 0) put(p, bytes, length);
}
