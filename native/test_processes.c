/* test_processes.c: processes are read as oom_badness() counts them, told when that is news, and their secrets are not told. */
#include <elf.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "processes.h"
#include "runtime.h"
#include "test.h"
#include "util.h"
#include "watch.h"

/* ── parsing ───────────────────────────────────────────────────────────────── */

static const char status_text[] = "Name:\todd\\\\na\\nme\nUmask:\t0022\nState:\tS (sleeping)\nTgid:\t42\nPid:\t42\nPPid:\t7\nUid:\t1000\t0\t0\t0\nKthread:\t0\nVmPeak:\t 9000 kB\nVmHWM:\t    5000 kB\nVmRSS:\t    4560 kB\n"
                                  "RssAnon:\t    4000 kB\nRssFile:\t     500 kB\nRssShmem:\t      60 kB\nVmData:\t 1 kB\nVmPTE:\t      52 kB\nVmSwap:\t      12 kB\nThreads:\t3\n";

static void a_status_is_read(void) {
  struct process_status s;
  CHECK(process_parse_status(status_text, &s));
  CHECK(strcmp(s.comm, "odd\\na\nme") == 0 && s.ppid == 7 && s.uid == 1000 && s.threads == 3 && s.has_memory && !s.is_kernel);
  static const uint64_t kib[PROCESS_VALUES] = {4000, 500, 60, 12, 52, 5000};
  for (int i = 0; i < PROCESS_VALUES; i++) CHECK_EQUAL(s.value[i], kib[i] * 1024);
}

static void a_process_without_memory_is_told_from_a_kernel_thread(void) {
  struct process_status s;
  CHECK(process_parse_status("Name:\tdead\nState:\tZ (zombie)\nPPid:\t7\nUid:\t0\t0\t0\t0\nThreads:\t1\n", &s) && !s.has_memory && !s.is_kernel);
  CHECK(process_parse_status("Name:\tkswapd0\nState:\tS (sleeping)\nPPid:\t2\nUid:\t0\t0\t0\t0\nThreads:\t1\n", &s) && s.is_kernel);
  CHECK(process_parse_status("Name:\tvhost\nPPid:\t900\nUid:\t0\t0\t0\t0\nKthread:\t1\nThreads:\t1\n", &s) && s.is_kernel);
  CHECK(process_parse_status("Name:\tzombie of a daemon\nPPid:\t2\nUid:\t0\nKthread:\t0\n", &s) && !s.is_kernel);
  static const char *const odd[] = {"", "Name:", "Name:\tx\n", "VmRSS: 1 kB\n", "Name:\tx\nPPid:\tno\nUid:\t0\n"};
  for (int i = 0; i < LENGTH_OF(odd); i++) CHECK(!process_parse_status(odd[i], &s));
}

/* No prefix of a status makes the reader read beyond it (AddressSanitizer). */
static void a_cut_status_is_survived(void) {
  struct process_status s;
  for (size_t length = 0; length < sizeof status_text; length++) {
    char *text = strndup(status_text, length);
    process_parse_status(text, &s);
    free(text);
  }
}

static void the_beginning_is_told_whatever_the_name(void) {
  CHECK_EQUAL(process_parse_start("42 (a) b) S 7 42 42 0 -1 4194304 1 2 3 4 5 6 7 8 20 0 1 0 123456 1000 200"), 1234560000000ull);
  CHECK_EQUAL(process_parse_start("42 (x) S 7"), 0);
  CHECK_EQUAL(process_parse_start(""), 0);
}

static void a_list_is_read(void) {
  uint32_t pids[4];
  CHECK(processes_parse_list("1\n22\n0\n", pids, 4) == 3 && pids[0] == 1 && pids[1] == 22 && pids[2] == 0);
  CHECK_EQUAL(processes_parse_list("1\n2\n3\n4\n5\n", pids, 4), 4);
  CHECK_EQUAL(processes_parse_list("", pids, 4), 0);
}

/* ── command lines ─────────────────────────────────────────────────────────── */

static bool is_joined(const char *arguments, size_t length, const char *expected) {
  char command[DETAIL_COMMAND];
  detail_join(arguments, length, command);
  if (strcmp(command, expected) != 0) fprintf(stderr, "%s\n", command);
  return strcmp(command, expected) == 0;
}
#define JOINED(arguments, expected) CHECK(is_joined(arguments, sizeof arguments - 1, expected))

