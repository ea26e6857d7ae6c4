/* Figures, as Prometheus reads them. Routes are named by their pattern: no figure says what was asked for. */
#include "http/inside.h"

static struct cu_http_figures *figures_of(struct cu_http_exchange *x)
{
    struct cu_http_server *s = x->server;
    const size_t at = x->request.route ? (size_t)(x->request.route - s->config.routes) : s->config.routes_n;

    return &s->figures[at];
}

void cu_http_count(struct cu_http_exchange *x)
{
    struct cu_http_figures *f = figures_of(x);

    f->answers[x->answer.http / 100 % CU_HTTP_CLASSES]++;
    f->ms += (uint64_t)(cu_http_now_ms() - x->began);
    f->bytes_in += x->came;
    f->bytes_out += x->answer.piece ? x->sent : x->answer.body.n;
}

static void put_kind(struct cu_buf *out, const char *name, const char *kind, const char *what)
{
    cu_buf_addf(out, "# HELP %s %s\n# TYPE %s %s\n", name, what, name, kind);
}

static void put_route(struct cu_http_server *s, size_t at, struct cu_buf *out)
{
    const char *method = at < s->config.routes_n ? s->config.routes[at].method : "",
               *path = at < s->config.routes_n ? s->config.routes[at].path : "";

    for (unsigned i = 0; i < CU_HTTP_CLASSES; i++)
        if (s->figures[at].answers[i])
            cu_buf_addf(out, "custody_http_requests_total{method=\"%s\",route=\"%s\",status=\"%s\"} %llu\n", method, path,
                        (const char *[]){ "cut", "1xx", "2xx", "3xx", "4xx", "5xx" }[i], LLU(s->figures[at].answers[i]));
}

static void put_sum(struct cu_http_server *s, struct cu_buf *out, const char *name, const char *what, size_t offset, double unit)
{
    uint64_t sum = 0;

    for (size_t i = 0; i <= s->config.routes_n; i++) sum += *(_Atomic uint64_t *)(void *)((char *)&s->figures[i] + offset);
    put_kind(out, name, "counter", what);
    cu_buf_addf(out, "%s %.15g\n", name, (double)sum * unit);
}

void cu_http_put_figure(struct cu_buf *out, const char *name, const char *kind, const char *what, uint64_t value)
{
    put_kind(out, name, kind, what);
    cu_buf_addf(out, "%s %llu\n", name, LLU(value));
}

void cu_http_metrics(struct cu_http_server *s, struct cu_buf *out)
{
    put_kind(out, "custody_http_requests_total", "counter", "requests by route and answer");
    for (size_t i = 0; i <= s->config.routes_n; i++) put_route(s, i, out);
    put_sum(s, out, "custody_http_seconds_total", "time of all requests together", offsetof(struct cu_http_figures, ms), 1e-3);
    put_sum(s, out, "custody_http_body_bytes_total", "bodies read", offsetof(struct cu_http_figures, bytes_in), 1);
    put_sum(s, out, "custody_http_answer_bytes_total", "answers sent", offsetof(struct cu_http_figures, bytes_out), 1);
    cu_http_put_figure(out, "custody_http_cut_total", "counter", "connections cut because they were too slow", s->cut);
    cu_http_put_figure(out, "custody_http_gated_total", "counter", "requests that the gate refused", s->gated);
    cu_http_put_figure(out, "custody_http_denied_total", "counter", "requests of somebody who may not make them", s->denied);
    cu_http_put_figure(out, "custody_http_hurried_total", "counter", "requests above the rate of their address", s->hurried);
    cu_http_put_figure(out, "custody_http_answer_bytes", "gauge", "answers in memory", s->answer_bytes);
    cu_http_put_figure(out, "custody_http_body_bytes", "gauge", "bodies in memory", s->body_bytes);
    pthread_mutex_lock(&s->table);
    const uint64_t connections = s->conns_n;
    pthread_mutex_unlock(&s->table);
    pthread_mutex_lock(&s->lock);
    const uint64_t queued = s->queued, waiting = s->parked_n;
    pthread_mutex_unlock(&s->lock);
    cu_http_put_figure(out, "custody_http_connections", "gauge", "open connections", connections);
    cu_http_put_figure(out, "custody_http_queued", "gauge", "requests that wait for a worker", queued);
    cu_http_put_figure(out, "custody_http_waiting", "gauge", "requests that wait for something to be recorded", waiting);
}
