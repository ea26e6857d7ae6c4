/* Manifests: rules of paths, of rows, between rows, and of the whole. */
#include "custody/content.h"

#include "naive.h"
#include "../../schema_check.h"

static cu_status path(const char *text) { return cu_path_check(cu_span_str(text), NULL); }

static void a_path_is_relative_and_plain(void **state)
{
    static const char *const good[] = { "a", "a/b",   "...", "a/..b", ".a", "a\n\x01\xff", "\xe7\x94\xb2/\xe4\xb9\x99",
                                        " ", "C:\\x", "-rf" };
    static const char *const bad[] = { "", "/", "/a", "a/", "a//b", ".", "..", "./a", "a/.", "a/../b", "../a" };

    (void)state;
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) assert_ok(path(good[i]));
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) assert_status(path(bad[i]), CU_MALFORMED);
    assert_status(cu_path_check(cu_span("a\0b", 3), NULL), CU_MALFORMED);
}

static void a_path_has_a_longest_and_a_deepest(void **state)
{
    char text[CU_PATH_MAX_BYTES + 2] = { 0 };

    (void)state;
    memset(text, 'a', CU_PATH_MAX_BYTES);
    assert_ok(path(text));
    text[CU_PATH_MAX_BYTES] = 'a';
    assert_status(path(text), CU_MALFORMED);

    memset(text, 0, sizeof text);
    for (unsigned i = 0; i < CU_PATH_DEPTH_MAX; i++) text[2 * i] = 'd', text[2 * i + 1] = '/';
    text[2 * CU_PATH_DEPTH_MAX - 1] = '\0';
    assert_ok(path(text));
    text[2 * CU_PATH_DEPTH_MAX - 1] = '/', text[2 * CU_PATH_DEPTH_MAX] = 'd';
    assert_status(path(text), CU_MALFORMED);
}

static void paths_ascend_as_a_walk_meets_them(void **state)
{
    static const char *const order[] = {
        "a", "a/b", "a/b/c", "a/b-c", "a/c", "a ", "a-", "a-b", "a-b/c", "a.", "ab", "b", "\xff"
    };
    enum { N = sizeof order / sizeof *order };

    (void)state;
    for (size_t i = 0; i < N; i++)
        for (size_t j = 0; j < N; j++)
            assert_int_equal(cu_path_cmp(cu_span_str(order[i]), cu_span_str(order[j])), (i > j) - (i < j));
}

/* ---- rows --------------------------------------------------------------------------------------------------------- */

static struct cu_item item(enum cu_item_type type, const char *name)
{
    struct cu_item it = { .path = cu_span_str(name), .type = type, .mode = 0644, .mtime_s = 1700000000, .mtime_ns = 5 };

    if (type == CU_ITEM_FILE) {
        it.size = 3, it.has_root = it.has_sha256 = true;
        it.root = cu_content_root_of(cu_span_str("abc")), it.sha256 = cu_sha256(cu_span_str("abc"));
    }
    if (type == CU_ITEM_SYMLINK || type == CU_ITEM_HARDLINK) it.target = cu_span_str("a"), it.has_target = true;
    return it;
}

static cu_status write_row(const struct cu_item *it)
{
    CU_BUF row = cu_buf_heap(CU_MANIFEST_ROW_MAX);
    struct cu_item again;
    cu_status status = cu_item_write(it, &row, NULL);

    if (status != CU_OK) return status;
    assert_ok(cu_item_read(cu_buf_span(&row), &again, NULL));
    assert_true(cu_span_eq(again.path, it->path));
    assert_int_equal(again.size, it->size);
    CU_BUF twice = cu_buf_heap(CU_MANIFEST_ROW_MAX);
    assert_ok(cu_item_write(&again, &twice, NULL));
    assert_true(cu_span_eq(cu_buf_span(&row), cu_buf_span(&twice)));
    return CU_OK;
}

