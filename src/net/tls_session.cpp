#include "net/tls_session.h"

#include <ctime>
#include <new>
#include <openssl/err.h>
#include <openssl/x509v3.h>

#include "base/assert.h"

namespace windlass::net {

/// OpenSSL's own socket BIO writes without MSG_NOSIGNAL, and a library has no business with the program's SIGPIPE.
struct SocketBio {
  static int read(BIO* bio, char* to, int count) {
    TlsSession& session = session_of(bio);
    BIO_clear_retry_flags(bio);
    const IoResult result = receive_some(session.socket_, to, static_cast<std::size_t>(count));
    if (result.status == IoResult::Status::done) return static_cast<int>(result.count);
    if (result.status == IoResult::Status::want_read) BIO_set_retry_read(bio);
    if (result.status == IoResult::Status::failed) session.socket_error_ = result.error;
    session.ended_ = result.status == IoResult::Status::ended;
    return session.ended_ ? 0 : -1;
  }

  static int write(BIO* bio, const char* from, int count) {
    TlsSession& session = session_of(bio);
    BIO_clear_retry_flags(bio);
    const IoResult result = send_some(session.socket_, {from, static_cast<std::size_t>(count)});
    if (result.status == IoResult::Status::done) return static_cast<int>(result.count);
    if (result.status == IoResult::Status::want_write) BIO_set_retry_write(bio);
    if (result.status == IoResult::Status::failed) session.socket_error_ = result.error;
    return -1;
  }

  static long control(BIO* bio, int command, long, void*) {
    if (command == BIO_CTRL_FLUSH) return 1;
    return command == BIO_CTRL_EOF && session_of(bio).ended_;
  }

  static BIO* make(TlsSession& session) {
    static const BIO_METHOD* const method = [] {
      BIO_METHOD* const made = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "windlass socket");
      if (!made) throw std::bad_alloc();
      BIO_meth_set_read(made, read);
      BIO_meth_set_write(made, write);
      BIO_meth_set_ctrl(made, control);
      return made;
    }();
    BIO* const bio = BIO_new(method);
    if (!bio) throw std::bad_alloc();
    BIO_set_data(bio, &session);
    BIO_set_init(bio, 1);
    return bio;
  }

 private:
  static TlsSession& session_of(BIO* bio) { return *static_cast<TlsSession*>(BIO_get_data(bio)); }
};

namespace {

constexpr std::size_t max_names_in_text = 8;

std::string date_of(std::chrono::system_clock::time_point time) {
  const std::time_t seconds = std::chrono::system_clock::to_time_t(time);
  std::tm fields{};
  char text[64];
  if (!gmtime_r(&seconds, &fields) || std::strftime(text, sizeof text, "%Y-%m-%d %H:%M:%S UTC", &fields) == 0)
    return "?";
  return text;
}

std::string list_of(const std::vector<std::string>& words) {
  std::string text;
  for (std::size_t i = 0; i < words.size(); ++i) {
    if (i == max_names_in_text) return text + " and others";
    text += (i == 0 ? "" : ", ") + words[i];
  }
  return text;
}

/// "the peer's certificate "CN=localhost" (depth 0, issued by "CN=Authority")".
std::string name_of(const CertificateInfo& certificate, int depth) {
  return (depth == 0 ? "the peer's certificate \"" : "the authority's certificate \"") + certificate.subject +
         "\" (depth " + std::to_string(depth) + ", issued by \"" + certificate.issuer + "\")";
}

}  // namespace

TlsSession::TlsSession(const TlsContext::Impl& context, int socket, const std::string& server_name)
    : session_(SSL_new(context.context.get())),
      verifies_(context.verification_mode != VerificationMode::none),
      is_server_(context.is_server),
      socket_(socket) {
  if (!session_) throw std::bad_alloc();
  SSL_set_app_data(session_.get(), this);
  BIO* const bio = SocketBio::make(*this);
  SSL_set_bio(session_.get(), bio, bio);
  if (is_server_) {
    SSL_set_verify(session_.get(), SSL_get_verify_mode(session_.get()), on_verify);
    SSL_set_accept_state(session_.get());
  } else {
    SSL_set_verify(session_.get(), verifies_ ? SSL_VERIFY_PEER : SSL_VERIFY_NONE, verifies_ ? on_verify : nullptr);
    expect(server_name, context.verification_mode);
    SSL_set_connect_state(session_.get());
  }
}

void TlsSession::expect(const std::string& server_name, VerificationMode mode) {
  // An empty name would switch OpenSSL's check off.
  WINDLASS_ASSERT(!server_name.empty());
  std::string name = server_name.substr(0, server_name.find('%'));  // an IPv6 address may bear its interface
  if (name.ends_with('.')) name.pop_back();
  X509_VERIFY_PARAM* const parameters = SSL_get0_param(session_.get());
  const bool checks_name = mode == VerificationMode::full || mode == VerificationMode::strict;
  if (checks_name) wanted_ = name;
  const OpensslPointer<ASN1_OCTET_STRING, ASN1_OCTET_STRING_free> literal(a2i_IPADDRESS(name.c_str()));
  ERR_clear_error();
  if (literal) {
    if (checks_name) WINDLASS_ASSERT(X509_VERIFY_PARAM_set1_ip_asc(parameters, name.c_str()) == 1);
    return;
  }
  if (SSL_set_tlsext_host_name(session_.get(), name.c_str()) != 1) ERR_clear_error();
  if (!checks_name) return;
  X509_VERIFY_PARAM_set_hostflags(parameters,
                                  X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS |
                                      (mode == VerificationMode::strict ? X509_CHECK_FLAG_NEVER_CHECK_SUBJECT : 0u));
  if (X509_VERIFY_PARAM_set1_host(parameters, name.data(), name.size()) != 1) throw std::bad_alloc();
}

