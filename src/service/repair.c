/* Findings, the quarantine, and the note that makes a repair finish.
 *
 * 1. quarantine/unfinished holds one line a finding, "kind\twhere\tid\tverdict\n", the verdict + for restored and - for beyond repair.
 *    The line of what is mended is durable before the file is touched. A last line "mended\n" says that only the incident is missing.
 * 2. quarantine/<run>/ holds what was replaced, under its old path.
 * 3. quarantine/signed holds a digest of the note and its future path, and the incident signed for it, durable before it is submitted.
 * 4. The note becomes quarantine/<run>/note when the incident is in the log.
 */
#include "service/audit.h"

#include "custody/text.h"
#include "service/held.h"

#include <stdarg.h>
#include <stdio.h>

#define UNFINISHED CU_DIR_QUARANTINE "/unfinished"
#define INCOMING CU_DIR_QUARANTINE "/incoming"
#define SIGNED CU_DIR_QUARANTINE "/signed"
#define MENDED "mended\n"
#define NOTE_MAX CU_NOTED_MAX
#define NOTE_PATH 100
#define ROWS_MAX (CU_DETAILS_MAX - 2048)

/* ---- the note ---- */

/* A line of the note is one line, whatever an intruder called his file. */
static void one_line(const char *where, struct cu_buf *ret)
{
    cu_text_printable(ret, cu_span_str(where));
    cu_buf_add_byte(ret, 0);
}

/* Where the verdict stands on what an unfinished run noted already; 0: it did not. */
static size_t noted_already(const struct cu_audit *a, const char *where)
{
    struct cu_lines lines = cu_lines_on(cu_span(a->noted.p, a->noted_before));
    struct cu_span line, kind, path;

    while (cu_lines_next(&lines, &line)) {
        const size_t end = (size_t)(line.p + line.n - a->noted.p);
        if (cu_span_split(&line, '\t', &kind) && cu_span_split(&line, '\t', &path) && cu_span_is(path, where)) return end - 1;
    }
    return 0;
}

static void add_line(struct cu_audit *a, const char *kind, const char *where, const char *id, bool restored)
{
    CU_BUF shown = cu_buf_heap(16384);

    one_line(where, &shown);
    a->verdict_at = noted_already(a, (const char *)shown.p);
    if (!a->verdict_at) {
        cu_buf_addf(&a->noted, "%s\t%s\t%s\t%c\n", kind, (const char *)shown.p, id, restored ? '+' : '-');
        a->verdict_at = a->noted.n - 2;
    } else a->noted.p[a->verdict_at] = restored ? '+' : '-';
}

static cu_status save_note(struct cu_audit *a, struct cu_err *err)
{
    TRY(cu_buf_ok(&a->noted, err));
    TRY(cu_fs_replace(&a->p->fs, UNFINISHED, INCOMING, cu_buf_span(&a->noted), true, err));
    a->noted_on_disk = a->noted.n;
    return CU_OK;
}

/* One write and one sync a finding, however long the note is. */
static cu_status append_note(struct cu_audit *a, struct cu_err *err)
{
    const struct cu_span news = cu_span(a->noted.p + a->noted_on_disk, a->noted.n - (size_t)a->noted_on_disk);
    CU_CLEANUP(cu_file_close) struct cu_file *f = NULL;

    TRY(cu_buf_ok(&a->noted, err));
    if (a->noted_on_disk == 0) return save_note(a, err);
    TRY(a->p->fs.ops->open(a->p->fs.self, UNFINISHED, CU_OPEN_WRITE, &f, err));
    TRY(f->ops->write_at(f, a->noted_on_disk, news, err));
    TRY(f->ops->sync(f, err));
    a->noted_on_disk = a->noted.n;
    return CU_OK;
}

cu_status cu_audit_note(struct cu_audit *a, const char *kind, const char *where, const cu_hash *id, struct cu_err *err)
{
    char hex[65] = "";

    ENSURE(!a->no_memory, err, CU_NO_MEMORY, "out of memory: nothing more was judged or mended");
    if (id && !cu_hash_is_zero(id)) cu_hash_hex(id, hex);
    add_line(a, kind, where, hex, true);
    return append_note(a, err);
}

