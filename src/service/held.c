/* How the provider's store holds what was accepted. See held.h.
 *
 * (1) What is signed is what the store itself answers for the very version that was read again: never what was asked of it.
 * (2) Of each object the newest word in the log counts: its acceptance, or what the provider said of it later.
 * (3) The objects of a folder that a word does not name are those that the folder's manifest leads to. With the versions that are served they
 *     come to the root that was signed; without pins, with the oldest of each or, where a repair put one on top, with the newest.
 */
#include "service/held.h"

#include "custody/text.h"

#include <stdio.h>
#include <stdlib.h>

#define HOUR_MS UINT64_C(3600000)

/* ---- what is said ---- */

struct container {
    cu_hash name;
    bool packed;
};

static int by_name(const void *a, const void *b) { return memcmp(a, b, sizeof(cu_hash)); }

static cu_status add_container(struct cu_objects *store, const cu_hash *root, uint64_t size, struct cu_buf *ret,
                               struct cu_err *err)
{
    struct container c = { .packed = false };

    if (size == 0) return CU_OK;
    TRY(cu_store_container(store, root, size, &c.name, &c.packed, err));
    cu_buf_add(ret, cu_span(&c, sizeof c));
    return cu_buf_ok(ret, err);
}

static cu_status add_items(struct cu_objects *store, struct cu_span manifest, struct cu_buf *ret, struct cu_err *err)
{
    struct cu_manifest m;
    struct cu_item item;
    bool more = true;

    TRY(cu_manifest_open(manifest, &m, err));
    while (more) {
        TRY(cu_manifest_next(&m, &item, &more, err));
        if (more && item.has_root) TRY(add_container(store, &item.root, item.size, ret, err));
    }
    return CU_OK;
}

/* What travels with the record need not lie in the store yet. */
static cu_status gather(struct cu_objects *store, const struct cu_claim *claim, struct cu_span manifest, struct cu_buf *ret,
                        struct cu_err *err)
{
    CU_BUF read = cu_buf_heap((size_t)claim->size + 1);
    struct cu_object o;

    const cu_status added = add_container(store, &claim->root, claim->size, ret, err);
    if (added != CU_NOT_FOUND || claim->size > CU_CONTENT_INLINE_MAX) TRY(added);
    if (!claim->has_folder) return CU_OK;
    if (manifest.n == 0) {
        TRY(cu_objects_find(store, CU_OBJECT_CONTENT, &claim->root, &o, err));
        TRY(cu_object_read(&o, (size_t)claim->size, &read, err));
        manifest = cu_buf_span(&read);
    }
    return add_items(store, manifest, ret, err);
}

static cu_status say_one(struct cu_objects *store, const struct container *c, uint64_t until, struct cu_frontier *tree,
                         struct cu_held *io, struct cu_buf *objects, struct cu_err *err)
{
    uint8_t mem[168];
    struct cu_buf one = cu_buf_over(mem, sizeof mem);
    struct cu_fs_held is;

    TRY(cu_store_held(store, &c->name, c->packed, "", until, &is, err));
    const struct cu_held_object object = { c->name, cu_span_str(is.version) };
    TRY(cu_schema_write(&cu_held_object_schema, &object, &one, err));
    const cu_hash leaf = cu_leaf_hash(cu_buf_span(&one));
    cu_frontier_append(tree, &leaf);
    if (io->n == 0 || is.mode < io->mode) io->mode = is.mode;
    if (io->n == 0 || is.until < io->until) io->until = is.until;
    if (io->n++ < CU_HELD_OBJECTS_MAX) {
        cu_buf_add(objects, cu_buf_span(&one));
        io->objects.n++;
    }
    return cu_buf_ok(objects, err);
}

/* In order, each once. */
static void put_in_order(struct cu_buf *io)
{
    struct container *c = (struct container *)(void *)io->p;
    const size_t n = io->n / sizeof *c;
    size_t kept = 0;

    if (n) qsort(c, n, sizeof *c, by_name);
    for (size_t i = 0; i < n; i++)
        if (i == 0 || !cu_hash_eq(&c[i].name, &c[kept - 1].name)) c[kept++] = c[i];
    io->n = kept * sizeof *c;
}

static cu_status say_all(struct cu_objects *store, struct cu_buf *containers, uint64_t until, struct cu_held_said *ret,
                         struct cu_err *err)
{
    const struct container *c = (const void *)containers->p;
    struct cu_buf objects = cu_buf_over(ret->mem, sizeof ret->mem);
    struct cu_frontier tree = { 0 };
    struct cu_held held = { .n = 0 };

