/* Every bit of a small ledger turned over at rest: `check` notices it, nobody believes it, `check --repair` restores it from the
 * other copy and says so in an incident, and nothing crashes.
 *
 *     test_bit_rot                       some bits of every file
 *     CUSTODY_SLOW=1 test_bit_rot        all of them, for a quarter of an hour; CUSTODY_PART=1/2 and 2/2 share them among two
 *     CUSTODY_BIT='<path> <bit>' …       one
 */
#include "life.h"
#include "../fault/service_source.h"

#include <stdio.h>
#include <stdlib.h>
#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

/* What no bit of a file can be restored from within: everything else must be mended. */
static const struct {
    const char *path, *why;
} beyond_repair[] = {
    { "trust/ledger.trust", "it is what readers pin: any of them has it" },
    { "format", "who cannot read it is not to write here" },
    { "keys/", "private keys are nowhere twice: `check` needs none, signing says that the key is not whole" },
    { "receipts/", "handed out: `custody receipt` writes it again; a reader's verifier refuses it" },
};

/* Bits that say nothing, so that no one can tell which way they lie. */
static const struct {
    const char *path, *why;
} idle[] = {
    { "keys/", "judged when they are read for signing" },
    { "receipts/", "judged by who verifies them" },
    { "outbox/refused-", "kept for people; nothing reads them" },
};
#define LENGTH(v) (sizeof(v) / sizeof *(v))

static struct service_world *base;
static struct file_list files;
static struct {
    unsigned long long bits, noticed, mended, refused, unbelieved;
} seen;

static bool begins(const char *path, const char *with) { return strncmp(path, with, strlen(with)) == 0; }

static bool may_be_lost(const char *path)
{
    for (size_t i = 0; i < LENGTH(beyond_repair); i++)
        if (begins(path, beyond_repair[i].path)) return true;
    return false;
}

static bool is_idle(const char *path)
{
    for (size_t i = 0; i < LENGTH(idle); i++)
        if (begins(path, idle[i].path)) return true;
    return false;
}

static void wrong(const char *path, uint64_t bit, const char *what)
{
    fail_msg("CUSTODY_BIT='%s %llu': %s", path, (unsigned long long)bit, what);
}

/* ---- one bit ---- */

static void is_noticed(struct service_world *w, const char *path, uint64_t bit)
{
    struct cu_check_result result = { 0 };
    struct cu_err err = { 0 };
    char finding[600];

    assert_true(cu_memory_flip(&w->memory, path, bit));
    const cu_status status = sw_check(w, false, &result, finding, &err);
    if (status == CU_OK && result.findings == 0 && !is_idle(path)) wrong(path, bit, "check finds nothing");
    if (status != CU_OK && !err.text[0]) wrong(path, bit, "refused without a word");
    seen.noticed += status == CU_OK && result.findings > 0;
    seen.refused += status != CU_OK;
    seen.bits++;
    assert_true(cu_memory_flip(&w->memory, path, bit));
    sw_restart(w);
}

static void count(void *arg, const char *where, const char *what)
{
    (void)where, (void)what;
    ++*(uint64_t *)arg;
}

/* The journal's files are large: `check` asks the engine about them, and this is that question alone. The ledger is open. */
static void is_noticed_by_engine(struct service_world *w, const char *path, uint64_t bit)
{
    const struct cu_tip tip = { w->place.log.checkpoint.size, w->place.log.checkpoint.root };
    uint64_t findings = 0;

    assert_true(cu_memory_flip(&w->memory, path, bit));
    const cu_status status = w->place.care.check(w->place.care.self, &tip, count, &findings, &(cu_size){ 0 }, NULL);
    if (status == CU_OK && findings == 0) wrong(path, bit, "the engine finds nothing");
    seen.noticed += findings > 0;
    seen.bits++;
    assert_true(cu_memory_flip(&w->memory, path, bit));
}

static cu_status compare(void *arg, struct cu_span bytes, struct cu_err *err)
{
    struct cu_span *left = arg;

    ENSURE(bytes.n <= left->n && memcmp(bytes.p, left->p, bytes.n) == 0, err, CU_BAD_PROOF, "other bytes come out");
    *left = cu_span(left->p + bytes.n, left->n - bytes.n);
    return CU_OK;
}

static struct cu_span all;

static cu_status restart(void *arg, struct cu_err *err)
{
    (void)err;
    *(struct cu_span *)arg = all;
    return CU_OK;
}

static cu_status read_all(struct service_world *w, struct cu_err *err)
{
    bool damaged = false;

    for (size_t i = 0; i < w->promises_n; i++) {
        const struct sw_promise *p = &w->promise[i];
        CU_CLEANUP(cu_fetch_free) struct cu_fetch fetch = { .found = { .mem = { 0 } } };
        if (p->kind != CU_KIND_DEPOSIT) continue;
        all = sw_source_bytes(p->path);
        struct cu_span left = all;
        TRY(cu_fetch_begin(&w->place, cu_span_str(p->exhibit), &fetch, err));
        TRY(cu_fetch_object(&w->place, &fetch.claim.root, fetch.claim.size, NULL, compare, restart, &left, &damaged, err));
        ENSURE(left.n == 0, err, CU_BAD_PROOF, "fewer bytes come out");
    }
    return CU_OK;
}

