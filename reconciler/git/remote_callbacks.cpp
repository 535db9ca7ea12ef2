#include "git/remote_callbacks.h"

#include <git2.h>
#if __has_include(<git2/sys/errors.h>)
#include <git2/sys/errors.h>  // git_error_set_str moved there after 1.5
#endif

#include "base/format.h"
#include "base/log.h"
#include "git/known_hosts.h"
#include "git/library.h"

namespace reconciler {
namespace {

bool mentions_refusal(std::string_view text) {
  for (auto status : {"401", "403", "404"})
    if (text.find(std::string("status code: ") + status) != text.npos) return true;
  return text.find("redirect") != text.npos;
}

}  // namespace

Result<void> Transfer::read_credentials() {
  auto proof = access_.proof(address_);
  if (!proof) return proof.error();
  proof_ = std::move(*proof);
  return {};
}

// The C functions behind `Transfer::callbacks`.
struct TransferCallbacks {
  static int on_credentials(git_credential** out, const char*, const char* user, unsigned allowed, void* self) {
    auto& transfer = *static_cast<Transfer*>(self);
    std::string name = user ? user : transfer.address_.user.empty() ? "git" : transfer.address_.user;
    if (allowed & GIT_CREDENTIAL_USERNAME) return git_credential_username_new(out, name.c_str());
    // The library asks again after every refusal, for ever: one offer only.
    if (transfer.offers_++ || !(allowed & GIT_CREDENTIAL_SSH_KEY)) {
      transfer.stopped_ = transfer.address_.transport == Transport::Ssh ? "the server refused our key"
                          : transfer.proof_.authorization.empty()       ? "the server asks for credentials"
                                                                        : "the server refused our token";
      git_error_set_str(GIT_ERROR_NET, transfer.stopped_.c_str());
      return GIT_EAUTH;
    }
    return git_credential_ssh_key_new(out, name.c_str(), nullptr, transfer.access_.files().ssh_key_file.c_str(),
                                      transfer.proof_.passphrase.c_str());
  }

  static int on_certificate(git_cert* certificate, int, const char*, void* self) {
    auto& transfer = *static_cast<Transfer*>(self);
    std::string_view key;
    if (certificate->cert_type == GIT_CERT_HOSTKEY_LIBSSH2) {
      auto* host = reinterpret_cast<git_cert_hostkey*>(certificate);
      if (host->type & GIT_CERT_SSH_RAW) key = {host->hostkey, host->hostkey_len};
    }
    auto checked = check_host_key(transfer.proof_.known_hosts, transfer.address_.host, transfer.address_.port, key);
    if (checked) return 0;
    transfer.stopped_ = checked.error().message;
    git_error_set_str(GIT_ERROR_SSH, transfer.stopped_.c_str());
    return GIT_ECERTIFICATE;
  }

  static int on_progress(const git_indexer_progress* progress, void* self) {
    auto& transfer = *static_cast<Transfer*>(self);
    if (progress->received_bytes > transfer.options_.received_bytes_max)
      transfer.stopped_ = format("the pack is larger than {} bytes", transfer.options_.received_bytes_max);
    else if (progress->total_objects > transfer.options_.objects_max)
      transfer.stopped_ = format("the pack holds more than {} objects", transfer.options_.objects_max);
    auto* deadline = Deadline::current();
    return !transfer.stopped_.empty() || (deadline && deadline->has_fired()) ? -1 : 0;
  }

  static int on_negotiation(const git_push_update** updates, size_t count, void* self) {
    auto& transfer = *static_cast<Transfer*>(self);
    for (size_t i = 0; i < count; i++) {
      git_oid expected = transfer.expected_ ? id_from(*transfer.expected_) : git_oid{};
      if (transfer.expected_ref_ == updates[i]->dst_refname && git_oid_equal(&updates[i]->src, &expected)) continue;
      transfer.lost_race_ = true;
      return -1;
    }
    return 0;
  }

  static int on_reference(const char* ref, const char* refusal, void* self) {
    auto& transfer = *static_cast<Transfer*>(self);
    if (transfer.expected_ref_ == ref) transfer.answered_ = true;
    if (refusal) transfer.refusals_.emplace_back(refusal);
    return 0;
  }
};

git_remote_callbacks Transfer::callbacks() {
  git_remote_callbacks callbacks = GIT_REMOTE_CALLBACKS_INIT;
  callbacks.payload = this;
  callbacks.credentials = TransferCallbacks::on_credentials;
  // Our own TLS stream has checked its certificate; only SSH needs a verdict.
  if (address_.transport == Transport::Ssh) callbacks.certificate_check = TransferCallbacks::on_certificate;
  callbacks.transfer_progress = TransferCallbacks::on_progress;
  callbacks.push_negotiation = TransferCallbacks::on_negotiation;
  callbacks.push_update_reference = TransferCallbacks::on_reference;
  return callbacks;
}

git_strarray Transfer::headers() {
  if (proof_.authorization.empty()) return {nullptr, 0};
  header_lines_[0] = proof_.authorization.data();
  return {header_lines_, 1};
}

void Transfer::ended(const git_indexer_progress& progress) {
  if (options_.on_received && progress.received_bytes > 0) options_.on_received(progress.received_bytes);
}

void Transfer::expect(std::string ref, std::optional<std::string> expected) {
  expected_ref_ = std::move(ref);
  expected_ = std::move(expected);
}

Error Transfer::error(int code, Deadline& deadline, std::string_view doing) {
  auto text = format("{} {}: ", doing, address_.url);
  if (deadline.has_fired()) return transient(text + format("no end within {}", format_duration(options_.deadline)));
  if (code == GIT_EAUTH) access_.refused();
  if (!stopped_.empty()) return invalid(text + stopped_);
  auto said = last_git_error("the server refused");
  bool refused = code == GIT_EAUTH || code == GIT_ECERTIFICATE || mentions_refusal(said);
  return {refused ? ErrorKind::Invalid : ErrorKind::Transient, text + said};
}

Result<void> Transfer::push_result(int code, Deadline& deadline, const std::string& ref) {
  if (lost_race_ || code == GIT_ENONFASTFORWARD) return conflict(format("push to {}: somebody else was faster", ref));
  if (code != 0) return error(code, deadline, "cannot push to");
  for (const auto& refusal : refusals_) {
    // What receive-pack says when the ref moved between its listing and our update.
    for (auto race : {"failed to update ref", "cannot lock ref", "fetch first", "non-fast-forward", "stale info"})
      if (refusal.find(race) != refusal.npos) return conflict(format("push to {}: {}", ref, redact(refusal)));
    return invalid(format("push to {} was refused: {}", ref, redact(refusal)));
  }
  if (!answered_) return transient(format("push to {}: the server did not say what became of it", ref));
  return {};
}

}  // namespace reconciler
