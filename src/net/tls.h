// TLS: what is configured, and the contexts that are made of it. Connections use them through Connector and Listener.
#pragma once

#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

#include <windlass/tls.h>

namespace windlass::net {

using windlass::ClientAuthentication;
using windlass::TlsOptions;
using windlass::VerificationMode;

/// Codes of OpenSSL's error queue.
const std::error_category& tls_category() noexcept;

/// Everything that connections of one configuration share. TLS 1.2 or newer, no renegotiation, no session tickets.
/// Copies share it; may be used from any thread.
///
/// Files that change are loaded anew: each new connection looks at them (one stat a file), and those that stand keep
/// what they have. All of it is replaced together or not at all: what cannot be loaded (half of a new file, a
/// certificate whose new key is not there yet) leaves everything as it is until the next connection looks again.
class TlsContext {
 public:
  /// Load all files. Throw std::runtime_error that names the file and the reason.
  static TlsContext client(const TlsOptions& options);
  static TlsContext server(const TlsOptions& options);

  class Impl;
  /// What a new connection is to use, after a look at the files.
  std::shared_ptr<const Impl> current() const;

 private:
  class Files;
  explicit TlsContext(std::shared_ptr<Files> files) : files_(std::move(files)) {}
  std::shared_ptr<Files> files_;
};

/// What a certificate says. Texts are printable (what is not is escaped), and cut at 256 bytes.
struct CertificateInfo {
  std::string subject;  ///< "CN=localhost,O=Example"
  std::string issuer;
  std::vector<std::string> names;  ///< subject alternative names: "DNS:localhost", "IP:127.0.0.1"
  std::vector<std::string> uses;   ///< extended key usage: "TLS Web Server Authentication"; empty: any
  std::chrono::system_clock::time_point not_before;
  std::chrono::system_clock::time_point not_after;
};

/// What a handshake agreed on.
struct TlsInfo {
  std::string version;                  ///< "TLSv1.3"
  std::string cipher;                   ///< "TLS_AES_256_GCM_SHA384"
  std::optional<CertificateInfo> peer;  ///< the peer's certificate, if it showed one
};

}  // namespace windlass::net
