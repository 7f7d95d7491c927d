#include "net/tls.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <iterator>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <stdexcept>
#include <string_view>
#include <utility>

#include "net/openssl.h"

namespace windlass::net {
namespace {

constexpr std::streamsize max_file_bytes = std::streamsize{16} << 20;

class TlsCategory final : public std::error_category {
 public:
  const char* name() const noexcept override { return "windlass.tls"; }
  std::string message(int code) const override {
    const char* const reason = ERR_reason_error_string(static_cast<unsigned long>(code));
    const std::string text = reason ? reason : "TLS error " + std::to_string(code);
    return is_refusal(code) ? "the peer does not accept our certificate, or wants one: " + text : text;
  }

 private:
  /// An alert by which the peer speaks of our certificate.
  static bool is_refusal(int code) {
    if (ERR_GET_LIB(code) != ERR_LIB_SSL) return false;
    constexpr int alerts[] = {SSL_AD_BAD_CERTIFICATE,     SSL_AD_UNSUPPORTED_CERTIFICATE, SSL_AD_CERTIFICATE_REVOKED,
                              SSL_AD_CERTIFICATE_EXPIRED, SSL_AD_CERTIFICATE_UNKNOWN,     SSL_AD_UNKNOWN_CA,
                              SSL_AD_CERTIFICATE_REQUIRED};
    return std::ranges::find(alerts, ERR_GET_REASON(code) - SSL_AD_REASON_OFFSET) != std::end(alerts);
  }
};

/// One PEM text of the configuration, and how to speak of it.
struct Source {
  std::string name;
  std::string text;
};

[[noreturn]] void refuse(const std::string& name, const std::string& why) {
  throw std::runtime_error(name + ": " + why);
}

[[noreturn]] void refuse_by_openssl(const std::string& name, const std::string& what) {
  const std::error_code error = take_tls_error();
  refuse(name, error ? what + ": " + error.message() : what);
}

Source read_source(const std::string& what, const std::string& value) {
  if (is_pem(value)) return {what, value};
  Source source{what + " " + value, {}};
  errno = 0;
  std::ifstream file(value, std::ios::binary);
  if (!file) refuse(source.name, std::strerror(errno));
  source.text.resize(static_cast<std::size_t>(max_file_bytes) + 1);
  file.read(source.text.data(), max_file_bytes + 1);
  if (file.bad()) refuse(source.name, std::strerror(errno));
  if (file.gcount() > max_file_bytes) refuse(source.name, "larger than 16 MiB");
  source.text.resize(static_cast<std::size_t>(file.gcount()));
  return source;
}

BioPointer bio_of(const std::string& text) {
  return BioPointer(BIO_new_mem_buf(text.data(), static_cast<int>(text.size())));
}

/// All certificates of the text, in order; at least one.
std::vector<CertificatePointer> parse_certificates(const Source& source) {
  const BioPointer bio = bio_of(source.text);
  std::vector<CertificatePointer> certificates;
  while (X509* const each = PEM_read_bio_X509(bio.get(), nullptr, nullptr, nullptr)) certificates.emplace_back(each);
  const bool at_end = ERR_GET_REASON(ERR_peek_last_error()) == PEM_R_NO_START_LINE;
  if (!at_end) refuse_by_openssl(source.name, "a certificate in it cannot be read");
  ERR_clear_error();
  if (certificates.empty()) refuse(source.name, "there is no PEM certificate in it");
  return certificates;
}

int give_passphrase(char* to, int size, int, void* passphrase) {
  const auto& text = *static_cast<const std::string*>(passphrase);
  if (text.size() > static_cast<std::size_t>(size)) return -1;
  return static_cast<int>(text.copy(to, text.size()));
}

KeyPointer parse_key(const Source& source, std::string passphrase) {
  const BioPointer bio = bio_of(source.text);
  KeyPointer key(PEM_read_bio_PrivateKey(bio.get(), nullptr, give_passphrase, &passphrase));
  if (key) return key;
  if (source.text.find("ENCRYPTED") == std::string::npos)
    refuse_by_openssl(source.name, "there is no readable PEM private key in it");
  ERR_clear_error();
  refuse(source.name, passphrase.empty() ? "the key is encrypted, and no passphrase is given"
                                         : "the key cannot be decrypted; is the passphrase right?");
}

void load_identity(SSL_CTX* context, const TlsOptions& options) {
  if (options.certificate.empty() && options.key.empty()) return;
  if (options.certificate.empty()) refuse("key", "it is given without a certificate");
  if (options.key.empty()) refuse("certificate", "it is given without its key");
  const Source certificate = read_source("certificate", options.certificate);
  const Source key = read_source("key", options.key);
  std::vector<CertificatePointer> chain = parse_certificates(certificate);
  if (SSL_CTX_use_certificate(context, chain.front().get()) != 1)
    refuse_by_openssl(certificate.name, "it cannot be used");
  for (std::size_t i = 1; i < chain.size(); ++i)
    if (SSL_CTX_add1_chain_cert(context, chain[i].get()) != 1)
      refuse_by_openssl(certificate.name, "its chain cannot be used");
  const KeyPointer private_key = parse_key(key, options.key_passphrase);
  if (X509_check_private_key(chain.front().get(), private_key.get()) != 1) {
    ERR_clear_error();
    refuse(key.name, "the key does not belong to the " + certificate.name);
  }
  if (SSL_CTX_use_PrivateKey(context, private_key.get()) != 1) refuse_by_openssl(key.name, "it cannot be used");
}

void load_authorities(SSL_CTX* context, const TlsOptions& options, bool is_server) {
  if (options.certificate_authorities.empty()) {
    if (SSL_CTX_set_default_verify_paths(context) != 1)
      refuse_by_openssl("certificate authorities", "the system has none");
    return;
  }
  X509_STORE* const store = SSL_CTX_get_cert_store(context);
  // What the user names is trusted as it is, be it an intermediate authority or the peer's own certificate.
  X509_STORE_set_flags(store, X509_V_FLAG_PARTIAL_CHAIN);
  for (const std::string& each : options.certificate_authorities) {
    const Source source = read_source("certificate authority", each);
    for (const CertificatePointer& certificate : parse_certificates(source)) {
      if (X509_STORE_add_cert(store, certificate.get()) != 1) refuse_by_openssl(source.name, "it cannot be used");
      if (is_server && SSL_CTX_add_client_CA(context, certificate.get()) != 1)
        refuse_by_openssl(source.name, "it cannot be used");
    }
  }
}

int mode_of(ClientAuthentication authentication) {
  switch (authentication) {
    case ClientAuthentication::none:
      return SSL_VERIFY_NONE;
    case ClientAuthentication::optional:
      return SSL_VERIFY_PEER;
    case ClientAuthentication::required:
      return SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT;
  }
  return SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT;
}

}  // namespace

std::shared_ptr<const TlsContext::Impl> TlsContext::Impl::load(const TlsOptions& options, bool is_server) {
  ERR_clear_error();
  auto impl = std::make_shared<Impl>();
  impl->verification_mode = options.verification_mode;
  impl->is_server = is_server;
  impl->context.reset(SSL_CTX_new(is_server ? TLS_server_method() : TLS_client_method()));
  SSL_CTX* const context = impl->context.get();
  if (!context || SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION) != 1)
    refuse_by_openssl("TLS", "it cannot be set up");
  // Without tickets a server sends nothing of its own accord, which a peer that never reads would answer with RST.
  SSL_CTX_set_options(context, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_TICKET | SSL_OP_NO_COMPRESSION);
  SSL_CTX_set_num_tickets(context, 0);
  SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
  SSL_CTX_set_mode(context,
                   SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER | SSL_MODE_RELEASE_BUFFERS);
  SSL_CTX_set_read_ahead(context, 1);
  if (is_server) SSL_CTX_set_verify(context, mode_of(options.client_authentication), nullptr);
  load_authorities(context, options, is_server);
  load_identity(context, options);
  return impl;
}

const std::error_category& tls_category() noexcept {
  static const TlsCategory category;
  return category;
}

std::error_code take_tls_error() noexcept {
  const unsigned long code = ERR_peek_error();
  ERR_clear_error();
  if (ERR_SYSTEM_ERROR(code)) return {ERR_GET_REASON(code), std::system_category()};
  return {static_cast<int>(code), tls_category()};
}

}  // namespace windlass::net
