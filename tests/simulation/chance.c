/* The same seed is the same life: what OpenSSL draws comes from here, and whoever works in threads elsewhere works alone.
 *
 * wraps: cu_crew_new
 */
#define OPENSSL_SUPPRESS_DEPRECATED
#include "content/crew.h"
#include "life.h"

#include <openssl/rand.h>

static uint64_t next(uint64_t *state) /* splitmix64 */
{
    uint64_t z = *state += 0x9e3779b97f4a7c15u;
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
    z = (z ^ z >> 27) * 0x94d049bb133111ebu;
    return z ^ z >> 31;
}

static uint64_t drawn;

static int draw(unsigned char *ret, int n)
{
    for (int i = 0; i < n; i++) ret[i] = (unsigned char)next(&drawn);
    return 1;
}

static int seeded(void) { return 1; }

void chance_begin(uint64_t seed)
{
    static const RAND_METHOD method = { NULL, draw, NULL, NULL, draw, seeded };

    drawn = seed;
    RAND_set_rand_method(&method);
}

cu_status __real_cu_crew_new(const struct cu_lane *lanes, unsigned n, size_t slots, bool threads, struct cu_crew **ret,
                             struct cu_err *err);
cu_status __wrap_cu_crew_new(const struct cu_lane *lanes, unsigned n, size_t slots, bool threads, struct cu_crew **ret,
                             struct cu_err *err);

cu_status __wrap_cu_crew_new(const struct cu_lane *lanes, unsigned n, size_t slots, bool threads, struct cu_crew **ret,
                             struct cu_err *err)
{
    (void)threads;
    return __real_cu_crew_new(lanes, n, slots, false, ret, err);
}

uint64_t roll(struct life *l) { return next(&l->dice); }
uint64_t below(struct life *l, uint64_t n) { return roll(l) % n; }
bool chance(struct life *l, unsigned percent) { return below(l, 100) < percent; }
