/* One ledger that grows: does it stay as quick as it was?
 *
 *     growth sign LEDGER FILE N        N deposits for this ledger, signed beforehand, a kilobyte each in FILE
 *     growth load LEDGER FILE FROM N   submits those from FROM up to N, and gives the space that they took in FILE back; rates at the
 *                                      beginning and at the end, memory
 *     growth follow LEDGER             the search index catches up
 *     growth ask LEDGER N              opens it, then asks for some of N deposits in every way that people ask
 *
 * Every five hundredths of the way a line goes to stderr.
 */
#include "world.h"

#include <fcntl.h>
#include <sys/mman.h>

/* The first records find an empty journal, and nothing is drained yet: a pace that lasts is that from SETTLED on. */
enum { SLOT = 1024, SETTLED = 20000, EARLY = 200000, SEGMENT = 20000, ASKED = 40, LINES = 20 };

static unsigned cores(void)
{
    long n = sysconf(_SC_NPROCESSORS_ONLN);
    return n > 16 ? 16 : (unsigned)n;
}

static void progress(const char *doing, size_t at, size_t n, size_t piece, double began)
{
    if (at * LINES / n == (at - piece) * LINES / n) return;
    fprintf(stderr, "    %-8s %10zu of %zu   %8.0f a second   %5.0f MiB resident\n", doing, at, n, (double)at / (now_s() - began),
            rss_mib());
}

/* ---- signing ---- */

struct signing {
    struct world *w;
    int fd;
    atomic_size_t next;
    size_t n;
    uint64_t first;
    double began;
};

static void *sign_thread(void *arg)
{
    enum { PIECE = 256 };
    struct signing *s = arg;
    uint8_t *piece = calloc(PIECE, SLOT);
    struct cu_err err = { 0 };

    for (size_t at; (at = atomic_fetch_add(&s->next, PIECE)) < s->n;) {
        for (size_t i = 0; i < PIECE; i++) {
            struct cu_buf slot = cu_buf_over(piece + i * SLOT + 4, SLOT - 4);
            if (world_say(s->w, s->first + at + i, &slot, &err) != CU_OK || slot.full)
                fprintf(stderr, "sign: %s\n", err.text), exit(1);
            cu_put_be32(piece + i * SLOT, (uint32_t)slot.n);
        }
        if (pwrite(s->fd, piece, PIECE * SLOT, (off_t)(at * SLOT)) != PIECE * SLOT) perror("sign"), exit(1);
        progress("signed", at + PIECE, s->n, PIECE, s->began);
    }
    free(piece);
    return NULL;
}

