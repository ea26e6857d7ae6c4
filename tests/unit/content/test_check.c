/* Whatever is done to a file of a store is laid to that file, and undone from the other store. */
#include "stores.h"

#include "custody/text.h"

struct faults {
    struct {
        char where[200], kind[16];
        cu_hash name;
        bool packed;
    } at[32];
    size_t n;
};

static void note_fault(void *arg, const struct cu_object_fault *fault)
{
    struct faults *f = arg;

    assert_true(f->n < 32);
    assert_true(strlen(fault->what) > 0);
    snprintf(f->at[f->n].where, sizeof f->at[0].where, "%s", fault->where);
    snprintf(f->at[f->n].kind, sizeof f->at[0].kind, "%s", fault->kind);
    f->at[f->n].name = fault->name;
    f->at[f->n++].packed = fault->packed;
}

static struct faults check(struct stores *s, int which)
{
    struct faults f = { .n = 0 };
    struct cu_object_sum sum;

    close_stores(s); /* as another process sees it */
    open_stores(s, NULL);
    OK(cu_objects_check(s->at[which], &(struct cu_object_check){ .found = note_fault, .arg = &f }, &sum, &error));
    return f;
}

static bool has_fault(const struct faults *f, const char *where, const char *kind)
{
    for (size_t i = 0; i < f->n; i++)
        if (strcmp(f->at[i].where, where) == 0 && strcmp(f->at[i].kind, kind) == 0) return true;
    return false;
}

struct filled {
    struct stores s;
    struct cu_buf large;
    cu_hash large_name, small_name;
};

static struct filled new_filled(void)
{
    struct filled f = { .s = new_stores(), .large = some_bytes(2 * CU_CHUNK_BYTES + 100, 1) };

    f.large_name = deposit(&f.s, cu_buf_span(&f.large));
    f.small_name = deposit(&f.s, cu_span_str("a small object"));
    return f;
}

static void end_filled(struct filled *f)
{
    cu_buf_free(&f->large);
    end_stores(&f->s);
}

static void move_away(struct filled *f, const char *path)
{
    if (cu_fs_exists(&f->s.fs, path)) OK(f->s.fs.ops->rename(f->s.fs.self, path, "quarantine/x", &error));
}

/* What `check --repair` does: bad files are moved away, then what is missing is brought back. */
static void repair(struct filled *f)
{
    struct faults faults = check(&f->s, 0);

    for (size_t i = 0; i < faults.n; i++) {
        move_away(f, faults.at[i].where);
        if (strcmp(faults.at[i].kind, "unexpected") == 0) continue;
        if (faults.at[i].packed) OK(cu_objects_restore_pack(f->s.at[0], f->s.at[1], &faults.at[i].name, &error));
        else OK(cu_objects_restore(f->s.at[0], f->s.at[1], CU_OBJECT_CONTENT, &faults.at[i].name, &error));
    }
    if (cu_objects_has(f->s.at[0], CU_OBJECT_CONTENT, &f->large_name, f->large.n, true, &error) != CU_OK)
        OK(cu_objects_restore(f->s.at[0], f->s.at[1], CU_OBJECT_CONTENT, &f->large_name, &error));
    if (cu_objects_has(f->s.at[0], CU_OBJECT_CONTENT, &f->small_name, 14, true, &error) != CU_OK)
        OK(cu_objects_restore(f->s.at[0], f->s.at[1], CU_OBJECT_CONTENT, &f->small_name, &error));
}

static void is_whole_again(struct filled *f)
{
    repair(f);
    assert_int_equal(check(&f->s, 0).n, 0);
    assert_int_equal(check(&f->s, 1).n, 0);
    assert_true(holds(f->s.at[0], CU_OBJECT_CONTENT, &f->large_name, cu_buf_span(&f->large)));
    assert_true(holds(f->s.at[0], CU_OBJECT_CONTENT, &f->small_name, cu_span_str("a small object")));
}

enum { FILES = 4 }; /* bytes, tree, index, pack */

