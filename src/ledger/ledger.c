/* The machine around the step function: batches, blocks, and questions.
 *
 * (1) `now` is the state after the last commit, `next` with the open batch; abandon makes them equal again, and so the rows.
 * (2) Blocks' times ascend: opened ≥ the closed of the block before, closed > it, closed ≥ opened. Heights ascend.
 * (3) A block stands at first + count: the frontier's size when its batch ends.
 */
#include "ledger/inside.h"

#include "ledger/saved.h"

#include <stdlib.h>

static unsigned long long llu(uint64_t v) { return v; }

/* ---- batches ------------------------------------------------------------------------------------------------------- */

static cu_status begin(void *self, uint64_t height, cu_unix_ms opened, struct cu_err *err)
{
    struct cu_ledger *l = self;

    const struct cu_members *m = &l->in_force->members;

    CU_ASSERT(!l->open);
    if (l->in_force->founded) TRY(cu_rules_known(cu_members_rules(m, height), m->rules.height, err));
    ENSURE(height > l->now.height, err, CU_OUT_OF_ORDER, "height %llu does not come after %llu", llu(height),
           llu(l->now.height)); /* (2) */
    ENSURE(opened.v >= l->now.closed, err, CU_OUT_OF_ORDER,
           "height %llu is opened at %llu ms, before the newest block was closed, at %llu ms", llu(height), llu(opened.v),
           llu(l->now.closed));
    l->height = height;
    l->opened = opened.v;
    l->first = l->next.frontier.size.v;
    l->open = true;
    l->closed = false;
    return CU_OK;
}

static struct cu_block block_of(const struct cu_ledger *l, cu_unix_ms closed)
{
    return (struct cu_block){
        .height = l->height,
        .opened = l->opened,
        .closed = closed.v,
        .first = l->first,
        .count = l->next.frontier.size.v - l->first,
        .root = cu_frontier_root(&l->next.frontier),
        .digest = cu_state_digest(&l->state, &l->now.digest),
    };
}

static void append_block(struct cu_ledger *l, const struct cu_block *block, struct cu_span bytes)
{
    struct cu_mark *next = &l->next;

    next->block = (struct cu_seen){ .seq = next->frontier.size.v, .leaf = cu_leaf_hash(bytes) }; /* (3) */
    next->height = block->height;
    next->closed = block->closed;
    next->digest = block->digest;
    cu_frontier_append(&next->frontier, &next->block.leaf);
    cu_state_put(&l->state, cu_at_number(CU_TABLE_BLOCK, next->block.seq),
                 &(struct cu_row_block){ .leaf = next->block.leaf, .closed = block->closed });
}

static cu_status end(void *self, cu_unix_ms closed, struct cu_buf *block, struct cu_err *err)
{
    struct cu_ledger *l = self;
    size_t from = block->n;

    CU_ASSERT(l->open && !l->closed);
    TRY(cu_state_trouble(&l->state, err));
    if (l->next.frontier.size.v > l->first) {
        ENSURE(closed.v > l->now.closed && closed.v >= l->opened, err, CU_OUT_OF_ORDER,
               "height %llu is closed at %llu ms, not after the block before it, at %llu ms, or before it was opened, at %llu ms",
               llu(l->height), llu(closed.v), llu(l->now.closed), llu(l->opened)); /* (2) */
        const struct cu_block it = block_of(l, closed);
        TRY(cu_plain_write(CU_KIND_BLOCK, &it, block, err));
        append_block(l, &it, cu_span(block->p + from, block->n - from));
        TRY(cu_state_trouble(&l->state, err));
    }
    l->closed = true;
    return CU_OK;
}

/* Who may act changes hands under the lock: other threads are preparing. */
static void enact(struct cu_ledger *l)
{
    struct cu_founding *old = l->in_force;

    pthread_rwlock_wrlock(&l->lock);
    l->in_force = l->draft;
    l->draft = old;
    pthread_rwlock_unlock(&l->lock);
    l->drafted = false;
}

static cu_status commit(void *self, struct cu_err *err)
{
    struct cu_ledger *l = self;

    CU_ASSERT(l->open && l->closed);
    TRY(cu_state_keep(&l->state, err));
    const bool changes = l->drafted;
    if (changes) enact(l);
    l->now = l->next;
    l->open = false;
    if (!changes || !l->changed) return CU_OK;
    return l->changed(l->changed_arg, &l->draft->members, &l->in_force->members, l->now.frontier.size, err);
}

void cu_ledger_watch(struct cu_ledger *l, cu_ledger_changed *changed, void *arg)
{
    l->changed = changed;
    l->changed_arg = arg;
}

static void abandon(void *self)
{
    struct cu_ledger *l = self;

    cu_state_undo(&l->state);
    l->next = l->now; /* (1) */
    l->drafted = l->open = false;
}

