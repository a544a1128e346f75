/* detail_read.c: command line, program, runtime and named settings of one process. Of its environment only the names below are ever kept. */
#include "detail.h"

#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "process.h"
#include "runtime.h"
#include "util.h"

#define CHUNK_MAX 65536
#define ENVIRON_MAX (1 << 20)

static char text[CHUNK_MAX];

/* ── texts of limited length ───────────────────────────────────────────────── */

struct out {
  char *text;
  size_t length, capacity;
  bool is_full;
};

static void put(struct out *o, const char *bytes, size_t length) {
  size_t room = o->capacity - 1 - o->length;
  if (length > room) o->is_full = true;
  if (length > room) length = room;
  memcpy(o->text + o->length, bytes, length);
  o->length += length;
  o->text[o->length] = '\0';
}

/* Ends a text that was cut, never within a UTF-8 character. */
static void end_cut(struct out *o) {
  static const char mark[] = "\xe2\x80\xa6";
  if (!o->is_full) return;
  size_t length = o->capacity - sizeof mark;
  if (length > o->length) length = o->length;
  while (length > 0 && ((unsigned char)o->text[length] & 0xc0) == 0x80) length--;
  memcpy(o->text + length, mark, sizeof mark);
}

/* ── secrets ───────────────────────────────────────────────────────────────── */

/* Where a word that names a secret ends in the text; NULL when there is none. */
static const char *behind_word(const char *at, size_t length) {
  static const char *const word[] = {"pass", "pwd", "secret", "token", "credential", "apikey", "api-key", "api_key", "private", "auth", "access-key", "access_key"};
  for (size_t i = 0; i < length; i++)
    for (int w = 0; w < LENGTH_OF(word); w++) {
      size_t n = strlen(word[w]);
      if (n <= length - i && strncasecmp(at + i, word[w], n) == 0) return at + i + n;
    }
  return NULL;
}

/* "scheme://user:secret@host": puts the argument without the secret. False when it is none. */
static bool put_url(struct out *o, const char *at, size_t length) {
  const char *start = memmem(at, length, "://", 3), *end = at + length;
  if (start == NULL) return false;
  start += 3;
  const char *host = memchr(start, '@', (size_t)(end - start)), *colon = memchr(start, ':', (size_t)(end - start));
  if (host == NULL || colon == NULL || colon > host) return false;
  put(o, at, (size_t)(colon + 1 - at));
  put(o, "***", 3);
  put(o, host, (size_t)(end - host));
  return true;
}

/* One argument. Returns whether the next one is the value of a secret: "--password" "x". Behind "password=" or "token": nothing is told. */
static bool put_argument(struct out *o, const char *at, size_t length, bool is_secret) {
  const char *behind = behind_word(at, length), *end = at + length, *value = behind;
  while (value != NULL && value < end && *value != '=' && *value != ':') value++;
  if (is_secret && (length == 0 || at[0] != '-')) put(o, "***", 3);
  else if (value != NULL && value < end) {
    put(o, at, (size_t)(value + 1 - at));
    put(o, "***", 3);
  } else if (!put_url(o, at, length)) put(o, at, length);
  return behind != NULL && value == end && at[0] == '-';
}

void detail_join(const char *arguments, size_t length, char command[DETAIL_COMMAND]) {
  struct out o = {.text = command, .capacity = DETAIL_COMMAND};
  bool is_secret = false;
  command[0] = '\0';
  while (length > 0 && arguments[length - 1] == '\0') length--;
  for (size_t at = 0; at < length && !o.is_full;) {
    size_t n = strnlen(arguments + at, length - at);
    if (at > 0) put(&o, " ", 1);
    is_secret = put_argument(&o, arguments + at, n, is_secret);
    at += n + 1;
  }
  end_cut(&o);
}

/* ── settings ──────────────────────────────────────────────────────────────── */

static bool begins(const char *at, size_t length, const char *head) { return length >= strlen(head) && memcmp(at, head, strlen(head)) == 0; }

/* A line "setting"; what does not fit as a whole is left out. */
static void put_setting(struct out *o, const char *at, size_t length) {
  if (length > 100 || o->length + length + 2 > o->capacity) return;
  for (size_t i = 0; i < length; i++)
    if ((unsigned char)at[i] < 0x20) return;
  if (o->length > 0) put(o, "\n", 1);
  put(o, at, length);
}

/* Options of the runtime among words: only those about memory. */
static bool is_option(const char *runtime, const char *at, size_t length) {
  static const char *const jvm[] = {"-Xmx", "-Xms", "-Xss", "-XX:MaxRAM", "-XX:InitialRAMPercentage=", "-XX:MinRAMPercentage=", "-XX:MaxHeapSize=", "-XX:MaxDirectMemorySize=", "-XX:MaxMetaspaceSize=",
                                    "-XX:ReservedCodeCacheSize=", "-XX:+UseContainerSupport", "-XX:-UseContainerSupport", "-XX:+ExitOnOutOfMemoryError"};
  static const char *const node[] = {"--max-old-space-size=", "--max_old_space_size=", "--max-semi-space-size=", "--max_semi_space_size="};
  bool is_jvm = strcmp(runtime, "jvm") == 0;
  if (!is_jvm && strcmp(runtime, "node") != 0) return false;
  for (int i = 0; i < (is_jvm ? LENGTH_OF(jvm) : LENGTH_OF(node)); i++)
    if (begins(at, length, is_jvm ? jvm[i] : node[i])) return true;
  return false;
}

