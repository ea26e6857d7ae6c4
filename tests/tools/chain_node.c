/* A ledger as the application of CometBFT, with nothing around it: what the cluster tests start beside each node.
 *
 *     chain_node found LEDGER              on standard output app_state for the genesis file: the founding records of a ledger just made
 *     chain_node serve DIR SOCKET          until SIGTERM; DIR has keys/ and trust/, the rest is made
 *     chain_node sign DIR FIRST N EACH     records of a transaction in hex, a line each: a case, then N deposits with serial numbers from FIRST, EACH in one
 */
#include "custody/text.h"
#include "engine/cometbft/chain.h"
#include "folder.h"
#include "ports/log_dir.h"

#include <signal.h>
#include <sys/signalfd.h>

#define BEGUN 3u /* entries of a chain that has begun: genesis, confirm, their block */

static cu_status first_entries(const struct cu_fs *fs, unsigned n, struct cu_buf *bundle, struct cu_span *ret, struct cu_err *err)
{
    struct cu_log_dir log = { fs, CU_DIR_NODE_LOG };
    size_t at = 0;

    TRY(cu_log_dir_read(&log, (struct cu_tile){ CU_TILE_ENTRIES, 0, n }, bundle, err));
    for (unsigned i = 0; i < n; i++)
        ENSURE(cu_bundle_next(cu_buf_span(bundle), &at, &ret[i]), err, CU_CORRUPT, "the log is short");
    return CU_OK;
}

static cu_status found(const char *dir, struct cu_err *err)
{
    CU_BUF records = cu_buf_heap(2 * CU_RECORD_MAX), line = cu_buf_heap(4 * CU_RECORD_MAX);
    static struct folder f;

    TRY(folder_parts(&f, dir, true, err));
    TRY(cu_place_load(&f.place, err));
    TRY(cu_follow(&f.place, err));
    for (uint64_t i = 0; i < 2; i++) TRY(cu_place_record(&f.place, (cu_seq){ i }, true, &records, err)); /* genesis, confirm */
    cu_base64_put(&line, cu_buf_span(&records));
    TRY(cu_buf_ok(&line, err));
    printf("%.*s\n", (int)line.n, (const char *)line.p);
    return folder_close(&f, err);
}

/* ---- signing ---- */

struct signer {
    struct folder f;
    cu_hash network;
    struct cu_seen seen;
    cu_case_id case_id;
    uint64_t now;
    struct cu_buf tx;
    unsigned n;
};

static const uint8_t salt[CU_SALT_LEN] = { 7 };
#define DETAILS               \
    cu_span_str("\xa1\x67"    \
                "profile\x65" \
                "plain")

static void put_tx(struct signer *s)
{
    CU_BUF hex = cu_buf_heap(1 << 20);

    cu_hex_put(&hex, cu_buf_span(&s->tx));
    if (s->tx.n > 0) printf("%.*s\n", (int)hex.n, (const char *)hex.p);
    cu_buf_clear(&s->tx);
    s->n = 0;
}

static cu_status add(struct signer *s, struct cu_span entry, struct cu_span content, unsigned each, struct cu_err *err)
{
    const struct cu_record record = { .entry = entry, .salt = CU_SPAN_OF(salt), .details = DETAILS, .content = content };

    TRY(cu_record_write(&record, &s->tx, err));
    if (++s->n == each) put_tx(s);
    return cu_buf_ok(&s->tx, err);
}

static cu_status sign_case(struct signer *s, struct cu_err *err)
{
    CU_BUF entry = cu_buf_heap(CU_ENTRY_MAX);
    const struct cu_case body = { s->case_id, s->now, s->seen, cu_commitment(CU_SPAN_OF(salt), DETAILS) };

    TRY(cu_statement_sign(CU_KIND_CASE, &body, &s->network, &s->f.place.key[CU_SIGNER_DEPOSITOR], &entry, err));
    return add(s, cu_buf_span(&entry), CU_SPAN_EMPTY, 1, err);
}

