/* A store holds what was put, gives nothing that it has not verified, and writes nothing twice. */
#include "adapters/sqlite/sqlite_index.h"
#include "content/pack.h"
#include "stores.h"

static size_t files_in(const struct stores *s, const char *dir) { return paths_in(&s->fs, dir, NULL).n; }

static void what_was_put_is_in_both_stores(void **state)
{
    static const size_t sizes[] = {
        0, 1, 5, 4095, 4096, 4097, 40000, CU_CHUNK_BYTES - 1, CU_CHUNK_BYTES, CU_CHUNK_BYTES + 1, 3 * CU_CHUNK_BYTES + 4097
    };
    enum { N = sizeof sizes / sizeof *sizes };
    struct stores s = new_stores();
    struct cu_buf bytes[N];
    cu_hash name[N];
    struct cu_put *p;
    (void)state;

    OK(cu_put_begin(s.at, 2, &p, &error));
    for (size_t i = 0; i < N; i++) bytes[i] = some_bytes(sizes[i], i), name[i] = put_content(p, cu_buf_span(&bytes[i]));
    for (size_t i = 0; i < N; i++) assert_false(holds(s.at[0], CU_OBJECT_CONTENT, &name[i], cu_buf_span(&bytes[i])));
    assert_int_equal(files_in(&s, "cloud/objects/packs") + files_in(&s, "node/objects/large"), 0);
    OK(cu_put_commit(p, &error));
    for (size_t i = 0; i < N; i++)
        for (int k = 0; k < 2; k++) assert_true(holds(s.at[k], CU_OBJECT_CONTENT, &name[i], cu_buf_span(&bytes[i])));
    OK(cu_put_verify(p, 0, &error));
    OK(cu_put_verify(p, 1, &error));
    cu_put_free(p);
    assert_int_equal(files_in(&s, "cloud/objects/packs"), 2);
    assert_int_equal(files_in(&s, "cloud/objects/large"), 6); /* of 1 MiB or more */
    for (size_t i = 0; i < N; i++) cu_buf_free(&bytes[i]);
    end_stores(&s);
}

static void a_large_object_in_odd_pieces_is_the_same(void **state)
{
    struct stores s = new_stores();
    CU_BUF bytes = some_bytes(2 * CU_CHUNK_BYTES + 12345, 3);
    cu_hash root = cu_content_root_of(cu_buf_span(&bytes)), got;
    struct cu_put *p;
    uint64_t size;
    (void)state;

    OK(cu_put_begin(s.at, 2, &p, &error));
    OK(cu_put_large_begin(p, &error));
    for (size_t at = 0, n = 1; at < bytes.n; at += n, n = n * 3 + 1) {
        if (n > bytes.n - at) n = bytes.n - at;
        OK(cu_put_large_add(p, cu_span(bytes.p + at, n), &error));
    }
    OK(cu_put_large_end(p, &got, &size, &error));
    OK(cu_put_commit(p, &error));
    cu_put_free(p);
    assert_true(cu_hash_eq(&root, &got) && size == bytes.n);
    assert_true(holds(s.at[1], CU_OBJECT_CONTENT, &root, cu_buf_span(&bytes)));
    end_stores(&s);
}

static cu_status gather(void *arg, struct cu_span bytes, struct cu_err *err)
{
    cu_buf_add(arg, bytes);
    return cu_buf_ok(arg, err);
}

static cu_status read_range(struct stores *s, const cu_hash *root, uint64_t from, uint64_t to, struct cu_buf *ret)
{
    struct cu_object o;

    cu_buf_clear(ret);
    OK(cu_objects_find(s->at[0], CU_OBJECT_CONTENT, root, &o, &error));
    return cu_object_stream_range(&o, from, to, gather, ret, &error);
}

static void any_range_is_read_and_verified_without_the_rest(void **state)
{
    static const size_t sizes[] = { 1, 4097, CU_CHUNK_BYTES - 1, CU_CHUNK_BYTES, 3 * CU_CHUNK_BYTES + 4097 };
    struct stores s = new_stores();
    (void)state;

    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        CU_BUF bytes = some_bytes(sizes[i], i), got = cu_buf_heap(sizes[i]);
        const uint64_t size = sizes[i], at[] = { 0, 1, 4095, 4096, CU_CHUNK_BYTES - 1, CU_CHUNK_BYTES, size / 2, size - 1, size };
        const cu_hash root = deposit(&s, cu_buf_span(&bytes));
        for (size_t a = 0; a < sizeof at / sizeof *at; a++)
            for (size_t b = 0; b < sizeof at / sizeof *at; b++) {
                const uint64_t from = at[a], to = at[b];
                const cu_status status = read_range(&s, &root, from, to, &got);
                if (from >= to || to > size) assert_int_equal(status, CU_USAGE);
                else assert_true(status == CU_OK && cu_span_eq(cu_buf_span(&got), cu_span(bytes.p + from, to - from)));
            }
    }
    end_stores(&s);
}

