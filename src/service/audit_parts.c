/* What lies beside the log: objects of both stores, state, index, journal. */
#include "service/audit.h"
#include "service/held.h"
#include "service/outbox.h"

#include <stdio.h>
#include <stdlib.h>

struct fault {
    char where[512], kind[16], what[240];
    cu_hash name;
    bool packed;
};

const char *const cu_audit_store_dirs[CU_STORES] = { CU_DIR_CLOUD_OBJECTS, CU_DIR_NODE_OBJECTS };

/* ---- what the log says must be there ---- */

/* Where the other store has it is where this one should; else where the index remembers it. */
static void expected_path(struct cu_audit *a, int store, enum cu_object_kind kind, const cu_hash *name, char ret[512])
{
    const struct cu_index *index = &a->p->index;
    struct cu_index_object remembered = { 0 };
    struct cu_object other = { 0 };
    char hex[65];

    cu_hash_hex(name, hex);
    snprintf(ret, 512, "%s/large/%.2s/%s", cu_audit_store_dirs[store], hex, hex);
    if (cu_objects_find(a->p->store[!store], kind, name, &other, NULL) != CU_OK && index->self &&
        index->find_object(index->self, (unsigned)store, name, 0, &remembered, NULL) == CU_OK)
        other.pack = remembered.pack, other.packed = true;
    if (!other.packed) return;
    cu_hash_hex(&other.pack, hex);
    snprintf(ret, 512, "%s/packs/%.2s/%s.pack", cu_audit_store_dirs[store], hex, hex);
}

static bool cannot(cu_status status)
{
    return status == CU_NOT_FOUND || status == CU_BAD_HASH || status == CU_CORRUPT || status == CU_MALFORMED;
}

/* From the other store: the whole pack that it lies in there, or the object. */
static cu_status restore(struct cu_audit *a, int store, enum cu_object_kind kind, const cu_hash *name, bool *ret_mended,
                         struct cu_err *err)
{
    struct cu_objects *to = a->p->store[store], *from = a->p->store[!store];
    struct cu_object other;
    cu_status restored = cu_objects_find(from, kind, name, &other, err);

    if (restored == CU_OK)
        restored = other.packed ? cu_objects_restore_pack(to, from, &other.pack, err)
                                : cu_objects_restore(to, from, kind, name, err);
    *ret_mended = restored == CU_OK;
    return restored == CU_OK || cannot(restored) ? CU_OK : restored;
}

#define ANY_SIZE UINT64_MAX /* the log does not say how long details are */

static bool is_leaned_on(const struct cu_audit *a, const cu_hash *name)
{
    for (size_t at = 0; at < a->leaned.n; at += sizeof *name)
        if (memcmp(a->leaned.p + at, name->b, sizeof *name) == 0) return true;
    return false;
}

/* What is named by a fault is not known to be good. */
static void lean_on(struct cu_audit *a, unsigned store, const cu_hash *name)
{
    const struct cu_audit_store *s = &a->store[store];

    for (size_t i = 0; i < s->faults_n; i++) {
        if (!cu_hash_eq(&s->faults[i].name, name) || is_leaned_on(a, name)) continue;
        cu_buf_add(&a->leaned, cu_span_hash(name));
        cu_audit_saw(a, cu_buf_ok(&a->leaned, NULL));
    }
}

/* The census knows it by its bytes. What it does not know may lie there all the same: its pack is damaged before it, it came since, or
 * not everything was read; then the store is asked. */
static bool is_there(struct cu_audit *a, unsigned store, enum cu_object_kind kind, const cu_hash *name, uint64_t size)
{
    const struct cu_census_row *row = cu_census_find(&a->census, kind, name);
    struct cu_object found;
    cu_status status = CU_IO;

    if (row && row->stores >> store & 1 && (size == ANY_SIZE || row->size == size)) return true;
    for (int tries = 0; tries < 2 && status != CU_OK; tries++) /* a read that fails once is no damage */
        status = cu_audit_saw(a, cu_objects_find(a->p->store[store], kind, name, &found, NULL));
    if (status == CU_MALFORMED && a->r->sample <= 1)
        return true; /* a damaged index of a pack, which is named by itself, as is a damaged pack */
    if (status == CU_OK) lean_on(a, store, found.packed ? &found.pack : name);
    return status == CU_OK && (size == ANY_SIZE || found.size == size);
}

