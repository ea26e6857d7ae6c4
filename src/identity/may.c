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
