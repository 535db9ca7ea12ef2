#!/usr/bin/env python3
"""Keeps the map of ARCHITECTURE.md true: includes go down only, each library has one home, pure folders stay pure.

usage: layers_test.py [ROOT]; one line per breach, exit 1 when there is one.
"""
import re
import subprocess
import sys
from pathlib import Path

TOP_LEVEL = {"CMakeLists.txt", "README.md", "LICENSE", "reconciler", "manifests-schema", "examples-repo", "tests", "systemd"}

# A folder may include itself and everything on the lines above its own.
LAYERS = [
    {"base"},
    {"rollout", "objects"},
    {"ports.h", "lease.h", "manifest", "http"},
    {"git", "cluster", "metrics", "notify", "daemon"},
    {"web", "sim"},
    {"cli"},
    {"main.cpp"},
]
PURE = {"rollout", "objects"}

# Third-party headers and the only folders (or files) that may include them.
HOMES = {
    r"nlohmann/": {"base/json.h"},
    r"(spdlog|fmt)/": {"base"},
    r"absl/time/": {"base"},
    r"(yaml-cpp|valijson)/": {"manifest"},
    r"(cpprest|pplx)/|boost/(asio|beast)": {"http"},
    r"curl/": {"http"},
    r"git2(\.h|/)": {"git"},
    r"zlib\.h": {"git"},
    r"openssl/": {"git", "http", "base/digest.cpp"},
    r"boost/program_options": {"cli"},
    r"systemd/": {"cli"},
    r"prometheus/": {"web"},
    r"simdjson": {"cluster"},
}
POSIX = re.compile(r"(sys|netinet|arpa|net)/\w+\.h|(unistd|fcntl|fnmatch|poll|signal|pwd|dirent|netdb|termios|pthread|spawn|grp|malloc)\.h")
STANDARD = re.compile(r"[a-z_0-9]+")
IMPURE_STANDARD = {"atomic", "condition_variable", "ctime", "filesystem", "fstream", "future", "iostream", "mutex",
                   "random", "thread"}

# What only some files may say. Everything else here is forbidden everywhere.
WORDS = [
    ("a clock is read", r"(system|steady|high_resolution)_clock::now|clock_gettime|gettimeofday|\btime\((nullptr|NULL|0)\)",
     {"daemon/system_clock.cpp": "the clock", "base/log.cpp": "stamps its lines", "base/child_process.cpp": "its limit",
      "http": "deadlines of calls", "git": "deadlines of calls", "cluster/reflector.cpp": "how long a watch lasted",
      "cluster/api.cpp": "the rate limit"}),
    ("random numbers are drawn", r"#include <random>|random_device|mt19937|\bs?rand\(", {"sim": "from a printed seed", "cluster/reflector.cpp": "jitter", "cluster/reflector.h": "jitter"}),
    ("an exception is thrown", r"\bthrow\b", {"sim/faults.h": "a simulated process dies at any call, through all of it"}),
    ("a child process is started", r"\b(posix_spawnp?|vfork|exec[lv]p?e?|popen)\s*\(|(::|= ?)(fork|system)\(",
     {"base/child_process.cpp": "no shell, a time limit, bounded output"}),
    ("a namespace is used whole", r"using namespace std;", {}),
    ("memory is owned by hand", r"\bnew [A-Z]\w*[({]|\bdelete [a-z]", {}),
]


def without_comments(text):
    return re.sub(r"//[^\n]*|/\*.*?\*/", "", text, flags=re.S)


def without_strings(text):
    return re.sub(r'R"(\w*)\(.*?\)\1"|"(\\.|[^"\\\n])*"', '""', text, flags=re.S)


def layer_of(part):
    return next((i for i, layer in enumerate(LAYERS) if part in layer), None)


def lives_in(path, homes):
    return any(path == home or path.startswith(home + "/") for home in homes)


def include_breaches(root, path, line_number, quoted, name):
    where = f"reconciler/{path}:{line_number}"
    room = path.split("/")[0]
    if quoted:
        if not (root / "reconciler" / name).exists():
            yield f'{where}: "{name}" is no file of ours'
        elif name.split("/")[0] != room and layer_of(name.split("/")[0]) >= layer_of(room):
            yield f'{where}: {room} must not include "{name}": includes go down only'
        return
    if STANDARD.fullmatch(name):
        if room in PURE and name in IMPURE_STANDARD:
            yield f"{where}: <{name}> in {room}/, which is pure"
        return
    if POSIX.fullmatch(name):
        if room in PURE:
            yield f"{where}: <{name}> in {room}/, which is pure"
        return
    homes = next((homes for pattern, homes in HOMES.items() if re.match(pattern, name)), None)
    if homes is None:
        yield f"{where}: <{name}> is in no list of this test: a new dependency needs a home"
    elif not lives_in(path, homes):
        yield f"{where}: <{name}> belongs to {', '.join(sorted(homes))}"
    elif path.endswith(".h") and path != "base/json.h":
        yield f"{where}: <{name}> in a header of ours: include it in the .cpp"


