# SPDX-License-Identifier: LGPL-2.1-or-later
"""Every call that the hook makes fails once, at each place; prints TAP.

A build without a failure says which calls the hook makes (faults.c); then there
is a build for each of them, in which that one fails. The rule that all of them
are held to:

  - A call that is libxl's own, and only passes by us, fails the build as it
    would without us, and nothing is said.
  - Any other leaves the domain built, with all its memory; only a strict policy
    fails the build, with one error; libxl-save-helper, which does not know the
    policy when it cannot read the plan, warns before it.
  - One warning is said if something was lost: that the plan is followed, what
    xl-numa.conf says or was handed over, the guest's nodes, the device model's vCPUs,
    the reservation of the memory, the report, large pages, the affinities that a soft
    reset leaves. None if nothing was. What only makes a plan better when it is known
    (load, low memory, where devices are) goes without.
  - Affinities are the plan's or stock libxl's; the report in xenstore is whole
    and true, or not there; no descriptor, lock or memory is lost; the next
    build in this process is as if nothing had been.
"""
import functools
import os
import re
import shutil
import struct
import subprocess
import sys
import tempfile
from collections import Counter, defaultdict
from concurrent.futures import ThreadPoolExecutor

BUILD = os.getcwd()
FAKEXL = BUILD + "/tests/hook/fakexl"
LIBS = BUILD + "/.libs/"
SANITIZE = os.environ.get("SANITIZE_PRELOAD")

SMALL = {"FAKE_FREE": "50,20,50,50"}
LARGE = {"FAKE_FREE": "1000,1000,3072,3072"}

UUID = "0b1c2d3e-4f50-6172-8394-a5b6c7d8e9f0"

# Memory: 70 MiB fit no node of the small host, 3074 no node of the large one, or
# of any that a node could be.
KINDS = {
    "one node": {"guest": ["memory=40"]},
    "two nodes": {"guest": ["memory=70"]},
    "restricted": {"guest": ["memory=3074", 'numa_policy="restricted"'],
                   "env": LARGE},
    "restored": {"guest": ["memory=70"], "options": ["-r"]},
    "restored, single-node": {
        "guest": ["memory=40", 'numa_policy="single-node"'],
        "options": ["-r"]},
    "numa_placement=0": {"guest": ["memory=40", "placement=0"]},
    "CPUs given": {"guest": ["memory=40", "soft=48"]},
    "CPUs of two sockets": {"guest": ["memory=40", "hard=60"]},
    # Of nodes 1-3 node 1 is too small, and the device is at node 3.
    "xl-numa.conf, device, load": {
        "guest": ["memory=30", 'pci="name=disk"'],
        "conf": 'numa_guests=[["name=db*", "numa_nodes=1-3"]]\n',
        "load": "101 01%030d 0 1000\n102 02%030d 0 1000\n" % (0, 0),
        "env": dict(SMALL, FAKE_ASSIGNABLE="disk", FAKE_DEVICES="-,0,3",
                    FAKE_LOW="20,0,0,0", FAKE_GUESTS="0:99,1:5")},
    # Two nodes of 128 MiB each.
    "two guest nodes": {"guest": ["memory=256", 'numa_guest_nodes="auto"'],
                        "env": {"FAKE_FREE": "200,200,0,0"}},
    "restored, two guest nodes": {
        "guest": ["memory=256",
                  'platform=["numa_guest_node_0=0;0x0-0x8000000;10 11",'
                  '"numa_guest_node_1=1;0x8000000-0x10000000;11 10"]'],
        "options": ["-j", "-r"], "env": {"FAKE_FREE": "200,200,0,0"}},
    "populated on demand": {"guest": ["memory=70", "maxmem=80"]},
    # Its file is not read: what holds is in the configuration.
    "kept configuration": {
        "guest": ["memory=40", 'platform=["numa_nodes=2", "numa_memory=pack"]'],
        "options": ["-j", "-r"]},
    # By libvirt's hook script.
    "handed over": {
        "guest": ["memory=40", f'uuid="{UUID}"'], "options": ["-j"],
        "handed": "numa_nodes=2\n"},
    "soft reset": {"guest": ["memory=40"], "options": ["-S"]},
    # The pool has the CPUs of nodes 2 and 3.
    "dedicated CPUs": {"guest": ["memory=40", 'numa_cpus="dedicated"'],
                       "env": dict(SMALL, FAKE_DEDICATED="0xf0")},
    "dedicated CPUs, two guest nodes": {
        "guest": ["memory=256", 'numa_cpus="dedicated"',
                  'numa_guest_nodes="auto"'],
        "env": {"FAKE_FREE": "0,0,200,200", "FAKE_DEDICATED": "0xf0"}},
    # libxl starts one, which ends at once.
    "device model": {"guest": ["memory=40", 'numa_emulator="near"'],
                     "env": dict(SMALL, FAKE_DOM0_PINS="0x3",
                                 FAKE_DEVICE_MODEL="/bin/true")},
    "stub domain": {"guest": ["memory=30", 'type="hvm"', "stubdom=8"],
                    "times": 1},
}

