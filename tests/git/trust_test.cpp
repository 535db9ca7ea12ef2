// Signed commits: ours when they are pushed, and those of people before they count.
#include <sys/stat.h>

#include <fstream>
#include <future>

#include "git/open_repository.h"

#include "catch.h"

using namespace reconciler;
using namespace reconciler::testing;

namespace {

/// People who can sign, and the files that say who may.
struct Signers {
  explicit Signers(const TemporaryFolder& folder) : folder(folder), people(folder.path()) {
    for (auto name : {"ann", "mallory", "daemon"})
      run("ssh-keygen -q -t ed25519 -N '' -C " + std::string(name) + " -f " + (folder / name));
    allow("allowed", "ann");
    allow("status", "daemon");
    run("git -C " + work() + " config gpg.format ssh");
    people.commit("main", {{"a.yaml", "start"}}, "unsigned, from before the policy");
  }
  std::string work() const { return folder / "people"; }
  void allow(const std::string& file, const std::string& name) const {
    run("printf '%s@example.com namespaces=\"git\" ' " + name + " > " + (folder / file) + " && cat " + (folder / name) +
        ".pub >> " + (folder / file));
  }
  std::string commit_as(const std::string& name, const std::map<std::string, std::string>& files,
                        const std::string& message = "signed") {
    run("git -C " + work() + " config commit.gpgsign true && git -C " + work() + " config user.signingkey " +
        (folder / name));
    auto id = people.commit("main", files, message);
    run("git -C " + work() + " config commit.gpgsign false");
    return id;
  }
  GitOptions options(VerifyPolicy policy) const {
    auto out = options_for("file://" + people.remote(), folder / "state");
    out.status_directory = "status/default";
    out.trust = {.policy = policy, .signers = {.allowed_signers_file = folder / "allowed"}};
    return out;
  }
  const TemporaryFolder& folder;
  GitPeople people;
};

std::string verdicts(const Signers& signers, const std::string& allowed) {
  return run("git -C " + signers.people.remote() + " -c gpg.ssh.allowedSignersFile=" + (signers.folder / allowed) +
             " log --reverse --format=%G? main");
}

}  // namespace

TEST_CASE("what we push is signed, also after a rebuild, and git finds it good", "[git][sign]") {
  TemporaryFolder folder;
  Signers signers(folder);
  auto options = signers.options(VerifyPolicy::None);
  options.signing_key_file = folder / "daemon";
  auto repository = open_repository(options);
  REQUIRE_OK(repository->poll());
  REQUIRE_OK(repository->record({status_write("till", "1", "till: one"), status_write("till", "2", "till: two")}));
  auto theirs = signers.commit_as("ann", {{"a.yaml", "2"}});
  REQUIRE_OK(repository->push());
  CHECK(verdicts(signers, "status") == "N\nU\nG\nG");
  CHECK(signers.people.git("rev-parse main~2") == theirs);  // of others nothing is rewritten
  REQUIRE_OK(repository->record({status_write("till", "3", "till: three")}));
  REQUIRE_OK(repository->push());
  CHECK(verdicts(signers, "status") == "N\nU\nG\nG\nG");
  CHECK(signers.people.git("log -1 --format=%s%n%aI main") == "till: three\n2026-11-22T10:00:02+00:00");
  signers.people.git("fsck --strict");
}

TEST_CASE("a key that cannot sign keeps the push waiting and nothing else", "[git][sign]") {
  TemporaryFolder folder;
  Signers signers(folder);
  auto options = signers.options(VerifyPolicy::None);
  options.signing_key_file = folder / "locked";
  run("ssh-keygen -q -t ed25519 -N secret -f " + (folder / "locked"));
  auto repository = open_repository(options);
  REQUIRE_OK(repository->poll());
  REQUIRE_OK(repository->record({status_write("till", "1", "till: one")}));
  auto pushed = repository->push();
  REQUIRE_FALSE(pushed);
  CHECK(pushed.error().kind == ErrorKind::Invalid);
  CHECK_THAT(pushed.error().message, ContainsSubstring("signing key file"));
  CHECK(repository->unpushed() == 1);
  chmod((folder / "locked").c_str(), 0644);
  CHECK_THAT(repository->push().error().message, ContainsSubstring("others may read it"));
  run("cp " + (folder / "daemon") + " " + (folder / "locked") + " && chmod 600 " + (folder / "locked") + " && rm " +
      (folder / "locked.pub"));
  REQUIRE_OK(repository->push());
  CHECK(verdicts(signers, "status") == "N\nG");
}

