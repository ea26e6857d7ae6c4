/* A file system in memory that keeps apart what was synced and what was only written.
 *
 * (1) A node is a file's bytes, twice: as they are shown, and as they are on the medium.
 * (2) Every write since the last sync leaves an image of each sector that it touched, as it was shown then: a crash may find any
 *     of them on the medium. A sector is whole or absent.
 * (3) Names likewise: a list of creations and renames that no sync_dir has covered. One that is made durable takes the earlier
 *     ones of its file and of its names along. A sync of a file does not make its name durable.
 * (4) Folders are durable at once, as ports/fs.h says.
 * (5) A node lives as long as a name, a change or an open file has it: what was open during a crash can still be closed.
 * (6) A node that is not in the list of dirty ones is on the medium as it is shown.
 */
#include "memory.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

#define SECTOR 512u

struct bytes {
    uint8_t *p;
    size_t n, cap;
};
struct image {
    size_t sector;
    uint8_t was[SECTOR];
};

struct node {
    struct node *prev, *next;    /* (6) */
    bool dirty, lost;            /* lost: a sync failed, so that what is shown never reaches the medium */
    unsigned holders;            /* (5) */
    struct bytes shown, durable; /* (1) */
    struct image *images;        /* (2) */
    size_t images_n, images_cap;
    size_t *lengths, lengths_n, lengths_cap; /* each length since the last sync */
    bool resized;                            /* truncated since: the next sync copies the whole */
};

struct name {
    struct name *next; /* of the same bucket */
    uint32_t hash;
    struct node *node; /* NULL: a folder */
    char path[];
};
struct names {
    struct name **bucket;
    size_t n, buckets;
};
struct change {
    char *from, *to;
    struct node *node;
}; /* (3): from NULL: created */
struct lock {
    struct lock *next;
    char *path;
    bool held;
};

struct memory {
    pthread_mutex_t mutex;
    bool at_work;
    struct node *dirty;
    struct names shown, durable;
    struct change *changes;
    size_t changes_n, changes_cap;
    struct lock *locks;
};

struct handle {
    struct cu_file base;
    struct memory *fs;
    struct node *node;
    bool writes;
};

static void *must(void *p)
{
    CU_ASSERT(p);
    return p;
}

static void *room(void *v, size_t n, size_t *cap, size_t each)
{
    if (n < *cap) return v;
    *cap = *cap ? *cap * 2 : 8;
    return must(realloc(v, *cap * each));
}

static void bytes_resize(struct bytes *b, size_t n)
{
    if (n > b->cap) {
        size_t cap = n > 2 * b->cap ? n : 2 * b->cap;
        b->p = must(realloc(b->p, cap));
        memset(b->p + b->cap, 0, cap - b->cap);
        b->cap = cap;
    }
    if (n < b->n) memset(b->p + n, 0, b->n - n); /* what is cut off is zero when the file grows again */
    b->n = n;
}

static void enter(struct memory *fs)
{
    pthread_mutex_lock(&fs->mutex);
    fs->at_work = true;
}

static void leave(struct memory *fs)
{
    fs->at_work = false;
    pthread_mutex_unlock(&fs->mutex);
}

/* ---- nodes ---- */

static struct node *hold(struct node *node)
{
    if (node) node->holders++;
    return node;
}

static void node_clean(struct memory *fs, struct node *node)
{
    if (!node->dirty) return;
    if (node->next) node->next->prev = node->prev;
    *(node->prev ? &node->prev->next : &fs->dirty) = node->next;
    node->prev = node->next = NULL;
    node->dirty = node->lost = false;
}

static void node_soil(struct memory *fs, struct node *node)
{
    if (node->dirty) return;
    node->next = fs->dirty;
    if (fs->dirty) fs->dirty->prev = node;
    fs->dirty = node;
    node->dirty = true;
}

static void let_go(struct memory *fs, struct node *node)
{
    if (!node || --node->holders > 0) return;
    node_clean(fs, node);
    free(node->shown.p);
    free(node->durable.p);
    free(node->images);
    free(node->lengths);
    free(node);
}

/* ---- names ---- */

static uint32_t hash_of(const char *path)
{
    uint32_t h = 2166136261u;
    for (; *path; path++) h = (h ^ (uint8_t)*path) * 16777619u;
    return h;
}

