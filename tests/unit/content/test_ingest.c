/* Evidence as it lies on a disk: read once, with every odd name, and refused when it does not hold still. */
#include "adapters/posix/posix.h"
#include "content/ingest.h"
#include "content/media.h"
#include "stores.h"

#include <fcntl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>
#include <unistd.h>

static char dir[200];

static int new_dir(void **state)
{
    (void)state;
    snprintf(dir, sizeof dir, "%s/custody-ingest-XXXXXX", getenv("TMPDIR") ? getenv("TMPDIR") : "/tmp");
    return mkdtemp(dir) ? 0 : -1;
}

static int end_dir(void **state)
{
    char command[300];
    (void)state;
    snprintf(command, sizeof command, "chmod -R u+rwx '%s'; rm -rf '%s'", dir, dir);
    return system(command);
}

static const char *at(const char *name)
{
    static char paths[4][400];
    static unsigned next;
    char *path = paths[next++ % 4];

    snprintf(path, 400, "%s%s%s", dir, *name ? "/" : "", name);
    return path;
}

static void write_file(const char *name, struct cu_span bytes)
{
    FILE *f = fopen(at(name), "wb");
    assert_non_null(f);
    assert_int_equal(fwrite(bytes.p ? bytes.p : (const uint8_t *)"", 1, bytes.n, f), bytes.n);
    fclose(f);
}

static void write_text(const char *name, const char *text) { write_file(name, cu_span_str(text)); }

static cu_status ingest(struct stores *s, const char *path, unsigned digests, struct cu_ingested *ret)
{
    struct cu_source source = cu_posix_source();
    struct cu_put *p = NULL;
    struct cu_ingest config = { .source = &source, .digests = digests };

    if (s) OK(cu_put_begin(s->at, 2, &p, &error));
    config.put = p;
    cu_status status = cu_ingest_path(&config, path, ret, &error);
    if (status == CU_OK && s) {
        OK(cu_put_commit(p, &error));
        OK(cu_put_verify(p, 0, &error));
        OK(cu_put_verify(p, 1, &error));
    }
    cu_put_free(p);
    return status;
}

/* ---- one file ---- */

static void a_file_of_any_size_is_the_same_with_and_without_stores(void **state)
{
    static const size_t sizes[] = {
        0, 1, 4096, 32768, 32769, 100000, CU_CHUNK_BYTES - 1, CU_CHUNK_BYTES, CU_CHUNK_BYTES + 1, 5 * CU_CHUNK_BYTES + 3
    };
    (void)state;

    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        struct stores s = new_stores();
        struct cu_ingested with, without;
        CU_BUF bytes = some_bytes(sizes[i], i);
        cu_hash root = cu_content_root_of(cu_buf_span(&bytes)), sha256 = cu_sha256(cu_buf_span(&bytes));
        write_file("f", cu_buf_span(&bytes));
        OK(ingest(&s, at("f"), 1u << CU_DIGEST_MD5 | 1u << CU_DIGEST_SM3, &with));
        OK(ingest(NULL, at("f"), 0, &without));
        assert_true(cu_hash_eq(&with.root, &root) && cu_hash_eq(&without.root, &root));
        assert_true(with.size == sizes[i] && with.bytes == sizes[i] && with.files == 1 && with.type == CU_CONTENT_ITEM);
        assert_memory_equal(with.digest[0].bytes, sha256.b, 32);
        assert_memory_equal(without.digest[0].bytes, sha256.b, 32);
        assert_true(with.digests_n == 3 && with.digest[1].alg == CU_DIGEST_MD5 && with.digest[2].alg == CU_DIGEST_SM3 &&
                    without.digests_n == 1);
        assert_true(with.is_inline == (sizes[i] <= CU_CONTENT_INLINE_MAX));
        if (with.is_inline) assert_true(cu_span_eq(cu_buf_span(&with.content), cu_buf_span(&bytes)));
        assert_true(holds(s.at[1], CU_OBJECT_CONTENT, &root, cu_buf_span(&bytes)) == !with.is_inline);
        cu_ingested_free(&with);
        cu_ingested_free(&without);
        end_stores(&s);
    }
}

