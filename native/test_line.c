/* test_line.c: bpftrace's lines are read exactly, and no text in them can forge, crash or stop anything. */
#include "json.h"
#include "line.h"
#include "test.h"

static struct {
  int rows, ready, facts, counters, histograms, map_failed, bad;
  uint64_t printed, lost, key, value, buckets[HIST_BUCKETS];
  int which;
  struct fact fact;
  char text[LINE_STRING_MAX];     /* the fact's comm */
  size_t text_length;
  char why[64];
} heard;

static void on_row(void *c) { (void)c; heard.rows++; }
static void on_printed(void *c, uint64_t rows) { (void)c; heard.printed = rows; }
static void on_ready(void *c, uint64_t ts) { (void)c; heard.ready++; heard.value = ts; }
static void on_fact(void *c, const struct fact *fact) {
  (void)c;
  heard.facts++;
  heard.fact = *fact;
  const char *bytes = fact_text(fact, "comm", &heard.text_length);
  memcpy(heard.text, bytes, heard.text_length);
}
static void on_counter(void *c, int counter, uint64_t key, uint64_t value) { (void)c; heard.counters++; heard.which = counter; heard.key = key; heard.value = value; }
static void on_histogram(void *c, int histogram, uint64_t key, const uint64_t *buckets) {
  (void)c;
  heard.histograms++;
  heard.which = histogram;
  heard.key = key;
  memcpy(heard.buckets, buckets, sizeof heard.buckets);
}
static void on_lost(void *c, uint64_t count) { (void)c; heard.lost += count; }
static void on_map_failed(void *c) { (void)c; heard.map_failed++; }
static void on_bad(void *c, const char *why, const char *line, size_t length) { (void)c; (void)line; (void)length; heard.bad++; snprintf(heard.why, sizeof heard.why, "%s", why); }

static struct line_dialect dialect;
static const struct line_sink sink = {NULL, &dialect, on_row, on_ready, on_fact, on_counter, on_histogram, on_printed, on_lost, on_map_failed, on_bad};

/* The line in memory of exactly its size, so that reading one byte too far is seen by the sanitizer. */
static void hear_bytes(const char *line, size_t length) {
  char *copy = malloc(length == 0 ? 1 : length);
  memset(&heard, 0, sizeof heard);
  memcpy(copy, line, length);
  line_read(&sink, copy, length);
  free(copy);
}

static void hear(const char *line) { hear_bytes(line, strlen(line)); }

#define REAP(rest) "{\"type\": \"value\", \"data\": [39,1000" rest "]}"
#define KILL(comm) "{\"type\": \"value\", \"data\": [35,507,1,2,\"" comm "\",3,-1000,4,5]}"

static void a_row_is_read_exactly(void) {
  hear("{\"type\": \"value\", \"data\": [33,18446744073709551615,1,2,\"stress\",3,-17,-9223372036854775808,4,5,18446744073709551615]}");
  CHECK_EQUAL(heard.facts, 1);
  CHECK_EQUAL(heard.fact.ts_ns, UINT64_MAX);
  CHECK_EQUAL(heard.fact.kind->number, KIND_OOM_CANDIDATE);
  CHECK_EQUAL(fact_u(&heard.fact, "pgtablesBytes"), UINT64_MAX);
  CHECK_EQUAL(fact_u(&heard.fact, "pointsPages"), (uint64_t)INT64_MIN);
  CHECK_EQUAL(fact_u(&heard.fact, "oomScoreAdj"), (uint64_t)-17);
  CHECK(heard.text_length == 6 && memcmp(heard.text, "stress", 6) == 0);
  hear("{\"data\":[39,1,2,3],\"unknown\":{\"a\":[1,{\"b\":null}]},\"type\":\"value\"}\r");
  CHECK_EQUAL(heard.facts, 1);
  hear("{\"type\": \"value\", \"data\": [0,123]}");
  CHECK(heard.ready == 1 && heard.value == 123);
}

