/* kmsg.c: /dev/kmsg records: "priority,seq,us,flags[,…];text\n KEY=value\n…" (Documentation/ABI/testing/dev-kmsg). */
#include "kmsg.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "row.h"
#include "util.h"

#define RECORDS_PER_WAKEUP 4096

void kmsg_init(struct kmsg *k, struct stream *out) {
  k->out = out;
  k->fd = open("/dev/kmsg", O_RDONLY | O_NONBLOCK | O_CLOEXEC);
  if (k->fd < 0 || lseek(k->fd, 0, SEEK_END) < 0) row_notice(out, "bridge", "no kernel log: /dev/kmsg: %s", strerror(errno));
}

/* "6,1234,5678901,-;": false when it is something else */
static bool parse_prefix(const char **at, uint64_t fields[3]) {
  for (int i = 0; i < 3; i++) {
    if (!parse_u64(at, &fields[i]) || **at != ',') return false;
    (*at)++;
  }
  return true;
}

void kmsg_record(struct kmsg *k, const char *record, size_t length) {
  uint64_t field[3];    /* priority, seq, us */
  const char *at = record, *end = record + length;
  const char *text = memchr(record, ';', length);
  if (text == NULL || !parse_prefix(&at, field)) {
    stream_loss(k->out, LOSS_kmsg, 1, "malformed record");
    return;
  }
  text++;
  /* overwritten before they were read; sequence numbers count user space's lines too */
  if (k->next_seq != 0 && field[1] > k->next_seq) stream_loss(k->out, LOSS_kmsg, field[1] - k->next_seq, "overwritten before they were read");
  k->next_seq = field[1] + 1;
  /* LOG_FACMASK: devkmsg_write() turns facility 0 of user space into LOG_USER, so facility 0 is the kernel */
  if (field[0] >> 3 != 0) return;
  const char *newline = memchr(text, '\n', (size_t)(end - text));
  size_t text_length = (size_t)((newline == NULL ? end : newline) - text);
  struct row row;
  row_begin(&row, k->out, KIND_KMSG, now_ns());
  row_u(&row, field[1]);
  row_u(&row, field[0] & 7);
  row_u(&row, field[2]);
  row_bytes(&row, text, text_length);
  row_end(&row);
  if (k->line != NULL) k->line(k->context, text, text_length);
}

void kmsg_drain(struct kmsg *k) {
  static char record[16384];
  for (int i = 0; k->fd >= 0 && i < RECORDS_PER_WAKEUP; i++) {
    ssize_t n = read(k->fd, record, sizeof record - 1);
    if (n < 0 && errno == EPIPE) continue;    /* overwritten: the gap in seq says how many */
    if (n <= 0) return;
    record[n] = '\0';
    kmsg_record(k, record, (size_t)n);
  }
}
