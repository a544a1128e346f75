/* mount.c: reads /proc/self/mountinfo: v1 `memory` where it is mounted, else the cgroup2 mount that offers memory (proc(5)). */
#include "mount.h"

#include <stdio.h>
#include <string.h>

#include "util.h"

/* Copies up to the next space, decoding \040 and the like. Returns what follows. */
static const char *take_path(const char *at, char path[PATH_MAX]) {
  size_t length = 0;
  while (*at != ' ' && *at != '\n' && *at != '\0' && length < PATH_MAX - 1) {
    char c = *at++;
    if (c == '\\' && at[0] >= '0' && at[0] <= '3' && at[1] >= '0' && at[1] <= '7' && at[2] >= '0' && at[2] <= '7') {
      c = (char)((at[0] - '0') * 64 + (at[1] - '0') * 8 + (at[2] - '0'));
      at += 3;
    }
    path[length++] = c;
  }
  path[length] = '\0';
  return *at == ' ' ? at + 1 : at;
}

static bool has_word(const char *text, const char *end, const char *word) {
  size_t length = strlen(word);
  for (const char *at = text; at < end; at += strcspn(at, " ,\n"), at += *at != '\0') {
    size_t n = strcspn(at, " ,\n");
    if (n == length && memcmp(at, word, length) == 0) return true;
    if (at[n] == '\0') return false;
  }
  return false;
}

/* One line: "id parent maj:min ROOT POINT options [tags…] - TYPE source SUPER". Returns the cgroup version it offers memory in, or 0. */
static int read_line(const char *line, const char *end, bool (*has_memory)(const char *), struct memcg_mount *mount) {
  const char *type = strstr(line, " - "), *at = line;
  if (type == NULL || type >= end) return 0;
  type += 3;
  bool is_v1 = strncmp(type, "cgroup ", 7) == 0, is_v2 = strncmp(type, "cgroup2 ", 8) == 0;
  if (!is_v1 && !is_v2) return 0;
  for (int i = 0; i < 3; i++) at += strcspn(at, " ") + 1;
  at = take_path(at, mount->prefix);
  take_path(at, mount->point);
  if (strcmp(mount->prefix, "/") == 0) mount->prefix[0] = '\0';
  if (is_v1) return has_word(type, end, "memory") ? 1 : 0;
  return has_memory(mount->point) ? 2 : 0;
}

void mount_find(const char *text, bool (*has_memory)(const char *point), struct memcg_mount *mount) {
  static struct memcg_mount seen;
  mount->version = 0;
  for (const char *line = text; *line != '\0';) {
    size_t length = strcspn(line, "\n");
    seen.version = read_line(line, line + length, has_memory, &seen);
    /* the whole hierarchy is better than a part of it, which a container may have beside it */
    bool is_better = mount->version == 0 || (mount->prefix[0] != '\0' && seen.prefix[0] == '\0');
    if (seen.version != 0 && is_better) *mount = seen;
    line += length + (line[length] == '\n');
  }
}

static bool offers_memory(const char *point) {
  char path[PATH_MAX + 32], text[512];
  snprintf(path, sizeof path, "%s/cgroup.controllers", point);
  ssize_t n = read_path(path, text, sizeof text);
  return n > 0 && has_word(text, text + n, "memory");
}

void mount_detect(struct memcg_mount *mount) {
  static char text[1 << 20];
  mount->version = 0;
  if (read_path("/proc/self/mountinfo", text, sizeof text) > 0) mount_find(text, offers_memory, mount);
}