# libxl's own calls that pass by us; of xlu_cfg_*() the first is.
STOCK = {"libxl_ctx_alloc", "libxl_domain_create_new",
         "libxl_domain_create_restore", "libxl_domain_sched_params_set",
         "libxl_domain_soft_reset",
         "xc_domain_create", "xc_domain_max_vcpus", "xc_dom_parse_image",
         "xc_domain_set_memory_map",
         "xc_domain_restore", "xs_introduce_domain",
         "libxl_domain_config_to_json"}
STOCK_ONCE = {"xlu_cfg_init", "xlu_cfg_readdata"}

# Without these a plan may be another one, and not as good, or its extents are.
HINTS = {"fcntl", "fdopen", "pthread_mutex_trylock", "__isoc99_fscanf", "libxl_device_pci_assignable_list",
         "libxl_get_pci_topology", "libxl_get_physinfo",
         "libxl_get_scheduler", "libxl_get_version_info", "openat", "open",
         "realloc",
         "xc_availheap", "xc_get_machine_memory_map", "xc_vcpu_getaffinity"}

CONF_LOST = "placed as if that file were not there"
KEPT_LOST = "the guest keeps the nodes that it was built with"
RESERVATION_LOST = "may be planned on the same memory"


class Deviation(Exception):
    pass


class Result:
    """One run of fakexl."""

    def __init__(self, status, out, err, table):
        self.status, self.out, self.err = status, out, err
        self.builds = ["rc " + b for b in re.split(r"^rc ", out, flags=re.M)[1:]]
        self.left = re.search(r"^left .*", out, re.M)
        if self.left:
            self.left = self.left[0]
            self.builds[-1] = self.builds[-1].replace(self.left + "\n", "")
        self.calls, self.places, self.unknown, self.nr_failed = {}, {}, [], 0
        places = struct.unpack_from("1024Q", table, 128 * 64) if table else ()
        for i in range(128 if table else 0):
            name, nr, failed = struct.unpack_from("56sII", table, i * 64)
            name = name.rstrip(b"\0").decode()
            if name.startswith("?"):
                self.unknown.append(name)
            elif nr:
                self.calls[name] = nr
                self.places[name] = {p for p in places if p and p >> 48 == i}
            self.nr_failed += failed


class Build:
    """What fakexl says of one build."""

    def __init__(self, text):
        self.store = dict(re.findall(r"^/libxl/(\d+/numa-placement/.*) = (.*)",
                                     text, re.M))
        line = dict(re.findall(
            r"^(rc|nodes|soft_cpus|vcpus|hard_cpus|pages|placed by|numa_placement|"
            r"nodemap) (.*)", text, re.M))
        self.rc = int(line["rc"])
        self.pages = [int(n) for n in line.get("pages", "0 0 0 0").split()]
        # What a new domain has: all of them.
        self.affinities = tuple(
            "0" if line.get(what) == "0xff" else line.get(what)
            for what in ("nodes", "soft_cpus", "hard_cpus"))
        self.is_stock = line.get("placed by") == "libxl"
        # Of all vCPUs; where the guest sees several nodes they differ.
        self.all_soft = hex(functools.reduce(
            lambda mask, one: mask | int(one, 0),
            line.get("vcpus", "0").split(), 0))
        self.config = line.get("numa_placement"), line.get("nodemap")
        # The second build's domains have other numbers.
        self.text = re.sub(r"^/(libxl|local/domain)/\d+/", "/", text,
                           flags=re.M)


