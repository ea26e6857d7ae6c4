/* What is sealed, opened again: its details whole, its content while it is read. And opened to others: grants.
 *
 * (1) A key opens the file's own header or a grant's. What needs two keys is an age file within an age file: each has its header.
 * (2) The root of the sealed bytes is verified (fetch.c), then the tag of every chunk, at the end the digests in the sealed details.
 */
#include "content/digests.h"
#include "service/service.h"

#include <stdlib.h>

#define BEGINNING ((uint64_t)5 * CU_AGE_HEADER_MAX) /* in it are both headers of what needs two keys */

typedef cu_status feed_fn(void *arg, struct cu_span bytes, struct cu_err *err);
typedef cu_status restart_fn(void *arg, struct cu_err *err);

struct cu_unseal {
    struct cu_identities by;
    struct cu_buf granted; /* headers of grants */
    size_t layers;
    struct cu_age_open open[2]; /* the outer file, and the one within */
    struct cu_buf between, plain, details;
    union cu_details said;
    struct cu_digest_set digests;
    uint64_t size;
    feed_fn *feed;
    restart_fn *restart;
    void *arg;
};

void cu_unseal_free(struct cu_unseal **io)
{
    struct cu_unseal *u = *io;

    if (!u) return;
    cu_identities_free(&u->by);
    for (size_t i = 0; i < 2; i++) cu_age_open_free(&u->open[i]);
    cu_buf_free(&u->granted);
    cu_buf_free(&u->between);
    cu_buf_free(&u->plain);
    cu_buf_free(&u->details);
    cu_digest_set_free(&u->digests);
    free(u);
    *io = NULL;
}

static cu_status make(const struct cu_claim *claim, struct cu_identities *by, struct cu_unseal **ret, struct cu_err *err)
{
    struct cu_unseal *u = *ret = calloc(1, sizeof *u);

    ENSURE(u, err, CU_NO_MEMORY, "no memory to open what is sealed");
    u->by = *by;
    by->n = 0;
    u->layers = claim->has_second ? 2 : 1;
    u->granted = cu_buf_heap(SIZE_MAX / 4);
    u->details = cu_buf_heap(CU_DETAILS_MAX);
    u->between = u->plain = cu_buf_heap(8 * (size_t)CU_CHUNK_BYTES);
    return CU_OK;
}

struct cu_span cu_unseal_details(const struct cu_unseal *u) { return cu_buf_span(&u->details); }
uint64_t cu_unseal_size(const struct cu_unseal *u) { return u->size; }

/* ---- the layers ---- */

static void start(struct cu_unseal *u)
{
    for (size_t i = 0; i < u->layers; i++) {
        cu_age_open_free(&u->open[i]);
        cu_age_open_start(u->by.id, u->by.n, &u->open[i]);
        u->open[i].granted = cu_buf_span(&u->granted);
    }
}

static cu_status add(struct cu_unseal *u, struct cu_span sealed, struct cu_buf *out, struct cu_err *err)
{
    if (u->layers == 1) return cu_age_open_add(&u->open[0], sealed, out, err);
    cu_buf_clear(&u->between);
    TRY(cu_age_open_add(&u->open[0], sealed, &u->between, err));
    return cu_age_open_add(&u->open[1], cu_buf_span(&u->between), out, err);
}

static cu_status finish(struct cu_unseal *u, struct cu_buf *out, struct cu_err *err)
{
    if (u->layers == 1) return cu_age_open_finish(&u->open[0], out, err);
    cu_buf_clear(&u->between);
    TRY(cu_age_open_finish(&u->open[0], &u->between, err));
    TRY(cu_age_open_add(&u->open[1], cu_buf_span(&u->between), out, err));
    return cu_age_open_finish(&u->open[1], out, err);
}

/* ---- grants ---- */

typedef cu_status grant_fn(void *arg, const struct cu_grant *grant, const struct cu_details_grant *said, struct cu_err *err);