static void numbers_that_do_not_fit_are_refused(void) {
  static const char *const refused[] = {
    REAP(",18446744073709551616,1"), REAP(",99999999999999999999999999999,1"), REAP(",-1,1"), REAP(",1.0,1"), REAP(",1e3,1"), REAP(",--1,1"), REAP(",0x1,1"),
    REAP(",,1"), REAP(",1"), REAP(",1,2,3"), REAP(",1,\"2\""), REAP(",1,null"), REAP(",1,[2]"), REAP(",1,2,"),
    "{\"type\": \"value\", \"data\": [35,507,1,2,\"x\",3,9223372036854775808,4,5]}", "{\"type\": \"value\", \"data\": [35,507,1,2,\"x\",3,-9223372036854775809,4,5]}",
    "{\"type\": \"value\", \"data\": [36,-1,1,2]}", "{\"type\": \"value\", \"data\": [32,1,1,2,3,4,5,6,7,8,2]}",
  };
  for (size_t i = 0; i < sizeof refused / sizeof refused[0]; i++) {
    hear(refused[i]);
    CHECK_EQUAL(heard.bad, 1);
    CHECK_EQUAL(heard.facts, 0);
  }
}

static void booleans_are_words_or_digits(void) {
  static const char *const lines[] = {"1", "true", "0", "false"};
  char line[128];
  for (int i = 0; i < 4; i++) {
    snprintf(line, sizeof line, "{\"type\": \"value\", \"data\": [32,1,1,2,3,4,5,6,7,8,%s]}", lines[i]);
    hear(line);
    CHECK_EQUAL(heard.facts, 1);
    CHECK_EQUAL(fact_u(&heard.fact, "oomGroup"), i < 2);
  }
}

static void absent_fields_may_be_left_out_or_empty(void) {
  hear("{\"type\": \"value\", \"data\": [38,1,5,6]}");
  CHECK_EQUAL(heard.facts, 1);
  CHECK(heard.fact.value[2].type == 'n' && heard.fact.value[11].type == 'n');
  hear("{\"type\": \"value\", \"data\": [38,1,5,6,\"\",\"hog\",\"\",-5,\"\"]}");
  CHECK_EQUAL(heard.facts, 1);
  CHECK(heard.fact.value[2].type == 'n' && heard.fact.value[3].type == 's' && heard.fact.value[4].type == 'n' && heard.fact.value[6].type == 'n');
  CHECK_EQUAL(fact_u(&heard.fact, "oomScoreAdj"), (uint64_t)-5);
}

static void only_kinds_of_probes_are_taken(void) {
  static const char *const refused[] = {"[1,5,1]", "[8,5,\"bridge\",\"x\"]", "[60,1,2,3,4,\"x\"]", "[99,1]", "[200,1]", "[18446744073709551615,1]", "[]", "[31]", "{}", "5", "\"x\"", "[5.0,1]"};
  char line[128];
  for (size_t i = 0; i < sizeof refused / sizeof refused[0]; i++) {
    snprintf(line, sizeof line, "{\"type\":\"value\",\"data\":%s}", refused[i]);
    hear(line);
    CHECK(heard.bad == 1 && heard.facts == 0 && heard.ready == 0);
  }
}

static void names_cannot_forge_rows(void) {
  static const struct {
    const char *line, *comm;
    size_t length;
  } cases[] = {
    {KILL("a\\nb"), "a\nb", 3},
    {KILL("\\\"]}\\n{\\\"type\\\": \\\"value\\\", \\\"data\\\": [0,1]}"), "\"]}\n{\"type\": \"value\", \"data\": [0,1]}", 36},
    {KILL("a\\\\"), "a\\", 2},
    {KILL("\\\\uffffffc3"), "\\uffffffc3", 10},
    {KILL("\\uffffffc3\\uffffffa9"), "\xc3\xa9", 2},
    {KILL("\\uffffff80\\uffffffff"), "\x80\xff", 2},
    {KILL("\xff\xfe"), "\xff\xfe", 2},
    {KILL("\\u0001\\u001b[31m"), "\x01\x1b[31m", 6},
    {KILL("\\u0000x"), "\0x", 2},
    {KILL("\\u00e9\\u20ac"), "\xc3\xa9\xe2\x82\xac", 5},
    {KILL("\\ud83d\\ude00"), "\xf0\x9f\x98\x80", 4},
    {KILL("\\ud83dx"), "\xef\xbf\xbdx", 4},
    {KILL("\\uffff41"), "\xef\xbf\xbf" "41", 5},
    {KILL(""), "", 0},
    {KILL("]],[0,1]"), "]],[0,1]", 8},
  };
  for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
    hear(cases[i].line);
    CHECK_EQUAL(heard.facts, 1);
    CHECK_EQUAL(heard.ready, 0);
    CHECK_EQUAL(heard.text_length, cases[i].length);
    CHECK(memcmp(heard.text, cases[i].comm, cases[i].length) == 0);
  }
  static const char *const broken[] = {KILL("\\x"), KILL("\\u12"), KILL("\\uzzzz"), KILL("\\"), KILL("a\"b")};
  for (size_t i = 0; i < sizeof broken / sizeof broken[0]; i++) {
    hear(broken[i]);
    CHECK(heard.bad == 1 && heard.facts == 0);
  }
}