    put_in_order(containers);
    for (size_t i = 0; i < containers->n / sizeof *c; i++) TRY(say_one(store, &c[i], until, &tree, &held, &objects, err));
    if (held.n == 0) return CU_OK;
    if (held.mode == CU_HELD_FREE || held.until == 0) held.mode = CU_HELD_FREE, held.until = 0;
    held.root = cu_frontier_root(&tree);
    held.objects.bytes = cu_buf_span(&objects);
    ret->held = held;
    ret->has = true;
    return CU_OK;
}

/* An hour is for what is signed only later, over a block that is younger than now. */
static uint64_t lock_until(struct cu_place *p)
{
    const struct cu_policy *policy = cu_genesis_policy(p);

    return policy->has_retention ? cu_place_now(p).v + policy->retention * 24 * HOUR_MS + HOUR_MS : 0;
}

cu_status cu_held_ask(struct cu_place *p, struct cu_objects *store, const struct cu_claim *claim, struct cu_span manifest,
                      struct cu_held_said *ret, struct cu_err *err)
{
    const bool apart = claim->size > CU_CONTENT_INLINE_MAX || (claim->has_folder && claim->folder.bytes > 0);
    CU_BUF containers = cu_buf_heap(SIZE_MAX / 4);

    ret->has = false;
    ENSURE(!apart || cu_store_versioned(store) || !cu_genesis_policy(p)->has_retention, err, CU_NOT_ALLOWED,
           "the ledger's policy asks that the provider's store keeps what it accepts locked for %llu days, and this store is a "
           "folder, in which nothing is locked: nothing was signed. Let it lie in a bucket with Object Lock (--cloud s3://…)",
           LLU(cu_genesis_policy(p)->retention));
    if (!cu_store_versioned(store)) return CU_OK;
    TRY(gather(store, claim, manifest, &containers, err));
    return say_all(store, &containers, lock_until(p), ret, err);
}

/* ---- what was said, of each object ---- */

struct word {
    cu_hash name;
    uint64_t order, seq; /* of the entry that says so; the deposit that it is about, UINT64_MAX: none */
    uint64_t mode, until;
    uint32_t version, version_n; /* in `text` */
};

/* The newest word on a folder of more objects than it names. */
struct whole {
    uint64_t deposit, order;
    uint64_t unnamed;
};

struct words {
    struct word *word;
    size_t n, cap;
    struct cu_buf text, wholes;
};

static struct words words_begin(void)
{
    return (struct words){ .text = cu_buf_heap(UINT32_MAX), .wholes = cu_buf_heap(SIZE_MAX / 4) };
}

static void words_free(struct words *w)
{
    free(w->word);
    cu_buf_free(&w->wholes);
    cu_buf_free(&w->text);
}

static int by_object(const void *a, const void *b)
{
    const struct word *x = a, *y = b;
    const int named = memcmp(x->name.b, y->name.b, sizeof x->name.b);

    return named ? named : (x->order > y->order) - (x->order < y->order);
}

/* Many deposits in a row lie in one pack: its version stands there once. */
static cu_status keep_version(struct words *w, struct cu_span version, struct word *io, struct cu_err *err)
{
    const struct word *last = w->n ? &w->word[w->n - 1] : NULL;

    if (last && cu_span_eq(cu_span(w->text.p + last->version, last->version_n), version)) {
        io->version = last->version, io->version_n = last->version_n;
        return CU_OK;
    }
    io->version = (uint32_t)w->text.n, io->version_n = (uint32_t)version.n;
    cu_buf_add(&w->text, version);
    return cu_buf_ok(&w->text, err);
}

static cu_status add_words(struct words *w, const struct cu_held *held, uint64_t order, uint64_t seq, struct cu_err *err)
{
    struct cu_held_object object;
    size_t at = 0;

    while (cu_list_next(&held->objects, &cu_held_object_schema, &at, &object)) {
        struct word one = { .name = object.name, .order = order, .seq = seq, .mode = held->mode, .until = held->until };
        TRY(keep_version(w, object.version, &one, err));
        if (w->n == w->cap) {
            const size_t cap = w->cap ? 2 * w->cap : 256;
            struct word *more = realloc(w->word, cap * sizeof *more);
            ENSURE(more, err, CU_NO_MEMORY, "no memory for what the log says of the bucket's objects");
            w->word = more;
            w->cap = cap;
        }
        w->word[w->n++] = one;
    }
    return CU_OK;
}