static cu_status note_grant(void *arg, const struct cu_index_row *row, struct cu_err *err)
{
    if (row->kind == CU_KIND_GRANT) cu_buf_add(arg, cu_span(&row->seq.v, sizeof row->seq.v));
    return cu_buf_ok(arg, err);
}

static cu_status tell_grant(struct cu_place *p, cu_seq seq, grant_fn *each, void *arg, struct cu_err *err)
{
    CU_BUF entry = cu_buf_heap(CU_ENTRY_MAX), attached = cu_buf_heap(CU_SALT_LEN + CU_DETAILS_MAX);
    struct cu_span bytes;
    union cu_details said;
    struct cu_entry e;

    TRY(cu_log_entry(&p->log, seq, &bytes, err));
    cu_buf_add(&entry, bytes);
    TRY(cu_buf_ok(&entry, err));
    TRY(cu_entry_read(cu_buf_span(&entry), &e, err));
    TRY(cu_place_details(p, seq, cu_entry_commitment(&e), &attached, err));
    TRY(cu_details_check(cu_span_from(cu_buf_span(&attached), CU_SALT_LEN), CU_KIND_GRANT, &said, err));
    return each(arg, &e.outer.body.grant, &said.grant, err);
}

/* Every grant of this deposit, in the order of the log. */
static cu_status each_grant(struct cu_place *p, const cu_hash *id, grant_fn *each, void *arg, struct cu_err *err)
{
    CU_BUF found = cu_buf_heap(SIZE_MAX / 4);
    const struct cu_index_query q = { .by = CU_FIND_REF, .hash = *id };
    uint64_t seq;

    TRY(p->index.find(p->index.self, &q, note_grant, &found, err));
    for (size_t at = 0; at < found.n; at += sizeof seq) {
        memcpy(&seq, found.p + at, sizeof seq);
        TRY(tell_grant(p, (cu_seq){ seq }, each, arg, err));
    }
    return CU_OK;
}

/* Headers alone: what is none would hide those behind it. */
static void add_headers(struct cu_buf *to, struct cu_span headers)
{
    size_t end;

    for (; (end = cu_age_header_end(headers)) > 0; headers = cu_span_from(headers, end)) cu_buf_add(to, cu_span(headers.p, end));
}

static cu_status take_headers(void *arg, const struct cu_grant *grant, const struct cu_details_grant *said, struct cu_err *err)
{
    struct cu_unseal *u = arg;

    (void)grant;
    add_headers(&u->granted, said->content);
    add_headers(&u->granted, said->details);
    return cu_buf_ok(&u->granted, err);
}

/* ---- the details ---- */

static cu_status open_whole(struct cu_unseal *u, struct cu_span sealed, struct cu_buf *out, struct cu_err *err)
{
    start(u);
    TRY(add(u, sealed, out, err));
    return finish(u, out, err);
}

/* With grants only if it must be: they are looked up. */
static cu_status open_details(struct cu_place *p, struct cu_unseal *u, const cu_hash *id, cu_seq seq,
                              const struct cu_claim *claim, struct cu_err *err)
{
    CU_BUF attached = cu_buf_heap(CU_SALT_LEN + CU_DETAILS_MAX);

    TRY(cu_place_details(p, seq, &claim->commitment, &attached, err));
    const struct cu_span sealed = cu_span_from(cu_buf_span(&attached), CU_SALT_LEN);
    const cu_status opened = open_whole(u, sealed, &u->details, err);
    if (opened != CU_SEALED) return opened;
    TRY(each_grant(p, id, take_headers, u, err));
    cu_buf_clear(&u->details);
    return open_whole(u, sealed, &u->details, err);
}

