/* test_zones.c: /proc/zoneinfo, buddyinfo and slabinfo, as real kernels write them and as nobody should. */
#include <unistd.h>

#include "test.h"
#include "util.h"
#include "zones.h"

static struct stream stream;

static int file_of(const char *text) {
  char path[] = "/tmp/oomscope-test-XXXXXX";
  int fd = mkstemp(path);
  CHECK(fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text));
  unlink(path);
  return fd;
}

/* Samples these three files, "" for one that cannot be read. */
static void sample(const char *zoneinfo, const char *buddyinfo, const char *slabinfo) {
  const char *text[3] = {zoneinfo, buddyinfo, slabinfo};
  int fd[3];
  for (int i = 0; i < 3; i++) fd[i] = text[i][0] == '\0' ? -1 : file_of(text[i]);
  stream_init(&stream, 0, -1);
  struct zones z = {.out = &stream, .zoneinfo_fd = fd[0], .buddyinfo_fd = fd[1], .slabinfo_fd = fd[2]};
  zones_sample(&z, 7);
  test_take(&stream);
  for (int i = 0; i < 3; i++) close(fd[i]);
}

static void a_zone_is_told_with_its_watermarks(void) {
  sample("Node 0, zone    DMA32\n  per-node stats\n      nr_inactive_anon 275718\n  pages free     510000\n        boost    2\n        min      501\n        low      1205\n"
         "        high     1909\n        promo    2613\n        spanned  1044480\n        present  782308\n        managed  765924\n        cma      0\n"
         "        protection: (0, 0, 20933, 20933)\n      nr_free_pages 510000\n  pagesets\n    cpu: 0\n              count:    325\n              high:     14052\n"
         "Node 0, zone  Movable\n  pages free     0\n        min      32\n        low      32\n        high     32\n        spanned  0\n        managed  0\n        protection: (0, 0)\n"
         "Node 1, zone   Normal\n  pages free     17\n        min      23\n        low      28\n        high     33\n        managed  3840\n        protection: (0)\n", "", "");
  CHECK_EQUAL(test_count(KIND_NODE_ZONE), 2);
  static const uint64_t dma32[] = {510000, 501, 1205, 1909, 765924};
  const struct test_row *row = test_find(KIND_NODE_ZONE, 0);
  CHECK(row->field[0].u == 0 && test_is_text(&row->field[1], "DMA32"));
  for (int i = 0; i < 5; i++) CHECK_EQUAL(row->field[2 + i].u, dma32[i]);
  CHECK(row->field[7].type == 'a' && row->field[7].u == 4 && row->field[8 + 2].u == 20933);
  row = test_find(KIND_NODE_ZONE, 1);
  CHECK(row->field[0].u == 1 && test_is_text(&row->field[1], "Normal") && row->field[2].u == 17);
}

/* A node with hundreds of CPUs writes more than one buffer of per-cpu lists between two zones. */
static void a_long_file_is_read_to_its_end(void) {
  static char text[1 << 20];
  size_t length = 0;
  for (int zone = 0; zone < 3; zone++) {
    length += (size_t)sprintf(text + length, "Node 0, zone     Z%d\n  pages free     %d\n min 1\n low 2\n high 3\n managed 9\n protection: (0)\n", zone, 100 + zone);
    for (int cpu = 0; cpu < 4000; cpu++) length += (size_t)sprintf(text + length, "    cpu: %d\n              count: 1\n              high:  2\n", cpu);
  }
  sample(text, "", "");
  CHECK_EQUAL(test_count(KIND_NODE_ZONE), 3);
  for (int zone = 0; zone < 3; zone++) CHECK_EQUAL(test_find(KIND_NODE_ZONE, zone)->field[2].u, 100 + zone);
}

static void free_blocks_are_told_by_order(void) {
  sample("", "Node 0, zone      DMA      0      0      1 \nNode 12, zone   Normal   3713   1608    555    711    946    466    190     46    456      3   1155 \n", "");
  CHECK_EQUAL(test_count(KIND_NODE_BUDDY), 2);
  const struct test_row *row = test_find(KIND_NODE_BUDDY, 1);
  CHECK(row->field[0].u == 12 && test_is_text(&row->field[1], "Normal") && row->field[2].u == 11 && row->field[3].u == 3713 && row->field[13].u == 1155);
}

static void the_largest_slab_caches_are_told_in_order(void) {
  char text[4096];
  int length = sprintf(text, "slabinfo - version: 2.1\n# name            <active_objs> <num_objs> <objsize> <objperslab> <pagesperslab> : tunables <limit> : slabdata <active_slabs> <num_slabs> <sharedavail>\n");
  for (int i = 0; i < 30; i++)
    length += sprintf(text + length, "cache-%d  %d 40 256 16 2 : tunables 0 0 0 : slabdata %d %d 0\n", i, i, i, (i * 7) % 30);
  sprintf(text + length, "empty 0 0 8 512 1 : tunables 0 0 0 : slabdata 0 0 0\n\x1b[31m 1 1 8 512 1 : tunables 0 0 0 : slabdata 99 99 0\n");
  sample("", "", text);
  CHECK_EQUAL(test_count(KIND_NODE_SLAB), SLAB_TOP);
  uint64_t before = UINT64_MAX;
  for (int i = 0; i < SLAB_TOP; i++) {
    const struct test_row *row = test_find(KIND_NODE_SLAB, i);
    CHECK(row->field[0].u == (uint64_t)i && row->field[5].u <= before);
    before = row->field[5].u;
  }
  const struct test_row *first = test_find(KIND_NODE_SLAB, 0);
  CHECK_EQUAL(first->field[5].u, 99 * (uint64_t)sysconf(_SC_PAGESIZE));
  CHECK(test_is_text(&first->field[1], " [31m"));
  CHECK(test_is_text(&test_find(KIND_NODE_SLAB, 1)->field[1], "cache-17"));
}

static void what_is_no_such_file_tells_nothing(void) {
  static const char *const odd[] = {"Node", "Node 0, zone", "Node 0, zone \n", "protection: (1)\n", "Node 0, zone Normal\n  pages free 18446744073709551616\n protection: ()\n",
                                    "Node 0, zone Normal\n pages free\n", "a b c d e f : slabdata\n", "x 1 1 1 1 18446744073709551615 : tunables 0 0 0 : slabdata 1 18446744073709551615 0\n"};
  for (size_t i = 0; i < sizeof odd / sizeof odd[0]; i++) {
    sample(odd[i], "", odd[i]);
    CHECK_EQUAL(test_count(KIND_NODE_ZONE) + test_count(KIND_NODE_SLAB), 0);
  }
  sample("", "", "");
  CHECK_EQUAL(test_read.rows, 0);
}

int main(void) {
  event_init();
  a_zone_is_told_with_its_watermarks();
  a_long_file_is_read_to_its_end();
  free_blocks_are_told_by_order();
  the_largest_slab_caches_are_told_in_order();
  what_is_no_such_file_tells_nothing();
  return test_done("zones");
}
