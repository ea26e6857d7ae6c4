/* custody help, custody completion */
#include "apps/custody/app.h"

static cu_status go_help(struct run *run, struct cu_err *err)
{
    char name[100] = "";

    for (int i = 0; i < run->args_n; i++) {
        const size_t n = strlen(name);
        snprintf(name + n, sizeof name - n, "%s%s", i ? " " : "", run->args[i]);
    }
    const bool man = opt_is(run, "man");
    if (!name[0]) {
        if (man) man_page(NULL, &run->out);
        else help_all(&run->out);
        return CU_OK;
    }
    for (size_t i = 0; commands[i]; i++) {
        if (strcmp(commands[i]->name, name) != 0) continue;
        if (man) man_page(commands[i], &run->out);
        else help_command(commands[i], &run->out);
        return CU_OK;
    }
    return cu_fail(err, CU_USAGE, "there is no command \"%s\"; `custody help` lists them", name);
}

static cu_status go_completion(struct run *run, struct cu_err *err) { return completion(run->args[0], &run->out, err); }

const struct command command_help = {
    .name = "help",
    .args = "[COMMAND]",
    .line = "explain a command",
    .help = "Explains a command, or lists them all. With --man as a manual page, for man -l -.",
    .args_min = 0,
    .args_max = 2,
    .go = go_help,
    .options = { { "man", NULL, "as a manual page" } },
};
const struct command command_completion = {
    .name = "completion",
    .args = "SHELL",
    .line = "completion for bash, zsh or fish",
    .help = "Prints completion for a shell: source <(custody completion bash)",
    .args_min = 1,
    .args_max = 1,
    .go = go_completion,
};
