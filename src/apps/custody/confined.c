/* What a server keeps when it gives up the rest: the folders of its session and of the files that its options name. */
#include "adapters/confine/confine.h"
#include "apps/custody/app.h"

#include <unistd.h>

#define FOLDERS (2 * OPTIONS_MAX + 2)

struct folders {
    char path[FOLDERS][4096];
    const char *list[FOLDERS + 1];
    size_t n;
};

/* The folder that a file lies in: what is put in its place tomorrow is read as well. */
static void add_folder(struct folders *f, const char *path, bool is_file)
{
    if (f->n >= FOLDERS) return;
    char *at = f->path[f->n];
    if (snprintf(at, sizeof f->path[0], "%s", path) >= (int)sizeof f->path[0]) return;
    char *slash = is_file ? strrchr(at, '/') : NULL;
    if (is_file && !slash) snprintf(at, sizeof f->path[0], ".");
    else if (slash) slash[slash == at] = 0;
    f->list[f->n++] = at;
}

static void add_options(struct folders *read, struct folders *write, const struct option *options, const char *const *values)
{
    for (size_t i = 0; i < OPTIONS_MAX && options[i].name; i++) {
        if (!values[i] || !options[i].value) continue;
        if (strcmp(options[i].value, "FILE") == 0) add_folder(read, values[i], true);
        if (strcmp(options[i].value, "DIR") == 0) add_folder(write, values[i], false);
    }
}

static void add_own_folder(struct folders *read)
{
    char self[4096];
    const ssize_t n = readlink("/proc/self/exe", self, sizeof self - 1);

    if (n > 0) self[n] = 0, add_folder(read, self, true); /* the parts beside the program */
}

/* A share of a network starts one program: CometBFT, as it is named, or where PATH has it. */
static const char *program_of(const struct session *s, char mem[4096])
{
    const char *path = getenv("PATH");

    if (!s->networked || opt_is(s->run, "engine-apart")) return NULL;
    const char *named = opt(s->run, "cometbft");
    if (named && strchr(named, '/')) return named;
    while (path && *path) {
        const size_t n = strcspn(path, ":");
        snprintf(mem, 4096, "%.*s/%s", (int)n, path, named ? named : "cometbft");
        if (access(mem, X_OK) == 0) return mem;
        path += n + (path[n] == ':');
    }
    return NULL;
}

cu_status session_confine(struct session *s, struct cu_err *err)
{
    const char *how = opt(s->run, "confine");
    struct folders *read, *write;
    char program[4096];
    struct cu_err why = { 0 };

    ENSURE(!how || strcmp(how, "auto") == 0 || strcmp(how, "off") == 0, err, CU_USAGE, "--confine: auto or off, not %s", how);
    if (how && strcmp(how, "off") == 0) return CU_OK;
    read = calloc(2, sizeof *read);
    ENSURE(read, err, CU_NO_MEMORY, "out of memory");
    write = read + 1;
    add_folder(write, s->root, false);
    add_own_folder(read);
    add_options(read, write, s->run->command->options, s->run->values);
    add_options(read, write, common_options, s->run->common);
    const struct cu_confinement c = { .write = write->list, .read = read->list, .run = program_of(s, program) };
    const cu_status confined = cu_confine(&c, s->confined, &why);
    free(read);
    if (confined == CU_NOT_ALLOWED) return say(s->run, "%s\n", why.text), CU_OK;
    return confined == CU_OK ? CU_OK : cu_fail(err, confined, "%s", why.text);
}