struct cu_tip cu_mark_tip(const struct cu_mark *mark)
{
    return (struct cu_tip){
        .size = mark->frontier.size, .root = cu_frontier_root(&mark->frontier), .height = mark->height, .closed = { mark->closed }
    };
}

static struct cu_tip tip(void *self) { return cu_mark_tip(&((struct cu_ledger *)self)->now); }
static const struct cu_frontier *frontier(void *self) { return &((struct cu_ledger *)self)->next.frontier; }

static cu_status freeze(void *self, struct cu_err *err)
{
    struct cu_ledger *l = self;

    CU_ASSERT(!l->open);
    return cu_saved_freeze(l->saved, &l->state, &l->now, err);
}

static cu_status write_frozen(void *self, struct cu_err *err)
{
    struct cu_ledger *l = self;
    return cu_saved_write(l->saved, &l->state, err);
}

static void thaw(void *self)
{
    struct cu_ledger *l = self;
    cu_saved_thaw(l->saved, &l->state);
}

static cu_status save(void *self, struct cu_err *err)
{
    TRY(freeze(self, err));
    cu_status status = write_frozen(self, err);
    thaw(self);
    return status;
}

/* Nodes: of who was approved and did not come yet, for he has to read the chain first; of who left, for he may read on. */
static const struct cu_member_key *engine_key(const struct cu_members *m, uint64_t party, enum cu_purpose purpose)
{
    if (purpose == CU_PURPOSE_VALIDATOR)
        return cu_members_counts(&m->party[party - 1]) ? cu_members_newest(m, party, purpose) : NULL;
    for (size_t i = m->keys_n; i > 0; i--)
        if (m->key[i - 1].party == party && m->key[i - 1].purpose == purpose) return &m->key[i - 1];
    return NULL;
}

static size_t keys(void *self, enum cu_purpose purpose, struct cu_engine_key ret[CU_PARTIES_MAX])
{
    const struct cu_members *m = &cu_acting(self)->members;
    size_t n = 0;

    for (uint64_t id = 1; id <= m->parties_n; id++) {
        const struct cu_member_key *key = engine_key(m, id, purpose);
        if (key) memcpy(ret[n++].pub, key->pub.bytes, sizeof ret->pub);
    }
    return n;
}

struct cu_machine cu_ledger_machine(struct cu_ledger *l)
{
    return (struct cu_machine){
        .self = l,
        .prepare = cu_ledger_prepare,
        .begin = begin,
        .step = cu_ledger_step,
        .end = end,
        .commit = commit,
        .abandon = abandon,
        .tip = tip,
        .frontier = frontier,
        .save = save,
        .freeze = freeze,
        .write = write_frozen,
        .thaw = thaw,
        .keys = keys,
    };
}

/* ---- open and close ------------------------------------------------------------------------------------------------ */

static void close_ledger(struct cu_ledger **l) { cu_ledger_close(*l); }

static cu_status open_ledger(const struct cu_fs *fs, const char *dir, bool afresh, struct cu_ledger **ret, struct cu_err *err)
{
    CU_CLEANUP(close_ledger) struct cu_ledger *l = calloc(1, sizeof *l);

    ENSURE(l, err, CU_NO_MEMORY, "no memory for a ledger");
    pthread_rwlock_init(&l->lock, NULL);
    cu_state_init(&l->state);
    l->verifier = cu_verifier_plain();
    l->in_force = calloc(1, sizeof *l->in_force);
    l->draft = calloc(1, sizeof *l->draft);
    ENSURE(l->in_force && l->draft, err, CU_NO_MEMORY, "no memory for a ledger");
    if (fs) TRY(cu_saved_open(fs, dir, afresh, &l->saved, &l->state, &l->now, err));
    TRY(cu_founding_get(&l->state, l->in_force, err));
    l->next = l->now;
    *ret = l;
    l = NULL;
    return CU_OK;
}

cu_status cu_ledger_open(const struct cu_fs *fs, const char *dir, struct cu_ledger **ret, struct cu_err *err)
{
    return open_ledger(fs, dir, false, ret, err);
}

cu_status cu_ledger_open_afresh(const struct cu_fs *fs, const char *dir, struct cu_ledger **ret, struct cu_err *err)
{
    return open_ledger(fs, dir, true, ret, err);
}

cu_status cu_ledger_reset(struct cu_ledger *l, struct cu_err *err)
{
    CU_ASSERT(!l->open);
    cu_state_free(&l->state);
    cu_state_init(&l->state);
    pthread_rwlock_wrlock(&l->lock);
    *l->in_force = (struct cu_founding){ .founded = false };
    pthread_rwlock_unlock(&l->lock);
    l->now = l->next = (struct cu_mark){ 0 };
    cu_saved_restart(l->saved);
    (void)err; /* nothing here can fail today; callers keep looking */
    return CU_OK;
}

