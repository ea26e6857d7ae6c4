/* The matrix of roles and acts, asked. */
#include "custody/may.h"

#include <string.h>

static const struct {
    uint64_t role;
    const char *name;
} roles[] = {
    { CU_ROLE_DEPOSITOR, "depositor" },
    { CU_ROLE_PROVIDER, "provider" },
    { CU_ROLE_ORGANISATION, "organisation" },
    { CU_ROLE_READER, "reader" },
    { CU_ROLE_AUDITOR, "auditor" },
    { CU_ROLE_OPERATOR, "operator" },
    { CU_ROLE_ADMINISTRATOR, "administrator" },
    { CU_ROLE_NODE, "node" },
};
#define ROLES (sizeof roles / sizeof *roles)

#define ROW(act, num, text, ...) { CU_ACT_##act, { __VA_ARGS__ } },
static const struct {
    unsigned act;
    bool may[ROLES]; /* in the order of `roles` */
} rows[] = { CU_ACT_TABLE(ROW) };

#define ASK(act, text, ...) [CU_ASK_##act] = { __VA_ARGS__ },
#define N CU_SCOPE_N
#define O CU_SCOPE_O
#define G CU_SCOPE_G
#define A CU_SCOPE_A
static const uint8_t asks[CU_ASKS][ROLES] = { CU_ASK_TABLE(ASK) };
#undef N
#undef O
#undef G
#undef A

static const bool sees[CU_SCOPES][CU_RELATIONS] = {
    /*                foreign opened own common */
    [CU_SCOPE_N] = { 0, 0, 0, 1 },
    [CU_SCOPE_O] = { 0, 0, 1, 1 },
    [CU_SCOPE_G] = { 0, 1, 1, 1 },
    [CU_SCOPE_A] = { 1, 1, 1, 1 },
};

enum cu_scope cu_may_ask(uint64_t role, enum cu_ask act)
{
    for (size_t k = 0; act > CU_ASK_NONE && act < CU_ASKS && k < ROLES; k++)
        if (roles[k].role == role) return (enum cu_scope)asks[act][k];
    return CU_SCOPE_N;
}

bool cu_may_see(enum cu_scope scope, enum cu_relation what)
{
    return (unsigned)scope < CU_SCOPES && (unsigned)what < CU_RELATIONS && sees[scope][what];
}

bool cu_may(uint64_t role, unsigned act)
{
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        for (size_t k = 0; rows[i].act == act && k < ROLES; k++)
            if (roles[k].role == role) return rows[i].may[k];
    return false;
}

const char *cu_role_name(uint64_t role)
{
    for (size_t k = 0; k < ROLES; k++)
        if (roles[k].role == role) return roles[k].name;
    return NULL;
}

uint64_t cu_role_by_name(struct cu_span name)
{
    for (size_t k = 0; k < ROLES; k++)
        if (cu_span_is(name, roles[k].name)) return roles[k].role;
    return 0;
}

unsigned cu_act_enrol(uint64_t role) { return cu_role_name(role) ? CU_ACT_ENROL_DEPOSITOR - 1 + (unsigned)role : 0; }