static void the_tables_are_in_order(void **state)
{
    (void)state;
    schema_check(&cu_item_schema);
    schema_check(&cu_manifest_header_schema);
}

static void a_row_of_each_type_survives(void **state)
{
    (void)state;
    for (enum cu_item_type type = CU_ITEM_FILE; type <= CU_ITEM_OTHER; type++) {
        struct cu_item it = item(type, "b");
        assert_status(write_row(&it), CU_OK);
    }
}

#define REFUSED(type, spoil)                         \
    do {                                             \
        struct cu_item it = item((type), "b");       \
        spoil;                                       \
        assert_status(write_row(&it), CU_MALFORMED); \
    } while (0)

static void a_row_says_what_its_type_says_and_nothing_else(void **state)
{
    static uint8_t long_target[CU_PATH_MAX_BYTES + 1];

    (void)state;
    memset(long_target, 'a', sizeof long_target);
    REFUSED(CU_ITEM_FILE, it.has_root = false);
    REFUSED(CU_ITEM_FILE, it.has_sha256 = false);
    REFUSED(CU_ITEM_FILE, it.size = 0);               /* no bytes, but digests of some */
    REFUSED(CU_ITEM_FILE, it.root = cu_empty_root()); /* the other way */
    REFUSED(CU_ITEM_FILE, it.size = (uint64_t)1 << 63);
    REFUSED(CU_ITEM_FILE, (it.has_target = true, it.target = cu_span_str("a")));
    REFUSED(CU_ITEM_DIRECTORY, it.size = 1);
    REFUSED(CU_ITEM_DIRECTORY, it.has_root = true);
    REFUSED(CU_ITEM_OTHER, it.has_sha256 = true);
    REFUSED(CU_ITEM_SYMLINK, it.has_target = false);
    REFUSED(CU_ITEM_SYMLINK, it.target = CU_SPAN_EMPTY);
    REFUSED(CU_ITEM_SYMLINK, it.target = cu_span("a\0b", 3));
    REFUSED(CU_ITEM_SYMLINK, it.target = CU_SPAN_OF(long_target));
    REFUSED(CU_ITEM_HARDLINK, it.target = cu_span_str("b"));    /* itself */
    REFUSED(CU_ITEM_HARDLINK, it.target = cu_span_str("c"));    /* what comes later */
    REFUSED(CU_ITEM_HARDLINK, it.target = cu_span_str("../a")); /* not a path */
    REFUSED(CU_ITEM_FILE, it.type = 6);
    REFUSED(CU_ITEM_FILE, it.type = 0);
    REFUSED(CU_ITEM_FILE, it.mode = 010000);
    REFUSED(CU_ITEM_FILE, it.mtime_ns = 1000000000);
    REFUSED(CU_ITEM_FILE, it.path = cu_span_str("/b"));
}

static void an_empty_file_and_any_link_text_are_fine(void **state)
{
    struct cu_item it = item(CU_ITEM_FILE, "b");

    (void)state;
    it.size = 0, it.root = cu_empty_root(), it.sha256 = cu_sha256(CU_SPAN_EMPTY);
    assert_status(write_row(&it), CU_OK);
    it = item(CU_ITEM_SYMLINK, "b");
    it.target = cu_span_str("/etc/../..//\xff"); /* recorded, never followed */
    assert_status(write_row(&it), CU_OK);
    it = item(CU_ITEM_FILE, "b");
    it.mtime_s = UINT64_MAX; /* a second before 1970 */
    assert_status(write_row(&it), CU_OK);
}

