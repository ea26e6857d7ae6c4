/* The smallest ledger there is, for tests of an engine: it admits every record once and closes batches with true block entries.
 * Its state lies in one file of the file system that it is given, saved all at once. */
#ifndef TESTS_TOY_MACHINE_H
#define TESTS_TOY_MACHINE_H

#include "custody/digest.h"
#include "custody/entry.h"
#include "custody/key.h"
#include "custody/tree.h"
#include "ports/fs.h"
#include "ports/machine.h"

#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

#define TOY_IDS_MAX 262144u
#define TOY_STATE "node/state/toy"
#define TOY_SLOTS (2u * TOY_IDS_MAX)

struct toy_state {
    struct cu_tip tip;
    struct cu_frontier frontier;
    uint64_t n; /* ids */
};

struct toy {
    const struct cu_fs *fs; /* NULL: in memory only */
    struct toy_state now, next;
    cu_hash *ids;
    uint64_t *seqs;
    uint32_t *slots;       /* open addressing: index + 1 into ids */
    bool open;
    bool idle;             /* prepare parses nothing: for measuring the engine alone */
    atomic_int preparing;
    cu_unix_ms opened;
    uint64_t height, first;
    unsigned saves;
};

static inline uint32_t *toy_slot(struct toy *t, const cu_hash *id)
{
    uint32_t at = cu_be32(id->b) % TOY_SLOTS;
    while (t->slots[at] != 0 && !cu_hash_eq(&t->ids[t->slots[at] - 1], id)) at = (at + 1) % TOY_SLOTS;
    return &t->slots[at];
}

static inline void toy_remember(struct toy *t, const cu_hash *id, uint64_t seq)
{
    CU_ASSERT(t->next.n < TOY_IDS_MAX);
    *toy_slot(t, id) = (uint32_t)t->next.n + 1;
    t->ids[t->next.n] = *id;
    t->seqs[t->next.n++] = seq;
}

static void toy_prepare(void *self, struct cu_submission *subs, size_t n, struct cu_verifier *by)
{
    struct toy *t = self;
    struct cu_err err = { 0 };
    (void)by;

    atomic_fetch_add(&t->preparing, 1);
    for (size_t i = 0; i < n; i++) {
        struct cu_submission *s = &subs[i];
        s->status = cu_record_read(s->bytes, &s->record, &err);
        if (s->status == CU_OK && !t->idle) s->status = cu_entry_read(s->record.entry, &s->entry, &err);
        if (s->status == CU_OK && t->idle) s->entry.leaf = cu_leaf_hash(s->record.entry);
        if (s->status == CU_OK) s->id = t->idle ? s->entry.leaf : cu_entry_innermost(&s->entry)->id;
        else snprintf(s->text, sizeof s->text, "%.200s", err.text);
        s->verified = s->status == CU_OK;
    }
    atomic_fetch_sub(&t->preparing, 1);
}

static cu_status toy_begin(void *self, uint64_t height, cu_unix_ms opened, struct cu_err *err)
{
    struct toy *t = self;
    CU_ASSERT(!t->open);
    ENSURE(height > t->now.tip.height && opened.v >= t->now.tip.closed.v, err, CU_CORRUPT, "height %llu does not follow", (unsigned long long)height);
    t->open = true;
    t->next = t->now;
    t->height = height;
    t->opened = opened;
    t->first = t->now.frontier.size.v;
    return CU_OK;
}

static cu_status toy_step(void *self, struct cu_submission *sub, struct cu_err *err)
{
    struct toy *t = self;
    (void)err;

    CU_ASSERT(t->open && sub->status == CU_OK);
    uint32_t slot = *toy_slot(t, &sub->id);
    if (slot != 0) {
        sub->status = CU_DUPLICATE;
        sub->seq.v = t->seqs[slot - 1];
        return CU_OK;
    }
    sub->seq.v = t->next.frontier.size.v;
    toy_remember(t, &sub->id, sub->seq.v);
    cu_frontier_append(&t->next.frontier, &sub->entry.leaf);
    return CU_OK;
}

static cu_status toy_end(void *self, cu_unix_ms closed, struct cu_buf *block, struct cu_err *err)
{
    struct toy *t = self;
    uint64_t count = t->next.frontier.size.v - t->first;
    struct cu_block body = { .height = t->height, .opened = t->opened.v, .closed = closed.v, .first = t->first, .count = count };

    if (count == 0) return CU_OK;
    body.root = cu_frontier_root(&t->next.frontier);
    TRY(cu_plain_write(CU_KIND_BLOCK, &body, block, err));
    cu_hash leaf = cu_leaf_hash(cu_buf_span(block));
    cu_frontier_append(&t->next.frontier, &leaf);
    t->next.tip = (struct cu_tip){ t->next.frontier.size, cu_frontier_root(&t->next.frontier), t->height, closed };
    return CU_OK;
}

static cu_status toy_commit(void *self, struct cu_err *err)
{
    struct toy *t = self;
    (void)err;
    CU_ASSERT(t->open);
    t->now = t->next;
    t->open = false;
    return CU_OK;
}

