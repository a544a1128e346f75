/* frame.h: the outgoing stream: rows gather in an open frame, whole frames wait in a ring, the ring goes to stdout as it can. */
#ifndef OOMSCOPE_FRAME_H
#define OOMSCOPE_FRAME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define FRAME_HEADER 24
#define FRAME_CLOSE (64 * 1024)   /* payload bytes at which a frame is closed */
#define ROW_MAX (20 * 1024)       /* a kmsg record of 8 KiB with every byte escaped fits */
#define FRAME_MAX (FRAME_HEADER + FRAME_CLOSE + ROW_MAX)
#define FRAME_AGE_NS (50 * 1000000ull)
#define FRAME_URGENT_NS (5 * 1000000ull)
#define FLAG_KEYFRAME 1
#define FLAG_HELLO 2

/* Where facts get lost; the words of the `loss` row. */
#define LOSS_PLACES_LIST(X) X(bpftrace) X(line) X(ring) X(kmsg) X(memcg) X(map) X(process)
enum loss_place {
#define X(name) LOSS_##name,
  LOSS_PLACES_LIST(X)
#undef X
  LOSS_PLACES
};

struct loss {
  uint64_t count;      /* cumulative */
  bool dirty;          /* not yet said on the stream */
  char detail[160];
};

struct stream {
  int fd;                       /* -1: frames stay in the ring (tests) */
  uint8_t *ring;
  size_t size, head, used;      /* bytes; head is the oldest frame's first byte */
  uint8_t open[FRAME_MAX];      /* frame being filled */
  size_t open_length;           /* 0: none is open */
  uint16_t open_rows;
  bool is_urgent;               /* the open frame holds a row of a kill */
  uint64_t open_ts_ns, close_at_ns;
  uint8_t next_flags;           /* flags of the next frame that is opened */
  uint8_t sending[FRAME_MAX];   /* the frame that is being written: it left the ring, so it cannot be dropped half-way */
  size_t sending_length, sent;
  uint64_t rows, bytes;         /* produced, dropped ones included */
  struct loss loss[LOSS_PLACES];
  bool reader_gone;             /* EPIPE */
  int error;                    /* errno of any other failed write */
};

uint32_t crc32_ieee(const uint8_t *bytes, size_t length);

/* Reserves the ring. 0 or -ENOMEM. */
int stream_init(struct stream *s, size_t ring_bytes, int fd);
/* Counts `count` lost facts; the loss row rides at the head of the next frame. */
void stream_loss(struct stream *s, enum loss_place place, uint64_t count, const char *detail);
/* Makes sure that a frame is open with room for one more row. */
void stream_open(struct stream *s, uint64_t ts_ns);
/* Closes the open frame, if any, and hands it to the ring. */
void stream_close(struct stream *s);
/* The next frame carries these flags; the open one is closed. */
void stream_begin(struct stream *s, uint8_t flags);
/* Writes as much as the reader takes. */
void stream_pump(struct stream *s);
/* Closes the open frame when it is old enough. */
void stream_tick(struct stream *s, uint64_t now);
/* True when nothing is waiting to be written. */
bool stream_is_flushed(const struct stream *s);

#endif