TEST_CASE("commits are recorded while a push signs, and none is lost", "[git][sign][race]") {
  TemporaryFolder folder;
  Signers signers(folder);
  auto options = signers.options(VerifyPolicy::None);
  options.signing_key_file = folder / "daemon";
  auto repository = open_repository(options);
  REQUIRE_OK(repository->poll());
  constexpr int rounds = 60;
  auto pushing = std::async(std::launch::async, [&]() -> std::string {
    for (int tries = 0; signers.people.subjects("main").size() < rounds + 1 && tries < 1000; tries++) {
      auto pushed = repository->push();
      if (!pushed && pushed.error().kind != ErrorKind::Conflict) return pushed.error().message;
    }
    return {};
  });
  for (int i = 0; i < rounds; i++)
    CHECK_OK(repository->record({status_write("till", std::to_string(i), "till " + std::to_string(i))}));
  CHECK(pushing.get() == "");
  auto subjects = signers.people.subjects("main");
  REQUIRE(subjects.size() == rounds + 1);
  for (int i = 0; i < rounds; i++) CHECK(subjects[i] == "till " + std::to_string(rounds - 1 - i));
  CHECK(verdicts(signers, "status").find_first_of("BEU") == std::string::npos);
}

TEST_CASE("under `head` the newest commit that is no status commit must be signed", "[git][trust]") {
  TemporaryFolder folder;
  Signers signers(folder);
  auto repository = open_repository(signers.options(VerifyPolicy::Head));
  auto refused = repository->poll();
  REQUIRE_FALSE(refused);
  CHECK_THAT(refused.error().message, ContainsSubstring("is not verified: it is not signed"));
  CHECK_FALSE(repository->head());
  auto good = signers.commit_as("ann", {{"a.yaml", "1"}});
  CHECK(repository->poll()->commit == good);

  SECTION("an unsigned commit is held and named, the next signed one takes over") {
    auto bad = signers.people.commit("main", {{"a.yaml", "2"}});
    auto held = repository->poll();
    REQUIRE(held);
    CHECK(held->commit == good);
    CHECK_THAT(held->complaint, ContainsSubstring("commit " + bad.substr(0, 12) + " of Ada <ada@example.com>"));
    CHECK_THAT(held->complaint, ContainsSubstring("holding " + good.substr(0, 12)));
    CHECK(repository->head() == good);
    // What is recorded goes out all the same, on top of it.
    REQUIRE_OK(repository->record({status_write("till", "1", "till: one")}));
    REQUIRE_OK(repository->push());
    CHECK(repository->poll()->commit == good);
    repository.reset();
    repository = open_repository(signers.options(VerifyPolicy::Head));
    CHECK(repository->head() == good);
    auto next = signers.commit_as("ann", {{"a.yaml", "3"}});
    CHECK(repository->poll()->commit == next);
  }
  SECTION("a stranger's signature counts as none, until the stranger is allowed") {
    auto theirs = signers.commit_as("mallory", {{"a.yaml", "2"}});
    CHECK_THAT(repository->poll()->complaint, ContainsSubstring("none of the allowed signers"));
    signers.allow("allowed", "mallory");
    CHECK(repository->poll()->commit == theirs);
  }
  SECTION("status commits deploy nothing and need no signature") {
    REQUIRE_OK(repository->record({status_write("till", "1", "till: one")}));
    REQUIRE_OK(repository->push());
    signers.people.commit("main", {{"status/other/shop/cart.yaml", "1"}}, "another daemon");
    CHECK(repository->poll()->complaint.empty());
  }
  SECTION("a signature moved to other content is not good") {
    auto remote = signers.people.remote();
    run("cd " + remote + " && git cat-file commit main | sed 's/^signed$/forged/' > " + (folder / "forged") +
        " && git update-ref refs/heads/main $(git hash-object -t commit -w " + (folder / "forged") + ")");
    auto held = repository->poll();
    REQUIRE(held);
    CHECK_FALSE(held->complaint.empty());
    CHECK(held->commit == good);
  }
}

