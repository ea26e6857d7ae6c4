/* A folder against its manifest: every byte, name and link that differs is told, once, by its path. */
#include "adapters/posix/posix.h"
#include "content/ingest.h"
#include "stores.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

static char dir[200];
static struct cu_ingested got;

static const char *at(const char *name)
{
    static char paths[4][400];
    static unsigned next;
    char *path = paths[next++ % 4];

    snprintf(path, 400, "%s/%s", dir, name);
    return path;
}

static void write_text(const char *name, const char *text)
{
    FILE *f = fopen(at(name), "wb");
    assert_non_null(f);
    fputs(text, f);
    fclose(f);
}

static void read_folder(void)
{
    struct cu_source source = cu_posix_source();
    struct cu_ingest config = { .source = &source };

    OK(cu_ingest_path(&config, dir, &got, &error));
}

static int new_dir(void **state)
{
    CU_BUF big = some_bytes(CU_CHUNK_BYTES + 77, 4);
    (void)state;

    snprintf(dir, sizeof dir, "%s/custody-compare-XXXXXX", getenv("TMPDIR") ? getenv("TMPDIR") : "/tmp");
    if (!mkdtemp(dir)) return -1;
    if (mkdir(at("d"), 0700) != 0 || mkdir(at("d/e"), 0700) != 0) return -1;
    write_text("a", "aaa"), write_text("d/x", "xxx"), write_text("d/e/deep", "deep"), write_text("d.txt", "between"),
        write_text("z", "zzz");
    FILE *f = fopen(at("big"), "wb");
    if (!f || fwrite(big.p, 1, big.n, f) != big.n) return -1;
    fclose(f);
    if (symlink("a", at("link")) != 0 || link(at("a"), at("same")) != 0) return -1;
    read_folder();
    return 0;
}

static int end_dir(void **state)
{
    char command[300];
    (void)state;
    cu_ingested_free(&got);
    snprintf(command, sizeof command, "rm -rf '%s'", dir);
    return system(command);
}

struct differences {
    char text[32][120];
    size_t n;
};

static void note(void *arg, const struct cu_folder_difference *d)
{
    struct differences *all = arg;

    assert_true(all->n < 32 && strlen(d->text) > 0);
    snprintf(all->text[all->n++], sizeof all->text[0], "%s %.*s", d->what, (int)d->path.n, (const char *)d->path.p);
}

static struct differences compare(uint64_t due_bad)
{
    struct cu_source source = cu_posix_source();
    struct differences all = { .n = 0 };
    uint64_t bad = 99;

    OK(cu_compare_folder(cu_buf_span(&got.content), &source, dir, NULL, note, &all, &bad, &error));
    if (bad != due_bad)
        for (size_t i = 0; i < all.n; i++) print_message("%s\n", all.text[i]);
    assert_int_equal(bad, due_bad);
    return all;
}

static bool has(const struct differences *all, const char *text)
{
    for (size_t i = 0; i < all->n; i++)
        if (strcmp(all->text[i], text) == 0) return true;
    return false;
}

static void nothing_changed_nothing_found(void **state)
{
    (void)state;
    assert_int_equal(compare(0).n, 0);
}

/* Writes without letting the folder's or the file's time tell. */
static void set_back(const char *name, const struct stat *st)
{
    assert_int_equal(utimensat(AT_FDCWD, at(name), (struct timespec[]){ st->st_atim, st->st_mtim }, 0), 0);
}

static void one_byte_of_one_file_is_named(void **state)
{
    static const char *const files[] = { "a", "d/x", "d/e/deep", "d.txt", "z", "big" };
    (void)state;

    for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
        struct stat st;
        char due[60];
        assert_int_equal(stat(at(files[i]), &st), 0);
        FILE *f = fopen(at(files[i]), "r+b");
        fseek(f, -1, SEEK_END);
        int c = fgetc(f);
        fseek(f, -1, SEEK_END);
        fputc(c ^ 1, f);
        fclose(f);
        set_back(files[i], &st);
        snprintf(due, sizeof due, "altered %s", files[i]);
        struct differences all = compare(i == 0 ? 2 : 1); /* "a" has two names */
        assert_true(has(&all, due));
        f = fopen(at(files[i]), "r+b");
        fseek(f, -1, SEEK_END);
        fputc(c, f);
        fclose(f);
        set_back(files[i], &st);
        assert_int_equal(compare(0).n, 0);
    }
}