static void what_is_not_judged_is_what_lies_there(void **state)
{
    struct stores s = new_stores();
    CU_BUF bytes = some_bytes(2 * CU_CHUNK_BYTES + 5, 3), got = cu_buf_pages(CU_CHUNK_BYTES);
    const cu_hash root = deposit(&s, cu_buf_span(&bytes));
    const uint64_t from = 2 * CU_CHUNK_BYTES, to = from + 5;
    struct paths p = paths_in(&s.fs, "cloud/objects/large", NULL);
    struct cu_object o;

    (void)state;
    OK(cu_objects_find(s.at[0], CU_OBJECT_CONTENT, &root, &o, &error));
    flip_bit(&s.fs, p.path[0], 8 * (from + 1));
    IS(CU_BAD_HASH, cu_object_chunk(&o, from, to, true, &got, &error));
    cu_buf_clear(&got);
    OK(cu_object_chunk(&o, from, to, false, &got, &error));
    assert_true(got.n == 5 && got.p[0] == bytes.p[from] && got.p[1] == (bytes.p[from + 1] ^ 1));
    cu_buf_clear(&got);
    OK(cu_object_chunk(&o, CU_CHUNK_BYTES, from, true, &got, &error));
    assert_true(cu_span_eq(cu_buf_span(&got), cu_span(bytes.p + CU_CHUNK_BYTES, CU_CHUNK_BYTES)));
    end_stores(&s);
}

static void damage_outside_of_a_range_is_not_met(void **state)
{
    struct stores s = new_stores();
    CU_BUF bytes = some_bytes(3 * CU_CHUNK_BYTES, 9), got = cu_buf_heap(3 * CU_CHUNK_BYTES);
    const cu_hash root = deposit(&s, cu_buf_span(&bytes));
    struct paths p = paths_in(&s.fs, "cloud/objects/large", NULL);
    (void)state;

    flip_bit(&s.fs, p.path[0], 8 * (CU_CHUNK_BYTES + 5));
    OK(read_range(&s, &root, 0, CU_CHUNK_BYTES, &got));
    OK(read_range(&s, &root, 2 * CU_CHUNK_BYTES, 3 * CU_CHUNK_BYTES, &got));
    IS(CU_BAD_HASH, read_range(&s, &root, 0, CU_CHUNK_BYTES + 1, &got));
    end_stores(&s);
}

static void a_tree_that_was_met_once_serves_further_parts_and_damage_of_the_bytes_is_still_met(void **state)
{
    struct stores s = new_stores();
    CU_BUF bytes = some_bytes(3 * CU_CHUNK_BYTES, 11), got = cu_buf_heap(3 * CU_CHUNK_BYTES);
    const cu_hash root = deposit(&s, cu_buf_span(&bytes));
    struct paths p = paths_in(&s.fs, "cloud/objects/large", NULL);
    (void)state;

    assert_non_null(strstr(p.path[1], ".tree"));
    OK(read_range(&s, &root, 5, 6, &got));
    flip_bit(&s.fs, p.path[1], 3);
    OK(read_range(&s, &root, CU_CHUNK_BYTES, CU_CHUNK_BYTES + 1, &got));
    assert_int_equal(got.p[0], bytes.p[CU_CHUNK_BYTES]);
    flip_bit(&s.fs, p.path[0], 8 * (CU_CHUNK_BYTES + 5));
    IS(CU_BAD_HASH, read_range(&s, &root, CU_CHUNK_BYTES, CU_CHUNK_BYTES + 1, &got));
    IS(CU_BAD_HASH, read_range(&s, &root, 0, 3 * CU_CHUNK_BYTES, &got)); /* the whole reads its tree again */
    end_stores(&s);
}

