/* row.c: writes one row into the stream, held to the dictionary field by field. */
#include "row.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "util.h"

void row_begin(struct row *r, struct stream *out, enum kind_number number, uint64_t ts_ns) {
  memset(r, 0, sizeof *r);
  stream_open(out, ts_ns);
  r->out = out;
  r->kind = event_kind(number);
  r->pack.at = out->open + out->open_length;
  r->pack.end = r->pack.at + ROW_MAX;
  pack_array(&r->pack, 2u + r->kind->count);
  pack_u64(&r->pack, number);
  pack_u64(&r->pack, ts_ns);
}

/* Type of the next field; 0 when there is none. `absent` asks for nil. */
static char next(struct row *r, const char *types, bool absent) {
  if (r->fields >= r->kind->count) {
    r->bad = true;
    return 0;
  }
  char type = r->kind->type[r->fields];
  bool ok = absent ? r->kind->optional[r->fields] : strchr(types, type) != NULL;
  r->fields++;
  if (!ok) r->bad = true;
  return type;
}

void row_u(struct row *r, uint64_t value) {
  if (value == ABSENT) row_nil(r);
  else row_exact(r, value);
}

void row_exact(struct row *r, uint64_t value) {
  char type = next(r, "uib", false);
  if (type == 'b') pack_bool(&r->pack, value != 0);
  else pack_u64(&r->pack, value);
}

void row_i(struct row *r, int64_t value) {
  next(r, value < 0 ? "i" : "iu", false);
  pack_i64(&r->pack, value);
}

void row_nil(struct row *r) {
  next(r, "", true);
  pack_nil(&r->pack);
}

void row_text(struct row *r, const char *text) { row_bytes(r, text, strlen(text)); }

void row_bytes(struct row *r, const char *bytes, size_t length) {
  next(r, "s", false);
  pack_str(&r->pack, bytes, length);
}

void row_array(struct row *r, const uint64_t *values, int count) {
  next(r, "a", false);
  pack_array(&r->pack, (uint32_t)count);
  for (int i = 0; i < count; i++) pack_u64(&r->pack, values[i]);
}

void row_end(struct row *r) {
  struct stream *out = r->out;
  if (r->bad || r->fields != r->kind->count || r->pack.full) {
    stream_loss(out, LOSS_line, 1, r->pack.full ? "row too long" : r->kind->name);
    return;
  }
  out->open_length = (size_t)(r->pack.at - out->open);
  out->open_rows++;
  out->rows++;
  if (!out->is_urgent && r->kind->number >= KIND_OOM_MEMCG_ENTER && r->kind->number <= KIND_SIGNAL) {
    out->is_urgent = true;
    uint64_t soon = now_ns() + FRAME_URGENT_NS;
    if (out->close_at_ns > soon) out->close_at_ns = soon;
  }
  if (out->open_length >= FRAME_HEADER + FRAME_CLOSE) stream_close(out);
}

void row_notice(struct stream *out, const char *from, const char *format, ...) {
  char text[1024];
  va_list args;
  va_start(args, format);
  vsnprintf(text, sizeof text, format, args);
  va_end(args);
  text_clean(text, strlen(text));
  struct row row;
  row_begin(&row, out, KIND_NOTICE, now_ns());
  row_text(&row, from);
  row_text(&row, text);
  row_end(&row);
}