static cu_status sign_deposit(struct signer *s, uint64_t serial, unsigned each, struct cu_err *err)
{
    CU_BUF claim = cu_buf_heap(CU_CLAIM_MAX), entry = cu_buf_heap(CU_ENTRY_MAX);
    char text[64];

    snprintf(text, sizeof text, "what was seen, note %llu\n", LLU(serial));
    const struct cu_span content = cu_span_str(text);
    const struct cu_claim body = { .serial = serial,
                                   .case_id = s->case_id,
                                   .content = CU_CONTENT_ITEM,
                                   .size = content.n,
                                   .root = cu_content_root_of(content),
                                   .time = s->now,
                                   .seen = s->seen,
                                   .commitment = cu_commitment(CU_SPAN_OF(salt), DETAILS) };
    TRY(cu_statement_sign(CU_KIND_CLAIM, &body, &s->network, &s->f.place.key[CU_SIGNER_DEPOSITOR], &claim, err));
    const struct cu_deposit deposit = { .claim = cu_buf_span(&claim), .time = s->now, .seen = s->seen };
    TRY(cu_statement_sign(CU_KIND_DEPOSIT, &deposit, &s->network, &s->f.place.key[CU_SIGNER_PROVIDER], &entry, err));
    return add(s, cu_buf_span(&entry), content, each, err);
}

static cu_status sign(struct signer *s, char **argv, struct cu_err *err)
{
    CU_BUF bundle = cu_buf_heap(CU_BUNDLE_MAX);
    const uint64_t first = strtoull(argv[3], NULL, 10), n = strtoull(argv[4], NULL, 10);
    struct cu_span entry[BEGUN];

    TRY(folder_parts(&s->f, argv[2], true, err));
    TRY(first_entries(&s->f.place.fs, BEGUN, &bundle, entry, err));
    s->network = cu_leaf_hash(entry[0]);
    s->seen = (struct cu_seen){ 2, cu_leaf_hash(entry[2]) };
    s->case_id = (cu_case_id){ { 1 } };
    s->now = cu_place_now(&s->f.place).v;
    s->tx = cu_buf_heap(1 << 20);
    if (first == 1) TRY(sign_case(s, err));
    for (uint64_t i = 0; i < n; i++) TRY(sign_deposit(s, first + i, (unsigned)strtoul(argv[5], NULL, 10), err));
    put_tx(s);
    cu_buf_free(&s->tx);
    return folder_close(&s->f, err);
}

/* ---- serving ---- */

static cu_status serve(const char *dir, const char *socket, int stop, struct cu_err *err)
{
    static struct folder f = { .workers = 1 };
    struct cu_chain *chain = NULL;

    TRY(folder_parts(&f, dir, false, err));
    TRY(folder_engine(&f, !cu_fs_exists(&f.place.fs, CU_DIR_JOURNAL "/head"), err));
    const struct cu_chain_config config = { .fs = &f.place.fs,
                                            .dir = "node/chain",
                                            .store = &f.engine,
                                            .machine = f.config.machine,
                                            .origin = cu_buf_span(&f.origin),
                                            .workers = 1,
                                            .accelerate = true };
    TRY(cu_chain_open(&config, &chain, err));
    const struct cu_abci_config server = { socket, 64u << 20, stop, cu_chain_application(chain) };
    cu_status status = cu_abci_serve(&server, err);
    cu_chain_close(chain);
    cu_status closed = folder_close(&f, status == CU_OK ? err : NULL);
    return status != CU_OK ? status : closed;
}

static cu_status run(int argc, char **argv, struct cu_err *err)
{
    static struct signer s;
    sigset_t ends;

    sigemptyset(&ends);
    sigaddset(&ends, SIGTERM);
    sigprocmask(SIG_BLOCK, &ends, NULL);
    if (argc == 3 && strcmp(argv[1], "found") == 0) return found(argv[2], err);
    if (argc == 4 && strcmp(argv[1], "serve") == 0) return serve(argv[2], argv[3], signalfd(-1, &ends, SFD_CLOEXEC), err);
    if (argc == 6 && strcmp(argv[1], "sign") == 0) return sign(&s, argv, err);
    return cu_fail(err, CU_USAGE, "found LEDGER | serve DIR SOCKET | sign DIR FIRST N EACH");
}

int main(int argc, char **argv)
{
    struct cu_err err = { 0 };

    if (cu_crypto_init(&err) == CU_OK && run(argc, argv, &err) == CU_OK) return 0;
    fprintf(stderr, "chain_node: %s\n", err.text);
    return 1;
}
