/* msgpack.h: writes the few msgpack types that rows are made of into a bounded buffer. */
#ifndef OOMSCOPE_MSGPACK_H
#define OOMSCOPE_MSGPACK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct pack {
  uint8_t *at, *end;
  bool full;      /* something did not fit; nothing was written beyond end */
};

void pack_array(struct pack *p, uint32_t count);
void pack_u64(struct pack *p, uint64_t value);
void pack_i64(struct pack *p, int64_t value);
void pack_bool(struct pack *p, bool value);
void pack_nil(struct pack *p);
void pack_str(struct pack *p, const char *bytes, size_t length);

#endif
