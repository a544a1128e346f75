/* line.c: reads bpftrace's JSON lines and tells a sink what each one says; trusts nothing in them. */
#include "line.h"

#include <string.h>

#include "json.h"

/* What a probe's strings are decoded into; one line is read at a time. */
static char scratch[4 * LINE_STRING_MAX];

/* ── rows: {"type":"value","data":[kind, tsNs, …]} ─────────────────────────── */

static bool read_integer(struct json *j, struct value *v) {
  struct json_number number;
  if (!json_number(j, &number) || !number.integer) return false;
  v->type = number.negative && number.magnitude != 0 ? 'i' : 'u';
  v->u = number.negative ? 0 - number.magnitude : number.magnitude;
  return true;
}

static bool read_value(struct json *j, struct value *v, size_t *scratch_used) {
  *v = (struct value){.type = 'n'};
  /* most values are digits behind a comma */
  if (j->at < j->end && *j->at >= '0' && *j->at <= '9') return read_integer(j, v);
  if (json_sees(j, '"')) {
    size_t room = sizeof scratch - *scratch_used;
    v->type = 's';
    v->bytes = scratch + *scratch_used;
    if (!json_string(j, scratch + *scratch_used, room < LINE_STRING_MAX ? room : LINE_STRING_MAX, &v->length)) return false;
    *scratch_used += v->length;
    return true;
  }
  if (json_word(j, "null")) return true;
  bool is_true = json_word(j, "true");
  if (is_true || json_word(j, "false")) {
    v->type = 'b';
    v->u = is_true;
    return true;
  }
  return read_integer(j, v);
}

/* Holds a value to the dictionary. Probes cannot print nil: an empty string in an optional field means absent. */
static bool fits(const struct kind *kind, int i, struct value *v) {
  if (v->type == 's' && v->length == 0 && kind->optional[i]) v->type = 'n';
  if (v->type == 'n') return kind->optional[i];
  switch (kind->type[i]) {
    case 'u': return v->type == 'u' || v->type == 'b';
    case 'i': return v->type == 'i' || (v->type == 'u' && v->u <= INT64_MAX);
    case 'b': return v->type == 'b' || (v->type == 'u' && v->u <= 1);
    case 's': return v->type == 's';
    default: return false;
  }
}

/* Only these can come from a probe; the rest is the bridge's own word. */
static bool is_probe_kind(uint64_t number) {
  return number == KIND_MEMCG_BIRTH || number == KIND_MEMCG_DEATH || (number >= KIND_OOM_MEMCG_ENTER && number <= KIND_STALL);
}

/* Fields behind kind and tsNs; those missing at the end must be optional. NULL, or why the row is refused. */
static const char *read_fields(struct json *j, struct fact *fact, bool more) {
  const struct kind *kind = fact->kind;
  size_t used = 0;
  for (int i = 0; i < kind->count; i++) {
    if (!more) {
      fact->value[i] = (struct value){.type = 'n'};
      if (!kind->optional[i]) return "too few fields";
      continue;
    }
    if (!read_value(j, &fact->value[i], &used)) return "malformed value";
    if (!fits(kind, i, &fact->value[i])) return "a field has another type";
    if (!json_more(j, ']', &more)) return "malformed row";
  }
  return more ? "too many fields" : NULL;
}

