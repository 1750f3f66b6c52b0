# SPDX-License-Identifier: LGPL-2.1-or-later
"""JSON Schema's opinion of what xl numa-placement writes; prints TAP.

Runs the cases, those of a live host too, with a program in between that keeps
each JSON output, and takes the examples of docs/*-format.md too. All have to be valid; what is changed to
another type, or left out though it is always there, has to be refused. So a key
that no schema knows is found, as is a schema that allows anything.
"""
import copy
import glob
import json
import os
import re
import subprocess
import sys
import tempfile

from jsonschema import Draft202012Validator, RefResolver

HERE = os.path.dirname(os.path.abspath(__file__))
TOP = os.path.join(HERE, "..", "..")

# Malformed hosts whose mistake no schema can see: what is wrong is how two values
# go together, or what a list of CPUs means.
BEYOND_SCHEMA = """
    reserved-more-than-free cores-more-than-cpus cpu-in-two-nodes cpus-16384
    cpus-backwards device-node-2 device-twice distance-10 distance-local-11
    distances-one-row distances-row-short free-more-than-size id-twice low-more-than-free no-cpus
    no-memory size-total
    """.split()

# What may be missing though no case lacks it: what a build did not count, and
# what somebody else's snapshot does not say.
OPTIONAL = re.compile(r".*\.actual_kb|guests\.\[\]\.nodes\.\[\]\.planned_kb"
                      r"|domain0\.(name|node_affinity)")

# Of fewer objects than these it is not said what is always there.
FEW = 5

WRAPPER = """#!/bin/sh
# What the program writes as JSON is kept, even where the case wants text.
file=$(mktemp "{kept}/XXXXXX") || exit 1
"{program}" "$@" --json >"$file"
status=$?
cat "$file"
exit "$status"
"""

number = 0
failures = 0


def check(is_good, text, detail=""):
    """One line of TAP."""
    global number, failures
    number += 1
    failures += not is_good
    print(f"{'' if is_good else 'not '}ok {number} - {text}")
    if not is_good:
        for line in str(detail).splitlines()[:20]:
            print(f"# {line}")


def load(path):
    with open(path) as file:
        return json.load(file)


def schema_path(name):
    return os.path.join(TOP, "docs", "schema", name + ".json")


def make_validator(name):
    """Of a schema, which may refer to others beside it."""
    schema = load(schema_path(name))
    Draft202012Validator.check_schema(schema)
    return Draft202012Validator(
        schema, resolver=RefResolver("file://" + schema_path(name), schema))


def run_cases(program):
    """Every JSON that the cases have the program write."""
    with tempfile.TemporaryDirectory() as kept:
        wrapper = os.path.join(kept, "program")
        with open(wrapper, "w") as file:
            file.write(WRAPPER.format(kept=kept, program=program))
        os.chmod(wrapper, 0o755)
        for test in ("run", "live", "balance"):
            subprocess.run([os.path.join(HERE, test)], stdout=subprocess.DEVNULL,
                           env={**os.environ, "XL_NUMA_PLACEMENT": wrapper,
                                "XL_NUMA_ONCE": "yes"})
        # which has other paths in it
        with open(wrapper, "w") as file:
            file.write(WRAPPER.format(kept=kept, program=os.path.abspath(
                "tests/cases/status-xl")))
        subprocess.run([os.path.join(HERE, "status")], stdout=subprocess.DEVNULL,
                       env={**os.environ, "XL_NUMA_STATUS": wrapper})
        os.remove(wrapper)
        for path in glob.glob(os.path.join(kept, "*")):
            with open(path) as file:
                text = file.read()
            # all else is help, or a message elsewhere
            if text.startswith("{"):
                yield json.loads(text)


def examples():
    """The examples in the documents about formats that leave nothing out."""
    for path in sorted(glob.glob(os.path.join(TOP, "docs", "*-format.md"))):
        with open(path) as file:
            for block in re.findall(r"(?m)^    \{(?:.*\n)(?:     .*\n)*",
                                    file.read()):
                if ", ...}" not in block:
                    yield json.loads(block)


def walk(value, path=()):
    """The paths of all values in a document, outermost first."""
    yield path
    if isinstance(value, dict):
        for key in value:
            yield from walk(value[key], path + (key,))
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from walk(item, path + (index,))


def shape(path):
    """A path without its indices: nodes[].id"""
    return ".".join("[]" if isinstance(p, int) else p for p in path)


def changed(document, path, do):
    """A copy in which do(container, key) was done to the value at the path."""
    document = copy.deepcopy(document)
    at = document
    for key in path[:-1]:
        at = at[key]
    do(at, path[-1])
    return document


def pop(container, key):
    del container[key]