static void standard_input_is_read_to_its_end(void **state)
{
    static const size_t sizes[] = { 0, 10, 40000, 3 * CU_CHUNK_BYTES + 7 };
    int kept = dup(STDIN_FILENO);
    (void)state;

    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        struct stores s = new_stores();
        struct cu_ingested got;
        CU_BUF bytes = some_bytes(sizes[i], i);
        int ends[2];
        assert_int_equal(pipe(ends), 0);
        pid_t child = fork();
        if (child == 0) {
            for (size_t n = 0; n < bytes.n;) { /* in small pieces */
                ssize_t w = write(ends[1], bytes.p + n, bytes.n - n < 777 ? bytes.n - n : 777);
                if (w <= 0) _exit(1);
                n += (size_t)w;
            }
            _exit(0);
        }
        close(ends[1]);
        dup2(ends[0], STDIN_FILENO);
        close(ends[0]);
        OK(ingest(&s, "-", 0, &got));
        cu_hash root = cu_content_root_of(cu_buf_span(&bytes));
        assert_true(cu_hash_eq(&got.root, &root) && got.size == bytes.n);
        assert_int_equal(got.stat.kind, CU_SOURCE_STREAM);
        cu_ingested_free(&got);
        end_stores(&s);
    }
    dup2(kept, STDIN_FILENO);
    close(kept);
}

static cu_status append(void *arg, struct cu_span bytes, struct cu_err *err)
{
    cu_buf_add(arg, bytes);
    return cu_buf_ok(arg, err);
}

/* What somebody needs who sends it elsewhere: the bytes as they are kept, and the roots of their chunks. */
static void whoever_asks_is_told_the_bytes_that_are_kept_and_the_roots_of_their_chunks(void **state)
{
    static const size_t sizes[] = { 0, 1, 70000, CU_CHUNK_BYTES - 1, CU_CHUNK_BYTES, 2 * CU_CHUNK_BYTES, 5 * CU_CHUNK_BYTES + 3 };
    struct cu_source source = cu_posix_source();
    struct cu_age_identity reader;
    (void)state;

    OK(cu_age_identity_generate(&reader, &error));
    for (size_t i = 0; i < 2 * sizeof sizes / sizeof *sizes; i++) {
        CU_BUF bytes = some_bytes(sizes[i / 2], i), kept = cu_buf_heap(8u << 20), chunks = cu_buf_heap(4096);
        struct cu_ingest how = {
            .source = &source, .chunks = &chunks, .kept = append, .kept_arg = &kept, .to = &reader.recipient, .to_n = i % 2
        };
        struct cu_ingested got;
        write_file("f", cu_buf_span(&bytes));
        OK(cu_ingest_path(&how, at("f"), &got, &error));
        if (!how.to_n) assert_true(cu_span_eq(cu_buf_span(&kept), cu_buf_span(&bytes)));
        assert_int_equal(kept.n, got.size);
        const cu_hash root = cu_content_root_of(cu_buf_span(&kept));
        assert_true(cu_hash_eq(&root, &got.root));
        assert_int_equal(chunks.n, kept.n < CU_CHUNK_BYTES ? 0 : (kept.n + CU_CHUNK_BYTES - 1) / CU_CHUNK_BYTES * sizeof root);
        for (size_t c = 0; c * sizeof root < chunks.n; c++) {
            const size_t from = c * CU_CHUNK_BYTES, n = kept.n - from < CU_CHUNK_BYTES ? kept.n - from : CU_CHUNK_BYTES;
            const cu_hash is = cu_content_root_of(cu_span(kept.p + from, n));
            assert_memory_equal(chunks.p + c * sizeof root, is.b, sizeof is.b);
        }
        cu_ingested_free(&got);
    }
    cu_age_identity_free(&reader);
}

/* What is read next begins there; a stream has no such place. */
static void a_file_is_gone_on_with_from_any_byte(void **state)
{
    static const uint64_t places[] = { 5, 0, 99999, 100000, 42 };
    struct cu_source source = cu_posix_source();
    CU_BUF bytes = some_bytes(100000, 1);
    CU_CLEANUP(cu_source_close) struct cu_source_file *f = NULL;
    uint8_t got[16];
    size_t n;
    (void)state;

    write_file("f", cu_buf_span(&bytes));
    OK(source.ops->open(source.self, at("f"), &f, &error));
    for (size_t i = 0; i < sizeof places / sizeof *places; i++) {
        OK(f->ops->seek(f, places[i], &error));
        OK(f->ops->read(f, got, sizeof got, &n, &error));
        const uint64_t left = bytes.n - places[i];
        assert_int_equal(n, left < sizeof got ? left : sizeof got);
        assert_memory_equal(got, bytes.p + places[i], n);
    }
    assert_int_equal(f->ops->seek(f, UINT64_MAX, &error), CU_IO);
    cu_source_close(&f);
    OK(source.ops->open(source.self, "-", &f, &error));
    assert_int_equal(f->ops->seek(f, 1, &error), CU_USAGE);
}