static struct name **name_at(const struct names *names, const char *path, uint32_t hash)
{
    struct name **at = &names->bucket[hash & (names->buckets - 1)];
    while (*at && ((*at)->hash != hash || strcmp((*at)->path, path) != 0)) at = &(*at)->next;
    return at;
}

static struct name *name_find(const struct names *names, const char *path)
{
    return names->n ? *name_at(names, path, hash_of(path)) : NULL;
}

static void names_grow(struct names *names)
{
    struct names more = { must(calloc(names->buckets ? 2 * names->buckets : 64, sizeof *more.bucket)), names->n,
                          names->buckets ? 2 * names->buckets : 64 };

    for (size_t i = 0; i < names->buckets; i++)
        for (struct name *name = names->bucket[i], *next; name; name = next) {
            next = name->next;
            name->next = more.bucket[name->hash & (more.buckets - 1)];
            more.bucket[name->hash & (more.buckets - 1)] = name;
        }
    free(names->bucket);
    *names = more;
}

static void name_set(struct memory *fs, struct names *names, const char *path, struct node *node)
{
    const uint32_t hash = hash_of(path);

    if (names->n >= names->buckets) names_grow(names);
    struct name **at = name_at(names, path, hash), *name = *at;
    if (!name) {
        name = *at = must(calloc(1, sizeof *name + strlen(path) + 1));
        name->hash = hash;
        memcpy(name->path, path, strlen(path));
        names->n++;
    }
    hold(node);
    let_go(fs, name->node);
    name->node = node;
}

static void name_drop(struct memory *fs, struct names *names, const char *path)
{
    struct name **at = names->n ? name_at(names, path, hash_of(path)) : NULL, *name = at ? *at : NULL;

    if (!name) return;
    *at = name->next;
    let_go(fs, name->node);
    free(name);
    names->n--;
}

static void names_each(struct names *names, void (*each)(void *arg, struct name *name), void *arg)
{
    for (size_t i = 0; i < names->buckets; i++)
        for (struct name *name = names->bucket[i], *next; name; name = next) next = name->next, each(arg, name);
}

static void name_free(void *arg, struct name *name)
{
    let_go(arg, name->node);
    free(name);
}

static void names_clear(struct memory *fs, struct names *names)
{
    names_each(names, name_free, fs);
    free(names->bucket);
    *names = (struct names){ 0 };
}

static void change_note(struct memory *fs, const char *from, const char *to, struct node *node)
{
    fs->changes = room(fs->changes, fs->changes_n, &fs->changes_cap, sizeof *fs->changes);
    fs->changes[fs->changes_n++] = (struct change){ from ? must(strdup(from)) : NULL, must(strdup(to)), hold(node) };
}

static void change_free(struct memory *fs, struct change *c)
{
    let_go(fs, c->node);
    free(c->from);
    free(c->to);
}

static void change_apply(struct memory *fs, struct names *names, const struct change *c)
{
    struct name *from = c->from ? name_find(names, c->from) : NULL;
    if (from && from->node == c->node) name_drop(fs, names, c->from);
    name_set(fs, names, c->to, c->node);
}

static bool in_folder(const char *path, const char *dir)
{
    const char *slash = strrchr(path, '/');
    if (!slash) return strcmp(dir, ".") == 0;
    return strlen(dir) == (size_t)(slash - path) && strncmp(path, dir, strlen(dir)) == 0;
}

static bool same_name(const struct change *a, const char *path)
{
    return path && (strcmp(a->to, path) == 0 || (a->from && strcmp(a->from, path) == 0));
}

/* (3): mark what must go along with change `at`, earlier ones first. */
static void mark(const struct memory *fs, size_t at, bool *durable)
{
    const struct change *c = &fs->changes[at];

    if (durable[at]) return;
    durable[at] = true;
    for (size_t i = 0; i < at; i++)
        if (fs->changes[i].node == c->node || same_name(&fs->changes[i], c->to) || same_name(&fs->changes[i], c->from))
            mark(fs, i, durable);
}

static void changes_settle(struct memory *fs, const bool *durable)
{
    size_t kept = 0;

    for (size_t i = 0; i < fs->changes_n; i++) {
        if (durable && !durable[i]) {
            fs->changes[kept++] = fs->changes[i];
            continue;
        }
        if (durable) change_apply(fs, &fs->durable, &fs->changes[i]);
        change_free(fs, &fs->changes[i]);
    }
    fs->changes_n = kept;
}

