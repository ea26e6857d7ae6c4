/* Tiles: where they lie, how wide they are, what bundles hold, and nodes out of them. */
#include "custody/tile.h"

#include "custody/text.h"
#include "naive.h"

static const struct {
    struct cu_tile tile;
    const char *path;
} paths[] = {
    { { 0, 0, 256 }, "tile/0/000" },
    { { 0, 5, 256 }, "tile/0/005" },
    { { 0, 255, 256 }, "tile/0/255" },
    { { 1, 256, 256 }, "tile/1/256" },
    { { 0, 999, 256 }, "tile/0/999" },
    { { 0, 1000, 256 }, "tile/0/x001/000" },
    { { 0, 1234067, 256 }, "tile/0/x001/x234/067" },
    { { 0, 1234067, 17 }, "tile/0/x001/x234/067.p/17" },
    { { 3, UINT64_C(1) << 40, 256 }, "tile/3/x001/x099/x511/x627/776" },
    { { 7, 0, 1 }, "tile/7/000.p/1" },
    { { CU_TILE_ENTRIES, 0, 255 }, "tile/entries/000.p/255" },
    { { CU_TILE_ENTRIES, 273, 112 }, "tile/entries/273.p/112" },
    { { CU_TILE_ENTRIES, UINT64_MAX, 255 }, "tile/entries/x018/x446/x744/x073/x709/x551/615.p/255" },
};

static void a_path_is_written_and_read_alike(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof paths / sizeof *paths; i++) {
        char path[CU_TILE_PATH_MAX];
        struct cu_tile tile;

        cu_tile_path(paths[i].tile, path);
        assert_string_equal(path, paths[i].path);
        assert_ok(cu_tile_path_read(cu_span_str(path), &tile, NULL));
        assert_memory_equal(&tile, &paths[i].tile, sizeof tile);
    }
}

static void any_other_spelling_of_a_path_is_malformed(void **state)
{
    static const char *const bad[] = {
        "",
        "tile",
        "tile/",
        "tile/0",
        "tile/0/",
        "tile/0/0",
        "tile/0/00",
        "tile/0/0000",
        "tile/0/1000",
        "tile/0/x000/001",
        "tile/0/x1/000",
        "tile/0/001/000",
        "tile/0/x001/x000",
        "tile/0/x001",
        "tile/0/x001/",
        "tile/0//000",
        "/tile/0/000",
        "tile/00/000",
        "tile/+0/000",
        "tile/8/000",
        "tile/63/000",
        "tile/-1/000",
        "tile/0/000/",
        "tile/0/000.p",
        "tile/0/000.p/",
        "tile/0/000.p/0",
        "tile/0/000.p/01",
        "tile/0/000.p/256",
        "tile/0/000.p/257",
        "tile/0/000.p/1/",
        "tile/0/000.p/1x",
        "tile/0/000p/1",
        "tile/0/X001/000",
        "tile/data/000",
        "tile/entries/",
        "tile/entries/0/000",
        "tile/0/x018/x446/x744/x073/x709/x551/616",
        "tile/0/x999/x999/x999/x999/x999/x999/x999/x999/999",
        "tile/0/ 00",
        "tile/0/000\n",
        "tile/0/x/000",
        "checkpoint",
        "tile/18446744073709551616/000",
        "tile/0/000.p/18446744073709551617",
    };
    struct cu_tile tile = { 5, 5, 5 }, before = tile;

    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        if (cu_tile_path_read(cu_span_str(bad[i]), &tile, NULL) != CU_MALFORMED) fail_msg("taken: %s", bad[i]);
        assert_memory_equal(&tile, &before, sizeof tile);
    }
}

static const struct {
    uint64_t size;
    int level;
    uint64_t full;
    unsigned partial;
} widths[] = {
    { 0, 0, 0, 0 },         { 1, 0, 0, 1 },      { 1, 1, 0, 0 },     { 255, 0, 0, 255 },     { 256, 0, 1, 0 },
    { 256, 1, 0, 1 },       { 257, 0, 1, 1 },    { 257, 1, 0, 1 },   { 65535, 0, 255, 255 }, { 65535, 1, 0, 255 },
    { 65536, 0, 256, 0 },   { 65536, 1, 1, 0 },  { 65536, 2, 0, 1 }, { 65537, 0, 256, 1 },   { 65537, 1, 1, 0 },
    { 70000, 0, 273, 112 }, { 70000, 1, 1, 17 }, { 70000, 2, 0, 1 }, { 70000, 3, 0, 0 },     { 70000, CU_TILE_ENTRIES, 273, 112 },
};

