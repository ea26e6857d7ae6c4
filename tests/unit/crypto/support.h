/* What the tests of crypto and merkle share: files of known answers, and random bytes whose seed a failure prints. */
#ifndef TEST_SUPPORT_H
#define TEST_SUPPORT_H

#include "custody/types.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#define assert_ok(call) assert_status((call), CU_OK)
#define assert_status(call, want) assert_string_equal(cu_status_name(call), cu_status_name(want))
#define assert_hash_equal(a, b) assert_memory_equal((a), (b), sizeof(cu_hash))

/* A file of lines with fields between single spaces; lines that begin with # are words for people. */
struct vectors {
    FILE *in;
    char line[1 << 16];
    char *field[8];
    size_t n;
};

static inline struct vectors *vectors_open(const char *name)
{
    struct vectors *v = calloc(1, sizeof *v);
    char path[512];

    snprintf(path, sizeof path, TEST_SOURCE_DIR "/tests/vectors/%s", name);
    assert_non_null(v);
    v->in = fopen(path, "r");
    if (v->in == NULL) fail_msg("no such file of vectors: %s", path);
    return v;
}

static inline bool vectors_next(struct vectors *v)
{
    do {
        if (fgets(v->line, sizeof v->line, v->in) == NULL) {
            fclose(v->in);
            free(v);
            return false;
        }
    } while (v->line[0] == '#');
    v->n = 0;
    for (char *at = strtok(v->line, " \n"); at != NULL && v->n < 8; at = strtok(NULL, " \n"))
        v->field[v->n++] = at;
    return true;
}

/* "-" stands for no bytes. */
static inline size_t unhex(const char *text, uint8_t *ret, size_t max)
{
    size_t n = strcmp(text, "-") == 0 ? 0 : strlen(text) / 2;

    assert_true(n <= max);
    for (size_t i = 0; i < n; i++) {
        unsigned byte;
        assert_int_equal(sscanf(text + 2 * i, "%2x", &byte), 1);
        ret[i] = (uint8_t)byte;
    }
    return n;
}

static inline cu_hash unhex_hash(const char *text)
{
    cu_hash ret;

    assert_int_equal(unhex(text, ret.b, 32), 32);
    return ret;
}

/* xorshift64*: the same on every machine. CUSTODY_SEED picks another sequence. */
struct chance { uint64_t state; };

static inline struct chance chance_begin(void)
{
    const char *seed = getenv("CUSTODY_SEED");
    struct chance c = { seed != NULL ? strtoull(seed, NULL, 10) | 1 : 20260101 };

    print_message("seed: CUSTODY_SEED=%llu\n", (unsigned long long)c.state);
    return c;
}

static inline uint64_t chance_u64(struct chance *c)
{
    c->state ^= c->state >> 12;
    c->state ^= c->state << 25;
    c->state ^= c->state >> 27;
    return c->state * UINT64_C(2685821657736338717);
}

static inline uint64_t chance_below(struct chance *c, uint64_t n) { return chance_u64(c) % n; }

static inline void chance_bytes(struct chance *c, void *ret, size_t n)
{
    for (size_t i = 0; i < n; i++)
        ((uint8_t *)ret)[i] = (uint8_t)(chance_u64(c) >> 32);
}

#endif