def run(work, kind, fault=None, times=1, hook=True, fail=None):
    spec = KINDS[kind]
    here = tempfile.mkdtemp(dir=work)
    env = dict(os.environ, XL_NUMA_CONF="/dev/null", XL_NUMA_RUN=here + "/run",
               FAKE_STATE=here + "/state",
               LIBXL_SAVE_HELPER=FAKEXL, LD_BIND_NOW="1",
               FAULT_FILE=here + "/table", **spec.get("env", SMALL))
    env["ASAN_OPTIONS"] = ("verify_asan_link_order=0:detect_leaks=" +
                           os.environ.get("DETECT_LEAKS", "1"))
    preload = [SANITIZE] if SANITIZE else []
    if hook:
        preload.append(LIBS + "libxlnuma-preload.so")
        env["LD_AUDIT"] = LIBS + "libfaults.so"
    env["LD_PRELOAD"] = ":".join(preload)
    if fault:
        env["FAULT"] = fault
    if fail:
        env["FAKE_FAIL"] = fail
    os.mkdir(here + "/run", 0o700)
    if "conf" in spec:
        env["XL_NUMA_CONF"] = here + "/conf"
        with open(here + "/conf", "w") as file:
            file.write(spec["conf"])
    if "load" in spec:
        with open(here + "/run/load", "w") as file:
            file.write("xl-numa-load 1 1\n" + spec["load"])
    elif "handed" in spec:
        os.mkdir(here + "/run/guests")
        with open(here + "/run/guests/" + UUID, "w") as file:
            file.write(spec["handed"])
    else:
        os.rmdir(here + "/run")
    with open(here + "/db1.cfg", "w") as file:
        file.write("\n".join(['name="db1"', 'type="pvh"'] + spec["guest"] + [""]))
    open(here + "/table", "w").close()
    command = [FAKEXL, "-c", "-o", "-n", str(times), *spec.get("options", []),
               "db1.cfg"]
    try:
        done = subprocess.run(command, cwd=here, env=env, text=True, timeout=120,
                              stdin=subprocess.DEVNULL, capture_output=True)
        status, out, err = done.returncode, done.stdout, done.stderr
    except subprocess.TimeoutExpired:
        status, out, err = "hangs", "", ""
    with open(here + "/table", "rb") as file:
        table = file.read()
    shutil.rmtree(here)
    return Result(status, out, err.replace(here, "HERE"), table)