/* A folder or a link may have been put where a file belongs. */
static cu_status clear_way(struct cu_audit *a, const char *path, struct cu_err *err)
{
    struct cu_file_stat st;

    if (a->p->fs.ops->stat(a->p->fs.self, path, &st, NULL) != CU_OK || st.kind == CU_FILE_REGULAR) return CU_OK;
    return cu_audit_quarantine(a, path, err);
}

#define COMES_AGAIN ": `custody node` brings it again from the provider"
#define EVERYWHERE ((1u << CU_STORES) - 1)
static cu_status need(struct cu_audit *a, unsigned stores, enum cu_object_kind kind, const cu_hash *name, uint64_t size,
                      const cu_hash *id, struct cu_err *err)
{
    for (int store = 0; store < CU_STORES; store++) {
        char path[512];
        bool mended = false;
        if (!(stores >> store & 1)) continue;
        if (is_there(a, (unsigned)store, kind, name, size)) continue;
        expected_path(a, store, kind, name, path);
        if (a->r->repair) TRY(cu_audit_note(a, "missing", path, id, err));
        if (a->r->repair) TRY(clear_way(a, path, err));
        if (a->r->repair) TRY(restore(a, store, kind, name, &mended, err));
        a->store[store].changed |= mended;
        if (!mended && strcmp(a->missing, path) == 0) continue;
        snprintf(a->missing, sizeof a->missing, "%s", path);
        if (!mended) a->stores_bad = true;
        cu_audit_report(a, "missing", path, id, mended, "%s that the log names is not in this store%s",
                        kind == CU_OBJECT_DETAILS ? "details" : "content",
                        !a->r->repair || mended ? ""
                        : stores == EVERYWHERE  ? ", and the other copy does not have it either: it is lost"
                                                : COMES_AGAIN);
    }
    return CU_OK;
}

static cu_status need_items(struct cu_audit *a, unsigned stores, const struct cu_claim *claim, const cu_hash *id,
                            struct cu_err *err)
{
    CU_BUF bytes = cu_buf_heap(claim->size + 1);
    struct cu_manifest manifest;
    struct cu_item item;
    bool more = true;

    if (cu_audit_saw(a, cu_place_object(a->p, CU_OBJECT_CONTENT, &claim->root, claim->size, &bytes, NULL)) != CU_OK)
        return CU_OK; /* named above */
    TRY(cu_manifest_open(cu_buf_span(&bytes), &manifest, err));
    while (more) {
        TRY(cu_manifest_next(&manifest, &item, &more, err));
        if (more && item.has_root) TRY(need(a, stores, CU_OBJECT_CONTENT, &item.root, item.size, id, err));
    }
    return CU_OK;
}

static cu_status is_stored(void *arg, const struct cu_index_stored *stored, struct cu_err *err)
{
    (void)err;
    *(bool *)arg |= stored->party != 0; /* a provider's word is nobody's copy */
    return CU_OK;
}

/* Where content that did not travel with its record must be: where the provider is far away, with the node, once that is attested. */
static unsigned where_content(const struct cu_audit *a, cu_seq seq)
{
    const struct cu_index *index = &a->p->index;
    bool stored = false;

    if (a->p->near == CU_STORE_CLOUD) return EVERYWHERE;
    if (index->self && index->find_stored(index->self, seq, is_stored, &stored, NULL) != CU_OK) stored = true;
    return stored ? 1u << CU_STORE_NODE : 0;
}

cu_status cu_audit_needs(struct cu_audit *a, cu_seq seq, const struct cu_entry *e, struct cu_err *err)
{
    const cu_hash *commitment = cu_entry_commitment(e);
    const cu_hash *id = e->signed_ ? &cu_entry_innermost(e)->id : &e->leaf;

    if (commitment) TRY(need(a, EVERYWHERE, CU_OBJECT_DETAILS, commitment, ANY_SIZE, id, err));
    if (e->kind != CU_KIND_DEPOSIT) return CU_OK;
    const struct cu_claim *claim = &e->inner.body.claim;
    const unsigned stores = where_content(a, seq);
    TRY(need(a, claim->size <= CU_CONTENT_INLINE_MAX ? EVERYWHERE : stores, CU_OBJECT_CONTENT, &claim->root, claim->size, id,
             err));
    return claim->has_folder && stores ? need_items(a, stores, claim, id, err) : CU_OK;
}

/* ---- every file of both stores ---- */

