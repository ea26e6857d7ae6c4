/* The n-th allocation fails, for every n (every few, unless CUSTODY_SLOW=1), through init, deposit, receipt, certificate, check, reindex,
 * and through packages that are exported, verified and imported: a clean error, nothing half done, no crash. What the disk and the libraries below allocate is not ours to fail.
 *
 *     CUSTODY_ALLOCATION='<act> <n>' test_allocations
 *
 * wraps: malloc calloc realloc vasprintf
 */
#include "../allocations.h"
#include "../one_of.h"
#include "life.h"

#include "court/certificate.h"
#include "court/import.h"
#include "../fault/service_package.h"

#include <stdio.h>
#include <stdlib.h>
#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

/* ---- acts ---- */

static struct service_world *base;

static cu_status found(struct service_world *w, struct cu_err *err) { return sw_create(w, err); }

static cu_status deposit(struct service_world *w, struct cu_err *err)
{
    static const char *const paths[] = { SW_SMALL, SW_PACKED, "made/f1" };

    TRY(sw_open(w, SW_WRITE, err));
    w->deposits_max += 3;
    TRY(sw_deposit(w, paths, 3, false, err));
    return sw_close(w, err);
}

static cu_status receipt(struct service_world *w, struct cu_err *err)
{
    CU_BUF bytes = cu_buf_heap(CU_RECEIPT_MAX);

    TRY(sw_open(w, SW_READ, err));
    TRY(cu_receipt_of(&w->place, w->promise[0].seq, &bytes, err));
    return sw_close(w, err);
}

static cu_status certificate(struct service_world *w, struct cu_err *err)
{
    const struct cu_certificate_exhibit exhibit = { w->promise[0].seq, "C1/1", "C1-1.tlog-proof", NULL, CU_SPAN_EMPTY };
    CU_CLEANUP(cu_draft_free) struct cu_draft draft = { .chunks = NULL };

    TRY(sw_open(w, SW_READ, err));
    TRY(cu_certificate(&w->place, &exhibit, 1, &draft, err));
    return sw_close(w, err);
}

static struct sw_package made; /* exported from `base` */

static cu_status export_into(struct service_world *w, struct sw_package *p, struct cu_err *err)
{
    p->parts = "unfiled/2:5000-20000,unfiled/3/b:4000-9000";
    TRY(sw_open(w, SW_WRITE, err));
    TRY(sw_export(w, "unfiled", p, err));
    return sw_close(w, err);
}

static cu_status export(struct service_world *w, struct cu_err *err)
{
    CU_CLEANUP(sw_package_free) struct sw_package p = { 0 };

    return export_into(w, &p, err);
}

static cu_status verify(struct service_world *w, struct cu_err *err)
{
    TRY(sw_open(w, SW_READ, err));
    TRY(sw_package_judge(w, &made, err));
    return sw_close(w, err);
}

static void free_scratch(uint8_t **scratch) { free(*scratch); }

/* What is deposited stands for the zip in which the package came. */
static cu_status import(struct service_world *w, struct cu_err *err)
{
    CU_CLEANUP(free_scratch) uint8_t *scratch = malloc(CU_VERIFY_SCRATCH);
    CU_BUF out = cu_buf_heap((size_t)4 << 20);
    struct cu_package in = sw_package_in(&made);
    struct cu_import_request r = { .is_file = true };
    int exit = 1;

    ENSURE(scratch, err, CU_NO_MEMORY, "out of memory");
    TRY(sw_open(w, SW_WRITE, err));
    r.judge = (struct cu_bag_request){ .package = &in,
                                       .trust_text = cu_buf_span(&w->place.trust_text),
                                       .verifier = &w->place.verifier,
                                       .scratch = scratch,
                                       .path = SW_LARGE };
    w->deposits_max++;
    TRY(cu_import(&w->place, &r, &out, &exit, sw_deposited, w, err));
    ENSURE(exit == 0, err, CU_CORRUPT, "the package does not verify: %.*s", (int)(out.n < 300 ? out.n : 300),
           (const char *)out.p);
    return sw_close(w, err);
}