static struct paths files_of(struct filled *f)
{
    struct paths p = paths_in(&f->s.fs, "cloud/objects", "incoming");
    assert_int_equal(p.n, FILES);
    return p;
}

static void a_sound_store_has_no_fault(void **state)
{
    struct filled f = new_filled();
    struct cu_object_sum sum;
    (void)state;

    assert_int_equal(check(&f.s, 0).n, 0);
    OK(cu_objects_check(f.s.at[1], &(struct cu_object_check){ .found = note_fault }, &sum, &error));
    assert_int_equal(sum.objects, 2);
    end_filled(&f);
}

static void a_store_that_was_never_written_has_no_fault(void **state)
{
    struct stores s = new_stores();
    (void)state;

    assert_int_equal(check(&s, 0).n, 0);
    end_stores(&s);
}

static void any_altered_byte_is_laid_to_its_file(void **state)
{
    (void)state;
    for (size_t i = 0; i < FILES; i++) {
        struct filled f = new_filled();
        struct paths p = files_of(&f);
        uint64_t size = file_size(&f.s.fs, p.path[i]), step = size > 5000 ? size / 11 : size > 300 ? 37 : 1;
        for (uint64_t at = 0; at < size; at += step) {
            flip_bit(&f.s.fs, p.path[i], at * 8 + at % 8);
            struct faults faults = check(&f.s, 0);
            assert_int_equal(faults.n, 1);
            assert_true(has_fault(&faults, p.path[i], "damaged"));
            flip_bit(&f.s.fs, p.path[i], at * 8 + at % 8);
        }
        flip_bit(&f.s.fs, p.path[i], size * 8 - 1);
        is_whole_again(&f);
        end_filled(&f);
    }
}

static void a_file_cut_off_anywhere_is_named(void **state)
{
    (void)state;
    for (size_t i = 0; i < FILES; i++)
        for (int how = 0; how < 4; how++) {
            struct filled f = new_filled();
            struct paths p = files_of(&f);
            uint64_t size = file_size(&f.s.fs, p.path[i]);
            cut_file_at(&f.s.fs, p.path[i], how == 0 ? 0 : how == 1 ? size - 1 : how == 2 ? size / 2 / 4096 * 4096 : size + 1);
            struct faults faults = check(&f.s, 0);
            assert_int_equal(faults.n, 1);
            assert_true(has_fault(&faults, p.path[i], "damaged"));
            is_whole_again(&f);
            end_filled(&f);
        }
}

static void a_deleted_file_is_named_by_the_store_or_by_who_asks_for_the_object(void **state)
{
    (void)state;
    for (size_t i = 0; i < FILES; i++) {
        struct filled f = new_filled();
        struct paths p = files_of(&f);
        bool side = strstr(p.path[i], ".tree") || strstr(p.path[i], ".idx"), large = strstr(p.path[i], "/large/");
        move_away(&f, p.path[i]);
        struct faults faults = check(&f.s, 0);
        if (side) {
            assert_int_equal(faults.n, 1);
            assert_true(has_fault(&faults, p.path[i], "missing"));
        } else {
            assert_int_equal(faults.n, 0); /* as after a crash; but the log names it: */
            IS(CU_NOT_FOUND, cu_objects_has(f.s.at[0], CU_OBJECT_CONTENT, large ? &f.large_name : &f.small_name,
                                            large ? f.large.n : 14, false, &error));
            assert_non_null(strstr(error.text, p.path[i]));
        }
        is_whole_again(&f);
        end_filled(&f);
    }
}

static void a_whole_object_gone_comes_back(void **state)
{
    struct filled f = new_filled();
    struct paths p = files_of(&f);
    (void)state;

    for (size_t i = 0; i < FILES; i++) move_away(&f, p.path[i]);
    is_whole_again(&f);
    assert_int_equal(paths_in(&f.s.fs, "cloud/objects", "incoming").n, FILES);
    end_filled(&f);
}

