/* Proofs in trees of any size, up to 2^63 entries, against the recursions of RFC 9162 as they stand there (2.1.3.1 and 2.1.4.1):
 * whatever hashes a proof has, both compute the same roots, ask for as many hashes, and take none for another.
 *
 *     an input is   what (1)  number (8)  size (8)  hash of the leaf, or old root (32)  proof (32 each) */
#include "custody/tree.h"

/* The largest power of two below n. */
static uint64_t half_of(uint64_t n)
{
    uint64_t half = 1;

    while (half < n - half) half *= 2;
    return half;
}

struct proof {
    const cu_hash *hash;
    size_t n, at;
};

/* The next hash; when there is none, one more was asked for than there are. */
static cu_hash take(struct proof *p)
{
    size_t at = p->at++;

    return at < p->n ? p->hash[at] : (cu_hash){ { 0 } };
}

static cu_hash by_path(uint64_t seq, uint64_t size, const cu_hash *leaf, struct proof *path)
{
    if (size == 1) return *leaf;
    uint64_t half = half_of(size);
    cu_hash below = seq < half ? by_path(seq, half, leaf, path) : by_path(seq - half, size - half, leaf, path);
    cu_hash beside = take(path);
    return seq < half ? cu_node_hash(&below, &beside) : cu_node_hash(&beside, &below);
}

struct roots {
    cu_hash before, after;
};

/* `known`: the subtree is the whole old log, whose root the reader has. */
static struct roots by_subproof(uint64_t from, uint64_t to, bool known, const cu_hash *old_root, struct proof *proof)
{
    struct roots r;

    if (from == to) {
        r.before = r.after = known ? *old_root : take(proof);
        return r;
    }
    uint64_t half = half_of(to);
    if (from <= half) {
        r = by_subproof(from, half, known, old_root, proof);
        cu_hash right = take(proof);
        r.after = cu_node_hash(&r.after, &right);
        return r;
    }
    r = by_subproof(from - half, to - half, false, old_root, proof);
    cu_hash left = take(proof);
    return (struct roots){ cu_node_hash(&left, &r.before), cu_node_hash(&left, &r.after) };
}

static void inclusion(uint64_t seq, uint64_t size, const cu_hash *leaf, struct proof p)
{
    cu_hash root = by_path(seq, size, leaf, &p);
    bool fits = p.at == p.n;

    CU_ASSERT(p.at == cu_inclusion_len((cu_seq){ seq }, (cu_size){ size }));
    cu_status status = cu_inclusion_verify(leaf, (cu_seq){ seq }, (cu_size){ size }, p.hash, p.n, &root, NULL);
    CU_ASSERT(status == (fits ? CU_OK : CU_MALFORMED));
    root.b[size % 32] ^= (uint8_t)(1u << seq % 8);
    status = cu_inclusion_verify(leaf, (cu_seq){ seq }, (cu_size){ size }, p.hash, p.n, &root, NULL);
    CU_ASSERT(status == (fits ? CU_BAD_PROOF : CU_MALFORMED));
}

static void consistency(uint64_t from, uint64_t to, const cu_hash *old_root, struct proof p)
{
    struct roots r = by_subproof(from, to, true, old_root, &p);
    bool fits = p.at == p.n;

    CU_ASSERT(p.at == cu_consistency_len((cu_size){ from }, (cu_size){ to }));
    cu_status status = cu_consistency_verify((cu_size){ from }, &r.before, (cu_size){ to }, &r.after, p.hash, p.n, NULL);
    CU_ASSERT(status == (fits ? CU_OK : CU_MALFORMED));
    for (int old = 0; old < 2; old++) {
        struct roots wrong = r;
        (old ? &wrong.before : &wrong.after)->b[to % 32] ^= (uint8_t)(1u << from % 8);
        status = cu_consistency_verify((cu_size){ from }, &wrong.before, (cu_size){ to }, &wrong.after, p.hash, p.n, NULL);
        CU_ASSERT(status == (fits ? CU_BAD_PROOF : CU_MALFORMED));
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const size_t front = 1 + 8 + 8 + sizeof(cu_hash), hashes = size < front ? 0 : (size - front) / sizeof(cu_hash);
    static cu_hash hash[128];
    cu_hash first;

    if (size < front || hashes > 128) return 0;
    uint64_t number = cu_be64(data + 1), n = cu_be64(data + 9);
    if (data[0] & 2) n = n >> n % 64, number = n > 0 ? number % n : 0; /* every length of a size as often */
    memcpy(first.b, data + 17, sizeof first);
    memcpy(hash, data + front, hashes * sizeof *hash);
    struct proof p = { hash, hashes, 0 };
    if (n == 0 || n > UINT64_C(1) << 63 || number >= n) return 0;
    if (data[0] & 4)
        p.n = data[0] & 1 ? cu_consistency_len((cu_size){ number }, (cu_size){ n })
                          : cu_inclusion_len((cu_seq){ number }, (cu_size){ n });
    if (data[0] & 1 && number > 0) consistency(number, n, &first, p);
    else inclusion(number, n, &first, p);
    return 0;
}
