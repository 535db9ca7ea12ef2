// A GitHub App instead of a token: a signed assertion is exchanged for an installation token that lives an hour, and
// for a new one five minutes before that ends.
#pragma once

#include <string>

#include "base/result.h"
#include "base/time.h"

namespace reconciler {

struct GitHubAppSettings {
  std::string app;           ///< its id or client id
  std::string installation;  ///< the id of its installation; digits
  std::string key_file;      ///< RSA private key, PEM
  std::string api_url = "https://api.github.com";
  std::string ca_file;  ///< trusted for `api_url` instead of the system's authorities; empty: those
  bool operator==(const GitHubAppSettings&) const = default;
};

class GitHubApp {
 public:
  explicit GitHubApp(GitHubAppSettings settings) : settings_(std::move(settings)) {}

  /// The token in force, asked for when there is none or it ends within five minutes of `now`. The key is read anew
  /// then. `Invalid`: the key cannot be used, or GitHub refuses the app; `Transient`: it does not answer.
  Result<std::string> token(TimePoint now);

  /// A server refused the token: the next use asks for another one.
  void forget() { token_.clear(); }

 private:
  Result<std::string> assertion(TimePoint now) const;

  GitHubAppSettings settings_;
  std::string token_;
  TimePoint ends_{};
};

}  // namespace reconciler