static void swapped_files_are_both_named(void **state)
{
    (void)state;
    for (size_t i = 0; i < FILES; i++) {
        struct filled f = new_filled();
        CU_BUF other = some_bytes(CU_CHUNK_BYTES + 1, 77);
        deposit(&f.s, cu_buf_span(&other));
        deposit(&f.s, cu_span_str("another small one"));
        struct paths p = paths_in(&f.s.fs, "cloud/objects", "incoming");
        assert_int_equal(p.n, 2 * FILES);
        const char *suffix = strrchr(p.path[2 * i], '.'), *a = p.path[2 * i], *b = NULL;
        for (size_t k = 0; k < p.n; k++) { /* the other file of the same sort */
            const char *of = strrchr(p.path[k], '.');
            if (k != 2 * i && ((!of && !suffix) || (of && suffix && strcmp(of, suffix) == 0))) b = p.path[k];
        }
        assert_non_null(b);
        OK(f.s.fs.ops->rename(f.s.fs.self, a, "t", &error));
        OK(f.s.fs.ops->rename(f.s.fs.self, b, a, &error));
        OK(f.s.fs.ops->rename(f.s.fs.self, "t", b, &error));
        struct faults faults = check(&f.s, 0);
        assert_int_equal(faults.n, 2);
        assert_true(has_fault(&faults, a, "damaged") && has_fault(&faults, b, "damaged"));
        is_whole_again(&f);
        end_filled(&f);
    }
}

static void write_file(struct filled *f, const char *path)
{
    struct cu_file *file = NULL;

    OK(f->s.fs.ops->open(f->s.fs.self, path, CU_OPEN_WRITE | CU_OPEN_CREATE, &file, &error));
    OK(file->ops->write_at(file, 0, cu_span_str("x"), &error));
    cu_file_close(&file);
}

static void what_does_not_belong_is_unexpected_wherever_it_lies(void **state)
{
    static const char *const paths[] = {
        "cloud/objects/x",
        "cloud/objects/large/x",
        "cloud/objects/packs/.hidden",
        "cloud/objects/large/00/x",
        "cloud/objects/packs/AA/x",
        "cloud/objects/packs/00/0000000000000000000000000000000000000000000000000000000000000000",
        "cloud/objects/large/00/0100000000000000000000000000000000000000000000000000000000000000",
        "cloud/objects/large/00/0000000000000000000000000000000000000000000000000000000000000000.Tree",
        "cloud/objects/large/00/000000000000000000000000000000000000000000000000000000000000000A",
    };
    static const char *const named[] = { [4] = "cloud/objects/packs/AA" };
    (void)state;

    for (size_t i = 0; i < sizeof paths / sizeof *paths; i++) {
        struct filled f = new_filled();
        write_file(&f, paths[i]);
        struct faults faults = check(&f.s, 0);
        assert_int_equal(faults.n, 1);
        assert_true(has_fault(&faults, i == 4 ? named[i] : paths[i], "unexpected"));
        if (i != 4) is_whole_again(&f); /* the file system in memory renames no folders */
        end_filled(&f);
    }
    struct filled f = new_filled(); /* folders with nothing in them, too */
    OK(f.s.fs.ops->make_dir(f.s.fs.self, "cloud/objects/more", &error));
    OK(f.s.fs.ops->make_dir(f.s.fs.self, "cloud/objects/large/aa/bb", &error));
    struct faults faults = check(&f.s, 0);
    assert_int_equal(faults.n, 2);
    end_filled(&f);
}

static void a_file_added_under_a_good_name_is_damage(void **state)
{
    struct filled f = new_filled();
    const char *path = "cloud/objects/large/00/0000000000000000000000000000000000000000000000000000000000000000";
    (void)state;

    write_file(&f, path);
    struct faults faults = check(&f.s, 0);
    assert_true(has_fault(&faults, path, "damaged"));
    end_filled(&f);
}

static void what_is_being_written_is_no_evidence(void **state)
{
    struct filled f = new_filled();
    (void)state;

    write_file(&f, "cloud/objects/incoming/anything");
    assert_int_equal(check(&f.s, 0).n, 0);
    end_filled(&f);
}