/* ---- findings ---- */
void cu_audit_report(struct cu_audit *a, const char *kind, const char *where, const cu_hash *id, bool repaired, const char *fmt,
                     ...)
{
    struct cu_finding f = { .kind = kind, .where = where, .repaired = repaired };
    char what[600];
    va_list args;

    if (a->no_memory) return;
    va_start(args, fmt);
    (void)vsnprintf(what, sizeof what, fmt, args);
    va_end(args);
    f.what = what;
    if (id && !cu_hash_is_zero(id)) cu_hash_hex(id, f.id);
    a->ret->findings++;
    if (!repaired) a->ret->unrepaired++;
    if (a->r->repair && a->verdict_at) a->noted.p[a->verdict_at] = repaired ? '+' : '-';
    else if (a->r->repair) add_line(a, kind, where, f.id, repaired);
    a->verdict_at = 0;
    if (a->r->found) a->r->found(a->r->arg, &f);
}

void cu_audit_quarantined(const struct cu_audit *a, const char *where, char ret[700])
{
    snprintf(ret, 700, CU_DIR_QUARANTINE "/%llu/%s", (unsigned long long)a->run, where);
}

cu_status cu_audit_quarantine(struct cu_audit *a, const char *where, struct cu_err *err)
{
    char to[700];

    cu_audit_quarantined(a, where, to);
    cu_status moved = a->p->fs.ops->rename(a->p->fs.self, where, to, err);
    return moved == CU_NOT_FOUND ? CU_OK : moved;
}

cu_status cu_audit_put_back(struct cu_audit *a, const char *where, struct cu_err *err)
{
    char from[700];

    cu_audit_quarantined(a, where, from);
    cu_status moved = a->p->fs.ops->rename(a->p->fs.self, from, where, err);
    return moved == CU_NOT_FOUND ? CU_OK : moved;
}

cu_status cu_audit_file(struct cu_audit *a, const char *where, bool missing, struct cu_span good, struct cu_err *err)
{
    if (a->r->repair) {
        TRY(cu_audit_note(a, missing ? "missing" : "damaged", where, NULL, err));
        if (!missing) TRY(cu_audit_quarantine(a, where, err));
        TRY(cu_fs_replace(&a->p->fs, where, INCOMING, good, true, err));
    }
    cu_audit_report(a, missing ? "missing" : "damaged", where, NULL, a->r->repair, "%s",
                    missing ? "the file is not there" : "the bytes are not those that the signed log leads to");
    return CU_OK;
}

cu_status cu_audit_stray(struct cu_audit *a, const char *where, struct cu_err *err)
{
    if (a->r->repair) {
        TRY(cu_audit_note(a, "unexpected", where, NULL, err));
        TRY(cu_audit_quarantine(a, where, err));
    }
    cu_audit_report(a, "unexpected", where, NULL, a->r->repair, "this file does not belong here");
    return CU_OK;
}

cu_status cu_audit_read(struct cu_audit *a, const char *path, size_t max, struct cu_buf *ret, struct cu_err *err)
{
    const size_t before = ret->n;
    const cu_status read = cu_audit_saw(a, cu_fs_read(&a->p->fs, path, max, ret, err));

    if (read != CU_IO) return read;
    ret->n = before;
    return cu_audit_saw(a, cu_fs_read(&a->p->fs, path, max, ret, err));
}

/* ---- repairing ---- */
static cu_status highest_run(void *arg, const char *name, enum cu_file_kind kind, struct cu_err *err)
{
    uint64_t *highest = arg, run;

    (void)kind, (void)err;
    if (cu_decimal_read(cu_span_str(name), UINT32_MAX, &run, NULL) == CU_OK && run > *highest) *highest = run;
    return CU_OK;
}

cu_status cu_quarantine_next(struct cu_place *p, uint64_t *ret_run, struct cu_err *err)
{
    uint64_t run = 0;
    const cu_status listed = p->fs.ops->list(p->fs.self, CU_DIR_QUARANTINE, highest_run, &run, err);

    if (listed != CU_OK && listed != CU_NOT_FOUND) return listed;
    *ret_run = run + 1;
    return CU_OK;
}

