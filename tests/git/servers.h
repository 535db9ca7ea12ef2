// Servers that a test starts and that end with it.
#pragma once

#include <cstdio>
#include <string>

namespace reconciler::testing {

/// A child process that prints one line when it is ready and ends when its input is closed.
class Child {
 public:
  explicit Child(const std::string& command);
  ~Child();
  Child(const Child&) = delete;
  Child& operator=(const Child&) = delete;
  const std::string& first_line() const { return first_line_; }

 private:
  int pid_ = -1;
  int input_ = -1;
  std::string first_line_;
};

/// `http_server.py` over the repositories in a folder.
class HttpServer {
 public:
  explicit HttpServer(const std::string& folder);
  /// With TLS: a certificate for `name` (`DNS:localhost`, `IP:127.0.0.1`), which is its own authority.
  HttpServer(const std::string& folder, const std::string& name);

  /// `http://127.0.0.1:PORT/<how>/<repository>`.
  std::string url(const std::string& how, const std::string& repository = "remote.git",
                  const std::string& host = "127.0.0.1") const;
  /// How many requests so far hold this text.
  size_t requests(const std::string& text) const;
  std::string certificate() const { return folder_ + "/tls.pem"; }

 private:
  std::string folder_;
  std::string scheme_;
  Child child_;
};

/// Debian's nginx before `git http-backend`: see `nginx_server.py` for what it serves where.
class NginxServer {
 public:
  enum class Tls { None, Server, ServerAndClient };
  NginxServer(const std::string& folder, Tls tls);
  static bool is_installed();
  std::string url(const std::string& how, const std::string& repository = "remote.git") const;
  std::string certificate() const { return folder_ + "/tls.pem"; }
  std::string client_certificate() const { return folder_ + "/client.pem"; }
  std::string client_key() const { return folder_ + "/client.key"; }

 private:
  std::string folder_;
  std::string scheme_;
  Child child_;
};

/// An OpenSSH server over the same repositories, with fresh keys.
class SshServer {
 public:
  /// Keys of `type` (as ssh-keygen calls them), that of the client behind `passphrase`.
  explicit SshServer(const std::string& folder, const std::string& type = "ed25519",
                     const std::string& passphrase = "");
  static bool is_installed();
  std::string url(const std::string& repository_path) const;
  std::string port() const { return child_.first_line(); }
  std::string client_key() const { return folder_ + "/ssh/client"; }
  /// The host's public key, as it stands in a known_hosts file after the names.
  std::string host_key() const;

 private:
  std::string folder_;
  Child child_;
};

}  // namespace reconciler::testing
