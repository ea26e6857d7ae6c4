/* What the parts of `check` share. One pass finds and, when asked to, mends: a file is judged where its good bytes are at hand. */
#ifndef CU_SERVICE_AUDIT_H
#define CU_SERVICE_AUDIT_H

#include "service/census.h"
#include "service/service.h"

enum { CU_LOG_NODE, CU_LOG_CLOUD, CU_LOGS };

struct cu_replay;
struct fault;
struct cu_audit_store { struct fault *faults; size_t faults_n; struct cu_object_sum sum; bool changed; };
struct cu_dated { cu_seq seq; cu_unix_ms closed; }; /* a block entry, and the time that it gives its records */

/** A set of rows as the sum of their digests: in whatever order they come. Good enough for what nobody trusts. */
struct cu_row_sum { uint64_t v[4], n; };

struct cu_audit {
    struct cu_place *p;
    const struct cu_check_request *r;
    struct cu_check_result *ret;
    struct cu_log_dir dir[CU_LOGS];
    struct cu_checkpoint checkpoint;   /* the largest that a trusted key signed */
    struct cu_buf note;                /* that checkpoint as it lies */
    bool log_bad[CU_LOGS];             /* something in this copy was found wrong (and not mended) */
    bool log_broken;                   /* entries are missing from both: no replay */
    bool stores_bad;                   /* something in a store is wrong and not mended: the index may rightly know more than lies there */

    struct cu_ledger *replay;          /* every rule again, from nothing, in memory */
    struct cu_replay *pages;           /* entries on their way to it */
    struct cu_census census;           /* what lies in the stores */
    struct cu_audit_store store[CU_STORES]; /* what is wrong with each; `changed`: something was restored since it was read */
    cu_size indexed;                   /* so much of the log is in the search index; 0: nothing, or it is not judged */
    bool index_bad;                    /* it cannot be read, or what it should say cannot be known */
    uint64_t cases;                    /* in the log so far */
    struct cu_row_sum due;             /* the rows that the index should have of it */
    struct cu_index_reader *reader;    /* of the rows that it has, while the log is replayed */
    struct cu_tip state_tip;           /* what node/state says of itself */
    cu_hash state_hash;
    bool state_known, state_met;
    cu_size drained, acknowledged;     /* so many entries the engine's head says were in both logs, and in all; 0: it cannot be read */
    bool journal_bad;
    char journal_file[512], journal_fault[240];
    bool no_memory;                    /* something could not be looked at for want of it: no finding counts, the run ends so */
    struct cu_buf leaned;              /* packs and objects that hold what the log names, and are not known to be good: 32 bytes each */
    char missing[512];                 /* the file that was last reported missing: once is enough */

    uint64_t run;                      /* quarantine/<run>/ */
    struct cu_buf noted;               /* the note's lines, of this and an unfinished run (repair.c) */
    size_t noted_before;               /* so many bytes of it are the unfinished run's */
    uint64_t noted_on_disk;
    size_t verdict_at;                 /* where in it stands the verdict on what is being mended; 0: nothing is */
};

