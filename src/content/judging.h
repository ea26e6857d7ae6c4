/* Many files of one store judged side by side, told in the order in which they were asked for, in the caller's thread. A long
 * object is read by four lanes (scan.h); of shorter ones each lane takes a whole file, so that none waits for another's end. */
#ifndef CU_CONTENT_JUDGING_H
#define CU_CONTENT_JUDGING_H

#include "content/judge.h"

/** `size` as far as it is known before (0: not); `side`: the asker's own. */
struct cu_judge_job { bool large, side; cu_hash name; uint64_t size; struct cu_judged judged; };

struct cu_judging;
CU_MUST_USE cu_status cu_judging_begin(struct cu_objects *s,
                                       cu_status (*told)(void *arg, const struct cu_judge_job *job, struct cu_err *err),
                                       void (*progress)(void *arg, uint64_t bytes), cu_object_about about, void *arg,
                                       struct cu_judging **ret, struct cu_err *err);
CU_MUST_USE cu_status cu_judging_add(struct cu_judging *j, const struct cu_judge_job *job, struct cu_err *err);
CU_MUST_USE cu_status cu_judging_end(struct cu_judging *j, struct cu_err *err); /* all that were added have been told */
void cu_judging_free(struct cu_judging *j);
static inline void cu_judging_cleanup(struct cu_judging **j) { cu_judging_free(*j); }

#endif
