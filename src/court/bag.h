/* The exported case as a bag: what the files that write it and those that read it share. docs/formats/bag.md has the rules. */
#ifndef CU_COURT_BAG_H
#define CU_COURT_BAG_H

#include "content/ingest.h"
#include "custody/part.h"
#include "custody/receipt.h"
#include "ports/package.h"

#define CU_BAG_RECEIPT ".tlog-proof"
#define CU_BAG_CHAIN "trust/chain" /* trust-chain.md */
#define CU_BAG_MANIFEST CU_BAG_RECEIPT ".manifest"
#define CU_BAG_PART ".proof"
#define CU_BAG_BYTES ".bytes-"
#define CU_BAG_ITEM ".item-"

/* ---- names (bag_names.c) ---- */
/** Names that were given in a bag, letters' case aside. */
struct cu_bag_names { uint64_t *slot; size_t n, cap; uint64_t renamed, flat; };
void cu_bag_names_free(struct cu_bag_names *names);
/** The safe name of one component: rules 1 to 3 of the page. Appended to `ret`. */
void cu_bag_safe(struct cu_span component, struct cu_buf *ret);
/** `dir`/`component` (dir "": at the top), safe and not taken yet, as text in `ret`. *ret_same: it is the name itself. */
CU_MUST_USE cu_status cu_bag_name(struct cu_bag_names *names, const char *dir, struct cu_span component, struct cu_buf *ret, bool *ret_same, struct cu_err *err);
/** A name as names.txt writes it: %XX for what could not stand there. */
void cu_bag_original(struct cu_span name, struct cu_buf *ret);
/** Folded as names are compared: FNV-1a over the letters in lower case. */
uint64_t cu_bag_fold(struct cu_span path);
/** Mark a path as given; false when it is taken. */
CU_MUST_USE cu_status cu_bag_take(struct cu_bag_names *names, struct cu_span path, bool *ret_free, struct cu_err *err);

/* ---- reading (bag.c, bag_judge.c) ---- */
/** "data/<stem>[.item-<n>].bytes-<first>-<last>": a part of that exhibit. */
struct cu_bag_part_name { struct cu_span stem; uint64_t first, last; };
bool cu_bag_part(struct cu_span path, struct cu_bag_part_name *ret);
/** A bag that lies as a folder; `source` outlives it. */
CU_MUST_USE cu_status cu_bag_folder(const struct cu_source *source, const char *path, struct cu_package *ret, struct cu_err *err);

/** One file of a bag, read once. */
struct cu_bag_file {
    struct cu_span path;   /* in the bag's memory */
    uint64_t size;
    cu_hash sha256, root;  /* root: of files below data/ */
    struct cu_part *part;  /* of a file that is named as a part: see CU_BAG_BYTES */
    struct cu_buf kept;    /* what judging needs: receipts, manifests, lists */
    bool listed, used;     /* in a manifest; by an exhibit */
};
struct cu_bag {
    struct cu_bag_file *file; /* by path */
    size_t n, cap;
    uint64_t kept, bytes;
    const struct cu_progress *progress;
    struct cu_buf other;      /* path of the first thing that is no file; n == 0: none */
};
/** Read everything once. */
CU_MUST_USE cu_status cu_bag_read(struct cu_package *package, const struct cu_progress *progress, struct cu_bag *ret, struct cu_err *err);
void cu_bag_free(struct cu_bag *bag);
struct cu_bag_file *cu_bag_find(const struct cu_bag *bag, struct cu_span path);

/** A deposit that a bag has a receipt of. */
struct cu_bag_exhibit { cu_hash network, id; char stem[120]; };
struct cu_bag_request {
    struct cu_package *package;
    struct cu_span trust_text;  /* the reader's; n == 0: none pinned */
    bool own_trust;             /* then believe the bag's: it may fit together, whoever made it */
    struct cu_progress progress;
    struct cu_verifier *verifier;
    uint8_t *scratch;           /* CU_VERIFY_SCRATCH bytes */
    const char *path;           /* as people called it */
    void (*exhibit)(void *arg, const struct cu_bag_exhibit *e); /* told each deposit; may be NULL */
    void (*file)(void *arg, const struct cu_bag_file *f);       /* and each file that was judged */
    void *arg;
};
/** Judge a bag; lines, verdicts and sentence go to `out` as people read them, or as JSON. CU_OK whatever the verdicts are. */
CU_MUST_USE cu_status cu_bag_judge(const struct cu_bag_request *r, bool json, struct cu_buf *out, int *ret_exit, struct cu_err *err);

#endif