static void a_sparse_file_is_read_as_zeros(void **state)
{
    struct cu_ingested got;
    const uint64_t size = getenv("CUSTODY_SLOW") ? (5ull << 30) + 1 : (9u << 20) + 1; /* the slow tier: more than 4 GiB */
    struct cu_content zeros;
    static const uint8_t block[CU_CHUNK_BYTES];
    (void)state;

    int fd = open(at("sparse"), O_CREAT | O_WRONLY, 0600);
    assert_int_equal(ftruncate(fd, (off_t)size), 0);
    close(fd);
    OK(ingest(NULL, at("sparse"), 0, &got));
    cu_content_start(&zeros);
    for (uint64_t n = 0; n + 1 < size; n += sizeof block) cu_content_add(&zeros, CU_SPAN_OF(block));
    cu_content_add(&zeros, cu_span(block, 1));
    cu_hash root = cu_content_root(&zeros);
    assert_true(cu_hash_eq(&got.root, &root) && got.size == size);
    cu_ingested_free(&got);
}

static void devices_pipes_and_sockets_are_refused_with_advice(void **state)
{
    struct cu_ingested got;
    (void)state;

    assert_int_equal(mkfifo(at("fifo"), 0600), 0);
    IS(CU_NOT_ALLOWED, ingest(NULL, at("fifo"), 0, &got));
    IS(CU_NOT_ALLOWED, ingest(NULL, "/dev/null", 0, &got));
    if (geteuid() == 0 && mknod(at("disk"), S_IFBLK | 0600, makedev(7, 250)) == 0) {
        IS(CU_NOT_ALLOWED, ingest(NULL, at("disk"), 0, &got));
        assert_non_null(strstr(error.text, "write blocker"));
        assert_non_null(strstr(error.text, "ewfacquire"));
    }
    IS(CU_NOT_FOUND, ingest(NULL, at("nothing"), 0, &got));
}

static void what_may_not_be_read_is_named(void **state)
{
    struct cu_ingested got;
    (void)state;

    write_text("closed", "x");
    chmod(at("closed"), 0);
    if (geteuid() != 0) {
        IS(CU_NOT_ALLOWED, ingest(NULL, at("closed"), 0, &got));
        assert_non_null(strstr(error.text, "closed"));
        return;
    }
    chmod(dir, 0711);
    pid_t child = fork();
    if (child == 0) {
        struct cu_source source = cu_posix_source();
        struct cu_ingest config = { .source = &source };
        if (setuid(65534) != 0) _exit(9);
        _exit(cu_ingest_path(&config, at("closed"), &got, &error) == CU_NOT_ALLOWED && strstr(error.text, "closed") ? 0 : 1);
    }
    int status = -1;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
}

/* ---- evidence that does not hold still: a source that lets us interfere ---- */

struct meddler {
    struct cu_source real;
    void (*at_read)(void);
    unsigned after;
    unsigned reads;
};
struct meddled {
    struct cu_source_file base;
    struct cu_source_file *real;
    struct meddler *by;
};

static cu_status meddled_read(struct cu_source_file *f, void *ret, size_t n, size_t *ret_n, struct cu_err *err)
{
    struct meddled *m = (struct meddled *)(void *)f;
    cu_status status = m->real->ops->read(m->real, ret, n, ret_n, err);
    if (++m->by->reads == m->by->after) m->by->at_read();
    return status;
}

static cu_status meddled_stat(struct cu_source_file *f, struct cu_source_stat *ret, struct cu_err *err)
{
    struct meddled *m = (struct meddled *)(void *)f;
    return m->real->ops->stat(m->real, ret, err);
}

static void meddled_close(struct cu_source_file *f)
{
    struct meddled *m = (struct meddled *)(void *)f;
    m->real->ops->close(m->real);
    free(m);
}

static cu_status meddled_seek(struct cu_source_file *f, uint64_t at, struct cu_err *err)
{
    struct meddled *m = (struct meddled *)(void *)f;
    return m->real->ops->seek(m->real, at, err);
}

