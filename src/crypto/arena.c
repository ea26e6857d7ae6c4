/* OpenSSL on memory that was set aside: for a program that must not depend on the heap or on configuration files.
 *
 * 1. Blocks come in powers of two, each behind a header that says which; a freed block waits in its class's list for the next.
 * 2. Nothing is given back to the system, so use is bounded by what is alive at once, rounded up.
 * 3. Any thread: one lock, held for a few instructions.
 */
#include "ossl.h"

#include <openssl/crypto.h>

#include <stdatomic.h>

#define CLASSES 32
#define CLASS_MIN 5u /* 32 bytes, the header among them */

/* What stands before a block: keeps the block aligned for anything. */
union header {
    struct {
        unsigned class_;
    } used;
    union header *next;
    _Alignas(16) uint8_t pad[16];
};

static struct {
    uint8_t *at, *end;
    union header *free[CLASSES];
    atomic_flag lock;
} arena = { .lock = ATOMIC_FLAG_INIT };

static unsigned class_of(size_t n)
{
    unsigned c = CLASS_MIN;

    while (c < CLASSES && ((size_t)1 << c) < n + sizeof(union header)) c++;
    return c;
}

static union header *take(unsigned c)
{
    union header *h = arena.free[c];

    if (h != NULL) {
        arena.free[c] = h->next;
        return h;
    }
    if ((size_t)(arena.end - arena.at) < (size_t)1 << c) return NULL;
    h = (union header *)(void *)arena.at;
    arena.at += (size_t)1 << c;
    return h;
}

static void *arena_alloc(size_t n, const char *file, int line)
{
    const unsigned c = class_of(n);
    union header *h = NULL;

    (void)file, (void)line;
    while (atomic_flag_test_and_set_explicit(&arena.lock, memory_order_acquire)) continue;
    if (c < CLASSES) h = take(c);
    if (h != NULL) h->used.class_ = c;
    atomic_flag_clear_explicit(&arena.lock, memory_order_release);
    return h != NULL ? h + 1 : NULL;
}

static void arena_free(void *p, const char *file, int line)
{
    (void)file, (void)line;
    if (p == NULL) return;
    union header *h = (union header *)p - 1;
    const unsigned c = h->used.class_;
    while (atomic_flag_test_and_set_explicit(&arena.lock, memory_order_acquire)) continue;
    h->next = arena.free[c];
    arena.free[c] = h;
    atomic_flag_clear_explicit(&arena.lock, memory_order_release);
}

static void *arena_realloc(void *p, size_t n, const char *file, int line)
{
    if (p == NULL) return arena_alloc(n, file, line);
    const size_t room = ((size_t)1 << ((union header *)p - 1)->used.class_) - sizeof(union header);
    if (n <= room) return p;
    void *more = arena_alloc(n, file, line);
    if (more == NULL) return NULL;
    memcpy(more, p, room);
    arena_free(p, file, line);
    return more;
}

cu_status cu_crypto_arena(void *memory, size_t size, struct cu_err *err)
{
    const uintptr_t skip = -(uintptr_t)memory & 15;

    ENSURE(size > skip, err, CU_USAGE, "an arena needs memory");
    arena.at = (uint8_t *)memory + skip;
    arena.end = (uint8_t *)memory + size;
    ENSURE(CRYPTO_set_mem_functions(arena_alloc, arena_realloc, arena_free) == 1, err, CU_CRYPTO,
           "OpenSSL has allocated already: the arena comes first");
    ENSURE(OPENSSL_init_crypto(OPENSSL_INIT_NO_LOAD_CONFIG, NULL) == 1, err, CU_CRYPTO, "OpenSSL does not start");
    return CU_OK;
}
