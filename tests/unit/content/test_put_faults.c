/* Every call of a batch fails once, and power goes off after every effect: nothing half visible, nothing acknowledged lost, and the
 * next batch works. */
#include "../../one_of.h"
#include "adapters/faulty/faulty.h"
#include "stores.h"

enum { OBJECTS = 4 };

struct batch {
    struct cu_buf bytes[OBJECTS];
    cu_hash name[OBJECTS];
};

static struct batch new_batch(uint64_t seed)
{
    static const size_t sizes[OBJECTS] = { 100, 30000, CU_CHUNK_BYTES + 5, CU_CHUNK_BYTES };
    struct batch b;

    for (size_t i = 0; i < OBJECTS; i++) {
        b.bytes[i] = some_bytes(sizes[i], seed * 100 + i);
        b.name[i] = cu_content_root_of(cu_buf_span(&b.bytes[i]));
    }
    return b;
}

static void end_batch(struct batch *b)
{
    for (size_t i = 0; i < OBJECTS; i++) cu_buf_free(&b->bytes[i]);
}

static cu_status put_object(struct cu_put *p, struct cu_span bytes, const cu_hash *name)
{
    cu_hash root;
    uint64_t size;

    if (bytes.n < CU_CHUNK_BYTES) return cu_put_small(p, CU_OBJECT_CONTENT, name, bytes, &error);
    TRY(cu_put_large_begin(p, &error));
    TRY(cu_put_large_add(p, bytes, &error));
    return cu_put_large_end(p, &root, &size, &error);
}

static cu_status put_batch(const struct cu_fs *fs, const struct batch *b, size_t objects, bool verify)
{
    struct stores s = { .fs = *fs };
    struct cu_put *p = NULL;

    open_stores(&s, NULL);
    cu_status status = cu_put_begin(s.at, 2, &p, &error);
    for (size_t i = 0; i < objects && status == CU_OK; i++) status = put_object(p, cu_buf_span(&b->bytes[i]), &b->name[i]);
    if (status == CU_OK) status = cu_put_commit(p, &error);
    if (status == CU_OK && verify) status = cu_put_verify(p, 1, &error);
    cu_put_free(p);
    close_stores(&s);
    return status;
}

static void no_fault(void *arg, const struct cu_object_fault *fault)
{
    fail_msg("%s: %s: %s: %s", (const char *)arg, fault->where, fault->kind, fault->what);
}

static void all_is_sound(const struct cu_fs *fs, char *when)
{
    struct stores s = { .fs = *fs };
    struct cu_object_sum sum;

    open_stores(&s, NULL);
    for (int k = 0; k < 2; k++)
        OK(cu_objects_check(s.at[k], &(struct cu_object_check){ .found = no_fault, .arg = when }, &sum, &error));
    close_stores(&s);
}

static void all_is_there(const struct cu_fs *fs, const struct batch *b, size_t objects, const char *when)
{
    struct stores s = { .fs = *fs };

    open_stores(&s, NULL);
    for (size_t i = 0; i < objects; i++)
        for (int k = 0; k < 2; k++)
            if (!holds(s.at[k], CU_OBJECT_CONTENT, &b->name[i], cu_buf_span(&b->bytes[i])))
                fail_msg("%s: object %zu is not in store %d: %s", when, i, k, error.text);
    close_stores(&s);
}

/* A world in which one batch is there, and then one goes wrong in this way; returns false when it went through untouched. */
static bool play(const struct cu_fs *world, const struct batch *old, const struct batch *now, size_t objects, uint64_t fail_call,
                 enum cu_fault fault, uint64_t stop_after, uint64_t seed)
{
    struct cu_fs memory;
    char when[120];

    OK(cu_memory_copy(world, &memory, &error));
    struct cu_faulty faulty = { .inner = memory,
                                .fail_call = fail_call,
                                .fault = fault,
                                .stop_after = stop_after,
                                .lost = cu_memory_lose,
                                .lost_all = cu_memory_lose_all };
    struct cu_fs fs = cu_faulty_fs(&faulty);
    cu_status status = put_batch(&fs, now, objects, false);
    fs.ops->close(fs.self);
    bool touched = faulty.failed || faulty.stopped;

    snprintf(when, sizeof when, "objects %zu, call %llu, fault %d, stop %llu, seed %llu, %s", objects,
             (unsigned long long)fail_call, (int)fault, (unsigned long long)stop_after, (unsigned long long)seed,
             cu_status_name(status));
    if (!touched) assert_int_equal(status, CU_OK);
    if (seed != UINT64_MAX) cu_memory_crash(&memory, seed);
    all_is_sound(&memory, when);
    all_is_there(&memory, old, objects, when);
    if (status == CU_OK) all_is_there(&memory, now, objects, when);
    OK(put_batch(&memory, now, objects, true));
    all_is_there(&memory, now, objects, when);
    memory.ops->close(memory.self);
    return touched;
}