/* Make durable the changes in one folder, or (dir NULL) all. */
static void names_sync(struct memory *fs, const char *dir)
{
    bool *durable = must(calloc(fs->changes_n + 1, sizeof *durable));

    for (size_t i = 0; i < fs->changes_n; i++) {
        const struct change *c = &fs->changes[i];
        if (!dir || in_folder(c->to, dir) || (c->from && in_folder(c->from, dir))) mark(fs, i, durable);
    }
    changes_settle(fs, durable);
    free(durable);
}

static void make_folders(struct memory *fs, const char *path, bool itself)
{
    char *dir = must(strdup(path));

    for (char *p = strchr(dir, '/');; p = strchr(p + 1, '/')) {
        if (p) *p = '\0';
        else if (!itself) break;
        if (!name_find(&fs->shown, dir)) name_set(fs, &fs->shown, dir, NULL), name_set(fs, &fs->durable, dir, NULL);
        if (!p) break;
        *p = '/';
    }
    free(dir);
}

/* ---- one file ---- */

static struct handle *handle_of(struct cu_file *f) { return (struct handle *)(void *)f; }

static void note_length(struct node *node)
{
    node->lengths = room(node->lengths, node->lengths_n, &node->lengths_cap, sizeof *node->lengths);
    node->lengths[node->lengths_n++] = node->shown.n;
}

static void note_image(struct node *node, size_t sector)
{
    struct image *image;
    size_t at = sector * SECTOR, n = node->shown.n - at < SECTOR ? node->shown.n - at : SECTOR;

    node->images = room(node->images, node->images_n, &node->images_cap, sizeof *node->images);
    image = &node->images[node->images_n++];
    image->sector = sector;
    memset(image->was, 0, SECTOR);
    memcpy(image->was, node->shown.p + at, n);
}

static cu_status file_read_at(struct cu_file *f, uint64_t at, void *ret, size_t n, size_t *ret_n, struct cu_err *err)
{
    struct handle *h = handle_of(f);
    (void)err;

    enter(h->fs);
    const struct bytes *b = &h->node->shown;
    size_t got = at >= b->n ? 0 : b->n - at < n ? (size_t)(b->n - at) : n;
    if (got) memcpy(ret, b->p + at, got);
    leave(h->fs);
    *ret_n = got;
    return CU_OK;
}

static cu_status file_write_at(struct cu_file *f, uint64_t at, struct cu_span bytes, struct cu_err *err)
{
    struct handle *h = handle_of(f);
    struct node *node = h->node;

    ENSURE(h->writes, err, CU_NOT_ALLOWED, "the file was opened for reading");
    if (bytes.n == 0) return CU_OK;
    enter(h->fs);
    node_soil(h->fs, node);
    if (at + bytes.n > node->shown.n) bytes_resize(&node->shown, (size_t)at + bytes.n), note_length(node);
    memcpy(node->shown.p + at, bytes.p, bytes.n);
    for (size_t s = (size_t)at / SECTOR; s <= (at + bytes.n - 1) / SECTOR; s++) note_image(node, s);
    leave(h->fs);
    return CU_OK;
}

static void node_forget(struct node *node)
{
    node->images_n = node->lengths_n = 0;
    node->resized = false;
}

static void node_sync(struct memory *fs, struct node *node)
{
    const struct bytes *shown = &node->shown;

    bytes_resize(&node->durable, shown->n);
    if (node->resized && shown->n) memcpy(node->durable.p, shown->p, shown->n);
    for (size_t i = 0; i < node->images_n; i++) {
        size_t at = node->images[i].sector * SECTOR;
        if (at < shown->n) memcpy(node->durable.p + at, shown->p + at, shown->n - at < SECTOR ? shown->n - at : SECTOR);
    }
    node_forget(node);
    if (!node->lost) node_clean(fs, node);
}

static cu_status file_sync(struct cu_file *f, struct cu_err *err)
{
    struct handle *h = handle_of(f);
    (void)err;

    enter(h->fs);
    node_sync(h->fs, h->node);
    leave(h->fs);
    return CU_OK;
}

static cu_status file_size(struct cu_file *f, uint64_t *ret, struct cu_err *err)
{
    struct handle *h = handle_of(f);
    (void)err;

    enter(h->fs);
    *ret = h->node->shown.n;
    leave(h->fs);
    return CU_OK;
}