static const char *read_row(const struct line_sink *sink, struct json *j) {
  struct fact fact;
  struct json_number kind, ts;
  bool more = false;
  sink->row(sink->context);
  if (!json_take(j, '[') || !json_number(j, &kind) || !kind.integer || kind.negative || !json_take(j, ',')) return "row without a kind";
  if (!json_number(j, &ts) || !ts.integer || ts.negative || !json_more(j, ']', &more)) return "row without a time";
  if (kind.magnitude == 0) {
    struct value escaped;      /* of no meaning: see struct line_dialect */
    size_t used = 0;
    if (more && (!read_value(j, &escaped, &used) || !json_more(j, ']', &more))) return "malformed ready marker";
    if (more || !json_is_over(j)) return "malformed ready marker";
    sink->dialect->hex_buckets = false;
    sink->ready(sink->context, ts.magnitude);
    return NULL;
  }
  fact.kind = is_probe_kind(kind.magnitude) ? event_kind(kind.magnitude) : NULL;
  fact.ts_ns = ts.magnitude;
  if (fact.kind == NULL) return "unknown kind";
  const char *why = read_fields(j, &fact, more);
  if (why == NULL && !json_is_over(j)) why = "malformed row";
  if (why == NULL) sink->fact(sink->context, &fact);
  return why;
}

/* ── maps: {"@name":{"key":n,…}} and hists: {"@name":{"key":[{"min":n,"max":n,"count":n},…]}} ── */

static bool read_u64(struct json *j, uint64_t *value) {
  struct json_number number;
  if (!json_number(j, &number) || !number.integer || (number.negative && number.magnitude != 0)) return false;
  *value = number.magnitude;
  return true;
}

/* One {"min":…,"max":…,"count":…}. The bucket of negative values has no min and is nobody's latency. */
static bool read_bucket(struct json *j, bool is_hex, uint64_t buckets[HIST_BUCKETS]) {
  uint64_t min = 0, count = 0;
  bool more = true, has_min = false;
  if (!json_take(j, '{')) return false;
  while (more) {
    char key[8];
    size_t length;
    struct json_number number;
    if (!json_string(j, key, sizeof key, &length) || !json_take(j, ':')) return false;
    bool is_count = length == 5 && memcmp(key, "count", 5) == 0;
    if (is_count && is_hex) {
      if (!json_hex(j, &count)) return false;
    } else if (!json_number(j, &number)) {
      return false;
    }
    if (length == 3 && memcmp(key, "min", 3) == 0) {
      has_min = number.integer && !number.negative;
      min = number.magnitude;
    }
    if (is_count && !is_hex) {
      if (!number.integer || number.negative) return false;
      count = number.magnitude;
    }
    if (!json_more(j, '}', &more)) return false;
  }
  if (has_min) buckets[min == 0 ? 0 : 63 - __builtin_clzll(min)] += count;
  return true;
}

static bool read_hist(struct json *j, bool is_hex, uint64_t buckets[HIST_BUCKETS]) {
  bool more = true;
  memset(buckets, 0, HIST_BUCKETS * sizeof buckets[0]);
  if (!json_take(j, '[')) return false;
  if (json_take(j, ']')) return true;
  while (more)
    if (!read_bucket(j, is_hex, buckets) || !json_more(j, ']', &more)) return false;
  return true;
}

struct map_target {
  int counter, histogram;     /* -1: not this sort */
};

static bool read_map_value(const struct line_sink *sink, struct json *j, struct map_target target, uint64_t key) {
  uint64_t value, buckets[HIST_BUCKETS];
  if (target.counter >= 0) {
    if (!read_u64(j, &value)) return false;
    sink->counter(sink->context, target.counter, key, value);
    return true;
  }
  if (!read_hist(j, sink->dialect->hex_buckets, buckets)) return false;
  sink->histogram(sink->context, target.histogram, key, buckets);
  return true;
}

/* "123" → 123 */
static bool read_key(struct json *j, uint64_t *key) {
  char text[24];
  size_t length;
  struct json_number number;
  if (!json_string(j, text, sizeof text, &length)) return false;
  struct json inner = {text, text + length};
  if (!json_number(&inner, &number) || !number.integer || number.negative || inner.at != inner.end) return false;
  *key = number.magnitude;
  return true;
}

static bool read_map_keys(const struct line_sink *sink, struct json *j, struct map_target target) {
  bool more = true;
  if (!json_sees(j, '{')) return read_map_value(sink, j, target, 0);
  json_take(j, '{');
  if (json_take(j, '}')) return true;
  while (more) {
    uint64_t key;
    if (!read_key(j, &key) || !json_take(j, ':') || !read_map_value(sink, j, target, key) || !json_more(j, '}', &more)) return false;
  }
  return true;
}