static void nothing_is_restored_from_what_is_damaged_too(void **state)
{
    struct filled f = new_filled();
    struct paths cloud = files_of(&f), node = paths_in(&f.s.fs, "node/objects", "incoming");
    (void)state;

    for (size_t i = 0; i < FILES; i++) {
        move_away(&f, cloud.path[i]);
        flip_bit(&f.s.fs, node.path[i], 8 * 30);
    }
    IS(CU_BAD_HASH, cu_objects_restore(f.s.at[0], f.s.at[1], CU_OBJECT_CONTENT, &f.large_name, &error));
    assert_int_not_equal(cu_objects_restore(f.s.at[0], f.s.at[1], CU_OBJECT_CONTENT, &f.small_name, &error), CU_OK);
    cu_hash nowhere = { { 1 } };
    IS(CU_NOT_FOUND, cu_objects_restore(f.s.at[0], f.s.at[1], CU_OBJECT_CONTENT, &nowhere, &error));
    assert_int_equal(check(&f.s, 0).n, 0);
    end_filled(&f);
}

/* Three objects of 5,000 bytes in one pack. */
static cu_hash deposit_pack(struct stores *s, struct cu_object ret[3])
{
    cu_hash name[3];
    struct cu_put *p;

    OK(cu_put_begin(s->at, 2, &p, &error));
    for (int i = 0; i < 3; i++) {
        CU_BUF bytes = some_bytes(5000, 50 + i);
        name[i] = put_content(p, cu_buf_span(&bytes));
    }
    OK(cu_put_commit(p, &error));
    cu_put_free(p);
    for (int i = 0; i < 3; i++) OK(cu_objects_find(s->at[0], CU_OBJECT_CONTENT, &name[i], &ret[i], &error));
    return ret[0].pack;
}

static void path_of(const char *store, bool packed, const cu_hash *name, char ret[200])
{
    char hex[65];

    cu_hash_hex(name, hex);
    snprintf(ret, 200, "%s/objects/%s/%.2s/%s%s", store, packed ? "packs" : "large", hex, hex, packed ? ".pack" : "");
}

/* Both copies damaged, each at its place; the cloud's is moved away. */
static void damage_both(struct filled *f, bool packed, const cu_hash *name, uint64_t in_cloud, uint64_t in_node)
{
    char cloud[200], node[200];

    path_of("cloud", packed, name, cloud);
    path_of("node", packed, name, node);
    flip_bit(&f->s.fs, cloud, 8 * in_cloud);
    flip_bit(&f->s.fs, node, 8 * in_node);
    OK(f->s.fs.ops->rename(f->s.fs.self, cloud, "quarantine/lost", &error));
}

static void two_copies_damaged_at_different_places_make_a_good_one(void **state)
{
    struct filled f = new_filled();
    struct cu_object o[3];
    cu_hash pack = deposit_pack(&f.s, o);
    (void)state;

    damage_both(&f, true, &pack, o[0].offset + 7, o[2].offset + 4999);
    IS(CU_BAD_HASH, cu_objects_restore_pack(f.s.at[0], f.s.at[1], &pack, &error));
    OK(cu_objects_merge(f.s.at[0], f.s.at[1], "quarantine/lost", true, &pack, &error));
    damage_both(&f, false, &f.large_name, 100, CU_CHUNK_BYTES + 5000);
    IS(CU_BAD_HASH, cu_objects_restore(f.s.at[0], f.s.at[1], CU_OBJECT_CONTENT, &f.large_name, &error));
    OK(cu_objects_merge(f.s.at[0], f.s.at[1], "quarantine/lost", false, &f.large_name, &error));
    assert_int_equal(check(&f.s, 0).n, 0);
    assert_int_equal(check(&f.s, 1).n, 2);
    assert_true(holds(f.s.at[0], CU_OBJECT_CONTENT, &f.large_name, cu_buf_span(&f.large)));
    end_filled(&f);
}

