/* Servers: listening, certificates, staying. */
#include "apps/custody/serve.h"

#include <malloc.h>
#include <signal.h>
#include <sys/statvfs.h>

#define WORKERS 8
#define FREE_PERCENT 5
#define TLS_RATE 1000
#define LARGE_MEMORY (512 << 10)

/* Evidence that is half written is no evidence: before the disk is full no more is taken. */
cu_status serving_room(void *session, uint64_t bytes, struct cu_err *err)
{
    struct session *s = session;
    struct statvfs disk;
    uint64_t percent = FREE_PERCENT;

    if (opt(s->run, "keep-free")) TRY(number_read("--keep-free", opt(s->run, "keep-free"), 100, &percent, err));
    if (statvfs(s->root, &disk) != 0) return cu_posix_fail(err, errno, "look at the disk of", s->root);
    const uint64_t spare = (uint64_t)disk.f_blocks * percent / 100, blocks = bytes / disk.f_frsize + (bytes > 0);
    ENSURE(disk.f_bavail >= spare, err, CU_NO_SPACE,
           "less than %llu %% of the disk are free: nothing more is recorded until there is room; what is recorded can be read",
           LLU(percent));
    ENSURE(disk.f_bavail - spare >= blocks, err, CU_NO_SPACE,
           "%llu bytes do not fit the disk now, of which %llu %% stay free: nothing was taken; come again, or elsewhere",
           LLU(bytes), LLU(percent));
    return CU_OK;
}

void serving_log(void *session, const char *line)
{
    const struct session *s = session;

    if (!s->run->quiet) fprintf(stderr, "%s\n", line);
}

/* ADDRESS:PORT, the address of an IPv6 in brackets or not. */
static cu_status read_listen(const char *text, char ret_address[64], unsigned *ret_port, struct cu_err *err)
{
    const char *colon = strrchr(text, ':');
    size_t n = colon ? (size_t)(colon - text) : 0;
    uint64_t port;

    ENSURE(n > 0 && n < 64, err, CU_USAGE, "--listen %s: it is ADDRESS:PORT, as in 127.0.0.1:8714", text);
    TRY(number_read("--listen ADDRESS:PORT, the port", colon + 1, 65535, &port, err));
    if (text[0] == '[' && text[n - 1] == ']') text++, n -= 2;
    snprintf(ret_address, 64, "%.*s", (int)n, text);
    *ret_port = (unsigned)port;
    return CU_OK;
}

/* ---- certificates ---- */

static void forget_files(struct tls_files *f)
{
    if (f->key.p) cu_wipe(f->key.p, f->key.n);
    if (f->cert.p) cu_wipe(f->cert.p, f->cert.n); /* the key may stand there too */
    cu_buf_free(&f->cert);
    cu_buf_free(&f->key);
    cu_buf_free(&f->ca);
    cu_buf_free(&f->revoked);
}

/* What the option names; else what lies in the ledger's folder. */
cu_status serving_file(struct session *s, const char *option, const char *usual, struct cu_buf *ret, struct cu_err *err)
{
    *ret = cu_buf_heap(CU_CERT_PEM_MAX * 16);
    if (opt(s->run, option)) return read_argument_file(opt(s->run, option), ret->max, ret, err);
    return cu_fs_read(&s->place.fs, usual, ret->max, ret, err);
}

static cu_status read_tls(struct session *s, struct tls_files *f, struct cu_err *err)
{
    TRY(serving_file(s, "tls-cert", CU_DIR_TLS "/server.pem", &f->cert, err));
    TRY(serving_file(s, opt(s->run, "tls-key") ? "tls-key" : "tls-cert", CU_DIR_TLS "/server.pem", &f->key, err));
    TRY(serving_file(s, "tls-ca", CU_DIR_TLS "/ca.pem", &f->ca, err));
    const cu_status read = serving_file(s, "tls-revoked", CU_DIR_TLS "/revoked.pem", &f->revoked, err);
    if (read != CU_NOT_FOUND || opt(s->run, "tls-revoked")) TRY(read);
    f->tls = (struct cu_http_tls){ cu_buf_span(&f->cert), cu_buf_span(&f->key), cu_buf_span(&f->ca), cu_buf_span(&f->revoked) };
    return CU_OK;
}