static bool is_name(const char *name, size_t length, const char *expected) {
  return length == strlen(expected) && memcmp(name, expected, length) == 0;
}

static bool read_printed(const struct line_sink *sink, struct json *j) {
  uint64_t rows;
  if (!read_u64(j, &rows)) return false;
  sink->printed(sink->context, rows);
  return true;
}

/* The count of LINE_BASE_COUNT values, read as decimal: so it says itself in which base it was printed. */
static bool read_base(const struct line_sink *sink, struct json *j) {
  uint64_t buckets[HIST_BUCKETS];
  if (!read_hist(j, false, buckets)) return false;
  sink->dialect->hex_buckets = buckets[0] != LINE_BASE_COUNT;
  return true;
}

/* Maps whose names are not in the dictionary: our own two, and scratch maps of the script, printed when bpftrace ends. */
static bool read_other(const struct line_sink *sink, struct json *j, const char *name, size_t length, bool is_hist) {
  if (!is_hist && is_name(name, length, "@rows_printed")) return read_printed(sink, j);
  if (is_hist && is_name(name, length, "@line_base")) return read_base(sink, j);
  return json_skip(j);
}

static const char *read_map(const struct line_sink *sink, struct json *j, bool is_hist) {
  bool more = true;
  if (!json_take(j, '{')) return "malformed map";
  if (json_take(j, '}')) return NULL;
  while (more) {
    char name[64];
    size_t length;
    if (!json_string(j, name, sizeof name, &length) || !json_take(j, ':')) return "malformed map";
    struct map_target target = {-1, -1};
    if (length > 1 && is_hist) target.histogram = event_histogram(name + 1, length - 1);
    if (length > 1 && !is_hist) target.counter = event_counter(name + 1, length - 1);
    bool is_ours = target.counter >= 0 || target.histogram >= 0;
    bool is_read = is_ours ? read_map_keys(sink, j, target) : read_other(sink, j, name, length, is_hist);
    if (!is_read || !json_more(j, '}', &more)) return "malformed map";
  }
  return NULL;
}

/* ── lines ─────────────────────────────────────────────────────────────────── */

/* {"events":n}, 0.27 says "count" as well */
static const char *read_lost(const struct line_sink *sink, struct json *j) {
  uint64_t count = 0;
  bool more = true;
  if (!json_take(j, '{')) return "malformed lost_events";
  while (more) {
    char key[16];
    size_t length;
    uint64_t value;
    if (!json_string(j, key, sizeof key, &length) || !json_take(j, ':') || !read_u64(j, &value)) return "malformed lost_events";
    if (value > count) count = value;
    if (!json_more(j, '}', &more)) return "malformed lost_events";
  }
  sink->lost(sink->context, count);
  return NULL;
}

struct envelope {
  char type[24], helper[32];      /* helper: of a helper_error */
  size_t type_length, helper_length;
  struct json data;
};

/* Top level: keys may come in any order, unknown ones are skipped. */
static bool read_envelope(struct json *j, struct envelope *e) {
  bool more = true;
  if (!json_take(j, '{')) return false;
  while (more) {
    char key[24];
    size_t length;
    if (!json_string(j, key, sizeof key, &length) || !json_take(j, ':')) return false;
    if (length == 4 && memcmp(key, "type", 4) == 0) {
      if (!json_string(j, e->type, sizeof e->type, &e->type_length)) return false;
    } else if (length == 6 && memcmp(key, "helper", 6) == 0) {
      if (!json_string(j, e->helper, sizeof e->helper, &e->helper_length)) return false;
    } else {
      struct json start = *j;
      if (!json_skip(j)) return false;
      if (length == 4 && memcmp(key, "data", 4) == 0) e->data = (struct json){start.at, j->at};
    }
    if (!json_more(j, '}', &more)) return false;
  }
  return json_is_over(j);
}

