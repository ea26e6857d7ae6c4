/* The search index: derived from the log and its details, may be deleted at any time, trusted by no rule. */
#ifndef CU_PORTS_INDEX_H
#define CU_PORTS_INDEX_H

#include "custody/entry.h"

/** A row an entry. Spans are the caller's on put, the index's (until the callback returns) on find. Absent texts have n == 0. */
struct cu_index_row {
    cu_seq seq;
    enum cu_kind kind;
    cu_hash id, leaf;
    cu_hash kid;                /* who said it (innermost) */
    cu_case_id case_id;         /* claims, cases, inventories of a case; has_case */
    bool has_case;
    uint64_t number;            /* deposits: exhibit number in the case; cases: n-th case; 0 otherwise */
    uint64_t serial;            /* claims, voids */
    uint64_t content, size;     /* claims */
    cu_hash root, sha256;       /* claims; sha256 from the details of an item */
    bool has_sha256;
    cu_hash ref;                /* correction: its target; void: the claim; stored, incident: none */
    bool has_ref;
    cu_unix_ms time;            /* as signed */
    cu_seq block;               /* the block entry that dates it */
    cu_unix_ms recorded;        /* its closed time */
    struct cu_span name, label, note; /* from the details: file, folder or case name */
};

struct cu_index_query {
    enum {
        CU_FIND_ALL, CU_FIND_SEQ, CU_FIND_ID_PREFIX, CU_FIND_CASE, CU_FIND_EXHIBIT,
        CU_FIND_SHA256, CU_FIND_LABEL, CU_FIND_KIND, CU_FIND_REF, CU_FIND_CASE_NAME,
        CU_FIND_ABOUT, /* what put_about said, and maybe more: whoever asks looks into the entries */
    } by;
    struct cu_span text;     /* ID_PREFIX: lower-case hex; LABEL, CASE_NAME: exact */
    cu_seq seq;
    cu_seq from;             /* rows from this position on, without reading those before it */
    cu_case_id case_id;      /* CASE, EXHIBIT */
    uint64_t number;         /* EXHIBIT */
    cu_hash hash;            /* SHA256 (of the item's bytes), REF, ABOUT */
    enum cu_kind kind;       /* KIND, CASE */
    uint64_t limit;          /* 0: none */
};

/** Who attests which positions: from *stored* entries. */
struct cu_index_stored { cu_seq seq; uint64_t party; cu_seq first, last; };
/** Where a packed object lies: row `row` of the own index of `pack` may be about it. A hint: that row says whether. */
struct cu_index_object { cu_hash root, pack; uint32_t row; };

struct cu_index {
    void *self;
    /* How much of the log is in it. 0: empty. */
    cu_status (*size)(void *self, cu_size *ret, struct cu_err *err);
    /* Everything between begin and commit comes at once or not at all; commit ties it to `size`. One thread at a time: begin
     * waits for another thread's batch. An entry that is there already is OUT_OF_ORDER. */
    cu_status (*begin)(void *self, struct cu_err *err);
    cu_status (*put)(void *self, const struct cu_index_row *row, struct cu_err *err);
    /* The entry at `seq` names this statement among others: an access, a disclosure. */
    cu_status (*put_about)(void *self, cu_seq seq, const cu_hash *id, struct cu_err *err);
    cu_status (*put_stored)(void *self, const struct cu_index_stored *stored, struct cu_err *err);
    cu_status (*put_object)(void *self, unsigned store, const struct cu_index_object *object, struct cu_err *err);
    cu_status (*commit)(void *self, cu_size size, struct cu_err *err);
    void (*rollback)(void *self);
    /* In log order; the callback's failure ends the walk and is returned. */
    cu_status (*find)(void *self, const struct cu_index_query *q,
               cu_status (*each)(void *arg, const struct cu_index_row *row, struct cu_err *err), void *arg, struct cu_err *err);
    cu_status (*find_stored)(void *self, cu_seq deposit,
               cu_status (*each)(void *arg, const struct cu_index_stored *s, struct cu_err *err), void *arg, struct cu_err *err);
    /* The n-th place, from 0, where the object may lie. NOT_FOUND: there are no more. */
    cu_status (*find_object)(void *self, unsigned store, const cu_hash *root, unsigned n, struct cu_index_object *ret,
               struct cu_err *err);
    uint64_t (*count)(void *self, enum cu_kind kind, const cu_case_id *of_case); /* rows of a kind, in a case or (NULL) in all */
    /* Every range that it has, in no order. */
    cu_status (*each_stored)(void *self, cu_status (*each)(void *arg, const struct cu_index_stored *s, struct cu_err *err),
               void *arg, struct cu_err *err);
    void (*close)(void *self);
};

#endif