static struct whole *wholes_of(const struct words *w, size_t *ret_n)
{
    *ret_n = w->wholes.n / sizeof(struct whole);
    return (void *)w->wholes.p; /* of the heap: aligned */
}

static cu_status add_whole(struct words *w, const struct cu_held *held, uint64_t order, uint64_t deposit, struct cu_err *err)
{
    const struct whole now = { deposit, order, held->n - held->objects.n };
    size_t n;
    struct whole *before = wholes_of(w, &n);

    if (!now.unnamed) return CU_OK;
    for (size_t i = n; order != deposit && i-- > 0;)
        if (before[i].deposit == deposit) return before[i] = now, CU_OK;
    cu_buf_add(&w->wholes, cu_span(&now, sizeof now));
    return cu_buf_ok(&w->wholes, err);
}

static cu_status take_words(struct words *w, const struct cu_entry *e, uint64_t seq, struct cu_err *err)
{
    const struct cu_deposit *deposit = &e->outer.body.deposit;
    const struct cu_stored *stored = &e->outer.body.stored;
    struct cu_range about;
    size_t at = 0;

    if (e->kind == CU_KIND_DEPOSIT && deposit->has_held) {
        TRY(add_words(w, &deposit->held, seq, seq, err));
        return add_whole(w, &deposit->held, seq, seq, err);
    }
    if (e->kind != CU_KIND_STORED || !stored->has_held) return CU_OK;
    TRY(add_words(w, &stored->held, seq, UINT64_MAX, err));
    return cu_list_next(&stored->ranges, &cu_range_schema, &at, &about) ? add_whole(w, &stored->held, seq, about.first, err)
                                                                        : CU_OK;
}

static cu_status read_words(struct cu_place *p, struct words *w, struct cu_err *err)
{
    struct cu_span bytes;
    struct cu_entry e;

    for (uint64_t seq = 0; seq < p->log.checkpoint.size.v; seq++) {
        TRY(cu_log_entry_in_order(&p->log, (cu_seq){ seq }, &bytes, err));
        TRY(cu_entry_read(bytes, &e, err));
        TRY(take_words(w, &e, seq, err));
    }
    if (w->n) qsort(w->word, w->n, sizeof *w->word, by_object);
    return CU_OK;
}

/* Where the provider's store is a folder of this ledger nobody asks: there is nothing to say. */
bool cu_row_held(struct cu_place *p, const struct cu_index_row *row, struct cu_held *ret)
{
    struct cu_span bytes;
    struct cu_entry e;

    if (row->kind != CU_KIND_DEPOSIT && row->kind != CU_KIND_STORED) return false;
    const bool here = p->near == CU_STORE_CLOUD && !p->remote.ops;
    if (here && p->store[CU_STORE_CLOUD] && !cu_store_versioned(p->store[CU_STORE_CLOUD])) return false;
    if (cu_log_entry_unproven(&p->log, row->seq, &bytes, NULL) != CU_OK || cu_entry_read(bytes, &e, NULL) != CU_OK) return false;
    const bool deposit = e.kind == CU_KIND_DEPOSIT;
    *ret = deposit ? e.outer.body.deposit.held : e.outer.body.stored.held;
    return deposit ? e.outer.body.deposit.has_held : e.outer.body.stored.has_held;
}

/* ---- against the store ---- */

static cu_status ask_store(const struct cu_objects *store, const cu_hash *name, const char *version, bool *ret_packed,
                           struct cu_fs_held *ret, struct cu_err *err)
{
    const cu_status packed = cu_store_held(store, name, true, version, 0, ret, err);

    *ret_packed = packed != CU_NOT_FOUND;
    return *ret_packed ? packed : cu_store_held(store, name, false, version, 0, ret, err);
}

static bool locked_less(uint64_t mode, uint64_t at_least, const struct cu_fs_held *is, char ret[400])
{
    char told[32], until[32];

    if (is->mode >= mode && is->until >= at_least) return false;
    cu_time_text((cu_unix_ms){ at_least }, told);
    cu_time_text((cu_unix_ms){ is->until }, until);
    snprintf(ret, 400, "the provider signed that version %s is %s until %s; the store says: %s%s%s", is->version,
             cu_held_mode_text(mode), told, cu_held_mode_text(is->mode), is->mode ? " until " : "", is->mode ? until : "");
    return true;
}