static void widths_are_those_of_the_specification(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof widths / sizeof *widths; i++) {
        cu_size size = { widths[i].size };
        uint64_t full = widths[i].full;

        if (full > 0) assert_int_equal(cu_tile_width(widths[i].level, full - 1, size), 256);
        assert_int_equal(cu_tile_width(widths[i].level, full, size), widths[i].partial);
        assert_int_equal(cu_tile_width(widths[i].level, full + 1, size), 0);
    }
    assert_int_equal(cu_tile_width(7, 0, (cu_size){ UINT64_MAX }), 255);
}

/* ---- bundles ------------------------------------------------------------------------------------------------------ */

static void a_bundle_gives_back_its_entries(void **state)
{
    static const char *const entries[] = { "one", "", "three", "four" };
    CU_BUF bundle = cu_buf_heap(1024);
    struct cu_span entry;
    size_t at = 0;

    (void)state;
    for (unsigned i = 0; i < 4; i++) cu_bundle_put(&bundle, cu_span_str(entries[i]));
    assert_ok(cu_bundle_check(cu_buf_span(&bundle), 4, NULL));
    assert_status(cu_bundle_check(cu_buf_span(&bundle), 3, NULL), CU_MALFORMED);
    assert_status(cu_bundle_check(cu_buf_span(&bundle), 5, NULL), CU_MALFORMED);
    for (unsigned i = 0; i < 4; i++) {
        assert_true(cu_bundle_next(cu_buf_span(&bundle), &at, &entry));
        assert_true(cu_span_is(entry, entries[i]));
        assert_ok(cu_bundle_entry(cu_buf_span(&bundle), i, &entry, NULL));
        assert_true(cu_span_is(entry, entries[i]));
    }
    assert_false(cu_bundle_next(cu_buf_span(&bundle), &at, &entry));
    assert_status(cu_bundle_entry(cu_buf_span(&bundle), 4, &entry, NULL), CU_MALFORMED);
}

static void a_bundle_that_is_cut_off_is_malformed(void **state)
{
    CU_BUF bundle = cu_buf_heap(1024);

    (void)state;
    cu_bundle_put(&bundle, cu_span_str("one"));
    cu_bundle_put(&bundle, cu_span_str("three"));
    for (size_t cut = 0; cut < bundle.n; cut++) assert_status(cu_bundle_check(cu_span(bundle.p, cut), 2, NULL), CU_MALFORMED);
    assert_ok(cu_bundle_check(CU_SPAN_EMPTY, 0, NULL));
}

static void an_entry_at_the_limit_passes_and_one_above_does_not(void **state)
{
    static uint8_t bytes[2 + CU_ENTRY_MAX + 1];

    (void)state;
    cu_put_be16(bytes, CU_ENTRY_MAX);
    assert_ok(cu_bundle_check(cu_span(bytes, 2 + CU_ENTRY_MAX), 1, NULL));
    cu_put_be16(bytes, CU_ENTRY_MAX + 1);
    assert_status(cu_bundle_check(cu_span(bytes, sizeof bytes), 1, NULL), CU_MALFORMED);
}

static void what_is_no_path_and_no_bundle_gives_nothing(void **state)
{
    char path[CU_TILE_PATH_MAX + 1] = "tile/0/";
    size_t beyond = 4;
    struct cu_span entry;
    struct cu_tile tile;

    (void)state;
    memset(path + 7, '0', CU_TILE_PATH_MAX - 7);
    assert_status(cu_tile_path_read(cu_span_str(path), &tile, NULL), CU_MALFORMED);
    assert_status(cu_tile_path_read(cu_span_str("0/000"), &tile, NULL), CU_MALFORMED);
    assert_false(cu_bundle_next(cu_span("\0\1a", 3), &beyond, &entry));
}

/* ---- nodes out of tiles ------------------------------------------------------------------------------------------- */

enum { BIG = 70000 };
static cu_hash leaves[BIG];

struct tiles {
    uint64_t size;
    size_t reads;
    bool short_by_one, failing;
};

/* Hash i of a level is the root of 256^level leaves. */
static cu_status read_tile(void *self, struct cu_tile tile, struct cu_buf *ret, struct cu_err *err)
{
    struct tiles *tiles = self;
    uint64_t each = UINT64_C(1) << (8 * tile.level);

    tiles->reads++;
    ENSURE(!tiles->failing, err, CU_IO, "the disk is gone");
    assert_int_equal(tile.width, cu_tile_width(tile.level, tile.index, (cu_size){ tiles->size }));
    for (unsigned i = 0; i < tile.width - tiles->short_by_one; i++) {
        cu_hash root = cu_tree_root(leaves + (tile.index * 256 + i) * each, each);
        cu_buf_add(ret, cu_span_hash(&root));
    }
    return CU_OK;
}