static void added_and_missing_items_are_named(void **state)
{
    (void)state;
    write_text("0first", "x"), write_text("d/e/more", "x"), write_text("zz", "x"), assert_int_equal(mkdir(at("d/new"), 0700), 0),
        write_text("d/new/in", "x");
    assert_int_equal(unlink(at("d.txt")) | unlink(at("z")) | unlink(at("d/e/deep")), 0);
    struct differences all = compare(8);
    static const char *const due[] = { "added 0first",   "added d/e/more", "added zz",  "added d/new",
                                       "added d/new/in", "missing d.txt",  "missing z", "missing d/e/deep" };
    for (size_t i = 0; i < sizeof due / sizeof *due; i++) assert_true(has(&all, due[i]));
}

static void a_file_that_became_a_folder_or_a_link_is_altered(void **state)
{
    (void)state;
    assert_int_equal(unlink(at("z")) | mkdir(at("z"), 0700) | unlink(at("d/x")) | symlink("../a", at("d/x")) |
                         unlink(at("link")) | symlink("b", at("link")),
                     0);
    struct differences all = compare(3);
    assert_true(has(&all, "altered z") && has(&all, "altered d/x") && has(&all, "altered link"));
}

static void times_and_permissions_are_told_and_are_no_failure(void **state)
{
    (void)state;
    assert_int_equal(chmod(at("z"), 0600) | chmod(at("d/x"), 0711), 0);
    assert_int_equal(utimensat(AT_FDCWD, at("a"), (struct timespec[]){ { 5, 0 }, { 5, 7 } }, 0), 0);
    struct differences all = compare(0);
    assert_true(has(&all, "metadata z") && has(&all, "metadata d/x") && has(&all, "metadata a") && has(&all, "metadata same"));
}

static void a_copy_that_lost_its_hard_links_has_the_same_bytes(void **state)
{
    (void)state;
    assert_int_equal(unlink(at("same")), 0);
    write_text("same", "aaa");
    compare(0);
    write_text("same", "aab");
    assert_true(has(&(struct differences[]){ compare(1) }[0], "altered same"));
}

static void an_item_is_found_by_its_name_and_by_its_bytes(void **state)
{
    struct cu_item item;
    uint64_t row;
    cu_hash xxx = cu_content_root_of(cu_span_str("xxx")), deep = cu_content_root_of(cu_span_str("deep")),
            none = cu_content_root_of(cu_span_str("none"));
    (void)state;

    OK(cu_find_item(cu_buf_span(&got.content), cu_span_str("x"), 3, &xxx, &item, &row, &error));
    assert_true(cu_span_is(item.path, "d/x") && row == 5);
    OK(cu_find_item(cu_buf_span(&got.content), cu_span_str("/mnt/copy/d/x"), 3, &xxx, &item, &row, &error));
    assert_true(cu_span_is(item.path, "d/x"));
    OK(cu_find_item(cu_buf_span(&got.content), cu_span_str("renamed"), 4, &deep, &item, &row, &error));
    assert_true(cu_span_is(item.path, "d/e/deep"));
    IS(CU_BAD_HASH, cu_find_item(cu_buf_span(&got.content), cu_span_str("z"), 4, &none, &item, &row, &error));
    assert_non_null(strstr(error.text, "z"));
    IS(CU_NOT_FOUND, cu_find_item(cu_buf_span(&got.content), cu_span_str("elsewhere"), 4, &none, &item, &row, &error));
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, new_dir, end_dir)
    const struct CMUnitTest tests[] = {
        TEST(nothing_changed_nothing_found),
        TEST(one_byte_of_one_file_is_named),
        TEST(added_and_missing_items_are_named),
        TEST(a_file_that_became_a_folder_or_a_link_is_altered),
        TEST(times_and_permissions_are_told_and_are_no_failure),
        TEST(a_copy_that_lost_its_hard_links_has_the_same_bytes),
        TEST(an_item_is_found_by_its_name_and_by_its_bytes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