static void one_that_came_as_large_and_is_small_lies_in_a_pack(void **state)
{
    struct stores s = new_stores();
    struct cu_put *p;
    cu_hash root, empty;
    uint64_t size;
    (void)state;

    OK(cu_put_begin(s.at, 2, &p, &error));
    OK(cu_put_large_begin(p, &error));
    OK(cu_put_large_add(p, cu_span_str("small after all"), &error));
    OK(cu_put_large_end(p, &root, &size, &error));
    OK(cu_put_large_begin(p, &error));
    OK(cu_put_large_end(p, &empty, &size, &error));
    OK(cu_put_commit(p, &error));
    cu_put_free(p);
    assert_true(holds(s.at[0], CU_OBJECT_CONTENT, &root, cu_span_str("small after all")));
    assert_true(holds(s.at[0], CU_OBJECT_CONTENT, &empty, CU_SPAN_EMPTY));
    assert_int_equal(files_in(&s, "cloud/objects/large"), 0);
    end_stores(&s);
}

static void a_small_object_of_a_megabyte_is_refused(void **state)
{
    struct stores s = new_stores();
    CU_BUF bytes = some_bytes(CU_CHUNK_BYTES, 1);
    cu_hash root = cu_content_root_of(cu_buf_span(&bytes));
    struct cu_put *p;
    (void)state;

    OK(cu_put_begin(s.at, 2, &p, &error));
    IS(CU_TOO_LARGE, cu_put_small(p, CU_OBJECT_CONTENT, &root, cu_buf_span(&bytes), &error));
    cu_put_free(p);
    end_stores(&s);
}

static void a_batch_that_is_not_committed_leaves_nothing(void **state)
{
    struct stores s = new_stores();
    CU_BUF large = some_bytes(2 * CU_CHUNK_BYTES, 1);
    struct cu_put *p;
    (void)state;

    OK(cu_put_begin(s.at, 2, &p, &error));
    put_content(p, cu_span_str("one"));
    put_content(p, cu_buf_span(&large));
    cu_put_free(p);
    struct paths left = paths_in(&s.fs, "cloud", NULL);
    for (size_t i = 0; i < left.n; i++) {
        assert_non_null(strstr(left.path[i], "/incoming/"));
        assert_int_equal(file_size(&s.fs, left.path[i]), 0);
    }
    end_stores(&s);
}

static void what_all_stores_have_is_linked_and_not_written_again(void **state)
{
    struct stores s = new_stores();
    CU_BUF large = some_bytes(CU_CHUNK_BYTES + 1, 1);
    (void)state;

    deposit(&s, cu_span_str("twice"));
    deposit(&s, cu_buf_span(&large));
    size_t before = files_in(&s, "cloud/objects") - paths_in(&s.fs, "cloud/objects/incoming", NULL).n;
    deposit(&s, cu_span_str("twice"));
    deposit(&s, cu_buf_span(&large));
    assert_int_equal(files_in(&s, "cloud/objects") - paths_in(&s.fs, "cloud/objects/incoming", NULL).n, before);
    struct paths incoming = paths_in(&s.fs, "node/objects/incoming", NULL);
    for (size_t i = 0; i < incoming.n; i++) assert_int_equal(file_size(&s.fs, incoming.path[i]), 0);
    end_stores(&s);
}

static void the_same_twice_in_one_batch_is_written_once(void **state)
{
    struct stores s = new_stores();
    CU_BUF large = some_bytes(CU_CHUNK_BYTES + 1, 1);
    struct cu_object_sum sum;
    struct cu_put *p;
    (void)state;

    OK(cu_put_begin(s.at, 2, &p, &error));
    for (int i = 0; i < 3; i++)
        put_content(p, cu_span_str("thrice")), put_content(p, cu_buf_span(&large)), put_content(p, CU_SPAN_EMPTY);
    OK(cu_put_commit(p, &error));
    OK(cu_put_verify(p, 1, &error));
    cu_put_free(p);
    OK(cu_objects_check(s.at[0], &(struct cu_object_check){ 0 }, &sum, &error));
    assert_int_equal(sum.objects, 3);
    end_stores(&s);
}

static void what_one_store_lacks_is_written_to_both(void **state)
{
    struct stores s = new_stores();
    struct cu_put *p;
    cu_hash root;
    (void)state;

    OK(cu_put_begin(s.at, 1, &p, &error));
    root = put_content(p, cu_span_str("only in the cloud"));
    OK(cu_put_commit(p, &error));
    cu_put_free(p);
    assert_false(holds(s.at[1], CU_OBJECT_CONTENT, &root, cu_span_str("only in the cloud")));
    deposit(&s, cu_span_str("only in the cloud"));
    assert_true(holds(s.at[1], CU_OBJECT_CONTENT, &root, cu_span_str("only in the cloud")));
    end_stores(&s);
}

