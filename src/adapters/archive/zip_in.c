/* A zip as it lies, from whoever. Two walks: the first looks at every name and size and refuses what is hostile before a byte is handed
 * on, the second reads. libarchive takes names and sizes from the central directory; bytes that are not as many as it says, or not
 * of its checksum, end the walk.
 */
#include "adapters/archive/archive.h"

#include "adapters/posix/posix.h"
#include "custody/limits.h"
#include "custody/text.h"

#include <archive.h>
#include <archive_entry.h>
#include <errno.h>
#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <strings.h>
#include <sys/stat.h>

enum { BLOCK = 1 << 16, EXPANDS_MAX = 200, EXPANDS_FREELY = 256 << 20 };

struct zip_in {
    char path[4200], top[300];
    uint64_t names_n, names_cap, total, file_size;
    char **names; /* as seen by the first walk, without the top folder */
};

struct entry {
    struct archive *archive;
    uint64_t left;
    const struct zip_in *zip;
};

static void close_zip(void *self)
{
    struct zip_in *z = self;

    for (size_t i = 0; i < z->names_n; i++) free(z->names[i]);
    free(z->names);
    free(z);
}

static cu_status refuse(const struct zip_in *z, const char *name, struct cu_err *err, const char *why)
{
    char shown[300];
    struct cu_buf out = cu_buf_over(shown, sizeof shown - 1);

    cu_text_printable(&out, cu_span_str(name ? name : ""));
    shown[out.n] = 0;
    return cu_fail(err, CU_MALFORMED, "%s: %s%s%s; a package that does this is not opened: nothing of it was judged", z->path,
                   shown, shown[0] ? ": " : "", why);
}

/* ---- names ---- */
static const char *hostile(const char *name)
{
    for (const char *c = name; *c; c++)
        if (*c == '\\' || (unsigned char)*c < 0x20 || *c == 0x7F) return "a backslash or control character in its name";
    if (name[0] == '/' || (name[0] && name[1] == ':')) return "an absolute path";
    for (const char *at = name; at; at = strchr(at, '/') ? strchr(at, '/') + 1 : NULL) {
        const size_t n = strcspn(at, "/");
        if (n == 0 || (n == 1 && at[0] == '.') || (n == 2 && at[0] == '.' && at[1] == '.'))
            return "an empty, \".\" or \"..\" component in its path: it would lead out of the folder";
    }
    return strlen(name) > CU_PATH_MAX_BYTES ? "a path of more than 4,096 bytes" : NULL;
}

/* Below the one folder; NULL: not. */
static const char *below_top(struct zip_in *z, const char *name)
{
    const char *slash = strchr(name, '/');
    const size_t n = slash ? (size_t)(slash - name) : 0;

    if (n == 0 || n >= sizeof z->top) return NULL;
    if (!z->top[0]) snprintf(z->top, sizeof z->top, "%.*s", (int)n, name);
    return strlen(z->top) == n && memcmp(z->top, name, n) == 0 ? slash + 1 : NULL;
}

static int by_name(const void *a, const void *b) { return strcasecmp(*(char *const *)a, *(char *const *)b); }

static cu_status remember(struct zip_in *z, const char *name, struct cu_err *err)
{
    ENSURE(z->names_n < CU_ITEMS_MAX, err, CU_TOO_LARGE, "%s: more than %d files", z->path, CU_ITEMS_MAX);
    if (z->names_n == z->names_cap) {
        const uint64_t cap = z->names_cap ? 2 * z->names_cap : 256;
        char **more = realloc(z->names, cap * sizeof *more);
        ENSURE(more, err, CU_NO_MEMORY, "no memory for the names in %s", z->path);
        z->names = more;
        z->names_cap = cap;
    }
    z->names[z->names_n] = strdup(name);
    ENSURE(z->names[z->names_n], err, CU_NO_MEMORY, "no memory for the names in %s", z->path);
    z->names_n++;
    return CU_OK;
}

/* ---- walking ---- */
typedef cu_status each_entry(struct zip_in *z, struct archive *a, struct archive_entry *e, const char *name, void *arg,
                             struct cu_err *err);

static void free_archive(struct archive **a)
{
    if (*a) archive_read_free(*a);
}

static cu_status one_entry(struct zip_in *z, struct archive *a, struct archive_entry *e, each_entry *each, void *arg,
                           struct cu_err *err)
{
    const char *name = archive_entry_pathname_utf8(e);
    char plain[CU_PATH_MAX_BYTES + 300];

    if (!name) name = archive_entry_pathname(e);
    if (!name || strlen(name) >= sizeof plain) return refuse(z, NULL, err, "a name that is too long or no UTF-8");
    snprintf(plain, sizeof plain, "%s", name);
    const bool folder = archive_entry_filetype(e) == AE_IFDIR;
    if (folder && plain[0] && plain[strlen(plain) - 1] == '/') plain[strlen(plain) - 1] = 0;
    if (hostile(plain)) return refuse(z, plain, err, hostile(plain));
    if (archive_entry_hardlink(e) || archive_entry_symlink(e) || (!folder && archive_entry_filetype(e) != AE_IFREG))
        return refuse(z, plain, err, "a link or a device");
    if (archive_entry_is_encrypted(e)) return refuse(z, plain, err, "it is encrypted");
    if (folder) return CU_OK;
    const char *below = below_top(z, plain);
    if (!below) return refuse(z, plain, err, "it does not lie in the one folder that a package has");
    return each(z, a, e, below, arg, err);
}