TEST_CASE("a forged commit on top of a signed one is found out", "[git][trust]") {
  TemporaryFolder folder;
  Signers signers(folder);
  auto repository = open_repository(signers.options(VerifyPolicy::Range));
  auto good = signers.commit_as("ann", {{"a.yaml", "1"}});
  CHECK(repository->poll()->commit == good);
  signers.commit_as("ann", {{"a.yaml", "2"}}, "true");
  run("cd " + signers.people.remote() + " && git cat-file commit main | sed 's/^true$/false/' > " +
      (folder / "forged") + " && git update-ref refs/heads/main $(git hash-object -t commit -w " + (folder / "forged") +
      ")");
  auto held = repository->poll();
  REQUIRE(held);
  CHECK(held->commit == good);
  CHECK_THAT(held->complaint, ContainsSubstring("its signature is not good"));
}

TEST_CASE("under `range` every commit since the last deployed one must be signed or a status commit we know",
          "[git][trust]") {
  TemporaryFolder folder;
  Signers signers(folder);
  auto options = signers.options(VerifyPolicy::Range);
  auto repository = open_repository(options);
  signers.commit_as("ann", {{"a.yaml", "1"}});
  REQUIRE_OK(repository->poll());
  auto good = *repository->head();

  SECTION("our own status commits pass, also after a restart between push and poll") {
    REQUIRE_OK(repository->record({status_write("till", "1", "till: one"), status_write("till", "2", "till: two")}));
    REQUIRE_OK(repository->push());
    repository.reset();
    repository = open_repository(options);
    auto head = repository->poll();
    REQUIRE(head);
    CHECK(head->complaint.empty());
    CHECK(head->commit == signers.people.git("rev-parse main"));
    auto next = signers.commit_as("ann", {{"a.yaml", "2"}});
    CHECK(repository->poll()->commit == next);
  }
  SECTION("one unsigned commit among signed ones is named") {
    auto bad = signers.people.commit("main", {{"a.yaml", "2"}});
    signers.commit_as("ann", {{"a.yaml", "3"}});
    auto held = repository->poll();
    CHECK(held->commit == good);
    CHECK_THAT(held->complaint, ContainsSubstring(bad.substr(0, 12)));
  }
  SECTION("somebody else's status commit needs a known key") {
    signers.commit_as("daemon", {{"status/other/shop/cart.yaml", "1"}}, "another daemon");
    CHECK_THAT(repository->poll()->complaint, ContainsSubstring("no status commit of ours"));
    repository.reset();
    options.trust.status_signers_file = folder / "status";
    repository = open_repository(options);
    CHECK(repository->poll()->complaint.empty());
    // The key of a daemon is good for status and nothing else.
    auto bad = signers.commit_as("daemon", {{"status/other/shop/cart.yaml", "2"}, {"a.yaml", "daemon"}});
    CHECK_THAT(repository->poll()->complaint, ContainsSubstring(bad.substr(0, 12)));
  }
  SECTION("an empty commit may allow something, so it must be signed") {
    auto bad = signers.people.commit("main", {}, "Serin-Prune: allow");
    CHECK_THAT(repository->poll()->complaint, ContainsSubstring(bad.substr(0, 12)));
  }
}

TEST_CASE("OpenPGP signatures are checked against a keyring", "[git][trust]") {
  if (exit_code("command -v gpg && command -v gpgv") != 0) {
    WARN("gpg is not here: not tested");
    return;
  }
  TemporaryFolder folder;
  Signers signers(folder);
  auto home = "GNUPGHOME=" + (folder / "gnupg");
  run("mkdir -m 700 " + (folder / "gnupg") + " && for who in ann mallory; do " + home +
      " gpg -q --batch --passphrase '' --quick-gen-key $who@example.com ed25519 sign; done; " + home +
      " gpg -q --export ann@example.com > " + (folder / "keyring"));
  run("printf '#!/bin/sh\\nexec env " + home + " gpg \"$@\"\\n' > " + (folder / "gpg") + " && chmod +x " +
      (folder / "gpg") + " && git -C " + signers.work() + " config gpg.format openpgp && git -C " + signers.work() +
      " config gpg.program " + (folder / "gpg"));
  auto commit_as = [&](const std::string& who, const std::string& content) {
    run("git -C " + signers.work() + " config commit.gpgsign true && git -C " + signers.work() +
        " config user.signingkey " + who + "@example.com");
    return signers.people.commit("main", {{"a.yaml", content}});
  };
  auto options = signers.options(VerifyPolicy::Range);
  options.trust.signers = {.keyring_file = folder / "keyring"};
  auto repository = open_repository(options);
  auto good = commit_as("ann", "1");
  CHECK(repository->poll()->commit == good);
  commit_as("mallory", "2");
  CHECK_THAT(repository->poll()->complaint, ContainsSubstring("none of the keys in the keyring"));
  run(home + " gpg -q --export ann@example.com mallory@example.com > " + (folder / "keyring"));
  CHECK(repository->poll()->complaint.empty());
  run(home + " gpgconf --kill all");
}