static cu_status check(struct service_world *w, struct cu_err *err)
{
    struct cu_check_result result = { 0 };
    char finding[600];

    TRY(sw_check(w, false, &result, finding, err));
    ENSURE(result.findings == 0, err, CU_CORRUPT, "it finds damage where there is none: %s", finding);
    return CU_OK;
}

static cu_status reindex(struct service_world *w, struct cu_err *err) { return sw_reindex(w, err); }

static const struct {
    const char *name;
    cu_status (*act)(struct service_world *w, struct cu_err *err);
    bool from_nothing;
    unsigned stride;
} acts[] = {
    { "init", found, true, 5 },       { "deposit", deposit, false, 9 },
    { "receipt", receipt, false, 4 }, { "certificate", certificate, false, 9 },
    { "check", check, false, 5 },     { "reindex", reindex, false, 4 },
    { "export", export, false, 41 },  { "verify", verify, false, 3 },
    { "import", import, false, 17 },
};
#define ACTS (sizeof acts / sizeof *acts)

/* ---- telling it ---- */

static const char *judge(struct service_world *w, bool from_nothing)
{
    static char sentence[400];
    struct cu_err err = { 0 };

    if (from_nothing && !cu_fs_exists(&w->memory, CU_FILE_FORMAT)) {
        w->points_n = 0;
        if (sw_create(w, &err) == CU_OK) return sw_judge(w);
        snprintf(sentence, sizeof sentence, "begun again: %s", err.text);
        return sentence;
    }
    return sw_judge(w);
}

static unsigned wrongs;

/* Whether it came to the n-th. */
static bool tell(size_t which, unsigned long long n)
{
    struct service_world *w = acts[which].from_nothing ? sw_new() : sw_copy(base);
    struct cu_err err = { 0 };

    allocation.n = 0, allocation.fails = n, allocation.disk = &w->memory;
    cu_status status = acts[which].act(w, &err);
    if (w->open) {
        const cu_status closed = sw_close(w, NULL);
        (void)closed;
    }
    allocation.disk = NULL;
    const bool came = allocation.n >= n;
    sw_restart(w);
    const char *wrong = status != CU_OK && !err.text[0] ? "an error without a word" : status == CU_CORRUPT ? err.text : NULL;
    if (!wrong && came) wrong = judge(w, acts[which].from_nothing);
    if (wrong) print_error("CUSTODY_ALLOCATION='%s %llu': %s: %s\n", acts[which].name, n, cu_status_name(status), wrong);
    wrongs += wrong != NULL;
    sw_free(w);
    return came;
}

static void no_memory_is_told_and_leaves_nothing_half_done(void **state)
{
    const char *one = getenv("CUSTODY_ALLOCATION");
    char name[20] = "";
    unsigned long long n = 0;

    (void)state;
    if (one) assert_int_equal(sscanf(one, "%19s %llu", name, &n), 2);
    for (size_t i = 0; i < ACTS; i++) {
        const unsigned stride = getenv("CUSTODY_SLOW") ? 1 : acts[i].stride * ONE_OF(3);
        if (one && strcmp(name, acts[i].name) == 0) tell(i, n);
        if (one) continue;
        for (n = 1; tell(i, n);) n += stride;
        print_message("%s: %llu allocations\n", acts[i].name, allocation.n);
    }
    assert_int_equal(wrongs, 0);
}

static int set_up(void **state)
{
    struct service_world *w = sw_new();
    struct cu_err err = { 0 };

    (void)state;
    chance_begin(1);
    sw_keep();
    if (sw_create(w, &err) != CU_OK || deposit(w, &err) != CU_OK) fail_msg("a ledger to begin with: %s", err.text);
    if (export_into(w, &made, &err) != CU_OK) fail_msg("a package to begin with: %s", err.text);
    sw_restart(w);
    base = sw_copy(w);
    sw_free(w);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    sw_free(base);
    sw_package_free(&made);
    sw_let_go();
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(no_memory_is_told_and_leaves_nothing_half_done) };

    return cmocka_run_group_tests(tests, set_up, tear_down);
}
