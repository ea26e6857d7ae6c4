/* The first few files are judged by the caller's thread: most batches have no more, and need no crew. */
#include "content/judging.h"

#include "content/crew.h"

#include <stdlib.h>

enum { SLOTS = 8, LANES = 4, FIRST = 4, LONG = 32 * CU_CHUNK_BYTES };

struct lane {
    struct cu_judging *judging;
    struct cu_scan *scan; /* without threads of its own */
};

struct cu_judging {
    struct cu_objects *s;
    cu_status (*told)(void *arg, const struct cu_judge_job *job, struct cu_err *err);
    void (*progress)(void *arg, uint64_t bytes);
    cu_object_about about;
    void *arg;
    struct cu_scan *scan; /* the caller's */
    struct cu_crew *crew;
    struct lane lane[LANES];
    struct cu_judge_job job[SLOTS];
    uint64_t asked, told_n; /* asked: of the first few */
};

static cu_status judge(struct cu_judging *j, struct cu_scan *scan, struct cu_judge_job *job, struct cu_err *err)
{
    cu_status status = CU_OK;

    job->judged.unread = true;
    for (int tries = 0; tries < 2 && job->judged.unread && status == CU_OK; tries++) {
        cu_pack_rows_free(&job->judged.rows);
        status = job->large ? cu_judge_large(scan, j->s, &job->name, &job->judged, err)
                            : cu_judge_pack(scan, j->s, &job->name, j->about, &job->judged, err);
    }
    return status;
}

static cu_status judge_slot(void *arg, size_t n, struct cu_err *err)
{
    struct lane *lane = arg;
    return judge(lane->judging, lane->scan, &lane->judging->job[n], err);
}

cu_status cu_judging_begin(struct cu_objects *s, cu_status (*told)(void *arg, const struct cu_judge_job *job, struct cu_err *err),
                           void (*progress)(void *arg, uint64_t bytes), cu_object_about about, void *arg, struct cu_judging **ret,
                           struct cu_err *err)
{
    CU_CLEANUP(cu_judging_cleanup) struct cu_judging *j = calloc(1, sizeof *j);

    ENSURE(j, err, CU_NO_MEMORY, "no memory to read a store");
    *j = (struct cu_judging){ .s = s, .told = told, .progress = progress, .about = about, .arg = arg };
    TRY(cu_scan_new(true, &j->scan, err));
    *ret = j;
    j = NULL;
    return CU_OK;
}

void cu_judging_free(struct cu_judging *j)
{
    if (!j) return;
    cu_crew_free(j->crew);
    for (unsigned i = 0; i < LANES; i++) cu_scan_free(j->lane[i].scan);
    for (unsigned i = 0; i < SLOTS; i++) cu_pack_rows_free(&j->job[i].judged.rows);
    cu_scan_free(j->scan);
    free(j);
}

static cu_status start_crew(struct cu_judging *j, struct cu_err *err)
{
    struct cu_lane lanes[LANES];

    for (unsigned i = 0; i < LANES; i++) {
        j->lane[i].judging = j;
        TRY(cu_scan_new(false, &j->lane[i].scan, err));
        lanes[i] = (struct cu_lane){ .work = judge_slot, .arg = &j->lane[i], .share = i, .of = LANES };
    }
    return cu_crew_new(lanes, LANES, SLOTS, true, &j->crew, err);
}

static cu_status tell(struct cu_judging *j, struct cu_judge_job *job, struct cu_err *err)
{
    if (j->progress) j->progress(j->arg, job->judged.size);
    cu_status status = j->told(j->arg, job, err);
    cu_pack_rows_free(&job->judged.rows);
    job->judged.rows = (struct cu_pack_rows){ 0 };
    return status;
}

static cu_status tell_next(struct cu_judging *j, struct cu_err *err)
{
    TRY(cu_crew_wait(j->crew, ~0u, j->told_n + 1, err));
    return tell(j, &j->job[j->told_n++ % SLOTS], err);
}

/* Those that the lanes have in hand come first. */
static cu_status judge_here(struct cu_judging *j, const struct cu_judge_job *job, struct cu_err *err)
{
    struct cu_judge_job here = *job;

    TRY(cu_judging_end(j, err));
    cu_status status = judge(j, j->scan, &here, err);
    if (status == CU_OK) return tell(j, &here, err);
    cu_pack_rows_free(&here.judged.rows);
    return status;
}

cu_status cu_judging_add(struct cu_judging *j, const struct cu_judge_job *job, struct cu_err *err)
{
    size_t n;

    if (job->size >= LONG || j->asked++ < FIRST) return judge_here(j, job, err);
    if (!j->crew) TRY(start_crew(j, err));
    if (cu_crew_submitted(j->crew) - j->told_n == SLOTS) TRY(tell_next(j, err));
    TRY(cu_crew_claim(j->crew, &n, err));
    j->job[n] = *job;
    cu_crew_submit(j->crew);
    return CU_OK;
}

cu_status cu_judging_end(struct cu_judging *j, struct cu_err *err)
{
    while (j->crew && j->told_n < cu_crew_submitted(j->crew)) TRY(tell_next(j, err));
    return CU_OK;
}
