/* Content that the node's own store lacks comes from provider and peers: a thread beside the keeper, with a place of its own to read with. */
#include "http/node_inside.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

enum { TICK_MS = 1000, LINE_MAX = 2048 };

struct cu_pull {
    struct cu_reader reader;
    struct cu_copier *copier;
    pthread_mutex_t lock;
    pthread_cond_t changed;
    bool news, ending, runs;
    pthread_t thread;
    char said[sizeof((struct cu_err *)NULL)->text]; /* what went wrong last, so that it is told once */
};

/* ---- what it tells the node ---- */
static void held(void *arg, cu_seq seq) { cu_node_hold(arg, seq.v); }

static cu_status withheld(void *arg, const struct cu_withheld *what, size_t n, struct cu_err *err)
{
    struct cu_node *node = arg;

    pthread_mutex_lock(&node->act);
    const cu_status recorded = cu_withheld_record(node->config.place, what, n, err);
    pthread_mutex_unlock(&node->act);
    cu_http_wake(node->server);
    return recorded;
}

static void log_failure(struct cu_node *node, struct cu_pull *p, const char *why)
{
    CU_BUF line = cu_buf_heap(LINE_MAX);
    struct cu_json j = cu_json_on(&line);

    if (strcmp(p->said, why) == 0) return;
    snprintf(p->said, sizeof p->said, "%s", why);
    if (!*why || !node->config.log) return;
    cu_json_open(&j, NULL, '{');
    cu_json_time(&j, "time", cu_place_now(&p->reader.place));
    cu_json_str(&j, "copies", "not brought");
    cu_json_str(&j, "error", why);
    cu_json_close(&j, '}');
    cu_buf_add_byte(&line, 0);
    if (cu_buf_ok(&line, NULL) == CU_OK) node->config.log(node->config.arg, (const char *)line.p);
}

/* ---- the thread ---- */
static cu_status round_of(struct cu_node *node, struct cu_pull *p, bool *ret_more, struct cu_err *err)
{
    *ret_more = false;
    if (cu_pushed_store(node->uploads.spool, cu_place_now(&p->reader.place).v)) cu_copier_again(p->copier);
    TRY(cu_reader_refresh(&p->reader, true, err));
    if (node->config.ready) TRY(node->config.ready(node->config.arg, err));
    return cu_copier_round(p->copier, ret_more, err);
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
    const struct cu_place *own = node->config.place;
    const struct cu_copy_request r = { .p = &p->reader.place,
                                       .party = cu_organisation_of(own, &own->key[CU_SIGNER_ORGANISATION].id),
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
    return cu_copier_new(&r, &p->copier, err);
}

cu_status cu_pull_open(struct cu_node *node, struct cu_err *err)
{
    if (node->config.copies.sources_n == 0) return CU_OK;
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
    return CU_OK;
}

void cu_pull_wake(struct cu_node *node)
{
    struct cu_pull *p = node->pull;

    if (!p) return;
    pthread_mutex_lock(&p->lock);
    p->news = true;
    pthread_cond_signal(&p->changed);
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
    pthread_cond_signal(&p->changed);
    pthread_mutex_unlock(&p->lock);
    if (p->runs) pthread_join(p->thread, NULL);
    p->runs = false;
}

void cu_pull_free(struct cu_node *node)
{
    struct cu_pull *p = node->pull;

    if (!p) return;
    cu_copier_free(p->copier);
    cu_reader_close(&p->reader);
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
}