/* What is wrong with the newest word on an object, in `ret`; "": nothing. *ret_served: it is there, as *ret_is. */
static cu_status judge_word(const struct words *w, const struct word *said, const struct cu_objects *store, bool pins,
                            char ret[400], bool *ret_served, struct cu_err *err)
{
    struct cu_fs_held is, served;
    char version[128];
    bool packed;

    ret[0] = 0;
    snprintf(version, sizeof version, "%.*s", (int)said->version_n, (const char *)w->text.p + said->version);
    cu_status there = pins ? ask_store(store, &said->name, "", &packed, &served, err) : CU_NOT_FOUND;
    *ret_served = there == CU_OK;
    if (pins && there == CU_NOT_FOUND) return CU_OK; /* it is named as missing */
    if (pins) TRY(there);
    there = ask_store(store, &said->name, version, &packed, &is, err);
    if (there == CU_NOT_FOUND)
        return snprintf(ret, 400, "version %s, which the provider signed for, is not in the bucket%s%s", version,
                        pins ? "; what is served is version " : "", pins ? served.version : ""),
               CU_OK;
    TRY(there);
    if (pins && strcmp(served.version, version) != 0)
        snprintf(ret, 400, "the provider signed for version %s, and what is served is version %s", version, served.version);
    else (void)locked_less(said->mode, said->until, &is, ret);
    return CU_OK;
}

/* The newest word of each object. NULL: no more. */
static const struct word *next_object(const struct words *w, size_t *io, size_t *ret_first)
{
    if (*io == w->n) return NULL;
    *ret_first = *io;
    while (*io < w->n && cu_hash_eq(&w->word[*io].name, &w->word[*ret_first].name)) ++*io;
    return &w->word[*io - 1];
}

/* ---- what a word does not name: (3) ---- */

struct rest {
    struct cu_objects *store;
    const struct cu_held *said;
    struct cu_held_comparing *c;
    const char *version; /* of each: "", or CU_HELD_NEWEST */
    struct cu_frontier tree;
    uint64_t missing, less;
    cu_hash object; /* the first of them, */
    char what[400];
};

static cu_status judge_unnamed(struct rest *r, const struct container *c, struct cu_err *err)
{
    uint8_t mem[168];
    struct cu_buf pair = cu_buf_over(mem, sizeof mem);
    struct cu_fs_held is;
    char what[400] = "it is not in the bucket, and the provider signed for all objects of the folder";

    const cu_status there = cu_store_held(r->store, &c->name, c->packed, r->version, 0, &is, err);
    if (there != CU_NOT_FOUND) {
        TRY(there);
        TRY(cu_schema_write(&cu_held_object_schema, &(struct cu_held_object){ c->name, cu_span_str(is.version) }, &pair, err));
        const cu_hash leaf = cu_leaf_hash(cu_buf_span(&pair));
        cu_frontier_append(&r->tree, &leaf);
        if (!locked_less(r->said->mode, r->said->until, &is, what)) return CU_OK;
    }
    if (there == CU_NOT_FOUND ? r->missing++ == 0 : r->less++ + r->missing == 0)
        r->object = c->name, memcpy(r->what, what, sizeof what);
    return CU_OK;
}

/* Those that are named are judged by themselves; here they count as they were signed. The last one's name. */
static cu_hash take_named(struct rest *r)
{
    struct cu_held_object object = { .version = CU_SPAN_EMPTY };
    size_t at = 0, from = 0;

    while (cu_list_next(&r->said->objects, &cu_held_object_schema, &at, &object)) {
        const cu_hash leaf = cu_leaf_hash(cu_span(r->said->objects.bytes.p + from, at - from));
        cu_frontier_append(&r->tree, &leaf);
        from = at;
    }
    return object.name;
}

/* Is each there, and do they come to the root that was signed? */
static cu_status judge_containers(struct rest *r, const char *version, const struct cu_buf *containers, bool *ret,
                                  struct cu_err *err)
{
    const struct container *c = (const void *)containers->p;

