/* An exported case on its way out: what its files share. docs/formats/bag.md. */
#ifndef CU_COURT_EXPORT_H
#define CU_COURT_EXPORT_H

#include "ports/paper.h"
#include "court/bag.h"
#include "service/service.h"

#define CU_PARTS_MAX 16 /* of one exhibit in one export */
#define CU_ABOUT_MAX 256 /* grants of one exhibit, answers to one notice */

struct cu_export_part { uint64_t first, last; struct cu_span item; }; /* item: its path in a folder; n == 0: the exhibit is one */
struct cu_export_exhibit {
    cu_seq seq;
    cu_hash id;
    cu_case_id case_id;
    char name[256], stem[120]; /* "C1/3", "C1-3" */
    bool content, sealed, answers;
    cu_hash notice;              /* that it answers */
    struct cu_buf receipt; /* when a certificate is made of it */
    size_t parts_n;
    struct cu_export_part part[CU_PARTS_MAX];
};
struct cu_export_case { cu_case_id id; char name[208], stem[120]; cu_seq inventory; };

struct cu_export_request {
    const char *const *names;  /* cases and exhibits */
    size_t n;
    struct cu_span recipient, purpose, authority; /* n == 0: not said */
    bool no_content;
    struct cu_span only;       /* exhibits between commas: of these alone the bytes go along */
    struct cu_span parts;      /* ID[/PATH]:FIRST-LAST between commas: of these a part goes along */
    const struct cu_press *press; /* sets the certificate; NULL: there is none */
    struct cu_span page;       /* verify.html; n == 0: there is none */
};
struct cu_exported {
    uint64_t exhibits, whole, parts, files, bytes, disclosures;
    cu_hash disclosure;        /* id of the first */
    cu_unix_ms time;           /* that they are recorded by */
    bool no_pdf;               /* a font is missing: the certificate is there as HTML alone */
    bool damaged;              /* a copy of the provider's was, and the node's was taken */
    struct cu_err chain;       /* keys changed, and why their chain of trust could not be made; status OK: it was, or there is none */
};

/** Write a package of these into `out` and finish it: evidence re-verified on its way, receipts, lists; the *disclosure* is recorded before
 *  the package gets its name. Needs a place with an engine. COPIES_MISSING: an exhibit has no receipt yet. */
CU_MUST_USE cu_status cu_export(struct cu_place *p, const struct cu_export_request *r, struct cu_package_out *out, struct cu_exported *ret, struct cu_err *err);

/* ---- inside (export_*.c) ---- */
struct cu_export {
    struct cu_place *p;
    const struct cu_export_request *r;
    struct cu_package_out *out;
    struct cu_exported told;
    struct cu_bag_names names;
    bool sealed;                       /* some of the evidence that goes along is */
    struct cu_export_exhibit *exhibit; /* by position */
    size_t n, cap;
    struct cu_export_case *cases;
    size_t cases_n;
    cu_seq *disclosure;
    struct cu_buf payload, tags, renamed; /* the manifests, names.txt */
    uint64_t payload_files, payload_bytes;
};

/** One file of the package: begin, add, end; its digest goes into the manifest that it belongs to. */
struct cu_export_file { struct cu_export *x; char path[600]; struct cu_digest digest; uint64_t at, skip; cu_status broken; }; /* broken: the package took no more */
CU_MUST_USE cu_status cu_export_begin(struct cu_export *x, const char *path, uint64_t size, struct cu_export_file *ret, struct cu_err *err);
CU_MUST_USE cu_status cu_export_add(struct cu_export_file *f, struct cu_span bytes, struct cu_err *err);
CU_MUST_USE cu_status cu_export_end(struct cu_export_file *f, struct cu_err *err);
CU_MUST_USE cu_status cu_export_put(struct cu_export *x, const char *path, struct cu_span bytes, struct cu_err *err);

CU_MUST_USE cu_status cu_export_evidence(struct cu_export *x, const struct cu_export_exhibit *e, struct cu_err *err); /* export_evidence.c */
/** For people: the trail as CSV and JSON, the case as CASE/UCO (export_words.c, export_uco.c). */
CU_MUST_USE cu_status cu_export_trail(struct cu_export *x, struct cu_err *err);
CU_MUST_USE cu_status cu_export_uco(struct cu_export *x, struct cu_err *err);
CU_MUST_USE cu_status cu_export_paper(struct cu_export *x, struct cu_err *err); /* README.txt, certificate (export_paper.c) */
/** Each entry of the trail of what is exported, in log order, with the exhibit that it is about ("" when none alone). */
typedef cu_status cu_export_step(void *arg, const struct cu_index_row *row, const char *exhibit, struct cu_err *err);
CU_MUST_USE cu_status cu_export_each_step(struct cu_export *x, cu_export_step *step, void *arg, struct cu_err *err);

#endif