def spoil(container, key):
    container[key] = {"wrong": []} if not isinstance(container[key], dict) else 3


def add(container, key):
    if isinstance(container[key], dict):
        container[key]["a key that may follow"] = {"any": ["thing"]}


def is_map(path):
    """Are its keys data, the orders of extents?"""
    return path[-1] == "extents"


def mutations(validator, documents):
    """Lists of shapes: spoiled but valid, left out but valid, more but invalid."""
    missed, optional, closed = set(), set(), set()
    counts = {}
    for document in documents:
        for path in walk(document):
            counts[shape(path)] = counts.get(shape(path), 0) + 1
    tried = {}
    for document in documents:
        for path in list(walk(document))[1:]:
            what = shape(path)
            tried[what] = tried.get(what, 0) + 1
            if tried[what] > 8:
                continue
            if validator.is_valid(changed(document, path, spoil)):
                missed.add(what)
            always = counts[what] == counts[shape(path[:-1])] >= FEW
            if (isinstance(path[-1], str) and always and
                    not (len(path) > 1 and is_map(path[:-1])) and
                    validator.is_valid(changed(document, path, pop))):
                if not OPTIONAL.fullmatch(what):
                    optional.add(what)
            if not is_map(path) and \
                    not validator.is_valid(changed(document, path, add)):
                closed.add(what)
    return missed, optional, closed


def check_format(name, documents):
    """One schema and all documents that say they are of its format."""
    if not os.path.exists(schema_path(name)):
        check(False, f"{name}: has a schema", f"no {schema_path(name)}")
        return
    validator = make_validator(name)
    errors = [f"{e.json_path}: {e.message[:200]}" for d in documents
              for e in validator.iter_errors(d)]
    check(documents and not errors,
          f"{name}: the schema takes all there is", "\n".join(errors) or "none")
    print(f"# {len(documents)} documents")
    missed, optional, closed = mutations(validator, documents)
    check(not missed, f"{name}: a value of another type is refused",
          "not refused: " + " ".join(sorted(missed)))
    check(not optional, f"{name}: what is always there is required",
          "not required: " + " ".join(sorted(optional)))
    check(not closed, f"{name}: more keys may follow",
          "refused in: " + " ".join(sorted(closed)))
    for version in (99, "1", None):
        check(not validator.is_valid({**documents[0], "version": version}),
              f"{name}: version {version!r} is refused")


def check_hosts():
    """tests/hosts: the good ones are taken, the bad ones refused."""
    validator = make_validator("xlnuma-host")
    for path in sorted(glob.glob(os.path.join(TOP, "tests", "hosts", "*.json"))):
        errors = list(validator.iter_errors(load(path)))
        check(not errors, f"xlnuma-host: {os.path.basename(path)} is taken", errors)
    taken = []
    for path in glob.glob(os.path.join(TOP, "tests", "hosts", "bad", "*.json")):
        try:
            document = load(path)
        except ValueError:
            continue  # not JSON
        if validator.is_valid(document):
            taken.append(os.path.basename(path).removesuffix(".json"))
    check(sorted(taken) == sorted(BEYOND_SCHEMA),
          "xlnuma-host: hosts/bad are refused, but for what no schema can see",
          f"taken: {sorted(taken)}")


def check_page(schemas):
    """The man page has every key: as C<key> in its part about JSON."""
    def keys(schema):
        if isinstance(schema, dict):
            for key, value in schema.items():
                if key == "properties":
                    yield from value
                yield from keys(value)
        elif isinstance(schema, list):
            for item in schema:
                yield from keys(item)

    with open(os.path.join(TOP, "docs", "xl-numa.pod")) as file:
        page = file.read().split("=head1 JSON", 1)[-1].split("=head1", 1)[0]
    documented = set(re.findall(r"C<([a-z_0-9]+)>", page))
    for name, schema in sorted(schemas.items()):
        lacking = sorted(set(keys(schema)) - documented)
        check(not lacking, f"{name}: all keys are in the man page",
              "lacking: " + " ".join(lacking))


def main(program):
    if not os.access(program, os.X_OK):
        print(f"Bail out! no {program}")
        return 1
    formats = {}
    for document in [*run_cases(program), *examples()]:
        formats.setdefault(document.get("format"), []).append(document)
    schemas = {}
    for path in glob.glob(os.path.join(TOP, "docs", "schema", "*.json")):
        schemas[os.path.basename(path).removesuffix(".json")] = load(path)
    for name in sorted({*formats, *schemas}, key=str):
        check_format(str(name), formats.get(name, []))
    check_hosts()
    check_page(schemas)
    print(f"1..{number}")
    return 1 if failures else 0


sys.exit(main(sys.argv[1]))
