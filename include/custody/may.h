/* Who may do what: every role against every act, in one table. What does not stand here as 1 is denied: unknown roles, unknown acts,
 * several roles at once.
 *
 * The ledger asks it before each statement and each enrolment, and so does whoever judges a receipt. docs/formats/entry.md has the same table
 * for people; a test compares them, and tries each of its fields on a ledger.
 */
#ifndef CUSTODY_MAY_H
#define CUSTODY_MAY_H

#include "custody/entry.h"

/* act, its number (of a statement: its kind's; of a claim that names a notice, of its outcome, and of a stored with its field held, 64 more), what it is; then depositor, provider, organisation, reader, auditor, operator,
 * administrator, node. To enrol is to give, to take the place of and to revoke keys of a party of that role. */
#define CU_ACT_TABLE(X)                                                            \
    X(CONFIRM, 3, "say confirm",                         0, 0, 1, 0, 0, 0, 0, 0)   \
    X(CASE, 4, "say case",                               1, 0, 1, 0, 0, 0, 0, 0)   \
    X(CLAIM, 5, "say claim",                             1, 0, 0, 0, 0, 0, 0, 0)   \
    X(DEPOSIT, 6, "say deposit",                         0, 1, 0, 0, 0, 0, 0, 0)   \
    X(REFUSAL, 7, "say refusal",                         0, 1, 0, 0, 0, 0, 0, 0)   \
    X(VOID, 8, "say void",                               1, 0, 0, 0, 0, 0, 0, 0)   \
    X(STORED, 9, "say stored",                           0, 0, 1, 0, 0, 0, 0, 1)   \
    X(INCIDENT, 10, "say incident",                      0, 0, 1, 0, 0, 0, 0, 1)   \
    X(CORRECTION, 11, "say correction",                  1, 0, 1, 0, 0, 0, 0, 0)   \
    X(ACCESS, 12, "say access",                          0, 0, 1, 0, 0, 0, 0, 1)   \
    X(INVENTORY, 13, "say inventory",                    1, 0, 1, 0, 1, 0, 0, 0)   \
    X(DISCLOSURE, 14, "say disclosure",                  1, 0, 1, 0, 0, 0, 0, 0)   \
    X(MEMBER, 15, "say member",                          0, 0, 1, 0, 0, 0, 1, 0)   \
    X(GRANT, 16, "say grant",                            1, 0, 1, 0, 0, 0, 0, 0)   \
    X(TIMEOUT, 17, "say timeout",                        0, 0, 1, 0, 0, 0, 0, 1)   \
    X(NOTICE, 18, "say notice",                          1, 0, 1, 0, 0, 0, 0, 0)   \
    X(ACKNOWLEDGE, 19, "say acknowledge",                0, 1, 0, 0, 0, 0, 0, 0)   \
    X(ANSWER, 20, "say answer",                          0, 1, 0, 0, 0, 0, 0, 0)   \
    X(ANSWER_CLAIM, 69, "claim against a notice",        0, 1, 0, 0, 0, 0, 0, 0)   \
    X(ANSWER_DEPOSIT, 70, "accept against a notice",     1, 0, 1, 0, 0, 0, 0, 0)   \
    X(ANSWER_REFUSAL, 71, "refuse against a notice",     1, 0, 1, 0, 0, 0, 0, 0)   \
    X(HELD, 73, "say anew how it is held",               0, 1, 0, 0, 0, 0, 0, 0)   \
    X(ENROL_DEPOSITOR, 129, "enrol depositor",           0, 0, 1, 0, 0, 0, 1, 0)   \
    X(ENROL_PROVIDER, 130, "enrol provider",             0, 0, 1, 0, 0, 0, 1, 0)   \
    X(ENROL_ORGANISATION, 132, "enrol organisation",     0, 0, 1, 0, 0, 0, 0, 0)   \
    X(ENROL_READER, 136, "enrol reader",                 0, 0, 1, 0, 0, 0, 1, 0)   \
    X(ENROL_AUDITOR, 144, "enrol auditor",               0, 0, 1, 0, 0, 0, 1, 0)   \
    X(ENROL_OPERATOR, 160, "enrol operator",             0, 0, 1, 0, 0, 0, 1, 0)   \
    X(ENROL_ADMINISTRATOR, 192, "enrol administrator",   0, 0, 1, 0, 0, 0, 0, 0)   \
    X(ENROL_NODE, 256, "enrol node",                     0, 0, 1, 0, 0, 0, 1, 0)

#define CU_ACT_ENUM(act, num, text, d, p, o, r, a, op, ad, n) CU_ACT_##act = (num),
enum cu_act { CU_ACT_TABLE(CU_ACT_ENUM) };
#undef CU_ACT_ENUM

/** What saying a statement of `kind` is; of a claim, or of an outcome of one, `claim` is that claim (NULL: none). */
static inline unsigned cu_act_say(enum cu_kind kind, const struct cu_claim *claim)
{
    return claim && claim->has_notice ? (unsigned)kind | 64u : (unsigned)kind;
}
/** What saying this statement is, around that claim (NULL: none). */
static inline unsigned cu_act_of(const struct cu_statement *st, const struct cu_claim *claim)
{
    return st->kind == CU_KIND_STORED && st->body.stored.has_held ? CU_ACT_HELD : cu_act_say(st->kind, claim);
}
/** May a party of `role` do it? */
bool cu_may(uint64_t role, unsigned act);
/** The act of enrolling keys of a party of `role`; 0 for what is no role. */
unsigned cu_act_enrol(uint64_t role);
const char *cu_role_name(uint64_t role); /* "depositor"; NULL for what is no role */
uint64_t cu_role_by_name(struct cu_span name); /* 0 when unknown */

#endif
