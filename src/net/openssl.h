// What the TLS files share of OpenSSL.
#pragma once

#include <memory>
#include <openssl/bio.h>
#include <openssl/evp.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <string>
#include <string_view>
#include <system_error>

#include "net/tls.h"

namespace windlass::net {

template <auto release>
struct OpensslDeleter {
  template <class T>
  void operator()(T* object) const noexcept {
    release(object);
  }
};
template <class T, auto release>
using OpensslPointer = std::unique_ptr<T, OpensslDeleter<release>>;

using BioPointer = OpensslPointer<BIO, BIO_free_all>;
using CertificatePointer = OpensslPointer<X509, X509_free>;
using KeyPointer = OpensslPointer<EVP_PKEY, EVP_PKEY_free>;
using ContextPointer = OpensslPointer<SSL_CTX, SSL_CTX_free>;
using SessionPointer = OpensslPointer<SSL, SSL_free>;

/// The first error in this thread's queue, which says why; empties the queue.
std::error_code take_tls_error() noexcept;

/// Whether a setting is the text itself, and not the path of a file.
inline bool is_pem(std::string_view value) {
  return value.find("-----BEGIN ") != std::string_view::npos;
}
CertificateInfo describe_certificate(const X509* certificate);

/// Loaded once, and never changed.
class TlsContext::Impl {
 public:
  ContextPointer context;
  VerificationMode verification_mode = VerificationMode::full;
  bool is_server = false;

  /// Reads everything. Throws as TlsContext says.
  static std::shared_ptr<const Impl> load(const TlsOptions& options, bool is_server);
};

}  // namespace windlass::net