static void the_longest_row_fits_and_what_is_longer_is_not_read(void **state)
{
    static uint8_t path[CU_PATH_MAX_BYTES], target[CU_PATH_MAX_BYTES], row[CU_MANIFEST_ROW_MAX + 1];
    struct cu_item it = item(CU_ITEM_HARDLINK, "b");
    struct cu_err err;

    (void)state;
    memset(path, 'b', sizeof path);
    memset(target, 'a', sizeof target);
    it.path = CU_SPAN_OF(path), it.target = CU_SPAN_OF(target);
    assert_ok(write_row(&it));
    assert_status(cu_item_read(cu_span(row, CU_MANIFEST_ROW_MAX), &it, &err), CU_MALFORMED);
    assert_null(strstr(err.text, "12288 bytes"));
    assert_status(cu_item_read(CU_SPAN_OF(row), &it, &err), CU_MALFORMED);
    assert_non_null(strstr(err.text, "12289 bytes"));
}

static void a_manifest_announces_at_most_16_million_items(void **state)
{
    CU_BUF out = cu_buf_heap(200);
    struct cu_manifest m;

    (void)state;
    cu_manifest_header_put(CU_ITEMS_MAX, 0, &out);
    assert_ok(cu_manifest_open(cu_buf_span(&out), &m, NULL));
    assert_int_equal(m.header.items, CU_ITEMS_MAX);
    assert_memory_equal(out.p + out.n - 7, "\x1a\x01\0\0\0\x03", 6);
    out.p[out.n - 3]++;
    assert_status(cu_manifest_open(cu_buf_span(&out), &m, NULL), CU_MALFORMED);
}

/* ---- the whole ---------------------------------------------------------------------------------------------------- */

struct tree_row {
    enum cu_item_type type;
    const char *path;
};
#define F CU_ITEM_FILE
#define D CU_ITEM_DIRECTORY

static struct cu_buf manifest(const struct tree_row *rows, size_t n, uint64_t items, uint64_t bytes)
{
    struct cu_buf ret = cu_buf_heap(1 << 20);

    cu_manifest_header_put(items, bytes, &ret);
    for (size_t i = 0; i < n; i++) {
        struct cu_item it = item(rows[i].type, rows[i].path);
        assert_ok(cu_item_write(&it, &ret, NULL));
    }
    return ret;
}

static cu_status walk(struct cu_span bytes, cu_hash *ret_root, size_t *ret_n)
{
    struct cu_manifest m;
    struct cu_item it;
    bool more;

    *ret_n = 0;
    TRY(cu_manifest_open(bytes, &m, NULL));
    for (;; ++*ret_n) {
        TRY(cu_manifest_next(&m, &it, &more, NULL));
        if (!more) break;
    }
    *ret_root = cu_manifest_root(&m);
    return CU_OK;
}

static cu_status walk_rows(const struct tree_row *rows, size_t n, uint64_t bytes)
{
    CU_BUF all = manifest(rows, n, n, bytes);
    cu_hash root;
    size_t seen;

    return walk(cu_buf_span(&all), &root, &seen);
}

static const struct tree_row folder[] = { { D, "a" },
                                          { F, "a/b" },
                                          { D, "a/c" },
                                          { F, "a/c/\xff\x01" },
                                          { F, "a-b" },
                                          { D, "e" },
                                          { CU_ITEM_HARDLINK, "f" },
                                          { CU_ITEM_SYMLINK, "g" } };
enum { FOLDER = sizeof folder / sizeof *folder, FOLDER_BYTES = 9 };

static void a_whole_manifest_gives_its_rows_and_the_items_root(void **state)
{
    CU_BUF all = manifest(folder, FOLDER, FOLDER, FOLDER_BYTES);
    struct cu_manifest m;
    cu_hash leaves[FOLDER], root, want;
    struct cu_item it;
    bool more = true;
    size_t n = 0;

    (void)state;
    assert_ok(cu_manifest_open(cu_buf_span(&all), &m, NULL));
    for (;; n++) {
        assert_ok(cu_manifest_next(&m, &it, &more, NULL));
        if (!more) break;
        assert_true(cu_span_is(it.path, folder[n].path));
        leaves[n] = cu_leaf_hash(m.row);
    }
    assert_int_equal(n, FOLDER);
    root = cu_manifest_root(&m), want = naive_root(leaves, FOLDER);
    assert_hash_equal(&root, &want);
    assert_ok(cu_manifest_next(&m, &it, &more, NULL)); /* the end stays the end */
    assert_false(more);
}

