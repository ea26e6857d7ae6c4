#include "http/tick.h"

#include <time.h>

#define TICK_S 1

void cu_tick_init(struct cu_tick *t)
{
    pthread_mutex_init(&t->lock, NULL);
    pthread_cond_init(&t->came, NULL);
}

void cu_tick_destroy(struct cu_tick *t)
{
    pthread_mutex_destroy(&t->lock);
    pthread_cond_destroy(&t->came);
}

static void tell(struct cu_tick *t, bool *what)
{
    pthread_mutex_lock(&t->lock);
    *what = true;
    pthread_cond_signal(&t->came);
    pthread_mutex_unlock(&t->lock);
}

void cu_tick_wake(struct cu_tick *t) { tell(t, &t->news); }
void cu_tick_end(struct cu_tick *t) { tell(t, &t->ending); }

bool cu_tick_wait(struct cu_tick *t)
{
    struct timespec until;

    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec += TICK_S;
    pthread_mutex_lock(&t->lock);
    if (!t->news && !t->ending) pthread_cond_timedwait(&t->came, &t->lock, &until);
    t->news = false;
    const bool ending = t->ending;
    pthread_mutex_unlock(&t->lock);
    return !ending;
}

bool cu_tick_over(struct cu_tick *t)
{
    pthread_mutex_lock(&t->lock);
    const bool ending = t->ending;
    pthread_mutex_unlock(&t->lock);
    return ending;
}