static const struct cu_source_file_ops meddled_file_ops = { meddled_read, meddled_stat, meddled_close, meddled_seek };

static cu_status meddled_open(void *self, const char *path, struct cu_source_file **ret, struct cu_err *err)
{
    struct meddler *by = self;
    struct meddled *m = calloc(1, sizeof *m);

    m->base.ops = &meddled_file_ops;
    m->by = by;
    cu_status status = by->real.ops->open(by->real.self, path, &m->real, err);
    if (status != CU_OK) free(m);
    else *ret = &m->base;
    return status;
}

static cu_status meddled_path_stat(void *self, const char *path, bool follow, struct cu_source_stat *ret, struct cu_err *err)
{
    struct meddler *by = self;
    return by->real.ops->stat(by->real.self, path, follow, ret, err);
}

static cu_status meddled_link(void *self, const char *path, struct cu_buf *ret, struct cu_err *err)
{
    struct meddler *by = self;
    return by->real.ops->read_link(by->real.self, path, ret, err);
}

static cu_status meddled_list(void *self, const char *path, cu_status (*each)(void *arg, const char *name, struct cu_err *err),
                              void *arg, struct cu_err *err)
{
    struct meddler *by = self;
    return by->real.ops->list(by->real.self, path, each, arg, err);
}

static const struct cu_source_ops meddled_ops = { meddled_open, meddled_path_stat, meddled_link, meddled_list };

static cu_status ingest_meddled(struct stores *s, const char *path, unsigned after, void (*at_read)(void))
{
    struct meddler by = { cu_posix_source(), at_read, after, 0 };
    struct cu_source source = { &by, &meddled_ops };
    struct cu_put *p;
    struct cu_ingested got;

    usleep(12000); /* times of files may tick no finer */
    OK(cu_put_begin(s->at, 2, &p, &error));
    struct cu_ingest config = { .source = &source, .put = p };
    cu_status status = cu_ingest_path(&config, path, &got, &error);
    if (status == CU_OK) cu_ingested_free(&got);
    cu_put_free(p);
    return status;
}

static void grow_it(void)
{
    int fd = open(at("e/b"), O_WRONLY | O_APPEND);
    assert_int_equal(write(fd, "x", 1), 1);
    close(fd);
}
static void cut_it(void) { assert_int_equal(truncate(at("e/b"), 10), 0); }
static void rewrite_it(void)
{
    int fd = open(at("e/b"), O_WRONLY);
    assert_int_equal(pwrite(fd, "X", 1, 0), 1);
    close(fd);
}
static void replace_it(void)
{
    write_text("e/new", "other");
    assert_int_equal(rename(at("e/new"), at("e/b")), 0);
}
static void remove_it(void) { assert_int_equal(unlink(at("e/b")), 0); }
static void touch_it(void) { assert_int_equal(utimensat(AT_FDCWD, at("e/b"), (struct timespec[]){ { 1, 0 }, { 1, 0 } }, 0), 0); }
static void add_one(void) { write_text("e/c", "new"); }
static void leave_it(void) {}

static void a_file_that_changes_while_it_is_read_is_refused(void **state)
{
    static void (*const meddle[])(void) = { grow_it, cut_it, rewrite_it, replace_it, remove_it, touch_it };
    static const size_t sizes[] = { 100, 50000, 3 * CU_CHUNK_BYTES };
    struct stores s = new_stores();
    (void)state;

    assert_int_equal(mkdir(at("e"), 0700), 0);
    for (size_t k = 0; k < 3; k++) {
        CU_BUF bytes = some_bytes(sizes[k], k);
        for (size_t i = 0; i < sizeof meddle / sizeof *meddle; i++) {
            write_file("e/b", cu_buf_span(&bytes));
            IS(CU_CHANGED, ingest_meddled(&s, at("e/b"), 1, meddle[i]));
            assert_non_null(strstr(error.text, "e/b"));
            write_file("e/b", cu_buf_span(&bytes));
            IS(CU_CHANGED, ingest_meddled(&s, at("e"), 1, meddle[i]));
        }
        write_file("e/b", cu_buf_span(&bytes));
        OK(ingest_meddled(&s, at("e"), 1, leave_it));
        IS(CU_CHANGED, ingest_meddled(&s, at("e"), 1, add_one));
        unlink(at("e/c"));
    }
    assert_int_equal(paths_in(&s.fs, "cloud/objects", "incoming").n, 0);
    end_stores(&s);
}

