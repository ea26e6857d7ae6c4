/* The invariants are in bucket.h. */
#include "adapters/bucket/bucket.h"
#include "adapters/bucket/pin.h"
#include "custody/text.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

enum { PATH_BYTES = 2048, WINDOW = 65536, PIECE = 1048576, NAMES_BYTES = 1 << 28 };
#define DELETED ".deleted"

struct mount {
    struct cu_fs base;
    struct cu_bucket bucket;
    const char *folder, *pins;
};

/* What a path under the folder means in the bucket. */
struct spot {
    char key[CU_BUCKET_KEY_MAX];
    char pin[PATH_BYTES];
    char version[CU_BUCKET_VERSION_MAX]; /* "": the pinned one */
    bool marker;
};

/* ---- names ---- */

/* The path below the folder; NULL: it is not in there, or is not evidence yet. */
static const char *inside(const struct mount *m, const char *path)
{
    const size_t n = strlen(m->folder);

    if (strncmp(path, m->folder, n) != 0 || (path[n] != '/' && path[n] != 0)) return NULL;
    const char *below = path[n] ? path + n + 1 : path + n;
    return strncmp(below, "incoming", 8) == 0 && (below[8] == '/' || below[8] == 0) ? NULL : below;
}

static bool lower_hex(const char *text, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (!(text[i] >= '0' && text[i] <= '9') && !(text[i] >= 'a' && text[i] <= 'f')) return false;
    return true;
}

/* (1): large/<aa>/<root> or packs/<aa>/<pack>.pack */
static bool is_object(const char *below)
{
    const bool large = strncmp(below, "large/", 6) == 0;

    return (large || strncmp(below, "packs/", 6) == 0) && strlen(below) == (large ? 73u : 78u) && lower_hex(below + 6, 2) &&
           below[8] == '/' && lower_hex(below + 9, 64) && memcmp(below + 6, below + 9, 2) == 0 &&
           (large || strcmp(below + 73, ".pack") == 0);
}

/* "large/", "packs/", and their folders of two digits: all that has folders of its own. */
static bool is_folder(const char *key)
{
    const bool top = strncmp(key, "large/", 6) == 0 || strncmp(key, "packs/", 6) == 0;
    return top && (key[6] == 0 || (lower_hex(key + 6, 2) && strcmp(key + 8, "/") == 0));
}

/* Anybody's bytes as part of a path: unambiguous, of one component, without what a shell or an eye stumbles over. */
static void escape(const char *text, struct cu_buf *out)
{
    for (const char *c = text; *c; c++) {
        const bool plain = (*c >= 'a' && *c <= 'z') || (*c >= 'A' && *c <= 'Z') || (*c >= '0' && *c <= '9') || *c == '-' ||
                           *c == '_' || (*c == '.' && c != text);
        if (plain) cu_buf_add_byte(out, (uint8_t)*c);
        else cu_buf_addf(out, "%%%02x", (unsigned)(uint8_t)*c);
    }
}

static bool unescape(struct cu_span text, char *ret, size_t max)
{
    size_t n = 0;

    for (size_t i = 0; i < text.n && n + 1 < max; i++) {
        uint8_t byte = text.p[i];
        if (byte == '%') {
            if (text.n - i < 3 || cu_hex_read(cu_span(text.p + i + 1, 2), &byte, 1, NULL) != CU_OK || byte == 0) return false;
            i += 2;
        }
        ret[n++] = (char)byte;
        if (i + 1 == text.n) return ret[n] = 0, true;
    }
    return false;
}

/* An object, or by (4) any key's version. False: the path is of neither. */
static bool spot_of(const struct mount *m, const char *path, struct spot *ret)
{
    const char *below = inside(m, path), *at = below ? strrchr(below, '@') : NULL;

    *ret = (struct spot){ .marker = false };
    if (!below || (!at && !is_object(below))) return false;
    const size_t n = at ? (size_t)(at - below) : strlen(below);
    if (!unescape(cu_span(below, n), ret->key, sizeof ret->key)) return false;
    if (snprintf(ret->pin, sizeof ret->pin, "%s/%.*s", m->pins, (int)n, below) >= (int)sizeof ret->pin) return false;
    if (!at) return true;
    struct cu_span version = cu_span_str(at + 1);
    ret->marker = version.n > strlen(DELETED) && strcmp(at + 1 + version.n - strlen(DELETED), DELETED) == 0;
    if (ret->marker) version.n -= strlen(DELETED);
    return unescape(version, ret->version, sizeof ret->version);
}