static void a_full_pack_gives_way_to_the_next(void **state)
{
    struct stores s = new_stores();
    CU_BUF bytes = some_bytes(1000000, 9);
    struct cu_put *p;
    struct cu_object_sum sum;
    cu_hash name[70];
    (void)state;

    OK(cu_put_begin(s.at, 2, &p, &error));
    for (unsigned i = 0; i < 70; i++) {
        cu_put_be32(bytes.p, i);
        name[i] = put_content(p, cu_buf_span(&bytes));
    }
    OK(cu_put_commit(p, &error));
    OK(cu_put_verify(p, 0, &error));
    cu_put_free(p);
    assert_int_equal(files_in(&s, "cloud/objects/packs"), 4);
    struct paths packs = paths_in(&s.fs, "cloud/objects/packs", NULL);
    for (size_t i = 0; i < packs.n; i++) assert_true(file_size(&s.fs, packs.path[i]) <= CU_PACK_MAX);
    for (unsigned i = 0; i < 70; i++) {
        cu_put_be32(bytes.p, i);
        assert_true(holds(s.at[1], CU_OBJECT_CONTENT, &name[i], cu_buf_span(&bytes)));
    }
    OK(cu_objects_check(s.at[1], &(struct cu_object_check){ 0 }, &sum, &error));
    assert_int_equal(sum.objects, 70);
    end_stores(&s);
}

static void a_pack_has_at_most_so_many_objects(void **state)
{
    struct stores s = new_stores();
    struct cu_object_sum sum;
    struct cu_put *p;
    uint8_t bytes[4];
    (void)state;

    OK(cu_put_begin(s.at, 2, &p, &error));
    for (uint32_t i = 0; i < CU_PACK_ROWS_MAX + 10; i++) {
        cu_put_be32(bytes, i);
        cu_hash name = cu_sha256(CU_SPAN_OF(bytes));
        OK(cu_put_small(p, CU_OBJECT_DETAILS, &name, CU_SPAN_OF(bytes), &error));
    }
    OK(cu_put_commit(p, &error));
    cu_put_free(p);
    OK(cu_objects_check(s.at[0], &(struct cu_object_check){ 0 }, &sum, &error));
    assert_int_equal(sum.objects, CU_PACK_ROWS_MAX + 10);
    assert_int_equal(files_in(&s, "cloud/objects/packs"), 4);
    end_stores(&s);
}

static void content_and_details_of_one_name_are_told_apart(void **state)
{
    struct stores s = new_stores();
    uint8_t details[40] = { 0 }; /* a salt that begins with 0: as details its name is that of the rest as content */
    struct cu_span content = cu_span(details + 1, sizeof details - 1);
    struct cu_put *p;
    (void)state;

    fill_bytes(details + 1, sizeof details - 1, 5);
    cu_hash name = cu_sha256(CU_SPAN_OF(details)), root = cu_content_root_of(content);
    assert_true(cu_hash_eq(&name, &root));
    OK(cu_put_begin(s.at, 2, &p, &error));
    OK(cu_put_small(p, CU_OBJECT_DETAILS, &name, CU_SPAN_OF(details), &error));
    OK(cu_put_small(p, CU_OBJECT_CONTENT, &root, content, &error));
    OK(cu_put_commit(p, &error));
    OK(cu_put_verify(p, 0, &error));
    cu_put_free(p);
    assert_true(holds(s.at[0], CU_OBJECT_DETAILS, &name, CU_SPAN_OF(details)));
    assert_true(holds(s.at[0], CU_OBJECT_CONTENT, &root, content));
    end_stores(&s);
}

/* ---- reading ---- */

struct fed {
    uint64_t n;
    cu_hash first;
};

static cu_status count_fed(void *arg, struct cu_span bytes, struct cu_err *err)
{
    (void)err;
    ((struct fed *)arg)->n += bytes.n;
    return CU_OK;
}

