/* processes_say.h: rows about processes, sent when they are news, and again in keyframes. */
#ifndef OOMSCOPE_PROCESSES_SAY_H
#define OOMSCOPE_PROCESSES_SAY_H

#include "processes.h"

void say_process(struct processes *p, int place, uint64_t ts_ns);
void say_detail(struct processes *p, int place, uint64_t ts_ns);
/* Its memory, when it moved enough; any change where a limit is near. */
void say_memory_news(struct processes *p, int place, bool is_urgent);
void say_end(struct processes *p, int place, uint64_t ts_ns);
/* All of it, for a keyframe. */
void say_again(struct processes *p, int place, uint64_t ts_ns);

#endif