static inline void toy_index(struct toy *t)
{
    memset(t->slots, 0, TOY_SLOTS * sizeof *t->slots);
    for (uint64_t i = 0; i < t->now.n; i++) *toy_slot(t, &t->ids[i]) = (uint32_t)i + 1;
}

static void toy_abandon(void *self)
{
    struct toy *t = self;
    if (t->open && t->next.n != t->now.n) toy_index(t);
    t->open = false;
}

static struct cu_tip toy_tip(void *self) { return ((struct toy *)self)->now.tip; }

static const struct cu_frontier *toy_frontier(void *self)
{
    struct toy *t = self;
    return t->open ? &t->next.frontier : &t->now.frontier;
}

static cu_status toy_save(void *self, struct cu_err *err)
{
    struct toy *t = self;
    CU_BUF out = cu_buf_heap(1u << 28);

    CU_ASSERT(!t->open);
    t->saves++;
    if (!t->fs) return CU_OK;
    cu_buf_add(&out, cu_span(&t->now, sizeof t->now));
    cu_buf_add(&out, cu_span(t->ids, t->now.n * sizeof *t->ids));
    cu_buf_add(&out, cu_span(t->seqs, t->now.n * sizeof *t->seqs));
    TRY(cu_buf_ok(&out, err));
    return cu_fs_replace(t->fs, TOY_STATE, "node/state/incoming/toy", cu_buf_span(&out), true, err);
}

static inline void toy_close(struct toy *t)
{
    if (!t) return;
    free(t->ids);
    free(t->seqs);
    free(t->slots);
    free(t);
}

/* Opened on what was saved; nothing there is an empty ledger. NULL when the file system fails. */
static inline struct toy *toy_open(const struct cu_fs *fs)
{
    struct toy *t = calloc(1, sizeof *t);
    CU_BUF in = cu_buf_heap(1u << 28);

    t->fs = fs;
    t->now.tip.root = cu_empty_root();
    t->ids = malloc(TOY_IDS_MAX * sizeof *t->ids);
    t->seqs = malloc(TOY_IDS_MAX * sizeof *t->seqs);
    t->slots = calloc(TOY_SLOTS, sizeof *t->slots);
    cu_status status = fs ? cu_fs_read(fs, TOY_STATE, 1u << 28, &in, NULL) : CU_NOT_FOUND;
    if (status == CU_NOT_FOUND) return t;
    if (status != CU_OK) return toy_close(t), NULL;
    memcpy(&t->now, in.p, sizeof t->now);
    memcpy(t->ids, in.p + sizeof t->now, t->now.n * sizeof *t->ids);
    memcpy(t->seqs, in.p + sizeof t->now + t->now.n * sizeof *t->ids, t->now.n * sizeof *t->seqs);
    toy_index(t);
    return t;
}

static inline struct cu_machine toy_machine(struct toy *t)
{
    return (struct cu_machine){ t, toy_prepare, toy_begin, toy_step, toy_end, toy_commit, toy_abandon, toy_tip, toy_frontier, toy_save };
}

/* ---- records to submit: case entries, each with details of a given length ---- */

struct toy_records { size_t n; struct cu_buf *bytes; cu_hash *leaf; cu_hash *id; };

static inline struct toy_records toy_records(size_t n, size_t details_n, uint64_t from)
{
    struct toy_records r = { n, calloc(n, sizeof *r.bytes), calloc(n, sizeof *r.leaf), calloc(n, sizeof *r.id) };
    static uint8_t details[CU_RECORD_MAX], salt[CU_SALT_LEN] = { 1 };
    struct cu_private_key key;
    struct cu_err err = { 0 };
    cu_hash network = { { 7 } };

    CU_ASSERT(cu_crypto_init(&err) == CU_OK && cu_private_generate(CU_ALG_ES256, &key, &err) == CU_OK);
    for (size_t i = 0; i < n; i++) {
        struct cu_case body = { .time = 1700000000000u };
        CU_BUF entry = cu_buf_heap(CU_ENTRY_MAX);
        struct cu_entry parsed;
        cu_put_be64(body.case_id.b, from + i + 1);
        cu_put_be64(body.commitment.b, from + i + 1);
        CU_ASSERT(cu_statement_sign(CU_KIND_CASE, &body, &network, &key, &entry, &err) == CU_OK);
        CU_ASSERT(cu_entry_read(cu_buf_span(&entry), &parsed, &err) == CU_OK);
        r.leaf[i] = parsed.leaf;
        r.id[i] = parsed.outer.id;
        r.bytes[i] = cu_buf_heap(CU_RECORD_MAX);
        struct cu_record record = { .entry = cu_buf_span(&entry) };
        if (details_n) record.salt = CU_SPAN_OF(salt), record.details = cu_span(details, details_n);
        CU_ASSERT(cu_record_write(&record, &r.bytes[i], &err) == CU_OK);
    }
    cu_private_free(&key);
    return r;
}

static inline void toy_records_free(struct toy_records *r)
{
    for (size_t i = 0; i < r->n; i++) cu_buf_free(&r->bytes[i]);
    free(r->bytes);
    free(r->leaf);
    free(r->id);
}

#endif
