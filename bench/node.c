/* A client of a node for the row `node`: as little as can be between the records and the socket, so that what is measured is the node.
 *
 *     node sign LEDGER N FILE                    N deposits, signed and not recorded: each behind its length
 *     node recorded LEDGER FILE                  all of them into the ledger, in process, in batches of 128
 *     node submit PORT CA CERT FILE              the same over TLS 1.3 with a client certificate; each connection has asked something before
 *     node single PORT CA CERT FILE N MS         N of them one by one, MS of silence before each: durable, and with its receipt
 */
#include "world.h"

#include "custody/text.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <openssl/ssl.h>
#include <sys/socket.h>

enum { ANSWER_MAX = 1 << 20 };

static void die(const char *what) { fprintf(stderr, "node: %s\n", what), exit(1); }

/* ---- records in a file ---- */

struct records {
    struct cu_buf memory;
    struct cu_span *at;
    size_t n;
};

static cu_status sign(const char *root, size_t n, const char *path, struct cu_err *err)
{
    static struct world w;
    FILE *to = fopen(path, "wb");
    CU_BUF record = cu_buf_heap(RECORD_MAX);
    uint8_t length[4];

    if (!to) die(path);
    TRY(world_parts(&w, root, true, err));
    TRY(world_engine(&w, 0, err));
    TRY(world_know(&w, err));
    for (size_t i = 0; i < n; i++) {
        cu_buf_clear(&record);
        TRY(world_say(&w, w.serial++, &record, err));
        TRY(cu_buf_ok(&record, err));
        cu_put_be32(length, (uint32_t)record.n);
        if (fwrite(length, 1, sizeof length, to) != sizeof length || fwrite(record.p, 1, record.n, to) != record.n) die(path);
    }
    if (fclose(to) != 0) die(path);
    return world_close(&w, err);
}

static void load(const char *path, struct records *ret)
{
    FILE *from = fopen(path, "rb");
    if (!from || fseek(from, 0, SEEK_END) != 0) die(path);
    const size_t size = (size_t)ftell(from);
    rewind(from);
    ret->memory = cu_buf_heap(size);
    ret->at = malloc(size / 100 * sizeof *ret->at);
    uint8_t *p = cu_buf_grow(&ret->memory, size);
    if (!ret->at || !p || fread(p, 1, size, from) != size) die(path);
    fclose(from);
    for (size_t at = 0; at < size; at += 4 + ret->at[ret->n++].n) ret->at[ret->n] = cu_span(p + at + 4, cu_be32(p + at));
}

static cu_status recorded(const char *root, const struct records *r, struct cu_err *err)
{
    static struct world w;
    const long cores = sysconf(_SC_NPROCESSORS_ONLN);

    TRY(world_parts(&w, root, true, err));
    TRY(world_engine(&w, cores > 64 ? 64 : (unsigned)cores, err));
    const double cpu = cpu_s(), took = world_load(&w, r->at, r->n), used = cpu_s() - cpu, began = now_s();
    TRY(cu_settle(&w.place, err));
    row("in process, batches of 128: durable, answered", (double)r->n / took, "records/s");
    row("    processor time a record", used / (double)r->n * 1e6, "µs");
    row("in process, the search index current, too", (double)r->n / (took + now_s() - began), "records/s");
    return world_close(&w, err);
}

/* ---- the wire ---- */

struct target {
    unsigned port;
    SSL_CTX *tls;
};