static cu_status walk_archive(struct zip_in *z, each_entry *each, void *arg, struct cu_err *err)
{
    CU_CLEANUP(free_archive) struct archive *a = archive_read_new();
    struct archive_entry *e;
    int got;

    ENSURE(a, err, CU_NO_MEMORY, "out of memory");
    archive_read_support_format_zip_seekable(a);
    if (archive_read_set_options(a, "zip:hdrcharset=UTF-8") != ARCHIVE_OK ||
        archive_read_open_filename(a, z->path, BLOCK) != ARCHIVE_OK)
        return refuse(z, NULL, err, "it is no zip, or its directory is damaged");
    while ((got = archive_read_next_header(a, &e)) == ARCHIVE_OK) TRY(one_entry(z, a, e, each, arg, err));
    return got == ARCHIVE_EOF ? CU_OK : refuse(z, NULL, err, archive_error_string(a) ? archive_error_string(a) : "damaged");
}

/* Names are UTF-8 whatever the locale of whoever calls: libarchive wants to write them in it. */
static cu_status walk(struct zip_in *z, each_entry *each, void *arg, struct cu_err *err)
{
    const locale_t utf8 = newlocale(LC_CTYPE_MASK, "C.UTF-8", (locale_t)0), before = utf8 ? uselocale(utf8) : (locale_t)0;
    const cu_status walked = walk_archive(z, each, arg, err);

    if (utf8) uselocale(before), freelocale(utf8);
    return walked;
}

static cu_status look(struct zip_in *z, struct archive *a, struct archive_entry *e, const char *name, void *arg,
                      struct cu_err *err)
{
    (void)a, (void)arg;
    if (!archive_entry_size_is_set(e) || archive_entry_size(e) < 0)
        return refuse(z, name, err, "it does not say how large it is");
    z->total += (uint64_t)archive_entry_size(e);
    if (z->total > (UINT64_C(1) << 50) || (z->total > EXPANDS_FREELY && z->total / EXPANDS_MAX > z->file_size))
        return refuse(z, name, err, "it would unpack to more than 200 times its size");
    return remember(z, name, err);
}

static cu_status look_at_all(struct zip_in *z, struct cu_err *err)
{
    TRY(walk(z, look, NULL, err));
    ENSURE(z->names_n, err, CU_MALFORMED, "%s: an empty zip", z->path);
    qsort(z->names, z->names_n, sizeof *z->names, by_name);
    for (size_t i = 1; i < z->names_n; i++)
        if (strcasecmp(z->names[i - 1], z->names[i]) == 0) return refuse(z, z->names[i], err, "the name stands there twice");
    return CU_OK;
}

/* ---- reading ---- */
static cu_status read_bytes(void *self, void *ret, size_t n, size_t *ret_n, struct cu_err *err)
{
    struct entry *e = self;
    size_t at = 0;

    while (at < n) {
        const la_ssize_t got = archive_read_data(e->archive, (char *)ret + at, n - at);
        if (got == ARCHIVE_RETRY) continue;
        if (got < 0)
            return refuse(e->zip, NULL, err, archive_error_string(e->archive) ? archive_error_string(e->archive) : "damaged");
        if (got == 0) break;
        if ((uint64_t)got > e->left) return refuse(e->zip, NULL, err, "a file has more bytes than the directory says");
        e->left -= (uint64_t)got;
        at += (size_t)got;
    }
    if (at < n && e->left > 0) return refuse(e->zip, NULL, err, "a file has fewer bytes than the directory says");
    *ret_n = at;
    return CU_OK;
}

struct handing {
    cu_status (*file)(void *arg, struct cu_package_file *f, struct cu_err *err);
    void *arg;
};

static cu_status hand(struct zip_in *z, struct archive *a, struct archive_entry *e, const char *name, void *arg,
                      struct cu_err *err)
{
    const struct handing *h = arg;
    struct entry entry = { a, (uint64_t)archive_entry_size(e), z };
    struct cu_package_file f = { .path = cu_span_str(name), .size = entry.left, .self = &entry, .read = read_bytes };

    return h->file(h->arg, &f, err);
}

static cu_status each(void *self, cu_status (*file)(void *arg, struct cu_package_file *f, struct cu_err *err), void *arg,
                      struct cu_err *err)
{
    struct handing h = { file, arg };

    return walk(self, hand, &h, err);
}

cu_status cu_zip_open(const char *path, struct cu_package *ret, struct cu_err *err)
{
    struct zip_in *z = calloc(1, sizeof *z);
    struct stat st;

    ENSURE(z, err, CU_NO_MEMORY, "out of memory");
    snprintf(z->path, sizeof z->path, "%s", path);
    cu_status opened = stat(path, &st) == 0 ? CU_OK : cu_posix_fail(err, errno, "read", path);
    if (opened == CU_OK) {
        z->file_size = (uint64_t)st.st_size;
        opened = look_at_all(z, err);
    }
    if (opened != CU_OK) return close_zip(z), opened;
    *ret = (struct cu_package){ z, each, close_zip };
    return CU_OK;
}