static void secrets_of_a_command_line_are_masked(void) {
  JOINED("srv\0--port\0" "80\0", "srv --port 80");
  JOINED("srv\0--password=hunter2\0-x\0", "srv --password=*** -x");
  JOINED("srv\0--db-Password\0hunter2\0-x\0", "srv --db-Password *** -x");
  JOINED("srv\0--token\0--next\0", "srv --token --next");
  JOINED("srv\0API_TOKEN=abc\0run\0", "srv API_TOKEN=*** run");
  JOINED("srv\0postgres://me:hunter2@db/x\0http://host:80/a@b\0", "srv postgres://me:***@db/x http://host:***@b");
  JOINED("srv\0--env\0{\"SECRET_KEY\": \"abc\"}\0z\0", "srv --env {\"SECRET_KEY\":*** z");
  JOINED("sh\0-c\0export PASSWD=abc; run\0", "sh -c export PASSWD=***");
  JOINED("", "");
}

static void a_long_command_line_is_cut_between_characters(void) {
  char arguments[600], command[DETAIL_COMMAND];
  for (size_t i = 0; i + 1 < sizeof arguments; i += 2) memcpy(arguments + i, "\xc3\xa4", 2);
  detail_join(arguments, sizeof arguments, command);
  size_t length = strlen(command);
  CHECK(length < DETAIL_COMMAND && strcmp(command + length - 3, "\xe2\x80\xa6") == 0 && (length - 3) % 2 == 0);
}

/* ── runtimes ──────────────────────────────────────────────────────────────── */

static int file_of(const void *bytes, size_t length) {
  char path[] = "/tmp/oomscope-test-XXXXXX";
  int fd = mkstemp(path);
  CHECK(fd >= 0 && write(fd, bytes, length) == (ssize_t)length);
  unlink(path);
  return fd;
}

/* A program as a linker begins it: one segment of `type` at `offset` that holds `content`. */
static bool is_go(uint32_t type, size_t offset, const void *content, size_t length) {
  static char file[40000];
  Elf64_Ehdr elf = {.e_ident = {0x7f, 'E', 'L', 'F', ELFCLASS64}, .e_phoff = sizeof elf, .e_phentsize = sizeof(Elf64_Phdr), .e_phnum = 1};
  Elf64_Phdr segment = {.p_type = type, .p_flags = PF_R | PF_W, .p_offset = offset, .p_filesz = length};
  memset(file, 0, sizeof file);
  memcpy(file, &elf, sizeof elf);
  memcpy(file + sizeof elf, &segment, sizeof segment);
  memcpy(file + offset, content, length);
  int fd = file_of(file, sizeof file);
  bool go = runtime_is_go(fd);
  close(fd);
  return go;
}

static void go_programs_are_told_by_what_the_linker_leaves(void) {
  static const char note[] = "\4\0\0\0\4\0\0\0\4\0\0\0Go\0\0abcd", other[] = "\4\0\0\0\4\0\0\0\3\0\0\0GNU\0abcd", info[64] = "................\xff Go buildinf:", broken[] = "\xff\xff\xff\xff\xff\xff\xff\xff\4\0\0\0Go\0\0";
  CHECK(is_go(PT_NOTE, 4000, note, sizeof note - 1));
  CHECK(!is_go(PT_NOTE, 4000, other, sizeof other - 1));
  CHECK(!is_go(PT_NOTE, 4000, broken, sizeof broken - 1));
  CHECK(is_go(PT_LOAD, 20000, info, sizeof info));
  CHECK(!is_go(PT_LOAD, 20000, "nothing of the kind", 19));
  int self = open("/proc/self/exe", O_RDONLY), text = file_of("#!/bin/sh\n", 10);
  CHECK(self >= 0 && !runtime_is_go(self) && !runtime_is_go(text));
}

static bool is_runtime(const char *exe, const char *expected) {
  char runtime[DETAIL_RUNTIME] = "";
  int proc_fd = open("/proc", O_RDONLY | O_DIRECTORY);
  runtime_of(proc_fd, (uint32_t)getpid(), exe, runtime);
  close(proc_fd);
  return strcmp(runtime, expected) == 0;
}

