/* custody get: evidence out again, verified on the way. Every read is recorded: who, when, why. */
#include "apps/custody/app.h"
#include "content/memory.h"

#include <fcntl.h>
#include <pwd.h>
#include <sys/stat.h>
#include <unistd.h>

/* ---- one file out ---- */
struct target {
    const char *path;
    int fd;
    uint64_t at;
    bool direct;    /* past the page cache: a long item is written in pieces and from memory that allow it, but for its end */
    uint8_t *piece; /* of a long item: a disk writes four megabytes half as fast again as one (decision 075); NULL: as it comes */
    size_t piece_n;
};
#define DIRECT_MIN ((uint64_t)16 << 20)
#define PIECE_BYTES ((size_t)4 << 20)

static void leave_direct(struct target *t)
{
    (void)fcntl(t->fd, F_SETFL, 0); /* if that fails the write says so */
    t->direct = false;
}

static cu_status put(struct target *t, struct cu_span bytes, struct cu_err *err)
{
    if (interrupted()) return cu_fail(err, CU_INTERRUPTED, "interrupted: %s is not complete", t->path);
    while (bytes.n) {
        if (t->direct && (bytes.n % CU_LEAF_BYTES || (uintptr_t)bytes.p % CU_LEAF_BYTES)) leave_direct(t);
        const ssize_t n = write(t->fd, bytes.p, bytes.n);
        if (n < 0 && errno == EINTR) continue;
        if (n < 0 && errno == EINVAL && t->direct) { /* not on this file system */
            leave_direct(t);
            continue;
        }
        if (n < 0) return cu_posix_fail(err, errno, "write", t->path);
        bytes = cu_span(bytes.p + n, bytes.n - (size_t)n);
        t->at += (uint64_t)n;
    }
    return CU_OK;
}

static cu_status put_piece(struct target *t, struct cu_err *err)
{
    const size_t n = t->piece_n;

    t->piece_n = 0;
    return n ? put(t, cu_span(t->piece, n), err) : CU_OK;
}

static cu_status feed(void *arg, struct cu_span bytes, struct cu_err *err)
{
    struct target *t = arg;

    while (t->piece && bytes.n) {
        const size_t room = PIECE_BYTES - t->piece_n, n = bytes.n < room ? bytes.n : room;
        memcpy(t->piece + t->piece_n, bytes.p, n);
        t->piece_n += n;
        bytes = cu_span_from(bytes, n);
        if (t->piece_n == PIECE_BYTES) TRY(put_piece(t, err));
    }
    return put(t, bytes, err);
}

static cu_status restart(void *arg, struct cu_err *err)
{
    struct target *t = arg;

    t->piece_n = 0;
    if (t->at == 0) return CU_OK;
    if (t->fd == STDOUT_FILENO)
        return cu_fail(err, CU_BAD_HASH,
                       "the provider's copy is damaged or cannot be read, and part of it was written already: write to a file "
                       "with -o, and run "
                       "`custody check --repair`");
    if (lseek(t->fd, 0, SEEK_SET) != 0 || ftruncate(t->fd, 0) != 0) return cu_posix_fail(err, errno, "begin again", t->path);
    t->at = 0;
    return CU_OK;
}