    *r = (struct rest){ r->store, r->said, r->c, version, .missing = 0 };
    const cu_hash last = take_named(r);
    for (size_t i = 0; i < containers->n / sizeof *c; i++)
        if (memcmp(c[i].name.b, last.b, sizeof last.b) > 0) TRY(judge_unnamed(r, &c[i], err));
    const cu_hash root = cu_frontier_root(&r->tree);
    *ret = r->missing > 0 || cu_hash_eq(&root, &r->said->root);
    return CU_OK;
}

/* One finding a folder. False: none, or what is missing is named by itself. */
static bool tell_rest(struct rest *r, bool right, const cu_hash *folder)
{
    const uint64_t n = r->missing ? r->missing : r->less;

    if ((right && !n) || (r->missing && r->c->pins)) return false;
    if (!right)
        snprintf(r->what, sizeof r->what,
                 "all objects of this folder are there, and not all of them in the versions that the provider signed for"),
            r->object = *folder;
    else if (n > 1)
        snprintf(r->what + strlen(r->what), sizeof r->what - strlen(r->what), "; %llu more of its folder alike", LLU(n - 1));
    if (r->c->found) r->c->found(r->c->arg, &(struct cu_held_difference){ &r->object, r->what, r->c->pins });
    return true;
}

static cu_status read_entry(struct cu_place *p, uint64_t seq, struct cu_buf *mem, struct cu_entry *ret, struct cu_err *err)
{
    struct cu_span bytes;

    TRY(cu_log_entry(&p->log, (cu_seq){ seq }, &bytes, err));
    cu_buf_add(mem, bytes);
    TRY(cu_buf_ok(mem, err));
    return cu_entry_read(cu_buf_span(mem), ret, err);
}

/* A small manifest travels with the record: whether it lay in the store when the provider signed, the number tells. */
static cu_status gather_said(struct cu_place *p, struct cu_objects *store, const struct whole *w, const struct cu_claim *claim,
                             uint64_t said, struct cu_buf *ret, struct cu_err *err)
{
    CU_BUF manifest = cu_buf_heap(claim->size + 1);

    TRY(cu_place_manifest(p, (cu_seq){ w->deposit }, claim, &manifest, err));
    TRY(add_items(store, cu_buf_span(&manifest), ret, err));
    put_in_order(ret);
    if (ret->n / sizeof(struct container) == said) return CU_OK;
    TRY(add_container(store, &claim->root, claim->size, ret, err));
    put_in_order(ret);
    return CU_OK;
}

static cu_status judge_whole(struct cu_place *p, struct cu_objects *store, const struct whole *w, struct cu_held_comparing *c,
                             bool *ret_differs, struct cu_err *err)
{
    CU_BUF said = cu_buf_heap(CU_ENTRY_MAX), deposit = cu_buf_heap(CU_ENTRY_MAX), containers = cu_buf_heap(SIZE_MAX / 4);
    struct cu_entry e, d;

    *ret_differs = false;
    TRY(read_entry(p, w->order, &said, &e, err));
    TRY(read_entry(p, w->deposit, &deposit, &d, err));
    const struct cu_claim *claim = &d.inner.body.claim;
    struct rest r = { store, e.kind == CU_KIND_DEPOSIT ? &e.outer.body.deposit.held : &e.outer.body.stored.held, c,
                      .missing = 0 };
    bool right = false;
    const cu_status got = gather_said(p, store, w, claim, r.said->n, &containers, err);
    if (got != CU_OK && c->pins && got != CU_IO && got != CU_NO_MEMORY) return CU_OK; /* what is wrong there is named by itself */
    if (got != CU_OK)
        return cu_fail_while(err, got, "which objects the folder of entry %llu lies in, beyond those that it names",
                             LLU(w->deposit));
    TRY(judge_containers(&r, "", &containers, &right, err));
    if (!right && !c->pins) TRY(judge_containers(&r, CU_HELD_NEWEST, &containers, &right, err));
    c->objects += w->unnamed;
    *ret_differs = tell_rest(&r, right, &claim->root);
    return CU_OK;
}

cu_status cu_held_compare(struct cu_place *p, struct cu_objects *store, struct cu_held_comparing *c, struct cu_err *err)
{
    CU_CLEANUP(words_free) struct words w = words_begin();
    const struct word *said;
    size_t at = 0, first, n;
    char what[400];
    bool served;

    c->objects = c->left = 0;
    TRY(read_words(p, &w, err));
    while ((said = next_object(&w, &at, &first))) {
        TRY(judge_word(&w, said, store, c->pins, what, &served, err));
        c->objects++;
        if (what[0]) c->found(c->arg, &(struct cu_held_difference){ &said->name, what, served });
    }
    const struct whole *whole = wholes_of(&w, &n);
    for (size_t i = 0; i < n; i++)
        if (c->all) TRY(judge_whole(p, store, &whole[i], c, &served, err));
        else c->left += whole[i].unnamed;
    return CU_OK;
}