static cu_status say_for_whom(struct cu_place *p, const struct cu_unseal *u, const struct cu_claim *claim, struct cu_err *err)
{
    CU_BUF first = cu_buf_heap(65536), second = cu_buf_heap(65536);

    cu_sealed_for(p, &claim->sealed, &first);
    if (claim->has_second) cu_sealed_for(p, &claim->second, &second);
    TRY(cu_buf_ok(&first, err));
    TRY(cu_buf_ok(&second, err));
    const int n = (int)first.n, m = (int)second.n;
    const char *const a = (const char *)first.p, *const b = (const char *)second.p;
    if (!claim->has_second)
        return cu_fail(
            err, CU_SEALED,
            "sealed for %.*s, and no key that opens it is here: give one with --identity FILE, or take the sealed file with "
            "--sealed",
            n, a);
    return cu_fail(
        err, CU_SEALED,
        "sealed for two: one of %.*s and one of %.*s must open it, and no key of the %s is here: give both with --identity "
        "FILE, or let the first grant it to the second; --sealed takes the sealed file",
        n, a, m, b, u->open[0].begun ? "second" : "first");
}

cu_status cu_unseal_begin(struct cu_place *p, const cu_hash *id, cu_seq seq, const struct cu_claim *claim,
                          struct cu_identities *by, struct cu_unseal **ret, struct cu_err *err)
{
    CU_CLEANUP(cu_unseal_free) struct cu_unseal *u = NULL;

    TRY(make(claim, by, &u, err));
    const cu_status opened = open_details(p, u, id, seq, claim, err);
    if (opened == CU_SEALED) return say_for_whom(p, u, claim, err);
    TRY(opened);
    TRY(cu_details_check(cu_buf_span(&u->details), CU_KIND_CLAIM, &u->said, err));
    *ret = u;
    u = NULL;
    return CU_OK;
}

/* ---- the content ---- */

static cu_status begin_content(struct cu_unseal *u, struct cu_err *err)
{
    struct cu_detail_digest digest;
    unsigned algs = 0;
    size_t at = 0;

    while (cu_list_next(&u->said.deposit.digests, &cu_detail_digest_schema, &at, &digest)) algs |= 1u << digest.alg;
    cu_digest_set_free(&u->digests);
    u->size = 0;
    start(u);
    return cu_digest_set_start(algs, &u->digests, err);
}

static cu_status pass_on(struct cu_unseal *u, struct cu_err *err)
{
    TRY(cu_buf_ok(&u->plain, err));
    cu_digest_set_add(&u->digests, cu_buf_span(&u->plain));
    u->size += u->plain.n;
    return u->feed(u->arg, cu_buf_span(&u->plain), err);
}

static cu_status take_content(void *arg, struct cu_span bytes, struct cu_err *err)
{
    struct cu_unseal *u = arg;

    cu_buf_clear(&u->plain);
    TRY(add(u, bytes, &u->plain, err));
    return pass_on(u, err);
}

static cu_status restart_content(void *arg, struct cu_err *err)
{
    struct cu_unseal *u = arg;

    TRY(u->restart(u->arg, err));
    return begin_content(u, err);
}

/* By (2): the root was that of the sealed bytes; now what was in them. */
static cu_status compare(struct cu_unseal *u, struct cu_err *err)
{
    struct cu_digest_value found[CU_DIGESTS_MAX];
    struct cu_detail_digest said;
    size_t n, at = 0;

    cu_digest_set_finish(&u->digests, found, &n);
    while (cu_list_next(&u->said.deposit.digests, &cu_detail_digest_schema, &at, &said))
        for (size_t i = 0; i < n; i++)
            ENSURE(found[i].alg != said.alg || cu_span_eq(said.value, cu_span(found[i].bytes, cu_digest_len(found[i].alg))), err,
                   CU_BAD_HASH,
                   "what is in the sealed file has another %s than its sealed details say: the file is the one that was signed, "
                   "so who deposited it said something wrong of it (--sealed gives it as it is)",
                   cu_digest_name(found[i].alg));
    return CU_OK;
}

cu_status cu_unseal_fetch(struct cu_place *p, const struct cu_claim *claim, struct cu_unseal *u, feed_fn *feed,
                          restart_fn *restart, void *arg, bool *ret_damaged, struct cu_err *err)
{
    u->feed = feed;
    u->restart = restart;
    u->arg = arg;
    TRY(begin_content(u, err));
    TRY(cu_fetch_object(p, &claim->root, claim->size, NULL, take_content, restart_content, u, ret_damaged, err));
    cu_buf_clear(&u->plain);
    TRY(finish(u, &u->plain, err));
    TRY(pass_on(u, err));
    return compare(u, err);
}

