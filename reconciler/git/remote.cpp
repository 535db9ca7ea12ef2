#include "git/remote.h"

#include <git2.h>

#include <cstring>
#include <utility>

#include "base/format.h"
#include "git/deadline.h"
#include "git/library.h"
#include "git/local_push.h"
#include "git/remote_callbacks.h"

namespace reconciler {
namespace {

ConnectionSettings settings_of(const RemoteOptions& options, const GitCredentials& files) {
  return {.connect_timeout = options.connect_timeout,
          .ca_file = files.ca_file,
          .client_certificate_file = files.client_certificate_file,
          .client_key_file = files.client_key_file};
}

Result<Owned<git_remote>> make_remote(git_repository& repository, const Address& address) {
  Owned<git_remote> remote;
  // No `url.insteadOf` of some configuration: the URL is the one that was checked. (Its lookup also leaks 20 kB a
  // configuration entry in libgit2 1.5.)
  git_remote_create_options options = GIT_REMOTE_CREATE_OPTIONS_INIT;
  options.repository = &repository;
  options.flags = GIT_REMOTE_CREATE_SKIP_INSTEADOF;
  if (git_remote_create_with_opts(fill(remote), address.url.c_str(), &options) < 0)
    return library_error(format("repository {}", address.url));
  return remote;
}

}  // namespace

// Destroyed from the bottom up: first the remote, which closes its socket, then what its callbacks use.
struct Remote::Session::Connection {
  Connection(const Address& address, const RemoteOptions& options, Access& access)
      : deadline(options.deadline, settings_of(options, access.files())), transfer(address, options, access) {}
  Deadline deadline;
  Transfer transfer;
  Owned<git_remote> remote;
};

Remote::Session::Session() = default;
Remote::Session::Session(Session&&) noexcept = default;
Remote::Session::~Session() = default;

Remote::Remote(Address address, RemoteOptions options)
    : address_(std::move(address)), options_(std::move(options)), reading_(options_.credentials) {
  if (options_.push_credentials) pushing_.emplace(*options_.push_credentials);
}
Remote::~Remote() = default;
Remote::Remote(Remote&&) noexcept = default;
Remote& Remote::operator=(Remote&&) noexcept = default;

Result<Remote::Session> Remote::open(git_repository& repository) {
  Session session;
  session.connection_ = std::make_unique<Session::Connection>(address_, options_, reading_);
  auto& [deadline, transfer, remote] = *session.connection_;
  if (auto read = transfer.read_credentials(); !read) return read.error();
  auto made = make_remote(repository, address_);
  if (!made) return made.error();
  remote = std::move(*made);
  git_remote_connect_options connect = GIT_REMOTE_CONNECT_OPTIONS_INIT;
  connect.callbacks = transfer.callbacks();
  connect.follow_redirects = GIT_REMOTE_REDIRECT_NONE;
  connect.custom_headers = transfer.headers();
  if (int code = git_remote_connect_ext(remote.get(), GIT_DIRECTION_FETCH, &connect))
    return transfer.error(code, deadline, "cannot list the refs of");
  const git_remote_head** heads = nullptr;
  size_t count = 0;
  if (int code = git_remote_ls(&heads, &count, remote.get()))
    return transfer.error(code, deadline, "cannot list the refs of");
  for (size_t i = 0; i < count; i++) session.refs_.emplace(heads[i]->name, id_text(heads[i]->oid));
  return session;
}

Result<void> Remote::Session::fetch(const std::vector<std::string>& refs) {
  auto& [deadline, transfer, remote] = *connection_;
  std::vector<std::string> specs;
  std::vector<char*> pointers;
  // Only the left sides matter: `download` writes no ref.
  for (const auto& ref : refs) specs.push_back("+" + ref + ":refs/serin/incoming");
  for (auto& spec : specs) pointers.push_back(spec.data());
  git_strarray list{pointers.data(), pointers.size()};
  git_fetch_options fetch = GIT_FETCH_OPTIONS_INIT;
  fetch.callbacks = transfer.callbacks();
  fetch.download_tags = GIT_REMOTE_DOWNLOAD_TAGS_NONE;
  fetch.update_fetchhead = 0;
  fetch.follow_redirects = GIT_REMOTE_REDIRECT_NONE;
  fetch.custom_headers = transfer.headers();
  const int code = git_remote_download(remote.get(), &list, &fetch);
  transfer.ended(*git_remote_stats(remote.get()));
  if (code) return transfer.error(code, deadline, format("cannot fetch {} from", refs.size() == 1 ? refs[0] : "refs"));
  return {};
}

Result<void> Remote::push(git_repository& repository, const std::string& commit, const std::string& ref,
                          const std::optional<std::string>& expected) {
  if (address_.transport == Transport::File) return push_to_folder(repository, address_.url, commit, ref, expected);
  Access& access = pushing_ ? *pushing_ : reading_;
  Deadline deadline(options_.deadline, settings_of(options_, access.files()));
  Transfer transfer(address_, options_, access);
  if (auto read = transfer.read_credentials(); !read) return read.error();
  auto remote = make_remote(repository, address_);
  if (!remote) return remote.error();
  // A ref of its own for what is sent, so that new local commits do not slip in between.
  Owned<git_reference> sending;
  auto id = id_from(commit);
  if (git_reference_create(fill(sending), &repository, "refs/serin/sending", &id, 1, nullptr) < 0)
    return library_error("cannot prepare a push");
  transfer.expect(ref, expected);
  std::string spec = "refs/serin/sending:" + ref;
  char* specs[] = {spec.data()};
  git_strarray list{specs, 1};
  git_push_options push = GIT_PUSH_OPTIONS_INIT;
  push.callbacks = transfer.callbacks();
  push.follow_redirects = GIT_REMOTE_REDIRECT_NONE;
  push.custom_headers = transfer.headers();
  int code = git_remote_push(remote->get(), &list, &push);
  return transfer.push_result(code, deadline, ref);
}

}  // namespace reconciler
