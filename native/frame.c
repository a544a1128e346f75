/* frame.c: frames, their checksum, and the ring that drops whole oldest frames when the reader is stalled. */
#include "frame.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "event.h"
#include "row.h"
#include "util.h"

/* ── checksum ──────────────────────────────────────────────────────────────── */

/* Eight bytes a step ("slicing by 8"): table[k][b] is the checksum of byte b with k zero bytes behind it. */
static uint32_t crc_table[8][256];

static void make_crc_table(void) {
  for (uint32_t i = 0; i < 256; i++) {
    uint32_t c = i;
    for (int bit = 0; bit < 8; bit++) c = (c >> 1) ^ (0xedb88320u & (0u - (c & 1)));
    crc_table[0][i] = c;
  }
  for (int k = 1; k < 8; k++)
    for (int i = 0; i < 256; i++) crc_table[k][i] = (crc_table[k - 1][i] >> 8) ^ crc_table[0][crc_table[k - 1][i] & 0xff];
}

uint32_t crc32_ieee(const uint8_t *bytes, size_t length) {
  uint32_t crc = 0xffffffff;
  if (crc_table[0][1] == 0) make_crc_table();
  for (; length >= 8; length -= 8, bytes += 8) {
    crc ^= (uint32_t)(bytes[0] | bytes[1] << 8 | bytes[2] << 16) | (uint32_t)bytes[3] << 24;
    crc = crc_table[7][crc & 0xff] ^ crc_table[6][crc >> 8 & 0xff] ^ crc_table[5][crc >> 16 & 0xff] ^ crc_table[4][crc >> 24] ^
          crc_table[3][bytes[4]] ^ crc_table[2][bytes[5]] ^ crc_table[1][bytes[6]] ^ crc_table[0][bytes[7]];
  }
  while (length-- > 0) crc = crc_table[0][(crc ^ *bytes++) & 0xff] ^ (crc >> 8);
  return ~crc;
}

static void put_le(uint8_t *at, uint64_t value, int width) {
  for (int i = 0; i < width; i++) at[i] = (uint8_t)(value >> (8 * i));
}

static uint64_t get_le(const uint8_t *at, int width) {
  uint64_t value = 0;
  for (int i = 0; i < width; i++) value |= (uint64_t)at[i] << (8 * i);
  return value;
}

/* ── ring ──────────────────────────────────────────────────────────────────── */

static void ring_put(struct stream *s, const uint8_t *bytes, size_t length) {
  size_t at = (s->head + s->used) % s->size;
  size_t first = length < s->size - at ? length : s->size - at;
  memcpy(s->ring + at, bytes, first);
  memcpy(s->ring, bytes + first, length - first);
  s->used += length;
}

static void ring_peek(const struct stream *s, uint8_t *bytes, size_t length) {
  size_t first = length < s->size - s->head ? length : s->size - s->head;
  memcpy(bytes, s->ring + s->head, first);
  memcpy(bytes + first, s->ring, length - first);
}

static void ring_skip(struct stream *s, size_t length) {
  s->head = (s->head + length) % s->size;
  s->used -= length;
}

/* Drops oldest frames until the largest possible frame fits. Done when a frame is opened, so that its loss row already counts them. */
static void make_room(struct stream *s) {
  uint8_t header[FRAME_HEADER];
  while (s->size - s->used < FRAME_MAX) {
    ring_peek(s, header, sizeof header);
    stream_loss(s, LOSS_ring, get_le(header + 14, 2), "rows: the reader stalled");
    ring_skip(s, FRAME_HEADER + get_le(header + 4, 4));
  }
}

/* ── frames ────────────────────────────────────────────────────────────────── */

int stream_init(struct stream *s, size_t ring_bytes, int fd) {
  memset(s, 0, sizeof *s);
  s->fd = fd;
  s->size = ring_bytes < 4 * FRAME_MAX ? 4 * FRAME_MAX : ring_bytes;
  s->ring = reserve(s->size);
  return s->ring == NULL ? -ENOMEM : 0;
}

void stream_loss(struct stream *s, enum loss_place place, uint64_t count, const char *detail) {
  struct loss *loss = &s->loss[place];
  loss->count += count;
  loss->dirty = true;
  snprintf(loss->detail, sizeof loss->detail, "%s", detail);
  text_clean(loss->detail, strlen(loss->detail));
}

static void say_losses(struct stream *s, uint64_t ts_ns) {
#define X(name) #name,
  static const char *const words[] = {LOSS_PLACES_LIST(X)};
#undef X
  for (int i = 0; i < LOSS_PLACES; i++) {
    if (!s->loss[i].dirty) continue;
    s->loss[i].dirty = false;
    struct row row;
    row_begin(&row, s, KIND_LOSS, ts_ns);
    row_text(&row, words[i]);
    row_u(&row, s->loss[i].count);
    row_text(&row, s->loss[i].detail);
    row_end(&row);
  }
}

void stream_open(struct stream *s, uint64_t ts_ns) {
  if (s->open_length != 0) return;
  make_room(s);
  memset(s->open, 0, FRAME_HEADER);
  memcpy(s->open, "OOMS", 4);
  s->open[12] = FORMAT_VERSION;
  s->open[13] = s->next_flags;
  s->open_length = FRAME_HEADER;
  s->open_rows = 0;
  s->is_urgent = false;
  s->open_ts_ns = ts_ns;
  s->close_at_ns = now_ns() + FRAME_AGE_NS;
  /* the hello row is the first of its frame, so losses wait */
  if ((s->next_flags & FLAG_HELLO) == 0) say_losses(s, ts_ns);
  s->next_flags = 0;
}

void stream_close(struct stream *s) {
  if (s->open_length == 0) return;
  put_le(s->open + 4, s->open_length - FRAME_HEADER, 4);
  put_le(s->open + 14, s->open_rows, 2);
  put_le(s->open + 16, s->open_ts_ns, 8);
  put_le(s->open + 8, crc32_ieee(s->open + 12, s->open_length - 12), 4);
  ring_put(s, s->open, s->open_length);
  s->bytes += s->open_length;
  s->open_length = 0;
  stream_pump(s);
}

void stream_begin(struct stream *s, uint8_t flags) {
  stream_close(s);
  s->next_flags = flags;
}

void stream_tick(struct stream *s, uint64_t now) {
  if (s->open_length != 0 && now >= s->close_at_ns) stream_close(s);
}

/* ── writing ───────────────────────────────────────────────────────────────── */

void stream_pump(struct stream *s) {
  while (s->fd >= 0 && !s->reader_gone && s->error == 0) {
    if (s->sent == s->sending_length) {
      if (s->used == 0) return;
      uint8_t header[FRAME_HEADER];
      ring_peek(s, header, sizeof header);
      s->sending_length = FRAME_HEADER + get_le(header + 4, 4);
      s->sent = 0;
      ring_peek(s, s->sending, s->sending_length);
      ring_skip(s, s->sending_length);
    }
    ssize_t n = write(s->fd, s->sending + s->sent, s->sending_length - s->sent);
    if (n > 0) s->sent += (size_t)n;
    else if (n < 0 && errno == EPIPE) s->reader_gone = true;
    else if (n < 0 && errno == EAGAIN) return;
    else if (n < 0 && errno != EINTR) s->error = errno;
  }
}

bool stream_is_flushed(const struct stream *s) { return s->open_length == 0 && s->used == 0 && s->sent == s->sending_length; }
