#include "cli/git_credentials.h"

#include "base/format.h"
#include "cli/credential_path.h"

namespace reconciler {
namespace {

/// The options of which those for pushing are a second set.
struct FileOption {
  const char* name;
  const char* help;
  std::string GitCredentials::*file;
};

constexpr FileOption kFiles[] = {
    {"token-file", "https: token or password", &GitCredentials::token_file},
    {"client-cert-file", "https: certificate to show", &GitCredentials::client_certificate_file},
    {"client-key-file", "https: its private key", &GitCredentials::client_key_file},
    {"ssh-key-file", "ssh: private key, ed25519 or ECDSA", &GitCredentials::ssh_key_file},
    {"ssh-passphrase-file", "ssh: passphrase of the key", &GitCredentials::ssh_passphrase_file},
};

Result<void> take_files(const Options& given, const std::string& prefix, GitCredentials& credentials) {
  for (const FileOption& option : kFiles) {
    const std::string name = prefix + option.name;
    if (!given.has(name)) continue;
    auto path = credential_path(name, given.text(name));
    if (!path) return path.error();
    credentials.*option.file = *path;
  }
  if (given.has(prefix + "user")) credentials.user = given.text(prefix + "user");
  if (given.has(prefix + "auth"))
    credentials.token_scheme = given.text(prefix + "auth") == "bearer" ? TokenScheme::Bearer : TokenScheme::Basic;
  if (credentials.client_certificate_file.empty() != credentials.client_key_file.empty())
    return invalid(format("--{}client-cert-file and --{}client-key-file belong together", prefix, prefix));
  return {};
}

Result<GitHubAppSettings> github_app(const Options& given, const std::string& ca_file) {
  GitHubAppSettings app{.app = given.text("github-app"),
                        .installation = given.text("github-installation"),
                        .api_url = given.text("github-api"),
                        .ca_file = ca_file};
  const bool all = given.has("github-app") && given.has("github-installation") && given.has("github-key-file");
  const bool any = given.has("github-app") || given.has("github-installation") || given.has("github-key-file");
  if (any && !all) return invalid("--github-app, --github-installation and --github-key-file belong together");
  if (app.installation.find_first_not_of("0123456789") != std::string::npos)
    return invalid(format("--github-installation {} must be a number", app.installation));
  auto key = credential_path("github-key-file", given.text("github-key-file"));
  if (!key) return key.error();
  app.key_file = *key;
  return app;
}

bool any_given(const Options& given, const std::string& prefix) {
  for (const FileOption& option : kFiles)
    if (given.has(prefix + option.name)) return true;
  return false;
}

std::vector<Option> one_set(const std::string& prefix, const std::string& purpose) {
  std::vector<Option> options;
  for (const FileOption& option : kFiles)
    options.push_back({.name = prefix + option.name, .operand = "FILE", .help = option.help + purpose});
  options.push_back(
      {.name = prefix + "user", .operand = "NAME", .help = "https: user name beside the token" + purpose});
  options.push_back({.name = prefix + "auth",
                     .operand = "basic|bearer",
                     .help = "https: how the token is sent" + purpose,
                     .type = ChoiceOption{{"basic", "bearer"}}});
  return options;
}

}  // namespace

std::vector<Option> git_access_options() {
  std::vector<Option> options = one_set("git-", "");
  options.push_back({.name = "git-ca-file",
                     .operand = "FILE",
                     .help = "https: certificate authority to trust instead of the system's"});
  options.push_back({.name = "git-known-hosts-file", .operand = "FILE", .help = "ssh: host keys to trust"});
  for (Option& option : one_set("push-", ", for pushing")) options.push_back(std::move(option));
  options.push_back({.name = "github-app", .operand = "ID", .help = "https: GitHub App to be instead of a token"});
  options.push_back({.name = "github-installation", .operand = "ID", .help = "its installation"});
  options.push_back({.name = "github-key-file", .operand = "FILE", .help = "its private key"});
  options.push_back({.name = "github-api",
                     .operand = "URL",
                     .help = "where its tokens come from",
                     .otherwise = "https://api.github.com"});
  return options;
}

std::vector<Option> git_credential_options() {
  std::vector<Option> options = git_access_options();
  options.push_back({.name = "verify",
                     .operand = "none|head|range",
                     .help = "which commits must be signed: none, the newest, or all since the last deployed one",
                     .type = ChoiceOption{{"none", "head", "range"}},
                     .otherwise = "none"});
  options.push_back({.name = "allowed-signers-file", .operand = "FILE", .help = "ssh keys of those who may sign"});
  options.push_back({.name = "keyring-file", .operand = "FILE", .help = "OpenPGP keys of those who may sign"});
  options.push_back({.name = "status-signers-file",
                     .operand = "FILE",
                     .help = "ssh keys of other daemons: their status commits pass --verify range"});
  options.push_back({.name = "signing-key-file", .operand = "FILE", .help = "ssh key to sign status commits with"});
  return options;
}

Result<TrustOptions> trust_options(const Options& given) {
  TrustOptions trust{.status_root = given.text("status-directory")};
  const std::string policy = given.text("verify");
  if (policy == "head") trust.policy = VerifyPolicy::Head;
  if (policy == "range") trust.policy = VerifyPolicy::Range;
  for (auto [name, file] : {std::pair("allowed-signers-file", &trust.signers.allowed_signers_file),
                            std::pair("keyring-file", &trust.signers.keyring_file),
                            std::pair("status-signers-file", &trust.status_signers_file)}) {
    auto path = credential_path(name, given.text(name));
    if (!path) return path.error();
    *file = *path;
  }
  if (trust.policy != VerifyPolicy::None && trust.signers.empty())
    return invalid(format("--verify {} needs --allowed-signers-file or --keyring-file", policy));
  return trust;
}

Result<RemoteOptions> remote_options(const Options& given) {
  RemoteOptions remote;
  GitCredentials& reading = remote.credentials;
  for (auto [name, file] :
       {std::pair("git-ca-file", &reading.ca_file), std::pair("git-known-hosts-file", &reading.known_hosts_file)}) {
    auto path = credential_path(name, given.text(name));
    if (!path) return path.error();
    *file = *path;
  }
  if (auto taken = take_files(given, "git-", reading); !taken) return taken.error();
  auto app = github_app(given, reading.ca_file);
  if (!app) return app.error();
  const bool is_app = !app->app.empty();
  if (is_app && !reading.token_file.empty()) {
    // Read with a token, push as the app; the other way round is --push-token-file beside --github-app.
    remote.push_credentials = reading;
    remote.push_credentials->token_file.clear();
    remote.push_credentials->app = *app;
  } else {
    reading.app = *app;
  }
  if (!any_given(given, "push-")) return remote;
  if (remote.push_credentials) return invalid("--github-app, --git-token-file and --push-...-file: one too many");
  GitCredentials pushing = reading;
  if (auto taken = take_files(given, "push-", pushing); !taken) return taken.error();
  if (given.has("push-token-file")) pushing.app = {};
  remote.push_credentials = pushing;
  return remote;
}

}  // namespace reconciler
