/* One mutex, one condition, a count a lane: a slot is a megabyte or so, a thousand hand-overs a second do not show. */
#include "content/crew.h"

#include <pthread.h>
#include <stdlib.h>

struct worker {
    struct cu_crew *crew;
    struct cu_lane lane;
    pthread_t thread;
    uint64_t passed; /* slots, guarded by the crew's lock */
    bool running;
};

struct cu_crew {
    pthread_mutex_t lock;
    pthread_cond_t moved;
    struct worker worker[CU_LANES_MAX];
    unsigned n;
    size_t slots;
    uint64_t head; /* slots submitted */
    bool threads, stop;
    cu_status status; /* by (3) */
    struct cu_err err;
};

static uint64_t least_passed(const struct cu_crew *c, unsigned lanes)
{
    uint64_t least = c->head;
    for (unsigned i = 0; i < c->n; i++)
        if ((lanes >> i & 1) && c->worker[i].passed < least) least = c->worker[i].passed;
    return least;
}

static bool is_mine(const struct cu_lane *lane, uint64_t number) { return lane->of == 0 || number % lane->of == lane->share; }

/* Called with the lock held; lets go of it while at work. */
static void work_one(struct worker *w)
{
    struct cu_crew *c = w->crew;
    uint64_t number = w->passed;

    if (c->status == CU_OK && is_mine(&w->lane, number)) {
        struct cu_err err = { 0 };
        pthread_mutex_unlock(&c->lock);
        cu_status status = w->lane.work(w->lane.arg, (size_t)(number % c->slots), &err);
        pthread_mutex_lock(&c->lock);
        if (status != CU_OK && c->status == CU_OK) c->status = status, c->err = err;
    }
    w->passed++;
    pthread_cond_broadcast(&c->moved);
}

static void *run_lane(void *arg)
{
    struct worker *w = arg;
    struct cu_crew *c = w->crew;

    pthread_mutex_lock(&c->lock);
    while (!c->stop) {
        if (w->passed < least_passed(c, w->lane.after)) work_one(w);
        else pthread_cond_wait(&c->moved, &c->lock);
    }
    pthread_mutex_unlock(&c->lock);
    return NULL;
}

cu_status cu_crew_new(const struct cu_lane *lanes, unsigned n, size_t slots, bool threads, struct cu_crew **ret,
                      struct cu_err *err)
{
    CU_ASSERT(n <= CU_LANES_MAX && slots > 0);
    struct cu_crew *c = calloc(1, sizeof *c);
    ENSURE(c, err, CU_NO_MEMORY, "no memory for a crew");
    c->n = n;
    c->slots = slots;
    c->threads = threads;
    pthread_mutex_init(&c->lock, NULL);
    pthread_cond_init(&c->moved, NULL);
    for (unsigned i = 0; i < n; i++) {
        CU_ASSERT(lanes[i].after >> i == 0);
        c->worker[i] = (struct worker){ .crew = c, .lane = lanes[i] };
    }
    for (unsigned i = 0; i < n && threads; i++) {
        if (pthread_create(&c->worker[i].thread, NULL, run_lane, &c->worker[i]) != 0) {
            cu_crew_free(c);
            return cu_fail(err, CU_NO_MEMORY, "no further thread can be started");
        }
        c->worker[i].running = true;
    }
    *ret = c;
    return CU_OK;
}

static cu_status own_failure(const struct cu_crew *c, struct cu_err *err)
{
    if (c->status != CU_OK && err) *err = c->err;
    return c->status;
}

cu_status cu_crew_claim(struct cu_crew *c, size_t *ret_slot, struct cu_err *err)
{
    pthread_mutex_lock(&c->lock);
    while (c->head - least_passed(c, ~0u) >= c->slots) pthread_cond_wait(&c->moved, &c->lock);
    *ret_slot = (size_t)(c->head % c->slots);
    cu_status status = own_failure(c, err);
    pthread_mutex_unlock(&c->lock);
    return status;
}

void cu_crew_submit(struct cu_crew *c)
{
    pthread_mutex_lock(&c->lock);
    c->head++;
    pthread_cond_broadcast(&c->moved);
    for (unsigned i = 0; i < c->n && !c->threads; i++) work_one(&c->worker[i]);
    pthread_mutex_unlock(&c->lock);
}

bool cu_crew_has_threads(const struct cu_crew *c) { return c->threads; }
uint64_t cu_crew_submitted(const struct cu_crew *c) { return c->head; }

cu_status cu_crew_wait(struct cu_crew *c, unsigned lanes, uint64_t n, struct cu_err *err)
{
    CU_ASSERT(n <= c->head);
    pthread_mutex_lock(&c->lock);
    while (least_passed(c, lanes) < n) pthread_cond_wait(&c->moved, &c->lock);
    cu_status status = own_failure(c, err);
    pthread_mutex_unlock(&c->lock);
    return status;
}

void cu_crew_free(struct cu_crew *c)
{
    if (!c) return;
    pthread_mutex_lock(&c->lock);
    c->stop = true;
    pthread_cond_broadcast(&c->moved);
    pthread_mutex_unlock(&c->lock);
    for (unsigned i = 0; i < c->n; i++)
        if (c->worker[i].running) pthread_join(c->worker[i].thread, NULL);
    pthread_cond_destroy(&c->moved);
    pthread_mutex_destroy(&c->lock);
    free(c);
}