/* ---- under a granted header ---- */

struct granted {
    struct cu_place *p;
    struct cu_span member;
    struct cu_buf header, held; /* the newest to him; the file's own, until its end is there */
    bool begun;
    feed_fn *feed;
    restart_fn *restart;
    void *arg;
};

static void granted_free(struct granted *g)
{
    cu_buf_free(&g->header);
    cu_buf_free(&g->held);
}

static cu_status take_newest(void *arg, const struct cu_grant *grant, const struct cu_details_grant *said, struct cu_err *err)
{
    struct granted *g = arg;
    const struct cu_member_key *key;
    size_t at = 0;
    cu_hash kid;

    while (cu_list_next(&grant->readers, &cu_id_schema, &at, &kid)) {
        key = cu_members_key(&g->p->members, &kid);
        if (!key || !cu_span_eq(cu_party_named(g->p, key->party), g->member)) continue;
        cu_buf_clear(&g->header);
        cu_buf_add(&g->header, cu_span(said->content.p, cu_age_header_end(said->content)));
    }
    return cu_buf_ok(&g->header, err);
}

static cu_status feed_granted(void *arg, struct cu_span bytes, struct cu_err *err)
{
    struct granted *g = arg;

    if (g->begun) return g->feed(g->arg, bytes, err);
    cu_buf_add(&g->held, bytes);
    TRY(cu_buf_ok(&g->held, err));
    const size_t end = cu_age_header_end(cu_buf_span(&g->held));
    if (end == 0) return CU_OK;
    g->begun = true;
    TRY(g->feed(g->arg, cu_buf_span(&g->header), err));
    return g->feed(g->arg, cu_span_from(cu_buf_span(&g->held), end), err);
}

static cu_status restart_granted(void *arg, struct cu_err *err)
{
    struct granted *g = arg;

    cu_buf_clear(&g->held);
    g->begun = false;
    return g->restart(g->arg, err);
}

cu_status cu_fetch_granted(struct cu_place *p, const cu_hash *id, const struct cu_claim *claim, struct cu_span member,
                           feed_fn *feed, restart_fn *restart, void *arg, bool *ret_damaged, struct cu_err *err)
{
    CU_CLEANUP(granted_free)
    struct granted g = { p,       member, cu_buf_heap(CU_AGE_HEADER_MAX), cu_buf_heap(8 * (size_t)CU_CHUNK_BYTES), false, feed,
                         restart, arg };

    TRY(each_grant(p, id, take_newest, &g, err));
    ENSURE(g.header.n > 0, err, CU_NOT_FOUND, "it was never granted to \"%.*s\": `custody trail` tells to whom", (int)member.n,
           (const char *)member.p);
    TRY(cu_fetch_object(p, &claim->root, claim->size, NULL, feed_granted, restart_granted, &g, ret_damaged, err));
    ENSURE(g.begun, err, CU_MALFORMED, "not a sealed file: no header ends in it");
    return CU_OK;
}

/* ---- granting ---- */

static cu_status take_beginning(void *arg, struct cu_span bytes, struct cu_err *err)
{
    struct cu_unseal *u = arg;

    cu_buf_clear(&u->plain);
    return add(u, bytes, &u->plain, err);
}

static cu_status restart_beginning(void *arg, struct cu_err *err)
{
    (void)err;
    start(arg);
    return CU_OK;
}

static cu_status open_beginning(struct cu_place *p, struct cu_unseal *u, const struct cu_claim *claim, struct cu_err *err)
{
    const struct cu_fetch_range part = { 0, claim->size < BEGINNING ? claim->size : BEGINNING };
    bool damaged = false;

    start(u);
    TRY(cu_fetch_object(p, &claim->root, claim->size, &part, take_beginning, restart_beginning, u, &damaged, err));
    return part.to < claim->size ? CU_OK : finish(u, &u->plain, err);
}