/* ---- pins ---- */

/* One that is damaged is as good as none: by (3) nobody trusts them. */
static cu_status read_pin(const struct mount *m, const char *path, struct cu_pin *ret, struct cu_err *err)
{
    CU_BUF text = cu_buf_heap(CU_PIN_MAX);
    const cu_status read = cu_fs_read(&m->base, path, CU_PIN_MAX, &text, err);

    *ret = (struct cu_pin){ .known = cu_buf_heap(CU_PIN_MAX) };
    if (read == CU_NOT_FOUND) return CU_OK;
    TRY(read);
    if (cu_pin_read(cu_buf_span(&text), ret, NULL) == CU_OK) return CU_OK;
    cu_pin_free(ret);
    *ret = (struct cu_pin){ .known = cu_buf_heap(CU_PIN_MAX) };
    return CU_OK;
}

static cu_status write_pin(const struct mount *m, const char *path, const struct cu_pin *pin, struct cu_err *err)
{
    CU_BUF text = cu_buf_heap(CU_PIN_MAX);
    char beside[PATH_BYTES + 16];

    TRY(cu_pin_write(pin, &text, err));
    snprintf(beside, sizeof beside, "%s.new", path);
    return cu_fs_replace(&m->base, path, beside, cu_buf_span(&text), true, err);
}

struct oldest {
    const char *key;
    bool newest; /* that one instead: versions are listed from the newest on */
    char version[CU_BUCKET_VERSION_MAX];
};

static cu_status keep_oldest(void *arg, const struct cu_bucket_version *v, struct cu_err *err)
{
    struct oldest *o = arg;
    (void)err;

    if (o->newest && o->version[0]) return CU_OK;
    if (v->version && !v->marker && strcmp(v->key, o->key) == 0) snprintf(o->version, sizeof o->version, "%s", v->version);
    return CU_OK;
}

static cu_status find_either(const struct mount *m, const char *key, bool newest, char ret[CU_BUCKET_VERSION_MAX],
                             struct cu_err *err)
{
    struct oldest o = { .key = key, .newest = newest };

    TRY(m->bucket.ops->list(m->bucket.self, key, true, keep_oldest, &o, err));
    ENSURE(o.version[0], err, CU_NOT_FOUND, "%s is not in the bucket", key);
    memcpy(ret, o.version, sizeof o.version);
    return CU_OK;
}

static cu_status find_oldest(const struct mount *m, const char *key, char ret[CU_BUCKET_VERSION_MAX], struct cu_err *err)
{
    return find_either(m, key, false, ret, err);
}

/* By (3). */
static cu_status find_version(const struct mount *m, const struct spot *at, const struct cu_pin *pin,
                              char ret[CU_BUCKET_VERSION_MAX], struct cu_err *err)
{
    ENSURE(at->version[0] || pin->version[0] || !pin->there, err, CU_NOT_FOUND, "%s was moved away", at->key);
    if (!at->version[0] && !pin->version[0]) return find_oldest(m, at->key, ret, err);
    memcpy(ret, at->version[0] ? at->version : pin->version, CU_BUCKET_VERSION_MAX);
    return CU_OK;
}

/* ---- reading ---- */

struct bucket_file {
    struct cu_file base;
    const struct mount *m;
    struct spot at;
    uint64_t size;
    pthread_mutex_t lock; /* guards the window: small reads come one after another */
    uint64_t window_at;
    size_t window_n;
    uint8_t window[WINDOW];
};

static struct bucket_file *file_of(struct cu_file *f) { return (struct bucket_file *)(void *)f; }