/* Words between any of `separators`; '\0' separates, too. */
static void take_options(struct out *o, const char *runtime, const char *at, size_t length, const char *separators) {
  const char *end = at + length;
  while (at < end) {
    const char *stop = at;
    while (stop < end && *stop != '\0' && strchr(separators, *stop) == NULL) stop++;
    if (is_option(runtime, at, (size_t)(stop - at))) put_setting(o, at, (size_t)(stop - at));
    at = stop + 1;
  }
}

/* What a process says about its memory in its environment; nothing else of it is looked at. */
struct environment {
  struct out *settings;
  const char *runtime;
  bool is_last;              /* the variable that goes before the command line, or the one behind it */
};

static void take_variable(const struct environment *e, const char *at, size_t length) {
  static const char *const whole[] = {"GOMEMLIMIT=", "GOGC=", "MALLOC_ARENA_MAX=", "DOTNET_GCHeapHardLimit=", "DOTNET_GCHeapHardLimitPercent="};
  static const char *const options[] = {"JAVA_TOOL_OPTIONS=", "JDK_JAVA_OPTIONS=", "NODE_OPTIONS="}, *const last = "_JAVA_OPTIONS=";
  if (e->is_last) {
    if (begins(at, length, last)) take_options(e->settings, e->runtime, at + strlen(last), length - strlen(last), " \t\n\"'");
    return;
  }
  for (int i = 0; i < LENGTH_OF(whole); i++)
    if (begins(at, length, whole[i])) put_setting(e->settings, at, length);
  for (int i = 0; i < LENGTH_OF(options); i++)
    if (begins(at, length, options[i])) take_options(e->settings, e->runtime, at + strlen(options[i]), length - strlen(options[i]), " \t\n\"'");
}

/* Reads the environment piece by piece. False when it is not allowed. */
static bool read_environment(int proc_fd, uint32_t pid, const struct environment *e) {
  char path[64];
  size_t length = 0;
  ssize_t n = 0;
  bool skipping = false;
  snprintf(path, sizeof path, "%u/environ", pid);
  int fd = openat(proc_fd, path, O_RDONLY | O_CLOEXEC);
  if (fd < 0) return false;
  for (size_t total = 0; total < ENVIRON_MAX && (n = read(fd, text + length, sizeof text - length)) > 0; total += (size_t)n) {
    char *variable = text, *end;
    length += (size_t)n;
    while ((end = memchr(variable, '\0', (size_t)(text + length - variable))) != NULL) {
      if (!skipping) take_variable(e, variable, (size_t)(end - variable));
      skipping = false;
      variable = end + 1;
    }
    length -= (size_t)(variable - text);
    memmove(text, variable, length);
    if (length == sizeof text) {
      skipping = true;
      length = 0;
    }
  }
  close(fd);
  memset(text, 0, sizeof text);
  return n >= 0;
}

/* ── together ──────────────────────────────────────────────────────────────── */

static void read_exe(int proc_fd, uint32_t pid, char exe[DETAIL_EXE]) {
  static const char deleted[] = " (deleted)";
  char path[64], target[PATH_MAX];
  snprintf(path, sizeof path, "%u/exe", pid);
  ssize_t n = readlinkat(proc_fd, path, target, sizeof target - 1);
  if (n <= 0) return;
  target[n] = '\0';
  if ((size_t)n > sizeof deleted && strcmp(target + n - (sizeof deleted - 1), deleted) == 0) target[n - (ssize_t)(sizeof deleted - 1)] = '\0';
  const char *base = strrchr(target, '/');
  snprintf(exe, DETAIL_EXE, "%.63s", base == NULL ? target : base + 1);
}

static void read_settings(int proc_fd, uint32_t pid, struct detail *d) {
  struct out settings = {.text = d->settings, .capacity = DETAIL_SETTINGS};
  struct environment e = {.settings = &settings, .runtime = d->runtime};
  d->environ_read = read_environment(proc_fd, pid, &e);
  long n = process_read(proc_fd, pid, "cmdline", text, sizeof text);
  if (n > 0) take_options(&settings, d->runtime, text, (size_t)n, "");
  e.is_last = true;
  if (strcmp(d->runtime, "jvm") == 0) read_environment(proc_fd, pid, &e);
}

void detail_read(int proc_fd, uint32_t pid, struct detail *d) {
  memset(d, 0, sizeof *d);
  long n = process_read(proc_fd, pid, "cmdline", text, sizeof text);
  if (n > 0) detail_join(text, (size_t)n, d->command);
  read_exe(proc_fd, pid, d->exe);
  runtime_of(proc_fd, pid, d->exe, d->runtime);
  read_settings(proc_fd, pid, d);
  /* last: if the pid was given away meanwhile, this is not the one that was asked for */
  if (process_read(proc_fd, pid, "stat", text, 1024) > 0) d->start_ns = process_parse_start(text);
}
