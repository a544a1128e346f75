/* protect.h: keeps the bridge alive and quick while the node is out of memory. */
#ifndef OOMSCOPE_PROTECT_H
#define OOMSCOPE_PROTECT_H

#include "frame.h"

/* Descriptor limit; before the table of memcgs is made. */
void protect_files(void);
/* Signals, name, parent-death signal, priority. */
void protect_process(void);
/* In a child of ours: the priority that the bridge was started with. */
void protect_child(void);
/* Memory lock and oom_score_adj; a refusal is a notice. After everything is reserved. */
void protect_memory(struct stream *out);
/* True once SIGINT or SIGTERM came; how many. */
int protect_stops(void);
/* The signal mask to poll with: signals are only delivered there. */
const void *protect_poll_mask(void);

#endif
