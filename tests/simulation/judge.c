/* Is all as it was promised? */
#include "life.h"

#include <stdio.h>
#include <stdlib.h>

char life_sentence[SAY_MAX];
#define LLU(x) ((unsigned long long)(x))

/* ---- the book: what is known of the log ---- */

static void book_grow(struct life *l, uint64_t n)
{
    const size_t cap = n < 2 * l->cap ? 2 * l->cap : n + 1024;

    if (n < l->cap) return;
    l->leaf = realloc(l->leaf, cap * sizeof *l->leaf);
    l->root = realloc(l->root, cap * sizeof *l->root);
    CU_ASSERT(l->leaf && l->root);
    memset(l->leaf + l->cap, 0, (cap - l->cap) * sizeof *l->leaf);
    memset(l->root + l->cap, 0, (cap - l->cap) * sizeof *l->root);
    l->cap = cap;
}

const char *life_knows(struct life *l, cu_seq seq, const cu_hash *leaf)
{
    book_grow(l, seq.v + 1);
    SOUND(cu_hash_is_zero(&l->leaf[seq.v]) || cu_hash_eq(&l->leaf[seq.v], leaf),
          "two different entries were acknowledged at %llu", LLU(seq.v));
    l->leaf[seq.v] = *leaf;
    if (l->end < seq.v + 1) l->end = seq.v + 1;
    return NULL;
}

const char *life_learn(struct life *l)
{
    struct service_world *w = l->w;

    for (; l->promises_seen < w->promises_n; l->promises_seen++) {
        const struct sw_promise *p = &w->promise[l->promises_seen];
        if (!p->kind) continue;
        SO(life_knows(l, p->seq, &p->leaf));
        l->tally->acknowledged++;
    }
    for (; l->points_seen < w->points_n; l->points_seen++) {
        const struct sw_point *p = &w->point[l->points_seen];
        book_grow(l, p->size.v);
        SOUND(cu_hash_is_zero(&l->root[p->size.v]) || cu_hash_eq(&l->root[p->size.v], &p->root),
              "two checkpoints of size %llu were published", LLU(p->size.v));
        l->root[p->size.v] = p->root;
    }
    return NULL;
}

/* ---- (1) (2) every entry, every root ---- */

static const char *judge_log(struct life *l)
{
    struct cu_log *log = &l->w->place.log;
    struct cu_frontier frontier = { 0 };
    struct cu_err err = { 0 };
    struct cu_span bytes;

    if (log->checkpoint.size.v < l->end) l->tally->lost += l->end - log->checkpoint.size.v;
    SOUND(log->checkpoint.size.v >= l->end, "the log ends at %llu; %llu entries were acknowledged", LLU(log->checkpoint.size.v),
          LLU(l->end));
    book_grow(l, log->checkpoint.size.v);
    for (cu_seq seq = { 0 }; seq.v < log->checkpoint.size.v; seq.v++) {
        MUST(cu_log_entry_unproven(log, seq, &bytes, &err), "an entry");
        const cu_hash leaf = cu_leaf_hash(bytes);
        const bool known = !cu_hash_is_zero(&l->leaf[seq.v]);
        l->tally->lost += known && !cu_hash_eq(&l->leaf[seq.v], &leaf);
        SOUND(!known || cu_hash_eq(&l->leaf[seq.v], &leaf), "the entry acknowledged at %llu is another now", LLU(seq.v));
        cu_frontier_append(&frontier, &leaf);
        if (cu_hash_is_zero(&l->root[seq.v + 1])) continue;
        const cu_hash root = cu_frontier_root(&frontier);
        SOUND(cu_hash_eq(&root, &l->root[seq.v + 1]), "the log does not go on from the checkpoint of %llu", LLU(seq.v + 1));
    }
    return NULL;
}

/* An exhibit keeps its number. */
static const char *judge_number(struct life *l, const struct sw_promise *p)
{
    CU_CLEANUP(cu_found_free) struct cu_found found = { 0 };
    struct cu_err err = { 0 };

    if (!p->exhibit[0]) return NULL;
    MUST(cu_lookup(&l->w->place, cu_span_str(p->exhibit), &found, &err), "looking up an exhibit");
    SOUND(found.row.seq.v == p->seq.v, "%s is the entry at %llu now, and was that at %llu", p->exhibit, LLU(found.row.seq.v),
          LLU(p->seq.v));
    return NULL;
}

static const char *judge_open(struct life *l)
{
    const char *path[] = { made_path(l, "ssm") };
    struct service_world *w = l->w;
    struct cu_err err = { 0 };

    SO(judge_log(l));
    w->deposits_max++;
    MUST(sw_deposit(w, path, 1, false, &err), "the next deposit");
    SO(sw_judge_numbers(w));
    SO(life_learn(l));
    SO(sw_judge_promise(w, &w->promise[w->promises_n - 1])); /* or one that came with it from the outbox */
    for (int i = 0; i < 2; i++) {
        const struct sw_promise *p = &w->promise[below(l, w->promises_n)];
        SO(sw_judge_promise(w, p));
        SO(judge_number(l, p));
    }
    return NULL;
}

const char *life_judge(struct life *l)
{
    struct cu_err err = { 0 };

    l->tally->judged++;
    l->act = "judging";
    MUST(sw_open(l->w, SW_WRITE, &err), "opening again");
    SO(judge_open(l));
    MUST(sw_close(l->w, &err), "closing");
    sw_restart(l->w);
    return life_learn(l);
}

const char *life_check(struct life *l)
{
    struct cu_check_result result = { 0 };
    struct cu_err err = { 0 };
    char finding[600];

    l->act = "check";
    MUST(sw_check(l->w, false, &result, finding, &err), "check");
    SOUND(result.findings == 0, "check is not clean: %s", finding);
    return NULL;
}
