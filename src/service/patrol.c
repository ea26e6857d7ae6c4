/* Copies are read again, round and round: what this node attested, what travelled with records; and the provider is asked for some bytes of each.
 *
 * (1) Nobody is believed: own bytes are verified as for any reader, the provider's are compared with them.
 * (2) What is wrong is put aside, so that it is brought again like what was never here; what lay beside it in a pack is found missing next.
 * (3) Everything costs bytes, of which so many a second are spent: a round takes as long as it takes.
 */
#include "codec/fields.h"
#include "service/audit.h"
#include "service/copy_inside.h"

#include <stdio.h>

#define REASON "a challenge: does the copy still hold?"
enum { ENTRY_COSTS = 32 << 10, CHALLENGE_COSTS = 4 << 20, ROUND_COSTS = 64 << 20, STEP = 4 << 20, ASKED = 4096 };

struct look {
    struct cu_patrol *patrol;
    const struct cu_patrol_request *r;
    struct cu_entry e; /* at what.seq */
    struct cu_withheld what;
};

static cu_status spend(const struct cu_patrol_request *r, uint64_t bytes, struct cu_err *err)
{
    ENSURE(r->spend(r->arg, bytes), err, CU_INTERRUPTED, "the node is stopping");
    return CU_OK;
}

/* ---- what lies here ---- */

static bool is_lost(cu_status status)
{
    return status == CU_NOT_FOUND || status == CU_BAD_HASH || status == CU_CORRUPT || status == CU_MALFORMED || status == CU_IO ||
           status == CU_CHANGED;
}

static cu_status read_all(struct look *l, const struct cu_object *o, struct cu_err *err)
{
    if (o->packed) {
        TRY(cu_object_stream(o, NULL, NULL, err));
        return spend(l->r, o->size, err);
    }
    for (uint64_t at = 0; at < o->size; at += STEP) {
        const uint64_t to = at + STEP < o->size ? at + STEP : o->size;
        TRY(cu_object_stream_range(o, at, to, NULL, NULL, err));
        TRY(spend(l->r, to - at, err));
    }
    return CU_OK;
}

/* By (2). `size` UINT64_MAX: whatever it has. */
static cu_status read_again(struct look *l, enum cu_object_kind kind, const cu_hash *name, uint64_t size, struct cu_err *err)
{
    char to[64], where[512] = "";
    struct cu_err why = { 0 };
    struct cu_object o;
    uint64_t run;

    cu_status good = cu_objects_find(l->r->p->store[CU_STORE_NODE], kind, name, &o, &why);
    const bool there = good == CU_OK;
    if (there && size != UINT64_MAX && o.size != size) good = cu_fail(&why, CU_BAD_HASH, "it has another length");
    if (good == CU_OK) good = read_all(l, &o, &why);
    if (good == CU_OK || !is_lost(good)) return good == CU_OK ? CU_OK : cu_fail(err, good, "%s", why.text);
    if (there) {
        TRY(cu_quarantine_next(l->r->p, &run, err));
        snprintf(to, sizeof to, CU_DIR_QUARANTINE "/%llu", LLU(run));
        TRY(cu_object_set_aside(&o, to, where, err));
    }
    l->what.kind = there ? "damaged" : "missing";
    snprintf(l->what.why, sizeof l->what.why, "%.239s", there ? where : why.text);
    return CU_OK;
}

static cu_status read_item(void *look, const cu_hash *root, uint64_t size, struct cu_err *err)
{
    return read_again(look, CU_OBJECT_CONTENT, root, size, err);
}

/* What did not travel with its record is looked for once it was attested: before that it is on its way. */
static cu_status read_content(struct look *l, struct cu_err *err)
{
    const struct cu_claim *claim = &l->e.inner.body.claim;
    struct cu_err why = { 0 };
    const bool travelled = claim->size <= CU_CONTENT_INLINE_MAX;
    bool attested = false;

    if (!travelled || claim->has_folder) TRY(cu_copied_by(l->r->p, l->what.seq, l->r->party, &attested, err));
    if (attested || travelled) TRY(read_again(l, CU_OBJECT_CONTENT, &claim->root, claim->size, err));
    if (!attested || !claim->has_folder || l->what.kind) return CU_OK;
    const cu_status read = cu_folder_items(l->r->p, CU_STORE_NODE, l->what.seq, claim, read_item, l, &why);
    return read == CU_INTERRUPTED || read == CU_NO_MEMORY ? cu_fail(err, read, "%s", why.text) : CU_OK;
}

/* ---- what the provider has ---- */

