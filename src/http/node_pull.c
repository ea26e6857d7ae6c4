/* Content that the node's own store lacks comes from provider and peers: a thread beside the keeper, with a place of its own to read with. */
#include "http/node_inside.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

enum { TICK_MS = 1000, LINE_MAX = 2048 };

struct cu_pull {
    struct cu_reader reader, reads_again;
    struct cu_withheld lost[CU_WITHHELD_MAX],
        untold[CU_WITHHELD_MAX]; /* found by the patrol; not on record yet: the puller's own */
    size_t lost_n, untold_n;
    uint64_t debt;                  /* µs: what the patrol spent and has not waited for */
    _Atomic uint64_t rounds, found; /* its rounds, and what it found */
    struct cu_copier *copier;
    pthread_mutex_t lock;
    pthread_cond_t changed;
    bool news, ending, runs, patrols;
    pthread_t thread, patrol;
    char said[sizeof((struct cu_err *)NULL)->text]; /* what went wrong last, so that it is told once */
};

/* ---- what it tells the node ---- */
static void held(void *arg, cu_seq seq) { cu_node_hold(arg, seq.v); }

static cu_status withheld(void *arg, const struct cu_withheld *what, size_t n, struct cu_err *err)
{
    struct cu_node *node = arg;

    pthread_mutex_lock(&node->act);
    const cu_status recorded = cu_withheld_record(node->config.place, CU_INCIDENT_WITHHELD, what, n, err);
    pthread_mutex_unlock(&node->act);
    cu_http_wake(node->server);
    return recorded;
}

static void log_failure(struct cu_node *node, struct cu_pull *p, const char *why)
{
    CU_BUF line = cu_buf_heap(LINE_MAX);
    struct cu_json j = cu_json_on(&line);

    pthread_mutex_lock(&p->lock);
    const bool known = strcmp(p->said, why) == 0;
    snprintf(p->said, sizeof p->said, "%s", why);
    pthread_mutex_unlock(&p->lock);
    if (known || !*why || !node->config.log) return;
    cu_json_open(&j, NULL, '{');
    cu_json_time(&j, "time", cu_place_now(&p->reader.place));
    cu_json_str(&j, "copies", "not brought");
    cu_json_str(&j, "error", why);
    cu_json_close(&j, '}');
    cu_buf_add_byte(&line, 0);
    if (cu_buf_ok(&line, NULL) == CU_OK) node->config.log(node->config.arg, (const char *)line.p);
}

/* ---- what the patrol found ---- */

static bool lost(void *arg, const struct cu_withheld *what)
{
    struct cu_pull *p = ((struct cu_node *)arg)->pull;

    pthread_mutex_lock(&p->lock);
    while (p->lost_n == CU_WITHHELD_MAX && !p->ending) pthread_cond_wait(&p->changed, &p->lock);
    if (!p->ending) p->lost[p->lost_n++] = *what, p->found++;
    p->news = true;
    pthread_cond_broadcast(&p->changed);
    const bool ending = p->ending;
    pthread_mutex_unlock(&p->lock);
    return !ending;
}

/* It is brought again at once; that it was lost goes on record when the ledger takes it. */
static void take_lost(struct cu_pull *p)
{
    pthread_mutex_lock(&p->lock);
    while (p->lost_n > 0 && p->untold_n < CU_WITHHELD_MAX) {
        const struct cu_withheld *what = &p->lost[--p->lost_n];
        const bool ours = strcmp(what->kind, CU_KIND_CHALLENGE) != 0;
        if (!ours || cu_copier_lost(p->copier, what)) p->untold[p->untold_n++] = *what;
    }
    pthread_cond_broadcast(&p->changed);
    pthread_mutex_unlock(&p->lock);
}

static cu_status record_lost(struct cu_node *node, struct cu_pull *p, bool challenges, struct cu_err *err)
{
    struct cu_withheld of[CU_WITHHELD_MAX];
    size_t n = 0, left = 0;

    for (size_t i = 0; i < p->untold_n; i++)
        if ((strcmp(p->untold[i].kind, CU_KIND_CHALLENGE) == 0) == challenges) of[n++] = p->untold[i];
    if (n == 0) return CU_OK;
    pthread_mutex_lock(&node->act);
    const cu_status recorded = cu_withheld_record(node->config.place, challenges ? CU_INCIDENT_CHALLENGE : CU_INCIDENT_DAMAGE, of,
                                                  n, err);
    pthread_mutex_unlock(&node->act);
    TRY(recorded);
    for (size_t i = 0; i < p->untold_n; i++)
        if ((strcmp(p->untold[i].kind, CU_KIND_CHALLENGE) == 0) != challenges) p->untold[left++] = p->untold[i];
    p->untold_n = left;
    cu_http_wake(node->server);
    return CU_OK;
}

