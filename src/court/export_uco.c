/* The case as CASE/UCO 1.4 (JSON-LD), for forensic tools: an investigation, its exhibits with name, size, digests and number, and what was
 * done with them, by whom. `case_validate` takes it. No verdict depends on it.
 */
#include "court/export.h"

#include "custody/json.h"
#include "custody/text.h"

#include <stdio.h>

#define UCO_BYTES ((size_t)1 << 30)

struct uco {
    struct cu_export *x;
    struct cu_buf out;
    struct cu_json j;
};

/* Identifiers end with a UUID, as the ontology asks; its random bits (version 4) are a hash of the ledger's own id, so the same case gives
 * the same ones. */
static void iri(const char *type, struct cu_span of, char ret[120])
{
    const struct cu_span parts[] = { cu_span_str(type), of };
    cu_hash h = cu_sha256_parts(parts, 2);
    const uint8_t *b = h.b;

    h.b[6] = (uint8_t)(0x40 | (h.b[6] & 0x0F));
    h.b[8] = (uint8_t)(0x80 | (h.b[8] & 0x3F));
    snprintf(ret, 120, "kb:%s-%02x%02x%02x%02x-%02x%02x-%02x%02x-%02x%02x-%02x%02x%02x%02x%02x%02x", type, b[0], b[1], b[2], b[3],
             b[4], b[5], b[6], b[7], b[8], b[9], b[10], b[11], b[12], b[13], b[14], b[15]);
}

static void open_node(struct cu_json *j, const char *key, const char *type, struct cu_span of, const char *class)
{
    char id[120];

    iri(type, of, id);
    cu_json_open(j, key, '{');
    cu_json_str(j, "@id", id);
    cu_json_str(j, "@type", class);
}

static void refer(struct cu_json *j, const char *key, const char *type, struct cu_span of)
{
    char id[120];

    iri(type, of, id);
    cu_json_open(j, key, '{');
    cu_json_str(j, "@id", id);
    cu_json_close(j, '}');
}

static void typed(struct cu_json *j, const char *key, const char *type, const char *value)
{
    cu_json_open(j, key, '{');
    cu_json_str(j, "@type", type);
    cu_json_str(j, "@value", value);
    cu_json_close(j, '}');
}

static void put_text(struct cu_json *j, const char *key, struct cu_span text)
{
    CU_BUF shown = cu_buf_heap(65536);

    cu_text_printable(&shown, text);
    j->out->no_memory |= shown.no_memory;
    cu_json_text(j, key, cu_buf_span(&shown));
}

static void put_context(struct cu_json *j)
{
    static const char *const names[][2] = {
        { "kb", "urn:custody:" },
        { "case-investigation", "https://ontology.caseontology.org/case/investigation/" },
        { "uco-action", "https://ontology.unifiedcyberontology.org/uco/action/" },
        { "uco-core", "https://ontology.unifiedcyberontology.org/uco/core/" },
        { "uco-identity", "https://ontology.unifiedcyberontology.org/uco/identity/" },
        { "uco-observable", "https://ontology.unifiedcyberontology.org/uco/observable/" },
        { "uco-types", "https://ontology.unifiedcyberontology.org/uco/types/" },
        { "xsd", "http://www.w3.org/2001/XMLSchema#" },
    };

    cu_json_open(j, "@context", '{');
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) cu_json_str(j, names[i][0], names[i][1]);
    cu_json_close(j, '}');
}

/* ---- exhibits ---- */
static void put_hash(struct cu_json *j, const struct cu_index_row *row)
{
    char hex[65];

    cu_hash_hex(&row->sha256, hex);
    open_node(j, NULL, "content", cu_span_hash(&row->id), "uco-observable:ContentDataFacet");
    cu_json_open(j, "uco-observable:hash", '[');
    open_node(j, NULL, "hash", cu_span_hash(&row->id), "uco-types:Hash");
    cu_json_str(j, "uco-types:hashMethod", "SHA256");
    typed(j, "uco-types:hashValue", "xsd:hexBinary", hex);
    cu_json_close(j, '}');
    cu_json_close(j, ']');
    cu_json_close(j, '}');
}

