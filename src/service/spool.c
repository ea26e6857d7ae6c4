/* The invariants are in spool.h. */
#include "service/spool.h"

#include <stdio.h>
#include <stdlib.h>

#define CLAIM "claim"
#define RECORD "record"

static void path_of(const struct cu_spooled *at, const char *suffix, char ret[64])
{
    snprintf(ret, 64, CU_DIR_SPOOL "/%u%s%s", at->slot, suffix ? "." : "", suffix ? suffix : "");
}

static cu_status keep_file(const struct cu_spooled *at, const char *suffix, struct cu_span bytes, struct cu_err *err)
{
    char path[64], incoming[80];

    path_of(at, suffix, path);
    snprintf(incoming, sizeof incoming, "%s.new", path);
    return cu_fs_replace(at->of->fs, path, incoming, bytes, true, err);
}

static cu_status read_file(const struct cu_spooled *at, const char *suffix, struct cu_buf *ret, struct cu_err *err)
{
    char path[64];

    path_of(at, suffix, path);
    cu_buf_free(ret);
    *ret = cu_buf_heap(CU_RECORD_MAX);
    const cu_status read = cu_fs_read(at->of->fs, path, CU_RECORD_MAX, ret, err);
    return read == CU_NOT_FOUND ? CU_OK : read;
}

static void forget(struct cu_spooled *at)
{
    struct cu_spool *of = at->of;
    const unsigned slot = at->slot;

    cu_buf_free(&at->claim_file);
    cu_buf_free(&at->record);
    free(at->part);
    *at = (struct cu_spooled){ .of = of, .slot = slot };
}

/* ---- one slot ---- */

static enum cu_spooled_state state_by_bytes(const struct cu_spooled *at)
{
    if (at->in.durable == at->in.length && at->planned) return CU_SPOOLED_CHECKING;
    return at->in.durable > 0 ? CU_SPOOLED_RECEIVING : CU_SPOOLED_CLAIMED;
}

/* lock held, or nobody else knows it yet */
static void heard(struct cu_spooled *at)
{
    at->state = state_by_bytes(at);
    at->offset = at->in.durable;
    at->length = at->in.length;
}

static cu_status read_claim(struct cu_spooled *at, struct cu_err *err)
{
    struct cu_statement st;

    TRY(cu_schema_read(&cu_claim_file_schema, cu_buf_span(&at->claim_file), &at->parts, err));
    TRY(cu_statement_read(at->parts.claim, &st, err));
    ENSURE(st.kind == CU_KIND_CLAIM, err, CU_WRONG_KIND, "this is no claim: it is a statement of another kind");
    at->claim = st.body.claim;
    at->id = st.id;
    at->kid = st.kid;
    return CU_OK;
}

/* ---- what the stream of a folder consists of: its manifest, then each distinct file where it first appears ---- */

struct plan {
    struct cu_receive_part *part;
    size_t n, cap;
    uint32_t *slot; /* by root: the number of a part and 1; open addressing */
    size_t slots;
};

static void free_plan(struct plan *p) { free(p->part), free(p->slot); }

static bool is_new(struct plan *p, const cu_hash *root)
{
    size_t at = cu_be64(root->b) & (p->slots - 1);

    for (; p->slot[at]; at = (at + 1) & (p->slots - 1))
        if (cu_hash_eq(&p->part[p->slot[at] - 1].root, root)) return false;
    p->slot[at] = (uint32_t)p->n + 1;
    return true;
}

static cu_status begin_plan(struct plan *p, const struct cu_claim *claim, uint64_t items, struct cu_err *err)
{
    ENSURE(items == claim->folder.items && items <= CU_ITEMS_MAX, err, CU_BAD_HASH,
           "the manifest has not the items that were claimed");
    p->cap = (size_t)items + 2;
    for (p->slots = 16; p->slots < 2 * p->cap;) p->slots *= 2;
    p->part = malloc(p->cap * sizeof *p->part);
    p->slot = calloc(p->slots, sizeof *p->slot);
    ENSURE(p->part && p->slot, err, CU_NO_MEMORY, "no memory for what a folder of %llu items consists of", LLU(items));
    p->part[0] = (struct cu_receive_part){ claim->root, claim->size };
    if (is_new(p, &claim->root)) p->n = 1;
    return CU_OK;
}