static cu_status get(const struct bucket_file *f, uint64_t at, void *ret, size_t n, struct cu_err *err)
{
    return f->m->bucket.ops->get(f->m->bucket.self, f->at.key, f->at.version, at, ret, n, err);
}

static cu_status read_small(struct bucket_file *f, uint64_t at, void *ret, size_t n, struct cu_err *err)
{
    if (at < f->window_at || at + n > f->window_at + f->window_n) {
        const size_t want = f->size - at < WINDOW ? (size_t)(f->size - at) : WINDOW;
        f->window_n = 0;
        TRY(get(f, at, f->window, want, err));
        f->window_at = at;
        f->window_n = want;
    }
    memcpy(ret, f->window + (at - f->window_at), n);
    return CU_OK;
}

static cu_status read_at(struct cu_file *file, uint64_t at, void *ret, size_t n, size_t *ret_n, struct cu_err *err)
{
    struct bucket_file *f = file_of(file);

    if (at >= f->size) n = 0;
    else if (n > f->size - at) n = (size_t)(f->size - at);
    *ret_n = n;
    if (n == 0) return CU_OK;
    if (n >= WINDOW) return get(f, at, ret, n, err);
    pthread_mutex_lock(&f->lock);
    const cu_status read = read_small(f, at, ret, n, err);
    pthread_mutex_unlock(&f->lock);
    return read;
}

static cu_status no_writing(struct cu_err *err)
{
    return cu_fail(err, CU_NOT_ALLOWED, "what lies in a bucket is written once, as a whole");
}

static cu_status write_at(struct cu_file *f, uint64_t at, struct cu_span bytes, struct cu_err *err)
{
    (void)f, (void)at, (void)bytes;
    return no_writing(err);
}

static cu_status sync_file(struct cu_file *f, struct cu_err *err)
{
    (void)f, (void)err;
    return CU_OK;
}

static cu_status size_of(struct cu_file *f, uint64_t *ret, struct cu_err *err)
{
    (void)err;
    *ret = file_of(f)->size;
    return CU_OK;
}

static cu_status truncate_file(struct cu_file *f, uint64_t size, struct cu_err *err)
{
    (void)f, (void)size;
    return no_writing(err);
}

static void close_file(struct cu_file *file)
{
    struct bucket_file *f = file_of(file);

    pthread_mutex_destroy(&f->lock);
    free(f);
}

static const struct cu_file_ops file_ops = { read_at, write_at, sync_file, size_of, truncate_file, close_file };

/* Version and size of what is read at a spot. */
static cu_status resolve(const struct mount *m, struct spot *at, uint64_t *ret_size, struct cu_err *err)
{
    CU_CLEANUP(cu_pin_free) struct cu_pin pin;

    TRY(read_pin(m, at->pin, &pin, err));
    TRY(find_version(m, at, &pin, at->version, err));
    return m->bucket.ops->size(m->bucket.self, at->key, at->version, ret_size, err);
}

static cu_status open_object(const struct mount *m, const struct spot *at, struct cu_file **ret, struct cu_err *err)
{
    struct bucket_file *f = calloc(1, sizeof *f);

    ENSURE(f, err, CU_NO_MEMORY, "no memory to read %s", at->key);
    *f = (struct bucket_file){ .base = { &file_ops }, .m = m, .at = *at };
    const cu_status found = resolve(m, &f->at, &f->size, err);
    if (found != CU_OK) return free(f), found;
    pthread_mutex_init(&f->lock, NULL);
    *ret = &f->base;
    return CU_OK;
}

/* ---- publishing: (2) ---- */

/* The key was taken when nobody knew: by this store, killed before it wrote its pin, or by somebody else. Readers will see which. */
static cu_status adopt(const struct mount *m, const struct spot *to, struct cu_file *from, uint64_t size, struct cu_pin *pin,
                       struct cu_err *err)
{
    uint64_t is = 0;