static void interpreters_are_told_by_their_name(void) {
  CHECK(is_runtime("java", "jvm") && is_runtime("python3.11", "python") && is_runtime("node", "node") && is_runtime("php-fpm8.2", "php") && is_runtime("beam.smp", "erlang"));
  CHECK(is_runtime("javac-wrapper", "") && is_runtime("pythonic", "") && is_runtime("", "") && is_runtime("nginx", ""));
}

/* ── a real process ────────────────────────────────────────────────────────── */

/* A sleeping child with this environment; its pid. */
static pid_t sleeper(char *const environment[]) {
  int ready[2];
  char byte;
  CHECK(pipe2(ready, O_CLOEXEC) == 0);
  pid_t pid = fork();
  if (pid == 0) {
    execle("/bin/sleep", "sleep", "1000", NULL, environment);
    _exit(1);
  }
  close(ready[1]);
  CHECK(pid > 0 && read(ready[0], &byte, 1) == 0);     /* exec closed it */
  close(ready[0]);
  return pid;
}

static void only_named_settings_of_an_environment_are_told(void) {
  char *environment[] = {"AWS_SECRET_ACCESS_KEY=hunter2", "GOMEMLIMIT=400MiB", "XGOGC=1", "GOGC=50", "JAVA_TOOL_OPTIONS=-Xmx1g -Dpassword=hunter2", "LAST=x", NULL};
  struct detail d;
  pid_t pid = sleeper(environment);
  int proc_fd = open("/proc", O_RDONLY | O_DIRECTORY);
  detail_read(proc_fd, (uint32_t)pid, &d);
  CHECK(strcmp(d.settings, "GOMEMLIMIT=400MiB\nGOGC=50") == 0);
  CHECK(d.environ_read && strcmp(d.command, "sleep 1000") == 0 && d.exe[0] != '\0' && d.start_ns != 0);
  kill(pid, SIGKILL);
  waitpid(pid, NULL, 0);
  detail_read(proc_fd, (uint32_t)pid, &d);
  CHECK(!d.environ_read && d.start_ns == 0 && d.command[0] == '\0');
  close(proc_fd);
}

/* ── rounds ────────────────────────────────────────────────────────────────── */

static struct stream stream;
static struct memcgs table;
static struct processes processes;
static char root[64];

static void put(const char *file, const char *format, unsigned value) {
  char path[128], text[160];
  snprintf(path, sizeof path, "%s/%s", root, file);
  int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0644), length = snprintf(text, sizeof text, format, value);
  CHECK(fd >= 0 && write(fd, text, (size_t)length) == length);
  close(fd);
}

static void tree(int max) {
  char path[128];
  snprintf(root, sizeof root, "/tmp/oomscope-test-XXXXXX");
  CHECK(mkdtemp(root) != NULL);
  snprintf(path, sizeof path, "%s/a", root);
  CHECK(mkdir(path, 0755) == 0);
  put("a/memory.current", "%u\n", 4096);
  put("memory.current", "%u\n", 4096);
  snprintf(path, sizeof path, "%s/a/plain", root);
  CHECK(mkdir(path, 0755) == 0);
  put("a/plain/memory.pressure", "some avg10=0.00 avg60=0.00 avg300=0.00 total=%u\nfull avg10=0.00 avg60=0.00 avg300=0.00 total=0\n", 7);
  memset(&table, 0, sizeof table);
  stream_init(&stream, 0, -1);
  table.version = 2;
  snprintf(table.root, sizeof table.root, "%s", root);
  CHECK_EQUAL(memcgs_init(&table, &stream, 16), 0);
  watch_walk(&table, 1);
  test_take(&stream);
  CHECK_EQUAL(processes_init(&processes, &table, max), 0);
}

static void finish(void) {
  char command[128];
  snprintf(command, sizeof command, "rm -rf -- '%s'", root);
  CHECK(system(command) == 0);
  close(table.root_fd);
  close(table.inotify_fd);
  close(processes.proc_fd);
}