/* ---- the threads ---- */
static cu_status round_of(struct cu_node *node, struct cu_pull *p, bool *ret_more, struct cu_err *err)
{
    *ret_more = false;
    if (cu_pushed_store(node->uploads.spool, cu_place_now(&p->reader.place).v)) cu_copier_again(p->copier);
    TRY(cu_reader_refresh(&p->reader, true, err));
    take_lost(p);
    if (node->config.copies.renew) TRY(node->config.copies.renew(node->config.arg, p->copier, err));
    if (node->config.ready) TRY(node->config.ready(node->config.arg, err));
    TRY(cu_copier_round(p->copier, ret_more, err));
    TRY(record_lost(node, p, false, err));
    return record_lost(node, p, true, err);
}

/* Some milliseconds are waited for together. */
static bool spend(void *arg, uint64_t bytes)
{
    enum { TOGETHER_US = 20000 };
    struct cu_node *node = arg;
    struct cu_pull *p = node->pull;
    struct timespec until;

    p->debt += bytes * 1000000 / node->config.copies.patrol;
    pthread_mutex_lock(&p->lock);
    if (p->debt >= TOGETHER_US) {
        clock_gettime(CLOCK_REALTIME, &until);
        const uint64_t ns = (uint64_t)until.tv_nsec + p->debt * 1000;
        until.tv_sec += (time_t)(ns / 1000000000);
        until.tv_nsec = (long)(ns % 1000000000);
        while (!p->ending && pthread_cond_timedwait(&p->changed, &p->lock, &until) == 0) continue;
        p->debt = 0;
    }
    const bool ending = p->ending;
    pthread_mutex_unlock(&p->lock);
    return !ending;
}

static void *patrol(void *arg)
{
    struct cu_node *node = arg;
    struct cu_pull *p = node->pull;
    const struct cu_node_copies *copies = &node->config.copies;
    struct cu_patrol state = { 0 };
    const struct cu_patrol_request r = { .p = &p->reads_again.place,
                                         .party = node->party,
                                         .provider = copies->challenged.ops ? &copies->challenged : NULL,
                                         .provider_url = copies->provider,
                                         .spend = spend,
                                         .lost = lost,
                                         .arg = node };

    do {
        struct cu_err err = { 0 };
        cu_status done = cu_reader_refresh(&p->reads_again, true, &err);
        if (done == CU_OK) done = cu_patrol_round(&state, &r, &err);
        p->rounds += done == CU_OK;
        if (done != CU_OK && done != CU_INTERRUPTED) log_failure(node, p, err.text);
    } while (spend(node, copies->patrol)); /* a second, whatever comes */
    return NULL;
}

static bool wait_a_tick(struct cu_pull *p, bool more)
{
    struct timespec until;

    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec += TICK_MS / 1000;
    pthread_mutex_lock(&p->lock);
    if (!more && !p->news && !p->ending) pthread_cond_timedwait(&p->changed, &p->lock, &until);
    p->news = false;
    const bool ending = p->ending;
    pthread_mutex_unlock(&p->lock);
    return !ending;
}

static void *puller(void *arg)
{
    struct cu_node *node = arg;
    struct cu_pull *p = node->pull;
    bool more = true;

    while (wait_a_tick(p, more)) {
        struct cu_err err = { 0 };
        const cu_status done = round_of(node, p, &more, &err);
        more = more && done == CU_OK;
        if (done != CU_INTERRUPTED) log_failure(node, p, done == CU_OK ? "" : err.text);
    }
    return NULL;
}

/* ---- starting and stopping ---- */
static cu_status open_pull(struct cu_node *node, struct cu_pull *p, struct cu_err *err)
{
    const struct cu_node_copies *copies = &node->config.copies;
    const struct cu_copy_request r = { .p = &p->reader.place,
                                       .party = node->party,
                                       .sources = copies->sources,
                                       .sources_n = copies->sources_n,
                                       .lanes = copies->lanes,
                                       .withheld_ms = copies->withheld_ms,
                                       .ending = copies->ending,
                                       .held = held,
                                       .withheld = withheld,
                                       .arg = node };

    TRY(cu_need_key(node->config.place, CU_SIGNER_ORGANISATION, err));
    TRY(cu_reader_open(node, &p->reader, err));
    if (copies->patrol) TRY(cu_reader_open(node, &p->reads_again, err));
    return cu_copier_new(&r, &p->copier, err);
}