/* The lines of a run that did not end, without one that was cut off. */
static cu_status resume_note(struct cu_audit *a, bool mended, struct cu_err *err)
{
    TRY(cu_fs_read(&a->p->fs, UNFINISHED, NOTE_MAX, &a->noted, err));
    if (mended) a->noted.n -= strlen(MENDED);
    while (a->noted.n && a->noted.p[a->noted.n - 1] != '\n') a->noted.n--;
    a->noted_before = a->noted.n;
    return save_note(a, err);
}

cu_status cu_repair_begin(struct cu_audit *a, struct cu_err *err)
{
    bool pending, mended;

    TRY(cu_need_key(a->p, CU_SIGNER_ORGANISATION, err));
    TRY(cu_need_key(a->p, CU_SIGNER_LOG, err));
    ENSURE(a->p->fs.ops->writable(a->p->fs.self), err, CU_READ_ONLY, "the ledger cannot be written to: nothing was touched");
    TRY(cu_quarantine_next(a->p, &a->run, err));
    TRY(cu_repair_pending(a->p, &pending, &mended, err));
    return pending ? resume_note(a, mended, err) : CU_OK;
}

cu_status cu_repair_end(struct cu_audit *a, struct cu_err *err)
{
    if (a->noted.n == 0) return CU_OK;
    TRY(a->p->fs.ops->sync_all(a->p->fs.self, err)); /* what was moved away stays away */
    cu_buf_add_str(&a->noted, MENDED);
    return save_note(a, err);
}

/* ---- what an ended repair leaves to say ---- */
cu_status cu_repair_pending(struct cu_place *p, bool *ret, bool *ret_mended, struct cu_err *err)
{
    CU_BUF note = cu_buf_heap(NOTE_MAX);
    const size_t tail = strlen(MENDED);
    cu_status read = cu_fs_read(&p->fs, UNFINISHED, NOTE_MAX, &note, err);

    *ret = *ret_mended = false;
    if (read == CU_NOT_FOUND) return CU_OK;
    TRY(read);
    *ret = true;
    *ret_mended = note.n >= tail && memcmp(note.p + note.n - tail, MENDED, tail) == 0;
    return CU_OK;
}

/* The note's lines as findings: all of them under the root, as many as fit in the details. */
static cu_status read_note(struct cu_span text, struct cu_buf *ret_rows, struct cu_details_rows *details,
                           struct cu_incident *body, struct cu_err *err)
{
    struct cu_lines lines = cu_lines_on(text);
    struct cu_frontier frontier = { 0 };
    struct cu_span line;
    bool all_restored = true;

    while (cu_lines_next(&lines, &line)) {
        struct cu_finding_row row = { 0 };
        CU_BUF one = cu_buf_heap(8192);
        if (!cu_span_split(&line, '\t', &row.kind) || !cu_span_split(&line, '\t', &row.where) ||
            !cu_span_split(&line, '\t', &row.id))
            continue; /* "mended" */
        row.repaired = cu_span_is(line, "+");
        all_restored = all_restored && row.repaired;
        TRY(cu_schema_write(&cu_finding_row_schema, &row, &one, err));
        const cu_hash leaf = cu_leaf_hash(cu_buf_span(&one));
        cu_frontier_append(&frontier, &leaf);
        if (ret_rows->n + one.n > ROWS_MAX) continue;
        cu_buf_add(ret_rows, cu_buf_span(&one));
        details->rows.n++;
    }
    details->text = cu_span_str(all_restored
                                    ? "stored bytes were found damaged and were restored from a good copy"
                                    : "stored bytes were found damaged; not all of them could be restored from a good copy");
    details->rows.bytes = cu_buf_span(ret_rows);
    body->count = frontier.size.v;
    body->root = cu_frontier_root(&frontier);
    return cu_buf_ok(ret_rows, err);
}