    cu_status found = find_oldest(m, to->key, pin->version, err);
    if (found == CU_OK) found = m->bucket.ops->size(m->bucket.self, to->key, pin->version, &is, err);
    if (found == CU_OK && is == size) return CU_OK;
    if (found != CU_OK && found != CU_NOT_FOUND) return found;
    return m->bucket.ops->put(m->bucket.self, to->key, from, size, false, pin->version, err);
}

static cu_status put(const struct mount *m, const struct spot *to, struct cu_file *from, uint64_t size, struct cu_pin *pin,
                     struct cu_err *err)
{
    uint64_t is = 0;

    if (pin->version[0]) {
        const cu_status there = m->bucket.ops->size(m->bucket.self, to->key, pin->version, &is, err);
        if (there == CU_OK && is == size) return CU_OK;
        if (there != CU_OK && there != CU_NOT_FOUND) return there;
    }
    const cu_status done = m->bucket.ops->put(m->bucket.self, to->key, from, size, !pin->there, pin->version, err);
    return done == CU_DUPLICATE ? adopt(m, to, from, size, pin, err) : done;
}

static cu_status publish(const struct mount *m, const char *path, const struct spot *to, struct cu_err *err)
{
    CU_CLEANUP(cu_file_close) struct cu_file *from = NULL;
    CU_CLEANUP(cu_pin_free) struct cu_pin pin = { .there = false };
    const bool incoming = strncmp(path, m->folder, strlen(m->folder)) == 0;
    uint64_t size;

    TRY(m->base.ops->open(m->base.self, path, CU_OPEN_READ, &from, err));
    TRY(from->ops->size(from, &size, err));
    TRY(read_pin(m, to->pin, &pin, err));
    TRY(put(m, to, from, size, &pin, err));
    TRY(write_pin(m, to->pin, &pin, err));
    cu_file_close(&from);
    return incoming ? m->base.ops->open(m->base.self, path, CU_OPEN_WRITE | CU_OPEN_TRUNCATE, &from, err) : CU_OK;
}

/* ---- moving away: (4), (5) ---- */

static cu_status copy_out(const struct mount *m, const struct spot *at, uint64_t size, struct cu_file *to, struct cu_err *err)
{
    CU_BUF piece = cu_buf_heap(PIECE);
    uint8_t *bytes = cu_buf_grow(&piece, size < PIECE ? (size_t)size : PIECE);

    TRY(cu_buf_ok(&piece, err));
    for (uint64_t done = 0; done < size; done += piece.n) {
        if (size - done < piece.n) piece.n = (size_t)(size - done);
        TRY(m->bucket.ops->get(m->bucket.self, at->key, at->version, done, bytes, piece.n, err));
        TRY(to->ops->write_at(to, done, cu_buf_span(&piece), err));
    }
    return to->ops->sync(to, err);
}

static cu_status move_away(const struct mount *m, struct spot *at, const char *to, struct cu_err *err)
{
    CU_CLEANUP(cu_file_close) struct cu_file *f = NULL;
    CU_CLEANUP(cu_pin_free) struct cu_pin pin = { .there = false };
    const bool whole = !at->version[0];
    uint64_t size = 0;

    TRY(read_pin(m, at->pin, &pin, err));
    TRY(find_version(m, at, &pin, at->version, err));
    if (!at->marker) TRY(m->bucket.ops->size(m->bucket.self, at->key, at->version, &size, err));
    TRY(m->base.ops->open(m->base.self, to, CU_OPEN_WRITE | CU_OPEN_CREATE | CU_OPEN_TRUNCATE, &f, err));
    TRY(copy_out(m, at, size, f, err));
    cu_pin_know(&pin, at->version);
    if (whole) pin.version[0] = 0;
    else if (!pin.there && is_object(at->key)) TRY(find_oldest(m, at->key, pin.version, err));
    return write_pin(m, at->pin, &pin, err);
}

/* ---- listing ---- */

struct name {
    char *text;
    enum cu_file_kind kind;
};