/* ---- a repair's note, and findings (repair.c) ---- */
/** Before anything is judged: keys and a place to write are there; what an unfinished run noted is taken over. And at the end. */
CU_MUST_USE cu_status cu_repair_begin(struct cu_audit *a, struct cu_err *err);
CU_MUST_USE cu_status cu_repair_end(struct cu_audit *a, struct cu_err *err);
/** The first number that no run in quarantine/ has. */
CU_MUST_USE cu_status cu_quarantine_next(struct cu_place *p, uint64_t *ret_run, struct cu_err *err);
/** Not to have had the memory to look is no damage: `looked` comes back, and is remembered. */
static inline cu_status cu_audit_saw(struct cu_audit *a, cu_status looked)
{
    a->no_memory |= looked == CU_NO_MEMORY;
    return looked;
}
/** Report something wrong that has no file to be mended by bytes. */
void cu_audit_report(struct cu_audit *a, const char *kind, const char *where, const cu_hash *id, bool repaired, const char *fmt, ...) CU_PRINTF(6, 7);
/** While repairing, before anything is touched: what is about to be mended is noted durably. The report that follows gives the verdict. */
CU_MUST_USE cu_status cu_audit_note(struct cu_audit *a, const char *kind, const char *where, const cu_hash *id, struct cu_err *err);
/** Move a file that is wrong to quarantine; and back, where nothing better was to be had. Only while repairing, and noted. */
CU_MUST_USE cu_status cu_audit_quarantine(struct cu_audit *a, const char *where, struct cu_err *err);
void cu_audit_quarantined(const struct cu_audit *a, const char *where, char ret[700]); /* what it is called there */
CU_MUST_USE cu_status cu_audit_put_back(struct cu_audit *a, const char *where, struct cu_err *err);
/** The file `where` is not what it should be (or is missing): report it and, when repairing, put `good` there. */
CU_MUST_USE cu_status cu_audit_file(struct cu_audit *a, const char *where, bool missing, struct cu_span good, struct cu_err *err);
/** A file that does not belong: report it and, when repairing, move it away. */
CU_MUST_USE cu_status cu_audit_stray(struct cu_audit *a, const char *where, struct cu_err *err);

/** A file as it lies, appended. A read that fails once is no damage: it is tried again. */
CU_MUST_USE cu_status cu_audit_read(struct cu_audit *a, const char *path, size_t max, struct cu_buf *ret, struct cu_err *err);

/* ---- the two copies of the log (audit_log.c) ---- */
/** Choose the checkpoint: what is judged is the log as of then. */
CU_MUST_USE cu_status cu_audit_checkpoint(struct cu_audit *a, struct cu_err *err);
/** Judge checkpoint files, tiles, bundles and strays of both copies; hand every bundle on, in order. */
CU_MUST_USE cu_status cu_audit_logs(struct cu_audit *a, struct cu_err *err);

/* ---- the rules (audit_replay.c) ---- */
/** The whole log as it lies in the node's copy through `a->replay`, signatures taken as checked: for a state made anew. */
CU_MUST_USE cu_status cu_audit_replay_log(struct cu_audit *a, struct cu_err *err);

/* ---- what lies beside the log (audit_parts.c) ---- */
/** Read both stores, before the log is: `census` is what lies there, `store` what is wrong. */
CU_MUST_USE cu_status cu_audit_survey(struct cu_audit *a, struct cu_err *err);
/** What the log says of this entry must be in both stores. */
CU_MUST_USE cu_status cu_audit_needs(struct cu_audit *a, cu_seq seq, const struct cu_entry *e, struct cu_err *err);
/** Report what was found wrong in the stores and, when repairing, mend it. */
CU_MUST_USE cu_status cu_audit_stores(struct cu_audit *a, struct cu_err *err);
/** What the provider signed of its bucket against that bucket. */
CU_MUST_USE cu_status cu_audit_held(struct cu_audit *a, struct cu_err *err);
void cu_audit_survey_free(struct cu_audit *a);
CU_MUST_USE cu_status cu_audit_parts(struct cu_audit *a, struct cu_err *err);
extern const char *const cu_audit_store_dirs[CU_STORES];

/* ---- what is derived for searching (audit_index.c) ---- */
CU_MUST_USE cu_status cu_audit_index_begin(struct cu_audit *a, struct cu_err *err);
/** Once the census is taken: read it beside everything else, if there are threads and nothing will be mended. */
CU_MUST_USE cu_status cu_audit_index_read(struct cu_audit *a, struct cu_err *err);
void cu_audit_index_free(struct cu_audit *a);
/** What the index should know of this entry. */
CU_MUST_USE cu_status cu_audit_index_entry(struct cu_audit *a, const struct cu_entry *e, cu_seq seq, const struct cu_dated *block, struct cu_err *err);
uint64_t cu_audit_names_of(enum cu_object_kind kind, struct cu_span bytes); /* a cu_object_about */
CU_MUST_USE cu_status cu_audit_index(struct cu_audit *a, struct cu_err *err);

#endif
