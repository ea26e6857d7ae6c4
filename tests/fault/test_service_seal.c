/* Sealing, enrolling whom to seal for, granting and opening, members that come, rotate and go, stopped after any effect and failed at any call. */
#include "service_world.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

static struct cu_age_identity court, defence;
static struct cu_private_key first_key, second_key; /* of Officer Wu */

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

/* One tar file in an age file, made while the folder is read. */
static cu_status seal_folder(struct service_world *w, struct cu_err *err)
{
    TRY(sw_open(w, SW_WRITE, err));
    TRY(enrol(w, "Court", &court, err));
    TRY(deposit_sealed(w, SW_FOLDER, false, err));
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

/* ---- members ---- */

static cu_status admit(struct service_world *w, const struct cu_private_key *key, bool rotate, struct cu_err *err)
{
    CU_BUF request = cu_buf_heap(CU_ENROL_REQUEST_MAX);
    struct cu_outcome outcome;
    uint64_t party;

    TRY(cu_enrol_request_make(&w->place.trust.network, CU_ROLE_DEPOSITOR, cu_span_str("Officer Wu"), key, NULL, &request, err));
    TRY(cu_member_admit(&w->place, cu_buf_span(&request), rotate, CU_NOT_COMPROMISED, CU_SPAN_EMPTY, &party, &outcome, err));
    return sw_recorded(w, CU_KIND_MEMBER, &outcome, err);
}

static cu_status revoke(struct service_world *w, const char *name, uint64_t since, struct cu_err *err)
{
    struct cu_outcome outcome;

    TRY(cu_member_revoke(&w->place, cu_span_str(name), 0, since, CU_SPAN_EMPTY, &outcome, err));
    return sw_recorded(w, CU_KIND_MEMBER, &outcome, err);
}

static cu_status come_and_go(struct service_world *w, struct cu_err *err)
{
    TRY(sw_open(w, SW_WRITE, err));
    TRY(enrol(w, "Court", &court, err));
    TRY(admit(w, &first_key, false, err));
    TRY(admit(w, &second_key, true, err));
    TRY(revoke(w, "Court", CU_NOT_COMPROMISED, err));
    TRY(revoke(w, "Officer Wu", 3, err));
    return sw_close(w, err);
}

/* Whatever of it is recorded, in whatever order people try again, ends as it should: nobody's key acts, and each came once. */
static const char *judge_members(struct service_world *w)
{
    CU_CLEANUP(cu_membership_free) struct cu_membership m = { 0 };
    struct cu_err err = { 0 };
    const char *said = sw_judge(w);

    if (said) return said;
    if (sw_open(w, SW_WRITE, &err) != CU_OK) return "it does not open";
    const cu_status read = cu_membership_read(&w->place, &m, &err);
    const char *why = read == CU_OK ? NULL : "who is a member cannot be read";
    for (size_t i = 0; !why && i < m.members.keys_n; i++)
        for (size_t k = 0; k < i; k++)
            if (cu_hash_eq(&m.members.key[i].kid, &m.members.key[k].kid)) why = "a key was given twice";
    size_t named = 0;
    for (uint64_t id = 1; !why && id <= m.members.parties_n; id++) named += cu_span_is(cu_membership_name(&m, id), "Officer Wu");
    if (!why && named > 1) why = "one member came twice";
    if (!why && named == 1 &&
        cu_member_revoke(&w->place, cu_span_str("Officer Wu"), 0, 3, CU_SPAN_EMPTY, &(struct cu_outcome){ 0 }, &err) != CU_OK &&
        err.status != CU_NOT_FOUND)
        why = "whose keys act cannot be revoked any more";
    if (sw_close(w, &err) != CU_OK && !why) why = "it does not close";
    return why;
}

static const struct sw_story stories[] = {
    { .name = "seal", .act = enrol_and_seal, .deposits = 2, .stride = 17, .call_stride = 31 },
    { .name = "seal folder", .act = seal_folder, .deposits = 1, .stride = 11, .call_stride = 29 },
    { .name = "members", .act = come_and_go, .judge = judge_members, .stride = 7, .call_stride = 19 },
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
    if (cu_private_generate(CU_ALG_ES256, &first_key, NULL) != CU_OK ||
        cu_private_generate(CU_ALG_ES256, &second_key, NULL) != CU_OK)
        return -1;
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