static bool among(const struct cu_list *of, const struct cu_list *ids)
{
    size_t at = 0, found = 0;
    cu_hash id, other;

    while (cu_list_next(of, &cu_id_schema, &at, &id))
        for (size_t k = 0; cu_list_next(ids, &cu_id_schema, &k, &other);) found += cu_hash_eq(&id, &other);
    return found == of->n;
}

/* New headers of all that was opened. When only the outer layer was: its alone, to those who have the key of the inner one. */
static cu_status rewrap(struct cu_place *p, const struct cu_unseal *u, cu_status opened, const struct cu_claim *claim,
                        const struct cu_sealing *to, struct cu_buf *out, struct cu_err *err)
{
    const bool outer_alone = opened == CU_SEALED && u->layers == 2 && u->open[0].begun;

    if (opened == CU_SEALED && !(outer_alone && among(&to->list, &claim->second))) return say_for_whom(p, u, claim, err);
    if (!outer_alone) TRY(opened);
    for (size_t i = 0; i < u->layers - outer_alone; i++) TRY(cu_age_header_put(&u->open[i].key, to->to, to->n, out, err));
    return cu_buf_ok(out, err);
}

/* Its depositor where his key is here, else the organisation that runs him. */
static enum cu_signer granter(const struct cu_place *p, const cu_hash *depositor)
{
    const struct cu_member_key *here = cu_members_key(&p->members, &p->key[CU_SIGNER_DEPOSITOR].id);
    const struct cu_member_key *his = cu_members_key(&p->members, depositor);

    return p->own_key || (p->has_key[CU_SIGNER_DEPOSITOR] && here && his && here->party == his->party) ? CU_SIGNER_DEPOSITOR
                                                                                                       : CU_SIGNER_ORGANISATION;
}

cu_status cu_grant(struct cu_place *p, struct cu_span name, struct cu_span readers, struct cu_span note, struct cu_identities *by,
                   struct cu_outcome *ret, struct cu_err *err)
{
    CU_CLEANUP(cu_fetch_free) struct cu_fetch f = { 0 };
    CU_CLEANUP(cu_unseal_free) struct cu_unseal *u = NULL;
    CU_BUF content = cu_buf_heap(CU_DETAILS_MAX), details = cu_buf_heap(CU_DETAILS_MAX), names = cu_buf_heap(CU_DETAILS_MAX);
    struct cu_sealing to;

    TRY(cu_fetch_find(p, name, &f, err));
    ENSURE(f.claim.has_sealed, err, CU_UNKNOWN_TARGET,
           "it is not sealed: there is nothing to open to anybody; nothing was recorded");
    TRY(cu_sealing_for(p, readers, true, CU_SPAN_EMPTY, &to, err));
    ENSURE(to.n <= CU_GRANT_READERS_MAX, err, CU_TOO_LARGE, "at most %d readers in one grant: nothing was recorded",
           CU_GRANT_READERS_MAX);
    TRY(make(&f.claim, by, &u, err));
    cu_status opened = open_details(p, u, &f.found.row.id, f.found.row.seq, &f.claim, err);
    TRY(rewrap(p, u, opened, &f.claim, &to, &details, err));
    opened = open_beginning(p, u, &f.claim, err);
    TRY(rewrap(p, u, opened, &f.claim, &to, &content, err));
    cu_sealed_for(p, &to.list, &names);
    TRY(cu_buf_ok(&names, err));
    const struct cu_details_grant said = { .content = cu_buf_span(&content),
                                           .details = cu_buf_span(&details),
                                           .readers = cu_buf_span(&names),
                                           .note = note,
                                           .has_note = note.n > 0 };
    struct cu_grant body = { .target = f.found.row.id, .readers = to.list };
    const struct cu_saying say = { CU_KIND_GRANT, &body, granter(p, &f.found.row.kid), CU_PROFILE_GRANT, &said };
    return cu_say_and_record(p, &say, ret, err);
}