static cu_status read_manifest(struct plan *p, const struct cu_claim *claim, struct cu_span bytes, struct cu_err *err)
{
    const cu_hash is = cu_content_root_of(bytes);
    struct cu_manifest m;
    struct cu_item item;
    bool more = true;

    ENSURE(cu_hash_eq(&is, &claim->root), err, CU_BAD_HASH, "the folder's manifest is not the one that was claimed");
    TRY(cu_manifest_open(bytes, &m, err));
    TRY(begin_plan(p, claim, m.header.items, err));
    while (more) {
        TRY(cu_manifest_next(&m, &item, &more, err));
        if (more && item.has_root && is_new(p, &item.root)) p->part[p->n++] = (struct cu_receive_part){ item.root, item.size };
    }
    const cu_hash rows = cu_manifest_root(&m);
    ENSURE(cu_hash_eq(&rows, &claim->folder.root) && m.header.bytes == claim->folder.bytes, err, CU_BAD_HASH,
           "the folder's manifest does not have the items that were claimed with it");
    return CU_OK;
}

static cu_status add_to_buf(void *buf, struct cu_span bytes, struct cu_err *err)
{
    cu_buf_add(buf, bytes);
    return cu_buf_ok(buf, err);
}

static cu_status plan_stream(struct cu_spooled *at, struct cu_err *err)
{
    CU_CLEANUP(free_plan) struct plan p = { .n = 0 };
    CU_BUF manifest = cu_buf_heap((size_t)at->claim.size + 1);

    TRY(cu_receive_read(&at->in, 0, at->claim.size, add_to_buf, &manifest, err));
    const cu_status read = read_manifest(&p, &at->claim, cu_buf_span(&manifest), err);
    if (read == CU_MALFORMED || read == CU_TOO_LARGE) return cu_fail_while(err, CU_BAD_HASH, "the folder's manifest");
    TRY(read);
    TRY(cu_receive_extend(&at->in, p.part, p.n, err));
    free(at->part);
    at->part = p.part;
    at->parts_n = p.n;
    at->planned = true;
    p.part = NULL;
    return CU_OK;
}

cu_status cu_spooled_add(struct cu_spooled *at, struct cu_span bytes, struct cu_err *err)
{
    while (!at->planned) {
        const uint64_t room = at->claim.size - at->in.at;
        const size_t n = bytes.n < room ? bytes.n : (size_t)room;
        TRY(cu_receive_add(&at->in, cu_span(bytes.p, n), err));
        if (n < room) return CU_OK;
        bytes = cu_span_from(bytes, n);
        const cu_status planned = plan_stream(at, err);
        if (planned == CU_BAD_HASH) TRY(cu_receive_rewind(&at->in, err));
        TRY(planned);
    }
    return bytes.n ? cu_receive_add(&at->in, bytes, err) : CU_OK;
}

/* The claimed object is the first of the stream; and the only one, unless it is a folder's manifest. */
static cu_status open_stream(struct cu_spooled *at, struct cu_err *err)
{
    char path[64];

    at->part = malloc(sizeof *at->part);
    ENSURE(at->part, err, CU_NO_MEMORY, "no memory for an upload");
    at->part[0] = (struct cu_receive_part){ at->claim.root, at->claim.size };
    at->parts_n = 1;
    path_of(at, NULL, path);
    TRY(cu_receive_open(at->of->fs, path, at->part, at->parts_n, &at->in, err));
    at->planned = !at->claim.has_folder || at->in.moved;
    if (at->planned || at->in.durable < at->claim.size) return CU_OK;
    const cu_status planned = plan_stream(at, err); /* with it more of the file may be known to be good */
    if (planned == CU_OK) return cu_receive_open(at->of->fs, path, at->part, at->parts_n, &at->in, err);
    return planned == CU_BAD_HASH ? cu_receive_again(&at->in, err) : planned;
}