struct listing {
    const struct mount *m;
    char prefix[CU_BUCKET_KEY_MAX]; /* of the folder that is listed */
    struct name *name;
    size_t names_n, names_cap, bytes;
    /* the versions of one key, the newest first */
    char key[CU_BUCKET_KEY_MAX];
    struct cu_buf versions; /* "<version>\n", or "<version> deleted\n" */
};

static void listing_free(struct listing *l)
{
    for (size_t i = 0; i < l->names_n; i++) free(l->name[i].text);
    free(l->name);
    cu_buf_free(&l->versions);
}

static cu_status add_name(void *arg, const char *text, enum cu_file_kind kind, struct cu_err *err)
{
    struct listing *l = arg;

    if (l->names_n == l->names_cap) {
        const size_t cap = l->names_cap ? 2 * l->names_cap : 64;
        struct name *more = realloc(l->name, cap * sizeof *more);
        ENSURE(more, err, CU_NO_MEMORY, "no memory to list a folder");
        l->name = more;
        l->names_cap = cap;
    }
    l->bytes += strlen(text);
    ENSURE(l->bytes < NAMES_BYTES, err, CU_TOO_LARGE, "the bucket holds too much that does not belong there: %s", l->prefix);
    l->name[l->names_n] = (struct name){ strdup(text), kind };
    ENSURE(l->name[l->names_n].text, err, CU_NO_MEMORY, "no memory to list a folder");
    l->names_n++;
    return CU_OK;
}

/* Which of a key's versions is ours, as find_version says; where it is not in the bucket, none is. */
static void ours(const struct listing *l, const struct cu_pin *pin, char ret[CU_BUCKET_VERSION_MAX])
{
    struct cu_lines lines = cu_lines_on(cu_buf_span(&l->versions));
    struct cu_span line;

    ret[0] = 0;
    while (is_object(l->key) && cu_lines_next(&lines, &line))
        if (pin->there ? cu_span_is(line, pin->version) : !memchr(line.p, ' ', line.n))
            snprintf(ret, CU_BUCKET_VERSION_MAX, "%.*s", (int)line.n, (const char *)line.p);
}

static cu_status add_other(struct listing *l, const char *base, const char *version, bool marker, struct cu_err *err)
{
    CU_BUF name = cu_buf_heap(8 * CU_BUCKET_KEY_MAX);

    cu_buf_add_str(&name, base);
    cu_buf_add_byte(&name, '@');
    escape(version, &name);
    cu_buf_add_str(&name, marker ? DELETED : "");
    cu_buf_add_byte(&name, 0);
    TRY(cu_buf_ok(&name, err));
    return add_name(l, (const char *)name.p, CU_FILE_REGULAR, err);
}

static cu_status add_versions(struct listing *l, const char *base, const struct cu_pin *pin, struct cu_err *err)
{
    struct cu_lines lines = cu_lines_on(cu_buf_span(&l->versions));
    char our[CU_BUCKET_VERSION_MAX], version[CU_BUCKET_VERSION_MAX];
    struct cu_span line, id;

    ours(l, pin, our);
    if (our[0]) TRY(add_name(l, base, CU_FILE_REGULAR, err));
    while (cu_lines_next(&lines, &line)) {
        id = line;
        const bool marker = cu_span_split(&line, ' ', &id);
        snprintf(version, sizeof version, "%.*s", (int)id.n, (const char *)id.p);
        if (strcmp(version, our) != 0 && !cu_pin_knows(pin, version)) TRY(add_other(l, base, version, marker, err));
    }
    return CU_OK;
}

static cu_status flush_key(struct listing *l, struct cu_err *err)
{
    CU_BUF base = cu_buf_heap(4 * CU_BUCKET_KEY_MAX);
    CU_CLEANUP(cu_pin_free) struct cu_pin pin = { .there = false };
    char path[2 * PATH_BYTES + CU_BUCKET_KEY_MAX];

    if (!l->key[0]) return CU_OK;
    escape(l->key + strlen(l->prefix), &base);
    cu_buf_add_byte(&base, 0);
    TRY(cu_buf_ok(&base, err));
    snprintf(path, sizeof path, "%s/%s%s", l->m->pins, l->prefix, (const char *)base.p);
    TRY(read_pin(l->m, path, &pin, err));
    TRY(add_versions(l, (const char *)base.p, &pin, err));
    l->key[0] = 0;
    return CU_OK;
}