static struct cu_fs new_world(const struct batch *old, size_t objects)
{
    struct cu_fs world;

    OK(cu_memory_fs(&world, &error));
    OK(put_batch(&world, old, objects, true));
    return world;
}

static void every_call_may_fail(void **state)
{
    static const enum cu_fault faults[] = { CU_FAULT_IO, CU_FAULT_NO_SPACE, CU_FAULT_READ_ONLY };
    struct batch old = new_batch(1), now = new_batch(2);
    struct cu_fs world = new_world(&old, OBJECTS);
    (void)state;

    uint64_t n = 1;
    while (play(&world, &old, &now, OBJECTS, n, faults[n % 3], CU_NEVER, n % 4 ? UINT64_MAX : 0)) n++;
    assert_true(n > 40);
    world.ops->close(world.self);
    end_batch(&old);
    end_batch(&now);
}

static void power_may_go_after_every_effect(void **state)
{
    static const uint64_t seeds[] = { 0, 7 };
    struct batch old = new_batch(1), now = new_batch(2);
    struct cu_fs world = new_world(&old, OBJECTS);
    (void)state;

    for (size_t i = 0; i < sizeof seeds / sizeof *seeds; i++) {
        uint64_t k = 0;
        while (play(&world, &old, &now, OBJECTS, 0, CU_FAULT_IO, k, seeds[i])) k += ONE_OF(11);
        assert_true(k > 30);
    }
    world.ops->close(world.self);
    end_batch(&old);
    end_batch(&now);
}

/* Without threads: one small pack, as the attachments of a record are written. */
static void a_small_batch_survives_it_too(void **state)
{
    struct batch old = new_batch(1), now = new_batch(2);
    struct cu_fs world = new_world(&old, 1);
    (void)state;

    for (uint64_t seed = 0; seed < 9; seed++)
        for (uint64_t k = 0; play(&world, &old, &now, 1, 0, CU_FAULT_IO, k, seed); k += ONE_OF(5)) {}
    for (uint64_t n = 1; play(&world, &old, &now, 1, n, CU_FAULT_NO_SPACE, CU_NEVER, n % 2 ? n : UINT64_MAX); n += ONE_OF(3)) {}
    world.ops->close(world.self);
    end_batch(&old);
    end_batch(&now);
}

/* ---- restoring ---- */

static cu_status restore_all(const struct cu_fs *fs, const struct batch *b)
{
    struct stores s = { .fs = *fs };
    cu_status status = CU_OK;

    open_stores(&s, NULL);
    for (size_t i = 0; i < OBJECTS && status == CU_OK; i++)
        status = cu_objects_restore(s.at[0], s.at[1], CU_OBJECT_CONTENT, &b->name[i], &error);
    close_stores(&s);
    return status;
}

static void a_restore_that_is_broken_off_can_be_done_again(void **state)
{
    struct batch b = new_batch(1);
    bool touched = true;
    (void)state;

    for (uint64_t k = 0; touched; k += ONE_OF(3)) {
        struct cu_fs memory;
        OK(cu_memory_fs(&memory, &error));
        OK(put_batch(&memory, &b, OBJECTS, false));
        struct paths cloud = paths_in(&memory, "cloud/objects", "incoming");
        for (size_t i = 0; i < cloud.n; i++) OK(memory.ops->rename(memory.self, cloud.path[i], "quarantine/x", &error));
        OK(memory.ops->sync_all(memory.self, &error));
        struct cu_faulty faulty = { .inner = memory, .stop_after = k };
        struct cu_fs fs = cu_faulty_fs(&faulty);
        cu_status status = restore_all(&fs, &b);
        fs.ops->close(fs.self);
        touched = faulty.stopped;
        cu_memory_crash(&memory, k);
        char when[] = "restore";
        all_is_sound(&memory, when);
        if (status == CU_OK) all_is_there(&memory, &b, OBJECTS, when);
        OK(restore_all(&memory, &b));
        all_is_there(&memory, &b, OBJECTS, when);
        all_is_sound(&memory, when);
        memory.ops->close(memory.self);
    }
    end_batch(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_call_may_fail),
        cmocka_unit_test(power_may_go_after_every_effect),
        cmocka_unit_test(a_small_batch_survives_it_too),
        cmocka_unit_test(a_restore_that_is_broken_off_can_be_done_again),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