static cu_status state_by_record(struct cu_spooled *at, struct cu_err *err)
{
    struct cu_record record;
    struct cu_entry e;

    TRY(cu_record_read(cu_buf_span(&at->record), &record, err));
    TRY(cu_entry_read(record.entry, &e, err));
    at->state = e.kind == CU_KIND_REFUSAL ? CU_SPOOLED_REFUSED : CU_SPOOLED_ACCEPTED;
    if (e.kind == CU_KIND_REFUSAL) snprintf(at->why, sizeof at->why, "%s", cu_reason_name(e.outer.body.refusal.reason));
    return CU_OK;
}

static cu_status open_slot(struct cu_spooled *at, struct cu_err *err)
{
    TRY(read_file(at, CLAIM, &at->claim_file, err));
    if (at->claim_file.n == 0) return CU_OK;
    TRY(read_claim(at, err));
    TRY(read_file(at, RECORD, &at->record, err));
    TRY(open_stream(at, err));
    heard(at);
    return at->record.n ? state_by_record(at, err) : CU_OK;
}

/* Its files are not as they were written. They are kept for whoever looks into it, and the slot is free: what was signed there is brought about
 * again by whoever claimed it, or stands in the log. */
static cu_status set_aside(struct cu_spooled *at, const char *why, struct cu_err *err)
{
    static const char *const suffix[] = { CLAIM, RECORD };
    struct cu_spool *of = at->of;
    const struct cu_fs *fs = of->fs;
    char from[64], to[80];

    for (size_t i = 0; i < 2; i++) {
        path_of(at, suffix[i], from);
        snprintf(to, sizeof to, "%s.damaged", from);
        const cu_status moved = fs->ops->rename(fs->self, from, to, err);
        if (moved != CU_NOT_FOUND) TRY(moved);
    }
    if (!of->damaged++) snprintf(of->why, sizeof of->why, CU_DIR_SPOOL "/%u.*: %.200s", at->slot, why);
    forget(at);
    return fs->ops->sync_dir(fs->self, CU_DIR_SPOOL, err);
}

static cu_status open_or_set_aside(struct cu_spooled *at, struct cu_err *err)
{
    struct cu_err why = { 0 };
    const cu_status opened = open_slot(at, &why);

    switch ((int)opened) {
    case CU_OK: return CU_OK;
    case CU_IO:
    case CU_NO_MEMORY:
    case CU_NO_SPACE:
    case CU_READ_ONLY: return cu_fail(err, opened, CU_DIR_SPOOL "/%u.*: %s", at->slot, why.text);
    default: return set_aside(at, why.text, err);
    }
}

void cu_spool_damage(const struct cu_spool *u, char ret[400])
{
    ret[0] = 0;
    if (u->damaged)
        snprintf(ret, 400,
                 "%u of what was on its way is damaged and was put aside as " CU_DIR_SPOOL
                 "/*.damaged; nothing that is recorded is touched, and whoever claimed it brings it again. The first: %s",
                 u->damaged, u->why);
}