static bool stop_now(void *arg) { return ++*(int *)arg > 3; }

static void a_person_may_stop_it(void **state)
{
    struct cu_source source = cu_posix_source();
    CU_BUF bytes = some_bytes(9 * CU_CHUNK_BYTES, 1);
    int calls = 0;
    struct cu_ingest config = { .source = &source, .progress = { .arg = &calls, .stop = stop_now } };
    struct cu_ingested got;
    (void)state;

    write_file("f", cu_buf_span(&bytes));
    IS(CU_INTERRUPTED, cu_ingest_path(&config, at("f"), &got, &error));
}

/* ---- folders ---- */

static struct cu_span row_path(struct cu_span manifest, size_t n, struct cu_item *ret)
{
    struct cu_manifest m;
    bool more = true;

    OK(cu_manifest_open(manifest, &m, &error));
    for (size_t i = 0; i <= n; i++) OK(cu_manifest_next(&m, ret, &more, &error));
    assert_true(more);
    return ret->path;
}

static void a_folder_is_a_manifest_in_tree_order_with_everything_in_it(void **state)
{
    static const char *const order[] = { "\x01\n",   "a",     "a/b",  "a/sub", "a/sub/deep", "a-",   "a.b",     "big",
                                         "dangling", "empty", "fifo", "hard",  "link",       "zdir", "\xff\xfe" };
    enum { N = sizeof order / sizeof *order };
    struct stores s = new_stores();
    struct cu_ingested got;
    struct cu_manifest m;
    struct cu_item item;
    bool more = true;
    CU_BUF big = some_bytes(CU_CHUNK_BYTES + 3, 8);
    (void)state;

    assert_int_equal(mkdir(at("a"), 0750) | mkdir(at("a/sub"), 0700) | mkdir(at("zdir"), 0700), 0);
    write_text("\x01\n", "control"), write_text("a/b", "in a"), write_text("a/sub/deep", "deep"), write_text("a-", "minus"),
        write_text("a.b", "dot");
    write_file("big", cu_buf_span(&big)), write_text("empty", ""), write_text("\xff\xfe", "not UTF-8");
    assert_int_equal(symlink("a/b", at("link")) | symlink("../nowhere", at("dangling")) | link(at("a/b"), at("hard")) |
                         mkfifo(at("fifo"), 0600),
                     0);
    chmod(at("a.b"), 04755);
    OK(ingest(&s, dir, 0, &got));
    assert_true(got.type == CU_CONTENT_FOLDER && got.is_inline && got.folder.items == N);
    OK(cu_manifest_open(cu_buf_span(&got.content), &m, &error));
    for (size_t i = 0; i < N; i++) {
        OK(cu_manifest_next(&m, &item, &more, &error));
        assert_true(more && cu_span_is(item.path, order[i]));
    }
    OK(cu_manifest_next(&m, &item, &more, &error));
    assert_false(more);
    cu_hash root = cu_manifest_root(&m), all = cu_content_root_of(cu_buf_span(&got.content));
    assert_true(cu_hash_eq(&root, &got.folder.root) && cu_hash_eq(&all, &got.root) && got.size == got.content.n);
    assert_int_equal(got.folder.bytes, m.header.bytes);
    assert_int_equal(got.files, 8);

    row_path(cu_buf_span(&got.content), 12, &item);
    assert_true(item.type == CU_ITEM_SYMLINK && cu_span_is(item.target, "a/b"));
    row_path(cu_buf_span(&got.content), 11, &item);
    assert_true(item.type == CU_ITEM_HARDLINK && cu_span_is(item.target, "a/b"));
    row_path(cu_buf_span(&got.content), 10, &item);
    assert_int_equal(item.type, CU_ITEM_OTHER);
    row_path(cu_buf_span(&got.content), 6, &item);
    assert_int_equal(item.mode, 04755);
    struct stat st;
    assert_int_equal(stat(at("a.b"), &st), 0);
    assert_true(item.mtime_s == (uint64_t)st.st_mtim.tv_sec && item.mtime_ns == (uint64_t)st.st_mtim.tv_nsec);
    cu_hash dot = cu_content_root_of(cu_span_str("dot")), of_big = cu_content_root_of(cu_buf_span(&big)), none = cu_empty_root();
    assert_true(cu_hash_eq(&item.root, &dot) && holds(s.at[0], CU_OBJECT_CONTENT, &dot, cu_span_str("dot")));
    assert_true(holds(s.at[1], CU_OBJECT_CONTENT, &of_big, cu_buf_span(&big)) &&
                holds(s.at[1], CU_OBJECT_CONTENT, &none, CU_SPAN_EMPTY));
    cu_ingested_free(&got);
    end_stores(&s);
}