class Kind:
    """A kind of build: what its calls are, and what they may come to."""

    def __init__(self, work, name):
        self.work, self.name = work, name
        self.times = KINDS[name].get("times", 2)
        self.first = run(work, name)
        self.whole = run(work, name, times=self.times)
        if self.whole.status or self.first.unknown:
            raise Deviation("\n".join([
                f"without a failure: exit status {self.whole.status}",
                *self.first.unknown, self.whole.err]))
        self.ours = Build(self.whole.builds[0])
        self.stock = Build(run(work, name, hook=False).builds[0])
        self.is_strict = re.search("numa_(policy|cpus)=",
                                   " ".join(KINDS[name]["guest"]))
        self.is_restored = "-r" in KINDS[name].get("options", [])
        # A saved configuration is read by other functions than a file.
        self.stock_once = STOCK_ONCE - (
            {"xlu_cfg_readdata"} if "-j" in KINDS[name].get("options", [])
            else set())
        self.passes_memory = {"placement=0", "maxmem=80"} & \
            set(KINDS[name]["guest"])
        self.calls = [(f, n) for f, nr in self.first.calls.items()
                      for n in range(1, nr + 1)]
        if SANITIZE:
            # A program takes three times as long to start: every third call, in each
            # kind from another one on.
            self.calls = self.calls[list(KINDS).index(name) % 3::3]

    def judge(self, call):
        """What came of it; Deviation if that should not be."""
        function, nr = call
        fault = f"{function}:{nr}"
        result = run(self.work, self.name, fault, self.times)
        try:
            return self.outcome(function, nr, result)
        except Deviation as deviation:
            return Deviation(f"{self.name}, {fault}: {deviation}\n{result.out}"
                             f"{result.err}")

    def outcome(self, function, nr, result):
        expect(result.nr_failed == 1, f"{result.nr_failed} calls failed")
        if function in self.stock_once and nr == 1 or \
                function == "libxl_ctx_alloc":
            expect(result.status == 1 and not result.builds, "not as stock xl")
            expect("xl-numa" not in result.err, "something is said")
            return "libxl's own"
        expect(result.status == 0, f"exit status {result.status}")
        expect(result.left == "left 0 open, not locked", result.left)
        build = Build(result.builds[0])
        said = self.said(result)
        self.check_second(result)
        self.check_report(build, said)
        if function in STOCK or self.passes_memory and "populate" in function:
            return self.judge_stock(function, nr, build, said)
        if function == "xc_domain_set_pod_target" and \
                nr == self.first.calls[function]:
            return self.judge_stock(function, 1, build, said)
        if build.rc:
            levels = [line.split(":")[0] for line in said]
            expect(self.is_strict and "not built" in said[-1] and
                   (levels == ["error"] or self.is_restored and
                    levels == ["warning", "error"]), "not built")
            return "not built (strict)"
        expect(sum(build.pages) == sum(self.ours.pages), "memory is missing")
        loss = self.loss(function, build, result, said)
        # libxl's process says so besides what libxl-save-helper said.
        said = [line for line in said if KEPT_LOST not in line] or said
        expect(len(said) == (loss not in ("nothing", "a better plan")),
               f"{loss} is lost, and {len(said)} warnings")
        return loss

    def judge_stock(self, function, nr, build, said):
        stock = run(self.work, self.name, hook=False, fail=f"{function}:{nr}")
        rc = Build(stock.builds[0]).rc
        if function.startswith("libxl_domain_create"):
            rc = -3
        if function == "xc_domain_restore":
            rc = -3
        expect(build.rc == rc, f"rc is not {rc}, stock xl's")
        expect(not said, "something is said")
        return "libxl's own"

    def said(self, result):
        """Warnings and errors; what is said of the second build is as always."""
        lines = [line[len("xl-numa: "):] for line in result.err.splitlines()]
        return [line for line in lines if not line.startswith("info: ")]

    def check_second(self, result):
        for got, usual in zip(result.builds[1:], self.whole.builds[1:]):
            expect(Build(got).text in (Build(usual).text, self.stock.text),
                   "the next build is not as it was")

    def check_report(self, build, said):
        """All of it, and true."""
        for domid in {key.split("/")[0] for key in build.store}:
            keys = {key.split("/", 2)[2]: value
                    for key, value in build.store.items()
                    if key.split("/")[0] == domid}
            expect({"policy", "memory", "status", "reason", "version"} <=
                   set(keys), "half a report")
            if keys["status"] in ("failed", "off"):
                continue
            expect({"nodes", "soft_cpus", "expected_distance"} <= set(keys),
                   "half a report")
            kb = [int(keys.get(f"node/{n}/actual_kb", 0)) for n in range(4)]
            expect(not sum(kb) or "stubdom=8" in KINDS[self.name]["guest"] or
                   said or kb == [n * 4 for n in build.pages],
                   "a wrong report")

    def loss(self, function, build, result, said):
        """What the guest lost; messages are believed for what is not seen."""
        text = " ".join(said)
        statuses = {value for key, value in build.store.items()
                    if key.endswith("/status")}
        nodes = int(build.affinities[0], 0)
        if re.search("soft reset: .*(put back|away from its memory)", text):
            return "affinities, at a soft reset"
        if "that were handed over" in text:
            return "what was handed over"
        if not nodes and int(self.ours.affinities[0], 0):
            expect((build.affinities, build.config, build.pages) ==
                   (self.stock.affinities, self.stock.config, self.stock.pages)
                   or "domain 2" in text, "neither our placement nor libxl's")
            return "the plan"
        if KEPT_LOST in text:
            expect(build.affinities[0] == self.ours.affinities[0] and
                   build.affinities[1] in (self.ours.affinities[1],
                                           self.ours.all_soft) and
                   build.affinities[2] in (self.ours.affinities[2],
                                           self.stock.affinities[2]),
                   "half placed")
            return "guest nodes"
        if (re.search("memory is left to|stock placement", text) or
                "degraded" in statuses or nodes and
                any(build.pages[n] for n in range(4) if not nodes >> n & 1)):
            expect(build.affinities in (
                self.ours.affinities,
                # Not known where memory is: no vCPU is kept from it.
                (*self.ours.affinities[:2], self.stock.affinities[2]),
                (self.ours.affinities[0], self.ours.all_soft,
                 self.stock.affinities[2])),
                "half placed")
            return "exact nodes"
        if re.search("the guest sees one node|run on all of the plan's", text):
            expect(build.pages == self.ours.pages, "memory is elsewhere")
            return "guest nodes"
        if "without large pages" in text:
            expect(build.affinities == self.ours.affinities, "half placed")
            return "large pages"
        if "device model" in text:
            expect(build.affinities == self.ours.affinities, "half placed")
            return "the device model's vCPUs"
        if len(build.store) < len(self.ours.store) or "from xenstore" in text:
            expect(build.pages == self.ours.pages, "memory is elsewhere")
            return "the report"
        if CONF_LOST in text:
            return "xl-numa.conf"
        if "will not be known when it is restored" in text:
            return "its nodes, for later"
        if "will be forgotten" in text:
            return "what the file says, for later"
        if (RESERVATION_LOST in text or not self.is_restored and
                result.calls.get("pwrite", 0) + 1 <
                self.whole.calls.get("pwrite", 0)):
            return "the reservation"
        if build.text != self.ours.text:
            expect(function in HINTS, "not as planned")
            return "a better plan"
        return "nothing"