/* By (3) and in this order: what was there is nobody's any more before the claim says whose it is. */
static cu_status begin_slot(struct cu_spooled *at, struct cu_span claim_file, struct cu_err *err)
{
    char path[64];

    TRY(read_file(at, CLAIM, &at->claim_file, err));
    if (at->claim_file.n > 0) TRY(keep_file(at, CLAIM, CU_SPAN_EMPTY, err));
    cu_buf_free(&at->claim_file);
    path_of(at, NULL, path);
    TRY(cu_receive_reset(at->of->fs, path, err));
    TRY(keep_file(at, RECORD, CU_SPAN_EMPTY, err));
    at->claim_file = cu_buf_heap(CU_RECORD_MAX);
    cu_buf_add(&at->claim_file, claim_file);
    TRY(cu_buf_ok(&at->claim_file, err));
    TRY(read_claim(at, err));
    TRY(keep_file(at, CLAIM, claim_file, err));
    TRY(open_stream(at, err));
    heard(at);
    return CU_OK;
}

/* ---- the table ---- */

void cu_spool_close(struct cu_spool *u)
{
    if (!u) return;
    for (unsigned i = 0; i < CU_SPOOL_SLOTS; i++) {
        if (u->slot[i].cut) (void)!cu_receive_end(&u->slot[i].in, false, NULL); /* as far as its mark it is there in any case */
        forget(&u->slot[i]);
    }
    pthread_mutex_destroy(&u->lock);
    free(u);
}

cu_status cu_spool_open(const struct cu_fs *fs, struct cu_objects *store, struct cu_spool **ret, struct cu_err *err)
{
    struct cu_spool *u = calloc(1, sizeof *u);
    cu_status opened = CU_OK;

    ENSURE(u, err, CU_NO_MEMORY, "no memory for uploads");
    u->fs = fs;
    u->store = store;
    pthread_mutex_init(&u->lock, NULL);
    for (unsigned i = 0; i < CU_SPOOL_SLOTS; i++) u->slot[i] = (struct cu_spooled){ .of = u, .slot = i };
    for (unsigned i = 0; i < CU_SPOOL_SLOTS && opened == CU_OK; i++) opened = open_or_set_aside(&u->slot[i], err);
    if (opened == CU_OK) *ret = u;
    else cu_spool_close(u);
    return opened;
}

/* lock held */
static struct cu_spooled *find(struct cu_spool *u, const cu_hash *id)
{
    for (unsigned i = 0; i < CU_SPOOL_SLOTS; i++)
        if (u->slot[i].state != CU_SPOOLED_FREE && cu_hash_eq(&u->slot[i].id, id)) return &u->slot[i];
    return NULL;
}

/* lock held. A free one; else, by (3), that of which nobody has heard for longest. */
static struct cu_spooled *take_free(struct cu_spool *u)
{
    struct cu_spooled *best = NULL;

    for (unsigned i = 0; i < CU_SPOOL_SLOTS; i++) {
        struct cu_spooled *at = &u->slot[i];
        if (at->busy || (at->state != CU_SPOOLED_FREE && !at->settled)) continue;
        if (at->state == CU_SPOOLED_FREE) return at;
        if (!best || at->touched < best->touched) best = at;
    }
    return best;
}

static cu_status add(struct cu_spool *u, struct cu_span claim_file, const cu_hash *id, uint64_t now, struct cu_err *err)
{
    struct cu_spooled *at = find(u, id);

    if (at) return CU_OK;
    at = take_free(u);
    ENSURE(at, err, CU_BUSY, "%d uploads are on their way already: come again when one of them is done", CU_SPOOL_SLOTS);
    forget(at);
    const cu_status begun = begin_slot(at, claim_file, err);
    if (begun != CU_OK) forget(at);
    at->touched = now;
    return begun;
}

cu_status cu_spool_add(struct cu_spool *u, struct cu_span claim_file, uint64_t now, struct cu_err *err)
{
    struct cu_claim_file parts;
    struct cu_statement st;

    TRY(cu_schema_read(&cu_claim_file_schema, claim_file, &parts, err));
    TRY(cu_statement_read(parts.claim, &st, err));
    pthread_mutex_lock(&u->lock);
    const cu_status added = add(u, claim_file, &st.id, now, err);
    pthread_mutex_unlock(&u->lock);
    return added;
}

