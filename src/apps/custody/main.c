/* Arguments in, exit code out. */
#include "apps/custody/app.h"

#include <ctype.h>
#include <stdarg.h>
#include <unistd.h>

const struct option common_options[] = {
    { "ledger", "DIR|URL,…",
      "the ledger's folder, or the address of its node, or those of several of its nodes, which are asked in turn (or "
      "CUSTODY_LEDGER; else the nearest folder upward from here)" },
    { "json", NULL, "data as JSON on stdout, one object a line; progress as JSON on stderr" },
    { "quiet", NULL, "no progress and no words on stderr, but errors" },
    { "passphrase-file", "FILE", "the first line of FILE opens the private keys (or CUSTODY_PASSPHRASE)" },
    { "help", NULL, "this text" },
    { "accelerator", "auto|off",
      "check many signatures on lanes of AVX-512, where build and processor have them; the answers are the same" },
    { "pin-trust", "FILE", "of a ledger behind an address, the first time: what everything that it says is judged by" },
    { "cacert", "FILE", "for https: who the node's certificate must lead to (`tls/ca.pem` where `custody ca init` ran)" },
    { "cert", "FILE", "for https: the certificate and key to ask with, from `custody ca issue`" },
    { "state", "DIR", "where what is pinned and known of ledgers behind addresses is kept (by default ~/.local/state/custody)" },
    { "key", "FILE",
      "sign as the member whose private key this is, not as the ledger's own depositor; a key in a token (smart card, HSM) is "
      "named "
      "by its URI, pkcs11:token=LABEL;object=LABEL" },
    { "config", "FILE",
      "options from a file (TOML): these before its first table, a command's under [its-name]; the environment and the command "
      "line come before it" },
    { "pin-file", "FILE",
      "the first line of FILE is the PIN of the token that the key lies in (or CUSTODY_PIN; else who is at the terminal is "
      "asked)" },
    { "token-files", "DIR",
      "of a server: a folder that the token's module keeps, which stays open to it (softhsm2: /var/lib/softhsm/tokens)" },
    { NULL, NULL, NULL },
};

/* ---- what a command was given ---- */
static size_t options_n(const struct option *options)
{
    size_t n = 0;

    while (n < OPTIONS_MAX && options[n].name) n++;
    return n;
}

static const char **slot(struct run *run, const char *name, size_t len, const struct option **ret)
{
    for (size_t i = 0; i < options_n(run->command->options); i++)
        if (strlen(run->command->options[i].name) == len && strncmp(run->command->options[i].name, name, len) == 0)
            return *ret = &run->command->options[i], &run->values[i];
    for (size_t i = 0; i < options_n(common_options); i++)
        if (strlen(common_options[i].name) == len && strncmp(common_options[i].name, name, len) == 0)
            return *ret = &common_options[i], &run->common[i];
    return NULL;
}

const char *opt(const struct run *run, const char *name)
{
    const struct option *row;
    // NOLINTNEXTLINE(performance-no-int-to-ptr): slot() serves who sets values, too
    const char **value = slot((struct run *)(uintptr_t)run, name, strlen(name), &row);

    CU_ASSERT(value); /* every option asked for stands in the table */
    return *value;
}

void opt_set(struct run *run, const char *name, const char *value)
{
    const struct option *row;

    *slot(run, name, strlen(name), &row) = value;
}

bool opt_is(const struct run *run, const char *name) { return opt(run, name) != NULL; }

struct cu_span opt_span(const struct run *run, const char *name)
{
    const char *value = opt(run, name);

    return value ? cu_span_str(value) : CU_SPAN_EMPTY;
}

/* An environment variable for every option: CUSTODY_NO_WAIT for --no-wait. Empty and "0" are not given. */
static void from_environment(const struct option *options, const char **values)
{
    for (size_t i = 0; i < options_n(options); i++) {
        char name[64] = "CUSTODY_";
        size_t n = strlen(name);
        for (const char *c = options[i].name; *c && n < sizeof name - 1; c++)
            name[n++] = (char)(*c == '-' ? '_' : toupper((unsigned char)*c));
        name[n] = 0;
        const char *value = getenv(name);
        if (value && *value) values[i] = options[i].value || strcmp(value, "0") != 0 ? value : NULL;
    }
}