static void a_manifest_above_the_inline_size_is_an_object(void **state)
{
    struct stores s = new_stores();
    struct cu_ingested got;
    char name[40];
    (void)state;

    for (int i = 0; i < 400; i++) {
        snprintf(name, sizeof name, "file-%04d", i);
        write_text(name, name);
    }
    OK(ingest(&s, dir, 0, &got));
    assert_true(!got.is_inline && got.folder.items == 400 && got.content.n > CU_CONTENT_INLINE_MAX);
    assert_true(holds(s.at[0], CU_OBJECT_CONTENT, &got.root, cu_buf_span(&got.content)));
    assert_int_equal(paths_in(&s.fs, "node/objects", "incoming").n, 2);
    cu_ingested_free(&got);
    end_stores(&s);
}

static void an_empty_folder_has_no_items(void **state)
{
    struct cu_ingested got;
    (void)state;

    OK(ingest(NULL, dir, 0, &got));
    assert_true(got.folder.items == 0 && got.is_inline && got.size > 0);
    cu_ingested_free(&got);
}

struct told {
    size_t n, refuse_at;
    uint64_t bytes;
};

static cu_status tell_item(void *arg, const struct cu_item *item, const struct cu_digest_value *digests, size_t n,
                           struct cu_err *err)
{
    struct told *t = arg;

    ENSURE(t->n != t->refuse_at, err, CU_BAD_HASH, "refused");
    assert_true(item->type == CU_ITEM_FILE ? n == 2 && digests[1].alg == CU_DIGEST_MD5 : n == 0);
    t->n++;
    t->bytes += item->size;
    return CU_OK;
}

static void each_item_is_told_with_its_digests_and_may_be_refused(void **state)
{
    struct cu_source source = cu_posix_source();
    struct told told = { .refuse_at = SIZE_MAX };
    struct cu_ingest config = { .source = &source, .digests = 1u << CU_DIGEST_MD5, .item = tell_item, .item_arg = &told };
    struct cu_ingested got;
    CU_BUF big = some_bytes(2 * CU_CHUNK_BYTES, 8);
    (void)state;

    write_text("a", "1"), write_file("b", cu_buf_span(&big)), write_text("c", "333"), mkdir(at("d"), 0700);
    OK(cu_ingest_path(&config, dir, &got, &error));
    assert_true(told.n == 4 && told.bytes == 4 + big.n);
    cu_ingested_free(&got);
    told = (struct told){ .refuse_at = 2 };
    IS(CU_BAD_HASH, cu_ingest_path(&config, dir, &got, &error));
}

static void a_folder_too_deep_is_refused_and_one_just_so_deep_is_not(void **state)
{
    struct cu_ingested got;
    int here = open(".", O_RDONLY | O_DIRECTORY);
    (void)state;

    assert_int_equal(chdir(dir), 0);
    for (int i = 0; i < CU_PATH_DEPTH_MAX; i++) assert_int_equal(mkdir("d", 0700) | chdir("d"), 0);
    OK(ingest(NULL, dir, 0, &got));
    assert_int_equal(got.folder.items, CU_PATH_DEPTH_MAX);
    cu_ingested_free(&got);
    assert_int_equal(mkdir("d", 0700), 0);
    IS(CU_MALFORMED, ingest(NULL, dir, 0, &got));
    assert_int_equal(fchdir(here), 0);
    close(here);
}

