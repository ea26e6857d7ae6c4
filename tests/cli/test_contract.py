#!/usr/bin/env python3
"""The interface as it is described (OpenAPI) and as it is: schemathesis asks the running servers whatever the description allows and forbids.

CUSTODY_CONTRACT names how many cases of an operation it makes (5); CUSTODY_SEED its seed.
"""
import json
import os
import pathlib
import subprocess

from custody_test import SANITIZED, Ledger, Skip, call, custody, fill, main, noise, test
from node_test import BUILD, Node, case_with_exhibits, sign
from provider_world import Provider, claimed

PYTHON = pathlib.Path(BUILD).parent / "tools/venv/bin/python"
HOOKS = pathlib.Path(__file__).with_name("contract_hooks.py")
CASES = os.environ.get("CUSTODY_CONTRACT", "1" if SANITIZED else "5")
SEED = os.environ.get("CUSTODY_SEED", "1")

# What no schema can say: bodies and tokens that are signed, or name what was; tus answers a foreign version by 412.
SETTINGS = """
[checks.negative_data_rejection]
expected-statuses = [400, 401, 403, 404, 405, 406, 409, 411, 412, 413, 415, 416, 422, 428]
[[operations]]
include-name = ["POST /v1/submit", "POST /v1/cosignatures", "POST /add-checkpoint", "POST /v1/claims", "POST /v1/supervised", "PUT /v1/claims/{claim}/chunks", "POST /v1/enrolments", "POST /v1/enrolments/{kid}", "POST /v1/uploads", "PATCH /v1/uploads/{claim}"]
checks.positive_data_acceptance.expected-statuses = ["2xx", 400, 401, 403, 404, 409, 422, 460]
[[operations]]
include-name = ["GET /v1/receipt/{id}", "GET /v1/receipt/{case}/{number}"]
checks.positive_data_acceptance.expected-statuses = ["2xx", 400, 401, 403, 404]
"""


def judged(folder, server, names, *options):
    if not PYTHON.exists() or subprocess.run([PYTHON, "-c", "import schemathesis"], capture_output=True, check=False).returncode:
        raise Skip("there is no schemathesis: its registry could not be reached when tools/setup ran")
    lines = "".join(f"{json.dumps(k)} = {json.dumps(v)}\n" for k, v in {"query.wait": 0, **names}.items())
    fill(folder / "schemathesis.toml", f"[parameters]\n{lines}{SETTINGS}".encode())
    done = subprocess.run([PYTHON, "-m", "schemathesis.cli", "--config-file", folder / "schemathesis.toml", "run", server.url + "/v1/openapi.json", "--checks", "all", "--phases", "fuzzing" if SANITIZED else "coverage,fuzzing",
                           "--max-examples", CASES, "--seed", SEED, "--no-color", "--suppress-health-check", "all", "--warnings", "off", *options], cwd=folder,
                          env={**os.environ, "SCHEMATHESIS_HOOKS": str(HOOKS), "NO_PROXY": "*"}, capture_output=True, text=True, timeout=900, check=False)
    assert done.returncode == 0, done.stdout[-6000:] + done.stderr[-2000:]
    said = server.log.read_text()
    assert '"status":5' not in said.replace('"status":503', ""), "a failure of the server's own"
    return [l.strip() for l in done.stdout.splitlines() if "generated" in l][0]


@test
def the_node_is_as_it_is_described(folder):
    ledger = case_with_exhibits(folder)
    fill(folder / "records/one", sign(ledger, "C1", 1, 1))
    with Node(ledger, "--rate", "0") as node:
        row = node.json("/v1/show/C1/3")
        names = {"path.case": "C1", "path.number": 3, "path.id": row["id"], "path.size": node.json("/v1/status")["entries"]}
        return judged(folder, node, names)


@test
def the_provider_is_as_it_is_described(folder):
    ledger = Ledger.new(folder / "L", "C1")
    Provider.make(folder / "P", ledger)
    with Node(ledger) as node, Provider(folder / "P", node, "--rate", "0") as provider:
        path = fill(folder / "film", noise(70_000))
        claim = provider.claim(claimed(ledger, path))
        provider.patch(claim, path.read_bytes(), 0)
        provider.recorded(claim)
        root = node.json("/v1/case/C1")["exhibits"][0]["root"]
        return judged(folder, provider, {"path.claim": claim, "path.root": root})


@test
def what_is_described_is_what_is_served_and_whom_it_is_for(folder):
    described = {name: json.loads(custody(name, "--openapi").out) for name in ("node", "provider")}
    for name, api in described.items():
        assert api["openapi"] == "3.1.0" and api["info"]["title"] == "custody " + name
        problem = api["components"]["responses"]["problem"]["content"]["application/problem+json"]["schema"]
        codes = problem["allOf"][1]["properties"]["code"]["enum"]
        assert "OK" in codes and "MALFORMED" in codes and len(codes) == len(set(codes)) > 40
        for path, methods in api["paths"].items():
            assert path.startswith("/v1/") or path in ("/checkpoint", "/tile/{path}", "/tile/entries/{path}", "/add-checkpoint", "/healthz", "/readyz", "/metrics"), path
            for method, what in methods.items():
                assert what["responses"]["default"] == {"$ref": "#/components/responses/problem"}, (path, method)
                roles = [r for s in what["security"] for r in s["certificate"]]
                assert "operator" not in roles or path == "/v1/status", (path, roles)
    submit = described["node"]["paths"]["/v1/submit"]["post"]
    assert submit["security"] == [{"certificate": ["administrator", "provider", "depositor", "auditor", "node", "organisation"]}]
    assert described["provider"]["paths"]["/v1/claims"]["post"]["responses"].keys() >= {"200", "201"}
    ledger = Ledger.new(folder / "L")
    with Node(ledger) as node:
        assert node.json("/v1/openapi.json") == described["node"]
        assert [p["code"] for p in node.json("/v1/problems")] == described["node"]["components"]["responses"]["problem"]["content"]["application/problem+json"]["schema"]["allOf"][1]["properties"]["code"]["enum"]


main()