/* lock held. What was cut short is made durable before anything is said of it. */
static cu_status settle(struct cu_spooled *at, struct cu_err *err)
{
    if (!at->cut) return CU_OK;
    at->cut = false;
    const cu_status ended = cu_receive_end(&at->in, false, err);
    heard(at);
    at->busy = false;
    return ended;
}

static void view(const struct cu_spooled *at, struct cu_spooled_view *ret)
{
    *ret = (struct cu_spooled_view){ .state = at->state,
                                     .kid = at->kid,
                                     .offset = at->offset,
                                     .length = at->length,
                                     .whole = at->planned,
                                     .settled = at->settled,
                                     .seq = at->seq };
    memcpy(ret->why, at->why, sizeof ret->why);
}

cu_status cu_spool_look(struct cu_spool *u, const cu_hash *id, struct cu_spooled_view *ret, struct cu_err *err)
{
    cu_status looked = CU_OK;

    pthread_mutex_lock(&u->lock);
    struct cu_spooled *at = find(u, id);
    if (at) looked = settle(at, err);
    if (at) view(at, ret);
    pthread_mutex_unlock(&u->lock);
    ENSURE(at, err, CU_NOT_FOUND, "no such claim is here");
    return looked;
}

cu_status cu_spool_record(struct cu_spool *u, const cu_hash *id, struct cu_buf *ret, struct cu_err *err)
{
    bool there = false;

    pthread_mutex_lock(&u->lock);
    struct cu_spooled *at = find(u, id);
    if (at && at->state >= CU_SPOOLED_ACCEPTED) {
        cu_buf_add(ret, cu_buf_span(&at->record));
        there = at->record.n > 0;
    }
    pthread_mutex_unlock(&u->lock);
    ENSURE(there, err, CU_NOT_FOUND, "nothing is signed over this claim yet");
    return cu_buf_ok(ret, err);
}

static cu_status take(struct cu_spool *u, const cu_hash *id, const uint64_t *offset, struct cu_spooled **ret, struct cu_err *err)
{
    struct cu_spooled *at = find(u, id);

    ENSURE(at, err, CU_NOT_FOUND, "no such claim is here");
    TRY(settle(at, err));
    ENSURE(!at->busy, err, CU_BUSY, "somebody else is sending this just now");
    ENSURE(cu_spooled_open(at->state), err, CU_OUT_OF_ORDER, "all of it is here already: its state is \"%s\"",
           cu_spooled_state_name(at->state));
    ENSURE(!offset || *offset == at->offset, err, CU_CHANGED,
           "the offset is %llu, and the bytes are for %llu: nothing of them was kept", LLU(at->offset), LLU(*offset));
    at->busy = true;
    *ret = at;
    return CU_OK;
}

cu_status cu_spool_take(struct cu_spool *u, const cu_hash *id, const uint64_t *offset, struct cu_spooled **ret,
                        struct cu_err *err)
{
    pthread_mutex_lock(&u->lock);
    const cu_status taken = take(u, id, offset, ret, err);
    pthread_mutex_unlock(&u->lock);
    return taken;
}

struct cu_spooled *cu_spool_next(struct cu_spool *u, enum cu_spooled_state state, bool notice, unsigned *io)
{
    struct cu_spooled *found = NULL;

    pthread_mutex_lock(&u->lock);
    for (; *io < CU_SPOOL_SLOTS && !found; (*io)++) {
        struct cu_spooled *at = &u->slot[*io];
        if (at->cut) (void)!settle(at, NULL); /* what failed comes again */
        if (at->state == state && !at->busy && !at->settled && at->claim.has_notice == notice) found = at;
    }
    if (found) found->busy = true;
    pthread_mutex_unlock(&u->lock);
    return found;
}

struct cu_spooled *cu_spool_abandoned(struct cu_spool *u, uint64_t before, uint64_t now)
{
    struct cu_spooled *found = NULL;

