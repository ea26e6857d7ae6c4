/* The certificate: what a court asks of electronic evidence, as a document (ports/paper.h) in two languages. Its facts come from
 * receipts that the verifier judged and from the trail, nothing else; each stands beside where it is proven, and what is not proven
 * is said to be so. */
#ifndef CU_COURT_CERTIFICATE_H
#define CU_COURT_CERTIFICATE_H

#include "court/draft.h"
#include "service/service.h"

struct cu_certificate_exhibit {
    cu_seq seq;
    const char *name;     /* "C1/3" */
    const char *receipt;  /* where its reader finds the receipt: a file's name or path */
    const char *evidence; /* and the bytes, compared with the record on their way there; NULL: they are not with it */
    struct cu_span bytes; /* the receipt itself; n == 0: it is made anew */
};
/** Exhibits by position. COPIES_MISSING: one has no receipt yet. */
CU_MUST_USE cu_status cu_certificate(struct cu_place *p, const struct cu_certificate_exhibit *exhibit, size_t n, struct cu_draft *ret, struct cu_err *err);
/** What a QR code says of a statement: network words, id, leaf (docs/formats/network-words.md). */
void cu_qr_text(const cu_hash *network, const cu_hash *id, const cu_hash *leaf, struct cu_buf *out);

/* ---- inside (certificate*.c) ---- */
struct cu_certified {
    const struct cu_certificate_exhibit *what;
    struct cu_report *report;
    struct cu_found found;
    struct cu_buf receipt;
    uint8_t *scratch;
    struct cu_details_deposit details;
    bool has_details;
};
/* What overview and forms repeat of an exhibit; texts lie in the draft. */
struct cu_cert_summary {
    struct cu_index_row row; /* its texts are gone */
    struct cu_span exhibit, name, media, category, format, digests;
    uint64_t bytes;
    cu_unix_ms recorded;
    enum cu_verdict verdict[CU_VERDICTS];
    bool one_keeper;
    cu_size size; /* of the log that its receipt speaks of, and root */
    cu_hash root;
};
struct cu_certifying {
    struct cu_place *p;
    struct cu_draft *d;
    const struct cu_certificate_exhibit *what;
    size_t n;
    struct cu_cert_summary *summary; /* n of them */
    cu_unix_ms newest; /* of all times at which something here was recorded */
};
/** One exhibit's receipt, made and judged. */
CU_MUST_USE cu_status cu_certify(struct cu_certifying *c, size_t i, struct cu_certified *ret, struct cu_err *err);
void cu_certified_free(struct cu_certified *e);

/** A form of three columns: statement, value, where it is proven. */
void cu_cert_form(struct cu_certifying *c, const char *caption_en, const char *caption_zh);
void cu_cert_row(struct cu_certifying *c, const char *en, const char *zh, struct cu_paper_text value, struct cu_paper_text proof);
void cu_cert_hash(struct cu_certifying *c, const char *en, const char *zh, const cu_hash *value, struct cu_paper_text proof);
/** "entry 6 · inclusion": a position, and checks of the exhibit's receipt by name ("": none). */
struct cu_paper_text cu_cert_proof(struct cu_certifying *c, cu_seq seq, const char *checks);
struct cu_paper_text cu_cert_word(struct cu_certifying *c, cu_seq seq); /* what a signer said, bound by his signature */
/** "Officer Li, District Police". */
struct cu_paper_text cu_cert_holder(struct cu_certifying *c, const cu_hash *kid);

/** Who signed a statement that stands at `seq`, with which key, and when by his own clock. */
void cu_cert_signer(struct cu_certifying *c, cu_seq seq, const char *en, const char *zh, const struct cu_statement *by, uint64_t time);
/* certificate_around.c: nothing is put where it is not sealed, or answers no notice */
CU_MUST_USE cu_status cu_cert_sealed(struct cu_certifying *c, const struct cu_certified *e, struct cu_err *err);
CU_MUST_USE cu_status cu_cert_notice(struct cu_certifying *c, const struct cu_certified *e, struct cu_err *err);
CU_MUST_USE cu_status cu_cert_exhibit(struct cu_certifying *c, size_t i, struct cu_err *err);   /* certificate_exhibit.c */
CU_MUST_USE cu_status cu_cert_trail(struct cu_certifying *c, struct cu_err *err);               /* certificate_trail.c */
void cu_cert_process(struct cu_certifying *c);                                                  /* certificate_forms.c */
void cu_cert_forms(struct cu_certifying *c);

#endif
