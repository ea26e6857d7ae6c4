/* What a client shows: a certificate of any bytes is refused or read, and what it says of itself, as a token does, has one spelling. */
#include "http/peer.h"

static const char ca[] = "-----BEGIN CERTIFICATE-----\n"
                         "MIIBrjCCAVOgAwIBAgIQZgWAsdSj9JstyWdMr+/1lDAKBggqhkjOPQQDAjA1MTMw\n"
                         "MQYDVQQDDCpjdXN0b2R5IGwvOGI3MjBhZTZmZmM4YTc3YWVmZTRjOGYyNzc0NTRk\n"
                         "ZGMwHhcNMjYxMTI3MDYyNTE0WhcNMzYxMTI0MDYyNjE0WjA1MTMwMQYDVQQDDCpj\n"
                         "dXN0b2R5IGwvOGI3MjBhZTZmZmM4YTc3YWVmZTRjOGYyNzc0NTRkZGMwWTATBgcq\n"
                         "hkjOPQIBBggqhkjOPQMBBwNCAARj9Ay2aHWhVBhSDiBStaLUjIAbpvhZUH9+uC2j\n"
                         "u6VN7GHDY/VbI2jH0Fa8Yn8wT7OnUBHL+tkjooSgch2uyAolo0UwQzASBgNVHRMB\n"
                         "Af8ECDAGAQH/AgEAMA4GA1UdDwEB/wQEAwIBBjAdBgNVHQ4EFgQUR8Mq+4NfaGb8\n"
                         "dQu8hV10++wGXS4wCgYIKoZIzj0EAwIDSQAwRgIhAOkVJ1AB1UxO+B3YiaampL6b\n"
                         "Wne8M1l1dhD8dbfAzaESAiEA010TENJdOB2d3+xuYXNZ8FLbhzMkcDXJPzyPdPQc\n"
                         "i+I=\n"
                         "-----END CERTIFICATE-----\n";

static void try_uri(struct cu_span text)
{
    char uri[CU_CERT_URI_MAX], again[CU_CERT_URI_MAX];
    uint8_t vouch[CU_SIGNATURE_LEN];
    struct cu_buf out = cu_buf_over(again, sizeof again);
    struct cu_peer_claim claim;

    if (text.n >= sizeof uri || memchr(text.p, 0, text.n)) return;
    memcpy(uri, text.p, text.n);
    uri[text.n] = 0;
    if (cu_peer_uri_read(uri, &claim, vouch, NULL) != CU_OK) return;
    cu_peer_uri(&claim, vouch, &out);
    CU_ASSERT(cu_buf_ok(&out, NULL) == CU_OK && strcmp(again, uri) == 0);
}

static void try_token(struct cu_span text)
{
    uint8_t vouch[CU_SIGNATURE_LEN], again[1024];
    struct cu_buf out = cu_buf_over(again, sizeof again);
    struct cu_peer_claim claim;
    uint64_t until_s;

    if (cu_peer_token_read(text, &claim, &until_s, vouch, NULL) != CU_OK) return;
    cu_peer_token_put(&claim, until_s, vouch, &out);
    CU_ASSERT(cu_span_eq(cu_buf_span(&out), text));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    static struct cu_cert_trust *trust;
    const struct cu_span shown = cu_span(data, n);
    struct cu_cert cert;

    if (!trust) CU_ASSERT(cu_cert_trust_open(CU_SPAN_OF(ca), CU_SPAN_EMPTY, &trust, NULL) == CU_OK);
    if (n > 0) try_uri(shown), try_token(shown);
    if (cu_cert_judge(trust, &shown, 1, (cu_unix_ms){ 1796000000000 }, &cert, NULL) == CU_OK) try_uri(cu_span_str(cert.uri));
    return 0;
}
