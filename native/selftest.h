/* selftest.h: attached is not working: causes one event of each kind and waits until the probe tells it. */
#ifndef OOMSCOPE_SELFTEST_H
#define OOMSCOPE_SELFTEST_H

#include "line.h"
#include "stimulus.h"

enum selftest_number { TEST_BIRTH, TEST_DEATH, TEST_RECLAIM, TEST_SIGNAL, TEST_EXIT, TEST_BADNESS, TEST_OOM, TESTS };

enum selftest_phase { PHASE_IDLE, PHASE_CHILD, PHASE_DYING, PHASE_REMOVING, PHASE_OOM, PHASE_OOM_DYING, PHASE_OOM_REMOVING, PHASE_WAITING, PHASE_OVER };

struct selftest {
  struct stream *out;
  struct memcgs *memcgs;          /* version 0: there is no memory controller */
  struct {
    bool wanted, started, done;
    uint64_t begun_ns, goal;      /* goal: rows that the tracer had printed when it was heard first since; 0: not yet */
    uint32_t heard;               /* how often it was heard since */
  } test[TESTS];
  uint64_t come;                  /* rows that have come of those it printed, or are known to be lost */
  struct stimulus plain, oom;
  enum selftest_phase phase;
  uint64_t phase_deadline_ns, forget_ns;
  bool is_listening;              /* rows of our own may still come */
  uint32_t oom_kinds;             /* bit kind-30 for each row seen of the oom test */
};

/* names: "memcg_birth,signal,…". False when one is unknown. */
bool selftest_init(struct selftest *s, const char *names);
/* Call once the tracer is ready. */
void selftest_start(struct selftest *s, uint64_t now);
/* All tests again, once the tracer is ready the next time. */
void selftest_renew(struct selftest *s);
/* Drives the tests on; never blocks. */
void selftest_step(struct selftest *s, uint64_t now);
/* The tracer says how many rows it has printed; `come` of them are accounted for: as long as one is under way, a test has not failed. */
void selftest_heard(struct selftest *s, uint64_t printed, uint64_t come);
/* True when a row was caused by the self-test and must not be sent. */
bool selftest_owns(struct selftest *s, const struct fact *fact);
bool selftest_owns_counter(struct selftest *s, int counter, uint64_t key, uint64_t value);
bool selftest_owns_key(const struct selftest *s, uint64_t key);
/* Fails what is left, or says nothing about it when `why` is NULL (nobody waits for an answer), and removes what was made. */
void selftest_end(struct selftest *s, const char *why);
/* Readable when the child has something to say; -1: nothing to poll. */
int selftest_fd(const struct selftest *s);

#endif