/* A side file whose bytes neither store has is what a deposit left that was cut short: nobody was told of it, and what the log names is
 * missed elsewhere. Damaged there is nothing to bring back; in quarantine it is out of the way. */
static bool side_of_nothing(const struct cu_audit *a, int store, const struct fault *f)
{
    const char *below = f->where + strlen(cu_audit_store_dirs[store]), *end = strrchr(below, '.');
    char main[600];

    if (!end || strcmp(end, f->packed ? ".idx" : ".tree") != 0) return false;
    for (int i = 0; i < CU_STORES; i++) {
        snprintf(main, sizeof main, "%s%.*s%s", cu_audit_store_dirs[i], (int)(end - below), below, f->packed ? ".pack" : "");
        if (cu_fs_exists(&a->p->fs, main)) return false;
    }
    return true;
}

/* Bytes that one store alone has, and that no entry of the whole log needs, are nobody's loss. Whatever is good of them stays: a claim may be
 * under way. */
static cu_status part_with(struct cu_audit *a, int store, const struct fault *f, const char *lost, struct cu_err *err)
{
    char side[512];

    if (a->log_broken || a->ret->dirty || a->no_memory || a->r->only || is_leaned_on(a, &f->name)) return CU_NOT_FOUND;
    if (!f->packed) return CU_OK;
    TRY(cu_objects_salvage(a->p->store[store], lost, &f->name, err));
    TRY(a->p->fs.ops->sync_all(a->p->fs.self, err)); /* a pack without its index could not be salvaged again */
    snprintf(side, sizeof side, "%.*s.idx", (int)(strlen(f->where) - strlen(".pack")), f->where);
    return cu_audit_quarantine(a, side, err);
}

static cu_status mend_object(struct cu_audit *a, int store, const struct fault *f, const char **ret_how, struct cu_err *err)
{
    struct cu_objects *to = a->p->store[store], *from = a->p->store[!store];
    cu_status restored = CU_OK;
    char lost[700];

    TRY(cu_audit_note(a, f->kind, f->where, &f->name, err));
    if (strcmp(f->kind, "missing") != 0) TRY(cu_audit_quarantine(a, f->where, err));
    if (strcmp(f->kind, "unexpected") != 0)
        restored = f->packed ? cu_objects_restore_pack(to, from, &f->name, err)
                             : cu_objects_restore(to, from, CU_OBJECT_CONTENT, &f->name, err);
    cu_audit_quarantined(a, f->where, lost);
    if (cannot(restored)) restored = cu_objects_merge(to, from, lost, f->packed, &f->name, err);
    if (cannot(restored) && side_of_nothing(a, store, f)) restored = CU_OK;
    *ret_how = restored == CU_OK ? "" : NULL;
    if (cannot(restored)) {
        restored = part_with(a, store, f, lost, err);
        if (restored == CU_OK) *ret_how = ": nothing on record lies there, and it was put aside";
    }
    if (restored == CU_OK || !cannot(restored)) return restored;
    return f->packed ? cu_audit_put_back(a, f->where, err)
                     : CU_OK; /* the rest of a pack may be good; a lone object's place is free for a new deposit */
}

struct store_check {
    struct cu_audit *a;
    int store;
};

static void collect_fault(void *arg, const struct cu_object_fault *found)
{
    const struct store_check *check = arg;
    struct cu_audit_store *s = &check->a->store[check->store];
    struct fault *at = realloc(s->faults, (s->faults_n + 1) * sizeof *at);

    if (!at) {
        check->a->no_memory = true;
        return;
    }
    s->faults = at;
    at += s->faults_n++;
    snprintf(at->where, sizeof at->where, "%s", found->where);
    snprintf(at->kind, sizeof at->kind, "%s", found->kind);
    snprintf(at->what, sizeof at->what, "%s", found->what);
    at->name = found->name;
    at->packed = found->packed;
}

static void store_progress(void *arg, uint64_t bytes)
{
    const struct cu_progress *progress = &((struct store_check *)arg)->a->p->progress;

    if (progress->at) progress->at(progress->arg, "objects", bytes, 0, 0, 0);
}

static cu_status count_in(void *arg, const struct cu_object *o, uint64_t about, struct cu_err *err)
{
    const struct store_check *check = arg;
    return cu_census_add(&check->a->census, (unsigned)check->store, o, about, err);
}

