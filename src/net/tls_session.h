// TLS over one non-blocking socket.
#pragma once

#include <string>
#include <string_view>

#include "net/io_result.h"
#include "net/openssl.h"
#include "net/tls.h"

namespace windlass::net {

class TlsSession {
 public:
  /// On a socket that it does not own. `server_name` is what a client asks for and verifies; servers ignore it.
  TlsSession(const TlsContext& context, int socket, const std::string& server_name)
      : TlsSession(*context.current(), socket, server_name) {}
  TlsSession(const TlsSession&) = delete;
  TlsSession& operator=(const TlsSession&) = delete;

  /// Done (with a count of 0) once the session stands; until then nothing else is to be called.
  IoResult handshake();
  IoResult read(char* to, std::size_t count);
  /// May take only a part.
  IoResult write(std::string_view bytes);
  /// Tells the peer that nothing follows, if the socket takes that at once.
  void shutdown() noexcept;

  /// After a failed handshake: why, in full.
  std::string explain(std::error_code error) const;
  TlsInfo info() const;

 private:
  TlsSession(const TlsContext::Impl& context, int socket, const std::string& server_name);
  static int on_verify(int ok, X509_STORE_CTX* store);
  void expect(const std::string& server_name, VerificationMode mode);
  std::string explain_verification(X509_STORE_CTX* store) const;
  IoResult result(int returned) noexcept;

  SessionPointer session_;
  const bool verifies_;
  const bool is_server_;
  int socket_;
  bool usable_ = true;
  bool ended_ = false;                // recv has said so
  std::error_code socket_error_;      // what recv or send said last, if it failed
  std::string wanted_;                // the name that the peer's certificate must bear, if any
  std::string verification_failure_;  // the first one

  friend struct SocketBio;
};

}  // namespace windlass::net