static cu_status begin_tls(struct session *s, struct serving *v, struct cu_err *err)
{
    const bool named = opt(s->run, "tls-cert") || opt(s->run, "tls-key") || opt(s->run, "tls-ca") || opt(s->run, "tls-revoked");

    if (!named && !opt_is(s->run, "tls")) return CU_OK;
    const cu_status read = read_tls(s, &v->files, err);
    if (read != CU_OK) return cu_fail_while(err, read, "TLS: no certificates to begin with (`custody ca init` makes them)");
    v->tls = &v->files.tls;
    return CU_OK;
}

static volatile sig_atomic_t asked_to_reload;
static void note_reload(int signal)
{
    (void)signal;
    asked_to_reload = 1;
}

static void reload_now(struct session *s, cu_status (*reload)(void *server, const struct cu_http_tls *tls, struct cu_err *err),
                       void *server)
{
    CU_CLEANUP(forget_files) struct tls_files files = { .tls = { .cert = CU_SPAN_EMPTY } };
    CU_BUF line = cu_buf_heap(4096);
    struct cu_json j = cu_json_on(&line);
    struct cu_err err = { 0 };
    cu_status done = read_tls(s, &files, &err);

    if (done == CU_OK) done = reload(server, &files.tls, &err);
    cu_json_open(&j, NULL, '{');
    cu_json_time(&j, "time", cu_place_now(&s->place));
    cu_json_str(&j, "certificates", done == CU_OK ? "loaded anew" : "as before");
    if (done != CU_OK) cu_json_str(&j, "error", err.text);
    cu_json_close(&j, '}');
    cu_buf_add_byte(&line, 0);
    if (cu_buf_ok(&line, NULL) == CU_OK) serving_log(s, (const char *)line.p);
}

static void tell(struct session *s, const char *scheme, const char *address, unsigned port)
{
    const bool six = strchr(address, ':') != NULL;
    struct cu_buf *out = &s->run->out;
    char url[100];

    snprintf(url, sizeof url, "%s://%s%s%s:%u", scheme, six ? "[" : "", address, six ? "]" : "", port);
    if (s->run->json) {
        struct cu_json j = cu_json_on(out);
        cu_json_open(&j, NULL, '{');
        cu_json_str(&j, "listening", url);
        cu_tell_network(&j, &s->place.trust.network);
        cu_json_str(&j, "confined", s->confined[0] ? s->confined : NULL);
        cu_json_close(&j, '}');
        cu_buf_add_str(out, "\n");
    } else cu_buf_addf(out, "listening  %s\nconfined   %s\n", url, s->confined[0] ? s->confined : "no");
    run_print(s->run);
}

cu_status serving_begin(struct session *s, const char *usual, struct serving *ret, struct cu_err *err)
{
    const char *workers = opt(s->run, "workers");
    uint64_t n = WORKERS, rate;

    *ret = (struct serving){ .s = s };
    (void)mallopt(M_MMAP_THRESHOLD,
                  LARGE_MEMORY); /* what chunks pass through goes back at once, instead of staying with each thread */
    TRY(read_listen(opt(s->run, "listen") ? opt(s->run, "listen") : usual, ret->address, &ret->port, err));
    if (workers) TRY(number_read("--workers", workers, CU_HTTP_WORKERS_MAX, &n, err));
    ENSURE(n > 0, err, CU_USAGE, "--workers: one at least");
    TRY(begin_tls(s, ret, err));
    rate = ret->tls ? TLS_RATE : 0;
    if (opt(s->run, "rate")) TRY(number_read("--rate", opt(s->run, "rate"), 1000000, &rate, err));
    ret->rate = (unsigned)rate;
    ret->workers = (unsigned)n;
    if (ret->tls) (void)signal(SIGHUP, note_reload);
    return CU_OK;
}

cu_status serving_run(struct serving *v, unsigned port,
                      cu_status (*reload)(void *server, const struct cu_http_tls *tls, struct cu_err *err), void *server,
                      cu_status (*works)(struct session *s, struct cu_err *err), struct cu_err *err)
{
    const struct timespec pause = { 0, 100000000 };

    serving_free(v); /* read, and not needed any more */
    tell(v->s, v->tls ? "https" : "http", v->address, port);
    while (!interrupted()) {
        if (works) TRY(works(v->s, err));
        nanosleep(&pause, NULL);
        if (!asked_to_reload) continue;
        asked_to_reload = 0;
        reload_now(v->s, reload, server);
    }
    return CU_OK;
}

void serving_free(struct serving *v)
{
    forget_files(&v->files);
    v->files = (struct tls_files){ .tls = { .cert = CU_SPAN_EMPTY } };
}