/* A new file in the same folder, under a short name of its own: the evidence may use every name, and all of a name's length. */
static int open_beside(const char *path, char *ret, size_t max)
{
    const char *slash = strrchr(path, '/');
    int fd = -1;

    for (unsigned i = 0; i < 1000 && (fd >= 0 || i == 0 || errno == EEXIST); i++) {
        if (fd >= 0) break;
        snprintf(ret, max, "%.*s.custody-%u", slash ? (int)(slash - path + 1) : 0, path, i);
        fd = open(ret, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
    }
    return fd;
}

/* ---- one object ---- */

/* What is sealed is opened, or goes out under the header of a grant. */
struct how {
    const struct cu_fetch_range *part;
    struct cu_unseal *open; /* NULL: as it is */
    const struct cu_fetch *of;
    const char *granted_to; /* NULL: nobody */
};

static cu_status fetch(struct session *s, const cu_hash *root, uint64_t size, const struct how *how, struct target *t,
                       bool *io_damaged, struct cu_err *err)
{
    struct cu_place *p = &s->place;

    if (how && how->open) return cu_unseal_fetch(p, &how->of->claim, how->open, feed, restart, t, io_damaged, err);
    if (how && how->granted_to)
        return cu_fetch_granted(p, &how->of->found.row.id, &how->of->claim, cu_span_str(how->granted_to), feed, restart, t,
                                io_damaged, err);
    return cu_fetch_object(p, root, size, how ? how->part : NULL, feed, restart, t, io_damaged, err);
}

/* Written beside and renamed: what lies under the name is whole and verified, or not there. */
static cu_status get_file(struct session *s, const cu_hash *root, uint64_t size, const struct how *how, const char *path,
                          bool *io_damaged, struct cu_err *err)
{
    char beside[8500];
    struct target t = { .path = path };

    t.fd = open_beside(path, beside, sizeof beside);
    if (t.fd < 0) return cu_posix_fail(err, errno, "write", path);
    t.direct = !(how && how->part) && size >= DIRECT_MIN && fcntl(t.fd, F_SETFL, O_DIRECT) == 0;
    if (t.direct) t.piece = cu_transfer_memory(PIECE_BYTES); /* without it, as it comes */
    cu_status got = fetch(s, root, size, how, &t, io_damaged, err);
    if (got == CU_OK) got = put_piece(&t, err);
    free(t.piece);
    if (got == CU_OK && fsync(t.fd) != 0) got = cu_posix_fail(err, errno, "sync", path);
    close(t.fd);
    if (got == CU_OK && rename(beside, path) != 0) got = cu_posix_fail(err, errno, "write", path);
    if (got != CU_OK) unlink(beside);
    return got;
}

/* ---- a folder out ---- */
static void set_times(const char *path, const struct cu_item *item)
{
    const struct timespec times[2] = { { .tv_nsec = UTIME_OMIT }, { (time_t)item->mtime_s, (long)item->mtime_ns } };

    (void)!utimensat(AT_FDCWD, path, times, AT_SYMLINK_NOFOLLOW);
    if (item->type == CU_ITEM_FILE) (void)!chmod(path, (mode_t)item->mode & 0777);
}

static cu_status get_item(struct session *s, const struct cu_item *item, const char *base, bool *io_damaged, struct cu_err *err)
{
    char path[8400], target[4200];

    snprintf(path, sizeof path, "%s/%.*s", base, (int)item->path.n, (const char *)item->path.p);
    if (item->has_target) snprintf(target, sizeof target, "%.*s", (int)item->target.n, (const char *)item->target.p);
    switch ((enum cu_item_type)item->type) {
    case CU_ITEM_FILE: TRY(get_file(s, &item->root, item->size, NULL, path, io_damaged, err)); break;
    case CU_ITEM_DIRECTORY:
        if (mkdir(path, 0777) != 0) return cu_posix_fail(err, errno, "make the folder", path);
        return CU_OK;
    case CU_ITEM_SYMLINK:
        if (symlink(target, path) != 0) return cu_posix_fail(err, errno, "make the link", path);
        break;
    case CU_ITEM_HARDLINK: {
        char first[8400];
        snprintf(first, sizeof first, "%s/%s", base, target);
        if (link(first, path) != 0) return cu_posix_fail(err, errno, "make the link", path);
        return CU_OK;
    }
    case CU_ITEM_OTHER: return CU_OK; /* a socket or device was recorded by name only */
    }
    set_times(path, item);
    return CU_OK;
}

static cu_status each_item(struct session *s, struct cu_span manifest, const char *base, bool *io_damaged,
                           cu_status (*each)(struct session *s, const struct cu_item *item, const char *base, bool *io_damaged,
                                             struct cu_err *err),
                           struct cu_err *err)
{
    struct cu_manifest m;
    struct cu_item item;
    bool more = true;

    TRY(cu_manifest_open(manifest, &m, err));
    while (more) {
        TRY(cu_manifest_next(&m, &item, &more, err));
        if (more) TRY(each(s, &item, base, io_damaged, err));
    }
    return CU_OK;
}

/* Folders' own times last: writing into them changes them. A link that leads elsewhere is made after everything else. */
static cu_status folder_times(struct session *s, const struct cu_item *item, const char *base, bool *io_damaged,
                              struct cu_err *err)
{
    char path[8400];

    (void)s, (void)io_damaged, (void)err;
    snprintf(path, sizeof path, "%s/%.*s", base, (int)item->path.n, (const char *)item->path.p);
    if (item->type == CU_ITEM_DIRECTORY) set_times(path, item);
    return CU_OK;
}

static cu_status links_only(struct session *s, const struct cu_item *item, const char *base, bool *io_damaged, struct cu_err *err)
{
    return item->type == CU_ITEM_SYMLINK ? get_item(s, item, base, io_damaged, err) : CU_OK;
}

static cu_status all_but_links(struct session *s, const struct cu_item *item, const char *base, bool *io_damaged,
                               struct cu_err *err)
{
    return item->type == CU_ITEM_SYMLINK ? CU_OK : get_item(s, item, base, io_damaged, err);
}

static cu_status get_folder(struct session *s, struct cu_span manifest, const char *path, bool *io_damaged, struct cu_err *err)
{
    if (mkdir(path, 0777) != 0) return cu_posix_fail(err, errno, "make the folder (it must not be there yet)", path);
    TRY(each_item(s, manifest, path, io_damaged, all_but_links, err));
    TRY(each_item(s, manifest, path, io_damaged, links_only, err)); /* nothing is ever written through a link of the evidence */
    return each_item(s, manifest, path, io_damaged, folder_times, err);
}

/* ---- who read it ---- */
static cu_status note_access(struct session *s, const cu_hash *id, struct cu_err *err)
{
    const struct passwd *pw = getpwuid(getuid());
    struct cu_access_row row = { .id = *id,
                                 .who = cu_span_str(pw ? pw->pw_name : "unknown"),
                                 .time = cu_place_now(&s->place).v,
                                 .reason = opt_span(s->run, "reason"),
                                 .authority = opt_span(s->run, "authority") };

    if (s->url) return CU_OK; /* the node notes it before it sends the first byte */
    return cu_access_note(&s->place, &row, err);
}

/* ---- the whole ---- */
static cu_status default_path(const struct cu_fetch *f, const struct cu_unseal *u, char ret[4200], struct cu_err *err)
{
    struct cu_span name = f->found.row.name;
    const char *kind = "";
    union cu_details said;

    if (u) {
        TRY(cu_details_check(cu_unseal_details(u), CU_KIND_CLAIM, &said, err));
        name = said.deposit.name;
        if (cu_span_is(said.deposit.media, CU_MEDIA_SEALED_FOLDER)) kind = ".tar";
    }
    ENSURE(name.n && !memchr(name.p, '/', name.n) && !memchr(name.p, 0, name.n) && !cu_span_is(name, ".") &&
               !cu_span_is(name, "..") && name.n < 256,
           err, CU_USAGE, "say where to put it: -o PATH");
    snprintf(ret, 4200, "%.*s%s", (int)name.n, (const char *)name.p, kind);
    ENSURE(access(ret, F_OK) != 0, err, CU_USAGE, "%s is there already: say where to put it with -o PATH", ret);
    return CU_OK;
}

/* FROM-TO, both counted, from 0. */
static cu_status read_range(const struct cu_fetch *f, struct cu_span text, struct cu_fetch_range *ret, struct cu_err *err)
{
    const uint64_t size = f->claim.size;
    struct cu_span from;

    ENSURE(!f->claim.has_folder, err, CU_USAGE, "--range is for one item, and this is a folder");
    ENSURE(cu_span_split(&text, '-', &from) && cu_decimal_read(from, size, &ret->from, NULL) == CU_OK &&
               cu_decimal_read(text, size, &ret->to, NULL) == CU_OK && ret->from <= ret->to && ret->to < size,
           err, CU_USAGE, "--range is FROM-TO, the first byte being 0: there are %llu", (unsigned long long)size);
    ret->to++;
    return CU_OK;
}

static cu_status get_evidence(struct session *s, const struct cu_fetch *f, struct cu_unseal *u, const char *path,
                              bool *io_damaged, struct cu_err *err)
{
    struct target out = { "standard output", STDOUT_FILENO, 0 };
    struct how how = { .open = u, .of = f, .granted_to = opt(s->run, "for") };
    struct cu_fetch_range range;

    if (opt(s->run, "range")) {
        ENSURE(!u && !how.granted_to, err, CU_USAGE,
               "--range is of the bytes that were signed, and these are sealed: with --sealed");
        TRY(read_range(f, opt_span(s->run, "range"), &range, err));
        how.part = &range;
    }
    if (f->claim.has_folder) {
        ENSURE(strcmp(path, "-") != 0, err, CU_USAGE, "a folder cannot go to standard output: -o PATH");
        return get_folder(s, cu_buf_span(&f->manifest), path, io_damaged, err);
    }
    if (strcmp(path, "-") != 0) return get_file(s, &f->claim.root, f->claim.size, &how, path, io_damaged, err);
    return fetch(s, &f->claim.root, f->claim.size, &how, &out, io_damaged, err);
}

static void tell(struct session *s, const struct cu_fetch *f, uint64_t size, const char *path, bool damaged, bool noted)
{
    struct cu_json j = cu_json_on(&s->run->out);

    if (damaged)
        say(s->run,
            "the provider's copy is damaged or cannot be read: this came from the node's copy; run `custody check --repair`\n");
    if (!noted) say(s->run, "this read was NOT recorded: the ledger cannot be written to\n");
    if (strcmp(path, "-") == 0) return;
    if (!s->run->json) {
        cu_buf_addf(&s->run->out, "%s  verified\n", path);
        return;
    }
    cu_json_open(&j, NULL, '{');
    cu_json_hash(&j, "id", &f->found.row.id);
    cu_json_str(&j, "path", path);
    cu_json_uint(&j, "size", f->claim.has_folder ? f->claim.folder.bytes : size);
    cu_json_bool(&j, "provider_copy_damaged", damaged);
    cu_json_bool(&j, "recorded", noted);
    cu_json_close(&j, '}');
    cu_buf_add_str(&s->run->out, "\n");
}

static cu_status get(struct session *s, void *noted, struct cu_err *err)
{
    CU_CLEANUP(cu_fetch_free) struct cu_fetch f = { 0 };
    CU_CLEANUP(cu_unseal_free) struct cu_unseal *u = NULL;
    CU_CLEANUP(cu_identities_free) struct cu_identities by = { 0 };
    const char *path = opt(s->run, "output");
    bool damaged = false;
    char name[4200];

    s->place.reading.reason = opt_span(s->run, "reason");
    s->place.reading.authority = opt_span(s->run, "authority");
    TRY(cu_fetch_begin(&s->place, cu_span_str(s->run->args[0]), &f, err));
    ENSURE(!opt(s->run, "for") || (f.claim.has_sealed && opt_is(s->run, "sealed")), err, CU_USAGE,
           "--for is of something sealed, and goes with --sealed");
    if (f.claim.has_sealed && !opt_is(s->run, "sealed")) {
        TRY(identities_read(s, &by, err));
        TRY(cu_unseal_begin(&s->place, &f.found.row.id, f.found.row.seq, &f.claim, &by, &u, err));
    }
    if (!path) {
        TRY(default_path(&f, u, name, err));
        path = name;
    }
    *(bool *)noted = note_access(s, &f.found.row.id, NULL) == CU_OK; /* before the first byte is given */
    TRY(get_evidence(s, &f, u, path, &damaged, err));
    progress_end(s);
    tell(s, &f, u ? cu_unseal_size(u) : f.claim.size, path, damaged, *(bool *)noted);
    return CU_OK;
}

/* The note in the outbox becomes an entry now, if nobody else is writing; else at the next writing verb. */
static cu_status nothing_more(struct session *s, void *arg, struct cu_err *err)
{
    (void)s, (void)arg, (void)err;
    return CU_OK; /* opening for writing has recorded it */
}

static cu_status go_get(struct run *run, struct cu_err *err)
{
    bool noted = false;

    TRY(in_session(run, MODE_READ, get, &noted, err));
    if (noted && !is_afar(run) && in_session(run, MODE_WRITE, nothing_more, NULL, NULL) != CU_OK)
        say(run, "this read is noted in the outbox; the next writing verb records it\n");
    return CU_OK;
}

const struct command command_get = {
    .name = "get",
    .args = "ID [-o PATH]",
    .line = "take evidence out again, verified",
    .help =
        "Writes the evidence to PATH (by default under its own name; - for standard output), every byte verified before it "
        "is written. A damaged copy of the provider is passed over for the node's. "
        "What is sealed is opened with the organisation's key, or one of --identity, and compared with the digests in its sealed "
        "details; a sealed folder comes as a tar file. "
        "Who read what, when and why is recorded in the log.",
    .args_min = 1,
    .args_max = 1,
    .go = go_get,
    .options = { { "output", "PATH", "where to put it" },
                 { "identity", "FILE", "keys that open what is sealed, as `age-keygen` writes them" },
                 { "sealed", NULL, "the sealed file as it is, for `age -d`" },
                 { "for", "MEMBER", "with --sealed: under the header of a grant to MEMBER, for his `age -d`" },
                 { "range", "FROM-TO",
                   "these bytes of one item alone, both counted, from 0; read and verified without the rest" },
                 { "reason", "TEXT", "why it is read" },
                 { "authority", "TEXT", "on whose order" } },
};