void cu_ledger_close(struct cu_ledger *l)
{
    if (!l) return;
    if (l->open) abandon(l);
    cu_saved_close(l->saved, &l->state);
    cu_state_free(&l->state);
    free(l->in_force);
    free(l->draft);
    pthread_rwlock_destroy(&l->lock);
    free(l);
}

/* ---- questions ----------------------------------------------------------------------------------------------------- */

const struct cu_members *cu_ledger_members(const struct cu_ledger *l) { return &l->in_force->members; }
const struct cu_members *cu_ledger_members_next(const struct cu_ledger *l)
{
    return l->drafted ? &l->draft->members : &l->in_force->members;
}
const struct cu_policy *cu_ledger_policy(const struct cu_ledger *l) { return &l->in_force->policy; }
cu_hash cu_ledger_digest(const struct cu_ledger *l) { return l->now.digest; }

cu_status cu_ledger_state_hash(struct cu_ledger *l, cu_hash *ret, struct cu_err *err)
{
    CU_ASSERT(!l->open);
    return cu_state_hash(&l->state, &l->now, ret, err);
}

cu_status cu_ledger_newest_block(struct cu_ledger *l, struct cu_seen *ret, struct cu_err *err)
{
    ENSURE(l->now.height > 0, err, CU_NOT_FOUND, "the log has no block yet");
    *ret = l->now.block;
    return CU_OK;
}

/* A row outside any batch: trouble is the asker's, and forgotten. */
static cu_status ask(struct cu_ledger *l, struct cu_row_at at, void *ret, const char *what, struct cu_err *err)
{
    CU_ASSERT(!l->open);
    bool there = cu_state_get(&l->state, at, ret);
    cu_status status = cu_state_trouble(&l->state, err);
    cu_state_undo(&l->state);
    if (status != CU_OK) return status;
    ENSURE(there, err, CU_NOT_FOUND, "%s", what);
    return CU_OK;
}

cu_status cu_ledger_statement(struct cu_ledger *l, const cu_hash *id, struct cu_recorded *ret, struct cu_err *err)
{
    struct cu_row_statement row;

    TRY(ask(l, cu_at(CU_TABLE_STATEMENT, cu_span_hash(id)), &row, "no such statement is recorded", err));
    *ret = (struct cu_recorded){ .seq = { row.seq }, .kind = (enum cu_kind)row.kind, .exhibit = row.exhibit };
    return CU_OK;
}

cu_status cu_ledger_serials(struct cu_ledger *l, const cu_hash *kid, struct cu_serials *ret, struct cu_err *err)
{
    struct cu_row_signer row = { .lowest_open = 1 };
    cu_status status = ask(l, cu_at(CU_TABLE_SIGNER, cu_span_hash(kid)), &row, "no number of this key is taken", err);

    if (status != CU_OK && status != CU_NOT_FOUND) return status;
    *ret = (struct cu_serials){ .lowest_open = row.lowest_open, .highest = row.highest };
    return CU_OK;
}

cu_status cu_ledger_serial(struct cu_ledger *l, const cu_hash *kid, uint64_t serial, cu_hash *ret_id, struct cu_err *err)
{
    struct cu_row_serial row;

    TRY(ask(l, cu_at_numbered(CU_TABLE_SERIAL, cu_span_hash(kid), serial), &row, "the number is open", err));
    *ret_id = row.id;
    return CU_OK;
}

cu_status cu_ledger_case(struct cu_ledger *l, const cu_case_id *id, uint64_t *ret_deposits, cu_seq *ret_seq, struct cu_err *err)
{
    struct cu_row_case row;

    TRY(ask(l, cu_at(CU_TABLE_CASE, CU_SPAN_OF(id->b)), &row, "no such case is open", err));
    *ret_deposits = row.deposits;
    ret_seq->v = row.seq;
    return CU_OK;
}

cu_status cu_ledger_notice(struct cu_ledger *l, const cu_hash *id, struct cu_notice_standing *ret, struct cu_err *err)
{
    struct cu_row_notice row;

    TRY(ask(l, cu_at(CU_TABLE_NOTICE, cu_span_hash(id)), &row, "no such notice is recorded", err));
    *ret = (struct cu_notice_standing){ row.seq,      row.organisation, row.provider, row.deadline,  row.acknowledged,
                                        row.deposits, row.answered,     row.reason,   row.timed_out, { { 0 } } };
    ret->root = cu_scope_root(&l->state, cu_span_hash(id), row.deposits);
    const cu_status status = cu_state_trouble(&l->state, err);
    cu_state_undo(&l->state);
    return status;
}

cu_status cu_ledger_inventory(struct cu_ledger *l, struct cu_inventory *io, struct cu_buf *mem, struct cu_err *err)
{
    uint64_t changed;

    CU_ASSERT(!l->open);
    TRY(cu_ledger_newest_block(l, &io->seen, err));
    cu_status status = cu_inventory_true(&l->state, io, mem, &changed, err);
    cu_state_undo(&l->state);
    return status;
}