static cu_status read_store(struct cu_audit *a, int store, bool census, struct cu_err *err)
{
    struct store_check check = { a, store };
    const struct cu_object_check how = { .sample = a->r->sample,
                                         .found = collect_fault,
                                         .progress = store_progress,
                                         .each = census ? count_in : NULL,
                                         .about = census && a->indexed.v ? cu_audit_names_of : NULL,
                                         .arg = &check };

    a->store[store].faults_n = 0;
    a->store[store].changed = false;
    return cu_objects_check(a->p->store[store], &how, &a->store[store].sum, err);
}

cu_status cu_audit_survey(struct cu_audit *a, struct cu_err *err)
{
    for (int store = 0; store < CU_STORES; store++) TRY(read_store(a, store, !a->r->only, err));
    return CU_OK;
}

/* What was restored for the log's sake has changed the store: its files are judged anew. */
static cu_status judge_store(struct cu_audit *a, int store, struct cu_err *err)
{
    struct cu_audit_store *s = &a->store[store];

    if (s->changed) TRY(read_store(a, store, false, err));
    a->ret->objects += s->sum.objects;
    a->ret->bytes += s->sum.bytes;
    for (size_t i = 0; i < s->faults_n; i++) {
        const struct fault *f = &s->faults[i];
        const char *mended = NULL;
        if (a->r->repair) TRY(mend_object(a, store, f, &mended, err));
        if (!mended) a->stores_bad = true;
        const bool comes = a->r->repair && !mended && a->p->near == CU_STORE_NODE && store == CU_STORE_NODE && !f->packed;
        cu_audit_report(a, f->kind, f->where, &f->name, mended, "%s%s", f->what, mended ? mended : comes ? COMES_AGAIN : "");
    }
    return CU_OK;
}

cu_status cu_audit_stores(struct cu_audit *a, struct cu_err *err)
{
    for (int store = 0; store < CU_STORES; store++) TRY(judge_store(a, store, err));
    return CU_OK;
}

static void differs(void *arg, const struct cu_held_difference *d)
{
    struct cu_audit *a = arg;
    char where[96], hex[65];

    cu_hash_hex(d->object, hex);
    snprintf(where, sizeof where, "%s/%s", cu_audit_store_dirs[CU_STORE_CLOUD], hex);
    cu_audit_report(a, "unheld", where, d->object, a->r->repair && d->mended, "%s", d->what);
}

/* By a log that is whole: what is wrong with it is named before. */
cu_status cu_audit_held(struct cu_audit *a, struct cu_err *err)
{
    struct cu_held_comparing c = { .pins = true, .all = true, .found = differs, .arg = a };

    if (!cu_store_versioned(a->p->store[CU_STORE_CLOUD]) || a->log_broken || a->log_bad[CU_LOG_NODE]) return CU_OK;
    TRY(cu_place_refresh(a->p, err));
    return cu_held_compare(a->p, a->p->store[CU_STORE_CLOUD], &c, err);
}

void cu_audit_survey_free(struct cu_audit *a)
{
    cu_census_free(&a->census);
    for (int store = 0; store < CU_STORES; store++) free(a->store[store].faults);
}

/* ---- state ---- */
static cu_status move_away(void *arg, const char *name, enum cu_file_kind kind, struct cu_err *err)
{
    char path[300];

    if (kind == CU_FILE_FOLDER && strcmp(name, "incoming") == 0) return CU_OK; /* nothing in it counts */
    snprintf(path, sizeof path, CU_DIR_NODE_STATE "/%s", name);
    return cu_audit_quarantine(arg, path, err);
}

static cu_status state_anew(struct cu_audit *a, struct cu_err *err)
{
    struct cu_audit fresh = { .p = a->p, .r = a->r, .ret = a->ret };
    cu_status done;

    TRY(cu_place_refresh(a->p, err));
    done = a->p->fs.ops->list(a->p->fs.self, CU_DIR_NODE_STATE, move_away, a, err);
    if (done != CU_OK && done != CU_NOT_FOUND) return done;
    TRY(cu_ledger_open(&a->p->fs, CU_DIR_NODE_STATE, &fresh.replay, err));
    done = cu_audit_replay_log(&fresh, err);
    const struct cu_machine m = cu_ledger_machine(fresh.replay);
    if (done == CU_OK) done = m.save(m.self, err);
    cu_ledger_close(fresh.replay);
    return done;
}

