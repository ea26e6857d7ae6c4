/* Outside witnesses: they are shown how the log goes on from what they cosigned last, and cosign what it is now. Source: c2sp.org/tlog-witness. */
#include "service/cosigned.h"

#include "custody/text.h"
#include "proof/witness.h"

#include <stdio.h>
#include <stdlib.h>

/* ---- asking ---- */

struct asking {
    struct cu_place *p;
    struct cu_span who, url;
    struct cu_remote remote;
    struct cu_buf request, answer;
    unsigned http;
};
static void asking_close(struct asking *a)
{
    if (a->remote.ops) a->remote.ops->close(a->remote.self);
    cu_buf_free(&a->request);
    cu_buf_free(&a->answer);
}

static cu_status post(struct asking *a, cu_size old, struct cu_err *err)
{
    const struct cu_node_source nodes = cu_tile_node_source(&a->p->log.nodes);
    const cu_size size = a->p->log.checkpoint.size;
    struct cu_witness_request r = { .old = old, .checkpoint = cu_buf_span(&a->p->log.note) };

    if (old.v > 0 && old.v < size.v) TRY(cu_consistency_make(&nodes, old, size, r.proof, &r.n, err));
    cu_buf_clear(&a->request);
    cu_buf_clear(&a->answer);
    cu_witness_request_put(&r, &a->request);
    TRY(cu_buf_ok(&a->request, err));
    return a->remote.ops->ask(a->remote.self, "add-checkpoint", cu_buf_span(&a->request), &a->http, &a->answer, err);
}

/* It says what it cosigned last: from there once more. */
static cu_status go_on_from_last(struct asking *a, struct cu_err *err)
{
    struct cu_span text = cu_buf_span(&a->answer), line;
    cu_size last;

    ENSURE(cu_span_split(&text, '\n', &line) && text.n == 0 && cu_decimal_read(line, INT64_MAX, &last.v, NULL) == CU_OK, err,
           CU_IO, "the witness %.*s answers in no form that is known here", (int)a->who.n, (const char *)a->who.p);
    ENSURE(
        last.v <= a->p->log.checkpoint.size.v, err, CU_BAD_PROOF,
        "the witness %.*s cosigned %llu entries of this log, and %llu are here: an older copy was put in its place, or somebody "
        "else signs with the log's key. Find out which before anything more is recorded",
        (int)a->who.n, (const char *)a->who.p, LLU(last.v), LLU(a->p->log.checkpoint.size.v));
    return post(a, last, err);
}

static cu_status ask(struct asking *a, bool *ret_met, struct cu_err *err)
{
    CU_BUF note = cu_buf_heap(CU_NOTE_MAX);
    bool more;

    TRY(a->p->outside.open(a->p->outside.self, a->url, &a->remote, err));
    a->request = cu_buf_heap(CU_WITNESS_REQUEST_MAX);
    a->answer = cu_buf_heap(CU_NOTE_MAX);
    TRY(post(a, (cu_size){ 0 }, err));
    if (a->http == 409) TRY(go_on_from_last(a, err));
    ENSURE(a->http != 422, err, CU_BAD_PROOF,
           "the witness %.*s does not find that this log goes on from what it cosigned of it: keep its answer and see `custody "
           "fork-proof`",
           (int)a->who.n, (const char *)a->who.p);
    ENSURE(a->http == 200, err, CU_IO, "the witness %.*s answers %u to a checkpoint of this log: does it know the log's key?",
           (int)a->who.n, (const char *)a->who.p, a->http);
    cu_buf_add(&note, cu_buf_span(&a->p->log.note));
    cu_buf_add(&note, cu_buf_span(&a->answer));
    TRY(cu_buf_ok(&note, err));
    return cu_cosigned_take(a->p, cu_buf_span(&note), &more, ret_met, err);
}

static cu_status ask_each(struct cu_place *p, const struct cu_tlog_policy *policy, bool *ret_met, struct cu_err *err)
{
    cu_status first = CU_OK;

    for (size_t i = 0; i < policy->nodes_n; i++) {
        const struct cu_policy_node *node = &policy->node[i];
        if (node->is_group || node->url.n == 0) continue;
        CU_CLEANUP(asking_close) struct asking a = { .p = p, .who = node->vkey.name, .url = node->url };
        const cu_status asked = ask(&a, ret_met, first == CU_OK ? err : NULL);
        if (first == CU_OK) first = asked;
    }
    return *ret_met ? CU_OK : first;
}