/* Whoever meets it refuses, or has what was deposited from the other copy. */
static void is_not_believed(const char *path, uint64_t bit)
{
    struct service_world *w = sw_copy(base);
    struct cu_err err = { 0 };

    assert_true(cu_memory_flip(&w->memory, path, bit));
    w->rotten = true;
    cu_status status = sw_open(w, bit % 2 ? SW_READ : SW_WRITE, &err);
    if (status == CU_OK) status = read_all(w, &err);
    if (status == CU_BAD_PROOF && strstr(err.text, "bytes come out")) wrong(path, bit, err.text);
    if (status != CU_OK && !err.text[0]) wrong(path, bit, "refused without a word");
    seen.unbelieved++;
    sw_free(w);
}

static void is_mended(const char *path, uint64_t bit)
{
    struct service_world *w = sw_copy(base);
    struct cu_check_result result = { 0 };
    struct cu_err err = { 0 };
    char finding[600];

    assert_true(cu_memory_flip(&w->memory, path, bit));
    snprintf(w->damage[w->damages_n++], sizeof w->damage[0], "%s", path);
    if (sw_check(w, true, &result, finding, &err) != CU_OK) wrong(path, bit, err.text);
    if (result.unrepaired) wrong(path, bit, finding);
    sw_restart(w);
    const char *said = sw_judge(w);
    if (said) wrong(path, bit, said);
    seen.mended++;
    sw_free(w);
}

/* ---- which bits ---- */

static bool slow(void) { return getenv("CUSTODY_SLOW") != NULL; }

static void try_bit(struct service_world *w, const char *path, uint64_t bit, uint64_t nth)
{
    is_noticed(w, path, bit);
    if (nth % (slow() ? 64 : 8) == 0 && !may_be_lost(path)) is_mended(path, bit);
    /* an entry that is believed misleads who looks up another: which exhibit is the first of its case? */
    if (nth % (slow() ? 64 : 8) == 4 || begins(path, "node/log/tile/entries/")) is_not_believed(path, bit | 1);
}

/* Of the journal files all but the beginning is zeros, one like the other. */
static uint64_t stride_of(const char *path, uint64_t bits)
{
    const uint64_t tries = begins(path, "node/journal/") ? 96 : 24;

    return slow() ? 1 : bits / tries > 1 ? (bits / tries) | 1 : 1;
}

static void try_file(struct service_world *w, const char *path)
{
    struct cu_file_stat st;
    unsigned part = 1, of = 1;
    const char *share = getenv("CUSTODY_PART");

    if (share) assert_int_equal(sscanf(share, "%u/%u", &part, &of), 2);
    assert_int_equal(w->memory.ops->stat(w->memory.self, path, &st, NULL), CU_OK);
    const uint64_t stride = stride_of(path, 8 * st.size);
    const bool journal = slow() && begins(path, "node/journal/") && st.size >= CU_JOURNAL_BYTES_MIN;
    if (slow()) print_message("%s: %llu bytes\n", path, (unsigned long long)st.size);
    for (uint64_t bit = 0, nth = 0; bit < 8 * st.size; bit += journal ? 997 : stride, nth++)
        if (nth % of == part - 1) try_bit(w, path, bit, nth / of);
    if (!journal) return;
    assert_int_equal(sw_open(w, SW_READ, NULL), CU_OK);
    for (uint64_t bit = part - 1; bit < 8 * st.size; bit += of) is_noticed_by_engine(w, path, bit);
    assert_int_equal(sw_close(w, NULL), CU_OK);
}

static void every_bit_that_turns_over_is_noticed_never_believed_and_mended(void **state)
{
    struct service_world *w = sw_copy(base);
    const char *one = getenv("CUSTODY_BIT");
    char path[256];
    unsigned long long bit;

    (void)state;
    if (one) {
        assert_int_equal(sscanf(one, "%255s %llu", path, &bit), 2);
        is_noticed(w, path, bit);
        is_not_believed(path, bit);
        if (!may_be_lost(path)) is_mended(path, bit);
    }
    for (size_t i = 0; !one && i < files.n; i++) try_file(w, file_at(&files, i));
    print_message(
        "bit rot: %zu files, %llu bits: %llu noticed, %llu refused outright; %llu mended, %llu met by who reads or writes\n",
        files.n, seen.bits, seen.noticed, seen.refused, seen.mended, seen.unbelieved);
    sw_free(w);
}

/* ---- a small ledger ---- */

static cu_status make(struct service_world *w, struct cu_err *err)
{
    static const char *const paths[] = { SW_SMALL, "made/s8" };

    TRY(sw_create(w, err));
    TRY(sw_open(w, SW_WRITE, err));
    w->deposits_max += 2;
    TRY(sw_deposit(w, paths, 2, false, err));
    return sw_close(w, err);
}

static int set_up(void **state)
{
    struct service_world *w = sw_new();
    struct cu_err err = { 0 };

    (void)state;
    chance_begin(1);
    sw_keep();
    w->small_journal = true;
    if (make(w, &err) != CU_OK) fail_msg("a small ledger: %s", err.text);
    sw_restart(w);
    base = sw_copy(w);
    sw_free(w);
    files.fs = &base->memory;
    files_under(&files, ".");
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    files_free(&files);
    sw_free(base);
    sw_let_go();
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(every_bit_that_turns_over_is_noticed_never_believed_and_mended) };

    return cmocka_run_group_tests(tests, set_up, tear_down);
}