static void long_strings_are_refused(void) {
  static char line[LINE_STRING_MAX * 2];
  for (int over = 0; over < 2; over++) {
    int at = snprintf(line, sizeof line, "{\"type\": \"value\", \"data\": [35,507,1,2,\"");
    memset(line + at, 'a', LINE_STRING_MAX + (size_t)over);
    strcpy(line + at + LINE_STRING_MAX + over, "\",3,-1000,4,5]}");
    hear(line);
    CHECK_EQUAL(heard.facts, !over);
    CHECK_EQUAL(heard.bad, over);
  }
}

static void every_truncation_is_survived(void) {
  static const char *const lines[] = {
    KILL("a\\uffffffc3\\\\\\n"), "{\"type\": \"map\", \"data\": {\"@over_high_count\": {\"2\": 1, \"3\": 4}}}",
    "{\"type\": \"hist\", \"data\": {\"@over_high_hist\": {\"66\": [{\"min\":4,\"max\":7,\"count\":1},{\"max\":-1,\"count\":2}]}}}",
    "{\"type\": \"lost_events\", \"data\": {\"events\": 5}}", "{\"type\": \"helper_error\", \"msg\": \"Map full\", \"helper\": \"map_update_elem\", \"retcode\": -7}",
  };
  for (size_t i = 0; i < sizeof lines / sizeof lines[0]; i++)
    for (size_t length = 1; length < strlen(lines[i]); length++) {
      hear_bytes(lines[i], length);
      CHECK_EQUAL(heard.bad, 1);
      CHECK_EQUAL(heard.facts + heard.ready + heard.counters + heard.histograms + (int)heard.lost + heard.map_failed, 0);
    }
}

static void maps_are_counters_by_name(void) {
  hear("{\"type\": \"map\", \"data\": {\"@memcg_reclaim_target_count\": {\"18446744073709551615\": 7}}}");
  CHECK(heard.counters == 1 && heard.which == COUNTER_memcg_reclaim_target_count && heard.key == UINT64_MAX && heard.value == 7);
  hear("{\"type\": \"map\", \"data\": {\"@kswapd_wake_count\": {\"0\": 1, \"1\": 2}}}");
  CHECK(heard.counters == 2 && heard.which == COUNTER_kswapd_wake_count && heard.key == 1);
  hear("{\"type\": \"map\", \"data\": {\"@kswapd_wake_count\": 3}}");
  CHECK(heard.counters == 1 && heard.key == 0 && heard.value == 3);
  hear("{\"type\": \"map\", \"data\": {\"@scratch\": {\"1,a\": [1,2], \"b\": \"x\"}}}");
  CHECK(heard.counters == 0 && heard.bad == 0);
  hear("{\"type\": \"map\", \"data\": {}}");
  CHECK(heard.counters == 0 && heard.bad == 0);
  static const char *const broken[] = {"{\"a\": 1}", "{\"1,2\": 1}", "{\"1\": -1}", "{\"1\": \"x\"}", "{\"\": 1}", "{\"1 \": 1}", "[1]"};
  for (size_t i = 0; i < sizeof broken / sizeof broken[0]; i++) {
    char line[128];
    snprintf(line, sizeof line, "{\"type\": \"map\", \"data\": {\"@over_high_ns\": %s}}", broken[i]);
    hear(line);
    CHECK(heard.bad == 1 && heard.counters == 0);
  }
}

