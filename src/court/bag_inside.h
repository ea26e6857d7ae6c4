/* Judging a bag: what is compared (bag_checks.c) and what is said of it (bag_judge.c). */
#ifndef CU_COURT_BAG_INSIDE_H
#define CU_COURT_BAG_INSIDE_H

#include "custody/json.h"
#include "court/bag.h"

#define CU_BAG_LINES 2000 /* of each sort that are shown; the rest is counted */

/* A deposit of this bag. */
struct cu_bag_row {
    cu_hash id;
    uint64_t number; /* in its case, proven by an inventory; 0: not */
    bool disclosed;
    char stem[120];
};
struct cu_bag_inventory {
    const struct cu_bag_file *receipt;
    cu_hash root;
    uint64_t n;
    char case_name[120];
};
/* A deposit that was given out; told: an inventory named it. */
struct cu_bag_given {
    cu_hash id;
    bool told;
};
/* A line of names.txt. */
struct cu_bag_renamed {
    struct cu_span path, stem, original;
};

struct cu_bag_judging {
    const struct cu_bag_request *r;
    struct cu_bag bag;
    struct cu_trust trust;
    struct cu_span trust_text; /* what is believed */
    struct cu_report *report;
    bool json;
    struct cu_buf lines, told;
    struct cu_json j, t;
    uint64_t lines_n, failures, receipts, here, parts, by_reference;
    struct cu_bag_row *exhibit;
    size_t exhibits, exhibits_cap;
    struct cu_bag_inventory *inventory;
    size_t inventories;
    struct cu_bag_given *given;
    size_t given_n;
    struct cu_bag_renamed *renamed;
    size_t renamed_n;
    enum cu_verdict verdict[CU_VERDICTS];
    struct cu_bag_why { char en[700], zh[700]; } why[CU_VERDICTS];
    char cases[300], ledger[140], recipient[140], missing[400];
    cu_hash network;
    bool any, one_keeper, copies_missing;
    cu_unix_ms as_of;
};

/** One line, in two languages with the same arguments. A FAIL makes integrity FAIL, unless it is about a signer. */
void cu_bag_say(struct cu_bag_judging *g, enum cu_verdict verdict, const char *what, struct cu_span where, const char *en, const char *zh, ...)
    CU_PRINTF(5, 7) CU_PRINTF(6, 7);
void cu_bag_say_two(struct cu_bag_judging *g, enum cu_verdict verdict, const char *what, struct cu_span where, const char *text, const char *text_zh);
/** Everything, in the order of the format's page; the bag is read. */
CU_MUST_USE cu_status cu_bag_check(struct cu_bag_judging *g, struct cu_err *err);
/** A deposit, for scripts. */
void cu_bag_tell(struct cu_bag_judging *g, const struct cu_bag_row *e, const struct cu_report *r, const char *state);
void cu_bag_judging_free(struct cu_bag_judging *g);

#endif
