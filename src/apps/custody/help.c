/* Help, man pages and completion, all from the table of commands. */
#include "apps/custody/app.h"

#define WIDTH 100

static void wrap(struct cu_buf *out, const char *text, int indent)
{
    int column = 0;

    while (*text) {
        const size_t word = strcspn(text, " \n");
        if (*text == '\n') {
            cu_buf_add_str(out, "\n");
            column = 0;
            text++;
            continue;
        }
        if (column == 0) cu_buf_addf(out, "%*s", indent, ""), column = indent;
        else if (column + 1 + (int)word > WIDTH) cu_buf_addf(out, "\n%*s", indent, ""), column = indent;
        else cu_buf_add_str(out, " "), column++;
        cu_buf_add(out, cu_span(text, word));
        column += (int)word;
        text += word;
        while (*text == ' ') text++;
    }
    cu_buf_add_str(out, "\n");
}

static void put_options(const struct option *options, struct cu_buf *out)
{
    for (size_t i = 0; i < OPTIONS_MAX && options[i].name; i++) {
        char flag[80];
        snprintf(flag, sizeof flag, "--%s%s%s%s", options[i].name, options[i].value ? " " : "",
                 options[i].value ? options[i].value : "", strcmp(options[i].name, "output") == 0 ? " (-o)" : "");
        cu_buf_addf(out, "  %-26s", flag);
        cu_buf_addf(out, strlen(flag) > 25 ? "\n%28s%s\n" : "%s%s\n", "", options[i].help);
    }
}

void help_command(const struct command *c, struct cu_buf *out)
{
    cu_buf_addf(out, "custody %s %s\n\n", c->name, c->args);
    wrap(out, c->help, 2);
    cu_buf_add_str(out, "\n");
    put_options(c->options, out);
    put_options(common_options, out);
    cu_buf_add_str(out, "\nEvery option can be set by the environment, too: --no-wait as CUSTODY_NO_WAIT=1.\n");
}

static const char exit_codes[] =
    "0 ok; 1 usage, or anything else; 2 integrity failed; 3 recorded, but copies are still missing; 4 signer failed or not "
    "proven; "
    "5 time not proven though required; 10 not found; 11 busy; 12 not allowed; 130 interrupted, resumable";

void help_all(struct cu_buf *out)
{
    cu_buf_add_str(
        out,
        "custody keeps evidence so that nobody can change it unseen, and hands out receipts that anybody can check offline.\n\n");
    for (size_t i = 0; commands[i]; i++) cu_buf_addf(out, "  %-19s %s\n", commands[i]->name, commands[i]->line);
    cu_buf_add_str(out,
                   "\n`custody help COMMAND` explains one. Begin with `custody init DIR`, then `custody deposit FILE` in it.\n");
    cu_buf_add_str(out, "\nExit codes:\n");
    wrap(out, exit_codes, 2);
}

/* ---- man ---- */
static void roff(struct cu_buf *out, const char *text)
{
    for (const char *c = text; *c; c++) {
        if (*c == '-') cu_buf_add_str(out, "\\-");
        else if (*c == '\\') cu_buf_add_str(out, "\\e");
        else if (*c == '\n' && c[1] == '\n') cu_buf_add_str(out, "\n.PP\n"), c++;
        else if ((*c == '.' || *c == '\'') && (c == text || c[-1] == '\n'))
            cu_buf_add_str(out, "\\&"), cu_buf_add_byte(out, (uint8_t)*c);
        else cu_buf_add_byte(out, (uint8_t)*c);
    }
}

static void man_options(const struct option *options, struct cu_buf *out)
{
    for (size_t i = 0; i < OPTIONS_MAX && options[i].name; i++) {
        cu_buf_add_str(out, ".TP\n\\fB\\-\\-");
        roff(out, options[i].name);
        cu_buf_add_str(out, "\\fR");
        if (options[i].value) cu_buf_addf(out, " \\fI%s\\fR", options[i].value);
        cu_buf_add_str(out, "\n");
        roff(out, options[i].help);
        cu_buf_add_str(out, "\n");
    }
}