cu_status cu_pull_open(struct cu_node *node, struct cu_err *err)
{
    if (!node->config.copies.sources) return CU_OK;
    struct cu_pull *p = calloc(1, sizeof *p);
    ENSURE(p, err, CU_NO_MEMORY, "no memory to bring copies");
    pthread_mutex_init(&p->lock, NULL);
    pthread_cond_init(&p->changed, NULL);
    node->pull = p;
    return open_pull(node, p, err);
}

cu_status cu_pull_start(struct cu_node *node, struct cu_err *err)
{
    struct cu_pull *p = node->pull;

    if (!p) return CU_OK;
    p->runs = pthread_create(&p->thread, NULL, puller, node) == 0;
    ENSURE(p->runs, err, CU_NO_MEMORY, "no thread to bring copies");
    p->patrols = node->config.copies.patrol && pthread_create(&p->patrol, NULL, patrol, node) == 0;
    return CU_OK;
}

void cu_pull_wake(struct cu_node *node)
{
    struct cu_pull *p = node->pull;

    if (!p) return;
    pthread_mutex_lock(&p->lock);
    p->news = true;
    pthread_cond_broadcast(&p->changed);
    pthread_mutex_unlock(&p->lock);
}

/* The server answers still: who asks for figures sees those of the end. */
void cu_pull_stop(struct cu_node *node)
{
    struct cu_pull *p = node->pull;

    if (!p) return;
    if (node->config.copies.ending) atomic_store(node->config.copies.ending, true);
    pthread_mutex_lock(&p->lock);
    p->ending = true;
    pthread_cond_broadcast(&p->changed);
    pthread_mutex_unlock(&p->lock);
    if (p->runs) pthread_join(p->thread, NULL);
    if (p->patrols) pthread_join(p->patrol, NULL);
    p->runs = p->patrols = false;
}

void cu_pull_free(struct cu_node *node)
{
    struct cu_pull *p = node->pull;

    if (!p) return;
    cu_copier_free(p->copier);
    cu_reader_close(&p->reader);
    cu_reader_close(&p->reads_again);
    pthread_mutex_destroy(&p->lock);
    pthread_cond_destroy(&p->changed);
    free(p);
    node->pull = NULL;
}

/* ---- figures ---- */
void cu_pull_tell(struct cu_node *node, struct cu_json *j)
{
    struct cu_copy_figures f;

    if (node->config.copies.provider) cu_json_str(j, "provider", node->config.copies.provider);
    if (!node->pull) return;
    cu_copier_figures(node->pull->copier, &f);
    cu_json_uint(j, "copies_missing", f.missing);
    cu_json_uint(j, "copies_withheld", f.withheld);
    cu_json_uint(j, "pulled_objects", f.objects);
    cu_json_uint(j, "pulled_bytes", f.bytes);
    cu_json_uint(j, "pull_failures", f.failures);
    cu_json_uint(j, "pull_wrong", f.wrong);
    cu_json_uint(j, "patrol_rounds", node->pull->rounds);
    cu_json_uint(j, "patrol_found", node->pull->found);
}

void cu_pull_metrics(struct cu_node *node, struct cu_buf *out)
{
    struct cu_copy_figures f;

    if (!node->pull) return;
    cu_copier_figures(node->pull->copier, &f);
    cu_http_put_figure(out, "custody_copies_missing", "gauge", "deposits of which this node lacks something", f.missing);
    cu_http_put_figure(out, "custody_copies_withheld", "gauge", "of them, those that an incident names", f.withheld);
    cu_http_put_figure(out, "custody_pulled_objects_total", "counter", "objects that were brought from provider and peers",
                       f.objects);
    cu_http_put_figure(out, "custody_pulled_bytes_total", "counter", "their bytes", f.bytes);
    cu_http_put_figure(out, "custody_pull_failures_total", "counter", "questions to them that were not answered, or not well",
                       f.failures);
    cu_http_put_figure(out, "custody_pull_wrong_total", "counter", "answers of theirs that were not what was signed", f.wrong);
    cu_http_put_figure(out, "custody_patrol_rounds_total", "counter", "times that all copies here were read again",
                       node->pull->rounds);
    cu_http_put_figure(out, "custody_patrol_found_total", "counter",
                       "of them, and of the provider's, those that were not as they were signed", node->pull->found);
}
