/* Signatures checked on every core: a batch is cut into slices, each lane takes the next one with its own verifier.
 *
 * The lane that asks works too, so a small batch costs no hand-over. One call of cu_pool_prepare at a time.
 */
#include "engine/embedded/inside.h"

#include <stdlib.h>

#define SLICE 32u

struct lane {
    struct cu_pool *pool;
    struct cu_verifier by;
    void *memory;
    pthread_t thread;
};

struct cu_pool {
    struct cu_machine machine;
    pthread_mutex_t lock;
    pthread_cond_t work, idle;
    struct cu_submission *subs;
    size_t n, next, busy;
    bool ending;
    unsigned lanes_n, threads_n;
    struct lane lane[];
};

/* Take slices until none is left. The lock is held on entry and on return. */
static void take_slices(struct cu_pool *pool, struct lane *lane)
{
    while (pool->next < pool->n) {
        struct cu_submission *subs = pool->subs + pool->next;
        size_t n = pool->n - pool->next < SLICE ? pool->n - pool->next : SLICE;

        pool->next += n;
        pool->busy++;
        pthread_mutex_unlock(&pool->lock);
        pool->machine.prepare(pool->machine.self, subs, n, &lane->by);
        pthread_mutex_lock(&pool->lock);
        pool->busy--;
    }
    if (pool->busy == 0) pthread_cond_signal(&pool->idle);
}

static void *run_lane(void *arg)
{
    struct lane *lane = arg;
    struct cu_pool *pool = lane->pool;

    pthread_mutex_lock(&pool->lock);
    while (!pool->ending) {
        if (pool->next < pool->n) take_slices(pool, lane);
        else pthread_cond_wait(&pool->work, &pool->lock);
    }
    pthread_mutex_unlock(&pool->lock);
    return NULL;
}

void cu_pool_prepare(struct cu_pool *pool, struct cu_submission *subs, size_t n)
{
    pthread_mutex_lock(&pool->lock);
    pool->subs = subs;
    pool->n = n;
    pool->next = 0;
    if (n > SLICE) pthread_cond_broadcast(&pool->work);
    take_slices(pool, &pool->lane[0]);
    while (pool->busy > 0) pthread_cond_wait(&pool->idle, &pool->lock);
    pthread_mutex_unlock(&pool->lock);
}

static cu_status lane_open(struct cu_pool *pool, struct lane *lane, bool accelerate, struct cu_err *err)
{
    size_t size = cu_verifier_cached_size(CU_KEYS_MAX);

    lane->pool = pool;
    lane->memory = malloc(size);
    ENSURE(lane->memory, err, CU_NO_MEMORY, "no memory for a checker of signatures");
    return cu_verifier_fastest(accelerate, lane->memory, size, &lane->by, err);
}

void cu_pool_free(struct cu_pool *pool)
{
    if (!pool) return;
    pthread_mutex_lock(&pool->lock);
    pool->ending = true;
    pthread_cond_broadcast(&pool->work);
    pthread_mutex_unlock(&pool->lock);
    for (unsigned i = 1; i <= pool->threads_n; i++) pthread_join(pool->lane[i].thread, NULL);
    for (unsigned i = 0; i < pool->lanes_n; i++) {
        if (pool->lane[i].by.free) pool->lane[i].by.free(pool->lane[i].by.self);
        free(pool->lane[i].memory);
    }
    pthread_mutex_destroy(&pool->lock);
    pthread_cond_destroy(&pool->work);
    pthread_cond_destroy(&pool->idle);
    free(pool);
}

static void pool_free_at(struct cu_pool **pool) { cu_pool_free(*pool); }

cu_status cu_pool_new(struct cu_machine machine, unsigned threads, bool accelerate, struct cu_pool **ret, struct cu_err *err)
{
    unsigned lanes = threads < 1 ? 1 : threads > CU_ENGINE_THREADS_MAX ? CU_ENGINE_THREADS_MAX : threads;
    CU_CLEANUP(pool_free_at) struct cu_pool *pool = calloc(1, sizeof *pool + lanes * sizeof pool->lane[0]);

    ENSURE(pool, err, CU_NO_MEMORY, "no memory for workers");
    pool->machine = machine;
    pool->lanes_n = lanes;
    pthread_mutex_init(&pool->lock, NULL);
    pthread_cond_init(&pool->work, NULL);
    pthread_cond_init(&pool->idle, NULL);
    for (unsigned i = 0; i < lanes; i++) TRY(lane_open(pool, &pool->lane[i], accelerate, err));
    for (unsigned i = 1; i < lanes; i++, pool->threads_n++)
        ENSURE(pthread_create(&pool->lane[i].thread, NULL, run_lane, &pool->lane[i]) == 0, err, CU_NO_MEMORY,
               "no thread for a worker");
    *ret = pool;
    pool = NULL;
    return CU_OK;
}