/* Where the note will lie: beside what this run moved away, or in a folder of its own. */
static cu_status note_place(struct cu_place *p, char ret[NOTE_PATH], struct cu_err *err)
{
    uint64_t next;

    TRY(cu_quarantine_next(p, &next, err));
    snprintf(ret, NOTE_PATH, CU_DIR_QUARANTINE "/%llu/note", (unsigned long long)(next > 1 ? next - 1 : 1));
    if (cu_fs_exists(&p->fs, ret)) snprintf(ret, NOTE_PATH, CU_DIR_QUARANTINE "/%llu/note", (unsigned long long)next);
    return CU_OK;
}

/* The same damage may come twice; never under the same path. */
static cu_hash note_hash(const char *place, struct cu_span note)
{
    CU_BUF both = cu_buf_heap(NOTE_PATH + NOTE_MAX);

    cu_buf_add_str(&both, place);
    cu_buf_add(&both, note);
    return cu_sha256(cu_buf_span(&both));
}

/* The incident that was signed for this very note, if a run was killed before it knew whether it is on record. */
static cu_status signed_before(struct cu_place *p, const cu_hash *note, struct cu_buf *ret, struct cu_err *err)
{
    const cu_status read = cu_fs_read(&p->fs, SIGNED, sizeof *note + CU_RECORD_MAX, ret, err);

    if (read != CU_OK && read != CU_NOT_FOUND) return read;
    if (ret->n < sizeof *note || memcmp(ret->p, note, sizeof *note) != 0) cu_buf_clear(ret);
    return CU_OK;
}

/* Signed once and durable before it leaves, so that sent again it is the same statement: one incident a run. */
static cu_status record_once(struct cu_place *p, const cu_hash *note, const struct cu_saying *say, struct cu_outcome *ret,
                             struct cu_err *err)
{
    CU_BUF kept = cu_buf_heap(sizeof *note + CU_RECORD_MAX), record = cu_buf_heap(CU_RECORD_MAX);

    TRY(signed_before(p, note, &kept, err));
    if (kept.n == 0) {
        TRY(cu_say(p, say, &record, err));
        cu_buf_add(&kept, cu_span_hash(note));
        cu_buf_add(&kept, cu_buf_span(&record));
        TRY(cu_buf_ok(&kept, err));
    }
    TRY(cu_fs_replace(&p->fs, SIGNED, INCOMING, cu_buf_span(&kept), true,
                      err)); /* one that is found may be in the page cache alone */
    const struct cu_span span = cu_span(kept.p + sizeof *note, kept.n - sizeof *note);
    TRY(cu_submit(p, &span, 1, ret, err));
    return cu_settle(p, err);
}

cu_status cu_repair_finish(struct cu_place *p, uint64_t *ret_findings, struct cu_outcome *ret, struct cu_err *err)
{
    CU_BUF note = cu_buf_heap(NOTE_MAX), rows = cu_buf_heap(CU_DETAILS_MAX);
    struct cu_details_rows details = { 0 };
    struct cu_incident body = { .type = CU_INCIDENT_DAMAGE };
    const struct cu_saying say = { CU_KIND_INCIDENT, &body, CU_SIGNER_ORGANISATION, CU_PROFILE_INCIDENT, &details };
    char place[NOTE_PATH];
    struct cu_objects *cloud = p->store[CU_STORE_CLOUD];
    bool pending, mended;
    uint64_t anew;

    *ret_findings = 0;
    TRY(cu_repair_pending(p, &pending, &mended, err));
    if (!pending) return CU_OK;
    if (cu_store_versioned(cloud) && p->has_key[CU_SIGNER_PROVIDER]) TRY(cu_held_anew(p, cloud, &anew, err));
    TRY(cu_fs_read(&p->fs, UNFINISHED, NOTE_MAX, &note, err));
    TRY(read_note(cu_buf_span(&note), &rows, &details, &body, err));
    *ret_findings = body.count;
    TRY(note_place(p, place, err));
    const cu_hash hash = note_hash(place, cu_buf_span(&note));
    if (body.count) TRY(record_once(p, &hash, &say, ret, err));
    TRY(p->fs.ops->rename(p->fs.self, UNFINISHED, place, err));
    return p->fs.ops->sync_dir(p->fs.self, CU_DIR_QUARANTINE, err);
}