def expect(is_true, text):
    if not is_true:
        raise Deviation(text)


def table(kinds, outcomes):
    """For each function: calls, places in the objects, what came of them."""
    functions = sorted({f for kind in kinds for f in kind.first.calls})
    losses = sorted({o for counts in outcomes.values() for o in counts})
    nr_calls = nr_places = 0
    yield f"{'Function':33}  Calls  Places  Lost"
    for function in functions:
        places = set().union(*(k.first.places.get(function, set())
                               for k in kinds))
        counts = outcomes[function]
        text = ", ".join(f"{loss} {counts[loss]}" for loss in losses
                         if counts[loss])
        yield f"{function:33}  {sum(counts.values()):5}  {len(places):6}  {text}"
        nr_calls += sum(counts.values())
        nr_places += len(places)
    yield f"{len(functions):3} functions  {nr_calls:25}  {nr_places:6}"


def judge_all(pool, work, name, outcomes):
    """Every call of a kind of build; returns the kind, and what is wrong."""
    bad = []
    try:
        kind = Kind(work, name)
    except Deviation as deviation:
        return None, [deviation]
    for call, outcome in zip(kind.calls, pool.map(kind.judge, kind.calls)):
        if isinstance(outcome, Deviation):
            bad.append(outcome)
            outcome = "DEVIATION"
        outcomes[call[0]][outcome] += 1
    return kind, bad


def main():
    work = tempfile.mkdtemp()
    kinds, outcomes = [], defaultdict(Counter)
    names = sys.argv[1:] or KINDS
    with ThreadPoolExecutor(os.cpu_count() + 1) as pool:
        for nr, name in enumerate(names, 1):
            kind, bad = judge_all(pool, work, name, outcomes)
            if kind:
                kinds.append(kind)
            nr_calls = len(kind.calls) if kind else 0
            print(f"{'ok' if nr_calls and not bad else 'not ok'} {nr} - {name}: "
                  f"{nr_calls} calls fail, one after the other")
            for line in "\n".join(map(str, bad)).splitlines():
                print("# " + line)
            sys.stdout.flush()
    for line in table(kinds, outcomes):
        print("# " + line)
    print(f"1..{len(names)}")
    shutil.rmtree(work)


main()