static void an_item_is_found_by_its_path_alone(void **state)
{
    static const char *const others[] = { "", "a/", "a/a", "a/c/\xff", "a-", "h", "A" };
    CU_BUF all = manifest(folder, FOLDER, FOLDER, FOLDER_BYTES);
    struct cu_item it;
    uint64_t row = 0;

    (void)state;
    for (size_t i = 0; i < FOLDER; i++) {
        assert_ok(cu_manifest_find(cu_buf_span(&all), cu_span_str(folder[i].path), &it, &row, NULL));
        assert_true(cu_span_is(it.path, folder[i].path) && row == i + 1);
    }
    for (size_t i = 0; i < sizeof others / sizeof *others; i++)
        assert_status(cu_manifest_find(cu_buf_span(&all), cu_span_str(others[i]), &it, &row, NULL), CU_NOT_FOUND);
    all.n--;
    assert_status(cu_manifest_find(cu_buf_span(&all), cu_span_str("h"), &it, &row, NULL), CU_MALFORMED);
    assert_true(cu_span_is(it.path, folder[FOLDER - 1].path) && row == FOLDER);
}

static void an_empty_folder_has_an_empty_manifest(void **state)
{
    CU_BUF all = manifest(NULL, 0, 0, 0);
    cu_hash root, want = cu_empty_root();
    size_t n;

    (void)state;
    assert_ok(walk(cu_buf_span(&all), &root, &n));
    assert_hash_equal(&root, &want);
}

static void rows_out_of_order_or_without_their_folder_are_refused(void **state)
{
    (void)state;
    assert_status(walk_rows((struct tree_row[]){ { F, "b" }, { F, "a" } }, 2, 6), CU_MALFORMED);
    assert_status(walk_rows((struct tree_row[]){ { F, "a" }, { F, "a" } }, 2, 6), CU_MALFORMED);
    assert_status(walk_rows((struct tree_row[]){ { D, "a" }, { F, "a-b" }, { F, "a/b" } }, 3, 6), CU_MALFORMED);
    assert_status(walk_rows((struct tree_row[]){ { F, "a/b" } }, 1, 3), CU_MALFORMED);
    assert_status(walk_rows((struct tree_row[]){ { F, "a" }, { F, "a/b" } }, 2, 6), CU_MALFORMED);   /* a file is no folder */
    assert_status(walk_rows((struct tree_row[]){ { D, "a" }, { F, "a/b/c" } }, 2, 3), CU_MALFORMED); /* a/b is missing */
    assert_status(walk_rows((struct tree_row[]){ { D, "a" }, { F, "a/b" }, { F, "ab/c" } }, 3, 6), CU_MALFORMED);
    assert_status(walk_rows((struct tree_row[]){ { D, "a" }, { D, "a/b" }, { F, "a/b/c" }, { F, "a/d" }, { F, "e" } }, 5, 9),
                  CU_OK);
}

static void counts_and_sums_must_be_those_of_the_header(void **state)
{
    static const struct {
        uint64_t items, bytes;
    } wrong[] = {
        { FOLDER - 1, FOLDER_BYTES }, { FOLDER + 1, FOLDER_BYTES }, { FOLDER, FOLDER_BYTES - 1 }, { FOLDER, FOLDER_BYTES + 1 }
    };
    cu_hash root;
    size_t n;

    (void)state;
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        CU_BUF all = manifest(folder, FOLDER, wrong[i].items, wrong[i].bytes);
        assert_status(walk(cu_buf_span(&all), &root, &n), CU_MALFORMED);
    }
}

