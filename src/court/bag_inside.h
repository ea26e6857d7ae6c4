/* Judging a bag: what is compared (bag_checks.c) and what is said of it (bag_judge.c). */
#ifndef CU_COURT_BAG_INSIDE_H
#define CU_COURT_BAG_INSIDE_H

#include "custody/json.h"
#include "custody/text.h"
#include "court/bag.h"

#define CU_BAG_LINES 2000 /* that are shown; the rest is counted */
#define CU_BAG_CASES 5    /* that the sentence names */
#define CU_BAG_MISSING 10 /* exhibits, likewise */
enum { CU_BAG_NAME = 4 * CU_NAME_SHOWN + 4, CU_BAG_PATH = 4 * CU_PATH_SHOWN + 4, CU_BAG_WORDS = 2400 };

/* A deposit of this bag. */
struct cu_bag_row {
    cu_hash id;
    bool disclosed;
    char stem[120];
};
struct cu_bag_inventory {
    const struct cu_bag_file *receipt;
    cu_hash root;
    uint64_t n;
    char case_name[132];
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
    struct cu_bag_why { char en[CU_BAG_WORDS], zh[CU_BAG_WORDS]; } why[CU_VERDICTS];
    char ledger[CU_BAG_NAME], recipient[CU_BAG_NAME], called[CU_BAG_PATH]; /* called: the exhibit that is looked at */
    struct cu_buf cases, missing; /* names for the sentence, each with a NUL behind it */
    uint64_t cases_n, missing_n;
    cu_hash network;
    bool one_keeper, copies_missing;
    cu_unix_ms as_of;
};

/** Names as people may be shown them, of parties, cases and ledgers, and of files. */
const char *cu_bag_name_shown(struct cu_span name, char ret[CU_BAG_NAME]);
const char *cu_bag_path_shown(struct cu_span path, char ret[CU_BAG_PATH]);
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
