/* The one table of kinds. A later kind is a row in entry.h and a file beside this one. */
#include "fields.h"

#define TYP_PLAIN "+cbor"
#define TYP_SIGNED "+cose"
#define TYP_NESTED "+cose"
/* clang-format off */
#define ROW(num, name_, text, form_, nests_, details_)                                                          \
    { .kind = CU_KIND_##name_, .name = (text), .typ = "application/custody-" text TYP_##form_, .form = CU_FORM_##form_, \
      .nests = (nests_), .details = (details_), .payload = &cu_payload_##name_.schema },
/* clang-format on */
static const struct cu_kind_row rows[] = { CU_KIND_TABLE(ROW) };
#define ROWS (sizeof rows / sizeof *rows)

#define FORM(num, name, text, form, nests, details) &cu_payload_##name,
static const struct cu_payload_form *const forms[] = { CU_KIND_TABLE(FORM) };

#define KIND(num, name, text, form, nests, details) CU_KIND_##name,
const enum cu_kind cu_kinds[] = { CU_KIND_TABLE(KIND) };
const size_t cu_kinds_n = ROWS;

const struct cu_kind_row *cu_kind_row(enum cu_kind kind)
{
    for (size_t i = 0; i < ROWS; i++)
        if (rows[i].kind == kind) return &rows[i];
    return NULL;
}

const struct cu_kind_row *cu_kind_by_typ(struct cu_span typ)
{
    for (size_t i = 0; i < ROWS; i++)
        if (cu_span_is(typ, rows[i].typ)) return &rows[i];
    return NULL;
}

cu_status cu_payload_read(const struct cu_kind_row *row, struct cu_span bytes, union cu_payload *ret, struct cu_err *err)
{
    const struct cu_payload_form *form = forms[row - rows];
    union cu_payload out = { 0 };

    TRY(cu_schema_read(&form->schema, bytes, &out, err));
    if (form->check) TRY(form->check(&out, err));
    *ret = out;
    return CU_OK;
}

/* ---- numbers that have words ---------------------------------------------------------------------------------------- */

#define WORD(num, name, text, sentence) [num] = (text),
static const char *const reasons[] = { CU_REASON_TABLE(WORD) };
static const char *const incidents[] = { CU_INCIDENT_TABLE(WORD) };

const char *cu_reason_name(uint64_t reason) { return reason < sizeof reasons / sizeof *reasons ? reasons[reason] : NULL; }

uint64_t cu_reason_by_name(struct cu_span name)
{
    uint64_t reason = sizeof reasons / sizeof *reasons - 1;

    while (reason > 0 && !cu_span_is(name, reasons[reason])) reason--;
    return reason;
}

const char *cu_incident_name(uint64_t type) { return type < sizeof incidents / sizeof *incidents ? incidents[type] : NULL; }
