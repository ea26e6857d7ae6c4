/* A thread that works when something came, and once a second at the least; whoever ends it is heard between two pieces of its work. */
#ifndef CU_HTTP_TICK_H
#define CU_HTTP_TICK_H

#include <pthread.h>
#include <stdbool.h>

struct cu_tick {
    pthread_mutex_t lock;
    pthread_cond_t came;
    bool news, ending;
};
void cu_tick_init(struct cu_tick *t);
void cu_tick_destroy(struct cu_tick *t);
void cu_tick_wake(struct cu_tick *t); /* something came. Any thread */
void cu_tick_end(struct cu_tick *t);
bool cu_tick_wait(struct cu_tick *t); /* false: it is over */
bool cu_tick_over(struct cu_tick *t);

#endif