def file_breaches(root, path):
    text = (root / "reconciler" / path).read_text()
    if layer_of(path.split("/")[0]) is None:
        yield f"reconciler/{path}: the folder has no place in the layers"
        return
    if path.endswith(".h") and "#pragma once" not in text:
        yield f"reconciler/{path}: no #pragma once"
    code = without_comments(text)
    for number, line in enumerate(text.splitlines(), 1):
        if match := re.match(r'\s*#\s*include\s*(["<])([^">]+)[">]', line):
            yield from include_breaches(root, path, number, match[1] == '"', match[2])
    for what, pattern, homes in WORDS:
        if re.search(pattern, without_strings(code)) and not lives_in(path, homes):
            yield f"reconciler/{path}: {what}, which is not for this file"


def listing_breaches(root):
    for folder, listing in [("reconciler", "CMakeLists.txt"), ("tests", "tests/CMakeLists.txt")]:
        listed = (root / listing).read_text()
        for source in sorted((root / folder).rglob("*.cpp")):
            if not re.search(rf"(^|[\s/]){re.escape(source.name)}\b", listed):
                yield f"{source.relative_to(root)}: is not listed in {listing}"


def twice_named(headers):
    """Two types of one name in our one namespace are undefined behaviour that no linker reports."""
    seen = {}
    for path, text in headers:
        for name in re.findall(r"^(?:struct|class|enum class) (\w+)[^;]*?\{", without_comments(text), flags=re.M):
            if seen.setdefault(name, path) != path:
                yield f"reconciler/{path}: {name} is also defined in reconciler/{seen[name]}"


def top_level_breaches(root):
    git = subprocess.run(["git", "-C", root, "ls-files"], capture_output=True, text=True)
    names = {line.split("/")[0] for line in git.stdout.splitlines()} if git.returncode == 0 else set()
    for name in sorted(names - TOP_LEVEL):
        if not name.startswith("."):
            yield f"{name}: the top level is fixed"


def self_check(root):
    """A test that cannot fail is none: each rule is shown one breach."""
    samples = [("rollout/x.cpp", True, "objects/order.h"), ("base/x.cpp", True, "rollout/plan.h"),
               ("rollout/x.cpp", False, "fstream"), ("cli/x.cpp", False, "git2.h"), ("git/x.h", False, "git2.h"),
               ("base/x.cpp", False, "curl/curl.h"), ("base/x.cpp", True, "base/nowhere.h")]
    for path, quoted, name in samples:
        assert list(include_breaches(root, path, 1, quoted, name)), (path, name)
    assert list(twice_named([("a/x.h", "struct X {\n};\n"), ("b/x.h", "class X final : Y {\n};\n")]))
    assert not list(twice_named([("a/x.h", "struct X {\n};\n"), ("b/x.h", "struct X;\n")]))
    for path, quoted, name in [("rollout/x.cpp", True, "base/json.h"), ("git/x.cpp", False, "git2.h"),
                               ("base/x.cpp", False, "vector"), ("http/x.cpp", False, "sys/socket.h")]:
        assert not list(include_breaches(root, path, 1, quoted, name)), (path, name)


def main():
    root = Path(sys.argv[1] if len(sys.argv) > 1 else Path(__file__).parent.parent).resolve()
    self_check(root)
    sources = sorted(p for p in (root / "reconciler").rglob("*") if p.suffix in (".h", ".cpp"))
    breaches = [b for p in sources for b in file_breaches(root, str(p.relative_to(root / "reconciler")))]
    breaches += twice_named([(str(p.relative_to(root / "reconciler")), p.read_text()) for p in sources if p.suffix == ".h"])
    breaches += [*listing_breaches(root), *top_level_breaches(root)]
    print("\n".join(breaches) if breaches else f"{len(sources)} files keep the layers")
    for path in sources:
        lines = len(path.read_text().splitlines())
        if lines > 300:
            print(f"note: {path.relative_to(root)} has {lines} lines")
    return 1 if breaches else 0


if __name__ == "__main__":
    sys.exit(main())