static void two_copies_damaged_at_one_place_make_nothing(void **state)
{
    struct filled f = new_filled();
    struct cu_object o[3];
    cu_hash pack = deposit_pack(&f.s, o);
    (void)state;

    damage_both(&f, true, &pack, o[1].offset + 7, o[1].offset + 4999);
    IS(CU_BAD_HASH, cu_objects_merge(f.s.at[0], f.s.at[1], "quarantine/lost", true, &pack, &error));
    damage_both(&f, false, &f.large_name, 100, 200);
    IS(CU_BAD_HASH, cu_objects_merge(f.s.at[0], f.s.at[1], "quarantine/lost", false, &f.large_name, &error));
    IS(CU_BAD_HASH, cu_objects_merge(f.s.at[0], f.s.at[1], "nowhere", false, &f.large_name, &error));
    assert_int_equal(check(&f.s, 0).n, 0); /* nothing was published */
    end_filled(&f);
}

static void a_side_file_is_made_again_though_the_other_store_is_empty(void **state)
{
    struct filled f = new_filled();
    struct paths node = paths_in(&f.s.fs, "node/objects", "incoming"), cloud = files_of(&f);
    (void)state;

    for (size_t i = 0; i < FILES; i++) OK(f.s.fs.ops->rename(f.s.fs.self, node.path[i], "quarantine/n", &error));
    for (size_t i = 0; i < FILES; i++)
        if (strstr(cloud.path[i], ".tree") || strstr(cloud.path[i], ".idx")) move_away(&f, cloud.path[i]);
    repair(&f);
    assert_int_equal(check(&f.s, 0).n, 0);
    end_filled(&f);
}

static void a_sample_judges_a_share(void **state)
{
    struct filled f = new_filled();
    struct cu_object_sum sum;
    (void)state;

    OK(cu_objects_check(f.s.at[0], &(struct cu_object_check){ .sample = 2, .found = note_fault }, &sum, &error));
    assert_int_equal(sum.objects, 1);
    end_filled(&f);
}

/* More than the caller's thread takes by itself. */
static void many_files_are_judged_side_by_side_and_each_by_itself(void **state)
{
    struct stores s = new_stores();
    struct cu_put *p;
    (void)state;

    OK(cu_put_begin(s.at, 2, &p, &error));
    for (unsigned i = 0; i < 20; i++) {
        CU_BUF bytes = some_bytes(CU_CHUNK_BYTES + (i % 3) * CU_CHUNK_BYTES + i, i);
        put_content(p, cu_buf_span(&bytes));
    }
    OK(cu_put_commit(p, &error));
    OK(cu_put_verify(p, 0, &error));
    struct paths all = paths_in(&s.fs, "cloud/objects", "incoming");
    flip_bit(&s.fs, all.path[26], 8 * 100);
    IS(CU_BAD_HASH, cu_put_verify(p, 0, &error));
    OK(cu_put_verify(p, 1, &error));
    cu_put_free(p);
    struct faults faults = check(&s, 0);
    assert_true(faults.n == 1 && has_fault(&faults, all.path[26], "damaged"));
    end_stores(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_sound_store_has_no_fault),
        cmocka_unit_test(a_store_that_was_never_written_has_no_fault),
        cmocka_unit_test(any_altered_byte_is_laid_to_its_file),
        cmocka_unit_test(a_file_cut_off_anywhere_is_named),
        cmocka_unit_test(a_deleted_file_is_named_by_the_store_or_by_who_asks_for_the_object),
        cmocka_unit_test(a_whole_object_gone_comes_back),
        cmocka_unit_test(swapped_files_are_both_named),
        cmocka_unit_test(what_does_not_belong_is_unexpected_wherever_it_lies),
        cmocka_unit_test(a_file_added_under_a_good_name_is_damage),
        cmocka_unit_test(what_is_being_written_is_no_evidence),
        cmocka_unit_test(nothing_is_restored_from_what_is_damaged_too),
        cmocka_unit_test(two_copies_damaged_at_different_places_make_a_good_one),
        cmocka_unit_test(two_copies_damaged_at_one_place_make_nothing),
        cmocka_unit_test(a_side_file_is_made_again_though_the_other_store_is_empty),
        cmocka_unit_test(a_sample_judges_a_share),
        cmocka_unit_test(many_files_are_judged_side_by_side_and_each_by_itself),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