static int with_leaves(void **state)
{
    (void)state;
    some_leaves(leaves, BIG);
    return 0;
}

static void proofs_made_from_tiles_verify(void **state)
{
    static const uint64_t sizes[] = { 1, 2, 255, 256, 257, 511, 512, 1000, 65535, 65536, 65537, BIG };
    static struct cu_tile_nodes nodes;
    struct chance chance = chance_begin();

    (void)state;
    for (size_t s = 0; s < sizeof sizes / sizeof *sizes; s++) {
        struct tiles tiles = { .size = sizes[s] };
        cu_hash root = cu_tree_root(leaves, sizes[s]), path[CU_PROOF_HASHES_MAX];
        cu_size size = { sizes[s] };

        cu_tile_nodes_init(&nodes, (struct cu_tile_source){ .self = &tiles, .read = read_tile }, size);
        struct cu_node_source source = cu_tile_node_source(&nodes);
        for (unsigned round = 0; round < 12; round++) {
            uint64_t i = round == 0 ? 0 : round == 1 ? sizes[s] - 1 : chance_below(&chance, sizes[s]);
            size_t n;

            assert_ok(cu_inclusion_make(&source, (cu_seq){ i }, size, path, &n, NULL));
            assert_ok(cu_inclusion_verify(&leaves[i], (cu_seq){ i }, size, path, n, &root, NULL));
            cu_hash old = cu_tree_root(leaves, i + 1);
            assert_ok(cu_consistency_make(&source, (cu_size){ i + 1 }, size, path, &n, NULL));
            assert_ok(cu_consistency_verify((cu_size){ i + 1 }, &old, size, &root, path, n, NULL));
        }
    }
}

static cu_status read_long_tile(void *self, struct cu_tile tile, struct cu_buf *ret, struct cu_err *err)
{
    TRY(read_tile(self, tile, ret, err));
    cu_buf_add(ret, cu_span_hash(&leaves[0]));
    return CU_OK;
}

static void a_tile_with_a_hash_too_many_is_damaged(void **state)
{
    static const uint64_t sizes[] = { 256, 200 };
    static struct cu_tile_nodes nodes;
    cu_hash hash;

    (void)state;
    for (size_t i = 0; i < 2; i++) {
        struct tiles tiles = { .size = sizes[i] };
        cu_tile_nodes_init(&nodes, (struct cu_tile_source){ .self = &tiles, .read = read_long_tile }, (cu_size){ sizes[i] });
        struct cu_node_source source = cu_tile_node_source(&nodes);
        assert_status(source.node(source.self, 0, 3, &hash, NULL), CU_CORRUPT);
    }
}

static void there_is_no_node_beyond_the_log(void **state)
{
    static struct cu_tile_nodes nodes;
    struct tiles tiles = { .size = 1000 };
    cu_hash hash;

    (void)state;
    cu_tile_nodes_init(&nodes, (struct cu_tile_source){ .self = &tiles, .read = read_tile }, (cu_size){ 1000 });
    struct cu_node_source source = cu_tile_node_source(&nodes);
    for (unsigned level = 0; level < 64; level++) {
        uint64_t complete = UINT64_C(1000) >> level;
        if (complete > 0) assert_ok(source.node(source.self, level, complete - 1, &hash, NULL));
        assert_status(source.node(source.self, level, complete, &hash, NULL), CU_NOT_FOUND);
    }
}

static void the_next_path_finds_the_upper_tiles_in_hand(void **state)
{
    static struct cu_tile_nodes nodes;
    struct tiles tiles = { .size = BIG };
    cu_hash path[CU_PROOF_HASHES_MAX];
    size_t n;

    (void)state;
    cu_tile_nodes_init(&nodes, (struct cu_tile_source){ .self = &tiles, .read = read_tile }, (cu_size){ BIG });
    struct cu_node_source source = cu_tile_node_source(&nodes);
    assert_ok(cu_inclusion_make(&source, (cu_seq){ 12345 }, (cu_size){ BIG }, path, &n, NULL));
    size_t first = tiles.reads;
    assert_true(first <= 5);
    assert_ok(cu_inclusion_make(&source, (cu_seq){ 12346 }, (cu_size){ BIG }, path, &n, NULL));
    assert_int_equal(tiles.reads, first);
}

