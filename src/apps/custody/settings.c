/* The settings' file: every option of every command by its name, in the command's table; those that all have stand before the first. */
#include "apps/custody/app.h"
#include "codec/toml.h"

#define SETTINGS_MAX 65536

static const struct option *find_option(const struct option *options, struct cu_span key, size_t *ret_at)
{
    for (size_t i = 0; i < OPTIONS_MAX && options[i].name; i++)
        if (cu_span_is(key, options[i].name)) return *ret_at = i, &options[i];
    return NULL;
}

/* "ca-init" is `custody ca init`. */
static const struct command *find_table(struct cu_span table)
{
    for (size_t i = 0; commands[i]; i++) {
        const char *name = commands[i]->name;
        size_t n = 0;
        while (n < table.n && name[n] && table.p[n] == (name[n] == ' ' ? '-' : name[n])) n++;
        if (n == table.n && !name[n]) return commands[i];
    }
    return NULL;
}

/* Settings of other commands are judged, too: a slip of the pen is told today, not when that command runs. */
static cu_status take_setting(struct run *run, const struct cu_toml_row *row, const char *value, struct cu_err *err)
{
    const struct command *command = row->table.n ? find_table(row->table) : NULL;
    const struct option *option;
    size_t at = 0;

    ENSURE(!row->table.n || command, err, CU_USAGE, "line %zu: [%.*s]: there is no such command", row->line, (int)row->table.n,
           (const char *)row->table.p);
    option = find_option(command ? command->options : common_options, row->key, &at);
    ENSURE(option, err, CU_USAGE, "line %zu: %.*s: `custody%s%s` has no such option%s", row->line, (int)row->key.n,
           (const char *)row->key.p, command ? " " : "", command ? command->name : "",
           command && find_option(common_options, row->key, &at) ? "; it belongs before the first [table]" : "");
    ENSURE((row->type == CU_TOML_BOOL) == !option->value, err, CU_USAGE, "line %zu: %s is %s", row->line, option->name,
           option->value ? "a text or a number" : "true or false");
    if (command && command != run->command) {
        if (!run->command->examines || !strstr(run->command->examines, command->name) ||
            !find_option(run->command->options, row->key, &at))
            return CU_OK;
        command = run->command;
    }
    (command ? run->values : run->common)[at] = option->value ? value : cu_span_is(row->value, "true") ? "1" : NULL;
    return CU_OK;
}

static cu_status take_settings(struct run *run, struct cu_span text, struct cu_buf *values, struct cu_err *err)
{
    struct cu_toml toml = cu_toml_on(text);
    struct cu_toml_row row;
    bool more = true;

    for (;;) {
        const size_t at = values->n;
        TRY(cu_toml_next(&toml, values, &row, &more, err));
        if (!more) return CU_OK;
        if (row.type != CU_TOML_TEXT) cu_buf_add(values, row.value);
        cu_buf_add_byte(values, 0);
        TRY(cu_buf_ok(values, err));
        TRY(take_setting(run, &row, (const char *)values->p + at, err));
    }
}

cu_status settings_read(struct run *run, const char *path, struct cu_err *err)
{
    CU_BUF text = cu_buf_heap(SETTINGS_MAX);

    const cu_status read = read_argument_file(path, SETTINGS_MAX, &text, err);
    ENSURE(read != CU_NOT_FOUND, err, CU_USAGE, "%s: there is no such file of settings: nothing was begun", path);
    TRY(read);
    run->settings = malloc(SETTINGS_MAX);
    ENSURE(run->settings, err, CU_NO_MEMORY, "no memory for the settings");
    struct cu_buf values = cu_buf_over(run->settings, SETTINGS_MAX); /* values are no longer than they stand in the file */
    struct cu_err why = { 0 };
    if (take_settings(run, cu_buf_span(&text), &values, &why) == CU_OK) return CU_OK;
    return cu_fail(err, CU_USAGE, "%s, %s; nothing was begun", path, why.text);
}
