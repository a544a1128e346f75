/* test_frame.c: rows are held to the dictionary, frames to their checksum, and every dropped row is counted. */
#include <signal.h>
#include <fcntl.h>
#include <unistd.h>

#include "test.h"
#include "util.h"

static struct stream stream;

static void fresh(size_t ring_bytes, int fd) {
  CHECK_EQUAL(stream_init(&stream, ring_bytes, fd), 0);
}

static void reap_row(uint64_t tid) {
  struct row row;
  row_begin(&row, &stream, KIND_OOM_REAP, 5);
  row_u(&row, tid);
  row_u(&row, 1);
  row_end(&row);
}

static void checksums_are_zlibs(void) {
  CHECK_EQUAL(crc32_ieee((const uint8_t *)"", 0), 0);
  CHECK_EQUAL(crc32_ieee((const uint8_t *)"123456789", 9), 0xcbf43926);
  CHECK_EQUAL(crc32_ieee((const uint8_t *)"a", 1), 0xe8b7be43);
  CHECK_EQUAL(crc32_ieee((const uint8_t *)"The quick brown fox jumps over the lazy dog", 43), 0x414fa339);
  static const uint8_t zeros[32];
  CHECK_EQUAL(crc32_ieee(zeros, 32), 0x190a55ad);
}

/* Examples of the msgpack specification's type table, at each border. */
static void numbers_take_their_shortest_form(void) {
  static const struct {
    int64_t value;
    int length;
    uint8_t bytes[9];
  } cases[] = {
    {0, 1, {0}}, {127, 1, {0x7f}}, {128, 2, {0xcc, 0x80}}, {255, 2, {0xcc, 0xff}}, {256, 3, {0xcd, 1, 0}}, {65536, 5, {0xce, 0, 1, 0, 0}},
    {0x100000000, 9, {0xcf, 0, 0, 0, 1, 0, 0, 0, 0}}, {-1, 1, {0xff}}, {-32, 1, {0xe0}}, {-33, 2, {0xd0, 0xdf}}, {-128, 2, {0xd0, 0x80}},
    {-129, 3, {0xd1, 0xff, 0x7f}}, {-32769, 5, {0xd2, 0xff, 0xff, 0x7f, 0xff}}, {INT64_MIN, 9, {0xd3, 0x80, 0, 0, 0, 0, 0, 0, 0}},
  };
  for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
    uint8_t bytes[16];
    struct pack p = {.at = bytes, .end = bytes + sizeof bytes};
    pack_i64(&p, cases[i].value);
    CHECK_EQUAL(p.at - bytes, cases[i].length);
    CHECK(memcmp(bytes, cases[i].bytes, (size_t)cases[i].length) == 0);
  }
}

static void nothing_is_written_beyond_the_end(void) {
  char text[300];
  memset(text, 'x', sizeof text);
  for (size_t capacity = 0; capacity < 310; capacity++) {
    uint8_t *bytes = malloc(capacity + 1);
    bytes[capacity] = 0xa5;
    struct pack p = {.at = bytes, .end = bytes + capacity};
    pack_array(&p, 2);
    pack_str(&p, text, sizeof text);
    pack_u64(&p, 1);
    CHECK(bytes[capacity] == 0xa5);
    CHECK_EQUAL(p.full, capacity < 1 + 3 + 300 + 1);
    free(bytes);
  }
}

static void rows_are_what_was_written(void) {
  struct row row;
  fresh(0, -1);
  row_begin(&row, &stream, KIND_MARK_VICTIM, 77);
  for (int i = 0; i < 2; i++) row_u(&row, UINT32_MAX);
  row_nil(&row);
  row_text(&row, "a long comm that is no comm: more than thirty-one bytes");
  row_u(&row, ABSENT);
  row_i(&row, -1000);
  for (int i = 0; i < 6; i++) row_nil(&row);
  row_end(&row);
  test_take(&stream);
  const struct test_row *r = test_find(KIND_MARK_VICTIM, 0);
  CHECK(r != NULL && r->ts_ns == 77 && r->fields == 12);
  CHECK(r->field[0].u == UINT32_MAX && r->field[2].type == 'n' && r->field[4].type == 'n' && r->field[5].u == (uint64_t)-1000);
  CHECK(test_is_text(&r->field[3], "a long comm that is no comm: more than thirty-one bytes"));
  CHECK_EQUAL(stream.rows, 1);
}

/* A row that the dictionary does not know is never sent: too few, too many, wrong type, nil where nothing may be absent, too long. */
static void wrong_rows_are_counted_not_sent(void) {
  static char huge[ROW_MAX];
  memset(huge, 'x', sizeof huge);
  for (int how = 0; how < 5; how++) {
    struct row row;
    fresh(0, -1);
    row_begin(&row, &stream, KIND_NOTICE, 1);
    if (how == 1) row_u(&row, 5);
    else if (how == 2) row_nil(&row);
    else row_text(&row, "bridge");
    if (how != 0) row_bytes(&row, huge, how == 4 ? sizeof huge : 4);
    if (how == 3) row_text(&row, "more");
    row_end(&row);
    CHECK_EQUAL(stream.rows, 0);
    CHECK_EQUAL(stream.loss[LOSS_line].count, 1);
    stream_close(&stream);
    reap_row(1);
    test_take(&stream);
    CHECK_EQUAL(test_read.rows, 2);
    CHECK(test_find(KIND_LOSS, 0) != NULL && test_find(KIND_OOM_REAP, 0) != NULL);
  }
}