static void a_hundred_thousand_items_take_little_memory(void **state)
{
    struct stores s = new_stores();
    struct cu_ingested got;
    struct rusage before, after;
    const int n = getenv("CUSTODY_SLOW") ? 100000 : 3000;
    char name[60];
    (void)state;

    for (int i = 0; i < n; i++) {
        if (i % 1000 == 0) snprintf(name, sizeof name, "%03d", i / 1000), mkdir(at(name), 0700);
        snprintf(name, sizeof name, "%03d/%06d", i / 1000, i);
        write_text(name, name);
    }
    getrusage(RUSAGE_SELF, &before);
    OK(ingest(NULL, dir, 0, &got));
    getrusage(RUSAGE_SELF, &after);
    assert_int_equal(got.folder.items, n + (n + 999) / 1000);
    print_message("%d items: %.2f s, %ld KiB more\n", n,
                  (double)(after.ru_utime.tv_sec - before.ru_utime.tv_sec) +
                      1e-6 * (double)(after.ru_utime.tv_usec - before.ru_utime.tv_usec),
                  after.ru_maxrss - before.ru_maxrss);
    cu_ingested_free(&got);
    OK(ingest(&s, dir, 0, &got));
    cu_ingested_free(&got);
    end_stores(&s);
}

/* ---- evidence that is only looked at ---- */

static void evidence_elsewhere_has_size_root_and_sha256(void **state)
{
    static const size_t sizes[] = { 0, 5, 40000, 2 * CU_CHUNK_BYTES + 1 };
    struct cu_source source = cu_posix_source();
    (void)state;

    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        CU_BUF bytes = some_bytes(sizes[i], i);
        cu_hash root, sha256, due_root = cu_content_root_of(cu_buf_span(&bytes)), due = cu_sha256(cu_buf_span(&bytes));
        uint64_t size;
        write_file("f", cu_buf_span(&bytes));
        OK(cu_read_evidence(&source, at("f"), NULL, &size, &root, &sha256, &error));
        assert_true(size == sizes[i] && cu_hash_eq(&root, &due_root) && cu_hash_eq(&sha256, &due));
    }
}

static void types_are_told_by_the_bytes(void **state)
{
    static const struct {
        const char *bytes;
        size_t n;
        const char *media;
    } rows[] = {
        { "\xff\xd8\xff\xe0..JFIF", 10, "image/jpeg" },
        { "\x89PNG\r\n\x1a\n", 8, "image/png" },
        { "%PDF-1.7", 8, "application/pdf" },
        { "....ftypisom", 12, "video/mp4" },
        { "....ftypqt  ", 12, "video/quicktime" },
        { "RIFF....WAVEfmt ", 16, "audio/wav" },
        { "PK\3\4....word/document.xml", 25, "application/vnd.openxmlformats-officedocument.wordprocessingml.document" },
        { "PK\3\4.", 5, "application/zip" },
        { "SQLite format 3\0", 16, "application/vnd.sqlite3" },
        { "EVF\x09\x0d\x0a\xff\0", 8, "application/x-ewf" },
        { "\x7f"
          "ELF",
          4, "application/x-elf" },
        { "\x1f\x8b\x08", 3, "application/gzip" },
        { "ID3", 3, "audio/mpeg" },
        { "plain words", 11, "" },
        { "", 0, "" },
        { "\xff\xd8", 2, "" },
    };
    uint8_t ext4[2048] = { 0 };
    (void)state;

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        assert_string_equal(cu_media_type(cu_span(rows[i].bytes, rows[i].n)), rows[i].media);
    ext4[1080] = 0x53, ext4[1081] = 0xef;
    assert_string_equal(cu_media_type(CU_SPAN_OF(ext4)), "application/x-raw-disk-image");
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, new_dir, end_dir)
    const struct CMUnitTest tests[] = {
        TEST(a_file_of_any_size_is_the_same_with_and_without_stores),
        TEST(standard_input_is_read_to_its_end),
        TEST(whoever_asks_is_told_the_bytes_that_are_kept_and_the_roots_of_their_chunks),
        TEST(a_file_is_gone_on_with_from_any_byte),
        TEST(a_sparse_file_is_read_as_zeros),
        TEST(devices_pipes_and_sockets_are_refused_with_advice),
        TEST(what_may_not_be_read_is_named),
        TEST(a_file_that_changes_while_it_is_read_is_refused),
        TEST(a_person_may_stop_it),
        TEST(a_folder_is_a_manifest_in_tree_order_with_everything_in_it),
        TEST(a_manifest_above_the_inline_size_is_an_object),
        TEST(an_empty_folder_has_no_items),
        TEST(each_item_is_told_with_its_digests_and_may_be_refused),
        TEST(a_folder_too_deep_is_refused_and_one_just_so_deep_is_not),
        TEST(a_hundred_thousand_items_take_little_memory),
        TEST(evidence_elsewhere_has_size_root_and_sha256),
        TEST(types_are_told_by_the_bytes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