static void put_exhibit(struct cu_json *j, const struct cu_index_row *row, const char *exhibit)
{
    const struct cu_span id = cu_span_hash(&row->id);
    const bool folder = row->content == CU_CONTENT_FOLDER;
    char size[24];

    snprintf(size, sizeof size, "%llu", LLU(row->size));
    open_node(j, NULL, "exhibit", id, folder ? "uco-observable:ObservableObject" : "uco-observable:File");
    cu_json_open(j, "uco-core:hasFacet", '[');
    open_node(j, NULL, "file", id, "uco-observable:FileFacet");
    put_text(j, "uco-observable:fileName", row->name);
    if (folder) cu_json_bool(j, "uco-observable:isDirectory", true);
    else cu_json_bool(j, "uco-observable:isDirectory", false), typed(j, "uco-observable:sizeInBytes", "xsd:integer", size);
    cu_json_close(j, '}');
    if (row->has_sha256) put_hash(j, row);
    cu_json_close(j, ']');
    cu_json_close(j, '}');
    open_node(j, NULL, "record", id, "case-investigation:ProvenanceRecord");
    cu_json_str(j, "case-investigation:exhibitNumber", exhibit);
    if (row->label.n) put_text(j, "uco-core:description", row->label);
    cu_json_open(j, "uco-core:object", '[');
    refer(j, NULL, "exhibit", id);
    cu_json_close(j, ']');
    cu_json_close(j, '}');
}

/* ---- what was done ---- */
static cu_status put_step(void *arg, const struct cu_index_row *row, const char *exhibit, struct cu_err *err)
{
    struct uco *u = arg;
    struct cu_json *j = &u->j;
    const struct cu_span id = cu_span_hash(&row->id);
    char time[32];

    cu_time_text(row->recorded, time);
    if (row->kind == CU_KIND_DEPOSIT) put_exhibit(j, row, exhibit);
    open_node(j, NULL, "action", id, "case-investigation:InvestigativeAction");
    cu_json_str(j, "uco-core:name", cu_kind_row(row->kind)->name);
    if (row->note.n) put_text(j, "uco-core:description", row->note);
    typed(j, "uco-action:endTime", "xsd:dateTime", time);
    refer(j, "uco-action:performer", "party", cu_span_hash(&row->kid));
    cu_json_open(j, "uco-action:object", '[');
    if (row->kind == CU_KIND_DEPOSIT) refer(j, NULL, "record", id);
    if (row->kind == CU_KIND_CORRECTION) refer(j, NULL, "record", cu_span_hash(&row->ref));
    cu_json_close(j, ']');
    cu_json_close(j, '}');
    return cu_buf_ok(&u->out, err);
}

static void put_parties(struct uco *u)
{
    const struct cu_place *p = u->x->p;
    const struct cu_members *m = &p->members;

    for (size_t i = 0; i < m->keys_n; i++) {
        if (m->key[i].purpose != CU_PURPOSE_STATEMENT) continue;
        open_node(&u->j, NULL, "party", cu_span_hash(&m->key[i].kid), "uco-identity:Identity");
        put_text(&u->j, "uco-core:name", cu_party_named(p, m->key[i].party));
        cu_json_close(&u->j, '}');
    }
}

static cu_status put_cases(struct uco *u, struct cu_err *err)
{
    for (size_t c = 0; c < u->x->cases_n; c++) {
        const struct cu_export_case *of = &u->x->cases[c];
        open_node(&u->j, NULL, "case", CU_SPAN_OF(of->id.b), "case-investigation:Investigation");
        cu_json_str(&u->j, "uco-core:name", of->name);
        cu_json_open(&u->j, "uco-core:object", '[');
        for (size_t i = 0; i < u->x->n; i++)
            if (memcmp(u->x->exhibit[i].case_id.b, of->id.b, sizeof of->id.b) == 0)
                refer(&u->j, NULL, "record", cu_span_hash(&u->x->exhibit[i].id));
        cu_json_close(&u->j, ']');
        cu_json_close(&u->j, '}');
    }
    return cu_buf_ok(&u->out, err);
}

cu_status cu_export_uco(struct cu_export *x, struct cu_err *err)
{
    struct uco u = { .x = x, .out = cu_buf_heap(UCO_BYTES) };
    struct cu_json *j = &u.j;
    cu_status put;

    u.j = cu_json_on(&u.out);
    cu_json_open(j, NULL, '{');
    put_context(j);
    cu_json_open(j, "@graph", '[');
    put_parties(&u);
    put = put_cases(&u, err);
    if (put == CU_OK) put = cu_export_each_step(x, put_step, &u, err);
    cu_json_close(j, ']');
    cu_json_close(j, '}');
    cu_buf_add_byte(&u.out, '\n');
    if (put == CU_OK) put = cu_buf_ok(&u.out, err);
    if (put == CU_OK) put = cu_export_put(x, "case.jsonld", cu_buf_span(&u.out), err);
    cu_buf_free(&u.out);
    return put;
}
