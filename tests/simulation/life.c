/* Turn by turn. */
#include "life.h"

#include <stdio.h>
#include <stdlib.h>

uint64_t tally_mishaps(const struct tally *t)
{
    uint64_t n = 0;

    for (int i = 0; i < MISHAPS; i++) n += t->mishap[i];
    return n;
}

/* ---- what goes wrong ---- */

static uint64_t soon(struct life *l, uint64_t most)
{
    const unsigned how = (unsigned)below(l, 10);

    return how < 3 ? below(l, 8) : how < 7 ? below(l, 1 + most / 3) : below(l, most);
}

void arm(struct life *l, uint64_t effects)
{
    static const enum cu_fault faults[] = { CU_FAULT_IO, CU_FAULT_NO_SPACE, CU_FAULT_SHORT, CU_FAULT_FULL, CU_FAULT_READ_ONLY };
    struct cu_faulty *f = &l->w->faulty;

    if (chance(l, 55)) {
        f->stop_after = f->effects + soon(l, effects);
        return;
    }
    f->fault = faults[below(l, sizeof faults / sizeof *faults)];
    f->fail_call = f->calls + 1 + soon(l, 3 * effects);
}

static void lose_power(struct life *l)
{
    const uint64_t how = below(l, 4);

    l->tally->mishap[POWER_LOST]++;
    sw_crash(l->w, how == 0 ? 0 : how == 1 ? 1 : roll(l) | 2);
}

void disarm(struct life *l)
{
    static const enum mishap mishaps[] = { [CU_FAULT_IO] = IO_ERROR,
                                           [CU_FAULT_NO_SPACE] = NO_SPACE,
                                           [CU_FAULT_SHORT] = SHORT_WRITE,
                                           [CU_FAULT_FULL] = DISK_FULL,
                                           [CU_FAULT_READ_ONLY] = READ_ONLY };
    const struct cu_faulty *f = &l->w->faulty;
    const bool stopped = f->stopped;

    if (f->failed) l->tally->mishap[mishaps[f->fault]]++;
    if (stopped && chance(l, 20)) { /* the process alone ended: the page cache lives on */
        l->tally->mishap[KILLED]++;
        sw_restart(l->w);
    } else if (stopped || chance(l, 15)) lose_power(l);
    else sw_restart(l->w);
}

static void jump(struct life *l)
{
    static const uint64_t paces[] = { 0, 1, 3, 1000, 60000 },
                          jumps[] = { 1, 1000, 3600000, UINT64_C(86400000) * 30, UINT64_C(86400000) * 3650 };
    const uint64_t by = jumps[below(l, 5)];

    l->tally->mishap[CLOCK_JUMPED]++;
    l->w->pace = paces[below(l, 5)];
    if (chance(l, 50)) l->w->clock = l->w->clock > by ? l->w->clock - by : 0;
    else if (l->w->clock < UINT64_C(86400000) * 36500) l->w->clock += by;
}

/* ---- a turn ---- */

static cu_status some_acts(struct life *l, struct cu_err *err)
{
    TRY(sw_open(l->w, SW_WRITE, err));
    for (uint64_t n = 1 + below(l, 3); n > 0; n--) TRY(act_some(l, err));
    return sw_close(l->w, err);
}

/* Recovery, cut short as well. */
static void recover(struct life *l)
{
    struct cu_err err = { 0 };

    arm(l, 40);
    l->act = "recovery";
    const cu_status status = sw_open(l->w, SW_WRITE, &err);
    (void)status;
    disarm(l);
}

static const char *turn(struct life *l)
{
    const bool armed = chance(l, 92);
    struct cu_err err = { 0 };

    l->tally->turns++;
    if (chance(l, 6)) jump(l);
    if (chance(l, 2)) return life_rots(l);
    if (armed) arm(l, 250);
    const cu_status status = chance(l, 85) ? some_acts(l, &err) : act_alone(l, &err);
    const bool struck = l->w->faulty.stopped || l->w->faulty.failed;
    if (l->tells)
        fprintf(stderr, "%llu: %s: %s%s%s\n", (unsigned long long)l->turn, l->act, cu_status_name(status),
                struck ? ", struck" : "", status == CU_OK ? "" : err.text);
    if (l->broken) return life_sentence;
    SOUND(status == CU_OK || struck, "nothing went wrong, and yet: %s: %s", cu_status_name(status), err.text);
    SOUND(status == CU_OK || err.text[0], "%s without a word", cu_status_name(status));
    disarm(l);
    SO(life_learn(l));
    for (int i = 0; i < 6 && struck && chance(l, 60); i++) recover(l);
    if (chance(l, struck ? 45 : 10)) SO(life_judge(l));
    return chance(l, 1) ? life_check(l) : NULL;
}

/* ---- a life ---- */

static const char *play(struct life *l)
{
    const uint64_t turns = 40 + below(l, 260);
    struct cu_err err = { 0 };

    l->act = "init";
    while (chance(l, 30)) { /* begun again until it is whole */
        arm(l, 120);
        const cu_status status = sw_create(l->w, &err);
        const bool whole = status == CU_OK;
        l->w->rotten = !whole; /* nobody was told of an attempt */
        disarm(l);
        l->w->rotten = false;
        if (whole || cu_fs_exists(&l->w->memory, CU_FILE_FORMAT)) break;
    }
    if (!cu_fs_exists(&l->w->memory, CU_FILE_FORMAT)) MUST(sw_create(l->w, &err), "init");
    SO(life_judge(l));
    for (l->turn = 1; l->turn <= turns && l->end < LIFE_ENTRIES; l->turn++) SO(turn(l));
    SO(life_learn(l));
    l->act = "the last judgement";
    return sw_judge(l->w);
}

void life_begin(struct life *l, uint64_t seed, struct tally *tally)
{
    *l = (struct life){ .w = sw_new(), .tally = tally, .seed = seed, .dice = seed, .tells = getenv("CUSTODY_TELL") != NULL };
    chance_begin(seed);
    l->w->chance ^= seed << 1;
    tally->lives++;
}

void life_end(struct life *l)
{
    l->tally->steps += l->w->steps + l->w->faulty.calls;
    sw_free(l->w);
    free(l->leaf);
    free(l->root);
    for (size_t i = 0; i < l->paths_n; i++) free(l->paths[i]);
    free(l->paths);
    for (size_t i = 0; i < LIFE_CLAIMS; i++) cu_buf_free(&l->claim[i].file);
}

const char *life_play(uint64_t seed, struct tally *tally)
{
    static char said[SAY_MAX + 200];
    struct life l;

    life_begin(&l, seed, tally);
    const char *wrong = play(&l);
    if (wrong)
        snprintf(said, sizeof said, "CUSTODY_SEED=%llu (turn %llu, %s): %s", (unsigned long long)seed, (unsigned long long)l.turn,
                 l.act, wrong);
    life_end(&l);
    return wrong ? said : NULL;
}