cu_status cu_witnesses_ask(struct cu_place *p, bool *ret_met, struct cu_err *err)
{
    struct cu_tlog_policy *policy = malloc(sizeof *policy);

    *ret_met = false;
    ENSURE(policy, err, CU_NO_MEMORY, "no memory to ask witnesses");
    cu_status asked = cu_trust_policy(&p->trust, p->log.checkpoint.size, policy, err);
    if (asked == CU_OK && p->outside.open) asked = ask_each(p, policy, ret_met, err);
    free(policy);
    return asked;
}

/* ---- listing one ---- */

/* The lines of the newest epoch that stay: keys; what its quorum was is said anew. `w<n>` are outside witnesses. */
static size_t put_keys(struct cu_span policy, struct cu_buf *out)
{
    struct cu_lines lines = cu_lines_on(policy);
    struct cu_span line;
    size_t outside = 0;

    while (cu_lines_next(&lines, &line)) {
        if (cu_span_starts(line, cu_span_str("group outside ")) || cu_span_starts(line, cu_span_str("group both ")) ||
            cu_span_starts(line, cu_span_str("quorum ")))
            continue;
        outside += cu_span_starts(line, cu_span_str("witness outside-"));
        cu_buf_add(out, line);
        cu_buf_add_byte(out, '\n');
    }
    return outside;
}

/* What was asked for before, but for outside witnesses: a name, or n == 0. */
static struct cu_span inner_quorum(struct cu_span policy)
{
    struct cu_lines lines = cu_lines_on(policy);
    struct cu_span line, inner = CU_SPAN_EMPTY, quorum = CU_SPAN_EMPTY;

    while (cu_lines_next(&lines, &line)) {
        if (cu_span_take(&line, "group both all outside ")) inner = line;
        else if (cu_span_take(&line, "quorum ")) quorum = line;
    }
    if (cu_span_is(quorum, "both")) return inner;
    return cu_span_is(quorum, "none") || cu_span_is(quorum, "outside") ? CU_SPAN_EMPTY : quorum;
}

static void put_policy(struct cu_span before, struct cu_span vkey, struct cu_span url, uint64_t k, struct cu_buf *out)
{
    const size_t n = put_keys(before, out) + 1;
    const struct cu_span inner = inner_quorum(before);

    cu_buf_addf(out, "witness outside-%zu ", n);
    cu_buf_add(out, vkey);
    if (url.n) cu_buf_add_byte(out, ' '), cu_buf_add(out, url);
    cu_buf_add_str(out, "\ngroup outside ");
    if (k == 0) cu_buf_add_str(out, "all");
    else cu_buf_addf(out, "%llu", LLU(k));
    for (size_t i = 1; i <= n; i++) cu_buf_addf(out, " outside-%zu", i);
    if (inner.n) {
        cu_buf_add_str(out, "\ngroup both all outside ");
        cu_buf_add(out, inner);
    }
    cu_buf_addf(out, "\nquorum %s\n", inner.n ? "both" : "outside");
}

/* The newest epoch ends with the log as it is; one that did not begin to count yet is replaced. */
cu_status cu_witness_add(struct cu_place *p, struct cu_span vkey, struct cu_span url, uint64_t k, struct cu_err *err)
{
    CU_BUF text = cu_buf_heap(CU_TRUST_MAX), policy = cu_buf_heap(CU_TRUST_MAX);
    struct cu_vkey key;

    TRY(cu_vkey_read(vkey, &key, err));
    ENSURE(key.type == CU_NOTE_COSIGNATURE, err, CU_USAGE,
           "that is no cosigner's key: a witness' begins, after its second '+', with \"B\"");
    for (size_t i = 0; i < url.n; i++)
        ENSURE(url.p[i] > ' ' && url.p[i] < 0x7F, err, CU_USAGE, "an address has no spaces and no control characters");
    put_policy(p->trust.epoch[p->trust.epochs_n - 1].policy_text, vkey, url, k, &policy);
    TRY(cu_buf_ok(&policy, err));
    cu_trust_append(&p->trust, cu_buf_span(&p->trust_text), p->log.checkpoint.size.v, cu_buf_span(&policy), &text);
    TRY(cu_buf_ok(&text, err));
    const cu_status replaced = cu_trust_replace(&p->fs, cu_buf_span(&text), err);
    return replaced == CU_OK
               ? CU_OK
               : cu_fail_while(err, replaced, "with this witness the trust file would not be one; nothing was changed");
}
