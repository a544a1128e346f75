/* runtime.c: the program's name tells an interpreter; a Go program is told by what its linker leaves in the file (cmd/link, debug/buildinfo). */
#include "runtime.h"

#include <ctype.h>
#include <elf.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "util.h"

#define HEAD_BYTES 8192
/* debug/buildinfo looks this far into the first writable segment */
#define DATA_BYTES 65536
#define NT_GO_BUILDID 4

static _Alignas(8) char head[HEAD_BYTES], data[DATA_BYTES];

/* "python3.11" is "python": a version may follow the name. */
static bool is_program(const char *exe, const char *name) {
  size_t length = strlen(name);
  if (strncmp(exe, name, length) != 0) return false;
  for (exe += length; *exe != '\0'; exe++)
    if (!isdigit((unsigned char)*exe) && *exe != '.' && *exe != '-') return false;
  return true;
}

static const char *by_name(const char *exe) {
  static const char *const known[][2] = {{"java", "jvm"}, {"node", "node"}, {"nodejs", "node"}, {"python", "python"}, {"pypy", "python"}, {"ruby", "ruby"}, {"php", "php"},
                                         {"php-fpm", "php"}, {"dotnet", "dotnet"}, {"beam.smp", "erlang"}, {"perl", "perl"}};
  for (int i = 0; i < LENGTH_OF(known); i++)
    if (is_program(exe, known[i][0])) return known[i][1];
  return NULL;
}

/* Notes of a segment that lies in the first pages: owner "Go", type 4. */
static bool has_go_note(size_t at, size_t end) {
  while (at + sizeof(Elf64_Nhdr) <= end) {
    Elf64_Nhdr note;
    memcpy(&note, head + at, sizeof note);
    at += sizeof note;
    size_t name = (note.n_namesz + 3ull) & ~3ull, rest = (note.n_descsz + 3ull) & ~3ull;
    if (name > end - at || rest > end - at - name) return false;
    if (note.n_type == NT_GO_BUILDID && note.n_namesz == 4 && memcmp(head + at, "Go\0\0", 4) == 0) return true;
    at += name + rest;
  }
  return false;
}

static bool has_build_info(int fd, const Elf64_Phdr *segment) {
  static const char magic[] = "\xff Go buildinf:";
  size_t want = segment->p_filesz < sizeof data ? segment->p_filesz : sizeof data;
  ssize_t n = pread(fd, data, want, (off_t)segment->p_offset);
  for (ssize_t at = 0; at + (ssize_t)sizeof magic - 1 <= n; at += 16)
    if (memcmp(data + at, magic, sizeof magic - 1) == 0) return true;
  return false;
}

bool runtime_is_go(int fd) {
  Elf64_Ehdr elf;
  ssize_t n = pread(fd, head, sizeof head, 0);
  if (n < (ssize_t)sizeof elf) return false;
  memcpy(&elf, head, sizeof elf);
  if (memcmp(elf.e_ident, ELFMAG, SELFMAG) != 0 || elf.e_ident[EI_CLASS] != ELFCLASS64 || elf.e_phentsize != sizeof(Elf64_Phdr)) return false;
  for (int i = 0; i < elf.e_phnum; i++) {
    Elf64_Phdr segment;
    if (elf.e_phoff > (size_t)n || (size_t)n - elf.e_phoff < (i + 1ull) * sizeof segment) return false;
    memcpy(&segment, head + elf.e_phoff + (size_t)i * sizeof segment, sizeof segment);
    bool is_near = segment.p_offset <= (size_t)n && segment.p_filesz <= (size_t)n - segment.p_offset;
    if (segment.p_type == PT_NOTE && is_near && has_go_note(segment.p_offset, segment.p_offset + segment.p_filesz)) return true;
    if (segment.p_type == PT_LOAD && (segment.p_flags & PF_W) && has_build_info(fd, &segment)) return true;
  }
  return false;
}

void runtime_of(int proc_fd, uint32_t pid, const char *exe, char runtime[DETAIL_RUNTIME]) {
  char path[64];
  const char *known = by_name(exe);
  if (known == NULL) {
    snprintf(path, sizeof path, "%u/exe", pid);
    int fd = openat(proc_fd, path, O_RDONLY | O_CLOEXEC);
    if (fd >= 0 && runtime_is_go(fd)) known = "go";
    if (fd >= 0) close(fd);
  }
  if (known != NULL) snprintf(runtime, DETAIL_RUNTIME, "%s", known);
}