static cu_status take_version(void *arg, const struct cu_bucket_version *v, struct cu_err *err)
{
    struct listing *l = arg;

    if (strcmp(v->key, l->key) != 0) {
        TRY(flush_key(l, err));
        cu_buf_clear(&l->versions);
        snprintf(l->key, sizeof l->key, "%s", v->key);
    }
    cu_buf_addf(&l->versions, "%s%s\n", v->version, v->marker ? " deleted" : "");
    return cu_buf_ok(&l->versions, err);
}

/* A folder that the store has; of any other everything in it, as one name each. */
static cu_status take_any(void *arg, const struct cu_bucket_version *v, struct cu_err *err)
{
    struct listing *l = arg;
    char name[CU_BUCKET_KEY_MAX];

    if (v->version) return strcmp(v->key, l->prefix) == 0 && !v->size ? CU_OK : take_version(l, v, err);
    TRY(flush_key(l, err));
    if (!is_folder(v->key)) return l->m->bucket.ops->list(l->m->bucket.self, v->key, true, take_version, l, err);
    snprintf(name, sizeof name, "%s", v->key + strlen(l->prefix));
    name[strlen(name) - 1] = 0;
    return add_name(l, name, CU_FILE_FOLDER, err);
}

static int by_name(const void *a, const void *b)
{
    return strcmp(((const struct name *)a)->text, ((const struct name *)b)->text);
}

static cu_status list_both(const struct mount *m, const char *path, const char *below, struct listing *l, struct cu_err *err)
{
    const cu_status listed = m->base.ops->list(m->base.self, path, add_name, l, err);

    if (listed != CU_NOT_FOUND) TRY(listed);
    ENSURE(strlen(below) + 2 < sizeof l->prefix, err, CU_NOT_FOUND, "%s is not there", path);
    snprintf(l->prefix, sizeof l->prefix, "%s%s", below, *below ? "/" : "");
    TRY(m->bucket.ops->list(m->bucket.self, l->prefix, false, take_any, l, err));
    TRY(flush_key(l, err));
    ENSURE(listed == CU_OK || l->names_n > 0 || !*below, err, CU_NOT_FOUND, "%s is not there", path);
    return CU_OK;
}

/* ---- the file system ---- */

static cu_status fs_open(void *self, const char *path, unsigned flags, struct cu_file **ret, struct cu_err *err)
{
    const struct mount *m = self;
    struct spot at;

    if (!spot_of(m, path, &at)) return m->base.ops->open(m->base.self, path, flags, ret, err);
    if (flags & (CU_OPEN_WRITE | CU_OPEN_CREATE | CU_OPEN_TRUNCATE)) return no_writing(err);
    return open_object(m, &at, ret, err);
}

static cu_status fs_make_dir(void *self, const char *path, struct cu_err *err)
{
    const struct mount *m = self;
    return m->base.ops->make_dir(m->base.self, path, err);
}

static cu_status fs_rename(void *self, const char *from, const char *to, struct cu_err *err)
{
    const struct mount *m = self;
    struct spot old, new;
    const bool out = spot_of(m, from, &old), in = spot_of(m, to, &new);

    if (out && in) return no_writing(err);
    if (out) return move_away(m, &old, to, err);
    if (!in) return m->base.ops->rename(m->base.self, from, to, err);
    return new.version[0] ? no_writing(err) : publish(m, from, &new, err);
}

/* A bucket is durable by itself, a pin when it was written: what is left are the side files' names. */
static cu_status fs_sync_dir(void *self, const char *path, struct cu_err *err)
{
    const struct mount *m = self;
    const cu_status synced = m->base.ops->sync_dir(m->base.self, path, err);

    return synced == CU_NOT_FOUND && inside(m, path) ? CU_OK : synced;
}

