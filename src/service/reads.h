/* Who reads, noted by a server that many read from at once. See reads.c. */
#ifndef CU_SERVICE_READS_H
#define CU_SERVICE_READS_H

#include "service/service.h"

#include <pthread.h>

struct cu_reads { struct cu_place *p; pthread_mutex_t lock; struct cu_file *file[2]; uint64_t at[2]; unsigned now; };
CU_MUST_USE cu_status cu_reads_open(struct cu_place *p, struct cu_reads **ret, struct cu_err *err);
/** What a process left that was killed goes into the outbox: before anything of it is flushed. */
CU_MUST_USE cu_status cu_reads_recover(struct cu_place *p, struct cu_err *err);
/** Any thread, at once. TOO_LARGE: it is not kept, for as many wait as may. */
CU_MUST_USE cu_status cu_reads_note(struct cu_reads *r, const struct cu_access_row *row, struct cu_err *err);
/** What was noted is durable, and `cu_access_flush` finds it. */
CU_MUST_USE cu_status cu_reads_fold(struct cu_reads *r, struct cu_err *err);
void cu_reads_close(struct cu_reads *r); /* NULL is fine */

#endif