static void node_resize(struct memory *fs, struct node *node, size_t size)
{
    if (size == node->shown.n) return;
    node_soil(fs, node);
    bytes_resize(&node->shown, size);
    node->resized = true;
    note_length(node);
}

static cu_status file_truncate(struct cu_file *f, uint64_t size, struct cu_err *err)
{
    struct handle *h = handle_of(f);

    ENSURE(h->writes, err, CU_NOT_ALLOWED, "the file was opened for reading");
    enter(h->fs);
    node_resize(h->fs, h->node, (size_t)size);
    leave(h->fs);
    return CU_OK;
}

static void file_close(struct cu_file *f)
{
    struct handle *h = handle_of(f);

    enter(h->fs);
    let_go(h->fs, h->node);
    leave(h->fs);
    free(h);
}

static const struct cu_file_ops file_ops = { file_read_at, file_write_at, file_sync, file_size, file_truncate, file_close };

/* ---- the file system ---- */

static cu_status open_locked(struct memory *fs, const char *path, unsigned flags, struct node **ret, struct cu_err *err)
{
    struct name *name = name_find(&fs->shown, path);

    ENSURE(!name || name->node, err, CU_IO, "cannot open %s: it is not a regular file", path);
    ENSURE(name || flags & CU_OPEN_CREATE, err, CU_NOT_FOUND, "cannot open %s: No such file or directory", path);
    if (!name) {
        struct node *node = must(calloc(1, sizeof *node));
        make_folders(fs, path, false);
        name_set(fs, &fs->shown, path, node);
        change_note(fs, NULL, path, node);
        name = name_find(&fs->shown, path);
    }
    if (flags & CU_OPEN_TRUNCATE) node_resize(fs, name->node, 0);
    *ret = hold(name->node);
    return CU_OK;
}

static cu_status fs_open(void *self, const char *path, unsigned flags, struct cu_file **ret, struct cu_err *err)
{
    struct memory *fs = self;
    struct node *node = NULL;

    enter(fs);
    cu_status status = open_locked(fs, path, flags, &node, err);
    struct handle *h = status == CU_OK ? must(malloc(sizeof *h)) : NULL;
    leave(fs);
    if (!h) return status;
    *h = (struct handle){ { &file_ops }, fs, node, (flags & CU_OPEN_WRITE) != 0 };
    *ret = &h->base;
    return CU_OK;
}

static cu_status fs_make_dir(void *self, const char *path, struct cu_err *err)
{
    struct memory *fs = self;

    enter(fs);
    make_folders(fs, path, true);
    bool folder = !name_find(&fs->shown, path)->node;
    leave(fs);
    ENSURE(folder, err, CU_IO, "cannot make the folder %s: something else stands there", path);
    return CU_OK;
}

static cu_status fs_rename(void *self, const char *from, const char *to, struct cu_err *err)
{
    struct memory *fs = self;

    enter(fs);
    struct name *name = name_find(&fs->shown, from);
    struct node *node = name ? name->node : NULL;
    if (node) {
        make_folders(fs, to, false);
        change_note(fs, from, to, node);
        change_apply(fs, &fs->shown, &fs->changes[fs->changes_n - 1]);
    }
    leave(fs);
    ENSURE(node, err, CU_NOT_FOUND, "publishing %s: cannot rename %s: No such file or directory", to, from);
    return CU_OK;
}

static cu_status fs_sync_dir(void *self, const char *path, struct cu_err *err)
{
    struct memory *fs = self;

    enter(fs);
    const struct name *name = name_find(&fs->shown, path);
    bool folder = strcmp(path, ".") == 0 || (name && !name->node);
    if (folder) names_sync(fs, path);
    leave(fs);
    ENSURE(folder, err, CU_NOT_FOUND, "cannot sync the folder %s: No such file or directory", path);
    return CU_OK;
}

static cu_status fs_sync_all(void *self, struct cu_err *err)
{
    struct memory *fs = self;
    (void)err;

    enter(fs);
    for (struct node *node = fs->dirty, *next; node; node = next) next = node->next, node_sync(fs, node);
    names_sync(fs, NULL);
    leave(fs);
    return CU_OK;
}