static cu_status fs_sync_all(void *self, struct cu_err *err)
{
    const struct mount *m = self;
    return m->base.ops->sync_all(m->base.self, err);
}

static cu_status fs_stat(void *self, const char *path, struct cu_file_stat *ret, struct cu_err *err)
{
    const struct mount *m = self;
    struct cu_file_stat is = { .kind = CU_FILE_REGULAR };
    struct spot at;

    if (!spot_of(m, path, &at)) {
        const cu_status found = m->base.ops->stat(m->base.self, path, ret, err);
        if (found != CU_NOT_FOUND || strcmp(path, m->folder) != 0) return found;
        is.kind = CU_FILE_FOLDER; /* the bucket is there, whatever became of the folder */
    } else if (!at.marker) TRY(resolve(m, &at, &is.size, err));
    *ret = is;
    return CU_OK;
}

static cu_status fs_list(void *self, const char *path,
                         cu_status (*each)(void *arg, const char *name, enum cu_file_kind kind, struct cu_err *err), void *arg,
                         struct cu_err *err)
{
    const struct mount *m = self;
    const char *below = inside(m, path);
    CU_CLEANUP(listing_free) struct listing l = { .m = m, .versions = cu_buf_heap(NAMES_BYTES) };

    if (!below) return m->base.ops->list(m->base.self, path, each, arg, err);
    TRY(list_both(m, path, below, &l, err));
    if (l.names_n) qsort(l.name, l.names_n, sizeof *l.name, by_name);
    for (size_t i = 0; i < l.names_n; i++)
        if (i == 0 || strcmp(l.name[i].text, l.name[i - 1].text) != 0) TRY(each(arg, l.name[i].text, l.name[i].kind, err));
    return CU_OK;
}

static cu_status fs_lock(void *self, const char *path, unsigned wait_ms, void **ret_lock, struct cu_err *err)
{
    const struct mount *m = self;
    return m->base.ops->lock(m->base.self, path, wait_ms, ret_lock, err);
}

static void fs_unlock(void *self, void *lock)
{
    const struct mount *m = self;
    m->base.ops->unlock(m->base.self, lock);
}

static bool fs_writable(void *self)
{
    const struct mount *m = self;
    return m->base.ops->writable(m->base.self);
}

static cu_status fs_held(void *self, const char *path, const char *version, uint64_t until, struct cu_fs_held *ret,
                         struct cu_err *err)
{
    const struct mount *m = self;
    struct cu_bucket_lock lock;
    struct cu_fs_held held;
    struct spot at;
    uint64_t size;

    ENSURE(spot_of(m, path, &at), err, CU_NOT_FOUND, "%s does not lie in the bucket", path);
    if (strcmp(version, CU_HELD_NEWEST) == 0) TRY(find_either(m, at.key, true, at.version, err));
    else if (*version) snprintf(at.version, sizeof at.version, "%s", version);
    TRY(resolve(m, &at, &size, err));
    TRY(m->bucket.ops->lock(m->bucket.self, at.key, at.version, until, &lock, err));
    memcpy(held.version, at.version, sizeof held.version);
    held.mode = lock.mode;
    held.until = lock.until;
    *ret = held;
    return CU_OK;
}

static void fs_close(void *self)
{
    struct mount *m = self;

    m->bucket.ops->close(m->bucket.self);
    m->base.ops->close(m->base.self);
    free(m);
}

cu_status cu_bucket_fs(struct cu_fs base, struct cu_bucket bucket, const char *folder, const char *pins, struct cu_fs *ret,
                       struct cu_err *err)
{
    static const struct cu_fs_ops ops = { fs_open, fs_make_dir, fs_rename, fs_sync_dir, fs_sync_all, fs_stat,
                                          fs_list, fs_lock,     fs_unlock, fs_writable, fs_close,    fs_held };
    struct mount *m = malloc(sizeof *m);

    ENSURE(m, err, CU_NO_MEMORY, "no memory for a bucket");
    *m = (struct mount){ base, bucket, folder, pins };
    *ret = (struct cu_fs){ m, &ops };
    return CU_OK;
}