static void hists_are_buckets_of_powers_of_two(void) {
  hear("{\"type\": \"hist\", \"data\": {\"@compaction_hist\": {\"66\": [{\"max\": -1, \"count\": 9}, {\"min\": 0, \"max\": 0, \"count\": 1},"
       " {\"min\": 1, \"max\": 1, \"count\": 2}, {\"min\": 4, \"max\": 7, \"count\": 3}, {\"min\": 9223372036854775808, \"count\": 4}]}}}");
  CHECK(heard.histograms == 1 && heard.which == HISTOGRAM_compaction_hist && heard.key == 66);
  CHECK_EQUAL(heard.buckets[0], 3);
  CHECK_EQUAL(heard.buckets[1], 0);
  CHECK_EQUAL(heard.buckets[2], 3);
  CHECK_EQUAL(heard.buckets[63], 4);
  hear("{\"type\": \"hist\", \"data\": {\"@compaction_hist\": [{\"min\": 2, \"max\": 3, \"count\": 5}]}}");
  CHECK(heard.histograms == 1 && heard.key == 0 && heard.buckets[1] == 5);
}

static void buckets_are_read_in_the_base_that_bpftrace_prints(void) {
  hear("{\"type\": \"value\", \"data\": [0,1,\"\\u001f\"]}");
  CHECK_EQUAL(heard.ready, 1);
  hear("{\"type\": \"hist\", \"data\": {\"@line_base\": [{\"min\": 1, \"max\": 1, \"count\": 10}]}}");
  CHECK_EQUAL(heard.bad + heard.histograms, 0);
  hear("{\"type\": \"hist\", \"data\": {\"@over_high_hist\": {\"30\": [{\"min\": 32, \"max\": 63, \"count\": 1e},{\"min\": 64, \"max\": 127, \"count\": 10}]}}}");
  CHECK(heard.histograms == 1 && heard.key == 30 && heard.buckets[5] == 30 && heard.buckets[6] == 16 && heard.bad == 0);
  hear("{\"type\": \"hist\", \"data\": {\"@over_high_hist\": {\"30\": [{\"min\": 32, \"max\": 63, \"count\": x}]}}}");
  CHECK_EQUAL(heard.bad, 1);
  hear("{\"type\": \"hist\", \"data\": {\"@line_base\": [{\"min\": 1, \"max\": 1, \"count\": 16}]}}");
  hear("{\"type\": \"hist\", \"data\": {\"@over_high_hist\": {\"30\": [{\"min\": 32, \"max\": 63, \"count\": 10}]}}}");
  CHECK(heard.histograms == 1 && heard.buckets[5] == 10);
}

static void losses_are_heard(void) {
  hear("{\"type\": \"lost_events\", \"data\": {\"events\": 5}}");
  CHECK_EQUAL(heard.lost, 5);
  hear("{\"type\": \"lost_events\", \"data\": {\"count\": 7, \"events\": 7}}");
  CHECK_EQUAL(heard.lost, 7);
  hear("{\"type\":\"helper_error\",\"helper\":\"map_delete_elem\",\"retcode\":-2}");
  CHECK_EQUAL(heard.map_failed + heard.bad, 0);
  hear("{\"type\":\"helper_error\",\"msg\":\"x\",\"helper\":\"map_update_elem\"}");
  CHECK_EQUAL(heard.map_failed, 1);
  hear("{\"type\": \"attached_probes\", \"data\": {\"probes\": 3}, \"count\": 3}");
  CHECK_EQUAL(heard.bad, 0);
  hear("  \r");
  CHECK_EQUAL(heard.bad, 0);
  hear("WARNING: Map full");
  CHECK_EQUAL(heard.bad, 1);
  hear("{\"type\": \"printf\", \"data\": \"kill\\n\"}");
  CHECK_EQUAL(heard.bad, 1);
  hear(KILL("x") KILL("y"));
  CHECK(heard.bad == 1 && heard.facts == 0);
  hear("{\"type\": \"value\", \"data\": [39,1,2,3], \"data\": [39,1,2,4]}");
  CHECK_EQUAL(heard.bad, 1);
  hear("{\"type\": \"value\", \"data\": [0,1] }");
  CHECK_EQUAL(heard.ready, 1);
}

static void deep_nesting_is_refused(void) {
  static char line[100000];
  int at = snprintf(line, sizeof line, "{\"type\":\"value\",\"x\":");
  memset(line + at, '[', 90000);
  hear(line);
  CHECK_EQUAL(heard.bad, 1);
}