static cu_status fs_stat(void *self, const char *path, struct cu_file_stat *ret, struct cu_err *err)
{
    struct memory *fs = self;
    struct cu_file_stat out = { CU_FILE_FOLDER, 0 };

    enter(fs);
    const struct name *name = name_find(&fs->shown, path);
    bool there = name || strcmp(path, ".") == 0;
    if (name && name->node) out = (struct cu_file_stat){ CU_FILE_REGULAR, name->node->shown.n };
    leave(fs);
    ENSURE(there, err, CU_NOT_FOUND, "cannot examine %s: No such file or directory", path);
    *ret = out;
    return CU_OK;
}

static int by_name(const void *a, const void *b) { return strcmp(*(char *const *)a, *(char *const *)b); }

struct listing {
    const char *dir;
    char **found;
    size_t n;
};

static void list_one(void *arg, struct name *name)
{
    struct listing *l = arg;
    if (in_folder(name->path, l->dir)) l->found[l->n++] = must(strdup(name->path));
}

static cu_status fs_list(void *self, const char *path,
                         cu_status (*each)(void *arg, const char *name, enum cu_file_kind kind, struct cu_err *err), void *arg,
                         struct cu_err *err)
{
    struct memory *fs = self;
    struct cu_file_stat st;
    cu_status status = CU_OK;
    struct listing l = { .dir = path };

    TRY(fs_stat(fs, path, &st, err));
    ENSURE(st.kind == CU_FILE_FOLDER, err, CU_NOT_FOUND, "cannot list %s: Not a directory", path);
    enter(fs);
    l.found = must(calloc(fs->shown.n + 1, sizeof *l.found));
    names_each(&fs->shown, list_one, &l);
    leave(fs);

    qsort(l.found, l.n, sizeof *l.found, by_name);
    for (size_t i = 0; i < l.n; i++) {
        const char *slash = strrchr(l.found[i], '/');
        if (status == CU_OK && fs_stat(fs, l.found[i], &st, NULL) == CU_OK)
            status = each(arg, slash ? slash + 1 : l.found[i], st.kind, err);
        free(l.found[i]);
    }
    free(l.found);
    return status;
}

static cu_status fs_lock(void *self, const char *path, unsigned wait_ms, void **ret_lock, struct cu_err *err)
{
    struct memory *fs = self;
    struct lock *lock;

    (void)wait_ms; /* nobody else is there to let go */
    enter(fs);
    for (lock = fs->locks; lock && !(lock->held && strcmp(lock->path, path) == 0);) lock = lock->next;
    bool busy = lock;
    if (!busy) {
        lock = must(malloc(sizeof *lock));
        *lock = (struct lock){ fs->locks, must(strdup(path)), true };
        fs->locks = lock;
    }
    leave(fs);
    ENSURE(!busy, err, CU_BUSY, "another process is writing here (it holds %s)", path);
    *ret_lock = lock;
    return CU_OK;
}

static void fs_unlock(void *self, void *lock)
{
    struct memory *fs = self;
    struct lock **at = &fs->locks, *old = lock;

    if (!lock) return;
    enter(fs);
    while (*at != old) at = &(*at)->next;
    *at = old->next;
    leave(fs);
    free(old->path);
    free(old);
}

static bool fs_writable(void *self)
{
    (void)self;
    return true;
}

static void fs_close(void *self)
{
    struct memory *fs = self;

    if (!fs) return;
    for (struct lock *lock = fs->locks, *next; lock; lock = next) next = lock->next, free(lock->path), free(lock);
    changes_settle(fs, NULL);
    free(fs->changes);
    names_clear(fs, &fs->shown);
    names_clear(fs, &fs->durable);
    pthread_mutex_destroy(&fs->mutex);
    free(fs);
}

static const struct cu_fs_ops fs_ops = {
    fs_open, fs_make_dir, fs_rename, fs_sync_dir, fs_sync_all, fs_stat, fs_list, fs_lock, fs_unlock, fs_writable, fs_close,
};

cu_status cu_memory_fs(struct cu_fs *ret, struct cu_err *err)
{
    struct memory *fs = calloc(1, sizeof *fs);
    ENSURE(fs, err, CU_NO_MEMORY, "no memory for a file system");
    pthread_mutex_init(&fs->mutex, NULL);
    *ret = (struct cu_fs){ fs, &fs_ops };
    return CU_OK;
}

/* ---- loss of power ---- */

struct dice {
    uint64_t seed, state;
};

static uint64_t roll(struct dice *dice) /* splitmix64 */
{
    uint64_t z = dice->state += 0x9e3779b97f4a7c15u;
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
    z = (z ^ z >> 27) * 0x94d049bb133111ebu;
    return z ^ z >> 31;
}

