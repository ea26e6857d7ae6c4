/* Sealing on one core: OpenSSL's cipher over chunks (the limit), and as a stream, either way, in pieces of 1 MiB.
 *
 *     seal        GB/s of this thread's own processor time, medians of five turns
 */
#include "custody/age.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

enum { PIECE = 1 << 20, ROOM = PIECE + (1 << 18), TURNS = 5, PIECES = 64 };

static uint8_t plain[PIECE], room[ROOM], sealed_room[PIECES * PIECE + (1 << 20)];
static struct cu_age_identity who;

static double now_s(void)
{
    struct timespec t;

    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void must(bool ok)
{
    if (!ok) fprintf(stderr, "seal: failed\n"), exit(1);
}

static void chunk_by_chunk(void)
{
    static const uint8_t nonce[CU_AGE_NONCE];
    static const struct cu_age_key key;
    struct cu_age_cipher cipher;

    must(cu_age_cipher_start(&key, nonce, &cipher, NULL) == CU_OK);
    for (size_t i = 0; i < PIECES * PIECE / CU_AGE_CHUNK; i++)
        must(cu_age_chunk_seal(&cipher, i, false, cu_span(plain + i * CU_AGE_CHUNK % PIECE, CU_AGE_CHUNK), room, NULL) == CU_OK);
    cu_age_cipher_free(&cipher);
}

static void seal_stream(void)
{
    static struct cu_age_seal seal;
    struct cu_buf out = cu_buf_over(room, sizeof room);

    must(cu_age_seal_start(&who.recipient, 1, &seal, &out, NULL) == CU_OK);
    for (size_t i = 0; i < PIECES; i++, cu_buf_clear(&out)) must(cu_age_seal_add(&seal, CU_SPAN_OF(plain), &out, NULL) == CU_OK);
    must(cu_age_seal_finish(&seal, &out, NULL) == CU_OK);
    cu_age_seal_free(&seal);
}

static struct cu_buf sealed;

static void open_stream(void)
{
    static struct cu_age_open open;
    struct cu_buf out = cu_buf_over(room, sizeof room);

    cu_age_open_start(&who, 1, &open);
    for (size_t at = 0; at < sealed.n; at += PIECE, cu_buf_clear(&out))
        must(cu_age_open_add(&open, cu_span(sealed.p + at, sealed.n - at < PIECE ? sealed.n - at : PIECE), &out, NULL) == CU_OK);
    must(cu_age_open_finish(&open, &out, NULL) == CU_OK);
    cu_age_open_free(&open);
}

static int by_value(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static const struct way {
    const char *name;
    void (*run)(void);
} ways[] = { { "the cipher alone, a chunk a call", chunk_by_chunk },
             { "sealed as a stream", seal_stream },
             { "opened as a stream", open_stream } };
enum { WAYS = sizeof ways / sizeof *ways };

static void make_sealed(void)
{
    static struct cu_age_seal seal;

    sealed = cu_buf_over(sealed_room, sizeof sealed_room);
    must(cu_age_identity_generate(&who, NULL) == CU_OK);
    must(cu_age_seal_start(&who.recipient, 1, &seal, &sealed, NULL) == CU_OK);
    for (size_t i = 0; i < PIECES; i++) must(cu_age_seal_add(&seal, CU_SPAN_OF(plain), &sealed, NULL) == CU_OK);
    must(cu_age_seal_finish(&seal, &sealed, NULL) == CU_OK);
    cu_age_seal_free(&seal);
}

int main(void)
{
    double v[WAYS][TURNS], limit = 0;

    for (size_t i = 0; i < sizeof plain; i++) plain[i] = (uint8_t)(i * i >> 7);
    make_sealed();
    printf("\nsealing in memory, one core, 64 MiB a turn\n");
    for (size_t turn = 0; turn < TURNS; turn++)
        for (size_t i = 0; i < WAYS; i++) {
            const double began = now_s();
            ways[i].run();
            v[i][turn] = (double)PIECES * PIECE / (now_s() - began) / 1e9;
        }
    for (size_t i = 0; i < WAYS; i++) {
        qsort(v[i], TURNS, sizeof **v, by_value);
        if (i == 0) limit = v[i][TURNS / 2];
        printf("  %-34s %7.2f GB/s %6.2f of the limit\n", ways[i].name, v[i][TURNS / 2], v[i][TURNS / 2] / limit);
    }
    return 0;
}