    pthread_mutex_lock(&u->lock);
    for (unsigned i = 0; i < CU_SPOOL_SLOTS; i++) {
        struct cu_spooled *at = &u->slot[i];
        if (!cu_spooled_open(at->state) || at->busy) continue;
        if (at->touched == 0 || at->offset != at->touched_at) at->touched = now, at->touched_at = at->offset;
        else if (!found && at->touched < before) found = at;
    }
    if (found) found->busy = true;
    pthread_mutex_unlock(&u->lock);
    return found;
}

void cu_spooled_give(struct cu_spooled *at, enum cu_spooled_state state)
{
    pthread_mutex_lock(&at->of->lock);
    at->state = state;
    at->busy = false;
    pthread_mutex_unlock(&at->of->lock);
}

void cu_spooled_received(struct cu_spooled *at)
{
    pthread_mutex_lock(&at->of->lock);
    heard(at);
    at->busy = false;
    pthread_mutex_unlock(&at->of->lock);
}

void cu_spooled_cut(struct cu_spooled *at)
{
    cu_receive_still(&at->in);
    pthread_mutex_lock(&at->of->lock);
    at->cut = true;
    pthread_mutex_unlock(&at->of->lock);
}

/* What was received has been read for the last time. */
void cu_spooled_settled(struct cu_spooled *at, uint64_t seq, const char *why)
{
    char path[64];

    path_of(at, NULL, path);
    (void)!cu_receive_reset(at->of->fs, path, NULL); /* room, no more */
    pthread_mutex_lock(&at->of->lock);
    at->settled = true;
    at->seq = seq;
    at->state = seq == UINT64_MAX ? CU_SPOOLED_REFUSED : CU_SPOOLED_RECORDED;
    if (why) snprintf(at->why, sizeof at->why, "%s", why);
    at->busy = false;
    pthread_mutex_unlock(&at->of->lock);
}

void cu_spooled_end(struct cu_spooled *at, bool whole)
{
    struct cu_spool *of = at->of;
    char path[64];

    path_of(at, NULL, path);
    (void)!keep_file(at, CLAIM, CU_SPAN_EMPTY, NULL); /* what fails costs a slot until it is ended again */
    (void)!cu_receive_reset(of->fs, path, NULL);
    pthread_mutex_lock(&of->lock);
    if (whole) at->settled = true, at->state = CU_SPOOLED_RECORDED, at->busy = false;
    else forget(at);
    pthread_mutex_unlock(&of->lock);
}

cu_status cu_spooled_sign(struct cu_spooled *at, struct cu_span record, struct cu_err *err)
{
    struct cu_buf now = cu_buf_heap(CU_RECORD_MAX);

    cu_buf_add(&now, record);
    TRY(cu_buf_ok(&now, err));
    const cu_status kept = keep_file(at, RECORD, record, err);
    pthread_mutex_lock(&at->of->lock);
    if (kept == CU_OK) cu_buf_free(&at->record), at->record = now;
    pthread_mutex_unlock(&at->of->lock);
    if (kept != CU_OK) cu_buf_free(&now);
    return kept;
}

bool cu_spooled_open(enum cu_spooled_state state) { return state == CU_SPOOLED_CLAIMED || state == CU_SPOOLED_RECEIVING; }

const char *cu_spooled_state_name(enum cu_spooled_state state)
{
    static const char *const names[] = {
#define NAME(name, text) [CU_SPOOLED_##name] = (text),
        CU_SPOOLED_TABLE(NAME)
    };
    return state < CU_SPOOLED_STATES ? names[state] : "";
}

uint64_t cu_spool_count(struct cu_spool *u, enum cu_spooled_state state)
{
    uint64_t n = 0;

    pthread_mutex_lock(&u->lock);
    for (unsigned i = 0; i < CU_SPOOL_SLOTS; i++) n += u->slot[i].state == state;
    pthread_mutex_unlock(&u->lock);
    return n;
}