static void a_cut_or_lengthened_manifest_is_refused(void **state)
{
    CU_BUF all = manifest(folder, FOLDER, FOLDER, FOLDER_BYTES);
    cu_hash root;
    size_t n;

    (void)state;
    for (size_t cut = 0; cut < all.n; cut++) assert_status(walk(cu_span(all.p, cut), &root, &n), CU_MALFORMED);
    cu_buf_add_byte(&all, 0);
    assert_status(walk(cu_buf_span(&all), &root, &n), CU_MALFORMED);
}

static void a_flipped_bit_is_refused_or_changes_the_root(void **state)
{
    CU_BUF all = manifest(folder, FOLDER, FOLDER, FOLDER_BYTES);
    cu_hash root, other;
    size_t n;

    (void)state;
    assert_ok(walk(cu_buf_span(&all), &root, &n));
    for (size_t bit = 0; bit < 8 * all.n; bit++) {
        all.p[bit / 8] ^= (uint8_t)(1u << bit % 8);
        if (walk(cu_buf_span(&all), &other, &n) == CU_OK) assert_false(cu_hash_eq(&root, &other));
        all.p[bit / 8] ^= (uint8_t)(1u << bit % 8);
    }
}

/* The example of docs/formats/manifest.md. */
static void the_worked_example_of_the_format_page_holds(void **state)
{
    uint8_t want[512];
    CU_BUF all = cu_buf_heap(4096);
    struct cu_item dir = { .path = cu_span_str("d"), .type = D, .mode = 0755, .mtime_s = 1700000000 };
    struct cu_item file = { .path = cu_span_str("d/f"),
                            .type = F,
                            .mode = 0644,
                            .mtime_s = 1700000000,
                            .mtime_ns = 500000000,
                            .has_root = true,
                            .has_sha256 = true };

    (void)state;
    file.root = cu_empty_root(), file.sha256 = cu_sha256(CU_SPAN_EMPTY);
    cu_manifest_header_put(2, 0, &all);
    assert_ok(cu_item_write(&dir, &all, NULL));
    assert_ok(cu_item_write(&file, &all, NULL));
    size_t n = 0;
    for (struct vectors *v = vectors_open("merkle_manifest.txt"); vectors_next(v);)
        n += unhex(v->field[0], want + n, sizeof want - n);
    if (getenv("CUSTODY_PRINT") != NULL)
        for (size_t i = 0; i < all.n; i++) print_message("%02x", all.p[i]);
    assert_int_equal(all.n, n);
    assert_memory_equal(all.p, want, n);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_path_is_relative_and_plain),
        cmocka_unit_test(a_path_has_a_longest_and_a_deepest),
        cmocka_unit_test(paths_ascend_as_a_walk_meets_them),
        cmocka_unit_test(the_tables_are_in_order),
        cmocka_unit_test(a_row_of_each_type_survives),
        cmocka_unit_test(a_row_says_what_its_type_says_and_nothing_else),
        cmocka_unit_test(an_empty_file_and_any_link_text_are_fine),
        cmocka_unit_test(the_longest_row_fits_and_what_is_longer_is_not_read),
        cmocka_unit_test(a_manifest_announces_at_most_16_million_items),
        cmocka_unit_test(a_whole_manifest_gives_its_rows_and_the_items_root),
        cmocka_unit_test(an_item_is_found_by_its_path_alone),
        cmocka_unit_test(an_empty_folder_has_an_empty_manifest),
        cmocka_unit_test(rows_out_of_order_or_without_their_folder_are_refused),
        cmocka_unit_test(counts_and_sums_must_be_those_of_the_header),
        cmocka_unit_test(a_cut_or_lengthened_manifest_is_refused),
        cmocka_unit_test(a_flipped_bit_is_refused_or_changes_the_root),
        cmocka_unit_test(the_worked_example_of_the_format_page_holds),
    };
    return cmocka_run_group_tests_name("manifest", tests, NULL, NULL);
}