static cu_status sign(const char *root, const char *file, size_t n, struct cu_err *err)
{
    static struct world w;
    struct signing s = { .w = &w, .n = n, .began = now_s() };
    pthread_t thread[16];

    TRY(world_parts(&w, root, true, err));
    TRY(world_engine(&w, 0, err));
    TRY(world_know(&w, err));
    s.first = w.serial;
    s.fd = open(file, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    ENSURE(s.fd >= 0, err, CU_IO, "cannot write %s", file);
    for (unsigned i = 0; i < cores(); i++) pthread_create(&thread[i], NULL, sign_thread, &s);
    for (unsigned i = 0; i < cores(); i++) pthread_join(thread[i], NULL);
    close(s.fd);
    row("signed beforehand, both signatures, all cores", (double)n / (now_s() - s.began), "records/s");
    return world_close(&w, err);
}

/* ---- growing ---- */

struct statements {
    int fd;
    const uint8_t *p;
};

static struct statements open_statements(const char *file, size_t n)
{
    int fd = open(file, O_RDWR);
    void *p = fd >= 0 ? mmap(NULL, n * SLOT, PROT_READ, MAP_SHARED, fd, 0) : MAP_FAILED;

    if (p == MAP_FAILED) perror(file), exit(1);
    return (struct statements){ fd, p };
}

/* Ten million of them take as much space as a third of their ledger. */
static void give_back(const struct statements *s, size_t from, size_t n)
{
    (void)!fallocate(s->fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, (off_t)(from * SLOT), (off_t)(n * SLOT));
}

struct pace {
    double seconds, cpu;
    size_t n;
};

static void grow(struct world *w, const struct statements *s, size_t from, size_t n, struct pace *io)
{
    static struct cu_span records[SEGMENT];
    const uint8_t *at = s->p + from * SLOT;
    double cpu = cpu_s();

    for (size_t i = 0; i < n; i++, at += SLOT) records[i] = cu_span(at + 4, cu_be32(at));
    io->seconds += world_load(w, records, n);
    io->cpu += cpu_s() - cpu;
    io->n += n;
    give_back(s, from, n);
}

static void tell_pace(const char *name, const struct pace *p)
{
    char text[80];

    if (p->n == 0) return;
    row(name, (double)p->n / p->seconds, "records/s");
    snprintf(text, sizeof text, "    processor time a record");
    row(text, p->cpu / (double)p->n * 1e6, "µs");
}

static void add_pace(struct pace *to, const struct pace *before, const struct pace *after)
{
    to->seconds += after->seconds - before->seconds;
    to->cpu += after->cpu - before->cpu;
    to->n += after->n - before->n;
}

static double rate(const struct pace *p) { return (double)p->n / p->seconds; }

static cu_status load(const char *root, const char *file_name, size_t from, size_t n, struct cu_err *err)
{
    enum { FIRST, SMALL, MIDDLE, LATE, PACES };
    static const char *const names[PACES] = { "the first 20,000, into an empty journal", "up to 200,000", NULL,
                                              "the last tenth" };
    static struct world w;
    struct pace pace[PACES] = { 0 }, all = { 0 };
    const struct statements file = open_statements(file_name, n);
    const size_t last = n - (n - from) / 10;
    double small_mib = 0, began = now_s();

    TRY(world_parts(&w, root, true, err));
    TRY(world_engine(&w, cores(), err));
    for (size_t at = from, piece; at < n; at += piece) {
        const struct pace before = all;
        piece = n - at < SEGMENT ? n - at : SEGMENT;
        grow(&w, &file, at, piece, &all);
        add_pace(&pace[at < from + SETTLED ? FIRST : at < from + EARLY ? SMALL : at < last ? MIDDLE : LATE], &before, &all);
        if (at < from + EARLY) small_mib = rss_mib();
        progress("recorded", at + piece, n, piece, began);
    }
    for (int i = 0; i < PACES; i++)
        if (names[i]) tell_pace(names[i], &pace[i]);
    tell_pace("all", &all);
    if (pace[LATE].n > 0 && pace[SMALL].n > 0)
        row("    the last tenth, of the rate up to 200,000", 100 * rate(&pace[LATE]) / rate(&pace[SMALL]), "%");
    if (pace[LATE].n > 0) row("    and of the first 20,000", 100 * rate(&pace[LATE]) / rate(&pace[FIRST]), "%");
    began = now_s();
    TRY(w.engine.drain(w.engine.self, err));
    row("the last drain", (now_s() - began) * 1e3, "ms");
    row("peak resident memory at 200,000", small_mib, "MiB");
    row("    at the end", rss_mib(), "MiB");
    return world_close(&w, err);
}

static cu_status follow(const char *root, struct cu_err *err)
{
    static struct world w;
    cu_size size;

    TRY(world_parts(&w, root, true, err));
    TRY(w.place.index.size(w.place.index.self, &size, err));
    double began = now_s();
    TRY(cu_follow(&w.place, err));
    double took = now_s() - began, lag = (double)(w.place.log.checkpoint.size.v - size.v);
    row("search index: lag", lag, "entries");
    row("    time until it is current", took, "s");
    row("    rate", lag / took, "entries/s");
    row("    peak resident memory", rss_mib(), "MiB");
    began = now_s();
    TRY(world_close(&w, err));
    row("    closing and sealing", (now_s() - began) * 1e3, "ms");
    return CU_OK;
}

/* ---- asking ---- */

static int by_value(const void *a, const void *b)
{
    return (*(const double *)a > *(const double *)b) - (*(const double *)a < *(const double *)b);
}

static void percentiles(const char *name, double *took)
{
    qsort(took, ASKED, sizeof *took, by_value);
    printf("  %-40s p50 %8.3f   max %8.3f  ms\n", name, took[ASKED / 2] * 1e3, took[ASKED - 1] * 1e3);
}

enum way { EXHIBIT, ID, DIGEST, LABEL, WAYS };
static const char *const ways[WAYS] = { "by exhibit", "by id", "by digest", "by label" };

static cu_status name_of(struct world *w, enum way way, uint64_t number, char ret[80], struct cu_err *err)
{
    CU_CLEANUP(cu_found_free) struct cu_found found = { 0 };
    char exhibit[80];

    snprintf(exhibit, sizeof exhibit, "unfiled/%llu", (unsigned long long)number);
    TRY(cu_lookup(&w->place, cu_span_str(exhibit), &found, err));
    if (way == EXHIBIT) snprintf(ret, 80, "%s", exhibit);
    if (way == LABEL) snprintf(ret, 80, "%.*s", (int)found.row.label.n, (const char *)found.row.label.p);
    if (way == ID) cu_hash_hex(&found.row.id, ret);
    if (way == DIGEST) cu_hash_hex(&found.row.sha256, ret);
    return CU_OK;
}

static cu_status count_row(void *arg, const struct cu_index_row *index_row, struct cu_err *err)
{
    (void)index_row, (void)err;
    return ++*(size_t *)arg, CU_OK;
}

static cu_status ask_for(struct world *w, enum way way, size_t n, struct cu_err *err)
{
    double took[ASKED], receipt[ASKED], trail[ASKED];

    for (size_t i = 0; i < ASKED; i++) {
        CU_CLEANUP(cu_found_free) struct cu_found found = { 0 };
        CU_BUF out = cu_buf_heap(1 << 20);
        char name[80];
        TRY(name_of(w, way, 1 + (i * 7919 * 104729 + 17) % n, name, err));
        double began = now_s();
        TRY(cu_lookup(&w->place, cu_span_str(name), &found, err));
        took[i] = now_s() - began;
        TRY(cu_receipt_of(&w->place, found.row.seq, &out, err));
        receipt[i] = now_s() - began;
        size_t steps = 0;
        began = now_s();
        const struct cu_trail one = cu_trail_one(&found.row);
        TRY(cu_trail_each(&w->place, &one, (cu_seq){ 0 }, count_row, &steps, err));
        trail[i] = now_s() - began;
        ENSURE(steps > 2, err, CU_NOT_FOUND, "a trail of %zu steps", steps);
    }
    percentiles(ways[way], took);
    percentiles("    and its receipt", receipt);
    percentiles("    its trail", trail);
    return CU_OK;
}

static cu_status list_case(struct world *w, struct cu_err *err)
{
    double took[ASKED];

    for (size_t i = 0; i < ASKED; i++) {
        CU_CLEANUP(cu_found_free) struct cu_found found = { 0 };
        struct cu_index_query q = { .by = CU_FIND_CASE, .kind = CU_KIND_DEPOSIT, .limit = 100 };
        size_t n = 0;
        double began = now_s();
        TRY(cu_lookup_case(&w->place, cu_span_str("unfiled"), &found, err));
        q.case_id = found.row.case_id;
        TRY(w->place.index.find(w->place.index.self, &q, count_row, &n, err));
        took[i] = now_s() - began;
        ENSURE(n == q.limit, err, CU_NOT_FOUND, "%zu exhibits are listed", n);
    }
    percentiles("ls of a case by its name, a hundred", took);
    return CU_OK;
}

static cu_status ask(const char *root, size_t n, struct cu_err *err)
{
    static struct world w;

    TRY(world_parts(&w, root, true, err));
    double began = now_s();
    TRY(world_engine(&w, cores(), err));
    row("open", (now_s() - began) * 1e3, "ms");
    TRY(cu_settle(&w.place, err));
    row("    until the search index is current", (now_s() - began) * 1e3, "ms");
    TRY(world_attest(&w, 4, w.place.log.checkpoint.size.v - 1, err));
    TRY(cu_settle(&w.place, err));
    TRY(world_know(&w, err));
    row("deposits recorded", (double)(w.serial - 1), "");
    for (enum way way = 0; way < WAYS; way++) TRY(ask_for(&w, way, n, err));
    TRY(list_case(&w, err));
    row("peak resident memory", rss_mib(), "MiB");
    return world_close(&w, err);
}

static size_t number(char **argv, int i) { return strtoul(argv[i], NULL, 10); }

static cu_status run(int argc, char **argv, struct cu_err *err)
{
    const char *what = argc > 2 ? argv[1] : "";

    TRY(cu_crypto_init(err));
    if (strcmp(what, "sign") == 0 && argc == 5) return sign(argv[2], argv[3], number(argv, 4), err);
    if (strcmp(what, "load") == 0 && argc == 6) return load(argv[2], argv[3], number(argv, 4), number(argv, 5), err);
    if (strcmp(what, "follow") == 0) return follow(argv[2], err);
    if (strcmp(what, "ask") == 0 && argc == 4) return ask(argv[2], number(argv, 3), err);
    return cu_fail(err, CU_USAGE, "growth sign|load|follow|ask LEDGER …");
}

int main(int argc, char **argv)
{
    struct cu_err err = { 0 };

    if (run(argc, argv, &err) != CU_OK) return fprintf(stderr, "growth: %s\n", err.text), 1;
    return 0;
}
