/* A simulated life of a whole ledger, played from one seed: the real service, engine, ledger and stores over a file system in
 * memory, with a clock that jumps and everything that may go wrong with a disk.
 *
 * A turn is what one process does: open, an act or three, close; something may go wrong at any call. Then, or some turns and
 * mishaps later, the ledger is judged:
 *
 * (1) whatever was acknowledged stands where it stood, byte for byte, and its receipt verifies;
 * (2) the log's root at every size that a checkpoint was ever seen for is still that checkpoint's;
 * (3) the next deposit works, and its receipt verifies;
 * (4) damage at rest is noticed, mended from the other copy, and never believed;
 * (5) now and then, and at the end: `check` derives everything again and finds nothing, and nothing half done is visible.
 *
 * The same seed is the same life, call by call: chance.c sees to OpenSSL and threads.
 */
#ifndef TESTS_SIMULATION_LIFE_H
#define TESTS_SIMULATION_LIFE_H

#include "../fault/service_world.h"

#define LIFE_CLAIMS 12u
#define LIFE_CASES 6u
#define LIFE_ENTRIES 1500u /* about where a life ends */

/* What happened in all lives. */
enum mishap { POWER_LOST, KILLED, IO_ERROR, NO_SPACE, SHORT_WRITE, DISK_FULL, READ_ONLY, BIT_FLIPPED, CLOCK_JUMPED, MISHAPS };
struct tally {
    uint64_t lives, turns, steps, acknowledged, judged, mishap[MISHAPS], lost;
};
uint64_t tally_mishaps(const struct tally *t);

struct claim {
    const char *path; /* NULL: none */
    struct cu_buf file;
    uint64_t serial;
    bool voided, settled;
};

struct life {
    struct service_world *w;
    struct tally *tally;
    uint64_t seed, dice, turn;
    const char *act; /* what is under way */
    bool tells, broken;   /* broken: what must never be was seen by an act */

    /* what is known of the log */
    cu_hash *leaf, *root; /* by position, by size; zero: unknown */
    size_t cap, promises_seen, points_seen;
    uint64_t end;         /* behind the highest acknowledged */

    /* what people have in their hands */
    char **paths;
    size_t paths_n;
    struct claim claim[LIFE_CLAIMS];
    char cases[LIFE_CASES][16];
    char notices[LIFE_CASES][16]; /* numbers */
    unsigned cases_n, notices_n, names;
};

/* chance */
void chance_begin(uint64_t seed); /* OpenSSL draws from here on what this seed gives */
uint64_t roll(struct life *l);
uint64_t below(struct life *l, uint64_t n);
bool chance(struct life *l, unsigned percent);

/* acts: on a ledger that is open for writing. What is refused as it should be is OK. */
cu_status act_some(struct life *l, struct cu_err *err);
/* The same as processes of their own: reads, check, reindex. */
cu_status act_alone(struct life *l, struct cu_err *err);
const char *made_path(struct life *l, const char *kinds);

/* judging: NULL, or what is wrong */
const char *life_learn(struct life *l); /* takes what was promised into the book */
const char *life_knows(struct life *l, cu_seq seq, const cu_hash *leaf);
const char *life_judge(struct life *l);
const char *life_check(struct life *l);

/* damage at rest (rot.c) */
struct file_list {
    const struct cu_fs *fs;
    struct cu_buf names; /* each with its NUL */
    size_t n;
};
void files_under(struct file_list *list, const char *dir);
const char *file_at(const struct file_list *list, size_t i);
void files_free(struct file_list *list);
const char *life_rots(struct life *l);

/* what goes wrong */
void arm(struct life *l, uint64_t effects);
void disarm(struct life *l); /* counts what struck; what is under way ends as it may */
void life_begin(struct life *l, uint64_t seed, struct tally *tally);
void life_end(struct life *l);
/** The whole life. NULL, or what is wrong. */
const char *life_play(uint64_t seed, struct tally *tally);

#define SAY_MAX 1600
extern char life_sentence[SAY_MAX];
#define SOUND(cond, ...)                                            \
    do {                                                            \
        if (!(cond)) {                                              \
            snprintf(life_sentence, SAY_MAX, __VA_ARGS__);          \
            return life_sentence;                                   \
        }                                                           \
    } while (0)
#define MUST(call, what)                                                                                        \
    do {                                                                                                        \
        cu_status must_ = (call);                                                                               \
        SOUND(must_ == CU_OK, "%s: %s: %s", what, cu_status_name(must_), err.text);                             \
    } while (0)
#define SO(call)                     \
    do {                             \
        const char *wrong_ = (call); \
        if (wrong_) return wrong_;   \
    } while (0)

#endif