static SSL *connect_to(const struct target *to)
{
    const struct sockaddr_in address = { .sin_family = AF_INET,
                                         .sin_port = htons((uint16_t)to->port),
                                         .sin_addr = { htonl(INADDR_LOOPBACK) } };
    const int fd = socket(AF_INET, SOCK_STREAM, 0), on = 1;
    SSL *s = SSL_new(to->tls);

    if (fd < 0 || !s || connect(fd, (const struct sockaddr *)&address, sizeof address) != 0) die("nobody listens");
    (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    if (SSL_set_fd(s, fd) != 1 || SSL_connect(s) != 1) die("no handshake");
    return s;
}

/* The answer's body. */
static struct cu_span ask(SSL *s, const char *head, struct cu_span body, char *answer)
{
    size_t n = 0, whole = 0;
    char *end = NULL;

    if (SSL_write(s, head, (int)strlen(head)) <= 0 || (body.n && SSL_write(s, body.p, (int)body.n) <= 0)) die("cut off");
    while (!end || n < whole) {
        const int got = SSL_read(s, answer + n, (int)(ANSWER_MAX - 1 - n));
        if (got <= 0) die("cut off");
        answer[n += (size_t)got] = 0;
        if (end || !(end = strstr(answer, "\r\n\r\n"))) continue;
        const char *length = strstr(answer, "Content-Length: ");
        if (strncmp(answer, "HTTP/1.1 200", 12) != 0 || !length) die(answer);
        whole = (size_t)(end - answer) + 4 + strtoul(length + 16, NULL, 10);
    }
    return cu_span(end + 4, n - (size_t)(end + 4 - answer));
}

static struct cu_span submit(SSL *s, unsigned port, const struct cu_span *records, size_t n, char *answer)
{
    CU_BUF body = cu_buf_heap(CHUNK * RECORD_MAX);
    char head[300];

    for (size_t i = 0; i < n; i++) cu_buf_add(&body, records[i]);
    snprintf(head, sizeof head,
             "POST /v1/submit HTTP/1.1\r\nHost: localhost:%u\r\nContent-Type: application/cbor%s\r\nContent-Length: %zu\r\n\r\n",
             port, n > 1 ? "-seq" : "", body.n);
    return ask(s, head, cu_buf_span(&body), answer);
}

struct post {
    const struct target *to;
    const struct records *r;
    atomic_size_t next;
    pthread_barrier_t ready;
};

static void *post(void *arg)
{
    struct post *p = arg;
    char *answer = malloc(ANSWER_MAX), head[100];
    SSL *s = connect_to(p->to);

    if (!answer) die("no memory");
    snprintf(head, sizeof head, "GET /v1/status HTTP/1.1\r\nHost: localhost:%u\r\n\r\n", p->to->port);
    ask(s, head, CU_SPAN_EMPTY, answer); /* who it is has been judged */
    pthread_barrier_wait(&p->ready);
    for (size_t at; (at = atomic_fetch_add(&p->next, CHUNK)) < p->r->n;) {
        const size_t n = p->r->n - at < CHUNK ? p->r->n - at : CHUNK;
        const struct cu_span said = submit(s, p->to->port, p->r->at + at, n, answer);
        size_t good = 0;
        for (const char *c = (const char *)said.p; (c = strstr(c, "\"status\":\"OK\"")); c++) good++;
        if (good != n) die((const char *)said.p);
    }
    close(SSL_get_fd(s));
    SSL_free(s);
    free(answer);
    return NULL;
}

static void all(const struct target *to, const struct records *r)
{
    struct post p = { .to = to, .r = r };
    pthread_t thread[SUBMITTERS];

    pthread_barrier_init(&p.ready, NULL, SUBMITTERS + 1);
    for (size_t i = 0; i < SUBMITTERS; i++) pthread_create(&thread[i], NULL, post, &p);
    pthread_barrier_wait(&p.ready);
    const double began = now_s(), cpu = cpu_s();
    for (size_t i = 0; i < SUBMITTERS; i++) pthread_join(thread[i], NULL);
    row("over mTLS, batches of 128: durable, answered", (double)r->n / (now_s() - began), "records/s");
    row("    of it the client's processor time a record", (cpu_s() - cpu) / (double)r->n * 1e6, "µs");
}

/* ---- one by one ---- */

static int by_value(const void *a, const void *b)
{
    return (*(const double *)a > *(const double *)b) - (*(const double *)a < *(const double *)b);
}

static void percentiles(const char *name, double *took, size_t n)
{
    printf("  %-46s first %8.2f", name, took[0] * 1e3);
    qsort(took + 1, n - 1, sizeof *took, by_value);
    printf("   p50 %8.2f   p90 %8.2f   p99 %8.2f  ms\n", took[1 + n / 2] * 1e3, took[1 + n * 9 / 10] * 1e3,
           took[1 + n * 99 / 100] * 1e3);
}

/* What cannot be less: the record's batch and its attestation's, a frame and a head each. */
static double four_synced_writes(int fd)
{
    static uint8_t block[4096];
    const double began = now_s();

    for (int k = 0; k < 4; k++)
        if (pwrite(fd, block, sizeof block, k * 4096) != sizeof block || fdatasync(fd) != 0) die("no synced write");
    return now_s() - began;
}

static void single(const struct target *to, const struct records *r, const char *path, size_t n, unsigned silence_ms)
{
    double *durable = malloc(3 * (n + 2) * sizeof *durable), *receipt = durable + n + 2, *limit = receipt + n + 2;
    char *answer = malloc(ANSWER_MAX), head[200];
    SSL *s = connect_to(to);
    const int fd = open(path, O_RDWR | O_CREAT, 0600);

    if (!durable || !answer || n + 1 > r->n) die("no memory, or too few records");
    for (size_t i = 0; i <= n; i++) {
        usleep(silence_ms * 1000);
        limit[i] = four_synced_writes(fd);
        const double began = now_s();
        const char *entry = strstr((const char *)submit(s, to->port, &r->at[i], 1, answer).p, "\"entry\":");
        if (!entry) die(answer);
        durable[i] = now_s() - began;
        snprintf(head, sizeof head, "GET /v1/receipt/%lu?wait=20 HTTP/1.1\r\nHost: localhost:%u\r\n\r\n",
                 strtoul(entry + 8, NULL, 10), to->port);
        ask(s, head, CU_SPAN_EMPTY, answer);
        receipt[i] = now_s() - began;
    }
    percentiles("one over mTLS, warm: durable, answered", durable, n);
    percentiles("one over mTLS, warm: its receipt, complete", receipt, n);
    percentiles("limit: four synced writes, at the same times", limit, n);
    close(fd);
    unlink(path);
    close(SSL_get_fd(s));
    SSL_free(s);
    free(durable);
    free(answer);
}

int main(int argc, char **argv)
{
    struct cu_err err = { 0 };
    struct records r = { .n = 0 };
    struct target to = { .port = argc > 2 ? (unsigned)strtoul(argv[2], NULL, 10) : 0 };
    const char *what = argc > 3 ? argv[1] : "";
    cu_status done = cu_crypto_init(&err);

    if (strcmp(what, "sign") == 0 && argc == 5) done = sign(argv[2], strtoul(argv[3], NULL, 10), argv[4], &err);
    else if (strcmp(what, "recorded") == 0) load(argv[3], &r), done = recorded(argv[2], &r, &err);
    else if (argc >= 6) {
        to.tls = SSL_CTX_new(TLS_client_method());
        if (!to.tls || SSL_CTX_set_min_proto_version(to.tls, TLS1_3_VERSION) != 1 ||
            SSL_CTX_load_verify_locations(to.tls, argv[3], NULL) != 1 ||
            SSL_CTX_use_certificate_file(to.tls, argv[4], SSL_FILETYPE_PEM) != 1 ||
            SSL_CTX_use_PrivateKey_file(to.tls, argv[4], SSL_FILETYPE_PEM) != 1)
            die("certificates");
        SSL_CTX_set_verify(to.tls, SSL_VERIFY_PEER, NULL);
        load(argv[5], &r);
        if (strcmp(what, "submit") == 0) all(&to, &r);
        if (strcmp(what, "single") == 0 && argc == 8)
            single(&to, &r, "scratch", strtoul(argv[6], NULL, 10), (unsigned)strtoul(argv[7], NULL, 10));
        SSL_CTX_free(to.tls);
    } else die("sign LEDGER N FILE | recorded LEDGER FILE | submit PORT CA CERT FILE | single PORT CA CERT FILE N MS");
    if (done != CU_OK) die(err.text);
    cu_buf_free(&r.memory);
    free(r.at);
    return 0;
}