static void nothing_unverified_is_handed_on(void **state)
{
    struct stores s = new_stores();
    CU_BUF bytes = some_bytes(3 * CU_CHUNK_BYTES + 5, 1);
    struct cu_object o;
    struct fed fed = { 0 };
    (void)state;

    cu_hash root = deposit(&s, cu_buf_span(&bytes)), small = deposit(&s, cu_span_str("a small one"));
    OK(cu_objects_find(s.at[0], CU_OBJECT_CONTENT, &root, &o, &error));
    struct paths large = paths_in(&s.fs, "cloud/objects/large", NULL);
    assert_int_equal(large.n, 2);
    flip_bit(&s.fs, large.path[0], 8 * (2 * CU_CHUNK_BYTES + 77));
    IS(CU_BAD_HASH, cu_object_stream(&o, count_fed, &fed, &error));
    assert_int_equal(fed.n, 2 * CU_CHUNK_BYTES);
    assert_non_null(strstr(error.text, large.path[0]));
    assert_non_null(strstr(error.text, "2097152"));
    flip_bit(&s.fs, large.path[1], 8 * 40);
    fed.n = 0;
    IS(CU_BAD_HASH, cu_object_stream(&o, count_fed, &fed, &error));
    assert_int_equal(fed.n, 0);
    assert_non_null(strstr(error.text, ".tree"));

    OK(cu_objects_find(s.at[0], CU_OBJECT_CONTENT, &small, &o, &error));
    flip_bit(&s.fs, paths_in(&s.fs, "cloud/objects/packs", NULL).path[1], 8 * 25);
    IS(CU_BAD_HASH, cu_object_stream(&o, count_fed, &fed, &error));
    assert_int_equal(fed.n, 0);
    assert_true(holds(s.at[1], CU_OBJECT_CONTENT, &small, cu_span_str("a small one")));
    end_stores(&s);
}

static void a_whole_object_is_read_only_if_it_fits(void **state)
{
    struct stores s = new_stores();
    CU_BUF got = cu_buf_heap(100);
    struct cu_object o;
    (void)state;

    cu_hash name = deposit(&s, cu_span_str("ten bytes."));
    OK(cu_objects_find(s.at[0], CU_OBJECT_CONTENT, &name, &o, &error));
    IS(CU_TOO_LARGE, cu_object_read(&o, 9, &got, &error));
    OK(cu_object_read(&o, 10, &got, &error));
    assert_true(cu_span_is(cu_buf_span(&got), "ten bytes."));
    end_stores(&s);
}

static void the_provider_notices_what_it_stored_badly(void **state)
{
    struct stores s = new_stores();
    CU_BUF large = some_bytes(CU_CHUNK_BYTES + 9, 1);
    struct cu_put *p;
    (void)state;

    OK(cu_put_begin(s.at, 2, &p, &error));
    put_content(p, cu_span_str("abc"));
    put_content(p, cu_buf_span(&large));
    OK(cu_put_commit(p, &error));
    struct paths all = paths_in(&s.fs, "cloud/objects", "incoming");
    assert_int_equal(all.n, 4);
    for (size_t i = 0; i < all.n; i++) {
        uint64_t bit = (file_size(&s.fs, all.path[i]) - 1) * 8;
        OK(cu_put_verify(p, 0, &error));
        flip_bit(&s.fs, all.path[i], bit);
        IS(CU_BAD_HASH, cu_put_verify(p, 0, &error));
        assert_non_null(strstr(error.text, all.path[i]));
        OK(cu_put_verify(p, 1, &error));
        flip_bit(&s.fs, all.path[i], bit);
    }
    cu_put_free(p);

    flip_bit(&s.fs, all.path[0], 8 * 100); /* a linked object is verified like any other */
    OK(cu_put_begin(s.at, 2, &p, &error));
    put_content(p, cu_buf_span(&large));
    OK(cu_put_commit(p, &error));
    IS(CU_BAD_HASH, cu_put_verify(p, 0, &error));
    OK(cu_put_verify(p, 1, &error));
    cu_put_free(p);
    end_stores(&s);
}

/* ---- finding ---- */

static void an_object_is_found_though_its_index_file_is_bad_or_gone(void **state)
{
    struct stores s = new_stores();
    (void)state;

    cu_hash name = deposit(&s, cu_span_str("found by its pack"));
    char idx[200];
    snprintf(idx, sizeof idx, "%s", paths_in(&s.fs, "cloud/objects/packs", NULL).path[0]);
    assert_non_null(strstr(idx, ".idx"));
    flip_bit(&s.fs, idx, 500);
    close_stores(&s);
    open_stores(&s, NULL);
    assert_true(holds(s.at[0], CU_OBJECT_CONTENT, &name, cu_span_str("found by its pack")));
    OK(s.fs.ops->rename(s.fs.self, idx, "elsewhere", &error));
    close_stores(&s);
    open_stores(&s, NULL);
    assert_true(holds(s.at[0], CU_OBJECT_CONTENT, &name, cu_span_str("found by its pack")));
    end_stores(&s);
}