/* An envelope byte for byte as bpftrace prints it: what is inside need not be skipped before it is read, and buckets in hexadecimal cannot be. */
static bool read_usual_envelope(const struct line_sink *sink, const char *line, size_t length, struct envelope *e) {
  static const struct { const char *type, *head; } usual[2] = {{"value", "{\"type\": \"value\", \"data\": "}, {"hist", "{\"type\": \"hist\", \"data\": "}};
  for (int i = 0; i < 1 + sink->dialect->hex_buckets; i++) {
    size_t head = strlen(usual[i].head);
    if (length <= head || memcmp(line, usual[i].head, head) != 0 || line[length - 1] != '}') continue;
    e->type_length = strlen(usual[i].type);
    memcpy(e->type, usual[i].type, e->type_length);
    e->data = (struct json){line + head, line + length - 1};
    return true;
  }
  return false;
}

static bool is_type(const struct envelope *e, const char *type) { return is_name(e->type, e->type_length, type); }

/* Deleting what is not there is no loss; what cannot be put into a map is. */
static void read_helper_error(const struct line_sink *sink, const struct envelope *e) {
  if (is_name(e->helper, e->helper_length, "map_update_elem")) sink->map_failed(sink->context);
}

void line_read(const struct line_sink *sink, const char *line, size_t length) {
  struct json j = {line, line + length};
  struct envelope e = {.data = {line, line}};
  const char *why = NULL;
  /* bpftrace prints blank lines between maps */
  if (json_is_over(&j)) return;
  if (!read_usual_envelope(sink, line, length, &e) && !read_envelope(&j, &e)) why = "not a JSON object";
  else if (is_type(&e, "value")) why = read_row(sink, &e.data);
  else if (is_type(&e, "map")) why = read_map(sink, &e.data, false);
  else if (is_type(&e, "hist")) why = read_map(sink, &e.data, true);
  else if (is_type(&e, "lost_events")) why = read_lost(sink, &e.data);
  else if (is_type(&e, "helper_error")) read_helper_error(sink, &e);
  else if (!is_type(&e, "attached_probes")) why = "unknown type of line";
  if (why != NULL) sink->bad(sink->context, why, line, length);
}

size_t line_room(const struct line_cutter *c, char **at) {
  *at = c->bytes + c->length;
  return c->capacity - c->length;
}

void line_cut(struct line_cutter *c, const struct line_sink *sink, size_t added) {
  size_t start = 0;
  char *newline;
  c->length += added;
  while ((newline = memchr(c->bytes + c->scanned, '\n', c->length - c->scanned)) != NULL) {
    size_t end = (size_t)(newline - c->bytes);
    c->lines++;
    if (!c->skipping) line_read(sink, c->bytes + start, end - start);
    c->skipping = false;
    start = c->scanned = end + 1;
  }
  c->length -= start;
  if (start != 0) memmove(c->bytes, c->bytes + start, c->length);
  c->scanned = c->length;
  if (c->length == c->capacity || (c->skipping && c->length > 0)) {
    if (!c->skipping) sink->bad(sink->context, "line too long", c->bytes, c->length);
    c->skipping = true;
    c->length = c->scanned = 0;
  }
}

/* ── fields by name ────────────────────────────────────────────────────────── */

uint64_t fact_u(const struct fact *fact, const char *name) {
  int i = event_field(fact->kind, name);
  return i < 0 || fact->value[i].type == 'n' || fact->value[i].type == 's' ? 0 : fact->value[i].u;
}

const char *fact_text(const struct fact *fact, const char *name, size_t *length) {
  int i = event_field(fact->kind, name);
  bool has = i >= 0 && fact->value[i].type == 's';
  *length = has ? fact->value[i].length : 0;
  return has ? fact->value[i].bytes : "";
}