/* Everything that a new round would say. */
static void whole_round(void) {
  uint32_t rounds = processes.rounds;
  processes.begun_ns = 0;
  while (processes.rounds == rounds) processes_tick(&processes, now_ns());
  test_take(&stream);
}

static void a_process_is_told_once_with_the_memcg_that_pays_for_it(void) {
  pid_t pid = sleeper((char *[]){NULL});
  tree(8);
  put("a/plain/cgroup.procs", "%u\n", (unsigned)pid);
  put("a/cgroup.procs", "0\n%u\n", (unsigned)getpid());
  whole_round();
  CHECK_EQUAL(test_count(KIND_PROCESS), 2);
  uint64_t paying = table.slot[memcg_find_name(&table, memcg_find_name(&table, -1, ""), "a")].id;
  for (int i = 0; i < 2; i++) CHECK_EQUAL(test_find(KIND_PROCESS, i)->field[2].u, paying);
  CHECK_EQUAL(test_count(KIND_PROCESS_MEMORY), 2);
  CHECK_EQUAL(test_count(KIND_NOTICE), 1);     /* of another PID namespace */
  whole_round();
  CHECK_EQUAL(test_count(KIND_PROCESS), 0);
  kill(pid, SIGKILL);
  waitpid(pid, NULL, 0);
  put("a/plain/cgroup.procs", "", 0);
  whole_round();
  CHECK_EQUAL(test_count(KIND_PROCESS_END), 1);
  CHECK_EQUAL(test_find(KIND_PROCESS_END, 0)->field[0].u, (uint64_t)pid);
  processes_keyframe(&processes, 9);
  test_take(&stream);
  CHECK(test_count(KIND_PROCESS) == 1 && test_find(KIND_PROCESS, 0)->field[0].u == (uint64_t)getpid());
  finish();
}

static void one_that_moves_does_not_end(void) {
  pid_t pid = sleeper((char *[]){NULL});
  tree(8);
  put("a/cgroup.procs", "%u\n", (unsigned)pid);
  put("cgroup.procs", "", 0);
  whole_round();
  put("a/cgroup.procs", "", 0);
  whole_round();
  CHECK_EQUAL(test_count(KIND_PROCESS_END), 0);
  put("cgroup.procs", "%u\n", (unsigned)pid);
  whole_round();
  CHECK(test_count(KIND_PROCESS_END) == 0 && test_count(KIND_PROCESS) == 1);
  CHECK_EQUAL(test_find(KIND_PROCESS, 0)->field[2].u, table.slot[memcg_find_name(&table, -1, "")].id);
  kill(pid, SIGKILL);
  waitpid(pid, NULL, 0);
  finish();
}

/* A process that starts in a new memcg is found while that is only milliseconds old, and the memcg is left alone once it is two seconds old. */
static void a_newborn_memcg_is_looked_at_as_its_age_asks_for(void) {
  char path[128];
  tree(8);
  CHECK(processes_wake_ns(&processes) == UINT64_MAX);
  snprintf(path, sizeof path, "%s/new", root);
  CHECK(mkdir(path, 0755) == 0);
  watch_drain(&table);
  uint64_t born = table.newborn[0].born_ns;
  CHECK(table.newborns == 1 && processes_wake_ns(&processes) == born + 4 * NS_PER_MS);
  put("new/cgroup.procs", "%u\n", (unsigned)getpid());
  int looks = 0;
  uint64_t wake = 0, before = born;
  for (; (wake = processes_wake_ns(&processes)) != UINT64_MAX && looks < 100; looks++, before = wake) {
    processes_look_at_newborn(&processes, wake);
    CHECK(wake - before >= 4 * NS_PER_MS && wake - born <= 4 * NS_PER_S);
    test_take(&stream);
    if (looks == 0) CHECK(test_count(KIND_PROCESS) == 1 && test_find(KIND_PROCESS, 0)->field[0].u == (uint64_t)getpid());
  }
  CHECK(looks > 8 && looks < 30);
  finish();
}