/* The sentence begins with the file that it is about: "node/state/delta: …". */
static void file_in(const char *what, char ret[300])
{
    static const char dir[] = CU_DIR_NODE_STATE;
    const bool named = strncmp(what, dir, strlen(dir)) == 0;

    snprintf(ret, 300, "%.*s", named ? (int)strcspn(what, ": ") : (int)strlen(dir), named ? what : dir);
}

static cu_status judge_state(struct cu_audit *a, struct cu_err *err)
{
    struct cu_err why = { 0 };
    const char *what = "the state that lies here is not the one that the log leads to";
    char where[300];
    bool mended = false;

    if (a->state_met) return CU_OK;
    if (!a->state_known && cu_ledger_state_check(&a->p->fs, CU_DIR_NODE_STATE, &a->state_tip, &a->state_hash, &why) != CU_OK)
        what = why.text;
    file_in(what, where);
    if (a->r->repair && !a->log_broken) {
        TRY(cu_audit_note(a, "damaged", where, NULL, err));
        TRY(state_anew(a, err));
        mended = true;
    }
    cu_audit_report(a, "damaged", where, NULL, mended, "%s", what);
    return CU_OK;
}

/* ---- journal and head ---- */
static void journal_fault(void *arg, const char *where, const char *what)
{
    struct cu_audit *a = arg;

    a->journal_bad = true;
    if (!a->r->repair) cu_audit_report(a, "damaged", where, NULL, false, "%s", what);
    else
        snprintf(a->journal_fault, sizeof a->journal_fault, "%s", what),
            snprintf(a->journal_file, sizeof a->journal_file, "%s", where);
}

static cu_status move_journal(void *arg, const char *name, enum cu_file_kind kind, struct cu_err *err)
{
    char path[300];

    if (kind == CU_FILE_FOLDER && strcmp(name, "incoming") == 0) return CU_OK; /* nothing in it counts */
    snprintf(path, sizeof path, CU_DIR_JOURNAL "/%s", name);
    return cu_audit_quarantine(arg, path, err);
}

static cu_status judge_journal(struct cu_audit *a, struct cu_err *err)
{
    const struct cu_engine_care *care = &a->p->care;
    const struct cu_machine m = cu_ledger_machine(a->replay);
    const struct cu_tip tip = m.tip(m.self);
    cu_size reach = { 0 };

    TRY(care->check(care->self, &tip, journal_fault, a, &reach, err));
    if (!a->journal_bad || !a->r->repair) return CU_OK;
    if (a->ret->dirty || reach.v > tip.size.v) { /* a log that went on from here would be another than receipts show */
        cu_audit_report(
            a, "lost", a->journal_file, NULL, false,
            "%s; what was acknowledged and had not reached the log yet lies in it: it is beyond repair, and was left as it is",
            a->journal_fault);
        return CU_OK;
    }
    TRY(cu_audit_note(a, "damaged", a->journal_file, NULL, err));
    const cu_status moved = a->p->fs.ops->list(a->p->fs.self, CU_DIR_JOURNAL, move_journal, a, err);
    if (moved != CU_OK && moved != CU_NOT_FOUND) return moved;
    TRY(care->renew(care->self, &tip, err));
    cu_audit_report(a, "damaged", a->journal_file, NULL, true, "%s", a->journal_fault);
    return CU_OK;
}

/* ---- the outbox: records in it are signed, and the ledger judges each once more; what is whole of it stays ---- */
static cu_status judge_outbox_file(struct cu_audit *a, const char *name, bool numbered, const char *what, struct cu_err *err)
{
    CU_BUF file = cu_buf_heap(CU_PENDING_MAX), good = cu_buf_heap(CU_PENDING_MAX);
    struct cu_span records;
    uint64_t highest;
    char bad[700];

    if (cu_audit_read(a, name, CU_PENDING_MAX, &file, NULL) == CU_NOT_FOUND) return CU_OK;
    if (cu_pending_read(cu_buf_span(&file), &highest, &records, NULL) == CU_OK) return CU_OK;
    if (a->r->repair) {
        TRY(cu_audit_note(a, "damaged", name, NULL, err));
        TRY(numbered ? cu_pending_salvage(cu_buf_span(&file), &good, err) : cu_pending_write(0, CU_SPAN_EMPTY, &good, err));
        cu_audit_quarantined(a, name, bad);
        TRY(cu_fs_replace(&a->p->fs, bad, CU_DIR_QUARANTINE "/incoming", cu_buf_span(&file), true, err));
        TRY(cu_fs_replace(&a->p->fs, name, CU_DIR_QUARANTINE "/incoming", cu_buf_span(&good), true, err));
    }
    cu_audit_report(a, "damaged", name, NULL, a->r->repair, "%s", what);
    return CU_OK;
}