static void a_tile_that_fails_or_is_short_is_not_kept(void **state)
{
    static struct cu_tile_nodes nodes;
    struct tiles tiles = { .size = 300, .failing = true };
    cu_hash got, want = cu_tree_root(leaves, 256);

    (void)state;
    cu_tile_nodes_init(&nodes, (struct cu_tile_source){ .self = &tiles, .read = read_tile }, (cu_size){ 300 });
    struct cu_node_source source = cu_tile_node_source(&nodes);
    assert_status(source.node(source.self, 7, 0, &got, NULL), CU_IO);
    tiles.failing = false, tiles.short_by_one = true;
    assert_status(source.node(source.self, 7, 0, &got, NULL), CU_CORRUPT);
    tiles.short_by_one = false;
    assert_ok(source.node(source.self, 8, 0, &got, NULL));
    assert_hash_equal(&got, &want);
    assert_status(source.node(source.self, 8, 1, &got, NULL), CU_NOT_FOUND);
    assert_status(source.node(source.self, 0, 300, &got, NULL), CU_NOT_FOUND);
    assert_status(source.node(source.self, 63, 1, &got, NULL), CU_NOT_FOUND);
    assert_status(source.node(source.self, 3, UINT64_MAX, &got, NULL), CU_NOT_FOUND);
}

/* ---- the golden log of another implementation --------------------------------------------------------------------- */

static struct cu_buf file(const char *name)
{
    struct cu_buf ret = cu_buf_heap(1 << 16);
    char path[512];
    int byte;

    snprintf(path, sizeof path, TEST_SOURCE_DIR "/tests/vectors/tlog_tessera/%s", name);
    FILE *in = fopen(path, "rb");
    assert_non_null(in);
    while ((byte = fgetc(in)) != EOF) cu_buf_add_byte(&ret, (uint8_t)byte);
    fclose(in);
    return ret;
}

/* The third line of a checkpoint. */
static cu_hash root_in(const char *checkpoint)
{
    CU_BUF note = file(checkpoint), root = cu_buf_heap(32);
    struct cu_lines lines = cu_lines_on(cu_buf_span(&note));
    struct cu_span line;
    cu_hash ret;

    for (unsigned i = 0; i < 3; i++) assert_true(cu_lines_next(&lines, &line));
    assert_ok(cu_base64_read(line, &root, NULL));
    assert_int_equal(root.n, 32);
    memcpy(ret.b, root.p, 32);
    return ret;
}

static void the_golden_log_has_our_leaves_tiles_and_roots(void **state)
{
    CU_BUF bundle = file("tile/entries/000.p/15"), tile = file("tile/0/000.p/15");
    struct cu_frontier f = { .size = { 0 } };
    struct cu_span entry;
    size_t at = 0;

    (void)state;
    assert_ok(cu_bundle_check(cu_buf_span(&bundle), 15, NULL));
    assert_int_equal(tile.n, 15 * 32);
    for (unsigned n = 0;; n++) {
        char name[32];

        snprintf(name, sizeof name, "checkpoint.%u", n);
        cu_hash want = root_in(name), got = cu_frontier_root(&f);
        assert_hash_equal(&got, &want);
        if (!cu_bundle_next(cu_buf_span(&bundle), &at, &entry)) break;
        cu_hash leaf = cu_leaf_hash(entry);
        assert_memory_equal(leaf.b, tile.p + 32 * n, 32);
        cu_frontier_append(&f, &leaf);
    }
    assert_int_equal(f.size.v, 15);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_path_is_written_and_read_alike),
        cmocka_unit_test(any_other_spelling_of_a_path_is_malformed),
        cmocka_unit_test(widths_are_those_of_the_specification),
        cmocka_unit_test(a_bundle_gives_back_its_entries),
        cmocka_unit_test(a_bundle_that_is_cut_off_is_malformed),
        cmocka_unit_test(an_entry_at_the_limit_passes_and_one_above_does_not),
        cmocka_unit_test(proofs_made_from_tiles_verify),
        cmocka_unit_test(what_is_no_path_and_no_bundle_gives_nothing),
        cmocka_unit_test(a_tile_with_a_hash_too_many_is_damaged),
        cmocka_unit_test(there_is_no_node_beyond_the_log),
        cmocka_unit_test(the_next_path_finds_the_upper_tiles_in_hand),
        cmocka_unit_test(a_tile_that_fails_or_is_short_is_not_kept),
        cmocka_unit_test(the_golden_log_has_our_leaves_tiles_and_roots),
    };
    return cmocka_run_group_tests_name("tile", tests, with_leaves, NULL);
}