TEST_CASE("verification without anybody who may sign is refused at the start", "[git][trust]") {
  TemporaryFolder folder;
  GitPeople people(folder.path());
  auto options = options_for(people.remote(), folder / "state");
  options.trust.policy = VerifyPolicy::Head;
  CHECK_FALSE(Libgit2Repository::open(options));
}

TEST_CASE("a commit is of who signed it, whatever name it carries", "[git][trust][provenance]") {
  TemporaryFolder folder;
  Signers signers(folder);
  auto repository = open_repository(signers.options(VerifyPolicy::None));
  const auto by_ann = signers.commit_as("ann", {{"a.yaml", "1"}});
  // Mallory's key under the name that is on every commit here.
  const auto forged = signers.commit_as("mallory", {{"a.yaml", "2"}});
  const auto plain = signers.people.commit("main", {{"a.yaml", "3"}});
  REQUIRE_OK(repository->poll());
  CHECK(repository->provenance(by_ann, "a.yaml")->signer == "ann@example.com");
  CHECK(repository->provenance(forged, "a.yaml")->signer.empty());
  CHECK(repository->provenance(forged, "a.yaml")->unsigned_because == "it is signed by none of the allowed signers");
  CHECK(repository->provenance(plain, "a.yaml")->unsigned_because == "it is not signed");

  SECTION("a commit that is made again on another parent is signed no more") {
    run("git -C " + signers.work() + " fetch -q && git -C " + signers.work() +
        " checkout -q -B main origin/main && git -C " + signers.work() +
        " cherry-pick --allow-empty --strategy-option=theirs " + by_ann + " && git -C " + signers.work() +
        " push -q origin main");
    const auto replayed = signers.people.git("rev-parse main");
    REQUIRE_OK(repository->poll());
    CHECK(repository->provenance(replayed, "a.yaml")->signer.empty());
  }
  SECTION("without signers nobody has signed anything") {
    auto options = signers.options(VerifyPolicy::None);
    options.trust.signers = {};
    options.state_directory = folder / "other";
    auto other = open_repository(options);
    REQUIRE_OK(other->poll());
    CHECK_THAT(other->provenance(by_ann, "a.yaml")->unsigned_because, ContainsSubstring("no signers are known here"));
  }
}

TEST_CASE("what a merge brings is the work of those whose commits it merges", "[git][provenance]") {
  TemporaryFolder folder;
  Signers signers(folder);
  auto repository = open_repository(signers.options(VerifyPolicy::None));
  const std::string git = "git -C " + signers.work() + " -c user.name=Bo -c user.email=bo@example.com ";
  auto commit = [&](const std::string& author, const std::string& file, const std::string& text) {
    run("printf " + text + " > " + signers.work() + "/" + file + " && " + git + "add -A && " + git +
        "commit -q -m change --author '" + author + "'");
  };
  run(git + "fetch -q && " + git + "checkout -q -B change origin/main");
  commit("Cy <cy@example.com>", "a.yaml", "1");
  commit("Di <di@example.com>", "b.yaml", "1");
  run(git + "checkout -q -B main origin/main");
  commit("Ed <ed@example.com>", "c.yaml", "1");
  run("GIT_AUTHOR_NAME=Bo GIT_AUTHOR_EMAIL=bo@example.com " + git + "merge -q --no-ff -m merge change && " + git +
      "push -q origin main");
  const auto merge = signers.people.git("rev-parse main");
  REQUIRE_OK(repository->poll());
  CHECK(repository->provenance(merge, "a.yaml")->writers == std::vector<std::string>{"Cy <cy@example.com>"});
  CHECK(repository->commits_touching("a.yaml", "", merge, 1)->front().author == "Bo <bo@example.com>");
  CHECK(repository->commits_touching("a.yaml", "", merge, 1)->front().parent == signers.people.git("rev-parse main^1"));
}