int TlsSession::on_verify(int ok, X509_STORE_CTX* store) {
  const auto* const ssl =
      static_cast<const SSL*>(X509_STORE_CTX_get_ex_data(store, SSL_get_ex_data_X509_STORE_CTX_idx()));
  auto& session = *static_cast<TlsSession*>(SSL_get_app_data(ssl));
  if (ok || !session.verifies_) return 1;
  if (session.verification_failure_.empty()) session.verification_failure_ = session.explain_verification(store);
  return 0;
}

std::string TlsSession::explain_verification(X509_STORE_CTX* store) const {
  const int error = X509_STORE_CTX_get_error(store);
  const X509* const certificate = X509_STORE_CTX_get_current_cert(store);
  if (!certificate) return X509_verify_cert_error_string(error);
  const CertificateInfo info = describe_certificate(certificate);
  const std::string which = name_of(info, X509_STORE_CTX_get_error_depth(store));
  switch (error) {
    case X509_V_ERR_CERT_HAS_EXPIRED:
      return which + " expired on " + date_of(info.not_after);
    case X509_V_ERR_CERT_NOT_YET_VALID:
      return which + " is not valid before " + date_of(info.not_before);
    case X509_V_ERR_HOSTNAME_MISMATCH:
    case X509_V_ERR_IP_ADDRESS_MISMATCH:
      return which + " is not for \"" + wanted_ + "\"; " +
             (info.names.empty() ? "it has no alternative names" : "it is for " + list_of(info.names));
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT:
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY:
    case X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE:
      return which + " is signed by an unknown authority";
    case X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT:
      return which + " is signed by itself, and not trusted";
    case X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN:
      return which + " is an unknown authority";
    case X509_V_ERR_INVALID_PURPOSE:
      return which + " may not be used " + (is_server_ ? "by a client" : "by a server") +
             (info.uses.empty() ? "" : "; it is for " + list_of(info.uses));
    case X509_V_ERR_INVALID_CA:
      return which + " is not that of an authority, and may not sign others";
    default:
      return which + " is refused: " + X509_verify_cert_error_string(error);
  }
}

IoResult TlsSession::result(int returned) noexcept {
  using Status = IoResult::Status;
  if (returned > 0) return {Status::done, static_cast<std::size_t>(returned), {}};
  switch (SSL_get_error(session_.get(), returned)) {
    case SSL_ERROR_WANT_READ:
      return {Status::want_read, 0, {}};
    case SSL_ERROR_WANT_WRITE:
      return {Status::want_write, 0, {}};
    case SSL_ERROR_ZERO_RETURN:
      return {Status::ended, 0, {}};
    default:
      break;
  }
  usable_ = false;
  const std::error_code error = take_tls_error();
  if (socket_error_) return {Status::failed, 0, socket_error_};
  if (ended_ || !error) return {Status::ended, 0, {}};
  return {Status::failed, 0, error};
}

IoResult TlsSession::handshake() {
  ERR_clear_error();
  IoResult outcome = result(SSL_do_handshake(session_.get()));
  outcome.count = 0;
  return outcome;
}

IoResult TlsSession::read(char* to, std::size_t count) {
  ERR_clear_error();
  std::size_t got = 0;
  const int returned = SSL_read_ex(session_.get(), to, count, &got);
  IoResult outcome = result(returned);
  if (outcome.status == IoResult::Status::done) outcome.count = got;
  return outcome;
}

IoResult TlsSession::write(std::string_view bytes) {
  ERR_clear_error();
  std::size_t sent = 0;
  const int returned = SSL_write_ex(session_.get(), bytes.data(), bytes.size(), &sent);
  IoResult outcome = result(returned);
  if (outcome.status == IoResult::Status::done) outcome.count = sent;
  return outcome;
}

void TlsSession::shutdown() noexcept {
  if (!usable_ || !SSL_is_init_finished(session_.get())) return;
  SSL_shutdown(session_.get());
  ERR_clear_error();
}

std::string TlsSession::explain(std::error_code error) const {
  if (!verification_failure_.empty()) return verification_failure_;
  if (error.category() == tls_category() && ERR_GET_REASON(error.value()) == SSL_R_WRONG_VERSION_NUMBER)
    return error.message() + " (does the peer speak TLS?)";
  return error.message();
}

TlsInfo TlsSession::info() const {
  TlsInfo info;
  info.version = SSL_get_version(session_.get());
  info.cipher = SSL_get_cipher_name(session_.get());
  if (const CertificatePointer peer(SSL_get1_peer_certificate(session_.get())); peer)
    info.peer = describe_certificate(peer.get());
  return info;
}

}  // namespace windlass::net