/* The stream cut at every size of piece gives the same lines; a line that is too long costs only itself. */
static void lines_survive_any_cut(void) {
  static const char text[] = REAP(",1,2") "\n\n" REAP(",3,4") "\nnoise\n" REAP(",5,6") "\n";
  struct line_cutter c = {.bytes = malloc(256), .capacity = 256};
  for (size_t piece = 1; piece <= sizeof text; piece++) {
    memset(&heard, 0, sizeof heard);
    c.lines = 0;
    for (size_t at = 0; at < sizeof text - 1;) {
      char *to;
      size_t room = line_room(&c, &to), n = sizeof text - 1 - at < piece ? sizeof text - 1 - at : piece;
      if (n > room) n = room;
      memcpy(to, text + at, n);
      at += n;
      line_cut(&c, &sink, n);
    }
    CHECK(heard.facts == 3 && heard.bad == 1 && c.lines == 5 && c.length == 0);
  }
  memset(&heard, 0, sizeof heard);
  for (int i = 0; i < 1000; i++) {
    char *to;
    CHECK(line_room(&c, &to) > 0);
    *to = 'x';
    line_cut(&c, &sink, 1);
  }
  CHECK_EQUAL(heard.bad, 1);
  for (const char *p = "rest\n" REAP(",1,2") "\n"; *p != '\0'; p++) {
    char *to;
    line_room(&c, &to);
    *to = *p;
    line_cut(&c, &sink, 1);
  }
  CHECK(heard.bad == 1 && heard.facts == 1);
  free(c.bytes);
}

static uint64_t random_state = 0x6f6f6d73636f7065ull;

static uint32_t random_below(uint32_t limit) {
  random_state ^= random_state << 13;
  random_state ^= random_state >> 7;
  random_state ^= random_state << 17;
  return (uint32_t)((random_state >> 32) % limit);
}

/* 200,000 damaged lines: each is a row, a map, or counted as bad; nothing else and never undefined behaviour. */
static void damage_is_counted(void) {
  static const char *const seeds[] = {
    KILL("a\\uffffffc3\\n"), REAP(",1,2"), "{\"type\": \"value\", \"data\": [38,1,5,6,\"\",\"hog\",\"\",-5]}",
    "{\"type\": \"map\", \"data\": {\"@over_high_count\": {\"2\": 1}}}", "{\"type\": \"lost_events\", \"data\": {\"events\": 5}}",
    "{\"type\": \"hist\", \"data\": {\"@over_high_hist\": {\"66\": [{\"min\":4,\"max\":7,\"count\":1}]}}}", "{\"type\": \"value\", \"data\": [0,5]}",
  };
  static const char alphabet[] = "{}[]\",:\\u-0189.eEtfn @\xff\n\x01";
  char line[512];
  int good = 0, bad = 0;
  for (int i = 0; i < 200000; i++) {
    size_t length = (size_t)snprintf(line, sizeof line, "%s", seeds[random_below(sizeof seeds / sizeof seeds[0])]);
    for (uint32_t edits = 1 + random_below(4); edits > 0; edits--) {
      size_t at = random_below((uint32_t)length);
      uint32_t how = random_below(3);
      if (how == 0) line[at] = alphabet[random_below(sizeof alphabet - 1)];
      if (how == 1 && length > 2) memmove(line + at, line + at + 1, --length - at);
      if (how == 2 && length < sizeof line - 1) {
        memmove(line + at + 1, line + at, length++ - at);
        line[at] = alphabet[random_below(sizeof alphabet - 1)];
      }
    }
    hear_bytes(line, length);
    CHECK(heard.bad <= 1);
    bad += heard.bad;
    good += heard.bad == 0;
  }
  CHECK(good > 1000 && bad > 100000);
}

int main(void) {
  event_init();
  a_row_is_read_exactly();
  numbers_that_do_not_fit_are_refused();
  booleans_are_words_or_digits();
  absent_fields_may_be_left_out_or_empty();
  only_kinds_of_probes_are_taken();
  names_cannot_forge_rows();
  long_strings_are_refused();
  every_truncation_is_survived();
  maps_are_counters_by_name();
  hists_are_buckets_of_powers_of_two();
  buckets_are_read_in_the_base_that_bpftrace_prints();
  losses_are_heard();
  deep_nesting_is_refused();
  lines_survive_any_cut();
  damage_is_counted();
  return test_done("line");
}
