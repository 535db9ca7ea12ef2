// The sockets under libgit2's transports, ours instead of the library's: with a connect timeout, a Deadline, and TLS by
// OpenSSL (TLS 1.3, IP addresses in certificates, private CA and client certificates per connection).
#pragma once

namespace reconciler {

/// Once, after libgit2 started and before any thread uses it.
void install_network_streams();

}  // namespace reconciler
