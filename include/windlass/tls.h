// Windlass: what TLS is told.
#pragma once

#include <functional>
#include <string>
#include <vector>

namespace windlass {

/// What the peer's certificate must prove.
enum class VerificationMode {
  full,         ///< signed by a trusted authority, valid now, and made for the name or address that was asked for
  strict,       ///< as full, but the name must stand in the subject alternative names
  certificate,  ///< signed by a trusted authority and valid now, whatever name it bears
  none,         ///< nothing
};

/// Whether a server asks for the client's certificate.
enum class ClientAuthentication { none, optional, required };

/// Each certificate and key is the path of a PEM file, or the PEM text itself ("-----BEGIN ...").
struct TlsOptions {
  std::vector<std::string> certificate_authorities;  ///< trusted; empty: those of the system
  std::string certificate;                           ///< ours, followed by its intermediates; a server needs one
  std::string key;                                   ///< belongs to `certificate`
  std::string key_passphrase;
  VerificationMode verification_mode = VerificationMode::full;
  ClientAuthentication client_authentication = ClientAuthentication::none;  ///< of a server
  /// Files that change are used by new connections; those that cannot be loaded are not, and the old ones are used on.
  /// Told of either, in words, when a new connection has looked, from the thread that connects. Must not connect
  /// itself.
  std::function<void(bool used, const std::string& news)> on_change = {};

  /// The same settings; who hears of changes is none of them.
  friend bool operator==(const TlsOptions& a, const TlsOptions& b) {
    return a.certificate_authorities == b.certificate_authorities && a.certificate == b.certificate && a.key == b.key &&
           a.key_passphrase == b.key_passphrase && a.verification_mode == b.verification_mode &&
           a.client_authentication == b.client_authentication;
  }
};

}  // namespace windlass