/* On a slow machine what goes before them takes longer than the time that they may take: processes are found all the same. */
static void a_late_tick_reads_processes_all_the_same(void) {
  tree(8);
  put("cgroup.procs", "%u\n", (unsigned)getpid());
  put("a/cgroup.procs", "", 0);
  put("a/plain/cgroup.procs", "", 0);
  for (int i = 0; i < 1000 && processes.rounds == 0; i++) processes_tick(&processes, now_ns() - NS_PER_S);
  CHECK_EQUAL(processes.rounds, 1);
  test_take(&stream);
  CHECK_EQUAL(test_count(KIND_PROCESS), 1);
  /* out of time before it begins */
  put("a/cgroup.procs", "%u\n", (unsigned)getppid());
  processes_read_memcg(&processes, memcg_find_name(&table, memcg_find_name(&table, -1, ""), "a"), 0);
  test_take(&stream);
  CHECK_EQUAL(test_count(KIND_PROCESS), 1);
  finish();
}

static void what_does_not_fit_is_counted(void) {
  pid_t pid = sleeper((char *[]){NULL});
  tree(1);
  put("a/cgroup.procs", "%u\n", (unsigned)pid);
  put("cgroup.procs", "%u\n", (unsigned)getpid());
  whole_round();
  CHECK_EQUAL(test_count(KIND_PROCESS), 1);
  CHECK_EQUAL(stream.loss[LOSS_process].count, 1);
  kill(pid, SIGKILL);
  waitpid(pid, NULL, 0);
  finish();
}

/* ── the reading child ─────────────────────────────────────────────────────── */

static void wait_for_answer(struct detail_reader *d, struct detail_reply *reply) {
  while (!detail_take(d, reply) && d->pid != 0) {}
}

static void the_child_answers_and_is_replaced_when_it_dies_or_hangs(void) {
  static struct detail_reader d;
  static struct detail_reply reply;
  stream_init(&stream, 0, -1);
  detail_start(&d, &stream);
  CHECK(detail_is_idle(&d));
  detail_ask(&d, (uint32_t)getpid(), now_ns());
  wait_for_answer(&d, &reply);
  CHECK(reply.pid == (uint32_t)getpid() && strstr(reply.detail.command, "test_processes") != NULL && detail_is_idle(&d));
  kill(d.pid, SIGKILL);
  detail_ask(&d, 1, now_ns());
  wait_for_answer(&d, &reply);
  CHECK(!detail_is_idle(&d) && detail_watch(&d, now_ns()) == 0 && d.pid == 0);
  CHECK(detail_watch(&d, now_ns() + 2 * NS_PER_S) == 0 && detail_is_idle(&d));
  kill(d.pid, SIGSTOP);
  detail_ask(&d, 4242, now_ns());
  CHECK_EQUAL(detail_watch(&d, now_ns()), 0);
  /* the loop has read its clock before it asked */
  CHECK_EQUAL(detail_watch(&d, d.asked_ns - 1), 0);
  CHECK_EQUAL(detail_watch(&d, now_ns() + 3 * NS_PER_S), 4242);
  CHECK(detail_is_idle(&d));
  detail_ask(&d, (uint32_t)getpid(), now_ns());
  wait_for_answer(&d, &reply);
  CHECK(reply.pid == (uint32_t)getpid());
  detail_stop(&d);
  CHECK(!detail_is_idle(&d) && detail_watch(&d, now_ns() + 9 * NS_PER_S) == 0 && d.pid == 0);
  test_take(&stream);
  CHECK_EQUAL(test_count(KIND_NOTICE), 1);
}

int main(void) {
  event_init();
  signal(SIGPIPE, SIG_IGN);     /* as the bridge does */
  a_status_is_read();
  a_process_without_memory_is_told_from_a_kernel_thread();
  a_cut_status_is_survived();
  the_beginning_is_told_whatever_the_name();
  a_list_is_read();
  secrets_of_a_command_line_are_masked();
  a_long_command_line_is_cut_between_characters();
  go_programs_are_told_by_what_the_linker_leaves();
  interpreters_are_told_by_their_name();
  only_named_settings_of_an_environment_are_told();
  a_process_is_told_once_with_the_memcg_that_pays_for_it();
  one_that_moves_does_not_end();
  a_newborn_memcg_is_looked_at_as_its_age_asks_for();
  a_late_tick_reads_processes_all_the_same();
  what_does_not_fit_is_counted();
  the_child_answers_and_is_replaced_when_it_dies_or_hangs();
  return test_done("processes");
}