/* ---- said anew ---- */

static cu_status record_anew(struct cu_place *p, const struct cu_held *held, struct cu_range *range, size_t n, struct cu_err *err)
{
    CU_BUF list = cu_buf_heap(CU_STORED_RANGES_MAX * 24), record = cu_buf_heap(CU_RECORD_MAX);
    struct cu_outcome outcome;

    n = cu_ranges_join(range, n);
    for (size_t i = 0; i < n; i++) TRY(cu_schema_write(&cu_range_schema, &range[i], &list, err));
    struct cu_stored stored = { .ranges = { n, cu_buf_span(&list) }, .held = *held, .has_held = true };
    const struct cu_saying say = { CU_KIND_STORED, &stored, CU_SIGNER_PROVIDER, CU_PROFILE_NONE, NULL };
    TRY(cu_say(p, &say, &record, err));
    const struct cu_span span = cu_buf_span(&record);
    return cu_submit(p, &span, 1, &outcome, err);
}

/* One entry an object, with the deposits that lie in it: as many as an entry holds, the earliest ones. */
static cu_status say_anew(struct cu_place *p, struct cu_objects *store, const struct word *from, const struct word *to,
                          struct cu_err *err)
{
    struct cu_held_said said = { .has = false };
    struct cu_range range[CU_STORED_RANGES_MAX];
    struct cu_fs_held is;
    struct container c = { .name = from->name };
    CU_BUF one = cu_buf_heap(sizeof c);
    size_t n = 0;

    TRY(ask_store(store, &from->name, "", &c.packed, &is, err));
    cu_buf_add(&one, cu_span(&c, sizeof c));
    TRY(say_all(store, &one, lock_until(p), &said, err));
    for (const struct word *w = from; w < to && n < CU_STORED_RANGES_MAX; w++)
        if (w->seq != UINT64_MAX) range[n++] = (struct cu_range){ w->seq, w->seq };
    return record_anew(p, &said.held, range, n, err);
}

cu_status cu_held_anew(struct cu_place *p, struct cu_objects *store, uint64_t *ret_n, struct cu_err *err)
{
    CU_CLEANUP(words_free) struct words w = words_begin();
    struct cu_held_comparing silent = { .pins = true, .all = true };
    const struct word *said;
    size_t at = 0, first, n;
    char what[400];
    bool served;

    *ret_n = 0;
    TRY(cu_place_refresh(p, err));
    TRY(read_words(p, &w, err));
    while ((said = next_object(&w, &at, &first))) {
        TRY(judge_word(&w, said, store, true, what, &served, err));
        if (!what[0] || !served) continue;
        TRY(say_anew(p, store, &w.word[first], &w.word[at], err));
        ++*ret_n;
    }
    const struct whole *whole = wholes_of(&w, &n);
    for (size_t i = 0; i < n; i++) {
        TRY(judge_whole(p, store, &whole[i], &silent, &served, err));
        if (!served) continue;
        TRY(cu_held_again(p, store, (cu_seq){ whole[i].deposit }, err));
        ++*ret_n;
    }
    return CU_OK;
}

cu_status cu_held_again(struct cu_place *p, struct cu_objects *store, cu_seq deposit, struct cu_err *err)
{
    struct cu_held_said said = { .has = false };
    struct cu_range range = { deposit.v, deposit.v };
    struct cu_span bytes;
    struct cu_entry e;

    TRY(cu_log_entry(&p->log, deposit, &bytes, err));
    TRY(cu_entry_read(bytes, &e, err));
    ENSURE(e.kind == CU_KIND_DEPOSIT, err, CU_NOT_FOUND, "entry %llu is no deposit", LLU(deposit.v));
    const struct cu_held before = e.outer.body.deposit.held;
    TRY(cu_held_ask(p, store, &e.inner.body.claim, CU_SPAN_EMPTY, &said, err));
    const bool same = e.outer.body.deposit.has_held && before.n == said.held.n && cu_hash_eq(&before.root, &said.held.root);
    return said.has && !same ? record_anew(p, &said.held, &range, 1, err) : CU_OK;
}