/* A file of settings comes first, so that whatever else was given replaces what it says. */
static cu_status from_settings(struct run *run, int argc, char **argv, struct cu_err *err)
{
    const char *path = getenv("CUSTODY_CONFIG");

    for (int i = 0; i < argc && strcmp(argv[i], "--") != 0; i++) {
        if (strncmp(argv[i], "--config=", 9) == 0) path = argv[i] + 9;
        if (strcmp(argv[i], "--config") == 0 && i + 1 < argc) path = argv[++i];
    }
    return path && *path ? settings_read(run, path, err) : CU_OK;
}

static cu_status take_option(struct run *run, int *at, int argc, char **argv, struct cu_err *err)
{
    const char *name = argv[*at] + 2, *equals = strchr(name, '=');
    const struct option *row = NULL;
    const char **value = slot(run, name, equals ? (size_t)(equals - name) : strlen(name), &row);

    ENSURE(value, err, CU_USAGE, "%s: there is no such option; `custody help %s` lists them", argv[*at], run->command->name);
    if (!row->value) {
        ENSURE(!equals, err, CU_USAGE, "--%s takes no value", row->name);
        *value = "1";
        return CU_OK;
    }
    ENSURE(equals || *at + 1 < argc, err, CU_USAGE, "--%s needs a value: %s", row->name, row->value);
    *value = equals ? equals + 1 : argv[++*at];
    return CU_OK;
}

static cu_status take_arguments(struct run *run, int argc, char **argv, struct cu_err *err)
{
    bool only_args = false;

    run->args = argv; /* what is no option moves to the front */
    for (int i = 0; i < argc; i++) {
        if (!only_args && strcmp(argv[i], "--") == 0) only_args = true;
        else if (!only_args && strcmp(argv[i], "-h") == 0) run->common[4] = "1";
        else if (!only_args && strcmp(argv[i], "-o") == 0 && i + 1 < argc) {
            argv[i][0] = 0;
            const struct option *row;
            const char **value = slot(run, "output", 6, &row);
            ENSURE(value, err, CU_USAGE, "`custody %s` has no -o", run->command->name);
            *value = argv[++i];
        } else if (!only_args && strncmp(argv[i], "--", 2) == 0) TRY(take_option(run, &i, argc, argv, err));
        else if (!only_args && argv[i][0] == '-' && argv[i][1])
            return cu_fail(err, CU_USAGE, "%s: options begin with two dashes; a path that begins with one is written ./%s",
                           argv[i], argv[i]);
        else argv[run->args_n++] = argv[i];
    }
    return CU_OK;
}

static cu_status judge_count(const struct run *run, struct cu_err *err)
{
    const struct command *c = run->command;

    ENSURE(run->args_n >= c->args_min, err, CU_USAGE, "usage: custody %s %s", c->name, c->args);
    ENSURE(c->args_max < 0 || run->args_n <= c->args_max, err, CU_USAGE, "\"%s\" is one argument too many; usage: custody %s %s",
           run->args[c->args_max], c->name, c->args);
    return CU_OK;
}

/* ---- finding the command: two words first ---- */
static const struct command *find_command(int argc, char **argv, int *ret_words)
{
    for (int words = 2; words >= 1; words--) {
        char name[64];
        if (argc < words) continue;
        snprintf(name, sizeof name, words == 2 ? "%s %s" : "%s", argv[0], words == 2 ? argv[1] : "");
        for (size_t i = 0; commands[i]; i++)
            if (strcmp(commands[i]->name, name) == 0) return *ret_words = words, commands[i];
    }
    return NULL;
}

/* Common options may stand before the command, as git's do. How many words they are. */
static int leading_options(int argc, char **argv)
{
    int n = 0;

    while (n < argc && strncmp(argv[n], "--", 2) == 0) {
        size_t i = 0;
        while (common_options[i].name && strcmp(common_options[i].name, argv[n] + 2) != 0) i++;
        n += common_options[i].name && common_options[i].value ? 2 : 1;
    }
    return n < argc ? n : 0;
}