static void man_command(const struct command *c, struct cu_buf *out)
{
    cu_buf_addf(out, ".SH SYNOPSIS\n\\fBcustody %s\\fR ", c->name);
    roff(out, c->args);
    cu_buf_add_str(out, "\n.SH DESCRIPTION\n");
    roff(out, c->help);
    cu_buf_add_str(out, "\n.SH OPTIONS\n");
    man_options(c->options, out);
    man_options(common_options, out);
}

void man_page(const struct command *c, struct cu_buf *out)
{
    char name[80] = "custody";

    if (c) snprintf(name, sizeof name, "custody-%s", c->name);
    for (char *p = name; *p; p++)
        if (*p == ' ') *p = '-';
    cu_buf_addf(out, ".TH \"%s\" 1 \"\" \"" CU_TOOL_NAME "\"\n.SH NAME\n", name);
    roff(out, name);
    cu_buf_add_str(out, " \\- ");
    roff(out, c ? c->line : "an evidence ledger whose every artefact outsiders can verify");
    cu_buf_add_str(out, "\n");
    if (c) man_command(c, out);
    else {
        cu_buf_add_str(out, ".SH COMMANDS\n");
        for (size_t i = 0; commands[i]; i++) {
            cu_buf_addf(out, ".TP\n\\fB%s\\fR\n", commands[i]->name);
            roff(out, commands[i]->line);
            cu_buf_add_str(out, "\n");
        }
    }
    cu_buf_add_str(out, ".SH \"EXIT STATUS\"\n");
    roff(out, exit_codes);
    cu_buf_add_str(out, "\n");
}

/* ---- completion ---- */
static void put_words(const struct option *options, struct cu_buf *out)
{
    for (size_t i = 0; i < OPTIONS_MAX && options[i].name; i++) cu_buf_addf(out, " --%s", options[i].name);
}

static void complete_bash(struct cu_buf *out)
{
    cu_buf_add_str(
        out, "_custody() {\n  local cur=${COMP_WORDS[COMP_CWORD]} words=\n  case \"${COMP_WORDS[1]} ${COMP_WORDS[2]}\" in\n");
    for (size_t i = 0; commands[i]; i++) {
        cu_buf_addf(out, "    \"%s\"%s) words=\"", commands[i]->name, strchr(commands[i]->name, ' ') ? "" : "\\ *");
        put_words(commands[i]->options, out);
        put_words(common_options, out);
        cu_buf_add_str(out, "\" ;;\n");
    }
    cu_buf_add_str(out, "  esac\n  if [[ $COMP_CWORD -eq 1 ]]; then COMPREPLY=($(compgen -W \"");
    for (size_t i = 0; commands[i]; i++) cu_buf_addf(out, "%.*s ", (int)strcspn(commands[i]->name, " "), commands[i]->name);
    cu_buf_add_str(out, "\" -- \"$cur\"))\n  elif [[ $cur == -* ]]; then COMPREPLY=($(compgen -W \"$words\" -- \"$cur\"))\n  "
                        "else COMPREPLY=($(compgen -f -- \"$cur\")); fi\n}\n"
                        "complete -o filenames -F _custody custody\n");
}

static void complete_fish(struct cu_buf *out)
{
    for (size_t i = 0; commands[i]; i++) {
        const int first = (int)strcspn(commands[i]->name, " ");
        cu_buf_addf(out, "complete -c custody -n __fish_use_subcommand -a '%.*s' -d '%s'\n", first, commands[i]->name,
                    commands[i]->line);
        for (size_t k = 0; k < OPTIONS_MAX && commands[i]->options[k].name; k++)
            cu_buf_addf(out, "complete -c custody -n '__fish_seen_subcommand_from %.*s' -l %s%s\n", first, commands[i]->name,
                        commands[i]->options[k].name, commands[i]->options[k].value ? " -r" : "");
    }
}

cu_status completion(const char *shell, struct cu_buf *out, struct cu_err *err)
{
    if (strcmp(shell, "bash") == 0) complete_bash(out);
    else if (strcmp(shell, "zsh") == 0) cu_buf_add_str(out, "autoload -U +X bashcompinit && bashcompinit\n"), complete_bash(out);
    else if (strcmp(shell, "fish") == 0) complete_fish(out);
    else return cu_fail(err, CU_USAGE, "%s: completion is made for bash, zsh and fish", shell);
    return CU_OK;
}