/* A silent one has not failed: it is asked another time. */
static cu_status ask(struct look *l, const struct cu_object *o, struct cu_err *ret_why, bool *ret_answered, struct cu_err *err)
{
    const struct cu_reading what = { .seq = l->what.seq, .reason = cu_span_str(REASON) };
    const struct cu_remote *provider = l->r->provider;
    CU_BUF ours = cu_buf_heap(ASKED), theirs = cu_buf_heap(ASKED);
    struct cu_err unread;
    uint64_t at;

    *ret_answered = true;
    TRY(l->r->p->random.fill(l->r->p->random.self, (uint8_t *)&at, sizeof at, err));
    at = at % o->size / ASKED * ASKED;
    const uint64_t to = at + ASKED < o->size ? at + ASKED : o->size;
    if (cu_object_stream_range(o, at, to, cu_buf_take, &ours, &unread) != CU_OK)
        return CU_OK; /* our own: the next round says it */
    const cu_status came = provider->ops->bytes(provider->self, &what, &o->name, at, to, cu_buf_take, &theirs, ret_why);
    if (came == CU_IO || cu_status_retry(came)) return CU_OK;
    *ret_answered = came == CU_OK && cu_span_eq(cu_buf_span(&ours), cu_buf_span(&theirs));
    if (came == CU_OK && !*ret_answered) cu_fail(ret_why, CU_BAD_HASH, "it sent other bytes than were signed");
    return CU_OK;
}

static size_t failed_before(const struct cu_patrol *p, cu_seq seq)
{
    size_t i = 0;

    while (i < p->failed_n && p->failed[i] != seq.v) i++;
    return i;
}

/* A failure is told once, until it answers again. */
static cu_status challenge(struct look *l, struct cu_err *err)
{
    struct cu_patrol *p = l->patrol;
    const struct cu_claim *claim = &l->e.inner.body.claim;
    struct cu_err why = { 0 };
    struct cu_object o;
    bool answered;

    if (!l->r->provider || !p->provider || claim->size == 0) return CU_OK;
    const struct cu_member_key *key = cu_members_key(&l->r->p->members, &l->e.outer.kid);
    if (!key || key->party != p->provider) return CU_OK;
    if (cu_objects_find(l->r->p->store[CU_STORE_NODE], CU_OBJECT_CONTENT, &claim->root, &o, &why) != CU_OK) return CU_OK;
    TRY(ask(l, &o, &why, &answered, err));
    TRY(spend(l->r, CHALLENGE_COSTS, err));
    const size_t i = failed_before(p, l->what.seq);
    if (answered && i < p->failed_n) p->failed[i] = p->failed[--p->failed_n];
    if (answered || i < p->failed_n || p->failed_n == CU_PATROL_FAILED) return CU_OK;
    p->failed[p->failed_n++] = l->what.seq.v;
    struct cu_withheld what = { .seq = l->what.seq, .id = l->what.id, .kind = CU_KIND_CHALLENGE };
    snprintf(what.why, sizeof what.why, "%.80s: %.150s", l->r->provider_url, why.text);
    return l->r->lost(l->r->arg, &what) ? CU_OK : cu_fail(err, CU_INTERRUPTED, "the node is stopping");
}

/* Whose key the provider's is, as it says: only what that party accepted is asked for. */
static void know_provider(struct cu_patrol *p, const struct cu_patrol_request *r)
{
    CU_BUF said = cu_buf_heap(65536), hex = cu_buf_heap(64);
    cu_hash kid;

    if (!r->provider || r->provider->ops->status(r->provider->self, &said, NULL) != CU_OK) return;
    if (!cu_fields_find(cu_buf_span(&said), "kid", &hex) || cu_hex_read(cu_buf_span(&hex), kid.b, sizeof kid.b, NULL) != CU_OK)
        return;
    const struct cu_member_key *key = cu_members_key(&r->p->members, &kid);
    p->provider = key ? key->party : 0;
}

/* ---- a round ---- */

static cu_status look_at(struct look *l, struct cu_err *err)
{
    const cu_hash *commitment;
    struct cu_span bytes;

    TRY(cu_log_entry_in_order(&l->r->p->log, l->what.seq, &bytes, err));
    TRY(cu_entry_read(bytes, &l->e, err));
    l->what.id = l->e.signed_ ? cu_entry_innermost(&l->e)->id : l->e.leaf;
    commitment = cu_entry_commitment(&l->e);
    if (commitment) TRY(read_again(l, CU_OBJECT_DETAILS, commitment, UINT64_MAX, err));
    if (l->e.kind == CU_KIND_DEPOSIT) TRY(read_content(l, err));
    if (l->what.kind) ENSURE(l->r->lost(l->r->arg, &l->what), err, CU_INTERRUPTED, "the node is stopping");
    if (l->e.kind == CU_KIND_DEPOSIT && !l->what.kind) TRY(challenge(l, err));
    return spend(l->r, ENTRY_COSTS, err);
}

cu_status cu_patrol_round(struct cu_patrol *p, const struct cu_patrol_request *r, struct cu_err *err)
{
    const uint64_t size = r->p->log.checkpoint.size.v;

    TRY(r->p->engine->drain(r->p->engine->self, err)); /* what travelled with records up to there lies in the store */
    know_provider(p, r);
    for (uint64_t seq = 0; seq < size; seq++) {
        struct look l = { .patrol = p, .r = r, .what.seq = { seq } };
        TRY(look_at(&l, err));
    }
    return spend(r, ROUND_COSTS, err);
}