/* … and are moved behind it. */
static void put_first(char **argv, int leading, int words)
{
    for (int w = 0; w < words; w++) {
        char *word = argv[leading + w];
        memmove(argv + w + 1, argv + w, (size_t)leading * sizeof *argv);
        argv[w] = word;
    }
}

/* ---- out ---- */
void run_print(struct run *run)
{
    const bool whole = cu_buf_ok(&run->out, NULL) == CU_OK;

    if (!run->unprinted && (fwrite(run->out.p, 1, run->out.n, stdout) != run->out.n || fflush(stdout) != 0))
        run->unprinted = errno ? errno : EIO;
    if (!run->unprinted && !whole) run->unprinted = EFBIG;
    cu_buf_clear(&run->out);
}

/* Whoever reads our output decides by it, so half an answer is a failure. A reader that went away (`| head`) asked for no more. */
static cu_status printed(const struct run *run, struct cu_err *err)
{
    ENSURE(!run->unprinted || run->unprinted == EPIPE, err, CU_IO,
           "what was to be said could not be printed (%s): the ledger is as the command left it; ask again with another output",
           strerror(run->unprinted));
    return CU_OK;
}

void say(const struct run *run, const char *fmt, ...)
{
    va_list args;

    if (run->quiet || run->json) return;
    va_start(args, fmt);
    (void)vfprintf(stderr, fmt, args);
    va_end(args);
}

static int fail_with(const struct run *run, cu_status status, const struct cu_err *err)
{
    const char *text = err->text[0] ? err->text : cu_status_text(status);

    if (run->json) {
        CU_BUF line = cu_buf_heap(8192);
        struct cu_json j = cu_json_on(&line);
        cu_json_open(&j, NULL, '{');
        cu_json_str(&j, "error", cu_status_name(status));
        cu_json_str(&j, "text", text);
        cu_json_int(&j, "exit", cu_status_exit(status));
        cu_json_bool(&j, "retry", cu_status_retry(status));
        cu_json_close(&j, '}');
        fprintf(stderr, "%.*s\n", (int)line.n, (const char *)line.p);
    } else fprintf(stderr, "custody: %s\n", text);
    return cu_status_exit(status) ? cu_status_exit(status) : 1;
}

static cu_status go(struct run *run, struct cu_err *err)
{
    if (opt_is(run, "help")) {
        help_command(run->command, &run->out);
        return CU_OK;
    }
    TRY(judge_count(run, err));
    TRY(cu_crypto_init(err));
    catch_interrupts();
    return run->command->go(run, err);
}

int main(int argc, char **argv)
{
    struct run run = { .out = cu_buf_heap((size_t)64 << 20) };
    struct cu_err err = { 0 };
    cu_status status;
    int words = 0;

    if (argc < 2 || strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0) {
        help_all(&run.out);
        run_print(&run);
        cu_buf_free(&run.out);
        return argc < 2 || run.unprinted;
    }
    if (strcmp(argv[1], "--version") == 0) return puts(CU_TOOL_NAME) < 0;
    const int leading = leading_options(argc - 1, argv + 1);
    run.command = find_command(argc - 1 - leading, argv + 1 + leading, &words);
    if (!run.command) {
        fprintf(stderr, "custody: there is no command \"%s\"; `custody help` lists them\n", argv[1 + leading]);
        return 1;
    }
    put_first(argv + 1, leading, words);
    status = from_settings(&run, argc - 1 - words, argv + 1 + words, &err);
    from_environment(run.command->options, run.values);
    from_environment(common_options, run.common);
    if (status == CU_OK) status = take_arguments(&run, argc - 1 - words, argv + 1 + words, &err);
    run.json = status == CU_OK && opt_is(&run, "json");
    run.quiet = status == CU_OK && opt_is(&run, "quiet");
    if (status == CU_OK) status = go(&run, &err);
    run_print(&run);
    if (status == CU_OK) status = printed(&run, &err);
    cu_buf_free(&run.out);
    free(run.settings);
    return status == CU_OK ? run.exit : fail_with(&run, status, &err);
}
