/* event.c: the dictionary's tables, unfolded once at start from the lists in event.h. */
#include "event.h"

#include <string.h>

static struct kind kinds[] = {
#define X(number_, id, name_, fields_) {.number = number_, .name = name_},
  EVENT_KINDS(X)
#undef X
};

static const char *const kind_fields[] = {
#define X(number_, id, name_, fields_) fields_,
  EVENT_KINDS(X)
#undef X
};

#define X(name_) #name_,
static const char *const counter_names[] = {EVENT_COUNTERS(X)};
static const char *const histogram_names[] = {EVENT_HISTOGRAMS(X)};
static const char *const stall_names[] = {EVENT_STALLS(X)};
#undef X

#define LENGTH(array) ((int)(sizeof(array) / sizeof((array)[0])))

static struct kind *by_number[KIND_NUMBER_MAX + 1];

/* "name:u? name:s" → field[], type[], optional[]. The text is ours, so its shape is known. */
static void unfold(struct kind *kind, const char *text) {
  while (*text != '\0' && kind->count < KIND_FIELDS_MAX) {
    const char *colon = strchr(text, ':');
    int i = kind->count++;
    memcpy(kind->field[i], text, (size_t)(colon - text));
    kind->type[i] = colon[1];
    kind->optional[i] = colon[2] == '?';
    text = colon + (kind->optional[i] ? 3 : 2);
    if (*text == ' ') text++;
  }
}

static uint64_t fields_named(const struct kind *kind, const char *const *names, int count) {
  uint64_t mask = 0;
  for (int n = 0; n < count; n++) {
    int i = event_field(kind, names[n]);
    if (i >= 0) mask |= 1ull << i;
  }
  return mask;
}

void event_init(void) {
  static const char *const task[] = {"tid", "pid", "victimTid", "targetTid"}, *const memcg[] = {"memcgId", "taskMemcgId", "targetMemcgId"};
  if (kinds[0].count != 0) return;
  for (int i = 0; i < LENGTH(kinds); i++) {
    unfold(&kinds[i], kind_fields[i]);
    kinds[i].tasks = fields_named(&kinds[i], task, LENGTH(task));
    kinds[i].memcgs = fields_named(&kinds[i], memcg, LENGTH(memcg));
    by_number[kinds[i].number] = &kinds[i];
  }
}

const struct kind *event_kind(uint64_t number) { return number <= KIND_NUMBER_MAX ? by_number[number] : NULL; }

const struct kind *event_kind_at(int position) { return position < LENGTH(kinds) ? &kinds[position] : NULL; }

int event_field(const struct kind *kind, const char *name) {
  for (int i = 0; i < kind->count; i++)
    if (strcmp(kind->field[i], name) == 0) return i;
  return -1;
}

static int find(const char *const *names, int count, const char *name, size_t length) {
  for (int i = 0; i < count; i++)
    if (strlen(names[i]) == length && memcmp(names[i], name, length) == 0) return i;
  return -1;
}

int event_counter(const char *name, size_t length) { return find(counter_names, LENGTH(counter_names), name, length); }
int event_histogram(const char *name, size_t length) { return find(histogram_names, LENGTH(histogram_names), name, length); }

void event_dump(FILE *out) {
  for (int k = 0; k < LENGTH(kinds); k++) {
    fprintf(out, "kind %d %s", kinds[k].number, kinds[k].name);
    for (int i = 0; i < kinds[k].count; i++) fprintf(out, " %s:%c%s", kinds[k].field[i], kinds[k].type[i], kinds[k].optional[i] ? "?" : "");
    fputc('\n', out);
  }
  for (int i = 0; i < LENGTH(counter_names); i++) fprintf(out, "counter %d %s\n", i, counter_names[i]);
  for (int i = 0; i < LENGTH(histogram_names); i++) fprintf(out, "histogram %d %s\n", i, histogram_names[i]);
  for (int i = 0; i < LENGTH(stall_names); i++) fprintf(out, "stall %d %s\n", i, stall_names[i]);
  fprintf(out, "format %d\n", FORMAT_VERSION);
}