static cu_status judge_outbox(struct cu_audit *a, struct cu_err *err)
{
    TRY(judge_outbox_file(
        a, CU_FILE_SUPERVISED, false,
        "it is not as it was written: which claims are watched is lost; hand them over again (`custody supervise`)", err));
    TRY(judge_outbox_file(a, CU_FILE_ENROLMENTS, false,
                          "it is not as it was written: who waits to be enrolled is lost; they ask again (`custody enrol`)",
                          err));
    return judge_outbox_file(
        a, CU_FILE_PENDING, true,
        "the outbox is not as it was written; what is whole of it is kept (a claim file that is still out may "
        "find its number taken, and then needs a new claim)",
        err);
}

/* ---- a log that is shorter than it was ---- */

/* Both copies agree on less than the state was closed at, or than the engine's head says was in them: what lay between is in neither, and
 * nothing can be built on what is left. State and head were read before the log: a writer beside us only makes it longer. */
static void judge_rollback(struct cu_audit *a)
{
    const uint64_t closed = a->state_known && !a->ret->dirty ? a->state_tip.size.v : 0;
    const uint64_t was = closed > a->drained.v ? closed : a->drained.v;

    if (a->log_broken || was <= a->checkpoint.size.v) return;
    a->log_broken = true;
    cu_audit_report(
        a, "lost", CU_DIR_NODE_LOG "/checkpoint", NULL, false,
        "both copies of the log end at %llu entries, and %s %llu: an older copy of both was put back, or what followed "
        "is lost; nothing was touched",
        (unsigned long long)a->checkpoint.size.v,
        was == closed ? "the state was closed at" : "the journal's head says that there were", (unsigned long long)was);
}

/* ---- what does not belong ---- */
struct folder {
    const char *path;
    const char *names[12];
};
static const struct folder folders[] = {
    { "cloud", { "bucket", "log", "objects", "pins", "provider" } },
    { "node",
      { "chain", "cosigned", "cosigner", "forks", "index.db", "index.db.seal", "journal", "lock", "log", "objects", "state" } },
    { CU_DIR_JOURNAL, { "0", "1", "head", "incoming" } },
    { "node/chain",
      { "0", "1", "incoming", "misbehaviour", "outbox-0", "outbox-1", "outbox-2", "outbox-3", "outbox-4", "outbox-5", "outbox-6",
        "outbox-7" } },
    { CU_DIR_NODE_STATE, { "delta", "head", "incoming", "snapshot" } },
};
struct looking {
    struct cu_audit *a;
    const struct folder *in;
};

static bool belongs(const struct folder *in, const char *name)
{
    if (strncmp(name, "index.db-", 9) == 0 && strcmp(in->path, "node") == 0) return true; /* beside the index while it is open */
    for (size_t i = 0; i < sizeof in->names / sizeof in->names[0] && in->names[i]; i++)
        if (strcmp(in->names[i], name) == 0) return true;
    return false;
}

static cu_status look_at(void *arg, const char *name, enum cu_file_kind kind, struct cu_err *err)
{
    const struct looking *l = arg;
    char path[512];

    if (belongs(l->in, name)) return CU_OK;
    (void)kind;
    snprintf(path, sizeof path, "%s/%s", l->in->path, name);
    return cu_audit_stray(l->a, path, err);
}

static cu_status judge_folders(struct cu_audit *a, struct cu_err *err)
{
    for (size_t i = 0; i < sizeof folders / sizeof folders[0]; i++) {
        struct looking l = { a, &folders[i] };
        const cu_status listed = a->p->fs.ops->list(a->p->fs.self, folders[i].path, look_at, &l, err);
        if (listed != CU_OK && listed != CU_NOT_FOUND) return listed;
    }
    return CU_OK;
}

cu_status cu_audit_parts(struct cu_audit *a, struct cu_err *err)
{
    judge_rollback(a);
    TRY(judge_folders(a, err));
    TRY(judge_outbox(a, err));
    if (!a->log_broken) {
        TRY(judge_state(a, err));
        TRY(judge_journal(a, err));
    }
    return cu_audit_index(a, err);
}
