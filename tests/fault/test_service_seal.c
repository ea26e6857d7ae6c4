/* Sealing, enrolling whom to seal for, granting and opening, stopped after any effect and failed at any call. */
#include "service_world.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

static struct cu_age_identity court, defence;

static cu_status told(void *world, struct cu_deposited *d, struct cu_err *err)
{
    const struct cu_outcome outcome = { .seq = d->seq, .leaf = d->leaf };

    return sw_recorded(world, CU_KIND_DEPOSIT, &outcome, err); /* without its path: what comes out of the stores is sealed */
}

static cu_status enrol(struct service_world *w, const char *name, const struct cu_age_identity *of, struct cu_err *err)
{
    struct cu_outcome outcome;
    uint64_t party;

    TRY(cu_member_add(&w->place, cu_span_str(name), &of->recipient, CU_SPAN_EMPTY, &party, &outcome, err));
    return sw_recorded(w, CU_KIND_MEMBER, &outcome, err);
}

static cu_status deposit_sealed(struct service_world *w, const char *path, bool two, struct cu_err *err)
{
    struct cu_deposit_request r = { .receipts = CU_DIR_RECEIPTS };
    struct cu_sealing first = { .n = 0 }, second = { .n = 0 };

    TRY(cu_sealing_for(&w->place, cu_span_str(two ? "" : "Court"), false, CU_SPAN_EMPTY, &first, err));
    if (two) TRY(cu_sealing_second(&w->place, cu_span_str("Court"), &first, &second, err));
    r.seal = &first;
    return cu_deposit(&w->place, &r, &path, 1, told, w, err);
}

static cu_status enrol_and_seal(struct service_world *w, struct cu_err *err)
{
    TRY(sw_open(w, SW_WRITE, err));
    TRY(enrol(w, "Court", &court, err));
    TRY(deposit_sealed(w, SW_SMALL, false, err));
    TRY(deposit_sealed(w, SW_LARGE, true, err));
    return sw_close(w, err);
}

static cu_status count(void *arg, struct cu_span bytes, struct cu_err *err)
{
    (void)err;
    *(uint64_t *)arg += bytes.n;
    return CU_OK;
}

static cu_status count_anew(void *arg, struct cu_err *err)
{
    (void)err;
    *(uint64_t *)arg = 0;
    return CU_OK;
}

static cu_status open_it(struct service_world *w, const char *name, const struct cu_age_identity *by_whom, struct cu_err *err)
{
    CU_CLEANUP(cu_fetch_free) struct cu_fetch f = { .found = { .mem = { 0 } } };
    CU_CLEANUP(cu_identities_free) struct cu_identities by = { .id = { *by_whom }, .n = 1 };
    CU_CLEANUP(cu_unseal_free) struct cu_unseal *u = NULL;
    bool damaged = false;
    uint64_t n = 0;

    TRY(cu_fetch_begin(&w->place, cu_span_str(name), &f, err));
    TRY(cu_unseal_begin(&w->place, &f.found.row.id, f.found.row.seq, &f.claim, &by, &u, err));
    TRY(cu_unseal_fetch(&w->place, &f.claim, u, count, count_anew, &n, &damaged, err));
    assert_int_equal(n, cu_unseal_size(u));
    n = 0;
    TRY(cu_fetch_granted(&w->place, &f.found.row.id, &f.claim, cu_span_str("Defence"), count, count_anew, &n, &damaged, err));
    assert_true(n > cu_unseal_size(u));
    return CU_OK;
}

static cu_status grant_and_open(struct service_world *w, struct cu_err *err)
{
    CU_CLEANUP(cu_identities_free) struct cu_identities by = { .id = { court }, .n = 1 };
    struct cu_outcome outcome;

    TRY(sw_open(w, SW_WRITE, err));
    TRY(enrol(w, "Defence", &defence, err));
    TRY(cu_identities_own(&w->place, CU_SPAN_EMPTY, &by, err));
    const struct cu_identities both = by; /* taken over, each time */
    TRY(cu_grant(&w->place, cu_span_str("unfiled/3"), cu_span_str("Defence"), CU_SPAN_EMPTY, &by, &outcome, err));
    TRY(sw_recorded(w, CU_KIND_GRANT, &outcome, err));
    by = both;
    TRY(cu_grant(&w->place, cu_span_str("unfiled/4"), cu_span_str("Defence"), CU_SPAN_EMPTY, &by, &outcome, err));
    TRY(sw_recorded(w, CU_KIND_GRANT, &outcome, err));
    TRY(sw_close(w, err));
    TRY(sw_open(w, SW_READ, err));
    TRY(open_it(w, "unfiled/3", &defence, err));
    TRY(open_it(w, "unfiled/4", &defence, err));
    return sw_close(w, err);
}

static const struct sw_story stories[] = {
    { .name = "seal", .act = enrol_and_seal, .deposits = 2, .stride = 17, .call_stride = 31 },
    { .name = "grant", .prepare = enrol_and_seal, .act = grant_and_open, .deposits = 2, .stride = 13, .call_stride = 23 },
};

static void sealing_and_granting_that_lose_power_keep_what_was_acknowledged(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof stories / sizeof *stories; i++) sw_stop_everywhere(&stories[i]);
}

static void any_call_that_fails_is_told_and_loses_nothing(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof stories / sizeof *stories; i++) sw_fail_everywhere(&stories[i]);
}

static int prepare(void **state)
{
    if (cu_age_identity_generate(&court, NULL) != CU_OK || cu_age_identity_generate(&defence, NULL) != CU_OK) return -1;
    return sw_prepare(state);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sealing_and_granting_that_lose_power_keep_what_was_acknowledged),
        cmocka_unit_test(any_call_that_fails_is_told_and_loses_nothing),
    };
    return cmocka_run_group_tests(tests, prepare, sw_release);
}