static void what_is_missing_is_named(void **state)
{
    struct stores s = new_stores();
    struct cu_object o;
    (void)state;

    cu_hash name = deposit(&s, cu_span_str("soon gone"));
    struct paths packs = paths_in(&s.fs, "cloud/objects/packs", NULL);
    OK(s.fs.ops->rename(s.fs.self, packs.path[1], "elsewhere", &error)); /* the pack; its index stays */
    close_stores(&s);
    open_stores(&s, NULL);
    IS(CU_NOT_FOUND, cu_objects_find(s.at[0], CU_OBJECT_CONTENT, &name, &o, &error));
    assert_non_null(strstr(error.text, packs.path[1]));
    IS(CU_NOT_FOUND, cu_objects_has(s.at[0], CU_OBJECT_CONTENT, &name, 9, true, &error));
    OK(cu_objects_has(s.at[1], CU_OBJECT_CONTENT, &name, 9, true, &error));
    IS(CU_BAD_HASH, cu_objects_has(s.at[1], CU_OBJECT_CONTENT, &name, 10, true, &error));
    IS(CU_NOT_FOUND, cu_objects_has(s.at[1], CU_OBJECT_DETAILS, &name, 9, true, &error));
    end_stores(&s);
}

static void the_search_index_is_told_and_never_trusted(void **state)
{
    struct stores s = new_stores();
    struct cu_index index;
    struct cu_index_object hint;
    CU_BUF large = some_bytes(CU_CHUNK_BYTES, 4);
    (void)state;

    close_stores(&s);
    OK(cu_sqlite_index_open("/nowhere/index.db", true, &index, &error));
    open_stores(&s, &index);
    cu_hash name = deposit(&s, cu_span_str("known")), big = deposit(&s, cu_buf_span(&large));
    OK(index.find_object(index.self, 1, &name, 0, &hint, &error));
    IS(CU_NOT_FOUND, index.find_object(index.self, 0, &big, 0, &hint, &error)); /* its name says where it lies */
    assert_true(holds(s.at[0], CU_OBJECT_CONTENT, &name, cu_span_str("known")));
    deposit(&s, cu_span_str("known"));
    assert_int_equal(files_in(&s, "cloud/objects/packs"), 2);

    cu_hash other = deposit(&s, cu_span_str("others"));
    const struct cu_index_object lies[] = {
        /* no pack of that name, no such row, another object's row */
        { name, { { 0, 0, 1 } }, 0 },
        { name, hint.pack, 77 },
        { other, hint.pack, 0 },
    };
    OK(index.begin(index.self, &error));
    for (size_t i = 0; i < 3; i++) OK(index.put_object(index.self, 0, &lies[i], &error));
    OK(index.commit(index.self, (cu_size){ 0 }, &error));
    assert_true(holds(s.at[0], CU_OBJECT_CONTENT, &name, cu_span_str("known")));
    assert_true(holds(s.at[0], CU_OBJECT_CONTENT, &other, cu_span_str("others")));
    close_stores(&s);
    index.close(index.self);

    OK(cu_sqlite_index_open("/nowhere/index.db", true, &index, &error)); /* an empty one, told again */
    open_stores(&s, &index);
    OK(cu_objects_reindex(s.at[0], &error));
    OK(index.find_object(index.self, 0, &other, 0, &hint, &error));
    IS(CU_NOT_FOUND, index.find_object(index.self, 1, &other, 0, &hint, &error));
    end_stores(&s);
    index.close(index.self);
}

/* ---- attachments ---- */