/* A reader that takes nothing: what is left and what was dropped add up to what was made, and the last loss row says so. */
static void dropped_rows_add_up(void) {
  enum { CAUSED = 60000 };
  fresh(0, -1);
  stream_begin(&stream, FLAG_KEYFRAME | FLAG_HELLO);
  for (uint64_t i = 0; i < CAUSED; i++) {
    reap_row(i);
    if (i % 7 == 0) stream_close(&stream);
  }
  stream_close(&stream);
  reap_row(CAUSED);
  uint64_t made = stream.rows, dropped = stream.loss[LOSS_ring].count;
  CHECK(dropped > 0 && stream.used <= stream.size);
  test_take(&stream);
  CHECK_EQUAL((uint64_t)test_read.rows + dropped, made);
  /* the oldest went first, and none in between */
  int reaps = test_count(KIND_OOM_REAP);
  for (int i = 0; i < reaps; i += 97) CHECK_EQUAL(test_find(KIND_OOM_REAP, i)->field[0].u, (uint64_t)(CAUSED + 1 - reaps + i));
  int losses = test_count(KIND_LOSS);
  CHECK(losses > 0);
  const struct test_row *last = test_find(KIND_LOSS, losses - 1);
  CHECK(test_is_text(&last->field[0], "ring"));
  CHECK_EQUAL(last->field[1].u, dropped);
}

/* A full pipe: the first frame, half written, stays whole and first, whatever is dropped behind it. */
static void a_frame_is_never_torn(void) {
  int fds[2];
  static uint8_t bytes[16 << 20];
  CHECK(pipe2(fds, O_NONBLOCK) == 0);
  fcntl(fds[1], F_SETPIPE_SZ, 4096);
  fresh(0, fds[1]);
  stream_begin(&stream, FLAG_KEYFRAME | FLAG_HELLO);
  for (uint64_t i = 0; i < 100000; i++) reap_row(i);
  CHECK(stream.loss[LOSS_ring].count > 0 && stream.sent < stream.sending_length);
  stream_close(&stream);
  size_t length = 0;
  while (!stream_is_flushed(&stream)) {
    ssize_t n = read(fds[0], bytes + length, sizeof bytes - length);
    if (n > 0) length += (size_t)n;
    stream_pump(&stream);
  }
  for (ssize_t n; (n = read(fds[0], bytes + length, sizeof bytes - length)) > 0;) length += (size_t)n;
  struct stream copy = {.ring = bytes, .size = sizeof bytes, .used = length, .fd = -1};
  stream = copy;
  test_take(&stream);
  CHECK_EQUAL(test_read.flags[0], FLAG_KEYFRAME | FLAG_HELLO);
  CHECK(test_read.row[0].kind == KIND_OOM_REAP && test_read.row[0].field[0].u == 0);
  close(fds[0]);
  close(fds[1]);
}

static void a_gone_reader_is_noticed(void) {
  int fds[2];
  CHECK(pipe2(fds, O_NONBLOCK) == 0);
  fresh(0, fds[1]);
  close(fds[0]);
  reap_row(1);
  stream_close(&stream);
  CHECK(stream.reader_gone && stream.error == 0);
  close(fds[1]);
}

static void rows_of_a_kill_leave_soon(void) {
  fresh(0, -1);
  row_notice(&stream, "bridge", "calm");
  uint64_t calm = stream.close_at_ns;
  reap_row(1);
  CHECK(stream.close_at_ns < calm && stream.close_at_ns <= now_ns() + FRAME_URGENT_NS);
  stream_tick(&stream, stream.close_at_ns - 1);
  CHECK(stream.open_length != 0);
  stream_tick(&stream, stream.close_at_ns);
  CHECK(stream.open_length == 0 && stream.used > 0);
}

static void notices_are_clean(void) {
  fresh(0, -1);
  row_notice(&stream, "bpftrace", "%s", "a\x1b[2J\nb\x7f");
  test_take(&stream);
  CHECK(test_is_text(&test_find(KIND_NOTICE, 0)->field[1], "a [2J b "));
}

int main(void) {
  event_init();
  signal(SIGPIPE, SIG_IGN);
  checksums_are_zlibs();
  numbers_take_their_shortest_form();
  nothing_is_written_beyond_the_end();
  rows_are_what_was_written();
  wrong_rows_are_counted_not_sent();
  dropped_rows_add_up();
  a_frame_is_never_torn();
  a_gone_reader_is_noticed();
  rows_of_a_kill_leave_soon();
  notices_are_clean();
  return test_done("frame");
}