static bool survives(struct dice *dice) { return dice->seed == 1 || (dice->seed != 0 && roll(dice) & 1); }

static void node_crash(struct memory *fs, struct node *node, struct dice *dice)
{
    struct bytes *medium = &node->durable;
    size_t size = medium->n;

    for (size_t i = 0; i < node->lengths_n; i++)
        if (survives(dice)) size = node->lengths[i];
    if (dice->seed == 1) node_sync(fs, node);
    for (size_t i = 0; i < node->images_n; i++) {
        const struct image *image = &node->images[i];
        if (!survives(dice)) continue;
        if ((image->sector + 1) * SECTOR > medium->n) bytes_resize(medium, (image->sector + 1) * SECTOR);
        memcpy(medium->p + image->sector * SECTOR, image->was, SECTOR);
    }
    bytes_resize(medium, size);
    bytes_resize(&node->shown, size);
    if (size) memcpy(node->shown.p, medium->p, size);
    node_forget(node);
    node_clean(fs, node);
}

static void show(void *arg, struct name *name)
{
    struct memory *fs = arg;
    name_set(fs, &fs->shown, name->path, name->node);
}

static void names_crash(struct memory *fs, struct dice *dice)
{
    for (size_t i = 0; i < fs->changes_n; i++)
        if (survives(dice)) change_apply(fs, &fs->durable, &fs->changes[i]);
    changes_settle(fs, NULL);
    names_clear(fs, &fs->shown);
    names_each(&fs->durable, show, fs);
}

void cu_memory_crash(const struct cu_fs *cu_fs, uint64_t seed)
{
    struct memory *fs = cu_fs->self;
    struct dice dice = { seed, seed };

    enter(fs);
    for (struct node *node = fs->dirty, *next; node; node = next) next = node->next, node_crash(fs, node, &dice);
    names_crash(fs, &dice);
    for (struct lock *lock = fs->locks; lock; lock = lock->next) lock->held = false;
    leave(fs);
}

static void copy_one(void *arg, struct name *name)
{
    struct memory *to = arg;
    struct node *node = name->node ? must(calloc(1, sizeof *node)) : NULL;

    if (node && name->node->shown.n) {
        bytes_resize(&node->shown, name->node->shown.n);
        memcpy(node->shown.p, name->node->shown.p, node->shown.n);
        bytes_resize(&node->durable, node->shown.n);
        memcpy(node->durable.p, node->shown.p, node->shown.n);
    }
    name_set(to, &to->shown, name->path, node);
    name_set(to, &to->durable, name->path, node);
}

cu_status cu_memory_copy(const struct cu_fs *cu_fs, struct cu_fs *ret, struct cu_err *err)
{
    struct memory *from = cu_fs->self;

    TRY(cu_memory_fs(ret, err));
    enter(from);
    names_each(&from->shown, copy_one, ret->self);
    leave(from);
    return CU_OK;
}

bool cu_memory_flip(const struct cu_fs *cu_fs, const char *path, uint64_t bit)
{
    struct memory *fs = cu_fs->self;

    enter(fs);
    const struct name *name = name_find(&fs->shown, path);
    struct node *node = name ? name->node : NULL;
    const bool there = node && bit / 8 < node->shown.n;
    if (there) node->shown.p[bit / 8] ^= (uint8_t)(1u << bit % 8);
    if (there && bit / 8 < node->durable.n) node->durable.p[bit / 8] ^= (uint8_t)(1u << bit % 8);
    leave(fs);
    return there;
}

bool cu_memory_at_work(const struct cu_fs *cu_fs) { return ((const struct memory *)cu_fs->self)->at_work; }

/* (6): what is lost stays in the list of dirty ones, so that a crash comes by. */
static void lose(struct node *node)
{
    if (!node->dirty) return;
    node_forget(node);
    node->lost = true;
}

void cu_memory_lose(struct cu_file *file)
{
    struct handle *h = handle_of(file);

    enter(h->fs);
    lose(h->node);
    leave(h->fs);
}

void cu_memory_lose_all(const struct cu_fs *cu_fs)
{
    struct memory *fs = cu_fs->self;

    enter(fs);
    for (struct node *node = fs->dirty; node; node = node->next) lose(node);
    leave(fs);
}