static void attachments_of_drained_records_lie_in_both_stores(void **state)
{
    struct stores s = new_stores();
    struct cu_attachment_writer writer = { .stores = { s.at[0], s.at[1] }, .n = 2 };
    struct cu_attachments a = cu_objects_attachments(&writer);
    uint8_t salt[CU_SALT_LEN];
    struct cu_record record = { .salt = CU_SPAN_OF(salt), .details = cu_span_str("details"), .content = cu_span_str("inline") };
    (void)state;

    fill_bytes(salt, sizeof salt, 1);
    for (int round = 0; round < 2; round++) { /* a drain that is done again writes nothing new */
        OK(a.put(a.self, (cu_seq){ 3 }, &record, &error));
        struct cu_record bare = { .entry = cu_span_str("x") };
        OK(a.put(a.self, (cu_seq){ 4 }, &bare, &error));
        OK(a.sync(a.self, &error));
        OK(a.sync(a.self, &error));
    }
    CU_BUF due = cu_buf_heap(100);
    cu_buf_add(&due, CU_SPAN_OF(salt));
    cu_buf_add_str(&due, "details");
    cu_hash commitment = cu_commitment(record.salt, record.details), root = cu_content_root_of(cu_span_str("inline"));
    for (int k = 0; k < 2; k++) {
        assert_true(holds(s.at[k], CU_OBJECT_DETAILS, &commitment, cu_buf_span(&due)));
        assert_true(holds(s.at[k], CU_OBJECT_CONTENT, &root, cu_span_str("inline")));
    }
    assert_int_equal(files_in(&s, "cloud/objects/packs"), 2);
    end_stores(&s);
}

static void two_batches_at_once_do_not_disturb_each_other(void **state)
{
    struct stores s = new_stores();
    CU_BUF a = some_bytes(CU_CHUNK_BYTES * 2 + 1, 1), b = some_bytes(CU_CHUNK_BYTES * 2 + 1, 2);
    struct cu_put *p, *q;
    (void)state;

    OK(cu_put_begin(s.at, 2, &p, &error));
    OK(cu_put_begin(s.at, 2, &q, &error));
    cu_hash name[4] = { put_content(p, cu_buf_span(&a)), put_content(q, cu_buf_span(&b)), put_content(p, cu_span_str("p")),
                        put_content(q, cu_span_str("q")) };
    OK(cu_put_commit(q, &error));
    OK(cu_put_commit(p, &error));
    OK(cu_put_verify(p, 0, &error));
    OK(cu_put_verify(q, 1, &error));
    cu_put_free(p);
    cu_put_free(q);
    assert_true(holds(s.at[0], CU_OBJECT_CONTENT, &name[0], cu_buf_span(&a)));
    assert_true(holds(s.at[1], CU_OBJECT_CONTENT, &name[1], cu_buf_span(&b)));
    assert_true(holds(s.at[0], CU_OBJECT_CONTENT, &name[2], cu_span_str("p")));
    assert_true(holds(s.at[1], CU_OBJECT_CONTENT, &name[3], cu_span_str("q")));
    end_stores(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_was_put_is_in_both_stores),
        cmocka_unit_test(a_large_object_in_odd_pieces_is_the_same),
        cmocka_unit_test(any_range_is_read_and_verified_without_the_rest),
        cmocka_unit_test(what_is_not_judged_is_what_lies_there),
        cmocka_unit_test(damage_outside_of_a_range_is_not_met),
        cmocka_unit_test(a_tree_that_was_met_once_serves_further_parts_and_damage_of_the_bytes_is_still_met),
        cmocka_unit_test(one_that_came_as_large_and_is_small_lies_in_a_pack),
        cmocka_unit_test(a_small_object_of_a_megabyte_is_refused),
        cmocka_unit_test(a_batch_that_is_not_committed_leaves_nothing),
        cmocka_unit_test(what_all_stores_have_is_linked_and_not_written_again),
        cmocka_unit_test(the_same_twice_in_one_batch_is_written_once),
        cmocka_unit_test(what_one_store_lacks_is_written_to_both),
        cmocka_unit_test(a_full_pack_gives_way_to_the_next),
        cmocka_unit_test(a_pack_has_at_most_so_many_objects),
        cmocka_unit_test(content_and_details_of_one_name_are_told_apart),
        cmocka_unit_test(nothing_unverified_is_handed_on),
        cmocka_unit_test(a_whole_object_is_read_only_if_it_fits),
        cmocka_unit_test(the_provider_notices_what_it_stored_badly),
        cmocka_unit_test(an_object_is_found_though_its_index_file_is_bad_or_gone),
        cmocka_unit_test(what_is_missing_is_named),
        cmocka_unit_test(the_search_index_is_told_and_never_trusted),
        cmocka_unit_test(attachments_of_drained_records_lie_in_both_stores),
        cmocka_unit_test(two_batches_at_once_do_not_disturb_each_other),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
